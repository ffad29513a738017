/* Discovered catalogs in the config API's spelling. */
#include "server/views.h"

#include "protocol/airbyte_catalog.h"

/* The protocol's name of a member, and the API's. */
static const struct {
    const char *from, *to;
} members[] = {
    {"name", "name"},
    {"namespace", "namespace"},
    {"json_schema", "jsonSchema"},
    {"supported_sync_modes", "supportedSyncModes"},
    {"source_defined_cursor", "sourceDefinedCursor"},
    {"default_cursor_field", "defaultCursorField"},
    {"source_defined_primary_key", "sourceDefinedPrimaryKey"},
    {"is_resumable", "isResumable"},
    {"is_file_based", "isFileBased"},
};

void view_discovered_stream(struct json_writer *out, const struct json *catalog, uint32_t stream)
{
    json_begin_object(out);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        uint32_t at = json_get(catalog, stream, members[i].from);
        if (at != JSON_NONE && !json_is(catalog, at, JSON_NULL))
            json_member_raw(out, members[i].to, json_raw(catalog, at));
    }
    json_end_object(out);
}

static bool supports_incremental(const struct json *catalog, uint32_t stream)
{
    uint32_t modes = json_get(catalog, stream, "supported_sync_modes");
    for (uint32_t at = json_first(catalog, modes); at != JSON_NONE; at = json_next(catalog, modes, at)) {
        if (json_is(catalog, at, JSON_STRING) && json_string_is(catalog, at, "incremental"))
            return true;
    }
    return false;
}

static void write_list(struct json_writer *out, const char *name, const struct json *catalog, uint32_t at)
{
    json_put_key(out, name);
    if (json_is(catalog, at, JSON_ARRAY)) {
        json_put_raw(out, json_raw(catalog, at));
        return;
    }
    json_begin_array(out);
    json_end_array(out);
}

/* Incremental with a cursor of the source's own, else everything each time. What destinations seldom can is
 * proposed for those alone that say they can. */
void view_discovered_config(struct json_writer *out, const struct json *catalog, uint32_t stream,
                            unsigned destination_modes, bool selected)
{
    uint32_t cursor = json_get(catalog, stream, "default_cursor_field");
    uint32_t key = json_get(catalog, stream, "source_defined_primary_key");
    bool own = json_is(catalog, json_get(catalog, stream, "source_defined_cursor"), JSON_TRUE);
    bool incremental = own && supports_incremental(catalog, stream);
    bool dedup = json_is(catalog, key, JSON_ARRAY) && json_count(catalog, key) > 0 &&
                 destination_modes & 1U << AIRBYTE_APPEND_DEDUP;
    bool overwrite = !destination_modes || destination_modes & 1U << AIRBYTE_OVERWRITE;
    const char *mode = incremental ? dedup ? "append_dedup" : "append" : overwrite ? "overwrite" : "append";
    uint32_t name = json_get(catalog, stream, "name");
    json_begin_object(out);
    json_member_string(out, "syncMode", incremental ? "incremental" : "full_refresh");
    json_member_string(out, "destinationSyncMode", mode);
    write_list(out, "cursorField", catalog, cursor);
    write_list(out, "primaryKey", catalog, key);
    if (name != JSON_NONE)
        json_member_raw(out, "aliasName", json_raw(catalog, name));
    json_member_bool(out, "selected", selected);
    json_member_bool(out, "suggested", false);
    json_member_bool(out, "fieldSelectionEnabled", false);
    json_put_key(out, "selectedFields");
    json_begin_array(out);
    json_end_array(out);
    json_end_object(out);
}

void view_discovered(struct json_writer *out, struct slice text, unsigned destination_modes,
                     struct arena *arena)
{
    struct json catalog = {0};
    struct error err;
    bool whole = json_parse_copy(arena, text.data, text.size, &catalog, &err) == 0;
    uint32_t streams = whole ? json_get(&catalog, 0, "streams") : JSON_NONE;
    json_begin_object(out);
    json_put_key(out, "streams");
    json_begin_array(out);
    if (whole && json_is(&catalog, streams, JSON_ARRAY)) {
        for (uint32_t at = json_first(&catalog, streams); at != JSON_NONE;
             at = json_next(&catalog, streams, at)) {
            json_begin_object(out);
            json_put_key(out, "stream");
            view_discovered_stream(out, &catalog, at);
            json_put_key(out, "config");
            view_discovered_config(out, &catalog, at, destination_modes, true);
            json_end_object(out);
        }
    }
    json_end_array(out);
    json_end_object(out);
}
