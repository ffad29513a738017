/* Catalogs, discovered and configured: read, written, and read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/airbyte_catalog.h"

static struct arena arena;
static struct error err;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct json parse(const char *text)
{
    struct json doc;
    if (json_parse_copy(&arena, text, strlen(text), &doc, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return doc;
}

static const char full[] =
    "{\"streams\":[{\"name\":\"users\",\"namespace\":\"public\",\"json_schema\":{\"type\":\"object\"},"
    "\"supported_sync_modes\":["
    "\"full_refresh\",\"incremental\"],\"source_defined_cursor\":true,\"default_cursor_field\":[\"meta\","
    "\"updated_at\"],"
    "\"source_defined_primary_key\":[[\"id\"],[\"a\",\"b\"]],\"is_resumable\":true,\"is_file_based\":true}]}";

static void test_read(void **state)
{
    (void)state;
    struct airbyte_catalog catalog;
    struct json doc = parse(full);
    assert_int_equal(airbyte_catalog_read(&doc, 0, &arena, &catalog, &err), 0);
    assert_int_equal(catalog.count, 1);
    struct airbyte_stream *users = &catalog.streams[0];
    assert_true(slice_is(users->name.name, "users") && slice_is(users->name.namespace, "public"));
    assert_true(slice_is(users->json_schema, "{\"type\":\"object\"}"));
    assert_true(users->full_refresh && users->incremental && users->source_defined_cursor);
    assert_true(users->is_resumable && users->is_file_based);
    assert_int_equal(users->default_cursor.count, 2);
    assert_true(slice_is(users->default_cursor.parts[1], "updated_at"));
    assert_int_equal(users->primary_key_count, 2);
    assert_true(slice_is(users->primary_key[1].parts[1], "b"));
    /* Written from the fields it is what was read. */
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    users->raw = (struct slice){0};
    airbyte_catalog_write(&out, &catalog);
    assert_string_equal(buffer_cstr(&out), full);
    buffer_done(&out);
}

static void test_lenient(void **state)
{
    (void)state;
    struct airbyte_catalog catalog;
    struct json doc = parse(
        "{\"x\":1,\"streams\":[{\"name\":\"a\",\"namespace\":null,\"json_schema\":{},\"supported_sync_"
        "modes\":"
        "[\"full_refresh\",\"cdc\"],\"source_defined_cursor\":null,\"default_cursor_field\":null,"
        "\"source_defined_primary_key\":null,\"is_resumable\":null,\"later\":[1]},"
        "{\"name\":\"b\",\"json_schema\":{}},{\"name\":\"a\",\"namespace\":\"n\",\"json_schema\":{}}]}");
    assert_int_equal(airbyte_catalog_read(&doc, 0, &arena, &catalog, &err), 0);
    assert_int_equal(catalog.count, 3);
    assert_true(catalog.streams[0].full_refresh && !catalog.streams[0].incremental);
    assert_int_equal(airbyte_catalog_find(&catalog, catalog.streams[2].name), 2);
    assert_int_equal(airbyte_catalog_find(&catalog, (struct airbyte_stream_name){SLICE_LITERAL("c"), {0}}),
                     -1);
    /* What was read is written again as it was, unknown members and all. */
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    airbyte_catalog_write(&out, &catalog);
    assert_non_null(strstr(buffer_cstr(&out), "\"later\":[1]"));
    buffer_done(&out);
}

static void test_configured(void **state)
{
    (void)state;
    static const char text[] =
        "{\"streams\":[{\"stream\":{\"name\":\"users\",\"json_schema\":{},\"supported_sync_modes\":[\"full_"
        "refresh\"]},"
        "\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append_dedup\",\"cursor_field\":[\"at\"],"
        "\"primary_key\":[[\"id\"]],\"generation_id\":7,\"minimum_generation_id\":0,\"sync_id\":"
        "9007199254740993,"
        "\"include_files\":true},"
        "{\"stream\":{\"name\":\"b\",\"json_schema\":{},\"supported_sync_modes\":[]},\"sync_mode\":\"full_"
        "refresh\","
        "\"destination_sync_mode\":\"overwrite_dedup\"}]}";
    struct airbyte_configured_catalog catalog;
    struct json doc = parse(text);
    assert_int_equal(airbyte_configured_catalog_read(&doc, 0, &arena, &catalog, &err), 0);
    assert_int_equal(catalog.count, 2);
    const struct airbyte_configured_stream *users = &catalog.streams[0];
    assert_int_equal(users->sync_mode, AIRBYTE_INCREMENTAL);
    assert_int_equal(users->destination_sync_mode, AIRBYTE_APPEND_DEDUP);
    assert_true(users->has_generation && users->include_files);
    assert_int_equal(users->generation_id, 7);
    assert_int_equal(users->sync_id, 9007199254740993);
    assert_true(slice_is(users->primary_key[0].parts[0], "id"));
    assert_false(catalog.streams[1].has_generation);
    assert_int_equal(catalog.streams[1].destination_sync_mode, AIRBYTE_OVERWRITE_DEDUP);
    assert_int_equal(airbyte_configured_catalog_find(&catalog, catalog.streams[1].stream.name), 1);
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    airbyte_configured_catalog_write(&out, &catalog);
    assert_string_equal(buffer_cstr(&out), text);
    /* A stream under another name is written from its fields. */
    catalog.streams[0].stream.name.name = SLICE_LITERAL("prefixed_users");
    catalog.streams[0].stream.raw = (struct slice){0};
    buffer_clear(&out);
    airbyte_configured_catalog_write(&out, &catalog);
    assert_non_null(
        strstr(buffer_cstr(&out), "{\"stream\":{\"name\":\"prefixed_users\",\"json_schema\":{},"));
    buffer_done(&out);
}

/* Explicit nulls and an absent destination mode, as clients write them. */
static void test_configured_lenient(void **state)
{
    (void)state;
    struct airbyte_configured_catalog catalog;
    struct json doc = parse("{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{}},\"sync_mode\":"
                            "\"full_refresh\",\"cursor_field\":null,"
                            "\"primary_key\":null,\"destination_sync_mode\":null,\"generation_id\":null,"
                            "\"minimum_generation_id\":null,"
                            "\"sync_id\":null,\"destination_object_name\":null}]}");
    assert_int_equal(airbyte_configured_catalog_read(&doc, 0, &arena, &catalog, &err), 0);
    assert_int_equal(catalog.streams[0].destination_sync_mode, AIRBYTE_APPEND);
    assert_false(catalog.streams[0].has_generation);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        bool configured;
        const char *text, *message;
    } cases[] = {
        {false, "[]", "streams is missing: expected an array"},
        {false, "{\"streams\":{}}", "streams must be an array, got {}"},
        {false, "{\"streams\":[7]}",
         "a stream of the catalog must be a stream descriptor {\"name\", \"namespace\"}, got 7"},
        {false, "{\"streams\":[{\"json_schema\":{}}]}",
         "a stream of the catalog: name is missing: expected a stream's name (a string)"},
        {false, "{\"streams\":[{\"name\":\"\",\"json_schema\":{}}]}",
         "a stream of the catalog has an empty name"},
        {false, "{\"streams\":[{\"name\":\"a\"}]}", "stream a: json_schema is missing: expected an object"},
        {false, "{\"streams\":[{\"name\":\"a\",\"json_schema\":true}]}",
         "stream a: json_schema must be an object, got true"},
        {false, "{\"streams\":[{\"name\":\"a\",\"json_schema\":{},\"is_resumable\":1}]}",
         "stream a: is_resumable must be true or false, got 1"},
        {false, "{\"streams\":[{\"name\":\"a\",\"json_schema\":{},\"default_cursor_field\":\"x\"}]}",
         "stream a: default_cursor_field must be a path: an array of at most 256 strings, got \"x\""},
        {false, "{\"streams\":[{\"name\":\"a\",\"json_schema\":{},\"source_defined_primary_key\":[\"id\"]}]}",
         "stream a: source_defined_primary_key must be a path: an array of at most 256 strings, got \"id\""},
        {false, "{\"streams\":[{\"name\":\"a\",\"json_schema\":{},\"source_defined_primary_key\":[[1]]}]}",
         "stream a: source_defined_primary_key must be a path: an array of strings, got 1"},
        {false,
         "{\"streams\":[{\"name\":\"a\",\"namespace\":\"n\",\"json_schema\":{}},{\"name\":\"a\","
         "\"namespace\":\"n\","
         "\"json_schema\":{}}]}",
         "the catalog has two streams n.a"},
        {true, "{\"streams\":[{}]}",
         "a stream of the catalog is missing: expected a stream descriptor {\"name\", \"namespace\"}"},
        {true, "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{}},\"sync_mode\":\"INVALID\"}]}",
         "stream a: sync_mode must be \"full_refresh\" or \"incremental\", got \"INVALID\""},
        {true, "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{}}}]}",
         "stream a: sync_mode is missing: expected \"full_refresh\" or \"incremental\""},
        {true,
         "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{}},\"sync_mode\":\"incremental\","
         "\"destination_sync_mode\":\"upsert\"}]}",
         "stream a: destination_sync_mode must be append, overwrite, append_dedup, overwrite_dedup, update "
         "or soft_delete, "
         "got \"upsert\""},
        {true,
         "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{}},\"sync_mode\":\"incremental\",\"sync_"
         "id\":1.5}]}",
         "stream a: sync_id must be a 64-bit integer, got 1.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct airbyte_catalog catalog;
        struct airbyte_configured_catalog configured;
        struct json doc = parse(cases[i].text);
        int result = cases[i].configured ? airbyte_configured_catalog_read(&doc, 0, &arena, &configured, &err)
                                         : airbyte_catalog_read(&doc, 0, &arena, &catalog, &err);
        assert_int_equal(result, -1);
        assert_int_equal(err.code, ERROR_PROTOCOL);
        assert_string_equal(err.message, cases[i].message);
    }
}

/* What a person may ask for, and what is said if it is not there. */
static void test_seek(void **state)
{
    (void)state;
    static const char offered[] =
        "{\"streams\":[{\"name\":\"users\",\"namespace\":\"public\",\"json_schema\":{}},"
        "{\"name\":\"users\",\"namespace\":\"archive\",\"json_schema\":{}},"
        "{\"name\":\"orders\",\"namespace\":\"public\",\"json_schema\":{}},"
        "{\"name\":\"events\",\"json_schema\":{}},{\"name\":\"events\",\"namespace\":\"x\",\"json_schema\":{}"
        "},"
        "{\"name\":\"logs\",\"json_schema\":{}}]}";
    static const struct {
        const char *name, *namespace;
        long found;
        bool namespace_wrong;
        const char *message;
    } cases[] = {
        {"users", "archive", 1, false, NULL},
        {"orders", "", 2, false, NULL},
        {"events", "", 3, false, NULL},
        {"logs", "", 5, false, NULL},
        {"users", "", -1, true,
         "has more than one stream 'users': in the namespace 'public', 'archive'; say which with "
         "'namespace'"},
        {"users", "pubilc", -1, true,
         "has no stream 'users' in the namespace 'pubilc'; did you mean the namespace 'public'?"},
        {"users", "sales", -1, true,
         "has no stream 'users' in the namespace 'sales'; it has it in the namespace 'public', 'archive'"},
        {"logs", "sales", -1, true,
         "has no stream 'logs' in the namespace 'sales'; it has it without a namespace: leave 'namespace' "
         "out"},
        {"events", "sales", -1, true,
         "has no stream 'events' in the namespace 'sales'; it has it in the namespace 'x' or without one"},
        {"userz", "", -1, false, "has no stream 'userz'; did you mean 'users'?"},
        {"userz", "archive", -1, false,
         "has no stream 'userz' in the namespace 'archive'; did you mean 'users'?"},
        {"orderz", "archive", -1, false,
         "has no stream 'orderz' in the namespace 'archive'; did you mean 'orders' in the namespace "
         "'public'?"},
        {"public.orders", "", -1, false,
         "has no stream 'public.orders'; name the stream 'orders' and the namespace 'public'"},
        {"something", "x", -1, false, "has no stream 'something' in the namespace 'x'; there it has: events"},
        {"something", "", -1, false, "has no stream 'something'; it has: users, orders, events, logs"},
    };
    struct airbyte_catalog catalog;
    struct json doc = parse(offered);
    assert_int_equal(airbyte_catalog_read(&doc, 0, &arena, &catalog, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct airbyte_stream_name name = {.name = slice_of(cases[i].name),
                                           .namespace = slice_of(cases[i].namespace)};
        bool namespace_wrong = false;
        assert_int_equal(airbyte_catalog_seek(&catalog, name, &namespace_wrong, &err), cases[i].found);
        assert_int_equal(namespace_wrong, cases[i].namespace_wrong);
        if (cases[i].message)
            assert_string_equal(err.message, cases[i].message);
    }
    catalog.count = 0;
    bool unused;
    assert_int_equal(airbyte_catalog_seek(&catalog, (struct airbyte_stream_name){slice_of("a"), slice_of("")},
                                          &unused, &err),
                     -1);
    assert_string_equal(err.message, "has no stream 'a'; it has: none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),       cmocka_unit_test(test_lenient),
        cmocka_unit_test(test_configured), cmocka_unit_test(test_configured_lenient),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_seek),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
