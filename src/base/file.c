#include "base/file.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last read goes past the end of what may be read, so that "exactly as large as allowed" and "larger"
 * can be told apart: into `over` when the buffer itself has no room left. */
static int read_to_end(int fd, const char *path, size_t max, struct buffer *buffer, struct error *err)
{
    size_t start = buffer->size;
    for (;;) {
        size_t room = buffer->max - buffer->size;
        if (room > 64 * 1024)
            room = 64 * 1024;
        char over;
        if (room > 0 && !buffer_reserve(buffer, room))
            return error_set(err, ERROR_LIMIT, "%s is larger than the limit of %zu bytes", path, buffer->max);
        ssize_t got = room > 0 ? read(fd, buffer->data + buffer->size, buffer->capacity - buffer->size)
                               : read(fd, &over, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            return 0;
        if (room == 0)
            return error_set(err, ERROR_LIMIT, "%s is larger than the limit of %zu bytes", path, buffer->max);
        buffer->size += (size_t)got;
        if (buffer->size - start > max)
            return error_set(err, ERROR_LIMIT, "%s is larger than the limit of %zu bytes", path, max);
    }
}

int file_read(const char *path, size_t max, struct buffer *buffer, struct error *err)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    struct stat info;
    if (fstat(fd, &info) < 0)
        return error_errno(err, errno, "cannot stat %s", path);
    if (S_ISDIR(info.st_mode))
        return error_set(err, ERROR_INVALID, "%s is a folder, not a file", path);
    if (S_ISREG(info.st_mode) && (uint64_t)info.st_size > max)
        return error_set(err, ERROR_LIMIT, "%s has %lld bytes; the limit is %zu", path,
                         (long long)info.st_size, max);
    return read_to_end(fd, path, max, buffer, err);
}

int file_write_all(int fd, const void *bytes, size_t size, const char *name, struct error *err)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_errno(err, errno, "cannot write %s", name);
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

int file_sync_folder(const char *path, struct error *err)
{
    auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot open folder %s", path);
    if (fsync(fd) < 0)
        return error_errno(err, errno, "cannot sync folder %s", path);
    return 0;
}

int file_replace(const char *path, const void *bytes, size_t size, mode_t mode, struct error *err)
{
    char uuid[37];
    random_uuid(uuid);
    auto_free char *temporary = mem_printf("%s.%.8s.tmp", path, uuid);
    auto_close int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return error_errno(err, errno, "cannot create %s", temporary);
    int result = file_write_all(fd, bytes, size, temporary, err);
    if (result == 0 && fsync(fd) < 0)
        result = error_errno(err, errno, "cannot sync %s", temporary);
    if (result == 0 && rename(temporary, path) < 0)
        result = error_errno(err, errno, "cannot rename %s to %s", temporary, path);
    if (result < 0) {
        unlink(temporary);
        return -1;
    }
    auto_free char *folder = folder_of(path);
    return file_sync_folder(folder, err);
}

/* The entry of a new folder in the one above it. That one may be writable and not readable: then nobody can
 * sync it. */
static int sync_entry(char *path, struct error *err)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return file_sync_folder(".", err);
    char *end = slash == path ? slash + 1 : slash, ended = *end;
    *end = 0;
    int result = access(path, R_OK) == 0 ? file_sync_folder(path, err) : 0;
    *end = ended;
    return result;
}

int file_make_folders(const char *path, mode_t mode, struct error *err)
{
    auto_free char *copy = mem_strdup(path);
    for (char *at = copy + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char ended = *at;
        *at = 0;
        if (mkdir(copy, mode) == 0) {
            if (sync_entry(copy, err) < 0)
                return -1;
        } else if (errno != EEXIST) {
            return error_errno(err, errno, "cannot make folder %s", copy);
        }
        *at = ended;
        if (!ended)
            break;
    }
    struct stat info;
    if (stat(path, &info) < 0)
        return error_errno(err, errno, "cannot make folder %s", path);
    if (!S_ISDIR(info.st_mode))
        return error_set(err, ERROR_INVALID, "%s is there and is not a folder", path);
    return 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

int file_remove_tree(const char *path, struct error *err)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot remove %s", path);
    return 0;
}

char *file_resolve(const char *base_path, const char *relative)
{
    if (*relative == '/')
        return mem_strdup(relative);
    auto_free char *folder = folder_of(base_path);
    return strcmp(folder, ".") == 0 ? mem_strdup(relative) : mem_printf("%s/%s", folder, relative);
}

char *file_absolute(const char *path)
{
    auto_free char *working = *path == '/' ? NULL : getcwd(NULL, 0);
    auto_free char *whole =
        *path == '/' ? mem_strdup(path) : mem_printf("%s/%s", working ? working : "", path);
    char *out = mem_alloc(strlen(whole) + 2);
    size_t size = 0;
    for (const char *at = whole; *at;) {
        while (*at == '/')
            at++;
        size_t part = strcspn(at, "/");
        if (part == 2 && memcmp(at, "..", 2) == 0) {
            while (size > 0 && out[--size] != '/')
                ;
        } else if (part > 0 && !(part == 1 && *at == '.')) {
            out[size++] = '/';
            memcpy(out + size, at, part);
            size += part;
        }
        at += part;
    }
    if (size == 0)
        out[size++] = '/';
    out[size] = 0;
    return out;
}
