#include "staged.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_SIZE = 256 << 10, FILE_MODE = 0644 };

static const char prefix[] = "._airbyte_raw_", partial_suffix[] = ".partial", staged_suffix[] = ".staged";

/* --- locks ----------------------------------------------------------------------------------------- */

static void lock_folder(int folder_fd)
{
    while (flock(folder_fd, LOCK_EX) < 0 && errno == EINTR)
        ;
}

static void unlock_folder(int folder_fd)
{
    flock(folder_fd, LOCK_UN);
}

static bool is_lock_taken(int fd)
{
    int result;
    do
        result = flock(fd, LOCK_EX | LOCK_NB);
    while (result < 0 && errno == EINTR);
    return result < 0;
}

/* --- recovery ----------------------------------------------------------------------------------------- */

/* "._airbyte_raw_users.jsonl.1200.staged" to "_airbyte_raw_users.jsonl" (heap) and 1200. */
static char *parse_staged_name(const char *name, uint64_t *ret_size)
{
    auto_free char *body = mem_strndup(name + 1, strlen(name) - 1 - (sizeof staged_suffix - 1));
    char *dot = strrchr(body, '.');
    if (!dot || !string_to_u64(dot + 1, INT64_MAX, ret_size))
        return NULL;
    return mem_strndup(body, (size_t)(dot - body));
}

static int recover_staged(const char *folder, int folder_fd, const char *name, int fd, struct error *err)
{
    uint64_t size;
    struct stat info;
    auto_free char *file = parse_staged_name(name, &size);
    if (!file)
        return 0; /* not a name of ours */
    if (fstat(fd, &info) < 0)
        return error_errno(err, errno, "cannot stat %s/%s", folder, name);
    if ((uint64_t)info.st_size < size)
        return error_set(err, ERROR_CORRUPT,
                         "%s/%s has %lld bytes, but %llu were confirmed: the disk lost data; save what is of "
                         "use and remove the file",
                         folder, name, (long long)info.st_size, (unsigned long long)size);
    if (ftruncate(fd, (off_t)size) < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "cannot cut %s/%s to what was confirmed", folder, name);
    fault_point("local-json.recover.before-rename");
    if (renameat(folder_fd, name, folder_fd, file) < 0)
        return error_errno(err, errno, "cannot rename %s/%s to %s", folder, name, file);
    return 0;
}

static int recover_one(const char *folder, int folder_fd, const char *name, struct error *err)
{
    struct stat here, there;
    bool partial = string_ends_with(name, partial_suffix);
    if (!string_starts_with(name, prefix) || (!partial && !string_ends_with(name, staged_suffix)))
        return 0;
    auto_close int fd = openat(folder_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s/%s, which an interrupted sync left", folder, name);
    if (is_lock_taken(fd))
        return 0;
    /* Its writer may have published it between our opening and locking it. */
    if (fstat(fd, &here) < 0 || fstatat(folder_fd, name, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
        here.st_ino != there.st_ino || !S_ISREG(here.st_mode))
        return 0;
    if (!partial)
        return recover_staged(folder, folder_fd, name, fd, err);
    if (unlinkat(folder_fd, name, 0) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot remove %s/%s, which an interrupted sync left", folder, name);
    return 0;
}

int staged_recover(const char *folder, int folder_fd, struct error *err)
{
    DIR *entries = opendir(folder);
    if (!entries)
        return error_errno(err, errno, "cannot list %s", folder);
    lock_folder(folder_fd);
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (entry = readdir(entries)))
        result = recover_one(folder, folder_fd, entry->d_name, err);
    unlock_folder(folder_fd);
    closedir(entries);
    if (result == 0 && fsync(folder_fd) < 0)
        result = error_errno(err, errno, "cannot sync folder %s", folder);
    return result;
}

/* --- opening ---------------------------------------------------------------------------------------------
 */

/* Is there a hidden file for this one? After recovery that means: another process is writing it. */
static bool has_writer(const char *folder, const char *file)
{
    DIR *entries = opendir(folder);
    if (!entries)
        return false;
    bool found = false;
    size_t size = strlen(file);
    struct dirent *entry;
    while (!found && (entry = readdir(entries))) {
        const char *name = entry->d_name;
        found = *name == '.' && strncmp(name + 1, file, size) == 0 && name[1 + size] == '.' &&
                (string_ends_with(name, partial_suffix) || string_ends_with(name, staged_suffix));
    }
    closedir(entries);
    return found;
}

static int create_hidden(struct staged *staged, struct error *err)
{
    lock_folder(staged->folder_fd);
    int result = 0;
    if (has_writer(staged->folder, staged->file))
        result = error_set(err, ERROR_BUSY, "another sync is writing %s/%s", staged->folder, staged->file);
    if (result == 0)
        staged->fd =
            openat(staged->folder_fd, staged->hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (result == 0 && (staged->fd < 0 || is_lock_taken(staged->fd)))
        result = error_errno(err, errno, "cannot create %s/%s", staged->folder, staged->hidden);
    unlock_folder(staged->folder_fd);
    return result;
}

static int copy_bytes(struct staged *staged, int from, struct error *err)
{
    buffer_reserve(&staged->out, WRITE_SIZE);
    for (;;) {
        ssize_t got = read(from, staged->out.data, WRITE_SIZE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read %s/%s", staged->folder, staged->file);
        if (got == 0)
            return 0;
        if (file_write_all(staged->fd, staged->out.data, (size_t)got, staged->hidden, err) < 0)
            return -1;
        staged->size += (uint64_t)got;
    }
}

/* Share the blocks where the file system can, else let the kernel copy, else copy. */
static int copy_file(struct staged *staged, int from, uint64_t size, struct error *err)
{
    if (ioctl(staged->fd, FICLONE, from) == 0) {
        staged->size = size;
        return lseek(staged->fd, 0, SEEK_END) < 0 ? error_errno(err, errno, "cannot seek %s", staged->hidden)
                                                  : 0;
    }
    while (staged->size < size) {
        ssize_t copied = copy_file_range(from, NULL, staged->fd, NULL, size - staged->size, 0);
        if (copied < 0 && errno == EINTR)
            continue;
        if (copied < 0 && (errno == EXDEV || errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP))
            break;
        if (copied < 0)
            return error_errno(err, errno, "cannot copy %s/%s", staged->folder, staged->file);
        if (copied == 0)
            break;
        staged->size += (uint64_t)copied;
    }
    return staged->size < size ? copy_bytes(staged, from, err) : 0;
}

static int take_over(struct staged *staged, struct error *err)
{
    auto_close int from = openat(staged->folder_fd, staged->file, O_RDONLY | O_CLOEXEC);
    struct stat info;
    char last = '\n';
    if (from < 0 && errno == ENOENT)
        return 0;
    if (from < 0 || fstat(from, &info) < 0)
        return error_errno(err, errno, "cannot open %s/%s", staged->folder, staged->file);
    if (!S_ISREG(info.st_mode))
        return error_set(err, ERROR_INVALID, "%s/%s is there and is not a file", staged->folder,
                         staged->file);
    if (copy_file(staged, from, (uint64_t)info.st_size, err) < 0)
        return -1;
    if (staged->size && pread(staged->fd, &last, 1, (off_t)staged->size - 1) != 1)
        return error_errno(err, errno, "cannot read %s/%s", staged->folder, staged->hidden);
    staged->base = staged->size;
    if (last != '\n') /* somebody else's last line shall not become part of ours */
        buffer_byte(&staged->out, '\n');
    return 0;
}

struct staged *staged_open(const char *folder, int folder_fd, const char *file, bool append,
                           struct error *err)
{
    struct staged *staged = mem_zalloc(sizeof *staged);
    staged->folder = mem_strdup(folder);
    staged->folder_fd = folder_fd;
    staged->file = mem_strdup(file);
    staged->hidden = mem_printf(".%s%s", file, partial_suffix);
    staged->append = append;
    staged->fd = -1;
    buffer_init(&staged->out, BUFFER_UNLIMITED); /* one write's worth, or one record, which is bounded */
    if (create_hidden(staged, err) < 0 || (append && take_over(staged, err) < 0)) {
        staged_close(staged);
        return NULL;
    }
    return staged;
}

/* --- writing -----------------------------------------------------------------------------------------------
 */

static int write_out(struct staged *staged, struct error *err)
{
    if (file_write_all(staged->fd, staged->out.data, staged->out.size, staged->hidden, err) < 0)
        return error_wrap(err, "%s", staged->folder);
    staged->size += staged->out.size;
    if (staged->out.capacity > 16 * (size_t)WRITE_SIZE)
        buffer_done(&staged->out);
    buffer_clear(&staged->out);
    return 0;
}

char *staged_reserve(struct staged *staged, size_t size, struct error *err)
{
    if (staged->out.size >= WRITE_SIZE && write_out(staged, err) < 0)
        return NULL;
    buffer_reserve(&staged->out, size > WRITE_SIZE ? size : WRITE_SIZE);
    return staged->out.data + staged->out.size;
}

static int rename_hidden(struct staged *staged, const char *to, struct error *err)
{
    lock_folder(staged->folder_fd);
    int result = renameat(staged->folder_fd, staged->hidden, staged->folder_fd, to);
    int renamed_errno = errno;
    unlock_folder(staged->folder_fd);
    if (result < 0)
        return error_errno(err, renamed_errno, "cannot rename %s/%s to %s", staged->folder, staged->hidden,
                           to);
    return 0;
}

int staged_commit(struct staged *staged, bool *ret_renamed, struct error *err)
{
    if (write_out(staged, err) < 0)
        return -1;
    if (staged->size == staged->base || staged->size == staged->committed)
        return 0;
    fault_point("local-json.commit.before-sync");
    if (fdatasync(staged->fd) < 0)
        return error_errno(err, errno, "cannot sync %s/%s", staged->folder, staged->hidden);
    fault_point("local-json.commit.before-rename");
    char *name = mem_printf(".%s.%llu%s", staged->file, (unsigned long long)staged->size, staged_suffix);
    if (rename_hidden(staged, name, err) < 0) {
        free(name);
        return -1;
    }
    free(staged->hidden);
    staged->hidden = name;
    staged->committed = staged->size;
    *ret_renamed = true;
    return 0;
}

int staged_publish(struct staged *staged, struct error *err)
{
    if (write_out(staged, err) < 0)
        return -1;
    if (fsync(staged->fd) < 0)
        return error_errno(err, errno, "cannot sync %s/%s", staged->folder, staged->hidden);
    fault_point("local-json.publish.before-rename");
    if (rename_hidden(staged, staged->file, err) < 0)
        return -1;
    fault_point("local-json.publish.after-rename");
    free(staged->hidden);
    staged->hidden = NULL;
    if (fsync(staged->folder_fd) < 0)
        return error_errno(err, errno, "cannot sync folder %s", staged->folder);
    return 0;
}

/* After a failure: what was confirmed goes to its place; if even that fails, recovery will do it later. */
static void settle(struct staged *staged)
{
    struct error ignored;
    if (!staged->hidden || staged->fd < 0)
        return;
    if (!staged->committed) {
        unlinkat(staged->folder_fd, staged->hidden, 0);
        return;
    }
    buffer_clear(&staged->out);
    if (ftruncate(staged->fd, (off_t)staged->committed) == 0)
        staged_publish(staged, &ignored);
}

void staged_close(struct staged *staged)
{
    if (!staged)
        return;
    settle(staged);
    if (staged->fd >= 0)
        close(staged->fd);
    buffer_done(&staged->out);
    free(staged->folder);
    free(staged->file);
    free(staged->hidden);
    free(staged);
}
