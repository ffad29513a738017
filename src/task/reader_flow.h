/* Private to the reader of Flow's capture connectors: reader_flow.c is its life, reader_flow_setup.c what
 * comes before a session (spec, validate, apply), reader_flow_group.c what its lines mean. */
#ifndef FIRTH_TASK_READER_FLOW_H
#define FIRTH_TASK_READER_FLOW_H

#include "connector/flow_call.h"
#include "protocol/flow_capture.h"
#include "task/flow_saved.h"
#include "task/reader.h"

enum flow_phase {
    FLOW_PHASE_SPEC,
    FLOW_PHASE_VALIDATE,
    FLOW_PHASE_APPLY,
    FLOW_PHASE_SET_UP,  /* the resources are known */
    FLOW_PHASE_APPLIED, /* what `apply` changed is to be taken as a checkpoint, */
    FLOW_PHASE_COMMIT,  /* and to be durable before the session opens */
    FLOW_PHASE_OPENING,
    FLOW_PHASE_READING,
};

enum {
    FLOW_VERSION_SIZE = 17,        /* 16 digits and a NUL */
    FLOW_INPUT_STALL_MS = 10000,   /* for the connector to read an acknowledgement */
    FLOW_LEAVE_INPUT_MS = 1000,    /* for it to read the last of them before it is told to go, */
    FLOW_LEAVE_STEP_MS = 10,       /* looked at so often */
    FLOW_NO_END_MS = 10000,        /* of silence, until a run of one session is told that it may last */
    FLOW_GROUP_SCHEMAS_MAX = 4096, /* sourced schemas in one group, */
    FLOW_GROUP_SCHEMA_BYTES_MAX = 64 << 20, /* and their size */
};

/* What has come since the last checkpoint, besides documents. */
struct flow_group {
    uint64_t messages, documents;
    int64_t began_ms; /* wall clock of its first document */
    bool backfill;    /* a message that has to be alone came */
    struct task_flow_item item;
    struct task_sourced_schema schemas[FLOW_GROUP_SCHEMAS_MAX];
    size_t schema_bytes;
    struct flow_connector_state state; /* of the checkpoint */
    struct arena arena;                /* the group's schemas */
};

struct flow_reader {
    struct task_reader base;
    enum flow_phase phase;

    /* Set-up. */
    struct flow_capture_spec capture;
    struct flow_capture_binding *bindings;
    const struct flow_capture_spec *last; /* that was applied; NULL */
    char version[FLOW_VERSION_SIZE];
    struct connector_flow_call *call;
    struct task_flow_item applied;
    struct flow_connector_state applied_state;

    /* The session. */
    struct connector_process *process;
    struct json_parser *parser;
    struct json line;
    struct arena arena; /* of one line */
    uint64_t lines;
    struct flow_group group;
    bool explicit_acknowledgements;
    uint64_t checkpoints, acknowledged; /* that it sent; and was told to be durable */
    uint64_t input_since_ms;            /* since when it leaves its input unread; 0: it does not */
    bool stopping, torn, told_schemas;
    struct error
        torn_error;    /* of a line that is no JSON, until it is known whether a dying connector tore it */
    uint64_t leave_ms; /* when leaving began, 0: not yet */
    uint64_t heard_ms; /* when a document came last, or the session began */
    bool told_of_no_end;
    bool told_to_go;
};

static inline struct flow_reader *flow_reader_of(struct task_reader *base)
{
    return (struct flow_reader *)base;
}

/* --- before the session (reader_flow_setup.c) ------------------------------------------------------- */

/* Read the specification; begin to ask, or go to SET_UP at once if the connector has applied this very
 * specification. */
int flow_setup_open(struct flow_reader *reader, struct error *err);
int flow_setup_service(struct flow_reader *reader, struct error *err);
/* Append the `open` request. */
void flow_setup_write_open(const struct flow_reader *reader, struct buffer *out);
/* What it says of its config, in whatever it was asked. */
int flow_reader_on_config(void *reader, const struct json *line, uint32_t config, struct error *err);
void flow_reader_on_log(void *reader, enum log_level level, struct slice line);

/* --- lines (reader_flow_group.c) -------------------------------------------------------------------- */

/* 1 and an item, 0: none now, -1. */
int flow_group_next(struct flow_reader *reader, struct task_item *ret_item, struct error *err);
/* What still comes of one that is stopped: only a changed config counts. */
void flow_group_leave(struct flow_reader *reader);
/* The connector is gone: is what it said whole? */
int flow_group_result(const struct flow_reader *reader, struct error *err);

#endif
