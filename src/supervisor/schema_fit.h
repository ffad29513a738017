/* A connection whose source no longer had what its catalog needs (a breaking change) may be synced again once
 * it fits: when its streams were chosen anew, or when the source has it again. */
#ifndef FIRTH_SUPERVISOR_SCHEMA_FIT_H
#define FIRTH_SUPERVISOR_SCHEMA_FIT_H

#include "control/connections.h"

/* Takes connection->breaking_change away where its catalog fits what its source was last found to have, or
 * nothing is known of that; sets it never. The connection is the caller's to put. An error is the store's. */
int schema_fit_settle(struct control *control, struct control_connection *connection, struct arena *arena,
                      struct error *err);

#endif
