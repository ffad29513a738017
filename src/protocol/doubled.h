/* Members that a message names twice. The parser keeps the last of them alone, which is right within a
 * document and loses one where it happens to the message around it. Private to this room. */
#ifndef FIRTH_PROTOCOL_DOUBLED_H
#define FIRTH_PROTOCOL_DOUBLED_H

#include "json/json.h"

enum { DOUBLED_MEMBERS_MAX = 64 }; /* a set of them is 64 bits */

/* The number of a member of an object of this type, less than DOUBLED_MEMBERS_MAX; -1: it means nothing to
 * the protocol, once or twice. *ret_inner: the type of the objects in its value, itself one or an array of
 * such; left NULL: what is in it is not the protocol's own and not looked into. */
typedef int doubled_member(const void *type, struct slice name, const void **ret_inner);

/* Of a line that was parsed and has duplicates (json.duplicates): -1 (ERROR_PROTOCOL) if one is a member that
 * counts. `type`: of the line's own object. */
int doubled_refuse(struct slice line, doubled_member *member, const void *type, struct error *err);

#endif
