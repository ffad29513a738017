/* Running a program over a document's nodes. Private to the room.
 *
 * The validator is the machine: its state while it runs and the scratch that it keeps between documents, so
 * that in the steady state nothing is allocated. Rules call each other by recursion, bounded in depth and in
 * number of steps; a limit that is hit stops the machine: everything then answers false at once, and the
 * caller asks `stopped` before it believes an answer.
 *
 * Marks: for unevaluated*, one bit for each member or element of the instance at hand. They are NULL unless a
 * rule in the dynamic scope at this very instance location asks for them; going down to a member or element
 * sets them aside. */
#ifndef FIRTH_SCHEMA_MACHINE_H
#define FIRTH_SCHEMA_MACHINE_H

#include "schema/program.h"
#include "schema/registry.h"
#include "json/number.h"

/* One bit for each child, in the validator's `bits`. */
struct marks {
    size_t offset, words;
};

enum machine_stop { STOP_NONE, STOP_STEPS, STOP_DEPTH, STOP_LOOP, STOP_PATTERN, STOP_SAID };

/* A rule that speaks was entered: the way that annotations were come to, each hop from its parent. */
struct hop {
    uint32_t parent; /* HOP_NONE: the root */
    uint32_t op;     /* of the parent's rule, that called */
    uint32_t rule;
    uint32_t at; /* node that the rule is run on */
};
#define HOP_NONE UINT32_MAX

struct schema_validator {
    const struct schema *program;
    const struct json *doc;
    uint64_t steps; /* left */
    uint32_t depth;
    enum machine_stop stopped;
    uint32_t stopped_at;      /* node */
    uint32_t stopped_place;   /* PLACE_NONE: not known */
    uint32_t unwound;         /* STOP_DEPTH: rules on that very value that have returned since … */
    const struct rule *again; /* … and one of them: if it comes once more, it is a loop */
    struct marks *marks;      /* of the instance at hand, or NULL */

    uint32_t *scopes; /* resources entered, outermost first; only while program->is_dynamic */
    size_t scope_count, scope_capacity;

    uint64_t *bits;
    size_t bit_words, bits_capacity;
    struct buffer text; /* unescaped */
    struct regex_scratch *regex;
    struct unique_slot {
        uint64_t hash;
        uint32_t at; /* element + 1, 0 free */
    } * unique;
    size_t unique_capacity;

    bool says;          /* annotations are collected: no branch that could say something is left out */
    bool traces;        /* … and the hops to them */
    uint32_t chosen_at; /* node whose rule at hand runs because it matched, see annotate.h; or JSON_NONE */
    struct schema_annotation *annotations; /* annotate.c: of what has been valid so far */
    size_t annotation_count, annotation_capacity;
    struct hop *hops;
    size_t hop_count, hop_capacity;
    uint32_t hop, op; /* at hand: of a rule that speaks */
};

/* validate.c */
void machine_begin(struct schema_validator *m, const struct schema *program, const struct json *doc);
/* -1 with *err if the machine stopped, else 0. */
int machine_check(const struct schema_validator *m, struct error *err);
bool machine_stop(struct schema_validator *m, enum machine_stop why, uint32_t place, uint32_t at);
bool machine_run_ops(struct schema_validator *m, const struct rule *rule, uint32_t at);
/* One operation; `false` also if the machine has stopped. */
bool machine_step(struct schema_validator *m, const struct op *op, uint32_t at);
/* The rule that a dynamic reference means here. */
uint32_t machine_dynamic_rule(const struct schema_validator *m, const struct dynamic_plan *plan);
bool machine_enter(struct schema_validator *m, uint32_t resource); /* true: pushed, to be left again */

/* annotate.c: around the operations of a rule that speaks, while annotations are collected. What was said
 * since is taken back if the rule does not hold. */
struct machine_saying {
    size_t annotation_count, hop_count;
    uint32_t hop, op;
};
bool machine_say(struct schema_validator *m, const struct rule *rule, uint32_t at,
                 struct machine_saying *ret_saying);
void machine_said(struct schema_validator *m, const struct machine_saying *saying, bool valid);

/* trace.c: append how one gets from the rule to the place: through the calls that were inlined. */
void place_push(const struct schema *program, uint32_t number, struct buffer *out);

/* validate_value.c */
struct slice machine_text(struct schema_validator *m, uint32_t at);
bool machine_length_at_least(struct schema_validator *m, uint32_t at, uint32_t min);
bool machine_length_at_most(struct schema_validator *m, uint32_t at, uint32_t max);
/* Does the pattern match the string or key? -1: the machine has stopped. */
int machine_match(struct schema_validator *m, uint32_t regex, uint32_t place, uint32_t at);
bool machine_pattern(struct schema_validator *m, uint32_t regex, uint32_t place, uint32_t at);
bool machine_format(struct schema_validator *m, const struct op *op, uint32_t at);
bool machine_one_of_values(struct schema_validator *m, const struct enum_plan *plan, uint32_t at);

/* validate_object.c */
bool machine_members(struct schema_validator *m, const struct object_plan *plan, uint32_t place, uint32_t at);
/* The key of that name in the object, or JSON_NONE. Costs a step for every 16 members. */
uint32_t machine_find_key(struct schema_validator *m, uint32_t object, const struct name *name);
bool machine_dependent_required(struct schema_validator *m, const struct op *op, uint32_t at);
const struct property *machine_property(const struct schema_validator *m, const struct object_plan *plan,
                                        uint32_t key);
bool machine_unevaluated_members(struct schema_validator *m, uint32_t rule, uint32_t at);

/* validate_choice.c: the alternatives of an anyOf or oneOf that can hold; the others say no. */
struct rule_span machine_possible(struct schema_validator *m, const struct op *op, uint32_t at);
/* anyOf or oneOf of a value of which no marks are kept. */
bool machine_choose(struct schema_validator *m, const struct op *op, uint32_t at);
bool machine_any_of(struct schema_validator *m, const struct op *op, uint32_t at);
bool machine_one_of(struct schema_validator *m, const struct op *op, uint32_t at);

/* validate_quick.c: what a rule in short asks of a value that is one of its kinds. */
bool machine_quick(struct schema_validator *m, const struct quick *quick, uint32_t at);

/* validate_array.c */
bool machine_items(struct schema_validator *m, const struct array_plan *plan, uint32_t at);
bool machine_contains(struct schema_validator *m, const struct contains_plan *plan, uint32_t at);
/* How many elements the plan's rule matches; stops counting once the answer is settled if `settle`. */
uint32_t machine_count_matches(struct schema_validator *m, const struct contains_plan *plan, uint32_t at,
                               bool settle);
bool machine_unique(struct schema_validator *m, uint32_t at, uint32_t *ret_first, uint32_t *ret_second);
bool machine_unevaluated_items(struct schema_validator *m, uint32_t rule, uint32_t at);

/* marks.c */
void marks_begin(struct schema_validator *m, struct marks *marks, uint32_t count);
void marks_end(struct schema_validator *m, const struct marks *marks);
void marks_merge(struct schema_validator *m, const struct marks *into, const struct marks *from);
void marks_fill(struct schema_validator *m, const struct marks *marks);
static inline void marks_set(struct schema_validator *m, const struct marks *marks, uint32_t child)
{
    m->bits[marks->offset + child / 64] |= 1ULL << child % 64;
}
static inline bool marks_has(const struct schema_validator *m, const struct marks *marks, uint32_t child)
{
    return m->bits[marks->offset + child / 64] >> child % 64 & 1;
}
/* Run a rule on the instance at hand because it may match: its marks count only if it holds. */
bool marks_try(struct schema_validator *m, uint32_t rule, uint32_t at);

/* The group of operations for instances of this kind, GROUP_ANY if there is none of its own. */
static inline enum op_group machine_group(enum json_tag tag)
{
    /* three bits for each tag */
    enum {
        GROUPS = GROUP_ANY << 3 * JSON_NULL | GROUP_ANY << 3 * JSON_FALSE | GROUP_ANY << 3 * JSON_TRUE |
                 GROUP_NUMBER << 3 * JSON_INTEGER | GROUP_NUMBER << 3 * JSON_NUMBER |
                 GROUP_STRING << 3 * JSON_STRING | GROUP_ARRAY << 3 * JSON_ARRAY |
                 GROUP_OBJECT << 3 * JSON_OBJECT | GROUP_STRING << 3 * JSON_KEY
    };
    return (enum op_group)(GROUPS >> 3 * tag & 7);
}

static inline bool machine_type(const struct json *doc, uint16_t types, uint32_t at)
{
    unsigned tag = doc->nodes[at].tag;
    return types >> tag & 1 ||
           (tag == JSON_NUMBER && types & TYPE_WHOLE && number_is_integer(json_raw(doc, at)));
}

/* What goes over a value costs a step for each child, or for so many bytes, beside the step for the
 * operation. */
enum { CHARGE_BYTES = 16 };

static inline void machine_charge(struct schema_validator *m, uint64_t steps)
{
    m->steps = m->steps > steps ? m->steps - steps : 0;
}

/* Rules whose operations look at one value and call nothing. Not counted as steps: who calls them is. */
static inline bool machine_run_flat(struct schema_validator *m, const struct rule *rule, uint32_t at)
{
    enum op_group group = machine_group(json_tag(m->doc, at));
    const struct op *ops = m->program->ops;
    if (group < GROUP_ANY) {
        for (uint32_t i = rule->first[group], end = rule->first[group + 1]; i < end; i++) {
            if (!machine_step(m, &ops[i], at))
                return false;
        }
    }
    for (uint32_t i = rule->first[GROUP_ANY], end = rule->first[GROUP_LATE]; i < end; i++) {
        if (!machine_step(m, &ops[i], at))
            return false;
    }
    return true;
}

/* A rule by its operations, its types decided already. */
static inline bool machine_run_rule(struct schema_validator *m, uint32_t number, uint32_t at)
{
    const struct rule *rule = &m->program->rules[number];
    return rule->is_flat ? machine_run_flat(m, rule, at) : machine_run_ops(m, rule, at);
}

/* A rule in short, on a value of which no marks are kept. */
static inline bool machine_run_quick(struct schema_validator *m, const struct quick *quick, uint32_t at)
{
    unsigned tag = m->doc->nodes[at].tag;
    if (!(quick->types >> tag & 1) && !machine_type(m->doc, quick->types, at))
        return false;
    return !(quick->kinds >> tag & 1) || machine_quick(m, quick, at);
}

static inline bool machine_run(struct schema_validator *m, uint32_t number, uint32_t at)
{
    if (!m->marks)
        return machine_run_quick(m, &m->program->quicks[number], at);
    const struct rule *rule = &m->program->rules[number];
    return machine_type(m->doc, rule->types, at) && (rule->is_leaf || machine_run_rule(m, number, at));
}

/* On the same instance, because it matched, or to see whether it does. */
static inline bool machine_run_chosen(struct schema_validator *m, uint32_t rule, uint32_t at)
{
    uint32_t chosen_at = m->chosen_at;
    m->chosen_at = at;
    bool valid = machine_run(m, rule, at);
    m->chosen_at = chosen_at;
    return valid;
}

#endif
