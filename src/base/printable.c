/* Texts of others, made safe to show. */
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/* Control characters, and those that a person does not see but that change what is seen: Unicode's
 * Bidi_Control, and the separators of lines and paragraphs. */
static bool misleads(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x61c ||
           (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

static void append_printable(struct buffer *out, const char *text, size_t size, bool lines)
{
    for (size_t at = 0, length; at < size; at += length) {
        uint32_t point = utf8_decode(text + at, size - at, &length);
        if (point == '\t')
            buffer_byte(out, ' ');
        else if (point == 0xfffd && length == 1)
            buffer_byte(out, '?');
        else if (misleads(point) && !(lines && point == '\n'))
            buffer_printf(out, "\\u%04x", point);
        else
            buffer_append(out, text + at, length);
    }
}

void text_append_printable(struct buffer *out, const char *text, size_t size)
{
    append_printable(out, text, size, false);
}

void text_append_printable_lines(struct buffer *out, const char *text, size_t size)
{
    append_printable(out, text, size, true);
}

void error_make_printable(struct error *err)
{
    struct buffer safe;
    buffer_init(&safe, (size_t)8 * ERROR_MESSAGE_MAX);
    text_append_printable_lines(&safe, err->message, strlen(err->message));
    size_t size = safe.data ? utf8_cut(safe.data, safe.size, sizeof err->message - 1) : 0;
    if (size)
        memcpy(err->message, safe.data, size);
    err->message[size] = 0;
    buffer_done(&safe);
}

void text_append_printable_indented(struct buffer *out, const char *text, size_t size)
{
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    for (size_t at = 0; at < size;) {
        const char *newline = memchr(text + at, '\n', size - at);
        size_t end = newline ? (size_t)(newline - text) : size;
        size_t shown = newline && end > at && text[end - 1] == '\r' ? end - 1 : end;
        if (at > 0)
            buffer_str(out, "\n  ");
        append_printable(out, text + at, shown - at, false);
        at = end + 1;
    }
}
