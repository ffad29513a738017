/* The tables, as the steps by which they came to be. A step that was released is never changed: a new one is
 * added behind it. user_version counts the steps that a database has had. */
#include "control/sqlite/database.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const steps[] = {
    /* 1: deployments, their snapshots, tasks and their facts */
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;"
    "CREATE TABLE deployments ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  file TEXT NOT NULL,"
    "  deployed_by TEXT NOT NULL,"
    "  deployed_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE snapshots ("
    "  id INTEGER PRIMARY KEY,"
    "  deployment INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,"
    "  sealed BLOB NOT NULL"
    ") STRICT;"
    "CREATE TABLE tasks ("
    "  name TEXT PRIMARY KEY,"
    "  kind TEXT NOT NULL,"
    "  deployment INTEGER NOT NULL REFERENCES deployments (id),"
    "  snapshot INTEGER NOT NULL REFERENCES snapshots (id),"
    "  schedule TEXT NOT NULL,"
    "  generation INTEGER NOT NULL,"
    "  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX tasks_snapshot ON tasks (snapshot);"
    "CREATE TABLE facts ("
    "  task TEXT PRIMARY KEY REFERENCES tasks (name) ON DELETE CASCADE,"
    "  generation INTEGER NOT NULL,"
    "  session TEXT NOT NULL,"
    "  started_ms INTEGER NOT NULL,"
    "  ended_ms INTEGER NOT NULL,"
    "  due_ms INTEGER NOT NULL,"
    "  failures INTEGER NOT NULL,"
    "  retriable INTEGER NOT NULL CHECK (retriable IN (0, 1)),"
    "  code TEXT,"
    "  error TEXT,"
    "  error_ms INTEGER NOT NULL,"
    "  sessions INTEGER NOT NULL,"
    "  documents INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('revision', 0);",
    /* 2: what the daemon's autoDiscover found */
    "CREATE TABLE discoveries ("
    "  task TEXT PRIMARY KEY REFERENCES tasks (name) ON DELETE CASCADE,"
    "  ran_ms INTEGER NOT NULL,"
    "  error TEXT,"
    "  changed_ms INTEGER NOT NULL,"
    "  changes TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;",
};

int64_t database_version_known(void)
{
    return sizeof steps / sizeof *steps;
}

static int apply(struct control *control, int64_t version, struct error *err)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %" PRId64, version + 1);
    if (database_begin(control, err) < 0)
        return -1;
    int64_t now = 0; /* another process may have been first */
    if (database_number(control, "PRAGMA user_version", 0, &now, err) < 0 ||
        (now == version &&
         (database_exec(control, steps[version], err) < 0 || database_exec(control, sql, err) < 0))) {
        database_rollback(control);
        return -1;
    }
    return database_commit(control, err);
}

int database_migrate(struct control *control, struct error *err)
{
    int64_t version = 0;
    if (database_number(control, "PRAGMA user_version", 0, &version, err) < 0)
        return -1;
    if (version > database_version_known())
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s has version %" PRId64 ", this program knows up to version %" PRId64
                         ": use a newer firth",
                         control->path, version, database_version_known());
    for (; version < database_version_known(); version++) {
        if (apply(control, version, err) < 0)
            return error_wrap(err, "bringing it to version %" PRId64, version + 1);
    }
    return 0;
}
