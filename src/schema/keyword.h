/* The keywords: which draft and vocabulary each belongs to and where it holds subschemas. */
#ifndef FIRTH_SCHEMA_KEYWORD_H
#define FIRTH_SCHEMA_KEYWORD_H

#include "schema/schema.h"
#include "json/json.h"

/* Drafts, as bits. */
enum {
    DRAFT_BIT_4 = 1 << 0,
    DRAFT_BIT_6 = 1 << 1,
    DRAFT_BIT_7 = 1 << 2,
    DRAFT_BIT_2019_09 = 1 << 3,
    DRAFT_BIT_2020_12 = 1 << 4
};

/* Vocabularies of 2020-12, as bits. A draft before 2019-09 has them all but the last. */
enum {
    VOCABULARY_CORE = 1 << 0,
    VOCABULARY_APPLICATOR = 1 << 1,
    VOCABULARY_UNEVALUATED = 1 << 2,
    VOCABULARY_VALIDATION = 1 << 3,
    VOCABULARY_OTHER = 1 << 4, /* meta-data, content: no assertions */
    VOCABULARY_FORMAT = 1 << 5,
    VOCABULARY_ALL = (1 << 6) - 1,
    VOCABULARY_FORMAT_ASSERTION = 1 << 6 /* "format" asserts, whether or not that is asked for */
};

enum keyword {
    KEYWORD_ID,
    KEYWORD_ID_4, /* draft 4's "id" */
    KEYWORD_SCHEMA,
    KEYWORD_REF,
    KEYWORD_ANCHOR,
    KEYWORD_DYNAMIC_REF,
    KEYWORD_DYNAMIC_ANCHOR,
    KEYWORD_RECURSIVE_REF,
    KEYWORD_RECURSIVE_ANCHOR,
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
    KEYWORD_FORMAT,

    KEYWORD_MAX,
    KEYWORD_NONE = KEYWORD_MAX
};

/* Where subschemas stand in a keyword's value. */
enum keyword_holds {
    HOLDS_NOTHING,
    HOLDS_SCHEMA,
    HOLDS_LIST,           /* an array of schemas */
    HOLDS_MAP,            /* an object whose values are schemas */
    HOLDS_SCHEMA_OR_LIST, /* items before 2020-12 */
    HOLDS_MAP_OR_NAMES    /* dependencies: values are schemas or arrays of names */
};

struct keyword_spec {
    const char *name;
    uint8_t vocabulary;
    uint8_t drafts; /* that have it */
    uint8_t holds;
};

extern const struct keyword_spec keyword_specs[KEYWORD_MAX];

static inline const char *keyword_name(enum keyword keyword)
{
    return keyword < KEYWORD_MAX ? keyword_specs[keyword].name : "";
}

/* The rules that a schema is written by: a draft, and since 2019-09 the vocabularies its metaschema names. */
struct dialect {
    enum schema_draft draft;
    uint32_t vocabularies;
    const char *metaschema; /* URI */
};

static inline unsigned draft_bit(enum schema_draft draft)
{
    return draft == SCHEMA_DRAFT_4         ? DRAFT_BIT_4
           : draft == SCHEMA_DRAFT_6       ? DRAFT_BIT_6
           : draft == SCHEMA_DRAFT_7       ? DRAFT_BIT_7
           : draft == SCHEMA_DRAFT_2019_09 ? DRAFT_BIT_2019_09
                                           : DRAFT_BIT_2020_12;
}

static inline bool keyword_in(enum keyword keyword, const struct dialect *dialect)
{
    const struct keyword_spec *spec = &keyword_specs[keyword];
    return (spec->drafts & draft_bit(dialect->draft)) != 0 && (spec->vocabulary & dialect->vocabularies) != 0;
}

static inline enum keyword_holds keyword_holds(enum keyword keyword, const struct dialect *dialect)
{
    if (keyword == KEYWORD_ITEMS && dialect->draft < SCHEMA_DRAFT_2020_12)
        return HOLDS_SCHEMA_OR_LIST;
    return (enum keyword_holds)keyword_specs[keyword].holds;
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
