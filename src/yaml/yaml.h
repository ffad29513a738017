/* YAML and JSON files to the tree's one JSON (json/json.h), with the place of every node.
 *
 * YAML 1.2 core schema: null, booleans, numbers and strings as there (`yes`, `no`, `on`, `off` are
 * strings). Numbers that are valid JSON keep their text to the digit; 0x and 0o become decimal; .inf and
 * .nan are refused, since JSON has none. Anchors, aliases and merge keys are expanded within bounds.
 * Duplicate keys, several documents in one file, keys that are not scalars and tags other than the core
 * schema's are refused, and values that are not what their tag says. A tab in the indentation and every other
 * mistake says where it is. */
#ifndef FIRTH_YAML_YAML_H
#define FIRTH_YAML_YAML_H

#include "json/json.h"

enum {
    YAML_SIZE_MAX = 64 << 20,     /* bytes of a file */
    YAML_EXPANDED_MAX = 64 << 20, /* bytes of JSON after aliases and merge keys are expanded */
    YAML_NODES_MAX = 4 << 20,     /* values and keys, after expansion */
    YAML_DEPTH_MAX = 128,         /* nested containers */
};

/* From 1; a column counts characters (code points), as editors do. line 0: no place in particular. */
struct yaml_position {
    uint32_t line, column;
};

/* The core schema's tags that make a scalar something else than text. */
enum yaml_tag { YAML_TAG_NONE, YAML_TAG_NULL, YAML_TAG_BOOL, YAML_TAG_INT, YAML_TAG_FLOAT };

struct yaml_deferred {
    uint32_t at; /* the node */
    enum yaml_tag tag;
};

struct yaml_document {
    struct json json;
    const char *file;                      /* as the caller named it */
    const struct yaml_position *positions; /* positions[i] is where json.nodes[i] begins. What is inside
                                              of an alias has the place of the original. */
    /* Scalars like `!!int ${PORT}`: strings here, since what ${…} stands for is not this room's to know.
     * Ascending. */
    const struct yaml_deferred *deferred;
    size_t deferred_count;
};

enum yaml_syntax {
    YAML_SYNTAX_YAML,
    YAML_SYNTAX_JSON,
    /* As PyYAML reads it, for files that were written for it: yes and on are true, 010 is 8, 1_000 is 1000,
     * 1:30 is 90, 1e5 is text; of two keys of one name the last counts. */
    YAML_SYNTAX_YAML_1_1,
};

/* By the name: JSON for ".json", else YAML. */
enum yaml_syntax yaml_syntax_of(const char *path);

/* Told of each problem in a document, in the order found; the message has no place in it. */
typedef void yaml_on_problem(void *context, struct yaml_position at, const char *message);

/* Read a document. Everything in *ret_doc lives in the arena; `file` is copied, `source` need not live on.
 *
 * With on_problem, each problem is reported there, and those that leave a document (duplicate keys: the
 * first stays; a value that JSON cannot hold: null) do not make this fail. Without it the first problem
 * is the error, as "file:line:column: message". After a failure with on_problem, *err is the last one. */
int yaml_parse(struct arena *arena, const char *file, enum yaml_syntax syntax, struct slice source,
               yaml_on_problem *on_problem, void *context, struct yaml_document *ret_doc, struct error *err);

/* The same for a file, read from `path` (syntax by its name) and named `path` in messages. A file that
 * cannot be read is reported at line 0. */
int yaml_load(struct arena *arena, const char *path, yaml_on_problem *on_problem, void *context,
              struct yaml_document *ret_doc, struct error *err);

/* The tag that a string with ${…} has, YAML_TAG_NONE for all else. */
enum yaml_tag yaml_deferred_tag(const struct yaml_document *doc, uint32_t at);
/* What a text is by a tag, as JSON (in the arena, or the text itself). False if it is no such thing. An
 * explicit tag takes leading zeros. */
bool yaml_resolve_tag(enum yaml_tag tag, struct slice text, struct arena *arena, struct slice *ret_json);
/* "!!int" and "a whole number". */
const char *yaml_tag_name(enum yaml_tag tag);
const char *yaml_tag_wants(enum yaml_tag tag);

static inline struct yaml_position yaml_position(const struct yaml_document *doc, uint32_t at)
{
    return at == JSON_NONE ? (struct yaml_position){0, 0} : doc->positions[at];
}

#endif
