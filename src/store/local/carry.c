#include "store/local/carry.h"

#include "base/hash.h"
#include "store/local/segment.h"

#include <assert.h>
#include <inttypes.h>

enum { REPLAY_OPEN_MAX = 64 }; /* descriptors */

void carry_block(struct buffer *carried, uint32_t journal, uint64_t offset, struct slice block)
{
    struct carried_head head = {.journal = journal, .size = (uint32_t)block.size, .offset = offset};
    char bytes[CARRIED_HEAD];
    layout_carried_put(&head, bytes);
    buffer_append(carried, bytes, sizeof bytes);
    buffer_append(carried, block.data, block.size);
    assert(!carried->overflowed);
}

/* --- the log's records, one after the other ------------------------------------------------------- */

struct walk {
    const struct log_view *view;
    uint64_t at;                 /* the next page to look at */
    struct record_header header; /* the record: */
    struct buffer payload, data; /* data: once it was asked for */
    uint64_t data_at;
};

static void walk_begin(struct walk *walk, const struct log_view *view)
{
    *walk = (struct walk){.view = view, .at = LAYOUT_PAGE};
    buffer_init(&walk->payload, RECORD_PAYLOAD_MAX);
    buffer_init(&walk->data, RECORD_DATA_MAX);
}

static void walk_done(struct walk *walk)
{
    buffer_done(&walk->payload);
    buffer_done(&walk->data);
}

/* 1: all of it, and its checksum is right; 0: not; or a negated errno. */
static int read_checked(const struct log_view *view, uint64_t at, uint32_t size, uint32_t crc,
                        struct buffer *into)
{
    buffer_clear(into);
    if (at + size > view->file_size || !buffer_reserve(into, size))
        return 0;
    ssize_t got = view->disk->read(view->disk->context, view->file, into->data, size, at);
    if (got < 0)
        return (int)got;
    into->size = (size_t)got;
    return (size_t)got == size && hash_crc32c(0, into->data, size) == crc;
}

/* The next committed record. 1; 0: there is none; or a negated errno. */
static int walk_next(struct walk *walk)
{
    const struct log_view *view = walk->view;
    struct record_header *header = &walk->header;
    char page[RECORD_HEADER];
    while (walk->at + LAYOUT_PAGE <= view->file_size) {
        uint64_t at = walk->at;
        walk->at += LAYOUT_PAGE;
        ssize_t got = view->disk->read(view->disk->context, view->file, page, sizeof page, at);
        if (got < 0)
            return (int)got;
        if (got < RECORD_HEADER || layout_record_get(page, header) || header->salt != view->salt ||
            header->sequence > view->state.sequence)
            continue;
        int good =
            read_checked(view, at + RECORD_HEADER, header->payload_size, header->payload_crc, &walk->payload);
        if (good < 0)
            return good;
        if (!good)
            continue;
        walk->data_at = at + layout_record_copy(header->payload_size) * (header->copy == 0 ? 2 : 1);
        walk->at = walk->data_at + layout_round_up(header->data_size, LAYOUT_PAGE);
        return 1;
    }
    return 0;
}

static int walk_data(struct walk *walk)
{
    return read_checked(walk->view, walk->data_at, walk->header.data_size, walk->header.data_crc,
                        &walk->data);
}

/* The record's journals, from at = NULL. */
static bool walk_journal(const struct walk *walk, const char **at, struct journal_end *ret_end,
                         struct slice *ret_name)
{
    const char *stop = walk->payload.data + walk->payload.size - walk->header.checkpoint_size;
    if (!*at)
        *at = walk->payload.data;
    return *at < stop && layout_journal_get(at, stop, ret_end, ret_name);
}

/* --- recovery ------------------------------------------------------------------------------------- */

struct replayed {
    char *collection;
    struct segment segment;
};

struct replay {
    const struct local_store *store;
    const struct log_view *view;
    struct replayed open[REPLAY_OPEN_MAX];
    size_t count;
};

static int sync_replayed(struct replay *replay, struct error *err)
{
    const struct disk *disk = replay->store->disk;
    int result = 0;
    for (size_t i = 0; i < replay->count; i++) {
        struct replayed *each = &replay->open[i];
        int synced = result == 0 ? disk->sync(disk->context, each->segment.file) : 0;
        if (synced < 0)
            result = disk_error(err, synced, "cannot sync %s", each->segment.path);
        segment_close(&each->segment);
        free(each->collection);
    }
    replay->count = 0;
    return result;
}

/* Its active segment, which is there: it was durable before the log carried anything of it. */
static struct segment *open_replayed(struct replay *replay, const char *collection, uint64_t base,
                                     struct error *err)
{
    for (size_t i = 0; i < replay->count; i++)
        if (strcmp(replay->open[i].collection, collection) == 0)
            return &replay->open[i].segment;
    if (replay->count == REPLAY_OPEN_MAX && sync_replayed(replay, err) < 0)
        return NULL;
    const char *task = replay->view->task;
    auto_free char *folder = local_journal_folder(replay->store, collection, task, err);
    if (!folder)
        return NULL;
    struct replayed *each = &replay->open[replay->count];
    segment_init(&each->segment, replay->store->disk);
    int found = segment_open(&each->segment, folder, base, DISK_WRITE, collection, task, err);
    if (found <= 0) {
        if (found == 0)
            segment_corrupt(&each->segment, 0, "it is missing", err);
        segment_close(&each->segment);
        return NULL;
    }
    each->collection = mem_strdup(collection);
    replay->count++;
    return &each->segment;
}

static int replay_block(struct replay *replay, struct slice name, const struct journal_end *then,
                        uint64_t offset, struct slice block, struct error *err)
{
    const struct disk *disk = replay->store->disk;
    struct journal_end now;
    auto_free char *collection = mem_strndup(name.data, name.size);
    bool active = log_state_find(&replay->view->state, collection, &now) && now.segment == then->segment &&
                  now.offset >= then->offset;
    if (!active) /* sealed since, and that was synced */
        return 0;
    struct segment *segment = open_replayed(replay, collection, now.segment, err);
    if (!segment)
        return -1;
    int result = disk_write_one(disk, segment->file, block.data, block.size, offset);
    return result < 0 ? disk_error(err, result, "cannot write %s", segment->path) : 0;
}

static int replay_record(struct replay *replay, const struct walk *walk, struct error *err)
{
    const char *at = walk->data.data, *stop = at + walk->data.size, *next = NULL;
    struct carried_head head;
    struct slice block, name;
    struct journal_end end;
    uint32_t journal = 0;
    bool sound = true;
    while (at < stop) {
        sound = layout_carried_get(&at, stop, &head, &block);
        /* They are in the order of the record's journals. */
        for (; sound && (!next || journal <= head.journal); journal++)
            sound = walk_journal(walk, &next, &end, &name);
        sound = sound && journal == head.journal + 1 && head.offset <= end.offset &&
                head.size <= end.offset - head.offset;
        if (!sound)
            return error_set(err, ERROR_CORRUPT,
                             "the commit log in %s is damaged: the blocks that commit %" PRIu64
                             " carries make no sense",
                             replay->view->folder, walk->header.sequence);
        if (replay_block(replay, name, &end, head.offset, block, err) < 0)
            return -1;
    }
    return 0;
}

int carry_replay(const struct local_store *store, const struct log_view *view, struct error *err)
{
    struct replay replay = {.store = store, .view = view};
    struct walk walk;
    walk_begin(&walk, view);
    int more, result = 0;
    while (result == 0 && (more = walk_next(&walk)) > 0) {
        /* Carried blocks that are damaged are looked for in the segment alone, like all others. */
        int whole = walk.header.data_size ? walk_data(&walk) : 0;
        if (whole < 0)
            more = whole;
        else if (whole)
            result = replay_record(&replay, &walk, err);
        if (more < 0)
            break;
    }
    if (result == 0 && more < 0)
        result = disk_error(err, more, "cannot read the commit log in %s", view->folder);
    struct error ignored;
    int synced = sync_replayed(&replay, result < 0 ? &ignored : err);
    walk_done(&walk);
    return result < 0 ? -1 : synced;
}

/* --- readers -------------------------------------------------------------------------------------- */

/* The first record whose segment reaches beyond the byte is the one whose transaction wrote it. */
static bool wrote(const struct walk *walk, const char *collection, uint64_t segment, uint64_t offset,
                  uint32_t *ret_journal)
{
    struct journal_end end;
    struct slice name;
    uint32_t journal = 0;
    for (const char *at = NULL; walk_journal(walk, &at, &end, &name); journal++) {
        if (slice_is(name, collection)) {
            *ret_journal = journal;
            return end.segment == segment && end.offset > offset;
        }
    }
    return false;
}

int carry_find(const struct log_view *view, const char *collection, uint64_t segment, uint64_t offset,
               uint64_t *ret_begin, struct buffer *block)
{
    if (view->file < 0)
        return 0;
    struct walk walk;
    walk_begin(&walk, view);
    uint32_t journal;
    bool there = false;
    while (!there && walk_next(&walk) > 0)
        there = wrote(&walk, collection, segment, offset, &journal);
    int found = 0;
    if (there && walk.header.data_size && walk_data(&walk) > 0) {
        struct carried_head head;
        struct slice bytes;
        const char *at = walk.data.data, *stop = at + walk.data.size;
        while (!found && at < stop && layout_carried_get(&at, stop, &head, &bytes)) {
            if (head.journal != journal || offset < head.offset || offset - head.offset >= head.size)
                continue;
            buffer_clear(block);
            buffer_append(block, bytes.data, bytes.size);
            *ret_begin = head.offset;
            found = !block->overflowed;
        }
    }
    walk_done(&walk);
    return found;
}
