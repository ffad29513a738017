/* Explaining: shared by explain*.c and message.c.
 *
 * It has no rules of its own: each operation is asked through the machine, and only those that say no are
 * described, by going down to what made them. */
#ifndef FIRTH_SCHEMA_EXPLAIN_H
#define FIRTH_SCHEMA_EXPLAIN_H

#include "schema/format/format.h"
#include "schema/machine.h"

/* An alternative is tried: its violations are weighed, not kept. */
struct trial {
    uint32_t level; /* instance depth at which the alternatives stand */
    uint32_t depth; /* of the violation that is least deep, counted from there */
    uint32_t violations;
    bool wrong_type;            /* of the value that the alternatives are for */
    const struct name *missing; /* the last property of that value that is required and not there */
};

/* explain_evidence.c: a const or enum that an alternative has for a value of the document. */
enum { EVIDENCE_LEVELS_MAX = 8 }; /* so many members within members are looked at */
struct clue {
    uint32_t node;
    uint32_t alternative;
    uint32_t order;
    uint8_t level; /* depth of the node, counted from where the alternatives stand */
    bool holds;
    const struct enum_plan *plan;
};
struct evidence {
    struct clue *clues; /* by node, then by alternative */
    size_t count, capacity;
    uint32_t *known; /* by alternative: properties that are there and that it names */
};
/* The clues of one node. */
struct clue_group {
    size_t first, end;
    uint32_t holding, failing; /* alternatives */
};

struct explainer {
    struct schema_validator *m;
    struct arena *arena;
    struct schema_violation *violations;
    size_t max, count;
    uint32_t made;       /* violations described, kept or not */
    uint32_t level;      /* descents into the instance */
    struct trial *trial; /* NULL: keep violations */
    uint32_t looks;      /* at operations, for evidence */
    struct buffer path;  /* keyword location as evaluated */
    size_t suffix;       /* in path: where the part after the place begins */
    struct buffer message;
};

/* Where the explainer stands in the schema: saved on the way down. */
struct site {
    size_t path_size, suffix;
};

bool explain_is_full(const struct explainer *x);
struct site explain_push(struct explainer *x, uint32_t place, enum keyword keyword);
void explain_push_number(struct explainer *x, uint32_t number);
void explain_push_token(struct explainer *x, struct slice token);
void explain_pop(struct explainer *x, struct site site);
/* Report x->message at the site just pushed. */
void explain_violate(struct explainer *x, uint32_t place, enum keyword keyword, uint32_t at);
/* Explain why the rule does not hold, at the site just pushed. */
void explain_rule(struct explainer *x, uint32_t rule, uint32_t place, enum keyword keyword, uint32_t at);
void explain_op(struct explainer *x, const struct op *op, uint32_t at);

/* Explain a rule that is applied to a member or an element: down one level, without the marks of this one. */
void explain_child(struct explainer *x, uint32_t rule, uint32_t place, enum keyword keyword, uint32_t at);

/* explain_members.c, explain_unevaluated.c, explain_choice.c */
void explain_members(struct explainer *x, const struct op *op, uint32_t at);
void explain_items(struct explainer *x, const struct op *op, uint32_t at);
/* `failed`: the rule that it stands in, if other keywords of it do not hold; then only that is told which
 * none of them can be about. NULL: they hold. */
void explain_unevaluated(struct explainer *x, const struct op *op, const struct rule *failed, uint32_t at);
void explain_choice(struct explainer *x, const struct op *op, uint32_t at);

/* Gather what the alternatives of an anyOf or oneOf say; to be done with. */
void evidence_gather(struct explainer *x, const struct op *op, uint32_t at, struct evidence *ret_evidence);
void evidence_done(struct evidence *evidence);
/* The group that begins at clue `first`. */
struct clue_group evidence_group(const struct evidence *evidence, size_t first);

/* message.c, message_values.c: each sets x->message, but while alternatives are weighed: nobody reads them
 * then. */
void message_set(struct explainer *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
void message_value(struct explainer *x, uint32_t at); /* append: string "abc", an object of 3 members */
/* Append the same, but of an object or array the beginning of its text. */
void message_content(struct explainer *x, uint32_t at);
/* Append types to values that are expected: ", boolean or null". */
void message_more_types(struct explainer *x, uint16_t types);
void message_types(struct explainer *x, uint16_t types, uint32_t at);
void message_format(struct explainer *x, enum format format, uint32_t at);
void message_limit(struct explainer *x, const struct op *op, uint32_t at);
void message_not(struct explainer *x, const struct op *op, uint32_t at);
/* One of the values of all these, or any of the types. */
void message_values(struct explainer *x, const struct clue *clues, size_t count, uint16_t types, uint32_t at);
/* Do they ask for different values? */
bool message_differ(const struct clue *clues, size_t count);
void message_suggestion(struct explainer *x, const char *given, const char *const *candidates, size_t count);
/* Append at most so many bytes of a text, and how many it has if it is cut. */
void message_raw(struct explainer *x, struct slice raw, size_t max);
/* Append the beginning of a value of the schema, without the blanks between its tokens. */
void message_json(struct explainer *x, struct slice raw);
/* Append the pointer of `at` from `from` on, which holds it. */
void message_place(struct explainer *x, uint32_t from, uint32_t at);
void message_unexpected(struct explainer *x, const struct object_plan *plan, uint32_t key);
/* Append a keyword's count and what is counted: as it is written, where it is too large to be held. */
void message_count(struct explainer *x, uint32_t place, enum keyword keyword, uint32_t count,
                   const char *what);
/* Append the keyword's value. */
void message_keyword(struct explainer *x, uint32_t place, enum keyword keyword);
void message_missing(struct explainer *x, const struct name *name);
/* One of these names is missing. */
void message_missing_any(struct explainer *x, const struct name *const *names, size_t count);
/* Append the member of the object, one that the plan does not name, that is nearly the missing one. */
void message_misspelt(struct explainer *x, const struct object_plan *plan, const struct name *name,
                      uint32_t at);

#endif
