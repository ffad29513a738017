/* Estuary Flow's connector protocols (runtime 0.6): what both, capture and materialize, have in common.
 *
 * A message is one line: an object with one member that says which it is. The structs here are that JSON:
 * flow_capture.h and flow_materialize.h read and write them, for both sides of the conversation. Flow's
 * rules of mapping hold everywhere: what has its default (0, false, "", []) is not written; null is absent;
 * 64-bit integers are strings (and read as numbers too), bytes are base64, enumerations are names (and read
 * as numbers too); unknown members are ignored.
 *
 * A slice named `raw_…`, or said to be JSON, holds one valid JSON value; empty means absent. What was read
 * points into the line or the arena; what is written is copied. Lists are never NULL where count > 0. A
 * message inside another is a pointer, NULL if it is absent: present but empty (`{}`) is something else. */
#ifndef FIRTH_PROTOCOL_FLOW_H
#define FIRTH_PROTOCOL_FLOW_H

#include "json/json.h"

struct json_writer;

enum { FLOW_PROTOCOL_VERSION = 3032023 }; /* what every `spec` response names */
/* Is it this version that a `spec` response names? ERROR_UNSUPPORTED; `label`: whose it is. */
int flow_protocol_check(uint32_t protocol, const char *label, struct error *err);

/* Firth's own word, of which Flow's protocol has none: a connector's config as it is from now on, an object,
 * {"configChanged":{…}}. Said only to a runtime that asks for it by this variable, not empty. */
#define FLOW_CONFIG_VARIABLE "FIRTH_TAKES_CONFIG"
#define FLOW_CONFIG_CHANGED "configChanged"
/* The object's node, if that is what the line says; JSON_NONE. */
uint32_t flow_config_changed(const struct json *line);

struct flow_texts {
    const struct slice *items;
    size_t count;
};

/* --- a collection ---------------------------------------------------------------------------------- */

enum flow_exists {
    FLOW_EXISTS_INVALID,
    FLOW_EXISTS_MUST,
    FLOW_EXISTS_MAY,      /* the schema speaks of it */
    FLOW_EXISTS_IMPLICIT, /* the schema does not, but lets it be */
    FLOW_EXISTS_CANNOT,
};

enum flow_reduce {
    FLOW_REDUCE_UNSET,
    FLOW_REDUCE_MULTIPLE,
    FLOW_REDUCE_APPEND,
    FLOW_REDUCE_FIRST_WRITE_WINS,
    FLOW_REDUCE_LAST_WRITE_WINS,
    FLOW_REDUCE_MAXIMIZE,
    FLOW_REDUCE_MERGE,
    FLOW_REDUCE_MINIMIZE,
    FLOW_REDUCE_SET,
    FLOW_REDUCE_SUM,
    FLOW_REDUCE_JSON_SCHEMA_MERGE,
};

enum flow_redact { FLOW_REDACT_UNSET, FLOW_REDACT_MULTIPLE, FLOW_REDACT_BLOCK, FLOW_REDACT_SHA256 };

struct flow_inference_string {
    struct slice content_type, format, content_encoding;
    uint32_t max_length;           /* 0: no limit */
    struct slice minimum, maximum; /* of strings that are numbers (x-str-minimum, x-str-maximum) */
};

struct flow_inference_numeric {
    bool has_minimum, has_maximum;
    double minimum, maximum;
};

struct flow_inference_array {
    uint32_t min_items, max_items;
    bool has_max_items;
    struct flow_texts item_types;
};

/* What the schema says of a location. */
struct flow_inference {
    struct flow_texts types; /* of null, boolean, object, array, integer, number, string */
    enum flow_exists exists;
    const struct flow_inference_string *string;
    const struct flow_inference_numeric *numeric;
    const struct flow_inference_array *array;
    struct slice title, description, content_media_type;
    struct slice raw_default;
    struct flow_texts raw_enum;
    bool secret;
    enum flow_reduce reduce;
    enum flow_redact redact;
};

struct flow_projection {
    struct slice pointer; /* "": the whole document */
    struct slice field;
    bool is_explicit, is_partition_key, is_primary_key;
    const struct flow_inference *inference;
};

struct flow_projections {
    const struct flow_projection *items; /* ascending by field: connectors check that */
    size_t count;
};

struct flow_collection {
    struct slice name;
    struct slice raw_write_schema, raw_read_schema; /* read: absent if it is the same */
    struct flow_texts key;                          /* JSON pointers */
    struct slice uuid_pointer;
    struct flow_texts partition_fields; /* ascending */
    struct flow_projections projections;
    struct slice raw_ack_template;
    struct slice raw_partition_template; /* a JournalSpec; connectors in Go crash without it */
};

/* Append it as a JSON object. */
void flow_collection_write(struct buffer *out, const struct flow_collection *collection);
/* Read the object at `at`; slices are of the document or the arena. */
int flow_collection_read(const struct json *doc, uint32_t at, struct arena *arena,
                         struct flow_collection *ret_collection, struct error *err);

/* The object at `at` into a zeroed inference. */
int flow_inference_read(const struct json *doc, uint32_t at, struct arena *arena,
                        struct flow_inference *ret_inference, struct error *err);

/* --- states ---------------------------------------------------------------------------------------- */

/* What becomes of a connector's state: replaced by `raw_updated`, or patched by it (RFC 7396). */
struct flow_connector_state {
    struct slice raw_updated;
    bool merge_patch;
};

/* --- tasks ----------------------------------------------------------------------------------------- */

/* Which part of the keys (by hash) and of the clocks a task has, inclusive. */
struct flow_range {
    uint32_t key_begin, key_end, clock_begin, clock_end;
};
#define FLOW_RANGE_ALL ((struct flow_range){0, UINT32_MAX, 0, UINT32_MAX})

struct flow_network_port {
    uint32_t number;
    struct slice protocol;
    bool is_public;
};

struct flow_network_ports {
    const struct flow_network_port *items;
    size_t count;
};

/* What a connector says of itself. */
struct flow_spec {
    uint32_t protocol; /* FLOW_PROTOCOL_VERSION */
    struct slice raw_config_schema, raw_resource_config_schema;
    struct slice documentation_url;
    struct slice raw_oauth2;
    struct flow_texts resource_path_pointers; /* captures: where in a resource's config its path is */
};

/* The answer to `apply`. */
struct flow_applied {
    struct slice action_description; /* for people; "": nothing was done */
    const struct flow_connector_state *state;
};

/* The templates that connectors in Go demand (they end with SIGSEGV without): a journal's and a shard's
 * specification in their smallest accepted form, in the arena. */
struct slice flow_journal_template(struct slice name, struct arena *arena);
struct slice flow_shard_template(struct slice id, struct arena *arena);
/* The document that acknowledges a transaction's documents in a collection, before its uuid is set. */
extern const struct slice flow_ack_template;
extern const struct slice flow_uuid_pointer; /* "/_meta/uuid" */

/* By what name a binding's part of the connector's state goes: the resource's path, its parts joined by '/',
 * each byte but letters, digits and -_+.= percent-encoded, then ".v<backfill>" unless that is 0. */
struct slice flow_state_key(struct flow_texts resource_path, uint32_t backfill, struct arena *arena);

/* --- bytes ----------------------------------------------------------------------------------------- */

/* As a string in base64. */
void flow_bytes_write(struct json_writer *writer, struct slice bytes);
/* The bytes of a string in base64, either alphabet, padded or not, as protobuf's JSON has it. False: it is
 * none. */
bool flow_bytes_read(const struct json *doc, uint32_t at, struct arena *arena, struct slice *ret_bytes);

#endif
