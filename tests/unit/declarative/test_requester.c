#include "connectors/source-declarative/page/paginator.h"
#include "connectors/source-declarative/request/requester.h"

#include "lab.h"
#include "lab_server.h"

/* --- one call --------------------------------------------------------------------------------------------
 */

struct call {
    struct lab lab;
    struct requester *requester;
    struct request_call call;
    struct answer *answer;
};

static int send_it(void *context, struct error *err)
{
    struct call *call = context;
    return requester_send(call->requester, &call->call, &call->answer, err);
}

/* Fields of the requester beside its URL. What happened: what was asked, then " => " and the status and body,
 * or the error, then the waits. */
static void check_more(const char *fields, const char *more, const char *config, const char *const *list,
                       const char *expected)
{
    struct server server;
    struct call call = {.call.stream_slice = {.kind = TVALUE_NONE},
                        .call.next_page_token = {.kind = TVALUE_NONE}};
    struct buffer got;
    struct error err = {0};
    struct arena arena = {0};
    buffer_init(&got, 1 << 20);
    server_open(&server, rules);
    answers = list;
    atomic_store(&answered, 0);
    bool has_url = strncmp(fields, "\"url", 4) == 0;
    char *retriever =
        arena_printf(&arena, "\"requester\": {\"type\": \"HttpRequester\"%s%s%s}",
                     has_url ? "" : ", \"url_base\": \"http://127.0.0.1:PORT\", \"path\": \"x\"",
                     *fields ? ", " : "", fields);
    lab_open(&call.lab, with_port(&arena, retriever, server.port), more, config);
    struct component requester = component_get(lab_retriever(&call.lab), "requester");
    int result = requester_compile(call.lab.engine, requester, "s", &call.requester, &err);
    if (result == 0)
        result = fibers_call(call.lab.engine->fibers, send_it, &call, &err);
    asked(&server, &got);
    if (result == 0)
        buffer_printf(&got, "=> %d %.*s", call.answer->status, SLICE_ARGS(call.answer->body));
    else
        buffer_printf(&got, "=> %s%s: %s", error_code_name(err.code), err.retriable ? " retriable" : "",
                      err.message);
    buffer_cstr(&got);
    char *place = strstr(got.data, " (m.json:");
    if (place) { /* columns of a manifest on one line tell nothing */
        size_t size = strcspn(place, ")") + 1;
        memmove(place, place + size, strlen(place + size) + 1);
        got.size -= size;
    }
    if (call.lab.waits.size)
        buffer_printf(&got, "; waited %s", buffer_cstr(&call.lab.waits));
    if (call.lab.config.size)
        buffer_printf(&got, "; config %s", buffer_cstr(&call.lab.config));
    const char *shown = with_port(&arena, expected, server.port);
    if (strcmp(buffer_cstr(&got), shown) != 0)
        fail_msg("%s\ngot:\n%s\nexpected:\n%s", fields, buffer_cstr(&got), shown);
    answer_free(call.answer);
    lab_close(&call.lab);
    server_close(&server);
    arena_done(&arena);
    buffer_done(&got);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__})
static void check(const char *fields, const char *config, const char *const *list, const char *expected)
{
    check_more(fields, "", config, list, expected);
}

/* --- requests: what the CDK 7.39 sends of the same -------------------------------------------------------
 */

static const struct {
    const char *fields, *config, *expected;
} requests[] = {
    {"", "{}", "GET /x\n=> 200 {}"},
    {"\"request_parameters\": {\"a\": \"1\", \"c\": \"{{ config.n }}\", \"l\": \"{{ ['x','y z'] }}\", "
     "\"t\": \"{{ true }}\", \"none\": \"{{ none }}\", \"e\": \"\", \"f\": \"1.50\"}",
     "{\"n\": 5}", "GET /x?a=1&c=5&l=x&l=y+z&t=True&none=None&f=1.50\n=> 200 {}"},
    {"\"request_parameters\": \"{{ {'a':1,'b':None,'c':true,'d':1.0,'e':[1,None,'x'],'f':[]} }}\"", "{}",
     "GET /x?a=1&c=True&d=1.0&e=1&e=x\n=> 200 {}"},
    {"\"request_parameters\": \"a=1\"", "{}", "GET /x\n=> 200 {}"},
    {"\"request_headers\": {\"X-A\": \"{{ 5 }}\", \"X-B\": \"{{ none }}\", \"X-C\": \"\", \"x-l\": \"{{ "
     "[1,2] }}\"}",
     "{}", "GET /x [X-A: 5] [x-l: [1, 2]]\n=> 200 {}"},
    {"\"request_headers\": \"{{ {'A':None,'B':1,'C':''} }}\"", "{}", "GET /x [B: 1] [C:]\n=> 200 {}"},
    {"\"request_body_json\": {\"a\": \"{{ 5 }}\", \"b\": {\"c\": \"True\", \"d\": \"{{ none }}\"}, "
     "\"e\": [\"{{ none }}\", \"\\u00e9\"]}",
     "{}",
     "GET /x [Content-Type: application/json] {\"a\": 5, \"b\": {\"c\": true}, \"e\": [null, \"\\u00e9\"]}\n"
     "=> 200 {}"},
    {"\"http_method\": \"POST\", \"request_body_json\": \"{{ {'a':1,'b':None} }}\"", "{}",
     "POST /x [Content-Type: application/json] {\"a\": 1, \"b\": null}\n=> 200 {}"},
    {"\"http_method\": \"POST\", \"request_body_data\": {\"a\": \"{{ 5 }}\", \"b\": \"{{ [1,2] }}\", "
     "\"d\": \"x y\", \"n\": \"{{ none }}\"}",
     "{}", "POST /x [Content-Type: application/x-www-form-urlencoded] a=5&b=1&b=2&d=x+y&n=None\n=> 200 {}"},
    {"\"http_method\": \"POST\", \"request_body_data\": \"a=1&b={{ config.n }}\"", "{\"n\": 5}",
     "POST /x a=1&b=5\n=> 200 {}"},
    {"\"http_method\": \"POST\", \"request_body_data\": \"{\\\"a\\\": 1}\"", "{}",
     "POST /x [Content-Type: application/x-www-form-urlencoded] a=1\n=> 200 {}"},
    {"\"http_method\": \"POST\", \"request_headers\": {\"content-type\": \"application/vnd.api+json\"}, "
     "\"request_body_json\": {\"a\": \"b\"}",
     "{}", "POST /x [content-type: application/vnd.api+json] {\"a\": \"b\"}\n=> 200 {}"},
    {"\"http_method\": \"POST\", \"request_body\": {\"type\": \"RequestBodyPlainText\", \"value\": \"hello "
     "{{ config.n "
     "}}\"}",
     "{\"n\": 5}", "POST /x hello 5\n=> 200 {}"},
    {"\"http_method\": \"POST\", \"request_body\": {\"type\": \"RequestBodyGraphQL\", \"value\": {\"query\": "
     "\"query "
     "{ x(a: \\\"{{ config.s }}\\\") { y } }\"}}",
     "{\"s\": \"t\"}",
     "POST /x [Content-Type: application/json] {\"query\": \"query { x(a: \\\"t\\\") { y } }\"}\n=> 200 {}"},
    {"\"http_method\": \"POST\", \"request_body\": {\"type\": \"RequestBodyJsonObject\", \"value\": {\"a\": "
     "\"{{ "
     "config.n }}\", \"n\": null}}",
     "{\"n\": 5}", "POST /x [Content-Type: application/json] {\"a\": 5}\n=> 200 {}"},
    {"\"url\": \"http://127.0.0.1:PORT/{{ config.p }}?a=b\", \"request_parameters\": {\"q\": \"1\", \"a\": "
     "\"b\"}",
     "{\"p\": \"x\"}", "GET /x?a=b&q=1\n=> 200 {}"},
    {"\"authenticator\": {\"type\": \"BearerAuthenticator\", \"api_token\": \"{{ config['t'] }}\"}",
     "{\"t\": \"007\"}", "GET /x [Authorization: Bearer 007]\n=> 200 {}"},
    {"\"authenticator\": {\"type\": \"BearerAuthenticator\", \"api_token\": \"{{ config['no'] }}\"}", "{}",
     "GET /x [Authorization: Bearer ]\n=> 200 {}"},
    {"\"authenticator\": {\"type\": \"BasicHttpAuthenticator\", \"username\": \"{{ config.u }}\", "
     "\"password\": \"{{ "
     "config.p }}\"}",
     "{\"u\": \"\\u00e9\", \"p\": 12}", "GET /x [Authorization: Basic w6k6MTI=]\n=> 200 {}"},
    {"\"request_parameters\": {\"z\": \"1\"}, \"authenticator\": {\"type\": \"ApiKeyAuthenticator\", "
     "\"api_token\": "
     "\"to k\", \"inject_into\": {\"type\": \"RequestOption\", \"inject_into\": \"request_parameter\", "
     "\"field_name\": \"{{ 'key' }}\"}}",
     "{}", "GET /x?z=1&key=to+k\n=> 200 {}"},
    {"\"authenticator\": {\"type\": \"ApiKeyAuthenticator\", \"api_token\": \"{{ config.t }}\", \"header\": "
     "\"X-{{ "
     "'Key' }}\"}",
     "{\"t\": 12}", "GET /x [X-Key: 12]\n=> 200 {}"},
    {"\"http_method\": \"POST\", \"authenticator\": {\"type\": \"ApiKeyAuthenticator\", \"api_token\": \"{{ "
     "config.t "
     "}}\", \"inject_into\": {\"type\": \"RequestOption\", \"inject_into\": \"body_json\", \"field_path\": "
     "[\"a\", "
     "\"b\"]}}",
     "{\"t\": 12}", "POST /x [Content-Type: application/json] {\"a\": {\"b\": \"12\"}}\n=> 200 {}"},
    {"\"authenticator\": {\"type\": \"SelectiveAuthenticator\", \"authenticator_selection_path\": [\"c\", "
     "\"kind\"], "
     "\"authenticators\": {\"no\": {\"type\": \"NoAuth\"}, \"key\": {\"type\": \"BearerAuthenticator\", "
     "\"api_token\": \"k\"}}}",
     "{\"c\": {\"kind\": \"key\"}}", "GET /x [Authorization: Bearer k]\n=> 200 {}"},
    /* what is wrong */
    {"\"request_parameters\": \"{{ {'a':{'x':1}} }}\"", "{}",
     "=> invalid: streams[0].retriever.requester: a parameter is a dict; it must be a text, a number or a "
     "list"},
    {"\"request_headers\": {\"Authorization\": \"x\"}, \"authenticator\": {\"type\": "
     "\"BearerAuthenticator\", "
     "\"api_token\": \"k\"}",
     "{}",
     "=> connector: streams[0].retriever.requester: the authenticator adds the header \"Authorization\", "
     "which the "
     "request has already; names must differ"},
    {"\"url\": \"ftp://h/x\"", "{}",
     "=> invalid: streams[0].retriever.requester: the URL has no scheme that is HTTP's; it begins with "
     "http:// or "
     "https:// and a host"},
};

static void test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        check(requests[i].fields, requests[i].config, LIST("200"), requests[i].expected);
}

/* --- failures: how often, after what waits, and what comes of it ------------------------------------------
 */

#define HANDLER "\"error_handler\": {\"type\": \"DefaultErrorHandler\", "
#define FILTERS HANDLER "\"response_filters\": [{\"type\": \"HttpResponseFilter\", "
#define WAITS HANDLER "\"backoff_strategies\": [{\"type\": "
#define BROKEN LIST("500", "500", "500", "500", "500", "500", "500")
#define ASKED_6 "GET /x\nGET /x\nGET /x\nGET /x\nGET /x\nGET /x\n"
#define FAILED_500                                                                                          \
    "=> connector retriable: HTTP status 500: the server failed; it was tried as often as is allowed (GET " \
    "http://127.0.0.1:PORT/x)"
#define FAILED_503                                                                                    \
    "=> connector retriable: HTTP status 503: the server is not available; it was tried as often as " \
    "is allowed (GET http://127.0.0.1:PORT/x)"

static void test_retries(void **state)
{
    (void)state;
    check("", "{}", LIST("500", "502", "200"), "GET /x\nGET /x\nGET /x\n=> 200 {}; waited 1.0 2.0 ");
    check("", "{}", BROKEN, ASKED_6 FAILED_500 "; waited 1.0 2.0 4.0 8.0 16.0 ");
    check("", "{}", LIST("429", "429", "200"), "GET /x\nGET /x\nGET /x\n=> 200 {}; waited 1.0 2.0 ");
    check(
        "", "{}",
        LIST("418|{\"error\": \"tea\"}", "418|{}", "418|{}", "418|{}", "418|{}", "418|{\"error\": \"pot\"}"),
        ASKED_6
        "=> connector: HTTP status 418; the server says: pot; it was tried as often as is allowed (GET "
        "http://127.0.0.1:PORT/x); waited 1.0 2.0 4.0 8.0 16.0 ");
    check(HANDLER "\"max_retries\": \"{{ config.r }}\"}", "{\"r\": 1}", BROKEN,
          "GET /x\nGET /x\n" FAILED_500 "; waited 1.0 ");
    check(WAITS "\"ConstantBackoffStrategy\", \"backoff_time_in_seconds\": 2.5}]}", "{}", BROKEN,
          ASKED_6 FAILED_500 "; waited 3.5 3.5 3.5 3.5 3.5 ");
    check(WAITS "\"ExponentialBackoffStrategy\", \"factor\": 3}]}", "{}", BROKEN,
          ASKED_6 FAILED_500 "; waited 7.0 13.0 25.0 49.0 97.0 ");
    check(WAITS "\"WaitTimeFromHeader\", \"header\": \"wait_time\", \"regex\": \"[.\\\\d]+\"}]}", "{}",
          LIST("503 Wait_Time: 60.5,60|", "503 Wait_Time: x60.5|", "200"),
          "GET /x\nGET /x\nGET /x\n=> 200 {}; waited 61.5 1.0 ");
    check(WAITS "\"WaitTimeFromHeader\", \"header\": \"Retry-After\", \"max_waiting_time_in_seconds\": 7}]}",
          "{}", LIST("503 Retry-After: 7|"),
          "GET /x\n=> io retriable: the server asks to wait for 7 seconds, and the stream waits for less "
          "than 7 "
          "(max_waiting_time_in_seconds)");
    check(WAITS "\"WaitUntilTimeFromHeader\", \"header\": \"reset\", \"min_wait\": 9}]}", "{}",
          LIST("503 Reset: 1700000100|", "503 Reset: 1700000100|", "503|", "200"),
          "GET /x\nGET /x\nGET /x\nGET /x\n=> 200 {}; waited 101.0 10.0 10.0 ");
    check(WAITS "\"WaitTimeFromHeader\", \"header\": \"w\"}, {\"type\": \"ConstantBackoffStrategy\", "
                "\"backoff_time_in_seconds\": 3}]}",
          "{}", LIST("503 w: 0|", "503 w: 1|", "200"), "GET /x\nGET /x\nGET /x\n=> 200 {}; waited 4.0 2.0 ");
    /* kinds of failure count apart, one within the other */
#define KINDS WAITS "\"WaitTimeFromHeader\", \"header\": \"w\"}], \"max_retries\": 1}"
    check(KINDS, "{}", LIST("503 w: 2|", "503|", "503 w: 2|", "503|"),
          "GET /x\nGET /x\nGET /x\nGET /x\n" FAILED_503 "; waited 3.0 1.0 3.0 ");
    check(KINDS, "{}", LIST("503|", "429|", "503|"),
          "GET /x\nGET /x\nGET /x\n" FAILED_503 "; waited 1.0 1.0 ");
    /* without an end of its own, but 600 seconds */
    check(HANDLER "\"max_retries\": 99}", "{}",
          LIST("500", "500", "500", "500", "500", "500", "500", "500", "500", "500", "500"),
          ASKED_6 "GET /x\nGET /x\nGET /x\nGET /x\nGET /x\n" FAILED_500
                  "; waited 1.0 2.0 4.0 8.0 16.0 32.0 64.0 128.0 256.0 89.0 ");
}

static void test_filters(void **state)
{
    (void)state;
    check("", "{}", LIST("404|{\"message\": \"no k3y here\"}"),
          "GET /x\n=> connector: HTTP status 404: the server has nothing of this name; the server says: no "
          "k3y here "
          "(GET http://127.0.0.1:PORT/x)");
    check("", "{}", LIST("401|"),
          "GET /x\n=> invalid: HTTP status 401: the server does not accept the credentials (GET "
          "http://127.0.0.1:PORT/x)");
    check("", "{}", LIST("304|"), "GET /x\n=> 304 ");
    check(FILTERS
          "\"predicate\": \"{{ response.code == 1 }}\", \"action\": \"FAIL\", \"error_message\": \"bad {{ "
          "response.code }} {{ config.x }} {{ headers['x-a'] }}\"}]}",
          "{\"x\": \"cfg\"}", LIST("200 X-A: q|{\"code\": 1}"),
          "GET /x\n=> connector: bad 1 cfg q (GET http://127.0.0.1:PORT/x)");
    check(FILTERS "\"predicate\": \"{{ config.x == 1 }}\", \"action\": \"FAIL\"}]}", "{\"x\": 1}",
          LIST("200|{}"), "GET /x\n=> 200 {}");
    check(FILTERS "\"predicate\": \"{{ response.nope.x }}\", \"action\": \"FAIL\"}]}", "{}", LIST("200|{}"),
          "GET /x\n=> 200 {}");
    check(FILTERS "\"http_codes\": [404], \"failure_type\": \"config_error\", \"action\": \"FAIL\"}]}", "{}",
          LIST("404|"),
          "GET /x\n=> invalid: HTTP status 404: the server has nothing of this name (GET "
          "http://127.0.0.1:PORT/x)");
    /* one without an action never matches */
    check(FILTERS "\"http_codes\": [200], \"error_message\": \"m\"}]}", "{}", LIST("200|{}"),
          "GET /x\n=> 200 {}");
    check(FILTERS "\"error_message_contains\": \"oo\", \"action\": \"IGNORE\"}]}", "{}",
          LIST("404|{\"error\": {\"message\": \"boom\"}}"),
          "GET /x\n=> 404 {\"error\": {\"message\": \"boom\"}}");
    check(FILTERS "\"http_codes\": [202], \"action\": \"RETRY\"}]}", "{}", LIST("202|", "200|{}"),
          "GET /x\nGET /x\n=> 200 {}; waited 1.0 ");
    check(FILTERS "\"http_codes\": [401], \"action\": \"REFRESH_TOKEN_THEN_RETRY\"}]}", "{}",
          LIST("401|", "200|{}"), "GET /x\nGET /x\n=> 200 {}; waited 1.0 ");
}

#define COMPOSITE "\"error_handler\": {\"type\": \"CompositeErrorHandler\", \"error_handlers\": ["
#define CHILD "{\"type\": \"DefaultErrorHandler\", \"response_filters\": [{\"type\": \"HttpResponseFilter\", "

static void test_composite(void **state)
{
    (void)state;
    /* a FAIL of the first child is forgotten: the last one counts */
    check(COMPOSITE CHILD
          "\"http_codes\": [404], \"action\": \"FAIL\", \"error_message\": \"first\"}]}, " CHILD
          "\"http_codes\": [404], \"action\": \"IGNORE\"}]}]}",
          "{}", LIST("404|"), "GET /x\n=> 404 ");
    check(COMPOSITE CHILD
          "\"http_codes\": [404], \"action\": \"FAIL\", \"error_message\": \"first\"}]}, " CHILD
          "\"http_codes\": [500], \"action\": \"IGNORE\"}]}]}",
          "{}", LIST("404|"),
          "GET /x\n=> connector: HTTP status 404: the server has nothing of this name (GET "
          "http://127.0.0.1:PORT/x)");
    /* retries of the first child, backoffs of all */
    check(COMPOSITE
          "{\"type\": \"DefaultErrorHandler\", \"max_retries\": 1}, {\"type\": \"DefaultErrorHandler\", "
          "\"backoff_strategies\": [{\"type\": \"ConstantBackoffStrategy\", \"backoff_time_in_seconds\": "
          "4}]}]}",
          "{}", BROKEN, "GET /x\nGET /x\n" FAILED_500 "; waited 5.0 ");
}

/* What a server says back of a secret is not shown. */
static void test_secrets(void **state)
{
    (void)state;
    check_more(
        "\"authenticator\": {\"type\": \"BearerAuthenticator\", \"api_token\": \"{{ config['key'] }}\"}",
        "\"spec\": {\"type\": \"Spec\", \"connection_specification\": {\"type\": \"object\", \"properties\": "
        "{\"key\": {\"type\": \"string\", \"airbyte_secret\": true}}}},",
        "{\"key\": \"hush-hush\"}", LIST("403|{\"message\": \"hush-hush may not\"}"),
        "GET /x [Authorization: Bearer hush-hush]\n=> invalid: HTTP status 403: the credentials are not "
        "allowed to read this; the server says: **** may not (GET http://127.0.0.1:PORT/x)");
}

/* What is long, of a server, a filter, a URL with a cache or a token, is no reason to end. */
static void test_long(void **state)
{
    (void)state;
    struct arena arena = {0};
    char y[601] = "";
    memset(y, 'y', 600);
#define WHY "=> connector: HTTP status 404: the server has nothing of this name; the server says: "
    const char *body = arena_printf(&arena, "404|{\"error\": \"%s\"}", y);
    check("", "{}", LIST(body),
          arena_printf(&arena, "GET /x\n" WHY "%.500s (GET http://127.0.0.1:PORT/x)", y));
    const char *keyed = arena_printf(&arena, "404|%.496shush-hush%s", y, y);
    check_more("",
               "\"spec\": {\"type\": \"Spec\", \"connection_specification\": {\"type\": \"object\", "
               "\"properties\": {\"key\": {\"type\": \"string\", \"airbyte_secret\": true}}}},",
               "{\"key\": \"hush-hush\"}", LIST(keyed),
               arena_printf(&arena, "GET /x\n" WHY "%.496s**** (GET http://127.0.0.1:PORT/x)", y));
    const char *told = "{{ 'x' * 3000 }}";
    char x[2001] = "";
    memset(x, 'x', 2000);
    check(arena_printf(&arena,
                       FILTERS "\"http_codes\": [404], \"action\": \"FAIL\", \"error_message\": \"%s\"}]}",
                       told),
          "{}", LIST("404|"),
          arena_printf(&arena, "GET /x\n=> connector: %s (GET http://127.0.0.1:PORT/x)", x));
    check(arena_printf(&arena, "\"use_cache\": true, \"request_parameters\": {\"fields\": \"%s\"}", y), "{}",
          LIST("200|{}"), arena_printf(&arena, "GET /x?fields=%s\n=> 200 {}", y));
    check(arena_printf(&arena,
                       "\"authenticator\": {\"type\": \"RateLimitedMultipleTokenAuthenticator\", \"tokens\": "
                       "\"%s\", \"budget_min_reserve\": 0, \"budget_reserve_fraction\": 0, "
                       "\"quota_status_source\": {\"type\": \"QuotaStatusSource\", \"url\": "
                       "\"http://127.0.0.1:PORT/token\"}, \"quotas\": [{\"type\": \"TokenQuota\", \"name\": "
                       "\"all\", \"remaining_path\": [\"left\"], \"reset_path\": [\"at\"]}]}",
                       y),
          "{}", LIST("200|{\"left\": 9, \"at\": 1800000000}", "200"),
          arena_printf(&arena,
                       "GET /token [Authorization: Bearer %s]\nGET /x [Authorization: Bearer %s]\n=> 200 {}",
                       y, y));
    arena_done(&arena);
}

/* --- tokens that are fetched ------------------------------------------------------------------------------
 */

#define OAUTH(more)                                                                                         \
    "\"authenticator\": {\"type\": \"OAuthAuthenticator\", \"token_refresh_endpoint\": "                    \
    "\"http://127.0.0.1:PORT/token\", \"client_id\": \"{{ config.c }}\", \"client_secret\": \"{{ config.s " \
    "}}\"" more "}"
#define REFRESH ", \"refresh_token\": \"{{ config.r }}\""
#define CLIENT "{\"c\": \"id\", \"s\": \"sec\", \"r\": \"ref\"}"
#define FORM "POST /token [Content-Type: application/x-www-form-urlencoded] "
#define GRANT FORM "grant_type=refresh_token&client_id=id&client_secret=sec&refresh_token=ref"
#define TOKEN "200|{\"access_token\": \"T1\", \"expires_in\": 3600}"

static void test_oauth(void **state)
{
    (void)state;
    const char *with_t1 = GRANT "\nGET /x [Authorization: Bearer T1]\n=> 200 {}";
    check(OAUTH(REFRESH), CLIENT, LIST(TOKEN, "200"), with_t1);
    check(OAUTH(REFRESH), CLIENT,
          LIST("200|{\"data\": {\"access_token\": \"T1\", \"expires_in\": \"5\"}}", "200"), with_t1);
    /* as float() takes them; one that never ends */
    static const char *const lifetimes[] = {"\" 3600 \"", "\"1_000\"", "99999999999", "1e300", "\"0x10\""};
    for (size_t i = 0; i < sizeof lifetimes / sizeof *lifetimes; i++) {
        char answer[120];
        snprintf(answer, sizeof answer, "200|{\"access_token\": \"T1\", \"expires_in\": %s}", lifetimes[i]);
        check(OAUTH(REFRESH), CLIENT, LIST(answer, "200"),
              strstr(lifetimes[i], "x") ? GRANT
                  "\n=> connector: streams[0].retriever.requester.authenticator: the "
                  "token's lifetime is no number of seconds"
                                        : with_t1);
    }
    check(OAUTH(REFRESH), CLIENT, LIST("500|", "429|", TOKEN, "200"),
          GRANT "\n" GRANT "\n" GRANT "\nGET /x [Authorization: Bearer T1]\n=> 200 {}");
    check(OAUTH(REFRESH
                ", \"scopes\": [\"a\", \"b {{ x }}\"], \"refresh_request_body\": {\"x\": \"{{ config.c }}\", "
                "\"client_id\": \"over\"}"),
          CLIENT, LIST(TOKEN, "200"),
          GRANT "&scopes=a&scopes=b+%7B%7B+x+%7D%7D&x=id\nGET /x [Authorization: Bearer T1]\n=> 200 {}");
    check(OAUTH(REFRESH ", \"refresh_request_headers\": {\"Authorization\": \"Basic x\", \"Content-Type\": "
                        "\"application/json\"}"),
          CLIENT, LIST(TOKEN, "200"),
          "POST /token [Authorization: Basic x] [Content-Type: application/json] grant_type=refresh_token&"
          "refresh_token=ref\nGET /x [Authorization: Bearer T1]\n=> 200 {}");
    check(OAUTH(REFRESH ", \"send_refresh_request_as_query_params\": true"), CLIENT, LIST(TOKEN, "200"),
          "POST /token?grant_type=refresh_token&client_id=id&client_secret=sec&refresh_token=ref\nGET /x "
          "[Authorization: Bearer T1]\n=> 200 {}");
    check(OAUTH(", \"grant_type\": \"client_credentials\""), CLIENT, LIST(TOKEN, "200"),
          FORM "grant_type=client_credentials&client_id=id&client_secret=sec\nGET /x [Authorization: Bearer "
               "T1]\n=> 200 "
               "{}");
    check(OAUTH(REFRESH ", \"access_token_value\": \"AA\", \"token_expiry_date\": \"2099-01-01T00:00:00Z\""),
          CLIENT, LIST("200"), "GET /x [Authorization: Bearer AA]\n=> 200 {}");
    check(OAUTH(REFRESH ", \"access_token_value\": \"AA\""), CLIENT, LIST(TOKEN, "200"), with_t1);
    check(OAUTH(REFRESH) ", " FILTERS "\"http_codes\": [401], \"action\": \"REFRESH_TOKEN_THEN_RETRY\"}]}",
          CLIENT, LIST(TOKEN, "401|", "200|{\"access_token\": \"T2\"}", "200"),
          GRANT "\nGET /x [Authorization: Bearer T1]\n" GRANT
                "\nGET /x [Authorization: Bearer T2]\n=> 200 {}; waited "
                "1.0 ");
    /* once: who is refused with a new token is not helped by another */
    check(OAUTH(REFRESH) ", " FILTERS "\"http_codes\": [401], \"action\": \"REFRESH_TOKEN_THEN_RETRY\"}]}",
          CLIENT, LIST(TOKEN, "401|", "200|{\"access_token\": \"T2\"}", "401|"),
          GRANT "\nGET /x [Authorization: Bearer T1]\n" GRANT
                "\nGET /x [Authorization: Bearer T2]\n=> invalid: "
                "the server does not take the access token, though it is new; waited 1.0 ");
    check(OAUTH(REFRESH) ", " FILTERS "\"http_codes\": [401], \"action\": \"REFRESH_TOKEN_THEN_RETRY\"}]}",
          CLIENT, LIST(TOKEN, "401|", "403|"),
          GRANT
          "\nGET /x [Authorization: Bearer T1]\n" GRANT
          "\n=> invalid: streams[0].retriever.requester.authenticator: no token was given: HTTP status 403");
    /* a token that ends while the server is asked again */
    check(OAUTH(REFRESH), CLIENT,
          LIST("200|{\"access_token\": \"T1\", \"expires_in\": 1.9}", "500|", TOKEN, "200"),
          GRANT "\nGET /x [Authorization: Bearer T1]\n" GRANT
                "\nGET /x [Authorization: Bearer T1]\n=> 200 {}; waited 1.0 ");
    /* where tokens are looked for; a date, and seconds since 1970, where a format says that it is a time */
    check(OAUTH(REFRESH ", \"access_token_value\": \"AA\", \"token_expiry_date\": \"4070908800\""), CLIENT,
          LIST("200"), "GET /x [Authorization: Bearer AA]\n=> 200 {}");
    check(OAUTH(REFRESH ", \"token_expiry_date_format\": \"%Y-%m-%dT%H:%M:%SZ\""), CLIENT,
          LIST("200|[{\"access_token\": null}, {\"d\": [{\"access_token\": \"T1\", \"expires_in\": "
               "4070908800}]}]",
               "200"),
          with_t1);
    check(OAUTH(REFRESH ", \"token_expiry_date\": \"soon\", \"access_token_value\": \"AA\""), CLIENT,
          LIST("200"),
          "=> invalid: streams[0].retriever.requester.authenticator: the config's time at which the token "
          "ends is "
          "\"soon\"; it must be a date (2030-01-31T10:00:00Z is one), or seconds since 1970");
    /* what is none is not sent, what is empty is */
    check(
        "\"authenticator\": {\"type\": \"OAuthAuthenticator\", \"token_refresh_endpoint\": "
        "\"http://127.0.0.1:PORT/token\", "
        "\"client_id\": \"id\", \"client_secret\": \"{{ config.get('none') }}\", \"refresh_token\": \"{{ "
        "config.e }}\"}",
        "{\"e\": \"\"}", LIST(TOKEN, "200"),
        FORM
        "grant_type=refresh_token&client_id=id&refresh_token=\nGET /x [Authorization: Bearer T1]\n=> 200 {}");
    check(
        OAUTH(REFRESH ", \"refresh_token_error_status_codes\": [418], \"refresh_token_error_key\": \"k\", "
                      "\"refresh_token_error_values\": [\"gone\"]"),
        CLIENT, LIST("418|{\"k\": \"gone\"}"),
        GRANT
        "\n=> invalid: streams[0].retriever.requester.authenticator: the refresh token is refused (): it is "
        "wrong, expired or used up; authenticate anew");
    check(OAUTH(REFRESH), CLIENT, LIST("400|{\"error\": \"invalid_grant\"}"),
          GRANT "\n=> invalid: streams[0].retriever.requester.authenticator: the refresh token is refused "
                "(invalid_grant): it is wrong, expired or used up; authenticate anew");
    check(OAUTH(REFRESH), CLIENT, LIST("401|{\"error\": \"bad\"}"),
          GRANT "\n=> connector: streams[0].retriever.requester.authenticator: no token was given: HTTP "
                "status 401: bad");
    check(OAUTH(REFRESH), CLIENT, LIST("200|{\"x\": 1}"),
          GRANT "\n=> connector: streams[0].retriever.requester.authenticator: the server's answer has no "
                "\"access_token\"");
}

/* New tokens go into the config, and the config to the platform. */
static void test_oauth_updater(void **state)
{
    (void)state;
#define OLD \
    "{\"c\": \"id\", \"s\": \"sec\", \"credentials\": {\"refresh_token\": \"R0\", \"access_token\": \"A0\""
#define R0 FORM "grant_type=refresh_token&client_id=id&client_secret=sec&refresh_token=R0"
    check(OAUTH(", \"refresh_token_updater\": {}"), OLD "}}",
          LIST("200|{\"access_token\": \"T1\", \"expires_in\": 3600, \"refresh_token\": \"R1\"}", "200"),
          R0 "\nGET /x [Authorization: Bearer T1]\n=> 200 {}; config {\"c\": \"id\", \"s\": \"sec\", "
             "\"credentials\": "
             "{\"refresh_token\": \"R1\", \"access_token\": \"T1\", \"token_expiry_date\": "
             "\"2023-11-14T23:13:20+00:00\"}}");
    /* one that stays */
    check(OAUTH(", \"refresh_token_updater\": {}"), OLD ", \"token_expiry_date\": \"2020-01-01T00:00:00Z\"}}",
          LIST("200|{\"access_token\": \"T1\"}", "200"),
          R0 "\nGET /x [Authorization: Bearer T1]\n=> 200 {}; config {\"c\": \"id\", \"s\": \"sec\", "
             "\"credentials\": "
             "{\"refresh_token\": \"R0\", \"access_token\": \"T1\", \"token_expiry_date\": "
             "\"2023-11-14T23:13:20+00:00\"}}");
    /* the client that the platform has put into the config, rather than the manifest's */
    check(
        OAUTH(", \"refresh_token_updater\": {}"), OLD ", \"client_id\": \"other\", \"client_secret\": \"\"}}",
        LIST("200|{\"access_token\": \"T1\"}", "200"),
        FORM
        "grant_type=refresh_token&client_id=other&client_secret=&refresh_token=R0\nGET /x [Authorization: "
        "Bearer T1]\n=> 200 {}; config {\"c\": \"id\", \"s\": \"sec\", \"credentials\": {\"refresh_token\": "
        "\"R0\", \"access_token\": \"T1\", \"client_id\": \"other\", \"client_secret\": \"\", "
        "\"token_expiry_date\": \"2023-11-14T23:13:20+00:00\"}}");
    /* what is valid is not refreshed */
    check(OAUTH(", \"refresh_token_updater\": {}"), OLD ", \"token_expiry_date\": \"2099-01-01T00:00:00Z\"}}",
          LIST("200"), "GET /x [Authorization: Bearer A0]\n=> 200 {}");
}

/* Tokens that stand for one another. What each has left is asked at the beginning, and again after a wait. */
static void test_rotating(void **state)
{
    (void)state;
#define ROTATING(more)                                                                                    \
    "\"authenticator\": {\"type\": \"RateLimitedMultipleTokenAuthenticator\", \"tokens\": \"{{ config.t " \
    "}}\", "                                                                                              \
    "\"budget_min_reserve\": 0, \"budget_reserve_fraction\": 0, \"quota_status_source\": {\"type\": "     \
    "\"QuotaStatusSource\", \"url\": \"http://127.0.0.1:PORT/token\", \"unavailable_status_codes\": "     \
    "[404]}, "                                                                                            \
    "\"quotas\": [{\"type\": \"TokenQuota\", \"name\": \"all\", \"remaining_path\": [\"q\", \"left\"], "  \
    "\"reset_path\": [\"q\", \"at\"]" more
#define TWO "{\"t\": \" A , B,A\"}"
#define HAS(left, at) "200|{\"q\": {\"left\": " left ", \"at\": " at "}}"
#define ASKED "GET /token [Authorization: Bearer A]\nGET /token [Authorization: Bearer B]\n"
#define GET_A "GET /x [Authorization: Bearer A]\n"
#define GET_B "GET /x [Authorization: Bearer B]\n"
    check(
        ROTATING("}]}"), TWO,
        LIST(HAS("2", "1800000000"), HAS("\"5\"", "\"2033-01-01T00:00:00Z\""), "500|", "500|", "500|", "200"),
        ASKED GET_A GET_A GET_B GET_B "=> 200 {}; waited 1.0 2.0 4.0 ");
    check(ROTATING("}]}"), TWO, LIST("404|", "404|", "500|", "500|", "200"),
          ASKED GET_A GET_B GET_A "=> 200 {}; waited 1.0 2.0 ");
    /* all are spent, and the reset is near; then it is too far away */
    check(ROTATING("}]}"), TWO,
          LIST(HAS("0", "1700000010"), HAS("0", "1700000020"), HAS("1", "1700003600"), HAS("0", "1700003600"),
               "200"),
          ASKED ASKED GET_A "=> 200 {}");
    check(ROTATING("}], \"max_wait_time\": \"PT1M\"}"), TWO,
          LIST(HAS("0", "1700000060"), HAS("0", "1700000061")),
          ASKED "=> connector retriable: streams[0].retriever.requester.authenticator: the rate limit of "
                "every token is "
                "used up (quota \"all\"), and the next reset is not near enough (max_wait_time)");
    /* a refusal says that a token has none left: the next attempt is with another, and at once */
    check(ROTATING(", \"exhaustion_status_codes\": [429]}]}") ", " FILTERS
                                                              "\"http_codes\": [429], \"action\": "
                                                              "\"RATE_LIMITED\"}], \"backoff_strategies\": "
                                                              "[{\"type\": "
                                                              "\"ConstantBackoffStrategy\", "
                                                              "\"backoff_time_in_seconds\": 100}]}",
          TWO, LIST(HAS("9", "1800000000"), HAS("9", "1800000000"), "429|", "429|", "200"),
          ASKED GET_A GET_B
          "=> connector retriable: streams[0].retriever.requester.authenticator: the rate limit of every "
          "token is used up (quota \"all\"), and the next reset is not near enough (max_wait_time); waited "
          "1.1 101.0 ");
    check(ROTATING(", \"remaining_header\": \"X-Left\"}]}"), TWO,
          LIST(HAS("9", "1800000000"), HAS("9", "1800000000"), "500 X-Left: 0|", "200"),
          ASKED GET_A GET_B "=> 200 {}; waited 1.0 ");
    check(ROTATING("}]}"), TWO, LIST("403|"),
          "GET /token [Authorization: Bearer A]\n=> invalid: asking how many calls are left: HTTP status "
          "403: the "
          "credentials are not allowed to read this (GET http://127.0.0.1:PORT/token)");
    check(ROTATING("}]}"), TWO, LIST("200|{\"q\": {\"at\": 5}}"),
          "GET /token [Authorization: Bearer A]\n=> connector: "
          "streams[0].retriever.requester.authenticator.quotas[0]: the "
          "answer about quotas has no remaining_path of the quota \"all\"");
    check(ROTATING("}]}"), "{\"t\": \" ,\"}", LIST(""),
          "=> invalid: streams[0].retriever.requester.authenticator.tokens: the config has no token");
}

static void test_other_tokens(void **state)
{
    (void)state;
    /* written by PyJWT for the same second */
    check("\"authenticator\": {\"type\": \"JwtAuthenticator\", \"secret_key\": \"{{ config.k }}\", "
          "\"algorithm\": "
          "\"HS256\", \"token_duration\": 60, \"header_prefix\": \"P\", \"jwt_headers\": {\"kid\": \"k\"}, "
          "\"jwt_payload\": {\"iss\": \"i{{ config.n }}\"}}",
          "{\"k\": \"secret\", \"n\": 5}", LIST("200"),
          "GET /x [Authorization: P eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpNSIsIml"
          "hdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAwMDYwLCJuYmYiOjE3MDAwMDAwMDB9.OS9p"
          "YzoUBpRuVtBb9w8mksMMq2huBClziOkja8yJoAA]\n=> 200 {}");
#define SESSION(more)                                                                                    \
    "\"authenticator\": {\"type\": \"SessionTokenAuthenticator\", \"login_requester\": {\"type\": "      \
    "\"HttpRequester\", \"url_base\": \"http://127.0.0.1:PORT\", \"path\": \"login\", \"http_method\": " \
    "\"POST\", "                                                                                         \
    "\"request_body_json\": {\"u\": \"{{ config.c }}\"}}, \"session_token_path\": [\"d\", \"tok\"]" more "}"
#define LOGIN "POST /login [Content-Type: application/json] {\"u\": \"id\"}\n"
    check(SESSION(", \"request_authentication\": {\"type\": \"Bearer\"}"), CLIENT,
          LIST("200|{\"d\": {\"tok\": 5}}", "200"), LOGIN "GET /x [Authorization: Bearer 5]\n=> 200 {}");
    check(
        SESSION(
            ", \"request_authentication\": {\"type\": \"ApiKey\", \"api_token\": \"T {{ session_token }}\", "
            "\"inject_into\": {\"type\": \"RequestOption\", \"inject_into\": \"header\", \"field_name\": "
            "\"X-S\"}}, \"expiration_duration\": \"PT1H\""),
        CLIENT, LIST("200|{\"d\": {\"tok\": \"S\"}}", "500|", "200"),
        LOGIN "GET /x [X-S: T S]\nGET /x [X-S: T S]\n=> 200 {}; waited 1.0 ");
    check(
        SESSION(", \"request_authentication\": {\"type\": \"Bearer\"}"), CLIENT, LIST("200|{\"d\": 1}"),
        LOGIN
        "=> connector: streams[0].retriever.requester.authenticator: the answer to the login has no \"tok\" "
        "(session_token_path)");
    check(
        SESSION(", \"request_authentication\": {\"type\": \"Bearer\"}"), CLIENT,
        LIST("200|{\"d\": {\"tok\": null}}"),
        LOGIN
        "=> connector: streams[0].retriever.requester.authenticator: the answer to the login has no \"tok\" "
        "(session_token_path)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),     cmocka_unit_test(test_retries),
        cmocka_unit_test(test_filters),      cmocka_unit_test(test_composite),
        cmocka_unit_test(test_secrets),      cmocka_unit_test(test_oauth),
        cmocka_unit_test(test_other_tokens), cmocka_unit_test(test_oauth_updater),
        cmocka_unit_test(test_rotating),     cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
