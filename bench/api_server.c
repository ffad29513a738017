/* An API of pages for bench/run's `declarative`: GET /records/PAGES?page=N (from 0) gives N's 1,000 records
 * and, in "next", the number of the page after it, null on the last. Bodies are made once, before the port is
 * told, so that what is measured is the client. GET /first gives the CLOCK_MONOTONIC nanoseconds at which the
 * first request for records since the last time it was asked had arrived. One process, poll, keep-alive; runs
 * until its standard input ends. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 1000, PAGES_MAX = 1000, CLIENTS_MAX = 64, REQUEST_MAX = 8192 };

/* A client's request so far. */
struct client {
    char text[REQUEST_MAX];
    size_t size;
};

/* The part of a page before its "next", which depends on how many pages are asked for. */
struct page {
    char *text;
    size_t size;
};

static struct page pages[PAGES_MAX];
static long long first_request;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void page_make(struct page *page, size_t number)
{
    FILE *out = open_memstream(&page->text, &page->size);
    if (!out) {
        die("open_memstream");
    }
    fputs("{\"object\": \"list\", \"data\": [", out);
    for (size_t i = 0; i < PAGE; i++) {
        size_t id = number * PAGE + i;
        fprintf(out,
                "%s{\"id\": %zu, \"status\": \"%s\", \"created_at\": \"2024-01-%02zuT%02zu:%02zu:00Z\", "
                "\"amount\": %zu.%02zu, "
                "\"currency\": \"eur\", \"customer\": {\"id\": \"cus_%08zx\", \"name\": \"Customer %zu\", "
                "\"email\": "
                "\"customer.%zu@example.com\"}, \"tags\": [\"a\", \"b%zu\"], \"note\": null, \"paid\": %s}",
                i ? ", " : "", id, id % 3 ? "open" : "closed", 1 + id % 28, id % 24, id % 60, id % 1000,
                id % 100, id, id, id, id % 7, id % 2 ? "true" : "false");
    }
    fputs("], \"next\": ", out);
    if (fclose(out)) {
        die("fclose");
    }
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return -1;
        }
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* The answer to one request: a page and its end, or (`page` NULL) the end alone. */
static int answer(int fd, const char *status, const struct page *page, const char *end)
{
    char head[256];
    size_t body = (page ? page->size : 0) + strlen(end);
    int size = snprintf(head, sizeof head,
                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                        status, body);
    if (write_all(fd, head, (size_t)size) || (page && write_all(fd, page->text, page->size))) {
        return -1;
    }
    return write_all(fd, end, strlen(end));
}

static int serve(int fd, const char *request)
{
    unsigned count, number = 0;
    char end[64];
    if (!strncmp(request, "GET /first ", 11)) {
        snprintf(end, sizeof end, "%lld", first_request);
        first_request = 0;
        return answer(fd, "200 OK", NULL, end);
    }
    const char *line_end = strstr(request, "\r\n"), *page = strstr(request, "page=");
    if (sscanf(request, "GET /records/%u", &count) != 1 || count == 0 || count > PAGES_MAX ||
        (page && page < line_end && sscanf(page, "page=%u", &number) != 1) || number >= count) {
        return answer(fd, "404 Not Found", NULL, "{}");
    }
    if (!first_request) {
        first_request = now_ns();
    }
    snprintf(end, sizeof end, number + 1 < count ? "%u}" : "null}", number + 1);
    return answer(fd, "200 OK", &pages[number], end);
}

/* Reads what is there and answers what is whole; -1 when the client is gone. No request has a body. */
static int client_ready(int fd, struct client *client)
{
    ssize_t got = recv(fd, client->text + client->size, sizeof client->text - 1 - client->size, 0);
    if (got < 0 && errno == EINTR) {
        return 0;
    }
    if (got <= 0) {
        return -1;
    }
    client->size += (size_t)got;
    client->text[client->size] = 0;
    char *end;
    while ((end = strstr(client->text, "\r\n\r\n"))) {
        if (serve(fd, client->text)) {
            return -1;
        }
        size_t used = (size_t)(end + 4 - client->text);
        client->size -= used;
        memmove(client->text, client->text + used, client->size + 1);
    }
    return client->size + 1 == sizeof client->text ? -1 : 0;
}

static int listen_loopback(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, CLIENTS_MAX) ||
        getsockname(fd, (struct sockaddr *)&address, &size)) {
        die("listen");
    }
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    long made = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    if (made < 1 || made > PAGES_MAX) {
        fprintf(stderr, "usage: bench_api_server PAGES (1 to %d)\n", PAGES_MAX);
        return 2;
    }
    for (long i = 0; i < made; i++) {
        page_make(&pages[i], (size_t)i);
    }
    static struct client clients[CLIENTS_MAX];
    struct pollfd fds[2 + CLIENTS_MAX] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                          {.fd = listen_loopback(), .events = POLLIN}};
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        fds[2 + i] = (struct pollfd){.fd = -1, .events = POLLIN};
    }
    while (poll(fds, 2 + CLIENTS_MAX, -1) >= 0 || errno == EINTR) {
        if (fds[0].revents) {
            return 0;
        }
        for (size_t i = 0; i < CLIENTS_MAX; i++) {
            struct pollfd *fd = &fds[2 + i];
            if (fd->fd >= 0 && fd->revents && client_ready(fd->fd, &clients[i])) {
                close(fd->fd);
                fd->fd = -1;
            } else if (fd->fd < 0 && fds[1].revents) {
                fd->fd = accept4(fds[1].fd, NULL, NULL, SOCK_CLOEXEC);
                fd->revents = 0;
                setsockopt(fd->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
                clients[i].size = 0;
                fds[1].revents = 0;
            }
        }
    }
    die("poll");
}
