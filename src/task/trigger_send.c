#include "task/trigger_send.h"

#include "base/memory.h"
#include "task/trigger.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct trigger_delivery {
    const struct curl_api *curl;
    struct trigger_request *requests;
    size_t count;
    pthread_t thread;
    int fd, stop_fd;
    atomic_bool stop, ended;
};

static void tell(int fd)
{
    uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* --- one request ----------------------------------------------------------------------------------- */

static size_t ignore(char *bytes, size_t size, size_t count, void *context)
{
    return size * count;
}

static int go_on(void *context, curl_off_t down, curl_off_t down_now, curl_off_t up, curl_off_t up_now)
{
    const struct trigger_delivery *delivery = context;
    return atomic_load(&delivery->stop);
}

/* What the client is told is wrong with the request will be wrong again. */
static bool may_help(long status)
{
    return status < 400 || status >= 500 || status == 408 || status == 429;
}

/* Is it to be tried again? */
static bool try_once(struct trigger_delivery *delivery, struct trigger_request *request)
{
    const struct curl_api *api = delivery->curl;
    CURL *curl = api->easy_init();
    long status = 0;
    if (!curl) {
        snprintf(request->why, sizeof request->why, "the HTTP client could not be had");
        return true;
    }
    api->easy_setopt(curl, CURLOPT_URL, request->url);
    api->easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    api->easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
    api->easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    api->easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
    api->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    api->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    api->easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    api->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    api->easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    api->easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    api->easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, go_on);
    api->easy_setopt(curl, CURLOPT_XFERINFODATA, delivery);
    CURLcode code = api->easy_perform(curl);
    api->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    request->delivered = code == CURLE_OK && status >= 200 && status < 300;
    if (code != CURLE_OK)
        snprintf(request->why, sizeof request->why, "%s", api->easy_strerror(code));
    else
        snprintf(request->why, sizeof request->why, "it answered with status %ld", status);
    api->easy_cleanup(curl);
    return !request->delivered && (code != CURLE_OK || may_help(status));
}

static void wait_before(struct trigger_delivery *delivery, unsigned tries)
{
    struct pollfd fd = {.fd = delivery->stop_fd, .events = POLLIN};
    unsigned ms = tries > 5 ? TRIGGER_BACKOFF_MAX_MS : TRIGGER_BACKOFF_MS << (tries - 1);
    poll(&fd, 1, (int)(ms < TRIGGER_BACKOFF_MAX_MS ? ms : TRIGGER_BACKOFF_MAX_MS));
}

static void *deliver(void *context)
{
    struct trigger_delivery *delivery = context;
    for (size_t i = 0; i < delivery->count; i++) {
        struct trigger_request *request = &delivery->requests[i];
        bool again = true;
        while (again && request->tries < request->attempts && !atomic_load(&delivery->stop)) {
            if (request->tries)
                wait_before(delivery, request->tries);
            if (atomic_load(&delivery->stop))
                break;
            again = try_once(delivery, request);
            request->tries++;
        }
    }
    atomic_store(&delivery->ended, true);
    tell(delivery->fd);
    return NULL;
}

/* --- all of them ----------------------------------------------------------------------------------- */

struct trigger_delivery *trigger_delivery_new(const struct curl_api *curl, struct trigger_request *requests,
                                              size_t count, int fd)
{
    struct trigger_delivery *delivery = mem_zalloc(sizeof *delivery);
    *delivery = (struct trigger_delivery){.curl = curl, .requests = requests, .count = count, .fd = fd};
    delivery->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (delivery->stop_fd >= 0 && pthread_create(&delivery->thread, NULL, deliver, delivery) == 0)
        return delivery;
    if (delivery->stop_fd >= 0)
        close(delivery->stop_fd);
    free(delivery);
    return NULL;
}

bool trigger_delivery_ended(const struct trigger_delivery *delivery)
{
    return atomic_load(&delivery->ended);
}

void trigger_delivery_free(struct trigger_delivery *delivery)
{
    if (!delivery)
        return;
    atomic_store(&delivery->stop, true);
    tell(delivery->stop_fd);
    pthread_join(delivery->thread, NULL);
    close(delivery->stop_fd);
    free(delivery);
}
