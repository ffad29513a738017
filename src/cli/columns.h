/* Text on a terminal: how many columns it takes, where to cut it. */
#ifndef FIRTH_CLI_COLUMNS_H
#define FIRTH_CLI_COLUMNS_H

#include "base/buffer.h"

/* Columns of a UTF-8 text without control characters: 2 for wide characters, 0 for combining ones. Bytes
 * that are not UTF-8 count 1 each. */
size_t text_columns(const char *text, size_t size);
/* Bytes of the longest prefix that takes at most max_columns. */
size_t text_cut_columns(const char *text, size_t size, size_t max_columns);
/* "0.3 s", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
void text_duration(uint64_t ms, char *text, size_t size);

#endif
