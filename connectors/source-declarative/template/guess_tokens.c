#include "guess.h"

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= 9 && byte <= 13) || (byte >= 0x1c && byte <= 0x1f);
}

static size_t count_of(struct slice text, char byte)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == byte;
    return count;
}

static bool add(struct guess_tokens *tokens, const char *from, const char *to)
{
    if (from == to)
        return true;
    if (tokens->count == GUESS_TOKENS_MAX)
        return false;
    tokens->items[tokens->count++] = (struct slice){from, (size_t)(to - from)};
    return true;
}

/* A run of letters and dots, or of digits and dots, which may be several tokens: "Sep.20.2009". */
static bool add_run(struct guess_tokens *tokens, char *from, char *to, bool dotted, bool ends_in_number,
                    bool letters)
{
    struct slice run = {from, (size_t)(to - from)};
    if (dotted && (letters || count_of(run, '.') > 1 || to[-1] == '.' || to[-1] == ',')) {
        char *begin = from;
        for (char *at = from; at < to; at++) {
            if (*at != '.' && *at != ',')
                continue;
            if (!add(tokens, begin, at) || !add(tokens, at, at + 1))
                return false;
            begin = at + 1;
        }
        return add(tokens, begin, to);
    }
    for (char *at = from; dotted && ends_in_number && count_of(run, '.') == 0 && at < to; at++) {
        if (*at == ',')
            *at = '.';
    }
    return add(tokens, from, to);
}

bool guess_split(struct guess_tokens *tokens, struct slice text)
{
    *tokens = (struct guess_tokens){0};
    if (text.size > DATETIME_GUESS_MAX || memchr(text.data, 0, text.size))
        return false;
    memcpy(tokens->text, text.data, text.size);
    char *at = tokens->text;
    while (*at) {
        char *from = at;
        bool number = is_digit(*at), dotted = false, letters = false;
        if (!number && !is_letter(*at)) {
            if (is_blank(*at))
                *at = ' ';
            at++;
            if (!add(tokens, from, at))
                return false;
            continue;
        }
        for (at++; *at; at++) {
            letters |= !number;
            bool after_dot = dotted && at[-1] == '.';
            if (number ? is_digit(*at) : is_letter(*at))
                continue;
            if (*at == '.' || (number && !dotted && *at == ',' && at - from >= 2))
                dotted = true;
            else if (after_dot && (number ? is_letter(*at) : is_digit(*at)))
                number = !number;
            else
                break;
        }
        if (!add_run(tokens, from, at, dotted, number, letters))
            return false;
    }
    return true;
}
