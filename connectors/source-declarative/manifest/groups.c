/* Which streams a stream reads: those that are not to be read at once with others have to know. */
#include "manifest.h"

static bool is_named(const struct json *doc, uint32_t stream, struct slice name)
{
    uint32_t its = json_get(doc, stream, "name");
    return its != JSON_NONE && json_is(doc, its, JSON_STRING) && json_text_is(doc, its, name);
}

static bool stream_reads(const struct json *doc, uint32_t stream, struct slice name);

/* Of one router, or of a list of them or of parents; what is neither has no such fields. */
static bool router_reads(const struct json *doc, uint32_t router, struct slice name)
{
    static const char *const inner[] = {"underlying_partition_router", "partition_routers",
                                        "parent_stream_configs"};
    uint32_t parent = json_get(doc, router, "stream");
    for (uint32_t each = json_first(doc, router); each != JSON_NONE; each = json_next(doc, router, each))
        if (router_reads(doc, each, name))
            return true;
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        uint32_t routers = json_get(doc, router, inner[i]);
        if (routers != JSON_NONE && router_reads(doc, routers, name))
            return true;
    }
    return parent != JSON_NONE && (is_named(doc, parent, name) || stream_reads(doc, parent, name));
}

static bool stream_reads(const struct json *doc, uint32_t stream, struct slice name)
{
    static const char *const delegates[] = {"full_refresh_stream", "incremental_stream"};
    uint32_t router = json_get(doc, json_get(doc, stream, "retriever"), "partition_router");
    if (router != JSON_NONE && router_reads(doc, router, name))
        return true;
    for (size_t i = 0; i < sizeof delegates / sizeof *delegates; i++) {
        uint32_t delegate = json_get(doc, stream, delegates[i]);
        if (delegate != JSON_NONE && stream_reads(doc, delegate, name))
            return true;
    }
    return false;
}

bool component_reads(struct component stream, struct slice name)
{
    return stream_reads(&stream.manifest->doc, stream.at, name);
}
