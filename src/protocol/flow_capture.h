/* Flow's capture protocol: what a runtime and a capture connector say to one another, a line a message.
 *
 * Unary: spec, discover, validate, apply: one request, one response, the end. Session: open, opened; then the
 * connector's groups of captured and sourcedSchema, each ended by a checkpoint, and the runtime's
 * acknowledgements of checkpoints that are durable, if `opened` asks for them. */
#ifndef FIRTH_PROTOCOL_FLOW_CAPTURE_H
#define FIRTH_PROTOCOL_FLOW_CAPTURE_H

#include "protocol/flow.h"

/* The numbers are the protocol's. */
enum flow_capture_connector { FLOW_CAPTURE_INVALID, FLOW_CAPTURE_IMAGE = 7, FLOW_CAPTURE_LOCAL = 8 };

struct flow_capture_binding {
    struct slice raw_resource_config;
    struct flow_texts resource_path; /* as `validated` gave it */
    const struct flow_collection *collection;
    uint32_t backfill;
    struct slice state_key; /* flow_state_key */
};

struct flow_capture_bindings {
    const struct flow_capture_binding *items;
    size_t count;
};

struct flow_capture_spec {
    struct slice name;
    enum flow_capture_connector connector_type;
    struct slice raw_config;
    struct flow_capture_bindings bindings;
    uint32_t interval_seconds;
    struct slice raw_shard_template, raw_recovery_log_template; /* connectors in Go crash without them */
    struct flow_network_ports network_ports;
    struct flow_capture_bindings inactive_bindings;
    struct slice redact_salt; /* bytes */
    struct slice created_at;  /* "2026-11-21" */
};

/* --- requests -------------------------------------------------------------------------------------- */

enum flow_capture_request_type {
    FLOW_CAPTURE_SPEC,
    FLOW_CAPTURE_DISCOVER,
    FLOW_CAPTURE_VALIDATE,
    FLOW_CAPTURE_APPLY,
    FLOW_CAPTURE_OPEN,
    FLOW_CAPTURE_ACKNOWLEDGE,
    FLOW_CAPTURE_REQUEST_MAX
};

struct flow_capture_validate_binding {
    struct slice raw_resource_config;
    const struct flow_collection *collection;
    uint32_t backfill;
};

struct flow_capture_validate_bindings {
    const struct flow_capture_validate_binding *items;
    size_t count;
};

struct flow_capture_request {
    enum flow_capture_request_type type;
    union {
        struct flow_capture_spec_request {
            enum flow_capture_connector connector_type;
            struct slice raw_config;
        } spec;
        struct flow_capture_discover {
            struct slice name;
            enum flow_capture_connector connector_type;
            struct slice raw_config;
            struct slice created_at;
        } discover;
        struct flow_capture_validate {
            struct slice name;
            enum flow_capture_connector connector_type;
            struct slice raw_config;
            struct flow_capture_validate_bindings bindings;
            const struct flow_capture_spec *last_capture;
            struct slice last_version;
        } validate;
        struct flow_capture_apply {
            const struct flow_capture_spec *capture;
            struct slice version;
            const struct flow_capture_spec *last_capture;
            struct slice last_version;
            struct slice raw_state;
        } apply;
        struct flow_capture_open {
            const struct flow_capture_spec *capture;
            struct slice version;
            const struct flow_range *range;
            struct slice raw_state;
            struct slice raw_sealed_config;
        } open;
        struct flow_capture_acknowledge {
            uint32_t checkpoints; /* at least 1 */
        } acknowledge;
    };
};

/* --- responses ------------------------------------------------------------------------------------- */

enum flow_capture_response_type {
    FLOW_CAPTURE_SPEC_RESPONSE,
    FLOW_CAPTURE_DISCOVERED,
    FLOW_CAPTURE_VALIDATED,
    FLOW_CAPTURE_APPLIED,
    FLOW_CAPTURE_OPENED,
    FLOW_CAPTURE_CAPTURED,
    FLOW_CAPTURE_SOURCED_SCHEMA,
    FLOW_CAPTURE_CHECKPOINT,
    FLOW_CAPTURE_BACKFILL_BEGIN,
    FLOW_CAPTURE_BACKFILL_COMPLETE,
    FLOW_CAPTURE_RESPONSE_MAX
};

struct flow_discovered_binding {
    struct slice recommended_name;
    struct slice raw_resource_config, raw_document_schema;
    struct flow_texts key;
    bool disable;
    struct flow_texts resource_path;
    bool is_fallback_key;
};

struct flow_discovered_bindings {
    const struct flow_discovered_binding *items;
    size_t count;
};

struct flow_captured_path {
    struct flow_texts resource_path;
};

struct flow_captured_paths {
    const struct flow_captured_path *items;
    size_t count;
};

struct flow_capture_response {
    enum flow_capture_response_type type;
    union {
        struct flow_spec spec;
        struct flow_capture_discovered {
            struct flow_discovered_bindings bindings;
        } discovered;
        struct flow_capture_validated {
            struct flow_captured_paths bindings; /* in the request's order */
        } validated;
        struct flow_applied applied;
        struct flow_capture_opened {
            bool explicit_acknowledgements;
        } opened;
        struct flow_captured {
            uint32_t binding;
            struct slice raw_doc;
            uint32_t doc; /* its node, when it was read; not written */
        } captured;
        struct flow_sourced_schema {
            uint32_t binding;
            struct slice raw_document_schema;
        } sourced_schema;
        struct flow_capture_checkpoint {
            const struct flow_connector_state *state;
        } checkpoint;
        struct flow_capture_backfill {
            uint32_t binding;
        } backfill; /* begin and complete */
    };
};

/* --- lines ----------------------------------------------------------------------------------------- */

/* Append the message as one line. */
void flow_capture_write_request(struct buffer *out, const struct flow_capture_request *request);
void flow_capture_write_response(struct buffer *out, const struct flow_capture_response *response);

/* Read a parsed line. ERROR_PROTOCOL names the message and member that is wrong. A `captured` allocates
 * nothing. */
int flow_capture_read_request(const struct json *line, struct arena *arena,
                              struct flow_capture_request *ret_request, struct error *err);
int flow_capture_read_response(const struct json *line, struct arena *arena,
                               struct flow_capture_response *ret_response, struct error *err);

/* "spec", "validated", …: as the line has it. */
const char *flow_capture_request_name(enum flow_capture_request_type type);
const char *flow_capture_response_name(enum flow_capture_response_type type);

#endif
