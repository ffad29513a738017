/* Throwing away what a task has committed. Files go that may be damaged, so none is read. */
#include "base/file.h"
#include "store/local/local.h"
#include "store/local/path.h"

#include <errno.h>
#include <unistd.h>

struct dropping {
    struct local_store *store;
    const char *task;
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

int local_drop_task(struct store *base, const char *task, struct error *err)
{
    struct local_store *store = local_store_of(base);
    struct dropping dropping = {store, task};
    if (store->read_only)
        return error_set(err, ERROR_INVALID, "the store %s is open for reading only", store->folder);
    auto_free char *folder = local_task_folder(store, task, err);
    if (!folder)
        return -1;
    if (!is_there(folder))
        return error_set(err, ERROR_NOT_FOUND, "the task %s has committed nothing in %s", task,
                         store->folder);
    auto_free char *lock = mem_printf("%s/lock", folder), *what = mem_printf("task %s", task);
    auto_close int held = -1;
    if (local_lock(store, lock, what, program_invocation_short_name, &held, err) < 0)
        return -1;
    /* The log last: as long as it is there, this can be done again. */
    auto_free char *collections = mem_printf("%s/collections", store->folder);
    if (local_list_names(store, collections, drop_journal, &dropping, err) < 0)
        return -1;
    return file_remove_tree(folder, err);
}
