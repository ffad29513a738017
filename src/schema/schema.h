/* JSON Schema: compiled once to a flat program, run over a document's nodes.
 *
 * A registry holds schema documents by URI; compiling resolves every reference inside it, so that a
 * compiled schema needs nothing else. Drafts: 2020-12 (default), 2019-09, 7, 6 and 4 by $schema; the
 * metaschemas are built in. A compiled schema is immutable and may be shared between threads; a validator
 * holds one thread's scratch. Hostile schemas end in an error at compile time or at the step limit. */
#ifndef FIRTH_SCHEMA_SCHEMA_H
#define FIRTH_SCHEMA_SCHEMA_H

#include "json/json.h"

struct schema_registry;
struct schema;
struct schema_validator;

enum schema_draft {
    SCHEMA_DRAFT_4 = 4,
    SCHEMA_DRAFT_6 = 6,
    SCHEMA_DRAFT_7 = 7,
    SCHEMA_DRAFT_2019_09 = 201909,
    SCHEMA_DRAFT_2020_12 = 202012
};

struct schema_registry *schema_registry_new(enum schema_draft default_draft);
void schema_registry_free(struct schema_registry *registry);
MEM_DEFINE_CLEANUP(struct schema_registry *, schema_registry_free);

/* Called for a URI (without fragment) that a reference names and the registry lacks. Fill *ret_source with
 * bytes that live as long as the registry (allocate from *arena), or fail. May be NULL: then such a
 * reference is an error. */
typedef int schema_fetch(void *context, const char *uri, struct arena *arena, struct slice *ret_source,
                         struct error *err);
void schema_registry_on_missing(struct schema_registry *registry, schema_fetch *fetch, void *context);

/* Add a document under its retrieval URI (absolute, without fragment); the source is copied. Embedded $id,
 * $anchor and $dynamicAnchor are indexed. */
int schema_registry_add(struct schema_registry *registry, const char *uri, struct slice source,
                        struct error *err);

/* Compile the schema at `uri` (with an optional #fragment). The error names the schema's location. */
struct schema *schema_compile(struct schema_registry *registry, const char *uri, struct error *err);

struct schema_options {
    /* Keywords whose values schema_annotate (annotate.h) collects, known ones or not; NULL-terminated, at
     * most SCHEMA_ANNOTATIONS_MAX. NULL: none, and the program does not know of any. */
    const char *const *annotations;
    /* Instead: every keyword whose value is an annotation, those that nobody defined included. */
    bool all_annotations;
    /* "format" refuses strings, as format/format.h has it. Otherwise it is an annotation, but in schemas
     * whose metaschema requires the vocabulary for it. */
    bool assert_formats;
};
enum { SCHEMA_ANNOTATIONS_MAX = 64 };
/* The same with options, which are only read now. */
struct schema *schema_compile_with(struct schema_registry *registry, const char *uri,
                                   const struct schema_options *options, struct error *err);
void schema_free(struct schema *schema);

/* One thing that is wrong with a schema. */
struct schema_problem {
    const char *uri; /* of the document that it is in; NULL: it has no place, and the message says where */
    const char *pointer; /* in that document, "" for its root */
    const char *message;
};
enum { SCHEMA_PROBLEMS_MAX = 50 };
/* All that is wrong with a schema that schema_compile_with refuses, by document and place, at most one at a
 * place; at most SCHEMA_PROBLEMS_MAX. Returns their number, at least 1 for such a schema; strings in the
 * arena. */
size_t schema_problems(struct schema_registry *registry, const char *uri,
                       const struct schema_options *options, struct arena *arena,
                       struct schema_problem ret_problems[SCHEMA_PROBLEMS_MAX]);
/* The same into the error of schema_compile_with, as a message of several lines, each with its place as
 * people write it (uri_shown). A single one is left as schema_compile_with tells it. */
void schema_problems_error(struct schema_registry *registry, const char *uri,
                           const struct schema_options *options, struct error *err);
MEM_DEFINE_CLEANUP(struct schema *, schema_free);

struct schema_validator *schema_validator_new(void);
void schema_validator_free(struct schema_validator *validator);
MEM_DEFINE_CLEANUP(struct schema_validator *, schema_validator_free);

/* The fast path: is the value at `at` valid? -1 with *err only if a limit was hit (steps, depth, a regular
 * expression's match limit); otherwise 1 valid, 0 invalid. */
int schema_validate(const struct schema *schema, struct schema_validator *validator, const struct json *doc,
                    uint32_t at, struct error *err);

/* One violated keyword. Strings live in the arena given to schema_explain; a location of more than 16 kB is
 * cut and ends with "…". */
struct schema_violation {
    const char *instance;          /* JSON pointer into the document */
    const char *keyword_location;  /* JSON pointer through the schema as evaluated, "/properties/a/type" */
    const char *absolute_location; /* URI of the keyword, "" fragment resolved */
    const char *keyword;           /* "type", "required", … */
    const char *message;           /* "expected integer, got string \"abc\"": for people, value cut short */
    struct slice value;            /* the instance's raw bytes at `instance` (not cut) */
};

/* The slow path: why is it invalid? Fills at most `max` violations, most telling first; *ret_count says how
 * many. Zero for a valid value. */
int schema_explain(const struct schema *schema, struct schema_validator *validator, const struct json *doc,
                   uint32_t at, struct arena *arena, struct schema_violation *violations, size_t max,
                   size_t *ret_count, struct error *err);

#endif
