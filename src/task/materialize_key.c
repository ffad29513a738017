#include "task/materialize_key.h"

static const char *fields_text(struct flow_texts fields, struct arena *arena)
{
    const char *text = "";
    for (size_t i = 0; i < fields.count; i++)
        text = arena_printf(arena, "%s%s%.*s", text, i ? ", " : "", SLICE_ARGS(fields.items[i]));
    return text;
}

static struct slice location_of(const struct flow_collection *collection, struct slice field)
{
    for (size_t i = 0; i < collection->projections.count; i++) {
        if (slice_equal(collection->projections.items[i].field, field))
            return collection->projections.items[i].pointer;
    }
    return field;
}

/* Are the fields those of one key? Once they are selected their names count, which are the columns'; before
 * that, a location may still get another of its names. */
static bool same_key(const struct flow_materialize_binding *last, const struct task_materialize_key *now)
{
    struct flow_texts was = last->field_selection->keys;
    bool same = was.count == now->fields.count;
    for (size_t i = 0; same && i < was.count; i++)
        same = now->selected ? slice_equal(was.items[i], now->fields.items[i])
                             : slice_equal(location_of(last->collection, was.items[i]),
                                           location_of(now->collection, now->fields.items[i]));
    return same;
}

bool task_materialize_key_changed(const struct task_materialize_last *last,
                                  const struct task_materialize_key *now, struct arena *arena,
                                  struct error *ret_why)
{
    const struct flow_materialize_binding *was = task_materialize_last_find(last, now->resource_path);
    if (!was || was->backfill != now->backfill || was->delta_updates || now->delta_updates ||
        !was->field_selection || same_key(was, now))
        return false;
    error_set(ret_why, ERROR_INVALID, "%s: the key is %s, and what the endpoint has was materialized by %s",
              now->binding, fields_text(now->fields, arena), fields_text(was->field_selection->keys, arena));
    return true;
}
