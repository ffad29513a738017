/* The words that the invented people and cars are made of. Each has a fixed width, so that copying one is two
 * moves of the processor, whatever its length. */
#ifndef FIRTH_SOURCE_FAKER_WORDS_H
#define FIRTH_SOURCE_FAKER_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 31 };

struct word {
    uint8_t size;
    char text[WORD_MAX];
};

struct words {
    const struct word *items;
    uint32_t count;
};

enum word_list {
    WORDS_FIRST,
    WORDS_FIRST_LOWER, /* the same in the same order, for addresses */
    WORDS_LAST,
    WORDS_LAST_LOWER,
    WORDS_TITLE,
    WORDS_GENDER,
    WORDS_LANGUAGE,
    WORDS_DEGREE,
    WORDS_NATIONALITY,
    WORDS_OCCUPATION,
    WORDS_BLOOD,
    WORDS_STREET,
    WORDS_STREET_KIND,
    WORDS_CITY,
    WORDS_REGION,
    WORDS_COUNTRY,
    WORDS_DOMAIN,
    WORDS_MAKE,
    WORDS_MODEL,
    WORD_LIST_COUNT
};

extern const struct words faker_words[WORD_LIST_COUNT];

/* Both write up to WORD_MAX bytes past `at` and return where the word ends. */
static inline char *word_put(char *at, const struct word *word)
{
    memcpy(at, word->text, WORD_MAX);
    return at + word->size;
}

#endif
