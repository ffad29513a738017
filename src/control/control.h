/* The control store: what is deployed, and what became of it. It is `<data>/control.db`; collections and
 * checkpoints are the store's (store/store.h), never here.
 *
 * A deployment is a catalog under a name; its snapshot (catalog/snapshot.h) is encrypted, since it holds
 * configs. A task belongs to one deployment, which its row names; what it does is in the snapshot that the
 * row points to. Its generation grows with each deploy that changes it. Its facts are of its sessions.
 *
 * Any process may open the store, also beside the daemon. What is deployed is durable once a call returns;
 * facts survive the death of any process, and the machine's but for the last moments. Strings that are handed
 * out live in the arena that was given. */
#ifndef FIRTH_CONTROL_CONTROL_H
#define FIRTH_CONTROL_CONTROL_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

enum {
    CONTROL_NAME_MAX = 4096,    /* bytes of a deployment's name: often a path */
    CONTROL_TASKS_MAX = 4096,   /* tasks of a data directory */
    CONTROL_ERROR_MAX = 4096,   /* bytes of a kept error's message */
    CONTROL_BUSY_MS = 10000,    /* how long a change waits for another process's */
    CONTROL_FACTS_BUSY_MS = 50, /* the same for facts: the daemon's loop does not wait long */
};

struct control;

enum control_mode {
    CONTROL_LOOK,   /* what is there, without the key: ERROR_NOT_FOUND if there is no control store */
    CONTROL_CHANGE, /* made if it is not there, with a key; the key is checked */
};

/* ERROR_CORRUPT for what is no control store or is damaged: nothing is changed or removed. ERROR_UNSUPPORTED
 * for one of a newer firth, ERROR_INVALID for a key that is not its own. `data_dir` exists. */
struct control *control_open(const char *data_dir, enum control_mode mode, struct error *err);
void control_close(struct control *control);
MEM_DEFINE_CLEANUP(struct control *, control_close);

/* Between begin and commit or rollback all changes of this handle are one, seen by itself only; other writers
 * wait meanwhile. Not nested. */
int control_begin(struct control *control, struct error *err);
int control_commit(struct control *control, struct error *err);
void control_rollback(struct control *control);

/* For the environment of processes that run tasks, FIRTH_TASK_KEY: the key of what they keep
 * (control/secret.h). The store was opened with its key. */
enum { CONTROL_TASK_KEY_SIZE = 65 /* with its NUL */ };
void control_task_key(const struct control *control, char ret_key[CONTROL_TASK_KEY_SIZE]);

/* --- what is deployed ---------------------------------------------------------------------------- */

struct control_deployment {
    int64_t id;
    const char *name; /* the catalog's identity: its path, or the name that it was deployed under */
    const char *file; /* the catalog's path, for people */
    const char *by;   /* who: "user@host" */
    int64_t deployed_ms;
};

/* How a task's last session went. */
enum control_session {
    CONTROL_SESSION_NONE, /* there was none */
    CONTROL_SESSION_RUNNING,
    CONTROL_SESSION_COMPLETED,
    CONTROL_SESSION_STOPPED, /* it was asked to stop */
    CONTROL_SESSION_FAILED,
    CONTROL_SESSION_COUNT,
};
/* "none", "running", … */
const char *control_session_name(enum control_session session);

/* Times: milliseconds since 1970, 0 for never. */
struct control_facts {
    uint64_t generation; /* that the last session ran */
    enum control_session session;
    int64_t started_ms, ended_ms;
    int64_t due_ms;    /* when the next one is due; 0: not known, or never */
    uint32_t failures; /* in a row */
    bool retriable;    /* FAILED: it will be tried again */
    const char *code;  /* of the last failure since a session that went well; NULL: none */
    const char *error; /* its message */
    int64_t error_ms;
    uint64_t sessions;         /* begun, ever */
    uint64_t documents, bytes; /* committed by the last session */
};

struct control_task {
    const char *name;
    const char *kind; /* "capture", "connection" */
    int64_t deployment, snapshot;
    const char *schedule; /* for people: "every 5m", "cron 0 * * * *", "once" */
    const char *bindings; /* for people, supervisor/binding_text.h; NULL: not known */
    uint64_t generation;  /* from 1 */
    bool enabled;
    struct control_facts facts;
};

/* Grows with every deploy that changes something. */
int control_revision(struct control *control, uint64_t *ret_revision, struct error *err);
/* By name. */
int control_deployments(struct control *control, struct arena *arena, struct control_deployment **ret_items,
                        size_t *ret_count, struct error *err);
int control_tasks(struct control *control, struct arena *arena, struct control_task **ret_items,
                  size_t *ret_count, struct error *err);
/* Append a snapshot's text. It is secret. CONTROL_CHANGE only. */
int control_snapshot(struct control *control, int64_t id, struct buffer *out, struct error *err);

/* --- deploying ----------------------------------------------------------------------------------- */

struct control_deploy_task {
    const char *name, *kind, *schedule;
    bool enabled;
    bool changed; /* what it does is not what is deployed: its generation grows */
    const char *bindings;
};

struct control_deploy {
    const char *name, *file, *by;
    int64_t now_ms;
    uint64_t revision;     /* that the plan was made for; ERROR_BUSY if another deploy came between */
    struct slice snapshot; /* its text */
    const struct control_deploy_task
        *tasks; /* of the catalog; those that are there already move to the snapshot */
    size_t task_count;
    const char *const *removed; /* names of the deployment's tasks that are to go */
    size_t removed_count;
};

/* All of it or nothing. ERROR_INVALID if a task's name belongs to another deployment. */
int control_deploy(struct control *control, const struct control_deploy *deploy, struct error *err);

/* --- facts --------------------------------------------------------------------------------------- */

struct control_task_facts {
    const char *task;
    struct control_facts facts;
};

/* All of them or none; those of tasks that are gone are left out. ERROR_BUSY (retriable) if another process
 * changes the store for longer than CONTROL_FACTS_BUSY_MS. */
int control_put_facts(struct control *control, const struct control_task_facts *items, size_t count,
                      struct error *err);

/* --- discoveries --------------------------------------------------------------------------------- */

/* Who deploys what autoDiscover changed: control_deployment.by. */
#define CONTROL_BY_AUTODISCOVER "autoDiscover"

/* The last time that the daemon asked a capture's connector what there is. */
struct control_discovery {
    const char *task;
    int64_t ran_ms;
    const char *error;   /* why nothing came of it; NULL: something did */
    int64_t changed_ms;  /* when it changed what is deployed; 0: never */
    const char *changes; /* what, a line each; "" */
};

/* Of a task that is gone: nothing happens. */
int control_put_discovery(struct control *control, const struct control_discovery *discovery,
                          struct error *err);
/* By task. */
int control_discoveries(struct control *control, struct arena *arena, struct control_discovery **ret_items,
                        size_t *ret_count, struct error *err);

#endif
