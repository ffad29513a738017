/* What a condition compares a number with, read off the tree. */
#include "template.h"

#include "ast.h"

static bool list_names(const struct node_list *list, struct slice name);

static bool names(const struct node *node, struct slice name)
{
    if (!node)
        return false;
    if (node->kind == NODE_NAME && slice_equal(node->name, name))
        return true;
    const struct arguments *arguments = node->arguments;
    if (arguments) {
        if (list_names(&arguments->positional, name) || names(arguments->spread, name) ||
            names(arguments->spread_keywords, name))
            return true;
        for (uint32_t i = 0; i < arguments->keyword_count; i++)
            if (names(arguments->keywords[i].value, name))
                return true;
    }
    return names(node->left, name) || names(node->right, name) || names(node->third, name) ||
           list_names(&node->items, name);
}

static bool list_names(const struct node_list *list, struct slice name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (names(list->items[i], name))
            return true;
    return false;
}

static uint8_t mirrored(uint8_t op)
{
    switch (op) {
    case OP_LESS:
        return OP_GREATER;
    case OP_LESS_EQUAL:
        return OP_GREATER_EQUAL;
    case OP_GREATER:
        return OP_LESS;
    case OP_GREATER_EQUAL:
        return OP_LESS_EQUAL;
    default:
        return op;
    }
}

static bool is_within(const struct node *limit, bool or_equal, int64_t least)
{
    return limit->kind == NODE_CONST && limit->value.kind == TVALUE_INT &&
           limit->value.integer <= least - or_equal;
}

static bool is_fixed(const struct node *left, uint8_t op, const struct node *right,
                     const struct template_threshold *threshold)
{
    bool in_left = names(left, threshold->counted), in_right = names(right, threshold->counted);
    if (in_left == in_right)
        return false;
    const struct node *counted = in_left ? left : right, *limit = in_left ? right : left;
    op = in_left ? op : mirrored(op);
    if (op != OP_LESS && op != OP_LESS_EQUAL)
        return false;
    bool is_part = counted->kind == NODE_BINARY || counted->kind == NODE_AND || counted->kind == NODE_OR;
    return !is_part && !names(limit, threshold->follows) &&
           !is_within(limit, op == OP_LESS_EQUAL, threshold->least);
}

/* Does it render a text that is true, whatever there is? */
static bool is_true_text(const struct node_list *body)
{
    static const char *const FALSE_TEXTS[] = {"False", "false", "{}", "[]", "()", "", "0", "0.0"};
    struct arena arena;
    struct ttext text;
    bool is_known = true, is_true = true;
    arena_init(&arena);
    ttext_init(&text, &arena, TEMPLATE_SOURCE_MAX);
    for (uint32_t i = 0; i < body->count; i++) {
        const struct node *node = body->items[i];
        if (node->kind == NODE_DATA)
            ttext_slice(&text, node->name);
        for (uint32_t j = 0; node->kind == NODE_OUTPUT && j < node->items.count; j++) {
            is_known &= node->items.items[j]->kind == NODE_CONST;
            tvalue_str(&text, &node->items.items[j]->value);
        }
        is_known &= node->kind == NODE_DATA || node->kind == NODE_OUTPUT;
    }
    for (size_t i = 0; i < sizeof FALSE_TEXTS / sizeof *FALSE_TEXTS; i++)
        is_true &= !slice_is(ttext_slice_of(&text), FALSE_TEXTS[i]);
    arena_done(&arena);
    return is_known && is_true;
}

/* Only where the condition is as true as this node. */
static bool has_fixed(const struct node *node, const struct template_threshold *threshold)
{
    const struct node *left = node->left;
    switch (node->kind) {
    case NODE_AND:
    case NODE_OR:
        return has_fixed(node->left, threshold) || has_fixed(node->right, threshold);
    case NODE_OUTPUT:
        return node->items.count == 1 && has_fixed(node->items.items[0], threshold);
    case NODE_IF:
        return node->items.count == 1 && node->other.count == 0 && is_true_text(&node->branches[0]) &&
               has_fixed(node->items.items[0], threshold);
    case NODE_COMPARE:
        for (uint32_t i = 0; i < node->items.count; left = node->items.items[i++])
            if (is_fixed(left, node->ops[i], node->items.items[i], threshold))
                return true;
        return false;
    default:
        return false;
    }
}

bool template_has_threshold(const struct template *template, const struct template_threshold *threshold)
{
    return template->body.count == 1 && has_fixed(template->body.items[0], threshold);
}
