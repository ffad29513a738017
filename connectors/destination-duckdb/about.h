/* What Firth knows of a connector that is a program of its own: the class without its functions. */
#ifndef FIRTH_DESTINATION_DUCKDB_ABOUT_H
#define FIRTH_DESTINATION_DUCKDB_ABOUT_H

#include "firth/connector.h"

#define DUCKDB_ABOUT                                                           \
    .name = "destination-duckdb", .version = FIRTH_VERSION, .title = "DuckDB", \
    .summary = "a table for each stream in a DuckDB file", .image_names = duckdb_image_names

extern const char *const duckdb_image_names[];

#endif
