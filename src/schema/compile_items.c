/* Keywords of arrays. */
#include "schema/compile.h"

static int compile_prefix(struct compiler *c, struct array_plan *plan, uint32_t list)
{
    plan->prefix = arena_alloc(&c->program->arena, (json_count(c->json, list) + 1) * sizeof *plan->prefix);
    for (uint32_t e = json_first(c->json, list); e != JSON_NONE; e = json_next(c->json, list, e)) {
        if (compile_rule(c, e, &plan->prefix[plan->prefix_count++]) < 0)
            return -1;
    }
    return 0;
}

static int compile_items(struct compiler *c)
{
    uint32_t prefix = facet(c, KEYWORD_PREFIX_ITEMS), items = facet(c, KEYWORD_ITEMS);
    struct array_plan plan = {
        .items = RULE_TRUE, .prefix_keyword = KEYWORD_PREFIX_ITEMS, .items_keyword = KEYWORD_ITEMS};
    if (c->resource->dialect.draft < SCHEMA_DRAFT_2020_12 && json_is(c->json, items, JSON_ARRAY)) {
        prefix = items;
        items = facet(c, KEYWORD_ADDITIONAL_ITEMS);
        plan.prefix_keyword = KEYWORD_ITEMS;
        plan.items_keyword = KEYWORD_ADDITIONAL_ITEMS;
    }
    if (prefix != JSON_NONE && !json_is(c->json, prefix, JSON_ARRAY))
        return compile_error(c, prefix, "expected an array of schemas");
    if (prefix != JSON_NONE && compile_prefix(c, &plan, prefix) < 0)
        return -1;
    if (items != JSON_NONE && compile_rule(c, items, &plan.items) < 0)
        return -1;
    plan.marks_items = items != JSON_NONE;
    if (compile_count(c, KEYWORD_MIN_ITEMS, 0, &plan.min) < 0 ||
        compile_count(c, KEYWORD_MAX_ITEMS, UINT32_MAX, &plan.max) < 0)
        return -1;
    if (prefix == JSON_NONE && items == JSON_NONE && plan.min == 0 && plan.max == UINT32_MAX)
        return 0;
    uint32_t number = PROGRAM_ADD(c, struct array_plan, arrays, array_count, array_capacity);
    c->program->arrays[number] = plan;
    compile_emit(c, OP_ITEMS, plan.items_keyword, number, PLACE_NONE);
    return 0;
}

static int compile_contains(struct compiler *c)
{
    uint32_t contains = facet(c, KEYWORD_CONTAINS);
    struct contains_plan plan = {.marks = c->resource->dialect.draft == SCHEMA_DRAFT_2020_12};
    if (contains == JSON_NONE)
        return 0;
    if (compile_rule(c, contains, &plan.rule) < 0 ||
        compile_count(c, KEYWORD_MIN_CONTAINS, 1, &plan.min) < 0 ||
        compile_count(c, KEYWORD_MAX_CONTAINS, UINT32_MAX, &plan.max) < 0)
        return -1;
    uint32_t number = PROGRAM_ADD(c, struct contains_plan, contains, contains_count, contains_capacity);
    c->program->contains[number] = plan;
    compile_emit(c, OP_CONTAINS, KEYWORD_CONTAINS, number, 0);
    return 0;
}

int compile_array(struct compiler *c)
{
    if (compile_items(c) < 0 || compile_contains(c) < 0)
        return -1;
    if (json_is(c->json, facet(c, KEYWORD_UNIQUE_ITEMS), JSON_TRUE))
        compile_emit(c, OP_UNIQUE_ITEMS, KEYWORD_UNIQUE_ITEMS, 0, 0);
    return 0;
}
