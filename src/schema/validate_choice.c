/* anyOf and oneOf: only the alternatives that can hold are run. */
#include "schema/machine.h"
#include "schema/text.h"

/* By the member that tells the alternatives apart. */
static struct rule_span by_member(struct schema_validator *m, const struct choice *choice, uint32_t at)
{
    uint32_t key = machine_find_key(m, at, &choice->member);
    if (key == JSON_NONE)
        return choice->absent;
    enum json_tag tag = json_tag(m->doc, json_value(key));
    if (tag == JSON_ARRAY || tag == JSON_OBJECT)
        return choice->other; /* the values in the table are scalars */
    struct slice text = tag == JSON_STRING ? machine_text(m, json_value(key)) : (struct slice){0};
    uint64_t hash = tag == JSON_STRING ? text_hash(text.data, text.size) : json_hash(m->doc, json_value(key));
    for (uint32_t slot = (uint32_t)hash & choice->mask;; slot = (slot + 1) & choice->mask) {
        const struct choice_value *value = &choice->values[slot];
        if (value->rules.first == RULE_NONE)
            return choice->other;
        if (value->hash == hash)
            return value->rules;
    }
}

struct rule_span machine_possible(struct schema_validator *m, const struct op *op, uint32_t at)
{
    if (!op->choice)
        return (struct rule_span){op->a, op->b};
    const struct choice *choice = &m->program->choices[op->choice - 1];
    enum json_tag tag = json_tag(m->doc, at);
    return tag == JSON_OBJECT && choice->values ? by_member(m, choice, at) : choice->by_tag[tag];
}

bool machine_choose(struct schema_validator *m, const struct op *op, uint32_t at)
{
    struct rule_span span = machine_possible(m, op, at);
    const struct schema *program = m->program;
    uint32_t valid = 0, enough = op->code == OP_ANY_OF ? 1 : 2;
    machine_charge(m, span.count);
    for (uint32_t i = 0; i < span.count && valid < enough; i++) {
        if (m->steps == 0)
            return machine_stop(m, STOP_STEPS, op->place, at);
        valid += machine_run_quick(m, &program->quicks[program->lists[span.first + i]], at);
    }
    return valid == 1;
}

bool machine_any_of(struct schema_validator *m, const struct op *op, uint32_t at)
{
    if (!m->marks && !m->says)
        return machine_choose(m, op, at);
    struct rule_span span = machine_possible(m, op, at);
    bool valid = false;
    machine_charge(m, span.count);
    for (uint32_t i = 0; i < span.count; i++) { /* every branch that holds counts */
        if (m->steps == 0)
            return machine_stop(m, STOP_STEPS, op->place, at);
        valid |= marks_try(m, m->program->lists[span.first + i], at);
    }
    return valid;
}

bool machine_one_of(struct schema_validator *m, const struct op *op, uint32_t at)
{
    if (!m->marks && !m->says)
        return machine_choose(m, op, at);
    struct rule_span span = machine_possible(m, op, at);
    uint32_t valid = 0;
    machine_charge(m, span.count);
    for (uint32_t i = 0; i < span.count && valid < 2; i++) {
        if (m->steps == 0)
            return machine_stop(m, STOP_STEPS, op->place, at);
        valid += marks_try(m, m->program->lists[span.first + i], at);
    }
    return valid == 1;
}
