/* The SDK's second face: Estuary Flow's capture and materialize protocols, JSON, over stdin and stdout. What
 * its files share; not for connectors. */
#ifndef FIRTH_SDK_FLOW_H
#define FIRTH_SDK_FLOW_H

#include "host.h"
#include "lines.h"
#include "protocol/flow_capture.h"
#include "protocol/flow_materialize.h"

enum {
    FLOW_LINE_MAX = 256 << 20,   /* a document, its values and its key; or a request with all its schemas */
    FLOW_WAIT_MS = 1000,         /* for input, before signals are looked at again */
    FLOW_STOP_GROUP_MS = 5000,   /* after SIGTERM, for what a source is at to come to its checkpoint */
    FLOW_GROUP_WAIT_MS = 10000,  /* for all streams of a group to have a state, */
    FLOW_GROUP_RECORDS = 100000, /* or so many records: then the states that there are must do */
};

/* One run of the program: requests come in, answers go out. */
struct flow {
    struct firth_host *host;
    const struct firth_connector_class *class_;
    struct sdk_lines lines;
    struct json_parser *parser; /* of the line that was read last */
    struct json line;
    struct arena arena; /* of one request; a session's stays as long as that lasts */
};

/* --- flow.c ----------------------------------------------------------------------------------------- */

/* Answer requests until the input ends. 0 also if it was asked to stop, and did so at a checkpoint; 1: no
 * request came at all. */
int sdk_run_flow(struct firth_host *host, int input, struct firth_error *err);
/* The next line of the input, parsed. As sdk_lines_next. */
int flow_next(struct flow *flow, int timeout_ms, struct firth_error *err);
/* Read a request's config by the option table; check it too if the class can. Lives in flow->arena. */
int flow_read_config(struct flow *flow, struct slice raw_config, bool check, void **ret_config,
                     struct firth_error *err);
/* A request that came where it has no place. Returns -1. */
int flow_out_of_place(const struct flow *flow, const char *request, const char *why, struct firth_error *err);
/* What was read is wrong: whose mistake it is, with the line's number. Returns -1. */
int flow_bad_line(const struct flow *flow, const struct error *library_err, struct firth_error *err);

/* --- flow_resource.c -------------------------------------------------------------------------------- */

/* What a binding's resource config asks for: {stream | name | table, namespace | schema, syncMode,
 * cursorField, primaryKey, deltaUpdates | delta_updates}. */
struct flow_resource {
    const char *stream, *name_space; /* NULL: none given */
    bool has_mode;
    enum airbyte_sync_mode mode;
    struct airbyte_path cursor;
    const struct airbyte_path *primary_key;
    size_t primary_key_count;
    bool delta_updates;
};
int flow_resource_read(struct slice raw, struct arena *arena, struct flow_resource *ret_resource,
                       struct error *err);
/* What the source has of them, or all that it has: sdk_catalog_offer. */
int flow_resources_offer(struct firth_host *host, const void *config, const struct flow_resource *resources,
                         size_t count, struct firth_catalog *offered, struct firth_error *err);
/* The streams that the resources ask for, as a configured catalog; *ret_streams[i] is the offered one. */
int flow_resources_select(const struct firth_catalog *offered, const struct flow_resource *resources,
                          size_t count, struct arena *arena, struct airbyte_configured_catalog *ret_catalog,
                          const struct firth_stream ***ret_streams, struct error *err);
/* Append the JSON Schema of a source's or a destination's resource config. */
/* The member that names the stream; catalogs may call it `stream` all the same. */
const char *flow_resource_name(const struct firth_connector_class *class_);
void flow_resource_schema(struct buffer *out, const struct firth_connector_class *class_);

/* --- flow_capture.c --------------------------------------------------------------------------------- */

/* One request. *ret_session: it was `open`, and the session is over. */
int flow_capture_answer(struct flow *flow, bool *ret_session, struct firth_error *err);
/* From `open` to the end (flow_capture_session.c). 0 also if it stopped at a checkpoint, as it was asked to.
 */
int flow_capture_session(struct flow *flow, const struct flow_capture_open *open, struct firth_error *err);

/* --- flow_target.c ----------------------------------------------------------------------------------- */

/* Of `validate`: the target with all fields that the collection has. Everything goes to the arena, or is of
 * the binding's. */
int flow_target_offered(const struct flow_materialize_validate_binding *binding, bool delta_updates,
                        struct arena *arena, struct firth_target *ret_target, struct error *err);
/* Of `apply` and `open`: with the fields that were selected. */
int flow_target_selected(const struct flow_materialize_binding *binding, struct arena *arena,
                         struct firth_target *ret_target, struct error *err);
struct flow_texts flow_target_path(const struct firth_target *target, struct arena *arena);
/* What the SDK proposes for each field. */
struct firth_constraint *flow_target_propose(const struct firth_destination *class_,
                                             const struct firth_target *target, struct arena *arena);

/* The same, or what a connector has made of it, as `validate` answers. */
struct flow_projection_constraints flow_target_constraints(const struct firth_target *target,
                                                           const struct firth_constraint *constraints,
                                                           struct arena *arena);

/* --- flow_materialize.c ------------------------------------------------------------------------------ */

int flow_materialize_answer(struct flow *flow, bool *ret_session, struct firth_error *err);
/* The specification's bindings as targets, and its name as host->task. */
int flow_targets_read(struct flow *flow, const struct flow_materialize_spec *spec,
                      struct firth_target **ret_targets, struct firth_error *err);
/* From `open` to the end of the input (flow_materialize_session.c). 0 also if it was asked to stop between
 * two transactions. */
int flow_materialize_session(struct flow *flow, const struct flow_materialize_open *open,
                             struct firth_error *err);

/* --- face_flow.c: a capture's session ----------------------------------------------------------------- */

struct flow_stream {
    struct slice state_key;
    struct buffer kept;    /* its state at the runtime, in the kept form (state_patch.h); size 0: none */
    struct buffer pending; /* the one for the next checkpoint, */
    bool is_pending;       /* if there is one; size 0: it is to be removed */
    bool keeps;            /* its states mean something to the next session, */
    bool refresh;          /* but not beyond the end of all streams */
};

struct flow_session {
    struct flow_stream *streams;
    size_t count;
    struct buffer shared_kept, shared_pending;
    bool shared_is_pending;
    int64_t waiting_ms;    /* since when a state waits for those of other streams; 0: none does */
    uint64_t states;       /* that the source has emitted, */
    struct buffer covered; /* and how many of them each checkpoint covers that is not acknowledged:
                              uint64_t each */
    size_t acknowledged;   /* of `covered` */
    int64_t stopping_ms;   /* when it was seen that we are to stop; 0: not yet */
};

void flow_session_init(struct flow_session *session, size_t count);
void flow_session_done(struct flow_session *session);
/* Append a checkpoint with everything that is pending. */
int flow_session_checkpoint(struct firth_host *host);
/* The runtime has `checkpoints` more: how many of the source's states that makes in all. False: there were
 * not so many. */
bool flow_session_acknowledge(struct flow_session *session, uint64_t checkpoints, uint64_t *ret_states);
/* Checkpoints that are not acknowledged. */
size_t flow_session_outstanding(const struct flow_session *session);

#endif
