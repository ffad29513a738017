/* Values as the text of YAML and JSON files. */
#include "catalog/edit.h"
#include "json/writer.h"

#include <stdio.h>

enum { INLINE_MAX = 80, INDENT = 2 };

static void put_spaces(struct buffer *out, size_t count)
{
    while (count--)
        buffer_byte(out, ' ');
}

/* --- scalars --------------------------------------------------------------------------------------- */

/* A character that begins something else than a plain scalar, or may, in one dialect or the other. */
static bool plain_begins(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '_' || c == '$';
}

static bool plain_goes_on(char c)
{
    return plain_begins(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '+' || c == '(' ||
           c == ')' || c == ' ' || c == ';';
}

/* Words that some YAML reader takes for something else than a string. */
static bool is_word(struct slice text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text.size == strlen(words[i]) && strncasecmp(text.data, words[i], text.size) == 0)
            return true;
    }
    return false;
}

static bool is_plain(struct slice text)
{
    if (text.size == 0 || !plain_begins(text.data[0]) || text.data[text.size - 1] == ' ' || is_word(text))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (!plain_goes_on(text.data[i]))
            return false;
    }
    return true;
}

/* A character that YAML takes for a line break or no text at all, though JSON does not mind it: how many
 * bytes it has, and which it is; 0 for others. */
static size_t odd_character(const char *text, size_t size, unsigned *ret_point)
{
    const unsigned char *at = (const unsigned char *)text;
    if (at[0] == 0x7f) {
        *ret_point = at[0];
        return 1;
    }
    if (at[0] == 0xc2 && size > 1 && at[1] < 0xa0) { /* C1 */
        *ret_point = at[1];
        return 2;
    }
    if (size < 3 || at[0] < 0xe2)
        return 0;
    *ret_point = (at[0] & 0xfU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
    bool odd =
        (at[0] & 0xf0) == 0xe0 && (*ret_point == 0x2028 || *ret_point == 0x2029 || *ret_point == 0xfeff ||
                                   *ret_point == 0xfffe || *ret_point == 0xffff);
    return odd ? 3 : 0;
}

static void put_quoted(struct buffer *out, struct slice text)
{
    struct buffer quoted;
    unsigned point;
    buffer_init(&quoted, BUFFER_UNLIMITED);
    json_escape(&quoted, text);
    for (size_t i = 0; i < quoted.size;) {
        size_t odd = odd_character(quoted.data + i, quoted.size - i, &point);
        if (odd)
            buffer_printf(out, "\\u%04x", point);
        else
            buffer_byte(out, quoted.data[i]);
        i += odd ? odd : 1;
    }
    explicit_bzero(quoted.data, quoted.size);
    buffer_done(&quoted);
}

void edit_emit_string(struct buffer *out, struct slice text)
{
    if (is_plain(text))
        buffer_append(out, text.data, text.size);
    else
        put_quoted(out, text);
}

static void put_string_of(struct buffer *out, const struct json *doc, uint32_t at)
{
    struct arena arena;
    arena_init(&arena);
    edit_emit_string(out, json_string(doc, at, &arena));
    arena_done(&arena);
}

static bool is_container(const struct json *doc, uint32_t at)
{
    return json_is(doc, at, JSON_ARRAY) || json_is(doc, at, JSON_OBJECT);
}

static bool is_comment(const struct json *doc, uint32_t key)
{
    return json_string_is(doc, key, EDIT_COMMENT);
}

/* --- on one line ----------------------------------------------------------------------------------- */

/* [a, b] and {a: b}, if it is short and holds scalars only (or lists of them). */
static bool put_inline(struct buffer *out, const struct json *doc, uint32_t at, unsigned depth)
{
    size_t before = out->size;
    if (json_is(doc, at, JSON_STRING)) {
        put_string_of(out, doc, at);
    } else if (!is_container(doc, at)) {
        struct slice raw = json_raw(doc, at);
        buffer_append(out, raw.data, raw.size);
    } else if (json_count(doc, at) == 0) {
        buffer_str(out, json_is(doc, at, JSON_ARRAY) ? "[]" : "{}");
    } else if (depth == 0) {
        return false;
    } else if (json_is(doc, at, JSON_ARRAY)) {
        const char *comma = "[";
        for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each)) {
            buffer_str(out, comma);
            comma = ", ";
            if (!put_inline(out, doc, each, depth - 1))
                return false;
        }
        buffer_byte(out, ']');
    } else {
        const char *comma = "{ ";
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
            if (is_comment(doc, key) ||
                (json_is(doc, json_value(key), JSON_OBJECT) && json_count(doc, json_value(key))))
                return false;
            buffer_str(out, comma);
            comma = ", ";
            put_string_of(out, doc, key);
            buffer_str(out, ": ");
            if (!put_inline(out, doc, json_value(key), depth - 1))
                return false;
        }
        buffer_str(out, " }");
    }
    return out->size - before <= INLINE_MAX;
}

/* True: written. */
static bool try_inline(struct buffer *out, const struct json *doc, uint32_t at)
{
    size_t before = out->size;
    bool scalar = !is_container(doc, at) || json_count(doc, at) == 0;
    if (put_inline(out, doc, at, 2) || scalar)
        return true;
    out->size = before;
    return false;
}

/* --- blocks ---------------------------------------------------------------------------------------- */

void edit_emit_comment(struct buffer *out, struct slice text, size_t indent)
{
    size_t at = 0;
    do {
        size_t size = text.size - at, room = EDIT_COMMENT_WIDTH - 2;
        const char *end = size ? memchr(text.data + at, '\n', size) : NULL;
        if (end)
            size = (size_t)(end - text.data) - at;
        if (size > room) {
            size_t cut = room;
            while (cut && text.data[at + cut] != ' ')
                cut--;
            size = cut ? cut : size;
        }
        put_spaces(out, indent);
        buffer_str(out, size ? "# " : "#");
        for (size_t i = 0; i < size;) { /* what YAML takes for a break or refuses would end the comment */
            unsigned point;
            size_t odd = odd_character(text.data + at + i, size - i, &point);
            bool control = (unsigned char)text.data[at + i] < 0x20;
            buffer_byte(out, odd || control ? ' ' : text.data[at + i]);
            i += odd ? odd : 1;
        }
        buffer_byte(out, '\n');
        at += size;
        if (at < text.size)
            at++; /* the blank or line end */
    } while (at < text.size);
}

static void put_comment_of(struct buffer *out, const struct json *doc, uint32_t at, size_t indent)
{
    struct arena arena;
    arena_init(&arena);
    edit_emit_comment(out, json_string(doc, at, &arena), indent);
    arena_done(&arena);
}

/* Each of the two begins behind `indent` spaces, or, if `begun`, on a line where they are there. */
static void put_mapping(struct buffer *out, const struct json *doc, uint32_t at, size_t indent, bool begun);

static void put_sequence(struct buffer *out, const struct json *doc, uint32_t at, size_t indent)
{
    for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each)) {
        put_spaces(out, indent);
        buffer_str(out, "- ");
        if (try_inline(out, doc, each)) {
            buffer_byte(out, '\n');
        } else if (json_is(doc, each, JSON_OBJECT) && !is_comment(doc, json_first_key(doc, each))) {
            put_mapping(out, doc, each, indent + INDENT, true);
        } else {
            out->size--;
            buffer_byte(out, '\n');
            edit_emit_yaml(out, doc, each, indent + INDENT);
        }
    }
}

static void put_mapping(struct buffer *out, const struct json *doc, uint32_t at, size_t indent, bool begun)
{
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        uint32_t value = json_value(key);
        if (is_comment(doc, key)) {
            put_comment_of(out, doc, value, indent);
            continue;
        }
        if (!begun)
            put_spaces(out, indent);
        begun = false;
        put_string_of(out, doc, key);
        buffer_str(out, ": ");
        if (try_inline(out, doc, value)) {
            buffer_byte(out, '\n');
        } else {
            out->size--;
            buffer_byte(out, '\n');
            edit_emit_yaml(out, doc, value, indent + INDENT);
        }
    }
}

void edit_emit_yaml(struct buffer *out, const struct json *doc, uint32_t at, size_t indent)
{
    if (json_is(doc, at, JSON_OBJECT) && json_count(doc, at)) {
        put_mapping(out, doc, at, indent, false);
    } else if (json_is(doc, at, JSON_ARRAY) && json_count(doc, at)) {
        put_sequence(out, doc, at, indent);
    } else {
        put_spaces(out, indent);
        try_inline(out, doc, at);
        buffer_byte(out, '\n');
    }
}

/* --- JSON ------------------------------------------------------------------------------------------ */

void edit_emit_json(struct buffer *out, const struct json *doc, uint32_t at, size_t indent)
{
    bool object = json_is(doc, at, JSON_OBJECT), first = true;
    if (!is_container(doc, at) || json_count(doc, at) == 0) {
        struct slice raw = json_raw(doc, at);
        if (is_container(doc, at))
            buffer_str(out, object ? "{}" : "[]");
        else
            buffer_append(out, raw.data, raw.size);
        return;
    }
    buffer_byte(out, object ? '{' : '[');
    for (uint32_t each = at + 1; each < json_after(doc, at);
         each = json_after(doc, object ? each + 1 : each)) {
        if (object && is_comment(doc, each))
            continue;
        buffer_str(out, first ? "\n" : ",\n");
        first = false;
        put_spaces(out, indent + INDENT);
        if (object) {
            struct slice name = json_raw(doc, each);
            buffer_append(out, name.data, name.size);
            buffer_str(out, ": ");
        }
        edit_emit_json(out, doc, object ? json_value(each) : each, indent + INDENT);
    }
    buffer_byte(out, '\n');
    put_spaces(out, indent);
    buffer_byte(out, object ? '}' : ']');
}
