#include "flow.h"

#include "base/clock.h"
#include "base/file.h"
#include "state_patch.h"

#include <stdlib.h>
#include <unistd.h>

/* What Flow's capture protocol calls a record, a state: `captured`, `checkpoint`.
 *
 * A checkpoint ends a group: the documents of all streams since the one before become durable together, with
 * a patch of the state. So a stream's state waits until every stream with newer records has given one, lest
 * those be captured again after a restart; but not for ever: then that is the lesser evil. */

/* --- the session -------------------------------------------------------------------------------------- */

void flow_session_init(struct flow_session *session, size_t count)
{
    *session =
        (struct flow_session){.streams = mem_zalloc((count + 1) * sizeof *session->streams), .count = count};
    for (size_t i = 0; i < count; i++) {
        buffer_init(&session->streams[i].kept, SDK_STATE_MAX);
        buffer_init(&session->streams[i].pending, SDK_STATE_MAX);
    }
    buffer_init(&session->shared_kept, SDK_STATE_MAX);
    buffer_init(&session->shared_pending, SDK_STATE_MAX);
    buffer_init(&session->covered, BUFFER_UNLIMITED); /* the runtime acknowledges, or gets no more */
}

void flow_session_done(struct flow_session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        buffer_done(&session->streams[i].kept);
        buffer_done(&session->streams[i].pending);
    }
    free(session->streams);
    buffer_done(&session->shared_kept);
    buffer_done(&session->shared_pending);
    buffer_done(&session->covered);
}

size_t flow_session_outstanding(const struct flow_session *session)
{
    return session->covered.size / sizeof(uint64_t) - session->acknowledged;
}

bool flow_session_acknowledge(struct flow_session *session, uint64_t checkpoints, uint64_t *ret_states)
{
    if (checkpoints == 0 || checkpoints > flow_session_outstanding(session))
        return false;
    session->acknowledged += checkpoints;
    memcpy(ret_states, session->covered.data + (session->acknowledged - 1) * sizeof *ret_states,
           sizeof *ret_states);
    if (session->acknowledged * sizeof *ret_states * 2 > session->covered.size) {
        buffer_consume(&session->covered, session->acknowledged * sizeof *ret_states);
        session->acknowledged = 0;
    }
    return true;
}

/* --- checkpoints -------------------------------------------------------------------------------------- */

static struct slice bytes_of(const struct buffer *buffer)
{
    return (struct slice){buffer->data, buffer->size};
}

static void put_change(struct json_writer *writer, struct buffer *kept, struct buffer *pending)
{
    if (pending->size)
        sdk_state_put_patch(writer, bytes_of(kept), bytes_of(pending));
    else
        json_put_null(writer);
    struct buffer old = *kept;
    *kept = *pending;
    *pending = old;
    buffer_clear(pending);
}

/* {"bindingStateV1":{"<state key>":…},"sharedStateV1":…} */
static void put_changes(struct json_writer *writer, struct flow_session *session)
{
    bool any = false;
    json_begin_object(writer);
    for (size_t i = 0; i < session->count; i++) {
        struct flow_stream *stream = &session->streams[i];
        if (!stream->is_pending || (!stream->pending.size && !stream->kept.size))
            continue;
        if (!any) {
            json_put_key(writer, "bindingStateV1");
            json_begin_object(writer);
        }
        any = true;
        json_put_key_slice(writer, stream->state_key);
        put_change(writer, &stream->kept, &stream->pending);
    }
    if (any)
        json_end_object(writer);
    if (session->shared_is_pending && (session->shared_pending.size || session->shared_kept.size)) {
        json_put_key(writer, "sharedStateV1");
        put_change(writer, &session->shared_kept, &session->shared_pending);
    }
    json_end_object(writer);
    for (size_t i = 0; i < session->count; i++)
        session->streams[i].is_pending = false;
    session->shared_is_pending = false;
}

int flow_session_checkpoint(struct firth_host *host)
{
    struct flow_session *session = host->flow;
    struct json_writer writer;
    buffer_str(&host->out, "{\"checkpoint\":{\"state\":{\"updated\":");
    json_writer_init(&writer, &host->out);
    put_changes(&writer, session);
    buffer_str(&host->out, ",\"mergePatch\":true}}}\n");
    if (host->out.overflowed)
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "a checkpoint is larger than the limit of %zu bytes",
                             host->out.max);
    buffer_append(&session->covered, &session->states, sizeof session->states);
    host->group_records = 0;
    session->waiting_ms = 0;
    return 0;
}

/* Does any other stream have records that no state covers? */
static bool others_wait(const struct firth_host *host, size_t index)
{
    for (size_t i = 0; i < host->stream_count; i++) {
        if (i != index && host->streams[i].records && !host->streams[i].complete)
            return true;
    }
    return false;
}

/* The state of the stream at `index` is pending: is it time? */
static int checkpoint_if_whole(struct firth_host *host, size_t index)
{
    struct flow_session *session = host->flow;
    if (others_wait(host, index)) {
        int64_t now = sdk_monotonic_ms();
        if (!session->waiting_ms)
            session->waiting_ms = now;
        if (now - session->waiting_ms < FLOW_GROUP_WAIT_MS && host->group_records < FLOW_GROUP_RECORDS)
            return 0;
    }
    return flow_session_checkpoint(host);
}

/* --- streams ------------------------------------------------------------------------------------------ */

static void open_stream(struct firth_host *host, size_t index, const struct firth_selected *from)
{
    (void)from;
    struct buffer head;
    buffer_init(&head, 64);
    if (index)
        buffer_printf(&head, "{\"captured\":{\"binding\":%zu,\"doc\":", index);
    else
        buffer_str(&head, "{\"captured\":{\"doc\":");
    host->streams[index].head.size = head.size;
    host->streams[index].head.data = buffer_steal(&head);
}

static void begin_record(struct firth_host *host, const struct host_stream *stream)
{
    buffer_append(&host->out, stream->head.data, stream->head.size);
}

static void end_record(struct firth_host *host)
{
    buffer_append(&host->out, "}}\n", 3);
}

static void put_record(struct firth_host *host, const struct host_stream *stream, struct slice data)
{
    if (!buffer_reserve(&host->out, stream->head.size + data.size + 3))
        return;
    begin_record(host, stream);
    buffer_append(&host->out, data.data, data.size);
    end_record(host);
}

static void put_changed(struct firth_host *host, const struct host_stream *stream, struct slice data,
                        struct slice changes)
{
    (void)changes;
    put_record(host, stream, data);
}

static void put_status(struct firth_host *host, const struct host_stream *stream,
                       enum airbyte_stream_status status)
{
    (void)host, (void)stream, (void)status;
}

static void put_schema(struct firth_host *host, const struct host_stream *stream, struct slice schema)
{
    const struct flow_capture_response sourced = {
        .type = FLOW_CAPTURE_SOURCED_SCHEMA, .sourced_schema = {(uint32_t)(stream - host->streams), schema}};
    flow_capture_write_response(&host->out, &sourced);
}

static bool logs_json(void)
{
    const char *format = getenv("LOG_FORMAT");
    return format && strcmp(format, "json") == 0;
}

static void write_log(const struct buffer *text)
{
    struct error ignored;
    file_write_all(STDERR_FILENO, text->data, text->size, "stderr", &ignored);
}

/* Flow has no word for it. A runtime that reads structured logs may take it from there: Firth does, for its
 * progress bars; to others it is a trace. */
static void put_estimate(struct firth_host *host, const struct host_stream *stream, int64_t records,
                         int64_t bytes)
{
    struct buffer text;
    if (!logs_json())
        return;
    buffer_init(&text, 512);
    buffer_printf(
        &text,
        "{\"level\":\"trace\",\"msg\":\"estimate\",\"binding\":%zu,\"documents\":%lld,\"bytes\":%lld}\n",
        (size_t)(stream - host->streams), (long long)records, (long long)bytes);
    write_log(&text);
    buffer_done(&text);
}

/* --- states ------------------------------------------------------------------------------------------- */

static void put_config(struct firth_host *host, struct slice config)
{
    const char *wanted = getenv(FLOW_CONFIG_VARIABLE);
    if (wanted && *wanted && host->class_->source.read) {
        buffer_str(&host->out, "{\"" FLOW_CONFIG_CHANGED "\":");
        size_t start = host->out.size;
        buffer_append(&host->out, config.data, config.size);
        sdk_join_lines(host->out.data + start, host->out.size - start);
        buffer_str(&host->out, "}\n");
        return;
    }
    firth_log(host, FIRTH_WARN,
              "the config has changed (a token was exchanged), which Flow's protocol has no word for: the "
              "next session begins with the old one");
}

static void set_pending(struct firth_host *host, size_t index, struct slice state)
{
    struct flow_stream *stream = &host->flow->streams[index];
    if (!stream->keeps)
        return;
    buffer_clear(&stream->pending);
    if (state.size)
        sdk_state_encode(host->parser, state, &stream->pending);
    stream->is_pending = true;
}

static int put_state(struct firth_host *host, size_t index)
{
    set_pending(host, index, bytes_of(&host->streams[index].last_state));
    host->flow->states++;
    return checkpoint_if_whole(host, index);
}

static int put_global_state(struct firth_host *host, struct firth_slice shared,
                            const struct firth_slice *states, uint64_t records)
{
    (void)records;
    struct flow_session *session = host->flow;
    for (size_t i = 0; i < host->stream_count; i++)
        set_pending(host, i, (struct slice){states[i].data, states[i].size});
    buffer_clear(&session->shared_pending);
    if (shared.size)
        sdk_state_encode(host->parser, (struct slice){shared.data, shared.size}, &session->shared_pending);
    session->shared_is_pending = true;
    session->states++;
    return flow_session_checkpoint(host);
}

/* What it has emitted is complete: that is state enough. */
static int put_last_state(struct firth_host *host, size_t index)
{
    if (host->group_records == 0)
        return 0;
    host->streams[index].records = 0;
    host->streams[index].stated = true;
    return checkpoint_if_whole(host, index);
}

/* A full refresh begins anew the next time, now that all streams have come to their end; until then an
 * interrupted one goes on where it was. */
static int end_session(struct firth_host *host)
{
    struct flow_session *session = host->flow;
    bool due = session->waiting_ms || host->group_records;
    for (size_t i = 0; i < session->count; i++) {
        struct flow_stream *stream = &session->streams[i];
        if (!stream->refresh || (!stream->kept.size && !stream->is_pending))
            continue;
        buffer_clear(&stream->pending);
        stream->is_pending = true;
        due |= stream->kept.size > 0;
    }
    return due ? flow_session_checkpoint(host) : 0;
}

static bool may_go_on(const struct firth_host *host)
{
    struct flow_session *session = host->flow;
    if (!session || host->group_records == 0)
        return false;
    int64_t now = sdk_monotonic_ms();
    if (!session->stopping_ms)
        session->stopping_ms = now;
    return now - session->stopping_ms < FLOW_STOP_GROUP_MS;
}

/* --- logs --------------------------------------------------------------------------------------------- */

/* On stderr, as the runtime asks: LOG_FORMAT=json, LOG_LEVEL. */
static void log_line(struct firth_host *host, enum log_level level, struct slice line)
{
    const char *wanted = getenv("LOG_LEVEL");
    int least = wanted ? log_level_parse(wanted) : -1;
    if (level < (least < 0 ? LOG_INFO : (enum log_level)least))
        return;
    struct buffer text;
    buffer_init(&text, (size_t)16 * ERROR_MESSAGE_MAX);
    if (logs_json()) {
        struct json_writer writer;
        char when[32];
        clock_format_rfc3339(clock_wall_ms(&clock_system), when, sizeof when);
        json_writer_init(&writer, &text);
        json_begin_object(&writer);
        json_member_string(&writer, "level", log_level_name(level));
        json_member_slice(&writer, "msg", line);
        json_member_string(&writer, "ts", when);
        json_end_object(&writer);
    } else {
        buffer_printf(&text, "%s: ", host->class_->name);
        if (level != LOG_INFO)
            buffer_printf(&text, "%s: ", log_level_name(level));
        buffer_append(&text, line.data, line.size);
    }
    buffer_byte(&text, '\n');
    write_log(&text);
    buffer_done(&text);
}

const struct sdk_face sdk_face_flow = {
    .open_stream = open_stream,
    .put_record = put_record,
    .put_changed = put_changed,
    .begin_record = begin_record,
    .end_record = end_record,
    .put_status = put_status,
    .put_schema = put_schema,
    .put_estimate = put_estimate,
    .put_config = put_config,
    .put_state = put_state,
    .put_global_state = put_global_state,
    .put_last_state = put_last_state,
    .end_session = end_session,
    .may_go_on = may_go_on,
    .log = log_line,
};
