/* From records to rows that wait, each with its place. */
#include "session.h"

#include <stdlib.h>

/* Every so many pending bytes they are written, transaction or not. */
enum { PENDING_BYTES_MAX = 8 << 20 };

static void say_cut(struct session *session, struct tab *tab, size_t field, size_t characters)
{
    if (!tab->said_cut[field])
        firth_log(
            session->host, FIRTH_WARN,
            "stream %s: column %s has a text of %zu characters; a cell holds %d, so it is cut, and its end "
            "says so",
            tab->target->name, tab->target->fields[field].name, characters, SHEETS_CELL_MAX);
    tab->said_cut[field] = true;
}

/* --- rows as JSON ------------------------------------------------------------------------------------------
 */

static bool is_key(const struct tab *tab, size_t field)
{
    for (size_t i = 0; i < tab->key_count; i++)
        if (tab->keys[i] == field)
            return true;
    return false;
}

/* In the order of columns; null leaves alone a column that is not ours. */
static long *fields_by_column(const struct tab *tab)
{
    long *fields = mem_alloc((tab->header_count + 1) * sizeof *fields);
    for (size_t i = 0; i < tab->header_count; i++)
        fields[i] = -1;
    for (size_t i = 0; i < tab->target->field_count; i++)
        fields[tab->column_of[i]] = (long)i;
    return fields;
}

/* `record` NULL: a blank row. */
static int put_row(struct session *session, struct tab *tab, const struct firth_record *record,
                   struct buffer *out, struct error *err)
{
    auto_free long *fields = fields_by_column(tab);
    int result = 0;
    buffer_byte(out, '[');
    for (size_t i = 0; i < tab->header_count && result == 0; i++) {
        size_t cut = 0;
        if (i)
            buffer_byte(out, ',');
        if (fields[i] < 0) {
            buffer_str(out, "null");
        } else if (!record) {
            buffer_str(out, "\"\"");
        } else {
            unsigned how = (is_key(tab, (size_t)fields[i]) ? CELL_KEY : 0) |
                           (tab->document == fields[i] ? CELL_DOCUMENT : 0);
            result = sheets_put_cell(&session->settings, session->host, record, (size_t)fields[i], how, out,
                                     &cut, err);
            if (cut)
                say_cut(session, tab, (size_t)fields[i], cut);
        }
    }
    buffer_byte(out, ']');
    return result < 0 ? error_wrap(err, "stream %.200s", tab->target->name) : 0;
}

/* --- rows that wait
 * ------------------------------------------------------------------------------------------ */

static size_t add_pending(struct session *session, struct tab *tab, int64_t row)
{
    tab->pending =
        mem_grow(tab->pending, &tab->pending_capacity, tab->pending_count + 1, sizeof *tab->pending);
    tab->pending[tab->pending_count] =
        (struct pending_row){row, mem_dup(session->cell.data, session->cell.size), session->cell.size};
    session->pending_bytes += session->cell.size;
    return tab->pending_count++;
}

static void replace_pending(struct session *session, struct pending_row *pending)
{
    session->pending_bytes += session->cell.size;
    session->pending_bytes -= pending->size;
    free(pending->cells);
    pending->cells = mem_dup(session->cell.data, session->cell.size);
    pending->size = session->cell.size;
}

static int64_t take_row(struct tab *tab)
{
    if (!tab->free_written)
        return tab->next++;
    int64_t row = tab->free_rows[--tab->free_written];
    tab->free_rows[tab->free_written] = tab->free_rows[--tab->free_count];
    return row;
}

static void give_row(struct tab *tab, int64_t row)
{
    tab->free_rows =
        mem_grow(tab->free_rows, &tab->free_capacity, tab->free_count + 1, sizeof *tab->free_rows);
    tab->free_rows[tab->free_count++] = row;
}

/* --- one a key
 * ------------------------------------------------------------------------------------------------- */

static void write_known(struct session *session, struct tab *tab, struct known_key *known)
{
    if (known->pending)
        replace_pending(session, &tab->pending[known->pending - 1]);
    else
        known->pending = add_pending(session, tab, known->row) + 1;
}

static int remove_row(struct session *session, struct tab *tab, struct slice key, struct error *err)
{
    struct known_key *known = map_get(&tab->known, key);
    if (!known)
        return 0;
    buffer_clear(&session->cell);
    if (put_row(session, tab, NULL, &session->cell, err) < 0)
        return -1;
    write_known(session, tab, known);
    give_row(tab, known->row);
    sheets_forget(tab, key);
    return 0;
}

/* The cursor's cell, or NULL. */
static int cursor_of(struct session *session, const struct tab *tab, const struct firth_record *record,
                     char **ret_cursor, struct error *err)
{
    static const struct sheets_settings raw;
    struct buffer cell;
    size_t cut;
    *ret_cursor = NULL;
    if (tab->cursor < 0)
        return 0;
    buffer_init(&cell, BUFFER_UNLIMITED);
    if (sheets_put_cell(&raw, session->host, record, (size_t)tab->cursor, 0, &cell, &cut, err) < 0) {
        buffer_done(&cell);
        return -1;
    }
    *ret_cursor = buffer_steal(&cell);
    return 0;
}

static int store_known(struct session *session, struct tab *tab, const struct firth_record *record,
                       struct slice key, struct error *err)
{
    char *cursor_text = NULL;
    if (cursor_of(session, tab, record, &cursor_text, err) < 0)
        return -1;
    auto_free char *cursor = cursor_text;
    struct known_key *known = map_get(&tab->known, key);
    if (known && cursor && known->cursor && sheets_compare_cells(cursor, known->cursor) < 0)
        return 0; /* what is there is newer */
    buffer_clear(&session->cell);
    if (put_row(session, tab, record, &session->cell, err) < 0)
        return -1;
    known = sheets_know(tab, key, known ? known->row : take_row(tab), cursor);
    write_known(session, tab, known);
    return 0;
}

int sheets_store(struct session *session, struct tab *tab, const struct firth_record *record,
                 struct error *err)
{
    bool has_key = false;
    if (tab->keyed && sheets_key_of(session, tab, record, &has_key, err) < 0)
        return -1;
    /* Its document would not be found again, and what comes next would begin from nothing. */
    if (tab->keyed && !has_key && tab->target->live && tab->document >= 0)
        return error_set(err, ERROR_INVALID,
                         "stream %.200s: a document whose key has an empty part cannot be kept by it: a cell "
                         "that is empty has no key. Leave such documents out, or have delta updates",
                         tab->target->name);
    struct slice key = {session->key.data, session->key.size};
    int result;
    if (record->operation == FIRTH_DELETE) {
        result = has_key ? remove_row(session, tab, key, err) : 0;
    } else if (has_key) {
        result = store_known(session, tab, record, key, err);
    } else {
        buffer_clear(&session->cell);
        result = put_row(session, tab, record, &session->cell, err);
        if (result == 0)
            add_pending(session, tab, tab->next++);
    }
    if (result == 0 && session->pending_bytes >= PENDING_BYTES_MAX)
        result = sheets_flush(session, err);
    return result;
}

/* --- documents by key
 * -------------------------------------------------------------------------------------------- */

int sheets_load(struct session *session, struct tab *tab, const struct firth_record *key, struct error *err)
{
    bool has_key = false;
    if (!tab->keyed || tab->document < 0)
        return 0;
    if (sheets_key_of(session, tab, key, &has_key, err) < 0)
        return -1;
    struct known_key *known =
        has_key ? map_get(&tab->known, (struct slice){session->key.data, session->key.size}) : NULL;
    if (!known)
        return 0;
    tab->wanted = mem_grow(tab->wanted, &tab->wanted_capacity, tab->wanted_count + 1, sizeof *tab->wanted);
    tab->wanted[tab->wanted_count++] = known->row;
    return 0;
}

static int emit_row(struct session *session, const struct tab *tab, const struct json *answer, uint32_t range,
                    struct arena *arena, struct error *err)
{
    uint32_t cell = json_at(answer, json_at(answer, json_get(answer, range, "values"), 0), 0);
    const char *place = json_cstring(answer, json_get(answer, range, "range"), arena);
    if (cell == JSON_NONE)
        return 0; /* somebody has emptied it: there is none */
    struct slice text =
        json_is(answer, cell, JSON_STRING) ? json_string(answer, cell, arena) : json_raw(answer, cell);
    struct firth_slice document = {text.data, text.size}, ignored;
    if (firth_json_get(session->host, document, "", &ignored) != FIRTH_IS_OBJECT)
        return error_set(
            err, ERROR_CORRUPT,
            "the document in %.200s is none any more: somebody has changed it; a backfill mends that",
            place ? place : tab->title);
    return firth_emit_loaded(session->host, (size_t)(tab - session->tabs), document) < 0
               ? error_set(err, ERROR_CANCELLED, "nobody reads what is loaded")
               : 0;
}

static int load_some(struct session *session, const struct tab *tab, const int64_t *rows, size_t count,
                     struct error *err)
{
    struct buffer body, range;
    struct json_writer writer;
    struct json answer;
    struct arena arena;
    int64_t column = (int64_t)tab->column_of[tab->document];
    buffer_init(&body, BUFFER_UNLIMITED);
    buffer_init(&range, BUFFER_UNLIMITED);
    arena_init(&arena);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_string(&writer, "valueRenderOption", "UNFORMATTED_VALUE");
    json_put_key(&writer, "dataFilters");
    json_begin_array(&writer);
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&range);
        sheets_put_range(&range, tab->title, column, rows[i], column, rows[i]);
        json_begin_object(&writer);
        json_member_string(&writer, "a1Range", buffer_cstr(&range));
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    int result = sheets_post(session->sheets, "/values:batchGetByDataFilter",
                             (struct slice){body.data, body.size}, false, &answer, err);
    uint32_t list = result == 0 ? json_get(&answer, 0, "valueRanges") : JSON_NONE;
    for (uint32_t at = result == 0 ? json_first(&answer, list) : JSON_NONE; at != JSON_NONE && result == 0;
         at = json_next(&answer, list, at))
        result = emit_row(session, tab, &answer, json_get(&answer, at, "valueRange"), &arena, err);
    buffer_done(&body);
    buffer_done(&range);
    arena_done(&arena);
    return result;
}

int sheets_load_wanted(struct session *session, struct error *err)
{
    enum { AT_ONCE = 500 };
    for (size_t i = 0; i < session->count; i++) {
        struct tab *tab = &session->tabs[i];
        for (size_t at = 0; at < tab->wanted_count; at += AT_ONCE) {
            size_t left = tab->wanted_count - at;
            if (load_some(session, tab, tab->wanted + at, left < AT_ONCE ? left : AT_ONCE, err) < 0)
                return -1;
        }
        tab->wanted_count = 0;
    }
    return 0;
}
