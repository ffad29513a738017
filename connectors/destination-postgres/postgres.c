/* destination-postgres: tables in a PostgreSQL database. */
#include "bridge.h"
#include "connectors/sql/options.h"
#include "connectors/sql/session.h"
#include "db.h"
#include "registry.h"

struct postgres_config {
    struct pg_config connection; /* first: the tables of source-postgres's options have its offsets */
    const char *schema;
    struct sql_options sql;
};

#define AT(field) .offset = offsetof(struct postgres_config, field)
#define SCHEMA                                                                                             \
    {                                                                                                      \
        .name = "schema", .type = FIRTH_STRING, AT(schema), .preset = "public", .title = "Default Schema", \
        .help = "Where tables of streams without a namespace go. It is made if it is not there."           \
    }

static const struct firth_option airbyte_options[] = {
    {.name = "host",
     .type = FIRTH_STRING,
     AT(connection.host),
     .required = true,
     .title = "Host",
     .help = "Name or address of the server; several, joined by commas, are tried in turn."},
    {.name = "port",
     .type = FIRTH_INTEGER,
     AT(connection.port),
     .preset = "5432",
     .minimum = "0",
     .maximum = "65535",
     .example = "5432",
     .title = "Port",
     .help = "Its port."},
    {.name = "database",
     .type = FIRTH_STRING,
     AT(connection.database),
     .required = true,
     .title = "Database",
     .help = "Name of the database."},
    SCHEMA,
    {.name = "username",
     .type = FIRTH_STRING,
     AT(connection.user),
     .required = true,
     .title = "Username",
     .help = "The user."},
    {.name = "password",
     .type = FIRTH_SECRET,
     AT(connection.password),
     .title = "Password",
     .help = "The user's password."},
    {.name = "ssl_mode",
     .type = FIRTH_CHOICE,
     AT(connection.ssl_mode),
     .tag = "mode",
     .choices = pg_ssl_choices,
     .title = "SSL Modes",
     .help = "Encryption of the connection. Not given: prefer."},
    {.name = "jdbc_url_params",
     .type = FIRTH_STRING,
     AT(connection.url_params),
     .title = "JDBC URL Parameters",
     .help = "More parameters of the connection, name=value joined by &: those of libpq, and the JDBC "
             "driver's connectTimeout, ApplicationName, targetServerType, options, tcpKeepAlive."},
    {.name = "tunnel_method",
     .type = FIRTH_CHOICE,
     AT(connection.tunnel),
     .tag = "tunnel_method",
     .choices = pg_tunnel_choices,
     .title = "SSH Tunnel Method",
     .help = "Whether to connect through another host."},
    SQL_OPTIONS(struct postgres_config),
    {0},
};

static const struct firth_option advanced_fields[] = {
    {.name = "sslmode",
     .type = FIRTH_ENUM,
     AT(connection.sslmode),
     .values = pg_ssl_modes,
     .title = "SSL Mode",
     .help = "libpq's sslmode. Not given: prefer."},
    {0},
};

static const struct firth_option flow_options[] = {
    {.name = "address",
     .type = FIRTH_STRING,
     AT(connection.address),
     .required = true,
     .title = "Address",
     .help = "host or host:port"},
    {.name = "user",
     .type = FIRTH_STRING,
     AT(connection.user),
     .required = true,
     .title = "User",
     .help = "The user."},
    {.name = "database",
     .type = FIRTH_STRING,
     AT(connection.database),
     .preset = "postgres",
     .title = "Database",
     .help = "Name of the database."},
    SCHEMA,
    {.name = "credentials",
     .type = FIRTH_CHOICE,
     AT(connection.auth),
     .tag = "auth_type",
     .choices = pg_auth_choices,
     .title = "Authentication",
     .help = "How the user authenticates."},
    {.name = "password",
     .type = FIRTH_SECRET,
     AT(connection.password),
     .title = "Password",
     .help = "As credentials/password; older configs have it here."},
    {.name = "advanced",
     .type = FIRTH_OBJECT,
     .fields = advanced_fields,
     .title = "Advanced Options",
     .help = "For those who need them."},
    {.name = "networkTunnel",
     .type = FIRTH_OBJECT,
     .fields = pg_network_tunnel_fields,
     .title = "Network Tunnel",
     .help = "Whether to connect through another host."},
    SQL_OPTIONS(struct postgres_config),
    {0},
};

static struct sql_settings settings_of(const struct postgres_config *config)
{
    return sql_settings_of(&config->sql, config->schema && *config->schema ? config->schema : "public");
}

static int postgres_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = postgres_db_open(host, config, err);
    return db ? sql_check(&postgres_dialect, db, &settings, err) : -1;
}

static int postgres_validate(struct firth_host *host, const void *config, struct firth_target *target,
                             struct firth_constraint *constraints, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = postgres_db_open(host, config, err);
    return db ? sql_validate(&postgres_dialect, db, &settings, target, constraints, err) : -1;
}

/* In a connection open does the same, once it holds the table's lock. */
static int postgres_apply(struct firth_host *host, const void *config, const struct firth_target *targets,
                          size_t count, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    if (!count || !targets[0].live)
        return 0;
    struct sql_db *db = postgres_db_open(host, config, err);
    return db ? sql_apply(&postgres_dialect, db, &settings, host, targets, count, err) : -1;
}

static int postgres_open(struct firth_host *host, const void *config, struct firth_target *targets,
                         size_t count, void **ret_self, struct firth_error *err)
{
    const struct sql_settings settings = settings_of(config);
    struct sql_db *db = postgres_db_open(host, config, err);
    return db ? sql_session_open(&postgres_dialect, db, &settings, host, targets, count, ret_self, err) : -1;
}

static const char *const image_names[] = {"airbyte/destination-postgres",
                                          "ghcr.io/estuary/materialize-postgres", NULL};

const struct firth_connector_class destination_postgres = {
    .name = "destination-postgres",
    .version = FIRTH_VERSION,
    .title = "PostgreSQL",
    .summary = "a table for each stream in a PostgreSQL database",
    .image_names = image_names,
    .config_size = sizeof(struct postgres_config),
    .options = airbyte_options,
    .flow_options = flow_options,
    .destination = {.sync_modes = FIRTH_APPEND | FIRTH_OVERWRITE | FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP,
                    .check = postgres_check,
                    .validate = postgres_validate,
                    .apply = postgres_apply,
                    .open = postgres_open,
                    .checkpoint = sql_session_checkpoint,
                    .load = sql_session_load,
                    .flush = sql_session_flush,
                    .store = sql_session_store,
                    .commit = sql_session_commit,
                    .finish = sql_session_finish,
                    .close = sql_session_close},
};
