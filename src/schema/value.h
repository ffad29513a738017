/* Values of documents as the keywords compare them. */
#ifndef FIRTH_SCHEMA_VALUE_H
#define FIRTH_SCHEMA_VALUE_H

#include "schema/program.h"

/* Equal for values that json_equal finds equal. Recursion is bounded by the reader's depth limit. */
uint64_t value_hash(const struct json *doc, uint32_t at);

struct number_plan number_plan_of(struct slice text);
/* The instance's number against the schema's, exactly: -1, 0, 1. */
int number_plan_compare(struct slice text, const struct number_plan *plan);
bool number_plan_divides(struct slice text, const struct number_plan *plan);

#endif
