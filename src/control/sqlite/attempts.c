/* Reading the attempts of a job, with what is known of their streams and failures. */
#include "control/sqlite/stats.h"

static int read_attempt(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                        struct error *err)
{
    (void)control, (void)arena, (void)err;
    *(struct control_attempt *)ret_item =
        (struct control_attempt){.job = sqlite3_column_int64(row, 0),
                                 .number = (uint32_t)sqlite3_column_int64(row, 1),
                                 .status = (enum control_attempt_status)sqlite3_column_int(row, 2),
                                 .created_ms = sqlite3_column_int64(row, 3),
                                 .updated_ms = sqlite3_column_int64(row, 4),
                                 .ended_ms = sqlite3_column_int64(row, 5),
                                 .partial = sqlite3_column_int(row, 6),
                                 .stats = stats_read(row, 7)};
    return 0;
}

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static int read_stream(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                       struct error *err)
{
    (void)control, (void)err;
    *(struct control_stream_stats *)ret_item = (struct control_stream_stats){
        .stream = {.name = database_text(row, 1, arena), .namespace = or_null(database_text(row, 0, arena))},
        .complete = sqlite3_column_int(row, 2),
        .stats = stats_read(row, 3)};
    return 0;
}

static int read_failure(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                        struct error *err)
{
    (void)control, (void)err;
    *(struct control_failure *)ret_item = (struct control_failure){
        .origin = database_text(row, 0, arena),
        .type = database_text(row, 1, arena),
        .message = database_text(row, 2, arena),
        .internal = database_text(row, 3, arena),
        .stack = database_text(row, 4, arena),
        .retriable = sqlite3_column_int(row, 5),
        .stream = {.name = database_text(row, 7, arena), .namespace = or_null(database_text(row, 6, arena))},
        .at_ms = sqlite3_column_int64(row, 8)};
    return 0;
}

static const struct query_table attempts = {
    .columns = "job, number, status, created_ms, updated_ms, ended_ms, partial, " STATS_OF(""),
    .from = "attempts",
    .item_size = sizeof(struct control_attempt),
    .read = read_attempt};
static const struct query_table streams = {.columns = "namespace, name, complete, " STATS_OF(""),
                                           .from = "stream_stats",
                                           .item_size = sizeof(struct control_stream_stats),
                                           .read = read_stream};
static const struct query_table failures = {
    .columns = "origin, type, message, internal, stack, retriable, namespace, name, at_ms",
    .from = "failures",
    .item_size = sizeof(struct control_failure),
    .read = read_failure};

static const struct control_page all = {.limit = CONTROL_PAGE_MAX};

static int read_below(struct control *control, struct control_attempt *attempt, struct arena *arena,
                      struct error *err)
{
    struct query_where where;
    query_where_init(&where);
    query_and(&where, "job = ?", query_number(attempt->job));
    query_and(&where, "attempt = ?", query_number(attempt->number));
    struct control_stream_stats *stats = NULL;
    struct control_failure *told = NULL;
    int result = query_list(control, &streams, &where, "namespace, name", &all, arena, &stats,
                            &attempt->stream_count, NULL, err);
    if (result == 0)
        result = query_list(control, &failures, &where, "number", &all, arena, &told, &attempt->failure_count,
                            NULL, err);
    attempt->streams = stats;
    attempt->failures = told;
    query_where_done(&where);
    return result;
}

int control_job_attempts(struct control *control, int64_t id, struct arena *arena,
                         struct control_attempt **ret_items, size_t *ret_count, struct error *err)
{
    DATABASE_HOLD(control);
    struct query_where where;
    query_where_init(&where);
    query_and(&where, "job = ?", query_number(id));
    struct control_attempt *items = NULL;
    size_t count = 0;
    int result = query_list(control, &attempts, &where, "number", &all, arena, &items, &count, NULL, err);
    query_where_done(&where);
    for (size_t i = 0; i < count && result == 0; i++)
        result = read_below(control, &items[i], arena, err);
    if (result < 0)
        return -1;
    *ret_items = items;
    *ret_count = count;
    return 0;
}
