#include "xml.h"

#include <stdlib.h>

bool s3_xml_next(struct slice xml, const char *name, size_t *at, struct slice *ret_inside)
{
    size_t length = strlen(name);
    const char *end = xml.data + xml.size;
    for (const char *from = xml.data + *at; from < end; from++) {
        from = memchr(from, '<', (size_t)(end - from));
        if (!from || (size_t)(end - from) < length + 2)
            return false;
        if (memcmp(from + 1, name, length) != 0 || !strchr("> \t\r\n/", from[1 + length]))
            continue;
        const char *open = memchr(from, '>', (size_t)(end - from));
        if (!open)
            return false;
        *ret_inside = (struct slice){open + 1, 0};
        if (open[-1] == '/') {
            *at = (size_t)(open + 1 - xml.data);
            return true;
        }
        for (const char *to = open + 1; to < end; to++) {
            to = memchr(to, '<', (size_t)(end - to));
            if (!to || (size_t)(end - to) < length + 3)
                return false;
            if (to[1] != '/' || memcmp(to + 2, name, length) != 0 || !strchr("> \t\r\n", to[2 + length]))
                continue;
            ret_inside->size = (size_t)(to - open - 1);
            *at = (size_t)(to - xml.data) + length + 3;
            return true;
        }
        return false;
    }
    return false;
}

bool s3_xml_find(struct slice xml, const char *name, struct slice *ret_inside)
{
    size_t at = 0;
    return s3_xml_next(xml, name, &at, ret_inside);
}

static void put_code_point(struct buffer *out, unsigned long c)
{
    char bytes[UTF8_LENGTH_MAX];
    if (c < 0x110000 && (c < 0xd800 || c > 0xdfff))
        buffer_append(out, bytes, utf8_encode((uint32_t)c, bytes));
}

void s3_xml_text(struct slice inside, struct buffer *out)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < inside.size;) {
        struct slice rest = {inside.data + i, inside.size - i};
        size_t used = 0;
        for (size_t k = 0; k < sizeof entities / sizeof *entities && !used; k++) {
            if (slice_starts_with(rest, entities[k].name)) {
                buffer_byte(out, entities[k].c);
                used = strlen(entities[k].name);
            }
        }
        const char *end = !used && rest.size > 3 && rest.data[0] == '&' && rest.data[1] == '#'
                              ? memchr(rest.data, ';', rest.size < 12 ? rest.size : 12)
                              : NULL;
        if (end) {
            bool hex = rest.data[2] == 'x' || rest.data[2] == 'X';
            put_code_point(out, strtoul(rest.data + 2 + hex, NULL, hex ? 16 : 10));
            used = (size_t)(end - rest.data) + 1;
        } else if (!used) {
            buffer_byte(out, rest.data[0]);
            used = 1;
        }
        i += used;
    }
}

void s3_xml_escape(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("&<>\"'", *text))
            buffer_printf(out, "&#%d;", *text);
        else
            buffer_byte(out, *text);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void s3_url_decode(struct slice text, struct buffer *out)
{
    for (size_t i = 0; i < text.size; i++) {
        int high = text.data[i] == '%' && i + 2 < text.size ? hex_digit(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;
        if (low >= 0) {
            buffer_byte(out, (char)(high << 4 | low));
            i += 2;
        } else {
            buffer_byte(out, text.data[i] == '+' ? ' ' : text.data[i]);
        }
    }
}
