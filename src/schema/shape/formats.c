/* Formats of strings: seen in a first one, then only widened. */
#include "schema/format/format.h"
#include "schema/shape/tree.h"

/* Those that are looked for: each string is of one of them at most, but integers are numbers. E-mail
 * addresses, URIs and the like are not: a text that happens to be one says little about the next. */
static const uint8_t detected[] = {FORMAT_INTEGER, FORMAT_NUMBER, FORMAT_DATE_TIME,
                                   FORMAT_DATE,    FORMAT_TIME,   FORMAT_UUID};

void shape_format_set(struct shape *shape, const char *format)
{
    shape->form = format ? (uint8_t)format_find(slice_of(format)) : FORMAT_NONE;
    shape_text_set(&shape->format, format); /* the last use of `format`, which may be the shape's own */
}

/* Texts of these formats begin with a digit, a sign, a point, a letter of a UUID, or are NaN or Infinity. */
static bool worth_a_look(struct slice text)
{
    if (text.size == 0)
        return false;
    char c = text.data[0];
    bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || (hex && text.size == 36) ||
           slice_is(text, "NaN") || slice_is(text, "Infinity");
}

const char *shape_format_detect(struct slice text)
{
    if (!worth_a_look(text))
        return NULL;
    for (size_t i = 0; i < sizeof detected; i++) {
        if (format_check((enum format)detected[i], text))
            return format_name((enum format)detected[i]);
    }
    return NULL;
}

const char *shape_format_join(const char *a, const char *b)
{
    if (!a || !b)
        return NULL;
    if (strcmp(a, b) == 0)
        return a;
    enum format x = format_find(slice_of(a)), y = format_find(slice_of(b));
    bool numbers = (x == FORMAT_INTEGER || x == FORMAT_NUMBER) && (y == FORMAT_INTEGER || y == FORMAT_NUMBER);
    return numbers ? format_name(x == y ? x : FORMAT_NUMBER) : NULL;
}

bool shape_text_is_number(const struct shape *shape)
{
    return shape->form == FORMAT_INTEGER || shape->form == FORMAT_NUMBER;
}
