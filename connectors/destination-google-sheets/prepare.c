/* Tabs and headers as they have to be: made, and columns added at the end. */
#include "session.h"

/* --- headers that are there ---------------------------------------------------------------------------- */

static void take_header(struct session *session, struct tab *tab, const struct json *answer, uint32_t range)
{
    uint32_t row = json_at(answer, json_get(answer, range, "values"), 0);
    tab->header_count = json_count(answer, row);
    tab->header = arena_zalloc(&session->arena, (tab->header_count + 1) * sizeof *tab->header);
    size_t i = 0;
    for (uint32_t at = json_first(answer, row); at != JSON_NONE; at = json_next(answer, row, at)) {
        const char *name = json_cstring(answer, at, &session->arena);
        tab->header[i++] = name ? name : "";
    }
}

/* Ask for the first rows of the tabs that are there, from the one at *at on. *at is then that after the last
 * that was asked, for a URL has its limits. Returns how many were asked. */
static size_t ask_headers(const struct session *session, const bool *there, size_t *at, struct buffer *path)
{
    size_t asked = 0;
    buffer_clear(path);
    buffer_str(path, "/values:batchGet?majorDimension=ROWS&valueRenderOption=FORMATTED_VALUE");
    for (; *at < session->count && path->size < SHEETS_QUERY_BYTES; ++*at) {
        const struct tab *tab = &session->tabs[*at];
        if (!there[*at])
            continue;
        sheets_ask_range(path, tab->title, 0, 0, tab->columns - 1, 0);
        asked++;
    }
    return asked;
}

static int read_headers(struct session *session, const bool *there, struct error *err)
{
    struct buffer path;
    struct json answer;
    int result = 0;
    buffer_init(&path, BUFFER_UNLIMITED);
    for (size_t at = 0; at < session->count && result == 0;) {
        size_t first = at, asked = ask_headers(session, there, &at, &path);
        if (!asked || (result = sheets_get(session->sheets, buffer_cstr(&path), &answer, err)) < 0)
            continue;
        uint32_t list = json_get(&answer, 0, "valueRanges"), range = json_first(&answer, list);
        for (size_t i = first; i < at && range != JSON_NONE; i++) {
            if (!there[i])
                continue;
            take_header(session, &session->tabs[i], &answer, range);
            range = json_next(&answer, list, range);
            asked--;
        }
        if (asked)
            result = error_set(err, ERROR_PROTOCOL, "Google Sheets answers for fewer tabs than were asked");
    }
    buffer_done(&path);
    return result;
}

/* --- columns ---------------------------------------------------------------------------------------------
 */

static long find_column(const struct tab *tab, const char *name)
{
    for (size_t i = 0; i < tab->header_count; i++)
        if (strcmp(tab->header[i], name) == 0)
            return (long)i;
    return -1;
}

/* Each field its column: the one of its name, else a new one at the end. */
static int place_fields(struct session *session, struct tab *tab, size_t *ret_new, struct error *err)
{
    const struct firth_target *target = tab->target;
    size_t before = tab->header_count;
    const char **header = arena_zalloc(&session->arena, (before + target->field_count + 1) * sizeof *header);
    memcpy(header, tab->header ? tab->header : header, before * sizeof *header);
    tab->header = header;
    tab->column_of = arena_zalloc(&session->arena, (target->field_count + 1) * sizeof *tab->column_of);
    for (size_t i = 0; i < target->field_count; i++) {
        long column = find_column(tab, target->fields[i].name);
        if (column < 0) {
            column = (long)tab->header_count;
            tab->header[tab->header_count++] = target->fields[i].name;
        }
        tab->column_of[i] = (size_t)column;
    }
    *ret_new = tab->header_count - before;
    if (tab->header_count > SHEETS_COLUMNS_MAX)
        return error_set(err, ERROR_LIMIT,
                         "stream %.200s needs %zu columns; a tab of Google Sheets has at most %d",
                         target->name, tab->header_count, SHEETS_COLUMNS_MAX);
    return 0;
}

static long field_of_pointer(const struct firth_target *target, const char *pointer)
{
    for (size_t i = 0; pointer && i < target->field_count; i++)
        if (strcmp(target->fields[i].pointer, pointer) == 0)
            return (long)i;
    return -1;
}

static int place_keys(struct session *session, struct tab *tab, struct error *err)
{
    const struct firth_target *target = tab->target;
    size_t count = 0;
    while (target->primary_key[count])
        count++;
    tab->keyed = count && (target->sync_mode & (FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP));
    tab->cursor = tab->document = -1;
    if (!tab->keyed)
        return 0;
    tab->keys = arena_zalloc(&session->arena, (count + 1) * sizeof *tab->keys);
    for (size_t i = 0; i < count; i++) {
        long field = field_of_pointer(target, target->primary_key[i]);
        if (field < 0)
            return error_set(
                err, ERROR_INVALID,
                "stream %.200s has the key %.200s, which is no column of its tab; expected a field of "
                "the first level that its schema names",
                target->name, target->primary_key[i]);
        tab->keys[tab->key_count++] = (size_t)field;
    }
    tab->cursor = field_of_pointer(target, target->cursor);
    for (size_t i = 0; i < target->field_count; i++)
        if (target->fields[i].is_document)
            tab->document = (long)i;
    return 0;
}

/* --- changes to the spreadsheet's structure
 * ------------------------------------------------------------------ */

static int64_t new_id(const struct sheets_tabs *tabs)
{
    for (;;) {
        uint32_t bits;
        random_bytes(&bits, sizeof bits);
        int64_t id = bits & 0x7fffffff;
        bool taken = id == 0;
        for (size_t i = 0; i < tabs->count; i++)
            taken = taken || tabs->items[i].id == id;
        if (!taken)
            return id;
    }
}

static void put_add(struct json_writer *writer, const struct tab *tab)
{
    json_begin_object(writer);
    json_put_key(writer, "addSheet");
    json_begin_object(writer);
    json_put_key(writer, "properties");
    json_begin_object(writer);
    json_member_i64(writer, "sheetId", tab->id);
    json_member_string(writer, "title", tab_place(tab));
    if (tab->stage)
        json_member_bool(writer, "hidden", true);
    json_put_key(writer, "gridProperties");
    json_begin_object(writer);
    json_member_i64(writer, "rowCount", tab->rows);
    json_member_i64(writer, "columnCount", tab->columns);
    json_member_i64(writer, "frozenRowCount", 1);
    json_end_object(writer);
    json_end_object(writer);
    json_end_object(writer);
    json_end_object(writer);
}

static void put_delete(struct json_writer *writer, int64_t id)
{
    json_begin_object(writer);
    json_put_key(writer, "deleteSheet");
    json_begin_object(writer);
    json_member_i64(writer, "sheetId", id);
    json_end_object(writer);
    json_end_object(writer);
}

static void put_columns(struct json_writer *writer, const struct tab *tab, int64_t count)
{
    json_begin_object(writer);
    json_put_key(writer, "appendDimension");
    json_begin_object(writer);
    json_member_i64(writer, "sheetId", tab->id);
    json_member_string(writer, "dimension", "COLUMNS");
    json_member_i64(writer, "length", count);
    json_end_object(writer);
    json_end_object(writer);
}

enum { NEW_ROWS = 1000 }; /* what Sheets itself gives a new tab */

/* A tab that is to be made; the name of a stage that an earlier session left is freed first. */
static int make_tab(struct session *session, struct tab *tab, const struct sheets_tabs *tabs,
                    struct json_writer *writer, struct error *err)
{
    const struct sheets_tab *old = sheets_find_tab(tabs, tab_place(tab));
    if (old) {
        put_delete(writer, old->id);
        session->cells -= old->rows * old->columns;
    }
    tab->id = new_id(tabs);
    tab->rows = NEW_ROWS;
    tab->columns = tab->header_count ? (int64_t)tab->header_count : 1;
    if (tab->rows * tab->columns > SHEETS_CELLS_MAX / 100)
        tab->rows = 2;
    if (sheets_allow_cells(session, tab->title, tab->rows * tab->columns, err) < 0)
        return -1;
    session->cells += tab->rows * tab->columns;
    put_add(writer, tab);
    return 0;
}

static int widen_tab(struct session *session, struct tab *tab, struct json_writer *writer, struct error *err)
{
    int64_t more = (int64_t)tab->header_count - tab->columns;
    if (more <= 0)
        return 0;
    if (sheets_allow_cells(session, tab->title, more * tab->rows, err) < 0)
        return -1;
    session->cells += more * tab->rows;
    tab->columns += more;
    put_columns(writer, tab, more);
    return 0;
}

/* --- all of it
 * ------------------------------------------------------------------------------------------------ */

struct plan {
    struct sheets_tabs tabs;
    bool *there;   /* the stream's own tab */
    size_t *fresh; /* columns that are new */
};

static int look(struct session *session, struct plan *plan, struct error *err)
{
    if (sheets_read_tabs(session->sheets, &session->arena, &plan->tabs, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->tabs.count; i++)
        session->cells += plan->tabs.items[i].rows * plan->tabs.items[i].columns;
    for (size_t i = 0; i < session->count; i++) {
        struct tab *tab = &session->tabs[i];
        const struct sheets_tab *found = sheets_find_tab(&plan->tabs, tab->title);
        if (!found || tab->stage)
            continue;
        if (!found->is_grid || found->columns < 1)
            return error_set(err, ERROR_INVALID, "the tab \"%.200s\" of the spreadsheet holds no cells",
                             tab->title);
        plan->there[i] = true;
        tab->title = found->title; /* it may be written otherwise */
        tab->id = found->id;
        tab->rows = found->rows;
        tab->columns = found->columns;
    }
    return read_headers(session, plan->there, err);
}

/* It may have taken effect although no answer came: then all tabs are there that were to be made. */
static int post_structure(struct session *session, struct slice body, struct error *err)
{
    struct json answer;
    struct sheets_tabs now;
    struct error second;
    if (sheets_post(session->sheets, ":batchUpdate", body, true, &answer, err) == 0)
        return 0;
    if (err->code != ERROR_INVALID || sheets_read_tabs(session->sheets, &session->arena, &now, &second) < 0)
        return -1;
    for (size_t i = 0; i < session->count; i++) {
        const struct sheets_tab *tab = sheets_find_tab(&now, tab_place(&session->tabs[i]));
        if (!tab || tab->id != session->tabs[i].id || tab->columns < session->tabs[i].columns)
            return -1;
    }
    return 0;
}

static int change_structure(struct session *session, const struct plan *plan, struct error *err)
{
    struct buffer body;
    struct json_writer writer;
    int result = 0;
    buffer_init(&body, BUFFER_UNLIMITED);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_put_key(&writer, "requests");
    json_begin_array(&writer);
    size_t before = body.size;
    for (size_t i = 0; i < session->count && result == 0; i++)
        result = plan->there[i] ? widen_tab(session, &session->tabs[i], &writer, err)
                                : make_tab(session, &session->tabs[i], &plan->tabs, &writer, err);
    if (result == 0 && body.size > before) {
        json_end_array(&writer);
        json_end_object(&writer);
        result = post_structure(session, (struct slice){body.data, body.size}, err);
    }
    buffer_done(&body);
    return result;
}

static void put_header(struct json_writer *writer, const struct tab *tab, size_t fresh)
{
    struct buffer range;
    size_t first = tab->header_count - fresh;
    buffer_init(&range, BUFFER_UNLIMITED);
    sheets_put_range(&range, tab_place(tab), (int64_t)first, 0, (int64_t)tab->header_count - 1, 0);
    json_begin_object(writer);
    json_member_string(writer, "range", buffer_cstr(&range));
    json_put_key(writer, "values");
    json_begin_array(writer);
    json_begin_array(writer);
    for (size_t i = first; i < tab->header_count; i++)
        json_put_string(writer, tab->header[i]);
    json_end_array(writer);
    json_end_array(writer);
    json_end_object(writer);
    buffer_done(&range);
}

static int write_headers(struct session *session, const struct plan *plan, struct error *err)
{
    struct buffer body;
    struct json_writer writer;
    struct json answer;
    bool any = false;
    buffer_init(&body, BUFFER_UNLIMITED);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_string(&writer, "valueInputOption", "RAW");
    json_put_key(&writer, "data");
    json_begin_array(&writer);
    for (size_t i = 0; i < session->count; i++) {
        if (plan->fresh[i])
            put_header(&writer, &session->tabs[i], plan->fresh[i]);
        any = any || plan->fresh[i];
    }
    json_end_array(&writer);
    json_end_object(&writer);
    int result = any ? sheets_post(session->sheets, "/values:batchUpdate",
                                   (struct slice){body.data, body.size}, true, &answer, err)
                     : 0;
    buffer_done(&body);
    return result;
}

static void tell_changes(struct session *session, const struct plan *plan)
{
    for (size_t i = 0; i < session->count; i++) {
        if (!plan->there[i])
            firth_did(session->host, "created tab %s", session->tabs[i].title);
        else if (plan->fresh[i])
            firth_did(session->host, "added %zu columns to tab %s", plan->fresh[i], session->tabs[i].title);
    }
}

int sheets_prepare(struct session *session, bool tell, struct error *err)
{
    struct plan plan = {.there = arena_zalloc(&session->arena, session->count + 1),
                        .fresh = arena_zalloc(&session->arena, (session->count + 1) * sizeof *plan.fresh)};
    if (look(session, &plan, err) < 0)
        return -1;
    for (size_t i = 0; i < session->count; i++)
        if (place_fields(session, &session->tabs[i], &plan.fresh[i], err) < 0 ||
            place_keys(session, &session->tabs[i], err) < 0)
            return -1;
    if (change_structure(session, &plan, err) < 0 || write_headers(session, &plan, err) < 0)
        return -1;
    if (tell)
        tell_changes(session, &plan);
    for (size_t i = 0; i < session->count; i++) {
        struct tab *tab = &session->tabs[i];
        tab->said_cut = arena_zalloc(&session->arena, tab->target->field_count + 1);
    }
    if (sheets_find_ends(session, plan.there, err) < 0)
        return -1;
    return sheets_read_keys(session, plan.there, err);
}
