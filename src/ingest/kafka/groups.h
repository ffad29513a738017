/* What group.c calls, and what the requests of groups and of offsets share. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_GROUPS_H
#define FIRTH_INGEST_KAFKA_GROUPS_H

#include "ingest/kafka/commits.h"
#include "ingest/kafka/group.h"

void kafka_group_joined(void *context, void *waiter, enum kafka_error error, const struct kafka_group *group,
                        const struct kafka_member *member);
void kafka_group_synced(void *context, void *waiter, enum kafka_error error, const struct kafka_group *group,
                        const struct kafka_member *member);

/* Of kafka_commits_open. */
void kafka_commits_done(void *waiter, bool durable);

/* Group, generation, member, and from the version `instances` on the instance. */
void kafka_read_speaker(struct kafka_exchange *exchange, int16_t instances, struct kafka_speaker *who);

#endif
