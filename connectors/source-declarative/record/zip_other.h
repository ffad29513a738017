/* Files of zip archives that are packed by other methods than deflate (bzip2, lzma): by libzip, which is
 * loaded when the first one is met. Private to zip.c. */
#ifndef FIRTH_DECLARATIVE_RECORD_ZIP_OTHER_H
#define FIRTH_DECLARATIVE_RECORD_ZIP_OTHER_H

#include "base/error.h"
#include "base/text.h"

struct zip_other;

/* The archive outlives it. */
struct zip_other *zip_other_new(struct slice archive, struct error *err);
void zip_other_free(struct zip_other *other); /* NULL is allowed */
/* The file at this place in the directory, packed by `method`; the one that was open is not any more. */
int zip_other_open(struct zip_other *other, unsigned index, unsigned method, struct error *err);
/* Its next bytes: 0 at its end, -1. */
int64_t zip_other_read(struct zip_other *other, char *bytes, size_t size, struct error *err);

#endif
