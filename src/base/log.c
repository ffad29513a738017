#include "base/log.h"

#include "base/buffer.h"
#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 16 * 1024 };

static const char *const names[LOG_LEVEL_MAX] = {"trace", "debug", "info", "warn", "error"};

const char *log_level_name(enum log_level level)
{
    return (unsigned)level < LOG_LEVEL_MAX ? names[level] : "info";
}

int log_level_parse(const char *text)
{
    for (int i = 0; i < LOG_LEVEL_MAX; i++) {
        if (strcasecmp(text, names[i]) == 0)
            return i;
    }
    if (strcasecmp(text, "warning") == 0)
        return LOG_WARN;
    return strcasecmp(text, "fatal") == 0 ? LOG_ERROR : -1;
}

/* Append text as the inside of a JSON string; control characters and bytes that are not ASCII are safe
 * because the message is already valid UTF-8 or is escaped byte by byte. */
static size_t escape(const char *text, char *out, size_t size)
{
    size_t at = 0;
    for (; *text && at + 7 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            out[at++] = '\\';
            out[at++] = (char)c;
        } else if (c < 0x20) {
            at += (size_t)snprintf(out + at, size - at, "\\u%04x", c);
        } else {
            out[at++] = (char)c;
        }
    }
    out[at] = 0;
    return at;
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    if (level < log->level)
        return;
    char message[LOG_LINE_MAX / 2], line[LOG_LINE_MAX], when[32];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    clock_format_rfc3339(clock_wall_ms(&clock_system), when, sizeof when);
    int length;
    if (log->json) {
        char escaped[LOG_LINE_MAX - 512], name[256];
        escape(message, escaped, sizeof escaped);
        escape(log->name ? log->name : "", name, sizeof name);
        length = snprintf(line, sizeof line,
                          "{\"ts\":\"%s\",\"level\":\"%s\",\"task\":\"%s\",\"message\":\"%s\"}\n", when,
                          names[level], name, escaped);
    } else {
        static const char *const colors[LOG_LEVEL_MAX] = {"\033[2m", "\033[2m", "", "\033[33m", "\033[31m"};
        struct buffer text;
        buffer_init(&text, LOG_LINE_MAX);
        text_append_printable_indented(&text, message, strlen(message));
        length = snprintf(line, sizeof line, "%s%.8s %s%s%s%s%s%s\n", log->color ? colors[level] : "",
                          when + 11, level == LOG_INFO ? "" : names[level], level == LOG_INFO ? "" : ": ",
                          log->name ? log->name : "", log->name ? ": " : "", buffer_cstr(&text),
                          log->color && *colors[level] ? "\033[0m" : "");
        buffer_done(&text);
    }
    if (length < 0)
        return;
    if ((size_t)length >= sizeof line) {
        length = sizeof line - 1;
        line[length - 1] = '\n';
    }
    /* One write a line, so that lines of several processes do not mix; a log that cannot be written has
     * nowhere to say so. */
    ssize_t written;
    do
        written = write(log->fd, line, (size_t)length);
    while (written < 0 && errno == EINTR);
}
