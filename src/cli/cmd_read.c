/* `firth read`: a collection's committed documents as JSON lines, to its end or following it. */
#include "cli/damage.h"
#include "cli/data_dir.h"
#include "cli/output.h"
#include "cli/read_filter.h"
#include "task/notes.h"
#include "json/json.h"
#include "json/writer.h"

#include "base/map.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct read_options {
    bool follow;
    const char *task;
    struct option_number from, limit;
    struct option_list wheres;
};

static const struct option_spec specs[] = {
    {"follow", 'f', OPTION_FLAG, offsetof(struct read_options, follow), NULL,
     "wait for more documents and print them as they are committed"},
    {"task", 0, OPTION_STRING, offsetof(struct read_options, task), "NAME",
     "only the documents that this task wrote"},
    {"from", 0, OPTION_NUMBER, offsetof(struct read_options, from), "N",
     "begin at document N of each writer; they are numbered from 0"},
    {"where", 0, OPTION_LIST, offsetof(struct read_options, wheres), "POINTER=VALUE",
     "only documents that have this value there: /id=7"},
    {"limit", 0, OPTION_NUMBER, offsetof(struct read_options, limit), "N", "stop after N documents"},
    {NULL},
};

/* A document's line. With -o json it says where the document lies; the head of that line changes only with
 * the writer. */
struct printer {
    struct output *output;
    const char *collection;
    bool json;
    struct buffer head; /* {"collection":"…","writer":"…","number": */
    char *writer;       /* whose head that is */
    struct map told;    /* tasks of which damage was told */
};

static void set_head(struct printer *printer, const char *writer)
{
    buffer_clear(&printer->head);
    buffer_str(&printer->head, "{\"collection\":");
    json_escape(&printer->head, slice_of(printer->collection));
    buffer_str(&printer->head, ",\"writer\":");
    json_escape(&printer->head, slice_of(writer));
    buffer_str(&printer->head, ",\"number\":");
    free(printer->writer);
    printer->writer = mem_strdup(writer);
}

static void print_document(struct printer *printer, const struct store_document *document)
{
    struct output *output = printer->output;
    if (printer->json) {
        char number[48];
        if (!printer->writer || strcmp(printer->writer, document->writer) != 0)
            set_head(printer, document->writer);
        int size =
            snprintf(number, sizeof number, "%llu,\"document\":", (unsigned long long)document->number);
        output_write(output, printer->head.data, printer->head.size);
        output_write(output, number, (size_t)size);
    }
    output_write(output, document->bytes.data, document->bytes.size);
    output_str(output, printer->json ? "}\n" : "\n");
}

/* --- what was missed ------------------------------------------------------------------------------- */

/* Begin an object of its own among the documents: {"collection":…,"writer":…,"<what>":{ */
static void begin_object(struct json_writer *writer, struct buffer *line, const struct printer *printer,
                         const char *task, const char *what)
{
    buffer_init(line, 64 * 1024);
    json_writer_init(writer, line);
    json_begin_object(writer);
    json_member_string(writer, "collection", printer->collection);
    json_member_string(writer, "writer", task);
    json_put_key(writer, what);
    json_begin_object(writer);
}

static void end_object(struct json_writer *writer, struct buffer *line, struct output *output)
{
    json_end_object(writer);
    json_end_object(writer);
    buffer_byte(line, '\n');
    output_write(output, line->data, line->size);
    buffer_done(line);
}

static void tell_machine(const struct printer *printer, const struct store_notice *notice)
{
    bool dropped = notice->kind == STORE_NOTICE_DROPPED;
    struct buffer line;
    struct json_writer writer;
    begin_object(&writer, &line, printer, notice->writer, dropped ? "dropped" : "gone");
    json_member_u64(&writer, "documents", notice->end - notice->first);
    if (notice->end > notice->first) {
        json_member_u64(&writer, "from", notice->first);
        json_member_u64(&writer, "to", notice->end - 1);
    }
    end_object(&writer, &line, printer->output);
}

/* On standard error, whatever the log level: it is the answer to what was asked. */
static void tell_person(const struct cli *cli, const struct printer *printer,
                        const struct store_notice *notice)
{
    char range[64];
    struct log log = cli->log;
    unsigned long long first = notice->first, end = notice->end, count = end - first;
    if (count == 1)
        snprintf(range, sizeof range, "document %llu", first);
    else
        snprintf(range, sizeof range, "documents %llu to %llu", first, end - 1);
    log.level = LOG_WARN;
    if (notice->kind == STORE_NOTICE_GONE)
        log_warn(&log, "%s of task %s in collection %s (%llu) %s gone: retention dropped %s", range,
                 notice->writer, printer->collection, count, count == 1 ? "is" : "are",
                 count == 1 ? "it" : "them");
    else if (count > 0)
        log_warn(
            &log,
            "task %s was dropped, and with it %s in collection %s (%llu), not read yet; what it writes anew "
            "is numbered from 0",
            notice->writer, range, printer->collection, count);
    else
        log_warn(&log, "task %s was dropped; what it writes anew in collection %s is numbered from 0",
                 notice->writer, printer->collection);
}

/* CLI_FAILED if documents were missed. What was gone from the beginning is missed by those who asked for it.
 */
static int tell_notices(const struct cli *cli, struct store_reader *reader, struct printer *printer)
{
    const struct read_options *options = cli->options;
    struct store_notice notice;
    int code = CLI_OK;
    while (store_reader_notice(reader, &notice)) {
        if (notice.kind == STORE_NOTICE_GONE && notice.initial && !options->from.given)
            continue;
        output_flush(printer->output);
        if (printer->json)
            tell_machine(printer, &notice);
        tell_person(cli, printer, &notice);
        if (notice.end > notice.first)
            code = CLI_FAILED;
    }
    return code;
}

/* One writer's documents cannot be read: its exit code, after which the others' can. */
static int tell_unreadable(const struct cli *cli, struct printer *printer, const char *task, uint64_t number,
                           struct error *err)
{
    error_wrap(err, "collection %s, task %s: its documents from %llu on cannot be read", printer->collection,
               task, (unsigned long long)number);
    damage_explain(err, task);
    map_set(&printer->told, slice_of(task), printer);
    output_flush(printer->output);
    if (printer->json) {
        struct buffer line;
        struct json_writer writer;
        begin_object(&writer, &line, printer, task, "damage");
        json_member_u64(&writer, "from", number);
        json_member_string(&writer, "code", error_code_name(err->code));
        json_member_string(&writer, "message", err->message);
        end_object(&writer, &line, printer->output);
    }
    return cli_fail(cli, err);
}

/* -1: nothing can be read on. */
static int tell_damage(const struct cli *cli, struct store_reader *reader, struct printer *printer,
                       struct error *err)
{
    uint64_t number;
    const char *task = store_reader_left_out(reader, &number);
    return task ? tell_unreadable(cli, printer, task, number, err) : -1;
}

/* A task of which a drop was interrupted has no documents for a reader; who reads to the end is told. */
static int tell_interrupted(const struct cli *cli, struct store *store, struct printer *printer)
{
    const struct read_options *options = cli->options;
    struct store_journal_info *infos;
    struct arena arena;
    struct error err;
    size_t count = 0;
    int code = CLI_OK;
    arena_init(&arena);
    if (store_list(store, printer->collection, &arena, &infos, &count, &err) < 0)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *task = infos[i].writer;
        if (!infos[i].damage || map_get(&printer->told, slice_of(task)) ||
            (options->task && strcmp(options->task, task) != 0))
            continue;
        err = *infos[i].damage;
        code = tell_unreadable(cli, printer, task, options->from.value, &err);
    }
    arena_done(&arena);
    return code;
}

/* --- reading --------------------------------------------------------------------------------------- */

/* Until something may have been committed, or whoever reads our output is gone. */
static int wait_for_more(struct store_reader *reader, struct output *output, struct error *err)
{
    struct pollfd fds[] = {{.fd = store_reader_fd(reader), .events = POLLIN}, {.fd = output->fd}};
    output_flush(output);
    if (output_failed(output))
        return 0;
    if (fds[0].fd < 0)
        return error_errno(err, EMFILE, "cannot watch the collection for commits");
    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR)
            return error_errno(err, errno, "cannot wait for documents");
    }
    if (fds[1].revents & POLLERR)
        output_reader_gone();
    if (fds[0].revents)
        store_reader_woken(reader);
    return 0;
}

/* The exit code, that of damage before that of documents that are gone; -1: it ended. */
static int print_documents(const struct cli *cli, struct store *store, struct store_reader *reader,
                           struct read_filter *filter, struct printer *printer, struct error *err)
{
    const struct read_options *options = cli->options;
    uint64_t left = options->limit.given ? options->limit.value : UINT64_MAX;
    struct store_document document;
    int code = CLI_OK;
    while (left > 0 && !output_failed(printer->output)) {
        int got = store_reader_next(reader, &document, err);
        if (tell_notices(cli, reader, printer) != CLI_OK && code == CLI_OK)
            code = CLI_FAILED;
        if (got < 0) {
            int damage = tell_damage(cli, reader, printer, err);
            if (damage < 0)
                return -1;
            code = damage;
        } else if (got > 0) {
            int taken = read_filter_takes(filter, document.bytes, err);
            if (taken < 0)
                return error_wrap(err, "document %llu of task %s", (unsigned long long)document.number,
                                  document.writer);
            if (taken)
                print_document(printer, &document);
            left -= (uint64_t)taken;
        } else if (!options->follow) {
            int damage = tell_interrupted(cli, store, printer);
            return damage == CLI_OK ? code : damage;
        } else if (wait_for_more(reader, printer->output, err) < 0) {
            return -1;
        }
    }
    return code;
}

/* --- names ----------------------------------------------------------------------------------------- */

/* What there is instead of the collection, or of the task among its writers. */
static void suggest(struct store *store, const char *collection, const char *task, struct error *err)
{
    enum { NAMES_MAX = 4096, LISTED_MAX = 10 };
    struct error ignored;
    struct store_journal_info *infos;
    const char *names[NAMES_MAX], *nearest;
    size_t journals, count = 0;
    struct arena arena;
    struct buffer list;
    arena_init(&arena);
    buffer_init(&list, ERROR_MESSAGE_MAX / 2);
    if (store_list(store, NULL, &arena, &infos, &journals, &ignored) == 0) {
        bool there = false;
        for (size_t i = 0; i < journals; i++)
            there = there || strcmp(infos[i].collection, collection) == 0;
        const char *name = task && there ? task : collection;
        for (size_t i = 0; i < journals && count < NAMES_MAX; i++) {
            const char *each = name == task ? infos[i].writer : infos[i].collection;
            bool wanted = name == task ? strcmp(infos[i].collection, collection) == 0
                                       : !task_notes_is(infos[i].collection);
            if (wanted && (count == 0 || strcmp(names[count - 1], each) != 0))
                names[count++] = each;
        }
        for (size_t i = 0; i < count && i < LISTED_MAX; i++)
            buffer_printf(&list, "%s%s", i ? ", " : "", names[i]);
        if (count > LISTED_MAX)
            buffer_printf(&list, " and %zu more", count - LISTED_MAX);
        char shown[OPTION_SHOWN_MAX], of[OPTION_SHOWN_MAX];
        nearest = strlen(name) <= STORE_NAME_MAX ? string_nearest(name, names, count) : NULL;
        option_show(name, shown);
        if (name == task && nearest)
            error_set(err, ERROR_NOT_FOUND, "task '%s' has written nothing to %s; did you mean %s?", shown,
                      option_show(collection, of), nearest);
        else if (name == task)
            error_set(err, ERROR_NOT_FOUND, "task '%s' has written nothing to %s; these have: %s", shown,
                      option_show(collection, of), buffer_cstr(&list));
        else if (nearest)
            error_set(err, ERROR_NOT_FOUND, "there is no collection '%s'; did you mean %s?", shown, nearest);
        else if (count > 0)
            error_set(err, ERROR_NOT_FOUND, "there is no collection '%s'; there are: %s", shown,
                      buffer_cstr(&list));
        else
            error_set(err, ERROR_NOT_FOUND, "there is no collection '%s': nothing was captured here yet",
                      shown);
    }
    buffer_done(&list);
    arena_done(&arena);
}

static int run_read(struct cli *cli, int argc, char **argv)
{
    const struct read_options *options = cli->options;
    const char *collection = argv[1];
    struct error err;
    mem_auto(read_filter_free) struct read_filter *filter = read_filter_new(&options->wheres, &err);
    if (!filter)
        return cli_usage(cli, &err);
    mem_auto(store_close) struct store *store = data_dir_open(cli, &err);
    if (!store)
        return cli_fail(cli, &err);
    mem_auto(store_reader_close) struct store_reader *reader =
        store_reader_open(store, collection, options->task, options->from.value, &err);
    if (!reader) {
        if (err.code == ERROR_NOT_FOUND)
            suggest(store, collection, options->task, &err);
        return cli_fail(cli, &err);
    }
    struct output output;
    struct printer printer = {.output = &output, .collection = collection, .json = cli->json};
    output_init(&output, STDOUT_FILENO);
    buffer_init(&printer.head, 64 * 1024);
    map_init(&printer.told);
    int rc = print_documents(cli, store, reader, filter, &printer, &err);
    buffer_done(&printer.head);
    map_done(&printer.told);
    free(printer.writer);
    int code = output_finish(&output, cli, rc < 0 ? CLI_OK : rc);
    return rc < 0 ? cli_fail(cli, &err) : code;
}

const struct command cli_read = {
    .name = "read",
    .arguments = "COLLECTION",
    .summary = "print a collection's documents as JSON lines",
    .help = "Documents come byte for byte as they were captured, and only those of committed transactions. "
            "Where\n"
            "several tasks write the collection, they come one task after the other, in the order of the "
            "tasks' names,\n"
            "each task's in the order of its numbers; --follow goes on with what each has committed since, "
            "in the\n"
            "same order of tasks. --task picks one of them. With -o json each line says where its document "
            "lies:\n"
            "{\"collection\":…,\"writer\":…,\"number\":…,\"document\":…}.\n\n"
            "--where may be given again and again: a document has to have each of the values. A VALUE is "
            "JSON, or "
            "else a\n"
            "text; 1 is 1.0, and what is not there is null. --limit counts what is printed.\n\n"
            "What was asked for and is there no more (retention dropped it, or 'firth drop' did) is told on "
            "standard\n"
            "error, with its numbers, and reading goes on behind it; the exit code is then 1. A task whose "
            "files are\n"
            "damaged is read up to the damage and told, the others are read whole; the exit code is then 5. "
            "With\n"
            "-o json a line {\"collection\":…,\"writer\":…,\"gone\"|\"dropped\"|\"damage\":{…}} stands in "
            "its place.\n\n"
            "Examples:\n"
            "  firth read acmeCo/users --limit 3\n"
            "  firth read acmeCo/users --task acmeCo/source-shop --from 1000\n"
            "  firth read acmeCo/users --where /id=7\n"
            "  firth read acmeCo/users --follow | jq .email\n",
    .options = specs,
    .options_size = sizeof(struct read_options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run_read,
};
