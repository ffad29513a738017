/* One request as its handler sees it: its body checked and parsed, its answer to be written.
 *
 * A handler runs in a thread of the HTTP server and returns what its last call_* gave. It reads and changes
 * the control store; it never blocks for anything else. */
#ifndef FIRTH_SERVER_CALL_H
#define FIRTH_SERVER_CALL_H

#include "control/page.h"
#include "server/auth.h"
#include "server/routes.h"
#include "json/writer.h"

struct server;

struct call {
    struct server *server;
    struct control *control; /* this side's handle */
    struct http_request *http;
    const struct route *route;
    struct arena *arena;                        /* of the request */
    const char *arguments[ROUTE_ARGUMENTS_MAX]; /* of the path */
    const char *application;                    /* whose token it is; NULL: the user's */
    struct json body;                           /* an object, and as its schema wants it; count 0: none */
    struct json_writer out;
    int64_t now_ms;
    /* Of a call that was held: what goes on when it is let go, and with what. */
    enum http_next (*resume)(struct call *call);
    void *state;
    struct listener *listener;      /* events.h; NULL: it is none */
    struct connectors_known *known; /* connectors.h: definitions that were looked up */
};

/* --- what was asked ----------------------------------------------------------------------------------- */

/* A member of the body; JSON_NONE for one that is null as well. */
uint32_t call_member(const struct call *call, const char *name);
/* Of any object in the body. NULL, `otherwise`: it is not there, or is nothing of the kind. */
const char *call_text_of(const struct call *call, uint32_t object, const char *name);
const char *call_text(const struct call *call, const char *name);
int64_t call_integer(const struct call *call, const char *name, int64_t otherwise);
bool call_bool(const struct call *call, const char *name, bool otherwise);
/* The raw JSON of a member; size 0: it is not there. */
struct slice call_raw(const struct call *call, const char *name);
/* A UUID in lower case. */
const char *call_uuid(const struct call *call, const char *name);
/* The UUIDs of a list in the body. */
const char *const *call_uuids(struct call *call, const char *name, size_t *ret_count);
const char *const *call_uuids_of(struct call *call, uint32_t object, const char *name, size_t *ret_count);
/* The `number`th argument of the path from 0, as a UUID; NULL: it is none. */
const char *call_path_uuid(const struct call *call, size_t number);

/* Who asks, for auth.h. */
struct auth_client call_client(const struct call *call);

/* --- answering ---------------------------------------------------------------------------------------- */

/* An object is begun: write its members, then call_end. */
struct json_writer *call_begin(struct call *call);
enum http_next call_end(struct call *call);
/* 204. */
enum http_next call_nothing(struct call *call);
/* An error in its API's shape. */
enum http_next call_fail(struct call *call, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* 422: the field (a name, or a path "a.b"), and what is wrong with it. */
enum http_next call_invalid(struct call *call, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* 404: "source", its id. */
enum http_next call_absent(struct call *call, const char *kind, const char *id);
/* What an error of the control store means: 404, 409, 422, 503, 500; the last are logged. */
enum http_next call_error(struct call *call, const struct error *error);
/* The same, of something that the request names by its id. */
enum http_next call_error_of(struct call *call, const struct error *error, const char *kind, const char *id);
/* The same, of a request whose fault, if it is the request's, lies in this field. */
enum http_next call_error_in(struct call *call, const struct error *error, const char *field);
/* 429: too many passwords or secrets were wrong. */
enum http_next call_slower(struct call *call);
/* Is it a name for people: not blank, not too long? False: answered (422). */
bool call_check_title(struct call *call, const char *field, const char *text);
/* Seconds, as Airbyte has times. */
int64_t call_seconds(int64_t ms);

/* Hold the call; `resume` goes on with it when http_request_resume(call->http) was called. To be returned. */
enum http_next call_hold(struct call *call, enum http_next (*resume)(struct call *call));

/* --- the server's (server.c) -------------------------------------------------------------------------- */

/* The token that it was admitted by; NULL: the password. */
const char *call_token(const struct call *call);
/* A call for a request whose head has come: who asks, and what. False: it was refused. */
bool call_admit(struct call *call);
/* Its body has. */
enum http_next call_take_body(struct call *call);
/* An error before there is a call: the status is set. */
void call_write_error(struct http_request *http, const char *message, const char *field);

#endif
