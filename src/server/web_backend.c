/* web_backend: what Airbyte's own UI asks for in one go, and some clients do. */
#include "base/map.h"
#include "control/schedule.h"
#include "server/connections.h"
#include "server/connectors.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/paging.h"
#include "server/views.h"

#include <stdlib.h>
#include <strings.h>

/* --- one connection ----------------------------------------------------------------------------------- */

/* `definition` NULL: it is gone. */
static void write_version(struct json_writer *out, const char *member,
                          const struct control_definition *definition)
{
    json_put_key(out, member);
    json_begin_object(out);
    json_member_string(out, "dockerRepository",
                       definition && definition->repository ? definition->repository : "");
    json_member_string(out, "dockerImageTag", definition && definition->tag ? definition->tag : "dev");
    json_member_bool(out, "isVersionOverrideApplied", false);
    json_member_string(out, "supportState", "supported");
    json_member_bool(out, "supportsRefreshes", true);
    json_member_bool(out, "supportsFileTransfer", false);
    json_member_bool(out, "supportsDataActivation", false);
    json_end_object(out);
}

static void write_version_of(struct call *call, const char *member, const char *definition_id)
{
    struct control_definition definition;
    struct error err;
    bool found =
        control_definition_get(call->control, definition_id, true, call->arena, &definition, &err) == 0;
    write_version(&call->out, member, found ? &definition : NULL);
}

static void write_latest(struct json_writer *out, const struct control_connection *connection, bool changed)
{
    if (connection->job) {
        json_member_i64(out, "latestSyncJobCreatedAt", call_seconds(connection->job_created_ms));
        json_member_string(out, "latestSyncJobStatus",
                           control_job_status_name((enum control_job_status)connection->job_status));
    }
    json_member_bool(out, "isSyncing", connection->running);
    json_member_string(out, "schemaChange",
                       connection->breaking_change ? "breaking"
                       : changed                   ? "non_breaking"
                                                   : "no_change");
}

static int find_actors(struct call *call, const struct control_connection *connection,
                       struct control_actor *ret_source, struct control_actor *ret_destination,
                       struct error *err)
{
    if (control_actor_get(call->control, CONTROL_SOURCE, connection->source, true, call->arena, ret_source,
                          err) < 0)
        return -1;
    return control_actor_get(call->control, CONTROL_DESTINATION, connection->destination, true, call->arena,
                             ret_destination, err);
}

/* `found`: what the source was just found to have; the catalog is of that then, and says what is new. */
static enum http_next answer_with(struct call *call, const char *id, const struct control_catalog *found)
{
    struct control_connection connection, kept;
    struct control_actor source, destination;
    struct error err;
    bool changed = false, breaking = false;
    bool ended = call_text(call, "status") && strcmp(call_text(call, "status"), "deprecated") == 0;
    if (control_connection_get(call->control, id, ended, call->arena, &connection, &err) < 0 ||
        find_actors(call, &connection, &source, &destination, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    kept = connection;
    struct json_writer *out = call_begin(call);
    if (found && view_catalog_changes(call, &connection, found, &changed, &breaking, &err) < 0)
        return call_error(call, &err);
    if (found && !breaking && connection_settle(call, &kept, &err) < 0)
        return call_error(call, &err);
    connection.breaking_change = kept.breaking_change || breaking;
    view_connection(out, &connection, call->arena);
    json_put_key(out, "source");
    json_begin_object(out);
    view_actor(call, &source, NULL);
    json_end_object(out);
    json_put_key(out, "destination");
    json_begin_object(out);
    view_actor(call, &destination, NULL);
    json_end_object(out);
    json_put_key(out, "operations");
    json_begin_array(out);
    json_end_array(out);
    json_member_u64(out, "revision", connection.revision);
    write_latest(out, &connection, changed);
    const char *catalog = found ? found->id : connection.source_catalog;
    if (catalog)
        json_member_string(out, "catalogId", catalog);
    write_version_of(call, "sourceActorDefinitionVersion", source.definition);
    write_version_of(call, "destinationActorDefinitionVersion", destination.definition);
    return call_end(call);
}

enum http_next web_connection_answer(struct call *call, const char *id)
{
    return answer_with(call, id, NULL);
}

static enum http_next answer_refreshed(struct call *call, const struct control_actor *source,
                                       const struct control_catalog *catalog)
{
    (void)source;
    return answer_with(call, call_uuid(call, "connectionId"), catalog);
}

enum http_next web_connection_get(struct call *call)
{
    const char *id = call_uuid(call, "connectionId");
    struct control_connection connection;
    struct error err;
    if (!call_bool(call, "withRefreshedCatalog", false))
        return web_connection_answer(call, id);
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    return connectors_with_catalog(call, connection.source, true, answer_refreshed, NULL);
}

/* --- all of them -------------------------------------------------------------------------------------- */

static void write_snippet(struct call *call, const char *member, const struct control_actor *actor)
{
    bool source = actor->side == CONTROL_SOURCE;
    struct json_writer *out = &call->out;
    json_put_key(out, member);
    json_begin_object(out);
    json_member_string(out, source ? "sourceId" : "destinationId", actor->id);
    json_member_string(out, "name", actor->name);
    json_member_string(out, source ? "sourceDefinitionId" : "destinationDefinitionId", actor->definition);
    json_member_string(out, source ? "sourceName" : "destinationName",
                       actor->definition_name ? actor->definition_name : "");
    json_end_object(out);
}

/* What the connections of a list name, by id: asked for once, not for each of them. */
struct named {
    struct map actors, definitions;
};

static int find_side(struct call *call, enum control_side side, struct map *ret_actors, struct error *err)
{
    const struct control_actor_filter filter = {.side = side,
                                                .page = {.limit = CONTROL_PAGE_MAX, .deleted = true}};
    struct control_actor *items;
    size_t count;
    if (control_actors(call->control, &filter, call->arena, &items, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        map_set(ret_actors, slice_of(items[i].id), &items[i]);
    return 0;
}

static int find_named(struct call *call, struct named *ret_named, struct error *err)
{
    const struct control_definition_filter filter = {.any_side = true,
                                                     .page = {.limit = CONTROL_PAGE_MAX, .deleted = true}};
    struct control_definition *items;
    size_t count;
    if (find_side(call, CONTROL_SOURCE, &ret_named->actors, err) < 0 ||
        find_side(call, CONTROL_DESTINATION, &ret_named->actors, err) < 0 ||
        control_definitions(call->control, &filter, call->arena, &items, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        map_set(&ret_named->definitions, slice_of(items[i].id), &items[i]);
    return 0;
}

/* One beyond the page that was asked for is looked up alone. */
static const struct control_actor *actor_of(struct call *call, const struct named *named,
                                            enum control_side side, const char *id)
{
    const struct control_actor *actor = map_get(&named->actors, slice_of(id));
    struct error err;
    if (actor)
        return actor;
    struct control_actor *found = arena_zalloc(call->arena, sizeof *found);
    *found = (struct control_actor){.id = id, .side = side, .name = "", .definition = id};
    (void)control_actor_get(call->control, side, id, true, call->arena, found, &err);
    return found;
}

static void write_item(struct call *call, const struct control_connection *connection,
                       const struct named *named)
{
    struct json_writer *out = &call->out;
    const struct control_actor *source = actor_of(call, named, CONTROL_SOURCE, connection->source);
    const struct control_actor *destination =
        actor_of(call, named, CONTROL_DESTINATION, connection->destination);
    json_begin_object(out);
    json_member_string(out, "connectionId", connection->id);
    json_member_string(out, "name", connection->name);
    view_schedule(out, connection);
    json_member_string(out, "status", control_connection_status_name(connection->status));
    if (connection->status_reason)
        json_member_string(out, "statusReason", connection->status_reason);
    write_snippet(call, "source", source);
    write_snippet(call, "destination", destination);
    write_latest(out, connection, false);
    write_version(out, "sourceActorDefinitionVersion",
                  map_get(&named->definitions, slice_of(source->definition)));
    write_version(out, "destinationActorDefinitionVersion",
                  map_get(&named->definitions, slice_of(destination->definition)));
    view_tags(out, connection, call->arena);
    json_member_bool(out, "onDemandEnabled", false);
    json_end_object(out);
}

static bool is_one_of(const char *id, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ids[i], id) == 0)
            return true;
    }
    return count == 0;
}

static int find_list(struct call *call, struct control_connection **ret_items, size_t *ret_count,
                     uint64_t *ret_total, uint32_t limit, struct error *err)
{
    const char *workspace = call_uuid(call, "workspaceId");
    uint32_t filters = call_member(call, "filters");
    struct control_connection_filter filter = {.workspaces = &workspace,
                                               .workspace_count = workspace ? 1 : 0,
                                               .name_like = call_text_of(call, filters, "searchTerm"),
                                               .any_status = true,
                                               .page = {.limit = limit}};
    filter.tags = call_uuids_of(call, filters, "tagIds", &filter.tag_count);
    return control_connections(call->control, &filter, call->arena, ret_items, ret_count, ret_total, err);
}

/* What the list is asked for, beside what the store finds. */
struct wanted {
    const char *const *sources, *const *destinations, *const *source_definitions,
                                                          *const *destination_definitions;
    size_t source_count, destination_count, source_definition_count, destination_definition_count;
    uint32_t statuses, states; /* lists of the body */
};

static struct wanted wanted_of(struct call *call)
{
    uint32_t filters = call_member(call, "filters");
    struct wanted wanted = {.statuses = JSON_NONE, .states = JSON_NONE};
    wanted.sources = call_uuids(call, "sourceId", &wanted.source_count);
    wanted.destinations = call_uuids(call, "destinationId", &wanted.destination_count);
    wanted.source_definitions =
        call_uuids_of(call, filters, "sourceDefinitionIds", &wanted.source_definition_count);
    wanted.destination_definitions =
        call_uuids_of(call, filters, "destinationDefinitionIds", &wanted.destination_definition_count);
    if (filters != JSON_NONE) {
        wanted.statuses = json_get(&call->body, filters, "statuses");
        wanted.states = json_get(&call->body, filters, "states");
    }
    return wanted;
}

/* Is the word in the list of the body, in any case? A list that is empty or not there has all. */
static bool has_word(struct call *call, uint32_t list, const char *word)
{
    if (!json_is(&call->body, list, JSON_ARRAY) || json_count(&call->body, list) == 0)
        return true;
    for (uint32_t at = json_first(&call->body, list); at != JSON_NONE;
         at = json_next(&call->body, list, at)) {
        const char *each = json_cstring(&call->body, at, call->arena);
        if (each && strcasecmp(each, word) == 0)
            return true;
    }
    return false;
}

static const char *status_word(const struct control_connection *connection)
{
    bool healthy =
        connection->job && (enum control_job_status)connection->job_status == CONTROL_JOB_SUCCEEDED;
    return connection->running ? "running" : healthy ? "healthy" : connection->job ? "failed" : "";
}

static bool is_wanted(struct call *call, const struct wanted *wanted, const struct named *named,
                      const struct control_connection *connection)
{
    return is_one_of(connection->source, wanted->sources, wanted->source_count) &&
           is_one_of(connection->destination, wanted->destinations, wanted->destination_count) &&
           is_one_of(actor_of(call, named, CONTROL_SOURCE, connection->source)->definition,
                     wanted->source_definitions, wanted->source_definition_count) &&
           is_one_of(actor_of(call, named, CONTROL_DESTINATION, connection->destination)->definition,
                     wanted->destination_definitions, wanted->destination_definition_count) &&
           has_word(call, wanted->states, connection->status == CONTROL_ACTIVE ? "active" : "inactive") &&
           has_word(call, wanted->statuses, status_word(connection));
}

/* Those that are wanted, in the order that is. */
struct sorting {
    struct call *call;
    const struct named *named;
    const char *key; /* "sourceName_desc" */
};

static int compare(const void *a, const void *b, void *context)
{
    const struct control_connection *x = a, *y = b;
    const struct sorting *sorting = context;
    const char *key = sorting->key;
    int order = 0;
    if (string_starts_with(key, "connectionName"))
        order = strcasecmp(x->name, y->name);
    else if (string_starts_with(key, "sourceName"))
        order = strcasecmp(actor_of(sorting->call, sorting->named, CONTROL_SOURCE, x->source)->name,
                           actor_of(sorting->call, sorting->named, CONTROL_SOURCE, y->source)->name);
    else if (string_starts_with(key, "destinationName"))
        order =
            strcasecmp(actor_of(sorting->call, sorting->named, CONTROL_DESTINATION, x->destination)->name,
                       actor_of(sorting->call, sorting->named, CONTROL_DESTINATION, y->destination)->name);
    else
        order = (x->job_created_ms > y->job_created_ms) - (x->job_created_ms < y->job_created_ms);
    if (string_ends_with(key, "_desc"))
        order = -order;
    return order ? order : strcmp(x->id, y->id);
}

static size_t choose(struct call *call, const struct named *named, struct control_connection *items,
                     size_t count)
{
    const struct wanted wanted = wanted_of(call);
    struct sorting sorting = {call, named, call_text(call, "sortKey")};
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(call, &wanted, named, &items[i]))
            items[kept++] = items[i];
    }
    if (sorting.key && kept)
        qsort_r(items, kept, sizeof *items, compare, &sorting);
    return kept;
}

static enum http_next answer_page(struct call *call, const struct named *named,
                                  const struct control_connection *items, size_t count, size_t size,
                                  const char *cursor)
{
    size_t from = 0, written = 0;
    while (cursor && from < count && strcasecmp(items[from].id, cursor) != 0)
        from++;
    if (cursor && from++ == count)
        return call_invalid(call, "cursor", "cursor: the list has no connection of this id");
    struct json_writer *out = call_begin(call);
    json_put_key(out, "connections");
    json_begin_array(out);
    for (; from + written < count && written < size; written++)
        write_item(call, &items[from + written], named);
    json_end_array(out);
    json_member_u64(out, "num_connections", count);
    json_member_u64(out, "page_size", written);
    return call_end(call);
}

enum http_next web_connection_list(struct call *call)
{
    struct control_connection *items;
    struct named named;
    struct error err;
    const char *cursor;
    size_t count, size;
    if (!paging_by_cursor(call, &size, &cursor))
        return HTTP_ANSWER;
    if (find_list(call, &items, &count, NULL, CONTROL_PAGE_MAX, &err) < 0)
        return call_error(call, &err);
    map_init(&named.actors);
    map_init(&named.definitions);
    enum http_next next =
        find_named(call, &named, &err) < 0
            ? call_error(call, &err)
            : answer_page(call, &named, items, choose(call, &named, items, count), size, cursor);
    map_done(&named.actors);
    map_done(&named.definitions);
    return next;
}

enum http_next web_status_counts(struct call *call)
{
    struct control_connection *items;
    struct error err;
    size_t count;
    int64_t running = 0, healthy = 0, failed = 0, paused = 0, not_synced = 0;
    if (find_list(call, &items, &count, NULL, CONTROL_PAGE_MAX, &err) < 0)
        return call_error(call, &err);
    for (size_t i = 0; i < count; i++) {
        enum control_job_status status = (enum control_job_status)items[i].job_status;
        if (items[i].running)
            running++;
        else if (items[i].status != CONTROL_ACTIVE)
            paused++;
        else if (!items[i].job)
            not_synced++;
        else if (status == CONTROL_JOB_SUCCEEDED)
            healthy++;
        else
            failed++;
    }
    struct json_writer *out = call_begin(call);
    json_member_i64(out, "running", running);
    json_member_i64(out, "healthy", healthy);
    json_member_i64(out, "failed", failed);
    json_member_i64(out, "paused", paused);
    json_member_i64(out, "notSynced", not_synced);
    return call_end(call);
}

static int count_actors(struct call *call, enum control_side side, const char *workspace, uint64_t *ret_total,
                        struct error *err)
{
    const struct control_actor_filter filter = {
        .side = side, .workspaces = &workspace, .workspace_count = 1, .page = {.limit = 1}};
    struct control_actor *items;
    size_t count;
    return control_actors(call->control, &filter, call->arena, &items, &count, ret_total, err);
}

enum http_next web_workspace_state(struct call *call)
{
    struct control_connection *items;
    struct error err;
    size_t count;
    uint64_t connections = 0, sources = 0, destinations = 0;
    const char *workspace = call_uuid(call, "workspaceId");
    if (find_list(call, &items, &count, &connections, 1, &err) < 0 ||
        count_actors(call, CONTROL_SOURCE, workspace, &sources, &err) < 0 ||
        count_actors(call, CONTROL_DESTINATION, workspace, &destinations, &err) < 0)
        return call_error(call, &err);
    json_member_bool(call_begin(call), "hasConnections", connections > 0);
    json_member_bool(&call->out, "hasSources", sources > 0);
    json_member_bool(&call->out, "hasDestinations", destinations > 0);
    return call_end(call);
}

enum http_next web_describe_cron(struct call *call)
{
    enum { TIMES = 3 };
    const char *text = call_text(call, "cronExpression");
    const struct control_connection connection = {
        .status = CONTROL_ACTIVE, .schedule = CONTROL_CRON, .cron = text};
    int64_t at = call->now_ms;
    struct json_writer *out = call_begin(call);
    json_member_string(out, "cronExpression", text);
    json_put_key(out, "nextExecutions");
    json_begin_array(out);
    struct error err;
    bool valid = control_schedule_check(&connection, &err) == 0;
    for (int i = 0; valid && i < TIMES && (at = jobs_due(&connection, at)) >= 0; i++) {
        json_put_i64(out, call_seconds(at));
    }
    json_end_array(out);
    json_member_bool(out, "isValid", valid);
    if (!valid)
        json_member_string(out, "validationErrorMessage", err.message);
    return call_end(call);
}
