/* firth discover: the configuration's file: read, checked by the connector's spec, written with comments. */
#include "base/file.h"
#include "catalog/edit.h"
#include "cli/cmd_discover.h"
#include "json/writer.h"

#include <stdlib.h>

enum { VIOLATIONS_MAX = 20, STUB_DEPTH_MAX = 12, VARIABLE_MAX = 256 };

/* --- variables ------------------------------------------------------------------------------------- */

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static int expand_text(struct slice text, struct buffer *out, struct error *err)
{
    for (size_t i = 0; i < text.size; i++) {
        bool escaped =
            text.data[i] == '$' && i + 2 < text.size && text.data[i + 1] == '$' && text.data[i + 2] == '{';
        if (escaped || text.data[i] != '$' || i + 1 >= text.size || text.data[i + 1] != '{') {
            i += escaped;
            buffer_byte(out, text.data[i]);
            if (escaped)
                buffer_byte(out, text.data[++i]);
            continue;
        }
        size_t end = i + 2;
        char name[VARIABLE_MAX];
        while (end < text.size && is_name(text.data[end]))
            end++;
        size_t size = end - i - 2;
        if (end >= text.size || text.data[end] != '}' || size == 0 || size >= sizeof name)
            return error_set(err, ERROR_INVALID,
                             "the configuration has a '${' without a variable's name and '}'; "
                             "a literal one is written '$${'");
        memcpy(name, text.data + i + 2, size);
        name[size] = 0;
        const char *value = getenv(name);
        if (!value)
            return error_set(err, ERROR_INVALID,
                             "the environment variable %s, which the configuration names, is "
                             "not set",
                             name);
        buffer_str(out, value);
        i = end;
    }
    return 0;
}

static int expand_value(struct json_writer *writer, const struct json *doc, uint32_t at, struct arena *arena,
                        struct error *err)
{
    if (json_is(doc, at, JSON_STRING)) {
        struct buffer text;
        buffer_init(&text, CATALOG_CONFIG_MAX);
        int result = expand_text(json_string(doc, at, arena), &text, err);
        json_put_slice(writer, (struct slice){text.data ? text.data : "", text.size});
        if (text.data)
            explicit_bzero(text.data, text.size);
        buffer_done(&text);
        return result;
    }
    if (json_is(doc, at, JSON_ARRAY)) {
        json_begin_array(writer);
        for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each)) {
            if (expand_value(writer, doc, each, arena, err) < 0)
                return -1;
        }
        json_end_array(writer);
    } else if (json_is(doc, at, JSON_OBJECT)) {
        json_begin_object(writer);
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
            json_put_key_of(writer, doc, key);
            if (expand_value(writer, doc, json_value(key), arena, err) < 0)
                return -1;
        }
        json_end_object(writer);
    } else {
        json_put_value(writer, doc, at);
    }
    return 0;
}

int discover_expand(struct arena *arena, struct slice text, struct slice *ret_expanded, struct error *err)
{
    struct json doc;
    struct buffer out;
    struct json_writer writer;
    if (json_parse_copy(arena, text.data, text.size, &doc, err) < 0)
        return -1;
    buffer_init(&out, BUFFER_UNLIMITED);
    json_writer_init(&writer, &out);
    int result = expand_value(&writer, &doc, 0, arena, err);
    *ret_expanded = (struct slice){arena_dup(arena, out.data ? out.data : "", out.size), out.size};
    buffer_done(&out);
    return result;
}

/* --- reading and checking -------------------------------------------------------------------------- */

int discover_read_config(struct discovery *discovery, struct error *err)
{
    struct yaml_document doc;
    if (yaml_load(&discovery->arena, discovery->config_path, NULL, NULL, &doc, err) < 0)
        return -1;
    if (json_is(&doc.json, 0, JSON_NULL))
        return error_set(err, ERROR_INVALID, "%s sets nothing: take the # away from a setting, or write {}",
                         discovery->config_path);
    if (!json_is(&doc.json, 0, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "%s: a configuration is a mapping", discovery->config_path);
    discovery->config_text = json_raw(&doc.json, 0);
    return discover_expand(&discovery->arena, discovery->config_text, &discovery->config, err);
}

static void add_violation(struct buffer *out, const struct schema_violation *violation)
{
    const char *got = strstr(violation->message, ", got "); /* what was got may be a secret */
    size_t size = got ? (size_t)(got - violation->message) : strlen(violation->message);
    buffer_printf(out, "%s%s%s%.*s", out->size ? "; " : "", violation->instance,
                  *violation->instance ? ": " : "", (int)size, violation->message);
}

int discover_validate_config(struct discovery *discovery, struct error *err)
{
    static const char uri[] = "firth://connector/schema";
    struct schema_violation violations[VIOLATIONS_MAX];
    struct error unused;
    struct json doc;
    size_t count = 0;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    if (json_parse_copy(&discovery->arena, discovery->config.data, discovery->config.size, &doc, err) < 0)
        return -1;
    /* A schema that cannot be used checks nothing: the connector itself will. */
    if (schema_registry_add(registry, uri, json_raw(&discovery->spec, 0), &unused) < 0)
        return 0;
    mem_auto(schema_free) struct schema *schema = schema_compile(registry, uri, &unused);
    if (!schema ||
        schema_explain(schema, validator, &doc, 0, &discovery->arena, violations, VIOLATIONS_MAX, &count,
                       &unused) < 0 ||
        count == 0)
        return 0;
    struct buffer text;
    buffer_init(&text, ERROR_MESSAGE_MAX / 2);
    for (size_t i = 0; i < count; i++)
        add_violation(&text, &violations[i]);
    error_set(err, ERROR_INVALID, "the configuration is not as the connector wants it: %s",
              buffer_cstr(&text));
    buffer_done(&text);
    return -1;
}

/* --- files with comments --------------------------------------------------------------------------- */

struct describing {
    struct discovery *discovery;
    struct buffer *out;
};

static void put_indent(struct buffer *out, size_t indent)
{
    buffer_printf(out, "%*s", (int)indent, "");
}

static void comment(struct describing *to, size_t indent, const char *text)
{
    edit_emit_comment(to->out, slice_of(text), indent);
}

static const char *raw_text(struct describing *to, uint32_t at)
{
    struct slice raw = json_raw(&to->discovery->spec, at);
    return arena_strndup(&to->discovery->arena, raw.data, raw.size);
}

static void describe(struct describing *to, const struct spec_field *field, size_t indent)
{
    const struct json *spec = &to->discovery->spec;
    struct arena *arena = &to->discovery->arena;
    const char *description = json_cstring(spec, spec_get(spec, field, "description"), arena);
    uint32_t value = spec_get(spec, field, "default"), choices = spec_get(spec, field, "enum");
    comment(to, indent,
            arena_printf(arena, "%s (%s%s%s)", field->title, spec_kind_text(spec, field, arena),
                         field->required ? ", required" : "", field->secret ? ", secret" : ""));
    if (description && *description)
        comment(to, indent, description);
    if (choices != JSON_NONE)
        comment(to, indent, arena_printf(arena, "One of: %s", raw_text(to, choices)));
    if (value != JSON_NONE)
        comment(to, indent, arena_printf(arena, "Default: %s", raw_text(to, value)));
    value = spec_get(spec, field, "examples");
    if (json_count(spec, value) && json_is(spec, value, JSON_ARRAY))
        comment(to, indent, arena_printf(arena, "For example: %s", raw_text(to, json_first(spec, value))));
}

/* An object to write out: its schema, and what the default of it says of its members, or JSON_NONE. */
struct stub {
    uint32_t object, defaults;
};

static void stub_object(struct describing *to, struct stub stub, size_t indent, size_t depth, bool space);

static uint32_t choice_of(const struct json *spec, const struct spec_field *field)
{
    uint32_t choice = json_get(spec, field->inner, "oneOf");
    return choice != JSON_NONE ? choice : json_get(spec, field->inner, "anyOf");
}

/* Has the branch the constants that the default has? */
static bool takes_default(const struct json *spec, uint32_t branch, uint32_t defaults, struct arena *arena)
{
    size_t count;
    bool same = false;
    struct spec_field whole;
    spec_field_at(spec, branch, &whole);
    const struct spec_field *fields = spec_fields(spec, whole.inner, arena, &count);
    for (size_t i = 0; i < count; i++) {
        uint32_t constant = spec_get(spec, &fields[i], "const"),
                 value = json_get(spec, defaults, fields[i].name);
        if (constant == JSON_NONE)
            constant = spec_get(spec, &fields[i], "default");
        if (constant == JSON_NONE || value == JSON_NONE)
            continue;
        if (!json_equal(spec, constant, spec, value))
            return false;
        same = true;
    }
    return same;
}

/* The branch that is written out: the default's, else the first. */
static uint32_t branch_of(struct describing *to, const struct spec_field *field)
{
    const struct json *spec = &to->discovery->spec;
    uint32_t choices = choice_of(spec, field), defaults = spec_get(spec, field, "default");
    for (uint32_t each = json_first(spec, choices); each != JSON_NONE && json_is(spec, defaults, JSON_OBJECT);
         each = json_next(spec, choices, each)) {
        if (takes_default(spec, each, defaults, &to->discovery->arena))
            return each;
    }
    return json_first(spec, choices);
}

static void name_choices(struct describing *to, const struct spec_field *field, size_t indent)
{
    const uint32_t choices = choice_of(&to->discovery->spec, field), chosen = branch_of(to, field);
    const struct json *spec = &to->discovery->spec;
    struct arena *arena = &to->discovery->arena;
    size_t number = 1;
    size_t position = 1;
    for (uint32_t each = json_first(spec, choices); each != chosen; each = json_next(spec, choices, each))
        position++;
    comment(to, indent,
            position == 1 ? "One of these; the first is written out:"
                          : arena_printf(arena, "One of these; number %zu is written out:", position));
    for (uint32_t each = json_first(spec, choices); each != JSON_NONE;
         each = json_next(spec, choices, each)) {
        const char *title = json_cstring(spec, json_get(spec, each, "title"), arena);
        size_t count;
        const struct spec_field *fields = spec_fields(spec, each, arena, &count);
        const char *names = "";
        for (size_t i = 0; i < count; i++) {
            uint32_t constant = spec_get(spec, &fields[i], "const");
            names = arena_printf(arena, "%s%s%s%s%s", names, i ? ", " : "", fields[i].name,
                                 constant != JSON_NONE ? ": " : "",
                                 constant != JSON_NONE ? raw_text(to, constant) : "");
        }
        comment(to, indent, arena_printf(arena, "%zu) %s: %s", number++, title ? title : "", names));
    }
}

/* Has the schema members for all that the default has? Then these are written out, with what else there is.
 */
static bool has_members(const struct json *spec, uint32_t object, uint32_t defaults)
{
    uint32_t properties = json_get(spec, object, "properties");
    if (!json_is(spec, defaults, JSON_OBJECT) || json_count(spec, properties) == 0)
        return false;
    for (uint32_t key = json_first_key(spec, defaults); key != JSON_NONE;
         key = json_next_key(spec, defaults, key)) {
        if (json_get_slice(spec, properties, json_inner(spec, key)) == JSON_NONE)
            return false;
    }
    return true;
}

/* Behind the key and its colon; `value`: what the default of the object around says of it, or JSON_NONE. */
static void stub_value(struct describing *to, const struct spec_field *field, uint32_t value, size_t indent,
                       size_t depth)
{
    const struct json *spec = &to->discovery->spec;
    uint32_t constant = spec_get(spec, field, "const");
    if (value == JSON_NONE)
        value = spec_get(spec, field, "default");
    uint32_t choices = choice_of(spec, field), object = field->inner;
    if (constant != JSON_NONE)
        value = constant;
    if (json_count(spec, choices) && depth < STUB_DEPTH_MAX) {
        struct spec_field branch;
        spec_field_at(spec, branch_of(to, field), &branch);
        object = branch.inner;
    }
    if (value != JSON_NONE && (depth >= STUB_DEPTH_MAX || !has_members(spec, object, value))) {
        buffer_byte(to->out, ' ');
        buffer_str(to->out, raw_text(to, value));
        buffer_byte(to->out, '\n');
        return;
    }
    if (json_count(spec, json_get(spec, object, "properties")) && depth < STUB_DEPTH_MAX) {
        buffer_byte(to->out, '\n');
        stub_object(to, (struct stub){object, value}, indent + 2, depth + 1, false);
    } else {
        buffer_str(to->out, strcmp(spec_type(spec, field), "array") == 0    ? " []\n"
                            : strcmp(spec_type(spec, field), "object") == 0 ? " {}\n"
                                                                            : "\n");
    }
}

/* Each line of what was written since `from` becomes a comment. */
static void comment_out(struct buffer *out, size_t from, size_t indent)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t at = from; at < out->size;) {
        const char *end = memchr(out->data + at, '\n', out->size - at);
        size_t size = (size_t)(end - (out->data + at));
        size_t skip = size < indent ? size : indent;
        put_indent(&text, indent);
        buffer_str(&text, size > skip ? "# " : "#");
        buffer_append(&text, out->data + at + skip, size - skip + 1);
        at += size + 1;
    }
    out->size = from;
    buffer_append(out, text.data, text.size);
    buffer_done(&text);
}

static void stub_object(struct describing *to, struct stub stub, size_t indent, size_t depth, bool space)
{
    const struct json *spec = &to->discovery->spec;
    size_t count;
    bool any = false;
    const struct spec_field *fields = spec_fields(spec, stub.object, &to->discovery->arena, &count);
    if (count == 0 && depth) {
        put_indent(to->out, indent);
        buffer_str(to->out, "{}\n");
    }
    for (size_t i = 0; i < count; i++) {
        if (i || space)
            buffer_byte(to->out, '\n');
        describe(to, &fields[i], indent);
        if (json_count(spec, choice_of(spec, &fields[i])))
            name_choices(to, &fields[i], indent);
        size_t from = to->out->size;
        put_indent(to->out, indent);
        edit_emit_string(to->out, slice_of(fields[i].name));
        buffer_byte(to->out, ':');
        uint32_t value = json_get(spec, stub.defaults, fields[i].name);
        stub_value(to, &fields[i], value, indent, depth);
        bool set =
            fields[i].required || value != JSON_NONE || spec_get(spec, &fields[i], "const") != JSON_NONE;
        /* A file of comments only would be no mapping. */
        if (depth == 0 && !any && spec_get(spec, &fields[i], "default") != JSON_NONE)
            set = true;
        if (!set)
            comment_out(to->out, from, indent);
        any |= set;
    }
    if (!any && depth == 0) {
        put_indent(to->out, indent);
        buffer_str(to->out, "{} # replace this by settings\n");
    }
}

void discover_stub(struct discovery *discovery, struct buffer *out)
{
    struct describing to = {.discovery = discovery, .out = out};
    struct arena *arena = &discovery->arena;
    comment(&to, 0,
            arena_printf(arena,
                         "The configuration of %s. Fill in what is required, take the # away from what "
                         "else is to be set, and run the same command again.",
                         discovery->program.label));
    comment(
        &to, 0,
        "It may hold secrets: keep it out of version control. ${NAME} stands for the environment variable "
        "NAME; a literal ${ is written $${.");
    stub_object(&to, (struct stub){0, JSON_NONE}, 0, 0, true);
}

void discover_config_file(struct discovery *discovery, struct buffer *out)
{
    struct describing to = {.discovery = discovery, .out = out};
    struct json values;
    struct error unused;
    struct arena *arena = &discovery->arena;
    if (json_parse_copy(arena, discovery->config_text.data, discovery->config_text.size, &values, &unused) <
        0)
        abort();
    if (yaml_syntax_of(discovery->config_path) == YAML_SYNTAX_JSON) {
        edit_emit_json(out, &values, 0, 0);
        buffer_byte(out, '\n');
        return;
    }
    comment(&to, 0,
            arena_printf(arena,
                         "The configuration of %s, written by firth discover. It may hold secrets: keep it "
                         "out of version control. ${NAME} stands for the environment variable NAME.",
                         discovery->program.label));
    edit_emit_yaml(out, &values, 0, 0);
}
