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
/* REFRESH_TOKEN_THEN_RETRY. */
int authenticator_refresh(struct authenticator *authenticator, struct error *err);

#endif
