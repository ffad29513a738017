/* airbyte_decode: every kind of message in every spelling that real connectors use, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "protocol/airbyte.h"

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

static int decode(const char *line, struct airbyte_message *message)
{
    if (json_parse(parser, line, strlen(line), &doc, &err) < 0)
        fail_msg("%s: %s", line, err.message);
    int result = airbyte_decode(&doc, &arena, message, &err);
    if (result < 0)
        assert_int_equal(err.code, ERROR_PROTOCOL);
    return result;
}

static struct airbyte_message good(const char *line)
{
    struct airbyte_message message;
    if (decode(line, &message) < 0)
        fail_msg("%s: %s", line, err.message);
    return message;
}

static void assert_slice(struct slice slice, const char *text)
{
    if (!slice_is(slice, text))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(slice), text);
}

static void assert_node(uint32_t at, const char *raw)
{
    if (raw)
        assert_slice(json_raw(&doc, at), raw);
    else
        assert_int_equal(at, JSON_NONE);
}

static void test_records(void **state)
{
    (void)state;
    static const struct {
        const char *line, *name, *namespace, *data;
        double emitted_at;
    } cases[] = {
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"data\":{\"id\":1},\"emitted_at\":"
         "1700000000123}}",
         "users", "", "{\"id\":1}", 1700000000123},
        /* source-file: spaced, explicit nulls, emitted_at an integer */
        {"{ \"type\": \"RECORD\", \"log\": null, \"spec\": null, \"record\": { \"namespace\": null, "
         "\"stream\": \"a b\", "
         "\"data\": { }, \"emitted_at\": 5, \"meta\": null } }",
         "a b", "", "{ }", 5},
        /* other CDKs: the type last; a namespace; a fraction */
        {"{\"record\":{\"emitted_at\":1700000000123.5,\"data\":{},\"stream\":\"s\",\"namespace\":\"public\"},"
         "\"type\":\"RECORD\"}",
         "s", "public", "{}", 1700000000123.5},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"namespace\":\"\",\"data\":{},\"emitted_at\":1."
         "7e12}}",
         "s", "", "{}", 1.7e12},
        /* escapes in names, in values and in the keys themselves */
        {"{\"type\":\"RECORD\",\"r\\u0065cord\":{\"str\\u0065am\":\"\\u00e9\\n\",\"namespace\":\"a\\\"b\","
         "\"data\":{},"
         "\"emitted_at\":0}}",
         "é\n", "a\"b", "{}", 0},
        /* unknown members, members of other messages, a member named like one of ours further down */
        {"{\"x\":{\"record\":1},\"type\":\"RECORD\",\"state\":{},\"record\":{\"y\":{\"stream\":7},\"stream\":"
         "\"s\","
         "\"data\":{\"stream\":\"other\",\"data\":3},\"emitted_at\":-1}}",
         "s", "", "{\"stream\":\"other\",\"data\":3}", -1},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"b\",\"data\":{},\"emitted_at\":123456789012345678}}",
         "b", "", "{}", 123456789012345678.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct airbyte_message message = good(cases[i].line);
        assert_int_equal(message.type, AIRBYTE_RECORD);
        assert_slice(message.record.stream.name, cases[i].name);
        assert_slice(message.record.stream.namespace, cases[i].namespace);
        assert_node(message.record.data, cases[i].data);
        assert_true(message.record.emitted_at == cases[i].emitted_at);
    }
}

static void test_record_allocates_nothing(void **state)
{
    (void)state;
    size_t before = arena_used(&arena);
    for (int i = 0; i < 1000; i++)
        good("{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"namespace\":\"p\",\"data\":{\"id\":1},"
             "\"emitted_at\":1700000000123}}");
    assert_int_equal(arena_used(&arena), before);
}

static void test_states(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum airbyte_state_type type;
        const char *name, *namespace, *stream_state, *global, *data;
    } cases[] = {
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
         "\"users\","
         "\"namespace\":null},\"stream_state\":{\"id\":7}},\"sourceStats\":{\"recordCount\":100.0}}}",
         AIRBYTE_STATE_STREAM, "users", "", "{\"id\":7}", NULL, NULL},
        {"{\"state\":{\"stream\":{\"stream_state\":null,\"stream_descriptor\":{\"namespace\":\"n\",\"name\":"
         "\"users\"}},"
         "\"type\":\"STREAM\",\"data\":null,\"global\":null,\"global_\":null,\"global_\":null},\"type\":"
         "\"STATE\"}",
         AIRBYTE_STATE_STREAM, "users", "n", NULL, NULL, NULL},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":1},"
         "\"stream_states\":["
         "{\"stream_descriptor\":{\"name\":\"a\"},\"stream_state\":{}}]}}}",
         AIRBYTE_STATE_GLOBAL, NULL, NULL, NULL,
         "{\"shared_state\":{\"lsn\":1},\"stream_states\":[{\"stream_descriptor\":{\"name\":\"a\"},\"stream_"
         "state\":{}}]}",
         NULL},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":1,\"stream_"
         "states\":null}}}",
         AIRBYTE_STATE_GLOBAL, NULL, NULL, NULL, "{\"shared_state\":1,\"stream_states\":null}", NULL},
        /* LEGACY without a type, with members of its own beside "state" */
        {"{\"state\":{\"data\":{\"cursor\":\"x\"}},\"checkpoint\":3,\"type\":\"STATE\"}",
         AIRBYTE_STATE_LEGACY, NULL, NULL, NULL, NULL, "{\"cursor\":\"x\"}"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"LEGACY\",\"data\":null}}", AIRBYTE_STATE_LEGACY, NULL,
         NULL, NULL, NULL, NULL},
        {"{\"type\":\"STATE\",\"state\":{}}", AIRBYTE_STATE_LEGACY, NULL, NULL, NULL, NULL, NULL},
        {"{\"type\":\"STATE\",\"state\":{\"type\":null,\"stream\":{\"stream_descriptor\":{\"name\":\"s\"},"
         "\"stream_state\":1}}}",
         AIRBYTE_STATE_STREAM, "s", "", "1", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct airbyte_message message = good(cases[i].line);
        assert_int_equal(message.type, AIRBYTE_STATE);
        assert_int_equal(message.state.type, cases[i].type);
        if (cases[i].name) {
            assert_slice(message.state.stream.name, cases[i].name);
            assert_slice(message.state.stream.namespace, cases[i].namespace);
        }
        assert_node(message.state.stream_state, cases[i].stream_state);
        assert_node(message.state.global, cases[i].global);
        assert_node(message.state.data, cases[i].data);
    }
}

static void test_logs(void **state)
{
    (void)state;
    static const struct {
        const char *level;
        int expected;
    } cases[] = {
        {"\"INFO\"", LOG_INFO},    {"\"info\"", LOG_INFO},   {"\"WARN\"", LOG_WARN},
        {"\"warning\"", LOG_WARN}, {"\"ERROR\"", LOG_ERROR}, {"\"FATAL\"", LOG_ERROR},
        {"\"DEBUG\"", LOG_DEBUG},  {"\"trace\"", LOG_TRACE}, {"\"odd\"", LOG_INFO},
        {"null", LOG_INFO},        {"7", LOG_INFO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto_free char *line =
            mem_printf("{\"type\":\"LOG\",\"log\":{\"level\":%s,\"message\":\"m\",\"stack_trace\":null}}",
                       cases[i].level);
        struct airbyte_message message = good(line);
        assert_int_equal(message.type, AIRBYTE_LOG);
        assert_int_equal(message.log.level, cases[i].expected);
        assert_node(message.log.message, "\"m\"");
        assert_node(message.log.stack_trace, NULL);
    }
}

static void test_traces(void **state)
{
    (void)state;
    struct airbyte_message message = good(
        "{\"type\":\"TRACE\",\"trace\":{\"type\":\"ERROR\",\"emitted_at\":1.5,\"error\":{\"message\":\"no\","
        "\"internal_message\":\"why\",\"stack_trace\":null,\"failure_type\":\"config_error\","
        "\"stream_descriptor\":{\"name\":\"s\"}}}}");
    assert_int_equal(message.trace.type, AIRBYTE_TRACE_ERROR);
    assert_node(message.trace.message, "\"no\"");
    assert_node(message.trace.internal_message, "\"why\"");
    assert_node(message.trace.stack_trace, NULL);
    assert_node(message.trace.failure_type, "\"config_error\"");
    assert_slice(message.trace.stream.name, "s");
    /* Nothing in an error hides the error. */
    message = good("{\"type\":\"TRACE\",\"trace\":{\"type\":\"ERROR\",\"error\":{\"message\":7,\"stream_"
                   "descriptor\":1}}}");
    assert_int_equal(message.trace.type, AIRBYTE_TRACE_ERROR);
    assert_node(message.trace.message, NULL);
    message = good("{\"type\":\"TRACE\",\"trace\":{\"type\":\"ERROR\"}}");
    assert_int_equal(message.trace.type, AIRBYTE_TRACE_ERROR);
    message = good("{\"type\":\"TRACE\",\"trace\":{\"type\":\"ESTIMATE\",\"estimate\":{\"name\":\"s\","
                   "\"type\":\"STREAM\","
                   "\"namespace\":\"n\",\"row_estimate\":1000,\"byte_estimate\":null}}}");
    assert_int_equal(message.trace.type, AIRBYTE_TRACE_ESTIMATE);
    assert_slice(message.trace.stream.namespace, "n");
    assert_true(message.trace.row_estimate == 1000 && message.trace.byte_estimate < 0);
    assert_false(message.trace.estimate_is_sync);
    message = good("{\"type\":\"TRACE\",\"trace\":{\"type\":\"ESTIMATE\",\"estimate\":{\"type\":\"SYNC\","
                   "\"byte_estimate\":5}}}");
    assert_true(message.trace.estimate_is_sync && message.trace.byte_estimate == 5);
    static const char *const statuses[] = {"STARTED", "RUNNING", "COMPLETE", "INCOMPLETE", "PAUSED"};
    for (int i = 0; i <= AIRBYTE_STREAM_STATUS_OTHER; i++) {
        auto_free char *line =
            mem_printf("{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"stream_status\":{"
                       "\"stream_descriptor\":{\"name\":\"s\"},\"status\":\"%s\",\"reasons\":null}}}",
                       statuses[i]);
        message = good(line);
        assert_int_equal(message.trace.type, AIRBYTE_TRACE_STREAM_STATUS);
        assert_int_equal(message.trace.status, i);
    }
    message = good("{\"type\":\"TRACE\",\"trace\":{\"type\":\"ANALYTICS\",\"analytics\":{\"type\":\"x\"}}}");
    assert_int_equal(message.trace.type, AIRBYTE_TRACE_ANALYTICS);
    message = good("{\"type\":\"TRACE\",\"trace\":{\"type\":\"NEW\"}}");
    assert_int_equal(message.trace.type, AIRBYTE_TRACE_OTHER);
}

static void test_others(void **state)
{
    (void)state;
    struct airbyte_message message = good(
        "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"FAILED\",\"message\":\"m\"}}");
    assert_int_equal(message.type, AIRBYTE_CONNECTION_STATUS);
    assert_false(message.status.succeeded);
    assert_node(message.status.message, "\"m\"");
    assert_true(good("{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"SUCCEEDED\"}}")
                    .status.succeeded);
    message = good("{\"type\":\"CONTROL\",\"control\":{\"type\":\"CONNECTOR_CONFIG\",\"emitted_at\":1,"
                   "\"connectorConfig\":{\"config\":{\"a\":1}}}}");
    assert_node(message.control.config, "{\"a\":1}");
    assert_node(good("{\"type\":\"CONTROL\",\"control\":{\"type\":\"LATER\"}}").control.config, NULL);
    message = good("{\"type\":\"SPEC\",\"spec\":{\"connectionSpecification\":{}}}");
    assert_int_equal(message.type, AIRBYTE_SPEC);
    assert_node(message.payload, "{\"connectionSpecification\":{}}");
    assert_int_equal(good("{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[]}}").type, AIRBYTE_CATALOG);
    assert_int_equal(
        good("{\"type\":\"DESTINATION_CATALOG\",\"destination_catalog\":{\"operations\":[]}}").type,
        AIRBYTE_DESTINATION_CATALOG);
}

static void test_no_messages(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "1",
        "\"text\"",
        "null",
        "[]",
        "{}",
        "[{\"type\":\"RECORD\"}]",
        "{\"type\":7}",
        "{\"type\":null}",
        "{\"type\":\"SOMETHING_NEW\",\"something\":{}}",
        "{\"type\":\"record\"}",
        "{\"level\":\"info\",\"msg\":\"x\"}",
        "{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\",\"message\":null}}",
        "{\"type\":\"LOG\",\"log\":{}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(good(lines[i]).type, AIRBYTE_NOT_A_MESSAGE);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"{\"type\":\"RECORD\"}", "record is missing: expected an object"},
        {"{\"type\":\"RECORD\",\"record\":null}", "record is missing: expected an object"},
        {"{\"type\":\"RECORD\",\"record\":[]}", "record must be an object, got []"},
        {"{\"type\":\"RECORD\",\"record\":{\"data\":{},\"emitted_at\":1}}",
         "record.stream is missing: expected a stream's name (a string)"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":5,\"data\":{},\"emitted_at\":1}}",
         "record.stream must be a stream's name (a string), got 5"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"namespace\":[],\"data\":{},\"emitted_at\":1}}",
         "namespace must be a string or null, got []"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":[1],\"emitted_at\":1}}",
         "record.data must be an object, got [1]"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":{}}}",
         "record.emitted_at is missing: expected a time in milliseconds"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":{},\"emitted_at\":\"now\"}}",
         "record.emitted_at must be a time in milliseconds, got \"now\""},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"STRAEM\"}}",
         "state.type must be \"STREAM\", \"GLOBAL\" or \"LEGACY\", got \"STRAEM\""},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\"}}",
         "state.stream is missing: expected an object"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_state\":{}}}}",
         "state.stream.stream_descriptor is missing: expected a stream descriptor {\"name\", \"namespace\"}"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{}}}}",
         "state.stream.stream_descriptor: name is missing: expected a stream's name (a string)"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"stream_states\":[{}]}}}",
         "state.global.stream_states[].stream_descriptor is missing: expected a stream descriptor {\"name\", "
         "\"namespace\"}"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"stream_states\":[1]}}}",
         "state.global.stream_states[] must be an object, got 1"},
        {"{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"stream_status\":{\"status\":"
         "\"STARTED\"}}}",
         "trace.stream_status.stream_descriptor is missing: expected a stream descriptor {\"name\", "
         "\"namespace\"}"},
        {"{\"type\":\"TRACE\",\"trace\":{\"type\":\"ESTIMATE\",\"estimate\":{\"type\":\"STREAM\"}}}",
         "trace.estimate.name is missing: expected a stream's name (a string)"},
        {"{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"OK\"}}",
         "connectionStatus.status must be \"SUCCEEDED\" or \"FAILED\", got \"OK\""},
        {"{\"type\":\"SPEC\",\"spec\":{}}", "spec.connectionSpecification is missing: expected an object"},
        {"{\"type\":\"CATALOG\",\"catalog\":{\"streams\":{}}}", "catalog.streams must be an array, got {}"},
        {"{\"type\":\"CONTROL\",\"control\":{\"type\":\"CONNECTOR_CONFIG\"}}",
         "control.connectorConfig.config is missing: expected an object"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":"
         "\"0123456789012345678901234567890123456789012345678901234"
         "567890123456789\",\"emitted_at\":1}}",
         "record.data must be an object, got \"01234567890123456789012345678901234567890123456789012345678…"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct airbyte_message message;
        assert_int_equal(decode(cases[i].line, &message), -1);
        assert_string_equal(err.message, cases[i].message);
    }
}

/* A member of the message itself that stands twice loses what the first held. In data, states, configs and
 * schemas, and of names that the protocol does not know, it is nothing to us. */
static void test_doubled(void **state)
{
    (void)state;
    static const struct {
        const char *line, *name; /* NULL: right */
    } cases[] = {
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"emitted_at\":1,\"data\":{\"id\":1}},"
         "\"record\":{\"stream\":\"a\",\"emitted_at\":1,\"data\":{\"id\":2}}}",
         "record"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"data\":{\"id\":1},\"emitted_at\":1,"
         " \"d\\u0061ta\" : {\"id\":2}}}",
         "data"},
        {"{\"type\":\"STATE\", "
         "\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"emitted_at\":1,\"data\":{}}}",
         "type"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
         "\"a\","
         "\"name\":\"b\"},\"stream_state\":{}}}}",
         "name"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"stream_states\":[ "
         "{\"stream_descriptor\":{\"name\":\"a\"},\"stream_state\":1 , \"stream_state\":2}]}}}",
         "stream_state"},
        {"{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"stream_status\":{\"status\":"
         "\"COMPLETE\","
         "\"stream_descriptor\":{\"name\":\"a\"},\"status\":\"INCOMPLETE\"}}}",
         "status"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"emitted_at\":1,\"data\":{\"data\":[\"]}\\\"\"],"
         "\"type\":{},\"type\":[1,{\"a\":1,\"a\":2}]}}}",
         NULL},
        {"{\"type\":\"STATE\",\"state\":{\"global_\":null,\"type\":\"STREAM\",\"stream\":{\"stream_"
         "descriptor\":{"
         "\"name\":\"a\"},\"stream_state\":{\"name\":1,\"name\":2}},\"global_\":null}}",
         NULL},
        {"{\"type\":\"CONTROL\",\"control\":{\"type\":\"CONNECTOR_CONFIG\",\"connectorConfig\":{\"config\":{"
         "\"name\":1,\"name\":2}}}}",
         NULL},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"emitted_at\":1,\"data\":{},\"meta\":{},"
         "\"meta\":"
         "{\"changes\":[]}}}",
         "meta"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"emitted_at\":1,\"data\":{},\"meta\":{"
         "\"changes\":["
         "{\"field\":\"a\",\"change\":\"NULLED\",\"field\":\"b\"}]}}}",
         "field"},
        {"{\"type\":\"SPEC\",\"spec\":{\"connectionSpecification\":{\"properties\":{\"p\":{\"airbyte_"
         "secret\":true}}},"
         "\"connectionSpecification\":{}}}",
         "connectionSpecification"},
        {"{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[{\"name\":\"a\",\"json_schema\":{},\"name\":\"b\"}]"
         "}}",
         "name"},
        {"{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[{\"name\":\"a\",\"json_schema\":{}}],\"streams\":[]"
         "}}",
         "streams"},
        {"{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[{\"name\":\"a\",\"json_schema\":{\"properties\":{"
         "\"name\":"
         "{\"type\":\"string\"},\"name\":{}}}}]}}",
         NULL},
        {"{\"type\":\"SPEC\",\"spec\":{\"connectionSpecification\":{\"type\":\"object\",\"type\":\"object\"}}"
         "}",
         NULL},
        {"{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\",\"message\":\"a\",\"message\":\"b\"}}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct airbyte_message message;
        int result = decode(cases[i].line, &message);
        assert_true(doc.duplicates > 0);
        if (result != (cases[i].name ? -1 : 0))
            fail_msg("%s: %s", cases[i].line, result < 0 ? err.message : "taken");
        if (cases[i].name) {
            char wanted[64];
            snprintf(wanted, sizeof wanted, "the member \"%s\" twice", cases[i].name);
            if (!strstr(err.message, wanted))
                fail_msg("%s: %s", cases[i].line, err.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),     cmocka_unit_test(test_record_allocates_nothing),
        cmocka_unit_test(test_states),      cmocka_unit_test(test_logs),
        cmocka_unit_test(test_traces),      cmocka_unit_test(test_others),
        cmocka_unit_test(test_no_messages), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_doubled),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
