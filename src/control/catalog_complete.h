/* A syncCatalog as clients of Airbyte read it: what a stream may leave out is said. Some go by `selected`
 * alone, others look into `jsonSchema` without asking whether it is there. */
#ifndef FIRTH_CONTROL_CATALOG_COMPLETE_H
#define FIRTH_CONTROL_CATALOG_COMPLETE_H

#include "base/memory.h"
#include "base/text.h"

/* With `selected` (true) in each stream's config and `jsonSchema` in each stream: {}, which says nothing of
 * it, as if it were not there. The catalog itself, if nothing was left out or it is none; else in the arena.
 */
struct slice control_catalog_complete(struct slice catalog, struct arena *arena);

#endif
