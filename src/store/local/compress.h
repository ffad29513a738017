/* Blocks' payloads through zstd: one context and one buffer for a writer, whichever of its journals asks. */
#ifndef FIRTH_STORE_LOCAL_COMPRESS_H
#define FIRTH_STORE_LOCAL_COMPRESS_H

#include "store/local/layout.h"

struct compressor;
struct compressor *compressor_new(void);
void compressor_free(struct compressor *compressor);

/* Compress a payload. Sets the header's flags, sizes and checksum, and returns the payload with room for
 * BLOCK_HEADER bytes before it, good until the next call; NULL, and nothing set, if it does not shrink. */
char *compressor_run(struct compressor *compressor, struct slice payload, struct block_header *header);

#endif
