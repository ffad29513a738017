/* Writing Airbyte messages: each function appends one whole line, newline included, to `out`. Values named
 * `raw…` or `data` are JSON already and are copied as they are: one valid value, without a newline between
 * its tokens (a value parsed from one line has none). A size of 0 means absent. */
#ifndef FIRTH_PROTOCOL_AIRBYTE_WRITE_H
#define FIRTH_PROTOCOL_AIRBYTE_WRITE_H

#include "base/log.h"
#include "protocol/airbyte.h"
#include "protocol/airbyte_catalog.h"

/* --- RECORD: the fast path ----------------------------------------------------------------------- */

/* The part of a stream's RECORD lines that never changes, made once per stream:
 * {"type":"RECORD","record":{"stream":"users","namespace":"public","emitted_at": */
void airbyte_record_head(struct buffer *head, struct airbyte_stream_name stream);

enum { AIRBYTE_RECORD_OVERHEAD = 40 }; /* bytes a line needs beyond its head and its data, at most */

/* Room for one line; false if it would pass the buffer's maximum (and `overflowed` is set). */
static inline bool airbyte_record_reserve(struct buffer *out, struct slice head, size_t data_size)
{
    size_t need = head.size + data_size + AIRBYTE_RECORD_OVERHEAD;
    return out->capacity - out->size >= need || buffer_reserve(out, need);
}

/* Where the data is made in place: begin, append the object's bytes to `out`, end. */
static inline void airbyte_record_begin(struct buffer *out, struct slice head, int64_t emitted_at_ms);
static inline void airbyte_record_end(struct buffer *out)
{
    buffer_append(out, "}}\n", 3);
}

/* One RECORD line around data that lies elsewhere. */
static inline void airbyte_record_put(struct buffer *out, struct slice head, int64_t emitted_at_ms,
                                      struct slice data)
{
    if (!airbyte_record_reserve(out, head, data.size))
        return;
    airbyte_record_begin(out, head, emitted_at_ms);
    buffer_append(out, data.data, data.size);
    airbyte_record_end(out);
}

/* Decimal digits of `value` into text (at least 20 bytes); returns how many. */
size_t airbyte_format_i64(int64_t value, char *text);

static inline void airbyte_record_begin(struct buffer *out, struct slice head, int64_t emitted_at_ms)
{
    if (!airbyte_record_reserve(out, head, 0))
        return;
    char *at = out->data + out->size;
    memcpy(at, head.data, head.size);
    at += head.size;
    at += airbyte_format_i64(emitted_at_ms, at);
    out->size = (size_t)(at - out->data);
    buffer_append(out, ",\"data\":", 8);
}

/* Without a head, for the occasional record. */
void airbyte_write_record(struct buffer *out, struct airbyte_stream_name stream, int64_t emitted_at_ms,
                          struct slice data);

/* --- STATE --------------------------------------------------------------------------------------- */

/* Record counts of a state; negative: not given. Written with a decimal point, as the protocol wants. */
struct airbyte_state_counts {
    double source, destination;
};
#define AIRBYTE_NO_COUNTS ((struct airbyte_state_counts){-1, -1})

/* An empty stream_state is written as null: a reset. */
void airbyte_write_stream_state(struct buffer *out, struct airbyte_stream_name stream, struct slice raw_state,
                                struct airbyte_state_counts counts);
/* `raw_global` is the value of "global": {"shared_state":…,"stream_states":[…]}. */
void airbyte_write_global_state(struct buffer *out, struct slice raw_global,
                                struct airbyte_state_counts counts);
void airbyte_write_legacy_state(struct buffer *out, struct slice raw_data);

/* A destination's echo: the STATE line as it came, every key and byte of it, with
 * destinationStats.recordCount set to `records` (negative: nothing is added). `line` is a decoded STATE. */
void airbyte_write_state_echo(struct buffer *out, const struct json *line,
                              const struct airbyte_message *message, double records);

/* --- the others ---------------------------------------------------------------------------------- */

void airbyte_write_log(struct buffer *out, enum log_level level, struct slice text);

enum airbyte_failure { AIRBYTE_SYSTEM_ERROR, AIRBYTE_CONFIG_ERROR, AIRBYTE_TRANSIENT_ERROR };

struct airbyte_trace_error {
    struct slice message;          /* for people */
    struct slice internal_message; /* may be empty */
    struct slice stack_trace;      /* may be empty */
    enum airbyte_failure failure;
    struct airbyte_stream_name stream; /* name.size 0: none */
};
void airbyte_write_trace_error(struct buffer *out, int64_t emitted_at_ms,
                               const struct airbyte_trace_error *error);
/* Negative: not estimated. A sync's estimate (not one stream's) has stream.name.size 0. */
void airbyte_write_trace_estimate(struct buffer *out, int64_t emitted_at_ms,
                                  struct airbyte_stream_name stream, int64_t rows, int64_t bytes);
void airbyte_write_trace_status(struct buffer *out, int64_t emitted_at_ms, struct airbyte_stream_name stream,
                                enum airbyte_stream_status status);

/* `raw_spec` is the payload: {"connectionSpecification":{…},…}. */
void airbyte_write_spec(struct buffer *out, struct slice raw_spec);
void airbyte_write_connection_status(struct buffer *out, bool succeeded, struct slice text);
void airbyte_write_catalog(struct buffer *out, const struct airbyte_catalog *catalog);
/* CONNECTOR_CONFIG: the connector's config as it is from now on. */
void airbyte_write_control_config(struct buffer *out, int64_t emitted_at_ms, struct slice raw_config);

/* "STARTED", … ; "config_error", …: as the protocol writes them. */
const char *airbyte_stream_status_name(enum airbyte_stream_status status);
const char *airbyte_failure_name(enum airbyte_failure failure);

#endif
