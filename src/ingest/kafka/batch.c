#include "ingest/kafka/batch.h"

#include "base/hash.h"
#include "ingest/kafka/compress.h"

#include <assert.h>

enum {
    ATTRIBUTE_COMPRESSION = 7,
    ATTRIBUTE_TRANSACTIONAL = 1 << 4,
    ATTRIBUTE_CONTROL = 1 << 5,
    HEAD_BEFORE_CRC = 21, /* base offset, length, leader epoch, magic, the checksum itself */
    RECORD_LEAST = 7,     /* bytes */
    MESSAGE_LEAST = 26,
    MAGIC_AT = 16,
};

static int corrupt(const char *why, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "a record batch %s", why);
}

/* --- v2 ----------------------------------------------------------------------------------------------- */

/* A length as records have it; -1 is null. */
static struct slice varint_bytes(struct wire_reader *reader)
{
    int32_t size = wire_varint(reader);
    if (size < -1)
        reader->broken = true;
    return size < 0 ? (struct slice){0} : wire_raw(reader, (size_t)size);
}

bool kafka_header_next(struct wire_reader *reader, struct slice *ret_name, struct slice *ret_value)
{
    *ret_name = varint_bytes(reader);
    *ret_value = varint_bytes(reader);
    return !reader->broken && ret_name->data;
}

static bool read_record(struct wire_reader *all, int64_t first_ms, struct kafka_record *record)
{
    int32_t size = wire_varint(all);
    if (size < 0)
        return false;
    struct wire_reader reader;
    struct slice bytes = wire_raw(all, (size_t)size), name, value;
    wire_reader_init(&reader, bytes, false);
    if (all->broken)
        return false;
    wire_i8(&reader); /* attributes: none are defined */
    record->timestamp = (int64_t)((uint64_t)first_ms + (uint64_t)wire_varlong(&reader));
    wire_varint(&reader); /* its offset, which is ours to give */
    record->key = varint_bytes(&reader);
    record->value = varint_bytes(&reader);
    int32_t headers = wire_varint(&reader);
    if (headers < 0 || (size_t)headers > wire_left(&reader))
        return false;
    record->header_count = (uint32_t)headers;
    record->headers = (struct slice){reader.at, wire_left(&reader)};
    for (; headers > 0; headers--) {
        if (!kafka_header_next(&reader, &name, &value))
            return false;
    }
    return !reader.broken && wire_left(&reader) == 0;
}

static int read_records(struct slice bytes, int64_t first_ms, struct arena *arena, struct kafka_batch *batch,
                        struct error *err)
{
    struct wire_reader reader;
    wire_reader_init(&reader, bytes, false);
    if (batch->count > bytes.size / RECORD_LEAST)
        return corrupt("has fewer records than it says", err);
    batch->records = arena_alloc(arena, (batch->count + 1) * sizeof *batch->records);
    for (uint32_t i = 0; i < batch->count; i++) {
        if (!read_record(&reader, first_ms, &batch->records[i]))
            return corrupt("has a broken record", err);
    }
    return wire_left(&reader) == 0 ? 0 : corrupt("has bytes behind its last record", err);
}

static int decode(unsigned attributes, struct slice *bytes, struct buffer *decoded, struct error *err)
{
    unsigned compression = attributes & ATTRIBUTE_COMPRESSION;
    if (compression == KAFKA_PLAIN)
        return 0;
    if (kafka_decompress(compression, *bytes, decoded, err) < 0)
        return -1;
    *bytes = (struct slice){decoded->data ? decoded->data : "", decoded->size};
    return 0;
}

static int read_v2(struct slice bytes, struct arena *arena, struct buffer *decoded, struct kafka_batch *batch,
                   struct error *err)
{
    struct wire_reader reader;
    wire_reader_init(&reader, bytes, false);
    wire_i64(&reader);
    int32_t length = wire_i32(&reader);
    wire_i32(&reader);
    wire_i8(&reader);
    uint32_t checksum = wire_u32(&reader);
    if (reader.broken || length < 0 || (size_t)length != bytes.size - 12)
        return corrupt("is cut, or is followed by another: a request has one for each partition", err);
    if (hash_crc32c(0, bytes.data + HEAD_BEFORE_CRC, bytes.size - HEAD_BEFORE_CRC) != checksum)
        return corrupt("has another checksum than it says", err);
    unsigned attributes = (uint16_t)wire_i16(&reader);
    int32_t last = wire_i32(&reader);
    int64_t first_ms = wire_i64(&reader);
    wire_i64(&reader);
    batch->producer = wire_i64(&reader);
    batch->epoch = wire_i16(&reader);
    batch->sequence = wire_i32(&reader);
    int32_t count = wire_i32(&reader);
    if (reader.broken || count < 0 || last != count - 1)
        return corrupt("has another number of records than it says", err);
    if (attributes & ATTRIBUTE_CONTROL)
        return error_set(err, ERROR_INVALID, "a record batch of a producer is no control batch");
    if (count > KAFKA_RECORDS_MAX)
        return error_set(err, ERROR_LIMIT, "a record batch has more than %d records", KAFKA_RECORDS_MAX);
    batch->count = (uint32_t)count;
    batch->transactional = attributes & ATTRIBUTE_TRANSACTIONAL;
    struct slice records = {reader.at, wire_left(&reader)};
    return decode(attributes, &records, decoded, err) < 0
               ? -1
               : read_records(records, first_ms, arena, batch, err);
}

/* --- v0 and v1 ---------------------------------------------------------------------------------------- */

/* The checksum of gzip and zlib (IEEE 802.3), four bits at a time: these formats are seldom met. */
static uint32_t crc32(struct slice bytes)
{
    static const uint32_t of_four[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = ~0U;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned char)bytes.data[i];
        crc = crc >> 4 ^ of_four[crc & 15];
        crc = crc >> 4 ^ of_four[crc & 15];
    }
    return ~crc;
}

struct message {
    struct kafka_record record;
    unsigned attributes;
    int8_t magic;
};

static bool read_message(struct wire_reader *all, struct message *message)
{
    struct wire_reader reader;
    wire_i64(all);
    struct slice bytes = wire_bytes(all);
    if (all->broken || !bytes.data)
        return false;
    wire_reader_init(&reader, bytes, false);
    uint32_t checksum = wire_u32(&reader);
    struct slice summed = {reader.at, wire_left(&reader)};
    int8_t magic = message->magic = wire_i8(&reader);
    message->attributes = (uint8_t)wire_i8(&reader);
    message->record = (struct kafka_record){.timestamp = -1};
    if (magic == 1)
        message->record.timestamp = wire_i64(&reader);
    message->record.key = wire_bytes(&reader);
    message->record.value = wire_bytes(&reader);
    return !reader.broken && magic >= 0 && magic <= 1 && wire_left(&reader) == 0 && crc32(summed) == checksum;
}

struct messages {
    struct arena *arena;
    struct kafka_batch *batch;
    size_t capacity;
};

static int put_message(struct messages *to, const struct kafka_record *record, struct error *err)
{
    struct kafka_batch *batch = to->batch;
    if (batch->count == KAFKA_RECORDS_MAX)
        return error_set(err, ERROR_LIMIT, "a message set has more than %d messages", KAFKA_RECORDS_MAX);
    if (batch->count == to->capacity) {
        to->capacity = to->capacity ? 2 * to->capacity : 8;
        struct kafka_record *more = arena_alloc(to->arena, to->capacity * sizeof *more);
        if (batch->count)
            memcpy(more, batch->records, batch->count * sizeof *more);
        batch->records = more;
    }
    batch->records[batch->count++] = *record;
    return 0;
}

/* Messages of a set; a compressed one is a set itself, of messages that are not. */
static int read_set(struct slice bytes, struct messages *to, struct buffer *decoded, struct error *err)
{
    struct wire_reader reader;
    wire_reader_init(&reader, bytes, false);
    while (wire_left(&reader) > 0) {
        struct message message;
        if (!read_message(&reader, &message))
            return corrupt("has a broken message, or another checksum than it says", err);
        if ((message.attributes & ATTRIBUTE_COMPRESSION) == KAFKA_PLAIN) {
            if (put_message(to, &message.record, err) < 0)
                return -1;
            continue;
        }
        if (!decoded || decoded->size > 0 || !message.record.value.data)
            return corrupt("has a compressed message where none may be", err);
        struct slice inner = message.record.value;
        if (message.magic == 0 && (message.attributes & ATTRIBUTE_COMPRESSION) == KAFKA_LZ4)
            kafka_lz4_mend(inner);
        if (decode(message.attributes, &inner, decoded, err) < 0 || read_set(inner, to, NULL, err) < 0)
            return -1;
    }
    return 0;
}

int kafka_batch_read(struct slice bytes, struct arena *arena, struct buffer *decoded,
                     struct kafka_batch *ret_batch, struct error *err)
{
    *ret_batch = (struct kafka_batch){.producer = -1, .epoch = -1, .sequence = -1};
    if (bytes.size <= MAGIC_AT)
        return corrupt("is too short to be one", err);
    switch (bytes.data[MAGIC_AT]) {
    case 0:
    case 1:
        return read_set(bytes, &(struct messages){.arena = arena, .batch = ret_batch}, decoded, err);
    case 2:
        return read_v2(bytes, arena, decoded, ret_batch, err);
    default:
        return error_set(err, ERROR_UNSUPPORTED, "a record batch is of an unknown format: %d",
                         bytes.data[MAGIC_AT]);
    }
}

/* --- writing ------------------------------------------------------------------------------------------ */

void kafka_batch_begin(struct kafka_batch_writer *writer, struct buffer *out, int64_t offset,
                       int64_t timestamp)
{
    static const char zeros[KAFKA_BATCH_HEAD];
    *writer = (struct kafka_batch_writer){.out = out,
                                          .begin = out->size,
                                          .base = offset,
                                          .last = offset,
                                          .first_ms = timestamp,
                                          .newest_ms = timestamp};
    buffer_append(out, zeros, sizeof zeros);
}

static size_t varint_size(uint64_t zigzag)
{
    size_t size = 1;
    for (; zigzag > 0x7f; zigzag >>= 7)
        size++;
    return size;
}

static size_t field_size(struct slice field)
{
    return field.data ? varint_size((uint64_t)field.size << 1) + field.size : 1;
}

static void put_field(struct wire_writer *writer, struct slice field)
{
    wire_put_varint(writer, field.data ? (int32_t)field.size : -1);
    if (field.data)
        buffer_append(writer->out, field.data, field.size);
}

void kafka_batch_add(struct kafka_batch_writer *writer, int64_t offset, int64_t timestamp, struct slice key,
                     struct slice value)
{
    struct wire_writer to = {.out = writer->out};
    int64_t later = timestamp - writer->first_ms;
    assert(offset - writer->base >= 0 && offset - writer->base <= INT32_MAX);
    int32_t delta = (int32_t)(offset - writer->base);
    size_t size = 1 + varint_size((uint64_t)later << 1 ^ (uint64_t)(later >> 63)) +
                  varint_size((uint64_t)delta << 1) + field_size(key) + field_size(value) + 1;
    wire_put_varint(&to, (int32_t)size);
    wire_put_i8(&to, 0);
    wire_put_varlong(&to, later);
    wire_put_varint(&to, delta);
    put_field(&to, key);
    put_field(&to, value);
    wire_put_varint(&to, 0); /* headers */
    writer->last = offset;
    writer->count++;
    if (timestamp > writer->newest_ms)
        writer->newest_ms = timestamp;
}

void kafka_batch_end(struct kafka_batch_writer *writer)
{
    struct buffer head;
    struct wire_writer to = {.out = &head};
    struct buffer *out = writer->out;
    assert(writer->count > 0);
    if (out->overflowed)
        return;
    buffer_init(&head, KAFKA_BATCH_HEAD);
    wire_put_i64(&to, writer->base);
    wire_put_i32(&to, (int32_t)(out->size - writer->begin - 12));
    wire_put_i32(&to, -1); /* leader epoch */
    wire_put_i8(&to, 2);
    wire_put_i32(&to, 0); /* the checksum, below */
    wire_put_i16(&to, KAFKA_PLAIN);
    wire_put_i32(&to, (int32_t)(writer->last - writer->base));
    wire_put_i64(&to, writer->first_ms);
    wire_put_i64(&to, writer->newest_ms);
    wire_put_i64(&to, -1); /* producer, epoch, sequence */
    wire_put_i16(&to, -1);
    wire_put_i32(&to, -1);
    wire_put_i32(&to, writer->count);
    memcpy(out->data + writer->begin, head.data, head.size);
    buffer_done(&head);
    size_t summed = writer->begin + HEAD_BEFORE_CRC;
    wire_set_i32(out, summed - 4, (int32_t)hash_crc32c(0, out->data + summed, out->size - summed));
}
