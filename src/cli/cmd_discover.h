/* Private to cmd_discover*.c: what `firth discover` knows while it works. */
#ifndef FIRTH_CLI_CMD_DISCOVER_H
#define FIRTH_CLI_CMD_DISCOVER_H

#include "catalog/catalog.h"
#include "cli/command.h"
#include "cli/prompt.h"
#include "schema/schema.h"

enum { DISCOVER_STREAMS_MAX = CATALOG_BINDINGS_MAX };

/* Of a command; an image and a built-in connector say it themselves. */
enum discover_protocol { DISCOVER_EITHER, DISCOVER_AIRBYTE, DISCOVER_FLOW };

struct discover_options {
    const char *image, *command, *connector, *name, *prefix;
    int protocol; /* enum discover_protocol */
    bool yes, all;
};

/* A stream of the source, and what is to become of it. */
struct discover_stream {
    const char *name, *namespace; /* Airbyte's; of Flow's, the recommended name */
    const char *label;            /* "namespace.name" */
    struct slice id;              /* JSON: what tells it from others, as a resource's stream or path */
    struct slice schema;          /* JSON */
    const char **key;             /* JSON pointers */
    size_t key_count;
    const char *note; /* why the key or the schema is not the source's own, for a comment; or NULL */
    bool guessed_key; /* nobody has named it: the connector suggests it, or this program has found it */
    bool
        found_key; /* it is what was discovered, even if its collection has the same; else the collection's */
    bool full, incremental;
    struct slice resource;  /* Flow's: as it came */
    const char *collection; /* behind the prefix */
    bool chosen, read_full, bound, known;
    bool advised_off; /* Flow's: the connector suggests to leave it out */
};

struct discovery {
    struct cli *cli;
    const struct discover_options *options;
    struct arena arena;
    struct prompt prompt;
    bool asks; /* somebody is there to answer */
    bool color;

    const char *file;   /* the catalog */
    const char *folder; /* of it, with a slash at the end; "" for the working folder */
    const char *image;  /* as the catalog has it, or NULL */
    const char *const *command;
    const char *short_name; /* "source-faker" */
    const char *base;       /* how its files' names begin: the last part of the capture's */
    const char *name;       /* the capture's */
    const char *prefix;     /* of its collections, with a slash at the end, or "" */

    struct catalog *catalog; /* what is there already, or NULL */
    const struct catalog_capture *capture;

    struct connector_program program;
    struct json spec;                      /* the config's schema: a document of its own */
    struct json resource_pointers;         /* Flow's: an array of JSON pointers */
    const char *config_path, *config_name; /* the file's path, and its name as the catalog has it */
    struct slice config_text, config; /* as the file has it, and with its variables in place. JSON; secret. */
    bool config_is_new, config_is_inline;
    const char *complaint; /* what is wrong with the configuration that was given last; NULL: nothing yet */

    bool answered;      /* the connector has told its spec: it speaks the protocol */
    bool streams_known; /* what it found is of the configuration as it is */
    bool refused;       /* it has refused what would be written */

    struct discover_stream *streams;
    size_t stream_count;
};

/* --- cmd_discover_connector.c: what the connector says --------------------------------------------- */

/* Which connector the options name; then its program. */
int discover_which(struct discovery *discovery, struct error *err);
int discover_resolve(struct discovery *discovery, struct error *err);
/* A command of which nobody has said which protocol it speaks is asked by the one, then by the other. */
int discover_spec(struct discovery *discovery, struct error *err);
/* Airbyte's `check`; of Flow's connectors, which have none, what `discover` says. */
int discover_check(struct discovery *discovery, struct error *err);
int discover_streams(struct discovery *discovery, struct error *err);
/* What tells a resource of Flow's from others, as discover_stream.id: its path, or all of it. */
struct slice discover_resource_id(struct discovery *discovery, struct slice resource);

/* --- cmd_discover_keys.c: a key and a name for every stream ---------------------------------------- */

void discover_prepare(struct discovery *discovery);
/* Can the stream's schema have its key, be it required? What a source of Airbyte's names need not be one. */
bool discover_key_is_possible(struct discovery *discovery, const struct discover_stream *stream);
/* The key of the collection that the stream is bound to is its own, unless `found_key` says they agree. */
void discover_take_key(struct discovery *discovery, struct discover_stream *stream,
                       const struct catalog_collection *target);
bool discover_same_key(const char *const *key, size_t count, const struct catalog_collection *target);

/* --- cmd_discover_config.c: the configuration ------------------------------------------------------ */

/* ${NAME} in the strings of a JSON text. ERROR_INVALID names a variable that is not set. */
int discover_expand(struct arena *arena, struct slice text, struct slice *ret_expanded, struct error *err);
/* By the connector's schema: all that is wrong, a line each, without a value. */
int discover_validate_config(struct discovery *discovery, struct error *err);
/* The file as it is there. ERROR_NOT_FOUND. */
int discover_read_config(struct discovery *discovery, struct error *err);
/* A commented file to fill in. */
void discover_stub(struct discovery *discovery, struct buffer *out);
/* config_text as a file with a comment at each field. */
void discover_config_file(struct discovery *discovery, struct buffer *out);

/* --- cmd_discover_form.c: the configuration, asked for --------------------------------------------- */

/* Ask for all fields; config_text, if it is there, has the answers of the last time. Sets config_text. */
int discover_ask_config(struct discovery *discovery, struct error *err);

/* A property of the spec, its references followed. */
struct spec_field {
    uint32_t outer, inner; /* where it is written, and what that leads to */
    const char *name, *title;
    bool required, secret;
};
void spec_field_at(const struct json *spec, uint32_t at, struct spec_field *ret_field);
uint32_t spec_get(const struct json *spec, const struct spec_field *field, const char *member);
const char *spec_type(const struct json *spec, const struct spec_field *field);
/* The object's fields, required ones first, in the order that they are to be asked in. */
struct spec_field *spec_fields(const struct json *spec, uint32_t object, struct arena *arena,
                               size_t *ret_count);
/* "integer, 1 to 10" */
const char *spec_kind_text(const struct json *spec, const struct spec_field *field, struct arena *arena);

/* --- cmd_discover_choose.c: which streams, and how ------------------------------------------------- */

int discover_choose(struct discovery *discovery, struct error *err);

/* --- cmd_discover_write.c: the files --------------------------------------------------------------- */

/* A capture's name to its files' names: where the configuration goes. */
void discover_place(struct discovery *discovery);
/* By stream: the position of the capture's binding of it, or -1. In the arena. */
ptrdiff_t *discover_bindings(struct discovery *discovery);
/* The bindings that are there: which streams they are of. Before discover_prepare. */
int discover_match(struct discovery *discovery, struct error *err);
/* Write all that is chosen. */
int discover_write(struct discovery *discovery, struct error *err);

/* --- cmd_discover_record.c: what is remembered, for cmd_deploy.c ----------------------------------- */

/* The deployed copy of a catalog holds what is remembered of its captures that have autoDiscover: it is read
 * once through `files`, which take down what the copy is to hold. `path`: the catalog, as it was given. */
void discover_keep_records(const struct catalog *catalog, const char *path,
                           const struct catalog_files *files);

#endif
