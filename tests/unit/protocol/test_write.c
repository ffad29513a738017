/* The writers: each message is exactly the line one expects, and reads back as what was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/airbyte_write.h"

static struct buffer out;

static int setup(void **state)
{
    (void)state;
    buffer_init(&out, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buffer_done(&out);
    return 0;
}

/* What was written since the last call is one line, parses, decodes as `type` and is this text. */
static void expect(enum airbyte_type type, const char *text)
{
    struct json doc;
    struct error err;
    struct airbyte_message message = {0};
    struct arena arena;
    arena_init(&arena);
    assert_string_equal(buffer_cstr(&out), text);
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    assert_ptr_equal(memchr(out.data, '\n', out.size), out.data + out.size - 1);
    if (json_parse(parser, out.data, out.size, &doc, &err) < 0 ||
        airbyte_decode(&doc, &arena, &message, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    assert_int_equal(message.type, type);
    json_parser_free(parser);
    arena_done(&arena);
    buffer_clear(&out);
}

static const struct airbyte_stream_name users = {SLICE_LITERAL("users"), {0}};
static const struct airbyte_stream_name spaced = {SLICE_LITERAL("my \"users\""), SLICE_LITERAL("né")};

static void test_records(void **state)
{
    (void)state;
    airbyte_write_record(&out, users, 1700000000123, SLICE_LITERAL("{\"id\":12345678901234567890.10}"));
    expect(AIRBYTE_RECORD,
           "{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"emitted_at\":1700000000123,"
           "\"data\":{\"id\":12345678901234567890.10}}}\n");
    struct buffer head;
    buffer_init(&head, BUFFER_UNLIMITED);
    airbyte_record_head(&head, spaced);
    airbyte_record_put(&out, (struct slice){head.data, head.size}, INT64_MIN, SLICE_LITERAL("{}"));
    expect(AIRBYTE_RECORD,
           "{\"type\":\"RECORD\",\"record\":{\"stream\":\"my \\\"users\\\"\",\"namespace\":\"né\","
           "\"emitted_at\":-9223372036854775808,\"data\":{}}}\n");
    airbyte_record_begin(&out, (struct slice){head.data, head.size}, 0);
    buffer_str(&out, "{\"a\":1}");
    airbyte_record_end(&out);
    expect(AIRBYTE_RECORD,
           "{\"type\":\"RECORD\",\"record\":{\"stream\":\"my \\\"users\\\"\",\"namespace\":\"né\","
           "\"emitted_at\":0,\"data\":{\"a\":1}}}\n");
    buffer_done(&head);
}

/* A line that does not fit leaves the buffer as it was, and says so. */
static void test_record_maximum(void **state)
{
    (void)state;
    struct buffer head, small;
    buffer_init(&head, BUFFER_UNLIMITED);
    buffer_init(&small, 200);
    airbyte_record_head(&head, users);
    for (int i = 0; i < 10; i++)
        airbyte_record_put(&small, (struct slice){head.data, head.size}, 1, SLICE_LITERAL("{\"id\":1}"));
    assert_true(small.overflowed);
    assert_int_equal(small.data[small.size - 1], '\n');
    buffer_done(&head);
    buffer_done(&small);
}

static void test_integers(void **state)
{
    (void)state;
    static const int64_t values[] = {0,     7,  10,  99,           100,       101,
                                     12345, -1, -10, 999999999999, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[32], expected[32];
        text[airbyte_format_i64(values[i], text)] = '\0';
        snprintf(expected, sizeof expected, "%lld", (long long)values[i]);
        assert_string_equal(text, expected);
    }
}

static void test_states(void **state)
{
    (void)state;
    airbyte_write_stream_state(&out, users, SLICE_LITERAL("{\"id\":7}"),
                               (struct airbyte_state_counts){100, -1});
    expect(AIRBYTE_STATE,
           "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
           "\"users\"},\"stream_state\":{\"id\":7}},\"sourceStats\":{\"recordCount\":100.0}}}\n");
    airbyte_write_stream_state(&out, spaced, (struct slice){0}, AIRBYTE_NO_COUNTS);
    expect(AIRBYTE_STATE,
           "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
           "\"my \\\"users\\\"\",\"namespace\":\"né\"},\"stream_state\":null}}}\n");
    airbyte_write_global_state(&out, SLICE_LITERAL("{\"shared_state\":1}"),
                               (struct airbyte_state_counts){0, 12345678});
    expect(AIRBYTE_STATE,
           "{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":1},"
           "\"sourceStats\":{\"recordCount\":0.0},\"destinationStats\":{\"recordCount\":12345678.0}}}\n");
    airbyte_write_legacy_state(&out, SLICE_LITERAL("{\"a\":1}"));
    expect(AIRBYTE_STATE, "{\"type\":\"STATE\",\"state\":{\"type\":\"LEGACY\",\"data\":{\"a\":1}}}\n");
}

static void echo(const char *line, double records)
{
    struct json doc;
    struct error err;
    struct airbyte_message message;
    struct arena arena;
    arena_init(&arena);
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    assert_int_equal(json_parse(parser, line, strlen(line), &doc, &err), 0);
    assert_int_equal(airbyte_decode(&doc, &arena, &message, &err), 0);
    airbyte_write_state_echo(&out, &doc, &message, records);
    json_parser_free(parser);
    arena_done(&arena);
}

static void test_echo(void **state)
{
    (void)state;
    static const char line[] = "{ \"x\": [1, 2],\"state\": {\"type\":\"LEGACY\", \"data\": {\"b\": 1.10},"
                               "\"sourceStats\":{\"recordCount\":3.0}, \"id\":9} ,\"type\":\"STATE\"}";
    echo(line, -1);
    auto_free char *same = mem_printf("%s\n", line);
    expect(AIRBYTE_STATE, same);
    echo(line, 3);
    expect(AIRBYTE_STATE,
           "{ \"x\": [1, 2],\"state\": "
           "{\"destinationStats\":{\"recordCount\":3.0},\"type\":\"LEGACY\",\"data\":{\"b\": 1.10},"
           "\"sourceStats\":{\"recordCount\":3.0},\"id\":9} ,\"type\":\"STATE\"}\n");
    /* Old stats are replaced, what else they hold stays; a null is replaced too. */
    echo("{\"type\":\"STATE\",\"state\":{\"destinationStats\":{\"recordCount\":1.0,\"rejectedRecordCount\":2."
         "0},\"data\":1}}",
         5);
    expect(AIRBYTE_STATE, "{\"type\":\"STATE\",\"state\":{\"destinationStats\":{\"recordCount\":5.0,"
                          "\"rejectedRecordCount\":2.0},\"data\":1}}\n");
    echo("{\"type\":\"STATE\",\"state\":{\"destinationStats\":null}}", 5);
    expect(AIRBYTE_STATE, "{\"type\":\"STATE\",\"state\":{\"destinationStats\":{\"recordCount\":5.0}}}\n");
    echo("{\"type\":\"STATE\",\"state\":{}}", 0);
    expect(AIRBYTE_STATE, "{\"type\":\"STATE\",\"state\":{\"destinationStats\":{\"recordCount\":0.0}}}\n");
}

static void test_traces(void **state)
{
    (void)state;
    const struct airbyte_trace_error error = {
        .message = SLICE_LITERAL("it \"failed\"\n"),
        .internal_message = SLICE_LITERAL("why"),
        .failure = AIRBYTE_CONFIG_ERROR,
        .stream = users,
    };
    airbyte_write_trace_error(&out, 5, &error);
    expect(AIRBYTE_TRACE,
           "{\"type\":\"TRACE\",\"trace\":{\"type\":\"ERROR\",\"emitted_at\":5,\"error\":{\"message\":\"it "
           "\\\"failed\\\"\\n\",\"internal_message\":\"why\",\"failure_type\":\"config_error\","
           "\"stream_descriptor\":{\"name\":\"users\"}}}}\n");
    airbyte_write_trace_estimate(&out, 5, users, 1000, -1);
    expect(AIRBYTE_TRACE,
           "{\"type\":\"TRACE\",\"trace\":{\"type\":\"ESTIMATE\",\"emitted_at\":5,\"estimate\":{\"name\":"
           "\"users\",\"type\":\"STREAM\",\"row_estimate\":1000}}}\n");
    airbyte_write_trace_status(&out, 5, spaced, AIRBYTE_STREAM_COMPLETE);
    expect(AIRBYTE_TRACE,
           "{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"emitted_at\":5,\"stream_status\":{"
           "\"stream_descriptor\":{\"name\":\"my "
           "\\\"users\\\"\",\"namespace\":\"né\"},\"status\":\"COMPLETE\"}}}\n");
}

static void test_others(void **state)
{
    (void)state;
    airbyte_write_log(&out, LOG_WARN, SLICE_LITERAL("tab\tand \\"));
    expect(AIRBYTE_LOG, "{\"type\":\"LOG\",\"log\":{\"level\":\"WARN\",\"message\":\"tab\\tand \\\\\"}}\n");
    airbyte_write_spec(&out, SLICE_LITERAL("{\"connectionSpecification\":{}}"));
    expect(AIRBYTE_SPEC, "{\"type\":\"SPEC\",\"spec\":{\"connectionSpecification\":{}}}\n");
    airbyte_write_connection_status(&out, true, (struct slice){0});
    expect(AIRBYTE_CONNECTION_STATUS,
           "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"SUCCEEDED\"}}\n");
    airbyte_write_connection_status(&out, false, SLICE_LITERAL("no"));
    expect(
        AIRBYTE_CONNECTION_STATUS,
        "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"FAILED\",\"message\":\"no\"}}\n");
    airbyte_write_control_config(&out, 1, SLICE_LITERAL("{\"token\":\"x\"}"));
    expect(AIRBYTE_CONTROL,
           "{\"type\":\"CONTROL\",\"control\":{\"type\":\"CONNECTOR_CONFIG\",\"emitted_at\":1,"
           "\"connectorConfig\":{\"config\":{\"token\":\"x\"}}}}\n");
    const struct airbyte_catalog catalog = {0};
    airbyte_write_catalog(&out, &catalog);
    expect(AIRBYTE_CATALOG, "{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[]}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),  cmocka_unit_test(test_record_maximum),
        cmocka_unit_test(test_integers), cmocka_unit_test(test_states),
        cmocka_unit_test(test_echo),     cmocka_unit_test(test_traces),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
