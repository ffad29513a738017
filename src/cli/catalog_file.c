#include "cli/catalog_file.h"

#include "base/file.h"
#include "json/writer.h"

#include <unistd.h>

static void check_endpoints(void *context, const struct catalog *catalog, struct catalog_errors *errors)
{
    const struct endpoint_check *check = context;
    endpoint_check(check, catalog, errors);
}

struct catalog *catalog_file_load(const struct cli *cli, const char *path, const struct catalog_file *file,
                                  struct catalog_errors *errors)
{
    static const struct catalog_file plain;
    struct error first;
    if (!file)
        file = &plain;
    struct endpoint_check check = {
        .built_ins = cli->built_ins, .depth = file->depth, .data_dir = cli->data_dir, .notes = file->notes};
    if (file->tasks) {
        check.only = file->tasks->items;
        check.only_count = file->tasks->count;
    }
    struct catalog_options options = file->options ? *file->options : (struct catalog_options){0};
    options.check = check_endpoints;
    options.check_context = &check;
    return catalog_load(path, &options, errors, &first);
}

int catalog_file_need(const struct cli *cli, const char *path, const struct catalog_file *file,
                      struct catalog **ret_catalog)
{
    struct catalog_errors errors;
    catalog_errors_init(&errors);
    *ret_catalog = catalog_file_load(cli, path, file, &errors);
    int code = *ret_catalog ? CLI_OK : catalog_file_tell(cli, &errors, STDERR_FILENO);
    catalog_errors_done(&errors);
    return code;
}

/* --- errors for machines --------------------------------------------------------------------------- */

static void json_error(struct json_writer *writer, const struct catalog_error *error)
{
    json_begin_object(writer);
    json_member_string(writer, "file", error->place.file);
    if (error->place.line) {
        json_member_u64(writer, "line", error->place.line);
        json_member_u64(writer, "column", error->place.column);
    }
    json_member_string(writer, "message", error->message);
    json_end_object(writer);
}

static void print_json(const struct catalog_errors *errors, struct output *output)
{
    struct error first;
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_bool(&writer, "ok", false);
    json_put_key(&writer, "error");
    catalog_errors_first(errors, &first);
    output_json_error(&writer, &first);
    json_put_key(&writer, "errors");
    json_begin_array(&writer);
    for (size_t i = 0; i < errors->count; i++)
        json_error(&writer, &errors->items[i]);
    json_end_array(&writer);
    json_member_u64(&writer, "omitted", errors->omitted);
    json_end_object(&writer);
    buffer_byte(&text, '\n');
    output_write(output, text.data, text.size);
    buffer_done(&text);
}

/* --- errors for people ----------------------------------------------------------------------------- */

enum { EXCERPT_MAX = 100, EXCERPT_FILE_MAX = 64 << 20 };

/* Line `number` of a text, without its end. False if there is none. */
static bool find_line(struct slice text, uint32_t number, struct slice *ret_line)
{
    const char *at = text.data, *end = text.data + text.size;
    for (uint32_t line = 1; line < number; line++) {
        const char *next = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!next)
            return false;
        at = next + 1;
    }
    const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    *ret_line = (struct slice){at, (size_t)((stop ? stop : end) - at)};
    return true;
}

/* The bytes before the column, which counts characters from 1. */
static size_t bytes_before(struct slice line, uint32_t column)
{
    size_t at = 0;
    while (at < line.size && column > 1) {
        at++;
        if (at == line.size || ((unsigned char)line.data[at] & 0xc0) != 0x80)
            column--;
    }
    return at;
}

/* The line and a caret below the place. Control characters are shown as blanks, so that a file cannot drive
 * the terminal; a long line is shown around the place. */
static void print_excerpt(struct output *output, const struct catalog_error *error, struct slice text)
{
    struct slice line;
    if (!find_line(text, error->place.line, &line) || !utf8_valid(line.data, line.size))
        return;
    size_t before = bytes_before(line, error->place.column), from = 0;
    if (before > EXCERPT_MAX / 2) {
        from = before - EXCERPT_MAX / 2;
        while (from < before && ((unsigned char)line.data[from] & 0xc0) == 0x80)
            from++;
    }
    size_t shown = utf8_cut(line.data + from, line.size - from, EXCERPT_MAX);
    output_printf(output, "%6u | ", error->place.line);
    for (size_t i = 0; i < shown; i++) {
        unsigned char byte = (unsigned char)line.data[from + i];
        output_write(output, byte < 0x20 || byte == 0x7f ? " " : &line.data[from + i], 1);
    }
    output_str(output, "\n       | ");
    for (size_t i = from; i < before; i++) {
        if (((unsigned char)line.data[i] & 0xc0) != 0x80)
            output_str(output, " ");
    }
    output_str(output, "^\n");
}

static void print_text(const struct catalog_errors *errors, bool excerpts, struct output *output)
{
    struct buffer text;
    buffer_init(&text, EXCERPT_FILE_MAX + (1 << 20));
    const char *read = "";
    for (size_t i = 0; i < errors->count; i++) {
        const struct catalog_error *error = &errors->items[i];
        output_printable(output, error->place.file); /* a file may have any name */
        if (error->place.line)
            output_printf(output, ":%u:%u", error->place.line, error->place.column);
        output_printf(output, ": %s\n", error->message);
        if (!excerpts || error->hide_source || error->place.line == 0)
            continue;
        if (strcmp(read, error->place.file) != 0) {
            struct error ignored; /* no excerpt then */
            buffer_clear(&text);
            if (file_read(error->place.file, EXCERPT_FILE_MAX, &text, &ignored) < 0)
                continue;
            read = error->place.file;
        }
        print_excerpt(output, error, (struct slice){text.data, text.size});
    }
    buffer_done(&text);
    size_t count = errors->count + errors->omitted;
    if (errors->omitted)
        output_printf(output, "%zu errors, of which the first %zu are shown\n", count, errors->count);
    else if (count > 1)
        output_printf(output, "%zu errors\n", count);
}

int catalog_file_tell(const struct cli *cli, const struct catalog_errors *errors, int fd)
{
    struct output output;
    output_init(&output, fd);
    if (cli->json)
        print_json(errors, &output);
    else
        print_text(errors, cli->color_error, &output);
    return output_finish(&output, cli, CLI_INVALID);
}
