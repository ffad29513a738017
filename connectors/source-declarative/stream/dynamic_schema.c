#include "dynamic_schema.h"

#include "async.h"
#include "source-declarative/page/pages.h"
#include "source-declarative/record/transform.h"

enum { SCHEMA_PROPERTIES_MAX = 100000 };

struct types_map {
    struct component where;
    struct tvalue current;
    struct component target;
    struct expression condition;
};

struct dynamic_schema {
    struct engine *engine;
    struct component where;
    struct pages *pages;
    struct async_retriever *async; /* in place of pages; else NULL */
    struct expressions schema_pointer, key_pointer, type_pointer;
    size_t map_count;
    struct types_map *maps;
    struct expression filter;
    struct transformations *transformations;
};

static struct tvalue value_of(struct engine *engine, struct component component)
{
    return tvalue_json(&engine->arena, &component.manifest->doc, component.at);
}

static int compile_maps(struct dynamic_schema *schema, struct component list, struct error *err)
{
    struct engine *engine = schema->engine;
    schema->map_count = component_is_none(list) ? 0 : component_count(list);
    schema->maps = arena_zalloc(&engine->arena, (schema->map_count + 1) * sizeof *schema->maps);
    for (size_t i = 0; i < schema->map_count; i++) {
        struct types_map *map = &schema->maps[i];
        map->where = component_at(list, i);
        map->current = value_of(engine, component_get(map->where, "current_type"));
        map->target = component_get(map->where, "target_type");
        if (expression_compile(engine, map->where, "condition", &map->condition, err) != 0)
            return -1;
    }
    return 0;
}

static int compile_retriever(struct dynamic_schema *schema, struct component retriever, struct error *err)
{
    struct engine *engine = schema->engine;
    struct component requester = component_get(retriever, "requester");
    struct pages_settings settings = {
        .stream_name = "dynamic_properties",
        .transformations = {schema->where.manifest, JSON_NONE},
    };
    if (!component_is(retriever, "AsyncRetriever")) {
        if (!component_is_none(requester))
            engine_keep_answers(engine, requester);
        return pages_compile(engine, retriever, &settings, &schema->pages, err);
    }
    if (!component_is_none(component_get(retriever, "partition_router"))) {
        error_set(err, ERROR_INVALID,
                  "a schema is made of the first record alone: a job for it has no partitions");
        return component_error(err, retriever);
    }
    return async_retriever_compile(engine, retriever, &settings, &schema->async, err);
}

int dynamic_schema_compile(struct engine *engine, struct component component,
                           struct dynamic_schema **ret_schema, struct error *err)
{
    struct dynamic_schema *schema = arena_zalloc(&engine->arena, sizeof *schema);
    *schema = (struct dynamic_schema){.engine = engine, .where = component};
    struct component identifier = component_get(component, "schema_type_identifier");
    struct component filter = component_get(component, "schema_filter");
    *ret_schema = schema;
    if (!component_is_none(filter) &&
        expression_compile(engine, filter, "condition", &schema->filter, err) != 0)
        return -1;
    if (compile_retriever(schema, component_get(component, "retriever"), err) != 0 ||
        expressions_compile(engine, identifier, "schema_pointer", &schema->schema_pointer, err) != 0 ||
        expressions_compile(engine, identifier, "key_pointer", &schema->key_pointer, err) != 0 ||
        expressions_compile(engine, identifier, "type_pointer", &schema->type_pointer, err) != 0 ||
        compile_maps(schema, component_get(identifier, "types_mapping"), err) != 0)
        return -1;
    return transformations_compile(engine, component_get(component, "schema_transformations"),
                                   &schema->transformations, err);
}

/* --- what is found in the answer ----------------------------------------------------------------- */

static int find(const struct dynamic_schema *schema, const struct expressions *pointer, struct tvalue value,
                struct tvalue absent, struct tvalue *ret_value, struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    struct scope scope;
    struct path path;
    scope_init(&scope, schema->engine);
    *ret_value = value;
    if (pointer->count == 0)
        return 0;
    if (expressions_path(pointer, &scope, arena, &path, err) != 0)
        return -1;
    *ret_value = absent;
    return value_get(arena, &value, path.segments, path.count, ret_value, err) < 0 ? -1 : 0;
}

/* --- types --------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *schema;
} airbyte_types[] = {
    {"string", "{\"type\":[\"null\",\"string\"]}"},
    {"boolean", "{\"type\":[\"null\",\"boolean\"]}"},
    {"date", "{\"type\":[\"null\",\"string\"],\"format\":\"date\"}"},
    {"timestamp_without_timezone", "{\"type\":[\"null\",\"string\"],\"format\":\"date-time\","
                                   "\"airbyte_type\":\"timestamp_without_timezone\"}"},
    {"timestamp_with_timezone", "{\"type\":[\"null\",\"string\"],\"format\":\"date-time\"}"},
    {"time_without_timezone",
     "{\"type\":[\"null\",\"string\"],\"format\":\"time\",\"airbyte_type\":\"time_without_timezone\"}"},
    {"time_with_timezone",
     "{\"type\":[\"null\",\"string\"],\"format\":\"time\",\"airbyte_type\":\"time_with_timezone\"}"},
    {"integer", "{\"type\":[\"null\",\"integer\"]}"},
    {"number", "{\"type\":[\"null\",\"number\"]}"},
    {"array", "{\"type\":[\"null\",\"array\"]}"},
    {"object", "{\"type\":[\"null\",\"object\"]}"},
};

static int type_named(const struct dynamic_schema *schema, struct slice name, struct tvalue *ret_type,
                      struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    for (size_t i = 0; i < sizeof airbyte_types / sizeof *airbyte_types; i++) {
        if (!slice_is(name, airbyte_types[i].name))
            continue;
        struct json *doc = arena_zalloc(arena, sizeof *doc);
        const char *text = airbyte_types[i].schema;
        if (json_parse_copy(arena, text, strlen(text), doc, err) != 0)
            return -1;
        *ret_type = tvalue_json(arena, doc, 0);
        return 0;
    }
    return error_set(
        err, ERROR_INVALID,
        "\"%.*s\" is no type that a field may have: types_mapping has to name another one for it",
        (int)(name.size < 100 ? name.size : 100), name.data);
}

/* ComplexFieldType is written without its type. */
static bool is_complex(struct component component)
{
    return json_is(&component.manifest->doc, component.at, JSON_OBJECT);
}

/* A ComplexFieldType: arrays, and what is in them. */
static int complex_type(const struct dynamic_schema *schema, struct component component,
                        struct tvalue *ret_type, struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    struct component items = component_get(component, "items");
    struct slice name = component_text(component, "field_type");
    struct tvalue inner;
    if (type_named(schema, name, ret_type, err) != 0)
        return component_error(err, component);
    if (component_is_none(items))
        return 0;
    if (!slice_is(name, "array")) {
        error_set(err, ERROR_INVALID, "only an array has items");
        return component_error(err, component);
    }
    int result = is_complex(items) ? complex_type(schema, items, &inner, err)
                                   : type_named(schema, component_string(items), &inner, err);
    if (result != 0)
        return -1;
    value_own(arena, ret_type);
    tdict_set_name(arena, ret_type->dict, "items", inner);
    return 0;
}

/* A name, or two, one of which it is. */
static int simple_type(const struct dynamic_schema *schema, struct tvalue type, struct tvalue *ret_type,
                       struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    struct tvalue either = tvalue_list(arena), one;
    if (type.kind == TVALUE_STRING)
        return type_named(schema, type.text, ret_type, err);
    if (!tvalue_is_list(&type) || tvalue_count(&type) != 2)
        return error_set(err, ERROR_INVALID,
                         "the type of a field is a %s; it has to be a name or a list of two",
                         tvalue_type(&type));
    for (size_t i = 0; i < 2; i++) {
        one = tvalue_at(arena, &type, i);
        if (one.kind != TVALUE_STRING)
            return error_set(err, ERROR_INVALID, "a type of a field is a %s, not a name", tvalue_type(&one));
        if (type_named(schema, one.text, &one, err) != 0)
            return -1;
        tlist_push(arena, either.list, one);
    }
    *ret_type = tvalue_dict(arena);
    tdict_set_name(arena, ret_type->dict, "oneOf", either);
    return 0;
}

static int type_of(const struct dynamic_schema *schema, struct tvalue field, struct tvalue *ret_type,
                   struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    struct tvalue type = tvalue_cstring("string");
    struct scope scope;
    bool holds;
    if (schema->type_pointer.count > 0 && find(schema, &schema->type_pointer, field, type, &type, err) != 0)
        return -1;
    scope_init(&scope, schema->engine);
    scope_set(&scope, "raw_schema", field);
    for (size_t i = 0; i < schema->map_count; i++) {
        const struct types_map *map = &schema->maps[i];
        if (expression_bool(&map->condition, &scope, true, arena, &holds, err) != 0)
            return -1;
        if (!holds || !tvalue_equal(arena, &type, &map->current))
            continue;
        if (is_complex(map->target))
            return complex_type(schema, map->target, ret_type, err);
        type = value_of(schema->engine, map->target);
        break;
    }
    return simple_type(schema, type, ret_type, err);
}

/* --- the schema ---------------------------------------------------------------------------------- */

static int add_field(const struct dynamic_schema *schema, struct tvalue field, struct tvalue properties,
                     struct error *err)
{
    struct tvalue key, type;
    if (find(schema, &schema->key_pointer, field, tvalue_none(), &key, err) != 0)
        return -1;
    if (key.kind != TVALUE_STRING)
        return error_set(err, ERROR_INVALID, "the name of a field (key_pointer) is a %s, not text",
                         tvalue_type(&key));
    if (properties.dict->count >= SCHEMA_PROPERTIES_MAX)
        return error_set(err, ERROR_LIMIT, "there are more than %d fields", SCHEMA_PROPERTIES_MAX);
    if (type_of(schema, field, &type, err) != 0)
        return error_wrap(err, "field %.*s", (int)(key.text.size < 100 ? key.text.size : 100), key.text.data);
    tdict_set(&schema->engine->arena, properties.dict, key, type);
    return 0;
}

/* Each property by itself is a record of the filter. */
static int filter(const struct dynamic_schema *schema, struct tvalue *properties, struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    struct tvalue kept = tvalue_dict(arena), key, one;
    struct titer iter;
    struct scope scope;
    bool takes;
    if (expression_is_absent(&schema->filter))
        return 0;
    titer_init(&iter, arena, *properties);
    while (titer_next(&iter, &key)) {
        one = tvalue_dict(arena);
        tdict_set(arena, one.dict, key, iter.of_key);
        scope_init(&scope, schema->engine);
        scope_set(&scope, "record", one);
        scope_set_slice(&scope, tvalue_none());
        scope_set(&scope, "next_page_token", tvalue_none());
        if (expression_bool(&schema->filter, &scope, true, arena, &takes, err) != 0)
            return -1;
        if (takes)
            tdict_set(arena, kept.dict, key, iter.of_key);
    }
    *properties = kept;
    return 0;
}

struct first_record {
    struct engine *engine;
    bool found;
    struct tvalue data;
};

static int take_first(void *context, struct record *record, struct error *err)
{
    struct first_record *first = context;
    first->found = true;
    first->data = value_copy(&first->engine->arena, &record->data);
    return error_set(err, ERROR_CANCELLED, "one record is enough");
}

/* The job's slice is empty; it is not deleted, since it is not read to its end, as in the CDK. */
static int read_job(struct dynamic_schema *schema, struct first_record *first, struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    struct stream_slice slice = stream_slice_make(arena, tvalue_none(), tvalue_none(), tvalue_none());
    struct async_watch watch = {0};
    mem_auto(async_job_free) struct async_job *job = NULL;
    if (async_job_run(schema->async, &slice, &watch, &job, err) != 0)
        return -1;
    if (watch.troubled) {
        *err = watch.trouble;
        return -1;
    }
    return job ? async_job_read(job, NULL, take_first, first, err) : 0;
}

static int make(const struct dynamic_schema *schema, const struct first_record *first,
                struct tvalue *ret_properties, struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    struct tvalue fields = tvalue_none(), field;
    struct titer iter;
    *ret_properties = tvalue_dict(arena);
    if (first->found && tvalue_true(&first->data)) {
        if (find(schema, &schema->schema_pointer, first->data, tvalue_none(), &fields, err) != 0)
            return -1;
        if (!titer_init(&iter, arena, fields))
            return error_set(err, ERROR_INVALID, "there are no fields at schema_pointer, but a %s",
                             tvalue_type(&fields));
        while (titer_next(&iter, &field)) {
            if (add_field(schema, field, *ret_properties, err) != 0)
                return -1;
        }
    }
    if (filter(schema, ret_properties, err) != 0)
        return -1;
    return transformations_run(schema->transformations, tvalue_none(), arena, ret_properties, err);
}

int dynamic_schema_load(struct dynamic_schema *schema, struct tvalue *ret_schema, struct error *err)
{
    struct arena *arena = &schema->engine->arena;
    struct first_record first = {.engine = schema->engine};
    struct tvalue properties;
    int result = schema->async ? read_job(schema, &first, err)
                               : pages_read(schema->pages, tvalue_none(), NULL, take_first, &first, err);
    if (result != 0 && !first.found)
        return error_wrap(err, "the schema of the stream");
    if (make(schema, &first, &properties, err) != 0)
        return component_error(err, schema->where);
    *ret_schema = tvalue_dict(arena);
    tdict_set_name(arena, ret_schema->dict, "$schema",
                   tvalue_cstring("https://json-schema.org/draft-07/schema#"));
    tdict_set_name(arena, ret_schema->dict, "type", tvalue_cstring("object"));
    tdict_set_name(arena, ret_schema->dict, "additionalProperties", tvalue_bool(true));
    tdict_set_name(arena, ret_schema->dict, "properties", properties);
    return 0;
}
