/* autoDiscover of what is deployed. The asking is another process's (`firth autodiscover --snapshot`): it
 * gets the deployed copy of the catalog by a pipe and gives back what the copy becomes. That is deployed like
 * a person's deploy, in one transaction, unless somebody has deployed since; so a death at any moment leaves
 * the copy as it was or as it is to be. */
#include "supervisor/daemon_state.h"

#include "base/fault.h"
#include "catalog/snapshot.h"
#include "supervisor/deploy.h"
#include "json/json.h"

#include <signal.h>
#include <stdlib.h>

enum {
    DISCOVER_ANSWER_MAX = 2 * CATALOG_SNAPSHOT_MAX + (4 << 20),
    DISCOVER_SAID_MAX = 64 << 10, /* kept of what it writes to standard error */
    DISCOVER_CHUNK = 64 << 10,
    DISCOVER_FIRST_PART = 10, /* the first time comes within so small a part of the interval */
};

struct daemon_discovery {
    struct daemon *daemon;
    uv_timer_t due;
    uv_process_t process;
    uv_pipe_t in, out, said;
    uv_write_t write;
    int open; /* of the four handles of a process */
    bool running, closing;
    char *task;       /* that is asked for */
    int64_t snapshot; /* what it was given */
    uint64_t revision;
    struct buffer given, answer, said_text;
    int64_t status; /* of its exit */
};

static void look(struct daemon_discovery *discovery);

static int64_t now_ms(void)
{
    return clock_wall_ms(&clock_system);
}

/* --- when ------------------------------------------------------------------------------------------ */

static uint64_t interval(const struct daemon *daemon)
{
    return daemon->options->discover_ms ? daemon->options->discover_ms : DAEMON_DISCOVER_MS_DEFAULT;
}

static uint64_t random_up_to(uint64_t bound)
{
    uint64_t random;
    random_bytes(&random, sizeof random);
    return bound ? random % bound : 0;
}

/* Spread by a tenth, so that what was deployed together does not ask together for ever. */
static int64_t next_due(const struct daemon *daemon, int64_t from_ms)
{
    uint64_t every = interval(daemon);
    return from_ms + (int64_t)(every - every / 10 + random_up_to(every / 5 + 1));
}

static struct control_discovery *last_of(struct daemon *daemon, struct arena *arena, const char *task)
{
    struct control_discovery *items;
    struct error ignored;
    size_t count;
    if (control_discoveries(daemon->options->control, arena, &items, &count, &ignored) < 0)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i].task, task) == 0)
            return &items[i];
    }
    return NULL;
}

void daemon_discover(struct daemon_task *task, bool wanted)
{
    struct daemon *daemon = task->daemon;
    if (!wanted) {
        task->discover_due_ms = 0;
        return;
    }
    if (task->discover_due_ms == 0) {
        struct arena arena;
        arena_init(&arena);
        const struct control_discovery *last = last_of(daemon, &arena, task->name);
        int64_t first = now_ms() + 1 + (int64_t)random_up_to(interval(daemon) / DISCOVER_FIRST_PART);
        int64_t due = last ? next_due(daemon, last->ran_ms) : first;
        task->discover_due_ms = due > first ? due : first;
        arena_done(&arena);
    }
    look(daemon->discovery);
}

static void on_due(uv_timer_t *timer)
{
    look(timer->data);
}

/* --- what came of it ------------------------------------------------------------------------------- */

static void task_line(struct daemon_task *task, enum log_level level, const char *message)
{
    task_log_begin(&task->log, now_ms(), level, "log");
    json_member_string(&task->log.writer, "origin", "autoDiscover");
    task_log_message(&task->log, message);
    task_log_end(&task->log);
    if (task->state != DAEMON_TASK_RUNNING)
        task_log_close(&task->log);
}

static void note(struct daemon_discovery *discovery, struct daemon_task *task, const char *error,
                 const char *changes)
{
    struct daemon *daemon = discovery->daemon;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    const struct control_discovery *last = last_of(daemon, &arena, task->name);
    struct control_discovery found = {.task = task->name,
                                      .ran_ms = now_ms(),
                                      .error = error,
                                      .changed_ms = last ? last->changed_ms : 0,
                                      .changes = last ? last->changes : ""};
    if (changes) {
        found.changed_ms = found.ran_ms;
        found.changes = changes;
    }
    if (control_put_discovery(daemon->options->control, &found, &err) < 0)
        log_warn(daemon->options->log, "%s: what autoDiscover found cannot be kept: %s", task->name,
                 err.message);
    if (error) {
        task_line(task, LOG_ERROR, error);
        log_warn(daemon->options->log, "autoDiscover of %s: %s", task->name, error);
    }
    arena_done(&arena);
}

/* "- text\n" of each change, told. */
static const char *tell_changes(struct daemon_task *task, const struct json *answer, struct arena *arena)
{
    struct buffer text;
    uint32_t list = json_get(answer, 0, "changes");
    buffer_init(&text, 1 << 20);
    for (uint32_t at = json_first(answer, list); at != JSON_NONE; at = json_next(answer, list, at)) {
        const char *line = json_cstring(answer, json_get(answer, at, "text"), arena);
        if (!line)
            continue;
        buffer_printf(&text, "%s\n", line);
        task_line(task, LOG_INFO, line);
        log_info(task->daemon->options->log, "autoDiscover of %s: %s", task->name, line);
    }
    const char *copy = arena_strdup(arena, text.size ? buffer_cstr(&text) : "");
    buffer_done(&text);
    return copy;
}

/* The deployment that the task belongs to, as long as it is what the discovery was given. */
static int find_deployment(struct daemon_discovery *discovery, struct arena *arena,
                           struct control_deployment *ret_deployment, struct error *err)
{
    struct control *control = discovery->daemon->options->control;
    struct control_deployment *deployments;
    struct control_task *tasks;
    size_t deployment_count, task_count;
    if (control_deployments(control, arena, &deployments, &deployment_count, err) < 0 ||
        control_tasks(control, arena, &tasks, &task_count, err) < 0)
        return -1;
    for (size_t i = 0; i < task_count; i++) {
        if (strcmp(tasks[i].name, discovery->task) != 0 || tasks[i].snapshot != discovery->snapshot)
            continue;
        for (size_t j = 0; j < deployment_count; j++) {
            if (deployments[j].id == tasks[i].deployment) {
                *ret_deployment = deployments[j];
                return 0;
            }
        }
    }
    return error_set(err, ERROR_BUSY, "it was deployed anew meanwhile");
}

/* A task that a later deploy no longer had goes on with the catalog that it came with. To deploy that again
 * would take the others back to what they were. */
static int check_current(struct daemon_discovery *discovery, const struct catalog *catalog,
                         struct arena *arena, struct error *err)
{
    struct control_task *rows;
    size_t row_count, task_count;
    const struct catalog_task *tasks = catalog_tasks(catalog, arena, &task_count);
    if (control_tasks(discovery->daemon->options->control, arena, &rows, &row_count, err) < 0)
        return -1;
    for (size_t i = 0; i < row_count; i++) {
        for (size_t j = 0; j < task_count; j++) {
            if (rows[i].snapshot != discovery->snapshot && strcmp(rows[i].name, tasks[j].name) == 0)
                return error_set(
                    err, ERROR_INVALID,
                    "a later deploy has left it behind: put it into the catalog again, or remove it "
                    "('firth deploy --prune')");
        }
    }
    return 0;
}

static int deploy_it(struct daemon_discovery *discovery, struct slice snapshot, struct arena *arena,
                     struct error *err)
{
    struct daemon *daemon = discovery->daemon;
    struct control_deployment deployment = {0};
    struct catalog_errors errors;
    struct deploy deploy;
    if (find_deployment(discovery, arena, &deployment, err) < 0)
        return -1;
    catalog_errors_init(&errors);
    mem_auto(catalog_free) struct catalog *catalog = catalog_snapshot_load(snapshot, &errors, err);
    catalog_errors_done(&errors);
    if (!catalog || check_current(discovery, catalog, arena, err) < 0)
        return -1;
    int result = deploy_plan(&deploy, daemon->options->control, catalog, deployment.name, false, NULL, err);
    if (result == 0 && deploy.revision != discovery->revision)
        result = error_set(err, ERROR_BUSY, "something was deployed meanwhile");
    fault_point("autodiscover.before-deploy");
    if (result == 0)
        result = deploy_apply(&deploy, daemon->options->control, deployment.file, CONTROL_BY_AUTODISCOVER,
                              snapshot, err);
    fault_point("autodiscover.after-deploy");
    deploy_done(&deploy);
    return result;
}

static void take_answer(struct daemon_discovery *discovery, struct daemon_task *task)
{
    struct daemon_changes changes;
    struct arena arena;
    struct json answer;
    struct error err;
    arena_init(&arena);
    int result = json_parse_copy(&arena, discovery->answer.data ? discovery->answer.data : "",
                                 discovery->answer.size, &answer, &err);
    if (result == 0 && json_count(&answer, json_get(&answer, 0, "changes")) == 0) {
        note(discovery, task, NULL, NULL);
    } else if (result == 0 &&
               deploy_it(discovery, json_string(&answer, json_get(&answer, 0, "snapshot"), &arena), &arena,
                         &err) == 0) {
        note(discovery, task, NULL, tell_changes(task, &answer, &arena));
        if (daemon_reload(discovery->daemon, false, &changes, &err) < 0)
            log_error(discovery->daemon->options->log, "what is deployed cannot be read: %s", err.message);
    } else {
        note(discovery, task, err.message, NULL);
    }
    arena_done(&arena);
}

/* The last line that it said, without the program's own prefix of a log line. */
static const char *last_words(struct daemon_discovery *discovery)
{
    struct buffer *said = &discovery->said_text;
    while (said->size && said->data[said->size - 1] == '\n')
        said->size--;
    const char *text = buffer_cstr(said), *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    const char *error = strstr(line, "error: ");
    return error ? error + strlen("error: ") : *line ? line : "firth autodiscover ended without a word";
}

static void finish(struct daemon_discovery *discovery)
{
    struct daemon *daemon = discovery->daemon;
    struct daemon_task *task = map_get(&daemon->tasks, slice_of(discovery->task));
    if (task && !task->gone && task->discover_due_ms && !discovery->closing) {
        task->discover_due_ms = next_due(daemon, now_ms());
        if (discovery->status == 0)
            take_answer(discovery, task);
        else
            note(discovery, task, last_words(discovery), NULL);
    }
    struct buffer *const texts[] = {&discovery->given, &discovery->answer, &discovery->said_text};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i]->data)
            explicit_bzero(texts[i]->data, texts[i]->capacity);
        buffer_done(texts[i]);
    }
    free(discovery->task);
    discovery->task = NULL;
    discovery->running = false;
    if (!discovery->closing)
        look(discovery);
}

/* --- the process ----------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct daemon_discovery *discovery = handle->data;
    if (--discovery->open == 0)
        finish(discovery);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void on_exit_seen(uv_process_t *process, int64_t status, int signal)
{
    struct daemon_discovery *discovery = process->data;
    discovery->status = signal ? 128 + signal : status;
    close_handle((uv_handle_t *)process);
    close_handle((uv_handle_t *)&discovery->in);
}

static void on_written(uv_write_t *write, int status)
{
    struct daemon_discovery *discovery = write->data;
    (void)status; /* one that died before it had read all is seen by its exit */
    close_handle((uv_handle_t *)&discovery->in);
}

static struct buffer *buffer_of(struct daemon_discovery *discovery, const uv_handle_t *handle)
{
    return handle == (const uv_handle_t *)&discovery->out ? &discovery->answer : &discovery->said_text;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
    struct buffer *text = buffer_of(handle->data, handle);
    (void)suggested;
    if (text->max - text->size < DISCOVER_CHUNK || !buffer_reserve(text, DISCOVER_CHUNK))
        *ret_room = uv_buf_init(NULL, 0); /* UV_ENOBUFS */
    else
        *ret_room = uv_buf_init(text->data + text->size, (unsigned)(text->capacity - text->size));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct daemon_discovery *discovery = stream->data;
    (void)room;
    if (got > 0)
        buffer_of(discovery, (uv_handle_t *)stream)->size += (size_t)got;
    else if (got < 0)
        close_handle((uv_handle_t *)stream);
}

static int spawn(struct daemon_discovery *discovery, const char *name)
{
    const struct daemon_options *options = discovery->daemon->options;
    const char *const own[] = {options->program, "autodiscover",   "--snapshot", "--name", name,
                               "--data-dir",     options->data_dir};
    enum { OWN = sizeof own / sizeof *own };
    size_t words = 0;
    while (options->image_words && options->image_words[words])
        words++;
    auto_free char **argv = mem_zalloc((OWN + words + 1) * sizeof *argv);
    for (size_t i = 0; i < OWN; i++)
        argv[i] = (char *)own[i];
    for (size_t i = 0; i < words; i++)
        argv[OWN + i] = (char *)options->image_words[i];
    uv_stdio_container_t stdio[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&discovery->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&discovery->out},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&discovery->said},
    };
    const uv_process_options_t process = {.file = options->program,
                                          .args = argv,
                                          .exit_cb = on_exit_seen,
                                          .stdio = stdio,
                                          .stdio_count = 3,
                                          .flags = UV_PROCESS_DETACHED};
    return uv_spawn(discovery->daemon->loop, &discovery->process, &process);
}

static void start(struct daemon_discovery *discovery, struct daemon_task *task)
{
    struct daemon *daemon = discovery->daemon;
    uv_handle_t *const handles[] = {(uv_handle_t *)&discovery->process, (uv_handle_t *)&discovery->in,
                                    (uv_handle_t *)&discovery->out, (uv_handle_t *)&discovery->said};
    discovery->running = true;
    discovery->status = -1;
    discovery->task = mem_strdup(task->name);
    uv_pipe_init(daemon->loop, &discovery->in, 0);
    uv_pipe_init(daemon->loop, &discovery->out, 0);
    uv_pipe_init(daemon->loop, &discovery->said, 0);
    discovery->open = 4;
    int failed = spawn(discovery, task->name);
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        handles[i]->data = discovery;
    if (failed) {
        buffer_str(&discovery->said_text, uv_strerror(failed));
        for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
            close_handle(handles[i]);
        return;
    }
    uv_buf_t bytes = uv_buf_init(discovery->given.data, (unsigned)discovery->given.size);
    discovery->write.data = discovery;
    if (uv_write(&discovery->write, (uv_stream_t *)&discovery->in, &bytes, 1, on_written) < 0)
        close_handle((uv_handle_t *)&discovery->in);
    uv_read_start((uv_stream_t *)&discovery->out, on_room, on_read);
    uv_read_start((uv_stream_t *)&discovery->said, on_room, on_read);
}

/* What is deployed of the task. False: there is nothing, or not now. */
static bool load(struct daemon_discovery *discovery, const struct daemon_task *task, struct error *err)
{
    struct control *control = discovery->daemon->options->control;
    struct control_task *tasks;
    struct arena arena;
    size_t count = 0;
    bool found = false;
    arena_init(&arena);
    buffer_init(&discovery->given, CATALOG_SNAPSHOT_MAX + (1 << 20));
    buffer_init(&discovery->answer, DISCOVER_ANSWER_MAX);
    buffer_init(&discovery->said_text, DISCOVER_SAID_MAX);
    int result = control_revision(control, &discovery->revision, err);
    if (result == 0)
        result = control_tasks(control, &arena, &tasks, &count, err);
    for (size_t i = 0; i < count && result == 0 && !found; i++) {
        found = strcmp(tasks[i].name, task->name) == 0;
        discovery->snapshot = tasks[i].snapshot;
    }
    arena_done(&arena);
    return found && control_snapshot(control, discovery->snapshot, &discovery->given, err) == 0;
}

static struct daemon_task *most_due(const struct daemon *daemon)
{
    const struct map_entry *entry;
    struct daemon_task *found = NULL;
    for (size_t at = 0; (entry = map_next(&daemon->tasks, &at));) {
        struct daemon_task *task = entry->value;
        if (task->discover_due_ms && !task->gone &&
            (!found || task->discover_due_ms < found->discover_due_ms))
            found = task;
    }
    return found;
}

/* Ask for the task that is due, or sleep until one is. */
static void look(struct daemon_discovery *discovery)
{
    struct error err = {0};
    if (!discovery || discovery->running || discovery->closing)
        return;
    struct daemon_task *task = most_due(discovery->daemon);
    int64_t now = now_ms();
    if (!task) {
        uv_timer_stop(&discovery->due);
        return;
    }
    if (task->discover_due_ms > now) {
        uv_update_time(discovery->daemon->loop);
        uv_timer_start(&discovery->due, on_due, (uint64_t)(task->discover_due_ms - now), 0);
        return;
    }
    if (load(discovery, task, &err)) {
        start(discovery, task);
        return;
    }
    discovery->running = true;
    discovery->task = mem_strdup(task->name);
    discovery->status = -1;
    buffer_str(&discovery->said_text, *err.message ? err.message : "it is not deployed any more");
    finish(discovery);
}

struct daemon_discovery *daemon_discovery_open(struct daemon *daemon)
{
    struct daemon_discovery *discovery = mem_zalloc(sizeof *discovery);
    discovery->daemon = daemon;
    uv_timer_init(daemon->loop, &discovery->due);
    discovery->due.data = discovery;
    return discovery;
}

void daemon_discovery_close(struct daemon_discovery *discovery)
{
    if (!discovery)
        return;
    discovery->closing = true;
    uv_close((uv_handle_t *)&discovery->due, NULL);
    if (!discovery->running)
        return;
    if (uv_is_active((uv_handle_t *)&discovery->process))
        kill(-discovery->process.pid, SIGTERM); /* what it asked of a connector is of no use any more */
    close_handle((uv_handle_t *)&discovery->out);
    close_handle((uv_handle_t *)&discovery->said);
}
