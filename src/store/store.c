/* The store's interface: checks what callers give and hands on to the engine. */
#include "store/store.h"

#include "store/engine.h"
#include "store/local/path.h"

struct store *store_open(const char *data_dir, const struct store_options *options, struct error *err)
{
    static const struct store_options defaults = {0};
    return store_engine_local.open(data_dir, options ? options : &defaults, err);
}

void store_close(struct store *store)
{
    if (store)
        store->engine->close(store);
}

struct store_lock *store_lock_acquire(struct store *store, const char *who, struct error *err)
{
    return store->engine->lock_acquire(store, who, err);
}

void store_lock_release(struct store_lock *lock)
{
    if (lock)
        lock->engine->lock_release(lock);
}

struct store_writer *store_writer_open(struct store *store, const char *task, struct slice *ret_checkpoint,
                                       struct error *err)
{
    if (path_check_name("task", task, err) < 0)
        return NULL;
    return store->engine->writer_open(store, task, ret_checkpoint, err);
}

void store_writer_close(struct store_writer *writer)
{
    if (writer)
        writer->engine->writer_close(writer);
}

int store_writer_journal(struct store_writer *writer, const char *collection,
                         const struct store_journal_options *options, uint32_t *ret_journal,
                         struct error *err)
{
    static const struct store_journal_options defaults = {0};
    if (path_check_name("collection", collection, err) < 0)
        return -1;
    return writer->engine->writer_journal(writer, collection, options ? options : &defaults, ret_journal,
                                          err);
}

int store_append(struct store_writer *writer, uint32_t journal, struct slice document, struct error *err)
{
    return writer->engine->append(writer, journal, document, err);
}

int store_commit(struct store_writer *writer, struct slice checkpoint, struct error *err)
{
    if (checkpoint.size > STORE_CHECKPOINT_MAX)
        return error_set(err, ERROR_LIMIT, "the checkpoint has %zu bytes; the limit is %d", checkpoint.size,
                         STORE_CHECKPOINT_MAX);
    return writer->engine->commit(writer, checkpoint, err);
}

uint64_t store_writer_pending(const struct store_writer *writer)
{
    return writer->engine->writer_pending(writer);
}

int store_truncate(struct store_writer *writer, uint32_t journal, struct error *err)
{
    return writer->engine->truncate(writer, journal, err);
}

int store_checkpoint_set(struct store *store, const char *task, struct slice checkpoint, struct error *err)
{
    struct slice old;
    mem_auto(store_writer_close) struct store_writer *writer = store_writer_open(store, task, &old, err);
    return writer ? store_commit(writer, checkpoint, err) : -1;
}

int store_mark(struct store *store, const char *collection, const char *writer, uint64_t number,
               uint64_t *ret_mark, struct error *err)
{
    if (path_check_name("collection", collection, err) < 0 || path_check_name("task", writer, err) < 0)
        return -1;
    return store->engine->mark(store, collection, writer, number, ret_mark, err);
}

int store_drop_task(struct store *store, const char *task, struct error *err)
{
    return path_check_name("task", task, err) < 0 ? -1 : store->engine->drop_task(store, task, err);
}

int store_checkpoint_get(struct store *store, const char *task, struct arena *arena,
                         struct slice *ret_checkpoint, struct error *err)
{
    if (path_check_name("task", task, err) < 0)
        return -1;
    return store->engine->checkpoint_get(store, task, arena, ret_checkpoint, err);
}

struct store_reader *store_reader_open(struct store *store, const char *collection, const char *writer,
                                       uint64_t from, struct error *err)
{
    if (path_check_name("collection", collection, err) < 0 ||
        (writer && path_check_name("task", writer, err) < 0))
        return NULL;
    return store->engine->reader_open(store, collection, writer, from, err);
}

void store_reader_close(struct store_reader *reader)
{
    if (reader)
        reader->engine->reader_close(reader);
}

int store_reader_seek(struct store_reader *reader, const char *writer, uint64_t number, struct error *err)
{
    return reader->engine->reader_seek(reader, writer, number, err);
}

int store_reader_next(struct store_reader *reader, struct store_document *ret_document, struct error *err)
{
    return reader->engine->reader_next(reader, ret_document, err);
}

const char *store_reader_left_out(const struct store_reader *reader, uint64_t *ret_number)
{
    return reader->engine->reader_left_out(reader, ret_number);
}

int store_reader_notice(struct store_reader *reader, struct store_notice *ret_notice)
{
    return reader->engine->reader_notice(reader, ret_notice);
}

int store_reader_fd(struct store_reader *reader)
{
    return reader->engine->reader_fd(reader);
}

void store_reader_woken(struct store_reader *reader)
{
    reader->engine->reader_woken(reader);
}

int store_list_tasks(struct store *store, struct arena *arena, struct store_task_info **ret_infos,
                     size_t *ret_count, struct error *err)
{
    return store->engine->list_tasks(store, arena, ret_infos, ret_count, err);
}

int store_list(struct store *store, const char *collection, struct arena *arena,
               struct store_journal_info **ret_infos, size_t *ret_count, struct error *err)
{
    if (collection && path_check_name("collection", collection, err) < 0)
        return -1;
    return store->engine->list(store, collection, arena, ret_infos, ret_count, err);
}
