/* firth discover: the configuration asked for, field by field, each answer checked as it is given. */
#include "base/file.h"
#include "cli/cmd_discover.h"
#include "json/writer.h"

enum {
    DEPTH_MAX = 12,
    ITEMS_MAX = 10000,
    CHOICES_MAX = 256,
    ANSWER_FILE_MAX = 1 << 20,
    TERMINAL_LINE_MAX = 4095
};
static const char spec_uri[] = "firth://connector/schema";

struct form {
    struct discovery *discovery;
    struct prompt *prompt;
    const struct json *spec;
    struct arena *arena;
    struct schema_registry *registry; /* NULL: the spec is no schema that can be used */
    struct schema_validator *validator;
    struct error *err;
};

/* The answer of the last time: a place in a document, or JSON_NONE. */
struct earlier {
    const struct json *doc;
    uint32_t at;
};

enum asked { ASKED_ENDED = -1, ASKED_LEFT_OUT, ASKED_GIVEN };

static enum asked ask(struct form *form, const struct spec_field *field, struct earlier earlier,
                      unsigned depth, struct buffer *out);
static enum asked ask_object(struct form *form, uint32_t object, struct earlier earlier, unsigned depth,
                             struct buffer *out);

/* --- checking one answer --------------------------------------------------------------------------- */

static const char *fragment_uri(struct form *form, uint32_t at)
{
    struct buffer pointer, uri;
    buffer_init(&pointer, BUFFER_UNLIMITED);
    buffer_init(&uri, BUFFER_UNLIMITED);
    json_pointer_of(form->spec, at, &pointer);
    buffer_printf(&uri, "%s#", spec_uri);
    for (size_t i = 0; i < pointer.size; i++) {
        unsigned char c = (unsigned char)pointer.data[i];
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/_-.~", c);
        if (plain && c)
            buffer_byte(&uri, (char)c);
        else
            buffer_printf(&uri, "%%%02X", c);
    }
    const char *text = arena_strdup(form->arena, buffer_cstr(&uri));
    buffer_done(&pointer);
    buffer_done(&uri);
    return text;
}

/* Says what is wrong with the answer, if it is. */
static bool accept(struct form *form, const struct spec_field *field, struct slice text)
{
    struct schema_violation violations[3];
    struct error err;
    struct slice expanded;
    struct json doc;
    size_t count = 0;
    if (discover_expand(form->arena, text, &expanded, &err) < 0 ||
        json_parse_copy(form->arena, expanded.data, expanded.size, &doc, &err) < 0) {
        prompt_paragraph(form->prompt, err.message, 4);
        return false;
    }
    if (!form->registry)
        return true;
    mem_auto(schema_free) struct schema *schema =
        schema_compile(form->registry, fragment_uri(form, field->outer), &err);
    if (!schema ||
        schema_explain(schema, form->validator, &doc, 0, form->arena, violations, 3, &count, &err) < 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        const char *got = strstr(violations[i].message, ", got ");
        size_t size = got ? (size_t)(got - violations[i].message) : strlen(violations[i].message);
        prompt_paragraph(form->prompt, arena_printf(form->arena, "! %.*s", (int)size, violations[i].message),
                         4);
    }
    return count == 0;
}

/* --- one line to one value ------------------------------------------------------------------------- */

/* ${NAME} and nothing else stays what it is; any other ${ is meant as it is written. */
static void put_text(struct buffer *out, struct slice text)
{
    struct buffer kept;
    bool variable = text.size > 3 && slice_starts_with(text, "${") && text.data[text.size - 1] == '}';
    for (size_t i = 2; variable && i + 1 < text.size; i++)
        variable = text.data[i] == '_' || (text.data[i] >= 'A' && text.data[i] <= 'Z') ||
                   (text.data[i] >= '0' && text.data[i] <= '9');
    buffer_init(&kept, BUFFER_UNLIMITED);
    for (size_t i = 0; i < text.size; i++) {
        if (!variable && text.data[i] == '$' && i + 1 < text.size && text.data[i + 1] == '{')
            buffer_byte(&kept, '$');
        buffer_byte(&kept, text.data[i]);
    }
    json_escape(out, (struct slice){kept.data ? kept.data : "", kept.size});
    buffer_done(&kept);
}

/* @FILE stands for what the file holds, @@ for an @. */
static bool take_file(struct form *form, struct buffer *line)
{
    struct error err;
    if (!line->data || line->size < 2 || line->data[0] != '@')
        return true;
    if (line->data[1] == '@') {
        buffer_consume(line, 1);
        return true;
    }
    auto_free char *path = mem_strdup(buffer_cstr(line) + 1);
    buffer_clear(line);
    if (file_read(path, ANSWER_FILE_MAX, line, &err) == 0)
        return true;
    prompt_paragraph(form->prompt, err.message, 4);
    return false;
}

/* False, and said why: the line is no such value. */
static bool put_value(struct form *form, const char *type, struct buffer *line, struct buffer *out)
{
    struct slice text = {line->data ? line->data : "", line->size};
    struct json doc;
    struct error err;
    if (line->size >= TERMINAL_LINE_MAX) {
        prompt_print(form->prompt,
                     "    ! too long for a terminal's line; put it in a file and answer @FILE\n");
        return false;
    }
    if (!utf8_valid(text.data, text.size)) {
        prompt_print(form->prompt, "    ! that is not valid UTF-8\n");
        return false;
    }
    if (strcmp(type, "string") == 0) {
        if (!take_file(form, line))
            return false;
        put_text(out, (struct slice){line->data ? line->data : "", line->size});
        return true;
    }
    if (strcmp(type, "boolean") == 0) {
        static const char *const words[] = {"y", "yes", "true", "n", "no", "false"};
        for (size_t i = 0; i < 6; i++) {
            if (strcasecmp(buffer_cstr(line), words[i]) == 0) {
                buffer_str(out, i < 3 ? "true" : "false");
                return true;
            }
        }
        prompt_print(form->prompt, "    ! answer y or n\n");
        return false;
    }
    bool parsed = json_parse_copy(form->arena, text.data, text.size, &doc, &err) == 0;
    bool number = strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
    if (number && !(parsed && json_is_number(&doc, 0))) {
        prompt_print(form->prompt, "    ! that is no number\n");
        return false;
    }
    if (strcmp(type, "object") == 0 && !(parsed && json_is(&doc, 0, JSON_OBJECT))) {
        prompt_print(form->prompt, "    ! that is no JSON object, {\"name\": value}\n");
        return false;
    }
    if (parsed) {
        struct slice raw = json_raw(&doc, 0);
        buffer_append(out, raw.data, raw.size);
    } else {
        put_text(out, text);
    }
    return true;
}

/* --- what was wrong -------------------------------------------------------------------------------- */

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80);
}

/* Is it there as a word of its own, or as words? */
static bool mentions(const char *message, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = message; size > 1 && (at = strcasestr(at, word)); at++) {
        if ((at == message || !in_word(at[-1])) && !in_word(at[size]))
            return true;
    }
    return false;
}

/* What the connector had against the answers of the last time, which was told whole: the line of it that
 * names the field, or NULL. A log's other lines than the last may name anything. */
static const char *blame(const struct form *form, const struct spec_field *field)
{
    const char *complaint = form->discovery->complaint;
    if (!complaint)
        return NULL;
    const char *last = strrchr(complaint, '\n');
    const char *lines[] = {arena_strndup(form->arena, complaint, strcspn(complaint, "\n")),
                           last ? last + 1 + strspn(last + 1, " ") : ""};
    for (size_t i = 0; i < 2; i++) {
        if (mentions(lines[i], field->name) || mentions(lines[i], field->title))
            return lines[i];
    }
    return NULL;
}

/* --- what is shown before -------------------------------------------------------------------------- */

static const char *text_at(struct form *form, const struct json *doc, uint32_t at)
{
    if (json_is(doc, at, JSON_STRING))
        return json_cstring(doc, at, form->arena);
    struct slice raw = json_raw(doc, at);
    return arena_strndup(form->arena, raw.data, raw.size);
}

static void describe(struct form *form, const struct spec_field *field)
{
    const struct json *spec = form->spec;
    const char *description = json_cstring(spec, spec_get(spec, field, "description"), form->arena);
    uint32_t examples = spec_get(spec, field, "examples");
    const char *kind = spec_kind_text(spec, field, form->arena);
    prompt_print(form->prompt, "\n");
    prompt_title(
        form->prompt,
        arena_printf(form->arena, "%s (%s%s)", field->title, kind, field->required ? "" : ", optional"), 2);
    if (description && *description)
        prompt_paragraph(form->prompt, description, 4);
    const char *blamed = blame(form, field);
    if (blamed)
        prompt_paragraph(form->prompt, arena_printf(form->arena, "! %s", blamed), 4);
    if (json_is(spec, examples, JSON_ARRAY) && json_count(spec, examples)) {
        const char *all = "For example:", *comma = " ";
        for (uint32_t each = json_first(spec, examples); each != JSON_NONE;
             each = json_next(spec, examples, each)) {
            all = arena_printf(form->arena, "%s%s%s", all, comma, text_at(form, spec, each));
            comma = ", ";
        }
        prompt_paragraph(form->prompt, all, 4);
    } else if (examples != JSON_NONE && !json_is(spec, examples, JSON_ARRAY)) {
        prompt_paragraph(form->prompt,
                         arena_printf(form->arena, "For example: %s", text_at(form, spec, examples)), 4);
    }
}

/* --- one value ------------------------------------------------------------------------------------- */

static enum asked ask_scalar(struct form *form, const struct spec_field *field, const char *type,
                             struct earlier earlier, struct buffer *out)
{
    enum { SHOWN_MAX = 60 };
    const struct json *spec = form->spec;
    uint32_t value = spec_get(spec, field, "default");
    struct slice otherwise = {0};
    const char *shown = NULL;
    if (earlier.at != JSON_NONE) {
        otherwise = json_raw(earlier.doc, earlier.at);
        shown = field->secret ? "as it is" : text_at(form, earlier.doc, earlier.at);
    } else if (value != JSON_NONE && !json_is(spec, value, JSON_NULL)) {
        otherwise = json_raw(spec, value);
        shown = field->secret ? "default" : text_at(form, spec, value);
    }
    if (shown && strlen(shown) > SHOWN_MAX)
        shown = arena_printf(form->arena, "%.*s…", (int)utf8_cut(shown, strlen(shown), SHOWN_MAX), shown);
    const char *hint = strcmp(type, "boolean") == 0 ? " y/n" : field->secret ? " (not shown)" : "";
    const char *label = shown ? arena_printf(form->arena, "  %s%s [%s]:", field->name, hint, shown)
                              : arena_printf(form->arena, "  %s%s:", field->name, hint);
    struct buffer line;
    enum asked result = ASKED_LEFT_OUT;
    size_t before = out->size;
    buffer_init(&line, PROMPT_LINE_MAX + 1);
    for (;;) {
        int got = field->secret ? prompt_secret(form->prompt, label, &line, form->err)
                                : prompt_line(form->prompt, label, &line, form->err);
        if (got < 0) {
            result = ASKED_ENDED;
            break;
        }
        if (line.size == 0 && otherwise.data) {
            buffer_append(out, otherwise.data, otherwise.size);
            result = ASKED_GIVEN;
            break;
        }
        if (line.size == 0 && !field->required)
            break;
        if (line.size == 1 && line.data[0] == '-' && !field->required && shown)
            break;
        if (line.size == 0) {
            prompt_print(form->prompt, "    ! a value is needed here\n");
        } else if (put_value(form, type, &line, out) &&
                   accept(form, field, (struct slice){out->data + before, out->size - before})) {
            result = ASKED_GIVEN;
            break;
        }
        out->size = before;
    }
    if (line.data)
        explicit_bzero(line.data, line.capacity);
    buffer_done(&line);
    return result;
}

static enum asked ask_enum(struct form *form, const struct spec_field *field, uint32_t values,
                           struct earlier earlier, struct buffer *out)
{
    const struct json *spec = form->spec;
    const char *names[CHOICES_MAX + 1];
    struct slice raws[CHOICES_MAX];
    size_t count = 0, otherwise = PROMPT_NONE, chosen;
    uint32_t value = spec_get(spec, field, "default");
    for (uint32_t each = json_first(spec, values); each != JSON_NONE && count < CHOICES_MAX;
         each = json_next(spec, values, each)) {
        if (json_is(spec, each, JSON_NULL))
            continue;
        if (earlier.at != JSON_NONE ? json_equal(spec, each, earlier.doc, earlier.at)
                                    : value != JSON_NONE && json_equal(spec, each, spec, value))
            otherwise = count;
        raws[count] = json_raw(spec, each);
        names[count++] = text_at(form, spec, each);
    }
    if (count == 1 && field->required) {
        buffer_append(out, raws[0].data, raws[0].size);
        return ASKED_GIVEN;
    }
    describe(form, field);
    if (!field->required) {
        if (count < CHOICES_MAX)
            names[count] = "(none)";
        if (otherwise == PROMPT_NONE)
            otherwise = count;
    }
    if (prompt_choose(form->prompt, names, count + !field->required, otherwise, &chosen, form->err) < 0)
        return ASKED_ENDED;
    if (chosen == count)
        return ASKED_LEFT_OUT;
    buffer_append(out, raws[chosen].data, raws[chosen].size);
    return ASKED_GIVEN;
}

/* Does what is there fit this alternative? By its constants, else by its required names. */
static bool fits(struct form *form, uint32_t object, struct earlier earlier)
{
    size_t count;
    const struct spec_field *fields = spec_fields(form->spec, object, form->arena, &count);
    for (size_t i = 0; i < count; i++) {
        uint32_t constant = spec_get(form->spec, &fields[i], "const");
        uint32_t there = json_get(earlier.doc, earlier.at, fields[i].name);
        if (constant != JSON_NONE &&
            (there == JSON_NONE || !json_equal(form->spec, constant, earlier.doc, there)))
            return false;
        if (fields[i].required && there == JSON_NONE)
            return false;
    }
    return true;
}

static enum asked ask_alternatives(struct form *form, const struct spec_field *field, uint32_t choices,
                                   struct earlier earlier, unsigned depth, struct buffer *out)
{
    const struct json *spec = form->spec;
    struct spec_field fields[CHOICES_MAX];
    const char *names[CHOICES_MAX + 1];
    size_t count = 0, otherwise = field->required ? 0 : PROMPT_NONE, chosen;
    for (uint32_t each = json_first(spec, choices); each != JSON_NONE && count < CHOICES_MAX;
         each = json_next(spec, choices, each)) {
        struct spec_field *one = &fields[count];
        spec_field_at(spec, each, one);
        const char *title = json_cstring(spec, spec_get(spec, one, "title"), form->arena);
        if (strcmp(spec_type(spec, one), "") == 0 &&
            json_is(spec, json_get(spec, one->inner, "type"), JSON_STRING))
            continue; /* null */
        if (earlier.at != JSON_NONE && json_is(earlier.doc, earlier.at, JSON_OBJECT) &&
            fits(form, one->inner, earlier))
            otherwise = count;
        one->name = field->name;
        one->title = title ? title : field->title;
        one->required = true;
        one->secret |= field->secret;
        names[count++] = title ? title : spec_kind_text(spec, one, form->arena);
    }
    describe(form, field);
    if (!field->required) {
        names[count] = "(none)";
        if (otherwise == PROMPT_NONE)
            otherwise = count;
    }
    if (prompt_choose(form->prompt, names, count + !field->required, otherwise, &chosen, form->err) < 0)
        return ASKED_ENDED;
    if (chosen == count)
        return ASKED_LEFT_OUT;
    if (chosen != otherwise)
        earlier.at = JSON_NONE;
    return ask(form, &fields[chosen], earlier, depth + 1, out);
}

static enum asked ask_array(struct form *form, const struct spec_field *field, struct earlier earlier,
                            unsigned depth, struct buffer *out)
{
    const struct json *spec = form->spec;
    uint32_t items = json_get(spec, field->inner, "items");
    struct spec_field each = {.outer = JSON_NONE, .inner = JSON_NONE};
    if (items != JSON_NONE)
        spec_field_at(spec, items, &each);
    const char *type = items != JSON_NONE ? spec_type(spec, &each) : "string";
    size_t before = out->size;
    describe(form, field);
    if (earlier.at != JSON_NONE) {
        int keep = prompt_yes(
            form->prompt,
            arena_printf(form->arena, "  keep the %u that are there?", json_count(earlier.doc, earlier.at)),
            true, form->err);
        struct slice raw = json_raw(earlier.doc, earlier.at);
        if (keep < 0)
            return ASKED_ENDED;
        if (keep) {
            buffer_append(out, raw.data, raw.size);
            return ASKED_GIVEN;
        }
    }
    bool complex = strcmp(type, "object") == 0 || strcmp(type, "array") == 0 ||
                   json_get(spec, each.inner, "oneOf") != JSON_NONE ||
                   json_get(spec, each.inner, "anyOf") != JSON_NONE;
    for (;;) {
        size_t count = 0;
        buffer_byte(out, '[');
        for (; count < ITEMS_MAX; count++) {
            each.name = arena_printf(form->arena, "%s %zu", field->name, count + 1);
            const char *title =
                items != JSON_NONE ? json_cstring(spec, spec_get(spec, &each, "title"), form->arena) : NULL;
            each.title = title ? arena_printf(form->arena, "%s %zu", title, count + 1) : each.name;
            each.required = complex;
            size_t place = out->size;
            if (count)
                buffer_byte(out, ',');
            if (complex) {
                int more = prompt_yes(form->prompt, arena_printf(form->arena, "  add %s?", each.title), false,
                                      form->err);
                if (more < 0)
                    return ASKED_ENDED;
                if (!more) {
                    out->size = place;
                    break;
                }
            } else if (count == 0) {
                prompt_print(form->prompt, "    one a line; an empty line ends the list\n");
            }
            enum asked asked =
                items == JSON_NONE || (!complex && json_get(spec, each.inner, "enum") == JSON_NONE)
                    ? ask_scalar(form, &each, type, (struct earlier){NULL, JSON_NONE}, out)
                    : ask(form, &each, (struct earlier){NULL, JSON_NONE}, depth + 1, out);
            if (asked == ASKED_ENDED)
                return ASKED_ENDED;
            if (asked == ASKED_LEFT_OUT) {
                out->size = place;
                break;
            }
        }
        buffer_byte(out, ']');
        if (count == 0 && !field->required) {
            out->size = before;
            return ASKED_LEFT_OUT;
        }
        if (accept(form, field, (struct slice){out->data + before, out->size - before}))
            return ASKED_GIVEN;
        out->size = before;
    }
}

static enum asked ask(struct form *form, const struct spec_field *field, struct earlier earlier,
                      unsigned depth, struct buffer *out)
{
    const struct json *spec = form->spec;
    uint32_t constant = spec_get(spec, field, "const"), values = spec_get(spec, field, "enum");
    uint32_t choices = json_get(spec, field->inner, "oneOf");
    const char *type = spec_type(spec, field);
    if (choices == JSON_NONE)
        choices = json_get(spec, field->inner, "anyOf");
    if (earlier.at != JSON_NONE && json_is(earlier.doc, earlier.at, JSON_NULL))
        earlier.at = JSON_NONE;
    if (constant != JSON_NONE) {
        struct slice raw = json_raw(spec, constant);
        buffer_append(out, raw.data, raw.size);
        return ASKED_GIVEN;
    }
    if (json_is(spec, values, JSON_ARRAY) && json_count(spec, values))
        return ask_enum(form, field, values, earlier, out);
    if (json_is(spec, choices, JSON_ARRAY) && json_count(spec, choices) && depth < DEPTH_MAX)
        return ask_alternatives(form, field, choices, earlier, depth, out);
    if (strcmp(type, "object") == 0 && json_count(spec, json_get(spec, field->inner, "properties")) &&
        depth < DEPTH_MAX) {
        if (depth)
            describe(form, field);
        if (!field->required) {
            int wanted = prompt_yes(form->prompt, arena_printf(form->arena, "  set %s?", field->title),
                                    earlier.at != JSON_NONE, form->err);
            if (wanted <= 0)
                return wanted < 0 ? ASKED_ENDED : ASKED_LEFT_OUT;
        }
        return ask_object(form, field->inner, earlier, depth + 1, out);
    }
    if (strcmp(type, "array") == 0 && depth < DEPTH_MAX)
        return ask_array(form, field, earlier, depth, out);
    describe(form, field);
    return ask_scalar(form, field, type, earlier, out);
}

/* --- objects --------------------------------------------------------------------------------------- */

static void put_member(struct buffer *out, size_t begin, const char *name, const struct buffer *value)
{
    if (out->size > begin + 1)
        buffer_byte(out, ',');
    json_escape(out, slice_of(name));
    buffer_byte(out, ':');
    buffer_append(out, value->data, value->size);
}

/* What the earlier answers have and the spec does not name stays. */
static void keep_others(struct form *form, uint32_t object, struct earlier earlier, struct buffer *out,
                        size_t begin)
{
    uint32_t properties = json_get(form->spec, object, "properties");
    for (uint32_t key = earlier.doc ? json_first_key(earlier.doc, earlier.at) : JSON_NONE; key != JSON_NONE;
         key = json_next_key(earlier.doc, earlier.at, key)) {
        struct slice name = json_string(earlier.doc, key, form->arena);
        if (json_get_slice(form->spec, properties, name) != JSON_NONE)
            continue;
        struct slice raw = json_raw(earlier.doc, json_value(key));
        struct buffer value = {.data = (char *)(uintptr_t)raw.data, .size = raw.size};
        put_member(out, begin, json_cstring(earlier.doc, key, form->arena), &value);
    }
}

static struct earlier member_of(struct earlier earlier, const char *name)
{
    return earlier.doc ? (struct earlier){earlier.doc, json_get(earlier.doc, earlier.at, name)} : earlier;
}

static enum asked ask_object(struct form *form, uint32_t object, struct earlier earlier, unsigned depth,
                             struct buffer *out)
{
    size_t count, begin = out->size;
    const struct spec_field *fields = spec_fields(form->spec, object, form->arena, &count);
    struct buffer value;
    enum asked result = ASKED_GIVEN;
    bool optional = false, wanted = false;
    buffer_byte(out, '{');
    buffer_init(&value, BUFFER_UNLIMITED);
    for (size_t i = 0; i < count && result != ASKED_ENDED; i++) {
        struct earlier there = member_of(earlier, fields[i].name);
        bool constant = spec_get(form->spec, &fields[i], "const") != JSON_NONE;
        if (!fields[i].required && !constant && !optional) {
            optional = true;
            bool blamed = false;
            for (size_t j = i; j < count; j++)
                blamed |= blame(form, &fields[j]) != NULL;
            prompt_print(form->prompt, "\n");
            int answer =
                prompt_yes(form->prompt,
                           arena_printf(form->arena, "  %zu optional setting%s (%s%s%s): set %s?", count - i,
                                        i + 1 < count ? "s" : "", fields[i].title, i + 1 < count ? ", " : "",
                                        i + 2 < count   ? "…"
                                        : i + 1 < count ? fields[i + 1].title
                                                        : "",
                                        i + 1 < count ? "them" : "it"),
                           blamed, form->err);
            if (answer < 0)
                result = ASKED_ENDED;
            wanted = answer > 0;
        }
        if (result == ASKED_ENDED)
            break;
        buffer_clear(&value);
        enum asked asked = ASKED_LEFT_OUT;
        if (fields[i].required || constant || wanted) {
            asked = ask(form, &fields[i], there, depth, &value);
        } else if (there.at != JSON_NONE) {
            struct slice raw = json_raw(there.doc, there.at);
            buffer_append(&value, raw.data, raw.size);
            asked = ASKED_GIVEN;
        }
        if (asked == ASKED_GIVEN)
            put_member(out, begin, fields[i].name, &value);
        else
            result = asked == ASKED_ENDED ? ASKED_ENDED : result;
    }
    keep_others(form, object, earlier, out, begin);
    buffer_byte(out, '}');
    if (value.data)
        explicit_bzero(value.data, value.capacity);
    buffer_done(&value);
    return result;
}

int discover_ask_config(struct discovery *discovery, struct error *err)
{
    struct form form = {
        .discovery = discovery,
        .prompt = &discovery->prompt,
        .spec = &discovery->spec,
        .arena = &discovery->arena,
        .registry = schema_registry_new(SCHEMA_DRAFT_2020_12),
        .validator = schema_validator_new(),
        .err = err,
    };
    struct json last;
    struct error unused;
    struct earlier earlier = {NULL, JSON_NONE};
    struct spec_field whole;
    struct buffer out;
    if (schema_registry_add(form.registry, spec_uri, json_raw(form.spec, 0), &unused) < 0) {
        schema_registry_free(form.registry);
        form.registry = NULL;
    }
    if (discovery->config_text.data && json_parse_copy(&discovery->arena, discovery->config_text.data,
                                                       discovery->config_text.size, &last, &unused) == 0)
        earlier = (struct earlier){&last, 0};
    buffer_init(&out, CATALOG_CONFIG_MAX);
    spec_field_at(form.spec, 0, &whole);
    whole.name = "config";
    whole.title = discovery->short_name;
    whole.required = true;
    enum asked asked = json_count(form.spec, json_get(form.spec, whole.inner, "properties")) == 0 &&
                               json_get(form.spec, whole.inner, "oneOf") == JSON_NONE
                           ? ask_object(&form, whole.inner, earlier, 0, &out)
                           : ask(&form, &whole, earlier, 0, &out);
    schema_registry_free(form.registry);
    schema_validator_free(form.validator);
    discovery->config_text =
        (struct slice){arena_dup(&discovery->arena, out.data ? out.data : "", out.size), out.size};
    if (out.data)
        explicit_bzero(out.data, out.capacity);
    bool overflowed = out.overflowed;
    buffer_done(&out);
    if (asked == ASKED_ENDED)
        return -1;
    if (overflowed)
        return error_set(err, ERROR_LIMIT, "the configuration is larger than %d MiB",
                         CATALOG_CONFIG_MAX >> 20);
    return discover_expand(&discovery->arena, discovery->config_text, &discovery->config, err);
}
