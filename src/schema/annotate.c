/* What schemas say about a document, collected while the machine runs it.
 *
 * Rules that speak are entered even if they ask nothing, and no branch that could say something is left out
 * (validator.says); what a rule's schemas have said is taken back if the rule does not hold. */
#include "schema/annotate.h"

#include "schema/machine.h"

static bool push_hop(struct schema_validator *m, uint32_t rule, uint32_t at)
{
    if (m->hop_count == SCHEMA_SAID_MAX)
        return machine_stop(m, STOP_SAID, PLACE_NONE, at);
    m->hops = mem_grow(m->hops, &m->hop_capacity, m->hop_count + 1, sizeof *m->hops);
    m->hops[m->hop_count] = (struct hop){m->hop, m->op, rule, at};
    m->hop = (uint32_t)m->hop_count++;
    return true;
}

bool machine_say(struct schema_validator *m, const struct rule *rule, uint32_t at,
                 struct machine_saying *ret_saying)
{
    uint32_t number = (uint32_t)(rule - m->program->rules);
    const struct rule_notes *notes = &m->program->rule_notes[number];
    *ret_saying = (struct machine_saying){m->annotation_count, m->hop_count, m->hop, m->op};
    if (m->traces && !push_hop(m, number, at))
        return false;
    if (json_is(m->doc, at, JSON_KEY)) /* what propertyNames says is about a name, and no location has it */
        return true;
    if (m->annotation_count + notes->count > SCHEMA_SAID_MAX)
        return machine_stop(m, STOP_SAID, PLACE_NONE, at);
    for (uint32_t i = notes->first; i < notes->first + notes->count; i++) {
        if (!machine_type(m->doc, m->program->notes[i].types, at))
            continue;
        m->annotations = mem_grow(m->annotations, &m->annotation_capacity, m->annotation_count + 1,
                                  sizeof *m->annotations);
        m->annotations[m->annotation_count++] = (struct schema_annotation){at, i, m->hop, m->chosen_at == at};
    }
    return true;
}

void machine_said(struct schema_validator *m, const struct machine_saying *saying, bool valid)
{
    m->hop = saying->hop;
    m->op = saying->op;
    if (valid)
        return;
    m->annotation_count = saying->annotation_count;
    m->hop_count = saying->hop_count;
}

/* Merge neighbouring runs of `width` from one array to the other. */
static void merge_pass(const struct schema_annotation *from, struct schema_annotation *to, size_t count,
                       size_t width)
{
    for (size_t start = 0; start < count; start += 2 * width) {
        size_t middle = start + width < count ? start + width : count;
        size_t end = middle + width < count ? middle + width : count;
        size_t left = start, right = middle;
        for (size_t i = start; i < end; i++) {
            bool take_left = left < middle && (right == end || from[left].instance <= from[right].instance);
            to[i] = from[take_left ? left++ : right++];
        }
    }
}

/* By instance; annotations of one keep their order. Mostly they are in order already. */
static void sort(struct schema_validator *m)
{
    size_t count = m->annotation_count, sorted = 1;
    while (sorted < count && m->annotations[sorted - 1].instance <= m->annotations[sorted].instance)
        sorted++;
    if (sorted >= count)
        return;
    m->annotations = mem_grow(m->annotations, &m->annotation_capacity, 2 * count, sizeof *m->annotations);
    struct schema_annotation *from = m->annotations, *to = m->annotations + count;
    for (size_t width = 1; width < count; width *= 2) {
        merge_pass(from, to, count, width);
        struct schema_annotation *swap = from;
        from = to;
        to = swap;
    }
    if (from != m->annotations)
        memcpy(m->annotations, from, count * sizeof *from);
}

int schema_annotate(const struct schema *schema, struct schema_validator *validator, const struct json *doc,
                    uint32_t at, const struct schema_annotation **ret_annotations, size_t *ret_count,
                    struct error *err)
{
    assert(schema->rule_notes);
    machine_begin(validator, schema, doc);
    validator->annotation_count = validator->hop_count = 0;
    validator->hop = HOP_NONE;
    validator->says = true;
    bool valid = machine_run(validator, schema->root, at);
    validator->says = false;
    if (validator->stopped != STOP_NONE)
        return machine_check(validator, err);
    if (!valid)
        return 0;
    sort(validator);
    *ret_annotations = validator->annotations;
    *ret_count = validator->annotation_count;
    return 1;
}

const struct schema_note *schema_notes(const struct schema *schema, size_t *ret_count)
{
    *ret_count = schema->note_count;
    return schema->notes;
}

const struct json *schema_note_value(const struct schema *schema, const struct schema_note *note,
                                     uint32_t *ret_at)
{
    *ret_at = note->node;
    return &schema->resources[note->resource]->document->json;
}

/* A member's key stands before its value. */
struct slice schema_note_keyword(const struct schema *schema, const struct schema_note *note,
                                 struct arena *arena)
{
    return json_string(&schema->resources[note->resource]->document->json, note->node - 1, arena);
}

void schema_validator_trace(struct schema_validator *validator)
{
    validator->traces = true;
}

const char *schema_note_absolute(const struct schema *schema, const struct schema_note *note,
                                 struct arena *arena)
{
    return resource_location(schema->resources[note->resource], note->node, arena);
}

const char *schema_note_location(const struct schema *schema, const struct schema_note *note,
                                 struct arena *arena)
{
    return resource_location(schema->resources[note->resource], note->schema_node, arena);
}
