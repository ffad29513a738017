/* Schemas in a short notation, as Airbyte's documents abbreviate them, and their JSON Schema.
 *
 *   "connectionId* uuid, name string, prefix string, streams [StreamDescriptor]"
 *
 * is an object: `*` marks what is required; what is not may also be null. A text that begins with "=" is a
 * type alone. Types: string, integer, int32, number, boolean, object, any, uuid, datetime, uri, [T], {T} (an
 * object whose values are T), (a|b|c) (one of these words), and the name of another schema, which begins with
 * a capital letter. */
#ifndef FIRTH_SERVER_NOTATION_H
#define FIRTH_SERVER_NOTATION_H

#include "json/writer.h"

struct notation {
    const char *name, *text;
};

/* The schema of a text as above. References are "#/components/schemas/NAME". Asserts that the text is right.
 */
void notation_write(struct json_writer *writer, const char *text);
/* One member of an object at a time: its name and type, for parameters. false at the end. */
struct notation_member {
    struct slice name, type;
    bool required;
};
bool notation_next(const char **text, struct notation_member *ret_member);
void notation_write_type(struct json_writer *writer, struct slice type, bool nullable);

#endif
