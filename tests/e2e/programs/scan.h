/* Just enough JSON for connectors that start in a millisecond, thousands of times in a run of the tests: what
 * comes from Firth is known to be JSON, so values are found by skipping others, and written again with
 * Python's separators. A value is a pointer to its first byte; NULL is "there is none". */
#ifndef FIRTH_TESTS_SCAN_H
#define FIRTH_TESTS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct text {
    char *data; /* NUL-terminated besides */
    size_t size;
};

/* Says why on stderr and exits 1, as an uncaught error of Python's does. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The whole of a file, NUL-terminated. */
char *read_all(const char *path);
/* The value that a text has: behind white space. */
const char *scan_start(const char *text);
/* Behind the value. */
const char *scan_end(const char *value);
/* The first key of an object, or the first element of an array, and the one after it; NULL at the end. */
const char *scan_first(const char *container);
const char *scan_next(const char *element);
/* The value of a key. */
const char *scan_value(const char *key);
bool scan_is(const char *string, const char *text);
const char *scan_get(const char *object, const char *name);
/* The same, which has to be there. */
const char *scan_need(const char *object, const char *name);
long long scan_integer(const char *value);
struct text scan_text(const char *string);

/* The value as Python's json.dumps separates it. */
void scan_write(FILE *out, const char *value);
/* The same with `by` in the place that the names lead to, the last of which may be new. */
void scan_write_with(FILE *out, const char *value, const char *const *names, const char *by);

#endif
