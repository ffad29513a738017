#include "connector/disguise.h"

#include <ctype.h>

/* --- escapes -------------------------------------------------------------------------------------- */

enum { CUT_OFF = -1, NO_ESCAPE = 0 };

/* One escape: how many bytes it takes, and what it stands for. */
struct escape {
    char bytes[4];
    int size;
};

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* `count` hexadecimal digits at the beginning of `text`. */
static int read_hex(struct slice text, size_t count, uint32_t *ret_value)
{
    *ret_value = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == text.size)
            return CUT_OFF;
        int digit = hex_digit(text.data[i]);
        if (digit < 0)
            return NO_ESCAPE;
        *ret_value = *ret_value * 16 + (uint32_t)digit;
    }
    return (int)count;
}

static void put_utf8(struct escape *out, uint32_t code)
{
    out->size += utf8_encode(code, out->bytes + out->size);
}

static struct slice behind(struct slice text, size_t count)
{
    count = count < text.size ? count : text.size;
    return (struct slice){text.data + count, text.size - count};
}

/* \uXXXX, or two of them that make one character. */
static int read_unicode(struct slice text, struct escape *ret)
{
    uint32_t code, low;
    int got = read_hex(behind(text, 2), 4, &code);
    if (got <= 0)
        return got;
    if (code >= 0xd800 && code < 0xdc00) {
        struct slice rest = behind(text, 6);
        if (rest.size < 6)
            return CUT_OFF;
        if (rest.data[0] == '\\' && rest.data[1] == 'u' && read_hex(behind(rest, 2), 4, &low) == 4 &&
            low >= 0xdc00 && low < 0xe000) {
            put_utf8(ret, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
            return 12;
        }
    }
    put_utf8(ret, code);
    return 6;
}

/* At a backslash. */
static int read_json(struct slice text, struct escape *ret)
{
    static const char names[] = "\"\\/'bfnrt", values[] = "\"\\/'\b\f\n\r\t";
    uint32_t code;
    if (text.size < 2)
        return CUT_OFF;
    if (text.data[1] == 'u')
        return read_unicode(text, ret);
    if (text.data[1] == 'x') {
        int got = read_hex(behind(text, 2), 2, &code);
        if (got <= 0)
            return got;
        ret->bytes[ret->size++] = (char)code;
        return 4;
    }
    const char *found = text.data[1] ? strchr(names, text.data[1]) : NULL;
    if (!found)
        return NO_ESCAPE;
    ret->bytes[ret->size++] = values[found - names];
    return 2;
}

/* At a percent sign. */
static int read_percent(struct slice text, struct escape *ret)
{
    uint32_t code;
    int got = read_hex(behind(text, 1), 2, &code);
    if (got <= 0)
        return got;
    ret->bytes[ret->size++] = (char)code;
    return 3;
}

static int read_escape(enum connector_disguise disguise, struct slice text, struct escape *ret)
{
    if (disguise == CONNECTOR_DISGUISE_JSON)
        return *text.data == '\\' ? read_json(text, ret) : NO_ESCAPE;
    if (*text.data == '%')
        return read_percent(text, ret);
    if (disguise == CONNECTOR_DISGUISE_FORM && *text.data == '+') {
        ret->bytes[ret->size++] = ' ';
        return 1;
    }
    return NO_ESCAPE;
}

static bool wears(struct slice text, enum connector_disguise disguise)
{
    static const char signs[] = {
        [CONNECTOR_DISGUISE_JSON] = '\\', [CONNECTOR_DISGUISE_URL] = '%', [CONNECTOR_DISGUISE_FORM] = '+'};
    return text.size && memchr(text.data, signs[disguise], text.size);
}

bool connector_undisguise(const struct connector_view *view, enum connector_disguise disguise,
                          struct arena *arena, struct connector_view *ret_view)
{
    struct slice text = view->text;
    if (!wears(text, disguise))
        return false;
    /* No escape stands for more bytes than it is written in. */
    char *bytes = arena_alloc(arena, text.size + 1);
    uint32_t *from = arena_alloc(arena, (text.size + 1) * sizeof *from);
    size_t count = 0, at = 0;
    while (at < text.size) {
        struct escape escape = {.size = 0};
        int used = read_escape(disguise, behind(text, at), &escape);
        if (used == CUT_OFF)
            break;
        if (used == NO_ESCAPE) {
            escape = (struct escape){.bytes = {text.data[at]}, .size = 1};
            used = 1;
        }
        for (int i = 0; i < escape.size; i++) {
            bytes[count] = escape.bytes[i];
            from[count++] = view->from ? view->from[at] : (uint32_t)at;
        }
        at += (size_t)used;
    }
    from[count] = view->from ? view->from[text.size] : (uint32_t)text.size;
    *ret_view = (struct connector_view){.text = {bytes, count}, .from = from};
    return true;
}

/* --- base64 --------------------------------------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool connector_base64_is(char byte)
{
    return isalnum((unsigned char)byte) || (byte && strchr("+/-_=", byte));
}

/* The characters that depend on `text` alone when `before` bytes, 0 to 2, stand before it in its group. */
static void encode(struct slice text, size_t before, char *ret_form)
{
    size_t bits = 8 * (before + text.size), count = 0;
    for (size_t bit = (8 * before + 5) / 6 * 6; bit + 6 <= bits; bit += 6) {
        unsigned value = 0;
        for (size_t i = bit; i < bit + 6; i++) {
            unsigned byte = (unsigned char)text.data[i / 8 - before];
            value = value << 1 | ((byte >> (7 - i % 8)) & 1);
        }
        ret_form[count++] = alphabet[value];
    }
    ret_form[count] = '\0';
}

size_t connector_base64_forms(struct slice text,
                              char ret_forms[CONNECTOR_BASE64_FORMS][CONNECTOR_BASE64_TEXT_MAX * 4 / 3 + 8])
{
    size_t count = 0;
    for (size_t before = 0; before < 3; before++) {
        char *form = ret_forms[count++];
        encode(text, before, form);
        if (!strpbrk(form, "+/"))
            continue;
        char *other = ret_forms[count++];
        memcpy(other, form, strlen(form) + 1);
        for (; *other; other++)
            *other = *other == '+' ? '-' : *other == '/' ? '_' : *other;
    }
    return count;
}
