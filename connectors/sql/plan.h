/* A target as a table: what it is called, its columns, and where their values come from. */
#ifndef FIRTH_CONNECTORS_SQL_PLAN_H
#define FIRTH_CONNECTORS_SQL_PLAN_H

#include "dialect.h"

/* What the config says for every target. */
struct sql_settings {
    const char *schema;    /* of targets without a namespace */
    bool raw;              /* one column of JSON, as Airbyte's older destinations have it */
    bool keep_cdc_deleted; /* Airbyte: rows with _ab_cdc_deleted_at stay (soft deletion) */
    bool remove_deleted;   /* Flow: what was deleted at the source goes (hard deletion) */
};

enum sql_role {
    SQL_FIELD,
    SQL_NESTED_KEY, /* a part of the key inside an object, which has a column of its own */
    SQL_RAW_ID,
    SQL_EXTRACTED_AT,
    SQL_META,
    SQL_GENERATION,
    SQL_DATA, /* of a raw table: the record */
};

struct sql_source {
    enum sql_role role;
    size_t field;        /* SQL_FIELD: of the target */
    const char *pointer; /* SQL_NESTED_KEY */
    const char *name;    /* for messages: as the schema has it */
    bool number;         /* the schema says that it is one, whatever the column is */
    bool in_key;
};

struct sql_plan {
    const struct firth_target *target;
    const char *schema, *table;
    const char *quoted; /* both, for statements */
    struct sql_columns columns;
    struct sql_source *sources; /* one a column */
    size_t *keys;               /* columns */
    size_t key_count;
    long cursor, deleted, generation, document; /* columns, or -1 */
};

/* NULL-terminated, growing. */
struct sql_names {
    const char **items;
    size_t count, capacity;
};
void sql_names_init(struct sql_names *names);
void sql_names_add(struct sql_names *names, const char *name);
void sql_names_done(struct sql_names *names);

/* Plan the target's table. `taken`: the tables ("schema.table") that other targets have; this one's is added.
 * Types are what the schema asks for; what is there already is merged in by sql_table_ensure. */
int sql_plan_make(struct sql_plan *ret_plan, const struct sql_dialect *dialect, struct sql_db *db,
                  const struct sql_settings *settings, const struct firth_target *target,
                  struct sql_names *taken, struct arena *arena, struct error *err);

/* Does the column hold numbers as text, all or some? */
bool sql_plan_texts_numbers(const struct sql_dialect *dialect, const struct sql_plan *plan, size_t column);
/* sql_value for a column; a key's number is written in its one way where it is text, so that equal numbers
 * are one key however the source wrote them. */
enum sql_verdict sql_plan_value(const struct sql_dialect *dialect, const struct sql_plan *plan, size_t column,
                                enum firth_type kind, struct firth_slice value, struct arena *arena,
                                struct sql_cell *ret_cell);

/* Is one row kept for each key? */
bool sql_plan_dedups(const struct sql_plan *plan);
bool sql_plan_overwrites(const struct sql_plan *plan);

/* --- tables.c: what there is -------------------------------------------------------------------------- */

/* dialect->lock_table, where there is one. */
int sql_table_lock(const struct sql_dialect *dialect, struct sql_db *db, const char *quoted,
                   enum sql_lock lock, struct error *err);

/* What was done, for people; may be NULL. */
typedef void sql_did_fn(void *context, const char *what);

/* Make the table, or bring the one that is there to the plan: columns are added and widened; the plan's types
 * become what the table has. Within the caller's transaction. */
int sql_table_ensure(const struct sql_dialect *dialect, struct sql_db *db, struct sql_plan *plan,
                     sql_did_fn *did, void *context, struct arena *arena, struct error *err);
int sql_schema_ensure(const struct sql_dialect *dialect, struct sql_db *db, const char *schema,
                      struct error *err);
/* A table with the plan's columns under another name, `quoted`; `keyed`: with an index on the key. */
int sql_table_create(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     const char *quoted, bool keyed, struct error *err);
/* Widen one column, of the table and of the plan. */
int sql_table_widen(const struct sql_dialect *dialect, struct sql_db *db, struct sql_plan *plan,
                    const char *quoted, size_t column, enum sql_type type, struct error *err);
/* The type that the dialect has and that holds values of both; SQL_OTHER: none. */
enum sql_type sql_table_join(const struct sql_dialect *dialect, enum sql_type a, enum sql_type b);
/* The next wider type for a value that was too large; SQL_OTHER: none. */
enum sql_type sql_table_wider(const struct sql_dialect *dialect, enum sql_type type);
/* `stage` becomes the plan's table; what was that goes. `stage_name` is the unquoted one. */
int sql_table_swap(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                   const char *stage, struct error *err);
int sql_table_drop(const struct sql_dialect *dialect, struct sql_db *db, const char *quoted,
                   struct error *err);
/* Columns' names, each behind `prefix`, with ", " between. */
void sql_put_columns(struct buffer *out, const struct sql_plan *plan, const char *prefix);

/* --- merge.c: batches ---------------------------------------------------------------------------------- */

/* A batch is a temporary table with the plan's columns, then these two. */
#define SQL_BATCH_ROW "_firth_row"             /* counts up */
#define SQL_BATCH_OPERATION "_firth_operation" /* enum sql_operation */
enum sql_operation { SQL_MERGE, SQL_PUT_NEW, SQL_REMOVE };

int sql_batch_create(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     const char *batch, struct error *err);
/* The batch's rows take the place of those of their keys in the table `into`, and the batch is emptied.
 * `ranked`: a key may be there several times, and older rows may come late: of the batch's the one with the
 * highest cursor counts, of equals the last; a row of the table with a higher cursor stays. */
int sql_batch_merge(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                    const char *batch, const char *into, bool ranked, bool remove_cdc_deleted,
                    struct error *err);
/* Numbers in the keys of the plan's table that are texts not written in their one way (earlier versions made
 * "1.0" of 1 when it widened a column) are written so. Where a key is there in both ways the row with the
 * higher cursor stays, of equals the one that is written right, which came later. */
int sql_keys_respell(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     struct error *err);
/* " AND "-joined equality of the key's columns of two aliases. */
void sql_put_key_match(struct buffer *out, const struct sql_plan *plan, const char *a, const char *b);

/* --- distinct.c: keys that are two in the collection and one in the table ----------------------------------
 */

/* Can that be, by the types of the key's columns? */
bool sql_keys_may_meet(const struct sql_plan *plan);
/* ERROR_INVALID, with both keys, if rows of the batch are of one key in the table and of two in their
 * documents. */
int sql_keys_refuse_meeting(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                            const char *batch, const char *into, struct error *err);
/* A key as the runtime has it, part by part: "[1,\"a\"" (the bracket at the end is the caller's). */
void sql_key_text_add(struct buffer *out, enum firth_type kind, struct firth_slice value);
/* Is the document that was found by such a key of that key? */
int sql_key_is_of(const struct sql_plan *plan, struct slice key, struct slice document, bool *ret_is,
                  struct error *err);

#endif
