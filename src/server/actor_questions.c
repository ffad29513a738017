/* Sources and destinations asked: check_connection, discover_schema. */
#include "control/connection_check.h"
#include "server/connections.h"
#include "server/connectors.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/views.h"

static enum control_side side_of(const struct call *call)
{
    return (enum control_side)call->route->side;
}

static const char *id_of(const struct call *call)
{
    return call_uuid(call, side_of(call) == CONTROL_SOURCE ? "sourceId" : "destinationId");
}

/* --- checks ------------------------------------------------------------------------------------------- */

static enum http_next answer_check(struct call *call, const struct json *payload, const struct error *error)
{
    (void)payload;
    if (error && error->code == ERROR_CANCELLED)
        return call_error(call, error);
    struct json_writer *out = call_begin(call);
    json_member_string(out, "status", error ? "failed" : "succeeded");
    if (error)
        json_member_string(out, "message", error->message);
    connectors_write_job(
        call, side_of(call) == CONTROL_SOURCE ? "check_connection_source" : "check_connection_destination",
        id_of(call), NULL);
    return call_end(call);
}

/* A config that is not what the spec wants needs no process to fail. */
static enum http_next check_config(struct call *call, const struct control_definition *definition,
                                   struct slice config, const struct control_actor *keeper)
{
    if (!connectors_config_valid(call, definition, config, "connectionConfiguration"))
        return HTTP_ANSWER;
    return connectors_ask(call, definition, ASK_CHECK, config, keeper, answer_check);
}

/* A config that is not kept yet has nowhere to be kept when its connector changes it: a token that the check
 * exchanges is lost, and the caller's own does not work any more. */
static enum http_next check_given(struct call *call, const struct control_definition *definition)
{
    return check_config(call, definition, call_raw(call, "connectionConfiguration"), NULL);
}

static enum http_next check_kept(struct call *call, const struct control_definition *definition)
{
    struct control_actor *actor = arena_zalloc(call->arena, sizeof *actor);
    struct error err;
    struct slice config;
    if (control_actor_get(call->control, side_of(call), id_of(call), false, call->arena, actor, &err) < 0 ||
        actor_changed_config(call, actor, "connectionConfiguration", false, &config, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id_of(call));
    return check_config(call, definition, config, actor);
}

enum http_next actor_check(struct call *call)
{
    struct control_actor actor;
    struct error err;
    const char *id = id_of(call);
    if (control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id);
    return connectors_with_spec(call, actor.definition, side_of(call), check_kept);
}

/* Of a config that is not kept yet. */
enum http_next actor_check_core(struct call *call)
{
    bool source = side_of(call) == CONTROL_SOURCE;
    return connectors_with_spec(call,
                                call_uuid(call, source ? "sourceDefinitionId" : "destinationDefinitionId"),
                                side_of(call), check_given);
}

/* --- discovery ---------------------------------------------------------------------------------------- */

static enum http_next answer_failed(struct call *call, const struct json *payload, const struct error *error)
{
    (void)payload;
    call_begin(call);
    connectors_write_job(call, "discover_schema", id_of(call), error);
    return call_end(call);
}

/* What is new for a connection of the source. The connection itself stays as it is, but that it is synced
 * again if what was breaking is no more. */
static int write_changes(struct call *call, const struct control_catalog *catalog, struct error *err)
{
    const char *id = call_uuid(call, "connectionId");
    struct control_connection connection, kept;
    bool any, breaking;
    if (!id) {
        json_member_bool(&call->out, "breakingChange", false);
        return 0;
    }
    if (control_connection_get(call->control, id, false, call->arena, &connection, err) < 0)
        return -1;
    kept = connection;
    if (view_catalog_changes(call, &connection, catalog, &any, &breaking, err) < 0 ||
        (!breaking && connection_settle(call, &kept, err) < 0))
        return -1;
    json_member_bool(&call->out, "breakingChange", breaking);
    json_member_string(&call->out, "connectionStatus", control_connection_status_name(connection.status));
    return 0;
}

/* Where the connection is named, for which it is asked. */
static int find_modes(struct call *call, unsigned *ret_modes, struct error *err)
{
    const char *id = call_uuid(call, "connectionId");
    struct control_connection connection;
    if (!id)
        return 0;
    if (control_connection_get(call->control, id, false, call->arena, &connection, err) < 0)
        return -1;
    return control_destination_modes(call->control, connection.destination, call->arena, ret_modes, err);
}

static enum http_next answer_catalog(struct call *call, const struct control_actor *source,
                                     const struct control_catalog *catalog)
{
    struct json_writer *out = call_begin(call);
    struct error err;
    unsigned modes = 0;
    if (find_modes(call, &modes, &err) < 0)
        return call_error_of(call, &err, "connection", call_uuid(call, "connectionId"));
    json_put_key(out, "catalog");
    view_discovered(out, catalog->catalog, modes, call->arena);
    json_member_string(out, "catalogId", catalog->id);
    if (write_changes(call, catalog, &err) < 0)
        return call_error_of(call, &err, "connection", call_uuid(call, "connectionId"));
    connectors_write_job(call, "discover_schema", source->id, NULL);
    return call_end(call);
}

enum http_next source_discover(struct call *call)
{
    const char *id = call_uuid(call, "connectionId"), *source = call_uuid(call, "sourceId");
    struct control_connection connection;
    struct error err;
    if (id && control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    if (id && strcmp(connection.source, source) != 0)
        return call_invalid(call, "connectionId", "connectionId: the connection is of another source");
    return connectors_with_catalog(call, call_uuid(call, "sourceId"), call_bool(call, "disable_cache", false),
                                   answer_catalog, answer_failed);
}

static enum http_next answer_core(struct call *call, const struct json *payload, const struct error *error)
{
    if (error && error->code == ERROR_CANCELLED)
        return call_error(call, error);
    if (error)
        return answer_failed(call, payload, error);
    struct json_writer *out = call_begin(call);
    json_put_key(out, "catalog");
    view_discovered(out, json_raw(payload, 0), 0, call->arena);
    connectors_write_job(call, "discover_schema", NULL, NULL);
    return call_end(call);
}

static enum http_next discover_given(struct call *call, const struct control_definition *definition)
{
    struct slice config = call_raw(call, "connectionConfiguration");
    if (!connectors_config_valid(call, definition, config, "connectionConfiguration"))
        return HTTP_ANSWER;
    return connectors_ask(call, definition, ASK_DISCOVER, config, NULL, answer_core);
}

enum http_next source_discover_core(struct call *call)
{
    return connectors_with_spec(call, call_uuid(call, "sourceDefinitionId"), CONTROL_SOURCE, discover_given);
}

/* Airbyte's destinations that write into other services tell what objects these have; there is none here. */
enum http_next destination_discover(struct call *call)
{
    struct control_actor destination;
    struct error err;
    const char *id = id_of(call);
    if (control_actor_get(call->control, CONTROL_DESTINATION, id, false, call->arena, &destination, &err) < 0)
        return call_error_of(call, &err, "destination", id);
    error_set(&err, ERROR_UNSUPPORTED, "the destination '%s' takes whatever streams come: it has no catalog",
              destination.name);
    call_begin(call);
    connectors_write_job(call, "discover_schema", id, &err);
    return call_end(call);
}

enum http_next source_last_catalog(struct call *call)
{
    struct control_actor source;
    struct control_catalog catalog;
    struct error err;
    const char *id = id_of(call);
    if (control_actor_get(call->control, CONTROL_SOURCE, id, false, call->arena, &source, &err) < 0)
        return call_error_of(call, &err, "source", id);
    struct json_writer *out = call_begin(call);
    if (control_catalog_newest(call->control, id, call->arena, &catalog, &err) == 0) {
        json_member_i64(out, "updatedAt", call_seconds(catalog.confirmed_ms));
        json_put_key(out, "catalog");
        view_discovered(out, catalog.catalog, 0, call->arena);
    }
    return call_end(call);
}
