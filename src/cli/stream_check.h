/* A stream that a catalog asks for against what its source offers and its destination takes. */
#ifndef FIRTH_CLI_STREAM_CHECK_H
#define FIRTH_CLI_STREAM_CHECK_H

#include "catalog/catalog.h"
#include "protocol/airbyte_catalog.h"

struct stream_check {
    const struct catalog_stream *wanted;
    const struct catalog_stream_places *places; /* of its settings */
    struct catalog_errors *errors;
    struct arena *arena; /* scratch */
};

/* Is it there, can it be read in that mode, are the cursor and the primary key fields of it? Adds to the
 * errors what is not so, at the setting that is wrong. */
void stream_check_source(const struct stream_check *check, const struct airbyte_catalog *offered);

/* The destination's side: `spec` is the payload of its SPEC, `name` is for the message. */
void stream_check_destination(const struct stream_check *check, const struct json *spec, const char *name);

#endif
