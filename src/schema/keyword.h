/* The keywords: which draft and vocabulary each belongs to and where it holds subschemas. */
#ifndef FIRTH_SCHEMA_KEYWORD_H
#define FIRTH_SCHEMA_KEYWORD_H

#include "schema/schema.h"
#include "json/json.h"

/* Vocabularies of 2020-12, as bits. A draft before 2019-09 has them all. */
enum {
    VOCABULARY_CORE = 1 << 0,
    VOCABULARY_APPLICATOR = 1 << 1,
    VOCABULARY_UNEVALUATED = 1 << 2,
    VOCABULARY_VALIDATION = 1 << 3,
    VOCABULARY_OTHER = 1 << 4, /* meta-data, content, format-annotation: no assertions */
    VOCABULARY_ALL = (1 << 5) - 1
};

enum keyword {
    KEYWORD_ID,
    KEYWORD_SCHEMA,
    KEYWORD_REF,
    KEYWORD_ANCHOR,
    KEYWORD_DYNAMIC_REF,
    KEYWORD_DYNAMIC_ANCHOR,
    KEYWORD_VOCABULARY,
    KEYWORD_DEFS,
    KEYWORD_DEFINITIONS,

    KEYWORD_ALL_OF,
    KEYWORD_ANY_OF,
    KEYWORD_ONE_OF,
    KEYWORD_NOT,
    KEYWORD_IF,
    KEYWORD_THEN,
    KEYWORD_ELSE,
    KEYWORD_DEPENDENT_SCHEMAS,
    KEYWORD_DEPENDENCIES,
    KEYWORD_PREFIX_ITEMS,
    KEYWORD_ITEMS,
    KEYWORD_ADDITIONAL_ITEMS,
    KEYWORD_CONTAINS,
    KEYWORD_PROPERTIES,
    KEYWORD_PATTERN_PROPERTIES,
    KEYWORD_ADDITIONAL_PROPERTIES,
    KEYWORD_PROPERTY_NAMES,
    KEYWORD_UNEVALUATED_ITEMS,
    KEYWORD_UNEVALUATED_PROPERTIES,
    KEYWORD_CONTENT_SCHEMA,

    KEYWORD_TYPE,
    KEYWORD_CONST,
    KEYWORD_ENUM,
    KEYWORD_MULTIPLE_OF,
    KEYWORD_MAXIMUM,
    KEYWORD_EXCLUSIVE_MAXIMUM,
    KEYWORD_MINIMUM,
    KEYWORD_EXCLUSIVE_MINIMUM,
    KEYWORD_MAX_LENGTH,
    KEYWORD_MIN_LENGTH,
    KEYWORD_PATTERN,
    KEYWORD_MAX_ITEMS,
    KEYWORD_MIN_ITEMS,
    KEYWORD_UNIQUE_ITEMS,
    KEYWORD_MAX_CONTAINS,
    KEYWORD_MIN_CONTAINS,
    KEYWORD_MAX_PROPERTIES,
    KEYWORD_MIN_PROPERTIES,
    KEYWORD_REQUIRED,
    KEYWORD_DEPENDENT_REQUIRED,

    KEYWORD_MAX,
    KEYWORD_NONE = KEYWORD_MAX
};

/* Where subschemas stand in a keyword's value. */
enum keyword_holds {
    HOLDS_NOTHING,
    HOLDS_SCHEMA,
    HOLDS_LIST,           /* an array of schemas */
    HOLDS_MAP,            /* an object whose values are schemas */
    HOLDS_SCHEMA_OR_LIST, /* draft 7's items */
    HOLDS_MAP_OR_NAMES    /* draft 7's dependencies: values are schemas or arrays of names */
};

struct keyword_spec {
    const char *name;
    uint8_t vocabulary;
    bool in_draft_7, in_2020_12;
    uint8_t holds_draft_7, holds_2020_12;
};

extern const struct keyword_spec keyword_specs[KEYWORD_MAX];

static inline const char *keyword_name(enum keyword keyword)
{
    return keyword < KEYWORD_MAX ? keyword_specs[keyword].name : "";
}

/* The rules that a schema is written by: a draft, and of 2020-12 the vocabularies its metaschema names. */
struct dialect {
    enum schema_draft draft;
    uint32_t vocabularies;
    const char *metaschema; /* URI */
};

static inline bool keyword_in(enum keyword keyword, const struct dialect *dialect)
{
    const struct keyword_spec *spec = &keyword_specs[keyword];
    return (dialect->draft == SCHEMA_DRAFT_7 ? spec->in_draft_7 : spec->in_2020_12) &&
           (spec->vocabulary & dialect->vocabularies) != 0;
}

static inline enum keyword_holds keyword_holds(enum keyword keyword, const struct dialect *dialect)
{
    const struct keyword_spec *spec = &keyword_specs[keyword];
    return dialect->draft == SCHEMA_DRAFT_7 ? spec->holds_draft_7 : spec->holds_2020_12;
}

/* Find keywords by a member's name: a small table over the names' hashes. */
enum { KEYWORD_TABLE_SIZE = 128 };
struct keyword_table {
    struct {
        uint32_t hash;
        uint8_t keyword; /* KEYWORD_NONE: free */
    } slots[KEYWORD_TABLE_SIZE];
};
void keyword_table_init(struct keyword_table *table);
enum keyword keyword_find(const struct keyword_table *table, const struct json *doc, uint32_t key);

#endif
