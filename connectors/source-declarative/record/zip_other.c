#include "zip_other.h"

#include "base/library.h"
#include "base/memory.h"

#include <stdlib.h>
#include <zip.h>

struct zip_api {
    typeof(zip_source_buffer_create) *zip_source_buffer_create;
    typeof(zip_source_free) *zip_source_free;
    typeof(zip_open_from_source) *zip_open_from_source;
    typeof(zip_discard) *zip_discard;
    typeof(zip_fopen_index) *zip_fopen_index;
    typeof(zip_fread) *zip_fread;
    typeof(zip_fclose) *zip_fclose;
    typeof(zip_strerror) *zip_strerror;
    typeof(zip_file_strerror) *zip_file_strerror;
    typeof(zip_error_strerror) *zip_error_strerror;
    typeof(zip_error_fini) *zip_error_fini;
};

#define FUNCTION(name)                        \
    {                                         \
#name, offsetof(struct zip_api, name) \
    }

struct zip_other {
    struct zip_api api;
    zip_t *zip;
    zip_file_t *file;
};

static int load(struct zip_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libzip.so.5", "libzip.so.4", "libzip.5.dylib", "libzip.so", NULL};
    static const struct library_function FUNCTIONS[] = {FUNCTION(zip_source_buffer_create),
                                                        FUNCTION(zip_source_free),
                                                        FUNCTION(zip_open_from_source),
                                                        FUNCTION(zip_discard),
                                                        FUNCTION(zip_fopen_index),
                                                        FUNCTION(zip_fread),
                                                        FUNCTION(zip_fclose),
                                                        FUNCTION(zip_strerror),
                                                        FUNCTION(zip_file_strerror),
                                                        FUNCTION(zip_error_strerror),
                                                        FUNCTION(zip_error_fini)};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

struct zip_other *zip_other_new(struct slice archive, struct error *err)
{
    struct zip_other *other = mem_zalloc(sizeof *other);
    zip_error_t why = {0};
    if (load(&other->api, err) < 0) {
        free(other);
        return NULL;
    }
    zip_source_t *source = other->api.zip_source_buffer_create(archive.data, archive.size, 0, &why);
    other->zip = source ? other->api.zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
    if (other->zip)
        return other;
    error_set(err, ERROR_PROTOCOL, "the response is no zip archive: %s", other->api.zip_error_strerror(&why));
    other->api.zip_error_fini(&why);
    if (source)
        other->api.zip_source_free(source);
    free(other);
    return NULL;
}

static void close_file(struct zip_other *other)
{
    if (other->file)
        other->api.zip_fclose(other->file);
    other->file = NULL;
}

void zip_other_free(struct zip_other *other)
{
    if (!other)
        return;
    close_file(other);
    other->api.zip_discard(other->zip);
    free(other);
}

int zip_other_open(struct zip_other *other, unsigned index, unsigned method, struct error *err)
{
    const char *name = method == 9    ? "deflate64"
                       : method == 12 ? "bzip2"
                       : method == 14 ? "lzma"
                       : method == 93 ? "zstd"
                       : method == 95 ? "xz"
                                      : "a method";
    close_file(other);
    other->file = other->api.zip_fopen_index(other->zip, index, 0);
    if (other->file)
        return 0;
    return error_set(err, ERROR_UNSUPPORTED,
                     "a file of the zip archive is packed by %s (%u), which the libzip of this machine does "
                     "not unpack: %s",
                     name, method, other->api.zip_strerror(other->zip));
}

int64_t zip_other_read(struct zip_other *other, char *bytes, size_t size, struct error *err)
{
    int64_t got = other->api.zip_fread(other->file, bytes, size);
    return got >= 0 ? got
                    : error_set(err, ERROR_PROTOCOL, "a file of the zip archive is damaged: %s",
                                other->api.zip_file_strerror(other->file));
}
