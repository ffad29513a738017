/* Host names beyond ASCII: IDNA2008 (RFC 5890 to 5893). libidn2 checks each label and makes its ASCII form;
 * what it leaves out is here: hyphens, the rules for names that have labels written from right to left,
 * lengths. */
#include "schema/format/forms.h"

#include <idn2.h>

/* A label as the rules need it. */
struct label {
    char ascii[LABEL_SIZE_MAX + 1]; /* A-label, or the label itself */
    uint8_t unicode[4 * LABEL_SIZE_MAX + 1];
    bool is_rtl, has_digit, has_arabic_digit;
};

static bool in_rtl_block(uint32_t code)
{
    return (code >= 0x590 && code <= 0x8ff) || (code >= 0xfb1d && code <= 0xfdff) ||
           (code >= 0xfe70 && code <= 0xfeff) || (code >= 0x10800 && code <= 0x10fff) ||
           (code >= 0x1e800 && code <= 0x1efff);
}

/* Hyphens stand inside only, not at both the third and the fourth place, unless it is an A-label. */
static bool hyphens_right(const char *label, size_t size)
{
    return size > 0 && label[0] != '-' && label[size - 1] != '-' &&
           !(size >= 4 && label[2] == '-' && label[3] == '-');
}

/* Look at the Unicode form: which digits, which direction. */
static void classify(struct label *label)
{
    uint32_t code;
    for (const char *at = (const char *)label->unicode; *at;) {
        at += utf8_take(at, &code);
        bool extended = code >= 0x6f0 && code <= 0x6f9;
        bool arabic = (code >= 0x660 && code <= 0x669) || code == 0x66b || code == 0x66c;
        label->has_digit |= extended || (code >= '0' && code <= '9');
        label->has_arabic_digit |= arabic;
        label->is_rtl |= in_rtl_block(code) && !extended;
    }
}

/* A label that is not ASCII; `flags` are libidn2's. */
static bool take_unicode(struct slice text, int flags, struct label *label)
{
    uint8_t *ascii = NULL;
    if (text.size >= sizeof label->unicode || !hyphens_right(text.data, text.size))
        return false;
    memcpy(label->unicode, text.data, text.size);
    label->unicode[text.size] = 0;
    if (idn2_register_u8(label->unicode, NULL, &ascii, flags) != IDN2_OK)
        return false;
    bool fits = strlen((char *)ascii) <= LABEL_SIZE_MAX;
    if (fits)
        memcpy(label->ascii, ascii, strlen((char *)ascii) + 1);
    idn2_free(ascii);
    classify(label);
    return fits;
}

/* An A-label: it decodes to a label that is not ASCII, is right, and has this very A-label. */
static bool take_punycode(struct slice text, struct label *label)
{
    char lower[LABEL_SIZE_MAX + 1], *decoded = NULL;
    if (text.size > LABEL_SIZE_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        lower[i] = (char)(text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] | 0x20 : text.data[i]);
    lower[text.size] = '\0';
    if (idn2_to_unicode_8z8z(lower, &decoded, 0) != IDN2_OK)
        return false;
    bool valid = take_unicode(slice_of(decoded), 0, label) && strcmp(label->ascii, lower) == 0;
    idn2_free(decoded);
    return valid;
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    }
    return true;
}

static bool take_ascii(struct slice text, struct label *label)
{
    if (text.size > LABEL_SIZE_MAX || !hyphens_right(text.data, text.size))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-')
            return false;
    }
    memcpy(label->ascii, text.data, text.size);
    label->ascii[text.size] = '\0';
    memcpy(label->unicode, label->ascii, text.size + 1);
    return true;
}

static bool take_label(struct slice text, int flags, struct label *label)
{
    memset(label, 0, sizeof *label);
    if (memchr(text.data, '\0', text.size))
        return false;
    bool valid = !is_ascii(text)                                           ? take_unicode(text, flags, label)
                 : text.size > 4 && strncasecmp(text.data, "xn--", 4) == 0 ? take_punycode(text, label)
                                                                           : take_ascii(text, label);
    /* RFC 5893, rule 4: one kind of digits where it is written from right to left. */
    return valid && !(label->is_rtl && label->has_digit && label->has_arabic_digit);
}

bool idn_is_a_label(struct slice text)
{
    struct label label;
    return take_label(text, 0, &label);
}

/* The length of a separator at the front: full stop, ideographic, fullwidth, halfwidth. */
static size_t separator_size(const char *at, const char *end)
{
    if (*at == '.')
        return 1;
    if (end - at < 3)
        return 0;
    return memcmp(at, "\xe3\x80\x82", 3) == 0 || memcmp(at, "\xef\xbc\x8e", 3) == 0 ||
                   memcmp(at, "\xef\xbd\xa1", 3) == 0
               ? 3
               : 0;
}

static bool is_domain(struct slice text, int flags)
{
    const char *at = text.data, *end = at + text.size;
    size_t total = 0;
    bool any_rtl = false, digit_first = false;
    for (;;) {
        const char *start = at;
        size_t separator = 0;
        struct label label;
        while (at < end && !(separator = separator_size(at, end)))
            at++;
        if (at == start || !take_label((struct slice){start, (size_t)(at - start)}, flags, &label))
            return false;
        total += strlen(label.ascii) + 1;
        any_rtl |= label.is_rtl;
        digit_first |= !label.is_rtl && char_is_digit((char)label.unicode[0]);
        if (at == end)
            break;
        at += separator;
    }
    /* RFC 5893, rule 1: where one label is written from right to left, none begins with a digit. */
    return total - 1 <= HOSTNAME_SIZE_MAX && !(any_rtl && digit_first);
}

bool form_idn_hostname(struct slice text)
{
    return is_domain(text, 0);
}

/* What is typed in a mail address is normalized before it is looked up (RFC 5198, RFC 6532): it need not be.
 */
bool idn_is_mail_domain(struct slice text)
{
    return is_domain(text, IDN2_NFC_INPUT);
}
