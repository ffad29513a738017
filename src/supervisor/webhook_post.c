/* One POST to a webhook. */
#include "supervisor/webhook.h"

#include <stdio.h>

static size_t ignore(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes, (void)context;
    return size * count;
}

static int go_on(void *context, curl_off_t down, curl_off_t down_now, curl_off_t up, curl_off_t up_now)
{
    const atomic_bool *closing = context;
    (void)down, (void)down_now, (void)up, (void)up_now;
    return closing && atomic_load(closing);
}

static bool post(const struct curl_api *curl, CURL *handle, const struct curl_slist *headers, const char *url,
                 const char *body, const atomic_bool *closing, char *why, size_t size)
{
    long status = 0;
    curl->easy_setopt(handle, CURLOPT_URL, url);
    curl->easy_setopt(handle, CURLOPT_POSTFIELDS, body);
    curl->easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)WEBHOOK_TIMEOUT_MS);
    curl->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore);
    curl->easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, go_on);
    curl->easy_setopt(handle, CURLOPT_XFERINFODATA, closing);
    CURLcode code = curl->easy_perform(handle);
    curl->easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        snprintf(why, size, "%s", curl->easy_strerror(code));
    else
        snprintf(why, size, "it answered with status %ld", status);
    return code == CURLE_OK && status >= 200 && status < 300;
}

bool webhook_post(const struct curl_api *curl, const char *url, const char *body, const atomic_bool *closing,
                  char *why, size_t size)
{
    struct curl_slist *headers = curl->slist_append(NULL, "Content-Type: application/json");
    CURL *handle = curl->easy_init();
    snprintf(why, size, "the HTTP client could not be had");
    bool delivered = handle && headers && post(curl, handle, headers, url, body, closing, why, size);
    curl->easy_cleanup(handle);
    curl->slist_free_all(headers);
    return delivered;
}
