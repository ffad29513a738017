/* Private to src/catalog: what the loader's files share. A load has four steps: read the catalog and its
 * imports and list what they define (files.c); build collections (collections.c, schemas.c); build what
 * refers to them (captures.c, connections.c, later.c); hand over the model or the problems (catalog.c). */
#ifndef FIRTH_CATALOG_LOADER_H
#define FIRTH_CATALOG_LOADER_H

#include "base/map.h"
#include "catalog/catalog.h"
#include "yaml/yaml.h"

/* A file that was read, once, however many name it. */
struct source {
    struct yaml_document doc;
    const char *display;  /* for people */
    const char *absolute; /* its identity */
    const char *folder;   /* absolute */
    const char *uri;      /* file:///… */
    uint32_t order;       /* of reading: problems are sorted by it */
    bool readable;        /* `doc` is there */
    bool secret;          /* a config: show none of its lines */
    bool schema_added;    /* in the registry under `uri` */
    enum { SOURCE_NEW, SOURCE_IMPORTING, SOURCE_IMPORTED } state;
};

/* A value in a file. at == JSON_NONE: there is none (its key is missing or was wrong). */
struct value {
    const struct source *source;
    uint32_t at;
};
static inline bool value_there(struct value value)
{
    return value.at != JSON_NONE;
}

enum section {
    SECTION_COLLECTIONS,
    SECTION_CAPTURES,
    SECTION_MATERIALIZATIONS,
    SECTION_TESTS,
    SECTION_CONNECTIONS,
    SECTION_COUNT
};

/* One named thing that some file defines. */
struct entry {
    enum section section;
    const char *name;    /* expanded */
    const char *written; /* as in the file: this is what messages show */
    struct value key, value;
    const struct catalog_place *place;     /* of the key */
    struct catalog_collection *collection; /* SECTION_COLLECTIONS, once built */
};

struct entries {
    struct entry **items;
    size_t count, capacity;
    struct map by_name;
};

struct problem {
    struct catalog_error error;
    uint32_t order;
};

struct loader {
    struct catalog *catalog;
    struct arena *arena; /* the catalog's: everything that stays */
    struct arena scratch;
    const struct catalog_options *options;
    struct catalog_errors *errors;
    struct problem *problems;
    size_t problem_count, problem_capacity;
    struct map problem_seen;

    struct source **sources;
    size_t source_count, source_capacity;
    struct map by_path; /* absolute path to struct source */
    struct source *importing[CATALOG_IMPORT_DEPTH_MAX];
    size_t import_depth;

    struct entries sections[SECTION_COUNT];
    bool incomplete; /* a file with more of them could not be read: what is not found may be in it */
    struct catalog_schema_document *schema_documents;
    size_t schema_document_count, schema_document_capacity;
    struct map schema_places; /* URI to struct value: where that schema is written */
    bool hides;               /* what is read now may hold secrets: show none of its lines */
    bool flow_references;     /* flow://inferred-schema and the like are registered */
    bool inferred;            /* the schema that was added last refers to flow://inferred-schema */
};

/* --- problems.c ------------------------------------------------------------------------------------ */

void loader_problem(struct loader *loader, struct value value, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/* At a line and column of a file; source NULL: the catalog as a whole. */
void loader_problem_at(struct loader *loader, const struct source *source, struct yaml_position at,
                       const char *format, ...) __attribute__((format(printf, 4, 5), cold));
struct catalog_place loader_place(struct value value);
/* Move the problems, sorted, to loader->errors. */
void loader_hand_over_problems(struct loader *loader);
/* ", did you mean 'x'?" or "": for the end of a message. Scratch. */
const char *loader_suggest(struct loader *loader, const char *name, const char *const *candidates,
                           size_t count);

/* --- files.c --------------------------------------------------------------------------------------- */

/* The file at a path as written in `from` (relative to its folder), read on first use. NULL, with problems
 * told at `from`, if it cannot be read. */
struct source *loader_open(struct loader *loader, struct value from, const char *path, bool secret);
/* By absolute path; `display` for people. A problem is told only inside of the file (a mistake in it): *err
 * says why it cannot be read, for the place that names it. */
struct source *loader_open_absolute(struct loader *loader, const char *absolute, const char *display,
                                    bool secret, struct error *err);
/* A file that was read already, by any path to it; NULL if it was not. */
struct source *loader_find(struct loader *loader, const char *path);
/* Read the catalog and all imports; list their entries. */
void loader_read_catalog(struct loader *loader, const char *path);
struct entry *loader_entry(struct loader *loader, enum section section, const char *name);

/* --- values.c -------------------------------------------------------------------------------------- */

enum {
    TYPE_NULL = 1 << 0,
    TYPE_BOOL = 1 << 1,
    TYPE_INTEGER = 1 << 2,
    TYPE_NUMBER = 1 << 3, /* any, integers too */
    TYPE_STRING = 1 << 4,
    TYPE_LIST = 1 << 5,
    TYPE_MAPPING = 1 << 6,
    TYPE_ANY = 0x7f,
    TYPE_DURATION = 1 << 7 | TYPE_STRING,
};

struct key_rule {
    const char *name;
    unsigned types;
    bool required;
};

/* Check a mapping against its rules: every key known, each value of an allowed type, none missing. Fills
 * values[i] for rules[i] (JSON_NONE where there is none, or a wrong one). False, with a problem told, only if
 * it is no mapping at all. `what` is "a capture". */
bool value_members(struct loader *loader, struct value mapping, const char *what,
                   const struct key_rule *rules, size_t count, struct value *values);
/* Is it one of these types? Tells the problem otherwise; `what` begins the sentence: "'bindings'". */
bool value_is(struct loader *loader, struct value value, unsigned types, const char *what);

/* The raw text as written, cut for a message, in scratch; "" for what is no string. */
const char *value_written(struct loader *loader, struct value value);
/* A string with ${NAME} expanded, in the arena; NULL with a problem told (also for a NUL inside). */
const char *value_string(struct loader *loader, struct value value);
bool value_true(struct value value); /* false if there is none */
/* A whole number from min to max; false with a problem told. */
bool value_u64(struct loader *loader, struct value value, const char *what, uint64_t min, uint64_t max,
               uint64_t *ret_number);
/* "90s", "15m"; false with a problem told. */
bool value_duration(struct loader *loader, struct value value, const char *what, uint64_t *ret_ms);
/* One of the words: its position, -1 with a problem told. */
int value_word(struct loader *loader, struct value value, const char *what, const char *const *words,
               size_t count);

/* Iterate a list's elements or a mapping's keys: start with value_first, end when not there. */
struct value value_first(struct value container);
struct value value_next(struct value container, struct value element);
static inline struct value value_of_key(struct value key)
{
    return (struct value){key.source, json_value(key.at)};
}
static inline size_t value_count(struct value value)
{
    return value.at == JSON_NONE ? 0 : json_count(&value.source->doc.json, value.at);
}
static inline bool value_has_tag(struct value value, enum json_tag tag)
{
    return value.at != JSON_NONE && json_tag(&value.source->doc.json, value.at) == tag;
}

/* --- variables.c ----------------------------------------------------------------------------------- */

/* Expand ${NAME} in a text into *out; false with a problem told at `value`. */
bool variables_expand(struct loader *loader, struct value value, struct slice text, struct buffer *out);
/* The value itself; for a text with ${…} and one of YAML's tags (`!!int ${N}`) what the tag makes of it, as a
 * value of its own at the same place. False with a problem told if it does not fit. */
bool variables_tagged(struct loader *loader, struct value value, struct value *ret_value);
/* A value as JSON text with every string expanded, names of members too. False with problems told. */
bool variables_json(struct loader *loader, struct value value, struct slice *ret_json);

/* --- the parts ------------------------------------------------------------------------------------- */

#define RULES_COUNT(rules) (sizeof(rules) / sizeof *(rules))

/* Check a name of `what` ("a collection"); tells what is wrong. */
bool names_check(struct loader *loader, struct value value, const char *what, const char *name);
/* A collection by the name in a string value; NULL with a problem told. */
struct entry *names_collection(struct loader *loader, struct value value);
bool names_pointer_valid(struct slice pointer);
bool names_field_valid(struct slice field);

void collections_build(struct loader *loader);

/* Put the collection's schemas into the registry and compile them. */
struct collection_schemas {
    struct value schema, write, read; /* as given */
};
void schemas_build(struct loader *loader, struct catalog_collection *collection,
                   struct collection_schemas given);
/* Answers a reference to a file that the registry has not yet. */
int schemas_fetch(void *context, const char *uri, struct arena *arena, struct slice *ret_source,
                  struct error *err);
/* Register a document that is written at `at` (source NULL: nowhere). */
bool schemas_register(struct loader *loader, const char *uri, struct slice text, struct value at,
                      struct error *err);
/* Register a whole file as a schema. */
bool schemas_add_file(struct loader *loader, struct source *source, struct error *err);

/* What flow://inferred-schema and the like stand for; once. */
void flow_register(struct loader *loader);
/* "; did you mean 'flow://write-schema'?" or "". Scratch. */
const char *flow_suggest(struct loader *loader, const char *reference);
/* A schema's text, with flow://… resolved for this collection if there is any in it. */
struct slice flow_resolve(struct loader *loader, const struct catalog_collection *collection,
                          struct value schema);

/* Does the schema at the URI, a compiled one, allow for the collection's keys? Tells what is certain. */
void keys_check(struct loader *loader, struct value key_list, const char *schema_uri);

/* Where all that is in a value is written. */
void places_build(struct loader *loader, struct value value, struct catalog_places *ret_places);
/* An endpoint's config from a mapping or a path: its text and places. False with problems told. */
bool config_build(struct loader *loader, struct value value, struct catalog_endpoint *endpoint);

enum { ENDPOINT_CONNECTOR = 1, ENDPOINT_LOCAL = 2, ENDPOINT_INGEST = 4, ENDPOINT_DEKAF = 8 };
/* `allowed` kinds; `protocol` is the default for local commands. False with problems told; *ret_endpoint then
 * has what could be built, if its kind is known. */
bool endpoint_build(struct loader *loader, struct value value, const char *what, unsigned allowed,
                    enum catalog_protocol protocol, struct catalog_endpoint *ret_endpoint);
/* shards: {disable, …}; checked, and whether it disables. */
bool shards_disable(struct loader *loader, struct value value, enum log_level *ret_level);

enum source_kind { SOURCE_ANY, SOURCE_NAME /* a whole collection */ };
/* A collection's name, or which of its documents. False with problems told. */
bool source_build(struct loader *loader, struct value value, enum source_kind kind,
                  struct catalog_source *ret_source);
/* What a person would call a binding's resource. */
const char *resource_name(struct loader *loader, struct slice resource, size_t index);

void captures_build(struct loader *loader);
void connections_build(struct loader *loader);
void materializations_build(struct loader *loader);
/* `fieldsRecommended`, `recommended`: true, false or a depth. */
uint32_t fields_recommended(struct loader *loader, struct value value);
/* source_capture.c: `source` and `targetNaming`; appends to the bindings that the catalog has. After the
 * captures. */
void source_capture_build(struct loader *loader, struct value source, struct value target_naming,
                          struct catalog_materialization *materialization);
void tests_build(struct loader *loader);
/* derive: checked, not kept. */
void derivation_check(struct loader *loader, struct value value);

/* A materialization's triggers, as catalog_materialization has them (triggers.c). */
struct slice triggers_build(struct loader *loader, struct value value);

#endif
