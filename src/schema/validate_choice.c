/* anyOf and oneOf: only the alternatives that can hold are run. */
#include "schema/machine.h"
#include "schema/text.h"

/* The alternatives for the value at `at`, or NULL. */
static const struct rule_span *look_up(struct schema_validator *m, const struct choice_table *table,
                                       uint8_t kind, uint32_t at)
{
    enum json_tag tag = json_tag(m->doc, at);
    bool is_text = tag == JSON_STRING || tag == JSON_KEY;
    struct slice text = is_text ? machine_text(m, at) : (struct slice){0};
    uint64_t hash = is_text ? text_hash(text.data, text.size) : json_hash(m->doc, at);
    uint32_t slot = (uint32_t)hash & table->mask;
    for (uint32_t probes = 0; probes < SCHEMA_PROBES_MAX; probes++, slot = (slot + 1) & table->mask) {
        const struct choice_value *value = &table->values[slot];
        if (value->rules.first == RULE_NONE)
            return NULL;
        if (value->hash == hash && value->kind == kind)
            return &value->rules;
    }
    return NULL;
}

/* By the member that tells the alternatives apart. */
static struct rule_span by_member(struct schema_validator *m, const struct choice *choice, uint32_t at)
{
    uint32_t key = machine_find_key(m, at, &choice->member);
    if (key == JSON_NONE)
        return choice->absent;
    enum json_tag tag = json_tag(m->doc, json_value(key));
    if (tag == JSON_ARRAY || tag == JSON_OBJECT)
        return choice->other; /* the values in the table are scalars */
    const struct rule_span *found = look_up(m, &choice->by_value, 0, json_value(key));
    return found ? *found : choice->other;
}

struct rule_span machine_possible(struct schema_validator *m, const struct op *op, uint32_t at)
{
    if (!op->choice)
        return (struct rule_span){op->a, op->b};
    const struct choice *choice = &m->program->choices[op->choice - 1];
    enum json_tag tag = json_tag(m->doc, at);
    if (tag == JSON_OBJECT && choice->by_value.values)
        return by_member(m, choice, at);
    if (!(choice->whole_tags >> tag & 1))
        return choice->by_tag[tag];
    machine_charge(m, m->doc->nodes[at].length / CHARGE_BYTES);
    const struct rule_span *found = look_up(m, &choice->by_whole, choice_kind(tag), at);
    return found ? *found : choice->by_tag[tag];
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
