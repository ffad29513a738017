#include "supervisor/child.h"

#include <errno.h>
#include <signal.h>

enum {
    SPEC_FD = 3,
    EVENTS_FD = 4,
    READ_CHUNK = 64 << 10,
};

struct process {
    struct child base;
    struct child_callbacks callbacks;
    uv_process_t process;
    uv_pipe_t spec_pipe, events_pipe;
    uv_write_t spec_write;
    void *spec;
    struct buffer line; /* the events read so far, whole lines and the beginning of one */
    struct json_parser *parser;
    struct arena arena; /* of one event */

    bool stopped;        /* we asked it to */
    bool told;           /* its 'ended' event came: outcome and error are its own */
    bool exited, silent; /* the process; its events */
    bool broken;         /* it wrote what is no event */
    enum task_outcome outcome;
    struct error error;
    unsigned open_handles;
};

static void free_child(struct process *child)
{
    buffer_done(&child->line);
    json_parser_free(child->parser);
    arena_done(&child->arena);
    free(child->spec);
    free(child);
}

static void on_closed(uv_handle_t *handle)
{
    struct process *child = handle->data;
    if (--child->open_handles == 0)
        free_child(child);
}

static void close_handle(struct process *child, uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

/* --- the end ------------------------------------------------------------------------------------- */

/* Both are needed: the last events may be read after the exit is known. */
static void end_if_over(struct process *child)
{
    if (!child->exited || !child->silent)
        return;
    child->callbacks.ended(child->callbacks.context, child->outcome,
                           child->outcome == TASK_FAILED ? &child->error : NULL);
    close_handle(child, (uv_handle_t *)&child->process);
    close_handle(child, (uv_handle_t *)&child->spec_pipe);
    close_handle(child, (uv_handle_t *)&child->events_pipe);
}

static void on_exited(uv_process_t *process, int64_t status, int signal)
{
    struct process *child = process->data;
    child->exited = true;
    if (!child->told) {
        child->outcome = TASK_FAILED;
        if (child->broken)
            error_set(&child->error, ERROR_PROTOCOL, "the task's process wrote what is no event");
        else if (signal && child->stopped && (signal == SIGTERM || signal == SIGQUIT || signal == SIGKILL))
            child->outcome = TASK_STOPPED;
        else if (signal)
            error_set(&child->error, ERROR_IO, "the task's process died by signal %d (%s)", signal,
                      strsignal(signal));
        else
            error_set(&child->error, ERROR_IO,
                      "the task's process ended with status %lld without saying how its session went",
                      (long long)status);
        child->error.retriable = true;
    }
    end_if_over(child);
}

static void kill_group(struct process *child)
{
    if (!child->exited)
        kill(-child->process.pid, SIGKILL);
}

/* --- events -------------------------------------------------------------------------------------- */

static void take_line(struct process *child, const char *text, size_t size)
{
    struct json line;
    struct task_event event;
    struct error err;
    arena_clear(&child->arena);
    if (json_parse(child->parser, text, size, &line, &err) < 0 ||
        task_event_read(&line, &child->arena, &event, &err) < 0) {
        child->broken = true;
        kill_group(child);
        return;
    }
    if (event.type != TASK_EVENT_ENDED) {
        child->callbacks.event(child->callbacks.context, &event);
        return;
    }
    child->told = true;
    child->outcome = event.ended.outcome;
    child->error = event.ended.error;
}

static void take_lines(struct process *child)
{
    size_t begin = 0;
    const char *newline;
    while ((newline = memchr(child->line.data + begin, '\n', child->line.size - begin))) {
        size_t end = (size_t)(newline - child->line.data);
        take_line(child, child->line.data + begin, end - begin);
        begin = end + 1;
    }
    buffer_consume(&child->line, begin);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
    struct process *child = handle->data;
    (void)suggested;
    /* No room left means a line past the limit: libuv then reports UV_ENOBUFS. */
    if (!buffer_reserve(&child->line, READ_CHUNK)) {
        *ret_room = uv_buf_init(NULL, 0);
        return;
    }
    *ret_room =
        uv_buf_init(child->line.data + child->line.size, (unsigned)(child->line.capacity - child->line.size));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct process *child = stream->data;
    (void)room;
    if (got > 0) {
        child->line.size += (size_t)got;
        take_lines(child);
        return;
    }
    if (got == 0)
        return;
    uv_read_stop(stream);
    if (got != UV_EOF) {
        child->broken = true;
        kill_group(child);
    }
    child->silent = true;
    end_if_over(child);
}

/* --- start and stop ------------------------------------------------------------------------------ */

static void on_spec_written(uv_write_t *write, int status)
{
    struct process *child = write->data;
    (void)status; /* a child that died before it had read all of it is seen by its exit */
    close_handle(child, (uv_handle_t *)&child->spec_pipe);
}

static void stop_process(struct child *base)
{
    struct process *child = (struct process *)base;
    int number = child->stopped ? SIGQUIT : SIGTERM;
    child->stopped = true;
    if (!child->exited)
        uv_process_kill(&child->process, number);
}

static void kill_process(struct child *base)
{
    struct process *child = (struct process *)base;
    child->stopped = true;
    kill_group(child);
}

static const struct child_class class = {.stop = stop_process, .kill = kill_process};

struct child *child_start(uv_loop_t *loop, const char *program, struct slice spec,
                          const struct child_callbacks *callbacks, struct error *err)
{
    struct process *child = mem_zalloc(sizeof *child);
    child->base.class = &class;
    child->callbacks = *callbacks;
    child->spec = mem_dup(spec.data, spec.size);
    buffer_init(&child->line, TASK_CATALOG_LINE_MAX + READ_CHUNK);
    child->parser = json_parser_new(
        (struct json_limits){.size_max = TASK_CATALOG_LINE_MAX, .depth_max = JSON_LIMITS_DEFAULT.depth_max},
        JSON_DUPLICATES_LAST_WINS);
    uv_pipe_init(loop, &child->spec_pipe, 0);
    uv_pipe_init(loop, &child->events_pipe, 0);
    child->spec_pipe.data = child->events_pipe.data = child->process.data = child->spec_write.data = child;
    child->open_handles = 3;

    char spec_fd[] = "3", events_fd[] = "4", word[] = "task", spec_word[] = "--spec-fd",
         events_word[] = "--events-fd";
    auto_free char *path = mem_strdup(program);
    char *argv[] = {path, word, spec_word, spec_fd, events_word, events_fd, NULL};
    uv_stdio_container_t stdio[EVENTS_FD + 1] = {
        [0] = {.flags = UV_IGNORE},
        [1] = {.flags = UV_IGNORE},
        [2] = {.flags = UV_INHERIT_FD, .data.fd = 2},
        [SPEC_FD] = {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
                     .data.stream = (uv_stream_t *)&child->spec_pipe},
        [EVENTS_FD] = {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                       .data.stream = (uv_stream_t *)&child->events_pipe},
    };
    /* A session of its own: Ctrl-C at the terminal is the supervisor's to pass on. */
    uv_process_options_t options = {.file = path,
                                    .args = argv,
                                    .stdio = stdio,
                                    .stdio_count = EVENTS_FD + 1,
                                    .exit_cb = on_exited,
                                    .flags = UV_PROCESS_DETACHED};
    int failed = uv_spawn(loop, &child->process, &options);
    if (failed) {
        error_errno(err, -failed, "cannot start a task process (%s)", program);
        err->retriable = true;
        close_handle(child, (uv_handle_t *)&child->process);
        close_handle(child, (uv_handle_t *)&child->spec_pipe);
        close_handle(child, (uv_handle_t *)&child->events_pipe);
        return NULL;
    }
    uv_buf_t bytes = uv_buf_init(child->spec, (unsigned)spec.size);
    if (uv_write(&child->spec_write, (uv_stream_t *)&child->spec_pipe, &bytes, 1, on_spec_written) < 0)
        close_handle(child, (uv_handle_t *)&child->spec_pipe);
    uv_read_start((uv_stream_t *)&child->events_pipe, on_room, on_read);
    return &child->base;
}

void child_stop(struct child *child)
{
    child->class->stop(child);
}

void child_kill(struct child *child)
{
    child->class->kill(child);
}
