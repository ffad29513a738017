/* What is deployed: reading it, and changing it in one transaction. */
#include "control/sqlite/database.h"

#include "catalog/snapshot.h"

int control_revision(struct control *control, uint64_t *ret_revision, struct error *err)
{
    DATABASE_HOLD(control);
    int64_t revision = 0;
    if (database_number(control, "SELECT value FROM meta WHERE name = 'revision'", 0, &revision, err) < 0)
        return -1;
    *ret_revision = (uint64_t)revision;
    return 0;
}

int control_deployments(struct control *control, struct arena *arena, struct control_deployment **ret_items,
                        size_t *ret_count, struct error *err)
{
    DATABASE_HOLD(control);
    mem_auto(sqlite3_finalize) sqlite3_stmt *get = database_prepare(
        control, "SELECT id, name, file, deployed_by, deployed_ms FROM deployments ORDER BY name", err);
    int64_t rows = 0;
    if (!get || database_number(control, "SELECT count(*) FROM deployments", 0, &rows, err) < 0)
        return -1;
    struct control_deployment *items = arena_zalloc(arena, ((size_t)rows + 1) * sizeof *items);
    size_t count = 0;
    int step = 0;
    while (count < (size_t)rows && (step = database_step(control, get, err)) > 0)
        items[count++] = (struct control_deployment){.id = sqlite3_column_int64(get, 0),
                                                     .name = database_text(get, 1, arena),
                                                     .file = database_text(get, 2, arena),
                                                     .by = database_text(get, 3, arena),
                                                     .deployed_ms = sqlite3_column_int64(get, 4)};
    if (step < 0)
        return -1;
    *ret_items = items;
    *ret_count = count;
    return 0;
}

int control_snapshot(struct control *control, int64_t id, struct buffer *out, struct error *err)
{
    if (!control->keyed)
        return error_set(err, ERROR_INVALID, "%s was opened without its key", control->path);
    DATABASE_HOLD(control);
    mem_auto(sqlite3_finalize) sqlite3_stmt *get =
        database_prepare(control, "SELECT sealed FROM snapshots WHERE id = ?", err);
    if (!get)
        return -1;
    sqlite3_bind_int64(get, 1, id);
    int step = database_step(control, get, err);
    if (step < 0)
        return -1;
    if (step == 0)
        return error_set(err, ERROR_NOT_FOUND, "%s has no snapshot %lld", control->path, (long long)id);
    const struct slice sealed = {sqlite3_column_blob(get, 0), (size_t)sqlite3_column_bytes(get, 0)};
    return secret_unseal(&control->key, sealed, out, err);
}

/* --- deploying ----------------------------------------------------------------------------------- */

static int run(struct control *control, sqlite3_stmt *statement, struct error *err)
{
    int step = database_step(control, statement, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return step < 0 ? -1 : 0;
}

static int check_revision(struct control *control, const struct control_deploy *deploy, struct error *err)
{
    uint64_t now = 0;
    if (control_revision(control, &now, err) < 0)
        return -1;
    if (now == deploy->revision)
        return 0;
    error_set(err, ERROR_BUSY,
              "another deploy came between: what is deployed is no longer what this plan is for; "
              "deploy again");
    err->retriable = true;
    return -1;
}

static int put_deployment(struct control *control, const struct control_deploy *deploy, int64_t *ret_id,
                          struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *put = database_prepare(
        control,
        "INSERT INTO deployments (name, file, deployed_by, deployed_ms) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (name) DO UPDATE SET file = ?2, deployed_by = ?3, deployed_ms = ?4 RETURNING id",
        err);
    if (!put)
        return -1;
    database_bind_text(put, 1, deploy->name);
    database_bind_text(put, 2, deploy->file);
    database_bind_text(put, 3, deploy->by);
    sqlite3_bind_int64(put, 4, deploy->now_ms);
    if (database_step(control, put, err) < 0)
        return -1;
    *ret_id = sqlite3_column_int64(put, 0);
    return 0;
}

static int put_snapshot(struct control *control, int64_t deployment, struct slice text, int64_t *ret_id,
                        struct error *err)
{
    struct buffer sealed;
    buffer_init(&sealed, CATALOG_SNAPSHOT_MAX + 1024);
    secret_seal(&control->key, text, &sealed);
    mem_auto(sqlite3_finalize) sqlite3_stmt *put =
        database_prepare(control, "INSERT INTO snapshots (deployment, sealed) VALUES (?, ?)", err);
    int result = put ? 0 : -1;
    if (put) {
        sqlite3_bind_int64(put, 1, deployment);
        database_bind_blob(put, 2, (struct slice){sealed.data, sealed.size});
        result = run(control, put, err);
        *ret_id = sqlite3_last_insert_rowid(control->db);
    }
    buffer_done(&sealed);
    return result;
}

static int owner_error(struct control *control, const char *task, struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *get = database_prepare(
        control, "SELECT d.name FROM tasks t JOIN deployments d ON d.id = t.deployment WHERE t.name = ?",
        err);
    if (!get)
        return -1;
    database_bind_text(get, 1, task);
    if (database_step(control, get, err) < 0)
        return -1;
    return error_set(err, ERROR_INVALID, "the task '%s' belongs to the deployment '%s'", task,
                     (const char *)sqlite3_column_text(get, 0));
}

static int put_tasks(struct control *control, const struct control_deploy *deploy, int64_t deployment,
                     int64_t snapshot, struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *put = database_prepare(
        control,
        "INSERT INTO tasks (name, kind, deployment, snapshot, schedule, generation, enabled, bindings) "
        "VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?8) ON CONFLICT (name) DO UPDATE SET kind = ?2, snapshot = ?4, "
        "schedule = ?5, "
        "generation = generation + ?7, enabled = ?6, bindings = ?8 WHERE deployment = ?3",
        err);
    if (!put)
        return -1;
    for (size_t i = 0; i < deploy->task_count; i++) {
        const struct control_deploy_task *task = &deploy->tasks[i];
        database_bind_text(put, 1, task->name);
        database_bind_text(put, 2, task->kind);
        sqlite3_bind_int64(put, 3, deployment);
        sqlite3_bind_int64(put, 4, snapshot);
        database_bind_text(put, 5, task->schedule);
        sqlite3_bind_int(put, 6, task->enabled);
        sqlite3_bind_int(put, 7, task->changed);
        database_bind_text(put, 8, task->bindings);
        if (run(control, put, err) < 0)
            return -1;
        if (sqlite3_changes(control->db) == 0)
            return owner_error(control, task->name, err);
    }
    int64_t count = 0;
    if (database_number(control, "SELECT count(*) FROM tasks", 0, &count, err) < 0)
        return -1;
    if (count > CONTROL_TASKS_MAX)
        return error_set(err, ERROR_LIMIT, "there would be %lld tasks; the limit is %d", (long long)count,
                         CONTROL_TASKS_MAX);
    return 0;
}

static int remove_tasks(struct control *control, const struct control_deploy *deploy, int64_t deployment,
                        struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *drop =
        database_prepare(control, "DELETE FROM tasks WHERE name = ? AND deployment = ?", err);
    if (!drop)
        return -1;
    for (size_t i = 0; i < deploy->removed_count; i++) {
        database_bind_text(drop, 1, deploy->removed[i]);
        sqlite3_bind_int64(drop, 2, deployment);
        if (run(control, drop, err) < 0)
            return -1;
    }
    return 0;
}

static int deploy_all(struct control *control, const struct control_deploy *deploy, struct error *err)
{
    int64_t deployment = 0, snapshot = 0;
    if (check_revision(control, deploy, err) < 0 || put_deployment(control, deploy, &deployment, err) < 0 ||
        put_snapshot(control, deployment, deploy->snapshot, &snapshot, err) < 0 ||
        put_tasks(control, deploy, deployment, snapshot, err) < 0 ||
        remove_tasks(control, deploy, deployment, err) < 0)
        return -1;
    /* Of a task that was left behind the snapshot stays; a deployment without tasks is none. */
    return database_exec(control,
                         "DELETE FROM snapshots WHERE id NOT IN (SELECT snapshot FROM tasks);"
                         "DELETE FROM deployments WHERE id NOT IN (SELECT deployment FROM tasks);"
                         "UPDATE meta SET value = value + 1 WHERE name = 'revision';",
                         err);
}

int control_deploy(struct control *control, const struct control_deploy *deploy, struct error *err)
{
    DATABASE_HOLD(control);
    if (database_begin(control, err) < 0)
        return -1;
    if (deploy_all(control, deploy, err) < 0) {
        database_rollback(control);
        return -1;
    }
    return database_commit(control, err);
}
