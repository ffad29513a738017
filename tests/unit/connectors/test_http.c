#include "connectors/http/http.h"

#include "http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OK "HTTP/1.1 200 OK\r\n"

/* --- what the server does ------------------------------------------------------------------------------ */

static void endless_headers(struct server *server, int fd, const char *request)
{
    (void)request;
    server_send(fd, OK, strlen(OK));
    for (int i = 0; i < 20000 && !atomic_load(&server->closing); i++)
        server_send(fd, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 68);
}

static void endless_line(struct server *server, int fd, const char *request)
{
    (void)request;
    server_send(fd, OK "X-Line: ", strlen(OK) + 8);
    for (int i = 0; i < 20000 && !atomic_load(&server->closing); i++)
        server_send(fd, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64);
}

static void endless_body(struct server *server, int fd, const char *request)
{
    (void)request;
    static const char start[] = OK "Transfer-Encoding: chunked\r\n\r\n";
    server_send(fd, start, strlen(start));
    while (!atomic_load(&server->closing) && send(fd, "10\r\n0123456789abcdef\r\n", 22, MSG_NOSIGNAL) == 22)
        continue;
}

static void endless_redirect(struct server *server, int fd, const char *request)
{
    (void)request;
    static const char start[] =
        "HTTP/1.1 302 Found\r\nLocation: /plain\r\nTransfer-Encoding: chunked\r\n\r\n";
    server_send(fd, start, strlen(start));
    while (!atomic_load(&server->closing) && send(fd, "10\r\n0123456789abcdef\r\n", 22, MSG_NOSIGNAL) == 22)
        continue;
}

/* The beginning of a gzip of zeroes, after which each byte of it that is zero makes 1032 of them. */
static void bomb(struct server *server, int fd, const char *request)
{
    static const char head[] =
        OK "Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
           "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xec\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a";
    static const char zeroes[16 << 10];
    (void)server, (void)request;
    server_send(fd, head, sizeof head - 1);
    server_send(fd, zeroes, sizeof zeroes);
}

/* Nothing until the client goes. */
static void silent(struct server *server, int fd, const char *request)
{
    (void)request;
    char byte;
    atomic_fetch_add(&server->waiting, 1);
    while (recv(fd, &byte, 1, 0) > 0)
        continue;
}

/* The third attempt succeeds. */
static void third_time(struct server *server, int fd, const char *request)
{
    (void)request;
    static const char busy[] =
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    static const char fine[] = OK "Content-Length: 4\r\n\r\nfine";
    bool is_third = atomic_fetch_add(&server->waiting, 1) == 2;
    const char *text = is_third ? fine : busy;
    server_send(fd, text, strlen(text));
}

/* Says back what it was sent. */
static void echo(struct server *server, int fd, const char *request)
{
    (void)server;
    char head[128];
    const char *body = strstr(request, "\r\n\r\n") + 4;
    int size = snprintf(head, sizeof head, OK "Content-Length: %zu\r\n\r\n", strlen(body));
    server_send(fd, head, (size_t)size);
    server_send(fd, body, strlen(body));
}

static void elsewhere(struct server *server, int fd, const char *request)
{
    char text[256];
    (void)request;
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 307 Moved\r\nLocation: http://localhost:%u/echo?key=hidden\r\n"
                        "Content-Length: 0\r\n\r\n",
                        server->port);
    server_send(fd, text, (size_t)size);
}

static const struct rule rules[] = {
    {"/plain", OK "Content-Length: 5\r\nX-One:  a b \r\nx-one: second\r\n\r\nhello"},
    {"/chunked", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n"},
    {"/continued", "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" OK "Content-Length: 2\r\n\r\nok"},
    {"/refused", "HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\n\r\nreason"},
    {"/half", OK "Content-Length: 10\r\n\r\nhalf", .close = true},
    {"/empty", "", .close = true},
    {"/nonsense", "SSH-2.0-OpenSSH_9.2\r\n\r\n", .close = true},
    {"/garbled", OK "Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnotgzip"},
    {"/endless-headers", .answer = endless_headers, .close = true},
    {"/endless-line", .answer = endless_line, .close = true},
    {"/endless-body", .answer = endless_body, .close = true},
    {"/endless-redirect", .answer = endless_redirect, .close = true},
    {"/bomb", .answer = bomb, .close = true},
    {"/silent", .answer = silent, .close = true},
    {"/third-time", .answer = third_time},
    {"/echo", .answer = echo},
    {"/to-plain", "HTTP/1.1 302 Found\r\nLocation: /plain\r\nContent-Length: 3\r\n\r\nnot"},
    {"/to-echo-303", "HTTP/1.1 303 See Other\r\nLocation: echo\r\nContent-Length: 0\r\n\r\n"},
    {"/to-echo-308", "HTTP/1.1 308 Moved\r\nLocation: echo\r\nContent-Length: 0\r\n\r\n"},
    {"/circle", "HTTP/1.1 301 Moved\r\nLocation: /circle\r\nContent-Length: 0\r\n\r\n"},
    {"/to-file", "HTTP/1.1 301 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"},
    {"/elsewhere", .answer = elsewhere},
    /* As a proxy is asked for a tunnel. */
    {"wants-password.invalid:443", "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"},
    {"forbidden.invalid:443", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"},
    {"unavailable.invalid:443", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"},
    {NULL},
};

/* --- the client in each test --------------------------------------------------------------------------- */

static struct server server;
static struct http_client *client;
static char url_text[256];

static int set_up(void **state)
{
    struct error err;
    (void)state;
    server_open(&server, rules);
    client = http_client_new(NULL, &err);
    return client ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_free(client);
    server_close(&server);
    return 0;
}

static const char *url(const char *path)
{
    snprintf(url_text, sizeof url_text, "http://127.0.0.1:%u%s", server.port, path);
    return url_text;
}

static struct http_transfer *get(const struct http_request *request)
{
    struct http_transfer *transfer = NULL;
    struct error err = {0};
    if (http_do(client, request, &transfer, &err) < 0)
        fail_msg("%s", err.message);
    return transfer;
}

static void assert_body(const struct http_transfer *transfer, const char *text)
{
    struct slice body = http_transfer_response(transfer)->body;
    if (!slice_is(body, text))
        fail_msg("the body is '%.*s', not '%s'", SLICE_ARGS(body), text);
}

static const char *asked(void)
{
    return buffer_cstr(&server.asked);
}

/* --- answers ---------------------------------------------------------------------------------------------
 */

static void test_answers(void **state)
{
    (void)state;
    struct http_transfer *plain = get(&(struct http_request){.url = url("/plain?secret=1")});
    const struct http_response *response = http_transfer_response(plain);
    assert_int_equal(response->status, 200);
    assert_body(plain, "hello");
    assert_string_equal(http_response_header(response, "X-ONE"), "a b");
    assert_null(http_response_header(response, "X-None"));
    http_transfer_free(plain);

    struct http_transfer *chunked = get(&(struct http_request){.url = url("/chunked")});
    assert_body(chunked, "abcde");
    assert_string_equal(http_response_header(http_transfer_response(chunked), "x-trailer"), "t");
    http_transfer_free(chunked);

    struct http_transfer *continued = get(&(struct http_request){.url = url("/continued")});
    assert_body(continued, "ok");
    assert_null(http_response_header(http_transfer_response(continued), "X-Early"));
    http_transfer_free(continued);

    struct http_transfer *refused = get(&(struct http_request){.url = url("/refused")});
    assert_int_equal(http_transfer_response(refused)->status, 400);
    assert_body(refused, "reason");
    http_transfer_free(refused);
    assert_int_equal(server.connections, 1); /* all over one connection */
}

static void test_requests(void **state)
{
    (void)state;
    struct http_header headers[] = {{"Authorization", "Bearer x"}, {"X-Empty", ""}};
    struct http_request request = {.url = url("/echo"),
                                   .method = "PUT",
                                   .headers = headers,
                                   .header_count = 2,
                                   .body = SLICE_LITERAL("the body")};
    struct http_transfer *transfer = get(&request);
    assert_body(transfer, "the body");
    assert_non_null(strstr(asked(), "PUT /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(asked(), "Authorization: Bearer x\r\n"));
    assert_non_null(strstr(asked(), "X-Empty:\r\n"));
    assert_non_null(strstr(asked(), "User-Agent: firth/"));
    assert_non_null(strstr(asked(), "Content-Length: 8\r\n"));
    http_transfer_free(transfer);
    http_transfer_free(get(&(struct http_request){.url = url("/echo"), .method = "DELETE"}));
    const char *deleted = strstr(asked(), "DELETE /echo");
    assert_non_null(deleted);
    assert_non_null(strstr(deleted, "Content-Length: 0\r\n"));
}

/* --- what goes wrong -------------------------------------------------------------------------------------
 */

static void test_failures(void **state)
{
    (void)state;
    struct server closed;
    server_open(&closed, rules);
    unsigned closed_port = closed.port;
    server_close(&closed);
    char nobody[64];
    snprintf(nobody, sizeof nobody, "http://user:hidden@127.0.0.1:%u/x?key=hidden", closed_port);
    const struct {
        const char *url;
        enum http_failure failure;
        enum error_code code;
        bool retriable;
        const char *words;
    } rows[] = {
        {"/half", HTTP_BROKEN, ERROR_IO, true, "the answer is broken"},
        {"/empty", HTTP_BROKEN, ERROR_IO, true, "the answer is broken"},
        {"/nonsense", HTTP_BROKEN, ERROR_IO, true, "the answer is broken (it is no HTTP)"},
        {"/garbled?key=hidden", HTTP_BAD_ENCODING, ERROR_PROTOCOL, true, "/garbled?…: the answer does not"},
        {"/endless-headers", HTTP_TOO_LARGE, ERROR_LIMIT, false, "too large"},
        {"/endless-line", HTTP_TOO_LARGE, ERROR_LIMIT, false, "too large (a line of its headers)"},
        {"/endless-body", HTTP_TOO_LARGE, ERROR_LIMIT, false, "too large"},
        {"/endless-redirect", HTTP_TOO_LARGE, ERROR_LIMIT, false, "too large"},
        {"/bomb", HTTP_TOO_LARGE, ERROR_LIMIT, false, "too large"},
        {"/circle", HTTP_REDIRECTS, ERROR_PROTOCOL, false, "sent on too often"},
        {"/to-file", HTTP_REDIRECTS, ERROR_PROTOCOL, false, "no URL of HTTP"},
        {"/silent", HTTP_TIMEOUT, ERROR_IO, true, "no answer in time"},
        {nobody, HTTP_NO_CONNECTION, ERROR_IO, true, "/x?…: there is no connection"},
        {"http://no-such-host.invalid/", HTTP_NO_SUCH_HOST, ERROR_IO, true, "not known"},
        {"file:///etc/passwd", HTTP_BAD_URL, ERROR_INVALID, false, "cannot be sent"},
        {"http://", HTTP_BAD_URL, ERROR_INVALID, false, "cannot be sent"},
        {"", HTTP_BAD_URL, ERROR_INVALID, false, "cannot be sent"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_path = *rows[i].url == '/';
        bool waits = rows[i].failure == HTTP_TIMEOUT;
        struct http_request request = {.url = is_path ? url(rows[i].url) : rows[i].url,
                                       .response_max = 1 << 20,
                                       .total_ms = waits ? 50 : 0};
        struct http_transfer *transfer = http_start(client, &request, (void *)&rows[i]);
        struct error err = {0};
        assert_ptr_equal(http_poll(client, -1), transfer);
        assert_ptr_equal(http_transfer_tag(transfer), &rows[i]);
        assert_int_equal(http_transfer_error(transfer, &err), -1);
        if (http_transfer_failure(transfer) != rows[i].failure || err.code != rows[i].code ||
            err.retriable != rows[i].retriable || !strstr(err.message, rows[i].words) ||
            strstr(err.message, "hidden"))
            fail_msg("%s: failure %d, %s", rows[i].url, http_transfer_failure(transfer), err.message);
        http_transfer_free(transfer);
    }
}

/* A request that is less patient than its client. */
static void test_its_own_time(void **state)
{
    (void)state;
    struct http_request request = {
        .url = url("/silent"), .connect_ms = 5000, .stall_ms = 1, .keepalive = true};
    struct error err;
    struct http_transfer *transfer = http_start(client, &request, NULL);
    assert_ptr_equal(http_poll(client, 60000), transfer);
    assert_int_equal(http_transfer_error(transfer, &err), -1);
    assert_int_equal(http_transfer_failure(transfer), HTTP_TIMEOUT);
    http_transfer_free(transfer);
}

static void test_injection(void **state)
{
    (void)state;
    struct http_header headers[] = {{"X-A", "a\r\nX-B: b"}, {"X-A\r\nX-B", "b"}, {"", "x"}};
    struct error err;
    struct http_transfer *transfer;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            http_do(client,
                    &(struct http_request){.url = url("/plain"), .headers = &headers[i], .header_count = 1},
                    &transfer, &err),
            -1);
    assert_int_equal(
        http_do(client, &(struct http_request){.url = url("/plain"), .method = "GET / X"}, &transfer, &err),
        -1);
    assert_string_equal(asked(), "");
}

/* --- redirects --------------------------------------------------------------------------------------------
 */

static void test_redirects(void **state)
{
    (void)state;
    struct http_transfer *transfer = get(&(struct http_request){.url = url("/to-plain")});
    assert_body(transfer, "hello");
    assert_string_equal(http_transfer_response(transfer)->url, url("/plain"));
    http_transfer_free(transfer);

    transfer = get(&(struct http_request){.url = url("/to-plain"), .redirects_max = -1});
    assert_int_equal(http_transfer_response(transfer)->status, 302);
    assert_body(transfer, "not");
    http_transfer_free(transfer);

    struct http_header type = {"Content-Type", "text/plain"};
    struct http_request post = {
        .url = url("/to-echo-308"), .headers = &type, .header_count = 1, .body = SLICE_LITERAL("twice")};
    transfer = get(&post);
    assert_body(transfer, "twice");
    http_transfer_free(transfer);
    post.url = url("/to-echo-303");
    transfer = get(&post);
    assert_body(transfer, "");
    const char *last = strstr(asked(), "GET /echo");
    assert_non_null(last);
    assert_null(strstr(last, "Content-Type"));
    http_transfer_free(transfer);
}

static void test_secrets_stay(void **state)
{
    (void)state;
    struct http_header headers[] = {
        {"Authorization", "Bearer hidden"}, {"X-Api-Key", "hidden", .secret = true}, {"X-Open", "shown"}};
    struct http_transfer *transfer =
        get(&(struct http_request){.url = url("/elsewhere"), .headers = headers, .header_count = 3});
    const char *there = strstr(asked(), "GET /echo");
    assert_non_null(there);
    assert_non_null(strstr(there, "X-Open: shown"));
    assert_null(strstr(there, "Bearer hidden"));
    assert_null(strstr(there, "X-Api-Key"));
    http_transfer_free(transfer);
}

/* --- bodies in pieces
 * --------------------------------------------------------------------------------------- */

struct taken {
    struct buffer bytes;
    enum http_sinking answer;
    int status;
    unsigned calls;
};

static enum http_sinking take(void *context, const struct http_response *response, struct slice bytes)
{
    struct taken *taken = context;
    taken->calls++;
    taken->status = response->status;
    enum http_sinking answer = taken->answer;
    if (answer == HTTP_PAUSE)
        taken->answer = HTTP_GO_ON;
    else
        buffer_append(&taken->bytes, bytes.data, bytes.size);
    return answer;
}

static void test_sink(void **state)
{
    (void)state;
    struct taken taken = {0};
    buffer_init(&taken.bytes, 1 << 20);
    struct http_request request = {.url = url("/plain"), .sink = take, .context = &taken};
    http_transfer_free(get(&request));
    assert_string_equal(buffer_cstr(&taken.bytes), "hello");
    assert_int_equal(taken.status, 200);

    /* A refusal's body is kept, the sink gets nothing of it. */
    request.url = url("/refused");
    taken.calls = 0;
    struct http_transfer *transfer = get(&request);
    assert_body(transfer, "reason");
    assert_int_equal(taken.calls, 0);
    http_transfer_free(transfer);

    request.url = url("/endless-body");
    taken.answer = HTTP_ENOUGH;
    transfer = get(&request);
    assert_int_equal(http_transfer_response(transfer)->status, 200);
    http_transfer_free(transfer);

    struct error err;
    request.url = url("/plain");
    taken.answer = HTTP_FAIL;
    assert_int_equal(http_do(client, &request, &transfer, &err), -1);

    buffer_clear(&taken.bytes);
    taken.answer = HTTP_PAUSE;
    transfer = http_start(client, &request, NULL);
    while (taken.answer == HTTP_PAUSE)
        assert_null(http_poll(client, 20));
    assert_int_equal(taken.bytes.size, 0);
    http_resume(transfer);
    assert_ptr_equal(http_poll(client, -1), transfer);
    assert_string_equal(buffer_cstr(&taken.bytes), "hello");
    http_transfer_free(transfer);
    buffer_done(&taken.bytes);
}

struct reading {
    const char *text;
    size_t at;
    unsigned rewinds;
    bool fails;
};

static int64_t read_some(void *context, char *bytes, size_t size)
{
    struct reading *reading = context;
    size_t left = strlen(reading->text) - reading->at;
    size_t count = left < 3 ? left : 3;
    (void)size;
    if (reading->fails)
        return -1;
    memcpy(bytes, reading->text + reading->at, count);
    reading->at += count;
    return (int64_t)count;
}

static int go_back(void *context)
{
    struct reading *reading = context;
    reading->at = 0;
    reading->rewinds++;
    return 0;
}

static void test_reader(void **state)
{
    (void)state;
    struct reading reading = {.text = "read in pieces"};
    struct http_request request = {.url = url("/to-echo-308"),
                                   .read = read_some,
                                   .rewind = go_back,
                                   .read_size = (int64_t)strlen(reading.text),
                                   .context = &reading};
    struct http_transfer *transfer = get(&request);
    assert_body(transfer, reading.text);
    assert_int_equal(reading.rewinds, 1);
    http_transfer_free(transfer);

    reading = (struct reading){.text = "of unknown size"};
    request.read_size = -1;
    request.url = url("/echo");
    transfer = get(&request);
    struct slice body = http_transfer_response(transfer)->body;
    assert_non_null(memmem(body.data, body.size, "ize\r\n0\r\n\r\n", 10)); /* in chunks, as it came */
    http_transfer_free(transfer);

    reading = (struct reading){.text = "x", .fails = true};
    transfer = http_start(client, &request, NULL);
    assert_ptr_equal(http_poll(client, -1), transfer);
    assert_int_equal(http_transfer_failure(transfer), HTTP_READER_FAILED);
    http_transfer_free(transfer);
}

/* --- many
 * ---------------------------------------------------------------------------------------------------- */

static void test_many(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    struct http_transfer *transfers[COUNT];
    bool seen[COUNT] = {false};
    struct http_transfer *silent_one =
        http_start(client, &(struct http_request){.url = url("/silent")}, NULL);
    for (size_t i = 0; i < COUNT; i++)
        transfers[i] = http_start(client, &(struct http_request){.url = url("/plain")}, &seen[i]);
    assert_int_equal(http_running(client), COUNT + 1);
    for (size_t i = 0; i < COUNT; i++) {
        struct http_transfer *ended = http_poll(client, -1);
        bool *mark = http_transfer_tag(ended);
        assert_non_null(mark);
        assert_false(*mark);
        *mark = true;
        assert_body(ended, "hello");
    }
    assert_null(http_poll(client, 0));
    assert_int_equal(http_running(client), 1);
    /* Another request goes past the one that waits. */
    http_transfer_free(get(&(struct http_request){.url = url("/plain")}));
    http_cancel(silent_one);
    assert_ptr_equal(http_poll(client, 0), silent_one);
    assert_int_equal(http_transfer_failure(silent_one), HTTP_CANCELLED);
    assert_int_equal(http_running(client), 0);
    for (size_t i = 0; i < COUNT; i++)
        http_transfer_free(transfers[i]);
    http_transfer_free(silent_one);
    http_start(client, &(struct http_request){.url = url("/silent")}, NULL); /* freed with the client */
}

/* As the environment says; NO_PROXY names who is asked directly. */
static void test_proxy(void **state)
{
    (void)state;
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", server.port);
    setenv("http_proxy", proxy, 1);
    struct http_transfer *transfer =
        get(&(struct http_request){.url = "http://no-such-host.invalid/plain?secret=1"});
    assert_body(transfer, "hello");
    assert_non_null(strstr(asked(), "GET http://no-such-host.invalid/plain?secret=1 HTTP/1.1"));
    http_transfer_free(transfer);
    setenv("NO_PROXY", "127.0.0.1", 1);
    transfer = get(&(struct http_request){.url = url("/plain")});
    assert_non_null(strstr(asked(), "GET /plain HTTP/1.1"));
    http_transfer_free(transfer);
    unsetenv("http_proxy");
    unsetenv("NO_PROXY");
}

/* A proxy that will not connect: who, and why, but not with which password. */
static void test_a_proxy_that_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *url;
        enum http_failure failure;
        const char *words, *reason;
    } cases[] = {
        {"http://me:s3cret@", "/", "https://wants-password.invalid/x?s3cr", HTTP_PROXY_REFUSED,
         "GET https://wants-password.invalid/x?…: the proxy refuses the connection (127.0.0.1:",
         ": status 407: the user and password in the proxy's URL are missing or wrong)"},
        {"", "", "https://forbidden.invalid/", HTTP_PROXY_REFUSED,
         "the proxy refuses the connection (127.0.0.1:", ": status 403)"},
        {"http://", "", "https://unavailable.invalid/", HTTP_NO_CONNECTION,
         "there is no connection (the proxy 127.0.0.1:", ": status 503)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char proxy[64], words[256];
        struct error err = {0};
        snprintf(proxy, sizeof proxy, "%s127.0.0.1:%u%s", cases[i].before, server.port, cases[i].after);
        snprintf(words, sizeof words, "%s%u%s", cases[i].words, server.port, cases[i].reason);
        setenv("https_proxy", proxy, 1);
        struct http_transfer *transfer =
            http_start(client, &(struct http_request){.url = cases[i].url}, NULL);
        assert_ptr_equal(http_poll(client, -1), transfer);
        unsetenv("https_proxy");
        assert_int_equal(http_transfer_error(transfer, &err), -1);
        assert_int_equal(http_transfer_failure(transfer), cases[i].failure);
        assert_non_null(strstr(err.message, words));
        assert_null(strstr(err.message, "s3cr"));
        assert_int_equal(err.retriable, cases[i].failure == HTTP_NO_CONNECTION);
        http_transfer_free(transfer);
    }
}

/* What speaks no TLS. Certificates: test_destination_google_sheets.py. */
static void test_tls(void **state)
{
    (void)state;
    char secure[64];
    snprintf(secure, sizeof secure, "https://127.0.0.1:%u/plain", server.port);
    struct http_transfer *transfer = http_start(client, &(struct http_request){.url = secure}, NULL);
    while (!memmem(asked(), server.asked.size, "\n", 1) && !http_poll(client, 50))
        server_hang_up(&server);
    assert_int_equal(http_transfer_failure(transfer), HTTP_TLS);
    http_transfer_free(transfer);
}

static bool stop_now(void *context)
{
    return atomic_load(&server.waiting) > *(int *)context;
}

static void test_stop(void **state)
{
    (void)state;
    struct error err;
    int before = 0;
    struct http_settings settings = {.is_stopping = stop_now, .context = &before};
    struct http_client *stopped = http_client_new(&settings, &err);
    assert_non_null(stopped);
    struct http_transfer *transfer;
    assert_int_equal(http_do(stopped, &(struct http_request){.url = url("/silent")}, &transfer, &err), -1);
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_false(http_sleep(stopped, 3600 * 1000));
    http_client_free(stopped);
}

/* --- trying again
 * --------------------------------------------------------------------------------------------- */

static bool note_wait(void *context, uint64_t ms)
{
    uint64_t *waited = context;
    *waited += ms;
    return true;
}

static void test_patience(void **state)
{
    (void)state;
    uint64_t waited = 0;
    struct error err;
    struct http_transfer *transfer;
    struct http_backoff backoff = {.wait = note_wait, .context = &waited};
    assert_int_equal(http_do_patiently(client, &(struct http_request){.url = url("/third-time")}, &backoff,
                                       &transfer, &err),
                     0);
    assert_body(transfer, "fine");
    assert_int_equal(waited, 14000); /* Retry-After counts, twice */
    http_transfer_free(transfer);

    waited = 0;
    backoff.attempts_max = 4;
    assert_int_equal(
        http_do_patiently(client, &(struct http_request){.url = url("/half")}, &backoff, &transfer, &err),
        -1);
    assert_in_range(waited, 7000, 8750);

    waited = 0;
    assert_int_equal(
        http_do_patiently(client, &(struct http_request){.url = url("/refused")}, &backoff, &transfer, &err),
        0);
    assert_int_equal(waited, 0); /* 400 will be 400 again */
    http_transfer_free(transfer);

    /* For somebody who waits: twice where there is no answer, and no long wait. */
    mem_auto(http_client_free) struct http_client *hurried =
        http_client_new(&(struct http_settings){.hurried = true}, &err);
    backoff.attempts_max = 0;
    assert_int_equal(
        http_do_patiently(hurried, &(struct http_request){.url = url("/half")}, &backoff, &transfer, &err),
        -1);
    assert_in_range(waited, 1000, 1250);
    waited = 0;
    assert_int_equal(http_do_patiently(hurried, &(struct http_request){.url = url("/third-time")}, &backoff,
                                       &transfer, &err),
                     0);
    assert_int_equal(http_transfer_response(transfer)->status, 429);
    assert_int_equal(waited, 0);
    http_transfer_free(transfer);
}

static int64_t fixed_wall(void *context)
{
    (void)context;
    return 784111777000; /* 1994-11-06T08:49:37Z */
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct clock clock = {.wall_ms = fixed_wall};
    static const struct {
        const char *value;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"120", 120000},
        {"1.5", 2000},
        {"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
        {"Sun, 06 Nov 1994 08:49:36 GMT", 0},
        {"99999999999999999999999", (int64_t)INT32_MAX * 1000},
        {"", -1},
        {"soon", -1},
        {"-1", -1},
        {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37 CET", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_header header = {"retry-after", rows[i].value};
        struct http_response response = {.headers = &header, .header_count = 1};
        int64_t ms = http_retry_after(&response, &clock);
        if (rows[i].ms > 100000000000 ? ms < rows[i].ms : ms != rows[i].ms)
            fail_msg("%s: %lld", rows[i].value, (long long)ms);
    }
    struct http_header long_wait = {"Retry-After", "86400"};
    struct http_response response = {.headers = &long_wait, .header_count = 1};
    assert_int_equal(http_backoff_next(&(struct http_backoff){0}, 1, &response), -1);
    assert_in_range(http_backoff_next(&(struct http_backoff){0}, 7, NULL), 64000, 80000);
    assert_int_equal(http_backoff_next(&(struct http_backoff){0}, 8, NULL), -1);
}

/* --- URLs
 * ------------------------------------------------------------------------------------------------------- */

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *shown;
    } rows[] = {
        {"https://a.example/x/y", "https://a.example/x/y"},
        {"https://u:p@a.example:8/x?k=v#f", "https://a.example:8/x?…"},
        {"https://u:p@q@a.example?k=v", "https://a.example?…"},
        {"https://[::1]:80/x#frag", "https://[::1]:80/x"},
        {"no url?x", "no url?…"},
        {"", ""},
    };
    struct buffer out;
    buffer_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer_clear(&out);
        http_url_shown(rows[i].url, &out);
        assert_string_equal(buffer_cstr(&out), rows[i].shown);
    }
    assert_true(http_url_same_origin("http://a/x", "HTTP://A:80/y"));
    assert_true(http_url_same_origin("https://a:443/x", "https://u@a/y"));
    assert_false(http_url_same_origin("http://a/", "https://a/"));
    assert_false(http_url_same_origin("http://a/", "http://a:8080/"));
    assert_false(http_url_same_origin("http://a.b/", "http://b/"));
    assert_false(http_url_same_origin("http://a@b/", "http://a/"));
    buffer_clear(&out);
    http_url_encode(&out, SLICE_LITERAL("a b/ä~!"), "!");
    assert_string_equal(buffer_cstr(&out), "a%20b%2F%C3%A4~!");
    buffer_done(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_requests),
        TEST(test_failures),
        TEST(test_its_own_time),
        TEST(test_injection),
        TEST(test_redirects),
        TEST(test_sink),
        TEST(test_secrets_stay),
        TEST(test_reader),
        TEST(test_many),
        TEST(test_proxy),
        TEST(test_a_proxy_that_refuses),
        TEST(test_tls),
        TEST(test_stop),
        TEST(test_patience),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
