/* What a task moves: its bindings by the catalog that it was deployed with, and those that it has committed
 * something of, each once. */
#ifndef FIRTH_CLI_STATUS_BINDINGS_H
#define FIRTH_CLI_STATUS_BINDINGS_H

#include "cli/cmd_status.h"

struct status_binding {
    const char *stream, *collection; /* collection: of a capture what is written, of a materialization what is
                                        read; NULL: of a connection, or one that is not declared any more */
    bool declared, enabled;          /* by the catalog */
    const struct task_saved_stream *saved; /* NULL: nothing was committed of it, or it is not known */
};

struct status_bindings {
    bool known; /* what is deployed says which there are; else those are listed that are saved */
    struct status_binding *items;
    size_t count;
};

/* `deployed` NULL: it is not deployed. In the arena; it points into the checkpoint. */
void status_bindings(const struct deployed_task *deployed, const struct task_checkpoint *checkpoint,
                     struct arena *arena, struct status_bindings *ret_bindings);

#endif
