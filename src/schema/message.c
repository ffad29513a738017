/* What is said to people: expected this, got that. */
#include "schema/explain.h"

#include "json/writer.h"

#include <stdarg.h>

enum { VALUE_SHOWN_MAX = 80, NAMES_SHOWN_MAX = 10, CANDIDATES_MAX = 1000 };

static void append_cut(struct buffer *out, struct slice text, size_t max)
{
    size_t size = utf8_cut(text.data, text.size, max);
    buffer_append(out, text.data, size);
    if (size < text.size)
        buffer_str(out, "…");
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
    append_cut(&x->message, json_raw(doc, at), VALUE_SHOWN_MAX);
}

static void append_got(struct explainer *x, uint32_t at)
{
    buffer_str(&x->message, ", got ");
    message_value(x, at);
}

void message_types(struct explainer *x, uint16_t types, uint32_t at)
{
    if (x->trial)
        return;
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
    message_set(x, "expected ");
    for (size_t i = 0; i < count; i++)
        buffer_printf(&x->message, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", found[i]);
    if (count == 0)
        buffer_str(&x->message, "nothing");
    append_got(x, at);
}

static struct slice keyword_text(struct explainer *x, const struct op *op, const char *keyword)
{
    const struct place *place = &x->m->program->places[op->place];
    const struct json *json = &x->m->program->resources[place->resource]->document->json;
    uint32_t node = json_get(json, place->node, keyword);
    return node == JSON_NONE                  ? SLICE_LITERAL("")
           : json_is(json, node, JSON_STRING) ? json_inner(json, node)
                                              : json_raw(json, node);
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
    append_cut(&x->message, keyword_text(x, op, keyword_name((enum keyword)op->keyword)),
               2 * (size_t)VALUE_SHOWN_MAX);
    if (op->code == OP_MIN_LENGTH || op->code == OP_MAX_LENGTH)
        buffer_str(&x->message, op->a == 1 ? " character" : " characters");
    append_got(x, at);
}

void message_not(struct explainer *x, const struct op *op, uint32_t at)
{
    if (x->trial)
        return;
    message_set(x, "expected anything but what matches ");
    append_cut(&x->message, keyword_text(x, op, keyword_name(KEYWORD_NOT)), VALUE_SHOWN_MAX);
    append_got(x, at);
}

static void append_suggestion(struct explainer *x, struct slice text, const char *const *candidates,
                              size_t count)
{
    auto_free char *name = mem_strndup(text.data, text.size);
    const char *nearest = text.size <= 100 ? string_nearest(name, candidates, count) : NULL;
    if (nearest)
        buffer_printf(&x->message, "; did you mean \"%s\"?", nearest);
}

void message_values(struct explainer *x, const struct enum_plan *plan, uint32_t at)
{
    if (x->trial)
        return;
    message_set(x, plan->count == 1 ? "expected " : "expected one of ");
    for (uint32_t i = 0; i < plan->count && i < NAMES_SHOWN_MAX; i++) {
        buffer_str(&x->message, i ? ", " : "");
        append_cut(&x->message, json_raw(plan->json, plan->values[i].node), VALUE_SHOWN_MAX);
    }
    if (plan->count > NAMES_SHOWN_MAX)
        buffer_printf(&x->message, ", … (%u values)", plan->count);
    append_got(x, at);
    if (!json_is(x->m->doc, at, JSON_STRING))
        return;
    auto_free const char **candidates = mem_alloc(CANDIDATES_MAX * sizeof *candidates);
    size_t count = 0;
    struct arena arena;
    arena_init(&arena);
    for (uint32_t i = 0; i < plan->count && count < CANDIDATES_MAX; i++) {
        const struct name *text = &plan->values[i].text;
        if (plan->values[i].tag == JSON_STRING && text->size <= 100)
            candidates[count++] = arena_strndup(&arena, text->text, text->size);
    }
    append_suggestion(x, machine_text(x->m, at), candidates, count);
    arena_done(&arena);
}

void message_unexpected(struct explainer *x, const struct object_plan *plan, uint32_t key)
{
    if (x->trial)
        return;
    message_set(x, "unexpected property ");
    append_cut(&x->message, json_raw(x->m->doc, key), VALUE_SHOWN_MAX);
    auto_free const char **candidates = mem_alloc(CANDIDATES_MAX * sizeof *candidates);
    size_t count = 0;
    struct arena arena;
    arena_init(&arena);
    for (uint32_t i = 0; plan && i < plan->count && count < CANDIDATES_MAX; i++) {
        if (plan->properties[i].declared && plan->properties[i].name.size <= 100)
            candidates[count++] =
                arena_strndup(&arena, plan->properties[i].name.text, plan->properties[i].name.size);
    }
    append_suggestion(x, machine_text(x->m, key), candidates, count);
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
    append_cut(&x->message, (struct slice){quoted.data, quoted.size}, VALUE_SHOWN_MAX);
    buffer_done(&quoted);
}
