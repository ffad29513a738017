/* The socket's address. A path of a unix socket has 107 bytes at most, which a data directory's may pass: it
 * is named by a descriptor of the folder. */
#ifndef FIRTH_SUPERVISOR_TALK_ADDRESS_H
#define FIRTH_SUPERVISOR_TALK_ADDRESS_H

#include "base/error.h"

#include <sys/un.h>

#define TALK_SOCKET "firth.sock"

struct talk_address {
    int folder; /* as long as `name` is used */
    struct sockaddr_un name;
};

/* ERROR_NOT_FOUND if there is no such folder. */
int talk_address_open(struct talk_address *address, const char *data_dir, struct error *err);
void talk_address_close(struct talk_address *address);

#endif
