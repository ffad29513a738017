/* Schemas from files: what `--schema`, `$ref` and `--resources` name on disk. */
#ifndef FIRTH_CLI_SCHEMA_FILES_H
#define FIRTH_CLI_SCHEMA_FILES_H

#include "cli/options.h"
#include "schema/schema.h"

/* Folders that stand for URIs: a URI that begins with `base` is the file of that name below `folder`. */
struct schema_files {
    struct arena *arena; /* lives as long as the registry */
    struct {
        const char *folder;
        const char *base;
    } resources[OPTION_LIST_MAX];
    size_t count;
};

/* "DIR=BASE_URI" from the command line. */
int schema_files_map(struct schema_files *files, const char *mapping, struct error *err);
/* A schema_fetch; context is a struct schema_files. file: URIs are read from disk, JSON or YAML by name. */
int schema_files_fetch(void *context, const char *uri, struct arena *arena, struct slice *ret_source,
                       struct error *err);
/* The URI of what a person wrote: a path with an optional #fragment, or a URI. */
const char *schema_files_uri(struct schema_files *files, const char *text);

#endif
