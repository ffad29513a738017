/* Can a collection's key be had from every document that its schema accepts? The shape of the schema says. */
#include "catalog/loader.h"
#include "schema/shape/shape.h"

void keys_check(struct loader *loader, struct value key_list, const char *schema_uri)
{
    struct error err;
    mem_auto(shape_free) struct shape *shape = shape_of_schema(loader->catalog->schemas, schema_uri, &err);
    if (!shape)
        return; /* compiling the schema has told why */
    for (struct value each = value_first(key_list); value_there(each); each = value_next(key_list, each)) {
        const char *pointer = value_has_tag(each, JSON_STRING) ? value_string(loader, each) : NULL;
        if (!pointer || !*pointer || !names_pointer_valid(slice_of(pointer)))
            continue;
        const char *problem = shape_key_problem(shape, pointer, &loader->scratch);
        if (problem)
            loader_problem(loader, each, "%s", problem);
    }
}
