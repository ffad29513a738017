/* What both APIs share of connections. Private to this folder. */
#ifndef FIRTH_SERVER_CONNECTIONS_H
#define FIRTH_SERVER_CONNECTIONS_H

#include "control/actors.h"
#include "control/connection_check.h"
#include "server/call.h"

/* One with an id of its own, of the body's sourceId and destinationId. */
struct control_connection connection_new(struct call *call);
/* The members of the body that both APIs have: name, namespace, prefix, status. False: answered. */
bool connection_take(struct call *call, struct control_connection *connection);
/* The source was just asked: a connection that had a breaking change, and fits again, is synced again, as
 * `connection` says then. One that somebody else changes at this time stays as that leaves it. */
int connection_settle(struct call *call, struct control_connection *connection, struct error *err);
/* Without a name it gets one of its source's and destination's. ERROR_NOT_FOUND if these are not there. */
int connection_name(struct call *call, struct control_connection *connection, struct error *err);
/* What an API calls a field of a connection, and how it shows one. */
struct connection_api {
    const char *(*field)(struct call *call, const struct control_fault *fault);
    enum http_next (*answer)(struct call *call, const char *id);
};
/* Keep it if it can be synced (422 names the field that is wrong), let the runner know, answer. `before`: as
 * it is kept now; NULL: it is new. */
enum http_next connection_put(struct call *call, struct control_connection *connection,
                              const struct control_connection *before, const struct connection_api *api);
enum http_next connection_delete_by_id(struct call *call, const char *id);
/* Those of the filter were deleted: their states go as well (supervisor/leftovers.h), if not now, then when
 * the daemon starts again; the runner is told. */
void connections_deleted(struct call *call, const struct control_connection_filter *filter);
/* web_backend.c */
enum http_next web_connection_answer(struct call *call, const char *id);

#endif
