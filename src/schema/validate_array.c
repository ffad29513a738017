/* Arrays. */
#include "schema/machine.h"
#include "schema/value.h"

/* Elements from `element` up to `end`, which one rule is for. */
static bool same_items(struct schema_validator *m, const struct quick *quick, uint32_t element, uint32_t end)
{
    const struct json_node *nodes = m->doc->nodes;
    if (quick->kinds == 0 && !(quick->types & (TYPE_ARRAY | TYPE_OBJECT | TYPE_WHOLE))) {
        /* Scalars of a type: no element is larger than its node. */
        for (; element < end; element++) {
            if (!(quick->types >> nodes[element].tag & 1))
                return false;
        }
        return true;
    }
    for (; element < end; element = json_after(m->doc, element)) {
        if (!machine_run_quick(m, quick, element))
            return false;
    }
    return true;
}

static bool all_items(struct schema_validator *m, const struct array_plan *plan, uint32_t at)
{
    uint32_t element = at + 1, end = m->doc->nodes[at].link;
    for (uint32_t i = 0; i < plan->prefix_count && element < end;
         i++, element = json_after(m->doc, element)) {
        if (!machine_run(m, plan->prefix[i], element))
            return false;
    }
    return plan->items == RULE_TRUE || same_items(m, &plan->items_quick, element, end);
}

bool machine_items(struct schema_validator *m, const struct array_plan *plan, uint32_t at)
{
    uint32_t count = m->doc->nodes[at].count;
    if (count < plan->min || count > plan->max)
        return false;
    machine_charge(m, count);
    if (plan->items == RULE_TRUE && plan->prefix_count == 0 && !m->marks)
        return true;
    struct marks *marks = m->marks;
    m->marks = NULL;
    bool valid = all_items(m, plan, at);
    m->marks = marks;
    if (marks && plan->marks_items)
        marks_fill(m, marks);
    for (uint32_t i = 0; marks && i < plan->prefix_count && i < count; i++)
        marks_set(m, marks, i);
    return valid;
}

uint32_t machine_count_matches(struct schema_validator *m, const struct contains_plan *plan, uint32_t at,
                               bool settle)
{
    struct marks *marks = m->marks;
    uint32_t matches = 0, index = 0;
    bool mark = marks && plan->marks;
    settle = settle && !m->says;
    machine_charge(m, m->doc->nodes[at].count);
    m->marks = NULL;
    for (uint32_t e = json_first(m->doc, at); e != JSON_NONE; e = json_next(m->doc, at, e), index++) {
        if (!machine_run(m, plan->rule, e))
            continue;
        matches++;
        if (mark)
            marks_set(m, marks, index);
        else if (settle && (matches > plan->max || (matches >= plan->min && plan->max == UINT32_MAX)))
            break;
    }
    m->marks = marks;
    return matches;
}

bool machine_contains(struct schema_validator *m, const struct contains_plan *plan, uint32_t at)
{
    if (m->doc->nodes[at].count < plan->min)
        return false;
    uint32_t matches = machine_count_matches(m, plan, at, true);
    return m->stopped == STOP_NONE && matches >= plan->min && matches <= plan->max;
}

static bool report_pair(uint32_t *ret_first, uint32_t *ret_second, uint32_t first, uint32_t second)
{
    if (ret_first) {
        *ret_first = first;
        *ret_second = second;
    }
    return false;
}

static bool unique_pairwise(struct schema_validator *m, uint32_t at, uint32_t *ret_first,
                            uint32_t *ret_second)
{
    for (uint32_t x = json_first(m->doc, at); x != JSON_NONE; x = json_next(m->doc, at, x)) {
        for (uint32_t y = json_next(m->doc, at, x); y != JSON_NONE; y = json_next(m->doc, at, y)) {
            if (json_equal(m->doc, x, m->doc, y))
                return report_pair(ret_first, ret_second, x, y);
        }
    }
    return true;
}

/* By a table of hashes. Equal hashes of different values are a chance, or an attack: they cost steps. */
bool machine_unique(struct schema_validator *m, uint32_t at, uint32_t *ret_first, uint32_t *ret_second)
{
    enum { PAIRWISE_MAX = 6, STEPS_SAME_HASH = 1024 };
    uint32_t count = m->doc->nodes[at].count;
    machine_charge(m, m->doc->nodes[at].length / CHARGE_BYTES);
    if (count <= PAIRWISE_MAX)
        return unique_pairwise(m, at, ret_first, ret_second);
    size_t size = 16;
    while (size < 2 * (size_t)count)
        size *= 2;
    m->unique = mem_grow(m->unique, &m->unique_capacity, size, sizeof *m->unique);
    memset(m->unique, 0, size * sizeof *m->unique);
    for (uint32_t e = json_first(m->doc, at); e != JSON_NONE; e = json_next(m->doc, at, e)) {
        uint64_t hash = json_hash(m->doc, e);
        size_t slot = hash & (size - 1);
        for (; m->unique[slot].at; slot = (slot + 1) & (size - 1)) {
            if (m->steps == 0)
                return machine_stop(m, STOP_STEPS, PLACE_NONE, at);
            m->steps--;
            uint32_t other = m->unique[slot].at - 1;
            if (m->unique[slot].hash != hash)
                continue;
            if (json_equal(m->doc, e, m->doc, other))
                return report_pair(ret_first, ret_second, other, e);
            machine_charge(m, STEPS_SAME_HASH);
        }
        m->unique[slot] = (struct unique_slot){hash, e + 1};
    }
    return true;
}

bool machine_unevaluated_items(struct schema_validator *m, uint32_t rule, uint32_t at)
{
    struct marks *marks = m->marks;
    uint32_t index = 0;
    bool valid = true;
    machine_charge(m, m->doc->nodes[at].count);
    m->marks = NULL;
    for (uint32_t e = json_first(m->doc, at); e != JSON_NONE && valid; e = json_next(m->doc, at, e)) {
        if (!marks_has(m, marks, index++))
            valid = machine_run(m, rule, e);
    }
    m->marks = marks;
    marks_fill(m, marks);
    return valid;
}
