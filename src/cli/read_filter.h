/* Which documents `firth read --where` prints: those that have certain values in certain places. */
#ifndef FIRTH_CLI_READ_FILTER_H
#define FIRTH_CLI_READ_FILTER_H

#include "cli/options.h"

#include "base/memory.h"
#include "base/text.h"

struct read_filter;

/* Each of `wheres` is POINTER=VALUE: a JSON Pointer and a JSON value; what is no JSON is a text. The first
 * `=` parts them. ERROR_INVALID. */
struct read_filter *read_filter_new(const struct option_list *wheres, struct error *err);
void read_filter_free(struct read_filter *filter);
MEM_DEFINE_CLEANUP(struct read_filter *, read_filter_free);

/* 1: at each pointer the document has its value, numbers and objects compared by what they say (1 is 1.0);
 * what is absent is null, as it is in keys. 0: it has not. -1: the document is no JSON. */
int read_filter_takes(struct read_filter *filter, struct slice document, struct error *err);

#endif
