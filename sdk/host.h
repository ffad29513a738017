/* The inside of the SDK: what its files share. Not for connectors. */
#ifndef FIRTH_SDK_HOST_H
#define FIRTH_SDK_HOST_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "bridge.h"
#include "firth/connector.h"
#include "protocol/airbyte.h"
#include "protocol/airbyte_catalog.h"
#include "protocol/airbyte_write.h"
#include "json/json.h"

#include <signal.h>

/* What comes from outside is bounded. */
enum {
    SDK_CONFIG_MAX = 16 << 20,
    SDK_CATALOG_MAX = 256 << 20,
    SDK_STATE_MAX = 256 << 20,
    SDK_RECORD_MAX = 64 << 20,                 /* bytes of one record's data */
    SDK_LINE_MAX = SDK_RECORD_MAX + (1 << 20), /* a message around it */
    SDK_FLUSH_SIZE = 128 << 10,                /* output is written in pieces of about this size … */
    SDK_FLUSH_MS = 100,                        /* … and not held back for longer while records come */
    SDK_STOP_WRITE_MS = 2000,                  /* after SIGTERM, a reader that does not read is given up */
};

/* One selected stream, as the output side sees it. */
struct host_stream {
    struct airbyte_stream_name name;
    struct slice head; /* what its records' lines begin with; heap */
    uint64_t records;  /* since its last state */
    bool started, running, complete;
    bool failed;              /* is over, but not complete */
    bool stated;              /* its last state covers every record */
    struct buffer last_state; /* size 0: none, neither given nor emitted */
};

/* Behind a record that a destination is given: where its fields are. */
struct sdk_row {
    const struct firth_target *target;
    bool flow;
    uint32_t key, values;          /* Flow: arrays of the line, JSON_NONE: not there */
    size_t key_count, value_count; /* Flow: how many they must have */
    uint32_t *nodes;               /* of each field, once `found` */
    bool found;
    uint32_t *hashes; /* Airbyte: of the fields' names, which are members of the record */
};

struct sdk_face;
struct flow_session;

struct firth_host {
    const struct firth_connector_class *class_;
    const struct sdk_face *face;
    struct flow_session *flow;         /* the second face's; NULL: none is open */
    bool checking;                     /* a check is what we are asked for */
    bool opening;                      /* discover is called for streams that are named already */
    const char *task;                  /* what the other side calls what it does with us; "" */
    const volatile sig_atomic_t *stop; /* the signal that asked us to stop, or 0 */
    int fd;                            /* where messages go */
    struct buffer out;
    int64_t now_ms, flushed_ms; /* coarse wall clock */
    bool failed;                /* `error` says why; every emit fails from now on */
    bool gone;                  /* the reader closed its end (EPIPE) */
    struct firth_error error;
    struct firth_error missing; /* of the first stream that is asked for and not there; "": none */

    struct host_stream *streams;
    size_t stream_count;
    uint64_t group_records; /* emitted since the last checkpoint of the second face */
    bool global;            /* the source speaks GLOBAL states */
    size_t record_start;    /* of the record being built, in `out` */
    size_t record_stream;
    bool record_open, record_first;

    struct json_parser *parser;         /* for JSON that the connector hands over */
    struct arena scratch;               /* strings given out by firth_record_get; cleared per record */
    struct arena values;                /* what firth_json_get parsed last */
    struct buffer key;                  /* firth_record_key's */
    struct buffer did;                  /* what apply has done; joined by "; " */
    bool may_load;                      /* firth_emit_loaded has a place */
    const char *flags[FIRTH_FLAGS_MAX]; /* values, in the order of class_->own->flags */
    void *own_config;                   /* of class_->own; NULL: none is open */
};

/* --- host.c: the way out ---------------------------------------------------------------------------- */

void sdk_host_init(struct firth_host *host, const struct firth_connector_class *class_,
                   const struct sdk_face *face, int fd, const volatile sig_atomic_t *stop);
void sdk_host_done(struct firth_host *host);
/* Write everything that is buffered. -1: host->failed. */
int sdk_host_flush(struct firth_host *host);
/* Write if enough has gathered or waited; called after each message. */
int sdk_host_flush_if_due(struct firth_host *host);
/* Bytes that overtake what is buffered. */
int sdk_host_write(struct firth_host *host, const char *bytes, size_t size);
int64_t sdk_monotonic_ms(void);
/* Is everything that is emitted to fail by now? */
bool sdk_host_must_stop(const struct firth_host *host);
/* JSON that goes into a line may have no line break: between tokens they mean nothing. */
void sdk_join_lines(char *bytes, size_t size);
/* Make the host fail with a message; -1. */
int sdk_host_fail(struct firth_host *host, enum firth_failure failure, const char *format, ...)
    FIRTH_PRINTF(3, 4);

/* --- what is said: face_airbyte.c, face_flow.c ----------------------------------------------------- */

/* The protocol's words for what a connector emits. Each appends to host->out; what can fail returns 0 or -1
 * with the host failed. */
struct sdk_face {
    /* `stream->head` of the stream at `index`. */
    void (*open_stream)(struct firth_host *host, size_t index, const struct firth_selected *from);
    /* One record whose data lies elsewhere; or begin, the data's bytes, end. */
    void (*put_record)(struct firth_host *host, const struct host_stream *stream, struct slice data);
    /* `changes`: of firth_emit_changed_record. */
    void (*put_changed)(struct firth_host *host, const struct host_stream *stream, struct slice data,
                        struct slice changes);
    void (*begin_record)(struct firth_host *host, const struct host_stream *stream);
    void (*end_record)(struct firth_host *host);
    void (*put_status)(struct firth_host *host, const struct host_stream *stream,
                       enum airbyte_stream_status status);
    void (*put_schema)(struct firth_host *host, const struct host_stream *stream, struct slice schema);
    void (*put_estimate)(struct firth_host *host, const struct host_stream *stream, int64_t records,
                         int64_t bytes);
    void (*put_config)(struct firth_host *host, struct slice config);
    int (*put_state)(struct firth_host *host, size_t index); /* stream->last_state */
    int (*put_global_state)(struct firth_host *host, struct firth_slice shared,
                            const struct firth_slice *states, uint64_t records);
    /* The stream ends without a state that covers all of it. */
    int (*put_last_state)(struct firth_host *host, size_t index);
    /* Every stream is complete, and said so. */
    int (*end_session)(struct firth_host *host);
    /* A connector that is to stop may go on to the end of what it is at. */
    bool (*may_go_on)(const struct firth_host *host);
    /* Not part of host->out: the line goes out at once. */
    void (*log)(struct firth_host *host, enum log_level level, struct slice line);
};
extern const struct sdk_face sdk_face_airbyte, sdk_face_flow;

/* --- emit.c: streams ------------------------------------------------------------------------------- */

/* Prepare the output side for these streams; names are borrowed, states are copied. */
void sdk_host_open_streams(struct firth_host *host, const struct firth_selection *selection);
/* At the end of read: complete every stream, or say that the started ones are INCOMPLETE. */
int sdk_host_end_streams(struct firth_host *host, bool complete);

/* --- options.c, spec.c --------------------------------------------------------------------------------- */

/* Fill the config struct (zeroed by the caller) from the object. All problems in one error, none of them
 * showing a secret. Strings go to the arena. */
int sdk_options_read(const struct firth_option *options, const struct json *doc, uint32_t at, void *config,
                     struct arena *arena, struct error *err);
/* In which of the class's two spellings the config is written. `flow`: the one to be expected. */
const struct firth_option *sdk_options_of(const struct firth_connector_class *class_, const struct json *doc,
                                          bool flow);
/* Append the payload of the SPEC message. */
void sdk_spec_write(struct buffer *out, const struct firth_connector_class *class_);
/* --- own.c: classes that read their config themselves ------------------------------------------------- */

struct firth_spec {
    struct arena arena;
    struct firth_spec_parts parts;
};
/* Ask the class; sdk_own_spec_done in any case. */
int sdk_own_spec(struct firth_host *host, struct firth_spec *ret_spec, struct firth_error *err);
void sdk_own_spec_done(struct firth_spec *spec);
/* Append the payload of the SPEC message. */
void sdk_own_spec_write(struct buffer *out, const struct firth_spec *spec);
/* Closes the one before; the last is closed by sdk_host_done. */
int sdk_own_open(struct firth_host *host, struct slice json, void **ret_config, struct firth_error *err);
void sdk_own_close(struct firth_host *host);
/* Take the class's flags out of the words: values go to `values`. 0, or -1 if a value is missing after
 * *ret_flag. */
int sdk_own_flags(const struct firth_own_config *own, int *argc, char **argv,
                  const char *values[FIRTH_FLAGS_MAX], const char **ret_flag);

/* Append the JSON Schema of the config, annotated for Flow. */
void sdk_spec_write_flow(struct buffer *out, const struct firth_connector_class *class_);

/* --- selection.c -------------------------------------------------------------------------------------------
 */

struct firth_catalog {
    struct arena arena;
    struct firth_stream *streams; /* as the connector gave them, copied */
    size_t count, capacity;
    struct json_parser *parser;
};
void sdk_catalog_init(struct firth_catalog *catalog);
void sdk_catalog_done(struct firth_catalog *catalog);
/* Append a CATALOG message. */
void sdk_catalog_write_message(struct buffer *out, const struct firth_catalog *catalog);
/* By find or discover; *offered is initialised, and may be made anew. */
struct sdk_stream_name {
    const char *name, *name_space; /* NULL: none */
};
int sdk_catalog_offer(struct firth_host *host, const void *config, const struct sdk_stream_name *names,
                      size_t count, struct firth_catalog *offered, struct firth_error *err);
/* Match the configured catalog and the state file against what the source offers. `state` has size 0
 * if there is none. `host`: a stream whose cursor nobody names is read whole, with a warning, and one that is
 * not there is left out (host->missing); NULL: these are errors, for who reads again and again. */
int sdk_selection_read(struct firth_host *host, const struct firth_catalog *offered,
                       const struct airbyte_configured_catalog *asked, struct slice state,
                       struct arena *arena, struct firth_selection *ret_selection, struct error *err);
/* A name as a C string can have it: NULs are "␀". */
struct slice sdk_show_nuls(struct slice name, struct arena *arena);
/* ["a","b/c"] to "/a/b~1c"; NULL for an empty path. */
const char *sdk_pointer_of_path(struct airbyte_path path, struct arena *arena);
const char *const *sdk_pointers_of_paths(const struct airbyte_path *paths, size_t count, struct arena *arena);
/* "/a/b~1c" to ["a","b/c"]. */
struct airbyte_path sdk_path_of_pointer(const char *pointer, struct arena *arena);
/* Can an interrupted full refresh of the stream go on from a state? */
bool sdk_selected_is_resumable(const struct firth_catalog *offered, const struct firth_selected *selected);

/* --- record.c -------------------------------------------------------------------------------------- */

/* Of a target under Airbyte's protocol. */
void sdk_row_init(struct sdk_row *row, const struct firth_target *target, struct arena *arena);

/* --- target.c -------------------------------------------------------------------------------------- */

/* FIRTH_MAY_BE_… of a schema's "type" at `at` (a name or a list), or of none. */
unsigned sdk_types_of(const struct json *doc, uint32_t at);
/* apply, where the class has it. */
int sdk_apply(struct firth_host *host, const void *config, const struct firth_target *targets, size_t count,
              struct firth_error *err);

/* --- read.c, write.c: the two long verbs
 * -------------------------------------------------------------------- */

int sdk_run_read(struct firth_host *host, const void *config,
                 const struct airbyte_configured_catalog *catalog, struct slice state,
                 struct firth_error *err);
int sdk_run_write(struct firth_host *host, const void *config,
                  const struct airbyte_configured_catalog *catalog, int input, struct firth_error *err);

#endif
