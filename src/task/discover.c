#include "task/discover.h"

#include "task/conversation.h"
#include "task/kept_config.h"
#include "task/ledger.h"
#include "task/marks.h"
#include "task/reader.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* True: whoever asked does not want to know any more. */
static bool was_stopped(int stop_fd, const struct pollfd *report)
{
    struct signalfd_siginfo info;
    return (report->revents & (POLLERR | POLLHUP | POLLNVAL)) ||
           read(stop_fd, &info, sizeof info) == sizeof info;
}

/* 1: it has said what it has; 0: stopped. */
static int wait_for(struct task_reader *reader, int stop_fd, struct error *err)
{
    while (!reader->class->ready(reader)) {
        struct pollfd fds[TASK_POLL_MAX + 2] = {{.fd = stop_fd, .events = POLLIN},
                                                {.fd = reader->task->report->fd}};
        size_t count = 2 + reader->class->pollfds(reader, fds + 2);
        if (poll(fds, count, reader->class->timeout_ms(reader)) < 0 && errno != EINTR)
            return error_errno(err, errno, "poll");
        if (was_stopped(stop_fd, &fds[1]))
            return 0;
        if (reader->class->service(reader, err) < 0)
            return -1;
    }
    return 1;
}

static void tell(struct task *task)
{
    struct buffer text;
    buffer_init(&text, TASK_CATALOG_LINE_MAX);
    airbyte_catalog_write(&text, &task->discovered);
    task_report_catalog(task->report, (struct slice){text.data, text.size});
    buffer_done(&text);
}

static int ask(struct task *task, int stop_fd, struct error *err)
{
    struct task_reader *reader = task->reader;
    if (reader->class->open(reader, err) < 0)
        return -1;
    int result = wait_for(reader, stop_fd, err);
    if (result == 1)
        tell(task);
    return result;
}

enum task_outcome task_discover(const struct task_spec *spec, struct task_report *report,
                                const struct clock *clock, int stop_fd, struct error *err)
{
    struct task_spec own = *spec; /* its connector may change its config */
    struct task task = {
        .spec = &own, .endpoints = {&own.source, &own.destination}, .clock = clock, .report = report};
    struct task_ledger ledger = {0};
    report->configs = spec->sync_id > 0;
    arena_init(&task.arena);
    task_checkpoint_init(&task.checkpoint);
    task_marks_init(&task);
    task_config_init(&task);
    /* Of a connection of the API: what its source made of its config in an earlier session counts. */
    int result = spec->sync_id ? task_ledger_open(&ledger, &task, err) : 0;
    task.ledger = spec->sync_id ? &ledger : NULL;
    task.checkpoint.source_checked = conversation_identity(&own.source); /* who can tell has passed it */
    task.reader = task_reader_airbyte_new(&task);
    if (result == 0)
        result = ask(&task, stop_fd, err);
    if (result < 0) {
        const struct task_failure failure = {
            .origin = "source", .type = err->code == ERROR_INVALID ? "config_error" : "system_error"};
        task_report_failure(report, &failure);
        connector_secrets_mask_message(task.secrets, err->message, sizeof err->message);
    }
    task.reader->class->kill(task.reader);
    task.reader->class->close(task.reader);
    task_ledger_done(&ledger);
    task_checkpoint_done(&task.checkpoint);
    task_marks_done(&task);
    task_config_done(&task);
    arena_done(&task.arena);
    return result < 0 ? TASK_FAILED : result ? TASK_COMPLETED : TASK_STOPPED;
}
