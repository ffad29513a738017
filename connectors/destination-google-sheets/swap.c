/* At the end of a stream that is overwritten, its stage takes the tab's place, in one request, which has its
 * effect as a whole or not at all. The tab itself stays, so that formulas, charts and links that point to it
 * stay right. */
#include "session.h"

/* {"sheetId":…,"startRowIndex":0,…} */
static void put_grid(struct json_writer *writer, const char *name, int64_t id, int64_t rows, int64_t columns)
{
    json_put_key(writer, name);
    json_begin_object(writer);
    json_member_i64(writer, "sheetId", id);
    json_member_i64(writer, "startRowIndex", 0);
    json_member_i64(writer, "endRowIndex", rows);
    json_member_i64(writer, "startColumnIndex", 0);
    json_member_i64(writer, "endColumnIndex", columns);
    json_end_object(writer);
}

static void put_growth(struct json_writer *writer, int64_t id, const char *dimension, int64_t more)
{
    if (more <= 0)
        return;
    json_begin_object(writer);
    json_put_key(writer, "appendDimension");
    json_begin_object(writer);
    json_member_i64(writer, "sheetId", id);
    json_member_string(writer, "dimension", dimension);
    json_member_i64(writer, "length", more);
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

/* The tab's values go, the stage's come, the stage goes. */
static void put_copy(struct json_writer *writer, const struct session *session, const struct tab *tab,
                     const struct sheets_tab *old)
{
    /* What was parsed may have a format that belongs to it, a date's; else the tab's own formats stay. */
    const char *paste = session->settings.user_entered ? "PASTE_NORMAL" : "PASTE_FORMULA";
    int64_t columns = tab->header_count ? (int64_t)tab->header_count : 1;
    int64_t more_rows = tab->next - old->rows, more_columns = columns - old->columns;
    put_growth(writer, old->id, "ROWS", more_rows);
    put_growth(writer, old->id, "COLUMNS", more_columns);
    json_begin_object(writer);
    json_put_key(writer, "updateCells");
    json_begin_object(writer);
    json_put_key(writer, "range");
    json_begin_object(writer);
    json_member_i64(writer, "sheetId", old->id);
    json_end_object(writer);
    json_member_string(writer, "fields", "userEnteredValue");
    json_end_object(writer);
    json_end_object(writer);
    json_begin_object(writer);
    json_put_key(writer, "copyPaste");
    json_begin_object(writer);
    put_grid(writer, "source", tab->id, tab->next, columns);
    put_grid(writer, "destination", old->id, tab->next, columns);
    json_member_string(writer, "pasteType", paste);
    json_end_object(writer);
    json_end_object(writer);
    put_delete(writer, tab->id);
}

/* There was none: the stage is it from now on. */
static void put_rename(struct json_writer *writer, const struct tab *tab)
{
    json_begin_object(writer);
    json_put_key(writer, "updateSheetProperties");
    json_begin_object(writer);
    json_put_key(writer, "properties");
    json_begin_object(writer);
    json_member_i64(writer, "sheetId", tab->id);
    json_member_string(writer, "title", tab->title);
    json_member_bool(writer, "hidden", false);
    json_end_object(writer);
    json_member_string(writer, "fields", "title,hidden");
    json_end_object(writer);
    json_end_object(writer);
}

/* Is the stage no longer one? */
static bool is_done(struct session *session, const struct tab *tab)
{
    struct sheets_tabs now;
    struct error ignored;
    if (sheets_read_tabs(session->sheets, &session->arena, &now, &ignored) < 0)
        return false;
    const struct sheets_tab *stage = sheets_find_tab(&now, tab->stage);
    return !stage || stage->id != tab->id;
}

static int post(struct session *session, const struct tab *tab, struct slice body, struct error *err)
{
    struct json answer;
    if (sheets_post(session->sheets, ":batchUpdate", body, true, &answer, err) == 0)
        return 0;
    /* Refused, because an attempt before this one had its effect, whose answer was lost. */
    return err->code == ERROR_INVALID && is_done(session, tab) ? 0 : -1;
}

static int swap(struct session *session, const struct tab *tab, struct json_writer *writer, struct error *err)
{
    struct sheets_tabs tabs;
    if (sheets_read_tabs(session->sheets, &session->arena, &tabs, err) < 0)
        return -1;
    const struct sheets_tab *old = sheets_find_tab(&tabs, tab->title);
    if (old && !old->is_grid)
        return error_set(err, ERROR_INVALID, "the tab \"%.200s\" of the spreadsheet holds no cells",
                         tab->title);
    if (!old) {
        put_rename(writer, tab);
        return 0;
    }
    int64_t columns = tab->header_count ? (int64_t)tab->header_count : 1;
    int64_t rows = tab->next > old->rows ? tab->next : old->rows;
    int64_t more = rows * (columns > old->columns ? columns : old->columns) - old->rows * old->columns;
    session->cells = 0;
    for (size_t i = 0; i < tabs.count; i++)
        session->cells += tabs.items[i].rows * tabs.items[i].columns;
    if (sheets_allow_cells(session, tab->title, more, err) < 0)
        return -1;
    put_copy(writer, session, tab, old);
    return 0;
}

int sheets_finish(struct session *session, struct tab *tab, bool complete, struct error *err)
{
    struct buffer body;
    struct json_writer writer;
    int result = 0;
    if (!tab->stage)
        return 0;
    buffer_init(&body, BUFFER_UNLIMITED);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_put_key(&writer, "requests");
    json_begin_array(&writer);
    if (complete)
        result = swap(session, tab, &writer, err);
    else
        put_delete(&writer, tab->id);
    if (result == 0) {
        json_end_array(&writer);
        json_end_object(&writer);
        result = post(session, tab, (struct slice){body.data, body.size}, err);
    }
    buffer_done(&body);
    return result;
}
