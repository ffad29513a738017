/* The Sheets API v4: one spreadsheet, requests paced by its quotas, tried again where that may help.
 *
 * Every request is one that may take effect twice without harm: an answer that is lost is asked for again. */
#ifndef FIRTH_CONNECTORS_GOOGLE_SHEETS_API_H
#define FIRTH_CONNECTORS_GOOGLE_SHEETS_API_H

#include "connectors/http/http.h"
#include "firth/connector.h"
#include "json/json.h"
#include "json/writer.h"

#define SHEETS_API_BASE "https://sheets.googleapis.com"
#define SHEETS_TOKEN_URL "https://oauth2.googleapis.com/token"

enum {
    SHEETS_CELLS_MAX = 10 * 1000 * 1000, /* of a spreadsheet */
    SHEETS_COLUMNS_MAX = 18278,          /* of a tab: ZZZ */
    SHEETS_CELL_MAX = 50 * 1000,         /* UTF-16 units of a cell */
    SHEETS_TITLE_MAX = 100,              /* of a tab's name */
    SHEETS_REQUEST_BYTES = 2 << 20,      /* about so much a request */
    SHEETS_QUERY_BYTES = 6000,           /* and a URL: much longer ones are refused; a range is up to 1 KB */
    /* Of reads, and of writes: 60 a minute and user are allowed, so at once and then per minute: */
    SHEETS_AT_ONCE = 20,
    SHEETS_PER_MINUTE = 40,
    SHEETS_RESPONSE_MAX = 512 << 20,
    SHEETS_ID_MIN = 20, /* letters of a spreadsheet's id */
};

enum sheets_auth { SHEETS_AUTH_OAUTH, SHEETS_AUTH_SERVICE };

struct sheets_config {
    const char *spreadsheet_id; /* or its URL */
    int auth;                   /* enum sheets_auth */
    const char *client_id, *client_secret, *refresh_token;
    const char *service_account_info;
    const char *api_base; /* NULL: SHEETS_API_BASE */
};

struct sheets;

/* No request is made. `scope`: what a service account asks for. */
struct sheets *sheets_open(struct firth_host *host, const struct sheets_config *config, const char *scope,
                           struct error *err);
void sheets_close(struct sheets *sheets);
MEM_DEFINE_CLEANUP(struct sheets *, sheets_close);
const char *sheets_id(const struct sheets *sheets);

/* *ret_answer lives until the next request. `path` follows "/v4/spreadsheets/<id>": "", "/values/…", with its
 * query. Errors are told apart: ERROR_NOT_FOUND (no such spreadsheet), ERROR_INVALID (refused: no permission,
 * no such range, 400), others. */
int sheets_get(struct sheets *sheets, const char *path, struct json *ret_answer, struct error *err);
/* `writes`: it counts among the writes, not the reads. */
int sheets_post(struct sheets *sheets, const char *path, struct slice body, bool writes,
                struct json *ret_answer, struct error *err);

/* --- what is in it ------------------------------------------------------------------------------------- */

struct sheets_tab {
    int64_t id;
    const char *title;
    int64_t rows, columns; /* of the grid, empty ones included */
    bool is_grid;
};

struct sheets_tabs {
    struct sheets_tab *items;
    size_t count;
    const char *title; /* the spreadsheet's */
};

int sheets_read_tabs(struct sheets *sheets, struct arena *arena, struct sheets_tabs *ret_tabs,
                     struct error *err);
/* The API takes no two that differ in case alone, of any alphabet. */
bool sheets_is_same_title(const char *a, const char *b);
/* By the name, in whatever case. NULL: none. */
const struct sheets_tab *sheets_find_tab(const struct sheets_tabs *tabs, const char *title);

/* --- places --------------------------------------------------------------------------------------------- */

/* Columns and rows are counted from 0 here, and named from A and 1. */
void sheets_put_column(struct buffer *out, int64_t column);
/* "'it''s'!B3:D7", both ends included; a column or row of -1 is left out of the last place: "'x'!A2:C". */
void sheets_put_range(struct buffer *out, const char *title, int64_t first_column, int64_t first_row,
                      int64_t last_column, int64_t last_row);
/* The same as one of the ranges that a GET asks for: "&ranges=…". */
void sheets_ask_range(struct buffer *path, const char *title, int64_t first_column, int64_t first_row,
                      int64_t last_column, int64_t last_row);
/* The row of the first place of a range in an answer; -1: none. */
int64_t sheets_row_of(const char *range);

#endif
