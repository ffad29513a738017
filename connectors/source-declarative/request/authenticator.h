/* Authenticators: what a request carries to be let in. One table of classes: authenticator.c. */
#ifndef FIRTH_DECLARATIVE_REQUEST_AUTHENTICATOR_H
#define FIRTH_DECLARATIVE_REQUEST_AUTHENTICATOR_H

#include "options.h"

struct authenticator;
/* A component of any authenticator's type, or none. Tokens are kept here, so two requesters with the same
 * component share one authenticator: looked up by the component's place. `requester`: whose it is. */
int authenticator_compile(struct engine *engine, struct component component, struct component requester,
                          struct authenticator **ret_authenticator, struct error *err);
/* In a fiber: may log in or refresh first; others who come meanwhile wait for the same token. */
int authenticator_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                      struct error *err);
/* The finished request, which some count, or choose a token for. In a fiber, as all that follow. */
struct prepared;
int authenticator_sign(struct authenticator *authenticator, struct arena *arena, struct prepared *prepared,
                       struct error *err);
/* Before each further attempt: what goes into headers is made anew, since a token may have ended meanwhile.
 */
int authenticator_sign_again(struct authenticator *authenticator, struct arena *arena,
                             struct prepared *prepared, struct error *err);
/* The server has answered. */
void authenticator_told(struct authenticator *authenticator, const struct prepared *prepared,
                        const struct http_response *response);
/* Would a further attempt be with another token, which has calls left? Then it need not wait. */
bool authenticator_may_rotate(struct authenticator *authenticator, const struct prepared *prepared);
/* REFRESH_TOKEN_THEN_RETRY: the server does not take the token that `sent` has. */
bool authenticator_can_refresh(const struct authenticator *authenticator);
int authenticator_refresh(struct authenticator *authenticator, const struct prepared *sent,
                          struct error *err);

#endif
