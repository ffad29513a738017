/* Private to the sink of materializations: sink_materialize.c is its life, sink_materialize_plan.c what is
 * materialized (bindings, fields, versions), sink_materialize_setup.c what comes before a session (spec,
 * validate, apply, open), sink_materialize_load.c and sink_materialize_store.c the two halves of a
 * transaction; materialize_protocol.h is the order of messages, materialize_row.h a document's fields. */
#ifndef FIRTH_TASK_SINK_MATERIALIZE_H
#define FIRTH_TASK_SINK_MATERIALIZE_H

#include "connector/flow_call.h"
#include "task/combiner.h"
#include "task/key_set.h"
#include "task/ledger.h"
#include "task/materialize_last.h"
#include "task/materialize_protocol.h"
#include "task/materialize_row.h"
#include "task/positions.h"
#include "task/sink.h"
#include "task/source_spec.h"
#include "task/trigger.h"

enum materialize_step {
    MATERIALIZE_ASK_SPEC,
    MATERIALIZE_ASK_VALIDATE,
    MATERIALIZE_ASK_APPLY,
    MATERIALIZE_SESSION, /* its connector runs */
};

enum {
    MATERIALIZE_VERSION_SIZE = 17,        /* 16 digits and a NUL */
    MATERIALIZE_QUEUE_MAX = 4 << 20,      /* bytes that wait for the connector before we do */
    MATERIALIZE_LOADS_MAX = 512 << 10,    /* keys of one transaction, some 24 MiB of key_set as it grows */
    MATERIALIZE_COMBINE_BYTES = 12 << 20, /* of a transaction in memory; the rest is in a file */
    MATERIALIZE_SEND_BYTES = 256 << 10,   /* handed over at once */
    MATERIALIZE_STORES_PER_TURN = 4096,   /* documents before signals are looked at */
    MATERIALIZE_VALIDATIONS_MAX = 3,      /* a backfill that is forced means another one */
    MATERIALIZE_LEAVE_MS = 30000,         /* for a connector to end once its input is closed */
    MATERIALIZE_STOP_MS = 2000,           /* for it to answer 'acknowledge' when the task is stopped */
};

/* A binding of the task's specification. */
struct materialize_binding {
    const struct task_binding_spec *spec;
    const char *id; /* in the kept list of counters */
    struct task_source_spec source;
    const struct flow_collection *collection;
    struct slice
        resource; /* its config; of a source capture's binding not before the connector's spec is known */
    uint32_t backfill; /* the catalog's counter, and what we have added to it */
    bool disabled;     /* for a schema change that the endpoint cannot follow */
    /* What was validated. */
    struct flow_texts resource_path;
    struct flow_field_selection selection;
    bool delta_updates;
    const struct flow_ser_policy *ser_policy;
};

/* One that takes part. */
struct materialize_output {
    struct materialize_row row;
    struct buffer max_key; /* of those stored in this transaction */
    bool delta_updates;
    bool skips_loads; /* what is beyond the largest key is known not to be there */
};

struct materialize_sink {
    struct task_sink base;
    struct task_ledger ledger;
    enum materialize_step step;
    char version[MATERIALIZE_VERSION_SIZE];

    /* The plan. */
    struct materialize_binding *planned;
    size_t planned_count;
    size_t *enabled; /* planned ones that take part */
    size_t enabled_count;
    struct flow_materialize_spec spec; /* of those */
    struct task_materialize_last last;
    uint32_t validations;
    struct connector_flow_call *call;

    /* The session. */
    struct connector_process *process;
    struct json_parser *line_parser, *loaded_parser, *stored_parser;
    struct arena arena; /* of one line */
    uint64_t lines;
    struct materialize_protocol protocol;
    bool opened, endpoint_authoritative, load_optimization;
    struct task_positions positions; /* task->positions: how far the reader is */
    struct task_position_source *sources;
    struct materialize_output *outputs;
    struct combiner *combiner;
    struct buffer out;              /* lines that were not handed over yet */
    struct task_triggers *triggers; /* NULL: nobody is told of commits */
    uint64_t triggers_since_ms;     /* that a session which is done waits for them; 0: it does not */

    /* The transaction. */
    uint64_t documents;  /* that it has taken */
    struct key_set keys; /* of which there is a document */
    uint64_t loads, stores;
    int64_t newest_ms;
    struct buffer checkpoint; /* the runtime checkpoint as of `flush` */
    bool drained;
    bool state_changed; /* by what was acknowledged: to be saved with the next commit */

    bool finishing, finished;
    bool torn; /* its last line is none */
    struct error torn_error;
    bool told_to_go;        /* it did not end by itself */
    uint64_t left_ms;       /* when the connector's input was closed */
    uint64_t unanswered_ms; /* since when a stop waits for its 'acknowledged'; 0: it does not */
};

static inline struct materialize_sink *materialize_sink_of(struct task_sink *base)
{
    return (struct materialize_sink *)base;
}

/* --- the plan (sink_materialize_plan.c) -------------------------------------------------------------- */

/* Read the task's specification and what was applied before. */
int materialize_plan_read(struct materialize_sink *sink, struct error *err);
/* Was this very specification applied last? Then the plan is what it was. */
bool materialize_plan_is_applied(struct materialize_sink *sink);
/* Take in what the connector says: 0 done, 1 validate again (a backfill was forced), -1. */
int materialize_plan_take(struct materialize_sink *sink, const struct flow_materialize_validated *validated,
                          struct error *err);
/* The specification of the bindings that take part. */
int materialize_plan_finish(struct materialize_sink *sink, struct error *err);
/* Make the resources of those that the source capture brought, by the connector's schema of resources. */
int materialize_plan_name(struct materialize_sink *sink, struct slice raw_resource_schema, struct error *err);
/* Is what the catalog wants of each collection in it? Before anybody is asked. */
int materialize_plan_check(struct materialize_sink *sink, struct error *err);
/* The connector has refused what `validate` asked: add what to write, if it can be told. */
void materialize_plan_advise(struct materialize_sink *sink, struct error *err);
/* What `validate` asks. */
struct flow_materialize_request materialize_plan_validate(struct materialize_sink *sink);
/* Put what is about to be applied into the checkpoint, and what was. */
void materialize_plan_begin(struct materialize_sink *sink);
void materialize_plan_save(struct materialize_sink *sink);

/* --- before the session (sink_materialize_setup.c) --------------------------------------------------- */

int materialize_setup_open(struct materialize_sink *sink, struct error *err);
int materialize_setup_service(struct materialize_sink *sink, struct error *err);
int materialize_take_opened(struct materialize_sink *sink, const struct flow_materialize_opened *opened,
                            struct error *err);
void materialize_on_log(void *sink, enum log_level level, struct slice line);

/* --- a transaction ---------------------------------------------------------------------------------- */

/* Queue a request. */
void materialize_send(struct materialize_sink *sink, const struct flow_materialize_request *request);
void materialize_hand_over(struct materialize_sink *sink);
/* How much waits for the connector. */
size_t materialize_queued(const struct materialize_sink *sink);

int materialize_load(struct materialize_sink *sink, const struct task_item *item, struct error *err);
int materialize_take_loaded(struct materialize_sink *sink, const struct flow_loaded *loaded,
                            struct error *err);
/* Freeze what was taken, and say `flush`. */
void materialize_flush(struct materialize_sink *sink);

/* Some stores, or `startCommit` after the last. */
int materialize_store(struct materialize_sink *sink, struct error *err);
/* The endpoint has committed: so do we, and acknowledge. */
int materialize_commit(struct materialize_sink *sink, struct error *err);
void materialize_acknowledge(struct materialize_sink *sink);
/* Take in a state of the connector's. */
int materialize_take_state(struct materialize_sink *sink, const struct flow_connector_state *state,
                           struct error *err);

/* Save the connector's state as it is, and nothing else that is new. */
int materialize_save_state(struct materialize_sink *sink, struct error *err);

#endif
