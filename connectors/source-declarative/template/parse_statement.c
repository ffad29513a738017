#include "parse.h"

static int parse_body(struct parser *parser, struct node_list *body, const char *const *ends);

/* "%}", the statements up to one of the tags, and that tag's name; the token is then behind the name. */
static int parse_until(struct parser *parser, struct node_list *body, const char *const *ends,
                       struct slice *ret_end)
{
    parse_skip(parser, ":");
    if (parser->token->kind != TOKEN_BLOCK_END)
        return parse_fail(parser, "'%}'");
    parser->token++;
    if (parse_body(parser, body, ends) < 0)
        return -1;
    if (parser->token->kind == TOKEN_END) {
        char expected[64];
        snprintf(expected, sizeof expected, "{%% %s %%}", ends[0]);
        return parse_fail(parser, expected);
    }
    *ret_end = parser->token++->text;
    return 0;
}

static struct node *parse_if(struct parser *parser)
{
    static const char *const ENDS[] = {"endif", "elif", "else", NULL}, *const END[] = {"endif", NULL};
    struct node *node = parse_node(parser, NODE_IF);
    struct slice end;
    uint32_t capacity = 0;
    parser->soft++;
    do {
        parser->token++;
        struct node *test = parse_tuple(parser, false, NULL, false);
        if (!test)
            return NULL;
        uint32_t at = node->items.count;
        node_list_push(parser->arena, &node->items, test);
        if (at == capacity) {
            capacity = capacity ? capacity * 2 : 2;
            struct node_list *branches = arena_zalloc(parser->arena, capacity * sizeof *branches);
            if (at)
                memcpy(branches, node->branches, at * sizeof *branches);
            node->branches = branches;
        }
        if (parse_until(parser, &node->branches[at], ENDS, &end) < 0)
            return NULL;
        parser->token -= slice_is(end, "elif");
    } while (slice_is(end, "elif"));
    if (slice_is(end, "else") && parse_until(parser, &node->other, END, &end) < 0)
        return NULL;
    parser->soft--;
    return node;
}

/* What stands in a scope of its own is not excused by an `if` around it. */
static unsigned harden(struct parser *parser)
{
    unsigned soft = parser->soft;
    parser->soft = 0;
    return soft;
}

static struct node *parse_for(struct parser *parser)
{
    static const char *const ENDS[] = {"endfor", "else", NULL}, *const END[] = {"endfor", NULL};
    struct node *node = parse_node(parser, NODE_FOR);
    struct slice end;
    parser->token++;
    node->left = parse_target(parser, "in", false);
    if (!node->left)
        return NULL;
    if (!parse_skip_name(parser, "in")) {
        parse_fail(parser, "'in'");
        return NULL;
    }
    node->right = parse_tuple(parser, false, "recursive", false);
    if (!node->right)
        return NULL;
    unsigned soft = harden(parser);
    if (parse_skip_name(parser, "if") && !(node->third = parse_expression(parser, true)))
        return NULL;
    node->recursive = parse_skip_name(parser, "recursive");
    if (parse_until(parser, &node->body, ENDS, &end) < 0 ||
        (slice_is(end, "else") && parse_until(parser, &node->other, END, &end) < 0))
        return NULL;
    parser->soft = soft;
    return node;
}

static struct node *parse_set(struct parser *parser)
{
    static const char *const END[] = {"endset", NULL};
    struct node *node = parse_node(parser, NODE_SET);
    struct slice end;
    parser->token++;
    node->left = parse_target(parser, NULL, true);
    if (!node->left)
        return NULL;
    if (parse_skip(parser, "=")) {
        node->right = parse_tuple(parser, true, NULL, false);
        return node->right ? node : NULL;
    }
    node->kind = NODE_SET_BLOCK;
    unsigned soft = harden(parser);
    if (parse_skip(parser, "|") && !(node->right = parse_filters(parser, NULL)))
        return NULL;
    if (parse_until(parser, &node->body, END, &end) < 0)
        return NULL;
    parser->soft = soft;
    return node;
}

static int parse_signature(struct parser *parser, struct node *node)
{
    bool defaults = false;
    if (parse_expect(parser, "(") < 0)
        return -1;
    while (!parse_is(parser, ")")) {
        if (node->items.count && parse_expect(parser, ",") < 0)
            return -1;
        struct node *name = parse_node(parser, NODE_NAME);
        if (parse_expect_name(parser, &name->name) < 0)
            return -1;
        if (parse_skip(parser, "=")) {
            defaults = true;
            name->right = parse_expression(parser, true);
            if (!name->right)
                return -1;
        } else if (defaults) {
            return parse_fail(parser, "a default: the argument before has one");
        }
        node_list_push(parser->arena, &node->items, name);
    }
    parser->token++;
    return 0;
}

static struct node *parse_macro(struct parser *parser)
{
    static const char *const END[] = {"endmacro", NULL};
    struct node *node = parse_node(parser, NODE_MACRO);
    struct slice end;
    parser->token++;
    unsigned soft = harden(parser);
    if (parse_expect_name(parser, &node->name) < 0 || parse_signature(parser, node) < 0 ||
        parse_until(parser, &node->body, END, &end) < 0)
        return NULL;
    parser->soft = soft;
    return node;
}

static struct node *parse_call_block(struct parser *parser)
{
    static const char *const END[] = {"endcall", NULL};
    struct node *node = parse_node(parser, NODE_CALL_BLOCK);
    struct slice end;
    parser->token++;
    if (parse_is(parser, "(") && parse_signature(parser, node) < 0)
        return NULL;
    node->left = parse_expression(parser, true);
    if (!node->left)
        return NULL;
    if (node->left->kind != NODE_CALL) {
        parse_fail(parser, "a call");
        return NULL;
    }
    unsigned soft = harden(parser);
    if (parse_until(parser, &node->body, END, &end) < 0)
        return NULL;
    parser->soft = soft;
    return node;
}

static struct node *parse_filter_block(struct parser *parser)
{
    static const char *const END[] = {"endfilter", NULL};
    struct node *node = parse_node(parser, NODE_FILTER_BLOCK);
    struct slice end;
    parser->token++;
    unsigned soft = harden(parser);
    node->right = parse_filters(parser, NULL);
    if (!node->right || parse_until(parser, &node->body, END, &end) < 0)
        return NULL;
    parser->soft = soft;
    return node;
}

static struct node *parse_with(struct parser *parser)
{
    static const char *const END[] = {"endwith", NULL};
    struct node *node = parse_node(parser, NODE_WITH);
    struct slice end;
    parser->token++;
    unsigned soft = harden(parser);
    while (parser->token->kind != TOKEN_BLOCK_END && !parse_is(parser, ":")) {
        if (node->items.count && parse_expect(parser, ",") < 0)
            return NULL;
        struct node *target = parse_target(parser, NULL, false);
        if (!target || parse_expect(parser, "=") < 0)
            return NULL;
        struct node *value = parse_expression(parser, true);
        if (!value)
            return NULL;
        node_list_push(parser->arena, &node->items, target);
        node_list_push(parser->arena, &node->items, value);
    }
    if (parse_until(parser, &node->body, END, &end) < 0)
        return NULL;
    parser->soft = soft;
    return node;
}

static struct node *parse_block(struct parser *parser)
{
    static const char *const END[] = {"endblock", NULL};
    struct node *node = parse_node(parser, NODE_BLOCK);
    struct slice end;
    parser->token++;
    unsigned soft = harden(parser);
    if (parse_expect_name(parser, &node->name) < 0)
        return NULL;
    for (uint32_t i = 0; i < parser->template->blocks.count; i++) {
        if (slice_equal(parser->template->blocks.items[i]->name, node->name)) {
            parse_fail(parser, "another block's name: this one is taken");
            return NULL;
        }
    }
    if (parse_is_name(parser, "scoped") || parse_is_name(parser, "required")) {
        template_error(
            parser->template, node->offset, ERROR_UNSUPPORTED, parser->err,
            "blocks that are scoped or required are not supported: nothing can extend the template");
        return NULL;
    }
    node_list_push(parser->arena, &parser->template->blocks, node);
    if (parse_until(parser, &node->body, END, &end) < 0)
        return NULL;
    if (parser->token->kind == TOKEN_NAME && slice_equal(parser->token->text, node->name))
        parser->token++;
    parser->soft = soft;
    return node;
}

/* {% print a, b %} */
static struct node *parse_print(struct parser *parser)
{
    struct node *node = parse_node(parser, NODE_OUTPUT);
    parser->token++;
    while (parser->token->kind != TOKEN_BLOCK_END) {
        if (node->items.count && parse_expect(parser, ",") < 0)
            return NULL;
        struct node *item = parse_expression(parser, true);
        if (!item)
            return NULL;
        node_list_push(parser->arena, &node->items, item);
    }
    return node;
}

/* include, import, from and extends: their expressions are looked at, so that names are known; when one is
 * reached it fails as in the CDK, where nothing can be loaded either. */
static struct node *parse_loader(struct parser *parser)
{
    struct node *node = parse_node(parser, NODE_LOADER);
    bool assigns = parse_is_name(parser, "import") || parse_is_name(parser, "from");
    parser->token++;
    node->right = parse_expression(parser, true);
    if (!node->right)
        return NULL;
    while (parser->token->kind != TOKEN_BLOCK_END && parser->token->kind != TOKEN_END) {
        bool keyword = parse_is_name(parser, "as") || parse_is_name(parser, "import") ||
                       parse_is_name(parser, "with") || parse_is_name(parser, "without") ||
                       parse_is_name(parser, "context") || parse_is_name(parser, "ignore") ||
                       parse_is_name(parser, "missing");
        if (assigns && !keyword && parser->token->kind == TOKEN_NAME) {
            struct node *name = parse_node(parser, NODE_NAME);
            name->name = parser->token->text;
            node_list_push(parser->arena, &node->items, name);
        }
        parser->token++;
    }
    return node;
}

static struct node *parse_statement(struct parser *parser)
{
    static const struct {
        const char *name;
        struct node *(*parse)(struct parser *parser);
    } STATEMENTS[] = {
        {"if", parse_if},          {"for", parse_for},         {"set", parse_set},
        {"macro", parse_macro},    {"call", parse_call_block}, {"filter", parse_filter_block},
        {"with", parse_with},      {"block", parse_block},     {"print", parse_print},
        {"include", parse_loader}, {"import", parse_loader},   {"from", parse_loader},
        {"extends", parse_loader},
    };
    const char *names[sizeof STATEMENTS / sizeof *STATEMENTS];
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof *STATEMENTS; i++) {
        names[i] = STATEMENTS[i].name;
        if (parse_is_name(parser, STATEMENTS[i].name))
            return STATEMENTS[i].parse(parser);
    }
    if (parse_is_name(parser, "autoescape")) {
        template_error(parser->template, parser->token->offset, ERROR_UNSUPPORTED, parser->err,
                       "{%% autoescape %%} is not supported: manifests make no HTML");
        return NULL;
    }
    if (parser->token->kind != TOKEN_NAME) {
        parse_fail(parser, "the name of a statement");
        return NULL;
    }
    struct slice name = parser->token->text;
    char *written = arena_strndup(parser->arena, name.data, utf8_cut(name.data, name.size, 40));
    const char *near = string_nearest(written, names, sizeof names / sizeof *names);
    template_error(parser->template, parser->token->offset, ERROR_INVALID, parser->err,
                   "there is no statement '%s' here%s%s%s", written, near ? "; is '" : "", near ? near : "",
                   near ? "' meant?" : "");
    return NULL;
}

static bool ends_here(const struct parser *parser, const char *const *ends)
{
    if (parser->token->kind != TOKEN_BLOCK_BEGIN || !ends || parser->token[1].kind != TOKEN_NAME)
        return false;
    for (; *ends; ends++) {
        if (slice_is(parser->token[1].text, *ends))
            return true;
    }
    return false;
}

static struct node *parse_print_tag(struct parser *parser)
{
    struct node *node = parse_node(parser, NODE_OUTPUT);
    parser->token++;
    struct node *value = parse_tuple(parser, true, NULL, false);
    if (!value)
        return NULL;
    node_list_push(parser->arena, &node->items, value);
    if (parser->token->kind != TOKEN_PRINT_END) {
        parse_fail(parser, "an operator or '}}'");
        return NULL;
    }
    parser->token++;
    return node;
}

/* Statements, data and expressions up to one of the tags (the token is then at its name) or the end. */
static int parse_body(struct parser *parser, struct node_list *body, const char *const *ends)
{
    if (parse_enter(parser) < 0)
        return -1;
    while (parser->token->kind != TOKEN_END) {
        struct node *node;
        if (parser->token->kind == TOKEN_DATA) {
            node = parse_node(parser, NODE_DATA);
            node->name = parser->token++->text;
        } else if (parser->token->kind == TOKEN_PRINT_BEGIN) {
            node = parse_print_tag(parser);
        } else if (ends_here(parser, ends)) {
            parser->token++;
            break;
        } else {
            parser->token++;
            node = parse_statement(parser);
            if (node && parser->token->kind != TOKEN_BLOCK_END) {
                parse_fail(parser, "'%}'");
                return -1;
            }
            parser->token++;
        }
        if (!node)
            return -1;
        node_list_push(parser->arena, body, node);
    }
    parser->depth--;
    return 0;
}

int template_parse(struct template *template, struct arena *arena, struct error *err)
{
    struct token *tokens;
    if (lex(template, arena, &tokens, err) < 0)
        return -1;
    struct parser parser = {.template = template, .arena = arena, .token = tokens, .err = err};
    template->plain =
        tokens->kind == TOKEN_END || (tokens->kind == TOKEN_DATA && tokens[1].kind == TOKEN_END &&
                                      tokens->text.size == template->source.size);
    return parse_body(&parser, &template->body, NULL);
}
