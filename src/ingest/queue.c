#include "ingest/queue.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* --- lists -------------------------------------------------------------------------------------------- */

void ingest_pushes_init(struct ingest_pushes *pushes)
{
    *pushes = (struct ingest_pushes){.last = &pushes->first};
}

void ingest_pushes_put(struct ingest_pushes *pushes, struct ingest_push *push)
{
    push->next = NULL;
    *pushes->last = push;
    pushes->last = &push->next;
}

struct ingest_push *ingest_pushes_take(struct ingest_pushes *pushes)
{
    struct ingest_push *push = pushes->first;
    if (!push)
        return NULL;
    pushes->first = push->next;
    if (!pushes->first)
        pushes->last = &pushes->first;
    return push;
}

/* --- what is counted ---------------------------------------------------------------------------------- */

/* What is counted of a push beside its documents: also many small ones are bounded. */
static size_t weight(const struct ingest_push *push)
{
    return push->bytes + sizeof *push + push->count * sizeof *push->documents;
}

static void count_done(const struct ingest_queue *queue, enum ingest_result result)
{
    static const enum push_figure figures[] = {
        [INGEST_DURABLE] = PUSH_DURABLE,        [INGEST_DUPLICATE] = PUSH_DUPLICATE,
        [INGEST_STOPPED] = PUSH_STOPPED,        [INGEST_FULL] = PUSH_FULL,
        [INGEST_OUT_OF_ORDER] = PUSH_REFUSED,   [INGEST_OLD_EPOCH] = PUSH_REFUSED,
        [INGEST_DUPLICATE_OLD] = PUSH_DUPLICATE};
    ingest_count(queue->captures, figures[result], 1);
}

static void count_waiting(const struct ingest_queue *queue, int64_t more, int64_t bytes)
{
    ingest_count(queue->captures, PUSH_WAITING, more);
    ingest_count(queue->captures, PUSH_WAITING_BYTES, bytes);
}

static void count_queued(struct ingest_queue *queue, const struct ingest_push *push)
{
    queue->waiting++;
    queue->waiting_bytes += weight(push);
    count_waiting(queue, 1, (int64_t)weight(push));
}

/* --- the queue ---------------------------------------------------------------------------------------- */

void ingest_queue_init(struct ingest_queue *queue, struct ingest_captures *captures)
{
    *queue = (struct ingest_queue){.captures = captures, .wake = -1};
    ingest_pushes_init(&queue->queued);
    pthread_mutex_init(&queue->lock, NULL);
}

int ingest_queue_open(struct ingest_queue *queue, struct error *err)
{
    queue->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return queue->wake < 0 ? error_errno(err, errno, "cannot open an eventfd") : 0;
}

void ingest_queue_close(struct ingest_queue *queue)
{
    if (queue->wake >= 0)
        close(queue->wake);
    pthread_mutex_destroy(&queue->lock);
}

/* One push is always taken, however large: its listener has a limit of its own. */
static bool is_full(const struct ingest_queue *queue, const struct ingest_push *push)
{
    return queue->waiting >= INGEST_QUEUE_PUSHES ||
           (queue->waiting > 0 && queue->waiting_bytes + weight(push) > INGEST_QUEUE_BYTES);
}

void ingest_queue_put(struct ingest_queue *queue, struct ingest_push *first)
{
    struct ingest_pushes refused;
    struct ingest_push *next;
    ingest_pushes_init(&refused);
    pthread_mutex_lock(&queue->lock);
    bool stopped = queue->stopped, empty = !queue->queued.first;
    for (; first; first = next) {
        next = first->next;
        bool taken = !stopped && !is_full(queue, first);
        if (taken)
            count_queued(queue, first);
        ingest_pushes_put(taken ? &queue->queued : &refused, first);
    }
    bool wake = empty && queue->queued.first; /* else it has been woken, and has not looked yet */
    pthread_mutex_unlock(&queue->lock);
    if (wake)
        eventfd_write(queue->wake, 1);
    while ((first = ingest_pushes_take(&refused))) {
        enum ingest_result result = stopped ? INGEST_STOPPED : INGEST_FULL;
        count_done(queue, result);
        first->done(first, result);
    }
}

struct ingest_push *ingest_queue_take(struct ingest_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct ingest_push *push = ingest_pushes_take(&queue->queued);
    pthread_mutex_unlock(&queue->lock);
    return push;
}

void ingest_queue_done(struct ingest_queue *queue, struct ingest_pushes *done)
{
    struct ingest_push *push;
    size_t bytes = 0, count = 0;
    for (push = done->first; push; push = push->next, count++)
        bytes += weight(push);
    count_waiting(queue, -(int64_t)count, -(int64_t)bytes);
    pthread_mutex_lock(&queue->lock);
    queue->waiting -= count;
    queue->waiting_bytes -= bytes;
    pthread_mutex_unlock(&queue->lock);
    while ((push = ingest_pushes_take(done))) {
        count_done(queue, push->result);
        push->done(push, push->result);
    }
}

void ingest_queue_stop(struct ingest_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    pthread_mutex_unlock(&queue->lock);
}

bool ingest_queue_over(struct ingest_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool over = queue->stopped && !queue->queued.first;
    pthread_mutex_unlock(&queue->lock);
    return over;
}
