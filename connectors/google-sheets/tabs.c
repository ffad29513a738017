/* What is in a spreadsheet, and how its places are named. */
#include "connectors/google-sheets/api.h"

#include "connectors/source-declarative/template/unicode.h"

#include <ctype.h>
#include <strings.h>

int sheets_read_tabs(struct sheets *sheets, struct arena *arena, struct sheets_tabs *ret_tabs,
                     struct error *err)
{
    struct json answer;
    if (sheets_get(sheets,
                   "?includeGridData=false&fields=properties.title,sheets.properties(sheetId,title,sheetType,"
                   "gridProperties(rowCount,columnCount))",
                   &answer, err) < 0)
        return -1;
    uint32_t list = json_get(&answer, 0, "sheets");
    struct sheets_tabs tabs = {.items =
                                   arena_zalloc(arena, (json_count(&answer, list) + 1) * sizeof *tabs.items)};
    tabs.title = json_cstring(&answer, json_pointer(&answer, 0, SLICE_LITERAL("/properties/title")), arena);
    for (uint32_t at = json_first(&answer, list); at != JSON_NONE; at = json_next(&answer, list, at)) {
        uint32_t properties = json_get(&answer, at, "properties");
        uint32_t grid = json_get(&answer, properties, "gridProperties");
        uint32_t type = json_get(&answer, properties, "sheetType");
        struct sheets_tab *tab = &tabs.items[tabs.count];
        tab->title = json_cstring(&answer, json_get(&answer, properties, "title"), arena);
        tab->is_grid = type == JSON_NONE || json_string_is(&answer, type, "GRID");
        if (!tab->title) /* an API that says so little is not one that we know */
            continue;
        if (!json_to_i64(&answer, json_get(&answer, properties, "sheetId"), &tab->id))
            tab->id = 0; /* it leaves out what is zero */
        if (!json_to_i64(&answer, json_get(&answer, grid, "rowCount"), &tab->rows))
            tab->rows = 0;
        if (!json_to_i64(&answer, json_get(&answer, grid, "columnCount"), &tab->columns))
            tab->columns = 0;
        tabs.count++;
    }
    *ret_tabs = tabs;
    return 0;
}

static bool is_ascii(const char *text)
{
    while (*text && !(*text & 0x80))
        text++;
    return !*text;
}

bool sheets_is_same_title(const char *a, const char *b)
{
    if (strcasecmp(a, b) == 0)
        return true;
    if (is_ascii(a) || is_ascii(b))
        return false;
    struct arena arena;
    arena_init(&arena);
    bool same = slice_equal(unicode_lower(&arena, slice_of(a)), unicode_lower(&arena, slice_of(b)));
    arena_done(&arena);
    return same;
}

const struct sheets_tab *sheets_find_tab(const struct sheets_tabs *tabs, const char *title)
{
    for (size_t i = 0; i < tabs->count; i++)
        if (sheets_is_same_title(tabs->items[i].title, title))
            return &tabs->items[i];
    return NULL;
}

void sheets_put_column(struct buffer *out, int64_t column)
{
    char letters[16];
    size_t at = sizeof letters;
    for (int64_t left = column + 1; left > 0; left = (left - 1) / 26)
        letters[--at] = (char)('A' + (left - 1) % 26);
    buffer_append(out, letters + at, sizeof letters - at);
}

void sheets_put_range(struct buffer *out, const char *title, int64_t first_column, int64_t first_row,
                      int64_t last_column, int64_t last_row)
{
    buffer_byte(out, '\'');
    for (const char *at = title; *at; at++) {
        if (*at == '\'')
            buffer_byte(out, '\'');
        buffer_byte(out, *at);
    }
    buffer_str(out, "'!");
    sheets_put_column(out, first_column);
    buffer_printf(out, "%lld:", (long long)first_row + 1);
    if (last_column >= 0)
        sheets_put_column(out, last_column);
    if (last_row >= 0)
        buffer_printf(out, "%lld", (long long)last_row + 1);
}

void sheets_ask_range(struct buffer *path, const char *title, int64_t first_column, int64_t first_row,
                      int64_t last_column, int64_t last_row)
{
    struct buffer range;
    buffer_init(&range, BUFFER_UNLIMITED);
    sheets_put_range(&range, title, first_column, first_row, last_column, last_row);
    buffer_str(path, "&ranges=");
    http_url_encode(path, (struct slice){range.data, range.size}, NULL);
    buffer_done(&range);
}

int64_t sheets_row_of(const char *range)
{
    const char *place = strrchr(range, '!');
    place = place ? place + 1 : range;
    while (*place == '$' || isalpha((unsigned char)*place))
        place++;
    int64_t row = 0;
    const char *digits = place;
    for (; isdigit((unsigned char)*place) && row <= SHEETS_CELLS_MAX; place++)
        row = row * 10 + (*place - '0');
    return place == digits || row < 1 ? -1 : row - 1;
}
