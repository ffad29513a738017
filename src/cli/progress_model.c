#include "cli/progress_model.h"

#include <assert.h>
#include <math.h>

/* A rate follows its newest measurements with this time constant; silence counts against it only after
 * a while, because events come in steps. */
static const double SMOOTH_SECONDS = 3, SILENCE_SECONDS = 1.5;

void progress_model_init(struct progress_model *model)
{
    *model = (struct progress_model){0};
}

void progress_model_done(struct progress_model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        struct progress_task *task = &model->tasks[i];
        for (size_t b = 0; b < task->binding_count; b++)
            free(task->bindings[b].name);
        free(task->bindings);
        free(task->name);
        free(task->error);
    }
    free(model->tasks);
    *model = (struct progress_model){0};
}

static void reset_session(struct progress_binding *binding)
{
    binding->documents = binding->bytes = binding->committed_documents = binding->committed_bytes = 0;
    binding->invalid = 0;
    binding->rate = 0;
    binding->row_estimate = binding->byte_estimate = -1;
    binding->lag_ms = -1;
    binding->complete = false;
}

void progress_model_add(struct progress_model *model, const struct supervisor_task *task)
{
    assert(task->index == model->count);
    model->tasks = mem_realloc(model->tasks, (model->count + 1) * sizeof *model->tasks);
    struct progress_task *row = &model->tasks[model->count++];
    *row = (struct progress_task){.name = mem_strdup(task->name), .kind = task->kind};
    row->bindings = mem_zalloc((task->binding_count + 1) * sizeof *row->bindings);
    row->binding_count = task->binding_count;
    for (size_t i = 0; i < task->binding_count; i++) {
        row->bindings[i].name = mem_strdup(task->bindings[i]);
        reset_session(&row->bindings[i]);
    }
}

void progress_model_tasks(struct progress_model *model, const struct supervisor *supervisor)
{
    for (size_t i = model->count; i < supervisor_task_count(supervisor); i++)
        progress_model_add(model, supervisor_task(supervisor, i));
}

static struct progress_task *find(struct progress_model *model, const struct supervisor_task *task)
{
    assert(task->index < model->count);
    return &model->tasks[task->index];
}

void progress_model_started(struct progress_model *model, const struct supervisor_task *task, uint64_t now_ns)
{
    struct progress_task *row = find(model, task);
    for (size_t i = 0; i < row->binding_count; i++) {
        struct progress_binding *binding = &row->bindings[i];
        binding->earlier_documents += binding->committed_documents;
        binding->earlier_bytes += binding->committed_bytes;
        binding->earlier_invalid += binding->invalid;
        reset_session(binding);
    }
    row->state = PROGRESS_RUNNING;
    row->started_ns = row->progress_ns = now_ns;
    row->event_ms = 0;
    row->sessions++;
    free(row->error);
    row->error = NULL;
}

/* A connection of all streams learns what its bindings are from its first progress. */
static void adopt(struct progress_task *row, const struct task_progress *progress)
{
    if (progress->binding_count <= row->binding_count)
        return;
    row->bindings = mem_realloc(row->bindings, progress->binding_count * sizeof *row->bindings);
    for (; row->binding_count < progress->binding_count; row->binding_count++) {
        struct progress_binding *binding = &row->bindings[row->binding_count];
        *binding = (struct progress_binding){.name = mem_strdup(progress->bindings[row->binding_count].name)};
        reset_session(binding);
    }
}

void progress_model_progress(struct progress_model *model, const struct supervisor_task *task,
                             const struct task_progress *progress, uint64_t now_ns)
{
    struct progress_task *row = find(model, task);
    double seconds =
        progress->elapsed_ms > row->event_ms ? (double)(progress->elapsed_ms - row->event_ms) / 1000 : 0;
    bool first = row->event_ms == 0;
    adopt(row, progress);
    for (size_t i = 0; i < row->binding_count && i < progress->binding_count; i++) {
        const struct task_binding_progress *from = &progress->bindings[i];
        struct progress_binding *binding = &row->bindings[i];
        if (seconds > 0 && from->documents >= binding->documents) {
            double measured = (double)(from->documents - binding->documents) / seconds;
            double weight = first || binding->rate == 0 ? 1 : 1 - exp(-seconds / SMOOTH_SECONDS);
            binding->rate += (measured - binding->rate) * weight;
        }
        binding->documents = from->documents;
        binding->bytes = from->bytes;
        binding->committed_documents = from->committed_documents;
        binding->committed_bytes = from->committed_bytes;
        binding->invalid = from->invalid;
        binding->row_estimate = from->row_estimate;
        binding->byte_estimate = from->byte_estimate;
        binding->lag_ms = from->lag_ms;
        binding->complete = from->complete;
    }
    row->event_ms = progress->elapsed_ms;
    row->progress_ns = now_ns;
}

void progress_model_ended(struct progress_model *model, const struct supervisor_task *task,
                          enum task_outcome outcome, const struct error *error, uint64_t elapsed_ms)
{
    struct progress_task *row = find(model, task);
    row->state = outcome == TASK_COMPLETED ? PROGRESS_COMPLETED
                 : outcome == TASK_STOPPED ? PROGRESS_STOPPED
                                           : PROGRESS_FAILED;
    row->last_outcome = row->state;
    row->session_ms = elapsed_ms;
    row->earlier_ms += elapsed_ms;
    free(row->error);
    row->error = error ? mem_strdup(error->message) : NULL;
    row->failures += outcome == TASK_FAILED;
}

void progress_model_waiting(struct progress_model *model, const struct supervisor_task *task,
                            enum supervisor_wait why, uint64_t delay_ms, uint64_t now_ns)
{
    struct progress_task *row = find(model, task);
    row->state = PROGRESS_WAITING;
    row->wait = why;
    row->wake_ns = now_ns + delay_ms * 1000000;
}

double progress_rate(const struct progress_task *task, const struct progress_binding *binding,
                     uint64_t now_ns)
{
    double silence = now_ns > task->progress_ns ? (double)(now_ns - task->progress_ns) / 1e9 : 0;
    if (silence <= SILENCE_SECONDS)
        return binding->rate;
    return binding->rate * exp(-(silence - SILENCE_SECONDS) / SMOOTH_SECONDS);
}

double progress_fraction(const struct progress_binding *binding)
{
    double done;
    if (binding->row_estimate > 0)
        done = (double)binding->documents / binding->row_estimate;
    else if (binding->byte_estimate > 0)
        done = (double)binding->bytes / binding->byte_estimate;
    else
        return -1;
    if (binding->complete)
        return 1;
    return done < 1 ? done : 1;
}

double progress_seconds_left(const struct progress_task *task, const struct progress_binding *binding,
                             uint64_t now_ns)
{
    double rate = progress_rate(task, binding, now_ns), fraction = progress_fraction(binding);
    if (fraction < 0 || fraction >= 1 || rate <= 0 || binding->documents == 0)
        return -1;
    double total = binding->row_estimate > 0 ? binding->row_estimate : (double)binding->documents / fraction;
    return (total - (double)binding->documents) / rate;
}
