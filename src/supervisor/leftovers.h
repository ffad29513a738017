/* What deleted connections left in the store: a connection that is deleted has no state, so that one that is
 * made again under its id begins without. */
#ifndef FIRTH_SUPERVISOR_LEFTOVERS_H
#define FIRTH_SUPERVISOR_LEFTOVERS_H

#include "control/connections.h"

/* Drop the states of the deleted connections among those of the filter (its status and page do not matter).
 * All that can be dropped are; then -1 with the first error, if there was one: ERROR_BUSY if a process of a
 * connection still lives. To be done again then, as the daemon does when it starts. From any thread,
 * `control` being that thread's. */
int leftovers_drop(struct control *control, const char *data_dir,
                   const struct control_connection_filter *filter, struct error *err);

#endif
