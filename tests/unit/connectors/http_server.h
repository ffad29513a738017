/* A server on loopback that answers as a table says, a thread a connection. It keeps what it was asked. */
#ifndef FIRTH_TESTS_HTTP_SERVER_H
#define FIRTH_TESTS_HTTP_SERVER_H

#include "base/buffer.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct server;

/* What is answered to a path. */
struct rule {
    const char *path; /* up to a '?' */
    const char *text; /* the whole answer, or */
    void (*answer)(struct server *server, int fd, const char *request);
    bool close; /* the connection, after it */
};

enum { SERVER_CONNECTIONS_MAX = 64 };

struct server {
    const struct rule *rules; /* up to one without a path */
    int fd;
    unsigned port;
    pthread_t thread, threads[SERVER_CONNECTIONS_MAX];
    int fds[SERVER_CONNECTIONS_MAX];
    size_t connections;
    pthread_mutex_t lock;
    struct buffer asked; /* every request, one after another */
    atomic_int waiting;  /* rules that count, or wait, do it here */
    atomic_bool closing;
};

struct server_connection {
    struct server *server;
    int fd;
};

__attribute__((unused)) static void server_send(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* One whole request into `request`; false at the end. */
static bool server_receive(int fd, struct buffer *request)
{
    char bytes[4096];
    size_t wanted = 0;
    buffer_clear(request);
    for (;;) {
        const char *text = buffer_cstr(request), *end = strstr(text, "\r\n\r\n");
        if (end && !wanted) {
            const char *length = strcasestr(text, "\r\nContent-Length:");
            bool chunked = strcasestr(text, "\r\nTransfer-Encoding: chunked") != NULL;
            wanted = (size_t)(end - text) + 4 + (length ? strtoul(length + 17, NULL, 10) : 0);
            if (chunked)
                wanted = strstr(end, "\r\n0\r\n\r\n") ? request->size : 0;
        }
        if (wanted && request->size >= wanted)
            return true;
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            return false;
        buffer_append(request, bytes, (size_t)got);
    }
}

static const struct rule *server_find(const struct server *server, const char *request)
{
    const char *path = strchr(request, ' ');
    path = path ? path + 1 : "";
    if (strncmp(path, "http://", 7) == 0) /* as a proxy is asked */
        path = strchr(path + 7, '/');
    size_t size = path ? strcspn(path, " ?") : 0;
    for (const struct rule *rule = server->rules; rule->path; rule++)
        if (strlen(rule->path) == size && strncmp(rule->path, path, size) == 0)
            return rule;
    return NULL;
}

static void *server_talk(void *context)
{
    struct server_connection *connection = context;
    struct server *server = connection->server;
    int fd = connection->fd;
    struct buffer request;
    free(connection);
    buffer_init(&request, 16 << 20);
    while (server_receive(fd, &request)) {
        const struct rule *rule = server_find(server, buffer_cstr(&request));
        pthread_mutex_lock(&server->lock);
        buffer_append(&server->asked, request.data, request.size);
        pthread_mutex_unlock(&server->lock);
        const char *text = rule ? rule->text : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        if (text)
            server_send(fd, text, strlen(text));
        else
            rule->answer(server, fd, buffer_cstr(&request));
        if (rule && rule->close)
            break;
    }
    shutdown(fd, SHUT_RDWR);
    buffer_done(&request);
    return NULL;
}

static void *server_accept(void *context)
{
    struct server *server = context;
    for (;;) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 || atomic_load(&server->closing)) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        assert(server->connections < SERVER_CONNECTIONS_MAX);
        struct server_connection *connection = mem_zalloc(sizeof *connection);
        *connection = (struct server_connection){server, fd};
        server->fds[server->connections] = fd;
        pthread_create(&server->threads[server->connections++], NULL, server_talk, connection);
    }
}

static void server_open(struct server *server, const struct rule *rules)
{
    *server = (struct server){.rules = rules, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    buffer_init(&server->asked, 64 << 20);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->fd, (struct sockaddr *)&address, size) < 0 || listen(server->fd, 64) < 0 ||
        getsockname(server->fd, (struct sockaddr *)&address, &size) < 0)
        abort();
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, server_accept, server);
}

/* Every connection ends, whatever it waits for. */
__attribute__((unused)) static void server_hang_up(struct server *server)
{
    for (size_t i = 0; i < server->connections; i++)
        shutdown(server->fds[i], SHUT_RDWR);
}

static void server_close(struct server *server)
{
    atomic_store(&server->closing, true);
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < server->connections; i++) {
        shutdown(server->fds[i], SHUT_RDWR);
        pthread_join(server->threads[i], NULL);
        close(server->fds[i]);
    }
    close(server->fd);
    buffer_done(&server->asked);
}

#endif
