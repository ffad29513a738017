#include "protocol/flow_materialize.h"

#include "protocol/flow_codec.h"

/* --- the materialization --------------------------------------------------------------------------- */

static const struct flow_enum_value connector_values[] = {
    {"INVALID", FLOW_MATERIALIZE_INVALID},
    {"IMAGE", FLOW_MATERIALIZE_IMAGE},
    {"LOCAL", FLOW_MATERIALIZE_LOCAL},
    {"DEKAF", FLOW_MATERIALIZE_DEKAF},
};
static const struct flow_enum connector_enum = FLOW_VALUES(connector_values);

static const struct flow_member policy_members[] = {
    {"strTruncateAfter", FLOW_U32, offsetof(struct flow_ser_policy, string_truncate_after), NULL},
    {"nestedObjTruncateAfter", FLOW_U32, offsetof(struct flow_ser_policy, nested_object_truncate_after),
     NULL},
    {"arrayTruncateAfter", FLOW_U32, offsetof(struct flow_ser_policy, array_truncate_after), NULL},
};
static const struct flow_type policy_type = FLOW_TYPE("serPolicy", struct flow_ser_policy, policy_members);

static const struct flow_member selection_members[] = {
    {"keys", FLOW_TEXTS, offsetof(struct flow_field_selection, keys), NULL},
    {"values", FLOW_TEXTS, offsetof(struct flow_field_selection, values), NULL},
    {"document", FLOW_TEXT, offsetof(struct flow_field_selection, document), NULL},
    {"fieldConfig", FLOW_JSON, offsetof(struct flow_field_selection, raw_field_config), NULL},
};
static const struct flow_type selection_type =
    FLOW_TYPE("fieldSelection", struct flow_field_selection, selection_members);

static const struct flow_member binding_members[] = {
    {"resourceConfig", FLOW_JSON, offsetof(struct flow_materialize_binding, raw_resource_config), NULL},
    {"resourcePath", FLOW_TEXTS, offsetof(struct flow_materialize_binding, resource_path), NULL},
    {"collection", FLOW_MESSAGE, offsetof(struct flow_materialize_binding, collection),
     &flow_type_collection},
    {"partitionSelector", FLOW_JSON, offsetof(struct flow_materialize_binding, raw_partition_selector), NULL},
    {"priority", FLOW_U32, offsetof(struct flow_materialize_binding, priority), NULL},
    {"fieldSelection", FLOW_MESSAGE, offsetof(struct flow_materialize_binding, field_selection),
     &selection_type},
    {"deltaUpdates", FLOW_BOOL, offsetof(struct flow_materialize_binding, delta_updates), NULL},
    {"deprecatedShuffle", FLOW_JSON, offsetof(struct flow_materialize_binding, raw_deprecated_shuffle), NULL},
    {"journalReadSuffix", FLOW_TEXT, offsetof(struct flow_materialize_binding, journal_read_suffix), NULL},
    {"notBefore", FLOW_TEXT, offsetof(struct flow_materialize_binding, not_before), NULL},
    {"notAfter", FLOW_TEXT, offsetof(struct flow_materialize_binding, not_after), NULL},
    {"backfill", FLOW_U32, offsetof(struct flow_materialize_binding, backfill), NULL},
    {"stateKey", FLOW_TEXT, offsetof(struct flow_materialize_binding, state_key), NULL},
    {"serPolicy", FLOW_MESSAGE, offsetof(struct flow_materialize_binding, ser_policy), &policy_type},
};
static const struct flow_type binding_type =
    FLOW_TYPE("binding", struct flow_materialize_binding, binding_members);

static const struct flow_member materialization_members[] = {
    {"name", FLOW_TEXT, offsetof(struct flow_materialize_spec, name), NULL},
    {"connectorType", FLOW_ENUM, offsetof(struct flow_materialize_spec, connector_type), &connector_enum},
    {"config", FLOW_JSON, offsetof(struct flow_materialize_spec, raw_config), NULL},
    {"bindings", FLOW_MESSAGES, offsetof(struct flow_materialize_spec, bindings), &binding_type},
    {"shardTemplate", FLOW_JSON, offsetof(struct flow_materialize_spec, raw_shard_template), NULL},
    {"recoveryLogTemplate", FLOW_JSON, offsetof(struct flow_materialize_spec, raw_recovery_log_template),
     NULL},
    {"networkPorts", FLOW_MESSAGES, offsetof(struct flow_materialize_spec, network_ports),
     &flow_type_network_port},
    {"inactiveBindings", FLOW_MESSAGES, offsetof(struct flow_materialize_spec, inactive_bindings),
     &binding_type},
    {"triggers", FLOW_JSON, offsetof(struct flow_materialize_spec, raw_triggers), NULL},
    {"createdAt", FLOW_TEXT, offsetof(struct flow_materialize_spec, created_at), NULL},
};
static const struct flow_type materialization_type =
    FLOW_TYPE("materialization", struct flow_materialize_spec, materialization_members);

/* --- requests -------------------------------------------------------------------------------------- */

static const struct flow_member spec_members[] = {
    {"connectorType", FLOW_ENUM, offsetof(struct flow_materialize_spec_request, connector_type),
     &connector_enum},
    {"config", FLOW_JSON, offsetof(struct flow_materialize_spec_request, raw_config), NULL},
};
static const struct flow_type spec_type =
    FLOW_TYPE("spec", struct flow_materialize_spec_request, spec_members);

static const struct flow_member validate_binding_members[] = {
    {"resourceConfig", FLOW_JSON, offsetof(struct flow_materialize_validate_binding, raw_resource_config),
     NULL},
    {"collection", FLOW_MESSAGE, offsetof(struct flow_materialize_validate_binding, collection),
     &flow_type_collection},
    {"fieldConfig", FLOW_JSON, offsetof(struct flow_materialize_validate_binding, raw_field_config), NULL},
    {"backfill", FLOW_U32, offsetof(struct flow_materialize_validate_binding, backfill), NULL},
    {"groupBy", FLOW_TEXTS, offsetof(struct flow_materialize_validate_binding, group_by), NULL},
};
static const struct flow_type validate_binding_type =
    FLOW_TYPE("binding", struct flow_materialize_validate_binding, validate_binding_members);

static const struct flow_member validate_members[] = {
    {"name", FLOW_TEXT, offsetof(struct flow_materialize_validate, name), NULL},
    {"connectorType", FLOW_ENUM, offsetof(struct flow_materialize_validate, connector_type), &connector_enum},
    {"config", FLOW_JSON, offsetof(struct flow_materialize_validate, raw_config), NULL},
    {"bindings", FLOW_MESSAGES, offsetof(struct flow_materialize_validate, bindings), &validate_binding_type},
    {"lastMaterialization", FLOW_MESSAGE, offsetof(struct flow_materialize_validate, last_materialization),
     &materialization_type},
    {"lastVersion", FLOW_TEXT, offsetof(struct flow_materialize_validate, last_version), NULL},
};
static const struct flow_type validate_type =
    FLOW_TYPE("validate", struct flow_materialize_validate, validate_members);

static const struct flow_member apply_members[] = {
    {"materialization", FLOW_MESSAGE, offsetof(struct flow_materialize_apply, materialization),
     &materialization_type},
    {"version", FLOW_TEXT, offsetof(struct flow_materialize_apply, version), NULL},
    {"lastMaterialization", FLOW_MESSAGE, offsetof(struct flow_materialize_apply, last_materialization),
     &materialization_type},
    {"lastVersion", FLOW_TEXT, offsetof(struct flow_materialize_apply, last_version), NULL},
    {"state", FLOW_JSON, offsetof(struct flow_materialize_apply, raw_state), NULL},
};
static const struct flow_type apply_type = FLOW_TYPE("apply", struct flow_materialize_apply, apply_members);

static const struct flow_member open_members[] = {
    {"materialization", FLOW_MESSAGE, offsetof(struct flow_materialize_open, materialization),
     &materialization_type},
    {"version", FLOW_TEXT, offsetof(struct flow_materialize_open, version), NULL},
    {"range", FLOW_MESSAGE, offsetof(struct flow_materialize_open, range), &flow_type_range},
    {"state", FLOW_JSON, offsetof(struct flow_materialize_open, raw_state), NULL},
    {"sealedConfig", FLOW_JSON, offsetof(struct flow_materialize_open, raw_sealed_config), NULL},
};
static const struct flow_type open_type = FLOW_TYPE("open", struct flow_materialize_open, open_members);

static const struct flow_member load_members[] = {
    {"binding", FLOW_U32, offsetof(struct flow_load, binding), NULL},
    {"key", FLOW_JSON, offsetof(struct flow_load, raw_key), NULL},
    {"keyPacked", FLOW_BYTES, offsetof(struct flow_load, key_packed), NULL},
};
static const struct flow_type load_type = FLOW_TYPE("load", struct flow_load, load_members);

static const struct flow_member time_members[] = {
    {"binding", FLOW_U32, offsetof(struct flow_binding_time, binding), NULL},
    {"timestamp", FLOW_TEXT, offsetof(struct flow_binding_time, timestamp), NULL},
};
static const struct flow_type time_type = FLOW_TYPE("backfill", struct flow_binding_time, time_members);

static const struct flow_member flush_members[] = {
    {"statePatches", FLOW_JSON, offsetof(struct flow_flush, raw_state_patches), NULL},
    {"backfillBegins", FLOW_MESSAGES, offsetof(struct flow_flush, backfill_begins), &time_type},
    {"backfillCompletes", FLOW_MESSAGES, offsetof(struct flow_flush, backfill_completes), &time_type},
};
static const struct flow_type flush_type = FLOW_TYPE("flush", struct flow_flush, flush_members);

static const struct flow_member store_members[] = {
    {"binding", FLOW_U32, offsetof(struct flow_store, binding), NULL},
    {"key", FLOW_JSON, offsetof(struct flow_store, raw_key), NULL},
    {"keyPacked", FLOW_BYTES, offsetof(struct flow_store, key_packed), NULL},
    {"values", FLOW_JSON, offsetof(struct flow_store, raw_values), NULL},
    {"valuesPacked", FLOW_BYTES, offsetof(struct flow_store, values_packed), NULL},
    {"doc", FLOW_JSON, offsetof(struct flow_store, raw_doc), NULL},
    {"exists", FLOW_BOOL, offsetof(struct flow_store, exists), NULL},
    {"delete", FLOW_BOOL, offsetof(struct flow_store, is_delete), NULL},
};
static const struct flow_type store_type = FLOW_TYPE("store", struct flow_store, store_members);

static const struct flow_member start_commit_members[] = {
    {"runtimeCheckpoint", FLOW_JSON, offsetof(struct flow_start_commit, raw_runtime_checkpoint), NULL},
    {"statePatches", FLOW_JSON, offsetof(struct flow_start_commit, raw_state_patches), NULL},
};
static const struct flow_type start_commit_type =
    FLOW_TYPE("startCommit", struct flow_start_commit, start_commit_members);

static const struct flow_member acknowledge_members[] = {
    {"statePatches", FLOW_JSON, offsetof(struct flow_acknowledge, raw_state_patches), NULL},
};
static const struct flow_type acknowledge_type =
    FLOW_TYPE("acknowledge", struct flow_acknowledge, acknowledge_members);

static const struct flow_line_type requests[FLOW_MATERIALIZE_REQUEST_MAX] = {
    [FLOW_MATERIALIZE_SPEC] = {"spec", &spec_type},
    [FLOW_MATERIALIZE_VALIDATE] = {"validate", &validate_type},
    [FLOW_MATERIALIZE_APPLY] = {"apply", &apply_type},
    [FLOW_MATERIALIZE_OPEN] = {"open", &open_type},
    [FLOW_MATERIALIZE_LOAD] = {"load", &load_type},
    [FLOW_MATERIALIZE_FLUSH] = {"flush", &flush_type},
    [FLOW_MATERIALIZE_STORE] = {"store", &store_type},
    [FLOW_MATERIALIZE_START_COMMIT] = {"startCommit", &start_commit_type},
    [FLOW_MATERIALIZE_ACKNOWLEDGE] = {"acknowledge", &acknowledge_type},
};

/* --- responses ------------------------------------------------------------------------------------- */

static const struct flow_enum_value constraint_values[] = {
    {"INVALID", FLOW_CONSTRAINT_INVALID},
    {"FIELD_REQUIRED", FLOW_CONSTRAINT_FIELD_REQUIRED},
    {"LOCATION_REQUIRED", FLOW_CONSTRAINT_LOCATION_REQUIRED},
    {"LOCATION_RECOMMENDED", FLOW_CONSTRAINT_LOCATION_RECOMMENDED},
    {"FIELD_OPTIONAL", FLOW_CONSTRAINT_FIELD_OPTIONAL},
    {"FIELD_FORBIDDEN", FLOW_CONSTRAINT_FIELD_FORBIDDEN},
    {"INCOMPATIBLE", FLOW_CONSTRAINT_INCOMPATIBLE},
    {"UNSATISFIABLE", FLOW_CONSTRAINT_INCOMPATIBLE},
};
static const struct flow_enum constraint_enum = FLOW_VALUES(constraint_values);

static const struct flow_member constraint_members[] = {
    {"type", FLOW_ENUM, offsetof(struct flow_constraint, type), &constraint_enum},
    {"reason", FLOW_TEXT, offsetof(struct flow_constraint, reason), NULL},
    {"foldedField", FLOW_TEXT, offsetof(struct flow_constraint, folded_field), NULL},
};
static const struct flow_type constraint_type =
    FLOW_TYPE("constraint", struct flow_constraint, constraint_members);

static const struct flow_member projection_constraint_members[] = {
    {"field", FLOW_TEXT, offsetof(struct flow_projection_constraint, field), NULL},
    {"constraint", FLOW_MESSAGE, offsetof(struct flow_projection_constraint, constraint), &constraint_type},
};
static const struct flow_type projection_constraint_type =
    FLOW_TYPE("projectionConstraint", struct flow_projection_constraint, projection_constraint_members);

static const struct flow_member validated_binding_members[] = {
    {"constraints", FLOW_JSON, offsetof(struct flow_validated_binding, raw_constraints), NULL},
    {"resourcePath", FLOW_TEXTS, offsetof(struct flow_validated_binding, resource_path), NULL},
    {"deltaUpdates", FLOW_BOOL, offsetof(struct flow_validated_binding, delta_updates), NULL},
    {"serPolicy", FLOW_MESSAGE, offsetof(struct flow_validated_binding, ser_policy), &policy_type},
    {"caseInsensitiveFields", FLOW_BOOL, offsetof(struct flow_validated_binding, case_insensitive_fields),
     NULL},
    {"projectionConstraints", FLOW_MESSAGES, offsetof(struct flow_validated_binding, projection_constraints),
     &projection_constraint_type},
};
static const struct flow_type validated_binding_type =
    FLOW_TYPE("binding", struct flow_validated_binding, validated_binding_members);

static const struct flow_member validated_members[] = {
    {"bindings", FLOW_MESSAGES, offsetof(struct flow_materialize_validated, bindings),
     &validated_binding_type},
};
static const struct flow_type validated_type =
    FLOW_TYPE("validated", struct flow_materialize_validated, validated_members);

static const struct flow_member opened_members[] = {
    {"runtimeCheckpoint", FLOW_JSON, offsetof(struct flow_materialize_opened, raw_runtime_checkpoint), NULL},
    {"disableLoadOptimization", FLOW_BOOL,
     offsetof(struct flow_materialize_opened, disable_load_optimization), NULL},
};
static const struct flow_type opened_type =
    FLOW_TYPE("opened", struct flow_materialize_opened, opened_members);

static const struct flow_member loaded_members[] = {
    {"binding", FLOW_U32, offsetof(struct flow_loaded, binding), NULL},
    {"doc", FLOW_JSON, offsetof(struct flow_loaded, raw_doc), NULL},
};
static const struct flow_type loaded_type = FLOW_TYPE("loaded", struct flow_loaded, loaded_members);

static const struct flow_member state_members[] = {
    {"state", FLOW_MESSAGE, offsetof(struct flow_state_response, state), &flow_type_connector_state},
};
static const struct flow_type flushed_type = FLOW_TYPE("flushed", struct flow_state_response, state_members);
static const struct flow_type started_commit_type =
    FLOW_TYPE("startedCommit", struct flow_state_response, state_members);
static const struct flow_type acknowledged_type =
    FLOW_TYPE("acknowledged", struct flow_state_response, state_members);

static const struct flow_line_type responses[FLOW_MATERIALIZE_RESPONSE_MAX] = {
    [FLOW_MATERIALIZE_SPEC_RESPONSE] = {"spec", &flow_type_spec},
    [FLOW_MATERIALIZE_VALIDATED] = {"validated", &validated_type},
    [FLOW_MATERIALIZE_APPLIED] = {"applied", &flow_type_applied},
    [FLOW_MATERIALIZE_OPENED] = {"opened", &opened_type},
    [FLOW_MATERIALIZE_LOADED] = {"loaded", &loaded_type},
    [FLOW_MATERIALIZE_FLUSHED] = {"flushed", &flushed_type},
    [FLOW_MATERIALIZE_STARTED_COMMIT] = {"startedCommit", &started_commit_type},
    [FLOW_MATERIALIZE_ACKNOWLEDGED] = {"acknowledged", &acknowledged_type},
};

/* --- lines ----------------------------------------------------------------------------------------- */

void flow_materialize_write_request(struct buffer *out, const struct flow_materialize_request *request)
{
    flow_line_write(out, &requests[request->type], &request->spec);
}

void flow_materialize_write_response(struct buffer *out, const struct flow_materialize_response *response)
{
    flow_line_write(out, &responses[response->type], &response->spec);
}

int flow_materialize_read_request(const struct json *line, struct arena *arena,
                                  struct flow_materialize_request *ret_request, struct error *err)
{
    uint32_t at;
    int which = flow_line_which(line, requests, FLOW_MATERIALIZE_REQUEST_MAX,
                                "a request of Flow's materialize protocol", &at, err);
    if (which < 0)
        return -1;
    *ret_request = (struct flow_materialize_request){.type = (enum flow_materialize_request_type)which};
    return flow_read(line, at, requests[which].type, arena, &ret_request->spec, err);
}

int flow_materialize_read_response(const struct json *line, struct arena *arena,
                                   struct flow_materialize_response *ret_response, struct error *err)
{
    uint32_t at;
    int which = flow_line_which(line, responses, FLOW_MATERIALIZE_RESPONSE_MAX,
                                "a response of Flow's materialize protocol", &at, err);
    if (which < 0)
        return -1;
    *ret_response = (struct flow_materialize_response){.type = (enum flow_materialize_response_type)which};
    return flow_read(line, at, responses[which].type, arena, &ret_response->spec, err);
}

int flow_validated_constraints(const struct flow_validated_binding *binding, struct arena *arena,
                               struct flow_projection_constraints *ret_constraints, struct error *err)
{
    if (binding->projection_constraints.count || binding->raw_constraints.size == 0) {
        *ret_constraints = binding->projection_constraints;
        return 0;
    }
    struct json doc;
    if (json_parse_copy(arena, binding->raw_constraints.data, binding->raw_constraints.size, &doc, err) < 0)
        return error_wrap(err, "binding.constraints");
    if (!json_is(&doc, 0, JSON_OBJECT))
        return flow_wrong(&doc, 0, "binding", "constraints", "an object", err);
    struct flow_projection_constraint *items = arena_zalloc(arena, (json_count(&doc, 0) + 1) * sizeof *items);
    size_t count = 0;
    for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
        struct flow_constraint *constraint = arena_zalloc(arena, sizeof *constraint);
        if (flow_read(&doc, json_value(key), &constraint_type, arena, constraint, err) < 0)
            return error_wrap(err, "binding.constraints");
        items[count++] = (struct flow_projection_constraint){json_string(&doc, key, arena), constraint};
    }
    *ret_constraints = (struct flow_projection_constraints){items, count};
    return 0;
}

const char *flow_materialize_request_name(enum flow_materialize_request_type type)
{
    return requests[type].name;
}

const char *flow_materialize_response_name(enum flow_materialize_response_type type)
{
    return responses[type].name;
}

const char *flow_constraint_name(enum flow_constraint_type type)
{
    for (size_t i = 0; i < constraint_enum.count; i++) {
        if (constraint_values[i].value == (int)type)
            return constraint_values[i].name;
    }
    return "INVALID";
}
