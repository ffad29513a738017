/* A connector changed its config while it ran (CONTROL): the control store's becomes the same. The task has
 * it already, so that what is lost here, with the daemon, is told again by the next session. */
#include "supervisor/jobs_state.h"

#include "base/fault.h"
#include "connector/marks.h"
#include "control/actors.h"
#include "control/definitions.h"
#include "schema/schema.h"
#include "json/writer.h"

#include <stdlib.h>

/* What we have put into the config for the connector is no part of it. */
static bool is_ours(const struct json *doc, uint32_t key, struct arena *arena)
{
    return slice_starts_with(json_string(doc, key, arena), "__injected_");
}

/* `was` with the members of `now` in their places, new ones last. */
static int merge(struct slice was, struct slice now, struct arena *arena, struct slice *ret_merged,
                 struct error *err)
{
    struct json old, new;
    struct buffer text;
    struct json_writer writer;
    if (json_parse_copy(arena, was.data, was.size, &old, err) < 0 ||
        json_parse_copy(arena, now.data, now.size, &new, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (uint32_t key = json_first_key(&old, 0); key != JSON_NONE; key = json_next_key(&old, 0, key)) {
        uint32_t newer = json_get_slice(&new, 0, json_string(&old, key, arena));
        json_put_key_of(&writer, &old, key);
        json_put_value(&writer, newer == JSON_NONE ? &old : &new,
                       newer == JSON_NONE ? json_value(key) : newer);
    }
    for (uint32_t key = json_first_key(&new, 0); key != JSON_NONE; key = json_next_key(&new, 0, key)) {
        if (is_ours(&new, key, arena) || json_get_slice(&old, 0, json_string(&new, key, arena)) != JSON_NONE)
            continue;
        json_put_key_of(&writer, &new, key);
        json_put_value(&writer, &new, json_value(key));
    }
    json_end_object(&writer);
    *ret_merged = (struct slice){arena_dup(arena, text.data, text.size), text.size};
    explicit_bzero(text.data, text.size);
    buffer_done(&text);
    return 0;
}

/* By the connector's own spec, if it was ever asked for it; one that does not compile allows everything. No
 * value is told: it may be secret. */
static int check(const struct control_definition *definition, struct slice config, struct arena *arena,
                 struct error *err)
{
    struct json spec, doc;
    struct error unused;
    if (definition->spec.size == 0 ||
        json_parse_copy(arena, definition->spec.data, definition->spec.size, &spec, &unused) < 0 ||
        json_parse_copy(arena, config.data, config.size, &doc, &unused) < 0)
        return 0;
    uint32_t at = json_get(&spec, 0, "connectionSpecification");
    mem_auto(schema_registry_free) struct schema_registry *registry = schema_registry_new(SCHEMA_DRAFT_7);
    if (at == JSON_NONE || schema_registry_add(registry, "firth:spec", json_raw(&spec, at), &unused) < 0)
        return 0;
    mem_auto(schema_free) struct schema *schema = schema_compile(registry, "firth:spec", &unused);
    if (!schema)
        return 0;
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    if (schema_validate(schema, validator, &doc, 0, &unused) != 0)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "the connector '%s' changed its config to one that its own spec does not allow",
                     definition->name);
}

/* The attempt is not to go on: its connector works with what will not be there again. */
static void refuse(struct job_run *run, enum control_side side, const struct error *error)
{
    job_run_blame(run, control_side_name(side), error);
    run->refused = true;
    if (run->child)
        child_stop(run->child);
}

void job_config_take(struct job_run *run, enum control_side side, struct slice said)
{
    struct control *control = run->jobs->options.control;
    const struct control_connection *connection = &run->spec->connection;
    struct control_actor actor;
    struct control_definition definition;
    struct slice merged = {0};
    struct arena arena;
    struct error err;
    arena_init(&arena);
    fault_point("job-config");
    int result = control_actor_get(control, side,
                                   side == CONTROL_SOURCE ? connection->source : connection->destination,
                                   false, &arena, &actor, &err);
    if (result == 0)
        result = control_definition_get(control, actor.definition, false, &arena, &definition, &err);
    if (result == 0)
        result = merge(actor.config, said, &arena, &merged, &err);
    if (result == 0 && check(&definition, merged, &arena, &err) < 0) {
        refuse(run, side, &err);
    } else if (result == 0 && !slice_equal(merged, actor.config)) {
        actor.config = merged;
        actor.updated_ms = jobs_now_ms();
        result = control_actor_put(control, &actor, &err);
        if (result == 0)
            job_run_log(run, LOG_INFO, "daemon", "the connector's new config is kept");
    }
    if (result < 0)
        jobs_store_failed(run->jobs, &err); /* the next session tells it again */
    if (merged.size)
        explicit_bzero((char *)merged.data, merged.size);
    arena_done(&arena);
}
