#include "control/connections.h"

#include "control/jobs.h"
#include "control/schedule.h"
#include "control/scheduled.h"
#include "control/sqlite/query.h"
#include "control/sqlite/streams.h"

#define COLUMNS                                                                                        \
    "c.id, c.revision, c.name, c.source, c.destination, c.workspace, c.namespace_definition, "         \
    "c.namespace_format, c.prefix, c.status, c.status_reason, c.source_catalog, c.schedule, c.every, " \
    "c.unit, "                                                                                         \
    "c.cron, c.time_zone, c.changes, c.breaking_change, c.notify_changes, c.backfill, c.extra, "       \
    "c.created_ms, "                                                                                   \
    "c.updated_ms, c.checked_ms, j.id, j.created_ms, j.status"
enum { CATALOG = 28 /* the last column, of those that ask for it */ };

static void read_schedule(sqlite3_stmt *row, struct arena *arena, struct control_connection *connection)
{
    connection->schedule = (enum control_schedule)sqlite3_column_int(row, 12);
    connection->every = (uint32_t)sqlite3_column_int64(row, 13);
    connection->unit = (enum control_unit)sqlite3_column_int(row, 14);
    connection->cron = database_text(row, 15, arena);
    connection->time_zone = database_text(row, 16, arena);
}

static int read_connection(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                           struct error *err)
{
    struct control_connection *connection = ret_item;
    (void)control, (void)err;
    *connection = (struct control_connection){
        .id = database_text(row, 0, arena),
        .revision = (uint64_t)sqlite3_column_int64(row, 1),
        .name = database_text(row, 2, arena),
        .source = database_text(row, 3, arena),
        .destination = database_text(row, 4, arena),
        .workspace = database_text(row, 5, arena),
        .namespace_definition = (enum control_namespace)sqlite3_column_int(row, 6),
        .namespace_format = database_text(row, 7, arena),
        .prefix = database_text(row, 8, arena),
        .status = (enum control_connection_status)sqlite3_column_int(row, 9),
        .status_reason = database_text(row, 10, arena),
        .source_catalog = database_text(row, 11, arena),
        .changes = (enum control_changes)sqlite3_column_int(row, 17),
        .breaking_change = sqlite3_column_int(row, 18),
        .notify_changes = sqlite3_column_int(row, 19),
        .backfill = sqlite3_column_int(row, 20),
        .extra = query_slice(row, 21, arena),
        .created_ms = sqlite3_column_int64(row, 22),
        .updated_ms = sqlite3_column_int64(row, 23),
        .checked_ms = sqlite3_column_int64(row, 24),
        .job = sqlite3_column_int64(row, 25),
        .job_created_ms = sqlite3_column_int64(row, 26),
        .job_status = sqlite3_column_int(row, 27)};
    connection->deleted = connection->status == CONTROL_DEPRECATED;
    connection->running =
        connection->job && !control_job_over((enum control_job_status)connection->job_status);
    read_schedule(row, arena, connection);
    return 0;
}

static int read_whole(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                      struct error *err)
{
    struct control_connection *connection = ret_item;
    if (read_connection(control, row, arena, connection, err) < 0)
        return -1;
    connection->catalog = query_slice(row, CATALOG, arena);
    return 0;
}

static struct query_table table_of(bool whole)
{
    return (struct query_table){
        .columns = whole ? COLUMNS ", c.catalog" : COLUMNS,
        .from = "connections c LEFT JOIN jobs j ON j.id = (SELECT max(id) FROM jobs WHERE connection = c.id)",
        .counted = "connections c",
        .item_size = sizeof(struct control_connection),
        .read = whole ? read_whole : read_connection,
        .what = "connection"};
}

/* --- putting ------------------------------------------------------------------------------------- */

static const char *find_workspace(struct control *control, enum control_side side, const char *id,
                                  struct arena *arena, struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *row =
        query_prepare(control, "SELECT workspace FROM actors WHERE id = ? AND side = ? AND deleted = 0",
                      QUERY_VALUES(query_text(id), query_number(side)), err);
    int step = row ? database_step(control, row, err) : -1;
    if (step > 0)
        return database_text(row, 0, arena);
    if (step == 0)
        error_set(err, ERROR_NOT_FOUND, "there is no %s '%.64s'", control_side_name(side), id);
    return NULL;
}

static int check(struct control *control, const struct control_connection *connection, struct arena *arena,
                 const char **ret_workspace, struct error *err)
{
    const char *source = find_workspace(control, CONTROL_SOURCE, connection->source, arena, err);
    if (!source)
        return -1;
    const char *destination =
        find_workspace(control, CONTROL_DESTINATION, connection->destination, arena, err);
    if (!destination)
        return -1;
    if (strcmp(source, destination) != 0)
        return error_set(err, ERROR_INVALID, "the source and the destination belong to different workspaces");
    if (connection->namespace_definition == CONTROL_NAMESPACE_CUSTOM &&
        !(connection->namespace_format && *connection->namespace_format))
        return error_set(err, ERROR_INVALID,
                         "the namespace is a custom format, and namespaceFormat does not say which");
    *ret_workspace = source;
    return 0;
}

/* What of it a caller need not know anything else to see. */
static int check_alone(const struct control_connection *connection, struct error *err)
{
    struct slice format =
        connection->namespace_format ? slice_of(connection->namespace_format) : (struct slice){0};
    struct slice prefix = connection->prefix ? slice_of(connection->prefix) : (struct slice){0};
    if (query_check_name("a connection's name", connection->name, err) < 0 ||
        query_check_size("a namespace format", format, CONTROL_TITLE_MAX, err) < 0 ||
        query_check_size("a prefix", prefix, CONTROL_TITLE_MAX, err) < 0 ||
        query_check_size("a catalog", connection->catalog, CONTROL_CATALOG_MAX, err) < 0 ||
        query_check_size("what else a connection has", connection->extra, CONTROL_JSON_MAX, err) < 0 ||
        control_schedule_check(connection, err) < 0)
        return -1;
    return streams_check(connection->catalog, err);
}

static int insert(struct control *control, const struct control_connection *c, const char *workspace,
                  struct error *err)
{
    int64_t count = 0;
    if (database_number(control, "SELECT count(*) FROM connections WHERE status <> 2", 0, &count, err) < 0)
        return -1;
    if (count >= CONTROL_CONNECTIONS_MAX)
        return error_set(err, ERROR_LIMIT, "there are %d connections, which is the limit",
                         CONTROL_CONNECTIONS_MAX);
    return QUERY_RUN(
        control, err,
        "INSERT INTO connections (id, revision, name, source, destination, workspace, namespace_definition, "
        "namespace_format, prefix, status, status_reason, source_catalog, schedule, every, unit, cron, "
        "time_zone, "
        "changes, breaking_change, notify_changes, backfill, extra, created_ms, updated_ms, catalog) VALUES "
        "(?, 1, "
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        query_text(c->id), query_text(c->name), query_text(c->source), query_text(c->destination),
        query_text(workspace), query_number(c->namespace_definition), query_text(c->namespace_format),
        query_text(c->prefix), query_number(c->status), query_text(c->status_reason),
        query_text(c->source_catalog), query_number(c->schedule), query_number(c->every),
        query_number(c->unit), query_text(c->cron), query_text(c->time_zone), query_number(c->changes),
        query_number(c->breaking_change), query_number(c->notify_changes), query_number(c->backfill),
        query_json(c->extra), query_number(c->created_ms), query_number(c->updated_ms),
        query_json(c->catalog));
}

static int update(struct control *control, const struct control_connection *c, const char *workspace,
                  struct error *err)
{
    if (QUERY_RUN(
            control, err,
            "UPDATE connections SET revision = revision + 1, name = ?, source = ?, destination = ?, "
            "workspace = ?, "
            "namespace_definition = ?, namespace_format = ?, prefix = ?, status = ?, status_reason = ?, "
            "source_catalog = ?, schedule = ?, every = ?, unit = ?, cron = ?, time_zone = ?, changes = ?, "
            "breaking_change = ?, notify_changes = ?, backfill = ?, extra = ?, updated_ms = ?, catalog = ? "
            "WHERE "
            "id = ? AND revision = ?",
            query_text(c->name), query_text(c->source), query_text(c->destination), query_text(workspace),
            query_number(c->namespace_definition), query_text(c->namespace_format), query_text(c->prefix),
            query_number(c->status), query_text(c->status_reason), query_text(c->source_catalog),
            query_number(c->schedule), query_number(c->every), query_number(c->unit), query_text(c->cron),
            query_text(c->time_zone), query_number(c->changes), query_number(c->breaking_change),
            query_number(c->notify_changes), query_number(c->backfill), query_json(c->extra),
            query_number(c->updated_ms), query_json(c->catalog), query_text(c->id),
            query_number((int64_t)c->revision)) < 0)
        return -1;
    if (sqlite3_changes(control->db))
        return 0;
    error_set(err, ERROR_BUSY,
              "the connection '%s' was changed by somebody else at the same time: read it again", c->name);
    err->retriable = true;
    return -1;
}

int control_connection_put(struct control *control, const struct control_connection *connection,
                           struct error *err)
{
    DATABASE_HOLD(control);
    struct arena arena;
    const char *workspace = NULL;
    if (check_alone(connection, err) < 0 || database_begin(control, err) < 0)
        return -1;
    arena_init(&arena);
    int result = check(control, connection, &arena, &workspace, err);
    if (result == 0)
        result = connection->revision ? update(control, connection, workspace, err)
                                      : insert(control, connection, workspace, err);
    arena_done(&arena);
    if (result == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}

/* --- reading ------------------------------------------------------------------------------------- */

int control_connection_get(struct control *control, const char *id, bool deleted, struct arena *arena,
                           struct control_connection *ret_connection, struct error *err)
{
    DATABASE_HOLD(control);
    struct query_table table = table_of(true);
    return query_find(control, &table, deleted ? "c.id = ?" : "c.id = ? AND c.status <> 2", query_text(id),
                      id, arena, ret_connection, err);
}

static void filter_where(const struct control_connection_filter *filter, struct query_where *where)
{
    if (!filter->page.deleted)
        query_and_plain(where, "c.status <> 2");
    query_and_any(where, "c.workspace", filter->workspaces, filter->workspace_count);
    query_and_any(where, "c.id", filter->ids, filter->id_count);
    query_and_any_of(where, "json_each(CAST(nullif(c.extra, '') AS TEXT), '$.tags') t",
                     "lower(json_extract(t.value, '$.tagId'))", filter->tags, filter->tag_count);
    if (filter->source)
        query_and(where, "c.source = ?", query_text(filter->source));
    if (filter->destination)
        query_and(where, "c.destination = ?", query_text(filter->destination));
    if (filter->definition)
        query_and(
            where,
            "EXISTS (SELECT 1 FROM actors a WHERE a.id IN (c.source, c.destination) AND a.definition = ?)",
            query_text(filter->definition));
    if (filter->name_like)
        query_and(where, "instr(lower(c.name), lower(?)) > 0", query_text(filter->name_like));
    if (!filter->any_status)
        query_and(where, "c.status = ?", query_number(filter->status));
}

int control_connections(struct control *control, const struct control_connection_filter *filter,
                        struct arena *arena, struct control_connection **ret_items, size_t *ret_count,
                        uint64_t *ret_total, struct error *err)
{
    DATABASE_HOLD(control);
    struct query_table table = table_of(filter->catalogs);
    struct query_where where;
    query_where_init(&where);
    filter_where(filter, &where);
    int result = query_list(control, &table, &where, "c.created_ms DESC, c.id DESC", &filter->page, arena,
                            ret_items, ret_count, ret_total, err);
    query_where_done(&where);
    return result;
}

/* --- the rest ------------------------------------------------------------------------------------ */

static int delete (struct control *control, const char *id, int64_t now_ms, struct error *err)
{
    int64_t there = 0, job = 0;
    if (QUERY_GET(control, err, 0, &there, "SELECT count(*) FROM connections WHERE id = ? AND status <> 2",
                  query_text(id)) < 0 ||
        QUERY_GET(control, err, 0, &job, "SELECT id FROM jobs WHERE connection = ? AND status < 3",
                  query_text(id)) < 0)
        return -1;
    if (!there)
        return error_set(err, ERROR_NOT_FOUND, "there is no connection '%.64s'", id);
    if (job)
        return error_set(err, ERROR_BUSY, "job %lld of the connection is not over: cancel it first",
                         (long long)job);
    return QUERY_RUN(
        control, err,
        "UPDATE connections SET status = 2, updated_ms = ?, revision = revision + 1 WHERE id = ?",
        query_number(now_ms), query_text(id));
}

int control_connection_delete(struct control *control, const char *id, int64_t now_ms, struct error *err)
{
    DATABASE_HOLD(control);
    if (database_begin(control, err) < 0)
        return -1;
    if (delete (control, id, now_ms, err) == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}

int control_connection_checked(struct control *control, const char *id, int64_t now_ms, struct error *err)
{
    DATABASE_HOLD(control);
    return QUERY_RUN(control, err, "UPDATE connections SET checked_ms = ? WHERE id = ?", query_number(now_ms),
                     query_text(id));
}

int control_connections_scheduled(struct control *control, struct arena *arena,
                                  struct control_connection **ret_items, size_t *ret_count, struct error *err)
{
    DATABASE_HOLD(control);
    struct query_table table = table_of(false);
    struct query_where where;
    const struct control_page all = {.limit = CONTROL_PAGE_MAX};
    query_where_init(&where);
    query_and_plain(&where, "c.status = 0 AND c.schedule > 0 AND c.breaking_change = 0");
    int result = query_list(control, &table, &where, "c.created_ms, c.id", &all, arena, ret_items, ret_count,
                            NULL, err);
    query_where_done(&where);
    return result;
}
