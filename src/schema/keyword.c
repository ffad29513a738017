/* The table of keywords. */
#include "schema/keyword.h"

/* Both drafts with the same meaning; 2020-12 alone; draft 7 alone. */
#define BOTH(name, vocabulary, holds)                                           \
    {                                                                           \
        name, VOCABULARY_##vocabulary, true, true, HOLDS_##holds, HOLDS_##holds \
    }
#define LATE(name, vocabulary, holds)                                \
    {                                                                \
        name, VOCABULARY_##vocabulary, false, true, 0, HOLDS_##holds \
    }
#define EARLY(name, vocabulary, holds)                               \
    {                                                                \
        name, VOCABULARY_##vocabulary, true, false, HOLDS_##holds, 0 \
    }

const struct keyword_spec keyword_specs[KEYWORD_MAX] = {
    [KEYWORD_ID] = BOTH("$id", CORE, NOTHING),
    [KEYWORD_SCHEMA] = BOTH("$schema", CORE, NOTHING),
    [KEYWORD_REF] = BOTH("$ref", CORE, NOTHING),
    [KEYWORD_ANCHOR] = LATE("$anchor", CORE, NOTHING),
    [KEYWORD_DYNAMIC_REF] = LATE("$dynamicRef", CORE, NOTHING),
    [KEYWORD_DYNAMIC_ANCHOR] = LATE("$dynamicAnchor", CORE, NOTHING),
    [KEYWORD_VOCABULARY] = LATE("$vocabulary", CORE, NOTHING),
    [KEYWORD_DEFS] = LATE("$defs", CORE, MAP),
    /* 2020-12's metaschema still describes it, and many schemas of today use it. */
    [KEYWORD_DEFINITIONS] = BOTH("definitions", CORE, MAP),

    [KEYWORD_ALL_OF] = BOTH("allOf", APPLICATOR, LIST),
    [KEYWORD_ANY_OF] = BOTH("anyOf", APPLICATOR, LIST),
    [KEYWORD_ONE_OF] = BOTH("oneOf", APPLICATOR, LIST),
    [KEYWORD_NOT] = BOTH("not", APPLICATOR, SCHEMA),
    [KEYWORD_IF] = BOTH("if", APPLICATOR, SCHEMA),
    [KEYWORD_THEN] = BOTH("then", APPLICATOR, SCHEMA),
    [KEYWORD_ELSE] = BOTH("else", APPLICATOR, SCHEMA),
    [KEYWORD_DEPENDENT_SCHEMAS] = LATE("dependentSchemas", APPLICATOR, MAP),
    [KEYWORD_DEPENDENCIES] = EARLY("dependencies", APPLICATOR, MAP_OR_NAMES),
    [KEYWORD_PREFIX_ITEMS] = LATE("prefixItems", APPLICATOR, LIST),
    [KEYWORD_ITEMS] = {"items", VOCABULARY_APPLICATOR, true, true, HOLDS_SCHEMA_OR_LIST, HOLDS_SCHEMA},
    [KEYWORD_ADDITIONAL_ITEMS] = EARLY("additionalItems", APPLICATOR, SCHEMA),
    [KEYWORD_CONTAINS] = BOTH("contains", APPLICATOR, SCHEMA),
    [KEYWORD_PROPERTIES] = BOTH("properties", APPLICATOR, MAP),
    [KEYWORD_PATTERN_PROPERTIES] = BOTH("patternProperties", APPLICATOR, MAP),
    [KEYWORD_ADDITIONAL_PROPERTIES] = BOTH("additionalProperties", APPLICATOR, SCHEMA),
    [KEYWORD_PROPERTY_NAMES] = BOTH("propertyNames", APPLICATOR, SCHEMA),
    [KEYWORD_UNEVALUATED_ITEMS] = LATE("unevaluatedItems", UNEVALUATED, SCHEMA),
    [KEYWORD_UNEVALUATED_PROPERTIES] = LATE("unevaluatedProperties", UNEVALUATED, SCHEMA),
    [KEYWORD_CONTENT_SCHEMA] = LATE("contentSchema", OTHER, SCHEMA),

    [KEYWORD_TYPE] = BOTH("type", VALIDATION, NOTHING),
    [KEYWORD_CONST] = BOTH("const", VALIDATION, NOTHING),
    [KEYWORD_ENUM] = BOTH("enum", VALIDATION, NOTHING),
    [KEYWORD_MULTIPLE_OF] = BOTH("multipleOf", VALIDATION, NOTHING),
    [KEYWORD_MAXIMUM] = BOTH("maximum", VALIDATION, NOTHING),
    [KEYWORD_EXCLUSIVE_MAXIMUM] = BOTH("exclusiveMaximum", VALIDATION, NOTHING),
    [KEYWORD_MINIMUM] = BOTH("minimum", VALIDATION, NOTHING),
    [KEYWORD_EXCLUSIVE_MINIMUM] = BOTH("exclusiveMinimum", VALIDATION, NOTHING),
    [KEYWORD_MAX_LENGTH] = BOTH("maxLength", VALIDATION, NOTHING),
    [KEYWORD_MIN_LENGTH] = BOTH("minLength", VALIDATION, NOTHING),
    [KEYWORD_PATTERN] = BOTH("pattern", VALIDATION, NOTHING),
    [KEYWORD_MAX_ITEMS] = BOTH("maxItems", VALIDATION, NOTHING),
    [KEYWORD_MIN_ITEMS] = BOTH("minItems", VALIDATION, NOTHING),
    [KEYWORD_UNIQUE_ITEMS] = BOTH("uniqueItems", VALIDATION, NOTHING),
    [KEYWORD_MAX_CONTAINS] = LATE("maxContains", VALIDATION, NOTHING),
    [KEYWORD_MIN_CONTAINS] = LATE("minContains", VALIDATION, NOTHING),
    [KEYWORD_MAX_PROPERTIES] = BOTH("maxProperties", VALIDATION, NOTHING),
    [KEYWORD_MIN_PROPERTIES] = BOTH("minProperties", VALIDATION, NOTHING),
    [KEYWORD_REQUIRED] = BOTH("required", VALIDATION, NOTHING),
    [KEYWORD_DEPENDENT_REQUIRED] = LATE("dependentRequired", VALIDATION, NOTHING),
};

void keyword_table_init(struct keyword_table *table)
{
    for (int i = 0; i < KEYWORD_TABLE_SIZE; i++)
        table->slots[i].keyword = KEYWORD_NONE;
    for (int k = 0; k < KEYWORD_MAX; k++) {
        const char *name = keyword_specs[k].name;
        uint32_t hash = json_key_hash(name, strlen(name)), at = hash % KEYWORD_TABLE_SIZE;
        while (table->slots[at].keyword != KEYWORD_NONE)
            at = (at + 1) % KEYWORD_TABLE_SIZE;
        table->slots[at].hash = hash;
        table->slots[at].keyword = (uint8_t)k;
    }
}

enum keyword keyword_find(const struct keyword_table *table, const struct json *doc, uint32_t key)
{
    uint32_t hash = json_hash_of_key(doc, key);
    for (uint32_t at = hash % KEYWORD_TABLE_SIZE; table->slots[at].keyword != KEYWORD_NONE;
         at = (at + 1) % KEYWORD_TABLE_SIZE) {
        if (table->slots[at].hash == hash &&
            json_string_is(doc, key, keyword_name((enum keyword)table->slots[at].keyword)))
            return (enum keyword)table->slots[at].keyword;
    }
    return KEYWORD_NONE;
}
