/* `firth status`: what lies in the data directory, by task: its collections, or, for a task that writes none
 * (a connection), the streams it has delivered; of tasks that are deployed, how they are; and connections of
 * the API with their last job. */
#include "cli/cmd_status.h"

#include "cli/columns.h"
#include "cli/damage.h"
#include "cli/data_dir.h"
#include "task/notes.h"
#include "task/positions.h"
#include "json/json.h"

#include <unistd.h>

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

/* The same with the way out, for people; NULL stays. */
static const struct error *explain(struct status *status, const struct error *damage, const char *task)
{
    if (!damage)
        return NULL;
    struct error *explained = arena_dup(&status->arena, damage, sizeof *damage);
    damage_explain(explained, task);
    return explained;
}

/* What tasks keep for themselves is not for people. */
static void leave_notes_out(struct status *status)
{
    size_t kept = 0;
    for (size_t i = 0; i < status->journal_count; i++) {
        if (!task_notes_is(status->journals[i].collection))
            status->journals[kept++] = status->journals[i];
    }
    status->journal_count = kept;
}

static int status_load(struct status *status, const char *data_dir, struct error *err)
{
    if (store_list_tasks(status->store, &status->arena, &status->tasks, &status->task_count, err) < 0 ||
        store_list(status->store, NULL, &status->arena, &status->journals, &status->journal_count, err) < 0 ||
        deployed_load(data_dir, &status->deployed, err) < 0)
        return -1;
    leave_notes_out(status);
    for (size_t i = 0; i < status->task_count; i++)
        status->tasks[i].damage = explain(status, status->tasks[i].damage, status->tasks[i].task);
    for (size_t i = 0; i < status->journal_count; i++)
        status->journals[i].damage = explain(status, status->journals[i].damage, status->journals[i].writer);
    if (status->journal_count > 0)
        qsort(status->journals, status->journal_count, sizeof *status->journals, by_task);
    list_names(status);
    return 0;
}

struct store_task_info *status_stored(const struct status *status, const char *name)
{
    for (size_t i = 0; i < status->task_count; i++) {
        if (strcmp(status->tasks[i].task, name) == 0)
            return &status->tasks[i];
    }
    return NULL;
}

const struct store_journal_info *status_journals(const struct status *status, const char *task,
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

void status_checkpoint(struct status *status, struct store_task_info *task,
                       struct task_checkpoint *ret_checkpoint)
{
    struct slice saved = {0};
    struct error err;
    task_checkpoint_init(ret_checkpoint);
    if (task->damage)
        return;
    int rc = store_checkpoint_get(status->store, task->task, &status->arena, &saved, &err);
    if (rc < 0 && err.code == ERROR_NOT_FOUND)
        return;
    if (rc == 0 && task_checkpoint_load(ret_checkpoint, saved, &err) < 0)
        rc = error_wrap(&err, "the checkpoint of task %s", task->task);
    if (rc == 0)
        return;
    task->damage = explain(status, &err, task->task);
    task_checkpoint_done(ret_checkpoint);
    task_checkpoint_init(ret_checkpoint);
}

bool status_behind(const struct status *status, const struct task_checkpoint *checkpoint,
                   const struct task_saved_stream *stream, uint64_t *ret_behind)
{
    const char *saved = checkpoint->materialize.positions;
    struct arena arena;
    struct json doc;
    struct error err;
    if (!*saved || stream->idle)
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
        if (journal->damage && journal->end == 0) {
            *ret_behind = STATUS_BEHIND_UNKNOWN;
            break;
        }
    }
    arena_done(&arena);
    return read;
}

/* --- for people ------------------------------------------------------------------------------------ */

void status_when(int64_t ms, char *text, size_t size)
{
    char full[32];
    clock_format_rfc3339(ms, full, sizeof full);
    if (ms <= 0)
        snprintf(text, size, "never");
    else
        snprintf(text, size, "%.10s %.8sZ", full, full + 11);
}

static const char *damage_word(const struct error *damage)
{
    return damage->code == ERROR_CORRUPT ? "damaged" : "unreadable";
}

static void table_row(struct table *table, const struct store_task_info *task, bool first, const char *what,
                      uint64_t documents, uint64_t bytes, int64_t committed_ms)
{
    char count[32], amount[32], when[40], checkpoint[32];
    string_human_count(documents, count, sizeof count);
    string_human_bytes((double)bytes, amount, sizeof amount);
    string_human_bytes((double)task->checkpoint_bytes, checkpoint, sizeof checkpoint);
    status_when(committed_ms, when, sizeof when);
    table_cell(table, first ? task->task : "");
    table_cell(table, what);
    table_cell(table, count);
    table_cell(table, amount);
    table_cell(table, when);
    table_cell(table, first ? checkpoint : "");
}

/* What is not known is left open. */
static void table_damaged(struct table *table, const char *task, const char *what, const struct error *damage)
{
    table_cell(table, task);
    table_cellf(table, *what ? "%s: %s" : "%s%s", what, damage_word(damage));
    for (int i = 2; i < 6; i++)
        table_cell(table, "");
}

static void table_stream(struct table *table, const struct status *status,
                         const struct task_checkpoint *checkpoint, size_t index,
                         const struct store_task_info *task)
{
    const struct task_saved_stream *stream = checkpoint->streams[index];
    uint64_t behind;
    auto_free char *what = NULL;
    if (stream->idle)
        what = mem_printf("%s to %s, not bound now", stream->namespace, stream->target);
    else if (!status_behind(status, checkpoint, stream, &behind))
        what = mem_printf("stream %s", stream->target ? stream->target : stream->name);
    else if (behind == STATUS_BEHIND_UNKNOWN)
        what = mem_printf("%s to %s, how far behind is not known", stream->namespace, stream->target);
    else
        what = mem_printf("%s to %s, %llu behind", stream->namespace, stream->target,
                          (unsigned long long)behind);
    table_row(table, task, index == 0, what, stream->documents, stream->bytes, task->committed_ms);
}

static void table_task(struct table *table, struct status *status, struct store_task_info *task)
{
    struct task_checkpoint checkpoint;
    size_t count;
    const struct store_journal_info *journals = status_journals(status, task->task, &count);
    for (size_t i = 0; i < count; i++) {
        const struct store_journal_info *journal = &journals[i];
        if (journal->damage)
            table_damaged(table, i == 0 ? task->task : "", journal->collection, journal->damage);
        else
            table_row(table, task, i == 0, journal->collection, journal->end - journal->first, journal->bytes,
                      journal->committed_ms);
    }
    if (count > 0)
        return;
    status_checkpoint(status, task, &checkpoint);
    for (size_t i = 0; i < checkpoint.stream_count; i++)
        table_stream(table, status, &checkpoint, i, task);
    if (task->damage)
        table_damaged(table, task->task, "", task->damage);
    else if (checkpoint.stream_count == 0)
        table_row(table, task, true, "", 0, 0, task->committed_ms);
    task_checkpoint_done(&checkpoint);
}

static void print_stored(struct status *status, const struct cli *cli, struct output *output)
{
    static const char *const headings[] = {"TASK",        "COLLECTION",  ">DOCUMENTS", ">BYTES",
                                           "LAST COMMIT", ">CHECKPOINT", NULL};
    struct table table;
    if (status->task_count == 0) {
        output_printf(output, "nothing was committed in %s yet\n", cli->data_dir);
        return;
    }
    table_init(&table, headings);
    for (size_t i = 0; i < status->name_count; i++) {
        struct store_task_info *info = status_stored(status, status->names[i]);
        if (info)
            table_task(&table, status, info);
    }
    table_finish(&table, cli->terminal, output);
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
    status_when(task->row.facts.ended_ms, ended, sizeof ended);
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
        text_append_printable_indented(&line, task->row.facts.error, strlen(task->row.facts.error));
        output_printf(output, "\n%s, %s ago", task->row.name, ago);
        if (task->row.facts.failures > 1)
            output_printf(output, ", %u failures in a row", task->row.facts.failures);
        output_printf(output, ": %s\n", buffer_cstr(&line));
    }
    buffer_done(&line);
}

static void print_ago(struct output *output, const char *name, int64_t when_ms, int64_t now_ms,
                      const char *text)
{
    char ago[32];
    struct buffer line;
    buffer_init(&line, 1 << 20);
    text_duration(now_ms > when_ms ? (uint64_t)(now_ms - when_ms) : 0, ago, sizeof ago);
    text_append_printable_indented(&line, text, strlen(text));
    output_printf(output, "\n%s, autoDiscover %s ago: %s\n", name, ago, buffer_cstr(&line));
    buffer_done(&line);
}

/* What autoDiscover last changed, a line each, and why it cannot now. */
static void print_discoveries(const struct status *status, int64_t now_ms, struct output *output)
{
    for (size_t i = 0; i < status->name_count; i++) {
        const struct deployed_task *task = deployed_find(&status->deployed, status->names[i]);
        const struct control_discovery *found = task ? task->discovery : NULL;
        const char *line = found && found->changed_ms ? found->changes : "";
        while (*line) {
            size_t size = strcspn(line, "\n");
            auto_free char *text = mem_strndup(line, size);
            print_ago(output, task->row.name, found->changed_ms, now_ms, text);
            line += size + (line[size] == '\n');
        }
        if (found && found->error)
            print_ago(output, task->row.name, found->ran_ms, now_ms, found->error);
    }
}

static void print_deployed(const struct status *status, const struct cli *cli, struct output *output)
{
    static const char *const headings[] = {"TASK", "STATE",    "SCHEDULE", ">RATE",
                                           ">LAG", "LAST END", "NEXT",     NULL};
    int64_t now = clock_wall_ms(&clock_system);
    struct table table;
    char since[40];
    status_when(status->deployed.since_ms, since, sizeof since);
    if (status->deployed.daemon)
        output_printf(output, "the daemon runs: process %lld, since %s%s%s%s%s\n",
                      (long long)status->deployed.pid, since, status->deployed.url ? ", the API at " : "",
                      status->deployed.url ? status->deployed.url : "",
                      status->deployed.ingest_url ? ", push captures at " : "",
                      status->deployed.ingest_url ? status->deployed.ingest_url : "");
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
    print_discoveries(status, now, output);
    output_str(output, "\n");
}

static void print_table(struct status *status, const struct cli *cli, struct output *output)
{
    if (status->deployed.daemon || status->deployed.count)
        print_deployed(status, cli, output);
    status_print_connections(status, cli, output);
    print_stored(status, cli, output);
}

/* An error line for each task shown that is damaged, or for each journal of it if the task is not. */
static int tell_damage(struct status *status, const struct cli *cli)
{
    int code = CLI_OK;
    for (size_t i = 0; i < status->name_count; i++) {
        const struct store_task_info *task = status_stored(status, status->names[i]);
        size_t count;
        const struct store_journal_info *journals = status_journals(status, status->names[i], &count);
        if (task && task->damage)
            code = cli_fail(cli, task->damage);
        for (size_t j = 0; j < count && !(task && task->damage); j++) {
            if (journals[j].damage)
                code = cli_fail(cli, journals[j].damage);
        }
    }
    return code;
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
    if (rc == 0 && argc == 1)
        rc = status_load_connections(&status, cli->data_dir, &err);
    int code = CLI_OK;
    if (rc == 0) {
        (cli->json ? status_print_json : print_table)(&status, cli, &output);
        output_flush(&output);
        code = tell_damage(&status, cli);
    }
    deployed_done(&status.deployed);
    arena_done(&status.arena);
    code = output_finish(&output, cli, code);
    return rc < 0 ? cli_fail(cli, &err) : code;
}

const struct command cli_status = {
    .name = "status",
    .arguments = "[TASK]...",
    .summary =
        "show tasks: state, rate, lag, errors; connections; collections: documents, bytes, last commit",
    .help =
        "Reads the data directory, and asks the daemon if one runs; it may be used at any time. A\n"
        "collection's documents are those that are kept: retention may have dropped older ones. A\n"
        "connection's are those that its destination has confirmed, over all syncs. Connections of the API\n"
        "are shown with their last job, unless tasks are named.\n\n"
        "A task whose files are damaged or cannot be read is shown as such, with the reason on standard\n"
        "error, and the exit code is then 5. Damage within a segment shows only when it is read.\n",
    .operands_max = -1,
    .run = run_status,
};
