#include "supervisor/talk.h"

#include "base/clock.h"
#include "base/file.h"
#include "supervisor/talk_address.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

int talk_connect(const char *data_dir, struct error *err)
{
    struct talk_address address;
    if (talk_address_open(&address, data_dir, err) < 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 ? errno : 0;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address.name, sizeof address.name) < 0)
        failed = errno;
    talk_address_close(&address);
    if (failed == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    if (failed == ENOENT || failed == ECONNREFUSED)
        return error_set(err, ERROR_NOT_FOUND, "no daemon runs on %s", data_dir);
    return error_errno(err, failed, "cannot talk to the daemon of %s", data_dir);
}

static int send_all(int fd, const char *bytes, size_t size, struct error *err)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return error_errno(err, errno, "cannot talk to the daemon");
        bytes += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* Wait until something can be read. */
static int wait_for(int fd, uint64_t until_ms, struct error *err)
{
    for (;;) {
        uint64_t now = clock_monotonic_ns(&clock_system) / 1000000;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, now < until_ms ? (int)(until_ms - now) : 0);
        if (ready > 0)
            return 0;
        if (ready == 0)
            return error_set(err, ERROR_IO, "the daemon did not answer within %d s", TALK_PATIENCE_MS / 1000);
        if (errno != EINTR)
            return error_errno(err, errno, "cannot wait for the daemon's answer");
    }
}

int talk_ask(int fd, const char *request, struct buffer *answer, struct error *err)
{
    uint64_t until = clock_monotonic_ns(&clock_system) / 1000000 + TALK_PATIENCE_MS;
    if (send_all(fd, request, strlen(request), err) < 0 || send_all(fd, "\n", 1, err) < 0)
        return -1;
    for (;;) {
        if (!buffer_reserve(answer, 16 << 10))
            return error_set(err, ERROR_LIMIT, "the daemon's answer is longer than %zu bytes", answer->max);
        if (wait_for(fd, until, err) < 0)
            return -1;
        ssize_t got = read(fd, answer->data + answer->size, answer->capacity - answer->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read the daemon's answer");
        if (got == 0)
            return error_set(err, ERROR_IO, "the daemon ended before it had answered");
        answer->size += (size_t)got;
        if (answer->data[answer->size - 1] == '\n') {
            answer->size--;
            return 0;
        }
    }
}

bool talk_wake(const char *data_dir)
{
    struct error ignored;
    struct buffer answer;
    auto_close int fd = talk_connect(data_dir, &ignored);
    if (fd < 0)
        return false;
    buffer_init(&answer, TALK_ANSWER_MAX);
    (void)talk_ask(fd, "{\"do\":\"wake\"}", &answer, &ignored);
    buffer_done(&answer);
    return true;
}
