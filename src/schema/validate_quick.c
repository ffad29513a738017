/* Rules in short: what most values come to. */
#include "schema/machine.h"

#include "schema/value.h"

static bool run_steps(struct schema_validator *m, uint32_t first, uint32_t last, uint32_t at)
{
    const struct op *ops = m->program->ops;
    for (uint32_t i = first; i < last; i++) {
        if (!machine_step(m, &ops[i], at))
            return false;
    }
    return true;
}

/* An integer of at most 18 digits; false: longer, or no integer. */
static inline bool short_integer(const struct json *doc, uint32_t at, int64_t *ret_value)
{
    enum { SHORT_MAX = 18 };
    const struct json_node *node = &doc->nodes[at];
    if (node->tag != JSON_INTEGER || node->length > SHORT_MAX)
        return false;
    const char *digit = doc->source + node->offset, *end = digit + node->length;
    bool negative = *digit == '-';
    int64_t value = 0;
    for (digit += negative; digit < end; digit++)
        value = value * 10 + (*digit - '0');
    *ret_value = negative ? -value : value;
    return true;
}

static bool in_range(struct schema_validator *m, const struct range_plan *range, uint32_t at)
{
    int64_t value;
    if (short_integer(m->doc, at, &value))
        return value >= range->min && value <= range->max;
    return run_steps(m, range->first, range->last, at);
}

/* What calls further rules: at what calling its own rule would have cost in steps and depth. */
static bool run_caller(struct schema_validator *m, const struct quick *quick, uint32_t at)
{
    enum { STEPS = 2 };
    if (m->steps < STEPS)
        return machine_stop(m, STOP_STEPS, quick->b, at);
    if (m->depth == SCHEMA_CALL_DEPTH_MAX)
        return machine_stop(m, STOP_DEPTH, quick->b, at);
    m->steps -= STEPS;
    m->depth++;
    bool valid;
    if (quick->code == QUICK_MEMBERS)
        valid = machine_members(m, &m->program->objects[quick->a], quick->b, at);
    else if (quick->code == QUICK_ITEMS)
        valid = machine_items(m, &m->program->arrays[quick->a], at);
    else
        valid = machine_choose(m, &m->program->ops[quick->a], at);
    m->depth--;
    return valid;
}

bool machine_quick(struct schema_validator *m, const struct quick *quick, uint32_t at)
{
    switch ((enum quick_code)quick->code) {
    case QUICK_RULE:
        return machine_run_rule(m, quick->a, at);
    case QUICK_STEPS:
        return run_steps(m, quick->a, quick->b, at);
    case QUICK_LENGTH:
        return machine_length_at_least(m, at, quick->a) && machine_length_at_most(m, at, quick->b);
    case QUICK_PATTERN:
        return machine_pattern(m, quick->a, quick->b, at);
    case QUICK_RANGE:
        return in_range(m, &m->program->ranges[quick->a], at);
    case QUICK_VALUES:
        return machine_one_of_values(m, &m->program->enums[quick->a], at);
    case QUICK_MEMBERS:
    case QUICK_ITEMS:
    case QUICK_CHOICE:
        return run_caller(m, quick, at);
    }
    return false;
}
