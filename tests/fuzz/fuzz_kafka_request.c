/* A client's bytes, as they come, to a listener whose one capture is away: frames of every request. Whatever
 * they are, the listener takes them, and the end of the connection, and goes on; what it answers are frames.
 */
#include "base/file.h"
#include "ingest/kafka/kafka.h"
#include "ingest/kafka/wire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWERS_MAX = 8 << 20 };

struct listening {
    struct ingest_captures *captures;
    struct kafka *kafka;
    struct sockaddr_in address;
    char folder[32];
};

static struct listening listening;

static void end(void)
{
    struct error unused;
    kafka_close(listening.kafka, 0);
    ingest_captures_free(listening.captures);
    file_remove_tree(listening.folder, &unused);
}

static void begin(void)
{
    struct error err;
    uint64_t port;
    snprintf(listening.folder, sizeof listening.folder, "/tmp/firth-fuzz-XXXXXX");
    if (!mkdtemp(listening.folder))
        abort();
    struct store *store = store_open(listening.folder, &(struct store_options){0}, &err);
    if (!store)
        abort();
    store_close(store);
    listening.captures = ingest_captures_new();
    ingest_captures_reserve(listening.captures, "a", (const char *const[]){"/ingest/a", NULL},
                            (const char *const[]){"acmeCo/a", NULL});
    listening.kafka =
        kafka_open(listening.captures,
                   &(struct kafka_options){.listen = "127.0.0.1:0", .data_dir = listening.folder}, &err);
    if (!listening.kafka || !string_to_u64(strrchr(kafka_url(listening.kafka), ':') + 1, UINT16_MAX, &port))
        abort();
    listening.address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    atexit(end);
}

/* Until the listener ends the connection, as it does when it has seen its end. */
static void read_answers(int fd)
{
    struct buffer answers;
    size_t at = 0;
    ssize_t got;
    buffer_init(&answers, ANSWERS_MAX);
    do {
        if (!buffer_reserve(&answers, 4096))
            break;
        got = read(fd, answers.data + answers.size, 4096);
        answers.size += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    while (answers.size - at >= 4) {
        uint32_t size = wire_get_u32(answers.data + at);
        if (size > ANSWERS_MAX)
            abort();
        at += 4 + size;
        if (at > answers.size)
            break; /* cut by the connection's end */
    }
    buffer_done(&answers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!listening.kafka)
        begin();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&listening.address, sizeof listening.address) < 0)
        abort();
    for (size_t at = 0; at < size;) {
        ssize_t sent = send(fd, data + at, size - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    shutdown(fd, SHUT_WR);
    read_answers(fd);
    close(fd);
    return 0;
}
