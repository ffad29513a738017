#include "server/server.h"

#include "base/clock.h"
#include "server/internal.h"
#include "server/metrics.h"
#include "server/pages.h"

#include <stdlib.h>

enum { CLOSE_GRACE_MS = 2000, OPENAPI_MAX = 4 << 20 };

/* What the HTTP server is told to keep with a request. */
struct handled {
    struct call call;
    uint64_t began_ns;
};

/* --- requests ----------------------------------------------------------------------------------------- */

static struct handled *begin(struct server *server, struct http_request *http)
{
    struct handled *handled = arena_zalloc(&http->arena, sizeof *handled);
    handled->began_ns = clock_monotonic_ns(&clock_system);
    handled->call = (struct call){.server = server,
                                  .control = server->control,
                                  .http = http,
                                  .arena = &http->arena,
                                  .now_ms = clock_wall_ms(&clock_system)};
    http->owner = handled;
    return handled;
}

static enum http_next answer_no_route(struct call *call, unsigned allowed)
{
    if (!allowed) {
        call->http->status = 404;
        call_write_error(call->http, "there is nothing at this path", NULL);
        return HTTP_ANSWER;
    }
    char *list = arena_strdup(call->arena, "");
    for (enum http_method method = 0; method < HTTP_OTHER; method++) {
        if (allowed >> method & 1)
            list = arena_printf(call->arena, "%s%s%s", list, *list ? ", " : "", http_method_name(method));
    }
    http_answer_header(call->http, "Allow", list);
    call->http->status = 405;
    call_write_error(call->http, "this path is not for this method", NULL);
    return HTTP_ANSWER;
}

static enum http_next on_head(void *context, struct http_request *http)
{
    struct call *call = &begin(context, http)->call;
    unsigned allowed;
    call->route = routes_find(http, call->arena, call->arguments, &allowed);
    if (!call->route && pages_answer(http))
        return HTTP_ANSWER;
    if (!call->route)
        return answer_no_route(call, allowed);
    return call_admit(call) ? HTTP_READ : HTTP_ANSWER;
}

static enum http_next on_whole(void *context, struct http_request *http)
{
    (void)context;
    return call_take_body(&((struct handled *)http->owner)->call);
}

static enum http_next on_resumed(void *context, struct http_request *http)
{
    struct call *call = &((struct handled *)http->owner)->call;
    (void)context;
    return call->resume(call);
}

static void on_refused(void *context, struct http_request *http, const char *why)
{
    (void)context;
    call_write_error(http, why, NULL);
}

static void on_done(void *context, struct http_request *http)
{
    struct server *server = context;
    const struct handled *handled = http->owner;
    uint64_t began = handled ? handled->began_ns : clock_monotonic_ns(&clock_system);
    if (handled && handled->call.listener) { /* what it took is when its client went */
        events_leave(server->events, handled->call.listener);
        metrics_count(&server->counters, http->status, 0);
        return;
    }
    metrics_count(&server->counters, http->status, (clock_monotonic_ns(&clock_system) - began) / 1000);
}

/* --- its life ----------------------------------------------------------------------------------------- */

static struct schema *compile_schema(struct schema_registry *registry, const char *name, struct error *err)
{
    static const struct schema_options asserting = {.assert_formats = true};
    auto_free char *uri = mem_printf("firth:openapi#/components/schemas/%s", name);
    return schema_compile_with(registry, uri, &asserting, err);
}

struct schema *server_schema(const char *name, struct error *err)
{
    struct buffer text;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    buffer_init(&text, OPENAPI_MAX);
    openapi_write(ROUTE_CONFIG, &text);
    int added = schema_registry_add(registry, "firth:openapi", (struct slice){text.data, text.size}, err);
    struct schema *schema = added < 0 ? NULL : compile_schema(registry, name, err);
    buffer_done(&text);
    return schema;
}

size_t server_schema_members(const char *name, struct arena *arena, const char *const **ret_names)
{
    enum { MEMBERS_MAX = 64 };
    const char **names = arena_alloc(arena, MEMBERS_MAX * sizeof *names);
    struct notation_member member;
    size_t at = 0, count = 0;
    while (at < schema_count && strcmp(schemas[at].name, name) != 0)
        at++;
    assert(at < schema_count);
    for (const char *text = schemas[at].text; count < MEMBERS_MAX && notation_next(&text, &member);)
        names[count++] = arena_strndup(arena, member.name.data, member.name.size);
    *ret_names = names;
    return count;
}

/* The document of each family holds all schemas: each route's is compiled from it. */
static int compile_schemas(struct server *server, struct error *err)
{
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    for (enum route_family family = 0; family < ROUTE_OTHER; family++) {
        buffer_init(&server->openapi[family], OPENAPI_MAX);
        openapi_write(family, &server->openapi[family]);
    }
    const struct buffer *text = &server->openapi[ROUTE_CONFIG];
    server->request_schemas = mem_zalloc(route_count * sizeof(struct schema *));
    if (schema_registry_add(registry, "firth:openapi", (struct slice){text->data, text->size}, err) < 0)
        return -1;
    for (size_t i = 0; i < route_count; i++) {
        if (!routes[i].request)
            continue;
        server->request_schemas[i] = compile_schema(registry, routes[i].request, err);
        if (!server->request_schemas[i])
            return -1;
    }
    return 0;
}

/* Others reach it: not with the password that everybody knows. */
static int check_listener(struct server *server, struct error *err)
{
    bool local, by_default;
    if (http_listen_is_local(server->options.listen, &local, err) < 0 ||
        auth_is_default(server->control, &by_default, err) < 0)
        return -1;
    if (!local && by_default)
        return error_set(
            err, ERROR_INVALID,
            "cannot listen on %s, which other machines reach, with the password that everybody knows: set "
            "another with 'firth password' first",
            server->options.listen);
    return 0;
}

static void free_server(struct server *server)
{
    for (size_t i = 0; server->request_schemas && i < route_count; i++)
        schema_free(server->request_schemas[i]);
    free(server->request_schemas);
    for (enum route_family family = 0; family < ROUTE_OTHER; family++)
        buffer_done(&server->openapi[family]);
    auth_free(server->auth);
    control_close(server->control);
    free(server);
}

static int open_parts(struct server *server, struct control *control, struct error *err)
{
    server->control = control_share(control, err);
    if (!server->control)
        return -1;
    server->auth = auth_new(server->control, err);
    if (!server->auth || check_listener(server, err) < 0)
        return -1;
    return compile_schemas(server, err);
}

static int listen_for(struct server *server, struct error *err)
{
    const struct http_options options = {
        .listen = server->options.listen,
        .tls_cert = server->options.tls_cert,
        .tls_key = server->options.tls_key,
        .client_ms = server->options.client_ms,
        .callbacks = {server, on_head, on_whole, on_resumed, on_refused, on_done},
    };
    const struct asks_options asking = {server->options.program, server->options.data_dir,
                                        server->options.image_words, server->options.ask_ms};
    int failed = loop_inbox_init(&server->inbox, server->loop);
    if (failed)
        return error_errno(err, -failed, "cannot make a handle on the loop");
    server->asks = asks_new(server->loop, &server->inbox, &asking);
    server->settles = settles_new(server->loop, &server->inbox, server->control);
    server->events = events_new(server);
    server->http = http_open(&options, err);
    if (server->http)
        return 0;
    if (err->code == ERROR_BUSY) {
        const struct error busy = *err;
        error_set(err, ERROR_BUSY, "%s with --listen, or do without the API with --no-http", busy.message);
    }
    return -1;
}

struct server *server_open(uv_loop_t *loop, const struct server_options *options, struct control *control,
                           struct jobs *jobs, struct error *err)
{
    struct server *server = mem_zalloc(sizeof *server);
    server->options = *options;
    server->loop = loop;
    server->jobs = jobs;
    server->started_ms = clock_wall_ms(&clock_system);
    if (open_parts(server, control, err) < 0) {
        free_server(server);
        return NULL;
    }
    if (listen_for(server, err) < 0) {
        server_close(server);
        return NULL;
    }
    return server;
}

const char *server_url(const struct server *server)
{
    return http_url(server->http);
}

const char *server_warning(const struct server *server)
{
    return http_warning(server->http);
}

void server_stop(struct server *server)
{
    http_quiesce(server->http);
}

static void on_closed(uv_handle_t *handle)
{
    struct loop_inbox *inbox = handle->data;
    struct server *server = (struct server *)((char *)inbox - offsetof(struct server, inbox));
    asks_release(server->asks);
    settles_release(server->settles);
    events_release(server->events);
    free_server(server);
}

/* First nothing waits for the loop any more, so that every request can be answered; then the threads go. */
void server_close(struct server *server)
{
    if (!server)
        return;
    if (server->http)
        http_quiesce(server->http);
    asks_close(server->asks);
    settles_close(server->settles);
    events_close(server->events);
    loop_inbox_close(&server->inbox, on_closed);
    http_close(server->http, CLOSE_GRACE_MS);
}
