/* The task's end of the event pipe: logs within a budget, progress at a bounded pace. */
#ifndef FIRTH_TASK_REPORT_H
#define FIRTH_TASK_REPORT_H

#include "base/clock.h"
#include "connector/secrets.h"
#include "task/event.h"

#include <pthread.h>

struct task_report {
    int fd;               /* not owned */
    enum log_level level; /* what is below it is left out */
    const struct clock *clock;
    uint64_t began_ns;
    struct buffer line;
    struct connector_secrets *secrets; /* masked in every log line; NULL: none; not owned */
    bool broken;                       /* nobody reads any more: the task has to end */

    uint64_t window_ms;  /* of the log budget: the second it is for */
    uint32_t lines_left; /* in it */
    uint64_t dropped;    /* log lines over the budget, not yet told of */

    bool failure_told;
    const char *task;      /* named in each event; NULL: it is the only one */
    pthread_mutex_t *lock; /* of `fd`, where others write to it as well; NULL: nobody does */
    bool configs;          /* who listens keeps what connectors make of their configs */

    uint64_t progress_ms; /* when the last progress went out, 0: never */
    uint64_t commits;
    uint64_t states; /* STATE messages of the source */
};

enum {
    TASK_LOG_LINES_PER_SECOND = 200, /* what a connector logs beyond this is counted and left out */
    TASK_LOG_LINE_MAX = 8 << 10,     /* bytes of one log line; the rest is cut */
};

void task_report_init(struct task_report *report, int fd, const struct clock *clock);
void task_report_done(struct task_report *report);

uint64_t task_report_now_ms(const struct task_report *report); /* since the session began */

void task_report_started(struct task_report *report, const char *source, const char *sink, bool resumed);
void task_report_log(struct task_report *report, enum log_level level, const char *origin, struct slice line);
void task_report_logf(struct task_report *report, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Until the next progress is due, 0: now. */
int task_report_wait_ms(const struct task_report *report);
/* Fills in the process's own figures. */
void task_report_progress(struct task_report *report, const struct task_binding_progress *bindings,
                          size_t binding_count);
/* The first one counts; a later one changes nothing. */
void task_report_failure(struct task_report *report, const struct task_failure *failure);
/* A connector changed its config: told if `configs`. */
void task_report_config(struct task_report *report, bool destination, struct slice config);
/* `catalog`: a JSON object of one line. */
void task_report_catalog(struct task_report *report, struct slice catalog);
/* The last line of a connector that died is not whole (`what` says it): how it died is the failure, this is
 * told beside it. */
void task_report_torn(struct task_report *report, const struct error *what);
void task_report_ended(struct task_report *report, enum task_outcome outcome, const struct error *error);

#endif
