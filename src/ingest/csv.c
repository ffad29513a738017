/* CSV and TSV: a header of members' names, then a document a row. What a cell is, its column's schema says:
 * the first of integer, number, boolean, null and string that is allowed there and that the text can be, as
 * the old ingest API had it. Pure but for the batch. */
#include "ingest/body.h"

#include "json/writer.h"

#include <stdlib.h>

struct rows {
    struct slice text;
    size_t at, row;
    char separator;
    struct arena *arena;
};

/* *at is its opening quote, and then what follows the closing one. */
static bool quoted_cell(const struct rows *rows, size_t *at, struct slice *ret_cell)
{
    const char *text = rows->text.data;
    size_t size = rows->text.size, end = *at + 1, length = 0;
    while (end < size && (text[end] != '"' || (end + 1 < size && text[end + 1] == '"')))
        end += text[end] == '"' ? 2 : 1;
    if (end >= size)
        return false;
    char *out = arena_alloc(rows->arena, end - *at);
    for (size_t i = *at + 1; i < end; i++) {
        out[length++] = text[i];
        i += text[i] == '"';
    }
    *ret_cell = (struct slice){out, length};
    *at = end + 1;
    return true;
}

/* The next cell; *ret_last: it ends its row. False: a quote is not closed, or something follows one. */
static bool next_cell(struct rows *rows, struct slice *ret_cell, bool *ret_last)
{
    const char *text = rows->text.data;
    size_t size = rows->text.size, at = rows->at;
    if (at < size && text[at] == '"') {
        if (!quoted_cell(rows, &at, ret_cell))
            return false;
    } else {
        size_t begin = at;
        while (at < size && text[at] != rows->separator && text[at] != '\n' && text[at] != '\r')
            at++;
        *ret_cell = (struct slice){text + begin, at - begin};
    }
    *ret_last = at >= size || text[at] != rows->separator;
    if (at < size && text[at] == '\r' && at + 1 < size && text[at + 1] == '\n')
        at++;
    else if (at < size && text[at] != rows->separator && text[at] != '\n')
        return false;
    rows->at = at + (at < size);
    return true;
}

static int wrong(const struct rows *rows, struct ingest_problem *ret_problem, const char *what)
{
    return ingest_problem_set(ret_problem, 400,
                              ingest_answer_error(rows->arena, "row %zu: %s", rows->row, what));
}

/* Which of the two it is, as next_cell has left it. */
static int wrong_cell(const struct rows *rows, struct ingest_problem *ret_problem)
{
    size_t end = rows->at;
    while (end < rows->text.size && rows->text.data[end] != '\r' && rows->text.data[end] != '\n' &&
           rows->text.data[end] != '"' && rows->text.data[end] != rows->separator)
        end++;
    return wrong(rows, ret_problem,
                 end < rows->text.size && rows->text.data[end] == '\r'
                     ? "it ends in a carriage return alone; rows end in a line feed, or in both"
                     : "a quote is not where it may be");
}

/* --- the header --------------------------------------------------------------------------------------- */

static int read_header(struct rows *rows, const struct ingest_binding *binding, struct ingest_column *columns,
                       size_t *ret_count, struct ingest_problem *ret_problem)
{
    bool last = false;
    size_t count = 0;
    for (; !last; count++) {
        if (count == INGEST_COLUMNS_MAX)
            return wrong(rows, ret_problem, "there are too many columns");
        struct ingest_column *column = &columns[count];
        if (!next_cell(rows, &column->name, &last))
            return wrong_cell(rows, ret_problem);
        if (column->name.size == 0)
            return wrong(rows, ret_problem, "a column has no name");
        for (size_t i = 0; i < count; i++) {
            if (slice_equal(columns[i].name, column->name))
                return wrong(rows, ret_problem, "two columns have one name");
        }
        struct buffer pointer;
        buffer_init(&pointer, BUFFER_UNLIMITED);
        json_pointer_push(&pointer, column->name);
        struct shape_location location = shape_locate(binding->shape, buffer_cstr(&pointer), rows->arena);
        column->types = location.shape ? location.shape->types : SHAPE_ANY;
        buffer_done(&pointer);
    }
    *ret_count = count;
    return 0;
}

/* --- rows --------------------------------------------------------------------------------------------- */

/* Is it a number as JSON writes it? And a whole one? */
static bool is_number(struct slice text, bool *ret_whole)
{
    size_t at = text.size && text.data[0] == '-', digits = at;
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    if (at == digits || (text.data[digits] == '0' && at > digits + 1))
        return false;
    *ret_whole = at == text.size;
    if (at < text.size && text.data[at] == '.') {
        size_t fraction = ++at;
        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
            at++;
        if (at == fraction)
            return false;
    }
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        at += at < text.size && (text.data[at] == '+' || text.data[at] == '-');
        size_t exponent = at;
        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
            at++;
        if (at == exponent)
            return false;
    }
    return at == text.size;
}

/* False: the column can be nothing that the text is. */
static bool put_cell(struct json_writer *writer, struct slice text, unsigned types)
{
    bool whole = false, number = is_number(text, &whole);
    if (text.size == 0 && (types & SHAPE_NULL))
        json_put_null(writer);
    else if (number && ((whole && (types & SHAPE_INTEGER)) || (types & SHAPE_FRACTION)))
        json_put_raw(writer, text);
    else if ((types & SHAPE_BOOLEAN) && (slice_is(text, "true") || slice_is(text, "false")))
        json_put_raw(writer, text);
    else if ((types & SHAPE_NULL) && slice_is(text, "null"))
        json_put_null(writer);
    else if (types & SHAPE_STRING)
        json_put_slice(writer, text);
    else
        return false;
    return true;
}

/* Cells that are missing at the end of a row are members that are not there. */
static int read_row(struct rows *rows, const struct ingest_column *columns, size_t count, struct buffer *out,
                    struct ingest_problem *ret_problem)
{
    struct json_writer writer;
    bool last = false;
    assert(columns || count == 0);
    buffer_clear(out);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (size_t i = 0; !last; i++) {
        struct slice cell;
        if (!next_cell(rows, &cell, &last))
            return wrong_cell(rows, ret_problem);
        if (i == count)
            return wrong(rows, ret_problem, "there are more cells than columns");
        if (!utf8_valid(cell.data, cell.size))
            return wrong(rows, ret_problem, "it is not UTF-8");
        json_put_key_slice(&writer, columns[i].name);
        if (!put_cell(&writer, cell, columns[i].types)) {
            return wrong(rows, ret_problem,
                         arena_printf(rows->arena, "the column '%.*s' can be nothing like its cell",
                                      (int)utf8_cut(columns[i].name.data, columns[i].name.size, 100),
                                      columns[i].name.data));
        }
    }
    json_end_object(&writer);
    return 0;
}

static bool skip_blank_line(struct rows *rows)
{
    const char *at = rows->text.data + rows->at;
    size_t left = rows->text.size - rows->at, size = 0;
    if (left >= 2 && at[0] == '\r' && at[1] == '\n')
        size = 2;
    else if (left >= 1 && at[0] == '\n')
        size = 1;
    rows->at += size;
    return size > 0;
}

/* What outlives the text it was read from. */
static void keep_header(struct ingest_csv *csv, const struct ingest_column *columns, size_t count)
{
    csv->columns = arena_dup(csv->arena, columns, count * sizeof *columns);
    csv->count = count;
    for (size_t i = 0; i < count; i++)
        csv->columns[i].name.data = arena_dup(csv->arena, columns[i].name.data, columns[i].name.size);
}

static int begin_rows(struct ingest_csv *csv, struct rows *rows, const struct ingest_binding *binding,
                      struct ingest_problem *ret_problem)
{
    size_t count = 0;
    if (rows->text.size >= 3 && memcmp(rows->text.data, "\xef\xbb\xbf", 3) == 0)
        rows->at = 3; /* a byte order mark, as spreadsheets write it */
    if (rows->at == rows->text.size)
        return wrong(rows, ret_problem, "there is no header");
    struct ingest_column *columns = mem_alloc(INGEST_COLUMNS_MAX * sizeof *columns);
    int result = read_header(rows, binding, columns, &count, ret_problem);
    if (result == 0)
        keep_header(csv, columns, count);
    free(columns);
    return result;
}

int ingest_csv_read(struct ingest_csv *csv, struct ingest_worker *worker,
                    const struct ingest_capture *capture, size_t binding, struct slice body,
                    struct ingest_batch *batch, struct ingest_problem *ret_problem)
{
    struct rows rows = {.text = body,
                        .row = csv->columns ? csv->rows : 1,
                        .separator = csv->separator,
                        .arena = batch->arena};
    struct buffer text;
    if (!csv->columns && begin_rows(csv, &rows, &capture->bindings[binding], ret_problem) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    int result = 0;
    while (result == 0 && rows.at < body.size) {
        rows.row++;
        if (skip_blank_line(&rows))
            continue;
        result = read_row(&rows, csv->columns, csv->count, &text, ret_problem);
        const struct json *doc = NULL;
        if (result == 0)
            doc = ingest_parse(worker, arena_dup(batch->arena, text.data, text.size), text.size, "a row",
                               batch->arena, ret_problem);
        if (!doc || ingest_batch_add(worker, capture, binding, doc, 0, batch, ret_problem) < 0)
            result = -1;
    }
    csv->rows = rows.row;
    buffer_done(&text);
    return result;
}
