/* jsonSchemaMerge: locations that hold JSON Schemas. The result's shape takes what either takes. */
#include "schema/reduce/reducer.h"
#include "schema/shape/shape.h"

/* Schemas of a collection that was emptied and begun again have a larger one, and begin anew. */
#define GENERATION "x-collection-generation-id"

static struct shape *shape_of(const struct json *doc, uint32_t at, struct error *err)
{
    static const char uri[] = "reduce:schema";
    struct slice source = json_raw(doc, at);
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (!json_is(doc, at, JSON_OBJECT) && !json_is(doc, at, JSON_TRUE) && !json_is(doc, at, JSON_FALSE)) {
        error_set(err, ERROR_INVALID, "expected an object, true or false");
        return NULL;
    }
    if (schema_registry_add(registry, uri, source, err) < 0)
        return NULL;
    /* A shape passes over what it does not understand: compiling says what is wrong with the schema. */
    mem_auto(schema_free) struct schema *schema = schema_compile(registry, uri, err);
    return schema ? shape_of_schema(registry, uri, err) : NULL;
}

static bool not_a_schema(struct reducer *r, uint32_t right, const char *side, const struct error *why)
{
    char message[ERROR_MESSAGE_MAX / 2];
    snprintf(message, sizeof message, "jsonSchemaMerge strategy expects JSON Schemas, and the %s is none: %s",
             side, why->message);
    return reduce_fail(r, right, message);
}

/* --- writing: the shape's schema without members that say nothing ------------------------------------ */

static void put_schema(struct json_writer *writer, const struct json *doc, uint32_t at);

static void put_list(struct json_writer *writer, const struct json *doc, uint32_t list)
{
    json_begin_array(writer);
    for (uint32_t e = json_first(doc, list); e != JSON_NONE; e = json_next(doc, list, e))
        put_schema(writer, doc, e);
    json_end_array(writer);
}

/* Are other members as free as if they were not spoken of? */
static bool is_open(const struct json *doc, uint32_t schema)
{
    return json_get(doc, schema, "additionalProperties") == JSON_NONE &&
           json_get(doc, schema, "patternProperties") == JSON_NONE;
}

static void put_map(struct json_writer *writer, const struct json *doc, uint32_t key, bool keep_any)
{
    uint32_t map = json_value(key), kept = 0;
    for (uint32_t k = json_first_key(doc, map); k != JSON_NONE; k = json_next_key(doc, map, k))
        kept += keep_any || !json_is(doc, json_value(k), JSON_TRUE);
    if (kept == 0)
        return;
    json_put_key_of(writer, doc, key);
    json_begin_object(writer);
    for (uint32_t k = json_first_key(doc, map); k != JSON_NONE; k = json_next_key(doc, map, k)) {
        if (!keep_any && json_is(doc, json_value(k), JSON_TRUE))
            continue;
        json_put_key_of(writer, doc, k);
        put_schema(writer, doc, json_value(k));
    }
    json_end_object(writer);
}

static void put_keyword(struct json_writer *writer, const struct json *doc, uint32_t schema, uint32_t key)
{
    if (json_string_is(doc, key, "properties")) {
        put_map(writer, doc, key, !is_open(doc, schema));
        return;
    }
    if (json_string_is(doc, key, "patternProperties")) {
        put_map(writer, doc, key, true);
        return;
    }
    json_put_key_of(writer, doc, key);
    if (json_string_is(doc, key, "prefixItems"))
        put_list(writer, doc, json_value(key));
    else if (json_string_is(doc, key, "items") || json_string_is(doc, key, "additionalProperties"))
        put_schema(writer, doc, json_value(key));
    else
        json_put_value(writer, doc, json_value(key));
}

/* As deep as a shape is at most: shape_limit has seen to it. */
static void put_schema(struct json_writer *writer, const struct json *doc, uint32_t at)
{
    if (!json_is(doc, at, JSON_OBJECT)) {
        json_put_value(writer, doc, at);
        return;
    }
    json_begin_object(writer);
    for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k))
        put_keyword(writer, doc, at, k);
    json_end_object(writer);
}

/* With the generation (a node of the right document, or JSON_NONE), which is not part of a shape. */
static bool put_shape(struct reducer *r, const struct shape *shape, uint32_t right, uint32_t generation)
{
    struct json_writer text;
    struct error err;
    struct json doc;
    struct arena arena;
    arena_init(&arena);
    buffer_clear(&r->text[0]);
    json_writer_init(&text, &r->text[0]);
    shape_write(shape, false, &text);
    bool done = json_parse_copy(&arena, r->text[0].data, r->text[0].size, &doc, &err) == 0;
    if (!done) {
        reduce_fail(r, right, "jsonSchemaMerge strategy came to a schema that is too large");
    } else if (generation == JSON_NONE || !json_is(&doc, 0, JSON_OBJECT)) {
        put_schema(&r->writer, &doc, 0);
    } else {
        json_begin_object(&r->writer);
        for (uint32_t k = json_first_key(&doc, 0); k != JSON_NONE; k = json_next_key(&doc, 0, k))
            put_keyword(&r->writer, &doc, 0, k);
        json_put_key(&r->writer, GENERATION);
        reduce_put_right(r, generation);
        json_end_object(&r->writer);
    }
    arena_done(&arena);
    return done;
}

bool reduce_schemas(struct reducer *r, uint32_t left, uint32_t right)
{
    struct error err;
    uint32_t mine = json_get(r->left, left, GENERATION), other = json_get(r->right, right, GENERATION);
    int newer = json_compare(r->right, other, r->left, mine);
    mem_auto(shape_free) struct shape *shape = shape_of(r->left, left, &err);
    if (!shape)
        return not_a_schema(r, right, "left one", &err);
    mem_auto(shape_free) struct shape *more = shape_of(r->right, right, &err);
    if (!more)
        return not_a_schema(r, right, "right one", &err);
    if (newer > 0) {
        reduce_put_right(r, right);
        return true;
    }
    if (newer < 0) {
        reduce_put_left(r, left);
        return true;
    }
    shape_union(shape, more);
    shape_limit(shape, (struct shape_limits){0});
    return put_shape(r, shape, right, other);
}
