#include "store/local/disk.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_PARTS_MAX = 10 };

static int system_open(void *context, const char *path, int flags)
{
    int mode = O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | (flags & DISK_WRITE ? O_RDWR : O_RDONLY);
    if (flags & DISK_CREATE)
        mode |= O_CREAT;
    if (flags & DISK_EXCLUSIVE)
        mode |= O_EXCL;
    if (flags & DISK_EMPTY)
        mode |= O_TRUNC;
    for (;;) {
        int file = open(path, mode, 0640);
        if (file >= 0 || errno != EINTR)
            return file >= 0 ? file : -errno;
    }
}

static void system_close(void *context, int file)
{
    close(file);
}

static ssize_t system_read(void *context, int file, void *bytes, size_t size, uint64_t offset)
{
    size_t got = 0;
    while (got < size) {
        ssize_t more = pread(file, (char *)bytes + got, size - got, (off_t)(offset + got));
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return -errno;
        if (more == 0)
            break;
        got += (size_t)more;
    }
    return (ssize_t)got;
}

/* O_DIRECT, where the file system has it. */
static void system_go_around(void *context, int file, bool around)
{
    int flags = fcntl(file, F_GETFL);
    if (flags >= 0)
        fcntl(file, F_SETFL, around ? flags | O_DIRECT : flags & ~O_DIRECT);
}

/* Some file systems take the flag and refuse the write, or want larger pages. Was it set? */
static bool stop_going_around(int file)
{
    int flags = fcntl(file, F_GETFL);
    return flags >= 0 && (flags & O_DIRECT) && fcntl(file, F_SETFL, flags & ~O_DIRECT) == 0;
}

static int system_write(void *context, int file, const struct iovec *parts, int count, uint64_t offset)
{
    struct iovec left[WRITE_PARTS_MAX];
    if (count > WRITE_PARTS_MAX)
        return -EINVAL;
    memcpy(left, parts, (size_t)count * sizeof *left);
    struct iovec *at = left;
    while (count > 0) {
        ssize_t written = at->iov_len == 0 ? 0 : pwritev(file, at, count, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EINVAL && stop_going_around(file))
            continue;
        if (written < 0)
            return -errno;
        offset += (uint64_t)written;
        while (count > 0 && (size_t)written >= at->iov_len) {
            written -= (ssize_t)at->iov_len;
            at++, count--;
        }
        if (count > 0) {
            at->iov_base = (char *)at->iov_base + written;
            at->iov_len -= (size_t)written;
        }
    }
    return 0;
}

static int system_size(void *context, int file, uint64_t *ret_size)
{
    struct stat info;
    if (fstat(file, &info) < 0)
        return -errno;
    *ret_size = (uint64_t)info.st_size;
    return 0;
}

static int system_linked(void *context, int file)
{
    struct stat info;
    return fstat(file, &info) < 0 ? -errno : info.st_nlink > 0;
}

static int system_truncate(void *context, int file, uint64_t size)
{
    int result;
    do
        result = ftruncate(file, (off_t)size);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

static void system_start_sync(void *context, int file, uint64_t offset, uint64_t size)
{
    sync_file_range(file, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
}

/* Not repeated on any error, EINTR included: a second sync may succeed without the pages of the first. */
static int system_sync(void *context, int file)
{
    return fdatasync(file) < 0 ? -errno : 0;
}

static int system_sync_folder(void *context, const char *path)
{
    auto_close int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    return fsync(folder) < 0 ? -errno : 0;
}

static int system_make_folder(void *context, const char *path)
{
    return mkdir(path, 0750) < 0 ? -errno : 0;
}

static int system_rename(void *context, const char *from, const char *to)
{
    return rename(from, to) < 0 ? -errno : 0;
}

static int system_unlink(void *context, const char *path)
{
    return unlink(path) < 0 ? -errno : 0;
}

static int system_stat_size(void *context, const char *path, uint64_t *ret_size)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return -errno;
    *ret_size = (uint64_t)info.st_size;
    return 0;
}

static int system_list(void *context, const char *path, void (*each)(void *argument, const char *name),
                       void *argument)
{
    DIR *folder = opendir(path);
    if (!folder)
        return -errno;
    struct dirent *entry;
    while ((errno = 0, entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(argument, entry->d_name);
    }
    int result = -errno;
    closedir(folder);
    return result;
}

/* Open file description locks: a second open of the same file conflicts, also in the same process, and
 * closing another descriptor of the file does not drop them. */
static int system_lock(void *context, int file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(file, F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

static int system_locked(void *context, int file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(file, F_OFD_GETLK, &lock) < 0)
        return -errno;
    return lock.l_type != F_UNLCK;
}

static int system_watch_open(void *context)
{
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return watch < 0 ? -errno : watch;
}

static int system_watch_add(void *context, int watch, const char *path)
{
    return inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE) < 0 ? -errno : 0;
}

const struct disk disk_system = {
    .open = system_open,
    .close = system_close,
    .read = system_read,
    .write = system_write,
    .size = system_size,
    .linked = system_linked,
    .truncate = system_truncate,
    .go_around = system_go_around,
    .start_sync = system_start_sync,
    .sync = system_sync,
    .sync_folder = system_sync_folder,
    .make_folder = system_make_folder,
    .rename = system_rename,
    .unlink = system_unlink,
    .stat_size = system_stat_size,
    .list = system_list,
    .lock = system_lock,
    .locked = system_locked,
    .watch_open = system_watch_open,
    .watch_add = system_watch_add,
};

int disk_error(struct error *err, int negated_errno, const char *format, ...)
{
    char what[ERROR_MESSAGE_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (negated_errno == -ENOSPC || negated_errno == -EDQUOT) {
        error_set(
            err, ERROR_IO,
            "%s: the disk is full; what was committed before is safe, and the next try goes on from there "
            "once some space is free",
            what);
        return -1;
    }
    return error_errno(err, -negated_errno, "%s", what);
}
