#ifndef FIRTH_SCHEMA_REGEX_ECMA_H
#define FIRTH_SCHEMA_REGEX_ECMA_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/* Append the pattern in PCRE2's words. -1 with *err for what ECMA-262 does not have. To check only, `strict`
 * refuses what else is let through and makes look-ahead of look-behind, whose length PCRE2 would have to
 * know. */
int regex_translate(struct slice pattern, bool strict, struct buffer *out, struct error *err);

#endif
