#include "store/local/compress.h"

#include "base/hash.h"

#include <zstd.h>

enum { COMPRESS_LEVEL = 1 }; /* docs/decisions/0011-compression.md */

struct compressor {
    ZSTD_CCtx *context; /* made when it is first needed */
    char *room;
    size_t capacity;
};

struct compressor *compressor_new(void)
{
    return mem_zalloc(sizeof(struct compressor));
}

void compressor_free(struct compressor *compressor)
{
    if (!compressor)
        return;
    ZSTD_freeCCtx(compressor->context);
    free(compressor->room);
    free(compressor);
}

char *compressor_run(struct compressor *compressor, struct slice payload, struct block_header *header)
{
    size_t bound = ZSTD_compressBound(payload.size);
    if (!compressor->context && !(compressor->context = ZSTD_createCCtx()))
        return NULL;
    if (compressor->capacity < BLOCK_HEADER + bound) {
        free(compressor->room);
        compressor->capacity = BLOCK_HEADER + bound;
        compressor->room = mem_alloc(compressor->capacity);
    }
    char *to = compressor->room + BLOCK_HEADER;
    size_t size =
        ZSTD_compressCCtx(compressor->context, to, bound, payload.data, payload.size, COMPRESS_LEVEL);
    if (size >= payload.size) /* an error is a very large size */
        return NULL;
    header->flags = BLOCK_ZSTD;
    header->raw_size = (uint32_t)payload.size;
    header->stored_size = (uint32_t)size;
    header->payload_crc = hash_crc32c(0, to, size);
    return to;
}
