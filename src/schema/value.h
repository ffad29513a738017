/* Numbers of documents as the keywords compare them. */
#ifndef FIRTH_SCHEMA_VALUE_H
#define FIRTH_SCHEMA_VALUE_H

#include "schema/program.h"

struct number_plan number_plan_of(struct slice text);
/* The integers at or below and at or above the value; for plans with scale >= 0. */
void number_plan_enclose(const struct number_plan *plan, int64_t *ret_floor, int64_t *ret_ceiling);
/* The instance's number against the schema's, exactly: -1, 0, 1. */
int number_plan_compare(struct slice text, const struct number_plan *plan);
bool number_plan_divides(struct slice text, const struct number_plan *plan);

#endif
