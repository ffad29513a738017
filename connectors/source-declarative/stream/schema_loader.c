/* Schema loaders: InlineSchemaLoader, JsonFileSchemaLoader, DynamicSchemaLoader, a list of them. */
#include "schema_loader.h"

#include "dynamic_schema.h"

#include "base/file.h"
#include "source-declarative/record/record.h"
#include "json/writer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SCHEMA_FILE_MAX = 16 << 20 }; /* bytes */

struct schema_loader {
    struct engine *engine;
    struct component where;
    const char *stream_name;
    bool is_list;
    size_t count;
    struct dynamic_schema **dynamic; /* of each: NULL where it is another */
    struct fiber_gate gate;          /* slices that begin at once ask once */
    const struct json *schema;       /* once loaded */
};

static int compile_one(struct schema_loader *loader, size_t index, struct error *err)
{
    struct component component = component_at(loader->where, index);
    if (component_is(component, "DynamicSchemaLoader"))
        return dynamic_schema_compile(loader->engine, component, &loader->dynamic[index], err);
    if (component_is(component, "InlineSchemaLoader") || component_is(component, "JsonFileSchemaLoader"))
        return 0;
    error_set(err, ERROR_UNSUPPORTED, "it is no schema loader that Firth has");
    return component_error(err, component);
}

int schema_loader_compile(struct engine *engine, struct component component, const char *stream_name,
                          struct schema_loader **ret_loader, struct error *err)
{
    struct schema_loader *loader = arena_zalloc(&engine->arena, sizeof *loader);
    *loader = (struct schema_loader){.engine = engine, .where = component, .stream_name = stream_name};
    loader->gate.max = 1;
    *ret_loader = loader;
    if (component_is_none(component))
        return 0;
    loader->is_list = json_is(&component.manifest->doc, component.at, JSON_ARRAY);
    loader->count = component_count(component);
    loader->dynamic = arena_zalloc(&engine->arena, (loader->count + 1) * sizeof *loader->dynamic);
    for (size_t i = 0; i < loader->count; i++) {
        if (compile_one(loader, i, err) != 0)
            return -1;
    }
    return 0;
}

/* In Airbyte's connectors a path begins with the package, "./source_x/schemas/a.json": that is the manifest's
 * own folder. Returns what is behind it, or the path as it is. */
static struct slice within_package(struct slice folder, struct slice path)
{
    const char *slash = memrchr(folder.data, '/', folder.size);
    struct slice name = folder, rest = path;
    if (slash)
        name = (struct slice){slash + 1, (size_t)(folder.data + folder.size - slash - 1)};
    while (slice_starts_with(rest, "./"))
        rest = (struct slice){rest.data + 2, rest.size - 2};
    bool is_named = name.size > 0 && rest.size > name.size && memcmp(rest.data, name.data, name.size) == 0 &&
                    rest.data[name.size] == '/';
    return is_named ? (struct slice){rest.data + name.size + 1, rest.size - name.size - 1} : path;
}

static const char *path_in(struct arena *arena, struct slice folder, struct slice path)
{
    return arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(folder), SLICE_ARGS(path));
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
    *ret_path = arena_strndup(&engine->arena, path.data, path.size);
    if (path.data[0] == '/' || !component.manifest->file)
        return 0;
    auto_free char *file = file_absolute(component.manifest->file);
    struct slice folder = {file, (size_t)(strrchr(file, '/') - file)};
    *ret_path = path_in(&engine->arena, folder, path);
    if (access(*ret_path, F_OK) < 0)
        *ret_path = path_in(&engine->arena, folder, within_package(folder, path));
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

static int load_one(struct schema_loader *loader, size_t index, struct tvalue *ret_schema, struct error *err)
{
    struct component component = component_at(loader->where, index);
    if (loader->dynamic[index])
        return dynamic_schema_load(loader->dynamic[index], ret_schema, err);
    if (component_is(component, "JsonFileSchemaLoader"))
        return load_file(loader, component, ret_schema, err);
    struct component schema = component_get(component, "schema");
    *ret_schema = tvalue_json(&loader->engine->arena, &schema.manifest->doc, schema.at);
    return 0;
}

/* Of a list, the properties alone count: the first that has one says what it is. */
static int load_list(struct schema_loader *loader, struct tvalue *ret_schema, struct error *err)
{
    struct arena *arena = &loader->engine->arena;
    struct tvalue combined = tvalue_dict(arena), type = tvalue_list(arena);
    for (size_t i = 0; i < loader->count; i++) {
        struct tvalue schema, properties, key, known;
        struct titer iter;
        if (load_one(loader, i, &schema, err) != 0)
            return -1;
        if (!tvalue_is_mapping(&schema) ||
            !tvalue_member_name(arena, &schema, SLICE_LITERAL("properties"), &properties) ||
            !tvalue_is_mapping(&properties)) {
            error_set(err, ERROR_INVALID, "a schema that is one of several has to have properties");
            return component_error(err, component_at(loader->where, i));
        }
        titer_init(&iter, arena, properties);
        while (titer_next(&iter, &key)) {
            if (!tdict_get(combined.dict, &key, &known))
                tdict_set(arena, combined.dict, key, iter.of_key);
        }
    }
    tlist_push(arena, type.list, tvalue_cstring("null"));
    tlist_push(arena, type.list, tvalue_cstring("object"));
    *ret_schema = tvalue_dict(arena);
    tdict_set_name(arena, ret_schema->dict, "$schema",
                   tvalue_cstring("http://json-schema.org/draft-07/schema#"));
    tdict_set_name(arena, ret_schema->dict, "type", type);
    tdict_set_name(arena, ret_schema->dict, "properties", combined);
    return 0;
}

static int load(struct schema_loader *loader, struct error *err)
{
    struct arena *arena = &loader->engine->arena;
    struct tvalue schema = tvalue_none();
    struct buffer text;
    int result = 0;
    if (loader->is_list)
        result = load_list(loader, &schema, err);
    else if (loader->count > 0)
        result = load_one(loader, 0, &schema, err);
    if (result != 0)
        return -1;
    if (!tvalue_is_mapping(&schema))
        schema = tvalue_dict(arena);
    struct json *doc = arena_zalloc(arena, sizeof *doc);
    buffer_init(&text, SCHEMA_FILE_MAX);
    result = value_write(&text, &schema, err);
    if (result == 0)
        result = json_parse_copy(arena, text.data, text.size, doc, err);
    buffer_done(&text);
    if (result == 0)
        loader->schema = doc;
    return result;
}

int schema_loader_load(struct schema_loader *loader, const struct json **ret_schema, struct error *err)
{
    if (!loader->schema) {
        if (fiber_gate_enter(loader->engine->fibers, &loader->gate, err) != 0)
            return -1;
        int result = loader->schema ? 0 : load(loader, err);
        fiber_gate_leave(&loader->gate);
        if (result != 0)
            return -1;
    }
    *ret_schema = loader->schema;
    return 0;
}
