#include "timeline.h"

#include "pgoutput.h"

#include <stdlib.h>

/* "must be superuser or replication role to start walsender", and since 16 "permission denied to start WAL
 * sender". */
static void say_what_to_grant(const struct pg_config *config, struct firth_error *err)
{
    char why[400];
    if (!strstr(err->message, "start walsender") && !strstr(err->message, "start WAL sender"))
        return;
    snprintf(why, sizeof why, "%s", err->message);
    firth_fail(err, FIRTH_FAILURE_CONFIG,
               "the user may not read changes: run ALTER USER \"%.100s\" REPLICATION (%s)", config->user,
               why);
}

int pg_timeline_open(struct pg_timeline *timeline, const struct pg_endpoint *endpoint,
                     struct firth_error *err)
{
    *timeline = (struct pg_timeline){.connection = pg_connect(endpoint, true, err)};
    if (!timeline->connection) {
        say_what_to_grant(endpoint->config, err);
        return -1;
    }
    pg_auto_result PGresult *rows =
        pg_query(timeline->connection, "IDENTIFY_SYSTEM", "cannot ask the server for its timeline", err);
    if (rows) {
        snprintf(timeline->system, sizeof timeline->system, "%s", PQgetvalue(rows, 0, 0));
        timeline->number = (uint32_t)strtoul(PQgetvalue(rows, 0, 1), NULL, 10);
        if (pg_lsn_read(PQgetvalue(rows, 0, 2), &timeline->end))
            return 0;
        firth_fail(err, FIRTH_FAILURE_SYSTEM, "the server says that its log ends at %.40s",
                   PQgetvalue(rows, 0, 2));
    }
    pg_timeline_close(timeline);
    return -1;
}

void pg_timeline_close(struct pg_timeline *timeline)
{
    PQfinish(timeline->connection);
    *timeline = (struct pg_timeline){0};
}

/* The history has a line for each timeline before: "1<tab>0/3000158<tab>no recovery target specified". */
static bool find_switch(const char *history, uint32_t number, uint64_t *ret_lsn)
{
    for (const char *line = history; line && *line; line = strchr(line, '\n')) {
        char *end, lsn[40];
        line += *line == '\n';
        if (strtoul(line, &end, 10) == number && end > line && sscanf(end, " %39s", lsn) == 1)
            return pg_lsn_read(lsn, ret_lsn);
    }
    return false;
}

const char *pg_timeline_departs(struct pg_timeline *timeline, uint32_t number, uint64_t lsn)
{
    char read[PG_LSN_SIZE], other[PG_LSN_SIZE], sql[40];
    uint64_t left = 0;
    pg_lsn_write(read, lsn);
    if (lsn > timeline->end) {
        snprintf(timeline->why, sizeof timeline->why,
                 "its log ends at %s, and this capture has read up to %s", pg_lsn_write(other, timeline->end),
                 read);
        return timeline->why;
    }
    if (!number || number == timeline->number)
        return NULL;
    snprintf(sql, sizeof sql, "TIMELINE_HISTORY %u", timeline->number);
    pg_auto_result PGresult *rows = number < timeline->number ? PQexec(timeline->connection, sql) : NULL;
    bool known = PQresultStatus(rows) == PGRES_TUPLES_OK && PQntuples(rows) == 1 && PQnfields(rows) == 2 &&
                 find_switch(PQgetvalue(rows, 0, 1), number, &left);
    if (known && lsn <= left)
        return NULL;
    if (known)
        snprintf(timeline->why, sizeof timeline->why,
                 "it took over at %s (timeline %u follows %u), and this capture has read up to %s",
                 pg_lsn_write(other, left), timeline->number, number, read);
    else
        snprintf(timeline->why, sizeof timeline->why,
                 "its log is of timeline %u, which does not follow timeline %u, where this capture has read "
                 "up to %s",
                 timeline->number, number, read);
    return timeline->why;
}

void pg_history_ask(struct pg_history *history, PGconn *connection)
{
    *history = (struct pg_history){0};
    pg_auto_result PGresult *database =
        PQexec(connection, "SELECT oid FROM pg_database WHERE datname = current_database()");
    if (PQresultStatus(database) == PGRES_TUPLES_OK && PQntuples(database) == 1)
        history->database = (uint32_t)strtoul(PQgetvalue(database, 0, 0), NULL, 10);
    pg_auto_result PGresult *rows =
        PQexec(connection,
               "SELECT system_identifier, CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM"
               " pg_control_checkpoint()) ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()),"
               " 8))::bit(32)::int END FROM pg_control_system()");
    if (PQresultStatus(rows) != PGRES_TUPLES_OK || PQntuples(rows) != 1)
        return;
    snprintf(history->system, sizeof history->system, "%s", PQgetvalue(rows, 0, 0));
    history->timeline = (uint32_t)strtoul(PQgetvalue(rows, 0, 1), NULL, 10);
}
