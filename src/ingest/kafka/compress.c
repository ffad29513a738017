#include "ingest/kafka/compress.h"

#include "base/hash.h"
#include "base/library.h"
#include "ingest/decode.h"
#include "ingest/kafka/wire.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <stddef.h>

enum { CHUNK = 64 << 10 };

static int too_large(const struct buffer *out, struct error *err)
{
    return error_set(err, ERROR_LIMIT, "a batch is larger than %zu bytes when it is decoded", out->max);
}

static int broken(const char *name, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "a batch is not what its attributes say: %s", name);
}

/* --- snappy ------------------------------------------------------------------------------------------- */

struct snappy_api {
    typeof(snappy_uncompress) *uncompress;
    typeof(snappy_uncompressed_length) *uncompressed_length;
};

static int snappy_load(struct snappy_api *api, struct error *err)
{
    static const char *const NAMES[] = {"libsnappy.so.1", "libsnappy.1.dylib", "libsnappy.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        {"snappy_uncompress", offsetof(struct snappy_api, uncompress)},
        {"snappy_uncompressed_length", offsetof(struct snappy_api, uncompressed_length)}};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, api, err);
}

static int snappy_block(const struct snappy_api *api, struct slice in, struct buffer *out, struct error *err)
{
    size_t size;
    if (api->uncompressed_length(in.data, in.size, &size) != SNAPPY_OK)
        return broken("snappy", err);
    if (size > out->max - out->size || !buffer_reserve(out, size))
        return too_large(out, err);
    if (api->uncompress(in.data, in.size, out->data + out->size, &size) != SNAPPY_OK)
        return broken("snappy", err);
    out->size += size;
    return 0;
}

/* The Java clients' framing: a magic word, two versions, then blocks with their length before them. Others
 * send one block as it is. */
static int decode_snappy(struct slice in, struct buffer *out, struct error *err)
{
    static const char MAGIC[] = {'\x82', 'S', 'N', 'A', 'P', 'P', 'Y', 0};
    struct snappy_api api;
    struct wire_reader reader;
    if (snappy_load(&api, err) < 0)
        return -1;
    if (in.size < sizeof MAGIC || memcmp(in.data, MAGIC, sizeof MAGIC) != 0)
        return snappy_block(&api, in, out, err);
    wire_reader_init(&reader, in, false);
    wire_raw(&reader, sizeof MAGIC + 8);
    while (wire_left(&reader) > 0 && !reader.broken) {
        struct slice block = wire_bytes(&reader);
        if (!block.data || reader.broken)
            return broken("snappy", err);
        if (snappy_block(&api, block, out, err) < 0)
            return -1;
    }
    return reader.broken ? broken("snappy", err) : 0;
}

/* --- lz4 ---------------------------------------------------------------------------------------------- */

struct lz4_api {
    typeof(LZ4F_createDecompressionContext) *create;
    typeof(LZ4F_freeDecompressionContext) *release;
    typeof(LZ4F_decompress) *decompress;
    typeof(LZ4F_isError) *is_error;
};

static int lz4_load(struct lz4_api *api, struct error *err)
{
    static const char *const NAMES[] = {"liblz4.so.1", "liblz4.1.dylib", "liblz4.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        {"LZ4F_createDecompressionContext", offsetof(struct lz4_api, create)},
        {"LZ4F_freeDecompressionContext", offsetof(struct lz4_api, release)},
        {"LZ4F_decompress", offsetof(struct lz4_api, decompress)},
        {"LZ4F_isError", offsetof(struct lz4_api, is_error)}};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, api, err);
}

static int lz4_all(const struct lz4_api *api, LZ4F_dctx *context, struct slice in, struct buffer *out,
                   struct error *err)
{
    size_t at = 0, hint = 1;
    while (hint > 0 || at < in.size) { /* frames may follow each other */
        size_t left = out->max - out->size, room = left < CHUNK ? left : CHUNK, taken = in.size - at;
        char spare; /* one byte to see that there is more than may be */
        if (room && !buffer_reserve(out, room))
            return too_large(out, err);
        size_t got = room ? room : 1;
        hint =
            api->decompress(context, room ? out->data + out->size : &spare, &got, in.data + at, &taken, NULL);
        if (api->is_error(hint) || (got == 0 && taken == 0))
            return broken("lz4", err);
        if (!room && got)
            return too_large(out, err);
        at += taken;
        out->size += got;
    }
    return 0;
}

static int decode_lz4(struct slice in, struct buffer *out, struct error *err)
{
    struct lz4_api api;
    LZ4F_dctx *context;
    if (lz4_load(&api, err) < 0)
        return -1;
    if (api.is_error(api.create(&context, LZ4F_VERSION)))
        return error_set(err, ERROR_LIMIT, "no memory to decode a batch");
    int result = lz4_all(&api, context, in, out, err);
    api.release(context);
    return result;
}

void kafka_lz4_mend(struct slice frame)
{
    enum { MAGIC = 4, FLAG_SIZE = 1 << 3, FLAG_DICTIONARY = 1 };
    if (frame.size < MAGIC + 3)
        return;
    unsigned flags = (unsigned char)frame.data[MAGIC];
    size_t size = 2 + (flags & FLAG_SIZE ? 8 : 0) + (flags & FLAG_DICTIONARY ? 4 : 0);
    if (frame.size > MAGIC + size)
        ((char *)frame.data)[MAGIC + size] = (char)(hash_xxh32(frame.data + MAGIC, size, 0) >> 8);
}

/* --- all ---------------------------------------------------------------------------------------------- */

/* Webhooks have these as well. */
static int decode_shared(const char *name, struct slice in, struct buffer *out, struct error *err)
{
    struct slice all;
    if (in.size == 0)
        return broken(name, err);
    if (ingest_decode(name, in, out, &all, err) == 0)
        return 0;
    return err->code == ERROR_LIMIT ? too_large(out, err) : broken(name, err);
}

int kafka_decompress(unsigned compression, struct slice in, struct buffer *out, struct error *err)
{
    switch (compression) {
    case KAFKA_GZIP:
        return decode_shared("gzip", in, out, err);
    case KAFKA_SNAPPY:
        return decode_snappy(in, out, err);
    case KAFKA_LZ4:
        return decode_lz4(in, out, err);
    case KAFKA_ZSTD:
        return decode_shared("zstd", in, out, err);
    default:
        return error_set(err, ERROR_UNSUPPORTED, "a batch has an unknown compression: %u", compression);
    }
}
