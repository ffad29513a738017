/* A point in time that somebody writes as he likes: what tokens' and quotas' times are read with. */
#ifndef FIRTH_DECLARATIVE_REQUEST_INSTANT_H
#define FIRTH_DECLARATIVE_REQUEST_INSTANT_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* The CDK's ab_datetime_parse: seconds since 1970 (at most ten digits), or a date however it is written (UTC
 * where no zone is); what it leaves out is of now's day. Also dates with words and a time, as HTTP and mail
 * have them, which the CDK refuses. *ret_ms: wall. */
bool instant_parse(struct slice text, int64_t now_ms, int64_t *ret_ms);

#endif
