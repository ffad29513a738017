#include "groups.h"

void stream_groups_init(struct stream_groups *groups, struct engine *engine)
{
    struct component root = component_get(engine->root, "stream_groups");
    size_t count = component_is_none(root) ? 0 : json_count(&root.manifest->doc, root.at);
    *groups = (struct stream_groups){root, count, arena_zalloc(&engine->arena, count + 1)};
}

static bool is_in(struct component group, struct component stream, const char *name)
{
    struct component list = component_get(group, "streams");
    for (size_t i = 0; i < component_count(list); i++) {
        struct slice other = component_text(component_at(list, i), "name");
        if (other.size && (slice_is(other, name) || component_reads(stream, other)))
            return true;
    }
    return false;
}

const bool *stream_groups_of(const struct stream_groups *groups, struct engine *engine,
                             struct component stream, const char *name)
{
    if (groups->count == 0)
        return NULL;
    const struct json *doc = &groups->root.manifest->doc;
    bool *its = arena_zalloc(&engine->arena, groups->count), any = false;
    uint32_t key = json_first_key(doc, groups->root.at);
    for (size_t i = 0; i < groups->count; i++, key = json_next_key(doc, groups->root.at, key))
        any |= (its[i] = is_in((struct component){groups->root.manifest, json_value(key)}, stream, name));
    return any ? its : NULL;
}

bool stream_groups_enter(struct stream_groups *groups, const bool *its)
{
    for (size_t i = 0; its && i < groups->count; i++)
        if (its[i] && groups->busy[i])
            return false;
    for (size_t i = 0; its && i < groups->count; i++)
        groups->busy[i] |= its[i];
    return true;
}

void stream_groups_leave(struct stream_groups *groups, const bool *its)
{
    for (size_t i = 0; its && i < groups->count; i++)
        if (its[i])
            groups->busy[i] = false;
}
