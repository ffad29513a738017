/* The compiled form: flat arrays, immutable. Private to the room.
 *
 * A rule is one compiled schema: the types it allows and runs of fixed-size operations, grouped by the kind
 * of instance they concern, so that a string never looks at an object's operations. Rules call each other by
 * number. An operation's details that do not fit its 16 bytes stand in a plan. Places say where in the
 * schemas an operation was written: only explaining reads them. */
#ifndef FIRTH_SCHEMA_PROGRAM_H
#define FIRTH_SCHEMA_PROGRAM_H

#include "schema/annotate.h"
#include "schema/keyword.h"
#include "schema/regex.h"

enum {
    SCHEMA_RULES_MAX = 2 << 20,
    SCHEMA_PATTERNS_SIZE_MAX = 64 << 20, /* bytes of compiled patterns */
    SCHEMA_NAME_MATCHES_MAX =
        4 << 20, /* patterns tried on properties' names while compiling; beyond, while validating */
    SCHEMA_PROBES_MAX = 256,           /* names or values of one schema in a row whose hashes fall together */
    SCHEMA_DYNAMIC_MAX = 1 << 20,      /* $dynamicRef keywords times resources */
    SCHEMA_CALL_DEPTH_MAX = 2048,      /* nested rules while validating */
    SCHEMA_STEPS_BASE = 2 << 20,       /* operations run on one document: this … */
    SCHEMA_STEPS_PER_NODE = 1024,      /* … and this for each of its nodes … */
    SCHEMA_STEPS_PER_BYTE = 64,        /* … and this for each of its bytes */
    SCHEMA_STEPS_SLOW_MATCH = 1 << 18, /* what a match costs that regex.h calls slow */
    SCHEMA_INLINE_OPS_MAX = 12,        /* a callee of at most this many is copied into its caller … */
    SCHEMA_INLINE_TOTAL_MAX = 64,      /* … while the caller stays below this, */
    SCHEMA_INLINE_DEPTH_MAX = 8,       /* and this many calls deep, */
    SCHEMA_INLINE_BUDGET = 4 << 20,    /* and the program below this many operations */
    SCHEMA_SAID_MAX = 16 << 20,        /* annotations of one document; and hops to them */
    SCHEMA_VIOLATIONS_MAX = 1000,      /* described by one schema_explain */
    SCHEMA_LOCATION_SIZE_MAX = 16 << 10, /* bytes of a violation's location; a longer one is cut */
};

#define RULE_NONE UINT32_MAX
#define PLACE_NONE UINT32_MAX
enum { RULE_TRUE = 0, RULE_FALSE = 1, RULE_FIRST = 2 };

/* Types as bits: 1 << enum json_tag; a key (propertyNames) is a string. */
enum {
    TYPE_NULL = 1 << JSON_NULL,
    TYPE_BOOLEAN = 1 << JSON_FALSE | 1 << JSON_TRUE,
    TYPE_WHOLE = 1 << 15, /* a JSON_NUMBER whose value is integral: 1.0 */
    TYPE_INTEGER = 1 << JSON_INTEGER | TYPE_WHOLE,
    TYPE_NUMBER = 1 << JSON_INTEGER | 1 << JSON_NUMBER | TYPE_WHOLE,
    TYPE_STRING = 1 << JSON_STRING | 1 << JSON_KEY,
    TYPE_ARRAY = 1 << JSON_ARRAY,
    TYPE_OBJECT = 1 << JSON_OBJECT,
    TYPE_ANY = TYPE_NULL | TYPE_BOOLEAN | TYPE_NUMBER | TYPE_STRING | TYPE_ARRAY | TYPE_OBJECT
};

enum op_group {
    GROUP_NUMBER,
    GROUP_STRING,
    GROUP_ARRAY,
    GROUP_OBJECT,
    GROUP_ANY,  /* run for every instance, after its kind's own */
    GROUP_LATE, /* unevaluated*: after everything else */
    GROUP_TYPE, /* not run: rule.types covers them; read when explaining */
    GROUP_MAX
};

enum op_code {
    OP_MINIMUM, /* a: number */
    OP_MAXIMUM,
    OP_EXCLUSIVE_MINIMUM,
    OP_EXCLUSIVE_MAXIMUM,
    OP_MULTIPLE_OF,
    OP_MIN_LENGTH, /* a: code points */
    OP_MAX_LENGTH,
    OP_PATTERN,  /* a: regex */
    OP_FORMAT,   /* a: enum format */
    OP_ITEMS,    /* a: array plan, b: place of its items_keyword; PLACE_NONE: the operation's */
    OP_CONTAINS, /* a: contains plan */
    OP_UNIQUE_ITEMS,
    OP_MEMBERS, /* a: object plan, b: place of its additional_keyword; PLACE_NONE: the operation's */
    OP_DEPENDENT_REQUIRED, /* a: name, b: first of names, count: how many */
    OP_DEPENDENT_SCHEMA,   /* a: name, b: rule */
    OP_CONST,              /* a: enum plan */
    OP_ENUM,
    OP_CALL,    /* a: rule, b: position in allOf */
    OP_DYNAMIC, /* a: dynamic plan */
    OP_ANY_OF,  /* a: first of rule list, b: how many */
    OP_ONE_OF,
    OP_NOT,               /* a: rule */
    OP_IF,                /* a: first of rule list: if, then, else */
    OP_UNEVALUATED_ITEMS, /* a: rule */
    OP_UNEVALUATED_PROPERTIES,
    OP_TYPE, /* a: types */
    OP_CODE_MAX
};

struct op {
    uint8_t code;
    uint8_t keyword; /* that it came from; enum keyword */
    uint16_t choice; /* anyOf, oneOf: number + 1 of the choice, 0: none */
    uint32_t a, b;
    uint32_t place;
};

struct rule {
    uint16_t types;
    bool is_leaf;     /* the types are all there is */
    bool is_flat;     /* its operations call no rule */
    bool tracks;      /* has unevaluated*: collects what its operations evaluate */
    bool speaks;      /* it has notes, or a rule that it may run has; then it is neither leaf nor flat */
    bool has_context; /* it tracks, speaks, or enters the dynamic scope */
    uint32_t first[GROUP_MAX + 1];
    uint32_t resource;
    uint32_t place; /* of the schema itself */
};

enum quick_code {
    QUICK_RULE,    /* a: the rule, as it is */
    QUICK_STEPS,   /* operations a up to b; they call nothing */
    QUICK_LENGTH,  /* a up to b code points */
    QUICK_PATTERN, /* a: regex, b: place */
    QUICK_RANGE,   /* a: range plan */
    QUICK_VALUES,  /* a: enum plan */
    QUICK_MEMBERS, /* a: object plan, b: place */
    QUICK_ITEMS,   /* a: array plan, b: place */
    QUICK_CHOICE,  /* a: operation, an anyOf or oneOf; b: place */
};

/* A rule in short. Of the types it allows, the code is run for `kinds`; for the others there is nothing to
 * do. Only for values of which no marks are kept. */
struct quick {
    uint16_t types, kinds;
    uint8_t code;
    uint32_t a, b;
};

/* Bounds of a number: for integers in one step, for others operations `first` up to `last`. */
struct range_plan {
    int64_t min, max;
    uint32_t first, last;
};

/* A schema in the documents, and how one gets there from the rule that an operation stands in: if `parent` is
 * not PLACE_NONE, the schema was written into the rule in place of a call by `keyword` at `position` from
 * `parent`. */
struct place {
    uint32_t parent;
    uint32_t resource;
    uint32_t node;
    uint32_t position;
    uint8_t keyword;
};

/* A name, unescaped. */
struct name {
    const char *text;
    uint32_t size;
    uint32_t hash; /* json_key_hash */
};

struct property {
    struct name name;
    uint32_t rule;
    bool declared; /* in "properties"; otherwise it is only required */
    bool required;
    bool patterned;     /* some of the plan's patterns match the name */
    struct quick quick; /* the rule in short */
};

struct pattern_rule {
    uint32_t regex;
    uint32_t rule;
    uint32_t node; /* of the key in the schema's document */
};

struct object_plan {
    struct property *properties; /* in the schema's order */
    uint32_t count;
    uint32_t required; /* how many of them are required */
    uint32_t *table;   /* property number + 1, 0 free; open addressing */
    uint32_t mask;     /* slots - 1 */
    struct pattern_rule *patterns;
    uint32_t pattern_count;
    uint32_t additional;        /* rule; RULE_TRUE if absent */
    bool marks_additional;      /* "additionalProperties" is there: evaluates what it is applied to */
    uint8_t additional_keyword; /* additionalProperties, or unevaluatedProperties that needed no tracking */
    uint32_t names;             /* propertyNames' rule */
    uint32_t min, max;          /* members */
    struct quick additional_quick;
    bool is_sparse; /* asks for few members only: these are looked up */
};

struct array_plan {
    uint32_t *prefix;
    uint32_t prefix_count;
    uint32_t items;                        /* rule for what follows the prefix */
    bool marks_items;                      /* "items" is there */
    uint32_t min, max;                     /* elements */
    uint8_t prefix_keyword, items_keyword; /* as the draft calls them */
    struct quick items_quick;
};

struct contains_plan {
    uint32_t rule;
    uint32_t min, max;
    bool marks; /* 2020-12: what it matches is evaluated */
};

/* const and enum. The values stay in the schema's document. */
struct enum_plan {
    uint16_t types;    /* of the values, for a quick no */
    bool only_strings; /* every value is a string */
    uint32_t count;
    struct enum_value *values;
    struct name *strings; /* by text_hash, no text: a free slot; NULL for few */
    uint32_t *table;      /* of the others: number + 1 by json_hash; NULL for few */
    uint32_t string_mask, mask;
    const struct json *json;
};

struct enum_value {
    struct name text; /* strings: unescaped */
    uint64_t hash;    /* json_hash, where there is a table */
    uint32_t node;
    uint8_t tag;
};

struct rule_span {
    uint32_t first, count; /* in lists */
};

/* Alternatives by a value's hash: text_hash of strings, json_hash of others. */
struct choice_table {
    struct choice_value {
        uint64_t hash;
        struct rule_span rules; /* first RULE_NONE: a free slot */
        uint8_t kind;           /* of a whole value: choice_kind */
    } * values;                 /* open addressing, at most SCHEMA_PROBES_MAX probes; NULL: no table */
    uint32_t mask;
};

/* anyOf, oneOf: the alternatives that can hold, by the instance's type, of an object by the value of one
 * member, and of `whole_tags` by the value itself. */
struct choice {
    struct rule_span by_tag[JSON_TAG_MAX]; /* of whole_tags: for a value that is not in the table */
    struct choice_table by_value;          /* of the member */
    struct name member;
    struct rule_span absent; /* for objects without the member */
    struct rule_span other;  /* … with a value that is not in the table */
    struct choice_table by_whole;
    uint16_t whole_tags; /* 1 << enum json_tag */
};

/* Values of different kinds are never equal. */
static inline uint8_t choice_kind(enum json_tag tag)
{
    return (uint8_t)(tag == JSON_NUMBER ? JSON_INTEGER : tag == JSON_KEY ? JSON_STRING : tag);
}

/* A number to compare with: its text, and the small forms that most are. */
struct number_plan {
    struct slice text; /* in the schema's document */
    int64_t mantissa;  /* mantissa * 10^-scale is the value … */
    int8_t scale;      /* … if scale >= 0 */
    bool is_zero;
};

/* $dynamicRef or $recursiveRef that more than one resource could answer. */
struct dynamic_plan {
    const char *anchor; /* NULL: "$recursiveAnchor" */
    uint32_t fallback;  /* rule: what it means if nothing in the dynamic scope has the anchor */
    struct dynamic_candidate {
        uint32_t resource;
        uint32_t rule;
    } * candidates;
    uint32_t count;
    uint32_t asked; /* resources looked at while compiling */
    size_t capacity;
};

/* What a rule's schema says about the instances that are valid by it. */
struct rule_notes {
    uint32_t first, count; /* in schema.notes */
};

struct schema {
    struct arena arena; /* holds everything below */
    uint32_t root;      /* rule */
    bool is_dynamic;    /* has OP_DYNAMIC: resources entered are kept on a stack */

    struct rule *rules;
    struct quick *quicks; /* by rule */
    struct range_plan *ranges;
    struct op *ops;
    struct place *places;
    uint32_t *lists; /* rule lists */
    struct name *names;
    struct object_plan *objects;
    struct array_plan *arrays;
    struct contains_plan *contains;
    struct enum_plan *enums;
    struct number_plan *numbers;
    struct choice *choices;
    struct dynamic_plan *dynamics;
    struct regex **regexes;
    struct resource **resources;
    size_t rule_count, op_count, place_count, list_count, name_count, object_count, array_count,
        contains_count, enum_count, number_count, range_count, choice_count, dynamic_count, regex_count,
        resource_count;

    struct rule_notes *rule_notes; /* by rule; NULL: compiled without annotations */
    struct schema_note *notes;
    size_t note_count;

    struct document **documents; /* held */
    size_t document_count;
};

/* compile.c: with check, against the metaschema first. */
struct schema *compile_program(struct schema_registry *registry, const char *uri,
                               const struct schema_options *options, bool check, struct error *err);

#endif
