/* Time zones by their names in the tz database ("Europe/Berlin"), read from the machine's copy of it
 * (/usr/share/zoneinfo). "UTC" is known without one. Seconds are since 1970, offsets seconds east of UTC. A
 * zone is read only once it is loaded: several threads may use it. */
#ifndef FIRTH_BASE_ZONE_H
#define FIRTH_BASE_ZONE_H

#include "base/error.h"
#include "base/memory.h"

enum { ZONE_NAME_MAX = 64, ZONE_FILE_MAX = 1 << 20 };

struct zone;

/* ERROR_INVALID for a name that is none here, ERROR_CORRUPT for a file that is no zone. */
struct zone *zone_load(const char *name, struct error *err);
void zone_free(struct zone *zone);
MEM_DEFINE_CLEANUP(struct zone *, zone_free);

int32_t zone_offset(const struct zone *zone, int64_t utc);
/* When the clocks there show this (seconds since 1970, as if it were UTC): the first time if they show it
 * twice; if they never do, since they are put forward, as much later as they are put. */
int64_t zone_to_utc(const struct zone *zone, int64_t local);

#endif
