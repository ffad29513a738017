/* What is in a tab already: where it ends, and which row has which key. */
#include "session.h"

#include <stdlib.h>

enum {
    END_PAGE_ROWS = 5000, /* looked at at once, from the end */
    KEYS_PAGE_ROWS = 100 * 1000,
};

static int get_ranges(struct session *session, const struct buffer *ranges, const char *options,
                      struct json *ret_answer, struct error *err)
{
    struct buffer path;
    buffer_init(&path, BUFFER_UNLIMITED);
    buffer_printf(&path, "/values:batchGet?valueRenderOption=UNFORMATTED_VALUE&%s", options);
    buffer_append(&path, ranges->data, ranges->size);
    int result = sheets_get(session->sheets, buffer_cstr(&path), ret_answer, err);
    buffer_done(&path);
    return result;
}

/* An answer leaves out the empty rows at the end: so the last page that has any tells. */
int sheets_find_end(struct session *session, struct tab *tab, struct error *err)
{
    struct buffer ranges;
    struct json answer;
    int result = 0;
    buffer_init(&ranges, BUFFER_UNLIMITED);
    tab->next = 1;
    for (int64_t end = tab->rows; end > 1 && tab->next == 1 && result == 0; end -= END_PAGE_ROWS) {
        int64_t start = end > END_PAGE_ROWS + 1 ? end - END_PAGE_ROWS : 1;
        buffer_clear(&ranges);
        sheets_ask_range(&ranges, tab->title, 0, start, tab->columns - 1, end - 1);
        result = get_ranges(session, &ranges, "majorDimension=ROWS", &answer, err);
        uint32_t page = result == 0 ? json_at(&answer, json_get(&answer, 0, "valueRanges"), 0) : JSON_NONE;
        uint32_t rows = result == 0 ? json_count(&answer, json_get(&answer, page, "values")) : 0;
        if (rows)
            tab->next = start + rows;
    }
    buffer_done(&ranges);
    return result;
}

/* --- keys ------------------------------------------------------------------------------------------------
 */

struct known_key *sheets_know(struct tab *tab, struct slice key, int64_t row, const char *cursor)
{
    struct known_key *known = map_get(&tab->known, key);
    if (!known) {
        known = mem_zalloc(sizeof *known);
        map_set(&tab->known, key, known);
    }
    known->row = row;
    free(known->cursor);
    known->cursor = cursor ? mem_strdup(cursor) : NULL;
    return known;
}

void sheets_forget(struct tab *tab, struct slice key)
{
    struct known_key *known = map_remove(&tab->known, key);
    if (known)
        free(known->cursor);
    free(known);
}

int sheets_key_of(struct session *session, const struct tab *tab, const struct firth_record *record,
                  bool *ret_has_key, struct error *err)
{
    static const struct sheets_settings raw;
    size_t cut;
    buffer_clear(&session->key);
    *ret_has_key = true;
    for (size_t i = 0; i < tab->key_count; i++) {
        size_t before = session->key.size;
        if (sheets_put_cell(&raw, session->host, record, tab->keys[i], CELL_KEY, &session->key, &cut, err) <
            0)
            return -1;
        if (session->key.size - before == 2 && memcmp(session->key.data + before, "\"\"", 2) == 0)
            *ret_has_key = false;
        buffer_byte(&session->key, ',');
    }
    return 0;
}

struct page {
    const struct json *answer;
    uint32_t list;
    struct arena *arena;
};

/* The cell of the asked column at this position, as an answer by columns has it. */
static void put_from(const struct page *page, size_t asked, uint32_t row, struct buffer *out)
{
    uint32_t range = json_at(page->answer, page->list, (uint32_t)asked);
    uint32_t column = json_at(page->answer, json_get(page->answer, range, "values"), 0);
    uint32_t count = json_count(page->answer, column);
    bool flat = count && json_after(page->answer, column) == column + 1 + count; /* cells are scalars */
    sheets_put_read_cell(page->answer, flat && row < count ? column + 1 + row : JSON_NONE, page->arena, out);
}

static uint32_t rows_of(const struct page *page)
{
    uint32_t longest = 0;
    for (uint32_t at = json_first(page->answer, page->list); at != JSON_NONE;
         at = json_next(page->answer, page->list, at)) {
        uint32_t count =
            json_count(page->answer, json_at(page->answer, json_get(page->answer, at, "values"), 0));
        longest = count > longest ? count : longest;
    }
    return longest;
}

static void know_row(struct session *session, struct tab *tab, const struct page *page, uint32_t at,
                     int64_t row)
{
    bool has_key = true;
    buffer_clear(&session->key);
    for (size_t i = 0; i < tab->key_count; i++) {
        size_t before = session->key.size;
        put_from(page, i, at, &session->key);
        has_key = has_key && !(session->key.size - before == 2 && session->key.data[before] == '"');
        buffer_byte(&session->key, ',');
    }
    if (!has_key)
        return;
    const char *cursor = NULL;
    buffer_clear(&session->cell);
    if (tab->cursor >= 0) {
        put_from(page, tab->key_count, at, &session->cell);
        cursor = buffer_cstr(&session->cell);
    }
    struct slice key = {session->key.data, session->key.size};
    const struct known_key *known = map_get(&tab->known, key);
    if (known && cursor && known->cursor && sheets_compare_cells(cursor, known->cursor) < 0)
        return; /* of rows that have one key, the newest */
    sheets_know(tab, key, row, cursor);
}

int sheets_read_keys(struct session *session, struct tab *tab, struct error *err)
{
    struct buffer ranges;
    struct arena arena;
    struct json answer;
    int result = 0;
    buffer_init(&ranges, BUFFER_UNLIMITED);
    arena_init(&arena);
    for (int64_t start = 1; start < tab->next && result == 0; start += KEYS_PAGE_ROWS) {
        int64_t end = start + KEYS_PAGE_ROWS < tab->next ? start + KEYS_PAGE_ROWS : tab->next;
        buffer_clear(&ranges);
        arena_clear(&arena);
        for (size_t i = 0; i < tab->key_count + (tab->cursor >= 0); i++) {
            size_t field = i < tab->key_count ? tab->keys[i] : (size_t)tab->cursor;
            int64_t column = (int64_t)tab->column_of[field];
            sheets_ask_range(&ranges, tab->title, column, start, column, end - 1);
        }
        result = get_ranges(session, &ranges, "majorDimension=COLUMNS", &answer, err);
        if (result < 0)
            break;
        struct page page = {&answer, json_get(&answer, 0, "valueRanges"), &arena};
        uint32_t count = rows_of(&page);
        for (uint32_t at = 0; at < count; at++)
            know_row(session, tab, &page, at, start + at);
    }
    buffer_done(&ranges);
    arena_done(&arena);
    return result;
}
