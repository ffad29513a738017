/* Configs without their secrets, and back. */
#include "server/mask.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define M "\"" MASK_TEXT "\""
#define SCHEMA                                                                                          \
    "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\",\"airbyte_secret\":true},"       \
    "\"pin\":{\"type\":\"integer\",\"airbyte_secret\":true},\"all\":{\"type\":\"object\",\"airbyte_"    \
    "secret\":true},"                                                                                   \
    "\"tunnel\":{\"oneOf\":[{\"properties\":{\"ssh\":{\"airbyte_secret\":true}}}]},\"host\":{\"type\":" \
    "\"string\"}}}"

#define LIST(items) "{\"l\":[" items "]}"
#define ITEM(name, key) "{\"name\":\"" name "\",\"key\":" key "}"
#define TWO ITEM("a", "\"A\"") "," ITEM("b", "\"B\"")

static void test_masking(void **state)
{
    static const struct {
        const char *schema, *config, *shown;
    } cases[] = {
        {SCHEMA, "{\"key\":\"k\",\"host\":\"h\"}", "{\"key\":" M ",\"host\":\"h\"}"},
        {SCHEMA, "{\"pin\":1234,\"n\":7}", "{\"pin\":" M ",\"n\":7}"},
        {SCHEMA, "{\"key\":null,\"host\":null}", "{\"key\":null,\"host\":null}"},
        {SCHEMA, "{\"all\":{\"a\":[1]}}", "{\"all\":" M "}"},
        {SCHEMA, "{\"tunnel\":{\"ssh\":\"private\",\"port\":22}}",
         "{\"tunnel\":{\"ssh\":" M ",\"port\":22}}"},
        {SCHEMA, "{\"password\":\"by its name\"}", "{\"password\":" M "}"},
        /* no mark at all: the names tell */
        {"{\"type\":\"object\"}",
         "{\"credentials\":{\"api_key\":\"kkkk1\",\"client_secret\":\"kkkk2\",\"refresh_token\":\"kkkk3\","
         "\"private_key\":\"kkkk4\",\"aws_secret_access_key\":\"kkkk5\"},\"passwd\":\"kkkk6\",\"host\":"
         "\"h\"}",
         "{\"credentials\":{\"api_key\":" M ",\"client_secret\":" M ",\"refresh_token\":" M
         ",\"private_key\":" M ",\"aws_secret_access_key\":" M "},\"passwd\":" M ",\"host\":\"h\"}"},
        {SCHEMA, "{\"key\":\"s3cret!\",\"url\":\"http://u:s3cret!@h/\",\"list\":[\"s3cret!\",\"x\"]}",
         "{\"key\":" M ",\"url\":" M ",\"list\":[" M ",\"x\"]}"},
        {"", "{\"host\":\"h\",\"n\":1,\"deep\":[{\"a\":\"b\"}]}",
         "{\"host\":" M ",\"n\":1,\"deep\":[{\"a\":" M "}]}"},
        {SCHEMA, "{}", "{}"},
        {SCHEMA, "", "{}"},
        {SCHEMA, "no json", "{}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_writer writer;
        struct buffer text;
        buffer_init(&text, 4096);
        json_writer_init(&writer, &text);
        mask_config(&writer, slice_of(cases[i].schema), slice_of(cases[i].config));
        assert_string_equal(buffer_cstr(&text), cases[i].shown);
        buffer_done(&text);
    }
}

static void test_merging(void **state)
{
    static const struct {
        const char *config, *before, *merged;
    } cases[] = {
        {"{\"key\":" M ",\"host\":\"new\"}", "{\"key\":\"k\",\"host\":\"old\"}",
         "{\"key\":\"k\",\"host\":\"new\"}"},
        {"{\"key\":\"new\"}", "{\"key\":\"k\"}", "{\"key\":\"new\"}"},
        {"{\"a\":{\"b\":[0," M "]}}", "{\"a\":{\"b\":[0,\"two\"]}}", "{\"a\":{\"b\":[0,\"two\"]}}"},
        {"{\"key\":" M "}", "{\"key\":12345678901234567890.10}", "{\"key\":12345678901234567890.10}"},
        {"{\"key\":" M "}", "{}", "{\"key\":" M "}"},
        {"{\"a\":[" M "]}", "{\"a\":{\"0\":\"x\"}}", "{\"a\":[" M "]}"},
        {"{\"key\":" M "}", "", "{\"key\":" M "}"},
        /* an item keeps its own secret, wherever it goes */
        {LIST(ITEM("b", M)), LIST(TWO), LIST(ITEM("b", "\"B\""))},
        {LIST(ITEM("b", M) "," ITEM("a", M)), LIST(TWO), LIST(ITEM("b", "\"B\"") "," ITEM("a", "\"A\""))},
        {LIST(ITEM("b", M) "," ITEM("c", "\"C\"")), LIST(TWO),
         LIST(ITEM("b", "\"B\"") "," ITEM("c", "\"C\""))},
        /* one is changed where it is */
        {LIST(ITEM("c", M) "," ITEM("b", M)), LIST(TWO), LIST(ITEM("c", "\"A\"") "," ITEM("b", "\"B\""))},
        /* which it was is not known */
        {LIST(ITEM("c", M)), LIST(TWO), LIST(ITEM("c", M))},
        {LIST(ITEM("c", M) "," ITEM("d", M)), LIST(TWO), LIST(ITEM("c", M) "," ITEM("d", M))},
        {LIST(ITEM("c", M) "," ITEM("a", "\"C\"")), LIST(TWO), LIST(ITEM("c", M) "," ITEM("a", "\"C\""))},
        {LIST(M), LIST("\"A\",\"B\""), LIST(M)},
        {LIST(M ",\"C\""), LIST("\"A\",\"B\""), LIST(M ",\"C\"")},
        {LIST(M "," M), LIST("\"A\",\"B\""), LIST("\"A\",\"B\"")},
        {LIST("{\"k\":" M "}"), LIST("{\"k\":1},{\"k\":2}"), LIST("{\"k\":" M "}")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct slice merged;
        struct error err;
        arena_init(&arena);
        assert_int_equal(
            mask_merge(slice_of(cases[i].config), slice_of(cases[i].before), &arena, &merged, &err), 0);
        if (!slice_is(merged, cases[i].merged))
            fail_msg("%.*s is not %s", SLICE_ARGS(merged), cases[i].merged);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_masking), cmocka_unit_test(test_merging)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
