#include "unicode.h"

#include "unicode_data.h"

static bool in_ranges(const struct unicode_range *ranges, size_t count, uint32_t code)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ranges[low].first <= code && (code - ranges[low].first) % ranges[low].stride == 0;
}

static bool shifted(const struct unicode_shift *shifts, size_t count, uint32_t code, uint32_t *ret_code)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (shifts[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || shifts[low].first > code || (code - shifts[low].first) % shifts[low].stride)
        return false;
    *ret_code = (uint32_t)((int64_t)code + shifts[low].shift);
    return true;
}

static const uint32_t *special(const struct unicode_special *specials, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count && specials[i].code <= code; i++) {
        if (specials[i].code == code)
            return specials[i].becomes;
    }
    return NULL;
}

bool unicode_is_space(uint32_t code)
{
    if (code < 128)
        return code == ' ' || (code >= 9 && code <= 13) || (code >= 0x1c && code <= 0x1f);
    return in_ranges(unicode_space, unicode_space_count, code);
}

bool unicode_is_printable(uint32_t code)
{
    if (code < 127)
        return code >= ' ';
    return !in_ranges(unicode_hidden, unicode_hidden_count, code);
}

bool unicode_is_alpha(uint32_t code)
{
    if (code < 128)
        return (code | 32) >= 'a' && (code | 32) <= 'z';
    return in_ranges(unicode_alpha, unicode_alpha_count, code);
}

bool unicode_is_alnum(uint32_t code)
{
    return unicode_is_alpha(code) || in_ranges(unicode_numeric, unicode_numeric_count, code);
}

bool unicode_is_digit(uint32_t code)
{
    return in_ranges(unicode_decimal, unicode_decimal_count, code);
}

bool unicode_is_upper(uint32_t code)
{
    return in_ranges(unicode_uppers, unicode_uppers_count, code);
}

bool unicode_is_lower(uint32_t code)
{
    return in_ranges(unicode_lowers, unicode_lowers_count, code);
}

bool unicode_is_title(uint32_t code)
{
    return in_ranges(unicode_titled, unicode_titled_count, code);
}

bool unicode_is_cased(uint32_t code)
{
    return unicode_is_lower(code) || unicode_is_upper(code) || unicode_is_title(code);
}

static void lower_one(struct ttext *out, uint32_t code)
{
    if (code == 0x130) { /* the one that becomes two */
        ttext_code(out, 'i');
        code = 0x307;
    } else {
        shifted(unicode_to_lower, unicode_to_lower_count, code, &code);
    }
    ttext_code(out, code);
}

void unicode_map(struct ttext *out, uint32_t code, enum unicode_case wanted)
{
    if (code < 128) {
        bool upper = wanted == UNICODE_UPPER || wanted == UNICODE_TITLE;
        if (upper ? code >= 'a' && code <= 'z' : code >= 'A' && code <= 'Z')
            code ^= 32;
        ttext_byte(out, (char)code);
        return;
    }
    const uint32_t *becomes = NULL;
    if (wanted == UNICODE_TITLE)
        becomes = special(unicode_to_title_special, unicode_to_title_special_count, code);
    else if (wanted == UNICODE_UPPER)
        becomes = special(unicode_to_upper_special, unicode_to_upper_special_count, code);
    else if (wanted == UNICODE_FOLD)
        becomes = special(unicode_to_fold_special, unicode_to_fold_special_count, code);
    if (becomes) {
        for (int i = 0; i < 3 && becomes[i]; i++)
            ttext_code(out, becomes[i]);
        return;
    }
    bool done = (wanted == UNICODE_TITLE && shifted(unicode_to_title, unicode_to_title_count, code, &code)) ||
                (wanted == UNICODE_FOLD && shifted(unicode_to_fold, unicode_to_fold_count, code, &code));
    if (wanted == UNICODE_LOWER || (wanted == UNICODE_FOLD && !done)) {
        lower_one(out, code);
        return;
    }
    if (!done)
        shifted(unicode_to_upper, unicode_to_upper_count, code, &code);
    ttext_code(out, code);
}

/* Sigma at the end of a word: cased letters before it, none after, whatever ignorable stands between. */
static bool is_ignorable(uint32_t code)
{
    return code == '\'' || code == '.' || code == ':' || code == '^' || code == '`' || code == 0xa8 ||
           code == 0xad || code == 0xaf || code == 0xb4 || code == 0xb7 || code == 0xb8 ||
           (code >= 0x300 && code <= 0x36f) || code == 0x2018 || code == 0x2019 || code == 0x200b;
}

static bool is_final_sigma(struct slice text, size_t start, size_t end)
{
    uint32_t code = 0;
    size_t at = start;
    while (at > 0 && is_ignorable(code = unicode_before(text, at, &at)))
        code = 0;
    if (!unicode_is_cased(code))
        return false;
    while (end < text.size) {
        size_t length;
        code = utf8_decode(text.data + end, text.size - end, &length);
        if (!is_ignorable(code))
            return !unicode_is_cased(code);
        end += length;
    }
    return true;
}

static void map_at(struct ttext *out, struct slice text, size_t at, size_t length, uint32_t code,
                   enum unicode_case wanted)
{
    if (code == 0x3a3 && wanted == UNICODE_LOWER)
        ttext_code(out, is_final_sigma(text, at, at + length) ? 0x3c2 : 0x3c3);
    else
        unicode_map(out, code, wanted);
}

enum words { WORDS_NONE, WORDS_FIRST, WORDS_EACH, WORDS_SWAP };

/* The whole text in one case; or the first character of it, or of each word, in title case. */
static struct slice map_text(struct arena *arena, struct slice text, enum unicode_case wanted,
                             enum words words)
{
    struct ttext out;
    ttext_init(&out, arena, SIZE_MAX);
    bool previous_cased = false;
    for (size_t at = 0, length; at < text.size; at += length) {
        uint32_t code = utf8_decode(text.data + at, text.size - at, &length);
        enum unicode_case how = wanted;
        if ((words == WORDS_FIRST && at == 0) || (words == WORDS_EACH && !previous_cased))
            how = UNICODE_TITLE;
        else if (words == WORDS_SWAP)
            how = unicode_is_upper(code) ? UNICODE_LOWER : UNICODE_UPPER;
        if (words == WORDS_SWAP && !unicode_is_cased(code))
            ttext_code(&out, code);
        else
            map_at(&out, text, at, length, code, how);
        if (words == WORDS_EACH)
            previous_cased = unicode_is_cased(code);
    }
    return ttext_slice_of(&out);
}

struct slice unicode_lower(struct arena *arena, struct slice text)
{
    return map_text(arena, text, UNICODE_LOWER, WORDS_NONE);
}

struct slice unicode_upper(struct arena *arena, struct slice text)
{
    return map_text(arena, text, UNICODE_UPPER, WORDS_NONE);
}

struct slice unicode_capitalize(struct arena *arena, struct slice text)
{
    return map_text(arena, text, UNICODE_LOWER, WORDS_FIRST);
}

struct slice unicode_title(struct arena *arena, struct slice text)
{
    return map_text(arena, text, UNICODE_LOWER, WORDS_EACH);
}

struct slice unicode_swapcase(struct arena *arena, struct slice text)
{
    return map_text(arena, text, UNICODE_LOWER, WORDS_SWAP);
}

struct slice unicode_casefold(struct arena *arena, struct slice text)
{
    return map_text(arena, text, UNICODE_FOLD, WORDS_NONE);
}

size_t unicode_count(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

size_t unicode_offset(struct slice text, size_t position)
{
    size_t at = 0;
    while (at < text.size) {
        if (((unsigned char)text.data[at] & 0xc0) != 0x80 && position-- == 0)
            return at;
        at++;
    }
    return at;
}

uint32_t unicode_before(struct slice text, size_t end, size_t *ret_start)
{
    size_t start = end - 1, length;
    while (start > 0 && ((unsigned char)text.data[start] & 0xc0) == 0x80)
        start--;
    *ret_start = start;
    return utf8_decode(text.data + start, end - start, &length);
}

static bool is_stripped(uint32_t code, const struct slice *characters)
{
    if (!characters)
        return unicode_is_space(code);
    for (size_t at = 0, length; at < characters->size; at += length) {
        if (utf8_decode(characters->data + at, characters->size - at, &length) == code)
            return true;
    }
    return false;
}

struct slice unicode_strip(struct slice text, const struct slice *characters, bool left, bool right)
{
    size_t length;
    while (left && text.size && is_stripped(utf8_decode(text.data, text.size, &length), characters)) {
        text.data += length;
        text.size -= length;
    }
    while (right && text.size && is_stripped(unicode_before(text, text.size, &length), characters))
        text.size = length;
    return text;
}
