#include "db.h"

#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Opening a file. One process has it at a time, so who comes second waits. */

enum {
    LOOK_MS = 200,       /* while we wait */
    SILENT_MS = 1000,    /* who only has a look at it is no news */
    TOLD_MS = 60 * 1000, /* the log says it again after so long */
    HEADERS = 3 * 4096,  /* what DuckDB begins a file with: without these nothing is in it */
    MAGIC_AT = 8,
    MAGIC_SIZE = 4,
};

/* --- what is no database yet ---------------------------------------------------------------------------- */

static bool is_begun(int fd)
{
    char magic[MAGIC_SIZE];
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size >= HEADERS)
        return false;
    return status.st_size == 0 || (pread(fd, magic, sizeof magic, MAGIC_AT) == sizeof magic &&
                                   memcmp(magic, "DUCK", sizeof magic) == 0);
}

/* What a full disk leaves of a file that was to be made is empty, or a part of its headers, and DuckDB does
 * not open it. Another process may be about to fill it: then it has DuckDB's lock. */
static void remove_begun(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    auto_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && is_begun(fd) && fcntl(fd, F_OFD_SETLK, &lock) == 0 && is_begun(fd))
        unlink(path);
}

/* --- waiting for who has it ----------------------------------------------------------------------------- */

/* Has another process the file, in whatever way? *ret_pid: which, 0 if that cannot be told. */
static bool is_held(const char *path, pid_t *ret_pid)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    *ret_pid = held && lock.l_pid > 0 ? lock.l_pid : 0;
    close(fd);
    return held;
}

static void tell(struct firth_host *host, const char *path, pid_t pid)
{
    char place[64];
    struct buffer name;
    struct error ignored;
    if (!pid) {
        firth_log(host, FIRTH_WARN, "waiting for %.300s, which another program has open", path);
        return;
    }
    snprintf(place, sizeof place, "/proc/%d/comm", (int)pid);
    buffer_init(&name, 256);
    if (file_read(place, 256, &name, &ignored) < 0)
        buffer_clear(&name);
    struct slice who = {name.data, name.size && name.data[name.size - 1] == '\n' ? name.size - 1 : name.size};
    firth_log(host, FIRTH_WARN, "waiting for %.300s, which process %d%s%.*s%s has open", path, (int)pid,
              who.size ? " (" : "", SLICE_ARGS(who), who.size ? ")" : "");
    buffer_done(&name);
}

static uint64_t now_ms(void)
{
    return clock_monotonic_ns(&clock_system) / (1000 * 1000);
}

struct wait {
    uint64_t begun_ms, until_ms;
    uint64_t told_ms; /* 0: not yet */
};

/* Is it time to say for whom we wait? */
static bool is_due(const struct wait *wait, uint64_t now)
{
    return wait->told_ms ? now - wait->told_ms >= TOLD_MS : now - wait->begun_ms >= SILENT_MS;
}

/* Until nobody has it, or the time is over. */
static int wait_for_file(const struct sql_db *db, struct wait *wait, struct error *err)
{
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000L * 1000L};
    pid_t pid;
    for (uint64_t now; (now = now_ms()) < wait->until_ms && is_held(db->path, &pid); nanosleep(&look, NULL)) {
        if (firth_stopping(db->host))
            return error_set(err, ERROR_CANCELLED, "asked to stop while it waited for %.300s", db->path);
        if (is_due(wait, now)) {
            tell(db->host, db->path, pid);
            wait->told_ms = now;
        }
    }
    return 0;
}

/* --- opening -------------------------------------------------------------------------------------------- */

/* Nothing is fetched from anywhere; times are UTC's. Rows are appended in their order, by one thread: with
 * more, the loader's would spin while another has the work. */
static int set_up(struct sql_db *db, struct error *err)
{
    if (duckdb_add_functions(db, err) < 0)
        return -1;
    return duckdb_dialect.execute(
        db,
        "SET TimeZone = 'UTC'; SET preserve_insertion_order = true; SET threads = 1; SET "
        "write_buffer_row_group_count = 1",
        NULL, err);
}

int duckdb_db_use_threads(struct sql_db *db, struct error *err)
{
    if (db->uses_threads)
        return 0;
    db->uses_threads = true;
    return duckdb_dialect.execute(db, "RESET threads", NULL, err);
}

static int open_now(struct sql_db *db, struct error *err)
{
    duckdb_config config = NULL;
    char *message = NULL;
    remove_begun(db->path);
    if (duckdb_create_config(&config) == DuckDBSuccess) {
        duckdb_set_config(config, "autoinstall_known_extensions", "false");
        duckdb_set_config(config, "autoload_known_extensions", "false");
        duckdb_set_config(config, "custom_user_agent", "firth");
    }
    bool open = duckdb_open_ext(db->path, &db->database, config, &message) == DuckDBSuccess &&
                duckdb_connect(db->database, &db->connection) == DuckDBSuccess;
    duckdb_destroy_config(&config);
    int result = open ? set_up(db, err) : duckdb_db_error(db, message ? message : "cannot be opened", err);
    duckdb_free(message);
    if (result < 0)
        duckdb_db_release(db);
    return result;
}

int duckdb_db_take(struct sql_db *db, struct error *err)
{
    if (db->connection)
        return 0;
    struct wait wait = {.begun_ms = now_ms()};
    wait.until_ms = wait.begun_ms + (uint64_t)db->wait_seconds * 1000;
    for (;;) {
        if (wait_for_file(db, &wait, err) < 0)
            return -1;
        if (open_now(db, err) == 0)
            return 0;
        if (err->code != ERROR_BUSY || now_ms() >= wait.until_ms) /* else somebody was quicker */
            return -1;
    }
}

void duckdb_db_release(struct sql_db *db)
{
    loader_drain(db->loader);
    if (db->connection)
        duckdb_disconnect(&db->connection);
    if (db->database)
        duckdb_close(&db->database);
    db->uses_threads = false;
}

struct sql_db *duckdb_db_open(struct firth_host *host, const char *path, int64_t wait_seconds,
                              struct error *err)
{
    struct sql_db *db = mem_zalloc(sizeof *db);
    db->host = host;
    db->wait_seconds = wait_seconds;
    db->path = mem_strdup(path);
    db->loader = loader_new();
    if (duckdb_db_take(db, err) == 0)
        return db;
    duckdb_dialect.close(db);
    return NULL;
}
