/* The process of all push captures (`firth task ingest`): started with the first of them, told of each
 * session to begin or to stop, heard until the supervisor closes. If it dies, every session in it is lost:
 * that is no failure of any of them, and they begin again in one new process. Private to this folder;
 * ingest/listener.h has what is said. */
#ifndef FIRTH_SUPERVISOR_LISTENER_H
#define FIRTH_SUPERVISOR_LISTENER_H

#include "supervisor/child.h"
#include "supervisor/supervisor.h"

struct listener;

/* Fill in the default; strings into the arena. */
void listener_copy_options(struct supervisor_ingest *options, struct arena *arena);

/* All are the supervisor's, and outlive the listener. */
struct listener *listener_new(uv_loop_t *loop, const char *program, const char *data_dir,
                              const struct supervisor_ingest *options,
                              const struct supervisor_events *events);
/* A session of a push capture, as child_start. */
struct child *listener_start(struct listener *listener, const char *name, struct slice spec,
                             const struct child_callbacks *callbacks, struct error *err);
/* The capture is gone for good: its paths lead nowhere. */
void listener_forget(struct listener *listener, const char *name);
/* Everything ends: connections that stay open for long are told so, before their sessions are stopped. NULL
 * is allowed. */
void listener_leave(struct listener *listener);
/* No session is left. Frees itself once the process has ended. NULL is allowed. */
void listener_close(struct listener *listener);

#endif
