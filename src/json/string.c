/* Strings: escapes, the hash of a name, comparison of texts. */
#include "json/hash.h"
#include "json/parser.h"

uint32_t json_key_hash(const char *name, size_t size)
{
    if (size > 8)
        return json_hash_long(name, size);
    char padded[8] = {0};
    if (size)
        memcpy(padded, name, size);
    return json_hash_short(padded, size);
}

static uint32_t hex4(const char *digits)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char digit = (unsigned char)digits[i];
        value = value << 4 | (digit <= '9' ? digit - 48U : (digit | 0x20U) - 'a' + 10U);
    }
    return value;
}

/* Resolve the valid escape at *at (its backslash) into out (4 bytes at most); *at goes behind it. */
static size_t unescape_one(const char **at, char *out)
{
    char kind = (*at)[1];
    if (kind == 'u') {
        uint32_t code = hex4(*at + 2);
        *at += 6;
        if (code >= 0xd800 && code < 0xdc00) { /* valid strings pair their surrogates */
            code = 0x10000 + ((code - 0xd800) << 10) + (hex4(*at + 2) - 0xdc00);
            *at += 6;
        }
        return utf8_encode(code, out);
    }
    *at += 2;
    switch (kind) {
    case 'b':
        *out = '\b';
        break;
    case 'f':
        *out = '\f';
        break;
    case 'n':
        *out = '\n';
        break;
    case 'r':
        *out = '\r';
        break;
    case 't':
        *out = '\t';
        break;
    default: /* quote, backslash, slash */
        *out = kind;
    }
    return 1;
}

size_t json_unescape(const char *inner, size_t size, char *out)
{
    const char *at = inner, *end = inner + size;
    char *to = out;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (escape)
            to += unescape_one(&at, to);
    }
    return (size_t)(to - out);
}

/* A text read piece by piece with its escapes resolved, without memory. */
struct cursor {
    const char *at, *end;
    char piece[4];
    uint32_t used, filled;
};

static struct cursor cursor_of(const char *source, const struct json_node *node)
{
    const char *inner = source + node->offset + 1;
    return (struct cursor){.at = inner, .end = inner + node->length - 2};
}

/* The next byte, -1 at the end. */
static int cursor_next(struct cursor *cursor)
{
    if (cursor->used < cursor->filled)
        return (unsigned char)cursor->piece[cursor->used++];
    if (cursor->at == cursor->end)
        return -1;
    if (*cursor->at != '\\')
        return (unsigned char)*cursor->at++;
    cursor->filled = (uint32_t)unescape_one(&cursor->at, cursor->piece);
    cursor->used = 1;
    return (unsigned char)cursor->piece[0];
}

int json_text_compare(const char *a_source, const struct json_node *a, const char *b_source,
                      const struct json_node *b)
{
    if (!a->escaped && !b->escaped)
        return slice_compare((struct slice){a_source + a->offset + 1, a->length - 2},
                             (struct slice){b_source + b->offset + 1, b->length - 2});
    struct cursor x = cursor_of(a_source, a), y = cursor_of(b_source, b);
    for (;;) {
        int left = cursor_next(&x), right = cursor_next(&y);
        if (left != right)
            return left < right ? -1 : 1;
        if (left < 0)
            return 0;
    }
}

uint32_t json_hash_of_name(struct json_parser *parser, const struct json_node *node)
{
    const char *inner = parser->source + node->offset + 1;
    size_t size = node->length - 2;
    if (!node->escaped)
        return json_key_hash(inner, size);
    buffer_clear(&parser->text);
    buffer_reserve(&parser->text, size);
    return json_key_hash(parser->text.data, json_unescape(inner, size, parser->text.data));
}

struct slice json_string(const struct json *doc, uint32_t at, struct arena *arena)
{
    if (!json_is(doc, at, JSON_STRING) && !json_is(doc, at, JSON_KEY))
        return (struct slice){"", 0};
    struct slice inner = json_inner(doc, at);
    if (!json_escaped(doc, at))
        return inner;
    char *text = arena_alloc(arena, inner.size);
    return (struct slice){text, json_unescape(inner.data, inner.size, text)};
}

char *json_cstring(const struct json *doc, uint32_t at, struct arena *arena)
{
    if (!json_is(doc, at, JSON_STRING) && !json_is(doc, at, JSON_KEY))
        return NULL;
    struct slice inner = json_inner(doc, at);
    if (!json_escaped(doc, at))
        return arena_strndup(arena, inner.data, inner.size);
    char *text = arena_alloc(arena, inner.size + 1);
    text[json_unescape(inner.data, inner.size, text)] = 0;
    return text;
}

bool json_text_is(const struct json *doc, uint32_t at, struct slice text)
{
    struct slice inner = json_inner(doc, at);
    if (!json_escaped(doc, at))
        return slice_equal(inner, text);
    if (text.size >= inner.size) /* an escape is longer than what it stands for */
        return false;
    struct cursor cursor = cursor_of(doc->source, &doc->nodes[at]);
    for (size_t i = 0; i < text.size; i++) {
        if (cursor_next(&cursor) != (unsigned char)text.data[i])
            return false;
    }
    return cursor_next(&cursor) < 0;
}

bool json_string_is(const struct json *doc, uint32_t at, const char *text)
{
    if (!json_is(doc, at, JSON_STRING) && !json_is(doc, at, JSON_KEY))
        return false;
    return json_text_is(doc, at, slice_of(text));
}
