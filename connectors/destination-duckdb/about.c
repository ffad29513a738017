#include "about.h"

#include "registry.h"

const char *const duckdb_image_names[] = {"airbyte/destination-duckdb", NULL};

const struct firth_connector_class destination_duckdb = {DUCKDB_ABOUT};
