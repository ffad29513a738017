/* Who asks: basic authentication by the one user's password, and bearer tokens of applications.
 *
 * The password is kept as libsodium's hash in the control store's settings; as long as none was set it is the
 * well-known one, which is good for listeners that only this machine reaches. A password that was right is
 * remembered as a keyed hash, so that a client that sends it with each request costs a hash and not a key
 * derivation. How many wrong ones are looked at, throttle.h says; bearer tokens are too long to be guessed.
 */
#ifndef FIRTH_SERVER_AUTH_H
#define FIRTH_SERVER_AUTH_H

#include "control/control.h"

enum {
    AUTH_TOKEN_S = 3600,            /* seconds that a token is good for */
    AUTH_SESSION_S = 7 * 24 * 3600, /* seconds that a browser's session is good for */
    AUTH_PASSWORD_MIN = 8,          /* bytes */
    AUTH_PASSWORD_MAX = 1024,
    AUTH_HEADER_MAX = 4096, /* bytes of an Authorization header's value */
};

#define AUTH_USER "airbyte"
#define AUTH_PASSWORD_DEFAULT "password"
#define AUTH_PASSWORD_SETTING "server.password_hash"

struct auth;

/* `control` is used by the calls below until it is freed. */
struct auth *auth_new(struct control *control, struct error *err);
void auth_free(struct auth *auth);

enum auth_verdict { AUTH_YES, AUTH_NO, AUTH_SLOWER };

/* Who asks, and when. */
struct auth_client {
    const char *address; /* without its port */
    int64_t now_ms;
};

/* Of an Authorization header's value (NULL: AUTH_NO). *ret_application: whose token it is, in the arena;
 * NULL: the user's, or the password. -1 with *err if the store refused. */
int auth_check(struct auth *auth, const struct auth_client *client, const char *header, struct arena *arena,
               enum auth_verdict *ret_verdict, const char **ret_application, struct error *err);
/* Client id and secret, an application's or the user's name and password: a token in the arena. */
int auth_token(struct auth *auth, const struct auth_client *client, struct slice client_id,
               struct slice secret, struct arena *arena, enum auth_verdict *ret_verdict,
               const char **ret_token, struct error *err);

/* The user's name and password: a token that is good for AUTH_SESSION_S. */
int auth_session(struct auth *auth, const struct auth_client *client, struct slice user,
                 struct slice password, struct arena *arena, enum auth_verdict *ret_verdict,
                 const char **ret_token, struct error *err);

/* Another password of the user's, for who knows the one that it is now, and a token as auth_session's for the
 * new one. AUTH_NO, AUTH_SLOWER: nothing was changed. ERROR_INVALID as auth_set_password. */
int auth_change(struct auth *auth, const struct auth_client *client, struct slice current,
                const char *password, struct arena *arena, enum auth_verdict *ret_verdict,
                const char **ret_token, struct error *err);

/* Is the password the well-known one still? */
int auth_is_default(struct control *control, bool *ret_default, struct error *err);
/* Of a password: ERROR_INVALID if auth_set_password would refuse it. */
int auth_check_password(const char *password, struct error *err);
/* ERROR_INVALID for one that is too short, too long or the well-known one. NULL: the well-known one again.
 * The user's tokens are revoked; applications' are not, since they have secrets of their own. */
int auth_set_password(struct control *control, const char *password, struct error *err);

#endif
