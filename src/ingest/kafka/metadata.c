#include "ingest/kafka/api.h"
#include "ingest/kafka/topics.h"

enum { TOPICS_MAX = 16384, NO_OPERATIONS = INT32_MIN };

static void put_partition(struct wire_writer *out, int16_t version, int32_t index)
{
    wire_put_i16(out, KAFKA_NONE);
    wire_put_i32(out, index);
    wire_put_i32(out, KAFKA_NODE);
    if (version >= 7)
        wire_put_i32(out, -1); /* epochs of leaders: there are none */
    wire_put_array(out, 1);    /* replicas */
    wire_put_i32(out, KAFKA_NODE);
    wire_put_array(out, 1); /* in sync */
    wire_put_i32(out, KAFKA_NODE);
    if (version >= 5)
        wire_put_array(out, 0); /* offline */
    wire_put_tags(out);
}

static void put_topic(struct kafka *kafka, struct kafka_exchange *exchange, const char *name)
{
    struct wire_writer *out = &exchange->out;
    struct kafka_topic topic;
    int16_t version = exchange->version;
    enum kafka_error error = kafka_topic_find(kafka, exchange->connection, name, &exchange->arena, &topic);
    int32_t count = error == KAFKA_NONE ? (int32_t)topic.count : 0;
    wire_put_i16(out, (int16_t)error);
    wire_put_text(out, name);
    if (version >= 1)
        wire_put_bool(out, false); /* internal */
    wire_put_array(out, count);
    for (int32_t i = 0; i < count; i++)
        put_partition(out, version, i);
    if (version >= 8)
        wire_put_i32(out, NO_OPERATIONS);
    wire_put_tags(out);
}

static void put_brokers(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_writer *out = &exchange->out;
    int16_t version = exchange->version;
    if (version >= 3)
        wire_put_i32(out, 0); /* throttle */
    wire_put_array(out, 1);
    wire_put_i32(out, KAFKA_NODE);
    wire_put_text(out, kafka_told_host(kafka, exchange->connection));
    wire_put_i32(out, kafka_told_port(kafka, exchange->connection));
    if (version >= 1)
        wire_put_text(out, NULL); /* rack */
    wire_put_tags(out);
    if (version >= 2)
        wire_put_text(out, kafka->cluster);
    if (version >= 1)
        wire_put_i32(out, KAFKA_NODE); /* controller */
}

/* The names that were asked for; false: all are. */
static bool read_names(struct kafka_exchange *exchange, const char ***ret_names, size_t *ret_count)
{
    struct wire_reader *in = &exchange->in;
    int32_t count = wire_array(in, 2);
    if (count > TOPICS_MAX)
        in->broken = true;
    if (in->broken || count < 0 || (count == 0 && exchange->version == 0))
        return false;
    *ret_names = arena_alloc(&exchange->arena, ((size_t)count + 1) * sizeof **ret_names);
    *ret_count = 0;
    for (int32_t i = 0; i < count && !in->broken; i++) {
        struct slice name = wire_string(in);
        wire_tags(in);
        (*ret_names)[(*ret_count)++] = arena_strndup(&exchange->arena, name.data ? name.data : "", name.size);
    }
    return true;
}

enum kafka_next kafka_handle_metadata(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_writer *out = &exchange->out;
    const char **names = NULL;
    size_t count = 0;
    bool some = read_names(exchange, &names, &count);
    if (exchange->in.broken)
        return KAFKA_HANG_UP;
    put_brokers(kafka, exchange);
    if (!some)
        kafka_topics_list(kafka, exchange->connection, &exchange->arena, (const char *const **)&names,
                          &count);
    wire_put_array(out, (int32_t)count);
    for (size_t i = 0; i < count; i++)
        put_topic(kafka, exchange, names[i]);
    if (exchange->version >= 8)
        wire_put_i32(out, NO_OPERATIONS);
    wire_put_tags(out);
    return KAFKA_ANSWER;
}
