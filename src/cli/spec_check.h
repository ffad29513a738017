/* A config or a resource of a catalog against the schema that its connector's `spec` gives for it. */
#ifndef FIRTH_CLI_SPEC_CHECK_H
#define FIRTH_CLI_SPEC_CHECK_H

#include "catalog/catalog.h"
#include "schema/schema.h"

struct spec_check {
    struct slice schema, value;          /* JSON text */
    const char *what;                    /* "config": how messages begin */
    const struct catalog_places *places; /* of the value */
    struct catalog_errors *errors;
    struct schema_validator *validator;
    struct arena *arena; /* scratch */
};

/* Add to the errors what the schema has against the value, each at its place and without any value, which may
 * be a secret; also keys that look like a slip of one that the schema names. -1 if the schema cannot be used.
 */
int spec_check(const struct spec_check *check, struct error *err);

#endif
