/* Errors as values.
 *
 * Three kinds of failure are never mixed: a bug is assert(); the world's failure and the user's
 * mistake are a struct error that the callee fills and every caller on the way up may give context.
 * Library code returns errors and never logs them; the task, the request or the command logs once.
 *
 * Functions that can fail return int (0, or -1 with *err set) or a pointer (NULL with *err set). On
 * success *err is untouched. `err` is never NULL.
 *
 * Message style: what failed, the value, where, what would be right; lower case, no full stop, no
 * secrets. Memory exhaustion is not an error: see memory.h. */
#ifndef FIRTH_BASE_ERROR_H
#define FIRTH_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum error_code {
    ERROR_NONE = 0,
    ERROR_INVALID,     /* what a person or a peer gave is wrong: config, catalog, document, argument */
    ERROR_NOT_FOUND,   /* a named thing does not exist */
    ERROR_LIMIT,       /* a stated limit was exceeded */
    ERROR_IO,          /* the operating system refused: disk, pipe, network */
    ERROR_CORRUPT,     /* stored bytes are not what was written */
    ERROR_BUSY,        /* somebody else holds it: a lock, a fence */
    ERROR_PROTOCOL,    /* a connector or a client broke its protocol */
    ERROR_CONNECTOR,   /* a connector reported a failure or died */
    ERROR_UNSUPPORTED, /* valid, but not by this program or version */
    ERROR_CANCELLED,   /* we were asked to stop */
    ERROR_FULL,        /* no room on the disk for what Firth knows of itself */
    ERROR_CODE_MAX
};

enum { ERROR_MESSAGE_MAX = 4096 };

struct error {
    enum error_code code;
    bool retriable; /* the same act may succeed later without anybody changing anything */
    char message[ERROR_MESSAGE_MAX];
};

/* Set *err; always returns -1 so that `return error_set(...)` reads well. IO errors and full disks are
 * retriable by default.
 */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* As error_set, with ": <strerror(errno_value)>" appended; code ERROR_IO (ENOENT: ERROR_NOT_FOUND). */
int error_errno(struct error *err, int errno_value, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Put context before the message: "<context>: <message>". Returns -1. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/* The analyzer looks at one file at a time, and would think that a failure may go on as success. */
#ifdef __clang_analyzer__
#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_errno(...) (error_errno(__VA_ARGS__), -1)
#define error_wrap(...) (error_wrap(__VA_ARGS__), -1)
#endif

/* What others had a part in (a connector's words, a stream's name) made safe to show and to keep, as
 * text_append_printable_lines of buffer.h does it. Safe to do twice. */
void error_make_printable(struct error *err);

/* "invalid", "io", …: stable, for machines. */
const char *error_code_name(enum error_code code);
/* The code of a name; ERROR_IO for one that is unknown. */
enum error_code error_code_parse(const char *name);

#endif
