/* What both APIs share of connections. Private to this folder. */
#ifndef FIRTH_SERVER_CONNECTIONS_H
#define FIRTH_SERVER_CONNECTIONS_H

#include "control/actors.h"
#include "control/connections.h"
#include "server/call.h"

/* One with an id of its own, of the body's sourceId and destinationId. */
struct control_connection connection_new(struct call *call);
/* The members of the body that both APIs have: name, namespace, prefix, status. False: answered. */
bool connection_take(struct call *call, struct control_connection *connection);
/* Without a name it gets one of its source's and destination's. ERROR_NOT_FOUND if these are not there. */
int connection_name(struct call *call, struct control_connection *connection, struct error *err);
/* Keep it, let the runner know, answer. */
enum http_next connection_put(struct call *call, struct control_connection *connection,
                              enum http_next (*answer_it)(struct call *call, const char *id));
enum http_next connection_delete_by_id(struct call *call, const char *id);
/* Those of the filter were deleted: their states go as well (supervisor/leftovers.h), if not now, then when
 * the daemon starts again; the runner is told. */
void connections_deleted(struct call *call, const struct control_connection_filter *filter);
/* web_backend.c */
enum http_next web_connection_answer(struct call *call, const char *id);

#endif
