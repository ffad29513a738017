/* destination-google-sheets: a tab of a spreadsheet for each stream. */
#include "bridge.h"
#include "connectors/google-sheets/options.h"
#include "connectors/registry.h"
#include "session.h"

#include <stdlib.h>

#define SCOPE "https://www.googleapis.com/auth/spreadsheets"

struct destination_config {
    struct sheets_config sheets; /* the first: sheets_oauth_choices */
    int value_input;
};

enum { VALUE_RAW, VALUE_USER_ENTERED };

static const char *const value_inputs[] = {"RAW", "USER_ENTERED", NULL};

static const struct firth_option options[] = {
    {.name = "spreadsheet_id",
     .type = FIRTH_STRING,
     .offset = offsetof(struct destination_config, sheets.spreadsheet_id),
     .required = true,
     .title = "Spreadsheet Link",
     .example = "https://docs.google.com/spreadsheets/d/1hLd9Qqti3UyLXZB2aFfUWDT7BG-arw2xy4HR3D-dwUb/edit",
     .help = "The spreadsheet's URL, or its id."},
    {.name = "credentials",
     .type = FIRTH_CHOICE,
     .offset = offsetof(struct destination_config, sheets.auth),
     .required = true,
     .tag = "auth_type",
     .choices = sheets_oauth_choices,
     .title = "Authentication",
     .help = "How Google is told who writes."},
    {.name = "value_input",
     .type = FIRTH_ENUM,
     .offset = offsetof(struct destination_config, value_input),
     .preset = "RAW",
     .values = value_inputs,
     .title = "Value Input",
     .help =
         "RAW: texts stay texts, whatever they look like. USER_ENTERED: values are taken as if somebody had "
         "typed them: dates, numbers, and formulas, which the data can thereby bring in."},
    SHEETS_API_BASE_OPTION,
    {0},
};

/* --- sessions
 * --------------------------------------------------------------------------------------------------- */

static void session_free(struct session *session)
{
    if (!session)
        return;
    for (size_t i = 0; i < session->count; i++) {
        struct tab *tab = &session->tabs[i];
        struct map_entry *entry;
        for (size_t at = 0; (entry = map_next(&tab->known, &at));) {
            free(((struct known_key *)entry->value)->cursor);
            free(entry->value);
        }
        map_done(&tab->known);
        for (size_t k = 0; k < tab->pending_count; k++)
            free(tab->pending[k].cells);
        free(tab->pending);
        free(tab->free_rows);
        free(tab->wanted);
        sheets_unlock(tab);
    }
    sheets_close(session->sheets);
    buffer_done(&session->body);
    buffer_done(&session->key);
    buffer_done(&session->cell);
    arena_done(&session->arena);
    free(session);
}
MEM_DEFINE_CLEANUP(struct session *, session_free);

static struct session *session_new(struct firth_host *host, const struct destination_config *config,
                                   const struct firth_target *targets, size_t count, struct error *err)
{
    struct session *session = mem_zalloc(sizeof *session);
    session->host = host;
    session->settings.user_entered = config->value_input == VALUE_USER_ENTERED;
    arena_init(&session->arena);
    buffer_init(&session->body, BUFFER_UNLIMITED);
    buffer_init(&session->key, BUFFER_UNLIMITED);
    buffer_init(&session->cell, BUFFER_UNLIMITED);
    session->tabs = arena_zalloc(&session->arena, (count + 1) * sizeof *session->tabs);
    session->sheets = sheets_open(host, &config->sheets, SCOPE, err);
    if (!session->sheets) {
        session_free(session);
        return NULL;
    }
    const char **titles = sheets_titles(targets, count, &session->arena);
    for (size_t i = 0; i < count; i++) {
        struct tab *tab = &session->tabs[session->count++];
        tab->target = &targets[i];
        tab->title = titles[i];
        tab->lock = -1;
        map_init(&tab->known);
    }
    return session;
}

/* --- the class
 * ---------------------------------------------------------------------------------------------------- */

/* May it write: a tab is made and removed in one request, so that nobody sees it. */
static int probe(struct sheets *sheets, struct error *err)
{
    struct arena arena;
    struct sheets_tabs tabs;
    struct json answer;
    uint32_t bits;
    arena_init(&arena);
    int result = sheets_read_tabs(sheets, &arena, &tabs, err);
    arena_done(&arena);
    if (result < 0)
        return -1;
    random_bytes(&bits, sizeof bits);
    long id = (long)(bits & 0x7fffffff) | 1;
    auto_free char *body = mem_printf(
        "{\"requests\":[{\"addSheet\":{\"properties\":{\"sheetId\":%ld,\"title\":\"_firth_check_%ld\","
        "\"hidden\":true,\"gridProperties\":{\"rowCount\":1,\"columnCount\":1}}}},"
        "{\"deleteSheet\":{\"sheetId\":%ld}}]}",
        id, id, id);
    return sheets_post(sheets, ":batchUpdate", slice_of(body), true, &answer, err);
}

static int check(struct firth_host *host, const void *config, struct firth_error *err)
{
    const struct destination_config *given = config;
    struct error library_err;
    mem_auto(sheets_close) struct sheets *sheets = sheets_open(host, &given->sheets, SCOPE, &library_err);
    return !sheets || probe(sheets, &library_err) < 0 ? sdk_error(err, &library_err) : 0;
}

/* Everything that a tab holds goes, its header too. */
static int empty_tabs(struct session *session, struct error *err)
{
    struct sheets_tabs tabs;
    struct json answer;
    struct buffer body;
    bool any = false;
    if (sheets_read_tabs(session->sheets, &session->arena, &tabs, err) < 0)
        return -1;
    buffer_init(&body, BUFFER_UNLIMITED);
    buffer_str(&body, "{\"requests\":[");
    for (size_t i = 0; i < session->count; i++) {
        const struct sheets_tab *tab = sheets_find_tab(&tabs, session->tabs[i].title);
        if (!tab || !session->tabs[i].target->anew)
            continue;
        buffer_printf(&body,
                      "%s{\"updateCells\":{\"range\":{\"sheetId\":%lld},\"fields\":\"userEnteredValue\"}}",
                      any ? "," : "", (long long)tab->id);
        any = true;
        firth_did(session->host, "emptied tab %s", tab->title);
    }
    buffer_str(&body, "]}");
    int result = any ? sheets_post(session->sheets, ":batchUpdate", (struct slice){body.data, body.size},
                                   true, &answer, err)
                     : 0;
    buffer_done(&body);
    return result;
}

/* In a connection, open does it. */
static int apply(struct firth_host *host, const void *config, const struct firth_target *targets,
                 size_t count, struct firth_error *err)
{
    struct error library_err;
    bool anew = false;
    if (!count || !targets[0].live)
        return 0;
    for (size_t i = 0; i < count; i++)
        anew = anew || targets[i].anew;
    mem_auto(session_free) struct session *session = session_new(host, config, targets, count, &library_err);
    if (!session || (anew && empty_tabs(session, &library_err) < 0) ||
        sheets_prepare(session, true, &library_err) < 0)
        return sdk_error(err, &library_err);
    return 0;
}

static int open_session(struct firth_host *host, const void *config, struct firth_target *targets,
                        size_t count, void **ret_self, struct firth_error *err)
{
    struct error library_err;
    struct session *session = session_new(host, config, targets, count, &library_err);
    if (!session)
        return sdk_error(err, &library_err);
    for (size_t i = 0; i < count; i++) {
        if (sheets_lock(session, &session->tabs[i], &library_err) < 0) {
            session_free(session);
            return sdk_error(err, &library_err);
        }
        if (!(targets[i].sync_mode & (FIRTH_OVERWRITE | FIRTH_OVERWRITE_DEDUP)))
            continue;
        session->tabs[i].stage = sheets_stage_title(session->tabs[i].title, &session->arena);
        targets[i].states_at_end = true;
    }
    if (sheets_prepare(session, false, &library_err) < 0) {
        session_free(session);
        return sdk_error(err, &library_err);
    }
    *ret_self = session;
    return 0;
}

static int load(void *self, struct firth_host *host, size_t target, const struct firth_record *key,
                struct firth_error *err)
{
    struct session *session = self;
    struct error library_err;
    (void)host;
    return sheets_load(session, &session->tabs[target], key, &library_err) < 0 ? sdk_error(err, &library_err)
                                                                               : 0;
}

static int flush(void *self, struct firth_host *host, struct firth_error *err)
{
    struct error library_err;
    (void)host;
    return sheets_load_wanted(self, &library_err) < 0 ? sdk_error(err, &library_err) : 0;
}

static int store(void *self, struct firth_host *host, size_t stream, const struct firth_record *record,
                 struct firth_error *err)
{
    struct session *session = self;
    struct error library_err;
    (void)host;
    return sheets_store(session, &session->tabs[stream], record, &library_err) < 0
               ? sdk_error(err, &library_err)
               : 0;
}

static int commit(void *self, struct firth_host *host, const struct firth_commit *asked,
                  struct firth_error *err)
{
    struct error library_err;
    (void)host, (void)asked;
    return sheets_flush(self, &library_err) < 0 ? sdk_error(err, &library_err) : 0;
}

static int finish(void *self, struct firth_host *host, size_t stream, bool complete, struct firth_error *err)
{
    struct session *session = self;
    struct error library_err;
    (void)host;
    return sheets_finish(session, &session->tabs[stream], complete, &library_err) < 0
               ? sdk_error(err, &library_err)
               : 0;
}

static void close_session(void *self)
{
    session_free(self);
}

static const char *const image_names[] = {"airbyte/destination-google-sheets", NULL};

const struct firth_connector_class destination_google_sheets = {
    .name = "destination-google-sheets",
    .version = FIRTH_VERSION,
    .title = "Google Sheets",
    .summary = "a tab for each stream in a spreadsheet of Google's",
    .image_names = image_names,
    .config_size = sizeof(struct destination_config),
    .options = options,
    .destination = {.sync_modes = FIRTH_APPEND | FIRTH_OVERWRITE | FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP,
                    .check = check,
                    .apply = apply,
                    .open = open_session,
                    .load = load,
                    .flush = flush,
                    .store = store,
                    .commit = commit,
                    .finish = finish,
                    .close = close_session},
};
