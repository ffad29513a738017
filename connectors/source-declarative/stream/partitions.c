/* Cursors per partition, and the states they make. */
#include "cursor_parts.h"

#include <math.h>
#include <stdlib.h>

static struct partition_state *partition_new(struct cursor *cursor, struct slice key,
                                             const struct tvalue *value)
{
    struct partition_state *partition = mem_zalloc(sizeof *partition);
    arena_init(&partition->arena);
    partition->key = (struct slice){arena_strndup(&partition->arena, key.data, key.size), key.size};
    partition->partition = value_copy(&partition->arena, value);
    partition->cursor = tvalue_none();
    map_set(&cursor->partitions, partition->key, partition);
    return partition;
}

static void partition_free(struct partition_state *partition)
{
    windows_done(&partition->windows);
    arena_done(&partition->arena);
    free(partition);
}

void cursor_done(struct cursor *cursor)
{
    struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&cursor->partitions, &at));)
        partition_free(entry->value);
    map_done(&cursor->partitions);
    arena_done(&cursor->global_arena);
}

void cursor_reset(struct cursor *cursor)
{
    cursor_done(cursor);
    map_init(&cursor->partitions);
    arena_init(&cursor->global_arena);
    cursor->partition_count = 0;
    cursor->uses_global = cursor->prefers_global;
    cursor->has_global = cursor->has_new_global = false;
    cursor->lookback_seconds = 0;
    cursor->began_ns = 0;
    cursor->observed_any = false;
}

bool cursor_has_states(const struct cursor *cursor)
{
    return cursor->kind != CURSOR_NONE;
}

bool cursor_moves(const struct cursor *cursor)
{
    return cursor->kind != CURSOR_NONE && !cursor->uses_global;
}

size_t cursor_kept(const struct cursor *cursor)
{
    return cursor->partitions.count;
}

/* --- the state that a sync begins with ----------------------------------------------------------- */

/* Written anew: a state that came in another format is in the cursor's own from then on. */
static int set_global(struct cursor *cursor, struct arena *arena, struct point point, struct error *err)
{
    struct tvalue state = tvalue_dict(arena), value;
    if (cursor_format(cursor, arena, point, &value, err) != 0)
        return -1;
    tdict_set(arena, state.dict, tvalue_string(cursor->field), value);
    arena_clear(&cursor->global_arena);
    cursor->global_state = value_copy(&cursor->global_arena, &state);
    cursor->global = cursor->new_global = cursor_settle(cursor, arena, point);
    cursor->has_global = cursor->has_new_global = true;
    return 0;
}

void cursor_raise_global(struct cursor *cursor, struct arena *arena, struct point point)
{
    /* Which of two is the later is told by what is written of them. Without an offset that says the same. */
    if (point.offset != 0 || cursor->rewrites_time)
        point = cursor_settle(cursor, arena, point);
    if (cursor->has_new_global && point.at <= cursor->new_global.at)
        return;
    cursor->has_new_global = true;
    cursor->new_global = point;
}

/* {"field": "…"}; one without the field is none, nor is what counts nothing. */
static bool has_value(const struct cursor *cursor, struct arena *arena, const struct tvalue *state,
                      struct tvalue *ret_value)
{
    return tvalue_is_mapping(state) && tvalue_member_name(arena, state, cursor->field, ret_value) &&
           (cursor->kind != CURSOR_COUNT || tvalue_true(ret_value));
}

static int read_global(struct cursor *cursor, struct arena *arena, const struct tvalue *state,
                       struct error *err)
{
    struct tvalue value;
    struct point point;
    if (!has_value(cursor, arena, state, &value))
        return 0;
    if (cursor_parse(cursor, arena, &value, &point, err) != 0)
        return -1;
    return set_global(cursor, arena, point, err);
}

static int read_partition(struct cursor *cursor, struct arena *arena, const struct tvalue *item,
                          struct error *err)
{
    struct tvalue partition, state;
    if (!tvalue_is_mapping(item) ||
        !tvalue_member_name(arena, item, SLICE_LITERAL("partition"), &partition) ||
        !tvalue_member_name(arena, item, SLICE_LITERAL("cursor"), &state))
        return error_set(err, ERROR_INVALID,
                         "a partition of the state is not {\"partition\": {…}, \"cursor\": {…}}");
    struct partition_state *known = partition_new(cursor, partition_key(arena, &partition), &partition);
    known->cursor = value_copy(&known->arena, &state);
    cursor->partition_count++;
    return 0;
}

static int read_partitioned(struct cursor *cursor, struct arena *arena, const struct tvalue *state,
                            struct error *err)
{
    struct tvalue value, item;
    struct titer iter;
    bool has_states = tvalue_member_name(arena, state, SLICE_LITERAL("states"), &value);
    bool has_global = tvalue_member_name(arena, state, SLICE_LITERAL("state"), &item);
    if (!has_states && !has_global)
        return read_global(cursor, arena, state, err);
    cursor->uses_global =
        tvalue_member_name(arena, state, SLICE_LITERAL("use_global_cursor"), &item) && tvalue_true(&item);
    if (tvalue_member_name(arena, state, SLICE_LITERAL("lookback_window"), &item) &&
        item.kind == TVALUE_INT && item.integer > 0)
        cursor->lookback_seconds = item.integer < LOOKBACK_MAX ? item.integer : LOOKBACK_MAX;
    if (has_states && !tvalue_is_list(&value))
        return error_set(err, ERROR_INVALID, "its \"states\" are a %s, not a list", tvalue_type(&value));
    if (has_states) {
        titer_init(&iter, arena, value);
        while (titer_next(&iter, &item)) {
            if (read_partition(cursor, arena, &item, err) != 0)
                return -1;
        }
    }
    if (tvalue_member_name(arena, state, SLICE_LITERAL("state"), &item))
        return read_global(cursor, arena, &item, err);
    return 0;
}

int cursor_set_state(struct cursor *cursor, const struct json *state, uint32_t at, struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    struct tvalue value = tvalue_json(&arena, state, at);
    int result = 0;
    if (cursor->kind != CURSOR_NONE && tvalue_is_mapping(&value) && tvalue_count(&value) > 0) {
        result = cursor_prepare(cursor, &arena, err);
        if (result == 0 && cursor->has_partitions) {
            result = read_partitioned(cursor, &arena, &value, err);
        } else if (result == 0) {
            struct tvalue none = tvalue_dict(&arena);
            partition_new(cursor, SLICE_LITERAL(""), &none)->cursor = tvalue_none();
            struct partition_state *only = map_get(&cursor->partitions, SLICE_LITERAL(""));
            only->cursor = value_copy(&only->arena, &value);
        }
    }
    arena_done(&arena);
    if (result != 0)
        return error_wrap(err, "the state of stream %s", cursor->stream_name);
    return 0;
}

/* --- slices -------------------------------------------------------------------------------------- */

/* Does the state tell all that has been read, as the CDK's concurrent cursors write it, where they are not
 * told to write what others do? */
static bool has_slices(struct arena *arena, const struct tvalue *state)
{
    struct tvalue type;
    return tvalue_is_mapping(state) && tvalue_member_name(arena, state, SLICE_LITERAL("state_type"), &type) &&
           type.kind == TVALUE_STRING &&
           (slice_is(type.text, "date-range") || slice_is(type.text, "integer"));
}

/* {"start": …, "end": …, "most_recent_cursor_value": …}, the last of which may miss. */
static int read_slice(struct cursor *cursor, struct arena *arena, const struct tvalue *item,
                      struct window *ret_window, struct error *err)
{
    struct tvalue start, end, recent;
    *ret_window = (struct window){0};
    if (!tvalue_is_mapping(item) || !tvalue_member_name(arena, item, SLICE_LITERAL("start"), &start) ||
        !tvalue_member_name(arena, item, SLICE_LITERAL("end"), &end))
        return error_set(err, ERROR_INVALID, "a slice of it is not {\"start\": …, \"end\": …}");
    ret_window->has_recent =
        tvalue_member_name(arena, item, SLICE_LITERAL("most_recent_cursor_value"), &recent);
    if (cursor_parse(cursor, arena, &start, &ret_window->start, err) != 0 ||
        cursor_parse(cursor, arena, &end, &ret_window->end, err) != 0)
        return -1;
    return ret_window->has_recent ? cursor_parse(cursor, arena, &recent, &ret_window->recent, err) : 0;
}

/* From then on the state is the cursor's value, beside what an older state had. */
static int resume_slices(struct cursor *cursor, struct partition_state *partition, struct arena *arena,
                         struct error *err)
{
    struct tvalue list, item, legacy = tvalue_none();
    struct titer iter;
    size_t count = 0;
    if (!tvalue_member_name(arena, &partition->cursor, SLICE_LITERAL("slices"), &list) ||
        !tvalue_is_list(&list) || tvalue_count(&list) == 0)
        return error_set(err, ERROR_INVALID, "it has no slices");
    struct window *done = arena_zalloc(arena, tvalue_count(&list) * sizeof *done);
    titer_init(&iter, arena, list);
    while (titer_next(&iter, &item)) {
        if (read_slice(cursor, arena, &item, &done[count++], err) != 0)
            return -1;
    }
    tvalue_member_name(arena, &partition->cursor, SLICE_LITERAL("legacy"), &legacy);
    partition->cursor = value_copy(&partition->arena, &legacy);
    windows_resume(&partition->windows, &cursor->windowing, done, count);
    return 0;
}

/* Where a partition begins: its own state, the global cursor less the last sync's length, or the start. */
static int begin_partition(struct cursor *cursor, struct partition_state *partition, struct arena *arena,
                           struct error *err)
{
    struct tvalue value;
    struct point point = {0};
    if (has_slices(arena, &partition->cursor)) {
        if (resume_slices(cursor, partition, arena, err) != 0)
            return error_wrap(err, "the state of stream %s", cursor->stream_name);
        partition->begun = true;
        return 0;
    }
    bool has_state = has_value(cursor, arena, &partition->cursor, &value);
    if (has_state) {
        if (cursor_parse(cursor, arena, &value, &point, err) != 0)
            return error_wrap(err, "the state of stream %s", cursor->stream_name);
    } else if (cursor->has_partitions && cursor->has_global) {
        has_state = true;
        point = cursor->global;
        if (cursor->kind == CURSOR_DATETIME && cursor->lookback_seconds > 0) {
            point.at -= cursor->lookback_seconds * DATETIME_SECOND;
            point = cursor_settle(cursor, arena, point);
        }
    }
    windows_begin(&partition->windows, &cursor->windowing, has_state, point);
    partition->begun = true;
    return 0;
}

struct cutting {
    struct cursor *cursor;
    struct partition_state *partition;
    const struct stream_slice *given;
    struct arena *arena;
    partition_sink *on_slice;
    void *context;
};

static int on_window(void *context, struct point start, struct point end, struct error *err)
{
    struct cutting *cutting = context;
    struct cursor *cursor = cutting->cursor;
    struct arena *arena = cutting->arena;
    struct tvalue window = tvalue_dict(arena), from, to;
    if (cursor_format(cursor, arena, start, &from, err) != 0 ||
        cursor_format(cursor, arena, end, &to, err) != 0)
        return -1;
    tdict_set(arena, window.dict, tvalue_string(cursor->start_field), from);
    tdict_set(arena, window.dict, tvalue_string(cursor->end_field), to);
    struct stream_slice slice =
        stream_slice_make(arena, cutting->given->partition, window, cutting->given->extra_fields);
    slice.owner = cutting->partition;
    slice.start = start.at;
    slice.end = end.at;
    cutting->partition->open++;
    return cutting->on_slice(cutting->context, &slice, err);
}

/* Past the limit, those that have been read go first, the oldest before. */
static void limit_partitions(struct cursor *cursor)
{
    struct map_entry *entry;
    if (!cursor->uses_global && cursor->partition_count > PARTITIONS_GLOBAL_AFTER) {
        cursor->uses_global = true;
        engine_log(cursor->engine, ENGINE_INFO,
                   "stream %s has more than %d partitions: its state is one for all from now on",
                   cursor->stream_name, PARTITIONS_GLOBAL_AFTER);
    }
    for (size_t at = 0;
         cursor->partitions.count >= PARTITIONS_KEPT_MAX && (entry = map_next(&cursor->partitions, &at));) {
        struct partition_state *partition = entry->value;
        if (partition->begun && (!partition->known || partition->open > 0))
            continue;
        map_remove(&cursor->partitions, partition->key);
        partition_free(partition);
    }
}

static int partition_for(struct cursor *cursor, const struct stream_slice *given, struct arena *arena,
                         struct partition_state **ret_partition, struct error *err)
{
    struct slice key = cursor->has_partitions ? stream_slice_key(arena, given) : SLICE_LITERAL("");
    struct partition_state *partition = map_get(&cursor->partitions, key);
    *ret_partition = NULL;
    if (partition && partition->begun) {
        engine_log(cursor->engine, ENGINE_WARN, "stream %s has a partition twice; it is read once",
                   cursor->stream_name);
        return 0;
    }
    if (!partition) {
        if (cursor->has_partitions)
            limit_partitions(cursor);
        partition = partition_new(cursor, key, &given->partition);
        cursor->partition_count++;
    }
    *ret_partition = partition;
    return begin_partition(cursor, partition, arena, err);
}

int cursor_slices(struct cursor *cursor, const struct stream_slice *partition, partition_sink *on_slice,
                  void *context, struct error *err)
{
    struct arena arena;
    struct cutting cutting = {
        .cursor = cursor, .given = partition, .arena = &arena, .on_slice = on_slice, .context = context};
    struct point end;
    if (cursor->kind == CURSOR_NONE)
        return on_slice(context, partition, err);
    if (!cursor->began_ns)
        cursor->began_ns = clock_monotonic_ns(cursor->engine->clock);
    arena_init(&arena);
    int result = cursor_prepare(cursor, &arena, err);
    if (result == 0)
        result = partition_for(cursor, partition, &arena, &cutting.partition, err);
    if (result == 0 && cutting.partition) {
        result = cursor_end_point(cursor, &arena, &end, err);
        if (result == 0)
            result =
                windows_cut(&cutting.partition->windows, &cursor->windowing, end, on_window, &cutting, err);
        cutting.partition->known = true;
    }
    arena_done(&arena);
    return result;
}

int64_t cursor_lowest(struct cursor *cursor, struct arena *arena, const struct record *record)
{
    struct slice key = SLICE_LITERAL("");
    if (cursor->has_partitions && record->stream_slice.kind == TVALUE_OBJECT) {
        const struct tobject *object = record->stream_slice.object;
        for (uint32_t i = 0; i < object->attribute_count; i++) {
            if (strcmp(object->attributes[i].name, "partition") == 0)
                key = partition_key(arena, &object->attributes[i].value);
        }
    }
    struct partition_state *partition = map_get(&cursor->partitions, key);
    return partition && partition->begun ? partition->windows.lowest : INT64_MIN;
}

/* --- what has been read -------------------------------------------------------------------------- */

int cursor_slice_done(struct cursor *cursor, const struct stream_slice *slice, struct error *err)
{
    struct partition_state *partition = slice->owner;
    (void)err;
    if (cursor->kind == CURSOR_NONE || !partition)
        return 0;
    assert(partition->open > 0);
    partition->open--;
    struct window *window = windows_find(&partition->windows, slice->start, slice->end);
    struct arena arena;
    arena_init(&arena);
    if (window && cursor->state_is_window_end)
        window_observe(window, window->end);
    if (window && cursor->rewrites_time) {
        window->start = cursor_settle(cursor, &arena, window->start);
        window->end = cursor_settle(cursor, &arena, window->end);
    }
    windows_close(&partition->windows, &cursor->windowing, window);
    if (cursor->has_partitions)
        cursor_raise_global(cursor, &arena, windows_reached(&partition->windows));
    arena_done(&arena);
    return 0;
}

int cursor_finish(struct cursor *cursor, struct error *err)
{
    struct arena arena;
    /* Without a record the last sync's global cursor and length go on to count. */
    if (cursor->kind == CURSOR_NONE || !cursor->has_partitions || !cursor->observed_any)
        return 0;
    uint64_t took = clock_monotonic_ns(cursor->engine->clock) - cursor->began_ns;
    cursor->lookback_seconds = (int64_t)(took / 1000000000) + 1;
    if (!cursor->has_new_global)
        return 0;
    arena_init(&arena);
    int result = set_global(cursor, &arena, cursor->new_global, err);
    arena_done(&arena);
    return result;
}

/* --- the state now ------------------------------------------------------------------------------- */

/* {"field": "…"}, beside what else the state had. */
static int state_of(const struct cursor *cursor, const struct partition_state *partition, struct arena *arena,
                    struct tvalue *ret_state, struct error *err)
{
    struct tvalue value;
    *ret_state =
        tvalue_is_mapping(&partition->cursor) ? value_copy(arena, &partition->cursor) : tvalue_dict(arena);
    if (!partition->begun)
        return 0;
    if (cursor_format(cursor, arena, windows_reached(&partition->windows), &value, err) != 0)
        return -1;
    value_own(arena, ret_state);
    tdict_set(arena, ret_state->dict, tvalue_string(cursor->field), value);
    return 0;
}

static int states_of(const struct cursor *cursor, struct arena *arena, struct tdict *state, struct error *err)
{
    struct tvalue list = tvalue_list(arena);
    struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&cursor->partitions, &at));) {
        const struct partition_state *partition = entry->value;
        struct tvalue item = tvalue_dict(arena), now;
        if (state_of(cursor, partition, arena, &now, err) != 0)
            return -1;
        tdict_set_name(arena, item.dict, "partition", value_copy(arena, &partition->partition));
        tdict_set_name(arena, item.dict, "cursor", now);
        tlist_push(arena, list.list, item);
    }
    tdict_set_name(arena, state, "states", list);
    return 0;
}

int cursor_state(struct cursor *cursor, struct tvalue parents, struct arena *arena, struct tvalue *ret_state,
                 struct error *err)
{
    *ret_state = tvalue_dict(arena);
    struct tdict *state = ret_state->dict;
    if (cursor->kind == CURSOR_NONE) {
        tdict_set_name(arena, state, "__ab_no_cursor_state_message", tvalue_bool(true));
        return 0;
    }
    if (cursor_prepare(cursor, arena, err) != 0)
        return -1;
    if (!cursor->has_partitions) {
        struct partition_state *only = map_get(&cursor->partitions, SLICE_LITERAL(""));
        if (!only) {
            struct tvalue none = tvalue_dict(arena);
            only = partition_new(cursor, SLICE_LITERAL(""), &none);
        }
        return state_of(cursor, only, arena, ret_state, err);
    }
    tdict_set_name(arena, state, "use_global_cursor", tvalue_bool(cursor->uses_global));
    if (!cursor->uses_global && states_of(cursor, arena, state, err) != 0)
        return -1;
    if (cursor->has_global)
        tdict_set_name(arena, state, "state", value_copy(arena, &cursor->global_state));
    tdict_set_name(arena, state, "lookback_window", tvalue_int(cursor->lookback_seconds));
    if (tvalue_is_mapping(&parents))
        tdict_set_name(arena, state, "parent_state", parents);
    return 0;
}
