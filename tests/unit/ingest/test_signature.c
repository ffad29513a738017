/* Signatures: the examples that the providers' own pages give, and what is nearly one. */
#include "ingest/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SLACK_BODY                                                                                          \
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"        \
    "channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_" \
    "url="                                                                                                  \
    "https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"       \
    "trigger_id"                                                                                            \
    "=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
#define TWILIO_URL "https://mycompany.com/myapp.php?foo=1&bar=2"
#define TWILIO_FORM \
    "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
#define TWILIO_JSON "{\"property\": \"value\", \"boolean\": true}"
#define TWILIO_SHA "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"

struct header {
    const char *name, *value;
};

static const char *find(void *context, const char *name)
{
    const struct header *headers = context;
    for (size_t i = 0; i < 2 && headers[i].name; i++) {
        if (strcmp(headers[i].name, name) == 0)
            return headers[i].value;
    }
    return NULL;
}

static void test_documented(void **state)
{
    static const struct catalog_ingest_signature hmac = {.provider = CATALOG_SIGNED_HMAC,
                                                         .secret = "key",
                                                         .algorithm = "sha1",
                                                         .header = "X-Sign",
                                                         .prefix = "",
                                                         .template = "{body}",
                                                         .encoding = CATALOG_SIGNED_HEX};
    static const struct {
        struct catalog_ingest_signature how;
        struct header headers[2];
        const char *body, *url, *sha;
        int64_t now;
    } cases[] = {
        {{.provider = CATALOG_SIGNED_GITHUB, .secret = "It's a Secret to Everybody"},
         {{"X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
         "Hello, World!",
         "",
         NULL,
         0},
        {{.provider = CATALOG_SIGNED_SLACK, .secret = "8f742231b10e8888abcd99yyyzzz85a5", .max_age_s = 300},
         {{"X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"},
          {"X-Slack-Request-Timestamp", "1531420618"}},
         SLACK_BODY,
         "",
         NULL,
         1531420618 + 300},
        {{.provider = CATALOG_SIGNED_STRIPE, .secret = "whsec_test_secret", .max_age_s = 300},
         {{"Stripe-Signature",
           "t=1492774577,v1=88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a,"
           "v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"}},
         "{\"id\":\"evt_test_webhook\",\"object\":\"event\"}",
         "",
         NULL,
         1492774577 - 300},
        {{.provider = CATALOG_SIGNED_TWILIO, .secret = "12345"},
         {{"X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="}},
         TWILIO_FORM,
         TWILIO_URL,
         NULL,
         0},
        {{.provider = CATALOG_SIGNED_TWILIO, .secret = "12345"},
         {{"X-Twilio-Signature", "a9nBmqA0ju/hNViExpshrM61xv4="}},
         TWILIO_JSON,
         TWILIO_URL "&bodySHA256=" TWILIO_SHA,
         TWILIO_SHA,
         0},
        /* RFC 2202's way of HMAC-SHA1, by the example that everybody has. */
        {hmac,
         {{"X-Sign", "DE7C9B85B8B78AA6BC8A7A36F70A90701C9DB4D9"}},
         "The quick brown fox jumps over the lazy dog",
         "",
         NULL,
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = NULL;
        struct header headers[2];
        char value[512];
        memcpy(headers, cases[i].headers, sizeof headers);
        struct ingest_signed request = {headers,      find,         slice_of(cases[i].body),
                                        cases[i].url, cases[i].sha, cases[i].now};
        assert_true(ingest_signature_right(&cases[i].how, &request, &why));
        /* With a byte less or another at any place it is none. Of Stripe's only what is of v1 counts. */
        size_t size = cases[i].how.provider == CATALOG_SIGNED_STRIPE ? strlen("t=1492774577,v1=") + 64
                                                                     : strlen(headers[0].value);
        snprintf(value, sizeof value, "%s", headers[0].value);
        headers[0].value = value;
        for (size_t at = 0; at < size; at++) {
            char was = value[at];
            value[at] = was == '0' ? '1' : '0';
            assert_false(ingest_signature_right(&cases[i].how, &request, &why));
            assert_non_null(why);
            value[at] = was;
        }
        value[size - 1] = 0;
        assert_false(ingest_signature_right(&cases[i].how, &request, &why));
        headers[0].value = cases[i].headers[0].value;
        request.body.size--;
        assert_false(ingest_signature_right(&cases[i].how, &request, &why));
        request.body.size++;
        headers[0].name = "X-Other";
        assert_false(ingest_signature_right(&cases[i].how, &request, &why));
    }
}

static void test_times(void **state)
{
    static const struct catalog_ingest_signature slack = {
        .provider = CATALOG_SIGNED_SLACK, .secret = "8f742231b10e8888abcd99yyyzzz85a5", .max_age_s = 300};
    static const struct {
        const char *time;
        int64_t now;
        const char *why;
    } cases[] = {{"1531420618", 1531420618 + 301, "too long ago"},
                 {"1531420618", 1531420618 - 301, "too long ago"},
                 {"-1531420618", 0, "too long ago"},
                 {"", 0, "too long ago"},
                 {"x", 0, "too long ago"},
                 {"99999999999999999999", 0, "too long ago"},
                 {"1531420619", 1531420618, "wrong"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct header headers[2] = {
            {"X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"},
            {"X-Slack-Request-Timestamp", cases[i].time}};
        const struct ingest_signed request = {headers, find, slice_of(SLACK_BODY), "", NULL, cases[i].now};
        const char *why = "";
        assert_false(ingest_signature_right(&slack, &request, &why));
        assert_non_null(strstr(why, cases[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documented), cmocka_unit_test(test_times)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
