/* Objects: one pass over the members. */
#include "schema/machine.h"
#include "schema/text.h"

static inline bool is_named(const struct json *doc, uint32_t key, const struct name *name)
{
    const struct json_node *node = &doc->nodes[key];
    if (node->link != name->hash)
        return false;
    if (node->escaped)
        return json_text_is(doc, key, (struct slice){name->text, name->size});
    return node->length - 2 == name->size &&
           text_same(doc->source + node->offset + 1, name->text, name->size);
}

/* The key of that name in an object, and its position; or JSON_NONE. */
static uint32_t find_key(const struct json *doc, uint32_t object, const struct name *name,
                         uint32_t *ret_index)
{
    uint32_t index = 0;
    for (uint32_t key = object + 1, end = doc->nodes[object].link; key < end;
         key = json_after(doc, key + 1), index++) {
        if (is_named(doc, key, name)) {
            *ret_index = index;
            return key;
        }
    }
    return JSON_NONE;
}

static inline const struct property *find_property(const struct json *doc, const struct object_plan *plan,
                                                   uint32_t key)
{
    for (uint32_t at = doc->nodes[key].link & plan->mask; plan->table[at]; at = (at + 1) & plan->mask) {
        const struct property *property = &plan->properties[plan->table[at] - 1];
        if (is_named(doc, key, &property->name))
            return property;
    }
    return NULL;
}

const struct property *machine_property(const struct schema_validator *m, const struct object_plan *plan,
                                        uint32_t key)
{
    return find_property(m->doc, plan, key);
}

/* Patterns, and additionalProperties for what neither they nor properties cover. */
static bool other_member(struct schema_validator *m, const struct object_plan *plan, uint32_t place,
                         uint32_t key, bool declared, bool *ret_evaluated)
{
    bool matched = declared;
    machine_charge(m, plan->pattern_count);
    if (m->steps == 0)
        return machine_stop(m, STOP_STEPS, place, key);
    for (uint32_t i = 0; i < plan->pattern_count; i++) {
        const struct pattern_rule *pattern = &plan->patterns[i];
        /* The key is unescaped anew each time: the rule may use the same buffer. */
        int matches = machine_match(m, pattern->regex, place, key);
        if (matches < 0)
            return false;
        if (matches == 0)
            continue;
        matched = true;
        if (!machine_run(m, pattern->rule, json_value(key)))
            return false;
    }
    *ret_evaluated = matched || plan->marks_additional;
    return matched || plan->additional == RULE_TRUE || machine_run(m, plan->additional, json_value(key));
}

/* Without patterns, propertyNames and marks: the usual case. */
static bool plain_members(struct schema_validator *m, const struct object_plan *plan, uint32_t at)
{
    const struct json *doc = m->doc;
    const struct property *next = plan->properties, *end = next + plan->count;
    uint32_t required = 0, after = doc->nodes[at].link;
    for (uint32_t key = at + 1; key < after; key = json_after(doc, key + 1)) {
        const struct quick *quick = &plan->additional_quick;
        /* Members mostly come in the schema's order: the one behind the last is tried first. */
        const struct property *property =
            next < end && is_named(m->doc, key, &next->name) ? next : find_property(doc, plan, key);
        if (property) {
            next = property + 1;
            required += property->required;
            if (property->declared)
                quick = &property->quick;
        }
        if (!machine_run_quick(m, quick, key + 1))
            return false;
    }
    return required == plan->required;
}

static bool all_members(struct schema_validator *m, const struct object_plan *plan, const struct marks *marks,
                        uint32_t place, uint32_t at)
{
    const struct json *doc = m->doc;
    const struct json_node *nodes = doc->nodes;
    const struct property *next = plan->properties, *end = next + plan->count;
    uint32_t required = 0, index = 0, after = nodes[at].link;
    for (uint32_t key = at + 1; key < after; index++) {
        const struct property *property =
            next < end && is_named(m->doc, key, &next->name) ? next : find_property(doc, plan, key);
        bool declared = false, evaluated = true;
        if (property) {
            next = property + 1;
            required += property->required;
            declared = property->declared;
            if (declared && !machine_run_quick(m, &property->quick, key + 1))
                return false;
        }
        if ((!declared || property->patterned) && !other_member(m, plan, place, key, declared, &evaluated))
            return false;
        if (marks && evaluated)
            marks_set(m, marks, index);
        if (plan->names != RULE_TRUE && !machine_run(m, plan->names, key))
            return false;
        key = json_after(doc, key + 1);
    }
    return required == plan->required;
}

/* Where the plan asks for one or two members of many: they are looked up. */
static bool sparse_members(struct schema_validator *m, const struct object_plan *plan,
                           const struct marks *marks, uint32_t at)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct property *property = &plan->properties[i];
        uint32_t index = 0, key = find_key(m->doc, at, &property->name, &index);
        if (key == JSON_NONE && property->required)
            return false;
        if (key == JSON_NONE || !property->declared)
            continue;
        if (!machine_run_quick(m, &property->quick, json_value(key)))
            return false;
        if (marks)
            marks_set(m, marks, index);
    }
    return true;
}

bool machine_members(struct schema_validator *m, const struct object_plan *plan, uint32_t place, uint32_t at)
{
    uint32_t count = m->doc->nodes[at].count;
    if (count < plan->min || count > plan->max || count < plan->required)
        return false;
    machine_charge(m, count);
    struct marks *marks = m->marks;
    bool is_sparse = plan->is_sparse && count > 2 * plan->count;
    if (!marks && !is_sparse && plan->pattern_count == 0 && plan->names == RULE_TRUE)
        return plain_members(m, plan, at);
    m->marks = NULL;
    bool valid = is_sparse ? sparse_members(m, plan, marks, at) : all_members(m, plan, marks, place, at);
    m->marks = marks;
    return valid;
}

uint32_t machine_find_key(struct schema_validator *m, uint32_t object, const struct name *name)
{
    uint32_t index = 0;
    machine_charge(m, m->doc->nodes[object].count);
    return find_key(m->doc, object, name, &index);
}

bool machine_dependent_required(struct schema_validator *m, const struct op *op, uint32_t at)
{
    const struct name *names = &m->program->names[op->a];
    if (machine_find_key(m, at, &names[0]) == JSON_NONE)
        return true;
    for (uint32_t i = 1; i <= op->b; i++) {
        if (m->steps == 0)
            return machine_stop(m, STOP_STEPS, op->place, at);
        if (machine_find_key(m, at, &names[i]) == JSON_NONE)
            return false;
    }
    return true;
}

bool machine_unevaluated_members(struct schema_validator *m, uint32_t rule, uint32_t at)
{
    struct marks *marks = m->marks;
    uint32_t index = 0;
    bool valid = true;
    machine_charge(m, m->doc->nodes[at].count);
    m->marks = NULL;
    for (uint32_t key = json_first_key(m->doc, at); key != JSON_NONE && valid;
         key = json_next_key(m->doc, at, key)) {
        if (!marks_has(m, marks, index++))
            valid = machine_run(m, rule, json_value(key));
    }
    m->marks = marks;
    marks_fill(m, marks);
    return valid;
}
