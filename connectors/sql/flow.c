#include "session.h"

#include "base/fault.h"
#include "bridge.h"

#include <stdio.h>

/* What only Flow's protocol asks for: the checkpoint and its fence, documents by key, constraints; and what
 * is done with a connection of its own: check, validate, apply. */

/* --- the checkpoint ---------------------------------------------------------------------------------- */

#define CHECKPOINTS "firth_checkpoints"

static const char *checkpoints_table(struct sql_session *session)
{
    const char *schema = session->settings.schema ? session->settings.schema : "";
    return sql_quoted_table(session->dialect, schema, CHECKPOINTS, &session->arena);
}

static int read_checkpoint(void *context, const struct slice *values, size_t count, struct error *err)
{
    struct sql_session *session = context;
    (void)count;
    const char *fence = arena_strndup(&session->arena, values[0].data, values[0].size);
    if (!string_to_i64(fence, &session->fence))
        return error_set(err, ERROR_CORRUPT, "the table " CHECKPOINTS " has the fence %.40s", fence);
    session->checkpoint =
        arena_strndup(&session->arena, values[1].data ? values[1].data : "", values[1].size);
    return 0;
}

static int execute(struct sql_session *session, struct buffer *sql, uint64_t *ret_changed, struct error *err)
{
    int result = session->dialect->execute(session->db, buffer_cstr(sql), ret_changed, err);
    buffer_clear(sql);
    return result;
}

/* Take the task over: whoever had it before finds another fence when it commits. */
static int take_over(struct sql_session *session, struct error *err)
{
    const struct sql_dialect *dialect = session->dialect;
    const char *table = checkpoints_table(session);
    struct buffer sql, task;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_init(&task, BUFFER_UNLIMITED);
    sql_put_text(&task, slice_of(session->task));
    int result = sql_session_begin(session, dialect->begin, err);
    if (result == 0 && dialect->ddl_lock)
        result = dialect->execute(session->db, dialect->ddl_lock, NULL, err);
    if (result == 0 && dialect->has_schemas)
        result = sql_schema_ensure(dialect, session->db, session->settings.schema, err);
    buffer_printf(
        &sql,
        "CREATE TABLE IF NOT EXISTS %s (task %s PRIMARY KEY, fence %s NOT NULL, checkpoint %s NOT NULL)",
        table, dialect->type_names[SQL_TEXT], dialect->type_names[SQL_INTEGER],
        dialect->type_names[SQL_TEXT]);
    if (result == 0)
        result = execute(session, &sql, NULL, err);
    buffer_printf(&sql, "INSERT INTO %s VALUES (%s, 0, '') ON CONFLICT (task) DO NOTHING", table,
                  buffer_cstr(&task));
    if (result == 0)
        result = execute(session, &sql, NULL, err);
    buffer_printf(&sql, "UPDATE %s SET fence = fence + 1 WHERE task = %s", table, buffer_cstr(&task));
    if (result == 0)
        result = execute(session, &sql, NULL, err);
    buffer_printf(&sql, "SELECT fence, checkpoint FROM %s WHERE task = %s", table, buffer_cstr(&task));
    if (result == 0)
        result = dialect->query(session->db, buffer_cstr(&sql), read_checkpoint, session, err);
    buffer_done(&sql);
    buffer_done(&task);
    return result < 0 ? -1 : sql_session_end(session, err);
}

int sql_session_checkpoint(void *self, struct firth_host *host, struct firth_slice *ret_checkpoint,
                           struct firth_error *err)
{
    struct sql_session *session = self;
    struct error library_err;
    session->task = arena_strdup(&session->arena, firth_task(host));
    if (take_over(session, &library_err) < 0)
        return sdk_error(err, &library_err);
    *ret_checkpoint = (struct firth_slice){session->checkpoint, strlen(session->checkpoint)};
    return 0;
}

int sql_checkpoint_store(struct sql_session *session, struct slice checkpoint, struct error *err)
{
    struct buffer sql;
    uint64_t changed = 0;
    if (sql_session_begin(session, session->dialect->begin, err) < 0)
        return -1;
    buffer_init(&sql, BUFFER_UNLIMITED); /* the checkpoint is of a bounded line */
    buffer_printf(&sql, "UPDATE %s SET checkpoint = ", checkpoints_table(session));
    sql_put_text(&sql, checkpoint);
    buffer_str(&sql, " WHERE task = ");
    sql_put_text(&sql, slice_of(session->task));
    buffer_printf(&sql, " AND fence = %lld", (long long)session->fence);
    int result = execute(session, &sql, &changed, err);
    buffer_done(&sql);
    if (result == 0 && changed != 1 && !fault_planted("sql.ignore-fence"))
        result =
            error_set(err, ERROR_BUSY,
                      "another session of %.200s has taken over: this one is fenced off, and what it did "
                      "since its last commit is not kept",
                      session->task);
    return result;
}

/* --- documents by key -------------------------------------------------------------------------------- */

/* Beside the columns of the key: the key as it was asked for, where that is not what they hold. */
#define ASKED_KEY "_firth_key"

static int open_keys(struct sql_session *session, struct sql_target *target, struct error *err)
{
    const struct sql_plan *plan = &target->plan;
    struct sql_column *columns = arena_alloc(&session->arena, (plan->key_count + 1) * sizeof *columns);
    size_t count = plan->key_count;
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "CREATE TEMPORARY TABLE %s (", target->keys);
    for (size_t i = 0; i < plan->key_count; i++) {
        columns[i] = plan->columns.items[plan->keys[i]];
        buffer_str(&sql, i ? ", " : "");
        sql_put_name(&sql, columns[i].name);
        buffer_printf(&sql, " %s", session->dialect->type_names[columns[i].type]);
    }
    if (sql_keys_may_meet(plan)) {
        columns[count++] = (struct sql_column){ASKED_KEY, SQL_TEXT};
        buffer_printf(&sql, ", " ASKED_KEY " %s", session->dialect->type_names[SQL_TEXT]);
    }
    buffer_byte(&sql, ')');
    int result = target->keys_made ? 0 : execute(session, &sql, NULL, err);
    buffer_done(&sql);
    if (result < 0)
        return -1;
    target->keys_made = true;
    target->key_rows = session->dialect->load_open(session->db, target->keys, columns, count, err);
    return target->key_rows ? 0 : -1;
}

static int load(struct sql_session *session, struct firth_host *host, struct sql_target *target,
                const struct firth_record *key, struct error *err)
{
    const struct sql_plan *plan = &target->plan;
    if (sql_session_begin(session, "BEGIN", err) < 0 ||
        (!target->key_rows && open_keys(session, target, err) < 0))
        return -1;
    arena_clear(&session->row_arena);
    buffer_clear(&session->asked);
    for (size_t i = 0; i < plan->key_count; i++) {
        size_t column = plan->keys[i];
        enum sql_type type = plan->columns.items[column].type;
        struct firth_slice value = {0};
        enum firth_type kind = firth_record_field(host, key, plan->sources[column].field, &value);
        enum sql_verdict verdict = sql_plan_value(session->dialect, plan, column, kind, value,
                                                  &session->row_arena, &target->cells[i]);
        if (verdict == SQL_FITS && !target->cells[i].null)
            verdict = session->dialect->fits(type, &target->cells[i], &session->row_arena);
        if (verdict != SQL_FITS || target->cells[i].null)
            return 0; /* no row can have it */
        sql_key_text_add(&session->asked, kind, value);
    }
    buffer_byte(&session->asked, ']');
    target->cells[plan->key_count] = (struct sql_cell){.text = {session->asked.data, session->asked.size}};
    target->key_count++;
    return session->dialect->load_row(target->key_rows, target->cells, err);
}

int sql_session_load(void *self, struct firth_host *host, size_t index, const struct firth_record *key,
                     struct firth_error *err)
{
    struct sql_session *session = self;
    struct error library_err;
    return load(session, host, &session->targets[index], key, &library_err) < 0 ? sdk_error(err, &library_err)
                                                                                : 0;
}

struct found {
    struct firth_host *host;
    const struct sql_plan *plan;
    size_t target;
};

static int emit_found(void *context, const struct slice *values, size_t count, struct error *err)
{
    const struct found *found = context;
    bool is_asked_for = true;
    if (!values[0].data)
        return 0;
    if (count > 1 && sql_key_is_of(found->plan, values[1], values[0], &is_asked_for, err) < 0)
        return -1;
    if (!is_asked_for)
        return 0;
    if (firth_emit_loaded(found->host, found->target, (struct firth_slice){values[0].data, values[0].size}) <
        0)
        return error_set(err, ERROR_CANCELLED, "the documents that were asked for cannot be given");
    return 0;
}

static int flush_target(struct sql_session *session, struct firth_host *host, size_t index, struct error *err)
{
    const struct sql_dialect *dialect = session->dialect;
    struct sql_target *target = &session->targets[index];
    const struct sql_plan *plan = &target->plan;
    struct found found = {host, plan, index};
    struct buffer sql;
    if (!target->key_count)
        return 0;
    if (plan->document < 0)
        return error_set(err, ERROR_INVALID, "%s has no column for the document, so none can be loaded",
                         plan->quoted);
    if (dialect->load_flush(target->key_rows, err) < 0)
        return -1;
    target->key_count = 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    int result = 0;
    if (dialect->analyze) {
        buffer_printf(&sql, "%s%s", dialect->analyze, target->keys);
        result = execute(session, &sql, NULL, err);
    }
    buffer_str(&sql, "SELECT t.");
    sql_put_name(&sql, plan->columns.items[plan->document].name);
    buffer_str(&sql, sql_keys_may_meet(plan) ? ", k." ASKED_KEY : "");
    buffer_printf(&sql, " FROM %s AS k JOIN %s AS t ON ", target->keys, plan->quoted);
    sql_put_key_match(&sql, plan, "t.", "k.");
    if (result == 0)
        result = dialect->query(session->db, buffer_cstr(&sql), emit_found, &found, err);
    buffer_clear(&sql);
    buffer_printf(&sql, "%s%s", dialect->clear, target->keys);
    if (result == 0)
        result = execute(session, &sql, NULL, err);
    buffer_done(&sql);
    return result;
}

int sql_session_flush(void *self, struct firth_host *host, struct firth_error *err)
{
    struct sql_session *session = self;
    struct error library_err;
    for (size_t i = 0; i < session->count; i++) {
        if (flush_target(session, host, i, &library_err) < 0)
            return sdk_error(err, &library_err);
    }
    /* Nothing was changed; the transaction only made that all was read at once, and it does not stay open
     * while the runtime thinks. */
    return sql_session_end(session, &library_err) < 0 ? sdk_error(err, &library_err) : 0;
}

/* --- with a connection of its own -------------------------------------------------------------------- */

static int probe(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_settings *settings,
                 struct error *err)
{
    struct arena arena;
    struct buffer sql;
    char uuid[37];
    random_uuid(uuid);
    arena_init(&arena);
    buffer_init(&sql, BUFFER_UNLIMITED);
    const char *name = arena_printf(&arena, "_firth_check_%.8s", uuid);
    const char *table = sql_quoted_table(dialect, settings->schema ? settings->schema : "", name, &arena);
    buffer_printf(&sql, "CREATE TABLE %s (a %s)", table, dialect->type_names[SQL_INTEGER]);
    int result = dialect->execute(db, dialect->begin, NULL, err);
    if (result == 0 && dialect->has_schemas)
        result = sql_schema_ensure(dialect, db, settings->schema, err);
    if (result == 0)
        result = dialect->execute(db, buffer_cstr(&sql), NULL, err);
    if (result == 0)
        result = dialect->execute(db, "ROLLBACK", NULL, err);
    buffer_done(&sql);
    arena_done(&arena);
    return result < 0 ? error_wrap(err, "a table cannot be made") : 0;
}

int sql_check(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_settings *settings,
              struct firth_error *err)
{
    struct error library_err;
    int result = probe(dialect, db, settings, &library_err);
    dialect->close(db);
    return result < 0 ? sdk_error(err, &library_err) : 0;
}

/* Columns that are there and cannot take what the field has now. */
static int constrain(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     struct firth_constraint *constraints, struct arena *arena, struct error *err)
{
    struct sql_columns there;
    if (sql_columns_read(dialect, db, plan->schema, plan->table, arena, &there, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->columns.count; i++) {
        const struct sql_column *column = &plan->columns.items[i];
        struct firth_constraint *constraint = &constraints[plan->sources[i].field];
        for (size_t k = 0; plan->sources[i].role == SQL_FIELD && k < there.count; k++) {
            if (strcmp(there.items[k].name, column->name) != 0 || constraint->type == FIRTH_FORBIDDEN ||
                sql_table_join(dialect, there.items[k].type, column->type) != SQL_OTHER)
                continue;
            constraint->type = FIRTH_INCOMPATIBLE;
            snprintf(constraint->reason, sizeof constraint->reason,
                     "the column of %.100s has a type that cannot take %s", plan->quoted,
                     dialect->type_names[column->type]);
        }
    }
    return 0;
}

int sql_validate(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_settings *settings,
                 struct firth_target *target, struct firth_constraint *constraints, struct firth_error *err)
{
    struct sql_plan plan;
    struct sql_names taken;
    struct arena arena;
    struct error library_err;
    arena_init(&arena);
    sql_names_init(&taken);
    int result = sql_plan_make(&plan, dialect, db, settings, target, &taken, &arena, &library_err);
    if (result == 0)
        result = constrain(dialect, db, &plan, constraints, &arena, &library_err);
    sql_names_done(&taken);
    arena_done(&arena);
    dialect->close(db);
    return result < 0 ? sdk_error(err, &library_err) : 0;
}

static void say_did(void *context, const char *what)
{
    firth_did(context, "%s", what);
}

static int apply_one(const struct sql_dialect *dialect, struct sql_db *db,
                     const struct sql_settings *settings, struct firth_host *host,
                     const struct firth_target *target, struct sql_names *taken, struct arena *arena,
                     struct error *err)
{
    struct sql_plan plan;
    struct sql_columns there;
    if (sql_plan_make(&plan, dialect, db, settings, target, taken, arena, err) < 0)
        return -1;
    if (target->anew) {
        if (sql_columns_read(dialect, db, plan.schema, plan.table, arena, &there, err) < 0 ||
            sql_table_lock(dialect, db, plan.quoted, SQL_LOCK_ALONE, err) < 0 ||
            sql_table_drop(dialect, db, plan.quoted, err) < 0)
            return -1;
        if (there.count)
            firth_did(host, "dropped table %s", plan.quoted);
    }
    return sql_table_ensure(dialect, db, &plan, say_did, host, arena, err);
}

int sql_apply(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_settings *settings,
              struct firth_host *host, const struct firth_target *targets, size_t count,
              struct firth_error *err)
{
    struct sql_names taken;
    struct arena arena;
    struct error library_err;
    arena_init(&arena);
    sql_names_init(&taken);
    int result = dialect->execute(db, dialect->begin, NULL, &library_err);
    if (result == 0 && dialect->ddl_lock)
        result = dialect->execute(db, dialect->ddl_lock, NULL, &library_err);
    for (size_t i = 0; i < count && result == 0; i++)
        result = apply_one(dialect, db, settings, host, &targets[i], &taken, &arena, &library_err);
    if (result == 0)
        result = dialect->execute(db, "COMMIT", NULL, &library_err);
    fault_point("sql.apply.after");
    sql_names_done(&taken);
    arena_done(&arena);
    dialect->close(db);
    return result < 0 ? sdk_error(err, &library_err) : 0;
}
