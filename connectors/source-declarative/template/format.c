/* "%s" % values, and str.format. */
#include "digits.h"
#include "run.h"
#include "unicode.h"

#include <stdio.h>

enum { WIDTH_MAX = 1 << 20, PRECISION_MAX = 4096 };

/* A number as printf writes it, from Python's rules for the type letter. */
void format_float(struct ttext *out, double number, int precision, char type, bool alternate)
{
    char local[PRECISION_MAX + 512];
    bool upper = type == 'E' || type == 'F' || type == 'G';
    number = fabs(number);
    if (isnan(number) || isinf(number)) {
        ttext_cstring(out, isnan(number) ? (upper ? "NAN" : "nan") : upper ? "INF" : "inf");
        return;
    }
    int size = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    char format[] = {
        '%', alternate ? '#' : '.', alternate ? '.' : '*', alternate ? '*' : type, alternate ? type : 0, 0};
    size = snprintf(local, sizeof local, format, precision, number);
#pragma GCC diagnostic pop
    ttext_add(out, local, (size_t)size < sizeof local ? (size_t)size : sizeof local - 1);
}

/* --- percent ------------------------------------------------------------------------------------- */

struct directive {
    bool minus, plus, blank, zero, alternate;
    int64_t width, precision; /* -1: none */
    char type;
};

struct percent {
    struct run *run;
    struct slice format;
    size_t at;
    const struct tvalue *values; /* one, or a tuple or a mapping */
    size_t next;
    bool by_name, safe;
    struct ttext out;
};

static int next_value(struct percent *p, struct tvalue *ret_value)
{
    const struct tvalue *values = p->values;
    if (values->kind == TVALUE_TUPLE) {
        if (p->next >= values->list->count)
            return run_type_error(p->run, "there are fewer values than places in a format");
        *ret_value = values->list->items[p->next++];
        return 0;
    }
    if (p->next++)
        return run_type_error(p->run, "there are fewer values than places in a format");
    *ret_value = *values;
    return 0;
}

/* "%(name)s": behind it. */
static int named_value(struct percent *p, struct tvalue *ret_value)
{
    size_t start = ++p->at, open = 1;
    while (p->at < p->format.size && open) {
        open += p->format.data[p->at] == '(';
        open -= p->format.data[p->at] == ')';
        p->at++;
    }
    if (open)
        return run_fail(p->run, "a name in a format has no end");
    if (!tvalue_is_mapping(p->values))
        return run_type_error(p->run, "a format with names needs a mapping");
    struct slice name = {p->format.data + start, p->at - start - 1};
    p->by_name = true;
    if (!tvalue_member_name(p->run->arena, p->values, name, ret_value))
        return run_fail(p->run, "a format names '%.*s', which is not there",
                        SLICE_ARGS(run_shown(p->run, name)));
    return 0;
}

static int read_number(struct percent *p, int64_t *ret_number)
{
    struct tvalue value;
    if (p->at < p->format.size && p->format.data[p->at] == '*') {
        p->at++;
        if (next_value(p, &value) < 0)
            return -1;
        if (!tvalue_is_integer(&value))
            return run_type_error(p->run, "'*' in a format needs an integer");
        if (run_index(p->run, &value, ret_number) < 0)
            return -1;
    } else {
        *ret_number = 0;
        while (p->at < p->format.size && p->format.data[p->at] >= '0' && p->format.data[p->at] <= '9') {
            *ret_number = *ret_number * 10 + (p->format.data[p->at++] - '0');
            if (*ret_number > WIDTH_MAX)
                break;
        }
    }
    if (*ret_number > WIDTH_MAX || *ret_number < -WIDTH_MAX)
        return run_limit(p->run, "a width in a format is larger than %d", WIDTH_MAX);
    return 0;
}

static void pad(struct ttext *out, char with, int64_t count)
{
    for (; count > 0 && !out->overflowed; count--)
        ttext_byte(out, with);
}

/* Sign and digits, padded. */
static void put_number(struct percent *p, const struct directive *d, bool negative, const char *prefix,
                       struct slice digits)
{
    const char *sign = negative ? "-" : d->plus ? "+" : d->blank ? " " : "";
    int64_t padding = d->width - (int64_t)(strlen(sign) + strlen(prefix) + unicode_count(digits));
    if (!d->minus && !d->zero)
        pad(&p->out, ' ', padding);
    ttext_cstring(&p->out, sign);
    ttext_cstring(&p->out, prefix);
    if (!d->minus && d->zero)
        pad(&p->out, '0', padding);
    ttext_slice(&p->out, digits);
    if (d->minus)
        pad(&p->out, ' ', padding);
}

/* Magnitude in base 16 or 8 or 2. */
static void put_in_base(struct ttext *out, struct run *run, const struct tvalue *value, unsigned base,
                        bool upper)
{
    struct tvalue rest = *value, digit, divisor = tvalue_int(base);
    char *digits = arena_alloc(run->arena, integer_digits(value) * 4 + 8);
    size_t size = integer_digits(value) * 4 + 8, at = size;
    if (integer_is_negative(&rest))
        rest = integer_negate(run->arena, &rest);
    do {
        integer_divide(run->arena, &rest, &divisor, &rest, &digit);
        digits[--at] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[digit.integer];
    } while (tvalue_true(&rest));
    ttext_add(out, digits + at, size - at);
}

static int put_integer(struct percent *p, const struct directive *d, const struct tvalue *given)
{
    struct tvalue value = *given;
    struct ttext digits;
    bool decimal = d->type == 'd' || d->type == 'i' || d->type == 'u';
    if (given->kind == TVALUE_FLOAT && decimal) {
        if (run_to_integer(p->run, given, 10, &value) < 0)
            return -1;
    } else if (!tvalue_is_integer(given) && given->kind != TVALUE_BOOL) {
        return run_type_error(p->run, "%%%c in a format needs a number, not %s", d->type, tvalue_type(given));
    }
    bool negative = integer_is_negative(&value);
    ttext_init(&digits, p->run->arena, TEMPLATE_TEXT_MAX);
    const char *prefix = "";
    if (decimal) {
        integer_text(&digits, &value);
    } else {
        put_in_base(&digits, p->run, &value, d->type == 'o' ? 8 : 16, d->type == 'X');
        if (d->alternate)
            prefix = d->type == 'o' ? "0o" : d->type == 'x' ? "0x" : "0X";
    }
    struct slice text = ttext_slice_of(&digits);
    if (negative && *text.data == '-')
        text = (struct slice){text.data + 1, text.size - 1};
    struct ttext padded;
    ttext_init(&padded, p->run->arena, TEMPLATE_TEXT_MAX);
    pad(&padded, '0', d->precision - (int64_t)text.size);
    ttext_slice(&padded, text);
    put_number(p, d, negative, prefix, ttext_slice_of(&padded));
    return 0;
}

static int put_float(struct percent *p, const struct directive *d, const struct tvalue *value)
{
    double number;
    struct ttext digits;
    if (!tvalue_is_number(value))
        return run_type_error(p->run, "%%%c in a format needs a number, not %s", d->type, tvalue_type(value));
    if (run_to_float(p->run, value, &number) < 0)
        return -1;
    int64_t precision = d->precision < 0 ? 6 : d->precision;
    if (precision > PRECISION_MAX)
        return run_limit(p->run, "a precision in a format is larger than %d", PRECISION_MAX);
    ttext_init(&digits, p->run->arena, TEMPLATE_TEXT_MAX);
    format_float(&digits, number, (int)precision, d->type, d->alternate);
    put_number(p, d, signbit(number) && !isnan(number), "", ttext_slice_of(&digits));
    return 0;
}

static int put_text(struct percent *p, const struct directive *d, const struct tvalue *value)
{
    struct tvalue text;
    struct ttext repr;
    if (d->type == 's') {
        if ((p->safe ? run_escape(p->run, value, &text) : run_str_value(p->run, value, &text)) < 0)
            return -1;
    } else {
        run_text_init(p->run, &repr);
        tvalue_repr(&repr, value);
        if (run_text(p->run, &repr, &text) < 0)
            return -1;
        if (d->type == 'a') {
            run_text_init(p->run, &repr);
            for (size_t at = 0, length; at < text.text.size; at += length) {
                uint32_t code = utf8_decode(text.text.data + at, text.text.size - at, &length);
                if (code < 128)
                    ttext_byte(&repr, (char)code);
                else
                    ttext_printf(&repr,
                                 code < 0x100     ? "\\x%02x"
                                 : code < 0x10000 ? "\\u%04x"
                                                  : "\\U%08x",
                                 code);
            }
            text.text = ttext_slice_of(&repr);
        }
    }
    if (d->precision >= 0)
        text.text.size = unicode_offset(text.text, (size_t)d->precision);
    struct directive plain = {.minus = d->minus, .width = d->width};
    put_number(p, &plain, false, "", text.text);
    return 0;
}

static int put_character(struct percent *p, const struct directive *d, const struct tvalue *value)
{
    struct directive plain = {.minus = d->minus, .width = d->width};
    struct ttext one;
    ttext_init(&one, p->run->arena, 8);
    if (value->kind == TVALUE_STRING && unicode_count(value->text) == 1) {
        put_number(p, &plain, false, "", value->text);
        return 0;
    }
    if (value->kind != TVALUE_INT && value->kind != TVALUE_BOOL)
        return run_type_error(p->run, "%%c in a format needs an integer or one character");
    int64_t code = value->kind == TVALUE_BOOL ? value->boolean : value->integer;
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return run_fail(p->run, "%%c in a format needs the number of a character");
    ttext_code(&one, (uint32_t)code);
    put_number(p, &plain, false, "", ttext_slice_of(&one));
    return 0;
}

static int put_directive(struct percent *p)
{
    struct directive d = {.precision = -1};
    struct tvalue value;
    bool named = p->at < p->format.size && p->format.data[p->at] == '(';
    if (named && named_value(p, &value) < 0)
        return -1;
    for (; p->at < p->format.size && p->format.data[p->at] && strchr("-+ 0#", p->format.data[p->at]);
         p->at++) {
        char flag = p->format.data[p->at];
        d.minus |= flag == '-';
        d.plus |= flag == '+';
        d.blank |= flag == ' ';
        d.zero |= flag == '0';
        d.alternate |= flag == '#';
    }
    if (read_number(p, &d.width) < 0)
        return -1;
    if (d.width < 0) {
        d.minus = true;
        d.width = -d.width;
    }
    if (p->at < p->format.size && p->format.data[p->at] == '.') {
        p->at++;
        if (read_number(p, &d.precision) < 0)
            return -1;
        if (d.precision < 0)
            d.precision = 0;
    }
    while (p->at < p->format.size && p->format.data[p->at] && strchr("hlL", p->format.data[p->at]))
        p->at++;
    if (p->at >= p->format.size)
        return run_fail(p->run, "a format ends within a place for a value");
    d.type = p->format.data[p->at++];
    if (d.type == '%') {
        ttext_byte(&p->out, '%');
        return 0;
    }
    if (!d.type || !strchr("diouxXeEfFgGcrsa", d.type))
        return run_fail(p->run, "a format has a place of an unknown type");
    if (!named && next_value(p, &value) < 0)
        return -1;
    if (strchr("diouxX", d.type))
        return put_integer(p, &d, &value);
    if (strchr("eEfFgG", d.type))
        return put_float(p, &d, &value);
    return d.type == 'c' ? put_character(p, &d, &value) : put_text(p, &d, &value);
}

int run_format_percent(struct run *run, const struct tvalue *format, const struct tvalue *values,
                       struct tvalue *ret_value)
{
    struct percent p = {
        .run = run, .format = format->text, .values = values, .safe = format->flags & TVALUE_SAFE};
    run_text_init(run, &p.out);
    while (p.at < p.format.size) {
        char byte = p.format.data[p.at++];
        if (byte != '%') {
            ttext_byte(&p.out, byte);
            continue;
        }
        if (run_step(run) < 0 || put_directive(&p) < 0)
            return -1;
    }
    /* What can be subscripted counts as a mapping, which need not be used up. */
    bool one = values->kind != TVALUE_TUPLE && !tvalue_is_mapping(values) && !tvalue_is_list(values) &&
               values->kind != TVALUE_UNDEFINED && values->kind != TVALUE_BYTES;
    size_t given = values->kind == TVALUE_TUPLE ? values->list->count : one;
    if (!p.by_name && p.next < given)
        return run_type_error(run, "there are more values than places in a format");
    if (run_text(run, &p.out, ret_value) < 0)
        return -1;
    ret_value->flags = format->flags & TVALUE_SAFE;
    return 0;
}
