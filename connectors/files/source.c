#include "source.h"

#include "base/clock.h"
#include "bridge.h"
#include "connectors/files/charset.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    STATE_RECORDS = 5000, /* a state is due after so many records, bytes, or … */
    STATE_BYTES = 4 << 20,
    STATE_MS = 1000,
    STATE_LATEST_MS = 5000,
    STATE_SHARE = 4, /* records are to be at least so many times as large as the state that follows them */
    CHANGES_MAX = 3, /* how often a file may change while it is read, before it is an error */
};

struct stream {
    const struct files_stream *plan; /* its place in the plan's list, or found */
    struct files_stream found;
    struct firth_slice schema;
    struct files_position position;
    struct files_search search;
    bool searching, done;
    struct files_open_file file;
    bool reading;
    unsigned changes;  /* of the file that is read */
    uint64_t left_out; /* records of it */
    bool told_guess;   /* of its encoding */
    struct files_stamp stamp;
};

struct session {
    struct firth_host *host;
    struct files_plan plan;
    struct stream *streams;
    size_t count, current;
    struct buffer record, state;
    uint64_t records, bytes; /* since the last state */
    uint64_t state_ns;
};

/* --- plans -----------------------------------------------------------------------------------------------
 */

static const struct files_source *family_of(const struct firth_host *host)
{
    return firth_family(host);
}

static int check_streams(const struct files_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct files_stream *stream = &plan->streams[i];
        for (size_t j = 0; j < i; j++) {
            if (strcmp(stream->name, plan->streams[j].name) == 0)
                return error_set(err, ERROR_INVALID,
                                 "streams: two have the name %.200s; each needs a name of its own",
                                 stream->name);
        }
        enum files_charset charset;
        if (stream->format.encoding && *stream->format.encoding &&
            files_charset_parse(stream->format.encoding, &charset, err) < 0)
            return error_wrap(err, "stream %.200s", stream->name);
        if (stream->schema.size && files_schema_check(stream, err) < 0)
            return error_wrap(err, "stream %.200s: input_schema", stream->name);
    }
    return 0;
}

static int make_plan(struct firth_host *host, const void *config, struct files_plan *plan,
                     struct firth_error *err)
{
    struct error library_err;
    *plan = (struct files_plan){.start_ms = INT64_MIN};
    arena_init(&plan->arena);
    if (family_of(host)->plan(host, config, plan, err) < 0)
        return -1;
    return check_streams(plan, &library_err) < 0 ? sdk_error(err, &library_err) : 0;
}

static void drop_plan(struct files_plan *plan)
{
    files_storage_close(plan->storage);
    arena_done(&plan->arena);
}

static int add_stream(struct firth_host *host, struct files_plan *plan, const struct files_stream *stream,
                      bool sample, struct firth_catalog *catalog, struct firth_error *err)
{
    static const char *const flow_key[] = {"/_meta/file", "/_meta/offset", NULL};
    const char *schema;
    struct error library_err;
    bool flow = firth_speaks_flow(host);
    if (files_schema(host, plan, stream, sample, &plan->arena, &schema, &library_err) < 0)
        return sdk_error(err, &library_err);
    const struct firth_stream added = {.name = stream->name,
                                       .json_schema = schema,
                                       .primary_key = flow ? flow_key : stream->primary_key,
                                       .cursor = flow ? NULL : "/_ab_source_file_last_modified",
                                       .sync_modes = FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL,
                                       .resumable = true};
    return firth_catalog_add(catalog, &added, err);
}

int files_source_discover(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                          struct firth_error *err)
{
    struct files_plan plan;
    int result = make_plan(host, config, &plan, err);
    for (size_t i = 0; i < plan.count && result == 0; i++)
        result = add_stream(host, &plan, &plan.streams[i], true, catalog, err);
    drop_plan(&plan);
    return result;
}

static const struct files_stream *find_stream(struct firth_host *host, const void *config,
                                              struct files_plan *plan, const char *name,
                                              struct files_stream *found)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->streams[i].name, name) == 0)
            return &plan->streams[i];
    }
    files_find_fn *find = family_of(host)->find;
    return find && find(host, config, name, &plan->arena, found) ? found : NULL;
}

int files_source_find(struct firth_host *host, const void *config, const char *name, const char *name_space,
                      struct firth_catalog *catalog, struct firth_error *err)
{
    struct files_plan plan;
    struct files_stream found;
    if (name_space && *name_space)
        return 0;
    int result = make_plan(host, config, &plan, err);
    const struct files_stream *stream = result == 0 ? find_stream(host, config, &plan, name, &found) : NULL;
    if (stream)
        result = add_stream(host, &plan, stream, false, catalog, err);
    drop_plan(&plan);
    return result;
}

/* Each stream has a file at least: a pattern that matches nothing is more often a mistake than not. A capture
 * of a prefix, which may be there before what it waits for, only says so. */
static int check_stream(struct firth_host *host, const struct files_plan *plan,
                        const struct files_stream *stream, struct error *err)
{
    struct files_search search;
    struct files_object object;
    if (files_search_open(&search, plan, stream, "", err) < 0)
        return -1;
    int got = files_search_next(&search, &object, err);
    files_search_done(&search);
    if (got == 0) {
        error_set(err, ERROR_NOT_FOUND, "stream %s: no file matches %s%s%s", stream->name, stream->location,
                  stream->glob_count ? stream->globs[0] : stream->prefixes[0],
                  stream->glob_count > 1 ? ", …" : "");
        bool waits = firth_speaks_flow(host) && stream->glob_count == 0;
        if (waits)
            firth_log(host, FIRTH_WARN, "%s, so far", err->message);
        return waits ? 0 : -1;
    }
    return got < 0 ? error_wrap(err, "stream %s", stream->name) : 0;
}

int files_source_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    struct files_plan plan;
    struct error library_err;
    int result = make_plan(host, config, &plan, err);
    for (size_t i = 0; i < plan.count && result == 0; i++) {
        result = check_stream(host, &plan, &plan.streams[i], &library_err);
        if (result < 0)
            firth_fail(err, library_err.retriable ? FIRTH_FAILURE_TRANSIENT : FIRTH_FAILURE_CONFIG, "%s",
                       library_err.message);
    }
    drop_plan(&plan);
    return result;
}

/* --- opening ---------------------------------------------------------------------------------------------
 */

void files_source_close(void *self)
{
    struct session *session = self;
    for (size_t i = 0; i < session->count; i++) {
        struct stream *stream = &session->streams[i];
        if (stream->reading)
            files_open_file_done(&stream->file);
        if (stream->searching)
            files_search_done(&stream->search);
        files_position_done(&stream->position);
        files_stamp_done(&stream->stamp);
    }
    free(session->streams);
    buffer_done(&session->record);
    buffer_done(&session->state);
    drop_plan(&session->plan);
    free(session);
}

static int open_stream(struct session *session, const void *config, const struct firth_selected *selected,
                       bool live, struct stream *stream, struct firth_error *err)
{
    struct error library_err;
    files_position_init(&stream->position);
    stream->plan = find_stream(session->host, config, &session->plan, selected->name, &stream->found);
    if (!stream->plan)
        return firth_fail(err, FIRTH_FAILURE_CONFIG, "there is no stream %s", selected->name);
    bool flow = firth_speaks_flow(session->host);
    files_stamp_init(&stream->stamp, flow, stream->plan->schemaless);
    if (!flow && !stream->plan->schemaless)
        stream->schema = selected->json_schema;
    if (files_position_parse(&stream->position, (struct slice){selected->state.data, selected->state.size},
                             &library_err) < 0)
        return sdk_error(err, &library_err);
    if (selected->sync_mode == FIRTH_INCREMENTAL || !selected->state.size || stream->position.sweeping)
        return 0;
    /* A full refresh that had come to its end: under Flow the next one begins, under Airbyte it is an attempt
     * whose other streams are to be finished. */
    stream->done = !live;
    files_position_done(&stream->position);
    files_position_init(&stream->position);
    return 0;
}

int files_source_open(struct firth_host *host, const void *config, const struct firth_selection *selection,
                      void **ret_self, struct firth_error *err)
{
    struct session *session = mem_zalloc(sizeof *session);
    session->host = host;
    session->streams = mem_zalloc((selection->count + 1) * sizeof *session->streams);
    buffer_init(&session->record, BUFFER_UNLIMITED);
    buffer_init(&session->state, BUFFER_UNLIMITED);
    session->state_ns = clock_monotonic_ns(&clock_system);
    int result = make_plan(host, config, &session->plan, err);
    for (size_t i = 0; i < selection->count && result == 0; i++) {
        session->count++;
        result =
            open_stream(session, config, &selection->streams[i], selection->live, &session->streams[i], err);
    }
    if (result < 0)
        files_source_close(session);
    else
        *ret_self = session;
    return result;
}

/* --- files -----------------------------------------------------------------------------------------------
 */

static void told_skipped(void *context, const struct error *why)
{
    struct session *session = context;
    struct stream *stream = &session->streams[session->current];
    if (stream->left_out++ == 0)
        firth_log(session->host, FIRTH_WARN, "a record of %s%s is left out: %s", stream->plan->location,
                  stream->reading ? stream->file.object.name : "", why->message);
}

static int open_file(struct session *session, struct stream *stream, const struct files_object *object,
                     struct files_place place, struct error *err)
{
    struct files_position *position = &stream->position;
    stream->left_out = 0;
    stream->told_guess = false;
    if (files_open_file_init(&stream->file, session->plan.storage, object, &stream->plan->format,
                             stream->schema, place, told_skipped, session, err) < 0)
        return -1;
    stream->reading = true;
    files_stamp_file(&stream->stamp, stream->plan, &stream->file.object);
    free(position->file);
    position->file = mem_strdup(object->name);
    position->tag = object->tag;
    position->place = place;
    return 0;
}

static void close_file(struct stream *stream)
{
    if (stream->reading)
        files_open_file_done(&stream->file);
    stream->reading = false;
}

/* It is gone, or not what it was: look again, and read it anew. 1: it is open; 0: it is passed over. */
static int reopen(struct session *session, struct stream *stream, const char *name_, const struct error *why,
                  struct error *err)
{
    struct files_object object;
    auto_free char *name = mem_strdup(name_);
    close_file(stream);
    if (why->code == ERROR_BUSY && stream->changes++ == CHANGES_MAX)
        return error_set(err, ERROR_BUSY, "it changes again and again while it is read");
    int there = session->plan.storage->look(session->plan.storage, name, &object, err);
    if (there <= 0) {
        free(stream->position.file);
        stream->position.file = NULL;
        if (there == 0)
            firth_log(session->host, FIRTH_WARN, "%s%s is gone before it was read to its end",
                      stream->plan->location, name);
        return there;
    }
    firth_log(session->host, FIRTH_WARN, "%s%s has changed since it was begun: it is read anew",
              stream->plan->location, name);
    int result = open_file(session, stream, &object, (struct files_place){0}, err);
    files_object_done(&object);
    return result < 0 ? -1 : 1;
}

static bool may_reopen(const struct error *err)
{
    return err->code == ERROR_BUSY || err->code == ERROR_NOT_FOUND;
}

/* The file that an earlier session was in the middle of. 1: it is open; 0: it is not to be read any more. */
static int resume_file(struct session *session, struct stream *stream, struct error *err)
{
    struct files_object object;
    struct files_position *position = &stream->position;
    struct error why = {.code = ERROR_NOT_FOUND};
    int there = session->plan.storage->look(session->plan.storage, position->file, &object, err);
    if (there < 0)
        return -1;
    bool same = there && object.tag == position->tag;
    int result = same ? open_file(session, stream, &object, position->place, err) : 0;
    if (there)
        files_object_done(&object);
    return same ? (result < 0 ? -1 : 1) : reopen(session, stream, position->file, &why, err);
}

/* The next file: 1 it is open, 0 there is none. */
static int next_file(struct session *session, struct stream *stream, struct error *err)
{
    struct files_position *position = &stream->position;
    struct files_object object;
    int got;
    stream->changes = 0;
    files_position_begin(position, clock_wall_ms(&clock_system));
    if (position->file && (got = resume_file(session, stream, err)) != 0)
        return got;
    if (!stream->searching) {
        if (files_search_open(&stream->search, &session->plan, stream->plan, position->after, err) < 0)
            return -1;
        stream->searching = true;
    }
    while ((got = files_search_next(&stream->search, &object, err)) > 0) {
        if (!files_position_wants(position, &object))
            continue;
        if (open_file(session, stream, &object, (struct files_place){0}, err) == 0)
            return 1;
        if (!may_reopen(err))
            return error_wrap(err, "%s%s", stream->plan->location, object.name);
        const struct error why = *err;
        if ((got = reopen(session, stream, object.name, &why, err)) != 0)
            return got;
    }
    return got;
}

/* --- reading ---------------------------------------------------------------------------------------------
 */

static int emit_state(struct session *session, size_t at)
{
    struct stream *stream = &session->streams[at];
    if (stream->reading)
        stream->position.place = files_reader_place(stream->file.reader);
    buffer_clear(&session->state);
    files_position_write(&stream->position, &session->state);
    session->records = session->bytes = 0;
    session->state_ns = clock_monotonic_ns(&clock_system);
    return firth_emit_state(session->host, at,
                            (struct firth_slice){session->state.data, session->state.size});
}

static bool is_due(const struct session *session)
{
    uint64_t since_ms = (clock_monotonic_ns(&clock_system) - session->state_ns) / (1000 * 1000);
    if (since_ms >= STATE_LATEST_MS && session->records)
        return true;
    return session->bytes >= STATE_SHARE * session->state.size &&
           (session->records >= STATE_RECORDS || session->bytes >= STATE_BYTES || since_ms >= STATE_MS);
}

/* Between files there may be a state where the last one was small. */
static bool is_due_between(const struct session *session)
{
    return session->records && session->bytes >= STATE_SHARE * session->state.size;
}

static void told_end(struct session *session, struct stream *stream)
{
    if (stream->left_out > 1)
        firth_log(session->host, FIRTH_WARN, "%" PRIu64 " records of %s%s are left out", stream->left_out,
                  stream->plan->location, stream->file.object.name);
}

static void tell_guess(struct session *session, struct stream *stream)
{
    const char *guessed = files_reader_guessed(stream->file.reader);
    if (guessed && !stream->told_guess)
        firth_log(
            session->host, FIRTH_WARN,
            "%s%s is read as %s, because it is not UTF-8; if that is wrong, name another with the option "
            "encoding",
            stream->plan->location, stream->file.object.name, guessed);
    stream->told_guess |= guessed != NULL;
}

/* To the next state or the file's end: 1: there is more of it; 0: that was its end. -1: *err, or *ret_gone.
 */
static int read_file(struct session *session, struct stream *stream, bool *ret_gone, struct error *err)
{
    struct files_record record;
    enum { LOOK_AT_CLOCK = 64 };
    for (unsigned i = 1;; i++) {
        int got = files_reader_next(stream->file.reader, &record, err);
        tell_guess(session, stream);
        if (got <= 0)
            return got;
        files_stamp_record(&stream->stamp, &record, &session->record);
        if (firth_emit_record(session->host, session->current,
                              (struct firth_slice){session->record.data, session->record.size}) < 0) {
            *ret_gone = true;
            return -1;
        }
        session->records++;
        session->bytes += session->record.size;
        if (i % LOOK_AT_CLOCK == 0 && is_due(session))
            return 1;
    }
}

static int end_stream(struct session *session, struct stream *stream)
{
    size_t at = session->current++;
    if (!stream->done) {
        files_search_done(&stream->search);
        stream->searching = false;
        files_position_end(&stream->position, stream->plan->ascending);
        if (emit_state(session, at) < 0)
            return -1;
    }
    stream->done = true;
    if (firth_emit_complete(session->host, at) < 0)
        return -1;
    return session->current < session->count;
}

/* The stream's next files, up to a state: 1; 0 if there are no more. */
static int read_stream(struct session *session, struct stream *stream, bool *ret_gone, struct error *err)
{
    for (;;) {
        int got = stream->reading ? 1 : next_file(session, stream, err);
        if (got <= 0)
            return got;
        got = read_file(session, stream, ret_gone, err);
        if (got < 0 && !*ret_gone && may_reopen(err)) {
            const struct error why = *err;
            if (reopen(session, stream, stream->position.file, &why, err) < 0)
                return -1;
            continue;
        }
        if (got < 0)
            return *ret_gone ? -1 : error_wrap(err, "%s%s", stream->plan->location, stream->file.object.name);
        if (got == 0) {
            told_end(session, stream);
            files_position_passed(&stream->position, &stream->file.object);
            close_file(stream);
        }
        if (got > 0 || is_due_between(session)) {
            if (emit_state(session, session->current) < 0) {
                *ret_gone = true;
                return -1;
            }
            return 1;
        }
        if (firth_stopping(session->host)) {
            *ret_gone = true;
            return -1;
        }
    }
}

int files_source_read(void *self, struct firth_host *host, struct firth_error *err)
{
    struct session *session = self;
    struct error library_err;
    bool gone = false;
    (void)host;
    if (session->current == session->count)
        return 0;
    struct stream *stream = &session->streams[session->current];
    int got = stream->done ? 0 : read_stream(session, stream, &gone, &library_err);
    if (got < 0)
        return gone ? -1 : sdk_error(err, &library_err);
    return got == 0 ? end_stream(session, stream) : 1;
}
