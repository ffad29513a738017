#include "connectors/files/reader.h"
#include "csv.h"
#include "json/writer.h"

#include <inttypes.h>
#include <strings.h>

/* CSV as records: the header's names, and values of the types that the schema asks for or that the first rows
 * have. */

enum { COLUMNS_MAX = 16 * 1024 };

struct column {
    char *name;
    struct slice key; /* "name": as JSON */
    enum csv_type type;
    bool looked_at;
    bool may_be_null; /* for texts that null_values lists */
};

struct csv_format {
    const struct files_csv *options;
    struct csv_dialect dialect;
    struct arena arena;
    struct column *columns;
    size_t count;
    struct csv_row row;
    struct buffer scratch, out;
};

static void format_close(void *self_)
{
    struct csv_format *self = self_;
    csv_row_done(&self->row);
    buffer_done(&self->scratch);
    buffer_done(&self->out);
    arena_done(&self->arena);
    free(self);
}

/* --- rows ------------------------------------------------------------------------------------------------
 */

/* The next row that is not empty: 1; 0 at the end. Its text is *ret_text; the window stands behind it. */
static int next_row(struct csv_format *self, struct files_window *window, struct slice *ret_text,
                    struct error *err)
{
    for (;;) {
        struct slice rest = files_window_rest(window);
        if (rest.size && csv_scan(&self->dialect, rest, window->ended, &self->row)) {
            *ret_text = (struct slice){rest.data, self->row.size};
            files_window_take(window, self->row.size);
            window->line += self->row.lines;
            if (self->row.count == 1 && self->row.cells[0].size == 0 && !self->row.cells[0].quoted)
                continue;
            return 1;
        }
        if (window->ended)
            return 0;
        /* Twice as much, so that a large row is not looked at again and again. */
        if (files_window_want(window, 2 * rest.size + 1, err) < 0)
            return -1;
    }
}

static bool has(const struct firth_strings *list, struct slice text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (slice_is(text, list->items[i]))
            return true;
    }
    return false;
}

static bool has_folded(const struct firth_strings *list, const char *const *otherwise, struct slice text)
{
    const char *const *items = list->count ? list->items : otherwise;
    for (size_t i = 0; items[i]; i++) {
        if (strlen(items[i]) == text.size && strncasecmp(items[i], text.data, text.size) == 0)
            return true;
    }
    return false;
}

/* --- columns ---------------------------------------------------------------------------------------------
 */

static void name_column(struct csv_format *self, struct column *column, const char *name)
{
    struct buffer key;
    buffer_init(&key, BUFFER_UNLIMITED);
    json_escape(&key, slice_of(name));
    buffer_byte(&key, ':');
    column->name = arena_strdup(&self->arena, name);
    column->key = (struct slice){arena_dup(&self->arena, key.data, key.size), key.size};
    buffer_done(&key);
}

static bool is_taken(const struct csv_format *self, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(self->columns[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Names of columns differ: a second "id" is "id_2"; one without a name is "column_3". */
static void name_columns(struct csv_format *self, char *const *names)
{
    for (size_t i = 0; i < self->count; i++) {
        const char *name = *names[i] ? names[i] : arena_printf(&self->arena, "column_%zu", i + 1),
                   *unique = name;
        for (unsigned n = 2; is_taken(self, i, unique); n++)
            unique = arena_printf(&self->arena, "%s_%u", name, n);
        name_column(self, &self->columns[i], unique);
    }
}

/* Texts with blanks around them cut off, as names of columns are meant. */
static char *name_of(struct csv_format *self, struct slice text, size_t cell)
{
    struct slice name = csv_text(&self->dialect, text, &self->row.cells[cell], &self->scratch);
    while (name.size && strchr(" \t", name.data[0]))
        name = (struct slice){name.data + 1, name.size - 1};
    while (name.size && strchr(" \t", name.data[name.size - 1]))
        name.size--;
    return arena_strndup(&self->arena, name.data, name.size);
}

static void look_at_row(struct csv_format *self, struct slice text)
{
    for (size_t i = 0; i < self->row.count && i < self->count; i++) {
        struct slice value = csv_text(&self->dialect, text, &self->row.cells[i], &self->scratch);
        struct column *column = &self->columns[i];
        if (value.size == 0 || has(&self->options->null_values, value))
            continue;
        enum csv_type type = csv_type_of(value);
        column->type = column->looked_at ? csv_type_join(column->type, type) : type;
        column->looked_at = true;
    }
}

/* What these rows look like. */
static void look_at_rows(struct csv_format *self, struct slice head, bool whole)
{
    while (head.size && csv_scan(&self->dialect, head, whole, &self->row)) {
        struct slice text = {head.data, self->row.size};
        look_at_row(self, text);
        head = (struct slice){head.data + self->row.size, head.size - self->row.size};
    }
    for (size_t i = 0; i < self->count; i++) {
        if (!self->columns[i].looked_at)
            self->columns[i].type = CSV_TEXT;
    }
}

static int guess_types(struct csv_format *self, struct files_window *window, struct error *err)
{
    struct slice head;
    bool whole;
    if (files_window_head(window, &head, &whole, err) < 0)
        return -1;
    look_at_rows(self, head, whole);
    return 0;
}

static bool type_lists(const struct json *schema, uint32_t type, const char *name)
{
    if (json_is(schema, type, JSON_STRING))
        return json_string_is(schema, type, name);
    for (uint32_t e = json_first(schema, type); e != JSON_NONE; e = json_next(schema, type, e)) {
        if (json_string_is(schema, e, name))
            return true;
    }
    return false;
}

static enum csv_type type_in_schema(const struct json *schema, uint32_t property)
{
    uint32_t type = json_get(schema, property, "type");
    if (type == JSON_NONE || type_lists(schema, type, "string"))
        return CSV_TEXT;
    if (type_lists(schema, type, "number"))
        return CSV_NUMBER;
    if (type_lists(schema, type, "integer"))
        return CSV_INTEGER;
    if (type_lists(schema, type, "boolean"))
        return CSV_BOOLEAN;
    return type_lists(schema, type, "object") || type_lists(schema, type, "array") ? CSV_JSON : CSV_TEXT;
}

static int take_types(struct csv_format *self, struct firth_slice text, struct error *err)
{
    struct json schema;
    if (json_parse_copy(&self->arena, text.data, text.size, &schema, err) < 0)
        return error_wrap(err, "the stream's schema");
    uint32_t properties = json_get(&schema, 0, "properties");
    for (size_t i = 0; i < self->count; i++)
        self->columns[i].type = type_in_schema(&schema, json_get(&schema, properties, self->columns[i].name));
    return 0;
}

static bool is_json(struct slice text)
{
    struct error err;
    struct json doc;
    struct arena arena;
    arena_init(&arena);
    bool valid = text.size && json_parse_copy(&arena, text.data, text.size, &doc, &err) == 0 &&
                 (json_is(&doc, 0, JSON_ARRAY) || json_is(&doc, 0, JSON_OBJECT));
    arena_done(&arena);
    return valid;
}

/* Is the first row, which `text` is, the header? Not if its cells are of the types that those below it have.
 */
static bool looks_like_header(struct csv_format *self, struct slice text, struct slice below, bool whole)
{
    enum csv_type *first = arena_zalloc(&self->arena, self->count * sizeof *first);
    for (size_t i = 0; i < self->count; i++)
        first[i] = csv_type_of(csv_text(&self->dialect, text, &self->row.cells[i], &self->scratch));
    bool typed = false, header = false;
    look_at_rows(self, below, whole);
    for (size_t i = 0; i < self->count; i++) {
        typed |= first[i] != CSV_TEXT;
        header |= self->columns[i].looked_at && self->columns[i].type != CSV_TEXT && first[i] == CSV_TEXT;
        self->columns[i].looked_at = false;
    }
    return header || !typed;
}

static int skip_rows(struct csv_format *self, struct files_window *window, int64_t count, struct error *err)
{
    struct slice line;
    int more = 1;
    (void)self;
    for (int64_t i = 0; i < count && more > 0; i++)
        more = files_window_line(window, &line, err);
    return more < 0 ? -1 : 0;
}

/* The columns, and the window, which begins with `head`, at the first row of values. */
static int read_header(struct csv_format *self, struct files_window *window, struct slice head, bool whole,
                       struct error *err)
{
    const struct files_csv *options = self->options;
    struct slice text;
    uint64_t line = window->line, from = files_window_position(window);
    if (options->header == FILES_HEADER_GIVEN) {
        self->count = options->names.count;
        self->columns = arena_zalloc(&self->arena, (self->count + 1) * sizeof *self->columns);
        name_columns(self, (char *const *)(uintptr_t)options->names.items);
        return 0;
    }
    int got = next_row(self, window, &text, err);
    if (got <= 0)
        return got;
    size_t used = (size_t)(files_window_position(window) - from);
    if (self->row.count > COLUMNS_MAX)
        return error_set(err, ERROR_LIMIT, "line %" PRIu64 ": more than %d columns", line, COLUMNS_MAX);
    if (!utf8_valid(text.data, text.size))
        return error_set(err, ERROR_INVALID,
                         "line %" PRIu64 ": bytes that are not UTF-8; name the file's encoding", line);
    if (is_json(text))
        return error_set(err, ERROR_INVALID,
                         "line %" PRIu64
                         " is JSON, where the names of a CSV file's columns are to stand; say that "
                         "the format is jsonl, or give the file such a name",
                         line);
    self->count = self->row.count;
    self->columns = arena_zalloc(&self->arena, (self->count + 1) * sizeof *self->columns);
    char **names = arena_zalloc(&self->arena, (self->count + 1) * sizeof *names);
    for (size_t i = 0; i < self->count; i++)
        names[i] = name_of(self, text, i);
    bool header = options->header == FILES_HEADER_FIRST;
    if (options->header == FILES_HEADER_DETECTED) {
        head = used < head.size ? (struct slice){head.data + used, head.size - used} : (struct slice){0};
        header = looks_like_header(self, text, head, whole);
    }
    if (!header) {
        for (size_t i = 0; i < self->count; i++)
            names[i] = arena_printf(&self->arena, "f%zu", i);
        window->at -= used;
        window->line = line;
    }
    name_columns(self, names);
    return 0;
}

/* The delimiter that a first line "sep=;" names, as Excel has it, unless the options name one. */
static int take_separator(struct csv_format *self, struct files_window *window, struct files_csv *csv,
                          struct error *err)
{
    static const char begin[] = "sep=";
    enum { AT = sizeof begin - 1 };
    if (files_window_want(window, AT + 3, err) < 0)
        return -1;
    struct slice head = files_window_rest(window);
    if (!slice_starts_with(head, begin) || head.size < AT + 2)
        return 0;
    const char delimiter = head.data[AT], *end = head.data + AT + 1;
    if (*end != '\n' && !(*end == '\r' && head.size > AT + 2 && end[1] == '\n'))
        return 0;
    if (csv->delimiter == FILES_DETECTED)
        csv->delimiter = (unsigned char)delimiter;
    return skip_rows(self, window, 1, err);
}

static void *format_open(const struct files_format *format, struct firth_slice schema,
                         struct files_window *window, struct error *err)
{
    struct csv_format *self = mem_zalloc(sizeof *self);
    self->options = &format->csv;
    arena_init(&self->arena);
    buffer_init(&self->scratch, FILES_RECORD_MAX);
    buffer_init(&self->out, BUFFER_UNLIMITED);
    struct files_csv csv = format->csv;
    struct slice head;
    bool whole;
    int result = skip_rows(self, window, csv.skip_before, err);
    if (result == 0)
        result = take_separator(self, window, &csv, err);
    if (result == 0)
        result = files_window_head(window, &head, &whole, err);
    if (result == 0) {
        self->dialect = csv_detect(&csv, head, whole);
        result = read_header(self, window, head, whole, err);
    }
    if (result == 0)
        result = skip_rows(self, window, format->csv.skip_after, err);
    if (result == 0 && schema.size)
        result = take_types(self, schema, err);
    else if (result == 0)
        result = guess_types(self, window, err);
    if (result == 0)
        return self;
    format_close(self);
    return NULL;
}

/* --- values ----------------------------------------------------------------------------------------------
 */

static void put_boolean(struct csv_format *self, struct slice text)
{
    static const char *const yes[] = {"true", "t", "yes", "y", "on", "1", NULL};
    static const char *const no[] = {"false", "f", "no", "n", "off", "0", NULL};
    if (has_folded(&self->options->true_values, yes, text))
        buffer_str(&self->out, "true");
    else if (has_folded(&self->options->false_values, no, text))
        buffer_str(&self->out, "false");
    else
        json_escape(&self->out, text);
}

/* A text that is not of its column's type stays a text: nothing is lost. */
static void put_value(struct csv_format *self, const struct column *column, const struct csv_cell *cell,
                      struct slice text)
{
    enum csv_type type = csv_type_of(text);
    if ((text.size == 0 && !(cell->quoted && column->type == CSV_TEXT)) ||
        (has(&self->options->null_values, text) &&
         !(column->type == CSV_TEXT && self->options->strings_are_never_null)))
        buffer_str(&self->out, "null");
    else if (column->type == CSV_BOOLEAN)
        put_boolean(self, text);
    else if ((column->type == CSV_NUMBER && (type == CSV_NUMBER || type == CSV_INTEGER)) ||
             (column->type == CSV_INTEGER && type == CSV_INTEGER) ||
             (column->type == CSV_JSON && is_json(text)))
        buffer_append(&self->out, text.data, text.size);
    else
        json_escape(&self->out, text);
}

static int check_row(struct csv_format *self, struct slice text, uint64_t line, struct error *err)
{
    if (self->row.wrong)
        return error_set(err, ERROR_INVALID, "line %" PRIu64 ": %s", line, self->row.wrong);
    if (self->row.count != self->count)
        return error_set(err, ERROR_INVALID, "line %" PRIu64 " has %zu field%s, but there are %zu columns",
                         line, self->row.count, self->row.count == 1 ? "" : "s", self->count);
    if (!utf8_valid(text.data, text.size))
        return error_set(err, ERROR_INVALID,
                         "line %" PRIu64 ": bytes that are not UTF-8; name the file's encoding", line);
    return 0;
}

static int format_next(void *self_, struct files_window *window, struct slice *ret_json, bool *ret_bad,
                       struct error *err)
{
    struct csv_format *self = self_;
    struct slice text;
    int got;
    do
        got = next_row(self, window, &text, err);
    while (got > 0 && self->options->skip_mismatched && self->row.count != self->count);
    if (got <= 0)
        return got;
    if (check_row(self, text, window->line - self->row.lines, err) < 0) {
        *ret_bad = true;
        return -1;
    }
    buffer_clear(&self->out);
    for (size_t i = 0; i < self->count; i++) {
        buffer_byte(&self->out, i ? ',' : '{');
        buffer_append(&self->out, self->columns[i].key.data, self->columns[i].key.size);
        put_value(self, &self->columns[i], &self->row.cells[i],
                  csv_text(&self->dialect, text, &self->row.cells[i], &self->scratch));
    }
    buffer_str(&self->out, self->count ? "}" : "{}");
    *ret_json = (struct slice){self->out.data, self->out.size};
    return 1;
}

const struct files_text_format files_csv_format = {format_open, format_next, format_close};
