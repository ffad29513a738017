/* Plain requests on a quick server, and others among them: each is answered, in its order, whichever way it
 * takes; who goes, is silent, or takes no answer keeps nobody. */
#include "base/clock.h"
#include "base/memory.h"
#include "web/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLIENT_MS = 60 * 1000, SHORT_MS = 100, GRACE_MS = 60 * 1000, LARGE = 8 << 20, TOGETHER = 100 };

#define HEAD "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
#define OTHER "POST /echo?q HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"

struct fixture {
    struct http_server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_request *held[TOGETHER];
    unsigned held_count, done, go;
    /* The lane's thread's own, while it runs. */
    struct http_request *gathered[TOGETHER];
    unsigned gathered_count, together, done_before_gathered;
};

static enum http_next on_head(void *context, struct http_request *request)
{
    (void)context;
    if (http_header(request, "x-refuse")) {
        request->status = 403;
        return HTTP_ANSWER;
    }
    return HTTP_READ;
}

static enum http_next answer(struct http_request *request)
{
    request->status = 200;
    buffer_append(&request->answer, request->body.data, request->body.size);
    if (http_header(request, "X-Large")) {
        buffer_reserve(&request->answer, LARGE);
        memset(request->answer.data + request->answer.size, 'l', LARGE);
        request->answer.size += LARGE;
    }
    return HTTP_ANSWER;
}

static enum http_next on_whole(void *context, struct http_request *request)
{
    struct fixture *f = context;
    if (http_header(request, "X-Wait")) { /* all of its lane does */
        pthread_mutex_lock(&f->lock);
        f->held_count++;
        pthread_cond_broadcast(&f->changed);
        while (!f->go)
            pthread_cond_wait(&f->changed, &f->lock);
        pthread_mutex_unlock(&f->lock);
    }
    if (http_header(request, "X-Work")) {
        uint64_t until_ns = clock_monotonic_ns(&clock_system) + 1000000;
        while (clock_monotonic_ns(&clock_system) < until_ns)
            ;
    }
    if (http_header(request, "X-Gather")) {
        assert_int_equal(http_request_lane(request), 0);
        http_request_hold(request);
        f->gathered[f->gathered_count++] = request;
        return HTTP_LATER;
    }
    if (!http_header(request, "X-Hold"))
        return answer(request);
    http_request_hold(request);
    pthread_mutex_lock(&f->lock);
    f->held[f->held_count++] = request;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    return HTTP_LATER;
}

static enum http_next on_resumed(void *context, struct http_request *request)
{
    (void)context;
    return answer(request);
}

static void on_refused(void *context, struct http_request *request, const char *why)
{
    (void)context, (void)request, (void)why;
}

static void on_together(void *context, unsigned lane)
{
    struct fixture *f = context;
    f->together += lane == 0 && f->gathered_count > 0;
    while (lane == 0 && f->gathered_count > 0)
        http_request_resume(f->gathered[--f->gathered_count]);
}

static void on_done(void *context, struct http_request *request)
{
    struct fixture *f = context;
    bool gathered = http_header(request, "X-Gather");
    pthread_mutex_lock(&f->lock);
    if (gathered)
        f->done_before_gathered = f->done;
    f->done++;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void start(struct fixture *f, uint64_t client_ms, unsigned lanes)
{
    const struct http_options options = {.listen = "127.0.0.1:0",
                                         .callbacks = {.context = f,
                                                       .head = on_head,
                                                       .whole = on_whole,
                                                       .resumed = on_resumed,
                                                       .refused = on_refused,
                                                       .done = on_done,
                                                       .together = on_together},
                                         .client_ms = client_ms,
                                         .drain_max = 1 << 20,
                                         .lanes = lanes};
    struct error err;
    *f = (struct fixture){0};
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->server = http_open(&options, &err);
    assert_non_null(f->server);
}

static void stop(struct fixture *f)
{
    http_close(f->server, GRACE_MS);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
}

static int try_connect(const struct fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)strtoul(strrchr(http_url(f->server), ':') + 1, NULL, 10));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_to(const struct fixture *f)
{
    int fd = try_connect(f);
    assert_true(fd >= 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The next answer's status, its body in *body; *ret_last: the connection ends with it. */
static unsigned take(int fd, struct buffer *body, bool *ret_last)
{
    char head[1024];
    size_t size = 0;
    while (size < 4 || memcmp(head + size - 4, "\r\n\r\n", 4) != 0) {
        assert_true(size + 1 < sizeof head);
        assert_int_equal(recv(fd, head + size++, 1, 0), 1);
    }
    head[size] = 0;
    const char *length = strstr(head, "Content-Length: ");
    assert_non_null(length);
    size_t left = strtoul(length + 16, NULL, 10);
    buffer_clear(body);
    assert_true(buffer_reserve(body, left + 1));
    if (left)
        assert_int_equal(recv(fd, body->data, left, MSG_WAITALL), left);
    body->size = left;
    if (ret_last)
        *ret_last = strstr(head, "Connection: close") != NULL;
    return (unsigned)strtoul(head + 9, NULL, 10);
}

static void expect(int fd, const char *text)
{
    struct buffer body;
    buffer_init(&body, BUFFER_UNLIMITED);
    assert_int_equal(take(fd, &body, NULL), 200);
    assert_string_equal(buffer_cstr(&body), text);
    buffer_done(&body);
}

static void wait_for(struct fixture *f, const unsigned *count, unsigned least)
{
    pthread_mutex_lock(&f->lock);
    while (*count < least)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

/* The lane's thread waits in a request of this connection's, from when this returns until `go_on`. */
static void keep_waiting(struct fixture *f, int fd)
{
    unsigned before = f->held_count;
    f->go = 0;
    put(fd, HEAD "X-Wait: 1\r\n\r\nabc");
    wait_for(f, &f->held_count, before + 1);
}

static void go_on(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    f->go = 1;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void test_order(void **state)
{
    struct fixture f;
    struct buffer body, all;
    (void)state;
    buffer_init(&body, BUFFER_UNLIMITED);
    buffer_init(&all, BUFFER_UNLIMITED);
    start(&f, CLIENT_MS, 1);
    int fd = connect_to(&f), bytewise = connect_to(&f);
    put(fd, HEAD "\r\none" HEAD "\r\ntwo" HEAD "X-Refuse: 1\r\n\r\nxxx" OTHER "qqq" HEAD "\r\nsix");
    expect(fd, "one");
    expect(fd, "two");
    assert_int_equal(take(fd, &body, NULL), 403);
    expect(fd, "qqq");
    expect(fd, "six");
    put(fd, HEAD "\r\nend");
    expect(fd, "end");
    for (const char *at = HEAD "\r\nabc" HEAD "\r\ndef"; *at; at++)
        put(bytewise, (char[]){*at, 0});
    expect(bytewise, "abc");
    expect(bytewise, "def");
    int many = connect_to(&f);
    for (unsigned i = 0; i < TOGETHER; i++) /* more than one turn of a connection */
        buffer_str(&all, HEAD "\r\nall");
    put(many, buffer_cstr(&all));
    for (unsigned i = 0; i < TOGETHER; i++)
        expect(many, "all");
    close(many);
    close(fd);
    close(bytewise);
    stop(&f);
    assert_int_equal(f.done, 8 + TOGETHER);
    buffer_done(&all);
    buffer_done(&body);
}

/* Held together, let go together by another thread; one client has ended its side, one has gone. */
static void test_held(void **state)
{
    struct fixture f;
    int fds[TOGETHER];
    (void)state;
    start(&f, SHORT_MS, 2);
    for (unsigned i = 0; i < TOGETHER; i++) {
        fds[i] = connect_to(&f);
        put(fds[i], HEAD "X-Hold: 1\r\n\r\nabc" HEAD "\r\nnow");
    }
    wait_for(&f, &f.held_count, TOGETHER);
    shutdown(fds[0], SHUT_WR);
    close(fds[1]);
    for (unsigned i = 0; i < TOGETHER; i++)
        http_request_resume(f.held[i]);
    for (unsigned i = 0; i < TOGETHER; i++) {
        char byte;
        if (i == 1)
            continue;
        expect(fds[i], "abc");
        expect(fds[i], "now");
        assert_int_equal(recv(fds[i], &byte, 1, 0), 0); /* for its time to be silent is over */
        close(fds[i]);
    }
    stop(&f);
    assert_in_range(f.done, 2 * TOGETHER - 1, 2 * TOGETHER);
}

/* More than a socket holds: what the client has not taken waits, and others are served. */
static void test_large_answer(void **state)
{
    struct fixture f;
    struct buffer body;
    (void)state;
    buffer_init(&body, BUFFER_UNLIMITED);
    start(&f, CLIENT_MS, 2);
    int slow = connect_to(&f), never = connect_to(&f), other = connect_to(&f);
    put(slow, HEAD "X-Large: 1\r\n\r\nabc" HEAD "\r\nend");
    put(never, HEAD "X-Large: 1\r\n\r\nabc");
    for (int i = 0; i < 4; i++) {
        put(other, HEAD "\r\nxyz");
        expect(other, "xyz");
    }
    assert_int_equal(take(slow, &body, NULL), 200);
    assert_int_equal(body.size, LARGE + 3);
    expect(slow, "end");
    close(never);
    wait_for(&f, &f.done, 7);
    close(slow);
    close(other);
    stop(&f);
    buffer_done(&body);
}

static void test_quiet(void **state)
{
    struct fixture f;
    struct buffer body;
    char byte;
    bool last = false;
    (void)state;
    buffer_init(&body, BUFFER_UNLIMITED);
    start(&f, CLIENT_MS, 2);
    int fd = connect_to(&f);
    put(fd, HEAD "\r\nabc");
    expect(fd, "abc");
    assert_int_equal(http_connections(f.server), 1);
    http_quiesce(f.server);
    assert_int_equal(try_connect(&f), -1);
    put(fd, HEAD "\r\nabc");
    assert_int_equal(take(fd, &body, &last), 200);
    assert_true(last);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
    stop(&f);
    buffer_done(&body);
}

/* A request and its client's end come at once: when it is answered, the connection ends. */
static void test_half_closed(void **state)
{
    struct fixture f;
    char byte;
    (void)state;
    start(&f, CLIENT_MS, 1);
    int fd = connect_to(&f), busy = connect_to(&f);
    put(fd, HEAD "\r\none"); /* so the lane has it */
    expect(fd, "one");
    keep_waiting(&f, busy);
    put(fd, HEAD "\r\nend");
    shutdown(fd, SHUT_WR);
    go_on(&f);
    expect(fd, "end");
    assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, CLIENT_MS / 4), 1);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
    close(busy);
    stop(&f);
}

/* Who had sent more than is answered is not reset: the answers that are on their way come. */
static void test_quiet_beside_more(void **state)
{
    struct fixture f;
    char byte;
    (void)state;
    start(&f, CLIENT_MS, 1);
    int fd = connect_to(&f);
    put(fd, HEAD "X-Hold: 1\r\n\r\nabc" HEAD "\r\nnow");
    wait_for(&f, &f.held_count, 1);
    http_quiesce(f.server);
    http_request_resume(f.held[0]);
    expect(fd, "abc");
    put(fd, HEAD "\r\nnow");
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    put(fd, HEAD "\r\nnow");
    close(fd);
    stop(&f);
    assert_int_equal(f.done, 1);
}

/* What is held back goes on together: at once if nothing else is to be done, many that come at once in few
 * goes, and behind others that come all the time within a moment. */
static void test_together(void **state)
{
    struct fixture f;
    struct buffer all;
    int fds[TOGETHER];
    (void)state;
    buffer_init(&all, BUFFER_UNLIMITED);
    start(&f, CLIENT_MS, 1);
    int busy = connect_to(&f), many = connect_to(&f);
    for (unsigned i = 0; i < TOGETHER; i++) {
        fds[i] = connect_to(&f);
        put(fds[i], HEAD "X-Gather: 1\r\n\r\none");
        expect(fds[i], "one");
    }
    put(many, HEAD "\r\none");
    expect(many, "one");
    keep_waiting(&f, busy);
    assert_int_equal(f.together, TOGETHER);
    for (unsigned i = 0; i < TOGETHER; i++)
        put(fds[i], HEAD "X-Gather: 1\r\n\r\ntwo");
    go_on(&f);
    expect(busy, "abc");
    for (unsigned i = 0; i < TOGETHER; i++)
        expect(fds[i], "two");

    keep_waiting(&f, busy);
    assert_in_range(f.together, TOGETHER + 1, TOGETHER + TOGETHER / 8);
    for (unsigned i = 0; i < TOGETHER; i++)
        buffer_str(&all, HEAD "X-Work: 1\r\n\r\nall");
    put(fds[0], HEAD "X-Gather: 1\r\n\r\nend");
    put(many, buffer_cstr(&all));
    unsigned before = f.done;
    go_on(&f);
    expect(fds[0], "end");
    for (unsigned i = 0; i < TOGETHER; i++)
        expect(many, "all");
    expect(busy, "abc");
    for (unsigned i = 0; i < TOGETHER; i++)
        close(fds[i]);
    close(many);
    close(busy);
    stop(&f);
    assert_in_range(f.done_before_gathered, before, before + TOGETHER * 3 / 4);
    buffer_done(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),        cmocka_unit_test(test_held),
        cmocka_unit_test(test_large_answer), cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_half_closed),  cmocka_unit_test(test_quiet_beside_more),
        cmocka_unit_test(test_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
