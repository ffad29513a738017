#include "instant.h"

#include "source-declarative/template/datetime.h"

#include <stdio.h>

enum { INSTANT_DIGITS_MAX = 10, INSTANT_DAY_MAX = 40 };

static size_t count_of(struct slice text, char byte)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == byte;
    return count;
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return true;
}

static bool parse_seconds(struct slice text, int64_t *ret_ms)
{
    int64_t seconds = 0;
    while (text.size > 1 && *text.data == '0') {
        text.data++;
        text.size--;
    }
    if (text.size > INSTANT_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        seconds = seconds * 10 + (text.data[i] - '0');
    *ret_ms = seconds * 1000;
    return true;
}

/* "2030-1-31", blanks around the numbers: nothing else has two dashes and no time. */
static bool parse_day(struct slice text, int64_t *ret_ms)
{
    char day[INSTANT_DAY_MAX + 1];
    unsigned parts[3];
    int end = 0;
    struct datetime datetime = {0};
    if (text.size > INSTANT_DAY_MAX)
        return false;
    memcpy(day, text.data, text.size);
    day[text.size] = '\0';
    if (strchr(day, '+') || sscanf(day, " %4u - %4u - %4u %n", &parts[0], &parts[1], &parts[2], &end) != 3 ||
        (size_t)end != text.size)
        return false;
    const struct datetime_fields fields = {.year = parts[0], .month = parts[1], .day = parts[2]};
    if (!datetime_of_fields(&fields, &datetime.local))
        return false;
    *ret_ms = datetime.local / 1000;
    return true;
}

bool instant_parse(struct slice text, int64_t now_ms, int64_t *ret_ms)
{
    size_t dashes = count_of(text, '-'), slashes = count_of(text, '/'), colons = count_of(text, ':');
    const struct datetime now = {.local = now_ms * 1000, .zone = DATETIME_UTC};
    struct datetime datetime;
    struct error ignored;
    bool dated;
    if (text.size && all_digits(text))
        return parse_seconds(text, ret_ms);
    if (text.size > 1 && *text.data == '-' && all_digits((struct slice){text.data + 1, text.size - 1}))
        return false; /* before 1970 */
    if (!colons && dashes == 2 && !slashes)
        return parse_day(text, ret_ms);
    if (datetime_guess(text, &now, &datetime, &dated, &ignored) != 0)
        return false;
    if (colons && dashes < 2 && slashes < 2 && !dated)
        return false;
    int64_t utc = datetime_utc(&datetime);
    *ret_ms = utc / 1000 - (utc % 1000 < 0);
    return true;
}
