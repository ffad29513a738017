/* What is deployed, and what the supervisor has: the difference is done, nothing else is disturbed. */
#include "supervisor/daemon_state.h"

#include "catalog/snapshot.h"
#include "supervisor/past.h"
#include "supervisor/plan.h"

#include <stdlib.h>

/* The catalogs that one reload needs, each read once. */
struct loaded {
    int64_t snapshot;
    struct catalog *catalog; /* NULL: it cannot be loaded, `error` says why */
    struct error error;
};

struct reload {
    struct daemon *daemon;
    struct arena arena;
    struct control_task *tasks;
    size_t task_count;
    struct loaded *loaded;
    size_t loaded_count, loaded_capacity;
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

/* --- catalogs ------------------------------------------------------------------------------------ */

static int load_snapshot(struct daemon *daemon, int64_t id, struct catalog **ret_catalog, struct error *err)
{
    struct buffer text;
    struct catalog_errors errors;
    buffer_init(&text, CATALOG_SNAPSHOT_MAX + 4096);
    catalog_errors_init(&errors);
    int result = control_snapshot(daemon->options->control, id, &text, err);
    if (result == 0) {
        *ret_catalog = catalog_snapshot_load((struct slice){text.data, text.size}, &errors, err);
        result = *ret_catalog ? 0 : -1;
    }
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    catalog_errors_done(&errors);
    buffer_done(&text);
    return result;
}

static const struct loaded *load(struct reload *reload, int64_t snapshot)
{
    for (size_t i = 0; i < reload->loaded_count; i++) {
        if (reload->loaded[i].snapshot == snapshot)
            return &reload->loaded[i];
    }
    reload->loaded =
        mem_grow(reload->loaded, &reload->loaded_capacity, reload->loaded_count + 1, sizeof *reload->loaded);
    struct loaded *loaded = &reload->loaded[reload->loaded_count++];
    *loaded = (struct loaded){.snapshot = snapshot};
    (void)load_snapshot(reload->daemon, snapshot, &loaded->catalog, &loaded->error);
    return loaded;
}

static int find_task(const struct loaded *loaded, const char *name, struct arena *arena,
                     struct catalog_task *ret_task, struct error *err)
{
    if (!loaded->catalog) {
        *err = loaded->error;
        return -1;
    }
    size_t count;
    struct catalog_task *tasks = catalog_tasks(loaded->catalog, arena, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tasks[i].name, name) == 0) {
            *ret_task = tasks[i];
            return 0;
        }
    }
    return error_set(err, ERROR_CORRUPT,
                     "%s has no task '%s', although it was deployed from there: deploy it again",
                     loaded->catalog->file, name);
}

/* --- the difference ------------------------------------------------------------------------------ */

static int give(struct reload *reload, struct daemon_task *task, const struct plan *plan, struct error *err)
{
    struct supervisor *supervisor = reload->daemon->supervisor;
    struct supervisor_definition definition = plan->definition;
    bool known = task->supervised != NULL;
    definition.owner = task;
    definition.past = past_of(&task->facts, task->generation, &definition.schedule);
    /* Until it says something else: a task that never runs again does not. */
    task->state = DAEMON_TASK_WAITING;
    if (definition.past.known && definition.past.never)
        task->state = DAEMON_TASK_DONE;
    if (known) {
        supervisor_replace(supervisor, task->supervised, &definition);
        return 0;
    }
    if (supervisor_add(supervisor, &definition, err) < 0)
        return -1;
    task->supervised = supervisor_task(supervisor, supervisor_task_count(supervisor) - 1);
    return 0;
}

static void take_out(struct daemon_task *task)
{
    if (!task->supervised || task->leaving)
        return;
    task->leaving = true;
    supervisor_remove(task->daemon->supervisor, task->supervised);
}

static void start(struct reload *reload, struct daemon_task *task, const struct control_task *deployed)
{
    struct daemon *daemon = reload->daemon;
    struct plan_options options = {.built_ins = daemon->options->built_ins,
                                   .data_dir = daemon->options->data_dir,
                                   .commit_ms = daemon->options->commit_ms,
                                   .stall_ms = daemon->options->stall_ms};
    struct catalog_task found;
    struct plan plan = {0};
    struct error err;
    const struct loaded *loaded = load(reload, deployed->snapshot);
    int result = find_task(loaded, task->name, &reload->arena, &found, &err);
    if (result == 0) {
        result = plan_task(&plan, loaded->catalog, &found, &options, &err);
        if (result == 0)
            result = give(reload, task, &plan, &err);
        plan_done(&plan);
    }
    task->unplanned = result < 0 && err.retriable;
    if (result == 0)
        return;
    reload->changes.failed++;
    daemon_task_failed(task, &err);
    take_out(task);
}

static void stop(struct daemon_task *task)
{
    task->state = DAEMON_TASK_DISABLED;
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
    if (same && !task->unplanned)
        return;
    reload->changes.added += new;
    reload->changes.changed += !new && !same;
    task->unplanned = false;
    task->generation = deployed->generation;
    task->enabled = deployed->enabled;
    if (deployed->enabled)
        start(reload, task, deployed);
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
    }
    for (size_t i = 0; i < reload.loaded_count; i++)
        catalog_free(reload.loaded[i].catalog);
    free(reload.loaded);
    arena_done(&reload.arena);
    return result;
}
