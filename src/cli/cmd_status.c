/* `firth status`: what lies in the data directory, by task and collection. */
#include "cli/data_dir.h"
#include "cli/output.h"
#include "json/writer.h"

#include <unistd.h>

/* A task's committed checkpoint in bytes; 0 if it has none. */
static int checkpoint_size(struct store *store, const char *task, uint64_t *ret_size, struct error *err)
{
    struct arena arena;
    struct slice checkpoint = {0};
    arena_init(&arena);
    int rc = store_checkpoint_get(store, task, &arena, &checkpoint, err);
    *ret_size = rc == 0 ? checkpoint.size : 0;
    arena_done(&arena);
    return rc < 0 && err->code != ERROR_NOT_FOUND ? -1 : 0;
}

static void when_text(int64_t ms, char *text, size_t size)
{
    char full[32];
    clock_format_rfc3339(ms, full, sizeof full);
    if (ms <= 0)
        snprintf(text, size, "never");
    else
        snprintf(text, size, "%.10s %.8sZ", full, full + 11);
}

static int by_task(const void *left, const void *right)
{
    const struct store_journal_info *a = left, *b = right;
    int order = strcmp(a->writer, b->writer);
    return order ? order : strcmp(a->collection, b->collection);
}

static void table_journal(struct table *table, const struct store_journal_info *journal, bool first,
                          uint64_t checkpoint)
{
    char documents[32], bytes[32], when[40], size[32];
    string_human_count(journal->end - journal->first, documents, sizeof documents);
    string_human_bytes((double)journal->bytes, bytes, sizeof bytes);
    string_human_bytes((double)checkpoint, size, sizeof size);
    when_text(journal->committed_ms, when, sizeof when);
    table_cell(table, first ? journal->writer : "");
    table_cell(table, journal->collection);
    table_cell(table, documents);
    table_cell(table, bytes);
    table_cell(table, when);
    table_cell(table, first ? size : "");
}

static void json_journal(struct json_writer *writer, const struct store_journal_info *journal)
{
    char when[32];
    clock_format_rfc3339(journal->committed_ms, when, sizeof when);
    json_begin_object(writer);
    json_member_string(writer, "collection", journal->collection);
    json_member_u64(writer, "documents", journal->end - journal->first);
    json_member_u64(writer, "first", journal->first);
    json_member_u64(writer, "end", journal->end);
    json_member_u64(writer, "bytes", journal->bytes);
    json_member_string(writer, "committed_at", journal->committed_ms > 0 ? when : NULL);
    json_end_object(writer);
}

static int print_table(struct store *store, const struct cli *cli, const struct store_journal_info *journals,
                       size_t count, struct output *output, struct error *err)
{
    static const char *const headings[] = {"TASK",        "COLLECTION",  ">DOCUMENTS", ">BYTES",
                                           "LAST COMMIT", ">CHECKPOINT", NULL};
    struct table table;
    uint64_t checkpoint = 0;
    int rc = 0;
    if (count == 0) {
        output_printf(output, "nothing was captured in %s yet\n", cli->data_dir);
        return 0;
    }
    table_init(&table, headings);
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || strcmp(journals[i - 1].writer, journals[i].writer) != 0;
        if (first && rc == 0)
            rc = checkpoint_size(store, journals[i].writer, &checkpoint, err);
        table_journal(&table, &journals[i], first, checkpoint);
    }
    table_finish(&table, cli->terminal, output);
    return rc;
}

static int print_json(struct store *store, const struct cli *cli, const struct store_journal_info *journals,
                      size_t count, struct output *output, struct error *err)
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
    for (size_t i = 0; i < count && rc == 0;) {
        const char *task = journals[i].writer;
        uint64_t checkpoint = 0;
        rc = checkpoint_size(store, task, &checkpoint, err);
        json_begin_object(&writer);
        json_member_string(&writer, "task", task);
        json_member_u64(&writer, "checkpoint_bytes", checkpoint);
        json_put_key(&writer, "collections");
        json_begin_array(&writer);
        for (; i < count && strcmp(journals[i].writer, task) == 0; i++)
            json_journal(&writer, &journals[i]);
        json_end_array(&writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_byte(&text, '\n');
    output_write(output, text.data, text.size);
    buffer_done(&text);
    return rc;
}

static int run_status(struct cli *cli, int argc, char **argv)
{
    struct error err;
    struct arena arena;
    struct store_journal_info *journals;
    size_t count;
    mem_auto(store_close) struct store *store = data_dir_open(cli, &err);
    if (!store)
        return cli_fail(cli, &err);
    arena_init(&arena);
    if (store_list(store, NULL, &arena, &journals, &count, &err) < 0) {
        arena_done(&arena);
        return cli_fail(cli, &err);
    }
    if (count > 0)
        qsort(journals, count, sizeof *journals, by_task);
    struct output output;
    output_init(&output, STDOUT_FILENO);
    int rc = (cli->json ? print_json : print_table)(store, cli, journals, count, &output, &err);
    arena_done(&arena);
    int code = output_finish(&output, cli, CLI_OK);
    return rc < 0 ? cli_fail(cli, &err) : code;
}

const struct command cli_status = {
    .name = "status",
    .summary = "show tasks and collections: documents, bytes, last commit",
    .help = "Reads the data directory only; it may be used while Firth runs. Documents counts what is kept:\n"
            "retention may have dropped older ones.\n",
    .run = run_status,
};
