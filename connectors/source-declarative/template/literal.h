/* Python's ast.literal_eval. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_LITERAL_H
#define FIRTH_DECLARATIVE_TEMPLATE_LITERAL_H

#include "value.h"

/* False if the text is no literal. Complex numbers and `...` count as none. */
bool literal_read(struct arena *arena, struct slice text, struct tvalue *ret_value);

#endif
