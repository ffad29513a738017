/* What people are told. */
#include "support.h"

struct said {
    const char *schema, *instance;
    const char *expected; /* a line for each violation: instance|keyword location|message */
};

static const struct said cases[] = {
    {"{\"type\":\"integer\"}", "\"abc\"", "|/type|expected integer, got string \"abc\"\n"},
    {"{\"type\":[\"integer\",\"null\"]}", "{}",
     "|/type|expected integer or null, got an object of 0 members\n"},
    {"{\"type\":[\"number\",\"integer\",\"boolean\"]}", "[1]",
     "|/type|expected number or boolean, got an array of 1 item\n"},
    {"{\"minimum\":3.5}", "3.4", "|/minimum|expected a number of at least 3.5, got number 3.4\n"},
    {"{\"maximum\":3}", "4", "|/maximum|expected a number of at most 3, got integer 4\n"},
    {"{\"exclusiveMinimum\":3}", "3", "|/exclusiveMinimum|expected a number above 3, got integer 3\n"},
    {"{\"exclusiveMaximum\":3}", "3", "|/exclusiveMaximum|expected a number below 3, got integer 3\n"},
    {"{\"multipleOf\":0.01}", "1.001", "|/multipleOf|expected a multiple of 0.01, got number 1.001\n"},
    {"{\"minLength\":2}", "\"x\"", "|/minLength|expected at least 2 characters, got 1: string \"x\"\n"},
    {"{\"maxLength\":1}", "\"xy\"", "|/maxLength|expected at most 1 character, got 2: string \"xy\"\n"},
    {"{\"pattern\":\"^a\"}", "\"b\"", "|/pattern|expected a string that matches ^a, got string \"b\"\n"},
    {"{\"pattern\":\"^3\\\\.\\\\d\\\"$\"}", "\"b\"",
     "|/pattern|expected a string that matches ^3\\.\\d\"$, got string \"b\"\n"},
    {"{\"minItems\":1}", "[]", "|/minItems|expected at least 1 item, got 0\n"},
    {"{\"maxProperties\":1}", "{\"a\":1,\"b\":2}", "|/maxProperties|expected at most 1 member, got 2\n"},
    {"{\"uniqueItems\":true}", "[1,2,1.0]",
     "|/uniqueItems|expected unique items, got item 0 again at 2: number 1.0\n"},
    {"{\"contains\":{\"const\":1}}", "[2]",
     "|/contains|expected at least 1 item matching {\"const\":1}, got 0 of 1\n"},
    {"{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]",
     "|/maxContains|expected at most 1 item matching {\"const\":1}, got 2 of 2\n"},
    {"{\"const\":{\"a\":1}}", "2", "|/const|expected {\"a\":1}, got integer 2\n"},
    {"{\"enum\":[\"cat\",\"dog\",1]}", "\"dgo\"",
     "|/enum|expected one of \"cat\", \"dog\", 1, got string \"dgo\"; did you mean \"dog\"?\n"},
    {"{\"required\":[\"a/b\",\"c\"]}", "{\"d\":1}",
     "|/required|missing property \"a/b\"\n|/required|missing property \"c\"\n"},
    {"{\"properties\":{\"name\":true},\"additionalProperties\":false}", "{\"nmae\":1}",
     "/nmae|/additionalProperties|unexpected property \"nmae\"; did you mean \"name\"?\n"},
    {"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"a~/b\":1}",
     "/a~0~1b|/additionalProperties/type|expected null, got integer 1\n"},
    {"{\"properties\":{\"a\":false}}", "{\"a\":1}",
     "/a|/properties/a|nothing is allowed here, got integer 1\n"},
    {"{\"patternProperties\":{\"^x/\":{\"type\":\"null\"}}}", "{\"x/y\":1}",
     "/x~1y|/patternProperties/^x~1/type|expected null, got integer 1\n"},
    {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}",
     "/ab|/propertyNames/maxLength|expected at most 1 character, got 2: name \"ab\"\n"},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}",
     "|/dependentRequired/a|missing property \"b\", needed because of \"a\"\n"},
    {"{\"dependentSchemas\":{\"a\":{\"minProperties\":2}}}", "{\"a\":1}",
     "|/dependentSchemas/a/minProperties|expected at least 2 members, got 1\n"},
    {"{\"prefixItems\":[{\"type\":\"null\"}],\"items\":{\"type\":\"string\"}}", "[1,2]",
     "/0|/prefixItems/0/type|expected null, got integer 1\n/1|/items/type|expected string, got integer 2\n"},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"items\":[{\"type\":\"null\"}],\"additionalItems\":{\"type\":"
     "\"string\"}}",
     "[1,2]",
     "/0|/items/0/type|expected null, got integer 1\n/1|/additionalItems/type|expected string, got integer "
     "2\n"},
    {"{\"not\":{\"type\":\"string\"}}", "\"a\"",
     "|/not|expected anything but what matches {\"type\":\"string\"}, got string \"a\"\n"},
    {"{\"if\":{\"minimum\":5},\"then\":{\"multipleOf\":5},\"else\":false}", "7",
     "|/then/multipleOf|expected a multiple of 5, got integer 7\n"},
    {"{\"if\":{\"minimum\":5},\"then\":{\"multipleOf\":5},\"else\":false}", "3",
     "|/else|nothing is allowed here, got integer 3\n"},
    {"{\"allOf\":[true,{\"$ref\":\"#/$defs/"
     "a\"}],\"$defs\":{\"a\":{\"properties\":{\"x\":{\"type\":\"null\"}}}}}",
     "{\"x\":1}", "/x|/allOf/1/$ref/properties/x/type|expected null, got integer 1\n"},
    /* what needed no tracking, seen through the calls that it was written into */
    {"{\"$ref\":\"#/$defs/"
     "a\",\"$defs\":{\"a\":{\"properties\":{\"a\":true},\"unevaluatedProperties\":false}}}",
     "{\"b\":1}", "/b|/$ref/unevaluatedProperties|unexpected property \"b\"\n"},
    {"{\"allOf\":[true,{\"properties\":{\"a\":true},\"unevaluatedProperties\":{\"type\":\"string\"}}]}",
     "{\"b\":1}", "/b|/allOf/1/unevaluatedProperties/type|expected string, got integer 1\n"},
    {"{\"allOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"$ref\":\"#/$defs/"
     "b\"},\"b\":{\"prefixItems\":[true],"
     "\"unevaluatedItems\":{\"$ref\":\"#/$defs/c\"}},\"c\":{\"type\":\"null\"}}}",
     "[1,2]", "/1|/allOf/0/$ref/$ref/unevaluatedItems/$ref/type|expected null, got integer 2\n"},
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}}}],"
     "\"unevaluatedProperties\":false}}}",
     "{\"a\":1,\"b\":1}",
     "/a|/$ref/allOf/0/properties/a/type|expected null, got integer 1\n"
     "/b|/$ref/unevaluatedProperties|unexpected property \"b\"\n"},
    /* of objects and arrays the text, where the value itself is what is wrong */
    {"{\"const\":{\"a\": 1}}", "{\"a\": [1, \"x y\"]}",
     "|/const|expected {\"a\":1}, got {\"a\":[1,\"x y\"]}\n"},
    {"{\"enum\":[[1],[2]]}", "[3]", "|/enum|expected one of [1], [2], got [3]\n"},
    {"{\"uniqueItems\":true}", "[{\"a\":1},{\"a\":1}]",
     "|/uniqueItems|expected unique items, got item 0 again at 1: {\"a\":1}\n"},
    {"{\"not\":{\"type\":\"object\"}}",
     "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": 1, "
     "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\": 2}",
     "|/not|expected anything but what matches {\"type\":\"object\"}, got "
     "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1,\"bbbbbbbbbbbbb…\n"},
    {"{\"enum\":[]}", "1", "|/enum|nothing is allowed, since there is no value in the enum, got integer 1\n"},
    {"{\"maxLength\":3}", "\"äö\\u00fcx\"",
     "|/maxLength|expected at most 3 characters, got 4: string \"äö\\u00fcx\"\n"},
    /* an array's elements tell alternatives apart */
    {"{\"oneOf\":[{\"properties\":{\"ev\":{\"items\":{\"properties\":{\"t\":{\"const\":\"click\"}},"
     "\"required\":[\"t\"]}},\"x\":{\"type\":\"integer\"}}},{\"properties\":{\"ev\":{\"items\":{"
     "\"properties\":{\"t\":{\"const\":\"view\"}},\"required\":[\"t\"]}},\"x\":{\"type\":\"string\"}}}]}",
     "{\"ev\":[{\"t\":\"view\"},{\"t\":\"view\"}],\"x\":1}",
     "/x|/oneOf/1/properties/x/type|expected string, got integer 1\n|/oneOf|matches none of 2 alternatives; "
     "the nearest is /oneOf/1, told by string \"view\" at /ev/0/t\n"},
    /* alternatives for other types are told as well */
    {"{\"oneOf\":[{\"const\":1},{\"const\":\"a\"},{\"type\":\"boolean\"}]}", "\"b\"",
     "|/oneOf|expected one of 1, \"a\" or boolean, got string \"b\"\n"},
    {"{\"oneOf\":[{\"const\":\"c\"},{\"const\":\"a\"},{\"type\":[\"boolean\",\"null\"]},{\"type\":\"object\"}"
     "]}",
     "\"b\"", "|/oneOf|expected one of \"c\", \"a\", object, boolean or null, got string \"b\"\n"},
    /* each wants one more property */
    {"{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}",
     "|/oneOf|missing property \"a\" or \"b\"\n"},
    {"{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]},{\"required\":[\"a\",\"x\"]},{\"type\":"
     "\"string\"},{\"required\":[\"c\"]}]}",
     "{}", "|/anyOf|missing property \"a\", \"b\" or \"c\"\n"},
    {"{\"anyOf\":[{\"required\":[\"a\"]},{\"minProperties\":1}]}", "{}",
     "|/anyOf/0/required|missing property \"a\"\n|/anyOf|matches none of 2 alternatives; the nearest is "
     "/anyOf/0, the first of 2 as near\n"},
    {"{\"required\":[\"name\"],\"properties\":{\"name\":true,\"size\":true}}", "{\"nmae\":1,\"size\":2}",
     "|/required|missing property \"name\"; \"nmae\" is there: did you mean \"name\"?\n"},
    {"{\"required\":[\"name\",\"nmae\"],\"properties\":{\"name\":true}}", "{\"nmae\":1}",
     "|/required|missing property \"name\"\n"},
    /* with escapes, as in the document */
    {"{\"enum\":[\"cat\\nfish\",\"dog\"]}", "\"cat\\nfsh\"",
     "|/enum|expected one of \"cat\\nfish\", \"dog\", got string \"cat\\nfsh\"; did you mean "
     "\"cat\\nfish\"?\n"},
    {"{\"properties\":{\"na\\nme\":true},\"additionalProperties\":false}", "{\"nam\\ne\":1}",
     "/nam\ne|/additionalProperties|unexpected property \"nam\\ne\"; did you mean \"na\\nme\"?\n"},
    {"{\"required\":[\"na\\nme\"],\"properties\":{\"na\\nme\":true}}", "{\"nam\\ne\":1}",
     "|/required|missing property \"na\\nme\"; \"nam\\ne\" is there: did you mean \"na\\nme\"?\n"},
    /* types alone differ: one message */
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "5",
     "|/anyOf|expected string or null, got integer 5\n"},
    /* the alternative whose discriminator fits is the nearest, though it has more that is wrong */
    {"{\"oneOf\":[{\"properties\":{\"t\":{\"const\":\"a\"}},\"required\":[\"t\"]},"
     "{\"properties\":{\"t\":{\"const\":\"b\"},\"x\":{\"type\":\"null\"},\"y\":{\"type\":\"null\"}}}]}",
     "{\"t\":\"b\",\"x\":1,\"y\":2}",
     "/x|/oneOf/1/properties/x/type|expected null, got integer 1\n/y|/oneOf/1/properties/y/type|expected "
     "null, got integer 2\n"
     "|/oneOf|matches none of 2 alternatives; the nearest is /oneOf/1, told by string \"b\" at /t\n"},
    {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2},{\"minimum\":9}]}", "3",
     "|/oneOf|expected exactly one of 3 alternatives to match, got 2: /oneOf/0 and /oneOf/1\n"},
    /* … told at any depth, by $ref and allOf too: the deeper alternative has more that is wrong */
    {"{\"oneOf\":[{\"properties\":{\"g\":{\"$ref\":\"#/$defs/p\"}}},{\"properties\":{\"g\":{\"$ref\":\"#/"
     "$defs/q\"}}}],"
     "\"$defs\":{\"p\":{\"properties\":{\"t\":{\"const\":\"P\"}}},"
     "\"q\":{\"required\":[\"c\",\"d\"],\"allOf\":[{\"properties\":{\"t\":{\"allOf\":[{\"enum\":[\"Q\",\"R\"]"
     "}]}}}]}}}",
     "{\"g\":{\"t\":\"Q\"}}",
     "/g|/oneOf/1/properties/g/$ref/required|missing property \"c\"\n"
     "/g|/oneOf/1/properties/g/$ref/required|missing property \"d\"\n"
     "|/oneOf|matches none of 2 alternatives; the nearest is /oneOf/1, told by string \"Q\" at /g/t\n"},
    /* a value that is wrong by the fitting alternative alone does not count against it */
    {"{\"anyOf\":[{\"properties\":{\"k\":{\"const\":\"a\"},\"u\":{\"enum\":[1,2]},\"v\":{\"enum\":[1,2]}}},"
     "{\"properties\":{\"k\":{\"const\":\"b\"}}}]}",
     "{\"k\":\"a\",\"u\":3,\"v\":3}",
     "/u|/anyOf/0/properties/u/enum|expected one of 1, 2, got integer 3\n"
     "/v|/anyOf/0/properties/v/enum|expected one of 1, 2, got integer 3\n"
     "|/anyOf|matches none of 2 alternatives; the nearest is /anyOf/0, told by string \"a\" at /k\n"},
    /* what an alternative's own alternatives agree in tells too */
    {"{\"oneOf\":[{\"properties\":{\"g\":{\"anyOf\":[{\"properties\":{\"t\":{\"const\":1}}},"
     "{\"properties\":{\"t\":{\"const\":2}}}]}}},"
     "{\"properties\":{\"g\":{\"properties\":{\"t\":{\"const\":3}},\"required\":[\"x\",\"y\"]}}}]}",
     "{\"g\":{\"t\":3}}",
     "/g|/oneOf/1/properties/g/required|missing property \"x\"\n"
     "/g|/oneOf/1/properties/g/required|missing property \"y\"\n"
     "|/oneOf|matches none of 2 alternatives; the nearest is /oneOf/1, told by integer 3 at /g/t\n"},
    /* members that patterns or nothing else is for */
    {"{\"oneOf\":[{\"patternProperties\":{\"^k\":{\"const\":\"a\"}},\"required\":[\"x\"]},"
     "{\"patternProperties\":{\"^k\":{\"const\":\"b\"}},\"required\":[\"y\",\"z\"]}]}",
     "{\"k1\":\"b\"}",
     "|/oneOf/1/required|missing property \"y\"\n|/oneOf/1/required|missing property \"z\"\n"
     "|/oneOf|matches none of 2 alternatives; the nearest is /oneOf/1, told by string \"b\" at /k1\n"},
    {"{\"oneOf\":[{\"properties\":{\"k1\":true},\"patternProperties\":{\"^k\":{\"const\":\"a\"}},"
     "\"required\":[\"x\"]},"
     "{\"additionalProperties\":{\"const\":\"b\"},\"required\":[\"y\",\"z\"]}]}",
     "{\"k1\":\"b\"}",
     "|/oneOf/1/required|missing property \"y\"\n|/oneOf/1/required|missing property \"z\"\n"
     "|/oneOf|matches none of 2 alternatives; the nearest is /oneOf/1, told by string \"b\" at /k1\n"},
    /* no alternative has the value that tells them apart: that is what is wrong */
    {"{\"oneOf\":[{\"properties\":{\"t\":{\"const\":\"Point\"},\"x\":{\"type\":\"null\"}}},"
     "{\"properties\":{\"t\":{\"const\":\"Line\"}},\"required\":[\"y\"]}]}",
     "{\"t\":\"point\",\"x\":1}",
     "/t|/oneOf|by this value 2 alternatives are told apart: expected one of \"Point\", \"Line\", got string "
     "\"point\"; did you mean \"Point\"?\n"},
    {"{\"anyOf\":[{\"const\":\"cat\"},{\"enum\":[\"dog\",\"cat\"]},{\"const\":3}]}", "\"dag\"",
     "|/anyOf|expected one of \"cat\", \"dog\", 3, got string \"dag\"; did you mean \"dog\"?\n"},
    /* unless all ask for the same */
    {"{\"anyOf\":[{\"properties\":{\"v\":{\"const\":1}},\"required\":[\"x\"]},{\"properties\":{\"v\":{"
     "\"const\":1}}}]}",
     "{\"v\":2}",
     "/v|/anyOf/1/properties/v/const|expected 1, got integer 2\n"
     "|/anyOf|matches none of 2 alternatives; the nearest is /anyOf/1, by which what is wrong lies "
     "deepest\n"},
    {"{\"anyOf\":[{\"required\":[\"a\",\"b\"]},{\"required\":[\"c\"]},{\"type\":\"string\"}]}", "{}",
     "|/anyOf/1/required|missing property \"c\"\n"
     "|/anyOf|matches none of 3 alternatives; the nearest is /anyOf/1, by which least is wrong (1, not 2)\n"},
    {"{\"anyOf\":[{\"required\":[\"a\"]},{\"type\":\"null\"}]}", "{}",
     "|/anyOf/0/required|missing property \"a\"\n"
     "|/anyOf|matches none of 2 alternatives; the nearest is /anyOf/0, the only one for a value of this "
     "type\n"},
    {"{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"],\"properties\":{\"x\":{}}}]}", "{\"x\":1}",
     "|/anyOf/1/required|missing property \"b\"\n"
     "|/anyOf|matches none of 2 alternatives; the nearest is /anyOf/1, which knows the most of the "
     "properties (1, "
     "not 0)\n"},
    {"{\"anyOf\":[{\"minimum\":5},{\"minimum\":6},{\"minimum\":7}]}", "4",
     "|/anyOf/0/minimum|expected a number of at least 5, got integer 4\n"
     "|/anyOf|matches none of 3 alternatives; the nearest is /anyOf/0, the first of 3 as near\n"},
    /* many values: the nearest first */
    {"{\"enum\":[\"a1\",\"a2\",\"a3\",\"a4\",\"a5\",\"a6\",\"a7\",\"a8\",\"a9\",\"bx\",\"cy\",\"pending\"]}",
     "\"PENDING\"",
     "|/enum|expected one of \"pending\", \"a1\", \"a2\", \"a3\", \"a4\", \"a5\", \"a6\", \"a7\", \"a8\", "
     "\"a9\" and 2 more, "
     "got string \"PENDING\"; did you mean \"pending\"?\n"},
    /* to the digit, and schemas without their line breaks */
    {"{\"minItems\":123456789012345678901234567890}", "[]",
     "|/minItems|expected at least 123456789012345678901234567890 items, got 0\n"},
    {"{\"contains\":{\n  \"enum\": [ \"a  b\",\n 1 ]\n}}", "[]",
     "|/contains|expected at least 1 item matching {\"enum\":[\"a  b\",1]}, got 0 of 0\n"},
    /* unevaluated*, without and with tracking */
    {"{\"allOf\":[{\"properties\":{\"a\":true}}],\"unevaluatedProperties\":false}", "{\"a\":1,\"b\":2}",
     "/b|/unevaluatedProperties|unexpected property \"b\"\n"},
    {"{\"anyOf\":[{\"properties\":{\"a\":true}},{\"required\":[\"z\"]}],\"unevaluatedProperties\":{\"type\":"
     "\"null\"}}",
     "{\"a\":1,\"b\":2}", "/b|/unevaluatedProperties/type|expected null, got integer 2\n"},
    {"{\"anyOf\":[{\"prefixItems\":[true]}],\"unevaluatedItems\":false}", "[1,2]",
     "/1|/unevaluatedItems|nothing is allowed here, got integer 2\n"},
    /* what a failed keyword would have evaluated is not called unevaluated */
    {"{\"properties\":{\"a\":{\"type\":\"null\"}},\"anyOf\":[true],\"unevaluatedProperties\":false}",
     "{\"a\":1}", "/a|/properties/a/type|expected null, got integer 1\n"},
    /* … but what nothing can be about is told beside what failed, through every kind of branch */
    {"{\"properties\":{\"a\":{\"type\":\"null\"}},\"anyOf\":[{\"properties\":{\"c\":true}},{"
     "\"patternProperties\":{\"^p\":true}}],"
     "\"oneOf\":[false,{\"$ref\":\"#/$defs/"
     "x\"}],\"$defs\":{\"x\":{\"required\":[\"z\"],\"properties\":{\"d\":true}}},"
     "\"if\":{\"required\":[\"q\"]},\"then\":{\"properties\":{\"e\":true}},\"unevaluatedProperties\":false}",
     "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"p\":1}",
     "/a|/properties/a/type|expected null, got integer 1\n"
     "|/oneOf/1/$ref/required|missing property \"z\"\n"
     "|/oneOf|matches none of 2 alternatives; the nearest is /oneOf/1, the only one for a value of this "
     "type\n"
     "/b|/unevaluatedProperties|unexpected property \"b\"\n"},
    {"{\"prefixItems\":[{\"type\":\"null\"}],\"anyOf\":[{\"prefixItems\":[true,{\"const\":7}]}],"
     "\"unevaluatedItems\":false}",
     "[1,2,3]",
     "/0|/prefixItems/0/type|expected null, got integer 1\n"
     "/1|/anyOf/0/prefixItems/1/const|expected 7, got integer 2\n"
     "/2|/unevaluatedItems|nothing is allowed here, got integer 3\n"},
    {"{\"allOf\":[{\"anyOf\":[{\"additionalProperties\":{\"type\":\"null\"}}]}],\"unevaluatedProperties\":"
     "false}",
     "{\"a\":1}", "/a|/allOf/0/anyOf/0/additionalProperties/type|expected null, got integer 1\n"},
    /* minContains and maxContains are keywords of their own */
    {"{\"contains\":{\"type\":\"null\"},\"minContains\":2}", "[null,1,2]",
     "|/minContains|expected at least 2 items matching {\"type\":\"null\"}, got 1 of 3\n"},
    {"{\"contains\":{\"type\":\"null\"},\"minContains\":0,\"maxContains\":1}", "[null,null]",
     "|/maxContains|expected at most 1 item matching {\"type\":\"null\"}, got 2 of 2\n"},
    /* other drafts */
    {"{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"minimum\":5,\"exclusiveMinimum\":true}", "5",
     "|/minimum|expected a number above 5, got integer 5\n"},
    {"{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"type\":\"integer\"}", "1.0",
     "|/type|expected integer, got number 1.0\n"},
    {"{\"$schema\":\"http://json-schema.org/draft-06/"
     "schema#\",\"dependencies\":{\"a\":{\"required\":[\"b\"]}}}",
     "{\"a\":1}", "|/dependencies/a/required|missing property \"b\"\n"},
    {"{\"$schema\":\"https://json-schema.org/draft/2019-09/"
     "schema\",\"$recursiveAnchor\":true,\"type\":\"object\","
     "\"properties\":{\"a\":{\"$recursiveRef\":\"#\"}}}",
     "{\"a\":5}", "/a|/properties/a/$recursiveRef/type|expected object, got integer 5\n"},
    {"{\"$schema\":\"https://json-schema.org/draft/2019-09/schema\",\"items\":[true],\"unevaluatedItems\":"
     "{\"type\":\"null\"}}",
     "[1,2]", "/1|/unevaluatedItems/type|expected null, got integer 2\n"},
    {"false", "1", "||nothing is allowed here, got integer 1\n"},
    /* a long value is cut at a character */
    {"{\"type\":\"null\"}",
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa4zz\"",
     "|/type|expected null, got string "
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… (84 bytes)\n"},
};

static void explain_into(const char *schema_text, const char *instance, size_t max, struct buffer *out,
                         struct arena *arena)
{
    mem_auto(schema_free) struct schema *schema = must_compile(schema_text);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    struct json doc;
    struct error err;
    struct schema_violation violations[16];
    size_t count = 0;
    assert_int_equal(json_parse_copy(arena, instance, strlen(instance), &doc, &err), 0);
    assert_true(max <= 16);
    assert_int_equal(schema_explain(schema, validator, &doc, 0, arena, violations, max, &count, &err), 0);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s|%s|%s\n", violations[i].instance, violations[i].keyword_location,
                      violations[i].message);
}

static void test_messages(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        struct arena arena;
        arena_init(&arena);
        buffer_init(&out, 1 << 20);
        explain_into(cases[i].schema, cases[i].instance, 16, &out, &arena);
        if (strcmp(buffer_cstr(&out), cases[i].expected) != 0) {
            print_message("%s\n%s\n--- expected\n%s--- got\n%s", cases[i].schema, cases[i].instance,
                          cases[i].expected, buffer_cstr(&out));
            wrong++;
        }
        buffer_done(&out);
        arena_done(&arena);
    }
    assert_int_equal(wrong, 0);
}

static void test_at_most(void **state)
{
    (void)state;
    struct buffer out;
    struct arena arena;
    arena_init(&arena);
    buffer_init(&out, 1 << 20);
    explain_into("{\"items\":{\"type\":\"null\"}}", "[1,2,3,4]", 2, &out, &arena);
    assert_string_equal(buffer_cstr(&out), "/0|/items/type|expected null, got integer 1\n"
                                           "/1|/items/type|expected null, got integer 2\n");
    buffer_done(&out);
    arena_done(&arena);
}

/* A location is as long as the document makes it: it is cut, at a character. */
static void test_long_location(void **state)
{
    (void)state;
    struct buffer out, instance;
    struct arena arena;
    arena_init(&arena);
    buffer_init(&out, 1 << 20);
    buffer_init(&instance, 1 << 20);
    buffer_str(&instance, "{\"a");
    for (int i = 0; i < 50000; i++)
        buffer_str(&instance, "ä");
    buffer_str(&instance, "\":1}");
    explain_into("{\"additionalProperties\":{\"type\":\"null\"}}", buffer_cstr(&instance), 2, &out, &arena);
    assert_true(out.size > 16000 && out.size < 17000);
    assert_true(utf8_valid(out.data, out.size));
    assert_non_null(strstr(buffer_cstr(&out), "ä…|/additionalProperties/type|"));
    buffer_done(&instance);
    buffer_done(&out);
    arena_done(&arena);
}

/* Absolute locations name the document that the keyword stands in. */
static void test_absolute_location(void **state)
{
    (void)state;
    struct error err;
    struct arena arena;
    arena_init(&arena);
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    const char *main =
                   "{\"properties\":{\"a "
                   "b\":{\"$ref\":\"other.json#/$defs/x\"},\"e\":{\"$id\":\"/embedded\",\"type\":\"null\"}}}",
               *other = "{\"$defs\":{\"x\":{\"allOf\":[{\"minimum\":5}]}}}";
    assert_int_equal(schema_registry_add(registry, "http://example.com/s/main.json", slice_of(main), &err),
                     0);
    assert_int_equal(schema_registry_add(registry, "http://example.com/s/other.json", slice_of(other), &err),
                     0);
    mem_auto(schema_free) struct schema *schema =
        schema_compile(registry, "http://example.com/s/main.json", &err);
    assert_non_null(schema);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    struct json doc;
    const char *instance = "{\"a b\": 1, \"e\": 2}";
    assert_int_equal(json_parse_copy(&arena, instance, strlen(instance), &doc, &err), 0);
    struct schema_violation violations[4];
    size_t count = 0;
    assert_int_equal(schema_explain(schema, validator, &doc, 0, &arena, violations, 4, &count, &err), 0);
    assert_int_equal(count, 2);
    assert_string_equal(violations[0].absolute_location,
                        "http://example.com/s/other.json#/$defs/x/allOf/0/minimum");
    assert_string_equal(violations[0].keyword_location, "/properties/a b/$ref/allOf/0/minimum");
    assert_string_equal(violations[0].keyword, "minimum");
    assert_true(slice_is(violations[0].value, "1"));
    assert_string_equal(violations[1].absolute_location, "http://example.com/embedded#/type");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_at_most),
        cmocka_unit_test(test_long_location),
        cmocka_unit_test(test_absolute_location),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
