/* Redactions: what the schema's "redact" annotations take out of a document before anybody keeps it.
 *
 * {"redact": {"strategy": "block"}} removes the member or element; "sha256" puts "sha256:" and the salted
 * digest in hexadecimal in its place. As in Flow: the salt comes first; a string is hashed as its bytes, an
 * integer as 64 bits (little endian; one of more bits as its text), another number as its double, or as an
 * integer if it is one of at most 53 bits, a boolean as one byte, null as nothing, the rest as compact JSON.
 * A string that is such a digest already stays. What a container is redacted by goes before what is inside.
 */
#ifndef FIRTH_SCHEMA_REDACT_H
#define FIRTH_SCHEMA_REDACT_H

#include "schema/annotate.h"

enum { REDACT_SALT_MAX = 1024 };

/* What a schema is compiled with to be reduced and redacted by: {"reduce", "redact", NULL}. */
extern const char *const redact_annotations[];

/* Does the schema, compiled with redact_annotations, say so anywhere? */
bool redact_wanted(const struct schema *schema);
/* … and does it reduce anywhere? */
bool redact_schema_reduces(const struct schema *schema);

/* One thread's redactor. The schema outlives it; the salt is copied, at most REDACT_SALT_MAX bytes of it.
 * NULL, with the annotation's place, if one is not understood. */
struct redactor;
struct redactor *redactor_new(const struct schema *schema, struct slice salt, struct error *err);
void redactor_free(struct redactor *redactor);
MEM_DEFINE_CLEANUP(struct redactor *, redactor_free);

/* Redact a document that is valid. 1: *out (replaced) has the document anew, as one line of compact JSON, if
 * that was possible within the buffer's maximum; 0: there is nothing to redact; -1 with *err: annotations
 * that contradict each other, a document that would be removed as a whole, or a limit. */
int redactor_apply(struct redactor *redactor, struct schema_validator *validator, const struct json *doc,
                   uint32_t at, struct buffer *out, struct error *err);

#endif
