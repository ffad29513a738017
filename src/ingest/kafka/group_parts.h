/* Members and groups as things: made, found, freed. Private to group.c and group_members.c. */
#ifndef FIRTH_INGEST_KAFKA_GROUP_PARTS_H
#define FIRTH_INGEST_KAFKA_GROUP_PARTS_H

#include "base/map.h"
#include "ingest/kafka/group.h"

struct kafka_pending {
    struct kafka_pending *next;
    char *id;
    uint64_t until_ms;
};

struct kafka_groups {
    struct map map;
    struct kafka_group_calls calls;
    size_t bytes; /* of all members' */
};

struct kafka_group *kafka_group_new(struct kafka_groups *groups, struct slice name);
void kafka_group_free(struct kafka_groups *groups, struct kafka_group *group);
struct kafka_member *kafka_group_member(const struct kafka_group *group, struct slice id);
struct kafka_member *kafka_group_instance(const struct kafka_group *group, struct slice instance);
/* Behind the others; with an id made for it. */
struct kafka_member *kafka_group_add(struct kafka_group *group, const struct kafka_join *join,
                                     struct slice id);
/* Out of the group; it is freed. Who waits for it has heard. */
void kafka_group_remove(struct kafka_groups *groups, struct kafka_group *group, struct kafka_member *member);
/* What it says of itself; false: it is the same as before. */
bool kafka_member_update(struct kafka_groups *groups, struct kafka_member *member,
                         const struct kafka_join *join);
void kafka_member_assign(struct kafka_groups *groups, struct kafka_member *member, struct slice bytes);

/* An id for a newcomer; it is known until then. */
const char *kafka_pending_add(struct kafka_group *group, const struct kafka_join *join, uint64_t until_ms);
/* True: it was one, and is no more. */
bool kafka_pending_take(struct kafka_group *group, struct slice id);
void kafka_pending_drop(struct kafka_group *group, uint64_t now_ms);

/* Is there a protocol that all members know, and the newcomer too (`member`: which it replaces, or NULL)? */
bool kafka_group_fits(const struct kafka_group *group, const struct kafka_join *join,
                      const struct kafka_member *member);
/* Of those that all know, the one that most prefer. */
void kafka_group_choose(struct kafka_group *group);

#endif
