#include "plan.h"

#include <stdlib.h>

#define SCOPE \
    "https://www.googleapis.com/auth/spreadsheets.readonly https://www.googleapis.com/auth/drive.readonly"

/* A tab that is to be a stream. */
struct wanted {
    const struct sheets_tab *tab;
    const char *name;
};

/* --- first rows
 * ------------------------------------------------------------------------------------------------ */

static int take_header(struct firth_host *host, struct source_plan *plan, const struct source_config *config,
                       struct sheets *sheets, const struct wanted *wanted, const struct json *answer,
                       uint32_t range, struct error *err)
{
    uint32_t row = json_at(answer, json_get(answer, range, "values"), 0);
    const char **cells = arena_zalloc(&plan->arena, (json_count(answer, row) + 1) * sizeof *cells);
    size_t count = 0;
    for (uint32_t at = json_first(answer, row); at != JSON_NONE; at = json_next(answer, row, at)) {
        const char *text = json_cstring(answer, at, &plan->arena);
        cells[count++] = text ? text : "";
    }
    struct sheet_stream *stream = &plan->streams[plan->count];
    *stream = (struct sheet_stream){
        .name = wanted->name, .title = wanted->tab->title, .sheets = sheets, .rows = wanted->tab->rows};
    if (names_of_header(&config->names, cells, count, &plan->arena, &stream->columns, &stream->column_count,
                        err) < 0)
        return error_wrap(err, "tab \"%.200s\"", stream->title);
    if (stream->column_count)
        plan->count++;
    else
        firth_log(host, FIRTH_INFO,
                  "tab \"%s\" is no stream: its first cell, which would name a column, is empty",
                  stream->title);
    return 0;
}

/* Ask for the first rows of these tabs. Returns of how many: a URL has its limits. */
static size_t ask_headers(const struct wanted *wanted, size_t count, struct buffer *path)
{
    size_t asked = 0;
    buffer_clear(path);
    buffer_str(path, "/values:batchGet?majorDimension=ROWS&valueRenderOption=FORMATTED_VALUE");
    while (asked < count && path->size < SHEETS_QUERY_BYTES) {
        const struct sheets_tab *tab = wanted[asked++].tab;
        sheets_ask_range(path, tab->title, 0, 0, tab->columns - 1, 0);
    }
    return asked;
}

static int take_headers(struct firth_host *host, struct source_plan *plan, const struct source_config *config,
                        struct sheets *sheets, const struct wanted *wanted, size_t count,
                        const struct json *answer, struct error *err)
{
    uint32_t list = json_get(answer, 0, "valueRanges");
    uint32_t at = json_first(answer, list);
    for (size_t i = 0; i < count; i++) {
        if (at == JSON_NONE)
            return error_set(err, ERROR_PROTOCOL, "Google Sheets answers for fewer tabs than were asked");
        if (take_header(host, plan, config, sheets, &wanted[i], answer, at, err) < 0)
            return -1;
        at = json_next(answer, list, at);
    }
    return 0;
}

static int read_headers(struct firth_host *host, struct source_plan *plan, const struct source_config *config,
                        struct sheets *sheets, const struct wanted *wanted, size_t count, struct error *err)
{
    struct buffer path;
    struct json answer;
    struct sheet_stream *streams = arena_zalloc(&plan->arena, (plan->count + count + 1) * sizeof *streams);
    if (plan->count)
        memcpy(streams, plan->streams, plan->count * sizeof *streams);
    plan->streams = streams;
    int result = 0;
    buffer_init(&path, BUFFER_UNLIMITED);
    for (size_t at = 0, asked; at < count && result == 0; at += asked) {
        asked = ask_headers(wanted + at, count - at, &path);
        result = sheets_get(sheets, buffer_cstr(&path), &answer, err);
        if (result == 0)
            result = take_headers(host, plan, config, sheets, wanted + at, asked, &answer, err);
    }
    buffer_done(&path);
    return result;
}

/* --- which tabs
 * ------------------------------------------------------------------------------------------------- */

static struct sheets *open_book(struct firth_host *host, struct source_plan *plan,
                                const struct source_config *config, const char *id, struct error *err)
{
    struct sheets_config settings = config->sheets;
    settings.spreadsheet_id = id;
    struct sheets *sheets = sheets_open(host, &settings, SCOPE, err);
    if (!sheets)
        return NULL;
    for (size_t i = 0; i < plan->book_count; i++) {
        if (strcmp(sheets_id(plan->books[i]), sheets_id(sheets)) != 0)
            continue;
        sheets_close(sheets);
        return plan->books[i];
    }
    plan->books = mem_realloc(plan->books, (plan->book_count + 1) * sizeof(struct sheets *));
    return plan->books[plan->book_count++] = sheets;
}

static bool is_readable(const struct sheets_tab *tab)
{
    return tab->is_grid && tab->rows > 0 && tab->columns > 0;
}

static const char *name_of(const struct source_config *config, const char *title)
{
    const struct stream_override *overrides = config->overrides.items;
    for (size_t i = 0; i < config->overrides.count; i++)
        if (strcmp(overrides[i].from, title) == 0)
            return overrides[i].to;
    return title;
}

static int plan_all(struct firth_host *host, struct source_plan *plan, const struct source_config *config,
                    struct error *err)
{
    struct sheets_tabs tabs;
    struct sheets *sheets = open_book(host, plan, config, config->sheets.spreadsheet_id, err);
    if (!sheets || sheets_read_tabs(sheets, &plan->arena, &tabs, err) < 0)
        return -1;
    struct wanted *wanted = arena_zalloc(&plan->arena, (tabs.count + 1) * sizeof *wanted);
    size_t count = 0;
    for (size_t i = 0; i < tabs.count; i++)
        if (is_readable(&tabs.items[i]))
            wanted[count++] = (struct wanted){&tabs.items[i], name_of(config, tabs.items[i].title)};
    return read_headers(host, plan, config, sheets, wanted, count, err);
}

static int plan_named(struct firth_host *host, struct source_plan *plan, const struct source_config *config,
                      const struct named_stream *named, struct error *err)
{
    struct sheets_tabs tabs;
    struct sheets *sheets = open_book(host, plan, config, named->spreadsheet_id, err);
    if (!sheets || sheets_read_tabs(sheets, &plan->arena, &tabs, err) < 0)
        return error_wrap(err, "stream \"%.200s\"", named->name);
    const struct sheets_tab *tab = sheets_find_tab(&tabs, named->tab);
    if (!tab || !is_readable(tab)) {
        const char **titles = arena_zalloc(&plan->arena, (tabs.count + 1) * sizeof *titles);
        for (size_t i = 0; i < tabs.count; i++)
            titles[i] = tabs.items[i].title;
        const char *near = string_nearest(named->tab, titles, tabs.count);
        return error_set(
            err, ERROR_INVALID, "stream \"%.200s\": the spreadsheet has no tab \"%.200s\" of cells%s%.200s%s",
            named->name, named->tab, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    struct wanted *wanted = arena_zalloc(&plan->arena, sizeof *wanted);
    *wanted = (struct wanted){tab, named->name};
    return read_headers(host, plan, config, sheets, wanted, 1, err);
}

static int refuse_doubles(const struct source_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(plan->streams[i].name, plan->streams[k].name) == 0)
                return error_set(
                    err, ERROR_INVALID,
                    "the tabs \"%.200s\" and \"%.200s\" would both be the stream \"%.200s\"; expected "
                    "another name for one of them",
                    plan->streams[k].title, plan->streams[i].title, plan->streams[i].name);
    return 0;
}

int source_plan_make(struct firth_host *host, const struct source_config *config,
                     struct source_plan *ret_plan, struct error *err)
{
    struct source_plan plan = {0};
    const struct named_stream *named = config->streams.items;
    arena_init(&plan.arena);
    int result = 0;
    if (config->sheets.spreadsheet_id)
        result = plan_all(host, &plan, config, err);
    else if (!config->streams.count)
        result = error_set(err, ERROR_INVALID, "spreadsheet_id is required, or streams that name theirs");
    for (size_t i = 0; i < config->streams.count && result == 0; i++)
        result = plan_named(host, &plan, config, &named[i], err);
    if (result == 0)
        result = refuse_doubles(&plan, err);
    if (result < 0) {
        source_plan_done(&plan);
        return -1;
    }
    *ret_plan = plan;
    return 0;
}

void source_plan_done(struct source_plan *plan)
{
    for (size_t i = 0; i < plan->book_count; i++)
        sheets_close(plan->books[i]);
    free(plan->books);
    arena_done(&plan->arena);
}
