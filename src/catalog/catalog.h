/* A catalog: what moves from where to where, loaded from YAML or JSON files, checked as a whole.
 *
 * catalog_load reads a file and everything that it imports, expands ${NAME}, resolves names, reads config
 * and schema files, compiles every schema, and collects every error with its place before it gives up.
 * What it returns is a model of plain structs: nothing in it needs a further look-up.
 *
 * Strings and slices live as long as the catalog. `config` slices hold secrets: never print or log one. */
#ifndef FIRTH_CATALOG_CATALOG_H
#define FIRTH_CATALOG_CATALOG_H

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "catalog/cron.h"
#include "schema/schema.h"

enum {
    CATALOG_NAME_MAX = 512,          /* bytes of a collection's or task's name */
    CATALOG_FILES_MAX = 4096,        /* files that one catalog may read */
    CATALOG_IMPORT_DEPTH_MAX = 64,   /* a imports b imports c … */
    CATALOG_ERRORS_MAX = 100,        /* errors kept; the rest is counted */
    CATALOG_BINDINGS_MAX = 4096,     /* bindings of one task, streams of one connection */
    CATALOG_KEY_MAX = 64,            /* components of a collection's key */
    CATALOG_CONFIG_MAX = 4 << 20,    /* bytes of one config, expanded */
    CATALOG_EXPANSION_MAX = 1 << 20, /* bytes that one ${NAME} may stand for */
};

/* A place in a file: from 1; 0 means the file as a whole. `file` as a person would name it: as given on
 * the command line, imports relative to that. */
struct catalog_place {
    const char *file;
    uint32_t line, column;
};

/* --- errors ---------------------------------------------------------------------------------------- */

struct catalog_error {
    struct catalog_place place;
    const char *message; /* one line, without the place */
    bool hide_source;    /* the line may hold a secret: show no excerpt */
};

/* Sorted by file (the catalog itself first, then in the order read), line, column. */
struct catalog_errors {
    struct arena arena;
    struct catalog_error *items;
    size_t count;
    size_t omitted;  /* found beyond CATALOG_ERRORS_MAX */
    size_t repeated; /* found again at the same place: what is written once and used twice is wrong once */
};

void catalog_errors_init(struct catalog_errors *errors);
void catalog_errors_done(struct catalog_errors *errors);
/* For checks above this room, of a catalog that loaded: put an error in where its place sorts it. */
void catalog_errors_add(struct catalog_errors *errors, const struct catalog_place *place, bool hide_source,
                        const char *format, ...) __attribute__((format(printf, 4, 5), cold));
/* Those that were omitted too, and each as often as it was found: more than before where something is wrong.
 */
static inline size_t catalog_errors_total(const struct catalog_errors *errors)
{
    return errors->count + errors->omitted + errors->repeated;
}
/* The first of at least one, as "file:line:column: message (and 3 more)". */
void catalog_errors_first(const struct catalog_errors *errors, struct error *err);

/* --- the model ------------------------------------------------------------------------------------- */

enum catalog_endpoint_kind {
    CATALOG_ENDPOINT_CONNECTOR, /* image */
    CATALOG_ENDPOINT_LOCAL,     /* command */
    CATALOG_ENDPOINT_INGEST,    /* captures only: a push capture */
    CATALOG_ENDPOINT_DEKAF,     /* materializations only: Flow's Kafka-shaped reader */
};

enum catalog_protocol { CATALOG_PROTOCOL_AIRBYTE, CATALOG_PROTOCOL_FLOW };

/* Where the keys and elements of a config or a resource are written. */
struct catalog_inner_place {
    const char *pointer;
    struct catalog_place place; /* a member's: of its name */
};
struct catalog_places {
    struct catalog_place whole;
    struct catalog_inner_place *items; /* each before what is inside of it */
    size_t count;
};

/* The place of what a JSON Pointer names, or of the nearest that is there around it. */
const struct catalog_place *catalog_place_of(const struct catalog_places *places, const char *pointer);

struct catalog_endpoint {
    struct catalog_place place;
    enum catalog_endpoint_kind kind;
    const char *image;              /* CONNECTOR, else NULL */
    const char *const *command;     /* LOCAL: NULL-terminated words, else NULL */
    const char *const *env;         /* LOCAL: "NAME=value", NULL-terminated (may hold secrets), else NULL */
    enum catalog_protocol protocol; /* LOCAL; for a connector's image, its kind decides */
    bool protobuf;                  /* LOCAL: the command would speak protobuf if it were not told JSON */
    const char *folder;      /* of the file that names the endpoint, absolute: a local command's relative
                                path is taken from here */
    struct slice config;     /* JSON object text, expanded; "{}" for ingest without options. Secret. No data
                                where it could not be built (catalog_options.check). */
    const char *config_path; /* the file that it came from, NULL if inline */
    struct catalog_places config_places; /* `whole` is that of the endpoint where there is no config */
    struct catalog_place image_place;    /* of the image, or of a local command */
};

enum catalog_compression { CATALOG_COMPRESSION_NONE, CATALOG_COMPRESSION_ZSTD };

/* How a collection's journals are kept: the same meanings as struct store_journal_options, which lies
 * above this room. */
struct catalog_journal {
    enum catalog_compression compression; /* default ZSTD; every codec of Flow's but NONE means ZSTD here */
    uint64_t segment_bytes;               /* 0: the store's default */
    uint64_t retain_bytes;                /* 0: keep all */
    uint64_t retain_ms;                   /* 0: keep all */
};

struct catalog_projection {
    const char *field;
    const char *location; /* JSON pointer */
    bool partition;
};

struct catalog_collection {
    struct catalog_place place;
    const char *name;
    const char *const *key; /* JSON pointers */
    size_t key_count;
    const char *write_schema_uri, *read_schema_uri; /* in catalog->schemas; the same if there is one schema */
    const struct schema *write_schema, *read_schema; /* compiled, owned by the catalog */
    const struct catalog_projection *projections;
    size_t projection_count;
    struct catalog_journal journal;
    bool derived;  /* has `derive`: accepted, not run yet */
    bool inferred; /* its read schema refers to flow://inferred-schema */
};

enum catalog_on_invalid { CATALOG_ON_INVALID_STOP, CATALOG_ON_INVALID_QUARANTINE };

struct catalog_binding {
    struct catalog_place place;
    const char *name; /* for people and progress: the resource's stream, name or table, else "binding 3" */
    struct slice resource; /* JSON object text, expanded */
    struct catalog_places resource_places;
    const struct catalog_collection *target;
    const char *quarantine; /* collection for documents that violate the schema, NULL if on_invalid is STOP.
                               It is not declared and has no schema. */
    bool disable;
    uint32_t backfill;
};

enum { CATALOG_INTERVAL_DEFAULT_MS = 5 * 60 * 1000, CATALOG_INTERVAL_MIN_MS = 1000 };

struct catalog_capture {
    struct catalog_place place;
    const char *name;
    struct catalog_endpoint endpoint;
    const struct catalog_binding *bindings;
    size_t binding_count;
    uint64_t interval_ms; /* from one start to the next, for connectors that exit */
    enum catalog_on_invalid on_invalid;
    bool disable; /* shards.disable */
    bool auto_discover, add_new_bindings, evolve_incompatible_collections;
    enum log_level log_level;
    const char *redact_salt; /* as written: base64; NULL: the task makes one */
};

/* One field of a partition selector, with the values that it takes. */
struct catalog_partition {
    const struct catalog_projection *projection; /* of the source's collection; partition is set */
    const struct slice *values;                  /* JSON scalars */
    size_t value_count;
};

/* Which documents of a collection. */
struct catalog_source {
    struct catalog_place place;
    const struct catalog_collection *collection;
    /* A document must have one of the values of each included field, and none of any excluded one. */
    const struct catalog_partition *include, *exclude;
    size_t include_count, exclude_count;
    /* Committed at or after, before; INT64_MIN and INT64_MAX where there is no bound. */
    int64_t not_before_ms, not_after_ms;
};

enum { CATALOG_FIELDS_ALL = 1000 }; /* deeper than any document */

struct catalog_field_config {
    const char *field;
    struct slice config; /* JSON object text: the connector's own */
};

/* Which fields of a collection a materialization's binding has. */
struct catalog_fields {
    uint32_t
        recommended; /* depth: 0 none but those that are needed, 1 the top level, …, CATALOG_FIELDS_ALL */
    bool has_group_by;
    const char *const *group_by; /* the keys, instead of the collection's */
    size_t group_by_count;
    const struct catalog_field_config *require;
    size_t require_count;
    const char *const *exclude;
    size_t exclude_count;
};

enum catalog_on_incompatible {
    CATALOG_INCOMPATIBLE_BACKFILL,
    CATALOG_INCOMPATIBLE_ABORT,
    CATALOG_INCOMPATIBLE_DISABLE_BINDING,
    CATALOG_INCOMPATIBLE_DISABLE_TASK,
};

struct catalog_materialization_binding {
    struct catalog_place place;
    const char *name; /* for people, as of a capture's binding */
    struct catalog_source source;
    struct slice resource; /* JSON object text, expanded */
    struct catalog_places resource_places;
    /* It is there because the source capture has the collection: `resource` is {"table", "schema"?,
     * "deltaUpdates"?}, to be put where the connector's schema of resources has a place for each
     * (protocol/flow_resource.h). */
    bool from_source;
    struct catalog_fields fields;
    enum catalog_on_incompatible on_incompatible;
    bool disable;
    uint32_t priority; /* the documents of higher ones are read first */
    uint32_t backfill;
};

/* How the names of a capture's collections become a resource's schema and table. */
enum catalog_naming {
    CATALOG_NAMING_NO_SCHEMA,          /* the last part of the name is the table */
    CATALOG_NAMING_WITH_SCHEMA,        /* the part before it the schema */
    CATALOG_NAMING_PREFIX_SCHEMA,      /* the table is schema_table */
    CATALOG_NAMING_PREFIX_NON_DEFAULT, /* … unless the schema is a usual one: public, dbo */
};

struct catalog_materialization {
    struct catalog_place place;
    const char *name;
    struct catalog_endpoint endpoint;
    const struct catalog_materialization_binding *bindings; /* with those of the source capture, behind */
    size_t binding_count;
    const struct catalog_capture *source_capture; /* whose collections are bound, or NULL */
    bool source_delta_updates;
    enum catalog_naming source_naming;
    uint32_t source_recommended; /* as catalog_fields.recommended */
    enum catalog_on_incompatible on_incompatible;
    bool disable;
    enum log_level log_level;
    /* Requests that are sent after commits, JSON, secrets inside: {"intervalMs", "config": [{"url", "method",
     * "headers": {}, "payloadTemplate", "timeoutMs", "maxAttempts"}]}; size 0: none. */
    struct slice triggers;
};

struct catalog_test_step {
    struct catalog_place place;
    bool verify;             /* else ingest */
    const char *description; /* "" if there is none */
    struct catalog_source source;
    struct slice documents; /* a JSON array */
};

struct catalog_test {
    struct catalog_place place;
    const char *name;
    const char *description; /* "" if there is none */
    const struct catalog_test_step *steps;
    size_t step_count;
};

/* DEFAULT: what suits the stream best, once the source has been asked: incremental where it can, and
 * overwrite for full refresh, append_dedup for incremental with a primary key if the destination can,
 * else append. */
enum catalog_sync_mode { CATALOG_SYNC_DEFAULT, CATALOG_SYNC_FULL_REFRESH, CATALOG_SYNC_INCREMENTAL };
enum catalog_destination_sync_mode {
    CATALOG_DESTINATION_DEFAULT,
    CATALOG_DESTINATION_APPEND,
    CATALOG_DESTINATION_OVERWRITE,
    CATALOG_DESTINATION_APPEND_DEDUP,
    CATALOG_DESTINATION_OVERWRITE_DEDUP,
};

/* A path into a record: the names of nested properties, ["address", "city"]. */
struct catalog_path {
    const char *const *names;
    size_t count;
};

/* Where each of a stream's settings is written; the stream's own place for one that is left out. */
struct catalog_stream_places {
    struct catalog_place name, namespace, sync_mode, destination_sync_mode, cursor_field, primary_key;
};

struct catalog_stream {
    struct catalog_place place;
    struct catalog_stream_places places;
    const char *name;
    const char *namespace; /* NULL: none */
    enum catalog_sync_mode sync_mode;
    enum catalog_destination_sync_mode destination_sync_mode;
    struct catalog_path cursor_field;       /* count 0: the source's */
    const struct catalog_path *primary_key; /* count 0: the source's */
    size_t primary_key_count;
};

enum catalog_schedule_kind { CATALOG_SCHEDULE_MANUAL, CATALOG_SCHEDULE_EVERY, CATALOG_SCHEDULE_CRON };

struct catalog_schedule {
    enum catalog_schedule_kind kind;
    uint64_t every_ms; /* EVERY */
    struct cron cron;  /* CRON, in UTC */
    const char *text;  /* CRON: as written */
};

struct catalog_connection {
    struct catalog_place place;
    const char *name;
    struct catalog_endpoint source,
        destination;                      /* CONNECTOR or LOCAL; `protocol` is AIRBYTE by default here */
    bool all_streams;                     /* `streams: all`: whatever the source discovers */
    const struct catalog_stream *streams; /* else these */
    size_t stream_count;
    struct catalog_schedule schedule;
    const char *prefix;    /* put before stream names at the destination, "" if none */
    const char *namespace; /* replaces the streams' namespace at the destination; NULL: kept as it is */
    bool disable;
};

/* A schema document under its URI: what schema_registry_add was given, for a process that compiles anew. */
struct catalog_schema_document {
    const char *uri;
    struct slice source;
};

struct catalog {
    const char *file; /* as given */
    const struct catalog_collection *collections;
    size_t collection_count;
    const struct catalog_capture *captures;
    size_t capture_count;
    const struct catalog_connection *connections;
    size_t connection_count;
    const struct catalog_materialization *materializations;
    size_t materialization_count;
    const struct catalog_test *tests;
    size_t test_count;

    struct schema_registry *schemas;
    const struct catalog_schema_document *schema_documents;
    size_t schema_document_count;
    const char *const *files; /* every file read, the catalog first, absolute */
    size_t file_count;

    struct arena arena;
};

/* --- loading --------------------------------------------------------------------------------------- */

/* Files that a catalog is read from, where that is not the disk. */
struct catalog_files {
    /* The one name of the file that an absolute path leads to, in the arena. */
    const char *(*identity)(void *context, const char *absolute, struct arena *arena);
    /* Append its bytes; ERROR_NOT_FOUND, ERROR_LIMIT past `max`. */
    int (*read)(void *context, const char *identity, size_t max, struct buffer *content, struct error *err);
    void *context;
};

struct catalog_options {
    /* The value of an environment variable, NULL if unset; NULL: getenv. For ${NAME}. */
    const char *(*lookup)(void *context, const char *name);
    void *context;
    const struct catalog_files *files; /* NULL: the disk */
    /* Append the schema that flow://inferred-schema stands for in this collection. NULL: it accepts
     * everything. */
    void (*inferred)(void *context, const char *collection, struct buffer *out);
    void *inferred_context;
    /* Called when all was read, even if there were errors: for checks above this room, which add theirs, so
     * that one load tells everything. What could not be built is zeroed: an endpoint may have no image,
     * command or config, a binding no target, a collection no schema. May be NULL. */
    void (*check)(void *context, const struct catalog *catalog, struct catalog_errors *errors);
    void *check_context;
};

/* Load and check. NULL if anything is wrong: *errors then holds every problem (at least one) and *err the
 * first, as "file:line:column: message (and 3 more)". `options` may be NULL. */
struct catalog *catalog_load(const char *path, const struct catalog_options *options,
                             struct catalog_errors *errors, struct error *err);
void catalog_free(struct catalog *catalog);
MEM_DEFINE_CLEANUP(struct catalog *, catalog_free);

/* By exact name, NULL if there is none. */
const struct catalog_collection *catalog_collection(const struct catalog *catalog, const char *name);
const struct catalog_capture *catalog_capture(const struct catalog *catalog, const char *name);
const struct catalog_connection *catalog_connection(const struct catalog *catalog, const char *name);
const struct catalog_materialization *catalog_materialization(const struct catalog *catalog,
                                                              const char *name);

/* Is it a name that collections and tasks may have: parts of letters, digits, - _ . joined by single /? */
bool catalog_name_valid(struct slice name);

#endif
