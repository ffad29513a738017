#include "ingest/kafka/api.h"
#include "ingest/kafka/topics.h"

#include "base/clock.h"

/* The small requests: producers' numbers, who coordinates, topics that somebody would like to have, and what
 * they are like. */

/* Who asks for transactions is told what clients take for final: that nobody is allowed to; of every other
 * error some would try for ever. */

enum { TOPICS_MAX = 1024, TOPIC_LEAST = 4, ITEM_LEAST = 3 };

#define NO_TRANSACTIONS \
    "transactions are not supported: what a request acknowledges is durable, each batch for itself"

/* --- InitProducerId ----------------------------------------------------------------------------------- */

/* Random, so that no number is given twice, whatever happened before. */
static int64_t new_producer(void)
{
    uint64_t number;
    do {
        random_bytes(&number, sizeof number);
        number >>= 2;
    } while (number == 0);
    return (int64_t)number;
}

enum kafka_next kafka_handle_init_producer(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    bool transactional = wire_string(in).data != NULL;
    int64_t producer = -1;
    int16_t epoch = -1;
    (void)kafka;
    wire_i32(in);
    if (exchange->version >= 3) {
        producer = wire_i64(in);
        epoch = wire_i16(in);
    }
    wire_tags(in);
    if (in->broken)
        return KAFKA_HANG_UP;
    /* One that has a number goes on under it, in its next epoch, as long as there is one. */
    if (producer > 0 && epoch >= 0 && epoch < INT16_MAX - 1) {
        epoch++;
    } else {
        producer = new_producer();
        epoch = 0;
    }
    wire_put_i32(out, 0);
    wire_put_i16(out, transactional ? KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED : KAFKA_NONE);
    wire_put_i64(out, transactional ? -1 : producer);
    wire_put_i16(out, transactional ? -1 : epoch);
    wire_put_tags(out);
    return KAFKA_ANSWER;
}

/* --- FindCoordinator ---------------------------------------------------------------------------------- */

enum kafka_next kafka_handle_find_coordinator(struct kafka *kafka, struct kafka_exchange *exchange)
{
    enum { OF_GROUPS };
    struct wire_writer *out = &exchange->out;
    wire_string(&exchange->in);
    int8_t type = exchange->version >= 1 ? wire_i8(&exchange->in) : OF_GROUPS;
    wire_tags(&exchange->in);
    if (exchange->in.broken)
        return KAFKA_HANG_UP;
    bool known = type == OF_GROUPS;
    if (exchange->version >= 1)
        wire_put_i32(out, 0);
    wire_put_i16(out, known ? KAFKA_NONE : KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    if (exchange->version >= 1)
        wire_put_text(out, known ? NULL : NO_TRANSACTIONS);
    wire_put_i32(out, known ? KAFKA_NODE : -1);
    wire_put_text(out, known ? kafka_told_host(kafka, exchange->connection) : "");
    wire_put_i32(out, known ? kafka_told_port(kafka, exchange->connection) : -1);
    wire_put_tags(out);
    return KAFKA_ANSWER;
}

/* --- CreateTopics ------------------------------------------------------------------------------------- */

/* The members that say how a topic is to be; a collection is as its catalog says. */
static void skip_topic(struct wire_reader *in)
{
    wire_i32(in);
    wire_i16(in);
    for (int32_t count = wire_array(in, ITEM_LEAST); count > 0 && !in->broken; count--) {
        wire_i32(in);
        for (int32_t brokers = wire_array(in, 4); brokers > 0 && !in->broken; brokers--)
            wire_i32(in);
        wire_tags(in);
    }
    for (int32_t count = wire_array(in, ITEM_LEAST); count > 0 && !in->broken; count--) {
        wire_string(in);
        wire_string(in);
        wire_tags(in);
    }
    wire_tags(in);
}

/* Is it a collection, even one whose capture does not run yet? */
static bool is_there(struct kafka *kafka, struct kafka_exchange *exchange, struct slice name,
                     enum kafka_error *ret_error)
{
    struct kafka_topic topic;
    const char *text = arena_strndup(&exchange->arena, name.data ? name.data : "", name.size);
    *ret_error = kafka_topic_find(kafka, exchange->connection, text, &exchange->arena, &topic);
    return *ret_error == KAFKA_NONE || *ret_error == KAFKA_LEADER_NOT_AVAILABLE;
}

static void answer_topic(struct kafka *kafka, struct kafka_exchange *exchange, struct slice name)
{
    struct wire_writer *out = &exchange->out;
    enum kafka_error error;
    bool there = is_there(kafka, exchange, name, &error);
    wire_put_string(out, name);
    wire_put_i16(out, there                                       ? KAFKA_TOPIC_ALREADY_EXISTS
                      : error == KAFKA_TOPIC_AUTHORIZATION_FAILED ? KAFKA_TOPIC_AUTHORIZATION_FAILED
                      : error == KAFKA_INVALID_TOPIC              ? KAFKA_INVALID_TOPIC
                                                                  : KAFKA_POLICY_VIOLATION);
    if (exchange->version >= 1)
        wire_put_text(out,
                      there ? "the collection is there"
                            : "topics are the collections of a catalog: add the collection there, and a push "
                              "capture with a binding to it");
    if (exchange->version >= 5) {
        wire_put_i32(out, -1);
        wire_put_i16(out, -1);
        wire_put_array(out, -1);
    }
    wire_put_tags(out);
}

enum kafka_next kafka_handle_create_topics(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    int32_t count = wire_array(in, TOPIC_LEAST);
    if (exchange->version >= 2)
        wire_put_i32(out, 0);
    if (count < 0 || count > TOPICS_MAX)
        return KAFKA_HANG_UP;
    wire_put_array(out, count);
    for (; count > 0 && !in->broken; count--) {
        struct slice name = wire_string(in);
        skip_topic(in);
        answer_topic(kafka, exchange, name);
    }
    wire_put_tags(out);
    return in->broken ? KAFKA_HANG_UP : KAFKA_ANSWER;
}

/* --- DeleteTopics ------------------------------------------------------------------------------------- */

static void refuse_deletion(struct kafka *kafka, struct kafka_exchange *exchange, struct slice name)
{
    struct wire_writer *out = &exchange->out;
    enum kafka_error error;
    bool there = is_there(kafka, exchange, name, &error);
    wire_put_string(out, name);
    wire_put_i16(out, (int16_t)(there ? KAFKA_TOPIC_DELETION_DISABLED : error));
    if (exchange->version >= 5)
        wire_put_text(out,
                      there ? "topics are the collections of a catalog: take the collection out of it, and "
                              "drop what wrote it with 'firth drop'"
                            : NULL);
    wire_put_tags(out);
}

enum kafka_next kafka_handle_delete_topics(struct kafka *kafka, struct kafka_exchange *exchange)
{
    enum { NAME_LEAST = 1 };
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    int32_t count = wire_array(in, NAME_LEAST);
    if (exchange->version >= 1)
        wire_put_i32(out, 0);
    if (count < 0 || count > TOPICS_MAX)
        return KAFKA_HANG_UP;
    wire_put_array(out, count);
    for (; count > 0 && !in->broken; count--)
        refuse_deletion(kafka, exchange, wire_string(in));
    wire_put_tags(out);
    return in->broken ? KAFKA_HANG_UP : KAFKA_ANSWER;
}

/* --- DescribeConfigs ---------------------------------------------------------------------------------- */

/* What is so of every topic, and tools look at; how a collection is kept is its catalog's matter. */
static const struct config {
    const char *name, *value;
    int8_t type;
} topic_configs[] = {
    {"cleanup.policy", "delete", 7 /* a list */},
    {"message.timestamp.type", "LogAppendTime", 2 /* a string */},
};

enum { CONFIGS = sizeof topic_configs / sizeof *topic_configs, ALL_CONFIGS = (1 << CONFIGS) - 1 };

static void put_config(struct kafka_exchange *exchange, const struct config *config, bool documented)
{
    enum { DEFAULT = 5 };
    struct wire_writer *out = &exchange->out;
    wire_put_text(out, config->name);
    wire_put_text(out, config->value);
    wire_put_bool(out, true); /* read only */
    if (exchange->version == 0)
        wire_put_bool(out, true); /* the default */
    else
        wire_put_i8(out, DEFAULT);
    wire_put_bool(out, false); /* no secret */
    if (exchange->version >= 1)
        wire_put_array(out, 0);
    if (exchange->version >= 3) {
        wire_put_i8(out, config->type);
        wire_put_text(out, documented ? "the same for every collection" : NULL);
    }
    wire_put_tags(out);
}

/* Which are asked for, a bit each: null is all. */
static unsigned read_wanted(struct wire_reader *in)
{
    int32_t count = wire_array(in, 1);
    unsigned wanted = count < 0 ? ALL_CONFIGS : 0;
    for (; count > 0 && !in->broken; count--) {
        struct slice name = wire_string(in);
        for (size_t i = 0; i < CONFIGS; i++)
            wanted |= slice_is(name, topic_configs[i].name) ? 1U << i : 0;
    }
    return wanted;
}

struct resource {
    int8_t type;
    struct slice name;
    unsigned wanted;
};

static void answer_resource(struct kafka *kafka, struct kafka_exchange *exchange,
                            const struct resource *resource, bool documented)
{
    enum { TOPIC = 2, BROKER = 4 };
    struct wire_writer *out = &exchange->out;
    enum kafka_error error = KAFKA_NONE;
    bool topic = resource->type == TOPIC, known = topic || resource->type == BROKER;
    if (!known)
        error = KAFKA_INVALID_REQUEST;
    else if (topic && is_there(kafka, exchange, resource->name, &error))
        error = KAFKA_NONE; /* or its capture is away for a moment */
    unsigned wanted = topic && error == KAFKA_NONE ? resource->wanted : 0;
    wire_put_i16(out, (int16_t)error);
    wire_put_text(out, known ? NULL : "topics and the broker are what has a configuration here");
    wire_put_i8(out, resource->type);
    wire_put_string(out, resource->name);
    wire_put_array(out, __builtin_popcount(wanted));
    for (size_t i = 0; i < CONFIGS; i++) {
        if (wanted & 1U << i)
            put_config(exchange, &topic_configs[i], documented);
    }
    wire_put_tags(out);
}

enum kafka_next kafka_handle_describe_configs(struct kafka *kafka, struct kafka_exchange *exchange)
{
    enum { RESOURCE_LEAST = 3 };
    struct wire_reader *in = &exchange->in;
    int32_t count = wire_array(in, RESOURCE_LEAST);
    if (count < 0 || count > TOPICS_MAX)
        return KAFKA_HANG_UP;
    struct resource *resources = arena_alloc(&exchange->arena, ((size_t)count + 1) * sizeof *resources);
    for (int32_t i = 0; i < count; i++) {
        resources[i].type = wire_i8(in);
        resources[i].name = wire_string(in);
        resources[i].wanted = read_wanted(in);
        wire_tags(in);
    }
    if (exchange->version >= 1)
        wire_bool(in); /* synonyms, of which there are none */
    bool documented = exchange->version >= 3 && wire_bool(in);
    wire_tags(in);
    if (in->broken)
        return KAFKA_HANG_UP;
    wire_put_i32(&exchange->out, 0);
    wire_put_array(&exchange->out, count);
    for (int32_t i = 0; i < count; i++)
        answer_resource(kafka, exchange, &resources[i], documented);
    wire_put_tags(&exchange->out);
    return KAFKA_ANSWER;
}
