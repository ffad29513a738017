/* Jobs and attempts: making and reading them. */
#include "control/jobs.h"

#include "control/sqlite/stats.h"

#include "control/connections.h"
#include "control/sqlite/streams.h"

static int read_job(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                    struct error *err)
{
    struct control_job *job = ret_item;
    (void)control;
    *job = (struct control_job){.id = sqlite3_column_int64(row, 0),
                                .connection = database_text(row, 1, arena),
                                .workspace = database_text(row, 2, arena),
                                .type = (enum control_job_type)sqlite3_column_int(row, 3),
                                .status = (enum control_job_status)sqlite3_column_int(row, 4),
                                .scheduled = sqlite3_column_int(row, 5),
                                .cancelling = sqlite3_column_int(row, 6),
                                .merge = sqlite3_column_int(row, 7),
                                .created_ms = sqlite3_column_int64(row, 9),
                                .updated_ms = sqlite3_column_int64(row, 10),
                                .started_ms = sqlite3_column_int64(row, 11),
                                .ended_ms = sqlite3_column_int64(row, 12),
                                .retry_ms = sqlite3_column_int64(row, 13),
                                .attempts = (uint32_t)sqlite3_column_int64(row, 14),
                                .stats = stats_read(row, 15)};
    return streams_read(query_slice(row, 8, arena), arena, &job->streams, &job->stream_count, err);
}

#define TABLE(streams_)                                                                                 \
    {                                                                                                   \
        .columns = "id, connection, workspace, type, status, scheduled, cancelling, merge, " streams_   \
                   ", created_ms, updated_ms, started_ms, ended_ms, retry_ms, attempts, " STATS_OF(""), \
        .from = "jobs", .item_size = sizeof(struct control_job), .read = read_job, .what = "job",       \
    }
static const struct query_table table = TABLE("streams"), table_brief = TABLE("NULL");

/* --- making one ---------------------------------------------------------------------------------- */

static int check_free(struct control *control, const char *connection, struct error *err)
{
    int64_t other = 0;
    if (QUERY_GET(control, err, 0, &other, "SELECT id FROM jobs WHERE connection = ? AND status < 3",
                  query_text(connection)) < 0)
        return -1;
    if (!other)
        return 0;
    error_set(err, ERROR_BUSY, "a sync is already running for this connection: job %lld is not over",
              (long long)other);
    err->retriable = true;
    return -1;
}

static int check_connection(const struct control_connection *connection, const struct control_job_new *job,
                            struct error *err)
{
    if (connection->status != CONTROL_ACTIVE && job->type == CONTROL_JOB_SYNC)
        return error_set(err, ERROR_INVALID, "the connection '%s' is %s%s%s: make it active first",
                         connection->name, control_connection_status_name(connection->status),
                         connection->status_reason ? ", since " : "",
                         connection->status_reason ? connection->status_reason : "");
    if (connection->breaking_change && job->type != CONTROL_JOB_CLEAR)
        return error_set(
            err, ERROR_INVALID,
            "the schema of the source of '%s' has changed so that the connection does not fit it any more, "
            "as "
            "its last job tells: choose cursor and key anew, by 'firth apply' or an update with a "
            "syncCatalog; or, once the source has them again, ask it by sources/discover_schema with the "
            "connectionId %s",
            connection->name, connection->id);
    return 0;
}

/* Which streams the job is of, as JSON. */
static int choose_streams(const struct control_connection *connection, const struct control_job_new *job,
                          struct arena *arena, struct slice *ret_streams, struct error *err)
{
    const struct control_stream *selected;
    size_t count = 0;
    if (job->stream_count > CONTROL_JOB_STREAMS_MAX)
        return error_set(err, ERROR_LIMIT, "%zu streams are named; the limit is %d", job->stream_count,
                         CONTROL_JOB_STREAMS_MAX);
    if (streams_selected(connection->catalog, arena, &selected, &count, err) < 0)
        return -1;
    if (count == 0)
        return error_set(err, ERROR_INVALID, "the connection '%s' selects no stream", connection->name);
    for (size_t i = 0; i < job->stream_count; i++) {
        if (!streams_have(selected, count, &job->streams[i]))
            return error_set(err, ERROR_INVALID, "the connection '%s' selects no stream '%.200s'",
                             connection->name, job->streams[i].name);
    }
    *ret_streams = job->stream_count ? streams_write(job->streams, job->stream_count, arena)
                                     : streams_write(selected, count, arena);
    return 0;
}

static int create(struct control *control, const struct control_job_new *job, struct arena *arena,
                  int64_t *ret_id, struct error *err)
{
    struct control_connection connection;
    struct slice streams;
    if (control_connection_get(control, job->connection, false, arena, &connection, err) < 0 ||
        check_free(control, job->connection, err) < 0 || check_connection(&connection, job, err) < 0 ||
        choose_streams(&connection, job, arena, &streams, err) < 0 ||
        QUERY_RUN(
            control, err,
            "INSERT INTO jobs (connection, workspace, type, status, scheduled, merge, streams, created_ms, "
            "updated_ms, attempts) VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?7, 1)",
            query_text(connection.id), query_text(connection.workspace), query_number(job->type),
            query_number(job->scheduled), query_number(job->merge), query_json(streams),
            query_number(job->now_ms)) < 0)
        return -1;
    *ret_id = sqlite3_last_insert_rowid(control->db);
    return QUERY_RUN(
        control, err,
        "INSERT INTO attempts (job, number, status, created_ms, updated_ms) VALUES (?1, 0, 0, ?2, ?2)",
        query_number(*ret_id), query_number(job->now_ms));
}

int control_job_create(struct control *control, const struct control_job_new *job, int64_t *ret_id,
                       struct error *err)
{
    DATABASE_HOLD(control);
    struct arena arena;
    int64_t id = 0;
    if (database_begin(control, err) < 0)
        return -1;
    arena_init(&arena);
    int result = create(control, job, &arena, &id, err);
    arena_done(&arena);
    if (result < 0) {
        database_rollback(control);
        return -1;
    }
    if (database_commit(control, err) < 0)
        return -1;
    *ret_id = id;
    return 0;
}

/* --- reading jobs -------------------------------------------------------------------------------- */

int control_job_get(struct control *control, int64_t id, struct arena *arena, struct control_job *ret_job,
                    struct error *err)
{
    DATABASE_HOLD(control);
    char shown[32];
    snprintf(shown, sizeof shown, "%lld", (long long)id);
    return query_find(control, &table, "id = ?", query_number(id), shown, arena, ret_job, err);
}

int control_job_newest(struct control *control, const char *connection, unsigned types, struct arena *arena,
                       struct control_job *ret_job, struct error *err)
{
    DATABASE_HOLD(control);
    struct query_where where;
    const struct control_page page = {.limit = 1};
    struct control_job *jobs;
    size_t count = 0;
    query_where_init(&where);
    query_and(&where, "connection = ?", query_text(connection));
    query_and_bits(&where, "type", types);
    int result = query_list(control, &table, &where, "id DESC", &page, arena, &jobs, &count, NULL, err);
    query_where_done(&where);
    if (result < 0)
        return -1;
    if (count == 0)
        return error_set(err, ERROR_NOT_FOUND, "the connection '%.64s' has no such job", connection);
    *ret_job = jobs[0];
    return 0;
}

static void filter_where(const struct control_job_filter *filter, struct query_where *where)
{
    query_and_any(where, "workspace", filter->workspaces, filter->workspace_count);
    if (filter->connection)
        query_and(where, "connection = ?", query_text(filter->connection));
    query_and_bits(where, "type", filter->types);
    query_and_bits(where, "status", filter->statuses);
    if (filter->created_from_ms)
        query_and(where, "created_ms >= ?", query_number(filter->created_from_ms));
    if (filter->created_to_ms)
        query_and(where, "created_ms <= ?", query_number(filter->created_to_ms));
    if (filter->updated_from_ms)
        query_and(where, "updated_ms >= ?", query_number(filter->updated_from_ms));
    if (filter->updated_to_ms)
        query_and(where, "updated_ms <= ?", query_number(filter->updated_to_ms));
}

static const char *order_of(const struct control_job_filter *filter)
{
    if (filter->order == CONTROL_JOBS_ID)
        return filter->ascending ? "id" : "id DESC";
    if (filter->order == CONTROL_JOBS_UPDATED)
        return filter->ascending ? "updated_ms, id" : "updated_ms DESC, id DESC";
    return filter->ascending ? "created_ms, id" : "created_ms DESC, id DESC";
}

/* How many of the filter's jobs come before this one, so that the page that has it is known. */
static int find_offset(struct control *control, const struct control_job_filter *filter,
                       const struct control_page *page, uint32_t *ret_offset, struct error *err)
{
    const char *column = filter->order == CONTROL_JOBS_UPDATED ? "updated_ms" : "created_ms";
    struct query_where where;
    int64_t there = 0, before = 0;
    query_where_init(&where);
    filter_where(filter, &where);
    query_and(&where, "id = ?", query_number(filter->including));
    auto_free char *exists = mem_printf("SELECT count(*) FROM jobs%.*s", (int)where.sql.size, where.sql.data);
    int result = query_get(control, exists, where.values, where.count, 0, &there, err);
    query_where_done(&where);
    if (result < 0 || !there)
        return result;
    query_where_init(&where);
    filter_where(filter, &where);
    auto_free char *condition = mem_printf("(%s, id) %s (SELECT %s, id FROM jobs WHERE id = ?)", column,
                                           filter->ascending ? "<" : ">", column);
    query_and(&where, condition, query_number(filter->including));
    auto_free char *count = mem_printf("SELECT count(*) FROM jobs%.*s", (int)where.sql.size, where.sql.data);
    result = query_get(control, count, where.values, where.count, 0, &before, err);
    query_where_done(&where);
    if (result < 0)
        return -1;
    uint32_t limit = page->limit ? page->limit : CONTROL_PAGE_DEFAULT;
    *ret_offset = (uint32_t)(before / limit * limit);
    return 0;
}

int control_jobs(struct control *control, const struct control_job_filter *filter, struct arena *arena,
                 struct control_job **ret_items, size_t *ret_count, uint64_t *ret_total, struct error *err)
{
    DATABASE_HOLD(control);
    struct query_where where;
    struct control_page page = filter->page;
    if (filter->including && find_offset(control, filter, &page, &page.offset, err) < 0)
        return -1;
    query_where_init(&where);
    filter_where(filter, &where);
    int result = query_list(control, filter->brief ? &table_brief : &table, &where, order_of(filter), &page,
                            arena, ret_items, ret_count, ret_total, err);
    query_where_done(&where);
    return result;
}

int control_job_counts(struct control *control, uint64_t ret_counts[CONTROL_JOB_STATUS_COUNT],
                       struct error *err)
{
    DATABASE_HOLD(control);
    uint64_t counts[CONTROL_JOB_STATUS_COUNT] = {0};
    mem_auto(sqlite3_finalize) sqlite3_stmt *row =
        database_prepare(control, "SELECT status, count(*) FROM jobs GROUP BY status", err);
    int step = row ? 0 : -1;
    while (row && (step = database_step(control, row, err)) > 0) {
        int64_t status = sqlite3_column_int64(row, 0);
        if (status >= 0 && status < CONTROL_JOB_STATUS_COUNT)
            counts[status] = (uint64_t)sqlite3_column_int64(row, 1);
    }
    if (step == 0)
        memcpy(ret_counts, counts, sizeof counts);
    return step;
}
