/* gzip, zstd and bzip2, told by their first bytes; all members or frames of a file, one after the other. A
 * zip archive is told, too, and passed on as it is (archive.h). */
#ifndef FIRTH_FILES_DECOMPRESS_H
#define FIRTH_FILES_DECOMPRESS_H

#include "connectors/files/format.h"
#include "connectors/files/input.h"

enum { FILES_ZSTD_WINDOW_LOG_MAX = 27 }; /* 128 MiB: what a frame may make us hold */

/* What the first bytes say; FILES_PLAIN if nothing. */
enum files_compression files_compression_of(const char *bytes, size_t size);
/* Takes `raw`, also where it fails. *ret_found: what it is. */
struct files_input *files_decompress(struct files_input *raw, enum files_compression wanted,
                                     enum files_compression *ret_found, struct error *err);

#endif
