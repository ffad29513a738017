/* A server that answers from a list, whatever it is asked: "404 Retry-After: 5|body", "200" with {} for a
 * body. */
#ifndef FIRTH_TESTS_DECLARATIVE_LAB_SERVER_H
#define FIRTH_TESTS_DECLARATIVE_LAB_SERVER_H

#include "../connectors/http_server.h"

static const char *const *answers;
static atomic_int answered;

__attribute__((unused)) static void next_answer(struct server *server, int fd, const char *request)
{
    (void)server, (void)request;
    const char *answer = answers[atomic_fetch_add(&answered, 1)];
    char text[4096];
    int status = (int)strtol(answer, NULL, 10);
    const char *body = strchr(answer, '|'), *headers = strchr(answer, ' ');
    size_t headers_size = headers && body && headers < body ? (size_t)(body - headers - 1) : 0;
    body = body ? body + 1 : "{}";
    int size = snprintf(text, sizeof text, "HTTP/1.1 %d X\r\n%.*s%sContent-Length: %zu\r\n\r\n%s", status,
                        (int)headers_size, headers ? headers + 1 : "", headers_size ? "\r\n" : "",
                        strlen(body), status == 304 || status == 204 ? "" : body);
    server_send(fd, text, (size_t)size);
}

__attribute__((unused)) static const struct rule rules[] = {{.path = "/x", .answer = next_answer},
                                                            {.path = "/token", .answer = next_answer},
                                                            {.path = "/login", .answer = next_answer},
                                                            {NULL}};

/* What was asked: request line, headers that matter, body. */
__attribute__((unused)) static void asked(struct server *server, struct buffer *out)
{
    buffer_clear(out);
    pthread_mutex_lock(&server->lock);
    const char *text = buffer_cstr(&server->asked);
    while (*text) {
        const char *end = strstr(text, "\r\n\r\n");
        size_t line = strcspn(text, "\r");
        buffer_append(out, text, line - strlen(" HTTP/1.1"));
        size_t length = 0;
        for (const char *header = text + line + 2; header < end + 2; header += strcspn(header, "\r") + 2) {
            static const char *const ours[] = {"Host:", "User-Agent:", "Accept:", "Accept-Encoding:"};
            bool mine = false;
            for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
                mine |= strncasecmp(header, ours[i], strlen(ours[i])) == 0;
            if (strncasecmp(header, "Content-Length:", 15) == 0)
                length = strtoul(header + 15, NULL, 10);
            else if (!mine)
                buffer_printf(out, " [%.*s]", (int)strcspn(header, "\r"), header);
        }
        if (length)
            buffer_printf(out, " %.*s", (int)length, end + 4);
        buffer_str(out, "\n");
        text = end + 4 + length;
    }
    buffer_clear(&server->asked);
    pthread_mutex_unlock(&server->lock);
}

__attribute__((unused)) static char *with_port(struct arena *arena, const char *text, unsigned port)
{
    const char *at;
    while ((at = strstr(text, "PORT")))
        text = arena_printf(arena, "%.*s%u%s", (int)(at - text), text, port, at + 4);
    return arena_strdup(arena, text);
}

#endif
