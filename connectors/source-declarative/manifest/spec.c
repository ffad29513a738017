#include "manifest.h"

#include "json/writer.h"

/* What the manifest says, without what components have beside it. */
static void put_fields(struct json_writer *writer, const struct json *doc, uint32_t at, const char *deeper)
{
    json_begin_object(writer);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        uint32_t value = json_value(key);
        if (json_string_is(doc, key, "type") || json_string_is(doc, key, "$parameters") ||
            json_is(doc, value, JSON_NULL))
            continue;
        json_put_key_of(writer, doc, key);
        if (deeper && json_string_is(doc, key, deeper) && json_is(doc, value, JSON_OBJECT))
            put_fields(writer, doc, value, "oauth_connector_input_specification");
        else
            json_put_value(writer, doc, value);
    }
    json_end_object(writer);
}

void manifest_spec(const struct manifest *manifest, struct manifest_spec *ret_spec)
{
    struct component spec = component_get(manifest_root(manifest), "spec");
    struct component schema = component_get(spec, "connection_specification");
    struct component auth = component_get(spec, "advanced_auth");
    struct slice url = component_text(spec, "documentation_url");
    struct json_writer writer;
    struct buffer text;
    *ret_spec = (struct manifest_spec){
        .connection_specification = SLICE_LITERAL("{\"type\":\"object\",\"properties\":{}}"),
        .documentation_url = url.data ? arena_strndup(manifest->arena, url.data, url.size) : NULL,
    };
    if (!component_is_none(schema))
        ret_spec->connection_specification = json_raw(&manifest->doc, schema.at);
    if (component_is_none(auth))
        return;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    put_fields(&writer, &manifest->doc, auth.at, "oauth_config_specification");
    ret_spec->advanced_auth = (struct slice){arena_dup(manifest->arena, text.data, text.size), text.size};
    buffer_done(&text);
}
