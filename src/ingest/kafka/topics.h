/* Topics: the collections of push captures, and for readers whatever is in the store. Private to this folder.
 *
 * A partition is a journal: the documents of one task in the collection, numbered by the store, whose numbers
 * are the offsets. A collection that a push capture alone writes has one. */
#ifndef FIRTH_INGEST_KAFKA_TOPICS_H
#define FIRTH_INGEST_KAFKA_TOPICS_H

#include "ingest/kafka/connection.h"

enum { KAFKA_PARTITIONS_MAX = 1024, KAFKA_NODE = 1 /* the number of the one broker that there is */ };

struct kafka_partition {
    const char *writer;
    uint64_t first, end; /* offsets that are there */
    uint64_t identity;   /* of the log whose numbers they are */
};

struct kafka_topic {
    const char *name;
    bool push;     /* a push capture's, */
    bool may_push; /* to which this client may push */
    bool away;     /* which is being changed or started again */
    struct kafka_partition *partitions;
    size_t count;
};

/* What the connection's client may see of the name (NULL: whatever there is). KAFKA_NONE and *ret_topic, in
 * the arena, or why not. */
enum kafka_error kafka_topic_find(struct kafka *kafka, const struct kafka_connection *connection,
                                  const char *name, struct arena *arena, struct kafka_topic *ret_topic);
/* All that it may see, in the order of names. */
void kafka_topics_list(struct kafka *kafka, const struct kafka_connection *connection, struct arena *arena,
                       const char *const **ret_names, size_t *ret_count);

#endif
