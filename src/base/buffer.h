/* A growable byte buffer with a stated maximum.
 *
 * Invariants: `data` is NULL only while `capacity` is 0; `size <= capacity <= max` (plus one spare byte
 * kept for buffer_cstr). Appends past the maximum set `overflowed` and change nothing else, so a run of
 * appends is checked once at its end; buffer_clear resets it. */
#ifndef FIRTH_BASE_BUFFER_H
#define FIRTH_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t max;
    bool overflowed;
};

#define BUFFER_UNLIMITED SIZE_MAX /* only where the content is our own and bounded otherwise */

void buffer_init(struct buffer *buffer, size_t max);
void buffer_done(struct buffer *buffer);
/* Make room for `more` bytes past size; false (and overflowed) if that would pass max. */
bool buffer_reserve(struct buffer *buffer, size_t more);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The content as a NUL-terminated string, owned by the buffer, valid until the next append. Never NULL. */
const char *buffer_cstr(struct buffer *buffer);
/* Hand the bytes over as a NUL-terminated heap string; the buffer is empty afterwards. */
char *buffer_steal(struct buffer *buffer);
void buffer_consume(struct buffer *buffer, size_t count); /* drop the first `count` bytes */

static inline void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->overflowed = false;
}

static inline void buffer_append(struct buffer *buffer, const void *bytes, size_t count)
{
    if (count == 0)
        return;
    if (buffer->capacity - buffer->size < count && !buffer_reserve(buffer, count))
        return;
    memcpy(buffer->data + buffer->size, bytes, count);
    buffer->size += count;
}

static inline void buffer_byte(struct buffer *buffer, char byte)
{
    buffer_append(buffer, &byte, 1);
}

static inline void buffer_str(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

/* Append `text` between two of `quote`, each of those within it doubled: as SQL writes names and texts. */
void buffer_quoted(struct buffer *buffer, const char *text, size_t size, char quote);

/* Append a text for a terminal or a log that people read: characters that could steer it, or mislead who
 * reads (control characters, separators of lines, those that turn the direction of writing), as in JSON:
 * \u202e. Bytes that are not UTF-8 become question marks, tabs blanks. */
void text_append_printable(struct buffer *out, const char *text, size_t size);
/* The same of a text of several lines: '\n' stays. */
void text_append_printable_lines(struct buffer *out, const char *text, size_t size);
/* The same, what follows a '\n' indented by two, so that no line of the text looks like the beginning of
 * another message. Line ends at the end of the text are left out. */
void text_append_printable_indented(struct buffer *out, const char *text, size_t size);

#endif
