/* A connector changed its config while it ran (CONTROL): the control store's becomes the same. The task has
 * it already, so that what is lost here, with the daemon, is told again by the next session. */
#include "supervisor/jobs_state.h"

#include "base/fault.h"
#include "supervisor/changed_config.h"

/* The attempt is not to go on: its connector works with what will not be there again. */
static void refuse(struct job_run *run, enum control_side side, const struct error *error)
{
    job_run_blame(run, control_side_name(side), error);
    run->refused = true;
    if (run->child)
        child_stop(run->child);
}

void job_config_take(struct job_run *run, enum control_side side, struct slice said)
{
    const struct control_connection *connection = &run->spec->connection;
    const struct changed_config change = {.side = side,
                                          .actor = side == CONTROL_SOURCE ? connection->source
                                                                          : connection->destination,
                                          .said = said};
    struct slice merged = {0};
    struct arena arena;
    struct error err;
    bool refused;
    arena_init(&arena);
    fault_point("job-config");
    int result = changed_config_keep(run->jobs->options.control, &change, jobs_now_ms(), &arena, &merged,
                                     &refused, &err);
    if (result == 1)
        job_run_log(run, LOG_INFO, "daemon", "the connector's new config is kept");
    else if (result < 0 && refused)
        refuse(run, side, &err);
    else if (result < 0)
        jobs_store_failed(run->jobs, &err); /* the next session tells it again */
    if (merged.size)
        explicit_bzero((char *)merged.data, merged.size);
    arena_done(&arena);
}
