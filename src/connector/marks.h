/* Which values of a config its connector's spec marks as secret. */
#ifndef FIRTH_CONNECTOR_MARKS_H
#define FIRTH_CONNECTOR_MARKS_H

#include "base/buffer.h"
#include "connector/secrets.h"

/* Append a JSON array of pointers (RFC 6901) to what `schema` (a JSON Schema) marks in `config`: with
 * airbyte_secret, secret or writeOnly true, or the format password; behind $ref within the schema, in allOf,
 * anyOf, oneOf and conditions, whichever branch applies, in lists and in additional and pattern properties,
 * whatever the pattern. So a value may be marked that need not be, never the other way round. A schema that
 * is too much to walk marks the whole config. What is no JSON marks nothing. */
void connector_marks_find(struct slice schema, struct slice config, struct buffer *out);
/* Holds the config anything that a mark could be for? */
bool connector_marks_matter(struct slice config);
/* What is to be masked of a config, by names and by the marks of `schema` (empty: not known). */
struct connector_secrets *connector_secrets_of(struct slice config, const char *const *env,
                                               struct slice schema);

#endif
