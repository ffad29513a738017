/* A session: each target is a tab, each record a row, written where it is known to go. */
#ifndef FIRTH_CONNECTORS_DESTINATION_GOOGLE_SHEETS_SESSION_H
#define FIRTH_CONNECTORS_DESTINATION_GOOGLE_SHEETS_SESSION_H

#include "base/map.h"
#include "connectors/google-sheets/api.h"

struct sheets_settings {
    bool user_entered; /* values are parsed as if they were typed, formulas too */
};

/* A row that waits to be written. */
struct pending_row {
    int64_t row;
    char *cells; /* JSON: ["a",1,…] */
    size_t size;
};

/* What is known of a key. */
struct known_key {
    int64_t row;
    size_t pending; /* its place among the pending rows, + 1; 0: it is written */
    char *cursor;   /* JSON, of the row; NULL: the target has none */
};

/* Where a target is written. Rows and columns are counted from 0; row 0 is the header. */
struct tab {
    const struct firth_target *target;
    const char *title;     /* the stream's */
    const char *stage;     /* the name of the tab that takes its place at the end; NULL: none */
    int lock;              /* -1: none */
    int64_t id;            /* of the one that is written: the stage, if there is one */
    int64_t rows, columns; /* of its grid */
    const char **header;
    size_t header_count;
    size_t *column_of; /* a field's column */
    int64_t next;      /* the first row that is free below all others */
    struct pending_row *pending;
    size_t pending_count, pending_capacity;
    bool *said_cut; /* of each field: that values were cut */
    /* One row a key: */
    bool keyed;
    size_t *keys; /* fields */
    size_t key_count;
    long cursor; /* field; -1: none */
    long document;
    struct map known;                               /* of struct known_key */
    int64_t *free_rows;                             /* blank since what was there was deleted */
    size_t free_count, free_capacity, free_written; /* the first free_written are blank in the sheet, too */
    int64_t *wanted;                                /* rows to load */
    size_t wanted_count, wanted_capacity;
};

struct session {
    struct firth_host *host;
    struct sheets *sheets;
    struct sheets_settings settings;
    struct arena arena;
    struct tab *tabs;
    size_t count;
    int64_t cells; /* of the spreadsheet */
    size_t pending_bytes;
    struct buffer body, key, cell;
};

/* The place of what is written: the stage or the tab itself. */
static inline const char *tab_place(const struct tab *tab)
{
    return tab->stage ? tab->stage : tab->title;
}

/* --- titles.c: a tab's name for each target, the same whatever their order */
const char **sheets_titles(const struct firth_target *targets, size_t count, struct arena *arena);
const char *sheets_stage_title(const char *title, struct arena *arena);

/* --- lock.c: nobody else on this machine writes to the tab */
int sheets_lock(struct session *session, struct tab *tab, struct error *err);
void sheets_unlock(struct tab *tab);

/* --- prepare.c: tabs and headers as they have to be */
int sheets_prepare(struct session *session, bool tell, struct error *err);

/* --- cells.c: a value as JSON that Sheets keeps */
enum { CELL_KEY = 1, CELL_DOCUMENT = 2, CELL_DIGITS = 4 };
/* Append the cell of a field. *ret_cut: characters that a text had that does not fit, 0: it fits. */
int sheets_put_cell(const struct sheets_settings *settings, struct firth_host *host,
                    const struct firth_record *record, size_t field, unsigned how, struct buffer *out,
                    size_t *ret_cut, struct error *err);
/* The same of a cell that was read: so that equal values are equal texts. */
void sheets_put_read_cell(const struct json *doc, uint32_t at, struct arena *arena, struct buffer *out);
/* The order of cursors: of cells as JSON. */
int sheets_compare_cells(const char *a, const char *b);

/* --- index.c: rows by their keys */
/* `there`: of each tab, whether it was there before. As few requests as may be, for they are counted. */
int sheets_find_ends(struct session *session, const bool *there, struct error *err);
int sheets_read_keys(struct session *session, const bool *there, struct error *err);
struct known_key *sheets_know(struct tab *tab, struct slice key, int64_t row, const char *cursor);
void sheets_forget(struct tab *tab, struct slice key);
/* The record's key in session->key; false: a part of it is null, so that it equals no other. */
int sheets_key_of(struct session *session, const struct tab *tab, const struct firth_record *record,
                  bool *ret_has_key, struct error *err);

/* --- store.c */
int sheets_store(struct session *session, struct tab *tab, const struct firth_record *record,
                 struct error *err);
int sheets_load(struct session *session, struct tab *tab, const struct firth_record *key, struct error *err);
int sheets_load_wanted(struct session *session, struct error *err);

/* --- write.c */
int sheets_flush(struct session *session, struct error *err);
/* May the spreadsheet have so many more cells? */
int sheets_allow_cells(const struct session *session, const char *title, int64_t more, struct error *err);

/* --- swap.c: the stage takes the tab's place, or goes */
int sheets_finish(struct session *session, struct tab *tab, bool complete, struct error *err);

#endif
