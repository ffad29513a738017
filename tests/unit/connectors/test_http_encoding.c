/* What of a response is packed: Content-Encoding, right and wrong. */
#include "connectors/http/http.h"

#include "http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Asked for by number, "/packed?3". */
static const struct packed {
    const char *encoding;
    struct slice bytes;
    const char *becomes; /* or what is said of it; NULL: 40,000 zeroes */
    bool fails;
} packeds[] = {
    {"gzip",
     SLICE_LITERAL(
         "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"
         "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"),
     "hellohello"},
    {"x-gzip",
     SLICE_LITERAL("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00"
                   "\x00\x00junk"),
     "hello"},
    {"GZIP", SLICE_LITERAL(""), ""},
    {"deflate", SLICE_LITERAL("x\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15"), "hello"},
    {"deflate", SLICE_LITERAL("\xcbH\xcd\xc9\xc9\x07\x00"), "hello"},
    {"deflate, gzip",
     SLICE_LITERAL(
         "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03;\xedq\xf6\xe4Iv\x06\x00\xe0*\x82{\x07\x00\x00\x00"),
     "hello"},
    {"gzip",
     SLICE_LITERAL(
         "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xf5Om\x0d\x0f\xa0\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x0\x02S/\x97 "
         "N\x00\x00\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xf5Om\x0d\x0f"
         "\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x0\x02S/\x97 "
         "N\x00\x00"),
     NULL},
    {"utf-8", SLICE_LITERAL("hello"), "hello"},
    {"gzip", SLICE_LITERAL("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcbH\xcd\xc9\xc9\x07"),
     "gzip: the data ends too early", .fails = true},
    {"gzip",
     SLICE_LITERAL(
         "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"
         "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x01\x01"),
     "gzip: incorrect length check", .fails = true},
    {"deflate", SLICE_LITERAL("\xcbH\xcd\xc9\xc9"), "deflate: the data ends too early", .fails = true},
    {"br", SLICE_LITERAL("\x0b\x02\x80hello\x03"), "br: only gzip and deflate", .fails = true},
    {"gzip, gzip,gzip , gzip, gzip", SLICE_LITERAL("x"), "too often", .fails = true},
};
enum { PACKED_COUNT = sizeof packeds / sizeof *packeds, PACKED_BOTH = 0, PACKED_ZEROES = 6 };

static void packed(struct server *server, int fd, const char *request)
{
    char head[128];
    const struct packed *row = &packeds[strtoul(strchr(request, '?') + 1, NULL, 10)];
    int size =
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
                 row->encoding, row->bytes.size);
    (void)server;
    server_send(fd, head, (size_t)size);
    server_send(fd, row->bytes.data, row->bytes.size);
}

static const struct rule rules[] = {{"/packed", .answer = packed}, {NULL}};

static struct server server;
static struct http_client *client;

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

struct taken {
    size_t size;
    unsigned calls;
};

/* Each piece at the second time. */
static enum http_sinking take_slowly(void *context, const struct http_response *response, struct slice bytes)
{
    struct taken *taken = context;
    (void)response;
    if (taken->calls++ % 2 == 0)
        return HTTP_PAUSE;
    taken->size += bytes.size;
    return HTTP_GO_ON;
}

static const char *packed_url(size_t i)
{
    static char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/packed?%zu", server.port, i);
    return url;
}

static void test_content_encoding(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKED_COUNT; i++) {
        const struct packed *row = &packeds[i];
        struct error err = {.message = "no failure"};
        struct http_transfer *transfer = NULL;
        int result = http_do(client, &(struct http_request){.url = packed_url(i)}, &transfer, &err);
        struct slice body = result == 0 ? http_transfer_response(transfer)->body : (struct slice){0};
        bool is_right = row->fails     ? result < 0 && strstr(err.message, row->becomes) != NULL
                        : row->becomes ? slice_is(body, row->becomes)
                                       : body.size == 40000;
        if (!is_right)
            fail_msg("%zu: %d, '%.*s', %s", i, result, SLICE_ARGS(body), err.message);
        http_transfer_free(transfer);
    }
    assert_non_null(strstr(buffer_cstr(&server.asked), "Accept-Encoding: gzip, deflate\r\n"));

    /* A sink that wants to wait before each piece gets each once. */
    struct taken taken = {0};
    struct http_request request = {.url = packed_url(PACKED_ZEROES), .sink = take_slowly, .context = &taken};
    struct http_transfer *transfer = http_start(client, &request, NULL);
    for (unsigned resumed = 0; !http_poll(client, 5);)
        if (resumed < taken.calls) {
            resumed = taken.calls;
            http_resume(transfer);
        }
    assert_int_equal(taken.size, 40000);
    assert_true(taken.calls > 4);
    http_transfer_free(transfer);

    /* As it was sent. */
    request = (struct http_request){.url = packed_url(PACKED_BOTH), .as_sent = true};
    struct error err;
    assert_int_equal(http_do(client, &request, &transfer, &err), 0);
    assert_int_equal(http_transfer_response(transfer)->body.size, packeds[PACKED_BOTH].bytes.size);
    http_transfer_free(transfer);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_content_encoding, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
