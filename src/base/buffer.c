#include "base/buffer.h"

#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_init(struct buffer *buffer, size_t max)
{
    assert(max > 0);
    *buffer = (struct buffer){.max = max};
}

void buffer_done(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.max = buffer->max};
}

bool buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->capacity - buffer->size >= more && buffer->data)
        return true;
    if (more > buffer->max - buffer->size) {
        buffer->overflowed = true;
        return false;
    }
    size_t needed = buffer->size + more;
    size_t grown = buffer->capacity < 64 ? 64 : buffer->capacity + buffer->capacity / 2;
    if (grown < needed)
        grown = needed;
    if (grown > buffer->max)
        grown = buffer->max;
    buffer->data = mem_realloc(buffer->data, grown + 1);
    buffer->capacity = grown;
    return true;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(length >= 0);
    /* The spare byte behind capacity takes vsnprintf's NUL. */
    if (buffer_reserve(buffer, (size_t)length)) {
        vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    va_end(again);
}

const char *buffer_cstr(struct buffer *buffer)
{
    if (!buffer->data)
        return "";
    buffer->data[buffer->size] = 0;
    return buffer->data;
}

char *buffer_steal(struct buffer *buffer)
{
    char *data = buffer->data ? buffer->data : mem_alloc(1);
    data[buffer->size] = 0;
    *buffer = (struct buffer){.max = buffer->max};
    return data;
}

void buffer_quoted(struct buffer *buffer, const char *text, size_t size, char quote)
{
    buffer_byte(buffer, quote);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == quote)
            buffer_byte(buffer, quote);
        buffer_byte(buffer, text[i]);
    }
    buffer_byte(buffer, quote);
}

void buffer_consume(struct buffer *buffer, size_t count)
{
    assert(count <= buffer->size);
    if (count == 0)
        return;
    memmove(buffer->data, buffer->data + count, buffer->size - count);
    buffer->size -= count;
}
