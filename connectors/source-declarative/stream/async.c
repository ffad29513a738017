#include "async.h"

#include "source-declarative/record/extractor.h"

#include <stdlib.h>

enum { TIMEOUT_MINUTES = 60 };

enum job_status { JOB_RUNNING, JOB_COMPLETED, JOB_FAILED, JOB_TIMED_OUT, JOB_SKIPPED, JOB_NOT_BEGUN };

static const struct {
    const char *field;
    enum job_status status;
} statuses[] = {
    {"running", JOB_RUNNING},   {"completed", JOB_COMPLETED}, {"failed", JOB_FAILED},
    {"timeout", JOB_TIMED_OUT}, {"skipped", JOB_SKIPPED},
};

struct async_retriever {
    struct engine *engine;
    struct component where;
    const char *stream_name;
    struct requester *create, *poll, *targets, *abort, *delete; /* the last three: NULL where absent */
    struct decoder *decoder;
    struct extractor *status_extractor, *target_extractor; /* NULL: one download, without a target */
    struct pages *download;
    struct record_selector *selector;
    uint64_t timeout_ms, failed_wait_ms;
};

struct async_job {
    struct async_retriever *retriever;
    const struct stream_slice *slice;
    struct arena arena;
    struct tvalue creation, polling; /* answer_context */
    struct tvalue targets;           /* a list */
    uint64_t begun_ms;
};

/* --- compiling ----------------------------------------------------------------------------------- */

static int compile_requester(struct async_retriever *retriever, const char *field, const char *what,
                             struct requester **ret_requester, struct error *err)
{
    struct engine *engine = retriever->engine;
    struct component component = component_get(retriever->where, field);
    *ret_requester = NULL;
    if (component_is_none(component))
        return 0;
    const char *name = arena_printf(&engine->arena, "%s - %s", what, retriever->stream_name);
    return requester_compile(engine, component, name, ret_requester, err);
}

static int compile_download(struct async_retriever *retriever, struct error *err)
{
    struct engine *engine = retriever->engine;
    struct component where = retriever->where, none = {where.manifest, JSON_NONE};
    struct pages_settings settings = {
        .stream_name = arena_printf(&engine->arena, "job download - %s", retriever->stream_name),
        .transformations = none,
    };
    struct pages_parts parts = {
        .requester = component_get(where, "download_requester"),
        .decoder = component_get(where, "download_decoder"),
        .extractor = component_get(where, "download_extractor"),
        .paginator = component_get(where, "download_paginator"),
    };
    if (!component_is_none(parts.extractor) && component_is(parts.extractor, "ResponseToFileExtractor")) {
        parts.decoder = parts.extractor; /* it reads the body itself */
        parts.extractor = none;
    }
    return pages_compile_parts(engine, where, &parts, &settings, &retriever->download, err);
}

/* int() of a number or a template; 0 is as good as none. */
static int compile_integer(struct async_retriever *retriever, const char *field, int64_t preset,
                           int64_t *ret_value, struct error *err)
{
    struct engine *engine = retriever->engine;
    struct expression expression;
    struct scope scope;
    scope_init(&scope, engine);
    *ret_value = preset;
    if (expression_compile(engine, retriever->where, field, &expression, err) != 0)
        return -1;
    if (expression_is_absent(&expression))
        return 0;
    if (expression_integer(&expression, &scope, &engine->arena, ret_value, err) != 0) {
        error_wrap(err, "%s", field);
        return component_error(err, retriever->where);
    }
    if (*ret_value == 0)
        *ret_value = preset;
    if (*ret_value < 0 || *ret_value > INT32_MAX) {
        error_set(err, ERROR_INVALID, "%s is %lld; it must be from 1 to %d", field, (long long)*ret_value,
                  INT32_MAX);
        return component_error(err, retriever->where);
    }
    return 0;
}

static int check_statuses(struct async_retriever *retriever, struct error *err)
{
    struct component mapping = component_get(retriever->where, "status_mapping");
    struct arena *arena = &retriever->engine->arena;
    struct tvalue seen = tvalue_dict(arena), none;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct component words = component_get(mapping, statuses[i].field);
        for (size_t j = 0; !component_is_none(words) && j < component_count(words); j++) {
            struct tvalue word = tvalue_string(component_string(component_at(words, j)));
            if (tdict_get(seen.dict, &word, &none)) {
                error_set(err, ERROR_INVALID, "status \"%.*s\" is there twice; it can mean one thing",
                          SLICE_ARGS(word.text));
                return component_error(err, mapping);
            }
            tdict_set(arena, seen.dict, word, tvalue_none());
        }
    }
    return 0;
}

static int compile_requesters(struct async_retriever *retriever, struct error *err)
{
    struct engine *engine = retriever->engine;
    struct component where = retriever->where;
    struct component target = component_get(where, "download_target_extractor");
    if (compile_requester(retriever, "creation_requester", "job creation", &retriever->create, err) != 0 ||
        compile_requester(retriever, "polling_requester", "job polling", &retriever->poll, err) != 0 ||
        compile_requester(retriever, "download_target_requester", "job extract_url", &retriever->targets,
                          err) != 0 ||
        compile_requester(retriever, "abort_requester", "job abort", &retriever->abort, err) != 0 ||
        compile_requester(retriever, "delete_requester", "job delete", &retriever->delete, err) != 0)
        return -1;
    if (retriever->targets && component_is_none(target)) {
        error_set(err, ERROR_INVALID,
                  "download_target_requester asks where to download from, and there is no "
                  "download_target_extractor to find it in the answer");
        return component_error(err, where);
    }
    if (extractor_compile(engine, component_get(where, "status_extractor"), &retriever->status_extractor,
                          err) != 0)
        return -1;
    return component_is_none(target) ? 0
                                     : extractor_compile(engine, target, &retriever->target_extractor, err);
}

int async_retriever_compile(struct engine *engine, struct component component,
                            const struct pages_settings *settings, struct async_retriever **ret_retriever,
                            struct error *err)
{
    struct async_retriever *retriever = arena_zalloc(&engine->arena, sizeof *retriever);
    *retriever =
        (struct async_retriever){.engine = engine, .where = component, .stream_name = settings->stream_name};
    struct selector_settings selecting = {
        .stream_name = settings->stream_name,
        .transformations = settings->transformations,
        .client_side = settings->client_side,
    };
    int64_t minutes, seconds;
    *ret_retriever = retriever;
    if (compile_requesters(retriever, err) != 0 || check_statuses(retriever, err) != 0 ||
        decoder_compile(engine, component_get(component, "decoder"), &retriever->decoder, err) != 0 ||
        compile_download(retriever, err) != 0 ||
        record_selector_compile(engine, component_get(component, "record_selector"), &selecting,
                                &retriever->selector, err) != 0 ||
        compile_integer(retriever, "polling_job_timeout", TIMEOUT_MINUTES, &minutes, err) != 0 ||
        compile_integer(retriever, "failed_retry_wait_time_in_seconds", 0, &seconds, err) != 0)
        return -1;
    retriever->timeout_ms = (uint64_t)minutes * 60000;
    retriever->failed_wait_ms = (uint64_t)seconds * 1000;
    return 0;
}

/* --- requests of a job --------------------------------------------------------------------------- */

static uint64_t now_ms(const struct engine *engine)
{
    return clock_monotonic_ns(engine->clock) / 1000000;
}

/* The slice with what is known of the job. */
static struct tvalue slice_of_job(struct async_job *job, bool with_polling, const struct tvalue *target)
{
    struct arena *arena = &job->arena;
    const struct stream_slice *slice = job->slice;
    struct tvalue extra = tvalue_dict(arena), key;
    struct titer iter;
    titer_init(&iter, arena, slice->extra_fields);
    while (titer_next(&iter, &key))
        tdict_set(arena, extra.dict, key, iter.of_key);
    if (target)
        tdict_set_name(arena, extra.dict, "download_target", *target);
    tdict_set_name(arena, extra.dict, "creation_response", job->creation);
    if (with_polling)
        tdict_set_name(arena, extra.dict, "polling_response", job->polling);
    return tvalue_stream_slice(arena, slice->partition, slice->cursor_slice, extra);
}

/* What does not answer with success is an error: there is nothing to go on with. */
static int ask(struct requester *requester, struct tvalue slice, struct answer **ret_answer,
               struct error *err)
{
    struct request_call call = {.stream_slice = slice, .next_page_token = tvalue_none()};
    if (requester_send(requester, &call, ret_answer, err) != 0)
        return -1;
    if ((*ret_answer)->action == ANSWER_SUCCESS)
        return 0;
    answer_free(*ret_answer);
    *ret_answer = NULL;
    return error_set(err, ERROR_CONNECTOR,
                     "the error handler ignores the answer, and a job cannot go on without it");
}

static int begin_job(struct async_job *job, struct error *err)
{
    mem_auto(answer_free) struct answer *answer = NULL;
    struct arena scratch = {0};
    arena_clear(&job->arena);
    job->begun_ms = now_ms(job->retriever->engine);
    job->targets = tvalue_list(&job->arena);
    if (ask(job->retriever->create, job->slice->value, &answer, err) != 0)
        return error_wrap(err, "the job's creation");
    struct tvalue context = answer_context(answer, &scratch);
    job->creation = value_copy(&job->arena, &context);
    arena_done(&scratch);
    return 0;
}

/* Aborting is a kindness: what goes wrong with it is only told. */
static void abort_job(struct async_job *job)
{
    struct async_retriever *retriever = job->retriever;
    mem_auto(answer_free) struct answer *answer = NULL;
    struct error wrong;
    if (retriever->abort && ask(retriever->abort, slice_of_job(job, false, NULL), &answer, &wrong) != 0)
        engine_log(retriever->engine, ENGINE_WARN, "stream %s: a job cannot be aborted: %s",
                   retriever->stream_name, wrong.message);
}

/* --- what answers say ---------------------------------------------------------------------------- */

struct found {
    struct arena *arena;
    struct tvalue list;
    bool first_only;
};

static int keep(void *context, struct tvalue value, struct error *err)
{
    struct found *found = context;
    size_t count = found->list.list->count;
    if (found->first_only && count > 0)
        return 0;
    if (count >= ASYNC_TARGETS_MAX)
        return error_set(err, ERROR_LIMIT, "a job has more than %d downloads", ASYNC_TARGETS_MAX);
    tlist_push(found->arena, found->list.list, value_copy(found->arena, &value));
    return 0;
}

/* Everything that the extractor finds in an answer, in the arena. */
static int extract(const struct async_retriever *retriever, const struct extractor *extractor,
                   struct answer *answer, bool first_only, struct arena *arena, struct tvalue *ret_list,
                   struct error *err)
{
    mem_auto(decoding_end) struct decoding *decoding = NULL;
    struct found found = {arena, tvalue_list(arena), first_only};
    struct arena scratch = {0};
    struct tvalue document;
    int more = -1;
    if (decoding_begin(retriever->decoder, answer, &decoding, err) == 0) {
        while ((more = decoding_next(decoding, &document, err)) == 1) {
            if (extractor_run(extractor, &document, &scratch, keep, &found, err) != 0) {
                more = -1;
                break;
            }
        }
    }
    arena_done(&scratch);
    *ret_list = found.list;
    return more;
}

/* An unknown status would be asked for until the job's time is up: the manifest is wrong, which is said at
 * once. */
static int status_of(struct async_job *job, struct answer *answer, enum job_status *ret_status,
                     struct error *err)
{
    struct async_retriever *retriever = job->retriever;
    struct component mapping = component_get(retriever->where, "status_mapping");
    struct arena scratch = {0};
    struct tvalue list, value = tvalue_none();
    struct ttext text;
    int result = extract(retriever, retriever->status_extractor, answer, true, &scratch, &list, err);
    if (result == 0 && list.list->count > 0)
        value = list.list->items[0];
    ttext_init(&text, &scratch, TEMPLATE_TEXT_MAX);
    tvalue_str(&text, &value);
    bool known = false;
    for (size_t i = 0; result == 0 && i < sizeof statuses / sizeof *statuses; i++) {
        struct component words = component_get(mapping, statuses[i].field);
        for (size_t j = 0; !component_is_none(words) && j < component_count(words); j++) {
            if (!slice_equal(component_string(component_at(words, j)), ttext_slice_of(&text)))
                continue;
            *ret_status = statuses[i].status;
            known = true;
        }
    }
    if (result == 0 && !known) {
        error_set(err, ERROR_INVALID, "status_mapping does not know the job's status \"%.*s\"",
                  (int)(text.size < 100 ? text.size : 100), text.size ? text.data : "");
        result = component_error(err, mapping);
    }
    arena_done(&scratch);
    return result;
}

/* The job is done: what is needed of the last answer. */
static int completed(struct async_job *job, struct answer *answer, struct error *err)
{
    const struct async_retriever *retriever = job->retriever;
    struct arena scratch = {0};
    struct tvalue context = answer_context(answer, &scratch);
    job->polling = value_copy(&job->arena, &context);
    arena_done(&scratch);
    if (retriever->target_extractor && !retriever->targets)
        return extract(retriever, retriever->target_extractor, answer, false, &job->arena, &job->targets,
                       err);
    return 0;
}

static int poll_job(struct async_job *job, enum job_status *ret_status, struct error *err)
{
    mem_auto(answer_free) struct answer *answer = NULL;
    if (ask(job->retriever->poll, slice_of_job(job, false, NULL), &answer, err) != 0)
        return error_wrap(err, "a job's status");
    if (status_of(job, answer, ret_status, err) != 0)
        return -1;
    return *ret_status == JOB_COMPLETED ? completed(job, answer, err) : 0;
}

/* --- a job's life -------------------------------------------------------------------------------- */

static bool is_final(const struct engine *engine, const struct error *err)
{
    return err->code == ERROR_INVALID || fibers_cancelled(engine->fibers);
}

static void troubled(struct async_job *job, struct async_watch *watch, const struct error *err)
{
    engine_log(job->retriever->engine, ENGINE_WARN, "stream %s: %s", job->retriever->stream_name,
               err->message);
    if (!watch->troubled)
        watch->trouble = *err;
    watch->troubled = true;
}

/* Until it is no longer running. What goes wrong on the way spoils the stream's end, but not the job. */
static int follow(struct async_job *job, struct async_watch *watch, enum job_status *ret_status,
                  struct error *err)
{
    struct async_retriever *retriever = job->retriever;
    struct engine *engine = retriever->engine;
    *ret_status = JOB_RUNNING;
    for (;;) {
        if (poll_job(job, ret_status, err) != 0) {
            if (is_final(engine, err))
                return -1;
            troubled(job, watch, err);
            *ret_status = JOB_RUNNING;
        }
        if (now_ms(engine) - job->begun_ms > retriever->timeout_ms)
            *ret_status = JOB_TIMED_OUT;
        if (*ret_status != JOB_RUNNING || watch->stop)
            return 0;
        if (fiber_sleep(engine->fibers, ASYNC_POLL_MS, err) != 0)
            return -1;
    }
}

static int attempt(struct async_job *job, struct async_watch *watch, enum job_status *ret_status,
                   struct error *err)
{
    struct engine *engine = job->retriever->engine;
    *ret_status = JOB_NOT_BEGUN;
    if (begin_job(job, err) != 0) {
        if (is_final(engine, err))
            return -1;
        engine_log(engine, ENGINE_WARN, "stream %s: %s", job->retriever->stream_name, err->message);
        return 0;
    }
    if (follow(job, watch, ret_status, err) != 0) {
        if (!fibers_cancelled(engine->fibers))
            abort_job(job);
        return -1;
    }
    if (*ret_status == JOB_TIMED_OUT || *ret_status == JOB_RUNNING)
        abort_job(job);
    return 0;
}

/* The attempts for one slice. *ret_done: there is something to read. */
static int run(struct async_job *job, struct async_watch *watch, bool *ret_done, struct error *err)
{
    struct async_retriever *retriever = job->retriever;
    enum job_status status = JOB_NOT_BEGUN;
    *ret_done = false;
    for (unsigned n = 1; !watch->stop; n++) {
        if (attempt(job, watch, &status, err) != 0)
            return -1;
        *ret_done = status == JOB_COMPLETED;
        if (*ret_done || status == JOB_SKIPPED || status == JOB_RUNNING)
            return 0;
        if (n == ASYNC_ATTEMPTS)
            break;
        uint64_t wait = ASYNC_POLL_MS + (status == JOB_FAILED ? retriever->failed_wait_ms : 0);
        if (fiber_sleep(retriever->engine->fibers, wait, err) != 0)
            return -1;
    }
    if (watch->stop)
        return 0;
    if (status != JOB_NOT_BEGUN) /* else *err says why */
        error_set(err, ERROR_CONNECTOR, "a job %s %d times; what it was for is missing",
                  status == JOB_TIMED_OUT ? "took too long" : "failed", ASYNC_ATTEMPTS);
    troubled(job, watch, err);
    return 0;
}

/* max_concurrent_async_job_count: what is no number, or too small, is 1, as in the CDK. */
static void open_gates(struct engine *engine)
{
    struct expression expression;
    struct scope scope;
    struct error ignored;
    int64_t most = 1;
    if (engine->jobs.max > 0)
        return;
    scope_init(&scope, engine);
    if (expression_compile(engine, engine->root, "max_concurrent_async_job_count", &expression, &ignored) ==
            0 &&
        !expression_is_absent(&expression) &&
        expression_integer(&expression, &scope, &engine->arena, &most, &ignored) != 0)
        most = 1;
    engine->jobs.max = most < 1 ? 1 : most > ASYNC_JOBS_AHEAD ? ASYNC_JOBS_AHEAD : (unsigned)most;
    engine->jobs_ahead.max = ASYNC_JOBS_AHEAD;
}

int async_job_run(struct async_retriever *retriever, const struct stream_slice *slice,
                  struct async_watch *watch, struct async_job **ret_job, struct error *err)
{
    struct engine *engine = retriever->engine;
    mem_auto(async_job_free) struct async_job *job = mem_zalloc(sizeof *job);
    bool done;
    *ret_job = NULL;
    job->retriever = retriever;
    job->slice = slice;
    open_gates(engine);
    if (fiber_gate_enter(engine->fibers, &engine->jobs, err) != 0)
        return -1;
    int result = run(job, watch, &done, err);
    fiber_gate_leave(&engine->jobs);
    if (result != 0 || !done)
        return result;
    *ret_job = job;
    job = NULL;
    return 0;
}

void async_job_free(struct async_job *job)
{
    if (!job)
        return;
    arena_done(&job->arena);
    free(job);
}

int async_ahead_enter(struct engine *engine, struct error *err)
{
    open_gates(engine);
    return fiber_gate_enter(engine->fibers, &engine->jobs_ahead, err);
}

void async_ahead_leave(struct engine *engine)
{
    fiber_gate_leave(&engine->jobs_ahead);
}

/* --- what it brings ------------------------------------------------------------------------------ */

struct bringing {
    struct async_job *job;
    const struct json *schema;
    record_sink *on_record;
    void *context;
    struct arena arenas[2]; /* in turn: a record lives until the one after the next */
    unsigned turn;
};

static int on_download(void *context, struct record *record, struct error *err)
{
    struct bringing *bringing = context;
    const struct async_job *job = bringing->job;
    struct arena *arena = &bringing->arenas[bringing->turn ^= 1];
    struct selection_call call = {job->slice->value, tvalue_none(), bringing->schema};
    struct record made = {
        .data = record->data,
        .stream_slice = job->slice->value,
        .stream_name = job->retriever->stream_name,
    };
    bool takes;
    arena_clear(arena);
    if (record_selector_apply(job->retriever->selector, &call, arena, &made, &takes, err) != 0)
        return -1;
    return takes ? bringing->on_record(bringing->context, &made, err) : 0;
}

static int find_targets(struct async_job *job, struct error *err)
{
    struct async_retriever *retriever = job->retriever;
    mem_auto(answer_free) struct answer *answer = NULL;
    struct tvalue nothing = tvalue_dict(&job->arena), extra = tvalue_dict(&job->arena);
    if (!retriever->target_extractor)
        tlist_push(&job->arena, job->targets.list, tvalue_cstring(""));
    if (!retriever->targets)
        return 0;
    tdict_set_name(&job->arena, extra.dict, "polling_response", job->polling);
    if (ask(retriever->targets, tvalue_stream_slice(&job->arena, nothing, nothing, extra), &answer, err) != 0)
        return error_wrap(err, "where to download from");
    return extract(retriever, retriever->target_extractor, answer, false, &job->arena, &job->targets, err);
}

int async_job_read(struct async_job *job, const struct json *schema, record_sink *on_record, void *context,
                   struct error *err)
{
    struct async_retriever *retriever = job->retriever;
    struct bringing bringing = {.job = job, .schema = schema, .on_record = on_record, .context = context};
    int result = find_targets(job, err);
    for (uint32_t i = 0; result == 0 && i < job->targets.list->count; i++)
        result = pages_read(retriever->download, slice_of_job(job, true, &job->targets.list->items[i]), NULL,
                            on_download, &bringing, err);
    arena_done(&bringing.arenas[0]);
    arena_done(&bringing.arenas[1]);
    if (result != 0 || !retriever->delete)
        return result;
    mem_auto(answer_free) struct answer *answer = NULL;
    return ask(retriever->delete, slice_of_job(job, false, NULL), &answer, err) == 0
               ? 0
               : error_wrap(err, "a job's deletion");
}
