#include "server/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "server/internal.h"

enum { MESSAGE_MAX = ERROR_MESSAGE_MAX };

/* --- what was asked ----------------------------------------------------------------------------------- */

static uint32_t member_of(const struct call *call, uint32_t object, const char *name)
{
    if (call->body.count == 0 || !json_is(&call->body, object, JSON_OBJECT))
        return JSON_NONE;
    uint32_t at = json_get(&call->body, object, name);
    return json_is(&call->body, at, JSON_NULL) ? JSON_NONE : at;
}

uint32_t call_member(const struct call *call, const char *name)
{
    return member_of(call, 0, name);
}

const char *call_text_of(const struct call *call, uint32_t object, const char *name)
{
    uint32_t at = member_of(call, object, name);
    return json_is(&call->body, at, JSON_STRING) ? json_cstring(&call->body, at, call->arena) : NULL;
}

const char *call_text(const struct call *call, const char *name)
{
    return call_text_of(call, 0, name);
}

int64_t call_integer(const struct call *call, const char *name, int64_t otherwise)
{
    int64_t value;
    uint32_t at = call_member(call, name);
    return at != JSON_NONE && json_to_i64(&call->body, at, &value) ? value : otherwise;
}

bool call_bool(const struct call *call, const char *name, bool otherwise)
{
    uint32_t at = call_member(call, name);
    return json_is(&call->body, at, JSON_TRUE) || (!json_is(&call->body, at, JSON_FALSE) && otherwise);
}

struct slice call_raw(const struct call *call, const char *name)
{
    uint32_t at = call_member(call, name);
    return at == JSON_NONE ? (struct slice){0} : json_raw(&call->body, at);
}

static const char *lower_uuid(const struct call *call, const char *text)
{
    char id[CONTROL_UUID_SIZE];
    return text && control_uuid_parse(slice_of(text), id) ? arena_strdup(call->arena, id) : NULL;
}

const char *call_uuid(const struct call *call, const char *name)
{
    return lower_uuid(call, call_text(call, name));
}

const char *const *call_uuids(struct call *call, const char *name, size_t *ret_count)
{
    return call_uuids_of(call, 0, name, ret_count);
}

const char *const *call_uuids_of(struct call *call, uint32_t object, const char *name, size_t *ret_count)
{
    uint32_t list = member_of(call, object, name);
    const char **ids = arena_zalloc(call->arena, (json_count(&call->body, list) + 1) * sizeof *ids);
    *ret_count = 0;
    for (uint32_t at = json_first(&call->body, list); at != JSON_NONE;
         at = json_next(&call->body, list, at)) {
        char id[CONTROL_UUID_SIZE];
        if (control_uuid_parse(json_string(&call->body, at, call->arena), id))
            ids[(*ret_count)++] = arena_strdup(call->arena, id);
    }
    return ids;
}

const char *call_path_uuid(const struct call *call, size_t number)
{
    return lower_uuid(call, call->arguments[number]);
}

struct auth_client call_client(const struct call *call)
{
    return (struct auth_client){.address = call->http->peer, .now_ms = call->now_ms};
}

/* --- answering ---------------------------------------------------------------------------------------- */

int64_t call_seconds(int64_t ms)
{
    return ms / 1000;
}

struct json_writer *call_begin(struct call *call)
{
    call->http->status = 200;
    buffer_clear(&call->http->answer);
    json_writer_init(&call->out, &call->http->answer);
    json_begin_object(&call->out);
    return &call->out;
}

enum http_next call_end(struct call *call)
{
    json_end_object(&call->out);
    return HTTP_ANSWER;
}

enum http_next call_nothing(struct call *call)
{
    call->http->status = 204;
    buffer_clear(&call->http->answer);
    return HTTP_ANSWER;
}

enum http_next call_hold(struct call *call, enum http_next (*resume)(struct call *call))
{
    call->resume = resume;
    http_request_hold(call->http);
    return HTTP_LATER;
}

static const char *title_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        {400, "bad-request"},        {401, "unauthorized"},           {403, "forbidden"},
        {404, "resource-not-found"}, {405, "method-not-allowed"},     {409, "state-conflict"},
        {413, "content-too-large"},  {415, "unsupported-media-type"}, {422, "unprocessable-entity"},
        {429, "too-many-requests"},  {503, "service-unavailable"},    {507, "insufficient-storage"}};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        if (titles[i].status == status)
            return titles[i].title;
    }
    return "unexpected-problem";
}

/* RFC 9457, as Airbyte's public API has it. */
static void write_problem(struct http_request *http, const char *message, const char *field)
{
    struct json_writer writer;
    char type[128];
    const char *title = title_of(http->status);
    snprintf(type, sizeof type, "https://reference.airbyte.com/reference/errors#%s", title);
    json_writer_init(&writer, &http->answer);
    json_begin_object(&writer);
    json_member_u64(&writer, "status", http->status);
    json_member_string(&writer, "type", type);
    json_member_string(&writer, "title", title);
    json_member_string(&writer, "detail", message);
    json_member_string(&writer, "documentationUrl", NULL);
    json_put_key(&writer, "data");
    json_begin_object(&writer);
    json_member_string(&writer, "message", message);
    if (field)
        json_member_string(&writer, "field", field);
    json_end_object(&writer);
    json_end_object(&writer);
    http->content_type = "application/problem+json";
}

static const char *exception_of(unsigned status, const char *field)
{
    switch (status) {
    case 404:
        return "io.airbyte.commons.server.errors.IdNotFoundKnownException";
    case 409:
        return "io.airbyte.commons.server.errors.ValueConflictKnownException";
    case 422:
        return field ? "jakarta.validation.ConstraintViolationException"
                     : "io.airbyte.validation.json.JsonValidationException";
    case 400:
        return "io.airbyte.commons.server.errors.BadRequestException";
    default:
        return "io.airbyte.commons.server.errors.ApplicationErrorKnownException";
    }
}

static void write_exception(struct http_request *http, const char *message, const char *field)
{
    struct json_writer writer;
    json_writer_init(&writer, &http->answer);
    json_begin_object(&writer);
    json_member_string(&writer, "message", message);
    json_member_string(&writer, "exceptionClassName", exception_of(http->status, field));
    json_put_key(&writer, "exceptionStack");
    json_begin_array(&writer);
    json_end_array(&writer);
    if (http->status == 422) {
        json_put_key(&writer, "validationErrors");
        json_begin_array(&writer);
        if (field) {
            json_begin_object(&writer);
            json_member_string(&writer, "propertyPath", field);
            json_member_string(&writer, "message", message);
            json_end_object(&writer);
        }
        json_end_array(&writer);
    }
    json_end_object(&writer);
}

void call_write_error(struct http_request *http, const char *message, const char *field)
{
    buffer_clear(&http->answer);
    if (routes_path_is_public(http->path))
        write_problem(http, message, field);
    else
        write_exception(http, message, field);
}

static __attribute__((format(printf, 4, 0))) enum http_next
fail(struct call *call, unsigned status, const char *field, const char *format, va_list arguments)
{
    char message[MESSAGE_MAX];
    vsnprintf(message, sizeof message, format, arguments);
    call->http->status = status;
    call_write_error(call->http, message, field);
    return HTTP_ANSWER;
}

enum http_next call_fail(struct call *call, unsigned status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    enum http_next next = fail(call, status, NULL, format, arguments);
    va_end(arguments);
    return next;
}

enum http_next call_invalid(struct call *call, const char *field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    enum http_next next = fail(call, 422, field, format, arguments);
    va_end(arguments);
    return next;
}

enum http_next call_absent(struct call *call, const char *kind, const char *id)
{
    return call_fail(call, 404, "there is no %s %.100s", kind, id ? id : "of this id");
}

enum http_next call_slower(struct call *call)
{
    http_answer_header(call->http, "Retry-After", "2");
    return call_fail(
        call, 429,
        "too many wrong passwords from here: try again in some seconds, since until then not even "
        "the right one is looked at");
}

enum http_next call_error(struct call *call, const struct error *error)
{
    switch (error->code) {
    case ERROR_NOT_FOUND:
        return call_fail(call, 404, "%s", error->message);
    case ERROR_BUSY:
        return call_fail(call, 409, "%s", error->message);
    case ERROR_INVALID:
    case ERROR_LIMIT:
    case ERROR_UNSUPPORTED:
        return call_fail(call, 422, "%s", error->message);
    case ERROR_CANCELLED:
        return call_fail(call, 503, "%s", error->message);
    case ERROR_FULL:
        log_error(call->server->options.log, "%s %s: %s", http_method_name(call->http->method),
                  call->route->path, error->message);
        return call_fail(
            call, 507,
            "the disk of Firth's data directory is full: nothing of this was kept; make room there, "
            "and do it again");
    default:
        log_error(call->server->options.log, "%s %s: %s", http_method_name(call->http->method),
                  call->route->path, error->message);
        return call_fail(call, 500, "an error in Firth itself; its log says more");
    }
}

enum http_next call_error_of(struct call *call, const struct error *error, const char *kind, const char *id)
{
    return error->code == ERROR_NOT_FOUND ? call_absent(call, kind, id) : call_error(call, error);
}

enum http_next call_error_in(struct call *call, const struct error *error, const char *field)
{
    bool wrong =
        error->code == ERROR_INVALID || error->code == ERROR_LIMIT || error->code == ERROR_UNSUPPORTED;
    return wrong ? call_invalid(call, field, "%s", error->message) : call_error(call, error);
}

bool call_check_title(struct call *call, const char *field, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    bool blank = size == 0 || strspn(text, " \t\r\n\v\f") == size;
    if (blank)
        call_invalid(call, field, "%s is %s: a name is wanted", field, size == 0 ? "empty" : "blank");
    else if (size > CONTROL_TITLE_MAX)
        call_invalid(call, field, "%s has %zu bytes; the limit is %d", field, size, CONTROL_TITLE_MAX);
    return !blank && size <= CONTROL_TITLE_MAX;
}
