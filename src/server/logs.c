/* The log of a job's attempt, whole: what answers of Airbyte's APIs show only the end of. */
#include "server/handlers.h"
#include "server/internal.h"

#include "supervisor/job_log.h"

#include <inttypes.h>

enum {
    DOWNLOAD_MAX = 64 << 20, /* bytes of one answer; where to go on is said */
    TEXT_MAX = 16 << 20,     /* of the log's end as text */
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

static void name_file(struct call *call, int64_t job, uint64_t number, const char *ending)
{
    http_answer_header(call->http, "Content-Disposition",
                       arena_printf(call->arena,
                                    "attachment; filename=\"job-%" PRId64 "-attempt-%" PRIu64 ".%s\"", job,
                                    number, ending));
}

/* Whole lines of JSON from an offset on, over all the files that there are. */
static enum http_next answer_lines(struct call *call, int64_t job, uint32_t number, uint64_t from)
{
    struct buffer *out = &call->http->answer;
    struct error err;
    for (uint64_t next;; from = next) {
        size_t before = out->size;
        if (before >= DOWNLOAD_MAX)
            break;
        if (job_log_read(call->server->options.data_dir, job, number, from, DOWNLOAD_MAX - before, out, &next,
                         &err) < 0) {
            buffer_clear(out);
            return call_error(call, &err);
        }
        if (out->size == before) { /* all that there is */
            from = next;
            break;
        }
    }
    http_answer_header(call->http, "Firth-Next-Offset", arena_printf(call->arena, "%" PRIu64, from));
    name_file(call, job, number, "jsonl");
    call->http->status = 200;
    call->http->content_type = "application/x-ndjson";
    return HTTP_ANSWER;
}

static enum http_next answer_text(struct call *call, int64_t job, uint32_t number)
{
    struct buffer *out = &call->http->answer;
    struct error err;
    if (job_log_tail(call->server->options.data_dir, job, number, TEXT_MAX, out, &err) < 0) {
        buffer_clear(out);
        return call_error(call, &err);
    }
    name_file(call, job, number, "log");
    call->http->status = 200;
    call->http->content_type = "text/plain; charset=utf-8";
    return HTTP_ANSWER;
}

enum http_next firth_job_log(struct call *call)
{
    const char *from = http_query(call->http, "from", 0), *format = http_query(call->http, "format", 0);
    bool text = format && strcmp(format, "text") == 0;
    uint64_t job, number, offset = 0;
    if (!string_to_u64(call->arguments[0], INT64_MAX, &job))
        return call_absent(call, "job", call->arguments[0]);
    if (!string_to_u64(call->arguments[1], UINT32_MAX, &number))
        return call_absent(call, "attempt", call->arguments[1]);
    if (from && (text || !string_to_u64(from, INT64_MAX, &offset)))
        return call_invalid(call, "from",
                            "from: an offset of the log's lines as JSON is wanted, as "
                            "Firth-Next-Offset tells it");
    if (format && !text && strcmp(format, "json") != 0)
        return call_invalid(call, "format", "format: json (lines of JSON) or text is wanted");
    if (!find_attempt(call, (int64_t)job, number))
        return HTTP_ANSWER;
    return text ? answer_text(call, (int64_t)job, (uint32_t)number)
                : answer_lines(call, (int64_t)job, (uint32_t)number, offset);
}
