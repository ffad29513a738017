/* What comes: headers, and the body, each within its limit. */
#include "connectors/http/internal.h"

#include <ctype.h>
#include <strings.h>

void http_receive_clear(struct http_transfer *transfer)
{
    arena_clear(&transfer->answer);
    buffer_clear(&transfer->body);
    http_decoder_free(transfer->decoder);
    transfer->decoder = NULL;
    transfer->header_bytes = 0;
    transfer->response = (struct http_response){.url = transfer->url, .headers = transfer->items};
}

static size_t refuse(struct http_transfer *transfer, enum http_failure cause)
{
    transfer->stopped = true;
    transfer->cause = cause;
    return 0; /* fewer than came */
}

/* "HTTP/1.1 200 OK": an answer begins, and what came of an earlier one (100, a proxy's) goes. */
static bool begin_answer(struct http_transfer *transfer, struct slice line)
{
    if (!slice_starts_with(line, "HTTP/"))
        return false;
    size_t bytes = transfer->header_bytes; /* endless earlier ones count as well */
    http_receive_clear(transfer);
    transfer->header_bytes = bytes;
    const char *blank = memchr(line.data, ' ', line.size);
    for (const char *at = blank ? blank + 1 : line.data + line.size;
         at < line.data + line.size && isdigit((unsigned char)*at) && transfer->response.status < 1000; at++)
        transfer->response.status = transfer->response.status * 10 + (*at - '0');
    return true;
}

static struct slice trim(struct slice text)
{
    while (text.size && isspace((unsigned char)text.data[0]))
        text.data++, text.size--;
    while (text.size && isspace((unsigned char)text.data[text.size - 1]))
        text.size--;
    return text;
}

size_t http_receive_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    struct slice line = {bytes, size * count};
    size_t all = line.size;
    transfer->header_bytes += all;
    if (transfer->header_bytes > HTTP_HEADERS_MAX)
        return refuse(transfer, HTTP_TOO_LARGE);
    if (begin_answer(transfer, line))
        return all;
    line = trim(line);
    const char *colon = line.size ? memchr(line.data, ':', line.size) : NULL;
    if (!colon)
        return all;
    struct slice name = trim((struct slice){line.data, (size_t)(colon - line.data)});
    struct slice value = trim((struct slice){colon + 1, line.size - (size_t)(colon + 1 - line.data)});
    struct http_response *response = &transfer->response;
    transfer->items =
        mem_grow(transfer->items, &transfer->capacity, response->header_count + 1, sizeof *transfer->items);
    transfer->items[response->header_count++] =
        (struct http_header){.name = arena_strndup(&transfer->answer, name.data, name.size),
                             .value = arena_strndup(&transfer->answer, value.data, value.size)};
    response->headers = transfer->items;
    return all;
}

const char *http_response_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return NULL;
}

bool http_is_redirect(const struct http_transfer *transfer)
{
    int status = transfer->response.status;
    bool sends_on = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return sends_on && transfer->request.redirects_max >= 0 &&
           http_response_header(&transfer->response, "Location");
}

static size_t to_sink(struct http_transfer *transfer, struct slice bytes)
{
    switch (transfer->request.sink(transfer->request.context, &transfer->response, bytes)) {
    case HTTP_GO_ON:
        return bytes.size;
    case HTTP_PAUSE:
        return CURL_WRITEFUNC_PAUSE;
    case HTTP_ENOUGH:
        return refuse(transfer, HTTP_OK); /* no failure: http_transfer_settle */
    case HTTP_FAIL:
        break;
    }
    return refuse(transfer, HTTP_REFUSED_BY_SINK);
}

static size_t to_body(struct http_transfer *transfer, struct slice bytes)
{
    bool is_sunk = transfer->request.sink != NULL, is_good = transfer->response.status / 100 == 2;
    if (is_sunk && is_good)
        return to_sink(transfer, bytes);
    size_t max = is_sunk ? HTTP_REFUSAL_MAX : transfer->request.response_max;
    size_t room = max - transfer->body.size;
    if (bytes.size > room && !is_sunk)
        return refuse(transfer, HTTP_TOO_LARGE);
    buffer_append(&transfer->body, bytes.data, bytes.size < room ? bytes.size : room);
    if (bytes.size > room) {
        transfer->response.body_cut = true;
        return refuse(transfer, HTTP_OK);
    }
    return bytes.size;
}

size_t http_receive_body(char *data, size_t size, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    struct slice bytes = {data, size * count};
    if (bytes.size == 0)
        return 0;
    if (http_is_redirect(
            transfer)) { /* nobody reads it, but it has to end: the library tells the target then */
        transfer->dropped += bytes.size;
        return transfer->dropped > HTTP_REFUSAL_MAX ? refuse(transfer, HTTP_TOO_LARGE) : bytes.size;
    }
    if (http_decode_begin(transfer) < 0)
        return 0; /* fewer than came */
    return http_decode(transfer, bytes, to_body);
}
