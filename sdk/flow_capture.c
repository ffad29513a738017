#include "flow.h"

/* A source that speaks Flow's capture protocol. */

/* --- spec ---------------------------------------------------------------------------------------------- */

static struct slice keep(struct arena *arena, struct buffer *text)
{
    struct slice copy = {arena_dup(arena, text->data, text->size), text->size};
    buffer_done(text);
    return copy;
}

static int answer_spec(struct flow *flow, struct firth_error *err)
{
    const struct slice pointers[] = {
        SLICE_LITERAL("/namespace"),
        slice_of(arena_printf(&flow->arena, "/%s", flow_resource_name(flow->class_)))};
    const char *url = flow->class_->documentation_url;
    struct buffer config, resource;
    buffer_init(&config, BUFFER_UNLIMITED);
    buffer_init(&resource, BUFFER_UNLIMITED);
    struct firth_spec own = {0};
    int result = flow->class_->own ? sdk_own_spec(flow->host, &own, err) : 0;
    if (flow->class_->own && result == 0) {
        struct firth_slice schema = own.parts.connection_specification;
        buffer_append(&config, schema.data, schema.size);
        url = own.parts.documentation_url ? arena_strdup(&flow->arena, own.parts.documentation_url) : NULL;
    } else if (result == 0) {
        sdk_spec_write_flow(&config, flow->class_);
    }
    if (flow->class_->own)
        sdk_own_spec_done(&own);
    if (result < 0) {
        buffer_done(&config);
        return -1;
    }
    flow_resource_schema(&resource, flow->class_);
    const struct flow_capture_response response = {
        .type = FLOW_CAPTURE_SPEC_RESPONSE,
        .spec = {.protocol = FLOW_PROTOCOL_VERSION,
                 .raw_config_schema = keep(&flow->arena, &config),
                 .raw_resource_config_schema = keep(&flow->arena, &resource),
                 .documentation_url = slice_of(url ? url : ""),
                 .resource_path_pointers = {pointers, 2}}};
    flow_capture_write_response(&flow->host->out, &response);
    return 0;
}

/* --- discover ------------------------------------------------------------------------------------------- */

/* A collection's name has letters, digits and -_+. in each of its parts. */
static struct slice recommended_name(const struct firth_stream *stream, struct arena *arena)
{
    char *name = stream->name_space ? arena_printf(arena, "%s/%s", stream->name_space, stream->name)
                                    : arena_strdup(arena, stream->name);
    for (char *at = name; *at; at++) {
        bool plain = (*at & 0x80) || (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
                     (*at >= 'A' && *at <= 'Z') || strchr("-_+./", *at);
        if (!plain)
            *at = '_';
    }
    return slice_of(name);
}

static struct slice resource_config(const struct firth_stream *stream, const char *name, struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    bool incremental = stream->sync_modes & FIRTH_INCREMENTAL && (!stream->cursor_is_free || stream->cursor ||
                                                                  !(stream->sync_modes & FIRTH_FULL_REFRESH));
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    if (stream->name_space)
        json_member_string(&writer, "namespace", stream->name_space);
    json_member_string(&writer, name, stream->name);
    json_member_string(&writer, "syncMode", incremental ? "incremental" : "full_refresh");
    json_end_object(&writer);
    return keep(arena, &text);
}

/* Can a key have the values of this property: booleans, integers, strings, and nothing else but null? */
static bool may_be_key(const struct json *doc, uint32_t property)
{
    uint32_t type = json_get(doc, property, "type");
    bool some = false, others = false;
    uint32_t each = json_is(doc, type, JSON_ARRAY) ? json_first(doc, type) : type;
    for (; each != JSON_NONE; each = each == type ? JSON_NONE : json_next(doc, type, each)) {
        if (json_string_is(doc, each, "boolean") || json_string_is(doc, each, "integer") ||
            json_string_is(doc, each, "string"))
            some = true;
        else
            others |= !json_string_is(doc, each, "null");
    }
    return some && !others;
}

/* For a stream without a key: its cursor, or every field that could be part of one. */
static struct flow_texts fallback_key(const struct firth_stream *stream, const struct json *schema,
                                      struct arena *arena)
{
    uint32_t properties = json_get(schema, 0, "properties");
    struct slice *items = arena_zalloc(arena, ((size_t)json_count(schema, properties) + 2) * sizeof *items);
    if (stream->cursor) {
        items[0] = slice_of(stream->cursor);
        return (struct flow_texts){items, 1};
    }
    struct flow_texts key = {items, 0};
    for (uint32_t name = json_first_key(schema, properties); name != JSON_NONE;
         name = json_next_key(schema, properties, name)) {
        struct buffer pointer;
        if (!may_be_key(schema, json_value(name)))
            continue;
        buffer_init(&pointer, BUFFER_UNLIMITED);
        json_pointer_push(&pointer, json_string(schema, name, arena));
        items[key.count++] = keep(arena, &pointer);
    }
    return key;
}

static bool is_required(const struct json *schema, struct slice name)
{
    uint32_t list = json_get(schema, 0, "required");
    for (uint32_t each = json_first(schema, list); each != JSON_NONE; each = json_next(schema, list, each)) {
        if (json_is(schema, each, JSON_STRING) && json_text_is(schema, each, name))
            return true;
    }
    return false;
}

/* A collection's key is in each of its documents: the schema says so too. Parts deeper than the first level
 * are left to the source's own schema. */
static struct slice document_schema(const struct json *schema, struct flow_texts key, struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (uint32_t name = json_first_key(schema, 0); name != JSON_NONE;
         name = json_next_key(schema, 0, name)) {
        if (json_string_is(schema, name, "required"))
            continue;
        json_put_key_of(&writer, schema, name);
        json_put_value(&writer, schema, json_value(name));
    }
    json_put_key(&writer, "required");
    json_begin_array(&writer);
    uint32_t list = json_get(schema, 0, "required");
    for (uint32_t each = json_first(schema, list); each != JSON_NONE; each = json_next(schema, list, each))
        json_put_value(&writer, schema, each);
    for (size_t i = 0; i < key.count; i++) {
        struct airbyte_path path =
            sdk_path_of_pointer(arena_strndup(arena, key.items[i].data, key.items[i].size), arena);
        if (path.count == 1 && !is_required(schema, path.parts[0]))
            json_put_slice(&writer, path.parts[0]);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    return keep(arena, &text);
}

static int describe(struct flow *flow, const struct firth_stream *stream,
                    struct flow_discovered_binding *binding, struct error *err)
{
    struct arena *arena = &flow->arena;
    struct json schema;
    size_t keys = 0;
    if (json_parse_copy(arena, stream->json_schema, strlen(stream->json_schema), &schema, err) < 0)
        return -1;
    while (stream->primary_key[keys])
        keys++;
    struct slice *key = arena_zalloc(arena, (keys + 1) * sizeof *key);
    struct slice *path = arena_zalloc(arena, 2 * sizeof *path);
    size_t parts = 0;
    for (size_t i = 0; i < keys; i++)
        key[i] = slice_of(stream->primary_key[i]);
    if (stream->name_space)
        path[parts++] = slice_of(stream->name_space);
    path[parts++] = slice_of(stream->name);
    *binding = (struct flow_discovered_binding){
        .recommended_name = recommended_name(stream, arena),
        .raw_resource_config = resource_config(stream, flow_resource_name(flow->class_), arena),
        .key = {key, keys},
        .resource_path = {path, parts},
        .is_fallback_key = keys == 0};
    if (keys == 0)
        binding->key = fallback_key(stream, &schema, arena);
    binding->raw_document_schema =
        document_schema(&schema, keys ? binding->key : (struct flow_texts){0}, arena);
    return 0;
}

static int answer_discover(struct flow *flow, const struct flow_capture_discover *request,
                           struct firth_error *err)
{
    struct firth_catalog offered;
    struct error library_err;
    void *config;
    sdk_catalog_init(&offered);
    int result = flow_read_config(flow, request->raw_config, true, &config, err);
    if (result == 0)
        result = flow->class_->source.discover(flow->host, config, &offered, err);
    struct flow_discovered_binding *bindings =
        arena_zalloc(&flow->arena, (offered.count + 1) * sizeof *bindings);
    for (size_t i = 0; i < offered.count && result == 0; i++) {
        if (describe(flow, &offered.streams[i], &bindings[i], &library_err) < 0)
            result = sdk_error(err, &library_err);
    }
    const struct flow_capture_response response = {.type = FLOW_CAPTURE_DISCOVERED,
                                                   .discovered = {{bindings, offered.count}}};
    if (result == 0)
        flow_capture_write_response(&flow->host->out, &response);
    sdk_catalog_done(&offered);
    return result;
}

/* --- validate, apply --------------------------------------------------------------------------------------
 */

static struct flow_texts path_of(const struct firth_stream *stream, struct arena *arena)
{
    struct slice *parts = arena_zalloc(arena, 2 * sizeof *parts);
    size_t count = 0;
    if (stream->name_space)
        parts[count++] = slice_of(arena_strdup(arena, stream->name_space));
    parts[count++] = slice_of(arena_strdup(arena, stream->name));
    return (struct flow_texts){parts, count};
}

static int answer_validate(struct flow *flow, const struct flow_capture_validate *request,
                           struct firth_error *err)
{
    size_t count = request->bindings.count;
    struct flow_resource *resources = arena_zalloc(&flow->arena, (count + 1) * sizeof *resources);
    struct flow_captured_path *paths = arena_zalloc(&flow->arena, (count + 1) * sizeof *paths);
    struct airbyte_configured_catalog catalog;
    const struct firth_stream **streams;
    struct firth_catalog offered;
    struct error library_err;
    void *config;
    for (size_t i = 0; i < count; i++) {
        if (flow_resource_read(request->bindings.items[i].raw_resource_config, &flow->arena, &resources[i],
                               &library_err) < 0)
            return sdk_error(err, &library_err);
    }
    sdk_catalog_init(&offered);
    int result = flow_read_config(flow, request->raw_config, true, &config, err);
    if (result == 0)
        result = flow_resources_offer(flow->host, config, resources, count, &offered, err);
    if (result == 0 &&
        flow_resources_select(&offered, resources, count, &flow->arena, &catalog, &streams, &library_err) < 0)
        result = sdk_error(err, &library_err);
    for (size_t i = 0; i < count && result == 0; i++)
        paths[i].resource_path = path_of(streams[i], &flow->arena);
    const struct flow_capture_response response = {.type = FLOW_CAPTURE_VALIDATED,
                                                   .validated = {{paths, count}}};
    if (result == 0)
        flow_capture_write_response(&flow->host->out, &response);
    sdk_catalog_done(&offered);
    return result;
}

static int answer_apply(struct flow *flow, const struct flow_capture_apply *request, struct firth_error *err)
{
    if (!request->capture)
        return flow_out_of_place(flow, "apply", "has no 'capture'", err);
    const struct flow_capture_response response = {.type = FLOW_CAPTURE_APPLIED};
    flow_capture_write_response(&flow->host->out, &response);
    return 0;
}

/* --- requests
 * ----------------------------------------------------------------------------------------------- */

int flow_capture_answer(struct flow *flow, bool *ret_session, struct firth_error *err)
{
    struct flow_capture_request request;
    struct error library_err;
    if (flow_capture_read_request(&flow->line, &flow->arena, &request, &library_err) < 0)
        return flow_bad_line(flow, &library_err, err);
    switch (request.type) {
    case FLOW_CAPTURE_SPEC:
        return answer_spec(flow, err);
    case FLOW_CAPTURE_DISCOVER:
        return answer_discover(flow, &request.discover, err);
    case FLOW_CAPTURE_VALIDATE:
        return answer_validate(flow, &request.validate, err);
    case FLOW_CAPTURE_APPLY:
        return answer_apply(flow, &request.apply, err);
    case FLOW_CAPTURE_OPEN:
        *ret_session = true;
        return flow_capture_session(flow, &request.open, err);
    default:
        return flow_out_of_place(flow, flow_capture_request_name(request.type), "came before 'open'", err);
    }
}
