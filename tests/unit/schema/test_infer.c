/* Shapes from documents: each rule, then what must hold for all documents, by seeds. */
#include "shape_support.h"

#include "random_json.h"
#include "tests/unit/level.h"

static struct shape *shape_of_documents(const char *const *documents)
{
    struct shape *shape = shape_new_nothing();
    for (; *documents; documents++)
        widen_text(shape, NO_LIMITS, *documents);
    return shape;
}

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        const char *documents[5];
        const char *schema;
    } cases[] = {
        {{NULL}, "false"},
        {{"null"}, "{\"type\":\"null\"}"},
        {{"true", "null"}, "{\"type\":[\"null\",\"boolean\"]}"},
        {{"7"}, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":10}"},
        {{"7", "12"}, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100}"},
        {{"10"}, "{\"type\":\"integer\",\"minimum\":10,\"maximum\":10}"},
        {{"0"}, "{\"type\":\"integer\",\"minimum\":0,\"maximum\":0}"},
        {{"-3"}, "{\"type\":\"integer\",\"minimum\":-10,\"maximum\":-1}"},
        {{"-3", "25"}, "{\"type\":\"integer\",\"minimum\":-10,\"maximum\":100}"},
        {{"1.0"}, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1}"},
        {{"1.5"}, "{\"type\":\"number\",\"minimum\":1,\"maximum\":10}"},
        {{"7", "-0.5"}, "{\"type\":\"number\",\"minimum\":-1,\"maximum\":10}"},
        {{"12345678901234567890123"},
         "{\"type\":\"integer\",\"minimum\":10000000000000000000000,\"maximum\":100000000000000000000000}"},
        {{"2e300"}, "{\"type\":\"integer\",\"minimum\":1e300,\"maximum\":1e301}"},
        {{"2e400"}, "{\"type\":\"integer\",\"minimum\":1e308}"},
        {{"1", "-2e400"}, "{\"type\":\"integer\",\"maximum\":1}"},
        {{"\"hello\""}, "{\"type\":\"string\",\"minLength\":4,\"maxLength\":8}"},
        {{"\"hello\"", "\"\""}, "{\"type\":\"string\",\"maxLength\":8}"},
        {{"\"\""}, "{\"type\":\"string\",\"maxLength\":0}"},
        {{"\"\\u00e9\\ud83d\\ude00\""}, "{\"type\":\"string\",\"minLength\":2,\"maxLength\":2}"},
        {{"\"12\""},
         "{\"type\":\"string\",\"format\":\"integer\",\"minLength\":2,\"maxLength\":2,\"x-str-minimum\":10,"
         "\"x-str-maximum\":100}"},
        {{"\"12\"", "\"-0.5\""},
         "{\"type\":\"string\",\"format\":\"number\",\"minLength\":2,\"maxLength\":4,\"x-str-minimum\":-1,"
         "\"x-str-maximum\":100}"},
        {{"\"-0.5\"", "\"+12\""},
         "{\"type\":\"string\",\"format\":\"number\",\"minLength\":2,\"maxLength\":4,\"x-str-minimum\":-1,"
         "\"x-str-maximum\":100}"},
        {{"\"1.5\"", "\"NaN\""},
         "{\"type\":\"string\",\"format\":\"number\",\"minLength\":2,\"maxLength\":4}"},
        {{"\"1.5\"", "\"NaN\"", "\"7\""},
         "{\"type\":\"string\",\"format\":\"number\",\"minLength\":1,\"maxLength\":4}"},
        {{"\"NaN\"", "\"7\""}, "{\"type\":\"string\",\"format\":\"number\",\"minLength\":1,\"maxLength\":4}"},
        {{"\"12\"", "\"ab\""}, "{\"type\":\"string\",\"minLength\":2,\"maxLength\":2}"},
        {{"\"ab\"", "\"12\""}, "{\"type\":\"string\",\"minLength\":2,\"maxLength\":2}"},
        {{"\"2026-01-31\""}, "{\"type\":\"string\",\"format\":\"date\",\"minLength\":8,\"maxLength\":16}"},
        {{"\"2026-01-31T08:30:06Z\""},
         "{\"type\":\"string\",\"format\":\"date-time\",\"minLength\":16,\"maxLength\":32}"},
        {{"\"2026-01-31\"", "\"2026-01-31T08:30:06Z\""},
         "{\"type\":\"string\",\"minLength\":8,\"maxLength\":32}"},
        {{"\"08:30:06Z\""}, "{\"type\":\"string\",\"format\":\"time\",\"minLength\":8,\"maxLength\":16}"},
        {{"\"123e4567-e89b-12d3-a456-426614174000\""},
         "{\"type\":\"string\",\"format\":\"uuid\",\"minLength\":32,\"maxLength\":64}"},
        {{"\"2026-13-31\""}, "{\"type\":\"string\",\"minLength\":8,\"maxLength\":16}"},
        {{"[]"}, "{\"type\":\"array\",\"maxItems\":0,\"items\":false}"},
        {{"[1,\"a\",null]"},
         "{\"type\":\"array\",\"minItems\":2,\"maxItems\":4,\"items\":{\"type\":[\"null\",\"integer\","
         "\"string\"],"
         "\"minLength\":1,\"maxLength\":1,\"minimum\":1,\"maximum\":1}}"},
        {{"{}"}, "{\"type\":\"object\",\"additionalProperties\":false}"},
        {{"{\"b\":null,\"a\":true}"},
         "{\"type\":\"object\",\"required\":[\"a\",\"b\"],\"properties\":{\"a\":{\"type\":\"boolean\"},\"b\":"
         "{"
         "\"type\":\"null\"}},\"additionalProperties\":false}"},
        {{"{\"b\":null,\"a\":true}", "{\"b\":1,\"c\":null}"},
         "{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{\"a\":{\"type\":\"boolean\"},\"b\":{"
         "\"type\":["
         "\"null\",\"integer\"],\"minimum\":1,\"maximum\":1},\"c\":{\"type\":\"null\"}},"
         "\"additionalProperties\":false}"},
        /* Whatever came before, a first object requires what it has. */
        {{"null", "{\"a\":null}"},
         "{\"type\":[\"null\",\"object\"],\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"null\"}},"
         "\"additionalProperties\":false}"},
        {{"{\"a\\u0000b\":null}"},
         "{\"type\":\"object\",\"required\":[\"a\\u0000b\"],\"properties\":{\"a\\u0000b\":{\"type\":\"null\"}"
         "},"
         "\"additionalProperties\":false}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        mem_auto(shape_free) struct shape *shape = shape_of_documents(cases[i].documents);
        assert_shape(shape, cases[i].schema);
    }
}

/* What a schema accepts already changes nothing; what it does not, only what has to change. */
static void test_base(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *document, *result; /* NULL: unchanged */
    } cases[] = {
        {"true", "{\"a\":1}", NULL},
        {"{\"type\":\"object\"}", "{\"a\":1}", NULL},
        {"{\"type\":\"integer\"}", "123456", NULL},
        {"{\"type\":\"integer\"}", "1.5", "{\"type\":\"number\"}"},
        {"{\"type\":\"integer\"}", "\"a\"",
         "{\"type\":[\"integer\",\"string\"],\"minLength\":1,\"maxLength\":1}"},
        {"{\"type\":\"integer\",\"maximum\":50}", "49", NULL},
        {"{\"type\":\"integer\",\"maximum\":50}", "51", "{\"type\":\"integer\",\"maximum\":100}"},
        {"{\"enum\":[\"a\",\"b\"]}", "\"b\"", NULL},
        {"{\"enum\":[\"a\",\"b\"]}", "\"c\"", "{\"type\":\"string\"}"},
        {"{\"enum\":[1,2]}", "1.0", NULL},
        {"{\"type\":\"string\",\"format\":\"email\"}", "\"a@example.com\"", NULL},
        {"{\"type\":\"string\",\"format\":\"email\"}", "\"nobody\"", "{\"type\":\"string\"}"},
        {"{\"type\":\"string\",\"format\":\"our-own\"}", "\"nobody\"", NULL},
        {"{\"properties\":{\"a\":{\"type\":\"null\"}},\"additionalProperties\":{\"type\":\"boolean\"}}",
         "{\"a\":null,\"b\":true}", NULL},
        {"{\"properties\":{\"a\":{\"type\":\"null\"}},\"additionalProperties\":{\"type\":\"boolean\"}}",
         "{\"b\":null}",
         "{\"properties\":{\"a\":{\"type\":\"null\"}},\"additionalProperties\":{\"type\":[\"null\","
         "\"boolean\"]}}"},
        {"{\"patternProperties\":{\"^x\":{\"type\":\"boolean\"}},\"additionalProperties\":false}",
         "{\"x1\":null}",
         "{\"patternProperties\":{\"^x\":{\"type\":[\"null\",\"boolean\"]}},\"additionalProperties\":false}"},
        {"{\"properties\":{\"x1\":true},\"patternProperties\":{\"^x\":{\"type\":\"boolean\"}}}",
         "{\"x1\":null}",
         "{\"properties\":{\"x1\":{\"type\":[\"null\",\"boolean\"]}},"
         "\"patternProperties\":{\"^x\":{\"type\":[\"null\",\"boolean\"]}}}"},
        {"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"null\"}],\"items\":false}", "[null,null]",
         "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"null\"}],\"items\":{\"type\":\"null\"}}"},
        {"{\"type\":\"object\",\"required\":[\"a\",\"b\"]}", "{\"a\":1}",
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":true,\"b\":true}}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        mem_auto(shape_free) struct shape *shape = shape_from(cases[i].schema);
        auto_free char *before = shape_text(shape);
        bool changed = widen_text(shape, NO_LIMITS, cases[i].document);
        if (changed != (cases[i].result != NULL))
            fail_msg("%s and %s: %schanged", cases[i].schema, cases[i].document, changed ? "" : "un");
        assert_shape(shape, cases[i].result ? cases[i].result : before);
        assert_true(shape_accepts(shape, cases[i].document));
    }
}

/* --- limits ----------------------------------------------------------------------------------------- */

static uint32_t named_locations(const struct shape *shape)
{
    struct arena arena;
    size_t count;
    uint32_t named = 0;
    arena_init(&arena);
    const struct shape_location *locations = shape_locations(shape, &arena, &count);
    for (size_t i = 0; i < count; i++) {
        const char *last = strrchr(locations[i].pointer, '/');
        named += last && strcmp(last, "/*") != 0 && strcmp(last, "/-") != 0;
    }
    arena_done(&arena);
    return named;
}

static void test_limit_order(void **state)
{
    (void)state;
    static const struct {
        uint32_t locations, depth;
        const char *properties;
    } cases[] = {
        /* The deepest go first, of these the last. */
        {3, 12, "/a /b /b/* /c"},
        {4, 12, "/a /b /b/x /b/* /c"},
        {5, 12, "/a /b /b/x /b/y /b/* /c"},
        {6, 12, "/a /b /b/x /b/y /b/z /c"},
        {2, 12, "/a /b /b/* /*"},
        {1, 12, "/a /* /*/*"},
        {7, 1, "/a /b /b/* /c"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        mem_auto(shape_free) struct shape *shape = shape_new_nothing();
        struct shape_limits limits = {cases[i].locations, cases[i].depth};
        struct buffer found;
        struct arena arena;
        size_t count;
        buffer_init(&found, 4096);
        arena_init(&arena);
        const char *document = "{\"c\":1,\"b\":{\"z\":1,\"y\":\"a\",\"x\":null},\"a\":true}";
        assert_true(widen_text(shape, limits, document));
        const struct shape_location *locations = shape_locations(shape, &arena, &count);
        for (size_t k = 1; k < count; k++)
            buffer_printf(&found, "%s%s", k > 1 ? " " : "", locations[k].pointer);
        assert_string_equal(buffer_cstr(&found), cases[i].properties);
        assert_true(shape_accepts(shape, document));
        assert_false(widen_text(shape, limits, document));
        assert_false(shape_limit(shape, limits));
        arena_done(&arena);
        buffer_done(&found);
    }
}

/* A wide object, an object of wide objects, and one that adds members for ever. */
static void test_limit_wide(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 64 << 20);
    for (int i = 0; i < 20000; i++)
        buffer_printf(&text, "%c\"m%d\":{\"a\":%d,\"b\":[{\"c\":\"x\"}]}", i ? ',' : '{', i, i);
    buffer_byte(&text, '}');
    mem_auto(shape_free) struct shape *shape = shape_new_nothing();
    assert_true(widen_text(shape, (struct shape_limits){0}, buffer_cstr(&text)));
    assert_true(named_locations(shape) <= SHAPE_LOCATIONS_DEFAULT);
    assert_true(shape_accepts(shape, buffer_cstr(&text)));
    assert_false(widen_text(shape, (struct shape_limits){0}, buffer_cstr(&text)));
    buffer_done(&text);
    unsigned changes = 0;
    for (int i = 0; i < 3000; i++) {
        auto_free char *document = mem_printf("{\"n%d\":{\"k%d\":1}}", i, i % 700);
        changes += widen_text(shape, (struct shape_limits){0}, document);
    }
    assert_in_range(changes, 1, 20);
}

static char *nested(const char *open, const char *inner, const char *close, int depth)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    for (int i = 0; i < depth; i++)
        buffer_str(&text, open);
    buffer_str(&text, inner);
    for (int i = 0; i < depth; i++)
        buffer_str(&text, close);
    return buffer_steal(&text);
}

static void test_limit_deep(void **state)
{
    (void)state;
    static const struct {
        const char *open, *close;
    } cases[] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"a\":1,\"b\":", "}]"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        mem_auto(shape_free) struct shape *shape = shape_new_nothing();
        auto_free char *document = nested(cases[i].open, "1", cases[i].close, 100);
        auto_free char *other = nested(cases[i].open, "\"text\"", cases[i].close, 120);
        assert_true(widen_text(shape, (struct shape_limits){.depth = 5}, document));
        assert_true(shape_accepts(shape, document));
        widen_text(shape, (struct shape_limits){.depth = 5}, other);
        assert_true(shape_accepts(shape, other));
        auto_free char *text = shape_text(shape);
        assert_in_range(strlen(text), 1, 2000);
    }
}

static void test_complexity_keyword(void **state)
{
    (void)state;
    mem_auto(shape_free) struct shape *shape =
        shape_from("{\"type\":\"object\",\"additionalProperties\":false,\"x-complexity-limit\":2}");
    assert_true(widen_text(shape, (struct shape_limits){0}, "{\"a\":null,\"b\":null,\"c\":null}"));
    assert_shape(shape,
                 "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"},\"b\":{\"type\":\"null\"}},"
                 "\"additionalProperties\":{\"type\":\"null\"},\"x-complexity-limit\":2}");
}

/* --- what holds for all ----------------------------------------------------------------------------- */

enum { DOCUMENTS = 6 };

static void make_documents(struct random *random, char *documents[DOCUMENTS])
{
    for (int i = 0; i < DOCUMENTS; i++)
        documents[i] = random_document_text(random, 4);
}

static void free_documents(char *documents[DOCUMENTS])
{
    for (int i = 0; i < DOCUMENTS; i++)
        free(documents[i]);
}

/* Everything that widened it fits, a second time changes nothing, and its text is the whole of it. */
static void check_settled(struct shape *shape, struct shape_limits limits, char *documents[DOCUMENTS],
                          int seed)
{
    auto_free char *text = shape_text(shape);
    mem_auto(schema_free) struct schema *schema = must_compile(text);
    for (int i = 0; i < DOCUMENTS; i++) {
        struct error err;
        if (ask(schema, slice_of(documents[i]), &err) != 1)
            fail_msg("seed %d: %s is refused by %s", seed, documents[i], text);
        if (widen_text(shape, limits, documents[i]))
            fail_msg("seed %d: %s changes %s again", seed, documents[i], text);
    }

    assert_shape(shape, text);
    mem_auto(shape_free) struct shape *again = shape_from(text);
    if (!strstr(text, "patternProperties")) /* reading makes each property narrower by its patterns */
        assert_shape(again, text);
}

static void test_settles(void **state)
{
    (void)state;
    for (int seed = 0; seed < level_seeds(100, 400); seed++) {
        struct random random = {(uint64_t)seed};
        struct shape_limits limits = {.locations = 1 + random_below(&random, 30),
                                      .depth = 1 + random_below(&random, 4)};
        char *documents[DOCUMENTS];
        make_documents(&random, documents);
        mem_auto(shape_free) struct shape *shape = shape_new_nothing(), *limited = shape_new_nothing();
        for (int i = 0; i < DOCUMENTS; i++) {
            widen_text(shape, NO_LIMITS, documents[i]);
            widen_text(limited, limits, documents[i]);
            assert_true(named_locations(limited) <= limits.locations);
        }
        check_settled(shape, NO_LIMITS, documents, seed);
        check_settled(limited, limits, documents, seed);
        free_documents(documents);
    }
}

/* The order of the documents does not matter, nor how they are divided. */
static void test_merges(void **state)
{
    (void)state;
    for (int seed = 0; seed < level_seeds(100, 400); seed++) {
        struct random random = {(uint64_t)seed ^ 0xabcdef};
        char *documents[DOCUMENTS];
        make_documents(&random, documents);
        mem_auto(shape_free) struct shape *forward = shape_new_nothing(), *backward = shape_new_nothing(),
                                          *united = shape_new_nothing(), *left = shape_new_nothing(),
                                          *right = shape_new_nothing();
        for (int i = 0; i < DOCUMENTS; i++) {
            mem_auto(shape_free) struct shape *one = shape_new_nothing();
            widen_text(forward, NO_LIMITS, documents[i]);
            widen_text(backward, NO_LIMITS, documents[DOCUMENTS - 1 - i]);
            widen_text(one, NO_LIMITS, documents[i]);
            widen_text(i % 3 ? left : right, NO_LIMITS, documents[i]);
            shape_union(united, one);
        }
        shape_union(left, right);
        auto_free char *text = shape_text(forward);
        assert_shape(backward, text);
        assert_shape(united, text);
        assert_shape(left, text);
        free_documents(documents);
    }
}

static void shuffle(struct random *random, char *documents[DOCUMENTS])
{
    for (uint32_t i = DOCUMENTS - 1; i > 0; i--) {
        uint32_t other = random_below(random, i + 1);
        char *swap = documents[i];
        documents[i] = documents[other];
        documents[other] = swap;
    }
}

/* Some documents one after the other, or two halves of them each in its own way, merged. */
static struct shape *merged_tree(struct random *random, struct shape_limits limits, char *const *documents,
                                 uint32_t count)
{
    struct shape *shape = shape_new_nothing();
    if (count > 1 && random_below(random, 3)) {
        uint32_t left = 1 + random_below(random, count - 1);
        shape_free(shape);
        shape = merged_tree(random, limits, documents, left);
        mem_auto(shape_free) struct shape *right =
            merged_tree(random, limits, documents + left, count - left);
        shape_union(shape, right);
        shape_limit(shape, limits);
        return shape;
    }
    for (uint32_t i = 0; i < count; i++)
        widen_text(shape, limits, documents[i]);
    return shape;
}

/* And that holds however tight the limits are. */
static void test_merges_within_limits(void **state)
{
    (void)state;
    for (int seed = 0; seed < level_seeds(1000, 4000); seed++) {
        struct random random = {(uint64_t)seed ^ 0x5eed};
        struct shape_limits limits = {.locations = 1 + random_below(&random, 12),
                                      .depth = 1 + random_below(&random, 4)};
        char *documents[DOCUMENTS];
        make_documents(&random, documents);
        mem_auto(shape_free) struct shape *whole = shape_new_nothing();
        for (int i = 0; i < DOCUMENTS; i++)
            widen_text(whole, NO_LIMITS, documents[i]);
        shape_limit(whole, limits);
        auto_free char *text = shape_text(whole);
        for (int round = 0; round < 4; round++) {
            shuffle(&random, documents);
            mem_auto(shape_free) struct shape *merged = merged_tree(&random, limits, documents, DOCUMENTS);
            auto_free char *other = shape_text(merged);
            if (strcmp(text, other) != 0)
                fail_msg("seed %d, %u locations, %u deep: %s\ninstead of %s", seed, limits.locations,
                         limits.depth, other, text);
        }
        free_documents(documents);
    }
}

/* From any schema on: what it accepted and what came is accepted. */
static void test_widens_schemas(void **state)
{
    (void)state;
    unsigned accepted = 0;
    for (int seed = 0; seed < level_seeds(100, 400); seed++) {
        struct random random = {(uint64_t)seed ^ 0x123456};
        auto_free char *text = random_schema_text(&random, 3);
        mem_auto(schema_free) struct schema *schema = must_compile(text);
        mem_auto(shape_free) struct shape *shape = shape_from(text);
        char *documents[DOCUMENTS];
        make_documents(&random, documents);
        for (int i = 0; i < DOCUMENTS; i++) {
            struct error err;
            bool fits = shape_accepts(shape, documents[i]);
            if (ask(schema, slice_of(documents[i]), &err) == 1) {
                accepted++;
                if (!fits)
                    fail_msg("seed %d: %s accepts %s, its shape does not", seed, text, documents[i]);
            }
        }
        for (int i = 0; i < DOCUMENTS; i++)
            widen_text(shape, NO_LIMITS, documents[i]);
        check_settled(shape, NO_LIMITS, documents, seed);
        free_documents(documents);
    }
    assert_in_range(accepted, 50, 400 * DOCUMENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_limit_order),
        cmocka_unit_test(test_limit_wide),
        cmocka_unit_test(test_limit_deep),
        cmocka_unit_test(test_complexity_keyword),
        cmocka_unit_test(test_settles),
        cmocka_unit_test(test_merges),
        cmocka_unit_test(test_merges_within_limits),
        cmocka_unit_test(test_widens_schemas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
