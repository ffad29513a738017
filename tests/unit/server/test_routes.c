/* The table of routes: which route a path is, and that the table and the schemas fit each other. */
#include "schema/schema.h"
#include "server/routes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BIT(method) (1U << HTTP_##method)

static void test_paths(void **state)
{
    static const struct {
        enum http_method method;
        const char *path, *route; /* NULL: there is none */
        const char *argument;
        unsigned allowed;
    } cases[] = {
        {HTTP_POST, "/api/v1/connections/sync", "/connections/sync", NULL, 0},
        {HTTP_POST, "/api/v1/connections/sync/", "/connections/sync", NULL, 0},
        {HTTP_POST, "/api/v1/connections/sync//", NULL, NULL, 0},
        {HTTP_GET, "/api/v1/connections/sync", NULL, NULL, BIT(POST)},
        {HTTP_HEAD, "/api/v1/health", "/health", NULL, 0},
        {HTTP_GET, "/api/public/v1/jobs/17", "/jobs/{jobId}", "17", 0},
        {HTTP_GET, "/v1/jobs/17", "/jobs/{jobId}", "17", 0},
        {HTTP_DELETE, "/v1/jobs/17/", "/jobs/{jobId}", "17", 0},
        {HTTP_POST, "/v1/jobs/17", NULL, NULL, BIT(GET) | BIT(DELETE)},
        {HTTP_GET, "/v1/jobs/", "/jobs", NULL, 0},
        {HTTP_GET, "/v1/jobs//", NULL, NULL, 0},
        {HTTP_GET, "/v1/jobs/1/2", NULL, NULL, 0},
        {HTTP_GET, "/v1jobs", NULL, NULL, 0},
        {HTTP_GET, "/metrics", "/metrics", NULL, 0},
        {HTTP_GET, "/api/firth/v1/status/", "/status", NULL, 0},
        {HTTP_POST, "/api/firth/v1/status", NULL, NULL, BIT(GET)},
        {HTTP_GET, "/api/v1/status", NULL, NULL, 0},
        {HTTP_PUT, "/v1/workspaces/a/definitions/sources/b",
         "/workspaces/{workspaceId}/definitions/sources/{definitionId}", "a", 0},
        {HTTP_GET, "/api/v1/metrics", NULL, NULL, 0},
        {HTTP_POST, "/v1/connections/sync", NULL, NULL, BIT(GET) | BIT(PATCH) | BIT(DELETE)}, /* an id */
        {HTTP_GET, "", NULL, NULL, 0},
        {HTTP_GET, "/", NULL, NULL, 0},
        {HTTP_GET, "/api/v1", NULL, NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct http_request request = {.method = cases[i].method, .path = cases[i].path};
        const char *arguments[ROUTE_ARGUMENTS_MAX];
        struct arena arena;
        unsigned allowed;
        arena_init(&arena);
        const struct route *route = routes_find(&request, &arena, arguments, &allowed);
        if (!route != !cases[i].route)
            fail_msg("%s: %s", cases[i].path, route ? route->path : "no route");
        if (route) {
            assert_string_equal(route->path, cases[i].route);
            if (cases[i].argument)
                assert_string_equal(arguments[0], cases[i].argument);
            else
                assert_null(arguments[0]);
        } else {
            assert_int_equal(allowed, cases[i].allowed);
        }
        arena_done(&arena);
    }
}

static bool is_schema(const char *name)
{
    for (size_t i = 0; i < schema_count; i++) {
        if (strcmp(schemas[i].name, name) == 0)
            return true;
    }
    return false;
}

static void test_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].request && !is_schema(routes[i].request))
            fail_msg("%s: %s is no schema", routes[i].path, routes[i].request);
        if (routes[i].response && !is_schema(routes[i].response))
            fail_msg("%s: %s is no schema", routes[i].path, routes[i].response);
        assert_non_null(routes[i].handle);
        for (size_t k = 0; k < i; k++) {
            if (routes[k].family == routes[i].family && routes[k].method == routes[i].method &&
                strcmp(routes[k].path, routes[i].path) == 0)
                fail_msg("%s is there twice", routes[i].path);
        }
    }
}

/* Every schema compiles, with all that it refers to. */
static void test_documents(void **state)
{
    (void)state;
    for (enum route_family family = 0; family < ROUTE_OTHER; family++) {
        mem_auto(schema_registry_free) struct schema_registry *registry =
            schema_registry_new(SCHEMA_DRAFT_2020_12);
        struct buffer text;
        struct error err;
        buffer_init(&text, 8 << 20);
        openapi_write(family, &text);
        assert_false(text.overflowed);
        assert_int_equal(
            schema_registry_add(registry, "firth:openapi", (struct slice){text.data, text.size}, &err), 0);
        for (size_t i = 0; i < schema_count; i++) {
            auto_free char *uri = mem_printf("firth:openapi#/components/schemas/%s", schemas[i].name);
            struct schema *schema = schema_compile(registry, uri, &err);
            if (!schema)
                fail_msg("%s: %s", schemas[i].name, err.message);
            schema_free(schema);
        }
        buffer_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths), cmocka_unit_test(test_the_table),
                                       cmocka_unit_test(test_documents)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
