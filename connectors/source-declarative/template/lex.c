#include "lex.h"

#include "big.h"
#include "digits.h"
#include "unicode.h"

enum { BRACKETS_MAX = 2 * TEMPLATE_NESTING_MAX };

struct lexer {
    const struct template *template;
    struct arena *arena;
    struct slice text;
    size_t at;
    struct token *tokens;
    size_t count, capacity;
    char closing[BRACKETS_MAX];
    uint32_t open;
    struct error *err;
};

static int fail(struct lexer *lexer, size_t at, const char *what)
{
    return template_error(lexer->template, (uint32_t)at, ERROR_INVALID, lexer->err, "%s", what);
}

static struct token *push(struct lexer *lexer, enum token_kind kind, size_t start, size_t end)
{
    if (lexer->count == lexer->capacity) {
        size_t capacity = lexer->capacity ? lexer->capacity * 2 : 16;
        struct token *tokens = arena_alloc(lexer->arena, capacity * sizeof *tokens);
        if (lexer->count)
            memcpy(tokens, lexer->tokens, lexer->count * sizeof *tokens);
        lexer->tokens = tokens;
        lexer->capacity = capacity;
    }
    struct token *token = &lexer->tokens[lexer->count++];
    *token = (struct token){
        .kind = kind, .offset = (uint32_t)start, .text = {lexer->text.data + start, end - start}};
    return token;
}

static bool at_text(const struct lexer *lexer, size_t at, const char *what)
{
    return slice_starts_with((struct slice){lexer->text.data + at, lexer->text.size - at}, what);
}

static size_t skip_space(const struct lexer *lexer, size_t at)
{
    size_t length;
    while (at < lexer->text.size &&
           unicode_is_space(utf8_decode(lexer->text.data + at, lexer->text.size - at, &length)))
        at += length;
    return at;
}

/* `word` at this place and then a tag's end, white space around: behind both, 0 if it is not there. */
static size_t skip_word_tag(const struct lexer *lexer, size_t at, const char *word, bool plus)
{
    at = skip_space(lexer, at);
    if (!at_text(lexer, at, word))
        return 0;
    at = skip_space(lexer, at + strlen(word));
    if (at_text(lexer, at, "-%}"))
        return skip_space(lexer, at + 3);
    if (plus && at_text(lexer, at, "+%}"))
        return at + 3;
    return at_text(lexer, at, "%}") ? at + 2 : 0;
}

static void push_data(struct lexer *lexer, size_t start, size_t end, bool strip)
{
    struct slice data = {lexer->text.data + start, end - start};
    if (strip)
        data = unicode_strip(data, NULL, false, true);
    if (data.size)
        push(lexer, TOKEN_DATA, start, start + data.size);
}

static bool strips(const struct lexer *lexer, size_t begin)
{
    return begin + 2 < lexer->text.size && lexer->text.data[begin + 2] == '-';
}

static size_t behind_sign(const struct lexer *lexer, size_t begin)
{
    char sign = begin + 2 < lexer->text.size ? lexer->text.data[begin + 2] : 0;
    return begin + 2 + (sign == '-' || sign == '+');
}

static int lex_comment(struct lexer *lexer, size_t begin)
{
    for (size_t at = behind_sign(lexer, begin); at < lexer->text.size; at++) {
        if (at_text(lexer, at, "-#}")) {
            lexer->at = skip_space(lexer, at + 3);
            return 0;
        }
        if (at_text(lexer, at, "#}")) {
            lexer->at = at + 2;
            return 0;
        }
    }
    return fail(lexer, begin, "a comment has no end; #} is missing");
}

static int lex_raw(struct lexer *lexer, size_t begin, size_t inside)
{
    for (size_t at = inside; at < lexer->text.size; at++) {
        if (!at_text(lexer, at, "{%"))
            continue;
        size_t end = skip_word_tag(lexer, behind_sign(lexer, at), "endraw", true);
        if (!end)
            continue;
        push_data(lexer, inside, at, strips(lexer, at));
        lexer->at = end;
        return 0;
    }
    return fail(lexer, begin, "a raw block has no end; {% endraw %} is missing");
}

/* --- inside tags --------------------------------------------------------------------------------- */

static bool is_digit(const struct lexer *lexer, size_t at)
{
    return at < lexer->text.size && lexer->text.data[at] >= '0' && lexer->text.data[at] <= '9';
}

/* Behind digits with single underscores between them. */
static size_t skip_digits(const struct lexer *lexer, size_t at)
{
    while (is_digit(lexer, at) ||
           (lexer->text.data[at] == '_' && is_digit(lexer, at + 1) && is_digit(lexer, at - 1)))
        at++;
    return at;
}

/* Behind a float that begins here; 0 if none does. */
static size_t skip_float(const struct lexer *lexer, size_t start)
{
    if (start > 0 && lexer->text.data[start - 1] == '.')
        return 0;
    size_t at = skip_digits(lexer, start), end = 0;
    if (at_text(lexer, at, ".") && is_digit(lexer, at + 1))
        end = at = skip_digits(lexer, at + 1);
    if (at < lexer->text.size && (lexer->text.data[at] | 32) == 'e') {
        size_t exponent = at + 1;
        exponent += at_text(lexer, exponent, "+") || at_text(lexer, exponent, "-");
        if (is_digit(lexer, exponent))
            end = skip_digits(lexer, exponent);
    }
    return end;
}

static bool is_digit_of(char byte, unsigned base)
{
    char lower = byte | 32;
    return base == 16 ? (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'f')
                      : byte >= '0' && byte < (char)('0' + base);
}

static size_t skip_integer(const struct lexer *lexer, size_t start)
{
    const char *text = lexer->text.data;
    size_t size = lexer->text.size, at = start;
    unsigned base = 10;
    if (text[at] == '0' && at + 1 < size) {
        char letter = text[at + 1] | 32;
        unsigned prefixed = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
        size_t first = at + 2 + (at + 2 < size && text[at + 2] == '_');
        if (prefixed && first < size && is_digit_of(text[first], prefixed)) {
            base = prefixed;
            at += 2;
        }
    }
    bool zeros = base == 10 && text[at] == '0';
    while (at < size) {
        size_t next = at + (text[at] == '_' && at + 1 < size);
        if (zeros ? text[next] != '0' : !is_digit_of(text[next], base))
            break;
        at = next + 1;
    }
    return at;
}

static struct slice without_underscores(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '_')
            copy[size++] = text.data[i];
    }
    return (struct slice){copy, size};
}

static int lex_number(struct lexer *lexer)
{
    size_t start = lexer->at, end = skip_float(lexer, start);
    struct tvalue value;
    bool is_float = end;
    if (!end)
        end = skip_integer(lexer, start);
    struct slice text =
        without_underscores(lexer->arena, (struct slice){lexer->text.data + start, end - start});
    if (is_float) {
        double number;
        if (!digits_to_float(text, &number))
            return fail(lexer, start, "a number is too long");
        value = tvalue_float(number);
    } else if (!digits_to_integer(lexer->arena, text, 0, &value)) {
        return fail(lexer, start, "a number is too long");
    }
    push(lexer, TOKEN_NUMBER, start, end)->value = value;
    lexer->at = end;
    return 0;
}

static int lex_string(struct lexer *lexer)
{
    size_t start = lexer->at, at = start + 1;
    char quote = lexer->text.data[start];
    while (at < lexer->text.size && lexer->text.data[at] != quote)
        at += lexer->text.data[at] == '\\' ? 2 : 1;
    if (at >= lexer->text.size)
        return fail(lexer, start, "a string has no end; its quote is missing");
    const char *wrong;
    struct slice inner = {lexer->text.data + start + 1, at - start - 1}, text;
    if (lex_unescape(lexer->arena, inner, false, true, &text, &wrong) < 0)
        return fail(lexer, start, wrong);
    push(lexer, TOKEN_STRING, start, at + 1)->value = tvalue_string(text);
    lexer->at = at + 1;
    return 0;
}

static int lex_name(struct lexer *lexer)
{
    size_t start = lexer->at, at = start, length;
    while (at < lexer->text.size) {
        uint32_t code = utf8_decode(lexer->text.data + at, lexer->text.size - at, &length);
        if (code != '_' && !unicode_is_alnum(code))
            break;
        at += length;
    }
    if (at == start)
        return fail(lexer, start, "a character stands where none of its kind can");
    push(lexer, TOKEN_NAME, start, at);
    lexer->at = at;
    return 0;
}

static int lex_operator(struct lexer *lexer)
{
    static const char *const TWO[] = {"//", "**", "==", "!=", ">=", "<="};
    size_t at = lexer->at;
    for (size_t i = 0; i < sizeof TWO / sizeof *TWO; i++) {
        if (at_text(lexer, at, TWO[i])) {
            push(lexer, TOKEN_OPERATOR, at, at + 2);
            lexer->at = at + 2;
            return 0;
        }
    }
    char byte = lexer->text.data[at];
    if (byte == '(' || byte == '[' || byte == '{') {
        if (lexer->open == BRACKETS_MAX)
            return fail(lexer, at, "brackets are nested too deeply");
        lexer->closing[lexer->open++] = byte == '(' ? ')' : byte == '[' ? ']' : '}';
    } else if (byte == ')' || byte == ']' || byte == '}') {
        if (lexer->open == 0 || lexer->closing[--lexer->open] != byte)
            return fail(lexer, at, "a bracket is closed that was not opened");
    }
    push(lexer, TOKEN_OPERATOR, at, at + 1);
    lexer->at = at + 1;
    return 0;
}

/* The end of a tag, if one is here: 1. Braces that are open are closed first. */
static bool lex_end(struct lexer *lexer, bool print)
{
    const char *end = print ? "}}" : "%}";
    size_t at = lexer->at;
    bool minus = at_text(lexer, at, "-"), plus = !print && at_text(lexer, at, "+");
    if (lexer->open || !at_text(lexer, at + (minus || plus), end))
        return false;
    size_t behind = at + (minus || plus) + 2;
    push(lexer, print ? TOKEN_PRINT_END : TOKEN_BLOCK_END, at, behind);
    lexer->at = minus ? skip_space(lexer, behind) : behind;
    return true;
}

static int lex_tag(struct lexer *lexer, bool print)
{
    size_t begin = lexer->at;
    push(lexer, print ? TOKEN_PRINT_BEGIN : TOKEN_BLOCK_BEGIN, begin, begin + 2);
    lexer->at = behind_sign(lexer, begin);
    lexer->open = 0;
    while (lexer->at < lexer->text.size) {
        if (lex_end(lexer, print))
            return 0;
        size_t next = skip_space(lexer, lexer->at);
        if (next != lexer->at) {
            lexer->at = next;
            continue;
        }
        char byte = lexer->text.data[lexer->at];
        int lexed;
        if (byte >= '0' && byte <= '9')
            lexed = lex_number(lexer);
        else if (byte == '"' || byte == '\'')
            lexed = lex_string(lexer);
        else if (byte && strchr("+-/*%~[](){}=!<>.:|,;", byte) &&
                 !(byte == '!' && !at_text(lexer, lexer->at, "!=")))
            lexed = lex_operator(lexer);
        else
            lexed = lex_name(lexer);
        if (lexed < 0)
            return -1;
    }
    return 0; /* the parser says what is missing */
}

int lex(const struct template *template, struct arena *arena, struct token **ret_tokens, struct error *err)
{
    struct lexer lexer = {.template = template, .arena = arena, .text = template->text, .err = err};
    size_t data = 0;
    while (lexer.at < lexer.text.size) {
        const char *brace = memchr(lexer.text.data + lexer.at, '{', lexer.text.size - lexer.at);
        if (!brace)
            break;
        size_t at = (size_t)(brace - lexer.text.data);
        char kind = at + 1 < lexer.text.size ? brace[1] : 0;
        if (kind != '{' && kind != '%' && kind != '#') {
            lexer.at = at + 1;
            continue;
        }
        push_data(&lexer, data, at, strips(&lexer, at));
        lexer.at = at;
        size_t raw = 0;
        if (kind == '%')
            raw = skip_word_tag(&lexer, behind_sign(&lexer, at), "raw", false);
        int lexed = raw           ? lex_raw(&lexer, at, raw)
                    : kind == '#' ? lex_comment(&lexer, at)
                                  : lex_tag(&lexer, kind == '{');
        if (lexed < 0)
            return -1;
        data = lexer.at;
    }
    if (data < lexer.text.size)
        push_data(&lexer, data, lexer.text.size, false);
    push(&lexer, TOKEN_END, lexer.text.size, lexer.text.size);
    *ret_tokens = lexer.tokens;
    return 0;
}
