/* What a connection calls its streams at the destination. */
#ifndef FIRTH_PROTOCOL_AIRBYTE_TARGET_H
#define FIRTH_PROTOCOL_AIRBYTE_TARGET_H

#include "protocol/airbyte.h"

struct airbyte_target_rule {
    const char *prefix;    /* before each name; NULL: none */
    const char *namespace; /* instead of the stream's, with ${SOURCE_NAMESPACE} as that; NULL: the stream's */
};

/* `alias`: the stream's name, where it has another one; NULL: its own. In the arena. */
struct airbyte_stream_name airbyte_target(const struct airbyte_target_rule *rule,
                                          struct airbyte_stream_name name, const char *alias,
                                          struct arena *arena);

/* Two streams that are one at the destination would overwrite one another, and whose an echoed state is could
 * not be told. ERROR_INVALID: says which two. */
int airbyte_targets_collide(struct airbyte_stream_name target, struct airbyte_stream_name first,
                            struct airbyte_stream_name second, struct error *err);
/* What a target is known by in a map. */
struct slice airbyte_target_key(struct airbyte_stream_name target, struct arena *arena);

#endif
