/* The escapes of Python's strings. */
#include "lex.h"

static int hex_of(char byte)
{
    char lower = byte | 32;
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool read_hex(struct slice inner, size_t at, size_t digits, uint32_t *ret_code)
{
    uint32_t code = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = at + i < inner.size ? hex_of(inner.data[at + i]) : -1;
        if (digit < 0)
            return false;
        code = code * 16 + (uint32_t)digit;
    }
    *ret_code = code;
    return true;
}

static void put(struct ttext *out, bool bytes, uint32_t code)
{
    if (bytes)
        ttext_byte(out, (char)code);
    else
        ttext_code(out, code >= 0xd800 && code <= 0xdfff ? 0xfffd : code);
}

/* \x, \u and \U: the bytes they take behind the letter, 0 if they are cut short or none. */
static size_t unescape_hex(struct ttext *out, struct slice inner, size_t at, bool bytes)
{
    char letter = inner.data[at - 1];
    size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
    uint32_t code, low;
    if (!read_hex(inner, at, digits, &code) || code > 0x10ffff)
        return 0;
    /* Two halves of a character, as JSON writes it; Python would keep the halves, which nothing can encode.
     */
    if (code >= 0xd800 && code < 0xdc00 && digits == 4 && at + 10 <= inner.size &&
        inner.data[at + 4] == '\\' && inner.data[at + 5] == 'u' && read_hex(inner, at + 6, 4, &low) &&
        low >= 0xdc00 && low < 0xe000) {
        put(out, bytes, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
        return 10;
    }
    put(out, bytes, code);
    return digits;
}

static size_t unescape_octal(struct ttext *out, struct slice inner, size_t at, bool bytes)
{
    uint32_t code = 0;
    size_t digits = 0;
    while (digits < 3 && at + digits < inner.size && inner.data[at + digits] >= '0' &&
           inner.data[at + digits] <= '7')
        code = code * 8 + (uint32_t)(inner.data[at + digits++] - '0');
    put(out, bytes, bytes ? code & 0xff : code);
    return digits;
}

/* A template's string was made ASCII before its escapes were read: a backslash before another character
 * becomes a backslash and the letters of that character's escape. */
static size_t keep_backslash(struct ttext *out, struct slice inner, size_t at, bool template_rules)
{
    size_t length;
    uint32_t code = utf8_decode(inner.data + at, inner.size - at, &length);
    ttext_byte(out, '\\');
    if (code < 128 || !template_rules)
        ttext_add(out, inner.data + at, length);
    else
        ttext_printf(out, code < 0x100 ? "x%02x" : code < 0x10000 ? "u%04x" : "U%08x", code);
    return length;
}

int lex_unescape(struct arena *arena, struct slice inner, bool bytes, bool template_rules,
                 struct slice *ret_text, const char **ret_wrong)
{
    static const char LETTERS[] = "\n\\'\"abfnrtv", MEANINGS[] = "\n\\'\"\a\b\f\n\r\t\v";
    struct ttext out;
    if (!memchr(inner.data, '\\', inner.size)) {
        *ret_text = inner;
        return 0;
    }
    ttext_init(&out, arena, SIZE_MAX);
    for (size_t at = 0; at < inner.size; at++) {
        if (inner.data[at] != '\\') {
            ttext_byte(&out, inner.data[at]);
            continue;
        }
        if (++at == inner.size) {
            *ret_wrong = "a string ends with a backslash";
            return -1;
        }
        char letter = inner.data[at];
        const char *known = letter ? strchr(LETTERS, letter) : NULL;
        if (letter == '\n')
            continue;
        if (known) {
            ttext_byte(&out, MEANINGS[known - LETTERS]);
        } else if (letter == 'x' || (!bytes && (letter == 'u' || letter == 'U'))) {
            size_t digits = unescape_hex(&out, inner, at + 1, bytes);
            if (!digits) {
                *ret_wrong = "an escape in a string is cut short, or no character";
                return -1;
            }
            at += digits;
        } else if (letter >= '0' && letter <= '7') {
            at += unescape_octal(&out, inner, at, bytes) - 1;
        } else if (letter == 'N' && !bytes) {
            *ret_wrong = "characters by their names, \\N{…}, are not supported; write \\u and four digits";
            return -1;
        } else {
            at += keep_backslash(&out, inner, at, template_rules) - 1;
        }
    }
    *ret_text = ttext_slice_of(&out);
    return 0;
}
