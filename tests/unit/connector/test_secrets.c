/* What is masked: by names, by a spec's marks, in the common disguises, at cuts; and what is not. */
#include "connector/marks.h"
#include "connector/matcher.h"
#include "harness.h"

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 8;
}

static const char *mask(struct connector_secrets *secrets, const char *text, bool cut, struct buffer *out)
{
    buffer_clear(out);
    connector_secrets_mask(secrets, slice_of(text), cut, out);
    return buffer_cstr(out);
}

/* --- disguises ------------------------------------------------------------------------------------ */

#define CONFIG                                                                                           \
    "{\"host\":\"db.local\",\"password\":\"p@ss w\\\"rd/+1\",\"api_key\":\"kéy-9\",\"refresh_tokens\":" \
    "[\"first-one\",\"second-one\"],\"token\":\"abc\",\"my_secret\":\"true\",\"private_key\":\"-----"    \
    "BEGIN\\n"                                                                                           \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\\nzz\\n\",\"note\":\"{\\\"client_secret\\\":"    \
    "\\\"inner-s\\\"}\"}"

static void test_disguises(void **state)
{
    (void)state;
    static const struct {
        const char *said, *shown;
    } cases[] = {
        {"host db.local, password p@ss w\"rd/+1.", "host db.local, password ***."},
        {"p@ss w\"rd/+", "p@ss w\"rd/+"}, /* not whole */
        {"{\"password\":\"p@ss w\\\"rd/+1\"}", "{\"password\":\"***\"}"},
        {"{\"password\":\"p@ss w\\u0022rd\\/+1\"}", "{\"password\":\"***\"}"},
        {"\"{\\\"password\\\":\\\"p@ss w\\\\\\\"rd/+1\\\"}\"", "\"{\\\"password\\\":\\\"***\\\"}\""},
        {"k\\u00e9y-9 k\\u00E9y-9 k\\xc3\\xa9y-9", "*** *** ***"},
        {"https://u:p%40ss%20w%22rd%2F%2B1@h/", "https://u:***@h/"},
        {"https://u:p%40ss%20w%22rd%2f%2b1@h/", "https://u:***@h/"},
        {"a=1&p=p%40ss+w%22rd%2F%2B1&b=2", "a=1&p=***&b=2"},
        {"p=p@ss%20w%22rd/+1", "p=***"},
        {"twice p%2540ss%2520w%2522rd%252F%252B1.", "twice ***."},
        {"\\u0070%40ss w%22rd/%2b1", "***"},
        {"Basic cEBzcyB3InJkLysx.", "Basic ***."},               /* the value */
        {"Basic dXNlcjpwQHNzIHcicmQvKzE=.", "Basic ***."},       /* user:value */
        {"Basic YWRtaW46cEBzcyB3InJkLysx x", "Basic *** x"},     /* admin:value */
        {"Basic cm9vdDpwQHNzIHcicmQvKzE6bW9yZQ==", "Basic ***"}, /* root:value:more */
        {"Basic%20dXNlcjpwQHNzIHcicmQvKzE%3D.", "Basic%***."},
        {"tokens first-one,second-one", "tokens ***,***"},
        {"abc true 1", "abc true 1"}, /* short, and what every line has */
        {"-----BEGIN", "***"},
        {"x MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ y", "x *** y"}, /* pieces make one */
        {"-----BEGIN\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\\nzz\\n", "***\\n***\\nzz\\n"},
        {"inner-s", "***"}, /* JSON in a string */
        {"first-onesecond-one", "***"},
        {"%", "%"},
        {"\\", "\\"},
        {"\\u12 %4 %zz first-one", "\\u12 %4 %zz ***"}, /* wrong escapes hide nothing */
        {"", ""},
    };
    struct buffer out;
    buffer_init(&out, 1 << 20);
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = connector_secrets_new();
    connector_secrets_add(secrets, SLICE_LITERAL(CONFIG), NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(mask(secrets, cases[i].said, false, &out), cases[i].shown);
    buffer_done(&out);
}

/* Every alignment, length and alphabet: whatever stands around it. */
static void test_base64_of_anything_around(void **state)
{
    (void)state;
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct buffer out;
    buffer_init(&out, 1 << 20);
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = connector_secrets_new();
    connector_secrets_add(secrets, SLICE_LITERAL("{\"token\":\"~~?s>\"}"), NULL);
    for (size_t before = 0; before < 6; before++) {
        for (size_t behind = 0; behind < 4; behind++) {
            char plain[32], said[64] = "<";
            size_t at = 1;
            int size =
                snprintf(plain, sizeof plain, "%.*s~~?s>%.*s", (int)before, "us~er:", (int)behind, ":?x");
            for (int bit = 0; bit < 8 * size; bit += 6) {
                unsigned value = 0;
                for (int i = bit; i < bit + 6; i++)
                    value = value << 1 | (i < 8 * size && (plain[i / 8] >> (7 - i % 8)) & 1);
                said[at++] = letters[value];
            }
            snprintf(said + at, sizeof said - at, ">");
            assert_string_equal(mask(secrets, said, false, &out), "<***>");
        }
    }
    buffer_done(&out);
}

static void test_cut(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = connector_secrets_new();
    connector_secrets_add(secrets,
                          SLICE_LITERAL("{\"token\":\"abc\\\"defghijklmnopqrstuvwxyz0123456789ABC\"}"), NULL);
    assert_string_equal(mask(secrets, "x abc\"d", true, &out), "x ***");
    assert_string_equal(mask(secrets, "x abc\"d", false, &out), "x abc\"d");
    assert_string_equal(mask(secrets, "x abc\\\"d", true, &out), "x ***");
    assert_string_equal(mask(secrets, "x abc%22d%6", true, &out), "x ***");
    /* The piece that is whole, and the beginning of the next. */
    assert_string_equal(mask(secrets, "abc\"defghijklmnopqrstuvwxyz012345", true, &out), "***");
    assert_string_equal(mask(secrets, "x ab", true, &out), "x ab");
    buffer_done(&out);
}

static void test_the_environment(void **state)
{
    (void)state;
    static const char *const env[] = {"PGPASSWORD=hush-hush", "USER=somebody", "API_TOKEN", NULL};
    struct buffer out;
    buffer_init(&out, 1 << 20);
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = connector_secrets_new();
    connector_secrets_add(secrets, (struct slice){0}, env);
    assert_string_equal(mask(secrets, "somebody hush-hush API_TOKEN", false, &out), "somebody *** API_TOKEN");
    buffer_done(&out);
}

/* Nothing is shown rather than a secret that did not fit. */
static void test_too_many(void **state)
{
    (void)state;
    struct buffer config, out;
    buffer_init(&config, 64 << 20);
    buffer_init(&out, 1 << 20);
    buffer_str(&config, "{\"tokens\":[\"first\"");
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++)
        buffer_printf(&config, ",\"%08x-%08x-%d\"", next_random(&seed), next_random(&seed), i);
    buffer_str(&config, "]}");
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = connector_secrets_new();
    connector_secrets_add(secrets, (struct slice){config.data, config.size}, NULL);
    assert_true(connector_secrets_overflowed(secrets));
    assert_null(strstr(mask(secrets, "nothing of this", false, &out), "nothing of this"));
    buffer_done(&config);
    buffer_done(&out);
}

/* Linear: patterns that share their beginnings with a text that has nothing else. */
static void test_a_hostile_text(void **state)
{
    (void)state;
    struct buffer config, text, out;
    buffer_init(&config, 1 << 20);
    buffer_init(&text, 4 << 20);
    buffer_init(&out, 16 << 20);
    buffer_str(&config, "{\"tokens\":[\"\"");
    for (int i = 4; i < 32; i++)
        buffer_printf(&config, ",\"%.*sb\"", i, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    buffer_str(&config, "]}");
    for (int i = 0; i < 1 << 20; i++)
        buffer_byte(&text, i % 1000 == 999 ? 'b' : 'a');
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = connector_secrets_new();
    connector_secrets_add(secrets, (struct slice){config.data, config.size}, NULL);
    const char *shown = mask(secrets, buffer_cstr(&text), false, &out);
    assert_null(strchr(shown, 'b'));
    assert_true(out.size < text.size);
    buffer_done(&config);
    buffer_done(&text);
    buffer_done(&out);
}

/* Against a plain search, over a small alphabet in which patterns overlap. */
static void test_the_matcher(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 300; round++) {
        char patterns[6][5], text[40];
        struct connector_matcher matcher;
        connector_matcher_init(&matcher);
        for (size_t i = 0; i < 6; i++) {
            size_t size = 1 + next_random(&seed) % 4;
            for (size_t at = 0; at < size; at++)
                patterns[i][at] = (char)('a' + next_random(&seed) % 2);
            patterns[i][size] = '\0';
            assert_true(connector_matcher_add(&matcher, slice_of(patterns[i]), false));
            if (i == 2)
                connector_matcher_build(&matcher); /* more may come after that */
        }
        connector_matcher_build(&matcher);
        uint32_t node = 0;
        for (size_t end = 1; end < sizeof text; end++) {
            size_t longest = 0;
            text[end - 1] = (char)('a' + next_random(&seed) % 3);
            for (size_t i = 0; i < 6; i++) {
                size_t size = strlen(patterns[i]);
                if (size <= end && size > longest && memcmp(text + end - size, patterns[i], size) == 0)
                    longest = size;
            }
            node = connector_matcher_step(&matcher, node, text[end - 1]);
            assert_int_equal(matcher.nodes[node].longest, longest);
        }
        connector_matcher_done(&matcher);
    }
}

/* --- marks ---------------------------------------------------------------------------------------- */

static void test_marks(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *config, *marks;
    } cases[] = {
        {"{\"properties\":{\"a\":{\"airbyte_secret\":true},\"b\":{\"secret\":true},\"c\":{\"writeOnly\":true}"
         ","
         "\"d\":{\"format\":\"password\"},\"e\":{\"airbyte_secret\":false},\"f\":{\"secret\":\"true\"}}}",
         "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6}", "[\"/a\",\"/b\",\"/c\",\"/d\"]"},
        {"{\"properties\":{\"auth\":{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"},\"x\":{"
         "\"secret\":true}}},"
         "{\"properties\":{\"y\":{\"secret\":true}}}]}}}",
         "{\"auth\":{\"kind\":\"b\",\"x\":1,\"y\":2}}", "[\"/auth/x\",\"/auth/y\"]"},
        {"{\"anyOf\":[{\"allOf\":[{\"properties\":{\"x\":{\"secret\":true}}}]}],\"if\":{},\"then\":{"
         "\"properties\":"
         "{\"y\":{\"secret\":true}}},\"else\":{\"properties\":{\"z\":{\"secret\":true}}}}",
         "{\"x\":1,\"y\":2,\"z\":3}", "[\"/x\",\"/y\",\"/z\"]"},
        {"{\"$defs\":{\"s~/\":{\"secret\":true}},\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
         "s~0~1\"},\"b\":{\"$ref\":"
         "\"other.json\"},\"c\":{\"$ref\":\"#/nowhere\"}}}",
         "{\"a\":1,\"b\":2,\"c\":3}", "[\"/a\"]"},
        {"{\"properties\":{\"list\":{\"items\":{\"properties\":{\"k\":{\"secret\":true}}}},\"pair\":{"
         "\"prefixItems\":"
         "[{},{\"secret\":true}]},\"old\":{\"items\":[{\"secret\":true}],\"additionalItems\":{\"secret\":"
         "true}}}}",
         "{\"list\":[{\"k\":1},{\"k\":2,\"l\":3}],\"pair\":[1,2,3],\"old\":[7,8]}",
         "[\"/list/0/k\",\"/list/1/k\",\"/pair/1\",\"/old/0\",\"/old/1\"]"},
        {"{\"properties\":{\"headers\":{\"properties\":{\"plain\":{}},\"additionalProperties\":{\"secret\":"
         "true}},"
         "\"env\":{\"patternProperties\":{\"^X_\":{\"secret\":true}}}}}",
         "{\"headers\":{\"plain\":1,\"Authorization\":2},\"env\":{\"X_A\":1}}",
         "[\"/headers/Authorization\",\"/env/X_A\"]"},
        {"{\"properties\":{\"a/b\":{\"secret\":true,\"type\":\"object\"}}}", "{\"a/b\":{\"c\":[1,\"x\"]}}",
         "[\"/a~1b\"]"},
        {"{\"$ref\":\"#\"}", "{\"a\":1}", "[]"},
        {"{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}],\"properties\":{\"a\":{\"$ref\":\"#\"},\"s\":{"
         "\"secret\":true}}}",
         "{\"a\":{\"a\":{\"s\":1}}}", "[\"/a/a/s\"]"},
        {"true", "{\"a\":1}", "[]"},
        {"no JSON", "{\"a\":1}", "[]"},
        {"", "{\"a\":1}", "[]"},
        {"{\"secret\":true}", "no JSON", "[]"},
        {"{\"secret\":true}", "{\"a\":1}", "[\"\"]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, 1 << 20);
        connector_marks_find(slice_of(cases[i].schema), slice_of(cases[i].config), &out);
        assert_string_equal(buffer_cstr(&out), cases[i].marks);
        buffer_done(&out);
    }
}

/* A schema that is a ladder of references: everything counts as secret. */
static void test_too_deep_a_schema(void **state)
{
    (void)state;
    struct buffer schema, out;
    buffer_init(&schema, 16 << 20);
    buffer_init(&out, 1 << 20);
    buffer_str(&schema, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < 5000; i++)
        buffer_printf(&schema, "\"%d\":{\"$ref\":\"#/$defs/%d\"},", i, i + 1);
    buffer_str(&schema, "\"5000\":{}}}");
    connector_marks_find((struct slice){schema.data, schema.size}, SLICE_LITERAL("{\"a\":1}"), &out);
    assert_string_equal(buffer_cstr(&out), "[\"\"]");
    buffer_done(&schema);
    buffer_done(&out);
}

static void test_marked_values(void **state)
{
    (void)state;
    static const char config[] =
        "{\"pin\":123456,\"short\":123,\"deep\":{\"list\":[\"one-two\",{\"k\":\"three-four\"}]},"
        "\"key\":\"{\\\"private_key\\\":\\\"inner-key\\\"}\",\"flag\":true,\"open\":\"shown\"}";
    static const char schema[] =
        "{\"properties\":{\"pin\":{\"secret\":true},\"short\":{\"secret\":true},\"deep\":{"
        "\"secret\":true},\"key\":{\"secret\":true},\"flag\":{\"secret\":true}}}";
    struct buffer out;
    buffer_init(&out, 1 << 20);
    mem_auto(connector_secrets_free) struct connector_secrets *secrets =
        connector_secrets_of(slice_of(config), NULL, slice_of(schema));
    assert_string_equal(mask(secrets, "123456 123 one-two three-four inner-key true shown", false, &out),
                        "*** 123 *** *** *** true shown");
    assert_true(connector_marks_matter(slice_of(config)));
    assert_false(connector_marks_matter(SLICE_LITERAL("{\"a\":123,\"b\":[true,\"abc\"]}")));
    buffer_done(&out);
}

/* A spec that marks nothing leaves what the names tell. */
static void test_a_spec_that_lies(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    mem_auto(connector_secrets_free) struct connector_secrets *secrets =
        connector_secrets_of(SLICE_LITERAL("{\"password\":\"hush-hush\"}"), NULL,
                             SLICE_LITERAL("{\"properties\":{\"password\":{\"airbyte_secret\":false}}}"));
    assert_string_equal(mask(secrets, "hush-hush", false, &out), "***");
    buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disguises),
        cmocka_unit_test(test_base64_of_anything_around),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_the_environment),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_a_hostile_text),
        cmocka_unit_test(test_the_matcher),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_too_deep_a_schema),
        cmocka_unit_test(test_marked_values),
        cmocka_unit_test(test_a_spec_that_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
