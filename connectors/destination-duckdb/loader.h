/* A thread that gives full chunks to DuckDB's appender while the next ones are filled: compressing a table's
 * columns takes DuckDB as long as it takes to read and convert the records. Nothing else may use the
 * connection meanwhile: whoever wants it drains the loader first. */
#ifndef FIRTH_DESTINATION_DUCKDB_LOADER_H
#define FIRTH_DESTINATION_DUCKDB_LOADER_H

#include "base/memory.h"

#include <duckdb.h>

struct loader;

/* What becomes of the chunks of one table. */
struct loader_table {
    duckdb_appender appender;
    uint64_t waiting; /* bytes of text that the appender holds */
    bool failed;      /* the appender says why; the table's further chunks are dropped */
    struct loader_chunk
        *spare; /* emptied, to be filled again: their memory need not be given back and fetched */
};

struct loader_chunk {
    struct loader_table *table;
    duckdb_data_chunk data;
    struct arena text; /* what the vectors' strings point to */
    uint64_t bytes;    /* of both, about */
    struct loader_chunk *next;
};

struct loader *loader_new(void);
/* What was submitted is waited for. */
void loader_free(struct loader *loader);
/* The chunk becomes the loader's, and spare when it is done. Waits while too much is in work: a row group's
 * worth may be, for that is what DuckDB compresses in one go. */
void loader_submit(struct loader *loader, struct loader_chunk *chunk);
void loader_chunk_free(struct loader_chunk *chunk);
/* An empty one of the table's that was submitted before; NULL: there is none. */
struct loader_chunk *loader_spare(struct loader *loader, struct loader_table *table);
bool loader_failed(struct loader *loader, const struct loader_table *table);
/* Until nothing is left to do. Cheap where there is nothing. */
void loader_drain(struct loader *loader);

#endif
