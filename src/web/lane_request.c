#include "web/lane.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

enum { KEPT_MAX = 64 << 10 /* bytes of a request's memory that are kept for the next */ };

static char *end_text(const struct lane_request *own, struct plain_text text)
{
    own->text[text.at + text.size] = 0;
    return own->text + text.at;
}

void lane_request_begin(struct lane_request *own, struct http_server *server)
{
    const struct plain_head *head = &own->head;
    struct http_exchange *exchange = &own->exchange;
    struct http_request *request = &exchange->request;
    exchange->server = server;
    exchange->lane = own;
    exchange->stage = STAGE_READING;
    exchange->known = true;
    exchange->counted = head->body;
    request->exchange = exchange;
    request->method = head->put ? HTTP_PUT : HTTP_POST;
    request->path = end_text(own, head->path);
    for (unsigned i = 0; i < head->count; i++) {
        end_text(own, head->fields[i].name);
        end_text(own, head->fields[i].value);
    }
}

const char *lane_request_header(const struct lane_request *own, const char *name)
{
    size_t size = strlen(name);
    for (unsigned i = 0; i < own->head.count; i++) {
        const struct plain_field *field = &own->head.fields[i];
        if (field->name.size == size && strncasecmp(own->text + field->name.at, name, size) == 0)
            return own->text + field->value.at;
    }
    return NULL;
}

void lane_request_headers(const struct lane_request *own, http_header_take *take, void *context)
{
    for (unsigned i = 0; i < own->head.count; i++) {
        const struct plain_field *field = &own->head.fields[i];
        take(context, own->text + field->name.at, own->text + field->value.at);
    }
}

/* --- the answer ----------------------------------------------------------------------------------------- */

static void put_header(struct buffer *out, const char *name, const char *value)
{
    buffer_str(out, name);
    buffer_append(out, ": ", 2);
    buffer_str(out, value);
    buffer_append(out, "\r\n", 2);
}

static void put_number(struct buffer *out, size_t number)
{
    char digits[24], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    buffer_append(out, at, (size_t)(digits + sizeof digits - at));
}

void lane_request_date(int64_t seconds, char *text, size_t size)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t time = (time_t)seconds;
    struct tm tm = {0};
    gmtime_r(&time, &tm);
    snprintf(text, size, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * tm.tm_wday,
             (unsigned)tm.tm_mday % 100, months + 3 * tm.tm_mon, (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

void lane_request_write(struct lane_request *own, const char *date, bool last)
{
    struct http_request *request = &own->exchange.request;
    struct buffer *out = &own->out;
    if (request->answer.overflowed) {
        buffer_clear(&request->answer);
        request->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    buffer_clear(out);
    buffer_str(out, "HTTP/1.1 ");
    put_number(out, request->status);
    buffer_byte(out, ' ');
    buffer_str(out, own->exchange.server->api.get_reason_phrase_for(request->status));
    buffer_str(out, "\r\n");
    put_header(out, "Date", date);
    if (request->answer.size)
        put_header(out, MHD_HTTP_HEADER_CONTENT_TYPE,
                   request->content_type ? request->content_type : "application/json");
    put_header(out, "X-Content-Type-Options", "nosniff");
    put_header(out, MHD_HTTP_HEADER_CACHE_CONTROL,
               request->cache_control ? request->cache_control : "no-store");
    for (size_t i = 0; i < request->header_count; i++)
        put_header(out, request->headers[i].name, request->headers[i].value);
    if (last)
        put_header(out, MHD_HTTP_HEADER_CONNECTION, "close");
    buffer_str(out, "Content-Length: ");
    put_number(out, request->answer.size);
    buffer_str(out, "\r\n\r\n");
    buffer_append(out, request->answer.data, request->answer.size);
}

/* --- its end -------------------------------------------------------------------------------------------- */

void lane_request_end(struct lane_request *own)
{
    struct http_request *request = &own->exchange.request;
    explicit_bzero(own->text, own->head.head + own->head.body); /* tokens, and whatever is secret of a body */
    struct arena arena = request->arena;
    struct buffer answer = request->answer, out = own->out;
    if (arena_used(&arena) > KEPT_MAX)
        arena_done(&arena);
    arena_clear(&arena);
    if (answer.capacity > KEPT_MAX)
        buffer_done(&answer);
    if (out.capacity > KEPT_MAX)
        buffer_done(&out);
    buffer_clear(&answer);
    buffer_clear(&out);
    explicit_bzero(&own->exchange, sizeof own->exchange);
    request->arena = arena;
    request->answer = answer;
    own->out = out;
    own->text = NULL;
}

void lane_request_free(struct lane_request *own)
{
    if (!own)
        return;
    arena_done(&own->exchange.request.arena);
    buffer_done(&own->exchange.request.answer);
    buffer_done(&own->out);
    free(own);
}
