/* Looking for a job's images, in a process of `firth plan`: fetching one may take minutes. */
#include "supervisor/jobs_state.h"

#include "connector/oci.h"

#include <stdlib.h>

enum { PLAN_SILENCE_MS_DEFAULT = 12 * 60 * 1000 /* a pull gives up by itself before that */ };

static void fail(struct job_run *run, const struct error *error)
{
    job_run_blame(run, "airbyte_platform", error);
    job_run_over(run, JOB_ATTEMPT_FAILS, error->retriable);
}

static void on_answered(void *context, const struct plan_answer *answer)
{
    struct job_run *run = context;
    struct error err;
    if (answer->type == PLAN_NOTE) {
        job_run_log(run, LOG_INFO, "daemon", answer->text);
    } else if (answer->type == PLAN_PLANNED) {
        if (job_spec_take_programs(run->spec, answer->definition.spec, &err) < 0)
            job_run_blame(run, "airbyte_platform", &err);
    } else if (answer->type == PLAN_FAILED) {
        job_run_blame(run, "airbyte_platform", &answer->error);
        run->retriable = answer->error.retriable;
    }
}

static void on_ended(void *context, const struct error *error)
{
    struct job_run *run = context;
    struct error err;
    run->plan = NULL;
    if (!run->spec->image) {
        job_run_start(run);
        return;
    }
    if (run->failure.origin) { /* it said why */
        job_run_over(run, JOB_ATTEMPT_FAILS, run->retriable);
        return;
    }
    if (!error) {
        error_set(&err, ERROR_IO, "looking for the images ended without a word about them");
        err.retriable = true;
    }
    fail(run, error ? error : &err);
}

void job_plan_start(struct job_run *run)
{
    const struct jobs_options *options = &run->jobs->options;
    const struct plan_child_options how = {.program = options->program,
                                           .words = options->image_words,
                                           .data_dir = options->data_dir,
                                           .silence_ms =
                                               options->plan_ms ? options->plan_ms : PLAN_SILENCE_MS_DEFAULT};
    const struct plan_child_callbacks callbacks = {
        .context = run, .answered = on_answered, .ended = on_ended};
    struct buffer snapshot, text;
    struct error err;
    buffer_init(&snapshot, CATALOG_SNAPSHOT_MAX);
    buffer_init(&text, PLAN_REQUEST_MAX);
    job_spec_snapshot(run->spec, &snapshot);
    const char *name = run->spec->spec.name;
    const struct plan_request request = {.data_dir = options->data_dir,
                                         .images = true,
                                         .tasks = &name,
                                         .task_count = 1,
                                         .snapshot = {snapshot.data, snapshot.size}};
    plan_request_write(&text, &request);
    run->phase = JOB_PLANNING;
    run->retriable = false;
    run->plan =
        plan_child_start(run->jobs->loop, &how, (struct slice){text.data, text.size}, &callbacks, &err);
    buffer_done(&text);
    buffer_done(&snapshot);
    if (!run->plan)
        fail(run, &err);
}
