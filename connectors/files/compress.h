/* Rows on their way into a file, compressed. */
#ifndef FIRTH_FILES_COMPRESS_H
#define FIRTH_FILES_COMPRESS_H

#include "connectors/files/format.h"
#include "connectors/files/target.h"

struct files_compressor;

struct files_output;

/* As the output has it: FILES_PLAIN, FILES_GZIP or FILES_ZSTD; or Parquet, whose compression is within. Takes
 * `writing`, also where it fails. */
struct files_compressor *files_compress(struct files_target *target, struct files_writing *writing,
                                        const struct files_output *output, struct error *err);
int files_compressor_write(struct files_compressor *self, struct slice bytes, struct error *err);
/* Ends it, and seals the file; also where it fails. */
int files_compressor_seal(struct files_compressor *self, struct buffer *out, struct error *err);
void files_compressor_drop(struct files_compressor *self); /* NULL is allowed */

#endif
