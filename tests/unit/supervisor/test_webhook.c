/* Whom notifications name, and what of it a log may have. */
#include "supervisor/webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_host(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host;
    } cases[] = {
        {"https://hooks.slack.com/services/T0/B0/secret", "hooks.slack.com"},
        {"http://127.0.0.1:8080/x", "127.0.0.1:8080"},
        {"https://example.com?token=secret", "example.com"},
        {"https://example.com#secret", "example.com"},
        {"https://user:secret@example.com/x", "example.com"},
        {"https://secret@secret@example.com:1/x@y", "example.com:1"},
        {"https://[::1]:9/x", "[::1]:9"},
        {"https://", ""},
        {"secret", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice host = webhook_host(cases[i].url);
        if (!slice_is(host, cases[i].host))
            fail_msg("%s: '%.*s'", cases[i].url, SLICE_ARGS(host));
    }
}

#define HOOK(url) "\"slackConfiguration\":{\"webhook\":\"" url "\"}"

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *notifications;
        enum webhook_event event;
        const char *url; /* NULL: none */
    } cases[] = {
        {"{\"sendOnFailure\":{\"notificationType\":[\"slack\"]," HOOK("http://a/1") "}}", WEBHOOK_FAILURE,
         "http://a/1"},
        {"{\"sendOnFailure\":{\"notificationType\":[\"slack\"]," HOOK("http://a/1") "}}", WEBHOOK_SUCCESS,
         NULL},
        {"{\"sendOnFailure\":{\"notificationType\":[]," HOOK("http://a/1") "}}", WEBHOOK_FAILURE, NULL},
        {"[{\"sendOnSuccess\":true," HOOK("https://a/1") "}]", WEBHOOK_SUCCESS, "https://a/1"},
        {"[{\"sendOnSuccess\":false," HOOK("https://a/1") "}]", WEBHOOK_SUCCESS, NULL},
        {"{\"success\":{\"webhook\":{\"url\":\"https://a/1\"}}}", WEBHOOK_SUCCESS, "https://a/1"},
        {"{\"success\":{\"webhook\":{\"enabled\":false,\"url\":\"https://a/1\"}}}", WEBHOOK_SUCCESS, NULL},
        {"{\"success\":{\"webhook\":{\"url\":\"file:///etc/passwd\"}}}", WEBHOOK_SUCCESS, NULL},
        {"{\"success\":{\"webhook\":{\"url\":\"**********\"}}}", WEBHOOK_SUCCESS, NULL},
        {"", WEBHOOK_SUCCESS, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        const char *const *urls;
        arena_init(&arena);
        size_t count = webhook_urls(slice_of(cases[i].notifications), cases[i].event, &arena, &urls);
        if (count != (cases[i].url != NULL) || (count && strcmp(urls[0], cases[i].url) != 0))
            fail_msg("case %zu: %zu", i, count);
        arena_done(&arena);
    }
}

static void test_check(void **state)
{
    (void)state;
    static const struct {
        const char *notifications, *part; /* NULL: they are right */
    } cases[] = {
        {"", NULL},
        {"{}", NULL},
        {"[]", NULL},
        {"{\"sendOnFailure\":{\"notificationType\":[\"slack\"]," HOOK("http://a/1") "}}", NULL},
        {"{\"sendOnFailure\":{\"notificationType\":[\"customerio\"]}}", NULL},
        {"{\"sendOnFailure\":{\"notificationType\":[\"slack\"]}}",
         "sendOnFailure.slackConfiguration.webhook"},
        {"{\"sendOnSyncDisabled\":{\"notificationType\":[]," HOOK("ftp://a/1") "}}",
         "sendOnSyncDisabled.slackConfiguration.webhook"},
        {"[{\"sendOnFailure\":true," HOOK("http://a/1") "},{" HOOK("http://") "}]",
         "[1].slackConfiguration.webhook"},
        {"[{\"notificationType\":\"slack\",\"sendOnFailure\":false}]", NULL},
        {"[{" HOOK("http://a:8080/") "},{" HOOK("http://[::1]:9/x") "},{" HOOK("http://u:p@a:/") "}]", NULL},
        {"[{" HOOK("http://[fe80::1%25eth0]") "}]", NULL},
        {"[{" HOOK("http://a:0/") "}]", "[0].slackConfiguration.webhook"},
        {"[{" HOOK("http://a:65536/") "}]", "[0].slackConfiguration.webhook"},
        {"[{" HOOK("http://a:x/") "}]", "[0].slackConfiguration.webhook"},
        {"[{" HOOK("http://a:123456789012/") "}]", "[0].slackConfiguration.webhook"},
        {"[{" HOOK("http://[::1/") "}]", "[0].slackConfiguration.webhook"},
        {"[{" HOOK("http://[a]/") "}]", "[0].slackConfiguration.webhook"},
        {"[{" HOOK("http://[::1]x/") "}]", "[0].slackConfiguration.webhook"},
        {"[{" HOOK("http://a]/") "}]", "[0].slackConfiguration.webhook"},
        {"[{" HOOK("http://::1/") "}]", "[0].slackConfiguration.webhook"},
        {"[{\"notificationType\":\"slack\",\"sendOnFailure\":true}]", "[0].slackConfiguration.webhook"},
        {"{\"success\":{\"webhook\":{\"enabled\":true}}}", "success.webhook.url"},
        {"{\"success\":{\"webhook\":{\"enabled\":false}}}", NULL},
        {"{\"success\":{\"webhook\":{\"url\":\"https://u@/x\"}}}", "success.webhook.url"},
        {"{\"success\":{\"webhook\":{\"url\":\"https://[::1]:9/x\"}}}", NULL},
        {"{\"success\":{\"webhook\":{\"url\":\"https://a/\\u0000\"}}}", "success.webhook.url"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct error err;
        const char *part = NULL;
        arena_init(&arena);
        int result = webhook_urls_check(slice_of(cases[i].notifications), &arena, &part, &err);
        if (result != (cases[i].part ? -1 : 0) || (result < 0 && strcmp(part, cases[i].part) != 0))
            fail_msg("case %zu: %d %s", i, result, part);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
