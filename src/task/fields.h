/* Which fields of a collection a materialization's binding gets: what the connector says of each
 * (constraints), and what the catalog wants (`fields`). Pure. */
#ifndef FIRTH_TASK_FIELDS_H
#define FIRTH_TASK_FIELDS_H

#include "catalog/catalog.h"
#include "protocol/flow_materialize.h"

struct fields_input {
    const char *binding; /* for people */
    const struct flow_collection *collection;
    const struct catalog_fields *wanted;
    struct flow_projection_constraints constraints; /* flow_validated_constraints */
    bool case_insensitive;                          /* names that differ in case alone are one */
    struct buffer
        *notes; /* gets a line for each field that is left out because it is one with another; NULL */
};

enum fields_outcome {
    FIELDS_SELECTED,
    FIELDS_INCOMPATIBLE, /* with what the endpoint has: a backfill would mend it. *err says where */
    FIELDS_CONFLICT,     /* what is wanted cannot be had. *err says why, and what to write */
};

/* Can what the catalog wants be wanted of this collection, whatever the connector will say? Every name is a
 * field's, a key is made of fields that can be in one, each once, and no location of the collection's is
 * without one. -1 with ERROR_INVALID, which says all that is wrong. */
int fields_check(const struct fields_input *input, struct arena *arena, struct error *err);

/* A connector has refused the binding: is it for a field of the key that may be null or be absent by the
 * schema? Then add to the error what to write. */
void fields_advise(const struct fields_input *input, struct arena *arena, struct error *err);

/* The selection's lists live in the arena; its names are the projections'. */
enum fields_outcome fields_select(const struct fields_input *input, struct arena *arena,
                                  struct flow_field_selection *ret_selection, struct error *err);

/* The field that is a document's time, "flow_published_at", unless the catalog declares it as another. */
extern const char fields_time[];
/* Add it to a collection's projections, where a location has not its name. */
void fields_add_time(struct flow_collection *collection, struct arena *arena);

/* {"field": config} of what the catalog requires, as `validate` is told. */
struct slice fields_config(const struct catalog_fields *wanted, struct arena *arena);
/* The names that the catalog groups by; the key's own fields, if it does not. */
struct flow_texts fields_group_by(const struct fields_input *input, struct arena *arena);

#endif
