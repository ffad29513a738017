#include "cli/words.h"

#include "base/buffer.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

int words_split(const char *option, const char *text, struct arena *arena, const char *const **ret_words,
                struct error *err)
{
    const char **words = arena_zalloc(arena, (WORDS_MAX + 1) * sizeof *words);
    struct buffer word;
    size_t count = 0;
    char quote = 0;
    bool begun = false;
    buffer_init(&word, BUFFER_UNLIMITED);
    for (const char *at = text;; at++) {
        if (begun && (!*at || (is_blank(*at) && !quote))) {
            if (count == WORDS_MAX || quote) {
                buffer_done(&word);
                return error_set(err, ERROR_INVALID,
                                 quote ? "%s has a quote that is not closed" : "%s has too many words",
                                 option);
            }
            words[count++] = arena_strdup(arena, buffer_cstr(&word));
            buffer_clear(&word);
            begun = false;
        }
        if (!*at)
            break;
        if (is_blank(*at) && !quote)
            continue;
        begun = true;
        if (quote ? *at == quote : *at == '\'' || *at == '"')
            quote = quote ? 0 : *at;
        else if (*at == '\\' && quote != '\'' && at[1])
            buffer_byte(&word, *++at);
        else
            buffer_byte(&word, *at);
    }
    buffer_done(&word);
    *ret_words = words;
    return count ? 0 : error_set(err, ERROR_INVALID, "%s is empty", option);
}
