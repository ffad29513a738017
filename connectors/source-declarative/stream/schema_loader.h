/* Schema loaders: inline, from a file beside the manifest, from the API. */
#ifndef FIRTH_DECLARATIVE_STREAM_SCHEMA_LOADER_H
#define FIRTH_DECLARATIVE_STREAM_SCHEMA_LOADER_H

#include "source-declarative/engine/engine.h"

struct schema_loader;
/* A loader, a list of them, or none. */
int schema_loader_compile(struct engine *engine, struct component component, const char *stream_name,
                          struct schema_loader **ret_loader, struct error *err);
/* In a fiber. The document lives as long as the engine. */
int schema_loader_load(struct schema_loader *loader, const struct json **ret_schema, struct error *err);

#endif
