#include "instant.h"

#include "source-declarative/template/datetime.h"

enum { INSTANT_DIGITS_MAX = 10 };

bool instant_parse(struct slice text, int64_t *ret_ms)
{
    struct datetime datetime;
    struct error ignored;
    int64_t seconds = 0;
    size_t digits = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9' &&
           digits <= INSTANT_DIGITS_MAX)
        seconds = seconds * 10 + (text.data[digits++] - '0');
    if (digits && digits == text.size) {
        *ret_ms = seconds * 1000;
        return digits <= INSTANT_DIGITS_MAX;
    }
    if (datetime_isoparse(text, &datetime, &ignored) != 0 &&
        datetime_strptime(text, SLICE_LITERAL("%a, %d %b %Y %H:%M:%S GMT"), &datetime, &ignored) != 0)
        return false;
    *ret_ms = datetime_utc(&datetime) / 1000;
    return true;
}
