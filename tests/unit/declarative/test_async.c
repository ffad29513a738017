/* Jobs of an API, against a server that answers from a list: what is asked, in which order, and how long it
 * takes by a clock that moves only while everybody waits. */
#include "connectors/source-declarative/stream/stream.h"

#include "lab.h"
#include "lab_server.h"

struct reader {
    struct lab lab;
    struct declared_stream *stream;
    struct buffer told;
};

static int take_record(void *context, struct record *record, struct error *err)
{
    struct reader *reader = context;
    buffer_byte(&reader->told, ' ');
    return value_write(&reader->told, &record->data, err);
}

static int take_state(void *context, struct tvalue state, struct error *err)
{
    (void)context, (void)state, (void)err;
    return 0;
}

static int read_stream(void *context, struct error *err)
{
    struct reader *reader = context;
    struct fiber_gate slots = {.max = 1};
    struct stream_sink sink = {take_record, take_state, reader};
    return declared_stream_read(reader->stream, &slots, &sink, err);
}

#define REQUESTER(field, query)                                                                             \
    ", \"" field "\": {\"type\": \"HttpRequester\", \"url_base\": \"http://127.0.0.1:{{ config.port }}\", " \
    "\"path\": \"x?" query "\", \"error_handler\": {\"type\": \"DefaultErrorHandler\", \"max_retries\": 0}}"
#define RETRIEVER                                                                                        \
    "\"requester\": {\"type\": \"HttpRequester\", \"url_base\": \"http://x\"}}}, {\"type\": "            \
    "\"DeclarativeStream\", \"name\": \"jobs\", \"retriever\": {\"type\": \"AsyncRetriever\", "          \
    "\"record_selector\": {\"type\": \"RecordSelector\", \"extractor\": {\"type\": \"DpathExtractor\", " \
    "\"field_path\": []}}, \"status_mapping\": {\"running\": [\"busy\"], \"completed\": [\"done\"], "    \
    "\"failed\": [\"broken\"], \"timeout\": [\"late\"]}, \"status_extractor\": {\"type\": "              \
    "\"DpathExtractor\", \"field_path\": [\"is\"]}" REQUESTER("creation_requester", "make")              \
        REQUESTER("polling_requester", "poll={{ creation_response.id }}")                                \
            REQUESTER("download_requester", "get") REQUESTER("abort_requester", "abort")                 \
                REQUESTER("delete_requester", "delete")

static void check_job(const char *fields, const char *const *list, const char *expected)
{
    struct reader reader = {0};
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
    lab_open(&reader.lab, arena_printf(&arena, "%s%s", RETRIEVER, fields), "",
             arena_printf(&arena, "{\"port\": %u}", server.port));
    struct component streams = component_get(manifest_root(reader.lab.manifest), "streams");
    int result = declared_stream_compile(reader.lab.engine, component_at(streams, 1), &reader.stream, &err);
    if (result == 0)
        result = fibers_call(reader.lab.engine->fibers, read_stream, &reader, &err);
    asked(&server, &got);
    buffer_cstr(&got);
    for (char *at; (at = strstr(got.data, "GET /x?"));) { /* what is left is what is asked for */
        memmove(at, at + 7, strlen(at + 7) + 1);
        got.size -= 7;
    }
    for (size_t i = 0; i < got.size; i++)
        got.data[i] = got.data[i] == '\n' ? ' ' : got.data[i];
    buffer_printf(&got, "=>%s; %llu s%s", buffer_cstr(&reader.told),
                  (unsigned long long)(reader.lab.now_ms - LAB_START_MS * 1000ULL) / 1000,
                  result != 0 ? ", error" : "");
    if (strcmp(buffer_cstr(&got), expected) != 0)
        fail_msg("got:\n%s %s\nexpected:\n%s", buffer_cstr(&got), err.message, expected);
    lab_close(&reader.lab);
    server_close(&server);
    arena_done(&arena);
    buffer_done(&got);
    buffer_done(&reader.told);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__})
#define MADE "201|{\"id\": 7}"
#define IS(word) ("200|{\"is\": \"" word "\"}")
#define BUSY5 IS("busy"), IS("busy"), IS("busy"), IS("busy"), IS("busy")
#define DATA "200|[{\"a\":1},{\"a\":2}]"
#define RECORDS " {\"a\":1} {\"a\":2}"

static void test_jobs(void **state)
{
    (void)state;
    check_job("", LIST(MADE, IS("busy"), IS("done"), DATA, "200|{}"),
              "make poll=7 poll=7 get delete =>" RECORDS "; 5 s");
    check_job("", LIST(MADE, IS("broken"), MADE, IS("done"), DATA, "200|{}"),
              "make poll=7 make poll=7 get delete =>" RECORDS "; 5 s");
    check_job(", \"failed_retry_wait_time_in_seconds\": 60",
              LIST(MADE, IS("broken"), MADE, IS("done"), DATA, "200|{}"),
              "make poll=7 make poll=7 get delete =>" RECORDS "; 65 s");
}

/* One that takes too long is aborted, whether the API says so or we do. */
static void test_late(void **state)
{
    (void)state;
    check_job("", LIST(MADE, IS("late"), "500|{}", MADE, IS("done"), DATA, "200|{}"),
              "make poll=7 abort make poll=7 get delete =>" RECORDS "; 5 s");
    check_job("", LIST(MADE, IS("late"), "200|{}", MADE, IS("late"), "200|{}", MADE, IS("late"), "200|{}"),
              "make poll=7 abort make poll=7 abort make poll=7 abort =>; 10 s, error");
    check_job(", \"polling_job_timeout\": \"{{ 1 }}\"",
              LIST(MADE, BUSY5, BUSY5, IS("busy"), IS("busy"), IS("busy"), IS("busy"), "200|{}", MADE,
                   IS("done"), DATA, "200|{}"),
              "make poll=7 poll=7 poll=7 poll=7 poll=7 poll=7 poll=7 poll=7 poll=7 poll=7 poll=7 poll=7 "
              "poll=7 poll=7 abort make poll=7 get delete =>" RECORDS "; 70 s");
}

static void test_errors(void **state)
{
    (void)state;
    check_job("", LIST("400|{}", "400|{}", "400|{}"), "make make make =>; 10 s, error");
    check_job("", LIST("401|{}"), "make =>; 0 s, error");
    check_job("", LIST(MADE, IS("odd"), "200|{}"), "make poll=7 abort =>; 0 s, error");
    /* A look that fails: the job goes on, and the stream is incomplete all the same. */
    check_job("", LIST(MADE, "404|{}", IS("done"), DATA, "200|{}"),
              "make poll=7 poll=7 get delete =>" RECORDS "; 5 s, error");
    check_job("", LIST(MADE, IS("done"), "404|{}"), "make poll=7 get =>; 0 s, error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
