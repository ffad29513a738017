/* Filters, tests, global functions and methods by their names. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_REGISTRY_H
#define FIRTH_DECLARATIVE_TEMPLATE_REGISTRY_H

#include "value.h"

struct filter;
struct test;

/* NULL if there is none of the name. */
const struct filter *registry_filter(struct slice name);
const struct test *registry_test(struct slice name);
/* The name that was probably meant, or NULL. */
const char *registry_near_filter(struct slice name);
const char *registry_near_test(struct slice name);
/* max, now_utc, dict, …: a TVALUE_FUNCTION; false if there is none. */
bool registry_global(struct slice name, struct tvalue *ret_value);

#endif
