#include "row.h"

#include <stdlib.h>

void pg_rows_init(struct pg_rows *rows, const struct pg_table *table, enum pg_envelope envelope,
                  struct pg_style style, struct arena *arena)
{
    *rows = (struct pg_rows){.style = style, .cursor = SIZE_MAX};
    rows->columns = mem_zalloc((table->column_count + 1) * sizeof *rows->columns);
    buffer_init(&rows->out, BUFFER_UNLIMITED); /* a row has at most 1 GB; the SDK has a limit for records */
    buffer_init(&rows->changes, BUFFER_UNLIMITED);
    buffer_init(&rows->plain, BUFFER_UNLIMITED);
    buffer_init(&rows->cursor_text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < table->column_count; i++) {
        struct buffer head;
        if (!pg_column_is_read(&table->columns[i], envelope))
            continue;
        buffer_init(&head, BUFFER_UNLIMITED);
        buffer_byte(&head, rows->count || envelope == PG_ENVELOPE_FLOW ? ',' : '{');
        json_escape(&head, slice_of(table->columns[i].name));
        buffer_byte(&head, ':');
        rows->columns[rows->count++] =
            (struct pg_row_column){{arena_dup(arena, head.data, head.size), head.size},
                                   table->columns[i].type,
                                   .key = table->columns[i].key > 0};
        buffer_done(&head);
    }
}

void pg_rows_done(struct pg_rows *rows)
{
    free(rows->columns);
    buffer_done(&rows->out);
    buffer_done(&rows->changes);
    buffer_done(&rows->plain);
    buffer_done(&rows->cursor_text);
}

void pg_rows_put_names(struct buffer *out, const struct pg_table *table, enum pg_envelope envelope)
{
    bool first = true;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!pg_column_is_read(&table->columns[i], envelope))
            continue;
        buffer_str(out, first ? "" : ", ");
        first = false;
        pg_put_name(out, table->columns[i].name);
    }
}

/* --- fields
 * ------------------------------------------------------------------------------------------------- */

/* To the field's end, a tab or the line's. */
static const char *end_of_field(const char *at, const char *end, bool *ret_escaped)
{
    bool escaped = false;
    for (; at < end && *at != '\t'; at++)
        escaped |= *at == '\\';
    *ret_escaped = escaped;
    return at;
}

/* COPY writes \b \f \n \r \t \v \\, and nothing else, with a backslash. */
static struct slice without_escapes(struct buffer *plain, const char *at, const char *end)
{
    static const char letters[256] = {
        ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t', ['v'] = '\v'};
    buffer_clear(plain);
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        if (!slash || slash + 1 == end) {
            buffer_append(plain, at, (size_t)(end - at));
            break;
        }
        buffer_append(plain, at, (size_t)(slash - at));
        char letter = letters[(unsigned char)slash[1]];
        buffer_byte(plain, letter ? letter : slash[1]);
        at = slash + 2;
    }
    return (struct slice){plain->data, plain->size};
}

static void keep_cursor(struct pg_rows *rows, struct slice text, bool is_null)
{
    buffer_clear(&rows->cursor_text);
    rows->cursor_is_null = is_null;
    if (!is_null)
        buffer_append(&rows->cursor_text, text.data, text.size);
}

/* One field; what follows it. */
static const char *make_field(struct pg_rows *rows, size_t index, const char *at, const char *end,
                              unsigned *ret_notes)
{
    struct pg_row_column *column = &rows->columns[index];
    bool escaped;
    const char *stop = end_of_field(at, end, &escaped);
    struct slice text = {at, (size_t)(stop - at)};
    struct pg_style style = rows->style;
    style.exact = column->key;
    bool is_null = escaped && text.size == 2 && text.data[1] == 'N';
    buffer_append(&rows->out, column->head.data, column->head.size);
    if (escaped && !is_null)
        text = without_escapes(&rows->plain, at, stop);
    size_t before = rows->out.size;
    if (is_null)
        buffer_append(&rows->out, "null", 4);
    else
        *ret_notes = pg_value_put(&rows->out, column->type, text, style);
    if (*ret_notes)
        pg_changes_add(&rows->changes, (struct slice){column->head.data + 1, column->head.size - 2},
                       (struct slice){rows->out.data + before, rows->out.size - before});
    if (index == rows->cursor)
        keep_cursor(rows, text, is_null);
    return stop;
}

static void put_meta(struct pg_rows *rows, uint64_t number)
{
    buffer_byte(&rows->out, '{');
    buffer_append(&rows->out, rows->meta_head.data, rows->meta_head.size);
    buffer_printf(&rows->out, "%llu", (unsigned long long)number);
    buffer_append(&rows->out, rows->meta_tail.data, rows->meta_tail.size);
}

int pg_rows_make(struct pg_rows *rows, struct slice line, uint64_t number, size_t *ret_column,
                 unsigned *ret_notes)
{
    const char *at = line.data, *end = line.data + line.size;
    *ret_notes = 0;
    buffer_clear(&rows->out);
    buffer_clear(&rows->changes);
    if (line.size && end[-1] == '\n')
        end--;
    if (rows->meta_head.size)
        put_meta(rows, number);
    for (size_t i = 0; i < rows->count; i++) {
        unsigned notes = 0;
        if (i && (at == end || *at++ != '\t'))
            return -1;
        at = make_field(rows, i, at, end, &notes);
        if (notes && !*ret_notes && !rows->columns[i].noted) {
            rows->columns[i].noted = true;
            *ret_column = i;
            *ret_notes = notes;
        }
    }
    if (at != end)
        return -1;
    if (!rows->count && !rows->meta_head.size)
        buffer_byte(&rows->out, '{');
    if (rows->tail.size) /* it begins with a comma, which an empty row has no place for */
        buffer_append(&rows->out, rows->tail.data + !rows->count, rows->tail.size - !rows->count);
    buffer_byte(&rows->out, '}');
    return 0;
}
