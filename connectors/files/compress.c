#include "compress.h"

#include "base/library.h"
#include "connectors/files/destination.h"
#include "connectors/files/parquet_write.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

struct deflate_api {
    typeof(deflateInit2_) *deflateInit2_;
    typeof(deflate) *deflate;
    typeof(deflateEnd) *deflateEnd;
};

enum { OUT_SIZE = 128 << 10, GZIP_LEVEL = 6, ZSTD_LEVEL = 3 };

struct files_compressor {
    struct files_target *target;
    struct files_writing *writing;
    enum files_compression kind;
    struct deflate_api api;
    z_stream deflating;
    bool open;
    ZSTD_CStream *zstd;
    struct parquet_writer *parquet;
    char *out;
};

static int load(struct deflate_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libz.so.1", "libz.1.dylib", "libz.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        {"deflateInit2_", offsetof(struct deflate_api, deflateInit2_)},
        {"deflate", offsetof(struct deflate_api, deflate)},
        {"deflateEnd", offsetof(struct deflate_api, deflateEnd)}};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

static void end(struct files_compressor *self)
{
    if (self->open)
        self->api.deflateEnd(&self->deflating);
    ZSTD_freeCStream(self->zstd);
    parquet_writer_free(self->parquet);
    free(self->out);
    free(self);
}

void files_compressor_drop(struct files_compressor *self)
{
    if (!self)
        return;
    self->target->drop(self->writing);
    end(self);
}

static int take_parquet(void *self, struct slice bytes, struct error *err)
{
    struct files_compressor *compressor = self;
    return compressor->target->write(compressor->writing, bytes, err);
}

struct files_compressor *files_compress(struct files_target *target, struct files_writing *writing,
                                        const struct files_output *output, struct error *err)
{
    struct files_compressor *self = mem_zalloc(sizeof *self);
    self->target = target;
    self->writing = writing;
    self->kind = output->kind == FILES_PARQUET ? FILES_PLAIN : output->compression;
    self->out = mem_alloc(OUT_SIZE);
    if (output->kind == FILES_PARQUET) {
        self->parquet = parquet_writer_new(output->codec, take_parquet, self, err);
        if (!self->parquet) {
            files_compressor_drop(self);
            return NULL;
        }
    } else if (self->kind == FILES_ZSTD) {
        self->zstd = ZSTD_createCStream();
        ZSTD_CCtx_setParameter(self->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        ZSTD_CCtx_setParameter(self->zstd, ZSTD_c_checksumFlag, 1);
    } else if (self->kind == FILES_GZIP) {
        if (load(&self->api, err) == 0)
            self->open = self->api.deflateInit2_(&self->deflating, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8,
                                                 Z_DEFAULT_STRATEGY, ZLIB_VERSION, sizeof(z_stream)) == Z_OK;
        if (!self->open) {
            files_compressor_drop(self);
            return NULL;
        }
    }
    return self;
}

static int write_gzip(struct files_compressor *self, struct slice bytes, int flush, struct error *err)
{
    z_stream *stream = &self->deflating;
    int code;
    stream->next_in = (unsigned char *)(uintptr_t)bytes.data;
    stream->avail_in = (unsigned)bytes.size; /* a record's size is bounded */
    do {
        stream->next_out = (unsigned char *)self->out;
        stream->avail_out = OUT_SIZE;
        code = self->api.deflate(stream, flush);
        size_t made = OUT_SIZE - stream->avail_out;
        if (made && self->target->write(self->writing, (struct slice){self->out, made}, err) < 0)
            return -1;
    } while (stream->avail_out == 0 || (flush == Z_FINISH && code == Z_OK));
    return 0;
}

static int write_zstd(struct files_compressor *self, struct slice bytes, ZSTD_EndDirective directive,
                      struct error *err)
{
    ZSTD_inBuffer in = {bytes.data, bytes.size, 0};
    for (;;) {
        ZSTD_outBuffer out = {self->out, OUT_SIZE, 0};
        size_t left = ZSTD_compressStream2(self->zstd, &out, &in, directive);
        if (ZSTD_isError(left))
            return error_set(err, ERROR_IO, "zstd: %s", ZSTD_getErrorName(left));
        if (out.pos && self->target->write(self->writing, (struct slice){self->out, out.pos}, err) < 0)
            return -1;
        if (directive == ZSTD_e_continue ? in.pos == in.size : left == 0)
            return 0;
    }
}

int files_compressor_write(struct files_compressor *self, struct slice bytes, struct error *err)
{
    if (self->parquet)
        return parquet_writer_put(self->parquet, bytes, err);
    if (self->kind == FILES_GZIP)
        return write_gzip(self, bytes, Z_NO_FLUSH, err);
    if (self->kind == FILES_ZSTD)
        return write_zstd(self, bytes, ZSTD_e_continue, err);
    return self->target->write(self->writing, bytes, err);
}

int files_compressor_seal(struct files_compressor *self, struct buffer *out, struct error *err)
{
    struct slice nothing = {"", 0};
    int result = self->parquet              ? parquet_writer_end(self->parquet, err)
                 : self->kind == FILES_GZIP ? write_gzip(self, nothing, Z_FINISH, err)
                 : self->kind == FILES_ZSTD ? write_zstd(self, nothing, ZSTD_e_end, err)
                                            : 0;
    if (result < 0) {
        files_compressor_drop(self);
        return -1;
    }
    result = self->target->seal(self->writing, out, err);
    end(self);
    return result;
}
