/* Regular expressions as JSON Schema has them: ECMA-262 with the u flag, unanchored, over valid UTF-8.
 *
 * Common simple patterns run without an engine; the rest is PCRE2, compiled to machine code, with limits.
 * Compiled patterns are immutable and shared; a regex_scratch belongs to one thread. */
#ifndef FIRTH_SCHEMA_REGEX_H
#define FIRTH_SCHEMA_REGEX_H

#include "base/error.h"
#include "base/text.h"

enum {
    REGEX_PATTERN_MAX = 64 << 10,    /* bytes of a pattern */
    REGEX_MATCH_LIMIT = 1000 * 1000, /* PCRE2's measure of backtracking in one match */
    REGEX_QUICK_LIMIT = 20 * 1000,   /* the same: beyond this … */
    REGEX_QUICK_PER_BYTE = 16,       /* … and this for each byte of the text it is called slow */
    REGEX_HEAP_LIMIT_KIB = 16 << 10,
    REGEX_JIT_STACK_MAX = 8 << 20
};

struct regex;
struct regex_scratch;

/* NULL with *err: ERROR_INVALID if it is no pattern of ECMA-262, ERROR_LIMIT if it is one that cannot be run:
 * too large, or with a look-behind of variable length. */
struct regex *regex_compile(struct slice pattern, struct error *err);
void regex_free(struct regex *regex);

struct regex_scratch *regex_scratch_new(void);
void regex_scratch_free(struct regex_scratch *scratch);

/* 1 it matches somewhere in the text, 0 it does not, -1 a limit was hit. The scratch's insides are made on
 * first need. */
int regex_match(const struct regex *regex, struct regex_scratch *scratch, struct slice text);

/* Did the last match take long? Its owner accounts for that: many of them, each within its limit, are no less
 * hostile. */
bool regex_was_slow(const struct regex_scratch *scratch);

/* Bytes that the compiled pattern holds, roughly. */
size_t regex_size(const struct regex *regex);

/* Is it a pattern of ECMA-262, and of nothing else? Look-behind of any length is, which cannot be compiled.
 */
bool regex_is_ecma(struct slice pattern);

/* For tests: is the pattern run without the engine? */
bool regex_is_simple(const struct regex *regex);

#endif
