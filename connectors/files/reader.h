/* A file's records, one after the other: JSON objects, whatever the file is. */
#ifndef FIRTH_FILES_READER_H
#define FIRTH_FILES_READER_H

#include "connectors/files/charset.h"
#include "connectors/files/decompress.h"
#include "connectors/files/format.h"
#include "connectors/files/window.h"
#include "json/json.h"

/* Where in a file reading can go on. All zero: at its beginning. */
struct files_place {
    uint64_t records; /* read so far, those that were skipped too */
    uint64_t bytes;   /* of the text, decompressed and as UTF-8; of Parquet: nothing */
    uint64_t lines;   /* ended so far; of Avro: records before the block that begins at `bytes` */
    /* Of an archive: members that are done, and their records. `bytes` and `lines` are then of the next one.
     */
    uint64_t member, before;
};

/* The bytes of the file, from `offset` on; may be called more than once. */
struct files_opener {
    struct files_input *(*open)(void *context, uint64_t offset, struct error *err);
    /* As a file of the machine, whole: its path lives until the context's owner drops it. NULL with *err. */
    const char *(*local)(void *context, struct error *err);
    void *context;
    const char *name; /* of the file: for its ending */
    bool is_member;   /* of an archive */
};

/* What a column's values become. */
struct files_columns {
    struct firth_slice schema; /* JSON Schema whose types texts are read as; size 0: by what they look like */
};

struct files_record {
    struct slice json; /* an object; lives until the next call */
    uint64_t number;   /* in the file, from 0 */
};

struct files_reader;

/* Told of each record that is left out (format.skip_bad). */
typedef void files_skipped_fn(void *context, const struct error *why);

struct files_reader *files_reader_open(const struct files_opener *opener, const struct files_format *format,
                                       struct firth_slice schema, struct files_place place,
                                       files_skipped_fn *skipped, void *context, struct error *err);
/* 1, 0 at the end, -1. */
int files_reader_next(struct files_reader *reader, struct files_record *ret_record, struct error *err);
/* Behind the record that was given last. */
struct files_place files_reader_place(const struct files_reader *reader);
/* The encoding, if it is not UTF-8 and nobody has said what it is; else NULL. Of an archive: that of the
 * record that was given last. */
const char *files_reader_guessed(const struct files_reader *reader);
enum files_kind files_reader_kind(const struct files_reader *reader);
void files_reader_close(struct files_reader *reader); /* NULL is allowed */
MEM_DEFINE_CLEANUP(struct files_reader *, files_reader_close);

/* What a name's ending says, that of a compression left out. */
enum files_kind files_kind_of_name(const char *name);

/* --- between the reader and its formats ------------------------------------------------------------------
 */

/* A format that reads bytes as they come: text as UTF-8, or Avro. `self` is the format's own. */
struct files_text_format {
    /* At the beginning of the text: `window` holds its head. */
    void *(*open)(const struct files_format *format, struct firth_slice schema, struct files_window *window,
                  struct error *err);
    /* The next record: 1; 0 at the end; -1, and where *ret_bad is set, the one after it can be had. */
    int (*next)(void *self, struct files_window *window, struct slice *ret_json, bool *ret_bad,
                struct error *err);
    void (*close)(void *self);
    /* Of a format whose records come in blocks; else NULL. The window stands where the block begins: what a
     * place needs besides, and going on from such a place. */
    void (*place)(const void *self, struct files_place *place);
    void (*resume)(void *self, struct files_place place);
};
extern const struct files_text_format files_lines_format, files_values_format, files_csv_format,
    files_avro_format;

/* Other formats: they keep their own place, by records. */
struct files_other_format {
    void *(*open)(const struct files_opener *opener, const struct files_format *format, uint64_t skip,
                  struct error *err);
    int (*next)(void *self, struct slice *ret_json, struct error *err);
    void (*close)(void *self);
};
extern const struct files_other_format files_parquet_format;

#endif
