#include "protocol/flow_capture.h"

#include "protocol/flow_codec.h"

/* --- the capture ----------------------------------------------------------------------------------- */

static const struct flow_enum_value connector_values[] = {
    {"INVALID", FLOW_CAPTURE_INVALID},
    {"IMAGE", FLOW_CAPTURE_IMAGE},
    {"LOCAL", FLOW_CAPTURE_LOCAL},
};
static const struct flow_enum connector_enum = FLOW_VALUES(connector_values);

static const struct flow_member binding_members[] = {
    {"resourceConfig", FLOW_JSON, offsetof(struct flow_capture_binding, raw_resource_config), NULL},
    {"resourcePath", FLOW_TEXTS, offsetof(struct flow_capture_binding, resource_path), NULL},
    {"collection", FLOW_MESSAGE, offsetof(struct flow_capture_binding, collection), &flow_type_collection},
    {"backfill", FLOW_U32, offsetof(struct flow_capture_binding, backfill), NULL},
    {"stateKey", FLOW_TEXT, offsetof(struct flow_capture_binding, state_key), NULL},
};
static const struct flow_type binding_type =
    FLOW_TYPE("binding", struct flow_capture_binding, binding_members);

static const struct flow_member capture_members[] = {
    {"name", FLOW_TEXT, offsetof(struct flow_capture_spec, name), NULL},
    {"connectorType", FLOW_ENUM, offsetof(struct flow_capture_spec, connector_type), &connector_enum},
    {"config", FLOW_JSON, offsetof(struct flow_capture_spec, raw_config), NULL},
    {"bindings", FLOW_MESSAGES, offsetof(struct flow_capture_spec, bindings), &binding_type},
    {"intervalSeconds", FLOW_U32, offsetof(struct flow_capture_spec, interval_seconds), NULL},
    {"shardTemplate", FLOW_JSON, offsetof(struct flow_capture_spec, raw_shard_template), NULL},
    {"recoveryLogTemplate", FLOW_JSON, offsetof(struct flow_capture_spec, raw_recovery_log_template), NULL},
    {"networkPorts", FLOW_MESSAGES, offsetof(struct flow_capture_spec, network_ports),
     &flow_type_network_port},
    {"inactiveBindings", FLOW_MESSAGES, offsetof(struct flow_capture_spec, inactive_bindings), &binding_type},
    {"redactSalt", FLOW_BYTES, offsetof(struct flow_capture_spec, redact_salt), NULL},
    {"createdAt", FLOW_TEXT, offsetof(struct flow_capture_spec, created_at), NULL},
};
static const struct flow_type capture_type = FLOW_TYPE("capture", struct flow_capture_spec, capture_members);

/* --- requests -------------------------------------------------------------------------------------- */

static const struct flow_member spec_members[] = {
    {"connectorType", FLOW_ENUM, offsetof(struct flow_capture_spec_request, connector_type), &connector_enum},
    {"config", FLOW_JSON, offsetof(struct flow_capture_spec_request, raw_config), NULL},
};
static const struct flow_type spec_type = FLOW_TYPE("spec", struct flow_capture_spec_request, spec_members);

static const struct flow_member discover_members[] = {
    {"name", FLOW_TEXT, offsetof(struct flow_capture_discover, name), NULL},
    {"connectorType", FLOW_ENUM, offsetof(struct flow_capture_discover, connector_type), &connector_enum},
    {"config", FLOW_JSON, offsetof(struct flow_capture_discover, raw_config), NULL},
    {"createdAt", FLOW_TEXT, offsetof(struct flow_capture_discover, created_at), NULL},
};
static const struct flow_type discover_type =
    FLOW_TYPE("discover", struct flow_capture_discover, discover_members);

static const struct flow_member validate_binding_members[] = {
    {"resourceConfig", FLOW_JSON, offsetof(struct flow_capture_validate_binding, raw_resource_config), NULL},
    {"collection", FLOW_MESSAGE, offsetof(struct flow_capture_validate_binding, collection),
     &flow_type_collection},
    {"backfill", FLOW_U32, offsetof(struct flow_capture_validate_binding, backfill), NULL},
};
static const struct flow_type validate_binding_type =
    FLOW_TYPE("binding", struct flow_capture_validate_binding, validate_binding_members);

static const struct flow_member validate_members[] = {
    {"name", FLOW_TEXT, offsetof(struct flow_capture_validate, name), NULL},
    {"connectorType", FLOW_ENUM, offsetof(struct flow_capture_validate, connector_type), &connector_enum},
    {"config", FLOW_JSON, offsetof(struct flow_capture_validate, raw_config), NULL},
    {"bindings", FLOW_MESSAGES, offsetof(struct flow_capture_validate, bindings), &validate_binding_type},
    {"lastCapture", FLOW_MESSAGE, offsetof(struct flow_capture_validate, last_capture), &capture_type},
    {"lastVersion", FLOW_TEXT, offsetof(struct flow_capture_validate, last_version), NULL},
};
static const struct flow_type validate_type =
    FLOW_TYPE("validate", struct flow_capture_validate, validate_members);

static const struct flow_member apply_members[] = {
    {"capture", FLOW_MESSAGE, offsetof(struct flow_capture_apply, capture), &capture_type},
    {"version", FLOW_TEXT, offsetof(struct flow_capture_apply, version), NULL},
    {"lastCapture", FLOW_MESSAGE, offsetof(struct flow_capture_apply, last_capture), &capture_type},
    {"lastVersion", FLOW_TEXT, offsetof(struct flow_capture_apply, last_version), NULL},
    {"state", FLOW_JSON, offsetof(struct flow_capture_apply, raw_state), NULL},
};
static const struct flow_type apply_type = FLOW_TYPE("apply", struct flow_capture_apply, apply_members);

static const struct flow_member open_members[] = {
    {"capture", FLOW_MESSAGE, offsetof(struct flow_capture_open, capture), &capture_type},
    {"version", FLOW_TEXT, offsetof(struct flow_capture_open, version), NULL},
    {"range", FLOW_MESSAGE, offsetof(struct flow_capture_open, range), &flow_type_range},
    {"state", FLOW_JSON, offsetof(struct flow_capture_open, raw_state), NULL},
    {"sealedConfig", FLOW_JSON, offsetof(struct flow_capture_open, raw_sealed_config), NULL},
};
static const struct flow_type open_type = FLOW_TYPE("open", struct flow_capture_open, open_members);

static const struct flow_member acknowledge_members[] = {
    {"checkpoints", FLOW_U32, offsetof(struct flow_capture_acknowledge, checkpoints), NULL},
};
static const struct flow_type acknowledge_type =
    FLOW_TYPE("acknowledge", struct flow_capture_acknowledge, acknowledge_members);

static const struct flow_line_type requests[FLOW_CAPTURE_REQUEST_MAX] = {
    [FLOW_CAPTURE_SPEC] = {"spec", &spec_type},
    [FLOW_CAPTURE_DISCOVER] = {"discover", &discover_type},
    [FLOW_CAPTURE_VALIDATE] = {"validate", &validate_type},
    [FLOW_CAPTURE_APPLY] = {"apply", &apply_type},
    [FLOW_CAPTURE_OPEN] = {"open", &open_type},
    [FLOW_CAPTURE_ACKNOWLEDGE] = {"acknowledge", &acknowledge_type},
};

/* --- responses ------------------------------------------------------------------------------------- */

static const struct flow_member discovered_binding_members[] = {
    {"recommendedName", FLOW_TEXT, offsetof(struct flow_discovered_binding, recommended_name), NULL},
    {"resourceConfig", FLOW_JSON, offsetof(struct flow_discovered_binding, raw_resource_config), NULL},
    {"documentSchema", FLOW_JSON, offsetof(struct flow_discovered_binding, raw_document_schema), NULL},
    {"key", FLOW_TEXTS, offsetof(struct flow_discovered_binding, key), NULL},
    {"disable", FLOW_BOOL, offsetof(struct flow_discovered_binding, disable), NULL},
    {"resourcePath", FLOW_TEXTS, offsetof(struct flow_discovered_binding, resource_path), NULL},
    {"isFallbackKey", FLOW_BOOL, offsetof(struct flow_discovered_binding, is_fallback_key), NULL},
};
static const struct flow_type discovered_binding_type =
    FLOW_TYPE("binding", struct flow_discovered_binding, discovered_binding_members);

static const struct flow_member discovered_members[] = {
    {"bindings", FLOW_MESSAGES, offsetof(struct flow_capture_discovered, bindings), &discovered_binding_type},
};
static const struct flow_type discovered_type =
    FLOW_TYPE("discovered", struct flow_capture_discovered, discovered_members);

static const struct flow_member path_members[] = {
    {"resourcePath", FLOW_TEXTS, offsetof(struct flow_captured_path, resource_path), NULL},
};
static const struct flow_type path_type = FLOW_TYPE("binding", struct flow_captured_path, path_members);

static const struct flow_member validated_members[] = {
    {"bindings", FLOW_MESSAGES, offsetof(struct flow_capture_validated, bindings), &path_type},
};
static const struct flow_type validated_type =
    FLOW_TYPE("validated", struct flow_capture_validated, validated_members);

static const struct flow_member opened_members[] = {
    {"explicitAcknowledgements", FLOW_BOOL, offsetof(struct flow_capture_opened, explicit_acknowledgements),
     NULL},
};
static const struct flow_type opened_type = FLOW_TYPE("opened", struct flow_capture_opened, opened_members);

static const struct flow_member captured_members[] = {
    {"binding", FLOW_U32, offsetof(struct flow_captured, binding), NULL},
    {"doc", FLOW_JSON, offsetof(struct flow_captured, raw_doc), NULL},
};
static const struct flow_type captured_type = FLOW_TYPE("captured", struct flow_captured, captured_members);

static const struct flow_member sourced_schema_members[] = {
    {"binding", FLOW_U32, offsetof(struct flow_sourced_schema, binding), NULL},
    {"documentSchema", FLOW_JSON, offsetof(struct flow_sourced_schema, raw_document_schema), NULL},
};
static const struct flow_type sourced_schema_type =
    FLOW_TYPE("sourcedSchema", struct flow_sourced_schema, sourced_schema_members);

static const struct flow_member checkpoint_members[] = {
    {"state", FLOW_MESSAGE, offsetof(struct flow_capture_checkpoint, state), &flow_type_connector_state},
};
static const struct flow_type checkpoint_type =
    FLOW_TYPE("checkpoint", struct flow_capture_checkpoint, checkpoint_members);

static const struct flow_member backfill_members[] = {
    {"binding", FLOW_U32, offsetof(struct flow_capture_backfill, binding), NULL},
};
static const struct flow_type backfill_type =
    FLOW_TYPE("backfill", struct flow_capture_backfill, backfill_members);

static const struct flow_line_type responses[FLOW_CAPTURE_RESPONSE_MAX] = {
    [FLOW_CAPTURE_SPEC_RESPONSE] = {"spec", &flow_type_spec},
    [FLOW_CAPTURE_DISCOVERED] = {"discovered", &discovered_type},
    [FLOW_CAPTURE_VALIDATED] = {"validated", &validated_type},
    [FLOW_CAPTURE_APPLIED] = {"applied", &flow_type_applied},
    [FLOW_CAPTURE_OPENED] = {"opened", &opened_type},
    [FLOW_CAPTURE_CAPTURED] = {"captured", &captured_type},
    [FLOW_CAPTURE_SOURCED_SCHEMA] = {"sourcedSchema", &sourced_schema_type},
    [FLOW_CAPTURE_CHECKPOINT] = {"checkpoint", &checkpoint_type},
    [FLOW_CAPTURE_BACKFILL_BEGIN] = {"backfillBegin", &backfill_type},
    [FLOW_CAPTURE_BACKFILL_COMPLETE] = {"backfillComplete", &backfill_type},
};

/* --- lines ----------------------------------------------------------------------------------------- */

void flow_capture_write_request(struct buffer *out, const struct flow_capture_request *request)
{
    flow_line_write(out, &requests[request->type], &request->spec);
}

void flow_capture_write_response(struct buffer *out, const struct flow_capture_response *response)
{
    flow_line_write(out, &responses[response->type], &response->spec);
}

int flow_capture_read_request(const struct json *line, struct arena *arena,
                              struct flow_capture_request *ret_request, struct error *err)
{
    uint32_t at;
    int which = flow_line_which(line, requests, FLOW_CAPTURE_REQUEST_MAX,
                                "a request of Flow's capture protocol", &at, err);
    if (which < 0)
        return -1;
    *ret_request = (struct flow_capture_request){.type = (enum flow_capture_request_type)which};
    return flow_read(line, at, requests[which].type, arena, &ret_request->spec, err);
}

/* Nearly all lines are {"captured":{"binding":1,"doc":{…}}}: their members are at hand without a search. */
static bool read_captured(const struct json *line, struct flow_capture_response *response)
{
    uint32_t key = json_first_key(line, 0);
    if (json_count(line, 0) != 1 || !slice_is(json_inner(line, key), "captured"))
        return false;
    uint32_t object = json_value(key);
    uint64_t binding = 0;
    response->type = FLOW_CAPTURE_CAPTURED;
    response->captured = (struct flow_captured){.doc = JSON_NONE};
    for (key = json_first_key(line, object); key != JSON_NONE; key = json_next_key(line, object, key)) {
        struct slice name = json_inner(line, key);
        if (slice_is(name, "doc"))
            response->captured.doc = json_value(key);
        else if (!slice_is(name, "binding") || !json_to_u64(line, json_value(key), &binding))
            return false;
    }
    if (!json_is(line, response->captured.doc, JSON_OBJECT) || binding > UINT32_MAX)
        return false;
    response->captured.binding = (uint32_t)binding;
    response->captured.raw_doc = json_raw(line, response->captured.doc);
    return true;
}

static int check_captured(const struct json *line, uint32_t at, struct flow_captured *captured,
                          struct error *err)
{
    captured->doc = json_get(line, at, "doc");
    if (!json_is(line, captured->doc, JSON_OBJECT))
        return flow_wrong(line, captured->doc, "captured", "doc", "an object", err);
    return 0;
}

int flow_capture_read_response(const struct json *line, struct arena *arena,
                               struct flow_capture_response *ret_response, struct error *err)
{
    if (!line->duplicates && read_captured(line, ret_response))
        return 0;
    uint32_t at;
    int which = flow_line_which(line, responses, FLOW_CAPTURE_RESPONSE_MAX,
                                "a response of Flow's capture protocol", &at, err);
    if (which < 0)
        return -1;
    *ret_response = (struct flow_capture_response){.type = (enum flow_capture_response_type)which};
    if (flow_read(line, at, responses[which].type, arena, &ret_response->spec, err) < 0)
        return -1;
    return which == FLOW_CAPTURE_CAPTURED ? check_captured(line, at, &ret_response->captured, err) : 0;
}

const char *flow_capture_request_name(enum flow_capture_request_type type)
{
    return requests[type].name;
}

const char *flow_capture_response_name(enum flow_capture_response_type type)
{
    return responses[type].name;
}
