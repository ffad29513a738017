/* Clients that begin a request and do not go on, or do not take their answers: they are ended when their time
 * is over, by HTTP and by Kafka's protocol, and another is served meanwhile. */
#include "ingest/kafka/kafka.h"
#include "ingest/webhook.h"
#include "store/store.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLIENT_MS = 200, GRACE_MS = 60 * 1000, ANSWER_MS = 60 * 1000, REQUESTS = 200 * 1000 };

#define POST "POST /ingest/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

/* ApiVersions, its first version. */
static const char versions[] = "\0\0\0\12\0\22\0\0\0\0\0\7\377\377";

struct server {
    char folder[32];
    struct ingest_captures *captures;
    struct ingest_webhook *webhook;
    struct kafka *kafka;
};

static void start(struct server *server)
{
    struct error err;
    *server = (struct server){.folder = "/tmp/firth-test-XXXXXX", .captures = ingest_captures_new()};
    assert_non_null(mkdtemp(server->folder));
    struct store *store = store_open(server->folder, &(struct store_options){0}, &err);
    assert_non_null(store);
    store_close(store);
    ingest_captures_reserve(server->captures, "acmeCo/in", (const char *const[]){"/ingest/x", NULL},
                            (const char *const[]){NULL});
    server->webhook = ingest_webhook_open(
        server->captures, &(struct ingest_webhook_options){.listen = "127.0.0.1:0", .client_ms = CLIENT_MS},
        &err);
    assert_non_null(server->webhook);
    server->kafka = kafka_open(
        server->captures,
        &(struct kafka_options){.listen = "127.0.0.1:0", .data_dir = server->folder, .client_ms = CLIENT_MS},
        &err);
    assert_non_null(server->kafka);
}

static void stop(struct server *server)
{
    char command[64];
    kafka_close(server->kafka, GRACE_MS);
    ingest_webhook_close(server->webhook, GRACE_MS);
    ingest_captures_free(server->captures);
    snprintf(command, sizeof command, "rm -r %s", server->folder);
    assert_int_equal(system(command), 0);
}

static int connect_to(const char *url)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Reads to the end, which has to come; how many bytes there were. */
static size_t read_out(int fd)
{
    char bytes[64 << 10];
    size_t size = 0;
    ssize_t got;
    do {
        struct pollfd waits = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&waits, 1, ANSWER_MS), 1);
        got = read(fd, bytes, sizeof bytes);
        size += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    close(fd);
    return size;
}

static void test_unfinished(void **state)
{
    static const struct {
        struct slice begun;
        bool http;
    } cases[] = {
        {SLICE_LITERAL("P"), true},
        {SLICE_LITERAL(POST), true},
        {SLICE_LITERAL(POST "Content-Length: 10\r\n\r\n[1"), true},
        {SLICE_LITERAL(POST "Transfer-Encoding: chunked\r\n\r\n5\r\n[1"), true},
        {SLICE_LITERAL("\0"), false},
        {SLICE_LITERAL("\0\0\0\144"), false},
        {SLICE_LITERAL("\0\0\0\144\0\0\0\11"), false},
    };
    struct server server;
    int fds[sizeof cases / sizeof *cases];
    (void)state;
    start(&server);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fds[i] = connect_to(cases[i].http ? ingest_webhook_url(server.webhook) : kafka_url(server.kafka));
        assert_int_equal(write(fds[i], cases[i].begun.data, cases[i].begun.size), cases[i].begun.size);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        read_out(fds[i]);
    stop(&server);
}

static void *ask(void *context)
{
    int fd = *(int *)context;
    for (size_t i = 0; i < REQUESTS; i++) {
        if (send(fd, versions, sizeof versions - 1, MSG_NOSIGNAL) < 0)
            break;
    }
    return NULL;
}

/* What it asks for is more than is kept for it: it is not read any more, and then ended, with a reset, since
 * something of what it sent was not read. */
static void test_answers_that_are_not_taken(void **state)
{
    struct server server;
    pthread_t asking;
    char answer[4];
    (void)state;
    start(&server);
    int fd = connect_to(kafka_url(server.kafka)), other = connect_to(kafka_url(server.kafka));
    assert_int_equal(pthread_create(&asking, NULL, ask, &fd), 0);
    assert_int_equal(write(other, versions, sizeof versions - 1), sizeof versions - 1);
    assert_int_equal(recv(other, answer, sizeof answer, MSG_WAITALL), sizeof answer);
    struct pollfd ended = {.fd = fd};
    assert_int_equal(poll(&ended, 1, ANSWER_MS), 1);
    pthread_join(asking, NULL);
    close(fd);
    close(other);
    stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unfinished),
                                       cmocka_unit_test(test_answers_that_are_not_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
