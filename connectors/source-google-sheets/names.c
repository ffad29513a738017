#include "names.h"

#include "base/buffer.h"
#include "connectors/google-sheets/api.h"

#include <ctype.h>

bool names_is_blank(struct slice text)
{
    size_t length;
    for (size_t at = 0; at < text.size; at += length) {
        uint32_t point = utf8_decode(text.data + at, text.size - at, &length);
        bool is_space = (point >= 0x09 && point <= 0x0d) || (point >= 0x1c && point <= 0x20) ||
                        point == 0x85 || point == 0xa0 || point == 0x1680 ||
                        (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
                        point == 0x202f || point == 0x205f || point == 0x3000;
        if (!is_space)
            return false;
    }
    return true;
}

/* --- letters in ASCII
 * ---------------------------------------------------------------------------------------- */

/* U+00C0 to U+017F. */
static const char latin[][3] = {
    "A", "A", "A",  "A",  "A", "A", "AE", "C",  "E",  "E", "E", "E",  "I",  "I",  "I", "I", "D", "N",
    "O", "O", "O",  "O",  "O", "x", "O",  "U",  "U",  "U", "U", "Y",  "Th", "ss", "a", "a", "a", "a",
    "a", "a", "ae", "c",  "e", "e", "e",  "e",  "i",  "i", "i", "i",  "d",  "n",  "o", "o", "o", "o",
    "o", "/", "o",  "u",  "u", "u", "u",  "y",  "th", "y", "A", "a",  "A",  "a",  "A", "a", "C", "c",
    "C", "c", "C",  "c",  "C", "c", "D",  "d",  "D",  "d", "E", "e",  "E",  "e",  "E", "e", "E", "e",
    "E", "e", "G",  "g",  "G", "g", "G",  "g",  "G",  "g", "H", "h",  "H",  "h",  "I", "i", "I", "i",
    "I", "i", "I",  "i",  "I", "i", "IJ", "ij", "J",  "j", "K", "k",  "k",  "L",  "l", "L", "l", "L",
    "l", "L", "l",  "L",  "l", "N", "n",  "N",  "n",  "N", "n", "'n", "ng", "NG", "O", "o", "O", "o",
    "O", "o", "OE", "oe", "R", "r", "R",  "r",  "R",  "r", "S", "s",  "S",  "s",  "S", "s", "S", "s",
    "T", "t", "T",  "t",  "T", "t", "U",  "u",  "U",  "u", "U", "u",  "U",  "u",  "U", "u", "U", "u",
    "W", "w", "Y",  "y",  "Y", "Z", "z",  "Z",  "z",  "Z", "z", "s",
};
enum { LATIN_FIRST = 0xc0, LATIN_COUNT = sizeof latin / sizeof *latin };

/* What has no letters in ASCII becomes '-', which separates words. */
static void put_ascii(struct buffer *out, const char *text)
{
    size_t size = strlen(text), length;
    for (size_t at = 0; at < size; at += length) {
        uint32_t point = utf8_decode(text + at, size - at, &length);
        if (point < 0x80)
            buffer_byte(out, (char)point);
        else if (point >= LATIN_FIRST && point < LATIN_FIRST + LATIN_COUNT)
            buffer_str(out, latin[point - LATIN_FIRST]);
        else
            buffer_byte(out, '-');
    }
}

/* --- words
 * ----------------------------------------------------------------------------------------------------- */

struct words {
    struct slice *items; /* an empty one stands for what is neither letter nor digit */
    size_t count;
};

static size_t run_of(const char *text, int (*is)(int))
{
    size_t size = 0;
    while (text[size] && is((unsigned char)text[size]))
        size++;
    return size;
}

static int is_other(int byte)
{
    return !isalnum(byte);
}

static struct words split(const char *text, struct arena *arena)
{
    struct words words = {arena_alloc(arena, (strlen(text) + 2) * sizeof *words.items), 0};
    for (const char *at = text; *at;) {
        size_t other = run_of(at, is_other), size = run_of(at, isdigit);
        if (!size) { /* "ABc", "abc" */
            size = run_of(at, isupper);
            size += run_of(at + size, islower);
        }
        words.items[words.count++] = (struct slice){at, other ? 0 : size};
        at += other ? other : size;
    }
    return words;
}

static bool is_number(struct slice word)
{
    return word.size && isdigit((unsigned char)word.data[0]);
}

static bool is_word(struct slice word)
{
    return word.size && isalpha((unsigned char)word.data[0]);
}

/* Neighbours in the text are neighbours in memory: two words become one by their sizes. */
static void join_pairs(const struct names_rules *rules, struct words *words)
{
    size_t kept = 0;
    for (size_t i = 0; i < words->count; i++) {
        struct slice word = words->items[i];
        struct slice next = i + 1 < words->count ? words->items[i + 1] : (struct slice){0};
        bool joined = (rules->join_letter_number && is_word(word) && is_number(next)) ||
                      (rules->join_number_word && is_number(word) && is_word(next));
        if (joined) {
            word.size += next.size;
            i++;
        }
        words->items[kept++] = word;
    }
    words->count = kept;
}

static const char *joined(const struct words *words, bool keep_ends, struct arena *arena)
{
    struct buffer out;
    size_t first = 0, last = words->count;
    buffer_init(&out, BUFFER_UNLIMITED);
    while (keep_ends && first < words->count && !words->items[first].size)
        first++;
    while (keep_ends && last > first && !words->items[last - 1].size)
        last--;
    bool begun = false;
    for (size_t i = 0; i < words->count; i++) {
        bool is_end = keep_ends ? i < first || i >= last : i == 0 || i + 1 == words->count;
        if (!words->items[i].size && !is_end)
            continue;
        if (begun)
            buffer_byte(&out, '_');
        begun = true;
        for (size_t k = 0; k < words->items[i].size; k++)
            buffer_byte(&out, (char)tolower((unsigned char)words->items[i].data[k]));
    }
    const char *name = arena_strdup(arena, buffer_cstr(&out));
    buffer_done(&out);
    return name;
}

/* --- conversions
 * ------------------------------------------------------------------------------------------------ */

static bool has_options(const struct names_rules *rules)
{
    return rules->trim_underscores || rules->join_number_word || rules->drop_special ||
           rules->join_letter_number || rules->leading_numbers;
}

/* Without options: "1MyName" is "_1_my_name". */
static const char *convert_plainly(const char *text, struct arena *arena)
{
    struct words words = split(text, arena);
    const char *name = joined(&words, false, arena);
    return words.count && is_number(words.items[0]) ? arena_printf(arena, "_%s", name) : name;
}

static const char *convert_by_rules(const struct names_rules *rules, char *text, struct arena *arena)
{
    if (rules->drop_special) {
        size_t kept = 0;
        for (size_t i = 0; text[i]; i++)
            if (isalnum((unsigned char)text[i]) || text[i] == '_' || isspace((unsigned char)text[i]))
                text[kept++] = text[i];
        text[kept] = 0;
    }
    struct words words = split(text, arena);
    join_pairs(rules, &words);
    const char *name = joined(&words, true, arena);
    if (rules->trim_underscores) {
        name += strspn(name, "_");
        size_t size = strlen(name);
        while (size && name[size - 1] == '_')
            size--;
        name = arena_strndup(arena, name, size);
    }
    if (!rules->leading_numbers && isdigit((unsigned char)*name))
        name = arena_printf(arena, "_%s", name);
    return strcmp(name, "_") == 0 ? "" : name;
}

static const char *convert(const struct names_rules *rules, const char *name, struct arena *arena)
{
    struct buffer ascii;
    if (!rules->convert)
        return name;
    buffer_init(&ascii, BUFFER_UNLIMITED);
    put_ascii(&ascii, name);
    char *text = arena_strdup(arena, buffer_cstr(&ascii));
    buffer_done(&ascii);
    return has_options(rules) ? convert_by_rules(rules, text, arena) : convert_plainly(text, arena);
}

/* --- headers
 * ---------------------------------------------------------------------------------------------------- */

static const char *letters(size_t position, struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    sheets_put_column(&out, (int64_t)position);
    const char *text = arena_strdup(arena, buffer_cstr(&out));
    buffer_done(&out);
    return text;
}

static void tell_apart(struct names_column *columns, size_t count, struct arena *arena)
{
    bool *doubled = arena_zalloc(arena, count + 1);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(columns[i].name, columns[k].name) == 0)
                doubled[i] = doubled[k] = true;
    for (size_t i = 0; i < count; i++)
        if (doubled[i])
            columns[i].name =
                arena_printf(arena, "%s_%s1", columns[i].name, letters(columns[i].position, arena));
}

int names_of_header(const struct names_rules *rules, const char *const *cells, size_t count,
                    struct arena *arena, struct names_column **ret_columns, size_t *ret_count,
                    struct error *err)
{
    struct names_column *columns = arena_zalloc(arena, (count + 1) * sizeof *columns);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = cells[i];
        if (names_is_blank(slice_of(name))) {
            if (!rules->empty_too)
                break;
            name = arena_printf(arena, "column_%s", letters(i, arena));
        }
        const char *converted = convert(rules, name, arena);
        if (!*converted)
            return error_set(
                err, ERROR_INVALID,
                "the column name \"%.200s\" has no letter and no digit, so names_conversion leaves nothing "
                "of it",
                name);
        columns[used++] = (struct names_column){converted, i};
    }
    tell_apart(columns, used, arena);
    *ret_columns = columns;
    *ret_count = used;
    return 0;
}
