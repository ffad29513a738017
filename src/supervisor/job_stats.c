/* An attempt's statistics: from its task's progress into the store, a few times a second at most. */
#include "supervisor/jobs_state.h"

#include <stdlib.h>

void job_stats_begin(struct job_run *run)
{
    const struct job_spec *spec = run->spec;
    free(run->stats);
    free(run->told);
    run->told = NULL;
    run->stat_count = spec->spec.binding_count;
    run->stats = mem_zalloc((run->stat_count + 1) * sizeof *run->stats);
    for (size_t i = 0; i < run->stat_count; i++) {
        run->stats[i].stream = spec->streams[i];
        run->stats[i].stats.estimated_records = run->stats[i].stats.estimated_bytes = -1;
    }
    run->states = 0;
    run->dirty = true;
    jobs_watch_stats(run->jobs);
}

static int64_t most(int64_t before, uint64_t now)
{
    return now > INT64_MAX || (int64_t)now < before ? before : (int64_t)now;
}

static int64_t estimate(double value)
{
    return value >= 0 && value < 9e18 ? (int64_t)value : -1;
}

void job_stats_take(struct job_run *run, const struct task_progress *progress)
{
    uint64_t records = 0, bytes = 0, emitted = 0, emitted_bytes = 0, rejected = 0;
    for (size_t i = 0; i < progress->binding_count && i < run->stat_count; i++) {
        const struct task_binding_progress *now = &progress->bindings[i];
        struct control_stats *stats = &run->stats[i].stats;
        const struct control_stats before = *stats;
        stats->records_emitted =
            most(stats->records_emitted, now->documents); /* those that do not fit their schema too */
        stats->bytes_emitted = most(stats->bytes_emitted, now->bytes);
        stats->records_committed = most(stats->records_committed, now->committed_documents);
        stats->bytes_committed = most(stats->bytes_committed, now->committed_bytes);
        stats->records_rejected = most(stats->records_rejected, now->rejected);
        stats->states_emitted = most(stats->states_emitted, now->states);
        stats->estimated_records = estimate(now->row_estimate);
        stats->estimated_bytes = estimate(now->byte_estimate);
        run->stats[i].complete |= now->complete;
        records += (uint64_t)(stats->records_committed - before.records_committed);
        bytes += (uint64_t)(stats->bytes_committed - before.bytes_committed);
        emitted += (uint64_t)(stats->records_emitted - before.records_emitted);
        emitted_bytes += (uint64_t)(stats->bytes_emitted - before.bytes_emitted);
        rejected += (uint64_t)(stats->records_rejected - before.records_rejected);
    }
    run->states = most(run->states, progress->states);
    run->dirty = true;
    pthread_mutex_lock(&run->jobs->lock);
    run->jobs->figures.records += records;
    run->jobs->figures.bytes += bytes;
    run->jobs->figures.records_emitted += emitted;
    run->jobs->figures.bytes_emitted += emitted_bytes;
    run->jobs->figures.records_rejected += rejected;
    pthread_mutex_unlock(&run->jobs->lock);
    jobs_watch_stats(run->jobs);
}

bool job_stats_flush(struct job_run *run)
{
    struct jobs *jobs = run->jobs;
    struct error err;
    if (!run->dirty || !run->stats)
        return true;
    if (control_job_stats(jobs->options.control, run->id, jobs_now_ms(), run->stats, run->stat_count,
                          run->states, &err) < 0) {
        if (err.code == ERROR_BUSY)
            return false;
        jobs_store_failed(jobs, &err);
        return true;
    }
    run->dirty = false;
    job_news_progress(run);
    return true;
}

bool job_stats_partial(const struct job_run *run)
{
    for (size_t i = 0; i < run->stat_count; i++)
        if (run->stats[i].stats.records_committed > 0)
            return true;
    return false;
}
