/* Text of other encodings as UTF-8. */
#ifndef FIRTH_FILES_CHARSET_H
#define FIRTH_FILES_CHARSET_H

#include "connectors/files/input.h"

#include <stdbool.h>

enum files_charset {
    FILES_UTF8, /* as it is; a byte order mark stays, for whoever reads */
    FILES_UTF16LE,
    FILES_UTF16BE,
    FILES_LATIN1,
    FILES_WINDOWS1252,
    FILES_CHARSETS
};
extern const char *const files_charset_names[FILES_CHARSETS];

/* By one of its usual names, in whatever case ("utf8", "UTF-16", "iso-8859-1", "cp1252"); -1 with *err.
 * *ret_charset stays as it is for "utf-16", whose order the byte order mark tells: *ret_by_mark. */
int files_charset_parse(const char *name, enum files_charset *ret_charset, struct error *err);
/* What a text begins like: its byte order mark, the zeros of UTF-16, else UTF-8 if it is valid so far, else
 * Windows-1252. `whole`: the text ends here, and is not only cut off. */
enum files_charset files_charset_detect(const char *bytes, size_t size, bool whole);
/* Takes `raw`. Bytes that mean nothing become U+FFFD. */
struct files_input *files_charset_decode(struct files_input *raw, enum files_charset charset);

#endif
