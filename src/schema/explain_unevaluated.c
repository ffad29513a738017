/* unevaluatedProperties and unevaluatedItems: also where something else of the schema does not hold. */
#include "schema/explain.h"

enum { RULES_DEEP_MAX = 64, LOOKS_MAX = 1 << 22 };

/* A member or element that nothing has evaluated. */
struct left_over {
    uint32_t child; /* its key, or the element */
    uint32_t index;
};

static bool may_evaluate(struct explainer *x, const struct rule *rule, struct left_over left, int deep);

static bool any_may_evaluate(struct explainer *x, const uint32_t *rules, uint32_t count,
                             struct left_over left, int deep)
{
    bool may = false;
    for (uint32_t i = 0; i < count && !may; i++)
        may = may_evaluate(x, &x->m->program->rules[rules[i]], left, deep);
    return may;
}

static bool members_may_evaluate(struct explainer *x, const struct op *op, struct left_over left)
{
    const struct object_plan *plan = &x->m->program->objects[op->a];
    if (plan->marks_additional)
        return true;
    const struct property *property = machine_property(x->m, plan, left.child);
    bool may = property && property->declared;
    for (uint32_t i = 0; i < plan->pattern_count && !may; i++)
        may = machine_match(x->m, plan->patterns[i].regex, op->place, left.child) != 0;
    return may;
}

static bool op_may_evaluate(struct explainer *x, const struct op *op, struct left_over left, int deep)
{
    const struct schema *program = x->m->program;
    bool is_key = json_is(x->m->doc, left.child, JSON_KEY);
    switch (op->code) {
    case OP_MEMBERS:
        return is_key && members_may_evaluate(x, op, left);
    case OP_ITEMS:
        return !is_key &&
               (program->arrays[op->a].marks_items || left.index < program->arrays[op->a].prefix_count);
    case OP_CONTAINS:
        return !is_key && program->contains[op->a].marks;
    case OP_CALL:
        return any_may_evaluate(x, &op->a, 1, left, deep);
    case OP_DYNAMIC: {
        uint32_t rule = machine_dynamic_rule(x->m, &program->dynamics[op->a]);
        return any_may_evaluate(x, &rule, 1, left, deep);
    }
    case OP_DEPENDENT_SCHEMA:
        return any_may_evaluate(x, &op->b, 1, left, deep);
    case OP_ANY_OF:
    case OP_ONE_OF:
    case OP_IF:
        return any_may_evaluate(x, &program->lists[op->a], op->b, left, deep);
    default:
        return false;
    }
}

/* Could the rule evaluate it for some document? A rule of its own unevaluated* does; so it seems where too
 * much would have to be looked at. */
static bool may_evaluate(struct explainer *x, const struct rule *rule, struct left_over left, int deep)
{
    bool may = deep == RULES_DEEP_MAX || x->looks >= LOOKS_MAX || (deep > 0 && rule->tracks);
    for (uint32_t i = rule->first[GROUP_ARRAY]; i < rule->first[GROUP_LATE] && !may; i++, x->looks++)
        may = op_may_evaluate(x, &x->m->program->ops[i], left, deep + 1);
    return may;
}

static void explain_left_over(struct explainer *x, const struct op *op, uint32_t child)
{
    bool is_key = json_is(x->m->doc, child, JSON_KEY);
    uint32_t value = is_key ? json_value(child) : child;
    if (op->a == RULE_FALSE && is_key) {
        message_unexpected(x, NULL, child);
        explain_violate(x, op->place, (enum keyword)op->keyword, value);
    } else {
        explain_child(x, op->a, op->place, (enum keyword)op->keyword, value);
    }
}

void explain_unevaluated(struct explainer *x, const struct op *op, const struct rule *failed, uint32_t at)
{
    const struct json *doc = x->m->doc;
    bool is_array = op->code == OP_UNEVALUATED_ITEMS;
    if (!json_is(doc, at, is_array ? JSON_ARRAY : JSON_OBJECT))
        return;
    struct site site = explain_push(x, op->place, (enum keyword)op->keyword);
    struct left_over left = {.child = at + 1};
    for (uint32_t end = json_after(doc, at); left.child < end && !explain_is_full(x); left.index++) {
        if (!marks_has(x->m, x->m->marks, left.index) && !(failed && may_evaluate(x, failed, left, 0)))
            explain_left_over(x, op, left.child);
        left.child = json_after(doc, is_array ? left.child : json_value(left.child));
    }
    marks_fill(x->m, x->m->marks);
    explain_pop(x, site);
}
