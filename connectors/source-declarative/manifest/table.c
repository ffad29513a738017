#include "table.h"

static const struct component_type *const tables[] = {table_source, table_stream, table_request,
                                                      table_record};

/* Python classes that are here in C. */
static const struct native_class {
    const char *custom_type, *class_name;
} native_classes[] = {
    {NULL, NULL},
};

const struct component_type *component_type_find(struct slice name)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct component_type *type = tables[i]; type->name; type++)
            if (slice_is(name, type->name))
                return type;
    return NULL;
}

const struct component_field *component_field_find(const struct component_type *type, struct slice name)
{
    for (const struct component_field *field = type->fields; field->name; field++)
        if (slice_is(name, field->name))
            return field;
    return NULL;
}

void component_types_walk(void (*on_type)(void *context, const struct component_type *type), void *context)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct component_type *type = tables[i]; type->name; type++)
            on_type(context, type);
}

bool component_class_is_native(const char *custom_type, struct slice class_name)
{
    for (const struct native_class *native = native_classes; native->class_name; native++)
        if (strcmp(native->custom_type, custom_type) == 0 && slice_is(class_name, native->class_name))
            return true;
    return false;
}
