/* What tells alternatives apart: the const and enum that each has for values of the document, at any depth.
 *
 * Of each alternative its own schemas are gone through beside the document (properties, patternProperties and
 * additionalProperties of the first members, prefixItems, items of the first elements, allOf, $ref, and what
 * all of a nested anyOf or oneOf agree in), whether they hold or not. Bounded: what would take longer gives
 * no evidence, and alternatives are then weighed by other means.
 */
#include "schema/explain.h"

enum {
    EVIDENCE_LOOKS_MAX = 1 << 16, /* operations and members looked at for one choice … */
    EVIDENCE_LOOKS_ALL = 1 << 22, /* … and for one document */
    EVIDENCE_CALLS_MAX = 64,      /* rules within rules on one value */
    EVIDENCE_ELEMENTS_MAX = 16, /* elements of an array that "items" is for; the others are much like them */
    EVIDENCE_OTHERS_MAX = 64,   /* members that patternProperties or additionalProperties may be for */
};

struct gatherer {
    struct explainer *x;
    struct evidence *evidence;
    uint32_t looks, alternative, level, calls;
    bool nested; /* in a choice within the alternative */
};

static void look_at_rule(struct gatherer *g, uint32_t number, uint32_t at);

static bool may_look(struct gatherer *g)
{
    return g->looks < EVIDENCE_LOOKS_MAX && g->looks++ + g->x->looks < EVIDENCE_LOOKS_ALL;
}

static void look_at_child(struct gatherer *g, uint32_t rule, uint32_t at)
{
    uint32_t calls = g->calls;
    g->calls = 0;
    g->level++;
    look_at_rule(g, rule, at);
    g->level--;
    g->calls = calls;
}

/* What patternProperties, else additionalProperties, say of a member. */
static void look_at_other(struct gatherer *g, const struct op *op, uint32_t key, bool declared)
{
    const struct object_plan *plan = &g->x->m->program->objects[op->a];
    bool covered = declared;
    for (uint32_t i = 0; i < plan->pattern_count && may_look(g); i++) {
        const struct pattern_rule *pattern = &plan->patterns[i];
        if (machine_match(g->x->m, pattern->regex, op->place, key) != 1)
            continue;
        covered = true;
        look_at_child(g, pattern->rule, json_value(key));
    }
    if (!covered && plan->additional >= RULE_FIRST)
        look_at_child(g, plan->additional, json_value(key));
}

static void look_at_members(struct gatherer *g, const struct op *op, uint32_t at)
{
    const struct json *doc = g->x->m->doc;
    const struct object_plan *plan = &g->x->m->program->objects[op->a];
    bool has_others = plan->pattern_count > 0 || plan->additional >= RULE_FIRST;
    uint32_t others = 0;
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE && may_look(g);
         key = json_next_key(doc, at, key)) {
        const struct property *property = machine_property(g->x->m, plan, key);
        bool declared = property && property->declared;
        g->evidence->known[g->alternative] += declared && g->level == 0 && !g->nested;
        if (g->level == EVIDENCE_LEVELS_MAX)
            continue;
        if (declared)
            look_at_child(g, property->rule, json_value(key));
        if (has_others && (plan->pattern_count || !declared) && others++ < EVIDENCE_OTHERS_MAX)
            look_at_other(g, op, key, declared);
    }
}

static void look_at_items(struct gatherer *g, const struct array_plan *plan, uint32_t at)
{
    const struct json *doc = g->x->m->doc;
    uint32_t i = 0, end = plan->prefix_count + (plan->items >= RULE_FIRST ? EVIDENCE_ELEMENTS_MAX : 0);
    for (uint32_t e = json_first(doc, at); e != JSON_NONE && i < end && may_look(g);
         e = json_next(doc, at, e), i++) {
        if (g->level < EVIDENCE_LEVELS_MAX)
            look_at_child(g, i < plan->prefix_count ? plan->prefix[i] : plan->items, e);
    }
}

static int compare_clues(const void *first, const void *second)
{
    const struct clue *a = first, *b = second;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    if (a->alternative != b->alternative)
        return a->alternative < b->alternative ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

struct clue_group evidence_group(const struct evidence *evidence, size_t first)
{
    struct clue_group group = {.first = first, .end = first};
    const struct clue *clues = evidence->clues;
    while (group.end < evidence->count && clues[group.end].node == clues[first].node) {
        uint32_t alternative = clues[group.end].alternative;
        bool holds = true;
        for (; group.end < evidence->count && clues[group.end].node == clues[first].node &&
               clues[group.end].alternative == alternative;
             group.end++)
            holds &= clues[group.end].holds;
        group.holding += holds;
        group.failing += !holds;
    }
    return group;
}

/* A choice within an alternative: a value is right if it is so for any, wrong if it is for all. */
static void look_at_choice(struct gatherer *g, const struct op *op, uint32_t at)
{
    struct evidence *evidence = g->evidence, inner = {.known = evidence->known};
    struct gatherer within = *g;
    within.evidence = &inner;
    within.nested = true;
    for (uint32_t i = 0; i < op->b && may_look(&within); i++) {
        size_t before = inner.count;
        look_at_rule(&within, g->x->m->program->lists[op->a + i], at);
        for (size_t c = before; c < inner.count; c++)
            inner.clues[c].alternative = i;
    }
    g->looks = within.looks;
    if (inner.count > 0)
        qsort(inner.clues, inner.count, sizeof *inner.clues, compare_clues);
    struct clue_group group;
    for (size_t first = 0; first < inner.count; first = group.end) {
        group = evidence_group(&inner, first);
        for (size_t c = first; c < group.end && (group.holding || group.failing == op->b); c++) {
            if (group.holding && !inner.clues[c].holds)
                continue;
            evidence->clues =
                mem_grow(evidence->clues, &evidence->capacity, evidence->count + 1, sizeof *evidence->clues);
            evidence->clues[evidence->count] = inner.clues[c];
            evidence->clues[evidence->count].alternative = g->alternative;
            evidence->clues[evidence->count].order = (uint32_t)evidence->count;
            evidence->count++;
        }
    }
    free(inner.clues);
}

static void look_at_values(struct gatherer *g, const struct op *op, uint32_t at)
{
    struct evidence *evidence = g->evidence;
    evidence->clues =
        mem_grow(evidence->clues, &evidence->capacity, evidence->count + 1, sizeof *evidence->clues);
    evidence->clues[evidence->count] = (struct clue){.node = at,
                                                     .alternative = g->alternative,
                                                     .order = (uint32_t)evidence->count,
                                                     .level = (uint8_t)g->level,
                                                     .holds = machine_step(g->x->m, op, at),
                                                     .plan = &g->x->m->program->enums[op->a]};
    evidence->count++;
}

static void look_at_op(struct gatherer *g, const struct op *op, uint32_t at)
{
    const struct schema *program = g->x->m->program;
    enum json_tag tag = json_tag(g->x->m->doc, at);
    switch (op->code) {
    case OP_CONST:
    case OP_ENUM:
        look_at_values(g, op, at);
        break;
    case OP_CALL:
        look_at_rule(g, op->a, at);
        break;
    case OP_DYNAMIC:
        look_at_rule(g, machine_dynamic_rule(g->x->m, &program->dynamics[op->a]), at);
        break;
    case OP_ANY_OF:
    case OP_ONE_OF:
        look_at_choice(g, op, at);
        break;
    case OP_MEMBERS:
        if (tag == JSON_OBJECT)
            look_at_members(g, op, at);
        break;
    case OP_ITEMS:
        if (tag == JSON_ARRAY)
            look_at_items(g, &program->arrays[op->a], at);
        break;
    default:
        break;
    }
}

static void look_at_rule(struct gatherer *g, uint32_t number, uint32_t at)
{
    const struct schema *program = g->x->m->program;
    const struct rule *rule = &program->rules[number];
    bool fits = machine_type(g->x->m->doc, rule->types, at);
    if (number < RULE_FIRST || g->calls == EVIDENCE_CALLS_MAX || (!fits && g->level > 0))
        return; /* alternatives for other types are heard: by const and enum they say what they want */
    bool entered = machine_enter(g->x->m, rule->resource);
    g->calls++;
    for (uint32_t i = rule->first[GROUP_ARRAY]; i < rule->first[GROUP_LATE] && may_look(g); i++)
        look_at_op(g, &program->ops[i], at);
    g->calls--;
    g->x->m->scope_count -= entered;
}

void evidence_gather(struct explainer *x, const struct op *op, uint32_t at, struct evidence *ret_evidence)
{
    struct evidence *evidence = ret_evidence;
    *evidence = (struct evidence){.known = mem_zalloc(op->b * sizeof *evidence->known)};
    struct gatherer g = {.x = x, .evidence = evidence};
    for (uint32_t i = 0; i < op->b; i++) {
        g.alternative = i;
        look_at_rule(&g, x->m->program->lists[op->a + i], at);
    }
    x->looks += g.looks;
    if (g.looks >= EVIDENCE_LOOKS_MAX || x->looks >= EVIDENCE_LOOKS_ALL)
        evidence->count = 0; /* of some alternatives only: worse than none */
    if (evidence->count > 0)
        qsort(evidence->clues, evidence->count, sizeof *evidence->clues, compare_clues);
}

void evidence_done(struct evidence *evidence)
{
    free(evidence->clues);
    free(evidence->known);
}
