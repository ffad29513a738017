#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

bool slice_starts_with(struct slice slice, const char *prefix)
{
    size_t size = strlen(prefix);
    return slice.size >= size && memcmp(slice.data, prefix, size) == 0;
}

bool slice_next_line(struct slice *text, struct slice *ret_line)
{
    if (text->size == 0)
        return false;
    const char *end = memchr(text->data, '\n', text->size);
    size_t size = end ? (size_t)(end - text->data) : text->size;
    *ret_line = (struct slice){text->data, size};
    size += end != NULL;
    *text = (struct slice){text->data + size, text->size - size};
    return true;
}

int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

bool string_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool string_ends_with(const char *text, const char *suffix)
{
    size_t size = strlen(text), tail = strlen(suffix);
    return size >= tail && memcmp(text + size - tail, suffix, tail) == 0;
}

bool string_to_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *end || value > max)
        return false;
    *ret_value = value;
    return true;
}

bool string_to_i64(const char *text, int64_t *ret_value)
{
    if ((*text < '0' || *text > '9') && *text != '-')
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || end == text)
        return false;
    *ret_value = value;
    return true;
}

bool string_to_duration_ms(const char *text, uint64_t *ret_ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        if (value > INT64_MAX / units[i].ms)
            return false;
        *ret_ms = value * units[i].ms;
        return true;
    }
    return false;
}

/* One row at a time. */
size_t string_distance(const char *a, const char *b)
{
    enum { MAX = STRING_DISTANCE_MAX };
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size >= MAX || b_size >= MAX)
        return MAX;
    if (a_size == b_size && strcasecmp(a, b) == 0)
        return strcmp(a, b) != 0;
    size_t rows[3][MAX + 1];
    size_t *before = rows[0], *previous = rows[1], *current = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        previous[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        current[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t cost = a[i - 1] != b[j - 1];
            size_t best = previous[j - 1] + cost;
            if (previous[j] + 1 < best)
                best = previous[j] + 1;
            if (current[j - 1] + 1 < best)
                best = current[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            current[j] = best;
        }
        size_t *spare = before;
        before = previous;
        previous = current;
        current = spare;
    }
    return previous[b_size];
}

const char *string_nearest(const char *name, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t allowed = strlen(name) / 3 + 1, best = allowed + 1;
    for (size_t i = 0; i < count; i++) {
        size_t away = string_distance(name, candidates[i]);
        if (away < best && away < strlen(candidates[i])) {
            best = away;
            nearest = candidates[i];
        }
    }
    return nearest;
}

/* Length of the valid UTF-8 sequence at bytes (Unicode table 3-7), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *bytes, size_t size)
{
    unsigned char first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size < length)
        return 0;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

bool utf8_valid(const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    while (size > 0) {
        uint64_t word;
        if (size >= sizeof word) {
            memcpy(&word, at, sizeof word);
            if (!(word & 0x8080808080808080ULL)) {
                at += sizeof word;
                size -= sizeof word;
                continue;
            }
        }
        size_t length = utf8_sequence(at, size);
        if (length == 0)
            return false;
        at += length;
        size -= length;
    }
    return true;
}

uint32_t utf8_decode(const char *bytes, size_t size, size_t *ret_length)
{
    unsigned char lead = (unsigned char)bytes[0];
    size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    *ret_length = 1;
    if (length == 1 || length > size || !utf8_valid(bytes, length))
        return lead < 0x80 ? lead : 0xfffd;
    *ret_length = length;
    uint32_t point = lead & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)bytes[i] & 0x3f);
    return point;
}

size_t utf8_encode(uint32_t code, char *out)
{
    assert(code < 0x110000);
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

size_t utf8_cut(const char *bytes, size_t size, size_t max)
{
    if (size <= max)
        return size;
    while (max > 0 && ((unsigned char)bytes[max] & 0xc0) == 0x80)
        max--;
    return max;
}

void string_one_line(char *text)
{
    size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        unsigned char byte = (unsigned char)text[at];
        size_t length = utf8_sequence((unsigned char *)text + at, size - at);
        size_t wanted = byte > 0xf4 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
        size_t got = 1;
        while (at + got < size && ((unsigned char)text[at + got] & 0xc0) == 0x80)
            got++;
        if (length == 0 && got < wanted && at + got == size) {
            text[at] = 0;
            return;
        }
        if (length == 0)
            text[at] = '?';
        else if (byte < 0x20 || byte == 0x7f)
            text[at] = ' ';
        at += length ? length : 1;
    }
}

void string_human_bytes(double bytes, char *text, size_t size)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1000;
        unit++;
    }
    snprintf(text, size, unit == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

void string_human_count(uint64_t count, char *text, size_t size)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t at = 0;
    for (int i = 0; i < length && at + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
}
