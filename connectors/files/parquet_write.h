/* Rows (parquet_rows.h) on their way through firth-parquet into a Parquet file. */
#ifndef FIRTH_FILES_PARQUET_WRITE_H
#define FIRTH_FILES_PARQUET_WRITE_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

struct parquet_writer;

/* What is made of the rows goes to `sink` as it comes. `codec`: "snappy", "zstd", "gzip", "uncompressed". */
struct parquet_writer *parquet_writer_new(const char *codec,
                                          int (*sink)(void *context, struct slice bytes, struct error *err),
                                          void *context, struct error *err);
int parquet_writer_put(struct parquet_writer *writer, struct slice rows, struct error *err);
/* There are no more rows: the file's end comes, too. */
int parquet_writer_end(struct parquet_writer *writer, struct error *err);
void parquet_writer_free(struct parquet_writer *writer); /* NULL is allowed */

#endif
