/* The process `firth task ingest`: one for all push captures, with the listeners that they share. It is
 * started by the supervisor (supervisor/listener.h), which tells it on `spec_fd`, a line each:
 *
 *   {"listen":{"address":"127.0.0.1:8080","cert":"…","key":"…","open":false,"dataDir":"…",
 *              "kafka":"127.0.0.1:9092","kafkaAdvertise":"…","kafkaTokenFile":"…"}}     once, first
 *   {"start":{…}}                           a task's specification (task/task_spec.h)
 *   {"stop":"acmeCo/hooks","now":false,"forget":true}
 *   {"leave":true}                          every capture will be stopped: websockets are told so
 *
 * and hears on `events_fd` {"listening":"http://127.0.0.1:8080"} (and "kafka://…"), what was done and what is
 * under way (task/push_figures.h) once a second where that has changed, and what a task tells (task/event.h),
 * each line with the member "task". A capture is stopped and started while the others go on,
 * and connections stay: they are the listener's, not a capture's. The end of `spec_fd`, or SIGTERM, lets
 * every capture finish; then what is being answered is answered. */
#ifndef FIRTH_INGEST_LISTENER_H
#define FIRTH_INGEST_LISTENER_H

enum {
    INGEST_CAPTURES_MAX = 1024,
    INGEST_LINE_MAX = 257 << 20, /* bytes of a line: a specification and what is around it */
    INGEST_GRACE_MS = 5000,      /* for the last answers */
};

/* Returns the exit status. */
int ingest_main(int spec_fd, int events_fd);

#endif
