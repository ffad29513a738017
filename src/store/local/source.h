/* One journal being read: what its task's log says is committed, then segment by segment, block by block.
 * Nothing is read past a committed end. */
#ifndef FIRTH_STORE_LOCAL_SOURCE_H
#define FIRTH_STORE_LOCAL_SOURCE_H

#include "store/local/log.h"
#include "store/local/segment.h"

/* What was missed and not told yet: first..end-1, nothing if they are equal. */
struct source_missed {
    uint64_t first, end;
    bool initial;
};

struct source {
    struct local_store *store;
    const char *collection; /* the reader's */
    char *task, *folder;    /* the journal's folder */
    struct log_view log;
    int identity; /* the task's lock file: once it has no name any more, the task was dropped; -1: not open */
    struct journal_end end; /* committed, as of the last refresh */
    uint64_t next;          /* number of the next document to give out */
    struct segment segment;
    uint64_t offset;  /* of the next block in it */
    uint64_t reached; /* number of the first document of that block */
    bool known;       /* the log was read */
    bool begun;       /* a document of it was looked for, or it came after the reader was opened */
    bool watched;     /* its `published` */
    bool left_out;    /* it cannot be read on */
    bool dropped;     /* not told yet, with `lost` */
    struct source_missed gone, lost;
};

/* A block's documents, and where they lie. */
struct source_block {
    struct buffer raw, stored;
    struct block_header header;
    uint64_t offset;
    uint64_t mark; /* store_mark */
};

struct source *source_new(struct local_store *store, const char *collection, const char *task, uint64_t from,
                          struct error *err);
void source_free(struct source *source);
/* Look at the log: 1: the task was dropped (source->dropped, if anything was known of it) and the source
 * stands at the beginning of what it writes anew; 0. */
int source_refresh(struct source *source, struct error *err);
/* Load the block that holds source->next. 1; 0: nothing more is committed, as of the last refresh. */
int source_load(struct source *source, struct source_block *block, struct error *err);
/* The same without its documents: only the header, the offset and the mark are right. */
int source_find(struct source *source, struct source_block *block, struct error *err);
/* ERROR_CORRUPT at a place in the block that was loaded last. */
int source_block_corrupt(const struct source *source, const struct source_block *block, const char *wrong,
                         struct error *err);
/* Close what is open of it: no more is read. */
void source_leave_out(struct source *source);

#endif
