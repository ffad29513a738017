/* Keywords of objects: one plan, so that an object is gone through once. */
#include "schema/compile.h"

/* NULL if the hashes of too many names fall together: that is no chance. */
static struct property *add_property(struct object_plan *plan, struct name name)
{
    uint32_t at = name.hash & plan->mask;
    for (uint32_t probes = 0; probes < SCHEMA_PROBES_MAX; probes++, at = (at + 1) & plan->mask) {
        if (plan->table[at] == 0) {
            struct property *property = &plan->properties[plan->count];
            plan->table[at] = ++plan->count;
            *property = (struct property){.name = name, .rule = RULE_TRUE};
            return property;
        }
        struct property *property = &plan->properties[plan->table[at] - 1];
        if (property->name.hash == name.hash && property->name.size == name.size &&
            memcmp(property->name.text, name.text, name.size) == 0)
            return property;
    }
    return NULL;
}

static int too_many_collisions(struct compiler *c, uint32_t node)
{
    return compile_limit(c, node, "the names of more than %d properties have hashes that fall together",
                         SCHEMA_PROBES_MAX);
}

static void make_tables(struct compiler *c, struct object_plan *plan, uint32_t names)
{
    uint32_t size = 8;
    while (size < 4 * names)
        size *= 2;
    plan->mask = size - 1;
    plan->table = arena_zalloc(&c->program->arena, size * sizeof *plan->table);
    plan->properties = arena_alloc(&c->program->arena, (names + 1) * sizeof *plan->properties);
}

static int compile_required(struct compiler *c, struct object_plan *plan, uint32_t required)
{
    for (uint32_t e = json_first(c->json, required); e != JSON_NONE; e = json_next(c->json, required, e)) {
        if (!json_is(c->json, e, JSON_STRING))
            return compile_error(c, e, "expected a property's name");
        struct property *property = add_property(plan, compile_name(c, e));
        if (!property)
            return too_many_collisions(c, e);
        plan->required += !property->required;
        property->required = true;
    }
    return 0;
}

static int compile_patterns(struct compiler *c, struct object_plan *plan, uint32_t patterns)
{
    plan->patterns =
        arena_alloc(&c->program->arena, (json_count(c->json, patterns) + 1) * sizeof *plan->patterns);
    for (uint32_t k = json_first_key(c->json, patterns); k != JSON_NONE;
         k = json_next_key(c->json, patterns, k)) {
        struct pattern_rule *pattern = &plan->patterns[plan->pattern_count++];
        pattern->node = k;
        if (compile_go_on(c, compile_regex(c, k, &pattern->regex)) < 0 ||
            compile_rule(c, json_value(k), &pattern->rule) < 0)
            return -1;
    }
    return 0;
}

/* Which of the known names the patterns match is settled now. A match that hits a limit counts as one, and so
 * does one too many: it is then run, and reported, for the document. */
static void match_patterns(struct compiler *c, struct object_plan *plan)
{
    c->name_matches += (size_t)plan->count * plan->pattern_count;
    if (c->name_matches > SCHEMA_NAME_MATCHES_MAX) {
        for (uint32_t i = 0; i < plan->count; i++)
            plan->properties[i].patterned = plan->pattern_count > 0;
        return;
    }
    if (c->problems && c->problems->count)
        return; /* a pattern may be among them that there is no regex of */
    struct regex_scratch *scratch = regex_scratch_new();
    for (uint32_t i = 0; i < plan->count; i++) {
        struct property *property = &plan->properties[i];
        for (uint32_t p = 0; p < plan->pattern_count && !property->patterned; p++)
            property->patterned = regex_match(c->program->regexes[plan->patterns[p].regex], scratch,
                                              (struct slice){property->name.text, property->name.size}) != 0;
    }
    regex_scratch_free(scratch);
}

static int check_shape(struct compiler *c, enum keyword keyword, enum json_tag tag)
{
    uint32_t node = facet(c, keyword);
    if (node == JSON_NONE || json_is(c->json, node, tag))
        return 0;
    return compile_error(c, node, "expected an %s", tag == JSON_ARRAY ? "array" : "object");
}

static int compile_members(struct compiler *c)
{
    uint32_t properties = facet(c, KEYWORD_PROPERTIES), patterns = facet(c, KEYWORD_PATTERN_PROPERTIES),
             additional = facet(c, KEYWORD_ADDITIONAL_PROPERTIES), names = facet(c, KEYWORD_PROPERTY_NAMES),
             required = facet(c, KEYWORD_REQUIRED);
    struct object_plan plan = {.additional = RULE_TRUE,
                               .names = RULE_TRUE,
                               .marks_additional = additional != JSON_NONE,
                               .additional_keyword = KEYWORD_ADDITIONAL_PROPERTIES};
    if (compile_go_on(c, check_shape(c, KEYWORD_PROPERTIES, JSON_OBJECT)) < 0 ||
        compile_go_on(c, check_shape(c, KEYWORD_PATTERN_PROPERTIES, JSON_OBJECT)) < 0 ||
        compile_go_on(c, check_shape(c, KEYWORD_REQUIRED, JSON_ARRAY)) < 0)
        return -1;
    if (compile_go_on(c, compile_count(c, KEYWORD_MIN_PROPERTIES, 0, &plan.min)) < 0 ||
        compile_go_on(c, compile_count(c, KEYWORD_MAX_PROPERTIES, UINT32_MAX, &plan.max)) < 0)
        return -1;
    if (properties == JSON_NONE && patterns == JSON_NONE && additional == JSON_NONE && names == JSON_NONE &&
        required == JSON_NONE && plan.min == 0 && plan.max == UINT32_MAX)
        return 0;
    make_tables(c, &plan, json_count(c->json, properties) + json_count(c->json, required));
    for (uint32_t k = json_first_key(c->json, properties); k != JSON_NONE;
         k = json_next_key(c->json, properties, k)) {
        struct property *property = add_property(&plan, compile_name(c, k));
        if (!property)
            return too_many_collisions(c, k);
        property->declared = true;
        if (compile_rule(c, json_value(k), &property->rule) < 0)
            return -1;
    }
    if (compile_go_on(c, compile_required(c, &plan, required)) < 0)
        return -1;
    if (patterns != JSON_NONE && compile_patterns(c, &plan, patterns) < 0)
        return -1;
    match_patterns(c, &plan);
    if ((additional != JSON_NONE && compile_rule(c, additional, &plan.additional) < 0) ||
        (names != JSON_NONE && compile_rule(c, names, &plan.names) < 0))
        return -1;
    uint32_t number = PROGRAM_ADD(c, struct object_plan, objects, object_count, object_capacity);
    c->program->objects[number] = plan;
    compile_emit(c, OP_MEMBERS, KEYWORD_PROPERTIES, number, PLACE_NONE);
    return 0;
}

static uint32_t add_name(struct compiler *c, uint32_t node)
{
    struct name name = compile_name(c, node);
    uint32_t number = PROGRAM_ADD(c, struct name, names, name_count, name_capacity);
    c->program->names[number] = name;
    return number;
}

/* "name": ["other", …]: if the one is there, the others must be. The names follow each other. */
static int compile_dependent_names(struct compiler *c, enum keyword keyword, uint32_t key)
{
    uint32_t list = json_value(key), name = add_name(c, key), count = 0;
    for (uint32_t e = json_first(c->json, list); e != JSON_NONE; e = json_next(c->json, list, e), count++) {
        if (!json_is(c->json, e, JSON_STRING))
            return compile_error(c, e, "expected a property's name");
        add_name(c, e);
    }
    if (count > 0)
        compile_emit(c, OP_DEPENDENT_REQUIRED, keyword, name, count);
    return 0;
}

static int compile_dependent_schema(struct compiler *c, enum keyword keyword, uint32_t key)
{
    uint32_t rule;
    if (compile_rule(c, json_value(key), &rule) < 0)
        return -1;
    compile_emit(c, OP_DEPENDENT_SCHEMA, keyword, add_name(c, key), rule);
    return 0;
}

static int compile_dependents(struct compiler *c, enum keyword keyword)
{
    uint32_t map = facet(c, keyword);
    if (check_shape(c, keyword, JSON_OBJECT) < 0)
        return -1;
    for (uint32_t k = json_first_key(c->json, map); k != JSON_NONE; k = json_next_key(c->json, map, k)) {
        bool list = json_is(c->json, json_value(k), JSON_ARRAY);
        if (!list && keyword == KEYWORD_DEPENDENT_REQUIRED)
            return compile_error(c, json_value(k), "expected an array of property names");
        if ((list ? compile_dependent_names : compile_dependent_schema)(c, keyword, k) < 0)
            return -1;
    }
    return 0;
}

int compile_object(struct compiler *c)
{
    return compile_members(c) < 0 || compile_dependents(c, KEYWORD_DEPENDENT_REQUIRED) < 0 ||
                   compile_dependents(c, KEYWORD_DEPENDENT_SCHEMAS) < 0 ||
                   compile_dependents(c, KEYWORD_DEPENDENCIES) < 0
               ? -1
               : 0;
}
