/* The values of "format" that are asserted, on request: is a string of that form?
 *
 * Written out by hand and without allocation, but for two: regex compiles the pattern, and labels of host
 * names that are not ASCII (or are Punycode) go through libidn2. Texts are valid UTF-8 and may hold NULs. */
#ifndef FIRTH_SCHEMA_FORMAT_FORMAT_H
#define FIRTH_SCHEMA_FORMAT_FORMAT_H

#include "base/text.h"

/* FORMAT_NONE is every name that is not here: no string is refused. */
enum format {
    FORMAT_NONE,
    FORMAT_DATE,
    FORMAT_TIME,
    FORMAT_DATE_TIME,
    FORMAT_DURATION,
    FORMAT_EMAIL,
    FORMAT_IDN_EMAIL,
    FORMAT_HOSTNAME,
    FORMAT_IDN_HOSTNAME,
    FORMAT_IPV4,
    FORMAT_IPV6,
    FORMAT_URI,
    FORMAT_URI_REFERENCE,
    FORMAT_IRI,
    FORMAT_IRI_REFERENCE,
    FORMAT_URI_TEMPLATE,
    FORMAT_UUID,
    FORMAT_JSON_POINTER,
    FORMAT_RELATIVE_JSON_POINTER,
    FORMAT_REGEX,
    /* Flow's own: numbers in strings, and what its connectors emit */
    FORMAT_INTEGER,
    FORMAT_NUMBER,
    FORMAT_MACADDR,
    FORMAT_MACADDR8,
    FORMAT_SHA256,
    FORMAT_MAX
};

/* The format of that name ("date-time"), or FORMAT_NONE. Flow's other names for some (datetime, uint32,
 * uint64) too. */
enum format format_find(struct slice name);
const char *format_name(enum format format);
/* A string of that form, for people. */
const char *format_example(enum format format);
bool format_check(enum format format, struct slice text);

#endif
