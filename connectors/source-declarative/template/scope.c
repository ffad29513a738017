/* Names to slots, as Jinja's compiler resolves them: which names a template takes from its scope, and what
 * each frame (the template, a loop, a macro, …) loads when it is entered. That a name assigned in one branch
 * of an `if` must also be in the scope is Jinja's rule. */
#include "ast.h"
#include "registry.h"

enum { NAMES_MAX = 4096 };

struct reference {
    struct slice name;
    uint32_t level, slot, function; /* function: how deep in functions it lives */
    enum load_action action;
    bool loaded; /* has an action of this frame's own */
    bool stored;
    uint32_t from_slot, from_function;
};

/* The names of one frame. */
struct symbols {
    const struct symbols *parent;
    uint32_t level, function;
    struct reference *references;
    uint32_t count, capacity;
};

struct function_state {
    const struct function_state *outer;
    uint32_t depth;
    struct {
        struct slice name;
        uint32_t level;
    } * slots;
    uint32_t count, capacity;
};

struct resolver {
    struct template *template;
    struct arena *arena;
    struct function_state *function;
    struct error *err;
    uint32_t names;
    bool failed;
};

static void *grown(struct arena *arena, void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 8;
    void *more = arena_alloc(arena, *capacity * size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

static uint32_t slot_of(struct resolver *r, struct slice name, uint32_t level)
{
    struct function_state *function = r->function;
    for (uint32_t i = 0; i < function->count; i++) {
        if (function->slots[i].level == level && slice_equal(function->slots[i].name, name))
            return i;
    }
    if (r->names++ >= NAMES_MAX) {
        if (!r->failed)
            template_error(r->template, 0, ERROR_LIMIT, r->err, "it has more than %d names", NAMES_MAX);
        r->failed = true;
        return 0;
    }
    function->slots =
        grown(r->arena, function->slots, function->count, &function->capacity, sizeof *function->slots);
    function->slots[function->count].name = name;
    function->slots[function->count].level = level;
    return function->count++;
}

static struct symbols symbols_inner(const struct resolver *r, const struct symbols *parent)
{
    return (struct symbols){
        .parent = parent, .level = parent ? parent->level + 1 : 0, .function = r->function->depth};
}

static struct reference *own_reference(const struct symbols *symbols, struct slice name)
{
    for (uint32_t i = 0; i < symbols->count; i++) {
        if (slice_equal(symbols->references[i].name, name))
            return &symbols->references[i];
    }
    return NULL;
}

static const struct reference *find_reference(const struct symbols *symbols, struct slice name)
{
    for (; symbols; symbols = symbols->parent) {
        const struct reference *reference = own_reference(symbols, name);
        if (reference)
            return reference;
    }
    return NULL;
}

static struct reference *define(struct resolver *r, struct symbols *symbols, struct slice name,
                                enum load_action action)
{
    struct reference *reference = own_reference(symbols, name);
    if (!reference) {
        symbols->references = grown(r->arena, symbols->references, symbols->count, &symbols->capacity,
                                    sizeof *symbols->references);
        reference = &symbols->references[symbols->count++];
        *reference = (struct reference){.name = name, .level = symbols->level, .function = symbols->function};
        reference->slot = slot_of(r, name, symbols->level);
    }
    reference->action = action;
    reference->loaded = true;
    return reference;
}

static void alias(struct reference *reference, const struct reference *outer)
{
    reference->action = LOAD_ALIAS;
    reference->from_slot = outer->slot;
    reference->from_function = outer->function;
}

static void load_name(struct resolver *r, struct symbols *symbols, struct slice name)
{
    if (!find_reference(symbols, name))
        define(r, symbols, name, LOAD_RESOLVE);
}

static void store_name(struct resolver *r, struct symbols *symbols, struct slice name)
{
    struct reference *reference = own_reference(symbols, name);
    if (!reference) {
        const struct reference *outer = find_reference(symbols->parent, name);
        struct reference copy = outer ? *outer : (struct reference){0};
        reference = define(r, symbols, name, LOAD_MISSING);
        if (outer)
            alias(reference, &copy);
    }
    reference->stored = true;
}

static void declare_parameter(struct resolver *r, struct symbols *symbols, struct slice name)
{
    define(r, symbols, name, LOAD_PARAMETER)->stored = true;
}

/* --- which names a frame has --------------------------------------------------------------------- */

static void find_names(struct resolver *r, struct symbols *symbols, struct node *node);

static void find_names_in(struct resolver *r, struct symbols *symbols, const struct node_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        find_names(r, symbols, list->items[i]);
}

static void find_names_of_arguments(struct resolver *r, struct symbols *symbols,
                                    const struct arguments *arguments)
{
    if (!arguments)
        return;
    find_names_in(r, symbols, &arguments->positional);
    for (uint32_t i = 0; i < arguments->keyword_count; i++)
        find_names(r, symbols, arguments->keywords[i].value);
    find_names(r, symbols, arguments->spread);
    find_names(r, symbols, arguments->spread_keywords);
}

enum target_use { TARGET_STORE, TARGET_PARAMETER };

static void find_targets(struct resolver *r, struct symbols *symbols, const struct node *target,
                         enum target_use use)
{
    if (target->kind == NODE_TUPLE) {
        for (uint32_t i = 0; i < target->items.count; i++)
            find_targets(r, symbols, target->items.items[i], use);
    } else if (target->kind == NODE_NSREF) {
        load_name(r, symbols, target->name);
    } else if (use == TARGET_PARAMETER) {
        declare_parameter(r, symbols, target->name);
    } else {
        store_name(r, symbols, target->name);
    }
}

static struct symbols copy_symbols(struct resolver *r, const struct symbols *symbols)
{
    struct symbols copy = *symbols;
    copy.references = arena_dup(r->arena, symbols->references, symbols->count * sizeof *symbols->references);
    copy.capacity = copy.count;
    return copy;
}

/* What the branches of an `if` store is known only when it runs: it is loaded before. */
static void merge_branches(struct resolver *r, struct symbols *symbols, const struct symbols *branches,
                           size_t count)
{
    struct symbols before = copy_symbols(r, symbols);
    for (size_t b = 0; b < count; b++) {
        for (uint32_t i = 0; i < branches[b].count; i++) {
            const struct reference *reference = &branches[b].references[i];
            struct reference *own = define(r, symbols, reference->name, reference->action);
            bool stored = own->stored || reference->stored;
            *own = *reference;
            own->stored = stored;
        }
    }
    for (uint32_t i = 0; i < symbols->count; i++) {
        struct reference *own = &symbols->references[i];
        const struct reference *earlier = own_reference(&before, own->name);
        if (!own->stored || (earlier && earlier->stored))
            continue;
        const struct reference *outer = find_reference(symbols->parent, own->name);
        if (outer)
            alias(own, outer);
        else
            own->action = LOAD_RESOLVE;
    }
}

static void find_names_of_if(struct resolver *r, struct symbols *symbols, struct node *node)
{
    /* The tests of `elif` belong to a branch of their own. */
    struct symbols branches[3];
    find_names(r, symbols, node->items.items[0]);
    for (int i = 0; i < 3; i++)
        branches[i] = copy_symbols(r, symbols);
    find_names_in(r, &branches[0], &node->branches[0]);
    for (uint32_t i = 1; i < node->items.count; i++) {
        struct symbols *among = &branches[1], inner = copy_symbols(r, among);
        find_names(r, among, node->items.items[i]);
        inner = copy_symbols(r, among);
        find_names_in(r, &inner, &node->branches[i]);
        merge_branches(r, among, &inner, 1);
    }
    find_names_in(r, &branches[2], &node->other);
    merge_branches(r, symbols, branches, 3);
}

static void find_names(struct resolver *r, struct symbols *symbols, struct node *node)
{
    if (!node)
        return;
    switch ((enum node_kind)node->kind) {
    case NODE_NAME:
        load_name(r, symbols, node->name);
        break;
    case NODE_IF:
        find_names_of_if(r, symbols, node);
        break;
    case NODE_SET:
        find_names(r, symbols, node->right);
        find_targets(r, symbols, node->left, TARGET_STORE);
        break;
    case NODE_SET_BLOCK:
        find_targets(r, symbols, node->left, TARGET_STORE);
        break;
    case NODE_MACRO:
        store_name(r, symbols, node->name);
        break;
    case NODE_FOR:
    case NODE_FILTER_BLOCK:
        find_names(r, symbols, node->right);
        break;
    case NODE_CALL_BLOCK:
        find_names(r, symbols, node->left);
        break;
    case NODE_WITH:
        for (uint32_t i = 1; i < node->items.count; i += 2)
            find_names(r, symbols, node->items.items[i]);
        break;
    case NODE_LOADER:
        find_names(r, symbols, node->right);
        for (uint32_t i = 0; i < node->items.count; i++)
            store_name(r, symbols, node->items.items[i]->name);
        break;
    case NODE_BLOCK:
        break;
    default:
        find_names(r, symbols, node->left);
        find_names(r, symbols, node->right);
        find_names(r, symbols, node->third);
        find_names_in(r, symbols, &node->items);
        find_names_of_arguments(r, symbols, node->arguments);
        break;
    }
}

/* --- does a body use a special name? ------------------------------------------------------------- */

static bool uses(const struct node *node, const char *name);

static bool list_uses(const struct node_list *list, const char *name)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (uses(list->items[i], name))
            return true;
    }
    return false;
}

static bool uses(const struct node *node, const char *name)
{
    if (!node || node->kind == NODE_BLOCK)
        return false;
    if (node->kind == NODE_NAME && slice_is(node->name, name))
        return true;
    const struct arguments *arguments = node->arguments;
    for (uint32_t i = 0; arguments && i < arguments->keyword_count; i++) {
        if (uses(arguments->keywords[i].value, name))
            return true;
    }
    if (arguments && (list_uses(&arguments->positional, name) || uses(arguments->spread, name) ||
                      uses(arguments->spread_keywords, name)))
        return true;
    for (uint32_t i = 0; node->kind == NODE_IF && i < node->items.count; i++) {
        if (list_uses(&node->branches[i], name))
            return true;
    }
    return uses(node->left, name) || uses(node->right, name) || uses(node->third, name) ||
           list_uses(&node->items, name) || list_uses(&node->body, name) || list_uses(&node->other, name);
}

/* --- plans --------------------------------------------------------------------------------------- */

static void resolve_list(struct resolver *r, struct symbols *symbols, struct node_list *list, bool toplevel);
static void resolve(struct resolver *r, struct symbols *symbols, struct node *node, bool toplevel);

static void add_free_name(struct resolver *r, struct slice name)
{
    struct template *template = r->template;
    struct tvalue ignored;
    if (registry_global(name, &ignored))
        return;
    for (uint32_t i = 0; i < template->free_count; i++) {
        if (slice_equal(template->free_names[i], name))
            return;
    }
    template->free_names = grown(r->arena, template->free_names, template->free_count,
                                 &template->free_capacity, sizeof *template->free_names);
    template->free_names[template->free_count++] = name;
}

static struct frame_plan plan_of(struct resolver *r, const struct symbols *symbols)
{
    struct frame_plan plan = {.loads = arena_alloc(r->arena, symbols->count * sizeof *plan.loads)};
    for (uint32_t i = 0; i < symbols->count; i++) {
        const struct reference *reference = &symbols->references[i];
        if (reference->action == LOAD_RESOLVE)
            add_free_name(r, reference->name);
        plan.loads[plan.count++] = (struct load){
            .slot = reference->slot,
            .action = reference->action,
            .name = reference->name,
            .hops = reference->action == LOAD_ALIAS ? symbols->function - reference->from_function : 0,
            .from = reference->from_slot,
        };
    }
    return plan;
}

static void resolve_name(struct resolver *r, const struct symbols *symbols, struct node *node)
{
    const struct reference *reference = find_reference(symbols, node->name);
    if (!reference) { /* names that the analysis does not see, such as those in a set block's filter */
        r->failed = true;
        template_error(r->template, node->offset, ERROR_INVALID, r->err, "the name '%.*s' cannot stand here",
                       (int)utf8_cut(node->name.data, node->name.size, 60), node->name.data);
        return;
    }
    node->slot = reference->slot;
    node->hops = r->function->depth - reference->function;
}

static void resolve_target(struct resolver *r, const struct symbols *symbols, struct node *target)
{
    if (target->kind == NODE_TUPLE) {
        for (uint32_t i = 0; i < target->items.count; i++)
            resolve_target(r, symbols, target->items.items[i]);
    } else {
        resolve_name(r, symbols, target);
    }
}

static void enter_function(struct resolver *r, struct function_state *state)
{
    *state = (struct function_state){.outer = r->function, .depth = r->function ? r->function->depth + 1 : 0};
    r->function = state;
}

static void leave_function(struct resolver *r, struct function_plan *plan)
{
    plan->slots = r->function->count;
    r->function = (struct function_state *)r->function->outer;
}

static void resolve_for(struct resolver *r, struct symbols *symbols, struct node *node)
{
    node->extended = node->recursive || list_uses(&node->body, "loop");
    resolve(r, symbols, node->right, false);
    struct function_state state;
    if (node->recursive) {
        node->function = arena_zalloc(r->arena, sizeof *node->function);
        enter_function(r, &state);
    }
    struct symbols body = symbols_inner(r, symbols), test = body, other = body;
    if (node->extended) {
        declare_parameter(r, &body, SLICE_LITERAL("loop"));
        node->slot = body.references[0].slot;
    }
    find_targets(r, &body, node->left, TARGET_PARAMETER);
    find_names_in(r, &body, &node->body);
    if (node->third) {
        find_targets(r, &test, node->left, TARGET_PARAMETER);
        find_names(r, &test, node->third);
        node->test_plan = plan_of(r, &test);
        resolve(r, &test, node->third, false);
    }
    node->plan = plan_of(r, &body);
    resolve_target(r, &body, node->left);
    resolve_list(r, &body, &node->body, false);
    if (node->other.count) {
        find_names_in(r, &other, &node->other);
        node->other_plan = plan_of(r, &other);
        resolve_list(r, &other, &node->other, false);
    }
    if (node->recursive)
        leave_function(r, node->function);
}

static int64_t special_parameter(struct resolver *r, struct symbols *symbols, const struct node *node,
                                 const char *name)
{
    if (!list_uses(&node->body, name))
        return -1;
    for (uint32_t i = 0; i < node->items.count; i++) {
        if (slice_is(node->items.items[i]->name, name))
            return -1;
    }
    declare_parameter(r, symbols, slice_of(name));
    return own_reference(symbols, slice_of(name))->slot;
}

/* A macro, or the body of a call block, which is one. */
static void resolve_macro(struct resolver *r, struct symbols *symbols, struct node *node)
{
    struct function_state state;
    struct function_plan *function = node->function = arena_zalloc(r->arena, sizeof *function);
    enter_function(r, &state);
    struct symbols inner = symbols_inner(r, symbols);
    function->parameters = arena_alloc(r->arena, (node->items.count + 1) * sizeof *function->parameters);
    for (uint32_t i = 0; i < node->items.count; i++) {
        declare_parameter(r, &inner, node->items.items[i]->name);
        function->parameters[i] = own_reference(&inner, node->items.items[i]->name)->slot;
    }
    function->caller = special_parameter(r, &inner, node, "caller");
    function->kwargs = special_parameter(r, &inner, node, "kwargs");
    function->varargs = special_parameter(r, &inner, node, "varargs");
    for (uint32_t i = 0; i < node->items.count; i++)
        find_names(r, &inner, node->items.items[i]->right);
    find_names_in(r, &inner, &node->body);
    function->enter = plan_of(r, &inner);
    for (uint32_t i = 0; i < node->items.count; i++)
        resolve(r, &inner, node->items.items[i]->right, false);
    resolve_list(r, &inner, &node->body, false);
    leave_function(r, function);
}

static void resolve_with(struct resolver *r, struct symbols *symbols, struct node *node)
{
    struct symbols inner = symbols_inner(r, symbols);
    for (uint32_t i = 0; i < node->items.count; i += 2)
        find_targets(r, &inner, node->items.items[i], TARGET_PARAMETER);
    find_names_in(r, &inner, &node->body);
    node->plan = plan_of(r, &inner);
    for (uint32_t i = 0; i < node->items.count; i += 2) {
        resolve_target(r, &inner, node->items.items[i]);
        resolve(r, symbols, node->items.items[i + 1], false);
    }
    resolve_list(r, &inner, &node->body, false);
}

/* A body in a frame of its own that a filter may be applied to: set blocks, filter blocks. */
static void resolve_captured(struct resolver *r, struct symbols *symbols, struct node *node)
{
    struct symbols inner = symbols_inner(r, symbols);
    find_names(r, &inner, node->right);
    find_names_in(r, &inner, &node->body);
    node->plan = plan_of(r, &inner);
    resolve(r, &inner, node->right, false);
    resolve_list(r, &inner, &node->body, false);
}

static void resolve_arguments(struct resolver *r, struct symbols *symbols, struct arguments *arguments)
{
    if (!arguments)
        return;
    resolve_list(r, symbols, &arguments->positional, false);
    for (uint32_t i = 0; i < arguments->keyword_count; i++)
        resolve(r, symbols, arguments->keywords[i].value, false);
    resolve(r, symbols, arguments->spread, false);
    resolve(r, symbols, arguments->spread_keywords, false);
}

static void resolve(struct resolver *r, struct symbols *symbols, struct node *node, bool toplevel)
{
    if (!node || r->failed)
        return;
    node->toplevel = toplevel;
    switch ((enum node_kind)node->kind) {
    case NODE_NAME:
        resolve_name(r, symbols, node);
        break;
    case NODE_IF:
        for (uint32_t i = 0; i < node->items.count; i++) {
            resolve(r, symbols, node->items.items[i], false);
            resolve_list(r, symbols, &node->branches[i], toplevel);
        }
        resolve_list(r, symbols, &node->other, toplevel);
        break;
    case NODE_SET:
        resolve(r, symbols, node->right, false);
        resolve_target(r, symbols, node->left);
        break;
    case NODE_SET_BLOCK:
        resolve_captured(r, symbols, node);
        resolve_target(r, symbols, node->left);
        break;
    case NODE_FILTER_BLOCK:
        resolve_captured(r, symbols, node);
        break;
    case NODE_MACRO:
        resolve_name(r, symbols, node);
        resolve_macro(r, symbols, node);
        break;
    case NODE_CALL_BLOCK:
        resolve(r, symbols, node->left, false);
        resolve_macro(r, symbols, node);
        break;
    case NODE_FOR:
        resolve_for(r, symbols, node);
        break;
    case NODE_WITH:
        resolve_with(r, symbols, node);
        break;
    case NODE_LOADER:
        resolve(r, symbols, node->right, false);
        break;
    case NODE_BLOCK:
        break;
    default:
        resolve(r, symbols, node->left, false);
        resolve(r, symbols, node->right, false);
        resolve(r, symbols, node->third, false);
        resolve_list(r, symbols, &node->items, false);
        resolve_arguments(r, symbols, node->arguments);
        break;
    }
}

static void resolve_list(struct resolver *r, struct symbols *symbols, struct node_list *list, bool toplevel)
{
    for (uint32_t i = 0; i < list->count && !r->failed; i++)
        resolve(r, symbols, list->items[i], toplevel);
}

static void resolve_root(struct resolver *r, struct node_list *body, struct function_plan *plan,
                         bool toplevel)
{
    struct function_state state;
    enter_function(r, &state);
    struct symbols symbols = symbols_inner(r, NULL);
    plan->caller = -1;
    if (list_uses(body, "self")) {
        declare_parameter(r, &symbols, SLICE_LITERAL("self"));
        plan->caller = symbols.references[0].slot;
    }
    find_names_in(r, &symbols, body);
    plan->enter = plan_of(r, &symbols);
    resolve_list(r, &symbols, body, toplevel);
    leave_function(r, plan);
}

int template_resolve(struct template *template, struct arena *arena, struct error *err)
{
    struct resolver r = {.template = template, .arena = arena, .err = err};
    resolve_root(&r, &template->body, &template->root, true);
    for (uint32_t i = 0; i < template->blocks.count && !r.failed; i++) {
        struct node *block = template->blocks.items[i];
        block->function = arena_zalloc(arena, sizeof *block->function);
        resolve_root(&r, &block->body, block->function, false);
    }
    return r.failed ? -1 : 0;
}
