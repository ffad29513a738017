/* Which alternatives of an anyOf or oneOf can hold, by what is seen at a glance.
 *
 * Unions in life are told apart by the type of the instance, or by one member ("type", "kind") that each
 * alternative fixes by const or enum. Linking looks for that member and makes a table from its values to the
 * alternatives they leave; validating then runs one alternative instead of forty. The table only ever leaves
 * out what would say no: it needs no proof that the rest says yes, so equal hashes of different values do no
 * harm. */
#include "schema/compile.h"
#include "schema/text.h"

enum {
    FACTS_MAX = 1 << 14,     /* of one union */
    LOOKED_AT_MAX = 1 << 15, /* operations, properties and values looked at for one union … */
    LOOKED_AT_ALL = 1 << 20, /* … and for all of a program */
    LISTED_EACH = 64,        /* a union's lists hold at most so many times its alternatives … */
    LISTED_MORE = 256,       /* … and these */
    FIXED_VALUES_MAX = 256,  /* of one member in one alternative */
    CALLS_DEEP_MAX = 8
};

/* What an alternative says of a member: that it is required, or a value that it may have. */
struct fact {
    const struct name *name;
    uint64_t value;
    uint32_t alternative;
    bool is_value;
};

struct chooser {
    struct compiler *c;
    struct schema *program;
    uint32_t first, count; /* the alternatives, in lists */
    struct fact *facts;
    size_t fact_count, fact_capacity;
    uint32_t looked_at, looked_at_all;
    uint32_t *seen; /* by alternative: the round that counted it last */
    uint32_t round;
};

static bool takes_objects(const struct chooser *x, uint32_t alternative)
{
    return x->program->rules[x->program->lists[x->first + alternative]].types & TYPE_OBJECT;
}

/* Counts what is looked at, so that webs of allOf and $ref end. */
static bool may_look(struct chooser *x)
{
    return x->fact_count < FACTS_MAX && x->looked_at++ < LOOKED_AT_MAX;
}

/* The values that a rule leaves, if it says so: const or enum, scalars, not too many. */
static const struct enum_plan *values_of(struct chooser *x, uint32_t number, int deep)
{
    const struct schema *program = x->program;
    const struct rule *rule = &program->rules[number];
    for (uint32_t i = rule->first[GROUP_ANY]; i < rule->first[GROUP_LATE] && may_look(x); i++) {
        const struct op *op = &program->ops[i];
        const struct enum_plan *plan = NULL;
        if (op->code == OP_CONST || op->code == OP_ENUM)
            plan = &program->enums[op->a];
        else if (op->code == OP_CALL && deep > 0)
            plan = values_of(x, op->a, deep - 1);
        if (plan && plan->count <= FIXED_VALUES_MAX && !(plan->types & (TYPE_ARRAY | TYPE_OBJECT)))
            return plan;
    }
    return NULL;
}

static void add_fact(struct chooser *x, struct fact fact)
{
    x->facts = mem_grow(x->facts, &x->fact_capacity, x->fact_count + 1, sizeof *x->facts);
    x->facts[x->fact_count++] = fact;
}

static uint64_t hash_of(const struct enum_plan *plan, const struct enum_value *value)
{
    return value->tag == JSON_STRING ? text_hash(value->text.text, value->text.size)
                                     : json_hash(plan->json, value->node);
}

static void look_at_members(struct chooser *x, const struct object_plan *plan, uint32_t alternative)
{
    for (uint32_t i = 0; i < plan->count && may_look(x); i++) {
        const struct property *property = &plan->properties[i];
        if (property->required)
            add_fact(x, (struct fact){&property->name, 0, alternative, false});
        const struct enum_plan *values =
            property->declared ? values_of(x, property->rule, CALLS_DEEP_MAX) : NULL;
        for (uint32_t v = 0; values && v < values->count && may_look(x); v++)
            add_fact(x,
                     (struct fact){&property->name, hash_of(values, &values->values[v]), alternative, true});
    }
}

/* What holds of every object that the rule accepts: its own operations' say and that of the rules it calls.
 */
static void look_at_rule(struct chooser *x, uint32_t number, uint32_t alternative, int deep)
{
    const struct rule *rule = &x->program->rules[number];
    for (uint32_t i = rule->first[GROUP_OBJECT]; i < rule->first[GROUP_LATE] && may_look(x); i++) {
        const struct op *op = &x->program->ops[i];
        if (op->code == OP_MEMBERS)
            look_at_members(x, &x->program->objects[op->a], alternative);
        else if (op->code == OP_CALL && deep > 0)
            look_at_rule(x, op->a, alternative, deep - 1);
    }
}

static int compare_names(const struct name *a, const struct name *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return memcmp(a->text, b->text, a->size);
}

/* By name, then required before values, then by value, then in the alternatives' order. */
static int compare_facts(const void *first, const void *second)
{
    const struct fact *a = first, *b = second;
    int names = compare_names(a->name, b->name);
    if (names)
        return names;
    if (a->is_value != b->is_value)
        return a->is_value - b->is_value;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return a->alternative < b->alternative ? -1 : a->alternative > b->alternative;
}

/* Facts of one name, sorted. */
struct group {
    const struct fact *facts, *values, *end; /* values: where they begin */
    uint32_t fixed;                          /* alternatives that say values */
    uint32_t distinct;                       /* values */
};

static struct group group_at(struct chooser *x, const struct fact *from)
{
    struct group group = {.facts = from, .values = NULL};
    const struct fact *all_end = x->facts + x->fact_count;
    x->round++;
    for (group.end = from; group.end < all_end && compare_names(group.end->name, from->name) == 0;
         group.end++) {
        const struct fact *fact = group.end;
        if (!fact->is_value)
            continue;
        if (!group.values)
            group.values = fact;
        group.distinct += fact == group.values || fact->value != fact[-1].value;
        group.fixed += x->seen[fact->alternative] != x->round;
        x->seen[fact->alternative] = x->round;
    }
    return group;
}

/* The name whose values leave the fewest alternatives on average; false if none is worth a table. */
static bool best_group(struct chooser *x, uint32_t objects, struct group *ret_best)
{
    double least = 0.75 * objects;
    bool found = false;
    struct group group;
    for (const struct fact *at = x->facts, *end = x->facts + x->fact_count; at < end; at = group.end) {
        group = group_at(x, at);
        if (!group.values)
            continue;
        double open = objects - group.fixed,
               left = (double)(group.end - group.values) / group.distinct + open;
        if (left < least && left * group.distinct <= LISTED_EACH * (double)objects + LISTED_MORE) {
            least = left;
            *ret_best = group;
            found = true;
        }
    }
    return found;
}

/* A list of alternatives, to be added to at once. */
static struct rule_span begin_list(const struct chooser *x)
{
    return (struct rule_span){(uint32_t)x->program->list_count, 0};
}

static void list(struct chooser *x, struct rule_span *span, uint32_t alternative)
{
    struct schema *program = x->program;
    program->lists =
        mem_grow(program->lists, &x->c->list_capacity, program->list_count + 1, sizeof *program->lists);
    program->lists[program->list_count++] = program->lists[x->first + alternative];
    span->count++;
}

/* The alternatives for objects but those seen in this round. */
static struct rule_span list_unseen(struct chooser *x)
{
    struct rule_span span = begin_list(x);
    for (uint32_t i = 0; i < x->count; i++) {
        if (takes_objects(x, i) && x->seen[i] != x->round)
            list(x, &span, i);
    }
    return span;
}

static void put_value(struct choice *choice, uint64_t value, struct rule_span rules)
{
    uint32_t slot = (uint32_t)value & choice->mask;
    while (choice->values[slot].rules.first != RULE_NONE)
        slot = (slot + 1) & choice->mask;
    choice->values[slot] = (struct choice_value){value, rules};
}

/* Alternatives with this value, and those that fix none, in their order. */
static struct rule_span list_value(struct chooser *x, const struct fact *from, const struct fact *to,
                                   uint32_t fixed_round)
{
    struct rule_span span = begin_list(x);
    for (uint32_t i = 0; i < x->count; i++) {
        while (from < to && from->alternative < i)
            from++;
        bool has = from < to && from->alternative == i;
        if (takes_objects(x, i) && (has || x->seen[i] != fixed_round))
            list(x, &span, i);
    }
    return span;
}

static void choose_by_member(struct chooser *x, struct choice *choice, const struct group *group)
{
    struct arena *arena = &x->program->arena;
    uint32_t slots = 4;
    while (slots < 2 * group->distinct)
        slots *= 2;
    choice->member = *group->facts->name;
    choice->mask = slots - 1;
    choice->values = arena_alloc(arena, slots * sizeof *choice->values);
    for (uint32_t i = 0; i < slots; i++)
        choice->values[i] = (struct choice_value){0, {RULE_NONE, 0}};
    x->round++;
    for (const struct fact *at = group->facts; at < group->values; at++)
        x->seen[at->alternative] = x->round;
    choice->absent = list_unseen(x);
    x->round++;
    for (const struct fact *at = group->values; at < group->end; at++)
        x->seen[at->alternative] = x->round;
    choice->other = list_unseen(x);
    for (const struct fact *at = group->values, *to; at < group->end; at = to) {
        for (to = at; to < group->end && to->value == at->value; to++)
            continue;
        put_value(choice, at->value, list_value(x, at, to, x->round));
    }
}

/* The alternatives that a type leaves; true if it leaves some out. */
static bool choose_by_tag(struct chooser *x, struct choice *choice, enum json_tag tag)
{
    uint16_t types = (uint16_t)(1U << tag | (tag == JSON_NUMBER ? TYPE_WHOLE : 0));
    struct rule_span span = begin_list(x);
    for (uint32_t i = 0; i < x->count; i++) {
        if (x->program->rules[x->program->lists[x->first + i]].types & types)
            list(x, &span, i);
    }
    choice->by_tag[tag] = span;
    if (span.count < x->count)
        return true;
    x->program->list_count = span.first;
    choice->by_tag[tag] = (struct rule_span){x->first, x->count};
    return false;
}

/* The number + 1 of the union's choice, 0 if there is nothing to choose by. */
static uint16_t make_choice(struct chooser *x, uint32_t first, uint32_t count)
{
    struct schema *program = x->program;
    struct choice choice = {0};
    bool useful = false;
    size_t lists_before = program->list_count;
    x->first = first;
    x->count = count;
    x->fact_count = x->looked_at = x->round = 0;
    x->seen = mem_zalloc(count * sizeof *x->seen);
    for (int tag = 0; tag < JSON_TAG_MAX; tag++)
        useful |= choose_by_tag(x, &choice, (enum json_tag)tag);
    uint32_t objects = choice.by_tag[JSON_OBJECT].count;
    for (uint32_t i = 0; i < count && objects > 1; i++) {
        if (takes_objects(x, i))
            look_at_rule(x, program->lists[first + i], i, CALLS_DEEP_MAX);
    }
    x->looked_at_all += x->looked_at;
    struct group group;
    bool complete = x->fact_count < FACTS_MAX && x->looked_at < LOOKED_AT_MAX;
    if (x->fact_count && complete) {
        qsort(x->facts, x->fact_count, sizeof *x->facts, compare_facts);
        if (best_group(x, objects, &group)) {
            choose_by_member(x, &choice, &group);
            useful = true;
        }
    }
    free(x->seen);
    if (!useful) {
        program->list_count = lists_before;
        return 0;
    }
    uint32_t number = PROGRAM_ADD(x->c, struct choice, choices, choice_count, choice_capacity);
    program->choices[number] = choice;
    return (uint16_t)(number + 1);
}

void compile_choices(struct compiler *c)
{
    struct schema *program = c->program;
    struct chooser x = {.c = c, .program = program};
    size_t lists = program->list_count;
    auto_free uint16_t *choice_of =
        mem_zalloc((lists + 1) * sizeof *choice_of); /* by list; inlining copies operations */
    auto_free bool *done = mem_zalloc(lists + 1);
    for (size_t i = 0; i < program->op_count; i++) {
        struct op *op = &program->ops[i];
        if ((op->code != OP_ANY_OF && op->code != OP_ONE_OF) || op->b < 2)
            continue;
        if (!done[op->a] && x.looked_at_all < LOOKED_AT_ALL && program->choice_count < UINT16_MAX - 1)
            choice_of[op->a] = make_choice(&x, op->a, op->b);
        done[op->a] = true;
        op->choice = choice_of[op->a];
    }
    free(x.facts);
}
