/* Names with a text each, as headers, a query and a form have them, on their way to a JSON object: what comes
 * several times is one member with all of it, in the order it came. */
#ifndef FIRTH_INGEST_MEMBERS_H
#define FIRTH_INGEST_MEMBERS_H

#include "base/map.h"
#include "base/memory.h"
#include "json/writer.h"

enum ingest_several {
    INGEST_SEVERAL_JOINED, /* "a, b", and names of any case are one: headers (RFC 9110 §5.3) */
    INGEST_SEVERAL_LISTED, /* ["a","b"] */
};

/* Names and texts are not copied. A text without data is null. */
struct ingest_members {
    struct arena *arena;
    enum ingest_several several;
    struct map found;
};

void ingest_members_init(struct ingest_members *members, enum ingest_several several, struct arena *arena);
void ingest_members_done(struct ingest_members *members);
void ingest_members_add(struct ingest_members *members, struct slice name, struct slice text);
/* The object. */
void ingest_members_write(const struct ingest_members *members, struct json_writer *writer);

#endif
