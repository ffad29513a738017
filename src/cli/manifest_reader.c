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

int manifest_read(const char *path, struct slice json, struct arena *arena,
                  struct connector_manifest *ret_manifest, struct error *err)
{
    struct manifest *manifest;
    struct yaml_document raw;
    if (path ? manifest_load_telling(arena, path, &manifest, err) < 0
             : manifest_parse_telling(arena, "the manifest", json, &manifest, err) < 0)
        return -1;
    if (path && manifest_read_file(arena, path, &raw, err) < 0)
        return -1;
    struct slice version = component_text(manifest_root(manifest), "version");
    *ret_manifest = (struct connector_manifest){
        .text = path ? write_text(&raw.json, arena) : json,
        .spec = write_spec(manifest, arena),
        .version = arena_strndup(arena, version.data ? version.data : "", version.size),
    };
    return 0;
}
