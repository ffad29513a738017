/* Any bytes as a JSON string. */
#include "json/writer.h"

/* Bytes at the start of the text that may be copied as they are: no quote, backslash, control character, and
 * nothing that is not ASCII. Eight at a time. */
static size_t plain_run(const char *text, size_t size)
{
    const uint64_t ones = 0x0101010101010101ULL, tops = 0x8080808080808080ULL;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
        uint64_t stop = (word - ones * 0x20) | (quote - ones) | (slash - ones) | word;
        if (stop & tops)
            break;
    }
    for (; at < size; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
            break;
    }
    return at;
}

/* Length of the valid character at the text's start; 0: it is none, *ret_skip bytes stand for one U+FFFD. */
static size_t character(const char *text, size_t size, size_t *ret_skip)
{
    unsigned char byte = (unsigned char)*text;
    size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (length <= size && utf8_valid(text, length))
        return length;
    /* A cut or broken character goes together with as many bytes as could have been its beginning. */
    *ret_skip = 1;
    for (size_t part = 2; part < length && part <= size; part++) {
        char whole[4] = {text[0], text[1], part > 2 ? text[2] : (char)0x80, (char)0x80};
        if (((unsigned char)text[part - 1] & 0xc0) == 0x80 && utf8_valid(whole, length))
            *ret_skip = part;
    }
    return 0;
}

static void put_special(struct buffer *out, unsigned char byte)
{
    static const char letters[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char letter = byte >= 0x20 ? (char)byte : letters[byte];
    if (letter) {
        char pair[2] = {'\\', letter};
        buffer_append(out, pair, 2);
    } else {
        static const char digits[] = "0123456789abcdef";
        char code[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
        buffer_append(out, code, 6);
    }
}

void json_escape(struct buffer *out, struct slice text)
{
    const char *at = text.data, *end = text.data + text.size;
    buffer_byte(out, '"');
    while (at < end) {
        size_t run = plain_run(at, (size_t)(end - at)), skip = 1;
        buffer_append(out, at, run);
        at += run;
        if (at == end)
            break;
        if ((unsigned char)*at < 0x80) {
            put_special(out, (unsigned char)*at++);
            continue;
        }
        size_t length = character(at, (size_t)(end - at), &skip);
        if (length)
            buffer_append(out, at, length);
        else
            buffer_append(out, "\xef\xbf\xbd", 3);
        at += length ? length : skip;
    }
    buffer_byte(out, '"');
}
