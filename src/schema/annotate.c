/* Running a program so that what the schemas say is collected.
 *
 * The machine's second way of running: the same rules, but every branch that could say something is run, and
 * what a rule's schemas have said is taken back if the rule does not hold. Rules that cannot say anything are
 * left to the machine. */
#include "schema/annotate.h"

#include "schema/machine.h"

static bool run(struct schema_validator *m, uint32_t number, uint32_t at);

static bool say(struct schema_validator *m, const struct rule_notes *notes, uint32_t at)
{
    if (m->annotation_count + notes->count > SCHEMA_SAID_MAX)
        return machine_stop(m, STOP_STEPS, PLACE_NONE, at);
    for (uint32_t i = notes->first; i < notes->first + notes->count; i++) {
        if (!machine_type(m->doc, m->program->notes[i].types, at))
            continue;
        m->annotations = mem_grow(m->annotations, &m->annotation_capacity, m->annotation_count + 1,
                                  sizeof *m->annotations);
        m->annotations[m->annotation_count++] = (struct schema_annotation){at, i, m->is_chosen};
    }
    return true;
}

/* On a member or element: without the marks of what it is part of. */
static bool run_child(struct schema_validator *m, uint32_t rule, uint32_t at)
{
    struct marks *marks = m->marks;
    bool was_chosen = m->is_chosen;
    m->marks = NULL;
    m->is_chosen = false;
    bool valid = run(m, rule, at);
    m->marks = marks;
    m->is_chosen = was_chosen;
    return valid;
}

/* On the same instance, because it matched. */
static bool run_chosen(struct schema_validator *m, uint32_t rule, uint32_t at)
{
    bool was_chosen = m->is_chosen;
    m->is_chosen = true;
    bool valid = run(m, rule, at);
    m->is_chosen = was_chosen;
    return valid;
}

/* As marks_try. */
static bool try_rule(struct schema_validator *m, uint32_t rule, uint32_t at)
{
    struct marks *outer = m->marks, own;
    if (!outer)
        return run_chosen(m, rule, at);
    marks_begin(m, &own, json_count(m->doc, at));
    m->marks = &own;
    bool valid = run_chosen(m, rule, at);
    m->marks = outer;
    if (valid)
        marks_merge(m, outer, &own);
    marks_end(m, &own);
    return valid;
}

/* How many of the alternatives hold. */
static uint32_t run_branches(struct schema_validator *m, const struct op *op, uint32_t at)
{
    uint32_t valid = 0;
    struct rule_span span = machine_possible(m, op, at);
    machine_charge(m, span.count);
    for (uint32_t i = 0; i < span.count; i++)
        valid += try_rule(m, m->program->lists[span.first + i], at);
    return valid;
}

static bool run_patterns(struct schema_validator *m, const struct object_plan *plan, uint32_t place,
                         uint32_t key, bool *ret_matched)
{
    machine_charge(m, plan->pattern_count);
    if (m->steps == 0)
        return machine_stop(m, STOP_STEPS, place, key);
    for (uint32_t i = 0; i < plan->pattern_count; i++) {
        const struct pattern_rule *pattern = &plan->patterns[i];
        int matches = machine_match(m, pattern->regex, place, key);
        if (matches < 0)
            return false;
        if (matches == 0)
            continue;
        *ret_matched = true;
        if (!run_child(m, pattern->rule, json_value(key)))
            return false;
    }
    return true;
}

static bool run_member(struct schema_validator *m, const struct object_plan *plan,
                       const struct property *property, uint32_t place, uint32_t key, bool *ret_evaluated)
{
    bool matched = property && property->declared;
    if (matched && !run_child(m, property->rule, json_value(key)))
        return false;
    if ((!matched || property->patterned) && !run_patterns(m, plan, place, key, &matched))
        return false;
    *ret_evaluated = matched || plan->marks_additional;
    return (matched || run_child(m, plan->additional, json_value(key))) && run_child(m, plan->names, key);
}

static bool run_members(struct schema_validator *m, const struct op *op, uint32_t at)
{
    const struct object_plan *plan = &m->program->objects[op->a];
    uint32_t count = json_count(m->doc, at), required = 0, index = 0;
    if (count < plan->min || count > plan->max || count < plan->required)
        return false;
    for (uint32_t key = json_first_key(m->doc, at); key != JSON_NONE;
         key = json_next_key(m->doc, at, key), index++) {
        const struct property *property = machine_property(m, plan, key);
        bool evaluated;
        required += property && property->required;
        if (!run_member(m, plan, property, op->place, key, &evaluated))
            return false;
        if (m->marks && evaluated)
            marks_set(m, m->marks, index);
    }
    return required == plan->required;
}

static bool run_items(struct schema_validator *m, const struct array_plan *plan, uint32_t at)
{
    uint32_t count = json_count(m->doc, at), index = 0;
    if (count < plan->min || count > plan->max)
        return false;
    for (uint32_t e = json_first(m->doc, at); e != JSON_NONE; e = json_next(m->doc, at, e), index++) {
        bool prefix = index < plan->prefix_count;
        if (!run_child(m, prefix ? plan->prefix[index] : plan->items, e))
            return false;
        if (m->marks && (prefix || plan->marks_items))
            marks_set(m, m->marks, index);
    }
    return true;
}

static bool run_contains(struct schema_validator *m, const struct contains_plan *plan, uint32_t at)
{
    uint32_t matches = 0, index = 0;
    for (uint32_t e = json_first(m->doc, at); e != JSON_NONE; e = json_next(m->doc, at, e), index++) {
        if (!run_child(m, plan->rule, e))
            continue;
        matches++;
        if (m->marks && plan->marks)
            marks_set(m, m->marks, index);
    }
    return m->stopped == STOP_NONE && matches >= plan->min && matches <= plan->max;
}

static bool run_unevaluated(struct schema_validator *m, const struct op *op, uint32_t at, enum json_tag tag)
{
    if (json_tag(m->doc, at) != tag)
        return true;
    uint32_t index = 0, end = json_after(m->doc, at);
    for (uint32_t child = at + 1; child < end; index++) {
        uint32_t value = tag == JSON_OBJECT ? json_value(child) : child;
        if (!marks_has(m, m->marks, index) && !run_child(m, op->a, value))
            return false;
        child = json_after(m->doc, value);
    }
    marks_fill(m, m->marks);
    return true;
}

/* Operations that call no rule, and "not", are the machine's; there is no default, so that a new operation is
 * thought of here. */
static bool step(struct schema_validator *m, const struct op *op, uint32_t at)
{
    const struct schema *program = m->program;
    switch ((enum op_code)op->code) {
    case OP_MINIMUM:
    case OP_MAXIMUM:
    case OP_EXCLUSIVE_MINIMUM:
    case OP_EXCLUSIVE_MAXIMUM:
    case OP_MULTIPLE_OF:
    case OP_MIN_LENGTH:
    case OP_MAX_LENGTH:
    case OP_PATTERN:
    case OP_FORMAT:
    case OP_UNIQUE_ITEMS:
    case OP_DEPENDENT_REQUIRED:
    case OP_CONST:
    case OP_ENUM:
    case OP_NOT:
    case OP_TYPE:
        return machine_step(m, op, at);
    case OP_ITEMS:
        return run_items(m, &program->arrays[op->a], at);
    case OP_CONTAINS:
        return run_contains(m, &program->contains[op->a], at);
    case OP_MEMBERS:
        return run_members(m, op, at);
    case OP_DEPENDENT_SCHEMA:
        return machine_find_key(m, at, &program->names[op->a]) == JSON_NONE || run_chosen(m, op->b, at);
    case OP_CALL:
        return run(m, op->a, at);
    case OP_DYNAMIC:
        return run(m, machine_dynamic_rule(m, &program->dynamics[op->a]), at);
    case OP_ANY_OF:
        return run_branches(m, op, at) > 0;
    case OP_ONE_OF:
        return run_branches(m, op, at) == 1;
    case OP_IF: {
        const uint32_t *rules = &program->lists[op->a];
        return run_chosen(m, rules[try_rule(m, rules[0], at) ? 1 : 2], at);
    }
    case OP_UNEVALUATED_ITEMS:
        return run_unevaluated(m, op, at, JSON_ARRAY);
    case OP_UNEVALUATED_PROPERTIES:
        return run_unevaluated(m, op, at, JSON_OBJECT);
    case OP_CODE_MAX:
        break;
    }
    return false;
}

static bool run_range(struct schema_validator *m, uint32_t from, uint32_t to, uint32_t at)
{
    machine_charge(m, to - from);
    for (uint32_t i = from; i < to; i++) {
        if (!step(m, &m->program->ops[i], at))
            return false;
    }
    return true;
}

static bool run_groups(struct schema_validator *m, const struct rule *rule, uint32_t at)
{
    enum op_group group = machine_group(json_tag(m->doc, at));
    return (group >= GROUP_ANY || run_range(m, rule->first[group], rule->first[group + 1], at)) &&
           run_range(m, rule->first[GROUP_ANY], rule->first[GROUP_TYPE], at);
}

static bool run_with_context(struct schema_validator *m, const struct rule *rule, uint32_t at)
{
    struct marks *outer = m->marks, own;
    bool entered = machine_enter(m, rule->resource);
    if (rule->tracks) {
        marks_begin(m, &own, json_count(m->doc, at));
        m->marks = &own;
    }
    bool valid = run_groups(m, rule, at);
    if (rule->tracks) {
        m->marks = outer;
        if (valid && outer)
            marks_merge(m, outer, &own);
        marks_end(m, &own);
    }
    m->scope_count -= entered;
    return valid;
}

static bool run(struct schema_validator *m, uint32_t number, uint32_t at)
{
    const struct rule *rule = &m->program->rules[number];
    const struct rule_notes *notes = &m->program->rule_notes[number];
    if (!notes->speaks)
        return machine_run(m, number, at);
    if (!machine_type(m->doc, rule->types, at))
        return false;
    if (m->steps == 0)
        return machine_stop(m, STOP_STEPS, rule->place, at);
    if (m->depth == SCHEMA_CALL_DEPTH_MAX)
        return machine_stop(m, STOP_DEPTH, rule->place, at);
    size_t before = m->annotation_count;
    m->steps--;
    m->depth++;
    bool valid = say(m, notes, at) && run_with_context(m, rule, at);
    m->depth--;
    if (!valid)
        m->annotation_count = before;
    return valid;
}

/* Merge neighbouring runs of `width` from one array to the other. */
static void merge_pass(const struct schema_annotation *from, struct schema_annotation *to, size_t count,
                       size_t width)
{
    for (size_t start = 0; start < count; start += 2 * width) {
        size_t middle = start + width < count ? start + width : count;
        size_t end = middle + width < count ? middle + width : count;
        size_t left = start, right = middle;
        for (size_t i = start; i < end; i++) {
            bool take_left = left < middle && (right == end || from[left].instance <= from[right].instance);
            to[i] = from[take_left ? left++ : right++];
        }
    }
}

/* By instance; annotations of one keep their order. Mostly they are in order already. */
static void sort(struct schema_validator *m)
{
    size_t count = m->annotation_count, sorted = 1;
    while (sorted < count && m->annotations[sorted - 1].instance <= m->annotations[sorted].instance)
        sorted++;
    if (sorted >= count)
        return;
    m->annotations = mem_grow(m->annotations, &m->annotation_capacity, 2 * count, sizeof *m->annotations);
    struct schema_annotation *from = m->annotations, *to = m->annotations + count;
    for (size_t width = 1; width < count; width *= 2) {
        merge_pass(from, to, count, width);
        struct schema_annotation *swap = from;
        from = to;
        to = swap;
    }
    if (from != m->annotations)
        memcpy(m->annotations, from, count * sizeof *from);
}

int schema_annotate(const struct schema *schema, struct schema_validator *validator, const struct json *doc,
                    uint32_t at, const struct schema_annotation **ret_annotations, size_t *ret_count,
                    struct error *err)
{
    assert(schema->rule_notes);
    machine_begin(validator, schema, doc);
    validator->annotation_count = 0;
    validator->is_chosen = false;
    bool valid = run(validator, schema->root, at);
    if (validator->stopped != STOP_NONE)
        return machine_check(validator, err);
    if (!valid)
        return 0;
    sort(validator);
    *ret_annotations = validator->annotations;
    *ret_count = validator->annotation_count;
    return 1;
}

const struct schema_note *schema_notes(const struct schema *schema, size_t *ret_count)
{
    *ret_count = schema->note_count;
    return schema->notes;
}

const struct json *schema_note_value(const struct schema *schema, const struct schema_note *note,
                                     uint32_t *ret_at)
{
    *ret_at = note->node;
    return &schema->resources[note->resource]->document->json;
}

const char *schema_note_location(const struct schema *schema, const struct schema_note *note,
                                 struct arena *arena)
{
    return resource_location(schema->resources[note->resource], note->schema_node, arena);
}
