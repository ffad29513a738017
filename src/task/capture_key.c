#include "task/capture_key.h"

static const char *key_text(const char *const *key, struct arena *arena)
{
    const char *text = "";
    for (size_t i = 0; key[i]; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", key[i]);
    return text;
}

/* The documents are stored as they come, whatever the key. It is their readers that meet two of them. */
void task_capture_key_note(struct task *task, struct task_binding *binding)
{
    const struct task_binding_spec *spec = binding->spec;
    struct task_saved_stream *saved = binding->saved;
    if (task->spec->kind != TASK_CAPTURE || !spec->key || !spec->collection)
        return;
    const char *now = key_text(spec->key, &task->checkpoint.arena);
    if (saved->key && strcmp(saved->key, now) != 0 && strcmp(saved->target, spec->collection) == 0 &&
        saved->backfill == spec->backfill)
        task_report_logf(
            task->report, LOG_WARN,
            "the key of %s is %s, and was %s when it was captured into last: the documents of before "
            "may lack it, or have it twice. Capture into a new collection, or raise 'backfill' of this "
            "binding, and of those that materialize the collection",
            spec->collection, now, saved->key);
    saved->key = now;
}
