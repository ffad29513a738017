/* What a decoder is made of; private to this folder. */
#ifndef FIRTH_DECLARATIVE_RECORD_DECODE_H
#define FIRTH_DECLARATIVE_RECORD_DECODE_H

#include "decoder.h"
#include "transform.h"

enum { DECODER_PIECE = 64 << 10 }; /* bytes read at once */

/* Where bytes come from. */
struct byte_source {
    int64_t (*read)(void *self, char *bytes, size_t size, struct error *err); /* 0: the end; -1 */
    void *self;
};
/* Of bytes that are there; `rest` shrinks. */
struct byte_source byte_source_of(struct slice *rest);
/* Everything, into the buffer, which has a maximum. */
int byte_source_all(const struct byte_source *source, struct buffer *out, struct error *err);

/* gzip, any number of members, packed any number of times up to DECODER_NESTING_MAX; what is not gzip comes
 * as it is. */
struct gunzip;
struct gunzip *gunzip_new(struct byte_source source);
void gunzip_free(struct gunzip *gunzip);
struct byte_source gunzip_source(struct gunzip *gunzip);

/* Text in an encoding of Python's names, as UTF-8. Line ends become '\n', as in a text file of Python's. */
struct recode;
struct recode *recode_new(struct byte_source source, struct slice encoding, struct error *err);
/* What is not in the encoding is U+FFFD, and no error. */
void recode_replace(struct recode *recode);
void recode_free(struct recode *recode);
struct byte_source recode_source(struct recode *recode);

/* Lines of a source, without their '\n'. The line lives until the call after the next. */
struct lines;
struct lines *lines_new(struct byte_source source);
void lines_free(struct lines *lines);
int decoded_lines_next(struct lines *lines, struct slice *ret_line,
                       struct error *err); /* 1, 0: the end, -1 */

/* Rows of CSV, as Python's csv.reader with its default dialect has them: a list of cells each, in the arena.
 * An empty line is a row without cells. */
struct csv_rows;
struct csv_rows *csv_rows_new(struct byte_source source);
void csv_rows_free(struct csv_rows *rows);
int csv_rows_next(struct csv_rows *rows, char delimiter, struct arena *arena, struct tlist *row,
                  struct error *err); /* 1, 0: the end, -1 */

struct decoder_class;
/* What is said once for all answers of a stream. */
struct decoder_said {
    bool mended;
};
struct decoder {
    const struct decoder_class *class;
    struct engine *engine;
    struct component where;
    const struct decoder *inner; /* of archives */
    struct slice encoding;
    char delimiter;
    struct tvalue none_values; /* CSV: a list, or none */
    struct path items_path;    /* JSON items */
    bool keeps_na;             /* tables: "NA" and the like are text */
    struct decoder_said *said;
};

/* What a selector makes of the documents: as long as the decoding. */
struct decoding_records {
    struct arena arenas[2], scratch;
    struct record given[2];
    unsigned turn;
};

struct decoding {
    const struct decoder *decoder;
    const struct answer *answer; /* whose body it is */
    struct byte_source source;
    struct slice whole; /* data NULL: only the source has it */
    struct arena rings[2];
    unsigned turn;
    void *state;
    bool has_first;
    struct tvalue first; /* where documents are kept */
    struct decoding_records records;
};

struct decoder_class {
    const char *type_name;
    bool is_stream;
    bool keeps; /* its documents live as long as the decoding */
    int (*compile)(struct engine *engine, struct decoder *decoder, struct error *err); /* NULL: nothing */
    int (*begin)(struct decoding *decoding, struct error *err);
    int (*next)(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                struct error *err);
    void (*end)(struct decoding *decoding); /* also after a begin that failed */
};
extern const struct decoder_class decoder_json;       /* json.c */
extern const struct decoder_class decoder_json_items; /* json.c */
extern const struct decoder_class decoder_jsonl;      /* lines.c */
extern const struct decoder_class decoder_iterable;   /* lines.c */
extern const struct decoder_class decoder_csv;        /* csv.c */
extern const struct decoder_class decoder_table;      /* table.c */
extern const struct decoder_class decoder_xml;        /* xml.c */
extern const struct decoder_class decoder_gzip;       /* gzip.c */
extern const struct decoder_class decoder_zip;        /* zip.c */

/* A decoding of bytes that come from elsewhere. `whole` may have no data. */
int decoding_open(const struct decoder *decoder, const struct answer *answer, struct byte_source source,
                  struct slice whole, struct decoding **ret_decoding, struct error *err);
/* The next document; what is wrong does not name the answer. */
int decoding_step(struct decoding *decoding, struct tvalue *ret_document, struct error *err);
/* A parser of JSON as APIs send it: what Python reads beside JSON is mended, and the last member of a name
 * counts.
 */
struct json_parser *decoding_json_parser(uint32_t size_max);
/* Nothing but what JSON may have around a value. */
bool decoding_is_blank(struct slice text);
/* If the document was mended: say so, once for a stream. `line` counts from 1; 0: the answer is one document.
 */
void decoding_say_mended(const struct decoding *decoding, const struct json *doc, uint64_t line);
/* All bytes, kept in `buffer` unless they are somewhere already. */
int decoding_bytes(struct decoding *decoding, struct buffer *buffer, struct slice *ret_bytes,
                   struct error *err);

#endif
