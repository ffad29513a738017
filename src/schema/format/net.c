/* Addresses: of hosts and of people. */
#include "schema/format/forms.h"

/* A number of 0 to 255 without leading zeros. */
static bool read_octet(const char **at, const char *end)
{
    const char *start = *at;
    int value = 0;
    while (*at < end && char_is_digit(**at) && *at - start < 3)
        value = value * 10 + *(*at)++ - '0';
    return *at > start && value <= 255 && (*start != '0' || *at - start == 1);
}

bool form_ipv4(struct slice text)
{
    const char *at = text.data, *end = at + text.size;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && (at == end || *at++ != '.'))
            return false;
        if (!read_octet(&at, end))
            return false;
    }
    return at == end;
}

/* Groups of hexadecimal digits with colons between them; the last may be an IPv4 address, which counts as
 * two. -1: they are not. */
static int count_groups(struct slice text)
{
    const char *at = text.data, *end = at + text.size;
    int count = 0;
    if (text.size == 0)
        return 0;
    for (;;) {
        const char *start = at;
        while (at < end && char_is_hex(*at))
            at++;
        if (at < end && *at == '.')
            return form_ipv4((struct slice){start, (size_t)(end - start)}) ? count + 2 : -1;
        if (at == start || at - start > 4)
            return -1;
        count++;
        if (at == end)
            return count;
        if (*at++ != ':' || count > 8)
            return -1;
    }
}

bool form_ipv6(struct slice text)
{
    const char *gap = text.size ? memmem(text.data, text.size, "::", 2) : NULL;
    if (!gap)
        return count_groups(text) == 8;
    struct slice left = {text.data, (size_t)(gap - text.data)}, right = {gap + 2, text.size - left.size - 2};
    if (left.size && memchr(left.data, '.', left.size))
        return false;
    int before = count_groups(left), after = count_groups(right);
    return before >= 0 && after >= 0 && before + after < 8;
}

static const struct char_set letters_digits = {{0x03ff000000000000ULL, 0x07fffffe07fffffeULL}};

/* Letters, digits and inner hyphens. */
static bool is_label(struct slice label)
{
    if (label.size == 0 || label.size > LABEL_SIZE_MAX || label.data[0] == '-' ||
        label.data[label.size - 1] == '-')
        return false;
    for (size_t i = 0; i < label.size; i++) {
        char c = label.data[i];
        if (!char_in(&letters_digits, c) && c != '-')
            return false;
    }
    return true;
}

bool form_hostname(struct slice text)
{
    const char *at = text.data, *end = at + text.size;
    if (text.size == 0 || text.size > HOSTNAME_SIZE_MAX)
        return false;
    for (;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        struct slice label = {at, (size_t)((dot ? dot : end) - at)};
        if (!is_label(label))
            return false;
        if (label.size > 4 && strncasecmp(label.data, "xn--", 4) == 0 && !idn_is_a_label(label))
            return false;
        if (!dot)
            return true;
        at = dot + 1;
    }
}

static const struct char_set atext = {{0xa3ffacfa00000000ULL, 0x7fffffffc7fffffeULL}};

/* RFC 5321's local part: atoms with single dots between them, or a quoted string; *at stands behind it. */
static bool read_local(const char **at, const char *end, bool wide)
{
    const char *start = *at;
    if (start == end)
        return false;
    if (*start == '"') {
        for (++*at; *at < end && **at != '"'; ++*at) {
            if (**at == '\\' && ++*at == end)
                return false;
            unsigned char c = (unsigned char)**at;
            if (c < 0x20 || c == 0x7f || (c >= 0x80 && !wide))
                return false;
        }
        if (*at == end)
            return false;
        ++*at;
        return true;
    }
    for (char last = '.'; *at < end && **at != '@'; last = *(*at)++) {
        char c = **at;
        if (c == '.' ? last == '.' : !char_in(&atext, c) && !(wide && (unsigned char)c >= 0x80))
            return false;
    }
    return *at > start && (*at)[-1] != '.';
}

static bool is_literal(struct slice text)
{
    static const char ipv6[] = "IPv6:";
    enum { SIZE = sizeof ipv6 - 1 };
    if (text.size > SIZE && strncasecmp(text.data, ipv6, SIZE) == 0)
        return form_ipv6((struct slice){text.data + SIZE, text.size - SIZE});
    return form_ipv4(text);
}

static bool is_email(struct slice text, bool wide)
{
    enum { LOCAL_MAX = 64 };
    const char *at = text.data, *end = at + text.size;
    if (!read_local(&at, end, wide) || at - text.data > LOCAL_MAX || at == end || *at++ != '@')
        return false;
    struct slice domain = {at, (size_t)(end - at)};
    if (domain.size > 2 && *at == '[' && end[-1] == ']')
        return is_literal((struct slice){at + 1, domain.size - 2});
    return wide ? idn_is_mail_domain(domain) : form_hostname(domain);
}

bool form_email(struct slice text)
{
    return is_email(text, false);
}

bool form_idn_email(struct slice text)
{
    return is_email(text, true);
}

/* Pairs of hexadecimal digits, each but the last followed by ":", "-" or nothing. */
static bool is_macaddr(struct slice text, int pairs)
{
    const char *at = text.data, *end = at + text.size;
    for (int i = 0; i < pairs; i++) {
        if (i > 0 && at < end && (*at == ':' || *at == '-'))
            at++;
        if (end - at < 2 || !char_is_hex(at[0]) || !char_is_hex(at[1]))
            return false;
        at += 2;
    }
    return at == end;
}

bool form_macaddr(struct slice text)
{
    return is_macaddr(text, 6);
}

bool form_macaddr8(struct slice text)
{
    return is_macaddr(text, 8);
}
