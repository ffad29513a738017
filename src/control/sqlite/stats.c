#include "control/sqlite/stats.h"

struct control_stats stats_read(sqlite3_stmt *row, int column)
{
    return (struct control_stats){.records_emitted = sqlite3_column_int64(row, column),
                                  .bytes_emitted = sqlite3_column_int64(row, column + 1),
                                  .records_committed = sqlite3_column_int64(row, column + 2),
                                  .bytes_committed = sqlite3_column_int64(row, column + 3),
                                  .records_rejected = sqlite3_column_int64(row, column + 4),
                                  .estimated_records = sqlite3_column_int64(row, column + 5),
                                  .estimated_bytes = sqlite3_column_int64(row, column + 6),
                                  .states_emitted = sqlite3_column_int64(row, column + 7)};
}

void stats_values(const struct control_stats *stats, struct query_value ret_values[STATS_COUNT])
{
    const int64_t numbers[STATS_COUNT] = {
        stats->records_emitted,  stats->bytes_emitted,     stats->records_committed, stats->bytes_committed,
        stats->records_rejected, stats->estimated_records, stats->estimated_bytes,   stats->states_emitted};
    for (int i = 0; i < STATS_COUNT; i++)
        ret_values[i] = query_number(numbers[i]);
}

int stats_sum_up(struct control *control, int64_t job, int64_t now_ms, int64_t states, struct error *err)
{
    if (QUERY_RUN(control, err,
                  "UPDATE attempts SET updated_ms = ?2, (" STATS_OF(
                      "") ") = (SELECT " STATS_SUM " FROM stream_stats s WHERE s.job = attempts.job AND "
                          "s.attempt = attempts.number) WHERE job = ?1 AND number = (SELECT attempts - 1 "
                          "FROM jobs WHERE id = ?1)",
                  query_number(job), query_number(now_ms)) < 0 ||
        QUERY_RUN(control, err,
                  "UPDATE attempts SET states_emitted = ?2 WHERE job = ?1 AND number = (SELECT attempts - 1 "
                  "FROM jobs WHERE id = ?1)",
                  query_number(job), query_number(states)) < 0)
        return -1;
    return QUERY_RUN(control, err,
                     "UPDATE jobs SET updated_ms = ?2, (" STATS_OF("") ") = (SELECT " STATS_SUM
                                                                       " FROM attempts a WHERE a.job = "
                                                                       "jobs.id) WHERE id = ?1",
                     query_number(job), query_number(now_ms));
}
