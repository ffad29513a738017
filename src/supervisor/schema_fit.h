/* Does a connection fit its source? A catalog that is put is held against what the source was last found to
 * have, as the next look at the source would: what it lacks there is a breaking change. One whose source no
 * longer had what its catalog needs may be synced again once it fits: when its streams were chosen anew, or
 * when the source has it again. */
#ifndef FIRTH_SUPERVISOR_SCHEMA_FIT_H
#define FIRTH_SUPERVISOR_SCHEMA_FIT_H

#include "control/connections.h"

/* Sets connection->breaking_change as its catalog fits what its source was last found to have; false where
 * nothing is known of that. One that was none, and whose catalog is that of `before` (NULL: it is new), stays
 * as it is. *ret_misfit is for people: what of its selected streams the source has not, breaking or not;
 * NULL: nothing. The connection is the caller's to put. An error is the store's. */
int schema_fit_settle(struct control *control, struct control_connection *connection,
                      const struct control_connection *before, struct arena *arena, const char **ret_misfit,
                      struct error *err);

#endif
