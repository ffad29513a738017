#include "csv.h"

#include "base/memory.h"

#include <ctype.h>
#include <strings.h>

/* --- rows ------------------------------------------------------------------------------------------------
 */

static struct csv_cell *add_cell(struct csv_row *row)
{
    if (row->count == row->capacity)
        row->cells = mem_grow(row->cells, &row->capacity, row->count + 1, sizeof *row->cells);
    struct csv_cell *cell = &row->cells[row->count++];
    *cell = (struct csv_cell){0};
    return cell;
}

/* Behind the closing quote; text.size and more: it does not close. */
static size_t scan_quoted(const struct csv_dialect *dialect, struct slice text, size_t at,
                          struct csv_row *row, struct csv_cell *cell)
{
    cell->quoted = true;
    cell->from = at;
    for (; at < text.size; at++) {
        char c = text.data[at];
        row->lines += c == dialect->terminator;
        if (c == dialect->escape && c != dialect->quote) {
            cell->escaped = true;
            at++;
        } else if (c == dialect->quote) {
            if (!dialect->double_quote || at + 1 >= text.size || text.data[at + 1] != c) {
                cell->size = at - cell->from;
                return at + 1;
            }
            cell->escaped = true;
            at++;
        }
    }
    return text.size + 1;
}

static size_t scan_plain(const struct csv_dialect *dialect, struct slice text, size_t at,
                         struct csv_cell *cell)
{
    cell->from = at;
    for (; at < text.size; at++) {
        char c = text.data[at];
        if (c == dialect->delimiter || c == dialect->terminator)
            break;
        if (c == dialect->escape) {
            cell->escaped = true;
            at++;
        }
    }
    cell->size = (at < text.size ? at : text.size) - cell->from;
    return at;
}

static void cut_carriage_return(const struct csv_dialect *dialect, struct slice text, struct csv_cell *cell)
{
    if (dialect->terminator == '\n' && !cell->quoted && cell->size &&
        text.data[cell->from + cell->size - 1] == '\r')
        cell->size--;
}

/* From behind a closing quote to the delimiter or the end of the line. */
static size_t scan_rest(const struct csv_dialect *dialect, struct slice text, size_t at, struct csv_row *row)
{
    for (; at < text.size && text.data[at] != dialect->delimiter && text.data[at] != dialect->terminator;
         at++) {
        if (!strchr(" \r", text.data[at]))
            row->wrong =
                "text behind a closing quote; if a character such as \\ escapes quotes, the options name it";
    }
    return at;
}

bool csv_scan(const struct csv_dialect *dialect, struct slice text, bool last, struct csv_row *row)
{
    size_t at = 0;
    row->count = 0;
    row->lines = 0;
    row->wrong = NULL;
    for (;;) {
        struct csv_cell *cell = add_cell(row);
        if (at < text.size && text.data[at] == dialect->quote) {
            at = scan_quoted(dialect, text, at + 1, row, cell);
            if (at > text.size) {
                if (!last)
                    return false;
                row->wrong = "a quote that does not close";
                cell->size = text.size - cell->from;
                at = text.size;
            } else {
                /* The byte behind the quote may be missing: it might be another quote. */
                if (at == text.size && !last)
                    return false;
                at = scan_rest(dialect, text, at, row);
            }
        } else {
            at = scan_plain(dialect, text, at, cell);
        }
        if (at >= text.size) {
            if (last)
                cut_carriage_return(dialect, text, cell);
            row->size = text.size;
            return last;
        }
        if (text.data[at++] == dialect->terminator) {
            cut_carriage_return(dialect, text, cell);
            row->lines++;
            row->size = at;
            return true;
        }
    }
}

void csv_row_done(struct csv_row *row)
{
    free(row->cells);
    *row = (struct csv_row){0};
}

struct slice csv_text(const struct csv_dialect *dialect, struct slice text, const struct csv_cell *cell,
                      struct buffer *scratch)
{
    struct slice plain = {text.data + cell->from, cell->size};
    if (!cell->escaped)
        return plain;
    buffer_clear(scratch);
    for (size_t i = 0; i < plain.size; i++) {
        char c = plain.data[i];
        bool doubled = cell->quoted && dialect->double_quote && c == dialect->quote;
        if ((doubled || c == dialect->escape) && i + 1 < plain.size)
            c = plain.data[++i];
        buffer_byte(scratch, c);
    }
    return (struct slice){scratch->data ? scratch->data : "", scratch->size};
}

/* --- types -----------------------------------------------------------------------------------------------
 */

/* As JSON writes numbers: so that their text is their value, and 007 stays a text. */
enum csv_type csv_type_of(struct slice text)
{
    const char *at = text.data, *end = at + text.size;
    if ((text.size == 4 && strncasecmp(at, "true", 4) == 0) ||
        (text.size == 5 && strncasecmp(at, "false", 5) == 0))
        return CSV_BOOLEAN;
    at += at < end && *at == '-';
    const char *digits = at;
    while (at < end && isdigit((unsigned char)*at))
        at++;
    if (at == digits || (*digits == '0' && at - digits > 1))
        return CSV_TEXT;
    if (at == end)
        return CSV_INTEGER;
    if (*at == '.') {
        digits = ++at;
        while (at < end && isdigit((unsigned char)*at))
            at++;
        if (at == digits)
            return CSV_TEXT;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        digits = at;
        while (at < end && isdigit((unsigned char)*at))
            at++;
        if (at == digits)
            return CSV_TEXT;
    }
    return at == end ? CSV_NUMBER : CSV_TEXT;
}

enum csv_type csv_type_join(enum csv_type a, enum csv_type b)
{
    if (a == b)
        return a;
    bool numbers = (a == CSV_INTEGER || a == CSV_NUMBER) && (b == CSV_INTEGER || b == CSV_NUMBER);
    return numbers ? CSV_NUMBER : CSV_TEXT;
}
