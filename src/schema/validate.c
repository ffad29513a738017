/* The machine: rules, the operations that combine rules, limits. */
#include "schema/machine.h"

#include "schema/value.h"

struct schema_validator *schema_validator_new(void)
{
    struct schema_validator *m = mem_zalloc(sizeof *m);
    buffer_init(&m->text, JSON_SIZE_LIMIT);
    m->regex = regex_scratch_new();
    return m;
}

void schema_validator_free(struct schema_validator *m)
{
    if (!m)
        return;
    buffer_done(&m->text);
    regex_scratch_free(m->regex);
    free(m->scopes);
    free(m->bits);
    free(m->unique);
    free(m->annotations);
    free(m->hops);
    free(m);
}

bool machine_stop(struct schema_validator *m, enum machine_stop why, uint32_t place, uint32_t at)
{
    if (m->stopped == STOP_NONE) {
        m->stopped = why;
        m->stopped_place = place;
        m->stopped_at = at;
        m->unwound = 0;
        m->again = NULL;
        m->steps = 0;
    }
    return false;
}

void machine_begin(struct schema_validator *m, const struct schema *program, const struct json *doc)
{
    m->program = program;
    m->doc = doc;
    m->steps = SCHEMA_STEPS_BASE + (uint64_t)doc->count * SCHEMA_STEPS_PER_NODE +
               (uint64_t)doc->size * SCHEMA_STEPS_PER_BYTE;
    m->depth = 0;
    m->stopped = STOP_NONE;
    m->marks = NULL;
    m->scope_count = 0;
    m->bit_words = 0;
    m->says = false;
    m->chosen_at = JSON_NONE;
}

int machine_check(const struct schema_validator *m, struct error *err)
{
    enum { SHOWN_MAX = 200 };
    if (m->stopped == STOP_NONE)
        return 0;
    struct buffer instance;
    struct arena arena;
    arena_init(&arena);
    buffer_init(&instance, JSON_SIZE_LIMIT);
    json_pointer_of(m->doc, m->stopped_at, &instance);
    const char *where = "";
    if (m->stopped_place != PLACE_NONE) {
        const struct place *place = &m->program->places[m->stopped_place];
        where = resource_location(m->program->resources[place->resource], place->node, &arena);
    }
    const char *pointer = buffer_cstr(&instance);
    if (instance.size > SHOWN_MAX || instance.overflowed)
        pointer = arena_printf(&arena, "%.*s…", (int)utf8_cut(pointer, instance.size, SHOWN_MAX), pointer);
    int result;
    if (m->stopped == STOP_PATTERN)
        result =
            error_set(err, ERROR_LIMIT, "the pattern in schema %.600s takes too long on the value at \"%s\"",
                      where, pointer);
    else if (m->stopped == STOP_SAID)
        result = error_set(err, ERROR_LIMIT, "the schema has more than %d annotations for the document",
                           SCHEMA_SAID_MAX);
    else if (m->stopped == STOP_LOOP)
        result = error_set(err, ERROR_LIMIT,
                           "schema %.600s refers to itself, by a dynamic reference, without going into the "
                           "document: stopped %d schemas deep at \"%.600s\"",
                           where, SCHEMA_CALL_DEPTH_MAX, pointer);
    else if (m->stopped == STOP_DEPTH)
        result = error_set(err, ERROR_LIMIT, "schema %.600s goes more than %d schemas deep at \"%s\"", where,
                           SCHEMA_CALL_DEPTH_MAX, pointer);
    else
        result = error_set(
            err, ERROR_LIMIT,
            "schema %.600s needs more than %d steps, %d for each value and %d for each byte: stopped at "
            "\"%s\"",
            where, SCHEMA_STEPS_BASE, SCHEMA_STEPS_PER_NODE, SCHEMA_STEPS_PER_BYTE, pointer);
    buffer_done(&instance);
    arena_done(&arena);
    return result;
}

bool machine_enter(struct schema_validator *m, uint32_t resource)
{
    if (!m->program->is_dynamic || (m->scope_count && m->scopes[m->scope_count - 1] == resource))
        return false;
    m->scopes = mem_grow(m->scopes, &m->scope_capacity, m->scope_count + 1, sizeof *m->scopes);
    m->scopes[m->scope_count++] = resource;
    return true;
}

uint32_t machine_dynamic_rule(const struct schema_validator *m, const struct dynamic_plan *plan)
{
    for (size_t i = 0; i < m->scope_count; i++) {
        for (uint32_t j = 0; j < plan->count; j++) {
            if (plan->candidates[j].resource == m->scopes[i])
                return plan->candidates[j].rule;
        }
    }
    return plan->fallback;
}

/* `traced` is a constant where this is written in. */
static inline bool run_range(struct schema_validator *m, uint32_t from, uint32_t to, uint32_t at, bool traced)
{
    for (const struct op *op = &m->program->ops[from], *end = &m->program->ops[to]; op < end; op++) {
        if (m->steps == 0)
            return machine_stop(m, STOP_STEPS, op->place, at);
        if (traced)
            m->op = (uint32_t)(op - m->program->ops);
        if (!machine_step(m, op, at))
            return false;
    }
    return true;
}

/* Operations cost a step each. */
static inline bool run_groups(struct schema_validator *m, const struct rule *rule, uint32_t at, bool traced)
{
    enum op_group group = machine_group(json_tag(m->doc, at));
    uint32_t from = rule->first[GROUP_ANY], to = rule->first[GROUP_TYPE];
    machine_charge(m, to - from);
    if (group < GROUP_ANY) {
        machine_charge(m, rule->first[group + 1] - rule->first[group]);
        if (!run_range(m, rule->first[group], rule->first[group + 1], at, traced))
            return false;
    }
    return from == to || run_range(m, from, to, at, traced);
}

/* What the rule says counts if it holds. */
static bool run_speaking(struct schema_validator *m, const struct rule *rule, uint32_t at)
{
    struct machine_saying saying;
    bool valid = machine_say(m, rule, at, &saying) && run_groups(m, rule, at, true);
    machine_said(m, &saying, valid);
    return valid;
}

/* With marks of its own, if it has unevaluated*, and a place in the dynamic scope. */
static bool run_with_context(struct schema_validator *m, const struct rule *rule, uint32_t at)
{
    struct marks *outer = m->marks, own;
    bool entered = machine_enter(m, rule->resource);
    if (rule->tracks) {
        marks_begin(m, &own, json_count(m->doc, at));
        m->marks = &own;
    }
    bool valid = rule->speaks && m->says ? run_speaking(m, rule, at) : run_groups(m, rule, at, false);
    if (rule->tracks) {
        m->marks = outer;
        if (valid && outer)
            marks_merge(m, outer, &own);
        marks_end(m, &own);
    }
    m->scope_count -= entered;
    return valid;
}

/* On the way back from too deep: was it the same rule on the same value over and over? Whatever stands on top
 * of such a loop, one of its rules is the mark before long. */
static void look_for_loop(struct schema_validator *m, const struct rule *rule, uint32_t at)
{
    if (at != m->stopped_at)
        return;
    if (rule == m->again) {
        m->stopped = STOP_LOOP;
        m->stopped_place = rule->place;
    }
    m->unwound++;
    if ((m->unwound & (m->unwound - 1)) == 0)
        m->again = rule;
}

bool machine_run_ops(struct schema_validator *m, const struct rule *rule, uint32_t at)
{
    if (m->steps == 0)
        return machine_stop(m, STOP_STEPS, rule->place, at);
    if (m->depth == SCHEMA_CALL_DEPTH_MAX)
        return machine_stop(m, STOP_DEPTH, rule->place, at);
    m->steps--;
    m->depth++;
    bool valid = rule->has_context ? run_with_context(m, rule, at) : run_groups(m, rule, at, false);
    m->depth--;
    if (m->stopped == STOP_DEPTH)
        look_for_loop(m, rule, at);
    return valid;
}

static bool not(struct schema_validator * m, const struct op *op, uint32_t at)
{
    struct marks *marks = m->marks;
    bool says = m->says;
    m->marks = NULL;
    m->says = false;
    bool valid = !machine_run(m, op->a, at);
    m->marks = marks;
    m->says = says;
    return valid;
}

/* A number's text. Long ones cost by their length. */
static inline struct slice number_text(struct schema_validator *m, uint32_t at)
{
    struct slice raw = json_raw(m->doc, at);
    machine_charge(m, raw.size / CHARGE_BYTES);
    return raw;
}

/* Division by a long divisor takes time with the product of the lengths. */
static bool divides(struct schema_validator *m, const struct number_plan *plan, uint32_t at)
{
    struct slice raw = json_raw(m->doc, at);
    machine_charge(m, (uint64_t)raw.size * plan->text.size / CHARGE_BYTES);
    return number_plan_divides(raw, plan);
}

bool machine_step(struct schema_validator *m, const struct op *op, uint32_t at)
{
    const struct schema *program = m->program;
    const struct json *doc = m->doc;
    switch ((enum op_code)op->code) {
    case OP_MINIMUM:
        return (program->numbers[op->a].is_zero && *json_raw(doc, at).data != '-') ||
               number_plan_compare(number_text(m, at), &program->numbers[op->a]) >= 0;
    case OP_MAXIMUM:
        return number_plan_compare(number_text(m, at), &program->numbers[op->a]) <= 0;
    case OP_EXCLUSIVE_MINIMUM:
        return number_plan_compare(number_text(m, at), &program->numbers[op->a]) > 0;
    case OP_EXCLUSIVE_MAXIMUM:
        return number_plan_compare(number_text(m, at), &program->numbers[op->a]) < 0;
    case OP_MULTIPLE_OF:
        return divides(m, &program->numbers[op->a], at);
    case OP_MIN_LENGTH:
        return machine_length_at_least(m, at, op->a);
    case OP_MAX_LENGTH:
        return machine_length_at_most(m, at, op->a);
    case OP_PATTERN:
        return machine_pattern(m, op->a, op->place, at);
    case OP_FORMAT:
        return machine_format(m, op, at);
    case OP_ITEMS:
        return machine_items(m, &program->arrays[op->a], at);
    case OP_CONTAINS:
        return machine_contains(m, &program->contains[op->a], at);
    case OP_UNIQUE_ITEMS:
        return machine_unique(m, at, NULL, NULL);
    case OP_MEMBERS:
        return machine_members(m, &program->objects[op->a], op->place, at);
    case OP_DEPENDENT_REQUIRED:
        return machine_dependent_required(m, op, at);
    case OP_DEPENDENT_SCHEMA:
        return machine_find_key(m, at, &program->names[op->a]) == JSON_NONE ||
               machine_run_chosen(m, op->b, at);
    case OP_CONST:
    case OP_ENUM:
        return machine_one_of_values(m, &program->enums[op->a], at);
    case OP_CALL:
        return machine_run(m, op->a, at);
    case OP_DYNAMIC:
        return machine_run(m, machine_dynamic_rule(m, &program->dynamics[op->a]), at);
    case OP_ANY_OF:
        return machine_any_of(m, op, at);
    case OP_ONE_OF:
        return machine_one_of(m, op, at);
    case OP_NOT:
        return not(m, op, at);
    case OP_IF: {
        const uint32_t *rules = &program->lists[op->a];
        return machine_run_chosen(m, rules[marks_try(m, rules[0], at) ? 1 : 2], at);
    }
    case OP_UNEVALUATED_ITEMS:
        return json_tag(doc, at) != JSON_ARRAY || machine_unevaluated_items(m, op->a, at);
    case OP_UNEVALUATED_PROPERTIES:
        return json_tag(doc, at) != JSON_OBJECT || machine_unevaluated_members(m, op->a, at);
    case OP_TYPE:
        return machine_type(doc, (uint16_t)op->a, at);
    case OP_CODE_MAX:
        break;
    }
    return false;
}

int schema_validate(const struct schema *schema, struct schema_validator *validator, const struct json *doc,
                    uint32_t at, struct error *err)
{
    machine_begin(validator, schema, doc);
    bool valid = machine_run(validator, schema->root, at);
    if (validator->stopped != STOP_NONE)
        return machine_check(validator, err);
    return valid;
}
