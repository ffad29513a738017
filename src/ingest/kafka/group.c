#include "ingest/kafka/group_parts.h"

#include <assert.h>
#include <stdlib.h>

struct kafka_groups *kafka_groups_new(const struct kafka_group_calls *calls)
{
    struct kafka_groups *groups = mem_zalloc(sizeof *groups);
    map_init(&groups->map);
    groups->calls = *calls;
    return groups;
}

void kafka_groups_free(struct kafka_groups *groups)
{
    const struct map_entry *entry;
    if (!groups)
        return;
    for (size_t at = 0; (entry = map_next(&groups->map, &at));)
        kafka_group_free(groups, entry->value);
    map_done(&groups->map);
    free(groups);
}

const struct kafka_group *kafka_group_find(const struct kafka_groups *groups, struct slice name)
{
    return map_get(&groups->map, name);
}

const struct kafka_group *kafka_groups_next(const struct kafka_groups *groups, size_t *at)
{
    const struct map_entry *entry = map_next(&groups->map, at);
    return entry ? entry->value : NULL;
}

/* --- telling ------------------------------------------------------------------------------------------ */

static void tell_joined(struct kafka_groups *groups, const struct kafka_group *group,
                        struct kafka_member *member, enum kafka_error error)
{
    void *waiter = member->joining;
    member->joining = NULL;
    if (waiter)
        groups->calls.joined(groups->calls.context, waiter, error, group, error ? NULL : member);
}

static void tell_synced(struct kafka_groups *groups, const struct kafka_group *group,
                        struct kafka_member *member, enum kafka_error error)
{
    void *waiter = member->syncing;
    member->syncing = NULL;
    if (waiter)
        groups->calls.synced(groups->calls.context, waiter, error, group, error ? NULL : member);
}

static void heard_of(struct kafka_member *member, uint64_t now_ms)
{
    member->until_ms = now_ms + member->session_ms;
}

/* --- rebalances --------------------------------------------------------------------------------------- */

static void become_empty(struct kafka_group *group)
{
    group->state = KAFKA_GROUP_EMPTY;
    group->generation++;
    free(group->protocol);
    group->protocol = NULL;
}

static uint64_t longest_time(const struct kafka_group *group)
{
    uint64_t longest = 0;
    for (const struct kafka_member *member = group->members; member; member = member->next) {
        if (member->rebalance_ms > longest)
            longest = member->rebalance_ms;
    }
    return longest;
}

/* All have joined: a new generation. */
static void complete(struct kafka_groups *groups, struct kafka_group *group, uint64_t now_ms)
{
    if (group->count == 0) {
        become_empty(group);
        return;
    }
    group->generation++;
    group->state = KAFKA_GROUP_COMPLETING;
    kafka_group_choose(group);
    if (!group->leader)
        group->leader = mem_strdup(group->members->id);
    group->until_ms = now_ms + longest_time(group);
    for (struct kafka_member *member = group->members; member; member = member->next) {
        heard_of(member, now_ms);
        kafka_member_assign(groups, member, (struct slice){0});
        tell_joined(groups, group, member, KAFKA_NONE);
    }
}

static void complete_if_all_joined(struct kafka_groups *groups, struct kafka_group *group, uint64_t now_ms)
{
    bool all = group->state == KAFKA_GROUP_PREPARING && !group->pending;
    for (const struct kafka_member *member = group->members; all && member; member = member->next)
        all = member->joining != NULL;
    if (all)
        complete(groups, group, now_ms);
}

/* The members are to join again, within the longest of their times. */
static void prepare(struct kafka_groups *groups, struct kafka_group *group, uint64_t now_ms)
{
    if (group->state == KAFKA_GROUP_PREPARING)
        return;
    group->state = KAFKA_GROUP_PREPARING;
    for (struct kafka_member *member = group->members; member; member = member->next)
        tell_synced(groups, group, member, KAFKA_REBALANCE_IN_PROGRESS);
    group->until_ms = now_ms + longest_time(group);
}

static void remove_member(struct kafka_groups *groups, struct kafka_group *group, struct kafka_member *member,
                          uint64_t now_ms)
{
    tell_joined(groups, group, member, KAFKA_UNKNOWN_MEMBER_ID);
    tell_synced(groups, group, member, KAFKA_UNKNOWN_MEMBER_ID);
    kafka_group_remove(groups, group, member);
    if (group->count == 0 && !group->pending)
        become_empty(group);
    else
        prepare(groups, group, now_ms);
}

/* --- join --------------------------------------------------------------------------------------------- */

/* Where a member that is in already stands: 1, it has been answered; 0, the members are to join again. */
static int answer_again(struct kafka_groups *groups, struct kafka_group *group, struct kafka_member *member,
                        bool changed)
{
    bool leads = group->leader && strcmp(group->leader, member->id) == 0;
    /* Who leads and joins again has something new to say. */
    if (changed || group->state == KAFKA_GROUP_PREPARING || group->state == KAFKA_GROUP_EMPTY ||
        (group->state == KAFKA_GROUP_STABLE && leads))
        return 0;
    tell_joined(groups, group, member, KAFKA_NONE);
    return 1;
}

static void enter(struct kafka_groups *groups, struct kafka_group *group, struct kafka_member *member,
                  const struct kafka_join *join, void *waiter, uint64_t now_ms)
{
    bool changed = kafka_member_update(groups, member, join);
    tell_joined(groups, group, member, KAFKA_UNKNOWN_MEMBER_ID); /* an earlier request of the same */
    member->joining = waiter;
    heard_of(member, now_ms);
    if (!group->type || group->count == 1) {
        free(group->type);
        group->type = mem_strndup(join->type.data, join->type.size);
    }
    if (answer_again(groups, group, member, changed))
        return;
    prepare(groups, group, now_ms);
    complete_if_all_joined(groups, group, now_ms);
}

/* A static member that comes without its id was started again: what it was is out. */
static void replace_instance(struct kafka_groups *groups, struct kafka_group *group, struct slice instance)
{
    struct kafka_member *member = kafka_group_instance(group, instance);
    if (!member)
        return;
    tell_joined(groups, group, member, KAFKA_FENCED_INSTANCE_ID);
    tell_synced(groups, group, member, KAFKA_FENCED_INSTANCE_ID);
    kafka_group_remove(groups, group, member);
}

static enum kafka_error join_new(struct kafka_groups *groups, struct kafka_group *group,
                                 const struct kafka_join *join, void *waiter, uint64_t now_ms,
                                 const char **ret_id)
{
    if (group->count >= KAFKA_GROUP_MEMBERS_MAX)
        return KAFKA_GROUP_MAX_SIZE_REACHED;
    if (!kafka_group_fits(group, join, kafka_group_instance(group, join->instance)))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    if (join->asks_first && !join->instance.data) {
        *ret_id = kafka_pending_add(group, join, now_ms + (uint64_t)join->session_ms);
        return KAFKA_MEMBER_ID_REQUIRED;
    }
    if (join->instance.data)
        replace_instance(groups, group, join->instance);
    enter(groups, group, kafka_group_add(group, join, (struct slice){0}), join, waiter, now_ms);
    return KAFKA_NONE;
}

static enum kafka_error join_known(struct kafka_groups *groups, struct kafka_group *group,
                                   const struct kafka_join *join, void *waiter, uint64_t now_ms)
{
    struct kafka_member *member = kafka_group_member(group, join->member);
    if (!member && join->instance.data && kafka_group_instance(group, join->instance))
        return KAFKA_FENCED_INSTANCE_ID;
    if (!kafka_group_fits(group, join, member))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    if (!member && !kafka_pending_take(group, join->member))
        return KAFKA_UNKNOWN_MEMBER_ID;
    if (!member && group->count >= KAFKA_GROUP_MEMBERS_MAX)
        return KAFKA_GROUP_MAX_SIZE_REACHED;
    enter(groups, group, member ? member : kafka_group_add(group, join, join->member), join, waiter, now_ms);
    return KAFKA_NONE;
}

enum kafka_error kafka_group_join(struct kafka_groups *groups, const struct kafka_join *join, void *waiter,
                                  uint64_t now_ms, const char **ret_id)
{
    if (join->group.size == 0)
        return KAFKA_INVALID_GROUP_ID;
    if (join->session_ms <= 0 || join->session_ms > KAFKA_SESSION_MAX_MS || join->rebalance_ms <= 0)
        return KAFKA_INVALID_SESSION_TIMEOUT;
    if (groups->bytes > KAFKA_GROUP_BYTES_MAX)
        return KAFKA_GROUP_MAX_SIZE_REACHED;
    struct kafka_group *group = map_get(&groups->map, join->group);
    if (!group && join->member.size)
        return KAFKA_UNKNOWN_MEMBER_ID;
    if (!group && groups->map.count == KAFKA_GROUPS_MAX)
        return KAFKA_GROUP_MAX_SIZE_REACHED;
    if (!group)
        group = kafka_group_new(groups, join->group);
    return join->member.size ? join_known(groups, group, join, waiter, now_ms)
                             : join_new(groups, group, join, waiter, now_ms, ret_id);
}

/* --- the rest of what members say --------------------------------------------------------------------- */

/* The member that speaks; NULL with why not. */
static struct kafka_member *speaker(struct kafka_groups *groups, const struct kafka_speaker *who,
                                    struct kafka_group **ret_group, enum kafka_error *ret_error)
{
    struct kafka_group *group = map_get(&groups->map, who->group);
    struct kafka_member *member = group ? kafka_group_member(group, who->member) : NULL;
    *ret_group = group;
    *ret_error = KAFKA_NONE;
    if (!member && group && who->instance.data && kafka_group_instance(group, who->instance))
        *ret_error = KAFKA_FENCED_INSTANCE_ID;
    else if (!member)
        *ret_error = who->group.size ? KAFKA_UNKNOWN_MEMBER_ID : KAFKA_INVALID_GROUP_ID;
    else if (who->generation != group->generation)
        *ret_error = KAFKA_ILLEGAL_GENERATION;
    return *ret_error == KAFKA_NONE ? member : NULL;
}

static void take_assignments(struct kafka_groups *groups, struct kafka_group *group,
                             const struct kafka_assignment *assignments, size_t count, uint64_t now_ms)
{
    for (size_t i = 0; i < count; i++) {
        struct kafka_member *member = kafka_group_member(group, assignments[i].member);
        if (member)
            kafka_member_assign(groups, member, assignments[i].bytes);
    }
    group->state = KAFKA_GROUP_STABLE;
    for (struct kafka_member *member = group->members; member; member = member->next) {
        if (member->syncing)
            heard_of(member, now_ms);
        tell_synced(groups, group, member, KAFKA_NONE);
    }
}

enum kafka_error kafka_group_sync(struct kafka_groups *groups, const struct kafka_speaker *who,
                                  const struct kafka_assignment *assignments, size_t count, void *waiter,
                                  uint64_t now_ms)
{
    struct kafka_group *group;
    enum kafka_error error;
    struct kafka_member *member = speaker(groups, who, &group, &error);
    if (!member)
        return error;
    heard_of(member, now_ms);
    if (group->state == KAFKA_GROUP_PREPARING || group->state == KAFKA_GROUP_EMPTY)
        return KAFKA_REBALANCE_IN_PROGRESS;
    tell_synced(groups, group, member, KAFKA_REBALANCE_IN_PROGRESS); /* an earlier request of the same */
    member->syncing = waiter;
    if (group->state == KAFKA_GROUP_STABLE)
        tell_synced(groups, group, member, KAFKA_NONE);
    else if (strcmp(group->leader, member->id) == 0)
        take_assignments(groups, group, assignments, count, now_ms);
    return KAFKA_NONE;
}

enum kafka_error kafka_group_heartbeat(struct kafka_groups *groups, const struct kafka_speaker *who,
                                       uint64_t now_ms)
{
    struct kafka_group *group;
    enum kafka_error error;
    struct kafka_member *member = speaker(groups, who, &group, &error);
    if (!member)
        return error;
    heard_of(member, now_ms);
    return group->state == KAFKA_GROUP_PREPARING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

enum kafka_error kafka_group_leave(struct kafka_groups *groups, const struct kafka_speaker *who,
                                   uint64_t now_ms)
{
    struct kafka_group *group = map_get(&groups->map, who->group);
    if (!group)
        return who->group.size ? KAFKA_UNKNOWN_MEMBER_ID : KAFKA_INVALID_GROUP_ID;
    struct kafka_member *member = kafka_group_member(group, who->member);
    if (!member && who->instance.data)
        member = kafka_group_instance(group, who->instance);
    if (member)
        remove_member(groups, group, member, now_ms);
    else if (!kafka_pending_take(group, who->member))
        return KAFKA_UNKNOWN_MEMBER_ID;
    complete_if_all_joined(groups, group, now_ms);
    return KAFKA_NONE;
}

enum kafka_error kafka_group_may_commit(struct kafka_groups *groups, const struct kafka_speaker *who,
                                        uint64_t now_ms)
{
    struct kafka_group *group = map_get(&groups->map, who->group);
    enum kafka_error error;
    if (who->group.size == 0)
        return KAFKA_INVALID_GROUP_ID;
    if (who->generation < 0)
        return group && group->count ? KAFKA_UNKNOWN_MEMBER_ID : KAFKA_NONE;
    struct kafka_member *member = speaker(groups, who, &group, &error);
    if (!member)
        return error;
    heard_of(member, now_ms);
    return group->state == KAFKA_GROUP_COMPLETING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

/* --- time --------------------------------------------------------------------------------------------- */

void kafka_group_abandon(struct kafka_groups *groups, void *waiter)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&groups->map, &at));) {
        const struct kafka_group *group = entry->value;
        for (struct kafka_member *member = group->members; member; member = member->next) {
            if (member->joining == waiter)
                member->joining = NULL;
            if (member->syncing == waiter)
                member->syncing = NULL;
        }
    }
}

/* Do the members have a time to do something together? */
static bool rebalances(const struct kafka_group *group)
{
    return group->state == KAFKA_GROUP_PREPARING || group->state == KAFKA_GROUP_COMPLETING;
}

/* Who waits is there. */
static bool counts(const struct kafka_member *member)
{
    return !member->joining && !member->syncing;
}

uint64_t kafka_groups_deadline(const struct kafka_groups *groups)
{
    uint64_t first = UINT64_MAX;
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&groups->map, &at));) {
        const struct kafka_group *group = entry->value;
        if (rebalances(group) && group->until_ms < first)
            first = group->until_ms;
        for (const struct kafka_member *member = group->members; member; member = member->next) {
            if (counts(member) && member->until_ms < first)
                first = member->until_ms;
        }
        for (const struct kafka_pending *pending = group->pending; pending; pending = pending->next) {
            if (pending->until_ms < first)
                first = pending->until_ms;
        }
    }
    return first;
}

static void tick(struct kafka_groups *groups, struct kafka_group *group, uint64_t now_ms)
{
    bool over = rebalances(group) && group->until_ms <= now_ms;
    kafka_pending_drop(group, over ? UINT64_MAX : now_ms);
    for (struct kafka_member *member = group->members, *next; member; member = next) {
        next = member->next;
        if (counts(member) && (over || member->until_ms <= now_ms))
            remove_member(groups, group, member, now_ms);
    }
    complete_if_all_joined(groups, group, now_ms);
}

void kafka_groups_tick(struct kafka_groups *groups, uint64_t now_ms)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&groups->map, &at));) {
        struct kafka_group *group = entry->value;
        tick(groups, group, now_ms);
        if (group->count == 0 && !group->pending)
            kafka_group_free(groups, group);
    }
}

void kafka_groups_end(struct kafka_groups *groups)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&groups->map, &at));) {
        const struct kafka_group *group = entry->value;
        for (struct kafka_member *member = group->members; member; member = member->next) {
            tell_joined(groups, group, member, KAFKA_COORDINATOR_NOT_AVAILABLE);
            tell_synced(groups, group, member, KAFKA_COORDINATOR_NOT_AVAILABLE);
        }
    }
}
