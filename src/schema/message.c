/* What is said to people: expected this, got that. */
#include "schema/explain.h"

#include "json/writer.h"

#include <stdarg.h>

enum { VALUE_SHOWN_MAX = 80, CANDIDATES_MAX = 1000 };

void message_raw(struct explainer *x, struct slice raw, size_t max)
{
    size_t size = utf8_cut(raw.data, raw.size, max);
    buffer_append(&x->message, raw.data, size);
    if (size < raw.size)
        buffer_printf(&x->message, "… (%zu bytes)", raw.size);
}

void message_json(struct explainer *x, struct slice raw)
{
    size_t start = x->message.size, at = 0;
    bool in_string = false;
    for (; at < raw.size && x->message.size - start < VALUE_SHOWN_MAX; at++) {
        char c = raw.data[at];
        bool is_blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (in_string || !is_blank)
            buffer_byte(&x->message, c);
        if (in_string && c == '\\' && at + 1 < raw.size)
            buffer_byte(&x->message, raw.data[++at]);
        else if (c == '"')
            in_string = !in_string;
    }
    x->message.size = start + utf8_cut(x->message.data + start, x->message.size - start,
                                       at < raw.size ? VALUE_SHOWN_MAX : x->message.size - start);
    if (at < raw.size)
        buffer_str(&x->message, "…");
}

void message_set(struct explainer *x, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_clear(&x->message);
    buffer_str(&x->message, text);
}

void message_value(struct explainer *x, uint32_t at)
{
    if (x->trial)
        return;
    const struct json *doc = x->m->doc;
    uint32_t count = json_count(doc, at);
    switch (json_tag(doc, at)) {
    case JSON_OBJECT:
        buffer_printf(&x->message, "an object of %u %s", count, count == 1 ? "member" : "members");
        return;
    case JSON_ARRAY:
        buffer_printf(&x->message, "an array of %u %s", count, count == 1 ? "item" : "items");
        return;
    case JSON_INTEGER:
        buffer_str(&x->message, "integer ");
        break;
    case JSON_NUMBER:
        buffer_str(&x->message, "number ");
        break;
    case JSON_STRING:
        buffer_str(&x->message, "string ");
        break;
    case JSON_KEY:
        buffer_str(&x->message, "name ");
        break;
    default:
        break;
    }
    message_raw(x, json_raw(doc, at), VALUE_SHOWN_MAX);
}

void message_content(struct explainer *x, uint32_t at)
{
    enum json_tag tag = json_tag(x->m->doc, at);
    if (tag != JSON_OBJECT && tag != JSON_ARRAY)
        message_value(x, at);
    else if (!x->trial)
        message_json(x, json_raw(x->m->doc, at));
}

static void append_got(struct explainer *x, uint32_t at)
{
    buffer_str(&x->message, ", got ");
    message_value(x, at);
}

/* So many characters, and the string: of a long one only the beginning is shown. */
static void append_got_length(struct explainer *x, uint32_t at)
{
    struct slice text = machine_text(x->m, at);
    size_t characters = 0;
    for (size_t i = 0; i < text.size; i++)
        characters += (text.data[i] & 0xc0) != 0x80;
    buffer_printf(&x->message, ", got %zu: ", characters);
    message_value(x, at);
}

static void append_types(struct explainer *x, uint16_t types, bool more)
{
    static const struct {
        uint16_t types;
        const char *name;
    } names[] = {{TYPE_OBJECT, "object"},      {TYPE_ARRAY, "array"},     {TYPE_STRING, "string"},
                 {1 << JSON_NUMBER, "number"}, {TYPE_INTEGER, "integer"}, {TYPE_BOOLEAN, "boolean"},
                 {TYPE_NULL, "null"}};
    const char *found[sizeof names / sizeof *names];
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool covered = names[i].types == TYPE_INTEGER && types & 1 << JSON_NUMBER;
        if (types & names[i].types && !covered)
            found[count++] = names[i].name;
    }
    for (size_t i = 0; i < count; i++)
        buffer_printf(&x->message, "%s%s",
                      i + 1 == count && (i > 0 || more) ? " or "
                      : i > 0 || more                   ? ", "
                                                        : "",
                      found[i]);
}

void message_more_types(struct explainer *x, uint16_t types)
{
    append_types(x, types, true);
}

void message_types(struct explainer *x, uint16_t types, uint32_t at)
{
    if (x->trial)
        return;
    message_set(x, types ? "expected " : "expected nothing");
    append_types(x, types, false);
    append_got(x, at);
}

static uint32_t keyword_node(const struct explainer *x, uint32_t number, enum keyword keyword,
                             const struct json **ret_json)
{
    const struct place *place = &x->m->program->places[number];
    *ret_json = &x->m->program->resources[place->resource]->document->json;
    return json_get(*ret_json, place->node, keyword_name(keyword));
}

void message_keyword(struct explainer *x, uint32_t place, enum keyword keyword)
{
    const struct json *json;
    uint32_t node = keyword_node(x, place, keyword, &json);
    if (x->trial || node == JSON_NONE)
        return;
    struct arena arena; /* a pattern is shown as it is, not as JSON writes it */
    arena_init(&arena);
    if (json_is(json, node, JSON_STRING))
        message_raw(x, json_string(json, node, &arena), 2 * (size_t)VALUE_SHOWN_MAX);
    else if (json_is_number(json, node))
        message_raw(x, json_raw(json, node), 2 * (size_t)VALUE_SHOWN_MAX);
    else
        message_json(x, json_raw(json, node));
    arena_done(&arena);
}

void message_count(struct explainer *x, uint32_t place, enum keyword keyword, uint32_t count,
                   const char *what)
{
    if (x->trial)
        return;
    if (count < UINT32_MAX - 1)
        buffer_printf(&x->message, "%u", count);
    else
        message_keyword(x, place, keyword);
    buffer_printf(&x->message, " %s%s", what, count == 1 ? "" : "s");
}

void message_place(struct explainer *x, uint32_t from, uint32_t at)
{
    if (x->trial)
        return;
    struct buffer pointer, before;
    buffer_init(&pointer, BUFFER_UNLIMITED);
    buffer_init(&before, BUFFER_UNLIMITED);
    json_pointer_of(x->m->doc, from, &before);
    json_pointer_of(x->m->doc, at, &pointer);
    assert(pointer.size >= before.size);
    message_raw(x, (struct slice){pointer.data + before.size, pointer.size - before.size}, VALUE_SHOWN_MAX);
    buffer_done(&before);
    buffer_done(&pointer);
}

void message_format(struct explainer *x, enum format format, uint32_t at)
{
    if (x->trial)
        return;
    message_set(x, "expected the format %s, like %s", format_name(format), format_example(format));
    append_got(x, at);
}

void message_limit(struct explainer *x, const struct op *op, uint32_t at)
{
    if (x->trial)
        return;
    static const char *const words[OP_CODE_MAX] = {
        [OP_MINIMUM] = "a number of at least ",
        [OP_MAXIMUM] = "a number of at most ",
        [OP_EXCLUSIVE_MINIMUM] = "a number above ",
        [OP_EXCLUSIVE_MAXIMUM] = "a number below ",
        [OP_MULTIPLE_OF] = "a multiple of ",
        [OP_MIN_LENGTH] = "at least ",
        [OP_MAX_LENGTH] = "at most ",
        [OP_PATTERN] = "a string that matches ",
    };
    message_set(x, "expected %s", words[op->code]);
    if (op->code == OP_MIN_LENGTH || op->code == OP_MAX_LENGTH) {
        message_count(x, op->place, (enum keyword)op->keyword, op->a, "character");
        append_got_length(x, at);
    } else {
        message_keyword(x, op->place, (enum keyword)op->keyword);
        append_got(x, at);
    }
}

void message_not(struct explainer *x, const struct op *op, uint32_t at)
{
    if (x->trial)
        return;
    message_set(x, "expected anything but what matches ");
    message_keyword(x, op->place, KEYWORD_NOT);
    buffer_str(&x->message, ", got ");
    message_content(x, at);
}

/* A name, quoted and with escapes, as JSON has it. */
static void append_quoted(struct explainer *x, const char *name)
{
    struct buffer quoted;
    buffer_init(&quoted, BUFFER_UNLIMITED);
    json_escape(&quoted, slice_of(name));
    buffer_append(&x->message, quoted.data, quoted.size);
    buffer_done(&quoted);
}

void message_suggestion(struct explainer *x, const char *given, const char *const *candidates, size_t count)
{
    const char *nearest = string_nearest(given, candidates, count);
    if (!nearest)
        return;
    buffer_str(&x->message, "; did you mean ");
    append_quoted(x, nearest);
    buffer_byte(&x->message, '?');
}

void message_unexpected(struct explainer *x, const struct object_plan *plan, uint32_t key)
{
    if (x->trial)
        return;
    message_set(x, "unexpected property ");
    message_raw(x, json_raw(x->m->doc, key), VALUE_SHOWN_MAX);
    auto_free const char **candidates = mem_alloc(CANDIDATES_MAX * sizeof *candidates);
    size_t count = 0;
    struct arena arena;
    arena_init(&arena);
    for (uint32_t i = 0; plan && i < plan->count && count < CANDIDATES_MAX; i++) {
        if (plan->properties[i].declared && plan->properties[i].name.size <= 100)
            candidates[count++] =
                arena_strndup(&arena, plan->properties[i].name.text, plan->properties[i].name.size);
    }
    struct slice name = machine_text(x->m, key);
    if (name.size <= 100)
        message_suggestion(x, arena_strndup(&arena, name.data, name.size), candidates, count);
    arena_done(&arena);
}

void message_missing(struct explainer *x, const struct name *name)
{
    if (x->trial)
        return;
    struct buffer quoted;
    buffer_init(&quoted, BUFFER_UNLIMITED);
    json_escape(&quoted, (struct slice){name->text, name->size});
    message_set(x, "missing property ");
    message_raw(x, (struct slice){quoted.data, quoted.size}, VALUE_SHOWN_MAX);
    buffer_done(&quoted);
}

void message_misspelt(struct explainer *x, const struct object_plan *plan, const struct name *name,
                      uint32_t at)
{
    enum { NAME_MAX_SIZE = 100 };
    if (x->trial || name->size > NAME_MAX_SIZE)
        return;
    auto_free const char **candidates = mem_alloc(CANDIDATES_MAX * sizeof *candidates);
    size_t count = 0;
    struct arena arena;
    arena_init(&arena);
    for (uint32_t key = json_first_key(x->m->doc, at); key != JSON_NONE && count < CANDIDATES_MAX;
         key = json_next_key(x->m->doc, at, key)) {
        if (json_raw(x->m->doc, key).size > NAME_MAX_SIZE || machine_property(x->m, plan, key))
            continue;
        struct slice text = machine_text(x->m, key);
        candidates[count++] = arena_strndup(&arena, text.data, text.size);
    }
    const char *wanted = arena_strndup(&arena, name->text, name->size);
    const char *nearest = string_nearest(wanted, candidates, count);
    if (nearest) {
        buffer_str(&x->message, "; ");
        append_quoted(x, nearest);
        buffer_str(&x->message, " is there: did you mean ");
        append_quoted(x, wanted);
        buffer_byte(&x->message, '?');
    }
    arena_done(&arena);
}

void message_missing_any(struct explainer *x, const struct name *const *names, size_t count)
{
    enum { NAMES_SHOWN_MAX = 10 };
    size_t shown = count < NAMES_SHOWN_MAX ? count : NAMES_SHOWN_MAX;
    if (x->trial)
        return;
    message_missing(x, names[0]);
    for (size_t i = 1; i < shown; i++) {
        struct buffer quoted;
        buffer_init(&quoted, BUFFER_UNLIMITED);
        json_escape(&quoted, (struct slice){names[i]->text, names[i]->size});
        buffer_str(&x->message, i + 1 == count ? " or " : ", ");
        message_raw(x, (struct slice){quoted.data, quoted.size}, VALUE_SHOWN_MAX);
        buffer_done(&quoted);
    }
    if (shown < count)
        buffer_printf(&x->message, " or one of %zu more", count - shown);
}
