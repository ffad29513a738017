#include "supervisor/plan_child.h"

#include <errno.h>
#include <signal.h>

enum { REQUEST_FD = 3, ANSWERS_FD = 4, READ_CHUNK = 64 << 10, WORDS_MAX = 64 };

struct plan_child {
    struct plan_child_callbacks callbacks;
    uv_process_t process;
    uv_pipe_t request_pipe, answers_pipe;
    uv_timer_t silence;
    uv_write_t request_write;
    struct slice request;
    struct buffer line; /* of the answers: what is read of the next one */
    struct json_parser *parser;
    struct arena arena; /* of one answer */
    uint64_t silence_ms;
    bool exited, silent; /* the process; its answers */
    bool dropped;
    struct error error;
    bool failed; /* `error` is set */
    unsigned open_handles;
};

static void on_closed(uv_handle_t *handle)
{
    struct plan_child *child = handle->data;
    if (--child->open_handles > 0)
        return;
    explicit_bzero((char *)child->request.data, child->request.size);
    free((char *)child->request.data);
    if (child->line.data)
        explicit_bzero(child->line.data, child->line.capacity);
    buffer_done(&child->line);
    json_parser_free(child->parser);
    arena_done(&child->arena);
    free(child);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(struct plan_child *child)
{
    close_handle((uv_handle_t *)&child->process);
    close_handle((uv_handle_t *)&child->request_pipe);
    close_handle((uv_handle_t *)&child->answers_pipe);
    close_handle((uv_handle_t *)&child->silence);
}

/* --- the end ------------------------------------------------------------------------------------- */

/* Both are needed: the last answers may be read after the exit is known. */
static void end_if_over(struct plan_child *child)
{
    if (!child->exited || !child->silent || child->dropped)
        return;
    child->callbacks.ended(child->callbacks.context, child->failed ? &child->error : NULL);
    close_all(child);
}

/* The first reason counts. */
static void fail(struct plan_child *child, enum error_code code, const char *message)
{
    if (child->failed)
        return;
    child->failed = true;
    error_set(&child->error, code, "%s", message);
    child->error.retriable = true;
}

static void kill_group(struct plan_child *child)
{
    if (!child->exited)
        kill(-child->process.pid, SIGKILL);
}

static void on_exited(uv_process_t *process, int64_t status, int signal)
{
    struct plan_child *child = process->data;
    char text[128];
    child->exited = true;
    if (signal)
        snprintf(text, sizeof text, "the process that plans died by signal %d (%s)", signal,
                 strsignal(signal));
    else
        snprintf(text, sizeof text, "the process that plans ended with status %lld", (long long)status);
    if (signal || status)
        fail(child, ERROR_IO, text);
    uv_timer_stop(&child->silence);
    end_if_over(child);
}

static void on_silence(uv_timer_t *timer)
{
    struct plan_child *child = timer->data;
    char text[128];
    snprintf(text, sizeof text, "planning has said nothing for %.1f s, and was given up",
             (double)child->silence_ms / 1000);
    fail(child, ERROR_IO, text);
    kill_group(child);
}

/* --- answers ------------------------------------------------------------------------------------- */

static void take_line(struct plan_child *child, const char *text, size_t size)
{
    struct json line;
    struct plan_answer answer;
    struct error err;
    arena_clear(&child->arena);
    if (json_parse(child->parser, text, size, &line, &err) < 0 ||
        plan_answer_read(&line, &child->arena, &answer, &err) < 0) {
        fail(child, ERROR_PROTOCOL, "the process that plans wrote what is no answer");
        kill_group(child);
        return;
    }
    child->callbacks.answered(child->callbacks.context, &answer);
}

static void take_lines(struct plan_child *child)
{
    size_t begin = 0;
    const char *newline;
    while (!child->dropped && (newline = memchr(child->line.data + begin, '\n', child->line.size - begin))) {
        size_t end = (size_t)(newline - child->line.data);
        take_line(child, child->line.data + begin, end - begin);
        begin = end + 1;
    }
    buffer_consume(&child->line, begin);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
    struct plan_child *child = handle->data;
    (void)suggested;
    bool room = buffer_reserve(&child->line, READ_CHUNK); /* else libuv reports UV_ENOBUFS */
    *ret_room = room ? uv_buf_init(child->line.data + child->line.size,
                                   (unsigned)(child->line.capacity - child->line.size))
                     : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct plan_child *child = stream->data;
    (void)room;
    if (got > 0) {
        child->line.size += (size_t)got;
        if (!child->exited)
            uv_timer_again(&child->silence);
        take_lines(child);
        return;
    }
    if (got == 0)
        return;
    uv_read_stop(stream);
    if (got != UV_EOF) {
        fail(child, ERROR_LIMIT, "the process that plans wrote an answer past the limit");
        kill_group(child);
    }
    child->silent = true;
    end_if_over(child);
}

/* --- start and stop ------------------------------------------------------------------------------ */

static void on_request_written(uv_write_t *write, int status)
{
    struct plan_child *child = write->data;
    (void)status; /* one that died before it had read all of it is seen by its exit */
    close_handle((uv_handle_t *)&child->request_pipe);
}

static struct plan_child *new_child(uv_loop_t *loop, struct slice request,
                                    const struct plan_child_options *options,
                                    const struct plan_child_callbacks *callbacks)
{
    struct plan_child *child = mem_zalloc(sizeof *child);
    child->callbacks = *callbacks;
    child->silence_ms = options->silence_ms;
    child->request = (struct slice){mem_dup(request.data, request.size), request.size};
    buffer_init(&child->line, PLAN_ANSWER_MAX + READ_CHUNK);
    child->parser = json_parser_new(
        (struct json_limits){.size_max = PLAN_ANSWER_MAX, .depth_max = JSON_LIMITS_DEFAULT.depth_max + 8},
        JSON_DUPLICATES_LAST_WINS);
    arena_init(&child->arena);
    uv_pipe_init(loop, &child->request_pipe, 0);
    uv_pipe_init(loop, &child->answers_pipe, 0);
    uv_timer_init(loop, &child->silence);
    child->request_pipe.data = child->answers_pipe.data = child->process.data = child->silence.data =
        child->request_write.data = child;
    child->open_handles = 4;
    return child;
}

static int spawn(uv_loop_t *loop, struct plan_child *child, const struct plan_child_options *options)
{
    char *argv[WORDS_MAX] = {
        (char *)options->program, (char *)"plan", (char *)"--request-fd", (char *)"3",
        (char *)"--answer-fd",    (char *)"4",    (char *)"--data-dir",   (char *)options->data_dir};
    size_t count = 0;
    while (argv[count])
        count++;
    for (size_t i = 0; options->words && options->words[i] && count < WORDS_MAX - 1; i++)
        argv[count++] = (char *)options->words[i];
    uv_stdio_container_t stdio[ANSWERS_FD + 1] = {
        [0] = {.flags = UV_IGNORE},
        [1] = {.flags = UV_IGNORE},
        [2] = {.flags = UV_INHERIT_FD, .data.fd = 2},
        [REQUEST_FD] = {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
                        .data.stream = (uv_stream_t *)&child->request_pipe},
        [ANSWERS_FD] = {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                        .data.stream = (uv_stream_t *)&child->answers_pipe},
    };
    const uv_process_options_t how = {.file = options->program,
                                      .args = argv,
                                      .stdio = stdio,
                                      .stdio_count = ANSWERS_FD + 1,
                                      .exit_cb = on_exited,
                                      .flags = UV_PROCESS_DETACHED};
    return uv_spawn(loop, &child->process, &how);
}

struct plan_child *plan_child_start(uv_loop_t *loop, const struct plan_child_options *options,
                                    struct slice request, const struct plan_child_callbacks *callbacks,
                                    struct error *err)
{
    struct plan_child *child = new_child(loop, request, options, callbacks);
    int failed = spawn(loop, child, options);
    if (failed) {
        error_errno(err, -failed, "cannot start a process to plan in (%s)", options->program);
        err->retriable = true;
        child->exited = child->dropped = true;
        close_all(child);
        return NULL;
    }
    uv_buf_t bytes = uv_buf_init((char *)child->request.data, (unsigned)child->request.size);
    if (uv_write(&child->request_write, (uv_stream_t *)&child->request_pipe, &bytes, 1, on_request_written) <
        0)
        close_handle((uv_handle_t *)&child->request_pipe);
    uv_read_start((uv_stream_t *)&child->answers_pipe, on_room, on_read);
    uv_timer_start(&child->silence, on_silence, child->silence_ms, child->silence_ms);
    return child;
}

void plan_child_drop(struct plan_child *child)
{
    child->dropped = true;
    kill_group(child);
    close_all(child);
}
