/* The log of a job's attempt, whole: what answers of Airbyte's APIs show only the end of; and that of a
 * deployed task. */
#include "server/handlers.h"
#include "server/internal.h"

#include "supervisor/job_log.h"
#include "supervisor/log_files.h"
#include "supervisor/log_places.h"

#include <inttypes.h>

enum {
    DOWNLOAD_MAX = 64 << 20, /* bytes of one answer; where to go on is said */
};

static bool find_attempt(struct call *call, int64_t job, uint64_t number)
{
    struct control_attempt *attempts;
    struct error err;
    size_t count;
    if (control_job_attempts(call->control, job, call->arena, &attempts, &count, &err) < 0) {
        call_error_of(call, &err, "job", call->arguments[0]);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (attempts[i].number == number)
            return true;
    }
    call_fail(call, 404, "job %" PRId64 " has no attempt %" PRIu64, job, number);
    return false;
}

/* A log: where it lies, and what a copy of it is called. */
struct kept_log {
    const char *folder, *name;
    enum log_places places;
};

static void name_file(struct call *call, const struct kept_log *log, const char *ending)
{
    http_answer_header(call->http, "Content-Disposition",
                       arena_printf(call->arena, "attachment; filename=\"%s.%s\"", log->name, ending));
}

/* Whole lines of JSON from an offset on, over all the files that there are. */
static enum http_next answer_lines(struct call *call, const struct kept_log *log, uint64_t from)
{
    struct buffer *out = &call->http->answer;
    struct error err;
    for (uint64_t next;; from = next) {
        size_t before = out->size;
        if (before >= DOWNLOAD_MAX)
            break;
        if (log_places_read(log->folder, log->places, from, DOWNLOAD_MAX - before, out, &next, &err) < 0) {
            buffer_clear(out);
            return call_error(call, &err);
        }
        if (out->size == before) { /* all that there is */
            from = next;
            break;
        }
    }
    http_answer_header(call->http, "Firth-Next-Offset", arena_printf(call->arena, "%" PRIu64, from));
    name_file(call, log, "jsonl");
    call->http->status = 200;
    call->http->content_type = "application/x-ndjson";
    return HTTP_ANSWER;
}

/* Its end, if all of it is too much; then its first line says so. */
static enum http_next answer_text(struct call *call, const struct kept_log *log)
{
    struct buffer *out = &call->http->answer;
    struct error err;
    uint64_t left = 0;
    if (log_places_tail(log->folder, log->places, DOWNLOAD_MAX, out, &left, &err) < 0) {
        buffer_clear(out);
        return call_error(call, &err);
    }
    const char *note = arena_printf(call->arena,
                                    "The first %" PRIu64
                                    " bytes of the log are left out here. As lines of JSON all of it is "
                                    "had, piece by piece: from=0, without format=text.\n",
                                    left);
    if (left && buffer_reserve(out, strlen(note))) {
        memmove(out->data + strlen(note), out->data, out->size);
        memcpy(out->data, note, strlen(note));
        out->size += strlen(note);
    }
    name_file(call, log, "log");
    call->http->status = 200;
    call->http->content_type = "text/plain; charset=utf-8";
    return HTTP_ANSWER;
}

/* As `from` and `format` ask for it. */
static enum http_next answer_log(struct call *call, const struct kept_log *log)
{
    const char *from = http_query(call->http, "from", 0), *format = http_query(call->http, "format", 0);
    bool text = format && strcmp(format, "text") == 0;
    uint64_t offset = 0;
    if (from && (text || !string_to_u64(from, INT64_MAX, &offset)))
        return call_invalid(call, "from",
                            "from: an offset of the log's lines as JSON is wanted, as "
                            "Firth-Next-Offset tells it");
    if (format && !text && strcmp(format, "json") != 0)
        return call_invalid(call, "format", "format: json (lines of JSON) or text is wanted");
    return text ? answer_text(call, log) : answer_lines(call, log, offset);
}

enum http_next firth_job_log(struct call *call)
{
    uint64_t job, number;
    if (!string_to_u64(call->arguments[0], INT64_MAX, &job))
        return call_absent(call, "job", call->arguments[0]);
    if (!string_to_u64(call->arguments[1], UINT32_MAX, &number))
        return call_absent(call, "attempt", call->arguments[1]);
    if (!find_attempt(call, (int64_t)job, number))
        return HTTP_ANSWER;
    auto_free char *folder = job_log_folder(call->server->options.data_dir, (int64_t)job, (uint32_t)number);
    return answer_log(
        call,
        &(struct kept_log){.folder = folder,
                           .name = arena_printf(call->arena, "job-%" PRIu64 "-attempt-%" PRIu64, job, number),
                           .places = LOG_PLACES_BY_OFFSET});
}

/* A name that any system takes for a file's. */
static const char *file_name(struct call *call, const char *task)
{
    char *name = arena_strdup(call->arena, task);
    for (char *at = name; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!plain && !strchr("-_.", *at))
            *at = '-';
    }
    return name;
}

enum http_next firth_task_log(struct call *call)
{
    const char *task = http_query(call->http, "task", 0);
    struct control_task *tasks;
    struct error err;
    size_t count, at = 0;
    if (!task || !*task)
        return call_invalid(call, "task", "task: the name of a task that is deployed is wanted");
    if (control_tasks(call->control, call->arena, &tasks, &count, &err) < 0)
        return call_error(call, &err);
    while (at < count && strcmp(tasks[at].name, task) != 0)
        at++;
    if (at == count)
        return call_absent(call, "deployed task", task);
    auto_free char *folder = log_files_folder(call->server->options.data_dir, task);
    return answer_log(
        call,
        &(struct kept_log){.folder = folder, .name = file_name(call, task), .places = LOG_PLACES_NUMBERED});
}
