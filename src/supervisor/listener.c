#include "supervisor/listener.h"

#include "base/map.h"
#include "json/writer.h"

#include <signal.h>
#include <stdlib.h>

enum { SPEC_FD = 3, EVENTS_FD = 4, READ_CHUNK = 64 << 10, CLOSE_MS = 15000 };

/* One life of the process. When it ends, whatever began in it ends with it, and the next session starts
 * another. */
struct host {
    struct listener *listener; /* NULL: closed, nobody asks any more */
    uv_process_t process;
    uv_pipe_t orders, events;
    uv_timer_t deadline;
    struct buffer line;
    struct json_parser *parser;
    struct arena arena;
    bool exited, silent;
    bool served; /* a session has begun in it */
    unsigned open_handles;
};

struct listener {
    uv_loop_t *loop;
    const char *program, *data_dir;
    const struct supervisor_ingest *options;
    const struct supervisor_events *events;
    struct host *host; /* NULL: none runs */
    uint32_t deaths;   /* of hosts, one after the other, since one in which a session began */
    struct map hosted; /* by name: struct hosted */
};

struct hosted {
    struct child base;
    struct listener *listener;
    char *name;
    struct child_callbacks callbacks;
    bool stopped;
};

struct order {
    uv_write_t write;
    char *text;
    size_t size;
};

static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

void listener_copy_options(struct supervisor_ingest *options, struct arena *arena)
{
    options->listen = arena_strdup(arena, options->listen ? options->listen : SUPERVISOR_INGEST_DEFAULT);
    options->tls_cert = copy(arena, options->tls_cert);
    options->tls_key = copy(arena, options->tls_key);
    options->kafka = copy(arena, options->kafka);
    options->kafka_advertise = copy(arena, options->kafka_advertise);
    options->kafka_token_file = copy(arena, options->kafka_token_file);
}

/* --- sessions ----------------------------------------------------------------------------------------- */

static void free_hosted(struct hosted *hosted)
{
    free(hosted->name);
    free(hosted);
}

/* The callback may start the next session, of the same name and under a listener that may then be closed. */
static void end_hosted(struct hosted *hosted, enum task_outcome outcome, const struct error *error)
{
    hosted->callbacks.ended(hosted->callbacks.context, outcome, outcome == TASK_FAILED ? error : NULL);
    free_hosted(hosted);
}

/* None of them has failed: they wait for one new process together. */
static void end_all(struct listener *listener, bool served)
{
    struct error died;
    error_set(&died, ERROR_IO, "the process of the push captures ended");
    died.retriable = true;
    struct map_entry *entry;
    struct map sessions = listener->hosted;
    uint32_t deaths = listener->deaths = served ? 1 : listener->deaths + 1;
    map_init(&listener->hosted);
    for (size_t at = 0; (entry = map_next(&sessions, &at));) {
        struct hosted *hosted = entry->value;
        if (hosted->stopped) {
            end_hosted(hosted, TASK_STOPPED, NULL);
            continue;
        }
        hosted->callbacks.lost(hosted->callbacks.context, &died, deaths);
        free_hosted(hosted);
    }
    map_done(&sessions);
}

static void tell_figures(const struct listener *listener, const struct push_figures *figures)
{
    if (listener && listener->events && listener->events->pushed)
        listener->events->pushed(listener->events->context, figures);
}

/* --- the process's end -------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct host *host = handle->data;
    if (--host->open_handles > 0)
        return;
    buffer_done(&host->line);
    json_parser_free(host->parser);
    arena_done(&host->arena);
    free(host);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void end_if_over(struct host *host)
{
    if (!host->exited || !host->silent)
        return;
    struct listener *listener = host->listener;
    close_handle((uv_handle_t *)&host->process);
    close_handle((uv_handle_t *)&host->orders);
    close_handle((uv_handle_t *)&host->events);
    close_handle((uv_handle_t *)&host->deadline);
    if (!listener)
        return;
    listener->host = NULL;
    tell_figures(listener, &(struct push_figures){0});
    end_all(listener, host->served);
}

static void on_exited(uv_process_t *process, int64_t status, int signal)
{
    struct host *host = process->data;
    (void)status, (void)signal;
    host->exited = true;
    end_if_over(host);
}

static void kill_host(struct host *host)
{
    if (host && !host->exited)
        kill(-host->process.pid, SIGKILL);
}

/* --- events ------------------------------------------------------------------------------------------- */

static void tell_listening(const struct host *host, const char *url, unsigned lost)
{
    const struct supervisor_events *events = host->listener ? host->listener->events : NULL;
    if (events && events->listening && url)
        events->listening(events->context, url, lost);
}

static void take_line(struct host *host, const char *text, size_t size)
{
    struct json line;
    struct push_figures figures;
    struct task_event event;
    struct error err;
    arena_clear(&host->arena);
    if (json_parse(host->parser, text, size, &line, &err) < 0) {
        kill_host(host);
        return;
    }
    uint32_t url = json_get(&line, 0, "listening");
    if (json_is(&line, url, JSON_STRING)) {
        uint64_t lost = 0;
        uint32_t port = json_get(&line, 0, "lostPort");
        if (port != JSON_NONE)
            json_to_u64(&line, port, &lost);
        tell_listening(host, json_cstring(&line, url, &host->arena), (unsigned)lost);
        return;
    }
    if (push_figures_read(&line, &figures)) {
        tell_figures(host->listener, &figures);
        return;
    }
    if (task_event_read(&line, &host->arena, &event, &err) < 0) {
        kill_host(host);
        return;
    }
    const char *name = json_cstring(&line, json_get(&line, 0, "task"), &host->arena);
    struct hosted *hosted = name && host->listener ? map_get(&host->listener->hosted, slice_of(name)) : NULL;
    if (!hosted)
        return;
    host->served = host->served || event.type == TASK_EVENT_STARTED;
    if (event.type == TASK_EVENT_ENDED) {
        map_remove(&host->listener->hosted, slice_of(name));
        end_hosted(hosted, event.ended.outcome, &event.ended.error);
    } else {
        hosted->callbacks.event(hosted->callbacks.context, &event);
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
    struct host *host = handle->data;
    (void)suggested;
    *ret_room = buffer_reserve(&host->line, READ_CHUNK)
                    ? uv_buf_init(host->line.data + host->line.size,
                                  (unsigned)(host->line.capacity - host->line.size))
                    : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct host *host = stream->data;
    (void)room;
    if (got > 0) {
        size_t begin = 0;
        const char *newline;
        host->line.size += (size_t)got;
        while ((newline = memchr(host->line.data + begin, '\n', host->line.size - begin))) {
            size_t end = (size_t)(newline - host->line.data);
            take_line(host, host->line.data + begin, end - begin);
            begin = end + 1;
        }
        buffer_consume(&host->line, begin);
    } else if (got < 0) {
        uv_read_stop(stream);
        if (got != UV_EOF)
            kill_host(host);
        host->silent = true;
        end_if_over(host);
    }
}

/* --- orders ------------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
    struct order *order = (struct order *)write;
    (void)status; /* a process that died is seen by its exit */
    explicit_bzero(order->text, order->size);
    free(order->text);
    free(order);
}

/* Takes the buffer's content. */
static void say(struct host *host, struct buffer *line)
{
    struct order *order = mem_zalloc(sizeof *order);
    buffer_byte(line, '\n');
    order->size = line->size;
    order->text = buffer_steal(line);
    uv_buf_t bytes = uv_buf_init(order->text, (unsigned)order->size);
    if (uv_write(&order->write, (uv_stream_t *)&host->orders, &bytes, 1, on_written) < 0)
        on_written(&order->write, 0);
}

static void say_stop(struct listener *listener, const char *name, bool now, bool forget)
{
    struct buffer line;
    struct json_writer writer;
    if (!listener->host)
        return;
    buffer_init(&line, BUFFER_UNLIMITED);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_member_string(&writer, "stop", name);
    json_member_bool(&writer, "now", now);
    json_member_bool(&writer, "forget", forget);
    json_end_object(&writer);
    say(listener->host, &line);
}

static void stop_hosted(struct child *base)
{
    struct hosted *hosted = (struct hosted *)base;
    say_stop(hosted->listener, hosted->name, hosted->stopped, false);
    hosted->stopped = true;
}

/* A thread cannot be killed: its process is, and the others' sessions with it. */
static void kill_hosted(struct child *base)
{
    struct hosted *hosted = (struct hosted *)base;
    hosted->stopped = true;
    kill_host(hosted->listener->host);
}

void listener_forget(struct listener *listener, const char *name)
{
    say_stop(listener, name, false, true);
}

void listener_leave(struct listener *listener)
{
    struct buffer line;
    if (!listener || !listener->host)
        return;
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_str(&line, "{\"leave\":true}");
    say(listener->host, &line);
}

/* --- its start ---------------------------------------------------------------------------------------- */

static void say_listen(struct host *host, const struct supervisor_ingest *options)
{
    struct buffer line;
    struct json_writer writer;
    buffer_init(&line, BUFFER_UNLIMITED);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_put_key(&writer, "listen");
    json_begin_object(&writer);
    json_member_string(&writer, "address", options->listen);
    if (options->tls_cert)
        json_member_string(&writer, "cert", options->tls_cert);
    if (options->tls_key)
        json_member_string(&writer, "key", options->tls_key);
    json_member_bool(&writer, "open", options->open);
    json_member_bool(&writer, "stay", options->stay);
    json_member_string(&writer, "dataDir", host->listener->data_dir);
    if (options->kafka)
        json_member_string(&writer, "kafka", options->kafka);
    if (options->kafka_advertise)
        json_member_string(&writer, "kafkaAdvertise", options->kafka_advertise);
    if (options->kafka_token_file)
        json_member_string(&writer, "kafkaTokenFile", options->kafka_token_file);
    json_end_object(&writer);
    json_end_object(&writer);
    say(host, &line);
}

static int spawn(struct host *host, const char *program)
{
    char task[] = "task", word[] = "ingest", spec[] = "--spec-fd", spec_fd[] = "3", events[] = "--events-fd",
         events_fd[] = "4";
    auto_free char *path = mem_strdup(program);
    char *argv[] = {path, task, word, spec, spec_fd, events, events_fd, NULL};
    uv_stdio_container_t stdio[EVENTS_FD + 1] = {
        [0] = {.flags = UV_IGNORE},
        [1] = {.flags = UV_IGNORE},
        [2] = {.flags = UV_INHERIT_FD, .data.fd = 2},
        [SPEC_FD] = {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&host->orders},
        [EVENTS_FD] = {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                       .data.stream = (uv_stream_t *)&host->events},
    };
    uv_process_options_t options = {.file = path,
                                    .args = argv,
                                    .stdio = stdio,
                                    .stdio_count = EVENTS_FD + 1,
                                    .exit_cb = on_exited,
                                    .flags = UV_PROCESS_DETACHED};
    return uv_spawn(host->listener->loop, &host->process, &options);
}

static int start_host(struct listener *listener, struct error *err)
{
    struct host *host = mem_zalloc(sizeof *host);
    host->listener = listener;
    buffer_init(&host->line, TASK_CATALOG_LINE_MAX + READ_CHUNK);
    arena_init(&host->arena);
    host->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    uv_pipe_init(listener->loop, &host->orders, 0);
    uv_pipe_init(listener->loop, &host->events, 0);
    uv_timer_init(listener->loop, &host->deadline);
    host->orders.data = host->events.data = host->process.data = host->deadline.data = host;
    host->open_handles = 4;
    int failed = spawn(host, listener->program);
    if (failed) {
        host->exited = host->silent = true;
        host->listener = NULL;
        end_if_over(host);
        error_errno(err, -failed, "cannot start the process of the push captures");
        err->retriable = true;
        return -1;
    }
    listener->host = host;
    uv_read_start((uv_stream_t *)&host->events, on_room, on_read);
    say_listen(host, listener->options);
    return 0;
}

struct child *listener_start(struct listener *listener, const char *name, struct slice spec,
                             const struct child_callbacks *callbacks, struct error *err)
{
    static const struct child_class class = {.stop = stop_hosted, .kill = kill_hosted};
    struct buffer line;
    if (!listener->host && start_host(listener, err) < 0)
        return NULL;
    struct hosted *hosted = mem_zalloc(sizeof *hosted);
    *hosted = (struct hosted){
        .base = {&class}, .listener = listener, .name = mem_strdup(name), .callbacks = *callbacks};
    map_set(&listener->hosted, slice_of(name), hosted);
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_str(&line, "{\"start\":");
    buffer_append(&line, spec.data, spec.size);
    buffer_byte(&line, '}');
    say(listener->host, &line);
    return &hosted->base;
}

struct listener *listener_new(uv_loop_t *loop, const char *program, const char *data_dir,
                              const struct supervisor_ingest *options, const struct supervisor_events *events)
{
    struct listener *listener = mem_zalloc(sizeof *listener);
    *listener = (struct listener){
        .loop = loop, .program = program, .data_dir = data_dir, .options = options, .events = events};
    map_init(&listener->hosted);
    return listener;
}

static void on_deadline(uv_timer_t *timer)
{
    kill_host(timer->data);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    struct host *host = listener->host;
    if (host) {
        host->listener = NULL;
        close_handle((uv_handle_t *)&host->orders); /* by which it knows that nothing more comes */
        uv_timer_start(&host->deadline, on_deadline, CLOSE_MS, 0);
    }
    map_done(&listener->hosted);
    free(listener);
}
