/* Members that a message of Airbyte's names twice (doubled.h). */
#ifndef FIRTH_PROTOCOL_AIRBYTE_DOUBLED_H
#define FIRTH_PROTOCOL_AIRBYTE_DOUBLED_H

#include "json/json.h"

/* Of a line that was parsed and has duplicates (json.duplicates): -1 if one is a member that the protocol
 * itself names, of an object that is the message's own; data, states, configs, schemas and logs are not
 * looked into.
 */
int airbyte_refuse_doubled(struct slice line, struct error *err);

#endif
