/* Statements with their values, and lists by filter and page. Private to src/control. */
#ifndef FIRTH_CONTROL_SQLITE_QUERY_H
#define FIRTH_CONTROL_SQLITE_QUERY_H

#include "control/page.h"
#include "control/sqlite/database.h"

/* One value of a statement. What it points to lives as long as the statement. */
struct query_value {
    enum { QUERY_NULL, QUERY_NUMBER, QUERY_TEXT, QUERY_BLOB } kind;
    int64_t number;
    struct slice bytes;
};

static inline struct query_value query_number(int64_t number)
{
    return (struct query_value){.kind = QUERY_NUMBER, .number = number};
}
/* NULL: null. */
static inline struct query_value query_text(const char *text)
{
    return text ? (struct query_value){.kind = QUERY_TEXT, .bytes = slice_of(text)}
                : (struct query_value){.kind = QUERY_NULL};
}
/* Of size 0: null. */
static inline struct query_value query_json(struct slice json)
{
    return (struct query_value){.kind = json.size ? QUERY_TEXT : QUERY_NULL, .bytes = json};
}
static inline struct query_value query_blob(struct slice bytes)
{
    return (struct query_value){.kind = QUERY_BLOB, .bytes = bytes};
}

/* Prepare, with its values in the order of the question marks; NULL with *err. */
sqlite3_stmt *query_prepare(struct control *control, const char *sql, const struct query_value *values,
                            size_t count, struct error *err);
/* Prepare and do it. */
int query_run(struct control *control, const char *sql, const struct query_value *values, size_t count,
              struct error *err);
/* One number, or `otherwise` where there is no row. */
int query_get(struct control *control, const char *sql, const struct query_value *values, size_t count,
              int64_t otherwise, int64_t *ret_number, struct error *err);

/* Values in braces: QUERY_RUN(control, err, "DELETE FROM t WHERE id = ?", query_text(id)). */
#define QUERY_VALUES(...)                      \
    (const struct query_value[]){__VA_ARGS__}, \
        sizeof((const struct query_value[]){__VA_ARGS__}) / sizeof(struct query_value)
#define QUERY_RUN(control, err, sql, ...) query_run(control, sql, QUERY_VALUES(__VA_ARGS__), err)
#define QUERY_GET(control, err, otherwise, ret_number, sql, ...) \
    query_get(control, sql, QUERY_VALUES(__VA_ARGS__), otherwise, ret_number, err)

/* JSON in the arena; size 0 for null. */
struct slice query_slice(sqlite3_stmt *row, int column, struct arena *arena);
/* Sealed bytes (secret.h) as they were, in the arena; size 0 for null. `max`: no more were ever sealed.
 * ERROR_INVALID of a handle that has no key. */
int query_unseal(struct control *control, sqlite3_stmt *row, int column, size_t max, struct arena *arena,
                 struct slice *ret_plain, struct error *err);
/* What is sealed needs the key. */
int query_check_keyed(const struct control *control, struct error *err);

/* --- conditions ---------------------------------------------------------------------------------- */

/* "WHERE …", added to bit by bit. */
struct query_where {
    struct buffer sql;
    struct query_value *values;
    size_t count, capacity;
};
void query_where_init(struct query_where *where);
void query_where_done(struct query_where *where);
/* AND the condition, which has one question mark. */
void query_and(struct query_where *where, const char *condition, struct query_value value);
/* AND a condition without any. */
void query_and_plain(struct query_where *where, const char *condition);
/* AND `column` is one of these; none: no condition. */
void query_and_any(struct query_where *where, const char *column, const char *const *texts, size_t count);
/* Some row of `from` has one of these texts as its column; no texts: nothing. */
void query_and_any_of(struct query_where *where, const char *from, const char *column,
                      const char *const *texts, size_t count);
/* AND `column` is a number whose bit is set; 0: no condition. */
void query_and_bits(struct query_where *where, const char *column, unsigned bits);

/* --- lists --------------------------------------------------------------------------------------- */

/* One row to one item. */
typedef int query_read(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                       struct error *err);

struct query_table {
    const char *columns, *from; /* "id, name", "workspaces w" */
    const char *counted; /* what of `from` is enough to count rows, where a join adds none; NULL: all */
    size_t item_size;
    query_read *read;
    const char *what; /* "workspace": for "there is no workspace …" */
};

/* The page's rows, and how many there are without the page (ret_total may be NULL). */
int query_list(struct control *control, const struct query_table *table, const struct query_where *where,
               const char *order, const struct control_page *page, struct arena *arena, void *ret_items,
               size_t *ret_count, uint64_t *ret_total, struct error *err);
/* The one row that `condition` (with one question mark) tells; ERROR_NOT_FOUND names `shown`. */
int query_find(struct control *control, const struct query_table *table, const char *condition,
               struct query_value value, const char *shown, struct arena *arena, void *ret_item,
               struct error *err);

/* --- checks of what is put ----------------------------------------------------------------------- */

/* ERROR_INVALID for an empty name or one that is too long; `what`: "a workspace's name". */
int query_check_name(const char *what, const char *name, struct error *err);
/* ERROR_LIMIT past `max`. */
int query_check_size(const char *what, struct slice value, size_t max, struct error *err);

#endif
