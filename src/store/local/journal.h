/* The writing side of one journal: gathers documents into blocks, writes them to the active segment,
 * seals and starts segments. Nothing here is visible until the writer's commit record says so. */
#ifndef FIRTH_STORE_LOCAL_JOURNAL_H
#define FIRTH_STORE_LOCAL_JOURNAL_H

#include "store/local/append.h"
#include "store/local/compress.h"
#include "store/local/segment.h"

struct sealed_segment {
    uint64_t base, bytes;
    uint64_t plain;   /* of them, in blocks that might shrink; JOURNAL_UNKNOWN: sealed by an earlier writer */
    int64_t begun_ms; /* 0: not known yet */
};
#define JOURNAL_UNKNOWN UINT64_MAX

struct journal {
    struct local_store *store;
    char *collection, *task, *folder;
    struct store_journal_options options;
    struct journal_end committed;
    struct journal_end now;        /* as the open transaction leaves it */
    struct segment segment;        /* the active one */
    struct append append;          /* its end, */
    bool resumed;                  /* which is known, since this file was opened */
    bool cached;                   /* it is written through the page cache, not around it */
    bool unsynced;                 /* the active segment has bytes that were not synced */
    uint64_t unstarted;            /* of them, those that were not begun to be written out */
    uint64_t plain;                /* the active segment's bytes in blocks that might shrink */
    bool folder_unsynced;          /* files were made in the folder */
    bool listed;                   /* opened by this writer: it may be appended to */
    struct compressor *compressor; /* the writer's */

    char *block; /* from block_start to block_size: room for the header, then the documents gathered */
    size_t block_start, block_size, block_capacity;
    uint32_t block_documents;

    struct sealed_segment *sealed; /* kept, ascending; the last ones may belong to the open transaction */
    size_t sealed_count, sealed_capacity;
    size_t packed;       /* of them, how many from the front need no compression any more */
    bool packing_failed; /* not tried again by this writer */
    uint64_t used_at;    /* the writer's tick of last use, for closing the file used longest ago */
};

struct journal *journal_new(struct local_store *store, const char *collection, const char *task,
                            const struct journal_end *committed, struct compressor *compressor);
void journal_free(struct journal *journal);
MEM_DEFINE_CLEANUP(struct journal *, journal_free);

/* Recover: cut whatever lies past the committed end, make the folder. `last`: the last committed transaction.
 */
int journal_recover(struct journal *journal, uint64_t last, struct error *err);

/* Room for one more document of `size` bytes in the block, or NULL: flush first, or write it alone. */
static inline char *journal_room(struct journal *journal, size_t size)
{
    return journal->block_capacity - journal->block_size >= size + BLOCK_RECORD
               ? journal->block + journal->block_size
               : NULL;
}
/* Grow the block for a document, up to options.block_bytes. Returns the bytes gained. */
size_t journal_grow(struct journal *journal, size_t size);
/* Free the block. Returns the bytes gained. */
size_t journal_shrink(struct journal *journal);

/* Could the commit log carry what is gathered? Nothing of the open transaction was written, and nothing but
 * the active segment, which is durable, would become longer. */
bool journal_can_carry(const struct journal *journal);
/* Write the gathered documents as a block of `transaction`. `carried`: where it goes as well, for the commit
 * log, in which this is journal `index`; NULL if it will be synced before the commit. */
int journal_flush(struct journal *journal, uint64_t transaction, struct buffer *carried, uint32_t index,
                  struct error *err);
/* Write one document as a block of its own, without copying it. */
int journal_write_large(struct journal *journal, uint64_t transaction, struct slice document,
                        struct error *err);
/* Make everything written durable, folder entries included. */
int journal_sync(struct journal *journal, struct error *err);
/* Drop all documents before the next number. */
int journal_truncate(struct journal *journal, struct error *err);
/* The open transaction is committed. */
void journal_committed(struct journal *journal);

#endif
