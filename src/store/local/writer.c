#include "store/local/writer.h"

#include "base/fault.h"
#include "store/local/recover.h"
#include "store/local/upkeep.h"

#include <assert.h>

enum {
    GATHER_MAX = 4 << 20,    /* bytes of all blocks being gathered: beyond it they are written */
    OPEN_SEGMENTS_MAX = 256, /* descriptors */
    SEGMENT_BYTES_DEFAULT = 64 << 20,
    SEGMENT_BYTES_MIN = 4 << 10,
    BLOCK_BYTES_MIN = 512,
    LARGE_COUNTS = 4,       /* a large transaction as so many small ones; */
    LARGE_MANY = 8,         /* as many are to be written another way, */
    LARGE_MOST = 16,        /* and so many small ones end that */
    UPKEEP_MIN = 256 << 10, /* bytes of sealed segments worked on after a commit, at least */
};

static struct local_writer *writer_of(struct store_writer *writer)
{
    return (struct local_writer *)writer;
}

/* --- upkeep -------------------------------------------------------------------------------------- */

/* Compress for about `budget` bytes: in proportion to what was committed, so that it keeps up and no commit
 * waits long. A segment begun is finished before another journal's turn. */
static void pack(struct local_writer *writer, uint64_t budget)
{
    for (size_t i = 0; i < writer->journals_count && budget > 0; i++) {
        struct journal *journal = writer->journals[i];
        if (journal->listed)
            budget = packer_work(writer->packer, journal, budget);
    }
}

static void upkeep(struct local_writer *writer, uint64_t committed_bytes)
{
    for (size_t i = 0; i < writer->journals_count; i++)
        if (writer->journals[i]->listed)
            retain_remove(writer->journals[i]);
    pack(writer, 2 * committed_bytes + UPKEEP_MIN);
}

/* Before closing: what was sealed by the last commits, and no more than that of an older backlog. */
static void finish_upkeep(struct local_writer *writer)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < writer->journals_count; i++)
        if (writer->journals[i]->options.segment_bytes > largest)
            largest = writer->journals[i]->options.segment_bytes;
    pack(writer, 2 * largest);
}

/* --- open and close ------------------------------------------------------------------------------ */

void local_writer_close(struct store_writer *base)
{
    struct local_writer *writer = writer_of(base);
    const struct disk *disk = writer->store->disk;
    if (!writer->failed)
        finish_upkeep(writer);
    packer_free(writer->packer);
    compressor_free(writer->compressor);
    /* Not needed, since the log carries them: for whoever copies the files of a store that nobody uses. */
    struct error ignored;
    for (size_t i = 0; i < writer->journals_count; i++) {
        if (!writer->failed)
            journal_sync(writer->journals[i], &ignored);
        journal_free(writer->journals[i]);
    }
    free(writer->journals);
    log_writer_done(&writer->log);
    free(writer->opened.payload);
    buffer_done(&writer->ends);
    buffer_done(&writer->carried);
    local_close_file(disk, &writer->lock);
    free(writer->task);
    free(writer->folder);
    free(writer);
}

/* Every journal that is committed to is carried on in each record, opened or not. */
static void carry_journals(struct local_writer *writer)
{
    struct journal_end end;
    struct slice name;
    if (writer->opened.sequence == 0)
        return;
    for (const char *at = NULL; log_state_journal(&writer->opened, &at, &end, &name);) {
        auto_free char *collection = mem_strndup(name.data, name.size);
        writer->journals = mem_grow(writer->journals, &writer->journals_capacity, writer->journals_count + 1,
                                    sizeof(struct journal *));
        writer->journals[writer->journals_count++] =
            journal_new(writer->store, collection, writer->task, &end, writer->compressor);
    }
}

struct store_writer *local_writer_open(struct store *base, const char *task, struct slice *ret_checkpoint,
                                       struct error *err)
{
    struct local_store *store = local_store_of(base);
    if (store->read_only) {
        error_set(err, ERROR_INVALID, "the store %s is open for reading only", store->folder);
        return NULL;
    }
    auto_free char *folder = local_task_folder(store, task, err);
    if (!folder || local_make_folders(store, folder, err) < 0)
        return NULL;
    struct local_writer *writer = mem_zalloc(sizeof *writer);
    writer->base.engine = &store_engine_local;
    writer->store = store;
    writer->task = mem_strdup(task);
    writer->folder = mem_strdup(folder);
    writer->lock = -1;
    writer->cached = true;
    writer->large = LARGE_MANY - LARGE_COUNTS; /* if the first is large it goes around the cache */
    writer->compressor = compressor_new();
    writer->packer = packer_new(store->disk, writer->compressor);
    log_writer_init(&writer->log, store->disk, folder, task, store->log_bytes);
    buffer_init(&writer->ends, RECORD_PAYLOAD_MAX - STORE_CHECKPOINT_MAX);
    buffer_init(&writer->carried, RECORD_DATA_MAX);
    if (writer_recover(writer, err) < 0) {
        error_wrap(err, "cannot open the journals of task %s", task);
        local_writer_close(&writer->base);
        return NULL;
    }
    carry_journals(writer);
    *ret_checkpoint = log_state_checkpoint(&writer->opened);
    return &writer->base;
}

static struct journal *find_journal(struct local_writer *writer, const char *collection, uint32_t *ret_index)
{
    for (size_t i = 0; i < writer->journals_count; i++) {
        if (strcmp(writer->journals[i]->collection, collection) == 0) {
            *ret_index = (uint32_t)i;
            return writer->journals[i];
        }
    }
    return NULL;
}

static int refuse_failed(struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "the store's writer failed before: it has to be closed and opened again");
}

/* Keep the number of open files bounded: close the one used longest ago. */
static int make_room_for_file(struct local_writer *writer, struct error *err)
{
    struct journal *oldest = NULL;
    size_t open = 0;
    for (size_t i = 0; i < writer->journals_count; i++) {
        struct journal *journal = writer->journals[i];
        if (journal->segment.file < 0)
            continue;
        open++;
        if (!oldest || journal->used_at < oldest->used_at)
            oldest = journal;
    }
    if (open < OPEN_SEGMENTS_MAX)
        return 0;
    /* Synced before it is closed: the error of a later writeback might go unreported. */
    if (journal_sync(oldest, err) < 0)
        return -1;
    segment_close(&oldest->segment);
    return 0;
}

int local_writer_journal(struct store_writer *base, const char *collection,
                         const struct store_journal_options *options, uint32_t *ret_journal,
                         struct error *err)
{
    struct local_writer *writer = writer_of(base);
    if (writer->failed)
        return refuse_failed(err);
    uint32_t index;
    struct journal *journal = find_journal(writer, collection, &index);
    if (!journal) {
        if (writer->journals_count >= STORE_JOURNALS_MAX)
            return error_set(err, ERROR_LIMIT, "task %s would write to more than %d collections",
                             writer->task, STORE_JOURNALS_MAX);
        journal = journal_new(writer->store, collection, writer->task, &(struct journal_end){0},
                              writer->compressor);
        writer->journals = mem_grow(writer->journals, &writer->journals_capacity, writer->journals_count + 1,
                                    sizeof(struct journal *));
        index = (uint32_t)writer->journals_count;
        writer->journals[writer->journals_count++] = journal;
    }
    journal->options = *options;
    if (journal->options.segment_bytes == 0)
        journal->options.segment_bytes = SEGMENT_BYTES_DEFAULT;
    else if (journal->options.segment_bytes < SEGMENT_BYTES_MIN)
        journal->options.segment_bytes = SEGMENT_BYTES_MIN;
    if (journal->options.block_bytes == 0 || journal->options.block_bytes > BLOCK_TARGET)
        journal->options.block_bytes = BLOCK_TARGET;
    else if (journal->options.block_bytes < BLOCK_BYTES_MIN)
        journal->options.block_bytes = BLOCK_BYTES_MIN;
    if (!journal->listed &&
        (make_room_for_file(writer, err) < 0 || journal_recover(journal, writer->sequence, err) < 0)) {
        writer->failed = true;
        return error_wrap(err, "cannot open the journal of collection %s", collection);
    }
    journal->listed = true;
    journal->cached = writer->cached;
    journal->used_at = ++writer->tick;
    *ret_journal = index;
    return 0;
}

/* --- the open transaction ------------------------------------------------------------------------ */

static int fail(struct local_writer *writer)
{
    writer->failed = true;
    return -1;
}

static int ready_to_flush(struct local_writer *writer, struct journal *journal, struct error *err)
{
    if (journal->segment.file < 0 && make_room_for_file(writer, err) < 0)
        return -1;
    journal->used_at = ++writer->tick;
    return 0;
}

static int flush_journal(struct local_writer *writer, struct journal *journal, struct error *err)
{
    return ready_to_flush(writer, journal, err) < 0
               ? -1
               : journal_flush(journal, writer->sequence + 1, NULL, 0, err);
}

static void set_cached(struct local_writer *writer, bool cached)
{
    if (writer->cached == cached)
        return;
    writer->cached = cached;
    for (size_t i = 0; i < writer->journals_count; i++)
        writer->journals[i]->cached = cached;
}

/* Too much is gathered in too many blocks: write them all and begin anew. */
static int flush_all(struct local_writer *writer, bool shrink, struct error *err)
{
    for (size_t i = 0; i < writer->journals_count; i++) {
        struct journal *journal = writer->journals[i];
        if (journal->block_documents > 0 && flush_journal(writer, journal, err) < 0)
            return -1;
        if (shrink)
            writer->gathered -= journal_shrink(journal);
    }
    return 0;
}

static __attribute__((noinline)) int append_slowly(struct local_writer *writer, struct journal *journal,
                                                   struct slice document, struct error *err)
{
    bool large = document.size > journal->options.block_bytes - BLOCK_HEADER - BLOCK_RECORD;
    if (large || journal->block_capacity >= journal->options.block_bytes) {
        if (writer->pending >= BLOCK_TARGET) { /* a transaction of many megabytes, perhaps */
            writer->large = LARGE_MOST;
            set_cached(writer, false);
        }
        if (flush_journal(writer, journal, err) < 0)
            return -1;
    }
    if (large) {
        if (journal->segment.file < 0 && make_room_for_file(writer, err) < 0)
            return -1;
        return journal_write_large(journal, writer->sequence + 1, document, err);
    }
    if (!journal_room(journal, document.size)) {
        if (writer->gathered >= GATHER_MAX && flush_all(writer, true, err) < 0)
            return -1;
        writer->gathered += journal_grow(journal, document.size);
    }
    return 1;
}

int local_append(struct store_writer *base, uint32_t index, struct slice document, struct error *err)
{
    struct local_writer *writer = writer_of(base);
    assert(index < writer->journals_count && writer->journals[index]->listed);
    struct journal *journal = writer->journals[index];
    if (writer->failed)
        return refuse_failed(err);
    if (document.size > STORE_DOCUMENT_MAX)
        return error_set(err, ERROR_LIMIT, "a document for collection %s has %zu bytes; the limit is %d",
                         journal->collection, document.size, STORE_DOCUMENT_MAX);
    char *room = journal_room(journal, document.size);
    writer->pending += document.size + BLOCK_RECORD;
    if (!room) {
        int result = append_slowly(writer, journal, document, err);
        if (result <= 0)
            return result < 0 ? fail(writer) : 0;
        room = journal_room(journal, document.size);
    }
    put_u32(room, (uint32_t)document.size);
    if (document.size)
        memcpy(room + BLOCK_RECORD, document.data, document.size);
    journal->block_size += BLOCK_RECORD + document.size;
    journal->block_documents++;
    return 0;
}

uint64_t local_writer_pending(const struct store_writer *base)
{
    return ((const struct local_writer *)base)->pending;
}

int local_truncate(struct store_writer *base, uint32_t index, struct error *err)
{
    struct local_writer *writer = writer_of(base);
    assert(index < writer->journals_count && writer->journals[index]->listed);
    if (writer->failed)
        return refuse_failed(err);
    return journal_truncate(writer->journals[index], err) < 0 ? fail(writer) : 0;
}

/* --- commit -------------------------------------------------------------------------------------- */

static int sync_all(struct local_writer *writer, struct error *err)
{
    for (size_t i = 0; i < writer->journals_count; i++)
        if (journal_sync(writer->journals[i], err) < 0)
            return -1;
    return 0;
}

/* Where nearly all transactions are small they go through the page cache, and are carried; otherwise they go
 * around it. A change waits for what is dirty in the cache, which costs more than either way saves, so that
 * one among many others goes their way. */
static void choose_way(struct local_writer *writer)
{
    if (writer->pending > CARRIED_MAX)
        writer->large = writer->large + LARGE_COUNTS < LARGE_MOST ? writer->large + LARGE_COUNTS : LARGE_MOST;
    else if (writer->pending > 0 && writer->large > 0)
        writer->large--;
    if (writer->large == 0 || writer->large >= LARGE_MANY)
        set_cached(writer, writer->large == 0);
}

/* Does the record carry the transaction? Then one sync is enough. */
static bool can_carry(const struct local_writer *writer)
{
    if (!writer->cached || writer->pending > CARRIED_MAX)
        return false;
    for (size_t i = 0; i < writer->journals_count; i++)
        if (!journal_can_carry(writer->journals[i]))
            return false;
    return true;
}

/* The blocks go to the segments, for readers, and to the record, so that they are durable with it. */
static int flush_carried(struct local_writer *writer, struct error *err)
{
    buffer_clear(&writer->carried);
    for (size_t i = 0; i < writer->journals_count; i++) {
        struct journal *journal = writer->journals[i];
        if (journal->block_documents > 0 &&
            (ready_to_flush(writer, journal, err) < 0 ||
             journal_flush(journal, writer->sequence + 1, &writer->carried, (uint32_t)i, err) < 0))
            return -1;
    }
    return 0;
}

/* What the record says of each journal: where the open transaction leaves it, or (for a planted bug) found
 * it. */
static uint32_t encode_ends(struct local_writer *writer, bool as_committed)
{
    buffer_clear(&writer->ends);
    for (size_t i = 0; i < writer->journals_count; i++) {
        struct journal *journal = writer->journals[i];
        struct slice name = slice_of(journal->collection);
        bool room = buffer_reserve(&writer->ends, RECORD_JOURNAL + name.size);
        assert(room), (void)room;
        layout_journal_put(as_committed ? &journal->committed : &journal->now, name,
                           writer->ends.data + writer->ends.size);
        writer->ends.size += RECORD_JOURNAL + name.size;
    }
    return (uint32_t)writer->journals_count;
}

static int write_record(struct local_writer *writer, struct slice checkpoint, bool carried, bool as_committed,
                        struct error *err)
{
    struct log_record record = {
        .sequence = writer->sequence + 1,
        .committed_ms = clock_wall_ms(writer->store->clock),
        .count = encode_ends(writer, as_committed),
        .checkpoint = checkpoint,
    };
    record.journals = (struct slice){writer->ends.data, writer->ends.size};
    if (carried)
        record.data = (struct slice){writer->carried.data, writer->carried.size};
    if (!log_writer_has_room(&writer->log, &record)) { /* what the log carries goes with it */
        if (!fault_planted("roll-before-sync") && sync_all(writer, err) < 0)
            return -1;
        fault_point("store.log.after-segments");
    }
    return log_writer_append(&writer->log, &record, err);
}

static int commit(struct local_writer *writer, struct slice checkpoint, struct error *err)
{
    fault_point("store.commit.before-write");
    if (fault_planted("checkpoint-before-documents")) {
        if (write_record(writer, checkpoint, false, true, err) < 0)
            return -1;
        writer->sequence++;
    }
    choose_way(writer);
    bool carry = can_carry(writer);
    if ((carry ? flush_carried(writer, err) : flush_all(writer, false, err)) < 0)
        return -1;
    fault_point("store.commit.after-blocks");
    if (fault_planted("commit-before-sync"))
        return write_record(writer, checkpoint, false, false, err) < 0 ? -1 : sync_all(writer, err);
    if (!carry && sync_all(writer, err) < 0)
        return -1;
    fault_point("store.commit.after-sync");
    int64_t now = clock_wall_ms(writer->store->clock);
    for (size_t i = 0; i < writer->journals_count; i++)
        if (writer->journals[i]->listed)
            retain_choose(writer->journals[i], now);
    if (write_record(writer, checkpoint, carry, false, err) < 0)
        return -1;
    fault_point("store.commit.after-record");
    return 0;
}

int local_commit(struct store_writer *base, struct slice checkpoint, struct error *err)
{
    struct local_writer *writer = writer_of(base);
    if (writer->failed)
        return refuse_failed(err);
    if (commit(writer, checkpoint, err) < 0)
        return fail(writer);
    uint64_t bytes = writer->pending;
    writer->sequence++;
    writer->pending = 0;
    for (size_t i = 0; i < writer->journals_count; i++)
        journal_committed(writer->journals[i]);
    log_writer_publish(&writer->log, writer->sequence);
    fault_point("store.commit.after-publish");
    upkeep(writer, bytes);
    return 0;
}
