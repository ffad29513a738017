/* Python's int() and float() of a text. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_DIGITS_H
#define FIRTH_DECLARATIVE_TEMPLATE_DIGITS_H

#include "value.h"

/* White space around, a sign, underscores between digits, a prefix that fits the base (0: any). Base 0 or 2
 * to 36. False if the text is no such number, or has more digits than TEMPLATE_DIGITS_MAX. */
bool digits_to_integer(struct arena *arena, struct slice text, unsigned base, struct tvalue *ret_value);
/* Also "inf", "nan", "1_0.5e3". */
bool digits_to_float(struct slice text, double *ret_number);

#endif
