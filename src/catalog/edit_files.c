/* Several files replaced together. */
#include "base/fault.h"
#include "base/file.h"
#include "catalog/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_beside(struct edit_file *file, struct error *err)
{
    struct stat old;
    file->present = stat(file->path, &old) == 0;
    file->fresh = mem_printf("%s.XXXXXX", file->path);
    auto_close int fd = mkostemp(file->fresh, O_CLOEXEC);
    if (fd < 0) {
        int number = errno;
        mem_free_cleanup(&file->fresh);
        file->fresh = NULL;
        return error_errno(err, number, "cannot write %s", file->path);
    }
    mode_t mode = file->present && !(old.st_mode & ~file->mode & 077) ? old.st_mode & 07777 : file->mode;
    if (file_write_all(fd, file->content.data, file->content.size, file->path, err) < 0)
        return -1;
    if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "cannot write %s", file->path);
    return 0;
}

/* A second name for what is there, to put it back by. */
static int keep_old(struct edit_file *file, struct error *err)
{
    if (!file->present)
        return 0;
    file->kept = mem_printf("%s~", file->fresh);
    if (link(file->path, file->kept) == 0)
        return 0;
    int number = errno;
    mem_free_cleanup(&file->kept);
    file->kept = NULL;
    return error_errno(err, number, "cannot keep the old %s meanwhile", file->path);
}

static void clean(struct edit_file *file)
{
    if (file->fresh)
        unlink(file->fresh);
    if (file->kept)
        unlink(file->kept);
    mem_free_cleanup(&file->fresh);
    mem_free_cleanup(&file->kept);
    file->fresh = file->kept = NULL;
}

static int put_all(struct edit_file *files, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (write_beside(&files[i], err) < 0 || keep_old(&files[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < count; i++) {
        fault_point("edit.replace");
        if (rename(files[i].fresh, files[i].path) == 0)
            continue;
        error_errno(err, errno, "cannot replace %s", files[i].path);
        while (i--) {
            if (files[i].kept)
                (void)rename(files[i].kept, files[i].path);
            else
                unlink(files[i].path);
        }
        return -1;
    }
    return 0;
}

int edit_replace_files(struct edit_file *files, size_t count, struct error *err)
{
    int result = put_all(files, count, err);
    for (size_t i = 0; i < count; i++)
        clean(&files[i]);
    for (size_t i = 0; i < count && result == 0; i++) {
        const char *slash = strrchr(files[i].path, '/');
        auto_free char *folder =
            slash ? mem_strndup(files[i].path, (size_t)(slash - files[i].path) + 1) : mem_strdup(".");
        result = file_sync_folder(folder, err);
    }
    return result;
}
