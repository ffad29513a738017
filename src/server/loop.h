/* From the HTTP server's threads to the daemon's loop. Private to this folder. */
#ifndef FIRTH_SERVER_LOOP_H
#define FIRTH_SERVER_LOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

struct loop_item {
    struct loop_item *next;
    /* In the loop's thread. `closing`: nothing can be begun any more. */
    void (*act)(struct loop_item *item, bool closing);
};

/* Things to do, in the order in which they were handed over. Embedded; the loop's thread inits and closes it.
 */
struct loop_inbox {
    uv_async_t async;
    pthread_mutex_t lock;
    struct loop_item *first, **last;
    bool closing;
};

int loop_inbox_init(struct loop_inbox *inbox, uv_loop_t *loop);
/* From any thread. After loop_inbox_close it acts at once, in the calling thread, as closing. */
void loop_inbox_put(struct loop_inbox *inbox, struct loop_item *item);
/* What is waiting acts as closing. `closed` is called once the handle is. */
void loop_inbox_close(struct loop_inbox *inbox, uv_close_cb closed);

#endif
