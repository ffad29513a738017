/* `firth read`: a collection's committed documents as JSON lines, to its end or following it. */
#include "cli/data_dir.h"
#include "cli/output.h"
#include "json/json.h"
#include "json/writer.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct read_options {
    bool follow;
    struct option_number from, limit;
};

static const struct option_spec specs[] = {
    {"follow", 'f', OPTION_FLAG, offsetof(struct read_options, follow), NULL,
     "wait for more documents and print them as they are committed"},
    {"from", 0, OPTION_NUMBER, offsetof(struct read_options, from), "N",
     "begin at document N of each writer; they are numbered from 0"},
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

/* Until something may have been committed, or whoever reads our output is gone. */
static int wait_for_more(struct store_reader *reader, struct output *output, struct error *err)
{
    struct pollfd fds[] = {{.fd = store_reader_fd(reader), .events = POLLIN}, {.fd = output->fd}};
    output_flush(output);
    if (output_failed(output))
        return 0;
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

static int print_documents(struct store_reader *reader, const struct read_options *options,
                           struct printer *printer, struct error *err)
{
    uint64_t left = options->limit.given ? options->limit.value : UINT64_MAX;
    struct store_document document;
    while (left > 0 && !output_failed(printer->output)) {
        int got = store_reader_next(reader, &document, err);
        if (got < 0)
            return -1;
        if (got > 0) {
            print_document(printer, &document);
            left--;
        } else if (!options->follow) {
            break;
        } else if (wait_for_more(reader, printer->output, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The collections that there are, for a name that is none. */
static void suggest(struct store *store, const char *name, struct error *err)
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
        for (size_t i = 0; i < journals && count < NAMES_MAX; i++) {
            if (count == 0 || strcmp(names[count - 1], infos[i].collection) != 0)
                names[count++] = infos[i].collection;
        }
        for (size_t i = 0; i < count && i < LISTED_MAX; i++)
            buffer_printf(&list, "%s%s", i ? ", " : "", names[i]);
        if (count > LISTED_MAX)
            buffer_printf(&list, " and %zu more", count - LISTED_MAX);
        char shown[OPTION_SHOWN_MAX];
        nearest = strlen(name) <= STORE_NAME_MAX ? string_nearest(name, names, count) : NULL;
        option_show(name, shown);
        if (nearest)
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
    mem_auto(store_close) struct store *store = data_dir_open(cli, &err);
    if (!store)
        return cli_fail(cli, &err);
    mem_auto(store_reader_close) struct store_reader *reader =
        store_reader_open(store, collection, NULL, options->from.value, &err);
    if (!reader) {
        if (err.code == ERROR_NOT_FOUND)
            suggest(store, collection, &err);
        return cli_fail(cli, &err);
    }
    struct output output;
    struct printer printer = {.output = &output, .collection = collection, .json = cli->json};
    output_init(&output, STDOUT_FILENO);
    buffer_init(&printer.head, 64 * 1024);
    int rc = print_documents(reader, options, &printer, &err);
    buffer_done(&printer.head);
    free(printer.writer);
    int code = output_finish(&output, cli, CLI_OK);
    return rc < 0 ? cli_fail(cli, &err) : code;
}

const struct command cli_read = {
    .name = "read",
    .arguments = "COLLECTION",
    .summary = "print a collection's documents as JSON lines",
    .help =
        "Documents come byte for byte as they were captured, writer by writer, in order, and only those of\n"
        "committed transactions. With -o json each line says where its document lies:\n"
        "{\"collection\":…,\"writer\":…,\"number\":…,\"document\":…}.\n\n"
        "Examples:\n"
        "  firth read acmeCo/users --limit 3\n"
        "  firth read acmeCo/users --follow | jq .email\n",
    .options = specs,
    .options_size = sizeof(struct read_options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run_read,
};
