#include "task/lost.h"

#include "task/task.h"

enum { SHOWN_MAX = 16 }; /* the rest is counted: an error is read by people */

void task_lost_init(struct task_lost *lost, const struct task *task)
{
    *lost = (struct task_lost){.task = task};
    buffer_init(&lost->text, BUFFER_UNLIMITED);
}

void task_lost_done(struct task_lost *lost)
{
    buffer_done(&lost->text);
}

void task_lost_add(struct task_lost *lost, const struct task_journal *journal, const char *there_are,
                   bool restored)
{
    const struct task_binding_spec *binding = lost->task->bindings[journal->binding].spec;
    lost->restored += restored;
    if (lost->count++ >= SHOWN_MAX)
        return;
    buffer_printf(
        &lost->text,
        "%sthe binding '%.200s' has read %llu document%s that %.200s wrote to %.200s, but there are %s",
        lost->count > 1 ? "; " : "", binding->stream.name, (unsigned long long)journal->next,
        journal->next == 1 ? "" : "s", journal->writer, binding->collection, there_are);
}

/* What has happened, as far as it is known. */
static const char *cause_of(const struct task_lost *lost)
{
    if (lost->restored == lost->count)
        return "of a newer state of this data directory, which went on from an older copy";
    return lost->restored ? "of another data directory, of one that was emptied, or of a newer state of "
                            "this one, which went on from an older copy"
                          : "of another data directory, of one that was emptied, or of a newer state of "
                            "this one";
}

int task_lost_judge(const struct task_lost *lost, struct error *err)
{
    if (lost->count == 0)
        return 0;
    const char *text = lost->text.data;
    int size = (int)lost->text.size;
    if (lost->count == 1)
        return error_set(err, ERROR_INVALID,
                         "%.*s: its checkpoint is %s; raise the binding's 'backfill' to materialize it anew",
                         size, text, cause_of(lost));
    char more[40] = "";
    if (lost->count > SHOWN_MAX)
        snprintf(more, sizeof more, "; and %zu more like these", lost->count - SHOWN_MAX);
    /* What to do comes first: an error has a limit, and the list has none. */
    return error_set(
        err, ERROR_INVALID,
        "the checkpoint is %s; raise the 'backfill' of each of these bindings to materialize them anew: "
        "%.*s%s",
        cause_of(lost), size, text, more);
}
