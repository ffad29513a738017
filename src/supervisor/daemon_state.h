/* What the daemon's files share. Private to this folder. */
#ifndef FIRTH_SUPERVISOR_DAEMON_STATE_H
#define FIRTH_SUPERVISOR_DAEMON_STATE_H

#include "base/map.h"
#include "supervisor/daemon.h"
#include "supervisor/supervisor.h"
#include "supervisor/talk.h"
#include "supervisor/task_log.h"

enum daemon_task_state {
    DAEMON_TASK_DISABLED,
    DAEMON_TASK_RUNNING,
    DAEMON_TASK_QUEUED,  /* for room among the children */
    DAEMON_TASK_WAITING, /* for its schedule */
    DAEMON_TASK_BACKING_OFF,
    DAEMON_TASK_FAILED, /* until somebody mends it */
    DAEMON_TASK_DONE,   /* went well, and nothing is scheduled */
    DAEMON_TASK_STATE_COUNT,
};

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
    bool unplanned; /* what is deployed could not be planned, which may succeed later */
    const struct supervisor_task *supervised; /* NULL: the supervisor does not have it */
    enum daemon_task_state state;
    struct control_facts facts; /* code and error are heap strings */
    bool dirty;                 /* the facts are not in the control store yet */
    struct daemon_live live;
    struct task_log log;
};

struct daemon {
    const struct daemon_options *options;
    struct supervisor *supervisor;
    uv_loop_t *loop;
    struct map tasks; /* by name */
    struct talk_server *talk;
    uv_timer_t facts_due, reload_due;
    bool facts_failed; /* told once, until it goes again */
    bool closing;
    bool failed; /* it could not start: `failure` */
    struct error failure;
    int64_t started_ms;
    uint64_t revision; /* of what was read last */
};

/* What a reload came to. */
struct daemon_changes {
    size_t added, changed, removed, failed;
};

/* daemon_tasks.c: read what is deployed, and let the supervisor do the difference. `retry`: what has failed
 * for good is tried again. */
int daemon_reload(struct daemon *daemon, bool retry, struct daemon_changes *ret_changes, struct error *err);
void daemon_task_free(struct daemon_task *task);

/* daemon_events.c: what sessions tell, into facts and logs. */
struct supervisor_events daemon_events(struct daemon *daemon);
void daemon_task_failed(struct daemon_task *task, const struct error *error);
/* The facts are to be saved, soon. */
void daemon_task_dirty(struct daemon_task *task);
/* Now; false if it could not be done. */
bool daemon_save_facts(struct daemon *daemon);

/* daemon_status.c */
void daemon_write_status(struct daemon *daemon, struct buffer *out);
const char *daemon_state_name(enum daemon_task_state state);

#endif
