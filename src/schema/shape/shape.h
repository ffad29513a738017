/* Shapes: what is known about the documents of a collection, location by location.
 *
 * A shape says for each location which types there may be, which members there must be, and bounds. It comes
 * from a schema (shape_of_schema), from documents (shape_widen), or from both; two shapes are combined by
 * shape_union (either) and shape_intersect (both); shape_write makes a schema of it. A shape is a bound from
 * above: every document that the schema accepts, or that widened it, fits the shape, though not every one
 * that fits the shape need be accepted.
 *
 * A shape is a tree on the heap that its owner frees. The struct is open for reading; only this folder writes
 * it. One thread at a time. */
#ifndef FIRTH_SCHEMA_SHAPE_H
#define FIRTH_SCHEMA_SHAPE_H

#include "schema/schema.h"

struct number_plan;
struct regex;
struct regex_scratch;
#include "json/writer.h"

enum {
    SHAPE_NULL = 1 << 0,
    SHAPE_BOOLEAN = 1 << 1,
    SHAPE_INTEGER = 1 << 2,
    SHAPE_FRACTION = 1 << 3, /* a number that is no integer */
    SHAPE_STRING = 1 << 4,
    SHAPE_ARRAY = 1 << 5,
    SHAPE_OBJECT = 1 << 6,
    SHAPE_NUMBER = SHAPE_INTEGER | SHAPE_FRACTION,
    SHAPE_ANY = (1 << 7) - 1
};

enum {
    /* Of an inferred shape: */
    SHAPE_LOCATIONS_DEFAULT = 1000, /* named locations, unless "x-complexity-limit" says */
    SHAPE_DEPTH_DEFAULT = 12,
    SHAPE_LOCATIONS_MAX = 100000, /* the most that can be asked for */
    SHAPE_DEPTH_MAX = 64,
    SHAPE_GROWTH_MAX = 128 << 10, /* that one document may add beyond the limit, before they are squashed */
    SHAPE_SLACK_FROM = 4096,
    /* Of a shape from a schema: */
    SHAPE_BUDGET = 20 * 1000,    /* subschemas read, references followed: what is beyond is "any" */
    SHAPE_WORK_MAX = 400 * 1000, /* shapes combined: what is beyond is left out */
    SHAPE_NESTING_MAX = 200,     /* schemas within schemas, by references too; beyond is "any" */
    SHAPE_BRANCHES_MAX = 1000,   /* of one anyOf or oneOf; of longer ones the whole is "any" */
    SHAPE_PATTERNS_MAX = 64,     /* patterns of one object; of more, all members are "any" */
    SHAPE_CHOICES_MAX = 4096     /* values of an enum; of longer ones only the types are kept */
};

/* How values at a location are reduced; as Flow's protocol numbers and names them. */
enum shape_reduce {
    SHAPE_REDUCE_UNSET,
    SHAPE_REDUCE_MULTIPLE, /* it depends on the document */
    SHAPE_REDUCE_APPEND,
    SHAPE_REDUCE_FIRST_WRITE_WINS,
    SHAPE_REDUCE_LAST_WRITE_WINS,
    SHAPE_REDUCE_MAXIMIZE,
    SHAPE_REDUCE_MERGE,
    SHAPE_REDUCE_MINIMIZE,
    SHAPE_REDUCE_SET,
    SHAPE_REDUCE_SUM,
    SHAPE_REDUCE_JSON_SCHEMA_MERGE,
    SHAPE_REDUCE_MAX
};
extern const char *const shape_reduce_names[SHAPE_REDUCE_MAX]; /* "append", …; NULL for the first two */

enum shape_redact { SHAPE_REDACT_UNSET, SHAPE_REDACT_MULTIPLE, SHAPE_REDACT_BLOCK, SHAPE_REDACT_SHA256 };

/* A bound; `text` NULL: none. */
struct shape_bound {
    const char *text;         /* a JSON number */
    struct number_plan *plan; /* of the text; both in one piece */
};

/* An immutable JSON value, shared and counted. */
struct shape_values;
const struct json *shape_values_json(const struct shape_values *values); /* its root is at 0 */

struct shape_property {
    char *name; /* NUL-terminated as well */
    uint32_t size;
    uint32_t hash; /* json_key_hash */
    bool required;
    struct shape *shape;
};

struct shape_pattern {
    char *source;
    struct regex *regex; /* compiled on first need; and its scratch */
    struct regex_scratch *scratch;
    bool unusable; /* it could not be compiled, or took too long once: matches nothing */
    struct shape *shape;
};

struct shape {
    uint8_t types;  /* 0: there is no value */
    uint8_t reduce; /* enum shape_reduce */
    uint8_t redact; /* enum shape_redact */
    bool secret;
    bool vague;          /* the schema says more about this location than a shape can: it may accept less */
    uint32_t complexity; /* "x-complexity-limit", or 0 */
    uint32_t grown;      /* of the whole: names since shape_limit */
    char *title, *description;
    struct shape_values *choices;  /* enum, an array; NULL: none */
    struct shape_values *fallback; /* "default" */

    struct shape_bound minimum, maximum; /* of numbers; from exclusive ones as well */

    char *format, *content_encoding, *content_type;
    uint8_t form;                                  /* enum format, of the format's name */
    uint32_t min_length, max_length;               /* code points; UINT32_MAX: no maximum */
    struct shape_bound text_minimum, text_maximum; /* of strings that are numbers: x-str-minimum … */

    uint32_t min_items, max_items;
    struct shape **tuple; /* by position … */
    uint32_t tuple_count;
    struct shape *items; /* … and those behind; NULL: anything */

    struct shape_property *properties; /* by name */
    uint32_t property_count, required_count;
    uint32_t unsorted; /* properties at the end that are not in order yet: of large ones, until shape_limit */
    size_t property_capacity;
    uint32_t *table, mask; /* property number + 1 by hash, 0 free; NULL while there is no property */
    struct shape_pattern *patterns;
    uint32_t pattern_count;
    struct shape *additional; /* what is neither; NULL: anything */
    bool overflowed; /* inferred: the last names have become `additional`; earlier ones may still come */
};

struct shape *shape_new_nothing(void); /* no document fits: the start of inference */
struct shape *shape_new_any(void);
struct shape *shape_clone(const struct shape *shape);
void shape_free(struct shape *shape);
MEM_DEFINE_CLEANUP(struct shape *, shape_free);

/* Nothing is known: every value fits and nothing is said about it. */
bool shape_is_any(const struct shape *shape);
const struct shape_property *shape_property(const struct shape *shape, struct slice name);

/* "string or null", for people. */
void shape_types_text(unsigned types, struct buffer *out);

/* --- from a schema, and back ----------------------------------------------------------------------- */

/* The shape of the schema at a URI (with an optional #fragment) in the registry, $refs followed, missing
 * documents fetched. Recursive schemas end in "any" where they meet themselves; keywords that a shape cannot
 * say make it vague. The schema need not be valid, but -1 comes for a reference that leads nowhere. */
struct shape *shape_of_schema(struct schema_registry *registry, const char *uri, struct error *err);
/* As a JSON Schema of draft 2020-12, always the same text for the same shape; of its own, it says "$schema".
 */
void shape_write(const struct shape *shape, bool of_its_own, struct json_writer *writer);

/* --- combining ------------------------------------------------------------------------------------- */

/* Each makes *into the result and leaves the other as it is. */
void shape_union(struct shape *into, const struct shape *other);
void shape_intersect(struct shape *into, const struct shape *other);

/* --- from documents -------------------------------------------------------------------------------- */

struct shape_limits {
    uint32_t locations; /* 0: what the shape's "x-complexity-limit" says, else SHAPE_LOCATIONS_DEFAULT */
    uint32_t depth;     /* 0: SHAPE_DEPTH_DEFAULT */
};

/* Make the shape fit the value as well. True if it changed; what fits already changes nothing and costs about
 * as much as validating. The result does not depend on the order of the documents, and is the union of the
 * shapes of each, brought within the limits: as long as none of them brings more than SHAPE_GROWTH_MAX new
 * names, and all are given the same limits. Limits from SHAPE_SLACK_FROM locations on may be passed by an
 * eighth until shape_limit. */
bool shape_widen(struct shape *shape, struct shape_limits limits, const struct json *doc, uint32_t at);
/* Bring the shape within the limits: the deepest named locations, of these the last, become part of what its
 * object says of all other members. What fitted fits still. True if it changed. */
bool shape_limit(struct shape *shape, struct shape_limits limits);

/* --- locations ------------------------------------------------------------------------------------- */

enum shape_exists {
    SHAPE_MUST,
    SHAPE_MAY,
    SHAPE_IMPLICIT, /* the schema does not speak of it, but allows it */
    SHAPE_CANNOT
};
extern const char *const shape_exists_names[]; /* "must", "may", "implicit", "cannot" */

struct shape_location {
    const char
        *pointer;    /* "" is the root; in a pattern's place "*" (other members), "-" (elements) or a regex */
    bool is_pattern; /* it stands for many locations */
    enum shape_exists exists;
    const struct shape *shape;
};

/* Every location that the shape names, each before those below it, members by name. The array and the
 * pointers live in the arena. */
const struct shape_location *shape_locations(const struct shape *shape, struct arena *arena,
                                             size_t *ret_count);
/* What the shape says about one location, named or not. `pointer` is a valid JSON pointer. */
struct shape_location shape_locate(const struct shape *shape, const char *pointer, struct arena *arena);
/* The field's name of a location's own projection: the pointer without its first '/', "flow_document" for the
 * root. NULL for a pattern. */
const char *shape_field(const struct shape_location *location);

/* Why the location cannot be part of a collection's key: a sentence in the arena that begins with a verb or
 * subject and names the pointer; NULL if it can. Only what the schema says for certain is held against it. */
const char *shape_key_problem(const struct shape *shape, const char *pointer, struct arena *arena);

/* Flow's Inference message of a location. */
void shape_write_inference(const struct shape_location *location, struct json_writer *writer);

#endif
