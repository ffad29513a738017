/* What a server says of a failure: the words in a body, wherever APIs put them. */
#ifndef FIRTH_DECLARATIVE_REQUEST_ERROR_TEXT_H
#define FIRTH_DECLARATIVE_REQUEST_ERROR_TEXT_H

#include "source-declarative/template/value.h"

/* Data NULL: it says nothing. */
struct slice error_text(struct arena *arena, const struct tvalue *body);
/* Of a body that is no JSON: the body itself. */
struct slice error_text_of(struct arena *arena, const struct tvalue *body, bool is_json, struct slice raw);

#endif
