#include "web/listen.h"

#include "base/memory.h"
#include "base/text.h"
#include "web/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 512, HOST_MAX = 256, PORT_MAX = 65535, LISTEN_GONE_S = 120 };

static int wrong(const char *text, struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "'%.100s' is no address to listen on: write HOST:PORT, as 127.0.0.1:8000", text);
}

/* "HOST:PORT", "[V6]:PORT", ":PORT". */
static int split(const char *text, char host[HOST_MAX], const char **ret_port, struct error *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || !string_to_u64(colon + 1, PORT_MAX, &port))
        return wrong(text, err);
    const char *begin = text, *end = colon;
    if (*begin == '[') {
        if (end == begin + 1 || end[-1] != ']')
            return wrong(text, err);
        begin++;
        end--;
    } else if (memchr(begin, ':', (size_t)(end - begin))) {
        return error_set(err, ERROR_INVALID, "'%.100s': an IPv6 address needs brackets, as [::1]:8000", text);
    }
    if (end - begin >= HOST_MAX)
        return wrong(text, err);
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = 0;
    *ret_port = colon + 1;
    return 0;
}

static int resolve(const char *text, struct addrinfo **ret_found, struct error *err)
{
    char host[HOST_MAX] = "";
    const char *port = NULL;
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    if (split(text, host, &port, err) < 0)
        return -1;
    int failed = getaddrinfo(*host ? host : NULL, port, &wanted, ret_found);
    if (failed)
        return error_set(err, ERROR_INVALID, "cannot listen on %.100s: %s", text, gai_strerror(failed));
    return 0;
}

static bool is_local(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    if (address->sa_family != AF_INET6)
        return false;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == IN_LOOPBACKNET);
}

bool listen_is_near(const struct sockaddr *peer, const struct sockaddr *own)
{
    return peer && own && is_local(peer) && is_local(own);
}

int http_listen_is_local(const char *listen, bool *ret_local, struct error *err)
{
    struct addrinfo *found;
    if (resolve(listen, &found, err) < 0)
        return -1;
    *ret_local = is_local(found->ai_addr);
    freeaddrinfo(found);
    return 0;
}

void listen_format(const struct sockaddr *address, bool port, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    unsigned number = 0;
    bool six = address->sa_family == AF_INET6;
    if (six) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
        number = ntohs(in->sin6_port);
    } else if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        number = ntohs(in->sin_port);
    }
    if (!port)
        snprintf(text, size, "%s", host);
    else
        snprintf(text, size, six ? "[%s]:%u" : "%s:%u", host, number);
}

/* A client that is gone without a word (its host, or the network between) is asked whether it is there, and
 * its connection ends: also while its request is at work. Linux's accepted sockets have it of the listener.
 */
static void watch_peers(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},
#ifdef TCP_USER_TIMEOUT
                   {IPPROTO_TCP, TCP_USER_TIMEOUT, LISTEN_GONE_S * 1000},
#endif
#ifdef TCP_KEEPIDLE
                   {IPPROTO_TCP, TCP_KEEPIDLE, LISTEN_GONE_S / 2},
                   {IPPROTO_TCP, TCP_KEEPINTVL, LISTEN_GONE_S / 8},
                   {IPPROTO_TCP, TCP_KEEPCNT, 4}
#endif
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

static int bind_to(const struct addrinfo *found, const char *text, struct error *err)
{
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    if (fd < 0)
        return error_errno(err, errno, "cannot make a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    watch_peers(fd);
    if (bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int failure = errno;
    close(fd);
    if (failure == EADDRINUSE)
        return error_set(
            err, ERROR_BUSY,
            "cannot listen on %.100s: another program does ('ss -ltnp' tells which); choose another port",
            text);
    return error_errno(err, failure, "cannot listen on %.100s", text);
}

int listen_open(const char *text, char *ret_address, size_t size, struct error *err)
{
    struct addrinfo *found;
    struct sockaddr_storage got = {0};
    socklen_t length = sizeof got;
    if (resolve(text, &found, err) < 0)
        return -1;
    int fd = bind_to(found, text, err);
    freeaddrinfo(found);
    if (fd < 0)
        return -1;
    getsockname(fd, (struct sockaddr *)&got, &length);
    listen_format((const struct sockaddr *)&got, true, ret_address, size);
    return fd;
}
