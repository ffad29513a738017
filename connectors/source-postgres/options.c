#include "config.h"

/* The option tables. Names, defaults and meanings are those of the replaced connectors; the help says what
 * differs. */

const char *const pg_ssl_modes[] = {"disable",   "allow",       "prefer", "require",
                                    "verify-ca", "verify-full", NULL};

#define AT(field) .offset = offsetof(struct pg_config, field)

static const struct firth_option verify_fields[] = {
    {.name = "ca_certificate",
     .type = FIRTH_SECRET,
     AT(ca_certificate),
     .required = true,
     .multiline = true,
     .title = "CA Certificate",
     .help = "The certificate of the authority that signed the server's, in PEM."},
    {.name = "client_certificate",
     .type = FIRTH_SECRET,
     AT(client_certificate),
     .multiline = true,
     .title = "Client Certificate",
     .help = "In PEM; with client_key, where the server asks for one."},
    {.name = "client_key",
     .type = FIRTH_SECRET,
     AT(client_key),
     .multiline = true,
     .title = "Client Key",
     .help = "In PEM."},
    {.name = "client_key_password",
     .type = FIRTH_SECRET,
     AT(client_key_password),
     .title = "Client Key Password",
     .help = "If the client key is encrypted."},
    {0},
};

const struct firth_choice pg_ssl_choices[] = {
    {"disable", "disable", "No encryption.", NULL},
    {"allow", "allow", "Encryption only if the server demands it.", NULL},
    {"prefer", "prefer", "Encryption if the server can.", NULL},
    {"require", "require", "Always encryption; the server's certificate is not looked at.", NULL},
    {"verify-ca", "verify-ca", "Encryption, and the server's certificate is signed by this authority.",
     verify_fields},
    {"verify-full", "verify-full", "As verify-ca, and the certificate is of this host's name.",
     verify_fields},
    {0},
};

static const char *const invalid_positions[] = {"Fail sync", "Re-sync data", NULL};

static const struct firth_option cdc_fields[] = {
    {.name = "replication_slot",
     .type = FIRTH_STRING,
     AT(slot),
     .required = true,
     .title = "Replication Slot",
     .help = "Of the plugin pgoutput; it is made if it is not there."},
    {.name = "publication",
     .type = FIRTH_STRING,
     AT(publication),
     .required = true,
     .title = "Publication",
     .help = "It is made, and tables are added to it, if the user may do that."},
    {.name = "initial_waiting_seconds",
     .type = FIRTH_INTEGER,
     AT(initial_wait_seconds),
     .preset = "1200",
     .minimum = "0",
     .maximum = "2400",
     .title = "Initial Waiting Time in Seconds",
     .help = "Accepted for existing configs: a sync ends at the position that the server had at its start."},
    {.name = "invalid_cdc_cursor_position_behavior",
     .type = FIRTH_ENUM,
     AT(invalid_position),
     .values = invalid_positions,
     .preset = "Fail sync",
     .title = "Invalid CDC Position Behavior",
     .help = "What to do when the slot no longer has the changes that follow the saved position."},
    {0},
};

static const struct firth_choice method_choices[] = {
    {"Xmin", "Xmin", "What has changed since the last sync by the system column xmin; deletes are not seen.",
     NULL},
    {"CDC", "Change Data Capture", "Logical replication: every change, deletes too.", cdc_fields},
    {"Standard", "Cursor", "By a column that the user names; deletes are not seen.", NULL},
    {0},
};

#define TUNNEL_FIELDS                                                                   \
    {.name = "tunnel_host",                                                             \
     .type = FIRTH_STRING,                                                              \
     AT(tunnel_host),                                                                   \
     .required = true,                                                                  \
     .title = "SSH Tunnel Jump Server Host",                                            \
     .help = "The host that can reach the database."},                                  \
        {.name = "tunnel_port",                                                         \
         .type = FIRTH_INTEGER,                                                         \
         AT(tunnel_port),                                                               \
         .preset = "22",                                                                \
         .minimum = "1",                                                                \
         .maximum = "65535",                                                            \
         .title = "SSH Connection Port",                                                \
         .help = "Its port."},                                                          \
    {                                                                                   \
        .name = "tunnel_user", .type = FIRTH_STRING, AT(tunnel_user), .required = true, \
        .title = "SSH Login Username", .help = "The user there."                        \
    }

static const struct firth_option tunnel_key_fields[] = {
    TUNNEL_FIELDS,
    {.name = "ssh_key",
     .type = FIRTH_SECRET,
     AT(tunnel_key),
     .required = true,
     .multiline = true,
     .title = "SSH Private Key",
     .help = "In OpenSSH's or PEM form, without a pass phrase."},
    {0},
};

static const struct firth_option tunnel_password_fields[] = {
    TUNNEL_FIELDS,
    {.name = "tunnel_user_password",
     .type = FIRTH_SECRET,
     AT(tunnel_password),
     .required = true,
     .title = "Password",
     .help = "Not supported: use a key."},
    {0},
};

const struct firth_choice pg_tunnel_choices[] = {
    {"NO_TUNNEL", "No Tunnel", "Connect directly.", NULL},
    {"SSH_KEY_AUTH", "SSH Key Authentication", "Through the program ssh, with a key.", tunnel_key_fields},
    {"SSH_PASSWORD_AUTH", "Password Authentication", "Refused: ssh asks a person for passwords.",
     tunnel_password_fields},
    {0},
};

#define PARALLELISM                                                                                       \
    {                                                                                                     \
        .name = "parallelism", .type = FIRTH_INTEGER, AT(parallelism), .preset = "1", .minimum = "1",     \
        .maximum = "16", .title = "Parallelism",                                                          \
        .help = "How many connections read a table's pages at once, in one snapshot. Firth's own option." \
    }

const struct firth_option pg_options_airbyte[] = {
    {.name = "host",
     .type = FIRTH_STRING,
     AT(host),
     .required = true,
     .title = "Host",
     .help = "Name or address of the server; several, joined by commas, are tried in turn."},
    {.name = "port",
     .type = FIRTH_INTEGER,
     AT(port),
     .preset = "5432",
     .minimum = "0",
     .maximum = "65535",
     .example = "5432",
     .title = "Port",
     .help = "Its port."},
    {.name = "database",
     .type = FIRTH_STRING,
     AT(database),
     .required = true,
     .title = "Database",
     .help = "Name of the database."},
    {.name = "schemas",
     .type = FIRTH_STRINGS,
     AT(schemas),
     .title = "Schemas",
     .help = "The schemas to look at, exactly as they are spelt. Not given: public. An empty list: all."},
    {.name = "username",
     .type = FIRTH_STRING,
     AT(user),
     .required = true,
     .title = "Username",
     .help = "The user."},
    {.name = "password",
     .type = FIRTH_SECRET,
     AT(password),
     .title = "Password",
     .help = "The user's password."},
    {.name = "jdbc_url_params",
     .type = FIRTH_STRING,
     AT(url_params),
     .title = "JDBC URL Parameters",
     .help =
         "More parameters of the connection, name=value joined by &: those of libpq, and the JDBC driver's "
         "connectTimeout, ApplicationName, targetServerType, options, tcpKeepAlive."},
    {.name = "ssl_mode",
     .type = FIRTH_CHOICE,
     AT(ssl_mode),
     .tag = "mode",
     .choices = pg_ssl_choices,
     .title = "SSL Modes",
     .help = "Encryption of the connection. Not given: prefer."},
    {.name = "replication_method",
     .type = FIRTH_CHOICE,
     AT(method),
     .tag = "method",
     .choices = method_choices,
     .title = "Update Method",
     .help = "How changes are found. Not given: Standard."},
    {.name = "tunnel_method",
     .type = FIRTH_CHOICE,
     AT(tunnel),
     .tag = "tunnel_method",
     .choices = pg_tunnel_choices,
     .title = "SSH Tunnel Method",
     .help = "Whether to connect through another host."},
    PARALLELISM,
    {0},
};

/* --- Estuary's ---------------------------------------------------------------------------------------------
 */

static const struct firth_option password_fields[] = {
    {.name = "password",
     .type = FIRTH_SECRET,
     AT(credentials_password),
     .required = true,
     .title = "Password",
     .help = "The user's password."},
    {0},
};

const struct firth_choice pg_auth_choices[] = {
    {"UserPassword", "Password", "A password. The cloud providers' tokens are not supported.",
     password_fields},
    {0},
};

static const struct firth_option filter_fields[] = {
    {.name = "include_schemas",
     .type = FIRTH_STRINGS,
     AT(include_schemas),
     .title = "Include Schemas",
     .help = "Only tables of these schemas are discovered."},
    {.name = "exclude_schemas",
     .type = FIRTH_STRINGS,
     AT(exclude_schemas),
     .title = "Exclude Schemas",
     .help = "Tables of these schemas are not discovered."},
    {.name = "table_patterns",
     .type = FIRTH_STRINGS,
     AT(table_patterns),
     .title = "Table Patterns",
     .help = "Only tables that match one of these are discovered; * and ? are wildcards, and a pattern with "
             "a dot is "
             "matched against schema.table."},
    {.name = "discover_unpublished_tables",
     .type = FIRTH_BOOLEAN,
     AT(discover_unpublished),
     .title = "Discover Unpublished Tables",
     .help =
         "Discover tables too that are not in the publication. Without a publication all are discovered."},
    {0},
};

static const struct firth_option advanced_fields[] = {
    {.name = "publicationName",
     .type = FIRTH_STRING,
     AT(publication),
     .preset = "flow_publication",
     .title = "Publication Name",
     .help = "It is made, and tables are added to it, if the user may do that."},
    {.name = "slotName",
     .type = FIRTH_STRING,
     AT(slot),
     .preset = "flow_slot",
     .title = "Slot Name",
     .help = "The replication slot, of the plugin pgoutput; it is made if it is not there."},
    {.name = "skip_backfills",
     .type = FIRTH_STRING,
     AT(skip_backfills),
     .title = "Skip Backfills",
     .help = "Tables, schema.name joined by commas, of which only changes are wanted."},
    {.name = "sslmode",
     .type = FIRTH_ENUM,
     AT(sslmode),
     .values = pg_ssl_modes,
     .title = "SSL Mode",
     .help = "libpq's sslmode. Not given: prefer."},
    {.name = "discover_schemas",
     .type = FIRTH_STRINGS,
     AT(discover_schemas),
     .title = "Discovery Schema Selection",
     .help = "As include_schemas."},
    {.name = "read_only_capture",
     .type = FIRTH_BOOLEAN,
     AT(read_only),
     .title = "Read-Only Capture",
     .help = "Neither publication nor slot is made or changed. Nothing else is ever written."},
    {.name = "capture_as_partitions",
     .type = FIRTH_BOOLEAN,
     AT(as_partitions),
     .title = "Capture Partitioned Tables As Partitions",
     .help = "Discover partitions instead of their root; the publication is then without "
             "publish_via_partition_root."},
    {.name = "discover_unpublished_tables",
     .type = FIRTH_BOOLEAN,
     AT(discover_unpublished_too),
     .title = "Discover Unpublished Tables",
     .help = "As in discoveryFilters."},
    {.name = "source_tag",
     .type = FIRTH_STRING,
     AT(source_tag),
     .title = "Source Tag",
     .help = "The property `tag` of each document's _meta/source."},
    PARALLELISM,
    {0},
};

static const struct firth_option forwarding_fields[] = {
    {.name = "sshEndpoint",
     .type = FIRTH_STRING,
     AT(ssh_endpoint),
     .required = true,
     .pattern = "^ssh://.+@.+$",
     .title = "SSH Endpoint",
     .help = "ssh://user@host[:port]"},
    {.name = "privateKey",
     .type = FIRTH_SECRET,
     AT(ssh_key),
     .required = true,
     .multiline = true,
     .title = "SSH Private Key",
     .help = "In OpenSSH's or PEM form, without a pass phrase."},
    {0},
};

const struct firth_option pg_network_tunnel_fields[] = {
    {.name = "sshForwarding",
     .type = FIRTH_OBJECT,
     .fields = forwarding_fields,
     .title = "SSH Forwarding",
     .help = "Through the program ssh, with a key."},
    {0},
};

const struct firth_option pg_options_flow[] = {
    {.name = "address",
     .type = FIRTH_STRING,
     AT(address),
     .required = true,
     .title = "Server Address",
     .help = "host or host:port"},
    {.name = "user",
     .type = FIRTH_STRING,
     AT(user),
     .preset = "flow_capture",
     .title = "User",
     .help = "The user."},
    {.name = "database",
     .type = FIRTH_STRING,
     AT(database),
     .preset = "postgres",
     .title = "Database",
     .help = "Name of the database."},
    {.name = "historyMode",
     .type = FIRTH_BOOLEAN,
     AT(history),
     .preset = "false",
     .title = "History Mode",
     .help = "Every change is a document of its own: nothing is reduced by key."},
    {.name = "credentials",
     .type = FIRTH_CHOICE,
     AT(auth),
     .tag = "auth_type",
     .choices = pg_auth_choices,
     .title = "Authentication",
     .help = "How the user authenticates."},
    {.name = "password",
     .type = FIRTH_SECRET,
     AT(password),
     .title = "Password",
     .help = "As credentials/password; older configs have it here."},
    {.name = "discoveryFilters",
     .type = FIRTH_OBJECT,
     .fields = filter_fields,
     .title = "Discovery Filters",
     .help = "Which tables are discovered."},
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
    {0},
};

const char pg_resource_properties[] =
    "\"mode\":{\"type\":\"string\",\"order\":5,\"title\":\"Backfill Mode\",\"default\":\"\","
    "\"description\":\"Only Changes: what is there already is not read. The others are one here.\","
    "\"enum\":[\"\",\"Normal\",\"Precise\",\"Only Changes\",\"Without Primary Key\"]},"
    "\"priority\":{\"type\":\"integer\",\"order\":6,\"title\":\"Backfill Priority\","
    "\"description\":\"Tables of a higher one are read before others.\"}";
