/* What schemas say about valid instances: notes, and which rules may meet any. */
#include "schema/compile.h"

static uint16_t types_of_keyword(struct slice keyword)
{
    return slice_starts_with(keyword, "content") ? TYPE_STRING : TYPE_ANY;
}

static bool is_said(const struct compiler *c, struct slice keyword)
{
    uint32_t schema = c->works[c->rule].node;
    /* the specification: without a media type contentSchema means nothing */
    return !slice_is(keyword, "contentSchema") || json_get(c->json, schema, "contentMediaType") != JSON_NONE;
}

static void add_note(struct compiler *c, uint16_t number, struct slice keyword, uint32_t value)
{
    struct work *work = &c->works[c->rule];
    if (!is_said(c, keyword))
        return;
    uint32_t note = PROGRAM_ADD(c, struct schema_note, notes, note_count, note_capacity);
    c->program->notes[note] = (struct schema_note){.keyword = number,
                                                   .types = types_of_keyword(keyword),
                                                   .resource = work->resource_number,
                                                   .node = value,
                                                   .schema_node = work->node};
    work->note_count++;
}

/* The specification: "format", "content…" and keywords that a draft does not define are annotations. Names
 * that begin with '$' are the core's own, and the comment's. */
static bool is_annotation(const struct compiler *c, uint32_t key, struct slice name)
{
    enum keyword keyword = keyword_find(&c->registry->keywords, c->json, key);
    return keyword == KEYWORD_FORMAT || keyword == KEYWORD_CONTENT_SCHEMA ||
           ((keyword == KEYWORD_NONE || !keyword_in(keyword, &c->resource->dialect)) &&
            !slice_starts_with(name, "$"));
}

void compile_notes(struct compiler *c)
{
    struct work *work = &c->works[c->rule];
    const char *const *keywords = c->options->annotations;
    work->note_first = (uint32_t)c->program->note_count;
    for (uint16_t i = 0; keywords && keywords[i]; i++) {
        assert(i < SCHEMA_ANNOTATIONS_MAX);
        uint32_t value = json_get(c->json, work->node, keywords[i]);
        if (value != JSON_NONE)
            add_note(c, i, slice_of(keywords[i]), value);
    }
    for (uint32_t key = c->options->all_annotations ? json_first_key(c->json, work->node) : JSON_NONE;
         key != JSON_NONE; key = json_next_key(c->json, work->node, key)) {
        struct slice name = json_string(c->json, key, &c->scratch);
        if (is_annotation(c, key, name))
            add_note(c, SCHEMA_NOTE_OTHER, name, json_value(key));
    }
}

/* Who calls whom, the other way round. */
struct callers {
    uint32_t
        *first; /* by rule: its callers in `rules`, up to the next one's; counted up before they are there */
    uint32_t *rules; /* NULL: counting */
    uint32_t caller;
};

static void add_call(struct callers *callers, uint32_t callee)
{
    if (callers->rules)
        callers->rules[--callers->first[callee + 1]] = callers->caller;
    else
        callers->first[callee + 1]++;
}

static void add_list(struct callers *callers, const uint32_t *rules, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        add_call(callers, rules[i]);
}

static void add_members(struct callers *callers, const struct object_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++)
        add_call(callers, plan->properties[i].rule);
    for (uint32_t i = 0; i < plan->pattern_count; i++)
        add_call(callers, plan->patterns[i].rule);
    add_call(callers, plan->additional);
    add_call(callers, plan->names);
}

static void add_dynamic(struct callers *callers, const struct dynamic_plan *plan)
{
    add_call(callers, plan->fallback);
    for (uint32_t i = 0; i < plan->count; i++)
        add_call(callers, plan->candidates[i].rule);
}

static void add_calls(const struct compiler *c, struct callers *callers, const struct op *op)
{
    const struct schema *program = c->program;
    switch ((enum op_code)op->code) {
    case OP_CALL:
    case OP_UNEVALUATED_ITEMS:
    case OP_UNEVALUATED_PROPERTIES:
        add_call(callers, op->a);
        break;
    case OP_DEPENDENT_SCHEMA:
        add_call(callers, op->b);
        break;
    case OP_ANY_OF:
    case OP_ONE_OF:
    case OP_IF:
        add_list(callers, &program->lists[op->a], op->b);
        break;
    case OP_DYNAMIC:
        add_dynamic(callers, &program->dynamics[op->a]);
        break;
    case OP_ITEMS:
        add_list(callers, program->arrays[op->a].prefix, program->arrays[op->a].prefix_count);
        add_call(callers, program->arrays[op->a].items);
        break;
    case OP_CONTAINS:
        add_call(callers, program->contains[op->a].rule);
        break;
    case OP_MEMBERS:
        add_members(callers, &program->objects[op->a]);
        break;
    default: /* calls nothing; or "not", whose schema contributes nothing */
        break;
    }
}

static void add_all_calls(const struct compiler *c, struct callers *callers)
{
    for (uint32_t rule = 0; rule < c->work_count; rule++) {
        callers->caller = rule;
        for (uint32_t i = 0; i < c->works[rule].op_count; i++)
            add_calls(c, callers, &c->ops[c->works[rule].op_first + i]);
    }
}

/* From those with notes to all that lead to them. */
static void spread(struct compiler *c, const struct callers *callers)
{
    uint32_t *queue = mem_alloc((c->work_count + 1) * sizeof *queue);
    size_t head = 0, tail = 0;
    for (uint32_t rule = 0; rule < c->work_count; rule++) {
        if (c->works[rule].note_count == 0)
            continue;
        c->works[rule].speaks = true;
        queue[tail++] = rule;
    }
    for (; head < tail; head++) {
        for (uint32_t i = callers->first[queue[head]]; i < callers->first[queue[head] + 1]; i++) {
            struct work *caller = &c->works[callers->rules[i]];
            if (caller->speaks)
                continue;
            caller->speaks = true;
            queue[tail++] = callers->rules[i];
        }
    }
    free(queue);
}

void compile_speaking(struct compiler *c)
{
    if (c->program->note_count == 0)
        return;
    size_t count = c->work_count;
    struct callers callers = {.first = mem_zalloc((count + 2) * sizeof *callers.first)};
    add_all_calls(c, &callers);
    for (size_t i = 1; i <= count; i++)
        callers.first[i] += callers.first[i - 1];
    /* first[rule + 1] is the end of the rule's callers now; filling counts it down to their beginning: one
     * more slot, and a shift, makes first[rule] the beginning. */
    callers.rules = mem_alloc((callers.first[count] + 1) * sizeof *callers.rules);
    uint32_t total = callers.first[count];
    add_all_calls(c, &callers);
    memmove(callers.first, callers.first + 1, count * sizeof *callers.first);
    callers.first[count] = total;
    spread(c, &callers);
    free(callers.rules);
    free(callers.first);
}

void compile_lay_out_notes(struct compiler *c)
{
    if (!c->options->annotations && !c->options->all_annotations)
        return;
    c->program->rule_notes = mem_alloc(c->work_count * sizeof *c->program->rule_notes);
    for (size_t i = 0; i < c->work_count; i++)
        c->program->rule_notes[i] = (struct rule_notes){c->works[i].note_first, c->works[i].note_count};
}
