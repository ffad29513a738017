/* anyOf and oneOf: the nearest alternative is explained, not all of them, and why it is thought the nearest.
 */
#include "schema/explain.h"

#include <assert.h>

/* How far an alternative is from what is there, most telling first. */
struct distance {
    uint32_t alternative;
    bool wrong_type;
    int32_t agrees[EVIDENCE_LEVELS_MAX + 1]; /* by depth: telling values that agree, less those that do not */
    uint32_t depth;                          /* of the violation that is least deep */
    uint32_t violations;
    uint32_t known;             /* properties that are there and that it knows */
    const struct name *missing; /* the property that would be all that is wanted, or NULL */
};

/* By what one alternative is nearer than another. */
enum reason { REASON_TYPE, REASON_VALUES, REASON_DEPTH, REASON_VIOLATIONS, REASON_KNOWN, REASON_NONE };

static void weigh(struct explainer *x, const struct op *op, uint32_t at, struct distance *distance)
{
    struct trial trial = {.level = x->level, .depth = UINT32_MAX};
    struct trial *outer = x->trial;
    struct marks *marks = x->m->marks;
    uint32_t made = x->made;
    x->trial = &trial;
    x->made = 0;
    x->m->marks = NULL;
    explain_rule(x, x->m->program->lists[op->a + distance->alternative], op->place, KEYWORD_NONE, at);
    x->m->marks = marks;
    x->trial = outer;
    x->made = made;
    distance->wrong_type = trial.wrong_type;
    distance->depth = trial.depth;
    distance->violations = trial.violations;
    distance->missing = trial.violations == 1 ? trial.missing : NULL;
}

/* Below zero: a is nearer. */
static int compare(const struct distance *a, const struct distance *b, enum reason *ret_reason)
{
    *ret_reason = REASON_TYPE;
    if (a->wrong_type != b->wrong_type)
        return a->wrong_type - b->wrong_type;
    *ret_reason = REASON_VALUES;
    for (int i = 0; i <= EVIDENCE_LEVELS_MAX; i++) {
        if (a->agrees[i] != b->agrees[i])
            return a->agrees[i] > b->agrees[i] ? -1 : 1;
    }
    *ret_reason = REASON_DEPTH;
    if (a->depth != b->depth)
        return a->depth > b->depth ? -1 : 1;
    *ret_reason = REASON_VIOLATIONS;
    if (a->violations != b->violations)
        return a->violations < b->violations ? -1 : 1;
    *ret_reason = REASON_KNOWN;
    if (a->known != b->known)
        return a->known > b->known ? -1 : 1;
    *ret_reason = REASON_NONE;
    return 0;
}

/* Values that agree with some alternatives and not with others tell them apart. */
static void count_agreement(const struct evidence *evidence, struct distance *distances)
{
    struct clue_group group;
    for (size_t first = 0; first < evidence->count; first = group.end) {
        group = evidence_group(evidence, first);
        for (size_t c = first; c < group.end && group.holding && group.failing; c++) {
            const struct clue *clue = &evidence->clues[c];
            distances[clue->alternative].agrees[clue->level] += clue->holds ? 1 : -1;
        }
    }
}

/* Alternatives that differ by type only: say the types. 0 if there is more to it. */
static uint16_t only_types(const struct explainer *x, const uint32_t *rules, uint32_t count, uint32_t at)
{
    uint16_t types = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct rule *rule = &x->m->program->rules[rules[i]];
        if (machine_type(x->m->doc, rule->types, at))
            return 0;
        types |= rule->types;
    }
    return types;
}

static void violate_choice(struct explainer *x, const struct op *op, uint32_t at)
{
    struct site site = explain_push(x, op->place, (enum keyword)op->keyword);
    /* Weighed as one violation, however deep its alternatives are. */
    explain_violate(x, op->place, (enum keyword)op->keyword, at);
    explain_pop(x, site);
}

static void explain_too_many(struct explainer *x, const struct op *op, uint32_t at)
{
    const uint32_t *rules = &x->m->program->lists[op->a];
    uint32_t valid = 0, first = 0, second = 0;
    for (uint32_t i = 0; i < op->b; i++) {
        if (!marks_try(x->m, rules[i], at))
            continue;
        valid++;
        first = valid == 1 ? i : first;
        second = valid == 2 ? i : second;
    }
    message_set(x, "expected exactly one of %u alternatives to match, got %u: /oneOf/%u and /oneOf/%u%s",
                op->b, valid, first, second, valid > 2 ? " among them" : "");
    violate_choice(x, op, at);
}

static bool fits(const struct explainer *x, const struct op *op, uint32_t alternative, uint32_t at)
{
    uint32_t rule = x->m->program->lists[op->a + alternative];
    return machine_type(x->m->doc, x->m->program->rules[rule].types, at);
}

/* Alternatives for a value of this type that refuse the group's value. */
static uint32_t count_refusing(const struct explainer *x, const struct op *op,
                               const struct evidence *evidence, const struct clue_group *group, uint32_t at)
{
    uint32_t count = 0, last = UINT32_MAX;
    for (size_t c = group->first; c < group->end; c++) {
        const struct clue *clue = &evidence->clues[c];
        if (clue->holds || clue->alternative == last)
            continue;
        last = clue->alternative;
        count += fits(x, op, last, at);
    }
    return count;
}

/* The types of alternatives that are for other ones, and ask for none of the group's values. */
static uint16_t other_types(const struct explainer *x, const struct op *op, const struct evidence *evidence,
                            const struct clue_group *group, uint32_t at)
{
    uint16_t types = 0;
    size_t c = group->first;
    for (uint32_t i = 0; i < op->b; i++) {
        while (c < group->end && evidence->clues[c].alternative < i)
            c++;
        bool is_in = c < group->end && evidence->clues[c].alternative == i;
        if (!is_in && !fits(x, op, i, at))
            types |= x->m->program->rules[x->m->program->lists[op->a + i]].types;
    }
    return types;
}

/* Is there a value that each of the alternatives for this type refuses, and do they want different ones? Then
 * that is what is wrong. */
static bool explain_telling(struct explainer *x, const struct op *op, const struct evidence *evidence,
                            uint32_t at)
{
    uint32_t fitting = 0, level = UINT32_MAX;
    struct clue_group group, found = {0};
    for (uint32_t i = 0; i < op->b; i++)
        fitting += fits(x, op, i, at);
    for (size_t first = 0; first < evidence->count; first = group.end) {
        group = evidence_group(evidence, first);
        if (group.holding && group.failing)
            return false;
        if (group.failing < 2 || evidence->clues[first].level >= level ||
            count_refusing(x, op, evidence, &group, at) < fitting ||
            !message_differ(&evidence->clues[first], group.end - first))
            continue;
        level = evidence->clues[first].level;
        found = group;
    }
    if (level == UINT32_MAX)
        return false;
    const struct clue *clues = &evidence->clues[found.first];
    message_values(x, clues, found.end - found.first,
                   level == 0 ? other_types(x, op, evidence, &found, at) : 0, clues->node);
    if (level > 0) {
        const char *message = arena_strndup(x->arena, x->message.data, x->message.size);
        message_set(x, "by this value %u alternatives are told apart: ", op->b);
        buffer_str(&x->message, message);
    }
    violate_choice(x, op, clues->node);
    return true;
}

/* The value that the nearest alternative agrees with and the next one does not. */
static void append_telling(struct explainer *x, const struct evidence *evidence, uint32_t nearest,
                           uint32_t next, uint32_t at)
{
    struct clue_group group;
    const struct clue *telling = NULL;
    for (size_t first = 0; first < evidence->count; first = group.end) {
        group = evidence_group(evidence, first);
        int agrees = 0;
        for (size_t c = first; c < group.end && group.holding && group.failing; c++) {
            const struct clue *clue = &evidence->clues[c];
            int side = clue->alternative == nearest ? 1 : clue->alternative == next ? -1 : 0;
            agrees += clue->holds ? side : -side;
        }
        if (agrees > 0 && (!telling || evidence->clues[first].level < telling->level))
            telling = &evidence->clues[first];
    }
    assert(telling); /* it agrees with more of them: so in one group at least */
    buffer_str(&x->message, ", told by ");
    message_value(x, telling->node);
    if (telling->level > 0) {
        buffer_str(&x->message, " at ");
        message_place(x, at, telling->node);
    }
}

static void append_reason(struct explainer *x, const struct distance *nearest, const struct distance *next,
                          enum reason reason, uint32_t near)
{
    switch (reason) {
    case REASON_TYPE:
        buffer_str(&x->message, ", the only one for a value of this type");
        break;
    case REASON_DEPTH:
        buffer_str(&x->message, ", by which what is wrong lies deepest");
        break;
    case REASON_VIOLATIONS:
        buffer_printf(&x->message, ", by which least is wrong (%u, not %u)", nearest->violations,
                      next->violations);
        break;
    case REASON_KNOWN:
        buffer_printf(&x->message, ", which knows the most of the properties (%u, not %u)", nearest->known,
                      next->known);
        break;
    case REASON_NONE:
        buffer_printf(&x->message, ", the first of %u as near", near);
        break;
    case REASON_VALUES:
        break;
    }
}

static bool is_among(const struct name *const *names, size_t count, const struct name *name)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i]->size == name->size && memcmp(names[i]->text, name->text, name->size) == 0)
            return true;
    }
    return false;
}

/* Are there several as near as the nearest, and does each want one more property and nothing else? Then that
 * is what is wrong. */
static bool explain_missing(struct explainer *x, const struct op *op, const struct distance *distances,
                            const struct distance *nearest, uint32_t at)
{
    enum { NAMES_MAX = 1000 };
    if (!nearest->missing)
        return false;
    auto_free const struct name **names = mem_alloc(NAMES_MAX * sizeof *names);
    size_t count = 0;
    for (uint32_t i = 0; i < op->b; i++) {
        enum reason reason;
        if (compare(&distances[i], nearest, &reason) != 0)
            continue;
        if (!distances[i].missing)
            return false;
        if (count < NAMES_MAX && !is_among(names, count, distances[i].missing))
            names[count++] = distances[i].missing;
    }
    if (count < 2)
        return false;
    message_missing_any(x, names, count);
    violate_choice(x, op, at);
    return true;
}

static void explain_nearest(struct explainer *x, const struct op *op, const struct evidence *evidence,
                            uint32_t at)
{
    auto_free struct distance *distances = mem_zalloc(op->b * sizeof *distances);
    struct distance *nearest = &distances[0], *next = NULL;
    enum reason reason = REASON_NONE;
    uint32_t near = 1;
    count_agreement(evidence, distances);
    for (uint32_t i = 0; i < op->b && x->m->stopped == STOP_NONE; i++) {
        struct distance *one = &distances[i];
        one->alternative = i;
        one->known = evidence->known[i];
        weigh(x, op, at, one);
        enum reason by = REASON_NONE;
        if (i == 0)
            continue;
        int order = compare(one, nearest, &by);
        near = order < 0 ? 1 : near + (order == 0);
        if (order < 0) {
            next = nearest;
            nearest = one;
        } else if (!next || compare(one, next, &by) < 0) {
            next = one;
        }
    }
    if (near > 1 && x->m->stopped == STOP_NONE && explain_missing(x, op, distances, nearest, at))
        return;
    struct site site = explain_push(x, op->place, (enum keyword)op->keyword);
    explain_push_number(x, nearest->alternative);
    explain_rule(x, x->m->program->lists[op->a + nearest->alternative], op->place, (enum keyword)op->keyword,
                 at);
    explain_pop(x, site);
    if (!next) { /* of one alternative there is nothing more to say */
        return;
    }
    message_set(x, "matches none of %u alternatives; the nearest is /%s/%u", op->b,
                keyword_name((enum keyword)op->keyword), nearest->alternative);
    compare(nearest, next, &reason);
    if (reason == REASON_VALUES)
        append_telling(x, evidence, nearest->alternative, next->alternative, at);
    else
        append_reason(x, nearest, next, reason, near);
    violate_choice(x, op, at);
}

static void explain_none(struct explainer *x, const struct op *op, uint32_t at)
{
    uint16_t types = only_types(x, &x->m->program->lists[op->a], op->b, at);
    if (x->trial || types) {
        if (types)
            message_types(x, types, at);
        violate_choice(x, op, at);
        return;
    }
    struct evidence evidence;
    evidence_gather(x, op, at, &evidence);
    if (x->m->stopped == STOP_NONE && !explain_telling(x, op, &evidence, at))
        explain_nearest(x, op, &evidence, at);
    evidence_done(&evidence);
}

void explain_choice(struct explainer *x, const struct op *op, uint32_t at)
{
    const uint32_t *rules = &x->m->program->lists[op->a];
    bool some = false;
    for (uint32_t i = 0; i < op->b && !some && op->code == OP_ONE_OF; i++)
        some = marks_try(x->m, rules[i], at);
    if (x->m->stopped != STOP_NONE)
        return;
    if (some)
        explain_too_many(x, op, at);
    else
        explain_none(x, op, at);
}
