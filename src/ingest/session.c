#include "ingest/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct ingest_session {
    struct ingest_sessions *sessions;
    struct arena arena;
    char *text; /* the specification; secret */
    size_t size;
    struct task_spec spec;
    pthread_t thread;
    int stop[2]; /* a pipe: the loop's signals */
    atomic_bool ended;
};

static void report_init(struct ingest_sessions *sessions, const char *task, struct task_report *report)
{
    task_report_init(report, sessions->events_fd, &clock_system);
    report->task = task;
    report->lock = &sessions->lock;
}

static void *run(void *context)
{
    struct ingest_session *session = context;
    struct ingest_sessions *sessions = session->sessions;
    struct task_report report;
    struct error err;
    report_init(sessions, session->spec.name, &report);
    enum task_outcome outcome = task_run_with(&session->spec, &report, &clock_system, session->stop[0],
                                              ingest_reader_new, sessions->captures, &err);
    task_report_ended(&report, outcome, &err);
    task_report_done(&report);
    atomic_store(&session->ended, true);
    eventfd_write(sessions->ended, 1);
    return NULL;
}

static void release(struct ingest_session *session)
{
    for (int i = 0; i < 2; i++) {
        if (session->stop[i] >= 0)
            close(session->stop[i]);
    }
    if (session->text)
        explicit_bzero(session->text, session->size);
    free(session->text);
    arena_done(&session->arena);
    free(session);
}

static int begin(struct ingest_session *session, struct error *err)
{
    if (task_spec_read((struct slice){session->text, session->size}, &session->arena, &session->spec, err) <
        0)
        return -1;
    if (!session->spec.push)
        return error_set(err, ERROR_INVALID, "%s is no push capture", session->spec.name);
    struct ingest_plan plan;
    if (ingest_plan_read(&session->spec, &session->arena, &plan, err) < 0)
        return -1;
    ingest_captures_reserve(session->sessions->captures, session->spec.name, plan.paths, plan.collections);
    if (pipe2(session->stop, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_errno(err, errno, "cannot open a pipe");
    int failed = pthread_create(&session->thread, NULL, run, session);
    if (failed == 0)
        return 0;
    error_errno(err, failed, "cannot start a thread for %s", session->spec.name);
    err->retriable = true;
    return -1;
}

struct ingest_session *ingest_session_start(struct ingest_sessions *sessions, struct slice spec,
                                            struct error *err)
{
    struct ingest_session *session = mem_zalloc(sizeof *session);
    *session = (struct ingest_session){
        .sessions = sessions, .text = mem_dup(spec.data, spec.size), .size = spec.size, .stop = {-1, -1}};
    arena_init(&session->arena);
    if (begin(session, err) == 0)
        return session;
    release(session);
    return NULL;
}

const char *ingest_session_name(const struct ingest_session *session)
{
    return session->spec.name;
}

/* As a signal would say it: the loop reads signalfd_siginfo. A pipe takes 128 bytes whole or not at all. */
void ingest_session_stop(struct ingest_session *session, bool now)
{
    const struct signalfd_siginfo signal = {.ssi_signo = now ? SIGQUIT : SIGTERM};
    ssize_t written;
    do
        written = write(session->stop[1], &signal, sizeof signal);
    while (written < 0 && errno == EINTR);
}

bool ingest_session_ended(const struct ingest_session *session)
{
    return atomic_load(&session->ended);
}

void ingest_session_free(struct ingest_session *session)
{
    pthread_join(session->thread, NULL);
    release(session);
}

void ingest_sessions_refuse(struct ingest_sessions *sessions, const char *task, const struct error *error)
{
    struct task_report report;
    report_init(sessions, task, &report);
    task_report_ended(&report, TASK_FAILED, error);
    task_report_done(&report);
}
