/* What the job runner asks of connections beside what everyone may (connections.h). */
#ifndef FIRTH_CONTROL_SCHEDULED_H
#define FIRTH_CONTROL_SCHEDULED_H

#include "control/connections.h"

/* Active ones that are synced by a schedule and may be, without their catalogs. */
int control_connections_scheduled(struct control *control, struct arena *arena,
                                  struct control_connection **ret_items, size_t *ret_count,
                                  struct error *err);

#endif
