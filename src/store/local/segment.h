/* Segment files of one journal: make, open, check, list, step through blocks. */
#ifndef FIRTH_STORE_LOCAL_SEGMENT_H
#define FIRTH_STORE_LOCAL_SEGMENT_H

#include "base/buffer.h"
#include "store/local/layout.h"
#include "store/local/local.h"

struct segment {
    const struct disk *disk;
    char *path;
    int file; /* -1: not open */
    uint64_t base;
    uint32_t header_size, flags;
    int64_t begun_ms;
};

void segment_init(struct segment *segment, const struct disk *disk);
void segment_close(struct segment *segment); /* legal on a closed one */

/* Open and check the header. 1; 0: there is no such file; -1. */
int segment_open(struct segment *segment, const char *journal_folder, uint64_t base, int flags,
                 const char *collection, const char *task, struct error *err);
/* ERROR_CORRUPT, naming file and offset. */
int segment_corrupt(const struct segment *segment, uint64_t offset, const char *wrong, struct error *err)
    __attribute__((cold));

/* The block header at `offset`, which lies before `end`; the block is checked to end there at the latest. */
int segment_block(const struct segment *segment, uint64_t offset, uint64_t end,
                  struct block_header *ret_header, struct error *err);
/* The block's documents, as raw bytes, appended to *raw (cleared first); `stored` is room for compressed
 * bytes. */
int segment_payload(const struct segment *segment, uint64_t offset, const struct block_header *header,
                    struct buffer *stored, struct buffer *raw, struct error *err);

/* The same with the payload as it is stored from elsewhere. */
int segment_take_payload(const struct segment *segment, uint64_t offset, const struct block_header *header,
                         struct slice payload, struct buffer *stored, struct buffer *raw, struct error *err);

/* Read every block up to `end` and check headers, checksums and numbers; the last one ends before
 * `next_number`. ERROR_CORRUPT where one is wrong. *ret_plain: bytes in blocks that are not compressed. */
int segment_verify(const struct segment *segment, uint64_t end, uint64_t next_number, uint64_t *ret_plain,
                   struct error *err);

struct segment_list {
    uint64_t *bases; /* ascending */
    size_t count, capacity;
    bool leftovers; /* temporary files of a compression that did not end */
};
int segment_list_read(struct segment_list *list, const struct disk *disk, const char *journal_folder,
                      struct error *err);
void segment_list_done(struct segment_list *list);

#endif
