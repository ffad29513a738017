/* Private to cmd_discover_write.c, cmd_discover_record.c and cmd_discover_trial.c. */
#ifndef FIRTH_CLI_CMD_DISCOVER_FILES_H
#define FIRTH_CLI_CMD_DISCOVER_FILES_H

#include "catalog/edit.h"
#include "cli/cmd_discover.h"

struct record {
    const char *path;
    bool there;
    struct json doc;
};

/* What is known of one stream; `path` NULL: no schema was written for it. */
struct recorded {
    bool there;
    const char *path;   /* its schema's file, from the catalog's folder or absolute */
    const char *schema; /* hash of what the source said */
    const char *file;   /* hash of the file as it was written */
    /* That its collection got. Where the collection has another by now, a person has written it: it stays
     * theirs, whatever the source says. NULL: not known. */
    const char *const *key;
    size_t key_count;
};

const char *discover_hash(struct arena *arena, struct slice text);
/* Of what a JSON text says, however it is written. */
const char *discover_hash_json(struct arena *arena, struct slice text);
/* Of what a schema's file says; NULL: it is no YAML or JSON. */
const char *discover_hash_file(struct arena *arena, const char *path, struct slice text);
/* A schema's file as a catalog in `folder` ("" or with its slash) has it. */
const char *discover_record_path(struct arena *arena, const char *folder, const char *path);
int discover_read_record(struct discovery *discovery, struct record *ret_record, struct error *err);
/* The same from a catalog's files, which may be a deployed copy. `discovery` has its folder and base. */
int discover_read_record_of(struct discovery *discovery, const struct catalog_files *files,
                            struct record *ret_record, struct error *err);
struct recorded discover_recorded(struct discovery *discovery, const struct record *record,
                                  const struct discover_stream *stream);
/* Those that are `there`. */
void discover_write_record(struct discovery *discovery, const struct recorded *recorded, struct buffer *out);

/* Load the catalog as it will be, with the files that are to be written in their places. */
int discover_try(struct discovery *discovery, const struct edit_file *files, size_t count, struct error *err);

/* The lines that differ, on the terminal. */
void discover_show_difference(struct discovery *discovery, const char *name, struct slice before,
                              struct slice after);

/* Is the file in a git work tree, and not ignored there? Then somebody may want to. */
int discover_guard_config(struct discovery *discovery, struct error *err);

#endif
