/* RFC 3986 and 3987: URIs, IRIs and references; RFC 6570: templates. */
#include "schema/format/forms.h"

static const struct char_set host_set = {
    {0x2bff7fd200000000ULL, 0x47fffffe87fffffeULL}}; /* unreserved, sub-delims */
static const struct char_set user_set = {{0x2fff7fd200000000ULL, 0x47fffffe87fffffeULL}};  /* and ":" */
static const struct char_set path_set = {{0x2fffffd200000000ULL, 0x47fffffe87ffffffULL}};  /* and "@" "/" */
static const struct char_set query_set = {{0xafffffd200000000ULL, 0x47fffffe87ffffffULL}}; /* and "?" */
static const struct char_set scheme_set = {{0x03ff680000000000ULL, 0x07fffffe07fffffeULL}};
static const struct char_set literal_set = {
    {0xafffffda00000000ULL, 0x47fffffeafffffffULL}}; /* of templates */

size_t utf8_take(const char *at, uint32_t *ret_code)
{
    const unsigned char *u = (const unsigned char *)at;
    if (u[0] < 0x80) {
        *ret_code = u[0];
        return 1;
    }
    if (u[0] < 0xe0) {
        *ret_code = (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
        return 2;
    }
    if (u[0] < 0xf0) {
        *ret_code = (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
        return 3;
    }
    *ret_code = (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3f) << 12 | (uint32_t)(u[2] & 0x3f) << 6 |
                (u[3] & 0x3f);
    return 4;
}

/* What may stand beyond ASCII. */
enum wide { WIDE_NONE, WIDE_UCSCHAR, WIDE_PRIVATE };

static bool is_wide(uint32_t code, enum wide wide)
{
    uint32_t low = code & 0xffff;
    bool private = (code >= 0xe000 && code <= 0xf8ff) || (code >= 0xf0000 && low <= 0xfffd);
    if (wide == WIDE_NONE || private)
        return wide == WIDE_PRIVATE;
    if (code < 0x10000)
        return code >= 0xa0 && (code < 0xfdd0 || code > 0xfdef) && code < 0xfff0;
    return low <= 0xfffd && code < 0xf0000 && (code < 0xe0000 || code >= 0xe1000);
}

/* A %XX, a character of the set or one beyond ASCII that is allowed: the bytes it takes, 0 for anything else.
 */
static inline size_t take_char(const char *at, const char *end, const struct char_set *set, enum wide wide)
{
    if (char_in(set, *at))
        return 1;
    if (*at == '%')
        return end - at >= 3 && char_is_hex(at[1]) && char_is_hex(at[2]) ? 3 : 0;
    if ((unsigned char)*at < 0x80 || wide == WIDE_NONE)
        return 0;
    uint32_t code;
    size_t size = utf8_take(at, &code);
    return is_wide(code, wide) ? size : 0;
}

static bool only(const char *at, const char *end, const struct char_set *set, enum wide wide)
{
    while (at < end) {
        size_t size = take_char(at, end, set, wide);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

/* What stands between [ and ]: an IPv6 address or "v1.…". */
static bool is_ip_literal(const char *at, const char *end)
{
    if (at == end || (*at | 0x20) != 'v')
        return form_ipv6((struct slice){at, (size_t)(end - at)});
    const char *digits = ++at;
    while (at < end && char_is_hex(*at))
        at++;
    return at > digits && end - at > 1 && *at == '.' && !memchr(at, '%', (size_t)(end - at)) &&
           only(at + 1, end, &user_set, WIDE_NONE);
}

static bool is_authority(const char *at, const char *end, enum wide wide)
{
    const char *sign = at < end ? memchr(at, '@', (size_t)(end - at)) : NULL;
    if (sign && !only(at, sign, &user_set, wide))
        return false;
    at = sign ? sign + 1 : at;
    const char *host_end;
    if (at < end && *at == '[') {
        const char *close = memchr(at, ']', (size_t)(end - at));
        if (!close || !is_ip_literal(at + 1, close))
            return false;
        host_end = close + 1;
    } else {
        const char *colon = at < end ? memchr(at, ':', (size_t)(end - at)) : NULL;
        host_end = colon ? colon : end;
        if (!only(at, host_end, &host_set, wide))
            return false;
    }
    if (host_end == end)
        return true;
    if (*host_end != ':')
        return false;
    for (at = host_end + 1; at < end; at++) {
        if (!char_is_digit(*at))
            return false;
    }
    return true;
}

/* The length of "scheme:", 0 if there is none. */
static size_t scheme_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && char_in(&scheme_set, text.data[size]))
        size++;
    return size > 0 && size < text.size && text.data[size] == ':' && char_is_alpha(text.data[0]) ? size + 1
                                                                                                 : 0;
}

static const char *find_any(const char *at, const char *end, const char *set)
{
    while (at < end && !(*at && strchr(set, *at)))
        at++;
    return at;
}

static bool is_reference(struct slice text, bool absolute, enum wide wide)
{
    size_t scheme = scheme_size(text);
    const char *at = text.data + scheme, *end = text.data + text.size;
    if (absolute && scheme == 0)
        return false;
    if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
        const char *authority = at + 2;
        at = find_any(authority, end, "/?#");
        if (!is_authority(authority, at, wide))
            return false;
    } else if (scheme == 0) {
        /* A colon in the first segment would make it a scheme. */
        const char *segment = find_any(at, end, "/?#");
        if (at < segment && memchr(at, ':', (size_t)(segment - at)))
            return false;
    }
    const char *path_end = find_any(at, end, "?#");
    if (!only(at, path_end, &path_set, wide))
        return false;
    const char *query_end = path_end < end && *path_end == '?' ? find_any(path_end, end, "#") : path_end;
    if (query_end > path_end && !only(path_end + 1, query_end, &query_set, wide ? WIDE_PRIVATE : WIDE_NONE))
        return false;
    return query_end == end || only(query_end + 1, end, &query_set, wide);
}

bool form_uri(struct slice text)
{
    return is_reference(text, true, WIDE_NONE);
}

bool form_uri_reference(struct slice text)
{
    return is_reference(text, false, WIDE_NONE);
}

bool form_iri(struct slice text)
{
    return is_reference(text, true, WIDE_UCSCHAR);
}

bool form_iri_reference(struct slice text)
{
    return is_reference(text, false, WIDE_UCSCHAR);
}

/* Letters, digits, "_" and %XX, with single dots between them. */
static bool read_name(const char **at, const char *end)
{
    const char *start = *at;
    bool dot = true;
    for (; *at < end; dot = **at == '.', ++*at) {
        char c = **at;
        if (c == '%') {
            if (end - *at < 3 || !char_is_hex((*at)[1]) || !char_is_hex((*at)[2]))
                return false;
            *at += 2;
        } else if (c == '.' ? dot : !char_is_alpha(c) && !char_is_digit(c) && c != '_') {
            break;
        }
    }
    return *at > start && !dot;
}

/* "*", or ":" and 1 to 9999. */
static bool read_modifier(const char **at, const char *end)
{
    if (*at < end && **at == '*') {
        ++*at;
    } else if (*at < end && **at == ':') {
        const char *digits = ++*at;
        while (*at < end && char_is_digit(**at))
            ++*at;
        return *at > digits && *at - digits <= 4 && *digits != '0';
    }
    return true;
}

/* The inside of {…}. */
static bool is_expression(const char *at, const char *end)
{
    if (at < end && *at && strchr("+#./;?&=,!@|", *at))
        at++;
    for (;;) {
        if (!read_name(&at, end) || !read_modifier(&at, end))
            return false;
        if (at == end)
            return true;
        if (*at++ != ',')
            return false;
    }
}

bool form_uri_template(struct slice text)
{
    const char *at = text.data, *end = at + text.size;
    while (at < end) {
        if (*at == '{') {
            const char *close = memchr(at, '}', (size_t)(end - at));
            if (!close || !is_expression(at + 1, close))
                return false;
            at = close + 1;
            continue;
        }
        size_t size = take_char(at, end, &literal_set, WIDE_PRIVATE);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}
