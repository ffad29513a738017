/* Private to this folder: OAuthAuthenticator's state, and its request. */
#ifndef FIRTH_DECLARATIVE_REQUEST_OAUTH_H
#define FIRTH_DECLARATIVE_REQUEST_OAUTH_H

#include "auth_jwt.h"

enum {
    TOKEN_ANSWER_MAX = 1 << 20, /* bytes */
    TOKEN_PATH_MAX = 16,
};

struct config_path {
    struct slice names[TOKEN_PATH_MAX];
    size_t count;
};

struct oauth_state {
    struct expression endpoint, id_name, id, secret_name, secret, refresh_name, refresh, access_name, access,
        expires_name, grant_name, grant, expiry, expiry_format;
    struct mapping_expression body, headers;
    struct component scopes;
    struct component errors;     /* whose refresh_token_error_… count; none: RFC 6749's */
    struct jwt_parts *assertion; /* NULL: none */
    bool in_query;
    bool updates; /* refresh_token_updater */
    struct config_path access_path, refresh_path, expiry_path;
    struct slice refresh_member; /* of the answer */
    /* What is now. */
    struct arena arenas[2]; /* of the token, in turn */
    unsigned turn;
    struct slice token;
    int64_t expires_ms; /* wall; INT64_MAX: never */
    uint64_t fetched;   /* how often */
    struct fiber_gate gate;
};

/* The config's value there; false: there is none. */
bool oauth_at_path(struct arena *arena, struct tvalue value, const struct config_path *path,
                   struct tvalue *ret_value);
int oauth_request(struct authenticator *authenticator, struct arena *arena, struct http_request *ret_request,
                  struct error *err);

#endif
