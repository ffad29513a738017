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
        buffer_init(&stream->last_state, SDK_STATE_MAX);
        buffer_append(&stream->last_state, from->state.data, from->state.size);
        host->face->open_stream(host, i, from);
    }
}

static void start(struct firth_host *host, struct host_stream *stream)
{
    if (!stream->started)
        host->face->put_status(host, stream, AIRBYTE_STREAM_STARTED);
    stream->started = true;
}

static void run(struct firth_host *host, struct host_stream *stream)
{
    start(host, stream);
    if (!stream->running)
        host->face->put_status(host, stream, AIRBYTE_STREAM_RUNNING);
    stream->running = true;
}

/* May anything be emitted for this stream now? */
static int ready(struct firth_host *host, size_t stream)
{
    assert(stream < host->stream_count);
    if (host->failed || sdk_host_must_stop(host))
        return -1;
    if (host->streams[stream].complete)
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "%s emitted more for stream %s after its end",
                             host->class_->name, host->streams[stream].name.name.data);
    return 0;
}

static int too_large(struct firth_host *host, const struct host_stream *stream, size_t size)
{
    return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "a record of stream %s has %zu bytes; the limit is %d",
                         stream->name.name.data, size, SDK_RECORD_MAX);
}

static int count_record(struct firth_host *host, struct host_stream *stream)
{
    stream->records++;
    host->group_records++;
    stream->stated = false;
    return sdk_host_flush_if_due(host);
}

static int emit_record(struct firth_host *host, size_t index, struct firth_slice data,
                       struct firth_slice changes)
{
    if (ready(host, index) < 0)
        return -1;
    struct host_stream *stream = &host->streams[index];
    if (!stream->running)
        run(host, stream);
    if (data.size > SDK_RECORD_MAX)
        return too_large(host, stream, data.size);
    size_t before = host->out.size;
    if (changes.size)
        host->face->put_changed(host, stream, slice_from(data), slice_from(changes));
    else
        host->face->put_record(host, stream, slice_from(data));
    if (data.size && memchr(data.data, '\n', data.size))
        sdk_join_lines(host->out.data + before, host->out.size - 1 - before);
    return count_record(host, stream);
}

int firth_emit_record(struct firth_host *host, size_t index, struct firth_slice data)
{
    return emit_record(host, index, data, (struct firth_slice){0});
}

int firth_emit_changed_record(struct firth_host *host, size_t index, struct firth_slice data,
                              struct firth_slice changes)
{
    return emit_record(host, index, data, changes);
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
    host->face->begin_record(host, stream);
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
        sdk_join_lines(host->out.data + before, json.size);
}

int firth_record_end(struct firth_host *host)
{
    struct host_stream *stream = &host->streams[host->record_stream];
    buffer_byte(&host->out, '}');
    size_t size = host->out.size - host->record_start;
    bool overflowed = host->out.overflowed;
    host->face->end_record(host);
    host->record_open = false;
    if (ready(host, host->record_stream) < 0 || overflowed || size > SDK_RECORD_MAX) {
        host->out.size = host->record_start; /* what cannot be emitted leaves no trace */
        host->out.overflowed = false;
        return host->failed || sdk_host_must_stop(host) ? -1 : too_large(host, stream, size);
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

static int put_stream_state(struct firth_host *host, size_t index)
{
    struct host_stream *stream = &host->streams[index];
    int result = host->face->put_state(host, index);
    stream->records = 0;
    stream->stated = true;
    return result;
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
    sdk_join_lines(stream->last_state.data, stream->last_state.size);
    return put_stream_state(host, index) < 0 ? -1 : sdk_host_flush_if_due(host);
}

int firth_emit_global_state(struct firth_host *host, struct firth_slice shared_state,
                            const struct firth_slice *stream_states)
{
    if (host->failed || sdk_host_must_stop(host))
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
    if (host->face->put_global_state(host, shared_state, stream_states, records) < 0)
        return -1;
    return sdk_host_flush_if_due(host);
}

int firth_emit_schema(struct firth_host *host, size_t index, struct firth_slice json_schema)
{
    if (ready(host, index) < 0 ||
        check_json(host, json_schema, "a schema", host->streams[index].name.name.data) < 0)
        return -1;
    host->face->put_schema(host, &host->streams[index], slice_from(json_schema));
    return sdk_host_flush_if_due(host);
}

int firth_emit_estimate(struct firth_host *host, size_t index, int64_t records, int64_t bytes)
{
    if (ready(host, index) < 0)
        return -1;
    start(host, &host->streams[index]);
    host->face->put_estimate(host, &host->streams[index], records, bytes);
    return sdk_host_flush_if_due(host);
}

/* --- the end of a stream -------------------------------------------------------------------------------- */

int firth_emit_complete(struct firth_host *host, size_t index)
{
    if (ready(host, index) < 0)
        return -1;
    struct host_stream *stream = &host->streams[index];
    run(host, stream);
    if (!stream->stated && host->face->put_last_state(host, index) < 0)
        return -1;
    host->face->put_status(host, stream, AIRBYTE_STREAM_COMPLETE);
    stream->complete = true;
    return sdk_host_flush_if_due(host);
}

int firth_emit_incomplete(struct firth_host *host, size_t index)
{
    if (ready(host, index) < 0)
        return -1;
    struct host_stream *stream = &host->streams[index];
    start(host, stream);
    host->face->put_status(host, stream, AIRBYTE_STREAM_INCOMPLETE);
    stream->complete = stream->failed = true;
    return sdk_host_flush_if_due(host);
}

int firth_emit_config(struct firth_host *host, struct firth_slice config)
{
    if (host->failed || sdk_host_must_stop(host))
        return -1;
    if (check_json(host, config, "a config", "all streams") < 0)
        return -1;
    host->face->put_config(host, slice_from(config));
    return sdk_host_flush(host); /* what it replaces may be good for nothing by now */
}

int sdk_host_end_streams(struct firth_host *host, bool complete)
{
    for (size_t i = 0; i < host->stream_count; i++) {
        struct host_stream *stream = &host->streams[i];
        if (complete && stream->failed)
            return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "stream %s could not be read to its end",
                                 stream->name.name.data);
        if (stream->complete)
            continue;
        if (!complete) {
            if (stream->started)
                host->face->put_status(host, stream, AIRBYTE_STREAM_INCOMPLETE);
        } else if (firth_emit_complete(host, i) < 0) {
            return -1;
        }
    }
    if (complete && host->face->end_session(host) < 0)
        return -1;
    return sdk_host_flush(host);
}
