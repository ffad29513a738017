/* "{}".format(…), and format(value, spec). */
#include "digits.h"
#include "run.h"
#include "unicode.h"

enum { WIDTH_MAX = 1 << 20, PRECISION_MAX = 4096, SPEC_MAX = 1024 };

struct spec {
    struct slice fill;
    char align, sign, grouping, type; /* 0: not given */
    bool alternate, zero;
    int64_t width, precision;
};

static bool is_align(char byte)
{
    return byte == '<' || byte == '>' || byte == '=' || byte == '^';
}

/* -1 if there are no digits; what is too large stays so. */
static int64_t take_number(struct slice text, size_t *at)
{
    int64_t number = -1;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at) {
        if (number <= WIDTH_MAX)
            number = (number < 0 ? 0 : number) * 10 + (text.data[*at] - '0');
    }
    return number;
}

static int parse_spec(struct run *run, struct slice text, struct spec *spec)
{
    size_t at = 0, length = 0;
    *spec = (struct spec){.fill = SLICE_LITERAL(" "), .width = -1, .precision = -1};
    if (text.size)
        utf8_decode(text.data, text.size, &length);
    if (length < text.size && is_align(text.data[length])) {
        spec->fill = (struct slice){text.data, length};
        spec->align = text.data[length];
        at = length + 1;
    } else if (text.size && is_align(*text.data)) {
        spec->align = text.data[at++];
    }
    if (at < text.size && text.data[at] && strchr("+- ", text.data[at]))
        spec->sign = text.data[at++];
    if (at < text.size && text.data[at] == '#') {
        spec->alternate = true;
        at++;
    }
    if (at < text.size && text.data[at] == '0') {
        spec->zero = true;
        at++;
        if (!spec->align) {
            spec->align = '=';
            spec->fill = SLICE_LITERAL("0");
        }
    }
    spec->width = take_number(text, &at);
    if (at < text.size && (text.data[at] == ',' || text.data[at] == '_'))
        spec->grouping = text.data[at++];
    if (at < text.size && text.data[at] == '.') {
        at++;
        spec->precision = take_number(text, &at);
        if (spec->precision < 0)
            return run_fail(run, "a format has a point without precision");
    }
    if (at < text.size)
        spec->type = text.data[at++];
    if (at != text.size)
        return run_fail(run, "a format for a value is not valid");
    if (spec->width > WIDTH_MAX || spec->precision > PRECISION_MAX)
        return run_limit(run, "a format has a width above %d or a precision above %d", WIDTH_MAX,
                         PRECISION_MAX);
    return 0;
}

static void fill(struct ttext *out, const struct spec *spec, int64_t count)
{
    for (; count > 0 && !out->overflowed; count--)
        ttext_slice(out, spec->fill);
}

static void put(struct ttext *out, const struct spec *spec, char align, const char *sign, struct slice body)
{
    int64_t padding = spec->width - (int64_t)(strlen(sign) + unicode_count(body));
    int64_t left = padding <= 0 || align == '<' ? 0 : align == '^' ? padding / 2 : padding;
    if (align != '=')
        fill(out, spec, left);
    ttext_cstring(out, sign);
    if (align == '=')
        fill(out, spec, left);
    ttext_slice(out, body);
    fill(out, spec, padding - left);
}

/* Digits before the point in groups; zeros that fill the width are grouped too. */
static void group(struct ttext *out, struct slice digits, char with, int64_t every, int64_t width)
{
    size_t whole = 0;
    while (whole < digits.size &&
           ((digits.data[whole] >= '0' && digits.data[whole] <= '9') ||
            ((digits.data[whole] | 32) >= 'a' && (digits.data[whole] | 32) <= 'f' && every == 4)))
        whole++;
    int64_t rest = (int64_t)(digits.size - whole), count = (int64_t)whole;
    while (count + (count - 1) / every + rest < width)
        count++;
    for (int64_t i = count; i > 0; i--) {
        ttext_byte(out, i > (int64_t)whole ? '0' : digits.data[(int64_t)whole - i]);
        if (i > 1 && (i - 1) % every == 0)
            ttext_byte(out, with);
    }
    ttext_add(out, digits.data + whole, digits.size - whole);
}

static int put_number(struct ttext *out, const struct spec *spec, bool negative, const char *prefix,
                      struct slice digits)
{
    char sign[8] = "";
    struct ttext grouped;
    snprintf(sign, sizeof sign, "%s%s",
             negative            ? "-"
             : spec->sign == '+' ? "+"
             : spec->sign == ' ' ? " "
                                 : "",
             prefix);
    char align = spec->align ? spec->align : '>';
    if (spec->grouping) {
        bool zeros = align == '=' && slice_is(spec->fill, "0");
        ttext_init(&grouped, out->arena, TEMPLATE_TEXT_MAX);
        group(&grouped, digits, spec->grouping, spec->type && strchr("xXob", spec->type) ? 4 : 3,
              zeros ? spec->width - (int64_t)strlen(sign) : 0);
        digits = ttext_slice_of(&grouped);
    }
    put(out, spec, align, sign, digits);
    return 0;
}

static int format_integer(struct run *run, const struct tvalue *value, const struct spec *spec,
                          struct ttext *out)
{
    struct ttext digits;
    ttext_init(&digits, run->arena, TEMPLATE_TEXT_MAX);
    bool negative = integer_is_negative(value);
    struct tvalue magnitude = negative ? integer_negate(run->arena, value) : *value;
    const char *prefix = "";
    unsigned base = spec->type == 'x' || spec->type == 'X' ? 16
                    : spec->type == 'o'                    ? 8
                    : spec->type == 'b'                    ? 2
                                                           : 10;
    if (spec->precision >= 0)
        return run_fail(run, "an integer has no precision in a format");
    if (spec->type == 'c') {
        if (magnitude.kind == TVALUE_BIG || negative || magnitude.integer > 0x10ffff ||
            (magnitude.integer >= 0xd800 && magnitude.integer < 0xe000))
            return run_fail(run, "a format wants a character, but the number is none's");
        ttext_code(&digits, (uint32_t)magnitude.integer);
        put(out, spec, spec->align ? spec->align : '<', "", ttext_slice_of(&digits));
        return 0;
    }
    if (base == 10) {
        integer_text(&digits, &magnitude);
    } else {
        struct tvalue rest = magnitude, digit, divisor = tvalue_int(base);
        size_t size = integer_digits(&magnitude) * 4 + 8, at = size;
        char *text = arena_alloc(run->arena, size);
        do {
            integer_divide(run->arena, &rest, &divisor, &rest, &digit);
            text[--at] = (spec->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[digit.integer];
        } while (tvalue_true(&rest));
        ttext_add(&digits, text + at, size - at);
        if (spec->alternate)
            prefix = base == 16 ? (spec->type == 'X' ? "0X" : "0x") : base == 8 ? "0o" : "0b";
    }
    return put_number(out, spec, negative, prefix, ttext_slice_of(&digits));
}

static int format_real(struct run *run, double number, const struct spec *spec, struct ttext *out)
{
    struct ttext digits;
    ttext_init(&digits, run->arena, TEMPLATE_TEXT_MAX);
    int precision = spec->precision < 0 ? 6 : (int)spec->precision;
    bool negative = signbit(number) && !isnan(number);
    if (spec->type == '%') {
        format_float(&digits, number * 100, precision, 'f', spec->alternate);
        ttext_byte(&digits, '%');
    } else if (spec->type) {
        format_float(&digits, number, precision, spec->type == 'n' ? 'g' : spec->type, spec->alternate);
    } else if (spec->precision >= 0) {
        format_float(&digits, number, precision ? precision : 1, 'g', false);
        /* Like g, but never without a fraction. */
        struct slice text = ttext_slice_of(&digits);
        if (isfinite(number) && !memchr(text.data, '.', text.size) && !memchr(text.data, 'e', text.size))
            ttext_cstring(&digits, ".0");
    } else {
        tvalue_repr_float(&digits, fabs(number));
    }
    return put_number(out, spec, negative, "", ttext_slice_of(&digits));
}

static int format_text(struct run *run, struct slice text, const struct spec *spec, struct ttext *out)
{
    if ((spec->type && spec->type != 's') || spec->sign || spec->alternate || spec->grouping ||
        spec->align == '=')
        return run_fail(run, "a format is not one for a text");
    if (spec->precision >= 0)
        text.size = unicode_offset(text, (size_t)spec->precision);
    put(out, spec, spec->align ? spec->align : '<', "", text);
    return 0;
}

int run_format_value(struct run *run, const struct tvalue *value, struct slice text, struct ttext *out)
{
    struct spec spec;
    struct tvalue shown;
    struct slice formatted;
    struct error err;
    if (text.size == 0) {
        tvalue_str(out, value);
        return 0;
    }
    if (value->kind == TVALUE_DATETIME || value->kind == TVALUE_DATE || value->kind == TVALUE_TIME) {
        if (datetime_strftime(run->arena, value->datetime, text, &formatted, &err) < 0)
            return run_error(run, &err);
        ttext_slice(out, formatted);
        return 0;
    }
    if (parse_spec(run, text, &spec) < 0)
        return -1;
    if (value->kind == TVALUE_STRING) {
        if (spec.align == '=' && spec.zero) {
            spec.align = '<';
        }
        return format_text(run, value->text, &spec, out);
    }
    if (!tvalue_is_number(value))
        return run_type_error(run, "a value of type %s takes no format", tvalue_type(value));
    if (value->kind == TVALUE_BOOL && !spec.type) {
        shown = tvalue_int(value->boolean);
        return format_integer(run, &shown, &spec, out);
    }
    bool real = value->kind == TVALUE_FLOAT || (spec.type && strchr("eEfFgG%", spec.type));
    if (!real && (!spec.type || strchr("bcdoxXn", spec.type)))
        return format_integer(run, value, &spec, out);
    if (!real || (spec.type && !strchr("eEfFgG%n", spec.type)))
        return run_fail(run, "a format has a type letter that a number does not know");
    double number;
    if (run_to_float(run, value, &number) < 0)
        return -1;
    return format_real(run, number, &spec, out);
}

/* --- braces -------------------------------------------------------------------------------------- */

struct braces {
    struct run *run;
    const struct call *call;
    int64_t next; /* position of the next {}; -1 once positions are written */
    bool numbered;
};

static int expand(struct braces *b, struct slice format, unsigned depth, struct ttext *out);

/* The value that the first part of a field's name is for. */
static int first_value(struct braces *b, struct slice name, struct tvalue *ret_value)
{
    size_t at = 0;
    int64_t number = take_number(name, &at);
    if (name.size == 0 || at == name.size) {
        if (name.size ? b->next > 0 : b->numbered)
            return run_fail(b->run, "a format has numbered places and places without number");
        b->numbered = name.size;
        if (!name.size)
            number = b->next++;
        if (number >= b->call->count)
            return run_fail(b->run, "a format has more places than there are values");
        *ret_value = b->call->positional[number];
        return 0;
    }
    for (uint32_t i = 0; i < b->call->keyword_count; i++) {
        if (slice_equal(b->call->keywords[i].name, name)) {
            *ret_value = b->call->keywords[i].value;
            return 0;
        }
    }
    return run_fail(b->run, "a format names '%.*s', which is not there", SLICE_ARGS(run_shown(b->run, name)));
}

/* name.attribute[key] */
static int field_value(struct braces *b, struct slice field, struct tvalue *ret_value)
{
    size_t at = 0;
    while (at < field.size && field.data[at] != '.' && field.data[at] != '[')
        at++;
    if (first_value(b, (struct slice){field.data, at}, ret_value) < 0)
        return -1;
    while (at < field.size) {
        bool attribute = field.data[at] == '.';
        size_t start = ++at;
        while (at < field.size &&
               (attribute ? field.data[at] != '.' && field.data[at] != '[' : field.data[at] != ']'))
            at++;
        struct slice name = {field.data + start, at - start};
        struct tvalue value = *ret_value, key = tvalue_string(name);
        if (name.size == 0 || (!attribute && at++ == field.size))
            return run_fail(b->run, "a place in a format has an empty or open part");
        if (!attribute)
            digits_to_integer(b->run->arena, name, 10, &key);
        if ((attribute ? run_getattr(b->run, &value, name, ret_value)
                       : run_getitem(b->run, &value, &key, ret_value)) < 0)
            return -1;
    }
    return 0;
}

static int convert(struct braces *b, char how, struct tvalue *value)
{
    struct ttext text;
    if (how == 's')
        return run_str_value(b->run, value, value);
    if (how != 'r' && how != 'a')
        return run_fail(b->run, "a place in a format has a conversion that is none of !s, !r, !a");
    run_text_init(b->run, &text);
    tvalue_repr(&text, value);
    return run_text(b->run, &text, value);
}

static int put_field(struct braces *b, struct slice field, unsigned depth, struct ttext *out)
{
    struct slice spec = {"", 0};
    char conversion = 0;
    unsigned open = 0;
    size_t name = 0;
    while (name < field.size && (open || (field.data[name] != ':' && field.data[name] != '!'))) {
        open += field.data[name] == '[';
        open -= field.data[name] == ']' && open;
        name++;
    }
    size_t at = name;
    if (at < field.size && field.data[at] == '!') {
        conversion = at + 1 < field.size ? field.data[at + 1] : '?';
        at += 2;
        if (at < field.size && field.data[at] != ':')
            return run_fail(b->run, "a place in a format has something behind its conversion");
    }
    if (at < field.size)
        spec = (struct slice){field.data + at + 1, field.size - at - 1};
    struct tvalue value;
    struct ttext expanded;
    if (field_value(b, (struct slice){field.data, name}, &value) < 0 ||
        (conversion && convert(b, conversion, &value) < 0))
        return -1;
    if (memchr(spec.data, '{', spec.size)) {
        ttext_init(&expanded, b->run->arena, SPEC_MAX);
        if (expand(b, spec, depth + 1, &expanded) < 0)
            return -1;
        spec = ttext_slice_of(&expanded);
    }
    return run_format_value(b->run, &value, spec, out);
}

static int expand(struct braces *b, struct slice format, unsigned depth, struct ttext *out)
{
    if (depth > 1)
        return run_fail(b->run, "places in a format are nested too deeply");
    for (size_t at = 0; at < format.size; at++) {
        char byte = format.data[at];
        if ((byte == '{' || byte == '}') && at + 1 < format.size && format.data[at + 1] == byte) {
            ttext_byte(out, byte);
            at++;
            continue;
        }
        if (byte == '}')
            return run_fail(b->run, "a format has a '}' without '{'");
        if (byte != '{') {
            ttext_byte(out, byte);
            continue;
        }
        size_t start = at + 1, open = 1;
        while (++at < format.size && open) {
            open += format.data[at] == '{';
            open -= format.data[at] == '}';
        }
        if (open)
            return run_fail(b->run, "a format has a '{' without '}'");
        at--;
        if (run_step(b->run) < 0 ||
            put_field(b, (struct slice){format.data + start, at - start}, depth, out) < 0)
            return -1;
    }
    return 0;
}

int run_format_braces(struct run *run, struct slice format, const struct call *call, struct tvalue *ret_value)
{
    struct braces braces = {.run = run, .call = call};
    struct ttext text;
    run_text_init(run, &text);
    if (expand(&braces, format, 0, &text) < 0)
        return -1;
    return run_text(run, &text, ret_value);
}
