/* Encoded keys sort as keys do. */
#include "combiner_test.h"

#include "task/combiner_parts.h"

static const char *const values[] = {
    "null",
    "false",
    "true",
    "-1e400",
    "-18446744073709551616",
    "-9223372036854775809",
    "-9223372036854775808",
    "-9223372036854775807",
    "-9007199254740993",
    "-9007199254740992.5",
    "-9007199254740992",
    "-2",
    "-1.5",
    "-1",
    "-1e-400",
    "-0",
    "0",
    "0.0",
    "1e-400",
    "1e-300",
    "0.1",
    "0.10000000000000000001",
    "1",
    "1.0",
    "1.00000000000000000001",
    "2",
    "10e-1",
    "9007199254740991",
    "9007199254740991.4",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.5",
    "9007199254740994",
    "9223372036854775807",
    "9223372036854775808",
    "9223372036854775809",
    "18446744073709551614",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551617",
    "1e300",
    "1e400",
    "2e400",
    "\"\"",
    "\"\\u0000\"",
    "\"\\u0000a\"",
    "\"\\u0001\"",
    "\"a\"",
    "\"a\\u0000\"",
    "\"a\\u0000b\"",
    "\"a\\u0001\"",
    "\"ab\"",
    "\"\\u0061c\"",
    "\"\xc3\xbf\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\\ud83d\\ude00\"",
    "[]",
    "[1]",
    "[1.0]",
    "[2]",
    "{}",
    "{\"a\":1}",
};
enum { VALUES = sizeof values / sizeof *values };

static const char *const both[] = {"/a", "/b", NULL};

static struct combine_item item_of(const struct key *key, struct json_parser *parser, const char *text,
                                   struct buffer *encoded, struct json *ret_doc)
{
    struct error err;
    struct combine_item item = {0};
    assert_int_equal(json_parse(parser, text, strlen(text), ret_doc, &err), 0);
    buffer_clear(encoded);
    combine_encode_key(key, ret_doc, encoded, &item.is_inexact);
    item.key = (struct slice){encoded->data, encoded->size};
    item.document = slice_of(text);
    return item;
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

struct pairs {
    struct combiner *combiner;
    struct key key;
    struct json_parser *left, *right;
    struct buffer x, y;
};

static void check_pair(struct pairs *pairs, const char *a, const char *b)
{
    struct json x, y;
    struct combine_item left = item_of(&pairs->key, pairs->left, a, &pairs->x, &x);
    struct combine_item right = item_of(&pairs->key, pairs->right, b, &pairs->y, &y);
    int expected = sign(key_compare(&pairs->key, &x, 0, &y, 0));
    int got = sign(combine_compare(pairs->combiner, &left, &right));
    if (got != expected)
        fail_msg("%s and %s: expected %d, got %d", a, b, expected, got);
    /* what is equal has the same hash, so the same bytes */
    if (expected == 0 && !slice_equal(left.key, right.key))
        fail_msg("%s and %s are equal, their encodings are not", a, b);
}

static void test_order(void **state)
{
    (void)state;
    struct arena arena;
    struct pairs pairs = {.left = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE),
                          .right = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE)};
    arena_init(&arena);
    buffer_init(&pairs.x, 1 << 20);
    buffer_init(&pairs.y, 1 << 20);
    pairs.key = key_compile(both, &arena);
    mem_auto(schema_free) struct schema *schema = compile_for_combiner("{}");
    pairs.combiner =
        make_combiner(&(struct combiner_binding){.schema = schema, .key = &pairs.key, .mode = REDUCE_PARTIAL},
                      1, 0, "/tmp");
    for (int i = 0; i < VALUES; i++) {
        for (int j = 0; j < VALUES; j++) {
            /* alone, before another part that decides otherwise, and behind an equal one */
            auto_free char *a = mem_printf("{\"a\":%s,\"b\":2}", values[i]);
            auto_free char *b = mem_printf("{\"a\":%s,\"b\":1}", values[j]);
            auto_free char *c = mem_printf("{\"b\":%s,\"a\":\"x\"}", values[i]);
            auto_free char *d = mem_printf("{\"a\":\"x\",\"b\":%s}", values[j]);
            check_pair(&pairs, a, b);
            check_pair(&pairs, c, d);
        }
        auto_free char *only = mem_printf("{\"a\":%s}", values[i]);
        check_pair(&pairs, only, "{}");
        check_pair(&pairs, "{\"b\":null}", only);
    }
    combiner_free(pairs.combiner);
    json_parser_free(pairs.left);
    json_parser_free(pairs.right);
    buffer_done(&pairs.x);
    buffer_done(&pairs.y);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
