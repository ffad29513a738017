/* Expressions. */
#include "run.h"

static struct frame *frame_of(struct run *run, uint32_t hops)
{
    struct frame *frame = run->frame;
    while (hops--)
        frame = frame->outer;
    return frame;
}

static int evaluate_list(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue list = tvalue_list(run->arena), item;
    for (uint32_t i = 0; i < node->items.count; i++) {
        if (run_evaluate(run, node->items.items[i], &item) < 0 || run_push(run, list.list, item) < 0)
            return -1;
    }
    list.kind = node->kind == NODE_TUPLE ? TVALUE_TUPLE : TVALUE_LIST;
    *ret_value = list;
    return 0;
}

static int evaluate_dict(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue dict = tvalue_dict(run->arena), key, value;
    uint64_t hash;
    for (uint32_t i = 0; i < node->items.count; i += 2) {
        if (run_evaluate(run, node->items.items[i], &key) < 0 ||
            run_evaluate(run, node->items.items[i + 1], &value) < 0)
            return -1;
        if (run_key(run, &key) < 0)
            return -1;
        if (!tvalue_hash(run->arena, &key, &hash))
            return run_type_error(run, "a value of type %s cannot be a key", tvalue_type(&key));
        if (run_charge(run, 2 * sizeof(struct tentry)) < 0)
            return -1;
        tdict_set(run->arena, dict.dict, key, value);
    }
    *ret_value = dict;
    return 0;
}

static int evaluate_compare(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue left, right;
    bool truth = true;
    if (run_evaluate(run, node->left, &left) < 0)
        return -1;
    for (uint32_t i = 0; i < node->items.count && truth; i++) {
        if (run_evaluate(run, node->items.items[i], &right) < 0 ||
            run_compare(run, node->ops[i], &left, &right, &truth) < 0)
            return -1;
        left = right;
    }
    *ret_value = tvalue_bool(truth);
    return 0;
}

static int evaluate_concat(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct ttext text;
    struct tvalue part;
    run_text_init(run, &text);
    for (uint32_t i = 0; i < node->items.count; i++) {
        if (run_evaluate(run, node->items.items[i], &part) < 0)
            return -1;
        tvalue_str(&text, &part);
    }
    return run_text(run, &text, ret_value);
}

static int evaluate_condition(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue test;
    if (run_evaluate(run, node->right, &test) < 0)
        return -1;
    if (tvalue_true(&test))
        return run_evaluate(run, node->left, ret_value);
    if (node->third)
        return run_evaluate(run, node->third, ret_value);
    *ret_value = tvalue_undefined(SLICE_LITERAL("the inline if was false and has no else"));
    ret_value->flags = TVALUE_HINT;
    return 0;
}

static int evaluate_subscript(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue value, key, bounds[3] = {tvalue_none(), tvalue_none(), tvalue_none()};
    if (run_evaluate(run, node->left, &value) < 0)
        return -1;
    if (node->right->kind == NODE_CONST) {
        run->at = node->offset;
        return run_getitem(run, &value, &node->right->value, ret_value);
    }
    if (node->right->kind != NODE_SLICE) {
        if (run_evaluate(run, node->right, &key) < 0)
            return -1;
        run->at = node->offset;
        return run_getitem(run, &value, &key, ret_value);
    }
    const struct node *slice = node->right, *parts[] = {slice->left, slice->right, slice->third};
    for (int i = 0; i < 3; i++) {
        if (parts[i] && run_evaluate(run, parts[i], &bounds[i]) < 0)
            return -1;
    }
    return run_slice(run, &value, bounds, ret_value);
}

static int evaluate_test(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue value;
    struct call call;
    bool truth;
    const struct test *test = node->implementation;
    if (!test)
        return run_fail(run, "there is no test '%.*s'", (int)utf8_cut(node->name.data, node->name.size, 60),
                        node->name.data);
    if (run_evaluate(run, node->left, &value) < 0 || run_arguments(run, node->arguments, &call) < 0 ||
        run_test(run, test, &value, &call, &truth) < 0)
        return -1;
    *ret_value = tvalue_bool(truth != node->negated);
    return 0;
}

static int evaluate_filter(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue value;
    if (run_evaluate(run, node->left, &value) < 0)
        return -1;
    return run_filter(run, node, &value, ret_value);
}

int run_filter(struct run *run, const struct node *node, const struct tvalue *value, struct tvalue *ret_value)
{
    struct call call;
    const struct filter *filter = node->implementation;
    if (!filter)
        return run_fail(run, "there is no filter '%.*s'", (int)utf8_cut(node->name.data, node->name.size, 60),
                        node->name.data);
    if (run_arguments(run, node->arguments, &call) < 0)
        return -1;
    run->at = node->offset;
    return run_builtin(run, &filter->builtin, value, &call, ret_value);
}

static int evaluate_binary(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue left, right;
    if (run_evaluate(run, node->left, &left) < 0 || run_evaluate(run, node->right, &right) < 0)
        return -1;
    run->at = node->offset;
    return run_operate(run, node->op, &left, &right, ret_value);
}

static int evaluate_name(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    *ret_value = frame_of(run, node->hops)->slots[node->slot];
    if (is_absent(ret_value))
        *ret_value = tvalue_undefined(node->name);
    return 0;
}

static int evaluate(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue value;
    switch ((enum node_kind)node->kind) {
    case NODE_CONST:
        *ret_value = node->value;
        return 0;
    case NODE_NAME:
        return evaluate_name(run, node, ret_value);
    case NODE_TUPLE:
    case NODE_LIST:
        return evaluate_list(run, node, ret_value);
    case NODE_DICT:
        return evaluate_dict(run, node, ret_value);
    case NODE_UNARY:
        return run_evaluate(run, node->left, &value) < 0 ? -1
                                                         : run_negate(run, &value, node->negated, ret_value);
    case NODE_BINARY:
        return evaluate_binary(run, node, ret_value);
    case NODE_AND:
    case NODE_OR:
        if (run_evaluate(run, node->left, ret_value) < 0)
            return -1;
        if (tvalue_true(ret_value) == (node->kind == NODE_OR))
            return 0;
        return run_evaluate(run, node->right, ret_value);
    case NODE_NOT:
        if (run_evaluate(run, node->left, &value) < 0)
            return -1;
        *ret_value = tvalue_bool(!tvalue_true(&value));
        return 0;
    case NODE_CONCAT:
        return evaluate_concat(run, node, ret_value);
    case NODE_COMPARE:
        return evaluate_compare(run, node, ret_value);
    case NODE_COND:
        return evaluate_condition(run, node, ret_value);
    case NODE_FILTER:
        return evaluate_filter(run, node, ret_value);
    case NODE_TEST:
        return evaluate_test(run, node, ret_value);
    case NODE_CALL:
        return run_call_node(run, node, NULL, ret_value);
    case NODE_GETATTR:
        if (run_evaluate(run, node->left, &value) < 0)
            return -1;
        run->at = node->offset;
        return run_getattr(run, &value, node->name, ret_value);
    case NODE_GETITEM:
        return evaluate_subscript(run, node, ret_value);
    default:
        return run_type_error(run, "a slice stands where none can");
    }
}

int run_evaluate(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    enum { DEPTH_MAX = 800 };
    if (run_step(run) < 0)
        return -1;
    run->at = node->offset;
    if (++run->depth > DEPTH_MAX)
        return run_limit(run, "it is nested too deeply");
    int done = evaluate(run, node, ret_value);
    run->depth--;
    return done;
}
