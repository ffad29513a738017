#include "control/catalogs.h"

#include "control/sqlite/query.h"

static int read_catalog(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                        struct error *err)
{
    (void)control, (void)err;
    *(struct control_catalog *)ret_item =
        (struct control_catalog){.id = database_text(row, 0, arena),
                                 .source = database_text(row, 1, arena),
                                 .of = (uint64_t)sqlite3_column_int64(row, 2),
                                 .created_ms = sqlite3_column_int64(row, 3),
                                 .confirmed_ms = sqlite3_column_int64(row, 4),
                                 .catalog = query_slice(row, 5, arena)};
    return 0;
}

static const struct query_table table = {.columns = "id, source, asked, created_ms, confirmed_ms, catalog",
                                         .from = "catalogs",
                                         .item_size = sizeof(struct control_catalog),
                                         .read = read_catalog,
                                         .what = "discovered catalog"};

#define NEWEST "source = ?1 AND number = (SELECT max(number) FROM catalogs WHERE source = ?1)"

static int insert(struct control *control, const struct control_catalog *catalog, struct error *err)
{
    if (QUERY_RUN(
            control, err,
            "INSERT INTO catalogs (id, source, asked, created_ms, confirmed_ms, number, catalog) SELECT ?1, "
            "?2, ?3, ?4, ?4, 1 + coalesce(max(number), 0), ?5 FROM catalogs WHERE source = ?2",
            query_text(catalog->id), query_text(catalog->source), query_number((int64_t)catalog->of),
            query_number(catalog->created_ms), query_json(catalog->catalog)) < 0)
        return -1;
    return QUERY_RUN(control, err,
                     "DELETE FROM catalogs WHERE source = ?1 AND number <= (SELECT max(number) FROM catalogs "
                     "WHERE source = ?1) - ?2 AND id NOT IN (SELECT source_catalog FROM connections WHERE "
                     "source = ?1 AND source_catalog IS NOT NULL)",
                     query_text(catalog->source), query_number(CONTROL_CATALOGS_KEPT));
}

static int put(struct control *control, const struct control_catalog *catalog, char ret_id[CONTROL_UUID_SIZE],
               struct error *err)
{
    int64_t there = 0;
    if (QUERY_GET(control, err, 0, &there,
                  "SELECT count(*) FROM actors WHERE id = ? AND side = 0 AND deleted = 0",
                  query_text(catalog->source)) < 0)
        return -1;
    if (!there)
        return error_set(err, ERROR_NOT_FOUND, "there is no source '%.64s'", catalog->source);
    mem_auto(sqlite3_finalize) sqlite3_stmt *same = query_prepare(
        control,
        "UPDATE catalogs SET confirmed_ms = ?2, asked = ?3 WHERE " NEWEST " AND catalog = ?4 RETURNING id",
        QUERY_VALUES(query_text(catalog->source), query_number(catalog->created_ms),
                     query_number((int64_t)catalog->of), query_json(catalog->catalog)),
        err);
    int step = same ? database_step(control, same, err) : -1;
    if (step < 0)
        return -1;
    const char *id = step ? (const char *)sqlite3_column_text(same, 0) : catalog->id;
    memcpy(ret_id, id, CONTROL_UUID_SIZE);
    if (step) /* to its end: an UPDATE with rows to return is done then */
        return database_step(control, same, err) < 0 ? -1 : 0;
    return insert(control, catalog, err);
}

int control_catalog_put(struct control *control, const char *source, uint64_t of, struct slice catalog,
                        int64_t now_ms, char ret_id[CONTROL_UUID_SIZE], struct error *err)
{
    DATABASE_HOLD(control);
    char id[CONTROL_UUID_SIZE], kept[CONTROL_UUID_SIZE];
    control_uuid_new(id);
    const struct control_catalog item = {
        .id = id, .source = source, .of = of, .created_ms = now_ms, .catalog = catalog};
    if (query_check_size("a discovered catalog", catalog, CONTROL_CATALOG_MAX, err) < 0 ||
        database_begin(control, err) < 0)
        return -1;
    if (put(control, &item, kept, err) < 0) {
        database_rollback(control);
        return -1;
    }
    if (database_commit(control, err) < 0)
        return -1;
    memcpy(ret_id, kept, sizeof kept);
    return 0;
}

int control_catalog_get(struct control *control, const char *id, struct arena *arena,
                        struct control_catalog *ret_catalog, struct error *err)
{
    DATABASE_HOLD(control);
    return query_find(control, &table, "id = ?", query_text(id), id, arena, ret_catalog, err);
}

int control_catalog_newest(struct control *control, const char *source, struct arena *arena,
                           struct control_catalog *ret_catalog, struct error *err)
{
    DATABASE_HOLD(control);
    return query_find(control, &table, NEWEST, query_text(source), source, arena, ret_catalog, err);
}
