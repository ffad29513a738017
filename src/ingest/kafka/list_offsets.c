#include "ingest/kafka/api.h"
#include "ingest/kafka/cursors.h"

enum { TOPICS_MAX = 4096, TOPIC_LEAST = 3, PART_LEAST = 12, LATEST = -1, EARLIEST = -2, NEWEST = -3 };

/* When the document at this number, or the next behind it, was committed; false: there is none. */
static bool time_at(struct kafka *kafka, const struct kafka_topic *topic,
                    const struct kafka_partition *partition, uint64_t number, int64_t *ret_ms,
                    uint64_t *ret_number)
{
    const struct store_document *document;
    struct error unused;
    struct kafka_cursor *cursor = kafka_cursor_take(kafka, topic->name, partition->writer, number, &unused);
    bool there = cursor && kafka_cursor_next(cursor, &document, &unused) > 0;
    if (there) {
        *ret_ms = document->committed_ms;
        *ret_number = document->number;
    }
    if (cursor)
        kafka_cursor_free(cursor);
    return there;
}

/* The first document that was committed then or later. */
static void find_time(struct kafka *kafka, const struct kafka_topic *topic,
                      const struct kafka_partition *partition, int64_t wanted, int64_t *ret_ms,
                      int64_t *ret_offset)
{
    uint64_t low = partition->first, high = partition->end, number;
    int64_t ms;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (time_at(kafka, topic, partition, middle, &ms, &number) && ms < wanted)
            low = number + 1;
        else
            high = middle;
    }
    if (low < partition->end && time_at(kafka, topic, partition, low, &ms, &number)) {
        *ret_ms = ms;
        *ret_offset = (int64_t)number;
    }
}

static enum kafka_error find(struct kafka *kafka, const struct kafka_connection *connection,
                             struct slice name, int32_t index, int64_t wanted, int64_t *ret_ms,
                             int64_t *ret_offset)
{
    *ret_ms = *ret_offset = -1;
    if (!kafka_may_read(kafka, connection))
        return KAFKA_TOPIC_AUTHORIZATION_FAILED;
    struct kafka_view *view = kafka_view_of(kafka, name, true);
    if (view->error != KAFKA_NONE)
        return view->error;
    if (index < 0 || (size_t)index >= view->topic.count)
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    const struct kafka_partition *partition = &view->topic.partitions[index];
    uint64_t number;
    if (wanted == LATEST)
        *ret_offset = (int64_t)partition->end;
    else if (wanted == EARLIEST)
        *ret_offset = (int64_t)partition->first;
    else if (wanted == NEWEST && partition->end > partition->first &&
             time_at(kafka, &view->topic, partition, partition->end - 1, ret_ms, &number))
        *ret_offset = (int64_t)number;
    else if (wanted >= 0)
        find_time(kafka, &view->topic, partition, wanted, ret_ms, ret_offset);
    return KAFKA_NONE;
}

static void answer_part(struct kafka *kafka, struct kafka_exchange *exchange, struct slice name)
{
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    int64_t ms, offset;
    int32_t index = wire_i32(in);
    if (exchange->version >= 4)
        wire_i32(in);
    int64_t wanted = wire_i64(in);
    wire_tags(in);
    if (in->broken)
        return;
    enum kafka_error error = find(kafka, exchange->connection, name, index, wanted, &ms, &offset);
    wire_put_i32(out, index);
    wire_put_i16(out, (int16_t)error);
    wire_put_i64(out, ms);
    wire_put_i64(out, offset);
    if (exchange->version >= 4)
        wire_put_i32(out, -1);
    wire_put_tags(out);
}

enum kafka_next kafka_handle_list_offsets(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_reader *in = &exchange->in;
    struct wire_writer *out = &exchange->out;
    wire_i32(in);
    if (exchange->version >= 2) {
        wire_i8(in);
        wire_put_i32(out, 0);
    }
    int32_t topics = wire_array(in, TOPIC_LEAST);
    if (topics < 0 || topics > TOPICS_MAX)
        return KAFKA_HANG_UP;
    wire_put_array(out, topics);
    for (; topics > 0 && !in->broken; topics--) {
        struct slice name = wire_string(in);
        int32_t parts = wire_array(in, PART_LEAST);
        if (!name.data || parts < 0 || parts > TOPICS_MAX)
            return KAFKA_HANG_UP;
        wire_put_string(out, name);
        wire_put_array(out, parts);
        for (; parts > 0 && !in->broken; parts--)
            answer_part(kafka, exchange, name);
        wire_tags(in);
        wire_put_tags(out);
    }
    wire_put_tags(out);
    return in->broken ? KAFKA_HANG_UP : KAFKA_ANSWER;
}
