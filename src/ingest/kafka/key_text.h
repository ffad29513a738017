/* A document's key as consumers get it: a JSON object of the key's values in their places, {"id":1} for /id,
 * {"a":{"b":1}} for /a/b. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_KEY_TEXT_H
#define FIRTH_INGEST_KAFKA_KEY_TEXT_H

#include "base/buffer.h"
#include "json/key.h"

/* Append it; a value that is not there is null. */
void kafka_key_text(const struct key *key, const struct json *doc, uint32_t at, struct buffer *out);

#endif
