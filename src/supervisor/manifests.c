/* Manifests: connectors that are described, not programmed, in the language of Airbyte's low-code CDK. */
#include "supervisor/definitions.h"

#include "control/settings.h"
#include "yaml/yaml.h"
#include "json/writer.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the manifest --------------------------------------------------------------------------------- */

static int check(const struct json *doc, struct error *err)
{
    uint32_t type = json_get(doc, 0, "type"), version = json_get(doc, 0, "version");
    if (!json_is(doc, 0, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "a manifest is an object");
    if (!json_is(doc, type, JSON_STRING) || !json_string_is(doc, type, "DeclarativeSource"))
        return error_set(err, ERROR_INVALID, "a manifest has 'type: DeclarativeSource'");
    if (!json_is(doc, version, JSON_STRING))
        return error_set(err, ERROR_INVALID, "a manifest has a 'version', a text like \"6.5.0\"");
    if (!json_is(doc, json_get(doc, 0, "check"), JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "a manifest has a 'check': how a config is tried");
    if (!json_is(doc, json_get(doc, 0, "streams"), JSON_ARRAY) &&
        !json_is(doc, json_get(doc, 0, "dynamic_streams"), JSON_ARRAY))
        return error_set(err, ERROR_INVALID, "a manifest has a list of 'streams' or of 'dynamic_streams'");
    return 0;
}

/* A member of the manifest; what is {"$ref": "#/definitions/spec"} is what that points to. */
static uint32_t member(const struct json *doc, uint32_t object, const char *name, struct arena *arena)
{
    uint32_t at = json_get(doc, object, name), ref = json_get(doc, at, "$ref");
    if (!json_is(doc, at, JSON_OBJECT) || !json_is(doc, ref, JSON_STRING))
        return at;
    struct slice text = json_string(doc, ref, arena);
    return text.size && *text.data == '#' ? json_pointer(doc, 0, (struct slice){text.data + 1, text.size - 1})
                                          : JSON_NONE;
}

/* The manifest's own spec as a connector answers `spec`; without one any config will do. */
static void write_spec(struct json_writer *writer, const struct json *doc, struct arena *arena)
{
    uint32_t spec = member(doc, 0, "spec", arena);
    uint32_t schema = member(doc, spec, "connection_specification", arena),
             url = json_get(doc, spec, "documentation_url"), auth = json_get(doc, spec, "advanced_auth");
    json_begin_object(writer);
    if (json_is(doc, url, JSON_STRING)) {
        json_put_key(writer, "documentationUrl");
        json_put_value(writer, doc, url);
    }
    json_put_key(writer, "connectionSpecification");
    if (json_is(doc, schema, JSON_OBJECT))
        json_put_value(writer, doc, schema);
    else
        json_put_raw(writer, SLICE_LITERAL("{\"type\":\"object\",\"properties\":{}}"));
    if (json_is(doc, auth, JSON_OBJECT)) {
        json_put_key(writer, "advanced_auth");
        json_put_value(writer, doc, auth);
    }
    json_end_object(writer);
}

int definitions_set_manifest(struct control_definition *definition, struct slice manifest,
                             struct arena *arena, struct error *err)
{
    struct json doc;
    struct buffer text;
    struct json_writer writer;
    if (json_parse_copy(arena, manifest.data, manifest.size, &doc, err) < 0 || check(&doc, err) < 0)
        return -1;
    if (definition->side != CONTROL_SOURCE)
        return error_set(err, ERROR_INVALID, "a manifest describes a source, not a destination");
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    write_spec(&writer, &doc, arena);
    definition->origin = CONTROL_MANIFEST;
    definition->manifest = manifest;
    definition->command = (struct slice){0};
    definition->repository = arena_printf(arena, "local/%s", definition->name);
    definition->tag = json_cstring(&doc, json_get(&doc, 0, "version"), arena);
    definition->spec = (struct slice){arena_dup(arena, text.data, text.size), text.size};
    definition->spec_of = definitions_label(definition, arena);
    buffer_done(&text);
    return 0;
}

int definitions_load_manifest(struct control_definition *definition, const char *path, struct arena *arena,
                              struct error *err)
{
    struct yaml_document file;
    struct buffer text;
    struct json_writer writer;
    if (yaml_load(arena, path, NULL, NULL, &file, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_put_value(&writer, &file.json, 0);
    struct slice manifest = {arena_strndup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return definitions_set_manifest(definition, manifest, arena, err) < 0 ? error_wrap(err, "%s", path) : 0;
}

/* --- its program ------------------------------------------------------------------------------------- */

static bool is_program(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

static const char *find_on_path(const char *name, struct arena *arena)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t size = strcspn(path, ":");
        const char *candidate = arena_printf(arena, "%.*s/%s", (int)size, path, name);
        if (size && is_program(candidate))
            return candidate;
        path += size + (path[size] == ':');
    }
    return NULL;
}

int definitions_manifest_program(struct control *control, struct arena *arena, const char **ret_path,
                                 struct error *err)
{
    const char *name;
    if (control_setting_get(control, DEFINITIONS_MANIFEST_SETTING, arena, &name, err) < 0)
        return -1;
    bool set = name != NULL;
    name = set ? name : DEFINITIONS_MANIFEST_PROGRAM;
    *ret_path = strchr(name, '/') ? (is_program(name) ? name : NULL) : find_on_path(name, arena);
    if (*ret_path)
        return 0;
    return error_set(err, ERROR_NOT_FOUND,
                     "a manifest is run by the program %s (of the Python package airbyte-cdk), which is %s: "
                     "install it, or name it in the setting %s",
                     name, strchr(name, '/') ? "not there" : "in no folder of PATH",
                     DEFINITIONS_MANIFEST_SETTING);
}
