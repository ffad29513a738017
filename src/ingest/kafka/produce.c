#include "ingest/kafka/api.h"
#include "ingest/kafka/connection.h"
#include "ingest/kafka/cursors.h"
#include "ingest/kafka/record.h"
#include "ingest/kafka/topics.h"
#include "ingest/request.h"

#include <stdatomic.h>

/* A request has parts, one for each partition it writes to; each is a push of its own, kept whole or not at
 * all. The answer waits for all of them, whatever number of acknowledgements the client asks for: there is
 * one log, and what is acknowledged is durable. */

enum { PARTS_MAX = 4096, TOPIC_LEAST = 3, PART_LEAST = 5, THROTTLE_MS = 200 };

struct part {
    struct ingest_push push; /* first: a push is its part */
    struct produce *produce;
    int32_t index;
    enum kafka_error error;
    const char *why; /* NULL: nothing is to be said */
    int32_t bad;     /* the record that is not valid, -1: none */
    int64_t offset;  /* -1: not known */
    struct buffer decoded;
    struct part *next; /* of the topic */
    bool pushed;
    enum ingest_result result;
};

struct topic {
    struct slice name;
    struct part *parts, **last;
    int32_t count;
    struct topic *next;
};

struct produce {
    struct kafka *kafka;
    struct kafka_exchange *exchange;
    struct topic *topics, **last;
    int32_t count;
    int16_t acks;
    bool transactional;
    bool broken; /* the request is cut: what was pushed is waited for, and then the line, too */
    int32_t parts;
    atomic_uint waiting; /* pushes, and the handler itself */
};

/* --- one partition ------------------------------------------------------------------------------------ */

static void refuse(struct part *part, enum kafka_error error, const char *why)
{
    part->error = error;
    part->why = why;
}

static void on_done(struct ingest_push *push, enum ingest_result result)
{
    struct part *part = (struct part *)push;
    struct produce *produce = part->produce;
    part->result = result;
    if (atomic_fetch_sub(&produce->waiting, 1) == 1)
        kafka_resume(produce->kafka, produce->exchange);
}

static bool set_sequence(struct part *part, const struct kafka_batch *records)
{
    if (records->producer < 0)
        return true;
    if (records->producer == 0 || records->sequence < 0 || records->epoch < 0) {
        refuse(part, KAFKA_INVALID_RECORD,
               "a batch of an idempotent producer needs a producer, an epoch and a "
               "sequence, as InitProducerId begins them");
        return false;
    }
    part->push.sequence = (struct ingest_sequence){
        .producer = records->producer,
        .epoch = records->epoch,
        .partition = (uint32_t)part->index,
        .first = records->sequence,
        .last = (int32_t)(((uint32_t)records->sequence + records->count - 1) & INT32_MAX)};
    return true;
}

static void push(struct part *part, struct ingest_capture *capture, size_t binding,
                 const struct ingest_batch *batch)
{
    part->push.documents = batch->documents;
    part->push.count = batch->count;
    part->push.bytes = batch->bytes;
    part->push.scope = (uint32_t)binding;
    part->push.done = on_done;
    part->pushed = true;
    atomic_fetch_add(&part->produce->waiting, 1);
    ingest_push(capture, &part->push);
}

/* Clients send it again, when the time in the answer has passed. */
static void refuse_for_now(struct part *part, const char *why)
{
    refuse(part, KAFKA_NOT_ENOUGH_REPLICAS, why);
    buffer_done(&part->decoded);
}

static bool read_batch(struct part *part, struct slice bytes, uint64_t most, struct kafka_batch *records)
{
    struct arena *arena = &part->produce->exchange->arena;
    struct error err;
    buffer_init(&part->decoded, most);
    if (!bytes.data || bytes.size > most) {
        refuse(part, bytes.data ? KAFKA_MESSAGE_TOO_LARGE : KAFKA_CORRUPT_MESSAGE,
               bytes.data ? "a batch is larger than 'maxBodyBytes'" : "there is no batch");
        return false;
    }
    if (kafka_batch_read(bytes, arena, &part->decoded, records, &err) == 0)
        return true;
    refuse(part,
           err.code == ERROR_LIMIT         ? KAFKA_MESSAGE_TOO_LARGE
           : err.code == ERROR_UNSUPPORTED ? KAFKA_UNSUPPORTED_COMPRESSION_TYPE
           : err.code == ERROR_INVALID     ? KAFKA_INVALID_RECORD
                                           : KAFKA_CORRUPT_MESSAGE,
           arena_strdup(arena, err.message));
    return false;
}

static void take_decoded(struct part *part, struct ingest_capture *capture, size_t binding,
                         const struct kafka_batch *records)
{
    struct kafka *kafka = part->produce->kafka;
    struct arena *arena = &part->produce->exchange->arena;
    struct ingest_batch batch = {.arena = arena};
    struct ingest_problem problem;
    struct error err;
    if (records->transactional) {
        refuse(part, KAFKA_INVALID_REQUEST, "transactions are not supported");
        return;
    }
    if (ingest_worker_room(kafka->worker, part->decoded.capacity + records->count * sizeof *records->records,
                           &err) < 0) {
        refuse_for_now(part, "too many large requests at once; try again");
        return;
    }
    for (uint32_t i = 0; i < records->count; i++) {
        if (kafka_record_add(kafka->worker, capture, binding, &records->records[i], &batch, &problem) == 0)
            continue;
        if (problem.status == 503) {
            refuse_for_now(part, kafka_record_why(&problem, arena));
            return;
        }
        refuse(part, problem.status == 413 ? KAFKA_MESSAGE_TOO_LARGE : KAFKA_INVALID_RECORD,
               kafka_record_why(&problem, arena));
        part->bad = (int32_t)i;
        return;
    }
    if (batch.count > 0 && set_sequence(part, records))
        push(part, capture, binding, &batch);
}

static void take_records(struct part *part, struct ingest_capture *capture, size_t binding,
                         struct slice bytes)
{
    struct kafka *kafka = part->produce->kafka;
    struct kafka_batch records;
    if (!read_batch(part, bytes, capture->bindings[binding].options.body_max, &records))
        return;
    kafka->worker->room = &part->produce->exchange->hold.room;
    take_decoded(part, capture, binding, &records);
    kafka->worker->room = NULL;
}

/* Clients try again what is not known (yet); what is there to be read alone has to be final. */
static void refuse_unknown(struct kafka *kafka, struct part *part, const char *name)
{
    if (!kafka_may_read(kafka, part->produce->exchange->connection))
        refuse(part, KAFKA_TOPIC_AUTHORIZATION_FAILED, "no push capture has this collection");
    else if (!*name)
        refuse(part, KAFKA_INVALID_TOPIC, "the topic's name holds a NUL, is no UTF-8, or empty");
    else if (kafka_view_of(kafka, slice_of(name), false)->error == KAFKA_NONE)
        refuse(part, KAFKA_TOPIC_AUTHORIZATION_FAILED,
               "no push capture has this collection: it can be read, not written");
    else
        refuse(part, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, "no push capture has this collection");
}

static void take_part(struct part *part, const char *name, struct slice bytes)
{
    struct kafka *kafka = part->produce->kafka;
    const struct kafka_connection *connection = part->produce->exchange->connection;
    struct ingest_capture *capture;
    size_t binding;
    if (part->produce->acks < -1 || part->produce->acks > 1) {
        refuse(part, KAFKA_INVALID_REQUIRED_ACKS, "acks is 0, 1 or -1 (all)");
        return;
    }
    if (part->produce->transactional) {
        refuse(part, KAFKA_INVALID_REQUEST, "transactions are not supported");
        return;
    }
    enum ingest_found found = ingest_find_collection(kafka->captures, name, &capture, &binding);
    if (found == INGEST_AWAY)
        refuse(part, KAFKA_LEADER_NOT_AVAILABLE, "the capture is being changed or started again; try again");
    else if (found == INGEST_NONE)
        refuse_unknown(kafka, part, name);
    if (found != INGEST_FOUND)
        return;
    const struct ingest_binding *to = &capture->bindings[binding];
    if (!kafka_may_push(kafka, connection, to))
        refuse(part, KAFKA_TOPIC_AUTHORIZATION_FAILED, "the collection's token is needed, by SASL PLAIN");
    else if (part->index < 0 || part->index >= KAFKA_PARTITIONS_MAX)
        refuse(part, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, "there is no such partition");
    else if (!ingest_rate_allows(to, ingest_request_second()))
        refuse(part, KAFKA_NOT_ENOUGH_REPLICAS, "more requests than 'maxRequestsPerSecond'; try again");
    else
        take_records(part, capture, binding, bytes);
    ingest_release(capture);
}

/* --- the answer --------------------------------------------------------------------------------------- */

static void settle(struct part *part)
{
    static const enum kafka_error errors[] = {[INGEST_DURABLE] = KAFKA_NONE,
                                              [INGEST_DUPLICATE] = KAFKA_NONE,
                                              [INGEST_STOPPED] = KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                                              [INGEST_FULL] = KAFKA_NOT_ENOUGH_REPLICAS,
                                              [INGEST_OUT_OF_ORDER] = KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                              [INGEST_OLD_EPOCH] = KAFKA_INVALID_PRODUCER_EPOCH,
                                              [INGEST_DUPLICATE_OLD] = KAFKA_DUPLICATE_SEQUENCE_NUMBER};
    if (!part->pushed) {
        if (part->error != KAFKA_NONE && part->error != KAFKA_LEADER_NOT_AVAILABLE)
            ingest_count(part->produce->kafka->captures, PUSH_REFUSED, 1);
        return;
    }
    part->error = errors[part->result];
    /* The first partition is the capture's own journal; others take what is sent to them as well. */
    if (part->error == KAFKA_NONE && part->index == 0 && part->push.offset != INGEST_NOWHERE)
        part->offset = (int64_t)part->push.offset;
}

static void put_part(struct wire_writer *out, int16_t version, const struct part *part)
{
    wire_put_i32(out, part->index);
    wire_put_i16(out, (int16_t)part->error);
    wire_put_i64(out, part->offset);
    if (version >= 2)
        wire_put_i64(out, -1); /* the records' times are their producers' */
    if (version >= 5)
        wire_put_i64(out, part->error == KAFKA_NONE ? 0 : -1);
    if (version >= 8) {
        wire_put_array(out, part->bad >= 0);
        if (part->bad >= 0) {
            wire_put_i32(out, part->bad);
            wire_put_text(out, part->why);
            wire_put_tags(out);
        }
        wire_put_text(out, part->why);
    }
    wire_put_tags(out);
}

static enum kafka_next answer(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct produce *produce = exchange->owner;
    struct wire_writer *out = &exchange->out;
    bool failed = false, wait = false;
    (void)kafka;
    wire_put_array(out, produce->count);
    for (struct topic *topic = produce->topics; topic; topic = topic->next) {
        wire_put_string(out, topic->name);
        wire_put_array(out, topic->count);
        for (struct part *part = topic->parts; part; part = part->next) {
            settle(part);
            put_part(out, exchange->version, part);
            failed |= part->error != KAFKA_NONE;
            wait |= part->error == KAFKA_NOT_ENOUGH_REPLICAS;
        }
        wire_put_tags(out);
    }
    if (exchange->version >= 1)
        wire_put_i32(out, wait ? THROTTLE_MS : 0);
    wire_put_tags(out);
    if (produce->broken)
        return KAFKA_HANG_UP;
    if (produce->acks == 0) /* who wants no answer hears of a failure in the one way there is */
        return failed ? KAFKA_HANG_UP : KAFKA_SILENT;
    return KAFKA_ANSWER;
}

static void release(struct kafka_exchange *exchange)
{
    struct produce *produce = exchange->owner;
    for (struct topic *topic = produce->topics; topic; topic = topic->next) {
        for (struct part *part = topic->parts; part; part = part->next)
            buffer_done(&part->decoded);
    }
}

/* --- the request -------------------------------------------------------------------------------------- */

static void read_part(struct produce *produce, struct topic *topic, const char *name)
{
    struct kafka_exchange *exchange = produce->exchange;
    exchange->in.broken |= ++produce->parts > PARTS_MAX;
    struct part *part = arena_zalloc(&exchange->arena, sizeof *part);
    part->produce = produce;
    part->index = wire_i32(&exchange->in);
    part->bad = -1;
    part->offset = -1;
    struct slice bytes = wire_bytes(&exchange->in);
    wire_tags(&exchange->in);
    *topic->last = part;
    topic->last = &part->next;
    topic->count++;
    if (!exchange->in.broken)
        take_part(part, name, bytes);
}

static void read_topic(struct produce *produce)
{
    struct kafka_exchange *exchange = produce->exchange;
    struct topic *topic = arena_zalloc(&exchange->arena, sizeof *topic);
    topic->last = &topic->parts;
    topic->name = wire_string(&exchange->in);
    *produce->last = topic;
    produce->last = &topic->next;
    produce->count++;
    const char *name =
        arena_strndup(&exchange->arena, topic->name.data ? topic->name.data : "", topic->name.size);
    for (int32_t count = wire_array(&exchange->in, PART_LEAST); count > 0 && !exchange->in.broken; count--)
        read_part(produce, topic, name);
    wire_tags(&exchange->in);
}

enum kafka_next kafka_handle_produce(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct produce *produce = arena_zalloc(&exchange->arena, sizeof *produce);
    produce->kafka = kafka;
    produce->exchange = exchange;
    produce->last = &produce->topics;
    atomic_init(&produce->waiting, 1);
    exchange->owner = produce;
    exchange->release = release;
    exchange->resumed = answer;
    if (exchange->version >= 3)
        produce->transactional = wire_string(in).data != NULL;
    produce->acks = wire_i16(in);
    wire_i32(in); /* a time: what is not durable soon is not answered at all */
    for (int32_t count = wire_array(in, TOPIC_LEAST); count > 0 && !in->broken; count--)
        read_topic(produce);
    wire_tags(in);
    produce->broken = in->broken;
    return atomic_fetch_sub(&produce->waiting, 1) == 1 ? answer(kafka, exchange) : KAFKA_LATER;
}
