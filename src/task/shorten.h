/* Values as a connector wants them shortened (serPolicy of its `validated`): strings to so many bytes, on a
 * character's boundary; arrays to their first elements; objects inside of a value to their first members, by
 * name. The value itself, if it is an object, keeps all of its members. 0 in the policy: as long as it is. */
#ifndef FIRTH_TASK_SHORTEN_H
#define FIRTH_TASK_SHORTEN_H

#include "protocol/flow_materialize.h"
#include "json/writer.h"

/* Would anything of the value be cut? A policy of NULL cuts nothing. */
bool shorten_applies(const struct flow_ser_policy *policy, const struct json *doc, uint32_t at);
/* Write the value, compactly, with what is too long cut. */
void shorten_put(const struct flow_ser_policy *policy, struct json_writer *writer, const struct json *doc,
                 uint32_t at);

#endif
