/* Can a location be part of a collection's key? It must be in every document, with a boolean, an integer or a
 * string. What a keyword that shapes cannot say (`vague`) might make right is not held against it. */
#include "schema/shape/tree.h"

enum { SUGGESTIONS_MAX = 1000, KEYABLE = SHAPE_BOOLEAN | SHAPE_INTEGER | SHAPE_STRING };

static const char usable[] = "a key must be a string, an integer or a boolean";

static const char *types_text(unsigned types, struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    shape_types_text(types, &out);
    const char *text = arena_strdup(arena, buffer_cstr(&out));
    buffer_done(&out);
    return text;
}

static const char *suggest(const struct shape *shape, const char *name, struct arena *arena)
{
    uint32_t count = shape->property_count < SUGGESTIONS_MAX ? shape->property_count : SUGGESTIONS_MAX;
    const char **names = arena_alloc(arena, (count + 1U) * sizeof *names);
    size_t real = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (shape->properties[i].shape->types != 0)
            names[real++] = shape->properties[i].name;
    }
    const char *nearest = string_nearest(name, names, real);
    return nearest ? arena_printf(arena, "; did you mean '%s'?", nearest) : "";
}

static const char *type_problem(const struct shape *shape, const char *pointer, bool vague,
                                struct arena *arena)
{
    unsigned types = shape->types, wrong = types & ~(unsigned)(KEYABLE | SHAPE_NULL);
    if (types == SHAPE_ANY || (vague && (types & KEYABLE)))
        return NULL;
    if (types == 0)
        return arena_printf(arena, "no document can have the key '%s': the schema accepts nothing there",
                            pointer);
    if (wrong)
        return arena_printf(arena, "the key '%s' has the type %s in the schema; %s", pointer,
                            types_text(wrong | (wrong & SHAPE_FRACTION ? SHAPE_INTEGER : 0), arena), usable);
    if (types & SHAPE_NULL)
        return arena_printf(arena, "the key '%s' could be null in a document; %s", pointer, usable);
    return NULL;
}

/* Can there be anything below? `parent` is the size of the location in the pointer. */
static const char *parent_problem(const struct shape *shape, const struct key_step *step, const char *pointer,
                                  size_t parent, struct arena *arena)
{
    unsigned holding = SHAPE_OBJECT | (step->position != JSON_NONE ? SHAPE_ARRAY : 0);
    if (shape->types & holding)
        return NULL;
    const char *where = parent ? arena_printf(arena, " at '%.*s'", (int)parent, pointer) : "";
    if (shape->types == 0)
        return arena_printf(arena, "no document can have the key '%s': the schema accepts nothing%s", pointer,
                            where);
    return arena_printf(arena, "no document can have the key '%s': the schema has the type %s%s, not object",
                        pointer, types_text(shape->types, arena), where);
}

/* Is the step's location there in every document? `last`: it is the key's own. */
static const char *step_problem(const struct shape *shape, const struct key_step *step, const char *pointer,
                                const struct shape_location *child, bool last, bool vague,
                                struct arena *arena)
{
    const char *name = arena_strndup(arena, step->name.data, step->name.size);
    const struct shape_property *property = shape_property(shape, step->name);
    bool closed = shape->additional && shape->additional->types == 0 && shape->pattern_count == 0;
    if (!(shape->types & SHAPE_OBJECT))
        return NULL;
    if (closed && child->shape->types == 0) /* "required" alone may have made it a property */
        return arena_printf(arena,
                            "no document can have the key '%s': the schema has no property '%s', and "
                            "additionalProperties is false%s",
                            pointer, name, suggest(shape, name, arena));
    if (property && property->required)
        return NULL;
    if (vague || (shape->types & SHAPE_ARRAY && step->position != JSON_NONE))
        return NULL;
    if (!property && shape->pattern_count == 0)
        return arena_printf(arena, "the key '%s' is not in the schema: it has no property '%s'%s", pointer,
                            name, suggest(shape, name, arena));
    if (last && !(child->shape->types & KEYABLE))
        return NULL; /* it would be of no use anyway: that is told */
    return arena_printf(arena,
                        "the key '%s' could be missing in a document; add '%s' to the schema's 'required'",
                        pointer, name);
}

const char *shape_key_problem(const struct shape *shape, const char *pointer, struct arena *arena)
{
    const char *const pointers[] = {pointer, NULL};
    struct key key = key_compile(pointers, arena);
    struct shape_location at = {pointer, false, SHAPE_MUST, shape};
    bool vague = false;
    size_t parent = 0;
    for (size_t i = 0; i < key.parts[0].step_count; i++) {
        const struct key_step *step = &key.parts[0].steps[i];
        const struct shape *here = at.shape;
        vague |= here->vague;
        const char *problem = parent_problem(here, step, pointer, parent, arena);
        if (problem)
            return problem;
        bool speaks = here->property_count > 0 || (here->additional && here->additional->types == 0);
        shape_step(&at, step);
        if (!speaks && here->pattern_count == 0 && at.exists == SHAPE_IMPLICIT)
            return NULL; /* a schema that says nothing about members says nothing about keys */
        problem = speaks
                      ? step_problem(here, step, pointer, &at, i + 1 == key.parts[0].step_count, vague, arena)
                      : NULL;
        if (problem)
            return problem;
        parent += 1 + strcspn(pointer + parent + 1, "/");
    }
    return type_problem(at.shape, pointer, vague || at.shape->vague, arena);
}
