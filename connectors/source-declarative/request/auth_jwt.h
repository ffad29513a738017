/* Private to this folder: tokens that are signed here, by themselves and as assertions of OAuth. */
#ifndef FIRTH_DECLARATIVE_REQUEST_AUTH_JWT_H
#define FIRTH_DECLARATIVE_REQUEST_AUTH_JWT_H

#include "auth.h"
#include "http/jwt.h"

struct jwt_parts;
int jwt_parts_compile(struct engine *engine, struct component component, struct jwt_parts **ret_parts,
                      struct error *err);
/* Signed anew, behind its header_prefix: the CDK has that in an assertion, too. */
int jwt_parts_token(const struct jwt_parts *parts, struct arena *arena, struct slice *ret_token,
                    struct error *err);

#endif
