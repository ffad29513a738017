/* What a materialization's checkpoint has read, and the store has no more: the capture was dropped, the data
 * directory emptied, or it is another one, or an older copy. Every such binding is told at once, since each
 * has to be mended in the catalog. */
#ifndef FIRTH_TASK_LOST_H
#define FIRTH_TASK_LOST_H

#include "base/buffer.h"
#include "task/positions.h"

struct task;

struct task_lost {
    const struct task *task; /* not owned */
    struct buffer text;
    size_t count;    /* journals of a binding */
    size_t restored; /* of them those that went on from an older copy of the data directory */
};

void task_lost_init(struct task_lost *lost, const struct task *task);
void task_lost_done(struct task_lost *lost);
/* `there_are`: what of the journal's documents there is instead. `restored`: it went on from an older copy of
 * the data directory. */
void task_lost_add(struct task_lost *lost, const struct task_journal *journal, const char *there_are,
                   bool restored);
/* 0 if nothing was added; else -1 (ERROR_INVALID). */
int task_lost_judge(const struct task_lost *lost, struct error *err);

#endif
