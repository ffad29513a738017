/* A command given as one text. */
#ifndef FIRTH_CLI_WORDS_H
#define FIRTH_CLI_WORDS_H

#include "base/error.h"
#include "base/memory.h"

enum { WORDS_MAX = 256 };

/* Words as a shell has them: blanks, quotes, backslashes; nothing is expanded. NULL-terminated, in the arena.
 * ERROR_INVALID names the option. */
int words_split(const char *option, const char *text, struct arena *arena, const char *const **ret_words,
                struct error *err);

#endif
