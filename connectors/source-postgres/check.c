#include "check.h"

#include "base/text.h"
#include "slot.h"

#include <stdlib.h>

/* --- schemas
 * ------------------------------------------------------------------------------------------------------- */

static int no_schema(const PGresult *rows, const struct pg_config *config, const char *name,
                     struct firth_error *err)
{
    size_t count = (size_t)PQntuples(rows);
    auto_free const char **names = mem_zalloc((count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = PQgetvalue(rows, (int)i, 0);
    const char *near = string_nearest(name, names, count);
    return firth_fail(err, FIRTH_FAILURE_CONFIG, "the database \"%.100s\" has no schema \"%.100s\"%s%s%s",
                      config->database, name, near ? "; did you mean \"" : "", near ? near : "",
                      near ? "\"?" : "");
}

static int check_schema(const PGresult *rows, const struct pg_config *config, const char *name,
                        struct firth_error *err)
{
    int at = 0;
    while (at < PQntuples(rows) && strcmp(PQgetvalue(rows, at, 0), name) != 0)
        at++;
    if (at == PQntuples(rows))
        return no_schema(rows, config, name, err);
    if (PQgetvalue(rows, at, 1)[0] == 't')
        return 0;
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "GRANT USAGE ON SCHEMA ");
    pg_put_name(&sql, name);
    buffer_str(&sql, " TO ");
    pg_put_name(&sql, config->user);
    firth_fail(err, FIRTH_FAILURE_CONFIG, "the user may not look into the schema \"%.100s\": run %.400s",
               name, buffer_cstr(&sql));
    buffer_done(&sql);
    return -1;
}

static int check_schemas(PGconn *connection, const struct pg_config *config, struct firth_error *err)
{
    const struct firth_strings *lists[] = {&config->schemas, &config->include_schemas,
                                           &config->discover_schemas};
    pg_auto_result PGresult *rows =
        pg_query(connection,
                 "SELECT nspname, has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname NOT LIKE"
                 " 'pg\\_%' AND nspname <> 'information_schema'",
                 "cannot read the schemas", err);
    if (!rows)
        return -1;
    for (size_t list = 0; list < sizeof lists / sizeof *lists; list++) {
        for (size_t i = 0; i < lists[list]->count; i++) {
            if (check_schema(rows, config, lists[list]->items[i], err) < 0)
                return -1;
        }
    }
    return 0;
}

/* --- tables
 * -------------------------------------------------------------------------------------------------------- */

/* An example of what would help: for the first schema that is named. */
static void put_grants(struct buffer *sql, const struct pg_config *config)
{
    const struct firth_strings *named =
        config->include_schemas.count ? &config->include_schemas : &config->schemas;
    static const char *const grants[] = {"GRANT USAGE ON SCHEMA ", "; GRANT SELECT ON ALL TABLES IN SCHEMA "};
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++) {
        buffer_str(sql, grants[i]);
        pg_put_name(sql, named->count ? named->items[0] : "public");
        buffer_str(sql, " TO ");
        pg_put_name(sql, config->user);
    }
}

/* Of views there are no changes, and in Flow's protocol nothing else is read. */
static bool is_readable(const struct pg_config *config, const struct pg_table *table)
{
    return !pg_config_is_flow(config) || table->kind == 'r' || table->kind == 'p';
}

static const char *where_of(const struct pg_config *config)
{
    if (pg_config_is_flow(config))
        return "that the discovery filters let through";
    if (config->schemas.count)
        return "in these schemas";
    return config->schemas.items ? "in any schema" : "in the schema public";
}

static int check_tables(const struct pg_config *config, const struct pg_catalog *catalog,
                        struct firth_error *err)
{
    struct buffer sql;
    for (size_t i = 0; i < catalog->count; i++) {
        if (is_readable(config, &catalog->tables[i]))
            return 0;
    }
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_grants(&sql, config);
    firth_fail(err, FIRTH_FAILURE_CONFIG,
               "the user may read no table %s: make one, name others, or run %.800s", where_of(config),
               buffer_cstr(&sql));
    buffer_done(&sql);
    return -1;
}

int pg_check_readable(const struct pg_endpoint *endpoint, PGconn *connection,
                      const struct pg_catalog *catalog, struct firth_error *err)
{
    const struct pg_config *config = endpoint->config;
    if (check_schemas(connection, config, err) < 0 || check_tables(config, catalog, err) < 0)
        return -1;
    return pg_config_method(config) == PG_METHOD_CDC ? pg_slot_check(endpoint, connection, catalog, err) : 0;
}
