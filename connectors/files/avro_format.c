#include "connectors/files/avro.h"
#include "connectors/files/reader.h"

#include <stdlib.h>

/* Avro's object container files: a header with the schema, then blocks of records, each behind its number of
 * records and its size and before a marker. A block stays in the window until its records are used up, so a
 * place is where the block begins, and how many of its records have been read. */

enum { MARKER = 16, NUMBERS = 20, HEADER_MAX = AVRO_SCHEMA_MAX + (1 << 20), EMPTY_MAX = 64 << 10 };

struct avro {
    struct arena arena;
    struct avro_type *type;
    struct avro_options options;
    enum avro_codec codec;
    char marker[MARKER];
    struct buffer unpacked, record;
    struct avro_bytes rest;     /* of the block that is read */
    int64_t left;               /* its records; 0: none is open */
    size_t size;                /* of the block, with what is around it: to be used up when it is done */
    uint64_t taken, done, skip; /* records: of this block; of those before; to be passed over, of the next */
};

static int broken(const char *why, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "it cannot be read as Avro: %s", why);
}

/* --- the header ------------------------------------------------------------------------------------------
 */

static bool take_text(struct avro_bytes *bytes, struct slice *ret_text)
{
    int64_t size;
    if (!avro_take_long(bytes, &size) || size < 0 || size > bytes->end - bytes->at)
        return false;
    *ret_text = (struct slice){bytes->at, (size_t)size};
    bytes->at += size;
    return true;
}

/* Names and texts, in blocks as every map: false if it is not whole, or none. */
static bool take_map(struct avro_bytes *bytes, struct slice *ret_schema, struct slice *ret_codec)
{
    int64_t count, size;
    struct slice name, value;
    for (;;) {
        if (!avro_take_long(bytes, &count) || (count < 0 && !avro_take_long(bytes, &size)) ||
            count == INT64_MIN)
            return false;
        if (count == 0)
            return true;
        for (int64_t i = count < 0 ? -count : count; i > 0; i--) {
            if (!take_text(bytes, &name) || !take_text(bytes, &value))
                return false;
            if (slice_is(name, "avro.schema"))
                *ret_schema = value;
            else if (slice_is(name, "avro.codec"))
                *ret_codec = value;
        }
    }
}

static int take_header(struct avro *self, struct files_window *window, struct error *err)
{
    struct slice rest = files_window_rest(window), schema, codec;
    if (rest.size < 4 || memcmp(rest.data, "Obj\1", 4) != 0)
        return broken("it does not begin as an Avro file does", err);
    for (size_t wanted = 64 << 10;; wanted *= 2) {
        if (files_window_want(window, wanted, err) < 0)
            return -1;
        rest = files_window_rest(window);
        struct avro_bytes bytes = {rest.data + 4, rest.data + rest.size};
        schema = codec = (struct slice){0};
        if (take_map(&bytes, &schema, &codec) && bytes.end - bytes.at >= MARKER) {
            memcpy(self->marker, bytes.at, MARKER);
            if (!schema.size)
                return broken("it has no schema", err);
            if (avro_codec_parse(codec, &self->codec, err) < 0 ||
                avro_schema_parse(schema, &self->arena, &self->type, err) < 0)
                return -1;
            files_window_take(window, (size_t)(bytes.at + MARKER - rest.data));
            return 0;
        }
        if (rest.size < wanted || wanted > HEADER_MAX)
            return broken("its header is not whole", err);
    }
}

static void format_close(void *self_)
{
    struct avro *self = self_;
    arena_done(&self->arena);
    buffer_done(&self->unpacked);
    buffer_done(&self->record);
    free(self);
}

static void *format_open(const struct files_format *format, struct firth_slice schema,
                         struct files_window *window, struct error *err)
{
    struct avro *self = mem_zalloc(sizeof *self);
    (void)schema;
    arena_init(&self->arena);
    buffer_init(&self->unpacked, AVRO_UNPACKED_MAX + 1);
    buffer_init(&self->record, FILES_RECORD_MAX);
    self->options.doubles_as_text = format->doubles_as_text;
    if (take_header(self, window, err) == 0)
        return self;
    format_close(self);
    return NULL;
}

/* --- blocks ----------------------------------------------------------------------------------------------
 */

static void end_block(struct avro *self, struct files_window *window)
{
    files_window_take(window, self->size);
    self->done += self->taken;
    self->taken = self->size = 0;
}

/* The next block that has records: 1, 0 at the end. */
static int begin_block(struct avro *self, struct files_window *window, struct error *err)
{
    int64_t count, size;
    end_block(self, window);
    if (files_window_want(window, NUMBERS, err) < 0)
        return -1;
    struct slice rest = files_window_rest(window);
    if (!rest.size)
        return 0;
    struct avro_bytes bytes = {rest.data, rest.data + rest.size};
    if (!avro_take_long(&bytes, &count) || !avro_take_long(&bytes, &size) || count < 0 || size < 0)
        return broken("a block does not begin as one", err);
    if (size > AVRO_BLOCK_MAX - NUMBERS - MARKER)
        return error_set(err, ERROR_LIMIT, "a block of the Avro file is larger than %d MiB",
                         AVRO_BLOCK_MAX >> 20);
    size_t before = (size_t)(bytes.at - rest.data);
    if (files_window_want(window, before + (size_t)size + MARKER, err) < 0)
        return -1;
    rest = files_window_rest(window);
    if (rest.size < before + (size_t)size + MARKER)
        return broken("its last block is not whole", err);
    if (memcmp(rest.data + before + size, self->marker, MARKER) != 0)
        return broken("a block does not end as one", err);
    struct slice unpacked;
    if (avro_unpack(self->codec, (struct slice){rest.data + before, (size_t)size}, &self->unpacked, &unpacked,
                    err) < 0)
        return -1;
    if ((uint64_t)count > unpacked.size + (uint64_t)EMPTY_MAX)
        return broken("a block says that it has more records than bytes", err);
    self->rest = (struct avro_bytes){unpacked.data, unpacked.data + unpacked.size};
    self->left = count;
    self->size = before + (size_t)size + MARKER;
    return 1;
}

static int take_record(struct avro *self, struct error *err)
{
    buffer_clear(&self->record);
    if (avro_put_value(self->type, &self->options, &self->rest, &self->record, err) < 0)
        return -1;
    self->left--;
    self->taken++;
    if (self->left == 0 && self->rest.at != self->rest.end)
        return broken("a block has bytes behind its last record", err);
    return 1;
}

static int format_next(void *self_, struct files_window *window, struct slice *ret_json, bool *ret_bad,
                       struct error *err)
{
    struct avro *self = self_;
    (void)ret_bad; /* behind a record that cannot be read, nobody knows where the next one begins */
    for (;;) {
        while (self->left == 0) {
            int got = begin_block(self, window, err);
            if (got <= 0)
                return got;
        }
        if (take_record(self, err) < 0)
            return -1;
        if (self->skip == 0)
            break;
        self->skip--;
    }
    *ret_json = (struct slice){self->record.data, self->record.size};
    return 1;
}

static void format_place(const void *self_, struct files_place *place)
{
    const struct avro *self = self_;
    place->lines = self->done;
}

static void format_resume(void *self_, struct files_place place)
{
    struct avro *self = self_;
    self->done = place.lines;
    self->skip = place.records > place.lines ? place.records - place.lines : 0;
}

const struct files_text_format files_avro_format = {format_open, format_next, format_close, format_place,
                                                    format_resume};
