/* Private to this folder: what an authenticator is made of. */
#ifndef FIRTH_DECLARATIVE_REQUEST_AUTH_H
#define FIRTH_DECLARATIVE_REQUEST_AUTH_H

#include "authenticator.h"

struct authenticator_class {
    const char *type;
    int (*compile)(struct authenticator *authenticator, struct error *err);
    int (*add)(struct authenticator *authenticator, struct arena *arena, struct options *options,
               struct error *err);
    /* Each may be NULL: there is nothing to do, or to say. */
    int (*refresh)(struct authenticator *authenticator, const struct prepared *sent, struct error *err);
    int (*sign)(struct authenticator *authenticator, struct arena *arena, struct prepared *prepared,
                struct error *err);
    void (*told)(struct authenticator *authenticator, const struct prepared *prepared,
                 const struct http_response *response);
    bool (*may_rotate)(struct authenticator *authenticator, const struct prepared *prepared);
    /* Stands for another one, which compile puts into `state`. */
    bool chooses;
};

struct authenticator {
    const struct authenticator_class *class;
    struct engine *engine;
    struct component where;
    struct component requester; /* that it was found at first: its URL, for those that log in there */
    void *state;                /* of the class, in the engine's arena */
    struct authenticator *next;
};

extern const struct authenticator_class authenticator_api_key, authenticator_basic, authenticator_bearer,
    authenticator_jwt, authenticator_legacy_session, authenticator_oauth, authenticator_rotating,
    authenticator_selective, authenticator_session;

void authenticator_base64(struct ttext *out, struct slice bytes);
/* "Authorization: Bearer token". */
int authenticator_put_bearer(struct options *options, struct slice token, struct error *err);

#endif
