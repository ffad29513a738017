/* What the destinations of files have in common: rows into files, files seen whole, old ones removed after
 * new ones are there, and, for a task without an end, each document once. */
#ifndef FIRTH_FILES_DESTINATION_H
#define FIRTH_FILES_DESTINATION_H

#include "connectors/files/format.h"
#include "connectors/files/target.h"
#include "firth/connector.h"

struct files_output {
    struct files_target *target; /* owned by the session */
    const char *place;           /* of it, for messages: "s3://bucket/prefix", "/tmp/out" */
    const char *template;        /* names.h */
    enum files_kind kind;        /* FILES_JSON_LINES, FILES_CSV or FILES_PARQUET */
    enum files_compression compression;
    const char *codec; /* of Parquet */
    bool flattened;    /* records' fields beside the _airbyte_ ones, not in _airbyte_data */
};

/* What every destination of files hangs on. */
struct files_destination {
    int (*output)(struct firth_host *host, const void *config, struct files_output *ret_output,
                  struct firth_error *err);
};

/* The functions of a struct firth_destination, for a class whose family is a struct files_destination. */
int files_destination_check(struct firth_host *host, const void *config, struct firth_error *err);
int files_destination_apply(struct firth_host *host, const void *config, const struct firth_target *targets,
                            size_t count, struct firth_error *err);
int files_destination_open(struct firth_host *host, const void *config, struct firth_target *targets,
                           size_t count, void **ret_self, struct firth_error *err);
int files_destination_checkpoint(void *self, struct firth_host *host, struct firth_slice *ret_checkpoint,
                                 struct firth_error *err);
int files_destination_store(void *self, struct firth_host *host, size_t stream,
                            const struct firth_record *record, struct firth_error *err);
int files_destination_commit(void *self, struct firth_host *host, const struct firth_commit *commit,
                             struct firth_error *err);
int files_destination_finish(void *self, struct firth_host *host, size_t stream, bool complete,
                             struct firth_error *err);
void files_destination_close(void *self);

/* --- rows (rows.c) ---------------------------------------------------------------------------------------
 */

struct files_rows; /* how the records of one stream become lines */
struct files_rows *files_rows_new(const struct files_output *output, const struct firth_target *target,
                                  struct error *err);
void files_rows_free(struct files_rows *rows);
/* What a file begins with: a CSV header, or what firth-parquet has to know. */
struct slice files_rows_head(const struct files_rows *rows);
void files_rows_put(struct files_rows *rows, struct firth_host *host, const struct firth_record *record,
                    struct buffer *out);

/* The options that say how files are written, in Airbyte's spelling. */
struct files_output_options {
    int format, compression, flattening, codec;
    int64_t commit_seconds, commit_megabytes;
};
/* Of a config that begins with files_output_options. */
void files_destination_pace(const void *config, struct firth_pace *ret_pace);
#define FILES_PACE_OPTIONS                                                                                  \
    {.name = "commit_interval",                                                                             \
     .type = FIRTH_INTEGER,                                                                                 \
     .offset = offsetof(struct files_output_options, commit_seconds),                                       \
     .preset = "600",                                                                                       \
     .minimum = "1",                                                                                        \
     .maximum = "86400",                                                                                    \
     .title = "Commit Interval",                                                                            \
     .help = "In a connection: after so many seconds at most the files that are being written are ended, "  \
             "and seen. "                                                                                   \
             "Firth's own option."},                                                                        \
    {                                                                                                       \
        .name = "commit_size", .type = FIRTH_INTEGER,                                                       \
        .offset = offsetof(struct files_output_options, commit_megabytes), .preset = "256", .minimum = "1", \
        .maximum = "100000", .title = "Commit Size",                                                        \
        .help =                                                                                             \
            "And after so many megabytes of records at most, of all streams together. Firth's own option."  \
    }
extern const struct firth_choice
    files_output_formats[]; /* of a config that begins with files_output_options */
int files_output_take(const struct files_output_options *options, struct files_output *output,
                      struct error *err);

#endif
