/* Reading a stream: its partitions, their windows, the pages of each, in fibers or in order. */
#include "outlet.h"
#include "stream_parts.h"

#include <stdlib.h>

/* Everything that is read at once, of one stream. */
struct reading {
    struct declared_stream *stream;
    struct fiber_gate *slots;
    const struct stream_sink *sink;
    size_t begun;              /* slices in all */
    struct slice_job *waiting; /* whose fibers are to be joined, the first that began first */
    struct slice_job **last;
    bool only_first;
    bool stopped;       /* nothing more is to be begun: all is cancelled, or nobody takes what is read */
    size_t failures;    /* a slice that fails leaves the others to go on */
    struct error error; /* of the first that failed */
    struct async_watch watch; /* of its jobs at the API */
    struct outlet outlet;     /* where the sink takes texts */
    struct arena told_arena;  /* of `told`, the state that was emitted last; none: none was */
    struct tvalue told;
    size_t untold;    /* slices that were read since */
    uint64_t told_ns; /* when that was */
};

enum {
    STATE_SHARE = 16,  /* a state of so many partitions a slice: what states weigh grows as the slices do */
    STATE_WAIT_S = 60, /* but no slice waits longer for one */
};

struct slice_job {
    struct slice_job *next;  /* of the stream's */
    struct slice_job *joins; /* of those to be joined */
    struct fiber *fiber;
    bool ended, has_slot;
    struct outlet_slice out;
    struct reading *reading;
    struct arena arena;
    struct stream_slice slice;
    struct async_job *brought;   /* what is read; NULL: pages are */
    const struct tobject *value; /* as the pages have it now: a reduced slice is another */
};

/* --- what the pages ask -------------------------------------------------------------------------- */

int stream_add_options(void *context, struct scope *scope, struct tvalue stream_slice,
                       struct options *options, struct error *err)
{
    struct declared_stream *stream = context;
    if (partition_router_add(stream->router, scope, stream_slice, options, err) != 0)
        return -1;
    return cursor_add(stream->cursor, scope, stream_slice, options, err);
}

bool stream_is_old(void *context, const struct record *record)
{
    struct declared_stream *stream = context;
    return !cursor_takes(stream->cursor, record);
}

int stream_reduce_slice(void *context, struct tvalue stream_slice, struct arena *arena,
                        struct tvalue *ret_slice, struct error *err)
{
    struct declared_stream *stream = context;
    for (struct slice_job *job = stream->jobs; job; job = job->next) {
        if (stream_slice.kind != TVALUE_OBJECT || job->value != stream_slice.object)
            continue;
        if (cursor_reduce_slice(stream->cursor, &job->slice, arena, ret_slice, err) != 0)
            return -1;
        job->value = ret_slice->object;
        return 0;
    }
    *ret_slice = stream_slice;
    return 0;
}

int stream_split_slice(void *context, struct tvalue stream_slice, struct arena *arena,
                       struct tvalue *ret_slices, struct error *err)
{
    struct declared_stream *stream = context;
    return cursor_split_slice(stream->cursor, stream_slice,
                              stream->has_least_split ? &stream->least_split : NULL, arena, ret_slices, err);
}

/* --- one slice ----------------------------------------------------------------------------------- */

static int on_record(void *context, struct record *record, struct error *err)
{
    struct slice_job *job = context;
    struct reading *reading = job->reading;
    if (cursor_observe(reading->stream->cursor, &job->slice, record, err) != 0)
        return -1;
    return job->out.outlet ? outlet_record(&job->out, record, err)
                           : reading->sink->record(reading->sink->context, record, err);
}

/* A state commits what came before it: one that says nothing new is emitted only at the end, lest what it
 * does not cover be committed and read again after a restart. */
static int emit_state(struct reading *reading, bool is_last, struct error *err)
{
    struct arena arena;
    struct tvalue state;
    arena_init(&arena);
    int result = declared_stream_state(reading->stream, &arena, &state, err);
    bool is_new =
        result == 0 && !(tvalue_is_mapping(&reading->told) && tvalue_equal(&arena, &reading->told, &state));
    if (result == 0 && (is_new || is_last))
        result = reading->sink->state(reading->sink->context, state, err);
    if (is_new) {
        struct arena before = reading->told_arena;
        reading->told_arena = arena;
        reading->told = state;
        arena = before;
    }
    arena_done(&arena);
    return result;
}

/* A state has all partitions. To write it after each slice would be the square of them. */
static int emit_some_state(struct reading *reading, struct error *err)
{
    struct declared_stream *stream = reading->stream;
    uint64_t now = clock_monotonic_ns(stream->engine->clock);
    bool is_due = ++reading->untold * STATE_SHARE >= cursor_kept(stream->cursor) ||
                  now - reading->told_ns >= STATE_WAIT_S * UINT64_C(1000000000);
    if (!cursor_moves(stream->cursor) || !is_due)
        return 0;
    reading->untold = 0;
    reading->told_ns = now;
    return emit_state(reading, false, err);
}

static struct slice_job *job_new(struct reading *reading, const struct stream_slice *slice)
{
    struct slice_job *job = mem_zalloc(sizeof *job);
    arena_init(&job->arena);
    job->reading = reading;
    job->slice = stream_slice_copy(&job->arena, slice);
    job->value = job->slice.value.object;
    job->next = reading->stream->jobs;
    reading->stream->jobs = job;
    reading->begun++;
    const struct engine_output *output = &reading->stream->engine->output;
    if (output->sliced)
        output->sliced(output->context, declared_stream_name(reading->stream), &job->slice.value);
    return job;
}

static void job_free(struct slice_job *job)
{
    struct slice_job **link = &job->reading->stream->jobs;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    async_job_free(job->brought);
    arena_done(&job->arena);
    free(job);
}

static void leave_slot(struct slice_job *job)
{
    if (job->has_slot)
        fiber_gate_leave(job->reading->slots);
    job->has_slot = false;
}

/* Its records before its state, and nothing of another slice between. Others may use its slot while it waits.
 */
static int take_turn(struct slice_job *job, struct error *err)
{
    struct outlet *outlet = &job->reading->outlet;
    if (outlet_must_wait(&job->out) && (job->brought || outlet->resting < OUTLET_RESTING_MAX)) {
        job->out.resting = true;
        outlet->resting++;
        leave_slot(job);
    }
    return outlet_turn(&job->out, err);
}

static int read_job(struct slice_job *job, struct error *err)
{
    struct reading *reading = job->reading;
    struct declared_stream *stream = reading->stream;
    job->out.begun = true;
    const struct json *schema; /* asked for when there is something to read with it, as in the CDK */
    if (schema_loader_load(stream->loader, &schema, err) != 0)
        return -1;
    if (job->brought ? async_job_read(job->brought, schema, on_record, job, err) != 0
                     : pages_read(stream->pages, job->slice.value, schema, on_record, job, err) != 0)
        return -1;
    if (job->out.outlet && take_turn(job, err) != 0)
        return -1;
    if (cursor_slice_done(stream->cursor, &job->slice, err) != 0)
        return -1;
    return emit_some_state(reading, err);
}

/* --- slices in fibers ---------------------------------------------------------------------------- */

static void failed(struct reading *reading, const struct error *err)
{
    if (reading->failures++ == 0)
        reading->error = *err;
    if (err->code == ERROR_CANCELLED)
        reading->stopped = true;
}

/* Waits for the API to have made what is asked for, then for a slot to read it in. */
static int async_body(void *context, struct error *err)
{
    struct slice_job *job = context;
    struct reading *reading = job->reading;
    struct declared_stream *stream = reading->stream;
    int result = async_job_run(stream->async, &job->slice, &reading->watch, &job->brought, err);
    if (result != 0)
        reading->watch.stop = true;
    if (result == 0 && job->brought && !reading->stopped) {
        result = fiber_gate_enter(stream->engine->fibers, reading->slots, err);
        if (result == 0) {
            job->has_slot = true;
            result = read_job(job, err);
            leave_slot(job);
        }
    }
    outlet_leave(&job->out);
    if (result != 0)
        failed(reading, err);
    if (reading->stopped)
        reading->watch.stop = true;
    async_job_free(job->brought); /* before the others go on: it may be large */
    job->brought = NULL;
    job->ended = true;
    async_ahead_leave(stream->engine);
    return result;
}

static int slice_body(void *context, struct error *err)
{
    struct slice_job *job = context;
    struct reading *reading = job->reading;
    int result = reading->stopped ? 0 : read_job(job, err);
    outlet_leave(&job->out);
    if (result != 0)
        failed(reading, err);
    job->ended = true;
    leave_slot(job);
    return result;
}

/* Those that have ended, or all: cancelled ones, too, end at their next wait. */
static void join_slices(struct reading *reading, bool all)
{
    struct slice_job **link = &reading->waiting, *job;
    struct error wrong;
    while ((job = *link)) {
        if (!all && !job->ended) {
            link = &job->joins;
            continue;
        }
        *link = job->joins;
        fiber_join(reading->stream->engine->fibers, job->fiber, &wrong); /* its body has said how it went */
        job_free(job);
    }
    reading->last = link;
}

static int start_slice(void *context, const struct stream_slice *slice, struct error *err)
{
    struct reading *reading = context;
    struct fibers *fibers = reading->stream->engine->fibers;
    size_t most = reading->stream->engine->limits.slices;
    if (most > 0 && reading->begun >= most)
        return 0;
    struct engine *engine = reading->stream->engine;
    bool is_async = reading->stream->async != NULL;
    if (is_async ? async_ahead_enter(engine, err) != 0 : fiber_gate_enter(fibers, reading->slots, err) != 0)
        return -1;
    join_slices(reading, false);
    if (reading->stopped || reading->watch.stop) {
        if (is_async)
            async_ahead_leave(engine);
        else
            fiber_gate_leave(reading->slots);
        *err = reading->error;
        return -1;
    }
    struct slice_job *job = job_new(reading, slice);
    *reading->last = job;
    reading->last = &job->joins;
    job->has_slot = !is_async;
    if (reading->sink->text)
        outlet_enter(&reading->outlet, &job->out, job->slice.owner);
    job->fiber = fiber_start(fibers, is_async ? async_body : slice_body, job);
    return 0;
}

static int read_slice(void *context, const struct stream_slice *slice, struct error *err)
{
    struct reading *reading = context;
    if (reading->only_first && reading->begun > 0)
        return 0;
    struct slice_job *job = job_new(reading, slice);
    struct async_retriever *async = reading->stream->async;
    int result = async ? async_job_run(async, &job->slice, &reading->watch, &job->brought, err) : 0;
    if (async && !job->brought)
        reading->begun--; /* there was nothing: a check looks at the next one */
    else if (result == 0)
        result = read_job(job, err);
    job_free(job);
    return result;
}

/* --- partitions ---------------------------------------------------------------------------------- */

struct partitioning {
    struct reading *reading;
    partition_sink *on_slice;
};

static int on_partition(void *context, const struct stream_slice *partition, struct error *err)
{
    struct partitioning *partitioning = context;
    struct reading *reading = partitioning->reading;
    if (reading->only_first && reading->begun > 0)
        return 0;
    if (stream_begin_parents(reading->stream, err) != 0)
        return -1;
    return cursor_slices(reading->stream->cursor, partition, partitioning->on_slice, reading, err);
}

static int end_reading(struct reading *reading, struct error *err)
{
    if (cursor_finish(reading->stream->cursor, err) != 0)
        return -1;
    reading->stream->finished = true;
    return emit_state(reading, true, err);
}

static int read_at_once(struct reading *reading, struct error *err)
{
    struct declared_stream *stream = reading->stream;
    struct partitioning partitioning = {reading, start_slice};
    reading->last = &reading->waiting;
    outlet_init(&reading->outlet, stream->engine->fibers, reading->sink, cursor_has_states(stream->cursor));
    if (stream_restart(stream, err) != 0)
        return -1;
    if (partition_router_walk(stream->router, on_partition, &partitioning, err) != 0 && !reading->stopped &&
        !reading->watch.stop)
        failed(reading, err);
    join_slices(reading, true);
    outlet_done(&reading->outlet);
    if (reading->watch.troubled)
        failed(reading, &reading->watch.trouble);
    if (reading->failures == 0)
        return end_reading(reading, err);
    /* The slices that were read to their end count, and the CDK says so even if there are none. */
    if (reading->failures > 1)
        engine_log(stream->engine, ENGINE_WARN, "stream %s: %zu of its slices could not be read",
                   stream->name, reading->failures);
    struct error ignored;
    if (stream_begin_parents(stream, &ignored) == 0)
        emit_state(reading, true, &ignored);
    *err = reading->error;
    return -1;
}

int declared_stream_read(struct declared_stream *stream, struct fiber_gate *slots,
                         const struct stream_sink *sink, struct error *err)
{
    struct reading reading = {.stream = stream->active, .slots = slots, .sink = sink};
    int result = read_at_once(&reading, err);
    arena_done(&reading.told_arena);
    return result;
}

static int read_in_order(struct reading *reading, struct error *err)
{
    struct partitioning partitioning = {reading, read_slice};
    if (stream_restart(reading->stream, err) != 0 ||
        partition_router_walk(reading->stream->router, on_partition, &partitioning, err) != 0)
        return -1;
    if (!reading->watch.troubled)
        return end_reading(reading, err);
    *err = reading->watch.trouble;
    return -1;
}

int declared_stream_read_in_order(struct declared_stream *stream, const struct stream_sink *sink,
                                  struct error *err)
{
    struct reading reading = {.stream = stream->active, .sink = sink};
    int result = read_in_order(&reading, err);
    arena_done(&reading.told_arena);
    return result;
}

/* --- availability -------------------------------------------------------------------------------- */

static int first_record(void *context, struct record *record, struct error *err)
{
    bool *found = context;
    (void)record;
    *found = true;
    return error_set(err, ERROR_CANCELLED, "one record is enough");
}

static int no_state(void *context, struct tvalue state, struct error *err)
{
    (void)context;
    (void)state;
    (void)err;
    return 0;
}

int declared_stream_available(struct declared_stream *stream, struct arena *arena, const char **ret_reason,
                              struct error *err)
{
    bool found = false;
    struct stream_sink sink = {first_record, no_state, &found};
    struct reading reading = {.stream = stream->active, .sink = &sink, .only_first = true};
    struct partitioning partitioning = {&reading, read_slice};
    struct error wrong = {0};
    *ret_reason = NULL;
    int result = stream_restart(reading.stream, &wrong);
    if (result == 0)
        result = partition_router_walk(reading.stream->router, on_partition, &partitioning, &wrong);
    arena_done(&reading.told_arena);
    if (result == 0 && reading.watch.troubled && !found) {
        wrong = reading.watch.trouble;
        result = -1;
    }
    if (result == 0 && !found && reading.begun == 0)
        *ret_reason =
            "it has nothing to ask for: its parents have no records, or its cursor begins at its end";
    if (result == 0 || found)
        return 0;
    if (fibers_cancelled(stream->engine->fibers)) {
        *err = wrong;
        return -1;
    }
    *ret_reason = arena_strdup(arena, wrong.message);
    return 0;
}
