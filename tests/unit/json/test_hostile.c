/* Documents made to cost much: many members, members whose hashes all collide, duplicates at every depth, one
 * huge string, one huge number; and memory that is given back afterwards.
 *
 * The bounds in seconds are some fifty times what is needed without the sanitizers: they tell linear from
 * quadratic, not fast from slow. */
#include "test_json.h"
#include "json/number.h"
#include "json/parser.h"

#include <time.h>

enum { SECONDS_MAX = 10 };

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct buffer buffer_new(void)
{
    struct buffer buffer;
    buffer_init(&buffer, 256 << 20);
    return buffer;
}

/* `distinct` names, over and over. */
static void put_members(struct buffer *out, uint32_t members, uint32_t distinct, const char *prefix)
{
    buffer_byte(out, '{');
    for (uint32_t i = 0; i < members; i++)
        buffer_printf(out, "%s\"%s%u\":%u", i ? "," : "", prefix, i % distinct, i);
    buffer_byte(out, '}');
}

static void test_many_members(void **state)
{
    (void)state;
    static const struct {
        uint32_t members, distinct;
    } cases[] = {{1000000, 1000000}, {300000, 1}, {300000, 1000}, {49, 48},
                 {65, 64},           {65, 65},    {48, 3},        {17, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer text = buffer_new();
        put_members(&text, cases[i].members, cases[i].distinct, "k");
        double start = cpu_seconds();
        struct parsed p =
            parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS, (struct slice){text.data, text.size});
        assert_int_equal(p.result, 0);
        assert_int_equal(json_count(&p.doc, 0), cases[i].distinct);
        assert_int_equal(p.doc.duplicates, cases[i].members - cases[i].distinct);
        assert_int_equal(p.doc.count, 1 + 2 * cases[i].distinct);
        /* The last of each name is what is left. */
        uint32_t expected = cases[i].members - cases[i].distinct;
        for (uint32_t key = json_first_key(&p.doc, 0); key != JSON_NONE;
             key = json_next_key(&p.doc, 0, key)) {
            uint64_t value = 0;
            assert_true(json_to_u64(&p.doc, json_value(key), &value));
            assert_true(value == expected++);
        }
        assert_true(cpu_seconds() - start < SECONDS_MAX);
        parsed_done(&p);
        p = parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE, (struct slice){text.data, text.size});
        assert_int_equal(p.result, cases[i].members == cases[i].distinct ? 0 : -1);
        parsed_done(&p);
        buffer_done(&text);
    }
}

/* As if an adversary had found names of one hash: set it in the nodes and ask again. */
static void test_collisions(void **state)
{
    (void)state;
    for (uint32_t distinct = 50000; distinct <= 100000; distinct += 50000) {
        struct buffer text = buffer_new();
        put_members(&text, 100000, 100000, "a rather long beginning that all of the names have in common ");
        struct parsed p =
            parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS, (struct slice){text.data, text.size});
        assert_int_equal(p.result, 0);
        struct json_parser *parser = p.parser;
        for (uint32_t i = 0; i < 100000; i++) {
            struct json_node *key = &parser->nodes[1 + 2 * i];
            if (i >= distinct) { /* this member's name is that of an earlier one */
                key->offset = parser->nodes[1 + 2 * (i - distinct)].offset;
                key->length = parser->nodes[1 + 2 * (i - distinct)].length;
            }
            key->link = 7;
            parser->hashes[i] = 7;
        }
        parser->hashes_count = 100000;
        uint32_t first, again;
        double start = cpu_seconds();
        assert_true(json_members_check(parser, 0, 100000, &first, &again));
        assert_true(cpu_seconds() - start < SECONDS_MAX);
        assert_int_equal(parser->duplicates, 100000 - distinct);
        json_members_compact(parser);
        assert_int_equal(parser->count, 1 + 2 * distinct);
        parser->count = 1 + 2 * distinct;
        parser->duplicates_mode = JSON_DUPLICATES_REFUSE;
        assert_true(json_members_check(parser, 0, distinct, &first, &again));
        parsed_done(&p);
        buffer_done(&text);
    }
}

/* Each object's first member is repeated, and holds the next object. */
static void test_nested_duplicates(void **state)
{
    (void)state;
    enum { DEPTH = 250, TAIL = 2000 };
    struct buffer text = buffer_new();
    for (int i = 0; i < DEPTH; i++)
        buffer_str(&text, "{\"b\":[0],\"a\":1,\"a\":");
    buffer_byte(&text, '[');
    for (int i = 0; i < TAIL * DEPTH; i++)
        buffer_str(&text, "1,");
    buffer_str(&text, "2]");
    for (int i = 0; i < DEPTH; i++)
        buffer_str(&text, ",\"b\":2}");
    double start = cpu_seconds();
    struct parsed p =
        parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS, (struct slice){text.data, text.size});
    assert_int_equal(p.result, 0);
    assert_true(cpu_seconds() - start < SECONDS_MAX);
    assert_int_equal(p.doc.duplicates, 2 * DEPTH);
    uint32_t at = 0;
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(json_count(&p.doc, at), 2);
        assert_int_equal(json_tag(&p.doc, json_get(&p.doc, at, "b")), JSON_INTEGER);
        at = json_get(&p.doc, at, "a");
    }
    assert_int_equal(json_count(&p.doc, at), TAIL * DEPTH + 1);
    assert_slice(json_raw(&p.doc, json_after(&p.doc, at) - 1), "2");
    parsed_done(&p);
    buffer_done(&text);
}

static void test_huge_tokens(void **state)
{
    (void)state;
    enum { SIZE = 20 << 20 };
    struct buffer text = buffer_new();
    buffer_byte(&text, '[');
    for (int i = 0; i < SIZE / 8; i++)
        buffer_str(&text, "12345678");
    buffer_str(&text, ".5,\"");
    size_t string = text.size;
    for (int i = 0; i < SIZE / 8; i++)
        buffer_str(&text, "abc\\ndef");
    buffer_str(&text, "\"]");
    double start = cpu_seconds();
    struct parsed p =
        parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS, (struct slice){text.data, text.size});
    assert_int_equal(p.result, 0);
    uint32_t number = json_at(&p.doc, 0, 0);
    assert_int_equal(json_raw(&p.doc, number).size, SIZE + 2);
    double value;
    int64_t integer;
    assert_false(json_to_double(&p.doc, number, &value));
    assert_false(json_to_i64(&p.doc, number, &integer));
    assert_true(number_is_multiple(json_raw(&p.doc, number), slice_of("0.5")));
    assert_int_equal(number_compare(json_raw(&p.doc, number), slice_of("1e99999999")), -1);
    assert_int_equal(number_compare(json_raw(&p.doc, number), slice_of("1e9999999")), 1);
    /* Too much work for an exact answer: no, and at once. */
    assert_false(number_is_multiple(json_raw(&p.doc, number), slice_of("12345678901234567890123")));
    struct arena arena;
    arena_init(&arena);
    assert_int_equal(json_string(&p.doc, json_at(&p.doc, 0, 1), &arena).size, SIZE / 8 * 7);
    assert_int_equal(p.doc.nodes[2].offset, string - 1);
    arena_done(&arena);
    assert_true(cpu_seconds() - start < 2 * SECONDS_MAX);
    parsed_done(&p);
    buffer_done(&text);
}

static void test_memory_given_back(void **state)
{
    (void)state;
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct buffer text = buffer_new();
    put_members(&text, 200000, 200000, "k");
    struct json doc;
    struct error err;
    assert_int_equal(json_parse(parser, text.data, text.size, &doc, &err), 0);
    assert_true(parser->capacity > 400000);
    for (int i = 0; i < 10 * JSON_PARSER_PATIENCE; i++)
        assert_int_equal(json_parse(parser, "{\"a\":[1]}", 9, &doc, &err), 0);
    assert_true(parser->capacity < 1000);
    assert_true(parser->hashes_capacity < 1000);
    assert_true(parser->slots_capacity < 1000);
    /* Where large documents keep coming, nothing is given back. */
    assert_int_equal(json_parse(parser, text.data, text.size, &doc, &err), 0);
    const struct json_node *nodes = doc.nodes;
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < JSON_PARSER_PATIENCE / 2; j++)
            assert_int_equal(json_parse(parser, "{\"a\":[1]}", 9, &doc, &err), 0);
        assert_int_equal(json_parse(parser, text.data, text.size, &doc, &err), 0);
        assert_ptr_equal(doc.nodes, nodes);
    }
    buffer_done(&text);
    json_parser_free(parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_members),      cmocka_unit_test(test_collisions),
        cmocka_unit_test(test_nested_duplicates), cmocka_unit_test(test_huge_tokens),
        cmocka_unit_test(test_memory_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
