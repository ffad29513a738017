/* Integers of any size, as Python's: 64 bits where they fit, else limbs of nine decimal digits, so that text
 * is read and written without division. A value is always in its smallest form: TVALUE_BIG never fits 64
 * bits. Every function takes TVALUE_INT, TVALUE_BIG and TVALUE_BOOL. Whoever calls bounds the sizes
 * (integer_digits): nothing here fails. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_BIG_H
#define FIRTH_DECLARATIVE_TEMPLATE_BIG_H

#include "value.h"

struct big {
    bool negative;
    uint32_t count;   /* no leading zero */
    uint32_t limbs[]; /* the lowest first, each below 1000000000 */
};

struct tvalue integer_add(struct arena *arena, const struct tvalue *a, const struct tvalue *b);
struct tvalue integer_subtract(struct arena *arena, const struct tvalue *a, const struct tvalue *b);
struct tvalue integer_multiply(struct arena *arena, const struct tvalue *a, const struct tvalue *b);
/* Rounded down, the remainder with the divisor's sign; b is not 0. */
void integer_divide(struct arena *arena, const struct tvalue *a, const struct tvalue *b,
                    struct tvalue *ret_quotient, struct tvalue *ret_remainder);
struct tvalue integer_negate(struct arena *arena, const struct tvalue *a);
int integer_compare(const struct tvalue *a, const struct tvalue *b);
bool integer_is_negative(const struct tvalue *a);
/* Decimal digits, at most this many and at least eight fewer. */
size_t integer_digits(const struct tvalue *a);
double integer_to_double(const struct tvalue *a);
/* The number cut towards zero; it must be finite. */
struct tvalue integer_of_double(struct arena *arena, double number);
/* Decimal digits only, any number of zeros first. */
struct tvalue integer_of_digits(struct arena *arena, struct slice digits, bool negative);
void integer_text(struct ttext *out, const struct tvalue *a);

#endif
