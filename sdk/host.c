#include "host.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int(firth_fail)(struct firth_error *err, enum firth_failure failure, const char *format, ...)
{
    err->failure = failure;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return -1;
}

int(sdk_error)(struct firth_error *ret_error, const struct error *err)
{
    enum firth_failure failure = FIRTH_FAILURE_SYSTEM;
    if (err->code == ERROR_INVALID || err->code == ERROR_NOT_FOUND || err->code == ERROR_LIMIT ||
        err->code == ERROR_UNSUPPORTED)
        failure = FIRTH_FAILURE_CONFIG;
    else if (err->retriable)
        failure = FIRTH_FAILURE_TRANSIENT;
    return firth_fail(ret_error, failure, "%s", err->message);
}

/* A few nanoseconds, a few milliseconds coarse: cheap enough to ask for every record. */
static int64_t coarse_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t sdk_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sdk_host_init(struct firth_host *host, const struct firth_connector_class *class_,
                   const struct sdk_face *face, int fd, const volatile sig_atomic_t *stop)
{
    *host = (struct firth_host){.class_ = class_, .face = face, .task = "", .fd = fd, .stop = stop};
    buffer_init(&host->out, 2 * (size_t)SDK_LINE_MAX);
    arena_init(&host->scratch);
    arena_init(&host->values);
    buffer_init(&host->key, BUFFER_UNLIMITED);
    buffer_init(&host->did, ERROR_MESSAGE_MAX);
    host->parser = json_parser_new(
        (struct json_limits){.size_max = SDK_LINE_MAX, .depth_max = JSON_LIMITS_DEFAULT.depth_max},
        JSON_DUPLICATES_LAST_WINS);
    host->now_ms = host->flushed_ms = coarse_now_ms();
}

void sdk_host_done(struct firth_host *host)
{
    sdk_own_close(host);
    for (size_t i = 0; i < host->stream_count; i++) {
        free((char *)host->streams[i].head.data);
        buffer_done(&host->streams[i].last_state);
    }
    free(host->streams);
    json_parser_free(host->parser);
    arena_done(&host->scratch);
    arena_done(&host->values);
    buffer_done(&host->key);
    buffer_done(&host->did);
    buffer_done(&host->out);
}

int sdk_host_fail(struct firth_host *host, enum firth_failure failure, const char *format, ...)
{
    if (host->failed)
        return -1; /* the first reason is the reason */
    host->failed = true;
    host->error.failure = failure;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(host->error.message, sizeof host->error.message, format, arguments);
    va_end(arguments);
    return -1;
}

bool firth_stopping(const struct firth_host *host)
{
    return *host->stop != 0;
}

bool sdk_host_must_stop(const struct firth_host *host)
{
    return firth_stopping(host) && !host->face->may_go_on(host);
}

const void *firth_family(const struct firth_host *host)
{
    return host->class_->family;
}

bool firth_speaks_flow(const struct firth_host *host)
{
    return host->face == &sdk_face_flow;
}

bool sdk_is_checking(const struct firth_host *host)
{
    return host->checking;
}

const char *firth_task(const struct firth_host *host)
{
    return host->task;
}

void sdk_join_lines(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            bytes[i] = ' ';
    }
}

/* Wait until a little can be written. Once we are to stop, a reader that has stopped reading must not keep
 * us; before, we wait for as long as it takes. */
static int wait_for_room(struct firth_host *host)
{
    struct pollfd ready = {.fd = host->fd, .events = POLLOUT};
    int timeout = firth_stopping(host) ? SDK_STOP_WRITE_MS : -1;
    int got = poll(&ready, 1, timeout);
    if (got < 0 && errno != EINTR)
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "cannot wait for the output: %s", strerror(errno));
    if (got == 0)
        return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "asked to stop, and nobody reads the output");
    return 0;
}

/* Whole lines to the output, through short writes, EINTR and pipes that somebody made non-blocking. */
int sdk_host_write(struct firth_host *host, const char *bytes, size_t size)
{
    enum { PIECE_WHEN_STOPPING = 4096 }; /* poll promises room for so much in a pipe (PIPE_BUF) */
    size_t done = 0;
    while (done < size && !host->gone) {
        size_t piece = size - done;
        if (firth_stopping(host)) {
            if (wait_for_room(host) < 0)
                return -1;
            piece = piece < PIECE_WHEN_STOPPING ? piece : PIECE_WHEN_STOPPING;
        }
        ssize_t written = write(host->fd, bytes + done, piece);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno == EAGAIN) {
            if (wait_for_room(host) < 0)
                return -1;
        } else if (errno == EPIPE) {
            host->gone = true;
            sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "whoever read the output has gone away");
        } else if (errno != EINTR) {
            return sdk_host_fail(host, FIRTH_FAILURE_SYSTEM, "cannot write the output: %s", strerror(errno));
        }
    }
    return host->gone ? -1 : 0;
}

int sdk_host_flush(struct firth_host *host)
{
    int result = sdk_host_write(host, host->out.data, host->out.size);
    /* A single huge record must not leave its buffer behind. */
    if (host->out.capacity > 16 * (size_t)SDK_FLUSH_SIZE)
        buffer_done(&host->out);
    buffer_clear(&host->out);
    host->flushed_ms = host->now_ms;
    return result;
}

int sdk_host_flush_if_due(struct firth_host *host)
{
    host->now_ms = coarse_now_ms();
    if (host->out.size >= SDK_FLUSH_SIZE || host->now_ms - host->flushed_ms >= SDK_FLUSH_MS)
        return sdk_host_flush(host);
    return 0;
}

void firth_log(struct firth_host *host, enum firth_log_level level, const char *format, ...)
{
    static const enum log_level levels[] = {[FIRTH_DEBUG] = LOG_DEBUG,
                                            [FIRTH_INFO] = LOG_INFO,
                                            [FIRTH_WARN] = LOG_WARN,
                                            [FIRTH_ERROR] = LOG_ERROR};
    char text[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    struct slice line = {text, (size_t)length};
    if (line.size >= sizeof text)
        line.size = utf8_cut(text, sizeof text - 1, sizeof text - 4);
    host->face->log(host, levels[level], line);
}
