#include "task/flow_saved.h"

#include "task/checkpoint.h"

void task_flow_saved_init(struct task_flow_saved *saved)
{
    *saved = (struct task_flow_saved){.state = flow_state_new(),
                                      .version = mem_strdup(""),
                                      .paths = mem_strdup("[]"),
                                      .applied = mem_strdup("")};
    map_init(&saved->schemas);
}

void task_flow_saved_done(struct task_flow_saved *saved)
{
    struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&saved->schemas, &at));)
        free(entry->value);
    map_done(&saved->schemas);
    flow_state_free(saved->state);
    free(saved->version);
    free(saved->paths);
    free(saved->applied);
}

/* The newest of each resource. One that would make the checkpoint too large is left out, and so is what it
 * replaces: old knowledge would be wrong. */
static void keep_schema(struct task_flow_saved *saved, struct slice name, struct slice raw)
{
    char *old = map_remove(&saved->schemas, name);
    if (old)
        saved->schema_bytes -= strlen(old);
    free(old);
    if (saved->schema_bytes + raw.size > TASK_SOURCED_SCHEMAS_MAX) {
        saved->schemas_dropped = true;
        return;
    }
    saved->schema_bytes += raw.size;
    map_set(&saved->schemas, name, mem_strndup(raw.data, raw.size));
}

int task_flow_saved_take(struct task_flow_saved *saved, const struct task_flow_item *item, struct error *err)
{
    if (item->state && flow_state_apply(saved->state, item->state, err) < 0)
        return -1;
    for (size_t i = 0; i < item->schema_count; i++)
        keep_schema(saved, item->schemas[i].name, item->schemas[i].raw);
    if (item->version) {
        free(saved->version);
        free(saved->paths);
        saved->version = mem_strdup(item->version);
        saved->paths = mem_strdup(item->paths);
        free(saved->applied);
        saved->applied = mem_strdup(item->applied ? item->applied : "");
    }
    if (item->backfill_begun) {
        item->backfill_begun->backfill_begun_ms = item->wall_ms;
        item->backfill_begun->backfill_completed_ms = 0;
    }
    if (item->backfill_completed)
        item->backfill_completed->backfill_completed_ms = item->wall_ms;
    return 0;
}

void task_flow_saved_write(const struct task_flow_saved *saved, struct json_writer *writer)
{
    struct buffer state;
    struct map_entry *entry;
    buffer_init(&state, BUFFER_UNLIMITED);
    flow_state_write(saved->state, &state);
    json_begin_object(writer);
    json_member_string(writer, "version", saved->version);
    json_member_raw(writer, "paths", slice_of(saved->paths));
    if (*saved->applied)
        json_member_raw(writer, "applied", slice_of(saved->applied));
    json_member_raw(writer, "state", (struct slice){state.data, state.size});
    json_put_key(writer, "schemas");
    json_begin_object(writer);
    for (size_t at = 0; (entry = map_next(&saved->schemas, &at));) {
        json_put_key_slice(writer, entry->key);
        json_put_raw(writer, slice_of(entry->value));
    }
    json_end_object(writer);
    json_end_object(writer);
    buffer_done(&state);
}

static int corrupt(struct error *err, const char *what)
{
    return error_set(err, ERROR_CORRUPT,
                     "the checkpoint: 'flow.%s' is missing or not as this program writes it", what);
}

int task_flow_saved_load(struct task_flow_saved *saved, const struct json *doc, uint32_t at,
                         struct error *err)
{
    uint32_t version = json_get(doc, at, "version"), paths = json_get(doc, at, "paths"),
             state = json_get(doc, at, "state"), schemas = json_get(doc, at, "schemas"),
             applied = json_get(doc, at, "applied");
    if (!json_is(doc, version, JSON_STRING))
        return corrupt(err, "version");
    if (!json_is(doc, paths, JSON_ARRAY))
        return corrupt(err, "paths");
    if (!json_is(doc, state, JSON_OBJECT) || flow_state_load(saved->state, doc, state, err) < 0)
        return corrupt(err, "state");
    if (!json_is(doc, schemas, JSON_OBJECT))
        return corrupt(err, "schemas");
    if (applied != JSON_NONE && !json_is(doc, applied, JSON_OBJECT))
        return corrupt(err, "applied");
    struct arena arena;
    arena_init(&arena);
    struct slice raw = json_raw(doc, paths);
    struct slice raw_applied = applied == JSON_NONE ? SLICE_LITERAL("") : json_raw(doc, applied);
    const struct task_flow_item item = {.version = json_cstring(doc, version, &arena),
                                        .paths = arena_strndup(&arena, raw.data, raw.size),
                                        .applied = arena_strndup(&arena, raw_applied.data, raw_applied.size)};
    task_flow_saved_take(saved, &item, err);
    for (uint32_t key = json_first_key(doc, schemas); key != JSON_NONE;
         key = json_next_key(doc, schemas, key))
        keep_schema(saved, json_string(doc, key, &arena), json_raw(doc, json_value(key)));
    arena_done(&arena);
    return 0;
}
