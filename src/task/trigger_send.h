/* Private to trigger*.c: requests on their way, in a thread of their own. */
#ifndef FIRTH_TASK_TRIGGER_SEND_H
#define FIRTH_TASK_TRIGGER_SEND_H

#include "base/curl.h"
#include "base/text.h"

#include <stdbool.h>

struct trigger_request {
    const char *url, *method;
    struct curl_slist *headers;
    char *body;
    uint64_t timeout_ms;
    unsigned attempts;
    /* What came of it. */
    unsigned tries;
    bool delivered;
    char why[256];
};

struct trigger_delivery;

/* Begin. The requests stay the caller's, and are not to be touched until it has ended; `fd` is an eventfd
 * that is told of that. NULL: there can be no thread. */
struct trigger_delivery *trigger_delivery_new(const struct curl_api *curl, struct trigger_request *requests,
                                              size_t count, int fd);
bool trigger_delivery_ended(const struct trigger_delivery *delivery);
/* Gives up what has not ended, and waits for the thread. */
void trigger_delivery_free(struct trigger_delivery *delivery);

#endif
