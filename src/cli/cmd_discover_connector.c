/* firth discover: the connector's spec, check and discover, in either protocol. */
#include "base/file.h"
#include "cli/cmd_discover.h"
#include "cli/words.h"
#include "connector/flow_call.h"
#include "connector/image.h"
#include "connector/marks.h"
#include "protocol/flow_capture.h"
#include "task/config_keeper.h"
#include "json/writer.h"

enum { FIRST_ANSWER_MS = 60 * 1000 }; /* a program may speak another protocol, and wait for it */

/* --- which ----------------------------------------------------------------------------------------- */

static int find_by_name(struct discovery *discovery, const char *name, struct error *err)
{
    const struct connector_catalog *all = discovery->cli->built_ins;
    struct connector_added added;
    const char **names = arena_zalloc(&discovery->arena, (all->count + 1) * sizeof *names);
    char shown[OPTION_SHOWN_MAX];
    for (size_t i = 0; i < all->count; i++) {
        names[i] = all->items[i].name;
        if (strcmp(all->items[i].name, name) == 0 && all->items[i].image_names[0]) {
            discovery->image = all->items[i].image_names[0];
            return 0;
        }
    }
    int found = all->find_added(all->data_dir, name, CONNECTOR_SOURCE, &discovery->arena, &added, err);
    discovery->image = found > 0 ? name : NULL;
    if (found)
        return found < 0 ? -1 : 0;
    const char *near = string_nearest(name, names, all->count);
    return error_set(err, ERROR_NOT_FOUND, "there is no connector '%s'%s%s%s 'firth connectors' lists them",
                     option_show(name, shown), near ? "; did you mean " : ";", near ? near : "",
                     near ? "?" : "");
}

/* "python -m source_x" to "source_x", "ghcr.io/estuary/source-x:dev" to "source-x". */
static const char *short_name(struct discovery *discovery)
{
    struct slice from;
    if (discovery->image) {
        from = connector_image_repository(discovery->image);
    } else {
        size_t last = 0;
        while (discovery->command[last + 1])
            last++;
        from =
            slice_of(discovery->command[last][0] == '-' ? discovery->command[0] : discovery->command[last]);
    }
    for (size_t i = from.size; i > 0; i--) {
        if (from.data[i - 1] == '/') {
            from = (struct slice){from.data + i, from.size - i};
            break;
        }
    }
    if (!discovery->image && memrchr(from.data, '.', from.size) > (const void *)from.data)
        from.size = (size_t)((const char *)memrchr(from.data, '.', from.size) - from.data);
    char *name = arena_strndup(&discovery->arena, from.data, from.size);
    for (char *at = name; *at; at++) {
        if (!catalog_name_valid((struct slice){at, 1}))
            *at = '-';
    }
    return catalog_name_valid(slice_of(name)) ? name : "capture";
}

int discover_which(struct discovery *discovery, struct error *err)
{
    const struct discover_options *options = discovery->options;
    if (options->connector && find_by_name(discovery, options->connector, err) < 0)
        return -1;
    if (options->command &&
        words_split("--command", options->command, &discovery->arena, &discovery->command, err) < 0)
        return -1;
    if (options->image)
        discovery->image = options->image;
    discovery->short_name = short_name(discovery);
    return 0;
}

static int resolve_as(struct discovery *discovery, enum connector_protocol protocol, struct error *err)
{
    auto_free char *folder = file_absolute(*discovery->folder ? discovery->folder : ".");
    const struct connector_spec wanted = {
        .image = discovery->image,
        .command = discovery->command,
        .folder = arena_strdup(&discovery->arena, folder),
        .protocol = protocol,
        .role = CONNECTOR_SOURCE,
    };
    struct spinner *spinner =
        discovery->asks && discovery->image ? spinner_start("finding the connector", discovery->color) : NULL;
    int result =
        connector_resolve(discovery->cli->built_ins, &wanted, &discovery->arena, &discovery->program, err);
    if (spinner)
        spinner_stop(spinner, result == 0);
    return result;
}

int discover_resolve(struct discovery *discovery, struct error *err)
{
    const struct catalog_capture *capture = discovery->capture;
    int protocol = discovery->options->protocol;
    if (protocol == DISCOVER_EITHER && capture && capture->endpoint.kind == CATALOG_ENDPOINT_LOCAL)
        protocol = capture->endpoint.protocol == CATALOG_PROTOCOL_FLOW ? DISCOVER_FLOW : DISCOVER_AIRBYTE;
    return resolve_as(discovery, protocol == DISCOVER_FLOW ? CONNECTOR_FLOW : CONNECTOR_AIRBYTE, err);
}

/* What is masked in what it says: nothing is marked before its spec is known. */
static struct connector_secrets *secrets_of(const struct discovery *discovery, struct slice config)
{
    struct slice schema = discovery->spec.count ? json_raw(&discovery->spec, 0) : (struct slice){0};
    return connector_secrets_of(config, discovery->program.env, schema);
}

/* The config as it is by now: of what an earlier question, or a session, has exchanged. */
static int open_keeper(struct discovery *discovery, struct config_keeper *keeper, struct error *err)
{
    return config_keeper_open(keeper, discovery->cli->data_dir, discovery->name, TASK_SOURCE,
                              &discovery->program, discovery->config, &discovery->arena, err);
}

/* --- Flow ------------------------------------------------------------------------------------------ */

/* `keeper` NULL: no config is asked with. */
static int ask_flow(struct discovery *discovery, const struct flow_capture_request *request,
                    struct config_keeper *keeper, enum flow_capture_response_type answer,
                    struct flow_capture_response *ret_response, struct error *err)
{
    mem_auto(connector_secrets_free) struct connector_secrets *secrets =
        secrets_of(discovery, keeper ? keeper->config : discovery->config);
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_capture_write_request(&line, request);
    const struct connector_flow_question question = {
        .verb = flow_capture_request_name(request->type),
        .answer = flow_capture_response_name(answer),
        .request = {line.data, line.size},
        .secrets = secrets,
        .on_config = keeper ? config_keeper_on_flow_config : NULL,
        .config_context = keeper,
    };
    struct json *doc = arena_alloc(&discovery->arena, sizeof *doc);
    struct connector_limits limits = connector_limits_default;
    if (!discovery->answered)
        limits.stall_ms = FIRST_ANSWER_MS;
    int result = connector_flow_ask(&discovery->program, &question, &limits, &discovery->arena, doc, err);
    if (result == 0)
        result = flow_capture_read_response(doc, &discovery->arena, ret_response, err);
    explicit_bzero(line.data, line.size); /* the config is in it */
    buffer_done(&line);
    return result;
}

static enum flow_capture_connector flow_type(const struct discovery *discovery)
{
    return discovery->image ? FLOW_CAPTURE_IMAGE : FLOW_CAPTURE_LOCAL;
}

static struct slice texts_json(struct arena *arena, const struct flow_texts *texts)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    for (size_t i = 0; i < texts->count; i++)
        json_put_slice(&writer, texts->items[i]);
    json_end_array(&writer);
    struct slice result = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return result;
}

static int flow_spec(struct discovery *discovery, struct error *err)
{
    const struct flow_capture_request request = {.type = FLOW_CAPTURE_SPEC,
                                                 .spec = {flow_type(discovery), SLICE_LITERAL("{}")}};
    struct flow_capture_response response = {0};
    if (ask_flow(discovery, &request, NULL, FLOW_CAPTURE_SPEC_RESPONSE, &response, err) < 0)
        return -1;
    if (flow_protocol_check(response.spec.protocol, discovery->program.label, err) < 0)
        return -1;
    discovery->answered = true;
    struct slice schema =
        response.spec.raw_config_schema.size ? response.spec.raw_config_schema : SLICE_LITERAL("{}");
    struct slice pointers = texts_json(&discovery->arena, &response.spec.resource_path_pointers);
    if (json_parse_copy(&discovery->arena, pointers.data, pointers.size, &discovery->resource_pointers, err) <
        0)
        return -1;
    return json_parse_copy(&discovery->arena, schema.data, schema.size, &discovery->spec, err);
}

struct slice discover_resource_id(struct discovery *discovery, struct slice resource)
{
    const struct json *pointers = &discovery->resource_pointers;
    struct json_writer writer;
    struct buffer text;
    struct json doc;
    struct error unused;
    if (json_parse_copy(&discovery->arena, resource.data, resource.size, &doc, &unused) < 0)
        return resource;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    if (json_count(pointers, 0)) {
        json_begin_array(&writer);
        for (uint32_t each = json_first(pointers, 0); each != JSON_NONE;
             each = json_next(pointers, 0, each)) {
            uint32_t found = json_pointer(&doc, 0, json_string(pointers, each, &discovery->arena));
            if (json_is(&doc, found, JSON_STRING))
                json_put_slice(&writer, json_string(&doc, found, &discovery->arena));
        }
        json_end_array(&writer);
    } else {
        json_put_value(&writer, &doc, 0);
    }
    struct slice result = {arena_dup(&discovery->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return result;
}

static void take_flow_binding(struct discovery *discovery, const struct flow_discovered_binding *binding)
{
    struct arena *arena = &discovery->arena;
    struct discover_stream *stream = &discovery->streams[discovery->stream_count++];
    *stream = (struct discover_stream){
        .name = arena_strndup(arena, binding->recommended_name.data, binding->recommended_name.size),
        .id = discover_resource_id(discovery, binding->raw_resource_config),
        .schema = binding->raw_document_schema,
        .key = arena_zalloc(arena, (binding->key.count + 1) * sizeof *stream->key),
        .key_count = binding->key.count,
        .note =
            binding->is_fallback_key ? "The source has no key here; its connector suggests this one." : NULL,
        .guessed_key = binding->is_fallback_key,
        .resource = binding->raw_resource_config,
        .chosen = !binding->disable || discovery->options->all,
        .advised_off = binding->disable,
    };
    stream->label = stream->name;
    for (size_t i = 0; i < binding->key.count; i++)
        stream->key[i] = arena_strndup(arena, binding->key.items[i].data, binding->key.items[i].size);
}

static int flow_streams(struct discovery *discovery, struct error *err)
{
    struct config_keeper keeper;
    if (open_keeper(discovery, &keeper, err) < 0)
        return -1;
    const struct flow_capture_request request = {
        .type = FLOW_CAPTURE_DISCOVER,
        .discover = {.name = slice_of(discovery->name),
                     .connector_type = flow_type(discovery),
                     .raw_config = keeper.config},
    };
    struct flow_capture_response response = {0};
    if (ask_flow(discovery, &request, &keeper, FLOW_CAPTURE_DISCOVERED, &response, err) < 0)
        return -1;
    const struct flow_discovered_bindings *found = &response.discovered.bindings;
    if (found->count > DISCOVER_STREAMS_MAX)
        return error_set(err, ERROR_LIMIT, "the source has %zu bindings, a capture at most %d", found->count,
                         DISCOVER_STREAMS_MAX);
    discovery->streams = arena_zalloc(&discovery->arena, (found->count + 1) * sizeof *discovery->streams);
    for (size_t i = 0; i < found->count; i++)
        take_flow_binding(discovery, &found->items[i]);
    return 0;
}

/* --- Airbyte --------------------------------------------------------------------------------------- */

static const char *path_pointer(const struct json *doc, uint32_t path, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (json_is(doc, path, JSON_STRING))
        json_pointer_push(&text, json_string(doc, path, arena));
    for (uint32_t each = json_first(doc, path); each != JSON_NONE; each = json_next(doc, path, each)) {
        if (json_is(doc, each, JSON_STRING))
            json_pointer_push(&text, json_string(doc, each, arena));
    }
    const char *pointer = arena_strdup(arena, buffer_cstr(&text));
    buffer_done(&text);
    return pointer;
}

static struct slice airbyte_id(struct arena *arena, const char *name, const char *namespace)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    if (namespace)
        json_put_string(&writer, namespace);
    json_put_string(&writer, name);
    json_end_array(&writer);
    struct slice result = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return result;
}

static void take_airbyte_stream(struct discovery *discovery, const struct json *doc, uint32_t at)
{
    struct arena *arena = &discovery->arena;
    struct discover_stream *stream = &discovery->streams[discovery->stream_count];
    uint32_t schema = json_get(doc, at, "json_schema"),
             keys = json_get(doc, at, "source_defined_primary_key");
    uint32_t modes = json_get(doc, at, "supported_sync_modes"),
             cursor = json_get(doc, at, "default_cursor_field");
    *stream =
        (struct discover_stream){.name = json_cstring(doc, json_get(doc, at, "name"), arena), .chosen = true};
    if (!stream->name)
        return;
    discovery->stream_count++;
    stream->namespace = json_cstring(doc, json_get(doc, at, "namespace"), arena);
    if (stream->namespace && !*stream->namespace)
        stream->namespace = NULL;
    stream->label =
        stream->namespace ? arena_printf(arena, "%s.%s", stream->namespace, stream->name) : stream->name;
    stream->id = airbyte_id(arena, stream->name, stream->namespace);
    stream->schema =
        json_is(doc, schema, JSON_OBJECT) ? json_raw(doc, schema) : SLICE_LITERAL("{\"type\":\"object\"}");
    stream->full = modes == JSON_NONE;
    for (uint32_t each = json_first(doc, modes); each != JSON_NONE; each = json_next(doc, modes, each)) {
        stream->full |= json_string_is(doc, each, "full_refresh");
        stream->incremental |= json_string_is(doc, each, "incremental");
    }
    /* Without a cursor of the source's own, somebody must say which field it is: that is a hand's edit. */
    if (stream->full && !json_is(doc, json_get(doc, at, "source_defined_cursor"), JSON_TRUE) &&
        json_count(doc, cursor) == 0)
        stream->incremental = false;
    stream->key = arena_zalloc(arena, (json_count(doc, keys) + 2) * sizeof *stream->key);
    for (uint32_t each = json_first(doc, keys); each != JSON_NONE; each = json_next(doc, keys, each)) {
        const char *pointer = path_pointer(doc, each, arena);
        if (*pointer)
            stream->key[stream->key_count++] = pointer;
    }
    if (stream->key_count == 0 && json_count(doc, cursor)) {
        stream->key[0] = path_pointer(doc, cursor, arena); /* the first to be tried, not counted */
        if (!*stream->key[0])
            stream->key[0] = NULL;
    }
}

static int airbyte_streams(struct discovery *discovery, struct error *err)
{
    struct json *catalog = arena_alloc(&discovery->arena, sizeof *catalog);
    struct config_keeper keeper;
    const struct connector_listener listener = {config_keeper_on_config, &keeper, NULL};
    if (open_keeper(discovery, &keeper, err) < 0)
        return -1;
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = secrets_of(discovery, keeper.config);
    if (connector_airbyte_discover(&discovery->program, keeper.config, secrets, &listener,
                                   &connector_limits_default, &discovery->arena, catalog, err) < 0)
        return -1;
    uint32_t streams = json_get(catalog, 0, "streams");
    if (json_count(catalog, streams) > DISCOVER_STREAMS_MAX)
        return error_set(err, ERROR_LIMIT, "the source has %u streams, a capture at most %d bindings",
                         json_count(catalog, streams), DISCOVER_STREAMS_MAX);
    discovery->streams =
        arena_zalloc(&discovery->arena, (json_count(catalog, streams) + 1) * sizeof *discovery->streams);
    for (uint32_t each = json_first(catalog, streams); each != JSON_NONE;
         each = json_next(catalog, streams, each))
        take_airbyte_stream(discovery, catalog, each);
    return 0;
}

/* --- both ------------------------------------------------------------------------------------------ */

static bool is_flow(const struct discovery *discovery)
{
    return discovery->program.protocol == CONNECTOR_FLOW;
}

static int airbyte_spec(struct discovery *discovery, struct error *err)
{
    struct json spec;
    if (connector_airbyte_spec(&discovery->program, &connector_limits_default, &discovery->arena, &spec,
                               err) < 0)
        return -1;
    discovery->answered = true;
    uint32_t schema = json_get(&spec, 0, "connectionSpecification");
    if (json_is(&spec, json_get(&spec, 0, "supported_destination_sync_modes"), JSON_ARRAY) &&
        json_count(&spec, json_get(&spec, 0, "supported_destination_sync_modes")))
        return error_set(err, ERROR_INVALID, "%s is a destination: it has no streams to discover",
                         discovery->program.label);
    struct slice raw = json_is(&spec, schema, JSON_OBJECT) ? json_raw(&spec, schema) : SLICE_LITERAL("{}");
    return json_parse_copy(&discovery->arena, raw.data, raw.size, &discovery->spec, err);
}

static int with_spinner(struct discovery *discovery, const char *what,
                        int (*work)(struct discovery *, struct error *), struct error *err)
{
    if (!discovery->asks)
        return work(discovery, err);
    struct spinner *spinner = spinner_start(what, discovery->color);
    int result = work(discovery, err);
    spinner_stop(spinner, result == 0);
    return result;
}

static int spec(struct discovery *discovery, struct error *err)
{
    return is_flow(discovery) ? flow_spec(discovery, err) : airbyte_spec(discovery, err);
}

/* By Airbyte's protocol, and if it does not answer that, by Flow's. */
static int spec_by_either(struct discovery *discovery, struct error *err)
{
    struct connector_program program = discovery->program;
    struct error why;
    if (spec(discovery, err) == 0)
        return 0;
    if (discovery->answered || err->code == ERROR_CANCELLED || err->code == ERROR_NOT_FOUND)
        return -1;
    if (resolve_as(discovery, CONNECTOR_FLOW, &why) == 0 && spec(discovery, &why) == 0)
        return 0;
    if (discovery->answered) { /* it does speak Flow's: this is what is wrong */
        *err = why;
        return -1;
    }
    discovery->program = program;
    auto_free char *first = mem_strdup(err->message);
    return error_set(err, err->code, "%.*s\nBy Flow's protocol: %.*s", ERROR_MESSAGE_MAX / 2 - 100, first,
                     ERROR_MESSAGE_MAX / 2 - 100, why.message);
}

int discover_spec(struct discovery *discovery, struct error *err)
{
    static const char what[] = "asking the connector what it needs";
    if (!discovery->command || discovery->capture || discovery->options->protocol != DISCOVER_EITHER)
        return with_spinner(discovery, what, spec, err);
    if (with_spinner(discovery, what, spec_by_either, err) < 0)
        return -1;
    if (is_flow(discovery))
        log_info(&discovery->cli->log, "%s speaks Flow's protocol", discovery->program.label);
    return 0;
}

static int airbyte_check(struct discovery *discovery, struct error *err)
{
    struct config_keeper keeper;
    const struct connector_listener listener = {config_keeper_on_config, &keeper, NULL};
    if (open_keeper(discovery, &keeper, err) < 0)
        return -1;
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = secrets_of(discovery, keeper.config);
    return connector_airbyte_check(&discovery->program, keeper.config, secrets, &listener,
                                   &connector_limits_default, err);
}

int discover_check(struct discovery *discovery, struct error *err)
{
    discovery->streams_known = false;
    if (!is_flow(discovery))
        return with_spinner(discovery, "checking the connection", airbyte_check, err);
    discovery->stream_count = 0;
    if (with_spinner(discovery, "discovering its streams", flow_streams, err) < 0)
        return -1;
    discovery->streams_known = true;
    return 0;
}

int discover_streams(struct discovery *discovery, struct error *err)
{
    if (!discovery->streams_known)
        discovery->stream_count = 0;
    if (!discovery->streams_known &&
        with_spinner(discovery, "discovering its streams",
                     is_flow(discovery) ? flow_streams : airbyte_streams, err) < 0)
        return -1;
    if (discovery->stream_count == 0)
        return error_set(err, ERROR_CONNECTOR,
                         "%s found no streams: a connector lists only what its user may read, and of some "
                         "sources only what is published",
                         discovery->program.label);
    return 0;
}
