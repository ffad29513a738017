/* The OpenAPI documents, made from the table of routes. */
#include "server/routes.h"

#include <stdio.h>

static const char *const prefix_of[] = {
    [ROUTE_CONFIG] = "/api/v1", [ROUTE_PUBLIC] = "/api/public/v1", [ROUTE_FIRTH] = "/api/firth/v1"};
static const char *const title_of[] = {[ROUTE_CONFIG] = "Firth: Airbyte's config API",
                                       [ROUTE_PUBLIC] = "Firth: Airbyte's API",
                                       [ROUTE_FIRTH] = "Firth: its own API"};

static void write_content(struct json_writer *writer, const char *type, const char *schema)
{
    json_put_key(writer, type);
    json_begin_object(writer);
    if (schema) {
        char reference[128];
        snprintf(reference, sizeof reference, "#/components/schemas/%s", schema);
        json_put_key(writer, "schema");
        json_begin_object(writer);
        json_member_string(writer, "$ref", reference);
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void write_body(struct json_writer *writer, const struct route *route)
{
    json_put_key(writer, "requestBody");
    json_begin_object(writer);
    json_member_bool(writer, "required", true);
    json_put_key(writer, "content");
    json_begin_object(writer);
    write_content(writer, "application/json", route->request);
    if (route->form)
        write_content(writer, "application/x-www-form-urlencoded", route->request);
    json_end_object(writer);
    json_end_object(writer);
}

static void write_parameter(struct json_writer *writer, const char *where,
                            const struct notation_member *member)
{
    json_begin_object(writer);
    json_member_slice(writer, "name", member->name);
    json_member_string(writer, "in", where);
    json_member_bool(writer, "required", member->required);
    json_put_key(writer, "schema");
    notation_write_type(writer, member->type, false);
    json_end_object(writer);
}

static void write_parameters(struct json_writer *writer, const struct route *route)
{
    struct notation_member member;
    json_put_key(writer, "parameters");
    json_begin_array(writer);
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at, '{')) {
        const char *end = strchr(++at, '}');
        struct slice name = {at, (size_t)(end - at)};
        bool number = slice_is(name, "jobId");
        member =
            (struct notation_member){name, number ? SLICE_LITERAL("integer") : SLICE_LITERAL("uuid"), true};
        write_parameter(writer, "path", &member);
    }
    for (const char *at = route->query; at && notation_next(&at, &member);)
        write_parameter(writer, "query", &member);
    json_end_array(writer);
}

static void write_answer(struct json_writer *writer, const char *status, const char *what, const char *type,
                         const char *schema)
{
    json_put_key(writer, status);
    json_begin_object(writer);
    json_member_string(writer, "description", what);
    if (type) {
        json_put_key(writer, "content");
        json_begin_object(writer);
        write_content(writer, type, schema);
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void write_answers(struct json_writer *writer, const struct route *route)
{
    static const struct {
        const char *status, *what;
    } errors[] = {{"400", "the request is no HTTP or no JSON"},
                  {"401", "it does not say who asks"},
                  {"403", "it may not be asked"},
                  {"404", "there is no such thing"},
                  {"409", "something else is under way"},
                  {"413", "the request is too large"},
                  {"415", "the body's type is none of ours"},
                  {"422", "a value of the request is wrong"},
                  {"429", "too many wrong passwords"},
                  {"503", "too much at once; try again"}};
    const char *shape = route->family == ROUTE_PUBLIC ? "Problem" : "ExceptionInfo";
    json_put_key(writer, "responses");
    json_begin_object(writer);
    if (route->response)
        write_answer(writer, "200", "done", "application/json", route->response);
    else
        write_answer(writer, route->type ? "200" : "204", "done", route->type, NULL);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        write_answer(writer, errors[i].status, errors[i].what,
                     route->family == ROUTE_PUBLIC ? "application/problem+json" : "application/json", shape);
    json_end_object(writer);
}

static void write_operation(struct json_writer *writer, const struct route *route)
{
    static const char *const verbs[HTTP_METHOD_COUNT] = {"get", "head", "post", "put", "patch", "delete"};
    char name[128];
    size_t size = 0;
    json_put_key(writer, verbs[route->method]);
    json_begin_object(writer);
    size += (size_t)snprintf(name, sizeof name, "%s", verbs[route->method]);
    for (const char *at = route->path; *at && size < sizeof name - 1; at++) {
        if (*at != '{' && *at != '}')
            name[size++] = *at == '/' ? '_' : *at;
    }
    name[size] = 0;
    json_member_string(writer, "operationId", name);
    write_parameters(writer, route);
    if (route->request)
        write_body(writer, route);
    write_answers(writer, route);
    if (route->open) {
        json_put_key(writer, "security");
        json_begin_array(writer);
        json_end_array(writer);
    }
    json_end_object(writer);
}

/* All methods of a path belong into one object: written when its first route comes. */
static bool seen_before(size_t route)
{
    for (size_t i = 0; i < route; i++) {
        if (routes[i].family == routes[route].family && strcmp(routes[i].path, routes[route].path) == 0)
            return true;
    }
    return false;
}

static void write_paths(struct json_writer *writer, enum route_family family)
{
    json_put_key(writer, "paths");
    json_begin_object(writer);
    for (size_t i = 0; i < route_count; i++) {
        char path[160];
        if (routes[i].family != family || seen_before(i))
            continue;
        snprintf(path, sizeof path, "%s%s", prefix_of[family], routes[i].path);
        json_put_key(writer, path);
        json_begin_object(writer);
        for (size_t k = i; k < route_count; k++) {
            if (routes[k].family == family && strcmp(routes[k].path, routes[i].path) == 0)
                write_operation(writer, &routes[k]);
        }
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void write_security(struct json_writer *writer)
{
    static const char *const schemes[] = {"basic", "bearer"};
    json_put_key(writer, "securitySchemes");
    json_begin_object(writer);
    for (size_t i = 0; i < 2; i++) {
        json_put_key(writer, schemes[i]);
        json_begin_object(writer);
        json_member_string(writer, "type", "http");
        json_member_string(writer, "scheme", schemes[i]);
        json_end_object(writer);
    }
    json_end_object(writer);
}

void openapi_write(enum route_family family, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_string(&writer, "openapi", "3.1.0");
    json_put_key(&writer, "info");
    json_begin_object(&writer);
    json_member_string(&writer, "title", title_of[family]);
    json_member_string(&writer, "version", FIRTH_VERSION);
    json_end_object(&writer);
    write_paths(&writer, family);
    json_put_key(&writer, "components");
    json_begin_object(&writer);
    json_put_key(&writer, "schemas");
    json_begin_object(&writer);
    for (size_t i = 0; i < schema_count; i++) {
        json_put_key(&writer, schemas[i].name);
        notation_write(&writer, schemas[i].text);
    }
    json_end_object(&writer);
    write_security(&writer);
    json_end_object(&writer);
    json_put_key(&writer, "security");
    json_begin_array(&writer);
    for (size_t i = 0; i < 2; i++) {
        json_begin_object(&writer);
        json_put_key(&writer, i ? "bearer" : "basic");
        json_begin_array(&writer);
        json_end_array(&writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}
