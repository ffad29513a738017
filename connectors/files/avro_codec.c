#include "avro.h"

#include "base/library.h"

#include <bzlib.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

/* How the blocks of an Avro file are compressed. Each is decompressed whole, into no more than
 * AVRO_UNPACKED_MAX. The libraries but zstd are loaded by who meets such a file. */

struct inflate_api {
    typeof(inflateInit2_) *inflateInit2_;
    typeof(inflate) *inflate;
    typeof(inflateEnd) *inflateEnd;
    typeof(crc32) *crc32;
};

struct snappy_api {
    typeof(snappy_uncompressed_length) *snappy_uncompressed_length;
    typeof(snappy_uncompress) *snappy_uncompress;
};

struct bunzip_api {
    typeof(BZ2_bzDecompressInit) *BZ2_bzDecompressInit;
    typeof(BZ2_bzDecompress) *BZ2_bzDecompress;
    typeof(BZ2_bzDecompressEnd) *BZ2_bzDecompressEnd;
};

#define FUNCTION(api, name)               \
    {                                     \
#name, offsetof(struct api, name) \
    }

enum { PIECE = 256 << 10 };

static const char *const names[] = {"null", "deflate", "snappy", "zstandard", "bzip2"};

int avro_codec_parse(struct slice name, enum avro_codec *ret_codec, struct error *err)
{
    *ret_codec = AVRO_CODEC_NULL;
    if (!name.size)
        return 0;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_is(name, names[i])) {
            *ret_codec = i;
            return 0;
        }
    }
    return error_set(
        err, ERROR_UNSUPPORTED,
        "the Avro file is compressed by '%.*s'; null, deflate, snappy, zstandard and bzip2 can be read",
        (int)(name.size < 60 ? name.size : 60), name.data);
}

static int broken(enum avro_codec codec, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "a block's %s data is broken", names[codec]);
}

/* Room for more: it may not pass the limit. */
static int grow(struct buffer *room, struct error *err)
{
    if (room->size > AVRO_UNPACKED_MAX - PIECE || !buffer_reserve(room, PIECE))
        return error_set(err, ERROR_LIMIT, "a block of the Avro file is larger than %d MiB when decompressed",
                         AVRO_UNPACKED_MAX >> 20);
    return 0;
}

static int load_zlib(struct inflate_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libz.so.1", "libz.1.dylib", "libz.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(inflate_api, inflateInit2_), FUNCTION(inflate_api, inflate),
        FUNCTION(inflate_api, inflateEnd), FUNCTION(inflate_api, crc32)};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

static int unpack_deflate(struct slice packed, struct buffer *room, struct error *err)
{
    struct inflate_api api;
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)packed.data, .avail_in = (unsigned)packed.size};
    int code = Z_OK, result = 0;
    if (load_zlib(&api, err) < 0)
        return -1;
    if (api.inflateInit2_(&stream, -15, ZLIB_VERSION, sizeof stream) != Z_OK) /* without a header */
        return broken(AVRO_CODEC_DEFLATE, err);
    while (result == 0 && code == Z_OK && (result = grow(room, err)) == 0) {
        stream.next_out = (unsigned char *)room->data + room->size;
        stream.avail_out = PIECE;
        code = api.inflate(&stream, Z_NO_FLUSH);
        room->size += PIECE - stream.avail_out;
    }
    api.inflateEnd(&stream);
    return result < 0 ? -1 : code == Z_STREAM_END ? 0 : broken(AVRO_CODEC_DEFLATE, err);
}

/* Behind snappy's data is the checksum of what it holds, big-endian. */
static int unpack_snappy(struct slice packed, struct buffer *room, struct error *err)
{
    static const char *const NAMES[] = {"libsnappy.so.1", "libsnappy.1.dylib", "libsnappy.so", NULL};
    static const struct library_function FUNCTIONS[] = {FUNCTION(snappy_api, snappy_uncompressed_length),
                                                        FUNCTION(snappy_api, snappy_uncompress)};
    struct snappy_api api;
    struct inflate_api zlib;
    size_t size = 0;
    if (library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, &api, err) < 0 ||
        load_zlib(&zlib, err) < 0)
        return -1;
    if (packed.size < 4 || api.snappy_uncompressed_length(packed.data, packed.size - 4, &size) != SNAPPY_OK)
        return broken(AVRO_CODEC_SNAPPY, err);
    if (size > AVRO_UNPACKED_MAX)
        return error_set(err, ERROR_LIMIT, "a block of the Avro file is larger than %d MiB when decompressed",
                         AVRO_UNPACKED_MAX >> 20);
    buffer_reserve(room, size + 1);
    if (api.snappy_uncompress(packed.data, packed.size - 4, room->data, &size) != SNAPPY_OK)
        return broken(AVRO_CODEC_SNAPPY, err);
    room->size = size;
    const unsigned char *sum = (const unsigned char *)packed.data + packed.size - 4;
    uint32_t wanted = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
    return zlib.crc32(0, (const unsigned char *)room->data, (unsigned)size) == wanted
               ? 0
               : broken(AVRO_CODEC_SNAPPY, err);
}

static int unpack_zstandard(struct slice packed, struct buffer *room, struct error *err)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {packed.data, packed.size, 0};
    size_t left = 1;
    int result = 0;
    while (result == 0 && left != 0 && (result = grow(room, err)) == 0) {
        ZSTD_outBuffer out = {room->data + room->size, PIECE, 0};
        left = ZSTD_decompressStream(stream, &out, &in);
        room->size += out.pos;
        if (ZSTD_isError(left) || (left != 0 && in.pos == in.size && out.pos < PIECE))
            result = broken(AVRO_CODEC_ZSTANDARD, err);
    }
    ZSTD_freeDStream(stream);
    return result;
}

static int unpack_bzip2(struct slice packed, struct buffer *room, struct error *err)
{
    static const char *const NAMES[] = {"libbz2.so.1.0", "libbz2.so.1", "libbz2.1.0.dylib", "libbz2.so",
                                        NULL};
    static const struct library_function FUNCTIONS[] = {FUNCTION(bunzip_api, BZ2_bzDecompressInit),
                                                        FUNCTION(bunzip_api, BZ2_bzDecompress),
                                                        FUNCTION(bunzip_api, BZ2_bzDecompressEnd)};
    struct bunzip_api api;
    bz_stream stream = {.next_in = (char *)(uintptr_t)packed.data, .avail_in = (unsigned)packed.size};
    int code = BZ_OK, result = 0;
    if (library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, &api, err) < 0)
        return -1;
    if (api.BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK)
        return broken(AVRO_CODEC_BZIP2, err);
    while (result == 0 && code == BZ_OK && (result = grow(room, err)) == 0) {
        stream.next_out = room->data + room->size;
        stream.avail_out = PIECE;
        code = api.BZ2_bzDecompress(&stream);
        room->size += PIECE - stream.avail_out;
        if (code == BZ_OK && stream.avail_in == 0 && stream.avail_out == PIECE)
            break; /* there is no more, and it has not come to its end */
    }
    api.BZ2_bzDecompressEnd(&stream);
    return result < 0 ? -1 : code == BZ_STREAM_END ? 0 : broken(AVRO_CODEC_BZIP2, err);
}

int avro_unpack(enum avro_codec codec, struct slice packed, struct buffer *room, struct slice *ret_bytes,
                struct error *err)
{
    static int (*const unpack[])(struct slice, struct buffer *, struct error *) = {
        NULL, unpack_deflate, unpack_snappy, unpack_zstandard, unpack_bzip2};
    *ret_bytes = packed;
    if (codec == AVRO_CODEC_NULL)
        return 0;
    buffer_clear(room);
    if (unpack[codec](packed, room, err) < 0)
        return -1;
    *ret_bytes = (struct slice){room->data, room->size};
    return 0;
}
