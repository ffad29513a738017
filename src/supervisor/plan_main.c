/* The process that plans for the daemon: `firth plan`. */
#include "supervisor/plan_main.h"

#include "base/file.h"
#include "connector/oci.h"
#include "supervisor/plan_message.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { READ_CHUNK = 64 << 10, ALIVE_MS = 1000 };

struct planning {
    const struct connector_catalog *built_ins;
    int fd; /* answers go there */
    struct plan_request request;
    const struct catalog *catalog;
    struct catalog
        *inferred;      /* with the schemas that were inferred, for who reads by them; NULL: not needed yet */
    struct arena arena; /* of one task */
    struct buffer line;
    uint64_t alive_ms; /* when that was said last */
};

/* --- saying -------------------------------------------------------------------------------------- */

/* Whom nobody hears any more has nothing left to do. */
static void say(struct planning *planning, const struct plan_answer *answer)
{
    struct error err;
    buffer_clear(&planning->line);
    plan_answer_write(&planning->line, answer);
    if (planning->line.overflowed ||
        file_write_all(planning->fd, planning->line.data, planning->line.size, "the answers", &err) < 0)
        _exit(1);
    explicit_bzero(planning->line.data, planning->line.size);
}

static void say_failed(struct planning *planning, const char *task, const struct error *error)
{
    struct plan_answer answer = {.type = PLAN_FAILED, .task = task, .error = *error};
    say(planning, &answer);
}

static void on_note(void *context, const char *text)
{
    const struct plan_answer answer = {.type = PLAN_NOTE, .text = text};
    say(context, &answer);
}

static void on_progress(void *context, const char *text)
{
    static const struct plan_answer answer = {.type = PLAN_ALIVE};
    struct planning *planning = context;
    uint64_t now = clock_monotonic_ns(&clock_system) / 1000000;
    (void)text;
    if (now - planning->alive_ms < ALIVE_MS)
        return;
    planning->alive_ms = now;
    say(planning, &answer);
}

/* --- planning ------------------------------------------------------------------------------------ */

static const char *image_of(const struct planning *planning, const struct catalog_endpoint *endpoint)
{
    bool image = endpoint->kind == CATALOG_ENDPOINT_CONNECTOR &&
                 !connector_built_in_for(planning->built_ins, endpoint->image);
    return image ? endpoint->image : NULL;
}

/* The images that a task runs, as one text; NULL: none. */
static const char *images_of(struct planning *planning, const struct catalog_task *task)
{
    if (task->capture)
        return image_of(planning, &task->capture->endpoint);
    if (task->materialization)
        return image_of(planning, &task->materialization->endpoint);
    const char *source = image_of(planning, &task->connection->source);
    const char *destination = image_of(planning, &task->connection->destination);
    return source && destination ? arena_printf(&planning->arena, "%s %s", source, destination)
           : source              ? source
                                 : destination;
}

static const struct catalog_task *find_in(struct planning *planning, const struct catalog *catalog,
                                          const char *name, struct error *err)
{
    size_t count;
    const struct catalog_task *tasks = catalog_tasks(catalog, &planning->arena, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tasks[i].name, name) == 0)
            return &tasks[i];
    }
    error_set(err, ERROR_CORRUPT, "%s has no task '%s', although it was deployed from there: deploy it again",
              catalog->file, name);
    return NULL;
}

/* Captures are planned without what they infer: it would make another specification of each document. */
static const struct catalog *load_inferred(struct planning *planning, struct error *err)
{
    if (planning->inferred)
        return planning->inferred;
    mem_auto(catalog_snapshot_free) struct catalog_snapshot *snapshot =
        catalog_snapshot_read(planning->request.snapshot, err);
    if (snapshot)
        planning->inferred =
            plan_load_inferred(snapshot, catalog_snapshot_path(snapshot), planning->request.data_dir, err);
    return planning->inferred;
}

static void plan_one(struct planning *planning, const char *name)
{
    const struct plan_options options = {.built_ins = planning->built_ins,
                                         .data_dir = planning->request.data_dir,
                                         .commit_ms = planning->request.commit_ms,
                                         .stall_ms = planning->request.stall_ms};
    struct plan plan;
    struct error err;
    const struct catalog_task *task = find_in(planning, planning->catalog, name, &err);
    if (!task) {
        say_failed(planning, name, &err);
        return;
    }
    const char *images = planning->request.images ? NULL : images_of(planning, task);
    if (images) {
        const struct plan_answer answer = {.type = PLAN_IMAGE, .task = name, .text = images};
        say(planning, &answer);
        return;
    }
    const struct catalog *catalog = planning->catalog;
    if (plan_is_inferred(task)) {
        catalog = load_inferred(planning, &err);
        task = catalog ? find_in(planning, catalog, name, &err) : NULL;
        if (!task) {
            say_failed(planning, name, &err);
            return;
        }
    }
    if (plan_task(&plan, catalog, task, &options, &err) < 0) {
        say_failed(planning, name, &err);
    } else {
        const struct plan_answer answer = {.type = PLAN_PLANNED, .task = name, .definition = plan.definition};
        say(planning, &answer);
    }
    plan_done(&plan);
}

static void plan_all(struct planning *planning)
{
    struct catalog_errors errors;
    struct error err;
    catalog_errors_init(&errors);
    struct catalog *catalog = catalog_snapshot_load(planning->request.snapshot, &errors, &err);
    planning->catalog = catalog;
    for (size_t i = 0; i < planning->request.task_count; i++) {
        arena_clear(&planning->arena);
        if (catalog)
            plan_one(planning, planning->request.tasks[i]);
        else
            say_failed(planning, planning->request.tasks[i], &err);
    }
    catalog_free(planning->inferred);
    catalog_free(catalog);
    catalog_errors_done(&errors);
}

/* --- the process --------------------------------------------------------------------------------- */

static int read_request(int fd, struct arena *arena, struct plan_request *request, struct error *err)
{
    struct buffer text;
    ssize_t got;
    buffer_init(&text, PLAN_REQUEST_MAX + READ_CHUNK);
    do {
        if (!buffer_reserve(&text, READ_CHUNK)) {
            buffer_done(&text);
            return error_set(err, ERROR_LIMIT, "the request for a plan is larger than the limit of %d bytes",
                             PLAN_REQUEST_MAX);
        }
        got = read(fd, text.data + text.size, text.capacity - text.size);
        if (got > 0)
            text.size += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    int result = got < 0 ? error_errno(err, errno, "cannot read the request for a plan")
                         : plan_request_read((struct slice){text.data, text.size}, arena, request, err);
    explicit_bzero(text.data, text.size);
    buffer_done(&text);
    return result;
}

int plan_main(const struct connector_catalog *built_ins, int request_fd, int answer_fd, struct error *err)
{
    /* What the daemon's death leaves would be a pull that nobody waits for. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct connector_catalog connectors = *built_ins;
    struct planning planning = {.built_ins = &connectors, .fd = answer_fd};
    struct arena arena;
    arena_init(&arena);
    arena_init(&planning.arena);
    buffer_init(&planning.line, PLAN_ANSWER_MAX);
    int result = read_request(request_fd, &arena, &planning.request, err);
    if (result == 0) {
        connectors.data_dir = planning.request.data_dir;
        if (built_ins->engine)
            connector_engine_listen(built_ins->engine, on_note, on_progress, &planning);
        plan_all(&planning);
    }
    buffer_done(&planning.line);
    arena_done(&planning.arena);
    arena_done(&arena);
    return result;
}
