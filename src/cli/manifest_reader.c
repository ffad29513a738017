#include "cli/manifest_reader.h"

#include "source-declarative/manifest/manifest.h"
#include "json/writer.h"

static struct slice write_spec(const struct manifest *manifest, struct arena *arena)
{
    struct manifest_spec spec;
    struct json_writer writer;
    struct buffer text;
    manifest_spec(manifest, &spec);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    if (spec.documentation_url)
        json_member_string(&writer, "documentationUrl", spec.documentation_url);
    json_member_raw(&writer, "connectionSpecification", spec.connection_specification);
    if (spec.advanced_auth.size)
        json_member_raw(&writer, "advanced_auth", spec.advanced_auth);
    json_end_object(&writer);
    struct slice written = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return written;
}

static struct slice write_text(const struct json *doc, struct arena *arena)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_put_value(&writer, doc, 0);
    struct slice written = {arena_strndup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return written;
}

/* Of what is not only defined: a file beside the manifest. */
static int refuse_files(const struct manifest *manifest, struct error *err)
{
    const struct json *doc = &manifest->doc;
    uint32_t definitions = json_get(doc, 0, "definitions");
    for (uint32_t at = 1; at < doc->count; at++) {
        struct component loader = {manifest, at};
        if (at == definitions)
            at = json_after(doc, at) - 1;
        if (at != loader.at || !json_is(doc, at, JSON_OBJECT) ||
            !component_is(loader, "JsonFileSchemaLoader"))
            continue;
        struct slice file = component_text(loader, "file_path");
        if (file.size && *file.data == '/')
            continue;
        error_set(err, ERROR_INVALID,
                  "its schema is in a file beside the manifest, and only the manifest is kept: write the "
                  "schema into it (type: InlineSchemaLoader, schema: …), or give file_path as /…");
        return component_error(err, loader);
    }
    return 0;
}

int manifest_read(const char *path, struct slice json, struct arena *arena,
                  struct connector_manifest *ret_manifest, struct error *err)
{
    struct manifest *manifest;
    struct yaml_document raw;
    if (path ? manifest_load_telling(arena, path, &manifest, err) < 0
             : manifest_parse_telling(arena, "the manifest", json, &manifest, err) < 0)
        return -1;
    if (refuse_files(manifest, err) < 0 || (path && manifest_read_file(arena, path, &raw, err) < 0))
        return -1;
    struct slice version = component_text(manifest_root(manifest), "version");
    *ret_manifest = (struct connector_manifest){
        .text = path ? write_text(&raw.json, arena) : json,
        .spec = write_spec(manifest, arena),
        .version = arena_strndup(arena, version.data ? version.data : "", version.size),
    };
    return 0;
}
