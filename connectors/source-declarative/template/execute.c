/* Statements. */
#include "run.h"

struct frame *run_frame(struct run *run, const struct function_plan *function, struct frame *outer)
{
    struct frame *frame = arena_alloc(run->arena, sizeof *frame);
    frame->slots = arena_alloc(run->arena, function->slots * sizeof *frame->slots);
    frame->outer = outer;
    for (uint32_t i = 0; i < function->slots; i++)
        frame->slots[i] = absent();
    run->memory += function->slots * sizeof *frame->slots;
    return frame;
}

static struct tvalue look_up(struct run *run, struct slice name)
{
    struct tvalue key = tvalue_string(name), value = absent();
    if (run->exports && tdict_get(run->exports, &key, &value))
        return value;
    for (size_t i = run->scope->count; i-- > 0;) {
        if (slice_equal(run->scope->names[i].name, name))
            return run->scope->names[i].value;
    }
    registry_global(name, &value);
    return value;
}

int run_enter(struct run *run, const struct frame_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct load *load = &plan->loads[i];
        struct frame *from = run->frame;
        switch (load->action) {
        case LOAD_PARAMETER:
            break;
        case LOAD_RESOLVE:
            run->frame->slots[load->slot] = look_up(run, load->name);
            break;
        case LOAD_ALIAS:
            for (uint32_t hops = load->hops; hops && from; hops--)
                from = from->outer;
            assert(from);
            run->frame->slots[load->slot] = from->slots[load->from];
            break;
        case LOAD_MISSING:
            run->frame->slots[load->slot] = absent();
            break;
        }
    }
    return 0;
}

void run_leave(struct run *run, const struct frame_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++)
        run->frame->slots[plan->loads[i].slot] = absent();
}

/* --- assigning ----------------------------------------------------------------------------------- */

static struct tvalue *slot_of(struct run *run, const struct node *node)
{
    struct frame *frame = run->frame;
    for (uint32_t hops = node->hops; hops; hops--)
        frame = frame->outer;
    return &frame->slots[node->slot];
}

static int assign_tuple(struct run *run, const struct node *target, const struct tvalue *value)
{
    struct titer iter;
    struct tvalue item;
    uint32_t count = 0;
    if (value->kind != TVALUE_UNDEFINED && run_iterate(run, value, &iter) < 0)
        return -1;
    if (value->kind == TVALUE_UNDEFINED)
        titer_init(&iter, run->arena, *value);
    while (titer_next(&iter, &item)) {
        if (count == target->items.count)
            return run_fail(run, "there are more values than the %u names they go to", count);
        if (run_assign(run, target->items.items[count++], &item) < 0)
            return -1;
    }
    if (count < target->items.count)
        return run_fail(run, "there are %u values for %u names", count, target->items.count);
    return 0;
}

int run_assign(struct run *run, const struct node *target, const struct tvalue *value)
{
    if (target->kind == NODE_TUPLE)
        return assign_tuple(run, target, value);
    struct tvalue *slot = slot_of(run, target);
    if (target->kind == NODE_NAME) {
        *slot = *value;
        return 0;
    }
    if (slot->kind != TVALUE_NAMESPACE)
        return run_fail(run, "an attribute can only be assigned to a namespace()");
    if (run_charge(run, sizeof(struct tentry)) < 0)
        return -1;
    tdict_set(run->arena, slot->dict, tvalue_string(target->value.text), *value);
    return 0;
}

/* What is assigned at the top is seen by the template's blocks. */
static void export_names(struct run *run, const struct node *target)
{
    if (target->kind == NODE_TUPLE) {
        for (uint32_t i = 0; i < target->items.count; i++)
            export_names(run, target->items.items[i]);
    } else if (target->kind != NODE_NSREF) {
        struct tvalue *slot = slot_of(run, target);
        if (!is_absent(slot))
            tdict_set(run->arena, run->exports, tvalue_string(target->name), *slot);
    }
}

static int execute_set(struct run *run, const struct node *node)
{
    struct tvalue value;
    if (run_evaluate(run, node->right, &value) < 0 || run_assign(run, node->left, &value) < 0)
        return -1;
    if (node->toplevel && run->exports)
        export_names(run, node->left);
    return 0;
}

int run_capture(struct run *run, const struct node_list *body, struct tvalue *ret_text)
{
    struct ttext text, *out = run->out;
    run_text_init(run, &text);
    run->out = &text;
    int done = run_execute(run, body);
    run->out = out;
    return done < 0 ? -1 : run_text(run, &text, ret_text);
}

/* name|name(…): the innermost has no expression of its own and takes the text. */
static int apply_filters(struct run *run, const struct node *filter, const struct tvalue *text,
                         struct tvalue *ret_value)
{
    struct tvalue value = *text;
    if (filter->left && apply_filters(run, filter->left, text, &value) < 0)
        return -1;
    return run_filter(run, filter, &value, ret_value);
}

static int execute_captured(struct run *run, const struct node *node, struct tvalue *ret_value)
{
    struct tvalue text;
    if (run_enter(run, &node->plan) < 0 || run_capture(run, &node->body, &text) < 0)
        return -1;
    *ret_value = text;
    if (node->right && apply_filters(run, node->right, &text, ret_value) < 0)
        return -1;
    run_leave(run, &node->plan);
    return 0;
}

/* --- output -------------------------------------------------------------------------------------- */

static int write_value(struct run *run, const struct tvalue *value)
{
    if (value->kind == TVALUE_STRING)
        ttext_slice(run->out, value->text);
    else
        tvalue_str(run->out, value);
    if (run->out->overflowed)
        return run_limit(run, "it makes a text of more than %d MiB", TEMPLATE_TEXT_MAX >> 20);
    return 0;
}

static int execute_output(struct run *run, const struct node *node)
{
    struct tvalue value;
    for (uint32_t i = 0; i < node->items.count; i++) {
        if (run_evaluate(run, node->items.items[i], &value) < 0 || write_value(run, &value) < 0)
            return -1;
    }
    return 0;
}

/* --- branches and loops -------------------------------------------------------------------------- */

static int execute_if(struct run *run, const struct node *node)
{
    struct tvalue test;
    for (uint32_t i = 0; i < node->items.count; i++) {
        if (run_evaluate(run, node->items.items[i], &test) < 0)
            return -1;
        if (tvalue_true(&test))
            return run_execute(run, &node->branches[i]);
    }
    return run_execute(run, &node->other);
}

/* {% for … if … %}: the items that pass. */
static int filter_items(struct run *run, const struct node *node, struct tvalue *items)
{
    struct tvalue passed = tvalue_list(run->arena), item, test;
    struct titer iter;
    if (run_iterate(run, items, &iter) < 0 || run_enter(run, &node->test_plan) < 0)
        return -1;
    while (titer_next(&iter, &item)) {
        if (run_assign(run, node->left, &item) < 0 || run_evaluate(run, node->third, &test) < 0)
            return -1;
        if (tvalue_true(&test) && run_push(run, passed.list, item) < 0)
            return -1;
    }
    run_leave(run, &node->test_plan);
    *items = passed;
    return 0;
}

static int execute_items(struct run *run, const struct node *node, struct tvalue items, struct tloop *loop)
{
    struct titer iter;
    struct tvalue item;
    bool any = false;
    if (node->third && filter_items(run, node, &items) < 0)
        return -1;
    if (loop) {
        if (run_to_list(run, &items, &loop->items) < 0)
            return -1;
        items = loop->items;
    }
    if (run_iterate(run, &items, &iter) < 0)
        return -1;
    while (titer_next(&iter, &item)) {
        if (run_step(run) < 0 || run_enter(run, &node->plan) < 0)
            return -1;
        if (loop) {
            loop->index = any ? loop->index + 1 : 0;
            run->frame->slots[node->slot] = (struct tvalue){.kind = TVALUE_LOOP, .pointer = loop};
        }
        any = true;
        if (run_assign(run, node->left, &item) < 0 || run_execute(run, &node->body) < 0)
            return -1;
    }
    run_leave(run, &node->plan);
    if (any || !node->other.count)
        return 0;
    if (run_enter(run, &node->other_plan) < 0 || run_execute(run, &node->other) < 0)
        return -1;
    run_leave(run, &node->other_plan);
    return 0;
}

int run_loop(struct run *run, const struct node *node, const struct tvalue *items, struct frame *outer,
             unsigned depth)
{
    struct tloop *loop = NULL;
    if (node->extended) {
        loop = arena_zalloc(run->arena, sizeof *loop);
        loop->node = node;
        loop->outer = outer;
        loop->depth = depth;
        loop->changed = absent();
    }
    if (!node->recursive)
        return execute_items(run, node, *items, loop);
    if (depth >= TEMPLATE_NESTING_MAX)
        return run_limit(run, "a loop calls itself more than %d deep", TEMPLATE_NESTING_MAX);
    struct frame *frame = run->frame;
    run->frame = run_frame(run, node->function, outer);
    int done = execute_items(run, node, *items, loop);
    run->frame = frame;
    return done;
}

static int execute_for(struct run *run, const struct node *node)
{
    struct tvalue items;
    if (run_evaluate(run, node->right, &items) < 0)
        return -1;
    return run_loop(run, node, &items, run->frame, 0);
}

static int execute_with(struct run *run, const struct node *node)
{
    struct tvalue value;
    if (run_enter(run, &node->plan) < 0)
        return -1;
    for (uint32_t i = 0; i < node->items.count; i += 2) {
        if (run_evaluate(run, node->items.items[i + 1], &value) < 0 ||
            run_assign(run, node->items.items[i], &value) < 0)
            return -1;
    }
    if (run_execute(run, &node->body) < 0)
        return -1;
    run_leave(run, &node->plan);
    return 0;
}

/* --- macros and blocks --------------------------------------------------------------------------- */

static int execute_macro(struct run *run, const struct node *node)
{
    struct tvalue macro = run_macro(run, node);
    *slot_of(run, node) = macro;
    if (node->toplevel && run->exports)
        export_names(run, node);
    return 0;
}

static int execute_call_block(struct run *run, const struct node *node)
{
    struct tvalue caller = run_macro(run, node), value;
    if (run_call_node(run, node->left, &caller, &value) < 0)
        return -1;
    return write_value(run, &value);
}

int run_block(struct run *run, const struct node *node)
{
    struct frame *frame = run->frame;
    if (++run->depth > TEMPLATE_NESTING_MAX)
        return run_limit(run, "blocks call themselves more than %d deep", TEMPLATE_NESTING_MAX);
    run->frame = run_frame(run, node->function, NULL);
    int done = run_enter(run, &node->function->enter);
    if (done == 0 && node->function->caller >= 0)
        run->frame->slots[node->function->caller] = (struct tvalue){.kind = TVALUE_BLOCKS};
    if (done == 0)
        done = run_execute(run, &node->body);
    run->frame = frame;
    run->depth--;
    return done;
}

static int execute(struct run *run, const struct node *node)
{
    struct tvalue value;
    run->at = node->offset;
    switch ((enum node_kind)node->kind) {
    case NODE_DATA:
        value = tvalue_string(node->name);
        return write_value(run, &value);
    case NODE_OUTPUT:
        return execute_output(run, node);
    case NODE_IF:
        return execute_if(run, node);
    case NODE_FOR:
        return execute_for(run, node);
    case NODE_SET:
        return execute_set(run, node);
    case NODE_SET_BLOCK:
        if (execute_captured(run, node, &value) < 0 || run_assign(run, node->left, &value) < 0)
            return -1;
        if (node->toplevel && run->exports)
            export_names(run, node->left);
        return 0;
    case NODE_FILTER_BLOCK:
        return execute_captured(run, node, &value) < 0 ? -1 : write_value(run, &value);
    case NODE_WITH:
        return execute_with(run, node);
    case NODE_MACRO:
        return execute_macro(run, node);
    case NODE_CALL_BLOCK:
        return execute_call_block(run, node);
    case NODE_BLOCK:
        return run_block(run, node);
    default:
        return run_type_error(run, "there is nothing that a template could load here");
    }
}

int run_execute(struct run *run, const struct node_list *body)
{
    for (uint32_t i = 0; i < body->count; i++) {
        if (run_step(run) < 0 || execute(run, body->items[i]) < 0)
            return -1;
    }
    return 0;
}
