/* Rules in short.
 *
 * Most rules look at one kind of value and ask one thing: a string's length, a number's bounds, an object's
 * members. Linking writes that down in 16 bytes beside the property or item that the rule is for, so that
 * validating neither fetches the rule nor goes through its groups of operations. The operations stay as they
 * are: explaining reads those. */
#include "schema/compile.h"

#include "schema/value.h"

/* The tags of the kinds that operations are grouped by. */
static const uint16_t kind_types[GROUP_ANY] = {
    [GROUP_NUMBER] = TYPE_NUMBER,
    [GROUP_STRING] = TYPE_STRING,
    [GROUP_ARRAY] = TYPE_ARRAY,
    [GROUP_OBJECT] = TYPE_OBJECT,
};

static bool is_bound(const struct op *op)
{
    return op->code == OP_MINIMUM || op->code == OP_MAXIMUM || op->code == OP_EXCLUSIVE_MINIMUM ||
           op->code == OP_EXCLUSIVE_MAXIMUM;
}

static bool all_bounds(const struct schema *program, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i < last; i++) {
        if (!is_bound(&program->ops[i]) || program->numbers[program->ops[i].a].scale < 0)
            return false;
    }
    return true;
}

/* The integers that all the bounds leave. */
static uint32_t make_range(struct compiler *c, uint32_t first, uint32_t last)
{
    uint32_t number = PROGRAM_ADD(c, struct range_plan, ranges, range_count, range_capacity);
    struct range_plan *range = &c->program->ranges[number];
    *range = (struct range_plan){INT64_MIN, INT64_MAX, first, last};
    for (uint32_t i = first; i < last; i++) {
        const struct op *op = &c->program->ops[i];
        int64_t floor, ceiling;
        number_plan_enclose(&c->program->numbers[op->a], &floor, &ceiling);
        bool lower = op->code == OP_MINIMUM || op->code == OP_EXCLUSIVE_MINIMUM;
        int64_t bound = op->code == OP_MINIMUM             ? ceiling
                        : op->code == OP_MAXIMUM           ? floor
                        : op->code == OP_EXCLUSIVE_MINIMUM ? floor + 1
                                                           : ceiling - 1;
        if (lower && bound > range->min)
            range->min = bound;
        else if (!lower && bound < range->max)
            range->max = bound;
    }
    return number;
}

/* What the operations `first` up to `last`, which call nothing, come to. */
static void shorten_flat(struct compiler *c, struct quick *quick, uint32_t first, uint32_t last)
{
    const struct op *op = &c->program->ops[first];
    uint32_t count = last - first;
    quick->code = QUICK_STEPS;
    quick->a = first;
    quick->b = last;
    if (all_bounds(c->program, first, last)) {
        quick->code = QUICK_RANGE;
        quick->a = make_range(c, first, last);
    } else if (count == 1 && op->code == OP_PATTERN) {
        quick->code = QUICK_PATTERN;
        quick->a = op->a;
        quick->b = op->place;
    } else if (count == 1 && (op->code == OP_CONST || op->code == OP_ENUM)) {
        quick->code = QUICK_VALUES;
        quick->a = op->a;
    } else if (count == 1 && (op->code == OP_MIN_LENGTH || op->code == OP_MAX_LENGTH)) {
        quick->code = QUICK_LENGTH;
        quick->a = op->code == OP_MIN_LENGTH ? op->a : 0;
        quick->b = op->code == OP_MAX_LENGTH ? op->a : UINT32_MAX;
    } else if (count == 2 && op[0].code == OP_MIN_LENGTH && op[1].code == OP_MAX_LENGTH) {
        quick->code = QUICK_LENGTH;
        quick->a = op[0].a;
        quick->b = op[1].a;
    }
}

/* A rule's one operation that calls others; false: there is no short form of it. */
static bool shorten_caller(const struct schema *program, struct quick *quick, uint32_t number)
{
    const struct op *op = &program->ops[number];
    quick->a = op->a;
    quick->b = op->place;
    switch (op->code) {
    case OP_MEMBERS:
        quick->code = QUICK_MEMBERS;
        return true;
    case OP_ITEMS:
        quick->code = QUICK_ITEMS;
        return true;
    case OP_ANY_OF:
    case OP_ONE_OF:
        quick->code = QUICK_CHOICE;
        quick->a = number;
        return true;
    default:
        return false;
    }
}

/* The one run of operations that the rule has for values of its types, and for which of them it is; false if
 * there are several, and then `kinds` is still right. */
static bool sole_run(const struct rule *rule, uint16_t *ret_kinds, uint32_t *ret_first, uint32_t *ret_last)
{
    uint32_t any = rule->first[GROUP_LATE] - rule->first[GROUP_ANY], runs = 0;
    uint16_t kinds = 0;
    *ret_first = rule->first[GROUP_ANY];
    *ret_last = rule->first[GROUP_LATE];
    for (uint32_t group = 0; group < GROUP_ANY; group++) {
        if (!(rule->types & kind_types[group]) || rule->first[group] == rule->first[group + 1])
            continue;
        kinds |= kind_types[group];
        runs++;
        *ret_first = rule->first[group];
        *ret_last = rule->first[group + 1];
    }
    bool late = rule->first[GROUP_LATE] < rule->first[GROUP_TYPE];
    *ret_kinds = any || late ? TYPE_ANY : kinds;
    if (late || runs > 1)
        return false;
    if (runs == 0 || any == 0)
        return true;
    /* Of one kind only, and then of any: one run if they stand beside each other. */
    bool beside = *ret_last == rule->first[GROUP_ANY] && !(rule->types & ~kinds);
    *ret_last = rule->first[GROUP_LATE];
    return beside;
}

static struct quick shorten(struct compiler *c, uint32_t number)
{
    const struct schema *program = c->program;
    const struct rule *rule = &program->rules[number];
    struct quick quick = {.types = rule->types};
    uint32_t first, last;
    if (rule->is_leaf)
        return quick;
    if (rule->speaks) { /* it is entered, so that what it says is heard */
        quick.kinds = TYPE_ANY;
        quick.a = number;
        return quick;
    }
    bool sole = sole_run(rule, &quick.kinds, &first, &last) && !rule->tracks && !program->is_dynamic;
    if (sole && first == last)
        quick.kinds = 0; /* its operations are for types that it does not allow */
    else if (sole && rule->is_flat)
        shorten_flat(c, &quick, first, last);
    else if (!sole || last - first > 1 || !shorten_caller(program, &quick, first))
        quick.code = QUICK_RULE, quick.a = number;
    return quick;
}

/* Nothing to ask of members but one or two, as in "if" and "required". */
static bool is_sparse(const struct object_plan *plan)
{
    enum { SPARSE_MAX = 2 };
    return plan->count <= SPARSE_MAX && plan->pattern_count == 0 && plan->names == RULE_TRUE &&
           plan->additional == RULE_TRUE && !plan->marks_additional;
}

void compile_quick(struct compiler *c)
{
    struct schema *program = c->program;
    program->quicks = mem_alloc(program->rule_count * sizeof *program->quicks);
    for (size_t i = 0; i < program->rule_count; i++)
        program->quicks[i] = shorten(c, (uint32_t)i);
    for (size_t i = 0; i < program->object_count; i++) {
        struct object_plan *plan = &program->objects[i];
        for (uint32_t p = 0; p < plan->count; p++)
            plan->properties[p].quick = program->quicks[plan->properties[p].rule];
        plan->additional_quick = program->quicks[plan->additional];
        plan->is_sparse = is_sparse(plan);
    }
    for (size_t i = 0; i < program->array_count; i++)
        program->arrays[i].items_quick = program->quicks[program->arrays[i].items];
}
