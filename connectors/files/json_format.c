#include "connectors/files/reader.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>

/* JSON lines, and JSON of any layout: objects one after the other, or the elements of arrays. */

struct json_format {
    struct json_parser *parser;
};

static void *format_open(const struct files_format *format, struct firth_slice schema,
                         struct files_window *window, struct error *err)
{
    (void)format, (void)schema, (void)window, (void)err;
    struct json_format *self = mem_zalloc(sizeof *self);
    self->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    return self;
}

static void format_close(void *self_)
{
    struct json_format *self = self_;
    json_parser_free(self->parser);
    free(self);
}

static const char *kind_name(const struct json *doc)
{
    static const char *const names[JSON_TAG_MAX] = {
        [JSON_NULL] = "null",        [JSON_FALSE] = "false",      [JSON_TRUE] = "true",
        [JSON_INTEGER] = "a number", [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string",
        [JSON_ARRAY] = "an array",   [JSON_OBJECT] = "an object",
    };
    return names[json_tag(doc, 0)];
}

/* The reader counts lines from the record's first: "line 1, column 8: …" */
static int tell_place(uint64_t line, struct error *err)
{
    char *rest;
    const struct error inner = *err;
    if (!string_starts_with(inner.message, "line "))
        return error_wrap(err, "line %" PRIu64, line);
    uint64_t within = strtoull(inner.message + strlen("line "), &rest, 10);
    error_set(err, inner.code, "line %" PRIu64 "%s", line + within - 1, rest);
    return -1;
}

/* Is it one object? */
static int check(struct json_format *self, struct slice text, uint64_t line, struct error *err)
{
    struct json doc;
    if (json_parse(self->parser, text.data, text.size, &doc, err) < 0)
        return tell_place(line, err);
    if (!json_is(&doc, 0, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "line %" PRIu64 ": a record must be an object, but this is %s",
                         line, kind_name(&doc));
    return 1;
}

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (!line.data[i] || !strchr(" \t\r", line.data[i]))
            return false;
    }
    return true;
}

static int lines_next(void *self, struct files_window *window, struct slice *ret_json, bool *ret_bad,
                      struct error *err)
{
    int got;
    do
        got = files_window_line(window, ret_json, err);
    while (got > 0 && is_blank(*ret_json));
    if (got <= 0)
        return got;
    got = check(self, *ret_json, window->line - 1, err);
    *ret_bad = got < 0;
    return got;
}

const struct files_text_format files_lines_format = {format_open, lines_next, format_close};

/* --- values of any layout --------------------------------------------------------------------------------
 */

/* Where the value at the beginning of `text` ends, as far as brackets and quotes tell; 0: not in here. */
struct scan {
    size_t at;
    uint32_t depth;
    bool in_string, escaped;
};

static bool scan_value(struct scan *scan, struct slice text)
{
    for (; scan->at < text.size; scan->at++) {
        char c = text.data[scan->at];
        if (scan->in_string) {
            if (scan->escaped)
                scan->escaped = false;
            else if (c == '\\')
                scan->escaped = true;
            else if (c == '"')
                scan->in_string = false;
            continue;
        }
        if (c == '"')
            scan->in_string = true;
        else if (c == '{' || c == '[')
            scan->depth++;
        else if ((c == '}' || c == ']') && scan->depth && --scan->depth == 0) {
            scan->at++;
            return true;
        } else if (scan->depth == 0 && strchr(",]} \t\r\n", c))
            return true; /* behind a number or a name */
    }
    return false;
}

/* What stands between values, and the brackets of arrays of them. 1: a value begins; 0: the end. */
static int skip_between(struct files_window *window, struct error *err)
{
    for (;;) {
        struct slice rest = files_window_rest(window);
        for (size_t i = 0; i < rest.size; i++) {
            if (!rest.data[i] || !strchr(" \t\r\n,[]", rest.data[i])) {
                files_window_take(window, i);
                return 1;
            }
            window->line += rest.data[i] == '\n';
        }
        files_window_take(window, rest.size);
        int more = files_window_fill(window, err);
        if (more <= 0)
            return more;
    }
}

static int values_next(void *self, struct files_window *window, struct slice *ret_json, bool *ret_bad,
                       struct error *err)
{
    struct scan scan = {0};
    int more = skip_between(window, err);
    if (more <= 0)
        return more;
    while (!scan_value(&scan, files_window_rest(window)) && more > 0)
        more = files_window_fill(window, err);
    if (more < 0)
        return -1;
    *ret_json = (struct slice){files_window_rest(window).data, scan.at};
    uint64_t line = window->line;
    for (size_t i = 0; i < scan.at; i++)
        window->line += ret_json->data[i] == '\n';
    files_window_take(window, scan.at ? scan.at : 1);
    more = check(self, *ret_json, line, err);
    *ret_bad = more < 0;
    return more;
}

const struct files_text_format files_values_format = {format_open, values_next, format_close};
