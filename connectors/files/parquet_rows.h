/* Rows for Parquet: typed columns from a stream's schema, and records as cells for firth-parquet.
 *
 * What firth-parquet is given, in either direction of time: a number of columns (4 bytes, little-endian); for
 * each column its name and its type, a cell each; then the cells of each row. A cell is its size (4 bytes)
 * and its bytes, or the size PARQUET_NULL alone. */
#ifndef FIRTH_FILES_PARQUET_ROWS_H
#define FIRTH_FILES_PARQUET_ROWS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "firth/connector.h"

#define PARQUET_NULL UINT32_MAX

struct parquet_rows;

struct parquet_rows *parquet_rows_new(const struct firth_target *target, struct buffer *out_head,
                                      struct error *err);
void parquet_rows_free(struct parquet_rows *rows);
void parquet_rows_put(struct parquet_rows *rows, struct firth_host *host, const struct firth_record *record,
                      struct buffer *out);

#endif
