#include "text_tools.h"

#include "unicode.h"

int text_replace(struct run *run, struct slice text, struct slice old, struct slice with, int64_t count,
                 struct tvalue *ret_value)
{
    struct ttext out;
    size_t at = 0;
    run_text_init(run, &out);
    if (old.size == 0) { /* before each character and at the end */
        for (size_t length; at <= text.size && count != 0 && !out.overflowed; count--, at += length) {
            ttext_slice(&out, with);
            if (at == text.size) {
                at++;
                break;
            }
            utf8_decode(text.data + at, text.size - at, &length);
            ttext_add(&out, text.data + at, length);
        }
        if (at < text.size)
            ttext_add(&out, text.data + at, text.size - at);
        return run_text(run, &out, ret_value);
    }
    while (count != 0 && !out.overflowed) {
        const char *found = memmem(text.data + at, text.size - at, old.data, old.size);
        if (!found)
            break;
        ttext_add(&out, text.data + at, (size_t)(found - text.data) - at);
        ttext_slice(&out, with);
        at = (size_t)(found - text.data) + old.size;
        count--;
    }
    ttext_add(&out, text.data + at, text.size - at);
    return run_text(run, &out, ret_value);
}

int text_pad(struct run *run, struct slice text, int64_t width, struct slice with, enum text_padding where,
             struct tvalue *ret_value)
{
    struct ttext out;
    int64_t padding = width - (int64_t)unicode_count(text);
    if (padding < 0)
        padding = 0;
    if (padding > TEMPLATE_TEXT_MAX)
        return run_limit(run, "it makes a text of more than %d MiB", TEMPLATE_TEXT_MAX >> 20);
    int64_t left = where == TEXT_LEFT    ? padding
                   : where == TEXT_RIGHT ? 0
                                         : padding / 2 + (padding & width & 1);
    run_text_init(run, &out);
    for (int64_t i = 0; i < left; i++)
        ttext_slice(&out, with);
    ttext_slice(&out, text);
    for (int64_t i = left; i < padding; i++)
        ttext_slice(&out, with);
    return run_text(run, &out, ret_value);
}

static bool is_line_end(uint32_t code)
{
    return (code >= 10 && code <= 13) || (code >= 0x1c && code <= 0x1e) || code == 0x85 || code == 0x2028 ||
           code == 0x2029;
}

void text_line(struct slice text, size_t at, size_t *ret_end, size_t *ret_next)
{
    size_t length = 0;
    uint32_t code = 0;
    while (at < text.size && !is_line_end(code = utf8_decode(text.data + at, text.size - at, &length)))
        at += length;
    *ret_end = at;
    *ret_next = at < text.size ? at + length : at;
    if (code == '\r' && *ret_next < text.size && at < text.size && text.data[*ret_next] == '\n')
        ++*ret_next;
}

void text_quote(struct ttext *out, struct slice text, const char *keep, bool plus)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
        if (letter || (byte >= '0' && byte <= '9') || (byte && strchr("_.-~", byte)) ||
            (byte && strchr(keep, byte)))
            ttext_byte(out, (char)byte);
        else if (plus && byte == ' ')
            ttext_byte(out, '+');
        else
            ttext_printf(out, "%%%02X", byte);
    }
}

/* --- splitting ----------------------------------------------------------------------------------- */

static int push_part(struct run *run, struct tvalue *list, struct slice text, size_t from, size_t to)
{
    return run_push(run, list->list, tvalue_string((struct slice){text.data + from, to - from}));
}

static int split_space(struct run *run, struct slice text, int64_t count, struct tvalue *list)
{
    text = unicode_strip(text, NULL, true, false);
    while (text.size) {
        size_t at = 0, length;
        if (count-- == 0)
            return push_part(run, list, unicode_strip(text, NULL, false, true), 0,
                             unicode_strip(text, NULL, false, true).size);
        while (at < text.size && !unicode_is_space(utf8_decode(text.data + at, text.size - at, &length)))
            at += length;
        if (push_part(run, list, text, 0, at) < 0)
            return -1;
        text = unicode_strip((struct slice){text.data + at, text.size - at}, NULL, true, false);
    }
    return 0;
}

static int split_space_right(struct run *run, struct slice text, int64_t count, struct tvalue *list)
{
    text = unicode_strip(text, NULL, false, true);
    while (text.size) {
        size_t at = text.size, start;
        if (count-- == 0) {
            text = unicode_strip(text, NULL, true, false);
            return push_part(run, list, text, 0, text.size);
        }
        while (at > 0 && !unicode_is_space(unicode_before(text, at, &start)))
            at = start;
        if (push_part(run, list, text, at, text.size) < 0)
            return -1;
        text = unicode_strip((struct slice){text.data, at}, NULL, false, true);
    }
    return 0;
}

static const char *find_last(struct slice text, struct slice wanted)
{
    for (size_t at = text.size; at >= wanted.size; at--) {
        if (memcmp(text.data + at - wanted.size, wanted.data, wanted.size) == 0)
            return text.data + at - wanted.size;
    }
    return NULL;
}

static int split_at(struct run *run, struct slice text, struct slice separator, int64_t count,
                    bool from_right, struct tvalue *list)
{
    while (count-- != 0) {
        const char *found = from_right ? find_last(text, separator)
                                       : memmem(text.data, text.size, separator.data, separator.size);
        if (!found)
            break;
        size_t at = (size_t)(found - text.data), behind = at + separator.size;
        if (from_right ? push_part(run, list, text, behind, text.size) : push_part(run, list, text, 0, at))
            return -1;
        text = from_right ? (struct slice){text.data, at}
                          : (struct slice){text.data + behind, text.size - behind};
    }
    return push_part(run, list, text, 0, text.size);
}

int text_split(struct run *run, struct slice text, const struct slice *separator, int64_t count,
               bool from_right, struct tvalue *ret_list)
{
    struct tvalue list = tvalue_list(run->arena);
    int done;
    if (separator && separator->size == 0)
        return run_fail(run, "a text cannot be split at nothing");
    if (separator)
        done = split_at(run, text, *separator, count, from_right, &list);
    else
        done = from_right ? split_space_right(run, text, count, &list) : split_space(run, text, count, &list);
    if (done < 0)
        return -1;
    for (uint32_t i = 0; from_right && i < list.list->count / 2; i++) {
        struct tvalue kept = list.list->items[i];
        list.list->items[i] = list.list->items[list.list->count - 1 - i];
        list.list->items[list.list->count - 1 - i] = kept;
    }
    *ret_list = list;
    return 0;
}

/* --- base 64 ------------------------------------------------------------------------------------- */

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_base64(struct ttext *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t group = 0;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < left ? (unsigned char)bytes.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            ttext_byte(out, j <= left ? BASE64[group >> (18 - 6 * j) & 63] : '=');
    }
}

bool text_base64_decode(struct ttext *out, struct slice text)
{
    uint32_t group = 0;
    unsigned digits = 0, padding = 0;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '=') {
            if (digits >= 2 && digits + ++padding >= 4)
                return true;
            continue;
        }
        const char *found = byte ? strchr(BASE64, byte) : NULL;
        if (!found)
            continue;
        padding = 0;
        group = group << 6 | (uint32_t)(found - BASE64);
        digits = (digits + 1) % 4;
        if (digits == 2)
            ttext_byte(out, (char)(group >> 4));
        else if (digits == 3)
            ttext_byte(out, (char)(group >> 2));
        else if (digits == 0)
            ttext_byte(out, (char)group);
    }
    return digits == 0;
}
