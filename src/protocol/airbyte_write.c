#include "protocol/airbyte_write.h"

#include <stdio.h>

/* Messages are put together from text and json_escape rather than through a json_writer: their shapes are
 * fixed, and a line is easier to compare with the protocol when it can be read here as it is written. */

static void put_member(struct buffer *out, const char *head, struct slice text)
{
    buffer_str(out, head);
    json_escape(out, text);
}

static void put_optional(struct buffer *out, const char *head, struct slice text)
{
    if (text.size)
        put_member(out, head, text);
}

static void put_raw(struct buffer *out, const char *head, struct slice raw)
{
    buffer_str(out, head);
    if (raw.size)
        buffer_append(out, raw.data, raw.size);
    else
        buffer_str(out, "null");
}

static void put_i64(struct buffer *out, const char *head, int64_t value)
{
    char text[24];
    buffer_str(out, head);
    buffer_append(out, text, airbyte_format_i64(value, text));
}

/* Counts are JSON numbers with a decimal point (100.0): some readers insist on it. */
static void put_count(struct buffer *out, const char *head, double count)
{
    buffer_printf(out, "%s%.1f", head, count);
}

static void put_descriptor(struct buffer *out, const char *head, struct airbyte_stream_name stream)
{
    buffer_str(out, head);
    put_member(out, "{\"name\":", stream.name);
    put_optional(out, ",\"namespace\":", stream.namespace);
    buffer_byte(out, '}');
}

size_t airbyte_format_i64(int64_t value, char *text)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    while (rest >= 100) {
        at -= 2;
        memcpy(digits + at, pairs + rest % 100 * 2, 2);
        rest /= 100;
    }
    if (rest >= 10) {
        at -= 2;
        memcpy(digits + at, pairs + rest * 2, 2);
    } else {
        digits[--at] = (char)('0' + rest);
    }
    size_t sign = value < 0;
    text[0] = '-';
    memcpy(text + sign, digits + at, sizeof digits - at);
    return sign + sizeof digits - at;
}

void airbyte_record_head(struct buffer *head, struct airbyte_stream_name stream)
{
    put_member(head, "{\"type\":\"RECORD\",\"record\":{\"stream\":", stream.name);
    put_optional(head, ",\"namespace\":", stream.namespace);
    buffer_str(head, ",\"emitted_at\":");
}

void airbyte_write_record(struct buffer *out, struct airbyte_stream_name stream, int64_t emitted_at_ms,
                          struct slice data)
{
    airbyte_record_head(out, stream);
    put_i64(out, "", emitted_at_ms);
    put_raw(out, ",\"data\":", data);
    airbyte_record_end(out);
}

/* --- STATE --------------------------------------------------------------------------------------- */

static void end_state(struct buffer *out, struct airbyte_state_counts counts)
{
    if (counts.source >= 0) {
        put_count(out, ",\"sourceStats\":{\"recordCount\":", counts.source);
        buffer_byte(out, '}');
    }
    if (counts.destination >= 0) {
        put_count(out, ",\"destinationStats\":{\"recordCount\":", counts.destination);
        buffer_byte(out, '}');
    }
    buffer_str(out, "}}\n");
}

void airbyte_write_stream_state(struct buffer *out, struct airbyte_stream_name stream, struct slice raw_state,
                                struct airbyte_state_counts counts)
{
    put_descriptor(
        out, "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":", stream);
    put_raw(out, ",\"stream_state\":", raw_state);
    buffer_byte(out, '}');
    end_state(out, counts);
}

void airbyte_write_global_state(struct buffer *out, struct slice raw_global,
                                struct airbyte_state_counts counts)
{
    put_raw(out, "{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":", raw_global);
    end_state(out, counts);
}

void airbyte_write_legacy_state(struct buffer *out, struct slice raw_data)
{
    put_raw(out, "{\"type\":\"STATE\",\"state\":{\"type\":\"LEGACY\",\"data\":", raw_data);
    buffer_str(out, "}}\n");
}

/* destinationStats as it came, with recordCount replaced: it may hold counts that we do not know. */
static void put_destination_stats(struct buffer *out, const struct json *line, uint32_t stats, double records)
{
    put_count(out, "\"destinationStats\":{\"recordCount\":", records);
    for (uint32_t key = json_first_key(line, stats); key != JSON_NONE;
         key = json_next_key(line, stats, key)) {
        if (json_string_is(line, key, "recordCount"))
            continue;
        buffer_byte(out, ',');
        buffer_append(out, json_raw(line, key).data, json_raw(line, key).size);
        put_raw(out, ":", json_raw(line, json_value(key)));
    }
    buffer_byte(out, '}');
}

void airbyte_write_state_echo(struct buffer *out, const struct json *line,
                              const struct airbyte_message *message, double records)
{
    struct slice whole = json_raw(line, 0), state = json_raw(line, message->payload);
    if (records < 0) {
        buffer_append(out, whole.data, whole.size);
        buffer_byte(out, '\n');
        return;
    }
    /* Up to and with the payload's "{", the stats first, then the members as they came but for an old
     * destinationStats, then the rest. */
    const char *brace = state.data + 1;
    buffer_append(out, whole.data, (size_t)(brace - whole.data));
    put_destination_stats(out, line, json_get(line, message->payload, "destinationStats"), records);
    for (uint32_t key = json_first_key(line, message->payload); key != JSON_NONE;
         key = json_next_key(line, message->payload, key)) {
        if (json_string_is(line, key, "destinationStats"))
            continue;
        buffer_byte(out, ',');
        buffer_append(out, json_raw(line, key).data, json_raw(line, key).size);
        put_raw(out, ":", json_raw(line, json_value(key)));
    }
    const char *rest = state.data + state.size - 1;
    buffer_append(out, rest, (size_t)(whole.data + whole.size - rest));
    buffer_byte(out, '\n');
}

/* --- the others ---------------------------------------------------------------------------------- */

void airbyte_write_log(struct buffer *out, enum log_level level, struct slice text)
{
    static const char *const names[LOG_LEVEL_MAX] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};
    buffer_str(out, "{\"type\":\"LOG\",\"log\":{\"level\":\"");
    buffer_str(out, (unsigned)level < LOG_LEVEL_MAX ? names[level] : "INFO");
    put_member(out, "\",\"message\":", text);
    buffer_str(out, "}}\n");
}

const char *airbyte_failure_name(enum airbyte_failure failure)
{
    static const char *const names[] = {"system_error", "config_error", "transient_error"};
    return (unsigned)failure < sizeof names / sizeof *names ? names[failure] : names[0];
}

const char *airbyte_stream_status_name(enum airbyte_stream_status status)
{
    static const char *const names[] = {"STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"};
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "OTHER";
}

static void begin_trace(struct buffer *out, const char *type, int64_t emitted_at_ms)
{
    buffer_str(out, "{\"type\":\"TRACE\",\"trace\":{\"type\":\"");
    buffer_str(out, type);
    put_i64(out, "\",\"emitted_at\":", emitted_at_ms);
}

void airbyte_write_trace_error(struct buffer *out, int64_t emitted_at_ms,
                               const struct airbyte_trace_error *error)
{
    begin_trace(out, "ERROR", emitted_at_ms);
    put_member(out, ",\"error\":{\"message\":", error->message);
    put_optional(out, ",\"internal_message\":", error->internal_message);
    put_optional(out, ",\"stack_trace\":", error->stack_trace);
    buffer_str(out, ",\"failure_type\":\"");
    buffer_str(out, airbyte_failure_name(error->failure));
    buffer_byte(out, '"');
    if (error->stream.name.size)
        put_descriptor(out, ",\"stream_descriptor\":", error->stream);
    buffer_str(out, "}}}\n");
}

void airbyte_write_trace_estimate(struct buffer *out, int64_t emitted_at_ms,
                                  struct airbyte_stream_name stream, int64_t rows, int64_t bytes)
{
    begin_trace(out, "ESTIMATE", emitted_at_ms);
    put_member(out, ",\"estimate\":{\"name\":", stream.name);
    put_optional(out, ",\"namespace\":", stream.namespace);
    buffer_str(out, stream.name.size ? ",\"type\":\"STREAM\"" : ",\"type\":\"SYNC\"");
    if (rows >= 0)
        put_i64(out, ",\"row_estimate\":", rows);
    if (bytes >= 0)
        put_i64(out, ",\"byte_estimate\":", bytes);
    buffer_str(out, "}}}\n");
}

void airbyte_write_trace_status(struct buffer *out, int64_t emitted_at_ms, struct airbyte_stream_name stream,
                                enum airbyte_stream_status status)
{
    begin_trace(out, "STREAM_STATUS", emitted_at_ms);
    put_descriptor(out, ",\"stream_status\":{\"stream_descriptor\":", stream);
    buffer_str(out, ",\"status\":\"");
    buffer_str(out, airbyte_stream_status_name(status));
    buffer_str(out, "\"}}}\n");
}

void airbyte_write_spec(struct buffer *out, struct slice raw_spec)
{
    put_raw(out, "{\"type\":\"SPEC\",\"spec\":", raw_spec);
    buffer_str(out, "}\n");
}

void airbyte_write_connection_status(struct buffer *out, bool succeeded, struct slice text)
{
    buffer_str(out, "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"");
    buffer_str(out, succeeded ? "SUCCEEDED\"" : "FAILED\"");
    put_optional(out, ",\"message\":", text);
    buffer_str(out, "}}\n");
}

void airbyte_write_catalog(struct buffer *out, const struct airbyte_catalog *catalog)
{
    buffer_str(out, "{\"type\":\"CATALOG\",\"catalog\":");
    airbyte_catalog_write(out, catalog);
    buffer_str(out, "}\n");
}

void airbyte_write_control_config(struct buffer *out, int64_t emitted_at_ms, struct slice raw_config)
{
    buffer_str(out, "{\"type\":\"CONTROL\",\"control\":{\"type\":\"CONNECTOR_CONFIG\"");
    put_i64(out, ",\"emitted_at\":", emitted_at_ms);
    put_raw(out, ",\"connectorConfig\":{\"config\":", raw_config);
    buffer_str(out, "}}}\n");
}
