#include "host.h"

#include "base/fault.h"
#include "base/map.h"
#include "echo.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

/* A destination's session: messages in, states out.
 *
 * A commit is dear (fsync), states may come thousands a second: so states gather, and one commit releases
 * them all. It is made when enough bytes or time have passed since the first waiting state, or when the
 * input pauses, so that a slow source sees its states confirmed at once. A class may want fewer: its pace. */

enum {
    INPUT_CHUNK = 1 << 20,
    COMMIT_BYTES = 32 << 20, /* where the class has no pace of its own */
    COMMIT_MS = 1000,
    COMMIT_IDLE_MS = 100,
    WAITING_MAX = 256 << 20, /* bytes of states that wait */
};

struct target {
    struct airbyte_stream_name name;
    uint64_t records; /* since its last state */
    bool complete;    /* the source said so */
};

struct session {
    struct firth_host *host;
    const struct firth_destination *class_;
    void *self;
    struct firth_pace pace;
    struct firth_target *asked;
    struct sdk_row *rows; /* one a target */
    struct target *targets;
    size_t count, last; /* `last`: the target of the record before */
    struct map by_name; /* namespace NUL name -> index + 1 */
    struct sdk_echo echo;
    struct arena arena; /* one line's */
    struct buffer key;
    uint64_t line, records; /* records: since the last state of all streams */
    uint64_t bytes;         /* of records since the last commit */
    int64_t waiting_ms;     /* since when a state waits */
    int64_t committed_ms;
};

static struct slice key_of(struct session *session, struct airbyte_stream_name name)
{
    buffer_clear(&session->key);
    buffer_append(&session->key, name.namespace.data, name.namespace.size);
    buffer_byte(&session->key, 0);
    buffer_append(&session->key, name.name.data, name.name.size);
    return (struct slice){session->key.data, session->key.size};
}

/* The target's index, or -1. */
static long find(struct session *session, struct airbyte_stream_name name)
{
    if (session->count && airbyte_stream_name_equal(session->targets[session->last].name, name))
        return (long)session->last;
    uintptr_t found = (uintptr_t)map_get(&session->by_name, key_of(session, name));
    if (found)
        session->last = found - 1;
    return (long)found - 1;
}

static int unknown_stream(struct session *session, struct airbyte_stream_name name, struct firth_error *err)
{
    const char **names = arena_zalloc(&session->arena, (session->count + 1) * sizeof *names);
    for (size_t i = 0; i < session->count; i++)
        names[i] = session->asked[i].name;
    const char *wanted = arena_strndup(&session->arena, name.name.data, name.name.size);
    const char *near = string_nearest(wanted, names, session->count);
    return firth_fail(err, FIRTH_FAILURE_SYSTEM,
                      "line %llu of the input is a record of stream \"%.200s\"%s%.*s, which the catalog does "
                      "not name%s%s%s",
                      (unsigned long long)session->line, wanted, name.namespace.size ? " in namespace " : "",
                      SLICE_ARGS(name.namespace), near ? "; did you mean \"" : "", near ? near : "",
                      near ? "\"?" : "");
}

static int on_record(struct session *session, const struct json *line, const struct airbyte_message *message,
                     struct firth_error *err)
{
    long index = find(session, message->record.stream);
    if (index < 0)
        return unknown_stream(session, message->record.stream, err);
    struct slice data = json_raw(line, message->record.data);
    double emitted_at = message->record.emitted_at;
    struct firth_record record = {
        .data = {data.data, data.size},
        .emitted_at = emitted_at > -9e18 && emitted_at < 9e18 ? (int64_t)emitted_at : 0,
        .document = line,
        .node = message->record.data,
    };
    uint32_t changes = json_get(line, json_get(line, message->payload, "meta"), "changes");
    if (json_count(line, changes) && json_is(line, changes, JSON_ARRAY)) {
        struct slice raw = json_raw(line, changes);
        record.changes = (struct firth_slice){raw.data, raw.size};
    }
    session->rows[index].found = false;
    record.row = &session->rows[index];
    arena_clear(&session->host->scratch);
    session->targets[index].records++;
    session->records++;
    session->bytes += data.size;
    return session->class_->store(session->self, session->host, (size_t)index, &record, err);
}

static int on_state(struct session *session, const struct json *line, const struct airbyte_message *message,
                    struct firth_error *err)
{
    long stream = SDK_ECHO_ALL_STREAMS;
    uint64_t *records = &session->records, none = 0;
    if (message->state.type == AIRBYTE_STATE_STREAM) {
        stream = find(session, message->state.stream);
        records = stream >= 0 ? &session->targets[stream].records : &none;
        if (stream < 0)
            stream = SDK_ECHO_NO_STREAM;
    }
    if (!sdk_echo_waiting(&session->echo))
        session->waiting_ms = sdk_monotonic_ms();
    struct buffer *lines = sdk_echo_line(&session->echo);
    size_t before = lines->size;
    airbyte_write_state_echo(lines, line, message, (double)*records);
    if (!sdk_echo_added(&session->echo, lines->size - before, stream))
        return firth_fail(
            err, FIRTH_FAILURE_SYSTEM,
            "the states that wait for the end of their stream have passed the limit of %d bytes",
            WAITING_MAX);
    *records = 0;
    return 0;
}

static void on_status(struct session *session, const struct airbyte_message *message)
{
    if (message->trace.type != AIRBYTE_TRACE_STREAM_STATUS)
        return;
    long index = find(session, message->trace.stream);
    if (index >= 0 && message->trace.status == AIRBYTE_STREAM_COMPLETE)
        session->targets[index].complete = true;
}

static int take_line(struct session *session, struct slice bytes, struct firth_error *err)
{
    struct json line;
    struct airbyte_message message;
    struct error library_err;
    session->line++;
    if (bytes.size && bytes.data[bytes.size - 1] == '\r')
        bytes.size--;
    if (!bytes.size)
        return 0;
    arena_clear(&session->arena);
    if (json_parse(session->host->parser, bytes.data, bytes.size, &line, &library_err) < 0 ||
        airbyte_decode(&line, &session->arena, &message, &library_err) < 0)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "line %llu of the input is no message: %s",
                          (unsigned long long)session->line, library_err.message);
    switch (message.type) {
    case AIRBYTE_RECORD:
        return on_record(session, &line, &message, err);
    case AIRBYTE_STATE:
        return on_state(session, &line, &message, err);
    case AIRBYTE_TRACE:
        on_status(session, &message);
        return 0;
    case AIRBYTE_NOT_A_MESSAGE:
        /* A type that newer platforms know is to be ignored; anything else is a broken peer. */
        if (json_is(&line, json_get(&line, 0, "type"), JSON_STRING))
            return 0;
        return firth_fail(err, FIRTH_FAILURE_SYSTEM,
                          "line %llu of the input is no message: it must be an object with a \"type\"",
                          (unsigned long long)session->line);
    default:
        return 0;
    }
}

/* --- commits ------------------------------------------------------------------------------------- */

static int commit(struct session *session, struct firth_error *err)
{
    struct firth_commit commit = {{0}};
    if (fault_planted("sdk.echo-before-commit")) {
        sdk_echo_release(&session->echo, &session->host->out);
        sdk_host_flush(session->host);
    }
    if (session->class_->commit(session->self, session->host, &commit, err) < 0)
        return -1;
    session->bytes = 0;
    session->committed_ms = session->waiting_ms = sdk_monotonic_ms();
    sdk_echo_release(&session->echo, &session->host->out);
    return sdk_host_flush(session->host);
}

/* Milliseconds until a commit is due, 0: now, -1: no state waits for one. */
static int commit_due_ms(const struct session *session)
{
    if (!sdk_echo_waits_for_commit(&session->echo))
        return -1;
    int64_t now = sdk_monotonic_ms(), due = session->waiting_ms + session->pace.interval_ms;
    if (session->bytes >= session->pace.bytes || due <= now)
        return 0;
    return due - now > INT_MAX ? INT_MAX : (int)(due - now);
}

/* --- the input ----------------------------------------------------------------------------------------- */

/* Wait for input. 1: there is some (or its end); 0: none yet, and a commit is due. */
static int wait_for_input(struct session *session, int input, struct firth_error *err)
{
    struct pollfd ready = {.fd = input, .events = POLLIN};
    int got = poll(&ready, 1, 0);
    if (got == 0) {
        int timeout = commit_due_ms(session);
        if (timeout > 0 && !session->class_->pace) {
            /* The input pauses: no reason to wait longer than not to commit too often. */
            int64_t rest = session->committed_ms + COMMIT_IDLE_MS - sdk_monotonic_ms();
            timeout = rest <= 0 ? 0 : rest < timeout ? (int)rest : timeout;
        }
        if (timeout == 0)
            return 0;
        got = poll(&ready, 1, timeout);
    }
    if (got < 0 && errno != EINTR)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot wait for the input: %s", strerror(errno));
    return got > 0 ? 1 : 0;
}

/* Hand on every whole line; what is left moves to the front. */
static int take_lines(struct session *session, struct buffer *input, size_t *scanned, struct firth_error *err)
{
    size_t start = 0;
    char *newline;
    while ((newline = memchr(input->data + *scanned, '\n', input->size - *scanned))) {
        size_t end = (size_t)(newline - input->data);
        if (take_line(session, (struct slice){input->data + start, end - start}, err) < 0)
            return -1;
        start = *scanned = end + 1;
    }
    buffer_consume(input, start);
    *scanned = input->size;
    /* One huge line must not leave its buffer behind. */
    if (!input->size && input->capacity > 16 * (size_t)INPUT_CHUNK)
        buffer_done(input);
    return 0;
}

/* Read and store to the end of the input. 0: the end, or we are to stop. */
static int take_input(struct session *session, int input, struct buffer *bytes, struct firth_error *err)
{
    size_t scanned = 0;
    while (!firth_stopping(session->host)) {
        int ready = wait_for_input(session, input, err);
        if (ready < 0)
            return -1;
        if (ready > 0) {
            if (!buffer_reserve(bytes, INPUT_CHUNK) && bytes->size >= bytes->max - INPUT_CHUNK)
                return firth_fail(err, FIRTH_FAILURE_SYSTEM,
                                  "line %llu of the input is longer than the limit of %d bytes",
                                  (unsigned long long)session->line + 1, SDK_LINE_MAX);
            ssize_t got = read(input, bytes->data + bytes->size, INPUT_CHUNK);
            if (got < 0 && errno != EINTR && errno != EAGAIN)
                return firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot read the input: %s", strerror(errno));
            if (got == 0)
                return bytes->size ? take_line(session, (struct slice){bytes->data, bytes->size}, err) : 0;
            bytes->size += got > 0 ? (size_t)got : 0;
            if (got > 0 && take_lines(session, bytes, &scanned, err) < 0)
                return -1;
        }
        bool due = ready == 0 && !session->class_->pace ? sdk_echo_waits_for_commit(&session->echo)
                                                        : commit_due_ms(session) == 0;
        if (due && commit(session, err) < 0)
            return -1;
    }
    return 0;
}

/* --- begin and end -----------------------------------------------------------------------------------------
 */

/* Commit, finish each stream, confirm what may be confirmed. A platform that knows no generations says
 * nothing of COMPLETE either: there the end of the input is the end of every stream. */
static int finish(struct session *session, struct firth_error *err)
{
    bool stopped = firth_stopping(session->host);
    auto_free bool *keep_back = mem_zalloc(session->count * sizeof *keep_back);
    if (commit(session, err) < 0)
        return -1;
    for (size_t i = 0; i < session->count; i++) {
        const struct firth_target *target = &session->asked[i];
        bool complete = !stopped && (session->targets[i].complete || target->generation < 0);
        if (!complete && !stopped)
            firth_log(session->host, FIRTH_WARN, "stream %s ended without COMPLETE%s", target->name,
                      target->states_at_end ? ": what was there before stays" : "");
        keep_back[i] = !complete && target->states_at_end;
        if (session->class_->finish &&
            session->class_->finish(session->self, session->host, i, complete, err) < 0)
            return -1;
    }
    sdk_echo_release_all(&session->echo, keep_back, &session->host->out);
    return sdk_host_flush(session->host);
}

static unsigned mode_of(enum airbyte_destination_sync_mode mode)
{
    switch (mode) {
    case AIRBYTE_APPEND:
        return FIRTH_APPEND;
    case AIRBYTE_OVERWRITE:
        return FIRTH_OVERWRITE;
    case AIRBYTE_APPEND_DEDUP:
        return FIRTH_APPEND_DEDUP;
    case AIRBYTE_OVERWRITE_DEDUP:
        return FIRTH_OVERWRITE_DEDUP;
    default:
        return 0;
    }
}

static int make_targets(const struct airbyte_configured_catalog *catalog, struct arena *arena,
                        struct firth_target *targets, struct firth_error *err)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const struct airbyte_configured_stream *from = &catalog->streams[i];
        struct airbyte_stream_name name = from->stream.name;
        targets[i] = (struct firth_target){
            .name = arena_strndup(arena, name.name.data, name.name.size),
            .name_space =
                name.namespace.size ? arena_strndup(arena, name.namespace.data, name.namespace.size) : NULL,
            .sync_mode = mode_of(from->destination_sync_mode),
            .cursor = sdk_pointer_of_path(from->cursor, arena),
            .primary_key = sdk_pointers_of_paths(from->primary_key, from->primary_key_count, arena),
            .json_schema = {from->stream.json_schema.data, from->stream.json_schema.size},
            .generation = from->has_generation ? from->generation_id : -1,
            .minimum_generation = from->has_generation ? from->minimum_generation_id : -1,
            .sync = from->has_generation ? from->sync_id : -1,
        };
        if (!targets[i].sync_mode)
            return firth_fail(err, FIRTH_FAILURE_CONFIG,
                              "stream %s asks for the sync mode %s, which is for "
                              "destinations with operations of their own",
                              targets[i].name,
                              airbyte_destination_sync_mode_name(from->destination_sync_mode));
        sdk_target_fields(&targets[i], arena);
    }
    return 0;
}

static void session_index(struct session *session, const struct airbyte_configured_catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++) {
        struct airbyte_stream_name name = catalog->streams[i].stream.name;
        session->targets[i].name = name;
        void *other = map_set(&session->by_name, key_of(session, name), (void *)(uintptr_t)(i + 1));
        assert(!other); /* the catalog's reader refuses two of one name */
    }
}

static int write_session(struct session *session, const void *config, int input, struct firth_error *err)
{
    struct buffer bytes;
    if (sdk_apply(session->host, config, session->asked, session->count, err) < 0)
        return -1;
    if (session->host->did.size)
        firth_log(session->host, FIRTH_INFO, "%s", buffer_cstr(&session->host->did));
    session->pace = (struct firth_pace){COMMIT_MS, COMMIT_BYTES};
    if (session->class_->pace)
        session->class_->pace(config, &session->pace);
    if (session->class_->open(session->host, config, session->asked, session->count, &session->self, err) < 0)
        return -1;
    for (size_t i = 0; i < session->count; i++) {
        if (session->asked[i].states_at_end)
            sdk_echo_hold(&session->echo, i);
    }
    buffer_init(&bytes, (size_t)SDK_LINE_MAX + INPUT_CHUNK);
    int result = take_input(session, input, &bytes, err);
    buffer_done(&bytes);
    if (result == 0)
        result = finish(session, err);
    session->class_->close(session->self);
    return result;
}

int sdk_run_write(struct firth_host *host, const void *config,
                  const struct airbyte_configured_catalog *catalog, int input, struct firth_error *err)
{
    struct arena arena;
    arena_init(&arena);
    struct session session = {
        .host = host,
        .class_ = &host->class_->destination,
        .asked = arena_zalloc(&arena, (catalog->count + 1) * sizeof *session.asked),
        .rows = arena_zalloc(&arena, (catalog->count + 1) * sizeof *session.rows),
        .targets = arena_zalloc(&arena, (catalog->count + 1) * sizeof *session.targets),
        .count = catalog->count,
        .committed_ms = sdk_monotonic_ms(),
    };
    map_init(&session.by_name);
    arena_init(&session.arena);
    buffer_init(&session.key, BUFFER_UNLIMITED); /* bounded by the line */
    sdk_echo_init(&session.echo, catalog->count, WAITING_MAX);
    int result = make_targets(catalog, &arena, session.asked, err);
    for (size_t i = 0; i < catalog->count && result == 0; i++)
        sdk_row_init(&session.rows[i], &session.asked[i], &arena);
    session_index(&session, catalog);
    if (result == 0)
        result = write_session(&session, config, input, err);
    if (result < 0 && host->failed)
        *err = host->error;
    sdk_echo_done(&session.echo);
    buffer_done(&session.key);
    arena_done(&session.arena);
    map_done(&session.by_name);
    arena_done(&arena);
    return result;
}
