#include "connector/folder.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_PREFIX "firth-connector-"

enum { MAKE_ATTEMPTS = 16 };

static const char *parent_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder == '/' ? folder : "/tmp";
}

/* The folder's descriptor with its lock taken, if it is ours and nobody holds that lock; else -1. */
static int open_abandoned(int parent, const char *name)
{
    struct stat info;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &info) < 0 || info.st_uid != geteuid() || (info.st_mode & 077) != 0 ||
                    flock(fd, LOCK_EX | LOCK_NB) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Best effort: a folder that cannot be removed now is tried again by the next start. The lock is held until
 * the folder is gone, so that a process which has just made it, and waits for the lock, then sees that it was
 * removed. */
static void sweep(const char *parent)
{
    DIR *list = opendir(parent);
    if (!list)
        return;
    for (struct dirent *entry; (entry = readdir(list));) {
        if (!string_starts_with(entry->d_name, FOLDER_PREFIX))
            continue;
        auto_close int fd = open_abandoned(dirfd(list), entry->d_name);
        if (fd < 0)
            continue;
        auto_free char *path = mem_printf("%s/%s", parent, entry->d_name);
        struct error unused;
        file_remove_tree(path, &unused);
    }
    closedir(list);
}

/* 1: made and locked; 0: a sweeper took it between the two; -1. */
static int make_locked(const char *parent, struct connector_folder *folder, struct error *err)
{
    struct stat info;
    char *path = mem_printf("%s/" FOLDER_PREFIX "XXXXXX", parent);
    int fd = -1, result = -1;
    if (!mkdtemp(path)) {
        error_errno(err, errno, "cannot make a folder for the connector's config in %s", parent);
    } else if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
               flock(fd, LOCK_EX) < 0 || fstat(fd, &info) < 0) {
        result = errno == ENOENT ? 0 : error_errno(err, errno, "cannot lock the folder %s", path);
        rmdir(path);
    } else {
        result = info.st_nlink > 0;
    }
    if (result == 1) {
        *folder = (struct connector_folder){path, fd};
        return 1;
    }
    free(path);
    mem_close_cleanup(&fd);
    return result;
}

int connector_folder_make(struct connector_folder *folder, struct error *err)
{
    const char *parent = parent_folder();
    sweep(parent);
    for (int attempt = 0; attempt < MAKE_ATTEMPTS; attempt++) {
        int made = make_locked(parent, folder, err);
        if (made != 0)
            return made < 0 ? -1 : 0;
    }
    return error_set(err, ERROR_IO,
                     "cannot keep a folder for the connector's config in %s: something removes it", parent);
}

int connector_folder_put(const struct connector_folder *folder, const char *name, mode_t mode,
                         struct slice content, char **ret_path, struct error *err)
{
    auto_free char *path = mem_printf("%s/%s", folder->path, name);
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, mode) < 0)
        return error_errno(err, errno, "cannot create %s", path);
    if (file_write_all(fd, content.data, content.size, path, err) < 0)
        return -1;
    *ret_path = path;
    path = NULL;
    return 0;
}

int connector_folder_share(const struct connector_folder *folder, char **ret_path, struct error *err)
{
    auto_free char *path = mem_printf("%s/" CONNECTOR_FOLDER_SHARED, folder->path);
    if (mkdir(path, 0700) < 0 || chmod(path, 0755) < 0)
        return error_errno(err, errno, "cannot make the folder %s", path);
    *ret_path = path;
    path = NULL;
    return 0;
}

void connector_folder_remove(struct connector_folder *folder)
{
    struct error unused;
    if (folder->path)
        file_remove_tree(folder->path, &unused);
    free(folder->path);
    if (folder->lock_fd >= 0)
        close(folder->lock_fd);
    *folder = CONNECTOR_FOLDER_NONE;
}
