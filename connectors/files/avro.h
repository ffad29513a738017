/* Avro: a file's schema as a tree of types, and its binary values as JSON. */
#ifndef FIRTH_FILES_AVRO_H
#define FIRTH_FILES_AVRO_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AVRO_DEPTH_MAX = 64,          /* of types and of values within one another */
    AVRO_SCHEMA_MAX = 16 << 20,   /* bytes of a schema's text */
    AVRO_TYPES_MAX = 100 * 1000,  /* types in a schema */
    AVRO_DECIMAL_MAX = 1024,      /* bytes of a decimal's digits */
    AVRO_BLOCK_MAX = 64 << 20,    /* bytes of a block in the file */
    AVRO_UNPACKED_MAX = 256 << 20 /* and decompressed */
};

enum avro_kind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED
};

/* What a value means beside what it is. One that does not fit its type is ignored, as Avro wants it. */
enum avro_logical {
    AVRO_PLAIN,
    AVRO_DECIMAL,
    AVRO_UUID,
    AVRO_DATE,
    AVRO_TIME,            /* of a day; `scale`: how many to the second, as digits */
    AVRO_TIMESTAMP,       /* in UTC; the same */
    AVRO_LOCAL_TIMESTAMP, /* of no zone; the same */
    AVRO_DURATION,
};

struct avro_type {
    enum avro_kind kind;
    enum avro_logical logical;
    int scale;                /* digits behind the point */
    size_t size;              /* of a fixed */
    struct slice *names;      /* fields of a record; symbols of an enum. Fields: as JSON, `"name":` */
    struct avro_type **inner; /* of a record's fields, a union's branches; one of an array or a map */
    size_t count;
};

/* The types live in the arena. */
int avro_schema_parse(struct slice text, struct arena *arena, struct avro_type **ret_type, struct error *err);

/* --- binary ----------------------------------------------------------------------------------------------
 */

/* Bytes that are read from their beginning. */
struct avro_bytes {
    const char *at, *end;
};

/* A whole number as Avro writes it, zigzag and in sevens; false if there is none. */
bool avro_take_long(struct avro_bytes *bytes, int64_t *ret_value);

struct avro_options {
    bool doubles_as_text;
};

/* A value as JSON behind *out; `out` has a maximum, past which the value is too large. Bytes are base64,
 * decimals texts of all their digits, times RFC 3339; NaN and infinities are null. */
int avro_put_value(const struct avro_type *type, const struct avro_options *options, struct avro_bytes *bytes,
                   struct buffer *out, struct error *err);

/* --- codecs ----------------------------------------------------------------------------------------------
 */

enum avro_codec {
    AVRO_CODEC_NULL,
    AVRO_CODEC_DEFLATE,
    AVRO_CODEC_SNAPPY,
    AVRO_CODEC_ZSTANDARD,
    AVRO_CODEC_BZIP2
};

int avro_codec_parse(struct slice name, enum avro_codec *ret_codec, struct error *err);
/* A block's bytes, decompressed: *ret_bytes is `packed` itself or lies in `room`. */
int avro_unpack(enum avro_codec codec, struct slice packed, struct buffer *room, struct slice *ret_bytes,
                struct error *err);

#endif
