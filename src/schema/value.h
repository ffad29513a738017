/* Numbers of documents as the keywords compare them. */
#ifndef FIRTH_SCHEMA_VALUE_H
#define FIRTH_SCHEMA_VALUE_H

#include "schema/program.h"

struct number_plan number_plan_of(struct slice text);
/* The instance's number against the schema's, exactly: -1, 0, 1. */
int number_plan_compare(struct slice text, const struct number_plan *plan);
bool number_plan_divides(struct slice text, const struct number_plan *plan);

#endif
