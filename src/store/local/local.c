/* A data directory: open, version, paths, locks, listing of names. */
#include "store/local/local.h"

#include "store/local/path.h"
#include "store/local/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { STORE_VERSION = 2, VERSION_FILE_MAX = 64, LOCK_NOTE_MAX = 512 };
/* How long a lock whose holder has died is waited for, and how often it is looked at. */
enum { LOCK_PATIENCE_MS = 2000, LOCK_LOOK_MS = 20 };

static int check_path(struct buffer *path, const char *what, struct error *err)
{
    if (!path->overflowed)
        return 0;
    buffer_done(path);
    return error_set(
        err, ERROR_LIMIT,
        "the path of %s would be longer than %d bytes; shorter names or a shorter data directory would do",
        what, PATH_WHOLE_MAX);
}

static char *folder_of(const struct local_store *store, const char *kind, const char *name,
                       const char *second, struct error *err)
{
    struct buffer path;
    buffer_init(&path, PATH_WHOLE_MAX);
    buffer_str(&path, store->folder);
    buffer_str(&path, kind);
    path_append_name(&path, name);
    if (second)
        path_append_name(&path, second);
    return check_path(&path, name, err) < 0 ? NULL : buffer_steal(&path);
}

char *local_task_folder(const struct local_store *store, const char *task, struct error *err)
{
    return folder_of(store, "/tasks", task, NULL, err);
}

char *local_collection_folder(const struct local_store *store, const char *collection, struct error *err)
{
    return folder_of(store, "/collections", collection, NULL, err);
}

char *local_journal_folder(const struct local_store *store, const char *collection, const char *task,
                           struct error *err)
{
    return folder_of(store, "/collections", collection, task, err);
}

char *local_log_path(const char *task_folder, uint64_t generation)
{
    return mem_printf("%s/commits-%016" PRIx64, task_folder, generation);
}

char *local_segment_path(const char *journal_folder, uint64_t base)
{
    return mem_printf("%s/%016" PRIx64 ".seg", journal_folder, base);
}

char *local_drop_marker(const char *task_folder)
{
    return mem_printf("%s/dropping", task_folder);
}

/* Exactly 16 lower-case hex digits. */
static bool parse_hex16(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (int i = 0; i < 16; i++) {
        char digit = text[i];
        if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f')))
            return false;
        value = value << 4 | (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    *ret_value = value;
    return true;
}

bool local_parse_log_name(const char *name, uint64_t *ret_generation)
{
    return strlen(name) == 24 && memcmp(name, "commits-", 8) == 0 && parse_hex16(name + 8, ret_generation);
}

bool local_parse_segment_name(const char *name, uint64_t *ret_base)
{
    return strlen(name) == 20 && memcmp(name + 16, ".seg", 4) == 0 && parse_hex16(name, ret_base);
}

/* mkdir -p with every new entry durable. An entry that is there may have been made by a process that died
 * before its sync, so parents are synced all the same. */
static int make_folders(const struct disk *disk, const char *folder, size_t below, struct error *err)
{
    auto_free char *path = mem_strdup(folder);
    auto_free char *parent = mem_strdup(folder);
    size_t size = strlen(path);
    for (size_t i = below + 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        char ended = path[i];
        path[i] = 0;
        int result = disk->make_folder(disk->context, path);
        bool made = result == 0;
        if (result == -EEXIST)
            result = 0;
        char *slash = strrchr(path, '/');
        size_t length = slash ? (size_t)(slash - path) : 0;
        memcpy(parent, path, length);
        memcpy(parent + length, length == 0 ? (slash ? "/" : ".") : "", length == 0 ? 2 : 1);
        /* Above the data directory somebody else's folders begin, which we may not even read. */
        int synced =
            result == 0 && (made || below > 0 || i == size) ? disk->sync_folder(disk->context, parent) : 0;
        if (made || below > 0)
            result = result < 0 ? result : synced;
        if (result < 0)
            return disk_error(err, result, "cannot make the folder %s", path);
        path[i] = ended;
    }
    return 0;
}

int local_make_folders(const struct local_store *store, const char *folder, struct error *err)
{
    return make_folders(store->disk, folder, strlen(store->folder), err);
}

/* --- opening ------------------------------------------------------------------------------------- */

/* 1 and the text; 0: no such file. */
static int read_small(const struct disk *disk, const char *path, char *text, size_t size, struct error *err)
{
    int file = disk->open(disk->context, path, DISK_READ);
    if (file == -ENOENT)
        return 0;
    if (file < 0)
        return disk_error(err, file, "cannot open %s", path);
    ssize_t got = disk->read(disk->context, file, text, size - 1, 0);
    disk->close(disk->context, file);
    if (got < 0)
        return disk_error(err, (int)got, "cannot read %s", path);
    text[got] = 0;
    return 1;
}

/* 1: an older version, which we know; 0: ours. */
static int check_version(const char *path, char *text, struct error *err)
{
    static const char prefix[] = "firth-store ";
    uint64_t version;
    size_t size = strlen(text);
    if (size > 0 && text[size - 1] == '\n')
        text[size - 1] = 0;
    if (!string_starts_with(text, prefix) || !string_to_u64(text + sizeof prefix - 1, UINT32_MAX, &version) ||
        version == 0)
        return error_set(err, ERROR_CORRUPT,
                         "%s does not say which version the store has (expected \"%s%d\")", path, prefix,
                         STORE_VERSION);
    if (version > STORE_VERSION)
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s says that the store has version %" PRIu64
                         ", this program knows up to version %d: use a newer firth",
                         path, version, STORE_VERSION);
    return version < STORE_VERSION;
}

struct contents {
    bool store;       /* folders that only a store makes */
    char foreign[64]; /* the name of something that is none of ours, for the message */
};

static void seen(void *argument, const char *name)
{
    struct contents *contents = argument;
    if (strcmp(name, "collections") == 0 || strcmp(name, "tasks") == 0)
        contents->store = true;
    else if (!string_starts_with(name, "VERSION.tmp.") && strcmp(name, "lost+found") != 0)
        /* The first is what make_store leaves when it dies, the second what an empty file system holds. */
        snprintf(contents->foreign, sizeof contents->foreign, "%s", name);
}

/* A folder without VERSION may become a data directory only if it is empty. The same answer for those who
 * would write and those who would read. */
static int check_empty(const struct local_store *store, struct error *err)
{
    struct contents contents = {0};
    int result = store->disk->list(store->disk->context, store->folder, seen, &contents);
    if (result == -ENOENT)
        return 0;
    if (result < 0)
        return disk_error(err, result, "cannot list %s", store->folder);
    if (contents.store)
        return error_set(
            err, ERROR_CORRUPT,
            "%s holds a store, but its VERSION file is missing: put back a file VERSION with the line "
            "\"firth-store %d\", or the whole folder from a backup",
            store->folder, STORE_VERSION);
    if (*contents.foreign)
        return error_set(
            err, ERROR_INVALID,
            "%s is not a data directory of firth: it has no VERSION file, and it is not empty (it "
            "holds %s): name a data directory, or a folder that is new or empty",
            store->folder, contents.foreign);
    return 0;
}

static int write_version(struct local_store *store, const char *version_path, struct error *err)
{
    const struct disk *disk = store->disk;
    auto_free char *temporary = mem_printf("%s.tmp.%d", version_path, (int)getpid());
    char text[VERSION_FILE_MAX];
    int size = snprintf(text, sizeof text, "firth-store %d\n", STORE_VERSION);
    int file = disk->open(disk->context, temporary, DISK_WRITE | DISK_CREATE | DISK_EMPTY);
    if (file < 0)
        return disk_error(err, file, "cannot make %s", temporary);
    int result = disk_write_one(disk, file, text, (size_t)size, 0);
    if (result == 0)
        result = disk->sync(disk->context, file);
    disk->close(disk->context, file);
    if (result == 0)
        result = disk->rename(disk->context, temporary, version_path);
    if (result == 0)
        result = disk->sync_folder(disk->context, store->folder);
    if (result < 0) {
        disk->unlink(disk->context, temporary);
        return disk_error(err, result, "cannot write %s", version_path);
    }
    return 0;
}

static int open_version(struct local_store *store, struct error *err)
{
    auto_free char *path = mem_printf("%s/VERSION", store->folder);
    char text[VERSION_FILE_MAX];
    int found = read_small(store->disk, path, text, sizeof text, err);
    if (found < 0)
        return -1;
    if (found) {
        /* What this version writes an older one would misread: it is to be told before it is written. */
        int older = check_version(path, text, err);
        return older > 0 && !store->read_only ? write_version(store, path, err) : older < 0 ? -1 : 0;
    }
    if (check_empty(store, err) < 0)
        return -1;
    if (store->read_only)
        return error_set(err, ERROR_NOT_FOUND, "%s is not a data directory of firth: it has no VERSION file",
                         store->folder);
    return make_folders(store->disk, store->folder, 0, err) < 0 ? -1 : write_version(store, path, err);
}

static void local_close(struct store *base)
{
    struct local_store *store = local_store_of(base);
    free(store->folder);
    free(store);
}

static struct store *local_open(const char *place, const struct store_options *options, struct error *err)
{
    size_t size = strlen(place);
    if (size == 0 || size > PATH_WHOLE_MAX / 2) {
        error_set(err, ERROR_INVALID, "the path of the data directory has %zu bytes; 1 to %d are possible",
                  size, PATH_WHOLE_MAX / 2);
        return NULL;
    }
    struct local_store *store = mem_zalloc(sizeof *store);
    store->base.engine = &store_engine_local;
    store->disk = options->disk ? options->disk : &disk_system;
    store->clock = options->clock ? options->clock : &clock_system;
    store->read_only = options->read_only;
    store->log_bytes = options->log_bytes;
    while (size > 1 && place[size - 1] == '/')
        size--;
    store->folder = mem_strndup(place, size);
    if (open_version(store, err) < 0) {
        local_close(&store->base);
        return NULL;
    }
    return &store->base;
}

/* --- locks --------------------------------------------------------------------------------------- */

static void read_note(const struct local_store *store, int file, char note[LOCK_NOTE_MAX])
{
    ssize_t got = store->disk->read(store->disk->context, file, note, LOCK_NOTE_MAX - 1, 0);
    note[got > 0 ? got : 0] = 0;
    note[strcspn(note, "\n")] = 0;
}

static bool holder_died(const struct local_store *store, int file)
{
    char note[LOCK_NOTE_MAX];
    int pid;
    read_note(store, file, note);
    return sscanf(note, "process %d ", &pid) == 1 && pid > 0 && kill(pid, 0) < 0 && errno == ESRCH;
}

/* A process that was killed while it started another leaves its descriptors, the lock's among them, to that
 * one until its exec: who is started again at once would meet a lock that nobody holds. */
static int lock_patiently(const struct local_store *store, int file)
{
    const struct disk *disk = store->disk;
    int result = disk->lock(disk->context, file);
    for (int waited = 0; result == -EAGAIN && waited < LOCK_PATIENCE_MS && holder_died(store, file);
         waited += LOCK_LOOK_MS) {
        poll(NULL, 0, LOCK_LOOK_MS);
        result = disk->lock(disk->context, file);
    }
    return result;
}

static int busy(const struct local_store *store, int file, const char *what, struct error *err)
{
    char note[LOCK_NOTE_MAX];
    read_note(store, file, note);
    return error_set(err, ERROR_BUSY, "%s is in use by %s", what, *note ? note : "another process");
}

int local_lock(const struct local_store *store, const char *path, const char *what, const char *who,
               int *ret_file, struct error *err)
{
    const struct disk *disk = store->disk;
    int file = disk->open(disk->context, path, DISK_WRITE | DISK_CREATE);
    if (file < 0)
        return disk_error(err, file, "cannot open the lock %s", path);
    int result = lock_patiently(store, file);
    if (result == -EAGAIN)
        busy(store, file, what, err);
    else if (result < 0)
        disk_error(err, result, "cannot lock %s", path);
    if (result < 0) {
        disk->close(disk->context, file);
        return -1;
    }
    /* The note is for people: that it cannot be left is no reason to fail. */
    char note[LOCK_NOTE_MAX], since[32];
    clock_format_rfc3339(clock_wall_ms(store->clock), since, sizeof since);
    int size = snprintf(note, sizeof note, "process %d (%.300s), since %s\n", (int)getpid(), who, since);
    if (disk->truncate(disk->context, file, 0) == 0)
        disk_write_one(disk, file, note, (size_t)size < sizeof note ? (size_t)size : sizeof note - 1, 0);
    *ret_file = file;
    return 0;
}

struct local_lock {
    struct store_lock base;
    const struct disk *disk;
    int file;
};

static struct store_lock *local_lock_acquire(struct store *base, const char *who, struct error *err)
{
    struct local_store *store = local_store_of(base);
    auto_free char *path = mem_printf("%s/lock", store->folder);
    auto_free char *what = mem_printf("the data directory %s", store->folder);
    int file;
    if (local_lock(store, path, what, who, &file, err) < 0)
        return NULL;
    struct local_lock *lock = mem_zalloc(sizeof *lock);
    *lock = (struct local_lock){.base = {&store_engine_local}, .disk = store->disk, .file = file};
    return &lock->base;
}

static void local_lock_release(struct store_lock *base)
{
    struct local_lock *lock = (struct local_lock *)base;
    lock->disk->close(lock->disk->context, lock->file);
    free(lock);
}

const struct store_engine store_engine_local = {
    .name = "local",
    .open = local_open,
    .close = local_close,
    .lock_acquire = local_lock_acquire,
    .lock_release = local_lock_release,
    .writer_open = local_writer_open,
    .writer_close = local_writer_close,
    .writer_journal = local_writer_journal,
    .append = local_append,
    .commit = local_commit,
    .writer_pending = local_writer_pending,
    .truncate = local_truncate,
    .checkpoint_get = local_checkpoint_get,
    .reader_open = local_reader_open,
    .reader_close = local_reader_close,
    .reader_seek = local_reader_seek,
    .reader_next = local_reader_next,
    .reader_left_out = local_reader_left_out,
    .reader_notice = local_reader_notice,
    .reader_fd = local_reader_fd,
    .reader_woken = local_reader_woken,
    .drop_task = local_drop_task,
    .mark = local_mark,
    .list = local_list,
    .list_tasks = local_list_tasks,
};
