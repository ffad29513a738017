/* Connections in the config API. */
#include "server/connections.h"

#include "control/catalog_complete.h"
#include "control/schedule.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/paging.h"
#include "server/views.h"

#include "supervisor/leftovers.h"
#include "supervisor/schema_fit.h"

#include <strings.h>

/* Members that are kept as they were given, and shown again. */
static const char *const kept[] = {"operationIds",     "resourceRequirements",       "destinationCatalogId",
                                   "dataplaneGroupId", "notifySchemaChangesByEmail", "tags",
                                   "onDemandEnabled"};
enum { KEPT_COUNT = sizeof kept / sizeof *kept };

/* --- showing ------------------------------------------------------------------------------------------ */

void view_schedule(struct json_writer *out, const struct control_connection *connection)
{
    json_member_string(out, "scheduleType", control_schedule_name(connection->schedule));
    if (connection->schedule == CONTROL_MANUAL)
        return;
    if (connection->schedule == CONTROL_BASIC) {
        json_put_key(out, "schedule");
        json_begin_object(out);
        json_member_i64(out, "units", connection->every);
        json_member_string(out, "timeUnit", control_unit_name(connection->unit));
        json_end_object(out);
    }
    json_put_key(out, "scheduleData");
    json_begin_object(out);
    json_put_key(out, connection->schedule == CONTROL_BASIC ? "basicSchedule" : "cron");
    json_begin_object(out);
    if (connection->schedule == CONTROL_BASIC) {
        json_member_string(out, "timeUnit", control_unit_name(connection->unit));
        json_member_i64(out, "units", connection->every);
    } else {
        json_member_string(out, "cronExpression", connection->cron);
        json_member_string(out, "cronTimeZone", connection->time_zone ? connection->time_zone : "UTC");
    }
    json_end_object(out);
    json_end_object(out);
}

static bool parse_extra(const struct control_connection *connection, struct arena *arena,
                        struct json *ret_extra)
{
    struct error err;
    return connection->extra.size &&
           json_parse_copy(arena, connection->extra.data, connection->extra.size, ret_extra, &err) == 0;
}

void view_tags(struct json_writer *out, const struct control_connection *connection, struct arena *arena)
{
    struct json extra;
    uint32_t tags = parse_extra(connection, arena, &extra) ? json_get(&extra, 0, "tags") : JSON_NONE;
    json_put_key(out, "tags");
    if (tags != JSON_NONE && json_is(&extra, tags, JSON_ARRAY)) {
        json_put_raw(out, json_raw(&extra, tags));
        return;
    }
    json_begin_array(out);
    json_end_array(out);
}

static void write_extra(struct json_writer *out, const struct control_connection *connection,
                        struct arena *arena)
{
    struct json extra;
    bool there = parse_extra(connection, arena, &extra);
    for (size_t i = 0; there && i < KEPT_COUNT; i++) {
        uint32_t at = json_get(&extra, 0, kept[i]);
        if (at != JSON_NONE && strcmp(kept[i], "tags") != 0)
            json_member_raw(out, kept[i], json_raw(&extra, at));
    }
}

void view_connection(struct json_writer *out, const struct control_connection *connection,
                     struct arena *arena)
{
    json_member_string(out, "connectionId", connection->id);
    json_member_string(out, "name", connection->name);
    json_member_string(out, "sourceId", connection->source);
    json_member_string(out, "destinationId", connection->destination);
    json_member_string(out, "workspaceId", connection->workspace);
    json_member_string(out, "namespaceDefinition", control_namespace_name(connection->namespace_definition));
    if (connection->namespace_format)
        json_member_string(out, "namespaceFormat", connection->namespace_format);
    json_member_string(out, "prefix", connection->prefix ? connection->prefix : "");
    json_put_key(out, "syncCatalog");
    if (connection->catalog.size)
        json_put_raw(out, connection->catalog);
    else
        json_put_raw(out, SLICE_LITERAL("{\"streams\":[]}"));
    view_schedule(out, connection);
    json_member_string(out, "status", control_connection_status_name(connection->status));
    if (connection->status_reason)
        json_member_string(out, "statusReason", connection->status_reason);
    if (connection->source_catalog)
        json_member_string(out, "sourceCatalogId", connection->source_catalog);
    json_member_bool(out, "breakingChange", connection->breaking_change);
    json_member_bool(out, "notifySchemaChanges", connection->notify_changes);
    json_member_string(out, "nonBreakingChangesPreference", control_changes_name(connection->changes));
    json_member_string(out, "backfillPreference", connection->backfill ? "enabled" : "disabled");
    json_member_i64(out, "created_at", call_seconds(connection->created_ms));
    json_member_i64(out, "createdAt", call_seconds(connection->created_ms));
    write_extra(out, connection, arena);
    view_tags(out, connection, arena);
}

static enum http_next answer(struct call *call, const char *id)
{
    struct control_connection connection;
    struct error err;
    bool ended = call_text(call, "status") && strcmp(call_text(call, "status"), "deprecated") == 0;
    if (control_connection_get(call->control, id, ended, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    view_connection(call_begin(call), &connection, call->arena);
    return call_end(call);
}

enum http_next connection_get(struct call *call)
{
    return answer(call, call_uuid(call, "connectionId"));
}

/* As it is now: no earlier version of a connection is kept. */
enum http_next connection_get_for_job(struct call *call)
{
    struct control_job job;
    struct error err;
    int64_t id = call_integer(call, "jobId", 0);
    const char *connection = call_uuid(call, "connectionId");
    bool found = control_job_get(call->control, id, call->arena, &job, &err) == 0;
    if (found && strcmp(job.connection, connection) == 0)
        return answer(call, connection);
    if (found)
        error_set(&err, ERROR_NOT_FOUND, "the job %lld is not of this connection", (long long)id);
    return call_error_of(call, &err, "job", arena_printf(call->arena, "%lld", (long long)id));
}

/* `fits` NULL: all that the filter finds. */
static enum http_next answer_list(struct call *call, struct control_connection_filter *filter,
                                  bool (*fits)(struct call *call,
                                               const struct control_connection *connection))
{
    struct control_connection *items;
    struct error err;
    size_t count;
    filter->catalogs = true;
    if (control_connections(call->control, filter, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    call_begin(call);
    json_put_key(&call->out, "connections");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++) {
        if (fits && !fits(call, &items[i]))
            continue;
        json_begin_object(&call->out);
        view_connection(&call->out, &items[i], call->arena);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    return call_end(call);
}

enum http_next connection_list(struct call *call)
{
    const char *workspace = call_uuid(call, "workspaceId");
    struct control_connection_filter filter = {
        .workspaces = &workspace, .workspace_count = workspace ? 1 : 0, .any_status = true};
    filter.page.limit = CONTROL_PAGE_MAX;
    filter.page.deleted = call->route->what == CONNECTIONS_ALL;
    return answer_list(call, &filter, NULL);
}

enum http_next connection_list_paginated(struct call *call)
{
    struct control_connection_filter filter = {.any_status = true};
    if (!paging_of_body(call, CONTROL_PAGE_DEFAULT, &filter.page))
        return HTTP_ANSWER;
    filter.workspaces = call_uuids(call, "workspaceIds", &filter.workspace_count);
    filter.tags = call_uuids(call, "tagIds", &filter.tag_count);
    filter.page.deleted = call_bool(call, "includeDeleted", false);
    return answer_list(call, &filter, NULL);
}

enum http_next connection_list_by_definition(struct call *call)
{
    struct control_connection_filter filter = {.definition = call_uuid(call, "actorDefinitionId"),
                                               .any_status = true,
                                               .page = {.limit = CONTROL_PAGE_MAX}};
    return answer_list(call, &filter, NULL);
}

static bool is_same(const char *wanted, const char *text)
{
    return !wanted || strcmp(wanted, text ? text : "") == 0;
}

/* As a search for sources or destinations would: by name, id, definition. */
static bool fits_actor(struct call *call, const char *member, enum control_side side, const char *id)
{
    bool source = side == CONTROL_SOURCE;
    uint32_t wanted = call_member(call, member);
    const char *sought = call_text_of(call, wanted, source ? "sourceId" : "destinationId");
    const char *definition =
        call_text_of(call, wanted, source ? "sourceDefinitionId" : "destinationDefinitionId");
    struct control_actor actor;
    struct error unused;
    if (wanted == JSON_NONE)
        return true;
    if ((sought && strcasecmp(sought, id) != 0) ||
        control_actor_get(call->control, side, id, true, call->arena, &actor, &unused) < 0)
        return false;
    return is_same(call_text_of(call, wanted, "name"), actor.name) &&
           (!definition || strcasecmp(definition, actor.definition) == 0);
}

/* What the store has no filter for. */
static bool fits_search(struct call *call, const struct control_connection *connection)
{
    return is_same(call_text(call, "prefix"), connection->prefix) &&
           is_same(call_text(call, "namespaceFormat"), connection->namespace_format) &&
           is_same(call_text(call, "scheduleType"), control_schedule_name(connection->schedule)) &&
           fits_actor(call, "source", CONTROL_SOURCE, connection->source) &&
           fits_actor(call, "destination", CONTROL_DESTINATION, connection->destination);
}

enum http_next connection_search(struct call *call)
{
    const char *id = call_uuid(call, "connectionId"), *status = call_text(call, "status");
    struct control_connection_filter filter = {.ids = &id,
                                               .id_count = id ? 1 : 0,
                                               .source = call_uuid(call, "sourceId"),
                                               .destination = call_uuid(call, "destinationId"),
                                               .name_like = call_text(call, "name"),
                                               .any_status = true,
                                               .page = {.limit = CONTROL_PAGE_MAX}};
    if (status) {
        filter.any_status = false; /* "locked" none is */
        filter.status = control_connection_status_of(status);
        filter.page.deleted = filter.status == CONTROL_DEPRECATED;
    }
    return answer_list(call, &filter, fits_search);
}

/* --- changing ----------------------------------------------------------------------------------------- */

/* `place`: of `basic` in the body. */
static bool take_basic(struct call *call, uint32_t basic, const char *place,
                       struct control_connection *connection)
{
    int64_t units;
    const char *unit = call_text_of(call, basic, "timeUnit");
    if (!json_to_i64(&call->body, json_get(&call->body, basic, "units"), &units) || units < 1 ||
        units > CONTROL_EVERY_MAX) {
        call_invalid(call, arena_printf(call->arena, "%s.units", place), "units may be 1 to %d",
                     CONTROL_EVERY_MAX);
        return false;
    }
    connection->schedule = CONTROL_BASIC;
    connection->every = (uint32_t)units;
    connection->unit = (enum control_unit)control_unit_of(unit);
    return true;
}

/* scheduleType with scheduleData, or the older schedule alone. */
static bool take_schedule(struct call *call, struct control_connection *connection)
{
    const char *type = call_text(call, "scheduleType");
    uint32_t data = call_member(call, "scheduleData"), old = call_member(call, "schedule");
    uint32_t basic = data == JSON_NONE ? JSON_NONE : json_get(&call->body, data, "basicSchedule");
    uint32_t cron = data == JSON_NONE ? JSON_NONE : json_get(&call->body, data, "cron");
    if (!type && old != JSON_NONE)
        return take_basic(call, old, "schedule", connection);
    if (!type && (json_is(&call->body, basic, JSON_OBJECT) || json_is(&call->body, cron, JSON_OBJECT))) {
        call_invalid(call, "scheduleType", "scheduleData needs a scheduleType: basic or cron");
        return false;
    }
    if (!type)
        return true;
    if (strcmp(type, "manual") == 0) {
        connection->schedule = CONTROL_MANUAL;
        return true;
    }
    if (strcmp(type, "basic") == 0) {
        if (json_is(&call->body, basic, JSON_OBJECT))
            return take_basic(call, basic, "scheduleData.basicSchedule", connection);
        if (old != JSON_NONE)
            return take_basic(call, old, "schedule", connection);
        call_invalid(call, "scheduleData.basicSchedule", "a basic schedule needs scheduleData.basicSchedule");
        return false;
    }
    if (!json_is(&call->body, cron, JSON_OBJECT)) {
        call_invalid(call, "scheduleData.cron", "a cron schedule needs scheduleData.cron");
        return false;
    }
    connection->schedule = CONTROL_CRON;
    connection->cron = call_text_of(call, cron, "cronExpression");
    connection->time_zone = call_text_of(call, cron, "cronTimeZone");
    return true;
}

/* New ones over those that were there. */
static void take_extra(struct call *call, struct control_connection *connection)
{
    struct json old;
    struct buffer text;
    struct json_writer writer;
    bool there = parse_extra(connection, call->arena, &old);
    buffer_init(&text, CONTROL_JSON_MAX);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (size_t i = 0; i < KEPT_COUNT; i++) {
        struct slice given = call_raw(call, kept[i]);
        uint32_t at = there ? json_get(&old, 0, kept[i]) : JSON_NONE;
        if (given.size)
            json_member_raw(&writer, kept[i], given);
        else if (at != JSON_NONE)
            json_member_raw(&writer, kept[i], json_raw(&old, at));
    }
    json_end_object(&writer);
    connection->extra = (struct slice){arena_dup(call->arena, text.data, text.size), text.size};
    buffer_done(&text);
}

static bool take_status(struct call *call, struct control_connection *connection)
{
    const char *status = call_text(call, "status");
    if (!status)
        return true;
    enum control_connection_status known = control_connection_status_of(status);
    if (known != CONTROL_ACTIVE && known != CONTROL_INACTIVE) {
        call_invalid(call, "status", "status: active or inactive is wanted");
        return false;
    }
    connection->status = known;
    connection->status_reason = NULL;
    return true;
}

bool connection_take(struct call *call, struct control_connection *connection)
{
    const char *text;
    if ((text = call_text(call, "name")))
        connection->name = text;
    if ((text = call_text(call, "namespaceDefinition")))
        connection->namespace_definition = (enum control_namespace)control_namespace_of(text);
    if ((text = call_text(call, "namespaceFormat")))
        connection->namespace_format = text;
    if ((text = call_text(call, "prefix")))
        connection->prefix = text;
    return take_status(call, connection);
}

static bool take_fields(struct call *call, struct control_connection *connection)
{
    const char *text;
    struct slice catalog = call_raw(call, "syncCatalog");
    if ((text = call_text(call, "nonBreakingChangesPreference")))
        connection->changes = (enum control_changes)control_changes_of(text);
    if ((text = call_text(call, "backfillPreference")))
        connection->backfill = strcmp(text, "enabled") == 0;
    if ((text = call_uuid(call, "sourceCatalogId")))
        connection->source_catalog = text;
    if (catalog.size)
        connection->catalog = control_catalog_complete(catalog, call->arena);
    connection->notify_changes = call_bool(call, "notifySchemaChanges", connection->notify_changes);
    connection->breaking_change = call_bool(call, "breakingChange", connection->breaking_change);
    take_extra(call, connection);
    return connection_take(call, connection) && take_schedule(call, connection);
}

/* In Airbyte's shape. */
static const char *field_of(struct call *call, const struct control_fault *fault)
{
    static const struct {
        const char *part, *field;
    } names[] = {{"catalog", "syncCatalog.streams"},
                 {"cronExpression", "scheduleData.cron.cronExpression"},
                 {"cronTimeZone", "scheduleData.cron.cronTimeZone"}};
    if (fault->stream >= 0)
        return arena_printf(call->arena, "syncCatalog.streams[%ld].%s", fault->stream, fault->part);
    if (strcmp(fault->part, "units") == 0)
        return call_member(call, "scheduleData") == JSON_NONE ? "schedule.units"
                                                              : "scheduleData.basicSchedule.units";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(fault->part, names[i].part) == 0)
            return names[i].field;
    }
    return fault->part;
}

enum http_next connection_put(struct call *call, struct control_connection *connection,
                              const struct control_connection *before, const struct connection_api *api)
{
    struct control_fault fault;
    struct error err;
    connection->updated_ms = call->now_ms;
    if (control_connection_check(call->control, connection, before, call->arena, &fault, &err) < 0)
        return fault.part ? call_invalid(call, api->field(call, &fault), "%s", err.message)
                          : call_error(call, &err);
    if (control_connection_put(call->control, connection, &err) < 0)
        return call_error_in(call, &err, before ? "connectionId" : "destinationId");
    if (call->server->jobs)
        jobs_wake(call->server->jobs);
    return api->answer(call, connection->id);
}

int connection_settle(struct call *call, struct control_connection *connection, struct error *err)
{
    const char *misfit;
    if (!connection->breaking_change)
        return 0;
    if (schema_fit_settle(call->control, connection, connection, call->arena, &misfit, err) < 0)
        return -1;
    if (connection->breaking_change)
        return 0;
    connection->updated_ms = call->now_ms;
    if (control_connection_put(call->control, connection, err) < 0) {
        connection->breaking_change = true;
        return err->code == ERROR_BUSY ? 0 : -1; /* somebody has changed it: that says what becomes of it */
    }
    if (call->server->jobs)
        jobs_wake(call->server->jobs);
    return 0;
}

int connection_name(struct call *call, struct control_connection *connection, struct error *err)
{
    struct control_actor source, destination;
    if (control_actor_get(call->control, CONTROL_SOURCE, connection->source, false, call->arena, &source,
                          err) < 0 ||
        control_actor_get(call->control, CONTROL_DESTINATION, connection->destination, false, call->arena,
                          &destination, err) < 0)
        return -1;
    if (!connection->name || !*connection->name)
        connection->name = arena_printf(call->arena, "%s → %s", source.name, destination.name);
    return 0;
}

struct control_connection connection_new(struct call *call)
{
    char id[CONTROL_UUID_SIZE];
    control_uuid_new(id);
    return (struct control_connection){.id = arena_strdup(call->arena, id),
                                       .source = call_uuid(call, "sourceId"),
                                       .destination = call_uuid(call, "destinationId"),
                                       .status = CONTROL_ACTIVE,
                                       .schedule = CONTROL_MANUAL,
                                       .catalog = SLICE_LITERAL("{\"streams\":[]}"),
                                       .created_ms = call->now_ms};
}

static const struct connection_api config_api = {field_of, answer},
                                   web_api = {field_of, web_connection_answer};

static enum http_next create(struct call *call, const struct connection_api *api)
{
    struct control_connection connection = connection_new(call);
    const char *misfit;
    struct error err;
    if (!take_fields(call, &connection))
        return HTTP_ANSWER;
    return connection_name(call, &connection, &err) < 0 ||
                   schema_fit_settle(call->control, &connection, NULL, call->arena, &misfit, &err) < 0
               ? call_error(call, &err)
               : connection_put(call, &connection, NULL, api);
}

/* An update to "deprecated" deletes it, and shows it this once. */
static enum http_next end(struct call *call, const char *id,
                          enum http_next (*answer_it)(struct call *call, const char *id))
{
    enum http_next next = connection_delete_by_id(call, id);
    return call->http->status == 204 ? answer_it(call, id) : next;
}

static enum http_next update(struct call *call, const struct connection_api *api)
{
    struct control_connection connection, before;
    struct error err;
    const char *id = call_uuid(call, "connectionId"), *status = call_text(call, "status"), *misfit;
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    if (status && strcmp(status, "deprecated") == 0)
        return end(call, id, api->answer);
    before = connection;
    if (!take_fields(call, &connection))
        return HTTP_ANSWER;
    /* Of whoever says which one was read: if it is another by now, that is refused. */
    int64_t revision = call_integer(call, "revision", (int64_t)before.revision);
    if (revision < 1)
        return call_invalid(call, "revision", "revision: what web_backend/connections/get said is wanted");
    connection.revision = (uint64_t)revision;
    /* Clients send back what they have read, the flag too: the streams that they have chosen say more, but
     * for whoever takes the flag away. */
    bool freed = before.breaking_change && !connection.breaking_change;
    if (call_raw(call, "syncCatalog").size && !freed &&
        schema_fit_settle(call->control, &connection, &before, call->arena, &misfit, &err) < 0)
        return call_error(call, &err);
    return connection_put(call, &connection, &before, api);
}

enum http_next connection_create(struct call *call)
{
    return create(call, &config_api);
}

enum http_next connection_update(struct call *call)
{
    return update(call, &config_api);
}

enum http_next web_connection_create(struct call *call)
{
    return create(call, &web_api);
}

enum http_next web_connection_update(struct call *call)
{
    return update(call, &web_api);
}

void connections_deleted(struct call *call, const struct control_connection_filter *filter)
{
    struct error err;
    if (leftovers_drop(call->control, call->server->options.data_dir, filter, &err) < 0)
        log_warn(call->server->options.log,
                 "the state of a deleted connection stays until the next start: %s", err.message);
    if (call->server->jobs)
        jobs_wake(call->server->jobs);
}

enum http_next connection_delete_by_id(struct call *call, const char *id)
{
    struct error err;
    if (control_connection_delete(call->control, id, call->now_ms, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    connections_deleted(call, &(struct control_connection_filter){.ids = &id, .id_count = 1});
    return call_nothing(call);
}

enum http_next connection_delete(struct call *call)
{
    return connection_delete_by_id(call, call_uuid(call, "connectionId"));
}
