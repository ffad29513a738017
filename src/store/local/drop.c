/* Throwing away what a task has committed. Files go that may be damaged, so none is read. */
#include "base/file.h"
#include "store/local/local.h"
#include "store/local/path.h"

#include <errno.h>
#include <unistd.h>

struct dropping {
    struct local_store *store;
    const char *task;
    bool *ret_there;
};

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static int drop_journal(void *argument, const char *collection, struct error *err)
{
    const struct dropping *dropping = argument;
    auto_free char *folder = local_journal_folder(dropping->store, collection, dropping->task, err);
    if (!folder)
        return -1;
    if (!is_there(folder))
        return 0;
    if (file_remove_tree(folder, err) < 0)
        return -1;
    /* The collection's own folder goes with its last journal, and stays otherwise. */
    *strrchr(folder, '/') = 0;
    rmdir(folder);
    return 0;
}

/* Everything of the task's folder but the marker, so that it goes last. */
static void remove_file_of(void *argument, const char *name)
{
    const char *folder = argument;
    auto_free char *path = mem_printf("%s/%s", folder, name);
    if (strcmp(name, "dropping") != 0)
        unlink(path);
}

static int make_marker(const struct local_store *store, const char *folder, struct error *err)
{
    const struct disk *disk = store->disk;
    auto_free char *marker = local_drop_marker(folder);
    int file = disk->open(disk->context, marker, DISK_WRITE | DISK_CREATE);
    if (file < 0)
        return disk_error(err, file, "cannot make %s", marker);
    disk->close(disk->context, file);
    int result = disk->sync_folder(disk->context, folder);
    return result < 0 ? disk_error(err, result, "cannot sync the folder %s", folder) : 0;
}

static int seek_journal(void *argument, const char *collection, struct error *err)
{
    const struct dropping *dropping = argument;
    auto_free char *folder = local_journal_folder(dropping->store, collection, dropping->task, err);
    if (!folder)
        return -1;
    *dropping->ret_there = *dropping->ret_there || is_there(folder);
    return 0;
}

int local_drop_task(struct store *base, const char *task, struct error *err)
{
    struct local_store *store = local_store_of(base);
    bool there;
    struct dropping dropping = {store, task, &there};
    if (store->read_only)
        return error_set(err, ERROR_INVALID, "the store %s is open for reading only", store->folder);
    auto_free char *folder = local_task_folder(store, task, err);
    auto_free char *collections = mem_printf("%s/collections", store->folder);
    if (!folder)
        return -1;
    /* Of a task whose log was lost there are only its journals. */
    there = is_there(folder);
    if (!there && local_list_names(store, collections, seek_journal, &dropping, err) < 0)
        return -1;
    if (!there)
        return error_set(err, ERROR_NOT_FOUND, "the task %s has committed nothing in %s", task,
                         store->folder);
    auto_free char *lock = mem_printf("%s/lock", folder), *what = mem_printf("task %s", task);
    auto_close int held = -1;
    if (local_make_folders(store, folder, err) < 0 ||
        local_lock(store, lock, what, program_invocation_short_name, &held, err) < 0 ||
        make_marker(store, folder, err) < 0)
        return -1;
    /* The log after the journals and the marker last: as long as one is there, this can be done again, and
     * nobody takes what is half gone for damage or for what is committed. */
    if (local_list_names(store, collections, drop_journal, &dropping, err) < 0)
        return -1;
    store->disk->list(store->disk->context, folder, remove_file_of, folder);
    return file_remove_tree(folder, err);
}
