/* Committed offsets in memory, by group. Pure; private to commits.c. */
#ifndef FIRTH_INGEST_KAFKA_COMMIT_TABLE_H
#define FIRTH_INGEST_KAFKA_COMMIT_TABLE_H

#include "base/buffer.h"
#include "base/map.h"
#include "ingest/kafka/commits.h"

struct commit_table {
    struct map groups; /* of struct commit_group */
    size_t count;      /* of offsets */
    uint64_t turn;     /* of the newest */
};

void commit_table_init(struct commit_table *table);
void commit_table_done(struct commit_table *table);
void commit_table_set(struct commit_table *table, const struct kafka_commit *commit);
bool commit_table_get(const struct commit_table *table, struct slice group, struct slice topic,
                      int32_t partition, struct kafka_commit *ret_commit);
bool commit_table_next(const struct commit_table *table, struct slice group, size_t *at,
                       struct kafka_commit *ret_commit);

/* A line of the file, its end included. */
void commit_write(struct buffer *out, const struct kafka_commit *commit);
/* All lines of a text; false: one is none, and is not followed. */
bool commit_table_read(struct commit_table *table, struct slice text);
/* All of the table, as lines, the oldest first. */
void commit_table_write(const struct commit_table *table, struct buffer *out);

#endif
