/* Requests that are as plain as can be: a POST or PUT that is there as a whole, of a path and headers that
 * can be understood in one way alone. What is not, or not wholly, is left for libmicrohttpd to say: nothing
 * is refused here. A pure parser; lane.h is where it is used. */
#ifndef FIRTH_WEB_PLAIN_H
#define FIRTH_WEB_PLAIN_H

#include "base/text.h"

enum {
    PLAIN_MAX = 32 << 10, /* bytes of a request, its body among them */
    PLAIN_FIELDS_MAX = 48,
};

enum plain_found {
    PLAIN_WHOLE,
    PLAIN_MORE,  /* so far it may become one */
    PLAIN_OTHER, /* it is none */
};

/* Places in the request's bytes. */
struct plain_text {
    uint16_t at, size;
};

struct plain_head {
    bool put; /* else POST */
    struct plain_text path;
    struct plain_field {
        struct plain_text name, value; /* the value without blanks around it */
    } fields[PLAIN_FIELDS_MAX];
    unsigned count;
    uint32_t head, body; /* bytes */
};

/* `head_max`, `body_max`: what is more of either is PLAIN_OTHER. */
enum plain_found plain_read(const char *bytes, size_t size, size_t head_max, size_t body_max,
                            struct plain_head *ret_head);

#endif
