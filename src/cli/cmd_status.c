/* `firth status`: what lies in the data directory, by task: its collections, or, for a task that writes none
 * (a connection), the streams it has delivered. */
#include "cli/data_dir.h"
#include "cli/output.h"
#include "task/checkpoint.h"
#include "json/writer.h"

#include <unistd.h>

struct status {
    struct store *store;
    struct arena arena;
    struct store_task_info *tasks;
    size_t task_count;
    struct store_journal_info *journals; /* by task, then collection */
    size_t journal_count;
};

static int by_task(const void *left, const void *right)
{
    const struct store_journal_info *a = left, *b = right;
    int order = strcmp(a->writer, b->writer);
    return order ? order : strcmp(a->collection, b->collection);
}

static int status_load(struct status *status, struct error *err)
{
    if (store_list_tasks(status->store, &status->arena, &status->tasks, &status->task_count, err) < 0 ||
        store_list(status->store, NULL, &status->arena, &status->journals, &status->journal_count, err) < 0)
        return -1;
    if (status->journal_count > 0)
        qsort(status->journals, status->journal_count, sizeof *status->journals, by_task);
    return 0;
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
        auto_free char *what = mem_printf("stream %s", stream->target ? stream->target : stream->name);
        table_row(table, task, i == 0, what, stream->documents, stream->bytes, task->committed_ms);
    }
    if (rc == 0 && checkpoint.stream_count == 0)
        table_row(table, task, true, "", 0, 0, task->committed_ms);
    task_checkpoint_done(&checkpoint);
    return rc;
}

static int print_table(struct status *status, const struct cli *cli, struct output *output, struct error *err)
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
    for (size_t i = 0; i < status->task_count && rc == 0; i++)
        rc = table_task(&table, status, &status->tasks[i], err);
    table_finish(&table, cli->terminal, output);
    return rc;
}

/* --- for machines ---------------------------------------------------------------------------------- */

static void json_when(struct json_writer *writer, int64_t ms)
{
    char when[32];
    clock_format_rfc3339(ms, when, sizeof when);
    json_member_string(writer, "committed_at", ms > 0 ? when : NULL);
}

static void json_journal(struct json_writer *writer, const struct store_journal_info *journal)
{
    json_begin_object(writer);
    json_member_string(writer, "collection", journal->collection);
    json_member_u64(writer, "documents", journal->end - journal->first);
    json_member_u64(writer, "first", journal->first);
    json_member_u64(writer, "end", journal->end);
    json_member_u64(writer, "bytes", journal->bytes);
    json_when(writer, journal->committed_ms);
    json_end_object(writer);
}

static void json_stream(struct json_writer *writer, const struct task_saved_stream *stream)
{
    json_begin_object(writer);
    json_member_string(writer, "stream", stream->name);
    json_member_string(writer, "target", stream->target);
    json_member_u64(writer, "documents", stream->documents);
    json_member_u64(writer, "bytes", stream->bytes);
    json_member_u64(writer, "invalid", stream->invalid);
    json_end_object(writer);
}

static int json_task(struct json_writer *writer, struct status *status, const struct store_task_info *task,
                     struct error *err)
{
    struct task_checkpoint checkpoint;
    size_t count;
    const struct store_journal_info *journals = journals_of(status, task->task, &count);
    task_checkpoint_init(&checkpoint);
    int rc = load_checkpoint(status, task->task, &checkpoint, err);
    json_begin_object(writer);
    json_member_string(writer, "task", task->task);
    json_member_u64(writer, "checkpoint_bytes", task->checkpoint_bytes);
    json_when(writer, task->committed_ms);
    json_put_key(writer, "collections");
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_journal(writer, &journals[i]);
    json_end_array(writer);
    json_put_key(writer, "streams");
    json_begin_array(writer);
    for (size_t i = 0; i < checkpoint.stream_count && rc == 0; i++)
        json_stream(writer, checkpoint.streams[i]);
    json_end_array(writer);
    json_end_object(writer);
    task_checkpoint_done(&checkpoint);
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
    json_put_key(&writer, "tasks");
    json_begin_array(&writer);
    for (size_t i = 0; i < status->task_count && rc == 0; i++)
        rc = json_task(&writer, status, &status->tasks[i], err);
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
    int rc = status_load(&status, &err);
    if (rc == 0)
        rc = (cli->json ? print_json : print_table)(&status, cli, &output, &err);
    arena_done(&status.arena);
    int code = output_finish(&output, cli, CLI_OK);
    return rc < 0 ? cli_fail(cli, &err) : code;
}

const struct command cli_status = {
    .name = "status",
    .summary = "show tasks and collections: documents, bytes, last commit",
    .help =
        "Reads the data directory only; it may be used while Firth runs. A collection's documents are those\n"
        "that are kept: retention may have dropped older ones. A connection's are those that its "
        "destination\n"
        "has confirmed, over all syncs.\n",
    .run = run_status,
};
