/* A stream's state inside the state that a Flow runtime keeps, which is changed by merge patches (RFC 7396).
 *
 * A merge patch cannot say everything: a null in it removes, so a state with a null would come back without
 * it. Such a state, and one that is no object, is kept as [state]: an array is always replaced as a whole. */
#ifndef FIRTH_SDK_STATE_PATCH_H
#define FIRTH_SDK_STATE_PATCH_H

#include "json/writer.h"

/* Append the state in the form in which it is kept. `state` is valid JSON. */
void sdk_state_encode(struct json_parser *parser, struct slice state, struct buffer *out);
/* The state behind its kept form; size 0: there is none (absent, null). */
struct slice sdk_state_decode(const struct json *doc, uint32_t at);
/* Put the value by which a patch makes `from` (size 0: nothing is kept) into `to`, both in the kept form.
 * Only what differs is said. */
void sdk_state_put_patch(struct json_writer *writer, struct slice from, struct slice to);

#endif
