/* What makes one task of a catalog differ from the same task of another: for a deploy's plan, which restarts
 * only what changed. Formatting, comments, the order of keys and the place of the catalog make no difference.
 */
#ifndef FIRTH_CATALOG_COMPARE_H
#define FIRTH_CATALOG_COMPARE_H

#include "catalog/catalog.h"

/* A task of whichever kind. One of the pointers is set. */
struct catalog_task {
    const char *name;
    const struct catalog_place *place;
    const struct catalog_capture *capture;
    const struct catalog_connection *connection;
    const struct catalog_materialization *materialization;
    bool disable;
};

/* "capture", "connection", "materialization". */
const char *catalog_task_kind(const struct catalog_task *task);

/* All tasks: captures, connections, materializations, each in the order of the catalog. */
struct catalog_task *catalog_tasks(const struct catalog *catalog, struct arena *arena, size_t *ret_count);

/* The schema documents that the schemas at `uris` need: those they are in, and what these refer to, in the
 * catalog's order. Rather too many than too few: all, where a document gives itself another URI ($id). */
struct catalog_schema_document *catalog_schemas_needed(const struct catalog *catalog, const char *const *uris,
                                                       size_t uri_count, struct arena *arena,
                                                       size_t *ret_count);

/* Whether the collection of `b` has the document of its write schema that the one of `a` has, by value and
 * wherever it is written. Yes, where that of `a` is a part of another document. */
bool catalog_same_write_schema(const struct catalog *a, const struct catalog_collection *a_collection,
                               const struct catalog *b, const struct catalog_collection *b_collection);

enum catalog_difference {
    CATALOG_DIFFERS_KIND = 1 << 0,      /* a capture became a connection */
    CATALOG_DIFFERS_CONNECTOR = 1 << 1, /* image, command */
    CATALOG_DIFFERS_CONFIG = 1 << 2,    /* an endpoint's config or environment */
    CATALOG_DIFFERS_BINDINGS = 1 << 3,  /* bindings, streams, their collections' keys, journals, fields */
    CATALOG_DIFFERS_SCHEMA = 1 << 4,
    CATALOG_DIFFERS_SCHEDULE = 1 << 5,
    CATALOG_DIFFERS_ENABLED = 1 << 6,
    CATALOG_DIFFERS_SETTINGS = 1 << 7, /* everything else */
};
enum { CATALOG_DIFFERENCES = 8 };
/* The word for people and machines of bit `index`: "config". */
const char *catalog_difference_name(unsigned index);

/* A set of bits, 0 if the two do the same. */
unsigned catalog_task_differences(const struct catalog *old_catalog, const struct catalog_task *old_task,
                                  const struct catalog *new_catalog, const struct catalog_task *new_task);

#endif
