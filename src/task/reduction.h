/* A capture's documents, reduced by key within a transaction: those of collections whose write schema says
 * "reduce" anywhere. What is covered by a checkpoint waits in a combiner, in bounded memory (the rest in a
 * file), and is written to the store when the transaction is committed. */
#ifndef FIRTH_TASK_REDUCTION_H
#define FIRTH_TASK_REDUCTION_H

#include "task/ledger.h"

struct reduction;

/* Number the bindings whose documents are reduced (task_binding.reduced). *ret_reduction is NULL if there is
 * none. */
int reduction_new(struct task *task, struct reduction **ret_reduction, struct error *err);
void reduction_free(struct reduction *reduction);
MEM_DEFINE_CLEANUP(struct reduction *, reduction_free);

/* Add a document. After an error nothing of the transaction may be committed: see reduction_broken. */
int reduction_add(struct reduction *reduction, const struct task_binding *binding, struct slice document,
                  struct error *err);
/* Append what the documents became to the writer's transaction, and begin anew. */
int reduction_drain(struct reduction *reduction, struct store_writer *writer, struct error *err);
/* An error of one of these: what was added is lost. NULL is not broken. */
bool reduction_broken(const struct reduction *reduction);

#endif
