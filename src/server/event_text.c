/* Events as they are sent: a name and an object of one line, members as the other answers of the API have
 * them. */
#include "server/events.h"

static void begin(struct buffer *out, struct json_writer *writer, const char *name)
{
    buffer_printf(out, "event: %s\ndata: ", name);
    json_writer_init(writer, out);
    json_begin_object(writer);
}

static void end(struct buffer *out, struct json_writer *writer)
{
    json_end_object(writer);
    buffer_str(out, "\n\n");
}

static void write_job(struct json_writer *writer, const struct job_news *news)
{
    json_member_i64(writer, "id", news->job);
    json_member_string(writer, "connectionId", news->connection);
    json_member_string(writer, "configType", control_job_type_name(news->type));
    json_member_string(writer, "status", control_job_status_name(news->status));
    json_member_u64(writer, "attempt", news->attempt);
    json_member_i64(writer, "createdAt", call_seconds(news->created_ms));
}

void event_job(struct buffer *out, const struct job_news *news)
{
    struct json_writer writer;
    begin(out, &writer, "job");
    write_job(&writer, news);
    end(out, &writer);
}

static void write_stats(struct json_writer *writer, const struct control_stats *stats)
{
    json_put_key(writer, "stats");
    json_begin_object(writer);
    json_member_i64(writer, "recordsEmitted", stats->records_emitted);
    json_member_i64(writer, "bytesEmitted", stats->bytes_emitted);
    json_member_i64(writer, "recordsCommitted", stats->records_committed);
    json_member_i64(writer, "bytesCommitted", stats->bytes_committed);
    json_member_i64(writer, "recordsRejected", stats->records_rejected);
    if (stats->estimated_records >= 0)
        json_member_i64(writer, "estimatedRecords", stats->estimated_records);
    if (stats->estimated_bytes >= 0)
        json_member_i64(writer, "estimatedBytes", stats->estimated_bytes);
    json_end_object(writer);
}

void event_progress(struct buffer *out, const struct job_progress *progress)
{
    struct json_writer writer;
    begin(out, &writer, "progress");
    write_job(&writer, &progress->job);
    write_stats(&writer, &progress->stats);
    json_put_key(&writer, "streamStats");
    json_begin_array(&writer);
    for (size_t i = 0; i < progress->stream_count; i++) {
        const struct control_stream_stats *stream = progress->streams[i];
        json_begin_object(&writer);
        json_member_string(&writer, "streamName", stream->stream.name);
        if (stream->stream.namespace)
            json_member_string(&writer, "streamNamespace", stream->stream.namespace);
        write_stats(&writer, &stream->stats);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    end(out, &writer);
}

void event_task(struct buffer *out, const struct task_news *news)
{
    struct json_writer writer;
    begin(out, &writer, "task");
    json_member_string(&writer, "task", news->name);
    json_member_string(&writer, "state", news->state);
    json_put_key(&writer, "live");
    if (news->running) {
        json_begin_object(&writer);
        json_member_u64(&writer, "documents", news->documents);
        json_member_u64(&writer, "bytes", news->bytes);
        json_member_double(&writer, "documents_per_second", news->document_rate);
        json_member_double(&writer, "bytes_per_second", news->byte_rate);
        json_put_key(&writer, "lag_ms");
        if (news->lag_ms >= 0)
            json_put_i64(&writer, news->lag_ms);
        else
            json_put_null(&writer);
        json_end_object(&writer);
    } else {
        json_put_null(&writer);
    }
    end(out, &writer);
}
