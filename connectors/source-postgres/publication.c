#include "publication.h"

#include <stdlib.h>

int pg_administer(PGconn *connection, const struct pg_config *config, const char *sql,
                  struct firth_error *err)
{
    struct firth_error refused;
    if (config->read_only)
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "the capture is to be read-only, so somebody else must run: %.3000s", sql);
    if (pg_execute(connection, sql, "it was refused", &refused) == 0)
        return 0;
    if (refused.failure == FIRTH_FAILURE_TRANSIENT) {
        *err = refused;
        return -1;
    }
    return firth_fail(err, FIRTH_FAILURE_CONFIG, "as a user that may, run: %.2000s (%.1000s)", sql,
                      refused.message);
}

/* --- making it ready
 * ---------------------------------------------------------------------------------------------- */

static void put_create(struct buffer *sql, const struct pg_config *config, int version)
{
    buffer_str(sql, "CREATE PUBLICATION ");
    pg_put_name(sql, pg_config_publication(config));
    const char *roots =
        version >= 130000 && !config->as_partitions ? "publish_via_partition_root = true" : "";
    const char *columns = version >= 180000 ? "publish_generated_columns = stored" : "";
    if (*roots || *columns)
        buffer_printf(sql, " WITH (%s%s%s)", roots, *roots && *columns ? ", " : "", columns);
}

static int create_publication(PGconn *connection, const struct pg_config *config, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_create(&sql, config, PQserverVersion(connection));
    int result = pg_administer(connection, config, buffer_cstr(&sql), err);
    buffer_done(&sql);
    return result;
}

/* Does a publication that is there tell of all that is done? */
static int check_publication(const struct pg_config *config, const struct pg_catalog *catalog,
                             struct firth_error *err)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    pg_put_name(&name, pg_config_publication(config));
    int result = 0;
    if (catalog->publication_exists && !catalog->publishes_every_change)
        result = firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "the publication %.200s does not publish every kind of change, so some would be lost: "
            "run ALTER PUBLICATION %.200s SET (publish = 'insert, update, delete%s')",
            buffer_cstr(&name), buffer_cstr(&name), catalog->version >= 110000 ? ", truncate" : "");
    buffer_done(&name);
    return result;
}

int pg_publication_check(PGconn *connection, const struct pg_config *config, const struct pg_catalog *catalog,
                         struct firth_error *err)
{
    struct buffer sql;
    if (catalog->publication_exists)
        return check_publication(config, catalog, err);
    pg_auto_result PGresult *rows =
        pg_query(connection, "SELECT has_database_privilege(current_database(), 'CREATE')",
                 "cannot ask for the user's rights", err);
    if (!rows)
        return -1;
    if (!config->read_only && PQgetvalue(rows, 0, 0)[0] == 't')
        return 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_create(&sql, config, catalog->version);
    firth_fail(
        err, FIRTH_FAILURE_CONFIG, "there is no publication \"%.100s\", and %s: as one that may, run %s",
        pg_config_publication(config),
        config->read_only ? "the capture is to be read-only" : "the user may not make it", buffer_cstr(&sql));
    buffer_done(&sql);
    return -1;
}

/* A table's changes come as its own, or as those of what it is a partition of. */
static int check_roots(const struct pg_config *config, const struct pg_catalog *catalog,
                       const struct pg_standing *standing, struct firth_error *err)
{
    const struct pg_table *table = standing->table;
    bool roots = catalog->publication_exists ? catalog->publishes_roots
                                             : catalog->version >= 130000 && !config->as_partitions;
    bool hidden = table->is_partition && roots && standing->member && !standing->published;
    if (!hidden && (table->kind != 'p' || roots))
        return 0;
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    pg_put_name(&name, pg_config_publication(config));
    firth_fail(err, FIRTH_FAILURE_CONFIG,
               "the publication %.200s shows %s %s.%s: run ALTER PUBLICATION %.200s SET "
               "(publish_via_partition_root = %s)",
               buffer_cstr(&name),
               hidden ? "a root's changes, not those of its partition" : "partitions, not their root",
               table->schema, table->name, buffer_cstr(&name), hidden ? "false" : "true");
    buffer_done(&name);
    return -1;
}

/* A table whose rows it has in part: the changes of the others would be lost. */
static int check_part(const struct pg_config *config, const struct pg_standing *standing,
                      struct firth_error *err)
{
    struct buffer sql;
    if (!standing->filtered && !standing->narrowed)
        return 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    for (int i = 0; i < 2; i++) {
        buffer_str(&sql, i ? "; ALTER PUBLICATION " : "ALTER PUBLICATION ");
        pg_put_name(&sql, pg_config_publication(config));
        buffer_str(&sql, i ? " ADD TABLE " : " DROP TABLE ");
        pg_put_table(&sql, standing->table->schema, standing->table->name);
    }
    firth_fail(err, FIRTH_FAILURE_CONFIG,
               "the publication has %s of %s.%s only, so what changes elsewhere would be lost: run %s",
               standing->filtered ? "some rows" : "some columns", standing->table->schema,
               standing->table->name, buffer_cstr(&sql));
    buffer_done(&sql);
    return -1;
}

/* An application's UPDATE must not fail because we look on. */
static int check_identity(const struct pg_standing *standing, struct firth_error *err)
{
    struct buffer name;
    if (!standing->unidentified)
        return 0;
    buffer_init(&name, BUFFER_UNLIMITED);
    pg_put_table(&name, standing->table->schema, standing->table->name);
    if (standing->table->kind == 'p')
        firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "partitions of %s have no replica identity, and in a publication the server would refuse every "
            "UPDATE and DELETE of their rows: give %s a primary key, or run ALTER TABLE … REPLICA IDENTITY "
            "FULL for each of its partitions",
            buffer_cstr(&name), buffer_cstr(&name));
    else
        firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "%s has no replica identity, and in a publication the server would refuse every UPDATE and "
            "DELETE of its rows: run ALTER TABLE %s REPLICA IDENTITY FULL (or, if its rows are only ever "
            "inserted, "
            "put it in the publication yourself)",
            buffer_cstr(&name), buffer_cstr(&name));
    buffer_done(&name);
    return -1;
}

/* What the log does not have of a row does not tell which row was updated or deleted. From 18 on the server
 * refuses to. */
static int check_generated(const struct pg_config *config, int version, const struct pg_standing *standing,
                           struct firth_error *err)
{
    struct buffer name, mend;
    if (!*standing->generated)
        return 0;
    buffer_init(&name, BUFFER_UNLIMITED);
    buffer_init(&mend, BUFFER_UNLIMITED);
    pg_put_table(&name, standing->table->schema, standing->table->name);
    if (version < 180000) {
        buffer_printf(&mend, "run ALTER TABLE %s REPLICA IDENTITY FULL", buffer_cstr(&name));
    } else if (standing->generated_stored) {
        buffer_str(&mend, "run ALTER PUBLICATION ");
        pg_put_name(&mend, pg_config_publication(config));
        buffer_str(&mend, " SET (publish_generated_columns = stored)");
    } else {
        buffer_str(&mend, "give it another one (a primary key, or REPLICA IDENTITY USING INDEX)");
    }
    firth_fail(
        err, FIRTH_FAILURE_CONFIG,
        "the replica identity of %s has the generated column %s, which is in no change, so the log does not "
        "say which rows are updated or deleted: %s, or read it by cursor or xmin",
        buffer_cstr(&name), standing->generated, buffer_cstr(&mend));
    buffer_done(&name);
    buffer_done(&mend);
    return -1;
}

static int check_logged(const struct pg_standing *standing, struct firth_error *err)
{
    struct buffer name;
    if (!standing->unlogged)
        return 0;
    buffer_init(&name, BUFFER_UNLIMITED);
    pg_put_table(&name, standing->table->schema, standing->table->name);
    if (standing->table->kind == 'p')
        firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "partitions of %s are unlogged, so nothing tells of their changes: run ALTER TABLE … SET LOGGED "
            "for each of them, or read it by cursor or xmin",
            buffer_cstr(&name));
    else
        firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "%s is unlogged, so nothing tells of its changes: run ALTER TABLE %s SET LOGGED, or read it by "
            "cursor or xmin",
            buffer_cstr(&name), buffer_cstr(&name));
    buffer_done(&name);
    return -1;
}

static int add_table(PGconn *connection, const struct pg_config *config, const struct pg_standing *standing,
                     struct firth_error *err)
{
    struct buffer sql;
    if (check_identity(standing, err) < 0)
        return -1;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "ALTER PUBLICATION ");
    pg_put_name(&sql, pg_config_publication(config));
    /* What inherits from a table is a table of its own, and was not asked for. */
    buffer_str(&sql, standing->table->kind == 'r' && standing->table->has_children ? " ADD TABLE ONLY "
                                                                                   : " ADD TABLE ");
    pg_put_table(&sql, standing->table->schema, standing->table->name);
    int result = pg_administer(connection, config, buffer_cstr(&sql), err);
    buffer_done(&sql);
    return result;
}

int pg_publication_prepare(PGconn *connection, const struct pg_config *config, struct pg_catalog *catalog,
                           struct pg_standings *tables, struct firth_error *err)
{
    if (pg_catalog_load_publication(catalog, connection, config, err) < 0 ||
        check_publication(config, catalog, err) < 0)
        return -1;
    for (size_t i = 0; i < tables->count; i++) {
        if (check_roots(config, catalog, &tables->items[i], err) < 0 ||
            check_part(config, &tables->items[i], err) < 0 ||
            check_generated(config, catalog->version, &tables->items[i], err) < 0 ||
            check_logged(&tables->items[i], err) < 0)
            return -1;
    }
    if (!catalog->publication_exists && create_publication(connection, config, err) < 0)
        return -1;
    for (size_t i = 0; i < tables->count; i++) {
        if (tables->items[i].oid && !tables->items[i].published && !catalog->publishes_all &&
            add_table(connection, config, &tables->items[i], err) < 0)
            return -1;
    }
    if (pg_catalog_load_publication(catalog, connection, config, err) < 0)
        return -1;
    return pg_standings_look(connection, config, tables, err);
}

/* --- servers that forget
 * ------------------------------------------------------------------------------------------ */

/* Before 2025's minor releases a walsender that meets a change of such a writer takes the table for one that
 * is not published, and goes on to do so: the change of the publication came earlier in the log. A table that
 * is taken out and put in, in one transaction that comes later, makes it look again at them all. */
static bool forgets_tables(int version)
{
    static const int mended[] = {130021, 140018, 150013, 160009, 170005};
    for (size_t i = 0; i < sizeof mended / sizeof *mended; i++) {
        if (version / 10000 == mended[i] / 10000)
            return version < mended[i];
    }
    return version < 130000;
}

/* A table of the publication that is in it whole, and is the user's if there is one of them. */
static PGresult *any_published(PGconn *connection, const struct pg_config *config, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(
        &sql, "SELECT n.nspname, c.relname, r.oid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = "
              "r.prpubid JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = "
              "c.relnamespace WHERE to_jsonb(r)->>'prqual' IS NULL AND to_jsonb(r)->>'prattrs' IS NULL "
              "AND p.pubname = ");
    pg_put_literal(&sql, pg_config_publication(config));
    buffer_str(&sql, " ORDER BY pg_has_role(c.relowner, 'USAGE') DESC LIMIT 1");
    PGresult *rows = pg_query(connection, buffer_cstr(&sql), "cannot look at the publication", err);
    buffer_done(&sql);
    return rows;
}

static void put_alter(struct buffer *sql, const struct pg_config *config, const char *verb, PGresult *table)
{
    buffer_str(sql, "ALTER PUBLICATION ");
    pg_put_name(sql, pg_config_publication(config));
    buffer_printf(sql, " %s TABLE ONLY ", verb);
    pg_put_table(sql, PQgetvalue(table, 0, 0), PQgetvalue(table, 0, 1));
}

int pg_publication_touch(struct firth_host *host, PGconn *connection, const struct pg_config *config,
                         uint32_t *ret_member, struct firth_error *err)
{
    *ret_member = 0;
    if (!forgets_tables(PQserverVersion(connection)))
        return 0;
    pg_auto_result PGresult *table = any_published(connection, config, err);
    if (!table)
        return -1;
    if (PQntuples(table) == 0)
        return 0;
    struct firth_error refused;
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_alter(&sql, config, "DROP", table);
    buffer_str(&sql, "; ");
    put_alter(&sql, config, "ADD", table);
    int result = pg_administer(connection, config, buffer_cstr(&sql), &refused);
    buffer_done(&sql);
    if (result == 0) {
        *ret_member = (uint32_t)strtoul(PQgetvalue(table, 0, 2), NULL, 10);
        return 0;
    }
    if (refused.failure != FIRTH_FAILURE_CONFIG) {
        *err = refused;
        return -1;
    }
    firth_log(
        host, FIRTH_WARN,
        "a server of this release goes on to leave out a table that was written to while it was added to "
        "the publication: %s",
        refused.message);
    return 0;
}
