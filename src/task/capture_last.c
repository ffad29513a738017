#include "task/capture_last.h"

enum { INACTIVE_MAX = 1024 }; /* kept of bindings that went: they are in every commit */

/* --- reading --------------------------------------------------------------------------------------- */

int task_capture_last_read(const struct task_flow_saved *saved, struct arena *arena,
                           const struct flow_capture_spec **ret_last, struct error *err)
{
    struct flow_capture_request request;
    const struct flow_capture_spec *last = NULL;
    if (*saved->applied) {
        struct json *doc = arena_alloc(arena, sizeof *doc);
        if (json_parse_copy(arena, saved->applied, strlen(saved->applied), doc, err) < 0 ||
            flow_capture_read_request(doc, arena, &request, err) < 0 || request.type != FLOW_CAPTURE_APPLY ||
            !request.apply.capture)
            return error_set(err, ERROR_CORRUPT,
                             "the checkpoint: 'flow.applied' is not as this program writes it");
        last = request.apply.capture;
    }
    *ret_last = last;
    return 0;
}

static bool has_path(struct flow_capture_bindings bindings, struct flow_texts path)
{
    for (size_t i = 0; i < bindings.count; i++) {
        struct flow_texts other = bindings.items[i].resource_path;
        bool equal = other.count == path.count;
        for (size_t j = 0; equal && j < path.count; j++)
            equal = slice_equal(other.items[j], path.items[j]);
        if (equal)
            return true;
    }
    return false;
}

struct flow_capture_bindings task_capture_last_inactive(const struct flow_capture_spec *last,
                                                        struct flow_capture_bindings next,
                                                        struct arena *arena)
{
    if (!last)
        return (struct flow_capture_bindings){0};
    const struct flow_capture_bindings lists[] = {last->bindings, last->inactive_bindings};
    struct flow_capture_binding *items =
        arena_zalloc(arena, (lists[0].count + lists[1].count + 1) * sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < lists[i].count && count < INACTIVE_MAX; j++) {
            if (!has_path(next, lists[i].items[j].resource_path))
                items[count++] = lists[i].items[j];
        }
    }
    return (struct flow_capture_bindings){items, count};
}

/* --- keeping --------------------------------------------------------------------------------------- */

/* Without its schemas, and with the fields of its key and partitions alone: the rest is long, and in every
 * commit. */
static const struct flow_collection *in_short(const struct flow_collection *whole, struct arena *arena)
{
    struct flow_collection *collection = arena_dup(arena, whole, sizeof *collection);
    struct flow_projection *fields = arena_zalloc(arena, (whole->projections.count + 1) * sizeof *fields);
    size_t count = 0;
    for (size_t i = 0; i < whole->projections.count; i++) {
        if (whole->projections.items[i].is_primary_key || whole->projections.items[i].is_partition_key)
            fields[count++] = whole->projections.items[i];
    }
    collection->raw_write_schema = SLICE_LITERAL("{}");
    collection->raw_read_schema = (struct slice){0};
    collection->projections = (struct flow_projections){fields, count};
    return collection;
}

static struct flow_capture_bindings all_in_short(struct flow_capture_bindings bindings, struct arena *arena)
{
    struct flow_capture_binding *items = arena_zalloc(arena, (bindings.count + 1) * sizeof *items);
    for (size_t i = 0; i < bindings.count; i++) {
        items[i] = bindings.items[i];
        items[i].collection = in_short(bindings.items[i].collection, arena);
    }
    return (struct flow_capture_bindings){items, bindings.count};
}

/* The config has secrets and is not kept. In Flow's own `lastCapture` it is that of the endpoint, with the
 * connector's inside, which is sealed: connectors can read nothing of it, and some want that member. */
const char *task_capture_last_text(const struct flow_capture_spec *spec, struct arena *arena)
{
    struct flow_capture_spec kept = *spec;
    struct buffer line;
    kept.raw_config = SLICE_LITERAL("{\"config\":{}}");
    kept.bindings = all_in_short(spec->bindings, arena);
    kept.inactive_bindings = all_in_short(spec->inactive_bindings, arena);
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_capture_write_request(
        &line, &(struct flow_capture_request){.type = FLOW_CAPTURE_APPLY, .apply = {.capture = &kept}});
    const char *text = arena_strndup(arena, line.data, line.size - 1); /* without its newline */
    buffer_done(&line);
    return text;
}
