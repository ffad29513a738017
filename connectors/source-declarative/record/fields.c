/* AddFields and RemoveFields. */
#include "transform.h"

/* --- AddFields ----------------------------------------------------------------------------------- */

struct added_field {
    struct path path;
    struct tvalue path_value; /* as `path` of the condition */
    struct expression value;
    unsigned types; /* value_type */
};
struct add_fields {
    struct expression condition;
    size_t count;
    struct added_field fields[];
};

static unsigned types_of(struct component field)
{
    static const struct {
        const char *name;
        unsigned types;
    } TYPES[] = {
        {"string", INTERPOLATE_STR},
        {"number", INTERPOLATE_FLOAT},
        {"integer", INTERPOLATE_INT},
        {"boolean", INTERPOLATE_BOOL},
    };
    struct slice name = component_text(field, "value_type");
    for (size_t i = 0; name.data && i < sizeof TYPES / sizeof *TYPES; i++) {
        if (slice_is(name, TYPES[i].name))
            return TYPES[i].types;
    }
    return INTERPOLATE_ANY;
}

/* An empty condition is none: it always holds. */
static bool condition_is_empty(const struct expression *condition, struct component component)
{
    struct slice text = component_text(component, "condition");
    return expression_is_absent(condition) || !text.data || text.size == 0;
}

static int add_fields_compile(struct engine *engine, struct component component, void **ret_self,
                              struct error *err)
{
    struct component list = component_get(component, "fields");
    size_t count = component_is_none(list) ? 0 : component_count(list);
    struct add_fields *self = arena_zalloc(&engine->arena, sizeof *self + count * sizeof(struct added_field));
    if (expression_compile(engine, component, "condition", &self->condition, err) != 0)
        return -1;
    if (condition_is_empty(&self->condition, component))
        self->condition = (struct expression){0};
    for (size_t i = 0; i < count; i++) {
        struct added_field *field = &self->fields[self->count++];
        struct component where = component_at(list, i), path = component_get(where, "path");
        field->path = component_path(engine, path);
        if (field->path.count == 0) {
            error_set(err, ERROR_INVALID, "the path has no segment: name the field to be added");
            return component_error(err, where);
        }
        field->path_value = tvalue_json(&engine->arena, &path.manifest->doc, path.at);
        field->types = types_of(where);
        if (expression_compile(engine, where, "value", &field->value, err) != 0)
            return -1;
    }
    *ret_self = self;
    return 0;
}

/* InterpolatedString.eval with valid_types: a literal of another type stays text. */
static int typed_value(const struct expression *expression, unsigned types, struct scope *scope,
                       struct arena *arena, struct tvalue *ret_value, struct error *err)
{
    scope->names[0].value = expression->parameters;
    struct template_scope names = {scope->names, scope->count, scope->engine->clock};
    if (interpolation_string(expression->code, types, &names, arena, ret_value, err) != 0)
        return component_error(err, expression->where);
    return 0;
}

static int add_field(const struct add_fields *self, const struct added_field *field, struct scope *scope,
                     struct arena *arena, struct tvalue *record, struct error *err)
{
    struct tvalue value;
    bool wanted = true;
    scope_set(scope, "record", *record);
    if (typed_value(&field->value, field->types, scope, arena, &value, err) != 0)
        return -1;
    if (!expression_is_absent(&self->condition)) {
        struct scope with_value = *scope;
        scope_set(&with_value, "value", value);
        scope_set(&with_value, "path", field->path_value);
        if (expression_bool(&self->condition, &with_value, true, arena, &wanted, err) != 0)
            return -1;
    }
    if (!wanted)
        return 0;
    return value_set_path(arena, record, field->path.segments, field->path.count, value, err);
}

static int add_fields_run(const void *context, struct transformation_call *call, struct tvalue *value,
                          struct error *err)
{
    const struct add_fields *self = context;
    for (size_t i = 0; i < self->count; i++) {
        if (add_field(self, &self->fields[i], &call->scope, call->arena, value, err) != 0)
            return -1;
    }
    return 0;
}

const struct transformation_class transformation_add_fields = {"AddFields", add_fields_compile,
                                                               add_fields_run};

/* --- RemoveFields -------------------------------------------------------------------------------- */

struct remove_fields {
    struct expression condition;
    size_t count;
    struct path pointers[];
};

static int remove_fields_compile(struct engine *engine, struct component component, void **ret_self,
                                 struct error *err)
{
    struct component list = component_get(component, "field_pointers");
    size_t count = component_is_none(list) ? 0 : component_count(list);
    struct remove_fields *self = arena_zalloc(&engine->arena, sizeof *self + count * sizeof(struct path));
    if (expression_compile(engine, component, "condition", &self->condition, err) != 0)
        return -1;
    if (condition_is_empty(&self->condition, component))
        self->condition = (struct expression){0};
    for (size_t i = 0; i < count; i++)
        self->pointers[self->count++] = component_path(engine, component_at(list, i));
    *ret_self = self;
    return 0;
}

/* The paths that were found, before the first is removed. */
struct found {
    struct path *items;
    size_t count, capacity;
    const struct remove_fields *self;
    struct transformation_call *call;
};

static void keep(struct found *found, const struct slice *path, size_t count)
{
    struct arena *arena = found->call->arena;
    if (found->count == found->capacity) {
        size_t capacity = found->capacity ? found->capacity * 2 : 16;
        struct path *items = arena_alloc(arena, capacity * sizeof *items);
        if (found->count)
            memcpy(items, found->items, found->count * sizeof *items);
        found->items = items;
        found->capacity = capacity;
    }
    found->items[found->count++] = (struct path){arena_dup(arena, path, count * sizeof *path), count};
}

static int on_match(void *context, const struct slice *path, size_t count, struct tvalue value,
                    struct error *err)
{
    struct found *found = context;
    bool wanted = true;
    if (!expression_is_absent(&found->self->condition)) {
        if (tvalue_is_mapping(&value) || tvalue_is_sequence(&value))
            return 0;
        scope_set(&found->call->scope, "property", value);
        if (expression_bool(&found->self->condition, &found->call->scope, true, found->call->arena, &wanted,
                            err) != 0)
            return -1;
    }
    if (wanted)
        keep(found, path, count);
    return 0;
}

static int remove_pointer(struct found *found, struct path pointer, struct tvalue *value, struct error *err)
{
    static const struct slice EVERYTHING[] = {{"**", 2}};
    struct arena *arena = found->call->arena;
    bool conditional = !expression_is_absent(&found->self->condition);
    if (!conditional && !path_has_glob(pointer.segments, pointer.count)) {
        value_remove_path(arena, value, pointer.segments, pointer.count);
        return 0;
    }
    /* With a condition dpath removes every leaf that fulfils it, wherever the pointer points. */
    if (conditional)
        pointer = (struct path){EVERYTHING, 1};
    found->count = 0;
    if (value_glob(arena, value, pointer.segments, pointer.count, on_match, found, err) != 0)
        return -1;
    for (size_t i = 0; i < found->count; i++)
        value_remove_path(arena, value, found->items[i].segments, found->items[i].count);
    return 0;
}

static int remove_fields_run(const void *context, struct transformation_call *call, struct tvalue *value,
                             struct error *err)
{
    struct found found = {.self = context, .call = call};
    for (size_t i = 0; i < found.self->count; i++) {
        if (remove_pointer(&found, found.self->pointers[i], value, err) != 0)
            return -1;
    }
    return 0;
}

const struct transformation_class transformation_remove_fields = {"RemoveFields", remove_fields_compile,
                                                                  remove_fields_run};
