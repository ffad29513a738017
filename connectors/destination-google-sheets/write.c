/* Rows that wait are written: first the tabs grow, then the values, about 2 MB a request.
 *
 * Each row is written to a place that was chosen before, so a request whose answer is lost is made again. */
#include "session.h"

#include <stdlib.h>

int sheets_allow_cells(const struct session *session, const char *title, int64_t more, struct error *err)
{
    char now[32], limit[32];
    if (session->cells + more <= SHEETS_CELLS_MAX)
        return 0;
    string_human_count((uint64_t)(session->cells + more), now, sizeof now);
    string_human_count(SHEETS_CELLS_MAX, limit, sizeof limit);
    return error_set(
        err, ERROR_LIMIT,
        "with the rows of tab \"%.200s\" the spreadsheet would have %s cells, empty ones included; "
        "Google Sheets allows %s. Remove tabs, rows or columns, or use another spreadsheet",
        title, now, limit);
}

/* --- growth
 * ---------------------------------------------------------------------------------------------------- */

enum { GROWTH_MIN = 1000, GROWTH_SHARE = 4 };

/* Rows to add; a quarter more than needed, where the limit allows, so that it is seldom. */
static int growth_of(const struct session *session, const struct tab *tab, int64_t *ret_more,
                     struct error *err)
{
    int64_t needed = 0;
    for (size_t i = 0; i < tab->pending_count; i++)
        needed = tab->pending[i].row + 1 > needed ? tab->pending[i].row + 1 : needed;
    *ret_more = 0;
    if (needed <= tab->rows)
        return 0;
    int64_t least = needed - tab->rows;
    int64_t more = least + (needed / GROWTH_SHARE > GROWTH_MIN ? needed / GROWTH_SHARE : GROWTH_MIN);
    struct error ignored;
    if (sheets_allow_cells(session, tab->title, more * tab->columns * 2, &ignored) < 0)
        more = least;
    *ret_more = more;
    return sheets_allow_cells(session, tab->title, more * tab->columns, err);
}

static int grow(struct session *session, struct error *err)
{
    struct buffer body;
    struct json_writer writer;
    struct json answer;
    bool any = false;
    int result = 0;
    buffer_init(&body, BUFFER_UNLIMITED);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_put_key(&writer, "requests");
    json_begin_array(&writer);
    for (size_t i = 0; i < session->count && result == 0; i++) {
        struct tab *tab = &session->tabs[i];
        int64_t more;
        result = growth_of(session, tab, &more, err);
        if (result < 0 || more == 0)
            continue;
        any = true;
        tab->rows += more;
        session->cells += more * tab->columns;
        json_begin_object(&writer);
        json_put_key(&writer, "appendDimension");
        json_begin_object(&writer);
        json_member_i64(&writer, "sheetId", tab->id);
        json_member_string(&writer, "dimension", "ROWS");
        json_member_i64(&writer, "length", more);
        json_end_object(&writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    if (result == 0 && any) /* twice, it only leaves more empty rows */
        result = sheets_post(session->sheets, ":batchUpdate", (struct slice){body.data, body.size}, true,
                             &answer, err);
    buffer_done(&body);
    return result;
}

/* --- values
 * ---------------------------------------------------------------------------------------------------- */

static void begin_body(struct session *session)
{
    buffer_clear(&session->body);
    buffer_printf(&session->body, "{\"valueInputOption\":\"%s\",\"includeValuesInResponse\":false,\"data\":[",
                  session->settings.user_entered ? "USER_ENTERED" : "RAW");
}

static int post_body(struct session *session, struct error *err)
{
    struct json answer;
    buffer_str(&session->body, "]}");
    int result = sheets_post(session->sheets, "/values:batchUpdate",
                             (struct slice){session->body.data, session->body.size}, true, &answer, err);
    begin_body(session);
    return result;
}

static bool is_empty(const struct session *session)
{
    return session->body.data[session->body.size - 1] == '[';
}

/* Rows that lie one below another, as one range. Returns how many were taken. */
static size_t put_block(struct session *session, const struct tab *tab, size_t first)
{
    const struct pending_row *rows = tab->pending;
    struct buffer range;
    size_t end = first, bytes = 0;
    while (end < tab->pending_count && (end == first || rows[end].row == rows[end - 1].row + 1) &&
           (end == first || session->body.size + bytes + rows[end].size < SHEETS_REQUEST_BYTES))
        bytes += rows[end++].size;
    buffer_init(&range, BUFFER_UNLIMITED);
    sheets_put_range(&range, tab_place(tab), 0, rows[first].row, (int64_t)tab->header_count - 1,
                     rows[end - 1].row);
    if (!is_empty(session))
        buffer_byte(&session->body, ',');
    buffer_str(&session->body, "{\"range\":");
    json_escape(&session->body, (struct slice){range.data, range.size});
    buffer_str(&session->body, ",\"majorDimension\":\"ROWS\",\"values\":[");
    for (size_t i = first; i < end; i++) {
        if (i > first)
            buffer_byte(&session->body, ',');
        buffer_append(&session->body, rows[i].cells, rows[i].size);
    }
    buffer_str(&session->body, "]}");
    buffer_done(&range);
    return end - first;
}

static int by_row(const void *a, const void *b)
{
    const struct pending_row *one = a, *two = b;
    return one->row < two->row ? -1 : one->row > two->row;
}

static int write_tab(struct session *session, struct tab *tab, struct error *err)
{
    if (!tab->header_count) /* a stream without fields: nothing is to be seen of its rows */
        return 0;
    qsort(tab->pending, tab->pending_count, sizeof *tab->pending, by_row);
    for (size_t at = 0; at < tab->pending_count;) {
        if (!is_empty(session) && session->body.size + tab->pending[at].size >= SHEETS_REQUEST_BYTES &&
            post_body(session, err) < 0)
            return -1;
        at += put_block(session, tab, at);
    }
    return 0;
}

/* What was pending is written: keys are told, rows are freed. */
static void settle(struct session *session, struct tab *tab)
{
    struct map_entry *entry;
    for (size_t at = 0; tab->keyed && tab->pending_count && (entry = map_next(&tab->known, &at));)
        ((struct known_key *)entry->value)->pending = 0;
    for (size_t i = 0; i < tab->pending_count; i++) {
        session->pending_bytes -= tab->pending[i].size;
        free(tab->pending[i].cells);
    }
    tab->pending_count = 0;
    tab->free_written = tab->free_count;
}

int sheets_flush(struct session *session, struct error *err)
{
    bool any = false;
    for (size_t i = 0; i < session->count; i++)
        any = any || session->tabs[i].pending_count;
    if (!any)
        return 0;
    if (grow(session, err) < 0)
        return -1;
    begin_body(session);
    for (size_t i = 0; i < session->count; i++)
        if (session->tabs[i].pending_count && write_tab(session, &session->tabs[i], err) < 0)
            return -1;
    if (!is_empty(session) && post_body(session, err) < 0)
        return -1;
    for (size_t i = 0; i < session->count; i++)
        settle(session, &session->tabs[i]);
    return 0;
}
