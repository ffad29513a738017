/* What the files of the local engine share: the store itself, its paths, its locks. */
#ifndef FIRTH_STORE_LOCAL_LOCAL_H
#define FIRTH_STORE_LOCAL_LOCAL_H

#include "store/engine.h"
#include "store/local/disk.h"

struct local_store {
    struct store base;
    const struct disk *disk;
    const struct clock *clock;
    char *folder;
    bool read_only;
    uint32_t log_bytes; /* 0: as log_write.c has it */
};

static inline struct local_store *local_store_of(struct store *store)
{
    return (struct local_store *)store;
}

static inline void local_close_file(const struct disk *disk, int *file)
{
    if (*file >= 0)
        disk->close(disk->context, *file);
    *file = -1;
}

/* Paths, on the heap. ERROR_LIMIT if the whole is too long for the system. */
char *local_task_folder(const struct local_store *store, const char *task, struct error *err);
char *local_collection_folder(const struct local_store *store, const char *collection, struct error *err);
char *local_journal_folder(const struct local_store *store, const char *collection, const char *task,
                           struct error *err);
char *local_log_path(const char *task_folder, uint64_t generation);
bool local_parse_log_name(const char *name, uint64_t *ret_generation);
/* The file that says that the task is being thrown away: FORMAT.md, "Dropping a task". */
char *local_drop_marker(const char *task_folder);
char *local_segment_path(const char *journal_folder, uint64_t base);
bool local_parse_segment_name(const char *name, uint64_t *ret_base);

/* Make every missing folder from the data directory down to `folder`, which is below it; their entries are
 * durable when this returns. */
int local_make_folders(const struct local_store *store, const char *folder, struct error *err);

/* Open and lock the lock file `path` (of `what`, for messages), and leave a note of who we are in it.
 * ERROR_BUSY names the holder. */
int local_lock(const struct local_store *store, const char *path, const char *what, const char *who,
               int *ret_file, struct error *err);

/* Call `each` for every name below a folder of names ("collections", "tasks", or a collection's folder).
 * A folder that is not there has none. The first failure of `each` ends it. */
int local_list_names(const struct local_store *store, const char *folder,
                     int (*each)(void *argument, const char *name, struct error *err), void *argument,
                     struct error *err);

/* The engine's parts. */
struct store_writer *local_writer_open(struct store *store, const char *task, struct slice *ret_checkpoint,
                                       struct error *err);
struct store_reader *local_reader_open(struct store *store, const char *collection, const char *writer,
                                       uint64_t from, struct error *err);
int local_mark(struct store *store, const char *collection, const char *writer, uint64_t number,
               uint64_t *ret_mark, struct error *err);
int local_drop_task(struct store *store, const char *task, struct error *err);
int local_list(struct store *store, const char *collection, struct arena *arena,
               struct store_journal_info **ret_infos, size_t *ret_count, struct error *err);
int local_list_tasks(struct store *store, struct arena *arena, struct store_task_info **ret_infos,
                     size_t *ret_count, struct error *err);
int local_checkpoint_get(struct store *store, const char *task, struct arena *arena,
                         struct slice *ret_checkpoint, struct error *err);

#endif
