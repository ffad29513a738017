#include "cli/columns.h"

#include "base/text.h"

struct range {
    uint32_t first, last;
};

static bool within(uint32_t point, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

static size_t point_columns(uint32_t point)
{
    static const struct range none[] = {{0x300, 0x36f},   {0x200b, 0x200f}, {0x202a, 0x202e},
                                        {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
                                        {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}};
    static const struct range wide[] = {{0x1100, 0x115f},   {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                                        {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                                        {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
                                        {0x1f900, 0x1faff}, {0x20000, 0x3fffd}};
    if (point < 0x300)
        return 1;
    if (within(point, none, sizeof none / sizeof *none))
        return 0;
    return within(point, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

size_t text_columns(const char *text, size_t size)
{
    size_t columns = 0;
    for (size_t at = 0, length; at < size; at += length)
        columns += point_columns(utf8_decode(text + at, size - at, &length));
    return columns;
}

size_t text_cut_columns(const char *text, size_t size, size_t max_columns)
{
    size_t columns = 0, at = 0;
    while (at < size) {
        size_t length, more = point_columns(utf8_decode(text + at, size - at, &length));
        if (columns + more > max_columns)
            break;
        columns += more;
        at += length;
    }
    return at;
}

void text_duration(uint64_t ms, char *text, size_t size)
{
    unsigned long long s = ms / 1000;
    if (ms < 10000)
        snprintf(text, size, "%llu.%llu s", s, (unsigned long long)(ms % 1000) / 100);
    else if (s < 60)
        snprintf(text, size, "%llu s", s);
    else if (s < 3600)
        snprintf(text, size, "%llu min %llu s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, size, "%llu h %llu min", s / 3600, s % 3600 / 60);
    else
        snprintf(text, size, "%llu d %llu h", s / 86400, s % 86400 / 3600);
}
