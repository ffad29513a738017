#include "avro.h"

#include "json/writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Avro's binary values as JSON. Everything is checked against the bytes that are there: a file may say what
 * it likes. */

struct reading {
    const struct avro_options *options;
    struct avro_bytes *bytes;
    struct buffer *out;
    struct error *err;
};

static int put(const struct reading *reading, const struct avro_type *type, unsigned depth);

static int broken(const struct reading *reading, const char *why)
{
    return error_set(reading->err, ERROR_CORRUPT, "the Avro data is broken: %s", why);
}

bool avro_take_long(struct avro_bytes *bytes, int64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && bytes->at < bytes->end; shift += 7) {
        unsigned char byte = (unsigned char)*bytes->at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return false;
}

static int take_long(const struct reading *reading, int64_t *ret_value)
{
    return avro_take_long(reading->bytes, ret_value) ? 0
                                                     : broken(reading, "a number is none, or ends too early");
}

static int take(const struct reading *reading, size_t size, const char **ret_data)
{
    struct avro_bytes *bytes = reading->bytes;
    if ((size_t)(bytes->end - bytes->at) < size)
        return broken(reading, "a value ends too early");
    *ret_data = bytes->at;
    bytes->at += size;
    return 0;
}

/* Bytes with their length before them. */
static int take_slice(const struct reading *reading, struct slice *ret_slice)
{
    int64_t size;
    if (take_long(reading, &size) < 0)
        return -1;
    if (size < 0)
        return broken(reading, "a length is negative");
    ret_slice->size = (size_t)size;
    return take(reading, ret_slice->size, &ret_slice->data);
}

static uint64_t little(const char *data, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)(unsigned char)data[i] << (8 * i);
    return value;
}

/* --- texts -----------------------------------------------------------------------------------------------
 */

static void put_base64(struct buffer *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buffer_byte(out, '"');
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t three = 0;
        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (k < left ? (unsigned char)bytes.data[i + k] : 0);
        const char four[] = {digits[three >> 18], digits[three >> 12 & 63],
                             left > 1 ? digits[three >> 6 & 63] : '=', left > 2 ? digits[three & 63] : '='};
        buffer_append(out, four, sizeof four);
    }
    buffer_byte(out, '"');
}

static int put_text(const struct reading *reading)
{
    struct slice text;
    if (take_slice(reading, &text) < 0)
        return -1;
    if (!utf8_valid(text.data, text.size))
        return broken(reading, "a text is not UTF-8");
    json_escape(reading->out, text);
    return 0;
}

/* Big-endian, in two's complement, as decimal digits: divided by ten to the ninth again and again. */
static int put_decimal(const struct reading *reading, struct slice bytes, int scale)
{
    enum { NINE = 1000 * 1000 * 1000, WORDS = AVRO_DECIMAL_MAX / 4 + 1, DIGITS = 3 * AVRO_DECIMAL_MAX + 16 };
    uint32_t words[WORDS] = {0}; /* the most significant first */
    char text[DIGITS];
    size_t at = sizeof text;
    if (bytes.size > AVRO_DECIMAL_MAX)
        return broken(reading, "a decimal has too many digits");
    bool negative = bytes.size && bytes.data[0] & 0x80;
    uint32_t carry = negative;
    for (size_t i = 0; i < bytes.size; i++) { /* from the least significant byte on */
        uint32_t byte = (unsigned char)bytes.data[bytes.size - 1 - i];
        byte = negative ? (byte ^ 0xff) + carry : byte;
        carry = byte >> 8;
        words[WORDS - 1 - i / 4] |= (byte & 0xff) << (8 * (i % 4));
    }
    if (negative && carry) /* the smallest number there is of this size */
        words[WORDS - 1 - bytes.size / 4] |= 1U << (8 * (bytes.size % 4));
    size_t first = WORDS - 1 - bytes.size / 4;
    while (first < WORDS) {
        uint64_t rest = 0;
        for (size_t i = first; i < WORDS; i++) {
            rest = rest << 32 | words[i];
            words[i] = (uint32_t)(rest / NINE);
            rest %= NINE;
        }
        while (first < WORDS && words[first] == 0)
            first++;
        for (int i = 0; i < 9; i++, rest /= 10)
            text[--at] = (char)('0' + rest % 10);
    }
    while (sizeof text - at < (size_t)scale + 1)
        text[--at] = '0';
    while (text[at] == '0' && sizeof text - at > (size_t)scale + 1)
        at++;
    size_t whole = sizeof text - at - (size_t)scale;
    buffer_printf(reading->out, "\"%s%.*s%s%.*s\"", negative ? "-" : "", (int)whole, text + at,
                  scale ? "." : "", scale, text + at + whole);
    return 0;
}

static void put_uuid(struct buffer *out, const char *data)
{
    buffer_byte(out, '"');
    for (unsigned i = 0; i < 16; i++)
        buffer_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                      (unsigned char)data[i]);
    buffer_byte(out, '"');
}

/* --- times -----------------------------------------------------------------------------------------------
 */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970 as a date, by the calendar of today; years outside four digits with their sign, as ISO 8601
 * has them. */
static void put_day(struct buffer *out, int64_t days)
{
    int64_t from_march = days + 719468, era = floor_divide(from_march, 146097),
            of_era = from_march - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * of_year + 2) / 153, day = of_year - (153 * month_from_march + 2) / 5 + 1;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    buffer_printf(out,
                  year < 0      ? "-%04" PRId64
                  : year > 9999 ? "+%" PRId64
                                : "%04" PRId64,
                  year < 0 ? -year : year);
    buffer_printf(out, "-%02" PRId64 "-%02" PRId64, month, day);
}

/* As digits behind the point: six, as everywhere; nine of nanoseconds. */
static void put_clock(struct buffer *out, int64_t value, int scale)
{
    int64_t second = scale == 3 ? 1000 : scale == 6 ? 1000 * 1000 : 1000 * 1000 * 1000;
    int64_t seconds = value / second, fraction = value % second * (scale == 3 ? 1000 : 1);
    buffer_printf(out, "%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%0*" PRId64, seconds / 3600,
                  seconds / 60 % 60, seconds % 60, scale == 9 ? 9 : 6, fraction);
}

static int put_time(const struct reading *reading, const struct avro_type *type, int64_t value)
{
    int64_t day = type->scale == 3   ? 86400LL * 1000
                  : type->scale == 6 ? 86400LL * 1000 * 1000
                                     : 86400LL * 1000 * 1000 * 1000;
    buffer_byte(reading->out, '"');
    if (type->logical == AVRO_DATE) {
        put_day(reading->out, value);
    } else if (type->logical == AVRO_TIME) {
        if (value < 0 || value >= day)
            return broken(reading, "a time of day is none");
        put_clock(reading->out, value, type->scale);
    } else {
        int64_t of_day = value % day + (value % day < 0 ? day : 0);
        put_day(reading->out, floor_divide(value, day));
        buffer_byte(reading->out, 'T');
        put_clock(reading->out, of_day, type->scale);
        if (type->logical == AVRO_TIMESTAMP)
            buffer_byte(reading->out, 'Z');
    }
    buffer_byte(reading->out, '"');
    return 0;
}

/* --- values ----------------------------------------------------------------------------------------------
 */

static int put_number(const struct reading *reading, const struct avro_type *type)
{
    int64_t value;
    if (take_long(reading, &value) < 0)
        return -1;
    if (type->kind == AVRO_INT && (value < INT32_MIN || value > INT32_MAX))
        return broken(reading, "an int has more than 32 bits");
    if (type->logical != AVRO_PLAIN)
        return put_time(reading, type, value);
    buffer_printf(reading->out, "%" PRId64, value);
    return 0;
}

static int put_double(const struct reading *reading, bool is_double)
{
    const char *data = NULL;
    double value;
    struct json_writer writer;
    if (take(reading, is_double ? 8 : 4, &data) < 0)
        return -1;
    uint64_t bits = little(data, is_double ? 8 : 4);
    if (is_double) {
        memcpy(&value, &bits, sizeof value);
    } else {
        uint32_t half = (uint32_t)bits;
        float number;
        memcpy(&number, &half, sizeof number);
        value = number;
    }
    bool text = is_double && reading->options->doubles_as_text && isfinite(value);
    json_writer_init(&writer, reading->out);
    buffer_str(reading->out, text ? "\"" : "");
    json_put_double(&writer, value);
    buffer_str(reading->out, text ? "\"" : "");
    return 0;
}

static int put_bytes(const struct reading *reading, const struct avro_type *type)
{
    struct slice bytes = {NULL, type->size};
    if ((type->kind == AVRO_FIXED ? take(reading, type->size, &bytes.data) : take_slice(reading, &bytes)) < 0)
        return -1;
    if (type->logical == AVRO_DECIMAL)
        return put_decimal(reading, bytes, type->scale);
    if (type->logical == AVRO_UUID)
        put_uuid(reading->out, bytes.data);
    else if (type->logical == AVRO_DURATION) {
        uint64_t ms = little(bytes.data + 8, 4);
        buffer_printf(reading->out, "\"P%" PRIu64 "M%" PRIu64 "DT%" PRIu64 ".%03" PRIu64 "S\"",
                      little(bytes.data, 4), little(bytes.data + 4, 4), ms / 1000, ms % 1000);
    } else
        put_base64(reading->out, bytes);
    return 0;
}

static int put_record(const struct reading *reading, const struct avro_type *type, unsigned depth)
{
    for (size_t i = 0; i < type->count; i++) {
        buffer_byte(reading->out, i ? ',' : '{');
        buffer_append(reading->out, type->names[i].data, type->names[i].size);
        if (put(reading, type->inner[i], depth + 1) < 0)
            return -1;
    }
    buffer_str(reading->out, type->count ? "}" : "{}");
    return 0;
}

static int put_item(const struct reading *reading, const struct avro_type *type, bool first, unsigned depth)
{
    if (!first)
        buffer_byte(reading->out, ',');
    if (type->kind == AVRO_MAP) {
        if (put_text(reading) < 0)
            return -1;
        buffer_byte(reading->out, ':');
    }
    return put(reading, type->inner[0], depth + 1);
}

/* Arrays and maps come in blocks; a negative count has the block's size behind it. Items may have no bytes at
 * all: what is written of them bounds their number. */
static int put_blocks(const struct reading *reading, const struct avro_type *type, unsigned depth)
{
    bool first = true;
    int64_t count, size;
    buffer_byte(reading->out, type->kind == AVRO_MAP ? '{' : '[');
    for (;;) {
        if (take_long(reading, &count) < 0 || (count < 0 && take_long(reading, &size) < 0))
            return -1;
        if (count == 0)
            break;
        if (count == INT64_MIN)
            return broken(reading, "a block has no number of items");
        for (int64_t i = count < 0 ? -count : count; i > 0; i--, first = false) {
            if (put_item(reading, type, first, depth) < 0)
                return -1;
        }
    }
    buffer_byte(reading->out, type->kind == AVRO_MAP ? '}' : ']');
    return 0;
}

static int put_choice(const struct reading *reading, const struct avro_type *type, unsigned depth)
{
    int64_t at;
    if (take_long(reading, &at) < 0)
        return -1;
    if (at < 0 || (size_t)at >= type->count)
        return broken(reading,
                      type->kind == AVRO_ENUM ? "an enum has no such symbol" : "a union has no such branch");
    if (type->kind == AVRO_UNION)
        return put(reading, type->inner[at], depth + 1);
    json_escape(reading->out, type->names[at]);
    return 0;
}

static int put_boolean(const struct reading *reading)
{
    const char *data = NULL;
    if (take(reading, 1, &data) < 0)
        return -1;
    if (*data != 0 && *data != 1)
        return broken(reading, "a boolean is neither true nor false");
    buffer_str(reading->out, *data ? "true" : "false");
    return 0;
}

static int put(const struct reading *reading, const struct avro_type *type, unsigned depth)
{
    if (reading->out->overflowed)
        return error_set(reading->err, ERROR_LIMIT, "a record is larger than %zu MiB",
                         reading->out->max >> 20);
    if (depth > AVRO_DEPTH_MAX)
        return error_set(reading->err, ERROR_LIMIT, "values are nested more than %d deep", AVRO_DEPTH_MAX);
    switch (type->kind) {
    case AVRO_NULL:
        buffer_str(reading->out, "null");
        return 0;
    case AVRO_BOOLEAN:
        return put_boolean(reading);
    case AVRO_INT:
    case AVRO_LONG:
        return put_number(reading, type);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return put_double(reading, type->kind == AVRO_DOUBLE);
    case AVRO_BYTES:
    case AVRO_FIXED:
        return put_bytes(reading, type);
    case AVRO_STRING:
        return put_text(reading);
    case AVRO_RECORD:
        return put_record(reading, type, depth);
    case AVRO_ENUM:
    case AVRO_UNION:
        return put_choice(reading, type, depth);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return put_blocks(reading, type, depth);
    }
    return broken(reading, "its type is none");
}

int avro_put_value(const struct avro_type *type, const struct avro_options *options, struct avro_bytes *bytes,
                   struct buffer *out, struct error *err)
{
    const struct reading reading = {options, bytes, out, err};
    if (put(&reading, type, 0) < 0)
        return -1;
    return out->overflowed ? error_set(err, ERROR_LIMIT, "a record is larger than %zu MiB", out->max >> 20)
                           : 0;
}
