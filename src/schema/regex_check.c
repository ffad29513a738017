/* Is it a pattern by ECMA-262's own grammar? The 11th edition's, with the u flag: the one that JSON Schema
 * names. Nothing is let through for anyone's convenience here; that is the translator's. */
#include "schema/regex_ecma.h"

#include "base/hash.h"
#include "schema/format/forms.h"
#include "schema/regex.h"

#include <stdlib.h>

/* A name of a group, its escapes decoded. */
struct group_name {
    uint64_t hash;
    size_t at, size; /* in checker.text */
};

struct checker {
    const char *at, *end;
    struct buffer text;                   /* names */
    struct group_name *groups, *referred; /* (?<name> and \k<name> */
    size_t group_count, group_capacity, referred_count, referred_capacity;
    uint64_t captures, highest; /* capturing groups; the highest number in a back reference */
    size_t open;                /* groups that are not closed yet … */
    uint8_t *quantifiable;      /* … and for each: may it be repeated? Look-around may not. */
    size_t open_capacity;
};

enum { NUMBER_MAX = 1000000000 }; /* larger ones count as this */

static bool takes(struct checker *k, char c)
{
    if (k->at == k->end || *k->at != c)
        return false;
    k->at++;
    return true;
}

static bool takes_text(struct checker *k, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(k->end - k->at) < size || memcmp(k->at, text, size) != 0)
        return false;
    k->at += size;
    return true;
}

static bool is_syntax(char c)
{
    return c && strchr("^$\\.*+?()[]{}|", c);
}

static bool takes_hex(struct checker *k, int digits, uint32_t *ret_value)
{
    uint32_t value = 0;
    for (; digits > 0; digits--, k->at++) {
        if (k->at == k->end || !char_is_hex(*k->at))
            return false;
        value = value * 16 + (uint32_t)(char_is_digit(*k->at) ? *k->at - '0' : (*k->at | 0x20) - 'a' + 10);
    }
    *ret_value = value;
    return true;
}

static bool takes_number(struct checker *k, uint64_t *ret_value)
{
    const char *start = k->at;
    uint64_t value = 0;
    for (; k->at < k->end && char_is_digit(*k->at); k->at++)
        value = value * 10 + (uint64_t)(*k->at - '0') < NUMBER_MAX ? value * 10 + (uint64_t)(*k->at - '0')
                                                                   : NUMBER_MAX;
    *ret_value = value;
    return k->at > start;
}

/* Behind "\u": four digits, two surrogates, or a code point in braces. */
static bool takes_unicode(struct checker *k, uint32_t *ret_code)
{
    uint32_t code = 0, low;
    if (takes(k, '{')) {
        const char *start = k->at;
        for (uint32_t digit; code <= 0x10ffff && takes_hex(k, 1, &digit);)
            code = code * 16 + digit;
        *ret_code = code;
        return k->at > start && code <= 0x10ffff && takes(k, '}');
    }
    if (!takes_hex(k, 4, &code))
        return false;
    const char *behind = k->at;
    if (code >= 0xd800 && code < 0xdc00 && takes_text(k, "\\u") && takes_hex(k, 4, &low) && low >= 0xdc00 &&
        low < 0xe000)
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    else
        k->at = behind;
    *ret_code = code;
    return true;
}

/* A character as it is written: the text is valid UTF-8. */
static uint32_t take_character(struct checker *k)
{
    unsigned char first = (unsigned char)*k->at++;
    if (first < 0x80)
        return first;
    uint32_t code = first & (first >= 0xf0 ? 0x07U : first >= 0xe0 ? 0x0fU : 0x1fU);
    for (; k->at < k->end && (*k->at & 0xc0) == 0x80; k->at++)
        code = code << 6 | (*k->at & 0x3fU);
    return code;
}

static void put_character(struct buffer *out, uint32_t code)
{
    char bytes[UTF8_LENGTH_MAX];
    buffer_append(out, bytes, utf8_encode(code, bytes));
}

/* Behind "\\p" or "\\P". */
static bool takes_property(struct checker *k)
{
    struct buffer unused;
    const char *close = takes(k, '{') ? memchr(k->at, '}', (size_t)(k->end - k->at)) : NULL;
    if (!close)
        return false;
    buffer_init(&unused, 256);
    bool is_known =
        close - k->at < 64 && regex_property((struct slice){k->at, (size_t)(close - k->at)}, false, &unused);
    buffer_done(&unused);
    k->at = close + 1;
    return is_known;
}

/* An escape that stands for one character, or a set of them (*ret_code is CODE_SET then); behind the "\". */
enum { CODE_SET = 0x110000 };
static bool takes_escape(struct checker *k, bool in_class, uint32_t *ret_code)
{
    if (k->at == k->end)
        return false;
    char c = *k->at++;
    *ret_code = CODE_SET;
    if (c && strchr("dDsSwW", c))
        return true;
    if (c == 'p' || c == 'P')
        return takes_property(k);
    *ret_code = (unsigned char)c;
    switch (c) {
    case 'f':
        *ret_code = '\f';
        return true;
    case 'n':
        *ret_code = '\n';
        return true;
    case 'r':
        *ret_code = '\r';
        return true;
    case 't':
        *ret_code = '\t';
        return true;
    case 'v':
        *ret_code = '\v';
        return true;
    case 'c':
        if (k->at == k->end || (*k->at | 0x20) < 'a' || (*k->at | 0x20) > 'z')
            return false;
        *ret_code = *k->at++ & 0x1f;
        return true;
    case '0':
        *ret_code = 0;
        return k->at == k->end || !char_is_digit(*k->at);
    case 'x':
        return takes_hex(k, 2, ret_code);
    case 'u':
        return takes_unicode(k, ret_code);
    case 'b':
        *ret_code = '\b';
        return in_class;
    case '-':
        return in_class;
    default:
        return is_syntax(c) || c == '/';
    }
}

static bool takes_class_atom(struct checker *k, uint32_t *ret_code)
{
    if (takes(k, '\\'))
        return takes_escape(k, true, ret_code);
    *ret_code = take_character(k);
    return true;
}

/* Behind "[". */
static bool takes_class(struct checker *k)
{
    takes(k, '^');
    while (k->at < k->end && *k->at != ']') {
        uint32_t from, to;
        if (!takes_class_atom(k, &from))
            return false;
        if (k->end - k->at < 2 || *k->at != '-' || k->at[1] == ']')
            continue;
        k->at++;
        if (!takes_class_atom(k, &to) || from == CODE_SET || to == CODE_SET || from > to)
            return false;
    }
    return takes(k, ']');
}

/* --- groups --------------------------------------------------------------------------------------- */

static bool is_identifier(struct slice name)
{
    bool is_ascii = name.size > 0;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if ((unsigned char)c >= 0x80)
            is_ascii = false;
        else if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '$' && c != '_' &&
                 (i == 0 || !char_is_digit(c)))
            return false;
    }
    if (is_ascii || name.size == 0)
        return is_ascii;
    struct error err;
    struct regex *identifier =
        regex_compile(slice_of("^[\\p{ID_Start}$_][\\p{ID_Continue}$\\u200c\\u200d]*$"), &err);
    struct regex_scratch *scratch = regex_scratch_new();
    bool matches = identifier && regex_match(identifier, scratch, name) > 0;
    regex_scratch_free(scratch);
    regex_free(identifier);
    return matches;
}

/* Behind "<", up to and with ">". */
static bool takes_name(struct checker *k, struct group_name *ret_name)
{
    size_t start = k->text.size;
    while (k->at < k->end && *k->at != '>') {
        uint32_t code;
        if (takes(k, '\\')) {
            if (!takes(k, 'u') || !takes_unicode(k, &code) || (code >= 0xd800 && code < 0xe000))
                return false;
        } else {
            code = take_character(k);
        }
        put_character(&k->text, code);
    }
    struct slice name = {k->text.data + start, k->text.size - start};
    if (!takes(k, '>') || !is_identifier(name))
        return false;
    *ret_name = (struct group_name){hash_xxh3(name.data, name.size, 0), start, name.size};
    return true;
}

static bool takes_group(struct checker *k)
{
    bool is_look = takes_text(k, "?=") || takes_text(k, "?!") || takes_text(k, "?<=") || takes_text(k, "?<!");
    if (!is_look && !takes_text(k, "?:")) {
        struct group_name name;
        k->captures++;
        if (takes_text(k, "?<")) {
            if (!takes_name(k, &name))
                return false;
            k->groups = mem_grow(k->groups, &k->group_capacity, k->group_count + 1, sizeof *k->groups);
            k->groups[k->group_count++] = name;
        } else if (k->at < k->end && *k->at == '?') {
            return false;
        }
    }
    k->quantifiable = mem_grow(k->quantifiable, &k->open_capacity, k->open + 1, 1);
    k->quantifiable[k->open++] = !is_look;
    return true;
}

/* --- terms ---------------------------------------------------------------------------------------- */

/* "{2,3}", behind the "{". */
static bool takes_braces(struct checker *k)
{
    uint64_t least, most;
    if (!takes_number(k, &least))
        return false;
    if (takes(k, '}'))
        return true;
    if (!takes(k, ','))
        return false;
    if (takes(k, '}'))
        return true;
    return takes_number(k, &most) && takes(k, '}') && least <= most;
}

/* Behind "\", outside of a class. *ret_is_atom: it may be repeated. */
static bool takes_atom_escape(struct checker *k, bool *ret_is_atom)
{
    uint32_t code;
    uint64_t number;
    struct group_name name;
    *ret_is_atom = true;
    if (takes(k, 'b') || takes(k, 'B')) {
        *ret_is_atom = false;
        return true;
    }
    if (takes(k, 'k')) {
        if (!takes(k, '<') || !takes_name(k, &name))
            return false;
        k->referred =
            mem_grow(k->referred, &k->referred_capacity, k->referred_count + 1, sizeof *k->referred);
        k->referred[k->referred_count++] = name;
        return true;
    }
    if (k->at < k->end && *k->at >= '1' && *k->at <= '9') {
        takes_number(k, &number);
        k->highest = number > k->highest ? number : k->highest;
        return true;
    }
    return takes_escape(k, false, &code);
}

static bool takes_pattern(struct checker *k)
{
    bool is_atom = false; /* something stands before that may be repeated */
    while (k->at < k->end) {
        char c = *k->at++;
        bool was_atom = is_atom;
        is_atom = true;
        switch (c) {
        case '^':
        case '$':
        case '|':
            is_atom = false;
            break;
        case '*':
        case '+':
        case '?':
        case '{':
            if (!was_atom || (c == '{' && !takes_braces(k)))
                return false;
            takes(k, '?');
            is_atom = false;
            break;
        case '(':
            if (!takes_group(k))
                return false;
            is_atom = false;
            break;
        case ')':
            if (k->open == 0)
                return false;
            is_atom = k->quantifiable[--k->open];
            break;
        case '[':
            if (!takes_class(k))
                return false;
            break;
        case '\\':
            if (!takes_atom_escape(k, &is_atom))
                return false;
            break;
        case ']':
        case '}':
            return false;
        default:
            break;
        }
    }
    return k->open == 0;
}

static int compare_names(const void *first, const void *second, void *context)
{
    const struct checker *k = context;
    const struct group_name *a = first, *b = second;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return memcmp(k->text.data + a->at, k->text.data + b->at, a->size);
}

/* No name is there twice, and each that is referred to is there. */
static bool names_are_right(struct checker *k)
{
    if (k->group_count)
        qsort_r(k->groups, k->group_count, sizeof *k->groups, compare_names, k);
    for (size_t i = 1; i < k->group_count; i++) {
        if (compare_names(&k->groups[i - 1], &k->groups[i], k) == 0)
            return false;
    }
    for (size_t i = 0; i < k->referred_count; i++) {
        size_t low = 0, high = k->group_count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (compare_names(&k->groups[middle], &k->referred[i], k) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == k->group_count || compare_names(&k->groups[low], &k->referred[i], k) != 0)
            return false;
    }
    return true;
}

bool regex_is_ecma(struct slice pattern)
{
    if (pattern.size > REGEX_PATTERN_MAX)
        return false;
    struct checker k = {.at = pattern.data, .end = pattern.data + pattern.size};
    buffer_init(&k.text, 4 * REGEX_PATTERN_MAX);
    bool is_right = takes_pattern(&k) && k.highest <= k.captures && names_are_right(&k);
    buffer_done(&k.text);
    free(k.groups);
    free(k.referred);
    free(k.quantifiable);
    return is_right;
}
