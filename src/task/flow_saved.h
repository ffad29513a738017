/* What a task's checkpoint keeps of a source that speaks Flow's protocol: the connector's state, what was
 * applied, and what the connector said of its documents' schemas. */
#ifndef FIRTH_TASK_FLOW_SAVED_H
#define FIRTH_TASK_FLOW_SAVED_H

#include "base/map.h"
#include "protocol/flow_state.h"
#include "json/writer.h"

enum { TASK_SOURCED_SCHEMAS_MAX = 1 << 20 }; /* bytes of all that are kept: they are in every commit */

struct task_flow_saved {
    struct flow_state *state;
    char *version;      /* of the specification that was applied last; "": none was */
    char *paths;        /* the bindings' resource paths under that version: JSON, [["public","users"],…] */
    char *applied;      /* that specification (capture_last.h), a JSON text; "": it is not known */
    struct map schemas; /* a resource's name (task_flow_name) to the last sourced schema, a JSON text */
    size_t schema_bytes;
    bool schemas_dropped; /* one was too large to be kept */
};

/* What a checkpoint of the connector brings. */
struct task_flow_item {
    const struct flow_connector_state *state; /* NULL: it is as it was */
    const struct task_sourced_schema {
        struct slice name, raw;
    } * schemas;
    size_t schema_count;
    const char *version, *paths;                                   /* after `apply` alone, else NULL */
    const char *applied;                                           /* likewise; NULL with a version: "" */
    struct task_saved_stream *backfill_begun, *backfill_completed; /* else NULL */
    int64_t wall_ms;
};

void task_flow_saved_init(struct task_flow_saved *saved);
void task_flow_saved_done(struct task_flow_saved *saved);

int task_flow_saved_take(struct task_flow_saved *saved, const struct task_flow_item *item, struct error *err);

/* A JSON object, which _load takes back. */
void task_flow_saved_write(const struct task_flow_saved *saved, struct json_writer *writer);
int task_flow_saved_load(struct task_flow_saved *saved, const struct json *doc, uint32_t at,
                         struct error *err);

#endif
