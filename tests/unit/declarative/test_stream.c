/* Streams as a whole: routers, cursors, states and requests together, against a server that answers from a
 * list. One slice at a time, so that the order of requests is known. */
#include "connectors/source-declarative/stream/moment.h"
#include "connectors/source-declarative/stream/stream.h"

#include "lab.h"
#include "lab_server.h"

struct reader {
    struct lab lab;
    struct declared_stream *stream;
    struct buffer told; /* records and states, as they came */
    const char *state;
};

static int take_record(void *context, struct record *record, struct error *err)
{
    struct reader *reader = context;
    buffer_byte(&reader->told, ' ');
    return value_write(&reader->told, &record->data, err);
}

static int take_state(void *context, struct tvalue state, struct error *err)
{
    struct reader *reader = context;
    buffer_str(&reader->told, "\nstate ");
    return value_write(&reader->told, &state, err);
}

static int read_stream(void *context, struct error *err)
{
    struct reader *reader = context;
    struct fiber_gate slots = {.max = 1};
    struct stream_sink sink = {take_record, take_state, reader};
    if (declared_stream_set_state(reader->stream, slice_of(reader->state), err) != 0)
        return -1;
    return declared_stream_read(reader->stream, &slots, &sink, err);
}

static int check_stream(void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena arena;
    const char *reason;
    arena_init(&arena);
    int result = declared_stream_available(reader->stream, &arena, &reason, err);
    if (result == 0)
        buffer_str(&reader->told, reason ? " no" : " yes");
    arena_done(&arena);
    return result;
}

#define REQUESTER(path)                                                                                   \
    "\"requester\": {\"type\": \"HttpRequester\", \"url_base\": \"http://127.0.0.1:{{ config.port }}\", " \
    "\"path\": \"" path "\"}"
#define OPTION(name) \
    "{\"type\": \"RequestOption\", \"inject_into\": \"request_parameter\", \"field_name\": \"" name "\"}"
#define CURSOR                                                                                  \
    ", \"incremental_sync\": {\"type\": \"DatetimeBasedCursor\", \"cursor_field\": \"u\", "     \
    "\"datetime_format\": \"%Y-%m-%d\", \"start_datetime\": \"2024-01-01\", \"end_datetime\": " \
    "\"2024-01-10\", \"start_time_option\": " OPTION("from") ", \"end_time_option\": " OPTION("to")
#define SELECTOR                                                                     \
    "\"record_selector\": {\"type\": \"RecordSelector\", \"extractor\": {\"type\": " \
    "\"DpathExtractor\", \"field_path\": [\"r\"]}}"
#define PARENT(fields, cursor)                                                                       \
    ", \"partition_router\": {\"type\": \"SubstreamPartitionRouter\", \"parent_stream_configs\": [{" \
    "\"type\": \"ParentStreamConfig\", \"parent_key\": \"id\", \"partition_field\": \"p\", "         \
    "\"request_option\": " OPTION("of") fields                                                       \
        ", \"stream\": {\"type\": \"DeclarativeStream\", "                                           \
        "\"name\": \"above\", \"retriever\": {\"type\": \"SimpleRetriever\", " SELECTOR              \
        ", " REQUESTER("x?above=1") "}" cursor "}}]}"

/* `retriever`: what follows its requester, within the retriever; `stream`: beside the retriever. */
static void check_run(const char *retriever, const char *stream, const char *state, const char *const *list,
                      fiber_body *body, const char *expected)
{
    struct reader reader = {.state = state};
    struct server server;
    struct buffer got;
    struct arena arena;
    struct error err = {0};
    arena_init(&arena);
    buffer_init(&got, 1 << 20);
    buffer_init(&reader.told, 1 << 20);
    server_open(&server, rules);
    answers = list;
    atomic_store(&answered, 0);
    /* lab_open closes the retriever and the stream itself: what is beside the retriever goes between. */
    char *fields = arena_printf(&arena, "%s%s}%s, \"x\": {\"a\": 1", REQUESTER("x"), retriever, stream);
    lab_open(&reader.lab, fields, "", arena_printf(&arena, "{\"port\": %u}", server.port));
    struct component streams = component_get(manifest_root(reader.lab.manifest), "streams");
    int result = declared_stream_compile(reader.lab.engine, component_at(streams, 0), &reader.stream, &err);
    if (result == 0)
        result = fibers_call(reader.lab.engine->fibers, body, &reader, &err);
    asked(&server, &got);
    buffer_printf(&got, "=>%s", buffer_cstr(&reader.told));
    if (result != 0)
        buffer_printf(&got, "\nerror");
    if (strcmp(buffer_cstr(&got), expected) != 0)
        fail_msg("got:\n%s %s\nexpected:\n%s", buffer_cstr(&got), err.message, expected);
    lab_close(&reader.lab);
    server_close(&server);
    arena_done(&arena);
    buffer_done(&got);
    buffer_done(&reader.told);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__})
#define A "200|{\"r\": [{\"id\":1,\"u\":\"2024-01-03\"}]}"
#define B "200|{\"r\": [{\"id\":2,\"u\":\"2024-01-05\"}]}"
#define TWO "200|{\"r\": [{\"id\":7},{\"no\":1},{\"id\":8}]}"

static void test_plain(void **state)
{
    (void)state;
    check_run("", "", "", LIST(A), read_stream,
              "GET /x\n=> {\"id\":1,\"u\":\"2024-01-03\"}\nstate {\"__ab_no_cursor_state_message\":true}");
    check_run("", "", "", LIST(A), check_stream, "GET /x\n=> yes");
    check_run("", "", "", LIST("200|{\"r\": []}"), check_stream, "GET /x\n=> yes");
    check_run("", "", "", LIST("404|{}"), check_stream, "GET /x\n=> no");
    check_run("", "", "", LIST("404|{}"), read_stream,
              "GET /x\n=>\nstate {\"__ab_no_cursor_state_message\":true}\nerror");
}

static void test_lists(void **state)
{
    (void)state;
    check_run(", \"partition_router\": {\"type\": \"ListPartitionRouter\", \"cursor_field\": \"p\", "
              "\"values\": [\"a\", \"b\"], \"request_option\": " OPTION("q") "}",
              "", "", LIST(A, B), read_stream,
              "GET /x?q=a\nGET /x?q=b\n=> {\"id\":1,\"u\":\"2024-01-03\"} {\"id\":2,\"u\":\"2024-01-05\"}"
              "\nstate {\"__ab_no_cursor_state_message\":true}");
    check_run(", \"partition_router\": [{\"type\": \"ListPartitionRouter\", \"cursor_field\": \"p\", "
              "\"values\": [\"a\", \"b\"], \"request_option\": " OPTION(
                  "q") "}, {\"type\": "
                       "\"ListPartitionRouter\", \"cursor_field\": \"s\", \"values\": \"{{ ['1', 2] }}\", "
                       "\"request_option\": " OPTION("s") "}]",
              "", "", LIST("200", "200", "200", "200"), read_stream,
              "GET /x?q=a&s=1\nGET /x?q=a&s=2\nGET /x?q=b&s=1\nGET /x?q=b&s=2\n=>"
              "\nstate {\"__ab_no_cursor_state_message\":true}");
}

static void test_windows(void **state)
{
    (void)state;
    check_run("", CURSOR "}", "", LIST(A), read_stream,
              "GET /x?from=2024-01-01&to=2024-01-10\n=> {\"id\":1,\"u\":\"2024-01-03\"}"
              "\nstate {\"u\":\"2024-01-03\"}\nstate {\"u\":\"2024-01-03\"}");
    check_run("", CURSOR ", \"step\": \"P5D\", \"cursor_granularity\": \"P1D\"}", "{\"u\":\"2024-01-02\"}",
              LIST(A, B), read_stream,
              "GET /x?from=2024-01-02&to=2024-01-06\nGET /x?from=2024-01-07&to=2024-01-10\n=>"
              " {\"id\":1,\"u\":\"2024-01-03\"}\nstate {\"u\":\"2024-01-03\"}"
              " {\"id\":2,\"u\":\"2024-01-05\"}\nstate {\"u\":\"2024-01-05\"}\nstate {\"u\":\"2024-01-05\"}");
    check_run("", CURSOR ", \"is_client_side_incremental\": true}", "{\"u\":\"2024-01-04\"}",
              LIST("200|{\"r\": [{\"id\":1,\"u\":\"2024-01-03\"},{\"id\":2,\"u\":\"2024-01-05\"}]}"),
              read_stream,
              "GET /x?from=2024-01-04&to=2024-01-10\n=> {\"id\":2,\"u\":\"2024-01-05\"}"
              "\nstate {\"u\":\"2024-01-05\"}\nstate {\"u\":\"2024-01-05\"}");
}

static void test_substreams(void **state)
{
    (void)state;
    check_run(PARENT("", ""), "", "", LIST(TWO, A, B), read_stream,
              "GET /x?above=1\nGET /x?of=7\nGET /x?of=8\n=> {\"id\":1,\"u\":\"2024-01-03\"}"
              " {\"id\":2,\"u\":\"2024-01-05\"}\nstate {\"__ab_no_cursor_state_message\":true}");
    check_run(
        PARENT("", ""),
        ", \"state_migrations\": [{\"type\": \"LegacyToPerPartitionStateMigration\"}]" CURSOR "}",
        "{\"7\":{\"u\":\"2024-01-06\"}}", LIST("200|{\"r\": [{\"id\":\"7\"}]}", A), read_stream,
        "GET /x?above=1\nGET /x?of=7&from=2024-01-06&to=2024-01-10\n=> {\"id\":1,\"u\":\"2024-01-03\"}"
        "\nstate {\"use_global_cursor\":false,\"states\":[{\"partition\":{\"p\":\"7\",\"parent_slice\":{}},"
        "\"cursor\":{\"u\":\"2024-01-06\"}}],\"lookback_window\":0,\"parent_state\":{}}"
        "\nstate {\"use_global_cursor\":false,\"states\":[{\"partition\":{\"p\":\"7\",\"parent_slice\":{}},"
        "\"cursor\":{\"u\":\"2024-01-06\"}}],\"state\":{\"u\":\"2024-01-06\"},\"lookback_window\":1,"
        "\"parent_state\":{}}");
}

/* A parent's state is only told once all its children have been read. */
static void test_parents_states(void **state)
{
    (void)state;
    check_run(
        PARENT(", \"incremental_dependency\": true", CURSOR "}"), CURSOR "}",
        "{\"states\":[],\"parent_state\":{\"above\":{\"u\":\"2024-01-02\"}}}",
        LIST("200|{\"r\": [{\"id\":\"7\",\"u\":\"2024-01-04\"}]}", A), read_stream,
        "GET /x?above=1&from=2024-01-02&to=2024-01-10\nGET /x?of=7&from=2024-01-01&to=2024-01-10\n=>"
        " {\"id\":1,\"u\":\"2024-01-03\"}"
        "\nstate {\"use_global_cursor\":false,\"states\":[{\"partition\":{\"p\":\"7\",\"parent_slice\":{}},"
        "\"cursor\":{\"u\":\"2024-01-03\"}}],\"lookback_window\":0,"
        "\"parent_state\":{\"above\":{\"u\":\"2024-01-02\"}}}"
        "\nstate {\"use_global_cursor\":false,\"states\":[{\"partition\":{\"p\":\"7\",\"parent_slice\":{}},"
        "\"cursor\":{\"u\":\"2024-01-03\"}}],\"state\":{\"u\":\"2024-01-03\"},\"lookback_window\":1,"
        "\"parent_state\":{\"above\":{\"u\":\"2024-01-04\"}}}");
}

/* A state commits what came before it: one that does not say that it was read would have it read twice. */
static void test_no_progress(void **state)
{
    (void)state;
    check_run(", \"partition_router\": {\"type\": \"ListPartitionRouter\", \"cursor_field\": \"p\", "
              "\"values\": [\"a\", \"b\"]}",
              CURSOR ", \"global_substream_cursor\": true}", "", LIST(A, B), read_stream,
              "GET /x?from=2024-01-01&to=2024-01-10\nGET /x?from=2024-01-01&to=2024-01-10\n=>"
              " {\"id\":1,\"u\":\"2024-01-03\"} {\"id\":2,\"u\":\"2024-01-05\"}"
              "\nstate {\"use_global_cursor\":true,\"state\":{\"u\":\"2024-01-05\"},\"lookback_window\":1}");
    check_run("", CURSOR ", \"step\": \"P4D\", \"cursor_granularity\": \"P1D\"}", "",
              LIST(A, "200|{\"r\": [{\"id\":3,\"u\":\"2024-01-02\"}]}", "200|{\"r\": []}"), read_stream,
              "GET /x?from=2024-01-01&to=2024-01-04\nGET /x?from=2024-01-05&to=2024-01-08\n"
              "GET /x?from=2024-01-09&to=2024-01-10\n=> {\"id\":1,\"u\":\"2024-01-03\"}"
              "\nstate {\"u\":\"2024-01-03\"} {\"id\":3,\"u\":\"2024-01-02\"}\nstate {\"u\":\"2024-01-03\"}");
}

/* Units of time that come with a fraction, as JSON has them: whole ones count. A text is no such number. */
static void test_units(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        double number;
        int64_t at;
    } cases[] = {
        {"%s", 1704067200.0, 1704067200000000},
        {"%s", 1704067200.9, 1704067200000000},
        {"%s", -1.5, -1000000},
        {"%ms", 1704067200123.0, 1704067200123000},
        {"%epoch_microseconds", 1704067200123456.0, 1704067200123456},
        {"%s_as_float", 1704067200.5, 1704067200500000},
    };
    struct arena arena = {0};
    struct error err = {0};
    struct point point;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tvalue value = tvalue_float(cases[i].number);
        struct slice format = slice_of(cases[i].format);
        assert_int_equal(point_parse(&arena, &value, &format, 1, &point, &err), 0);
        assert_int_equal(point.at, cases[i].at);
    }
    struct tvalue text = tvalue_string(SLICE_LITERAL("1704067200.0"));
    assert_int_equal(point_parse(&arena, &text, &SLICE_LITERAL("%s"), 1, &point, &err), -1);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),          cmocka_unit_test(test_lists),
        cmocka_unit_test(test_windows),        cmocka_unit_test(test_substreams),
        cmocka_unit_test(test_parents_states), cmocka_unit_test(test_units),
        cmocka_unit_test(test_no_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
