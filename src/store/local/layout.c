#include "store/local/layout.h"

#include "base/hash.h"

#include <assert.h>

static const char segment_magic[8] = "FIRTHSEG", log_magic[8] = "FIRTHLOG";
enum { BLOCK_MAGIC = 0x4b4c4246, RECORD_MAGIC = 0x544d4346, MARK_MAGIC = 0x42555046 };

const char layout_newer[] = "a newer version wrote it: use a newer firth";

/* The CRC of a header in which the CRC's own four bytes, at `at`, count as zeros. */
static uint32_t header_crc(const void *bytes, size_t size, size_t at)
{
    static const char zeros[4];
    uint32_t crc = hash_crc32c(0, bytes, at);
    crc = hash_crc32c(crc, zeros, sizeof zeros);
    return hash_crc32c(crc, (const char *)bytes + at + 4, size - at - 4);
}

size_t layout_segment_put(struct segment_header *header, void *bytes)
{
    assert(header->collection.size <= STORE_NAME_MAX && header->task.size <= STORE_NAME_MAX);
    char *at = bytes;
    header->size = (uint32_t)layout_round_up(SEGMENT_FIXED + header->collection.size + header->task.size, 64);
    memset(at, 0, header->size);
    memcpy(at, segment_magic, sizeof segment_magic);
    put_u32(at + 8, LAYOUT_VERSION);
    put_u32(at + 16, header->size);
    put_u32(at + 20, header->flags);
    put_u64(at + 24, header->base);
    put_u64(at + 32, (uint64_t)header->begun_ms);
    put_u16(at + 40, (uint16_t)header->collection.size);
    put_u16(at + 42, (uint16_t)header->task.size);
    memcpy(at + SEGMENT_FIXED, header->collection.data, header->collection.size);
    memcpy(at + SEGMENT_FIXED + header->collection.size, header->task.data, header->task.size);
    put_u32(at + 12, header_crc(at, header->size, 12));
    return header->size;
}

const char *layout_segment_get(const void *bytes, size_t size, struct segment_header *ret_header)
{
    const char *at = bytes;
    if (size < SEGMENT_FIXED || memcmp(at, segment_magic, sizeof segment_magic) != 0)
        return "it does not begin as a segment does";
    struct segment_header header = {
        .size = get_u32(at + 16),
        .flags = get_u32(at + 20),
        .base = get_u64(at + 24),
        .begun_ms = (int64_t)get_u64(at + 32),
        .collection = {at + SEGMENT_FIXED, get_u16(at + 40)},
        .task = {at + SEGMENT_FIXED + get_u16(at + 40), get_u16(at + 42)},
    };
    if (header.size > size || header.size < SEGMENT_FIXED + header.collection.size + header.task.size ||
        header.size > SEGMENT_HEADER_MAX)
        return "its header's size is impossible";
    if (get_u32(at + 12) != header_crc(at, header.size, 12))
        return "its header's checksum is wrong";
    if (get_u32(at + 8) > LAYOUT_VERSION)
        return layout_newer;
    if (get_u32(at + 8) != LAYOUT_VERSION)
        return "it is of no version";
    *ret_header = header;
    return NULL;
}

void layout_block_put(const struct block_header *header, void *bytes)
{
    char *at = bytes;
    put_u32(at, BLOCK_MAGIC);
    put_u32(at + 8, header->payload_crc);
    put_u32(at + 12, header->stored_size);
    put_u32(at + 16, header->raw_size);
    put_u32(at + 20, header->documents);
    put_u32(at + 24, header->flags);
    put_u32(at + 28, 0);
    put_u64(at + 32, header->first);
    put_u64(at + 40, header->transaction);
    put_u64(at + 48, (uint64_t)header->committed_ms);
    put_u32(at + 4, header_crc(at, BLOCK_HEADER, 4));
}

const char *layout_block_get(const void *bytes, struct block_header *ret_header)
{
    const char *at = bytes;
    if (get_u32(at) != BLOCK_MAGIC)
        return "no block begins here";
    if (get_u32(at + 4) != header_crc(at, BLOCK_HEADER, 4))
        return "the block header's checksum is wrong";
    struct block_header header = {
        .payload_crc = get_u32(at + 8),
        .stored_size = get_u32(at + 12),
        .raw_size = get_u32(at + 16),
        .documents = get_u32(at + 20),
        .flags = get_u32(at + 24),
        .first = get_u64(at + 32),
        .transaction = get_u64(at + 40),
        .committed_ms = (int64_t)get_u64(at + 48),
    };
    if (header.raw_size > BLOCK_RAW_MAX || header.stored_size > header.raw_size || header.documents == 0 ||
        header.documents > header.raw_size / BLOCK_RECORD || header.flags & ~(uint32_t)BLOCK_ZSTD ||
        (!(header.flags & BLOCK_ZSTD) && header.stored_size != header.raw_size) ||
        header.first > UINT64_MAX - header.documents)
        return "the block header's sizes are impossible";
    *ret_header = header;
    return NULL;
}

static uint32_t log_crc(const char *at)
{
    return header_crc(at, LOG_FIXED + (size_t)get_u16(at + 40), 12);
}

void layout_log_put(const struct log_header *header, void *bytes)
{
    assert(header->task.size <= STORE_NAME_MAX);
    char *at = bytes;
    memset(at, 0, LAYOUT_PAGE);
    memcpy(at, log_magic, sizeof log_magic);
    put_u32(at + 8, LOG_VERSION);
    put_u64(at + 16, header->salt);
    put_u64(at + 24, header->generation);
    put_u64(at + 32, header->file_size);
    put_u16(at + 40, (uint16_t)header->task.size);
    put_u16(at + 42, header->flags);
    put_u64(at + 48, header->identity);
    memcpy(at + LOG_FIXED, header->task.data, header->task.size);
    put_u32(at + 12, log_crc(at));
}

const char *layout_log_get(const void *bytes, struct log_header *ret_header)
{
    const char *at = bytes;
    if (memcmp(at, log_magic, sizeof log_magic) != 0)
        return "it does not begin as a commit log does";
    if (get_u16(at + 40) > STORE_NAME_MAX || get_u32(at + 12) != log_crc(at))
        return "its header's checksum is wrong";
    if (get_u32(at + 8) > LOG_VERSION)
        return layout_newer;
    if (get_u32(at + 8) == 0)
        return "it is of no version";
    *ret_header = (struct log_header){
        .salt = get_u64(at + 16),
        .generation = get_u64(at + 24),
        .file_size = get_u64(at + 32),
        .identity = get_u64(at + 48),
        .flags = get_u16(at + 42),
        .task = {at + LOG_FIXED, get_u16(at + 40)},
    };
    return NULL;
}

void layout_record_put(const struct record_header *header, void *bytes)
{
    char *at = bytes;
    memset(at, 0, RECORD_HEADER);
    put_u32(at, RECORD_MAGIC);
    put_u32(at + 8, header->payload_crc);
    put_u32(at + 12, header->copy);
    put_u64(at + 16, header->salt);
    put_u64(at + 24, header->sequence);
    put_u64(at + 32, (uint64_t)header->committed_ms);
    put_u32(at + 40, header->payload_size);
    put_u32(at + 44, header->journals);
    put_u32(at + 48, header->checkpoint_size);
    put_u32(at + 52, header->data_size);
    put_u32(at + 56, header->data_crc);
    put_u32(at + 4, header_crc(at, RECORD_HEADER, 4));
}

const char *layout_record_get(const void *bytes, struct record_header *ret_header)
{
    const char *at = bytes;
    if (get_u32(at) != RECORD_MAGIC)
        return "no commit record begins here";
    if (get_u32(at + 4) != header_crc(at, RECORD_HEADER, 4))
        return "the commit record's checksum is wrong";
    struct record_header header = {
        .payload_crc = get_u32(at + 8),
        .copy = get_u32(at + 12),
        .salt = get_u64(at + 16),
        .sequence = get_u64(at + 24),
        .committed_ms = (int64_t)get_u64(at + 32),
        .payload_size = get_u32(at + 40),
        .journals = get_u32(at + 44),
        .checkpoint_size = get_u32(at + 48),
        .data_size = get_u32(at + 52),
        .data_crc = get_u32(at + 56),
    };
    if (header.payload_size > RECORD_PAYLOAD_MAX || header.checkpoint_size > header.payload_size ||
        header.journals > STORE_JOURNALS_MAX || header.copy > 1 || header.data_size > RECORD_DATA_MAX)
        return "the commit record's sizes are impossible";
    *ret_header = header;
    return NULL;
}

void layout_carried_put(const struct carried_head *head, void *bytes)
{
    char *at = bytes;
    put_u32(at, head->journal);
    put_u32(at + 4, head->size);
    put_u64(at + 8, head->offset);
}

bool layout_carried_get(const char **at, const char *stop, struct carried_head *ret_head,
                        struct slice *ret_block)
{
    if (stop - *at < CARRIED_HEAD)
        return false;
    struct carried_head head = {
        .journal = get_u32(*at), .size = get_u32(*at + 4), .offset = get_u64(*at + 8)};
    if (head.size < BLOCK_HEADER || head.size > (uint64_t)(stop - *at - CARRIED_HEAD))
        return false;
    *ret_head = head;
    *ret_block = (struct slice){*at + CARRIED_HEAD, head.size};
    *at += CARRIED_HEAD + head.size;
    return true;
}

void layout_journal_put(const struct journal_end *end, struct slice collection, void *bytes)
{
    char *at = bytes;
    put_u64(at, end->first);
    put_u64(at + 8, end->end);
    put_u64(at + 16, end->segment);
    put_u64(at + 24, end->offset);
    put_u64(at + 32, (uint64_t)end->committed_ms);
    put_u16(at + 40, (uint16_t)collection.size);
    memcpy(at + RECORD_JOURNAL, collection.data, collection.size);
}

bool layout_journal_get(const char **at, const char *stop, struct journal_end *ret_end,
                        struct slice *ret_collection)
{
    if (stop - *at < RECORD_JOURNAL || stop - *at - RECORD_JOURNAL < get_u16(*at + 40))
        return false;
    *ret_end = (struct journal_end){
        .first = get_u64(*at),
        .end = get_u64(*at + 8),
        .segment = get_u64(*at + 16),
        .offset = get_u64(*at + 24),
        .committed_ms = (int64_t)get_u64(*at + 32),
    };
    *ret_collection = (struct slice){*at + RECORD_JOURNAL, get_u16(*at + 40)};
    *at += RECORD_JOURNAL + ret_collection->size;
    return ret_collection->size > 0 && ret_collection->size <= STORE_NAME_MAX &&
           ret_end->first <= ret_end->end && ret_end->segment <= ret_end->end;
}

void layout_mark_put(const struct mark *mark, void *bytes)
{
    char *at = bytes;
    memset(at, 0, MARK_SIZE);
    put_u32(at, MARK_MAGIC);
    put_u64(at + 8, mark->sequence);
    put_u64(at + 16, mark->log);
    put_u32(at + 4, header_crc(at, MARK_SIZE, 4));
}

bool layout_mark_get(const void *bytes, struct mark *ret_mark)
{
    const char *at = bytes;
    if (get_u32(at) != MARK_MAGIC || get_u32(at + 4) != header_crc(at, MARK_SIZE, 4) || get_u64(at + 8) == 0)
        return false;
    *ret_mark = (struct mark){.sequence = get_u64(at + 8), .log = get_u64(at + 16)};
    return true;
}
