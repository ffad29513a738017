#include "source.h"

#include "schema/schema.h"
#include "schema/shape/shape.h"

/* What a stream's records look like. */

enum {
    SAMPLE_RECORDS = 1000, /* of one file */
    SAMPLE_BYTES = 4 << 20,
};

static const char flow_schema[] =
    "{\"type\":\"object\",\"properties\":{\"_meta\":{\"type\":\"object\",\"properties\":{"
    "\"file\":{\"type\":\"string\",\"description\":\"The file that the document comes from.\"},"
    "\"offset\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"The document's place in the file, from "
    "0.\"}},"
    "\"required\":[\"file\",\"offset\"]}},\"required\":[\"_meta\"],\"x-infer-schema\":true}";

static const char stamp_properties[] =
    "\"_ab_source_file_last_modified\":{\"type\":\"string\"},\"_ab_source_file_url\":{\"type\":\"string\"}";

static void ignore_skipped(void *context, const struct error *why)
{
    (void)context, (void)why; /* reading says it */
}

/* --- from a sample ---------------------------------------------------------------------------------------
 */

static int sample_file(const struct files_plan *plan, const struct files_stream *stream,
                       const struct files_object *object, struct shape *shape, struct error *err)
{
    struct files_open_file file;
    struct files_record record;
    struct json doc;
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (files_open_file_init(&file, plan->storage, object, &stream->format, (struct firth_slice){0},
                             (struct files_place){0}, ignore_skipped, NULL, err) < 0)
        return error_wrap(err, "%s%s", stream->location, object->name);
    int got = 1;
    size_t bytes = 0;
    for (size_t i = 0; i < SAMPLE_RECORDS && bytes < SAMPLE_BYTES; i++) {
        got = files_reader_next(file.reader, &record, err);
        if (got <= 0)
            break;
        bytes += record.json.size;
        if (json_parse(parser, record.json.data, record.json.size, &doc, err) == 0)
            shape_widen(shape, (struct shape_limits){0}, &doc, 0);
    }
    if (got < 0)
        error_wrap(err, "%s%s", stream->location, object->name);
    files_open_file_done(&file);
    return got < 0 ? -1 : 0;
}

static int sample(const struct files_plan *plan, const struct files_stream *stream, struct shape *shape,
                  struct error *err)
{
    struct files_search search;
    struct files_object object;
    int64_t most = stream->sample_files ? stream->sample_files : FILES_SAMPLE_FILES;
    int got = 1, result = files_search_open(&search, plan, stream, "", err);
    if (result < 0)
        return -1;
    for (int64_t i = 0; i < most && result == 0; i++) {
        got = files_search_next(&search, &object, err);
        if (got <= 0)
            break;
        result = sample_file(plan, stream, &object, shape, err);
    }
    files_search_done(&search);
    return got < 0 ? -1 : result;
}

/* --- as Airbyte has it ------------------------------------------------------------------------------------
 */

static void put_shape(struct json_writer *writer, const struct shape *shape);

static void put_properties(struct json_writer *writer, const struct shape *shape)
{
    json_put_key(writer, "properties");
    json_begin_object(writer);
    for (uint32_t i = 0; i < shape->property_count; i++) {
        json_put_key_slice(writer, (struct slice){shape->properties[i].name, shape->properties[i].size});
        put_shape(writer, shape->properties[i].shape);
    }
    json_end_object(writer);
}

/* Other files may lack any of it: every type allows null. */
static void put_shape(struct json_writer *writer, const struct shape *shape)
{
    unsigned types = shape->types & ~(unsigned)SHAPE_NULL;
    json_begin_object(writer);
    if (types && shape->types != SHAPE_ANY) {
        json_put_key(writer, "type");
        json_begin_array(writer);
        json_put_string(writer, "null");
        if (types & SHAPE_FRACTION)
            json_put_string(writer, "number");
        else if (types & SHAPE_INTEGER)
            json_put_string(writer, "integer");
        if (types & SHAPE_BOOLEAN)
            json_put_string(writer, "boolean");
        if (types & SHAPE_STRING)
            json_put_string(writer, "string");
        if (types & SHAPE_ARRAY)
            json_put_string(writer, "array");
        if (types & SHAPE_OBJECT)
            json_put_string(writer, "object");
        json_end_array(writer);
    } else if (!types) { /* nothing but nulls: texts are what may come */
        json_member_raw(writer, "type", SLICE_LITERAL("[\"null\",\"string\"]"));
    }
    if (types == SHAPE_STRING && shape->format &&
        (strcmp(shape->format, "date-time") == 0 || strcmp(shape->format, "date") == 0))
        json_member_string(writer, "format", shape->format);
    if (types & SHAPE_OBJECT && shape->property_count)
        put_properties(writer, shape);
    if (types & SHAPE_ARRAY && shape->items) {
        json_put_key(writer, "items");
        put_shape(writer, shape->items);
    }
    json_end_object(writer);
}

/* The members of a schema's `properties`, without the braces, and a comma if there are any. */
static void put_members(struct buffer *out, struct slice properties)
{
    buffer_append(out, properties.data + 1, properties.size - 2);
    if (properties.size > 2)
        buffer_byte(out, ',');
}

/* Names with types, as Airbyte's input_schema has them, where it is no JSON Schema. */
static int check_types(const struct json *doc, struct error *err)
{
    static const char *const types[] = {"string", "number", "integer", "boolean", "object", "array", "null"};
    for (uint32_t key = json_first_key(doc, 0); key != JSON_NONE; key = json_next_key(doc, 0, key)) {
        uint32_t value = json_value(key);
        struct slice name = json_raw(doc, key), given = json_raw(doc, value);
        bool known = json_is(doc, value, JSON_OBJECT);
        for (size_t i = 0; i < sizeof types / sizeof *types && !known; i++)
            known = json_string_is(doc, value, types[i]);
        if (!known)
            return error_set(err, ERROR_INVALID,
                             "%.*s is %.*s, which is no type; types are string, number, integer, boolean, "
                             "object, array and null",
                             (int)utf8_cut(name.data, name.size, 200), name.data,
                             (int)utf8_cut(given.data, given.size, 60), given.data);
    }
    return 0;
}

static int given_properties(const struct files_stream *stream, struct buffer *out, struct error *err)
{
    struct json doc;
    struct arena arena;
    arena_init(&arena);
    int result = json_parse_copy(&arena, stream->schema.data, stream->schema.size, &doc, err);
    if (result == 0) {
        /* A JSON Schema, or names with types as Airbyte's input_schema has them. */
        uint32_t properties = json_get(&doc, 0, "properties");
        bool plain = !json_is(&doc, properties, JSON_OBJECT);
        struct json_writer writer;
        struct buffer members;
        buffer_init(&members, BUFFER_UNLIMITED);
        json_writer_init(&writer, &members);
        json_begin_object(&writer);
        uint32_t from = plain ? 0 : properties;
        for (uint32_t key = json_first_key(&doc, from); key != JSON_NONE;
             key = json_next_key(&doc, from, key)) {
            uint32_t value = json_value(key);
            json_put_key_of(&writer, &doc, key);
            if (plain && json_is(&doc, value, JSON_STRING)) {
                json_begin_object(&writer);
                json_put_key(&writer, "type");
                json_begin_array(&writer);
                json_put_string(&writer, "null");
                json_put_raw(&writer, json_raw(&doc, value));
                json_end_array(&writer);
                json_end_object(&writer);
            } else {
                json_put_value(&writer, &doc, value);
            }
        }
        json_end_object(&writer);
        put_members(out, (struct slice){members.data, members.size});
        buffer_done(&members);
    } else {
        error_wrap(err, "the input_schema of stream %s", stream->name);
    }
    arena_done(&arena);
    return result;
}

static int sampled_properties(const struct files_plan *plan, const struct files_stream *stream,
                              struct buffer *out, struct error *err)
{
    mem_auto(shape_free) struct shape *shape = shape_new_nothing();
    struct json_writer writer;
    struct buffer whole;
    if (sample(plan, stream, shape, err) < 0)
        return -1;
    shape_limit(shape, (struct shape_limits){0});
    buffer_init(&whole, BUFFER_UNLIMITED);
    json_writer_init(&writer, &whole);
    json_begin_object(&writer);
    for (uint32_t i = 0; i < shape->property_count; i++) {
        json_put_key_slice(&writer, (struct slice){shape->properties[i].name, shape->properties[i].size});
        put_shape(&writer, shape->properties[i].shape);
    }
    json_end_object(&writer);
    put_members(out, (struct slice){whole.data, whole.size});
    buffer_done(&whole);
    return 0;
}

int files_schema_check(const struct files_stream *stream, struct error *err)
{
    static const char uri[] = "file:///input_schema";
    struct json doc;
    struct arena arena;
    struct buffer whole;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    mem_auto(schema_free) struct schema *schema = NULL;
    arena_init(&arena);
    buffer_init(&whole, BUFFER_UNLIMITED);
    int result = json_parse_copy(&arena, stream->schema.data, stream->schema.size, &doc, err);
    if (result == 0 && !json_is(&doc, 0, JSON_OBJECT))
        result = error_set(err, ERROR_INVALID, "it must be an object: a JSON Schema, or names with types");
    if (result == 0 && !json_is(&doc, json_get(&doc, 0, "properties"), JSON_OBJECT))
        result = check_types(&doc, err);
    buffer_str(&whole, "{\"properties\":{");
    if (result == 0)
        result = given_properties(stream, &whole, err);
    buffer_str(&whole, "\"_ab_\":{}}}");
    if (result == 0)
        result = schema_registry_add(registry, uri, (struct slice){whole.data, whole.size}, err);
    if (result == 0) {
        schema = schema_compile(registry, uri, err);
        result = schema ? 0 : -1;
    }
    buffer_done(&whole);
    arena_done(&arena);
    return result;
}

int files_schema(struct firth_host *host, const struct files_plan *plan, const struct files_stream *stream,
                 bool sample_it, struct arena *arena, const char **ret_schema, struct error *err)
{
    struct buffer out;
    int result = 0;
    if (firth_speaks_flow(host)) {
        *ret_schema = flow_schema;
        return 0;
    }
    buffer_init(&out, BUFFER_UNLIMITED);
    buffer_str(&out, "{\"type\":\"object\",\"properties\":{");
    if (stream->schemaless)
        buffer_str(&out, "\"data\":{\"type\":\"object\"},");
    else if (stream->schema.size)
        result = given_properties(stream, &out, err);
    else if (sample_it)
        result = sampled_properties(plan, stream, &out, err);
    buffer_printf(&out, "%s}}", stamp_properties);
    if (result == 0)
        *ret_schema = arena_strndup(arena, out.data, out.size);
    buffer_done(&out);
    return result;
}
