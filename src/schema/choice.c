/* Which alternatives of an anyOf or oneOf can hold, by what is seen at a glance.
 *
 * Unions in life are told apart by the type of the instance, by one member ("type", "kind") that each
 * alternative fixes by const or enum, or by the whole value where that is fixed. Linking looks for that
 * member and those values and makes tables from them to the alternatives they leave; validating then runs one
 * alternative instead of forty, or of forty thousand. A table only ever leaves out what would say no: it
 * needs no proof that the rest says yes, so equal hashes of different values do no harm. */
#include "schema/compile.h"
#include "schema/text.h"

enum {
    LOOKED_AT_MAX = 1 << 15, /* operations, properties and values looked at for one alternative … */
    LOOKED_AT_EACH = 64,     /* … for a union that, and this for each of its alternatives … */
    LOOKED_AT_ALL = 1 << 20, /* … for all of a program this … */
    LOOKED_AT_EACH_OP = 8,   /* … and this for each of its operations: what is beyond is open */
    LISTED_EACH = 64,        /* a union's lists hold at most so many times its alternatives … */
    LISTED_MORE = 256,       /* … and these */
    FIXED_VALUES_MAX = 4096, /* of one member in one alternative */
    WHOLE_MIN = 8,           /* alternatives that fix the whole value: fewer are tried in turn */
    CALLS_DEEP_MAX = 8
};

/* What an alternative says of a member: that it is required, or a value that it may have. Or, without a name,
 * of the instance itself. */
struct fact {
    const struct name *name;
    uint64_t value;
    uint32_t alternative;
    bool is_value;
    uint8_t kind; /* of the instance itself: see choice_kind */
};

struct chooser {
    struct compiler *c;
    struct schema *program;
    uint32_t first, count; /* the alternatives, in lists */
    struct fact *facts;
    size_t fact_count, fact_capacity;
    uint64_t may_look_at;          /* by this alternative, … */
    uint64_t union_left, all_left; /* … this union, all of them */
    bool is_exhausted;             /* not all that the alternative says was looked at */
    uint32_t *seen;                /* by alternative: the round that counted it last */
    uint32_t round;
};

static bool takes_objects(const struct chooser *x, uint32_t alternative)
{
    return x->program->rules[x->program->lists[x->first + alternative]].types & TYPE_OBJECT;
}

/* Counts what is looked at, so that webs of allOf and $ref end. */
static bool may_look(struct chooser *x)
{
    if (x->may_look_at == 0 || x->union_left == 0 || x->all_left == 0) {
        x->is_exhausted = true;
        return false;
    }
    x->may_look_at--;
    x->union_left--;
    x->all_left--;
    return true;
}

/* The values that a rule leaves, if it says so: const or enum; of a member scalars, and not too many. */
static const struct enum_plan *values_of(struct chooser *x, uint32_t number, bool of_member, int deep)
{
    const struct schema *program = x->program;
    const struct rule *rule = &program->rules[number];
    for (uint32_t i = rule->first[GROUP_ANY]; i < rule->first[GROUP_LATE] && may_look(x); i++) {
        const struct op *op = &program->ops[i];
        const struct enum_plan *plan = NULL;
        if (op->code == OP_CONST || op->code == OP_ENUM)
            plan = &program->enums[op->a];
        else if (op->code == OP_CALL && deep > 0)
            plan = values_of(x, op->a, of_member, deep - 1);
        if (plan &&
            (!of_member || (plan->count <= FIXED_VALUES_MAX && !(plan->types & (TYPE_ARRAY | TYPE_OBJECT)))))
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
            add_fact(x, (struct fact){&property->name, 0, alternative, false, 0});
        const struct enum_plan *values =
            property->declared ? values_of(x, property->rule, true, CALLS_DEEP_MAX) : NULL;
        for (uint32_t v = 0; values && v < values->count && may_look(x); v++)
            add_fact(
                x, (struct fact){&property->name, hash_of(values, &values->values[v]), alternative, true, 0});
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

/* What was found of the alternative since there were so many facts: nothing if not all was looked at. True if
 * something is left. */
static bool keep_facts(struct chooser *x, size_t from)
{
    if (x->is_exhausted)
        x->fact_count = from;
    x->is_exhausted = false;
    x->may_look_at = LOOKED_AT_MAX;
    return x->fact_count > from;
}

static int compare_names(const struct name *a, const struct name *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return memcmp(a->text, b->text, a->size);
}

/* By name (or kind), then required before values, then by value, then in the alternatives' order. */
static int compare_facts(const void *first, const void *second)
{
    const struct fact *a = first, *b = second;
    int names = a->name ? compare_names(a->name, b->name) : a->kind - b->kind;
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

/* --- tables --------------------------------------------------------------------------------------- */

static struct choice_table new_table(struct chooser *x, uint32_t values)
{
    uint32_t slots = 4;
    while (slots < 2 * values)
        slots *= 2;
    struct choice_table table = {arena_alloc(&x->program->arena, slots * sizeof *table.values), slots - 1};
    for (uint32_t i = 0; i < slots; i++)
        table.values[i] = (struct choice_value){0, {RULE_NONE, 0}, 0};
    return table;
}

/* False if the hashes of too many values fall together. */
static bool put_value(struct choice_table *table, uint64_t value, uint8_t kind, struct rule_span rules)
{
    uint32_t slot = (uint32_t)value & table->mask;
    for (uint32_t probes = 0; probes < SCHEMA_PROBES_MAX; probes++, slot = (slot + 1) & table->mask) {
        if (table->values[slot].rules.first != RULE_NONE)
            continue;
        table->values[slot] = (struct choice_value){value, rules, kind};
        return true;
    }
    return false;
}

/* Alternatives with this value, and the open ones, in their order. */
static struct rule_span list_value(struct chooser *x, const struct fact *from, const struct fact *to,
                                   const uint32_t *open, uint32_t open_count)
{
    struct rule_span span = begin_list(x);
    for (uint32_t i = 0; from < to || i < open_count;) {
        uint32_t next = from == to                    ? open[i]
                        : i == open_count             ? from->alternative
                        : open[i] < from->alternative ? open[i]
                                                      : from->alternative;
        list(x, &span, next);
        while (from < to && from->alternative == next)
            from++;
        i += i < open_count && open[i] == next;
    }
    return span;
}

/* The sorted facts' values with the alternatives of each. False if the table would be a bad one. */
static bool fill_table(struct chooser *x, struct choice_table *table, const struct fact *from,
                       const struct fact *end, const uint32_t *open, uint32_t open_count)
{
    for (const struct fact *at = from, *to; at < end; at = to) {
        for (to = at; to < end && to->value == at->value; to++)
            continue;
        if (!put_value(table, at->value, at->kind, list_value(x, at, to, open, open_count)))
            return false;
    }
    return true;
}

/* --- by a member ---------------------------------------------------------------------------------- */

static bool choose_by_member(struct chooser *x, struct choice *choice, const struct group *group)
{
    auto_free uint32_t *open = mem_alloc((x->count + 1) * sizeof *open);
    uint32_t open_count = 0;
    struct choice_table table = new_table(x, group->distinct);
    x->round++;
    for (const struct fact *at = group->facts; at < group->values; at++)
        x->seen[at->alternative] = x->round;
    choice->absent = list_unseen(x);
    x->round++;
    for (const struct fact *at = group->values; at < group->end; at++)
        x->seen[at->alternative] = x->round;
    choice->other = list_unseen(x);
    for (uint32_t i = 0; i < x->count; i++) {
        if (takes_objects(x, i) && x->seen[i] != x->round)
            open[open_count++] = i;
    }
    if (!fill_table(x, &table, group->values, group->end, open, open_count))
        return false;
    choice->member = *group->facts->name;
    choice->by_value = table;
    return true;
}

static bool find_member(struct chooser *x, struct choice *choice)
{
    uint32_t objects = choice->by_tag[JSON_OBJECT].count;
    struct group group;
    x->fact_count = 0;
    for (uint32_t i = 0; i < x->count && objects > 1; i++) {
        size_t before = x->fact_count;
        if (takes_objects(x, i))
            look_at_rule(x, x->program->lists[x->first + i], i, CALLS_DEEP_MAX);
        keep_facts(x, before);
    }
    if (x->fact_count == 0)
        return false;
    qsort(x->facts, x->fact_count, sizeof *x->facts, compare_facts);
    return best_group(x, objects, &group) && choose_by_member(x, choice, &group);
}

/* --- by the whole value --------------------------------------------------------------------------- */

/* What is said of the instance itself. */
static void look_at_whole(struct chooser *x, uint32_t alternative)
{
    size_t before = x->fact_count;
    const struct enum_plan *plan =
        values_of(x, x->program->lists[x->first + alternative], false, CALLS_DEEP_MAX);
    for (uint32_t v = 0; plan && v < plan->count; v++) {
        if (x->all_left == 0) { /* a union may be a few long lists: only the program's bound counts */
            x->is_exhausted = true;
            break;
        }
        x->all_left--;
        const struct enum_value *value = &plan->values[v];
        add_fact(x, (struct fact){NULL, hash_of(plan, value), alternative, true,
                                  choice_kind((enum json_tag)value->tag)});
    }
    if (keep_facts(x, before))
        x->seen[alternative] = x->round;
}

/* What the alternatives of one kind come to. */
struct whole {
    const struct fact *from, *end;
    uint32_t *open; /* alternatives that fix no value */
    uint32_t open_count, distinct;
};

static struct whole whole_of(struct chooser *x, uint8_t kind, const struct fact *from)
{
    uint16_t types = 0;
    struct whole whole = {.from = from, .end = from, .open = mem_alloc((x->count + 1) * sizeof *whole.open)};
    for (const struct fact *end = x->facts + x->fact_count; whole.end < end && whole.end->kind == kind;
         whole.end++)
        whole.distinct += whole.end == from || whole.end->value != whole.end[-1].value;
    for (int tag = 0; tag < JSON_TAG_MAX; tag++)
        types |=
            choice_kind((enum json_tag)tag) == kind ? 1U << tag | (tag == JSON_NUMBER ? TYPE_WHOLE : 0) : 0;
    for (uint32_t i = 0; i < x->count; i++) {
        if (x->seen[i] != x->round && x->program->rules[x->program->lists[x->first + i]].types & types)
            whole.open[whole.open_count++] = i;
    }
    return whole;
}

/* Values of one kind into the table; what has none of them is left with the open alternatives. */
static bool choose_whole(struct chooser *x, struct choice *choice, struct choice_table *table,
                         const struct whole *whole, uint8_t kind)
{
    uint64_t listed = (uint64_t)(whole->end - whole->from) + (uint64_t)whole->distinct * whole->open_count;
    if (listed > (uint64_t)LISTED_EACH * x->count + LISTED_MORE)
        return true; /* this kind as it was */
    if (!fill_table(x, table, whole->from, whole->end, whole->open, whole->open_count))
        return false;
    struct rule_span open = list_value(x, NULL, NULL, whole->open, whole->open_count);
    for (int tag = 0; tag < JSON_TAG_MAX; tag++) {
        if (choice_kind((enum json_tag)tag) == kind) {
            choice->by_tag[tag] = open;
            choice->whole_tags |= (uint16_t)(1U << tag);
        }
    }
    return true;
}

static bool find_whole(struct chooser *x, struct choice *choice)
{
    uint32_t fixed = 0;
    struct choice found = *choice;
    x->fact_count = 0;
    x->round++;
    for (uint32_t i = 0; i < x->count; i++) {
        look_at_whole(x, i);
        fixed += x->seen[i] == x->round;
    }
    if (fixed < WHOLE_MIN)
        return false;
    qsort(x->facts, x->fact_count, sizeof *x->facts, compare_facts);
    struct choice_table table = new_table(x, (uint32_t)x->fact_count);
    const struct fact *at = x->facts, *end = x->facts + x->fact_count;
    while (at < end) {
        uint8_t kind = at->kind;
        struct whole whole = whole_of(x, kind, at);
        bool is_right = choose_whole(x, &found, &table, &whole, kind);
        at = whole.end;
        free(whole.open);
        if (!is_right)
            return false;
    }
    if (!found.whole_tags)
        return false;
    *choice = found;
    choice->by_whole = table;
    return true;
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
    x->round = 0;
    x->may_look_at = LOOKED_AT_MAX;
    x->union_left = LOOKED_AT_MAX + (uint64_t)LOOKED_AT_EACH * count;
    x->seen = mem_zalloc(count * sizeof *x->seen);
    for (int tag = 0; tag < JSON_TAG_MAX; tag++)
        useful |= choose_by_tag(x, &choice, (enum json_tag)tag);
    useful |= find_member(x, &choice);
    useful |= find_whole(x, &choice);
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
    struct chooser x = {.c = c,
                        .program = program,
                        .all_left = LOOKED_AT_ALL + (uint64_t)LOOKED_AT_EACH_OP * program->op_count};
    size_t lists = program->list_count;
    auto_free uint16_t *choice_of =
        mem_zalloc((lists + 1) * sizeof *choice_of); /* by list; inlining copies operations */
    auto_free bool *done = mem_zalloc(lists + 1);
    for (size_t i = 0; i < program->op_count; i++) {
        struct op *op = &program->ops[i];
        if ((op->code != OP_ANY_OF && op->code != OP_ONE_OF) || op->b < 2)
            continue;
        if (!done[op->a] && x.all_left > 0 && program->choice_count < UINT16_MAX - 1)
            choice_of[op->a] = make_choice(&x, op->a, op->b);
        done[op->a] = true;
        op->choice = choice_of[op->a];
    }
    free(x.facts);
}
