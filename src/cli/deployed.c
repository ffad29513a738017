#include "cli/deployed.h"

#include "supervisor/supervisor.h"
#include "supervisor/talk.h"
#include "json/json.h"

#include <unistd.h>

/* Without a daemon: what its task was when the last one ended. */
static const char *resting_state(const struct control_task *row)
{
    const struct control_facts *facts = &row->facts;
    if (!row->enabled)
        return "disabled";
    if (facts->generation == row->generation && facts->session == CONTROL_SESSION_FAILED && !facts->retriable)
        return "failed";
    if (facts->generation == row->generation && facts->session == CONTROL_SESSION_COMPLETED &&
        strcmp(row->schedule, "once") == 0)
        return "done";
    return "stopped";
}

static int load_rows(const char *data_dir, struct deployed *deployed, struct error *err)
{
    struct control_deployment *deployments;
    struct control_task *rows;
    struct control_discovery *discoveries;
    size_t deployment_count, discovery_count;
    mem_auto(control_close) struct control *control = control_open(data_dir, CONTROL_LOOK, err);
    if (!control)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    if (control_deployments(control, &deployed->arena, &deployments, &deployment_count, err) < 0 ||
        control_tasks(control, &deployed->arena, &rows, &deployed->count, err) < 0 ||
        control_discoveries(control, &deployed->arena, &discoveries, &discovery_count, err) < 0)
        return -1;
    deployed->tasks = arena_zalloc(&deployed->arena, (deployed->count + 1) * sizeof *deployed->tasks);
    for (size_t i = 0; i < deployed->count; i++) {
        deployed->tasks[i] = (struct deployed_task){.row = rows[i],
                                                    .deployment = "",
                                                    .state = resting_state(&rows[i]),
                                                    .due_ms = rows[i].facts.due_ms,
                                                    .lag_ms = -1};
        for (size_t j = 0; j < discovery_count; j++) {
            if (strcmp(discoveries[j].task, rows[i].name) == 0)
                deployed->tasks[i].discovery = &discoveries[j];
        }
        for (size_t j = 0; j < deployment_count; j++) {
            if (deployments[j].id == rows[i].deployment)
                deployed->tasks[i].deployment = deployments[j].name;
        }
    }
    return 0;
}

/* --- the daemon's own ---------------------------------------------------------------------------- */

static int64_t number(const struct json *doc, uint32_t object, const char *name, int64_t otherwise)
{
    int64_t value;
    uint32_t at = json_get(doc, object, name);
    return at != JSON_NONE && json_to_i64(doc, at, &value) ? value : otherwise;
}

static double fraction(const struct json *doc, uint32_t object, const char *name)
{
    double value;
    uint32_t at = json_get(doc, object, name);
    return at != JSON_NONE && json_to_double(doc, at, &value) ? value : 0;
}

static struct deployed_task *find(const struct deployed *deployed, const char *name)
{
    size_t low = 0, high = deployed->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(deployed->tasks[middle].row.name, name);
        if (order == 0)
            return &deployed->tasks[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A session that lasts for as long as resets the backoff is well, whatever the one before it died of. */
static void forget_mended(struct deployed_task *task)
{
    struct control_facts *facts = &task->row.facts;
    if (!task->live || clock_wall_ms(&clock_system) - facts->started_ms <= SUPERVISOR_RETRY_MAX_MS)
        return;
    facts->code = facts->error = NULL;
    facts->error_ms = 0;
    facts->failures = 0;
}

static void take_live(struct deployed *deployed, const struct json *answer)
{
    deployed->daemon = true;
    deployed->pid = number(answer, 0, "pid", 0);
    deployed->since_ms = number(answer, 0, "startedMs", 0);
    deployed->url = json_cstring(answer, json_get(answer, 0, "url"), &deployed->arena);
    deployed->ingest_url = json_cstring(answer, json_get(answer, 0, "ingestUrl"), &deployed->arena);
    uint32_t list = json_get(answer, 0, "tasks");
    for (uint32_t at = json_first(answer, list); at != JSON_NONE; at = json_next(answer, list, at)) {
        const char *name = json_cstring(answer, json_get(answer, at, "name"), &deployed->arena);
        struct deployed_task *task = name ? find(deployed, name) : NULL;
        if (!task)
            continue;
        const char *state = json_cstring(answer, json_get(answer, at, "state"), &deployed->arena);
        task->state = state ? state : task->state;
        task->due_ms = number(answer, at, "dueMs", 0);
        task->live = strcmp(task->state, "running") == 0;
        task->documents = (uint64_t)number(answer, at, "documents", 0);
        task->bytes = (uint64_t)number(answer, at, "bytes", 0);
        task->document_rate = fraction(answer, at, "documentRate");
        task->byte_rate = fraction(answer, at, "byteRate");
        task->lag_ms = number(answer, at, "lagMs", -1);
        forget_mended(task);
    }
}

/* No daemon is no error; one that does not answer is. */
static int ask_daemon(const char *data_dir, struct deployed *deployed, struct error *err)
{
    struct json answer;
    struct buffer text;
    auto_close int fd = talk_connect(data_dir, err);
    if (fd < 0)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    buffer_init(&text, TALK_ANSWER_MAX);
    int result = talk_ask(fd, "{\"do\":\"status\"}", &text, err);
    if (result == 0)
        result = json_parse_copy(&deployed->arena, text.data, text.size, &answer, err);
    if (result == 0)
        take_live(deployed, &answer);
    buffer_done(&text);
    return result;
}

int deployed_load(const char *data_dir, struct deployed *ret_deployed, struct error *err)
{
    *ret_deployed = (struct deployed){0};
    arena_init(&ret_deployed->arena);
    return load_rows(data_dir, ret_deployed, err) < 0 ? -1 : ask_daemon(data_dir, ret_deployed, err);
}

void deployed_done(struct deployed *deployed)
{
    arena_done(&deployed->arena);
}

const struct deployed_task *deployed_find(const struct deployed *deployed, const char *name)
{
    return find(deployed, name);
}

int deployed_unknown(const char *name, const char *const *names, size_t count, const char *data_dir,
                     struct error *err)
{
    char shown[OPTION_SHOWN_MAX];
    const char *nearest = string_nearest(name, names, count);
    if (nearest)
        return error_set(err, ERROR_NOT_FOUND, "there is no task '%s'; did you mean '%s'?",
                         option_show(name, shown), nearest);
    return error_set(err, ERROR_NOT_FOUND, "there is no task '%s' in %s; 'firth status' lists them",
                     option_show(name, shown), data_dir);
}
