#include "session.h"

#include "base/fault.h"
#include "base/hash.h"
#include "bridge.h"

#include <stdio.h>

/* A session from open to close. */

enum { BATCH_BYTES = 64 << 20 }; /* a batch is merged when this much has come, commit or not */

/* --- transactions ------------------------------------------------------------------------------------ */

int sql_session_begin(struct sql_session *session, const char *statement, struct error *err)
{
    if (session->in_transaction)
        return 0;
    if (session->dialect->execute(session->db, statement, NULL, err) < 0)
        return -1;
    session->in_transaction = true;
    return 0;
}

int sql_session_end(struct sql_session *session, struct error *err)
{
    if (!session->in_transaction)
        return 0;
    session->in_transaction = false;
    return session->dialect->execute(session->db, "COMMIT", NULL, err);
}

static int begin_ddl(struct sql_session *session, struct error *err)
{
    const char *lock = session->dialect->ddl_lock;
    if (sql_session_begin(session, session->dialect->begin, err) < 0)
        return -1;
    return lock ? session->dialect->execute(session->db, lock, NULL, err) : 0;
}

/* --- a target's ways --------------------------------------------------------------------------------- */

int sql_target_open_rows(struct sql_session *session, struct sql_target *target, struct error *err)
{
    const struct sql_plan *plan = &target->plan;
    size_t count = plan->columns.count;
    if (target->batch && !target->batch_made) {
        if (sql_batch_create(session->dialect, session->db, plan, target->batch, err) < 0)
            return -1;
        target->batch_made = true;
    }
    memcpy(target->columns, plan->columns.items, count * sizeof *target->columns);
    target->columns[count] = (struct sql_column){SQL_BATCH_ROW, SQL_INTEGER};
    target->columns[count + 1] = (struct sql_column){SQL_BATCH_OPERATION, SQL_INTEGER};
    target->rows = session->dialect->load_open(session->db, target->batch ? target->batch : target->into,
                                               target->columns, target->batch ? count + 2 : count, err);
    return target->rows ? 0 : -1;
}

void sql_target_close_rows(struct sql_session *session, struct sql_target *target)
{
    if (target->rows)
        session->dialect->load_close(target->rows);
    target->rows = NULL;
}

int sql_target_merge(struct sql_session *session, struct sql_target *target, struct error *err)
{
    if (target->rows && session->dialect->load_flush(target->rows, err) < 0)
        return -1;
    if (!target->batch || !target->row)
        return 0;
    bool ranked = !target->plan.target->live;
    target->row = 0;
    target->bytes = 0;
    return sql_batch_merge(session->dialect, session->db, &target->plan, target->batch, target->into, ranked,
                           !session->settings.keep_cdc_deleted, err);
}

static char *temporary_name(struct sql_session *session, const char *what, size_t index)
{
    return arena_printf(&session->arena, "\"_firth_%s_%zu\"", what, index);
}

/* Left by a sync that died: stages are called by their table, and by chance. */
struct leftovers {
    struct sql_session *session;
    const char *prefix;
    struct sql_names names;
};

static int note_leftover(void *context, const struct slice *values, size_t count, struct error *err)
{
    struct leftovers *leftovers = context;
    (void)count, (void)err;
    if (slice_starts_with(values[0], leftovers->prefix))
        sql_names_add(&leftovers->names,
                      arena_strndup(&leftovers->session->arena, values[0].data, values[0].size));
    return 0;
}

static int make_stage(struct sql_session *session, struct sql_target *target, struct error *err)
{
    const struct sql_dialect *dialect = session->dialect;
    struct sql_plan *plan = &target->plan;
    struct leftovers left = {.session = session};
    uint64_t hash = hash_xxh3(plan->quoted, strlen(plan->quoted), 0);
    left.prefix = arena_printf(&session->arena, "_firth_stage_%016llx_", (unsigned long long)hash);
    sql_names_init(&left.names);
    int result = sql_schema_ensure(dialect, session->db, plan->schema, err);
    if (result == 0)
        result = dialect->tables(session->db, plan->schema, note_leftover, &left, err);
    for (size_t i = 0; i < left.names.count && result == 0; i++) {
        const char *quoted = sql_quoted_table(dialect, plan->schema, left.names.items[i], &session->arena);
        result = sql_table_drop(dialect, session->db, quoted, err);
    }
    sql_names_done(&left.names);
    const char *name = arena_printf(&session->arena, "%s%08x", left.prefix,
                                    (unsigned)(random_next(&session->random) & 0xffffffff));
    target->stage = sql_quoted_table(dialect, plan->schema, name, &session->arena);
    return result < 0
               ? -1
               : sql_table_create(dialect, session->db, plan, target->stage, sql_plan_dedups(plan), err);
}

static void say_did(void *context, const char *what)
{
    firth_log(context, FIRTH_INFO, "%s", what);
}

static int open_target(struct sql_session *session, struct firth_host *host, size_t index,
                       struct firth_target *asked, struct sql_names *taken, struct error *err)
{
    const struct sql_dialect *dialect = session->dialect;
    struct sql_target *target = &session->targets[index];
    struct sql_plan *plan = &target->plan;
    if (sql_plan_make(plan, dialect, session->db, &session->settings, asked, taken, &session->arena, err) < 0)
        return -1;
    if (!asked->live && dialect->lock(session->db, plan->schema, plan->table, err) < 0)
        return -1;
    bool dedup = (asked->sync_mode & (FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP)) != 0;
    if (dedup && !plan->key_count)
        firth_log(host, FIRTH_WARN, "stream %s asks for deduplication, but %s: all records are kept",
                  asked->name,
                  session->settings.raw ? "a raw table has no columns to do it by" : "has no primary key");
    if (sql_plan_overwrites(plan)
            ? make_stage(session, target, err)
            : sql_table_ensure(dialect, session->db, plan, say_did, host, &session->arena, err) < 0)
        return -1;
    size_t count = plan->columns.count + 2;
    target->into = target->stage ? target->stage : plan->quoted;
    target->batch = sql_plan_dedups(plan) ? temporary_name(session, "batch", index) : NULL;
    target->keys = asked->live && target->batch ? temporary_name(session, "keys", index) : NULL;
    target->cells = arena_zalloc(&session->arena, count * sizeof *target->cells);
    target->columns = arena_zalloc(&session->arena, count * sizeof *target->columns);
    target->told = arena_zalloc(&session->arena, count * sizeof *target->told);
    asked->states_at_end = target->stage != NULL;
    return 0;
}

static int open_targets(struct sql_session *session, struct firth_host *host, struct firth_target *targets,
                        struct error *err)
{
    struct sql_names taken;
    sql_names_init(&taken);
    int result = begin_ddl(session, err);
    for (size_t i = 0; i < session->count && result == 0; i++) {
        result = open_target(session, host, i, &targets[i], &taken, err);
        if (result < 0)
            error_wrap(err, "stream %.200s", targets[i].name);
    }
    sql_names_done(&taken);
    return result == 0 ? sql_session_end(session, err) : -1;
}

int sql_session_open(const struct sql_dialect *dialect, struct sql_db *db,
                     const struct sql_settings *settings, struct firth_host *host,
                     struct firth_target *targets, size_t count, void **ret_self, struct firth_error *err)
{
    struct error library_err;
    struct sql_session *session = mem_zalloc(sizeof *session);
    *session = (struct sql_session){.dialect = dialect, .db = db, .settings = *settings, .count = count};
    arena_init(&session->arena);
    arena_init(&session->row_arena);
    buffer_init(&session->changes, BUFFER_UNLIMITED); /* bounded by the columns' names */
    buffer_init(&session->meta, BUFFER_UNLIMITED);
    buffer_init(&session->asked, BUFFER_UNLIMITED); /* less than a record, which is bounded */
    random_bytes(&session->random, sizeof session->random);
    session->targets = arena_zalloc(&session->arena, (count + 1) * sizeof *session->targets);
    if (open_targets(session, host, targets, &library_err) < 0) {
        sql_session_close(session);
        return sdk_error(err, &library_err);
    }
    *ret_self = session;
    return 0;
}

static void close_loads(struct sql_session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        struct sql_target *target = &session->targets[i];
        sql_target_close_rows(session, target);
        if (target->key_rows)
            session->dialect->load_close(target->key_rows);
        target->key_rows = NULL;
    }
}

void sql_session_idle(void *self, struct firth_host *host)
{
    struct sql_session *session = self;
    (void)host;
    if (session->in_transaction || !session->dialect->release)
        return;
    close_loads(session);
    for (size_t i = 0; i < session->count; i++)
        session->targets[i].batch_made = session->targets[i].keys_made = false;
    session->dialect->release(session->db);
}

void sql_session_close(void *self)
{
    struct sql_session *session = self;
    struct error ignored;
    close_loads(session);
    if (session->in_transaction)
        session->dialect->execute(session->db, "ROLLBACK", NULL, &ignored);
    session->dialect->close(session->db);
    buffer_done(&session->changes);
    buffer_done(&session->meta);
    buffer_done(&session->asked);
    arena_done(&session->row_arena);
    arena_done(&session->arena);
    free(session);
}

/* --- rows -------------------------------------------------------------------------------------------- */

static enum sql_operation operation_of(const struct sql_session *session, const struct firth_record *record)
{
    if (record->operation == FIRTH_INSERT)
        return SQL_PUT_NEW;
    bool gone = record->operation == FIRTH_DELETE && (session->settings.remove_deleted || !record->data.size);
    return gone ? SQL_REMOVE : SQL_MERGE;
}

static int store(struct sql_session *session, struct firth_host *host, struct sql_target *target,
                 const struct firth_record *record, struct error *err)
{
    size_t count = target->plan.columns.count;
    if (sql_session_begin(session, session->dialect->begin, err) < 0 ||
        (!target->rows && sql_target_open_rows(session, target, err) < 0) ||
        sql_row_fill(session, host, target, record, err) < 0)
        return -1;
    if (target->batch) {
        enum sql_operation operation = target->plan.target->live ? operation_of(session, record) : SQL_MERGE;
        target->cells[count] = (struct sql_cell){.integer = ++target->row};
        target->cells[count + 1] = (struct sql_cell){.integer = operation};
    }
    if (session->dialect->load_row(target->rows, target->cells, err) < 0)
        return -1;
    target->bytes += record->data.size;
    return target->batch && target->bytes > BATCH_BYTES ? sql_target_merge(session, target, err) : 0;
}

int sql_session_store(void *self, struct firth_host *host, size_t stream, const struct firth_record *record,
                      struct firth_error *err)
{
    struct sql_session *session = self;
    struct error library_err;
    if (store(session, host, &session->targets[stream], record, &library_err) == 0)
        return 0;
    return sdk_error(err, &library_err);
}

/* --- commit and end ---------------------------------------------------------------------------------- */

static int commit_all(struct sql_session *session, struct slice checkpoint, struct error *err)
{
    for (size_t i = 0; i < session->count; i++) {
        if (sql_target_merge(session, &session->targets[i], err) < 0)
            return -1;
    }
    if (checkpoint.size && !fault_planted("sql.checkpoint-alone") &&
        sql_checkpoint_store(session, checkpoint, err) < 0)
        return -1;
    fault_point("sql.commit.before");
    if (sql_session_end(session, err) < 0)
        return -1;
    fault_point("sql.commit.after");
    /* The bug that exactly once is there to rule out: rows in one transaction, the checkpoint in the next. */
    if (checkpoint.size && fault_planted("sql.checkpoint-alone") &&
        (sql_checkpoint_store(session, checkpoint, err) < 0 || sql_session_end(session, err) < 0))
        return -1;
    return 0;
}

int sql_session_commit(void *self, struct firth_host *host, const struct firth_commit *commit,
                       struct firth_error *err)
{
    struct sql_session *session = self;
    struct error library_err;
    (void)host;
    struct slice checkpoint = {commit->checkpoint.data, commit->checkpoint.size};
    return commit_all(session, checkpoint, &library_err) < 0 ? sdk_error(err, &library_err) : 0;
}

/* Rows of generations before the one that is complete now. */
static int remove_generations(struct sql_session *session, struct sql_target *target, struct error *err)
{
    const struct sql_plan *plan = &target->plan;
    struct buffer sql;
    if (plan->generation < 0 || plan->target->minimum_generation <= 0)
        return 0;
    if (sql_table_lock(session->dialect, session->db, plan->quoted, SQL_LOCK_ROWS, err) < 0)
        return -1;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "DELETE FROM %s WHERE COALESCE(", plan->quoted);
    sql_put_name(&sql, plan->columns.items[plan->generation].name);
    buffer_printf(&sql, ", 0) < %lld", (long long)plan->target->minimum_generation);
    int result = session->dialect->execute(session->db, buffer_cstr(&sql), NULL, err);
    buffer_done(&sql);
    return result;
}

static int finish(struct sql_session *session, struct sql_target *target, bool complete, struct error *err)
{
    sql_target_close_rows(session, target);
    if (!complete && !target->stage)
        return 0;
    if (begin_ddl(session, err) < 0)
        return -1;
    fault_point("sql.finish.before");
    int result = !complete ? sql_table_drop(session->dialect, session->db, target->stage, err)
                 : target->stage
                     ? sql_table_swap(session->dialect, session->db, &target->plan, target->stage, err)
                     : remove_generations(session, target, err);
    return result < 0 ? -1 : sql_session_end(session, err);
}

int sql_session_finish(void *self, struct firth_host *host, size_t stream, bool complete,
                       struct firth_error *err)
{
    struct sql_session *session = self;
    struct error library_err;
    (void)host;
    return finish(session, &session->targets[stream], complete, &library_err) < 0
               ? sdk_error(err, &library_err)
               : 0;
}
