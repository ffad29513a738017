/* A task: documents move from a reader to a sink, in transactions. One session of one task is one process;
 * task_main is that process, task_run the loop in it.
 *
 * Reader and sink are small classes (reader.h, sink.h), so that captures, connections and what comes later
 * share the loop. */
#ifndef FIRTH_TASK_TASK_H
#define FIRTH_TASK_TASK_H

#include "protocol/airbyte_catalog.h"
#include "protocol/flow.h"
#include "schema/redact.h"
#include "task/checkpoint.h"
#include "task/report.h"
#include "task/stage.h"
#include "task/task_spec.h"
#include "json/key.h"

/* One stream on its way: what the reader, the loop and the sink know of it. */
struct task_binding {
    const struct task_binding_spec *spec;
    size_t index;
    const char *progress_name;         /* the collection, or the stream's name at the destination */
    struct airbyte_stream_name source; /* as the source says it */
    struct airbyte_stream_name target; /* as the destination sees it (connections) */
    struct airbyte_configured_stream configured;
    const struct task_mapping
        *mapping; /* connections: what becomes of its records; NULL: they go as they come */
    uint64_t dropped, dropped_bytes; /* records that a row filter kept back, among those that were taken */
    uint64_t dropped_since_state;    /* and no state has covered yet */
    struct key key;                  /* captures */
    struct redactor *redactor;       /* captures: NULL if nothing of its documents is redacted */
    size_t reduced;                 /* captures: its place, from 1, among those whose documents are reduced */
    struct task_inferred *inferred; /* captures: what their documents look like; NULL: nobody asks */
    struct schema *schema; /* NULL: accepts everything (a connection's stream without a usable schema) */
    struct task_saved_stream *saved;
    int64_t newest_ms; /* emitted_at of the newest document, 0: none */
    uint64_t taken;    /* documents that the reader gave, valid or not */
    bool incomplete;   /* the source's last word on the stream is that it failed */
    bool recovered;    /* materializations: the endpoint had committed more of it than we knew */

    /* Counted since the session began: what the sink has covered by a checkpoint but not committed is
     * `covered` minus `progress.committed`. */
    uint64_t covered_documents, covered_bytes, covered_invalid, committed_invalid;
    uint64_t covered_rejected; /* not among covered_documents */

    /* Of the collections' sink. */
    uint32_t journal, quarantine_journal;
    size_t
        uncovered_at; /* its place, from 1, among those with documents that no checkpoint covers; 0: none */
    struct stage staged;
    bool direct; /* its uncovered documents are in the store's transaction already */
};

struct task {
    const struct task_spec *spec;
    struct task_endpoint *endpoints[TASK_SIDE_MAX]; /* the specification's, whose configs may change */
    uint64_t given[TASK_SIDE_MAX];                  /* sealed_config_identity of theirs */
    struct task_ledger *ledger;                     /* of a session without a sink; NULL: nothing is kept */
    char *key;                                      /* kept_config.h: hexadecimal; NULL: none was given */
    const struct clock *clock;
    struct task_report *report;
    struct arena arena;                /* the session */
    struct connector_secrets *secrets; /* marks.h */
    struct connector_secrets *all;     /* every value of the configs: for who is asked what is secret */

    struct task_binding *bindings;
    /* The same order as bindings: progress events show this array. */
    struct task_binding_progress *progress;
    size_t binding_count;

    /* Known before either side begins. */
    struct airbyte_catalog discovered; /* what the source offers */
    /* Of a capture connector that speaks Flow's protocol, in the order of the specification's bindings. */
    const struct flow_texts *resource_paths;
    /* Of a materialization: the specification's bindings that take part, and how far each has been read. The
     * sink's; known once it is prepared. */
    const size_t *enabled;
    size_t enabled_count;
    struct task_positions *positions;
    uint32_t destination_modes; /* bit n: the destination can do airbyte_destination_sync_mode n */

    struct task_checkpoint checkpoint; /* as of the last CHECKPOINT that the sink took */
    struct schema_registry *schemas;
    struct schema_validator *validator;
    struct json_parser *parser; /* of documents that were changed */
    struct buffer redacted;     /* the last such document */

    struct task_reader *reader;
    struct task_sink *sink;
    uint64_t repeated;            /* documents with members of one name, of which the last counts */
    uint64_t checkpoints_taken;   /* CHECKPOINT items that the sink has, */
    uint64_t checkpoints_durable; /* and those of them that are committed */
    uint64_t notes_bytes;         /* so much of its reader's notes is kept (notes.h); 0: it makes none */
    bool fresh;    /* this session begins anew (the last one came to its end), it does not go on */
    bool stopping; /* we were asked to */
};

/* Another reader than the specification's kind has; `context` is task_run_with's. */
struct task_reader;
typedef struct task_reader *task_reader_maker(struct task *task, void *context);

/* Run one session. `stop_fd` is a signalfd of SIGTERM, SIGINT and SIGQUIT: the first signal lets the
 * transaction be finished, the second ends at once, and so does SIGQUIT (which, unlike a second SIGTERM,
 * cannot merge with one that is still pending). The outcome and for TASK_FAILED *err. Reports everything but
 * the end. */
enum task_outcome task_run(const struct task_spec *spec, struct task_report *report,
                           const struct clock *clock, int stop_fd, struct error *err);

/* The same with a reader from above; NULL: the specification's. `stop_fd` may be a pipe that signalfd_siginfo
 * is written to. Several may run in one process, each with a report and in a thread of its own. */
enum task_outcome task_run_with(const struct task_spec *spec, struct task_report *report,
                                const struct clock *clock, int stop_fd, task_reader_maker *make,
                                void *context, struct error *err);

/* The process: read the specification from spec_fd, run, report the end on events_fd. Returns its exit
 * status: 0 completed or stopped, 1 failed. */
int task_main(int spec_fd, int events_fd);

#endif
