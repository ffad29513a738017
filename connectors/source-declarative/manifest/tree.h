/* Private to this folder: a manifest as a tree of values that are shared until they differ, each with the
 * place that it comes from. Immutable once made; everything lives in the arena of struct tree_work. */
#ifndef FIRTH_DECLARATIVE_MANIFEST_TREE_H
#define FIRTH_DECLARATIVE_MANIFEST_TREE_H

#include "manifest.h"

enum tree_kind {
    TREE_LITERAL, /* null, a boolean, a number: `text` is JSON */
    TREE_STRING,  /* `text` is the string itself */
    TREE_LIST,
    TREE_MAP,
};

struct tree_member;

struct tree {
    enum tree_kind kind;
    uint32_t count; /* items, members */
    struct yaml_position at;
    union {
        struct slice text;
        const struct tree **items;
        struct tree_member *members;
    };
};

struct tree_member {
    struct slice key;
    struct yaml_position at; /* of the key */
    const struct tree *value;
};

/* One run of resolving or propagating: what is made is bounded. */
struct tree_work {
    struct arena *arena;
    const char *file;
    size_t made;    /* nodes, against MANIFEST_NODES_MAX */
    uint32_t depth; /* of the recursion, against TREE_DEPTH_MAX */
};

enum { TREE_DEPTH_MAX = 600 }; /* containers, and references that lead to others */

/* All of a document. */
const struct tree *tree_of(struct tree_work *work, const struct json *doc,
                           const struct yaml_position *positions, uint32_t at);
/* New nodes: NULL and *err past the limit. Members and items are the caller's to fill. */
struct tree *tree_new(struct tree_work *work, enum tree_kind kind, uint32_t count, struct yaml_position at,
                      struct error *err);
struct tree_member *tree_find(const struct tree *map, struct slice key);
const struct tree *tree_get(const struct tree *map, const char *key);
/* Python's truth: null, false, 0, "", [] and {} are not. */
bool tree_is_true(const struct tree *value);
/* As JSON, with the place of every node. */
int tree_write(struct tree_work *work, const struct tree *root, struct yaml_document *ret_doc,
               struct error *err);

int tree_error(const struct tree_work *work, struct error *err, enum error_code code, struct yaml_position at,
               const char *format, ...) __attribute__((format(printf, 5, 6), cold));

const struct tree *manifest_resolve_tree(struct tree_work *work, const struct tree *root, struct error *err);
const struct tree *manifest_propagate_tree(struct tree_work *work, const struct tree *root,
                                           const char *identifier, bool parent_parameters_win,
                                           struct error *err);

#endif
