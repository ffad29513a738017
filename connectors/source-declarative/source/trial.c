#include "trial.h"

#include "source-declarative/record/record.h"
#include "source.h"

#include <stdlib.h>

struct trying {
    const struct trial_settings *settings;
    struct trial *trial;
    struct arena *arena;
    struct engine *engine;
    struct offered offered;
    struct slice extracted; /* the record that is on its way */
};

/* --- what is kept ----------------------------------------------------------------------------------------
 */

/* NULL: there were too many. */
static struct trial_step *add(struct trying *trying, enum trial_kind kind, const char *stream)
{
    struct trial *trial = trying->trial;
    if (trial->count == TRIAL_STEPS_MAX)
        return NULL;
    trial->steps = mem_grow(trial->steps, &trial->capacity, trial->count + 1, sizeof *trial->steps);
    struct trial_step *step = &trial->steps[trial->count++];
    *step = (struct trial_step){.kind = kind};
    step->stream = stream ? arena_strdup(trying->arena, stream) : NULL;
    return step;
}

static struct slice keep(struct trying *trying, struct slice text)
{
    return (struct slice){arena_strndup(trying->arena, text.size ? text.data : "", text.size), text.size};
}

static struct slice keep_value(struct trying *trying, const struct tvalue *value)
{
    struct buffer text;
    struct error wrong;
    buffer_init(&text, RECORD_SIZE_MAX);
    if (value_write(&text, value, &wrong) != 0) {
        buffer_clear(&text);
        buffer_str(&text, "null");
    }
    struct slice kept = keep(trying, (struct slice){text.data, text.size});
    buffer_done(&text);
    return kept;
}

static void on_log(void *context, enum engine_level level, const char *message)
{
    struct trial_step *step = add(context, TRIAL_LOG, NULL);
    if (!step)
        return;
    step->level = level;
    step->json = keep(context, slice_of(message));
}

static int on_config(void *context, struct slice config)
{
    struct trial_step *step = add(context, TRIAL_CONFIG, NULL);
    if (step)
        step->json = keep(context, config);
    return 0;
}

static void on_slice(void *context, const char *stream, const struct tvalue *slice)
{
    struct trial_step *step = add(context, TRIAL_SLICE, stream);
    if (step)
        step->json = keep_value(context, slice);
}

static void on_extracted(void *context, const char *stream, const struct tvalue *value)
{
    struct trying *trying = context;
    (void)stream;
    trying->extracted = keep_value(trying, value);
}

static void on_selected(void *context, const char *stream, const struct tvalue *value)
{
    struct trying *trying = context;
    struct trial_step *step = add(trying, TRIAL_RECORD, stream);
    if (!step)
        return;
    step->json = trying->extracted;
    if (value)
        step->after = keep_value(trying, value);
}

/* --- requests and answers --------------------------------------------------------------------------------
 */

/* What the config's secrets were made into (Basic has them in base64) no search finds. */
static bool is_secret(const char *name)
{
    static const char *const names[] = {"authorization", "proxy-authorization", "cookie", "set-cookie"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static struct slice headers(struct trying *trying, const struct http_header *items, size_t count)
{
    struct buffer text;
    buffer_init(&text, TRIAL_BODY_MAX);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "%s%s: %s", i ? "\n" : "", items[i].name,
                      is_secret(items[i].name) ? "****" : items[i].value);
    struct slice kept = keep(trying, (struct slice){text.data, text.size});
    buffer_done(&text);
    return kept;
}

static struct slice cut(struct trying *trying, struct slice body)
{
    if (body.size > TRIAL_BODY_MAX)
        body.size = utf8_cut(body.data, body.size, TRIAL_BODY_MAX);
    return keep(trying, body);
}

static void on_exchange(void *context, const struct engine_exchange *exchange)
{
    struct trying *trying = context;
    struct trial_step *step = add(trying, TRIAL_EXCHANGE, exchange->stream);
    const struct http_request *request = exchange->request;
    const struct http_response *response = exchange->response;
    if (!step)
        return;
    const char *head = arena_printf(trying->arena, "%s %s", request->method, request->url);
    step->request = (struct trial_part){
        .head = slice_of(head),
        .headers = headers(trying, request->headers, request->header_count),
        .body = cut(trying, request->body),
        .size = request->body.size,
    };
    if (!response) {
        step->json = keep(trying, slice_of(exchange->error ? exchange->error : ""));
        return;
    }
    step->response = (struct trial_part){
        .head = slice_of(arena_printf(trying->arena, "%d", response->status)),
        .headers = headers(trying, response->headers, response->header_count),
        .body = cut(trying, response->body),
        .size = response->body.size,
    };
}

/* --- reading ---------------------------------------------------------------------------------------------
 */

static int on_record(void *context, struct record *record, struct error *err)
{
    (void)context;
    (void)record;
    (void)err;
    return 0;
}

static int on_state(void *context, struct tvalue state, struct error *err)
{
    struct trying *trying = context;
    struct trial_step *step = add(trying, TRIAL_STATE, trying->settings->stream);
    (void)err;
    if (step)
        step->json = keep_value(trying, &state);
    return 0;
}

static int no_such_stream(struct trying *trying, struct error *err)
{
    const struct offered *offered = &trying->offered;
    const char **names = arena_zalloc(trying->arena, (offered->count + 1) * sizeof *names);
    for (size_t i = 0; i < offered->count; i++)
        names[i] = offered->items[i].name;
    const char *near = string_nearest(trying->settings->stream, names, offered->count);
    return error_set(err, ERROR_NOT_FOUND, "there is no stream %.200s%s%s%s", trying->settings->stream,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int find(struct trying *trying, struct offered_stream **ret_stream, struct error *err)
{
    const char *name = trying->settings->stream;
    if (offered_written(&trying->offered, err) != 0)
        return -1;
    *ret_stream = offered_find(&trying->offered, name);
    if (!*ret_stream) {
        if (offered_all(&trying->offered, err) != 0)
            return -1;
        *ret_stream = offered_find(&trying->offered, name);
    }
    return *ret_stream ? 0 : no_such_stream(trying, err);
}

/* One slice after the other, so that what is told is in order. */
static int body(void *context, struct error *err)
{
    struct trying *trying = context;
    struct fiber_gate slots = {.max = 1};
    const struct stream_sink sink = {on_record, on_state, trying};
    struct offered_stream *found;
    const struct json *schema;
    if (find(trying, &found, err) != 0 || offered_stream_compile(trying->engine, found, err) != 0 ||
        declared_stream_schema(found->stream, &schema, err) != 0)
        return -1;
    trying->trial->schema = keep(trying, json_raw(schema, 0));
    if (declared_stream_set_state(found->stream, trying->settings->state, err) != 0)
        return -1;
    return declared_stream_read(found->stream, &slots, &sink, err);
}

/* --- secrets ---------------------------------------------------------------------------------------------
 */

static void redact(struct trying *trying, struct slice *text)
{
    struct buffer changed;
    if (text->size == 0)
        return;
    buffer_init(&changed, BUFFER_UNLIMITED);
    buffer_append(&changed, text->data, text->size);
    engine_redact(trying->engine, &changed);
    *text = keep(trying, (struct slice){changed.data, changed.size});
    buffer_done(&changed);
}

static void redact_part(struct trying *trying, struct trial_part *part)
{
    redact(trying, &part->head);
    redact(trying, &part->headers);
    redact(trying, &part->body);
}

/* At the end, when every token that came is known. */
static void redact_all(struct trying *trying)
{
    for (size_t i = 0; i < trying->trial->count; i++) {
        struct trial_step *step = &trying->trial->steps[i];
        redact(trying, &step->json);
        redact(trying, &step->after);
        redact_part(trying, &step->request);
        redact_part(trying, &step->response);
    }
}

/* --- all of it -------------------------------------------------------------------------------------------
 */

int manifest_trial_run(const struct manifest *manifest, const struct trial_settings *settings,
                       struct arena *arena, struct trial *ret_trial, struct error *err)
{
    struct trying trying = {.settings = settings, .trial = ret_trial, .arena = arena};
    const struct engine_settings engine_settings = {
        .output = {on_log, on_config, on_slice, on_exchange, on_extracted, on_selected, &trying},
        .limits = settings->limits,
    };
    *ret_trial = (struct trial){0};
    mem_auto(engine_free) struct engine *engine =
        engine_new(&engine_settings, manifest_root(manifest), settings->config, err);
    if (!engine)
        return -1;
    trying.engine = trying.offered.engine = engine;
    int result = source_prepare(NULL, engine, err);
    if (result == 0)
        result = fibers_call(engine->fibers, body, &trying, err);
    if (result != 0)
        engine_redact_error(engine, err);
    redact_all(&trying);
    return result;
}

void manifest_trial_done(struct trial *trial)
{
    mem_free_cleanup(&trial->steps);
}
