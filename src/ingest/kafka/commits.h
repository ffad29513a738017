/* Offsets that groups have committed: in memory, and durable in a file of the data directory, a line for each
 * commit, the last of which counts. A thread writes, so that one sync serves all who wait; the file is
 * written anew when most of it is out of date. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_COMMITS_H
#define FIRTH_INGEST_KAFKA_COMMITS_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    KAFKA_COMMITS_MAX = 1 << 16,       /* partitions of all groups together; the oldest commit goes */
    KAFKA_COMMIT_METADATA_MAX = 4096,  /* bytes */
    KAFKA_COMMIT_FILE_LEAST = 1 << 20, /* bytes of a file that is never written anew */
};

struct kafka_commits;

struct kafka_commit {
    struct slice group, topic;
    int32_t partition;
    int64_t offset;
    uint64_t identity; /* of the log that the offset is of; 0: not known */
    struct slice metadata;
};

/* `done` is called in the thread that writes, once for each kafka_commits_put. */
struct kafka_commits *kafka_commits_open(const char *data_dir, void (*done)(void *waiter, bool durable),
                                         struct error *err);
/* What was put is written, and told; nothing more is put. */
void kafka_commits_stop(struct kafka_commits *commits);
/* NULL is allowed. */
void kafka_commits_close(struct kafka_commits *commits);

/* Make them durable, all or none of them; then, in the thread that owns the commits, they are to be taken. */
void kafka_commits_put(struct kafka_commits *commits, const struct kafka_commit *list, size_t count,
                       void *waiter);
void kafka_commits_take(struct kafka_commits *commits, const struct kafka_commit *list, size_t count);

/* False: there is none. Slices are valid until the next take. */
bool kafka_commits_get(const struct kafka_commits *commits, struct slice group, struct slice topic,
                       int32_t partition, struct kafka_commit *ret_commit);
/* For each of a group's: for (at = 0; kafka_commits_next(…, &at, &commit);) */
bool kafka_commits_next(const struct kafka_commits *commits, struct slice group, size_t *at,
                        struct kafka_commit *ret_commit);
bool kafka_commits_has_group(const struct kafka_commits *commits, struct slice group);
/* The groups that have any, each once. */
bool kafka_commits_next_group(const struct kafka_commits *commits, size_t *at, struct slice *ret_group);

#endif
