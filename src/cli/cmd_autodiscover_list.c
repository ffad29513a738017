/* What a capture's connector finds now, and which of it the capture has: for the web UI's page of the
 * capture. */
#include "cli/cmd_autodiscover.h"
#include "cli/cmd_discover_files.h"
#include "json/writer.h"

static void put_stream(struct json_writer *writer, const struct discover_stream *stream,
                       const struct catalog_binding *binding)
{
    json_begin_object(writer);
    json_member_string(writer, "stream", stream->label);
    if (binding)
        json_member_string(writer, "target", binding->target->name);
    json_put_key(writer, "key");
    json_begin_array(writer);
    for (size_t i = 0; i < stream->key_count; i++)
        json_put_string(writer, stream->key[i]);
    json_end_array(writer);
    json_member_bool(writer, "bound", binding != NULL);
    json_member_bool(writer, "enabled", binding && !binding->disable);
    json_member_bool(writer, "found", true);
    json_end_object(writer);
}

/* A binding of what the source has no more. */
static void put_lost(struct json_writer *writer, const struct catalog_binding *binding)
{
    json_begin_object(writer);
    json_member_string(writer, "stream", binding->name);
    json_member_string(writer, "target", binding->target->name);
    json_member_raw(writer, "key", SLICE_LITERAL("[]"));
    json_member_bool(writer, "bound", true);
    json_member_bool(writer, "enabled", !binding->disable);
    json_member_bool(writer, "found", false);
    json_end_object(writer);
}

static void put_streams(struct discovery *discovery, struct buffer *out)
{
    const struct catalog_capture *capture = discovery->capture;
    const ptrdiff_t *bindings = discover_bindings(discovery);
    bool *found = arena_zalloc(&discovery->arena, capture->binding_count + 1);
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, "streams");
    json_begin_array(&writer);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        if (bindings[i] >= 0)
            found[bindings[i]] = true;
        put_stream(&writer, &discovery->streams[i], bindings[i] < 0 ? NULL : &capture->bindings[bindings[i]]);
    }
    for (size_t i = 0; i < capture->binding_count; i++) {
        if (!found[i])
            put_lost(&writer, &capture->bindings[i]);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_byte(out, '\n');
}

int autodiscover_list(struct autodiscovery *work, const char *name, struct buffer *out, struct error *err)
{
    struct discovery discovery;
    autodiscover_begin(work, name, &discovery);
    int result = autodiscover_ask(&discovery, err);
    if (result == 0)
        put_streams(&discovery, out);
    autodiscover_end(&discovery);
    return result;
}
