/* Explaining: shared by explain*.c and message.c.
 *
 * It has no rules of its own: each operation is asked through the machine, and only those that say no are
 * described, by going down to what made them. */
#ifndef FIRTH_SCHEMA_EXPLAIN_H
#define FIRTH_SCHEMA_EXPLAIN_H

#include "schema/format/format.h"
#include "schema/machine.h"

/* How far an alternative is from what is there: its violations are weighed, not kept. */
struct trial {
    uint32_t level; /* instance depth at which the alternatives stand */
    uint64_t cost;
};
enum { TRIAL_WRONG_TYPE = 1000000, TRIAL_WRONG_VALUE = 1000 };

struct explainer {
    struct schema_validator *m;
    struct arena *arena;
    struct schema_violation *violations;
    size_t max, count;
    uint32_t made;       /* violations described, kept or not */
    uint32_t level;      /* descents into the instance */
    struct trial *trial; /* NULL: keep violations */
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

/* explain_members.c, explain_choice.c */
void explain_members(struct explainer *x, const struct op *op, uint32_t at);
void explain_items(struct explainer *x, const struct op *op, uint32_t at);
void explain_unevaluated(struct explainer *x, const struct op *op, uint32_t at);
void explain_choice(struct explainer *x, const struct op *op, uint32_t at);

/* message.c: each sets x->message, but while alternatives are weighed: nobody reads them then. */
void message_set(struct explainer *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
void message_value(struct explainer *x, uint32_t at); /* append: string "abc", an object of 3 members */
void message_types(struct explainer *x, uint16_t types, uint32_t at);
void message_format(struct explainer *x, enum format format, uint32_t at);
void message_limit(struct explainer *x, const struct op *op, uint32_t at);
void message_not(struct explainer *x, const struct op *op, uint32_t at);
void message_values(struct explainer *x, const struct enum_plan *plan, uint32_t at);
void message_unexpected(struct explainer *x, const struct object_plan *plan, uint32_t key);
void message_missing(struct explainer *x, const struct name *name);

#endif
