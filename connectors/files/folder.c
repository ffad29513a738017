#include "connectors/files/target.h"

#include "base/clock.h"
#include "base/file.h"
#include "connectors/files/storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of this machine. A file that is written lies beside its later place, as ".firth-<uuid>-<name>",
 * and is locked: so what a dead writer left is told from what is being written. */

enum { GET_MAX = 64 << 20 };
static const char HIDDEN[] = ".firth-";

struct folder {
    struct files_target target;
    char *path; /* without a slash at its end */
    int *locks;
    size_t count, capacity;
};

struct files_writing {
    struct folder *folder;
    char *hidden, *name; /* relative to the folder */
    int fd;
    struct buffer waiting;
};

static char *path_in(const struct folder *folder, const char *name)
{
    return mem_printf("%s/%s", folder->path, name);
}

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return mem_strndup(path, slash ? (size_t)(slash - path) : 0);
}

/* No step out of the folder, and no way through a link that leads out. */
static int check_name(const char *name, struct error *err)
{
    for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        size_t size = strcspn(at, "/");
        if (size == 0 || (size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.'))
            return error_set(err, ERROR_INVALID, "'%.200s' cannot be the path of a file below a folder",
                             name);
    }
    return 0;
}

static struct files_writing *folder_begin(struct files_target *target, const char *name, struct error *err)
{
    struct folder *folder = (struct folder *)target;
    char uuid[37];
    if (check_name(name, err) < 0)
        return NULL;
    auto_free char *path = path_in(folder, name);
    auto_free char *parent = parent_of(path);
    if (file_make_folders(parent, 0755, err) < 0)
        return NULL;
    random_uuid(uuid);
    const char *slash = strrchr(name, '/');
    struct files_writing *writing = mem_zalloc(sizeof *writing);
    writing->folder = folder;
    writing->name = mem_strdup(name);
    writing->hidden = mem_printf("%.*s%s%s-%s", slash ? (int)(slash - name) + 1 : 0, name, HIDDEN, uuid,
                                 slash ? slash + 1 : name);
    buffer_init(&writing->waiting, BUFFER_UNLIMITED);
    auto_free char *hidden = path_in(folder, writing->hidden);
    writing->fd = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (writing->fd >= 0 && flock(writing->fd, LOCK_EX | LOCK_NB) == 0)
        return writing;
    error_errno(err, errno, "cannot make %s", hidden);
    target->drop(writing);
    return NULL;
}

static int flush(struct files_writing *writing, struct error *err)
{
    int result =
        file_write_all(writing->fd, writing->waiting.data, writing->waiting.size, writing->hidden, err);
    buffer_clear(&writing->waiting);
    return result;
}

static int folder_write(struct files_writing *writing, struct slice bytes, struct error *err)
{
    enum { PIECE = 256 << 10 };
    buffer_append(&writing->waiting, bytes.data, bytes.size);
    return writing->waiting.size < PIECE ? 0 : flush(writing, err);
}

static void end(struct files_writing *writing)
{
    if (writing->fd >= 0)
        close(writing->fd);
    buffer_done(&writing->waiting);
    free(writing->hidden);
    free(writing->name);
    free(writing);
}

static void folder_drop(struct files_writing *writing)
{
    if (!writing)
        return;
    auto_free char *hidden = path_in(writing->folder, writing->hidden);
    if (writing->fd >= 0)
        unlink(hidden);
    end(writing);
}

/* "<hidden>\n<name>" would do, but a name may have a line break: so the length of the first comes before. */
static int folder_seal(struct files_writing *writing, struct buffer *out, struct error *err)
{
    auto_free char *hidden = path_in(writing->folder, writing->hidden);
    auto_free char *parent = parent_of(hidden);
    int result = flush(writing, err);
    if (result == 0 && fsync(writing->fd) < 0)
        result = error_errno(err, errno, "cannot sync %s", hidden);
    if (result == 0)
        result = file_sync_folder(parent, err);
    if (result < 0) {
        folder_drop(writing);
        return -1;
    }
    buffer_printf(out, "%zu:%s%s", strlen(writing->hidden), writing->hidden, writing->name);
    end(writing);
    return 0;
}

static int take_apart(struct slice sealed, char **ret_hidden, char **ret_name, struct error *err)
{
    auto_free char *text = mem_strndup(sealed.data, sealed.size);
    char *colon = NULL;
    size_t size = strtoul(text, &colon, 10);
    if (*colon != ':' || strlen(colon + 1) <= size)
        return error_set(err, ERROR_CORRUPT, "'%.100s' is not how this connector notes a file", text);
    *ret_hidden = mem_strndup(colon + 1, size);
    *ret_name = mem_strdup(colon + 1 + size);
    return check_name(*ret_hidden, err) < 0 || check_name(*ret_name, err) < 0 ? -1 : 0;
}

static int folder_publish(struct files_target *target, struct slice sealed, bool again, struct error *err)
{
    const struct folder *folder = (struct folder *)target;
    auto_free char *hidden = NULL, *name = NULL;
    if (take_apart(sealed, &hidden, &name, err) < 0)
        return -1;
    auto_free char *from = path_in(folder, hidden), *to = path_in(folder, name), *parent = parent_of(to);
    int result = rename(from, to);
    if (result < 0 && errno == ENOENT && again)
        return 0; /* it was published before; what has become of it since is not ours to say */
    if (result < 0)
        return error_errno(err, errno, "cannot rename %s to %s", from, to);
    return file_sync_folder(parent, err);
}

static int folder_abandon(struct files_target *target, struct slice sealed, struct error *err)
{
    const struct folder *folder = (struct folder *)target;
    auto_free char *hidden = NULL, *name = NULL;
    if (take_apart(sealed, &hidden, &name, err) < 0)
        return -1;
    auto_free char *path = path_in(folder, hidden);
    return unlink(path) < 0 && errno != ENOENT ? error_errno(err, errno, "cannot remove %s", path) : 0;
}

static int folder_get(struct files_target *target, const char *name, struct buffer *out, struct error *err)
{
    auto_free char *path = path_in((struct folder *)target, name);
    if (!file_exists(path))
        return 0;
    return file_read(path, GET_MAX, out, err) < 0 ? -1 : 1;
}

static int folder_put(struct files_target *target, const char *name, struct slice bytes, struct error *err)
{
    auto_free char *path = path_in((struct folder *)target, name);
    return file_replace(path, bytes.data, bytes.size, 0644, err);
}

static int folder_remove(struct files_target *target, const char *name, struct error *err)
{
    auto_free char *path = path_in((struct folder *)target, name);
    return unlink(path) < 0 && errno != ENOENT ? error_errno(err, errno, "cannot remove %s", path) : 0;
}

/* Who asks has the lock, so that what is half put (file_replace) was left by one that died. */
static int folder_own(struct files_target *target, const char *prefix,
                      int (*found)(void *context, const char *name, struct error *err), void *context,
                      struct error *err)
{
    const struct folder *folder = (struct folder *)target;
    DIR *dir = opendir(folder->path);
    int result = dir ? 0 : error_errno(err, errno, "cannot list %s", folder->path);
    for (struct dirent *entry; dir && result == 0 && (entry = readdir(dir));) {
        if (!string_starts_with(entry->d_name, prefix))
            continue;
        if (string_ends_with(entry->d_name, ".tmp"))
            unlinkat(dirfd(dir), entry->d_name, 0);
        else
            result = found(context, entry->d_name, err);
    }
    if (dir)
        closedir(dir);
    return result;
}

static int folder_list(struct files_target *target, const char *prefix,
                       int (*found)(void *context, const char *name, struct error *err), void *context,
                       struct error *err)
{
    const struct folder *folder = (struct folder *)target;
    auto_free char *whole = path_in(folder, prefix);
    mem_auto(files_storage_close) struct files_storage *storage = files_local_new();
    mem_auto(files_listing_close) struct files_listing *listing = storage->list(storage, whole, "", err);
    struct files_object object;
    int got = listing ? 1 : -1;
    while (got > 0 && (got = listing->next(listing, &object, err)) > 0) {
        if (found(context, object.name + strlen(folder->path) + 1, err) < 0)
            return -1;
    }
    return got;
}

/* Files of a writer that lives are locked. */
static int tidy_in(const char *path, const char *mark, unsigned depth, struct error *err)
{
    enum { DEPTH_MAX = 32 };
    DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;
    int result = 0;
    for (struct dirent *entry; dir && result == 0 && (entry = readdir(dir));) {
        auto_free char *inner = mem_printf("%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            result = tidy_in(inner, mark, depth + 1, err);
        if (entry->d_type != DT_REG || strncmp(entry->d_name, HIDDEN, sizeof HIDDEN - 1) != 0 ||
            !strstr(entry->d_name, mark))
            continue;
        auto_close int fd = open(inner, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && unlink(inner) < 0 && errno != ENOENT)
            result = error_errno(err, errno, "cannot remove %s, which an interrupted write left", inner);
    }
    if (dir)
        closedir(dir);
    return result;
}

static int folder_tidy(struct files_target *target, const char *prefix, const char *mark,
                       int (*sure)(void *context, struct error *err), void *context, struct error *err)
{
    (void)sure, (void)context; /* the locks are */
    auto_free char *whole = path_in((struct folder *)target, prefix);
    auto_free char *parent = parent_of(whole);
    return tidy_in(parent, mark, 0, err);
}

static int folder_lock(struct files_target *target, const char *name, struct error *err)
{
    struct folder *folder = (struct folder *)target;
    auto_free char *path = path_in(folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    folder->locks = mem_grow(folder->locks, &folder->capacity, folder->count + 1, sizeof *folder->locks);
    folder->locks[folder->count++] = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return error_set(err, ERROR_BUSY, "another sync, or another session of the task, is writing to %s",
                     folder->path);
}

static void folder_close(struct files_target *target)
{
    struct folder *folder = (struct folder *)target;
    while (folder->count)
        close(folder->locks[--folder->count]);
    free(folder->locks);
    free(folder->path);
    free(folder);
}

struct files_target *files_folder_open(const char *path, struct error *err)
{
    if (file_make_folders(path, 0755, err) < 0)
        return NULL;
    struct folder *folder = mem_zalloc(sizeof *folder);
    folder->target = (struct files_target){
        folder_begin, folder_write,  folder_seal, folder_drop, folder_publish, folder_abandon, folder_get,
        folder_put,   folder_remove, folder_own,  folder_list, folder_tidy,    folder_lock,    folder_close};
    folder->path = mem_strdup(path);
    return &folder->target;
}
