/* What tasks do, for whoever watches (watch.h): those that something has happened to, a moment later, once.
 */
#include "supervisor/daemon_state.h"
#include "supervisor/watch.h"

static void tell(const struct daemon *daemon, const struct daemon_task *task)
{
    const struct daemon_live *live = &task->live;
    const struct task_news news = {.name = task->name,
                                   .state = daemon_state_name(task->state),
                                   .running = task->state == DAEMON_TASK_RUNNING,
                                   .documents = live->documents,
                                   .bytes = live->bytes,
                                   .document_rate = live->document_rate,
                                   .byte_rate = live->byte_rate,
                                   .lag_ms = live->lag_ms};
    daemon->watch->task(daemon->watch->context, &news);
}

static void on_due(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    const struct map_entry *entry;
    for (size_t at = 0; daemon->watch && (entry = map_next(&daemon->tasks, &at));) {
        struct daemon_task *task = entry->value;
        if (task->untold && !task->gone)
            tell(daemon, task);
        task->untold = false;
    }
}

void daemon_news(struct daemon_task *task)
{
    struct daemon *daemon = task->daemon;
    if (!daemon->watch || daemon->closing)
        return;
    task->untold = true;
    if (!uv_is_active((uv_handle_t *)&daemon->news_due))
        uv_timer_start(&daemon->news_due, on_due, WATCH_TASK_MS, 0);
}

void daemon_news_deployed(const struct daemon *daemon)
{
    if (daemon->watch)
        daemon->watch->tasks(daemon->watch->context);
}

void daemon_watch(struct daemon *daemon, const struct watch *watch)
{
    daemon->watch = watch;
}
