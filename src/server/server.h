/* The HTTP API in the daemon: Airbyte's config API and public API, health, metrics. It hangs on the daemon's
 * loop (supervisor/daemon.h: struct daemon_guest); requests are answered in the threads of http.h, which read
 * and change the control store themselves. What needs the loop is handed to it (loop.h); what needs a
 * connector runs in a process of its own (ask.h). */
#ifndef FIRTH_SERVER_SERVER_H
#define FIRTH_SERVER_SERVER_H

#include "base/log.h"
#include "connector/connector.h"
#include "control/control.h"
#include "supervisor/jobs.h"

#include <uv.h>

#define SERVER_LISTEN_DEFAULT "127.0.0.1:8000"

struct server;

/* All of it lives as long as the server. */
struct server_options {
    const char *listen;             /* http.h */
    const char *tls_cert, *tls_key; /* PEM files, both or neither */
    const char *public_url;         /* as clients reach it; NULL: as each asks for it */
    uint64_t client_ms;             /* http.h; 0: the default */
    uint64_t ask_ms;                /* ask.h; 0: the default */
    const char *program;            /* this binary */
    const struct connector_catalog *built_ins;
    const char *const *image_words; /* how images are run; NULL-terminated, or NULL */
    bool allow_commands;            /* connectors that are commands may be added by requests */
    const char *data_dir;
    const struct log *log;
    struct daemon *daemon; /* for what it tells of its tasks (supervisor/daemon.h); NULL: nothing */
};

/* `control` is shared, `jobs` is used, until the server is closed; jobs NULL: there is no runner.
 * ERROR_INVALID for a listener that others reach while the password is the well-known one. */
struct server *server_open(uv_loop_t *loop, const struct server_options *options, struct control *control,
                           struct jobs *jobs, struct error *err);
/* A public_url: http or https, a host, a path or none; no query, no fragment, no '/' at its end. */
int server_public_url_check(const char *url, struct error *err);
const char *server_url(const struct server *server);
const char *server_warning(const struct server *server); /* http_warning */
/* The daemon stops: no further connections. */
void server_stop(struct server *server);
/* Those who wait are answered, connectors are killed. Frees itself once the loop has closed its handles. NULL
 * is allowed. */
void server_close(struct server *server);

/* The schema of this name in the OpenAPI document ("AirbyteCatalog"), as bodies of requests are held against
 * it: for files that say the same. */
struct schema *server_schema(const char *name, struct error *err);
/* The names of its members, in the arena; how many. Asserts that there is such a schema. */
size_t server_schema_members(const char *name, struct arena *arena, const char *const **ret_names);

#endif
