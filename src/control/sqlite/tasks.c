/* Tasks and their facts. */
#include "control/sqlite/database.h"

static const char *const sessions[CONTROL_SESSION_COUNT] = {"none", "running", "completed", "stopped",
                                                            "failed"};

const char *control_session_name(enum control_session session)
{
    return sessions[session];
}

static enum control_session session_of(const char *name)
{
    int found = CONTROL_SESSION_COUNT - 1;
    while (found > CONTROL_SESSION_NONE && (!name || strcmp(sessions[found], name) != 0))
        found--;
    return (enum control_session)found;
}

static struct control_task read_task(sqlite3_stmt *row, struct arena *arena)
{
    enum {
        NAME,
        KIND,
        DEPLOYMENT,
        SNAPSHOT,
        SCHEDULE,
        GENERATION,
        ENABLED,
        RAN,
        SESSION,
        STARTED,
        ENDED,
        DUE,
        FAILURES,
        RETRIABLE,
        CODE,
        ERROR,
        ERROR_MS,
        SESSIONS,
        DOCUMENTS,
        BYTES,
        BINDINGS
    };
    return (struct control_task){
        .name = database_text(row, NAME, arena),
        .kind = database_text(row, KIND, arena),
        .deployment = sqlite3_column_int64(row, DEPLOYMENT),
        .snapshot = sqlite3_column_int64(row, SNAPSHOT),
        .schedule = database_text(row, SCHEDULE, arena),
        .bindings = database_text(row, BINDINGS, arena),
        .generation = (uint64_t)sqlite3_column_int64(row, GENERATION),
        .enabled = sqlite3_column_int(row, ENABLED),
        .facts = {.generation = (uint64_t)sqlite3_column_int64(row, RAN),
                  .session = session_of((const char *)sqlite3_column_text(row, SESSION)),
                  .started_ms = sqlite3_column_int64(row, STARTED),
                  .ended_ms = sqlite3_column_int64(row, ENDED),
                  .due_ms = sqlite3_column_int64(row, DUE),
                  .failures = (uint32_t)sqlite3_column_int64(row, FAILURES),
                  .retriable = sqlite3_column_int(row, RETRIABLE),
                  .code = database_text(row, CODE, arena),
                  .error = database_text(row, ERROR, arena),
                  .error_ms = sqlite3_column_int64(row, ERROR_MS),
                  .sessions = (uint64_t)sqlite3_column_int64(row, SESSIONS),
                  .documents = (uint64_t)sqlite3_column_int64(row, DOCUMENTS),
                  .bytes = (uint64_t)sqlite3_column_int64(row, BYTES)}};
}

int control_tasks(struct control *control, struct arena *arena, struct control_task **ret_items,
                  size_t *ret_count, struct error *err)
{
    DATABASE_HOLD(control);
    mem_auto(sqlite3_finalize) sqlite3_stmt *get = database_prepare(
        control,
        "SELECT t.name, kind, deployment, snapshot, schedule, t.generation, enabled, f.generation, session, "
        "started_ms, ended_ms, due_ms, failures, retriable, code, error, error_ms, sessions, documents, "
        "bytes, bindings "
        "FROM tasks t LEFT JOIN facts f ON f.task = t.name ORDER BY t.name",
        err);
    if (!get)
        return -1;
    struct control_task *items = NULL;
    size_t count = 0, capacity = 0;
    int step;
    while ((step = database_step(control, get, err)) > 0) {
        items = mem_grow(items, &capacity, count + 1, sizeof *items);
        items[count++] = read_task(get, arena);
    }
    if (step == 0) {
        *ret_items = arena_zalloc(arena, (count + 1) * sizeof *items);
        if (count)
            memcpy(*ret_items, items, count * sizeof *items);
        *ret_count = count;
    }
    free(items);
    return step;
}

/* --- facts --------------------------------------------------------------------------------------- */

static int put_one(struct control *control, sqlite3_stmt *put, const struct control_task_facts *item,
                   struct error *err)
{
    const struct control_facts *facts = &item->facts;
    database_bind_text(put, 1, item->task);
    sqlite3_bind_int64(put, 2, (int64_t)facts->generation);
    database_bind_text(put, 3, control_session_name(facts->session));
    sqlite3_bind_int64(put, 4, facts->started_ms);
    sqlite3_bind_int64(put, 5, facts->ended_ms);
    sqlite3_bind_int64(put, 6, facts->due_ms);
    sqlite3_bind_int64(put, 7, facts->failures);
    sqlite3_bind_int(put, 8, facts->retriable);
    database_bind_text(put, 9, facts->code);
    database_bind_text(put, 10, facts->error);
    sqlite3_bind_int64(put, 11, facts->error_ms);
    sqlite3_bind_int64(put, 12, (int64_t)facts->sessions);
    sqlite3_bind_int64(put, 13, (int64_t)facts->documents);
    sqlite3_bind_int64(put, 14, (int64_t)facts->bytes);
    int step = database_step(control, put, err);
    sqlite3_reset(put);
    return step < 0 ? -1 : 0;
}

static int put_all(struct control *control, const struct control_task_facts *items, size_t count,
                   struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *put =
        database_prepare(control,
                         "INSERT OR REPLACE INTO facts (task, generation, session, started_ms, ended_ms, "
                         "due_ms, failures, retriable, "
                         "code, error, error_ms, sessions, documents, bytes) "
                         "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 WHERE EXISTS "
                         "(SELECT 1 FROM tasks WHERE name = ?1)",
                         err);
    int result = put ? 0 : -1;
    for (size_t i = 0; i < count && result == 0; i++)
        result = put_one(control, put, &items[i], err);
    if (result < 0) {
        database_rollback(control);
        return -1;
    }
    return database_commit(control, err);
}

int control_put_facts(struct control *control, const struct control_task_facts *items, size_t count,
                      struct error *err)
{
    /* Without a sync of its own: what a crash of the machine takes from the facts costs a session at most. */
    DATABASE_HOLD(control);
    if (database_begin_lightly(control, err) < 0)
        return -1;
    int result = put_all(control, items, count, err);
    database_end_lightly(control);
    return result;
}
