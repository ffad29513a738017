#include "db.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BUSY_MS = 60000 };

/* --- errors ------------------------------------------------------------------------------------------ */

static enum error_code code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERROR_BUSY;
    case SQLITE_CORRUPT:
        return ERROR_CORRUPT;
    case SQLITE_ERROR: /* a statement that it does not take: too many columns, say */
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERROR_INVALID;
    case SQLITE_TOOBIG:
        return ERROR_LIMIT;
    default:
        return ERROR_IO;
    }
}

/* What the system said: of the file itself, or of its journal. 0: nothing. */
static int system_error(const struct sql_db *db)
{
    int system = sqlite3_system_errno(db->handle);
    sqlite3_file *journal = NULL;
    if (!system)
        sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_LAST_ERRNO, &system);
    if (!system)
        sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
    if (journal && journal->pMethods)
        journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &system);
    return system;
}

int sqlite_db_error(const struct sql_db *db, struct error *err)
{
    int result = sqlite3_extended_errcode(db->handle), system = system_error(db);
    bool of_system = (result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_FULL ||
                     (result & 0xff) == SQLITE_CANTOPEN;
    const char *why = of_system && system ? strerror(system) : "";
    error_set(err, code_of(result), "%s: %s%s%s", db->path, sqlite3_errmsg(db->handle), *why ? ": " : "",
              why);
    err->retriable = err->code == ERROR_BUSY || err->code == ERROR_IO;
    return -1;
}

/* --- opening ----------------------------------------------------------------------------------------- */

static void db_close(struct sql_db *db)
{
    if (!db)
        return;
    sqlite3_close_v2(db->handle);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db->path);
    free(db);
}

static int db_execute(struct sql_db *db, const char *sql, uint64_t *ret_changed, struct error *err)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_db_error(db, err);
    if (ret_changed)
        *ret_changed = (uint64_t)sqlite3_changes64(db->handle);
    return 0;
}

static int note_table(void *context, const struct slice *values, size_t count, struct error *err)
{
    (void)values, (void)count, (void)err;
    *(bool *)context = true;
    return 0;
}

sqlite3_stmt *sqlite_db_prepare(struct sql_db *db, const char *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) == SQLITE_OK)
        return statement;
    sqlite_db_error(db, err);
    return NULL;
}

static int db_query(struct sql_db *db, const char *sql, sql_row_fn *row, void *context, struct error *err)
{
    enum { COLUMNS_MAX = 4 };
    struct slice values[COLUMNS_MAX];
    sqlite3_stmt *statement = sqlite_db_prepare(db, sql, err);
    if (!statement)
        return -1;
    int step, result = 0;
    while (result == 0 && (step = sqlite3_step(statement)) != SQLITE_DONE) {
        if (step != SQLITE_ROW) {
            result = sqlite_db_error(db, err);
            break;
        }
        int count = sqlite3_column_count(statement);
        assert(count <= COLUMNS_MAX);
        for (int i = 0; i < count; i++) {
            values[i].data = (const char *)sqlite3_column_text(statement, i);
            values[i].size = (size_t)sqlite3_column_bytes(statement, i);
        }
        result = row(context, values, (size_t)count, err);
    }
    sqlite3_finalize(statement);
    return result;
}

/* A file of our own making is read while it is written; one that was there keeps the ways its owner gave it.
 */
static int set_up(struct sql_db *db, struct error *err)
{
    bool has_tables = false;
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    sqlite3_extended_result_codes(db->handle, 1);
    if (sqlite_add_functions(db) != SQLITE_OK)
        return sqlite_db_error(db, err);
    if (db_query(db, "SELECT 1 FROM sqlite_master LIMIT 1", note_table, &has_tables, err) < 0)
        return -1;
    if (!has_tables && db_execute(db, "PRAGMA journal_mode = WAL", NULL, err) < 0)
        return -1;
    return db_execute(
        db,
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA legacy_alter_table = ON; "
        "PRAGMA trusted_schema = OFF",
        NULL, err);
}

struct sql_db *sqlite_db_open(const char *path, struct error *err)
{
    struct sql_db *db = mem_zalloc(sizeof *db);
    db->path = mem_strdup(path);
    db->lock_fd = -1;
    int opened = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (opened != SQLITE_OK) {
        sqlite_db_error(db, err);
    } else if (set_up(db, err) == 0) {
        db->lock_fd = open(path, O_RDWR | O_CLOEXEC);
        if (db->lock_fd >= 0)
            return db;
        error_errno(err, errno, "cannot open %s", path);
    }
    db_close(db);
    return NULL;
}

/* --- what there is ----------------------------------------------------------------------------------- */

static int db_tables(struct sql_db *db, const char *schema, sql_row_fn *row, void *context, struct error *err)
{
    (void)schema;
    return db_query(db, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')", row, context, err);
}

static void put_columns_query(struct buffer *out, const char *schema, const char *table)
{
    (void)schema;
    buffer_str(out, "SELECT name, type FROM pragma_table_info(");
    sql_put_text(out, slice_of(table));
    buffer_byte(out, ')');
}

/* One byte of the file, far behind all that SQLite itself locks or could ever write, for each table. */
static int db_lock(struct sql_db *db, const char *schema, const char *table, struct error *err)
{
    const uint64_t first = UINT64_C(1) << 60, bytes = UINT64_C(1) << 32;
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = (off_t)(first + hash_xxh3(table, strlen(table), 0) % bytes),
                         .l_len = 1};
    (void)schema;
    if (fcntl(db->lock_fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    if (errno != EAGAIN && errno != EACCES)
        return error_errno(err, errno, "cannot lock %s", db->path);
    error_set(err, ERROR_BUSY, "another sync is writing the table \"%.200s\" of %s", table, db->path);
    err->retriable = true;
    return -1;
}

static enum sql_verdict db_fits(enum sql_type type, struct sql_cell *cell, struct arena *arena)
{
    (void)type, (void)cell, (void)arena;
    return SQL_FITS; /* a column takes what it is given, a number that is none of SQLite's as text */
}

/* Declared so that no affinity changes a value: NUMERIC BLOB has none at all, and texts of dates are no
 * numbers to NUMERIC affinity. */
const struct sql_dialect sqlite_dialect = {
    .title = "SQLite",
    .type_names = {[SQL_BOOLEAN] = "BOOLEAN",
                   [SQL_INTEGER] = "INTEGER",
                   [SQL_NUMBER] = "NUMERIC BLOB",
                   [SQL_TEXT] = "TEXT",
                   [SQL_DATE] = "DATE",
                   [SQL_TIME] = "TIME",
                   [SQL_TIMETZ] = "TIME WITH TIME ZONE",
                   [SQL_TIMESTAMP] = "TIMESTAMP",
                   [SQL_TIMESTAMPTZ] = "TIMESTAMP WITH TIME ZONE",
                   [SQL_BYTES] = "BLOB",
                   [SQL_JSON] = "JSON TEXT",
                   [SQL_DOCUMENT] = "JSON DOCUMENT TEXT"},
    .reserved_prefix = "sqlite_",
    .folds_case = true,
    .indexes_keys = true,
    .keeps_integers = true,
    .mixes_numbers = true,
    .row_id = "rowid",
    .begin = "BEGIN IMMEDIATE",
    .clear = "DELETE FROM ",
    .close = db_close,
    .execute = db_execute,
    .query = db_query,
    .tables = db_tables,
    .put_columns_query = put_columns_query,
    .lock = db_lock,
    .alter_type = sqlite_alter_type,
    .fits = db_fits,
    .put_number_order = sqlite_put_number_order,
    .put_number = sqlite_put_number,
    .put_misspelt = sqlite_put_misspelt,
    .load_open = sqlite_load_open,
    .load_row = sqlite_load_row,
    .load_flush = sqlite_load_flush,
    .load_close = sqlite_load_close,
};
