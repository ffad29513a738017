/* The server's own address as its clients write it, for URLs in answers. Private. */
#ifndef FIRTH_SERVER_PUBLIC_URL_H
#define FIRTH_SERVER_PUBLIC_URL_H

#include "server/call.h"

/* "https://firth.example.com", without a '/' at its end, in the call's arena: what the options say, else the
 * scheme that is listened for and the request's Host, else (it has none, or one that is none) the address
 * that is listened on. X-Forwarded-* are not looked at: any client may send them. */
const char *public_url(struct call *call);

#endif
