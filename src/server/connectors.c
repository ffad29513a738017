#include "server/connectors.h"

#include "base/hash.h"
#include "server/internal.h"
#include "supervisor/changed_config.h"
#include "supervisor/config_check.h"
#include "supervisor/definitions.h"

#include <stdio.h>

/* What a held call waits for. */
struct waiting {
    struct ask ask;
    const struct control_definition *definition;
    connectors_then *then;
    connectors_answered *answered;
    /* of connectors_ask */
    const struct control_actor *keeper; /* or NULL */
    struct slice asked;                 /* the config, as the keeper has it or is to have it */
    bool changed;                       /* its config is another one now */
    struct slice logs;                  /* of the last question: ask_read_logs; size 0: there was none */
    /* of connectors_with_catalog */
    struct control_actor source;
    const char *label; /* of its connector */
    uint64_t of;
    bool fresh;
    connectors_discovered *discovered;
    connectors_answered *failed;
};

static struct waiting *waiting_of(struct call *call)
{
    if (!call->state)
        call->state = arena_zalloc(call->arena, sizeof(struct waiting));
    return call->state;
}

/* What a catalog is of: the source's config and its connector. */
static uint64_t identity_of(const struct waiting *waiting)
{
    return hash_xxh3(waiting->source.config.data, waiting->source.config.size, 1) ^
           hash_xxh3(waiting->label, strlen(waiting->label), 2);
}

/* --- a definition ------------------------------------------------------------------------------------- */

struct slice connectors_schema(const struct control_definition *definition, struct arena *arena)
{
    return config_schema(definition, arena);
}

const struct connectors_known *connectors_known(struct call *call, const char *id, struct error *err)
{
    for (struct connectors_known *each = call->known; each; each = each->next) {
        if (strcmp(each->definition.id, id) == 0)
            return each;
    }
    struct connectors_known *found = arena_zalloc(call->arena, sizeof *found);
    if (control_definition_get(call->control, id, true, call->arena, &found->definition, err) < 0)
        return NULL;
    found->schema = connectors_schema(&found->definition, call->arena);
    found->next = call->known;
    call->known = found;
    return found;
}

/* --- asking ------------------------------------------------------------------------------------------- */

static void on_answered(struct ask *ask)
{
    http_request_resume(((struct call *)ask->owner)->http);
}

/* What the connector made of its config. *ret_refused: its own spec does not allow that. */
static int keep_config(struct call *call, bool *ret_refused, struct error *err)
{
    struct waiting *waiting = call->state;
    const struct control_actor *keeper = waiting->keeper;
    struct slice said = {0}, now = {0};
    *ret_refused = false;
    if (!keeper)
        return 0;
    int result = ask_read_config(&waiting->ask, call->arena, &said, err);
    if (result < 0 || said.size == 0)
        return result;
    const struct changed_config change = {keeper->side, keeper->id, waiting->asked, said};
    result = changed_config_keep(call->control, &change, clock_wall_ms(&clock_system), call->arena, &now,
                                 ret_refused, err);
    waiting->changed |= result == 1;
    if (result == 1 && keeper == &waiting->source) {
        waiting->source.config = now;
        waiting->of = identity_of(waiting);
    }
    return result < 0 ? -1 : 0;
}

static enum http_next go_on(struct call *call)
{
    struct waiting *waiting = call->state;
    struct json payload = {0};
    struct error err, lost;
    bool refused;
    int kept = keep_config(call, &refused, &lost);
    int result = ask_read(&waiting->ask, call->arena, &payload, &err);
    waiting->logs = ask_read_logs(&waiting->ask, call->arena);
    ask_done(&waiting->ask);
    if (kept < 0 && !refused)
        return call_error(call, &lost);
    if (kept < 0)
        return waiting->answered(call, NULL, &lost);
    return waiting->answered(call, result < 0 ? NULL : &payload, result < 0 ? &err : NULL);
}

/* The call is held first: the answer may come before this returns. */
static enum http_next begin(struct call *call, struct waiting *waiting, connectors_answered *then)
{
    waiting->ask.owner = call;
    waiting->ask.done = on_answered;
    waiting->answered = then;
    waiting->ask.client = http_request_socket(call->http);
    enum http_next next = call_hold(call, go_on);
    if (ask_start(call->server->asks, &waiting->ask))
        return next;
    waiting->ask.failed = true;
    error_set(&waiting->ask.error, ERROR_CANCELLED,
              "%d connectors are being asked already, and have not answered: try again", ASKS_MAX);
    http_request_resume(call->http);
    return next;
}

static const char *config_member(const struct call *call)
{
    return call_member(call, "configuration") != JSON_NONE ? "configuration" : "connectionConfiguration";
}

enum http_next connectors_ask(struct call *call, const struct control_definition *definition,
                              enum ask_verb verb, struct slice config, const struct control_actor *keeper,
                              connectors_answered *then)
{
    struct waiting *waiting = waiting_of(call);
    struct connector_spec program;
    struct error err;
    waiting->keeper = keeper;
    waiting->asked = config;
    if (definitions_program(call->control, definition, call->arena, &program, &err) < 0)
        return then(call, NULL, &err);
    if (definitions_config(definition, config, call->arena, &config, &err) < 0)
        return call_error(call, &err);
    ask_init(&waiting->ask, verb, &program, config, connectors_schema(definition, call->arena));
    waiting->ask.what =
        arena_printf(call->arena, "the %s '%s', asked for '%s',", control_side_name(definition->side),
                     definition->name, ask_verb_name(verb));
    if (waiting->ask.request.overflowed) {
        ask_done(&waiting->ask);
        return call_invalid(call, config_member(call), "the config is too large");
    }
    return begin(call, waiting, then);
}

enum http_next connectors_post(struct call *call, const char *url, struct slice body,
                               connectors_answered *then)
{
    struct waiting *waiting = waiting_of(call);
    ask_init_webhook(&waiting->ask, url, body);
    return begin(call, waiting, then);
}

/* --- specs -------------------------------------------------------------------------------------------- */

/* What the request names, and so what is wrong with it, if a connector does not answer. */
static const char *asked_member(const struct call *call)
{
    static const char *const names[] = {"sourceDefinitionId", "destinationDefinitionId", "definitionId",
                                        "sourceId",           "destinationId",           "connectionId"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (call_member(call, names[i]) != JSON_NONE)
            return names[i];
    }
    return "sourceId"; /* of a query or a path */
}

static enum http_next take_spec(struct call *call, const struct json *payload, const struct error *error)
{
    struct waiting *waiting = call->state;
    struct control_definition *definition = arena_dup(call->arena, waiting->definition, sizeof *definition);
    struct error err;
    if (error && error->code == ERROR_CANCELLED)
        return call_error(call, error);
    if (error)
        return call_invalid(call, asked_member(call), "the connector's spec could not be had: %s",
                            error->message);
    definition->spec = json_raw(payload, 0);
    definition->spec_of = definitions_label(definition, call->arena);
    if (control_definition_set_spec(call->control, definition->id, definition->spec_of, definition->spec,
                                    &err) < 0)
        return call_error(call, &err);
    return waiting->then(call, definition);
}

enum http_next connectors_with_spec(struct call *call, const char *id, enum control_side side,
                                    connectors_then *then)
{
    struct control_definition *definition = arena_zalloc(call->arena, sizeof *definition);
    struct waiting *waiting = waiting_of(call);
    struct error err;
    const char *kind = side == CONTROL_SOURCE ? "source definition" : "destination definition";
    if (control_definition_get(call->control, id, false, call->arena, definition, &err) < 0)
        return call_error_of(call, &err, kind, id);
    if (definition->side != side)
        return call_absent(call, kind, id);
    waiting->definition = definition;
    waiting->then = then;
    if (definition->spec.size && definition->spec_of &&
        strcmp(definition->spec_of, definitions_label(definition, call->arena)) == 0)
        return then(call, definition);
    return connectors_ask(call, definition, ASK_SPEC, (struct slice){0}, NULL, take_spec);
}

/* --- configs ------------------------------------------------------------------------------------------ */

bool connectors_config_valid(struct call *call, const struct control_definition *definition,
                             struct slice config, const char *field)
{
    const char *pointer;
    struct error err;
    bool given = config_check_shown(config, call->arena, &pointer, &err) == 0;
    if (given &&
        config_check(connectors_schema(definition, call->arena), config, call->arena, &pointer, &err) == 0)
        return true;
    char *place = arena_printf(call->arena, "%s%s", field, pointer);
    for (char *at = place; *at; at++)
        *at = *at == '/' ? '.' : *at;
    call_invalid(call, place, "%s%s: %s", given ? "json schema validation failed: " : "", place, err.message);
    return false;
}

/* --- catalogs ----------------------------------------------------------------------------------------- */

static enum http_next take_catalog(struct call *call, const struct json *payload, const struct error *error)
{
    struct waiting *waiting = call->state;
    struct control_catalog catalog;
    char id[CONTROL_UUID_SIZE];
    struct error err;
    if (error && error->code == ERROR_CANCELLED)
        return call_error(call, error);
    if (error && waiting->failed)
        return waiting->failed(call, NULL, error);
    if (error)
        return call_invalid(call, asked_member(call), "the source's streams could not be had: %s",
                            error->message);
    if (control_catalog_put(call->control, waiting->source.id, waiting->of, json_raw(payload, 0),
                            call->now_ms, id, &err) < 0 ||
        control_catalog_get(call->control, id, call->arena, &catalog, &err) < 0)
        return call_error(call, &err);
    return waiting->discovered(call, &waiting->source, &catalog);
}

static enum http_next discover(struct call *call, const struct control_definition *definition)
{
    struct waiting *waiting = call->state;
    struct control_catalog catalog;
    struct error err;
    waiting->label = definitions_label(definition, call->arena);
    waiting->of = identity_of(waiting);
    if (!waiting->fresh &&
        control_catalog_newest(call->control, waiting->source.id, call->arena, &catalog, &err) == 0 &&
        catalog.of == waiting->of)
        return waiting->discovered(call, &waiting->source, &catalog);
    return connectors_ask(call, definition, ASK_DISCOVER, waiting->source.config, &waiting->source,
                          take_catalog);
}

enum http_next connectors_with_catalog(struct call *call, const char *source, bool fresh,
                                       connectors_discovered *then, connectors_answered *failed)
{
    struct waiting *waiting = waiting_of(call);
    struct error err;
    if (control_actor_get(call->control, CONTROL_SOURCE, source, false, call->arena, &waiting->source, &err) <
        0)
        return call_error_of(call, &err, "source", source);
    waiting->fresh = fresh;
    waiting->discovered = then;
    waiting->failed = failed;
    return connectors_with_spec(call, waiting->source.definition, CONTROL_SOURCE, discover);
}

/* --- what was asked, as Airbyte tells it ---------------------------------------------------------------- */

void connectors_write_job(struct call *call, const char *config_type, const char *config_id,
                          const struct error *error)
{
    struct json_writer *out = &call->out;
    char id[CONTROL_UUID_SIZE];
    control_uuid_new(id);
    json_put_key(out, "jobInfo");
    json_begin_object(out);
    json_member_string(out, "id", id);
    json_member_string(out, "configType", config_type);
    if (config_id)
        json_member_string(out, "configId", config_id);
    json_member_i64(out, "createdAt", call_seconds(call->now_ms));
    json_member_i64(out, "endedAt", call_seconds(clock_wall_ms(&clock_system)));
    json_member_bool(out, "succeeded", !error);
    const struct waiting *waiting = call->state;
    json_member_bool(out, "connectorConfigurationUpdated", waiting && waiting->changed);
    json_put_key(out, "logs");
    json_begin_object(out);
    json_member_raw(out, "logLines", waiting && waiting->logs.size ? waiting->logs : SLICE_LITERAL("[]"));
    json_end_object(out);
    if (error) {
        json_put_key(out, "failureReason");
        json_begin_object(out);
        json_member_string(out, "failureType",
                           error->code == ERROR_INVALID ? "config_error" : "system_error");
        json_member_string(out, "externalMessage", error->message);
        json_member_i64(out, "timestamp", clock_wall_ms(&clock_system));
        json_end_object(out);
    }
    json_end_object(out);
}
