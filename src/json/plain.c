/* The plain parser: one pass over the bytes. It defines what is accepted, and says why what is not. */
#include "json/parser.h"

#include <stdio.h>

/* One parse: the open container's node (its link is its parent's index until it closes) and the place. */
struct plain {
    struct json_parser *parser;
    struct error *err;
    uint32_t at;
    uint32_t open; /* innermost open container, or JSON_NONE */
    uint32_t depth;
};

/* "got 'x'": the character at the place, for an error. */
static const char *found(const struct plain *plain, char text[32])
{
    const struct json_parser *parser = plain->parser;
    if (plain->at >= parser->size)
        return "the document ends";
    const char *here = parser->source + plain->at;
    unsigned char byte = (unsigned char)*here;
    size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (byte < 0x20 || byte == 0x7f || length > parser->size - plain->at || !utf8_valid(here, length))
        snprintf(text, 32, "got byte 0x%02x", byte);
    else if (byte == '\'')
        snprintf(text, 32, "got \"'\"");
    else
        snprintf(text, 32, "got '%.*s'", (int)length, here);
    return text;
}

static int expected(const struct plain *plain, const char *what)
{
    char text[32];
    return json_fail(plain->parser, ERROR_INVALID, plain->at, plain->err, "expected %s, %s", what,
                     found(plain, text));
}

static int invalid(const struct plain *plain, uint32_t at, const char *what)
{
    return json_fail(plain->parser, ERROR_INVALID, at, plain->err, "%s", what);
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The byte at the place, NUL behind the end (no place where it matters accepts a NUL). */
static char peek(const struct plain *plain)
{
    return plain->at < plain->parser->size ? plain->parser->source[plain->at] : 0;
}

static void skip_space(struct plain *plain)
{
    for (;; plain->at++) {
        char byte = peek(plain);
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return;
    }
}

/* Append a node; its index, or JSON_NONE with the error set. */
static uint32_t add(struct plain *plain, enum json_tag tag, uint32_t offset, uint32_t length)
{
    struct json_parser *parser = plain->parser;
    if (parser->count >= parser->limits.nodes_max) {
        json_fail(parser, ERROR_LIMIT, offset, plain->err, "the document has more than %u values and keys",
                  parser->limits.nodes_max);
        return JSON_NONE;
    }
    parser->nodes = mem_grow(parser->nodes, &parser->capacity, parser->count + 1, sizeof *parser->nodes);
    parser->nodes[parser->count] = (struct json_node){.tag = tag, .offset = offset, .length = length};
    return parser->count++;
}

static int hex4(struct plain *plain, uint32_t *ret_value)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, plain->at++) {
        char byte = peek(plain), lower = (char)(byte | 0x20);
        if (!is_digit(byte) && (lower < 'a' || lower > 'f'))
            return expected(plain, "four hexadecimal digits after \\u");
        value = value << 4 | (uint32_t)(is_digit(byte) ? byte - '0' : lower - 'a' + 10);
    }
    *ret_value = value;
    return 0;
}

/* plain->at is at a backslash. */
static int scan_escape(struct plain *plain)
{
    uint32_t start = plain->at++;
    char kind = peek(plain);
    if (kind != 'u') {
        if (kind == 0 || !strchr("\"\\/bfnrt", kind))
            return expected(plain, "one of \" \\ / b f n r t u after a backslash");
        plain->at++;
        return 0;
    }
    plain->at++;
    uint32_t first = 0, second = 0;
    if (hex4(plain, &first) < 0)
        return -1;
    if (first >= 0xdc00 && first < 0xe000)
        return invalid(plain, start, "a low surrogate without a high one before it in a \\u escape");
    if (first < 0xd800 || first >= 0xdc00)
        return 0;
    if (peek(plain) != '\\' || plain->at + 1 >= plain->parser->size ||
        plain->parser->source[plain->at + 1] != 'u')
        return invalid(plain, start, "a high surrogate without a low one after it in a \\u escape");
    plain->at += 2;
    if (hex4(plain, &second) < 0)
        return -1;
    if (second < 0xdc00 || second >= 0xe000)
        return invalid(plain, start, "a high surrogate without a low one after it in a \\u escape");
    return 0;
}

/* Length of the multi-byte character at the place, 0 if it is not valid UTF-8. */
static uint32_t multi_byte(const struct plain *plain)
{
    const char *here = plain->parser->source + plain->at;
    unsigned char byte = (unsigned char)*here;
    uint32_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length <= plain->parser->size - plain->at && utf8_valid(here, length) ? length : 0;
}

/* plain->at is at the opening quote. The node's index, or JSON_NONE. */
static uint32_t scan_string(struct plain *plain, enum json_tag tag)
{
    uint32_t start = plain->at++;
    bool escaped = false;
    for (;;) {
        if (plain->at >= plain->parser->size) {
            invalid(plain, start, "a string without end: no closing '\"'");
            return JSON_NONE;
        }
        unsigned char byte = (unsigned char)plain->parser->source[plain->at];
        if (byte == '"')
            break;
        if (byte == '\\') {
            escaped = true;
            if (scan_escape(plain) < 0)
                return JSON_NONE;
        } else if (byte < 0x20) {
            json_fail(plain->parser, ERROR_INVALID, plain->at, plain->err,
                      "a control character in a string: byte 0x%02x must be written as \\u%04x", byte, byte);
            return JSON_NONE;
        } else if (byte < 0x80) {
            plain->at++;
        } else {
            uint32_t length = multi_byte(plain);
            if (length == 0) {
                json_fail(plain->parser, ERROR_INVALID, plain->at, plain->err,
                          "a string that is not valid UTF-8: byte 0x%02x", byte);
                return JSON_NONE;
            }
            plain->at += length;
        }
    }
    plain->at++;
    uint32_t node = add(plain, tag, start, plain->at - start);
    if (node != JSON_NONE)
        plain->parser->nodes[node].escaped = escaped;
    return node;
}

static void skip_digits(struct plain *plain)
{
    while (is_digit(peek(plain)))
        plain->at++;
}

static int scan_number(struct plain *plain)
{
    uint32_t start = plain->at;
    enum json_tag tag = JSON_INTEGER;
    if (peek(plain) == '-')
        plain->at++;
    if (!is_digit(peek(plain)))
        return expected(plain, "a digit after '-'");
    if (peek(plain) == '0') {
        plain->at++;
        if (is_digit(peek(plain)))
            return invalid(plain, start, "a number with a leading zero");
    }
    skip_digits(plain);
    if (peek(plain) == '.') {
        tag = JSON_NUMBER;
        plain->at++;
        if (!is_digit(peek(plain)))
            return expected(plain, "a digit after the decimal point");
        skip_digits(plain);
    }
    if (peek(plain) == 'e' || peek(plain) == 'E') {
        tag = JSON_NUMBER;
        plain->at++;
        if (peek(plain) == '+' || peek(plain) == '-')
            plain->at++;
        if (!is_digit(peek(plain)))
            return expected(plain, "a digit in the exponent");
        skip_digits(plain);
    }
    return add(plain, tag, start, plain->at - start) == JSON_NONE ? -1 : 0;
}

/* A word that is not true, false or null, or another thing that people write: say what would be right. */
static int no_value(struct plain *plain, const char *what)
{
    static const struct {
        const char *word, *advice;
    } habits[] = {
        {"True", "'True' is written 'true' in JSON"},
        {"False", "'False' is written 'false' in JSON"},
        {"None", "'None' is written 'null' in JSON"},
        {"NULL", "'NULL' is written 'null' in JSON"},
        {"undefined", "'undefined' is no JSON value: write 'null'"},
        {"nan", "JSON has no NaN: write 'null' or a string"},
        {"NaN", "JSON has no NaN: write 'null' or a string"},
        {"Infinity", "JSON has no Infinity: write 'null' or a string"},
        {"-Infinity", "JSON has no Infinity: write 'null' or a string"},
        {"'", "strings and names are written in double quotes in JSON"},
        {"//", "JSON has no comments"},
        {"/*", "JSON has no comments"},
        {"#", "JSON has no comments"},
        {"\xef\xbb\xbf", "a byte order mark before the document: remove it"},
    };
    struct slice rest = {plain->parser->source + plain->at, plain->parser->size - plain->at};
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        if (slice_starts_with(rest, habits[i].word))
            return invalid(plain, plain->at, habits[i].advice);
    }
    return expected(plain, what);
}

static int scan_word(struct plain *plain, const char *word, enum json_tag tag)
{
    uint32_t length = (uint32_t)strlen(word);
    struct slice rest = {plain->parser->source + plain->at, plain->parser->size - plain->at};
    if (!slice_starts_with(rest, word))
        return no_value(plain, "a value (true, false, null, a number, a string, '[' or '{')");
    plain->at += length;
    return add(plain, tag, plain->at - length, length) == JSON_NONE ? -1 : 0;
}

static int open_container(struct plain *plain, enum json_tag tag)
{
    if (plain->depth == plain->parser->limits.depth_max)
        return json_fail(plain->parser, ERROR_LIMIT, plain->at, plain->err,
                         "arrays and objects are nested more than %u deep", plain->depth);
    uint32_t node = add(plain, tag, plain->at, 0);
    if (node == JSON_NONE)
        return -1;
    plain->parser->nodes[node].link = plain->open;
    plain->open = node;
    plain->depth++;
    plain->at++;
    return 0;
}

static int refuse_duplicate(const struct plain *plain, uint32_t first, uint32_t again)
{
    const struct json_parser *parser = plain->parser;
    const struct json_node *key = &parser->nodes[again];
    const char *inner = parser->source + key->offset + 1;
    size_t size = key->length - 2, shown = utf8_cut(inner, size, 100);
    uint32_t line = 1;
    for (uint32_t i = 0; i < parser->nodes[first].offset; i++)
        line += parser->source[i] == '\n';
    return json_fail(parser, ERROR_INVALID, key->offset, plain->err,
                     "the name \"%.*s%s\" is already in this object, at line %u (byte %u)", (int)shown, inner,
                     shown < size ? "…" : "", line, parser->nodes[first].offset);
}

/* plain->at is at the closing bracket. */
static int close_container(struct plain *plain)
{
    struct json_parser *parser = plain->parser;
    struct json_node *node = &parser->nodes[plain->open];
    uint32_t at = plain->open;
    plain->open = node->link;
    plain->depth--;
    plain->at++;
    node->link = parser->count;
    node->length = plain->at - node->offset;
    if (node->tag == JSON_OBJECT) {
        uint32_t members = node->count, first, again;
        if (members > 1 && !json_members_check(parser, at, members, &first, &again))
            return refuse_duplicate(plain, first, again);
        parser->hashes_count -= members;
    }
    return 0;
}

/* A name and its colon. */
static int scan_key(struct plain *plain, const char *what)
{
    struct json_parser *parser = plain->parser;
    if (peek(plain) != '"')
        return no_value(plain, what);
    uint32_t key = scan_string(plain, JSON_KEY);
    if (key == JSON_NONE)
        return -1;
    uint32_t hash = json_hash_of_name(parser, &parser->nodes[key]);
    parser->nodes[key].link = hash;
    parser->hashes =
        mem_grow(parser->hashes, &parser->hashes_capacity, parser->hashes_count + 1, sizeof *parser->hashes);
    parser->hashes[parser->hashes_count++] = hash;
    skip_space(plain);
    if (peek(plain) != ':')
        return expected(plain, "':' after a name in an object");
    plain->at++;
    skip_space(plain);
    return 0;
}

/* A value, or the opening of a container. */
static int scan_value(struct plain *plain)
{
    char byte = peek(plain);
    switch (byte) {
    case '{':
        return open_container(plain, JSON_OBJECT);
    case '[':
        return open_container(plain, JSON_ARRAY);
    case '"':
        return scan_string(plain, JSON_STRING) == JSON_NONE ? -1 : 0;
    case 't':
        return scan_word(plain, "true", JSON_TRUE);
    case 'f':
        return scan_word(plain, "false", JSON_FALSE);
    case 'n':
        return scan_word(plain, "null", JSON_NULL);
    default:
        if (is_digit(byte) ||
            (byte == '-' &&
             !slice_starts_with(
                 (struct slice){plain->parser->source + plain->at, plain->parser->size - plain->at}, "-Inf")))
            return scan_number(plain);
        return no_value(plain, "a value");
    }
}

/* Behind the opening of the innermost container: its first key or element, or its end. */
static int scan_first(struct plain *plain)
{
    struct json_node *node = &plain->parser->nodes[plain->open];
    skip_space(plain);
    if (peek(plain) == (node->tag == JSON_OBJECT ? '}' : ']'))
        return close_container(plain);
    node->count = 1;
    if (node->tag == JSON_OBJECT && scan_key(plain, "a name in double quotes or '}' after '{'") < 0)
        return -1;
    return scan_value(plain);
}

/* Behind a value inside the innermost container: a comma and the next one, or its end. */
static int scan_next(struct plain *plain)
{
    struct json_node *node = &plain->parser->nodes[plain->open];
    bool object = node->tag == JSON_OBJECT;
    skip_space(plain);
    char byte = peek(plain);
    if (byte == (object ? '}' : ']'))
        return close_container(plain);
    if (byte != ',')
        return expected(plain, object ? "',' or '}' after a member of an object"
                                      : "',' or ']' after an element of an array");
    plain->at++;
    skip_space(plain);
    if (peek(plain) == (object ? '}' : ']'))
        return expected(plain, object ? "a name in double quotes after ',' (JSON allows no trailing comma)"
                                      : "a value after ',' (JSON allows no trailing comma)");
    node->count++;
    if (object && scan_key(plain, "a name in double quotes after ','") < 0)
        return -1;
    return scan_value(plain);
}

int json_plain_parse(struct json_parser *parser, struct error *err)
{
    struct plain plain = {.parser = parser, .err = err, .open = JSON_NONE};
    skip_space(&plain);
    int result = scan_value(&plain);
    while (result == 0 && plain.open != JSON_NONE) {
        /* A node opened just now is the innermost one and the last: it has nothing inside yet. */
        bool fresh = plain.open == parser->count - 1;
        result = fresh ? scan_first(&plain) : scan_next(&plain);
    }
    if (result < 0)
        return -1;
    skip_space(&plain);
    if (plain.at < parser->size)
        return expected(&plain, "the end after the document's value");
    return 0;
}
