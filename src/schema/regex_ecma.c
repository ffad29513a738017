/* ECMA-262 patterns (u flag) in PCRE2's words. Where the two read the same text differently, what is written
 * here is what ECMA-262 means: \d and \w are ASCII, \s is Unicode's white space, "." stops at four line
 * terminators, \v is one character. What PCRE2 would take as its own (possessive quantifiers, verbs,
 * recursion, \A, \Z, \Q) is refused. Python's (?P<name>…) and inline flags, which connectors' schemas use,
 * are let through. */
#include "schema/regex_ecma.h"

#define SPACES             \
    "\\t\\n\\x{0b}\\f\\r " \
    "\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
/* All others. Within [...] there is no \P for them: PCRE2's Xsp are other characters. */
#define NO_SPACES                                                                                 \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
/* What \D and \W stand for within [...]: there PCRE2 (10.42) forgets those above U+00FF if the class is
 * negated and has a property too. Under (?i) the ranges would take k and s along with U+212A and U+017F,
 * which are letters like them then and no \W. */
#define NO_DIGITS "\\x{0}-/:-\\x{10ffff}"
#define NO_WORDS "\\x{0}-/:-@\\[-\\^`{-\\x{10ffff}"
#define NO_WORDS_CASELESS "\\x{0}-/:-@\\[-\\^`{-\\x{17e}\\x{180}-\\x{2129}\\x{212b}-\\x{10ffff}"
#define TERMINATORS "\\n\\r\\x{2028}\\x{2029}"

struct translator {
    const char *start, *at, *end;
    struct buffer *out;
    struct error *err;
    bool in_class;
    bool quantifiable; /* something stands before that a quantifier may repeat */
    bool caseless;     /* (?i) holds here */
    struct open_group *groups;
    size_t open, open_capacity;
};

struct open_group {
    bool is_look;         /* ahead or behind: may not be repeated */
    bool caseless_behind; /* as it was before */
};

static int refuse(struct translator *t, const char *why)
{
    return error_set(t->err, ERROR_INVALID, "%s at character %d", why, (int)(t->at - t->start));
}

static int hex_digits(const char *at, const char *end, int count, uint32_t *ret_value)
{
    uint32_t value = 0;
    if (end - at < count)
        return -1;
    for (int i = 0; i < count; i++) {
        char c = at[i], lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            value = value * 16 + (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (uint32_t)(lower - 'a' + 10);
        else
            return -1;
    }
    *ret_value = value;
    return 0;
}

/* \u1234, \u{12345}, a pair of surrogates; `at` stands behind the u. */
static int translate_unicode(struct translator *t)
{
    uint32_t value = 0, low;
    if (t->at < t->end && *t->at == '{') {
        const char *close = memchr(t->at, '}', (size_t)(t->end - t->at));
        const char *digits = t->at + 1;
        while (close && close - digits > 1 && *digits == '0')
            digits++;
        if (!close || close - digits > 6 || close == digits ||
            hex_digits(digits, close, (int)(close - digits), &value) < 0 || value > 0x10ffff)
            return refuse(t, "\\u{…} is no code point");
        t->at = close + 1;
    } else {
        if (hex_digits(t->at, t->end, 4, &value) < 0)
            return refuse(t, "\\u needs four hexadecimal digits");
        t->at += 4;
        if (value >= 0xd800 && value < 0xdc00 && t->end - t->at >= 6 && t->at[0] == '\\' && t->at[1] == 'u' &&
            hex_digits(t->at + 2, t->end, 4, &low) == 0 && low >= 0xdc00 && low < 0xe000) {
            value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
            t->at += 6;
        }
    }
    if (value >= 0xd800 && value < 0xe000)
        return refuse(t, "a lone surrogate matches nothing");
    buffer_printf(t->out, "\\x{%x}", value);
    return 0;
}

/* \p{…} and \P{…}; `at` stands behind the p. */
static int translate_property(struct translator *t, char kind)
{
    const char *close = t->at < t->end && *t->at == '{' ? memchr(t->at, '}', (size_t)(t->end - t->at)) : NULL;
    if (!close || close - t->at > 64)
        return refuse(t, "\\p needs a property in braces, like \\p{Letter}");
    struct slice name = {t->at + 1, (size_t)(close - t->at - 1)};
    if (!regex_property(name, kind == 'P', t->out))
        return error_set(t->err, ERROR_INVALID, "ECMA-262 has no property %.*s at character %d",
                         SLICE_ARGS(name), (int)(t->at - t->start));
    t->at = close + 1;
    return 0;
}

/* \b and \B, which match no character and cannot be repeated. */
static int translate_boundary(struct translator *t, char c)
{
    if (c == 'B' && t->in_class)
        return refuse(t, "\\B inside of […]");
    buffer_printf(t->out, "\\%c", c);
    t->quantifiable = t->in_class;
    return 0;
}

/* Is this "{" a quantifier's? Otherwise it stands for itself. */
static bool is_braces(const char *at, const char *end)
{
    const char *start = ++at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    if (at == start)
        return false;
    if (at < end && *at == ',')
        at++;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at < end && *at == '}';
}

static bool is_quantifier(const char *at, const char *end)
{
    return at < end && (*at == '*' || *at == '+' || *at == '?' || (*at == '{' && is_braces(at, end)));
}

/* A back reference in PCRE2's words, up to `at`. To a group that has not matched it matches nothing; one that
 * is repeated does so in PCRE2 (10.42) only as a group. */
static void put_reference(struct translator *t, const char *opening, struct slice to, char closing)
{
    bool is_repeated = is_quantifier(t->at, t->end);
    buffer_str(t->out, is_repeated ? "(?:" : "");
    buffer_str(t->out, opening);
    buffer_append(t->out, to.data, to.size);
    buffer_byte(t->out, closing);
    buffer_str(t->out, is_repeated ? ")" : "");
}

/* The name of a group that ends with `closing`; `at` stands at its first character, then behind `closing`. */
static int translate_named_reference(struct translator *t, const char *opening, char closing)
{
    const char *name = t->at, *end = memchr(name, closing, (size_t)(t->end - name));
    if (!end)
        return refuse(t, "a group's name without its end");
    t->at = end + 1;
    put_reference(t, opening, (struct slice){name, (size_t)(end - name)}, closing);
    return 0;
}

/* Escapes that say more behind their letter. */
static int translate_long_escape(struct translator *t, char c)
{
    uint32_t value;
    switch (c) {
    case 'c':
        if (t->at == t->end || (*t->at | 0x20) < 'a' || (*t->at | 0x20) > 'z')
            return refuse(t, "\\c needs a letter");
        buffer_printf(t->out, "\\x{%x}", (unsigned)(*t->at++ & 0x1f));
        return 0;
    case 'x':
        if (hex_digits(t->at, t->end, 2, &value) < 0)
            return refuse(t, "\\x needs two hexadecimal digits");
        t->at += 2;
        buffer_printf(t->out, "\\x{%x}", value);
        return 0;
    case 'k':
        if (t->in_class || t->at == t->end || *t->at != '<')
            return refuse(t, "\\k needs a group's name, like \\k<name>");
        t->at++;
        return translate_named_reference(t, "\\k<", '>');
    case 'u':
        return translate_unicode(t);
    default:
        return translate_property(t, c);
    }
}

/* \1 to \9, and characters that only stand for themselves. */
static int translate_other_escape(struct translator *t, char c)
{
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (c >= '1' && c <= '9' && t->in_class)
        return refuse(t, "a back reference inside of […]");
    if (c >= '1' && c <= '9') { /* PCRE2 knows whether there is such a group */
        const char *digits = t->at - 1;
        while (t->at < t->end && *t->at >= '0' && *t->at <= '9')
            t->at++;
        put_reference(t, "\\g{", (struct slice){digits, (size_t)(t->at - digits)}, '}');
        return 0;
    }
    if (letter) {
        t->at--;
        return error_set(t->err, ERROR_INVALID, "ECMA-262 has no \\%c (at character %d)", c,
                         (int)(t->at - t->start));
    }
    if ((unsigned char)c < 0x80)
        buffer_byte(t->out, '\\');
    buffer_byte(t->out, c);
    return 0;
}

static int translate_escape(struct translator *t)
{
    if (++t->at == t->end)
        return refuse(t, "\"\\\" at the end");
    char c = *t->at++;
    if (c && (strchr("dwtnfr", c) || (!t->in_class && strchr("DW", c)))) {
        buffer_printf(t->out, "\\%c", c);
        return 0;
    }
    if (c && strchr("cxkupP", c))
        return translate_long_escape(t, c);
    switch (c) {
    case 'v':
        buffer_str(t->out, "\\x{0b}");
        return 0;
    case '0':
        buffer_str(t->out, "\\x{0}");
        return 0;
    case 's':
        buffer_str(t->out, t->in_class ? SPACES : "[" SPACES "]");
        return 0;
    case 'S':
        buffer_str(t->out, t->in_class ? NO_SPACES : "[^" SPACES "]");
        return 0;
    case 'D':
        buffer_str(t->out, NO_DIGITS);
        return 0;
    case 'W':
        buffer_str(t->out, t->caseless ? NO_WORDS_CASELESS : NO_WORDS);
        return 0;
    case 'b':
    case 'B':
        return translate_boundary(t, c);
    default:
        return translate_other_escape(t, c);
    }
}

/* A "-" beside \d, \s and the like is no range. */
static bool is_set_escape(const char *at, const char *end)
{
    return end - at >= 2 && at[0] == '\\' && at[1] && strchr("dDwWsSpP", at[1]);
}

static int translate_class(struct translator *t)
{
    t->at++;
    if (t->end - t->at >= 2 && t->at[0] == '^' && t->at[1] == ']') {
        buffer_str(t->out, "[\\x{0}-\\x{10ffff}]");
        t->at += 2;
        return 0;
    }
    if (t->at < t->end && *t->at == ']') {
        buffer_str(t->out, "(?!)");
        t->at++;
        return 0;
    }
    buffer_byte(t->out, '[');
    if (t->at < t->end && (*t->at == ':' || *t->at == '.' || *t->at == '='))
        buffer_byte(t->out, '\\'); /* PCRE2 would take [:x:] as POSIX's, which are none outside of [...] */
    if (t->at < t->end && *t->at == '^')
        buffer_byte(t->out, *t->at++);
    t->in_class = true;
    while (t->at < t->end && *t->at != ']') {
        if (*t->at == '\\') {
            bool is_set = is_set_escape(t->at, t->end);
            if (translate_escape(t) < 0)
                return -1;
            if (is_set && t->at < t->end && *t->at == '-') {
                buffer_str(t->out, "\\-");
                t->at++;
            }
            continue;
        }
        bool to_set = *t->at == '-' && is_set_escape(t->at + 1, t->end);
        if (*t->at == '[' || to_set)
            buffer_byte(t->out, '\\');
        buffer_byte(t->out, *t->at++);
    }
    if (t->at == t->end)
        return refuse(t, "\"[\" without \"]\"");
    t->at++;
    t->in_class = false;
    buffer_byte(t->out, ']');
    return 0;
}

/* "(?i)", or a group that begins so: "(?i:"; `flags` stands behind the "?". */
static int translate_flags(struct translator *t, const char *flags)
{
    bool on = true, caseless = t->caseless;
    const char *at = flags;
    for (; at < t->end && *at && strchr("ims-", *at); at++) {
        on &= *at != '-';
        if (*at == 'i')
            caseless = on;
    }
    if (at == flags || at == t->end || (*at != ':' && *at != ')'))
        return refuse(t, "unknown kind of group \"(?\"");
    if (*at == ')')
        t->open--; /* they hold up to the end of the group around them */
    t->caseless = caseless;
    buffer_append(t->out, t->at, (size_t)(at + 1 - t->at));
    t->at = at + 1;
    return 0;
}

/* "(" and what says which kind of group it is. */
static int translate_group(struct translator *t)
{
    enum { LOOKS = 4 };
    static const char *const openings[] = {"(?=", "(?!", "(?<=", "(?<!", "(?:", "(?P<", "(?<"};
    struct slice rest = {t->at, (size_t)(t->end - t->at)};
    if (slice_starts_with(rest, "(?P=")) {
        t->at += strlen("(?P=");
        return translate_named_reference(t, "(?P=", ')');
    }
    t->quantifiable = false;
    t->groups = mem_grow(t->groups, &t->open_capacity, t->open + 1, sizeof *t->groups);
    struct open_group *group = &t->groups[t->open++];
    *group = (struct open_group){.caseless_behind = t->caseless};
    for (int i = 0; i < LOOKS; i++)
        group->is_look |= slice_starts_with(rest, openings[i]);
    if (rest.size > 1 && rest.data[1] == '*')
        return refuse(t, "nothing to repeat before \"*\"");
    if (rest.size < 2 || rest.data[1] != '?') {
        buffer_byte(t->out, *t->at++);
        return 0;
    }
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        if (!slice_starts_with(rest, openings[i]))
            continue;
        buffer_str(t->out, openings[i]);
        t->at += strlen(openings[i]);
        return 0;
    }
    return translate_flags(t, t->at + 2);
}

static void translate_group_end(struct translator *t)
{
    t->quantifiable = true;
    buffer_byte(t->out, *t->at++);
    if (t->open == 0)
        return; /* PCRE2 says that it opens nowhere */
    const struct open_group *group = &t->groups[--t->open];
    t->quantifiable = !group->is_look;
    t->caseless = group->caseless_behind;
}

static int translate_quantifier(struct translator *t)
{
    if (!t->quantifiable)
        return refuse(t, "nothing to repeat");
    if (*t->at == '{') {
        const char *close = memchr(t->at, '}', (size_t)(t->end - t->at));
        buffer_append(t->out, t->at, (size_t)(close - t->at));
        t->at = close;
    }
    buffer_byte(t->out, *t->at++);
    if (t->at < t->end && *t->at == '?')
        buffer_byte(t->out, *t->at++);
    t->quantifiable = false;
    return 0;
}

static int translate(struct translator *t)
{
    while (t->at < t->end) {
        char c = *t->at;
        int result = 0;
        if (is_quantifier(t->at, t->end)) {
            if (translate_quantifier(t) < 0)
                return -1;
            continue;
        }
        t->quantifiable = c != '^' && c != '$' && c != '|';
        if (c == '\\') {
            result = translate_escape(t);
        } else if (c == '[') {
            result = translate_class(t);
        } else if (c == '(') {
            result = translate_group(t);
        } else if (c == ')') {
            translate_group_end(t);
        } else if (c == '.') {
            buffer_str(t->out, "[^" TERMINATORS "]");
            t->at++;
        } else {
            if (c == '{' || c == '}' || c == ']')
                buffer_byte(t->out, '\\');
            buffer_byte(t->out, *t->at++);
        }
        if (result < 0)
            return -1;
    }
    return 0;
}

int regex_translate(struct slice pattern, struct buffer *out, struct error *err)
{
    struct translator t = {.start = pattern.data,
                           .at = pattern.data,
                           .end = pattern.data + pattern.size,
                           .out = out,
                           .err = err};
    int result = translate(&t);
    free(t.groups);
    return result;
}
