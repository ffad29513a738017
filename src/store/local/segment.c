#include "store/local/segment.h"

#include "base/fault.h"
#include "base/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <zstd.h>

enum { VERIFY_PIECE = 256 << 10 };

void segment_init(struct segment *segment, const struct disk *disk)
{
    *segment = (struct segment){.disk = disk, .file = -1};
}

void segment_close(struct segment *segment)
{
    local_close_file(segment->disk, &segment->file);
    free(segment->path);
    segment->path = NULL;
}

int segment_corrupt(const struct segment *segment, uint64_t offset, const char *wrong, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "the segment %s is damaged at offset %" PRIu64 ": %s", segment->path,
                     offset, wrong);
}

static int check_header(struct segment *segment, const char *collection, const char *task, struct error *err)
{
    char bytes[SEGMENT_HEADER_MAX];
    ssize_t got = segment->disk->read(segment->disk->context, segment->file, bytes, sizeof bytes, 0);
    if (got < 0)
        return disk_error(err, (int)got, "cannot read %s", segment->path);
    struct segment_header header;
    const char *wrong = layout_segment_get(bytes, (size_t)got, &header);
    if (!wrong && header.base != segment->base)
        wrong = "its name does not match its header";
    else if (!wrong && (!slice_is(header.collection, collection) || !slice_is(header.task, task)))
        wrong = "it belongs to another journal";
    if (wrong == layout_newer)
        return error_set(err, ERROR_UNSUPPORTED, "cannot read the segment %s: %s", segment->path, wrong);
    if (wrong)
        return segment_corrupt(segment, 0, wrong, err);
    segment->header_size = header.size;
    segment->flags = header.flags;
    segment->begun_ms = header.begun_ms;
    return 0;
}

int segment_open(struct segment *segment, const char *journal_folder, uint64_t base, int flags,
                 const char *collection, const char *task, struct error *err)
{
    segment_close(segment);
    segment->path = local_segment_path(journal_folder, base);
    segment->base = base;
    segment->file = segment->disk->open(segment->disk->context, segment->path, flags);
    if (segment->file == -ENOENT)
        return 0;
    if (segment->file < 0) {
        int result = segment->file;
        segment->file = -1;
        return disk_error(err, result, "cannot open %s", segment->path);
    }
    return check_header(segment, collection, task, err) < 0 ? -1 : 1;
}

int segment_block(const struct segment *segment, uint64_t offset, uint64_t end,
                  struct block_header *ret_header, struct error *err)
{
    if (end - offset < BLOCK_HEADER)
        return segment_corrupt(segment, offset, "it ends within a block header", err);
    char bytes[BLOCK_HEADER];
    ssize_t got = segment->disk->read(segment->disk->context, segment->file, bytes, sizeof bytes, offset);
    if (got < 0)
        return disk_error(err, (int)got, "cannot read %s", segment->path);
    if (got < BLOCK_HEADER)
        return segment_corrupt(segment, offset, "it ends within a block header", err);
    const char *wrong = layout_block_get(bytes, ret_header);
    if (!wrong && ret_header->stored_size > end - offset - BLOCK_HEADER)
        wrong = "it ends within a block";
    return wrong ? segment_corrupt(segment, offset, wrong, err) : 0;
}

/* Where the payload is to be put first; NULL if it is too large. */
static struct buffer *room_for(const struct block_header *header, struct buffer *stored, struct buffer *raw)
{
    struct buffer *into = header->flags & BLOCK_ZSTD ? stored : raw;
    buffer_clear(raw);
    buffer_clear(stored);
    return buffer_reserve(into, header->stored_size) && buffer_reserve(raw, header->raw_size) ? into : NULL;
}

/* The payload is there: check it, and decompress it into `raw`. */
static int unpack(const struct segment *segment, uint64_t offset, const struct block_header *header,
                  struct buffer *stored, struct buffer *raw, struct error *err)
{
    bool packed = header->flags & BLOCK_ZSTD;
    struct buffer *into = packed ? stored : raw;
    if (hash_crc32c(0, into->data, header->stored_size) != header->payload_crc &&
        !fault_planted("no-checksum"))
        return segment_corrupt(segment, offset, "the block's checksum is wrong", err);
    into->size = header->stored_size;
    if (packed) {
        size_t size = ZSTD_decompress(raw->data, header->raw_size, stored->data, header->stored_size);
        if (ZSTD_isError(size) || size != header->raw_size)
            return segment_corrupt(segment, offset, "the block cannot be decompressed", err);
        raw->size = size;
    }
    return 0;
}

int segment_payload(const struct segment *segment, uint64_t offset, const struct block_header *header,
                    struct buffer *stored, struct buffer *raw, struct error *err)
{
    struct buffer *into = room_for(header, stored, raw);
    if (!into)
        return segment_corrupt(segment, offset, "the block is too large", err);
    ssize_t got = segment->disk->read(segment->disk->context, segment->file, into->data, header->stored_size,
                                      offset + BLOCK_HEADER);
    if (got < 0)
        return disk_error(err, (int)got, "cannot read %s", segment->path);
    if ((size_t)got < header->stored_size)
        return segment_corrupt(segment, offset, "it ends within a block", err);
    return unpack(segment, offset, header, stored, raw, err);
}

int segment_take_payload(const struct segment *segment, uint64_t offset, const struct block_header *header,
                         struct slice payload, struct buffer *stored, struct buffer *raw, struct error *err)
{
    struct buffer *into = room_for(header, stored, raw);
    if (!into || payload.size != header->stored_size)
        return segment_corrupt(segment, offset, "the block is too large", err);
    memcpy(into->data, payload.data, payload.size);
    return unpack(segment, offset, header, stored, raw, err);
}

/* The payload's checksum, read in pieces: a block may be one document of 64 MB. */
static int check_payload(const struct segment *segment, uint64_t offset, const struct block_header *header,
                         char *piece, struct error *err)
{
    uint32_t crc = 0;
    for (uint32_t done = 0; done < header->stored_size;) {
        uint32_t left = header->stored_size - done, size = left < VERIFY_PIECE ? left : VERIFY_PIECE;
        ssize_t got = segment->disk->read(segment->disk->context, segment->file, piece, size,
                                          offset + BLOCK_HEADER + done);
        if (got < 0)
            return disk_error(err, (int)got, "cannot read %s", segment->path);
        if ((size_t)got < size)
            return segment_corrupt(segment, offset, "it ends within a block", err);
        crc = hash_crc32c(crc, piece, size);
        done += size;
    }
    return crc == header->payload_crc
               ? 0
               : segment_corrupt(segment, offset, "the block's checksum is wrong", err);
}

int segment_verify(const struct segment *segment, uint64_t end, uint64_t next_number, uint64_t *ret_plain,
                   struct error *err)
{
    *ret_plain = 0;
    auto_free char *piece = mem_alloc(VERIFY_PIECE);
    uint64_t offset = segment->header_size, reached = segment->base;
    struct block_header header = {0};
    if (offset > end)
        return segment_corrupt(segment, end, "its committed part ends within its header", err);
    while (offset < end) {
        if (segment_block(segment, offset, end, &header, err) < 0)
            return -1;
        if (header.first != reached)
            return segment_corrupt(segment, offset, "its documents are not the ones due here", err);
        if (check_payload(segment, offset, &header, piece, err) < 0)
            return -1;
        *ret_plain += header.flags & BLOCK_ZSTD ? 0 : header.stored_size;
        offset += BLOCK_HEADER + (uint64_t)header.stored_size;
        reached += header.documents;
    }
    return reached == next_number
               ? 0
               : segment_corrupt(segment, offset, "committed documents are missing at its end", err);
}

static void add_segment(void *argument, const char *name)
{
    struct segment_list *list = argument;
    uint64_t base;
    if (local_parse_segment_name(name, &base)) {
        list->bases = mem_grow(list->bases, &list->capacity, list->count + 1, sizeof *list->bases);
        list->bases[list->count++] = base;
    } else if (string_ends_with(name, ".seg.tmp")) {
        list->leftovers = true;
    }
}

static int compare_bases(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

int segment_list_read(struct segment_list *list, const struct disk *disk, const char *journal_folder,
                      struct error *err)
{
    list->count = 0;
    list->leftovers = false;
    int result = disk->list(disk->context, journal_folder, add_segment, list);
    if (result < 0 && result != -ENOENT)
        return disk_error(err, result, "cannot list %s", journal_folder);
    if (list->count > 1)
        qsort(list->bases, list->count, sizeof *list->bases, compare_bases);
    return 0;
}

void segment_list_done(struct segment_list *list)
{
    free(list->bases);
    *list = (struct segment_list){0};
}
