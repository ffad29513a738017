/* References and the keywords that combine schemas. */
#include "schema/compile.h"

#include "schema/uri.h"

static uint32_t reserve_list(struct compiler *c, uint32_t count)
{
    struct schema *program = c->program;
    program->lists =
        mem_grow(program->lists, &c->list_capacity, program->list_count + count, sizeof *program->lists);
    uint32_t first = (uint32_t)program->list_count;
    program->list_count += count;
    return first;
}

static int compile_list(struct compiler *c, enum keyword keyword, enum op_code code)
{
    uint32_t list = facet(c, keyword);
    if (list == JSON_NONE)
        return 0;
    if (json_count(c->json, list) == 0 || !json_is(c->json, list, JSON_ARRAY))
        return compile_error(c, list, "expected an array of schemas, at least one");
    uint32_t count = json_count(c->json, list), first = reserve_list(c, count), at = first;
    for (uint32_t e = json_first(c->json, list); e != JSON_NONE; e = json_next(c->json, list, e)) {
        uint32_t rule;
        if (compile_rule(c, e, &rule) < 0)
            return -1;
        c->program->lists[at++] = rule;
    }
    compile_emit(c, code, keyword, first, count);
    return 0;
}

static int compile_all_of(struct compiler *c)
{
    uint32_t list = facet(c, KEYWORD_ALL_OF), position = 0;
    if (list != JSON_NONE && !json_is(c->json, list, JSON_ARRAY))
        return compile_error(c, list, "expected an array of schemas");
    for (uint32_t e = json_first(c->json, list); e != JSON_NONE; e = json_next(c->json, list, e)) {
        uint32_t rule;
        if (compile_rule(c, e, &rule) < 0)
            return -1;
        compile_emit(c, OP_CALL, KEYWORD_ALL_OF, rule, position++);
    }
    return 0;
}

static int compile_if(struct compiler *c)
{
    static const enum keyword parts[3] = {KEYWORD_IF, KEYWORD_THEN, KEYWORD_ELSE};
    if (facet(c, KEYWORD_IF) == JSON_NONE)
        return 0;
    uint32_t first = reserve_list(c, 3);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t rule = RULE_TRUE, node = facet(c, parts[i]);
        if (node != JSON_NONE && compile_rule(c, node, &rule) < 0)
            return -1;
        c->program->lists[first + i] = rule;
    }
    compile_emit(c, OP_IF, KEYWORD_IF, first, 3);
    return 0;
}

static int compile_unevaluated(struct compiler *c, enum keyword keyword, enum op_code code)
{
    uint32_t rule, node = facet(c, keyword);
    if (node == JSON_NONE)
        return 0;
    if (compile_rule(c, node, &rule) < 0)
        return -1;
    c->works[c->rule].tracks = true;
    compile_emit(c, code, keyword, rule, 0);
    return 0;
}

int compile_applicators(struct compiler *c)
{
    uint32_t rule, not = facet(c, KEYWORD_NOT);
    if (compile_all_of(c) < 0 || compile_list(c, KEYWORD_ANY_OF, OP_ANY_OF) < 0 ||
        compile_list(c, KEYWORD_ONE_OF, OP_ONE_OF) < 0 || compile_if(c) < 0)
        return -1;
    if (not != JSON_NONE) {
        if (compile_rule(c, not, &rule) < 0)
            return -1;
        compile_emit(c, OP_NOT, KEYWORD_NOT, rule, 0);
    }
    return compile_unevaluated(c, KEYWORD_UNEVALUATED_ITEMS, OP_UNEVALUATED_ITEMS) < 0 ||
                   compile_unevaluated(c, KEYWORD_UNEVALUATED_PROPERTIES, OP_UNEVALUATED_PROPERTIES) < 0
               ? -1
               : 0;
}

/* What a $ref, $dynamicRef or $recursiveRef names, before anything dynamic; and its fragment, until the next
 * is resolved. */
static int resolve(struct compiler *c, uint32_t node, struct slice *ret_fragment,
                   struct schema_target *ret_target)
{
    if (!json_is(c->json, node, JSON_STRING))
        return compile_error(c, node, "expected a string with a URI");
    arena_clear(&c->uris);
    struct slice text = json_string(c->json, node, &c->uris), fragment = uri_fragment(text);
    if (text.size > URI_SIZE_MAX)
        return compile_error(c, node, "URI of %zu bytes, at most %d are allowed", text.size, URI_SIZE_MAX);
    *ret_fragment = fragment;
    struct error err;
    int result;
    if (text.size > 0 && text.data[0] == '#') {
        result = registry_resolve_in(c->registry, c->resource, fragment, ret_target, &err);
    } else {
        const char *bare = uri_resolve(&c->uris, slice_of(c->resource->uri), text);
        const char *uri = arena_printf(&c->uris, "%s#%.*s", bare, SLICE_ARGS(fragment));
        result = registry_resolve(c->registry, c->resource->document, uri, ret_target, &err);
    }
    if (result < 0) {
        compile_error(c, node, "cannot resolve \"%.*s\": %s", (int)utf8_cut(text.data, text.size, 200),
                      text.data, err.message);
        c->err->code = err.code;
        return -1;
    }
    return 0;
}

static int compile_ref(struct compiler *c)
{
    uint32_t node = facet(c, KEYWORD_REF), rule;
    struct slice fragment = {0};
    struct schema_target target = {0};
    if (node == JSON_NONE)
        return 0;
    if (resolve(c, node, &fragment, &target) < 0 || compile_target(c, target, &rule) < 0)
        return -1;
    compile_emit(c, OP_CALL, KEYWORD_REF, rule, 0);
    return 0;
}

static void add_candidate(struct compiler *c, uint32_t number, uint32_t resource, uint32_t rule)
{
    struct dynamic_plan *plan = &c->program->dynamics[number];
    plan->candidates = mem_grow(plan->candidates, &plan->capacity, plan->count + 1, sizeof *plan->candidates);
    plan->candidates[plan->count++] = (struct dynamic_candidate){resource, rule};
}

static void emit_dynamic(struct compiler *c, enum keyword keyword, const char *anchor, uint32_t fallback)
{
    uint32_t number = PROGRAM_ADD(c, struct dynamic_plan, dynamics, dynamic_count, dynamic_capacity);
    c->program->dynamics[number].anchor = anchor;
    c->program->dynamics[number].fallback = fallback;
    compile_emit(c, OP_DYNAMIC, keyword, number, 0);
}

static int compile_dynamic_ref(struct compiler *c)
{
    uint32_t node = facet(c, KEYWORD_DYNAMIC_REF), rule;
    struct slice fragment = {0};
    struct schema_target target = {0};
    if (node == JSON_NONE)
        return 0;
    if (resolve(c, node, &fragment, &target) < 0 || compile_target(c, target, &rule) < 0)
        return -1;
    struct slice decoded = uri_decode(&c->uris, fragment);
    const char *name = arena_strndup(&c->uris, decoded.data, decoded.size);
    const struct anchor *anchor =
        decoded.size && decoded.data[0] != '/' ? resource_anchor(target.resource, name) : NULL;
    if (!anchor || !anchor->dynamic || rule < RULE_FIRST) {
        compile_emit(c, OP_CALL, KEYWORD_DYNAMIC_REF, rule, 0);
        return 0;
    }
    emit_dynamic(c, KEYWORD_DYNAMIC_REF, arena_strdup(&c->program->arena, name), rule);
    return 0;
}

/* 2019-09: "#", and if that resource has "$recursiveAnchor", the outermost one that has it too. */
static int compile_recursive_ref(struct compiler *c)
{
    uint32_t node = facet(c, KEYWORD_RECURSIVE_REF), rule;
    struct slice fragment = {0};
    struct schema_target target = {0};
    if (node == JSON_NONE)
        return 0;
    if (resolve(c, node, &fragment, &target) < 0 || compile_target(c, target, &rule) < 0)
        return -1;
    assert(target.resource);
    if (target.node == target.resource->node && target.resource->is_recursive && rule >= RULE_FIRST)
        emit_dynamic(c, KEYWORD_RECURSIVE_REF, NULL, rule);
    else
        compile_emit(c, OP_CALL, KEYWORD_RECURSIVE_REF, rule, 0);
    return 0;
}

int compile_references(struct compiler *c)
{
    return compile_ref(c) < 0 || compile_dynamic_ref(c) < 0 || compile_recursive_ref(c) < 0 ? -1 : 0;
}

static bool dynamic_target(const struct dynamic_plan *plan, struct resource *resource,
                           struct schema_target *ret_target)
{
    if (!plan->anchor) {
        *ret_target = (struct schema_target){resource, resource->node};
        return resource->is_recursive;
    }
    const struct anchor *anchor = resource_anchor(resource, plan->anchor);
    if (!anchor || !anchor->dynamic)
        return false;
    *ret_target = (struct schema_target){anchor->resource, anchor->node};
    return true;
}

/* Every resource that the program may enter and that has the anchor could answer. */
int compile_dynamics(struct compiler *c)
{
    size_t before = c->work_count;
    if (c->program->dynamic_count * c->program->resource_count > SCHEMA_DYNAMIC_MAX)
        return error_set(c->err, ERROR_LIMIT, "schema %s: %zu $dynamicRef over %zu resources are too many",
                         c->program->resources[0]->uri, c->program->dynamic_count,
                         c->program->resource_count);
    for (uint32_t d = 0; d < c->program->dynamic_count; d++) {
        while (c->program->dynamics[d].asked < c->program->resource_count) {
            uint32_t rule, r = c->program->dynamics[d].asked++;
            struct schema_target target;
            if (!dynamic_target(&c->program->dynamics[d], c->program->resources[r], &target))
                continue;
            if (compile_target(c, target, &rule) < 0)
                return -1;
            add_candidate(c, d, r, rule);
        }
    }
    return c->work_count > before;
}
