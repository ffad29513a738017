/* Numbers as text: exact comparison and arithmetic questions on JSON number literals of any size.
 *
 * `text` is always a valid JSON number as the reader accepted it. Exponents may have any number of digits:
 * they are compared as text and never expanded into memory. Beyond +-NUMBER_EXPONENT_MAX a number's hash and
 * its decade do not tell them apart. */
#ifndef FIRTH_JSON_NUMBER_H
#define FIRTH_JSON_NUMBER_H

#include "base/buffer.h"
#include "base/text.h"

#define NUMBER_EXPONENT_MAX INT64_C(1000000000000000)
/* number_is_multiple by a divisor of more than 19 digits takes time with the product of both lengths; beyond
 * this product the answer is no. */
enum { NUMBER_MULTIPLE_WORK_MAX = 200 * 1000 * 1000 };

/* -1, 0, 1, by value. */
int number_compare(struct slice a, struct slice b);
/* 1, 1.0, 1e3, 10e-1 are; 1.5 is not. */
bool number_is_integer(struct slice text);
/* Is a an integer multiple of b (b > 0), exactly, in decimal? */
bool number_is_multiple(struct slice a, struct slice b);
/* The value exactly, or false if it is no integer of that type. */
bool number_to_i64(struct slice text, int64_t *ret_value);
bool number_to_u64(struct slice text, uint64_t *ret_value);
/* The nearest double; false if that would be infinite. */
bool number_to_double(struct slice text, double *ret_value);
/* Does a double stand for this number: whoever prints it with as few digits as tell it apart from all others
 * prints this very number? So 0.1 and 0.30000000000000004 are held, 0.10000000000000001 and 2^53+1 are not.
 */
bool number_is_held(struct slice text, double *ret_value);
/* The powers of ten around |value|: 10^below <= |value| <= 10^above, the two equal only for a power of ten.
 * False for 0. */
bool number_decade(struct slice text, int64_t *ret_below, int64_t *ret_above);
/* A hash that is equal for equal values; of others by accident alone (but for exponents beyond
 * NUMBER_EXPONENT_MAX). Hashes of two seeds have nothing to do with each other. */
uint64_t number_hash(struct slice text, uint64_t seed);
/* Append the value as everybody would write it, which is the same text for equal values: "1" for 1.0 and
 * 10e-1, "0" for -0.0, "0.5", "1.5e-7". An exponent only where many zeros would be needed otherwise. */
void number_put_shortest(struct buffer *out, struct slice text);
/* Append bytes that are in the order of the values (memcmp, shorter first), and equal for equal ones. The
 * first one is never 0. */
void number_put_ordered(struct buffer *out, struct slice text);

#endif
