#include "connector/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    LONG_LINE_LOOK = 4096, /* bytes of a line past the limit that are looked at, */
    LONG_LINE_SHOWN = 120, /* and shown */
};

/* One turn of a process's I/O. Nothing here blocks; every wait has an end in connector_timeout_ms. */

static size_t pending(const struct connector_process *process)
{
    return process->in < 0 ? 0 : process->input.size - process->input_sent;
}

/* It cannot go on before we do something: take its lines, or give it input. */
static bool waits_for_us(const struct connector_process *process)
{
    return connector_lines_ready(&process->lines) ||
           (process->in >= 0 && !process->input_finished && pending(process) == 0 && !process->due);
}

/* Until now it may have waited for us, and nobody looked at the clock. */
void connector_expect(struct connector_process *process, const char *due)
{
    if (due && !process->due)
        process->activity_ms = connector_now_ms();
    process->due = due;
}

/* --- polling -------------------------------------------------------------------------------------- */

size_t connector_pollfds(struct connector_process *process, struct pollfd fds[4])
{
    size_t count = 0;
    if (process->out >= 0 && !connector_lines_ready(&process->lines))
        fds[count++] = (struct pollfd){process->out, POLLIN, 0};
    if (process->err >= 0)
        fds[count++] = (struct pollfd){process->err, POLLIN, 0};
    if (process->in >= 0 && pending(process))
        fds[count++] = (struct pollfd){process->in, POLLOUT, 0};
    if (process->pidfd >= 0 && !process->exited)
        fds[count++] = (struct pollfd){process->pidfd, POLLIN, 0};
    return count;
}

static void sooner(uint64_t *deadline, uint64_t since, uint64_t after_ms)
{
    if (since + after_ms < *deadline)
        *deadline = since + after_ms;
}

/* A dead connector's children may still write: the linger runs from the last byte. */
static uint64_t linger_since(const struct connector_process *process)
{
    return process->activity_ms > process->exit_ms ? process->activity_ms : process->exit_ms;
}

/* Its output is closed, and it lives on: its time to exit runs. */
static bool may_overstay(const struct connector_process *process)
{
    return process->out < 0 && process->limits.exit_ms && !process->stopping && !process->killed &&
           !process->exited;
}

int connector_timeout_ms(const struct connector_process *process)
{
    uint64_t now = connector_now_ms(), deadline = UINT64_MAX;
    bool open = process->out >= 0 || process->err >= 0;
    if (process->exited && connector_lines_ready(&process->lines))
        return -1; /* the owner's turn */
    if (process->pidfd < 0)
        return open ? 0 : -1;
    if (process->exited)
        sooner(&deadline, linger_since(process), open && !process->killed ? CONNECTOR_LINGER_MS : 0);
    if (process->stopping && !process->killed)
        sooner(&deadline, process->stop_ms, process->limits.stop_ms);
    if (may_overstay(process))
        sooner(&deadline, process->ended_ms, process->limits.exit_ms);
    if (process->input_broken && !process->killed && !process->exited)
        sooner(&deadline, process->broken_ms, process->limits.stop_ms);
    if (process->limits.stall_ms && !process->killed && !process->exited)
        sooner(&deadline, process->activity_ms, process->limits.stall_ms);
    if (deadline == UINT64_MAX)
        return -1;
    uint64_t left = deadline > now ? deadline - now : 0;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

/* --- stdin ---------------------------------------------------------------------------------------- */

/* A write to a pipe that nobody reads raises SIGPIPE. How a program treats it is not ours to set, so it is
 * held back for the one call and, if it came, taken away. */
static ssize_t write_quietly(int fd, const char *bytes, size_t size)
{
    sigset_t pipe_signal, before, waiting;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t count;
    do
        count = write(fd, bytes, size);
    while (count < 0 && errno == EINTR);
    int failure = errno;
    if (count < 0 && failure == EPIPE && !sigismember(&waiting, SIGPIPE)) {
        const struct timespec now = {0};
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return count;
}

static void close_input(struct connector_process *process)
{
    mem_close_cleanup(&process->in);
    process->in = -1;
    buffer_done(&process->input);
    buffer_init(&process->input, BUFFER_UNLIMITED);
    process->input_sent = 0;
}

/* Everything is in the pipe: the other end is told so. What of it was read, the pipe alone knows, so it is
 * kept open for reading, which nobody does. */
static void end_input(struct connector_process *process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", process->in);
    if (process->reads_all)
        process->in_unread = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    close_input(process);
}

static void break_input(struct connector_process *process)
{
    process->input_broken = true;
    process->input_lost = pending(process);
    process->broken_ms = connector_now_ms();
    close_input(process);
}

/* Drop what is written once it is the larger part, so that each byte is moved at most once. */
static void compact_input(struct connector_process *process)
{
    if (process->input_sent * 2 < process->input.size)
        return;
    buffer_consume(&process->input, process->input_sent);
    process->input_sent = 0;
}

static void flush_input(struct connector_process *process)
{
    while (pending(process)) {
        ssize_t count =
            write_quietly(process->in, process->input.data + process->input_sent, pending(process));
        if (count < 0) {
            if (errno != EAGAIN)
                break_input(process);
            process->input_full = pending(process);
            return;
        }
        process->input_sent += (size_t)count;
        process->activity_ms = connector_now_ms();
        compact_input(process);
    }
    process->input_full = 0;
    if (process->in >= 0 && process->input_finished)
        end_input(process);
}

/* What does not fit waits for a poll, and is not tried again with each line that follows. */
void connector_send(struct connector_process *process, struct slice bytes)
{
    assert(!process->input_finished);
    if (process->in < 0) {
        process->input_lost += bytes.size;
        return;
    }
    buffer_append(&process->input, bytes.data, bytes.size);
    if (pending(process) >= process->input_full + CONNECTOR_SEND_AT_ONCE)
        flush_input(process);
}

size_t connector_pending_input(const struct connector_process *process)
{
    return pending(process);
}

size_t connector_unread_input(const struct connector_process *process)
{
    int in_pipe = 0;
    if (process->in < 0 || ioctl(process->in, FIONREAD, &in_pipe) < 0)
        in_pipe = 0;
    return pending(process) + (size_t)in_pipe;
}

void connector_finish_input(struct connector_process *process)
{
    if (process->input_finished)
        return;
    process->input_finished = true;
    if (process->in >= 0)
        flush_input(process);
}

/* --- stdout and stderr ---------------------------------------------------------------------------- */

int connector_next_line(struct connector_process *process, struct slice *ret_line)
{
    return connector_lines_next(&process->lines, ret_line);
}

bool connector_output_ended(const struct connector_process *process)
{
    return process->lines.ended && process->lines.start == process->lines.end;
}

static void end_output(struct connector_process *process)
{
    mem_close_cleanup(&process->out);
    process->out = -1;
    process->lines.ended = true;
    process->ended_ms = connector_now_ms();
}

static void end_errors(struct connector_process *process)
{
    mem_close_cleanup(&process->err);
    process->err = -1;
    connector_logs_end(&process->logs);
}

/* The stream that the beginning of a message names, or nothing. */
static struct slice find_stream(struct slice text)
{
    static const char member[] = "\"stream\"";
    const char *at = memmem(text.data, text.size, member, sizeof member - 1), *end = text.data + text.size;
    if (!at)
        return (struct slice){0};
    for (at += sizeof member - 1; at < end && (*at == ' ' || *at == ':');)
        at++;
    if (at == end || *at != '"')
        return (struct slice){0};
    at++;
    const char *quote = memchr(at, '"', (size_t)(end - at));
    return quote ? (struct slice){at, (size_t)(quote - at)} : (struct slice){0};
}

static void describe_limit(size_t limit, char *text, size_t size)
{
    if (limit == connector_limits_default.line_max)
        snprintf(text, size, "65 MiB (a document may have 64 MiB)");
    else
        snprintf(text, size, "%zu bytes", limit);
}

static void long_line(const struct connector_process *process, struct error *err)
{
    const struct connector_lines *lines = &process->lines;
    struct slice line = {lines->data + lines->start, lines->end - lines->start};
    struct buffer masked;
    buffer_init(&masked, (size_t)4 * LONG_LINE_LOOK);
    connector_mask_cut(process, line, LONG_LINE_LOOK, &masked);
    struct slice shown = {buffer_cstr(&masked), masked.size}, stream = find_stream(shown);
    char begins[LONG_LINE_SHOWN + 1], limit[64], of[LONG_LINE_SHOWN + 32] = "";
    snprintf(begins, sizeof begins, "%.*s", (int)utf8_cut(shown.data, shown.size, LONG_LINE_SHOWN),
             shown.data);
    string_one_line(begins);
    if (stream.size)
        snprintf(of, sizeof of, ", of the stream '%.*s'",
                 (int)utf8_cut(stream.data, stream.size, LONG_LINE_SHOWN), stream.data);
    string_one_line(of);
    describe_limit(process->limits.line_max, limit, sizeof limit);
    error_set(
        err, ERROR_LIMIT,
        "%s wrote a line longer than the limit of %s: line %llu of its output%s; right would be smaller "
        "documents, or to leave their largest fields out; it begins: %s...",
        process->label, limit, (unsigned long long)lines->taken + 1, of, begins);
    connector_add_logs(process, err);
    buffer_done(&masked);
}

/* `last`: nobody is left to write, so an empty pipe is its end. */
static int read_output(struct connector_process *process, bool last, struct error *err)
{
    ssize_t count = connector_lines_fill(&process->lines, process->out);
    if (count == -2) {
        long_line(process, err);
        end_output(process);
        process->lines.start = process->lines.scanned = process->lines.end;
        return connector_fail(process);
    }
    if (count > 0)
        process->activity_ms = connector_now_ms();
    else if (count == 0 || last || errno != EAGAIN)
        end_output(process);
    return 0;
}

static void read_errors(struct connector_process *process, bool last)
{
    char bytes[16 << 10];
    ssize_t count;
    do
        count = read(process->err, bytes, sizeof bytes);
    while (count < 0 && errno == EINTR);
    if (count > 0) {
        process->activity_ms = connector_now_ms();
        connector_logs_feed(&process->logs, (struct slice){bytes, (size_t)count});
    } else if (count == 0 || last || errno != EAGAIN) {
        end_errors(process);
    }
}

/* --- one turn ------------------------------------------------------------------------------------- */

static int do_ready(struct connector_process *process, struct error *err)
{
    struct pollfd fds[4];
    size_t count = connector_pollfds(process, fds);
    if (count == 0 || poll(fds, count, 0) <= 0)
        return 0;
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        if (!fds[i].revents)
            continue;
        if (fds[i].fd == process->out)
            result = read_output(process, false, err);
        else if (fds[i].fd == process->err)
            read_errors(process, false);
        else if (fds[i].fd == process->in)
            flush_input(process);
        else if (fds[i].fd == process->pidfd)
            connector_notice_exit(process);
        if (result < 0)
            return -1;
    }
    return 0;
}

void connector_add_logs(const struct connector_process *process, struct error *err)
{
    struct buffer text;
    buffer_init(&text, ERROR_MESSAGE_MAX - 1);
    buffer_str(&text, err->message);
    connector_logs_describe(&process->logs, &text);
    memcpy(err->message, buffer_cstr(&text), text.size + 1);
    buffer_done(&text);
}

static int stalls(struct connector_process *process, struct error *err)
{
    const char *due = process->due;
    error_set(err, ERROR_CONNECTOR, "%s stalls: for %llu ms it has neither written nor read anything%s%s%s",
              process->label, (unsigned long long)process->limits.stall_ms, due ? ", where " : "",
              due ? due : "", due ? " was due" : "");
    connector_add_logs(process, err);
    err->retriable = true;
    return connector_fail(process);
}

static int refuses_input(struct connector_process *process, struct error *err)
{
    error_set(err, ERROR_CONNECTOR,
              "%s closed its input while %zu bytes were still to be sent, and does not exit", process->label,
              process->input_lost);
    connector_add_logs(process, err);
    return connector_fail(process);
}

/* What has run out of time. */
static int check_times(struct connector_process *process, struct error *err)
{
    uint64_t now = connector_now_ms(), stop_ms = process->limits.stop_ms, stall_ms = process->limits.stall_ms;
    if (process->killed)
        return 0;
    if (process->stopping && now - process->stop_ms >= stop_ms) {
        process->stop_expired = !process->exited; /* else only children of its are left */
        connector_kill(process);
    }
    if (process->exited || process->killed)
        return 0;
    if (may_overstay(process) && now - process->ended_ms >= process->limits.exit_ms) {
        process->overstayed = true;
        connector_stop(process);
    }
    if (process->input_broken && now - process->broken_ms >= stop_ms)
        return refuses_input(process, err);
    if (waits_for_us(process))
        process->activity_ms = now;
    else if (stall_ms && now - process->activity_ms >= stall_ms)
        return stalls(process, err);
    return 0;
}

/* After the exit: wait for the rest of the output, but not for ever on a child of its that holds the pipe. */
static int finish(struct connector_process *process, struct error *err)
{
    if (!process->exited)
        return 0;
    bool open = process->out >= 0 || process->err >= 0;
    if (process->pidfd >= 0) {
        if (open && !process->killed &&
            (connector_lines_ready(&process->lines) ||
             connector_now_ms() - linger_since(process) < CONNECTOR_LINGER_MS))
            return 0;
        connector_reap(process);
    }
    /* Its group is dead; what it wrote is in the pipes, and nothing will follow. */
    if (process->err >= 0)
        read_errors(process, true);
    if (process->out >= 0 && !connector_lines_ready(&process->lines))
        return read_output(process, true, err);
    return 0;
}

int connector_service(struct connector_process *process, struct error *err)
{
    if (do_ready(process, err) < 0 || check_times(process, err) < 0)
        return -1;
    return finish(process, err);
}

bool connector_exited(const struct connector_process *process)
{
    return process->exited && process->pidfd < 0 && process->err < 0 && process->out < 0 &&
           connector_output_ended(process);
}
