#include "parts.h"

#include <math.h>
#include <stddef.h>

enum { REQUEST_TIMEOUT_MS_MAX = 24 * 3600 * 1000 };

static int compile_url(struct requester *requester, struct error *err)
{
    struct component where = requester->where;
    const char *field = component_text(where, "url_base").size ? "url_base" : "url";
    if (expression_compile(requester->engine, where, field, &requester->url, err) != 0)
        return -1;
    return expression_compile(requester->engine, where, "path", &requester->path, err);
}

/* request_body is the new spelling of the two old ones. */
static int compile_body(struct requester *requester, struct error *err)
{
    struct engine *engine = requester->engine;
    struct component where = requester->where, body = component_get(where, "request_body");
    if (mapping_expression_compile(engine, where, "request_body_data", &requester->body_data, err) != 0 ||
        mapping_expression_compile(engine, where, "request_body_json", &requester->body_json, err) != 0)
        return -1;
    if (component_is_none(body))
        return 0;
    if (component_is(body, "RequestBodyPlainText"))
        return expression_compile(engine, body, "value", &requester->body_text, err);
    bool is_form = component_is(body, "RequestBodyUrlEncodedForm");
    return mapping_expression_compile(engine, body, "value",
                                      is_form ? &requester->body_data : &requester->body_json, err);
}

/* Parameters whose value is QueryProperties are not the requester's to fill. */
static void find_properties(struct requester *requester)
{
    struct component parameters = component_get(requester->where, "request_parameters");
    if (component_is_none(parameters))
        return;
    struct arena *arena = &requester->engine->arena;
    const struct json *doc = &parameters.manifest->doc;
    requester->properties =
        arena_alloc(arena, (json_count(doc, parameters.at) + 1) * sizeof *requester->properties);
    for (uint32_t key = json_first_key(doc, parameters.at); key != JSON_NONE;
         key = json_next_key(doc, parameters.at, key)) {
        struct component value = {parameters.manifest, json_value(key)};
        if (json_is(doc, value.at, JSON_OBJECT) && component_is(value, "QueryProperties"))
            requester->properties[requester->property_count++] =
                (struct property_parameter){json_string(doc, key, arena), value};
    }
}

bool requester_property_parameter(const struct requester *requester, size_t index, struct slice *ret_name,
                                  struct component *ret_component)
{
    if (index >= requester->property_count)
        return false;
    *ret_name = requester->properties[index].name;
    *ret_component = requester->properties[index].component;
    return true;
}

static int compile_times(struct requester *requester, struct error *err)
{
    static const struct {
        const char *field;
        size_t offset;
    } times[] = {
        {"connect_timeout_in_seconds", offsetof(struct requester, connect_ms)},
        {"read_timeout_in_seconds", offsetof(struct requester, stall_ms)},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        double seconds;
        if (!component_number(requester->where, times[i].field, &seconds))
            continue;
        if (!(seconds > 0)) {
            error_set(err, ERROR_INVALID, "%s must be more than 0", times[i].field);
            return component_error(err, requester->where);
        }
        double ms = fmin(ceil(seconds * 1000), REQUEST_TIMEOUT_MS_MAX);
        *(unsigned *)((char *)requester + times[i].offset) = (unsigned)ms;
    }
    requester->keepalive = component_bool(requester->where, "use_tcp_keepalive");
    return 0;
}

int requester_compile_with(struct engine *engine, struct component component, const char *stream_name,
                           struct authenticator *authenticator, struct error_handler *error_handler,
                           struct requester **ret_requester, struct error *err)
{
    struct requester *requester = arena_zalloc(&engine->arena, sizeof *requester);
    requester->engine = engine;
    requester->where = component;
    requester->stream_name = arena_strdup(&engine->arena, stream_name ? stream_name : "");
    requester->authenticator = authenticator;
    requester->error_handler = error_handler;
    struct slice method = component_text(component, "http_method");
    requester->method = arena_strndup(&engine->arena, method.data, method.size);
    requester->use_cache = component_bool(component, "use_cache") || engine_keeps_answers(engine, component);
    if (compile_url(requester, err) != 0 || compile_body(requester, err) != 0 ||
        compile_times(requester, err) != 0 ||
        mapping_expression_compile(engine, component, "request_parameters", &requester->parameters, err) !=
            0 ||
        mapping_expression_compile(engine, component, "request_headers", &requester->headers, err) != 0)
        return -1;
    find_properties(requester);
    *ret_requester = requester;
    return 0;
}

int requester_compile(struct engine *engine, struct component component, const char *stream_name,
                      struct requester **ret_requester, struct error *err)
{
    struct authenticator *authenticator;
    struct error_handler *handler;
    if (!component_is(component, "HttpRequester")) {
        error_set(err, ERROR_UNSUPPORTED, "this requester is not one that Firth has");
        return component_error(err, component);
    }
    if (authenticator_compile(engine, component_get(component, "authenticator"), component, &authenticator,
                              err) != 0 ||
        error_handler_compile(engine, component_get(component, "error_handler"), &handler, err) != 0)
        return -1;
    return requester_compile_with(engine, component, stream_name, authenticator, handler, ret_requester, err);
}
