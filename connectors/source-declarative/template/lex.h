/* Template text to tokens. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_LEX_H
#define FIRTH_DECLARATIVE_TEMPLATE_LEX_H

#include "ast.h"

enum token_kind {
    TOKEN_END,
    TOKEN_DATA,
    TOKEN_PRINT_BEGIN, /* {{ */
    TOKEN_PRINT_END,
    TOKEN_BLOCK_BEGIN, /* {% */
    TOKEN_BLOCK_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_OPERATOR,
};

struct token {
    enum token_kind kind;
    uint32_t offset;
    struct slice text;   /* data, name, operator: as it stands */
    struct tvalue value; /* string, number */
};

/* All tokens, TOKEN_END last, in the arena. */
int lex(const struct template *template, struct arena *arena, struct token **ret_tokens, struct error *err);

/* Python's escapes inside a string (bytes: no \u, \U, \N). -1 with what is wrong: a message without values.
 */
int lex_unescape(struct arena *arena, struct slice inner, bool bytes, bool template_rules,
                 struct slice *ret_text, const char **ret_wrong);

#endif
