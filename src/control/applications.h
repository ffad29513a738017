/* Applications (client id and secret) and the tokens they were given. Neither is kept in clear: of a secret
 * and of a token there is a hash (BLAKE2b, keyed with the store's key), so that looking one up tells nothing
 * by its time. */
#ifndef FIRTH_CONTROL_APPLICATIONS_H
#define FIRTH_CONTROL_APPLICATIONS_H

#include "control/page.h"

enum {
    CONTROL_SECRET_SIZE = 65, /* of a client secret or a token, with its NUL: 64 hexadecimal digits */
    CONTROL_APPLICATIONS_MAX = 1000,
    CONTROL_TOKENS_MAX = 10000, /* that have not expired; the oldest goes */
};

struct control_application {
    const char *id;        /* of the application */
    const char *client_id; /* a UUID */
    const char *name;
    int64_t created_ms;
};

/* A new one; its secret is shown this once. */
int control_application_create(struct control *control, const char *name, int64_t now_ms, struct arena *arena,
                               struct control_application *ret_application,
                               char ret_secret[CONTROL_SECRET_SIZE], struct error *err);
int control_application_get(struct control *control, const char *id, struct arena *arena,
                            struct control_application *ret_application, struct error *err);
int control_applications(struct control *control, const struct control_page *page, struct arena *arena,
                         struct control_application **ret_items, size_t *ret_count, uint64_t *ret_total,
                         struct error *err);
/* With its tokens. */
int control_application_delete(struct control *control, const char *id, struct error *err);
/* The one that has this client id and secret; ERROR_NOT_FOUND for either that is wrong. */
int control_application_find(struct control *control, struct slice client_id, struct slice secret,
                             struct arena *arena, struct control_application *ret_application,
                             struct error *err);

/* A token of an application (NULL: of the user). */
int control_token_create(struct control *control, const char *application, int64_t now_ms, int64_t expires_ms,
                         char ret_token[CONTROL_SECRET_SIZE], struct error *err);
/* ERROR_NOT_FOUND for one that is unknown or has expired. *ret_application NULL: the user's. */
int control_token_find(struct control *control, struct slice token, int64_t now_ms, struct arena *arena,
                       const char **ret_application, struct error *err);
/* Forget it; no error if it is not there. */
int control_token_revoke(struct control *control, struct slice token, struct error *err);
/* All of the user's; those of applications stay. */
int control_tokens_revoke_user(struct control *control, struct error *err);

#endif
