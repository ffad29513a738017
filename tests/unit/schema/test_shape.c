/* Shapes from schemas: what is said of each location, and what holds for all schemas, by seeds. */
#include "shape_support.h"

#include "random_json.h"
#include "tests/unit/level.h"

static void expect_location(const char *schema, const char *pointer, const char *expected)
{
    struct arena arena;
    struct buffer found;
    arena_init(&arena);
    buffer_init(&found, 4096);
    mem_auto(shape_free) struct shape *shape = shape_from(schema);
    struct shape_location at = shape_locate(shape, pointer, &arena);
    buffer_printf(&found, "%s ", shape_exists_names[at.exists]);
    shape_types_text(at.shape->types, &found);
    if (strcmp(buffer_cstr(&found), expected) != 0)
        fail_msg("%s in %s: %s, expected %s", pointer, schema, buffer_cstr(&found), expected);
    buffer_done(&found);
    arena_done(&arena);
}

static const struct {
    const char *schema, *pointer, *expected;
} located[] = {
    {"true", "", "must anything"},
    {"false", "", "cannot nothing"},
    {"{\"type\":[\"integer\",\"null\"]}", "", "must null or integer"},
    {"{\"type\":\"number\"}", "/a", "cannot nothing"},
    {"{}", "/a", "implicit anything"},
    {"{}", "/0", "implicit anything"},
    {"{\"type\":\"object\"}", "/a/b", "implicit anything"},
    {"{\"type\":\"object\",\"required\":[\"a\"]}", "/a", "must anything"},
    {"{\"required\":[\"a\"]}", "/a", "may anything"}, /* it may be no object */
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}", "/a", "may string"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}", "/a",
     "must string"},
    {"{\"type\":\"object\",\"properties\":{\"a/b\":{\"type\":\"string\"}},\"required\":[\"a/b\"]}", "/a~1b",
     "must string"},
    {"{\"type\":\"object\",\"properties\":{\"a\":false}}", "/a", "cannot nothing"},
    {"{\"additionalProperties\":false}", "/a", "cannot nothing"},
    {"{\"additionalProperties\":{\"type\":\"null\"}}", "/a", "may null"},
    {"{\"patternProperties\":{\"^a\":{\"type\":\"null\"}},\"additionalProperties\":false}", "/ab",
     "may null"},
    {"{\"patternProperties\":{\"^a\":{\"type\":\"null\"}},\"additionalProperties\":false}", "/b",
     "cannot nothing"},
    {"{\"type\":\"object\",\"patternProperties\":{\"^a\":{\"type\":\"null\"}},\"required\":[\"ab\"]}", "/ab",
     "must null"},
    {"{\"properties\":{\"ab\":{\"type\":[\"string\",\"null\"]}},\"patternProperties\":{\"^a\":{\"type\":"
     "[\"integer\",\"null\"]}}}",
     "/ab", "may null"},
    /* unevaluatedProperties: what no schema on the value knows */
    {"{\"properties\":{\"a\":{\"type\":\"null\"}},\"unevaluatedProperties\":false}", "/b", "cannot nothing"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"}},\"unevaluatedProperties\":false}", "/a",
     "may null"},
    {"{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}}}],\"unevaluatedProperties\":false}", "/a",
     "may null"},
    {"{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}}}],\"unevaluatedProperties\":false}", "/b",
     "cannot nothing"},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}}},{\"properties\":{\"b\":{\"type\":"
     "\"string\"}},\"required\":[\"b\"]}],\"unevaluatedProperties\":false}",
     "/b", "may anything"},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}}},{\"properties\":{\"b\":true}}],"
     "\"unevaluatedProperties\":false}",
     "/c", "cannot nothing"},
    {"{\"if\":{\"properties\":{\"i\":true}},\"then\":{\"properties\":{\"t\":true}},\"else\":{"
     "\"properties\":{\"e\":true}},\"unevaluatedProperties\":false}",
     "/e", "may anything"},
    {"{\"dependentSchemas\":{\"x\":{\"properties\":{\"d\":true}}},\"unevaluatedProperties\":false}", "/d",
     "may anything"},
    {"{\"dependentSchemas\":{\"x\":{\"properties\":{\"d\":true}}},\"unevaluatedProperties\":false}", "/x",
     "cannot nothing"},
    {"{\"$ref\":\"#/$defs/"
     "a\",\"$defs\":{\"a\":{\"patternProperties\":{\"^p\":{\"type\":\"null\"}}}},"
     "\"unevaluatedProperties\":false}",
     "/pq", "may null"},
    {"{\"$ref\":\"#/$defs/"
     "a\",\"$defs\":{\"a\":{\"patternProperties\":{\"^p\":{\"type\":\"null\"}}}},"
     "\"unevaluatedProperties\":false}",
     "/q", "cannot nothing"},
    {"{\"allOf\":[{\"additionalProperties\":{\"type\":\"null\"}}],\"unevaluatedProperties\":false}", "/q",
     "may null"},
    {"{\"allOf\":[{\"unevaluatedProperties\":true}],\"unevaluatedProperties\":false}", "/q",
     "implicit anything"},
    {"{\"$dynamicRef\":\"#x\",\"$defs\":{\"x\":{\"$dynamicAnchor\":\"x\",\"properties\":{\"a\":true}}},"
     "\"unevaluatedProperties\":false}",
     "/q", "implicit anything"},
    {"{\"properties\":{\"a\":true},\"unevaluatedProperties\":{\"type\":\"null\"}}", "/q", "may null"},
    /* arrays */
    {"{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":1,\"maxItems\":2}", "/0", "must null"},
    {"{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":1,\"maxItems\":2}", "/1", "may null"},
    {"{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":1,\"maxItems\":2}", "/2", "cannot null"},
    {"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"null\"}],\"items\":{\"type\":\"string\"}}", "/0",
     "may null"},
    {"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"null\"}],\"items\":{\"type\":\"string\"}}", "/1",
     "may string"},
    {"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"null\"}],\"items\":false}", "/1", "cannot nothing"},
    {"{\"type\":\"array\"}", "/x", "cannot nothing"},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"type\":\"array\",\"items\":[{\"type\":"
     "\"null\"}],\"additionalItems\":{\"type\":\"string\"}}",
     "/1", "may string"},
    /* values */
    {"{\"enum\":[1,\"a\",null]}", "", "must null or string or integer"},
    {"{\"enum\":[1,1.5]}", "", "must number"},
    {"{\"const\":1.0}", "", "must integer"},
    {"{\"enum\":[1,\"a\"],\"type\":\"string\"}", "", "must string"},
    {"{\"enum\":[1,\"a\"],\"const\":1}", "", "must integer"},
    {"{\"const\":1,\"type\":\"string\"}", "", "cannot nothing"},
    /* combinations */
    {"{\"allOf\":[{\"type\":[\"string\",\"integer\"]},{\"type\":[\"null\",\"integer\"]}]}", "",
     "must integer"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}],\"type\":[\"null\",\"integer\"]}", "",
     "must integer"},
    {"{\"type\":\"object\",\"oneOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}"
     ",{"
     "\"properties\":{\"a\":{\"type\":\"null\"}},\"required\":[\"a\",\"b\"]}]}",
     "/a", "must null or string"},
    {"{\"type\":\"object\",\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"a\",\"b\"]}]}", "/b",
     "may anything"},
    {"{\"type\":\"object\",\"anyOf\":[{\"additionalProperties\":false},{\"properties\":{\"a\":{\"type\":"
     "\"null\"}},\"additionalProperties\":false}]}",
     "/a", "may null"},
    {"{\"allOf\":[{\"properties\":{\"a\":{}},\"additionalProperties\":false},{\"properties\":{\"b\":{}}}]"
     "}",
     "/b", "cannot nothing"},
    {"{\"type\":\"object\",\"if\":{\"required\":[\"x\"]},\"then\":{\"properties\":{\"a\":{\"type\":"
     "\"string\"}},"
     "\"required\":[\"a\"]},\"else\":{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}"
     "}",
     "/a", "must string or integer"},
    {"{\"type\":\"object\",\"if\":{\"required\":[\"x\"]},\"then\":{\"required\":[\"a\"]}}", "/a",
     "may anything"},
    {"{\"type\":\"object\",\"then\":{\"required\":[\"a\"]}}", "/a", "implicit anything"},
    {"{\"type\":\"object\",\"if\":{\"properties\":{\"t\":{\"const\":\"a\"}},\"required\":[\"t\"]},"
     "\"then\":true,"
     "\"else\":{\"properties\":{\"t\":{\"type\":\"null\"}},\"required\":[\"t\"]}}",
     "/t", "must null or string"},
    /* references */
    {"{\"$ref\":\"#/$defs/"
     "a\",\"required\":[\"x\"],\"$defs\":{\"a\":{\"type\":\"object\",\"properties\":{\"x\":"
     "{\"type\":\"string\"}}}}}",
     "/x", "must string"},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"#/definitions/"
     "a\",\"required\":[\"x\"],"
     "\"definitions\":{\"a\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\"}}}}}",
     "/x", "may string"}, /* what stands beside $ref is ignored */
    {"{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"},\"v\":{\"type\":\"null\"}}}", "/v",
     "may null"},
    {"{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"},\"v\":{\"type\":\"null\"}}}", "/next/v",
     "implicit anything"},
    {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"object\",\"required\":["
     "\"b\"]}}}",
     "/a/b", "must anything"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"required\":[\"b\"]}}}", "/a/b",
     "may anything"},
};

static void test_locate(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(located); i++)
        expect_location(located[i].schema, located[i].pointer, located[i].expected);
}

static void test_locations(void **state)
{
    (void)state;
    static const char expected[] = "must '' flow_document\n"
                                   "may '/a~1b' a~1b\n"
                                   "must '/id' id\n"
                                   "may '/list' list\n"
                                   "may '/list/0' list/0\n"
                                   "may '/list/-' -\n"
                                   "may '/list/-/x' -\n"
                                   "cannot '/never' never\n"
                                   "may '/^x' -\n"
                                   "may '/*' -\n";
    mem_auto(shape_free) struct shape *shape = shape_from(
        "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{},\"a/"
        "b\":{},\"never\":false,\"list\":{"
        "\"prefixItems\":[true],\"items\":{\"properties\":{\"x\":{}}}}},\"patternProperties\":{\"^x\":{}},"
        "\"additionalProperties\":{\"type\":\"string\"}}");
    struct arena arena;
    struct buffer text;
    size_t count;
    arena_init(&arena);
    buffer_init(&text, 1 << 16);
    const struct shape_location *locations = shape_locations(shape, &arena, &count);
    for (size_t i = 0; i < count; i++) {
        const char *field = shape_field(&locations[i]);
        buffer_printf(&text, "%s '%s' %s\n", shape_exists_names[locations[i].exists], locations[i].pointer,
                      field ? field : "-");
    }
    assert_string_equal(buffer_cstr(&text), expected);
    buffer_done(&text);
    arena_done(&arena);
}

static void test_inference(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *expected;
    } cases[] = {
        {"{\"type\":\"object\"}", "{\"types\":[\"object\"],\"exists\":\"MUST\"}"},
        {"{\"type\":[\"string\",\"null\"],\"format\":\"date-time\",\"maxLength\":30,\"contentEncoding\":"
         "\"base64\"}",
         "{\"types\":[\"string\",\"null\"],\"exists\":\"MUST\",\"string\":{\"format\":\"date-time\","
         "\"contentEncoding\":\"base64\",\"maxLength\":30}}"},
        {"{\"type\":\"integer\",\"minimum\":-5,\"title\":\"T\",\"description\":\"D\",\"default\":[1],"
         "\"secret\":true,"
         "\"reduce\":{\"strategy\":\"sum\"}}",
         "{\"types\":[\"integer\"],\"exists\":\"MUST\",\"title\":\"T\",\"description\":\"D\",\"default\":[1],"
         "\"secret\":true,\"numeric\":{\"hasMinimum\":true,\"minimum\":-5},\"reduce\":\"REDUCE_SUM\"}"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"minItems\":1,\"maxItems\":3}",
         "{\"types\":[\"array\"],\"exists\":\"MUST\",\"array\":{\"minItems\":1,\"hasMaxItems\":true,"
         "\"maxItems\":3,"
         "\"itemTypes\":[\"number\"]}}"},
        {"{\"enum\":[\"a\",1]}",
         "{\"types\":[\"integer\",\"string\"],\"exists\":\"MUST\",\"string\":{},\"enum\":[\"a\",1]}"},
        {"{\"oneOf\":[{\"const\":1,\"reduce\":{\"strategy\":\"sum\"}},{\"const\":2,\"reduce\":{\"strategy\":"
         "\"maximize\"}}],\"redact\":{\"strategy\":\"sha256\"}}",
         "{\"types\":[\"integer\"],\"exists\":\"MUST\",\"enum\":[1,2],\"reduce\":\"REDUCE_MULTIPLE\","
         "\"redact\":"
         "\"REDACT_SHA256\"}"},
        {"false", "{\"types\":[],\"exists\":\"CANNOT\"}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer text;
        struct json_writer writer;
        struct arena arena;
        size_t count;
        arena_init(&arena);
        buffer_init(&text, 1 << 16);
        json_writer_init(&writer, &text);
        mem_auto(shape_free) struct shape *shape = shape_from(cases[i].schema);
        shape_write_inference(&shape_locations(shape, &arena, &count)[0], &writer);
        assert_string_equal(buffer_cstr(&text), cases[i].expected);
        buffer_done(&text);
        arena_done(&arena);
    }
}

/* What a shape can say comes back as it was. */
static void test_round_trip(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "true",
        "false",
        "{\"title\":\"T\",\"description\":\"D\",\"type\":[\"null\",\"integer\"],\"default\":7,\"minimum\":1."
        "50,"
        "\"maximum\":1e400,\"secret\":true,\"reduce\":{\"strategy\":\"merge\"},\"redact\":{\"strategy\":"
        "\"block\"}}",
        "{\"type\":\"string\",\"enum\":[\"a\",\"\\u0000\"],\"format\":\"anything\",\"contentEncoding\":"
        "\"base64\","
        "\"contentMediaType\":\"text/html\",\"minLength\":1,\"maxLength\":2,\"x-str-minimum\":-1,"
        "\"x-str-maximum\":1.25}",
        "{\"type\":[\"array\",\"object\"],\"minItems\":1,\"maxItems\":4,\"prefixItems\":[true,{\"type\":"
        "\"null\"}],"
        "\"items\":false,\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"boolean\"},\"b\":true},"
        "\"patternProperties\":{\"^c\":{\"type\":\"null\"}},\"additionalProperties\":{\"type\":\"string\"},"
        "\"x-complexity-limit\":5}",
    };
    for (size_t i = 0; i < COUNT(schemas); i++) {
        mem_auto(shape_free) struct shape *shape = shape_from(schemas[i]), *copy = shape_clone(shape);
        assert_shape(shape, schemas[i]);
        assert_shape(copy, schemas[i]);
        shape_union(copy, shape);
        assert_shape(copy, schemas[i]);
        shape_intersect(copy, shape);
        assert_shape(copy, schemas[i]);
    }
}

static void test_union(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *result;
    } cases[] = {
        {"{\"type\":\"integer\",\"minimum\":5}", "{\"type\":\"integer\",\"minimum\":3.5,\"maximum\":9}",
         "{\"type\":\"integer\",\"minimum\":3.5}"},
        {"{\"type\":\"integer\",\"minimum\":5}", "{\"type\":\"string\",\"minLength\":2}",
         "{\"type\":[\"integer\",\"string\"],\"minLength\":2,\"minimum\":5}"},
        {"{\"enum\":[\"a\",1]}", "{\"enum\":[1.0,null]}",
         "{\"type\":[\"null\",\"integer\",\"string\"],\"enum\":[\"a\",1,null]}"},
        {"{\"enum\":[\"a\"]}", "{\"type\":\"string\",\"maxLength\":5}", "{\"type\":\"string\"}"},
        {"{\"type\":\"string\",\"format\":\"integer\"}", "{\"type\":\"string\",\"format\":\"number\"}",
         "{\"type\":\"string\",\"format\":\"number\"}"},
        {"{\"type\":\"string\",\"format\":\"date\"}", "{\"type\":\"string\",\"format\":\"number\"}",
         "{\"type\":\"string\"}"},
        {"{\"title\":\"T\",\"secret\":true,\"type\":\"null\",\"reduce\":{\"strategy\":\"sum\"}}",
         "{\"title\":\"U\",\"type\":\"null\",\"reduce\":{\"strategy\":\"sum\"}}",
         "{\"type\":\"null\",\"secret\":true,\"reduce\":{\"strategy\":\"sum\"}}"},
        /* A property of one is matched by a pattern of the other. */
        {"{\"type\":\"object\",\"properties\":{\"x1\":{\"type\":\"integer\"}},\"additionalProperties\":"
         "false}",
         "{\"type\":\"object\",\"patternProperties\":{\"^x\":{\"type\":\"string\"}},"
         "\"additionalProperties\":false}",
         "{\"type\":\"object\",\"properties\":{\"x1\":{\"type\":[\"integer\",\"string\"]}},"
         "\"patternProperties\":{\"^x\":{\"type\":[\"integer\",\"string\"]}},\"additionalProperties\":"
         "false}"},
        {"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"null\"}],\"items\":false}",
         "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1}",
         "{\"type\":\"array\",\"prefixItems\":[{\"type\":[\"null\",\"string\"]}],\"items\":{\"type\":"
         "\"string\"}}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        mem_auto(shape_free) struct shape *a = shape_from(cases[i].a), *b = shape_from(cases[i].b);
        shape_union(a, b);
        assert_shape(a, cases[i].result);
    }
}

/* --- documents, errors, hostile schemas -------------------------------------------------------------- */

static int fetch(void *context, const char *uri, struct arena *arena, struct slice *ret_source,
                 struct error *err)
{
    unsigned *fetched = context;
    ++*fetched;
    if (strcmp(uri, "test:other") != 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no %s", uri);
    *ret_source =
        slice_of(arena_strdup(arena, "{\"$defs\":{\"x\":{\"$anchor\":\"here\",\"$ref\":\"#/$defs/y\"},"
                                     "\"y\":{\"type\":\"boolean\"}}}"));
    return 0;
}

static void test_documents(void **state)
{
    (void)state;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    struct error err;
    unsigned fetched = 0;
    const char *source = "{\"$defs\":{\"a\":{\"$ref\":\"test:other#here\"},\"b\":{\"$ref\":\"test:none\"},"
                         "\"c\":{\"$ref\":\"#/$defs/nothing\"}}}";
    schema_registry_on_missing(registry, fetch, &fetched);
    assert_int_equal(schema_registry_add(registry, "test:main", slice_of(source), &err), 0);
    mem_auto(shape_free) struct shape *shape = shape_of_schema(registry, "test:main#/$defs/a", &err);
    assert_shape(shape, "{\"type\":\"boolean\"}");
    assert_int_equal(fetched, 1);
    assert_null(shape_of_schema(registry, "test:main#/$defs/b", &err));
    assert_string_equal(err.message,
                        "schema test:main#/$defs/b: cannot resolve \"test:none\": there is no test:none");
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_null(shape_of_schema(registry, "test:main#/$defs/c", &err));
    assert_null(shape_of_schema(registry, "test:main#/$defs/d", &err));
}

/* $defs a0 … each with two properties, or alternatives, that are the next: all of them are 2^40. */
static void test_webs(void **state)
{
    (void)state;
    static const struct {
        const char *before, *between, *after;
    } forms[] = {
        {"{\"properties\":{\"l\":", ",\"r\":", "}}"},
        {"{\"anyOf\":[", ",", "]}"},
        {"{\"allOf\":[", ",", "]}"},
        {"{\"type\":\"array\",\"items\":", ",\"prefixItems\":[", "]}"},
    };
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct buffer text;
        buffer_init(&text, 1 << 20);
        buffer_str(&text, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
        for (int level = 0; level < 40; level++) {
            auto_free char *next = mem_printf("{\"$ref\":\"#/$defs/a%d\"}", level + 1);
            buffer_printf(&text, "\"a%d\":%s%s%s%s%s,", level, forms[i].before, next, forms[i].between, next,
                          forms[i].after);
        }
        buffer_str(&text, "\"a40\":{\"type\":\"object\",\"required\":[\"x\"]}}}");
        mem_auto(shape_free) struct shape *shape = shape_from(buffer_cstr(&text));
        assert_non_null(shape);
        buffer_done(&text);
    }
}

static void test_wide_alternatives(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 64 << 20);
    for (int i = 0; i < 900; i++) {
        buffer_printf(&text, "%s{\"properties\":{", i ? "," : "{\"anyOf\":[");
        for (int k = 0; k < 300; k++)
            buffer_printf(&text, "%s\"p%d_%d\":{}", k ? "," : "", i, k);
        buffer_str(&text, "}}");
    }
    buffer_str(&text, "]}");
    mem_auto(shape_free) struct shape *shape = shape_from(buffer_cstr(&text));
    assert_true(shape->vague);
    buffer_done(&text);
}

/* A chain of references longer than is followed, and schemas nested as deep as may be. */
static void test_long_chain(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 64 << 20);
    buffer_str(&text, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&text, "\"a%d\":{\"$ref\":\"#/$defs/a%d\"},", i, i + 1);
    buffer_str(&text, "\"a1000\":{\"type\":\"null\"}}}");
    mem_auto(shape_free) struct shape *shape = shape_from(buffer_cstr(&text));
    assert_int_equal(shape->types, SHAPE_ANY);
    assert_true(shape->vague);
    buffer_done(&text);
}

/* Many and slow patterns, and numbers, counts and values out of all proportion. */
static void test_excess(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 64 << 20);
    buffer_str(&text,
               "{\"minLength\":1e99,\"maxItems\":1e99,\"x-complexity-limit\":1e99,\"minimum\":1e99999999,"
               "\"patternProperties\":{");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&text, "%s\"^(a|a|b?a)+c?%d$\":{\"type\":\"null\"}", i ? "," : "", i);
    buffer_str(&text, "},\"properties\":{");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&text, "%s\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%d\":{}",
                      i ? "," : "", i);
    buffer_str(&text, "},\"enum\":[");
    for (int i = 0; i < SHAPE_CHOICES_MAX + 1; i++)
        buffer_printf(&text, "%s\"%d\"", i ? "," : "", i);
    buffer_str(&text, "]}");
    mem_auto(shape_free) struct shape *shape = shape_from(buffer_cstr(&text));
    assert_int_equal(shape->types, SHAPE_STRING);
    assert_null(shape->choices);
    assert_int_equal(shape->min_length, 0); /* no count: as if it were absent */
    assert_int_equal(shape->pattern_count, 0);
    assert_true(shape->vague);
    buffer_done(&text);
}

/* What is no schema at all is not a reason to stop: compiling it says so. */
static void test_malformed(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "7",
        "[]",
        "{\"type\":7,\"enum\":3,\"properties\":[],\"required\":{},\"minimum\":\"a\",\"allOf\":{}}",
        "{\"type\":[],\"required\":[1,\"a\",\"a\",\"a\"],\"anyOf\":[],\"items\":[1],\"prefixItems\":7}",
        "{\"patternProperties\":{\"(\":{}},\"properties\":{\"a\":5},\"$ref\":7,\"minItems\":-1,\"format\":1}",
    };
    for (size_t i = 0; i < COUNT(schemas); i++) {
        mem_auto(shape_free) struct shape *shape = shape_from(schemas[i]);
        auto_free char *text = shape_text(shape);
        assert_true(strlen(text) > 1);
    }
}

/* --- what holds for all ----------------------------------------------------------------------------- */

enum { DOCUMENTS = 12 };

static bool valid_by(const struct schema *schema, const char *document)
{
    struct error err;
    int valid = ask(schema, slice_of(document), &err);
    if (valid < 0)
        fail_msg("%s", err.message);
    return valid == 1;
}

static void test_combinations(void **state)
{
    (void)state;
    const int seeds = level_seeds(100, 300);
    unsigned either = 0, both = 0;
    for (int seed = 0; seed < seeds; seed++) {
        struct random random = {(uint64_t)seed ^ 0x777};
        auto_free char *a_text = random_schema_text(&random, 3), *b_text = random_schema_text(&random, 3);
        mem_auto(schema_free) struct schema *a = must_compile(a_text), *b = must_compile(b_text);
        mem_auto(shape_free) struct shape *all = shape_from(a_text), *any = shape_from(a_text),
                                          *other = shape_from(b_text);
        shape_intersect(all, other);
        shape_union(any, other);
        auto_free char *all_text = shape_text(all), *any_text = shape_text(any);
        mem_auto(schema_free) struct schema *all_schema = must_compile(all_text),
                                            *any_schema = must_compile(any_text);
        for (int i = 0; i < DOCUMENTS; i++) {
            auto_free char *document = random_document_text(&random, 3);
            bool by_a = valid_by(a, document), by_b = valid_by(b, document);
            either += by_a || by_b;
            both += by_a && by_b;
            if ((by_a || by_b) && !valid_by(any_schema, document))
                fail_msg("seed %d: %s fits %s or %s, not %s", seed, document, a_text, b_text, any_text);
            if (by_a && by_b && !valid_by(all_schema, document))
                fail_msg("seed %d: %s fits %s and %s, not %s", seed, document, a_text, b_text, all_text);
        }
    }
    assert_in_range(either, seeds, seeds * DOCUMENTS);
    assert_in_range(both, seeds / 2, seeds * DOCUMENTS);
}

/* Must and cannot are said only of locations that every document, or none, has. */
static void test_exists(void **state)
{
    (void)state;
    const int seeds = level_seeds(400, 1200);
    unsigned musts = 0, cannots = 0;
    for (int seed = 0; seed < seeds; seed++) {
        struct random random = {(uint64_t)seed ^ 0x999};
        struct arena arena;
        size_t count;
        arena_init(&arena);
        auto_free char *text = random_schema_text(&random, 3);
        mem_auto(schema_free) struct schema *schema = must_compile(text);
        mem_auto(shape_free) struct shape *shape = shape_from(text);
        const struct shape_location *locations = shape_locations(shape, &arena, &count);
        for (int i = 0; i < DOCUMENTS; i++) {
            auto_free char *document = random_document_text(&random, 3);
            struct json doc;
            struct error err;
            if (!valid_by(schema, document))
                continue;
            assert_int_equal(json_parse_copy(&arena, document, strlen(document), &doc, &err), 0);
            for (size_t l = 0; l < count; l++) {
                if (locations[l].is_pattern)
                    continue;
                bool there = json_pointer(&doc, 0, slice_of(locations[l].pointer)) != JSON_NONE;
                musts += locations[l].exists == SHAPE_MUST;
                cannots += locations[l].exists == SHAPE_CANNOT;
                if (there ? locations[l].exists == SHAPE_CANNOT : locations[l].exists == SHAPE_MUST)
                    fail_msg("seed %d: '%s' %s exist by %s, but see %s", seed, locations[l].pointer,
                             shape_exists_names[locations[l].exists], text, document);
            }
        }
        arena_done(&arena);
    }
    assert_in_range(musts, seeds / 4, 250 * seeds);
    assert_in_range(cannots, 10, 250 * seeds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_locations),
        cmocka_unit_test(test_inference),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_union),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_webs),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_wide_alternatives),
        cmocka_unit_test(test_excess),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
