/* Manifests: connectors that are described, not programmed, in the language of Airbyte's low-code CDK. */
#include "supervisor/definitions.h"

#include "base/file.h"
#include "control/settings.h"
#include "yaml/yaml.h"
#include "json/writer.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what it says --------------------------------------------------------------------------------- */

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

/* --- for a program of the machine's --------------------------------------------------------------------- */

static struct slice written(struct buffer *text, struct arena *arena)
{
    struct slice slice = {arena_strndup(arena, text->size ? text->data : "", text->size), text->size};
    buffer_done(text);
    return slice;
}

/* As PyYAML reads it: whatever the program is, it was written for that. */
static int read_file(const char *path, struct arena *arena, struct slice *ret_text, struct error *err)
{
    enum yaml_syntax syntax =
        yaml_syntax_of(path) == YAML_SYNTAX_JSON ? YAML_SYNTAX_JSON : YAML_SYNTAX_YAML_1_1;
    struct yaml_document file;
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, YAML_SIZE_MAX + 1);
    int result = file_read(path, YAML_SIZE_MAX, &text, err);
    if (result == 0)
        result =
            yaml_parse(arena, path, syntax, (struct slice){text.data, text.size}, NULL, NULL, &file, err);
    buffer_done(&text);
    if (result < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_put_value(&writer, &file.json, 0);
    *ret_text = written(&text, arena);
    return 0;
}

/* No more of it is looked at than we need: what is right is the program's to say. */
static int read_for_program(const char *path, struct slice json, struct arena *arena,
                            struct connector_manifest *ret_manifest, struct error *err)
{
    struct json doc;
    struct buffer text;
    struct json_writer writer;
    if (path && read_file(path, arena, &json, err) < 0)
        return -1;
    if (json_parse_copy(arena, json.data, json.size, &doc, err) < 0 || check(&doc, err) < 0)
        return path ? error_wrap(err, "%s", path) : -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    write_spec(&writer, &doc, arena);
    *ret_manifest = (struct connector_manifest){json, written(&text, arena),
                                                json_cstring(&doc, json_get(&doc, 0, "version"), arena)};
    return 0;
}

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
    *ret_path = NULL;
    if (control_setting_get(control, DEFINITIONS_MANIFEST_SETTING, arena, &name, err) < 0)
        return -1;
    if (!name)
        return 0;
    *ret_path = strchr(name, '/') ? (is_program(name) ? name : NULL) : find_on_path(name, arena);
    if (*ret_path)
        return 0;
    return error_set(
        err, ERROR_NOT_FOUND,
        "manifests are run by the program %s, as the setting %s says, which is %s: install it, or "
        "remove the setting, and they are run by the built-in " DEFINITIONS_MANIFEST_BUILT_IN,
        name, DEFINITIONS_MANIFEST_SETTING, strchr(name, '/') ? "not there" : "in no folder of PATH");
}

/* --- the definition ---------------------------------------------------------------------------------------
 */

int definitions_set_manifest(struct control *control, const struct connector_catalog *built_ins,
                             const struct definitions_manifest *manifest, struct arena *arena,
                             struct control_definition *definition, struct error *err)
{
    const char *program;
    struct connector_manifest read;
    if (definition->side != CONTROL_SOURCE)
        return error_set(err, ERROR_INVALID, "a manifest describes a source, not a destination");
    if (definitions_manifest_program(control, arena, &program, err) < 0)
        return -1;
    connector_read_manifest *reader = program ? read_for_program : built_ins->read_manifest;
    if (!reader)
        return error_set(err, ERROR_UNSUPPORTED, "manifests are not run here");
    if (reader(manifest->path, manifest->json, arena, &read, err) < 0) {
        return err->code == ERROR_UNSUPPORTED
                   ? error_set(err, ERROR_UNSUPPORTED,
                               "%s\na program that runs it may be named in the setting %s",
                               arena_strdup(arena, err->message), DEFINITIONS_MANIFEST_SETTING)
                   : -1;
    }
    definition->origin = CONTROL_MANIFEST;
    definition->manifest = read.text;
    definition->command = (struct slice){0};
    definition->repository = arena_printf(arena, "local/%s", definition->name);
    definition->tag = read.version;
    definition->spec = read.spec;
    definition->spec_of = definitions_label(definition, arena);
    definitions_take_documentation(definition, arena);
    return 0;
}
