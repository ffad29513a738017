/* What filters and methods of texts share. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_TEXT_TOOLS_H
#define FIRTH_DECLARATIVE_TEMPLATE_TEXT_TOOLS_H

#include "run.h"

/* str.replace; a count below 0 is all. */
int text_replace(struct run *run, struct slice text, struct slice old, struct slice with, int64_t count,
                 struct tvalue *ret_value);
enum text_padding { TEXT_LEFT, TEXT_RIGHT, TEXT_CENTER };
int text_pad(struct run *run, struct slice text, int64_t width, struct slice with, enum text_padding where,
             struct tvalue *ret_value);
/* The line that begins at a byte: where it ends, and where the next begins. Python's line ends. */
void text_line(struct slice text, size_t at, size_t *ret_end, size_t *ret_next);
/* urllib.parse.quote: what is neither a letter, a digit, one of _.-~ nor one of `keep` becomes %XX. */
void text_quote(struct ttext *out, struct slice text, const char *keep, bool plus);
/* str.split; the separator NULL for white space, a count below 0 for all. */
int text_split(struct run *run, struct slice text, const struct slice *separator, int64_t count,
               bool from_right, struct tvalue *ret_list);
void text_base64(struct ttext *out, struct slice bytes);
/* base64.b64decode: what is no digit of base 64 is passed over; false if the padding is wrong. */
bool text_base64_decode(struct ttext *out, struct slice text);

#endif
