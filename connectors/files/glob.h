/* Patterns of paths: `*` and `?` within a step, `**` across them, `[a-z]`, `{a,b}`, and `|` between whole
 * patterns. */
#ifndef FIRTH_FILES_GLOB_H
#define FIRTH_FILES_GLOB_H

#include "base/error.h"
#include "base/memory.h"

enum { FILES_GLOB_MAX = 1024, FILES_GLOB_ALTERNATIVES_MAX = 256 };

/* Does each bracket and brace of it close? Where one is meant as it is, it is written as a class: [{]. */
int files_glob_check(const char *pattern, struct error *err);
/* The pattern without braces and bars: as many as it stands for. NULL with *err. */
const char *const *files_glob_expand(const char *pattern, struct arena *arena, size_t *ret_count,
                                     struct error *err);
/* Of an expanded pattern. Never slower than the product of the lengths. */
bool files_glob_matches(const char *pattern, const char *path);
/* What every path that matches begins with. */
const char *files_glob_prefix(const char *pattern, struct arena *arena);

#endif
