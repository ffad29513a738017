/* source-postgres: tables and views of PostgreSQL, whole, by cursor, by xmin, or as a stream of changes. */
#include "batch.h"
#include "cdc.h"
#include "check.h"
#include "registry.h"

#include <stdlib.h>

/* --- check, discover
 * ------------------------------------------------------------------------------------------ */

/* With `check`, whether it can be read is asked too. */
static int with_catalog(struct firth_host *host, const struct pg_config *config, bool check,
                        struct pg_catalog *ret_catalog, struct firth_error *err)
{
    struct pg_endpoint endpoint;
    if (pg_endpoint_open(&endpoint, host, config, err) < 0)
        return -1;
    PGconn *connection = pg_connect(&endpoint, false, err);
    int result = connection ? pg_catalog_load(ret_catalog, connection, config, 0, err) : -1;
    if (result == 0 && check && pg_check_readable(&endpoint, connection, ret_catalog, err) < 0) {
        pg_catalog_done(ret_catalog);
        result = -1;
    }
    PQfinish(connection);
    pg_endpoint_close(&endpoint);
    return result;
}

/* What of the tables is worth knowing before one is chosen. */
static void tell_of_tables(struct firth_host *host, const struct pg_config *config,
                           const struct pg_catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const struct pg_table *table = &catalog->tables[i];
        if (table->guarded)
            firth_log(host, FIRTH_WARN,
                      "row-level security shows the user \"%.100s\" only some rows of %s.%s, so it will not "
                      "be read: "
                      "run ALTER USER \"%.100s\" BYPASSRLS, or read a view of the rows that are wanted",
                      config->user, table->schema, table->name, config->user);
        if (table->generated_key && pg_config_method(config) == PG_METHOD_CDC)
            firth_log(host, FIRTH_WARN,
                      "the primary key of %s.%s has a generated column, which is in no change: it is %s",
                      table->schema, table->name,
                      table->key_count ? "read by another key" : "a table without a key");
    }
}

static int pg_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    struct pg_catalog catalog;
    if (with_catalog(host, config, true, &catalog, err) < 0)
        return -1;
    tell_of_tables(host, config, &catalog);
    pg_catalog_done(&catalog);
    return 0;
}

static bool has_changes(const struct pg_table *table)
{
    return table->kind == 'r' || table->kind == 'p';
}

static unsigned modes_of(const struct pg_table *table, const struct pg_config *config, bool flow)
{
    switch (pg_config_method(config)) {
    case PG_METHOD_STANDARD:
        return FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL;
    case PG_METHOD_XMIN:
        return pg_table_has_pages(table) ? FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL : FIRTH_FULL_REFRESH;
    case PG_METHOD_CDC:
        if (has_changes(table))
            return flow ? FIRTH_INCREMENTAL : FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL;
        return flow ? 0 : FIRTH_FULL_REFRESH;
    }
    return 0;
}

static int add_stream(const struct firth_host *host, struct firth_catalog *offered,
                      const struct pg_catalog *catalog, const struct pg_table *table,
                      const struct pg_config *config, struct firth_error *err)
{
    bool flow = firth_speaks_flow(host);
    enum pg_method method = pg_config_method(config);
    enum pg_envelope envelope = pg_envelope_of(config, flow);
    unsigned modes = modes_of(table, config, flow);
    /* What is not in a publication that is there is not proposed. Who names it is told what is missing, or it
     * is put in. */
    bool hidden = envelope == PG_ENVELOPE_FLOW && catalog->publication_exists && !table->published &&
                  !config->discover_unpublished && !config->discover_unpublished_too && !firth_opening(host);
    if (!modes || hidden)
        return 0;
    if (envelope != PG_ENVELOPE_NONE && !(modes & FIRTH_INCREMENTAL))
        envelope = PG_ENVELOPE_NONE;
    struct arena arena;
    struct buffer schema;
    arena_init(&arena);
    buffer_init(&schema, BUFFER_UNLIMITED);
    pg_stream_put_schema(&schema, table, envelope, config->history, (struct pg_style){flow});
    const struct firth_stream stream = {.name = table->name,
                                        .name_space = table->schema,
                                        .json_schema = buffer_cstr(&schema),
                                        .primary_key =
                                            pg_stream_key(table, envelope, config->history, &arena),
                                        .cursor = envelope == PG_ENVELOPE_AIRBYTE ? "/_ab_cdc_lsn" : NULL,
                                        .sync_modes = modes,
                                        .cursor_is_free = method == PG_METHOD_STANDARD,
                                        .resumable = pg_table_has_pages(table) && catalog->version >= 140000};
    int result = firth_catalog_add(offered, &stream, err);
    buffer_done(&schema);
    arena_done(&arena);
    return result;
}

static int pg_discover(struct firth_host *host, const void *config, struct firth_catalog *offered,
                       struct firth_error *err)
{
    struct pg_catalog catalog;
    if (with_catalog(host, config, false, &catalog, err) < 0)
        return -1;
    if (!firth_opening(host))
        tell_of_tables(host, config, &catalog);
    int result = 0;
    for (size_t i = 0; i < catalog.count && result == 0; i++)
        result = add_stream(host, offered, &catalog, &catalog.tables[i], config, err);
    pg_catalog_done(&catalog);
    return result;
}

/* --- sessions
 * --------------------------------------------------------------------------------------------------- */

struct session {
    struct pg_batch *batch; /* one of the two */
    struct pg_cdc *cdc;
};

static int pg_open(struct firth_host *host, const void *config, const struct firth_selection *selection,
                   void **ret_self, struct firth_error *err)
{
    struct session *session = mem_zalloc(sizeof *session);
    bool changes = pg_config_method(config) == PG_METHOD_CDC;
    if ((changes ? pg_cdc_open(host, config, selection, &session->cdc, err)
                 : pg_batch_open(host, config, selection, &session->batch, err)) < 0) {
        free(session);
        return -1;
    }
    *ret_self = session;
    return 0;
}

static int pg_read(void *self, struct firth_host *host, struct firth_error *err)
{
    struct session *session = self;
    return session->cdc ? pg_cdc_read(session->cdc, err) : pg_batch_read(session->batch, host, err);
}

static int pg_acknowledged(void *self, struct firth_host *host, uint64_t states, struct firth_error *err)
{
    struct session *session = self;
    (void)host;
    return session->cdc ? pg_cdc_acknowledged(session->cdc, states, err) : 0;
}

static void pg_close(void *self)
{
    struct session *session = self;
    if (session->cdc)
        pg_cdc_close(session->cdc);
    else
        pg_batch_close(session->batch);
    free(session);
}

static const char *const image_names[] = {"airbyte/source-postgres", "estuary/source-postgres", NULL};

const struct firth_connector_class source_postgres = {
    .name = "source-postgres",
    .version = FIRTH_VERSION,
    .title = "PostgreSQL",
    .summary = "tables and views of PostgreSQL: whole, by cursor, by xmin, or as a stream of changes",
    .image_names = image_names,
    .config_size = sizeof(struct pg_config),
    .options = pg_options_airbyte,
    .flow_options = pg_options_flow,
    .source = {.check = pg_check,
               .discover = pg_discover,
               .open = pg_open,
               .read = pg_read,
               .acknowledged = pg_acknowledged,
               .close = pg_close,
               .resource_properties = pg_resource_properties},
};
