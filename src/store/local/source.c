#include "store/local/source.h"

#include "base/fault.h"
#include "base/hash.h"
#include "store/local/carry.h"
#include "store/local/evidence.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

struct source *source_new(struct local_store *store, const char *collection, const char *task, uint64_t from,
                          struct error *err)
{
    auto_free char *task_folder = local_task_folder(store, task, err);
    auto_free char *folder = task_folder ? local_journal_folder(store, collection, task, err) : NULL;
    if (!folder)
        return NULL;
    struct source *source = mem_zalloc(sizeof *source);
    source->store = store;
    source->collection = collection;
    source->task = mem_strdup(task);
    source->folder = mem_strdup(folder);
    source->next = from;
    source->identity = -1;
    log_view_init(&source->log, store->disk, task_folder, task);
    segment_init(&source->segment, store->disk);
    return source;
}

void source_free(struct source *source)
{
    source_leave_out(source);
    free(source->task);
    free(source->folder);
    free(source);
}

void source_leave_out(struct source *source)
{
    source->left_out = true;
    local_close_file(source->store->disk, &source->identity);
    log_view_done(&source->log);
    segment_close(&source->segment);
}

int source_block_corrupt(const struct source *source, const struct source_block *block, const char *wrong,
                         struct error *err)
{
    return segment_corrupt(&source->segment, block->offset, wrong, err);
}

/* --- dropped tasks ------------------------------------------------------------------------------- */

/* Is the task being thrown away, or was it since we opened its lock file? */
static bool was_dropped(struct source *source)
{
    const struct disk *disk = source->store->disk;
    auto_free char *marker = local_drop_marker(source->log.folder);
    uint64_t size;
    if (disk->stat_size(disk->context, marker, &size) == 0)
        return true;
    bool marked = source->log.mark_file >= 0 && disk->linked(disk->context, source->log.mark_file) == 1;
    return source->identity >= 0 && !marked && disk->linked(disk->context, source->identity) == 0;
}

/* What is written from now on is the journal of another task, of the same name. */
static void begin_anew(struct source *source)
{
    if (source->known) {
        uint64_t first = source->next > source->end.first ? source->next : source->end.first;
        source->dropped = true;
        source->lost =
            (struct source_missed){first, first < source->end.end ? source->end.end : first, false};
        source->next = 0;
    }
    auto_free char *folder = mem_strdup(source->log.folder);
    log_view_done(&source->log);
    log_view_init(&source->log, source->store->disk, folder, source->task);
    local_close_file(source->store->disk, &source->identity);
    segment_close(&source->segment);
    source->end = (struct journal_end){0};
    source->known = source->watched = false;
}

/* --- what is committed --------------------------------------------------------------------------- */

static int read_log(struct source *source, struct error *err)
{
    const struct disk *disk = source->store->disk;
    if (source->identity < 0) {
        auto_free char *path = mem_printf("%s/lock", source->log.folder);
        int file = disk->open(disk->context, path, DISK_READ);
        source->identity = file < 0 ? -1 : file;
    }
    int changed = log_view_refresh(&source->log, LOG_READER, err);
    if (changed < 0)
        return -1;
    if (changed)
        log_state_find(&source->log.state, source->collection, &source->end);
    source->known = true;
    if (source->log.unmarked && evidence_check(source->store, source->collection, source->task, &source->end,
                                               source->log.state.sequence, err) < 0)
        return -1;
    return evidence_check_folder(source->store, source->collection, source->task, &source->end, err);
}

int source_refresh(struct source *source, struct error *err)
{
    bool dropped = was_dropped(source);
    if (!dropped) {
        int result = read_log(source, err);
        if (result == 0 || !was_dropped(source))
            return result;
    }
    begin_anew(source);
    return 1;
}

/* --- where --------------------------------------------------------------------------------------- */

/* Open the segment that holds document source->next. 1; 0: it went away, the committed state has moved on. */
static int find_segment(struct source *source, struct error *err)
{
    uint64_t base = source->end.segment;
    if (source->next < base) {
        struct segment_list list = {0};
        if (segment_list_read(&list, source->store->disk, source->folder, err) < 0)
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
    int opened = segment_open(&source->segment, source->folder, base, DISK_READ, source->collection,
                              source->task, err);
    if (opened > 0) {
        source->offset = source->segment.header_size;
        source->reached = base;
    }
    return opened;
}

/* Before a writer has recovered, the log may be the only one that has the last blocks. */
static bool carried(const struct source *source, uint64_t byte, uint64_t *ret_begin, struct buffer *block)
{
    return source->segment.base == source->end.segment && !fault_planted("no-replay") &&
           carry_find(&source->log, source->collection, source->segment.base, byte, ret_begin, block);
}

static bool is_end_carried(const struct source *source)
{
    struct buffer block;
    uint64_t begin;
    buffer_init(&block, RECORD_DATA_MAX);
    bool found = carried(source, source->end.offset - 1, &begin, &block);
    buffer_done(&block);
    return found;
}

/* A block's header, from the segment or else from the log. */
static int read_block(const struct source *source, uint64_t offset, uint64_t end,
                      struct block_header *ret_header, struct error *err)
{
    if (segment_block(&source->segment, offset, end, ret_header, err) == 0)
        return 0;
    struct buffer block;
    uint64_t begin;
    buffer_init(&block, RECORD_DATA_MAX);
    bool found = carried(source, offset, &begin, &block) && begin == offset && offset + block.size <= end &&
                 !layout_block_get(block.data, ret_header) &&
                 block.size == BLOCK_HEADER + (size_t)ret_header->stored_size;
    buffer_done(&block);
    return found ? 0 : -1;
}

static int read_payload(const struct source *source, struct source_block *into, struct error *err)
{
    const struct segment *segment = &source->segment;
    const struct block_header *header = &into->header;
    if (segment_payload(segment, into->offset, header, &into->stored, &into->raw, err) == 0)
        return 0;
    struct buffer block;
    struct error ignored;
    uint64_t begin;
    buffer_init(&block, RECORD_DATA_MAX);
    int result = -1;
    if (carried(source, into->offset, &begin, &block) && begin == into->offset) {
        struct slice payload = {block.data + BLOCK_HEADER, block.size - BLOCK_HEADER};
        result = segment_take_payload(segment, begin, header, payload, &into->stored, &into->raw, &ignored);
    }
    buffer_done(&block);
    return result;
}

/* Where the committed blocks of the open segment end. 1: the task was dropped meanwhile. */
static int segment_end(struct source *source, uint64_t *ret_end, struct error *err)
{
    const struct disk *disk = source->segment.disk;
    uint64_t size;
    int result = disk->size(disk->context, source->segment.file, &size);
    if (result < 0)
        return disk_error(err, result, "cannot stat %s", source->segment.path);
    bool active = source->segment.base == source->end.segment;
    if (active && (size < source->end.offset || source->segment.flags & SEGMENT_COMPRESSED)) {
        /* Sealed and compressed since the log was read: only a newer state knows it as sealed. */
        result = source_refresh(source, err);
        if (result != 0)
            return result;
        active = source->segment.base == source->end.segment;
    }
    if (active && size < source->end.offset && !is_end_carried(source))
        return segment_corrupt(&source->segment, size, "committed documents are missing at its end", err);
    if (active && source->segment.flags & SEGMENT_COMPRESSED)
        return segment_corrupt(&source->segment, 0, "it is compressed and not sealed", err);
    *ret_end = active ? source->end.offset : size;
    return 0;
}

/* Is there a segment that begins with document `base`? */
static int segment_begins(const struct source *source, uint64_t base, bool *ret_begins, struct error *err)
{
    *ret_begins = base == source->end.segment;
    if (*ret_begins)
        return 0;
    auto_free char *path = local_segment_path(source->folder, base);
    const struct disk *disk = source->store->disk;
    uint64_t size;
    int result = disk->stat_size(disk->context, path, &size);
    if (result < 0 && result != -ENOENT)
        return disk_error(err, result, "cannot stat %s", path);
    *ret_begins = result == 0;
    return 0;
}

/* The open segment's blocks are all read: it has to end where the next one begins. */
static int leave_segment(struct source *source, struct error *err)
{
    if (source->segment.base == source->end.segment)
        return segment_corrupt(&source->segment, source->offset,
                               "documents are missing before the committed end", err);
    bool begins;
    if (segment_begins(source, source->reached, &begins, err) < 0)
        return -1;
    if (!begins) {
        /* Retention may have dropped the next one since the log was read: then `first` has moved past it. */
        int result = source_refresh(source, err);
        if (result != 0)
            return result < 0 ? -1 : 0;
        if (source->reached >= source->end.first && source->reached != source->end.segment)
            return segment_corrupt(&source->segment, source->offset, "it ends before the next segment begins",
                                   err);
    }
    assert(source->next >= source->reached); /* every document of it was given out, or not wanted */
    segment_close(&source->segment);
    return 0;
}

/* Go on with the first document kept. */
static void skip_gone(struct source *source)
{
    if (source->gone.first == source->gone.end)
        source->gone = (struct source_missed){source->next, source->next, !source->begun};
    source->gone.end = source->end.first;
    source->next = source->end.first;
    if (source->segment.file >= 0 && source->segment.base < source->end.first)
        segment_close(&source->segment);
}

/* See that the segment that holds source->next is open. 1; 0: nothing more is committed. */
static int position(struct source *source, struct error *err)
{
    for (int vanished = 0;;) {
        if (source->next < source->end.first)
            skip_gone(source);
        source->begun = source->begun || source->known;
        if (source->next >= source->end.end)
            return 0;
        int found = source->segment.file >= 0 ? 1 : find_segment(source, err);
        if (found != 0)
            return found;
        /* Dropped by retention between the log's reading and now: read the log again. */
        uint64_t before = source->end.first;
        int result = source_refresh(source, err);
        if (result != 0)
            return result < 0 ? -1 : 0;
        if (source->end.first == before && ++vanished > 3)
            return error_set(err, ERROR_CORRUPT,
                             "the segment of collection %s, task %s with document %" PRIu64
                             " is missing in %s",
                             source->collection, source->task, source->next, source->folder);
    }
}

/* Whatever compression leaves as it is. The clock tells transactions of one number apart. */
static uint64_t mark_of(const struct block_header *header)
{
    const uint64_t parts[] = {htole64(header->first), htole64(header->transaction),
                              htole64((uint64_t)header->committed_ms), htole64(header->documents)};
    uint64_t mark = hash_xxh3(parts, sizeof parts, 0);
    return mark ? mark : 1;
}

/* The next block of the open segment. 1: it holds source->next; 0: not, go on. */
static int take_block(struct source *source, struct source_block *block, struct error *err)
{
    struct block_header *header = &block->header;
    uint64_t end = 0, offset = source->offset;
    int result = segment_end(source, &end, err);
    if (result != 0)
        return result < 0 ? -1 : 0;
    if (offset >= end)
        return leave_segment(source, err);
    if (read_block(source, offset, end, header, err) < 0)
        return -1;
    if (header->first != source->reached)
        return segment_corrupt(&source->segment, offset, "its documents are not the ones due here", err);
    source->offset += BLOCK_HEADER + header->stored_size;
    source->reached += header->documents;
    if (source->reached <= source->next)
        return 0;
    block->offset = offset;
    block->mark = mark_of(header);
    return 1;
}

int source_find(struct source *source, struct source_block *block, struct error *err)
{
    if (!source->known && source_refresh(source, err) < 0)
        return -1;
    for (;;) {
        int result = position(source, err);
        if (result > 0)
            result = take_block(source, block, err);
        else if (result == 0)
            return 0;
        if (result < 0 && was_dropped(source)) {
            begin_anew(source);
            return 0;
        }
        if (result != 0)
            return result;
    }
}

int source_load(struct source *source, struct source_block *block, struct error *err)
{
    int found = source_find(source, block, err);
    if (found <= 0 || read_payload(source, block, err) == 0)
        return found;
    if (!was_dropped(source))
        return -1;
    begin_anew(source);
    return 0;
}

int local_mark(struct store *store, const char *collection, const char *writer, uint64_t number,
               uint64_t *ret_mark, struct error *err)
{
    struct source_block block = {0};
    struct source *source = source_new(local_store_of(store), collection, writer, number, err);
    int found = source ? source_find(source, &block, err) : -1;
    /* Where retention has dropped it, the first that is kept was found. */
    if (found > 0 && (number < block.header.first || number - block.header.first >= block.header.documents))
        found = 0;
    if (found > 0)
        *ret_mark = block.mark;
    if (source)
        source_free(source);
    return found;
}
