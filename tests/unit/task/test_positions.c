/* How far a materialization is, as a runtime checkpoint; and the keys that a transaction has seen. */
#include "task_test.h"

#include "task/key_set.h"
#include "task/positions.h"
#include "json/writer.h"

static const struct task_position_source sources[] = {
    {"acmeCo/users", {"materialize/acmeCo/mat/users", 28}},
    {"acmeCo/users", {"materialize/acmeCo/mat/other.v2", 31}},
    {"acmeCo", {"materialize/acmeCo/mat/short", 28}},
};
enum { SOURCES = sizeof sources / sizeof *sources };

static int load(struct task_positions *positions, const char *text, struct error *err)
{
    struct arena arena;
    struct json doc;
    arena_init(&arena);
    task_positions_init(positions, sources, SOURCES);
    assert_int_equal(json_parse_copy(&arena, text, strlen(text), &doc, err), 0);
    int result = task_positions_load(positions, &doc, 0, err);
    arena_done(&arena);
    return result;
}

static char *written(const struct task_positions *positions)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    task_positions_write(positions, &writer);
    return buffer_steal(&text);
}

static void test_round_trip(void **state)
{
    struct task_positions positions;
    struct error err;
    task_positions_init(&positions, sources, SOURCES);
    auto_free char *empty = written(&positions);
    assert_string_equal(empty, "{\"sources\":{}}");
    task_positions_journal(&positions, 0, "acmeCo/in")->next = 7;
    task_positions_journal(&positions, 0, "acmeCo/zero");
    task_positions_journal(&positions, 1, "acmeCo/in")->next = 9;
    task_positions_journal(&positions, 2, "a;b%/\xc3\xa4")->next = INT64_MAX;
    task_positions_set_max_key(&positions, 1, (struct slice){"\x15\x07\x00", 3});
    auto_free char *text = written(&positions);
    assert_string_equal(
        text, "{\"sources\":{"
              "\"acmeCo/users/acmeCo%2Fin;materialize/acmeCo/mat/users\":{\"readThrough\":\"7\"},"
              "\"acmeCo/users/acmeCo%2Fin;materialize/acmeCo/mat/other.v2\":{\"readThrough\":\"9\"},"
              "\"acmeCo/a%3Bb%25%2F%C3%A4;materialize/acmeCo/mat/"
              "short\":{\"readThrough\":\"9223372036854775807\"}},"
              "\"ackIntents\":{\"materialize/acmeCo/mat/other.v2\":\"FQcA\"}}");
    task_positions_done(&positions);

    assert_int_equal(load(&positions, text, &err), 0);
    assert_int_equal(positions.count, 3);
    assert_int_equal(task_positions_journal(&positions, 0, "acmeCo/in")->next, 7);
    assert_int_equal(task_positions_journal(&positions, 2, "a;b%/\xc3\xa4")->next, INT64_MAX);
    assert_int_equal(positions.max_keys[1].size, 3);
    assert_int_equal(positions.max_keys[0].size, 0);
    assert_false(task_positions_zero(&positions, 0));
    auto_free char *again = written(&positions);
    assert_string_equal(again, text);
    task_positions_done(&positions);
}

/* What Flow's connectors make of it on the way, and what is of no binding's. */
static void test_lenient(void **state)
{
    struct task_positions positions;
    struct error err;
    assert_int_equal(
        load(&positions,
             "{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":{\"readThrough\":5,"
             "\"producers\":[{\"id\":\"AQID\"}]},"
             "\"acmeCo/users/x;materialize/acmeCo/mat/users\":{},"
             "\"acmeCo/users/w;materialize/acmeCo/mat/users.v1\":{\"readThrough\":\"8\"},"
             "\"acmeCo/users/a/b;materialize/acmeCo/mat/users\":{\"readThrough\":\"8\"},"
             "\"acmeCo/users/%;materialize/acmeCo/mat/users\":{\"readThrough\":\"8\"}},\"more\":1}",
             &err),
        0);
    assert_int_equal(positions.count, 2);
    assert_int_equal(task_positions_journal(&positions, 0, "w")->next, 5);
    assert_true(task_positions_zero(&positions, 1));
    task_positions_done(&positions);
    assert_int_equal(load(&positions, "{}", &err), 0);
    assert_int_equal(positions.count, 0);
    task_positions_done(&positions);
}

/* A binding that does not take part keeps its place; an older backfill of one that does is forgotten. */
static void test_others(void **state)
{
    struct task_positions positions;
    struct error err;
    assert_int_equal(
        load(&positions,
             "{\"sources\":{\"acmeCo/gone/w;materialize/acmeCo/mat/gone.v3\":{\"readThrough\":\"8\"},"
             "\"acmeCo/users/w;materialize/acmeCo/mat/users.v1\":{\"readThrough\":\"8\"},"
             "\"acmeCo/users/w;materialize/acmeCo/mat/other\":{\"readThrough\":\"8\"},"
             "\"acmeCo/users/w;materialize/acmeCo/mat/users\":{\"readThrough\":\"5\"},"
             "\"no suffix\":{\"readThrough\":\"5\"}}}",
             &err),
        0);
    auto_free char *text = written(&positions);
    assert_string_equal(
        text, "{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":{\"readThrough\":\"5\"},"
              "\"acmeCo/gone/w;materialize/acmeCo/mat/gone.v3\":{\"readThrough\":\"8\"}}}");
    task_positions_done(&positions);
}

static const struct {
    const char *checkpoint, *why; /* NULL: it is this task's */
} owned[] = {
    {"{}", NULL},
    {"{\"sources\":{}}", NULL},
    {"{\"ackIntents\":{\"materialize/acmeCo/mat/users\":\"FQcA\"}}", NULL},
    {"{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":{\"readThrough\":\"5\"}}}", NULL},
    {"{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users.v7\":{\"readThrough\":\"5\"}}}", NULL},
    {"{\"sources\":{\"acmeCo/gone/w;materialize/acmeCo/mat/gone\":{\"readThrough\":\"5\"}}}", NULL},
    {"{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat\":{}}}", "another materialization"},
    {"{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat2/users\":{}}}", "another materialization"},
    {"{\"sources\":{\"acmeCo/users/w\":{}}}", "another materialization"},
    {"{\"sources\":{\"\":{}}}", "another materialization"},
    {"{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":{},\"acmeCo/users/w;x\":{}}}",
     "another materialization"},
    {"{\"sources\":{\"acmeCo/users/a=b/pivot=00;materialize/acmeCo/mat/users\":{}}}",
     "no task of this program"},
    {"{\"producers\":[]}", "has no 'sources'"},
};

static void test_owner(void **state)
{
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
        struct task_positions positions;
        struct arena arena;
        struct json doc;
        struct error err = {0};
        arena_init(&arena);
        task_positions_init(&positions, sources, SOURCES);
        assert_int_equal(
            json_parse_copy(&arena, owned[i].checkpoint, strlen(owned[i].checkpoint), &doc, &err), 0);
        int result = task_positions_check_owner(&positions, "acmeCo/mat", &doc, 0, &err);
        if (result != (owned[i].why ? -1 : 0) || (result < 0 && !strstr(err.message, owned[i].why)))
            fail_msg("%s: %s", owned[i].checkpoint, err.message);
        task_positions_done(&positions);
        arena_done(&arena);
    }
}

/* Of a binding and of one that does not take part, with a mark and without; what is no identity is none. */
static void test_identities(void **state)
{
    static const char text[] =
        "{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":{\"readThrough\":\"5\"},"
        "\"acmeCo/users/x;materialize/acmeCo/mat/users\":{\"readThrough\":\"6\"},"
        "\"acmeCo/users/y;materialize/acmeCo/mat/users\":{\"readThrough\":\"7\"},"
        "\"acmeCo/gone/w;materialize/acmeCo/mat/gone\":{\"readThrough\":\"8\"}},"
        "\"ackIntents\":{\"materialize/acmeCo/mat/users\":\"FQcA\","
        "\"acmeCo/users/w;materialize/acmeCo/mat/users\":\"AQAAAAAAAIA=\","
        "\"acmeCo/users/y;materialize/acmeCo/mat/users\":\"AgAAAAAAAAADAAAAAAAAgA==\","
        "\"acmeCo/gone/w;materialize/acmeCo/mat/gone\":\"/wAAAAAAAAAEAAAAAAAAAA==\"}}";
    static const char *const others[] = {
        "\"AQID\"", "7", "\"?\"", "\"AAAAAAAAAAA=\"", "\"AQAAAAAAAIAA\"", "\"AQAAAAAAAIABAAAAAAAAgAA=\""};
    struct task_positions positions;
    struct error err;
    assert_int_equal(load(&positions, text, &err), 0);
    assert_true(task_positions_journal(&positions, 0, "w")->identity == 0x8000000000000001);
    assert_true(task_positions_journal(&positions, 0, "w")->mark == 0);
    assert_true(task_positions_journal(&positions, 0, "x")->identity == 0);
    assert_true(task_positions_journal(&positions, 0, "y")->identity == 2);
    assert_true(task_positions_journal(&positions, 0, "y")->mark == 0x8000000000000003);
    auto_free char *again = written(&positions);
    assert_string_equal(again, text);
    task_positions_done(&positions);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        auto_free char *other = mem_printf("{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":"
                                           "{\"readThrough\":\"5\"}},\"ackIntents\":{"
                                           "\"acmeCo/users/w;materialize/acmeCo/mat/users\":%s}}",
                                           others[i]);
        assert_int_equal(load(&positions, other, &err), 0);
        assert_true(task_positions_journal(&positions, 0, "w")->next == 5);
        assert_true(task_positions_journal(&positions, 0, "w")->identity == 0);
        assert_true(task_positions_journal(&positions, 0, "w")->mark == 0);
        task_positions_done(&positions);
    }
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "7",
        "[]",
        "{\"sources\":7}",
        "{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":{\"readThrough\":\"x\"}}}",
        "{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":{\"readThrough\":-1}}}",
        ("{\"sources\":{\"acmeCo/users/w;materialize/acmeCo/mat/users\":"
         "{\"readThrough\":\"99999999999999999999\"}}}"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct task_positions positions;
        struct error err;
        assert_int_equal(load(&positions, texts[i], &err), -1);
        assert_int_equal(err.code, ERROR_PROTOCOL);
        task_positions_done(&positions);
    }
}

static void test_key_set(void **state)
{
    struct key_set set = {0};
    assert_false(key_set_has(&set, 0, (struct slice){"a", 1}));
    for (uint32_t i = 0; i < 100000; i++) {
        struct slice key = {(const char *)&i, sizeof i};
        assert_true(key_set_add(&set, i & 1, key));
        assert_false(key_set_add(&set, i & 1, key));
        assert_false(key_set_has(&set, !(i & 1), key));
    }
    assert_int_equal(set.count, 100000);
    for (uint32_t i = 0; i < 100000; i += 997)
        assert_true(key_set_has(&set, i & 1, (struct slice){(const char *)&i, sizeof i}));
    key_set_clear(&set);
    assert_int_equal(set.count, 0);
    assert_true(key_set_add(&set, 0, (struct slice){"", 0}));
    assert_true(key_set_has(&set, 0, (struct slice){"", 0}));
    key_set_clear(&set);
    assert_false(key_set_has(&set, 0, (struct slice){"", 0}));
    key_set_done(&set);
}

/* A backfill, which is another counter, goes on counting. */
static void test_totals(void **state)
{
    static const struct task_position_source later[] = {
        {"acmeCo/users", {"materialize/acmeCo/mat/other.v3", 31}}};
    struct task_positions positions;
    struct error err;
    task_positions_init(&positions, sources, SOURCES);
    task_positions_set_total(&positions, 1, 258, UINT64_MAX);
    auto_free char *text = written(&positions);
    assert_string_equal(text, "{\"sources\":{},\"ackIntents\":{\"materialize/acmeCo/mat/other;documents\":"
                              "\"AgEAAAAAAAD//////////w==\"}}");
    task_positions_done(&positions);

    assert_int_equal(load(&positions, text, &err), 0);
    assert_false(positions.totals[0].known);
    assert_true(positions.totals[1].known);
    assert_int_equal(positions.totals[1].documents, 258);
    assert_true(positions.totals[1].bytes == UINT64_MAX);
    task_positions_done(&positions);

    struct arena arena;
    struct json doc;
    arena_init(&arena);
    task_positions_init(&positions, later, 1);
    assert_int_equal(json_parse_copy(&arena, text, strlen(text), &doc, &err), 0);
    assert_int_equal(task_positions_load(&positions, &doc, 0, &err), 0);
    assert_int_equal(positions.totals[0].documents, 258);
    task_positions_done(&positions);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_totals),
                                       cmocka_unit_test(test_lenient),    cmocka_unit_test(test_others),
                                       cmocka_unit_test(test_owner),      cmocka_unit_test(test_identities),
                                       cmocka_unit_test(test_refused),    cmocka_unit_test(test_key_set)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
