/* The connector SDK: write a source or a destination once, in C; the SDK speaks the protocols.
 *
 * A connector is one struct firth_connector_class. Its option table yields the JSON Schema of `spec`, the
 * parser of its config with errors for people, and its documentation. firth_connector_main() does the rest:
 *
 *     CONNECTOR spec
 *     CONNECTOR check    --config FILE
 *     CONNECTOR discover --config FILE
 *     CONNECTOR read     --config FILE --catalog FILE [--state FILE]
 *     CONNECTOR write    --config FILE --catalog FILE < messages
 *     CONNECTOR < requests
 *
 * The first are Airbyte's verbs: such a program runs under Firth, Airbyte, PyAirbyte or a shell pipe. Without
 * a verb it speaks Estuary Flow's capture or materialize protocol (JSON): a source streams and is told what
 * is durable, a destination loads and stores by key and commits with the runtime's checkpoint. Nothing below
 * belongs to one of the two alone unless it says so: fields are named by JSON Pointer, a source reads to a
 * state, a destination commits.
 *
 * Conventions: functions that can fail return 0, or -1 with *err filled by firth_fail. All strings are UTF-8
 * and NUL-terminated; a slice is not. What the SDK hands to a connector lives until the call returns, except
 * config and selection or targets, which live until close. All calls come from one thread, and the
 * connector calls the host from that thread only. */
#ifndef FIRTH_CONNECTOR_H
#define FIRTH_CONNECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FIRTH_PRINTF(at, first) __attribute__((format(printf, at, first)))

struct firth_slice {
    const char *data;
    size_t size;
};

/* --- errors --------------------------------------------------------------------------------------- */

enum firth_failure {
    FIRTH_FAILURE_SYSTEM,    /* a bug or a broken machine */
    FIRTH_FAILURE_CONFIG,    /* the user must change something: config, catalog, permissions */
    FIRTH_FAILURE_TRANSIENT, /* may go away by itself: network, rate limits */
};

struct firth_error {
    enum firth_failure failure;
    char message[4096]; /* for people: what failed, the value, what would be right; no secrets */
};

/* Fill *err; always returns -1, so that `return firth_fail(…)` reads well. */
int firth_fail(struct firth_error *err, enum firth_failure failure, const char *format, ...)
    FIRTH_PRINTF(3, 4);
#ifdef __clang_analyzer__ /* which does not look into the library, and would think that it may give 0 */
#define firth_fail(...) (firth_fail(__VA_ARGS__), -1)
#endif

/* --- options: what a connector can be told ---------------------------------------------------------- */

enum firth_option_type {
    FIRTH_STRING,  /* const char *, NULL if absent and without default */
    FIRTH_SECRET,  /* the same; never shown, logged or returned by anything */
    FIRTH_INTEGER, /* int64_t */
    FIRTH_NUMBER,  /* double */
    FIRTH_BOOLEAN, /* bool */
    FIRTH_ENUM,    /* int: position in `values`; -1 if absent and without default */
    FIRTH_STRINGS, /* struct firth_strings: an array of strings */
    FIRTH_JSON,    /* struct firth_slice: any object, as it was written */
    FIRTH_OBJECT, /* nothing at `offset`; `fields` is the table of its members, into the same config struct */
    FIRTH_CHOICE, /* int: position in `choices`; -1 if absent. A JSON object, told apart by `tag` */
    FIRTH_OBJECTS, /* struct firth_objects: an array of objects; `fields` is the table of each one's members
                    */
};

struct firth_objects {
    void *items; /* `item_size` bytes each: zeroed, then filled from `fields`, whose offsets are theirs */
    size_t count;
};

struct firth_strings {
    const char *const *items; /* NULL-terminated as well */
    size_t count;
};

struct firth_option;

/* One of several shapes of an object: {"<tag>": "<value>", …fields}. */
struct firth_choice {
    const char *value; /* what the tag says; NULL ends the table */
    const char *title;
    const char *help;
    const struct firth_option *fields; /* ends with a NULL name; may be NULL */
};

/* Members of a config that no table names are tolerated, as Airbyte's platform demands. */
struct firth_option {
    const char *name; /* NULL ends the table */
    enum firth_option_type type;
    int order;     /* in forms; 0: by position */
    size_t offset; /* offsetof(struct my_config, field) */
    bool required;
    bool multiline;                    /* forms: a text of several lines */
    const char *preset;                /* the default as text ("1000", "true", an enum's value), NULL: none */
    const char *minimum;               /* INTEGER, NUMBER: as text, inclusive, NULL: none */
    const char *maximum;               /* INTEGER, NUMBER: as text, inclusive, NULL: none */
    const char *const *values;         /* ENUM: NULL-terminated */
    const char *tag;                   /* CHOICE: the name of the telling member */
    const struct firth_option *fields; /* OBJECT, OBJECTS */
    size_t item_size;                  /* OBJECTS */
    const struct firth_choice *choices; /* CHOICE */
    const char *title;
    const char *help;
    const char *example;      /* as text, like preset */
    const char *pattern;      /* STRING: a regular expression, for forms; check() enforces what matters */
    const char *pattern_help; /* what the pattern wants, in words that go on after "expected": "a date as
                                 2024-01-31" */
};

/* --- what the SDK does for a connector ---------------------------------------------------------------- */

/* The connector's way out: records, states, logs. Opaque, one per process. */
struct firth_host;

enum firth_log_level { FIRTH_DEBUG, FIRTH_INFO, FIRTH_WARN, FIRTH_ERROR };

void firth_log(struct firth_host *host, enum firth_log_level level, const char *format, ...)
    FIRTH_PRINTF(3, 4);

/* What the other side calls the task that we do: "acmeCo/orders". "" where the protocol has no name for it.
 */
const char *firth_task(const struct firth_host *host);

/* Is the other side Flow's protocol? For a connector whose replaced Airbyte and Estuary connectors say the
 * same thing in different words. */
bool firth_speaks_flow(const struct firth_host *host);

/* Were we asked to stop (SIGTERM, SIGINT)? A connector that waits for something looks here when it is
 * interrupted (EINTR) and at least once a second; then it returns -1 and needs no error. */
bool firth_stopping(const struct firth_host *host);

/* In discover: is it called for a catalog that names its streams already, not for people to choose from? Then
 * what can be read is offered also where it would not be proposed. */
bool firth_opening(const struct firth_host *host);

/* The class's `family`. */
const void *firth_family(const struct firth_host *host);

/* The value of one of the class's own flags (struct firth_own_config), or NULL: it was not given. */
const char *firth_flag(const struct firth_host *host, const char *name);

/* The `context` of the class's struct firth_own_config; NULL where it has none. */
const void *firth_context(const struct firth_host *host);

/* --- JSON that a connector is given: states, FIRTH_JSON options --------------------------------------- */

enum firth_type {
    FIRTH_IS_ABSENT,
    FIRTH_IS_NULL,
    FIRTH_IS_BOOLEAN,
    FIRTH_IS_NUMBER,
    FIRTH_IS_TEXT,
    FIRTH_IS_ARRAY,
    FIRTH_IS_OBJECT
};

/* A value by JSON Pointer ("" is all of it, "/a/0"). *ret_value: the text (unescaped) of a string, else the
 * JSON as it was written; it lives until the next call of this function. Absent too if `json` is no JSON. */
enum firth_type firth_json_get(struct firth_host *host, struct firth_slice json, const char *pointer,
                               struct firth_slice *ret_value);
/* The same for a number without a fraction that fits; false if there is none. */
bool firth_json_integer(struct firth_host *host, struct firth_slice json, const char *pointer,
                        int64_t *ret_value);

/* --- sources ------------------------------------------------------------------------------------------- */

enum { FIRTH_FULL_REFRESH = 1, FIRTH_INCREMENTAL = 2 };

/* A stream that can be read, as discover finds it. */
struct firth_stream {
    const char *name;
    const char *name_space;         /* NULL: none */
    const char *json_schema;        /* text of a JSON Schema object */
    const char *const *primary_key; /* JSON Pointers, NULL-terminated; NULL: none */
    const char *cursor;  /* JSON Pointer ("/updated_at") of the cursor that the source uses, or NULL */
    unsigned sync_modes; /* FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL */
    bool cursor_is_free; /* the user may choose another cursor; `cursor` is only the default */
    bool resumable;      /* an interrupted full refresh can go on from a state */
    /* A read after a full one is another: it is given the state in either sync mode, also one that says that
     * the stream had no cursor ({"__ab_no_cursor_state_message": …}), which otherwise counts as none. */
    bool knows_full_state;
};

/* The list that discover fills. Everything is copied. */
struct firth_catalog;
int firth_catalog_add(struct firth_catalog *catalog, const struct firth_stream *stream,
                      struct firth_error *err);

/* A stream that the user chose. */
struct firth_selected {
    const char *name;
    const char *name_space; /* NULL: none */
    unsigned sync_mode;     /* FIRTH_FULL_REFRESH or FIRTH_INCREMENTAL; always one that discover offers */
    const char *cursor;     /* JSON Pointer, or NULL */
    const char *const *primary_key; /* JSON Pointers, NULL-terminated, never NULL */
    struct firth_slice json_schema;
    struct firth_slice state; /* what firth_emit_state wrote last for it, JSON; size 0: from the start */
    struct firth_slice
        resource; /* what the catalog says of the stream, JSON; size 0: the protocol has none */
};

struct firth_selection {
    const struct firth_selected *streams; /* never two of the same name and namespace */
    size_t count;
    struct firth_slice shared_state; /* of firth_emit_global_state; size 0: none */
    bool live; /* go on for ever, as changes happen; otherwise end when all that is there now is read */
};

struct firth_source {
    /* Can it work with this config? Optional: the options' own checks have passed before. */
    int (*check)(struct firth_host *host, const void *config, struct firth_error *err);
    int (*discover)(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                    struct firth_error *err);
    /* The stream of this name, which a catalog asks for: firth_catalog_add it if there can be such a one,
     * with a schema that may say less than discover's; otherwise add nothing. Optional: for streams that
     * discover does not list, or lists at a cost. discover is not called for those that are found so. */
    int (*find)(struct firth_host *host, const void *config, const char *name, const char *name_space,
                struct firth_catalog *catalog, struct firth_error *err);
    /* *ret_self is passed to the calls below; close is called if and only if open succeeded. */
    int (*open)(struct firth_host *host, const void *config, const struct firth_selection *selection,
                void **ret_self, struct firth_error *err);
    /* Emit records up to and including the next state. 1: there is more; 0: the end; -1: *err is set, or
     * an emit function failed. With selection.live a source that can wait for changes never ends, but returns
     * 1 at least once a second, records or not; one that cannot reads what there is and ends: it will be
     * started again. A state covers its own stream; where streams take turns, let no stream wait long for its
     * state: what is durable at the other end (in Flow's protocol) is what a state of every stream covers. */
    int (*read)(void *self, struct firth_host *host, struct firth_error *err);
    /* The records up to and including the `states`th state of this session are durable at the other end.
     * Optional; only where the protocol tells (Flow's does, Airbyte's does not). Then the program does not
     * end before all is acknowledged or nobody is there any more. */
    int (*acknowledged)(void *self, struct firth_host *host, uint64_t states, struct firth_error *err);
    void (*close)(void *self);
    /* Members that the resource of a binding may have beside the SDK's own: the inside of a JSON Schema's
     * `properties`, each "name":{…}, joined by commas. Optional. */
    const char *resource_properties;
    /* What the member of a binding's resource that names the stream is called in Estuary's connector of that
     * name; NULL: "stream". Catalogs may say `stream` all the same. */
    const char *resource_name;
};

/* `stream` is always the position in selection.streams. Each returns 0, or -1: the reader went away or we
 * were asked to stop; read then returns -1 at once. STARTED, RUNNING and COMPLETE, record counts and times
 * are the SDK's business, and so is a last state for a stream that has emitted none. */

/* One record: a valid JSON object, which is not checked again (line breaks between its tokens become blanks).
 */
int firth_emit_record(struct firth_host *host, size_t stream, struct firth_slice data);
/* One of whose values some were left out or cut: `changes` is a JSON array of {"field", "change", "reason"},
 * as Airbyte's protocol has it in a record's meta. Flow's has no such thing; there the record goes alone. */
int firth_emit_changed_record(struct firth_host *host, size_t stream, struct firth_slice data,
                              struct firth_slice changes);
/* The state from which reading can go on after every record emitted so far for this stream: JSON. */
int firth_emit_state(struct firth_host *host, size_t stream, struct firth_slice state);
/* The same for all streams at once; stream_states has selection.count elements, size 0: none. */
int firth_emit_global_state(struct firth_host *host, struct firth_slice shared_state,
                            const struct firth_slice *stream_states);
/* The stream's records look like this from now on: a JSON Schema object. Until then they look as discover
 * said. Only Flow's protocol has a word for it; under Airbyte's the next discover tells. */
int firth_emit_schema(struct firth_host *host, size_t stream, struct firth_slice json_schema);
/* How much the whole stream will be: for progress bars. Negative: unknown. */
int firth_emit_estimate(struct firth_host *host, size_t stream, int64_t records, int64_t bytes);
/* Everything of this stream has been read (otherwise the end of all counts). */
int firth_emit_complete(struct firth_host *host, size_t stream);
/* This stream cannot be read on, while others can. The read has to fail once they are through. */
int firth_emit_incomplete(struct firth_host *host, size_t stream);
/* The config is this from now on (a refresh token was exchanged): a JSON object. In any call. Flow's
 * protocol has no word for it: a source says it in Firth's own (flow.h) where that is asked for, else a
 * warning is logged. */
int firth_emit_config(struct firth_host *host, struct firth_slice config);

/* A record member by member, written straight to the output:
 * firth_record_begin, firth_put_…, firth_record_end. */
void firth_record_begin(struct firth_host *host, size_t stream);
void firth_put_null(struct firth_host *host, const char *name);
void firth_put_boolean(struct firth_host *host, const char *name, bool value);
void firth_put_integer(struct firth_host *host, const char *name, int64_t value);
void firth_put_number(struct firth_host *host, const char *name, double value);
void firth_put_text(struct firth_host *host, const char *name, struct firth_slice text);
void firth_put_json(struct firth_host *host, const char *name, struct firth_slice json);
int firth_record_end(struct firth_host *host);

/* --- destinations -----------------------------------------------------------------------------------------
 */

enum { FIRTH_APPEND = 1, FIRTH_OVERWRITE = 2, FIRTH_APPEND_DEDUP = 4, FIRTH_OVERWRITE_DEDUP = 8 };

/* What values a field may have: an or of these. */
enum {
    FIRTH_MAY_BE_NULL = 1,
    FIRTH_MAY_BE_BOOLEAN = 2,
    FIRTH_MAY_BE_INTEGER = 4, /* of any size */
    FIRTH_MAY_BE_NUMBER = 8,
    FIRTH_MAY_BE_TEXT = 16,
    FIRTH_MAY_BE_ARRAY = 32,
    FIRTH_MAY_BE_OBJECT = 64,
    FIRTH_MAY_BE_ANYTHING = 127,
};

/* A column, as the schema has it. Under Airbyte: the properties of the schema's first level, in its order.
 * Under Flow: the key's fields, then the others that were selected, then the document. A NUL in a name is "␀"
 * here, and so it is in pointers. */
struct firth_field {
    const char *name;
    const char *pointer;       /* JSON Pointer; "": the whole document */
    unsigned types;            /* FIRTH_MAY_BE_… */
    const char *format;        /* of texts: "date-time", "integer", …; NULL: none */
    const char *encoding;      /* of texts: "base64"; NULL: none */
    bool is_key, is_document;  /* is_document: it has to be kept as it is, for load to give back */
    bool always;               /* every document has it */
    struct firth_slice config; /* what the catalog says of the field for this connector, JSON; size 0: nothing
                                */
    struct firth_slice member; /* private */
};

/* A stream to be written. FIRTH_APPEND: rows are only ever added. FIRTH_APPEND_DEDUP: one row a key; what is
 * stored replaces the row of its key. */
struct firth_target {
    const char *name;
    const char *name_space; /* NULL: none */
    unsigned sync_mode;     /* one of FIRTH_APPEND, …: also one that the class does not list, see there */
    const char *cursor;     /* JSON Pointer, or NULL */
    const char *const *primary_key; /* JSON Pointers, NULL-terminated, never NULL */
    struct firth_slice json_schema;
    const struct firth_field *fields;
    size_t field_count;
    struct firth_slice
        resource; /* what the catalog says of this target, JSON; size 0: the protocol has none */
    bool live;    /* it has no end: what is committed is to be seen at once, and finish is never called */
    bool anew;    /* only for apply: what is there of this target is to go now */
    /* Rows of generations below minimum_generation are to go once this stream is complete. -1: the other
     * side knows no generations; then OVERWRITE alone says that old rows go. */
    int64_t generation, minimum_generation, sync;
    /* Set by open: what commit made durable is lost nevertheless if this stream does not complete (it is
     * staged, to be swapped in whole), so no state may be confirmed before finish. */
    bool states_at_end;
};

/* What becomes of the row of a record's key. */
enum firth_operation {
    FIRTH_UPSERT, /* nobody knows whether there is one: insert or update (FIRTH_APPEND: insert) */
    FIRTH_INSERT, /* there is none */
    FIRTH_UPDATE, /* there is one */
    FIRTH_DELETE, /* there is one; it is to go */
};

struct firth_record {
    struct firth_slice data; /* the JSON object, byte for byte as it came; size 0: it did not come (Flow, with
                                FIRTH_APPEND, if the document was not selected) */
    int64_t emitted_at;      /* milliseconds since 1970 */
    enum firth_operation operation;
    struct firth_slice changes; /* values that the source itself has left out or cut: a JSON array of
                                   {"field", "change", "reason"}; size 0: none (Flow has no such thing) */
    const void *document;       /* private */
    uint32_t node;              /* private */
    const void *row;            /* private */
};

/* A value of the record by JSON Pointer. *ret_value: the text (unescaped) of a string, else the JSON as it
 * was written; it lives until the next call of load or store. */
enum firth_type firth_record_get(struct firth_host *host, const struct firth_record *record,
                                 const char *pointer, struct firth_slice *ret_value);

/* The same of the target's field at this position: also where the document itself did not come. */
enum firth_type firth_record_field(struct firth_host *host, const struct firth_record *record, size_t field,
                                   struct firth_slice *ret_value);
/* The record's key as bytes that are equal for equal keys (1 and 1.0 are) and sort as keys do; they live
 * until the next call of this function. */
int firth_record_key(struct firth_host *host, const struct firth_record *record, struct firth_slice *ret_key,
                     struct firth_error *err);
/* The document that load was asked for. */
int firth_emit_loaded(struct firth_host *host, size_t target, struct firth_slice document);
/* In apply: what was done, for people ("created table orders"). */
void firth_did(struct firth_host *host, const char *format, ...) FIRTH_PRINTF(2, 3);

/* What a destination makes of a field that it might take. */
enum firth_constraint_type {
    FIRTH_FORBIDDEN,         /* it cannot take it */
    FIRTH_OPTIONAL,          /* it takes it if asked to */
    FIRTH_RECOMMENDED,       /* it would rather have it */
    FIRTH_LOCATION_REQUIRED, /* it must have a field of this pointer */
    FIRTH_FIELD_REQUIRED,    /* it must have this very field */
    FIRTH_INCOMPATIBLE,      /* what is there has another type; a backfill would mend it */
};
struct firth_constraint {
    enum firth_constraint_type type;
    char reason[256]; /* for people */
};

struct firth_commit {
    struct firth_slice checkpoint; /* to be kept in the same transaction as the rows; size 0: none is asked */
};

/* When a commit is due: so long after the first state that waits for one, or when so many bytes of records
 * do. */
struct firth_pace {
    int64_t interval_ms;
    uint64_t bytes;
};

/* A session: open; then transactions of load and flush (only with Flow, and only of FIRTH_APPEND_DEDUP),
 * store, commit; then finish and close. All but open, store, commit and close may be NULL. Minimal is what
 * only appends; with load it is also what keeps one row a key; with checkpoint it is exactly once. */
struct firth_destination {
    unsigned sync_modes;  /* what spec lists; a catalog that asks for more reaches open all the same */
    bool whole_documents; /* it stores documents as they are: no field of them is asked for */
    bool folds_case;      /* names that differ in case alone are one field to it */
    /* How often it is to commit, where the protocol leaves that to the SDK (Airbyte's; in Flow's the runtime
     * says). Optional: otherwise at the latest after a second or 32 MB, and as soon as the input pauses; a
     * class that has this is not asked at a pause. For those whose commits leave something behind that there
     * should be few of. */
    void (*pace)(const void *config, struct firth_pace *ret_pace);
    int (*check)(struct firth_host *host, const void *config, struct firth_error *err);
    /* Could it take this target? `fields` are all that the collection has, and constraints[i] is what the SDK
     * proposes for the i-th: keys and, but for FIRTH_APPEND, the document are required, single scalars of the
     * first level recommended, the others optional. It may change these, and sync_mode from
     * FIRTH_APPEND_DEDUP to FIRTH_APPEND (which is what is proposed without load). */
    int (*validate)(struct firth_host *host, const void *config, struct firth_target *target,
                    struct firth_constraint *constraints, struct firth_error *err);
    /* Make the endpoint ready: tables, columns. It is called before every open under Airbyte, under Flow
     * whenever the specification has changed; what is as it should be is left alone. */
    int (*apply)(struct firth_host *host, const void *config, const struct firth_target *targets,
                 size_t count, struct firth_error *err);
    int (*open)(struct firth_host *host, const void *config, struct firth_target *targets, size_t count,
                void **ret_self, struct firth_error *err);
    /* Called once, after open, by a protocol that has checkpoints: the one that the last commit of this task
     * (firth_task) kept; size 0: none yet. From now on a commit of an older session of the task fails. A
     * class that has this keeps `checkpoint` in each commit: the other side goes on from there, and forgets
     * its own. Without it, delivery is at least once. Lives until close. */
    int (*checkpoint)(void *self, struct firth_host *host, struct firth_slice *ret_checkpoint,
                      struct firth_error *err);
    /* Find the document of this key (fields of `key` beyond those of the key are absent) and
     * firth_emit_loaded it if there is one: now, or at the latest in flush. Each key once a transaction. */
    int (*load)(void *self, struct firth_host *host, size_t target, const struct firth_record *key,
                struct firth_error *err);
    int (*flush)(void *self, struct firth_host *host, struct firth_error *err);
    int (*store)(void *self, struct firth_host *host, size_t stream, const struct firth_record *record,
                 struct firth_error *err);
    /* Everything stored is durable when this returns, come what may (but see states_at_end). */
    int (*commit)(void *self, struct firth_host *host, const struct firth_commit *commit,
                  struct firth_error *err);
    /* The other side has committed as well, all that was committed here. Called before the first transaction
     * too, for it may not have been heard the last time. */
    int (*acknowledged)(void *self, struct firth_host *host, struct firth_error *err);
    /* Nothing has come for a second, whatever the phase; called once, until something does. What keeps others
     * out may be let go. Only with Flow, whose sessions have no end. */
    void (*idle)(void *self, struct firth_host *host);
    /* Called once per stream at the end, after a commit. complete: the source has read it to its end, so
     * staged data replaces the old; otherwise the old data stays. Not called after a failure. */
    int (*finish)(void *self, struct firth_host *host, size_t stream, bool complete, struct firth_error *err);
    /* Always called if open succeeded, after failures too. */
    void (*close)(void *self);
};

/* --- the class
 * ----------------------------------------------------------------------------------------------- */

/* --- a source that learns at run time what it can be told -----------------------------------------------
 */

/* What `spec` says, in place of what the SDK makes of an option table. */
struct firth_spec_parts {
    struct firth_slice connection_specification; /* a JSON Schema: an object */
    struct firth_slice advanced_auth;            /* JSON, as Airbyte's protocol has it; size 0: none */
    const char *documentation_url;               /* NULL: the class's */
};
struct firth_spec;
/* Everything is copied. */
void firth_spec_tell(struct firth_spec *spec, const struct firth_spec_parts *parts);

/* In place of `options`: the class reads its config itself. */
struct firth_own_config {
    /* Flags of its command line beside the SDK's own, "--manifest-path", each with a value; ends with NULL.
     * At most FIRTH_FLAGS_MAX. */
    const char *const *flags;
    int (*spec)(struct firth_host *host, struct firth_spec *spec, struct firth_error *err);
    /* The config as it was written. *ret_config is the `config` of all calls of the class. */
    int (*open)(struct firth_host *host, struct firth_slice json, void **ret_config, struct firth_error *err);
    /* After everything that was done with it. */
    void (*close)(void *config);
    /* In Flow's protocol `spec` says what Estuary's connector of that name takes; `open` takes either. */
    bool two_spellings;
    const void *context; /* for firth_context: what tells classes with the same functions apart */
};
enum { FIRTH_FLAGS_MAX = 8 };

struct firth_connector_class {
    const char *name; /* "source-clock", "destination-files" */
    const char *version;
    const char *title;
    const char *summary; /* one line */
    const char *documentation_url;
    const char *const
        *image_names;   /* repositories that it stands for ("airbyte/source-faker"); may be NULL */
    size_t config_size; /* sizeof(struct my_config): zeroed, then filled from `options` */
    const struct firth_option *options; /* ends with a NULL name */
    /* The same config as Estuary's connector of that name spells it: what `spec` says in Flow's protocol.
     * Either protocol takes either spelling; the one whose required options are there. NULL: `options` is
     * all. */
    const struct firth_option *flow_options;
    /* A spelling of former times: taken where its required options are there and those of `options` are not,
     * and never told. Its options need no titles. May be NULL. */
    const struct firth_option *old_options;
    const struct firth_own_config *own; /* a source's, in place of both tables and config_size; else NULL */
    /* For connectors that share their functions: what they differ in, as those functions have agreed on. */
    const void *family;
    struct firth_source source; /* exactly one of the two is filled */
    struct firth_destination destination;
};

/* The whole program: returns the exit status. 0: done (a check: whatever its answer); 1: failed, and
 * said why in a TRACE message; 2: the command line is wrong; 3: failed by FIRTH_FAILURE_CONFIG, or a file
 * that was named is not there. After SIGTERM or SIGINT it ends by that signal. */
int firth_connector_main(const struct firth_connector_class *class_, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
