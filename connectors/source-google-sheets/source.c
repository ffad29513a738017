/* source-google-sheets: each tab of a spreadsheet is a stream, its first row names the columns. */
#include "base/hash.h"
#include "bridge.h"
#include "connectors/registry.h"
#include "plan.h"

#include <stdlib.h>

#define AT(field) .offset = offsetof(struct source_config, field)

static const struct firth_option override_fields[] = {
    {.name = "source_stream_name",
     .type = FIRTH_STRING,
     .offset = offsetof(struct stream_override, from),
     .required = true,
     .title = "Tab",
     .help = "The tab's name, exactly."},
    {.name = "custom_stream_name",
     .type = FIRTH_STRING,
     .offset = offsetof(struct stream_override, to),
     .required = true,
     .title = "Stream",
     .help = "What its stream is called."},
    {0},
};

static const struct firth_option stream_fields[] = {
    {.name = "stream_name",
     .type = FIRTH_STRING,
     .offset = offsetof(struct named_stream, name),
     .required = true,
     .title = "Stream Name",
     .help = "What the stream is called."},
    {.name = "spreadsheet_id",
     .type = FIRTH_STRING,
     .offset = offsetof(struct named_stream, spreadsheet_id),
     .required = true,
     .title = "Spreadsheet Link",
     .help = "The spreadsheet's URL, or its id."},
    {.name = "sheet_name",
     .type = FIRTH_STRING,
     .offset = offsetof(struct named_stream, tab),
     .required = true,
     .title = "Sheet Name",
     .help = "The tab's name."},
    {0},
};

#define FLAG(option_name, field, option_title, option_help)                             \
    {                                                                                   \
        .name = option_name, .type = FIRTH_BOOLEAN, AT(names.field), .preset = "false", \
        .title = option_title, .help = option_help                                      \
    }

static const struct firth_option options[] = {
    {.name = "spreadsheet_id",
     .type = FIRTH_STRING,
     AT(sheets.spreadsheet_id),
     .title = "Spreadsheet Link",
     .example = "https://docs.google.com/spreadsheets/d/1hLd9Qqti3UyLXZB2aFfUWDT7BG-arw2xy4HR3D-dwUb/edit",
     .help = "The spreadsheet's URL, or its id. Required unless streams are named below."},
    {.name = "credentials",
     .type = FIRTH_CHOICE,
     AT(sheets.auth),
     .required = true,
     .tag = "auth_type",
     .choices = sheets_client_choices,
     .title = "Authentication",
     .help = "How Google is told who reads."},
    {.name = "batch_size",
     .type = FIRTH_INTEGER,
     AT(batch_size),
     .preset = "1000000",
     .minimum = "1",
     .title = "Row Batch Size",
     .help = "How many rows are asked for at once, at most: fewer if they have many columns."},
    FLAG("names_conversion", convert, "Convert Column Names to SQL-Compliant Format",
         "Column names in lower case, words joined by underscores. The options below change how."),
    FLAG("remove_leading_trailing_underscores", trim_underscores, "Remove Leading and Trailing Underscores",
         "\"50th Percentile? \" becomes \"_50_th_percentile\"."),
    FLAG("combine_number_word_pairs", join_number_word, "Combine Number-Word Pairs",
         "\"50th Percentile?\" becomes \"_50th_percentile_\"."),
    FLAG("remove_special_characters", drop_special, "Remove All Special Characters",
         "\"Example ID*\" becomes \"example_id\"."),
    FLAG("combine_letter_number_pairs", join_letter_number, "Combine Letter-Number Pairs",
         "\"Q3 2023\" becomes \"q3_2023\"."),
    FLAG("allow_leading_numbers", leading_numbers, "Allow Leading Numbers",
         "\"50th Percentile\" becomes \"50_th_percentile\"."),
    FLAG("read_empty_header_columns", empty_too, "Read Empty Header Columns",
         "Columns without a name are read as well, as column_C. Otherwise the first such column ends the "
         "row."),
    {.name = "stream_name_overrides",
     .type = FIRTH_OBJECTS,
     AT(overrides),
     .fields = override_fields,
     .item_size = sizeof(struct stream_override),
     .title = "Stream Name Overrides",
     .help = "Other names for streams than their tabs'."},
    {.name = "streams",
     .type = FIRTH_OBJECTS,
     AT(streams),
     .fields = stream_fields,
     .item_size = sizeof(struct named_stream),
     .title = "Streams",
     .help = "Tabs of any spreadsheets, each a stream."},
    {.name = "num_workers",
     .type = FIRTH_INTEGER,
     AT(num_workers),
     .preset = "2",
     .minimum = "1",
     .maximum = "10",
     .title = "Number of Concurrent Threads",
     .help = "Accepted for the sake of existing configs: Google's quota is what limits reading."},
    SHEETS_API_BASE_OPTION,
    {0},
};

/* --- what there is
 * ------------------------------------------------------------------------------------------------ */

static void put_schema(struct firth_host *host, const struct sheet_stream *stream, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_string(&writer, "$schema", "https://json-schema.org/draft-07/schema#");
    json_member_string(&writer, "type", "object");
    json_member_bool(&writer, "additionalProperties", true);
    if (firth_speaks_flow(host))
        json_member_raw(&writer, "required", SLICE_LITERAL("[\"_meta\"]"));
    json_put_key(&writer, "properties");
    json_begin_object(&writer);
    if (firth_speaks_flow(host))
        json_member_raw(
            &writer, "_meta",
            SLICE_LITERAL("{\"type\":\"object\",\"required\":[\"row_id\"],\"properties\":{\"row_id\":"
                          "{\"type\":\"integer\",\"description\":\"The row's number in the tab\"}}}"));
    for (size_t i = 0; i < stream->column_count; i++)
        json_member_raw(&writer, stream->columns[i].name, SLICE_LITERAL("{\"type\":[\"null\",\"string\"]}"));
    json_end_object(&writer);
    json_end_object(&writer);
}

static int discover(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                    struct firth_error *err)
{
    static const char *const row_id[] = {"/_meta/row_id", NULL};
    struct source_plan plan;
    struct error library_err;
    if (source_plan_make(host, config, &plan, &library_err) < 0)
        return sdk_error(err, &library_err);
    int result = 0;
    for (size_t i = 0; i < plan.count && result == 0; i++) {
        struct buffer schema;
        buffer_init(&schema, BUFFER_UNLIMITED);
        put_schema(host, &plan.streams[i], &schema);
        const struct firth_stream stream = {.name = plan.streams[i].name,
                                            .json_schema = buffer_cstr(&schema),
                                            .primary_key = firth_speaks_flow(host) ? row_id : NULL,
                                            .sync_modes = FIRTH_FULL_REFRESH,
                                            .resumable = true};
        result = firth_catalog_add(catalog, &stream, err);
        buffer_done(&schema);
    }
    source_plan_done(&plan);
    return result;
}

static int check(struct firth_host *host, const void *config, struct firth_error *err)
{
    struct source_plan plan;
    struct error library_err;
    if (source_plan_make(host, config, &plan, &library_err) < 0)
        return sdk_error(err, &library_err);
    size_t count = plan.count;
    source_plan_done(&plan);
    return count ? 0
                 : firth_fail(
                       err, FIRTH_FAILURE_CONFIG,
                       "the spreadsheet has no tab whose first row names columns, so there is nothing to "
                       "read");
}

/* --- reading
 * ------------------------------------------------------------------------------------------------------- */

enum { CELLS = 200 * 1000 }; /* of a request, at most */

struct run {
    const struct sheet_stream *stream;
    int64_t row;      /* the next, from 0; the header is 0 */
    int64_t more;     /* behind requests that were answered by no row: so many times batch_size; else 0 */
    uint64_t columns; /* a hash of the header: a state of another one is not gone on from */
};

struct session {
    struct source_plan plan;
    int64_t batch_size;
    struct run *runs;
    size_t count, current;
    struct arena arena;
};

static void close_session(void *self)
{
    struct session *session = self;
    source_plan_done(&session->plan);
    arena_done(&session->arena);
    free(session->runs);
    free(session);
}

static uint64_t hash_columns(const struct sheet_stream *stream)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < stream->column_count; i++)
        hash = hash_xxh3(stream->columns[i].name, strlen(stream->columns[i].name) + 1, hash);
    return hash >> 11; /* exact in every JSON reader */
}

static void resume(struct firth_host *host, struct run *run, struct firth_slice state)
{
    int64_t row = 0, columns = 0;
    run->row = 1;
    if (!state.size || !firth_json_integer(host, state, "/row", &row) ||
        !firth_json_integer(host, state, "/columns", &columns) || (uint64_t)columns != run->columns ||
        row < 1)
        return;
    run->row = row;
}

static int open_session(struct firth_host *host, const void *config, const struct firth_selection *selection,
                        void **ret_self, struct firth_error *err)
{
    const struct source_config *given = config;
    struct source_plan plan;
    struct error library_err;
    if (source_plan_make(host, given, &plan, &library_err) < 0)
        return sdk_error(err, &library_err);
    struct session *session = mem_zalloc(sizeof *session);
    session->plan = plan;
    session->batch_size = given->batch_size;
    session->count = selection->count;
    session->runs = mem_zalloc((selection->count + 1) * sizeof *session->runs);
    arena_init(&session->arena);
    for (size_t i = 0; i < selection->count; i++) {
        struct run *run = &session->runs[i];
        for (size_t k = 0; k < plan.count && !run->stream; k++)
            if (strcmp(plan.streams[k].name, selection->streams[i].name) == 0)
                run->stream = &session->plan.streams[k];
        if (!run->stream) { /* it went since discover */
            close_session(session);
            return firth_fail(err, FIRTH_FAILURE_CONFIG, "the tab of stream %.200s is gone",
                              selection->streams[i].name);
        }
        run->columns = hash_columns(run->stream);
        resume(host, run, selection->streams[i].state);
    }
    *ret_self = session;
    return 0;
}

static int emit_row(struct session *session, struct firth_host *host, const struct run *run,
                    const struct json *answer, uint32_t row, int64_t number)
{
    bool begun = false;
    size_t column = 0, position = 0;
    arena_clear(&session->arena);
    for (uint32_t at = json_first(answer, row); at != JSON_NONE && column < run->stream->column_count;
         at = json_next(answer, row, at), position++) {
        if (position != run->stream->columns[column].position)
            continue;
        const char *name = run->stream->columns[column++].name;
        struct slice text = json_is(answer, at, JSON_STRING) ? json_string(answer, at, &session->arena)
                                                             : json_raw(answer, at);
        if (names_is_blank(text))
            continue;
        if (!begun) {
            firth_record_begin(host, session->current);
            char meta[48];
            int size = snprintf(meta, sizeof meta, "{\"row_id\":%lld}", (long long)number + 1);
            if (firth_speaks_flow(host))
                firth_put_json(host, "_meta", (struct firth_slice){meta, (size_t)size});
        }
        begun = true;
        firth_put_text(host, name, (struct firth_slice){text.data, text.size});
    }
    return begun ? firth_record_end(host) : 0;
}

static int emit_state(struct session *session, struct firth_host *host, const struct run *run)
{
    char text[96];
    int size = snprintf(text, sizeof text, "{\"row\":%lld,\"columns\":%llu}", (long long)run->row,
                        (unsigned long long)run->columns);
    return firth_emit_state(host, session->current, (struct firth_slice){text, (size_t)size});
}

/* Rows of the next request: no more than so many cells, for the answer is held whole. A tab has a thousand
 * rows from the start: behind those that are filled each request is twice as large as the one before. */
static int64_t page_rows(const struct session *session, const struct run *run)
{
    const struct sheet_stream *stream = run->stream;
    int64_t width = (int64_t)stream->columns[stream->column_count - 1].position + 1;
    int64_t rows = CELLS / width > 0 ? CELLS / width : 1;
    int64_t batch =
        session->batch_size > CELLS || !run->more ? session->batch_size : session->batch_size * run->more;
    rows = rows < batch ? rows : batch;
    return rows < stream->rows - run->row ? rows : stream->rows - run->row;
}

static int read_page(struct session *session, struct firth_host *host, struct run *run,
                     struct firth_error *err)
{
    const struct sheet_stream *stream = run->stream;
    int64_t count = page_rows(session, run), number = run->row;
    struct buffer path;
    struct json answer;
    struct error library_err;
    buffer_init(&path, BUFFER_UNLIMITED);
    buffer_str(&path, "/values:batchGet?majorDimension=ROWS&valueRenderOption=FORMATTED_VALUE");
    sheets_ask_range(&path, stream->title, 0, number,
                     (int64_t)stream->columns[stream->column_count - 1].position, number + count - 1);
    int result = sheets_get(stream->sheets, buffer_cstr(&path), &answer, &library_err);
    buffer_done(&path);
    if (result < 0)
        return sdk_error(err, &library_err);
    uint32_t rows = json_get(&answer, json_at(&answer, json_get(&answer, 0, "valueRanges"), 0), "values");
    for (uint32_t row = json_first(&answer, rows); row != JSON_NONE; row = json_next(&answer, rows, row))
        if (emit_row(session, host, run, &answer, row, number++) < 0)
            return -1;
    bool empty = number == run->row;
    run->more = !empty ? 0 : !run->more ? 2 : run->more < CELLS ? run->more * 2 : run->more;
    run->row += count;
    return 0;
}

static int read_some(void *self, struct firth_host *host, struct firth_error *err)
{
    struct session *session = self;
    if (session->current == session->count)
        return 0;
    struct run *run = &session->runs[session->current];
    if (run->row < run->stream->rows && read_page(session, host, run, err) < 0)
        return -1;
    if (run->row < run->stream->rows)
        return emit_state(session, host, run) < 0 ? -1 : 1;
    run->row = 0; /* from the beginning, the next time */
    if (emit_state(session, host, run) < 0 || firth_emit_complete(host, session->current) < 0)
        return -1;
    return ++session->current < session->count;
}

static const char *const image_names[] = {"airbyte/source-google-sheets", NULL};

const struct firth_connector_class source_google_sheets = {
    .name = "source-google-sheets",
    .version = FIRTH_VERSION,
    .title = "Google Sheets",
    .summary = "the tabs of a spreadsheet of Google's, all values as text",
    .image_names = image_names,
    .config_size = sizeof(struct source_config),
    .options = options,
    .source = {.check = check,
               .discover = discover,
               .open = open_session,
               .read = read_some,
               .close = close_session},
};
