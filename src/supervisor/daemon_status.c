/* What the daemon answers to {"do":"status"}: what is known of each task only while it runs. The rest lies in
 * the control store, for everybody to read. */
#include "supervisor/daemon_state.h"

#include <math.h>
#include <unistd.h>

static const double RATE_SECONDS = 10, SILENCE_MS = 2000;

const char *daemon_state_name(enum daemon_task_state state)
{
    static const char *const names[DAEMON_TASK_STATE_COUNT] = {"disabled", "preparing",   "running", "queued",
                                                               "waiting",  "backing off", "failed",  "done"};
    return names[state];
}

/* A task in which nothing moves reports nothing: silence counts against its rate. */
static double fade(const struct daemon_live *live, double rate, uint64_t now_ms)
{
    double silent = (double)(now_ms - live->measured_ms);
    return silent > SILENCE_MS ? rate * exp(-(silent - SILENCE_MS) / 1000 / RATE_SECONDS) : rate;
}

static void write_task(struct json_writer *writer, const struct daemon_task *task, uint64_t now_ms)
{
    const struct daemon_live *live = &task->live;
    json_begin_object(writer);
    json_member_string(writer, "name", task->name);
    json_member_string(writer, "state", daemon_state_name(task->state));
    json_member_i64(writer, "dueMs", task->facts.due_ms);
    if (task->state == DAEMON_TASK_RUNNING) {
        json_member_u64(writer, "documents", live->documents);
        json_member_u64(writer, "bytes", live->bytes);
        json_member_u64(writer, "taken", live->taken);
        json_member_u64(writer, "takenBytes", live->taken_bytes);
        json_member_double(writer, "documentRate", fade(live, live->document_rate, now_ms));
        json_member_double(writer, "byteRate", fade(live, live->byte_rate, now_ms));
        if (live->lag_ms >= 0)
            json_member_i64(writer, "lagMs", live->lag_ms);
    }
    json_end_object(writer);
}

const char *daemon_url(const struct daemon *daemon)
{
    return daemon->guest ? daemon->guest->url(daemon->guest->context) : NULL;
}

void daemon_figures(const struct daemon *daemon, struct daemon_figures *ret_figures)
{
    const struct map_entry *entry;
    *ret_figures = (struct daemon_figures){.sessions_begun = daemon->sessions.begun,
                                           .sessions_failed = daemon->sessions.failed,
                                           .documents = daemon->sessions.documents,
                                           .bytes = daemon->sessions.bytes,
                                           .lag_ms = -1,
                                           .pushed = daemon->pushed};
    for (size_t at = 0; (entry = map_next(&daemon->tasks, &at));) {
        const struct daemon_task *task = entry->value;
        if (task->gone)
            continue;
        ret_figures->tasks[task->state]++;
        if (task->state == DAEMON_TASK_RUNNING && task->live.lag_ms > ret_figures->lag_ms)
            ret_figures->lag_ms = task->live.lag_ms;
    }
}

void daemon_write_status(struct daemon *daemon, struct buffer *out)
{
    struct json_writer writer;
    const struct map_entry *entry;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_bool(&writer, "ok", true);
    json_member_i64(&writer, "pid", getpid());
    json_member_i64(&writer, "startedMs", daemon->started_ms);
    json_member_u64(&writer, "revision", daemon->revision);
    if (daemon_url(daemon))
        json_member_string(&writer, "url", daemon_url(daemon));
    if (daemon->ingest_url)
        json_member_string(&writer, "ingestUrl", daemon->ingest_url);
    json_put_key(&writer, "tasks");
    json_begin_array(&writer);
    for (size_t at = 0; (entry = map_next(&daemon->tasks, &at));)
        write_task(&writer, entry->value, uv_now(daemon->loop));
    json_end_array(&writer);
    json_end_object(&writer);
}
