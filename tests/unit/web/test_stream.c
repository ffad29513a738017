/* Answers that go on: what is put arrives, in order; who does not read is not waited for; who goes is done.
 */
#include "base/memory.h"
#include "web/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLIENT_MS = 60 * 1000, GRACE_MS = 60 * 1000, CHUNK = 1000, PUTS_MAX = 1 << 20 };

static const struct slice goodbye = SLICE_LITERAL("goodbye");

struct fixture {
    struct http_server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_request *request; /* whose stream has begun */
    unsigned done;
};

static enum http_next on_head(void *context, struct http_request *request)
{
    (void)context, (void)request;
    return HTTP_READ;
}

static enum http_next on_whole(void *context, struct http_request *request)
{
    struct fixture *f = context;
    request->status = 200;
    http_stream_begin(request);
    pthread_mutex_lock(&f->lock);
    f->request = request;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    return HTTP_STREAM;
}

static enum http_next on_resumed(void *context, struct http_request *request)
{
    (void)context, (void)request;
    return HTTP_ANSWER;
}

static void on_refused(void *context, struct http_request *request, const char *why)
{
    (void)context, (void)request, (void)why;
}

static void on_done(void *context, struct http_request *request)
{
    struct fixture *f = context;
    (void)request;
    pthread_mutex_lock(&f->lock);
    f->done++;
    f->request = NULL;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);
    const struct http_options options = {.listen = "127.0.0.1:0",
                                         .callbacks = {f, on_head, on_whole, on_resumed, on_refused, on_done},
                                         .client_ms = CLIENT_MS};
    struct error err;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->server = http_open(&options, &err);
    assert_non_null(f->server);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_close(f->server, GRACE_MS);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

static int ask(struct fixture *f)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *colon = strrchr(http_url(f->server), ':');
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 1;
    address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    return fd;
}

static struct http_request *wait_for_request(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    while (!f->request)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
    return f->request;
}

static void wait_for_done(struct fixture *f, unsigned count)
{
    pthread_mutex_lock(&f->lock);
    while (f->done < count)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

/* Chunks of one letter each, until there is no room. How many there were. */
static size_t fill(struct http_request *request)
{
    char chunk[CHUNK];
    size_t count = 0;
    memset(chunk, 'a', sizeof chunk);
    while (count < PUTS_MAX && http_stream_put(request, (struct slice){chunk, sizeof chunk}))
        memset(chunk, (int)('a' + ++count % 26), sizeof chunk);
    return count;
}

static struct buffer read_all(int fd)
{
    struct buffer all;
    ssize_t size;
    char piece[65536];
    buffer_init(&all, BUFFER_UNLIMITED);
    while ((size = read(fd, piece, sizeof piece)) > 0)
        buffer_append(&all, piece, (size_t)size);
    close(fd);
    return all;
}

/* The content of a chunked answer. */
static struct buffer content_of(struct buffer *answer)
{
    struct buffer content;
    const char *at = strstr(buffer_cstr(answer), "\r\n\r\n");
    buffer_init(&content, BUFFER_UNLIMITED);
    assert_non_null(at);
    for (at += 4;;) {
        char *end;
        size_t size = strtoul(at, &end, 16);
        if (!size)
            return content;
        buffer_append(&content, end + 2, size);
        at = end + 2 + size + 2;
    }
}

/* One that does not read stops nobody; when it reads at last, it gets what was put, and what was said last.
 */
static void test_in_order(void **state)
{
    struct fixture *f = *state;
    int fd = ask(f);
    struct http_request *request = wait_for_request(f);
    size_t count = fill(request);
    assert_in_range(count, HTTP_STREAM_MAX / CHUNK, PUTS_MAX - 1);
    http_stream_end(request, goodbye);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    struct buffer answer = read_all(fd), content = content_of(&answer);
    assert_int_equal(content.size, count * CHUNK + goodbye.size);
    for (size_t i = 0; i < count * CHUNK; i++)
        assert_int_equal(content.data[i], 'a' + i / CHUNK % 26);
    assert_memory_equal(content.data + count * CHUNK, goodbye.data, goodbye.size);
    wait_for_done(f, 1);
    buffer_done(&content);
    buffer_done(&answer);
}

/* Paused again and again: each put reaches the client before the next is made. */
static void test_bit_by_bit(void **state)
{
    struct fixture *f = *state;
    char got[4096], text[16];
    int fd = ask(f);
    struct http_request *request = wait_for_request(f);
    struct buffer all;
    buffer_init(&all, BUFFER_UNLIMITED);
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "<%d>", i);
        assert_true(http_stream_put(request, slice_of(text)));
        while (!strstr(buffer_cstr(&all), text)) {
            ssize_t size = read(fd, got, sizeof got);
            assert_true(size > 0);
            buffer_append(&all, got, (size_t)size);
        }
    }
    http_stream_end(request, (struct slice){0});
    wait_for_done(f, 1);
    buffer_done(&all);
    close(fd);
}

/* A client that goes is noticed when something is put. */
static void test_gone(void **state)
{
    struct fixture *f = *state;
    int fd = ask(f);
    struct http_request *request = wait_for_request(f);
    fill(request);
    close(fd);
    wait_for_done(f, 1);
}

/* The server's end does not wait for one that does not read. */
static void test_end_without_a_reader(void **state)
{
    struct fixture *f = *state;
    int idle = ask(f);
    struct http_request *first = wait_for_request(f);
    pthread_mutex_lock(&f->lock);
    f->request = NULL;
    pthread_mutex_unlock(&f->lock);
    int full = ask(f);
    struct http_request *second = wait_for_request(f);
    fill(second);
    http_stream_end(first, goodbye);
    pthread_mutex_lock(&f->lock); /* it is not done meanwhile */
    http_stream_end(second, goodbye);
    assert_false(http_stream_put(second, goodbye));
    pthread_mutex_unlock(&f->lock);
    wait_for_done(f, 2); /* far sooner than CLIENT_MS, as cmocka's runner would not wait for that */
    close(idle);
    close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bit_by_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_without_a_reader, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
