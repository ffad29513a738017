/* Airbyte's catalogs: what a source offers (a CATALOG message's payload) and what is asked of a sync
 * (the ConfiguredAirbyteCatalog file given to `read` and `write`).
 *
 * Slices are of the document that was read, or of the arena where a string had escapes: both must outlive
 * the catalog. To build one by hand, fill the structs; a zeroed struct is a stream without modes, keys
 * and ids. */
#ifndef FIRTH_PROTOCOL_AIRBYTE_CATALOG_H
#define FIRTH_PROTOCOL_AIRBYTE_CATALOG_H

#include "protocol/airbyte.h"

enum airbyte_sync_mode { AIRBYTE_FULL_REFRESH, AIRBYTE_INCREMENTAL, AIRBYTE_SYNC_MODE_MAX };

enum airbyte_destination_sync_mode {
    AIRBYTE_APPEND,
    AIRBYTE_OVERWRITE,
    AIRBYTE_APPEND_DEDUP,
    AIRBYTE_OVERWRITE_DEDUP, /* not in protocol 0.18, but the platform has it: overwrite, deduplicated */
    AIRBYTE_UPDATE,
    AIRBYTE_SOFT_DELETE,
    AIRBYTE_DESTINATION_SYNC_MODE_MAX
};

/* "full_refresh", "append_dedup", …; -1 for a name that is none. */
const char *airbyte_sync_mode_name(enum airbyte_sync_mode mode);
int airbyte_sync_mode_parse(struct slice name);
const char *airbyte_destination_sync_mode_name(enum airbyte_destination_sync_mode mode);
int airbyte_destination_sync_mode_parse(struct slice name);
/* What a destination's spec says it can: bits of the enum; 0: it does not say. overwrite_dedup is no word of
 * protocol 0.18, whose readers refuse a spec that has it among its supported_destination_sync_modes: Firth's
 * connectors say it beside them, in firth_destination_sync_modes. */
unsigned airbyte_destination_modes(const struct json *spec, struct arena *arena);

/* A field's place inside a record: ["address", "city"]. Count 0: there is none. */
struct airbyte_path {
    const struct slice *parts;
    size_t count;
};

struct airbyte_stream {
    struct airbyte_stream_name name;
    struct slice json_schema;       /* an object, raw */
    bool full_refresh, incremental; /* supported_sync_modes */
    bool source_defined_cursor, is_resumable, is_file_based;
    struct airbyte_path default_cursor;
    const struct airbyte_path *primary_key; /* source_defined_primary_key */
    size_t primary_key_count;
    struct slice raw; /* the whole object as it was read: written again as it is, unknown keys and all.
                         Empty it ({0}) after changing a field, and the fields are written instead. */
};

struct airbyte_catalog {
    struct airbyte_stream *streams;
    size_t count;
};

enum { AIRBYTE_STREAMS_MAX = 100000, AIRBYTE_PATH_MAX = 256 };

/* Read the payload of a CATALOG message (the object with "streams"). ERROR_PROTOCOL names the stream and
 * the field that is wrong; two streams of one name and namespace are an error. Unknown sync modes are
 * ignored. */
int airbyte_catalog_read(const struct json *doc, uint32_t at, struct arena *arena,
                         struct airbyte_catalog *ret_catalog, struct error *err);
/* The stream's index, or -1. */
long airbyte_catalog_find(const struct airbyte_catalog *catalog, struct airbyte_stream_name name);
/* The stream that a person means: by name and namespace; by name alone where no namespace is given (size 0)
 * and one stream only has that name. -1 with ERROR_INVALID, which goes on after "the source": "has no stream
 * 'userz'; did you mean 'users'?"; *ret_namespace_wrong: the name is right. */
long airbyte_catalog_seek(const struct airbyte_catalog *catalog, struct airbyte_stream_name wanted,
                          bool *ret_namespace_wrong, struct error *err);
/* The payload alone: {"streams":[…]}. (The message: airbyte_write_catalog of airbyte_write.h.) */
void airbyte_catalog_write(struct buffer *out, const struct airbyte_catalog *catalog);

struct airbyte_configured_stream {
    struct airbyte_stream stream;
    enum airbyte_sync_mode sync_mode;
    enum airbyte_destination_sync_mode destination_sync_mode;
    struct airbyte_path cursor; /* cursor_field */
    const struct airbyte_path *primary_key;
    size_t primary_key_count;
    bool has_generation; /* the three ids are there; false: a platform without refreshes */
    int64_t generation_id, minimum_generation_id, sync_id;
    bool include_files;
};

struct airbyte_configured_catalog {
    struct airbyte_configured_stream *streams;
    size_t count;
};

/* Read a ConfiguredAirbyteCatalog. Lenient where clients are known to deviate: explicit nulls anywhere,
 * an absent destination_sync_mode (append), sync modes that the stream does not support. Modes of another
 * name are an error with the names that are right. */
int airbyte_configured_catalog_read(const struct json *doc, uint32_t at, struct arena *arena,
                                    struct airbyte_configured_catalog *ret_catalog, struct error *err);
long airbyte_configured_catalog_find(const struct airbyte_configured_catalog *catalog,
                                     struct airbyte_stream_name name);
/* The whole file. Absent cursors, keys and ids are left out. */
void airbyte_configured_catalog_write(struct buffer *out, const struct airbyte_configured_catalog *catalog);

#endif
