#include "control/sync_catalog.h"

static bool text_is(const struct json *doc, uint32_t at, const char *text)
{
    return json_is(doc, at, JSON_STRING) && json_string_is(doc, at, text);
}

/* The stream's name as it is written, without its quotes. */
static struct slice name_of(const struct json *doc, uint32_t both)
{
    uint32_t name = json_get(doc, json_get(doc, both, "stream"), "name");
    if (!json_is(doc, name, JSON_STRING))
        return (struct slice){"", 0};
    struct slice raw = json_raw(doc, name);
    return (struct slice){raw.data + 1, raw.size - 2};
}

int control_sync_catalog_check(const struct json *doc, uint32_t catalog, size_t *ret_number,
                               uint32_t *ret_node, struct error *err)
{
    uint32_t list = json_get(doc, catalog, "streams");
    size_t number = 0;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at), number++) {
        uint32_t config = json_get(doc, at, "config"), mode = json_get(doc, config, "destinationSyncMode");
        bool overwrites = text_is(doc, mode, "overwrite") || text_is(doc, mode, "overwrite_dedup");
        if (json_is(doc, json_get(doc, config, "selected"), JSON_FALSE) || !overwrites ||
            !text_is(doc, json_get(doc, config, "syncMode"), "incremental"))
            continue;
        struct slice name = name_of(doc, at);
        *ret_number = number;
        *ret_node = mode;
        return error_set(
            err, ERROR_INVALID,
            "the stream '%.*s' is read incrementally and overwrites: each sync would replace all "
            "that was synced before by what is new; its destinationSyncMode may be append or "
            "append_dedup, or its syncMode full_refresh",
            name.size > 100 ? 100 : (int)name.size, name.data);
    }
    return 0;
}
