/* How a file is to be read, or written: what the options of all file connectors come down to. */
#ifndef FIRTH_FILES_FORMAT_H
#define FIRTH_FILES_FORMAT_H

#include "firth/connector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum files_kind {
    FILES_ANY_KIND, /* by name and content */
    FILES_JSON_LINES,
    FILES_JSON, /* an object, objects one after the other, or an array of them */
    FILES_CSV,
    FILES_PARQUET,
    FILES_AVRO,
    FILES_KINDS
};
extern const char *const files_kind_names[FILES_KINDS];

enum files_compression {
    FILES_ANY_COMPRESSION, /* by the first bytes */
    FILES_PLAIN,
    FILES_GZIP,
    FILES_ZSTD,
    FILES_BZIP2,
    FILES_ZIP,
    FILES_COMPRESSIONS
};
extern const char *const files_compression_names[FILES_COMPRESSIONS];

enum files_header {
    FILES_HEADER_DETECTED,
    FILES_HEADER_FIRST, /* the first row names the columns */
    FILES_HEADER_NONE,  /* columns are f0, f1, … */
    FILES_HEADER_GIVEN,
};

enum { FILES_DETECTED = -1000, FILES_NONE = -1001 }; /* in a character's place */

struct files_csv {
    int delimiter, quote, escape; /* a character, FILES_DETECTED, or FILES_NONE (not the delimiter) */
    bool double_quote;            /* "" within quotes is one quote */
    enum files_header header;
    struct firth_strings names;      /* FILES_HEADER_GIVEN */
    int64_t skip_before, skip_after; /* rows before and after the header */
    struct firth_strings null_values, true_values, false_values;
    bool strings_are_never_null;
    bool skip_mismatched; /* rows with another number of fields than the header are left out */
};

struct files_format {
    enum files_kind kind;
    enum files_compression compression;
    const char *encoding; /* NULL: detected */
    struct files_csv csv;
    const char *const *members; /* of zip archives: expanded patterns, up to NULL; NULL: all */
    bool skip_bad;              /* records that cannot be read are left out, and counted */
    bool decimals_as_floats, doubles_as_text;
};

#define FILES_FORMAT_DEFAULT                                    \
    ((struct files_format){.csv = {.delimiter = FILES_DETECTED, \
                                   .quote = FILES_DETECTED,     \
                                   .escape = FILES_NONE,        \
                                   .double_quote = true}})

#endif
