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

/* When a connection is to be synced: from its newest job on, so that times which were missed are one, and not
 * before the schedule is what it is. One that is synced every so often and never was is due at once. A job
 * that lies ahead of now (the clock was set back) counts as one of now. -1: never. */
int64_t control_schedule_due(const struct control_connection *connection, int64_t now_ms);

#endif
