#include "host.h"

/* What Airbyte's protocol calls a record, a state, a status. */

static void open_stream(struct firth_host *host, size_t index, const struct firth_selected *from)
{
    (void)from;
    struct host_stream *stream = &host->streams[index];
    struct buffer head;
    buffer_init(&head, BUFFER_UNLIMITED); /* names are bounded by the catalog file */
    airbyte_record_head(&head, stream->name);
    stream->head.size = head.size;
    stream->head.data = buffer_steal(&head);
}

static void put_record(struct firth_host *host, const struct host_stream *stream, struct slice data)
{
    airbyte_record_put(&host->out, stream->head, host->now_ms, data);
}

static void put_changed(struct firth_host *host, const struct host_stream *stream, struct slice data,
                        struct slice changes)
{
    airbyte_record_begin(&host->out, stream->head, host->now_ms);
    buffer_append(&host->out, data.data, data.size);
    buffer_str(&host->out, ",\"meta\":{\"changes\":");
    buffer_append(&host->out, changes.data, changes.size);
    buffer_byte(&host->out, '}');
    airbyte_record_end(&host->out);
}

static void begin_record(struct firth_host *host, const struct host_stream *stream)
{
    airbyte_record_begin(&host->out, stream->head, host->now_ms);
}

static void end_record(struct firth_host *host)
{
    airbyte_record_end(&host->out);
}

static void put_status(struct firth_host *host, const struct host_stream *stream,
                       enum airbyte_stream_status status)
{
    airbyte_write_trace_status(&host->out, host->now_ms, stream->name, status);
}

static void put_schema(struct firth_host *host, const struct host_stream *stream, struct slice schema)
{
    (void)host, (void)stream, (void)schema;
}

static void put_estimate(struct firth_host *host, const struct host_stream *stream, int64_t records,
                         int64_t bytes)
{
    airbyte_write_trace_estimate(&host->out, host->now_ms, stream->name, records, bytes);
}

static void put_config(struct firth_host *host, struct slice config)
{
    size_t before = host->out.size;
    airbyte_write_control_config(&host->out, host->now_ms, config);
    sdk_join_lines(host->out.data + before, host->out.size - 1 - before);
}

/* --- states ------------------------------------------------------------------------------------------ */

static int put_state(struct firth_host *host, size_t index)
{
    const struct host_stream *stream = &host->streams[index];
    airbyte_write_stream_state(&host->out, stream->name,
                               (struct slice){stream->last_state.data, stream->last_state.size},
                               (struct airbyte_state_counts){(double)stream->records, -1});
    return 0;
}

/* {"shared_state":…,"stream_states":[{"stream_descriptor":{…},"stream_state":…},…]} */
static void write_global(struct firth_host *host, struct buffer *out, struct firth_slice shared,
                         const struct firth_slice *states)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (shared.size)
        json_member_raw(&writer, "shared_state", (struct slice){shared.data, shared.size});
    json_put_key(&writer, "stream_states");
    json_begin_array(&writer);
    for (size_t i = 0; i < host->stream_count; i++) {
        struct airbyte_stream_name name = host->streams[i].name;
        if (!states[i].size)
            continue;
        json_begin_object(&writer);
        json_put_key(&writer, "stream_descriptor");
        json_begin_object(&writer);
        json_member_slice(&writer, "name", name.name);
        if (name.namespace.size)
            json_member_slice(&writer, "namespace", name.namespace);
        json_end_object(&writer);
        json_member_raw(&writer, "stream_state", ((struct slice){states[i].data, states[i].size}));
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

static int put_global_state(struct firth_host *host, struct firth_slice shared_state,
                            const struct firth_slice *stream_states, uint64_t records)
{
    struct buffer global;
    buffer_init(&global, SDK_LINE_MAX);
    write_global(host, &global, shared_state, stream_states);
    if (global.overflowed) {
        buffer_done(&global);
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM,
                             "a global state is larger than the limit of %d bytes", SDK_LINE_MAX);
    }
    sdk_join_lines(global.data, global.size);
    airbyte_write_global_state(&host->out, (struct slice){global.data, global.size},
                               (struct airbyte_state_counts){(double)records, -1});
    buffer_done(&global);
    return 0;
}

/* A platform wants a last state that covers every record. Where the source has none of its own: the last
 * one it gave (reading again what came after it is right, if slow), or one that says that there is no
 * cursor, by the name that Airbyte's own sources give it. */
static int put_last_state(struct firth_host *host, size_t index)
{
    struct host_stream *stream = &host->streams[index];
    if (host->global)
        return 0;
    if (!stream->last_state.size)
        buffer_str(&stream->last_state, "{\"__ab_no_cursor_state_message\":true}");
    put_state(host, index);
    stream->records = 0;
    stream->stated = true;
    return 0;
}

static int end_session(struct firth_host *host)
{
    (void)host;
    return 0;
}

static bool may_go_on(const struct firth_host *host)
{
    (void)host;
    return false;
}

/* --- logs -------------------------------------------------------------------------------------------- */

static void log_line(struct firth_host *host, enum log_level level, struct slice line)
{
    if (!host->record_open) {
        airbyte_write_log(&host->out, level, line);
        sdk_host_flush(host);
        return;
    }
    /* `out` ends in half a record: this line overtakes what is there. */
    struct buffer message;
    buffer_init(&message, (size_t)16 * ERROR_MESSAGE_MAX);
    airbyte_write_log(&message, level, line);
    sdk_host_write(host, message.data, message.size);
    buffer_done(&message);
}

const struct sdk_face sdk_face_airbyte = {
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
