/* Private to src/yaml: a YAML file as a flat list of items, as it was written, aliases unexpanded. Reading
 * (read.c) makes it, writing (expand.c) turns it into JSON and positions. */
#ifndef FIRTH_YAML_ITEMS_H
#define FIRTH_YAML_ITEMS_H

#include "yaml/yaml.h"

enum yaml_kind {
    YAML_LITERAL, /* null, true, false, a number: `text` is JSON */
    YAML_STRING,  /* `text` is the string itself */
    YAML_SEQUENCE,
    YAML_MAPPING,
    YAML_KEY,   /* `text` is the name; its value follows */
    YAML_MERGE, /* the key `<<` */
    YAML_ALIAS, /* `target` */
};

struct yaml_item {
    enum yaml_kind kind;
    enum yaml_tag tag; /* a string that becomes this once its variables are expanded */
    bool dropped;      /* key: repeats an earlier one, which stays */
    struct yaml_position at;
    struct slice text;
    uint32_t after;  /* index behind the item and all that is in it; 0 while a container is open */
    uint32_t target; /* index of what the alias stands for */
};

struct yaml_items {
    struct arena *arena; /* scratch: the texts */
    struct yaml_item *items;
    size_t count, capacity;
};

/* Where problems go. */
struct yaml_reporter {
    const char *file;
    yaml_on_problem *on_problem; /* may be NULL */
    void *context;
    struct error *err;
    enum yaml_syntax syntax;
};

/* A problem that leaves a document: 0 to go on, -1 if it is the error. */
int yaml_problem(const struct yaml_reporter *reporter, struct yaml_position at, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/* A problem that does not: always -1. */
int yaml_fatal(const struct yaml_reporter *reporter, enum error_code code, struct yaml_position at,
               const char *format, ...) __attribute__((format(printf, 4, 5), cold));

/* Plain scalars by YAML's core schema: fills kind and text. -1: a problem that ends it. */
int yaml_resolve_plain(const struct yaml_reporter *reporter, struct arena *arena, struct yaml_item *item);
/* The same as PyYAML has it (YAML_SYNTAX_YAML_1_1). */
int yaml_resolve_plain_1_1(const struct yaml_reporter *reporter, struct arena *arena, struct yaml_item *item);

/* The text in quotes that begins at `begin`, behind its quote, if libfyaml cannot be trusted with it. */
bool yaml_quoted_text(struct arena *arena, struct slice source, size_t begin, char quote,
                      struct slice *ret_text);

/* The text of a block scalar whose first line begins at `begin`, behind its header; `style` is | or >,
 * `least` the least indentation that it can have. False: there is no header in the line before. */
bool yaml_block_text(struct arena *arena, struct slice source, size_t begin, char style, size_t least,
                     struct slice *ret_text);

/* Parse with libfyaml. The root is items[0]; an empty file is one null. */
int yaml_read_items(const struct yaml_reporter *reporter, struct slice source, struct yaml_items *items);

/* The nodes that the items became. All on the heap. */
struct yaml_nodes {
    struct yaml_position *positions;
    size_t count, capacity;
    struct yaml_deferred *deferred; /* ascending */
    size_t deferred_count, deferred_capacity;
};

/* Write the items as JSON, and what is to be known of each node; the nodes are the caller's to free. */
int yaml_expand(const struct yaml_reporter *reporter, const struct yaml_items *items, struct buffer *text,
                struct yaml_nodes *nodes);

#endif
