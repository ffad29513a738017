/* Where files go and what they are called. */
#ifndef FIRTH_LOCAL_JSON_PATH_H
#define FIRTH_LOCAL_JSON_PATH_H

#include "base/error.h"

/* What a destination_path must be like, for the spec: as a regular expression and in words. */
#define LOCAL_JSON_PATH_PATTERN                                                                           \
    "^(?![\\s\\S]*(?:^|/)\\.\\.(?:/|$))"                                                                  \
    "(?!/+(?:bin|boot|dev|etc|home|lib|lib32|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)" \
    "(?:/|$))[^\\x00]*[^\\x00/]$"
#define LOCAL_JSON_PATH_HELP \
    "a folder below /local, such as /local/output, without \"..\" and without a slash at the end"

/* The folder that a destination_path means: "/local/x", "/x" and "x" are all <root>/x, where root is
 * FIRTH_LOCAL_ROOT or /tmp/airbyte_local. Nothing leads out of the root, and nothing looks as if it did:
 * "..", folders of the machine (/etc, /home, …) and a slash at the end are refused. Heap string. */
char *local_json_folder(const char *destination_path, const char *root, struct error *err);

/* The name of a stream's file: "_airbyte_raw_<name>.jsonl" with every byte but [A-Za-z0-9_] replaced by '_'.
 * A name too long for a file system keeps its beginning and a hash. Heap string. */
char *local_json_file_name(const char *stream);

#endif
