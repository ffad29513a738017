/* Compression of sealed segments that were written in small transactions: read, check, write beside, sync,
 * rename over. */
#include "base/fault.h"
#include "base/hash.h"
#include "store/local/upkeep.h"

#include <errno.h>

enum {
    PACK_BLOCK_MAX = 2 << 20,  /* a larger block (one large document) stays as it is */
    PACK_PIECE = 1 << 20,      /* in which it is copied */
    PACK_OPEN_COST = 64 << 10, /* what looking at a segment counts for */
    PACK_WORTH = 4,            /* a segment is left as it is if less than this part of it is not compressed */
    PACK_SAMPLE = 8,           /* blocks by which a segment is judged that another writer sealed */
};

struct packer {
    const struct disk *disk;
    struct compressor *compressor;
    struct journal *journal; /* NULL: nothing in progress */
    struct segment in;
    uint64_t in_offset, in_end, reached, next_base;
    char *path; /* of the new file */
    int out;
    uint64_t out_offset;
    struct buffer stored, raw;
};

struct packer *packer_new(const struct disk *disk, struct compressor *compressor)
{
    struct packer *packer = mem_zalloc(sizeof *packer);
    packer->disk = disk;
    packer->compressor = compressor;
    packer->out = -1;
    segment_init(&packer->in, disk);
    buffer_init(&packer->stored, PACK_BLOCK_MAX);
    buffer_init(&packer->raw, PACK_BLOCK_MAX);
    return packer;
}

static void let_go(struct packer *packer)
{
    segment_close(&packer->in);
    local_close_file(packer->disk, &packer->out);
    free(packer->path);
    packer->path = NULL;
    packer->journal = NULL;
}

static void abandon(struct packer *packer)
{
    if (packer->path)
        packer->disk->unlink(packer->disk->context, packer->path);
    let_go(packer);
}

void packer_free(struct packer *packer)
{
    if (!packer)
        return;
    abandon(packer);
    buffer_done(&packer->stored);
    buffer_done(&packer->raw);
    free(packer);
}

/* Would compressing this sealed segment gain something? What this writer sealed is known to the byte; what an
 * earlier one left is judged by its first blocks, which costs little even if there are thousands. */
static bool is_worth_it(const struct packer *packer, const struct sealed_segment *sealed)
{
    if (sealed->plain != JOURNAL_UNKNOWN)
        return sealed->plain > sealed->bytes / PACK_WORTH;
    uint64_t plain = 0, seen = 0, offset = packer->in.header_size;
    struct block_header header;
    struct error ignored; /* damage is found, and said, by whoever reads the documents */
    for (int i = 0; i < PACK_SAMPLE && offset < packer->in_end; i++) {
        if (segment_block(&packer->in, offset, packer->in_end, &header, &ignored) < 0)
            return true;
        plain += header.flags & BLOCK_ZSTD ? 0 : header.stored_size;
        seen += header.stored_size;
        offset += BLOCK_HEADER + (uint64_t)header.stored_size;
    }
    return plain > seen / PACK_WORTH;
}

/* Begin with the journal's first segment that is not compressed. 1; 0: there is none; -1: it cannot be. */
static int begin(struct packer *packer, struct journal *journal, struct error *err)
{
    const struct disk *disk = packer->disk;
    struct sealed_segment *sealed = &journal->sealed[journal->packed];
    int found = segment_open(&packer->in, journal->folder, sealed->base, DISK_READ, journal->collection,
                             journal->task, err);
    if (found <= 0)
        return -1;
    int result = disk->size(disk->context, packer->in.file, &packer->in_end);
    if (result < 0)
        return disk_error(err, result, "cannot stat %s", packer->in.path);
    if (packer->in.flags & SEGMENT_COMPRESSED || !is_worth_it(packer, sealed)) {
        segment_close(&packer->in);
        journal->packed++;
        return 0;
    }
    packer->journal = journal;
    packer->in_offset = packer->in.header_size;
    packer->reached = sealed->base;
    packer->next_base = journal->packed + 1 < journal->sealed_count
                            ? journal->sealed[journal->packed + 1].base
                            : journal->now.segment;
    packer->path = mem_printf("%s.tmp", packer->in.path);
    packer->out = disk->open(disk->context, packer->path, DISK_WRITE | DISK_CREATE | DISK_EMPTY);
    if (packer->out < 0) {
        result = packer->out;
        packer->out = -1;
        return disk_error(err, result, "cannot make %s", packer->path);
    }
    struct segment_header header = {
        .flags = SEGMENT_COMPRESSED,
        .base = sealed->base,
        .begun_ms = packer->in.begun_ms,
        .collection = slice_of(journal->collection),
        .task = slice_of(journal->task),
    };
    char bytes[SEGMENT_HEADER_MAX];
    packer->out_offset = layout_segment_put(&header, bytes);
    result = disk_write_one(disk, packer->out, bytes, packer->out_offset, 0);
    return result < 0 ? disk_error(err, result, "cannot write %s", packer->path) : 1;
}

/* A large block goes over as it is, in pieces, checked on the way. */
static int copy_block(struct packer *packer, const struct block_header *header, struct error *err)
{
    const struct disk *disk = packer->disk;
    uint64_t size = BLOCK_HEADER + (uint64_t)header->stored_size;
    uint32_t crc = 0;
    buffer_clear(&packer->raw);
    buffer_reserve(&packer->raw, PACK_PIECE);
    for (uint64_t done = 0; done < size;) {
        uint64_t piece = done == 0 ? BLOCK_HEADER : size - done < PACK_PIECE ? size - done : PACK_PIECE;
        ssize_t got =
            disk->read(disk->context, packer->in.file, packer->raw.data, piece, packer->in_offset + done);
        if (got < (ssize_t)piece)
            return segment_corrupt(&packer->in, packer->in_offset, "it ends within a block", err);
        if (done > 0)
            crc = hash_crc32c(crc, packer->raw.data, piece);
        int result = disk_write_one(disk, packer->out, packer->raw.data, piece, packer->out_offset + done);
        if (result < 0)
            return disk_error(err, result, "cannot write %s", packer->path);
        done += piece;
    }
    if (crc != header->payload_crc)
        return segment_corrupt(&packer->in, packer->in_offset, "the block's checksum is wrong", err);
    packer->out_offset += size;
    return 0;
}

static int pack_block(struct packer *packer, const struct block_header *header, struct error *err)
{
    const struct disk *disk = packer->disk;
    if (segment_payload(&packer->in, packer->in_offset, header, &packer->stored, &packer->raw, err) < 0)
        return -1;
    struct block_header new = *header;
    char *payload =
        compressor_run(packer->compressor, (struct slice){packer->raw.data, packer->raw.size}, &new);
    if (!payload)
        return copy_block(packer, header, err);
    char *block = payload - BLOCK_HEADER;
    layout_block_put(&new, block);
    size_t whole = BLOCK_HEADER + (size_t) new.stored_size;
    int result = disk_write_one(disk, packer->out, block, whole, packer->out_offset);
    if (result < 0)
        return disk_error(err, result, "cannot write %s", packer->path);
    disk->start_sync(disk->context, packer->out, packer->out_offset, whole);
    packer->out_offset += whole;
    return 0;
}

/* One block. Returns the bytes read, 0 at the end, -1. */
static int64_t step(struct packer *packer, struct error *err)
{
    if (packer->in_offset >= packer->in_end) {
        if (packer->reached != packer->next_base)
            return segment_corrupt(&packer->in, packer->in_offset, "it ends before the next segment begins",
                                   err);
        return 0;
    }
    struct block_header header;
    if (segment_block(&packer->in, packer->in_offset, packer->in_end, &header, err) < 0)
        return -1;
    if (header.first != packer->reached)
        return segment_corrupt(&packer->in, packer->in_offset, "its documents are not the ones due here",
                               err);
    bool as_it_is = header.flags & BLOCK_ZSTD || header.raw_size > PACK_BLOCK_MAX;
    if ((as_it_is ? copy_block(packer, &header, err) : pack_block(packer, &header, err)) < 0)
        return -1;
    uint64_t size = BLOCK_HEADER + (uint64_t)header.stored_size;
    packer->in_offset += size;
    packer->reached += header.documents;
    return (int64_t)size;
}

static int finish(struct packer *packer, struct error *err)
{
    const struct disk *disk = packer->disk;
    struct journal *journal = packer->journal;
    int result = disk->sync(disk->context, packer->out);
    fault_point("store.seal.before-rename");
    if (result == 0)
        result = disk->rename(disk->context, packer->path, packer->in.path);
    fault_point("store.seal.after-rename");
    if (result == 0)
        result = disk->sync_folder(disk->context, journal->folder);
    if (result < 0)
        return disk_error(err, result, "cannot put %s in its place", packer->path);
    journal->sealed[journal->packed++].bytes = packer->out_offset;
    let_go(packer);
    return 0;
}

uint64_t packer_work(struct packer *packer, struct journal *journal, uint64_t budget)
{
    struct error err; /* upkeep fails nobody: what is damaged is said when it is read */
    while (budget > 0) {
        if (!packer->journal) {
            bool more = journal->packed < journal->sealed_count &&
                        journal->sealed[journal->packed].base < journal->committed.segment;
            if (!more || journal->packing_failed || journal->options.compression != STORE_COMPRESSION_ZSTD)
                return budget;
            if (begin(packer, journal, &err) < 0)
                goto failed;
            budget -= budget < PACK_OPEN_COST ? budget : PACK_OPEN_COST;
            continue;
        }
        if (packer->journal != journal)
            return budget;
        /* Retention may have taken it meanwhile. */
        if (journal->packed >= journal->sealed_count ||
            journal->sealed[journal->packed].base != packer->in.base) {
            abandon(packer);
            continue;
        }
        int64_t read = step(packer, &err);
        if (read < 0 || (read == 0 && finish(packer, &err) < 0))
            goto failed;
        budget -= budget < (uint64_t)read ? budget : (uint64_t)read;
    }
    return 0;
failed:
    journal->packing_failed = true;
    abandon(packer);
    return budget;
}
