/* A connector's state: RFC 7396 to the letter, patches in a row, and what is written. */
#include "base/clock.h"
#include "protocol/flow_state.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The examples of RFC 7396, appendix A, and more where nulls and opened objects meet. */
static const struct {
    const char *target, *patch, *result;
} patches[] = {
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"{\"a\":\"foo\"}", "null", "null"},
    {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    /* nulls in arrays are values */
    {"{}", "{\"a\":[null,{\"b\":null}]}", "{\"a\":[null,{\"b\":null}]}"},
    {"{\"a\":{\"x\":1}}", "{\"a\":{\"y\":[{\"b\":null}],\"z\":{\"n\":null,\"m\":[null]}}}",
     "{\"a\":{\"x\":1,\"y\":[{\"b\":null}],\"z\":{\"m\":[null]}}}"},
    /* nulls that the target has stay, also where its object is opened */
    {"{\"a\":{\"n\":null,\"o\":1}}", "{\"a\":{\"o\":2}}", "{\"a\":{\"n\":null,\"o\":2}}"},
    /* a patch of nothing still makes an object */
    {"{\"a\":1}", "{\"a\":{}}", "{\"a\":{}}"},
    {"{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":{\"b\":1}}"},
    {"7", "{}", "{}"},
    /* names are the same whatever their escapes; numbers and strings keep their text */
    {"{\"\\u0061\":1}", "{\"a\":null}", "{}"},
    {"{\"a\\/b\":1,\"n\":1.10}", "{\"a/b\":2,\"s\":\"\\u00e9\"}", "{\"a/b\":2,\"n\":1.10,\"s\":\"\\u00e9\"}"},
    {"{\"\":1}", "{\"\":null}", "{}"},
    /* the last of two members of a name counts */
    {"{\"a\":1,\"a\":{\"b\":2}}", "{\"a\":{\"c\":3}}", "{\"a\":{\"b\":2,\"c\":3}}"},
};

static void test_rfc_7396(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof patches / sizeof *patches; i++) {
        struct buffer out;
        struct error err;
        buffer_init(&out, BUFFER_UNLIMITED);
        if (flow_merge_patch(slice_of(patches[i].target), slice_of(patches[i].patch), &out, &err) < 0)
            fail_msg("%s + %s: %s", patches[i].target, patches[i].patch, err.message);
        assert_string_equal(buffer_cstr(&out), patches[i].result);
        buffer_done(&out);
    }
}

static void apply(struct flow_state *state, const char *updated, bool merge_patch)
{
    struct error err;
    struct flow_connector_state update = {slice_of(updated), merge_patch};
    if (flow_state_apply(state, &update, &err) < 0)
        fail_msg("%s: %s", updated, err.message);
}

static void expect(const struct flow_state *state, const char *text)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    flow_state_write(state, &out);
    assert_string_equal(buffer_cstr(&out), text);
    assert_int_equal(flow_state_is_empty(state), strcmp(text, "{}") == 0);
    buffer_done(&out);
}

/* What source-postgres said, and the state that its transcript gives as the result. */
static void test_postgres(void **unused)
{
    (void)unused;
    mem_auto(flow_state_free) struct flow_state *state = flow_state_new();
    expect(state, "{}");
    apply(state, "{\"cursor\":null}", true);
    expect(state, "{}");
    apply(state,
          "{\"cursor\":null,\"bindingStateV1\":{\"public%2Fcustomers\":{\"mode\":\"Pending\",\"key_columns\":"
          "null,"
          "\"scanned\":null,\"backfilled\":0}}}",
          true);
    expect(state, "{\"bindingStateV1\":{\"public%2Fcustomers\":{\"mode\":\"Pending\",\"backfilled\":0}}}");
    apply(state, "{\"cursor\":\"0/1D824A8\"}", true);
    apply(state,
          "{\"cursor\":\"0/1D824A8\",\"bindingStateV1\":{\"public%2Fcustomers\":{\"mode\":\"Active\","
          "\"key_columns\":[\"id\"],\"scanned\":null,\"backfilled\":3}}}",
          true);
    apply(state, "{\"cursor\":\"0/1D82C20\"}", true);
    expect(state, "{\"bindingStateV1\":{\"public%2Fcustomers\":{\"mode\":\"Active\",\"backfilled\":3,"
                  "\"key_columns\":[\"id\"]}},\"cursor\":\"0/1D82C20\"}");
}

/* Replacing keeps nulls, patching what was replaced opens it, and a load begins anew. */
static void test_replace(void **unused)
{
    (void)unused;
    struct error err;
    struct arena arena;
    struct json doc;
    arena_init(&arena);
    mem_auto(flow_state_free) struct flow_state *state = flow_state_new();
    apply(state, "{\"a\":{\"b\":null,\"c\":[1, 2]}}", false);
    expect(state, "{\"a\":{\"b\":null,\"c\":[1, 2]}}");
    apply(state, "{\"a\":{\"d\":1}}", true);
    expect(state, "{\"a\":{\"b\":null,\"c\":[1, 2],\"d\":1}}");
    apply(state, "{}", false);
    expect(state, "{}");
    static const char text[] = "{\"x\":{\"y\":1}}";
    assert_int_equal(json_parse_copy(&arena, text, sizeof text - 1, &doc, &err), 0);
    assert_int_equal(flow_state_load(state, &doc, 0, &err), 0);
    apply(state, "{\"x\":{\"y\":null}}", true);
    expect(state, "{\"x\":{}}");
    assert_int_equal(flow_state_load(state, &doc, json_pointer(&doc, 0, SLICE_LITERAL("/x/y")), &err), -1);
    arena_done(&arena);
}

static void test_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"[]", "1", "null", "\"x\"", "{", "{}{}"};
    mem_auto(flow_state_free) struct flow_state *state = flow_state_new();
    apply(state, "{\"a\":1}", true);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error err = {0};
        struct flow_connector_state update = {slice_of(texts[i]), i & 1};
        assert_int_equal(flow_state_apply(state, &update, &err), -1);
        assert_non_null(strstr(err.message, "state.updated"));
    }
    apply(state, "", true); /* nothing was said */
    expect(state, "{\"a\":1}");
}

/* The tree against the rule said plainly: random patches, each applied to the tree that was opened by those
 * before it and to its bytes anew. */
static void random_value(struct random_state *random, struct buffer *out, int depth)
{
    uint64_t kind = random_below(random, depth > 0 ? 6 : 4);
    if (kind < 2) {
        buffer_printf(out, "%u", (unsigned)random_below(random, 100));
    } else if (kind == 2) {
        buffer_str(out, "null");
    } else if (kind == 3) {
        buffer_str(out, "[null,{\"a\":null}]");
    } else {
        buffer_byte(out, '{');
        uint64_t count = random_below(random, 4);
        for (uint64_t i = 0, name = 0; i < count; i++) {
            name += 1 + random_below(random, 2);
            buffer_printf(out, "%s\"%c\":", i ? "," : "", (int)('a' + name));
            random_value(random, out, depth - 1);
        }
        buffer_byte(out, '}');
    }
}

static void test_random_patches(void **unused)
{
    (void)unused;
    struct random_state random;
    random_seed(&random, 7396);
    mem_auto(flow_state_free) struct flow_state *state = flow_state_new();
    struct buffer patch, before, after, anew;
    struct error err;
    buffer_init(&patch, BUFFER_UNLIMITED);
    buffer_init(&before, BUFFER_UNLIMITED);
    buffer_init(&after, BUFFER_UNLIMITED);
    buffer_init(&anew, BUFFER_UNLIMITED);
    size_t changed = 0;
    for (int i = 0; i < 3000; i++) {
        buffer_clear(&patch);
        do {
            buffer_clear(&patch);
            random_value(&random, &patch, 4);
        } while (patch.data[0] != '{');
        buffer_clear(&before);
        buffer_clear(&after);
        buffer_clear(&anew);
        flow_state_write(state, &before);
        apply(state, buffer_cstr(&patch), true);
        flow_state_write(state, &after);
        assert_int_equal(flow_merge_patch((struct slice){before.data, before.size},
                                          (struct slice){patch.data, patch.size}, &anew, &err),
                         0);
        assert_string_equal(buffer_cstr(&after), buffer_cstr(&anew));
        assert_null(strstr(buffer_cstr(&after), "\"z\""));
        changed += strcmp(buffer_cstr(&before), buffer_cstr(&after)) != 0;
    }
    assert_true(changed > 1000);
    buffer_done(&patch);
    buffer_done(&before);
    buffer_done(&after);
    buffer_done(&anew);
}

/* A patch costs what it says, not what the state holds: ten thousand of them on a state of a thousand
 * bindings end in no time, where rewriting it each time would take a gigabyte of copying. */
static void test_large_state(void **unused)
{
    (void)unused;
    mem_auto(flow_state_free) struct flow_state *state = flow_state_new();
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (int i = 0; i < 10000; i++) {
        buffer_clear(&text);
        buffer_printf(&text, "{\"bindingStateV1\":{\"stream_%d\":{\"cursor\":%d,\"old\":null}}}", i % 1000,
                      i);
        apply(state, buffer_cstr(&text), true);
    }
    buffer_clear(&text);
    flow_state_write(state, &text);
    assert_non_null(strstr(buffer_cstr(&text), "\"stream_0\":{\"cursor\":9000}"));
    assert_non_null(strstr(buffer_cstr(&text), "\"stream_999\":{\"cursor\":9999}"));
    assert_null(strstr(buffer_cstr(&text), "old"));
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_7396),       cmocka_unit_test(test_postgres),
        cmocka_unit_test(test_replace),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_random_patches), cmocka_unit_test(test_large_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
