/* What a task process is told when it starts: one JSON document on the descriptor named by
 * `firth task --spec-fd`. It is complete: the task reads no catalog and no control database. README.md
 * beside this file shows it.
 *
 * It holds secrets (configs): it goes by a pipe, never by an argument or a file, and is never logged.
 * Strings and slices of a specification that was read live in the arena it was read into. */
#ifndef FIRTH_TASK_TASK_SPEC_H
#define FIRTH_TASK_TASK_SPEC_H

#include "catalog/catalog.h"
#include "connector/connector.h"
#include "store/store.h"
#include "task/event.h"

enum {
    TASK_SPEC_MAX = 256 << 20, /* bytes of one specification: mostly schemas */
    TASK_SPEC_VERSION = 1,     /* of the format; a task refuses another, for it runs the same binary */
    TASK_BINDINGS_MAX = 10000, /* bindings of a capture, streams of a connection */
    TASK_CONFIG_MAX = 1 << 20, /* bytes of a config that a connector changes itself */
};

struct task_endpoint {
    struct connector_program program;
    struct slice config; /* a JSON object */
    bool image;          /* the catalog names an image, and no command */
};

/* A binding of a capture: a stream into a collection; or a stream of a connection. */
struct task_binding_spec {
    struct catalog_stream stream; /* which, and how to read it; destination_sync_mode: connections only */

    /* Connections of the API. */
    bool start_over;                   /* a new generation from its first record on, without its state */
    bool replace;                      /* with `start_over`: what earlier generations wrote goes */
    const char *alias;                 /* its name at the destination, before the prefix; NULL: its own */
    bool selects;                      /* these fields alone are taken */
    const struct catalog_path *fields; /* with all that is in them */
    size_t field_count;
    struct slice mapping; /* what has `mappers` and `hashedFields` (protocol/airbyte_mapper.h), or size 0 */

    /* Captures. */
    const char *collection;
    const char *const *key; /* of the collection: JSON pointers, NULL-terminated */
    const char *schema_uri; /* the write schema, in task_spec.schemas */
    struct store_journal_options journal;
    const char *quarantine; /* collection for invalid documents; NULL: an invalid one stops the task */
    uint32_t backfill;      /* changed: the stream starts over */
    bool inferred;          /* the read schema says flow://inferred-schema; of materializations as well */

    /* Captures of a connector that speaks Flow's protocol; `stream` has a name for people only. */
    struct slice resource;        /* the resource's config, a JSON object */
    struct slice flow_collection; /* a CollectionSpec in JSON (task/flow_collection.h) */

    /* Materializations, which have collection, key, schema_uri (the read schema), backfill, resource and
     * flow_collection as well. */
    struct slice materialize; /* task/source_spec.h */
};

/* When a transaction is due (task/policy.h). */
struct task_commit_policy {
    uint64_t bytes;   /* so much waits to be committed */
    uint64_t time_ms; /* something has waited for so long */
    uint64_t idle_ms; /* something waits, and the source has been silent for so long */
};
#define TASK_COMMIT_POLICY_DEFAULT \
    ((struct task_commit_policy){.bytes = 16 << 20, .time_ms = 1000, .idle_ms = 100})

struct task_spec {
    enum task_kind kind;
    const char *name;
    const char *data_dir;
    struct task_endpoint source;
    struct task_endpoint destination; /* connections */

    const struct task_binding_spec *bindings;
    size_t binding_count;
    bool all_streams;      /* a connection of whatever the source discovers: no bindings */
    const char *prefix;    /* connections: put before stream names at the destination, "" if none */
    const char *namespace; /* connections: replaces the streams' at the destination, with ${SOURCE_NAMESPACE}
                              in it for theirs; "": the destination's own; NULL: kept */
    /* Connections of the API. */
    uint64_t sync_id;     /* of the job: its attempts share it, and a new one begins anew; 0: counted here */
    struct slice catalog; /* what the source offers, {"streams":[…]}: it is not asked; size 0: it is */
    bool clear;           /* nothing is read: its streams are emptied at the destination, their state goes */
    bool discover;        /* nothing is moved: the source is asked what it offers (TASK_EVENT_CATALOG) */

    const struct catalog_schema_document *schemas; /* everything the schema URIs refer to */
    size_t schema_count;

    struct task_commit_policy commit;
    struct connector_limits limits;
    enum log_level log_level; /* of the task, and told to connectors of Flow's */
    const char *redact_salt;  /* base64; NULL: one is made */
    bool once; /* materializations: end with what is committed at the beginning; captures: one that does not
                * end is told of */
    bool push; /* captures: nothing is read, documents are pushed to it (src/ingest) */
    struct slice triggers; /* materializations: as catalog_materialization.triggers; size 0: none */
    uint64_t interval_ms;  /* from one session's start to the next; 0: none */
};

/* Append the JSON document. */
void task_spec_write(struct buffer *out, const struct task_spec *spec);
/* Read it. ERROR_INVALID names the field; ERROR_UNSUPPORTED for another version. */
int task_spec_read(struct slice json, struct arena *arena, struct task_spec *ret_spec, struct error *err);

#endif
