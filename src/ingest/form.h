/* Form fields (application/x-www-form-urlencoded), as Slack's commands and Twilio send them. */
#ifndef FIRTH_INGEST_FORM_H
#define FIRTH_INGEST_FORM_H

#include "base/memory.h"
#include "base/text.h"

#include <stdbool.h>

enum { INGEST_FORM_FIELDS_MAX = 10000 };

struct ingest_field {
    struct slice name, value; /* decoded */
};

/* False: it is no such thing, or has too many. All in the arena. */
bool ingest_form_read(struct slice body, struct arena *arena, struct ingest_field **ret_fields,
                      size_t *ret_count);

#endif
