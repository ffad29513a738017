/* Calls: arguments, macros, loops, and what is found by its name. */
#include "run.h"

struct macro {
    const struct node *node;
    struct frame *frame; /* where it was defined */
};

static int spread(struct run *run, const struct node *node, struct tlist *positional)
{
    struct tvalue value, item;
    struct titer iter;
    if (run_evaluate(run, node, &value) < 0 || run_iterate(run, &value, &iter) < 0)
        return -1;
    while (titer_next(&iter, &item)) {
        if (run_push(run, positional, item) < 0)
            return -1;
    }
    return 0;
}

static int spread_keywords(struct run *run, const struct tvalue *mapping, struct call *call)
{
    struct titer iter;
    struct tvalue key;
    if (!tvalue_is_mapping(mapping))
        return run_bad_operand(run, mapping, "taking keyword arguments");
    titer_init(&iter, run->arena, *mapping);
    while (titer_next(&iter, &key)) {
        if (key.kind != TVALUE_STRING)
            return run_type_error(run, "keywords must be strings");
        for (uint32_t i = 0; i < call->keyword_count; i++) {
            if (slice_equal(call->keywords[i].name, key.text))
                return run_type_error(run, "a keyword argument was given twice");
        }
        assert(call->keywords);
        call->keywords[call->keyword_count].name = key.text;
        call->keywords[call->keyword_count++].value = iter.of_key;
    }
    return 0;
}

int run_arguments(struct run *run, const struct arguments *arguments, struct call *ret_call)
{
    struct call call = {.keyword_count = 0};
    struct tlist positional = {0};
    struct tvalue value;
    uint32_t count = arguments->positional.count;
    if (count) {
        positional.items = arena_alloc(run->arena, count * sizeof *positional.items);
        positional.capacity = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (run_evaluate(run, arguments->positional.items[i], &value) < 0 ||
            run_push(run, &positional, value) < 0)
            return -1;
    }
    if (arguments->spread && spread(run, arguments->spread, &positional) < 0)
        return -1;
    size_t keywords = arguments->keyword_count;
    struct tvalue more = tvalue_none();
    if (arguments->spread_keywords && run_evaluate(run, arguments->spread_keywords, &more) < 0)
        return -1;
    keywords += tvalue_count(&more);
    if (run_charge(run, keywords * sizeof *call.keywords) < 0)
        return -1;
    if (keywords)
        call.keywords = arena_alloc(run->arena, keywords * sizeof *call.keywords);
    for (uint32_t i = 0; i < arguments->keyword_count; i++) {
        if (run_evaluate(run, arguments->keywords[i].value, &value) < 0)
            return -1;
        assert(call.keywords && call.keyword_count < keywords);
        call.keywords[call.keyword_count].name = arguments->keywords[i].name;
        call.keywords[call.keyword_count++].value = value;
    }
    if (arguments->spread_keywords && spread_keywords(run, &more, &call) < 0)
        return -1;
    call.positional = positional.items;
    call.count = positional.count;
    *ret_call = call;
    return 0;
}

int run_call_node(struct run *run, const struct node *node, const struct tvalue *caller,
                  struct tvalue *ret_value)
{
    struct tvalue function;
    struct call call;
    if (run_evaluate(run, node->left, &function) < 0 || run_arguments(run, node->arguments, &call) < 0)
        return -1;
    if (caller) {
        void *keywords = arena_alloc(run->arena, (call.keyword_count + 1) * sizeof *call.keywords);
        if (call.keyword_count)
            memcpy(keywords, call.keywords, call.keyword_count * sizeof *call.keywords);
        call.keywords = keywords;
        call.keywords[call.keyword_count].name = SLICE_LITERAL("caller");
        call.keywords[call.keyword_count++].value = *caller;
    }
    run->at = node->offset;
    return run_call(run, &function, &call, ret_value);
}

static int call_joiner(struct run *run, const struct tvalue *joiner, const struct call *call,
                       struct tvalue *ret_value)
{
    struct tvalue *state = joiner->pointer; /* the separator, and whether it was called before */
    if (call->count || call->keyword_count)
        return run_type_error(run, "a joiner takes no arguments");
    *ret_value = state[1].boolean ? state[0] : tvalue_string(SLICE_LITERAL(""));
    state[1].boolean = true;
    return 0;
}

int run_call(struct run *run, const struct tvalue *function, const struct call *call,
             struct tvalue *ret_value)
{
    switch (function->kind) {
    case TVALUE_FUNCTION:
        return run_builtin(run, function->pointer, NULL, call, ret_value);
    case TVALUE_METHOD: {
        const struct bound *bound = function->pointer;
        if (bound->block) {
            struct node_list one = {.items = (struct node **)&bound->block, .count = 1};
            return run_capture(run, &one, ret_value);
        }
        return run_builtin(run, bound->builtin, &bound->self, call, ret_value);
    }
    case TVALUE_MACRO:
        return macro_call(run, function, call, ret_value);
    case TVALUE_LOOP:
        return loop_call(run, function, call, ret_value);
    case TVALUE_JOINER:
        return call_joiner(run, function, call, ret_value);
    default:
        return run_bad_operand(run, function, "a call");
    }
}

/* --- macros -------------------------------------------------------------------------------------- */

struct tvalue run_macro(struct run *run, const struct node *node)
{
    struct macro *macro = arena_alloc(run->arena, sizeof *macro);
    *macro = (struct macro){.node = node, .frame = run->frame};
    return (struct tvalue){.kind = TVALUE_MACRO, .pointer = macro};
}

static bool take_keyword(const struct call *call, struct slice name, bool *taken, struct tvalue *ret_value)
{
    for (uint32_t i = 0; i < call->keyword_count; i++) {
        if (!taken[i] && slice_equal(call->keywords[i].name, name)) {
            taken[i] = true;
            *ret_value = call->keywords[i].value;
            return true;
        }
    }
    return false;
}

static int fill_special(struct run *run, const struct node *node, const struct call *call, bool *taken)
{
    const struct function_plan *function = node->function;
    struct tvalue *slots = run->frame->slots, kwargs = tvalue_dict(run->arena);
    uint32_t left = 0;
    if (function->caller >= 0) {
        slots[function->caller] = tvalue_undefined(SLICE_LITERAL("caller"));
        take_keyword(call, SLICE_LITERAL("caller"), taken, &slots[function->caller]);
    }
    for (uint32_t i = 0; i < call->keyword_count; i++) {
        if (taken[i])
            continue;
        left++;
        tdict_set(run->arena, kwargs.dict, tvalue_string(call->keywords[i].name), call->keywords[i].value);
    }
    if (left && function->kwargs < 0)
        return run_type_error(run, "a macro was given a keyword that it does not take");
    if (function->kwargs >= 0)
        slots[function->kwargs] = kwargs;
    uint32_t more = call->count > node->items.count ? call->count - node->items.count : 0;
    if (more && function->varargs < 0)
        return run_type_error(run, "a macro takes at most %u arguments", node->items.count);
    if (function->varargs >= 0)
        slots[function->varargs] = tvalue_tuple(run->arena, call->positional + (call->count - more), more);
    return 0;
}

/* Positional arguments, keywords, defaults. */
static int fill_parameters(struct run *run, const struct node *node, const struct call *call, bool *taken)
{
    const struct function_plan *function = node->function;
    for (uint32_t i = 0; i < node->items.count; i++) {
        struct tvalue *slot = &run->frame->slots[function->parameters[i]];
        if (i < call->count)
            *slot = call->positional[i];
        else
            take_keyword(call, node->items.items[i]->name, taken, slot);
    }
    if (fill_special(run, node, call, taken) < 0)
        return -1;
    for (uint32_t i = 0; i < node->items.count; i++) {
        struct tvalue *slot = &run->frame->slots[function->parameters[i]], value;
        const struct node *parameter = node->items.items[i];
        if (!is_absent(slot))
            continue;
        value = tvalue_undefined(parameter->name);
        if (parameter->right && run_evaluate(run, parameter->right, &value) < 0)
            return -1;
        *slot = value;
    }
    return 0;
}

int macro_call(struct run *run, const struct tvalue *value, const struct call *call, struct tvalue *ret_value)
{
    enum { STACK_COST = 10 }; /* of a macro, in expressions */
    const struct macro *macro = value->pointer;
    struct frame *frame = run->frame;
    bool *taken = arena_zalloc(run->arena, call->keyword_count + 1);
    run->depth += STACK_COST;
    run->frame = run_frame(run, macro->node->function, macro->frame);
    int done = run_step(run);
    if (done == 0)
        done = run_enter(run, &macro->node->function->enter);
    if (done == 0)
        done = fill_parameters(run, macro->node, call, taken);
    if (done == 0)
        done = run_capture(run, &macro->node->body, ret_value);
    run->frame = frame;
    run->depth -= STACK_COST;
    return done;
}

/* --- loops --------------------------------------------------------------------------------------- */

int loop_call(struct run *run, const struct tvalue *value, const struct call *call, struct tvalue *ret_value)
{
    const struct tloop *loop = value->pointer;
    struct ttext text, *out = run->out;
    if (!loop->node->recursive)
        return run_type_error(run, "a loop can only be called if it is 'recursive'");
    if (call->count != 1 || call->keyword_count)
        return run_type_error(run, "a loop is called with one argument");
    enum { STACK_COST = 10 };
    run_text_init(run, &text);
    run->out = &text;
    run->depth += STACK_COST;
    int done = run_loop(run, loop->node, &call->positional[0], loop->outer, loop->depth + 1);
    run->depth -= STACK_COST;
    run->out = out;
    return done < 0 ? -1 : run_text(run, &text, ret_value);
}

static struct tvalue hint(const char *text)
{
    struct tvalue undefined = tvalue_undefined(slice_of(text));
    undefined.flags = TVALUE_HINT;
    return undefined;
}

bool loop_attribute(struct run *run, const struct tvalue *value, struct slice name, struct tvalue *ret_value)
{
    (void)run;
    const struct tloop *loop = value->pointer;
    int64_t count = loop->items.list->count, at = loop->index;
    const struct {
        const char *name;
        int64_t value;
    } NUMBERS[] = {{"index", at + 1},        {"index0", at},
                   {"revindex", count - at}, {"revindex0", count - at - 1},
                   {"length", count},        {"depth", loop->depth + 1},
                   {"depth0", loop->depth}};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        if (slice_is(name, NUMBERS[i].name)) {
            *ret_value = tvalue_int(NUMBERS[i].value);
            return true;
        }
    }
    if (slice_is(name, "first") || slice_is(name, "last"))
        *ret_value = tvalue_bool(slice_is(name, "first") ? at == 0 : at + 1 == count);
    else if (slice_is(name, "previtem"))
        *ret_value = at > 0 ? loop->items.list->items[at - 1] : hint("there is no previous item");
    else if (slice_is(name, "nextitem"))
        *ret_value = at + 1 < count ? loop->items.list->items[at + 1] : hint("there is no next item");
    else
        return false;
    return true;
}

static int loop_cycle(struct run *run, const struct tvalue *self, const struct call *call,
                      struct tvalue *ret_value)
{
    const struct tloop *loop = self->pointer;
    if (!call->count || call->keyword_count)
        return run_type_error(run, "loop.cycle needs items to take turns with");
    *ret_value = call->positional[loop->index % call->count];
    return 0;
}

static int loop_changed(struct run *run, const struct tvalue *self, const struct call *call,
                        struct tvalue *ret_value)
{
    struct tloop *loop = self->pointer;
    struct tvalue given = tvalue_tuple(run->arena, call->positional, call->count);
    bool same = false;
    if (!is_absent(&loop->changed) && run_equal(run, &loop->changed, &given, &same) < 0)
        return -1;
    bool changed = !same;
    if (changed)
        loop->changed = given;
    *ret_value = tvalue_bool(changed);
    return 0;
}

const struct builtin methods_loop[] = {
    {.name = "cycle", .any = loop_cycle},
    {.name = "changed", .any = loop_changed},
    {.name = NULL},
};
