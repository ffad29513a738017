/* The states of a sync: what messages make of them, the files they are written to and read from, identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/airbyte_state.h"

static struct json_parser *parser;
static struct arena arena;
static struct json doc;
static struct error err;

static int setup(void **state)
{
    (void)state;
    parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_parser_free(parser);
    arena_done(&arena);
    return 0;
}

static struct airbyte_message decode(const char *line)
{
    struct airbyte_message message;
    if (json_parse(parser, line, strlen(line), &doc, &err) < 0 ||
        airbyte_decode(&doc, &arena, &message, &err) < 0)
        fail_msg("%s: %s", line, err.message);
    return message;
}

static int apply(struct airbyte_states *states, const char *line)
{
    struct airbyte_message message = decode(line);
    return airbyte_states_apply(states, &doc, &message, &err);
}

static int load(struct airbyte_states *states, const char *text)
{
    if (json_parse(parser, text, strlen(text), &doc, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return airbyte_states_load(states, &doc, 0, &err);
}

static void assert_states(const struct airbyte_states *states, const char *checkpoint, const char *file)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    airbyte_states_write(&out, states);
    assert_string_equal(buffer_cstr(&out), checkpoint);
    buffer_clear(&out);
    airbyte_states_write_file(&out, states);
    assert_string_equal(buffer_cstr(&out), file);
    buffer_done(&out);
}

static struct airbyte_stream_name name(const char *stream, const char *namespace)
{
    return (struct airbyte_stream_name){slice_of(stream), slice_of(namespace)};
}

#define STREAM(descriptor, value) \
    "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":" descriptor ",\"stream_state\":" value "}}"
#define ENVELOPE(state) "{\"type\":\"STATE\",\"state\":" state "}"
#define USERS "{\"name\":\"users\"}"
#define USERS_P "{\"name\":\"users\",\"namespace\":\"p\"}"

static void test_streams(void **state)
{
    (void)state;
    mem_auto(airbyte_states_free) struct airbyte_states *states = airbyte_states_new();
    assert_true(airbyte_states_empty(states));
    assert_states(states, "[]", "[]");
    assert_int_equal(apply(states, ENVELOPE(STREAM(USERS, "{\"id\": 1}"))), 0);
    assert_int_equal(apply(states, ENVELOPE(STREAM(USERS_P, "{\"id\":2}"))), 0);
    assert_int_equal(apply(states, ENVELOPE(STREAM(USERS, "{\"id\":12345678901234567890.10}"))), 0);
    const char *both =
        "[" STREAM(USERS, "{\"id\":12345678901234567890.10}") "," STREAM(USERS_P, "{\"id\":2}") "]";
    assert_states(states, both, both);
    assert_true(slice_is(airbyte_states_stream(states, name("users", "p")), "{\"id\":2}"));
    assert_int_equal(airbyte_states_stream(states, name("other", "")).size, 0);
    /* A null state is a reset; so is being asked to. */
    assert_int_equal(apply(states, ENVELOPE(STREAM(USERS, "null"))), 0);
    assert_states(states, "[" STREAM(USERS_P, "{\"id\":2}") "]", "[" STREAM(USERS_P, "{\"id\":2}") "]");
    assert_false(airbyte_states_reset_stream(states, name("users", "")));
    assert_true(airbyte_states_reset_stream(states, name("users", "p")));
    assert_true(airbyte_states_empty(states));
}

/* Names that would run together if they were simply put one after the other. */
static void test_names_are_kept_apart(void **state)
{
    (void)state;
    mem_auto(airbyte_states_free) struct airbyte_states *states = airbyte_states_new();
    assert_int_equal(apply(states, ENVELOPE(STREAM("{\"name\":\"bc\",\"namespace\":\"a\"}", "1"))), 0);
    assert_int_equal(apply(states, ENVELOPE(STREAM("{\"name\":\"c\",\"namespace\":\"ab\"}", "2"))), 0);
    assert_int_equal(apply(states, ENVELOPE(STREAM("{\"name\":\"abc\"}", "3"))), 0);
    assert_true(slice_is(airbyte_states_stream(states, name("bc", "a")), "1"));
    assert_true(slice_is(airbyte_states_stream(states, name("c", "ab")), "2"));
    assert_true(slice_is(airbyte_states_stream(states, name("abc", "")), "3"));
}

#define GLOBAL                                                                                    \
    "{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":5},\"stream_states\":[{\"stream_" \
    "descriptor\":{\"name\":\"a\"},"                                                              \
    "\"stream_state\":{\"x\":1}}, "                                                               \
    "{\"stream_descriptor\":{\"name\":\"b\"},\"stream_state\":null}],\"more\":true}}"

static void test_global(void **state)
{
    (void)state;
    mem_auto(airbyte_states_free) struct airbyte_states *states = airbyte_states_new();
    assert_int_equal(apply(states, ENVELOPE(GLOBAL)), 0);
    assert_states(states, "[" GLOBAL "]", "[" GLOBAL "]");
    assert_true(slice_is(airbyte_states_stream(states, name("a", "")), "{\"x\":1}"));
    assert_int_equal(airbyte_states_stream(states, name("b", "")).size, 0);
    assert_false(airbyte_states_reset_stream(states, name("c", "")));
    assert_true(airbyte_states_reset_stream(states, name("a", "")));
    assert_states(states,
                  "[{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":5},\"stream_states\":[{"
                  "\"stream_descriptor\":"
                  "{\"name\":\"b\"},\"stream_state\":null}],\"more\":true}}]",
                  "[{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":5},\"stream_states\":[{"
                  "\"stream_descriptor\":"
                  "{\"name\":\"b\"},\"stream_state\":null}],\"more\":true}}]");
    assert_true(airbyte_states_reset_stream(states, name("b", "")));
    assert_states(states,
                  "[{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":5},\"stream_states\":[],"
                  "\"more\":true}}]",
                  "[{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":5},\"stream_states\":[],"
                  "\"more\":true}}]");
}

static void test_legacy(void **state)
{
    (void)state;
    mem_auto(airbyte_states_free) struct airbyte_states *states = airbyte_states_new();
    assert_int_equal(apply(states, "{\"type\":\"STATE\",\"state\":{\"data\":{\"cursor\":\"x\"}}}"), 0);
    assert_states(states, "[{\"type\":\"LEGACY\",\"data\":{\"cursor\":\"x\"}}]", "{\"cursor\":\"x\"}");
    assert_true(airbyte_states_reset_stream(states, name("any", "")));
    assert_states(states, "[]", "[]");
}

static void test_change_of_kind(void **state)
{
    (void)state;
    mem_auto(airbyte_states_free) struct airbyte_states *states = airbyte_states_new();
    assert_int_equal(load(states, "{\"cursor\":\"x\"}"), 0);
    /* The source was upgraded since: its new kind replaces the blob … */
    assert_int_equal(apply(states, ENVELOPE(STREAM(USERS, "1"))), 0);
    assert_states(states, "[" STREAM(USERS, "1") "]", "[" STREAM(USERS, "1") "]");
    /* … but within a session it must keep to it, and what was stored stays. */
    assert_int_equal(apply(states, ENVELOPE(GLOBAL)), -1);
    assert_int_equal(err.code, ERROR_PROTOCOL);
    assert_string_equal(err.message,
                        "a GLOBAL state after a STREAM state: a source must keep to one kind in a sync");
    assert_states(states, "[" STREAM(USERS, "1") "]", "[" STREAM(USERS, "1") "]");
}

static void test_load(void **state)
{
    (void)state;
    static const struct {
        const char *text, *checkpoint;
    } cases[] = {
        {"[]", "[]"},
        {"null", "[]"},
        {"{}", "[]"},
        {"[" STREAM(USERS, "{\"id\":1}") "]", "[" STREAM(USERS, "{\"id\":1}") "]"},
        {"[" ENVELOPE(STREAM(USERS, "1")) ",\n " ENVELOPE(STREAM(USERS_P, "2")) "]",
         "[" STREAM(USERS, "1") "," STREAM(USERS_P, "2") "]"},
        {ENVELOPE(STREAM(USERS, "1")), "[" STREAM(USERS, "1") "]"},
        {GLOBAL, "[" GLOBAL "]"},
        {"[" GLOBAL "]", "[" GLOBAL "]"},
        {"{\"cursor\":1}", "[{\"type\":\"LEGACY\",\"data\":{\"cursor\":1}}]"},
        {"[{\"type\":\"LEGACY\",\"data\":{\"cursor\":1}}]",
         "[{\"type\":\"LEGACY\",\"data\":{\"cursor\":1}}]"},
        /* As PyAirbyte writes it. */
        {"[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"users\",\"namespace\":null},"
         "\"stream_state\":{\"a\":1}},"
         "\"global_\":null,\"data\":null,\"sourceStats\":{\"recordCount\":3.0},\"global_\":null}\n]",
         "[" STREAM(USERS, "{\"a\":1}") "]"},
        {"[" STREAM(USERS, "null") "]", "[]"},
    };
    mem_auto(airbyte_states_free) struct airbyte_states *states = airbyte_states_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (load(states, cases[i].text) < 0)
            fail_msg("%s: %s", cases[i].text, err.message);
        struct buffer out;
        buffer_init(&out, BUFFER_UNLIMITED);
        airbyte_states_write(&out, states);
        assert_string_equal(buffer_cstr(&out), cases[i].checkpoint);
        buffer_done(&out);
    }
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"3", "a state must be an array of state messages or an object"},
        {"[1]", "element 1 of the state: expected a state message"},
        {"[" STREAM(USERS, "1") ",{\"type\":\"STREAM\"}]",
         "element 2 of the state: state.stream is missing: expected an object"},
        {"[" STREAM(USERS, "1") "," GLOBAL "]", "element 2 of the state: a GLOBAL state among STREAM states"},
        {"[{\"type\":\"STATE\"}]",
         "element 1 of the state: state.type must be \"STREAM\", \"GLOBAL\" or \"LEGACY\", got \"STATE\""},
    };
    assert_int_equal(load(states, "[" STREAM(USERS, "1") "]"), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(load(states, bad[i].text), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.message, bad[i].message);
        assert_states(states, "[" STREAM(USERS, "1") "]", "[" STREAM(USERS, "1") "]"); /* untouched */
    }
}

static void test_identity(void **state)
{
    (void)state;
    /* Lines of one group mean the same; of two groups never. */
    static const char *const groups[][4] = {
        {ENVELOPE(STREAM(USERS, "{\"a\":1,\"b\":[\"x\\u00e9\",null]}")),
         "{ \"state\": {\"stream\":{\"stream_state\":{\"b\":[\"x\xc3\xa9\", "
         "null],\"a\":1.0,\"c\":null},\"stream_descriptor\":"
         "{\"namespace\":\"\",\"name\":\"users\"}},\"type\":\"STREAM\",\"global\":null,\"destinationStats\":{"
         "\"recordCount\":9.0}},"
         "\"type\":\"STATE\",\"log\":null}",
         ENVELOPE(STREAM("{\"name\":\"us\\u0065rs\",\"namespace\":null}",
                         "{\"b\":[\"x\\u00E9\",null],\"\\u0061\":10e-1}"))},
        {ENVELOPE(STREAM(USERS, "{\"a\":2,\"b\":[\"x\\u00e9\",null]}"))},
        {ENVELOPE(STREAM(USERS, "{\"a\":\"1\",\"b\":[\"x\\u00e9\",null]}"))},
        {ENVELOPE(STREAM(USERS, "{\"a\":1,\"b\":[\"x\\u00e9\"]}"))},
        {ENVELOPE(STREAM(USERS, "{\"a\":1,\"b\":[null,\"x\\u00e9\"]}"))},
        {ENVELOPE(STREAM(USERS, "{\"b\":1,\"a\":[\"x\\u00e9\",null]}"))},
        {ENVELOPE(STREAM(USERS_P, "{\"a\":1,\"b\":[\"x\\u00e9\",null]}"))},
        {ENVELOPE(STREAM(USERS, "null")),
         "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":" USERS "}}}"},
        {ENVELOPE(STREAM(USERS, "{}")), ENVELOPE(STREAM(USERS, "{\"z\":null}"))},
        {ENVELOPE(STREAM(USERS, "[]"))},
        {ENVELOPE(STREAM(USERS, "[[]]"))},
        {ENVELOPE(STREAM(USERS, "\"\""))},
        {ENVELOPE(STREAM(USERS, "12345678901234567890")), ENVELOPE(STREAM(USERS, "12345678901234567890.0"))},
        {ENVELOPE(STREAM(USERS, "12345678901234567891"))},
        {ENVELOPE(GLOBAL)},
        {ENVELOPE("{\"data\":{\"a\":1}}"), ENVELOPE("{\"type\":\"LEGACY\",\"data\":{\"a\":1}}")},
    };
    enum { GROUPS = sizeof groups / sizeof *groups };
    struct airbyte_state_id ids[GROUPS];
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t i = 0; i < 4 && groups[g][i]; i++) {
            struct airbyte_message message = decode(groups[g][i]);
            struct airbyte_state_id id = airbyte_state_identity(&doc, &message);
            if (i == 0)
                ids[g] = id;
            else if (!airbyte_state_id_equal(id, ids[g]))
                fail_msg("not the same: %s", groups[g][i]);
        }
        for (size_t other = 0; other < g; other++)
            if (airbyte_state_id_equal(ids[g], ids[other]))
                fail_msg("groups %zu and %zu are the same", other, g);
    }
}

/* States as a source counts: none is taken for another. */
static void test_identity_of_counts(void **state)
{
    (void)state;
    enum { COUNTS = 3000 };
    static struct airbyte_state_id ids[COUNTS];
    for (int i = 0; i < COUNTS; i++) {
        char line[200];
        snprintf(line, sizeof line, ENVELOPE(STREAM(USERS, "{\"n\":%d}")),
                 i < COUNTS / 2 ? i : (i - COUNTS / 2 + 2) * 1000);
        struct airbyte_message message = decode(line);
        ids[i] = airbyte_state_identity(&doc, &message);
        for (int other = 0; other < i; other++) {
            if (airbyte_state_id_equal(ids[i], ids[other]))
                fail_msg("%s: the same as number %d", line, other);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),        cmocka_unit_test(test_names_are_kept_apart),
        cmocka_unit_test(test_global),         cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_change_of_kind), cmocka_unit_test(test_load),
        cmocka_unit_test(test_identity),       cmocka_unit_test(test_identity_of_counts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
