/* What is wrong with the members of an object and the elements of an array. */
#include "schema/explain.h"

void explain_child(struct explainer *x, uint32_t rule, uint32_t place, enum keyword keyword, uint32_t at)
{
    struct marks *marks = x->m->marks;
    x->m->marks = NULL;
    if (!machine_run(x->m, rule, at) && x->m->stopped == STOP_NONE) {
        x->level++;
        explain_rule(x, rule, place, keyword, at);
        x->level--;
    }
    x->m->marks = marks;
}

/* Counts: minItems and the like. */
static void explain_count(struct explainer *x, const struct op *op, uint32_t at, uint32_t min, uint32_t max,
                          bool is_array)
{
    uint32_t count = json_count(x->m->doc, at);
    if (count >= min && count <= max)
        return;
    enum keyword keyword = count < min ? (is_array ? KEYWORD_MIN_ITEMS : KEYWORD_MIN_PROPERTIES)
                                       : (is_array ? KEYWORD_MAX_ITEMS : KEYWORD_MAX_PROPERTIES);
    message_set(x, "expected at %s ", count < min ? "least" : "most");
    message_count(x, op->place, keyword, count < min ? min : max, is_array ? "item" : "member");
    buffer_printf(&x->message, ", got %u", count);
    struct site site = explain_push(x, op->place, keyword);
    explain_violate(x, op->place, keyword, at);
    explain_pop(x, site);
}

static void explain_required(struct explainer *x, const struct op *op, const struct object_plan *plan,
                             uint32_t at)
{
    for (uint32_t i = 0; i < plan->count && !explain_is_full(x); i++) {
        const struct property *property = &plan->properties[i];
        if (!property->required || machine_find_key(x->m, at, &property->name) != JSON_NONE)
            continue;
        message_missing(x, &property->name);
        message_misspelt(x, plan, &property->name, at);
        if (x->trial && x->trial->level == x->level)
            x->trial->missing = &property->name;
        struct site site = explain_push(x, op->place, KEYWORD_REQUIRED);
        explain_violate(x, op->place, KEYWORD_REQUIRED, at);
        explain_pop(x, site);
    }
}

/* A member that properties does not name and no pattern matches. */
static void explain_additional(struct explainer *x, const struct op *op, const struct object_plan *plan,
                               uint32_t key)
{
    uint32_t place = op->b == PLACE_NONE ? op->place : op->b;
    enum keyword keyword = (enum keyword)plan->additional_keyword;
    struct site site = explain_push(x, place, keyword);
    if (plan->additional == RULE_FALSE) {
        message_unexpected(x, plan, key);
        explain_violate(x, place, keyword, json_value(key));
    } else {
        explain_child(x, plan->additional, place, keyword, json_value(key));
    }
    explain_pop(x, site);
}

static bool explain_patterns(struct explainer *x, const struct op *op, const struct object_plan *plan,
                             uint32_t key)
{
    const struct schema *program = x->m->program;
    const struct place *place = &program->places[op->place];
    const struct json *json = &program->resources[place->resource]->document->json;
    bool matched = false;
    for (uint32_t i = 0; i < plan->pattern_count; i++) {
        const struct pattern_rule *pattern = &plan->patterns[i];
        if (machine_match(x->m, pattern->regex, op->place, key) != 1)
            continue;
        matched = true;
        struct site site = explain_push(x, op->place, KEYWORD_PATTERN_PROPERTIES);
        struct arena arena;
        arena_init(&arena);
        explain_push_token(x, json_string(json, pattern->node, &arena));
        arena_done(&arena);
        explain_child(x, pattern->rule, op->place, KEYWORD_PATTERN_PROPERTIES, json_value(key));
        explain_pop(x, site);
    }
    return matched;
}

static void explain_member(struct explainer *x, const struct op *op, const struct object_plan *plan,
                           uint32_t key)
{
    const struct property *property = machine_property(x->m, plan, key);
    struct site site;
    bool covered = false;
    if (property && property->declared) {
        covered = true;
        site = explain_push(x, op->place, KEYWORD_PROPERTIES);
        explain_push_token(x, (struct slice){property->name.text, property->name.size});
        explain_child(x, property->rule, op->place, KEYWORD_PROPERTIES, json_value(key));
        explain_pop(x, site);
    }
    covered |= explain_patterns(x, op, plan, key);
    if (!covered && plan->additional != RULE_TRUE)
        explain_additional(x, op, plan, key);
    if (plan->names == RULE_TRUE)
        return;
    site = explain_push(x, op->place, KEYWORD_PROPERTY_NAMES);
    explain_child(x, plan->names, op->place, KEYWORD_PROPERTY_NAMES, key);
    explain_pop(x, site);
}

void explain_members(struct explainer *x, const struct op *op, uint32_t at)
{
    const struct object_plan *plan = &x->m->program->objects[op->a];
    const struct json *doc = x->m->doc;
    explain_required(x, op, plan, at);
    explain_count(x, op, at, plan->min, plan->max, false);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE && !explain_is_full(x);
         key = json_next_key(doc, at, key))
        explain_member(x, op, plan, key);
}

void explain_items(struct explainer *x, const struct op *op, uint32_t at)
{
    const struct array_plan *plan = &x->m->program->arrays[op->a];
    const struct json *doc = x->m->doc;
    uint32_t i = 0;
    explain_count(x, op, at, plan->min, plan->max, true);
    for (uint32_t e = json_first(doc, at); e != JSON_NONE && !explain_is_full(x);
         e = json_next(doc, at, e), i++) {
        bool prefix = i < plan->prefix_count;
        enum keyword keyword = (enum keyword)(prefix ? plan->prefix_keyword : plan->items_keyword);
        uint32_t place = prefix || op->b == PLACE_NONE ? op->place : op->b;
        struct site site = explain_push(x, place, keyword);
        if (prefix)
            explain_push_number(x, i);
        explain_child(x, prefix ? plan->prefix[i] : plan->items, place, keyword, e);
        explain_pop(x, site);
    }
}
