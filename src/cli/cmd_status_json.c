/* `firth status -o json`: one object, described in docs/serve.md. */
#include "cli/cmd_status.h"

#include "json/writer.h"

static void json_when(struct json_writer *writer, const char *member, int64_t ms)
{
    char when[32];
    clock_format_rfc3339(ms, when, sizeof when);
    json_member_string(writer, member, ms > 0 ? when : NULL);
}

static void json_session(struct json_writer *writer, const struct control_facts *facts)
{
    json_put_key(writer, "session");
    if (facts->session == CONTROL_SESSION_NONE) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_u64(writer, "number", facts->sessions);
    json_member_string(writer, "outcome", control_session_name(facts->session));
    json_when(writer, "started_at", facts->started_ms);
    json_when(writer, "ended_at", facts->session == CONTROL_SESSION_RUNNING ? 0 : facts->ended_ms);
    json_member_u64(writer, "documents", facts->documents);
    json_member_u64(writer, "bytes", facts->bytes);
    json_end_object(writer);
}

static void json_error(struct json_writer *writer, const struct control_facts *facts)
{
    json_put_key(writer, "error");
    if (!facts->error) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_string(writer, "code", facts->code);
    json_member_string(writer, "message", facts->error);
    json_when(writer, "at", facts->error_ms);
    json_end_object(writer);
}

static void json_live(struct json_writer *writer, const struct deployed_task *task)
{
    json_put_key(writer, "live");
    if (!task->live) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_u64(writer, "documents", task->documents);
    json_member_u64(writer, "bytes", task->bytes);
    json_member_double(writer, "documents_per_second", task->document_rate);
    json_member_double(writer, "bytes_per_second", task->byte_rate);
    json_put_key(writer, "lag_ms");
    if (task->lag_ms >= 0)
        json_put_i64(writer, task->lag_ms);
    else
        json_put_null(writer);
    json_end_object(writer);
}

static void json_deployed(struct json_writer *writer, const struct deployed_task *task)
{
    json_member_string(writer, "kind", task->row.kind);
    json_member_string(writer, "deployment", task->deployment);
    json_member_string(writer, "state", task->state);
    json_member_bool(writer, "enabled", task->row.enabled);
    json_member_string(writer, "schedule", task->row.schedule);
    json_member_u64(writer, "generation", task->row.generation);
    json_member_u64(writer, "failures", task->row.facts.failures);
    json_when(writer, "next_at", task->live ? 0 : task->due_ms);
    json_session(writer, &task->row.facts);
    json_error(writer, &task->row.facts);
    json_live(writer, task);
}

static void json_damage(struct json_writer *writer, const struct error *damage)
{
    json_put_key(writer, "damage");
    if (!damage) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_string(writer, "code", error_code_name(damage->code));
    json_member_string(writer, "message", damage->message);
    json_end_object(writer);
}

static void json_journal(struct json_writer *writer, const struct store_journal_info *journal)
{
    json_begin_object(writer);
    json_member_string(writer, "collection", journal->collection);
    json_member_u64(writer, "documents", journal->end - journal->first);
    json_member_u64(writer, "first", journal->first);
    json_member_u64(writer, "end", journal->end);
    json_member_u64(writer, "bytes", journal->bytes);
    json_when(writer, "committed_at", journal->committed_ms);
    json_damage(writer, journal->damage);
    json_end_object(writer);
}

static void json_stream(struct json_writer *writer, const struct status *status,
                        const struct task_checkpoint *checkpoint, const struct task_saved_stream *stream)
{
    uint64_t behind;
    json_begin_object(writer);
    json_member_string(writer, "stream", stream->name);
    json_member_string(writer, "target", stream->target);
    json_member_u64(writer, "documents", stream->documents);
    json_member_u64(writer, "bytes", stream->bytes);
    json_member_u64(writer, "invalid", stream->invalid);
    if (status_behind(status, checkpoint, stream, &behind)) {
        json_put_key(writer, "behind");
        if (behind == STATUS_BEHIND_UNKNOWN)
            json_put_null(writer);
        else
            json_put_u64(writer, behind);
    }
    json_end_object(writer);
}

static void json_stored(struct json_writer *writer, struct status *status, struct store_task_info *task)
{
    struct task_checkpoint checkpoint;
    size_t count;
    const struct store_journal_info *journals = status_journals(status, task->task, &count);
    status_checkpoint(status, task, &checkpoint);
    json_damage(writer, task->damage);
    json_member_u64(writer, "checkpoint_bytes", task->checkpoint_bytes);
    json_when(writer, "committed_at", task->committed_ms);
    json_put_key(writer, "collections");
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_journal(writer, &journals[i]);
    json_end_array(writer);
    json_put_key(writer, "streams");
    json_begin_array(writer);
    for (size_t i = 0; i < checkpoint.stream_count; i++)
        json_stream(writer, status, &checkpoint, checkpoint.streams[i]);
    json_end_array(writer);
    task_checkpoint_done(&checkpoint);
}

static void json_task(struct json_writer *writer, struct status *status, const char *name)
{
    const struct deployed_task *deployed = deployed_find(&status->deployed, name);
    struct store_task_info *info = status_stored(status, name);
    json_begin_object(writer);
    json_member_string(writer, "task", name);
    if (deployed)
        json_deployed(writer, deployed);
    else
        json_member_string(writer, "state", NULL);
    if (info) {
        json_stored(writer, status, info);
    } else {
        json_damage(writer, NULL);
        json_member_u64(writer, "checkpoint_bytes", 0);
        json_when(writer, "committed_at", 0);
        json_member_raw(writer, "collections", SLICE_LITERAL("[]"));
        json_member_raw(writer, "streams", SLICE_LITERAL("[]"));
    }
    json_end_object(writer);
}

void status_print_json(struct status *status, const struct cli *cli, struct output *output)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, 1 << 30);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "data_dir", cli->data_dir);
    json_put_key(&writer, "daemon");
    if (status->deployed.daemon) {
        json_begin_object(&writer);
        json_member_i64(&writer, "pid", status->deployed.pid);
        json_when(&writer, "since", status->deployed.since_ms);
        json_member_string(&writer, "url", status->deployed.url);
        json_member_string(&writer, "ingest_url", status->deployed.ingest_url);
        json_end_object(&writer);
    } else {
        json_put_null(&writer);
    }
    json_put_key(&writer, "tasks");
    json_begin_array(&writer);
    for (size_t i = 0; i < status->name_count; i++)
        json_task(&writer, status, status->names[i]);
    json_end_array(&writer);
    status_json_connections(&writer, status);
    json_end_object(&writer);
    buffer_byte(&text, '\n');
    output_write(output, text.data, text.size);
    buffer_done(&text);
}
