/* S3: signatures, as the service's documentation works them out step by step; the XML of listings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/s3/sign.h"
#include "connectors/s3/xml.h"

#include <stdlib.h>

static const struct s3_credentials credentials = {"AKIAIOSFODNN7EXAMPLE",
                                                  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL};
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* The worked examples of "Signature Calculations for the Authorization Header" (bucket examplebucket, 24 May
 * 2013). */
static void test_documented_examples(void **state)
{
    static const struct s3_signed_header range[] = {{"host", "examplebucket.s3.amazonaws.com"},
                                                    {"range", "bytes=0-9"},
                                                    {"x-amz-content-sha256", EMPTY},
                                                    {"x-amz-date", "20130524T000000Z"}};
    static const struct s3_signed_header plain[] = {{"host", "examplebucket.s3.amazonaws.com"},
                                                    {"x-amz-content-sha256", EMPTY},
                                                    {"x-amz-date", "20130524T000000Z"}};
    static const struct {
        const char *path, *query, *signature;
        const struct s3_signed_header *headers;
        size_t count;
    } cases[] = {
        {"/test.txt", "", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", range, 4},
        {"/", "lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", plain, 3},
        {"/", "max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
         plain, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        const struct s3_to_sign request = {.method = "GET",
                                           .path = cases[i].path,
                                           .query = cases[i].query,
                                           .headers = cases[i].headers,
                                           .header_count = cases[i].count,
                                           .payload_hash = EMPTY,
                                           .region = "us-east-1",
                                           .service = "s3",
                                           .time = "20130524T000000Z"};
        buffer_init(&out, BUFFER_UNLIMITED);
        s3_authorization(&request, &credentials, &out);
        const char *signature = strstr(buffer_cstr(&out), "Signature=");
        assert_non_null(signature);
        assert_string_equal(signature + 10, cases[i].signature);
        assert_non_null(
            strstr(buffer_cstr(&out), "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"));
        assert_null(strstr(buffer_cstr(&out), credentials.secret));
        buffer_done(&out);
    }
}

static void test_hash_and_time(void **state)
{
    char hash[S3_SHA256_TEXT], time[17];
    (void)state;
    s3_sha256((struct slice){NULL, 0}, hash);
    assert_string_equal(hash, EMPTY);
    s3_sha256(SLICE_LITERAL("abc"), hash);
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    s3_time(1369353600000, time);
    assert_string_equal(time, "20130524T000000Z");
}

static char *text_of(struct slice inside, void (*decode)(struct slice, struct buffer *))
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    decode(inside, &out);
    return buffer_steal(&out);
}

static void test_xml(void **state)
{
    static const char xml[] =
        "<?xml version=\"1.0\"?><R xmlns=\"u\"><KeyCount>2</KeyCount><Contents><Key>a&amp;b&#10;"
        "&#xfc;&#xd800;&#55296;&#1114112;</Key></Contents><Contents>"
        "<Key>c</Key><Size>5</Size></Contents><Empty/></R>";
    struct slice inside, whole = slice_of(xml);
    size_t at = 0, count = 0;
    (void)state;
    while (s3_xml_next(whole, "Contents", &at, &inside)) {
        struct slice key;
        assert_true(s3_xml_find(inside, "Key", &key));
        char *text = text_of(key, s3_xml_text);
        assert_string_equal(text, count++ ? "c" : "a&b\n\xc3\xbc");
        free(text);
    }
    assert_int_equal(count, 2);
    assert_true(s3_xml_find(whole, "Key", &inside)); /* not KeyCount */
    assert_int_equal(inside.data[0], 'a');
    assert_true(s3_xml_find(whole, "Empty", &inside) && inside.size == 0);
    assert_false(s3_xml_find(whole, "Missing", &inside));
    for (size_t size = 0; size < sizeof xml; size++) /* cut anywhere: no more than nothing is found */
        s3_xml_find((struct slice){xml, size}, "Size", &inside);
    char *decoded = text_of(SLICE_LITERAL("a%2Fb+c%zz%"), s3_url_decode);
    assert_string_equal(decoded, "a/b c%zz%");
    free(decoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documented_examples),
                                       cmocka_unit_test(test_hash_and_time), cmocka_unit_test(test_xml)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
