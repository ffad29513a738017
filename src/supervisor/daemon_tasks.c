/* What is deployed, and what the supervisor has: the difference is done, nothing else is disturbed. */
#include "supervisor/daemon_state.h"

#include "supervisor/past.h"
#include "supervisor/plan.h"

#include <stdlib.h>

struct reload {
    struct daemon *daemon;
    struct arena arena;
    struct control_task *tasks;
    size_t task_count;
    struct daemon_changes changes;
};

/* --- tasks --------------------------------------------------------------------------------------- */

static char *copy_text(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static struct daemon_task *new_task(struct daemon *daemon, const struct control_task *deployed)
{
    struct daemon_task *task = mem_zalloc(sizeof *task);
    *task = (struct daemon_task){
        .daemon = daemon, .name = mem_strdup(deployed->name), .facts = deployed->facts, .live.lag_ms = -1};
    task->facts.code = copy_text(deployed->facts.code);
    task->facts.error = copy_text(deployed->facts.error);
    task_log_init(&task->log, daemon->options->data_dir, task->name,
                  daemon->options->log_bytes ? daemon->options->log_bytes : TASK_LOG_BYTES_DEFAULT);
    map_set(&daemon->tasks, slice_of(task->name), task);
    return task;
}

void daemon_task_free(struct daemon_task *task)
{
    if (task->gone)
        task_log_remove(&task->log);
    task_log_done(&task->log);
    free((char *)task->facts.code);
    free((char *)task->facts.error);
    free(task->name);
    free(task);
}

/* --- the difference ------------------------------------------------------------------------------ */

static void take_out(struct daemon_task *task)
{
    if (!task->supervised || task->leaving)
        return;
    task->leaving = true;
    supervisor_remove(task->daemon->supervisor, task->supervised);
}

static int give(struct daemon_task *task, struct supervisor_definition *definition, struct error *err)
{
    struct supervisor *supervisor = task->daemon->supervisor;
    definition->owner = task;
    definition->past = past_of(&task->facts, task->generation, &definition->schedule);
    /* Until it says something else: a task that never runs again does not. */
    task->state = DAEMON_TASK_WAITING;
    if (definition->past.known && definition->past.never)
        task->state = DAEMON_TASK_DONE;
    daemon_news(task);
    if (task->supervised) {
        supervisor_replace(supervisor, task->supervised, definition);
        return 0;
    }
    if (supervisor_add(supervisor, definition, err) < 0)
        return -1;
    task->supervised = supervisor_task(supervisor, supervisor_task_count(supervisor) - 1);
    return 0;
}

void daemon_task_planned(struct daemon_task *task, const struct supervisor_definition *definition)
{
    struct supervisor_definition own = *definition;
    struct error err;
    if (task->leaving) { /* it comes back once it has left: on_removed sees to it */
        task->missed = task->unplanned = true;
        return;
    }
    task->unplanned = false;
    own.name = task->name;
    task->inferred = definition->inferred;
    daemon_discover(task, definition->discovers);
    if (give(task, &own, &err) < 0)
        daemon_task_unplanned(task, &err);
}

void daemon_task_unplanned(struct daemon_task *task, const struct error *error)
{
    for (struct daemon_held *held = task->daemon->held; held; held = held->next)
        held->changes.failed++;
    task->unplanned = error->retriable;
    daemon_task_failed(task, error);
    take_out(task);
}

static void stop(struct daemon_task *task)
{
    task->planning = false;
    task->state = DAEMON_TASK_DISABLED;
    daemon_news(task);
    daemon_discover(task, false);
    take_out(task);
}

static void take_up(struct reload *reload, const struct control_task *deployed)
{
    struct daemon *daemon = reload->daemon;
    struct daemon_task *task = map_get(&daemon->tasks, slice_of(deployed->name));
    bool new = !task;
    if (new)
        task = new_task(daemon, deployed);
    task->listed = true;
    if (task->leaving) { /* on_removed sees to it */
        task->missed = true;
        return;
    }
    bool same = !new && task->generation == deployed->generation && task->enabled == deployed->enabled;
    if (same && (task->planning || !task->unplanned))
        return;
    reload->changes.added += new;
    reload->changes.changed += !new && !same;
    task->unplanned = false;
    task->generation = deployed->generation;
    task->enabled = deployed->enabled;
    if (deployed->enabled)
        daemon_plan(task, deployed->snapshot);
    else
        stop(task);
}

static void drop(struct reload *reload, struct daemon_task *task)
{
    reload->changes.removed++;
    task->gone = true;
    if (task->supervised) {
        take_out(task); /* on_removed frees it */
        return;
    }
    map_remove(&reload->daemon->tasks, slice_of(task->name));
    daemon_task_free(task);
}

static void compare(struct reload *reload)
{
    const struct map_entry *entry;
    struct map *tasks = &reload->daemon->tasks;
    for (size_t at = 0; (entry = map_next(tasks, &at));)
        ((struct daemon_task *)entry->value)->listed = false;
    for (size_t i = 0; i < reload->task_count; i++)
        take_up(reload, &reload->tasks[i]);
    /* Removing changes the map: those that go are gathered first. */
    struct daemon_task **unlisted = arena_zalloc(&reload->arena, (tasks->count + 1) * sizeof(void *));
    size_t count = 0;
    for (size_t at = 0; (entry = map_next(tasks, &at));) {
        struct daemon_task *task = entry->value;
        if (!task->listed && !task->gone)
            unlisted[count++] = task;
    }
    for (size_t i = 0; i < count; i++)
        drop(reload, unlisted[i]);
}

static void retry_failed(struct daemon *daemon)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&daemon->tasks, &at));) {
        struct daemon_task *task = entry->value;
        if (task->state != DAEMON_TASK_FAILED || task->gone)
            continue;
        if (task->supervised)
            supervisor_start_now(daemon->supervisor, task->supervised);
        else
            task->unplanned = true; /* the reload that follows tries */
    }
}

int daemon_reload(struct daemon *daemon, bool retry, struct daemon_changes *ret_changes, struct error *err)
{
    struct reload reload = {.daemon = daemon};
    arena_init(&reload.arena);
    if (retry)
        retry_failed(daemon);
    uint64_t revision = 0;
    int result = control_revision(daemon->options->control, &revision, err);
    if (result == 0)
        result =
            control_tasks(daemon->options->control, &reload.arena, &reload.tasks, &reload.task_count, err);
    if (result == 0) {
        daemon->revision = revision;
        compare(&reload);
        *ret_changes = reload.changes;
        if (reload.changes.added || reload.changes.changed || reload.changes.removed)
            daemon_news_deployed(daemon);
    }
    arena_done(&reload.arena);
    daemon_planning_go(daemon);
    return result;
}
