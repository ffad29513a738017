/* Annotations: which schemas count, in which order, and that limits hold. */
#include "support.h"

#include "schema/annotate.h"

static const char *const keywords[] = {"title", "reduce", "contentEncoding", NULL};

static struct schema *must_compile_with(const char *text, const char *const *annotations)
{
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    struct schema *schema = NULL;
    if (schema_registry_add(registry, TEST_URI, slice_of(text), &err) == 0)
        schema = schema_compile_with(registry, TEST_URI, &(struct schema_options){annotations}, &err);
    if (!schema)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

struct annotated {
    const char *schema, *instance;
    const char *said; /* "pointer=value …" in order; NULL: not valid */
};

static const struct annotated cases[] = {
    {"{\"title\":\"a\"}", "1", "=\"a\""},
    {"true", "1", ""},
    {"{\"title\":\"a\",\"type\":\"string\"}", "1", NULL},
    {"{\"title\":\"a\",\"reduce\":{\"strategy\":\"sum\"}}", "1", "=\"a\" ={\"strategy\":\"sum\"}"},
    /* by instance in document order, whatever the schema's order */
    {"{\"title\":\"r\",\"allOf\":[{\"properties\":{\"b\":{\"title\":\"b1\"},\"a\":{\"title\":\"a1\"}}},"
     "{\"properties\":{\"a\":{\"title\":\"a2\"}}}]}",
     "{\"a\":1,\"b\":2}", "=\"r\" /a=\"a1\" /a=\"a2\" /b=\"b1\""},
    /* a schema before those it refers to, whatever their size */
    {"{\"$ref\":\"#/$defs/x\",\"title\":\"site\",\"$defs\":{\"x\":{\"title\":\"target\"}}}", "1",
     "=\"site\" =\"target\""},
    {"{\"allOf\":[{\"title\":\"1\"},{\"title\":\"2\"}],\"$ref\":\"#/$defs/"
     "x\",\"$defs\":{\"x\":{\"title\":\"0\"}}}",
     "1", "=\"0\" =\"1\" =\"2\""},
    /* what fails takes back everything it said */
    {"{\"anyOf\":[{\"title\":\"no\",\"properties\":{\"a\":{\"title\":\"no\"},\"b\":false}},"
     "{\"properties\":{\"a\":{\"title\":\"yes\"}}}]}",
     "{\"a\":1,\"b\":2}", "/a=\"yes\""},
    {"{\"anyOf\":[{\"title\":\"1\"},{\"title\":\"2\"}]}", "1", "=\"1\" =\"2\""},
    {"{\"oneOf\":[{\"title\":\"1\",\"type\":\"string\"},{\"title\":\"2\"}]}", "1", "=\"2\""},
    {"{\"oneOf\":[{\"title\":\"1\"},{\"title\":\"2\"}]}", "1", NULL},
    {"{\"not\":{\"title\":\"no\",\"type\":\"string\"}}", "1", ""},
    {"{\"if\":{\"title\":\"if\",\"type\":\"string\"},\"then\":{\"title\":\"then\"},\"else\":{\"title\":"
     "\"else\"}}",
     "1", "=\"else\""},
    {"{\"if\":{\"title\":\"if\",\"type\":\"integer\"},\"then\":{\"title\":\"then\"},\"else\":{\"title\":"
     "\"else\"}}",
     "1", "=\"if\" =\"then\""},
    {"{\"dependentSchemas\":{\"a\":{\"title\":\"dep\"}}}", "{\"a\":1}", "=\"dep\""},
    {"{\"dependentSchemas\":{\"a\":{\"title\":\"dep\"}}}", "{\"b\":1}", ""},
    /* every element that matches, also where the count is settled */
    {"{\"contains\":{\"type\":\"integer\",\"title\":\"n\"}}", "[1,\"a\",2]", "/0=\"n\" /2=\"n\""},
    {"{\"contains\":{\"type\":\"integer\",\"title\":\"n\"},\"minContains\":0}", "[]", ""},
    {"{\"prefixItems\":[{\"title\":\"0\"}],\"items\":{\"title\":\"n\"}}", "[1,2,3]",
     "/0=\"0\" /1=\"n\" /2=\"n\""},
    {"{\"patternProperties\":{\"^a\":{\"title\":\"p\"}},\"additionalProperties\":{\"title\":\"x\"}}",
     "{\"ab\":1,\"c\":2}", "/ab=\"p\" /c=\"x\""},
    {"{\"allOf\":[{\"properties\":{\"a\":{}}}],\"unevaluatedProperties\":{\"title\":\"u\"}}",
     "{\"a\":1,\"b\":2}", "/b=\"u\""},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"title\":\"a\"}}},false],\"unevaluatedProperties\":false}",
     "{\"a\":1}", "/a=\"a\""},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"title\":\"a\"}}},false],\"unevaluatedProperties\":false}",
     "{\"b\":1}", NULL},
    {"{\"prefixItems\":[true],\"anyOf\":[{\"title\":\"x\"}],\"unevaluatedItems\":{\"title\":\"u\"}}", "[1,2]",
     "=\"x\" /1=\"u\""},
    /* recursion */
    {"{\"title\":\"n\",\"properties\":{\"c\":{\"items\":{\"$ref\":\"#\"}}}}", "{\"c\":[{\"c\":[1]}]}",
     "=\"n\" /c/0=\"n\" /c/0/c/0=\"n\""},
    {"{\"$dynamicRef\":\"#x\",\"$defs\":{\"x\":{\"$dynamicAnchor\":\"x\",\"title\":\"d\"}}}", "1", "=\"d\""},
    /* of strings only */
    {"{\"contentEncoding\":\"base64\"}", "\"\"", "=\"base64\""},
    {"{\"contentEncoding\":\"base64\"}", "1", ""},
    {"{\"contentEncoding\":\"base64\",\"propertyNames\":{\"contentEncoding\":\"hex\"}}", "{\"a\":1}", ""},
    /* about a name: no location of the document has it */
    {"{\"propertyNames\":{\"title\":\"n\"},\"title\":\"o\"}", "{\"a\":1}", "=\"o\""},
};

static void test_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mem_auto(schema_free) struct schema *schema = must_compile_with(cases[i].schema, keywords);
        mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
        mem_auto(json_parser_free) struct json_parser *parser =
            json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
        const struct schema_annotation *annotations;
        size_t count, notes;
        struct json doc;
        struct error err;
        struct buffer said;
        buffer_init(&said, 4096);
        assert_int_equal(json_parse(parser, cases[i].instance, strlen(cases[i].instance), &doc, &err), 0);
        int valid = schema_annotate(schema, validator, &doc, 0, &annotations, &count, &err);
        assert_int_equal(valid, schema_validate(schema, validator, &doc, 0, &err));
        const struct schema_note *all = schema_notes(schema, &notes);
        for (size_t a = 0; valid == 1 && a < count; a++) {
            uint32_t at;
            const struct json *json = schema_note_value(schema, &all[annotations[a].note], &at);
            if (a)
                buffer_byte(&said, ' ');
            json_pointer_of(&doc, annotations[a].instance, &said);
            struct slice raw = json_raw(json, at);
            buffer_printf(&said, "=%.*s", SLICE_ARGS(raw));
        }
        const char *expected = cases[i].said ? cases[i].said : "";
        if (valid != (cases[i].said != NULL) || strcmp(buffer_cstr(&said), expected) != 0)
            fail_msg("%s of %s\nexpected %s\ngot %d %s", cases[i].schema, cases[i].instance, expected, valid,
                     buffer_cstr(&said));
        buffer_done(&said);
    }
}

static void test_location(void **state)
{
    (void)state;
    mem_auto(schema_free) struct schema *schema = must_compile_with(
        "{\"properties\":{\"a b\":{\"$ref\":\"#/$defs/x\"}},\"$defs\":{\"x\":{\"title\":\"t\"}}}", keywords);
    size_t count;
    struct arena arena;
    arena_init(&arena);
    const struct schema_note *notes = schema_notes(schema, &count);
    assert_int_equal(count, 1);
    assert_string_equal(schema_note_location(schema, notes, &arena), "test:schema#/$defs/x");
    arena_done(&arena);
}

struct reached {
    const char *schema, *instance;
    const char *said; /* "instance keywordLocation=value" a line */
};

static const struct reached reached_cases[] = {
    {"{\"title\":\"a\",\"$comment\":\"no\",\"type\":\"integer\",\"$defs\":{},\"x-own\":[1, 2]}", "1",
     " /title=\"a\"\n /x-own=[1, 2]\n"},
    {"{\"properties\":{\"a~/b\":{\"$ref\":\"#/$defs/"
     "x\",\"readOnly\":true}},\"$defs\":{\"x\":{\"title\":\"x\"}}}",
     "{\"a~/b\":1}",
     "/a~0~1b /properties/a~0~1b/readOnly=true\n/a~0~1b /properties/a~0~1b/$ref/title=\"x\"\n"},
    {"{\"$dynamicRef\":\"#x\",\"$defs\":{\"x\":{\"$dynamicAnchor\":\"x\",\"title\":\"d\"}}}", "1",
     " /$dynamicRef/title=\"d\"\n"},
    /* through what says nothing itself, and where the same schema is come to by two ways */
    {"{\"allOf\":[true,{\"$ref\":\"#/$defs/x\"},{\"anyOf\":[false,{\"$ref\":\"#/$defs/"
     "x\"}]}],\"$defs\":{\"x\":{\"title\":\"x\"}}}",
     "1", " /allOf/1/$ref/title=\"x\"\n /allOf/2/anyOf/1/$ref/title=\"x\"\n"},
    {"{\"prefixItems\":[{\"title\":\"0\"}],\"items\":{\"title\":\"n\"},\"contains\":{\"const\":2,\"title\":"
     "\"c\"}}",
     "[1,2]", "/0 /prefixItems/0/title=\"0\"\n/1 /items/title=\"n\"\n/1 /contains/title=\"c\"\n"},
    {"{\"patternProperties\":{\"^a/\":{\"title\":\"p\"}},\"additionalProperties\":{\"title\":\"x\"},"
     "\"propertyNames\":{\"title\":\"n\"}}",
     "{\"a/b\":1,\"c\":2}",
     "/a~1b /patternProperties/^a~1/title=\"p\"\n/c /additionalProperties/title=\"x\"\n"},
    {"{\"if\":{\"title\":\"if\",\"type\":\"integer\"},\"then\":{\"title\":\"then\"},\"else\":{\"title\":"
     "\"else\"}}",
     "1", " /if/title=\"if\"\n /then/title=\"then\"\n"},
    {"{\"dependentSchemas\":{\"a\":{\"title\":\"dep\"}},\"not\":{\"title\":\"no\",\"type\":\"null\"}}",
     "{\"a\":1}", " /dependentSchemas/a/title=\"dep\"\n"},
    /* unevaluated*, settled while compiling and while running */
    {"{\"allOf\":[{\"properties\":{\"a\":{}}}],\"unevaluatedProperties\":{\"title\":\"u\"}}",
     "{\"a\":1,\"b\":2}", "/b /unevaluatedProperties/title=\"u\"\n"},
    {"{\"anyOf\":[{\"properties\":{\"a\":{}}}],\"unevaluatedProperties\":{\"title\":\"u\"}}",
     "{\"a\":1,\"b\":2}", "/b /unevaluatedProperties/title=\"u\"\n"},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"items\":[{\"title\":\"0\"}],"
     "\"additionalItems\":{\"title\":\"n\"}}",
     "[1,2]", "/0 /items/0/title=\"0\"\n/1 /additionalItems/title=\"n\"\n"},
    {"{\"oneOf\":[{\"title\":\"no\",\"properties\":{\"a\":{\"title\":\"no\"},\"b\":false}},{\"title\":"
     "\"yes\"}]}",
     "{\"a\":1,\"b\":1}", " /oneOf/1/title=\"yes\"\n"},
};

/* Every keyword that is an annotation, and how it was come to. */
static void test_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reached_cases / sizeof *reached_cases; i++) {
        const struct reached *test = &reached_cases[i];
        const struct schema_annotation *annotations;
        size_t count, notes;
        struct error err;
        struct json doc;
        struct buffer said;
        buffer_init(&said, 4096);
        mem_auto(schema_registry_free) struct schema_registry *registry =
            schema_registry_new(SCHEMA_DRAFT_2020_12);
        assert_int_equal(schema_registry_add(registry, TEST_URI, slice_of(test->schema), &err), 0);
        mem_auto(schema_free) struct schema *schema =
            schema_compile_with(registry, TEST_URI, &(struct schema_options){.all_annotations = true}, &err);
        mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
        mem_auto(json_parser_free) struct json_parser *parser =
            json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
        assert_int_equal(json_parse(parser, test->instance, strlen(test->instance), &doc, &err), 0);
        schema_validator_trace(validator);
        assert_int_equal(schema_annotate(schema, validator, &doc, 0, &annotations, &count, &err), 1);
        for (size_t a = 0; a < count; a++) {
            uint32_t at;
            const struct json *json =
                schema_note_value(schema, &schema_notes(schema, &notes)[annotations[a].note], &at);
            json_pointer_of(&doc, annotations[a].instance, &said);
            buffer_byte(&said, ' ');
            schema_annotation_location(validator, &annotations[a], &said);
            struct slice raw = json_raw(json, at);
            buffer_printf(&said, "=%.*s\n", SLICE_ARGS(raw));
        }
        assert_string_equal(buffer_cstr(&said), test->said);
        buffer_done(&said);
    }
}

/* Without a keyword that the schema has, nothing is kept; the answers are the same. */
static void test_none(void **state)
{
    (void)state;
    static const char *const none[] = {"description", NULL};
    mem_auto(schema_free) struct schema *schema =
        must_compile_with("{\"title\":\"t\",\"type\":\"integer\"}", none);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    const struct schema_annotation *annotations;
    size_t count = 7;
    struct json doc;
    struct error err;
    assert_int_equal(json_parse(parser, "1", 1, &doc, &err), 0);
    assert_int_equal(schema_annotate(schema, validator, &doc, 0, &annotations, &count, &err), 1);
    assert_int_equal(count, 0);
    schema_notes(schema, &count);
    assert_int_equal(count, 0);
}

/* Branches are all run; what that may cost is limited as for the plain machine. */
static void test_limit(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_str(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < 64; i++)
        buffer_printf(&text, "\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]},",
                      i, i + 1, i + 1);
    buffer_str(&text, "\"d64\":{\"title\":\"end\"}}}");
    mem_auto(schema_free) struct schema *schema = must_compile_with(buffer_cstr(&text), keywords);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    const struct schema_annotation *annotations;
    size_t count;
    struct json doc;
    struct error err = {0};
    assert_int_equal(json_parse(parser, "1", 1, &doc, &err), 0);
    assert_int_equal(schema_annotate(schema, validator, &doc, 0, &annotations, &count, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_said), cmocka_unit_test(test_location), cmocka_unit_test(test_reached),
        cmocka_unit_test(test_none), cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
