/* What both halves of the parser share: a recursive descent over the tokens, as Jinja's. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_PARSE_H
#define FIRTH_DECLARATIVE_TEMPLATE_PARSE_H

#include "lex.h"

struct parser {
    struct template *template;
    struct arena *arena;
    const struct token *token;
    unsigned depth;
    unsigned soft; /* inside if: filters that do not exist are only an error when they are reached */
    struct error *err;
};

struct node *parse_node(struct parser *parser, enum node_kind kind);
int parse_fail(const struct parser *parser, const char *expected);
#ifdef __clang_analyzer__ /* as in base/error.h */
#define parse_fail(...) (parse_fail(__VA_ARGS__), -1)
#endif
bool parse_is(const struct parser *parser, const char *operator_text);
bool parse_is_name(const struct parser *parser, const char *name);
bool parse_skip(struct parser *parser, const char *operator_text);
bool parse_skip_name(struct parser *parser, const char *name);
int parse_expect(struct parser *parser, const char *operator_text);
int parse_expect_name(struct parser *parser, struct slice *ret_name);
int parse_enter(struct parser *parser);

/* All give NULL on failure. */
struct node *parse_expression(struct parser *parser, bool with_condition);
/* Expressions with commas between them are a tuple. `stop` is a name that ends it, or NULL. */
struct node *parse_tuple(struct parser *parser, bool with_condition, const char *stop, bool may_be_empty);
/* A name, several, or namespace.attribute where that is allowed. */
struct node *parse_target(struct parser *parser, const char *stop, bool with_namespace);
/* "name(arguments)|name…" applied to `node`, which is NULL in filter blocks. The first name is at the token.
 */
struct node *parse_filters(struct parser *parser, struct node *node);
struct node *parse_postfix(struct parser *parser, struct node *node);
struct node *parse_call(struct parser *parser, struct node *node);

#endif
