#include "base/hash.h"
#include "task/capture_last.h"
#include "task/flow_bindings.h"
#include "task/kept_config.h"
#include "task/marks.h"
#include "task/reader_flow.h"

#include <assert.h>

/* Before a session of a Flow connector: spec, validate and apply, each a process of its own; asked only if
 * the specification is not the one that was applied last. What validate found, the resources' paths, is kept
 * with the mark of what was applied: a connector that polls is opened at once the next time. */

/* Flow's protocol has no word for how much there is to come. A connector made with our SDK traces it, by
 * binding. */
static void take_estimate(struct flow_reader *reader, struct slice line)
{
    struct task *task = reader->base.task;
    unsigned binding;
    long long documents, bytes;
    auto_free char *text = mem_strndup(line.data, line.size);
    if (sscanf(text, "estimate binding=%u documents=%lld bytes=%lld", &binding, &documents, &bytes) != 3 ||
        binding >= task->binding_count)
        return;
    task->progress[binding].row_estimate = (double)documents;
    task->progress[binding].byte_estimate = (double)bytes;
}

void flow_reader_on_log(void *context, enum log_level level, struct slice line)
{
    struct flow_reader *reader = context;
    if (level == LOG_TRACE)
        take_estimate(reader, line);
    task_report_log(reader->base.task->report, level, reader->base.label, line);
}

int flow_reader_on_config(void *context, const struct json *line, uint32_t config, struct error *err)
{
    struct flow_reader *reader = context;
    if (task_config_change(reader->base.task, TASK_SOURCE, line, config, err) < 0)
        return -1;
    reader->capture.raw_config = reader->base.task->spec->source.config;
    return 0;
}

/* --- the specification ----------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, struct slice part)
{
    uint64_t size = part.size;
    hash = hash_xxh3(&size, sizeof size, hash);
    return hash_xxh3(part.data, part.size, hash);
}

/* A name for all that `apply` may depend on: another program, config, binding or schema is another version.
 */
static void set_version(struct flow_reader *reader)
{
    const struct task_spec *spec = reader->base.task->spec;
    uint64_t hash = mix(1, slice_of(spec->name));
    for (size_t i = 0; spec->source.program.argv[i]; i++)
        hash = mix(hash, slice_of(spec->source.program.argv[i]));
    if (spec->source.program.manifest.size)
        hash = mix(hash, spec->source.program.manifest);
    /* As it was given: one that the connector changes itself (kept_config.h) is no other. */
    hash = hash_xxh3(&reader->base.task->given[TASK_SOURCE], sizeof *reader->base.task->given, hash);
    for (size_t i = 0; i < spec->binding_count; i++) {
        hash = mix(hash, spec->bindings[i].resource);
        hash = mix(hash, spec->bindings[i].flow_collection);
        hash = hash_xxh3(&spec->bindings[i].backfill, sizeof spec->bindings[i].backfill, hash);
    }
    snprintf(reader->version, sizeof reader->version, "%016llx", (unsigned long long)hash);
}

static struct slice prefixed(const char *prefix, const char *name, struct arena *arena)
{
    return slice_of(arena_printf(arena, "%s%s", prefix, name));
}

static int read_binding(struct flow_reader *reader, size_t index, struct error *err)
{
    struct task *task = reader->base.task;
    const struct task_binding_spec *spec = &task->spec->bindings[index];
    struct flow_collection *collection = arena_zalloc(&task->arena, sizeof *collection);
    struct json *doc = arena_alloc(&task->arena, sizeof *doc);
    if (json_parse_copy(&task->arena, spec->flow_collection.data, spec->flow_collection.size, doc, err) < 0 ||
        flow_collection_read(doc, 0, &task->arena, collection, err) < 0)
        return error_wrap(err, "the specification of %s", spec->collection);
    reader->bindings[index] = (struct flow_capture_binding){
        .raw_resource_config = spec->resource, .collection = collection, .backfill = spec->backfill};
    return 0;
}

static int read_capture(struct flow_reader *reader, struct error *err)
{
    struct task *task = reader->base.task;
    const struct task_spec *spec = task->spec;
    uint64_t seconds = (spec->interval_ms + 999) / 1000;
    reader->bindings = arena_zalloc(&task->arena, (spec->binding_count + 1) * sizeof *reader->bindings);
    for (size_t i = 0; i < spec->binding_count; i++) {
        if (read_binding(reader, i, err) < 0)
            return -1;
    }
    reader->capture = (struct flow_capture_spec){
        .name = slice_of(spec->name),
        .connector_type = spec->source.image ? FLOW_CAPTURE_IMAGE : FLOW_CAPTURE_LOCAL,
        .raw_config = spec->source.config,
        .bindings = {reader->bindings, spec->binding_count},
        /* Connectors in Python want it to be there, and 0 would not be. */
        .interval_seconds = seconds == 0           ? 1
                            : seconds > UINT32_MAX ? UINT32_MAX
                                                   : (uint32_t)seconds,
        .raw_shard_template =
            flow_shard_template(prefixed("capture/", spec->name, &task->arena), &task->arena),
        .raw_recovery_log_template =
            flow_journal_template(prefixed("recovery/capture/", spec->name, &task->arena), &task->arena),
    };
    set_version(reader);
    return task_capture_last_read(&task->checkpoint.flow, &task->arena, &reader->last, err);
}

/* --- paths ----------------------------------------------------------------------------------------- */

static int same_path(const struct flow_reader *reader, size_t a, size_t b, struct error *err)
{
    const struct task_spec *spec = reader->base.task->spec;
    return error_set(
        err, ERROR_INVALID,
        "%s takes the resources of the bindings to %s and to %s for one and the same (%.*s): each "
        "must be another",
        reader->base.label, spec->bindings[a].collection, spec->bindings[b].collection,
        SLICE_ARGS(reader->bindings[b].state_key));
}

/* The resources' paths are known: set what follows from them. */
static int set_paths(struct flow_reader *reader, const struct flow_texts *paths, struct error *err)
{
    struct task *task = reader->base.task;
    struct map seen;
    int result = 0;
    map_init(&seen);
    for (size_t i = 0; i < reader->capture.bindings.count && result == 0; i++) {
        struct flow_capture_binding *binding = &reader->bindings[i];
        binding->resource_path = paths[i];
        binding->state_key = flow_state_key(paths[i], 0, &task->arena);
        struct flow_capture_binding *earlier = map_set(&seen, binding->state_key, binding);
        if (earlier)
            result = same_path(reader, (size_t)(earlier - reader->bindings), i, err);
        binding->state_key = flow_state_key(paths[i], binding->backfill, &task->arena);
    }
    map_done(&seen);
    reader->capture.inactive_bindings =
        task_capture_last_inactive(reader->last, reader->capture.bindings, &task->arena);
    task->resource_paths = paths;
    return result;
}

/* What was validated with the version that was applied last. */
static bool use_saved_paths(struct flow_reader *reader)
{
    struct task *task = reader->base.task;
    const struct task_flow_saved *saved = &task->checkpoint.flow;
    struct json doc;
    struct error err;
    if (strcmp(saved->version, reader->version) != 0 ||
        json_parse_copy(&task->arena, saved->paths, strlen(saved->paths), &doc, &err) < 0 ||
        json_count(&doc, 0) != reader->capture.bindings.count)
        return false;
    struct flow_texts *paths = arena_zalloc(&task->arena, (json_count(&doc, 0) + 1) * sizeof *paths);
    size_t count = 0;
    for (uint32_t path = json_first(&doc, 0); path != JSON_NONE; path = json_next(&doc, 0, path)) {
        struct slice *parts = arena_alloc(&task->arena, (json_count(&doc, path) + 1) * sizeof *parts);
        struct flow_texts *texts = &paths[count++];
        texts->items = parts;
        for (uint32_t part = json_first(&doc, path); part != JSON_NONE; part = json_next(&doc, path, part)) {
            if (!json_is(&doc, part, JSON_STRING))
                return false;
            parts[texts->count++] = json_string(&doc, part, &task->arena);
        }
    }
    return set_paths(reader, paths, &err) == 0;
}

static const char *paths_text(const struct flow_reader *reader)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    for (size_t i = 0; i < reader->capture.bindings.count; i++) {
        json_begin_array(&writer);
        for (size_t j = 0; j < reader->bindings[i].resource_path.count; j++)
            json_put_slice(&writer, reader->bindings[i].resource_path.items[j]);
        json_end_array(&writer);
    }
    json_end_array(&writer);
    const char *copy = arena_strdup(&reader->base.task->arena, buffer_cstr(&text));
    buffer_done(&text);
    return copy;
}

/* --- asking ---------------------------------------------------------------------------------------- */

static struct slice state_text(const struct flow_reader *reader)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    flow_state_write(reader->base.task->checkpoint.flow.state, &text);
    struct slice copy = {arena_dup(&reader->base.task->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

static struct flow_capture_request make_validate(const struct flow_reader *reader)
{
    struct task *task = reader->base.task;
    size_t count = reader->capture.bindings.count;
    struct flow_capture_validate_binding *bindings =
        arena_zalloc(&task->arena, (count + 1) * sizeof *bindings);
    for (size_t i = 0; i < count; i++)
        bindings[i] = (struct flow_capture_validate_binding){.raw_resource_config =
                                                                 reader->bindings[i].raw_resource_config,
                                                             .collection = reader->bindings[i].collection,
                                                             .backfill = reader->bindings[i].backfill};
    return (struct flow_capture_request){
        .type = FLOW_CAPTURE_VALIDATE,
        .validate = {.name = reader->capture.name,
                     .connector_type = reader->capture.connector_type,
                     .raw_config = reader->capture.raw_config,
                     .bindings = {bindings, count},
                     .last_capture = reader->last,
                     .last_version = slice_of(task->checkpoint.flow.version)}};
}

static int ask(struct flow_reader *reader, enum flow_phase phase, struct error *err)
{
    struct task *task = reader->base.task;
    struct flow_capture_request request = {.type = FLOW_CAPTURE_SPEC};
    enum flow_capture_response_type answer = FLOW_CAPTURE_SPEC_RESPONSE;
    if (phase == FLOW_PHASE_SPEC) {
        request.spec =
            (struct flow_capture_spec_request){reader->capture.connector_type, reader->capture.raw_config};
    } else if (phase == FLOW_PHASE_VALIDATE) {
        request = make_validate(reader);
        answer = FLOW_CAPTURE_VALIDATED;
    } else {
        request.type = FLOW_CAPTURE_APPLY;
        request.apply = (struct flow_capture_apply){.capture = &reader->capture,
                                                    .version = slice_of(reader->version),
                                                    .last_capture = reader->last,
                                                    .last_version = slice_of(task->checkpoint.flow.version),
                                                    .raw_state = state_text(reader)};
        answer = FLOW_CAPTURE_APPLIED;
    }
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_capture_write_request(&line, &request);
    const struct connector_flow_question question = {
        .verb = flow_capture_request_name(request.type),
        .answer = flow_capture_response_name(answer),
        .request = {line.data, line.size},
        .secrets = phase == FLOW_PHASE_SPEC ? task->all : task->secrets,
        .on_config = flow_reader_on_config,
        .config_context = reader,
    };
    reader->phase = phase;
    reader->call = connector_flow_call_start(&task->spec->source.program, &question, &task->spec->limits,
                                             flow_reader_on_log, reader, err);
    explicit_bzero(line.data, line.size); /* the config is in it */
    buffer_done(&line);
    return reader->call ? 0 : -1;
}

int flow_setup_open(struct flow_reader *reader, struct error *err)
{
    if (read_capture(reader, err) < 0)
        return -1;
    if (task_marks_known(reader->base.task, TASK_SOURCE) && use_saved_paths(reader)) {
        reader->phase = FLOW_PHASE_SET_UP;
        return 0;
    }
    return ask(reader, FLOW_PHASE_SPEC, err);
}

/* --- answers --------------------------------------------------------------------------------------- */

static int take_spec(struct flow_reader *reader, const struct flow_spec *spec, struct error *err)
{
    if (flow_protocol_check(spec->protocol, reader->base.label, err) < 0)
        return -1;
    task_marks_take(reader->base.task, TASK_SOURCE, spec->raw_config_schema);
    if (use_saved_paths(reader)) { /* it was only asked what is secret in a config that it changed */
        reader->phase = FLOW_PHASE_SET_UP;
        return 0;
    }
    return ask(reader, FLOW_PHASE_VALIDATE, err);
}

static int take_validated(struct flow_reader *reader, const struct flow_capture_validated *validated,
                          struct error *err)
{
    struct task *task = reader->base.task;
    size_t count = reader->capture.bindings.count;
    if (validated->bindings.count != count)
        return error_set(err, ERROR_PROTOCOL, "%s validated %zu bindings of %zu", reader->base.label,
                         validated->bindings.count, count);
    struct flow_texts *paths = arena_zalloc(&task->arena, (count + 1) * sizeof *paths);
    for (size_t i = 0; i < count; i++) {
        paths[i] = validated->bindings.items[i].resource_path;
        if (paths[i].count == 0)
            return error_set(err, ERROR_PROTOCOL, "%s validated the binding to %s without a resourcePath",
                             reader->base.label, task->spec->bindings[i].collection);
    }
    return set_paths(reader, paths, err) < 0 ? -1 : ask(reader, FLOW_PHASE_APPLY, err);
}

static int take_applied(struct flow_reader *reader, const struct flow_applied *applied)
{
    struct task *task = reader->base.task;
    struct slice text = applied->action_description;
    if (text.size)
        task_report_log(task->report, LOG_INFO, reader->base.label, text);
    if (applied->state)
        reader->applied_state = *applied->state;
    reader->applied =
        (struct task_flow_item){.state = &reader->applied_state,
                                .version = reader->version,
                                .paths = paths_text(reader),
                                .applied = task_capture_last_text(&reader->capture, &task->arena)};
    reader->phase = FLOW_PHASE_SET_UP;
    return 0;
}

int flow_setup_service(struct flow_reader *reader, struct error *err)
{
    struct task *task = reader->base.task;
    int done = connector_flow_call_service(reader->call, err);
    if (done <= 0)
        return done;
    struct json *line = arena_alloc(&task->arena, sizeof *line);
    struct flow_capture_response response;
    if (connector_flow_call_answer(reader->call, &task->arena, line, err) < 0)
        return -1;
    if (flow_capture_read_response(line, &task->arena, &response, err) < 0)
        return error_wrap(err, "%s", reader->base.label);
    connector_flow_call_free(reader->call);
    reader->call = NULL;
    switch (response.type) {
    case FLOW_CAPTURE_SPEC_RESPONSE:
        return take_spec(reader, &response.spec, err);
    case FLOW_CAPTURE_VALIDATED:
        return take_validated(reader, &response.validated, err);
    default:
        assert(response.type == FLOW_CAPTURE_APPLIED); /* the call has looked for it */
        return take_applied(reader, &response.applied);
    }
}

void flow_setup_write_open(const struct flow_reader *reader, struct buffer *out)
{
    const struct flow_range range = FLOW_RANGE_ALL;
    const struct flow_capture_request request = {.type = FLOW_CAPTURE_OPEN,
                                                 .open = {.capture = &reader->capture,
                                                          .version = slice_of(reader->version),
                                                          .range = &range,
                                                          .raw_state = state_text(reader)}};
    flow_capture_write_request(out, &request);
}
