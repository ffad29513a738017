/* Airbyte's protocol (0.3.2; airbyte-protocol release 0.18): messages as structs over parsed lines, and a
 * writer for each. No I/O. Unknown properties are legal everywhere and ignored; values are references
 * into the parsed line (JSON_NONE: absent or null). */
#ifndef FIRTH_PROTOCOL_AIRBYTE_H
#define FIRTH_PROTOCOL_AIRBYTE_H

#include "json/json.h"
#include "json/writer.h"

enum airbyte_type {
    AIRBYTE_NOT_A_MESSAGE, /* valid JSON, but no message: the platform treats such lines as logs */
    AIRBYTE_RECORD,
    AIRBYTE_STATE,
    AIRBYTE_LOG,
    AIRBYTE_SPEC,
    AIRBYTE_CONNECTION_STATUS,
    AIRBYTE_CATALOG,
    AIRBYTE_TRACE,
    AIRBYTE_CONTROL,
    AIRBYTE_DESTINATION_CATALOG,
};

enum airbyte_state_type { AIRBYTE_STATE_LEGACY, AIRBYTE_STATE_STREAM, AIRBYTE_STATE_GLOBAL };
enum airbyte_trace_type {
    AIRBYTE_TRACE_ERROR,
    AIRBYTE_TRACE_ESTIMATE,
    AIRBYTE_TRACE_STREAM_STATUS,
    AIRBYTE_TRACE_ANALYTICS,
    AIRBYTE_TRACE_OTHER
};
enum airbyte_stream_status {
    AIRBYTE_STREAM_STARTED,
    AIRBYTE_STREAM_RUNNING,
    AIRBYTE_STREAM_COMPLETE,
    AIRBYTE_STREAM_INCOMPLETE,
    AIRBYTE_STREAM_STATUS_OTHER
};

/* A stream's name as (name, namespace); an absent, null or empty namespace are the same (size 0). Slices
 * are of the source where possible, else of the arena. */
struct airbyte_stream_name {
    struct slice name, namespace;
};
bool airbyte_stream_name_equal(struct airbyte_stream_name a, struct airbyte_stream_name b);

struct airbyte_message {
    enum airbyte_type type;
    uint32_t payload; /* the payload object's node */
    union {
        struct {
            struct airbyte_stream_name stream;
            uint32_t data;     /* object */
            double emitted_at; /* epoch milliseconds, may be fractional */
        } record;
        struct {
            enum airbyte_state_type type;
            struct airbyte_stream_name stream; /* STREAM */
            uint32_t stream_state;             /* STREAM; JSON_NONE: reset */
            uint32_t global;                   /* GLOBAL: {shared_state, stream_states} */
            uint32_t data;                     /* LEGACY */
        } state;
        struct {
            int level; /* enum log_level */
            uint32_t message, stack_trace;
        } log;
        struct {
            bool succeeded;
            uint32_t message;
        } status;
        struct {
            enum airbyte_trace_type type;
            struct airbyte_stream_name stream;                             /* where the trace names one */
            uint32_t message, internal_message, stack_trace, failure_type; /* ERROR: strings */
            double row_estimate, byte_estimate;                            /* ESTIMATE; negative: absent */
            bool estimate_is_sync;
            enum airbyte_stream_status status; /* STREAM_STATUS; */
            uint32_t status_value;             /* what it says; JSON_NONE: nothing */
        } trace;
        struct {
            uint32_t config; /* CONTROL connectorConfig.config */
        } control;
    };
};

/* Read a parsed line. -1 (ERROR_PROTOCOL) for a message whose required fields are missing or of the wrong
 * type, naming the field. Lenient where a failure would only hide something: nothing of an ERROR trace is
 * required, and a LOG without a text, like a message of an unknown type, is AIRBYTE_NOT_A_MESSAGE. Strings
 * that need unescaping go to the arena; a RECORD without escapes in its names allocates nothing. */
int airbyte_decode(const struct json *line, struct arena *arena, struct airbyte_message *ret_message,
                   struct error *err);

/* The same for a bare state message (an element of a state file) at `at`. */
int airbyte_decode_state(const struct json *doc, uint32_t at, struct arena *arena,
                         struct airbyte_message *ret_message, struct error *err);
/* A {"name","namespace"} object; `field` names it in the error. */
int airbyte_read_descriptor(const struct json *doc, uint32_t at, const char *field, struct arena *arena,
                            struct airbyte_stream_name *ret_name, struct error *err);

#endif
