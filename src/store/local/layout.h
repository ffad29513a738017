/* FORMAT.md in C: the headers of segments, blocks, commit logs and records, to and from bytes. No I/O. */
#ifndef FIRTH_STORE_LOCAL_LAYOUT_H
#define FIRTH_STORE_LOCAL_LAYOUT_H

#include "base/text.h"
#include "store/store.h"

#include <endian.h>

enum {
    LAYOUT_VERSION = 1, /* of segments */
    LOG_VERSION = 2,    /* 1: no record carries blocks */
    LAYOUT_PAGE = 4096,

    SEGMENT_FIXED = 48,
    SEGMENT_HEADER_MAX = 48 + 2 * STORE_NAME_MAX + 64,
    SEGMENT_COMPRESSED = 1,

    BLOCK_HEADER = 56,
    BLOCK_ZSTD = 1,
    BLOCK_RECORD = 4,          /* the size before each document */
    BLOCK_TARGET = 1040 << 10, /* documents are gathered up to this many bytes: a megabyte is one write */
    BLOCK_RAW_MAX = STORE_DOCUMENT_MAX + BLOCK_RECORD,

    LOG_FIXED = 64,
    RECORD_HEADER = 64,
    RECORD_JOURNAL = 42, /* a journal's entry without its name */
    RECORD_PAYLOAD_MAX = STORE_CHECKPOINT_MAX + STORE_JOURNALS_MAX * (RECORD_JOURNAL + STORE_NAME_MAX),
    MARK_SIZE = 32,

    CARRIED_HEAD = 16,      /* before each block that a record carries */
    CARRIED_MAX = 96 << 10, /* documents of a transaction that its record carries, in bytes; beyond it, one
                             * more sync costs less than to write them twice */
    RECORD_DATA_MAX = CARRIED_MAX + STORE_JOURNALS_MAX * (CARRIED_HEAD + BLOCK_HEADER),
};

static inline void put_u16(void *at, uint16_t value)
{
    value = htole16(value), memcpy(at, &value, sizeof value);
}
static inline void put_u32(void *at, uint32_t value)
{
    value = htole32(value), memcpy(at, &value, sizeof value);
}
static inline void put_u64(void *at, uint64_t value)
{
    value = htole64(value), memcpy(at, &value, sizeof value);
}
static inline uint16_t get_u16(const void *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return le16toh(value);
}
static inline uint32_t get_u32(const void *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}
static inline uint64_t get_u64(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}
static inline uint64_t layout_round_up(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

struct segment_header {
    uint32_t size; /* of the header on disk */
    uint32_t flags;
    uint64_t base;
    int64_t begun_ms;
    struct slice collection, task;
};

/* Into bytes (SEGMENT_HEADER_MAX); returns and sets header->size. */
size_t layout_segment_put(struct segment_header *header, void *bytes);
/* `size`: bytes that are there, at least a whole header if it is sound. The names point into bytes. Returns
 * NULL, or what is wrong. */
extern const char layout_newer[]; /* one that it may say of a sound header, and of a log's: it is no damage */
const char *layout_segment_get(const void *bytes, size_t size, struct segment_header *ret_header);

struct block_header {
    uint32_t payload_crc;
    uint32_t stored_size, raw_size;
    uint32_t documents;
    uint32_t flags;
    uint64_t first;
    uint64_t transaction;
    int64_t committed_ms;
};

void layout_block_put(const struct block_header *header, void *bytes); /* BLOCK_HEADER bytes */
const char *layout_block_get(const void *bytes, struct block_header *ret_header);

/* The log has had its identity from its beginning, as have all that it follows. */
enum { LOG_IDENTIFIED = 1 };

struct log_header {
    uint64_t salt;
    uint64_t generation;
    uint64_t file_size;
    uint64_t identity; /* 0: unknown */
    uint16_t flags;    /* LOG_IDENTIFIED */
    struct slice task;
};

void layout_log_put(const struct log_header *header, void *bytes); /* LAYOUT_PAGE bytes */
const char *layout_log_get(const void *bytes, struct log_header *ret_header);

struct record_header {
    uint32_t payload_crc;
    uint32_t copy;
    uint64_t salt, sequence;
    int64_t committed_ms;
    uint32_t payload_size, journals, checkpoint_size;
    uint32_t data_size, data_crc; /* the blocks it carries, behind both copies */
};

void layout_record_put(const struct record_header *header, void *bytes); /* RECORD_HEADER bytes */
const char *layout_record_get(const void *bytes, struct record_header *ret_header);
/* Bytes of one copy on disk. */
static inline uint64_t layout_record_copy(uint32_t payload_size)
{
    return layout_round_up(RECORD_HEADER + (uint64_t)payload_size, LAYOUT_PAGE);
}
/* Of both copies and the blocks. */
static inline uint64_t layout_record_slot(uint32_t payload_size, uint32_t data_size)
{
    return 2 * layout_record_copy(payload_size) + layout_round_up(data_size, LAYOUT_PAGE);
}

/* A block that a record carries: the journal is one of the record's, the segment that journal's active one.
 */
struct carried_head {
    uint32_t journal; /* its place among the record's journals */
    uint32_t size;    /* of the block, with its header, which follows */
    uint64_t offset;  /* in the segment */
};

void layout_carried_put(const struct carried_head *head, void *bytes); /* CARRIED_HEAD bytes */
/* The next one from *at, which moves on; false if there is none, or it does not fit. */
bool layout_carried_get(const char **at, const char *stop, struct carried_head *ret_head,
                        struct slice *ret_block);

/* The committed state of a journal. */
struct journal_end {
    uint64_t first, end;
    uint64_t segment; /* base of the active segment */
    uint64_t offset;  /* its committed length; 0: it does not exist yet */
    int64_t committed_ms;
};

void layout_journal_put(const struct journal_end *end, struct slice collection, void *bytes);
/* One entry from *at, which moves on; false if it does not fit or makes no sense. */
bool layout_journal_get(const char **at, const char *stop, struct journal_end *ret_end,
                        struct slice *ret_collection);

struct mark {
    uint64_t sequence; /* 0: unknown */
    uint64_t log;      /* generation of its log */
};

void layout_mark_put(const struct mark *mark, void *bytes); /* MARK_SIZE bytes */
bool layout_mark_get(const void *bytes, struct mark *ret_mark);

#endif
