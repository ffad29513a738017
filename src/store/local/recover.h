/* A task's writer, and how it takes over what the last one left: FORMAT.md, "Opening a writer". */
#ifndef FIRTH_STORE_LOCAL_RECOVER_H
#define FIRTH_STORE_LOCAL_RECOVER_H

#include "store/local/journal.h"
#include "store/local/log.h"

struct local_writer {
    struct store_writer base;
    struct local_store *store;
    char *task, *folder;
    int lock;
    struct log_writer log;
    struct log_state opened; /* as found: holds the checkpoint given out */
    struct journal **journals;
    size_t journals_count, journals_capacity;
    uint64_t sequence; /* of the last commit; the open transaction is the next */
    uint64_t pending;
    size_t gathered; /* capacity of all blocks */
    bool cached;     /* segments are written through the page cache, and small transactions carried */
    unsigned large;  /* goes up with each large transaction, and down with each small one */
    uint64_t tick;
    struct compressor *compressor;
    struct packer *packer;
    struct buffer ends;    /* the journals' entries of the record being written, */
    struct buffer carried; /* the blocks that it carries */
    bool failed;
};

/* Take the task's lock, read what is committed, put what the log carries into the segments, and begin a log
 * of our own. Journals are recovered when they are opened. */
int writer_recover(struct local_writer *writer, struct error *err);

#endif
