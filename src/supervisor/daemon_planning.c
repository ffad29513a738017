/* Planning what is deployed, in processes of their own: loading a catalog takes its time, and an image may
 * have to be fetched. One process for what a catalog has that needs no image, one for each image. */
#include "supervisor/daemon_state.h"

#include "connector/oci.h"
#include "supervisor/plan_child.h"

#include <stdlib.h>

enum {
    PLANNERS_MAX = 4,                         /* processes at once */
    PLAN_SILENCE_MS_DEFAULT = 12 * 60 * 1000, /* a pull gives up by itself before that */
};

struct plan_entry {
    char *task;
    uint64_t generation;
    bool answered;
};

struct plan_job {
    struct daemon *daemon;
    struct plan_job *next; /* in the order in which they came */
    uint64_t number;       /* grows with what is added: daemon_planning_since */
    int64_t snapshot;
    char *images; /* NULL: of tasks that need none */
    struct plan_entry *entries;
    size_t count, capacity;
    struct plan_child *child; /* NULL: it waits */
};

static void free_job(struct plan_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        free(job->entries[i].task);
    free(job->entries);
    free(job->images);
    free(job);
}

/* --- who is in which --------------------------------------------------------------------------------- */

static struct plan_job *waiting_job(struct daemon *daemon, int64_t snapshot, const char *images)
{
    struct plan_job **at = &daemon->plan_jobs;
    for (; *at; at = &(*at)->next) {
        struct plan_job *job = *at;
        bool same = images ? job->images && strcmp(job->images, images) == 0 : !job->images;
        if (!job->child && job->snapshot == snapshot && same)
            return job;
    }
    *at = mem_zalloc(sizeof **at);
    **at = (struct plan_job){
        .daemon = daemon, .snapshot = snapshot, .images = images ? mem_strdup(images) : NULL};
    return *at;
}

static void add_entry(struct plan_job *job, const char *task, uint64_t generation)
{
    job->entries = mem_grow(job->entries, &job->capacity, job->count + 1, sizeof *job->entries);
    job->number = ++job->daemon->plan_number;
    job->entries[job->count++] = (struct plan_entry){.task = mem_strdup(task), .generation = generation};
}

void daemon_plan(struct daemon_task *task, int64_t snapshot)
{
    task->planning = true;
    if (!task->supervised)
        task->state = DAEMON_TASK_PREPARING;
    daemon_news(task);
    add_entry(waiting_job(task->daemon, snapshot, NULL), task->name, task->generation);
}

/* The task, unless it is deployed otherwise by now. */
static struct daemon_task *task_of(const struct plan_job *job, const struct plan_entry *entry)
{
    struct daemon_task *task = map_get(&job->daemon->tasks, slice_of(entry->task));
    bool valid =
        task && !task->gone && task->planning && task->enabled && task->generation == entry->generation;
    return valid ? task : NULL;
}

static struct plan_entry *find_entry(struct plan_job *job, const char *task)
{
    for (size_t i = 0; i < job->count; i++) {
        if (!job->entries[i].answered && strcmp(job->entries[i].task, task) == 0)
            return &job->entries[i];
    }
    return NULL;
}

/* --- answers ------------------------------------------------------------------------------------- */

/* In the task's log too: who waits for it looks there. */
static void note(struct plan_job *job, const char *text)
{
    struct connector_engine *engine = job->daemon->options->built_ins->engine;
    if (engine)
        connector_engine_note(engine, text);
    for (size_t i = 0; i < job->count && job->images; i++) {
        struct daemon_task *task = task_of(job, &job->entries[i]);
        if (!task)
            continue;
        task_log_begin(&task->log, clock_wall_ms(&clock_system), LOG_INFO, "log");
        json_member_string(&task->log.writer, "origin", "daemon");
        task_log_message(&task->log, text);
        task_log_end(&task->log);
        task_log_close(&task->log);
    }
}

static void settle(struct plan_job *job, struct plan_entry *entry, const struct plan_answer *answer)
{
    struct daemon_task *task = task_of(job, entry);
    entry->answered = true;
    if (!task)
        return;
    if (answer->type == PLAN_IMAGE) {
        add_entry(waiting_job(job->daemon, job->snapshot, answer->text), entry->task, entry->generation);
        return;
    }
    task->planning = false;
    if (answer->type == PLAN_PLANNED)
        daemon_task_planned(task, &answer->definition);
    else
        daemon_task_unplanned(task, &answer->error);
}

static void on_answered(void *context, const struct plan_answer *answer)
{
    struct plan_job *job = context;
    if (answer->type == PLAN_NOTE) {
        note(job, answer->text);
    } else if (answer->task) {
        struct plan_entry *entry = find_entry(job, answer->task);
        if (entry)
            settle(job, entry, answer);
    }
}

static void finish(struct plan_job *job, const struct error *error)
{
    struct daemon *daemon = job->daemon;
    struct plan_answer answer = {.type = PLAN_FAILED};
    if (error) {
        answer.error = *error;
    } else {
        error_set(&answer.error, ERROR_IO, "planning ended without a word about it");
        answer.error.retriable = true;
    }
    for (size_t i = 0; i < job->count; i++) {
        if (!job->entries[i].answered)
            settle(job, &job->entries[i], &answer);
    }
    struct plan_job **at = &daemon->plan_jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    free_job(job);
}

static void on_ended(void *context, const struct error *error)
{
    struct plan_job *job = context;
    struct daemon *daemon = job->daemon;
    finish(job, error);
    daemon_planning_go(daemon);
}

/* --- processes ----------------------------------------------------------------------------------- */

static int write_request(const struct plan_job *job, struct buffer *out, struct error *err)
{
    const struct daemon_options *options = job->daemon->options;
    struct buffer snapshot;
    buffer_init(&snapshot, CATALOG_SNAPSHOT_MAX + 4096);
    int result = control_snapshot(options->control, job->snapshot, &snapshot, err);
    if (result == 0) {
        const char **names = mem_alloc((job->count + 1) * sizeof *names);
        for (size_t i = 0; i < job->count; i++)
            names[i] = job->entries[i].task;
        const struct plan_request request = {.data_dir = options->data_dir,
                                             .commit_ms = options->commit_ms,
                                             .stall_ms = options->stall_ms,
                                             .images = job->images != NULL,
                                             .tasks = names,
                                             .task_count = job->count,
                                             .snapshot = {snapshot.data, snapshot.size}};
        plan_request_write(out, &request);
        free(names);
        if (out->overflowed)
            result =
                error_set(err, ERROR_LIMIT, "the request for a plan is larger than the limit of %d bytes",
                          PLAN_REQUEST_MAX);
    }
    if (snapshot.data)
        explicit_bzero(snapshot.data, snapshot.capacity);
    buffer_done(&snapshot);
    return result;
}

static int start_job(struct plan_job *job, struct error *err)
{
    const struct daemon_options *options = job->daemon->options;
    const struct plan_child_options how = {.program = options->program,
                                           .words = options->image_words,
                                           .data_dir = options->data_dir,
                                           .silence_ms =
                                               options->plan_ms ? options->plan_ms : PLAN_SILENCE_MS_DEFAULT};
    const struct plan_child_callbacks callbacks = {
        .context = job, .answered = on_answered, .ended = on_ended};
    struct buffer request;
    buffer_init(&request, PLAN_REQUEST_MAX);
    if (write_request(job, &request, err) == 0)
        job->child = plan_child_start(job->daemon->loop, &how, (struct slice){request.data, request.size},
                                      &callbacks, err);
    if (request.data)
        explicit_bzero(request.data, request.capacity);
    buffer_done(&request);
    return job->child ? 0 : -1;
}

void daemon_planning_go(struct daemon *daemon)
{
    struct error err;
    size_t running = 0;
    for (const struct plan_job *job = daemon->plan_jobs; job; job = job->next)
        running += job->child != NULL;
    struct plan_job *next;
    for (struct plan_job *job = daemon->plan_jobs; job && running < PLANNERS_MAX && !daemon->closing;
         job = next) {
        next = job->next;
        if (job->child)
            continue;
        if (start_job(job, &err) == 0)
            running++;
        else
            finish(job, &err);
    }
    daemon_answer_held(daemon);
}

bool daemon_planning_since(const struct daemon *daemon, uint64_t number)
{
    for (const struct plan_job *job = daemon->plan_jobs; job; job = job->next) {
        if (job->number > number)
            return true;
    }
    return false;
}

void daemon_planning_close(struct daemon *daemon)
{
    while (daemon->plan_jobs) {
        struct plan_job *job = daemon->plan_jobs;
        daemon->plan_jobs = job->next;
        if (job->child)
            plan_child_drop(job->child);
        free_job(job);
    }
}
