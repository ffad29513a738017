#include "protocol/flow.h"

#include "protocol/flow_codec.h"

/* The messages that both protocols share. */

/* --- a collection ---------------------------------------------------------------------------------- */

static const struct flow_enum_value exists_values[] = {
    {"INVALID", FLOW_EXISTS_INVALID},   {"MUST", FLOW_EXISTS_MUST},     {"MAY", FLOW_EXISTS_MAY},
    {"IMPLICIT", FLOW_EXISTS_IMPLICIT}, {"CANNOT", FLOW_EXISTS_CANNOT},
};
static const struct flow_enum exists_enum = FLOW_VALUES(exists_values);

static const struct flow_enum_value reduce_values[] = {
    {"REDUCE_UNSET", FLOW_REDUCE_UNSET},
    {"REDUCE_MULTIPLE", FLOW_REDUCE_MULTIPLE},
    {"REDUCE_APPEND", FLOW_REDUCE_APPEND},
    {"REDUCE_FIRST_WRITE_WINS", FLOW_REDUCE_FIRST_WRITE_WINS},
    {"REDUCE_LAST_WRITE_WINS", FLOW_REDUCE_LAST_WRITE_WINS},
    {"REDUCE_MAXIMIZE", FLOW_REDUCE_MAXIMIZE},
    {"REDUCE_MERGE", FLOW_REDUCE_MERGE},
    {"REDUCE_MINIMIZE", FLOW_REDUCE_MINIMIZE},
    {"REDUCE_SET", FLOW_REDUCE_SET},
    {"REDUCE_SUM", FLOW_REDUCE_SUM},
    {"REDUCE_JSON_SCHEMA_MERGE", FLOW_REDUCE_JSON_SCHEMA_MERGE},
};
static const struct flow_enum reduce_enum = FLOW_VALUES(reduce_values);

static const struct flow_enum_value redact_values[] = {
    {"REDACT_UNSET", FLOW_REDACT_UNSET},
    {"REDACT_MULTIPLE", FLOW_REDACT_MULTIPLE},
    {"REDACT_BLOCK", FLOW_REDACT_BLOCK},
    {"REDACT_SHA256", FLOW_REDACT_SHA256},
};
static const struct flow_enum redact_enum = FLOW_VALUES(redact_values);

static const struct flow_member string_members[] = {
    {"contentType", FLOW_TEXT, offsetof(struct flow_inference_string, content_type), NULL},
    {"format", FLOW_TEXT, offsetof(struct flow_inference_string, format), NULL},
    {"contentEncoding", FLOW_TEXT, offsetof(struct flow_inference_string, content_encoding), NULL},
    {"maxLength", FLOW_U32, offsetof(struct flow_inference_string, max_length), NULL},
    {"strMinimum", FLOW_TEXT, offsetof(struct flow_inference_string, minimum), NULL},
    {"strMaximum", FLOW_TEXT, offsetof(struct flow_inference_string, maximum), NULL},
};
static const struct flow_type string_type =
    FLOW_TYPE("inference.string", struct flow_inference_string, string_members);

static const struct flow_member numeric_members[] = {
    {"hasMinimum", FLOW_BOOL, offsetof(struct flow_inference_numeric, has_minimum), NULL},
    {"minimum", FLOW_DOUBLE, offsetof(struct flow_inference_numeric, minimum), NULL},
    {"hasMaximum", FLOW_BOOL, offsetof(struct flow_inference_numeric, has_maximum), NULL},
    {"maximum", FLOW_DOUBLE, offsetof(struct flow_inference_numeric, maximum), NULL},
};
static const struct flow_type numeric_type =
    FLOW_TYPE("inference.numeric", struct flow_inference_numeric, numeric_members);

static const struct flow_member array_members[] = {
    {"minItems", FLOW_U32, offsetof(struct flow_inference_array, min_items), NULL},
    {"hasMaxItems", FLOW_BOOL, offsetof(struct flow_inference_array, has_max_items), NULL},
    {"maxItems", FLOW_U32, offsetof(struct flow_inference_array, max_items), NULL},
    {"itemTypes", FLOW_TEXTS, offsetof(struct flow_inference_array, item_types), NULL},
};
static const struct flow_type array_type =
    FLOW_TYPE("inference.array", struct flow_inference_array, array_members);

static const struct flow_member inference_members[] = {
    {"types", FLOW_TEXTS, offsetof(struct flow_inference, types), NULL},
    {"string", FLOW_MESSAGE, offsetof(struct flow_inference, string), &string_type},
    {"title", FLOW_TEXT, offsetof(struct flow_inference, title), NULL},
    {"description", FLOW_TEXT, offsetof(struct flow_inference, description), NULL},
    {"default", FLOW_JSON, offsetof(struct flow_inference, raw_default), NULL},
    {"secret", FLOW_BOOL, offsetof(struct flow_inference, secret), NULL},
    {"exists", FLOW_ENUM, offsetof(struct flow_inference, exists), &exists_enum},
    {"numeric", FLOW_MESSAGE, offsetof(struct flow_inference, numeric), &numeric_type},
    {"array", FLOW_MESSAGE, offsetof(struct flow_inference, array), &array_type},
    {"enum", FLOW_JSONS, offsetof(struct flow_inference, raw_enum), NULL},
    {"reduce", FLOW_ENUM, offsetof(struct flow_inference, reduce), &reduce_enum},
    {"redact", FLOW_ENUM, offsetof(struct flow_inference, redact), &redact_enum},
    {"contentMediaType", FLOW_TEXT, offsetof(struct flow_inference, content_media_type), NULL},
};
static const struct flow_type inference_type =
    FLOW_TYPE("inference", struct flow_inference, inference_members);

static const struct flow_member projection_members[] = {
    {"ptr", FLOW_TEXT, offsetof(struct flow_projection, pointer), NULL},
    {"field", FLOW_TEXT, offsetof(struct flow_projection, field), NULL},
    {"explicit", FLOW_BOOL, offsetof(struct flow_projection, is_explicit), NULL},
    {"isPartitionKey", FLOW_BOOL, offsetof(struct flow_projection, is_partition_key), NULL},
    {"isPrimaryKey", FLOW_BOOL, offsetof(struct flow_projection, is_primary_key), NULL},
    {"inference", FLOW_MESSAGE, offsetof(struct flow_projection, inference), &inference_type},
};
static const struct flow_type projection_type =
    FLOW_TYPE("projection", struct flow_projection, projection_members);

static const struct flow_member collection_members[] = {
    {"name", FLOW_TEXT, offsetof(struct flow_collection, name), NULL},
    {"writeSchema", FLOW_JSON, offsetof(struct flow_collection, raw_write_schema), NULL},
    {"readSchema", FLOW_JSON, offsetof(struct flow_collection, raw_read_schema), NULL},
    {"key", FLOW_TEXTS, offsetof(struct flow_collection, key), NULL},
    {"uuidPtr", FLOW_TEXT, offsetof(struct flow_collection, uuid_pointer), NULL},
    {"partitionFields", FLOW_TEXTS, offsetof(struct flow_collection, partition_fields), NULL},
    {"projections", FLOW_MESSAGES, offsetof(struct flow_collection, projections), &projection_type},
    {"ackTemplate", FLOW_JSON, offsetof(struct flow_collection, raw_ack_template), NULL},
    {"partitionTemplate", FLOW_JSON, offsetof(struct flow_collection, raw_partition_template), NULL},
};
const struct flow_type flow_type_collection =
    FLOW_TYPE("collection", struct flow_collection, collection_members);

int flow_protocol_check(uint32_t protocol, const char *label, struct error *err)
{
    if (protocol == FLOW_PROTOCOL_VERSION)
        return 0;
    if (protocol == 0)
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s does not say which version of Flow's protocol it speaks: its answer to 'spec' "
                         "has no 'protocol'; right would be %d",
                         label, FLOW_PROTOCOL_VERSION);
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s speaks version %u of Flow's protocol, this program speaks %d", label, protocol,
                     FLOW_PROTOCOL_VERSION);
}

void flow_collection_write(struct buffer *out, const struct flow_collection *collection)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    flow_write(&writer, &flow_type_collection, collection);
}

int flow_collection_read(const struct json *doc, uint32_t at, struct arena *arena,
                         struct flow_collection *ret_collection, struct error *err)
{
    *ret_collection = (struct flow_collection){0};
    return flow_read(doc, at, &flow_type_collection, arena, ret_collection, err);
}

int flow_inference_read(const struct json *doc, uint32_t at, struct arena *arena,
                        struct flow_inference *ret_inference, struct error *err)
{
    return flow_read(doc, at, &inference_type, arena, ret_inference, err);
}

/* --- states, tasks --------------------------------------------------------------------------------- */

static const struct flow_member state_members[] = {
    {"updated", FLOW_JSON, offsetof(struct flow_connector_state, raw_updated), NULL},
    {"mergePatch", FLOW_BOOL, offsetof(struct flow_connector_state, merge_patch), NULL},
};
const struct flow_type flow_type_connector_state =
    FLOW_TYPE("state", struct flow_connector_state, state_members);

static const struct flow_member range_members[] = {
    {"keyBegin", FLOW_U32, offsetof(struct flow_range, key_begin), NULL},
    {"keyEnd", FLOW_U32, offsetof(struct flow_range, key_end), NULL},
    {"rClockBegin", FLOW_U32, offsetof(struct flow_range, clock_begin), NULL},
    {"rClockEnd", FLOW_U32, offsetof(struct flow_range, clock_end), NULL},
};
const struct flow_type flow_type_range = FLOW_TYPE("range", struct flow_range, range_members);

static const struct flow_member port_members[] = {
    {"number", FLOW_U32, offsetof(struct flow_network_port, number), NULL},
    {"protocol", FLOW_TEXT, offsetof(struct flow_network_port, protocol), NULL},
    {"public", FLOW_BOOL, offsetof(struct flow_network_port, is_public), NULL},
};
const struct flow_type flow_type_network_port =
    FLOW_TYPE("networkPort", struct flow_network_port, port_members);

static const struct flow_member spec_members[] = {
    {"protocol", FLOW_U32, offsetof(struct flow_spec, protocol), NULL},
    {"configSchema", FLOW_JSON, offsetof(struct flow_spec, raw_config_schema), NULL},
    {"resourceConfigSchema", FLOW_JSON, offsetof(struct flow_spec, raw_resource_config_schema), NULL},
    {"documentationUrl", FLOW_TEXT, offsetof(struct flow_spec, documentation_url), NULL},
    {"oauth2", FLOW_JSON, offsetof(struct flow_spec, raw_oauth2), NULL},
    {"resourcePathPointers", FLOW_TEXTS, offsetof(struct flow_spec, resource_path_pointers), NULL},
};
const struct flow_type flow_type_spec = FLOW_TYPE("spec", struct flow_spec, spec_members);

static const struct flow_member applied_members[] = {
    {"actionDescription", FLOW_TEXT, offsetof(struct flow_applied, action_description), NULL},
    {"state", FLOW_MESSAGE, offsetof(struct flow_applied, state), &flow_type_connector_state},
};
const struct flow_type flow_type_applied = FLOW_TYPE("applied", struct flow_applied, applied_members);

/* --- what goes with every task --------------------------------------------------------------------- */

const struct slice flow_ack_template =
    SLICE_LITERAL("{\"_meta\":{\"uuid\":\"DocUUIDPlaceholder-329Bb50aa48EAa9ef\",\"ack\":true}}");
const struct slice flow_uuid_pointer = SLICE_LITERAL("/_meta/uuid");

struct slice flow_journal_template(struct slice name, struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_slice(&writer, "name", name);
    json_member_u64(&writer, "replication", 1);
    json_member_raw(
        &writer, "fragment",
        SLICE_LITERAL("{\"length\":\"134217728\",\"compressionCodec\":\"GZIP\",\"refreshInterval\":"
                      "\"300s\"}"));
    json_end_object(&writer);
    struct slice copy = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

uint32_t flow_config_changed(const struct json *line)
{
    uint32_t key = json_first_key(line, 0);
    if (key == JSON_NONE || !slice_is(json_inner(line, key), FLOW_CONFIG_CHANGED) ||
        json_count(line, 0) != 1 || !json_is(line, json_value(key), JSON_OBJECT))
        return JSON_NONE;
    return json_value(key);
}

struct slice flow_shard_template(struct slice id, struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_slice(&writer, "id", id);
    json_member_string(&writer, "recoveryLogPrefix", "recovery");
    json_member_string(&writer, "hintPrefix", "/estuary/flow/hints");
    json_member_u64(&writer, "hintBackups", 2);
    json_member_string(&writer, "maxTxnDuration", "1s");
    json_end_object(&writer);
    struct slice copy = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

static bool stays(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-_+.=", c));
}

struct slice flow_state_key(struct flow_texts resource_path, uint32_t backfill, struct arena *arena)
{
    static const char digits[] = "0123456789ABCDEF";
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < resource_path.count; i++) {
        if (i > 0)
            buffer_str(&text, "%2F");
        for (size_t j = 0; j < resource_path.items[i].size; j++) {
            unsigned char c = (unsigned char)resource_path.items[i].data[j];
            if (stays((char)c)) {
                buffer_byte(&text, (char)c);
                continue;
            }
            buffer_byte(&text, '%');
            buffer_byte(&text, digits[c >> 4]);
            buffer_byte(&text, digits[c & 15]);
        }
    }
    if (backfill)
        buffer_printf(&text, ".v%u", backfill);
    struct slice copy = {arena_dup(arena, buffer_cstr(&text), text.size), text.size};
    buffer_done(&text);
    return copy;
}
