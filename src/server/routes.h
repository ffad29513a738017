/* The routes: which there are, what they take and give, who answers. The one table (routes.c) is what
 * requests are matched with, what their bodies are checked by, and what the OpenAPI documents are made from.
 */
#ifndef FIRTH_SERVER_ROUTES_H
#define FIRTH_SERVER_ROUTES_H

#include "server/notation.h"
#include "web/http.h"

enum { ROUTE_ARGUMENTS_MAX = 2 };

struct call;

enum route_family {
    ROUTE_CONFIG, /* /api/v1 */
    ROUTE_PUBLIC, /* /api/public/v1, also /v1 */
    ROUTE_FIRTH,  /* /api/firth/v1: Firth's own */
    ROUTE_OTHER,  /* by its whole path, in no document */
};

struct route {
    enum route_family family;
    enum http_method method;
    const char *path; /* behind the family's prefix: "/connections/get", "/jobs/{jobId}" */
    enum http_next (*handle)(struct call *call);
    const char *request;  /* a schema's name; NULL: it takes no body */
    const char *response; /* a schema's name; NULL: 204, or what `type` says */
    const char *query;    /* the notation of its parameters; NULL: none */
    const char *type;     /* of the answer's content if it is no JSON */
    int side;             /* enum control_side, of routes that there are for both */
    int what;             /* its handler's own */
    bool open;            /* nobody has to say who they are */
    bool form;            /* its body may be a form as well */
};

extern const struct route routes[];
extern const size_t route_count;
extern const struct notation schemas[];
extern const size_t schema_count;

/* A path's arguments are copied to the arena, as control strings. NULL: there is no such path; *ret_allowed
 * then holds the methods (bit n: enum http_method n) that the path does have, if any. */
const struct route *routes_find(const struct http_request *request, struct arena *arena,
                                const char *ret_arguments[ROUTE_ARGUMENTS_MAX], unsigned *ret_allowed);
/* Does the path belong to the public API, whose errors have a shape of their own? */
bool routes_path_is_public(const char *path);
/* Does it belong to any API, whether there is such a route or not? */
bool routes_path_is_api(const char *path);

/* Append the OpenAPI 3.1 document of a family. */
void openapi_write(enum route_family family, struct buffer *out);

#endif
