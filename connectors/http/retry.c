/* Trying again: when, and how long to wait. */
#include "base/calendar.h"
#include "connectors/http/internal.h"

#include <stdio.h>

bool http_status_may_pass(int status)
{
    if (status >= 500)
        return status != 501 && status != 505;
    return status == 408 || status == 425 || status == 429;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" in milliseconds since 1970; -1: no such date. */
static int64_t parse_date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    unsigned day, year, hour, minute, second;
    char month[4], zone[4];
    int end = 0;
    if (sscanf(text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u %3[A-Z]%n", &day, month, &year, &hour,
               &minute, &second, zone, &end) != 7 ||
        text[end] || strcmp(zone, "GMT") != 0 || strlen(month) != 3)
        return -1;
    const char *found = strstr(months, month);
    if (!found || (found - months) % 3 || year < 1970 || hour > 23 || minute > 59 || second > 60)
        return -1;
    unsigned number = (unsigned)(found - months) / 3 + 1;
    if (day < 1 || day > calendar_month_length(year, number))
        return -1;
    return ((calendar_days(year, number, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000;
}

/* "120", and "1.5" as some say it: rounded up. */
static int64_t parse_seconds(const char *text)
{
    size_t whole = strspn(text, "0123456789"), size = strlen(text);
    bool has_fraction = text[whole] == '.' && whole + 1 + strspn(text + whole + 1, "0123456789") == size;
    if (whole == 0 || (whole != size && !has_fraction))
        return -1;
    int64_t seconds = 0;
    for (size_t i = 0; i < whole && seconds < INT32_MAX; i++)
        seconds = seconds * 10 + (text[i] - '0');
    return (seconds + has_fraction) * 1000;
}

int64_t http_retry_after(const struct http_response *response, const struct clock *clock)
{
    const char *value = http_response_header(response, "Retry-After");
    int64_t seconds = value ? parse_seconds(value) : -1;
    int64_t date = value && seconds < 0 ? parse_date(value) : -1;
    if (date < 0)
        return seconds;
    int64_t left = date - clock_wall_ms(clock);
    return left > 0 ? left : 0;
}

static const struct clock *clock_of(const struct http_backoff *backoff)
{
    return backoff->clock ? backoff->clock : &clock_system;
}

int64_t http_backoff_next(const struct http_backoff *backoff, unsigned attempt,
                          const struct http_response *response)
{
    unsigned max = backoff->attempts_max ? backoff->attempts_max : HTTP_ATTEMPTS_MAX;
    uint64_t wait = backoff->first_ms ? backoff->first_ms : HTTP_BACKOFF_MS;
    uint64_t longest = backoff->longest_ms ? backoff->longest_ms : HTTP_BACKOFF_LONGEST_MS;
    if (attempt >= max)
        return -1;
    for (unsigned i = 1; i < attempt && wait < longest; i++)
        wait *= 2;
    wait = wait < longest ? wait : longest;
    struct random_state random;
    uint64_t seed;
    random_bytes(&seed, sizeof seed);
    random_seed(&random, seed);
    wait += random_below(&random, wait / 4 + 1);
    int64_t asked = response ? http_retry_after(response, clock_of(backoff)) : -1;
    if (asked > HTTP_RETRY_AFTER_MAX_MS)
        return -1;
    return asked > (int64_t)wait ? asked : (int64_t)wait;
}

static bool wait_before(struct http_client *client, const struct http_backoff *backoff, uint64_t ms)
{
    return backoff->wait ? backoff->wait(backoff->context, ms) : http_sleep(client, ms);
}

/* For somebody who waits: is this enough? */
static bool is_enough(const struct http_client *client, unsigned attempt,
                      const struct http_response *response, enum http_failure failure, int64_t wait)
{
    if (!client->settings.hurried)
        return false;
    return failure == HTTP_TIMEOUT || wait > HTTP_HURRIED_WAIT_MS ||
           attempt >= (response ? HTTP_HURRIED_ATTEMPTS : HTTP_HURRIED_UNANSWERED);
}

int http_do_patiently(struct http_client *client, const struct http_request *request,
                      const struct http_backoff *backoff, struct http_transfer **ret_transfer,
                      struct error *err)
{
    for (unsigned attempt = 1;; attempt++) {
        struct http_transfer *transfer = http_run(client, request);
        enum http_failure failure = http_transfer_failure(transfer);
        char status[32] = "";
        const struct http_response *response = NULL;
        if (failure == HTTP_OK) {
            response = http_transfer_response(transfer);
            if (!http_status_may_pass(response->status)) {
                *ret_transfer = transfer;
                return 0;
            }
            snprintf(status, sizeof status, "status %d", response->status);
        } else {
            http_transfer_error(transfer, err);
            http_transfer_free(transfer);
            transfer = NULL;
            if (!err->retriable)
                return -1;
        }
        int64_t wait = http_backoff_next(backoff, attempt, response);
        if (wait < 0 || is_enough(client, attempt, response, failure, wait)) {
            *ret_transfer = transfer;
            return transfer ? 0 : -1;
        }
        if (backoff->told)
            backoff->told(backoff->context, attempt, (uint64_t)wait, transfer ? status : err->message);
        http_transfer_free(transfer);
        if (!wait_before(client, backoff, (uint64_t)wait))
            return error_set(err, ERROR_CANCELLED, "asked to stop, while waiting to try again");
    }
}
