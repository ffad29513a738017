/* Which documents of a collection a binding or a test takes: its partitions' values. */
#ifndef FIRTH_TASK_SELECTOR_H
#define FIRTH_TASK_SELECTOR_H

#include "catalog/catalog.h"
#include "json/key.h"

struct selector_field {
    struct key_part location;
    struct json *values;
    size_t value_count;
};

/* Immutable once compiled; may be shared between threads. */
struct selector {
    struct selector_field *include, *exclude;
    size_t include_count, exclude_count;
};

/* From a catalog's source, which is not needed afterwards; the rest lives in the arena. */
int selector_compile(const struct catalog_source *source, struct arena *arena, struct selector *ret_selector,
                     struct error *err);
/* Does it have one of the values of each included field, and none of any excluded one? A location that is not
 * there is null. */
bool selector_takes(const struct selector *selector, const struct json *doc, uint32_t at);

#endif
