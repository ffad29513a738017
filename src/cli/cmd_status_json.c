/* `firth status -o json`: one object, described in docs/serve.md. */
#include "cli/cmd_status.h"

#include "cli/status_bindings.h"
#include "json/writer.h"

static void json_when(struct json_writer *writer, const char *member, int64_t ms)
{
    char when[32];
    clock_format_rfc3339(ms, when, sizeof when);
    json_member_string(writer, member, ms > 0 ? when : NULL);
}

static void json_known_u64(struct json_writer *writer, const char *member, uint64_t value, bool known)
{
    json_put_key(writer, member);
    if (known)
        json_put_u64(writer, value);
    else
        json_put_null(writer);
}

/* How much a session has moved the daemon writes down when it ends; until then the daemon alone knows. */
static void json_session(struct json_writer *writer, const struct deployed_task *task)
{
    const struct control_facts *facts = &task->row.facts;
    bool running = facts->session == CONTROL_SESSION_RUNNING;
    json_put_key(writer, "session");
    if (facts->session == CONTROL_SESSION_NONE) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_u64(writer, "number", facts->sessions);
    json_member_string(writer, "outcome", control_session_name(facts->session));
    json_when(writer, "started_at", facts->started_ms);
    json_when(writer, "ended_at", running ? 0 : facts->ended_ms);
    json_known_u64(writer, "documents", running ? task->documents : facts->documents, !running || task->live);
    json_known_u64(writer, "bytes", running ? task->bytes : facts->bytes, !running || task->live);
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
    json_session(writer, task);
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

/* What cannot be read is not known: the numbers are then those that are, or 0. */
static void json_journal(struct json_writer *writer, const struct store_journal_info *journal)
{
    bool known = !journal->damage || journal->end > 0;
    json_begin_object(writer);
    json_member_string(writer, "collection", journal->collection);
    json_known_u64(writer, "documents", journal->end - journal->first, known);
    json_known_u64(writer, "first", journal->first, known);
    json_known_u64(writer, "end", journal->end, known);
    json_known_u64(writer, "bytes", journal->bytes, known);
    json_when(writer, "committed_at", journal->committed_ms);
    json_damage(writer, journal->damage);
    json_end_object(writer);
}

/* A capture is to write it, and has not yet. */
static void json_unwritten(struct json_writer *writer, const char *collection)
{
    const struct store_journal_info nothing = {.collection = collection};
    json_journal(writer, &nothing);
}

static bool has_journal(const struct store_journal_info *journals, size_t count, const char *collection)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(journals[i].collection, collection) == 0)
            return true;
    }
    return false;
}

static void json_collections(struct json_writer *writer, const struct status *status,
                             const struct deployed_task *deployed, const char *name,
                             const struct status_bindings *bindings)
{
    size_t count;
    const struct store_journal_info *journals = status_journals(status, name, &count);
    bool writes = deployed && strcmp(deployed->row.kind, "capture") == 0;
    json_put_key(writer, "collections");
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_journal(writer, &journals[i]);
    for (size_t i = 0; writes && i < bindings->count; i++) {
        const struct status_binding *binding = &bindings->items[i];
        bool told = !binding->enabled || has_journal(journals, count, binding->collection);
        for (size_t j = 0; j < i && !told; j++)
            told =
                bindings->items[j].enabled && strcmp(bindings->items[j].collection, binding->collection) == 0;
        if (!told)
            json_unwritten(writer, binding->collection);
    }
    json_end_array(writer);
}

/* All of it that is kept: of a binding that has read nothing yet. */
static bool nothing_read(const struct status *status, const char *collection, uint64_t *ret_behind)
{
    *ret_behind = 0;
    for (size_t i = 0; i < status->journal_count; i++) {
        const struct store_journal_info *journal = &status->journals[i];
        if (strcmp(journal->collection, collection) != 0)
            continue;
        if (journal->damage && journal->end == 0)
            return false;
        *ret_behind += journal->end - journal->first;
    }
    return true;
}

static void json_behind(struct json_writer *writer, const struct status *status,
                        const struct task_checkpoint *checkpoint, const struct status_binding *binding,
                        bool damaged)
{
    uint64_t behind;
    if (!damaged && binding->saved) {
        if (status_behind(status, checkpoint, binding->saved, &behind))
            json_known_u64(writer, "behind", behind, behind != STATUS_BEHIND_UNKNOWN);
    } else {
        bool known = !damaged && nothing_read(status, binding->collection, &behind);
        json_known_u64(writer, "behind", known ? behind : 0, known);
    }
}

static void json_binding(struct json_writer *writer, const struct status *status,
                         const struct deployed_task *deployed, const struct task_checkpoint *checkpoint,
                         const struct status_bindings *bindings, const struct status_binding *binding,
                         bool damaged)
{
    static const struct task_saved_stream nothing;
    const struct task_saved_stream *saved = binding->saved ? binding->saved : &nothing;
    bool materializes = deployed && strcmp(deployed->row.kind, "materialization") == 0;
    const char *otherwise = materializes ? binding->stream : binding->collection;
    json_begin_object(writer);
    json_member_string(writer, "stream", binding->saved ? saved->name : binding->stream);
    json_member_string(writer, "target", binding->saved ? saved->target : otherwise);
    if (materializes)
        json_member_string(writer, "source", binding->collection);
    if (bindings->known) {
        json_member_bool(writer, "bound", binding->declared);
        json_member_bool(writer, "enabled", binding->enabled);
    }
    json_known_u64(writer, "documents", saved->documents, !damaged);
    json_known_u64(writer, "bytes", saved->bytes, !damaged);
    json_known_u64(writer, "invalid", saved->invalid, !damaged);
    if (binding->saved || (materializes && binding->enabled))
        json_behind(writer, status, checkpoint, binding, damaged);
    json_end_object(writer);
}

/* `info` NULL: the task has committed nothing. */
static void json_stored(struct json_writer *writer, struct status *status, const char *name,
                        const struct deployed_task *deployed, struct store_task_info *info)
{
    struct task_checkpoint checkpoint;
    struct status_bindings bindings;
    if (info)
        status_checkpoint(status, info, &checkpoint);
    else
        task_checkpoint_init(&checkpoint);
    status_bindings(deployed, &checkpoint, &status->arena, &bindings);
    json_damage(writer, info ? info->damage : NULL);
    json_member_u64(writer, "checkpoint_bytes", info ? info->checkpoint_bytes : 0);
    json_when(writer, "committed_at", info ? info->committed_ms : 0);
    json_collections(writer, status, deployed, name, &bindings);
    json_put_key(writer, "streams");
    json_begin_array(writer);
    for (size_t i = 0; i < bindings.count; i++)
        json_binding(writer, status, deployed, &checkpoint, &bindings, &bindings.items[i],
                     info && info->damage);
    json_end_array(writer);
    task_checkpoint_done(&checkpoint);
}

static void json_task(struct json_writer *writer, struct status *status, const char *name)
{
    const struct deployed_task *deployed = deployed_find(&status->deployed, name);
    json_begin_object(writer);
    json_member_string(writer, "task", name);
    if (deployed)
        json_deployed(writer, deployed);
    else
        json_member_string(writer, "state", NULL);
    json_stored(writer, status, name, deployed, status_stored(status, name));
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
