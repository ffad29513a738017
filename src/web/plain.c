#include "web/plain.h"

#include <assert.h>
#include <strings.h>

/* Where reading is. Every function here returns false at the first byte that is not plain, and at the end of
 * what is there: `at == end` tells which. */
struct cursor {
    const char *begin, *at, *end;
};

typedef const bool byte_set[256];

static byte_set token_bytes = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['!'] = true, ['#'] = true,
    ['$'] = true,         ['&'] = true,         ['*'] = true,         ['+'] = true, ['-'] = true,
    ['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true, ['|'] = true,
    ['~'] = true,         ['%'] = true,         ['\''] = true,
};

/* Neither a query nor anything that is to be decoded. */
static byte_set path_bytes = {
    ['!'] = true, ['"'] = true, ['$'] = true, ['&' ... '>'] = true, ['@' ... '~'] = true,
};

/* No tab: what of those at a value's ends belongs to it is not for us to say. */
static byte_set value_bytes = {[' ' ... '~'] = true, [0x80 ... 0xff] = true};

static bool take_text(struct cursor *cursor, const char *text)
{
    for (; *text; text++, cursor->at++) {
        if (cursor->at == cursor->end || *cursor->at != *text)
            return false;
    }
    return true;
}

static bool take_while(struct cursor *cursor, byte_set set, struct plain_text *ret_text)
{
    const char *from = cursor->at;
    while (cursor->at < cursor->end && set[(unsigned char)*cursor->at])
        cursor->at++;
    *ret_text = (struct plain_text){(uint16_t)(from - cursor->begin), (uint16_t)(cursor->at - from)};
    return cursor->at < cursor->end;
}

static bool take_line(struct cursor *cursor, struct plain_head *head)
{
    if (cursor->end - cursor->at < 2) {
        cursor->at += *cursor->at == 'P';
        return false;
    }
    head->put = cursor->at[1] == 'U';
    return take_text(cursor, head->put ? "PUT " : "POST ") && cursor->at < cursor->end &&
           *cursor->at == '/' && take_while(cursor, path_bytes, &head->path) &&
           take_text(cursor, " HTTP/1.1\r\n");
}

static bool take_field(struct cursor *cursor, struct plain_field *field)
{
    if (!take_while(cursor, token_bytes, &field->name) || field->name.size == 0 || !take_text(cursor, ":"))
        return false;
    while (cursor->at < cursor->end && *cursor->at == ' ')
        cursor->at++;
    if (!take_while(cursor, value_bytes, &field->value))
        return false;
    const char *last = cursor->begin + field->value.at + field->value.size - 1;
    if (field->value.size && *last == ' ') {
        cursor->at = last; /* as of a tab */
        return false;
    }
    return take_text(cursor, "\r\n");
}

/* --- what the headers mean ------------------------------------------------------------------------------ */

/* Headers that make more of a request than its bytes, or a connection something else; and bodies that take
 * long to be understood, which the others of the lane would wait for. */
static bool is_beyond_us(struct slice name)
{
    static const char *const names[] = {"transfer-encoding", "expect", "upgrade",          "te",
                                        "trailer",           "cookie", "proxy-connection", "http2-settings",
                                        "content-encoding"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (name.size == strlen(names[i]) && strncasecmp(name.data, names[i], name.size) == 0)
            return true;
    }
    return false;
}

struct meaning {
    unsigned hosts, lengths;
    uint32_t length;
};

static bool is(struct slice name, const char *text, size_t size)
{
    return name.size == size && strncasecmp(name.data, text, size) == 0;
}

static bool read_length(struct slice value, size_t body_max, uint32_t *ret_length)
{
    uint64_t length = 0;
    if (value.size == 0 || value.size > 9)
        return false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        length = 10 * length + (uint64_t)(value.data[i] - '0');
    }
    *ret_length = (uint32_t)length;
    return length <= body_max;
}

static bool understand(struct slice name, struct slice value, size_t body_max, struct meaning *meaning)
{
    if (is(name, "host", 4))
        meaning->hosts++;
    else if (is(name, "content-length", 14))
        return meaning->lengths++ == 0 && read_length(value, body_max, &meaning->length);
    else if (is(name, "connection", 10))
        return is(value, "keep-alive", 10);
    else
        return !is_beyond_us(name);
    return meaning->hosts == 1;
}

static struct slice text_of(const char *bytes, struct plain_text text)
{
    return (struct slice){bytes + text.at, text.size};
}

/* What stopped it: the end of what is there, or a byte? */
static enum plain_found stopped(const struct cursor *cursor)
{
    return cursor->at == cursor->end ? PLAIN_MORE : PLAIN_OTHER;
}

enum plain_found plain_read(const char *bytes, size_t size, size_t head_max, size_t body_max,
                            struct plain_head *ret_head)
{
    struct cursor cursor = {bytes, bytes, bytes + size};
    struct meaning meaning = {0};
    assert(size > 0);
    if (size > PLAIN_MAX)
        return PLAIN_OTHER;
    ret_head->count = 0;
    if (!take_line(&cursor, ret_head))
        return stopped(&cursor);
    while (cursor.at < cursor.end && *cursor.at != '\r') {
        if (ret_head->count == PLAIN_FIELDS_MAX)
            return PLAIN_OTHER;
        struct plain_field *field = &ret_head->fields[ret_head->count++];
        if (!take_field(&cursor, field))
            return stopped(&cursor);
        if (!understand(text_of(bytes, field->name), text_of(bytes, field->value), body_max, &meaning))
            return PLAIN_OTHER;
    }
    if (!take_text(&cursor, "\r\n"))
        return stopped(&cursor);
    ret_head->head = (uint32_t)(cursor.at - bytes);
    ret_head->body = meaning.length;
    if (ret_head->head > head_max || meaning.hosts != 1 || meaning.lengths != 1 ||
        ret_head->head + ret_head->body > PLAIN_MAX)
        return PLAIN_OTHER;
    return ret_head->head + ret_head->body <= size ? PLAIN_WHOLE : PLAIN_MORE;
}
