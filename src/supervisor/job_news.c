/* What a job does, for whoever watches (watch.h). */
#include "supervisor/jobs_state.h"
#include "supervisor/watch.h"

#include <stdlib.h>

void jobs_watch(struct jobs *jobs, const struct watch *watch)
{
    jobs->watch = watch;
}

static struct job_news news_of(const struct job_run *run)
{
    return (struct job_news){.job = run->id,
                             .connection = run->connection,
                             .type = run->type,
                             .status = run->status,
                             .attempt = run->attempt,
                             .created_ms = run->created_ms};
}

void job_news_status(const struct job_run *run)
{
    const struct watch *watch = run->jobs->watch;
    if (!watch)
        return;
    const struct job_news news = news_of(run);
    watch->job(watch->context, &news);
}

static bool same(const struct control_stats *a, const struct control_stats *b)
{
    return a->records_emitted == b->records_emitted && a->bytes_emitted == b->bytes_emitted &&
           a->records_committed == b->records_committed && a->bytes_committed == b->bytes_committed &&
           a->records_rejected == b->records_rejected && a->estimated_records == b->estimated_records &&
           a->estimated_bytes == b->estimated_bytes;
}

static void add(struct control_stats *sum, const struct control_stats *stats)
{
    sum->records_emitted += stats->records_emitted;
    sum->bytes_emitted += stats->bytes_emitted;
    sum->records_committed += stats->records_committed;
    sum->bytes_committed += stats->bytes_committed;
    sum->records_rejected += stats->records_rejected;
}

void job_news_progress(struct job_run *run)
{
    const struct watch *watch = run->jobs->watch;
    if (!watch || !run->stats)
        return;
    struct job_progress progress = {.job = news_of(run),
                                    .stats = {.estimated_records = -1, .estimated_bytes = -1}};
    if (!run->told)
        run->told = mem_zalloc((run->stat_count + 1) * sizeof *run->told);
    for (size_t i = 0; i < run->stat_count; i++) {
        const struct control_stream_stats *stream = &run->stats[i];
        add(&progress.stats, &stream->stats);
        if (progress.stream_count == WATCH_STREAMS_MAX || same(&run->told[i], &stream->stats))
            continue;
        run->told[i] = stream->stats;
        progress.streams[progress.stream_count++] = stream;
    }
    if (progress.stream_count)
        watch->job_progress(watch->context, &progress);
}
