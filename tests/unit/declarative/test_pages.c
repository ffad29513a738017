#include "connectors/source-declarative/page/pages.h"

#include "lab.h"
#include "lab_server.h"

struct reader {
    struct lab lab;
    struct pages *pages;
    struct tvalue slice;
    struct buffer records;
};

static int take(void *context, struct record *record, struct error *err)
{
    struct reader *reader = context;
    buffer_byte(&reader->records, ' ');
    return value_write(&reader->records, &record->data, err);
}

static int read_it(void *context, struct error *err)
{
    struct reader *reader = context;
    return pages_read(reader->pages, reader->slice, NULL, take, reader, err);
}

/* As a router: ?part=v1. */
static int add_part(void *context, struct scope *scope, struct tvalue stream_slice, struct options *options,
                    struct error *err)
{
    (void)context, (void)scope, (void)stream_slice;
    return options_put(options, OPTION_PARAMETER, tvalue_cstring("part"), tvalue_cstring("v1"), options->who,
                       err);
}

/* As a cursor that got one step further each time, twice. */
static int reduce(void *context, struct tvalue stream_slice, struct arena *arena, struct tvalue *ret_slice,
                  struct error *err)
{
    (void)stream_slice, (void)err;
    int *steps = context;
    struct tvalue dict = tvalue_dict(arena);
    tdict_set_name(arena, dict.dict, "from", tvalue_int(*steps < 2 ? ++*steps : 2));
    *ret_slice = tvalue_stream_slice(arena, tvalue_none(), dict, tvalue_none());
    return 0;
}

static bool is_old(void *context, const struct record *record)
{
    struct tvalue id;
    struct arena arena = {0};
    (void)context;
    bool old = tvalue_member_name(&arena, &record->data, SLICE_LITERAL("id"), &id) && id.integer > 90;
    arena_done(&arena);
    return old;
}

static bool is_not_5(void *context, const struct record *record)
{
    struct tvalue id;
    struct arena arena = {0};
    (void)context;
    bool is_5 = tvalue_member_name(&arena, &record->data, SLICE_LITERAL("id"), &id) && id.integer == 5;
    arena_done(&arena);
    return !is_5;
}

static void check_hooks(const char *fields, const char *requester, const char *const *list,
                        const struct pages_settings *settings, const char *expected)
{
    struct server server;
    struct reader reader = {.slice = {.kind = TVALUE_NONE}};
    struct buffer got;
    struct error err = {0};
    struct arena arena = {0};
    buffer_init(&got, 1 << 20);
    buffer_init(&reader.records, 1 << 20);
    server_open(&server, rules);
    answers = list;
    atomic_store(&answered, 0);
    char *retriever = arena_printf(&arena,
                                   "\"requester\": {\"type\": \"HttpRequester\", \"url_base\": "
                                   "\"http://127.0.0.1:PORT\", \"path\": \"x\"%s}%s",
                                   requester, fields);
    lab_open(&reader.lab, with_port(&arena, retriever, server.port), "", "{\"n\": 2}");
    int result = pages_compile(reader.lab.engine, lab_retriever(&reader.lab), settings, &reader.pages, &err);
    if (result == 0)
        result = fibers_call(reader.lab.engine->fibers, read_it, &reader, &err);
    asked(&server, &got);
    buffer_printf(&got, "=>%s", buffer_cstr(&reader.records));
    buffer_cstr(&got);
    for (char *at; (at = strstr(got.data, "GET /x"));) { /* what is left is the query */
        memmove(at, at + 6, strlen(at + 6) + 1);
        got.size -= 6;
    }
    if (result != 0) {
        const char *place = strstr(err.message, "): ");
        buffer_printf(&got, " %s: %s", error_code_name(err.code), place ? place + 3 : err.message);
    }
    if (strcmp(buffer_cstr(&got), expected) != 0)
        fail_msg("%s%s\ngot:\n%s\nexpected:\n%s", fields, requester, buffer_cstr(&got), expected);
    lab_close(&reader.lab);
    server_close(&server);
    arena_done(&arena);
    buffer_done(&got);
    buffer_done(&reader.records);
}

static void check(const char *fields, const char *requester, const char *const *list, const char *expected)
{
    struct pages_settings settings = {.stream_name = "s", .transformations = {NULL, JSON_NONE}};
    check_hooks(fields, requester, list, &settings, expected);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__})
#define OPTION(name) \
    "{\"type\": \"RequestOption\", \"inject_into\": \"request_parameter\", \"field_name\": \"" name "\"}"
#define PAGED(strategy) \
    ", \"paginator\": {\"type\": \"DefaultPaginator\", \"pagination_strategy\": {\"type\": " strategy "}"
#define TOKEN ", \"page_token_option\": " OPTION("t")
#define SIZE ", \"page_size_option\": " OPTION("n")
#define PAGES_2 PAGED("\"PageIncrement\", \"page_size\": 2") TOKEN SIZE "}"
#define CURSOR PAGED("\"CursorPagination\", \"cursor_value\": \"{{ response.next }}\"") TOKEN "}"
#define TWO "200|{\"r\": [{\"id\":1}, {\"id\":2}]}"
#define ONE "200|{\"r\": [{\"id\":3}]}"
#define ZERO "200|{\"r\": [{\"id\":0}]}"
#define NONE "200|{\"r\": []}"

/* What the CDK 7.39 asks for, and gives, of the same. */
static void test_paginators(void **state)
{
    (void)state;
    check("", "", LIST(TWO), "\n=> {\"id\":1} {\"id\":2}");
    check(PAGES_2, "", LIST(TWO, TWO, ONE),
          "?n=2\n?t=1&n=2\n?t=2&n=2\n=> {\"id\":1} {\"id\":2} {\"id\":1} {\"id\":2} {\"id\":3}");
    check(PAGED("\"PageIncrement\", \"page_size\": \"{{ config.n }}\", \"start_from_page\": 1, "
                "\"inject_on_first_request\": true") TOKEN SIZE "}",
          "", LIST(TWO, ONE), "?t=1&n=2\n?t=2&n=2\n=> {\"id\":1} {\"id\":2} {\"id\":3}");
    check(PAGED("\"PageIncrement\"") TOKEN "}", "", LIST(ONE, ONE, NONE),
          "\n?t=1\n?t=2\n=> {\"id\":3} {\"id\":3}");
    check(PAGED("\"OffsetIncrement\", \"page_size\": 2") TOKEN SIZE "}", "", LIST(TWO, TWO, NONE),
          "?n=2\n?t=2&n=2\n?t=4&n=2\n=> {\"id\":1} {\"id\":2} {\"id\":1} {\"id\":2}");
    check(PAGED("\"OffsetIncrement\", \"page_size\": 2, \"inject_on_first_request\": true") TOKEN "}", "",
          LIST(ONE), "?t=0\n=> {\"id\":3}");
    check(CURSOR, "",
          LIST("200|{\"next\": \"a\", \"r\": [{\"id\":1}]}", "200|{\"next\": 5, \"r\": []}",
               "200|{\"next\": \"\", \"r\": [{\"id\":2}]}"),
          "\n?t=a\n?t=5\n=> {\"id\":1} {\"id\":2}");
    /* a cursor that stays the same is gone on with */
    check(CURSOR, "",
          LIST("200|{\"next\": \"a\", \"r\": [{\"id\":1}]}", "200|{\"next\": \"a\", \"r\": [{\"id\":2}]}",
               "200|{\"next\": false}"),
          "\n?t=a\n?t=a\n=> {\"id\":1} {\"id\":2}");
    check(
        PAGED("\"CursorPagination\", \"cursor_value\": \"{{ last_record['id'] }}\", \"stop_condition\": \"{{ "
              "last_page_size < 2 }}\"") TOKEN "}",
        "", LIST(TWO, ONE), "\n?t=2\n=> {\"id\":1} {\"id\":2} {\"id\":3}");
    check(PAGED("\"CursorPagination\", \"cursor_value\": \"{{ headers['link']['next']['url'] }}\", "
                "\"stop_condition\": \"{{ 'next' not in headers['link'] }}\"") ", \"page_token_option\": "
                                                                               "{\"type\": "
                                                                               "\"RequestPath\"}}",
          "", LIST("200 Link: </x?p=2>; rel=\"next\"|{\"r\": [{\"id\":1}]}", ONE),
          "\n?p=2\n=> {\"id\":1} {\"id\":3}");
    check(PAGED("\"CursorPagination\", \"cursor_value\": \"{{ nope }}\"") TOKEN "}", "", LIST(TWO),
          "\n=> {\"id\":1} {\"id\":2} invalid: template '{{ nope }}', "
          "line 1 column 4: there is no 'nope' here");
}

#define FILTER(codes, action)                                                                     \
    ", \"error_handler\": {\"type\": \"DefaultErrorHandler\", \"response_filters\": [{\"type\": " \
    "\"HttpResponseFilter\", " codes ", \"action\": \"" action "\"}]}"

static void test_answers(void **state)
{
    (void)state;
    /* of a bad status nothing is read, and no page follows */
    check(CURSOR, FILTER("\"http_codes\": [404]", "IGNORE"),
          LIST("404|{\"next\": \"a\", \"r\": [{\"id\":1}]}"), "\n=>");
    check(CURSOR, FILTER("\"http_codes\": [500]", "SUCCESS"),
          LIST("500|{\"next\": \"a\", \"r\": [{\"id\":1}]}"), "\n=>");
    /* of a good one all, also where it is ignored */
    check(CURSOR, FILTER("\"predicate\": \"{{ response.bad }}\"", "IGNORE"),
          LIST("200|{\"bad\": 1, \"next\": \"a\", \"r\": [{\"id\":1}]}", ONE),
          "\n?t=a\n=> {\"id\":1} {\"id\":3}");
    check(CURSOR, "", LIST("204|"), "\n=>");
    check(CURSOR, "", LIST("200|hello"), "\n=> protocol: expected a value, got 'h'");
    check(CURSOR, FILTER("\"predicate\": \"{{ not response }}\"", "IGNORE"), LIST("200|hello"), "\n=>");
}

static void test_hooks(void **state)
{
    (void)state;
    struct pages_settings settings = {
        .stream_name = "s", .transformations = {NULL, JSON_NONE}, .hooks = {.add_options = add_part}};
    check_hooks(PAGES_2, ", \"request_parameters\": {\"own\": \"1\"}", LIST(TWO, ONE), &settings,
                "?own=1&n=2&part=v1\n?own=1&t=1&n=2&part=v1\n=> {\"id\":1} {\"id\":2} {\"id\":3}");
    check_hooks(PAGES_2 ", \"ignore_stream_slicer_parameters_on_paginated_requests\": true", "",
                LIST(TWO, ONE), &settings, "?n=2&part=v1\n?t=1&n=2\n=> {\"id\":1} {\"id\":2} {\"id\":3}");
    check_hooks(
        PAGED("\"PageIncrement\", \"page_size\": 2") ", \"page_size_option\": " OPTION("part") "}", "",
        LIST(TWO), &settings,
        "=> connector: the partition router or the cursor adds the parameter \"part\", which the request has "
        "already; names must differ");
    struct pages_settings feed = {
        .stream_name = "s", .transformations = {NULL, JSON_NONE}, .hooks = {.is_old = is_old}};
    check_hooks(
        PAGES_2, "",
        LIST(TWO, "200|{\"r\": [{\"id\":99}, {\"id\":5}]}", "200|{\"r\": [{\"id\":5}, {\"id\":99}]}"), &feed,
        "?n=2\n?t=1&n=2\n?t=2&n=2\n=> {\"id\":1} {\"id\":2} {\"id\":99} {\"id\":5} {\"id\":5} {\"id\":99}");
    struct record_gate gate = {is_not_5, NULL};
    struct pages_settings gated = {
        .stream_name = "s", .transformations = {NULL, JSON_NONE}, .post_filter = &gate};
    check_hooks(
        PAGED("\"CursorPagination\", \"cursor_value\": \"{{ last_record.id }}\", \"stop_condition\": \"{{ "
              "last_page_size < 2 }}\"") TOKEN "}",
        "", LIST("200|{\"r\": [{\"id\":4}, {\"id\":5}]}", ONE), &gated, "\n?t=5\n=> {\"id\":4} {\"id\":3}");
}

#define RESET(action, limits) \
    ", \"pagination_reset\": {\"type\": \"PaginationReset\", \"action\": \"" action "\"" limits "}"
#define LIMIT_3 ", \"limits\": {\"type\": \"PaginationResetLimits\", \"number_of_records\": 3}"
#define ON_400 FILTER("\"http_codes\": [400]", "RESET_PAGINATION")

static void test_resets(void **state)
{
    (void)state;
    check(PAGES_2 RESET("RESET", ""), ON_400, LIST(TWO, "400|", TWO, ONE),
          "?n=2\n?t=1&n=2\n?n=2\n?t=1&n=2\n=> {\"id\":1} {\"id\":2} {\"id\":1} {\"id\":2} {\"id\":3}");
    check(PAGES_2, ON_400, LIST("400|", ONE), "?n=2\n?n=2\n=> {\"id\":3}");
    check(PAGES_2 RESET("RESET", LIMIT_3), "", LIST(TWO, TWO, TWO, TWO),
          "?n=2\n?t=1&n=2\n?n=2\n?t=1&n=2\n=> {\"id\":1} {\"id\":2} {\"id\":1} {\"id\":2} {\"id\":1} "
          "{\"id\":2} "
          "{\"id\":1} {\"id\":2} connector: pagination was reset twice for the same slice; it has no end");
    int steps = 0;
    struct pages_settings settings = {.stream_name = "s",
                                      .transformations = {NULL, JSON_NONE},
                                      .hooks = {.reduce_slice = reduce, .context = &steps}};
    check_hooks(
        PAGES_2 RESET("SPLIT_USING_CURSOR", LIMIT_3),
        ", \"request_parameters\": {\"from\": \"{{ stream_slice.from }}\"}", LIST(TWO, TWO, TWO, TWO, NONE),
        &settings,
        "?n=2\n?t=1&n=2\n?from=1&n=2\n?from=1&t=1&n=2\n?from=2&n=2\n=> {\"id\":1} {\"id\":2} {\"id\":1} "
        "{\"id\":2} {\"id\":1} {\"id\":2} {\"id\":1} {\"id\":2}");
    steps = 0;
    check_hooks(
        PAGES_2 RESET("SPLIT_USING_CURSOR", ""), ON_400, LIST("400|", "400|", "400|", "400|"), &settings,
        "?n=2\n?n=2\n?n=2\n=> connector: pagination is to be reset, and the slice is the same as before: its "
        "cursor did not move");
    check(PAGED("\"OffsetIncrement\", \"page_size\": 2") TOKEN SIZE
          "}, \"page_size_reduction\": {\"type\": \"PageSizeReduction\", \"minimum_page_size\": 1}",
          FILTER("\"http_codes\": [400]", "REDUCE_PAGE_SIZE"), LIST("400|", ONE, NONE),
          "?n=2\n?n=1\n?t=1&n=1\n=> {\"id\":3}");
}

static void test_properties(void **state)
{
    (void)state;
    check("",
          ", \"request_parameters\": {\"z\": \"1\", \"props\": {\"type\": \"QueryProperties\", "
          "\"property_list\": "
          "[\"a\", \"b\"], \"always_include_properties\": [\"id\"]}}",
          LIST(ONE), "?z=1&props=id%2Ca%2Cb\n=> {\"id\":3}");
    check("",
          ", \"query_properties\": {\"type\": \"QueryProperties\", \"property_list\": [\"a\", \"b\"]}, "
          "\"request_parameters\": {\"f\": \"{{ stream_slice.extra_fields['query_properties'] }}\", \"g\": "
          "\"{{ "
          "query_properties }}\"}",
          LIST(ONE), "?f=a&f=b&g=a&g=b\n=> {\"id\":3}");
    /* A key that is a number, 0 too: the CDK stops there, for it joins keys as texts. */
#define CHUNKED                                                                                 \
    ", \"query_properties\": {\"type\": \"QueryProperties\", \"property_list\": [\"a\", \"b\"]" \
    ", \"property_chunking\": {\"type\": \"PropertyChunking\", \"property_limit_type\": "       \
    "\"property_count\", \"property_limit\": 1}}"
    check("", CHUNKED, LIST(ONE, ONE), "\n\n=> {\"id\":3}");
    check("", CHUNKED, LIST(ZERO, ZERO), "\n\n=> {\"id\":0}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paginators), cmocka_unit_test(test_answers),    cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_resets),     cmocka_unit_test(test_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
