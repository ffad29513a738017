#ifndef FIRTH_SCHEMA_REGEX_ECMA_H
#define FIRTH_SCHEMA_REGEX_ECMA_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/* Append the pattern in PCRE2's words. -1 with *err for what ECMA-262 does not have. */
int regex_translate(struct slice pattern, struct buffer *out, struct error *err);
/* regex_names.c: append \p{name} or \P{name} in PCRE2's words. False if ECMA-262 has no such property. */
bool regex_property(struct slice name, bool negated, struct buffer *out);

#endif
