#include "supervisor/deploy.h"

#include "catalog/snapshot.h"
#include "supervisor/binding_text.h"

#include <stdlib.h>

const char *deploy_action_name(enum deploy_action action)
{
    static const char *const names[DEPLOY_ACTION_COUNT] = {"add", "change", "remove", "leave", "none"};
    return names[action];
}

/* What is deployed under the name. */
struct deployed {
    struct arena *arena;
    struct control *control;
    struct control_deployment *deployments;
    size_t deployment_count;
    struct control_task *tasks;
    size_t task_count;
    int64_t id;      /* of the deployment of this name; 0: there is none */
    bool discovered; /* its last deploy was autoDiscover's */
    struct {
        int64_t snapshot;
        struct catalog *catalog; /* NULL: this program cannot load it any more */
    } * catalogs;
    size_t catalog_count, catalog_capacity;
};

static int read_deployed(struct deployed *deployed, const char *name, uint64_t *ret_revision,
                         struct error *err)
{
    *ret_revision = 0;
    if (!deployed->control)
        return 0;
    if (control_revision(deployed->control, ret_revision, err) < 0 ||
        control_deployments(deployed->control, deployed->arena, &deployed->deployments,
                            &deployed->deployment_count, err) < 0 ||
        control_tasks(deployed->control, deployed->arena, &deployed->tasks, &deployed->task_count, err) < 0)
        return -1;
    for (size_t i = 0; i < deployed->deployment_count; i++) {
        if (strcmp(deployed->deployments[i].name, name) != 0)
            continue;
        deployed->id = deployed->deployments[i].id;
        deployed->discovered = strcmp(deployed->deployments[i].by, CONTROL_BY_AUTODISCOVER) == 0;
    }
    return 0;
}

static const struct control_task *find(const struct deployed *deployed, const char *name)
{
    for (size_t i = 0; i < deployed->task_count; i++) {
        if (strcmp(deployed->tasks[i].name, name) == 0)
            return &deployed->tasks[i];
    }
    return NULL;
}

static const struct catalog *catalog_of(struct deployed *deployed, int64_t snapshot, struct error *err)
{
    for (size_t i = 0; i < deployed->catalog_count; i++) {
        if (deployed->catalogs[i].snapshot == snapshot)
            return deployed->catalogs[i].catalog;
    }
    struct buffer text;
    struct catalog_errors errors;
    struct catalog *catalog = NULL;
    buffer_init(&text, CATALOG_SNAPSHOT_MAX + 4096);
    catalog_errors_init(&errors);
    if (control_snapshot(deployed->control, snapshot, &text, err) == 0)
        catalog = catalog_snapshot_load((struct slice){text.data, text.size}, &errors, err);
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    catalog_errors_done(&errors);
    buffer_done(&text);
    deployed->catalogs = mem_grow(deployed->catalogs, &deployed->catalog_capacity,
                                  deployed->catalog_count + 1, sizeof *deployed->catalogs);
    deployed->catalogs[deployed->catalog_count].snapshot = snapshot;
    deployed->catalogs[deployed->catalog_count++].catalog = catalog;
    return catalog;
}

static void deployed_done(struct deployed *deployed)
{
    for (size_t i = 0; i < deployed->catalog_count; i++)
        catalog_free(deployed->catalogs[i].catalog);
    free(deployed->catalogs);
}

/* --- the plan ------------------------------------------------------------------------------------ */

static int owned_by_another(const struct deployed *deployed, const struct catalog_task *task,
                            const struct control_task *there, struct error *err)
{
    const char *owner = "?";
    for (size_t i = 0; i < deployed->deployment_count; i++) {
        if (deployed->deployments[i].id == there->deployment)
            owner = deployed->deployments[i].name;
    }
    return error_set(
        err, ERROR_INVALID,
        "%s:%u:%u: the task '%s' belongs to the deployment '%s': give it another name here, or deploy "
        "this catalog as that one (--name '%s')",
        task->place->file, task->place->line, task->place->column, task->name, owner, owner);
}

/* What was deployed and cannot be loaded by this program counts as changed. */
static unsigned differences(struct deployed *deployed, const struct control_task *there,
                            const struct catalog *catalog, const struct catalog_task *task,
                            struct arena *arena)
{
    struct error unreadable;
    const struct catalog *before = catalog_of(deployed, there->snapshot, &unreadable);
    size_t count = 0;
    const struct catalog_task *tasks = before ? catalog_tasks(before, arena, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tasks[i].name, task->name) == 0)
            return catalog_task_differences(before, &tasks[i], catalog, task);
    }
    return CATALOG_DIFFERS_SETTINGS;
}

static int check_runs(const struct catalog *catalog, const struct catalog_task *task,
                      const struct plan_options *options, struct error *err)
{
    struct plan plan;
    if (!options)
        return 0;
    int result = task->disable ? 0 : plan_task(&plan, catalog, task, options, err);
    if (!task->disable)
        plan_done(&plan);
    return result;
}

static int plan_entry(struct deploy *deploy, struct deployed *deployed, const struct catalog *catalog,
                      const struct catalog_task *task, const struct plan_options *options, struct error *err)
{
    const struct control_task *there = find(deployed, task->name);
    struct deploy_entry entry = {.action = DEPLOY_ADD,
                                 .name = task->name,
                                 .kind = catalog_task_kind(task),
                                 .schedule = plan_schedule_text(task, &deploy->arena),
                                 .bindings = binding_text(task, &deploy->arena),
                                 .enabled = !task->disable};
    if (check_runs(catalog, task, options, err) < 0)
        return -1;
    if (there && there->deployment != deployed->id)
        return owned_by_another(deployed, task, there, err);
    if (there) {
        entry.differences = differences(deployed, there, catalog, task, &deploy->arena);
        entry.action = entry.differences ? DEPLOY_CHANGE : DEPLOY_NONE;
    }
    deploy->entries[deploy->entry_count++] = entry;
    return 0;
}

static void plan_rest(struct deploy *deploy, const struct deployed *deployed, bool prune)
{
    size_t of_catalog = deploy->entry_count;
    for (size_t i = 0; i < deployed->task_count; i++) {
        const struct control_task *there = &deployed->tasks[i];
        bool kept = there->deployment != deployed->id;
        for (size_t j = 0; j < of_catalog && !kept; j++)
            kept = strcmp(deploy->entries[j].name, there->name) == 0;
        if (!kept)
            deploy->entries[deploy->entry_count++] =
                (struct deploy_entry){.action = prune ? DEPLOY_REMOVE : DEPLOY_LEAVE,
                                      .name = there->name,
                                      .kind = there->kind,
                                      .schedule = there->schedule,
                                      .enabled = there->enabled};
    }
}

/* --- what autoDiscover has changed ----------------------------------------------------------------- */

static const struct catalog_binding *binding_to(const struct catalog_capture *capture, const char *target)
{
    for (size_t i = 0; i < capture->binding_count; i++) {
        if (strcmp(capture->bindings[i].target->name, target) == 0)
            return &capture->bindings[i];
    }
    return NULL;
}

/* A write schema that autoDiscover keeps (it does of a binding that is enabled) is the source's: any other is
 * an older one, or one that autoDiscover replaces the next time. */
static void tell_undone(struct deploy *deploy, const struct catalog *deployed,
                        const struct catalog_capture *before, const struct catalog *catalog,
                        const struct catalog_capture *after)
{
    const char **undone =
        arena_alloc(&deploy->arena, (deploy->undone_count + before->binding_count + 1) * sizeof *undone);
    if (deploy->undone_count)
        memcpy(undone, deploy->undone, deploy->undone_count * sizeof *undone);
    for (size_t i = 0; i < before->binding_count; i++) {
        const struct catalog_binding *was = &before->bindings[i], *is = binding_to(after, was->target->name);
        const char *target = was->target->name;
        if (!is)
            undone[deploy->undone_count++] =
                arena_printf(&deploy->arena, "%s has no binding to %s", before->name, target);
        else if (is->backfill < was->backfill)
            undone[deploy->undone_count++] =
                arena_printf(&deploy->arena, "%s has an older backfill counter for %s", before->name, target);
        else if (was->disable && !is->disable)
            undone[deploy->undone_count++] = arena_printf(
                &deploy->arena, "%s enables the binding to %s, whose stream is gone", before->name, target);
        else if (!was->disable && !catalog_same_write_schema(deployed, was->target, catalog, is->target))
            undone[deploy->undone_count++] =
                arena_printf(&deploy->arena, "%s has another schema for %s", before->name, target);
    }
    deploy->undone = undone;
}

static void find_undone(struct deploy *deploy, struct deployed *deployed, const struct catalog *catalog)
{
    struct error unreadable;
    deploy->discovered = deployed->discovered;
    for (size_t i = 0; i < deployed->task_count && deployed->discovered; i++) {
        const struct control_task *there = &deployed->tasks[i];
        const struct catalog *before =
            there->deployment == deployed->id ? catalog_of(deployed, there->snapshot, &unreadable) : NULL;
        const struct catalog_capture *was = before ? catalog_capture(before, there->name) : NULL;
        const struct catalog_capture *is = catalog_capture(catalog, there->name);
        if (was && is && was->auto_discover)
            tell_undone(deploy, before, was, catalog, is);
    }
}

int deploy_plan(struct deploy *deploy, struct control *control, const struct catalog *catalog,
                const char *name, bool prune, const struct plan_options *options, struct error *err)
{
    *deploy = (struct deploy){0};
    arena_init(&deploy->arena);
    deploy->name = arena_strdup(&deploy->arena, name);
    struct deployed deployed = {.arena = &deploy->arena, .control = control};
    size_t count;
    int result = read_deployed(&deployed, name, &deploy->revision, err);
    const struct catalog_task *tasks = catalog_tasks(catalog, &deploy->arena, &count);
    deploy->entries =
        arena_zalloc(&deploy->arena, (count + deployed.task_count + 1) * sizeof *deploy->entries);
    for (size_t i = 0; i < count && result == 0; i++)
        result = plan_entry(deploy, &deployed, catalog, &tasks[i], options, err);
    if (result == 0)
        plan_rest(deploy, &deployed, prune);
    if (result == 0)
        find_undone(deploy, &deployed, catalog);
    for (size_t i = 0; i < deploy->entry_count; i++)
        deploy->counts[deploy->entries[i].action]++;
    deployed_done(&deployed);
    return result;
}

void deploy_done(struct deploy *deploy)
{
    arena_done(&deploy->arena);
}

/* --- doing it ------------------------------------------------------------------------------------ */

int deploy_apply(const struct deploy *deploy, struct control *control, const char *file, const char *by,
                 struct slice snapshot, struct error *err)
{
    struct control_deploy_task *tasks = mem_zalloc((deploy->entry_count + 1) * sizeof *tasks);
    const char **removed = mem_zalloc((deploy->entry_count + 1) * sizeof *removed);
    struct control_deploy change = {.name = deploy->name,
                                    .file = file,
                                    .by = by,
                                    .now_ms = clock_wall_ms(&clock_system),
                                    .revision = deploy->revision,
                                    .snapshot = snapshot,
                                    .tasks = tasks,
                                    .removed = removed};
    for (size_t i = 0; i < deploy->entry_count; i++) {
        const struct deploy_entry *entry = &deploy->entries[i];
        if (entry->action == DEPLOY_REMOVE)
            removed[change.removed_count++] = entry->name;
        else if (entry->action != DEPLOY_LEAVE)
            tasks[change.task_count++] =
                (struct control_deploy_task){.name = entry->name,
                                             .kind = entry->kind,
                                             .schedule = entry->schedule,
                                             .bindings = entry->bindings,
                                             .enabled = entry->enabled,
                                             .changed = entry->action == DEPLOY_CHANGE};
    }
    int result = control_deploy(control, &change, err);
    free(tasks);
    free(removed);
    return result;
}
