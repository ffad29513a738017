/* Connections and streams in the public API. */
#include "control/connection_check.h"
#include "server/connections.h"
#include "server/connectors.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/paging.h"
#include "server/sync_modes.h"
#include "server/views.h"

/* --- showing ------------------------------------------------------------------------------------------ */

static void write_schedule(struct call *call, const struct control_connection *connection)
{
    struct json_writer *out = &call->out;
    json_put_key(out, "schedule");
    json_begin_object(out);
    json_member_string(out, "scheduleType", control_schedule_name(connection->schedule));
    if (connection->schedule == CONTROL_BASIC)
        json_member_string(
            out, "basicTiming",
            arena_printf(call->arena, "Every %u %s", connection->every, control_unit_name(connection->unit)));
    if (connection->schedule == CONTROL_CRON)
        json_member_string(out, "cronExpression",
                           connection->time_zone
                               ? arena_printf(call->arena, "%s %s", connection->cron, connection->time_zone)
                               : connection->cron);
    json_end_object(out);
}

static void write_connection(struct call *call, const struct control_connection *connection)
{
    struct json_writer *out = &call->out;
    json_member_string(out, "connectionId", connection->id);
    json_member_string(out, "name", connection->name);
    json_member_string(out, "sourceId", connection->source);
    json_member_string(out, "destinationId", connection->destination);
    json_member_string(out, "workspaceId", connection->workspace);
    json_member_string(out, "status", control_connection_status_name(connection->status));
    if (connection->status_reason)
        json_member_string(out, "statusReason", connection->status_reason);
    write_schedule(call, connection);
    json_member_string(out, "dataResidency", "auto");
    json_member_string(out, "nonBreakingSchemaUpdatesBehavior",
                       connection->changes == CONTROL_CHANGES_DISABLE
                           ? "disable_connection"
                           : control_changes_name(connection->changes));
    json_member_string(out, "namespaceDefinition",
                       connection->namespace_definition == CONTROL_NAMESPACE_CUSTOM
                           ? "custom_format"
                           : control_namespace_name(connection->namespace_definition));
    if (connection->namespace_format)
        json_member_string(out, "namespaceFormat", connection->namespace_format);
    json_member_string(out, "prefix", connection->prefix ? connection->prefix : "");
    sync_modes_write(call, connection->catalog);
    json_member_i64(out, "createdAt", call_seconds(connection->created_ms));
    view_tags(out, connection, call->arena);
}

static enum http_next answer(struct call *call, const char *id)
{
    struct control_connection connection;
    struct error err;
    if (!id)
        return call_absent(call, "connection", call->arguments[0]);
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    call_begin(call);
    write_connection(call, &connection);
    return call_end(call);
}

enum http_next public_connection_get(struct call *call)
{
    return answer(call, call_path_uuid(call, 0));
}

enum http_next public_connection_list(struct call *call)
{
    struct control_connection_filter filter = {.any_status = true, .catalogs = true};
    struct control_connection *items;
    struct error err;
    size_t count;
    uint64_t total = 0;
    if (!paging_read(call, &filter.page) ||
        !paging_ids(call, "workspaceIds", &filter.workspaces, &filter.workspace_count) ||
        !paging_ids(call, "tagIds", &filter.tags, &filter.tag_count))
        return HTTP_ANSWER;
    if (control_connections(call->control, &filter, call->arena, &items, &count, &total, &err) < 0)
        return call_error(call, &err);
    call_begin(call);
    json_put_key(&call->out, "data");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&call->out);
        write_connection(call, &items[i]);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    paging_write(call, &filter.page, total);
    return call_end(call);
}

/* --- changing ----------------------------------------------------------------------------------------- */

/* "0 0 12 * * ?" or "0 0 12 * * ? Europe/Berlin": a zone has a letter first and no comma, and comes last. */
static void take_cron(struct call *call, const char *text, struct control_connection *connection)
{
    const char *last = strrchr(text, ' ');
    connection->schedule = CONTROL_CRON;
    connection->cron = text;
    connection->time_zone = NULL;
    if (!last || (!strchr(last, '/') && strcmp(last + 1, "UTC") != 0 && strcmp(last + 1, "GMT") != 0) ||
        (last[1] >= '0' && last[1] <= '9') || last[1] == '*')
        return;
    connection->cron = arena_strndup(call->arena, text, (size_t)(last - text));
    connection->time_zone = last + 1;
}

static bool take_schedule(struct call *call, struct control_connection *connection)
{
    uint32_t schedule = call_member(call, "schedule");
    const char *type = schedule == JSON_NONE ? NULL : call_text_of(call, schedule, "scheduleType");
    const char *cron = schedule == JSON_NONE ? NULL : call_text_of(call, schedule, "cronExpression");
    if (!type)
        return true;
    if (strcmp(type, "manual") == 0) {
        connection->schedule = CONTROL_MANUAL;
        return true;
    }
    if (cron) {
        take_cron(call, cron, connection);
        return true;
    }
    call_invalid(call, "schedule.cronExpression", "a cron schedule needs a cronExpression");
    return false;
}

static bool take_fields(struct call *call, struct control_connection *connection)
{
    const char *behaviour = call_text(call, "nonBreakingSchemaUpdatesBehavior");
    if (behaviour)
        connection->changes = (enum control_changes)control_changes_of(behaviour);
    return connection_take(call, connection) && take_schedule(call, connection);
}

/* Of a stream that nobody named, but all were taken: what may be said instead. */
static const char *field_of(struct call *call, const struct control_fault *fault)
{
    static const char config[] = "config.", stream[] = "stream.";
    uint32_t configurations = call_member(call, "configurations");
    uint32_t streams =
        configurations == JSON_NONE ? JSON_NONE : json_get(&call->body, configurations, "streams");
    const char *part = fault->part;
    if (string_starts_with(part, "cron"))
        return "schedule.cronExpression";
    if (strcmp(part, "catalog") == 0 || (fault->stream >= 0 && (!json_is(&call->body, streams, JSON_ARRAY) ||
                                                                !json_count(&call->body, streams))))
        return "configurations.streams";
    if (fault->stream < 0)
        return part;
    part = string_starts_with(part, config) ? part + sizeof config - 1 : part;
    part = string_starts_with(part, stream) ? part + sizeof stream - 1 : part;
    return arena_printf(call->arena, "configurations.streams[%ld].%s", fault->stream,
                        strcmp(part, "destinationSyncMode") == 0 ? "syncMode" : part);
}

static const struct connection_api public_api = {field_of, answer};

static enum http_next create_with_catalog(struct call *call, const struct control_actor *source,
                                          const struct control_catalog *catalog)
{
    struct control_connection connection = connection_new(call);
    struct error err;
    (void)source;
    connection.namespace_definition = CONTROL_NAMESPACE_DESTINATION; /* this API's default */
    connection.source_catalog = catalog->id;
    if (!take_fields(call, &connection) ||
        !sync_modes_configure(call, catalog->catalog, connection.destination, &connection.catalog))
        return HTTP_ANSWER;
    if (connection_name(call, &connection, &err) < 0)
        return call_error(call, &err);
    return connection_put(call, &connection, NULL, &public_api);
}

enum http_next public_connection_create(struct call *call)
{
    struct control_actor destination;
    struct error err;
    const char *id = call_uuid(call, "destinationId");
    if (control_actor_get(call->control, CONTROL_DESTINATION, id, false, call->arena, &destination, &err) < 0)
        return call_error_of(call, &err, "destination", id);
    return connectors_with_catalog(call, call_uuid(call, "sourceId"), false, create_with_catalog, NULL);
}

static enum http_next patch_with(struct call *call, const struct control_catalog *catalog)
{
    struct control_connection connection, before;
    struct error err;
    const char *id = call_path_uuid(call, 0);
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    before = connection;
    if (catalog) {
        connection.source_catalog = catalog->id;
        connection.breaking_change = false;
        if (!sync_modes_configure(call, catalog->catalog, connection.destination, &connection.catalog))
            return HTTP_ANSWER;
    }
    return take_fields(call, &connection) ? connection_put(call, &connection, &before, &public_api)
                                          : HTTP_ANSWER;
}

static enum http_next patch_with_catalog(struct call *call, const struct control_actor *source,
                                         const struct control_catalog *catalog)
{
    (void)source;
    return patch_with(call, catalog);
}

enum http_next public_connection_patch(struct call *call)
{
    struct control_connection connection;
    struct error err;
    const char *id = call_path_uuid(call, 0);
    if (!id)
        return call_absent(call, "connection", call->arguments[0]);
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    if (call_member(call, "configurations") == JSON_NONE)
        return patch_with(call, NULL);
    return connectors_with_catalog(call, connection.source, false, patch_with_catalog, NULL);
}

enum http_next public_connection_delete(struct call *call)
{
    const char *id = call_path_uuid(call, 0);
    return id ? connection_delete_by_id(call, id) : call_absent(call, "connection", call->arguments[0]);
}

/* --- streams ------------------------------------------------------------------------------------------ */

static void write_paths_of(struct json_writer *out, const struct json *doc, uint32_t schema)
{
    uint32_t properties = json_get(doc, schema, "properties");
    json_begin_array(out);
    if (json_is(doc, properties, JSON_OBJECT)) {
        for (uint32_t key = json_first_key(doc, properties); key != JSON_NONE;
             key = json_next_key(doc, properties, key)) {
            json_begin_array(out);
            json_put_raw(out, json_raw(doc, key));
            json_end_array(out);
        }
    }
    json_end_array(out);
}

static void put_list(struct json_writer *out, const char *name, const struct json *doc, uint32_t list)
{
    json_put_key(out, name);
    if (json_is(doc, list, JSON_ARRAY))
        json_put_raw(out, json_raw(doc, list));
    else
        json_put_raw(out, SLICE_LITERAL("[]"));
}

static void write_stream(struct json_writer *out, const struct json *doc, uint32_t stream, unsigned can)
{
    uint32_t name = json_get(doc, stream, "name"), space = json_get(doc, stream, "namespace");
    json_begin_object(out);
    if (json_is(doc, name, JSON_STRING))
        json_member_raw(out, "streamName", json_raw(doc, name));
    if (json_is(doc, space, JSON_STRING))
        json_member_raw(out, "streamnamespace", json_raw(doc, space));
    json_put_key(out, "syncModes");
    sync_modes_write_possible(out, doc, stream, can);
    put_list(out, "defaultCursorField", doc, json_get(doc, stream, "defaultCursorField"));
    json_member_bool(out, "sourceDefinedCursorField",
                     json_is(doc, json_get(doc, stream, "sourceDefinedCursor"), JSON_TRUE));
    put_list(out, "sourceDefinedPrimaryKey", doc, json_get(doc, stream, "sourceDefinedPrimaryKey"));
    json_put_key(out, "propertyFields");
    write_paths_of(out, doc, json_get(doc, stream, "jsonSchema"));
    json_end_object(out);
}

static enum http_next answer_streams(struct call *call, const struct control_actor *source,
                                     const struct control_catalog *catalog)
{
    struct buffer text;
    struct json_writer writer;
    struct json doc;
    struct error err;
    const char *const *ids;
    size_t count;
    unsigned can = 0;
    (void)source;
    if (!paging_ids(call, "destinationId", &ids, &count))
        return HTTP_ANSWER;
    if (count && control_destination_modes(call->control, ids[0], call->arena, &can, &err) < 0)
        return call_error_of(call, &err, "destination", ids[0]);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    view_discovered(&writer, catalog->catalog, 0, call->arena);
    int result = json_parse_copy(call->arena, text.data, text.size, &doc, &err);
    buffer_done(&text);
    if (result < 0)
        return call_error(call, &err);
    uint32_t list = json_get(&doc, 0, "streams");
    call->http->status = 200;
    json_writer_init(&call->out, &call->http->answer);
    json_begin_array(&call->out);
    for (uint32_t at = json_first(&doc, list); at != JSON_NONE; at = json_next(&doc, list, at))
        write_stream(&call->out, &doc, json_get(&doc, at, "stream"), can);
    json_end_array(&call->out);
    return HTTP_ANSWER;
}

enum http_next public_streams(struct call *call)
{
    const char *const *ids;
    const char *fresh = http_query(call->http, "ignoreCache", 0);
    size_t count;
    if (!paging_ids(call, "sourceId", &ids, &count))
        return HTTP_ANSWER;
    if (count != 1)
        return call_invalid(call, "sourceId", "sourceId: one is wanted");
    return connectors_with_catalog(call, ids[0], fresh && strcmp(fresh, "true") == 0, answer_streams, NULL);
}
