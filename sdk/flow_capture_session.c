#include "flow.h"

#include "state_patch.h"

/* A capture's session: the source is opened where the runtime's state says, and read; what it emits goes out
 * by face_flow.c, and acknowledgements come in. */

/* --- opening ------------------------------------------------------------------------------------------- */

static int read_resources(struct flow *flow, const struct flow_capture_bindings *bindings,
                          struct flow_resource *resources, struct firth_error *err)
{
    struct error library_err;
    for (size_t i = 0; i < bindings->count; i++) {
        if (flow_resource_read(bindings->items[i].raw_resource_config, &flow->arena, &resources[i],
                               &library_err) < 0)
            return sdk_error(err, &library_err);
    }
    return 0;
}

/* By what name the binding's state goes. An old runtime's may say none: then it is as it would say it. */
static struct slice state_key(const struct flow_capture_binding *binding, struct arena *arena)
{
    struct slice key = binding->state_key;
    if (!key.size)
        return flow_state_key(binding->resource_path, binding->backfill, arena);
    return (struct slice){arena_dup(arena, key.data, key.size), key.size};
}

/* The collection's, which may be another one than discover has now. */
static const char *const *key_of(const struct flow_collection *collection, struct arena *arena)
{
    const char **key = arena_zalloc(arena, (collection->key.count + 1) * sizeof *key);
    for (size_t i = 0; i < collection->key.count; i++)
        key[i] = arena_strndup(arena, collection->key.items[i].data, collection->key.items[i].size);
    return key;
}

/* As the checkpoints left it: a member that is there twice in a source's own state is no reason to refuse it.
 */
static int parse_state(struct flow *flow, struct slice raw, struct json_parser *parser, struct json *ret_doc,
                       struct firth_error *err)
{
    struct error library_err;
    const char *copy = arena_dup(&flow->arena, raw.size ? raw.data : "{}", raw.size ? raw.size : 2);
    if (json_parse(parser, copy, raw.size ? raw.size : 2, ret_doc, &library_err) == 0)
        return 0;
    return firth_fail(err, FIRTH_FAILURE_CONFIG, "the state: %.4000s", library_err.message);
}

/* Slices go to the arena, by way of the document's copy. */
static void take_states(struct flow *flow, const struct flow_capture_open *open, const struct json *doc,
                        const struct firth_catalog *offered, struct firth_selection *selection)
{
    struct flow_session *session = flow->host->flow;
    struct firth_selected *streams = (struct firth_selected *)(uintptr_t)selection->streams;
    uint32_t states = json_get(doc, 0, "bindingStateV1"), shared = json_get(doc, 0, "sharedStateV1");
    for (size_t i = 0; i < selection->count; i++) {
        struct flow_stream *stream = &session->streams[i];
        stream->state_key = state_key(&open->capture->bindings.items[i], &flow->arena);
        struct slice resource = open->capture->bindings.items[i].raw_resource_config;
        streams[i].resource =
            (struct firth_slice){arena_dup(&flow->arena, resource.data, resource.size), resource.size};
        const struct flow_collection *collection = open->capture->bindings.items[i].collection;
        if (collection && collection->key.count)
            streams[i].primary_key = key_of(collection, &flow->arena);
        stream->refresh = streams[i].sync_mode == FIRTH_FULL_REFRESH;
        stream->keeps = !stream->refresh || sdk_selected_is_resumable(offered, &streams[i]);
        uint32_t at = json_get_slice(doc, states, stream->state_key);
        struct slice state = sdk_state_decode(doc, at);
        if (!state.size)
            continue;
        struct slice kept = json_raw(doc, at);
        buffer_append(&stream->kept, kept.data, kept.size);
        if (stream->keeps)
            streams[i].state = (struct firth_slice){state.data, state.size};
    }
    struct slice state = sdk_state_decode(doc, shared);
    if (state.size) {
        struct slice kept = json_raw(doc, shared);
        buffer_append(&session->shared_kept, kept.data, kept.size);
        selection->shared_state = (struct firth_slice){state.data, state.size};
    }
}

/* The session's streams, each with where it goes on. */
static int open_streams(struct flow *flow, const struct flow_capture_open *open,
                        const struct firth_catalog *offered, struct firth_selection *selection,
                        struct firth_error *err)
{
    struct json doc;
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new((struct json_limits){.size_max = FLOW_LINE_MAX, .depth_max = JSON_DEPTH_LIMIT},
                        JSON_DUPLICATES_LAST_WINS);
    if (parse_state(flow, open->raw_state, parser, &doc, err) < 0)
        return -1;
    take_states(flow, open, &doc, offered, selection);
    sdk_host_open_streams(flow->host, selection);
    return 0;
}

/* What is offered is what is sourced: the runtime learns the schemas before the first document. */
static int announce(struct flow *flow, const struct firth_selection *selection)
{
    const struct flow_capture_response opened = {
        .type = FLOW_CAPTURE_OPENED,
        .opened = {.explicit_acknowledgements = flow->class_->source.acknowledged != NULL}};
    flow_capture_write_response(&flow->host->out, &opened);
    for (size_t i = 0; i < selection->count; i++) {
        struct firth_slice schema = selection->streams[i].json_schema;
        const struct flow_capture_response sourced = {
            .type = FLOW_CAPTURE_SOURCED_SCHEMA, .sourced_schema = {(uint32_t)i, {schema.data, schema.size}}};
        flow_capture_write_response(&flow->host->out, &sourced);
    }
    if (selection->count && flow_session_checkpoint(flow->host) < 0)
        return -1;
    return sdk_host_flush(flow->host);
}

/* --- acknowledgements ------------------------------------------------------------------------------------
 */

static int take_acknowledgement(struct flow *flow, void *self, struct firth_error *err)
{
    const struct firth_source *source = &flow->class_->source;
    struct flow_capture_request request;
    struct error library_err;
    struct arena arena;
    uint64_t states;
    arena_init(&arena);
    int result = flow_capture_read_request(&flow->line, &arena, &request, &library_err);
    arena_done(&arena);
    if (result < 0)
        return flow_bad_line(flow, &library_err, err);
    if (request.type != FLOW_CAPTURE_ACKNOWLEDGE)
        return flow_out_of_place(flow, flow_capture_request_name(request.type), "has no place in a session",
                                 err);
    size_t outstanding = flow_session_outstanding(flow->host->flow);
    if (!flow_session_acknowledge(flow->host->flow, request.acknowledge.checkpoints, &states))
        return firth_fail(err, FIRTH_FAILURE_SYSTEM,
                          "line %llu of the input: 'acknowledge' of %u checkpoints, but %zu are not "
                          "acknowledged yet",
                          (unsigned long long)flow->lines.number, request.acknowledge.checkpoints,
                          outstanding);
    return source->acknowledged && states ? source->acknowledged(self, flow->host, states, err) : 0;
}

/* Everything that has come by now, or within the time. 0: that is all as yet; 1: nothing can come any more.
 */
static int take_input(struct flow *flow, void *self, int timeout_ms, struct firth_error *err)
{
    for (;;) {
        int got = flow_next(flow, timeout_ms, err);
        if (got != SDK_LINES_LINE)
            return got == SDK_LINES_END ? 1 : got;
        if (take_acknowledgement(flow, self, err) < 0)
            return -1;
        timeout_ms = 0;
    }
}

/* A source that confirms what it has read hears of the last of it before it ends. */
static int wait_for_acknowledgements(struct flow *flow, void *self, struct firth_error *err)
{
    int over = 0;
    while (over == 0 && flow->class_->source.acknowledged && !firth_stopping(flow->host) &&
           flow_session_outstanding(flow->host->flow))
        over = take_input(flow, self, FLOW_WAIT_MS, err);
    return over < 0 ? -1 : 0;
}

/* --- reading -------------------------------------------------------------------------------------------- */

enum { INPUT_LOOKED_AT_MS = 20 };

/* 1: we were asked to stop, and have come to a checkpoint. */
static int read_all(struct flow *flow, void *self, struct firth_error *err)
{
    struct firth_host *host = flow->host;
    int64_t looked_ms = 0;
    bool input_over = false;
    for (;;) {
        int64_t now = sdk_monotonic_ms();
        if (!input_over && now - looked_ms >= INPUT_LOOKED_AT_MS) {
            int over = take_input(flow, self, 0, err);
            if (over < 0)
                return -1;
            input_over = over > 0; /* which does not end a capture */
            looked_ms = now;
        }
        int more = host->failed ? -1 : flow->class_->source.read(self, host, err);
        if (host->failed)
            return -1;
        if (firth_stopping(host) && !host->face->may_go_on(host))
            return host->group_records ? -1 : 1;
        if (more < 0 && firth_stopping(host)) /* in the middle of a group, which is the runtime's to drop */
            return -1;
        if (more < 0 || sdk_host_flush(host) < 0)
            return -1;
        if (more == 0)
            return 0;
    }
}

static int run_session(struct flow *flow, const void *config, const struct firth_selection *selection,
                       struct firth_error *err)
{
    struct firth_host *host = flow->host;
    void *self = NULL;
    if (flow->class_->source.open(host, config, selection, &self, err) < 0)
        return -1;
    int result = announce(flow, selection);
    if (result == 0)
        result = read_all(flow, self, err);
    if (result == 0 && sdk_host_end_streams(host, true) < 0)
        result = -1;
    if (result >= 0 && sdk_host_flush(host) < 0)
        result = -1;
    if (result == 0)
        result = wait_for_acknowledgements(flow, self, err);
    flow->class_->source.close(self);
    return result < 0 ? -1 : 0;
}

int flow_capture_session(struct flow *flow, const struct flow_capture_open *open, struct firth_error *err)
{
    struct firth_catalog offered;
    struct airbyte_configured_catalog catalog;
    const struct firth_stream **streams;
    struct firth_selection selection = {0};
    struct flow_session session;
    struct error library_err;
    void *config;
    if (!open->capture)
        return flow_out_of_place(flow, "open", "has no 'capture'", err);
    size_t count = open->capture->bindings.count;
    struct flow_resource *resources = arena_zalloc(&flow->arena, (count + 1) * sizeof *resources);
    sdk_catalog_init(&offered);
    flow_session_init(&session, count);
    int result = read_resources(flow, &open->capture->bindings, resources, err);
    if (result == 0)
        result = flow_read_config(flow, open->capture->raw_config, false, &config, err);
    if (result == 0)
        result = flow_resources_offer(flow->host, config, resources, count, &offered, err);
    if (result == 0 && (flow_resources_select(&offered, resources, count, &flow->arena, &catalog, &streams,
                                              &library_err) < 0 ||
                        sdk_selection_read(NULL, &offered, &catalog, (struct slice){0}, &flow->arena,
                                           &selection, &library_err) < 0))
        result = sdk_error(err, &library_err);
    if (result == 0) {
        struct slice name = open->capture->name;
        selection.live = true;
        flow->host->flow = &session;
        flow->host->task = arena_strndup(&flow->arena, name.data ? name.data : "", name.size);
        result = open_streams(flow, open, &offered, &selection, err);
        if (result == 0)
            result = run_session(flow, config, &selection, err);
        flow->host->flow = NULL;
        flow->host->task = "";
    }
    flow_session_done(&session);
    sdk_catalog_done(&offered);
    return result;
}
