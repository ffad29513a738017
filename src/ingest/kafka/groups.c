#include "ingest/kafka/groups.h"
#include "ingest/kafka/api.h"
#include "ingest/kafka/connection.h"
#include "ingest/kafka/group.h"

/* The requests of consumer groups, to group.c and back. Whoever may read may be in a group. */

enum { MEMBERS_MAX = 4096, GROUPS_MAX = 1024, ENTRY_LEAST = 3, NO_OPERATIONS = INT32_MIN };

static void put_head(struct kafka_exchange *exchange, int16_t throttled, enum kafka_error error)
{
    if (exchange->version >= throttled)
        wire_put_i32(&exchange->out, 0);
    wire_put_i16(&exchange->out, (int16_t)error);
}

static bool may(struct kafka *kafka, const struct kafka_exchange *exchange)
{
    return kafka_may_read(kafka, exchange->connection);
}

/* --- join --------------------------------------------------------------------------------------------- */

static void put_members(struct wire_writer *out, int16_t version, const struct kafka_group *group)
{
    wire_put_array(out, (int32_t)group->count);
    for (const struct kafka_member *member = group->members; member; member = member->next) {
        struct slice metadata = {"", 0};
        for (size_t i = 0; i < member->protocol_count; i++) {
            if (slice_is(member->protocols[i].name, group->protocol))
                metadata = member->protocols[i].metadata;
        }
        wire_put_text(out, member->id);
        if (version >= 5)
            wire_put_text(out, member->instance);
        wire_put_bytes(out, metadata);
        wire_put_tags(out);
    }
}

static void put_joined(struct kafka_exchange *exchange, enum kafka_error error,
                       const struct kafka_group *group, const struct kafka_member *member, const char *id)
{
    struct wire_writer *out = &exchange->out;
    bool leads = member && strcmp(group->leader, member->id) == 0;
    put_head(exchange, 2, error);
    wire_put_i32(out, member ? group->generation : -1);
    if (exchange->version >= 7)
        wire_put_text(out, member ? group->type : NULL);
    wire_put_text(out, member ? group->protocol : exchange->version >= 7 ? NULL : "");
    wire_put_text(out, member ? group->leader : "");
    wire_put_text(out, member ? member->id : id);
    if (leads)
        put_members(out, exchange->version, group);
    else
        wire_put_array(out, 0);
    wire_put_tags(out);
}

void kafka_group_joined(void *context, void *waiter, enum kafka_error error, const struct kafka_group *group,
                        const struct kafka_member *member)
{
    put_joined(waiter, error, group, member, "");
    kafka_answered(context, waiter, KAFKA_ANSWER);
}

static bool read_protocols(struct kafka_exchange *exchange, struct kafka_join *join)
{
    struct wire_reader *in = &exchange->in;
    int32_t count = wire_array(in, ENTRY_LEAST);
    if (count < 0 || count > KAFKA_PROTOCOLS_MAX || in->broken)
        return false;
    struct kafka_protocol *protocols =
        arena_zalloc(&exchange->arena, ((size_t)count + 1) * sizeof *protocols);
    for (int32_t i = 0; i < count; i++) {
        protocols[i].name = wire_string(in);
        protocols[i].metadata = wire_bytes(in);
        wire_tags(in);
    }
    join->protocols = protocols;
    join->protocol_count = (size_t)count;
    return true;
}

static bool read_join(struct kafka_exchange *exchange, struct kafka_join *join)
{
    struct wire_reader *in = &exchange->in;
    join->group = wire_string(in);
    join->session_ms = wire_i32(in);
    join->rebalance_ms = exchange->version >= 1 ? wire_i32(in) : join->session_ms;
    join->member = wire_string(in);
    if (exchange->version >= 5)
        join->instance = wire_string(in);
    join->type = wire_string(in);
    bool right = read_protocols(exchange, join);
    wire_tags(in);
    join->asks_first = exchange->version >= 4;
    return right && !in->broken && join->member.size <= KAFKA_MEMBER_ID_MAX;
}

static void abandoned(struct kafka *kafka, struct kafka_exchange *exchange)
{
    kafka_group_abandon(kafka->groups, exchange);
}

enum kafka_next kafka_handle_join_group(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct kafka_join join = {.client = exchange->connection->client_id, .host = exchange->connection->peer};
    const char *id = "";
    if (!read_join(exchange, &join))
        return KAFKA_HANG_UP;
    exchange->abandoned = abandoned;
    enum kafka_error error = may(kafka, exchange)
                                 ? kafka_group_join(kafka->groups, &join, exchange, kafka->now_ms, &id)
                                 : KAFKA_GROUP_AUTHORIZATION_FAILED;
    if (error == KAFKA_NONE)
        return KAFKA_LATER;
    if (error != KAFKA_MEMBER_ID_REQUIRED)
        id = arena_strndup(&exchange->arena, join.member.data ? join.member.data : "", join.member.size);
    put_joined(exchange, error, NULL, NULL, id);
    return KAFKA_ANSWER;
}

/* --- sync --------------------------------------------------------------------------------------------- */

static void put_synced(struct kafka_exchange *exchange, enum kafka_error error,
                       const struct kafka_group *group, const struct kafka_member *member)
{
    struct wire_writer *out = &exchange->out;
    put_head(exchange, 1, error);
    if (exchange->version >= 5) {
        wire_put_text(out, member ? group->type : NULL);
        wire_put_text(out, member ? group->protocol : NULL);
    }
    struct slice assignment = member ? member->assignment : (struct slice){0};
    wire_put_bytes(out, assignment.data ? assignment : (struct slice){"", 0});
    wire_put_tags(out);
}

void kafka_group_synced(void *context, void *waiter, enum kafka_error error, const struct kafka_group *group,
                        const struct kafka_member *member)
{
    put_synced(waiter, error, group, member);
    kafka_answered(context, waiter, KAFKA_ANSWER);
}

void kafka_read_speaker(struct kafka_exchange *exchange, int16_t instances, struct kafka_speaker *who)
{
    struct wire_reader *in = &exchange->in;
    *who = (struct kafka_speaker){.group = wire_string(in)};
    who->generation = wire_i32(in);
    who->member = wire_string(in);
    if (exchange->version >= instances)
        who->instance = wire_string(in);
}

enum kafka_next kafka_handle_sync_group(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct kafka_speaker who;
    kafka_read_speaker(exchange, 3, &who);
    if (exchange->version >= 5) {
        wire_string(in); /* the protocol's type and name, which the group has */
        wire_string(in);
    }
    int32_t count = wire_array(in, ENTRY_LEAST);
    if (count < 0 || count > MEMBERS_MAX || in->broken)
        return KAFKA_HANG_UP;
    struct kafka_assignment *assignments =
        arena_zalloc(&exchange->arena, ((size_t)count + 1) * sizeof *assignments);
    for (int32_t i = 0; i < count; i++) {
        assignments[i].member = wire_string(in);
        assignments[i].bytes = wire_bytes(in);
        wire_tags(in);
    }
    wire_tags(in);
    if (in->broken)
        return KAFKA_HANG_UP;
    exchange->abandoned = abandoned;
    enum kafka_error error = may(kafka, exchange) ? kafka_group_sync(kafka->groups, &who, assignments,
                                                                     (size_t)count, exchange, kafka->now_ms)
                                                  : KAFKA_GROUP_AUTHORIZATION_FAILED;
    if (error == KAFKA_NONE)
        return KAFKA_LATER;
    put_synced(exchange, error, NULL, NULL);
    return KAFKA_ANSWER;
}

/* --- heartbeat, leave --------------------------------------------------------------------------------- */

enum kafka_next kafka_handle_heartbeat(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct kafka_speaker who;
    kafka_read_speaker(exchange, 3, &who);
    wire_tags(&exchange->in);
    if (exchange->in.broken)
        return KAFKA_HANG_UP;
    put_head(exchange, 1,
             may(kafka, exchange) ? kafka_group_heartbeat(kafka->groups, &who, kafka->now_ms)
                                  : KAFKA_GROUP_AUTHORIZATION_FAILED);
    wire_put_tags(&exchange->out);
    return KAFKA_ANSWER;
}

/* Of several members, each has its own answer. */
static bool leave_many(struct kafka *kafka, struct kafka_exchange *exchange, struct slice group)
{
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    int32_t count = wire_array(in, ENTRY_LEAST);
    if (count < 0 || count > MEMBERS_MAX)
        return false;
    put_head(exchange, 1, may(kafka, exchange) ? KAFKA_NONE : KAFKA_GROUP_AUTHORIZATION_FAILED);
    wire_put_array(out, count);
    for (; count > 0 && !in->broken; count--) {
        struct kafka_speaker who = {.group = group, .member = wire_string(in)};
        who.instance = wire_string(in);
        wire_tags(in);
        if (in->broken)
            return false;
        enum kafka_error error = may(kafka, exchange) ? kafka_group_leave(kafka->groups, &who, kafka->now_ms)
                                                      : KAFKA_GROUP_AUTHORIZATION_FAILED;
        wire_put_string(out, who.member.data ? who.member : (struct slice){"", 0});
        wire_put_string(out, who.instance);
        wire_put_i16(out, (int16_t)error);
        wire_put_tags(out);
    }
    return true;
}

enum kafka_next kafka_handle_leave_group(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct kafka_speaker who = {.group = wire_string(in)};
    if (exchange->version >= 3) {
        if (!leave_many(kafka, exchange, who.group))
            return KAFKA_HANG_UP;
    } else {
        who.member = wire_string(in);
        if (in->broken)
            return KAFKA_HANG_UP;
        put_head(exchange, 1,
                 may(kafka, exchange) ? kafka_group_leave(kafka->groups, &who, kafka->now_ms)
                                      : KAFKA_GROUP_AUTHORIZATION_FAILED);
    }
    wire_tags(in);
    wire_put_tags(&exchange->out);
    return in->broken ? KAFKA_HANG_UP : KAFKA_ANSWER;
}

/* --- what groups there are ---------------------------------------------------------------------------- */

static const char *const states[] = {[KAFKA_GROUP_EMPTY] = "Empty",
                                     [KAFKA_GROUP_PREPARING] = "PreparingRebalance",
                                     [KAFKA_GROUP_COMPLETING] = "CompletingRebalance",
                                     [KAFKA_GROUP_STABLE] = "Stable"};

static void put_described(struct wire_writer *out, int16_t version, const struct kafka_group *group)
{
    wire_put_array(out, (int32_t)group->count);
    for (const struct kafka_member *member = group->members; member; member = member->next) {
        struct slice metadata = {"", 0};
        for (size_t i = 0; group->protocol && i < member->protocol_count; i++) {
            if (slice_is(member->protocols[i].name, group->protocol))
                metadata = member->protocols[i].metadata;
        }
        wire_put_text(out, member->id);
        if (version >= 4)
            wire_put_text(out, member->instance);
        wire_put_text(out, member->client);
        wire_put_text(out, member->host);
        wire_put_bytes(out, metadata);
        wire_put_bytes(out, member->assignment.data ? member->assignment : (struct slice){"", 0});
        wire_put_tags(out);
    }
}

enum kafka_next kafka_handle_describe_groups(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    int32_t count = wire_array(in, 1);
    if (count < 0 || count > GROUPS_MAX)
        return KAFKA_HANG_UP;
    if (exchange->version >= 1)
        wire_put_i32(out, 0);
    wire_put_array(out, count);
    for (; count > 0 && !in->broken; count--) {
        struct slice name = wire_string(in);
        const struct kafka_group *group = may(kafka, exchange) ? kafka_group_find(kafka->groups, name) : NULL;
        wire_put_i16(out, may(kafka, exchange) ? KAFKA_NONE : KAFKA_GROUP_AUTHORIZATION_FAILED);
        wire_put_string(out, name.data ? name : (struct slice){"", 0});
        wire_put_text(out, group                                           ? states[group->state]
                           : kafka_commits_has_group(kafka->commits, name) ? "Empty"
                                                                           : "Dead");
        wire_put_text(out, group && group->type ? group->type : "");
        wire_put_text(out, group && group->protocol ? group->protocol : "");
        if (group)
            put_described(out, exchange->version, group);
        else
            wire_put_array(out, 0);
        if (exchange->version >= 3)
            wire_put_i32(out, NO_OPERATIONS);
        wire_put_tags(out);
    }
    wire_put_tags(out);
    return in->broken ? KAFKA_HANG_UP : KAFKA_ANSWER;
}

static bool wanted(const struct slice *filter, int32_t count, const char *state)
{
    for (int32_t i = 0; i < count; i++) {
        if (slice_is(filter[i], state))
            return true;
    }
    return count <= 0;
}

static void put_listed(struct kafka_exchange *exchange, struct slice name, const char *type,
                       const char *state)
{
    struct wire_writer *out = &exchange->out;
    wire_put_string(out, name);
    wire_put_text(out, type);
    if (exchange->version >= 4)
        wire_put_text(out, state);
    wire_put_tags(out);
}

/* Those that have members, and those that have committed offsets. Twice: once to count. */
static int32_t list_groups(struct kafka *kafka, struct kafka_exchange *exchange, const struct slice *filter,
                           int32_t filters, bool write)
{
    const struct kafka_group *group;
    int32_t count = 0;
    for (size_t at = 0; (group = kafka_groups_next(kafka->groups, &at));) {
        if (!wanted(filter, filters, states[group->state]))
            continue;
        count++;
        if (write)
            put_listed(exchange, slice_of(group->name), group->type ? group->type : "", states[group->state]);
    }
    struct slice name;
    for (size_t at = 0; kafka_commits_next_group(kafka->commits, &at, &name);) {
        if (kafka_group_find(kafka->groups, name) || !wanted(filter, filters, states[KAFKA_GROUP_EMPTY]))
            continue;
        count++;
        if (write)
            put_listed(exchange, name, "consumer", states[KAFKA_GROUP_EMPTY]);
    }
    return count;
}

enum kafka_next kafka_handle_list_groups(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    int32_t filters = exchange->version >= 4 ? wire_array(in, 1) : 0;
    if (filters > GROUPS_MAX)
        return KAFKA_HANG_UP;
    struct slice *filter =
        arena_zalloc(&exchange->arena, ((size_t)(filters > 0 ? filters : 0) + 1) * sizeof *filter);
    for (int32_t i = 0; i < filters; i++)
        filter[i] = wire_string(in);
    wire_tags(in);
    if (in->broken)
        return KAFKA_HANG_UP;
    put_head(exchange, 1, may(kafka, exchange) ? KAFKA_NONE : KAFKA_CLUSTER_AUTHORIZATION_FAILED);
    wire_put_array(&exchange->out,
                   may(kafka, exchange) ? list_groups(kafka, exchange, filter, filters, false) : 0);
    if (may(kafka, exchange))
        list_groups(kafka, exchange, filter, filters, true);
    wire_put_tags(&exchange->out);
    return KAFKA_ANSWER;
}
