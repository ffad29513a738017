#include "connect.h"

#include "base/memory.h"
#include "base/text.h"
#include "libpq/libpq.h"
#include "tunnel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARAMETERS_MAX = 64 };

struct parameters {
    const char *names[PARAMETERS_MAX + 1], *values[PARAMETERS_MAX + 1];
    size_t count;
    struct arena arena;
};

static void add(struct parameters *parameters, const char *name, const char *value)
{
    if (!value || !*value || parameters->count == PARAMETERS_MAX)
        return;
    parameters->names[parameters->count] = name;
    parameters->values[parameters->count++] = value;
}

/* The JDBC driver's names for what libpq calls otherwise. */
static const struct {
    const char *jdbc, *libpq;
} jdbc_names[] = {
    {"connectTimeout", "connect_timeout"},        {"loginTimeout", "connect_timeout"},
    {"ApplicationName", "application_name"},      {"tcpKeepAlive", "keepalives"},
    {"targetServerType", "target_session_attrs"}, {"gssEncMode", "gssencmode"},
    {"channelBinding", "channel_binding"},        {"kerberosServerName", "krbsrvname"},
};
/* Those that libpq may be told; all else would redirect the connection or is the driver's own business. */
static const char *const allowed[] = {"connect_timeout",
                                      "application_name",
                                      "keepalives",
                                      "keepalives_idle",
                                      "keepalives_interval",
                                      "keepalives_count",
                                      "tcp_user_timeout",
                                      "target_session_attrs",
                                      "gssencmode",
                                      "krbsrvname",
                                      "channel_binding",
                                      "ssl_min_protocol_version",
                                      "ssl_max_protocol_version",
                                      "sslsni",
                                      "options",
                                      NULL};

/* NULL: it is not for libpq. */
static const char *libpq_name(const char *name)
{
    for (size_t i = 0; i < sizeof jdbc_names / sizeof *jdbc_names; i++) {
        if (strcmp(name, jdbc_names[i].jdbc) == 0)
            name = jdbc_names[i].libpq;
    }
    for (size_t i = 0; allowed[i]; i++) {
        if (strcmp(name, allowed[i]) == 0)
            return allowed[i];
    }
    return NULL;
}

/* Configs that exist have many of them: they are left out, but not in silence. Values may be secret. */
static void tell_left_out(struct firth_host *host, const char *text)
{
    auto_free char *copy = mem_strdup(text ? text : "");
    char *rest = copy;
    for (char *pair; (pair = strsep(&rest, "&")) != NULL;) {
        bool has_value = strchr(pair, '=') != NULL;
        pair[strcspn(pair, "=")] = 0;
        if (*pair && (!has_value || !libpq_name(pair)))
            firth_log(host, FIRTH_WARN, "jdbc_url_params: '%.60s' is left out: %s", pair,
                      has_value ? "it is none of the parameters that are passed on" : "it has no value");
    }
}

/* --- the endpoint
 * ------------------------------------------------------------------------------------------- */

/* libpq reads certificates from files only; one in memory is never on a disk. */
static int file_in_memory(const char *name, const char *content, int *ret_fd, struct firth_error *err)
{
    *ret_fd = -1;
    if (!content || !*content)
        return 0;
    size_t size = strlen(content);
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) < 0 || write(fd, content, size) != (ssize_t)size) {
        firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot hold the %s in memory: %s", name, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

int pg_endpoint_open(struct pg_endpoint *endpoint, struct firth_host *host, const struct pg_config *config,
                     struct firth_error *err)
{
    *endpoint = (struct pg_endpoint){.config = config, .ca = -1, .certificate = -1, .key = -1};
    tell_left_out(host, config->url_params);
    if (file_in_memory("CA certificate", config->ca_certificate, &endpoint->ca, err) < 0 ||
        file_in_memory("client certificate", config->client_certificate, &endpoint->certificate, err) < 0 ||
        file_in_memory("client key", config->client_key, &endpoint->key, err) < 0 ||
        pg_tunnel_open(host, config, &endpoint->tunnel, err) < 0) {
        pg_endpoint_close(endpoint);
        return -1;
    }
    return 0;
}

void pg_endpoint_close(struct pg_endpoint *endpoint)
{
    pg_tunnel_close(endpoint->tunnel);
    for (size_t i = 0; i < 3; i++) {
        int fd = (int[]){endpoint->ca, endpoint->certificate, endpoint->key}[i];
        if (fd >= 0)
            close(fd);
    }
    endpoint->tunnel = NULL;
    endpoint->ca = endpoint->certificate = endpoint->key = -1;
}

/* --- parameters
 * --------------------------------------------------------------------------------------------- */

static const char *fd_path(struct parameters *parameters, int fd)
{
    return fd < 0 ? NULL : arena_printf(&parameters->arena, "/proc/self/fd/%d", fd);
}

/* %41 as A; in place. */
static void decode_percent(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        char digits[3] = {at[0] == '%' ? at[1] : 0, at[0] == '%' && at[1] ? at[2] : 0, 0};
        char *end;
        long value = strtol(digits, &end, 16);
        bool code = digits[0] && digits[1] && end == digits + 2 && value > 0;
        *to++ = code ? (char)value : *at;
        at += code ? 2 : 0;
    }
    *to = 0;
}

static const char *libpq_value(const char *name, const char *value)
{
    static const char *const words[][2] = {
        {"primary", "primary"}, {"master", "primary"}, {"secondary", "standby"},
        {"slave", "standby"},   {"true", "1"},         {"preferSecondary", "prefer-standby"},
        {"false", "0"},
    };
    if (strcmp(name, "target_session_attrs") != 0 && strcmp(name, "keepalives") != 0)
        return value;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i][0]) == 0)
            return words[i][1];
    }
    return value;
}

static void add_url_param(struct parameters *parameters, char *pair)
{
    char *value = strchr(pair, '=');
    if (!value)
        return;
    *value++ = 0;
    decode_percent(value);
    const char *name = libpq_name(pair);
    if (name)
        add(parameters, name, libpq_value(name, value));
}

static void add_url_params(struct parameters *parameters, const char *text)
{
    char *rest = arena_strdup(&parameters->arena, text ? text : "");
    for (char *pair; (pair = strsep(&rest, "&")) != NULL;)
        add_url_param(parameters, pair);
}

/* "host:port", "[::1]:5432", "host". */
static void add_address(struct parameters *parameters, const struct pg_config *config)
{
    char *host = arena_strdup(&parameters->arena, config->address);
    char *colon = strrchr(host, ':');
    const char *port = "5432";
    if (colon && (!memchr(host, ':', (size_t)(colon - host)) || colon[-1] == ']')) {
        *colon = 0;
        port = colon + 1;
    }
    size_t size = strlen(host);
    if (*host == '[' && host[size - 1] == ']') {
        host[size - 1] = 0;
        host++;
    }
    add(parameters, "host", host);
    add(parameters, "port", port);
}

static void add_place(struct parameters *parameters, const struct pg_endpoint *endpoint)
{
    const struct pg_config *config = endpoint->config;
    if (config->address)
        add_address(parameters, config);
    else {
        add(parameters, "host", config->host);
        add(parameters, "port", arena_printf(&parameters->arena, "%lld", (long long)config->port));
    }
    if (!endpoint->tunnel)
        return;
    /* The name stays, for the certificate; the way goes to the tunnel's end. */
    add(parameters, "hostaddr", "127.0.0.1");
    for (size_t i = 0; i < parameters->count; i++) {
        if (strcmp(parameters->names[i], "port") == 0)
            parameters->values[i] = arena_printf(&parameters->arena, "%d", pg_tunnel_port(endpoint->tunnel));
    }
}

static void build(struct parameters *parameters, const struct pg_endpoint *endpoint, bool replication)
{
    const struct pg_config *config = endpoint->config;
    arena_init(&parameters->arena);
    add(parameters, "connect_timeout", "30");
    add(parameters, "application_name", "firth");
    add_url_params(parameters, config->url_params);
    add_place(parameters, endpoint);
    add(parameters, "dbname", config->database);
    add(parameters, "user", config->user);
    add(parameters, "password", pg_config_password(config));
    add(parameters, "client_encoding", "UTF8");
    add(parameters, "sslmode", pg_config_sslmode(config));
    add(parameters, "sslrootcert", fd_path(parameters, endpoint->ca));
    add(parameters, "sslcert", fd_path(parameters, endpoint->certificate));
    add(parameters, "sslkey", fd_path(parameters, endpoint->key));
    add(parameters, "sslpassword", config->client_key_password);
    if (replication)
        add(parameters, "replication", "database");
}

/* --- connecting
 * --------------------------------------------------------------------------------------------- */

/* What a value looks like must not depend on the server's, the database's or the user's settings. */
static const char settings[] =
    "SET datestyle = 'ISO, MDY'; SET timezone = 'UTC'; SET intervalstyle = 'postgres'; SET bytea_output = "
    "'hex'; "
    "SET extra_float_digits = 3; SET xmloption = 'content'; SET lc_monetary = 'C'; SET search_path = "
    "pg_catalog; "
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET standard_conforming_strings = on; SET synchronize_seqscans = off; "
    "SET default_transaction_read_only = off; "
    /* Rows that a policy hides from the user are an error then, and not left out. */
    "SET row_security = off";

bool pg_mentions(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strstr(text, *words))
            return true;
    }
    return false;
}

/* Before there is a session, libpq has no SQLSTATE to tell. */
static enum firth_failure kind_of_refusal(const char *message)
{
    static const char *const passing[] = {"starting up", "shutting down", "too many", "remaining connection",
                                          "recovery", "terminating",
                                          /* a handshake that broke off, as where a server or a balancer is
                                             started again */
                                          "SSL SYSCALL error", "unexpected eof", "EOF detected",
                                          "closed the connection unexpectedly", "Connection reset", NULL};
    static const char *const wrong[] = {"authentication failed",
                                        "does not exist",
                                        "no password supplied",
                                        "pg_hba.conf",
                                        "not permitted",
                                        "certificate",
                                        "SSL",
                                        "permission denied",
                                        "must be superuser",
                                        "invalid",
                                        NULL};
    if (pg_mentions(message, passing))
        return FIRTH_FAILURE_TRANSIENT;
    return pg_mentions(message, wrong) ? FIRTH_FAILURE_CONFIG : FIRTH_FAILURE_TRANSIENT;
}

/* libpq's messages are of several lines; ours are of one. */
static void one_line(const char *text, char *line, size_t size)
{
    snprintf(line, size, "%s", text);
    size_t length = strlen(line);
    while (length && line[length - 1] == '\n')
        line[--length] = 0;
    string_one_line(line);
}

/* libpq tells a path of the files that are held in memory; people know them by their options. */
static void name_options(const struct pg_endpoint *endpoint, char *message, size_t size)
{
    const struct {
        int fd;
        const char *option;
    } files[] = {{endpoint->ca, "ca_certificate"},
                 {endpoint->certificate, "client_certificate"},
                 {endpoint->key, "client_key"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[40];
        int length = snprintf(path, sizeof path, "/proc/self/fd/%d", files[i].fd);
        for (char *at = files[i].fd < 0 ? NULL : strstr(message, path); at; at = strstr(at + 1, path)) {
            if (at[length] >= '0' && at[length] <= '9')
                continue;
            auto_free char *rest = mem_strdup(at + length);
            snprintf(at, size - (size_t)(at - message), "%s%s", files[i].option, rest);
        }
    }
}

PGconn *pg_connect(const struct pg_endpoint *endpoint, bool replication, struct firth_error *err)
{
    struct parameters parameters = {0};
    char message[2048];
    struct error missing;
    if (libpq_load(&missing) < 0) {
        firth_fail(err, FIRTH_FAILURE_SYSTEM, "%s", missing.message);
        return NULL;
    }
    build(&parameters, endpoint, replication);
    PGconn *connection = PQconnectdbParams(parameters.names, parameters.values, 0);
    arena_done(&parameters.arena);
    if (PQstatus(connection) != CONNECTION_OK) {
        one_line(PQerrorMessage(connection), message, sizeof message);
        name_options(endpoint, message, sizeof message);
        firth_fail(err, kind_of_refusal(message), "cannot connect to the database: %s", message);
        PQfinish(connection);
        return NULL;
    }
    if (pg_execute(connection, settings, "cannot set up the session", err) < 0) {
        PQfinish(connection);
        return NULL;
    }
    return connection;
}

/* --- statements
 * --------------------------------------------------------------------------------------------- */

static enum firth_failure kind_of_state(const char *state)
{
    static const char *const transient[] = {"08", "53", "57P", "40", "55006", "58", NULL};
    static const char *const config[] = {"28", "3D", "3F", "42", "0A", "55000", "22023", NULL};
    for (size_t i = 0; transient[i]; i++) {
        if (string_starts_with(state, transient[i]))
            return FIRTH_FAILURE_TRANSIENT;
    }
    for (size_t i = 0; config[i]; i++) {
        if (string_starts_with(state, config[i]))
            return FIRTH_FAILURE_CONFIG;
    }
    return FIRTH_FAILURE_SYSTEM;
}

int pg_failure(PGconn *connection, const PGresult *result, const char *what, struct firth_error *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *hint = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;
    char message[2048], more[512];
    one_line(primary ? primary : PQerrorMessage(connection), message, sizeof message);
    one_line(hint ? hint : "", more, sizeof more);
    if (!state || PQstatus(connection) != CONNECTION_OK)
        return firth_fail(err, FIRTH_FAILURE_TRANSIENT, "%s: the connection to the database broke: %s", what,
                          *message ? message : "the server closed it");
    return firth_fail(err, kind_of_state(state), "%s: %s%s%s (SQLSTATE %s)", what, message, *more ? "; " : "",
                      more, state);
}

PGresult *pg_query(PGconn *connection, const char *sql, const char *what, struct firth_error *err)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    pg_failure(connection, result, what, err);
    PQclear(result);
    return NULL;
}

int pg_execute(PGconn *connection, const char *sql, const char *what, struct firth_error *err)
{
    PGresult *result = pg_query(connection, sql, what, err);
    PQclear(result);
    return result ? 0 : -1;
}

int pg_wait(PGconn *connection, struct firth_host *host, int timeout_ms, struct firth_error *err)
{
    struct pollfd ready = {.fd = PQsocket(connection), .events = POLLIN};
    if (ready.fd < 0)
        return pg_failure(connection, NULL, "reading", err);
    int got = poll(&ready, 1, timeout_ms);
    if (got < 0 && errno != EINTR)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot wait for the database: %s", strerror(errno));
    return got > 0 ? 1 : firth_stopping(host) ? -1 : 0;
}

void pg_put_name(struct buffer *out, const char *name)
{
    buffer_quoted(out, name, strlen(name), '"');
}

/* standard_conforming_strings is on: a backslash is a backslash. */
void pg_put_literal(struct buffer *out, const char *text)
{
    buffer_quoted(out, text, strlen(text), '\'');
}

void pg_put_table(struct buffer *out, const char *schema, const char *table)
{
    pg_put_name(out, schema);
    buffer_byte(out, '.');
    pg_put_name(out, table);
}
