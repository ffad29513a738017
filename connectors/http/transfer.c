/* One transfer: what is asked, where it is sent on, how it ended. */
#include "connectors/http/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- what was asked ------------------------------------------------------------------------------------ */

static bool has_body(const struct http_request *request)
{
    return request->body.data || request->read;
}

static void copy_request(struct http_transfer *transfer, const struct http_request *request)
{
    struct arena *arena = &transfer->arena;
    transfer->request = *request;
    struct http_request *copy = &transfer->request;
    transfer->url = arena_strdup(arena, request->url ? request->url : "");
    copy->url = transfer->url;
    const char *method = has_body(request) ? "POST" : "GET";
    transfer->method = arena_strdup(arena, request->method ? request->method : method);
    /* As servers expect it, only those two have no body; others have one of no bytes. */
    transfer->has_body =
        has_body(request) || (strcmp(transfer->method, "GET") != 0 && strcmp(transfer->method, "HEAD") != 0);
    struct http_header *headers = arena_alloc(arena, (request->header_count + 1) * sizeof *headers);
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = (struct http_header){.name = arena_strdup(arena, request->headers[i].name),
                                          .value = arena_strdup(arena, request->headers[i].value),
                                          .secret = request->headers[i].secret};
    copy->headers = headers;
    if (!copy->response_max)
        copy->response_max = HTTP_RESPONSE_MAX;
    if (!copy->redirects_max || copy->redirects_max > HTTP_REDIRECTS_MAX)
        copy->redirects_max = HTTP_REDIRECTS_MAX;
}

struct http_transfer *http_transfer_new(struct http_client *client, const struct http_request *request,
                                        void *tag)
{
    struct http_transfer *transfer = mem_zalloc(sizeof *transfer);
    transfer->client = client;
    transfer->tag = tag;
    arena_init(&transfer->arena);
    arena_init(&transfer->answer);
    copy_request(transfer, request);
    buffer_init(&transfer->body, transfer->request.response_max > HTTP_REFUSAL_MAX
                                     ? transfer->request.response_max
                                     : HTTP_REFUSAL_MAX);
    if (request->total_ms)
        transfer->deadline_ns = clock_monotonic_ns(&clock_system) + (uint64_t)request->total_ms * 1000000;
    http_receive_clear(transfer);
    transfer->easy = client->curl.easy_init();
    if (!transfer->easy)
        http_transfer_fail(transfer, HTTP_NO_CONNECTION, "the HTTP client could not be had");
    else if (strlen(transfer->url) > HTTP_URL_MAX)
        http_transfer_fail(transfer, HTTP_BAD_URL, "the URL is too long");
    else if (!http_url_is_ours(transfer->url))
        http_transfer_fail(transfer, HTTP_BAD_URL, "the URL begins neither with http:// nor with https://");
    return transfer;
}

void *http_transfer_tag(const struct http_transfer *transfer)
{
    return transfer->tag;
}

enum http_failure http_transfer_failure(const struct http_transfer *transfer)
{
    return transfer->failure;
}

const struct http_response *http_transfer_response(const struct http_transfer *transfer)
{
    return &transfer->response;
}

int http_transfer_error(const struct http_transfer *transfer, struct error *err)
{
    if (transfer->failure == HTTP_OK)
        return 0;
    *err = transfer->error;
    return -1;
}

/* --- the handle ---------------------------------------------------------------------------------------- */

static size_t read_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    const struct http_request *request = &transfer->request;
    size_t room = size * count;
    if (request->read) {
        int64_t got = request->read(request->context, bytes, room);
        if (got >= 0 && (size_t)got <= room)
            return (size_t)got;
        transfer->cause = HTTP_READER_FAILED;
        return CURL_READFUNC_ABORT;
    }
    size_t left = request->body.size - transfer->sent;
    size_t take = left < room ? left : room;
    if (take)
        memcpy(bytes, request->body.data + transfer->sent, take);
    transfer->sent += take;
    return take;
}

/* To the beginning, which is the only place that is ever gone back to. */
static int seek_body(void *context, curl_off_t offset, int origin)
{
    struct http_transfer *transfer = context;
    const struct http_request *request = &transfer->request;
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    transfer->sent = 0;
    if (!request->read)
        return CURL_SEEKFUNC_OK;
    return request->rewind && request->rewind(request->context) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static bool is_private(const struct http_header *header)
{
    return header->secret || strcasecmp(header->name, "Authorization") == 0 ||
           strcasecmp(header->name, "Cookie") == 0 || strcasecmp(header->name, "Proxy-Authorization") == 0;
}

static bool is_of_body(const struct http_header *header)
{
    return strncasecmp(header->name, "Content-", 8) == 0;
}

/* A line break in a header would begin another one, or another request. */
static bool is_header(const struct http_header *header)
{
    if (!*header->name || strpbrk(header->value, "\r\n"))
        return false;
    for (const unsigned char *at = (const unsigned char *)header->name; *at; at++)
        if (*at <= ' ' || *at >= 0x7f || *at == ':')
            return false;
    return true;
}

static bool is_method(const char *method)
{
    return *method && method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")] == 0;
}

static bool set_headers(struct http_transfer *transfer)
{
    const struct curl_api *curl = &transfer->client->curl;
    curl->slist_free_all(transfer->headers);
    transfer->headers = curl->slist_append(NULL, "Expect:"); /* no round trip before each body */
    for (size_t i = 0; i < transfer->request.header_count; i++) {
        const struct http_header *header = &transfer->request.headers[i];
        if (!is_header(header)) {
            http_transfer_fail(transfer, HTTP_BAD_URL, "a header holds a line break, or has no proper name");
            return false;
        }
        if ((transfer->foreign && is_private(header)) || (transfer->body_gone && is_of_body(header)))
            continue;
        /* curl's spelling of a header without a value */
        char *line =
            arena_printf(&transfer->arena, *header->value ? "%s: %s" : "%s;", header->name, header->value);
        transfer->headers = curl->slist_append(transfer->headers, line);
    }
    return true;
}

static void set_method(struct http_transfer *transfer)
{
    const struct curl_api *curl = &transfer->client->curl;
    CURL *easy = transfer->easy;
    if (strcmp(transfer->method, "HEAD") == 0 && !transfer->has_body) {
        curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (!transfer->has_body) {
        curl->easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    } else {
        const struct http_request *request = &transfer->request;
        curl_off_t size = request->read ? (curl_off_t)request->read_size : (curl_off_t)request->body.size;
        curl->easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl->easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, size);
        curl->easy_setopt(easy, CURLOPT_READFUNCTION, read_body);
        curl->easy_setopt(easy, CURLOPT_READDATA, transfer);
        curl->easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body);
        curl->easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    }
    curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
}

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The variable that names the file of those whom we trust; NULL: it is libcurl's own. */
static const char *authorities_variable(void)
{
    return from_environment("CURL_CA_BUNDLE")  ? "CURL_CA_BUNDLE"
           : from_environment("SSL_CERT_FILE") ? "SSL_CERT_FILE"
                                               : NULL;
}

static void set_authorities(const struct curl_api *curl, CURL *easy)
{
    const char *variable = authorities_variable();
    const char *folder = from_environment("SSL_CERT_DIR");
    if (variable)
        curl->easy_setopt(easy, CURLOPT_CAINFO, getenv(variable));
    if (folder)
        curl->easy_setopt(easy, CURLOPT_CAPATH, folder);
}

static void set_times(struct http_transfer *transfer)
{
    const struct curl_api *curl = &transfer->client->curl;
    const struct http_settings *settings = &transfer->client->settings;
    const struct http_request *request = &transfer->request;
    unsigned connect = request->connect_ms    ? request->connect_ms
                       : settings->connect_ms ? settings->connect_ms
                       : settings->hurried    ? HTTP_HURRIED_CONNECT_MS
                                              : HTTP_CONNECT_MS;
    unsigned stall = request->stall_ms    ? request->stall_ms
                     : settings->stall_ms ? settings->stall_ms
                     : settings->hurried  ? HTTP_HURRIED_STALL_MS
                                          : HTTP_STALL_MS;
    curl->easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    curl->easy_setopt(transfer->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl->easy_setopt(transfer->easy, CURLOPT_LOW_SPEED_TIME, (long)(stall + 999) / 1000);
    if (request->keepalive) {
        curl->easy_setopt(transfer->easy, CURLOPT_TCP_KEEPALIVE, 1L);
        curl->easy_setopt(transfer->easy, CURLOPT_TCP_KEEPIDLE, 60L);
        curl->easy_setopt(transfer->easy, CURLOPT_TCP_KEEPINTVL, 10L);
    }
    if (!transfer->deadline_ns)
        return;
    uint64_t now = clock_monotonic_ns(&clock_system);
    uint64_t left = now < transfer->deadline_ns ? (transfer->deadline_ns - now) / 1000000 : 0;
    curl->easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, (long)(left ? left : 1));
}

void http_transfer_prepare(struct http_transfer *transfer)
{
    struct http_client *client = transfer->client;
    const struct curl_api *curl = &client->curl;
    CURL *easy = transfer->easy;
    const char *agent = client->settings.user_agent;
    transfer->cause = HTTP_OK;
    transfer->why = NULL;
    transfer->stopped = false;
    transfer->dropped = 0;
    transfer->message[0] = 0;
    http_receive_clear(transfer);
    if (!is_method(transfer->method)) {
        http_transfer_fail(transfer, HTTP_BAD_URL, "the method is not one of HTTP's");
        return;
    }
    set_method(transfer);
    if (!set_headers(transfer))
        return;
    set_authorities(curl, easy);
    set_times(transfer);
    curl->easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, transfer->request.plain_path ? 1L : 0L);
    curl->easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* ours knows which headers are secrets */
    curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl->easy_setopt(easy, CURLOPT_USERAGENT, agent ? agent : "firth/" FIRTH_VERSION);
    curl->easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, transfer->request.as_sent ? NULL : "gzip, deflate");
    curl->easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L); /* decode.c */
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_receive_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_receive_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    if (client->cookies) {
        curl->easy_setopt(easy, CURLOPT_SHARE, client->cookies);
        curl->easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    }
}

/* --- the end ------------------------------------------------------------------------------------------- */

/* As browsers and requests do: 303 is a GET, and so is what follows a POST that 301 or 302 answers. */
static void drop_body(struct http_transfer *transfer)
{
    int status = transfer->response.status;
    bool is_post = strcmp(transfer->method, "POST") == 0, is_head = strcmp(transfer->method, "HEAD") == 0;
    if ((status == 303 && !is_head) || ((status == 301 || status == 302) && is_post)) {
        transfer->method = "GET";
        transfer->has_body = false;
        transfer->body_gone = true;
    }
}

/* True: on to the next place. */
static bool send_on(struct http_transfer *transfer)
{
    const struct curl_api *curl = &transfer->client->curl;
    char *to = NULL;
    curl->easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &to);
    if (++transfer->hops > (unsigned)transfer->request.redirects_max) {
        http_transfer_fail(transfer, HTTP_REDIRECTS, "it was sent on too often");
        return false;
    }
    if (!to || strlen(to) > HTTP_URL_MAX || !http_url_is_ours(to)) {
        http_transfer_fail(transfer, HTTP_REDIRECTS, "it was sent on to something that is no URL of HTTP");
        return false;
    }
    drop_body(transfer);
    if (transfer->has_body && seek_body(transfer, 0, SEEK_SET) != CURL_SEEKFUNC_OK) {
        http_transfer_fail(transfer, HTTP_REDIRECTS, "it was sent on, and its body cannot be sent twice");
        return false;
    }
    transfer->url = arena_strdup(&transfer->arena, to);
    transfer->foreign = transfer->foreign || !http_url_same_origin(transfer->request.url, to);
    return true;
}

/* What the library says of certificates tells more than the code, and no secret; of what an answer is made of
 * it says something else than it means. */
static const char *why(const struct http_transfer *transfer, CURLcode code)
{
    if (code == CURLE_OUT_OF_MEMORY)
        return "a line of its headers";
    if (code == CURLE_UNSUPPORTED_PROTOCOL)
        return "it is no HTTP";
    enum http_failure failure = http_failure_of(code);
    bool is_tls = failure == HTTP_TLS || failure == HTTP_NOT_TRUSTED;
    return is_tls && *transfer->message ? transfer->message : transfer->client->curl.easy_strerror(code);
}

/* Whom to trust is in a file that a person has named: a wrong one is the first thing to look at. */
static void not_trusted(struct http_transfer *transfer, CURLcode code)
{
    struct buffer words;
    const char *variable = authorities_variable();
    const char *file = variable ? getenv(variable) : NULL;
    buffer_init(&words, ERROR_MESSAGE_MAX / 2);
    if (code != CURLE_SSL_CACERT_BADFILE)
        buffer_printf(&words, "%s; ", why(transfer, code));
    if (!file)
        buffer_str(&words, "SSL_CERT_FILE names other authorities");
    else if (access(file, R_OK) < 0)
        buffer_printf(&words, "%s names %s: %s", variable, file, strerror(errno));
    else if (code == CURLE_SSL_CACERT_BADFILE)
        buffer_printf(&words, "%s names %s, which is no file of certificates (PEM)", variable, file);
    else
        buffer_printf(&words, "the authorities are those of %s, which %s names", file, variable);
    http_transfer_fail(transfer, HTTP_NOT_TRUSTED, buffer_cstr(&words));
    buffer_done(&words);
}

/* The proxy that libcurl asks for this URL, by the variables in libcurl's order. NULL: none is named. */
static const char *proxy_of(const char *url)
{
    bool secure = strncasecmp(url, "https:", 6) == 0;
    const char *const names[] = {secure ? "https_proxy" : "http_proxy", secure ? "HTTPS_PROXY" : NULL,
                                 "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = names[i] ? from_environment(names[i]) : NULL;
        if (value)
            return value;
    }
    return NULL;
}

/* Did a proxy answer CONNECT with a refusal? libcurl calls that a broken connection. */
static bool refused_by_proxy(struct http_transfer *transfer)
{
    long status = 0;
    transfer->client->curl.easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status < 300)
        return false;
    struct buffer words;
    bool passes = http_status_may_pass((int)status);
    const char *proxy = proxy_of(transfer->url);
    buffer_init(&words, ERROR_MESSAGE_MAX / 2);
    buffer_str(&words, passes ? "the proxy " : "");
    http_url_origin_shown(proxy ? proxy : "?", &words);
    buffer_printf(&words, ": status %ld%s", status,
                  status == 407 ? ": the user and password in the proxy's URL are missing or wrong" : "");
    http_transfer_fail(transfer, passes ? HTTP_NO_CONNECTION : HTTP_PROXY_REFUSED, buffer_cstr(&words));
    buffer_done(&words);
    return true;
}

bool http_transfer_settle(struct http_transfer *transfer, CURLcode code)
{
    if (transfer->stopped) /* by us, and for no failure */
        code = CURLE_OK;
    else if (code == CURLE_OK)
        http_decode_end(transfer);
    if (transfer->cause != HTTP_OK) {
        http_transfer_fail(transfer, transfer->cause, transfer->why);
        return false;
    }
    if (code != CURLE_OK && refused_by_proxy(transfer))
        return false;
    if (code != CURLE_OK && http_failure_of(code) == HTTP_NOT_TRUSTED) {
        not_trusted(transfer, code);
        return false;
    }
    if (code != CURLE_OK) {
        http_transfer_fail(transfer, http_failure_of(code), why(transfer, code));
        return false;
    }
    if (http_is_redirect(transfer))
        return send_on(transfer);
    transfer->response.url = transfer->url;
    transfer->response.body = (struct slice){buffer_cstr(&transfer->body), transfer->body.size};
    return false;
}
