/* unevaluatedProperties and unevaluatedItems without tracking.
 *
 * Where nothing of a rule depends on the instance but properties, patterns and items of known place (the
 * usual schema: allOf and $ref have been inlined by now), what is unevaluated is known now: it is what
 * additionalProperties would apply to. */
#include "schema/compile.h"

/* Does what the operation evaluates depend on the instance? */
static bool is_conditional(enum op_code code)
{
    switch (code) {
    case OP_CALL:
    case OP_DYNAMIC:
    case OP_ANY_OF:
    case OP_ONE_OF:
    case OP_IF:
    case OP_DEPENDENT_SCHEMA:
        return true;
    default:
        return false;
    }
}

/* The one operation `code` of the rule: its position, JSON_NONE if there is none; false if there are several,
 * or something that depends on the instance. */
static bool sole_op(const struct op *ops, uint32_t count, enum op_code code, uint32_t *ret_at)
{
    *ret_at = JSON_NONE;
    for (uint32_t i = 0; i < count; i++) {
        if (is_conditional((enum op_code)ops[i].code))
            return false;
        if (ops[i].code != code)
            continue;
        if (*ret_at != JSON_NONE)
            return false;
        *ret_at = i;
    }
    return true;
}

/* Put what is unevaluated into a copy of the object's plan. */
static bool close_members(struct compiler *c, struct op *ops, uint32_t count, struct op *late)
{
    uint32_t at;
    if (!sole_op(ops, count, OP_MEMBERS, &at) || at == JSON_NONE)
        return false;
    uint32_t number = PROGRAM_ADD(c, struct object_plan, objects, object_count, object_capacity);
    struct object_plan *plan = &c->program->objects[number];
    *plan = c->program->objects[ops[at].a];
    ops[at].a = number;
    if (plan->marks_additional)
        return true; /* nothing is left over */
    plan->additional = late->a;
    plan->marks_additional = true;
    plan->additional_keyword = late->keyword;
    ops[at].b = late->place;
    return true;
}

static bool close_items(struct compiler *c, struct op *ops, uint32_t count, struct op *late)
{
    uint32_t at;
    for (uint32_t i = 0; i < count; i++) {
        if (ops[i].code == OP_CONTAINS)
            return false;
    }
    if (!sole_op(ops, count, OP_ITEMS, &at) || at == JSON_NONE)
        return false;
    uint32_t number = PROGRAM_ADD(c, struct array_plan, arrays, array_count, array_capacity);
    struct array_plan *plan = &c->program->arrays[number];
    *plan = c->program->arrays[ops[at].a];
    ops[at].a = number;
    if (plan->marks_items)
        return true;
    plan->items = late->a;
    plan->marks_items = true;
    plan->items_keyword = late->keyword;
    ops[at].b = late->place;
    return true;
}

void compile_close(struct compiler *c, struct work *work)
{
    if (!work->tracks)
        return;
    struct op *ops = &c->ops[work->op_first];
    uint32_t kept = 0;
    work->tracks = false;
    for (uint32_t i = 0; i < work->op_count; i++) {
        struct op op = ops[i];
        bool closed = false;
        if (op.code == OP_UNEVALUATED_PROPERTIES)
            closed = close_members(c, ops, work->op_count, &op);
        else if (op.code == OP_UNEVALUATED_ITEMS)
            closed = close_items(c, ops, work->op_count, &op);
        if (closed)
            continue;
        work->tracks |= op_group((enum op_code)op.code) == GROUP_LATE;
        ops[kept++] = op;
    }
    work->op_count = kept;
}
