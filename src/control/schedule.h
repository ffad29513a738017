/* When a connection is due. No I/O but reading a time zone. */
#ifndef FIRTH_CONTROL_SCHEDULE_H
#define FIRTH_CONTROL_SCHEDULE_H

#include "control/connections.h"

enum { CONTROL_EVERY_MAX = 100000 /* of whatever unit */ };

/* ERROR_INVALID for a schedule that is none, or never comes. */
int control_schedule_check(const struct control_connection *connection, struct error *err);
/* When it fires next; -1: never (by hand, a date that does not come). BASIC: `after_ms` and its interval (a
 * month is 30 days, as Airbyte has it). */
int64_t control_schedule_next(const struct control_connection *connection, int64_t after_ms);

#endif
