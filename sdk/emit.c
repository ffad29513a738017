#include "host.h"

#include <assert.h>
#include <stdlib.h>

static struct slice slice_from(struct firth_slice slice)
{
    return (struct slice){slice.data, slice.size};
}

void sdk_host_open_streams(struct firth_host *host, const struct firth_selection *selection)
{
    host->stream_count = selection->count;
    host->streams = mem_zalloc(selection->count * sizeof *host->streams);
    for (size_t i = 0; i < selection->count; i++) {
        const struct firth_selected *from = &selection->streams[i];
        struct host_stream *stream = &host->streams[i];
        stream->name.name = slice_of(from->name);
        if (from->name_space)
            stream->name.namespace = slice_of(from->name_space);
        struct buffer head;
        buffer_init(&head, BUFFER_UNLIMITED); /* names are bounded by the catalog file */
        airbyte_record_head(&head, stream->name);
        stream->head.size = head.size;
        stream->head.data = buffer_steal(&head);
        buffer_init(&stream->last_state, SDK_STATE_MAX);
        buffer_append(&stream->last_state, from->state.data, from->state.size);
    }
}

static void put_status(struct firth_host *host, const struct host_stream *stream,
                       enum airbyte_stream_status status)
{
    airbyte_write_trace_status(&host->out, host->now_ms, stream->name, status);
}

static void start(struct firth_host *host, struct host_stream *stream)
{
    if (!stream->started)
        put_status(host, stream, AIRBYTE_STREAM_STARTED);
    stream->started = true;
}

static void run(struct firth_host *host, struct host_stream *stream)
{
    start(host, stream);
    if (!stream->running)
        put_status(host, stream, AIRBYTE_STREAM_RUNNING);
    stream->running = true;
}

/* May anything be emitted for this stream now? */
static int ready(struct firth_host *host, size_t stream)
{
    assert(stream < host->stream_count);
    if (host->failed || firth_stopping(host))
        return -1;
    if (host->streams[stream].complete)
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "%s emitted more for stream %s after its end",
                             host->class_->name, host->streams[stream].name.name.data);
    return 0;
}

/* JSON that goes into a line may have no line break: between tokens they mean nothing. */
static void join_lines(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            bytes[i] = ' ';
    }
}

static int too_large(struct firth_host *host, const struct host_stream *stream, size_t size)
{
    return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "a record of stream %s has %zu bytes; the limit is %d",
                         stream->name.name.data, size, SDK_RECORD_MAX);
}

static int count_record(struct firth_host *host, struct host_stream *stream)
{
    stream->records++;
    stream->stated = false;
    return sdk_host_flush_if_due(host);
}

int firth_emit_record(struct firth_host *host, size_t index, struct firth_slice data)
{
    if (ready(host, index) < 0)
        return -1;
    struct host_stream *stream = &host->streams[index];
    if (!stream->running)
        run(host, stream);
    if (data.size > SDK_RECORD_MAX)
        return too_large(host, stream, data.size);
    size_t before = host->out.size;
    airbyte_record_put(&host->out, stream->head, host->now_ms, slice_from(data));
    if (data.size && memchr(data.data, '\n', data.size))
        join_lines(host->out.data + before, host->out.size - 1 - before);
    return count_record(host, stream);
}

/* --- a record made in place ---------------------------------------------------------------------- */

void firth_record_begin(struct firth_host *host, size_t index)
{
    assert(index < host->stream_count);
    struct host_stream *stream = &host->streams[index];
    if (!stream->running && ready(host, index) == 0)
        run(host, stream);
    host->record_stream = index;
    host->record_start = host->out.size;
    host->record_first = host->record_open = true;
    airbyte_record_begin(&host->out, stream->head, host->now_ms);
    buffer_byte(&host->out, '{');
}

static void put_name(struct firth_host *host, const char *name)
{
    if (!host->record_first)
        buffer_byte(&host->out, ',');
    host->record_first = false;
    json_escape(&host->out, slice_of(name));
    buffer_byte(&host->out, ':');
}

void firth_put_null(struct firth_host *host, const char *name)
{
    put_name(host, name);
    buffer_append(&host->out, "null", 4);
}

void firth_put_boolean(struct firth_host *host, const char *name, bool value)
{
    put_name(host, name);
    buffer_str(&host->out, value ? "true" : "false");
}

void firth_put_integer(struct firth_host *host, const char *name, int64_t value)
{
    char digits[24];
    put_name(host, name);
    buffer_append(&host->out, digits, airbyte_format_i64(value, digits));
}

void firth_put_number(struct firth_host *host, const char *name, double value)
{
    struct json_writer writer;
    put_name(host, name);
    json_writer_init(&writer, &host->out);
    json_put_double(&writer, value);
}

void firth_put_text(struct firth_host *host, const char *name, struct firth_slice text)
{
    put_name(host, name);
    json_escape(&host->out, slice_from(text));
}

void firth_put_json(struct firth_host *host, const char *name, struct firth_slice json)
{
    put_name(host, name);
    size_t before = host->out.size;
    buffer_append(&host->out, json.data, json.size);
    if (!host->out.overflowed)
        join_lines(host->out.data + before, json.size);
}

int firth_record_end(struct firth_host *host)
{
    struct host_stream *stream = &host->streams[host->record_stream];
    buffer_byte(&host->out, '}');
    size_t size = host->out.size - host->record_start;
    bool overflowed = host->out.overflowed;
    airbyte_record_end(&host->out);
    host->record_open = false;
    if (ready(host, host->record_stream) < 0 || overflowed || size > SDK_RECORD_MAX) {
        host->out.size = host->record_start; /* what cannot be emitted leaves no trace */
        host->out.overflowed = false;
        return host->failed || firth_stopping(host) ? -1 : too_large(host, stream, size);
    }
    return count_record(host, stream);
}

/* --- states ------------------------------------------------------------------------------------------ */

static int check_json(struct firth_host *host, struct firth_slice json, const char *what, const char *stream)
{
    struct json doc;
    struct error err;
    if (json_parse(host->parser, json.data, json.size, &doc, &err) == 0)
        return 0;
    return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "%s gave %s of %s that is not JSON: %s",
                         host->class_->name, what, stream, err.message);
}

static void put_stream_state(struct firth_host *host, struct host_stream *stream)
{
    struct slice state = {stream->last_state.data, stream->last_state.size};
    airbyte_write_stream_state(&host->out, stream->name, state,
                               (struct airbyte_state_counts){(double)stream->records, -1});
    stream->records = 0;
    stream->stated = true;
}

int firth_emit_state(struct firth_host *host, size_t index, struct firth_slice state)
{
    struct host_stream *stream = &host->streams[index];
    if (ready(host, index) < 0 || check_json(host, state, "a state", stream->name.name.data) < 0)
        return -1;
    if (host->global)
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "%s mixes states of streams with global ones",
                             host->class_->name);
    run(host, stream);
    buffer_clear(&stream->last_state);
    buffer_append(&stream->last_state, state.data, state.size);
    join_lines(stream->last_state.data, stream->last_state.size);
    put_stream_state(host, stream);
    return sdk_host_flush_if_due(host);
}

/* {"shared_state":…,"stream_states":[{"stream_descriptor":{…},"stream_state":…},…]} */
static void write_global(struct firth_host *host, struct buffer *out, struct firth_slice shared,
                         const struct firth_slice *states)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (shared.size)
        json_member_raw(&writer, "shared_state", slice_from(shared));
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
        json_member_raw(&writer, "stream_state", slice_from(states[i]));
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

int firth_emit_global_state(struct firth_host *host, struct firth_slice shared_state,
                            const struct firth_slice *stream_states)
{
    if (host->failed || firth_stopping(host))
        return -1;
    if (shared_state.size && check_json(host, shared_state, "a shared state", "all streams") < 0)
        return -1;
    uint64_t records = 0;
    for (size_t i = 0; i < host->stream_count; i++) {
        if (stream_states[i].size &&
            check_json(host, stream_states[i], "a state", host->streams[i].name.name.data) < 0)
            return -1;
        records += host->streams[i].records;
        host->streams[i].records = 0;
        host->streams[i].stated = true;
    }
    host->global = true;
    struct buffer global;
    buffer_init(&global, SDK_LINE_MAX);
    write_global(host, &global, shared_state, stream_states);
    if (global.overflowed) {
        buffer_done(&global);
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM,
                             "a global state is larger than the limit of %d bytes", SDK_LINE_MAX);
    }
    join_lines(global.data, global.size);
    airbyte_write_global_state(&host->out, (struct slice){global.data, global.size},
                               (struct airbyte_state_counts){(double)records, -1});
    buffer_done(&global);
    return sdk_host_flush_if_due(host);
}

int firth_emit_estimate(struct firth_host *host, size_t index, int64_t records, int64_t bytes)
{
    if (ready(host, index) < 0)
        return -1;
    start(host, &host->streams[index]);
    airbyte_write_trace_estimate(&host->out, host->now_ms, host->streams[index].name, records, bytes);
    return sdk_host_flush_if_due(host);
}

/* --- the end of a stream -------------------------------------------------------------------------------- */

/* A platform wants a last state that covers every record. Where the source has none of its own: the last
 * one it gave (reading again what came after it is right, if slow), or one that says that there is no
 * cursor, by the name that Airbyte's own sources give it. */
static void put_last_state(struct firth_host *host, struct host_stream *stream)
{
    if (host->global || stream->stated)
        return;
    if (!stream->last_state.size)
        buffer_str(&stream->last_state, "{\"__ab_no_cursor_state_message\":true}");
    put_stream_state(host, stream);
}

int firth_emit_complete(struct firth_host *host, size_t index)
{
    if (ready(host, index) < 0)
        return -1;
    struct host_stream *stream = &host->streams[index];
    run(host, stream);
    put_last_state(host, stream);
    put_status(host, stream, AIRBYTE_STREAM_COMPLETE);
    stream->complete = true;
    return sdk_host_flush_if_due(host);
}

int sdk_host_end_streams(struct firth_host *host, bool complete)
{
    for (size_t i = 0; i < host->stream_count; i++) {
        struct host_stream *stream = &host->streams[i];
        if (stream->complete)
            continue;
        if (!complete) {
            if (stream->started)
                put_status(host, stream, AIRBYTE_STREAM_INCOMPLETE);
        } else if (firth_emit_complete(host, i) < 0) {
            return -1;
        }
    }
    return sdk_host_flush(host);
}
