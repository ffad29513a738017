/* ast.literal_eval: a text as a Python literal. Whatever is none stays text, so nothing here fails aloud. */
#include "literal.h"

#include "big.h"
#include "digits.h"
#include "interpolate.h"
#include "lex.h"
#include "unicode.h"

struct reader {
    struct arena *arena;
    struct slice text;
    size_t at;
    unsigned brackets;
};

static bool read_value(struct reader *r, struct tvalue *ret_value, bool *ret_is_number);

static bool here(const struct reader *r, char byte)
{
    return r->at < r->text.size && r->text.data[r->at] == byte;
}

static bool is_name_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z') || byte == '_' ||
           byte & 0x80;
}

/* Blanks; inside brackets line ends and comments too. */
static void skip(struct reader *r)
{
    while (r->at < r->text.size) {
        char byte = r->text.data[r->at];
        if (byte == ' ' || byte == '\t' || byte == '\f') {
            r->at++;
        } else if (byte == '\\' && r->at + 2 < r->text.size && r->text.data[r->at + 1] == '\n') {
            r->at += 2;
        } else if (byte == '#' && r->brackets) {
            while (r->at < r->text.size && r->text.data[r->at] != '\n')
                r->at++;
        } else if (byte == '\n' && r->brackets) {
            r->at++;
        } else {
            return;
        }
    }
}

static bool take(struct reader *r, char byte)
{
    if (!here(r, byte))
        return false;
    r->at++;
    skip(r);
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t size = strlen(word);
    if (r->text.size - r->at < size || memcmp(r->text.data + r->at, word, size) != 0 ||
        (r->at + size < r->text.size && is_name_byte(r->text.data[r->at + size])))
        return false;
    r->at += size;
    skip(r);
    return true;
}

/* --- numbers ------------------------------------------------------------------------------------- */

/* Digits and single underscores between them; how many bytes. */
static size_t digits_at(const struct reader *r, size_t at)
{
    size_t start = at;
    while (at < r->text.size) {
        char byte = r->text.data[at];
        bool digit = byte >= '0' && byte <= '9';
        bool between = byte == '_' && at > start && r->text.data[at - 1] != '_' && at + 1 < r->text.size &&
                       r->text.data[at + 1] >= '0' && r->text.data[at + 1] <= '9';
        if (!digit && !between)
            break;
        at++;
    }
    return at - start;
}

static bool read_number(struct reader *r, struct tvalue *ret_value)
{
    size_t start = r->at, whole = digits_at(r, start), end = start + whole;
    bool real = false;
    if (end < r->text.size && r->text.data[end] == '.') {
        size_t fraction = digits_at(r, end + 1);
        if (!whole && !fraction)
            return false;
        end += 1 + fraction;
        real = true;
    }
    if (end < r->text.size && (r->text.data[end] | 32) == 'e' && (whole || real)) {
        size_t exponent = end + 1;
        exponent +=
            exponent < r->text.size && (r->text.data[exponent] == '+' || r->text.data[exponent] == '-');
        size_t size = digits_at(r, exponent);
        if (!size)
            return false;
        end = exponent + size;
        real = true;
    }
    if (!real) { /* also hexadecimal and the like */
        while (end < r->text.size && is_name_byte(r->text.data[end]))
            end++;
    }
    if (end < r->text.size && is_name_byte(r->text.data[end]))
        return false;
    struct slice text = {r->text.data + start, end - start};
    double number;
    if (real) {
        if (!digits_to_float(text, &number))
            return false;
        *ret_value = tvalue_float(number);
    } else if (!digits_to_integer(r->arena, text, 0, ret_value)) {
        return false;
    }
    r->at = end;
    skip(r);
    return true;
}

/* --- strings ------------------------------------------------------------------------------------- */

struct string_start {
    bool raw, bytes;
    char quote;
    size_t quotes; /* 1 or 3 */
};

static bool string_begins(const struct reader *r, struct string_start *start, size_t *ret_at)
{
    size_t at = r->at;
    bool unicode = false;
    *start = (struct string_start){.quotes = 1};
    for (int i = 0; i < 2 && at < r->text.size && (r->text.data[at] | 32) != 'f'; i++) {
        char letter = r->text.data[at] | 32;
        if (letter == 'r' && !start->raw && !unicode)
            start->raw = true;
        else if (letter == 'b' && !start->bytes && !unicode)
            start->bytes = true;
        else if (letter == 'u' && i == 0)
            unicode = true;
        else
            break;
        at++;
    }
    if (at >= r->text.size || (r->text.data[at] != '\'' && r->text.data[at] != '"'))
        return false;
    start->quote = r->text.data[at];
    if (at + 2 < r->text.size && r->text.data[at + 1] == start->quote && r->text.data[at + 2] == start->quote)
        start->quotes = 3;
    *ret_at = at + start->quotes;
    return true;
}

static bool ends_at(const struct reader *r, size_t at, const struct string_start *start)
{
    for (size_t i = 0; i < start->quotes; i++) {
        if (at + i >= r->text.size || r->text.data[at + i] != start->quote)
            return false;
    }
    return true;
}

static bool read_one_string(struct reader *r, const struct string_start *start, size_t at,
                            struct slice *ret_text)
{
    size_t begin = at;
    while (at < r->text.size && !ends_at(r, at, start)) {
        if (r->text.data[at] == '\n' && start->quotes == 1)
            return false;
        if (start->bytes && (unsigned char)r->text.data[at] > 127)
            return false;
        at += r->text.data[at] == '\\' && at + 1 < r->text.size ? 2 : 1;
    }
    if (at >= r->text.size)
        return false;
    const char *wrong;
    struct slice inner = {r->text.data + begin, at - begin};
    *ret_text = inner;
    r->at = at + start->quotes;
    skip(r);
    return start->raw || lex_unescape(r->arena, inner, start->bytes, false, ret_text, &wrong) == 0;
}

/* One, or several side by side. */
static bool read_string(struct reader *r, struct tvalue *ret_value)
{
    struct string_start start, next;
    struct slice text, more;
    size_t at;
    if (!string_begins(r, &start, &at) || !read_one_string(r, &start, at, &text))
        return false;
    while (string_begins(r, &next, &at)) {
        if (next.bytes != start.bytes || !read_one_string(r, &next, at, &more))
            return false;
        char *joined = arena_alloc(r->arena, text.size + more.size);
        memcpy(joined, text.data, text.size);
        memcpy(joined + text.size, more.data, more.size);
        text = (struct slice){joined, text.size + more.size};
    }
    *ret_value = tvalue_string(text);
    if (start.bytes)
        ret_value->kind = TVALUE_BYTES;
    return true;
}

/* --- containers ---------------------------------------------------------------------------------- */

static bool read_item(struct reader *r, struct tvalue *ret_value)
{
    bool is_number;
    return read_value(r, ret_value, &is_number);
}

/* Items up to the closing bracket. */
static bool read_items(struct reader *r, char close, struct tlist *list, bool *ret_comma)
{
    struct tvalue item;
    *ret_comma = false;
    while (!here(r, close)) {
        if (list->count && !*ret_comma)
            return false;
        if (!read_item(r, &item) || list->count >= TEMPLATE_ITEMS_MAX)
            return false;
        tlist_push(r->arena, list, item);
        *ret_comma = take(r, ',');
    }
    r->brackets--;
    return take(r, close);
}

static bool read_dict(struct reader *r, struct tvalue key, struct tvalue *ret_value)
{
    struct tvalue dict = tvalue_dict(r->arena), value;
    uint64_t hash;
    for (;;) {
        if (!take(r, ':') || !read_item(r, &value) || !tvalue_hash(r->arena, &key, &hash))
            return false;
        tdict_set(r->arena, dict.dict, key, value);
        bool comma = take(r, ',');
        if (here(r, '}'))
            break;
        if (!comma || !read_item(r, &key))
            return false;
    }
    r->brackets--;
    *ret_value = dict;
    return take(r, '}');
}

static bool read_set(struct reader *r, struct tvalue first, struct tvalue *ret_value)
{
    struct tvalue set = tvalue_list(r->arena), ignored;
    struct tlist items = {0};
    struct tdict seen = {0};
    bool comma = take(r, ',');
    uint64_t hash;
    tlist_push(r->arena, &items, first);
    if (!comma && !here(r, '}'))
        return false;
    if (!comma) {
        r->brackets--;
        if (!take(r, '}'))
            return false;
    } else {
        struct tlist more = {0};
        if (!read_items(r, '}', &more, &comma))
            return false;
        for (uint32_t i = 0; i < more.count; i++)
            tlist_push(r->arena, &items, more.items[i]);
    }
    for (uint32_t i = 0; i < items.count; i++) {
        if (!tvalue_hash(r->arena, &items.items[i], &hash))
            return false;
        if (tdict_get(&seen, &items.items[i], &ignored))
            continue;
        tdict_set(r->arena, &seen, items.items[i], tvalue_none());
        tlist_push(r->arena, set.list, items.items[i]);
    }
    set.kind = TVALUE_SET;
    *ret_value = set;
    return true;
}

static bool read_braces(struct reader *r, struct tvalue *ret_value)
{
    struct tvalue first;
    if (here(r, '}')) {
        r->brackets--;
        *ret_value = tvalue_dict(r->arena);
        return take(r, '}');
    }
    if (!read_item(r, &first))
        return false;
    return here(r, ':') ? read_dict(r, first, ret_value) : read_set(r, first, ret_value);
}

/* A number in parentheses is still one for a sign before it. */
static bool read_brackets(struct reader *r, struct tvalue *ret_value, bool *ret_is_number)
{
    char open = r->text.data[r->at++];
    bool comma;
    if (++r->brackets > INTERPOLATE_LITERAL_NESTING_MAX)
        return false;
    skip(r);
    if (open == '{')
        return read_braces(r, ret_value);
    struct tvalue list = tvalue_list(r->arena);
    if (open == '[') {
        *ret_value = list;
        return read_items(r, ']', list.list, &comma);
    }
    if (here(r, ')')) {
        r->brackets--;
        list.kind = TVALUE_TUPLE;
        *ret_value = list;
        return take(r, ')');
    }
    struct tvalue first;
    bool is_number;
    if (!read_value(r, &first, &is_number))
        return false;
    if (here(r, ')')) {
        r->brackets--;
        *ret_value = first;
        *ret_is_number = is_number;
        return take(r, ')');
    }
    tlist_push(r->arena, list.list, first);
    if (!take(r, ','))
        return false;
    struct tlist more = {0};
    if (!read_items(r, ')', &more, &comma))
        return false;
    for (uint32_t i = 0; i < more.count; i++)
        tlist_push(r->arena, list.list, more.items[i]);
    list.kind = TVALUE_TUPLE;
    *ret_value = list;
    return true;
}

/* ret_is_number: a number without sign, which one may be put before. */
static bool read_value(struct reader *r, struct tvalue *ret_value, bool *ret_is_number)
{
    *ret_is_number = false;
    if (r->at >= r->text.size)
        return false;
    char byte = r->text.data[r->at];
    if (byte == '-' || byte == '+') {
        bool is_number;
        r->at++;
        skip(r);
        if (r->at >= r->text.size || r->text.data[r->at] == '-' || r->text.data[r->at] == '+' ||
            !read_value(r, ret_value, &is_number) || !is_number)
            return false;
        if (byte == '+')
            return true;
        *ret_value = ret_value->kind == TVALUE_FLOAT ? tvalue_float(-ret_value->number)
                                                     : integer_negate(r->arena, ret_value);
        return true;
    }
    if ((byte >= '0' && byte <= '9') || byte == '.') {
        *ret_is_number = true;
        return read_number(r, ret_value);
    }
    if (byte == '[' || byte == '(' || byte == '{')
        return read_brackets(r, ret_value, ret_is_number);
    if (take_word(r, "True") || take_word(r, "False")) {
        *ret_value = tvalue_bool(byte == 'T');
        return true;
    }
    if (take_word(r, "None")) {
        *ret_value = tvalue_none();
        return true;
    }
    if (take_word(r, "set")) {
        r->brackets++;
        *ret_value = tvalue_list(r->arena);
        ret_value->kind = TVALUE_SET;
        if (!take(r, '(') || !here(r, ')'))
            return false;
        r->brackets--;
        return take(r, ')');
    }
    return read_string(r, ret_value);
}

static bool at_end(struct reader *r)
{
    while (r->at < r->text.size) {
        r->brackets = 1; /* line ends and comments are skipped */
        skip(r);
        if (r->at < r->text.size)
            return false;
    }
    return true;
}

/* Values with commas between them are a tuple without its parentheses. */
static bool read_all(struct reader *r, struct tvalue *ret_value)
{
    struct tvalue first;
    if (!read_item(r, &first))
        return false;
    if (!here(r, ',')) {
        *ret_value = first;
        return at_end(r);
    }
    struct tvalue tuple = tvalue_list(r->arena);
    tuple.kind = TVALUE_TUPLE;
    tlist_push(r->arena, tuple.list, first);
    while (take(r, ',')) {
        if (r->at >= r->text.size || here(r, '\n') || here(r, '#'))
            break;
        if (!read_item(r, &first) || tuple.list->count >= TEMPLATE_ITEMS_MAX)
            return false;
        tlist_push(r->arena, tuple.list, first);
    }
    *ret_value = tuple;
    return at_end(r);
}

/* Most texts are no literals, and most of these do not even begin like one. */
static bool may_be_literal(struct slice text)
{
    size_t at = 0;
    while (at < text.size && text.data[at] && strchr(" \t\n\r\f\\#", text.data[at])) {
        bool comment = text.data[at++] == '#';
        while (comment && at < text.size && text.data[at] != '\n' && text.data[at] != '\r')
            at++;
    }
    if (at == text.size)
        return false;
    return text.data[at] && strchr("0123456789.+-'\"([{TFNsrRbBuU", text.data[at]);
}

static struct slice with_line_ends(struct arena *arena, struct slice text)
{
    if (!memchr(text.data, '\r', text.size))
        return text;
    char *copy = arena_alloc(arena, text.size);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        copy[size++] = text.data[i] == '\r' ? '\n' : text.data[i];
        if (text.data[i] == '\r' && i + 1 < text.size && text.data[i + 1] == '\n')
            i++;
    }
    return (struct slice){copy, size};
}

bool literal_read(struct arena *arena, struct slice text, struct tvalue *ret_value)
{
    if (!may_be_literal(text) || memchr(text.data, 0, text.size))
        return false;
    struct reader reader = {.arena = arena, .text = with_line_ends(arena, text)};
    while (here(&reader, ' ') || here(&reader, '\t'))
        reader.at++;
    /* Lines with nothing on them, or a comment alone. */
    for (;;) {
        size_t start = reader.at;
        while (here(&reader, ' ') || here(&reader, '\t') || here(&reader, '\f'))
            reader.at++;
        if (here(&reader, '#')) {
            while (reader.at < reader.text.size && !here(&reader, '\n'))
                reader.at++;
        }
        if (!here(&reader, '\n')) {
            if (reader.at != start && start > 0 && reader.text.data[start - 1] == '\n')
                return false; /* indented */
            break;
        }
        reader.at++;
    }
    skip(&reader); /* a line that is continued may be empty */
    return read_all(&reader, ret_value);
}
