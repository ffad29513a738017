#include "ingest/decode.h"

#include "base/library.h"

#include <brotli/decode.h>
#include <stddef.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

enum { CHUNK = 64 << 10, ZSTD_WINDOW_LOG_MAX = 27 };

static int too_large(const struct buffer *out, struct error *err)
{
    return error_set(err, ERROR_LIMIT, "the body is larger than %zu bytes when it is decoded", out->max);
}

static int broken(const char *encoding, struct error *err)
{
    return error_set(err, ERROR_INVALID, "the body is not what Content-Encoding says: %s", encoding);
}

/* --- gzip, deflate ------------------------------------------------------------------------------------ */

struct zlib_api {
    typeof(inflateInit2_) *inflateInit2_;
    typeof(inflate) *inflate;
    typeof(inflateReset) *inflateReset;
    typeof(inflateEnd) *inflateEnd;
};

static int zlib_load(struct zlib_api *api, struct error *err)
{
    static const char *const NAMES[] = {"libz.so.1", "libz.1.dylib", "libz.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        {"inflateInit2_", offsetof(struct zlib_api, inflateInit2_)},
        {"inflate", offsetof(struct zlib_api, inflate)},
        {"inflateReset", offsetof(struct zlib_api, inflateReset)},
        {"inflateEnd", offsetof(struct zlib_api, inflateEnd)}};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, api, err);
}

/* Members may follow each other, as gzip has it. */
static int inflate_all(const struct zlib_api *api, z_stream *stream, const char *name, struct buffer *out,
                       struct error *err)
{
    int state = Z_OK;
    while (state != Z_STREAM_END || stream->avail_in > 0) {
        if (state == Z_STREAM_END && api->inflateReset(stream) != Z_OK)
            return broken(name, err);
        if (!buffer_reserve(out, out->max - out->size < CHUNK ? out->max - out->size : CHUNK))
            return too_large(out, err);
        size_t room = out->capacity - out->size;
        if (room > out->max - out->size)
            room = out->max - out->size;
        /* One byte to see that there is more than may be. */
        Bytef spare;
        stream->next_out = room ? (Bytef *)out->data + out->size : &spare;
        stream->avail_out = room ? (uInt)room : 1;
        uInt before = stream->avail_out;
        state = api->inflate(stream, Z_NO_FLUSH);
        if (state == Z_BUF_ERROR || (state != Z_OK && state != Z_STREAM_END))
            return broken(name, err);
        size_t got = before - stream->avail_out;
        if (room == 0 && got)
            return too_large(out, err);
        out->size += got;
    }
    return 0;
}

static int decode_zlib(struct slice in, int window, const char *name, struct buffer *out, struct error *err)
{
    struct zlib_api api;
    z_stream stream = {.next_in = (Bytef *)in.data, .avail_in = (uInt)in.size};
    if (zlib_load(&api, err) < 0)
        return -1;
    if (api.inflateInit2_(&stream, window, ZLIB_VERSION, sizeof stream) != Z_OK)
        return broken(name, err);
    int result = inflate_all(&api, &stream, name, out, err);
    api.inflateEnd(&stream);
    return result;
}

static int decode_gzip(struct slice in, struct buffer *out, struct error *err)
{
    return decode_zlib(in, 15 + 16, "gzip", out, err);
}

/* RFC 9110's deflate is zlib's format. */
static int decode_deflate(struct slice in, struct buffer *out, struct error *err)
{
    return decode_zlib(in, 15, "deflate", out, err);
}

/* --- zstd --------------------------------------------------------------------------------------------- */

static int decode_zstd(struct slice in, struct buffer *out, struct error *err)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer from = {in.data, in.size, 0};
    size_t left = 1;
    int result = 0;
    if (!context)
        return error_set(err, ERROR_LIMIT, "no memory to decode the body");
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    while (result == 0 && (from.pos < from.size || left > 0)) {
        char chunk[CHUNK];
        ZSTD_outBuffer to = {chunk, sizeof chunk, 0};
        size_t before = from.pos;
        left = ZSTD_decompressStream(context, &to, &from);
        if (ZSTD_isError(left) || (to.pos == 0 && from.pos == before))
            result = broken("zstd", err);
        else
            buffer_append(out, chunk, to.pos);
        if (out->overflowed)
            result = too_large(out, err);
    }
    ZSTD_freeDCtx(context);
    return result;
}

/* --- br ----------------------------------------------------------------------------------------------- */

struct brotli_api {
    typeof(BrotliDecoderCreateInstance) *BrotliDecoderCreateInstance;
    typeof(BrotliDecoderDecompressStream) *BrotliDecoderDecompressStream;
    typeof(BrotliDecoderDestroyInstance) *BrotliDecoderDestroyInstance;
};

static int brotli_load(struct brotli_api *api, struct error *err)
{
    static const char *const NAMES[] = {"libbrotlidec.so.1", "libbrotlidec.1.dylib", "libbrotlidec.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        {"BrotliDecoderCreateInstance", offsetof(struct brotli_api, BrotliDecoderCreateInstance)},
        {"BrotliDecoderDecompressStream", offsetof(struct brotli_api, BrotliDecoderDecompressStream)},
        {"BrotliDecoderDestroyInstance", offsetof(struct brotli_api, BrotliDecoderDestroyInstance)}};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, api, err);
}

static int decode_brotli(struct slice in, struct buffer *out, struct error *err)
{
    struct brotli_api api;
    const uint8_t *from = (const uint8_t *)in.data;
    size_t left = in.size;
    if (brotli_load(&api, err) < 0)
        return -1;
    BrotliDecoderState *state = api.BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!state)
        return error_set(err, ERROR_LIMIT, "no memory to decode the body");
    BrotliDecoderResult got = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (got == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && !out->overflowed) {
        uint8_t chunk[CHUNK], *to = chunk;
        size_t room = sizeof chunk;
        got = api.BrotliDecoderDecompressStream(state, &left, &from, &room, &to, NULL);
        buffer_append(out, chunk, sizeof chunk - room);
    }
    api.BrotliDecoderDestroyInstance(state);
    if (out->overflowed)
        return too_large(out, err);
    return got == BROTLI_DECODER_RESULT_SUCCESS && left == 0 ? 0 : broken("br", err);
}

/* --- which -------------------------------------------------------------------------------------------- */

typedef int decoder(struct slice in, struct buffer *out, struct error *err);

static decoder *find(struct slice name)
{
    static const struct {
        const char *name;
        decoder *decode;
    } known[] = {{"gzip", decode_gzip},
                 {"x-gzip", decode_gzip},
                 {"zstd", decode_zstd},
                 {"deflate", decode_deflate},
                 {"br", decode_brotli}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) == name.size && strncasecmp(known[i].name, name.data, name.size) == 0)
            return known[i].decode;
    }
    return NULL;
}

static bool is_identity(struct slice name)
{
    return name.size == 8 && strncasecmp(name.data, "identity", 8) == 0;
}

/* Split at commas; those of identity are left out. */
static int split(const char *text, struct slice *names, size_t *ret_count, struct error *err)
{
    size_t count = 0;
    for (const char *at = text; at && *at;) {
        size_t size = strcspn(at, ",");
        struct slice name = {at, size};
        while (name.size && (*name.data == ' ' || *name.data == '\t')) {
            name.data++;
            name.size--;
        }
        while (name.size && (name.data[name.size - 1] == ' ' || name.data[name.size - 1] == '\t'))
            name.size--;
        if (name.size && !is_identity(name)) {
            if (count == INGEST_ENCODINGS_MAX)
                return error_set(err, ERROR_UNSUPPORTED, "the body has more than %d content encodings",
                                 INGEST_ENCODINGS_MAX);
            if (!find(name))
                return error_set(err, ERROR_UNSUPPORTED,
                                 "the content encoding '%.*s' is not known; gzip, deflate, zstd and br are",
                                 (int)(name.size > 40 ? 40 : name.size), name.data);
            names[count++] = name;
        }
        at += size + (at[size] == ',');
    }
    *ret_count = count;
    return 0;
}

int ingest_decode(const char *encodings, struct slice body, struct buffer *out, struct slice *ret_body,
                  struct error *err)
{
    struct slice names[INGEST_ENCODINGS_MAX];
    size_t count = 0;
    if (split(encodings, names, &count, err) < 0)
        return -1;
    *ret_body = body;
    struct buffer before;
    buffer_init(&before, out->max);
    int result = 0;
    /* The last one that was applied is the first to be undone. */
    while (result == 0 && count-- > 0) {
        struct buffer swapped = before;
        before = *out;
        *out = swapped;
        buffer_clear(out);
        result = find(names[count])(*ret_body, out, err);
        *ret_body = (struct slice){out->data, out->size};
    }
    buffer_done(&before);
    return result;
}
