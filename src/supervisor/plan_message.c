#include "supervisor/plan_message.h"

#include "json/writer.h"

enum { VERSION = 1 }; /* another one is that of another binary */

static const char *const types[PLAN_ANSWER_TYPES] = {
    [PLAN_PLANNED] = "planned", [PLAN_FAILED] = "failed", [PLAN_IMAGE] = "image",
    [PLAN_NOTE] = "note",       [PLAN_ALIVE] = "alive",
};

static void write_names(struct json_writer *writer, const char *member, const char *const *names,
                        size_t count)
{
    json_put_key(writer, member);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_put_string(writer, names[i]);
    json_end_array(writer);
}

static int read_names(const struct json *doc, uint32_t list, struct arena *arena,
                      const char *const **ret_names, size_t *ret_count)
{
    const char **names = arena_zalloc(arena, (json_count(doc, list) + 1) * sizeof *names);
    size_t count = 0;
    if (!json_is(doc, list, JSON_ARRAY))
        return -1;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        names[count] = json_cstring(doc, at, arena);
        if (!names[count++])
            return -1;
    }
    *ret_names = names;
    *ret_count = count;
    return 0;
}

static bool read_u64(const struct json *doc, uint32_t object, const char *member, uint64_t max,
                     uint64_t *ret_value)
{
    uint32_t at = json_get(doc, object, member);
    return at != JSON_NONE && json_to_u64(doc, at, ret_value) && *ret_value <= max;
}

static int malformed(struct error *err, const char *what)
{
    return error_set(err, ERROR_PROTOCOL, "%s is not as this program writes it", what);
}

/* --- the request --------------------------------------------------------------------------------- */

void plan_request_write(struct buffer *out, const struct plan_request *request)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_u64(&writer, "version", VERSION);
    json_member_string(&writer, "dataDir", request->data_dir);
    json_member_u64(&writer, "commitMs", request->commit_ms);
    json_member_u64(&writer, "stallMs", request->stall_ms);
    json_member_bool(&writer, "images", request->images);
    write_names(&writer, "tasks", request->tasks, request->task_count);
    json_member_raw(&writer, "snapshot", request->snapshot);
    json_end_object(&writer);
}

int plan_request_read(struct slice text, struct arena *arena, struct plan_request *ret_request,
                      struct error *err)
{
    struct json doc;
    struct plan_request request = {0};
    uint64_t version = 0;
    if (json_parse_copy(arena, text.data, text.size, &doc, err) < 0)
        return error_wrap(err, "the request for a plan");
    request.data_dir = json_cstring(&doc, json_get(&doc, 0, "dataDir"), arena);
    request.images = json_is(&doc, json_get(&doc, 0, "images"), JSON_TRUE);
    uint32_t snapshot = json_get(&doc, 0, "snapshot");
    if (!read_u64(&doc, 0, "version", VERSION, &version) || version != VERSION || !request.data_dir ||
        !read_u64(&doc, 0, "commitMs", UINT64_MAX, &request.commit_ms) ||
        !read_u64(&doc, 0, "stallMs", UINT64_MAX, &request.stall_ms) ||
        read_names(&doc, json_get(&doc, 0, "tasks"), arena, &request.tasks, &request.task_count) < 0 ||
        !json_is(&doc, snapshot, JSON_OBJECT))
        return malformed(err, "the request for a plan");
    request.snapshot = json_raw(&doc, snapshot);
    *ret_request = request;
    return 0;
}

/* --- schedules ----------------------------------------------------------------------------------- */

static void write_schedule(struct json_writer *writer, const struct supervisor_schedule *schedule)
{
    json_member_u64(writer, "intervalMs", schedule->interval_ms);
    if (!schedule->has_cron)
        return;
    json_put_key(writer, "cron");
    json_begin_object(writer);
    json_member_u64(writer, "seconds", schedule->cron.seconds);
    json_member_u64(writer, "minutes", schedule->cron.minutes);
    json_member_u64(writer, "hours", schedule->cron.hours);
    json_member_u64(writer, "days", schedule->cron.days);
    json_member_u64(writer, "months", schedule->cron.months);
    json_member_u64(writer, "weekdays", schedule->cron.weekdays);
    json_member_bool(writer, "anyDay", schedule->cron.any_day);
    json_member_bool(writer, "anyWeekday", schedule->cron.any_weekday);
    json_put_key(writer, "years");
    json_begin_array(writer);
    for (size_t i = 0; i < CRON_YEAR_WORDS; i++)
        json_put_u64(writer, schedule->cron.years[i]);
    json_end_array(writer);
    json_member_bool(writer, "lastDay", schedule->cron.last_day);
    json_member_bool(writer, "workingDay", schedule->cron.working_day);
    json_member_u64(writer, "beforeLast", schedule->cron.before_last);
    json_member_u64(writer, "nearDay", schedule->cron.near_day);
    json_member_u64(writer, "lastWeekdays", schedule->cron.last_weekdays);
    json_put_key(writer, "nthWeekdays");
    json_begin_array(writer);
    for (size_t i = 0; i < sizeof schedule->cron.nth_weekdays; i++)
        json_put_u64(writer, schedule->cron.nth_weekdays[i]);
    json_end_array(writer);
    json_end_object(writer);
}

/* Quartz's L, W and #. */
static int read_special_days(const struct json *doc, uint32_t object, struct cron *cron)
{
    uint64_t before, near, last, nth;
    uint32_t list = json_get(doc, object, "nthWeekdays");
    size_t count = 0;
    if (!read_u64(doc, object, "beforeLast", UINT8_MAX, &before) ||
        !read_u64(doc, object, "nearDay", UINT8_MAX, &near) ||
        !read_u64(doc, object, "lastWeekdays", UINT8_MAX, &last) ||
        json_count(doc, list) != sizeof cron->nth_weekdays)
        return -1;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        if (!json_to_u64(doc, at, &nth) || nth > UINT8_MAX)
            return -1;
        cron->nth_weekdays[count++] = (uint8_t)nth;
    }
    cron->last_day = json_is(doc, json_get(doc, object, "lastDay"), JSON_TRUE);
    cron->working_day = json_is(doc, json_get(doc, object, "workingDay"), JSON_TRUE);
    cron->before_last = (uint8_t)before;
    cron->near_day = (uint8_t)near;
    cron->last_weekdays = (uint8_t)last;
    return 0;
}

static int read_years(const struct json *doc, uint32_t object, struct cron *cron)
{
    uint32_t list = json_get(doc, object, "years");
    size_t count = 0;
    if (json_count(doc, list) != CRON_YEAR_WORDS)
        return -1;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        if (!json_to_u64(doc, at, &cron->years[count++]))
            return -1;
    }
    return 0;
}

static int read_schedule(const struct json *doc, uint32_t object, struct supervisor_schedule *schedule)
{
    uint32_t cron = json_get(doc, object, "cron");
    uint64_t hours, days, months, weekdays;
    if (!read_u64(doc, object, "intervalMs", UINT64_MAX, &schedule->interval_ms))
        return -1;
    if (cron == JSON_NONE)
        return 0;
    schedule->has_cron = true;
    if (!read_u64(doc, cron, "seconds", UINT64_MAX, &schedule->cron.seconds) ||
        !read_u64(doc, cron, "minutes", UINT64_MAX, &schedule->cron.minutes) ||
        !read_u64(doc, cron, "hours", UINT32_MAX, &hours) ||
        !read_u64(doc, cron, "days", UINT32_MAX, &days) ||
        !read_u64(doc, cron, "months", UINT32_MAX, &months) ||
        !read_u64(doc, cron, "weekdays", UINT32_MAX, &weekdays) || read_years(doc, cron, &schedule->cron) < 0)
        return -1;
    schedule->cron.hours = (uint32_t)hours;
    schedule->cron.days = (uint32_t)days;
    schedule->cron.months = (uint32_t)months;
    schedule->cron.weekdays = (uint32_t)weekdays;
    schedule->cron.any_day = json_is(doc, json_get(doc, cron, "anyDay"), JSON_TRUE);
    schedule->cron.any_weekday = json_is(doc, json_get(doc, cron, "anyWeekday"), JSON_TRUE);
    return read_special_days(doc, cron, &schedule->cron);
}

/* --- answers ------------------------------------------------------------------------------------- */

static void write_planned(struct json_writer *writer, const struct supervisor_definition *definition)
{
    json_member_string(writer, "kind", task_kind_name(definition->kind));
    write_names(writer, "bindings", definition->bindings, definition->binding_count);
    write_schedule(writer, &definition->schedule);
    json_member_bool(writer, "discovers", definition->discovers);
    json_member_bool(writer, "push", definition->push);
    json_member_bool(writer, "inferred", definition->inferred);
    json_member_raw(writer, "spec", definition->spec);
}

static int read_planned(const struct json *doc, uint32_t object, struct arena *arena,
                        struct plan_answer *answer)
{
    struct supervisor_definition *definition = &answer->definition;
    uint32_t kind = json_get(doc, object, "kind"), spec = json_get(doc, object, "spec");
    bool known = false;
    definition->name = answer->task;
    for (unsigned i = 0; i < TASK_KIND_MAX && json_is(doc, kind, JSON_STRING) && !known; i++) {
        known = json_string_is(doc, kind, task_kind_name((enum task_kind)i));
        definition->kind = (enum task_kind)i;
    }
    if (!known || !json_is(doc, spec, JSON_OBJECT))
        return -1;
    definition->spec = json_raw(doc, spec);
    definition->discovers = json_is(doc, json_get(doc, object, "discovers"), JSON_TRUE);
    definition->push = json_is(doc, json_get(doc, object, "push"), JSON_TRUE);
    definition->inferred = json_is(doc, json_get(doc, object, "inferred"), JSON_TRUE);
    if (read_schedule(doc, object, &definition->schedule) < 0)
        return -1;
    return read_names(doc, json_get(doc, object, "bindings"), arena, &definition->bindings,
                      &definition->binding_count);
}

static int read_failed(const struct json *doc, uint32_t object, struct arena *arena, struct error *ret_error)
{
    const char *message = json_cstring(doc, json_get(doc, object, "message"), arena);
    const char *code = json_cstring(doc, json_get(doc, object, "code"), arena);
    if (!message || !code)
        return -1;
    error_set(ret_error, error_code_parse(code), "%s", message);
    ret_error->retriable = json_is(doc, json_get(doc, object, "retriable"), JSON_TRUE);
    return 0;
}

void plan_answer_write(struct buffer *out, const struct plan_answer *answer)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, types[answer->type]);
    json_begin_object(&writer);
    if (answer->task)
        json_member_string(&writer, "task", answer->task);
    if (answer->text)
        json_member_string(&writer, "text", answer->text);
    if (answer->type == PLAN_PLANNED)
        write_planned(&writer, &answer->definition);
    if (answer->type == PLAN_FAILED) {
        json_member_string(&writer, "code", error_code_name(answer->error.code));
        json_member_bool(&writer, "retriable", answer->error.retriable);
        json_member_string(&writer, "message", answer->error.message);
    }
    json_end_object(&writer);
    json_end_object(&writer);
    buffer_byte(out, '\n');
}

int plan_answer_read(const struct json *line, struct arena *arena, struct plan_answer *ret_answer,
                     struct error *err)
{
    struct plan_answer answer = {.type = PLAN_ANSWER_TYPES};
    uint32_t object = JSON_NONE;
    for (unsigned i = 0; i < PLAN_ANSWER_TYPES && object == JSON_NONE; i++) {
        object = json_get(line, 0, types[i]);
        answer.type = (enum plan_answer_type)i;
    }
    answer.task = json_cstring(line, json_get(line, object, "task"), arena);
    answer.text = json_cstring(line, json_get(line, object, "text"), arena);
    bool of_task = answer.type <= PLAN_IMAGE,
         with_text = answer.type == PLAN_IMAGE || answer.type == PLAN_NOTE;
    if (object == JSON_NONE || (of_task && !answer.task) || (with_text && !answer.text) ||
        (answer.type == PLAN_PLANNED && read_planned(line, object, arena, &answer) < 0) ||
        (answer.type == PLAN_FAILED && read_failed(line, object, arena, &answer.error) < 0))
        return malformed(err, "an answer about a plan");
    *ret_answer = answer;
    return 0;
}
