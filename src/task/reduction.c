#include "task/reduction.h"

#include "base/fault.h"
#include "schema/redact.h"
#include "task/combiner.h"

struct reduction {
    struct task *task;
    struct combiner *combiner;
    struct task_binding **bindings; /* by task_binding.reduced - 1 */
    size_t count;
    bool any, broken;
};

static int make_combiner(struct reduction *reduction, struct error *err)
{
    struct task *task = reduction->task;
    struct combiner_binding *bindings = arena_zalloc(&task->arena, reduction->count * sizeof *bindings);
    for (size_t i = 0; i < reduction->count; i++)
        bindings[i] = (struct combiner_binding){.schema = reduction->bindings[i]->schema,
                                                .key = &reduction->bindings[i]->key,
                                                .mode = REDUCE_PARTIAL};
    const struct combiner_options options = {.folder = task->spec->data_dir};
    reduction->combiner = combiner_new(bindings, reduction->count, &options, err);
    return reduction->combiner ? 0 : -1;
}

int reduction_new(struct task *task, struct reduction **ret_reduction, struct error *err)
{
    mem_auto(reduction_free) struct reduction *reduction = mem_zalloc(sizeof *reduction);
    reduction->task = task;
    reduction->bindings =
        arena_zalloc(&task->arena, (task->binding_count + 1) * sizeof(struct task_binding *));
    for (size_t i = 0; i < task->binding_count; i++) {
        struct task_binding *binding = &task->bindings[i];
        if (!redact_schema_reduces(binding->schema))
            continue;
        reduction->bindings[reduction->count++] = binding;
        binding->reduced = reduction->count;
    }
    if (reduction->count && make_combiner(reduction, err) < 0)
        return -1;
    *ret_reduction = reduction->count ? reduction : NULL;
    if (*ret_reduction)
        reduction = NULL;
    return 0;
}

void reduction_free(struct reduction *reduction)
{
    if (!reduction)
        return;
    combiner_free(reduction->combiner);
    free(reduction);
}

static int add(struct reduction *reduction, const struct task_binding *binding, struct slice document,
               struct error *err)
{
    struct json doc;
    if (json_parse(reduction->task->parser, document.data, document.size, &doc, err) < 0)
        return -1;
    int result = combiner_add(reduction->combiner, (uint32_t)(binding->reduced - 1), &doc, err);
    if (result > 0)
        return error_set(err, ERROR_INVALID, "a document, redacted, is not valid by the schema any more");
    return result;
}

int reduction_add(struct reduction *reduction, const struct task_binding *binding, struct slice document,
                  struct error *err)
{
    assert(!reduction->broken);
    reduction->any = true;
    if (add(reduction, binding, document, err) == 0)
        return 0;
    reduction->broken = true;
    return error_wrap(err, "combining documents of %s", binding->spec->collection);
}

static int drain(struct reduction *reduction, struct store_writer *writer, struct error *err)
{
    struct combined combined;
    int got;
    while ((got = combiner_next(reduction->combiner, &combined, err)) > 0) {
        const struct task_binding *binding = reduction->bindings[combined.binding];
        if (store_append(writer, binding->journal, combined.document, err) < 0)
            return -1;
        reduction->task->progress[binding->index].stored++;
        if (fault_planted("combine-twice") &&
            store_append(writer, binding->journal, combined.document, err) < 0) /* a bug, for the checker */
            return -1;
    }
    return got < 0 ? error_wrap(err, "combining documents") : 0;
}

int reduction_drain(struct reduction *reduction, struct store_writer *writer, struct error *err)
{
    assert(!reduction->broken);
    if (!reduction->any)
        return 0;
    if (drain(reduction, writer, err) < 0) {
        reduction->broken = true;
        return -1;
    }
    combiner_clear(reduction->combiner);
    reduction->any = false;
    return 0;
}

bool reduction_broken(const struct reduction *reduction)
{
    return reduction && reduction->broken;
}
