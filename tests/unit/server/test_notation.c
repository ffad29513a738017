/* The short notation of schemas, and the JSON Schema that it becomes. */
#include "server/notation.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_texts(void **state)
{
    static const struct {
        const char *text, *schema;
    } cases[] = {
        {"", "{\"type\":\"object\",\"properties\":{},\"required\":[]}"},
        {"name* string",
         "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}"},
        {"a boolean, b* [string]",
         "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"boolean\",\"null\"]},"
         "\"b\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},\"required\":[\"b\"]}"},
        {"=uuid", "{\"type\":\"string\",\"format\":\"uuid\"}"},
        {"=any", "{}"},
        {"=(a|b)", "{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}"},
        {"=[[string]]",
         "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}"},
        {"={(a|b)}",
         "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}}"},
        {"=Tag", "{\"$ref\":\"#/components/schemas/Tag\"}"},
        {"one (a|b), two Tag", "{\"type\":\"object\",\"properties\":{\"one\":{\"type\":[\"string\",\"null\"],"
                               "\"enum\":[\"a\",\"b\",null]},"
                               "\"two\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/"
                               "Tag\"},{\"type\":\"null\"}]}},\"required\":[]}"},
        {"=int32",
         "{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":-2147483648,\"maximum\":2147483647}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_writer writer;
        struct buffer text;
        buffer_init(&text, 4096);
        json_writer_init(&writer, &text);
        notation_write(&writer, cases[i].text);
        assert_string_equal(buffer_cstr(&text), cases[i].schema);
        buffer_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
