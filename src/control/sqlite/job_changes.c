#include "control/job_changes.h"

#include "control/sqlite/stats.h"

int control_jobs_open(struct control *control, struct arena *arena, struct control_job **ret_items,
                      size_t *ret_count, struct error *err)
{
    const struct control_job_filter open = {
        .statuses = 1U << CONTROL_JOB_PENDING | 1U << CONTROL_JOB_RUNNING | 1U << CONTROL_JOB_INCOMPLETE,
        .ascending = true,
        .page = {.limit = CONTROL_PAGE_MAX}};
    return control_jobs(control, &open, arena, ret_items, ret_count, NULL, err);
}

/* --- steps --------------------------------------------------------------------------------------- */

static int put_failures(struct control *control, const struct control_job_step *step, struct error *err)
{
    for (size_t i = 0; i < step->failure_count; i++) {
        const struct control_failure *failure = &step->failures[i];
        struct slice stack = failure->stack ? slice_of(failure->stack) : (struct slice){0};
        stack.size = utf8_cut(stack.data ? stack.data : "", stack.size, CONTROL_FAILURE_STACK_MAX);
        if (QUERY_RUN(
                control, err,
                "INSERT INTO failures (job, attempt, number, origin, type, message, internal, stack, "
                "retriable, namespace, name, at_ms) SELECT ?1, attempts - 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                "?9, ?10, ?11 FROM jobs WHERE id = ?1",
                query_number(step->job), query_number((int64_t)i), query_text(failure->origin),
                query_text(failure->type), query_text(failure->message), query_text(failure->internal),
                query_json(stack), query_number(failure->retriable), query_text(failure->stream.namespace),
                query_text(failure->stream.name), query_number(failure->at_ms)) < 0)
            return -1;
    }
    return 0;
}

static int end_attempt(struct control *control, const struct control_job_step *step, struct error *err)
{
    if (QUERY_RUN(
            control, err,
            "UPDATE attempts SET status = ?, partial = ?, updated_ms = ?4, ended_ms = ?4 WHERE job = ?3 AND "
            "number = (SELECT attempts - 1 FROM jobs WHERE id = ?3) AND status = 0",
            query_number(step->outcome), query_number(step->partial), query_number(step->job),
            query_number(step->now_ms)) < 0)
        return -1;
    return put_failures(control, step, err);
}

/* The first one is there since the job was made. */
static int begin_attempt(struct control *control, const struct control_job_step *step, struct error *err)
{
    int64_t running = 0;
    if (QUERY_GET(control, err, 0, &running, "SELECT count(*) FROM attempts WHERE job = ? AND status = 0",
                  query_number(step->job)) < 0)
        return -1;
    if (running)
        return QUERY_RUN(control, err,
                         "UPDATE attempts SET created_ms = ?2, updated_ms = ?2 WHERE job = ?1 AND status = 0",
                         query_number(step->job), query_number(step->now_ms));
    return QUERY_RUN(
               control, err,
               "INSERT INTO attempts (job, number, status, created_ms, updated_ms) SELECT id, attempts, 0, "
               "?2, ?2 FROM jobs WHERE id = ?1",
               query_number(step->job), query_number(step->now_ms)) < 0
               ? -1
               : QUERY_RUN(control, err, "UPDATE jobs SET attempts = attempts + 1 WHERE id = ?",
                           query_number(step->job));
}

static int take_step(struct control *control, const struct control_job_step *step, struct error *err)
{
    if ((step->attempt_ends && end_attempt(control, step, err) < 0) ||
        (step->attempt_begins && begin_attempt(control, step, err) < 0))
        return -1;
    return QUERY_RUN(
        control, err,
        "UPDATE jobs SET status = ?2, updated_ms = ?3, retry_ms = ?4, started_ms = CASE WHEN ?5 AND "
        "started_ms = 0 THEN ?3 ELSE started_ms END, ended_ms = CASE WHEN ?2 >= 3 THEN ?3 ELSE 0 "
        "END, cancelling = CASE WHEN ?2 >= 3 THEN 0 ELSE cancelling END WHERE id = ?1",
        query_number(step->job), query_number(step->status), query_number(step->now_ms),
        query_number(step->retry_ms), query_number(step->attempt_begins));
}

int control_job_step(struct control *control, const struct control_job_step *step, struct error *err)
{
    DATABASE_HOLD(control);
    if (database_begin(control, err) < 0)
        return -1;
    if (take_step(control, step, err) == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}

/* --- statistics ---------------------------------------------------------------------------------- */

static int put_stream(struct control *control, int64_t job, const struct control_stream_stats *stream,
                      struct error *err)
{
    struct query_value values[4 + STATS_COUNT] = {
        query_number(job), query_text(stream->stream.namespace ? stream->stream.namespace : ""),
        query_text(stream->stream.name), query_number(stream->complete)};
    stats_values(&stream->stats, values + 4);
    return query_run(
        control,
        "INSERT OR REPLACE INTO stream_stats (job, attempt, namespace, name, complete, " STATS_OF(
            "") ") SELECT ?1, attempts - 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 FROM jobs WHERE id "
                "= ?1",
        values, sizeof values / sizeof *values, err);
}

static int put_stats(struct control *control, int64_t job, int64_t now_ms,
                     const struct control_stream_stats *streams, size_t count, int64_t states,
                     struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (put_stream(control, job, &streams[i], err) < 0)
            return -1;
    return stats_sum_up(control, job, now_ms, states, err);
}

int control_job_stats(struct control *control, int64_t job, int64_t now_ms,
                      const struct control_stream_stats *streams, size_t count, int64_t states,
                      struct error *err)
{
    DATABASE_HOLD(control);
    if (database_begin_lightly(control, err) < 0)
        return -1;
    int result = put_stats(control, job, now_ms, streams, count, states, err);
    if (result == 0)
        result = database_commit(control, err);
    else
        database_rollback(control);
    database_end_lightly(control);
    return result;
}

/* --- the end ------------------------------------------------------------------------------------- */

int control_job_cancelling(struct control *control, int64_t job, int64_t now_ms, struct error *err)
{
    DATABASE_HOLD(control);
    struct query_value values[] = {query_number(job), query_number(now_ms)};
    int64_t status = 0;
    if (query_run(control, "UPDATE jobs SET cancelling = 1, updated_ms = ?2 WHERE id = ?1 AND status < 3",
                  values, 2, err) < 0)
        return -1;
    if (sqlite3_changes(control->db))
        return 0;
    if (QUERY_GET(control, err, -1, &status, "SELECT status FROM jobs WHERE id = ?", query_number(job)) < 0)
        return -1;
    return status < 0 ? error_set(err, ERROR_NOT_FOUND, "there is no job '%lld'", (long long)job) : 1;
}

static int choose_old(struct control *control, int64_t before_ms, uint32_t kept, size_t max,
                      struct arena *arena, int64_t **ret_ids, size_t *ret_count, struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *row = query_prepare(
        control,
        "SELECT id FROM (SELECT id, ended_ms, row_number() OVER (PARTITION BY connection ORDER BY id DESC) "
        "AS "
        "place FROM jobs) WHERE ended_ms > 0 AND place > 1 AND (ended_ms < ? OR place > ?) LIMIT ?",
        QUERY_VALUES(query_number(before_ms), query_number(kept), query_number((int64_t)max)), err);
    int64_t *ids = arena_alloc(arena, (max + 1) * sizeof *ids);
    size_t count = 0;
    int step = row ? 0 : -1;
    while (row && count < max && (step = database_step(control, row, err)) > 0)
        ids[count++] = sqlite3_column_int64(row, 0);
    *ret_ids = ids;
    *ret_count = count;
    return step < 0 ? -1 : 0;
}

int control_jobs_forget(struct control *control, int64_t before_ms, uint32_t kept, size_t max,
                        struct arena *arena, int64_t **ret_ids, size_t *ret_count, struct error *err)
{
    DATABASE_HOLD(control);
    int64_t *ids = NULL;
    size_t count = 0;
    if (database_begin(control, err) < 0)
        return -1;
    int result = choose_old(control, before_ms, kept, max, arena, &ids, &count, err);
    for (size_t i = 0; i < count && result == 0; i++)
        result = QUERY_RUN(control, err, "DELETE FROM jobs WHERE id = ?", query_number(ids[i]));
    if (result < 0) {
        database_rollback(control);
        return -1;
    }
    if (database_commit(control, err) < 0)
        return -1;
    *ret_ids = ids;
    *ret_count = count;
    return 0;
}
