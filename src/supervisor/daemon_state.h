/* What the daemon's files share. Private to this folder. */
#ifndef FIRTH_SUPERVISOR_DAEMON_STATE_H
#define FIRTH_SUPERVISOR_DAEMON_STATE_H

#include "base/map.h"
#include "supervisor/daemon.h"
#include "supervisor/jobs.h"
#include "supervisor/supervisor.h"
#include "supervisor/talk.h"
#include "supervisor/task_log.h"

/* Of the running session, as its progress tells. */
struct daemon_live {
    uint64_t documents, bytes;       /* committed */
    uint64_t taken, taken_bytes;     /* from the source, committed or not */
    double document_rate, byte_rate; /* committed, a second, smoothed */
    int64_t lag_ms;                  /* the largest of its bindings; negative: not known */
    uint64_t measured_ms;            /* the loop's time of the last progress; 0: none */
};

struct daemon_task {
    struct daemon *daemon;
    char *name;
    uint64_t generation; /* that was given to the supervisor; 0: none yet */
    bool enabled;
    bool listed;    /* while what is deployed is read: it is there still */
    bool gone;      /* no longer deployed; freed when its last session has ended */
    bool leaving;   /* taken from the supervisor, whose last session of it still ends */
    bool missed;    /* while it left, what is deployed was read: it has to be read again */
    bool planning;  /* what is deployed is being planned */
    bool unplanned; /* what is deployed could not be planned, which may succeed later */
    const struct supervisor_task *supervised; /* NULL: the supervisor does not have it */
    enum daemon_task_state state;
    struct control_facts facts; /* code and error are heap strings */
    bool dirty;                 /* the facts are not in the control store yet */
    bool untold;                /* something has happened that whoever watches was not told */
    struct daemon_live live;
    bool inferred;           /* what it materializes has inferred schemas */
    int64_t discover_due_ms; /* wall clock of its next autoDiscover; 0: it has none */
    struct task_log log;
};

/* What a reload came to. */
struct daemon_changes {
    size_t added, changed, removed, failed;
};

/* A reload whose answer waits until its tasks are planned. */
struct daemon_held {
    struct daemon_held *next;
    uint64_t number; /* of what was asked to be planned before it */
    uint64_t turn;   /* talk.h */
    struct daemon_changes changes;
};

struct plan_job;

struct daemon {
    const struct daemon_options *options;
    struct supervisor *supervisor;
    uv_loop_t *loop;
    struct map tasks; /* by name */
    struct talk_server *talk;
    struct jobs *jobs;                /* of the API's connections */
    const struct daemon_guest *guest; /* that is open; NULL: none */
    uv_timer_t facts_due, reload_due, answer_due, news_due;
    const struct watch *watch; /* NULL: nobody */
    struct plan_job *plan_jobs;
    uint64_t plan_number;
    struct daemon_held *held;
    bool facts_failed; /* told once, until it goes again */
    bool closing;
    bool failed; /* it could not start: `failure` */
    struct error failure;
    struct daemon_discovery *discovery;
    char *ingest_url;                        /* where push captures are reached; NULL: there was none yet */
    struct push_figures pushed, pushed_last; /* the first since the daemon began; the other as told last */
    int64_t started_ms;
    uint64_t revision; /* of what was read last */
    struct {
        uint64_t begun, failed, documents, bytes;
    } sessions; /* since the daemon began */
};

/* daemon.c: something was planned: answer those who wait for nothing else. */
void daemon_answer_held(struct daemon *daemon);

/* daemon_planning.c: plan the task as its snapshot has it, once daemon_planning_go is called. */
void daemon_plan(struct daemon_task *task, int64_t snapshot);
void daemon_planning_go(struct daemon *daemon);
/* Is anything that was asked for after this number (of daemon->plan_number) not planned yet? */
bool daemon_planning_since(const struct daemon *daemon, uint64_t number);
/* Whatever is being planned is not any more. */
void daemon_planning_close(struct daemon *daemon);

/* daemon_tasks.c: read what is deployed, and let the supervisor do the difference. `retry`: what has failed
 * for good is tried again. */
int daemon_reload(struct daemon *daemon, bool retry, struct daemon_changes *ret_changes, struct error *err);
void daemon_task_free(struct daemon_task *task);
/* What planning came to. */
void daemon_task_planned(struct daemon_task *task, const struct supervisor_definition *definition);
void daemon_task_unplanned(struct daemon_task *task, const struct error *error);

/* daemon_events.c: what sessions tell, into facts and logs. */
struct supervisor_events daemon_events(struct daemon *daemon);
void daemon_task_failed(struct daemon_task *task, const struct error *error);
/* The facts are to be saved, soon. */
void daemon_task_dirty(struct daemon_task *task);
/* Now; false if it could not be done. */
bool daemon_save_facts(struct daemon *daemon);

/* daemon_news.c: something happened to the task; what is deployed has changed. */
void daemon_news(struct daemon_task *task);
void daemon_news_deployed(const struct daemon *daemon);

/* daemon_discover.c: one capture after the other is asked what there is, by `firth autodiscover`, and what
 * that makes of its catalog is deployed. */
struct daemon_discovery *daemon_discovery_open(struct daemon *daemon);
/* The loop has to go on until its handles are closed. */
void daemon_discovery_close(struct daemon_discovery *discovery);
/* The task's catalog was read: does it want to be asked? */
void daemon_discover(struct daemon_task *task, bool wanted);

/* daemon_status.c */
/* Where the API is reached; NULL: nowhere. */
const char *daemon_url(const struct daemon *daemon);
void daemon_write_status(struct daemon *daemon, struct buffer *out);

#endif
