/* Regular expressions of manifests, as Python's re.match and re.search. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_PATTERN_H
#define FIRTH_DECLARATIVE_TEMPLATE_PATTERN_H

#include "base/error.h"
#include "base/text.h"

enum { PATTERN_STEPS_MAX = 1000000 }; /* a match that takes longer is none */

struct pattern;
struct pattern *pattern_new(struct slice source, struct error *err);
void pattern_free(struct pattern *pattern);
MEM_DEFINE_CLEANUP(struct pattern *, pattern_free);
/* At the beginning (`anchored`) or anywhere. *ret_found: the whole match, a part of the text; may be NULL. */
bool pattern_finds(const struct pattern *pattern, struct slice text, bool anchored, struct slice *ret_found);

#endif
