/* Which binding a connector's words are about. It refuses all bindings in one sentence, and the person who
 * reads it looks for a line of the catalog. */
#ifndef FIRTH_CLI_FLOW_SUBJECT_H
#define FIRTH_CLI_FLOW_SUBJECT_H

#include "catalog/catalog.h"

struct flow_subject {
    const struct catalog_place *place;
    const char *collection;
    struct slice resource; /* its config, a JSON object */
};

/* Is it in the message, as a word of its own? */
bool flow_subject_mentioned(const char *message, struct slice word);
/* The one of which the message names most: its collection, and texts of its resource such as the table; NULL
 * if that is none, or several alike. */
const struct flow_subject *flow_subject_of(const char *message, const struct flow_subject *subjects,
                                           size_t count, struct arena *arena);

#endif
