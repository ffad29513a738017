/* What Python knows of characters (Unicode 14): case, white space, letters, and which ones repr() shows. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_UNICODE_H
#define FIRTH_DECLARATIVE_TEMPLATE_UNICODE_H

#include "value.h"

/* str.isspace, str.isprintable, str.isalpha, …, of one character. */
bool unicode_is_space(uint32_t code);
bool unicode_is_printable(uint32_t code);
bool unicode_is_alpha(uint32_t code);
/* Also what \w of regular expressions means, but for the underscore. */
bool unicode_is_alnum(uint32_t code);
bool unicode_is_digit(uint32_t code); /* str.isdecimal: 0 to 9 of any script */
bool unicode_is_upper(uint32_t code);
bool unicode_is_lower(uint32_t code);
bool unicode_is_title(uint32_t code);
bool unicode_is_cased(uint32_t code);

enum unicode_case { UNICODE_LOWER, UNICODE_UPPER, UNICODE_TITLE, UNICODE_FOLD };
/* Append one character in another case: up to three code points. */
void unicode_map(struct ttext *out, uint32_t code, enum unicode_case wanted);
/* str.lower, upper, capitalize, title, swapcase, casefold of a text. */
struct slice unicode_lower(struct arena *arena, struct slice text);
struct slice unicode_upper(struct arena *arena, struct slice text);
struct slice unicode_capitalize(struct arena *arena, struct slice text);
struct slice unicode_title(struct arena *arena, struct slice text);
struct slice unicode_swapcase(struct arena *arena, struct slice text);
struct slice unicode_casefold(struct arena *arena, struct slice text);

/* Code points of a text; the byte where the one at `position` begins (the size, past the end). */
size_t unicode_count(struct slice text);
size_t unicode_offset(struct slice text, size_t position);
/* The text without white space, or without the characters of `characters` (NULL: white space), at its ends.
 */
struct slice unicode_strip(struct slice text, const struct slice *characters, bool left, bool right);
/* The code point that ends before byte `end`, and where it begins. */
uint32_t unicode_before(struct slice text, size_t end, size_t *ret_start);

#endif
