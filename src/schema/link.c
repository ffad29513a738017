/* Linking: what can be settled once every rule is known.
 *
 * Loops that never descend into the instance are refused; dynamic references with one possible answer become
 * plain calls; small callees are written into their callers, so that allOf and $ref of today's schemas cost
 * nothing; unevaluated* over members that are all known becomes additionalProperties; then everything is laid
 * out flat. */
#include "schema/compile.h"

enum op_group op_group(enum op_code code)
{
    static const uint8_t groups[OP_CODE_MAX] = {
        [OP_MINIMUM] = GROUP_NUMBER,
        [OP_MAXIMUM] = GROUP_NUMBER,
        [OP_EXCLUSIVE_MINIMUM] = GROUP_NUMBER,
        [OP_EXCLUSIVE_MAXIMUM] = GROUP_NUMBER,
        [OP_MULTIPLE_OF] = GROUP_NUMBER,
        [OP_MIN_LENGTH] = GROUP_STRING,
        [OP_MAX_LENGTH] = GROUP_STRING,
        [OP_PATTERN] = GROUP_STRING,
        [OP_FORMAT] = GROUP_STRING,
        [OP_ITEMS] = GROUP_ARRAY,
        [OP_CONTAINS] = GROUP_ARRAY,
        [OP_UNIQUE_ITEMS] = GROUP_ARRAY,
        [OP_MEMBERS] = GROUP_OBJECT,
        [OP_DEPENDENT_REQUIRED] = GROUP_OBJECT,
        [OP_DEPENDENT_SCHEMA] = GROUP_OBJECT,
        [OP_CONST] = GROUP_ANY,
        [OP_ENUM] = GROUP_ANY,
        [OP_CALL] = GROUP_ANY,
        [OP_DYNAMIC] = GROUP_ANY,
        [OP_ANY_OF] = GROUP_ANY,
        [OP_ONE_OF] = GROUP_ANY,
        [OP_NOT] = GROUP_ANY,
        [OP_IF] = GROUP_ANY,
        [OP_UNEVALUATED_ITEMS] = GROUP_LATE,
        [OP_UNEVALUATED_PROPERTIES] = GROUP_LATE,
        [OP_TYPE] = GROUP_TYPE,
    };
    return (enum op_group)groups[code];
}

/* The rules that an operation runs on the same instance. */
static uint32_t in_place_callees(const struct compiler *c, const struct op *op, const uint32_t **ret_rules)
{
    switch (op->code) {
    case OP_CALL:
    case OP_NOT:
        *ret_rules = &op->a;
        return 1;
    case OP_DEPENDENT_SCHEMA:
        *ret_rules = &op->b;
        return 1;
    case OP_ANY_OF:
    case OP_ONE_OF:
    case OP_IF:
        *ret_rules = &c->program->lists[op->a];
        return op->b;
    default:
        return 0;
    }
}

struct visit {
    uint32_t rule;
    uint32_t op, callee; /* next */
};

struct order {
    uint8_t *state; /* by rule: 0 new, 1 open, 2 done */
    uint32_t *done; /* rules, callees before callers */
    size_t done_count;
    struct visit *stack;
    size_t depth, capacity;
};

static void visit_push(struct order *order, uint32_t rule)
{
    order->stack = mem_grow(order->stack, &order->capacity, order->depth + 1, sizeof *order->stack);
    order->stack[order->depth++] = (struct visit){rule, 0, 0};
    order->state[rule] = 1;
}

static int loop_error(struct compiler *c, uint32_t rule)
{
    const struct work *work = &c->works[rule];
    return compile_fail(c, ERROR_INVALID, work->resource->document, work->node,
                        resource_location(work->resource, work->node, &c->scratch),
                        "refers to itself without going into the document: validating would never end");
}

/* Depth first without recursion: chains of $ref may be long. */
static int visit_from(struct compiler *c, struct order *order, uint32_t start)
{
    visit_push(order, start);
    while (order->depth > 0) {
        struct visit *top = &order->stack[order->depth - 1];
        const struct work *work = &c->works[top->rule];
        if (top->op == work->op_count) {
            order->state[top->rule] = 2;
            order->done[order->done_count++] = top->rule;
            order->depth--;
            continue;
        }
        const uint32_t *callees = NULL;
        uint32_t count = in_place_callees(c, &c->ops[work->op_first + top->op], &callees);
        if (top->callee >= count) {
            top->op++;
            top->callee = 0;
            continue;
        }
        uint32_t callee = callees[top->callee++];
        if (order->state[callee] == 1)
            return loop_error(c, callee);
        if (order->state[callee] == 0)
            visit_push(order, callee);
    }
    return 0;
}

static void devirtualise(struct compiler *c)
{
    for (size_t i = 0; i < c->op_count; i++) {
        struct op *op = &c->ops[i];
        if (op->code != OP_DYNAMIC)
            continue;
        const struct dynamic_plan *plan = &c->program->dynamics[op->a];
        if (plan->count == 1) {
            op->code = OP_CALL;
            op->a = plan->fallback;
            op->b = 0;
        } else {
            c->program->is_dynamic = true;
        }
    }
}

/* Whichever rule it comes to mean, is it one that never ends? */
static bool is_endless(const struct compiler *c, const bool *endless, const struct op *op)
{
    if (op->code == OP_CALL || op->code == OP_NOT)
        return endless[op->a];
    if (op->code == OP_ANY_OF || op->code == OP_ONE_OF || op->code == OP_IF) /* the first always runs */
        return endless[c->program->lists[op->a]];
    if (op->code != OP_DYNAMIC)
        return false;
    const struct dynamic_plan *plan = &c->program->dynamics[op->a];
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!endless[plan->candidates[i].rule])
            return false;
    }
    return endless[plan->fallback];
}

/* Loops through dynamic references, where whatever these may mean leads back. What goes on for ever is what
 * is left when all is taken away that ends: rules without a call to one that is left. */
static int refuse_dynamic_loops(struct compiler *c, const struct order *order)
{
    enum { PASSES_MAX = 64 }; /* what is not known by then is left to validating, which has its limits */
    auto_free bool *endless = mem_alloc(c->work_count + 1);
    bool changed = c->program->is_dynamic;
    memset(endless, changed, c->work_count);
    endless[RULE_TRUE] = endless[RULE_FALSE] = false;
    for (int pass = 0; pass < PASSES_MAX && changed; pass++) {
        changed = false;
        for (size_t i = 0; i < order->done_count; i++) {
            const struct work *work = &c->works[order->done[i]];
            bool left = false;
            for (uint32_t op = 0; endless[order->done[i]] && op < work->op_count && !left; op++)
                left = is_endless(c, endless, &c->ops[work->op_first + op]);
            changed |= endless[order->done[i]] && !left;
            endless[order->done[i]] &= left;
        }
    }
    for (uint32_t rule = RULE_FIRST; rule < c->work_count && !changed; rule++) {
        if (endless[rule])
            return loop_error(c, rule);
    }
    return 0;
}

/* The place of a callee's operation, seen from the caller through `call`. */
static uint32_t rebase(struct compiler *c, uint32_t place, const struct op *call)
{
    struct place moved = c->program->places[place];
    if (moved.parent == PLACE_NONE) {
        moved.parent = call->place;
        moved.keyword = call->keyword;
        moved.position = call->b;
    } else {
        moved.parent = rebase(c, moved.parent, call);
    }
    return compile_place(c, &moved);
}

/* The operation as the caller has it, which calls the rule that it stood in. */
static struct op inlined(struct compiler *c, const struct op *op, const struct op *call)
{
    struct op copy = *op;
    bool has_second_place = op->code == OP_MEMBERS || op->code == OP_ITEMS;
    copy.place = rebase(c, op->place, call);
    if (has_second_place && op->b != PLACE_NONE)
        copy.b = rebase(c, op->b, call);
    return copy;
}

static bool is_inlinable(const struct compiler *c, const struct work *caller, const struct op *op,
                         uint32_t count)
{
    if (op->code != OP_CALL || op->a < RULE_FIRST)
        return false;
    const struct work *callee = &c->works[op->a];
    return !callee->tracks && !callee->speaks && callee->op_count <= SCHEMA_INLINE_OPS_MAX &&
           callee->inline_depth < SCHEMA_INLINE_DEPTH_MAX && c->op_count < SCHEMA_INLINE_BUDGET &&
           count + callee->op_count <= SCHEMA_INLINE_TOTAL_MAX &&
           (!c->program->is_dynamic || callee->resource_number == caller->resource_number);
}

/* Give the rule a new list of operations, behind all others: callees inlined, what is always true left out.
 */
static void inline_calls(struct compiler *c, uint32_t rule)
{
    struct work *work = &c->works[rule];
    uint32_t first = (uint32_t)c->op_count, count = 0;
    for (uint32_t i = 0; i < work->op_count; i++) {
        const struct op op = c->ops[work->op_first + i];
        if (op.code == OP_CALL)
            work->types &= c->works[op.a].types;
        if (op.code == OP_CALL && op.a == RULE_TRUE)
            continue;
        bool is_inline = is_inlinable(c, work, &op, count);
        const struct work *callee = &c->works[is_inline ? op.a : 0];
        if (is_inline && work->inline_depth <= callee->inline_depth)
            work->inline_depth = (uint8_t)(callee->inline_depth + 1);
        uint32_t more = is_inline ? callee->op_count : 1;
        c->ops = mem_grow(c->ops, &c->op_capacity, c->op_count + more, sizeof *c->ops);
        for (uint32_t j = 0; j < more; j++) {
            c->ops[c->op_count++] = is_inline ? inlined(c, &c->ops[callee->op_first + j], &op) : op;
        }
        count += more;
    }
    work->op_first = first;
    work->op_count = count;
    compile_close(c, work);
}

/* Does it look at one value and call nothing? Few operations, since they are not counted as steps. */
static bool is_flat(const struct work *work, const struct op *ops)
{
    enum { FLAT_MAX = 5 };
    if (work->op_count > FLAT_MAX)
        return false;
    for (uint32_t i = 0; i < work->op_count; i++) {
        switch (ops[i].code) {
        case OP_ITEMS:
        case OP_CONTAINS:
        case OP_MEMBERS:
        case OP_DEPENDENT_REQUIRED:
        case OP_DEPENDENT_SCHEMA:
        case OP_CALL:
        case OP_DYNAMIC:
        case OP_ANY_OF:
        case OP_ONE_OF:
        case OP_NOT:
        case OP_IF:
        case OP_UNEVALUATED_ITEMS:
        case OP_UNEVALUATED_PROPERTIES:
            return false;
        default:
            break;
        }
    }
    return true;
}

static void lay_out_rule(struct compiler *c, uint32_t number)
{
    struct schema *program = c->program;
    const struct work *work = &c->works[number];
    struct rule *rule = &program->rules[number];
    *rule = (struct rule){.types = work->types,
                          .tracks = work->tracks,
                          .speaks = work->speaks,
                          .has_context = work->tracks || work->speaks || program->is_dynamic,
                          .resource = work->resource_number,
                          .place = work->place};
    for (uint32_t group = 0; group < GROUP_MAX; group++) {
        rule->first[group] = (uint32_t)program->op_count;
        for (uint32_t i = 0; i < work->op_count; i++) {
            const struct op *op = &c->ops[work->op_first + i];
            if (op_group((enum op_code)op->code) == group)
                program->ops[program->op_count++] = *op;
        }
    }
    rule->first[GROUP_MAX] = (uint32_t)program->op_count;
    rule->is_leaf = rule->first[GROUP_NUMBER] == rule->first[GROUP_TYPE] && !work->speaks;
    rule->is_flat = is_flat(work, &c->ops[work->op_first]) && !work->speaks;
}

static void lay_out(struct compiler *c)
{
    struct schema *program = c->program;
    size_t total = 0;
    for (size_t i = 0; i < c->work_count; i++)
        total += c->works[i].op_count;
    program->rules = mem_alloc(c->work_count * sizeof *program->rules);
    program->ops = mem_alloc((total + 1) * sizeof *program->ops);
    program->rule_count = c->work_count;
    for (size_t i = 0; i < c->work_count; i++)
        lay_out_rule(c, (uint32_t)i);
}

int compile_link(struct compiler *c)
{
    devirtualise(c);
    compile_speaking(c);
    struct order order = {.state = mem_zalloc(c->work_count),
                          .done = mem_alloc(c->work_count * sizeof(uint32_t))};
    int result = 0;
    for (uint32_t rule = 0; rule < c->work_count && result == 0; rule++) {
        if (order.state[rule] == 0)
            result = visit_from(c, &order, rule);
    }
    if (result == 0)
        result = refuse_dynamic_loops(c, &order);
    for (size_t i = 0; i < order.done_count && result == 0; i++) {
        if (order.done[i] >= RULE_FIRST)
            inline_calls(c, order.done[i]);
    }
    if (result == 0) {
        lay_out(c);
        compile_lay_out_notes(c);
        compile_quick(c);
        compile_choices(c);
    }
    free(order.state);
    free(order.done);
    free(order.stack);
    return result;
}
