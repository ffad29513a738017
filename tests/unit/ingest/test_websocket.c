/* Websockets of a capture that commits nothing: what happens to clients that are silent, to messages that are
 * not finished, and at the end, to pushes that nobody has told. */
#include "ingest/reader.h"
#include "ingest/webhook.h"
#include "task/reader.h"

#include "ingest_test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { SILENCE_MS = 2000, GRACE_MS = 60 * 1000, PING = 0x89, CLOSE = 0x88, TEXT = 0x81 };

struct server {
    struct ingest_test test;
    struct task task;
    struct ingest_captures *captures;
    struct task_reader *reader;
    struct ingest_webhook *webhook;
    _Atomic uint64_t taken; /* by ingest_rate_allows */
};

static void start(struct server *server)
{
    static const char *const paths[] = {"/ingest/acmeCo/in", NULL};
    const struct ingest_webhook_options options = {.listen = "127.0.0.1:0", .silence_ms = SILENCE_MS};
    struct error err;
    *server = (struct server){.captures = ingest_captures_new()};
    ingest_test_init(&server->test, "{}", "/id");
    server->reader = ingest_reader_new(&server->task, server->captures);
    server->test.binding.options =
        (struct catalog_ingest){.body_max = 1 << 20, .id_header = "X-Id", .per_second = UINT32_MAX};
    server->test.binding.rate = &server->taken;
    server->test.capture.reader = (struct ingest_reader *)server->reader;
    ingest_captures_reserve(server->captures, "acmeCo/in", paths, (const char *const[]){NULL});
    assert_int_equal(ingest_captures_add(server->captures, &server->test.capture, &err), 0);
    server->webhook = ingest_webhook_open(server->captures, &options, &err);
    assert_non_null(server->webhook);
}

static void stop(struct server *server)
{
    ingest_captures_withdraw(server->captures, &server->test.capture);
    server->reader->class->close(server->reader);
    ingest_webhook_close(server->webhook, GRACE_MS);
    ingest_captures_free(server->captures);
    ingest_test_done(&server->test);
}

/* --- a client ----------------------------------------------------------------------------------------- */

static void get(int fd, void *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = read(fd, (char *)bytes + at, size - at);
        assert_true(got > 0);
        at += (size_t)got;
    }
}

static const char REQUEST[] = "GET /ingest/acmeCo/in/pushed HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static struct sockaddr_in address_of(const struct server *server)
{
    uint64_t port = 0;
    assert_true(string_to_u64(strrchr(ingest_webhook_url(server->webhook), ':') + 1, UINT16_MAX, &port));
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int shake_hands(const struct server *server)
{
    const struct sockaddr_in address = address_of(server);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char head[4096] = "";
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, REQUEST, sizeof REQUEST - 1), sizeof REQUEST - 1);
    for (size_t at = 0; !strstr(head, "\r\n\r\n"); at++)
        get(fd, head + at, 1);
    assert_true(string_starts_with(head, "HTTP/1.1 101 "));
    return fd;
}

/* With a mask of zeros. `size`: what the head says. */
static void send_frame(int fd, unsigned first, const char *payload, unsigned size)
{
    const unsigned char head[] = {(unsigned char)first, (unsigned char)(0x80 | size), 0, 0, 0, 0};
    assert_int_equal(write(fd, head, sizeof head), sizeof head);
    assert_int_equal(write(fd, payload, strlen(payload)), (ssize_t)strlen(payload));
}

/* The first byte of the next; of a close *ret_code is what it says. */
static unsigned next_frame(int fd, unsigned *ret_code)
{
    unsigned char head[2], payload[125];
    get(fd, head, sizeof head);
    get(fd, payload, head[1]);
    *ret_code = head[0] == CLOSE ? (unsigned)payload[0] << 8 | payload[1] : 0;
    return head[0];
}

static bool at_end(int fd)
{
    char byte;
    bool end = read(fd, &byte, 1) <= 0;
    close(fd);
    return end;
}

/* --- tests -------------------------------------------------------------------------------------------- */

/* Who says nothing is asked, and then ended; who answers stays. Who begins a message has to end it. */
static void test_silence(void **state)
{
    struct server server;
    unsigned code;
    (void)state;
    start(&server);
    int silent = shake_hands(&server), alive = shake_hands(&server), slow = shake_hands(&server);
    send_frame(slow, TEXT, "{\"id\":", 20);
    assert_int_equal(next_frame(alive, &code), PING);
    send_frame(alive, 0x8a, "", 0);
    assert_int_equal(next_frame(slow, &code), CLOSE);
    assert_int_equal(code, 1008);
    assert_true(at_end(slow));
    assert_int_equal(next_frame(silent, &code), PING);
    assert_true(at_end(silent));
    assert_int_equal(next_frame(alive, &code), PING);
    close(alive);
    stop(&server);
}

/* Nothing is told before it is known, and that nothing is known is told as well. */
static void test_end(void **state)
{
    struct server server;
    unsigned code;
    (void)state;
    start(&server);
    int idle = shake_hands(&server), busy = shake_hands(&server);
    for (unsigned i = 0; i < 1000; i++) /* more than its window */
        send_frame(busy, TEXT, "{\"id\":1}", 8);
    while (atomic_load(&server.taken) == 0) /* the first of them */
        sched_yield();
    ingest_webhook_leave(server.webhook);
    assert_int_equal(next_frame(idle, &code), CLOSE);
    assert_int_equal(code, 1001);
    assert_true(at_end(idle));
    char byte;
    assert_int_equal(recv(busy, &byte, 1, MSG_DONTWAIT), -1);
    server.reader->class->stop(server.reader);
    stop(&server);
    assert_int_equal(next_frame(busy, &code), CLOSE);
    assert_int_equal(code, 1001);
    close(busy);
}

/* What does not end by itself is dropped. */
static void test_drop(void **state)
{
    struct server server;
    (void)state;
    start(&server);
    int deaf = shake_hands(&server);
    ingest_captures_withdraw(server.captures, &server.test.capture);
    server.reader->class->close(server.reader);
    ingest_webhook_close(server.webhook, 0);
    ingest_captures_free(server.captures);
    ingest_test_done(&server.test);
    close(deaf);
}

struct knocking {
    struct sockaddr_in address;
    atomic_uint answers;
    atomic_bool end;
};

/* Handshakes one after the other, answered or not. */
static void *knock(void *context)
{
    struct knocking *knocking = context;
    while (!atomic_load(&knocking->end)) {
        char byte;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (const struct sockaddr *)&knocking->address, sizeof knocking->address) == 0 &&
            send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) > 0 && recv(fd, &byte, 1, 0) == 1)
            atomic_fetch_add(&knocking->answers, 1);
        close(fd);
    }
    return NULL;
}

/* Hands are shaken until the last thread of the HTTP server has ended. */
static void test_handshakes_at_the_end(void **state)
{
    enum { ROUNDS = 5, CLIENTS = 8 };
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct server server;
        pthread_t clients[CLIENTS];
        start(&server);
        struct knocking knocking = {.address = address_of(&server)};
        for (int i = 0; i < CLIENTS; i++)
            assert_int_equal(pthread_create(&clients[i], NULL, knock, &knocking), 0);
        while (atomic_load(&knocking.answers) < 4 * CLIENTS)
            sched_yield();
        stop(&server);
        atomic_store(&knocking.end, true);
        for (int i = 0; i < CLIENTS; i++)
            pthread_join(clients[i], NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_silence), cmocka_unit_test(test_end),
                                       cmocka_unit_test(test_drop),
                                       cmocka_unit_test(test_handshakes_at_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
