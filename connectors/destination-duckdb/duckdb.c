/* destination-duckdb: tables in a DuckDB file. A program of its own, since DuckDB's library is 70 MB. */
#include "about.h"
#include "base/file.h"
#include "bridge.h"
#include "connectors/destination-local-json/path.h"
#include "connectors/sql/options.h"
#include "connectors/sql/session.h"
#include "db.h"

#include <stdlib.h>

struct duckdb_config_options {
    const char *destination_path, *schema;
    int64_t lock_wait;
    struct sql_options sql;
};

static const struct firth_option options[] = {
    {.name = "destination_path",
     .type = FIRTH_STRING,
     .offset = offsetof(struct duckdb_config_options, destination_path),
     .required = true,
     .title = "Destination Path",
     .example = "/local/destination.duckdb",
     .pattern = LOCAL_JSON_PATH_PATTERN,
     .pattern_help = "a file below /local, such as /local/destination.duckdb, without \"..\"",
     .help =
         "Path to the database file. It lies under /local, which is /tmp/airbyte_local on this machine (the "
         "environment variable FIRTH_LOCAL_ROOT names another place)."},
    {.name = "schema",
     .type = FIRTH_STRING,
     .offset = offsetof(struct duckdb_config_options, schema),
     .preset = "main",
     .title = "Destination Schema",
     .example = "main",
     .help = "Where tables of streams without a namespace go. It is made if it is not there."},
    {.name = "lock_wait",
     .type = FIRTH_INTEGER,
     .offset = offsetof(struct duckdb_config_options, lock_wait),
     .preset = "300",
     .minimum = "0",
     .maximum = "86400",
     .title = "Wait for the File",
     .help =
         "For so many seconds a sync waits for the file while another one, or another program, has it open. "
         "Firth's own option."},
    SQL_OPTIONS(struct duckdb_config_options),
    {0},
};

/* MotherDuck is a service; its library is no part of DuckDB's. */
static int refuse_service(const char *path, struct error *err)
{
    if (!string_starts_with(path, "md:") && !string_starts_with(path, "motherduck:"))
        return 0;
    return error_set(
        err, ERROR_INVALID,
        "destination_path %.200s is one of MotherDuck's, which this connector does not reach: give "
        "the path of a file, such as /local/destination.duckdb",
        path);
}

/* Who plans is waited for by somebody: it does not wait for a sync, but for one that is about to end. */
enum { PLANNING_WAIT = 10 };

static struct sql_db *connect(struct firth_host *host, const struct duckdb_config_options *config,
                              int64_t wait_max, struct firth_error *err)
{
    struct error library_err;
    struct sql_db *db = NULL;
    char *path = refuse_service(config->destination_path, &library_err) < 0
                     ? NULL
                     : local_json_folder(config->destination_path, getenv("FIRTH_LOCAL_ROOT"), &library_err);
    if (path) {
        char *folder = file_resolve(path, ".");
        if (file_make_folders(folder, 0755, &library_err) == 0)
            db = duckdb_db_open(host, path, config->lock_wait < wait_max ? config->lock_wait : wait_max,
                                &library_err);
        free(folder);
    }
    free(path);
    if (!db)
        sdk_error(err, &library_err);
    return db;
}

static struct sql_settings settings_of(const struct duckdb_config_options *config)
{
    return sql_settings_of(&config->sql, config->schema && *config->schema ? config->schema : "main");
}

static int duckdb_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = connect(host, config, PLANNING_WAIT, err);
    return db ? sql_check(&duckdb_dialect, db, &settings, err) : -1;
}

static int duckdb_validate(struct firth_host *host, const void *config, struct firth_target *target,
                           struct firth_constraint *constraints, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = connect(host, config, PLANNING_WAIT, err);
    return db ? sql_validate(&duckdb_dialect, db, &settings, target, constraints, err) : -1;
}

/* In a connection open does the same. */
static int duckdb_apply(struct firth_host *host, const void *config, const struct firth_target *targets,
                        size_t count, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    if (!count || !targets[0].live)
        return 0;
    struct sql_db *db = connect(host, config, PLANNING_WAIT, err);
    return db ? sql_apply(&duckdb_dialect, db, &settings, host, targets, count, err) : -1;
}

static int open_session(struct firth_host *host, const void *config, struct firth_target *targets,
                        size_t count, void **ret_self, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = connect(host, config, INT64_MAX, err);
    return db ? sql_session_open(&duckdb_dialect, db, &settings, host, targets, count, ret_self, err) : -1;
}

static const struct firth_connector_class class_ = {
    DUCKDB_ABOUT,
    .config_size = sizeof(struct duckdb_config_options),
    .options = options,
    .destination = {.sync_modes = FIRTH_APPEND | FIRTH_OVERWRITE | FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP,
                    .folds_case = true,
                    .check = duckdb_check,
                    .validate = duckdb_validate,
                    .apply = duckdb_apply,
                    .open = open_session,
                    .checkpoint = sql_session_checkpoint,
                    .load = sql_session_load,
                    .flush = sql_session_flush,
                    .store = sql_session_store,
                    .commit = sql_session_commit,
                    .finish = sql_session_finish,
                    .idle = sql_session_idle,
                    .close = sql_session_close},
};

int main(int argc, char **argv)
{
    return firth_connector_main(&class_, argc, argv);
}
