/* What source-postgres can be told, in Airbyte's spelling and in Estuary's: two option tables, one struct. */
#ifndef FIRTH_PG_CONFIG_H
#define FIRTH_PG_CONFIG_H

#include "firth/connector.h"

enum pg_method { PG_METHOD_XMIN, PG_METHOD_CDC, PG_METHOD_STANDARD }; /* as in the table's choices */
enum pg_tunnel { PG_TUNNEL_NONE, PG_TUNNEL_KEY, PG_TUNNEL_PASSWORD };

struct pg_config {
    /* Both spellings. */
    const char *host, *database, *user, *password;
    int64_t port;

    /* Airbyte's. */
    struct firth_strings schemas;
    const char *url_params; /* jdbc_url_params */
    int ssl_mode;           /* pg_ssl_modes */
    const char *ca_certificate, *client_certificate, *client_key, *client_key_password;
    int method; /* enum pg_method; -1: none given */
    const char *slot, *publication;
    int64_t initial_wait_seconds;
    int invalid_position; /* of a slot that has lost changes: 0 fail, 1 read everything again */
    int tunnel;           /* enum pg_tunnel */
    const char *tunnel_host, *tunnel_user, *tunnel_key, *tunnel_password;
    int64_t tunnel_port;

    /* Estuary's. */
    const char *address;
    bool history;
    int auth;
    const char *credentials_password;
    struct firth_strings include_schemas, exclude_schemas, table_patterns, discover_schemas;
    bool discover_unpublished, discover_unpublished_too, as_partitions, read_only;
    int sslmode; /* pg_ssl_modes; -1: none given */
    const char *skip_backfills, *source_tag;
    const char *ssh_endpoint, *ssh_key;

    int64_t parallelism; /* connections that read one table; both spellings */
};

extern const struct firth_option pg_options_airbyte[], pg_options_flow[];
extern const char pg_resource_properties[];
extern const char *const pg_ssl_modes[];
/* The parts that say how to connect, for others whose config begins with a struct pg_config. */
extern const struct firth_choice pg_ssl_choices[], pg_tunnel_choices[], pg_auth_choices[];
extern const struct firth_option pg_network_tunnel_fields[];

/* Was it written in Estuary's spelling? Then everything is CDC. */
bool pg_config_is_flow(const struct pg_config *config);
enum pg_method pg_config_method(const struct pg_config *config);
const char *pg_config_slot(const struct pg_config *config);
const char *pg_config_publication(const struct pg_config *config);
const char *pg_config_password(const struct pg_config *config);
const char *pg_config_sslmode(const struct pg_config *config);
/* Is the schema one to be looked at, and the table one of those wanted? */
bool pg_config_wants(const struct pg_config *config, const char *schema, const char *table);
/* "schema.table" in a comma-separated list. */
bool pg_config_skips_backfill(const struct pg_config *config, const char *schema, const char *table);

#endif
