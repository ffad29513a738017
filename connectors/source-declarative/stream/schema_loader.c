/* Schema loaders: InlineSchemaLoader, JsonFileSchemaLoader, a list of them. */
#include "schema_loader.h"

#include "base/file.h"
#include "source-declarative/record/record.h"
#include "json/writer.h"

#include <stdio.h>

enum { SCHEMA_FILE_MAX = 16 << 20 }; /* bytes */

struct schema_loader {
    struct engine *engine;
    struct component where;
    const char *stream_name;
    const struct json *schema; /* once loaded */
};

int schema_loader_compile(struct engine *engine, struct component component, const char *stream_name,
                          struct schema_loader **ret_loader, struct error *err)
{
    size_t count = component_is_none(component) ? 0 : component_count(component);
    for (size_t i = 0; i < count; i++) {
        struct component loader = component_at(component, i);
        if (!component_is(loader, "InlineSchemaLoader") && !component_is(loader, "JsonFileSchemaLoader")) {
            error_set(err, ERROR_UNSUPPORTED, "it is no schema loader that Firth has");
            return component_error(err, loader);
        }
    }
    struct schema_loader *loader = arena_zalloc(&engine->arena, sizeof *loader);
    *loader = (struct schema_loader){.engine = engine, .where = component, .stream_name = stream_name};
    *ret_loader = loader;
    return 0;
}

/* Relative to the manifest's folder; by default schemas/STREAM.json there, without the package's own name. */
static int file_path(struct schema_loader *loader, struct component component, const char **ret_path,
                     struct error *err)
{
    struct engine *engine = loader->engine;
    struct expression expression;
    struct scope scope;
    struct slice path = {0};
    scope_init(&scope, engine);
    if (expression_compile(engine, component, "file_path", &expression, err) != 0)
        return -1;
    if (!expression_is_absent(&expression) &&
        expression_text(&expression, &scope, &engine->arena, &path, err) != 0)
        return -1;
    if (path.size == 0)
        path = slice_of(arena_printf(&engine->arena, "./schemas/%s.json", loader->stream_name));
    const char *file = component.manifest->file;
    const char *end = file ? strrchr(file, '/') : NULL;
    bool absolute = path.data[0] == '/';
    *ret_path = end && !absolute
                    ? arena_printf(&engine->arena, "%.*s/%.*s", (int)(end - file), file, SLICE_ARGS(path))
                    : arena_strndup(&engine->arena, path.data, path.size);
    return 0;
}

static int load_file(struct schema_loader *loader, struct component component, struct tvalue *ret_schema,
                     struct error *err)
{
    const char *path;
    struct buffer text;
    struct json *doc = arena_zalloc(&loader->engine->arena, sizeof *doc);
    if (file_path(loader, component, &path, err) != 0)
        return -1;
    buffer_init(&text, SCHEMA_FILE_MAX);
    int result = file_read(path, SCHEMA_FILE_MAX, &text, err);
    if (result == 0)
        result = json_parse_copy(&loader->engine->arena, text.data, text.size, doc, err);
    buffer_done(&text);
    if (result != 0) {
        error_wrap(err, "the schema of stream %s", loader->stream_name);
        return component_error(err, component);
    }
    *ret_schema = tvalue_json(&loader->engine->arena, doc, 0);
    return 0;
}

static int load_one(struct schema_loader *loader, struct component component, struct tvalue *ret_schema,
                    struct error *err)
{
    if (component_is(component, "JsonFileSchemaLoader"))
        return load_file(loader, component, ret_schema, err);
    struct component schema = component_get(component, "schema");
    *ret_schema = tvalue_json(&loader->engine->arena, &schema.manifest->doc, schema.at);
    return 0;
}

/* Several are merged member by member, the later one's properties over the earlier one's. */
static struct tvalue merged(struct arena *arena, struct tvalue into, const struct tvalue *from)
{
    struct tvalue properties, more, key;
    struct titer iter;
    if (!tvalue_is_mapping(from))
        return into;
    if (!tvalue_is_mapping(&into))
        return *from;
    value_own(arena, &into);
    bool both = tvalue_member_name(arena, &into, SLICE_LITERAL("properties"), &properties) &&
                tvalue_member_name(arena, from, SLICE_LITERAL("properties"), &more);
    titer_init(&iter, arena, *from);
    while (titer_next(&iter, &key))
        tdict_set(arena, into.dict, key, iter.of_key);
    if (!both)
        return into;
    value_own(arena, &properties);
    titer_init(&iter, arena, more);
    while (titer_next(&iter, &key))
        tdict_set(arena, properties.dict, key, iter.of_key);
    tdict_set_name(arena, into.dict, "properties", properties);
    return into;
}

int schema_loader_load(struct schema_loader *loader, const struct json **ret_schema, struct error *err)
{
    struct arena *arena = &loader->engine->arena;
    struct tvalue schema = tvalue_none(), one;
    struct buffer text;
    size_t count = component_is_none(loader->where) ? 0 : component_count(loader->where);
    *ret_schema = loader->schema;
    if (loader->schema)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (load_one(loader, component_at(loader->where, i), &one, err) != 0)
            return -1;
        schema = merged(arena, schema, &one);
    }
    if (!tvalue_is_mapping(&schema))
        schema = tvalue_dict(arena);
    struct json *doc = arena_zalloc(arena, sizeof *doc);
    buffer_init(&text, SCHEMA_FILE_MAX);
    int result = value_write(&text, &schema, err);
    if (result == 0)
        result = json_parse_copy(arena, text.data, text.size, doc, err);
    buffer_done(&text);
    if (result == 0)
        *ret_schema = loader->schema = doc;
    return result;
}
