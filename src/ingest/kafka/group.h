/* Consumer groups: who reads which partitions. A state machine without sockets and clocks: whoever waits is a
 * pointer that comes back in a callback, and time is a parameter.
 *
 * Members join; when all have, each hears of the generation, and one of them, the leader, of the others. It
 * sends who gets what, and each member asks for its part (sync). A member that comes, goes, or is silent for
 * too long makes the others join again. What is assigned the members know alone: here it is bytes. */
#ifndef FIRTH_INGEST_KAFKA_GROUP_H
#define FIRTH_INGEST_KAFKA_GROUP_H

#include "base/text.h"
#include "ingest/kafka/exchange.h"

enum {
    KAFKA_GROUPS_MAX = 4096,
    KAFKA_GROUP_MEMBERS_MAX = 1000,
    KAFKA_GROUP_BYTES_MAX = 64 << 20, /* of what all members say of themselves, and are assigned */
    KAFKA_PROTOCOLS_MAX = 32,         /* that one member knows */
    KAFKA_SESSION_MAX_MS = 30 * 60 * 1000,
    KAFKA_MEMBER_ID_MAX = 300,
};

enum kafka_group_state {
    KAFKA_GROUP_EMPTY,
    KAFKA_GROUP_PREPARING,
    KAFKA_GROUP_COMPLETING,
    KAFKA_GROUP_STABLE
};

struct kafka_protocol {
    struct slice name, metadata;
};

struct kafka_member {
    struct kafka_member *next;
    char *id;
    char *instance; /* of a static member; NULL: it is none */
    char *client, *host;
    uint64_t session_ms, rebalance_ms;
    uint64_t until_ms; /* it is to be heard of until then */
    struct kafka_protocol *protocols;
    size_t protocol_count;
    char *memory; /* that the protocols' slices point into */
    size_t bytes; /* of it */
    struct slice assignment;
    void *joining, *syncing; /* who waits for it */
};

struct kafka_group {
    char *name;
    enum kafka_group_state state;
    int32_t generation;
    char *type;                   /* of its protocols: "consumer" */
    char *protocol;               /* that was chosen; NULL: none is */
    struct kafka_member *members; /* in the order they came */
    size_t count;
    char *leader;                  /* a member's id, or NULL */
    uint64_t until_ms;             /* members have joined by then, or are out */
    struct kafka_pending *pending; /* ids that were given, and whose members have not joined yet */
};

struct kafka_groups;

struct kafka_group_calls {
    void *context;
    /* The member is in; or *error says why not, and `member` is NULL. */
    void (*joined)(void *context, void *waiter, enum kafka_error error, const struct kafka_group *group,
                   const struct kafka_member *member);
    void (*synced)(void *context, void *waiter, enum kafka_error error, const struct kafka_group *group,
                   const struct kafka_member *member);
};

struct kafka_groups *kafka_groups_new(const struct kafka_group_calls *calls);
/* Nobody waits any more. NULL is allowed. */
void kafka_groups_free(struct kafka_groups *groups);
/* NULL: there is none. */
const struct kafka_group *kafka_group_find(const struct kafka_groups *groups, struct slice name);
/* For each: for (at = 0; (group = kafka_groups_next(groups, &at));) */
const struct kafka_group *kafka_groups_next(const struct kafka_groups *groups, size_t *at);

struct kafka_join {
    struct slice group, member, instance, type;
    const char *client, *host;
    int32_t session_ms, rebalance_ms;
    const struct kafka_protocol *protocols;
    size_t protocol_count;
    bool asks_first; /* a newcomer is given an id, and joins by it afterwards */
};
/* KAFKA_NONE: the waiter hears later, or has heard already. Else why not, and with KAFKA_MEMBER_ID_REQUIRED
 * the id to join by, valid until the next call. */
enum kafka_error kafka_group_join(struct kafka_groups *groups, const struct kafka_join *join, void *waiter,
                                  uint64_t now_ms, const char **ret_id);

struct kafka_assignment {
    struct slice member, bytes;
};
struct kafka_speaker { /* who says it is what in which generation */
    struct slice group, member, instance;
    int32_t generation;
};
/* KAFKA_NONE: as join. */
enum kafka_error kafka_group_sync(struct kafka_groups *groups, const struct kafka_speaker *who,
                                  const struct kafka_assignment *assignments, size_t count, void *waiter,
                                  uint64_t now_ms);
enum kafka_error kafka_group_heartbeat(struct kafka_groups *groups, const struct kafka_speaker *who,
                                       uint64_t now_ms);
/* The generation does not matter. */
enum kafka_error kafka_group_leave(struct kafka_groups *groups, const struct kafka_speaker *who,
                                   uint64_t now_ms);
/* May it commit offsets? A generation below 0 is somebody who is in no group, which must have no members. */
enum kafka_error kafka_group_may_commit(struct kafka_groups *groups, const struct kafka_speaker *who,
                                        uint64_t now_ms);

/* The waiter's connection has gone; its member stays for its session. */
void kafka_group_abandon(struct kafka_groups *groups, void *waiter);
/* When something is due, and doing it. */
uint64_t kafka_groups_deadline(const struct kafka_groups *groups);
void kafka_groups_tick(struct kafka_groups *groups, uint64_t now_ms);
/* All who wait hear that the coordinator goes. */
void kafka_groups_end(struct kafka_groups *groups);

#endif
