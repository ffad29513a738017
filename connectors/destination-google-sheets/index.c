/* What is in a tab already: where it ends, and which row has which key. */
#include "session.h"

#include <stdlib.h>

enum {
    END_PAGE_ROWS = 5000, /* of a tab, looked at at once, from its end */
    KEYS_PAGE_ROWS = 100 * 1000,
    CELLS_AT_ONCE = 500 * 1000, /* about so many are asked for in a request, of however many tabs */
};

static void begin_query(struct buffer *path, const char *dimension)
{
    buffer_clear(path);
    buffer_printf(path, "/values:batchGet?valueRenderOption=UNFORMATTED_VALUE&majorDimension=%s", dimension);
}

static int too_few_answers(struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, "Google Sheets answers for fewer ranges than were asked");
}

/* --- ends ------------------------------------------------------------------------------------------------
 */

/* The rows of a tab that are looked at next: `end` is not among them. */
struct look {
    struct tab *tab;
    int64_t start, end;
};

/* Returns how many of the looks fit into one request. */
static size_t ask_ends(struct look *looks, size_t count, struct buffer *path)
{
    size_t asked = 0;
    int64_t cells = 0;
    begin_query(path, "ROWS");
    while (asked < count && path->size < SHEETS_QUERY_BYTES && cells < CELLS_AT_ONCE) {
        struct look *look = &looks[asked++];
        look->start = look->end > END_PAGE_ROWS + 1 ? look->end - END_PAGE_ROWS : 1;
        cells += (look->end - look->start) * look->tab->columns;
        sheets_ask_range(path, look->tab->title, 0, look->start, look->tab->columns - 1, look->end - 1);
    }
    return asked;
}

/* An answer leaves out the empty rows at the end: so the last page that has any tells. Those that are still
 * to be looked at move to the front. */
static int take_ends(struct look *looks, size_t *count, size_t asked, const struct json *answer,
                     struct error *err)
{
    uint32_t list = json_get(answer, 0, "valueRanges"), at = json_first(answer, list);
    size_t left = 0;
    for (size_t i = 0; i < *count; i++) {
        struct look *look = &looks[i];
        if (i < asked && at == JSON_NONE)
            return too_few_answers(err);
        uint32_t rows = i < asked ? json_count(answer, json_get(answer, at, "values")) : 0;
        if (i < asked)
            at = json_next(answer, list, at);
        if (rows)
            look->tab->next = look->start + rows;
        else if (i >= asked || look->start > 1)
            looks[left++] = (struct look){look->tab, 0, i < asked ? look->start : look->end};
    }
    *count = left;
    return 0;
}

int sheets_find_ends(struct session *session, const bool *there, struct error *err)
{
    auto_free struct look *looks = mem_zalloc((session->count + 1) * sizeof *looks);
    struct buffer path;
    struct json answer;
    size_t count = 0;
    int result = 0;
    for (size_t i = 0; i < session->count; i++) {
        struct tab *tab = &session->tabs[i];
        tab->next = 1;
        if (there[i] && tab->rows > 1)
            looks[count++] = (struct look){.tab = tab, .end = tab->rows};
    }
    buffer_init(&path, BUFFER_UNLIMITED);
    while (count && result == 0) {
        size_t asked = ask_ends(looks, count, &path);
        result = sheets_get(session->sheets, buffer_cstr(&path), &answer, err);
        if (result == 0)
            result = take_ends(looks, &count, asked, &answer, err);
    }
    buffer_done(&path);
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

/* Rows of a tab whose keys, and cursors, are asked for: a column each. */
struct page {
    struct tab *tab;
    int64_t start, end; /* the latter is not among them */
    const struct json *answer;
    uint32_t *columns; /* arrays of cells, up to the last that has any; JSON_NONE: all are empty */
    struct arena *arena;
};

static size_t columns_of(const struct tab *tab)
{
    return tab->key_count + (tab->cursor >= 0);
}

static void put_from(const struct page *page, size_t asked, uint32_t row, struct buffer *out)
{
    uint32_t column = page->columns[asked], count = json_count(page->answer, column);
    bool flat = count && json_after(page->answer, column) == column + 1 + count; /* cells are scalars */
    sheets_put_read_cell(page->answer, flat && row < count ? column + 1 + row : JSON_NONE, page->arena, out);
}

static void know_row(struct session *session, const struct page *page, uint32_t at)
{
    struct tab *tab = page->tab;
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
    sheets_know(tab, key, page->start + at, cursor);
}

enum { PAGES_MAX = 64 }; /* of a request */

/* The pages from *at (a tab) and *row on that fit into one request; the two are then behind them. */
static size_t ask_keys(struct session *session, const bool *there, size_t *at, int64_t *row,
                       struct page *pages, struct buffer *path)
{
    size_t count = 0;
    int64_t cells = 0;
    begin_query(path, "COLUMNS");
    for (; *at < session->count; ++*at, *row = 1) {
        struct tab *tab = &session->tabs[*at];
        while (there[*at] && tab->keyed && *row < tab->next) {
            if (count == PAGES_MAX || path->size > SHEETS_QUERY_BYTES || cells >= CELLS_AT_ONCE)
                return count;
            int64_t end = *row + KEYS_PAGE_ROWS < tab->next ? *row + KEYS_PAGE_ROWS : tab->next;
            pages[count++] = (struct page){.tab = tab, .start = *row, .end = end};
            for (size_t i = 0; i < columns_of(tab); i++) {
                size_t field = i < tab->key_count ? tab->keys[i] : (size_t)tab->cursor;
                int64_t column = (int64_t)tab->column_of[field];
                sheets_ask_range(path, tab->title, column, *row, column, end - 1);
            }
            cells += (end - *row) * (int64_t)columns_of(tab);
            *row = end;
        }
    }
    return count;
}

static int take_keys(struct session *session, struct page *pages, size_t count, const struct json *answer,
                     struct arena *arena, struct error *err)
{
    uint32_t list = json_get(answer, 0, "valueRanges"), at = json_first(answer, list);
    for (size_t p = 0; p < count; p++) {
        struct page *page = &pages[p];
        size_t columns = columns_of(page->tab);
        uint32_t rows = 0;
        page->answer = answer;
        page->arena = arena;
        page->columns = arena_alloc(arena, columns * sizeof *page->columns);
        for (size_t i = 0; i < columns; i++, at = json_next(answer, list, at)) {
            if (at == JSON_NONE)
                return too_few_answers(err);
            page->columns[i] = json_at(answer, json_get(answer, at, "values"), 0);
            uint32_t cells = json_count(answer, page->columns[i]);
            rows = cells > rows ? cells : rows;
        }
        for (uint32_t row = 0; row < rows; row++)
            know_row(session, page, row);
    }
    return 0;
}

int sheets_read_keys(struct session *session, const bool *there, struct error *err)
{
    struct page pages[PAGES_MAX];
    struct buffer path;
    struct arena arena;
    struct json answer;
    size_t at = 0, count;
    int64_t row = 1;
    int result = 0;
    buffer_init(&path, BUFFER_UNLIMITED);
    arena_init(&arena);
    while (result == 0 && (count = ask_keys(session, there, &at, &row, pages, &path))) {
        arena_clear(&arena);
        result = sheets_get(session->sheets, buffer_cstr(&path), &answer, err);
        if (result == 0)
            result = take_keys(session, pages, count, &answer, &arena, err);
    }
    buffer_done(&path);
    arena_done(&arena);
    return result;
}
