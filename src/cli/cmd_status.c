/* `firth status`: what lies in the data directory, by task: its collections, or, for a task that writes none
 * (a connection), the streams it has delivered; and of tasks that are deployed, how they are. */
#include "cli/columns.h"
#include "cli/data_dir.h"
#include "cli/deployed.h"
#include "cli/output.h"
#include "task/checkpoint.h"
#include "task/positions.h"
#include "json/writer.h"

#include <unistd.h>

struct status {
    struct store *store;
    struct arena arena;
    struct store_task_info *tasks; /* by name */
    size_t task_count;
    struct deployed deployed;
    const char **names; /* of all tasks, sorted; those that were asked for */
    size_t name_count;
    struct store_journal_info *journals; /* by task, then collection */
    size_t journal_count;
};

static int by_task(const void *left, const void *right)
{
    const struct store_journal_info *a = left, *b = right;
    int order = strcmp(a->writer, b->writer);
    return order ? order : strcmp(a->collection, b->collection);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Every task that is deployed or ever committed, each once. */
static void list_names(struct status *status)
{
    size_t count = 0, kept = 0;
    const char **names =
        arena_zalloc(&status->arena, (status->task_count + status->deployed.count + 1) * sizeof *names);
    for (size_t i = 0; i < status->task_count; i++)
        names[count++] = status->tasks[i].task;
    for (size_t i = 0; i < status->deployed.count; i++)
        names[count++] = status->deployed.tasks[i].row.name;
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    }
    status->names = names;
    status->name_count = kept;
}

/* Only those of the command line, if there are any. */
static int choose_names(struct status *status, char **wanted, size_t wanted_count, const char *data_dir,
                        struct error *err)
{
    for (size_t i = 0; i < wanted_count; i++) {
        size_t at = 0;
        while (at < status->name_count && strcmp(status->names[at], wanted[i]) != 0)
            at++;
        if (at == status->name_count)
            return deployed_unknown(wanted[i], status->names, status->name_count, data_dir, err);
    }
    size_t kept = 0;
    for (size_t i = 0; i < status->name_count && wanted_count; i++) {
        for (size_t j = 0; j < wanted_count; j++) {
            if (strcmp(wanted[j], status->names[i]) == 0) {
                status->names[kept++] = status->names[i];
                break;
            }
        }
    }
    if (wanted_count)
        status->name_count = kept;
    return 0;
}

static int status_load(struct status *status, const char *data_dir, struct error *err)
{
    if (store_list_tasks(status->store, &status->arena, &status->tasks, &status->task_count, err) < 0 ||
        store_list(status->store, NULL, &status->arena, &status->journals, &status->journal_count, err) < 0 ||
        deployed_load(data_dir, &status->deployed, err) < 0)
        return -1;
    if (status->journal_count > 0)
        qsort(status->journals, status->journal_count, sizeof *status->journals, by_task);
    list_names(status);
    return 0;
}

static const struct store_task_info *stored(const struct status *status, const char *name)
{
    for (size_t i = 0; i < status->task_count; i++) {
        if (strcmp(status->tasks[i].task, name) == 0)
            return &status->tasks[i];
    }
    return NULL;
}

/* The task's journals: *ret_count from the returned place. */
static const struct store_journal_info *journals_of(const struct status *status, const char *task,
                                                    size_t *ret_count)
{
    size_t first = 0, end;
    while (first < status->journal_count && strcmp(status->journals[first].writer, task) != 0)
        first++;
    for (end = first; end < status->journal_count && strcmp(status->journals[end].writer, task) == 0; end++)
        continue;
    *ret_count = end - first;
    return status->journals + first;
}

static int load_checkpoint(struct status *status, const char *task, struct task_checkpoint *checkpoint,
                           struct error *err)
{
    struct slice saved = {0};
    if (store_checkpoint_get(status->store, task, &status->arena, &saved, err) < 0)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    if (task_checkpoint_load(checkpoint, saved, err) < 0)
        return error_wrap(err, "the checkpoint of task %s", task);
    return 0;
}

/* How many committed documents of a materialization's source were not read at its last commit. False for a
 * stream of another task. */
static bool behind_of(const struct status *status, const struct task_checkpoint *checkpoint,
                      const struct task_saved_stream *stream, uint64_t *ret_behind)
{
    const char *saved = checkpoint->materialize.positions;
    struct arena arena;
    struct json doc;
    struct error err;
    if (!*saved)
        return false;
    *ret_behind = 0;
    arena_init(&arena);
    bool read = json_parse_copy(&arena, saved, strlen(saved), &doc, &err) == 0;
    for (size_t i = 0; i < status->journal_count && read; i++) {
        const struct store_journal_info *journal = &status->journals[i];
        if (strcmp(journal->collection, stream->namespace) != 0)
            continue;
        uint64_t next = task_positions_read_least(&doc, journal->collection, journal->writer);
        next = next < journal->first ? journal->first : next;
        *ret_behind += journal->end > next ? journal->end - next : 0;
    }
    arena_done(&arena);
    return read;
}

/* --- for people ------------------------------------------------------------------------------------ */

static void when_text(int64_t ms, char *text, size_t size)
{
    char full[32];
    clock_format_rfc3339(ms, full, sizeof full);
    if (ms <= 0)
        snprintf(text, size, "never");
    else
        snprintf(text, size, "%.10s %.8sZ", full, full + 11);
}

static void table_row(struct table *table, const struct store_task_info *task, bool first, const char *what,
                      uint64_t documents, uint64_t bytes, int64_t committed_ms)
{
    char count[32], amount[32], when[40], checkpoint[32];
    string_human_count(documents, count, sizeof count);
    string_human_bytes((double)bytes, amount, sizeof amount);
    string_human_bytes((double)task->checkpoint_bytes, checkpoint, sizeof checkpoint);
    when_text(committed_ms, when, sizeof when);
    table_cell(table, first ? task->task : "");
    table_cell(table, what);
    table_cell(table, count);
    table_cell(table, amount);
    table_cell(table, when);
    table_cell(table, first ? checkpoint : "");
}

static int table_task(struct table *table, struct status *status, const struct store_task_info *task,
                      struct error *err)
{
    struct task_checkpoint checkpoint;
    size_t count;
    const struct store_journal_info *journals = journals_of(status, task->task, &count);
    for (size_t i = 0; i < count; i++)
        table_row(table, task, i == 0, journals[i].collection, journals[i].end - journals[i].first,
                  journals[i].bytes, journals[i].committed_ms);
    if (count > 0)
        return 0;
    task_checkpoint_init(&checkpoint);
    int rc = load_checkpoint(status, task->task, &checkpoint, err);
    for (size_t i = 0; i < checkpoint.stream_count && rc == 0; i++) {
        const struct task_saved_stream *stream = checkpoint.streams[i];
        uint64_t behind;
        auto_free char *what = behind_of(status, &checkpoint, stream, &behind)
                                   ? mem_printf("%s to %s, %llu behind", stream->namespace, stream->target,
                                                (unsigned long long)behind)
                                   : mem_printf("stream %s", stream->target ? stream->target : stream->name);
        table_row(table, task, i == 0, what, stream->documents, stream->bytes, task->committed_ms);
    }
    if (rc == 0 && checkpoint.stream_count == 0)
        table_row(table, task, true, "", 0, 0, task->committed_ms);
    task_checkpoint_done(&checkpoint);
    return rc;
}

static int print_stored(struct status *status, const struct cli *cli, struct output *output,
                        struct error *err)
{
    static const char *const headings[] = {"TASK",        "COLLECTION",  ">DOCUMENTS", ">BYTES",
                                           "LAST COMMIT", ">CHECKPOINT", NULL};
    struct table table;
    int rc = 0;
    if (status->task_count == 0) {
        output_printf(output, "nothing was committed in %s yet\n", cli->data_dir);
        return 0;
    }
    table_init(&table, headings);
    for (size_t i = 0; i < status->name_count && rc == 0; i++) {
        const struct store_task_info *info = stored(status, status->names[i]);
        if (info)
            rc = table_task(&table, status, info, err);
    }
    table_finish(&table, cli->terminal, output);
    return rc;
}

static void next_text(const struct deployed_task *task, bool daemon, int64_t now_ms, char *text, size_t size)
{
    char rest[32];
    if (!daemon || task->live || task->due_ms == 0) {
        snprintf(text, size, "%s", "");
    } else if (task->due_ms <= now_ms) {
        snprintf(text, size, "now");
    } else {
        text_duration((uint64_t)(task->due_ms - now_ms), rest, sizeof rest);
        snprintf(text, size, "in %s", rest);
    }
}

static void deployed_row(struct table *table, const struct deployed_task *task, bool daemon, int64_t now_ms)
{
    char rate[48] = "", lag[32] = "", next[48], count[32], ended[40];
    if (task->live) {
        string_human_count((uint64_t)(task->document_rate + 0.5), count, sizeof count);
        snprintf(rate, sizeof rate, "%s/s", count);
    }
    if (task->live && task->lag_ms >= 0)
        text_duration((uint64_t)task->lag_ms, lag, sizeof lag);
    next_text(task, daemon, now_ms, next, sizeof next);
    when_text(task->row.facts.ended_ms, ended, sizeof ended);
    table_cell(table, task->row.name);
    table_cell(table, task->state);
    table_cell(table, task->row.schedule);
    table_cell(table, rate);
    table_cell(table, lag);
    table_cell(table, ended);
    table_cell(table, next);
}

/* The last failure of each, for it rarely fits into a column. */
static void print_errors(const struct status *status, int64_t now_ms, struct output *output)
{
    struct buffer line;
    buffer_init(&line, 1 << 16);
    for (size_t i = 0; i < status->name_count; i++) {
        const struct deployed_task *task = deployed_find(&status->deployed, status->names[i]);
        if (!task || !task->row.facts.error)
            continue;
        char ago[32];
        int64_t since = now_ms - task->row.facts.error_ms;
        text_duration(since > 0 ? (uint64_t)since : 0, ago, sizeof ago);
        buffer_clear(&line);
        text_append_printable(&line, task->row.facts.error, strlen(task->row.facts.error));
        output_printf(output, "\n%s, %s ago", task->row.name, ago);
        if (task->row.facts.failures > 1)
            output_printf(output, ", %u failures in a row", task->row.facts.failures);
        output_printf(output, ": %s\n", buffer_cstr(&line));
    }
    buffer_done(&line);
}

static void print_deployed(const struct status *status, const struct cli *cli, struct output *output)
{
    static const char *const headings[] = {"TASK", "STATE",    "SCHEDULE", ">RATE",
                                           ">LAG", "LAST END", "NEXT",     NULL};
    int64_t now = clock_wall_ms(&clock_system);
    struct table table;
    char since[40];
    when_text(status->deployed.since_ms, since, sizeof since);
    if (status->deployed.daemon)
        output_printf(output, "the daemon runs: process %lld, since %s\n", (long long)status->deployed.pid,
                      since);
    else
        output_str(output, "no daemon runs: 'firth serve' starts one\n");
    table_init(&table, headings);
    for (size_t i = 0; i < status->name_count; i++) {
        const struct deployed_task *task = deployed_find(&status->deployed, status->names[i]);
        if (task)
            deployed_row(&table, task, status->deployed.daemon, now);
    }
    table_finish(&table, cli->terminal, output);
    print_errors(status, now, output);
    output_str(output, "\n");
}

static int print_table(struct status *status, const struct cli *cli, struct output *output, struct error *err)
{
    if (status->deployed.daemon || status->deployed.count)
        print_deployed(status, cli, output);
    return print_stored(status, cli, output, err);
}

/* --- for machines ---------------------------------------------------------------------------------- */

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

static void json_journal(struct json_writer *writer, const struct store_journal_info *journal)
{
    json_begin_object(writer);
    json_member_string(writer, "collection", journal->collection);
    json_member_u64(writer, "documents", journal->end - journal->first);
    json_member_u64(writer, "first", journal->first);
    json_member_u64(writer, "end", journal->end);
    json_member_u64(writer, "bytes", journal->bytes);
    json_when(writer, "committed_at", journal->committed_ms);
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
    if (behind_of(status, checkpoint, stream, &behind))
        json_member_u64(writer, "behind", behind);
    json_end_object(writer);
}

static int json_stored(struct json_writer *writer, struct status *status, const struct store_task_info *task,
                       struct error *err)
{
    struct task_checkpoint checkpoint;
    size_t count;
    const struct store_journal_info *journals = journals_of(status, task->task, &count);
    task_checkpoint_init(&checkpoint);
    int rc = load_checkpoint(status, task->task, &checkpoint, err);
    json_member_u64(writer, "checkpoint_bytes", task->checkpoint_bytes);
    json_when(writer, "committed_at", task->committed_ms);
    json_put_key(writer, "collections");
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_journal(writer, &journals[i]);
    json_end_array(writer);
    json_put_key(writer, "streams");
    json_begin_array(writer);
    for (size_t i = 0; i < checkpoint.stream_count && rc == 0; i++)
        json_stream(writer, status, &checkpoint, checkpoint.streams[i]);
    json_end_array(writer);
    task_checkpoint_done(&checkpoint);
    return rc;
}

static int json_task(struct json_writer *writer, struct status *status, const char *name, struct error *err)
{
    const struct deployed_task *deployed = deployed_find(&status->deployed, name);
    const struct store_task_info *info = stored(status, name);
    json_begin_object(writer);
    json_member_string(writer, "task", name);
    if (deployed)
        json_deployed(writer, deployed);
    else
        json_member_string(writer, "state", NULL);
    int rc = 0;
    if (info) {
        rc = json_stored(writer, status, info, err);
    } else {
        json_member_u64(writer, "checkpoint_bytes", 0);
        json_when(writer, "committed_at", 0);
        json_member_raw(writer, "collections", SLICE_LITERAL("[]"));
        json_member_raw(writer, "streams", SLICE_LITERAL("[]"));
    }
    json_end_object(writer);
    return rc;
}

static int print_json(struct status *status, const struct cli *cli, struct output *output, struct error *err)
{
    struct buffer text;
    struct json_writer writer;
    int rc = 0;
    buffer_init(&text, 1 << 30);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "data_dir", cli->data_dir);
    json_put_key(&writer, "daemon");
    if (status->deployed.daemon) {
        json_begin_object(&writer);
        json_member_i64(&writer, "pid", status->deployed.pid);
        json_when(&writer, "since", status->deployed.since_ms);
        json_end_object(&writer);
    } else {
        json_put_null(&writer);
    }
    json_put_key(&writer, "tasks");
    json_begin_array(&writer);
    for (size_t i = 0; i < status->name_count && rc == 0; i++)
        rc = json_task(&writer, status, status->names[i], err);
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_byte(&text, '\n');
    if (rc == 0)
        output_write(output, text.data, text.size);
    buffer_done(&text);
    return rc;
}

static int run_status(struct cli *cli, int argc, char **argv)
{
    struct error err;
    struct output output;
    mem_auto(store_close) struct store *store = data_dir_open(cli, &err);
    if (!store)
        return cli_fail(cli, &err);
    struct status status = {.store = store};
    arena_init(&status.arena);
    output_init(&output, STDOUT_FILENO);
    int rc = status_load(&status, cli->data_dir, &err);
    if (rc == 0)
        rc = choose_names(&status, argv + 1, (size_t)argc - 1, cli->data_dir, &err);
    if (rc == 0)
        rc = (cli->json ? print_json : print_table)(&status, cli, &output, &err);
    deployed_done(&status.deployed);
    arena_done(&status.arena);
    int code = output_finish(&output, cli, CLI_OK);
    return rc < 0 ? cli_fail(cli, &err) : code;
}

const struct command cli_status = {
    .name = "status",
    .arguments = "[TASK]...",
    .summary = "show tasks: state, rate, lag, errors; collections: documents, bytes, last commit",
    .help = "Reads the data directory, and asks the daemon if one runs; it may be used at any time. A\n"
            "collection's documents are those that are kept: retention may have dropped older ones. A\n"
            "connection's are those that its destination has confirmed, over all syncs.\n",
    .operands_max = -1,
    .run = run_status,
};
