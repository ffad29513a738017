/* The compressions of record batches. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_COMPRESS_H
#define FIRTH_INGEST_KAFKA_COMPRESS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/* As the attributes of a batch number them. */
enum kafka_compression {
    KAFKA_PLAIN,
    KAFKA_GZIP,
    KAFKA_SNAPPY,
    KAFKA_LZ4,
    KAFKA_ZSTD,
    KAFKA_COMPRESSIONS,
};

/* Append what it decodes to, at most up to the buffer's maximum. ERROR_LIMIT: there is more. ERROR_CORRUPT.
 * ERROR_UNSUPPORTED: the library is not there, or there is no such compression. */
int kafka_decompress(unsigned compression, struct slice in, struct buffer *out, struct error *err);

/* The header of LZ4's frame as the oldest message format has it, whose checksum covers the magic word too
 * (KAFKA-3160): set it right, in place. */
void kafka_lz4_mend(struct slice frame);

#endif
