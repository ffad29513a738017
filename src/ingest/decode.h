/* Content encodings: gzip, deflate, zstd, br, one or several, undone within a limit, so that a small body
 * does not become a large one. The libraries for gzip and br are loaded when one is needed (base/library.h).
 */
#ifndef FIRTH_INGEST_DECODE_H
#define FIRTH_INGEST_DECODE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

enum { INGEST_ENCODINGS_MAX = 3 /* of one body */ };

/* `encodings` as Content-Encoding has it ("gzip", "zstd, br"); NULL or "identity": the body stays, and *out
 * is left alone; *ret_body is what counts. ERROR_UNSUPPORTED: an encoding that nobody knows; ERROR_LIMIT:
 * more than out->max bytes come out; ERROR_INVALID: the bytes are no such thing. */
int ingest_decode(const char *encodings, struct slice body, struct buffer *out, struct slice *ret_body,
                  struct error *err);

#endif
