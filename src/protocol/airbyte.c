#include "protocol/airbyte.h"

#include "protocol/airbyte_doubled.h"

#include "base/log.h"

/* Decoding walks each object once and sorts its members into slots by name. RECORD lines are nearly all of
 * the traffic and cost no allocation; a name is compared by length and then bytes, which for the handful of
 * names here beats any hash. */

bool airbyte_stream_name_equal(struct airbyte_stream_name a, struct airbyte_stream_name b)
{
    return slice_equal(a.name, b.name) && slice_equal(a.namespace, b.namespace);
}

/* The members of one object that are asked for: names in, value nodes out (JSON_NONE: absent or null). */
struct wanted {
    const char *name;
    size_t size;
    uint32_t *ret_at;
};
#define WANT(text, target)                 \
    {                                      \
        (text), sizeof(text) - 1, (target) \
    }

static void sort_members(const struct json *doc, uint32_t object, const struct wanted *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *wanted[i].ret_at = JSON_NONE;
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE;
         key = json_next_key(doc, object, key)) {
        struct slice name = json_inner(doc, key);
        bool escaped = json_escaped(doc, key);
        for (size_t i = 0; i < count; i++) {
            if (escaped ? !json_string_is(doc, key, wanted[i].name)
                        : name.size != wanted[i].size || memcmp(name.data, wanted[i].name, name.size) != 0)
                continue;
            if (!json_is(doc, json_value(key), JSON_NULL))
                *wanted[i].ret_at = json_value(key);
            break;
        }
    }
}
#define SORT_MEMBERS(doc, object, ...)                                  \
    sort_members((doc), (object), (const struct wanted[]){__VA_ARGS__}, \
                 sizeof((const struct wanted[]){__VA_ARGS__}) / sizeof(struct wanted))

static __attribute__((cold)) int wrong(const struct json *doc, uint32_t at, const char *field,
                                       const char *expected, struct error *err)
{
    if (at == JSON_NONE)
        return error_set(err, ERROR_PROTOCOL, "%s is missing: expected %s", field, expected);
    struct slice raw = json_raw(doc, at);
    size_t cut = utf8_cut(raw.data, raw.size, 60);
    return error_set(err, ERROR_PROTOCOL, "%s must be %s, got %.*s%s", field, expected, (int)cut, raw.data,
                     cut < raw.size ? "…" : "");
}

/* A string's text as a slice of the source, or unescaped into the arena. */
static struct slice text_of(const struct json *doc, uint32_t at, struct arena *arena)
{
    return json_escaped(doc, at) ? json_string(doc, at, arena) : json_inner(doc, at);
}

static int read_name(const struct json *doc, uint32_t name, uint32_t namespace, const char *field,
                     struct arena *arena, struct airbyte_stream_name *ret_name, struct error *err)
{
    if (!json_is(doc, name, JSON_STRING))
        return wrong(doc, name, field, "a stream's name (a string)", err);
    if (namespace != JSON_NONE && !json_is(doc, namespace, JSON_STRING))
        return wrong(doc, namespace, "namespace", "a string or null", err);
    ret_name->name = text_of(doc, name, arena);
    ret_name->namespace = namespace == JSON_NONE ? (struct slice){0} : text_of(doc, namespace, arena);
    return 0;
}

int airbyte_read_descriptor(const struct json *doc, uint32_t at, const char *field, struct arena *arena,
                            struct airbyte_stream_name *ret_name, struct error *err)
{
    if (!json_is(doc, at, JSON_OBJECT))
        return wrong(doc, at, field, "a stream descriptor {\"name\", \"namespace\"}", err);
    uint32_t name, namespace;
    SORT_MEMBERS(doc, at, WANT("name", &name), WANT("namespace", &namespace));
    if (read_name(doc, name, namespace, "name", arena, ret_name, err) < 0)
        return error_wrap(err, "%s", field);
    return 0;
}

/* --- the payloads -------------------------------------------------------------------------------- */

/* Milliseconds: nearly always 13 digits. */
static bool read_time(const struct json *doc, uint32_t at, double *ret_time)
{
    if (!json_is(doc, at, JSON_INTEGER) && !json_is(doc, at, JSON_NUMBER))
        return false;
    struct slice raw = json_raw(doc, at);
    if (raw.size > 15 || !json_is(doc, at, JSON_INTEGER) || raw.data[0] == '-')
        return json_to_double(doc, at, ret_time);
    uint64_t value = 0;
    for (size_t i = 0; i < raw.size; i++)
        value = value * 10 + (uint64_t)(raw.data[i] - '0');
    *ret_time = (double)value;
    return true;
}

static int decode_record(const struct json *doc, uint32_t at, struct arena *arena,
                         struct airbyte_message *message, struct error *err)
{
    uint32_t stream, namespace, data, emitted_at;
    SORT_MEMBERS(doc, at, WANT("stream", &stream), WANT("data", &data), WANT("emitted_at", &emitted_at),
                 WANT("namespace", &namespace));
    if (read_name(doc, stream, namespace, "record.stream", arena, &message->record.stream, err) < 0)
        return -1;
    if (!json_is(doc, data, JSON_OBJECT))
        return wrong(doc, data, "record.data", "an object", err);
    if (!read_time(doc, emitted_at, &message->record.emitted_at))
        return wrong(doc, emitted_at, "record.emitted_at", "a time in milliseconds", err);
    message->record.data = data;
    return 0;
}

static int decode_stream_state(const struct json *doc, uint32_t stream, struct arena *arena,
                               struct airbyte_message *message, struct error *err)
{
    if (!json_is(doc, stream, JSON_OBJECT))
        return wrong(doc, stream, "state.stream", "an object", err);
    uint32_t descriptor;
    SORT_MEMBERS(doc, stream, WANT("stream_descriptor", &descriptor),
                 WANT("stream_state", &message->state.stream_state));
    return airbyte_read_descriptor(doc, descriptor, "state.stream.stream_descriptor", arena,
                                   &message->state.stream, err);
}

static int check_global_state(const struct json *doc, uint32_t global, struct arena *arena, struct error *err)
{
    if (!json_is(doc, global, JSON_OBJECT))
        return wrong(doc, global, "state.global", "an object", err);
    uint32_t states;
    SORT_MEMBERS(doc, global, WANT("stream_states", &states));
    if (states == JSON_NONE)
        return 0;
    if (!json_is(doc, states, JSON_ARRAY))
        return wrong(doc, states, "state.global.stream_states", "an array", err);
    for (uint32_t e = json_first(doc, states); e != JSON_NONE; e = json_next(doc, states, e)) {
        struct airbyte_stream_name unused;
        if (!json_is(doc, e, JSON_OBJECT))
            return wrong(doc, e, "state.global.stream_states[]", "an object", err);
        if (airbyte_read_descriptor(doc, json_get(doc, e, "stream_descriptor"),
                                    "state.global.stream_states[].stream_descriptor", arena, &unused,
                                    err) < 0)
            return -1;
    }
    return 0;
}

int airbyte_decode_state(const struct json *doc, uint32_t at, struct arena *arena,
                         struct airbyte_message *message, struct error *err)
{
    uint32_t type, stream, global, data;
    SORT_MEMBERS(doc, at, WANT("type", &type), WANT("stream", &stream), WANT("global", &global),
                 WANT("data", &data));
    *message = (struct airbyte_message){
        .type = AIRBYTE_STATE,
        .payload = at,
        .state = {.stream_state = JSON_NONE, .global = JSON_NONE, .data = JSON_NONE},
    };
    /* Without a type it is LEGACY, except that a state which plainly is of another kind is taken as that. */
    if (type == JSON_NONE)
        message->state.type = stream != JSON_NONE && data == JSON_NONE   ? AIRBYTE_STATE_STREAM
                              : global != JSON_NONE && data == JSON_NONE ? AIRBYTE_STATE_GLOBAL
                                                                         : AIRBYTE_STATE_LEGACY;
    else if (json_string_is(doc, type, "STREAM"))
        message->state.type = AIRBYTE_STATE_STREAM;
    else if (json_string_is(doc, type, "GLOBAL"))
        message->state.type = AIRBYTE_STATE_GLOBAL;
    else if (json_string_is(doc, type, "LEGACY"))
        message->state.type = AIRBYTE_STATE_LEGACY;
    else
        return wrong(doc, type, "state.type", "\"STREAM\", \"GLOBAL\" or \"LEGACY\"", err);
    switch (message->state.type) {
    case AIRBYTE_STATE_STREAM:
        return decode_stream_state(doc, stream, arena, message, err);
    case AIRBYTE_STATE_GLOBAL:
        message->state.global = global;
        return check_global_state(doc, global, arena, err);
    case AIRBYTE_STATE_LEGACY:
        message->state.data = data;
        return 0;
    }
    return 0;
}

/* A log never fails a sync: what is wrong in one is treated as a line that is no message. */
static void decode_log(const struct json *doc, uint32_t at, struct arena *arena,
                       struct airbyte_message *message)
{
    uint32_t level, text, trace;
    SORT_MEMBERS(doc, at, WANT("level", &level), WANT("message", &text), WANT("stack_trace", &trace));
    if (!json_is(doc, text, JSON_STRING)) {
        message->type = AIRBYTE_NOT_A_MESSAGE;
        return;
    }
    int parsed = json_is(doc, level, JSON_STRING) ? log_level_parse(json_cstring(doc, level, arena)) : -1;
    message->log.level = parsed < 0 ? LOG_INFO : parsed;
    message->log.message = text;
    message->log.stack_trace = json_is(doc, trace, JSON_STRING) ? trace : JSON_NONE;
}

static int decode_status(const struct json *doc, uint32_t at, struct airbyte_message *message,
                         struct error *err)
{
    uint32_t status, text;
    SORT_MEMBERS(doc, at, WANT("status", &status), WANT("message", &text));
    message->status.succeeded = json_string_is(doc, status, "SUCCEEDED");
    if (!message->status.succeeded && !json_string_is(doc, status, "FAILED"))
        return wrong(doc, status, "connectionStatus.status", "\"SUCCEEDED\" or \"FAILED\"", err);
    message->status.message = json_is(doc, text, JSON_STRING) ? text : JSON_NONE;
    return 0;
}

static uint32_t only_string(const struct json *doc, uint32_t at)
{
    return json_is(doc, at, JSON_STRING) ? at : JSON_NONE;
}

/* Whatever an error trace lacks, it is an error: nothing in it is required. */
static void decode_trace_error(const struct json *doc, uint32_t at, struct arena *arena,
                               struct airbyte_message *message)
{
    uint32_t text, internal, trace, failure, descriptor;
    SORT_MEMBERS(doc, at, WANT("message", &text), WANT("internal_message", &internal),
                 WANT("stack_trace", &trace), WANT("failure_type", &failure),
                 WANT("stream_descriptor", &descriptor));
    message->trace.message = only_string(doc, text);
    message->trace.internal_message = only_string(doc, internal);
    message->trace.stack_trace = only_string(doc, trace);
    message->trace.failure_type = only_string(doc, failure);
    struct error unused;
    if (descriptor != JSON_NONE && airbyte_read_descriptor(doc, descriptor, "stream_descriptor", arena,
                                                           &message->trace.stream, &unused) < 0)
        message->trace.stream = (struct airbyte_stream_name){0};
}

static int decode_trace_estimate(const struct json *doc, uint32_t at, struct arena *arena,
                                 struct airbyte_message *message, struct error *err)
{
    uint32_t name, namespace, type, rows, bytes;
    SORT_MEMBERS(doc, at, WANT("name", &name), WANT("namespace", &namespace), WANT("type", &type),
                 WANT("row_estimate", &rows), WANT("byte_estimate", &bytes));
    message->trace.estimate_is_sync = json_string_is(doc, type, "SYNC");
    if (!read_time(doc, rows, &message->trace.row_estimate))
        message->trace.row_estimate = -1;
    if (!read_time(doc, bytes, &message->trace.byte_estimate))
        message->trace.byte_estimate = -1;
    if (message->trace.estimate_is_sync && name == JSON_NONE)
        return 0;
    return read_name(doc, name, namespace, "trace.estimate.name", arena, &message->trace.stream, err);
}

static int decode_trace_status(const struct json *doc, uint32_t at, struct arena *arena,
                               struct airbyte_message *message, struct error *err)
{
    static const char *const names[] = {"STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"};
    uint32_t descriptor, status;
    SORT_MEMBERS(doc, at, WANT("stream_descriptor", &descriptor), WANT("status", &status));
    message->trace.status = AIRBYTE_STREAM_STATUS_OTHER;
    message->trace.status_value = status;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_string_is(doc, status, names[i]))
            message->trace.status = (enum airbyte_stream_status)i;
    return airbyte_read_descriptor(doc, descriptor, "trace.stream_status.stream_descriptor", arena,
                                   &message->trace.stream, err);
}

static int decode_trace(const struct json *doc, uint32_t at, struct arena *arena,
                        struct airbyte_message *message, struct error *err)
{
    uint32_t type, error, estimate, status;
    SORT_MEMBERS(doc, at, WANT("type", &type), WANT("error", &error), WANT("estimate", &estimate),
                 WANT("stream_status", &status));
    message->trace.message = message->trace.internal_message = JSON_NONE;
    message->trace.stack_trace = message->trace.failure_type = JSON_NONE;
    message->trace.stream = (struct airbyte_stream_name){0};
    message->trace.row_estimate = message->trace.byte_estimate = -1;
    message->trace.estimate_is_sync = false;
    message->trace.status = AIRBYTE_STREAM_STATUS_OTHER;
    message->trace.status_value = JSON_NONE;
    message->trace.type = AIRBYTE_TRACE_OTHER;
    if (json_string_is(doc, type, "ERROR")) {
        message->trace.type = AIRBYTE_TRACE_ERROR;
        decode_trace_error(doc, error, arena, message);
        return 0;
    }
    if (json_string_is(doc, type, "ESTIMATE")) {
        message->trace.type = AIRBYTE_TRACE_ESTIMATE;
        return decode_trace_estimate(doc, estimate, arena, message, err);
    }
    if (json_string_is(doc, type, "STREAM_STATUS")) {
        message->trace.type = AIRBYTE_TRACE_STREAM_STATUS;
        return decode_trace_status(doc, status, arena, message, err);
    }
    if (json_string_is(doc, type, "ANALYTICS"))
        message->trace.type = AIRBYTE_TRACE_ANALYTICS;
    return 0;
}

static int decode_control(const struct json *doc, uint32_t at, struct airbyte_message *message,
                          struct error *err)
{
    uint32_t type, holder, config = JSON_NONE;
    SORT_MEMBERS(doc, at, WANT("type", &type), WANT("connectorConfig", &holder));
    message->control.config = JSON_NONE;
    if (!json_string_is(doc, type, "CONNECTOR_CONFIG"))
        return 0; /* a control message of a later protocol */
    SORT_MEMBERS(doc, holder, WANT("config", &config));
    if (!json_is(doc, config, JSON_OBJECT))
        return wrong(doc, config, "control.connectorConfig.config", "an object", err);
    message->control.config = config;
    return 0;
}

static int require(const struct json *doc, uint32_t at, const char *name, enum json_tag tag,
                   const char *field, const char *expected, struct error *err)
{
    uint32_t member = json_get(doc, at, name);
    return json_is(doc, member, tag) ? 0 : wrong(doc, member, field, expected, err);
}

/* --- the envelope -------------------------------------------------------------------------------- */

static const struct {
    const char *type, *payload;
    enum airbyte_type value;
} envelope[] = {
    {"RECORD", "record", AIRBYTE_RECORD},
    {"STATE", "state", AIRBYTE_STATE},
    {"LOG", "log", AIRBYTE_LOG},
    {"TRACE", "trace", AIRBYTE_TRACE},
    {"CONTROL", "control", AIRBYTE_CONTROL},
    {"SPEC", "spec", AIRBYTE_SPEC},
    {"CATALOG", "catalog", AIRBYTE_CATALOG},
    {"CONNECTION_STATUS", "connectionStatus", AIRBYTE_CONNECTION_STATUS},
    {"DESTINATION_CATALOG", "destination_catalog", AIRBYTE_DESTINATION_CATALOG},
};

static int decode_payload(const struct json *doc, struct arena *arena, struct airbyte_message *message,
                          struct error *err)
{
    uint32_t at = message->payload;
    switch (message->type) {
    case AIRBYTE_RECORD:
        return decode_record(doc, at, arena, message, err);
    case AIRBYTE_STATE:
        return airbyte_decode_state(doc, at, arena, message, err);
    case AIRBYTE_LOG:
        decode_log(doc, at, arena, message);
        return 0;
    case AIRBYTE_TRACE:
        return decode_trace(doc, at, arena, message, err);
    case AIRBYTE_CONTROL:
        return decode_control(doc, at, message, err);
    case AIRBYTE_CONNECTION_STATUS:
        return decode_status(doc, at, message, err);
    case AIRBYTE_SPEC:
        return require(doc, at, "connectionSpecification", JSON_OBJECT, "spec.connectionSpecification",
                       "an object", err);
    case AIRBYTE_CATALOG:
        return require(doc, at, "streams", JSON_ARRAY, "catalog.streams", "an array", err);
    case AIRBYTE_NOT_A_MESSAGE:
    case AIRBYTE_DESTINATION_CATALOG:
        return 0;
    }
    return 0;
}

int airbyte_decode(const struct json *line, struct arena *arena, struct airbyte_message *ret_message,
                   struct error *err)
{
    struct airbyte_message message;
    message.type = AIRBYTE_NOT_A_MESSAGE;
    message.payload = JSON_NONE;
    uint32_t type = JSON_NONE, record = JSON_NONE;
    if (json_is(line, 0, JSON_OBJECT))
        SORT_MEMBERS(line, 0, WANT("type", &type), WANT("record", &record));
    if (!json_is(line, type, JSON_STRING)) {
        *ret_message = message;
        return 0;
    }
    struct slice name = json_inner(line, type);
    for (size_t i = 0; i < sizeof envelope / sizeof *envelope; i++) {
        if (!slice_is(name, envelope[i].type))
            continue;
        message.type = envelope[i].value;
        if (line->duplicates && message.type != AIRBYTE_LOG &&
            airbyte_refuse_doubled((struct slice){line->source, line->size}, err) < 0)
            return -1;
        message.payload = i == 0 ? record : json_get(line, 0, envelope[i].payload);
        if (!json_is(line, message.payload, JSON_OBJECT))
            return wrong(line, message.payload, envelope[i].payload, "an object", err);
        break;
    }
    if (decode_payload(line, arena, &message, err) < 0)
        return -1;
    *ret_message = message;
    return 0;
}
