#include "flow.h"

#include "base/fault.h"

/* A materialization's session: transactions of load, flush, store and commit, in the protocol's order. */

enum phase {
    PHASE_IDLE,    /* opened, or committed: acknowledge is due */
    PHASE_LOADING, /* acknowledged: loads, then flush */
    PHASE_STORING, /* flushed: stores, then startCommit */
};

struct session {
    struct flow *flow;
    const struct firth_destination *class_;
    void *self;
    struct firth_target *targets;
    struct sdk_row *rows; /* one a target */
    size_t count;
    enum phase phase;
};

/* --- rows ------------------------------------------------------------------------------------------------
 */

/* A load or a store, as the line has it. */
struct request {
    uint64_t binding;
    uint32_t key, values, doc;
    bool exists, is_delete;
};

static bool read_flag(const struct json *line, uint32_t at, bool *ret_flag)
{
    *ret_flag = json_is(line, at, JSON_TRUE);
    return *ret_flag || json_is(line, at, JSON_FALSE);
}

/* These come by the million: their members are at hand without a table. False: one is not as it should be. */
static bool read_request(const struct json *line, uint32_t object, struct request *request,
                         const char **ret_wrong)
{
    *request = (struct request){.key = JSON_NONE, .values = JSON_NONE, .doc = JSON_NONE};
    for (uint32_t key = json_first_key(line, object); key != JSON_NONE;
         key = json_next_key(line, object, key)) {
        struct slice name = json_inner(line, key);
        uint32_t value = json_value(key);
        bool good = true;
        if (json_is(line, value, JSON_NULL))
            continue; /* as if it were not there */
        if (slice_is(name, *ret_wrong = "binding"))
            good = json_to_u64(line, value, &request->binding);
        else if (slice_is(name, *ret_wrong = "key"))
            good = json_is(line, request->key = value, JSON_ARRAY);
        else if (slice_is(name, *ret_wrong = "values"))
            good = json_is(line, request->values = value, JSON_ARRAY);
        else if (slice_is(name, *ret_wrong = "doc"))
            good = json_is(line, request->doc = value, JSON_OBJECT);
        else if (slice_is(name, *ret_wrong = "exists"))
            good = read_flag(line, value, &request->exists);
        else if (slice_is(name, *ret_wrong = "delete"))
            good = read_flag(line, value, &request->is_delete);
        if (!good)
            return false;
    }
    return true;
}

static int wrong_member(struct session *session, const char *verb, const char *member, const char *why,
                        struct firth_error *err)
{
    return firth_fail(err, FIRTH_FAILURE_SYSTEM, "line %llu of the input: '%s' of '%s' %s",
                      (unsigned long long)session->flow->lines.number, member, verb, why);
}

/* The record behind a request; its row is the target's, used again by the next. */
static int make_record(struct session *session, const char *verb, const struct request *request,
                       struct firth_record *ret_record, struct firth_error *err)
{
    const struct json *line = &session->flow->line;
    if (request->binding >= session->count)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "line %llu of the input: '%s' of binding %llu, of %zu",
                          (unsigned long long)session->flow->lines.number, verb,
                          (unsigned long long)request->binding, session->count);
    const struct firth_target *target = &session->targets[request->binding];
    struct sdk_row *row = &session->rows[request->binding];
    if (request->key == JSON_NONE || json_count(line, request->key) != row->key_count)
        return wrong_member(session, verb, "key",
                            request->key == JSON_NONE
                                ? "is missing: this connector reads keys as JSON, not packed"
                                : "has not as many values as the key has fields",
                            err);
    if (request->values != JSON_NONE && json_count(line, request->values) != row->value_count)
        return wrong_member(session, verb, "values", "has not as many values as fields were selected", err);
    row->key = request->key;
    row->values = request->values;
    row->found = false;
    struct slice data = request->doc == JSON_NONE ? (struct slice){0} : json_raw(line, request->doc);
    *ret_record = (struct firth_record){
        .data = {data.data, data.size},
        .emitted_at = session->flow->host->now_ms,
        .operation = request->is_delete                                      ? FIRTH_DELETE
                     : target->sync_mode == FIRTH_APPEND || !request->exists ? FIRTH_INSERT
                                                                             : FIRTH_UPDATE,
        .document = line,
        .node = request->doc,
        .row = row,
    };
    arena_clear(&session->flow->host->scratch);
    return 0;
}

static int take_load(struct session *session, uint32_t object, struct firth_error *err)
{
    struct request request;
    struct firth_record record;
    const char *wrong;
    if (session->phase != PHASE_LOADING)
        return flow_out_of_place(
            session->flow, "load",
            session->phase == PHASE_STORING ? "came after 'flush'" : "came before 'acknowledge'", err);
    if (!read_request(&session->flow->line, object, &request, &wrong))
        return wrong_member(session, "load", wrong, "is not as it should be", err);
    if (make_record(session, "load", &request, &record, err) < 0)
        return -1;
    if (session->targets[request.binding].sync_mode == FIRTH_APPEND)
        return flow_out_of_place(session->flow, "load", "is of a binding of delta updates", err);
    return session->class_->load(session->self, session->flow->host, request.binding, &record, err);
}

static int take_store(struct session *session, uint32_t object, struct firth_error *err)
{
    struct request request;
    struct firth_record record;
    const char *wrong;
    if (session->phase != PHASE_STORING)
        return flow_out_of_place(session->flow, "store", "came before 'flush'", err);
    if (!read_request(&session->flow->line, object, &request, &wrong))
        return wrong_member(session, "store", wrong, "is not as it should be", err);
    if (make_record(session, "store", &request, &record, err) < 0)
        return -1;
    const struct firth_target *target = &session->targets[request.binding];
    bool wants_document =
        target->field_count && target->fields[target->field_count - 1].is_document && !request.is_delete;
    if (wants_document && request.doc == JSON_NONE)
        return wrong_member(session, "store", "doc", "is missing", err);
    return session->class_->store(session->self, session->flow->host, request.binding, &record, err);
}

/* --- the rest of a transaction ---------------------------------------------------------------------------
 */

static void answer(struct session *session, enum flow_materialize_response_type type)
{
    const struct flow_materialize_response response = {.type = type};
    flow_materialize_write_response(&session->flow->host->out, &response);
}

static int take_acknowledge(struct session *session, struct firth_error *err)
{
    if (session->phase != PHASE_IDLE)
        return flow_out_of_place(session->flow, "acknowledge", "came in the middle of a transaction", err);
    if (session->class_->acknowledged &&
        session->class_->acknowledged(session->self, session->flow->host, err) < 0)
        return -1;
    answer(session, FLOW_MATERIALIZE_ACKNOWLEDGED);
    session->phase = PHASE_LOADING;
    session->flow->host->may_load = true;
    return 0;
}

static int take_flush(struct session *session, struct firth_error *err)
{
    if (session->phase != PHASE_LOADING)
        return flow_out_of_place(session->flow, "flush", "came where no 'load' could have been", err);
    if (session->class_->flush && session->class_->flush(session->self, session->flow->host, err) < 0)
        return -1;
    session->flow->host->may_load = false;
    answer(session, FLOW_MATERIALIZE_FLUSHED);
    session->phase = PHASE_STORING;
    return 0;
}

static int take_start_commit(struct session *session, uint32_t object, struct firth_error *err)
{
    const struct json *line = &session->flow->line;
    uint32_t checkpoint = json_get(line, object, "runtimeCheckpoint");
    struct firth_commit commit = {{0}};
    if (session->phase != PHASE_STORING)
        return flow_out_of_place(session->flow, "startCommit", "came before 'flush'", err);
    if (session->class_->checkpoint) {
        if (!json_is(line, checkpoint, JSON_OBJECT))
            return wrong_member(session, "startCommit", "runtimeCheckpoint", "must be an object", err);
        struct slice raw = json_raw(line, checkpoint);
        commit.checkpoint = (struct firth_slice){raw.data, raw.size};
    }
    fault_point("sdk.flow.commit.before");
    if (session->class_->commit(session->self, session->flow->host, &commit, err) < 0)
        return -1;
    fault_point("sdk.flow.commit.after");
    answer(session, FLOW_MATERIALIZE_STARTED_COMMIT);
    session->phase = PHASE_IDLE;
    return 0;
}

int firth_emit_loaded(struct firth_host *host, size_t target, struct firth_slice document)
{
    if (host->failed)
        return -1;
    if (!host->may_load)
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM,
                             "%s gave a loaded document outside of load and flush", host->class_->name);
    if (document.size > SDK_RECORD_MAX)
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "a loaded document has %zu bytes; the limit is %d",
                             document.size, SDK_RECORD_MAX);
    if (target)
        buffer_printf(&host->out, "{\"loaded\":{\"binding\":%zu,\"doc\":", target);
    else
        buffer_str(&host->out, "{\"loaded\":{\"doc\":");
    size_t before = host->out.size;
    buffer_append(&host->out, document.data, document.size);
    sdk_join_lines(host->out.data + before, document.size);
    buffer_append(&host->out, "}}\n", 3);
    return sdk_host_flush_if_due(host);
}

/* --- the session -----------------------------------------------------------------------------------------
 */

static int take_line(struct session *session, struct firth_error *err)
{
    const struct json *line = &session->flow->line;
    uint32_t key = json_first_key(line, 0);
    if (json_count(line, 0) != 1 || key == JSON_NONE)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM,
                          "line %llu of the input is no request: it must be an object with one member",
                          (unsigned long long)session->flow->lines.number);
    struct slice name = json_inner(line, key);
    uint32_t object = json_value(key);
    if (slice_is(name, "store"))
        return take_store(session, object, err);
    if (slice_is(name, "load"))
        return take_load(session, object, err);
    if (slice_is(name, "acknowledge"))
        return take_acknowledge(session, err);
    if (slice_is(name, "flush"))
        return take_flush(session, err);
    if (slice_is(name, "startCommit"))
        return take_start_commit(session, object, err);
    return firth_fail(err, FIRTH_FAILURE_SYSTEM, "line %llu of the input: '%.*s' has no place in a session",
                      (unsigned long long)session->flow->lines.number,
                      (int)utf8_cut(name.data, name.size, 60), name.data);
}

/* To the end of the input, which comes between transactions. */
static int converse(struct session *session, struct firth_error *err)
{
    struct flow *flow = session->flow;
    for (bool idle = false;;) {
        if (firth_stopping(flow->host))
            return session->phase == PHASE_STORING ? -1 : 0;
        if (!sdk_lines_has_more(&flow->lines) && sdk_host_flush(flow->host) < 0)
            return -1;
        int got = flow_next(flow, FLOW_WAIT_MS, err);
        if (got < 0)
            return -1;
        if (got == SDK_LINES_END && session->phase == PHASE_STORING)
            return firth_fail(err, FIRTH_FAILURE_SYSTEM, "the input ended in the middle of a transaction");
        if (got == SDK_LINES_END)
            return 0;
        if (got == SDK_LINES_LINE && take_line(session, err) < 0)
            return -1;
        if (got == SDK_LINES_NONE && !idle && session->class_->idle && !firth_stopping(flow->host))
            session->class_->idle(session->self, flow->host);
        idle = got == SDK_LINES_NONE;
        if (flow->host->failed || sdk_host_flush_if_due(flow->host) < 0)
            return -1;
    }
}

static int answer_open(struct session *session, struct firth_error *err)
{
    struct firth_slice kept = {NULL, 0};
    struct flow_materialize_response response = {.type = FLOW_MATERIALIZE_OPENED};
    if (session->class_->checkpoint) {
        if (session->class_->checkpoint(session->self, session->flow->host, &kept, err) < 0)
            return -1;
        response.opened.raw_runtime_checkpoint =
            kept.size ? (struct slice){kept.data, kept.size} : SLICE_LITERAL("{}");
    }
    flow_materialize_write_response(&session->flow->host->out, &response);
    return sdk_host_flush(session->flow->host);
}

static void init_row(struct flow *flow, struct sdk_row *row, const struct firth_target *target)
{
    *row =
        (struct sdk_row){.target = target,
                         .flow = true,
                         .nodes = arena_zalloc(&flow->arena, (target->field_count + 1) * sizeof *row->nodes)};
    for (size_t i = 0; i < target->field_count; i++) {
        row->key_count += target->fields[i].is_key;
        row->value_count += !target->fields[i].is_key && !target->fields[i].is_document;
    }
}

int flow_materialize_session(struct flow *flow, const struct flow_materialize_open *open,
                             struct firth_error *err)
{
    struct session session = {.flow = flow, .class_ = &flow->class_->destination};
    void *config;
    if (!open->materialization)
        return flow_out_of_place(flow, "open", "has no 'materialization'", err);
    session.count = open->materialization->bindings.count;
    session.rows = arena_zalloc(&flow->arena, (session.count + 1) * sizeof *session.rows);
    if (flow_read_config(flow, open->materialization->raw_config, false, &config, err) < 0 ||
        flow_targets_read(flow, open->materialization, &session.targets, err) < 0)
        return -1;
    for (size_t i = 0; i < session.count; i++)
        init_row(flow, &session.rows[i], &session.targets[i]);
    if (session.class_->open(flow->host, config, session.targets, session.count, &session.self, err) < 0)
        return -1;
    int result = answer_open(&session, err);
    if (result == 0)
        result = converse(&session, err);
    flow->host->may_load = false;
    session.class_->close(session.self);
    return result;
}
