/* Strings, constants, enumerations. */
#include "schema/format/format.h"
#include "schema/machine.h"
#include "schema/text.h"
#include "schema/value.h"

struct slice machine_text(struct schema_validator *m, uint32_t at)
{
    struct slice inner = json_inner(m->doc, at);
    if (!json_escaped(m->doc, at))
        return inner;
    buffer_clear(&m->text);
    buffer_reserve(&m->text, inner.size);
    size_t size = json_unescape(inner.data, inner.size, m->text.data);
    return (struct slice){m->text.data, size};
}

static size_t code_points(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

/* A character takes one to four bytes, escaped (\u0041) up to six: most lengths are settled by the size
 * alone. */
bool machine_length_at_least(struct schema_validator *m, uint32_t at, uint32_t min)
{
    struct slice inner = json_inner(m->doc, at);
    if (inner.size < min)
        return false;
    if (min == 1)
        return true;
    if (inner.size / 12 >= min || (!json_escaped(m->doc, at) && inner.size / 4 >= min))
        return true;
    machine_charge(m, inner.size / CHARGE_BYTES);
    return code_points(machine_text(m, at)) >= min;
}

bool machine_length_at_most(struct schema_validator *m, uint32_t at, uint32_t max)
{
    struct slice inner = json_inner(m->doc, at);
    if (inner.size <= max)
        return true;
    machine_charge(m, inner.size / CHARGE_BYTES);
    return inner.size / 12 <= max && code_points(machine_text(m, at)) <= max;
}

int machine_match(struct schema_validator *m, uint32_t regex, uint32_t place, uint32_t at)
{
    struct slice text = machine_text(m, at);
    machine_charge(m, text.size / CHARGE_BYTES);
    if (m->steps == 0) {
        machine_stop(m, STOP_STEPS, place, at);
        return -1;
    }
    int matches = regex_match(m->program->regexes[regex], m->regex, text);
    if (matches < 0)
        machine_stop(m, STOP_PATTERN, place, at);
    else if (regex_was_slow(m->regex))
        machine_charge(m, SCHEMA_STEPS_SLOW_MATCH);
    return matches;
}

bool machine_pattern(struct schema_validator *m, uint32_t regex, uint32_t place, uint32_t at)
{
    return machine_match(m, regex, place, at) > 0;
}

/* A pattern as a value is compiled: that costs more. */
bool machine_format(struct schema_validator *m, const struct op *op, uint32_t at)
{
    struct slice text = machine_text(m, at);
    machine_charge(m, op->a == FORMAT_REGEX ? text.size * CHARGE_BYTES : text.size / CHARGE_BYTES);
    if (m->steps == 0)
        return machine_stop(m, STOP_STEPS, op->place, at);
    return format_check((enum format)op->a, text);
}

static bool string_in(struct schema_validator *m, const struct enum_plan *plan, uint32_t at)
{
    struct slice text = machine_text(m, at);
    if (plan->strings) {
        uint32_t hash = (uint32_t)text_hash(text.data, text.size);
        for (uint32_t slot = hash & plan->string_mask; plan->strings[slot].text;
             slot = (slot + 1) & plan->string_mask) {
            const struct name *string = &plan->strings[slot];
            if (string->hash == hash && string->size == text.size &&
                text_same(string->text, text.data, text.size))
                return true;
        }
        return false;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct enum_value *value = &plan->values[i];
        if (value->tag == JSON_STRING && value->text.size == text.size &&
            text_same(value->text.text, text.data, text.size))
            return true;
    }
    return false;
}

static bool looked_up(struct schema_validator *m, const struct enum_plan *plan, uint32_t at)
{
    uint64_t hash = json_hash(m->doc, at);
    for (uint32_t slot = (uint32_t)hash & plan->mask; plan->table[slot]; slot = (slot + 1) & plan->mask) {
        const struct enum_value *value = &plan->values[plan->table[slot] - 1];
        if (value->hash == hash && json_equal(m->doc, at, plan->json, value->node))
            return true;
    }
    return false;
}

bool machine_one_of_values(struct schema_validator *m, const struct enum_plan *plan, uint32_t at)
{
    enum json_tag tag = json_tag(m->doc, at);
    if (!(plan->types >> tag & 1))
        return false;
    machine_charge(m, m->doc->nodes[at].length / CHARGE_BYTES);
    if (tag == JSON_STRING || tag == JSON_KEY)
        return string_in(m, plan, at);
    if (plan->table)
        return looked_up(m, plan, at);
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->values[i].tag != JSON_STRING && json_equal(m->doc, at, plan->json, plan->values[i].node))
            return true;
    }
    return false;
}
