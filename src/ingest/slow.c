#include "ingest/slow.h"

#include "base/memory.h"

#include <pthread.h>
#include <signal.h>

struct ingest_slow {
    void (*work)(void *context, struct ingest_slow_item *item);
    void *context;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct ingest_slow_item *first, **last;
    bool over;
};

static void *run(void *context)
{
    struct ingest_slow *slow = context;
    pthread_mutex_lock(&slow->lock);
    for (;;) {
        struct ingest_slow_item *item = slow->first;
        if (!item && slow->over)
            break;
        if (!item) {
            pthread_cond_wait(&slow->changed, &slow->lock);
            continue;
        }
        slow->first = item->next;
        if (!slow->first)
            slow->last = &slow->first;
        pthread_mutex_unlock(&slow->lock);
        slow->work(slow->context, item);
        pthread_mutex_lock(&slow->lock);
    }
    pthread_mutex_unlock(&slow->lock);
    return NULL;
}

struct ingest_slow *ingest_slow_new(void (*work)(void *context, struct ingest_slow_item *item), void *context,
                                    struct error *err)
{
    struct ingest_slow *slow = mem_zalloc(sizeof *slow);
    sigset_t all, before;
    slow->work = work;
    slow->context = context;
    slow->last = &slow->first;
    pthread_mutex_init(&slow->lock, NULL);
    pthread_cond_init(&slow->changed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the listener's loop's */
    int failed = pthread_create(&slow->thread, NULL, run, slow);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        return slow;
    error_errno(err, failed, "cannot start a thread for large requests");
    ingest_slow_free(slow);
    return NULL;
}

bool ingest_slow_put(struct ingest_slow *slow, struct ingest_slow_item *item)
{
    pthread_mutex_lock(&slow->lock);
    bool taken = !slow->over;
    item->next = NULL;
    if (taken) {
        *slow->last = item;
        slow->last = &item->next;
        pthread_cond_signal(&slow->changed);
    }
    pthread_mutex_unlock(&slow->lock);
    return taken;
}

void ingest_slow_end(struct ingest_slow *slow)
{
    if (!slow)
        return;
    pthread_mutex_lock(&slow->lock);
    slow->over = true;
    pthread_cond_signal(&slow->changed);
    pthread_mutex_unlock(&slow->lock);
    pthread_join(slow->thread, NULL);
}

void ingest_slow_free(struct ingest_slow *slow)
{
    if (!slow)
        return;
    pthread_mutex_destroy(&slow->lock);
    pthread_cond_destroy(&slow->changed);
    free(slow);
}
