/* State migrations: LegacyToPerPartitionStateMigration. */
#include "stream_parts.h"

/* The field that partitions have: of a union its own, of a substream its first parent's. */
static int partition_field(struct engine *engine, struct component router, struct slice *ret_field,
                           struct error *err)
{
    if (component_is(router, "SubstreamPartitionRouter")) {
        router = component_at(component_get(router, "parent_stream_configs"), 0);
    } else if (!component_is(router, "UnionPartitionRouter")) {
        error_set(err, ERROR_INVALID,
                  "LegacyToPerPartitionStateMigration needs a substream or a union as partition router");
        return component_error(err, router);
    }
    struct expression expression;
    struct scope scope;
    scope_init(&scope, engine);
    if (expression_compile(engine, router, "partition_field", &expression, err) != 0)
        return -1;
    return expression_text(&expression, &scope, &engine->arena, ret_field, err);
}

/* {"id": {"cursor_field": value}} and nothing else. */
static bool is_legacy(struct arena *arena, const struct tvalue *state, struct slice cursor_field)
{
    struct titer iter;
    struct tvalue key, value;
    if (!tvalue_is_mapping(state) || tvalue_count(state) == 0 ||
        tvalue_member_name(arena, state, SLICE_LITERAL("states"), &value))
        return false;
    titer_init(&iter, arena, *state);
    while (titer_next(&iter, &key)) {
        if (!tvalue_is_mapping(&iter.of_key) || tvalue_count(&iter.of_key) != 1 ||
            !tvalue_member_name(arena, &iter.of_key, cursor_field, &value))
            return false;
    }
    return true;
}

static int migrate_legacy(struct engine *engine, struct component stream, struct slice *state,
                          struct error *err)
{
    struct arena *arena = &engine->arena;
    struct slice cursor_field = component_text(component_get(stream, "incremental_sync"), "cursor_field");
    struct component router = component_get(component_get(stream, "retriever"), "partition_router");
    struct slice field;
    struct json *doc = arena_zalloc(arena, sizeof *doc);
    if (json_parse_copy(arena, state->data, state->size, doc, err) != 0)
        return -1;
    struct tvalue old = tvalue_json(arena, doc, 0), key;
    if (!cursor_field.data || !is_legacy(arena, &old, cursor_field))
        return 0;
    if (!component_is_none(router))
        router = component_at(router, 0);
    if (component_is(router, "SubstreamPartitionRouter") &&
        component_count(component_get(router, "parent_stream_configs")) != 1)
        return 0; /* whose key it is cannot be told */
    if (partition_field(engine, router, &field, err) != 0)
        return -1;
    struct tvalue states = tvalue_list(arena), migrated = tvalue_dict(arena);
    struct titer iter;
    titer_init(&iter, arena, old);
    while (titer_next(&iter, &key)) {
        struct tvalue partition = tvalue_dict(arena), item = tvalue_dict(arena);
        tdict_set(arena, partition.dict, tvalue_string(field), key);
        if (component_is(router, "SubstreamPartitionRouter"))
            tdict_set_name(arena, partition.dict, "parent_slice", tvalue_dict(arena));
        tdict_set_name(arena, item.dict, "partition", partition);
        tdict_set_name(arena, item.dict, "cursor", iter.of_key);
        tlist_push(arena, states.list, item);
    }
    tdict_set_name(arena, migrated.dict, "states", states);
    struct buffer text;
    buffer_init(&text, RECORD_SIZE_MAX);
    int result = value_write(&text, &migrated, err);
    if (result == 0)
        *state = (struct slice){arena_strndup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return result;
}

int state_migrate(struct engine *engine, struct component stream, struct slice *state, struct error *err)
{
    struct component list = component_get(stream, "state_migrations");
    size_t count = component_is_none(list) ? 0 : component_count(list);
    for (size_t i = 0; i < count; i++) {
        struct component migration = component_at(list, i);
        if (!component_is(migration, "LegacyToPerPartitionStateMigration")) {
            error_set(err, ERROR_UNSUPPORTED, "it is no state migration that Firth has");
            return component_error(err, migration);
        }
        if (migrate_legacy(engine, stream, state, err) != 0)
            return error_wrap(err, "the state of stream");
    }
    return 0;
}
