/* Opening: what is there is checked before anything is written; what is not there is made beside its place
 * and put there whole. */
#include "control/sqlite/database.h"

#include "control/page.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x46697274 /* "Firt" */ };

static const char check_text[] = "firth";

static int refuse(const struct control *control, const char *why, struct error *err)
{
    return error_set(
        err, ERROR_CORRUPT,
        "%s is not a control store of firth (%s): put it back from a backup, or move it away and "
        "deploy the catalogs again; collections and checkpoints are not in it and stay as they are",
        control->path, why);
}

int database_open_handle(struct control *control, const char *path, int flags, struct error *err)
{
    if (sqlite3_open_v2(path, &control->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) !=
        SQLITE_OK)
        return database_error(control, "open", err);
    sqlite3_busy_timeout(control->db, CONTROL_BUSY_MS);
    return database_exec(
        control, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;", err);
}

/* --- making it ----------------------------------------------------------------------------------- */

/* Seals a word, by which a later open knows the key. */
static int put_check(struct control *control, struct error *err)
{
    struct buffer sealed;
    buffer_init(&sealed, 256);
    secret_seal(&control->key, SLICE_LITERAL(check_text), &sealed);
    mem_auto(sqlite3_finalize) sqlite3_stmt *put =
        database_prepare(control, "INSERT INTO meta VALUES ('key', ?)", err);
    int result = -1;
    if (put) {
        database_bind_blob(put, 1, (struct slice){sealed.data, sealed.size});
        result = database_step(control, put, err) < 0 ? -1 : 0;
    }
    buffer_done(&sealed);
    return result;
}

static int fill(struct control *control, const char *path, struct error *err)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d", APPLICATION_ID);
    if (database_open_handle(control, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err) < 0 ||
        database_exec(control, sql, err) < 0 || database_migrate(control, err) < 0 ||
        put_check(control, err) < 0)
        return -1;
    return database_exec(control, "PRAGMA journal_mode = WAL", err);
}

/* Made whole under another name, then linked: nobody ever sees half of one, and of two makers one wins. */
static int make(const char *data_dir, struct control *control, struct error *err)
{
    char uuid[37];
    random_uuid(uuid);
    auto_free char *temporary = mem_printf("%s.%.8s.tmp", control->path, uuid);
    int result = fill(control, temporary, err);
    if (sqlite3_close(control->db) != SQLITE_OK && result == 0)
        result = error_set(err, ERROR_IO, "cannot close %s", temporary);
    control->db = NULL;
    if (result == 0 &&
        (chmod(temporary, 0600) < 0 || (link(temporary, control->path) < 0 && errno != EEXIST)))
        result = error_errno(err, errno, "cannot make %s", control->path);
    unlink(temporary);
    return result < 0 ? -1 : file_sync_folder(data_dir, err);
}

/* --- checking it --------------------------------------------------------------------------------- */

static int check_whole(struct control *control, struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *check = database_prepare(control, "PRAGMA quick_check(1)", err);
    if (!check || database_step(control, check, err) < 0)
        return -1;
    const char *said = (const char *)sqlite3_column_text(check, 0);
    return said && strcmp(said, "ok") == 0 ? 0 : refuse(control, said ? said : "the check said nothing", err);
}

static int check_file(struct control *control, struct error *err)
{
    int64_t application = 0, version = 0;
    struct stat info;
    if (stat(control->path, &info) < 0)
        return error_errno(err, errno, "cannot open %s", control->path);
    if (!S_ISREG(info.st_mode) || info.st_size == 0)
        return refuse(control, S_ISREG(info.st_mode) ? "it is empty" : "it is no file", err);
    if (database_open_handle(control, control->path, SQLITE_OPEN_READWRITE, err) < 0 ||
        database_number(control, "PRAGMA application_id", 0, &application, err) < 0)
        return -1;
    if (application != APPLICATION_ID)
        return refuse(control, "it is another program's database", err);
    if (database_number(control, "PRAGMA user_version", 0, &version, err) < 0)
        return -1;
    if (version == 0)
        return refuse(control, "it has no version", err);
    return 0;
}

static int check_key(struct control *control, struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *get =
        database_prepare(control, "SELECT value FROM meta WHERE name = 'key'", err);
    int step = get ? database_step(control, get, err) : -1;
    if (step < 0)
        return -1;
    struct buffer plain;
    buffer_init(&plain, 256);
    int result =
        step == 0
            ? refuse(control, "it does not say which key it has", err)
            : secret_unseal(&control->key,
                            (struct slice){sqlite3_column_blob(get, 0), (size_t)sqlite3_column_bytes(get, 0)},
                            &plain, err);
    buffer_done(&plain);
    return result < 0 ? error_wrap(err, "%s", control->path) : 0;
}

/* Who only looks brings nothing up to date. */
static int check_version(struct control *control, struct error *err)
{
    int64_t version = 0;
    if (database_number(control, "PRAGMA user_version", 0, &version, err) < 0)
        return -1;
    if (version >= database_version_known())
        return version > database_version_known() ? database_migrate(control, err) : 0;
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s has version %" PRId64
                     " of an older firth; 'firth serve' and 'firth deploy' bring it up to "
                     "date",
                     control->path, version);
}

/* --- the whole ----------------------------------------------------------------------------------- */

static int load_key(const char *data_dir, bool there, struct control *control, struct error *err)
{
    if (secret_key_load(data_dir, !there, &control->key, err) < 0) {
        if (there && err->code == ERROR_NOT_FOUND)
            return error_set(
                err, ERROR_INVALID,
                "%s is encrypted, and its key is missing: put back %s/secret.key, or give the key by "
                "FIRTH_SECRET_KEY or FIRTH_SECRET_KEY_FILE",
                control->path, data_dir);
        return -1;
    }
    control->keyed = true;
    return 0;
}

static int open_all(const char *data_dir, enum control_mode mode, struct control *control, struct error *err)
{
    bool there = file_exists(control->path);
    if (!there && mode == CONTROL_LOOK)
        return error_set(err, ERROR_NOT_FOUND, "nothing was deployed in %s", data_dir);
    if (mode == CONTROL_CHANGE && load_key(data_dir, there, control, err) < 0)
        return -1;
    if (!there && make(data_dir, control, err) < 0)
        return -1;
    if (check_file(control, err) < 0)
        return -1;
    if (mode == CONTROL_LOOK)
        return check_version(control, err);
    /* The key first: with it steps seal. */
    if (check_whole(control, err) < 0 || check_key(control, err) < 0)
        return -1;
    return database_migrate(control, err);
}

static struct control *new_handle(void)
{
    struct control *control = mem_zalloc(sizeof *control);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&control->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return control;
}

struct control *control_open(const char *data_dir, enum control_mode mode, struct error *err)
{
    struct control *control = new_handle();
    control->path = mem_printf("%s/control.db", data_dir);
    if (open_all(data_dir, mode, control, err) == 0)
        return control;
    control_close(control);
    return NULL;
}

struct control *control_share(const struct control *control, struct error *err)
{
    struct control *shared = new_handle();
    shared->path = mem_strdup(control->path);
    shared->keyed = control->keyed;
    shared->key = control->key;
    if (database_open_handle(shared, shared->path, SQLITE_OPEN_READWRITE, err) == 0)
        return shared;
    control_close(shared);
    return NULL;
}

void control_task_key(const struct control *control, char ret_key[CONTROL_TASK_KEY_SIZE])
{
    secret_task_key(&control->key, ret_key);
}

void control_close(struct control *control)
{
    if (!control)
        return;
    sqlite3_close(control->db);
    secret_key_done(&control->key);
    pthread_mutex_destroy(&control->lock);
    free(control->path);
    free(control);
}
