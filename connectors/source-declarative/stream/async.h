/* AsyncRetriever: a job at the API for each slice, what it brings when it is done. */
#ifndef FIRTH_DECLARATIVE_STREAM_ASYNC_H
#define FIRTH_DECLARATIVE_STREAM_ASYNC_H

#include "slice.h"
#include "source-declarative/page/pages.h"

enum {
    ASYNC_POLL_MS = 5000,  /* between two looks at a job, and before it is begun anew */
    ASYNC_ATTEMPTS = 3,    /* jobs for a slice, one after the other */
    ASYNC_JOBS_AHEAD = 64, /* slices that wait for a job or for being read, of all streams */
    ASYNC_TARGETS_MAX = 1 << 16,
};

struct async_retriever;
/* Of the settings: the stream's name, its transformations, the client-side gate. */
int async_retriever_compile(struct engine *engine, struct component component,
                            const struct pages_settings *settings, struct async_retriever **ret_retriever,
                            struct error *err);

/* What those who wait for jobs of one stream tell each other. */
struct async_watch {
    bool stop;     /* no more jobs: those that run are aborted */
    bool troubled; /* something went wrong, though jobs go on: the stream ends as incomplete */
    struct error trouble;
};
struct async_job;
/* In a fiber: begin a job for the slice and wait until it is done, thrice at most. At most
 * max_concurrent_async_job_count run at once, of all streams. The slice lives as long as the job. NULL: there
 * is nothing to read: it was skipped, stopped, or failed, which the watch knows. -1: the stream cannot go on.
 */
int async_job_run(struct async_retriever *retriever, const struct stream_slice *slice,
                  struct async_watch *watch, struct async_job **ret_job, struct error *err);
/* In a fiber: each record that it brought; then the job is deleted. */
int async_job_read(struct async_job *job, const struct json *schema, record_sink *on_record, void *context,
                   struct error *err);
void async_job_free(struct async_job *job);
MEM_DEFINE_CLEANUP(struct async_job *, async_job_free);

/* In a fiber: may one more slice of any stream begin? */
int async_ahead_enter(struct engine *engine, struct error *err);
void async_ahead_leave(struct engine *engine);

#endif
