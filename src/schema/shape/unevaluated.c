/* unevaluatedProperties: additionalProperties for all that no schema on the same value knows.
 *
 * Which names those are is read from the schemas, whether they hold for a document or not: each of allOf,
 * anyOf, oneOf, if, $ref and dependentSchemas. So the shape stays a bound from above. Where it cannot be
 * known (dynamic references, too much to read), nothing is left out. */
#include "schema/shape/read.h"

enum { GATHER_DEEP_MAX = 64 }; /* schemas within schemas on one value */

struct gatherer {
    struct shape_reader *reader;
    struct shape *known; /* gets the names and patterns that any schema knows */
    unsigned deep;
    bool open; /* it cannot be known, or everything may be evaluated */
};

static int gather(struct gatherer *g, struct document *document, uint32_t node);

static int gather_ref(struct gatherer *g, const struct shape_keywords *keywords)
{
    struct schema_target target = {0};
    uint32_t node = keywords->at[KEYWORD_REF];
    if (!json_is(keywords->json, node, JSON_STRING))
        return 0;
    if (shape_resolve(g->reader, keywords, node, &target) < 0)
        return -1;
    return gather(g, target.resource->document, target.node);
}

static int gather_lists(struct gatherer *g, const struct shape_keywords *keywords)
{
    static const enum keyword lists[] = {KEYWORD_ALL_OF, KEYWORD_ANY_OF, KEYWORD_ONE_OF};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        uint32_t list = keywords->at[lists[i]];
        for (uint32_t e = json_first(keywords->json, list); e != JSON_NONE;
             e = json_next(keywords->json, list, e)) {
            if (gather(g, keywords->document, e) < 0)
                return -1;
        }
    }
    return 0;
}

static int gather_others(struct gatherer *g, const struct shape_keywords *keywords)
{
    static const enum keyword parts[] = {KEYWORD_IF, KEYWORD_THEN, KEYWORD_ELSE};
    static const enum keyword maps[] = {KEYWORD_DEPENDENT_SCHEMAS, KEYWORD_DEPENDENCIES};
    const struct json *json = keywords->json;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint32_t part = keywords->at[parts[i]];
        if (part != JSON_NONE && gather(g, keywords->document, part) < 0)
            return -1;
    }
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        uint32_t map = keywords->at[maps[i]];
        for (uint32_t key = json_first_key(json, map); key != JSON_NONE;
             key = json_next_key(json, map, key)) {
            if (gather(g, keywords->document, json_value(key)) < 0)
                return -1;
        }
    }
    return 0;
}

static void gather_names(struct gatherer *g, const struct shape_keywords *keywords)
{
    const struct json *json = keywords->json;
    uint32_t properties = keywords->at[KEYWORD_PROPERTIES],
             patterns = keywords->at[KEYWORD_PATTERN_PROPERTIES];
    struct arena *scratch = &g->reader->scratch;
    for (uint32_t key = json_first_key(json, properties); key != JSON_NONE;
         key = json_next_key(json, properties, key))
        shape_property_add(g->known, json_string(json, key, scratch), false, shape_new_any());
    for (uint32_t key = json_first_key(json, patterns); key != JSON_NONE && !g->open;
         key = json_next_key(json, patterns, key)) {
        g->open = g->known->pattern_count == SHAPE_PATTERNS_MAX;
        if (!g->open)
            shape_pattern_add(g->known, json_cstring(json, key, scratch), shape_new_any());
    }
}

/* Is there a schema that evaluates whatever is left over? `false` evaluates nothing that may be there. */
static bool leaves_nothing(const struct shape_keywords *keywords, enum keyword keyword)
{
    uint32_t node = keywords->at[keyword];
    return node != JSON_NONE && !json_is(keywords->json, node, JSON_FALSE);
}

static int gather_keywords(struct gatherer *g, const struct shape_keywords *keywords)
{
    if (keywords->resource->dialect.draft <= SCHEMA_DRAFT_7 && keywords->at[KEYWORD_REF] != JSON_NONE)
        return gather_ref(g, keywords);
    gather_names(g, keywords);
    g->open |= keywords->at[KEYWORD_DYNAMIC_REF] != JSON_NONE ||
               keywords->at[KEYWORD_RECURSIVE_REF] != JSON_NONE ||
               leaves_nothing(keywords, KEYWORD_ADDITIONAL_PROPERTIES);
    if (gather_ref(g, keywords) < 0 || gather_lists(g, keywords) < 0)
        return -1;
    return gather_others(g, keywords);
}

static int gather(struct gatherer *g, struct document *document, uint32_t node)
{
    if (!json_is(&document->json, node, JSON_OBJECT))
        return 0;
    if (g->deep == GATHER_DEEP_MAX || g->reader->budget == 0)
        g->open = true;
    if (g->open)
        return 0;
    struct shape_keywords keywords;
    shape_find_keywords(g->reader, document, node, &keywords);
    g->open = leaves_nothing(&keywords, KEYWORD_UNEVALUATED_PROPERTIES);
    g->reader->budget--;
    g->deep++;
    int result = gather_keywords(g, &keywords);
    g->deep--;
    return result;
}

int shape_read_unevaluated(struct shape_reader *reader, const struct shape_keywords *keywords,
                           struct shape **ret_shape)
{
    uint32_t node = keywords->at[KEYWORD_UNEVALUATED_PROPERTIES];
    *ret_shape = NULL;
    if (node == JSON_NONE || json_is(keywords->json, node, JSON_TRUE))
        return 0;
    mem_auto(shape_free) struct shape *known = shape_new_any();
    struct gatherer g = {.reader = reader, .known = known};
    if (gather_keywords(&g, keywords) < 0)
        return -1;
    shape_properties_sort(known);
    if (g.open)
        return 0;
    known->additional = shape_read(reader, keywords->document, node);
    if (!known->additional)
        return -1;
    *ret_shape = known;
    known = NULL;
    return 0;
}
