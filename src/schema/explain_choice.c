/* anyOf and oneOf: the nearest alternative is explained, not all of them. */
#include "schema/explain.h"

/* What the alternative is short of. */
static uint64_t cost_of(struct explainer *x, const struct op *op, uint32_t rule, uint32_t at)
{
    struct trial trial = {.level = x->level};
    struct trial *outer = x->trial;
    struct marks *marks = x->m->marks;
    uint32_t made = x->made;
    x->trial = &trial;
    x->made = 0;
    x->m->marks = NULL;
    explain_rule(x, rule, op->place, KEYWORD_NONE, at);
    x->m->marks = marks;
    x->trial = outer;
    x->made = made;
    return trial.cost;
}

/* Alternatives that differ by type only: say the types. 0 if there is more to it. */
static uint16_t only_types(const struct explainer *x, const uint32_t *rules, uint32_t count, uint32_t at)
{
    uint16_t types = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct rule *rule = &x->m->program->rules[rules[i]];
        if (machine_type(x->m->doc, rule->types, at))
            return 0;
        types |= rule->types;
    }
    return types;
}

static void violate_choice(struct explainer *x, const struct op *op, uint32_t at)
{
    struct site site = explain_push(x, op->place, (enum keyword)op->keyword);
    /* Weighed as one violation, however deep its alternatives are. */
    explain_violate(x, op->place, (enum keyword)op->keyword, at);
    explain_pop(x, site);
}

static void explain_too_many(struct explainer *x, const struct op *op, uint32_t at)
{
    const uint32_t *rules = &x->m->program->lists[op->a];
    uint32_t valid = 0, first = 0, second = 0;
    for (uint32_t i = 0; i < op->b; i++) {
        if (!marks_try(x->m, rules[i], at))
            continue;
        valid++;
        first = valid == 1 ? i : first;
        second = valid == 2 ? i : second;
    }
    message_set(x, "expected exactly one of %u alternatives to match, got %u: /oneOf/%u and /oneOf/%u%s",
                op->b, valid, first, second, valid > 2 ? " among them" : "");
    violate_choice(x, op, at);
}

static void explain_none(struct explainer *x, const struct op *op, uint32_t at)
{
    const uint32_t *rules = &x->m->program->lists[op->a];
    uint16_t types = only_types(x, rules, op->b, at);
    if (x->trial || types) {
        if (types)
            message_types(x, types, at);
        violate_choice(x, op, at);
        return;
    }
    uint32_t nearest = 0;
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < op->b && x->m->stopped == STOP_NONE; i++) {
        uint64_t cost = cost_of(x, op, rules[i], at);
        if (cost < best) {
            best = cost;
            nearest = i;
        }
    }
    struct site site = explain_push(x, op->place, (enum keyword)op->keyword);
    explain_push_number(x, nearest);
    explain_rule(x, rules[nearest], op->place, (enum keyword)op->keyword, at);
    explain_pop(x, site);
    message_set(x, "matches none of %u alternatives; the nearest is /%s/%u", op->b,
                keyword_name((enum keyword)op->keyword), nearest);
    violate_choice(x, op, at);
}

void explain_choice(struct explainer *x, const struct op *op, uint32_t at)
{
    const uint32_t *rules = &x->m->program->lists[op->a];
    bool some = false;
    for (uint32_t i = 0; i < op->b && !some && op->code == OP_ONE_OF; i++)
        some = marks_try(x->m, rules[i], at);
    if (x->m->stopped != STOP_NONE)
        return;
    if (some)
        explain_too_many(x, op, at);
    else
        explain_none(x, op, at);
}
