/* Reading a schema into a shape: shared by read.c, read_parts.c and unevaluated.c. */
#ifndef FIRTH_SCHEMA_SHAPE_READ_H
#define FIRTH_SCHEMA_SHAPE_READ_H

#include "schema/registry.h"
#include "schema/shape/tree.h"

/* A place that is being read, so that a reference to it is a loop. */
struct shape_visit {
    const struct document *document;
    uint32_t node;
};

struct shape_reader {
    struct schema_registry *registry;
    struct arena scratch;
    uint32_t budget;  /* subschemas that may still be read */
    uint64_t work;    /* shapes that may still be combined */
    uint32_t nesting; /* schemas around the one at hand */
    struct shape_visit visits[SHAPE_NESTING_MAX];
    uint32_t visit_count;
    struct error *err;
};

/* The schema at hand: the nodes of its keywords' values, JSON_NONE for those that are not there. */
struct shape_keywords {
    const struct resource *resource;
    struct document *document;
    const struct json *json;
    uint32_t node;
    uint32_t at[KEYWORD_MAX];
};

/* read.c: a new shape; NULL with the error set. `node` is a schema in the document. */
struct shape *shape_read(struct shape_reader *reader, struct document *document, uint32_t node);

/* read.c: where its $ref leads; and the keywords of the schema at `node`. */
int shape_resolve(struct shape_reader *reader, const struct shape_keywords *keywords, uint32_t node,
                  struct schema_target *ret_target);
void shape_find_keywords(const struct shape_reader *reader, struct document *document, uint32_t node,
                         struct shape_keywords *keywords);

/* unevaluated.c: *ret_shape is what the schema's unevaluatedProperties asks for beside all
 * else: any, but for members that nothing knows. NULL: it asks for nothing that can be told. -1 with the
 * error set. */
int shape_read_unevaluated(struct shape_reader *reader, const struct shape_keywords *keywords,
                           struct shape **ret_shape);

/* read_parts.c: what the schema's own keywords say of types and values; of members and elements, whose
 * schemas are read. -1 with the error set. */
void shape_read_values(const struct shape_keywords *keywords, struct arena *scratch, struct shape *shape);
void shape_read_annotations(const struct shape_keywords *keywords, struct arena *scratch,
                            struct shape *shape);
int shape_read_arrays(struct shape_reader *reader, const struct shape_keywords *keywords,
                      struct shape *shape);
int shape_read_objects(struct shape_reader *reader, const struct shape_keywords *keywords,
                       struct shape *shape);

#endif
