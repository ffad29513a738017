#include "ingest/kafka/api.h"
#include "ingest/kafka/cursors.h"
#include "ingest/kafka/groups.h"

/* OffsetCommit and OffsetFetch. An offset is of a log: with it is kept which, so that after a log was dropped
 * and begun anew the group reads it as one that it has not seen. */

enum { TOPICS_MAX = 4096, PARTS_MAX = 16384, TOPIC_LEAST = 3, PART_LEAST = 8 };

static uint64_t identity_of(struct kafka *kafka, struct slice topic, int32_t partition)
{
    const struct kafka_view *view = kafka_view_of(kafka, topic, false);
    return view->error == KAFKA_NONE && partition >= 0 && (size_t)partition < view->topic.count
               ? view->topic.partitions[partition].identity
               : 0;
}

/* A topic that is being changed, or that may not be seen, is none that there is not. */
static bool is_unknown(struct kafka *kafka, struct slice topic, int32_t partition)
{
    bool unknown = true;
    for (int fresh = 0; unknown && fresh < 2; fresh++) {
        const struct kafka_view *view = kafka_view_of(kafka, topic, fresh);
        unknown = view->error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION ||
                  (view->error == KAFKA_NONE && (size_t)partition >= view->topic.count);
    }
    return unknown;
}

/* --- commit ------------------------------------------------------------------------------------------- */

struct part {
    struct part *next;
    int32_t index;
    enum kafka_error error;
};

struct topic {
    struct topic *next;
    struct slice name;
    struct part *parts, **last;
    int32_t count;
};

struct request {
    struct kafka *kafka;
    struct kafka_exchange *exchange;
    struct topic *topics, **last;
    int32_t topic_count, parts;
    enum kafka_error error; /* of the group: each partition has it */
    struct slice group;
    struct kafka_commit *commits;
    size_t count, capacity;
    bool durable;
};

void kafka_commits_done(void *waiter, bool durable)
{
    struct request *request = waiter;
    request->durable = durable;
    kafka_resume(request->kafka, request->exchange);
}

static void put_commit(struct request *request, const struct kafka_commit *commit)
{
    if (request->count == request->capacity) {
        size_t capacity = request->capacity ? 2 * request->capacity : 4;
        struct kafka_commit *more = arena_alloc(&request->exchange->arena, capacity * sizeof *more);
        if (request->count)
            memcpy(more, request->commits, request->count * sizeof *more);
        request->commits = more;
        request->capacity = capacity;
    }
    request->commits[request->count++] = *commit;
}

static void read_part(struct request *request, struct topic *topic)
{
    struct wire_reader *in = &request->exchange->in;
    struct part *part = arena_zalloc(&request->exchange->arena, sizeof *part);
    struct kafka_commit commit = {.group = request->group, .topic = topic->name};
    commit.partition = part->index = wire_i32(in);
    commit.offset = wire_i64(in);
    if (request->exchange->version >= 6)
        wire_i32(in);
    commit.metadata = wire_string_as_is(in); /* the client's own, and told as it came */
    wire_tags(in);
    *topic->last = part;
    topic->last = &part->next;
    topic->count++;
    in->broken |= ++request->parts > PARTS_MAX;
    if (in->broken)
        return;
    if (topic->name.size == 0)
        part->error = KAFKA_INVALID_TOPIC;
    else if (commit.metadata.size > KAFKA_COMMIT_METADATA_MAX)
        part->error = KAFKA_OFFSET_METADATA_TOO_LARGE;
    else if (!utf8_valid(commit.metadata.data ? commit.metadata.data : "", commit.metadata.size))
        part->error = KAFKA_INVALID_REQUEST; /* the file is text */
    else if (commit.partition < 0 || commit.offset < 0 || topic->name.size > STORE_NAME_MAX)
        part->error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    else if (is_unknown(request->kafka, topic->name, part->index))
        part->error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (request->error != KAFKA_NONE)
        part->error = request->error;
    if (part->error != KAFKA_NONE)
        return;
    commit.identity = identity_of(request->kafka, topic->name, part->index);
    put_commit(request, &commit);
}

static void read_topic(struct request *request)
{
    struct wire_reader *in = &request->exchange->in;
    struct topic *topic = arena_zalloc(&request->exchange->arena, sizeof *topic);
    topic->last = &topic->parts;
    topic->name = wire_string(in);
    in->broken |= !topic->name.data || ++request->topic_count > TOPICS_MAX;
    for (int32_t count = wire_array(in, PART_LEAST); count > 0 && !in->broken; count--)
        read_part(request, topic);
    wire_tags(in);
    *request->last = topic;
    request->last = &topic->next;
}

static enum kafka_next answer_commit(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct request *request = exchange->owner;
    struct wire_writer *out = &exchange->out;
    if (request->durable)
        kafka_commits_take(kafka->commits, request->commits, request->count);
    if (exchange->version >= 3)
        wire_put_i32(out, 0);
    wire_put_array(out, request->topic_count);
    for (const struct topic *topic = request->topics; topic; topic = topic->next) {
        wire_put_string(out, topic->name);
        wire_put_array(out, topic->count);
        for (const struct part *part = topic->parts; part; part = part->next) {
            wire_put_i32(out, part->index);
            wire_put_i16(out, (int16_t)(part->error == KAFKA_NONE && !request->durable
                                            ? KAFKA_COORDINATOR_NOT_AVAILABLE
                                            : part->error));
            wire_put_tags(out);
        }
        wire_put_tags(out);
    }
    wire_put_tags(out);
    return KAFKA_ANSWER;
}

static enum kafka_error may_commit(struct kafka *kafka, const struct kafka_exchange *exchange,
                                   const struct kafka_speaker *who)
{
    if (!kafka_may_read(kafka, exchange->connection))
        return KAFKA_GROUP_AUTHORIZATION_FAILED;
    if (who->group.size > STORE_NAME_MAX)
        return KAFKA_INVALID_GROUP_ID;
    return kafka_group_may_commit(kafka->groups, who, kafka->now_ms);
}

enum kafka_next kafka_handle_offset_commit(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct request *request = arena_zalloc(&exchange->arena, sizeof *request);
    struct kafka_speaker who;
    request->kafka = kafka;
    request->exchange = exchange;
    request->last = &request->topics;
    exchange->owner = request;
    exchange->resumed = answer_commit;
    kafka_read_speaker(exchange, 7, &who);
    if (exchange->version <= 4)
        wire_i64(in); /* how long it is to be kept: as long as there is room */
    if (in->broken)
        return KAFKA_HANG_UP;
    request->group = who.group;
    request->error = may_commit(kafka, exchange, &who);
    for (int32_t count = wire_array(in, TOPIC_LEAST); count > 0 && !in->broken; count--)
        read_topic(request);
    wire_tags(in);
    if (in->broken)
        return KAFKA_HANG_UP;
    if (request->count == 0)
        return answer_commit(kafka, exchange);
    kafka_commits_put(kafka->commits, request->commits, request->count, request);
    return KAFKA_LATER;
}

/* --- fetch -------------------------------------------------------------------------------------------- */

static void put_offset(struct kafka *kafka, struct kafka_exchange *exchange,
                       const struct kafka_commit *commit)
{
    struct wire_writer *out = &exchange->out;
    uint64_t identity = commit->identity ? identity_of(kafka, commit->topic, commit->partition) : 0;
    bool valid = commit->offset >= 0 && (identity == 0 || identity == commit->identity);
    wire_put_i32(out, commit->partition);
    wire_put_i64(out, valid ? commit->offset : -1);
    if (exchange->version >= 5)
        wire_put_i32(out, -1);
    wire_put_string(out, valid && commit->metadata.data ? commit->metadata : (struct slice){"", 0});
    wire_put_i16(out, KAFKA_NONE);
    wire_put_tags(out);
}

static bool answer_some(struct kafka *kafka, struct kafka_exchange *exchange, struct slice group,
                        int32_t topics, bool may)
{
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    wire_put_array(out, topics);
    for (; topics > 0 && !in->broken; topics--) {
        struct slice topic = wire_string(in);
        int32_t parts = wire_array(in, 4);
        if (!topic.data || parts < 0 || parts > PARTS_MAX)
            return false;
        wire_put_string(out, topic);
        wire_put_array(out, parts);
        for (; parts > 0 && !in->broken; parts--) {
            struct kafka_commit commit;
            int32_t index = wire_i32(in);
            if (!may || !kafka_commits_get(kafka->commits, group, topic, index, &commit))
                commit = (struct kafka_commit){.topic = topic, .partition = index, .offset = -1};
            put_offset(kafka, exchange, &commit);
        }
        wire_tags(in);
        wire_put_tags(out);
    }
    return true;
}

/* All that the group has: a topic for each, in no order. */
static void answer_all(struct kafka *kafka, struct kafka_exchange *exchange, struct slice group)
{
    struct wire_writer *out = &exchange->out;
    struct kafka_commit commit;
    int32_t count = 0;
    for (size_t at = 0; kafka_commits_next(kafka->commits, group, &at, &commit);)
        count++;
    wire_put_array(out, count);
    for (size_t at = 0; kafka_commits_next(kafka->commits, group, &at, &commit);) {
        wire_put_string(out, commit.topic);
        wire_put_array(out, 1);
        put_offset(kafka, exchange, &commit);
        wire_put_tags(out);
    }
}

enum kafka_next kafka_handle_offset_fetch(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    bool may = kafka_may_read(kafka, exchange->connection);
    struct slice group = wire_string(in);
    int32_t topics = wire_array(in, TOPIC_LEAST);
    if (in->broken || topics > TOPICS_MAX)
        return KAFKA_HANG_UP;
    if (exchange->version >= 3)
        wire_put_i32(out, 0);
    if (topics >= 0 && !answer_some(kafka, exchange, group, topics, may))
        return KAFKA_HANG_UP;
    if (topics < 0 && may)
        answer_all(kafka, exchange, group);
    else if (topics < 0)
        wire_put_array(out, 0);
    if (exchange->version >= 2)
        wire_put_i16(out, !may          ? KAFKA_GROUP_AUTHORIZATION_FAILED
                          : !group.size ? KAFKA_INVALID_GROUP_ID
                                        : KAFKA_NONE);
    if (exchange->version >= 7)
        wire_bool(in); /* what is committed is stable */
    wire_tags(in);
    wire_put_tags(out);
    return in->broken ? KAFKA_HANG_UP : KAFKA_ANSWER;
}
