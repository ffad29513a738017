/* Compiling: shared by compile*.c and link.c.
 *
 * A work list, not recursion: each schema that is referred to becomes a rule once, and its operations are
 * written when its turn comes. Linking then settles what needs the whole: dynamic references, loops,
 * inlining, the final layout. */
#ifndef FIRTH_SCHEMA_COMPILE_H
#define FIRTH_SCHEMA_COMPILE_H

#include "schema/program.h"
#include "schema/registry.h"

/* A rule being made. */
struct work {
    struct resource *resource;
    uint32_t resource_number;
    uint32_t node;
    uint32_t place;
    uint16_t types;
    bool tracks;
    uint8_t inline_depth;            /* callees within callees that have been written in */
    uint32_t op_first, op_count;     /* in compiler.ops */
    uint32_t note_first, note_count; /* in program.notes */
    bool speaks;                     /* see struct rule */
};

/* The keywords of the schema object at hand: the value's node, or JSON_NONE. */
struct facets {
    uint32_t at[KEYWORD_MAX];
};

/* What is wrong so far, if all of it is wanted. */
struct found_problem {
    struct document *document; /* NULL: no place */
    uint32_t node;
    const char *message;
};
struct found_problems {
    struct arena *arena;
    struct found_problem items[SCHEMA_PROBLEMS_MAX];
    size_t count;
};

struct compiler {
    struct schema_registry *registry;
    struct found_problems *problems; /* NULL: the first one ends it */
    struct document *failed_in; /* of the failure at hand: its place, and where its words begin in c->err */
    uint32_t failed_at;
    size_t failed_words;
    struct schema *program;
    struct arena scratch;
    struct arena uris; /* of the reference at hand */
    size_t patterns_size, name_matches;
    struct work *works; /* by rule number */
    size_t work_count, work_capacity, work_done;
    struct op *ops;
    size_t op_count, op_capacity;
    size_t place_capacity, list_capacity, name_capacity, object_capacity, array_capacity, contains_capacity,
        enum_capacity, number_capacity, range_capacity, choice_capacity, dynamic_capacity, regex_capacity,
        resource_capacity, document_capacity, note_capacity;
    struct map rule_of;     /* (document, node) to rule number + 1 */
    struct map regex_of;    /* pattern to number + 1 */
    struct map resource_of; /* struct resource * to number + 1 */
    const struct schema_options *options;
    struct error *err;

    /* the schema whose turn it is */
    uint32_t rule;
    struct resource *resource;
    const struct json *json;
    const struct facets *facets;
};

/* Append a zeroed item to the program's array `name`; its number. */
#define PROGRAM_ADD(c, type, array, counter, room)                                           \
    ((c)->program->array =                                                                   \
         mem_grow((c)->program->array, &(c)->room, (c)->program->counter + 1, sizeof(type)), \
     memset(&(c)->program->array[(c)->program->counter], 0, sizeof(type)),                   \
     (uint32_t)(c)->program->counter++)

/* "URI#/pointer: message" of a node of the schema at hand; returns -1. */
int compile_error(struct compiler *c, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/* The same of any document; the place is noted for compile_go_on. */
int compile_fail(struct compiler *c, enum error_code code, struct document *document, uint32_t node,
                 const char *where, const char *message);
/* The result of a part of compiling: if it is a failure and all of them are wanted, it is noted, but for a
 * second one at the same place, and 0. What was made so far is then never run. */
int compile_go_on(struct compiler *c, int result);
/* The same for a limit that was hit. */
int compile_limit(struct compiler *c, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/* The rule for a schema at `node` of the document at hand (a subschema) or anywhere. -1 with the error set if
 * it is no schema. */
int compile_rule(struct compiler *c, uint32_t node, uint32_t *ret_rule);
int compile_target(struct compiler *c, struct schema_target target, uint32_t *ret_rule);
void compile_emit(struct compiler *c, enum op_code code, enum keyword keyword, uint32_t a, uint32_t b);
struct name compile_name(struct compiler *c, uint32_t node); /* of a string or key */
int compile_regex(struct compiler *c, uint32_t node, uint32_t *ret_regex);
uint32_t compile_place(struct compiler *c, const struct place *place);
static inline uint32_t facet(const struct compiler *c, enum keyword keyword)
{
    return c->facets->at[keyword];
}
/* The keyword's value as a count (clamped), or `absent`. */
int compile_count(struct compiler *c, enum keyword keyword, uint32_t absent, uint32_t *ret_count);

int compile_assertions(struct compiler *c);  /* compile_assert.c */
int compile_array(struct compiler *c);       /* compile_items.c */
int compile_object(struct compiler *c);      /* compile_members.c */
int compile_applicators(struct compiler *c); /* compile_logic.c */
int compile_references(struct compiler *c);
int compile_dynamics(struct compiler *c); /* add candidates; 1 if that made new work, 0 if not, -1 */
int compile_link(struct compiler *c);     /* link.c */
int compile_check(struct compiler *c);    /* check.c: the documents, once each, against their metaschemas */
void compile_close(struct compiler *c, struct work *work); /* close.c */
void compile_notes(struct compiler *c);                    /* compile_notes.c */
void compile_speaking(struct compiler *c); /* before anything is inlined: who has notes, or may run who has */
void compile_lay_out_notes(struct compiler *c);

void compile_quick(struct compiler *c);   /* quick.c */
void compile_choices(struct compiler *c); /* choice.c */

enum op_group op_group(enum op_code code);

#endif
