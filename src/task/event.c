#include "task/event.h"

#include "json/writer.h"

static const char *const kinds[TASK_KIND_MAX] = {"capture", "connection", "materialization"};
static const char *const outcomes[] = {"completed", "stopped", "failed"};

const char *task_kind_name(enum task_kind kind)
{
    return kinds[kind];
}

const char *task_outcome_name(enum task_outcome outcome)
{
    return outcomes[outcome];
}

/* --- writing ------------------------------------------------------------------------------------- */

static void write_binding(struct json_writer *writer, const struct task_binding_progress *binding)
{
    json_begin_object(writer);
    json_member_string(writer, "name", binding->name);
    json_member_string(writer, "stream", binding->stream);
    json_member_u64(writer, "documents", binding->documents);
    json_member_u64(writer, "bytes", binding->bytes);
    json_member_u64(writer, "committedDocuments", binding->committed_documents);
    json_member_u64(writer, "committedBytes", binding->committed_bytes);
    json_member_u64(writer, "invalid", binding->invalid);
    if (binding->rejected)
        json_member_u64(writer, "rejected", binding->rejected);
    if (binding->states)
        json_member_u64(writer, "states", binding->states);
    if (binding->row_estimate >= 0)
        json_member_double(writer, "rowEstimate", binding->row_estimate);
    if (binding->byte_estimate >= 0)
        json_member_double(writer, "byteEstimate", binding->byte_estimate);
    if (binding->lag_ms >= 0)
        json_member_i64(writer, "lagMs", binding->lag_ms);
    if (binding->loaded || binding->stored || binding->behind) {
        json_member_u64(writer, "loaded", binding->loaded);
        json_member_u64(writer, "stored", binding->stored);
        json_member_u64(writer, "behind", binding->behind);
    }
    json_member_bool(writer, "complete", binding->complete);
    json_end_object(writer);
}

static void write_progress(struct json_writer *writer, const struct task_progress *progress)
{
    json_member_u64(writer, "elapsedMs", progress->elapsed_ms);
    json_member_u64(writer, "commits", progress->commits);
    if (progress->states)
        json_member_u64(writer, "states", progress->states);
    json_member_u64(writer, "cpuMs", progress->cpu_ms);
    json_member_u64(writer, "memoryPeak", progress->memory_peak);
    json_put_key(writer, "bindings");
    json_begin_array(writer);
    for (size_t i = 0; i < progress->binding_count; i++)
        write_binding(writer, &progress->bindings[i]);
    json_end_array(writer);
}

static void write_failure(struct json_writer *writer, const struct task_failure *failure)
{
    const struct {
        const char *name, *text;
    } members[] = {{"origin", failure->origin},      {"type", failure->type},   {"message", failure->message},
                   {"internal", failure->internal},  {"stack", failure->stack}, {"stream", failure->stream},
                   {"namespace", failure->namespace}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].text)
            json_member_string(writer, members[i].name, members[i].text);
}

static void write_ended(struct json_writer *writer, enum task_outcome outcome, const struct error *error)
{
    json_member_string(writer, "outcome", task_outcome_name(outcome));
    if (outcome != TASK_FAILED)
        return;
    json_put_key(writer, "error");
    json_begin_object(writer);
    json_member_string(writer, "code", error_code_name(error->code));
    json_member_bool(writer, "retriable", error->retriable);
    json_member_string(writer, "message", error->message);
    json_end_object(writer);
}

void task_event_write(struct buffer *out, const char *task, const struct task_event *event)
{
    static const char *const names[] = {"started", "progress", "log",  "failure",
                                        "config",  "catalog",  "ended"};
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_string(&writer, "event", names[event->type]);
    if (task)
        json_member_string(&writer, "task", task);
    switch (event->type) {
    case TASK_EVENT_STARTED:
        json_member_string(&writer, "source", event->started.source);
        json_member_string(&writer, "sink", event->started.sink);
        json_member_bool(&writer, "resumed", event->started.resumed);
        break;
    case TASK_EVENT_PROGRESS:
        write_progress(&writer, &event->progress);
        break;
    case TASK_EVENT_LOG:
        json_member_string(&writer, "level", log_level_name(event->log.level));
        json_member_string(&writer, "origin", event->log.origin);
        json_member_string(&writer, "message", event->log.message);
        break;
    case TASK_EVENT_FAILURE:
        write_failure(&writer, &event->failure);
        break;
    case TASK_EVENT_CONFIG:
        json_member_bool(&writer, "destination", event->config.destination);
        json_member_raw(&writer, "config", event->config.config);
        break;
    case TASK_EVENT_CATALOG:
        json_member_raw(&writer, "catalog", event->catalog);
        break;
    case TASK_EVENT_ENDED:
        write_ended(&writer, event->ended.outcome, &event->ended.error);
        break;
    }
    json_end_object(&writer);
    buffer_byte(out, '\n');
}

/* --- reading ------------------------------------------------------------------------------------- */

static uint64_t get_u64(const struct json *doc, uint32_t object, const char *name)
{
    uint32_t at = json_get(doc, object, name);
    uint64_t value = 0;
    return at != JSON_NONE && json_to_u64(doc, at, &value) ? value : 0;
}

static double get_double(const struct json *doc, uint32_t object, const char *name)
{
    uint32_t at = json_get(doc, object, name);
    double value;
    return at != JSON_NONE && json_to_double(doc, at, &value) ? value : -1;
}

static bool get_bool(const struct json *doc, uint32_t object, const char *name)
{
    return json_is(doc, json_get(doc, object, name), JSON_TRUE);
}

static const char *get_string(const struct json *doc, uint32_t object, const char *name, struct arena *arena)
{
    uint32_t at = json_get(doc, object, name);
    return json_is(doc, at, JSON_STRING) ? json_cstring(doc, at, arena) : "";
}

static void read_progress(const struct json *doc, struct arena *arena, struct task_progress *progress)
{
    *progress = (struct task_progress){.elapsed_ms = get_u64(doc, 0, "elapsedMs"),
                                       .commits = get_u64(doc, 0, "commits"),
                                       .states = get_u64(doc, 0, "states"),
                                       .cpu_ms = get_u64(doc, 0, "cpuMs"),
                                       .memory_peak = get_u64(doc, 0, "memoryPeak")};
    uint32_t list = json_get(doc, 0, "bindings");
    struct task_binding_progress *bindings = arena_zalloc(arena, json_count(doc, list) * sizeof *bindings);
    size_t count = 0;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        struct task_binding_progress *binding = &bindings[count++];
        binding->name = get_string(doc, at, "name", arena);
        binding->stream = get_string(doc, at, "stream", arena);
        binding->documents = get_u64(doc, at, "documents");
        binding->bytes = get_u64(doc, at, "bytes");
        binding->committed_documents = get_u64(doc, at, "committedDocuments");
        binding->committed_bytes = get_u64(doc, at, "committedBytes");
        binding->invalid = get_u64(doc, at, "invalid");
        binding->rejected = get_u64(doc, at, "rejected");
        binding->states = get_u64(doc, at, "states");
        binding->row_estimate = get_double(doc, at, "rowEstimate");
        binding->byte_estimate = get_double(doc, at, "byteEstimate");
        binding->lag_ms = (int64_t)get_double(doc, at, "lagMs");
        binding->loaded = get_u64(doc, at, "loaded");
        binding->stored = get_u64(doc, at, "stored");
        binding->behind = get_u64(doc, at, "behind");
        binding->complete = get_bool(doc, at, "complete");
    }
    progress->bindings = bindings;
    progress->binding_count = count;
}

static const char *get_optional(const struct json *doc, const char *name, struct arena *arena)
{
    uint32_t at = json_get(doc, 0, name);
    return json_is(doc, at, JSON_STRING) ? json_cstring(doc, at, arena) : NULL;
}

static void read_failure(const struct json *doc, struct arena *arena, struct task_failure *failure)
{
    *failure = (struct task_failure){.origin = get_optional(doc, "origin", arena),
                                     .type = get_optional(doc, "type", arena),
                                     .message = get_optional(doc, "message", arena),
                                     .internal = get_optional(doc, "internal", arena),
                                     .stack = get_optional(doc, "stack", arena),
                                     .stream = get_optional(doc, "stream", arena),
                                     .namespace = get_optional(doc, "namespace", arena)};
}

static int read_ended(const struct json *doc, struct arena *arena, struct task_event *event,
                      struct error *err)
{
    const char *outcome = get_string(doc, 0, "outcome", arena);
    size_t i = 0;
    while (i < sizeof outcomes / sizeof *outcomes && strcmp(outcomes[i], outcome) != 0)
        i++;
    if (i == sizeof outcomes / sizeof *outcomes)
        return error_set(err, ERROR_PROTOCOL, "the task's event 'ended' has the unknown outcome '%.40s'",
                         outcome);
    event->ended.outcome = (enum task_outcome)i;
    event->ended.error = (struct error){.code = ERROR_NONE};
    if (event->ended.outcome != TASK_FAILED)
        return 1;
    uint32_t failure = json_get(doc, 0, "error");
    const char *code = get_string(doc, failure, "code", arena);
    error_set(&event->ended.error, error_code_parse(code), "%s", get_string(doc, failure, "message", arena));
    event->ended.error.retriable = get_bool(doc, failure, "retriable");
    return 1;
}

int task_event_read(const struct json *line, struct arena *arena, struct task_event *ret_event,
                    struct error *err)
{
    uint32_t kind = json_get(line, 0, "event");
    if (!json_is(line, kind, JSON_STRING))
        return error_set(err, ERROR_PROTOCOL, "the task wrote a line that is no event");
    if (json_string_is(line, kind, "started")) {
        *ret_event = (struct task_event){.type = TASK_EVENT_STARTED,
                                         .started = {.source = get_string(line, 0, "source", arena),
                                                     .sink = get_string(line, 0, "sink", arena),
                                                     .resumed = get_bool(line, 0, "resumed")}};
        return 1;
    }
    if (json_string_is(line, kind, "progress")) {
        ret_event->type = TASK_EVENT_PROGRESS;
        read_progress(line, arena, &ret_event->progress);
        return 1;
    }
    if (json_string_is(line, kind, "log")) {
        int level = log_level_parse(get_string(line, 0, "level", arena));
        *ret_event = (struct task_event){.type = TASK_EVENT_LOG,
                                         .log = {.level = level < 0 ? LOG_INFO : (enum log_level)level,
                                                 .origin = get_string(line, 0, "origin", arena),
                                                 .message = get_string(line, 0, "message", arena)}};
        return 1;
    }
    if (json_string_is(line, kind, "failure")) {
        ret_event->type = TASK_EVENT_FAILURE;
        read_failure(line, arena, &ret_event->failure);
        return 1;
    }
    if (json_string_is(line, kind, "config")) {
        uint32_t config = json_get(line, 0, "config");
        if (!json_is(line, config, JSON_OBJECT))
            return error_set(err, ERROR_PROTOCOL, "the task's event 'config' has none");
        *ret_event = (struct task_event){
            .type = TASK_EVENT_CONFIG,
            .config = {.destination = get_bool(line, 0, "destination"), .config = json_raw(line, config)}};
        return 1;
    }
    if (json_string_is(line, kind, "catalog")) {
        uint32_t catalog = json_get(line, 0, "catalog");
        if (!json_is(line, catalog, JSON_OBJECT))
            return error_set(err, ERROR_PROTOCOL, "the task's event 'catalog' has none");
        *ret_event = (struct task_event){.type = TASK_EVENT_CATALOG, .catalog = json_raw(line, catalog)};
        return 1;
    }
    if (json_string_is(line, kind, "ended")) {
        ret_event->type = TASK_EVENT_ENDED;
        return read_ended(line, arena, ret_event, err);
    }
    return 0;
}
