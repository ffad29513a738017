/* Does a stream have the field that somebody names? */
#ifndef FIRTH_PROTOCOL_AIRBYTE_FIELD_H
#define FIRTH_PROTOCOL_AIRBYTE_FIELD_H

#include "protocol/airbyte_catalog.h"
#include "json/json.h"

/* What is wrong with the path in the JSON Schema at `schema` of the stream called `stream`, for people, in
 * the arena: "the stream 'users' has no field 'idd'; did you mean 'id'?". NULL: it is there, or may be, since
 * the schema names no properties or leaves room for others. `through_lists`: a name may lead into a list's
 * elements, as in selected fields. */
const char *airbyte_field_problem(const struct json *doc, uint32_t schema, const char *stream,
                                  struct airbyte_path path, bool through_lists, struct arena *arena);
/* May a record of this schema have fields that it does not name, as it says itself (additionalProperties), by
 * a choice among schemas, or since it names none? */
bool airbyte_field_open(const struct json *doc, uint32_t schema);
/* "address.city", in the arena. */
const char *airbyte_path_text(struct airbyte_path path, struct arena *arena);
bool airbyte_path_equal(struct airbyte_path a, struct airbyte_path b);

#endif
