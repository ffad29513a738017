/* Private to this folder: DynamicSchemaLoader: a schema made of what the API says of its fields. */
#ifndef FIRTH_DECLARATIVE_STREAM_DYNAMIC_SCHEMA_H
#define FIRTH_DECLARATIVE_STREAM_DYNAMIC_SCHEMA_H

#include "source-declarative/engine/engine.h"

struct dynamic_schema;
int dynamic_schema_compile(struct engine *engine, struct component component,
                           struct dynamic_schema **ret_schema, struct error *err);
/* In a fiber: asks for the first record, and makes a schema of it, in the engine's arena. */
int dynamic_schema_load(struct dynamic_schema *schema, struct tvalue *ret_schema, struct error *err);

#endif
