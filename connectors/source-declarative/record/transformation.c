/* Transformations: the table of classes, and what goes through them in order. */
#include "transform.h"

static const struct transformation_class *const CLASSES[] = {
    &transformation_add_fields,    &transformation_dpath_flatten, &transformation_flatten,
    &transformation_keys_replace,  &transformation_keys_to_lower, &transformation_keys_to_snake,
    &transformation_remove_fields,
};

struct step {
    const struct transformation_class *class;
    void *self;
    struct component where;
};

struct transformations {
    const struct engine *engine;
    size_t count;
    struct step steps[];
};

static const struct transformation_class *class_of(struct component component)
{
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
        if (component_is(component, CLASSES[i]->type_name))
            return CLASSES[i];
    }
    return NULL;
}

int transformations_compile(struct engine *engine, struct component list,
                            struct transformations **ret_transformations, struct error *err)
{
    size_t count = component_is_none(list) ? 0 : component_count(list);
    struct transformations *transformations =
        arena_zalloc(&engine->arena, sizeof *transformations + count * sizeof(struct step));
    transformations->engine = engine;
    for (size_t i = 0; i < count; i++) {
        struct step *step = &transformations->steps[i];
        step->where = component_at(list, i);
        step->class = class_of(step->where);
        if (!step->class) {
            error_set(err, ERROR_UNSUPPORTED, "it is no transformation that Firth has");
            return component_error(err, step->where);
        }
        if (step->class->compile(engine, step->where, &step->self, err) != 0)
            return -1;
        transformations->count++;
    }
    *ret_transformations = transformations;
    return 0;
}

int transformations_run(const struct transformations *transformations, struct tvalue stream_slice,
                        struct arena *arena, struct tvalue *value, struct error *err)
{
    if (transformations->count == 0)
        return 0;
    struct transformation_call call = {.arena = arena};
    scope_init(&call.scope, transformations->engine);
    scope_set_slice(&call.scope, stream_slice);
    for (size_t i = 0; i < transformations->count; i++) {
        const struct step *step = &transformations->steps[i];
        if (step->class->run(step->self, &call, value, err) != 0)
            return component_error(err, step->where);
    }
    return 0;
}

struct path component_path(struct engine *engine, struct component list)
{
    size_t count = component_is_none(list) ? 0 : component_count(list);
    struct slice *segments = arena_alloc(&engine->arena, (count + 1) * sizeof *segments);
    for (size_t i = 0; i < count; i++) {
        struct component segment = component_at(list, i);
        struct tvalue value = tvalue_json(&engine->arena, &segment.manifest->doc, segment.at);
        struct ttext text;
        ttext_init(&text, &engine->arena, TEMPLATE_SOURCE_MAX);
        tvalue_str(&text, &value);
        segments[i] = ttext_slice_of(&text);
    }
    return (struct path){segments, count};
}

int expressions_path(const struct expressions *expressions, struct scope *scope, struct arena *arena,
                     struct path *ret_path, struct error *err)
{
    struct slice *segments = arena_alloc(arena, (expressions->count + 1) * sizeof *segments);
    for (size_t i = 0; i < expressions->count; i++) {
        if (expression_text(&expressions->items[i], scope, arena, &segments[i], err) != 0)
            return -1;
    }
    *ret_path = (struct path){segments, expressions->count};
    return 0;
}
