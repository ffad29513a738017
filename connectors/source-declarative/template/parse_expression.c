#include "parse.h"
#include "registry.h"

#include "unicode.h"

struct node *node_new(struct arena *arena, enum node_kind kind, uint32_t offset)
{
    struct node *node = arena_zalloc(arena, sizeof *node);
    node->kind = (uint8_t)kind;
    node->offset = offset;
    return node;
}

void node_list_push(struct arena *arena, struct node_list *list, struct node *node)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 4;
        struct node **items = arena_alloc(arena, capacity * sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = node;
}

struct node *parse_node(struct parser *parser, enum node_kind kind)
{
    return node_new(parser->arena, kind, parser->token->offset);
}

int(parse_fail)(const struct parser *parser, const char *expected)
{
    const struct token *token = parser->token;
    if (token->kind == TOKEN_END)
        return template_error(parser->template, token->offset, ERROR_INVALID, parser->err,
                              "it ends where %s should be", expected);
    return template_error(parser->template, token->offset, ERROR_INVALID, parser->err,
                          "'%.*s' stands where %s should be",
                          (int)utf8_cut(token->text.data, token->text.size, 40), token->text.data, expected);
}

bool parse_is(const struct parser *parser, const char *operator_text)
{
    return parser->token->kind == TOKEN_OPERATOR && slice_is(parser->token->text, operator_text);
}

bool parse_is_name(const struct parser *parser, const char *name)
{
    return parser->token->kind == TOKEN_NAME && slice_is(parser->token->text, name);
}

bool parse_skip(struct parser *parser, const char *operator_text)
{
    bool is = parse_is(parser, operator_text);
    parser->token += is;
    return is;
}

bool parse_skip_name(struct parser *parser, const char *name)
{
    bool is = parse_is_name(parser, name);
    parser->token += is;
    return is;
}

int parse_expect(struct parser *parser, const char *operator_text)
{
    char quoted[16];
    if (parse_skip(parser, operator_text))
        return 0;
    snprintf(quoted, sizeof quoted, "'%s'", operator_text);
    return parse_fail(parser, quoted);
}

int parse_expect_name(struct parser *parser, struct slice *ret_name)
{
    if (parser->token->kind != TOKEN_NAME)
        return parse_fail(parser, "a name");
    *ret_name = parser->token++->text;
    return 0;
}

int parse_enter(struct parser *parser)
{
    if (++parser->depth > TEMPLATE_NESTING_MAX)
        return template_error(parser->template, parser->token->offset, ERROR_LIMIT, parser->err,
                              "it is nested more than %d deep", TEMPLATE_NESTING_MAX);
    return 0;
}

/* --- primaries ----------------------------------------------------------------------------------- */

static struct node *constant(struct parser *parser, struct tvalue value)
{
    struct node *node = parse_node(parser, NODE_CONST);
    node->value = value;
    return node;
}

static struct node *parse_name(struct parser *parser)
{
    struct slice name = parser->token->text;
    struct node *node;
    if (slice_is(name, "true") || slice_is(name, "True"))
        node = constant(parser, tvalue_bool(true));
    else if (slice_is(name, "false") || slice_is(name, "False"))
        node = constant(parser, tvalue_bool(false));
    else if (slice_is(name, "none") || slice_is(name, "None"))
        node = constant(parser, tvalue_none());
    else {
        node = parse_node(parser, NODE_NAME);
        node->name = name;
    }
    parser->token++;
    return node;
}

/* Strings that stand side by side are one. */
static struct node *parse_string(struct parser *parser)
{
    struct node *node = constant(parser, parser->token++->value);
    while (parser->token->kind == TOKEN_STRING) {
        struct slice more = parser->token++->value.text, before = node->value.text;
        char *joined = arena_alloc(parser->arena, before.size + more.size);
        memcpy(joined, before.data, before.size);
        memcpy(joined + before.size, more.data, more.size);
        node->value.text = (struct slice){joined, before.size + more.size};
    }
    return node;
}

static struct node *parse_list(struct parser *parser)
{
    struct node *node = parse_node(parser, NODE_LIST);
    parser->token++;
    while (!parse_is(parser, "]")) {
        if (node->items.count && parse_expect(parser, ",") < 0)
            return NULL;
        if (parse_is(parser, "]"))
            break;
        struct node *item = parse_expression(parser, true);
        if (!item)
            return NULL;
        node_list_push(parser->arena, &node->items, item);
    }
    parser->token++;
    return node;
}

static struct node *parse_dict(struct parser *parser)
{
    struct node *node = parse_node(parser, NODE_DICT);
    parser->token++;
    while (!parse_is(parser, "}")) {
        if (node->items.count && parse_expect(parser, ",") < 0)
            return NULL;
        if (parse_is(parser, "}"))
            break;
        struct node *key = parse_expression(parser, true);
        if (!key || parse_expect(parser, ":") < 0)
            return NULL;
        struct node *value = parse_expression(parser, true);
        if (!value)
            return NULL;
        node_list_push(parser->arena, &node->items, key);
        node_list_push(parser->arena, &node->items, value);
    }
    parser->token++;
    return node;
}

static struct node *parse_primary(struct parser *parser)
{
    const struct token *token = parser->token;
    switch (token->kind) {
    case TOKEN_NAME:
        return parse_name(parser);
    case TOKEN_STRING:
        return parse_string(parser);
    case TOKEN_NUMBER: {
        struct node *node = constant(parser, token->value);
        parser->token++;
        return node;
    }
    default:
        break;
    }
    if (parse_skip(parser, "(")) {
        struct node *node = parse_tuple(parser, true, NULL, true);
        return node && parse_expect(parser, ")") == 0 ? node : NULL;
    }
    if (parse_is(parser, "["))
        return parse_list(parser);
    if (parse_is(parser, "{"))
        return parse_dict(parser);
    parse_fail(parser, "an expression");
    return NULL;
}

/* --- subscripts, calls, filters, tests ----------------------------------------------------------- */

/* One part of a slice: nothing, if the next token ends it. */
static int parse_slice_part(struct parser *parser, struct node **ret_part)
{
    if (parse_is(parser, ":") || parse_is(parser, "]") || parse_is(parser, ","))
        return 0;
    *ret_part = parse_expression(parser, true);
    return *ret_part ? 0 : -1;
}

static struct node *parse_subscribed(struct parser *parser)
{
    struct node *slice = parse_node(parser, NODE_SLICE), *start = NULL;
    if (!parse_is(parser, ":")) {
        start = parse_expression(parser, true);
        if (!start || !parse_is(parser, ":"))
            return start;
    }
    parser->token++;
    slice->left = start;
    if (parse_slice_part(parser, &slice->right) < 0)
        return NULL;
    if (parse_skip(parser, ":") && parse_slice_part(parser, &slice->third) < 0)
        return NULL;
    return slice;
}

static struct node *parse_subscript(struct parser *parser, struct node *node)
{
    struct node *result = parse_node(parser, NODE_GETITEM);
    result->left = node;
    if (parse_skip(parser, ".")) {
        const struct token *token = parser->token;
        if (token->kind == TOKEN_NAME) {
            result->kind = NODE_GETATTR;
            result->name = token->text;
        } else if (token->kind == TOKEN_NUMBER && tvalue_is_integer(&token->value)) {
            result->right = constant(parser, token->value);
        } else {
            parse_fail(parser, "a name or a number");
            return NULL;
        }
        parser->token++;
        return result;
    }
    parser->token++;
    struct node *tuple = parse_node(parser, NODE_TUPLE);
    while (!parse_is(parser, "]")) {
        if (tuple->items.count && parse_expect(parser, ",") < 0)
            return NULL;
        struct node *item = parse_subscribed(parser);
        if (!item)
            return NULL;
        node_list_push(parser->arena, &tuple->items, item);
    }
    parser->token++;
    result->right = tuple->items.count == 1 ? tuple->items.items[0] : tuple;
    return result;
}

static void push_keyword(struct parser *parser, struct arguments *arguments, struct slice name,
                         struct node *value)
{
    if (arguments->keyword_count == arguments->keyword_capacity) {
        uint32_t capacity = arguments->keyword_capacity ? arguments->keyword_capacity * 2 : 4;
        struct keyword *keywords = arena_alloc(parser->arena, capacity * sizeof *keywords);
        if (arguments->keyword_count)
            memcpy(keywords, arguments->keywords, arguments->keyword_count * sizeof *keywords);
        arguments->keywords = keywords;
        arguments->keyword_capacity = capacity;
    }
    arguments->keywords[arguments->keyword_count++] = (struct keyword){name, value};
}

static int parse_argument(struct parser *parser, struct arguments *arguments)
{
    bool ended = arguments->spread || arguments->spread_keywords;
    if (parse_is(parser, "*") && !ended) {
        parser->token++;
        arguments->spread = parse_expression(parser, true);
        return arguments->spread ? 0 : -1;
    }
    if (parse_is(parser, "**") && !arguments->spread_keywords) {
        parser->token++;
        arguments->spread_keywords = parse_expression(parser, true);
        return arguments->spread_keywords ? 0 : -1;
    }
    const struct token *next = parser->token + 1;
    if (parser->token->kind == TOKEN_NAME && next->kind == TOKEN_OPERATOR && slice_is(next->text, "=")) {
        struct slice name = parser->token->text;
        if (arguments->spread_keywords)
            return parse_fail(parser, "')', behind **");
        for (uint32_t i = 0; i < arguments->keyword_count; i++) {
            if (slice_equal(arguments->keywords[i].name, name))
                return parse_fail(parser, "another keyword");
        }
        parser->token += 2;
        struct node *value = parse_expression(parser, true);
        if (!value)
            return -1;
        push_keyword(parser, arguments, name, value);
        return 0;
    }
    if (ended || arguments->keyword_count)
        return parse_fail(parser, "a keyword argument or ')'");
    struct node *value = parse_expression(parser, true);
    if (!value)
        return -1;
    node_list_push(parser->arena, &arguments->positional, value);
    return 0;
}

static struct arguments *parse_arguments(struct parser *parser)
{
    struct arguments *arguments = arena_zalloc(parser->arena, sizeof *arguments);
    bool first = true;
    parser->token++; /* ( */
    while (!parse_is(parser, ")")) {
        if (!first && parse_expect(parser, ",") < 0)
            return NULL;
        first = false;
        if (parse_is(parser, ")"))
            break;
        if (parse_argument(parser, arguments) < 0)
            return NULL;
    }
    parser->token++;
    return arguments;
}

struct node *parse_call(struct parser *parser, struct node *node)
{
    struct node *call = parse_node(parser, NODE_CALL);
    call->left = node;
    call->arguments = parse_arguments(parser);
    return call->arguments ? call : NULL;
}

struct node *parse_postfix(struct parser *parser, struct node *node)
{
    unsigned depth = parser->depth;
    while (node) {
        if (parse_is(parser, ".") || parse_is(parser, "["))
            node = parse_enter(parser) < 0 ? NULL : parse_subscript(parser, node);
        else if (parse_is(parser, "("))
            node = parse_enter(parser) < 0 ? NULL : parse_call(parser, node);
        else
            break;
    }
    parser->depth = depth;
    return node;
}

/* "a.b": names of filters and tests may have dots. */
static int parse_dotted(struct parser *parser, struct slice *ret_name)
{
    struct slice name, more;
    if (parse_expect_name(parser, &name) < 0)
        return -1;
    while (parse_skip(parser, ".")) {
        if (parse_expect_name(parser, &more) < 0)
            return -1;
        char *joined = arena_printf(parser->arena, "%.*s.%.*s", SLICE_ARGS(name), SLICE_ARGS(more));
        name = slice_of(joined);
    }
    *ret_name = name;
    return 0;
}

static int unknown(struct parser *parser, const struct node *node, const char *what, const char *near)
{
    if (parser->soft)
        return 0;
    return template_error(parser->template, node->offset, ERROR_INVALID, parser->err,
                          "there is no %s '%.*s'%s%s%s", what,
                          (int)utf8_cut(node->name.data, node->name.size, 60), node->name.data,
                          near ? "; is '" : "", near ? near : "", near ? "' meant?" : "");
}

struct node *parse_filters(struct parser *parser, struct node *node)
{
    do {
        struct node *filter = parse_node(parser, NODE_FILTER);
        filter->left = node;
        if (parse_dotted(parser, &filter->name) < 0)
            return NULL;
        filter->implementation = registry_filter(filter->name);
        if (!filter->implementation &&
            unknown(parser, filter, "filter", registry_near_filter(filter->name)) < 0)
            return NULL;
        filter->arguments = parse_is(parser, "(") ? parse_arguments(parser)
                                                  : arena_zalloc(parser->arena, sizeof *filter->arguments);
        if (!filter->arguments || parse_enter(parser) < 0)
            return NULL;
        node = filter;
    } while (parse_skip(parser, "|"));
    return node;
}

/* An argument of a test may stand without parentheses: `x is divisibleby 3`. */
static bool test_argument_follows(const struct parser *parser)
{
    switch (parser->token->kind) {
    case TOKEN_NAME:
        return !parse_is_name(parser, "else") && !parse_is_name(parser, "or") &&
               !parse_is_name(parser, "and");
    case TOKEN_STRING:
    case TOKEN_NUMBER:
        return true;
    default:
        return parse_is(parser, "[") || parse_is(parser, "{");
    }
}

static struct node *parse_test(struct parser *parser, struct node *node)
{
    struct node *test = parse_node(parser, NODE_TEST);
    parser->token++; /* is */
    test->left = node;
    test->negated = parse_skip_name(parser, "not");
    if (parse_dotted(parser, &test->name) < 0)
        return NULL;
    test->implementation = registry_test(test->name);
    if (!test->implementation && unknown(parser, test, "test", registry_near_test(test->name)) < 0)
        return NULL;
    test->arguments = arena_zalloc(parser->arena, sizeof *test->arguments);
    if (parse_is(parser, "(")) {
        test->arguments = parse_arguments(parser);
        return test->arguments ? test : NULL;
    }
    if (!test_argument_follows(parser))
        return test;
    if (parse_is_name(parser, "is")) {
        parse_fail(parser, "an operator: tests cannot be chained");
        return NULL;
    }
    struct node *argument = parse_primary(parser);
    argument = argument ? parse_postfix(parser, argument) : NULL;
    if (!argument)
        return NULL;
    node_list_push(parser->arena, &test->arguments->positional, argument);
    return test;
}

static struct node *parse_filter_expression(struct parser *parser, struct node *node)
{
    unsigned depth = parser->depth;
    while (node) {
        if (parse_skip(parser, "|"))
            node = parse_filters(parser, node);
        else if (parse_is_name(parser, "is"))
            node = parse_enter(parser) < 0 ? NULL : parse_test(parser, node);
        else if (parse_is(parser, "("))
            node = parse_enter(parser) < 0 ? NULL : parse_call(parser, node);
        else
            break;
    }
    parser->depth = depth;
    return node;
}

/* --- operators ----------------------------------------------------------------------------------- */

static struct node *parse_unary(struct parser *parser, bool with_filter)
{
    struct node *node;
    if (parse_enter(parser) < 0)
        return NULL;
    if (parse_is(parser, "-") || parse_is(parser, "+")) {
        node = parse_node(parser, NODE_UNARY);
        node->negated = parse_is(parser, "-");
        parser->token++;
        node->left = parse_unary(parser, false);
        node = node->left ? node : NULL;
    } else {
        node = parse_primary(parser);
    }
    if (node)
        node = parse_postfix(parser, node);
    if (node && with_filter)
        node = parse_filter_expression(parser, node);
    parser->depth--;
    return node;
}

struct operator_text {
    const char *text;
    enum operator_kind kind;
};

static bool operator_of(const struct parser *parser, const struct operator_text *operators, size_t count,
                        uint8_t *ret_op)
{
    for (size_t i = 0; i < count; i++) {
        if (parse_is(parser, operators[i].text)) {
            *ret_op = (uint8_t)operators[i].kind;
            return true;
        }
    }
    return false;
}

typedef struct node *parse_operand(struct parser *parser);

/* operand (operator operand)*, to the left. */
static struct node *parse_binary(struct parser *parser, const struct operator_text *operators, size_t count,
                                 parse_operand *operand)
{
    uint8_t op;
    unsigned depth = parser->depth;
    struct node *left = operand(parser);
    while (left && operator_of(parser, operators, count, &op)) {
        struct node *node = parse_node(parser, NODE_BINARY);
        parser->token++;
        node->op = op;
        node->left = left;
        node->right = parse_enter(parser) < 0 ? NULL : operand(parser);
        left = node->right ? node : NULL;
    }
    parser->depth = depth;
    return left;
}

static struct node *parse_unary_filtered(struct parser *parser)
{
    return parse_unary(parser, true);
}

static struct node *parse_power(struct parser *parser)
{
    static const struct operator_text OPERATORS[] = {{"**", OP_POWER}};
    return parse_binary(parser, OPERATORS, 1, parse_unary_filtered);
}

static struct node *parse_product(struct parser *parser)
{
    static const struct operator_text OPERATORS[] = {
        {"*", OP_MULTIPLY}, {"/", OP_DIVIDE}, {"//", OP_FLOOR_DIVIDE}, {"%", OP_MODULO}};
    return parse_binary(parser, OPERATORS, 4, parse_power);
}

static struct node *parse_concat(struct parser *parser)
{
    struct node *node = parse_node(parser, NODE_CONCAT), *part = parse_product(parser);
    if (!part || !parse_is(parser, "~"))
        return part;
    node_list_push(parser->arena, &node->items, part);
    while (parse_skip(parser, "~")) {
        part = parse_product(parser);
        if (!part)
            return NULL;
        node_list_push(parser->arena, &node->items, part);
    }
    return node;
}

static struct node *parse_sum(struct parser *parser)
{
    static const struct operator_text OPERATORS[] = {{"+", OP_ADD}, {"-", OP_SUBTRACT}};
    return parse_binary(parser, OPERATORS, 2, parse_concat);
}

static bool compare_operator(struct parser *parser, uint8_t *ret_op)
{
    static const struct operator_text OPERATORS[] = {{"==", OP_EQUAL},      {"!=", OP_UNEQUAL},
                                                     {"<=", OP_LESS_EQUAL}, {">=", OP_GREATER_EQUAL},
                                                     {"<", OP_LESS},        {">", OP_GREATER}};
    if (operator_of(parser, OPERATORS, sizeof OPERATORS / sizeof *OPERATORS, ret_op)) {
        parser->token++;
        return true;
    }
    *ret_op = OP_IN;
    if (parse_skip_name(parser, "in"))
        return true;
    *ret_op = OP_NOT_IN;
    if (!parse_is_name(parser, "not") || parser->token[1].kind != TOKEN_NAME ||
        !slice_is(parser->token[1].text, "in"))
        return false;
    parser->token += 2;
    return true;
}

static struct node *parse_compare(struct parser *parser)
{
    uint8_t op, ops[TEMPLATE_NESTING_MAX];
    struct node *node = parse_node(parser, NODE_COMPARE);
    node->left = parse_sum(parser);
    while (node->left && compare_operator(parser, &op)) {
        if (node->items.count == TEMPLATE_NESTING_MAX) {
            parse_fail(parser, "an end: there are too many comparisons");
            return NULL;
        }
        ops[node->items.count] = op;
        struct node *operand = parse_sum(parser);
        if (!operand)
            return NULL;
        node_list_push(parser->arena, &node->items, operand);
    }
    if (!node->items.count)
        return node->left;
    node->ops = arena_dup(parser->arena, ops, node->items.count);
    return node;
}

static struct node *parse_not(struct parser *parser)
{
    if (!parse_is_name(parser, "not"))
        return parse_compare(parser);
    struct node *node = parse_node(parser, NODE_NOT);
    parser->token++;
    if (parse_enter(parser) < 0)
        return NULL;
    node->left = parse_not(parser);
    parser->depth--;
    return node->left ? node : NULL;
}

static struct node *parse_logical(struct parser *parser, const char *word, enum node_kind kind,
                                  parse_operand *operand)
{
    unsigned depth = parser->depth;
    struct node *left = operand(parser);
    while (left && parse_is_name(parser, word)) {
        struct node *node = parse_node(parser, kind);
        parser->token++;
        node->left = left;
        node->right = parse_enter(parser) < 0 ? NULL : operand(parser);
        left = node->right ? node : NULL;
    }
    parser->depth = depth;
    return left;
}

static struct node *parse_and(struct parser *parser)
{
    return parse_logical(parser, "and", NODE_AND, parse_not);
}

static struct node *parse_or(struct parser *parser)
{
    return parse_logical(parser, "or", NODE_OR, parse_and);
}

/* What stands before the word `if` is parsed before anybody knows of it: whether its filters must exist is
 * found by looking ahead. */
static bool condition_follows(const struct parser *parser)
{
    unsigned open = 0;
    for (const struct token *token = parser->token; token->kind != TOKEN_END; token++) {
        if (token->kind == TOKEN_PRINT_END || token->kind == TOKEN_BLOCK_END)
            return false;
        if (token->kind == TOKEN_NAME && !open && slice_is(token->text, "if"))
            return true;
        if (token->kind != TOKEN_OPERATOR || token->text.size != 1)
            continue;
        char byte = *token->text.data;
        if (byte == '(' || byte == '[' || byte == '{')
            open++;
        else if ((byte == ')' || byte == ']' || byte == '}' || byte == ',') && !open)
            return false;
        else if (byte == ')' || byte == ']' || byte == '}')
            open--;
    }
    return false;
}

static struct node *parse_condition(struct parser *parser, struct node *node)
{
    while (node && parse_is_name(parser, "if")) {
        struct node *condition = parse_node(parser, NODE_COND);
        parser->token++;
        condition->left = node;
        condition->right = parse_or(parser);
        if (!condition->right)
            return NULL;
        if (parse_skip_name(parser, "else")) {
            condition->third = parse_expression(parser, true);
            if (!condition->third)
                return NULL;
        }
        node = condition;
    }
    return node;
}

struct node *parse_expression(struct parser *parser, bool with_condition)
{
    if (parse_enter(parser) < 0)
        return NULL;
    bool soft = with_condition && condition_follows(parser);
    parser->soft += soft;
    struct node *node = parse_or(parser);
    if (with_condition)
        node = parse_condition(parser, node);
    parser->soft -= soft;
    parser->depth--;
    return node;
}

static bool tuple_ends(const struct parser *parser, const char *stop)
{
    return parser->token->kind == TOKEN_PRINT_END || parser->token->kind == TOKEN_BLOCK_END ||
           parse_is(parser, ")") || (stop && parse_is_name(parser, stop));
}

struct node *parse_tuple(struct parser *parser, bool with_condition, const char *stop, bool may_be_empty)
{
    struct node *tuple = parse_node(parser, NODE_TUPLE);
    bool comma = false;
    while (!tuple_ends(parser, stop)) {
        struct node *item = parse_expression(parser, with_condition);
        if (!item)
            return NULL;
        node_list_push(parser->arena, &tuple->items, item);
        if (!parse_skip(parser, ","))
            break;
        comma = true;
    }
    if (comma || (may_be_empty && tuple->items.count == 0))
        return tuple;
    if (tuple->items.count)
        return tuple->items.items[0];
    parse_fail(parser, "an expression");
    return NULL;
}

/* --- targets of assignments ---------------------------------------------------------------------- */

static struct node *parse_target_part(struct parser *parser, bool with_namespace)
{
    if (parse_skip(parser, "(")) {
        struct node *node = parse_enter(parser) < 0 ? NULL : parse_target(parser, NULL, with_namespace);
        parser->depth -= node != NULL;
        return node && parse_expect(parser, ")") == 0 ? node : NULL;
    }
    static const char *const FIXED[] = {"true", "True", "false", "False", "none", "None"};
    struct node *node = parse_node(parser, NODE_NAME);
    if (parse_expect_name(parser, &node->name) < 0)
        return NULL;
    if (with_namespace && parse_skip(parser, ".")) {
        node->kind = NODE_NSREF;
        node->value = tvalue_string((struct slice){0});
        return parse_expect_name(parser, &node->value.text) < 0 ? NULL : node;
    }
    for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED; i++) {
        if (slice_is(node->name, FIXED[i])) {
            parser->token--;
            parse_fail(parser, "a name that can be assigned to");
            return NULL;
        }
    }
    return node;
}

struct node *parse_target(struct parser *parser, const char *stop, bool with_namespace)
{
    struct node *tuple = parse_node(parser, NODE_TUPLE);
    bool comma = false;
    while (!tuple_ends(parser, stop)) {
        struct node *item = parse_target_part(parser, with_namespace);
        if (!item)
            return NULL;
        node_list_push(parser->arena, &tuple->items, item);
        if (!parse_skip(parser, ","))
            break;
        comma = true;
    }
    if (!comma && tuple->items.count == 1)
        return tuple->items.items[0];
    if (tuple->items.count)
        return tuple;
    parse_fail(parser, "a name");
    return NULL;
}
