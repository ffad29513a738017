/* Schedules: which connections are due, and their jobs. Read anew when anything may have changed; between
 * that a timer waits for the one that is due first. */
#include "supervisor/jobs_state.h"

#include "control/schedule.h"
#include "control/scheduled.h"

#include <stdlib.h>

enum {
    WAIT_MAX_MS = 60 * 60 * 1000, /* the wall clock may be set meanwhile */
    WAIT_MIN_MS = 50,
};

/* One connection's, until it or its newest job changes. */
struct job_schedule {
    uint64_t revision;
    int64_t job_created_ms;
    int64_t due_ms; /* -1: never */
    bool seen;
};

static struct job_schedule *schedule_of(struct jobs *jobs, const struct control_connection *connection,
                                        int64_t now_ms)
{
    struct job_schedule *schedule = map_get(&jobs->schedules, slice_of(connection->id));
    if (!schedule) {
        schedule = mem_zalloc(sizeof *schedule);
        map_set(&jobs->schedules, slice_of(connection->id), schedule);
    }
    if (schedule->revision != connection->revision ||
        schedule->job_created_ms != connection->job_created_ms || now_ms < jobs->schedules_ms) {
        schedule->revision = connection->revision;
        schedule->job_created_ms = connection->job_created_ms;
        schedule->due_ms = control_schedule_due(connection, now_ms);
    }
    schedule->seen = true;
    return schedule;
}

/* A connection that cannot be synced is not tried again before its next time. */
static void start(struct jobs *jobs, const struct control_connection *connection,
                  struct job_schedule *schedule, int64_t now_ms)
{
    struct error err;
    int64_t id;
    const struct control_job_new job = {.connection = connection->id, .scheduled = true, .now_ms = now_ms};
    if (control_job_create(jobs->options.control, &job, &id, &err) == 0) {
        schedule->job_created_ms = now_ms;
        struct control_connection after = *connection;
        after.job_created_ms = now_ms;
        schedule->due_ms = control_schedule_due(&after, now_ms);
        return;
    }
    if (err.retriable && err.code != ERROR_BUSY) {
        jobs_store_failed(jobs, &err);
        return;
    }
    schedule->due_ms = control_schedule_next(connection, now_ms);
    if (err.code != ERROR_BUSY)
        log_warn(jobs->options.log, "the connection '%s' is due and was not synced: %s", connection->name,
                 err.message);
}

static void forget_unseen(struct jobs *jobs)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&jobs->schedules, &at));) {
        struct job_schedule *schedule = entry->value;
        if (schedule->seen) {
            schedule->seen = false;
            continue;
        }
        map_remove(&jobs->schedules, entry->key);
        free(schedule);
    }
}

static uint64_t wait_ms(int64_t first_ms, int64_t now_ms)
{
    if (first_ms < 0 || first_ms - now_ms > WAIT_MAX_MS)
        return WAIT_MAX_MS;
    return first_ms - now_ms < WAIT_MIN_MS ? WAIT_MIN_MS : (uint64_t)(first_ms - now_ms);
}

void job_schedules_read(struct jobs *jobs)
{
    struct control_connection *connections;
    struct arena arena;
    struct error err;
    size_t count = 0;
    int64_t now_ms = jobs_now_ms(), first_ms = -1;
    bool started = false;
    arena_init(&arena);
    if (control_connections_scheduled(jobs->options.control, &arena, &connections, &count, &err) < 0) {
        jobs_store_failed(jobs, &err);
        arena_done(&arena);
        jobs_watch_schedules(jobs, 1000);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct job_schedule *schedule = schedule_of(jobs, &connections[i], now_ms);
        if (connections[i].running || schedule->due_ms < 0)
            continue;
        if (schedule->due_ms <= now_ms) {
            start(jobs, &connections[i], schedule, now_ms);
            started = true;
        }
        if (schedule->due_ms >= 0 && (first_ms < 0 || schedule->due_ms < first_ms))
            first_ms = schedule->due_ms;
    }
    jobs->schedules_ms = now_ms;
    arena_done(&arena);
    forget_unseen(jobs);
    jobs_watch_schedules(jobs, wait_ms(first_ms, now_ms));
    if (started)
        jobs_read(jobs);
}

void job_schedules_done(struct jobs *jobs)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&jobs->schedules, &at));)
        free(entry->value);
}
