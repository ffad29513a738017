/* URLs as text. */
#include "connectors/http/internal.h"

#include <ctype.h>
#include <strings.h>

struct parts {
    struct slice scheme, host, port, rest; /* host without user and password; rest: from the path on */
};

static bool is_end_of_host(char byte)
{
    return byte == 0 || byte == '/' || byte == '?' || byte == '#' || byte == '\\';
}

static struct parts parts_of(const char *url)
{
    struct parts parts = {{url, 0}, {url, 0}, {url, 0}, {url, strlen(url)}};
    const char *colon = strstr(url, "://");
    if (!colon)
        return parts;
    parts.scheme.size = (size_t)(colon - url);
    const char *host = colon + 3, *end = host;
    while (!is_end_of_host(*end))
        end++;
    for (const char *at = host; at < end; at++)
        if (*at == '@')
            host = at + 1;
    const char *port = end;
    for (const char *at = host; at < end; at++) {
        if (*at == ']')
            port = end;
        else if (*at == ':' && port == end)
            port = at;
    }
    if (*host == '[') { /* the colons within are not the port's */
        const char *bracket = memchr(host, ']', (size_t)(end - host));
        port = bracket && bracket + 1 < end && bracket[1] == ':' ? bracket + 1 : end;
    }
    parts.host = (struct slice){host, (size_t)(port - host)};
    parts.port = port < end ? (struct slice){port + 1, (size_t)(end - port) - 1} : (struct slice){end, 0};
    parts.rest = slice_of(end);
    return parts;
}

void http_url_origin_shown(const char *url, struct buffer *out)
{
    const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
    size_t size = 0;
    while (!is_end_of_host(host[size]))
        size++;
    for (size_t at = size; at-- > 0;) {
        if (host[at] == '@') {
            host += at + 1;
            size -= at + 1;
            break;
        }
    }
    buffer_append(out, host, size);
}

void http_url_shown(const char *url, struct buffer *out)
{
    struct parts parts = parts_of(url);
    size_t path = strcspn(parts.rest.data, "?#");
    buffer_append(out, parts.scheme.data, parts.scheme.size);
    if (parts.scheme.size)
        buffer_str(out, "://");
    buffer_append(out, parts.host.data, parts.host.size);
    if (parts.port.size) {
        buffer_byte(out, ':');
        buffer_append(out, parts.port.data, parts.port.size);
    }
    enum { PATH_SHOWN = 300 };
    size_t shown = utf8_cut(parts.rest.data, path, PATH_SHOWN);
    buffer_append(out, parts.rest.data, shown);
    if (shown < path)
        buffer_str(out, "…");
    if (parts.rest.data[path] == '?')
        buffer_str(out, "?…");
}

bool http_url_is_ours(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static bool same_text(struct slice a, struct slice b)
{
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

static struct slice port_of(struct parts parts)
{
    if (parts.port.size)
        return parts.port;
    return same_text(parts.scheme, SLICE_LITERAL("https")) ? SLICE_LITERAL("443") : SLICE_LITERAL("80");
}

bool http_url_same_origin(const char *a, const char *b)
{
    struct parts one = parts_of(a), two = parts_of(b);
    return same_text(one.scheme, two.scheme) && same_text(one.host, two.host) &&
           same_text(port_of(one), port_of(two));
}

void http_url_encode(struct buffer *out, struct slice text, const char *also)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte && byte < 0x80 && (isalnum(byte) || strchr("-._~", byte) || (also && strchr(also, byte)))) {
            buffer_byte(out, (char)byte);
        } else {
            buffer_byte(out, '%');
            buffer_byte(out, digits[byte >> 4]);
            buffer_byte(out, digits[byte & 15]);
        }
    }
}
