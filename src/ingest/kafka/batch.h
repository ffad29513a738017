/* Record batches: what producers send and consumers get. The newer format (v2, since Kafka 0.11) and the
 * message sets before it (v0, v1), compressed or not. Pure. */
#ifndef FIRTH_INGEST_KAFKA_BATCH_H
#define FIRTH_INGEST_KAFKA_BATCH_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "ingest/kafka/wire.h"

enum { KAFKA_RECORDS_MAX = 1 << 20 /* of one partition in one request */ };

struct kafka_record {
    struct slice key, value; /* no data: null */
    struct slice headers;    /* so many, encoded: kafka_header_next */
    uint32_t header_count;
    int64_t timestamp; /* milliseconds since 1970; -1: none */
};

/* What one request has for one partition. */
struct kafka_batch {
    struct kafka_record *records;
    uint32_t count;
    int64_t producer; /* -1: not idempotent */
    int16_t epoch;
    int32_t sequence; /* of the first record */
    bool transactional;
};

/* Read it all; records' slices point into `bytes` or `decoded`, which takes what was compressed and whose
 * maximum bounds it. ERROR_CORRUPT: a length or checksum is wrong. ERROR_LIMIT: decoded too large, or too
 * many records. ERROR_UNSUPPORTED: compression. ERROR_INVALID: what producers do not send. */
int kafka_batch_read(struct slice bytes, struct arena *arena, struct buffer *decoded,
                     struct kafka_batch *ret_batch, struct error *err);

/* For each of a record's headers. False: it is broken. */
bool kafka_header_next(struct wire_reader *reader, struct slice *ret_name, struct slice *ret_value);

/* --- writing ------------------------------------------------------------------------------------------ */

/* A batch of format v2, uncompressed, gathered record by record. */
struct kafka_batch_writer {
    struct buffer *out;
    size_t begin;
    int64_t base, last; /* offsets */
    int64_t first_ms, newest_ms;
    int32_t count;
};

void kafka_batch_begin(struct kafka_batch_writer *writer, struct buffer *out, int64_t offset,
                       int64_t timestamp);
/* Offsets rise, by less than 2^31 in all. A slice without data is null. */
void kafka_batch_add(struct kafka_batch_writer *writer, int64_t offset, int64_t timestamp, struct slice key,
                     struct slice value);
/* There is at least one record. */
void kafka_batch_end(struct kafka_batch_writer *writer);

enum {
    KAFKA_BATCH_HEAD = 61,  /* bytes before the first record */
    KAFKA_RECORD_MORE = 36, /* at most, beside key and value */
};

#endif
