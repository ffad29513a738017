/* How Flow's messages and JSON map to one another; private to this room.
 *
 * A message is a struct and a table of its members. One reader and one writer walk the tables, so that both
 * sides of both protocols follow the same rules. */
#ifndef FIRTH_PROTOCOL_FLOW_CODEC_H
#define FIRTH_PROTOCOL_FLOW_CODEC_H

#include "protocol/flow.h"
#include "json/writer.h"

enum flow_kind {
    FLOW_TEXT,     /* struct slice */
    FLOW_JSON,     /* struct slice: a JSON value */
    FLOW_BYTES,    /* struct slice: base64 in JSON */
    FLOW_BOOL,     /* bool */
    FLOW_U32,      /* uint32_t */
    FLOW_I64,      /* int64_t: a string in JSON */
    FLOW_DOUBLE,   /* double */
    FLOW_ENUM,     /* an enum; `of` is its struct flow_enum */
    FLOW_MESSAGE,  /* const struct …*; `of` is its struct flow_type */
    FLOW_TEXTS,    /* struct flow_texts */
    FLOW_JSONS,    /* struct flow_texts of JSON values */
    FLOW_MESSAGES, /* {const struct …*, size_t}; `of` is its struct flow_type */
};

struct flow_member {
    const char *name; /* in JSON */
    enum flow_kind kind;
    size_t offset;
    const void *of;
};

struct flow_type {
    const char *name; /* in errors */
    size_t size;
    const struct flow_member *members;
    size_t count;
};

struct flow_enum {
    const struct flow_enum_value {
        const char *name; /* of several for one value the first is written */
        int value;
    } * values;
    size_t count;
};

#define FLOW_TYPE(label, type, table)                                   \
    {                                                                   \
        (label), sizeof(type), (table), sizeof(table) / sizeof *(table) \
    }
#define FLOW_VALUES(table)                       \
    {                                            \
        (table), sizeof(table) / sizeof *(table) \
    }

/* The members of `object`, as the type has them. An object. */
void flow_write(struct json_writer *writer, const struct flow_type *type, const void *message);
/* Read the object at `at` into a zeroed `message`. ERROR_PROTOCOL names the member. */
int flow_read(const struct json *doc, uint32_t at, const struct flow_type *type, struct arena *arena,
              void *message, struct error *err);

/* A line: one member of a list says which message it is. */
struct flow_line_type {
    const char *name;
    const struct flow_type *type;
};
/* The line's message: an index into `types`, its node in *ret_at; -1 (ERROR_PROTOCOL): none of them, or it
 * has a member twice.
 * `what` names the list in the error: "a response of Flow's capture protocol". */
int flow_line_which(const struct json *line, const struct flow_line_type *types, size_t count,
                    const char *what, uint32_t *ret_at, struct error *err);
/* {"name":message}\n */
void flow_line_write(struct buffer *out, const struct flow_line_type *type, const void *message);

extern const struct flow_type flow_type_collection, flow_type_connector_state, flow_type_range,
    flow_type_network_port, flow_type_spec, flow_type_applied;

/* What is wrong with a member. Returns -1. */
int flow_wrong(const struct json *doc, uint32_t at, const char *type, const char *member,
               const char *expected, struct error *err);

#endif
