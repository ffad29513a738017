#include "cli/status_bindings.h"

#include "json/json.h"

static bool is(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* Of a materialization the saved stream's namespace is the collection that it reads. */
static const char *collection_of(const struct task_saved_stream *saved, bool materializes)
{
    return materializes ? saved->namespace : saved->target;
}

/* What is saved of a declared binding: that of its name and collection; a Flow connector names its resources
 * in its own way, so else what goes to the collection. Each is of one binding. */
static const struct task_saved_stream *take(const struct task_checkpoint *checkpoint, bool *taken,
                                            const struct status_binding *binding, bool materializes)
{
    size_t found = checkpoint->stream_count;
    for (size_t i = checkpoint->stream_count; i-- > 0;) {
        const struct task_saved_stream *saved = checkpoint->streams[i];
        if (taken[i] || !is(collection_of(saved, materializes), binding->collection))
            continue;
        bool named = is(saved->name, binding->stream);
        if (named || (!materializes && (found == checkpoint->stream_count ||
                                        !is(checkpoint->streams[found]->name, binding->stream))))
            found = i;
    }
    if (found == checkpoint->stream_count)
        return NULL;
    taken[found] = true;
    return checkpoint->streams[found];
}

void status_bindings(const struct deployed_task *deployed, const struct task_checkpoint *checkpoint,
                     struct arena *arena, struct status_bindings *ret_bindings)
{
    struct json doc;
    struct error err;
    const char *text = deployed ? deployed->row.bindings : NULL;
    bool materializes = deployed && is(deployed->row.kind, "materialization");
    bool known = text && json_parse_copy(arena, text, strlen(text), &doc, &err) == 0;
    size_t most = checkpoint->stream_count + (known ? json_count(&doc, 0) : 0);
    bool *taken = arena_zalloc(arena, checkpoint->stream_count + 1);
    *ret_bindings = (struct status_bindings){
        .known = known, .items = arena_zalloc(arena, (most + 1) * sizeof *ret_bindings->items)};
    for (uint32_t at = known ? json_first(&doc, 0) : JSON_NONE; at != JSON_NONE;
         at = json_next(&doc, 0, at)) {
        struct status_binding *item = &ret_bindings->items[ret_bindings->count++];
        *item =
            (struct status_binding){.stream = json_cstring(&doc, json_get(&doc, at, "stream"), arena),
                                    .collection = json_cstring(&doc, json_get(&doc, at, "collection"), arena),
                                    .declared = true,
                                    .enabled = json_is(&doc, json_get(&doc, at, "enabled"), JSON_TRUE)};
        item->saved = take(checkpoint, taken, item, materializes);
    }
    for (size_t i = 0; i < checkpoint->stream_count; i++) {
        const struct task_saved_stream *saved = checkpoint->streams[i];
        if (!taken[i])
            ret_bindings->items[ret_bindings->count++] = (struct status_binding){
                .stream = saved->name, .collection = materializes ? saved->namespace : NULL, .saved = saved};
    }
}
