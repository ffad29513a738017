/* selection: what a catalog and a state file mean, as real platforms and clients write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host.h"

static const char *const by_id[] = {"/id", NULL};

struct fixture {
    struct arena arena;
    struct firth_catalog offered;
    struct firth_selection selection;
    struct error err;
};

enum { OFFERED = 4 };

static void set_up(struct fixture *fixture)
{
    static const struct firth_stream streams[OFFERED] = {
        {.name = "users",
         .json_schema = "{\"type\":\"object\"}",
         .sync_modes = FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL,
         .cursor = "/updated_at",
         .primary_key = by_id},
        {.name = "tags", .json_schema = "{}", .sync_modes = FIRTH_FULL_REFRESH},
        {.name = "known", .json_schema = "{}", .sync_modes = FIRTH_FULL_REFRESH, .knows_full_state = true},
        {.name = "events",
         .name_space = "app",
         .json_schema = "{}",
         .sync_modes = FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL,
         .cursor_is_free = true},
    };
    struct firth_error err;
    *fixture = (struct fixture){0};
    sdk_catalog_init(&fixture->offered);
    for (size_t i = 0; i < OFFERED; i++)
        assert_int_equal(firth_catalog_add(&fixture->offered, &streams[i], &err), 0);
}

static void tear_down(struct fixture *fixture)
{
    sdk_catalog_done(&fixture->offered);
    arena_done(&fixture->arena);
}

static int read_selection(struct fixture *fixture, const char *catalog, const char *state)
{
    struct json *doc = arena_zalloc(&fixture->arena, sizeof *doc);
    struct airbyte_configured_catalog asked;
    if (json_parse_copy(&fixture->arena, catalog, strlen(catalog), doc, &fixture->err) < 0 ||
        airbyte_configured_catalog_read(doc, 0, &fixture->arena, &asked, &fixture->err) < 0)
        return -1;
    return sdk_selection_read(NULL, &fixture->offered, &asked, slice_of(state), &fixture->arena,
                              &fixture->selection, &fixture->err);
}

#define STREAM(name, mode)                                                         \
    "{\"stream\":{\"name\":\"" name "\",\"json_schema\":{}},\"sync_mode\":\"" mode \
    "\",\"destination_sync_mode\":\"append\"}"
#define CATALOG(streams) "{\"streams\":[" streams "]}"

static void test_streams(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    /* PyAirbyte asks for incremental whatever is offered. */
    const char *catalog = CATALOG(STREAM("tags", "incremental") "," STREAM("users", "full_refresh"));
    assert_int_equal(read_selection(&fixture, catalog, ""), 0);
    assert_int_equal(fixture.selection.count, 2);
    assert_string_equal(fixture.selection.streams[0].name, "tags");
    assert_int_equal(fixture.selection.streams[0].sync_mode, FIRTH_FULL_REFRESH);
    assert_string_equal(fixture.selection.streams[1].cursor, "/updated_at");
    assert_string_equal(fixture.selection.streams[1].primary_key[0], "/id");
    assert_null(fixture.selection.streams[1].primary_key[1]);
    assert_false(fixture.selection.live);
    tear_down(&fixture);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *catalog, *message;
    } cases[] = {
        {CATALOG(STREAM("user", "full_refresh")),
         "the catalog asks for stream \"user\", which this source does not have; did you mean \"users\"?"},
        {CATALOG(STREAM("nothing_like_it", "full_refresh")),
         "the catalog asks for stream \"nothing_like_it\", which this source does not have"},
        {CATALOG("{\"stream\":{\"name\":\"events\",\"namespace\":\"app\",\"json_schema\":{}},\"sync_mode\":"
                 "\"incremental\",\"destination_sync_mode\":\"append\"}"),
         "stream \"events\" is to be read incrementally, and the catalog names no cursor_field"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        set_up(&fixture);
        assert_int_equal(read_selection(&fixture, cases[i].catalog, ""), -1);
        assert_string_equal(fixture.err.message, cases[i].message);
        tear_down(&fixture);
    }
    /* A sync mode of another name is refused with the right ones. */
    struct fixture fixture;
    set_up(&fixture);
    assert_int_equal(read_selection(&fixture, CATALOG(STREAM("users", "INVALID")), ""), -1);
    assert_non_null(strstr(fixture.err.message, "incremental"));
    tear_down(&fixture);
}

static void test_free_cursor(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    const char *catalog =
        CATALOG("{\"stream\":{\"name\":\"events\",\"namespace\":\"app\",\"json_schema\":{}},"
                "\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append\","
                "\"cursor_field\":[\"meta\",\"a/b~c\"],\"primary_key\":[[\"x\"],[\"y\",\"z\"]]}");
    assert_int_equal(read_selection(&fixture, catalog, ""), 0);
    assert_string_equal(fixture.selection.streams[0].cursor, "/meta/a~1b~0c");
    assert_string_equal(fixture.selection.streams[0].primary_key[1], "/y/z");
    tear_down(&fixture);
}

static void test_states(void **state)
{
    (void)state;
    static const struct {
        const char *mode, *file, *wanted;
    } cases[] = {
        {"incremental", "", ""},
        {"incremental", "[]", ""},
        {"incremental",
         "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"users\"},\"stream_state\":{"
         "\"n\":1}}}]",
         "{\"n\":1}"},
        /* PyAirbyte: nulls everywhere, "global_" twice, line breaks. */
        {"incremental",
         "[\n{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"users\",\"namespace\":null},"
         "\"stream_state\":{\"n\":2}},\"global_\":null,\"data\":null,\"global\":null,\"global_\":null}\n]",
         "{\"n\":2}"},
        /* With the envelope, as `read` writes it. */
        {"incremental",
         "[{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
         "\"users\"},"
         "\"stream_state\":{\"n\":3}}}}]",
         "{\"n\":3}"},
        {"incremental",
         "[{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{},\"stream_states\":[{\"stream_descriptor\":{"
         "\"name\":"
         "\"users\"},\"stream_state\":{\"n\":4}}]}}]",
         "{\"n\":4}"},
        {"incremental", "{\"users\":{\"n\":5},\"tags\":{}}", "{\"n\":5}"},
        {"incremental", "[{\"type\":\"LEGACY\",\"data\":{\"users\":{\"n\":6}}}]", "{\"n\":6}"},
        /* Nobody's, reset, and the one that says that there is none. */
        {"incremental",
         "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"users\",\"namespace\":"
         "\"other\"},"
         "\"stream_state\":{\"n\":7}}}]",
         ""},
        {"incremental",
         "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"users\"},\"stream_state\":null}"
         "}]",
         ""},
        {"incremental",
         "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"users\"},\"stream_state\":{"
         "\"__ab_no_cursor_state_message\":true}}}]",
         ""},
        {"incremental",
         "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"users\"},\"stream_state\":{"
         "\"__ab_no_cursor_state_message\":true,\"n\":9}}}]",
         "{\"__ab_no_cursor_state_message\":true,\"n\":9}"},
        /* A full refresh that can be resumed is. */
        {"full_refresh",
         "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"users\"},\"stream_state\":{"
         "\"n\":8}}}]",
         "{\"n\":8}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        set_up(&fixture);
        const char *catalog = *cases[i].mode == 'f' ? CATALOG(STREAM("users", "full_refresh"))
                                                    : CATALOG(STREAM("users", "incremental"));
        assert_int_equal(read_selection(&fixture, catalog, cases[i].file), 0);
        struct firth_slice got = fixture.selection.streams[0].state;
        assert_int_equal(got.size, strlen(cases[i].wanted));
        if (got.size)
            assert_memory_equal(got.data, cases[i].wanted, got.size);
        tear_down(&fixture);
    }

    struct fixture fixture;
    set_up(&fixture);
    const char *tags =
        "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"tags\"},\"stream_state\":{}}}]";
    assert_int_equal(read_selection(&fixture, CATALOG(STREAM("tags", "full_refresh")), tags), 0);
    assert_int_equal(fixture.selection.streams[0].state.size, 0); /* not resumable: from the start */
    const char *known = "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"known\"},"
                        "\"stream_state\":{\"__ab_no_cursor_state_message\":true}}}]";
    assert_int_equal(read_selection(&fixture, CATALOG(STREAM("known", "full_refresh")), known), 0);
    assert_string_equal(fixture.selection.streams[0].state.data, "{\"__ab_no_cursor_state_message\":true}");
    assert_int_equal(read_selection(&fixture, CATALOG(STREAM("users", "incremental")), "nonsense"), -1);
    assert_int_equal(read_selection(&fixture, CATALOG(STREAM("users", "incremental")), "[1]"), -1);
    tear_down(&fixture);
}

static void test_descriptions(void **state)
{
    (void)state;
    static const char *const no_pointer[] = {"id", NULL};
    static const struct firth_stream wrong[] = {
        {.name = "x", .json_schema = "{}"},
        {.name = "x", .json_schema = "{", .sync_modes = FIRTH_FULL_REFRESH},
        {.name = "x", .json_schema = "true", .sync_modes = FIRTH_FULL_REFRESH},
        {.name = "x", .json_schema = "{}", .sync_modes = FIRTH_FULL_REFRESH, .primary_key = no_pointer},
        {.name = "x", .json_schema = "{}", .sync_modes = FIRTH_INCREMENTAL, .cursor = "at"},
        {.name = "users", .json_schema = "{}", .sync_modes = FIRTH_FULL_REFRESH},
    };
    struct fixture fixture;
    set_up(&fixture);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct firth_error err;
        assert_int_equal(firth_catalog_add(&fixture.offered, &wrong[i], &err), -1);
        assert_non_null(strstr(err.message, wrong[i].name));
    }
    assert_int_equal(fixture.offered.count, OFFERED);

    struct buffer out;
    struct json doc;
    buffer_init(&out, 1 << 16);
    sdk_catalog_write_message(&out, &fixture.offered);
    assert_int_equal(json_parse_copy(&fixture.arena, out.data, out.size, &doc, &fixture.err), 0);
    uint32_t streams = json_pointer(&doc, 0, slice_of("/catalog/streams"));
    uint32_t users = json_at(&doc, streams, 0), events = json_at(&doc, streams, OFFERED - 1);
    assert_true(json_is(&doc, json_get(&doc, users, "source_defined_cursor"), JSON_TRUE));
    assert_true(json_is(&doc, json_get(&doc, users, "is_resumable"), JSON_TRUE));
    struct slice key = json_raw(&doc, json_get(&doc, users, "source_defined_primary_key"));
    assert_memory_equal(key.data, "[[\"id\"]]", key.size);
    assert_string_equal(json_cstring(&doc, json_get(&doc, events, "namespace"), &fixture.arena), "app");
    buffer_done(&out);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_free_cursor),  cmocka_unit_test(test_states),
        cmocka_unit_test(test_descriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
