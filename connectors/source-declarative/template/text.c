/* Text in an arena, and values as text: Python's str(), repr() and json.dumps(). */
#include "big.h"
#include "unicode.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ttext_init(struct ttext *text, struct arena *arena, size_t max)
{
    *text = (struct ttext){.arena = arena, .max = max};
}

void ttext_grow(struct ttext *text, size_t more)
{
    enum { FIRST = 112 };
    size_t wanted = text->size + more;
    if (wanted > text->max || wanted < more) {
        text->overflowed = true;
        return;
    }
    size_t capacity = text->capacity ? text->capacity * 2 : FIRST;
    if (capacity < wanted)
        capacity = wanted;
    char *data = arena_alloc(text->arena, capacity);
    if (text->size)
        memcpy(data, text->data, text->size);
    text->data = data;
    text->capacity = capacity;
}

void ttext_printf(struct ttext *text, const char *format, ...)
{
    char local[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(local, sizeof local, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    if ((size_t)size < sizeof local) {
        ttext_add(text, local, (size_t)size);
        return;
    }
    /* The zero that it ends with needs a byte, too. */
    if (text->capacity - text->size <= (size_t)size)
        ttext_grow(text, (size_t)size + 1);
    if (text->capacity - text->size <= (size_t)size)
        return;
    va_start(arguments, format);
    vsnprintf(text->data + text->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
}

void ttext_code(struct ttext *text, uint32_t code)
{
    char bytes[UTF8_LENGTH_MAX];
    ttext_add(text, bytes, utf8_encode(code, bytes));
}

/* --- scalars ------------------------------------------------------------------------------------- */

void tvalue_repr_float(struct ttext *out, double number)
{
    char digits[40];
    if (isnan(number) || isinf(number)) {
        ttext_cstring(out, isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
        return;
    }
    bool tiny = fabs(number) < DBL_MIN; /* these have fewer digits than others */
    for (int precision = tiny ? 0 : 14; precision <= 16; precision++) {
        snprintf(digits, sizeof digits, "%.*e", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    char *exponent_at = strchr(digits, 'e');
    int exponent = (int)strtol(exponent_at + 1, NULL, 10);
    char *at = digits;
    if (*at == '-') {
        ttext_byte(out, '-');
        at++;
    }
    /* d.ddd without the point and without zeros at the end */
    if (at[1] == '.') {
        at[1] = at[0];
        at++;
    }
    char *end = exponent_at;
    while (end > at + 1 && (end[-1] == '0' || end[-1] == '.'))
        end--;
    char significant[24];
    size_t count = 0;
    for (const char *from = at; from < end; from++) {
        if (*from != '.')
            significant[count++] = *from;
    }
    assert(count > 0);
    if (exponent < -4 || exponent >= 16) {
        ttext_byte(out, significant[0]);
        if (count > 1) {
            ttext_byte(out, '.');
            ttext_add(out, significant + 1, count - 1);
        }
        ttext_printf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    if (exponent < 0) {
        ttext_cstring(out, "0.");
        for (int i = -1; i > exponent; i--)
            ttext_byte(out, '0');
        ttext_add(out, significant, count);
        return;
    }
    for (size_t i = 0; i < count || i <= (size_t)exponent; i++) {
        if (i == (size_t)exponent + 1)
            ttext_byte(out, '.');
        ttext_byte(out, i < count ? significant[i] : '0');
    }
    if (count <= (size_t)exponent + 1)
        ttext_cstring(out, ".0");
}

static void escape_code(struct ttext *out, uint32_t code)
{
    if (code < 0x100)
        ttext_printf(out, "\\x%02x", code);
    else
        ttext_printf(out, code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
}

static bool is_short_escape(uint32_t code, char *ret_letter)
{
    *ret_letter = code == '\n' ? 'n' : code == '\r' ? 'r' : code == '\t' ? 't' : code == '\\' ? '\\' : 0;
    return *ret_letter;
}

/* The quote that needs no escape, ' if both occur. */
static char quote_for(struct slice text)
{
    return memchr(text.data, '\'', text.size) && !memchr(text.data, '"', text.size) ? '"' : '\'';
}

void tvalue_repr_string(struct ttext *out, struct slice text)
{
    char quote = text.size ? quote_for(text) : '\'', letter;
    ttext_byte(out, quote);
    for (size_t at = 0, length; at < text.size; at += length) {
        uint32_t code = utf8_decode(text.data + at, text.size - at, &length);
        if (is_short_escape(code, &letter) || code == (unsigned char)quote) {
            ttext_byte(out, '\\');
            ttext_byte(out, letter ? letter : quote);
        } else if (unicode_is_printable(code)) {
            ttext_add(out, text.data + at, length);
        } else {
            escape_code(out, code);
        }
    }
    ttext_byte(out, quote);
}

static void repr_bytes(struct ttext *out, struct slice text)
{
    char quote = text.size ? quote_for(text) : '\'', letter;
    ttext_byte(out, 'b');
    ttext_byte(out, quote);
    for (size_t at = 0; at < text.size; at++) {
        unsigned char byte = (unsigned char)text.data[at];
        if (is_short_escape(byte, &letter) || byte == (unsigned char)quote) {
            ttext_byte(out, '\\');
            ttext_byte(out, letter ? letter : quote);
        } else if (byte >= ' ' && byte < 127) {
            ttext_byte(out, (char)byte);
        } else {
            ttext_printf(out, "\\x%02x", byte);
        }
    }
    ttext_byte(out, quote);
}

/* --- times --------------------------------------------------------------------------------------- */

static void str_timedelta(struct ttext *out, int64_t seconds, uint32_t microseconds)
{
    int64_t days = seconds / 86400;
    int64_t rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    if (days)
        ttext_printf(out, "%lld day%s, ", (long long)days, days == 1 || days == -1 ? "" : "s");
    ttext_printf(out, "%d:%02d:%02d", (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
    if (microseconds)
        ttext_printf(out, ".%06u", microseconds);
}

static void repr_timedelta(struct ttext *out, int64_t seconds, uint32_t microseconds)
{
    int64_t days = seconds / 86400;
    int64_t rest = seconds % 86400;
    const char *before = "";
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    ttext_cstring(out, "datetime.timedelta(");
    if (days) {
        ttext_printf(out, "days=%lld", (long long)days);
        before = ", ";
    }
    if (rest) {
        ttext_printf(out, "%sseconds=%lld", before, (long long)rest);
        before = ", ";
    }
    if (microseconds)
        ttext_printf(out, "%smicroseconds=%u", before, microseconds);
    else if (!days && !rest)
        ttext_byte(out, '0');
    ttext_byte(out, ')');
}

static void str_duration(struct ttext *out, const struct duration *duration)
{
    if (duration->years != 0)
        ttext_printf(out, "%.0f years, ", trunc(duration->years));
    if (duration->months != 0)
        ttext_printf(out, "%.0f month%s, ", trunc(duration->months), duration->months <= 1 ? "" : "s");
    str_timedelta(out, duration->seconds, duration->microseconds);
}

static void repr_duration(struct ttext *out, const struct duration *duration)
{
    int64_t days = duration->seconds / 86400;
    int64_t rest = duration->seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    ttext_printf(out, "isodate.duration.Duration(%lld, %lld, %u, years=%.0f, months=%.0f)", (long long)days,
                 (long long)rest, duration->microseconds, trunc(duration->years), trunc(duration->months));
}

static void repr_zone(struct ttext *out, const struct datetime *datetime)
{
    switch ((enum datetime_zone)datetime->zone) {
    case DATETIME_NAIVE:
        break;
    case DATETIME_UTC:
        ttext_cstring(out, ", tzinfo=datetime.timezone.utc");
        break;
    case DATETIME_PYTZ_UTC:
        ttext_cstring(out, ", tzinfo=<UTC>");
        break;
    case DATETIME_OFFSET:
        ttext_cstring(out, ", tzinfo=datetime.timezone(");
        repr_timedelta(out, datetime->offset, 0);
        ttext_byte(out, ')');
        break;
    case DATETIME_TZ_OFFSET:
        if (datetime->offset)
            ttext_printf(out, ", tzinfo=tzoffset(None, %d)", datetime->offset);
        else
            ttext_cstring(out, ", tzinfo=tzutc()");
        break;
    }
}

static void repr_datetime(struct ttext *out, const struct tvalue *value)
{
    struct datetime_fields fields = datetime_fields(value->datetime);
    if (value->kind == TVALUE_DATE) {
        ttext_printf(out, "datetime.date(%lld, %u, %u)", (long long)fields.year, fields.month, fields.day);
        return;
    }
    if (value->kind == TVALUE_TIME)
        ttext_printf(out, "datetime.time(%u, %u", fields.hour, fields.minute);
    else
        ttext_printf(out, "datetime.datetime(%lld, %u, %u, %u, %u", (long long)fields.year, fields.month,
                     fields.day, fields.hour, fields.minute);
    if (fields.second || fields.microsecond)
        ttext_printf(out, ", %u", fields.second);
    if (fields.microsecond)
        ttext_printf(out, ", %u", fields.microsecond);
    repr_zone(out, value->datetime);
    ttext_byte(out, ')');
}

static void str_datetime(struct ttext *out, const struct tvalue *value)
{
    char text[DATETIME_TEXT_MAX];
    size_t size = datetime_isoformat(value->datetime, ' ', text);
    if (value->kind == TVALUE_DATE)
        ttext_add(out, text, 10);
    else if (value->kind == TVALUE_TIME)
        ttext_add(out, text + 11, size - 11);
    else
        ttext_add(out, text, size);
}

/* --- containers ---------------------------------------------------------------------------------- */

static void repr(struct ttext *out, const struct tvalue *value, unsigned depth);

static void repr_elements(struct ttext *out, const struct tvalue *value, const char *open, const char *close,
                          unsigned depth)
{
    struct titer iter;
    struct tvalue item;
    bool first = true;
    ttext_cstring(out, open);
    titer_init(&iter, out->arena, *value);
    while (!out->overflowed && titer_next(&iter, &item)) {
        if (!first)
            ttext_cstring(out, ", ");
        first = false;
        repr(out, &item, depth + 1);
    }
    ttext_cstring(out, close);
}

static void repr_members(struct ttext *out, const struct tvalue *value, unsigned depth)
{
    struct titer iter;
    struct tvalue key;
    bool first = true;
    ttext_byte(out, '{');
    titer_init(&iter, out->arena, *value);
    while (!out->overflowed && titer_next(&iter, &key)) {
        if (!first)
            ttext_cstring(out, ", ");
        first = false;
        repr(out, &key, depth + 1);
        ttext_cstring(out, ": ");
        repr(out, &iter.of_key, depth + 1);
    }
    ttext_byte(out, '}');
}

static void repr_view(struct ttext *out, const struct tvalue *value, unsigned depth)
{
    static const char *const NAMES[] = {[TVALUE_VIEW_KEYS] = "dict_keys([",
                                        [TVALUE_VIEW_VALUES] = "dict_values([",
                                        [TVALUE_VIEW_ITEMS] = "dict_items(["};
    repr_elements(out, value, NAMES[value->id], "])", depth);
}

static void repr_sequence(struct ttext *out, const struct tvalue *value, unsigned depth)
{
    size_t count = tvalue_count(value);
    if (value->flags & TVALUE_CALENDAR) {
        const struct tvalue *parts = value->list->items;
        ttext_printf(out, "datetime.IsoCalendarDate(year=%lld, week=%lld, weekday=%lld)",
                     (long long)parts[0].integer, (long long)parts[1].integer, (long long)parts[2].integer);
    } else if (value->kind == TVALUE_TUPLE)
        repr_elements(out, value, "(", count == 1 ? ",)" : ")", depth);
    else if (value->kind == TVALUE_SET && count == 0)
        ttext_cstring(out, "set()");
    else if (value->kind == TVALUE_SET)
        repr_elements(out, value, "{", "}", depth);
    else
        repr_elements(out, value, "[", "]", depth);
}

static void repr(struct ttext *out, const struct tvalue *value, unsigned depth)
{
    if (depth > TVALUE_DEPTH_MAX) {
        ttext_cstring(out, "...");
        return;
    }
    switch (value->kind) {
    case TVALUE_UNDEFINED:
        ttext_cstring(out, "Undefined");
        break;
    case TVALUE_NONE:
        ttext_cstring(out, "None");
        break;
    case TVALUE_BOOL:
        ttext_cstring(out, value->boolean ? "True" : "False");
        break;
    case TVALUE_INT:
    case TVALUE_BIG:
        integer_text(out, value);
        break;
    case TVALUE_FLOAT:
        tvalue_repr_float(out, value->number);
        break;
    case TVALUE_STRING:
        if (value->flags & TVALUE_SAFE)
            ttext_cstring(out, "Markup(");
        tvalue_repr_string(out, value->text);
        if (value->flags & TVALUE_SAFE)
            ttext_byte(out, ')');
        break;
    case TVALUE_BYTES:
        repr_bytes(out, value->text);
        break;
    case TVALUE_LIST:
    case TVALUE_JSON_LIST:
    case TVALUE_TUPLE:
    case TVALUE_SET:
        repr_sequence(out, value, depth);
        break;
    case TVALUE_DICT:
    case TVALUE_JSON_DICT:
    case TVALUE_OBJECT:
        repr_members(out, value, depth);
        break;
    case TVALUE_VIEW:
        repr_view(out, value, depth);
        break;
    case TVALUE_DATETIME:
    case TVALUE_DATE:
    case TVALUE_TIME:
        repr_datetime(out, value);
        break;
    case TVALUE_TIMEDELTA:
        repr_timedelta(out, value->seconds, value->at);
        break;
    case TVALUE_DURATION:
        repr_duration(out, value->duration);
        break;
    default: /* Python writes the address of these, which nobody can rely on */
        ttext_printf(out, "<%s object>", tvalue_type(value));
        break;
    }
}

void tvalue_repr(struct ttext *out, const struct tvalue *value)
{
    repr(out, value, 0);
}

void tvalue_str(struct ttext *out, const struct tvalue *value)
{
    switch (value->kind) {
    case TVALUE_STRING:
        ttext_slice(out, value->text);
        break;
    case TVALUE_UNDEFINED:
        break;
    case TVALUE_DATETIME:
    case TVALUE_DATE:
    case TVALUE_TIME:
        str_datetime(out, value);
        break;
    case TVALUE_TIMEDELTA:
        str_timedelta(out, value->seconds, value->at);
        break;
    case TVALUE_DURATION:
        str_duration(out, value->duration);
        break;
    default:
        repr(out, value, 0);
        break;
    }
}

struct slice tvalue_text(struct arena *arena, const struct tvalue *value)
{
    struct ttext text;
    if (value->kind == TVALUE_STRING)
        return value->text;
    ttext_init(&text, arena, SIZE_MAX);
    tvalue_str(&text, value);
    return ttext_slice_of(&text);
}
