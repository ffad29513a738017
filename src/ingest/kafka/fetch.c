#include "ingest/kafka/fetch.h"

#include "ingest/kafka/api.h"
#include "ingest/kafka/batch.h"
#include "ingest/kafka/cursors.h"
#include "ingest/kafka/key_text.h"
#include "ingest/kafka/watches.h"

#include <stdlib.h>

/* A fetch reads what there is of each partition. If that is less than its client wants, it waits: for
 * something to be committed, or until its time is up. What is committed is all there is to see. */

enum { PARTS_MAX = 4096, TOPIC_LEAST = 3, PART_LEAST = 16, POLL_MS = 100 };

struct part {
    struct part *next; /* of the topic */
    int32_t index;
    int64_t offset;
    int32_t most; /* bytes */
    enum kafka_error error;
    int64_t first, end; /* offsets that are there */
    size_t begin, size; /* of its records, in fetch.records */
};

struct topic {
    struct topic *next;
    struct slice name;
    struct part *parts, **last;
    int32_t count;
    struct kafka_watch *watch;
};

struct fetch {
    struct fetch *next, *previous; /* that wait */
    struct kafka_exchange *exchange;
    struct topic *topics, **last;
    int32_t count, parts;
    int32_t least, most; /* bytes */
    int8_t isolation;
    bool failed; /* a partition has an error, which is told at once */
    bool polls;  /* a topic of it cannot be watched */
    uint64_t end_ms, again_ms;
    struct buffer records;
};

struct kafka_fetches {
    struct fetch *waiting;
    struct kafka_watches *watches;
};

/* --- reading ------------------------------------------------------------------------------------------ */

struct reading {
    struct kafka *kafka;
    struct fetch *fetch;
    const struct kafka_view *view;
    struct kafka_batch_writer batch;
    struct buffer key;
};

static bool key_of(struct reading *reading, struct slice document)
{
    struct json doc;
    struct error unused;
    buffer_clear(&reading->key);
    if (reading->view->key.count == 0 ||
        json_parse(reading->kafka->worker->parser, document.data, document.size, &doc, &unused) < 0)
        return false;
    kafka_key_text(&reading->view->key, &doc, 0, &reading->key);
    return true;
}

/* False: there is no room for it in this answer, and it is not its only one. */
static bool give(struct reading *reading, struct part *part, const struct store_document *document)
{
    struct buffer *out = &reading->fetch->records;
    struct slice key = {0};
    if (key_of(reading, document->bytes))
        key = (struct slice){reading->key.data, reading->key.size};
    size_t more =
        document->bytes.size + key.size + KAFKA_RECORD_MORE + (reading->batch.count ? 0 : KAFKA_BATCH_HEAD);
    size_t here = out->size - part->begin;
    if (out->size > 0 &&
        (here + more > (size_t)part->most || out->size + more > (size_t)reading->fetch->most))
        return false;
    if (reading->batch.count == 0)
        kafka_batch_begin(&reading->batch, out, (int64_t)document->number, document->committed_ms);
    else if (document->number - (uint64_t)reading->batch.base > INT32_MAX)
        return false;
    kafka_batch_add(&reading->batch, (int64_t)document->number, document->committed_ms, key, document->bytes);
    return true;
}

static enum kafka_error read_cursor(struct reading *reading, struct part *part, struct kafka_cursor *cursor)
{
    const struct store_document *document;
    struct error err;
    int got;
    while ((got = kafka_cursor_next(cursor, &document, &err)) > 0 && give(reading, part, document))
        kafka_cursor_given(cursor);
    if (reading->batch.count > 0)
        kafka_batch_end(&reading->batch);
    if ((int64_t)cursor->position + (got > 0) > part->end)
        part->end = (int64_t)cursor->position + (got > 0);
    if (got >= 0 || reading->batch.count > 0)
        return KAFKA_NONE; /* what is wrong is told when it is the first to be read */
    return err.code == ERROR_NOT_FOUND ? KAFKA_OFFSET_OUT_OF_RANGE : KAFKA_STORAGE_ERROR;
}

static enum kafka_error read_journal(struct reading *reading, struct part *part,
                                     const struct kafka_partition *partition)
{
    struct error err;
    if (partition->end == 0 && part->offset == 0)
        return KAFKA_NONE; /* nothing was pushed to it yet: there is no journal */
    struct kafka_cursor *cursor = kafka_cursor_take(reading->kafka, reading->view->topic.name,
                                                    partition->writer, (uint64_t)part->offset, &err);
    if (!cursor)
        return KAFKA_STORAGE_ERROR;
    buffer_init(&reading->key, STORE_DOCUMENT_MAX);
    enum kafka_error error = read_cursor(reading, part, cursor);
    buffer_done(&reading->key);
    if (error == KAFKA_NONE)
        kafka_cursor_put(reading->kafka, cursor);
    else
        kafka_cursor_free(cursor);
    return error;
}

/* Is the offset one of the journal's, or the one behind its last? The view may be older than the offset. */
static const struct kafka_partition *find_partition(struct kafka *kafka, const struct topic *topic,
                                                    const struct part *part, struct kafka_view **ret_view)
{
    for (int fresh = 0; fresh < 2; fresh++) {
        struct kafka_view *view = kafka_view_of(kafka, topic->name, fresh);
        *ret_view = view;
        if (view->error != KAFKA_NONE || part->index < 0 || (size_t)part->index >= view->topic.count)
            continue;
        const struct kafka_partition *partition = &view->topic.partitions[part->index];
        if (partition->end == 0 && !fresh)
            continue; /* of an empty journal nothing is read: it has to be so now */
        if (part->offset >= (int64_t)partition->first && part->offset <= (int64_t)partition->end)
            return partition;
    }
    return NULL;
}

static void read_part(struct kafka *kafka, struct fetch *fetch, const struct topic *topic, struct part *part)
{
    struct kafka_view *view;
    part->begin = fetch->records.size;
    part->size = 0;
    part->first = part->end = -1;
    const struct kafka_partition *partition = find_partition(kafka, topic, part, &view);
    if (!partition && view->error != KAFKA_NONE) {
        part->error = view->error;
        return;
    }
    if (!partition && (part->index < 0 || (size_t)part->index >= view->topic.count)) {
        part->error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    const struct kafka_partition *there = &view->topic.partitions[part->index];
    part->first = (int64_t)there->first;
    part->end = (int64_t)there->end;
    struct reading reading = {.kafka = kafka, .fetch = fetch, .view = view};
    part->error = partition ? read_journal(&reading, part, partition) : KAFKA_OFFSET_OUT_OF_RANGE;
    part->size = fetch->records.size - part->begin;
}

static void read_all(struct kafka *kafka, struct fetch *fetch)
{
    bool may = kafka_may_read(kafka, fetch->exchange->connection);
    buffer_clear(&fetch->records);
    fetch->failed = false;
    for (struct topic *topic = fetch->topics; topic; topic = topic->next) {
        for (struct part *part = topic->parts; part; part = part->next) {
            if (may)
                read_part(kafka, fetch, topic, part);
            else
                part->error = KAFKA_TOPIC_AUTHORIZATION_FAILED;
            fetch->failed |= part->error != KAFKA_NONE;
        }
    }
}

/* --- the answer --------------------------------------------------------------------------------------- */

static void put_part(struct wire_writer *out, int16_t version, const struct fetch *fetch,
                     const struct part *part)
{
    wire_put_i32(out, part->index);
    wire_put_i16(out, (int16_t)part->error);
    wire_put_i64(out, part->end);
    wire_put_i64(out, part->end); /* the last stable offset: all that is there */
    if (version >= 5)
        wire_put_i64(out, part->first);
    wire_put_array(out, fetch->isolation ? 0 : -1); /* transactions that were given up */
    if (version >= 11)
        wire_put_i32(out, -1); /* no other replica is better */
    wire_put_bytes(out, (struct slice){part->size ? fetch->records.data + part->begin : "", part->size});
    wire_put_tags(out);
}

static void put_answer(struct fetch *fetch)
{
    struct wire_writer *out = &fetch->exchange->out;
    int16_t version = fetch->exchange->version;
    wire_put_i32(out, 0);
    if (version >= 7) {
        wire_put_i16(out, KAFKA_NONE);
        wire_put_i32(out, 0); /* no session: each fetch names its partitions */
    }
    wire_put_array(out, fetch->count);
    for (const struct topic *topic = fetch->topics; topic; topic = topic->next) {
        wire_put_string(out, topic->name);
        wire_put_array(out, topic->count);
        for (const struct part *part = topic->parts; part; part = part->next)
            put_part(out, version, fetch, part);
        wire_put_tags(out);
    }
    wire_put_tags(out);
}

/* --- waiting ------------------------------------------------------------------------------------------ */

static bool enough(const struct kafka *kafka, const struct fetch *fetch)
{
    return fetch->failed || fetch->records.size >= (size_t)fetch->least || kafka->now_ms >= fetch->end_ms ||
           fetch->count == 0;
}

static void watch_all(struct kafka *kafka, struct fetch *fetch)
{
    for (struct topic *topic = fetch->topics; topic; topic = topic->next) {
        topic->watch = kafka_watch_begin(kafka, kafka->fetches->watches, topic->name);
        fetch->polls |= !topic->watch;
    }
    fetch->again_ms = fetch->polls ? kafka->now_ms + POLL_MS : UINT64_MAX;
}

static void leave(struct kafka *kafka, struct fetch *fetch)
{
    *(fetch->previous ? &fetch->previous->next : &kafka->fetches->waiting) = fetch->next;
    if (fetch->next)
        fetch->next->previous = fetch->previous;
    for (struct topic *topic = fetch->topics; topic; topic = topic->next)
        kafka_watch_end(kafka, kafka->fetches->watches, topic->watch);
}

static void finish(struct kafka *kafka, struct fetch *fetch)
{
    leave(kafka, fetch);
    put_answer(fetch);
    kafka_answered(kafka, fetch->exchange, KAFKA_ANSWER);
}

static void try_again(struct kafka *kafka, struct fetch *fetch)
{
    read_all(kafka, fetch);
    if (enough(kafka, fetch))
        finish(kafka, fetch);
    else if (fetch->polls)
        fetch->again_ms = kafka->now_ms + POLL_MS;
}

static void on_fired(struct kafka *kafka, struct kafka_watch *watch)
{
    for (struct fetch *fetch = kafka->fetches->waiting, *next; fetch; fetch = next) {
        next = fetch->next;
        const struct topic *topic = fetch->topics;
        while (topic && topic->watch != watch)
            topic = topic->next;
        if (topic)
            try_again(kafka, fetch);
    }
}

static void abandoned(struct kafka *kafka, struct kafka_exchange *exchange)
{
    leave(kafka, exchange->owner);
}

static void release(struct kafka_exchange *exchange)
{
    struct fetch *fetch = exchange->owner;
    buffer_done(&fetch->records);
}

struct kafka_fetches *kafka_fetches_new(void)
{
    struct kafka_fetches *fetches = mem_zalloc(sizeof *fetches);
    fetches->watches = kafka_watches_new(on_fired);
    return fetches;
}

void kafka_fetches_free(struct kafka *kafka, struct kafka_fetches *fetches)
{
    if (!fetches)
        return;
    kafka_watches_free(kafka, fetches->watches);
    free(fetches);
}

uint64_t kafka_fetches_deadline(const struct kafka_fetches *fetches)
{
    uint64_t first = UINT64_MAX;
    for (const struct fetch *fetch = fetches->waiting; fetch; fetch = fetch->next) {
        uint64_t own = fetch->end_ms < fetch->again_ms ? fetch->end_ms : fetch->again_ms;
        first = own < first ? own : first;
    }
    return first;
}

void kafka_fetches_tick(struct kafka *kafka)
{
    for (struct fetch *fetch = kafka->fetches->waiting, *next; fetch; fetch = next) {
        next = fetch->next;
        if (kafka->now_ms >= fetch->end_ms || kafka->now_ms >= fetch->again_ms)
            try_again(kafka, fetch);
    }
    kafka_watches_trim(kafka, kafka->fetches->watches);
}

void kafka_fetches_end(struct kafka *kafka)
{
    while (kafka->fetches->waiting)
        finish(kafka, kafka->fetches->waiting);
}

/* --- the request -------------------------------------------------------------------------------------- */

static void read_part_request(struct fetch *fetch, struct topic *topic)
{
    struct wire_reader *in = &fetch->exchange->in;
    int16_t version = fetch->exchange->version;
    struct part *part = arena_zalloc(&fetch->exchange->arena, sizeof *part);
    part->index = wire_i32(in);
    if (version >= 9)
        wire_i32(in); /* the epoch of the leader */
    part->offset = wire_i64(in);
    if (version >= 12)
        wire_i32(in); /* and of what was fetched last */
    if (version >= 5)
        wire_i64(in); /* of followers */
    part->most = wire_i32(in);
    wire_tags(in);
    *topic->last = part;
    topic->last = &part->next;
    topic->count++;
    in->broken |= ++fetch->parts > PARTS_MAX;
}

static void read_topic_request(struct fetch *fetch)
{
    struct wire_reader *in = &fetch->exchange->in;
    struct topic *topic = arena_zalloc(&fetch->exchange->arena, sizeof *topic);
    topic->last = &topic->parts;
    topic->name = wire_string(in);
    in->broken |= !topic->name.data;
    for (int32_t count = wire_array(in, PART_LEAST); count > 0 && !in->broken; count--)
        read_part_request(fetch, topic);
    wire_tags(in);
    *fetch->last = topic;
    fetch->last = &topic->next;
    in->broken |= ++fetch->count > PARTS_MAX;
}

/* What follows the partitions is of no concern: there are no sessions and no racks. */
static bool read_request(struct kafka *kafka, struct fetch *fetch)
{
    struct wire_reader *in = &fetch->exchange->in;
    wire_i32(in); /* a replica's number */
    int32_t wait_ms = wire_i32(in);
    fetch->least = wire_i32(in);
    fetch->most = wire_i32(in);
    fetch->isolation = wire_i8(in);
    if (fetch->exchange->version >= 7) {
        wire_i32(in);
        wire_i32(in);
    }
    for (int32_t count = wire_array(in, TOPIC_LEAST); count > 0 && !in->broken; count--)
        read_topic_request(fetch);
    if (wait_ms < 0)
        wait_ms = 0;
    fetch->end_ms =
        kafka->now_ms + (uint64_t)(wait_ms < KAFKA_FETCH_WAIT_MAX_MS ? wait_ms : KAFKA_FETCH_WAIT_MAX_MS);
    if (fetch->most < 0 || fetch->most > KAFKA_FETCH_MAX)
        fetch->most = KAFKA_FETCH_MAX;
    if (fetch->least < 0)
        fetch->least = 0;
    if (fetch->least > fetch->most)
        fetch->least = fetch->most;
    return !in->broken;
}

enum kafka_next kafka_handle_fetch(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct fetch *fetch = arena_zalloc(&exchange->arena, sizeof *fetch);
    fetch->exchange = exchange;
    fetch->last = &fetch->topics;
    fetch->again_ms = UINT64_MAX;
    buffer_init(&fetch->records, KAFKA_ANSWER_MAX);
    exchange->owner = fetch;
    exchange->release = release;
    if (!read_request(kafka, fetch))
        return KAFKA_HANG_UP;
    read_all(kafka, fetch);
    if (!enough(kafka, fetch)) {
        exchange->abandoned = abandoned;
        fetch->next = kafka->fetches->waiting;
        if (fetch->next)
            fetch->next->previous = fetch;
        kafka->fetches->waiting = fetch;
        watch_all(kafka, fetch);
        read_all(kafka, fetch); /* what came before it was watched */
        if (!enough(kafka, fetch))
            return KAFKA_LATER;
        leave(kafka, fetch);
    }
    put_answer(fetch);
    return KAFKA_ANSWER;
}
