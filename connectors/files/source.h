/* What the sources of files have in common: streams of files, found by prefix and pattern, read one after the
 * other. A connector says which streams there are (files_plan_fn) and where the files lie (a files_storage).
 */
#ifndef FIRTH_FILES_SOURCE_H
#define FIRTH_FILES_SOURCE_H

#include "connectors/files/format.h"
#include "connectors/files/position.h"
#include "connectors/files/storage.h"
#include "firth/connector.h"
#include "schema/regex.h"

enum { FILES_SAMPLE_FILES = 10 }; /* whose first records tell a schema */

struct files_stream {
    const char *name;
    const char *const *prefixes; /* of the files' names, none the beginning of another, sorted */
    size_t prefix_count;
    const char *const *globs; /* expanded; none: all files below the prefixes */
    size_t glob_count;
    const char *match;    /* a regular expression that the whole name must have a match of; NULL: none */
    const char *location; /* what stands before a file's name in _meta/file: "bucket/", "" */
    bool ascending;       /* names only grow: what comes before the last is not looked at again */
    struct files_format format;
    struct firth_slice schema;      /* what records look like; size 0: found out */
    bool schemaless;                /* records are {"data": {…}} */
    const char *const *primary_key; /* pointers; NULL: none */
    int64_t sample_files;           /* 0: FILES_SAMPLE_FILES */
};

struct files_plan {
    struct files_storage *storage; /* owned */
    struct files_stream *streams;
    size_t count;
    int64_t start_ms;   /* files that were changed before are left out; INT64_MIN: none */
    struct arena arena; /* where the streams live */
};

/* What every source of files hangs on: fills *ret_plan, whose arena is ready, with the storage and the
 * streams that the config names. */
typedef int files_plan_fn(struct firth_host *host, const void *config, struct files_plan *ret_plan,
                          struct firth_error *err);
/* The stream of a name that the config does not list; false if there can be none. May be NULL. */
typedef bool files_find_fn(struct firth_host *host, const void *config, const char *name, struct arena *arena,
                           struct files_stream *ret_stream);

struct files_source {
    files_plan_fn *plan;
    files_find_fn *find;
};

/* The functions of a struct firth_source, for a class whose family is a struct files_source. */
int files_source_check(struct firth_host *host, const void *config, struct firth_error *err);
int files_source_discover(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                          struct firth_error *err);
int files_source_find(struct firth_host *host, const void *config, const char *name, const char *name_space,
                      struct firth_catalog *catalog, struct firth_error *err);
int files_source_open(struct firth_host *host, const void *config, const struct firth_selection *selection,
                      void **ret_self, struct firth_error *err);
int files_source_read(void *self, struct firth_host *host, struct firth_error *err);
void files_source_close(void *self);

/* Prefixes and expanded patterns of a stream from its globs, with `prefix` before each. None: all below
 * `prefix`. */
int files_stream_set_globs(struct files_stream *stream, const struct firth_strings *globs, const char *prefix,
                           struct arena *arena, struct error *err);

/* --- listing a stream ------------------------------------------------------------------------------------
 */

struct files_search {
    struct files_storage *storage;
    const struct files_stream *stream;
    int64_t start_ms;
    size_t prefix; /* that is being listed */
    struct files_listing *listing;
    struct regex *match;
    struct regex_scratch *scratch;
    char *after;
};

int files_search_open(struct files_search *search, const struct files_plan *plan,
                      const struct files_stream *stream, const char *after, struct error *err);
/* The next file of the stream, in the order of names: 1, 0 at the end. It lives until the next call. */
int files_search_next(struct files_search *search, struct files_object *ret_object, struct error *err);
void files_search_done(struct files_search *search);

/* --- one file --------------------------------------------------------------------------------------------
 */

/* A file that is read: its reader, and what the reader opens. */
struct files_open_file {
    struct files_storage *storage;
    struct files_object object; /* owned */
    struct files_opener opener;
    struct files_reader *reader;
    int copy; /* a descriptor of its bytes, where they had to be fetched; -1: none */
    char *copy_path;
};

int files_open_file_init(struct files_open_file *file, struct files_storage *storage,
                         const struct files_object *object, const struct files_format *format,
                         struct firth_slice schema, struct files_place place, files_skipped_fn *skipped,
                         void *context, struct error *err);
void files_open_file_done(struct files_open_file *file);

/* --- schemas ---------------------------------------------------------------------------------------------
 */

/* Is the schema that the config gives one? */
int files_schema_check(const struct files_stream *stream, struct error *err);
/* The stream's JSON Schema as its protocol wants it, in the arena: the given one, or from a sample. Under
 * Flow, what every record has. */
int files_schema(struct firth_host *host, const struct files_plan *plan, const struct files_stream *stream,
                 bool sample, struct arena *arena, const char **ret_schema, struct error *err);

/* A record with its file: _meta under Flow, _ab_source_… under Airbyte. */
struct files_stamp {
    bool flow, schemaless;
    struct buffer before, after; /* what is put in around the number */
    const char *place;           /* the file, for _meta */
};
void files_stamp_init(struct files_stamp *stamp, bool flow, bool schemaless);
void files_stamp_done(struct files_stamp *stamp);
void files_stamp_file(struct files_stamp *stamp, const struct files_stream *stream,
                      const struct files_object *object);
void files_stamp_record(const struct files_stamp *stamp, const struct files_record *record,
                        struct buffer *out);

#endif
