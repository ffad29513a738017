#include "connector/marks.h"

#include "base/map.h"
#include "json/json.h"
#include "json/writer.h"

enum {
    VISITS_MAX = 100000, /* pairs of a schema and a value */
    DEPTH_MAX = 1000,
    MARKS_MAX = 4096,
};

struct walk {
    struct json schema, config;
    struct map seen; /* pairs that were visited: what refers to itself ends, and nothing is visited twice */
    struct arena arena;
    struct json_writer writer;
    size_t marks;
    int depth;
    bool too_much;
};

static void visit(struct walk *walk, uint32_t schema, uint32_t value);

static bool is_secret(const struct json *schema, uint32_t at)
{
    static const char *const names[] = {"airbyte_secret", "secret", "writeOnly"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_is(schema, json_get(schema, at, names[i]), JSON_TRUE))
            return true;
    uint32_t format = json_get(schema, at, "format");
    return json_is(schema, format, JSON_STRING) && json_string_is(schema, format, "password");
}

static bool is_new(struct walk *walk, uint32_t schema, uint32_t value)
{
    const uint32_t pair[2] = {schema, value};
    struct slice key = {(const char *)pair, sizeof pair};
    if (map_get(&walk->seen, key))
        return false;
    map_set(&walk->seen, key, walk);
    return true;
}

static void mark(struct walk *walk, uint32_t value)
{
    struct buffer pointer;
    if (!is_new(walk, JSON_NONE, value)) /* no schema has that index */
        return;
    if (++walk->marks > MARKS_MAX) {
        walk->too_much = true;
        return;
    }
    buffer_init(&pointer, BUFFER_UNLIMITED);
    json_pointer_of(&walk->config, value, &pointer);
    json_put_string(&walk->writer, buffer_cstr(&pointer));
    buffer_done(&pointer);
}

static void visit_all(struct walk *walk, uint32_t schemas, uint32_t value)
{
    const struct json *schema = &walk->schema;
    for (uint32_t each = json_first(schema, schemas); each != JSON_NONE;
         each = json_next(schema, schemas, each))
        visit(walk, each, value);
    for (uint32_t key = json_first_key(schema, schemas); key != JSON_NONE;
         key = json_next_key(schema, schemas, key))
        visit(walk, json_value(key), value);
}

/* Where else the same value is described. */
static void visit_same(struct walk *walk, uint32_t at, uint32_t value)
{
    static const char *const lists[] = {"allOf", "anyOf", "oneOf", "dependentSchemas", "dependencies"};
    static const char *const ones[] = {"if", "then", "else"};
    const struct json *schema = &walk->schema;
    uint32_t reference = json_get(schema, at, "$ref");
    if (json_is(schema, reference, JSON_STRING)) {
        struct slice text = json_string(schema, reference, &walk->arena);
        if (text.size && *text.data == '#')
            visit(walk, json_pointer(schema, 0, (struct slice){text.data + 1, text.size - 1}), value);
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        visit_all(walk, json_get(schema, at, lists[i]), value);
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        visit(walk, json_get(schema, at, ones[i]), value);
}

static void visit_members(struct walk *walk, uint32_t at, uint32_t value)
{
    const struct json *schema = &walk->schema;
    uint32_t properties = json_get(schema, at, "properties");
    uint32_t patterns = json_get(schema, at, "patternProperties");
    for (uint32_t key = json_first_key(&walk->config, value); key != JSON_NONE;
         key = json_next_key(&walk->config, value, key)) {
        struct slice name = json_string(&walk->config, key, &walk->arena);
        uint32_t property = json_get_slice(schema, properties, name);
        visit(walk, property, json_value(key));
        visit_all(walk, patterns, json_value(key));
        if (property != JSON_NONE)
            continue;
        visit(walk, json_get(schema, at, "additionalProperties"), json_value(key));
        visit(walk, json_get(schema, at, "unevaluatedProperties"), json_value(key));
    }
}

static void visit_elements(struct walk *walk, uint32_t at, uint32_t value)
{
    static const char *const every[] = {"items", "additionalItems", "unevaluatedItems", "contains"};
    const struct json *schema = &walk->schema;
    uint32_t position = 0, prefix = json_get(schema, at, "prefixItems"),
             items = json_get(schema, at, "items");
    for (uint32_t each = json_first(&walk->config, value); each != JSON_NONE;
         each = json_next(&walk->config, value, each), position++) {
        visit(walk, json_at(schema, prefix, position), each);
        visit(walk, json_at(schema, items, position), each);
        for (size_t i = 0; i < sizeof every / sizeof *every; i++)
            visit(walk, json_get(schema, at, every[i]), each);
    }
}

static void visit(struct walk *walk, uint32_t schema, uint32_t value)
{
    if (walk->too_much || !json_is(&walk->schema, schema, JSON_OBJECT) || value == JSON_NONE ||
        !is_new(walk, schema, value))
        return;
    if (walk->seen.count > VISITS_MAX || walk->depth == DEPTH_MAX) {
        walk->too_much = true;
        return;
    }
    walk->depth++;
    if (is_secret(&walk->schema, schema))
        mark(walk, value);
    visit_same(walk, schema, value);
    visit_members(walk, schema, value);
    visit_elements(walk, schema, value);
    walk->depth--;
}

void connector_marks_find(struct slice schema, struct slice config, struct buffer *out)
{
    struct walk walk = {0};
    struct error unused;
    size_t before = out->size;
    mem_auto(json_parser_free) struct json_parser *schema_parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    mem_auto(json_parser_free) struct json_parser *config_parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    map_init(&walk.seen);
    arena_init(&walk.arena);
    json_writer_init(&walk.writer, out);
    json_begin_array(&walk.writer);
    if (schema.size && config.size &&
        json_parse(schema_parser, schema.data, schema.size, &walk.schema, &unused) == 0 &&
        json_parse(config_parser, config.data, config.size, &walk.config, &unused) == 0)
        visit(&walk, 0, 0);
    json_end_array(&walk.writer);
    if (walk.too_much) {
        out->size = before;
        buffer_str(out, "[\"\"]");
    }
    arena_done(&walk.arena);
    map_done(&walk.seen);
}

bool connector_marks_matter(struct slice config)
{
    struct json doc;
    struct error unused;
    bool matters = false;
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (config.size == 0 || json_parse(parser, config.data, config.size, &doc, &unused) < 0)
        return false;
    for (uint32_t at = 0; at < doc.count && !matters; at++)
        matters =
            (json_is(&doc, at, JSON_STRING) && json_inner(&doc, at).size >= CONNECTOR_SECRET_SIZE_MIN) ||
            (json_is_number(&doc, at) && json_raw(&doc, at).size >= CONNECTOR_SECRET_SIZE_MIN);
    return matters;
}

struct connector_secrets *connector_secrets_of(struct slice config, const char *const *env,
                                               struct slice schema)
{
    struct connector_secrets *secrets = connector_secrets_new();
    struct buffer pointers;
    buffer_init(&pointers, BUFFER_UNLIMITED);
    connector_secrets_add(secrets, config, env);
    connector_marks_find(schema, config, &pointers);
    connector_secrets_add_marked(secrets, config, (struct slice){pointers.data, pointers.size});
    buffer_done(&pointers);
    return secrets;
}
