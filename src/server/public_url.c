#include "server/public_url.h"

#include "server/internal.h"

#include <ctype.h>

enum { AUTHORITY_MAX = 253 + 6 /* a name of the DNS, and ":65535" */, URL_MAX = 2048 };

/* "firth.example.com", "127.0.0.1:8000", "[::1]:8000". What else a header may hold would stand in a URL that
 * others follow. */
static bool is_authority(struct slice text)
{
    size_t at = 0;
    uint64_t port;
    char digits[6] = {0};
    if (text.size == 0 || text.size > AUTHORITY_MAX)
        return false;
    if (text.data[0] == '[') {
        for (at = 1;
             at < text.size && (isxdigit((unsigned char)text.data[at]) || strchr(":.", text.data[at]));)
            at++;
        if (at < 3 || at == text.size || text.data[at++] != ']')
            return false;
    } else {
        while (at < text.size && (isalnum((unsigned char)text.data[at]) || memchr("-._", text.data[at], 3)))
            at++;
    }
    if (at == 0 || at == text.size)
        return at > 0;
    size_t size = text.size - at - 1;
    if (text.data[at] != ':' || size == 0 || size > 5)
        return false;
    memcpy(digits, text.data + at + 1, size);
    return string_to_u64(digits, UINT16_MAX, &port) && port > 0;
}

int server_public_url_check(const char *url, struct error *err)
{
    assert(url);
    const char *rest = string_starts_with(url, "https://")  ? url + 8
                       : string_starts_with(url, "http://") ? url + 7
                                                            : NULL;
    size_t size = rest ? strcspn(rest, "/") : 0, length = strlen(url);
    bool right =
        rest && length <= URL_MAX && is_authority((struct slice){rest, size}) && url[length - 1] != '/';
    for (const char *at = right ? rest + size : ""; *at && right; at++)
        right = isalnum((unsigned char)*at) || strchr("/-._~%", *at);
    if (right)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "the public URL '%.200s' is none: http or https, a host, and a path or none, such as "
                     "https://firth.example.com, without a '/' at its end",
                     url);
}

const char *public_url(struct call *call)
{
    const char *said = call->server->options.public_url, *own = server_url(call->server),
               *host = http_header(call->http, "Host");
    if (said)
        return said;
    if (!host || !is_authority(slice_of(host)))
        return own;
    return arena_printf(call->arena, "%s://%s", string_starts_with(own, "https:") ? "https" : "http", host);
}
