#include "cli/output.h"

#include "base/file.h"
#include "cli/columns.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

enum { OUTPUT_BATCH = 256 * 1024, OUTPUT_MAX = 1 << 30 };

void output_init(struct output *output, int fd)
{
    *output = (struct output){.fd = fd};
    buffer_init(&output->buffer, OUTPUT_MAX);
}

/* End as a program does that never heard of EPIPE: shells and scripts know what that means. */
void output_reader_gone(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &standard, NULL);
    raise(SIGPIPE);
    _exit(CLI_IO); /* only if SIGPIPE is blocked */
}

static void write_out(struct output *output, const char *bytes, size_t size)
{
    while (size > 0 && !output->failed) {
        ssize_t wrote = write(output->fd, bytes, size);
        if (wrote > 0) {
            bytes += wrote;
            size -= (size_t)wrote;
        } else if (wrote < 0 && errno == EPIPE && !output->minds_reader) {
            output_reader_gone();
        } else if (wrote < 0 && errno != EINTR) {
            error_errno(&output->error, errno, "cannot write to standard output");
            output->failed = true;
        }
    }
}

void output_printable(struct output *output, const char *text)
{
    struct buffer safe;
    buffer_init(&safe, BUFFER_UNLIMITED);
    text_append_printable(&safe, text, strlen(text));
    output_write(output, safe.data, safe.size);
    buffer_done(&safe);
}

void output_flush(struct output *output)
{
    write_out(output, output->buffer.data, output->buffer.size);
    buffer_clear(&output->buffer);
}

void output_write(struct output *output, const void *bytes, size_t size)
{
    if (output->failed)
        return;
    if (output->buffer.size + size > OUTPUT_BATCH)
        output_flush(output);
    if (size >= OUTPUT_BATCH)
        write_out(output, bytes, size);
    else
        buffer_append(&output->buffer, bytes, size);
}

void output_str(struct output *output, const char *text)
{
    output_write(output, text, strlen(text));
}

void output_printf(struct output *output, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    assert(length >= 0);
    output_write(output, text, (size_t)length);
    free(text);
}

int output_finish(struct output *output, const struct cli *cli, int code)
{
    output_flush(output);
    buffer_done(&output->buffer);
    return output->failed ? cli_fail(cli, &output->error) : code;
}

/* --- tables ---------------------------------------------------------------------------------------- */

void table_init(struct table *table, const char *const *headings)
{
    *table = (struct table){0};
    arena_init(&table->arena);
    for (size_t i = 0; headings[i]; i++) {
        assert(i < TABLE_COLUMNS_MAX);
        table->right[i] = headings[i][0] == '>';
        table->columns++;
        table_cell(table, headings[i] + table->right[i]);
    }
}

void table_cell(struct table *table, const char *text)
{
    table->items = mem_grow(table->items, &table->capacity, table->cells + 1, sizeof *table->items);
    struct buffer safe; /* a cell may be a name that a source gave to a stream */
    buffer_init(&safe, BUFFER_UNLIMITED);
    text_append_printable(&safe, text, strlen(text));
    table->items[table->cells++] = arena_strdup(&table->arena, buffer_cstr(&safe));
    buffer_done(&safe);
}

void table_cellf(struct table *table, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table_cell(table, text);
}

static void print_row(const struct table *table, size_t row, const size_t *widths, struct output *output)
{
    const char *const *cells = table->items + row * table->columns;
    size_t filled = table->columns;
    while (filled > 0 && !*cells[filled - 1])
        filled--;
    for (size_t c = 0; c < filled; c++) {
        size_t size = strlen(cells[c]), padding = widths[c] - text_columns(cells[c], size);
        bool last = c + 1 == filled;
        if (c > 0)
            output_str(output, "  ");
        if (table->right[c])
            output_printf(output, "%*s", (int)padding, "");
        output_write(output, cells[c], size);
        if (!table->right[c] && !last)
            output_printf(output, "%*s", (int)padding, "");
    }
}

void table_finish(struct table *table, bool color, struct output *output)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    assert(table->cells % table->columns == 0);
    for (size_t i = 0; i < table->cells; i++) {
        size_t width = text_columns(table->items[i], strlen(table->items[i])), c = i % table->columns;
        if (width > widths[c])
            widths[c] = width;
    }
    for (size_t row = 0; row < table->cells / table->columns; row++) {
        bool bold = color && row == 0;
        output_str(output, bold ? "\033[1m" : "");
        print_row(table, row, widths, output);
        output_str(output, bold ? "\033[0m\n" : "\n");
    }
    arena_done(&table->arena);
    free(table->items);
}

/* --- errors ---------------------------------------------------------------------------------------- */

int cli_exit_code(enum error_code code)
{
    switch (code) {
    case ERROR_INVALID:
    case ERROR_NOT_FOUND:
    case ERROR_LIMIT:
    case ERROR_UNSUPPORTED:
        return CLI_INVALID;
    case ERROR_IO:
    case ERROR_CORRUPT:
    case ERROR_FULL:
        return CLI_IO;
    case ERROR_BUSY:
        return CLI_BUSY;
    case ERROR_CANCELLED:
        return CLI_INTERRUPTED;
    case ERROR_PROTOCOL:
    case ERROR_CONNECTOR:
    case ERROR_NONE:
    case ERROR_CODE_MAX:
        break;
    }
    return CLI_FAILED;
}

void output_json_error(struct json_writer *writer, const struct error *err)
{
    json_begin_object(writer);
    json_member_string(writer, "code", error_code_name(err->code));
    json_member_string(writer, "message", err->message);
    json_member_bool(writer, "retriable", err->retriable);
    json_end_object(writer);
}

/* Standard error that cannot be written to leaves nobody to tell. */
static void print_error(const struct cli *cli, const struct error *err, const char *hint)
{
    struct buffer line;
    struct error ignored;
    buffer_init(&line, 1 << 20);
    if (cli->json) {
        struct json_writer writer;
        json_writer_init(&writer, &line);
        json_begin_object(&writer);
        json_put_key(&writer, "error");
        output_json_error(&writer, err);
        json_end_object(&writer);
        buffer_byte(&line, '\n');
    } else {
        buffer_printf(&line, "%sfirth: ", cli->color_error ? "\033[31m" : "");
        text_append_printable_lines(&line, err->message, strlen(err->message));
        buffer_printf(&line, "%s\n%s", cli->color_error ? "\033[0m" : "", hint);
    }
    (void)file_write_all(STDERR_FILENO, line.data, line.size, "standard error", &ignored);
    buffer_done(&line);
}

void output_json_summary(const struct output_sum *sums)
{
    struct buffer line;
    struct json_writer writer;
    struct error ignored;
    buffer_init(&line, BUFFER_UNLIMITED);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_put_key(&writer, "summary");
    json_begin_object(&writer);
    for (; sums->name; sums++)
        json_member_u64(&writer, sums->name, sums->count);
    json_end_object(&writer);
    json_end_object(&writer);
    buffer_byte(&line, '\n');
    (void)file_write_all(STDERR_FILENO, line.data, line.size, "standard error", &ignored);
    buffer_done(&line);
}

int cli_fail(const struct cli *cli, const struct error *err)
{
    print_error(cli, err, "");
    return cli_exit_code(err->code);
}

int cli_usage(const struct cli *cli, const struct error *err)
{
    auto_free char *hint = mem_printf("Try 'firth %s%s--help'.\n", cli->command ? cli->command->name : "",
                                      cli->command ? " " : "");
    print_error(cli, err, hint);
    return CLI_USAGE;
}
