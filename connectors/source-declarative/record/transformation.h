/* Transformations: AddFields, RemoveFields, KeysToLower, … One table of classes: transformation.c. Used for
 * records, for schemas (DynamicSchemaLoader), for properties and for configs. */
#ifndef FIRTH_DECLARATIVE_RECORD_TRANSFORMATION_H
#define FIRTH_DECLARATIVE_RECORD_TRANSFORMATION_H

#include "record.h"

struct transformations;
/* `list`: of components, one component, or none. */
int transformations_compile(struct engine *engine, struct component list,
                            struct transformations **ret_transformations, struct error *err);
/* In order; *value is a mapping before and after. New values live in the arena. */
int transformations_run(const struct transformations *transformations, struct tvalue stream_slice,
                        struct arena *arena, struct tvalue *value, struct error *err);

#endif
