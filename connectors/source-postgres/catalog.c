#include "catalog.h"

#include <stdlib.h>

static const char *text_at(const PGresult *rows, int row, int column)
{
    return PQgetvalue(rows, row, column);
}

static uint32_t oid_at(const PGresult *rows, int row, int column)
{
    return (uint32_t)strtoul(PQgetvalue(rows, row, column), NULL, 10);
}

static bool is_true(const PGresult *rows, int row, int column)
{
    return PQgetvalue(rows, row, column)[0] == 't';
}

/* --- types
 * -------------------------------------------------------------------------------------------------- */

/* Arrays are those that array_in reads: int2vector and its like have elements, but another text. Domains and
 * arrays come after what they are made of: a domain's oid may be below its base's. */
static const char types_sql[] =
    "SELECT t.oid, t.oid::regtype::text, t.typdelim,"
    " CASE WHEN t.typinput = 'array_in'::regproc THEN t.typelem ELSE 0 END, t.typbasetype"
    " FROM pg_type t LEFT JOIN pg_class r ON r.oid = t.typrelid"
    " WHERE t.typisdefined AND (t.typrelid = 0 OR r.relkind = 'c')"
    " ORDER BY t.oid";

static int load_types(struct pg_catalog *catalog, PGconn *connection, struct firth_error *err)
{
    pg_auto_result PGresult *rows = pg_query(connection, types_sql, "cannot read the types", err);
    if (!rows)
        return -1;
    /* A domain of an array of a domain…: as many rounds as there are layers. */
    bool *done = arena_zalloc(&catalog->arena, (size_t)PQntuples(rows) + 1);
    for (int added = 1, round = 0; added; round++) {
        added = 0;
        for (int i = 0; i < PQntuples(rows); i++) {
            struct pg_type_row row = {oid_at(rows, i, 0), oid_at(rows, i, 3), oid_at(rows, i, 4),
                                      text_at(rows, i, 1), text_at(rows, i, 2)[0]};
            bool ready = (!row.item || pg_types_find(&catalog->types, row.item)) &&
                         (!row.base || pg_types_find(&catalog->types, row.base));
            if (done[i] || !ready)
                continue;
            pg_types_add(&catalog->types, &row);
            done[i] = true;
            added++;
        }
    }
    return 0;
}

/* --- tables
 * ------------------------------------------------------------------------------------------------- */

int pg_catalog_load_publication(struct pg_catalog *catalog, PGconn *connection,
                                const struct pg_config *config, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT puballtables, ");
    buffer_str(&sql, catalog->version >= 130000 ? "pubviaroot" : "false");
    buffer_str(&sql, ", pubinsert AND pubupdate AND pubdelete");
    buffer_str(&sql, catalog->version >= 110000 ? " AND pubtruncate" : "");
    buffer_str(&sql, catalog->version >= 180000 ? ", pubgencols = 's'" : ", false");
    buffer_str(&sql, " FROM pg_publication WHERE pubname = ");
    pg_put_literal(&sql, pg_config_publication(config));
    pg_auto_result PGresult *rows =
        pg_query(connection, buffer_cstr(&sql), "cannot look for the publication", err);
    buffer_done(&sql);
    if (!rows)
        return -1;
    catalog->publication_exists = PQntuples(rows) > 0;
    catalog->publishes_all = catalog->publication_exists && is_true(rows, 0, 0);
    catalog->publishes_roots = catalog->publication_exists && is_true(rows, 0, 1);
    catalog->publishes_every_change = catalog->publication_exists && is_true(rows, 0, 2);
    catalog->publishes_generated =
        catalog->version >= 180000 && (!catalog->publication_exists || is_true(rows, 0, 3));
    return 0;
}

/* Is the column of pg_attribute one that changes do not have? */
static void put_left_out(struct buffer *sql, const struct pg_catalog *catalog, const char *alias)
{
    if (catalog->version < 120000)
        buffer_str(sql, "false");
    else
        buffer_printf(sql, "%s.attgenerated NOT IN ('', '%s')", alias,
                      catalog->publishes_generated ? "s" : "");
}

/* Partitions are read by their root, unless they are asked for. */
static void put_tables_sql(struct buffer *sql, const struct pg_catalog *catalog,
                           const struct pg_config *config, uint32_t oid)
{
    buffer_str(
        sql,
        "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relreplident, c.reltuples,"
        " pg_relation_filenode(c.oid), c.relhassubclass AND EXISTS"
        " (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid), EXISTS"
        " (SELECT FROM pg_publication_tables p WHERE p.schemaname = n.nspname AND p.tablename = c.relname"
        " AND p.pubname = ");
    pg_put_literal(sql, pg_config_publication(config));
    buffer_str(sql,
               "), has_table_privilege(c.oid, 'SELECT'), c.relispartition, row_security_active(c.oid), ");
    if (catalog->version < 120000) {
        buffer_str(sql, "false");
    } else {
        buffer_str(
            sql,
            "EXISTS (SELECT FROM pg_index x JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY "
            "((x.indkey::int2[])[0:x.indnkeyatts - 1]) WHERE x.indrelid = c.oid AND x.indisprimary AND ");
        put_left_out(sql, catalog, "a");
        buffer_byte(sql, ')');
    }
    buffer_str(sql, " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ");
    if (oid) {
        buffer_printf(sql, "c.oid = %u", oid);
        return;
    }
    buffer_str(sql, config->as_partitions
                        ? "c.relkind IN ('r', 'v', 'm', 'f')"
                        : "c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition");
    buffer_str(sql, " AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
                    " AND c.relpersistence <> 't' AND has_schema_privilege(n.oid, 'USAGE')"
                    " AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))"
                    " ORDER BY n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\"");
}

static void read_table(struct pg_catalog *catalog, const PGresult *rows, int row, struct pg_table *table)
{
    *table = (struct pg_table){.oid = oid_at(rows, row, 0),
                               .schema = arena_strdup(&catalog->arena, text_at(rows, row, 1)),
                               .name = arena_strdup(&catalog->arena, text_at(rows, row, 2)),
                               .kind = text_at(rows, row, 3)[0],
                               .identity = text_at(rows, row, 4)[0],
                               .rows = strtod(text_at(rows, row, 5), NULL),
                               .filenode = oid_at(rows, row, 6),
                               .has_children = is_true(rows, row, 7),
                               .published = is_true(rows, row, 8),
                               .readable = is_true(rows, row, 9),
                               .is_partition = is_true(rows, row, 10),
                               .guarded = is_true(rows, row, 11),
                               .generated_key = is_true(rows, row, 12)};
}

static int load_tables(struct pg_catalog *catalog, PGconn *connection, const struct pg_config *config,
                       uint32_t oid, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_tables_sql(&sql, catalog, config, oid);
    pg_auto_result PGresult *rows = pg_query(connection, buffer_cstr(&sql), "cannot read the tables", err);
    buffer_done(&sql);
    if (!rows)
        return -1;
    catalog->tables = arena_zalloc(&catalog->arena, ((size_t)PQntuples(rows) + 1) * sizeof *catalog->tables);
    for (int i = 0; i < PQntuples(rows); i++) {
        if (oid || pg_config_wants(config, text_at(rows, i, 1), text_at(rows, i, 2)))
            read_table(catalog, rows, i, &catalog->tables[catalog->count++]);
    }
    return 0;
}

/* --- columns
 * ------------------------------------------------------------------------------------------------ */

static struct pg_table *table_of(const struct pg_catalog *catalog, struct pg_table **by_oid, uint32_t oid)
{
    size_t low = 0, high = catalog->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_oid[middle]->oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < catalog->count && by_oid[low]->oid == oid ? by_oid[low] : NULL;
}

static int by_oid_order(const void *a, const void *b)
{
    uint32_t first = (*(struct pg_table *const *)a)->oid, second = (*(struct pg_table *const *)b)->oid;
    return first < second ? -1 : first > second;
}

static void put_condition(struct buffer *sql, const char *column, uint32_t oid)
{
    if (oid)
        buffer_printf(sql, " AND %s = %u", column, oid);
    else
        buffer_printf(sql,
                      " AND %s IN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                      " WHERE n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema')",
                      column);
}

static void add_column(struct pg_catalog *catalog, struct pg_table *table, const PGresult *rows, int row)
{
    const struct pg_type *type = pg_types_find(&catalog->types, oid_at(rows, row, 2));
    if (!type) { /* made a moment ago, or a table's row type: its text */
        const struct pg_type_row unknown = {
            .oid = oid_at(rows, row, 2), .name = text_at(rows, row, 5), .delimiter = ','};
        type = pg_types_add(&catalog->types, &unknown);
    }
    table->columns[table->column_count++] =
        (struct pg_column){.name = arena_strdup(&catalog->arena, text_at(rows, row, 1)),
                           .type = type,
                           .not_null = is_true(rows, row, 3),
                           .generated = is_true(rows, row, 4)};
}

static int load_columns(struct pg_catalog *catalog, PGconn *connection, uint32_t oid,
                        struct pg_table **by_oid, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT a.attrelid, a.attname, a.atttypid, a.attnotnull, ");
    put_left_out(&sql, catalog, "a");
    buffer_str(&sql, ", format_type(a.atttypid, a.atttypmod), has_column_privilege(a.attrelid, a.attnum,"
                     " 'SELECT') FROM pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped");
    put_condition(&sql, "a.attrelid", oid);
    buffer_str(&sql, " ORDER BY a.attrelid, a.attnum");
    pg_auto_result PGresult *rows = pg_query(connection, buffer_cstr(&sql), "cannot read the columns", err);
    buffer_done(&sql);
    if (!rows)
        return -1;
    int count = PQntuples(rows);
    for (int i = 0; i < count; i++) {
        struct pg_table *table = table_of(catalog, by_oid, oid_at(rows, i, 0));
        if (!table)
            continue;
        if (!table->columns) {
            int end = i;
            while (end < count && oid_at(rows, end, 0) == table->oid)
                end++;
            table->columns = arena_zalloc(&catalog->arena, (size_t)(end - i) * sizeof *table->columns);
            table->hidden = arena_zalloc(&catalog->arena, (size_t)(end - i) * sizeof *table->hidden);
        }
        if (is_true(rows, i, 6))
            add_column(catalog, table, rows, i);
        else
            table->hidden[table->hidden_count++] = arena_strdup(&catalog->arena, text_at(rows, i, 1));
    }
    return 0;
}

/* --- keys
 * --------------------------------------------------------------------------------------------------- */

static void add_key(struct pg_table *table, const char *name, int place)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            table->columns[i].key = place;
            table->key_count++;
        }
    }
}

/* An index's columns without those that it only includes. */
static const char *key_columns(int version)
{
    return version < 110000 ? "i.indkey::int2[]" : "(i.indkey::int2[])[0:i.indnkeyatts - 1]";
}

static int load_keys(struct pg_catalog *catalog, PGconn *connection, const struct pg_config *config,
                     uint32_t oid, struct pg_table **by_oid, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT q.indrelid, q.attname, q.place FROM (");
    /* What identifies a row: the index that the replica identity names; else the primary key; else a unique
     * index of columns that cannot be null. All may be read, and are in changes if these are wanted. */
    buffer_printf(
        &sql,
        "SELECT i.indrelid, i.indexrelid, a.attname, k.place, first_value(i.indexrelid) OVER (PARTITION BY"
        " i.indrelid ORDER BY (i.indisreplident AND c.relreplident = 'i') DESC, i.indisprimary DESC,"
        " i.indexrelid) AS best FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " CROSS JOIN LATERAL unnest(%s) WITH ORDINALITY AS k(attnum, place)"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
        " WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL"
        " AND i.indexprs IS NULL AND NOT EXISTS (SELECT FROM pg_attribute n WHERE n.attrelid = i.indrelid"
        " AND n.attnum = ANY (%s) AND (NOT n.attnotnull OR NOT"
        " has_column_privilege(n.attrelid, n.attnum, 'SELECT')",
        key_columns(catalog->version), key_columns(catalog->version));
    if (pg_config_method(config) == PG_METHOD_CDC) {
        buffer_str(&sql, " OR ");
        put_left_out(&sql, catalog, "n");
    }
    buffer_str(&sql, "))");
    put_condition(&sql, "i.indrelid", oid);
    buffer_str(&sql, ") q WHERE q.indexrelid = q.best ORDER BY q.indrelid, q.place");
    pg_auto_result PGresult *rows = pg_query(connection, buffer_cstr(&sql), "cannot read the keys", err);
    buffer_done(&sql);
    if (!rows)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        struct pg_table *table = table_of(catalog, by_oid, oid_at(rows, i, 0));
        if (table)
            add_key(table, text_at(rows, i, 1), (int)strtol(text_at(rows, i, 2), NULL, 10));
    }
    return 0;
}

/* --- all
 * ---------------------------------------------------------------------------------------------------- */

int pg_catalog_load(struct pg_catalog *catalog, PGconn *connection, const struct pg_config *config,
                    uint32_t oid, struct firth_error *err)
{
    *catalog = (struct pg_catalog){.version = PQserverVersion(connection)};
    arena_init(&catalog->arena);
    pg_types_init(&catalog->types);
    int result = load_types(catalog, connection, err);
    if (result == 0)
        result = pg_catalog_load_publication(catalog, connection, config, err);
    if (result == 0)
        result = load_tables(catalog, connection, config, oid, err);
    if (result == 0 && catalog->count) {
        auto_free struct pg_table **by_oid = mem_alloc(catalog->count * sizeof *by_oid);
        for (size_t i = 0; i < catalog->count; i++)
            by_oid[i] = &catalog->tables[i];
        qsort(by_oid, catalog->count, sizeof *by_oid, by_oid_order);
        if (load_columns(catalog, connection, oid, by_oid, err) < 0 ||
            load_keys(catalog, connection, config, oid, by_oid, err) < 0)
            result = -1;
    }
    if (result < 0)
        pg_catalog_done(catalog);
    return result;
}

void pg_catalog_done(struct pg_catalog *catalog)
{
    pg_types_done(&catalog->types);
    arena_done(&catalog->arena);
}

struct pg_table *pg_catalog_find(const struct pg_catalog *catalog, const char *schema, const char *name)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcmp(catalog->tables[i].name, name) == 0 && strcmp(catalog->tables[i].schema, schema) == 0)
            return &catalog->tables[i];
    }
    return NULL;
}

bool pg_table_hides(const struct pg_table *table, const char *column)
{
    for (size_t i = 0; i < table->hidden_count; i++) {
        if (strcmp(table->hidden[i], column) == 0)
            return true;
    }
    return false;
}

bool pg_table_has_pages(const struct pg_table *table)
{
    return (table->kind == 'r' || table->kind == 'm') && !table->has_children && table->readable;
}
