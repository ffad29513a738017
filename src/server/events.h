/* Server-sent events: what jobs and tasks do, to the pages that show it. Private to this folder.
 *
 * They hold ids, names and numbers. What a listener misses it is not told later: one that takes its events
 * too slowly hears `reset` and its stream ends; it asks for everything anew and listens again. */
#ifndef FIRTH_SERVER_EVENTS_H
#define FIRTH_SERVER_EVENTS_H

#include "server/call.h"
#include "supervisor/watch.h"

enum {
    EVENTS_LISTENERS_MAX = 64,
    EVENTS_CONNECTIONS_MAX = 16, /* that one listener names */
    EVENTS_BEAT_MS = 15 * 1000,  /* a comment so often, that both ends see that the other is there; sooner
                                    where a client's time (server_options) is less than twice that */
};

struct events;
struct listener;

/* In the loop's thread. */
struct events *events_new(struct server *server);
/* In the loop's thread: every stream ends, none begins. NULL is allowed. */
void events_close(struct events *events);
/* The HTTP server is closed: freed once the loop has closed its handle. NULL is allowed. */
void events_release(struct events *events);

/* The listener's request is done. From any thread. */
void events_leave(struct events *events, struct listener *listener);
/* A session has ended, or the password is another: the streams of those who may not ask any more end. */
void events_look(struct events *events);

/* event_text.c: events as they are sent, appended. */
void event_job(struct buffer *out, const struct job_news *news);
void event_progress(struct buffer *out, const struct job_progress *progress);
void event_task(struct buffer *out, const struct task_news *news);

#endif
