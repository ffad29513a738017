/* Statistics as columns: of a job, an attempt, a stream. Private to src/control. */
#ifndef FIRTH_CONTROL_SQLITE_STATS_H
#define FIRTH_CONTROL_SQLITE_STATS_H

#include "control/jobs.h"
#include "control/sqlite/query.h"

enum { STATS_COUNT = 8 };
/* With a table's prefix: STATS_OF("j."). */
#define STATS_OF(table)                                                                    \
    table "records_emitted, " table "bytes_emitted, " table "records_committed, " table    \
          "bytes_committed, " table "records_rejected, " table "estimated_records, " table \
          "estimated_bytes, " table "states_emitted"
/* Of rows of streams: one attempt's. An estimate is known if one stream's is. */
#define STATS_SUM                                                                                            \
    "coalesce(sum(records_emitted), 0), coalesce(sum(bytes_emitted), 0), coalesce(sum(records_committed), "  \
    "0), "                                                                                                   \
    "coalesce(sum(bytes_committed), 0), coalesce(sum(records_rejected), 0), "                                \
    "coalesce(sum(estimated_records) FILTER (WHERE estimated_records >= 0), -1), "                           \
    "coalesce(sum(estimated_bytes) FILTER (WHERE estimated_bytes >= 0), -1), coalesce(sum(states_emitted), " \
    "0)"

struct control_stats stats_read(sqlite3_stmt *row, int column);
void stats_values(const struct control_stats *stats, struct query_value ret_values[STATS_COUNT]);

/* Of a job and its newest attempt from the rows below them, but for the attempt's states. */
int stats_sum_up(struct control *control, int64_t job, int64_t now_ms, int64_t states, struct error *err);

#endif
