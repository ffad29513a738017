/* How an annotation was come to: the keyword's location as the schema was evaluated.
 *
 * A hop says which operation ran which rule on which node; the keyword between them, and its position or
 * name, follows from these. */
#include "schema/annotate.h"

#include "schema/machine.h"

static void push_number(struct buffer *out, uint32_t number)
{
    buffer_printf(out, "/%u", number);
}

static void push_name(struct buffer *out, const struct name *name)
{
    json_pointer_push(out, (struct slice){name->text, name->size});
}

void place_push(const struct schema *program, uint32_t number, struct buffer *out)
{
    const struct place *place = &program->places[number];
    if (place->parent == PLACE_NONE)
        return;
    place_push(program, place->parent, out); /* at most SCHEMA_INLINE_DEPTH_MAX deep */
    buffer_printf(out, "/%s", keyword_name((enum keyword)place->keyword));
    if (place->keyword == KEYWORD_ALL_OF)
        push_number(out, place->position);
}

static void push_keyword(const struct schema *program, uint32_t place, enum keyword keyword,
                         struct buffer *out)
{
    place_push(program, place, out);
    buffer_printf(out, "/%s", keyword_name(keyword));
}

static uint32_t position_of(const uint32_t *rules, uint32_t count, uint32_t rule)
{
    uint32_t i = 0;
    while (i < count && rules[i] != rule)
        i++;
    return i;
}

/* A member's value, or its key. */
static void push_member(const struct schema_validator *m, const struct op *op, const struct hop *hop,
                        struct buffer *out)
{
    const struct schema *program = m->program;
    const struct object_plan *plan = &program->objects[op->a];
    if (json_is(m->doc, hop->at, JSON_KEY)) {
        push_keyword(program, op->place, KEYWORD_PROPERTY_NAMES, out);
        return;
    }
    const struct property *property = machine_property(m, plan, hop->at - 1); /* by the value's key */
    if (property && property->declared && property->rule == hop->rule) {
        push_keyword(program, op->place, KEYWORD_PROPERTIES, out);
        push_name(out, &property->name);
        return;
    }
    for (uint32_t i = 0; i < plan->pattern_count; i++) {
        if (plan->patterns[i].rule != hop->rule)
            continue;
        const struct place *place = &program->places[op->place];
        const struct json *json = &program->resources[place->resource]->document->json;
        struct arena arena;
        arena_init(&arena);
        push_keyword(program, op->place, KEYWORD_PATTERN_PROPERTIES, out);
        json_pointer_push(out, json_string(json, plan->patterns[i].node, &arena));
        arena_done(&arena);
        return;
    }
    push_keyword(program, op->b == PLACE_NONE ? op->place : op->b, (enum keyword)plan->additional_keyword,
                 out);
}

static void push_item(const struct schema *program, const struct op *op, const struct hop *hop,
                      struct buffer *out)
{
    const struct array_plan *plan = &program->arrays[op->a];
    uint32_t position = position_of(plan->prefix, plan->prefix_count, hop->rule);
    if (position < plan->prefix_count) {
        push_keyword(program, op->place, (enum keyword)plan->prefix_keyword, out);
        push_number(out, position);
    } else {
        push_keyword(program, op->b == PLACE_NONE ? op->place : op->b, (enum keyword)plan->items_keyword,
                     out);
    }
}

static void push_hop(const struct schema_validator *m, const struct hop *hop, struct buffer *out)
{
    const struct schema *program = m->program;
    static const enum keyword parts[] = {KEYWORD_IF, KEYWORD_THEN, KEYWORD_ELSE, KEYWORD_NONE};
    const struct op *op = &program->ops[hop->op];
    switch (op->code) {
    case OP_MEMBERS:
        push_member(m, op, hop, out);
        return;
    case OP_ITEMS:
        push_item(program, op, hop, out);
        return;
    case OP_IF:
        push_keyword(program, op->place, parts[position_of(&program->lists[op->a], 3, hop->rule)], out);
        return;
    default:
        push_keyword(program, op->place, (enum keyword)op->keyword, out);
        break;
    }
    if (op->code == OP_ANY_OF || op->code == OP_ONE_OF)
        push_number(out, position_of(&program->lists[op->a], op->b, hop->rule));
    else if (op->code == OP_CALL && op->keyword == KEYWORD_ALL_OF)
        push_number(out, op->b);
    else if (op->code == OP_DEPENDENT_SCHEMA)
        push_name(out, &program->names[op->a]);
}

void schema_annotation_location(const struct schema_validator *validator,
                                const struct schema_annotation *annotation, struct buffer *out)
{
    const struct schema *program = validator->program;
    uint32_t hops[SCHEMA_CALL_DEPTH_MAX], count = 0;
    assert(annotation->hop != HOP_NONE);
    for (uint32_t hop = annotation->hop; validator->hops[hop].parent != HOP_NONE;
         hop = validator->hops[hop].parent)
        hops[count++] = hop;
    while (count > 0)
        push_hop(validator, &validator->hops[hops[--count]], out);
    struct arena arena;
    arena_init(&arena);
    json_pointer_push(out, schema_note_keyword(program, &program->notes[annotation->note], &arena));
    arena_done(&arena);
}
