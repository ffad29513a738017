/* Flow's materialize protocol: what a runtime and a materialization connector say to one another.
 *
 * Unary: spec, validate, apply. Session: open, opened; then, for each transaction: acknowledge and
 * acknowledged, loads, flush, loaded…, flushed, stores, startCommit, startedCommit.
 *
 * Keys and values go both ways, as JSON and packed (json/key.h): connectors in Go read the packed ones alone.
 */
#ifndef FIRTH_PROTOCOL_FLOW_MATERIALIZE_H
#define FIRTH_PROTOCOL_FLOW_MATERIALIZE_H

#include "protocol/flow.h"

/* The numbers are the protocol's. */
enum flow_materialize_connector {
    FLOW_MATERIALIZE_INVALID,
    FLOW_MATERIALIZE_IMAGE = 8,
    FLOW_MATERIALIZE_LOCAL = 9,
    FLOW_MATERIALIZE_DEKAF = 10,
};

/* How a connector wants values shortened; 0: not. */
struct flow_ser_policy {
    uint32_t string_truncate_after, nested_object_truncate_after, array_truncate_after;
};

struct flow_field_selection {
    struct flow_texts keys;
    struct flow_texts values; /* ascending */
    struct slice document;
    struct slice raw_field_config; /* {"field": config} */
};

struct flow_materialize_binding {
    struct slice raw_resource_config;
    struct flow_texts resource_path;
    const struct flow_collection *collection;
    struct slice raw_partition_selector; /* {} is all */
    uint32_t priority;
    const struct flow_field_selection *field_selection;
    bool delta_updates;
    struct slice raw_deprecated_shuffle;
    struct slice journal_read_suffix;
    struct slice not_before, not_after; /* RFC 3339 */
    uint32_t backfill;
    struct slice state_key;
    const struct flow_ser_policy *ser_policy;
};

struct flow_materialize_bindings {
    const struct flow_materialize_binding *items;
    size_t count;
};

struct flow_materialize_spec {
    struct slice name;
    enum flow_materialize_connector connector_type;
    struct slice raw_config;
    struct flow_materialize_bindings bindings;
    struct slice raw_shard_template, raw_recovery_log_template; /* connectors in Go crash without them */
    struct flow_network_ports network_ports;
    struct flow_materialize_bindings inactive_bindings;
    struct slice raw_triggers;
    struct slice created_at;
};

/* --- requests -------------------------------------------------------------------------------------- */

enum flow_materialize_request_type {
    FLOW_MATERIALIZE_SPEC,
    FLOW_MATERIALIZE_VALIDATE,
    FLOW_MATERIALIZE_APPLY,
    FLOW_MATERIALIZE_OPEN,
    FLOW_MATERIALIZE_LOAD,
    FLOW_MATERIALIZE_FLUSH,
    FLOW_MATERIALIZE_STORE,
    FLOW_MATERIALIZE_START_COMMIT,
    FLOW_MATERIALIZE_ACKNOWLEDGE,
    FLOW_MATERIALIZE_REQUEST_MAX
};

struct flow_materialize_validate_binding {
    struct slice raw_resource_config;
    const struct flow_collection *collection;
    struct slice raw_field_config;
    uint32_t backfill;
    struct flow_texts group_by;
};

struct flow_materialize_validate_bindings {
    const struct flow_materialize_validate_binding *items;
    size_t count;
};

struct flow_binding_time {
    uint32_t binding;
    struct slice timestamp; /* RFC 3339 */
};

struct flow_binding_times {
    const struct flow_binding_time *items;
    size_t count;
};

struct flow_materialize_request {
    enum flow_materialize_request_type type;
    union {
        struct flow_materialize_spec_request {
            enum flow_materialize_connector connector_type;
            struct slice raw_config;
        } spec;
        struct flow_materialize_validate {
            struct slice name;
            enum flow_materialize_connector connector_type;
            struct slice raw_config;
            struct flow_materialize_validate_bindings bindings;
            const struct flow_materialize_spec *last_materialization;
            struct slice last_version;
        } validate;
        struct flow_materialize_apply {
            const struct flow_materialize_spec *materialization;
            struct slice version;
            const struct flow_materialize_spec *last_materialization;
            struct slice last_version;
            struct slice raw_state;
        } apply;
        struct flow_materialize_open {
            const struct flow_materialize_spec *materialization;
            struct slice version; /* not empty */
            const struct flow_range *range;
            struct slice raw_state;
            struct slice raw_sealed_config;
        } open;
        struct flow_load {
            uint32_t binding;
            struct slice raw_key; /* an array */
            struct slice key_packed;
        } load;
        struct flow_flush {
            struct slice raw_state_patches;
            struct flow_binding_times backfill_begins, backfill_completes;
        } flush;
        struct flow_store {
            uint32_t binding;
            struct slice raw_key, key_packed;
            struct slice raw_values, values_packed;
            struct slice raw_doc;
            bool exists;    /* it was loaded, or stored before */
            bool is_delete; /* which implies exists */
        } store;
        struct flow_start_commit {
            struct slice raw_runtime_checkpoint;
            struct slice raw_state_patches;
        } start_commit;
        struct flow_acknowledge {
            struct slice raw_state_patches;
        } acknowledge;
    };
};

/* --- responses ------------------------------------------------------------------------------------- */

enum flow_materialize_response_type {
    FLOW_MATERIALIZE_SPEC_RESPONSE,
    FLOW_MATERIALIZE_VALIDATED,
    FLOW_MATERIALIZE_APPLIED,
    FLOW_MATERIALIZE_OPENED,
    FLOW_MATERIALIZE_LOADED,
    FLOW_MATERIALIZE_FLUSHED,
    FLOW_MATERIALIZE_STARTED_COMMIT,
    FLOW_MATERIALIZE_ACKNOWLEDGED,
    FLOW_MATERIALIZE_RESPONSE_MAX
};

enum flow_constraint_type {
    FLOW_CONSTRAINT_INVALID,
    FLOW_CONSTRAINT_FIELD_REQUIRED,
    FLOW_CONSTRAINT_LOCATION_REQUIRED,    /* one projection of the location */
    FLOW_CONSTRAINT_LOCATION_RECOMMENDED, /* as FIELD_OPTIONAL; old */
    FLOW_CONSTRAINT_FIELD_OPTIONAL,
    FLOW_CONSTRAINT_FIELD_FORBIDDEN,
    FLOW_CONSTRAINT_INCOMPATIBLE, /* with what is there; a backfill would mend it. Old: UNSATISFIABLE */
};

struct flow_constraint {
    enum flow_constraint_type type;
    struct slice reason;       /* for people */
    struct slice folded_field; /* the field's name at the endpoint */
};

/* What the endpoint makes of a field. A field that is in no constraint is forbidden. */
struct flow_projection_constraint {
    struct slice field;
    const struct flow_constraint *constraint;
};

struct flow_projection_constraints {
    const struct flow_projection_constraint *items;
    size_t count;
};

struct flow_validated_binding {
    struct slice raw_constraints; /* {"field": constraint}: old; flow_validated_constraints reads both */
    struct flow_texts resource_path;
    bool delta_updates;
    const struct flow_ser_policy *ser_policy;
    bool case_insensitive_fields;
    struct flow_projection_constraints projection_constraints; /* a field may be there twice */
};

struct flow_validated_bindings {
    const struct flow_validated_binding *items;
    size_t count;
};

struct flow_materialize_response {
    enum flow_materialize_response_type type;
    union {
        struct flow_spec spec;
        struct flow_materialize_validated {
            struct flow_validated_bindings bindings; /* in the request's order */
        } validated;
        struct flow_applied applied;
        struct flow_materialize_opened {
            struct slice raw_runtime_checkpoint; /* absent: the runtime's own counts. {}: begin at zero */
            bool disable_load_optimization;
        } opened;
        struct flow_loaded {
            uint32_t binding;
            struct slice raw_doc;
        } loaded;
        struct flow_state_response {
            const struct flow_connector_state *state;
        } flushed, started_commit, acknowledged;
    };
};

/* --- lines ----------------------------------------------------------------------------------------- */

/* Append the message as one line. */
void flow_materialize_write_request(struct buffer *out, const struct flow_materialize_request *request);
void flow_materialize_write_response(struct buffer *out, const struct flow_materialize_response *response);

/* Read a parsed line. ERROR_PROTOCOL names the message and member that is wrong. */
int flow_materialize_read_request(const struct json *line, struct arena *arena,
                                  struct flow_materialize_request *ret_request, struct error *err);
int flow_materialize_read_response(const struct json *line, struct arena *arena,
                                   struct flow_materialize_response *ret_response, struct error *err);

/* The constraints that count: the list, or where there is none, those by field's name. */
int flow_validated_constraints(const struct flow_validated_binding *binding, struct arena *arena,
                               struct flow_projection_constraints *ret_constraints, struct error *err);

const char *flow_materialize_request_name(enum flow_materialize_request_type type);
const char *flow_materialize_response_name(enum flow_materialize_response_type type);
/* "FIELD_REQUIRED", … */
const char *flow_constraint_name(enum flow_constraint_type type);

#endif
