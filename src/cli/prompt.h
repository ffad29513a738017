/* Questions on a terminal: text, secrets that are not shown, choices. Asked on standard error, answered on
 * standard input, a line each, with the terminal's own line editing; no escape codes but colours. */
#ifndef FIRTH_CLI_PROMPT_H
#define FIRTH_CLI_PROMPT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

enum {
    PROMPT_LINE_MAX = 1 << 20, /* bytes of one answer; more is asked for again */
    PROMPT_WIDTH = 78,
};

struct prompt {
    bool color;
    struct buffer input; /* read and not yet taken */
    bool ended;
};

void prompt_init(struct prompt *prompt, bool color);
void prompt_done(struct prompt *prompt); /* wipes what was read */

/* Text as it is; nothing from outside may be in it unchecked. */
void prompt_print(struct prompt *prompt, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from outside, made safe, in lines of PROMPT_WIDTH behind `indent` spaces. */
void prompt_paragraph(struct prompt *prompt, const char *text, size_t indent);
/* Bold, if there are colours; made safe. */
void prompt_title(struct prompt *prompt, const char *text, size_t indent);

/* One line, without blanks around it. `label` is made safe. -1: ERROR_CANCELLED, the input ended. */
int prompt_line(struct prompt *prompt, const char *label, struct buffer *ret_line, struct error *err);
/* The same, not shown as it is typed. Whatever ends us meanwhile, the terminal shows again what is typed.
 * Only the line end is taken away. */
int prompt_secret(struct prompt *prompt, const char *label, struct buffer *ret_line, struct error *err);
/* 1 yes, 0 no, -1 ended. */
int prompt_yes(struct prompt *prompt, const char *question, bool otherwise, struct error *err);
/* The number of the chosen one, from 0. `otherwise` is taken for an empty answer; PROMPT_NONE: there is none.
 * Numbers, names and beginnings of names are understood. */
#define PROMPT_NONE ((size_t)-1)
int prompt_choose(struct prompt *prompt, const char *const *choices, size_t count, size_t otherwise,
                  size_t *ret_choice, struct error *err);

/* Something takes long: a sign on the terminal that it goes on, by a thread of its own, until it is stopped.
 */
struct spinner;
struct spinner *spinner_start(const char *what, bool color);
void spinner_stop(struct spinner *spinner, bool well);

#endif
