#include "store/local/journal.h"

#include "base/fault.h"
#include "base/hash.h"
#include "store/local/carry.h"
#include "store/local/evidence.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum {
    BLOCK_FIRST_CAPACITY = 8 << 10,
    BLOCK_ALIGN = 64,
    COMPRESS_MIN = 64 << 10,
    START_SYNC = 1 << 20, /* bytes after which the cache is told to begin writing */
};

struct journal *journal_new(struct local_store *store, const char *collection, const char *task,
                            const struct journal_end *committed, struct compressor *compressor)
{
    struct journal *journal = mem_zalloc(sizeof *journal);
    journal->store = store;
    journal->collection = mem_strdup(collection);
    journal->task = mem_strdup(task);
    journal->committed = journal->now = *committed;
    journal->compressor = compressor;
    segment_init(&journal->segment, store->disk);
    return journal;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    segment_close(&journal->segment);
    free(journal->collection);
    free(journal->task);
    free(journal->folder);
    free(journal->block);
    append_shrink(&journal->append);
    free(journal->sealed);
    free(journal);
}

/* --- blocks -------------------------------------------------------------------------------------- */

/* Begin a block in memory at the place in its 64 bytes that it will have in the file: copies between two such
 * places go at full speed, others at half. */
static void begin_block(struct journal *journal)
{
    uintptr_t at = (uintptr_t)journal->block;
    journal->block_start = (size_t)((journal->now.offset - at) % BLOCK_ALIGN);
    journal->block_size = journal->block_start + BLOCK_HEADER;
    journal->block_documents = 0;
}

size_t journal_grow(struct journal *journal, size_t size)
{
    size_t needed =
        (journal->block_size ? journal->block_size : BLOCK_ALIGN + BLOCK_HEADER) + BLOCK_RECORD + size;
    size_t capacity = journal->block_capacity ? journal->block_capacity * 2 : BLOCK_FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    size_t most = journal->options.block_bytes;
    if (capacity > most)
        capacity = needed > most ? needed : most + BLOCK_ALIGN;
    size_t gained = capacity - journal->block_capacity;
    journal->block = mem_realloc(journal->block, capacity);
    journal->block_capacity = capacity;
    if (journal->block_documents == 0)
        begin_block(journal);
    return gained;
}

size_t journal_shrink(struct journal *journal)
{
    size_t gained = journal->block_capacity;
    append_shrink(&journal->append);
    free(journal->block);
    journal->block = NULL;
    journal->block_capacity = journal->block_size = journal->block_start = 0;
    return gained;
}

static int begin_segment(struct journal *journal, struct error *err)
{
    const struct disk *disk = journal->store->disk;
    struct segment *segment = &journal->segment;
    segment_close(segment);
    segment->base = journal->now.segment;
    segment->path = local_segment_path(journal->folder, segment->base);
    segment->flags = 0;
    segment->begun_ms = clock_wall_ms(journal->store->clock);
    segment->file = disk->open(disk->context, segment->path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    if (segment->file < 0) {
        int result = segment->file;
        segment->file = -1;
        return disk_error(err, result, "cannot make %s", segment->path);
    }
    journal->folder_unsynced = true;
    struct segment_header header = {
        .base = segment->base,
        .begun_ms = segment->begun_ms,
        .collection = slice_of(journal->collection),
        .task = slice_of(journal->task),
    };
    char bytes[SEGMENT_HEADER_MAX];
    size_t size = layout_segment_put(&header, bytes);
    append_begin(&journal->append);
    journal->resumed = true;
    struct iovec part = {bytes, size};
    int result = append_write(&journal->append, disk, segment->file, &part, 1, 0, !journal->cached);
    if (result < 0)
        return disk_error(err, result, "cannot write %s", segment->path);
    segment->header_size = header.size;
    journal->now.offset = size;
    journal->plain = 0;
    return 0;
}

static int sync_segment(struct journal *journal, struct error *err)
{
    const struct disk *disk = journal->store->disk;
    if (!journal->unsynced)
        return 0;
    int result = disk->sync(disk->context, journal->segment.file);
    if (result < 0)
        return disk_error(err, result, "cannot sync %s", journal->segment.path);
    journal->unsynced = false;
    journal->unstarted = 0;
    return 0;
}

static void add_sealed(struct journal *journal, struct sealed_segment sealed)
{
    journal->sealed = mem_grow(journal->sealed, &journal->sealed_capacity, journal->sealed_count + 1,
                               sizeof *journal->sealed);
    journal->sealed[journal->sealed_count++] = sealed;
}

static int open_active(struct journal *journal, struct error *err)
{
    if (journal->segment.file >= 0)
        return 0;
    if (journal->now.offset == 0)
        return begin_segment(journal, err);
    int found = segment_open(&journal->segment, journal->folder, journal->now.segment, DISK_WRITE,
                             journal->collection, journal->task, err);
    if (found <= 0)
        return found == 0 ? segment_corrupt(&journal->segment, 0, "it is missing", err) : -1;
    journal->resumed = false;
    return 0;
}

/* The active segment is full: it is never written again. */
static int seal(struct journal *journal, struct error *err)
{
    fault_point("store.seal.before-sync");
    const struct disk *disk = journal->store->disk;
    if (open_active(journal, err) < 0)
        return -1;
    /* A sealed segment ends with its last block, not with its last page, nor with what was written ahead. */
    uint64_t size;
    int result = disk->size(disk->context, journal->segment.file, &size);
    if (result == 0 && size > journal->now.offset) {
        result = disk->truncate(disk->context, journal->segment.file, journal->now.offset);
        journal->unsynced = true;
    }
    if (result < 0)
        return disk_error(err, result, "cannot cut %s", journal->segment.path);
    if (sync_segment(journal, err) < 0)
        return -1;
    add_sealed(journal, (struct sealed_segment){.base = journal->now.segment,
                                                .bytes = journal->now.offset,
                                                .plain = journal->plain,
                                                .begun_ms = journal->segment.begun_ms});
    segment_close(&journal->segment);
    journal->now.segment = journal->now.end;
    journal->now.offset = 0;
    fault_point("store.seal.after-sync");
    return 0;
}

/* Ready to append to the active segment. */
static int open_end(struct journal *journal, struct error *err)
{
    if (open_active(journal, err) < 0)
        return -1;
    if (journal->resumed)
        return 0;
    uint64_t end = journal->now.offset;
    int result = append_resume(&journal->append, journal->store->disk, journal->segment.file, end);
    if (result == -ENODATA)
        return segment_corrupt(&journal->segment, end, "committed documents are missing at its end", err);
    if (result < 0)
        return disk_error(err, result, "cannot read %s", journal->segment.path);
    journal->resumed = true;
    return 0;
}

/* What is carried is synced much later: so that little is left to do then, it is begun now. */
static void start_sync(struct journal *journal)
{
    const struct disk *disk = journal->store->disk;
    if (journal->unstarted < START_SYNC)
        return;
    disk->start_sync(disk->context, journal->segment.file, journal->now.offset - journal->unstarted,
                     journal->unstarted);
    journal->unstarted = 0;
}

/* Write a block whose header says what it holds; the first part begins with room for that header. `plain`:
 * it was not tried to compress it. */
static int write_block(struct journal *journal, struct block_header *header, const struct iovec *parts,
                       int count, bool plain, bool carried, struct error *err)
{
    if (open_end(journal, err) < 0)
        return -1;
    journal->plain += plain ? header->stored_size : 0;
    header->first = journal->now.end;
    header->committed_ms = clock_wall_ms(journal->store->clock);
    layout_block_put(header, parts[0].iov_base);
    journal->unsynced = true;
    int result = append_write(&journal->append, journal->store->disk, journal->segment.file, parts, count,
                              journal->now.offset, !journal->cached);
    if (result < 0)
        return disk_error(err, result, "cannot write %s", journal->segment.path);
    journal->now.offset += BLOCK_HEADER + header->stored_size;
    journal->unstarted += carried ? BLOCK_HEADER + header->stored_size : 0;
    start_sync(journal);
    journal->now.end += header->documents;
    journal->now.committed_ms = header->committed_ms;
    uint64_t full = journal->options.segment_bytes;
    return journal->now.offset >= full ? seal(journal, err) : 0;
}

bool journal_can_carry(const struct journal *journal)
{
    const struct journal_end *now = &journal->now, *before = &journal->committed;
    return now->segment == before->segment && now->offset == before->offset &&
           (journal->block_documents == 0 ||
            (now->offset > 0 &&
             now->offset + journal->block_size - journal->block_start < journal->options.segment_bytes));
}

int journal_flush(struct journal *journal, uint64_t transaction, struct buffer *carried, uint32_t index,
                  struct error *err)
{
    if (journal->block_documents == 0)
        return 0;
    struct block_header header = {.documents = journal->block_documents, .transaction = transaction};
    char *payload = journal->block + journal->block_start + BLOCK_HEADER;
    size_t size = journal->block_size - journal->block_start - BLOCK_HEADER;
    char *packed = NULL;
    bool worth_it = journal->options.compression == STORE_COMPRESSION_ZSTD && size >= COMPRESS_MIN;
    if (worth_it)
        packed = compressor_run(journal->compressor, (struct slice){payload, size}, &header);
    if (!packed) {
        header.stored_size = header.raw_size = (uint32_t)size;
        header.payload_crc = hash_crc32c(0, payload, size);
    }
    struct iovec part = {(packed ? packed : payload) - BLOCK_HEADER, BLOCK_HEADER + header.stored_size};
    uint64_t offset = journal->now.offset;
    if (write_block(journal, &header, &part, 1, !worth_it, carried, err) < 0)
        return -1;
    if (carried)
        carry_block(carried, index, offset, (struct slice){part.iov_base, part.iov_len});
    begin_block(journal);
    return 0;
}

int journal_write_large(struct journal *journal, uint64_t transaction, struct slice document,
                        struct error *err)
{
    assert(journal->block_documents == 0);
    struct block_header header = {.documents = 1, .transaction = transaction};
    char head[BLOCK_HEADER + BLOCK_RECORD];
    put_u32(head + BLOCK_HEADER, (uint32_t)document.size);
    header.stored_size = header.raw_size = (uint32_t)(BLOCK_RECORD + document.size);
    header.payload_crc =
        hash_crc32c(hash_crc32c(0, head + BLOCK_HEADER, BLOCK_RECORD), document.data, document.size);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)(uintptr_t)document.data, document.size}};
    return write_block(journal, &header, parts, 2, true, false, err);
}

/* --- transactions -------------------------------------------------------------------------------- */

int journal_sync(struct journal *journal, struct error *err)
{
    const struct disk *disk = journal->store->disk;
    if (sync_segment(journal, err) < 0)
        return -1;
    if (journal->folder_unsynced) {
        int result = disk->sync_folder(disk->context, journal->folder);
        if (result < 0)
            return disk_error(err, result, "cannot sync the folder %s", journal->folder);
        journal->folder_unsynced = false;
    }
    return 0;
}

int journal_truncate(struct journal *journal, struct error *err)
{
    /* What was gathered is numbered like everything else, and dropped with it. */
    journal->now.end += journal->block_documents;
    if (journal->block)
        begin_block(journal);
    journal->now.first = journal->now.end;
    journal->now.committed_ms = clock_wall_ms(journal->store->clock);
    return journal->now.offset > 0 ? seal(journal, err) : (journal->now.segment = journal->now.end, 0);
}

void journal_committed(struct journal *journal)
{
    journal->committed = journal->now;
}

/* --- recovery ------------------------------------------------------------------------------------ */

static int remove_file(struct journal *journal, const char *path, struct error *err)
{
    const struct disk *disk = journal->store->disk;
    int result = disk->unlink(disk->context, path);
    return result < 0 && result != -ENOENT ? disk_error(err, result, "cannot remove %s", path) : 0;
}

static void remove_temporary(void *argument, const char *name)
{
    struct journal *journal = argument;
    auto_free char *path = mem_printf("%s/%s", journal->folder, name);
    if (string_ends_with(name, ".seg.tmp"))
        journal->store->disk->unlink(journal->store->disk->context, path);
}

/* Nothing is appended behind damage, and nothing is cut or removed before it is known that there is none. The
 * sealed segments are not read: that would take as long as there are documents. */
static int verify_active(struct journal *journal, struct error *err)
{
    if (journal->now.offset == 0)
        return 0;
    if (open_active(journal, err) < 0)
        return -1;
    if (journal->segment.flags & SEGMENT_COMPRESSED)
        return segment_corrupt(&journal->segment, 0, "it is compressed and not sealed", err);
    return segment_verify(&journal->segment, journal->now.offset, journal->now.end, &journal->plain, err);
}

/* Cut the active segment to its committed length. */
static int cut_active(struct journal *journal, struct error *err)
{
    const struct disk *disk = journal->store->disk;
    struct journal_end *end = &journal->now;
    if (end->offset == 0)
        return 0;
    uint64_t size;
    int result = disk->size(disk->context, journal->segment.file, &size);
    if (result == 0 && size > end->offset) {
        result = disk->truncate(disk->context, journal->segment.file, end->offset);
        if (result == 0)
            result = disk->sync(disk->context, journal->segment.file);
    }
    if (result < 0)
        return disk_error(err, result, "cannot cut %s to its committed length", journal->segment.path);
    return 0;
}

/* The planted bug "no-cut": what the active segment holds past its committed end is taken as committed. */
static void adopt_tail(struct journal *journal)
{
    struct error ignored;
    struct journal_end *end = &journal->now;
    int found = segment_open(&journal->segment, journal->folder, end->segment, DISK_WRITE,
                             journal->collection, journal->task, &ignored);
    uint64_t size;
    if (found <= 0) {
        segment_close(&journal->segment);
        return;
    }
    if (end->offset == 0)
        end->offset = journal->segment.header_size;
    journal->store->disk->size(journal->store->disk->context, journal->segment.file, &size);
    struct block_header header;
    while (end->offset < size &&
           segment_block(&journal->segment, end->offset, size, &header, &ignored) == 0) {
        end->offset += BLOCK_HEADER + header.stored_size;
        end->end += header.documents;
    }
    segment_close(&journal->segment); /* to be opened again at its new end */
    journal->committed = *end;
}

int journal_recover(struct journal *journal, uint64_t last, struct error *err)
{
    const struct disk *disk = journal->store->disk;
    journal->folder = local_journal_folder(journal->store, journal->collection, journal->task, err);
    if (!journal->folder)
        return -1;
    /* A journal that was committed to has its folders. */
    if (journal->committed.end == 0 && local_make_folders(journal->store, journal->folder, err) < 0)
        return -1;
    if (fault_planted("no-cut"))
        adopt_tail(journal);
    if (evidence_check(journal->store, journal->collection, journal->task, &journal->now, last, err) < 0 ||
        verify_active(journal, err) < 0)
        return -1;
    struct segment_list list = {0};
    int result = segment_list_read(&list, disk, journal->folder, err);
    if (result == 0 && list.leftovers)
        disk->list(disk->context, journal->folder, remove_temporary, journal);
    const struct journal_end *end = &journal->now;
    bool removed = list.leftovers;
    for (size_t i = 0; i < list.count && result == 0; i++) {
        uint64_t base = list.bases[i], bytes;
        auto_free char *path = local_segment_path(journal->folder, base);
        bool past = base > end->segment || (base == end->segment && end->offset == 0);
        if (past || base < end->first) {
            /* Below `first`: a segment that holds nothing kept. `first` is always the base of a segment. */
            result = remove_file(journal, path, err);
            removed = true;
        } else if (base < end->segment) {
            result = disk->stat_size(disk->context, path, &bytes);
            if (result < 0)
                disk_error(err, result, "cannot stat %s", path);
            else
                add_sealed(journal, (struct sealed_segment){base, bytes, .plain = JOURNAL_UNKNOWN});
        }
    }
    segment_list_done(&list);
    if (result < 0 || cut_active(journal, err) < 0)
        return -1;
    if (removed && (result = disk->sync_folder(disk->context, journal->folder)) < 0)
        return disk_error(err, result, "cannot sync the folder %s", journal->folder);
    fault_point("store.open.after-cut");
    return 0;
}
