/* A capture's resource, read for an Airbyte source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/plan.h"

#include <stdio.h>

static void test_good(void **state)
{
    static const struct {
        const char *resource, *name, *namespace;
        enum catalog_sync_mode mode;
        size_t cursor, key;
    } cases[] = {
        {"{\"stream\":\"users\"}", "users", NULL, CATALOG_SYNC_DEFAULT, 0, 0},
        {"{\"name\":\"channels\",\"_meta\":{}}", "channels", NULL, CATALOG_SYNC_DEFAULT, 0, 0},
        {"{\"stream\":\"a\",\"name\":\"b\",\"namespace\":\"public\"}", "a", "public", CATALOG_SYNC_DEFAULT, 0,
         0},
        {"{\"stream\":\"a\",\"namespace\":\"\"}", "a", NULL, CATALOG_SYNC_DEFAULT, 0, 0},
        {"{\"stream\":\"a\",\"namespace\":null,\"syncMode\":null}", "a", NULL, CATALOG_SYNC_DEFAULT, 0, 0},
        {"{\"stream\":\"a\",\"syncMode\":\"incremental\",\"cursorField\":\"at\"}", "a", NULL,
         CATALOG_SYNC_INCREMENTAL, 1, 0},
        {"{\"stream\":\"a\",\"syncMode\":\"full_refresh\",\"cursorField\":[\"x\",\"at\"],\"primaryKey\":["
         "\"id\",[\"a\",\"b\"]]}",
         "a", NULL, CATALOG_SYNC_FULL_REFRESH, 2, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct catalog_stream stream;
        struct error err;
        arena_init(&arena);
        if (plan_resource(slice_of(cases[i].resource), &arena, &stream, &err) < 0)
            fail_msg("%s: %s", cases[i].resource, err.message);
        assert_string_equal(stream.name, cases[i].name);
        if (cases[i].namespace)
            assert_string_equal(stream.namespace, cases[i].namespace);
        else
            assert_null(stream.namespace);
        assert_int_equal(stream.sync_mode, cases[i].mode);
        assert_int_equal(stream.cursor_field.count, cases[i].cursor);
        assert_int_equal(stream.primary_key_count, cases[i].key);
        arena_done(&arena);
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *resource, *message;
    } cases[] = {
        {"{}", "must name a stream"},
        {"{\"stream\":7}", "must name a stream"},
        {"{\"stream\":\"a\",\"syncMode\":\"sometimes\"}", "must be full_refresh or incremental"},
        {"{\"stream\":\"a\",\"syncMode\":5}",
         "'syncMode' must be full_refresh or incremental, but is a number"},
        {"{\"stream\":\"a\",\"namespace\":[]}", "'namespace' must be text, but is a list"},
        {"{\"stream\":\"a\",\"syncmode\":\"incremental\"}", "did you mean 'syncMode'"},
        {"{\"steam\":\"a\"}", "did you mean 'stream'"},
        {"{\"stream\":\"a\",\"extra\":1}", "unknown key 'extra' in the resource; it may have stream"},
        {"{\"stream\":\"a\",\"cursorField\":7}", "'cursorField'"},
        {"{\"stream\":\"a\",\"cursorField\":[7]}", "'cursorField'"},
        {"{\"stream\":\"a\",\"primaryKey\":\"id\"}", "'primaryKey'"},
        {"{\"stream\":\"a\",\"primaryKey\":[[]]}", "'primaryKey'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct catalog_stream stream;
        struct error err;
        arena_init(&arena);
        if (plan_resource(slice_of(cases[i].resource), &arena, &stream, &err) == 0)
            fail_msg("%s was taken", cases[i].resource);
        if (!strstr(err.message, cases[i].message))
            fail_msg("%s: %s", cases[i].resource, err.message);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
