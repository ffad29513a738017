/* What differs between the databases: how they are reached, called and filled. All else is in this folder's
 * other files, which know of no database. */
#ifndef FIRTH_CONNECTORS_SQL_DIALECT_H
#define FIRTH_CONNECTORS_SQL_DIALECT_H

#include "types.h"

struct sql_db;   /* a connection; each dialect has its own */
struct sql_load; /* a table that rows are being added to; each dialect has its own */

struct sql_column {
    const char *name;
    enum sql_type type;
    bool limited; /* of a table that is there: it has a length or a precision, which not every value keeps to
                   */
};

struct sql_columns {
    struct sql_column *items;
    size_t count;
};

/* What a table is wanted for until the transaction ends: its rows are to be added and deleted; it is to be
 * indexed; it is to be changed or dropped. */
enum sql_lock { SQL_LOCK_ROWS, SQL_LOCK_INDEX, SQL_LOCK_ALONE };

/* One row of an answer: data NULL is a null. Below 0: stop, *err is set. */
typedef int sql_row_fn(void *context, const struct slice *values, size_t count, struct error *err);

struct sql_dialect {
    const char *title;                      /* in messages: "SQLite" */
    const char *type_names[SQL_TYPE_COUNT]; /* NULL: it has no such type */
    const char *text_alias;                 /* SQL_TEXT's name in tables of other connectors; NULL: none */
    const char *const *reserved;            /* names that no column may have; ends with NULL */
    const char *reserved_prefix;            /* of tables; NULL: none */
    size_t name_max;                        /* bytes of a name; 0: any */
    bool folds_case;                        /* names that differ in (ASCII) case alone are one */
    bool has_schemas;
    bool has_limits;            /* types have lengths and precisions, which are kept to: "numeric(38,9)" */
    bool deletes_using;         /* DELETE FROM t USING b; otherwise by row_id */
    bool indexes_keys;          /* an index on the key makes merging and loading fast */
    bool keeps_integers;        /* SQL_NUMBER holds every integer exactly */
    bool mixes_numbers;         /* SQL_NUMBER's column holds as text what is none of its own numbers */
    const char *row_id;         /* the hidden column */
    const char *raw_id_storage; /* how the column of random ids is best kept; NULL: as any */
    const char *begin;          /* a transaction that writes */
    const char *ddl_lock; /* the first of one that makes tables: two at once do not meet; NULL: not needed */
    const char *clear;    /* empties the table named behind it: "TRUNCATE " */
    const char *analyze;  /* a temporary table, before it is joined; NULL: not needed */

    void (*close)(struct sql_db *db);
    /* *ret_changed may be NULL. */
    int (*execute)(struct sql_db *db, const char *sql, uint64_t *ret_changed, struct error *err);
    int (*query)(struct sql_db *db, const char *sql, sql_row_fn *row, void *context, struct error *err);
    /* The names of the tables in a schema. */
    int (*tables)(struct sql_db *db, const char *schema, sql_row_fn *row, void *context, struct error *err);
    /* Put the query for the names and types of one table's columns, in their order. */
    void (*put_columns_query)(struct buffer *out, const char *schema, const char *table);
    /* Until the connection ends no other session writes this table. ERROR_BUSY if one does. */
    int (*lock)(struct sql_db *db, const char *schema, const char *table, struct error *err);
    /* Wait, within a transaction, until the table (quoted) can be had for that; others may have it locked. It
     * need not be there. NULL: statements wait by themselves, and not for long. */
    int (*lock_table)(struct sql_db *db, const char *table, enum sql_lock lock, struct error *err);
    /* Change a column's type to one that sql_type_join gave; `table` is quoted, `all` its columns. */
    int (*alter_type)(struct sql_db *db, const char *table, const struct sql_columns *all, size_t column,
                      enum sql_type type, struct error *err);
    /* Can a cell of this type be held? It may change the cell's text. */
    enum sql_verdict (*fits)(enum sql_type type, struct sql_cell *cell, struct arena *arena);
    /* Of columns that hold numbers as text, all or some: put an expression whose order is that of the
     * numbers; one for the number written in its one way; a condition that it is not. `column` is quoted.
     * NULL: the text is compared as it is. */
    void (*put_number_order)(struct buffer *out, const char *column);
    void (*put_number)(struct buffer *out, const char *column, enum sql_type type);
    void (*put_misspelt)(struct buffer *out, const char *column, enum sql_type type);
    /* Between transactions: let go of what keeps others out. The next statement takes it again; temporary
     * tables are gone. NULL: nobody is kept out. */
    void (*release)(struct sql_db *db);
    /* The error is a table's that others depend on (a view). NULL: that does not happen. */
    bool (*has_dependents)(const struct sql_db *db);

    /* Add rows to a table (quoted) that has these columns; the transaction is the caller's. Rows may wait in
     * memory until flush. What was not flushed is dropped by close. */
    struct sql_load *(*load_open)(struct sql_db *db, const char *table, const struct sql_column *columns,
                                  size_t count, struct error *err);
    int (*load_row)(struct sql_load *load, const struct sql_cell *cells, struct error *err);
    int (*load_flush)(struct sql_load *load, struct error *err);
    void (*load_close)(struct sql_load *load);
};

/* --- columns.c ---------------------------------------------------------------------------------------- */

/* One table's columns in their order; none if it is not there. A type that is none of the dialect's own names
 * is SQL_OTHER, and so left alone. */
int sql_columns_read(const struct sql_dialect *dialect, struct sql_db *db, const char *schema,
                     const char *table, struct arena *arena, struct sql_columns *ret_columns,
                     struct error *err);

/* --- names.c ------------------------------------------------------------------------------------------ */

/* A name in double quotes; a text in single ones. */
void sql_put_name(struct buffer *out, const char *name);
void sql_put_text(struct buffer *out, struct slice text);
/* "schema"."table", or "table" where there are no schemas. In the arena. */
const char *sql_quoted_table(const struct sql_dialect *dialect, const char *schema, const char *table,
                             struct arena *arena);

/* The name in the database for what is called `wanted`, told apart from all others by `identity` (which is
 * often the same). The same name comes out as long as the database keeps it:
 *
 *   - as it is, if the database can hold it and nothing else is called so;
 *   - otherwise cut, with "_" and eight digits of the identity's hash behind it: where it is too long, is
 *     reserved, or would be another's name but for its case.
 *
 * `existing`: the names that are there (tables of a schema, columns of a table); `taken`: those given out so
 * far. NULL-terminated both. In the arena. */
const char *sql_name_choose(const struct sql_dialect *dialect, bool of_table, const char *wanted,
                            const char *identity, const char *const *existing, const char *const *taken,
                            struct arena *arena);

#endif
