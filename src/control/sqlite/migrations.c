/* The tables, as the steps by which they came to be. A step that was released is never changed: a new one is
 * added behind it. user_version counts the steps that a database has had. */
#include "control/sqlite/database.h"

#include <inttypes.h>
#include <stdio.h>

/* Statistics of a job, an attempt, a stream (struct control_stats). */
#define STATS_TABLE                                    \
    "  records_emitted INTEGER NOT NULL DEFAULT 0,"    \
    "  bytes_emitted INTEGER NOT NULL DEFAULT 0,"      \
    "  records_committed INTEGER NOT NULL DEFAULT 0,"  \
    "  bytes_committed INTEGER NOT NULL DEFAULT 0,"    \
    "  records_rejected INTEGER NOT NULL DEFAULT 0,"   \
    "  estimated_records INTEGER NOT NULL DEFAULT -1," \
    "  estimated_bytes INTEGER NOT NULL DEFAULT -1,"   \
    "  states_emitted INTEGER NOT NULL DEFAULT 0"

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
    /* 3: workspaces, definitions, sources and destinations, connections, jobs, settings, applications. Enums
     * are their numbers, JSON is text, ids are UUIDs. */
    "CREATE TABLE workspaces ("
    "  id TEXT PRIMARY KEY,"
    "  name TEXT NOT NULL,"
    "  slug TEXT NOT NULL,"
    "  email TEXT,"
    "  setup_complete INTEGER NOT NULL,"
    "  notifications TEXT,"
    "  extra TEXT,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL,"
    "  deleted INTEGER NOT NULL DEFAULT 0"
    ") STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX workspaces_slug ON workspaces (slug) WHERE deleted = 0;"
    "CREATE TABLE definitions ("
    "  id TEXT PRIMARY KEY,"
    "  side INTEGER NOT NULL CHECK (side IN (0, 1)),"
    "  name TEXT NOT NULL,"
    "  origin INTEGER NOT NULL,"
    "  built_in TEXT,"
    "  repository TEXT,"
    "  tag TEXT,"
    "  command TEXT,"
    "  manifest TEXT,"
    "  documentation_url TEXT,"
    "  icon TEXT,"
    "  spec TEXT,"
    "  spec_of TEXT,"
    "  workspace TEXT REFERENCES workspaces (id),"
    "  custom INTEGER NOT NULL,"
    "  extra TEXT,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL,"
    "  deleted INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE TABLE actors ("
    "  id TEXT PRIMARY KEY,"
    "  side INTEGER NOT NULL CHECK (side IN (0, 1)),"
    "  workspace TEXT NOT NULL REFERENCES workspaces (id),"
    "  definition TEXT NOT NULL REFERENCES definitions (id),"
    "  name TEXT NOT NULL,"
    "  sealed BLOB NOT NULL,"
    "  extra TEXT,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL,"
    "  deleted INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE INDEX actors_listed ON actors (side, deleted, created_ms, id);"
    "CREATE INDEX actors_workspace ON actors (workspace, side);"
    "CREATE INDEX actors_definition ON actors (definition);"
    "CREATE TABLE catalogs ("
    "  id TEXT PRIMARY KEY,"
    "  source TEXT NOT NULL REFERENCES actors (id),"
    "  asked INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  confirmed_ms INTEGER NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  catalog TEXT NOT NULL,"
    "  UNIQUE (source, number)"
    ") STRICT;"
    "CREATE TABLE connections ("
    "  id TEXT PRIMARY KEY,"
    "  revision INTEGER NOT NULL,"
    "  name TEXT NOT NULL,"
    "  source TEXT NOT NULL REFERENCES actors (id),"
    "  destination TEXT NOT NULL REFERENCES actors (id),"
    "  workspace TEXT NOT NULL REFERENCES workspaces (id),"
    "  namespace_definition INTEGER NOT NULL,"
    "  namespace_format TEXT,"
    "  prefix TEXT,"
    "  status INTEGER NOT NULL,"
    "  status_reason TEXT,"
    "  source_catalog TEXT,"
    "  schedule INTEGER NOT NULL,"
    "  every INTEGER NOT NULL,"
    "  unit INTEGER NOT NULL,"
    "  cron TEXT,"
    "  time_zone TEXT,"
    "  changes INTEGER NOT NULL,"
    "  breaking_change INTEGER NOT NULL,"
    "  notify_changes INTEGER NOT NULL,"
    "  backfill INTEGER NOT NULL,"
    "  extra TEXT,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL,"
    "  checked_ms INTEGER NOT NULL DEFAULT 0,"
    "  catalog TEXT" /* last: what does not ask for it does not read it */
    ") STRICT;"
    "CREATE INDEX connections_listed ON connections (created_ms, id);"
    "CREATE INDEX connections_workspace ON connections (workspace, created_ms, id);"
    "CREATE INDEX connections_source ON connections (source);"
    "CREATE INDEX connections_destination ON connections (destination);"
    "CREATE INDEX connections_scheduled ON connections (schedule) WHERE status = 0 AND schedule > 0;"
    "CREATE TABLE jobs ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  connection TEXT NOT NULL REFERENCES connections (id),"
    "  workspace TEXT NOT NULL,"
    "  type INTEGER NOT NULL,"
    "  status INTEGER NOT NULL,"
    "  scheduled INTEGER NOT NULL,"
    "  cancelling INTEGER NOT NULL DEFAULT 0,"
    "  merge INTEGER NOT NULL,"
    "  streams TEXT NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL,"
    "  started_ms INTEGER NOT NULL DEFAULT 0,"
    "  ended_ms INTEGER NOT NULL DEFAULT 0,"
    "  retry_ms INTEGER NOT NULL DEFAULT 0,"
    "  attempts INTEGER NOT NULL," STATS_TABLE ") STRICT;"
    "CREATE UNIQUE INDEX jobs_open ON jobs (connection) WHERE status < 3;"
    "CREATE INDEX jobs_connection ON jobs (connection, id);"
    "CREATE INDEX jobs_created ON jobs (created_ms, id);"
    "CREATE INDEX jobs_updated ON jobs (updated_ms, id);"
    "CREATE INDEX jobs_workspace ON jobs (workspace, created_ms, id);"
    "CREATE INDEX jobs_status ON jobs (status, created_ms, id);"
    "CREATE TABLE attempts ("
    "  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
    "  number INTEGER NOT NULL,"
    "  status INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL,"
    "  ended_ms INTEGER NOT NULL DEFAULT 0,"
    "  partial INTEGER NOT NULL DEFAULT 0," STATS_TABLE ","
    "  PRIMARY KEY (job, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE stream_stats ("
    "  job INTEGER NOT NULL,"
    "  attempt INTEGER NOT NULL,"
    "  namespace TEXT NOT NULL," /* '' for none */
    "  name TEXT NOT NULL,"
    "  complete INTEGER NOT NULL," STATS_TABLE ","
    "  PRIMARY KEY (job, attempt, namespace, name),"
    "  FOREIGN KEY (job, attempt) REFERENCES attempts (job, number) ON DELETE CASCADE"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE failures ("
    "  job INTEGER NOT NULL,"
    "  attempt INTEGER NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  origin TEXT NOT NULL,"
    "  type TEXT NOT NULL,"
    "  message TEXT NOT NULL,"
    "  internal TEXT,"
    "  stack TEXT,"
    "  retriable INTEGER NOT NULL,"
    "  namespace TEXT,"
    "  name TEXT,"
    "  at_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (job, attempt, number),"
    "  FOREIGN KEY (job, attempt) REFERENCES attempts (job, number) ON DELETE CASCADE"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT, sealed BLOB) STRICT, WITHOUT ROWID;"
    "CREATE TABLE applications ("
    "  id TEXT PRIMARY KEY,"
    "  client_id TEXT NOT NULL UNIQUE,"
    "  secret BLOB NOT NULL," /* its hash */
    "  name TEXT NOT NULL,"
    "  created_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE tokens ("
    "  hash BLOB PRIMARY KEY,"
    "  application TEXT REFERENCES applications (id) ON DELETE CASCADE,"
    "  created_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX tokens_expire ON tokens (expires_ms);"
    "CREATE INDEX tokens_application ON tokens (application);"
    "INSERT INTO workspaces (id, name, slug, setup_complete, created_ms, updated_ms) VALUES "
    "('5ae6b09b-fdec-41af-aaf7-7d94cfc33ef6', 'Default Workspace', 'default', 1, unixepoch() * 1000, "
    "unixepoch() * 1000);",
    /* 4: manifests are sealed */
    "ALTER TABLE definitions ADD COLUMN sealed_manifest BLOB;"
    "UPDATE definitions SET sealed_manifest = firth_seal(manifest), manifest = NULL "
    "WHERE manifest IS NOT NULL;",
    /* 5: notifications are sealed: a webhook's URL holds its token */
    "ALTER TABLE workspaces ADD COLUMN sealed_notifications BLOB;"
    "UPDATE workspaces SET sealed_notifications = firth_seal(notifications), notifications = NULL "
    "WHERE notifications IS NOT NULL;",
    /* 6: what tasks have by their catalogs, for people; of those that are there it is known at the next
       deploy */
    "ALTER TABLE tasks ADD COLUMN bindings TEXT;",
};

/* firth_seal(TEXT): what steps seal with the store's key. */
static void seal(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct control *control = sqlite3_user_data(context);
    const char *text = (const char *)sqlite3_value_text(values[0]);
    struct buffer sealed;
    (void)count;
    if (!text) {
        sqlite3_result_error_nomem(context);
        return;
    }
    buffer_init(&sealed, BUFFER_UNLIMITED);
    secret_seal(&control->key, (struct slice){text, (size_t)sqlite3_value_bytes(values[0])}, &sealed);
    sqlite3_result_blob64(context, sealed.data, sealed.size, SQLITE_TRANSIENT);
    buffer_done(&sealed);
}

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
    if (version == database_version_known())
        return 0;
    if (sqlite3_create_function_v2(control->db, "firth_seal", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, control,
                                   seal, NULL, NULL, NULL) != SQLITE_OK)
        return database_error(control, "make a function", err);
    /* What a step seals is to be nowhere in clear any more: not in free pages, nor in the log. */
    if (database_exec(control, "PRAGMA secure_delete = ON", err) < 0)
        return -1;
    for (; version < database_version_known(); version++) {
        if (apply(control, version, err) < 0)
            return error_wrap(err, "bringing it to version %" PRId64, version + 1);
    }
    return database_exec(control, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}
