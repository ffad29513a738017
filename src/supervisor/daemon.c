#include "supervisor/daemon.h"

#include "supervisor/daemon_state.h"
#include "supervisor/definitions.h"
#include "supervisor/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    LAST_FACTS_TRIES = 20,
    ANSWER_MS = 10 * 1000, /* a deploy waits so long for its tasks to be planned */
};

/* --- being asked --------------------------------------------------------------------------------- */

static void log_changes(const struct daemon *daemon, const struct daemon_changes *changes)
{
    log_info(daemon->options->log, "deployed: %zu added, %zu changed, %zu removed, %zu in all",
             changes->added, changes->changed, changes->removed, daemon->tasks.count);
}

static void write_changes(const struct daemon_changes *changes, struct buffer *answer)
{
    struct json_writer writer;
    json_writer_init(&writer, answer);
    json_begin_object(&writer);
    json_member_bool(&writer, "ok", true);
    json_member_u64(&writer, "added", changes->added);
    json_member_u64(&writer, "changed", changes->changed);
    json_member_u64(&writer, "removed", changes->removed);
    json_member_u64(&writer, "failed", changes->failed);
    json_end_object(&writer);
}

static void answer_one(struct daemon *daemon, struct daemon_held **at)
{
    struct daemon_held *held = *at;
    struct buffer text;
    *at = held->next;
    buffer_init(&text, TALK_REQUEST_MAX);
    write_changes(&held->changes, &text);
    talk_server_answer(daemon->talk, held->turn, (struct slice){text.data, text.size});
    buffer_done(&text);
    free(held);
}

void daemon_answer_held(struct daemon *daemon)
{
    for (struct daemon_held **at = &daemon->held; *at;) {
        if (daemon_planning_since(daemon, (*at)->number))
            at = &(*at)->next;
        else
            answer_one(daemon, at);
    }
}

static void answer_all(struct daemon *daemon)
{
    while (daemon->held)
        answer_one(daemon, &daemon->held);
}

/* Those who wait for an image have waited long enough. */
static void on_answer_due(uv_timer_t *timer)
{
    answer_all(timer->data);
}

static void hold(struct daemon *daemon, uint64_t turn, uint64_t number, const struct daemon_changes *changes)
{
    struct daemon_held *held = mem_alloc(sizeof *held);
    *held = (struct daemon_held){daemon->held, number, turn, *changes};
    daemon->held = held;
    uv_timer_start(&daemon->answer_due, on_answer_due, ANSWER_MS, 0);
}

/* -1: `err` says why what is deployed cannot be read. */
static int reload(struct daemon *daemon, struct daemon_changes *ret_changes, struct error *err)
{
    *ret_changes = (struct daemon_changes){0};
    if (daemon_reload(daemon, false, ret_changes, err) < 0) {
        log_error(daemon->options->log, "what is deployed cannot be read: %s", err->message);
        return -1;
    }
    if (ret_changes->added || ret_changes->changed || ret_changes->removed)
        log_changes(daemon, ret_changes);
    return 0;
}

static void answer_reload(struct daemon *daemon, struct buffer *answer, struct talk_turn *turn)
{
    struct daemon_changes changes;
    struct error err;
    uint64_t number = daemon->plan_number;
    if (reload(daemon, &changes, &err) < 0) {
        struct json_writer writer;
        json_writer_init(&writer, answer);
        json_begin_object(&writer);
        json_member_bool(&writer, "ok", false);
        json_member_string(&writer, "error", err.message);
        json_end_object(&writer);
    } else if (daemon_planning_since(daemon, number)) {
        turn->later = true;
        hold(daemon, turn->id, number, &changes);
    } else {
        write_changes(&changes, answer);
    }
}

static void on_asked(void *context, const struct json *request, struct buffer *answer, struct talk_turn *turn)
{
    struct daemon *daemon = context;
    uint32_t what = json_get(request, 0, "do");
    if (json_is(request, what, JSON_STRING) && json_string_is(request, what, "status")) {
        daemon_write_status(daemon, answer);
    } else if (json_is(request, what, JSON_STRING) && json_string_is(request, what, "reload")) {
        turn->watched = false;
        answer_reload(daemon, answer, turn);
    } else if (json_is(request, what, JSON_STRING) && json_string_is(request, what, "deploying")) {
        turn->watched = true;
        buffer_str(answer, "{\"ok\":true}");
    } else if (json_is(request, what, JSON_STRING) && daemon->jobs && json_string_is(request, what, "wake")) {
        jobs_wake(daemon->jobs);
        buffer_str(answer, "{\"ok\":true}");
    } else {
        buffer_str(answer,
                   "{\"ok\":false,\"error\":\"the request is none of status, deploying, reload, wake\"}");
    }
}

/* A deploy that ended without a word: it may have been killed behind its commit. */
static void on_gone(void *context)
{
    struct daemon_changes changes;
    struct error ignored;
    (void)reload(context, &changes, &ignored);
}

/* --- its life ------------------------------------------------------------------------------------ */

static void tell_ready(struct daemon *daemon)
{
    char text[128];
    snprintf(text, sizeof text, "READY=1\nSTATUS=%zu task%s", daemon->tasks.count,
             daemon->tasks.count == 1 ? "" : "s");
    notify_tell(daemon->options->notify, text);
}

static int open_jobs(struct daemon *daemon, struct error *err)
{
    const struct daemon_options *options = daemon->options;
    const struct jobs_options jobs = {.program = options->program,
                                      .built_ins = options->built_ins,
                                      .data_dir = options->data_dir,
                                      .control = options->control,
                                      .log = options->log,
                                      .image_words = options->image_words,
                                      .plan_ms = options->plan_ms,
                                      .running_max = options->jobs_max,
                                      .stop_ms = options->stop_ms,
                                      .commit_ms = options->commit_ms,
                                      .stall_ms = options->stall_ms,
                                      .log_bytes = options->log_bytes};
    if (definitions_put_built_ins(options->control, options->built_ins, clock_wall_ms(&clock_system), err) <
        0)
        return -1;
    daemon->jobs = jobs_open(daemon->loop, &jobs, err);
    return daemon->jobs ? 0 : -1;
}

static int open_guest(struct daemon *daemon, struct error *err)
{
    const struct daemon_guest *guest = daemon->options->guest;
    if (guest && guest->open(guest->context, daemon, daemon->loop, daemon->jobs, err) < 0)
        return -1;
    daemon->guest = guest;
    return 0;
}

static void on_ready(void *context, uv_loop_t *loop)
{
    static const struct talk_callbacks callbacks = {.asked = on_asked, .gone = on_gone};
    struct daemon *daemon = context;
    struct daemon_changes changes;
    struct error err;
    daemon->loop = loop;
    uv_timer_init(loop, &daemon->facts_due);
    uv_timer_init(loop, &daemon->reload_due);
    uv_timer_init(loop, &daemon->answer_due);
    uv_timer_init(loop, &daemon->news_due);
    daemon->facts_due.data = daemon->reload_due.data = daemon->answer_due.data = daemon->news_due.data =
        daemon;
    struct talk_callbacks own = callbacks;
    own.context = daemon;
    daemon->discovery = daemon_discovery_open(daemon);
    daemon->talk = talk_server_open(loop, daemon->options->data_dir, &own, &err);
    if (!daemon->talk || open_jobs(daemon, &err) < 0 || daemon_reload(daemon, false, &changes, &err) < 0 ||
        open_guest(daemon, &err) < 0) {
        daemon->failure = err;
        daemon->failed = true;
        supervisor_stop(daemon->supervisor);
        return;
    }
    log_info(daemon->options->log, "serving %zu task%s in %s%s%s", daemon->tasks.count,
             daemon->tasks.count == 1 ? "" : "s", daemon->options->data_dir,
             daemon_url(daemon) ? ", the API at " : "", daemon_url(daemon) ? daemon_url(daemon) : "");
    tell_ready(daemon);
}

/* systemd's RELOADING wants the time as well, to tell a reload from an earlier one. */
static void on_hangup(void *context)
{
    struct daemon *daemon = context;
    struct daemon_changes changes;
    struct error err;
    char text[96];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)(clock_monotonic_ns(&clock_system) / 1000));
    notify_tell(daemon->options->notify, text);
    if (daemon_reload(daemon, true, &changes, &err) < 0)
        log_error(daemon->options->log, "what is deployed cannot be read: %s", err.message);
    else
        log_changes(daemon, &changes);
    tell_ready(daemon);
}

static void on_stopping(void *context, int signals)
{
    struct daemon *daemon = context;
    notify_tell(daemon->options->notify, "STOPPING=1");
    if (daemon->jobs)
        jobs_stop(daemon->jobs);
    if (!daemon->failed)
        log_info(daemon->options->log,
                 signals == 1 ? "stopping: each task finishes its transaction" : "stopping at once");
    if (daemon->guest)
        daemon->guest->stopping(daemon->guest->context);
}

static void on_closing(void *context)
{
    struct daemon *daemon = context;
    daemon->closing = true;
    if (daemon->guest)
        daemon->guest->close(daemon->guest->context);
    daemon->guest = NULL;
    daemon_planning_close(daemon);
    answer_all(daemon);
    jobs_close(daemon->jobs);
    daemon->jobs = NULL;
    /* Each try waits for a while if another process changes the store just now. */
    for (int tries = 0; tries < LAST_FACTS_TRIES && !daemon_save_facts(daemon); tries++)
        continue;
    uv_close((uv_handle_t *)&daemon->facts_due, NULL);
    uv_close((uv_handle_t *)&daemon->news_due, NULL);
    uv_close((uv_handle_t *)&daemon->reload_due, NULL);
    uv_close((uv_handle_t *)&daemon->answer_due, NULL);
    daemon_discovery_close(daemon->discovery);
    talk_server_close(daemon->talk);
}

/* A pipe or two for each child, and a log: the usual limit of 1024 descriptors is for programs that use
 * select. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void free_tasks(struct daemon *daemon)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&daemon->tasks, &at));)
        daemon_task_free(entry->value);
    map_done(&daemon->tasks);
}

int daemon_run(const struct daemon_options *options, struct error *err)
{
    struct daemon daemon = {.options = options, .started_ms = clock_wall_ms(&clock_system)};
    struct supervisor_summary summary;
    map_init(&daemon.tasks);
    allow_descriptors();
    struct supervisor_options supervision = {.program = options->program,
                                             .data_dir = options->data_dir,
                                             .stay = true,
                                             .ingest = options->ingest,
                                             .children_max = options->children_max ? options->children_max
                                                                                   : DAEMON_CHILDREN_DEFAULT,
                                             .stop_ms = options->stop_ms,
                                             .retry_ms = options->retry_ms,
                                             .events = daemon_events(&daemon)};
    supervision.events.ready = on_ready;
    supervision.events.hangup = on_hangup;
    supervision.events.closing = on_closing;
    supervision.events.stopping = on_stopping;
    daemon.supervisor = supervisor_new(&supervision);
    int result = supervisor_run(daemon.supervisor, &summary, err);
    if (result == 0 && daemon.failed) {
        *err = daemon.failure;
        result = -1;
    }
    free_tasks(&daemon);
    free(daemon.discovery);
    free(daemon.ingest_url);
    supervisor_free(daemon.supervisor);
    return result;
}
