/* firth-parquet: what its two halves share. */
#ifndef FIRTH_PARQUET_PROGRAM_H
#define FIRTH_PARQUET_PROGRAM_H

#include "base/buffer.h"

#include <duckdb.h>

struct program {
    duckdb_database database;
    duckdb_connection connection;
    bool decimals_as_numbers;
};

/* One line on standard error; -1. */
int program_fail(const char *why);
/* As SQL has a name, a text. */
void program_put_name(struct buffer *out, const char *name);
void program_put_text(struct buffer *out, const char *text);

/* The file's rows from `skip` on, as JSON lines on standard output. */
int program_read(const struct program *program, const char *file, const char *skip);
/* Rows from standard input (connectors/files/parquet_rows.h) as a Parquet file on standard output. */
int program_write(const struct program *program, const char *codec);

#endif
