/* The commit log of one task: FORMAT.md, "Commit log". One side writes it, any number read it. */
#ifndef FIRTH_STORE_LOCAL_LOG_H
#define FIRTH_STORE_LOCAL_LOG_H

#include "base/buffer.h"
#include "store/local/disk.h"
#include "store/local/layout.h"

/* The last record that counts. */
struct log_state {
    uint64_t sequence; /* 0: no commit yet */
    int64_t committed_ms;
    uint32_t journals, checkpoint_size;
    char *payload; /* journals, then the checkpoint */
    uint32_t payload_size;
};

static inline struct slice log_state_checkpoint(const struct log_state *state)
{
    return (struct slice){state->payload ? state->payload + state->payload_size - state->checkpoint_size
                                         : NULL,
                          state->checkpoint_size};
}
/* Iterate from at = NULL. */
bool log_state_journal(const struct log_state *state, const char **at, struct journal_end *ret_end,
                       struct slice *ret_collection);
bool log_state_find(const struct log_state *state, const char *collection, struct journal_end *ret_end);

enum log_trust {
    LOG_READER, /* believes what was published, and what it has itself made sure of */
    LOG_OWNER,  /* holds the task's lock: believes what is complete */
};

struct log_view {
    const struct disk *disk;
    char *folder; /* of the task */
    char *task;
    int file;      /* the log, -1: none open */
    int mark_file; /* `published`, -1: not open */
    uint64_t salt, file_size;
    uint64_t identity;     /* 0: unknown */
    bool identified;       /* it has had that from its beginning */
    uint64_t log;          /* generation of the open log */
    uint64_t at;           /* the next slot */
    bool unmarked;         /* `published` was lost when last looked at */
    uint64_t acknowledged; /* by `published`, when last looked at */
    struct log_state state;
};

void log_view_init(struct log_view *view, const struct disk *disk, const char *folder, const char *task);
void log_view_done(struct log_view *view);
/* Bring view->state up to date. 1: it changed; 0: it did not (sequence 0: the task never committed). */
int log_view_refresh(struct log_view *view, enum log_trust trust, struct error *err);

struct log_writer {
    const struct disk *disk;
    char *folder;
    char *task;
    int file, mark_file;
    uint64_t salt, file_size, at;
    uint64_t identity;        /* as found; 0: the first roll makes one */
    bool identified;          /* as found; a task's first log is */
    uint64_t log;             /* generation of the open log */
    uint64_t last, last_copy; /* offset of the last record, size of each copy */
    uint64_t size_max;        /* as large as logs become */
    bool spare;               /* `commits.tmp` is an old log of ours, of that size */
};

/* The record to write: `journals` holds `count` encoded entries. */
struct log_record {
    uint64_t sequence;
    int64_t committed_ms;
    struct slice journals;
    uint32_t count;
    struct slice checkpoint;
    struct slice data; /* the blocks it carries */
};

/* `size_max`: of logs whose records fit into that; 0: the usual. */
void log_writer_init(struct log_writer *log, const struct disk *disk, const char *folder, const char *task,
                     uint64_t size_max);
void log_writer_done(struct log_writer *log);
/* Make a new log beside the old ones, beginning with this record (which carries nothing), durable, and remove
 * the old ones. The record repeats what is committed already: with a failing roll nothing is lost and nothing
 * becomes visible. The log has room for at least `room` bytes more. */
int log_writer_roll(struct log_writer *log, const struct log_record *record, uint64_t room,
                    struct error *err);
/* Does it fit into the log? If not, appending it rolls, and what the log carries goes: the segments have to
 * be durable before. */
bool log_writer_has_room(const struct log_writer *log, const struct log_record *record);
/* Write the record durably to the next slot, rolling if it is full. After an error: no further use. */
int log_writer_append(struct log_writer *log, const struct log_record *record, struct error *err);
/* Tell readers. Failing here does not undo a commit: without `published`, readers find out by themselves. */
void log_writer_publish(struct log_writer *log, uint64_t sequence);

#endif
