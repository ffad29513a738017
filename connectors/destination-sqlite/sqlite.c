/* destination-sqlite: tables in a file of SQLite. */
#include "base/file.h"
#include "bridge.h"
#include "connectors/destination-local-json/path.h"
#include "connectors/sql/options.h"
#include "connectors/sql/session.h"
#include "db.h"
#include "registry.h"

#include <stdlib.h>

struct sqlite_config {
    const char *destination_path;
    struct sql_options sql;
};

static const struct firth_option options[] = {
    {.name = "destination_path",
     .type = FIRTH_STRING,
     .offset = offsetof(struct sqlite_config, destination_path),
     .required = true,
     .title = "Destination Path",
     .example = "/local/sqlite.db",
     .pattern = LOCAL_JSON_PATH_PATTERN,
     .pattern_help = "a file below /local, such as /local/sqlite.db, without \"..\"",
     .help =
         "Path to the database file. It lies under /local, which is /tmp/airbyte_local on this machine (the "
         "environment variable FIRTH_LOCAL_ROOT names another place)."},
    SQL_OPTIONS(struct sqlite_config),
    {0},
};

static struct sql_db *connect(const struct sqlite_config *config, struct firth_error *err)
{
    struct error library_err;
    struct sql_db *db = NULL;
    char *path = local_json_folder(config->destination_path, getenv("FIRTH_LOCAL_ROOT"), &library_err);
    if (path) {
        char *folder = file_resolve(path, ".");
        if (file_make_folders(folder, 0755, &library_err) == 0)
            db = sqlite_db_open(path, &library_err);
        free(folder);
    }
    free(path);
    if (!db)
        sdk_error(err, &library_err);
    return db;
}

static struct sql_settings settings_of(const struct sqlite_config *config)
{
    return sql_settings_of(&config->sql, NULL);
}

static int sqlite_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = connect(config, err);
    (void)host;
    return db ? sql_check(&sqlite_dialect, db, &settings, err) : -1;
}

static int sqlite_validate(struct firth_host *host, const void *config, struct firth_target *target,
                           struct firth_constraint *constraints, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = connect(config, err);
    (void)host;
    return db ? sql_validate(&sqlite_dialect, db, &settings, target, constraints, err) : -1;
}

/* In a connection open does the same, once it holds the table's lock. */
static int sqlite_apply(struct firth_host *host, const void *config, const struct firth_target *targets,
                        size_t count, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    if (!count || !targets[0].live)
        return 0;
    struct sql_db *db = connect(config, err);
    return db ? sql_apply(&sqlite_dialect, db, &settings, host, targets, count, err) : -1;
}

static int sqlite_open(struct firth_host *host, const void *config, struct firth_target *targets,
                       size_t count, void **ret_self, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = connect(config, err);
    return db ? sql_session_open(&sqlite_dialect, db, &settings, host, targets, count, ret_self, err) : -1;
}

static const char *const image_names[] = {"airbyte/destination-sqlite", NULL};

const struct firth_connector_class destination_sqlite = {
    .name = "destination-sqlite",
    .version = FIRTH_VERSION,
    .title = "SQLite",
    .summary = "a table for each stream in a SQLite file",
    .image_names = image_names,
    .config_size = sizeof(struct sqlite_config),
    .options = options,
    .destination = {.sync_modes = FIRTH_APPEND | FIRTH_OVERWRITE | FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP,
                    .folds_case = true,
                    .check = sqlite_check,
                    .validate = sqlite_validate,
                    .apply = sqlite_apply,
                    .open = sqlite_open,
                    .checkpoint = sql_session_checkpoint,
                    .load = sql_session_load,
                    .flush = sql_session_flush,
                    .store = sql_session_store,
                    .commit = sql_session_commit,
                    .finish = sql_session_finish,
                    .close = sql_session_close},
};
