/* Reductions case by case: what Flow's own implementation does (the names and results are its oracle's), and
 * what it leaves open. */
#include "reduce_support.h"

#define STRATEGY(name) "{\"reduce\":{\"strategy\":\"" name "\"}}"
#define SUM STRATEGY("sum")
#define SEPARATE "SEPARATE"
#define INVALID "INVALID"

enum { DOCS_MAX = 4 };

struct reduction {
    const char *name;
    enum reduce_mode mode;
    const char *schema;
    const char *docs[DOCS_MAX];
    const char *expected; /* the result; SEPARATE, INVALID; or an error's message. A scalar's text must be the
                             very same */
    bool fails, is_deleted;
};

static const struct reduction oracle[] = {
    {"append", REDUCE_PARTIAL, STRATEGY("append"), {"[1]", "[2,3]"}, "[1,2,3]"},
    {"append null lhs", REDUCE_PARTIAL, STRATEGY("append"), {"null", "[4]"}, "null"},
    {"append wrong",
     REDUCE_PARTIAL,
     STRATEGY("append"),
     {"[1]", "7"},
     "reduction failed at location '': append strategy expects arrays",
     .fails = true},
    {"firstWriteWins", REDUCE_PARTIAL, STRATEGY("firstWriteWins"), {"\"red\"", "\"blue\""}, "\"red\""},
    {"lastWriteWins", REDUCE_PARTIAL, STRATEGY("lastWriteWins"), {"7", "9"}, "9"},
    {"default (no annotation)", REDUCE_PARTIAL, "{}", {"{\"a\": 1}", "{\"b\": 2}"}, "{\"b\":2}"},
    {"lww delete partial",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":{\"reduce\":{\"strategy\":"
     "\"lastWriteWins\",\"delete\":true}}}}",
     {"{\"k\": 1, \"v\": 1}", "{\"v\": 2}"},
     "{\"k\":1,\"v\":2}"},
    {"lww delete full",
     REDUCE_FULL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":{\"reduce\":{\"strategy\":"
     "\"lastWriteWins\",\"delete\":true}}}}",
     {"{\"k\": 1, \"v\": 1}", "{\"v\": 2}"},
     "{\"k\":1}"},
    {"lww associative:false partial",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"lastWriteWins\",\"associative\":false}}",
     {"7", "9"},
     SEPARATE},
    {"lww associative:false partial equal",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"lastWriteWins\",\"associative\":false}}",
     {"7", "7"},
     "7"},
    {"lww associative:false full",
     REDUCE_FULL,
     "{\"reduce\":{\"strategy\":\"lastWriteWins\",\"associative\":false}}",
     {"7", "9"},
     "9"},
    {"maximize", REDUCE_PARTIAL, STRATEGY("maximize"), {"3", "8", "5"}, "8"},
    {"minimize str", REDUCE_PARTIAL, STRATEGY("minimize"), {"\"m\"", "\"c\"", "\"x\""}, "\"c\""},
    {"minimize key",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"minimize\",\"key\":[\"/0\"]},\"prefixItems\":[{}," SUM "]}",
     {"[\"k\", 2]", "[\"j\", 1]", "[\"j\", 4]"},
     "[\"j\",5]"},
    {"maximize key obj",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"maximize\",\"key\":[\"/p\"]},\"properties\":{\"n\":" SUM "}}",
     {"{\"p\": 2, \"n\": 1}", "{\"p\": 2, \"n\": 4}", "{\"p\": 1, \"n\": 9}"},
     "{\"n\":5,\"p\":2}"},
    {"min mixed types", REDUCE_PARTIAL, STRATEGY("minimize"), {"\"a\"", "3", "true", "null"}, "null"},
    {"merge obj",
     REDUCE_PARTIAL,
     STRATEGY("merge"),
     {"{\"a\": 1, \"b\": 1}", "{\"b\": 2, \"c\": 3}"},
     "{\"a\":1,\"b\":2,\"c\":3}"},
    {"merge array idx", REDUCE_PARTIAL, STRATEGY("merge"), {"[1, 2]", "[9]"}, "[9,2]"},
    {"merge array key",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\",\"key\":[\"/id\"]},\"items\":" STRATEGY("merge") "}",
     {"[{\"id\": 1}, {\"id\": 3, \"v\": 0}]", "[{\"id\": 2}, {\"id\": 3, \"v\": 5}]"},
     "[{\"id\":1},{\"id\":2},{\"id\":3,\"v\":5}]"},
    {"merge natural",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\",\"key\":[\"\"]}}",
     {"[1, 4]", "[2, 4, 6]"},
     "[1,2,4,6]"},
    {"merge type change partial", REDUCE_PARTIAL, STRATEGY("merge"), {"\"x\"", "{\"a\": 1}"}, SEPARATE},
    {"merge type change full", REDUCE_FULL, STRATEGY("merge"), {"\"x\"", "{\"a\": 1}"}, "{\"a\":1}"},
    {"merge scalar err",
     REDUCE_PARTIAL,
     STRATEGY("merge"),
     {"1", "2"},
     "reduction failed at location '': merge strategy expects objects or arrays",
     .fails = true},
    {"merge root delete full",
     REDUCE_FULL,
     "{\"if\":{\"properties\":{\"op\":{\"const\":\"d\"}},\"required\":[\"op\"]},\"then\":{\"reduce\":{"
     "\"strategy\":\"merge\",\"delete\":true}},\"else\":" STRATEGY("merge") "}",
     {"{\"id\": 1, \"op\": \"c\"}", "{\"id\": 1, \"op\": \"d\"}"},
     "{\"id\":1,\"op\":\"d\"}",
     .is_deleted = true},
    {"merge root delete partial",
     REDUCE_PARTIAL,
     "{\"if\":{\"properties\":{\"op\":{\"const\":\"d\"}},\"required\":[\"op\"]},\"then\":{\"reduce\":{"
     "\"strategy\":\"merge\",\"delete\":true}},\"else\":" STRATEGY("merge") "}",
     {"{\"id\": 1, \"op\": \"c\"}", "{\"id\": 1, \"op\": \"d\"}"},
     "{\"id\":1,\"op\":\"d\"}"},
    {"merge nested no annotation replaced",
     REDUCE_PARTIAL,
     STRATEGY("merge"),
     {"{\"o\": {\"x\": 1}}", "{\"o\": {\"y\": 2}}"},
     "{\"o\":{\"y\":2}}"},
    {"sum", REDUCE_PARTIAL, SUM, {"4", "2.5"}, "6.5"},
    {"sum int", REDUCE_PARTIAL, SUM, {"4", "-6"}, "-2"},
    {"sum overflow",
     REDUCE_PARTIAL,
     SUM,
     {"18446744073709551615", "1"},
     "reduction failed at location '': sum strategy encountered a numeric overflow",
     .fails = true},
    {"sum float ints", REDUCE_PARTIAL, SUM, {"1.0", "2"}, "3.0"},
    {"sum string", REDUCE_PARTIAL, SUM, {"\"1.10\"", "\"2.05\""}, "\"3.15\""},
    {"sum string+int", REDUCE_PARTIAL, SUM, {"\"1.10\"", "2"}, "\"3.1\""},
    {"sum missing lhs",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":" SUM "}}",
     {"{\"k\": 1}", "{\"v\": 5}"},
     "{\"k\":1,\"v\":5}"},
    {"sum bad",
     REDUCE_PARTIAL,
     SUM,
     {"1", "\"x\""},
     "reduction failed at location '': sum strategy expects numbers",
     .fails = true},
    {"set obj partial",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"add\": {\"a\": 1}}", "{\"add\": {\"b\": 1}, \"remove\": {\"z\": 0}}"},
     "{\"add\":{\"a\":1,\"b\":1},\"remove\":{\"z\":0}}"},
    {"set remove partial",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"add\": {\"a\": 1, \"b\": 2}}", "{\"remove\": {\"a\": 0}}"},
     "{\"add\":{\"b\":2},\"remove\":{\"a\":0}}"},
    {"set remove full",
     REDUCE_FULL,
     STRATEGY("set"),
     {"{\"add\": {\"a\": 1, \"b\": 2}}", "{\"remove\": {\"a\": 0}}"},
     "{\"add\":{\"b\":2}}"},
    {"set intersect partial",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"add\": {\"a\": 1, \"b\": 2}}", "{\"intersect\": {\"b\": 0}}"},
     "{\"add\":{\"b\":2},\"intersect\":{\"b\":0}}"},
    {"set intersect full",
     REDUCE_FULL,
     STRATEGY("set"),
     {"{\"add\": {\"a\": 1, \"b\": 2}}", "{\"intersect\": {\"b\": 0}}"},
     "{\"add\":{\"b\":2}}"},
    {"set add sum",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"set\"},\"properties\":{\"add\":{\"additionalProperties\":" SUM "}}}",
     {"{\"add\": {\"a\": 1}}", "{\"add\": {\"a\": 5}}"},
     "{\"add\":{\"a\":6}}"},
    {"set arrays",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"set\",\"key\":[\"\"]}}",
     {"{\"add\": [1, 5]}", "{\"add\": [3, 5], \"remove\": [1]}"},
     "{\"add\":[3,5],\"remove\":[1]}"},
    {"set both err",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"add\": {}}", "{\"remove\": {}, \"intersect\": {}}"},
     "reduction failed at location '/remove': set strategy expects objects having only 'add', 'remove', and "
     "'intersect' properties with consistent object or array types",
     .fails = true},
    {"jsonSchemaMerge",
     REDUCE_PARTIAL,
     STRATEGY("jsonSchemaMerge"),
     {"{\"type\": \"string\", \"maxLength\": 3}", "{\"type\": \"integer\"}"},
     "{\"maxLength\":3,\"type\":[\"integer\",\"string\"]}"},
    {"jsonSchemaMerge obj",
     REDUCE_PARTIAL,
     STRATEGY("jsonSchemaMerge"),
     {"{\"type\": \"object\", \"required\": [\"a\"], \"properties\": {\"a\": {\"type\": \"integer\"}}}",
      "{\"type\": \"object\", \"required\": [\"a\", \"b\"], \"properties\": {\"a\": {\"type\": \"string\"}, "
      "\"b\": {\"type\": \"boolean\"}}}"},
     "{\"properties\":{\"a\":{\"type\":[\"integer\",\"string\"]}},\"required\":[\"a\"],\"type\":\"object\"}"},
    {"format integer etc valid", REDUCE_PARTIAL, "{\"format\":\"integer\"}", {NULL, "\"12\""}, "\"12\""},
    {"format number invalid", REDUCE_PARTIAL, "{\"format\":\"number\"}", {NULL, "\"x\""}, INVALID},
};

#define SET_KEYED "{\"reduce\":{\"strategy\":\"set\",\"key\":[\"/id\"]}}"
#define SET_ERROR                                                                                           \
    "set strategy expects objects having only 'add', 'remove', and 'intersect' properties with consistent " \
    "object or array types"

static const struct reduction more[] = {
    /* what is no schema is not merged as one that says nothing */
    {"schemas: a type's name",
     REDUCE_PARTIAL,
     STRATEGY("jsonSchemaMerge"),
     {"{\"type\":\"string\"}", "{\"type\":\"strng\"}"},
     "reduction failed at location '': jsonSchemaMerge strategy expects JSON Schemas, and the right one is "
     "none: "
     "schema reduce:schema#/type: expected one of \"array\", \"boolean\", \"integer\", \"null\", \"number\", "
     "\"object\", "
     "\"string\", got string \"strng\"; did you mean \"string\"?",
     .fails = true},
    {"schemas: a type that is none",
     REDUCE_PARTIAL,
     STRATEGY("jsonSchemaMerge"),
     {"{\"type\":5}", "{\"type\":\"string\"}"},
     "reduction failed at location '': jsonSchemaMerge strategy expects JSON Schemas, and the left one is "
     "none: "
     "schema reduce:schema#/type: expected array or string, got integer 5",
     .fails = true},
    {"schemas: deep inside",
     REDUCE_PARTIAL,
     STRATEGY("jsonSchemaMerge"),
     {"true", "{\"properties\":{\"a\":{\"minLength\":\"x\"}}}"},
     "reduction failed at location '': jsonSchemaMerge strategy expects JSON Schemas, and the right one is "
     "none: "
     "schema reduce:schema#/properties/a/minLength: expected integer, got string \"x\"",
     .fails = true},
    /* order and bytes */
    {"members keep the left order and their text",
     REDUCE_PARTIAL,
     STRATEGY("merge"),
     {"{\"z\":1.50,\"\\u0061\":[ 1 ]}", "{\"a\":1e2,\"b\":\"\\n\",\"z\":2}"},
     "{\"z\":2,\"a\":1e2,\"b\":\"\\n\"}"},
    {"line breaks go",
     REDUCE_PARTIAL,
     STRATEGY("merge"),
     {"{\"a\":\n[1,\r\n2]}", "{\n\"b\":{\"c\" :\t1,\n\"d\":2}}"},
     "{\"a\":[1,2],\"b\":{\"c\":1,\"d\":2}}"},
    {"members of the same name: the last one counts",
     REDUCE_PARTIAL,
     STRATEGY("merge"),
     {"{\"a\":1,\"a\":2}", "{\"b\":{\"c\":1,\"c\":2}}"},
     "{\"a\":2,\"b\":{\"c\":2}}"},
    /* merge */
    {"merge goes on where it is said",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"additionalProperties\":{\"$ref\":\"#\"},\"type\":\"object\"}",
     {"{\"o\":{\"x\":{}}}", "{\"o\":{\"y\":{}}}"},
     "{\"o\":{\"x\":{},\"y\":{}}}"},
    {"merge arrays sorts what is not",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\",\"key\":[\"\"]}}",
     {"[4,1]", "[6,4,2]"},
     "[1,2,4,6]"},
    {"merge keeps repeated keys apart",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\",\"key\":[\"\"]}}",
     {"[1,1]", "[1]"},
     "[1,1]"},
    {"merge key by number",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\",\"key\":[\"/id\"]},\"items\":" STRATEGY("merge") "}",
     {"[{\"id\":2,\"a\":1},{\"id\":10,\"a\":1}]", "[{\"id\":2.0,\"b\":1}]"},
     "[{\"id\":2.0,\"a\":1,\"b\":1},{\"id\":10,\"a\":1}]"},
    {"merge array onto object partial", REDUCE_PARTIAL, STRATEGY("merge"), {"{}", "[1]"}, SEPARATE},
    {"merge array onto object full", REDUCE_FULL, STRATEGY("merge"), {"{}", "[1]"}, "[1]"},
    {"merge scalar onto object",
     REDUCE_FULL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"a/b\":" STRATEGY("merge") "}}",
     {"{\"a/b\":{}}", "{\"a/b\":null}"},
     "reduction failed at location '/a~1b': merge strategy expects objects or arrays",
     .fails = true},
    {"elements are deleted",
     REDUCE_FULL,
     "{\"reduce\":{\"strategy\":\"merge\",\"key\":[\"/id\"]},\"items\":{\"if\":{\"required\":[\"del\"]},"
     "\"then\":{\"reduce\":{\"strategy\":\"merge\",\"delete\":true}}}}",
     {"[{\"id\":1},{\"id\":2}]", "[{\"id\":1,\"del\":true},{\"id\":3,\"del\":1}]"},
     "[{\"id\":2}]"},
    {"delete without a base",
     REDUCE_FULL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"o\":{\"reduce\":{\"strategy\":\"merge\"},"
     "\"properties\":{\"v\":{\"reduce\":{\"strategy\":\"lastWriteWins\",\"delete\":true}}}}}}",
     {NULL, "{\"o\":{\"v\":1,\"w\":2}}"},
     "{\"o\":{\"w\":2}}"},
    {"no delete without a base in partial",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":{\"reduce\":{\"strategy\":"
     "\"lastWriteWins\",\"delete\":true}}}}",
     {NULL, "{\"v\":1}"},
     "{\"v\":1}"},
    {"root delete without a base",
     REDUCE_FULL,
     "{\"reduce\":{\"strategy\":\"merge\",\"delete\":true}}",
     {NULL, "{\"a\":1}"},
     "{\"a\":1}",
     .is_deleted = true},
    /* the CDC connectors' idiom: before is what there was at first */
    {"before keeps the first",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"_meta\":{\"reduce\":{\"strategy\":\"merge\"},"
     "\"properties\":{\"before\":" STRATEGY("firstWriteWins") "}}}}",
     {"{\"_meta\":{\"op\":\"u\",\"before\":{\"a\":1}}}", "{\"_meta\":{\"op\":\"u\",\"before\":{\"a\":2}}}"},
     "{\"_meta\":{\"op\":\"u\",\"before\":{\"a\":1}}}"},
    /* conditional */
    {"oneOf decides",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":{\"oneOf\":[{\"type\":\"string\",\"reduce\":"
     "{"
     "\"strategy\":\"firstWriteWins\"}},{\"type\":\"integer\",\"$ref\":\"#/$defs/sum\"}]}},\"$defs\":{"
     "\"sum\":" SUM "}}",
     {"{\"v\":1}", "{\"v\":2}", "{\"v\":\"x\"}"},
     "{\"v\":3}"},
    {"a schema's own strategy before that of its $ref",
     REDUCE_PARTIAL,
     "{\"$ref\":\"#/$defs/x\",\"reduce\":{\"strategy\":\"maximize\"},\"$defs\":{\"x\":" SUM "}}",
     {"3", "2"},
     "3"},
    {"what the document decides before what is always said",
     REDUCE_FULL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"allOf\":[{\"if\":{\"properties\":{\"op\":{\"const\":\"d\"}},"
     "\"required\":[\"op\"]},\"then\":{\"reduce\":{\"strategy\":\"merge\",\"delete\":true}}}]}",
     {"{\"id\":1}", "{\"op\":\"d\"}"},
     "{\"id\":1,\"op\":\"d\"}",
     .is_deleted = true},
    {"but only for the value that matched",
     REDUCE_PARTIAL,
     "{\"anyOf\":[{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":{\"reduce\":{\"strategy\":"
     "\"sum\"}}}}],\"properties\":{\"v\":{\"reduce\":{\"strategy\":\"maximize\"}}}}",
     {"{\"v\":1}", "{\"v\":2}"},
     "{\"v\":2}"},
    /* append */
    {"append to nothing", REDUCE_PARTIAL, STRATEGY("append"), {NULL, "[1]"}, "[1]"},
    {"append null rhs",
     REDUCE_PARTIAL,
     STRATEGY("append"),
     {"[1]", "null"},
     "reduction failed at location '': append strategy expects arrays",
     .fails = true},
    {"append to an object",
     REDUCE_FULL,
     STRATEGY("append"),
     {"{}", "[1]"},
     "reduction failed at location '': append strategy expects arrays",
     .fails = true},
    /* maximize, minimize */
    {"ties take the right", REDUCE_PARTIAL, STRATEGY("maximize"), {"1", "1.0"}, "1.0"},
    {"exact beyond doubles",
     REDUCE_PARTIAL,
     STRATEGY("maximize"),
     {"9007199254740993", "9007199254740992"},
     "9007199254740993"},
    {"order of types", REDUCE_PARTIAL, STRATEGY("maximize"), {"\"z\"", "[]", "9", "{}"}, "{}"},
    {"minimize with a key takes equal scalars from the right",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"minimize\",\"key\":[\"\"]}}",
     {"1", "1.0"},
     "1.0"},
    {"a missing key is null",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"minimize\",\"key\":[\"/p\"]}}",
     {"{\"p\":0}", "{\"q\":1}"},
     "{\"q\":1}"},
    /* sum */
    {"sum is exact", REDUCE_PARTIAL, SUM, {"0.1", "0.2"}, "0.3"},
    {"sum to zero", REDUCE_PARTIAL, SUM, {"0.1", "-0.1"}, "0.0"},
    {"sum of zeros", REDUCE_PARTIAL, SUM, {"-0", "-0"}, "0"},
    {"sum of texts to zero", REDUCE_PARTIAL, SUM, {"\"1.5\"", "\"-1.5\""}, "\"0\""},
    {"sum of exponents", REDUCE_PARTIAL, SUM, {"1e30", "1E30"}, "2.0e+30"},
    {"sum of small exponents", REDUCE_PARTIAL, SUM, {"1e-30", "15e-31"}, "2.5e-30"},
    {"sum keeps what a double loses",
     REDUCE_PARTIAL,
     SUM,
     {"10000000000000000.0", "1"},
     "10000000000000001.0"},
    {"sum of 21 digits", REDUCE_PARTIAL, SUM, {"999999999999999999999.5", "0.5"}, "1.0e+21"},
    {"sum with borrow", REDUCE_PARTIAL, SUM, {"1000.001", "-0.002"}, "999.999"},
    {"sum changes sign", REDUCE_PARTIAL, SUM, {"1.25", "-2"}, "-0.75"},
    {"sum of integers down to the least",
     REDUCE_PARTIAL,
     SUM,
     {"-9223372036854775807", "-1"},
     "-9223372036854775808"},
    {"sum of integers below it",
     REDUCE_PARTIAL,
     SUM,
     {"-9223372036854775808", "-1"},
     "reduction failed at location '': sum strategy encountered a numeric overflow",
     .fails = true},
    {"sum of an integer past 64 bits",
     REDUCE_PARTIAL,
     SUM,
     {"100000000000000000000000000000000000000000000", "1"},
     "reduction failed at location '': sum strategy encountered a numeric overflow",
     .fails = true},
    {"sum across signs",
     REDUCE_PARTIAL,
     SUM,
     {"-9223372036854775808", "18446744073709551615"},
     "9223372036854775807"},
    {"texts have no limit of bits",
     REDUCE_PARTIAL,
     SUM,
     {"\"18446744073709551615\"", "1"},
     "\"18446744073709551616\""},
    {"texts of many digits",
     REDUCE_PARTIAL,
     SUM,
     {"\"99999999999999999999999999999999.99\"", "\"0.01\""},
     "\"100000000000000000000000000000000\""},
    {"texts as people write them", REDUCE_PARTIAL, SUM, {"\"+007.\"", "\".50\""}, "\"7.5\""},
    {"texts with escapes", REDUCE_PARTIAL, SUM, {"\"\\u0031\"", "\"\\u0032\""}, "\"3\""},
    {"float and text", REDUCE_PARTIAL, SUM, {"1.0", "\"2\""}, "\"3\""},
    {"an empty text is no number",
     REDUCE_PARTIAL,
     SUM,
     {"1", "\"\""},
     "reduction failed at location '': sum strategy expects numbers",
     .fails = true},
    {"a point is no number",
     REDUCE_PARTIAL,
     SUM,
     {"1", "\".\""},
     "reduction failed at location '': sum strategy expects numbers",
     .fails = true},
    {"nor is an exponent without digits",
     REDUCE_PARTIAL,
     SUM,
     {"1", "\"1e\""},
     "reduction failed at location '': sum strategy expects numbers",
     .fails = true},
    {"null is no number",
     REDUCE_PARTIAL,
     SUM,
     {"null", "1"},
     "reduction failed at location '': sum strategy expects numbers",
     .fails = true},
    {"what would take too many digits",
     REDUCE_PARTIAL,
     SUM,
     {"1e999999999999999999999", "1"},
     "reduction failed at location '': sum strategy encountered a numeric overflow",
     .fails = true},
    {"and the other way",
     REDUCE_PARTIAL,
     SUM,
     {"1e-1025", "1.0"},
     "reduction failed at location '': sum strategy encountered a numeric overflow",
     .fails = true},
    {"up to 1024 digits", REDUCE_PARTIAL, SUM, {"1e-1000", "-1e-1000"}, "0.0"},
    /* set */
    {"set removes after remove",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"remove\":{\"a\":0}}", "{\"remove\":{\"b\":0},\"add\":{\"a\":1}}"},
     "{\"add\":{\"a\":1},\"remove\":{\"a\":0,\"b\":0}}"},
    {"set intersects after remove",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"remove\":{\"a\":0}}", "{\"intersect\":{\"a\":0,\"b\":0}}"},
     "{\"intersect\":{\"b\":0}}"},
    {"set removes after intersect",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"intersect\":{\"a\":0,\"b\":0}}", "{\"remove\":{\"a\":0}}"},
     "{\"intersect\":{\"b\":0}}"},
    {"set intersects twice",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"intersect\":{\"a\":0,\"b\":0}}", "{\"intersect\":{\"b\":1,\"c\":0}}"},
     "{\"intersect\":{\"b\":0}}"},
    {"an intersection with nothing is not no intersection",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"add\":{\"a\":1},\"intersect\":{\"a\":0}}", "{\"intersect\":{}}"},
     "{\"add\":{},\"intersect\":{}}"},
    {"a member that is removed and added again begins anew",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"set\"},\"properties\":{\"add\":{\"additionalProperties\":" SUM "}}}",
     {"{\"add\":{\"a\":1}}", "{\"add\":{\"a\":5},\"remove\":{\"a\":0}}"},
     "{\"add\":{\"a\":5},\"remove\":{\"a\":0}}"},
    {"set emptied", REDUCE_FULL, STRATEGY("set"), {"{\"add\":{\"a\":1}}", "{\"remove\":{\"a\":0}}"}, "{}"},
    {"set without a base",
     REDUCE_FULL,
     STRATEGY("set"),
     {NULL, "{\"remove\":{\"a\":0},\"add\":{\"b\":1}}"},
     "{\"add\":{\"b\":1}}"},
    {"set arrays by key",
     REDUCE_PARTIAL,
     SET_KEYED,
     {"{\"add\":[{\"id\":1},{\"id\":2}]}", "{\"add\":[{\"id\":3}],\"intersect\":[{\"id\":2}]}"},
     "{\"add\":[{\"id\":2},{\"id\":3}],\"intersect\":[{\"id\":2}]}"},
    {"set arrays, full",
     REDUCE_FULL,
     SET_KEYED,
     {"{\"add\":[{\"id\":1},{\"id\":2}]}", "{\"remove\":[{\"id\":2}],\"add\":[{\"id\":0}]}"},
     "{\"add\":[{\"id\":0},{\"id\":1}]}"},
    {"set of both types",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{\"add\":{}}", "{\"add\":[1]}"},
     "reduction failed at location '/add': " SET_ERROR,
     .fails = true},
    {"set with something else in it",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{}", "{\"added\":{}}"},
     "reduction failed at location '/added': " SET_ERROR,
     .fails = true},
    {"set onto a scalar",
     REDUCE_FULL,
     STRATEGY("set"),
     {"1", "{\"add\":{}}"},
     "reduction failed at location '': " SET_ERROR,
     .fails = true},
    {"set that is none",
     REDUCE_PARTIAL,
     STRATEGY("set"),
     {"{}", "[]"},
     "reduction failed at location '': " SET_ERROR,
     .fails = true},
    /* jsonSchemaMerge */
    {"a newer generation wins",
     REDUCE_PARTIAL,
     STRATEGY("jsonSchemaMerge"),
     {"{\"type\":\"string\",\"x-collection-generation-id\":\"0a\"}",
      "{\"type\":\"integer\",\"x-collection-generation-id\":\"0b\"}", "{\"type\":\"null\"}"},
     "{\"type\":\"integer\",\"x-collection-generation-id\":\"0b\"}"},
    {"one generation is merged and kept",
     REDUCE_PARTIAL,
     STRATEGY("jsonSchemaMerge"),
     {"{\"type\":\"string\",\"x-collection-generation-id\":\"0b\"}",
      "{\"type\":\"integer\",\"x-collection-generation-id\":\"0b\"}"},
     "{\"type\":[\"integer\",\"string\"],\"x-collection-generation-id\":\"0b\"}"},
    {"a schema that is none",
     REDUCE_PARTIAL,
     STRATEGY("jsonSchemaMerge"),
     {"{\"type\":\"string\"}", "7"},
     "reduction failed at location '': jsonSchemaMerge strategy expects JSON Schemas, and the right one is "
     "none: "
     "expected an object, true or false",
     .fails = true},
    /* lastWriteWins */
    {"associative: false of equal values",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":{\"reduce\":{\"strategy\":"
     "\"lastWriteWins\",\"associative\":false}}}}",
     {"{\"v\":{\"a\":1,\"b\":2}}", "{\"v\":{\"b\":2.0,\"a\":1}}"},
     "{\"v\":{\"b\":2.0,\"a\":1}}"},
    {"associative: false below",
     REDUCE_PARTIAL,
     "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":{\"reduce\":{\"strategy\":"
     "\"lastWriteWins\",\"associative\":false}}}}",
     {"{\"v\":1}", "{\"v\":2}"},
     SEPARATE},
};

static const char *outcome_name(int outcome)
{
    static const char *const names[] = {"done", "deleted", SEPARATE, INVALID};
    return outcome < 0 ? "failed" : names[outcome];
}

static void check(const struct reduction *reduction)
{
    struct bench bench;
    struct error err = {0};
    auto_free char *left = reduction->docs[0] ? mem_strdup(reduction->docs[0]) : NULL;
    int outcome = REDUCE_DONE;
    bench_init(&bench, reduction->schema);
    for (int i = 1; i < DOCS_MAX && reduction->docs[i] && outcome == REDUCE_DONE; i++) {
        outcome = bench_reduce(&bench, reduction->mode, left, reduction->docs[i], &err);
        if (outcome == REDUCE_SEPARATE || outcome < 0)
            assert_int_equal(bench.out.size, 0);
        free(left);
        left = mem_strdup(buffer_cstr(&bench.out));
    }
    bool has_result = outcome == REDUCE_DONE || outcome == REDUCE_DELETED;
    int expected = reduction->fails                             ? -1
                   : strcmp(reduction->expected, SEPARATE) == 0 ? REDUCE_SEPARATE
                   : strcmp(reduction->expected, INVALID) == 0  ? REDUCE_INVALID
                   : reduction->is_deleted                      ? REDUCE_DELETED
                                                                : REDUCE_DONE;
    const char *got = outcome < 0 ? err.message : has_result && left ? left : outcome_name(outcome);
    bool same = strcmp(got, reduction->expected) == 0;
    if (!same && has_result && strchr("{[", *reduction->expected))
        same = same_json(got, reduction->expected);
    if (outcome != expected || !same)
        fail_msg("%s: expected %s %s, got %s %s", reduction->name, outcome_name(expected),
                 reduction->expected, outcome_name(outcome), got);
    bench_done(&bench);
}

static void test_oracle(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof oracle / sizeof *oracle; i++)
        check(&oracle[i]);
}

static void test_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        check(&more[i]);
}

/* What is written keeps its order and bytes. */
static void test_text(void **state)
{
    (void)state;
    struct bench bench;
    struct error err;
    bench_init(&bench, STRATEGY("merge"));
    assert_int_equal(bench_reduce(&bench, REDUCE_PARTIAL, "{\"z\":1.50,\"\\u0061\":[ 1 ],\"q\":\"\\/\"}",
                                  "{\"b\":\"\\n\", \"z\":12345678901234567890.10}", &err),
                     REDUCE_DONE);
    assert_string_equal(buffer_cstr(&bench.out),
                        "{\"z\":12345678901234567890.10,\"\\u0061\":[ 1 ],\"q\":\"\\/\",\"b\":\"\\n\"}");
    bench_done(&bench);
}

static void test_invalid(void **state)
{
    (void)state;
    struct bench bench;
    struct error err;
    bench_init(&bench, "{\"type\":\"integer\",\"reduce\":{\"strategy\":\"sum\"}}");
    assert_int_equal(bench_reduce(&bench, REDUCE_PARTIAL, "1", "\"x\"", &err), REDUCE_INVALID);
    assert_int_equal(bench_reduce(&bench, REDUCE_PARTIAL, "1", "2", &err), REDUCE_DONE);
    assert_string_equal(buffer_cstr(&bench.out), "3");
    bench_done(&bench);
}

/* The buffer's maximum bounds the result; the reducer goes on. */
static void test_maximum(void **state)
{
    (void)state;
    struct bench bench;
    struct error err = {0};
    bench_init(&bench, STRATEGY("append"));
    bench.out.max = 8;
    assert_int_equal(bench_reduce(&bench, REDUCE_PARTIAL, "[1,2,3]", "[4,5,6]", &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_string_equal(err.message, "the reduced document is larger than 8 bytes");
    assert_int_equal(bench_reduce(&bench, REDUCE_PARTIAL, "[1]", "[2]", &err), REDUCE_DONE);
    assert_string_equal(buffer_cstr(&bench.out), "[1,2]");
    bench_done(&bench);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *reduce, *message;
    } refused[] = {
        {"5", "schema test:schema#/properties/a/reduce: expected an object with a \"strategy\", got 5"},
        {"{}", "expected \"strategy\" to be a name such as \"merge\" or \"sum\", got nothing"},
        {"{\"strategy\":7}", "such as \"merge\" or \"sum\", got 7"},
        {"{\"strategy\":\"summ\"}", "reduction strategy \"summ\" is not known; did you mean \"sum\"?"},
        {"{\"strategy\":\"completely-else\"}", "reduction strategy \"completely-else\" is not known"},
        {"{\"strategy\":\"sum\",\"key\":[\"\"]}", "strategy \"sum\" has no option \"key\""},
        {"{\"strategy\":\"merge\",\"associative\":true}", "strategy \"merge\" has no option \"associative\""},
        {"{\"strategy\":\"merge\",\"kye\":[]}",
         "option of a reduction \"kye\" is not known; did you mean \"key\"?"},
        {"{\"strategy\":\"merge\",\"key\":\"/a\"}",
         "expected \"key\" to be a list of at most 64 JSON pointers"},
        {"{\"strategy\":\"merge\",\"key\":[\"a\"]}", "expected a JSON pointer such as \"/id\", got \"a\""},
        {"{\"strategy\":\"merge\",\"key\":[\"/~2\"]}",
         "expected a JSON pointer such as \"/id\", got \"/~2\""},
        {"{\"strategy\":\"merge\",\"delete\":1}", "expected true or false, got 1"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct error err = {0};
        auto_free char *text = mem_printf("{\"properties\":{\"a\":{\"reduce\":%s}}}", refused[i].reduce);
        mem_auto(schema_free) struct schema *schema = compile_reducible(text);
        mem_auto(reducer_free) struct reducer *reducer = reducer_new(schema, &err);
        if (reducer || err.code != ERROR_INVALID || !strstr(err.message, refused[i].message))
            fail_msg("%s: expected %s, got %s", refused[i].reduce, refused[i].message, err.message);
    }
}

/* Wide objects and arrays take time with their size, not its square: 100,000 members here. */
static void test_wide(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct bench bench;
    struct buffer left, right;
    struct error err;
    bench_init(&bench, "{\"reduce\":{\"strategy\":\"merge\"},\"additionalProperties\":" SUM "}");
    buffer_init(&left, 16 << 20);
    buffer_init(&right, 16 << 20);
    for (int i = 0; i < COUNT; i++) {
        buffer_printf(&left, "%c\"k%d\":1", i ? ',' : '{', i);
        buffer_printf(&right, "%c\"k%d\":1", i ? ',' : '{', COUNT + COUNT / 2 - i);
    }
    buffer_byte(&left, '}');
    buffer_byte(&right, '}');
    assert_int_equal(bench_reduce(&bench, REDUCE_PARTIAL, buffer_cstr(&left), buffer_cstr(&right), &err),
                     REDUCE_DONE);
    struct json doc;
    assert_int_equal(json_parse(bench.left, bench.out.data, bench.out.size, &doc, &err), 0);
    assert_int_equal(doc.duplicates, 0);
    assert_int_equal(json_count(&doc, 0), COUNT + COUNT / 2 + 1);
    assert_true(json_string_is(&doc, json_first_key(&doc, 0), "k0"));
    uint32_t in_both = json_get(&doc, 0, "k99999");
    assert_true(slice_is(json_raw(&doc, in_both), "2"));
    buffer_done(&left);
    buffer_done(&right);
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),  cmocka_unit_test(test_more),    cmocka_unit_test(test_text),
        cmocka_unit_test(test_invalid), cmocka_unit_test(test_maximum), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
