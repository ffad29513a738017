/* The client: connections, and which transfers run on them. */
#include "connectors/http/internal.h"

#include <stdlib.h>

enum { LOOK_MS = 1000 }; /* so often is_stopping is asked */

struct http_client *http_client_new(const struct http_settings *settings, struct error *err)
{
    static const struct http_settings none;
    struct http_client *client = mem_zalloc(sizeof *client);
    client->settings = settings ? *settings : none;
    client->ended_tail = &client->ended;
    if (curl_api_load(&client->curl, err) < 0) {
        free(client);
        return NULL;
    }
    const struct curl_api *curl = &client->curl;
    client->multi = curl->multi_init();
    client->cookies = client->settings.keep_cookies ? curl->share_init() : NULL;
    if (!client->multi || (client->settings.keep_cookies && !client->cookies)) {
        http_client_free(client);
        error_set(err, ERROR_IO, "the HTTP client could not be had");
        return NULL;
    }
    curl->multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)client->settings.connections_max);
    if (client->cookies)
        curl->share_setopt(client->cookies, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    for (struct http_transfer *transfer = client->first, *next; transfer; transfer = next) {
        next = transfer->next;
        http_transfer_free(transfer);
    }
    if (client->multi)
        client->curl.multi_cleanup(client->multi);
    if (client->cookies)
        client->curl.share_cleanup(client->cookies);
    free(client);
}

size_t http_running(const struct http_client *client)
{
    return client->running;
}

/* --- beginning and end ------------------------------------------------------------------------------- */

static void enter(struct http_transfer *transfer)
{
    struct http_client *client = transfer->client;
    CURLMcode code = client->curl.multi_add_handle(client->multi, transfer->easy);
    if (code != CURLM_OK)
        http_transfer_fail(transfer, HTTP_NO_CONNECTION, client->curl.multi_strerror(code));
}

static void end(struct http_transfer *transfer)
{
    struct http_client *client = transfer->client;
    transfer->ended = true;
    transfer->next_ended = NULL;
    *client->ended_tail = transfer;
    client->ended_tail = &transfer->next_ended;
}

struct http_transfer *http_start(struct http_client *client, const struct http_request *request, void *tag)
{
    struct http_transfer *transfer = http_transfer_new(client, request, tag);
    transfer->next = client->first;
    transfer->before = &client->first;
    if (client->first)
        client->first->before = &transfer->next;
    client->first = transfer;
    client->running++;
    if (transfer->failure == HTTP_OK)
        http_transfer_prepare(transfer);
    if (transfer->failure == HTTP_OK)
        enter(transfer);
    if (transfer->failure != HTTP_OK)
        end(transfer);
    return transfer;
}

void http_cancel(struct http_transfer *transfer)
{
    if (transfer->ended)
        return;
    transfer->client->curl.multi_remove_handle(transfer->client->multi, transfer->easy);
    http_transfer_fail(transfer, HTTP_CANCELLED, "cancelled");
    end(transfer);
}

void http_resume(struct http_transfer *transfer)
{
    if (!transfer->ended)
        transfer->client->curl.easy_pause(transfer->easy, CURLPAUSE_CONT);
}

static void unlist_ended(struct http_client *client, struct http_transfer *transfer)
{
    for (struct http_transfer **at = &client->ended; *at; at = &(*at)->next_ended) {
        if (*at != transfer)
            continue;
        *at = transfer->next_ended;
        if (!*at)
            client->ended_tail = at;
        client->running--;
        return;
    }
}

void http_transfer_free(struct http_transfer *transfer)
{
    if (!transfer)
        return;
    struct http_client *client = transfer->client;
    if (!transfer->ended) {
        client->curl.multi_remove_handle(client->multi, transfer->easy);
        client->running--;
    }
    unlist_ended(client, transfer);
    *transfer->before = transfer->next;
    if (transfer->next)
        transfer->next->before = transfer->before;
    if (transfer->easy)
        client->curl.easy_cleanup(transfer->easy);
    client->curl.slist_free_all(transfer->headers);
    buffer_done(&transfer->body);
    http_decoder_free(transfer->decoder);
    free(transfer->items);
    arena_done(&transfer->answer);
    arena_done(&transfer->arena);
    free(transfer);
}

/* --- driving ----------------------------------------------------------------------------------------- */

static void collect(struct http_client *client)
{
    const struct curl_api *curl = &client->curl;
    int left = 0;
    for (CURLMsg *message; (message = curl->multi_info_read(client->multi, &left));) {
        struct http_transfer *transfer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result; /* the message goes with the handle's leaving */
        CURL *easy = message->easy_handle;
        curl->easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
        curl->multi_remove_handle(client->multi, easy);
        if (http_transfer_settle(transfer, code)) {
            http_transfer_prepare(transfer);
            if (transfer->failure == HTTP_OK)
                enter(transfer);
            if (transfer->failure == HTTP_OK)
                continue;
        }
        end(transfer);
    }
}

static bool is_stopping(struct http_client *client)
{
    return client->settings.is_stopping && client->settings.is_stopping(client->settings.context);
}

static void cancel_all(struct http_client *client)
{
    for (struct http_transfer *transfer = client->first; transfer; transfer = transfer->next)
        http_cancel(transfer);
}

/* Once: what can be done now, then a wait of up to `ms`. */
static void step(struct http_client *client, int ms)
{
    const struct curl_api *curl = &client->curl;
    int running = 0;
    curl->multi_perform(client->multi, &running);
    collect(client);
    if (client->ended || ms == 0)
        return;
    curl->multi_poll(client->multi, NULL, 0, ms, NULL);
}

static struct http_transfer *take_ended(struct http_client *client)
{
    struct http_transfer *transfer = client->ended;
    client->ended = transfer->next_ended;
    if (!client->ended)
        client->ended_tail = &client->ended;
    client->running--;
    return transfer;
}

/* How long until `deadline_ns` (0: for ever), but no longer than to the next look at is_stopping. */
static int slice_ms(uint64_t deadline_ns)
{
    uint64_t now = clock_monotonic_ns(&clock_system);
    if (!deadline_ns)
        return LOOK_MS;
    if (now >= deadline_ns)
        return 0;
    uint64_t ms = (deadline_ns - now + 999999) / 1000000;
    return ms < LOOK_MS ? (int)ms : LOOK_MS;
}

struct http_transfer *http_poll(struct http_client *client, int timeout_ms)
{
    uint64_t deadline =
        timeout_ms < 0 ? 0 : clock_monotonic_ns(&clock_system) + (uint64_t)timeout_ms * 1000000;
    for (;;) {
        if (is_stopping(client))
            cancel_all(client);
        if (client->ended)
            return take_ended(client);
        if (client->running == 0)
            return NULL;
        int ms = slice_ms(deadline);
        step(client, ms);
        if (ms == 0)
            return client->ended ? take_ended(client) : NULL;
    }
}

bool http_sleep(struct http_client *client, uint64_t ms)
{
    uint64_t deadline = clock_monotonic_ns(&clock_system) + ms * 1000000;
    const struct curl_api *curl = &client->curl;
    int running = 0;
    for (int slice; (slice = slice_ms(deadline)) > 0;) {
        if (is_stopping(client))
            return false;
        curl->multi_perform(client->multi, &running);
        collect(client);
        curl->multi_poll(client->multi, NULL, 0, slice, NULL);
    }
    return !is_stopping(client);
}

/* The transfer itself is waited for; what else has ended meanwhile stays for http_poll. */
static void wait_for(struct http_client *client, struct http_transfer *transfer)
{
    const struct curl_api *curl = &client->curl;
    int running = 0;
    for (;;) {
        if (is_stopping(client))
            http_cancel(transfer);
        if (transfer->ended)
            break;
        curl->multi_perform(client->multi, &running);
        collect(client);
        if (!transfer->ended)
            curl->multi_poll(client->multi, NULL, 0, LOOK_MS, NULL);
    }
    unlist_ended(client, transfer);
}

struct http_transfer *http_run(struct http_client *client, const struct http_request *request)
{
    struct http_transfer *transfer = http_start(client, request, NULL);
    wait_for(client, transfer);
    return transfer;
}

int http_do(struct http_client *client, const struct http_request *request,
            struct http_transfer **ret_transfer, struct error *err)
{
    struct http_transfer *transfer = http_run(client, request);
    if (http_transfer_error(transfer, err) < 0) {
        http_transfer_free(transfer);
        return -1;
    }
    *ret_transfer = transfer;
    return 0;
}
