/* One stream of a syncCatalog: can it be synced as its config says? Private to this folder. */
#ifndef FIRTH_CONTROL_STREAM_CHECK_H
#define FIRTH_CONTROL_STREAM_CHECK_H

#include "control/connection_check.h"
#include "protocol/airbyte_catalog.h"

struct stream_question {
    const struct json *doc;                /* the syncCatalog */
    const struct airbyte_catalog *offered; /* what the source was found to have; NULL: not known */
    unsigned destination_modes;            /* bits of enum airbyte_destination_sync_mode; 0: not known */
    const char *destination;               /* its name, for people */
    struct arena *arena;
};

/* `both` is {stream, config}; `known`: the connection has this stream already. ERROR_INVALID with *ret_part.
 */
int stream_check(const struct stream_question *question, uint32_t both, bool known, const char **ret_part,
                 struct error *err);

#endif
