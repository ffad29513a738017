#include "decompress.h"

#include "base/library.h"
#include "base/memory.h"

#include <bzlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* zlib and bzip2 are loaded by those who meet such a file. */
struct zlib_api {
    typeof(inflateInit2_) *inflateInit2_;
    typeof(inflate) *inflate;
    typeof(inflateReset) *inflateReset;
    typeof(inflateEnd) *inflateEnd;
};

struct bzip2_api {
    typeof(BZ2_bzDecompressInit) *BZ2_bzDecompressInit;
    typeof(BZ2_bzDecompress) *BZ2_bzDecompress;
    typeof(BZ2_bzDecompressEnd) *BZ2_bzDecompressEnd;
};

#define FUNCTION(api, name)               \
    {                                     \
#name, offsetof(struct api, name) \
    }

static int load_zlib(struct zlib_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libz.so.1", "libz.1.dylib", "libz.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(zlib_api, inflateInit2_), FUNCTION(zlib_api, inflate), FUNCTION(zlib_api, inflateReset),
        FUNCTION(zlib_api, inflateEnd)};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

static int load_bzip2(struct bzip2_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libbz2.so.1.0", "libbz2.so.1", "libbz2.1.0.dylib", "libbz2.so",
                                        NULL};
    static const struct library_function FUNCTIONS[] = {FUNCTION(bzip2_api, BZ2_bzDecompressInit),
                                                        FUNCTION(bzip2_api, BZ2_bzDecompress),
                                                        FUNCTION(bzip2_api, BZ2_bzDecompressEnd)};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

enum { IN_SIZE = 128 << 10, MAGIC_SIZE = 6 };

struct decompressor {
    struct files_input input;
    struct files_input *raw;
    enum files_compression kind;
    char *in;
    size_t in_size, in_at;
    bool raw_ended;
    bool between; /* a member or frame has ended, and none has begun */
    struct zlib_api zlib;
    struct bzip2_api bzip2;
    z_stream inflating;
    bz_stream bunzipping;
    ZSTD_DStream *zstd;
    bool open;
};

enum files_compression files_compression_of(const char *bytes, size_t size)
{
    static const struct {
        enum files_compression kind;
        const char *magic;
        size_t size;
    } kinds[] = {{FILES_GZIP, "\x1f\x8b\x08", 3},
                 {FILES_ZSTD, "\x28\xb5\x2f\xfd", 4},
                 {FILES_BZIP2, "BZh", 3},
                 {FILES_ZIP, "PK\x03\x04", 4},
                 {FILES_ZIP, "PK\x05\x06", 4}}; /* without members */
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (size >= kinds[i].size && memcmp(bytes, kinds[i].magic, kinds[i].size) == 0)
            return kinds[i].kind;
    }
    return FILES_PLAIN;
}

/* More of the compressed bytes: 1, 0 at their end. */
static int refill(struct decompressor *self, struct error *err)
{
    if (self->in_at < self->in_size)
        return 1;
    int64_t got = self->raw_ended ? 0 : self->raw->read(self->raw, self->in, IN_SIZE, err);
    if (got < 0)
        return -1;
    self->in_at = 0;
    self->in_size = (size_t)got;
    self->raw_ended = got == 0;
    return got > 0;
}

static int64_t read_plain(struct decompressor *self, char *bytes, size_t size, struct error *err)
{
    if (self->in_at == self->in_size) /* past the bytes that were looked at: no copy */
        return self->raw_ended ? 0 : self->raw->read(self->raw, bytes, size, err);
    size_t count = self->in_size - self->in_at;
    if (count > size)
        count = size;
    memcpy(bytes, self->in + self->in_at, count);
    self->in_at += count;
    return (int64_t)count;
}

static int broken(const char *what, const char *why, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "the %s data is broken%s%s", what, why ? ": " : "", why ? why : "");
}

static int truncated(const char *what, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "the %s data ends too early: the file is not whole", what);
}

/* After a member: is there another? What follows that is none (padding with zeros) is left. */
static int begin_gzip(struct decompressor *self, struct error *err)
{
    int more;
    while ((more = refill(self, err)) > 0 && self->in[self->in_at] == '\0')
        self->in_at++;
    if (more > 0) {
        self->zlib.inflateReset(&self->inflating);
        self->between = false;
    }
    return more;
}

static int64_t read_gzip(struct decompressor *self, char *bytes, size_t size, struct error *err)
{
    z_stream *stream = &self->inflating;
    stream->next_out = (unsigned char *)bytes;
    stream->avail_out = size > INT32_MAX ? INT32_MAX : (unsigned)size;
    unsigned room = stream->avail_out;
    while (stream->avail_out == room) {
        int more = self->between ? begin_gzip(self, err) : refill(self, err);
        if (more < 0)
            return -1;
        if (more == 0)
            return self->between ? 0 : truncated("gzip", err);
        stream->next_in = (unsigned char *)self->in + self->in_at;
        stream->avail_in = (unsigned)(self->in_size - self->in_at);
        int code = self->zlib.inflate(stream, Z_NO_FLUSH);
        self->in_at = self->in_size - stream->avail_in;
        if (code == Z_STREAM_END)
            self->between = true;
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return broken("gzip", stream->msg, err);
    }
    return room - stream->avail_out;
}

static int64_t read_zstd(struct decompressor *self, char *bytes, size_t size, struct error *err)
{
    ZSTD_outBuffer out = {bytes, size, 0};
    while (out.pos == 0) {
        int more = refill(self, err);
        if (more < 0)
            return -1;
        if (more == 0)
            return self->between ? 0 : truncated("zstd", err);
        ZSTD_inBuffer in = {self->in, self->in_size, self->in_at};
        size_t left = ZSTD_decompressStream(self->zstd, &out, &in);
        self->in_at = in.pos;
        if (ZSTD_isError(left))
            return broken("zstd", ZSTD_getErrorName(left), err);
        self->between = left == 0;
    }
    return (int64_t)out.pos;
}

static int64_t read_bzip2(struct decompressor *self, char *bytes, size_t size, struct error *err)
{
    bz_stream *stream = &self->bunzipping;
    unsigned room = size > INT32_MAX ? INT32_MAX : (unsigned)size;
    stream->next_out = bytes;
    stream->avail_out = room;
    while (stream->avail_out == room) {
        int more = refill(self, err);
        if (more < 0)
            return -1;
        if (more == 0)
            return self->between ? 0 : truncated("bzip2", err);
        if (self->between) { /* another stream of the same file */
            self->bzip2.BZ2_bzDecompressEnd(stream);
            self->open = self->bzip2.BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK;
            self->between = false;
        }
        stream->next_in = self->in + self->in_at;
        stream->avail_in = (unsigned)(self->in_size - self->in_at);
        int code = self->bzip2.BZ2_bzDecompress(stream);
        self->in_at = self->in_size - stream->avail_in;
        if (code == BZ_STREAM_END)
            self->between = true;
        else if (code != BZ_OK)
            return broken("bzip2", NULL, err);
    }
    return room - stream->avail_out;
}

static int64_t decompressor_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    struct decompressor *self = (struct decompressor *)input;
    switch (self->kind) {
    case FILES_GZIP:
        return read_gzip(self, bytes, size, err);
    case FILES_ZSTD:
        return read_zstd(self, bytes, size, err);
    case FILES_BZIP2:
        return read_bzip2(self, bytes, size, err);
    default:
        return read_plain(self, bytes, size, err);
    }
}

static void decompressor_close(struct files_input *input)
{
    struct decompressor *self = (struct decompressor *)input;
    if (self->open && self->kind == FILES_GZIP)
        self->zlib.inflateEnd(&self->inflating);
    if (self->open && self->kind == FILES_BZIP2)
        self->bzip2.BZ2_bzDecompressEnd(&self->bunzipping);
    ZSTD_freeDStream(self->zstd);
    files_input_close(self->raw);
    free(self->in);
    free(self);
}

static int begin(struct decompressor *self, struct error *err)
{
    switch (self->kind) {
    case FILES_GZIP:
        if (load_zlib(&self->zlib, err) < 0)
            return -1;
        self->open =
            self->zlib.inflateInit2_(&self->inflating, 15 + 16, ZLIB_VERSION, sizeof(z_stream)) == Z_OK;
        return self->open ? 0 : broken("gzip", "zlib cannot be made ready", err);
    case FILES_ZSTD:
        self->zstd = ZSTD_createDStream();
        self->between = true;
        ZSTD_DCtx_setParameter(self->zstd, ZSTD_d_windowLogMax, FILES_ZSTD_WINDOW_LOG_MAX);
        return 0;
    case FILES_BZIP2:
        if (load_bzip2(&self->bzip2, err) < 0)
            return -1;
        self->open = self->bzip2.BZ2_bzDecompressInit(&self->bunzipping, 0, 0) == BZ_OK;
        return self->open ? 0 : broken("bzip2", "the library cannot be made ready", err);
    default:
        return 0;
    }
}

struct files_input *files_decompress(struct files_input *raw, enum files_compression wanted,
                                     enum files_compression *ret_found, struct error *err)
{
    struct decompressor *self = mem_zalloc(sizeof *self);
    self->input = (struct files_input){decompressor_read, decompressor_close};
    self->raw = raw;
    self->in = mem_alloc(IN_SIZE);
    int64_t got = files_input_read_full(raw, self->in, MAGIC_SIZE, err);
    if (got < 0) {
        decompressor_close(&self->input);
        return NULL;
    }
    self->in_size = (size_t)got;
    self->kind = wanted == FILES_ANY_COMPRESSION ? files_compression_of(self->in, self->in_size) : wanted;
    if (wanted > FILES_PLAIN && got > 0 && files_compression_of(self->in, self->in_size) != wanted)
        error_set(err, ERROR_INVALID, "it is not compressed with %s, as it is said to be",
                  files_compression_names[wanted]);
    else if (got == 0 || begin(self, err) == 0) {
        if (got == 0) /* an empty file is empty, whatever it should have been */
            self->kind = FILES_PLAIN;
        *ret_found = self->kind;
        return &self->input;
    }
    decompressor_close(&self->input);
    return NULL;
}
