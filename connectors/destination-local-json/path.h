/* Where files go and what they are called. */
#ifndef FIRTH_LOCAL_JSON_PATH_H
#define FIRTH_LOCAL_JSON_PATH_H

#include "base/error.h"

/* The folder that a destination_path means: "/local/x", "/x" and "x" are all <root>/x, where root is
 * FIRTH_LOCAL_ROOT or /tmp/airbyte_local. Nothing leads out of the root: ".." is refused. Heap string. */
char *local_json_folder(const char *destination_path, const char *root, struct error *err);

/* The name of a stream's file: "_airbyte_raw_<name>.jsonl" with every byte but [A-Za-z0-9_] replaced by '_'.
 * A name too long for a file system keeps its beginning and a hash. Heap string. */
char *local_json_file_name(const char *stream);

#endif
