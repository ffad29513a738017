#include "db.h"

#include "base/calendar.h"
#include "json/number.h"

/* What PostgreSQL's types can hold. What they cannot must not reach COPY: one value would fail it all. */

enum { NUMERIC_WHOLE_DIGITS = 131072, NUMERIC_FRACTION_DIGITS = 16383 };

/* Digits behind the point, exponent and all. */
static int64_t fraction_digits(struct slice number)
{
    int64_t digits = 0, exponent = 0;
    bool fraction = false, negative = false;
    size_t i = 0;
    for (; i < number.size && number.data[i] != 'e' && number.data[i] != 'E'; i++) {
        digits += fraction;
        fraction |= number.data[i] == '.';
    }
    for (i++; i < number.size; i++) {
        if (number.data[i] == '-')
            negative = true;
        else if (number.data[i] != '+' && exponent < NUMBER_EXPONENT_MAX)
            exponent = exponent * 10 + (number.data[i] - '0');
    }
    return digits - (negative ? -exponent : exponent);
}

static bool numeric_holds(struct slice number)
{
    int64_t below, above;
    if (!number_decade(number, &below, &above))
        return number.size < NUMERIC_FRACTION_DIGITS && !memchr(number.data, 'e', number.size) &&
               !memchr(number.data, 'E', number.size);
    return above < NUMERIC_WHOLE_DIGITS && fraction_digits(number) <= NUMERIC_FRACTION_DIGITS;
}

static bool is_number_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' || byte == 'e' ||
           byte == 'E';
}

/* jsonb takes JSON apart: texts become PostgreSQL's, which have no NUL, and numbers numeric. */
static bool jsonb_holds(struct slice json)
{
    bool in_text = false;
    for (size_t i = 0; i < json.size; i++) {
        char byte = json.data[i];
        if (byte == '"') {
            in_text = !in_text;
        } else if (in_text && byte == '\\') {
            if (json.size - i >= 6 && memcmp(json.data + i, "\\u0000", 6) == 0)
                return false;
            i++;
        } else if (!in_text && (byte == '-' || (byte >= '0' && byte <= '9'))) {
            size_t start = i;
            while (i + 1 < json.size && is_number_byte(json.data[i + 1]))
                i++;
            if (!numeric_holds((struct slice){json.data + start, i + 1 - start}))
                return false;
        }
    }
    return true;
}

static enum sql_verdict time_fits(enum sql_type type, struct sql_cell *cell)
{
    enum { OFFSET_MAX = 16 * 3600 - 1 };
    const int64_t day = INT64_C(86400000000), first = calendar_days(-4713, 11, 24),
                  last_timestamp = calendar_days(294276, 12, 31), last_date = calendar_days(5874897, 12, 31);
    bool of_day = type == SQL_TIME || type == SQL_TIMETZ;
    if (cell->integer == SQL_FOREVER || cell->integer == SQL_NEVER)
        return SQL_FITS;
    if (type == SQL_DATE)
        return cell->integer >= first && cell->integer <= last_date ? SQL_FITS : SQL_TOO_LARGE;
    if (!of_day && (cell->integer < first * day || cell->integer / day >= last_timestamp))
        return SQL_TOO_LARGE;
    if (type == SQL_TIMETZ && (cell->offset > OFFSET_MAX || cell->offset < -OFFSET_MAX))
        return SQL_TOO_LARGE;
    bool cut = cell->nanos != 0;
    cell->nanos = 0;
    return cut ? SQL_CUT : SQL_FITS;
}

enum sql_verdict postgres_fits(enum sql_type type, struct sql_cell *cell, struct arena *arena)
{
    (void)arena;
    switch (type) {
    case SQL_NUMBER:
        return numeric_holds(cell->text) ? SQL_FITS : SQL_TOO_LARGE;
    case SQL_TEXT:
        return memchr(cell->text.data, 0, cell->text.size) ? SQL_UNSTORABLE : SQL_FITS;
    case SQL_JSON:
        return jsonb_holds(cell->text) ? SQL_FITS : SQL_UNSTORABLE;
    case SQL_DATE:
    case SQL_TIME:
    case SQL_TIMETZ:
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMPTZ:
        return time_fits(type, cell);
    default:
        return SQL_FITS;
    }
}
