#include "server/loop.h"

#include <stddef.h>

static struct loop_item *take_all(struct loop_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    struct loop_item *first = inbox->first;
    inbox->first = NULL;
    inbox->last = &inbox->first;
    pthread_mutex_unlock(&inbox->lock);
    return first;
}

static void act_all(struct loop_inbox *inbox, bool closing)
{
    for (struct loop_item *item = take_all(inbox), *next; item; item = next) {
        next = item->next;
        item->act(item, closing);
    }
}

static void on_async(uv_async_t *async)
{
    act_all(async->data, false);
}

int loop_inbox_init(struct loop_inbox *inbox, uv_loop_t *loop)
{
    *inbox = (struct loop_inbox){.last = &inbox->first};
    pthread_mutex_init(&inbox->lock, NULL);
    inbox->async.data = inbox;
    return uv_async_init(loop, &inbox->async, on_async);
}

void loop_inbox_put(struct loop_inbox *inbox, struct loop_item *item)
{
    item->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    bool closing = inbox->closing;
    if (!closing) {
        *inbox->last = item;
        inbox->last = &item->next;
        uv_async_send(&inbox->async); /* under the lock: the handle is not closed meanwhile */
    }
    pthread_mutex_unlock(&inbox->lock);
    if (closing)
        item->act(item, true);
}

void loop_inbox_close(struct loop_inbox *inbox, uv_close_cb closed)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->closing = true;
    pthread_mutex_unlock(&inbox->lock);
    act_all(inbox, true);
    uv_close((uv_handle_t *)&inbox->async, closed);
}
