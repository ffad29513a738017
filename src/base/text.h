/* Text as a slice, and the few string functions that C lacks. A slice owns nothing and is not
 * NUL-terminated. */
#ifndef FIRTH_BASE_TEXT_H
#define FIRTH_BASE_TEXT_H

#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *data;
    size_t size;
};

/* For printf: ("%.*s", SLICE_ARGS(slice)). */
#define SLICE_ARGS(slice) (int)((slice).size > INT32_MAX ? INT32_MAX : (slice).size), (slice).data
#define SLICE_LITERAL(text) ((struct slice){(text), sizeof(text) - 1})

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}
static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
static inline bool slice_is(struct slice a, const char *text)
{
    size_t size = strlen(text);
    return a.size == size && (size == 0 || memcmp(a.data, text, size) == 0);
}
bool slice_starts_with(struct slice slice, const char *prefix);
int slice_compare(struct slice a, struct slice b); /* bytewise, like memcmp, shorter first */
/* Take the next line of *text, without its newline; false at the end. */
bool slice_next_line(struct slice *text, struct slice *ret_line);

bool string_starts_with(const char *text, const char *prefix);
bool string_ends_with(const char *text, const char *suffix);

/* Whole text as a number in range; false for anything else (blank, sign on unsigned, trailing bytes). */
bool string_to_u64(const char *text, uint64_t max, uint64_t *ret_value);
bool string_to_i64(const char *text, int64_t *ret_value);
/* "90s", "15m", "2h", "1d" (also "250ms") to milliseconds. */
bool string_to_duration_ms(const char *text, uint64_t *ret_ms);

/* Edit distance with transpositions; STRING_DISTANCE_MAX if either is as long. Names that differ in case only
 * are one apart. */
enum { STRING_DISTANCE_MAX = 64 };
size_t string_distance(const char *a, const char *b);
/* The candidate nearest to `name` by edit distance, NULL if none is near enough to be a likely typo. */
const char *string_nearest(const char *name, const char *const *candidates, size_t count);

/* Is it valid UTF-8 (no surrogates, no overlong forms)? */
bool utf8_valid(const char *bytes, size_t size);
/* The code point at the beginning of a text that is not empty, and its length; a byte that is not UTF-8 is
 * U+FFFD, of length 1. */
uint32_t utf8_decode(const char *bytes, size_t size, size_t *ret_length);
enum { UTF8_LENGTH_MAX = 4 };
/* The other way: 1 to UTF8_LENGTH_MAX bytes into `out`, and how many. What is no character (a surrogate) is
 * written as if it were one, which the caller that may meet one has to decide; past U+10FFFF is a bug. */
size_t utf8_encode(uint32_t code, char *out);
/* Longest prefix of at most max bytes that ends on a character boundary: for cutting values in messages. */
size_t utf8_cut(const char *bytes, size_t size, size_t max);

/* Make a message one printable line, in place: control characters become blanks, bytes that are not UTF-8
 * question marks, and a character that was cut at the end goes. */
void string_one_line(char *text);

/* "1.2 MB", "340 kB", "17 B" into text (at least 16 bytes). */
void string_human_bytes(double bytes, char *text, size_t size);
/* "12,345,678" into text (at least 32 bytes). */
void string_human_count(uint64_t count, char *text, size_t size);

#endif
