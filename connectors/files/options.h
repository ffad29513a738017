/* The options that file connectors share, in Airbyte's spelling (streams, format) and Estuary's (parser). */
#ifndef FIRTH_FILES_OPTIONS_H
#define FIRTH_FILES_OPTIONS_H

#include "base/error.h"
#include "connectors/files/source.h"

/* One of `streams`. */
struct files_stream_options {
    const char *name, *legacy_prefix, *input_schema, *primary_key, *validation_policy;
    struct firth_strings globs, members;
    int format; /* files_format_choices; -1: not given */
    const char *delimiter, *quote, *escape, *encoding;
    bool double_quote, strings_can_be_null, ignore_mismatch;
    int64_t skip_before, skip_after;
    int header; /* 0 from the file, 1 made up, 2 given */
    struct firth_strings column_names, null_values, true_values, false_values;
    bool schemaless, double_as_string, decimal_as_float;
    int bad_records; /* 0 fail, 1 skip */
    int64_t sample_files, history_days;
};
extern const struct firth_option files_stream_fields[];

/* Estuary's `parser`. */
struct files_parser_options {
    int compression; /* none given: -1 */
    int type;
    const char *delimiter, *quote, *escape, *encoding, *line_ending;
    struct firth_strings headers;
    int64_t error_threshold;
};
/* The members of `parser`, in a config that has a struct files_parser_options at this offset. */
#define FILES_PARSER_OFFSET(config, field, member) \
    (offsetof(struct config, field) + offsetof(struct files_parser_options, member))

int files_stream_of_options(const struct files_stream_options *options, const char *prefix,
                            struct arena *arena, struct files_stream *ret_stream, struct error *err);
int files_format_of_parser(const struct files_parser_options *options, struct files_format *ret_format,
                           struct error *err);
/* "," or "\t" or "tab"; "" is FILES_NONE, NULL FILES_DETECTED. */
int files_character(const char *text, const char *what, int *ret_character, struct error *err);

#endif
