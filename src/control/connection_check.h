/* Is a connection one that can be synced? What a person or a program has chosen is held against what its
 * source was last found to have and what its destination says it can, before it is kept. */
#ifndef FIRTH_CONTROL_CONNECTION_CHECK_H
#define FIRTH_CONTROL_CONNECTION_CHECK_H

#include "control/connections.h"

/* What is wrong, for the caller to say in its own spelling. */
struct control_fault {
    long stream; /* of a stream of the catalog: which, from 0; else -1 */
    const char
        *part; /* of a stream: "stream.name", "config.cursorField", "config.selectedFields[2].fieldPath";
                  of the connection: its member's name ("name", "prefix", "namespaceFormat",
                  "namespaceDefinition", "catalog"), or "units", "cronExpression", "cronTimeZone" */
};

/* Names, prefix, namespace, schedule; and unless the catalog is that of `before` (NULL: the connection is
 * new), each stream that it selects: is it there, do source and destination have its modes, is there a
 * cursor, a key, are these and the columns that are sent in its schema, can its mappers be done; whether any
 * of it was changed, are its streams of distinct names at the destination. A stream that `before` has may be
 * gone from the source. What is not known (the source was never asked, the catalog has no schema) is not held
 * against anything. ERROR_INVALID or ERROR_LIMIT with *ret_fault set; other errors are the store's, and then
 * its part is NULL. */
int control_connection_check(struct control *control, const struct control_connection *connection,
                             const struct control_connection *before, struct arena *arena,
                             struct control_fault *ret_fault, struct error *err);

/* What the destination says it can: bits of enum airbyte_destination_sync_mode (protocol/airbyte_catalog.h).
 * 0: it was never asked, or does not say. */
int control_destination_modes(struct control *control, const char *destination, struct arena *arena,
                              unsigned *ret_modes, struct error *err);

#endif
