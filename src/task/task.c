#include "task/task.h"

#include "task/inferred.h"
#include "task/kept_config.h"
#include "task/marks.h"
#include "task/redaction.h"
#include "task/sink.h"
#include "task/streams.h"

#include "base/fault.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    ITEMS_PER_TURN = 8192, /* taken from the reader before signals and clocks are looked at again */
    FAREWELL_MS = 30000,   /* for the sink to save what it can after a failure of the reader */
};

/* The loop's own state, beside what readers and sinks see. */
struct session {
    struct task task;
    int stop_fd;
    bool stop_now;          /* the second signal, or nobody listens any more */
    bool begun;             /* reader and sink have: the checkpoint is this session's */
    bool finishing;         /* the sink has been told that nothing more comes */
    bool active;            /* the reader gave something since the last tick */
    bool untold;            /* something happened since the last progress event */
    bool more;              /* the reader may have more at once: do not wait */
    uint64_t acknowledged;  /* checkpoints that the reader knows to be durable */
    enum task_side culprit; /* whose call failed first; TASK_SIDE_MAX: neither's */
};

/* --- whose fault it is --------------------------------------------------------------------------- */

static int blame(struct session *session, enum task_side side, int result)
{
    if (result < 0 && session->culprit == TASK_SIDE_MAX)
        session->culprit = side;
    return result;
}

/* What the machine or the store refused is neither connector's. */
static void tell_failure(const struct session *session, const struct error *error)
{
    bool ours = error->code == ERROR_BUSY || error->code == ERROR_IO || error->code == ERROR_CORRUPT ||
                error->code == ERROR_FULL;
    const struct task_failure failure = {.origin = ours || session->culprit == TASK_SIDE_MAX ? "platform"
                                                   : session->culprit == TASK_SOURCE         ? "source"
                                                                                             : "destination",
                                         .type =
                                             error->code == ERROR_INVALID ? "config_error" : "system_error"};
    task_report_failure(session->task.report, &failure);
}

/* --- signals ------------------------------------------------------------------------------------- */

static void take_signals(struct session *session)
{
    struct signalfd_siginfo info;
    while (read(session->stop_fd, &info, sizeof info) == sizeof info) {
        if (session->task.stopping || info.ssi_signo == SIGQUIT)
            session->stop_now = true;
        session->task.stopping = true;
        session->task.reader->class->stop(session->task.reader);
    }
    if (session->task.report->broken)
        session->stop_now = true;
}

/* --- documents ----------------------------------------------------------------------------------- */

static int take_document(struct task *task, const struct task_item *item, struct error *err)
{
    struct task_binding *binding = item->binding;
    struct task_binding_progress *progress = &task->progress[binding->index];
    struct task_item changed;
    struct json redacted;
    if (binding->schema && !item->valid && !task->sink->class->validates) {
        int valid = schema_validate(binding->schema, task->validator, item->line, item->document, err);
        if (valid < 0)
            return error_wrap(err, "document %llu of the stream '%s'", (unsigned long long)item->number,
                              progress->stream);
        if (valid == 0 || !key_is_there(&binding->key, item->line, item->document)) {
            progress->invalid++;
            return task->sink->class->write_invalid(task->sink, item, err);
        }
    }
    task->repeated += item->line->duplicates > 0;
    if (binding->redactor) {
        changed = *item;
        if (task_redact(task, &changed, &redacted, err) < 0)
            return -1;
        item = &changed;
    }
    if (binding->inferred)
        task_inferred_document(binding->inferred, item->line, item->document);
    progress->documents++;
    progress->bytes += json_raw(item->line, item->document).size;
    return task->sink->class->write(task->sink, item, err);
}

/* What it covers is durable with the commit after it, and not before. */
static int take_checkpoint(struct session *session, const struct task_item *item, struct error *err)
{
    struct task *task = &session->task;
    if (fault_planted("acknowledge-ahead")) /* a bug, for the checker to catch */
        task->checkpoints_durable++;
    if (task->sink->class->checkpoint(task->sink, item, err) < 0)
        return -1;
    task->checkpoints_taken++;
    return 0;
}

static int take_items(struct session *session, struct error *err)
{
    struct task *task = &session->task;
    const struct task_reader_class *reader = task->reader->class;
    const struct task_sink_class *sink = task->sink->class;
    struct task_item item;
    session->more = false;
    for (int left = ITEMS_PER_TURN; sink->ready(task->sink); left--) {
        if (left == 0) {
            session->more = true;
            return 0;
        }
        int got = blame(session, TASK_SOURCE, reader->next(task->reader, &item, err));
        if (got <= 0)
            return got;
        session->active = true;
        got = blame(session, TASK_DESTINATION,
                    item.type == TASK_ITEM_DOCUMENT ? take_document(task, &item, err)
                                                    : take_checkpoint(session, &item, err));
        if (got < 0)
            return -1;
    }
    return 0;
}

/* --- the loop ------------------------------------------------------------------------------------ */

static int begin(struct session *session, struct error *err)
{
    struct task *task = &session->task;
    if (blame(session, TASK_SOURCE, task_streams_resolve(task, err)) < 0 ||
        task_streams_compile(task, err) < 0)
        return -1;
    if (blame(session, TASK_DESTINATION, task->sink->class->begin(task->sink, err)) < 0)
        return error_wrap(err, "%s", task->sink->label);
    if (blame(session, TASK_SOURCE, task->reader->class->begin(task->reader, err)) < 0)
        return -1;
    session->begun = true;
    task_report_started(task->report, task->reader->label, task->sink->label, task->checkpoint.existed);
    return 0;
}

static int shorter(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* Wait for whatever comes first, then let both sides do what is ready. */
static int turn(struct session *session, struct error *err)
{
    struct task *task = &session->task;
    struct pollfd fds[2 * TASK_POLL_MAX + 2];
    size_t count = 0;
    fds[count++] = (struct pollfd){.fd = session->stop_fd, .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = task->report->fd}; /* hung up: the supervisor is gone */
    count += task->reader->class->pollfds(task->reader, fds + count);
    count += task->sink->class->pollfds(task->sink, fds + count);
    int timeout = session->more ? 0 : task->reader->class->timeout_ms(task->reader);
    timeout = shorter(timeout, task->sink->class->timeout_ms(task->sink, task_report_now_ms(task->report)));
    if (session->untold)
        timeout = shorter(timeout, task_report_wait_ms(task->report));
    if (poll(fds, count, timeout) < 0 && errno != EINTR)
        return error_errno(err, errno, "poll");
    if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
        session->stop_now = true;
    take_signals(session);
    if (session->stop_now)
        return 0;
    if (blame(session, TASK_SOURCE, task->reader->class->service(task->reader, err)) < 0)
        return -1;
    return blame(session, TASK_DESTINATION, task->sink->class->service(task->sink, err));
}

/* Tell the reader which checkpoints have become durable. */
static int acknowledge(struct session *session, struct error *err)
{
    struct task *task = &session->task;
    uint64_t more = task->checkpoints_durable - session->acknowledged;
    if (more == 0 || !task->reader->class->acknowledge)
        return 0;
    session->acknowledged += more;
    return task->reader->class->acknowledge(task->reader, more, err);
}

static int tick(struct session *session, struct error *err)
{
    struct task *task = &session->task;
    uint64_t commits = task->report->commits;
    if (task->sink->class->tick(task->sink, task_report_now_ms(task->report), session->active, err) < 0)
        return error_wrap(err, "%s", task->sink->label);
    if (acknowledge(session, err) < 0)
        return -1;
    session->untold |= session->active || task->report->commits != commits;
    session->active = false;
    /* A commit is told at once: should this process be killed, what it made durable is known all the same.
     * Those of pushes come by the thousand a second, and who pushed has been told of each. */
    bool committed = task->report->commits != commits;
    if ((committed && !task->spec->push) || (session->untold && task_report_wait_ms(task->report) == 0)) {
        task_report_progress(task->report, task->progress, task->binding_count);
        session->untold = false;
    }
    if (committed)
        fault_point("task.commit.told");
    return 0;
}

static int finish(struct session *session, enum task_finish how, struct error *err)
{
    session->finishing = true;
    return session->task.sink->class->finish(session->task.sink, how, err);
}

/* The reader's end, once it has come. */
static int take_end(struct session *session, struct error *err)
{
    struct task *task = &session->task;
    if (session->finishing || !task->reader->class->ended(task->reader))
        return 0;
    /* A source that we stopped may end as it likes. */
    if (task->reader->class->result(task->reader, err) < 0 && !task->stopping)
        return blame(session, TASK_SOURCE, -1);
    return finish(session, task->stopping ? TASK_FINISH_PARTIAL : TASK_FINISH_COMPLETE, err);
}

static int run(struct session *session, struct error *err)
{
    struct task *task = &session->task;
    while (!session->stop_now && !task->sink->class->finished(task->sink)) {
        if (!session->begun) {
            if (task->stopping)
                return 0; /* nothing has been read yet */
            if (task->reader->class->ready(task->reader) && task->sink->class->prepared(task->sink) &&
                begin(session, err) < 0)
                return -1;
        }
        if (session->begun &&
            (take_items(session, err) < 0 || tick(session, err) < 0 || take_end(session, err) < 0))
            return -1;
        if (!task->sink->class->finished(task->sink) && turn(session, err) < 0)
            return -1;
    }
    return 0;
}

/* After the last commit: a stopped reader that lives on learns what that made durable, and goes in its time.
 * A failure in this changes nothing any more. */
static void part(struct session *session)
{
    struct task *task = &session->task;
    const struct task_reader_class *reader = task->reader->class;
    struct error unused;
    if (!session->begun || !reader->leave || acknowledge(session, &unused) < 0)
        return;
    while (!session->stop_now && !reader->leave(task->reader)) {
        struct pollfd fds[TASK_POLL_MAX + 1] = {{.fd = session->stop_fd, .events = POLLIN}};
        size_t count = 1 + reader->pollfds(task->reader, fds + 1);
        poll(fds, count, reader->timeout_ms(task->reader));
        take_signals(session);
        if (reader->service(task->reader, &unused) < 0)
            return;
    }
}

/* After a failure: what is complete up to the last checkpoint is saved, within a time limit. The first
 * failure is the one to tell; one more here changes nothing. */
static void farewell(struct session *session)
{
    struct task *task = &session->task;
    struct error unused;
    task->reader->class->kill(task->reader);
    if (!session->begun || session->stop_now)
        return;
    if (!session->finishing && finish(session, TASK_FINISH_PARTIAL, &unused) < 0)
        return;
    uint64_t until = task_report_now_ms(task->report) + FAREWELL_MS;
    while (!task->sink->class->finished(task->sink) && !session->stop_now) {
        uint64_t now = task_report_now_ms(task->report);
        if (now >= until || tick(session, &unused) < 0)
            return;
        struct pollfd fds[TASK_POLL_MAX + 1] = {{.fd = session->stop_fd, .events = POLLIN}};
        size_t count = 1 + task->sink->class->pollfds(task->sink, fds + 1);
        poll(fds, count, shorter((int)(until - now), task->sink->class->timeout_ms(task->sink, now)));
        take_signals(session);
        if (task->sink->class->service(task->sink, &unused) < 0)
            return;
    }
}

static void free_task(struct task *task)
{
    json_parser_free(task->parser);
    buffer_done(&task->redacted);
    schema_registry_free(task->schemas);
    schema_validator_free(task->validator);
    task_checkpoint_done(&task->checkpoint);
    arena_done(&task->arena);
}

static void close_session(struct session *session)
{
    struct task *task = &session->task;
    /* Whatever still lives has had its time. */
    task->reader->class->kill(task->reader);
    task->sink->class->kill(task->sink);
    task->reader->class->close(task->reader);
    task->sink->class->close(task->sink);
    for (size_t i = 0; i < task->binding_count; i++) {
        redactor_free(task->bindings[i].redactor);
        task_inferred_free(task->bindings[i].inferred);
        schema_free(task->bindings[i].schema);
    }
    free_task(task);
}

/* What was taken but not committed is no part of a session that did not complete: it will be sent again. Of a
 * job's attempt both are told: what the source emitted, it did. */
static void count_committed_only(struct task *task)
{
    for (size_t i = 0; i < task->binding_count; i++) {
        struct task_binding_progress *progress = &task->progress[i];
        progress->documents = progress->committed_documents;
        progress->bytes = progress->committed_bytes;
        progress->invalid = task->bindings[i].committed_invalid;
    }
}

static struct task_reader *new_reader(struct task *task)
{
    if (task->spec->clear)
        return task_reader_empty_new(task);
    if (task->spec->kind == TASK_MATERIALIZATION)
        return task->spec->destination.program.protocol == CONNECTOR_FLOW
                   ? task_reader_collections_new(task)
                   : task_reader_collections_airbyte_new(task);
    return task->spec->source.program.protocol == CONNECTOR_FLOW ? task_reader_flow_new(task)
                                                                 : task_reader_airbyte_new(task);
}

static struct task_sink *new_sink(struct task *task)
{
    switch (task->spec->kind) {
    case TASK_CAPTURE:
        return task_sink_collections_new(task);
    case TASK_MATERIALIZATION:
        return task->spec->destination.program.protocol == CONNECTOR_FLOW ? task_sink_materialize_new(task)
                                                                          : task_sink_airbyte_new(task);
    default:
        return task_sink_airbyte_new(task);
    }
}

/* Each of its streams has gone, or was disabled: that is no failure. */
static bool has_nothing_to_do(const struct task_spec *spec)
{
    return spec->kind != TASK_CONNECTION && spec->binding_count == 0 && !spec->all_streams;
}

enum task_outcome task_run(const struct task_spec *spec, struct task_report *report,
                           const struct clock *clock, int stop_fd, struct error *err)
{
    return task_run_with(spec, report, clock, stop_fd, NULL, NULL, err);
}

enum task_outcome task_run_with(const struct task_spec *spec, struct task_report *report,
                                const struct clock *clock, int stop_fd, task_reader_maker *make,
                                void *context, struct error *err)
{
    struct task_spec own = *spec; /* a connector may change its config */
    struct session session = {.task = {.spec = &own,
                                       .endpoints = {&own.source, &own.destination},
                                       .clock = clock,
                                       .report = report},
                              .stop_fd = stop_fd,
                              .culprit = TASK_SIDE_MAX};
    struct task *task = &session.task;
    arena_init(&task->arena);
    task_checkpoint_init(&task->checkpoint);
    task_marks_init(task);
    task_config_init(task);
    task->validator = schema_validator_new();
    task->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    buffer_init(&task->redacted, STORE_DOCUMENT_MAX);
    report->level = spec->log_level;
    report->configs = spec->sync_id > 0;
    if (has_nothing_to_do(spec)) {
        task_report_logf(report, LOG_INFO, "no binding is enabled: there is nothing to do");
        free_task(task);
        task_marks_done(task);
        task_config_done(task);
        return TASK_COMPLETED;
    }
    task->reader = make ? make(task, context) : new_reader(task);
    task->sink = new_sink(task);

    int result = blame(&session, TASK_DESTINATION, task->sink->class->open(task->sink, err));
    if (result == 0)
        result = blame(&session, TASK_SOURCE, task->reader->class->open(task->reader, err));
    if (result == 0)
        result = run(&session, err);
    if (result < 0)
        tell_failure(&session, err);
    if (result < 0)
        farewell(&session);
    else
        part(&session);
    bool cut_short = result < 0 || task->stopping || session.stop_now;
    if (cut_short && spec->sync_id == 0)
        count_committed_only(task);
    if (session.begun)
        task_report_progress(report, task->progress, task->binding_count);
    if (task->repeated)
        task_report_logf(report, LOG_WARN,
                         "%llu document%s had members of the same name: the last of them counts",
                         (unsigned long long)task->repeated, task->repeated == 1 ? "" : "s");
    close_session(&session);
    if (result < 0) {
        connector_secrets_mask_message(task->secrets, err->message, sizeof err->message);
        error_make_printable(err);
    }
    task_marks_done(task);
    task_config_done(task);
    if (result < 0)
        return TASK_FAILED;
    return task->stopping || session.stop_now ? TASK_STOPPED : TASK_COMPLETED;
}
