/* The text of quoted scalars where libfyaml 0.7 gets it wrong: two quotes behind one another within single
 * ones (one too many, and what ends the text is lost), line breaks within double ones (blanks that are not
 * there, and bytes from behind the text). What is well formed it knows: this has only to be read. */
#include "yaml/items.h"

struct quoted {
    struct slice source;
    size_t at;
    char *out;
    size_t size, solid; /* `solid`: what an escape has given is no blank that folding takes away */
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_break(char byte)
{
    return byte == '\n' || byte == '\r';
}

static char here(const struct quoted *quoted)
{
    return quoted->at < quoted->source.size ? quoted->source.data[quoted->at] : '\0';
}

/* Behind the quote that ends it; 0: there is none. */
static size_t find_end(struct slice source, size_t begin, char quote, bool *ret_matters)
{
    size_t in_row = 0;
    *ret_matters = false;
    for (size_t at = begin; at < source.size; at++) {
        char byte = source.data[at];
        *ret_matters |= is_break(byte);
        if (byte != quote) {
            in_row = 0;
            at += byte == '\\' && quote == '"';
            *ret_matters |= at < source.size && is_break(source.data[at]);
            continue;
        }
        if (quote == '"' || at + 1 == source.size || source.data[at + 1] != quote)
            return at;
        at++;
        *ret_matters |= ++in_row > 1;
    }
    return 0;
}

/* A line's break, with the blanks around it, is a blank; of several in a row all but the first are kept. One
 * that is escaped is nothing, and keeps the blanks before it. */
static void fold(struct quoted *quoted, bool escaped)
{
    size_t breaks = 0;
    while (!escaped && quoted->size > quoted->solid && is_blank(quoted->out[quoted->size - 1]))
        quoted->size--;
    for (; is_blank(here(quoted)) || is_break(here(quoted)); quoted->at++) {
        bool pair = here(quoted) == '\r' && quoted->at + 1 < quoted->source.size &&
                    quoted->source.data[quoted->at + 1] == '\n';
        breaks += is_break(here(quoted)) && !pair;
    }
    if (breaks == 1 && !escaped)
        quoted->out[quoted->size++] = ' ';
    for (; breaks > 1; breaks--)
        quoted->out[quoted->size++] = '\n';
    quoted->solid = quoted->size;
}

static int digit_of(char byte)
{
    const char *digits = "0123456789abcdef",
               *found = byte ? strchr(digits, byte | (byte >= 'A' ? 0x20 : 0)) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Its digits, at most 8. False: half a surrogate pair, or no character at all. */
static bool take_code(struct quoted *quoted, int digits, uint32_t *ret_code)
{
    *ret_code = 0;
    for (int i = 0; i < digits; i++, quoted->at++) {
        int digit = digit_of(here(quoted));
        if (digit < 0)
            return false;
        *ret_code = *ret_code << 4 | (uint32_t)digit;
    }
    return *ret_code <= 0x10ffff && !(*ret_code >= 0xd800 && *ret_code < 0xe000);
}

static bool take_escape(struct quoted *quoted)
{
    static const char names[] = "0abtnvfre \"/\\N_LP\t";
    static const uint32_t codes[] = {0,   7,   8,   9,    10,   11,   12,     13,     27,
                                     ' ', '"', '/', '\\', 0x85, 0xa0, 0x2028, 0x2029, '\t'};
    char name = here(quoted);
    int digits = name == 'x' ? 2 : name == 'u' ? 4 : name == 'U' ? 8 : 0;
    const char *known = name ? strchr(names, name) : NULL;
    uint32_t code;
    if (is_break(name)) {
        fold(quoted, true);
        return true;
    }
    if (!digits && !known)
        return false;
    quoted->at++;
    if (!digits)
        code = codes[known - names];
    else if (!take_code(quoted, digits, &code))
        return false;
    quoted->size += utf8_encode(code, quoted->out + quoted->size);
    quoted->solid = quoted->size;
    return true;
}

bool yaml_quoted_text(struct arena *arena, struct slice source, size_t begin, char quote,
                      struct slice *ret_text)
{
    bool matters;
    if (begin == 0 || begin > source.size || source.data[begin - 1] != quote)
        return false;
    size_t end = find_end(source, begin, quote, &matters);
    if (end == 0 || !matters)
        return false;
    /* "\\L", two bytes, is three of UTF-8. */
    struct quoted quoted = {{source.data, end}, begin, arena_alloc(arena, 2 * (end - begin) + 1), 0, 0};
    while (quoted.at < end) {
        char byte = here(&quoted);
        if (is_break(byte)) {
            fold(&quoted, false);
        } else if (byte == '\\' && quote == '"') {
            quoted.at++;
            if (!take_escape(&quoted))
                return false;
        } else {
            quoted.out[quoted.size++] = byte;
            quoted.at += byte == quote ? 2 : 1;
        }
    }
    quoted.out[quoted.size] = '\0';
    *ret_text = (struct slice){quoted.out, quoted.size};
    return true;
}
