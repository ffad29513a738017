/* Why is a document not valid? */
#include "schema/explain.h"

#include "schema/uri.h"

bool explain_is_full(const struct explainer *x)
{
    return x->m->stopped != STOP_NONE || x->made >= SCHEMA_VIOLATIONS_MAX ||
           (!x->trial && x->count >= x->max);
}

void explain_push_token(struct explainer *x, struct slice token)
{
    json_pointer_push(&x->path, token);
}

void explain_push_number(struct explainer *x, uint32_t number)
{
    buffer_printf(&x->path, "/%u", number);
}

struct site explain_push(struct explainer *x, uint32_t place, enum keyword keyword)
{
    struct site site = {x->path.size, x->suffix};
    place_push(x->m->program, place, &x->path);
    x->suffix = x->path.size;
    if (keyword != KEYWORD_NONE)
        buffer_printf(&x->path, "/%s", keyword_name(keyword));
    return site;
}

void explain_pop(struct explainer *x, struct site site)
{
    x->path.size = site.path_size;
    x->suffix = site.suffix;
}

/* In the arena; a long one is cut. */
static const char *keep_location(struct explainer *x, const struct buffer *location)
{
    size_t cut = utf8_cut(location->data, location->size, SCHEMA_LOCATION_SIZE_MAX);
    return arena_printf(x->arena, "%.*s%s", (int)cut, cut ? location->data : "",
                        cut < location->size ? "…" : "");
}

static const char *pointer_of(struct explainer *x, uint32_t at)
{
    struct buffer pointer;
    buffer_init(&pointer, BUFFER_UNLIMITED);
    json_pointer_of(x->m->doc, at, &pointer);
    const char *text = keep_location(x, &pointer);
    buffer_done(&pointer);
    return text;
}

/* The keyword's URI: the place's, and the part of the path behind it. */
static const char *absolute_of(struct explainer *x, uint32_t number)
{
    const struct place *place = &x->m->program->places[number];
    struct arena arena;
    arena_init(&arena);
    const char *base = resource_location(x->m->program->resources[place->resource], place->node, &arena);
    struct buffer whole;
    buffer_init(&whole, BUFFER_UNLIMITED);
    buffer_str(&whole, base);
    if (x->path.size > x->suffix)
        uri_append_fragment(&whole, (struct slice){x->path.data + x->suffix, x->path.size - x->suffix});
    const char *text = keep_location(x, &whole);
    buffer_done(&whole);
    arena_done(&arena);
    return text;
}

void explain_violate(struct explainer *x, uint32_t place, enum keyword keyword, uint32_t at)
{
    x->made++;
    if (x->trial) {
        uint32_t depth = x->level - x->trial->level;
        buffer_clear(&x->message);
        x->trial->violations++;
        x->trial->depth = depth < x->trial->depth ? depth : x->trial->depth;
        x->trial->wrong_type |= depth == 0 && (keyword == KEYWORD_TYPE || keyword == KEYWORD_NONE);
        return;
    }
    if (x->count >= x->max)
        return;
    x->violations[x->count++] =
        (struct schema_violation){.instance = pointer_of(x, at),
                                  .keyword_location = keep_location(x, &x->path),
                                  .absolute_location = place == PLACE_NONE ? "" : absolute_of(x, place),
                                  .keyword = keyword_name(keyword),
                                  .message = arena_strndup(x->arena, x->message.data, x->message.size),
                                  .value = json_raw(x->m->doc, at)};
}

/* Types first: nothing else of a rule is worth saying about a value of the wrong type. */
static bool explain_types(struct explainer *x, const struct rule *rule, uint32_t at)
{
    bool valid = true;
    for (uint32_t i = rule->first[GROUP_TYPE]; i < rule->first[GROUP_MAX] && valid; i++) {
        const struct op *op = &x->m->program->ops[i];
        valid = machine_step(x->m, op, at);
        if (valid)
            continue;
        message_types(x, (uint16_t)op->a, at);
        struct site site = explain_push(x, op->place, KEYWORD_TYPE);
        explain_violate(x, op->place, KEYWORD_TYPE, at);
        explain_pop(x, site);
    }
    return valid;
}

/* True if all of them hold. */
static bool explain_range(struct explainer *x, uint32_t from, uint32_t to, uint32_t at)
{
    bool valid = true;
    for (uint32_t i = from; i < to && !explain_is_full(x); i++) {
        const struct op *op = &x->m->program->ops[i];
        if (machine_step(x->m, op, at))
            continue;
        valid = false;
        if (x->m->stopped == STOP_NONE)
            explain_op(x, op, at);
    }
    return valid;
}

static void explain_ops(struct explainer *x, const struct rule *rule, uint32_t at)
{
    enum op_group group = machine_group(json_tag(x->m->doc, at));
    bool valid = true;
    if (!explain_types(x, rule, at))
        return;
    if (group < GROUP_ANY)
        valid = explain_range(x, rule->first[group], rule->first[group + 1], at);
    valid &= explain_range(x, rule->first[GROUP_ANY], rule->first[GROUP_LATE], at);
    /* What a failed keyword may have evaluated is not worth calling unevaluated. */
    const struct rule *failed = valid ? NULL : rule;
    for (uint32_t i = rule->first[GROUP_LATE]; i < rule->first[GROUP_TYPE] && !explain_is_full(x); i++)
        explain_unevaluated(x, &x->m->program->ops[i], failed, at);
}

void explain_rule(struct explainer *x, uint32_t number, uint32_t place, enum keyword keyword, uint32_t at)
{
    struct schema_validator *m = x->m;
    if (explain_is_full(x))
        return;
    if (number == RULE_FALSE) {
        message_set(x, "nothing is allowed here, got ");
        message_value(x, at);
        explain_violate(x, place, keyword, at);
        return;
    }
    const struct rule *rule = &m->program->rules[number];
    if (m->depth == SCHEMA_CALL_DEPTH_MAX) {
        machine_stop(m, STOP_DEPTH, rule->place, at);
        return;
    }
    struct marks *outer = m->marks, own;
    bool entered = machine_enter(m, rule->resource);
    if (rule->tracks) {
        marks_begin(m, &own, json_count(m->doc, at));
        m->marks = &own;
    }
    m->depth++;
    explain_ops(x, rule, at);
    m->depth--;
    if (rule->tracks) {
        m->marks = outer;
        marks_end(m, &own);
    }
    m->scope_count -= entered;
}

/* Go on in a rule that this operation applies to the same instance. */
static void explain_callee(struct explainer *x, const struct op *op, uint32_t rule, enum keyword keyword,
                           uint32_t at)
{
    struct site site = explain_push(x, op->place, keyword);
    if (op->keyword == KEYWORD_ALL_OF)
        explain_push_number(x, op->b);
    if (op->code == OP_DEPENDENT_SCHEMA) {
        const struct name *name = &x->m->program->names[op->a];
        explain_push_token(x, (struct slice){name->text, name->size});
    }
    explain_rule(x, rule, op->place, keyword, at);
    explain_pop(x, site);
}

static void explain_here(struct explainer *x, const struct op *op, uint32_t at)
{
    struct site site = explain_push(x, op->place, (enum keyword)op->keyword);
    explain_violate(x, op->place, (enum keyword)op->keyword, at);
    explain_pop(x, site);
}

static void explain_if(struct explainer *x, const struct op *op, uint32_t at)
{
    const uint32_t *rules = &x->m->program->lists[op->a];
    bool then = marks_try(x->m, rules[0], at);
    explain_callee(x, op, rules[then ? 1 : 2], then ? KEYWORD_THEN : KEYWORD_ELSE, at);
}

static void explain_contains(struct explainer *x, const struct op *op, uint32_t at)
{
    const struct contains_plan *plan = &x->m->program->contains[op->a];
    uint32_t matches = machine_count_matches(x->m, plan, at, false);
    bool few = matches < plan->min;
    struct op at_fault = *op;
    at_fault.keyword = !few ? KEYWORD_MAX_CONTAINS : plan->min == 1 ? KEYWORD_CONTAINS : KEYWORD_MIN_CONTAINS;
    message_set(x, "expected at %s ", few ? "least" : "most");
    message_count(x, op->place, (enum keyword)at_fault.keyword, few ? plan->min : plan->max, "item");
    buffer_str(&x->message, " matching ");
    message_keyword(x, op->place, KEYWORD_CONTAINS);
    buffer_printf(&x->message, ", got %u of %u", matches, json_count(x->m->doc, at));
    explain_here(x, &at_fault, at);
}

static void explain_unique(struct explainer *x, const struct op *op, uint32_t at)
{
    uint32_t first = JSON_NONE, second = JSON_NONE, index[2] = {0, 0}, i = 0;
    if (machine_unique(x->m, at, &first, &second) || first == JSON_NONE)
        return;
    for (uint32_t e = json_first(x->m->doc, at); e != JSON_NONE; e = json_next(x->m->doc, at, e), i++) {
        index[0] = e == first ? i : index[0];
        index[1] = e == second ? i : index[1];
    }
    message_set(x, "expected unique items, got item %u again at %u: ", index[0], index[1]);
    message_content(x, second);
    explain_here(x, op, at);
}

static void explain_dependent_names(struct explainer *x, const struct op *op, uint32_t at)
{
    const struct name *names = &x->m->program->names[op->a];
    for (uint32_t i = 1; i <= op->b && !explain_is_full(x); i++) {
        if (machine_find_key(x->m, at, &names[i]) != JSON_NONE)
            continue;
        message_missing(x, &names[i]);
        buffer_printf(&x->message, ", needed because of \"%.*s\"",
                      (int)utf8_cut(names[0].text, names[0].size, 60), names[0].text);
        struct site site = explain_push(x, op->place, (enum keyword)op->keyword);
        explain_push_token(x, (struct slice){names[0].text, names[0].size});
        explain_violate(x, op->place, (enum keyword)op->keyword, at);
        explain_pop(x, site);
    }
}

void explain_op(struct explainer *x, const struct op *op, uint32_t at)
{
    const struct schema *program = x->m->program;
    switch ((enum op_code)op->code) {
    case OP_CALL:
        explain_callee(x, op, op->a, (enum keyword)op->keyword, at);
        return;
    case OP_DYNAMIC:
        explain_callee(x, op, machine_dynamic_rule(x->m, &program->dynamics[op->a]),
                       (enum keyword)op->keyword, at);
        return;
    case OP_DEPENDENT_SCHEMA:
        explain_callee(x, op, op->b, (enum keyword)op->keyword, at);
        return;
    case OP_IF:
        explain_if(x, op, at);
        return;
    case OP_ANY_OF:
    case OP_ONE_OF:
        explain_choice(x, op, at);
        return;
    case OP_MEMBERS:
        explain_members(x, op, at);
        return;
    case OP_ITEMS:
        explain_items(x, op, at);
        return;
    case OP_CONTAINS:
        explain_contains(x, op, at);
        return;
    case OP_UNIQUE_ITEMS:
        explain_unique(x, op, at);
        return;
    case OP_DEPENDENT_REQUIRED:
        explain_dependent_names(x, op, at);
        return;
    case OP_CONST:
    case OP_ENUM:
        message_values(x, &(struct clue){.plan = &program->enums[op->a]}, 1, 0, at);
        break;
    case OP_FORMAT:
        message_format(x, (enum format)op->a, at);
        break;
    case OP_NOT:
        message_not(x, op, at);
        break;
    default:
        message_limit(x, op, at);
        break;
    }
    explain_here(x, op, at);
}

int schema_explain(const struct schema *schema, struct schema_validator *validator, const struct json *doc,
                   uint32_t at, struct arena *arena, struct schema_violation *violations, size_t max,
                   size_t *ret_count, struct error *err)
{
    struct explainer x = {.m = validator, .arena = arena, .violations = violations, .max = max};
    buffer_init(&x.path, BUFFER_UNLIMITED);
    buffer_init(&x.message, BUFFER_UNLIMITED);
    machine_begin(validator, schema, doc);
    if (!machine_run(validator, schema->root, at) && validator->stopped == STOP_NONE) {
        machine_begin(validator, schema, doc);
        explain_rule(&x, schema->root, PLACE_NONE, KEYWORD_NONE, at);
    }
    buffer_done(&x.path);
    buffer_done(&x.message);
    if (x.count == 0 && machine_check(validator, err) < 0)
        return -1;
    *ret_count = x.count;
    return 0;
}
