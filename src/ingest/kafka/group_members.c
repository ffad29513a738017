#include "ingest/kafka/group_parts.h"

#include <stdlib.h>

/* --- groups ------------------------------------------------------------------------------------------- */

struct kafka_group *kafka_group_new(struct kafka_groups *groups, struct slice name)
{
    struct kafka_group *group = mem_zalloc(sizeof *group);
    group->name = mem_strndup(name.data, name.size);
    map_set(&groups->map, name, group);
    return group;
}

void kafka_group_free(struct kafka_groups *groups, struct kafka_group *group)
{
    while (group->members)
        kafka_group_remove(groups, group, group->members);
    kafka_pending_drop(group, UINT64_MAX);
    map_remove(&groups->map, slice_of(group->name));
    free(group->name);
    free(group->type);
    free(group->protocol);
    free(group->leader);
    free(group);
}

/* --- members ------------------------------------------------------------------------------------------ */

struct kafka_member *kafka_group_member(const struct kafka_group *group, struct slice id)
{
    struct kafka_member *member = group->members;
    while (member && !slice_is(id, member->id))
        member = member->next;
    return member;
}

struct kafka_member *kafka_group_instance(const struct kafka_group *group, struct slice instance)
{
    struct kafka_member *member = group->members;
    while (member && !(member->instance && slice_is(instance, member->instance)))
        member = member->next;
    return member;
}

/* "rdkafka-1f0c…": the client's name and a random part, as brokers make them. */
static char *new_id(const struct kafka_join *join)
{
    char uuid[37];
    random_uuid(uuid);
    return mem_printf("%.200s-%s", join->client, uuid);
}

struct kafka_member *kafka_group_add(struct kafka_group *group, const struct kafka_join *join,
                                     struct slice id)
{
    struct kafka_member *member = mem_zalloc(sizeof *member), **last = &group->members;
    *member = (struct kafka_member){
        .id = id.size ? mem_strndup(id.data, id.size) : new_id(join),
        .instance = join->instance.data ? mem_strndup(join->instance.data, join->instance.size) : NULL,
        .client = mem_strdup(join->client),
        .host = mem_strdup(join->host)};
    while (*last)
        last = &(*last)->next;
    *last = member;
    group->count++;
    return member;
}

void kafka_group_remove(struct kafka_groups *groups, struct kafka_group *group, struct kafka_member *member)
{
    struct kafka_member **at = &group->members;
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    group->count--;
    if (group->leader && strcmp(group->leader, member->id) == 0) {
        free(group->leader);
        group->leader = NULL;
    }
    groups->bytes -= member->bytes + member->assignment.size;
    free(member->id);
    free(member->instance);
    free(member->client);
    free(member->host);
    free(member->protocols);
    free(member->memory);
    free((char *)member->assignment.data);
    free(member);
}

static bool same_protocols(const struct kafka_member *member, const struct kafka_join *join)
{
    if (member->protocol_count != join->protocol_count)
        return false;
    for (size_t i = 0; i < join->protocol_count; i++) {
        if (!slice_equal(member->protocols[i].name, join->protocols[i].name) ||
            !slice_equal(member->protocols[i].metadata, join->protocols[i].metadata))
            return false;
    }
    return true;
}

static struct slice keep(char **at, struct slice bytes)
{
    struct slice kept = {*at, bytes.size};
    if (bytes.size)
        memcpy(*at, bytes.data, bytes.size);
    *at += bytes.size;
    return kept;
}

bool kafka_member_update(struct kafka_groups *groups, struct kafka_member *member,
                         const struct kafka_join *join)
{
    member->session_ms = (uint64_t)join->session_ms;
    member->rebalance_ms = (uint64_t)join->rebalance_ms;
    if (member->memory && same_protocols(member, join))
        return false;
    size_t bytes = 0;
    for (size_t i = 0; i < join->protocol_count; i++)
        bytes += join->protocols[i].name.size + join->protocols[i].metadata.size;
    free(member->protocols);
    free(member->memory);
    char *at = member->memory = mem_alloc(bytes + 1);
    member->protocols = mem_zalloc(join->protocol_count * sizeof *member->protocols);
    member->protocol_count = join->protocol_count;
    for (size_t i = 0; i < join->protocol_count; i++) {
        member->protocols[i].name = keep(&at, join->protocols[i].name);
        member->protocols[i].metadata = keep(&at, join->protocols[i].metadata);
    }
    groups->bytes += bytes - member->bytes;
    member->bytes = bytes;
    return true;
}

void kafka_member_assign(struct kafka_groups *groups, struct kafka_member *member, struct slice bytes)
{
    groups->bytes += bytes.size - member->assignment.size;
    free((char *)member->assignment.data);
    member->assignment = (struct slice){bytes.size ? mem_dup(bytes.data, bytes.size) : NULL, bytes.size};
}

/* --- ids that are given ------------------------------------------------------------------------------- */

const char *kafka_pending_add(struct kafka_group *group, const struct kafka_join *join, uint64_t until_ms)
{
    struct kafka_pending *pending = mem_zalloc(sizeof *pending);
    *pending = (struct kafka_pending){group->pending, new_id(join), until_ms};
    group->pending = pending;
    return pending->id;
}

static void drop(struct kafka_pending **at)
{
    struct kafka_pending *pending = *at;
    *at = pending->next;
    free(pending->id);
    free(pending);
}

bool kafka_pending_take(struct kafka_group *group, struct slice id)
{
    struct kafka_pending **at = &group->pending;
    while (*at && !slice_is(id, (*at)->id))
        at = &(*at)->next;
    if (!*at)
        return false;
    drop(at);
    return true;
}

void kafka_pending_drop(struct kafka_group *group, uint64_t now_ms)
{
    for (struct kafka_pending **at = &group->pending; *at;) {
        if ((*at)->until_ms <= now_ms)
            drop(at);
        else
            at = &(*at)->next;
    }
}

/* --- protocols ---------------------------------------------------------------------------------------- */

static bool knows(const struct kafka_member *member, struct slice protocol)
{
    for (size_t i = 0; i < member->protocol_count; i++) {
        if (slice_equal(member->protocols[i].name, protocol))
            return true;
    }
    return false;
}

static bool all_know(const struct kafka_group *group, struct slice protocol, const struct kafka_member *but)
{
    for (const struct kafka_member *member = group->members; member; member = member->next) {
        if (member != but && !knows(member, protocol))
            return false;
    }
    return true;
}

bool kafka_group_fits(const struct kafka_group *group, const struct kafka_join *join,
                      const struct kafka_member *member)
{
    bool alone = group->count == (member != NULL);
    if (join->protocol_count == 0 || join->type.size == 0)
        return false;
    if (alone)
        return true;
    if (!group->type || !slice_is(join->type, group->type))
        return false;
    for (size_t i = 0; i < join->protocol_count; i++) {
        if (all_know(group, join->protocols[i].name, member))
            return true;
    }
    return false;
}

static size_t votes_for(const struct kafka_group *group, struct slice protocol)
{
    size_t votes = 0;
    for (const struct kafka_member *member = group->members; member; member = member->next) {
        size_t i = 0;
        while (i < member->protocol_count && !all_know(group, member->protocols[i].name, NULL))
            i++;
        votes += i < member->protocol_count && slice_equal(member->protocols[i].name, protocol);
    }
    return votes;
}

void kafka_group_choose(struct kafka_group *group)
{
    const struct kafka_member *first = group->members;
    struct slice best = {0};
    size_t most = 0;
    for (size_t i = 0; i < first->protocol_count; i++) {
        struct slice each = first->protocols[i].name;
        size_t votes = all_know(group, each, NULL) ? votes_for(group, each) : 0;
        if (votes > most) {
            most = votes;
            best = each;
        }
    }
    free(group->protocol);
    group->protocol = mem_strndup(best.data ? best.data : "", best.size);
}
