/* More methods of str: padding, prefixes, what kind of characters it has, bytes. */
#include "run.h"
#include "text_tools.h"
#include "unicode.h"

#include <strings.h>

#define METHOD(name)                                                                    \
    static int name(struct run *run, const struct tvalue *self, const struct tvalue *a, \
                    struct tvalue *ret_value)

static int padded(struct run *run, const struct tvalue *self, const struct tvalue *a, enum text_padding where,
                  struct tvalue *ret_value)
{
    int64_t width;
    struct slice with = SLICE_LITERAL(" ");
    if (run_index(run, &a[0], &width) < 0 ||
        (!is_absent(&a[1]) && run_string(run, &a[1], "what is filled with", &with) < 0))
        return -1;
    if (unicode_count(with) != 1)
        return run_type_error(run, "what is filled with must be one character");
    return text_pad(run, self->text, width, with, where, ret_value);
}

METHOD(method_center)
{
    return padded(run, self, a, TEXT_CENTER, ret_value);
}

METHOD(method_ljust)
{
    return padded(run, self, a, TEXT_RIGHT, ret_value);
}

METHOD(method_rjust)
{
    return padded(run, self, a, TEXT_LEFT, ret_value);
}

METHOD(method_zfill)
{
    int64_t width;
    struct tvalue digits;
    struct ttext out;
    if (run_index(run, &a[0], &width) < 0)
        return -1;
    bool sign = self->text.size && (*self->text.data == '-' || *self->text.data == '+');
    struct slice rest = {self->text.data + sign, self->text.size - sign};
    if (text_pad(run, rest, width - sign, SLICE_LITERAL("0"), TEXT_LEFT, &digits) < 0)
        return -1;
    run_text_init(run, &out);
    ttext_add(&out, self->text.data, sign);
    ttext_slice(&out, digits.text);
    return run_text(run, &out, ret_value);
}

METHOD(method_removeprefix)
{
    struct slice end, text = self->text;
    if (run_string(run, &a[0], "a prefix", &end) < 0)
        return -1;
    bool has = text.size >= end.size && memcmp(text.data, end.data, end.size) == 0;
    *ret_value = tvalue_string(has ? (struct slice){text.data + end.size, text.size - end.size} : text);
    return 0;
}

METHOD(method_removesuffix)
{
    struct slice end, text = self->text;
    if (run_string(run, &a[0], "a suffix", &end) < 0)
        return -1;
    bool has = text.size >= end.size && memcmp(text.data + text.size - end.size, end.data, end.size) == 0;
    *ret_value = tvalue_string((struct slice){text.data, text.size - (has ? end.size : 0)});
    return 0;
}

METHOD(method_expandtabs)
{
    int64_t size = 8, column = 0;
    struct ttext out;
    if (!is_absent(&a[0]) && run_index(run, &a[0], &size) < 0)
        return -1;
    run_text_init(run, &out);
    for (size_t at = 0, length; at < self->text.size && !out.overflowed; at += length) {
        uint32_t code = utf8_decode(self->text.data + at, self->text.size - at, &length);
        if (code == '\t') {
            for (int64_t i = size > 0 ? size - column % size : 0; i > 0 && !out.overflowed; i--, column++)
                ttext_byte(&out, ' ');
            continue;
        }
        column = code == '\n' || code == '\r' ? 0 : column + 1;
        ttext_add(&out, self->text.data + at, length);
    }
    return run_text(run, &out, ret_value);
}

/* --- kinds of characters ------------------------------------------------------------------------- */

typedef bool character_test(uint32_t code);

static int all_are(const struct tvalue *self, character_test *test, bool of_empty, struct tvalue *ret_value)
{
    bool all = self->text.size || of_empty;
    for (size_t at = 0, length; at < self->text.size && all; at += length)
        all = test(utf8_decode(self->text.data + at, self->text.size - at, &length));
    *ret_value = tvalue_bool(all);
    return 0;
}

static bool is_ascii(uint32_t code)
{
    return code < 128;
}

/* Also superscripts. */
static bool is_digit(uint32_t code)
{
    return unicode_is_digit(code) || code == 0xb2 || code == 0xb3 || code == 0xb9 || code == 0x2070 ||
           (code >= 0x2074 && code <= 0x2079) || (code >= 0x2080 && code <= 0x2089);
}

static bool is_numeric(uint32_t code)
{
    return unicode_is_alnum(code) && !unicode_is_alpha(code);
}

#define ALL_METHOD(name, test, of_empty)                 \
    METHOD(name)                                         \
    {                                                    \
        (void)run, (void)a;                              \
        return all_are(self, test, of_empty, ret_value); \
    }
ALL_METHOD(method_isdigit, is_digit, false)
ALL_METHOD(method_isdecimal, unicode_is_digit, false)
ALL_METHOD(method_isnumeric, is_numeric, false)
ALL_METHOD(method_isalpha, unicode_is_alpha, false)
ALL_METHOD(method_isalnum, unicode_is_alnum, false)
ALL_METHOD(method_isspace, unicode_is_space, false)
ALL_METHOD(method_isprintable, unicode_is_printable, true)
ALL_METHOD(method_isascii, is_ascii, true)

static int in_case(struct run *run, const struct tvalue *self, const char *test, struct tvalue *ret_value)
{
    struct call none = {.count = 0};
    bool truth;
    if (run_test_named(run, slice_of(test), self, &none, &truth) < 0)
        return -1;
    *ret_value = tvalue_bool(truth);
    return 0;
}

METHOD(method_islower)
{
    (void)a;
    return in_case(run, self, "lower", ret_value);
}

METHOD(method_isupper)
{
    (void)a;
    return in_case(run, self, "upper", ret_value);
}

METHOD(method_istitle)
{
    (void)run, (void)a;
    bool cased = false, previous = false, title = true;
    for (size_t at = 0, length; at < self->text.size && title; at += length) {
        uint32_t code = utf8_decode(self->text.data + at, self->text.size - at, &length);
        bool upper = unicode_is_upper(code) || unicode_is_title(code), lower = unicode_is_lower(code);
        title = upper ? !previous : lower ? previous : true;
        previous = upper || lower;
        cased = cased || previous;
    }
    *ret_value = tvalue_bool(title && cased);
    return 0;
}

METHOD(method_isidentifier)
{
    (void)run, (void)a;
    bool valid = self->text.size && !(*self->text.data >= '0' && *self->text.data <= '9');
    for (size_t at = 0, length; at < self->text.size && valid; at += length) {
        uint32_t code = utf8_decode(self->text.data + at, self->text.size - at, &length);
        valid = code == '_' || unicode_is_alnum(code);
    }
    *ret_value = tvalue_bool(valid);
    return 0;
}

/* --- bytes --------------------------------------------------------------------------------------- */

static bool is_utf8(struct slice name)
{
    return (name.size == 5 && strncasecmp(name.data, "utf-8", 5) == 0) ||
           (name.size == 4 && strncasecmp(name.data, "utf8", 4) == 0);
}

static bool is_ascii_name(struct slice name)
{
    return (name.size == 5 && strncasecmp(name.data, "ascii", 5) == 0) ||
           (name.size == 8 && strncasecmp(name.data, "us-ascii", 8) == 0);
}

static int check_encoding(struct run *run, struct slice text, const struct tvalue *a)
{
    struct slice name = SLICE_LITERAL("utf-8");
    if (!is_absent(&a[0]) && run_string(run, &a[0], "an encoding", &name) < 0)
        return -1;
    if (!is_utf8(name) && !is_ascii_name(name))
        return run_fail(run, "an encoding is not known here; utf-8 and ascii are");
    for (size_t i = 0; is_ascii_name(name) && i < text.size; i++) {
        if ((unsigned char)text.data[i] > 127)
            return run_fail(run, "a text has characters that ASCII has not");
    }
    return 0;
}

METHOD(method_encode)
{
    if (check_encoding(run, self->text, a) < 0)
        return -1;
    *ret_value = tvalue_string(self->text);
    ret_value->kind = TVALUE_BYTES;
    return 0;
}

METHOD(method_decode)
{
    if (check_encoding(run, self->text, a) < 0)
        return -1;
    if (!utf8_valid(self->text.data, self->text.size))
        return run_fail(run, "bytes are not UTF-8");
    *ret_value = tvalue_string(self->text);
    return 0;
}

METHOD(method_hex)
{
    (void)a;
    struct ttext out;
    run_text_init(run, &out);
    for (size_t i = 0; i < self->text.size; i++)
        ttext_printf(&out, "%02x", (unsigned char)self->text.data[i]);
    return run_text(run, &out, ret_value);
}

const struct builtin methods_more_string[] = {
    {.name = "center", .function = method_center, .required = 1, .parameters = {"width", "fillchar"}},
    {.name = "ljust", .function = method_ljust, .required = 1, .parameters = {"width", "fillchar"}},
    {.name = "rjust", .function = method_rjust, .required = 1, .parameters = {"width", "fillchar"}},
    {.name = "zfill", .function = method_zfill, .required = 1, .parameters = {"width"}},
    {.name = "removeprefix", .function = method_removeprefix, .required = 1, .parameters = {"prefix"}},
    {.name = "removesuffix", .function = method_removesuffix, .required = 1, .parameters = {"suffix"}},
    {.name = "expandtabs", .function = method_expandtabs, .parameters = {"tabsize"}},
    {.name = "isdigit", .function = method_isdigit},
    {.name = "isdecimal", .function = method_isdecimal},
    {.name = "isnumeric", .function = method_isnumeric},
    {.name = "isalpha", .function = method_isalpha},
    {.name = "isalnum", .function = method_isalnum},
    {.name = "isspace", .function = method_isspace},
    {.name = "isprintable", .function = method_isprintable},
    {.name = "isascii", .function = method_isascii},
    {.name = "islower", .function = method_islower},
    {.name = "isupper", .function = method_isupper},
    {.name = "istitle", .function = method_istitle},
    {.name = "isidentifier", .function = method_isidentifier},
    {.name = "encode", .function = method_encode, .parameters = {"encoding", "errors"}},
    {.name = NULL},
};

const struct builtin methods_bytes[] = {
    {.name = "decode", .function = method_decode, .parameters = {"encoding", "errors"}},
    {.name = "hex", .function = method_hex},
    {.name = NULL},
};
