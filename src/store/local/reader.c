/* Reading committed documents of a collection: its journals, one after the other. */
#include "store/local/source.h"
#include "store/local/writer.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct local_reader {
    struct store_reader base;
    struct local_store *store;
    char *collection, *folder, *parent; /* parent: the folder that `folder` is in */
    char *only;                         /* NULL or the one writer wanted */
    uint64_t from;
    struct source **sources; /* in writer order */
    size_t count, capacity;
    size_t current;
    bool opened;               /* sources that come now are new */
    bool begun;                /* something was asked for */
    bool told;                 /* no source has a notice */
    struct source *failed;     /* that the last -1 was about */
    int watch;                 /* inotify, -1 until asked for */
    struct source_block block; /* being given out: */
    struct source *block_source;
    size_t at;
    uint64_t number;
    uint32_t left;
};

static struct local_reader *reader_of(struct store_reader *reader)
{
    return (struct local_reader *)reader;
}

void local_reader_close(struct store_reader *base)
{
    struct local_reader *reader = reader_of(base);
    for (size_t i = 0; i < reader->count; i++)
        source_free(reader->sources[i]);
    free(reader->sources);
    free(reader->collection);
    free(reader->folder);
    free(reader->parent);
    free(reader->only);
    buffer_done(&reader->block.raw);
    buffer_done(&reader->block.stored);
    if (reader->watch >= 0)
        close(reader->watch);
    free(reader);
}

/* --- which journals ------------------------------------------------------------------------------ */

static void watch_source(struct local_reader *reader, struct source *source)
{
    if (reader->watch < 0 || source->watched || source->left_out)
        return;
    const struct disk *disk = reader->store->disk;
    auto_free char *path = mem_printf("%s/published", source->log.folder);
    source->watched = disk->watch_add(disk->context, reader->watch, path) == 0;
}

/* Where the task is or belongs in the order of writers. */
static size_t place_of(const struct local_reader *reader, const char *task, bool *ret_there)
{
    size_t at = 0;
    while (at < reader->count && strcmp(reader->sources[at]->task, task) < 0)
        at++;
    *ret_there = at < reader->count && strcmp(reader->sources[at]->task, task) == 0;
    return at;
}

static int add_source(void *argument, const char *task, struct error *err)
{
    struct local_reader *reader = argument;
    bool there;
    size_t at = place_of(reader, task, &there);
    if (there || (reader->only && strcmp(reader->only, task) != 0))
        return 0;
    struct source *source = source_new(reader->store, reader->collection, task, reader->from, err);
    if (!source)
        return -1;
    source->begun = reader->opened;
    reader->sources =
        mem_grow(reader->sources, &reader->capacity, reader->count + 1, sizeof(struct source *));
    memmove(reader->sources + at + 1, reader->sources + at, (reader->count - at) * sizeof(struct source *));
    reader->sources[at] = source;
    reader->count++;
    if (at <= reader->current && reader->count > 1)
        reader->current++;
    watch_source(reader, source);
    return 0;
}

/* A task whose journal's folder is gone, but whose log names it, is a source too: one that cannot be read. */
static int add_named(void *argument, const char *task, struct error *err)
{
    struct local_reader *reader = argument;
    struct journal_end end;
    struct error ignored; /* whether a log that cannot be read names this collection is not known */
    bool there;
    place_of(reader, task, &there);
    if (there || (reader->only && strcmp(reader->only, task) != 0))
        return 0;
    auto_free char *folder = local_task_folder(reader->store, task, err);
    if (!folder)
        return -1;
    struct log_view view;
    log_view_init(&view, reader->store->disk, folder, task);
    bool named = log_view_refresh(&view, LOG_READER, &ignored) >= 0 &&
                 log_state_find(&view.state, reader->collection, &end) && end.offset > 0;
    log_view_done(&view);
    return named ? add_source(reader, task, err) : 0;
}

struct store_reader *local_reader_open(struct store *base, const char *collection, const char *writer,
                                       uint64_t from, struct error *err)
{
    struct local_store *store = local_store_of(base);
    struct local_reader *reader = mem_zalloc(sizeof *reader);
    reader->base.engine = &store_engine_local;
    reader->store = store;
    reader->collection = mem_strdup(collection);
    reader->folder = local_collection_folder(store, collection, err);
    reader->only = writer ? mem_strdup(writer) : NULL;
    reader->from = from;
    reader->watch = -1;
    buffer_init(&reader->block.raw, BLOCK_RAW_MAX);
    buffer_init(&reader->block.stored, BLOCK_RAW_MAX);
    auto_free char *tasks = mem_printf("%s/tasks", store->folder);
    int result = reader->folder ? local_list_names(store, reader->folder, add_source, reader, err) : -1;
    if (result == 0)
        result = local_list_names(store, tasks, add_named, reader, err);
    if (result == 0 && reader->count == 0)
        result = writer ? error_set(err, ERROR_NOT_FOUND, "task %s has written nothing to collection %s",
                                    writer, collection)
                        : error_set(err, ERROR_NOT_FOUND, "the store has no collection %s", collection);
    if (result < 0) {
        local_reader_close(&reader->base);
        return NULL;
    }
    reader->parent = mem_strndup(reader->folder, (size_t)(strrchr(reader->folder, '/') - reader->folder));
    reader->current = 0;
    reader->opened = true;
    return &reader->base;
}

int local_reader_seek(struct store_reader *base, const char *writer, uint64_t number, struct error *err)
{
    struct local_reader *reader = reader_of(base);
    for (size_t i = 0; i < reader->count; i++) {
        if (strcmp(reader->sources[i]->task, writer) == 0) {
            reader->sources[i]->next = number;
            return 0;
        }
    }
    return error_set(err, ERROR_NOT_FOUND, "task %s has written nothing to collection %s", writer,
                     reader->collection);
}

/* --- next ---------------------------------------------------------------------------------------- */

/* The source cannot be read on: the others can. */
static int leave_out(struct local_reader *reader, struct source *source)
{
    source_leave_out(source);
    reader->failed = source;
    return -1;
}

/* Whatever appears from here on wakes us. A folder that was removed and made again is another one. */
static void watch_folders(struct local_reader *reader)
{
    const struct disk *disk = reader->store->disk;
    if (reader->watch < 0)
        return;
    disk->watch_add(disk->context, reader->watch, reader->parent);
    disk->watch_add(disk->context, reader->watch, reader->folder);
}

/* Writers that came since. */
static int list_again(struct local_reader *reader, struct error *err)
{
    watch_folders(reader);
    return local_list_names(reader->store, reader->folder, add_source, reader, err);
}

static int refresh_all(struct local_reader *reader, struct error *err)
{
    reader->told = false;
    if (list_again(reader, err) < 0)
        return -1;
    for (size_t i = 0; i < reader->count; i++) {
        struct source *source = reader->sources[i];
        if (source->left_out)
            continue;
        watch_source(reader, source);
        if (source_refresh(source, err) < 0)
            return leave_out(reader, source);
    }
    reader->current = 0;
    return 0;
}

/* 0 only after the logs have been looked at: whoever waits for the descriptor after a 0 misses nothing. */
static int next_block(struct local_reader *reader, struct error *err)
{
    if (!reader->begun) {
        if (list_again(reader, err) < 0)
            return -1;
        reader->begun = true;
        reader->current = 0;
    }
    for (bool refreshed = false;; refreshed = true) {
        for (; reader->current < reader->count; reader->current++) {
            struct source *source = reader->sources[reader->current];
            int loaded = source->left_out ? 0 : source_load(source, &reader->block, err);
            reader->told = false;
            if (loaded < 0)
                return leave_out(reader, source);
            if (loaded == 0)
                continue;
            reader->block_source = source;
            reader->at = 0;
            reader->number = reader->block.header.first;
            reader->left = reader->block.header.documents;
            return 1;
        }
        if (refreshed)
            return 0;
        if (refresh_all(reader, err) < 0)
            return -1;
    }
}

int local_reader_next(struct store_reader *base, struct store_document *ret_document, struct error *err)
{
    struct local_reader *reader = reader_of(base);
    for (;;) {
        while (reader->left == 0) {
            reader->failed = NULL;
            int loaded = next_block(reader, err);
            if (loaded <= 0)
                return loaded;
        }
        struct source *source = reader->block_source;
        const struct buffer *raw = &reader->block.raw;
        size_t room = raw->size - reader->at;
        size_t size = room >= BLOCK_RECORD ? get_u32(raw->data + reader->at) : SIZE_MAX;
        if (size > room - BLOCK_RECORD || (reader->left == 1 && size != room - BLOCK_RECORD)) {
            reader->left = 0;
            source_block_corrupt(source, &reader->block, "the sizes of its documents do not add up", err);
            return leave_out(reader, source);
        }
        *ret_document = (struct store_document){
            .bytes = {raw->data + reader->at + BLOCK_RECORD, size},
            .writer = source->task,
            .number = reader->number++,
            .committed_ms = reader->block.header.committed_ms,
            .identity = source->log.identity,
            .identified = source->log.identified,
            .mark = reader->block.mark,
        };
        reader->at += BLOCK_RECORD + size;
        reader->left--;
        if (ret_document->number < source->next)
            continue;
        source->next = ret_document->number + 1;
        return 1;
    }
}

/* --- what was missed ----------------------------------------------------------------------------- */

const char *local_reader_left_out(const struct store_reader *base, uint64_t *ret_number)
{
    const struct local_reader *reader = (const struct local_reader *)base;
    if (!reader->failed)
        return NULL;
    *ret_number = reader->failed->next;
    return reader->failed->task;
}

int local_reader_notice(struct store_reader *base, struct store_notice *ret_notice)
{
    struct local_reader *reader = reader_of(base);
    if (reader->told)
        return 0;
    for (size_t i = 0; i < reader->count; i++) {
        struct source *source = reader->sources[i];
        struct source_missed *gone = &source->gone;
        if (gone->first < gone->end) {
            *ret_notice =
                (struct store_notice){STORE_NOTICE_GONE, source->task, gone->first, gone->end, gone->initial};
            *gone = (struct source_missed){0};
            return 1;
        }
        if (source->dropped) {
            *ret_notice = (struct store_notice){STORE_NOTICE_DROPPED, source->task, source->lost.first,
                                                source->lost.end, false};
            source->dropped = false;
            return 1;
        }
    }
    reader->told = true;
    return 0;
}

/* --- waiting ------------------------------------------------------------------------------------- */

int local_reader_fd(struct store_reader *base)
{
    struct local_reader *reader = reader_of(base);
    const struct disk *disk = reader->store->disk;
    if (reader->watch < 0) {
        int watch = disk->watch_open(disk->context);
        if (watch < 0)
            return -1;
        reader->watch = watch;
        watch_folders(reader);
    }
    for (size_t i = 0; i < reader->count; i++)
        watch_source(reader, reader->sources[i]);
    return reader->watch;
}

void local_reader_woken(struct store_reader *base)
{
    struct local_reader *reader = reader_of(base);
    char events[4096];
    while (reader->watch >= 0 && read(reader->watch, events, sizeof events) > 0)
        ;
}
