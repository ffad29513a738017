/* What a transformation is made of; private to this folder and to what else has paths in its fields. */
#ifndef FIRTH_DECLARATIVE_RECORD_TRANSFORM_H
#define FIRTH_DECLARATIVE_RECORD_TRANSFORM_H

#include "transformation.h"

struct transformation_call {
    struct scope scope; /* with the stream_slice */
    struct arena *arena;
};

struct transformation_class {
    const char *type_name;
    int (*compile)(struct engine *engine, struct component component, void **ret_self, struct error *err);
    /* *value is a mapping before and after. */
    int (*run)(const void *self, struct transformation_call *call, struct tvalue *value, struct error *err);
};
extern const struct transformation_class transformation_add_fields;    /* fields.c */
extern const struct transformation_class transformation_remove_fields; /* fields.c */
extern const struct transformation_class transformation_keys_to_lower; /* keys.c */
extern const struct transformation_class transformation_keys_to_snake; /* keys.c */
extern const struct transformation_class transformation_keys_replace;  /* keys.c */
extern const struct transformation_class transformation_flatten;       /* flatten.c */
extern const struct transformation_class transformation_dpath_flatten; /* flatten.c */

struct path {
    const struct slice *segments;
    size_t count;
};
/* A list of strings as it is written. */
struct path component_path(struct engine *engine, struct component list);
/* A list of templates, evaluated. */
int expressions_path(const struct expressions *expressions, struct scope *scope, struct arena *arena,
                     struct path *ret_path, struct error *err);

#endif
