/* read: all selected streams at once, a fiber each; what they give goes to the host. */
#include "groups.h"
#include "source.h"

#include "source-declarative/record/record.h"

#include <stdlib.h>

enum {
    CONCURRENCY_DEFAULT = 2,
    CONCURRENCY_MAX = 256, /* slices, and streams: fibers are bounded (FIBERS_MAX) */
    TURN_MS = 1000,        /* read returns at least so often */
};

struct session;
struct session_stream {
    struct session *session;
    struct declared_stream *stream;
    size_t index;
    const bool *groups;
    const struct error *unready; /* what it fails with instead of being read */
};

struct session {
    struct declarative *source;
    struct engine *engine;
    struct session_stream *streams;
    size_t *waiting; /* streams that are not begun, in their order */
    size_t count, waiting_count, running, ended;
    struct stream_groups groups;
    struct fiber_gate slots;
    struct buffer text;  /* a state */
    bool stated, ticked; /* something to return for */
    bool gone;           /* nobody takes what is emitted */
    bool failed, closing;
    struct error error; /* of the stream that failed first */
};

/* --- what streams give ------------------------------------------------------------------------------------
 */

static int nobody_takes(struct session *session, struct error *err)
{
    session->gone = true;
    return error_set(err, ERROR_CANCELLED, "nobody takes what is read");
}

static int on_text(void *context, struct slice record, struct error *err)
{
    const struct session_stream *stream = context;
    struct session *session = stream->session;
    if (session->gone || session->closing)
        return nobody_takes(session, err);
    const struct firth_slice data = {record.data, record.size};
    return firth_emit_record(session->source->host, stream->index, data) == 0 ? 0
                                                                              : nobody_takes(session, err);
}

static int on_state(void *context, struct tvalue state, struct error *err)
{
    const struct session_stream *stream = context;
    struct session *session = stream->session;
    struct buffer *text = &session->text;
    if (session->gone || session->closing)
        return nobody_takes(session, err);
    buffer_clear(text);
    if (value_write(text, &state, err) != 0)
        return error_wrap(err, "the state");
    session->stated = true;
    const struct firth_slice json = {text->data, text->size};
    return firth_emit_state(session->source->host, stream->index, json) == 0 ? 0 : nobody_takes(session, err);
}

/* --- streams in fibers ------------------------------------------------------------------------------------
 */

static void begin_streams(struct session *session);

/* The others go on. */
static void stream_failed(struct session_stream *stream, struct error *err)
{
    struct session *session = stream->session;
    if (session->gone || session->closing || fibers_cancelled(session->engine->fibers))
        return;
    error_wrap(err, "stream %.200s", declared_stream_name(stream->stream));
    engine_redact_error(session->engine, err);
    engine_log(session->engine, ENGINE_ERROR, "%s", err->message);
    if (!session->failed)
        session->error = *err;
    session->failed = true;
    if (firth_emit_incomplete(session->source->host, stream->index) != 0)
        session->gone = true;
}

static int stream_body(void *context, struct error *err)
{
    struct session_stream *stream = context;
    struct session *session = stream->session;
    const struct stream_sink sink = {.text = on_text, .state = on_state, .context = stream};
    struct error wrong;
    if (stream->unready) {
        wrong = *stream->unready;
        stream_failed(stream, &wrong);
    } else if (declared_stream_read(stream->stream, &session->slots, &sink, err) != 0)
        stream_failed(stream, err);
    else if (firth_emit_complete(session->source->host, stream->index) != 0)
        session->gone = true;
    stream_groups_leave(&session->groups, stream->groups);
    session->running--;
    session->ended++;
    begin_streams(session);
    return 0;
}

/* Whoever has to wait for its group goes to the end, as in the CDK. */
static void begin_streams(struct session *session)
{
    for (size_t left = session->waiting_count; left > 0; left--) {
        size_t index = session->waiting[0];
        struct session_stream *stream = &session->streams[index];
        if (session->gone || session->closing || session->running >= session->slots.max)
            return;
        memmove(session->waiting, session->waiting + 1, --session->waiting_count * sizeof index);
        if (stream_groups_enter(&session->groups, stream->groups)) {
            session->running++;
            fiber_detach(fiber_start(session->engine->fibers, stream_body, stream));
        } else {
            session->waiting[session->waiting_count++] = index;
        }
    }
}

/* Wakes whoever runs the fibers, though none of them has anything to say. */
static int ticker_body(void *context, struct error *err)
{
    struct session *session = context;
    while (fiber_sleep(session->engine->fibers, TURN_MS, err) == 0)
        session->ticked = true;
    return 0;
}

static bool is_due(void *context)
{
    const struct session *session = context;
    return session->stated || session->ticked || session->gone || session->ended == session->count;
}

/* --- open, read, close ------------------------------------------------------------------------------------
 */

static int concurrency(struct engine *engine, int64_t *ret_level, struct error *err)
{
    struct component level = component_get(engine->root, "concurrency_level");
    struct expression expression;
    struct scope scope;
    int64_t most;
    *ret_level = CONCURRENCY_DEFAULT;
    if (component_is_none(level))
        return 0;
    scope_init(&scope, engine);
    if (expression_compile(engine, level, "default_concurrency", &expression, err) != 0 ||
        expression_integer(&expression, &scope, &engine->arena, ret_level, err) != 0)
        return component_error(err, level);
    if (component_integer(level, "max_concurrency", &most) && most > 0 && *ret_level > most)
        *ret_level = most;
    if (*ret_level < 1)
        *ret_level = 1;
    if (*ret_level > CONCURRENCY_MAX)
        *ret_level = CONCURRENCY_MAX;
    return 0;
}

static int open_stream(struct session *session, const struct firth_selected *selected,
                       struct session_stream *stream, struct error *err)
{
    struct offered_stream *offered = offered_find(&session->source->offered, selected->name);
    if (!offered)
        return error_set(err, ERROR_NOT_FOUND, "there is no stream %.200s", selected->name);
    /* It was compiled to be found, without what the catalog says of it. */
    if (offered->stream && declared_stream_cursor_is_free(offered->stream))
        offered->stream = NULL;
    if (offered_stream_compile(session->engine, offered, err) != 0)
        return error_wrap(err, "stream %.200s", selected->name);
    stream->stream = offered->stream;
    const struct slice state = {selected->state.data, selected->state.size};
    if (declared_stream_set_state(stream->stream, state, err) != 0) /* the others are read nevertheless */
        stream->unready = arena_dup(&session->engine->arena, err, sizeof *err);
    stream->groups = stream_groups_of(&session->groups, session->engine, offered->where, selected->name);
    return 0;
}

int source_open(struct firth_host *host, const void *config, const struct firth_selection *selection,
                void **ret_self, struct firth_error *err)
{
    struct declarative *source = (struct declarative *)(uintptr_t)config;
    struct engine *engine = source->engine;
    struct session *session = arena_zalloc(&engine->arena, sizeof *session);
    struct error wrong;
    int64_t level;
    (void)host;
    *session = (struct session){.source = source, .engine = engine, .count = selection->count};
    for (size_t i = 0; i < selection->count; i++) {
        const struct firth_selected *selected = &selection->streams[i];
        engine_select(engine, selected->name,
                      (struct slice){selected->json_schema.data, selected->json_schema.size},
                      selected->cursor);
    }
    session->streams = arena_zalloc(&engine->arena, (selection->count + 1) * sizeof *session->streams);
    session->waiting = arena_alloc(&engine->arena, (selection->count + 1) * sizeof *session->waiting);
    stream_groups_init(&session->groups, engine);
    int result = concurrency(engine, &level, &wrong);
    for (size_t i = 0; result == 0 && i < selection->count; i++) {
        session->waiting[session->waiting_count++] = i;
        session->streams[i] = (struct session_stream){.session = session, .index = i};
        result = open_stream(session, &selection->streams[i], &session->streams[i], &wrong);
    }
    if (result != 0) {
        engine_redact_error(engine, &wrong);
        return sdk_error(err, &wrong);
    }
    session->slots.max = (unsigned)level;
    buffer_init(&session->text, RECORD_SIZE_MAX);
    fiber_detach(fiber_start(engine->fibers, ticker_body, session));
    begin_streams(session);
    *ret_self = session;
    return 0;
}

int source_read(void *self, struct firth_host *host, struct firth_error *err)
{
    struct session *session = self;
    session->stated = session->ticked = false;
    fibers_run(session->engine->fibers, is_due, session);
    if (session->gone || firth_stopping(host))
        return -1;
    if (session->ended == session->count)
        return session->failed ? sdk_error(err, &session->error) : 0;
    if (session->stated || session->ticked)
        return 1;
    return firth_fail(err, FIRTH_FAILURE_SYSTEM, "the streams wait for each other");
}

void source_close(void *self)
{
    struct session *session = self;
    struct fibers *fibers = session->engine->fibers;
    session->closing = true;
    fibers_cancel(fibers);
    fibers_run(fibers, NULL, NULL);
    buffer_done(&session->text);
}
