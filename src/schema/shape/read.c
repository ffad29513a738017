/* A shape from a schema: references followed, alternatives united, what holds together intersected. */
#include "schema/shape/read.h"

#include "schema/uri.h"

static struct shape *vague_any(void)
{
    struct shape *shape = shape_new_any();
    shape->vague = true;
    return shape;
}

static uint64_t weight_of(const struct shape *shape)
{
    uint64_t weight = 1 + (uint64_t)shape->pattern_count * (shape->property_count + 1U);
    for (uint32_t i = 0; i < shape->property_count; i++)
        weight += weight_of(shape->properties[i].shape);
    for (uint32_t i = 0; i < shape->tuple_count; i++)
        weight += weight_of(shape->tuple[i]);
    for (uint32_t i = 0; i < shape->pattern_count; i++)
        weight += weight_of(shape->patterns[i].shape);
    weight += shape->additional ? weight_of(shape->additional) : 0;
    return weight + (shape->items ? weight_of(shape->items) : 0);
}

/* Combining costs time with the size of both: what is too much is not done, and leaves the shape vague. */
static bool may_combine(struct shape_reader *reader, const struct shape *into, const struct shape *other)
{
    uint64_t work = weight_of(into) + weight_of(other);
    bool may = work <= reader->work;
    reader->work -= may ? work : reader->work;
    return may;
}

/* `other` is left with whatever. A schema that is a $ref and nothing else takes it over. */
static void intersect(struct shape_reader *reader, struct shape *into, struct shape *other)
{
    if (shape_is_any(into)) {
        struct shape taken = *other;
        taken.vague |= into->vague;
        *other = *into;
        *into = taken;
    } else if (may_combine(reader, into, other)) {
        shape_intersect(into, other);
    } else {
        into->vague = true;
    }
}

/* False: the union is too large, and so anything. */
static bool unite(struct shape_reader *reader, struct shape *into, const struct shape *other)
{
    if (!may_combine(reader, into, other))
        return false;
    shape_union(into, other);
    return true;
}

/* --- references ------------------------------------------------------------------------------------- */

int shape_resolve(struct shape_reader *reader, const struct shape_keywords *keywords, uint32_t node,
                  struct schema_target *ret_target)
{
    struct slice text = json_string(keywords->json, node, &reader->scratch);
    if (text.size > URI_SIZE_MAX)
        return error_set(reader->err, ERROR_LIMIT, "schema %s: a $ref of %zu bytes, at most %d are allowed",
                         keywords->resource->uri, text.size, URI_SIZE_MAX);
    const char *bare = uri_resolve(&reader->scratch, slice_of(keywords->resource->uri), text);
    struct slice fragment = uri_fragment(text);
    const char *uri = arena_printf(&reader->scratch, "%s#%.*s", bare, SLICE_ARGS(fragment));
    if (registry_resolve(reader->registry, keywords->document, uri, ret_target, reader->err) == 0)
        return 0;
    return error_wrap(reader->err, "schema %s: cannot resolve \"%.*s\"",
                      resource_location(keywords->resource, keywords->node, &reader->scratch),
                      (int)utf8_cut(text.data, text.size, 200), text.data);
}

static bool is_visited(const struct shape_reader *reader, const struct schema_target *target)
{
    for (uint32_t i = 0; i < reader->visit_count; i++) {
        if (reader->visits[i].document == target->resource->document &&
            reader->visits[i].node == target->node)
            return true;
    }
    return false;
}

static struct shape *read_target(struct shape_reader *reader, const struct schema_target *target)
{
    if (is_visited(reader, target) || reader->visit_count == SHAPE_NESTING_MAX)
        return vague_any();
    reader->visits[reader->visit_count++] = (struct shape_visit){target->resource->document, target->node};
    struct shape *shape = shape_read(reader, target->resource->document, target->node);
    reader->visit_count--;
    return shape;
}

static int read_ref(struct shape_reader *reader, const struct shape_keywords *keywords, struct shape *shape)
{
    uint32_t node = keywords->at[KEYWORD_REF];
    struct schema_target target = {0};
    if (!json_is(keywords->json, node, JSON_STRING))
        return 0;
    if (shape_resolve(reader, keywords, node, &target) < 0)
        return -1;
    mem_auto(shape_free) struct shape *referred = read_target(reader, &target);
    if (!referred)
        return -1;
    intersect(reader, shape, referred);
    return 0;
}

/* --- combinations ----------------------------------------------------------------------------------- */

static int read_all(struct shape_reader *reader, const struct shape_keywords *keywords, struct shape *shape)
{
    uint32_t list = keywords->at[KEYWORD_ALL_OF];
    for (uint32_t e = json_first(keywords->json, list); e != JSON_NONE;
         e = json_next(keywords->json, list, e)) {
        mem_auto(shape_free) struct shape *each = shape_read(reader, keywords->document, e);
        if (!each)
            return -1;
        intersect(reader, shape, each);
    }
    return 0;
}

static int read_alternatives(struct shape_reader *reader, const struct shape_keywords *keywords,
                             enum keyword keyword, struct shape *shape)
{
    uint32_t list = keywords->at[keyword];
    if (json_count(keywords->json, list) == 0 || !json_is(keywords->json, list, JSON_ARRAY))
        return 0;
    if (json_count(keywords->json, list) > SHAPE_BRANCHES_MAX) {
        shape->vague = true;
        return 0;
    }
    mem_auto(shape_free) struct shape *any = shape_new_nothing();
    for (uint32_t e = json_first(keywords->json, list); e != JSON_NONE;
         e = json_next(keywords->json, list, e)) {
        mem_auto(shape_free) struct shape *each = shape_read(reader, keywords->document, e);
        if (!each)
            return -1;
        if (!unite(reader, any, each)) {
            shape->vague = true;
            return 0;
        }
    }
    intersect(reader, shape, any);
    return 0;
}

/* What fits "if" fits "then" as well; all else fits "else". */
static int read_condition(struct shape_reader *reader, const struct shape_keywords *keywords,
                          struct shape *shape)
{
    static const enum keyword parts[3] = {KEYWORD_IF, KEYWORD_THEN, KEYWORD_ELSE};
    struct shape *read[3] = {NULL};
    int result = 0;
    if (keywords->at[KEYWORD_IF] == JSON_NONE ||
        (keywords->at[KEYWORD_THEN] == JSON_NONE && keywords->at[KEYWORD_ELSE] == JSON_NONE))
        return 0;
    for (int i = 0; i < 3 && result == 0; i++) {
        uint32_t node = keywords->at[parts[i]];
        read[i] = node == JSON_NONE ? shape_new_any() : shape_read(reader, keywords->document, node);
        result = read[i] ? 0 : -1;
    }
    if (result == 0) {
        intersect(reader, read[1], read[0]);
        if (unite(reader, read[1], read[2]))
            intersect(reader, shape, read[1]);
        shape->vague = true;
    }
    for (int i = 0; i < 3; i++)
        shape_free(read[i]);
    return result;
}

static int read_unevaluated(struct shape_reader *reader, const struct shape_keywords *keywords,
                            struct shape *shape)
{
    mem_auto(shape_free) struct shape *known = NULL;
    if (shape_read_unevaluated(reader, keywords, &known) < 0)
        return -1;
    if (known)
        intersect(reader, shape, known);
    return 0;
}

/* Keywords that may refuse more than a shape can say, where that matters: which types and members there are.
 */
static bool has_more(const struct shape_keywords *keywords)
{
    static const enum keyword more[] = {
        KEYWORD_NOT,         KEYWORD_DEPENDENT_SCHEMAS, KEYWORD_DEPENDENCIES, KEYWORD_DEPENDENT_REQUIRED,
        KEYWORD_DYNAMIC_REF, KEYWORD_RECURSIVE_REF,     KEYWORD_CONTAINS,     KEYWORD_MIN_PROPERTIES};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        if (keywords->at[more[i]] != JSON_NONE)
            return true;
    }
    return false;
}

/* --- a schema --------------------------------------------------------------------------------------- */

void shape_find_keywords(const struct shape_reader *reader, struct document *document, uint32_t node,
                         struct shape_keywords *keywords)
{
    const struct json *json = &document->json;
    const struct resource *resource = document_resource_of(document, node);
    memset(keywords->at, 0xff, sizeof keywords->at);
    keywords->resource = resource;
    keywords->document = document;
    keywords->json = json;
    keywords->node = node;
    for (uint32_t key = json_first_key(json, node); key != JSON_NONE; key = json_next_key(json, node, key)) {
        enum keyword keyword = keyword_find(&reader->registry->keywords, json, key);
        if (keyword != KEYWORD_NONE && keyword_in(keyword, &resource->dialect))
            keywords->at[keyword] = json_value(key);
    }
}

static int read_keywords(struct shape_reader *reader, const struct shape_keywords *keywords,
                         struct shape *shape)
{
    bool alone =
        keywords->resource->dialect.draft <= SCHEMA_DRAFT_7 && keywords->at[KEYWORD_REF] != JSON_NONE;
    if (alone) /* what stands beside it is ignored */
        return read_ref(reader, keywords, shape);
    shape_read_annotations(keywords, &reader->scratch, shape);
    shape_read_values(keywords, &reader->scratch, shape);
    if (shape_read_arrays(reader, keywords, shape) < 0 || shape_read_objects(reader, keywords, shape) < 0)
        return -1;
    shape->vague |= has_more(keywords);
    shape_normalise(shape);
    if (read_ref(reader, keywords, shape) < 0 || read_all(reader, keywords, shape) < 0 ||
        read_alternatives(reader, keywords, KEYWORD_ANY_OF, shape) < 0 ||
        read_alternatives(reader, keywords, KEYWORD_ONE_OF, shape) < 0)
        return -1;
    return read_condition(reader, keywords, shape) < 0 ? -1 : read_unevaluated(reader, keywords, shape);
}

struct shape *shape_read(struct shape_reader *reader, struct document *document, uint32_t node)
{
    if (json_is(&document->json, node, JSON_FALSE))
        return shape_new_nothing();
    if (json_is(&document->json, node, JSON_TRUE))
        return shape_new_any();
    if (!json_is(&document->json, node, JSON_OBJECT) || reader->budget == 0 ||
        reader->nesting == SHAPE_NESTING_MAX)
        return vague_any();
    reader->budget--;
    reader->nesting++;
    struct shape_keywords keywords;
    struct shape *shape = shape_new_any();
    shape_find_keywords(reader, document, node, &keywords);
    if (read_keywords(reader, &keywords, shape) < 0) {
        shape_free(shape);
        shape = NULL;
    }
    reader->nesting--;
    return shape;
}

struct shape *shape_of_schema(struct schema_registry *registry, const char *uri, struct error *err)
{
    struct shape_reader reader = {
        .registry = registry, .budget = SHAPE_BUDGET, .work = SHAPE_WORK_MAX, .err = err};
    struct schema_target target;
    if (registry_resolve(registry, NULL, uri, &target, err) < 0)
        return NULL;
    arena_init(&reader.scratch);
    struct shape *shape = read_target(&reader, &target);
    arena_done(&reader.scratch);
    return shape;
}
