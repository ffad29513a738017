/* Mappers: what a connection does to a stream's records on their way. Airbyte's config API has them in a
 * stream's config, in the order in which they are done: "mappers": [{"type", "mapperConfiguration"}], and the
 * older "hashedFields": [{"fieldPath"}]. They work on columns, the members of a record at its top. */
#ifndef FIRTH_PROTOCOL_AIRBYTE_MAPPER_H
#define FIRTH_PROTOCOL_AIRBYTE_MAPPER_H

#include "protocol/airbyte_catalog.h"
#include "json/json.h"

enum {
    AIRBYTE_MAPPERS_MAX = 256,        /* of one stream */
    AIRBYTE_CONDITION_DEPTH_MAX = 16, /* conditions in conditions */
    AIRBYTE_CONDITIONS_MAX = 1000,    /* of one row filter */
};

enum airbyte_mapper_type {
    AIRBYTE_MAPPER_HASH,   /* hashing: {targetField, method, fieldNameSuffix} */
    AIRBYTE_MAPPER_RENAME, /* field-renaming: {originalFieldName, newFieldName} */
    AIRBYTE_MAPPER_REMOVE, /* field-filtering: {targetField} */
    AIRBYTE_MAPPER_FILTER, /* row-filtering: {conditions} */
};

enum airbyte_condition_type { AIRBYTE_EQUAL, AIRBYTE_NOT, AIRBYTE_AND, AIRBYTE_OR };

struct airbyte_condition {
    enum airbyte_condition_type type;
    struct slice field, value;             /* EQUAL: the column, as text, is this */
    const struct airbyte_condition *parts; /* the others: NOT has one */
    size_t count;
};

struct airbyte_mapper {
    enum airbyte_mapper_type type;
    struct slice field;  /* the column; empty of a filter */
    struct slice target; /* HASH, RENAME: what it is called then */
    const char *method;  /* HASH: "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512" */
    struct airbyte_condition condition;
};

/* Those of a stream's config, `config` being JSON_NONE if it has none. ERROR_INVALID for what cannot be done,
 * by its name: an encryption, a mapper or a method that is not known, a name that is missing. Strings live in
 * the arena. */
int airbyte_mappers_read(const struct json *doc, uint32_t config, struct arena *arena,
                         const struct airbyte_mapper **ret_mappers, size_t *ret_count, struct error *err);
/* Do they fit an AirbyteStreamAndConfiguration of the config API: its schema's columns, as far as it names
 * any, and its key? ERROR_INVALID. */
int airbyte_mappers_check(const struct json *doc, uint32_t both, struct arena *arena, struct error *err);
/* Do those of the stream's config at `config` fit the columns of the schema at `schema` in `schema_doc`, and
 * this key? Of a schema that leaves room for columns that it does not name only a hashing has to find its
 * own: what it missed would go on in the clear. ERROR_INVALID. */
int airbyte_mappers_fit(const struct json *doc, uint32_t config, const struct json *schema_doc,
                        uint32_t schema, const struct airbyte_path *key, size_t key_count,
                        struct arena *arena, struct error *err);
/* Is one of them for the column? */
bool airbyte_mappers_use(const struct json *doc, uint32_t config, struct slice column, struct arena *arena);

#endif
