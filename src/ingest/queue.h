/* The pushes of one capture that are not done: put by any thread, bounded in number and bytes, and taken by
 * the reader in their order. Private to this folder. */
#ifndef FIRTH_INGEST_QUEUE_H
#define FIRTH_INGEST_QUEUE_H

#include "ingest/capture.h"

#include <pthread.h>

struct ingest_pushes {
    struct ingest_push *first, **last;
};
void ingest_pushes_init(struct ingest_pushes *pushes);
void ingest_pushes_put(struct ingest_pushes *pushes, struct ingest_push *push);
/* NULL: there is none. */
struct ingest_push *ingest_pushes_take(struct ingest_pushes *pushes);

struct ingest_queue {
    struct ingest_captures *captures; /* where pushes are counted */
    int wake;                         /* an eventfd: something was put */

    pthread_mutex_t lock; /* of what follows */
    struct ingest_pushes queued;
    size_t waiting, waiting_bytes; /* pushes that are not done, those that were taken among them */
    bool stopped;                  /* nothing more is put */
};

void ingest_queue_init(struct ingest_queue *queue, struct ingest_captures *captures);
int ingest_queue_open(struct ingest_queue *queue, struct error *err);
/* Nothing waits. */
void ingest_queue_close(struct ingest_queue *queue);
/* As ingest_push_all. */
void ingest_queue_put(struct ingest_queue *queue, struct ingest_push *first);
/* NULL: nothing is there. */
struct ingest_push *ingest_queue_take(struct ingest_queue *queue);
/* These were taken and are done, each with its result; all are told. */
void ingest_queue_done(struct ingest_queue *queue, struct ingest_pushes *done);
/* What comes from now on is refused. */
void ingest_queue_stop(struct ingest_queue *queue);
/* It was stopped, and all was taken. */
bool ingest_queue_over(struct ingest_queue *queue);

#endif
