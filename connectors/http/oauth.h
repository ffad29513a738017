/* Access tokens of OAuth 2.0, fetched when they are needed and kept until they are about to expire: by a
 * refresh token (RFC 6749, 6) or by an assertion that is signed here (RFC 7523). */
#ifndef FIRTH_CONNECTORS_HTTP_OAUTH_H
#define FIRTH_CONNECTORS_HTTP_OAUTH_H

#include "connectors/http/http.h"
#include "connectors/http/jwt.h"

enum {
    OAUTH_EARLY_MS = 60 * 1000,      /* a token is no longer used so long before it expires */
    OAUTH_LIFETIME_MS = 3600 * 1000, /* of an assertion; and of a token whose answer does not say */
    OAUTH_ANSWER_MAX = 64 << 10,
};

/* Texts live as long as the struct oauth. NULL: left out. */
struct oauth_settings {
    const char *token_url;
    const char *client_id, *client_secret, *refresh_token; /* the refresh grant */
    const char *scope;                                     /* both grants */
    /* The JWT bearer grant, where there is an issuer. */
    const char *issuer, *subject, *audience, *key_id;
    struct jwt_key key;
    const struct clock *clock;          /* NULL: clock_system */
    const struct http_backoff *backoff; /* NULL: the defaults */
};

struct oauth;

/* `client` lives as long. Nothing is fetched yet. */
struct oauth *oauth_new(struct http_client *client, const struct oauth_settings *settings);
void oauth_free(struct oauth *oauth);
MEM_DEFINE_CLEANUP(struct oauth *, oauth_free);

/* *ret_token lives until the next call. What the server says of a refusal is in the error, ERROR_INVALID
 * where the credentials are to blame. */
int oauth_token(struct oauth *oauth, const char **ret_token, struct error *err);
/* It was refused: the next oauth_token fetches another. */
void oauth_forget(struct oauth *oauth);
/* The refresh token that the server has put in the place of the one that was given; NULL: none. */
const char *oauth_new_refresh_token(const struct oauth *oauth);

#endif
