/* Reading committed documents: for each journal of the collection what its task's log says is committed, then
 * segment by segment, block by block. Nothing is read past a committed end. */
#include "store/local/writer.h"

#include "store/local/evidence.h"
#include "store/local/log.h"
#include "store/local/segment.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

struct source {
    char *task;
    struct log_view log;
    struct journal_end end; /* committed, as of the last refresh */
    uint64_t next;          /* number of the next document to give out */
    struct segment segment;
    uint64_t offset;  /* of the next block in it; 0: not positioned */
    uint64_t reached; /* number of the first document of that block */
    bool watched;
};

struct local_reader {
    struct store_reader base;
    struct local_store *store;
    char *collection, *folder, *only; /* only: NULL or the one writer wanted */
    uint64_t from;
    struct source **sources; /* in writer order */
    size_t count, capacity;
    size_t current;
    int watch; /* inotify, -1 until asked for */
    /* The block being given out. */
    struct buffer raw, stored;
    struct block_header block;
    struct source *block_source;
    size_t at;
    uint64_t number, block_offset;
    uint32_t left;
};

static struct local_reader *reader_of(struct store_reader *reader)
{
    return (struct local_reader *)reader;
}

static void source_free(struct source *source)
{
    log_view_done(&source->log);
    segment_close(&source->segment);
    free(source->task);
    free(source);
}

void local_reader_close(struct store_reader *base)
{
    struct local_reader *reader = reader_of(base);
    for (size_t i = 0; i < reader->count; i++)
        source_free(reader->sources[i]);
    free(reader->sources);
    free(reader->collection);
    free(reader->folder);
    free(reader->only);
    buffer_done(&reader->raw);
    buffer_done(&reader->stored);
    if (reader->watch >= 0)
        close(reader->watch);
    free(reader);
}

/* --- which journals ------------------------------------------------------------------------------ */

static void watch_source(struct local_reader *reader, struct source *source)
{
    if (reader->watch < 0 || source->watched)
        return;
    const struct disk *disk = reader->store->disk;
    auto_free char *path = mem_printf("%s/published", source->log.folder);
    source->watched = disk->watch_add(disk->context, reader->watch, path) == 0;
}

static int add_source(void *argument, const char *task, struct error *err)
{
    struct local_reader *reader = argument;
    if (reader->only && strcmp(reader->only, task) != 0)
        return 0;
    size_t at = 0;
    while (at < reader->count && strcmp(reader->sources[at]->task, task) < 0)
        at++;
    if (at < reader->count && strcmp(reader->sources[at]->task, task) == 0)
        return 0;
    auto_free char *folder = local_task_folder(reader->store, task, err);
    if (!folder)
        return -1;
    struct source *source = mem_zalloc(sizeof *source);
    source->task = mem_strdup(task);
    source->next = reader->from;
    log_view_init(&source->log, reader->store->disk, folder, task);
    segment_init(&source->segment, reader->store->disk);
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
    buffer_init(&reader->raw, BLOCK_RAW_MAX);
    buffer_init(&reader->stored, BLOCK_RAW_MAX);
    int result = reader->folder ? local_list_names(store, reader->folder, add_source, reader, err) : -1;
    if (result == 0 && reader->count == 0)
        result = writer ? error_set(err, ERROR_NOT_FOUND, "task %s has written nothing to collection %s",
                                    writer, collection)
                        : error_set(err, ERROR_NOT_FOUND, "the store has no collection %s", collection);
    if (result < 0) {
        local_reader_close(&reader->base);
        return NULL;
    }
    reader->current = 0;
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

/* --- where -------------------------------------------------------------------------------------- */

static int refresh_source(struct local_reader *reader, struct source *source, struct error *err)
{
    int changed = log_view_refresh(&source->log, LOG_READER, err);
    if (changed < 0)
        return -1;
    if (changed)
        log_state_find(&source->log.state, reader->collection, &source->end);
    if (source->log.unmarked)
        return evidence_check(reader->store, reader->collection, source->task, &source->end,
                              source->log.state.sequence ? source->log.state.sequence : 1, err);
    return 0;
}

/* Open the segment that holds document source->next. 1; 0: it went away, the committed state has moved on. */
static int find_segment(struct local_reader *reader, struct source *source, struct error *err)
{
    auto_free char *folder = local_journal_folder(reader->store, reader->collection, source->task, err);
    if (!folder)
        return -1;
    uint64_t base = source->end.segment;
    if (source->next < base) {
        struct segment_list list = {0};
        if (segment_list_read(&list, reader->store->disk, folder, err) < 0)
            return -1;
        bool found = false;
        for (size_t i = 0; i < list.count; i++) {
            if (list.bases[i] <= source->next && list.bases[i] >= source->end.first) {
                base = list.bases[i];
                found = true;
            }
        }
        segment_list_done(&list);
        if (!found)
            return 0;
    }
    int opened =
        segment_open(&source->segment, folder, base, DISK_READ, reader->collection, source->task, err);
    if (opened > 0) {
        source->offset = source->segment.header_size;
        source->reached = base;
    }
    return opened;
}

/* Where the committed blocks of the open segment end. */
static int segment_end(struct local_reader *reader, struct source *source, uint64_t *ret_end,
                       struct error *err)
{
    const struct disk *disk = source->segment.disk;
    uint64_t size;
    int result = disk->size(disk->context, source->segment.file, &size);
    if (result < 0)
        return disk_error(err, result, "cannot stat %s", source->segment.path);
    bool active = source->segment.base == source->end.segment;
    if (active && (size < source->end.offset || source->segment.flags & SEGMENT_COMPRESSED)) {
        /* Sealed and compressed since the log was read: only a newer state knows it as sealed. */
        if (refresh_source(reader, source, err) < 0)
            return -1;
        active = source->segment.base == source->end.segment;
    }
    if (active && size < source->end.offset)
        return segment_corrupt(&source->segment, size, "committed documents are missing at its end", err);
    if (active && source->segment.flags & SEGMENT_COMPRESSED)
        return segment_corrupt(&source->segment, 0, "it is compressed and not sealed", err);
    *ret_end = active ? source->end.offset : size;
    return 0;
}

/* Is there a segment that begins with document `base`? */
static int segment_begins(struct local_reader *reader, struct source *source, uint64_t base, bool *ret_begins,
                          struct error *err)
{
    *ret_begins = base == source->end.segment;
    if (*ret_begins)
        return 0;
    auto_free char *folder = local_journal_folder(reader->store, reader->collection, source->task, err);
    if (!folder)
        return -1;
    auto_free char *path = local_segment_path(folder, base);
    const struct disk *disk = reader->store->disk;
    uint64_t size;
    int result = disk->stat_size(disk->context, path, &size);
    if (result < 0 && result != -ENOENT)
        return disk_error(err, result, "cannot stat %s", path);
    *ret_begins = result == 0;
    return 0;
}

/* The open segment's blocks are all read: it has to end where the next one begins. */
static int leave_segment(struct local_reader *reader, struct source *source, struct error *err)
{
    if (source->segment.base == source->end.segment)
        return segment_corrupt(&source->segment, source->offset,
                               "documents are missing before the committed end", err);
    bool begins;
    if (segment_begins(reader, source, source->reached, &begins, err) < 0)
        return -1;
    if (!begins) {
        /* Retention may have dropped the next one since the log was read: then `first` has moved past it. */
        if (refresh_source(reader, source, err) < 0)
            return -1;
        if (source->reached >= source->end.first && source->reached != source->end.segment)
            return segment_corrupt(&source->segment, source->offset, "it ends before the next segment begins",
                                   err);
    }
    assert(source->next >= source->reached); /* every document of it was given out, or not wanted */
    segment_close(&source->segment);
    return 0;
}

/* See that the segment that holds source->next is open. 1; 0: nothing more is committed. */
static int position(struct local_reader *reader, struct source *source, struct error *err)
{
    for (int vanished = 0;;) {
        if (source->next < source->end.first) {
            source->next = source->end.first;
            if (source->segment.file >= 0 && source->segment.base < source->end.first)
                segment_close(&source->segment);
        }
        if (source->next >= source->end.end)
            return 0;
        int found = source->segment.file >= 0 ? 1 : find_segment(reader, source, err);
        if (found != 0)
            return found;
        /* Dropped by retention between the log's reading and now: read the log again. */
        uint64_t before = source->end.first;
        if (refresh_source(reader, source, err) < 0)
            return -1;
        if (source->end.first == before && ++vanished > 3)
            return error_set(err, ERROR_CORRUPT,
                             "the segment of collection %s, task %s with document %" PRIu64 " is missing",
                             reader->collection, source->task, source->next);
    }
}

/* The next block of the open segment, loaded if it holds source->next. 1: loaded; 0: not, go on. */
static int take_block(struct local_reader *reader, struct source *source, struct error *err)
{
    struct block_header *block = &reader->block;
    uint64_t end = 0, offset = source->offset;
    if (segment_end(reader, source, &end, err) < 0)
        return -1;
    if (offset >= end)
        return leave_segment(reader, source, err);
    if (segment_block(&source->segment, offset, end, block, err) < 0)
        return -1;
    if (block->first != source->reached)
        return segment_corrupt(&source->segment, offset, "its documents are not the ones due here", err);
    source->offset += BLOCK_HEADER + block->stored_size;
    source->reached += block->documents;
    if (source->reached <= source->next)
        return 0;
    if (segment_payload(&source->segment, offset, block, &reader->stored, &reader->raw, err) < 0)
        return -1;
    reader->block_source = source;
    reader->block_offset = offset;
    reader->at = 0;
    reader->number = block->first;
    reader->left = block->documents;
    return 1;
}

/* Load the block that holds source->next. 1; 0: nothing more is committed. */
static int load_block(struct local_reader *reader, struct source *source, struct error *err)
{
    for (;;) {
        int result = position(reader, source, err);
        if (result <= 0 || (result = take_block(reader, source, err)) != 0)
            return result;
    }
}

/* --- next ---------------------------------------------------------------------------------------- */

static int refresh_all(struct local_reader *reader, struct error *err)
{
    if (local_list_names(reader->store, reader->folder, add_source, reader, err) < 0)
        return -1;
    for (size_t i = 0; i < reader->count; i++)
        if (refresh_source(reader, reader->sources[i], err) < 0)
            return -1;
    reader->current = 0;
    return 0;
}

/* 0 only after the logs have been looked at: whoever waits for the descriptor after a 0 misses nothing. */
static int next_block(struct local_reader *reader, struct error *err)
{
    for (bool refreshed = false;; refreshed = true) {
        for (; reader->current < reader->count; reader->current++) {
            int loaded = load_block(reader, reader->sources[reader->current], err);
            if (loaded != 0)
                return loaded;
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
            int loaded = next_block(reader, err);
            if (loaded <= 0)
                return loaded;
        }
        struct source *source = reader->block_source;
        size_t room = reader->raw.size - reader->at;
        size_t size = room >= BLOCK_RECORD ? get_u32(reader->raw.data + reader->at) : SIZE_MAX;
        if (size > room - BLOCK_RECORD || (reader->left == 1 && size != room - BLOCK_RECORD)) {
            reader->left = 0;
            return segment_corrupt(&source->segment, reader->block_offset,
                                   "the sizes of its documents do not add up", err);
        }
        *ret_document = (struct store_document){
            .bytes = {reader->raw.data + reader->at + BLOCK_RECORD, size},
            .writer = source->task,
            .number = reader->number++,
            .committed_ms = reader->block.committed_ms,
        };
        reader->at += BLOCK_RECORD + size;
        reader->left--;
        if (ret_document->number < source->next)
            continue;
        source->next = ret_document->number + 1;
        return 1;
    }
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
        disk->watch_add(disk->context, watch, reader->folder);
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
