/* A session of one push capture: a task loop in a thread of the listener's process. Private to this folder.
 */
#ifndef FIRTH_INGEST_SESSION_H
#define FIRTH_INGEST_SESSION_H

#include "ingest/capture.h"

#include <pthread.h>

struct ingest_session;

/* What all sessions of the process share. */
struct ingest_sessions {
    struct ingest_captures *captures;
    int events_fd;
    pthread_mutex_t lock; /* of events_fd */
    int ended;            /* an eventfd: a session is over, and to be joined */
};

/* `spec` (task/task_spec.h) is copied. NULL and *err if the machine refuses a thread. */
struct ingest_session *ingest_session_start(struct ingest_sessions *sessions, struct slice spec,
                                            struct error *err);
const char *ingest_session_name(const struct ingest_session *session);
/* Finish what was taken; `now`: not even that. */
void ingest_session_stop(struct ingest_session *session, bool now);
bool ingest_session_ended(const struct ingest_session *session);
/* It has ended, or does soon: waits for it. */
void ingest_session_free(struct ingest_session *session);

/* Tell that a task's session failed before it began. */
void ingest_sessions_refuse(struct ingest_sessions *sessions, const char *task, const struct error *error);

#endif
