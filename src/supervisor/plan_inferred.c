/* Materializations of collections whose schemas are inferred: planned anew before each session, by what was
 * captured until then. */
#include "supervisor/plan.h"
#include "task/inferred.h"

bool plan_is_inferred(const struct catalog_task *task)
{
    const struct catalog_materialization *materialization = task->materialization;
    for (size_t i = 0; materialization && i < materialization->binding_count; i++) {
        if (!materialization->bindings[i].disable && materialization->bindings[i].source.collection->inferred)
            return true;
    }
    return false;
}

static bool plan_again(const struct catalog *catalog, const char *name, const struct plan_options *options,
                       struct buffer *spec)
{
    struct arena arena;
    size_t count;
    bool planned = false;
    arena_init(&arena);
    const struct catalog_task *tasks = catalog_tasks(catalog, &arena, &count);
    for (size_t i = 0; i < count; i++) {
        struct plan plan;
        struct error ignored;
        if (strcmp(tasks[i].name, name) != 0)
            continue;
        planned = plan_task(&plan, catalog, &tasks[i], options, &ignored) == 0;
        if (planned)
            buffer_append(spec, plan.spec.data, plan.spec.size);
        plan_done(&plan);
    }
    arena_done(&arena);
    return planned;
}

struct catalog *plan_load_inferred(struct catalog_snapshot *snapshot, const char *path, const char *data_dir,
                                   struct error *err)
{
    struct catalog_options with = *catalog_snapshot_options(snapshot);
    struct catalog_errors errors;
    with.inferred = task_inferred_for_catalog;
    with.inferred_context = (void *)data_dir;
    catalog_errors_init(&errors);
    struct catalog *catalog = catalog_load(path, &with, &errors, err);
    catalog_errors_done(&errors);
    return catalog;
}

bool plan_refresh(struct catalog_snapshot *snapshot, const char *path, const char *task,
                  const struct plan_options *options, struct buffer *spec)
{
    struct error ignored;
    mem_auto(catalog_free) struct catalog *catalog =
        plan_load_inferred(snapshot, path, options->data_dir, &ignored);
    return catalog && plan_again(catalog, task, options, spec);
}
