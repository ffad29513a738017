/* Patterns that need no engine: a literal with or without anchors, or a row of character classes, each
 * repeated, that can be matched without ever going back: ^[A-Z]{2}[0-9]{4}$, ^\d{4}-\d{2}-\d{2},
 * ^[a-z0-9_]+$, foo, ^x-, .* */
#ifndef FIRTH_SCHEMA_REGEX_SIMPLE_H
#define FIRTH_SCHEMA_REGEX_SIMPLE_H

#include "base/text.h"

enum { SIMPLE_STEPS_MAX = 24 }; /* their numbers are bits of a 32-bit word */

struct simple_step {
    uint64_t ascii[2]; /* bytes below 0x80 that match */
    bool high;         /* every character from U+0080 matches (but line and paragraph separators, if dot) */
    bool dot;          /* it came from "." */
    uint32_t min, max; /* characters */
};

enum simple_kind {
    SIMPLE_ALWAYS,
    SIMPLE_CONTAINS,
    SIMPLE_PREFIX,
    SIMPLE_SUFFIX,
    SIMPLE_EQUALS,
    SIMPLE_STEPS
};

struct simple_pattern {
    enum simple_kind kind;
    struct slice literal; /* the kinds with one; in the arena given to simple_parse */
    bool to_end;          /* steps: followed by $ */
    uint32_t step_count;
    struct simple_step steps[SIMPLE_STEPS_MAX];
    const uint32_t *takes; /* steps, by byte: bit i if step i takes it; in the arena */
    size_t size_min;       /* bytes that a text has at least */
};

/* False: this pattern needs the engine (or is malformed: the engine says so). */
bool simple_parse(struct slice pattern, struct arena *arena, struct simple_pattern *ret_pattern);
bool simple_match(const struct simple_pattern *pattern, struct slice text);

#endif
