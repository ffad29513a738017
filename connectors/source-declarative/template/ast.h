/* A template as a tree. Names are resolved to slots by scope.c; a function (the template itself, a macro, a
 * block, the body of a recursive loop) has a frame of slots of its own at run time. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_AST_H
#define FIRTH_DECLARATIVE_TEMPLATE_AST_H

#include "template.h"

enum node_kind {
    /* expressions */
    NODE_CONST,
    NODE_NAME,
    NODE_TUPLE,
    NODE_LIST,
    NODE_DICT, /* items: key, value, key, value */
    NODE_UNARY,
    NODE_BINARY,
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_CONCAT,
    NODE_COMPARE, /* left is the first, items the others, ops their operators */
    NODE_COND,    /* left if right else third */
    NODE_FILTER,
    NODE_TEST,
    NODE_CALL,
    NODE_GETATTR,
    NODE_GETITEM,
    NODE_SLICE,
    NODE_NSREF, /* namespace.attribute, as a target */
    /* statements */
    NODE_DATA,
    NODE_OUTPUT, /* items */
    NODE_IF,     /* items: the tests; branches: their bodies; other: else */
    NODE_FOR,    /* left in right if third */
    NODE_SET,    /* left = right */
    NODE_SET_BLOCK,
    NODE_MACRO,
    NODE_CALL_BLOCK,
    NODE_FILTER_BLOCK,
    NODE_WITH, /* items: target, value, target, value */
    NODE_BLOCK,
    NODE_LOADER, /* include, import, from, extends: there is nothing to load from */
};

enum operator_kind {
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_FLOOR_DIVIDE,
    OP_MODULO,
    OP_POWER,
    OP_EQUAL,
    OP_UNEQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_IN,
    OP_NOT_IN,
};

struct node_list {
    struct node **items;
    uint32_t count, capacity;
};

struct keyword {
    struct slice name;
    struct node *value;
};

struct arguments {
    struct node_list positional;
    struct keyword *keywords;
    uint32_t keyword_count, keyword_capacity;
    struct node *spread, *spread_keywords; /* *x and **x */
};

/* What entering a frame does with a slot. */
enum load_action { LOAD_PARAMETER, LOAD_RESOLVE, LOAD_ALIAS, LOAD_MISSING };
struct load {
    uint32_t slot;
    enum load_action action;
    struct slice name;   /* LOAD_RESOLVE: looked up in the scope */
    uint32_t hops, from; /* LOAD_ALIAS: the slot, that many functions out */
};
struct frame_plan {
    struct load *loads;
    uint32_t count;
};

struct function_plan {
    uint32_t slots;
    struct frame_plan enter;
    /* macros, call blocks: where arguments go */
    uint32_t *parameters;
    int64_t caller, kwargs, varargs; /* slots, -1 if there is no such name */
};

struct node {
    uint8_t kind, op;
    bool negated;        /* unary minus; test: `is not` */
    bool extended;       /* for: its body uses `loop` */
    bool recursive;      /* for */
    bool toplevel;       /* set, macro: of the template itself, seen by its blocks */
    uint32_t offset;     /* in the source */
    uint32_t hops, slot; /* name, macro: its slot, that many functions out; loop: of `loop` */
    struct slice name;   /* name, attribute, filter, test, macro, data */
    struct tvalue value;
    const void *implementation; /* filter, test: its table row; NULL if there is none of the name */
    struct node *left, *right, *third;
    struct node_list items;
    uint8_t *ops;
    struct arguments *arguments;
    struct node_list *branches;
    struct node_list body, other;
    struct frame_plan plan, test_plan, other_plan;
    struct function_plan *function;
};

struct template
{
    struct slice source; /* as it was given */
    struct slice text;   /* with \n as line ends */
    bool plain;
    struct node_list body;
    struct function_plan root;
    struct slice *free_names;
    uint32_t free_count, free_capacity;
    struct node_list blocks; /* NODE_BLOCK */
    uint32_t nodes;
};

struct node *node_new(struct arena *arena, enum node_kind kind, uint32_t offset);
void node_list_push(struct arena *arena, struct node_list *list, struct node *node);

/* An error with the template, cut short, and the place in it. */
int template_error(const struct template *template, uint32_t offset, enum error_code code, struct error *err,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* parse_statement.c, parse_expression.c: fills template->body. */
int template_parse(struct template *template, struct arena *arena, struct error *err);
/* scope.c: resolves names; fills free_names, root, and every plan. */
int template_resolve(struct template *template, struct arena *arena, struct error *err);

#endif
