/* What reductions promise, on random documents by seed: partial reductions may be put together in any way,
 * and reducing onto a base one after the other is reducing what they are together. */
#include "reduce_support.h"

#include "tests/unit/level.h"

enum { NAMES = 5 };

static const char schema[] =
    "{\"$ref\":\"#/$defs/node\",\"$defs\":{"
    "\"sum\":{\"reduce\":{\"strategy\":\"sum\"}},"
    "\"node\":{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{"
    "\"max\":{\"reduce\":{\"strategy\":\"maximize\"}},"
    "\"min\":{\"reduce\":{\"strategy\":\"minimize\"}},"
    "\"best\":{\"reduce\":{\"strategy\":\"maximize\",\"key\":[\"/p\"]},\"properties\":{\"n\":{\"$ref\":\"#/"
    "$defs/sum\"}}},"
    "\"sum\":{\"$ref\":\"#/$defs/sum\"},"
    "\"list\":{\"reduce\":{\"strategy\":\"append\"}},"
    "\"first\":{\"reduce\":{\"strategy\":\"firstWriteWins\"}},"
    "\"gone\":{\"reduce\":{\"strategy\":\"lastWriteWins\",\"delete\":true}},"
    "\"set\":{\"reduce\":{\"strategy\":\"set\"},\"properties\":{\"add\":{\"additionalProperties\":{\"$ref\":"
    "\"#/$defs/sum\"}}}},"
    "\"numbers\":{\"reduce\":{\"strategy\":\"set\",\"key\":[\"\"]}},"
    "\"rows\":{\"reduce\":{\"strategy\":\"merge\",\"key\":[\"/id\"]},\"items\":{\"$ref\":\"#/$defs/node\"}},"
    "\"cells\":{\"reduce\":{\"strategy\":\"merge\"},\"items\":{\"$ref\":\"#/$defs/sum\"}},"
    "\"deep\":{\"$ref\":\"#/$defs/node\"}"
    "}}}}";

struct source {
    uint64_t state;
    struct buffer *out;
};

static uint32_t below(struct source *source, uint32_t limit)
{
    source->state ^= source->state << 13;
    source->state ^= source->state >> 7;
    source->state ^= source->state << 17;
    return (uint32_t)(source->state >> 33) % limit;
}

static void put_number(struct source *source)
{
    static const char *const numbers[] = {"0",     "1",         "-3",   "2.5",     "1e3",         "-0.125",
                                          "\"7\"", "\"-0.50\"", "1E-7", "\"1e2\"", "12345678901", "1.0"};
    buffer_str(source->out, numbers[below(source, sizeof numbers / sizeof *numbers)]);
}

static void put_any(struct source *source)
{
    static const char *const values[] = {"null",      "true", "\"a\"", "\"b\"", "[1]",
                                         "{\"x\":1}", "3",    "3.0",   "4"};
    buffer_str(source->out, values[below(source, sizeof values / sizeof *values)]);
}

/* Some of a few members or elements. */
static void put_some(struct source *source, bool is_array)
{
    bool any = false;
    buffer_byte(source->out, is_array ? '[' : '{');
    for (uint32_t i = 0; i < NAMES; i++) {
        if (below(source, 2))
            continue;
        if (any)
            buffer_byte(source->out, ',');
        any = true;
        if (is_array)
            buffer_printf(source->out, "%u", i);
        else
            buffer_printf(source->out, "\"m%u\":%u", i, below(source, 4));
    }
    buffer_byte(source->out, is_array ? ']' : '}');
}

static void put_set(struct source *source, bool is_array)
{
    uint32_t kind = below(source, 5);
    buffer_byte(source->out, '{');
    if (kind > 0) {
        buffer_str(source->out, "\"add\":");
        put_some(source, is_array);
    }
    if (kind < 4) {
        buffer_printf(source->out, "%s\"%s\":", kind > 0 ? "," : "", kind % 2 ? "remove" : "intersect");
        put_some(source, is_array);
    }
    buffer_byte(source->out, '}');
}

static void put_node(struct source *source, int depth, int id);

static void put_rows(struct source *source, int depth)
{
    bool any = false;
    buffer_byte(source->out, '[');
    for (int id = 0; id < 3; id++) {
        if (below(source, 2))
            continue;
        if (any)
            buffer_byte(source->out, ',');
        any = true;
        put_node(source, depth, id);
    }
    buffer_byte(source->out, ']');
}

static void put_cells(struct source *source)
{
    buffer_byte(source->out, '[');
    for (uint32_t i = 0, count = below(source, 4); i < count; i++) {
        if (i)
            buffer_byte(source->out, ',');
        put_number(source);
    }
    buffer_byte(source->out, ']');
}

static void put_member(struct source *source, int which, int depth)
{
    switch (which) {
    case 0:
        buffer_str(source->out, ",\"max\":");
        put_any(source);
        break;
    case 1:
        buffer_str(source->out, ",\"min\":");
        put_any(source);
        break;
    case 2:
        buffer_printf(source->out, ",\"best\":{\"p\":%u,\"n\":", below(source, 3));
        put_number(source);
        buffer_byte(source->out, '}');
        break;
    case 3:
        buffer_str(source->out, ",\"sum\":");
        put_number(source);
        break;
    case 4:
        buffer_str(source->out, ",\"list\":");
        put_cells(source);
        break;
    case 5:
        buffer_str(source->out, ",\"first\":");
        put_any(source);
        break;
    case 6:
        buffer_str(source->out, ",\"gone\":");
        put_any(source);
        break;
    case 7:
        buffer_str(source->out, ",\"set\":");
        put_set(source, false);
        break;
    case 8:
        buffer_str(source->out, ",\"numbers\":");
        put_set(source, true);
        break;
    case 9:
        buffer_str(source->out, ",\"rows\":");
        put_rows(source, depth);
        break;
    case 10:
        buffer_str(source->out, ",\"cells\":");
        put_cells(source);
        break;
    case 11:
        buffer_str(source->out, ",\"deep\":");
        put_node(source, depth, 0);
        break;
    default:
        buffer_str(source->out, ",\"last\":");
        put_any(source);
    }
}

static void put_node(struct source *source, int depth, int id)
{
    buffer_printf(source->out, "{\"id\":%d", id);
    for (int which = 0; which <= 12; which++) {
        bool recurses = which == 9 || which == 11;
        if (below(source, 2) && (!recurses || depth > 0))
            put_member(source, which, depth - 1);
    }
    buffer_byte(source->out, '}');
}

static char *random_document(struct source *source)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    source->out = &text;
    put_node(source, 2, 0);
    source->out = NULL;
    return buffer_steal(&text);
}

static char *reduce(struct bench *bench, enum reduce_mode mode, const char *left, const char *right)
{
    struct error err;
    int outcome = bench_reduce(bench, mode, left, right, &err);
    if (outcome != REDUCE_DONE)
        fail_msg("%s\n+ %s\n%d %s", left, right, outcome, outcome < 0 ? err.message : "");
    return mem_strdup(buffer_cstr(&bench->out));
}

static void test_associative(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, schema);
    for (int seed = 1; seed <= level_seeds(1000, 4000); seed++) {
        struct source source = {.state = seed * 0x9e3779b97f4a7c15ULL};
        auto_free char *a = random_document(&source);
        auto_free char *b = random_document(&source);
        auto_free char *c = random_document(&source);
        auto_free char *ab = reduce(&bench, REDUCE_PARTIAL, a, b);
        auto_free char *ab_c = reduce(&bench, REDUCE_PARTIAL, ab, c);
        auto_free char *bc = reduce(&bench, REDUCE_PARTIAL, b, c);
        auto_free char *a_bc = reduce(&bench, REDUCE_PARTIAL, a, bc);
        if (!same_json(ab_c, a_bc))
            fail_msg("seed %llu\na %s\nb %s\nc %s\n(a+b)+c %s\na+(b+c) %s", (unsigned long long)seed, a, b, c,
                     ab_c, a_bc);
    }
    bench_done(&bench);
}

/* base + a + b = base + (a + b), where the base is what there was in full. */
static void test_onto_a_base(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, schema);
    for (int seed = 1; seed <= level_seeds(1000, 4000); seed++) {
        struct source source = {.state = seed * 0xd6e8feb86659fd93ULL};
        auto_free char *first = random_document(&source);
        auto_free char *a = random_document(&source);
        auto_free char *b = random_document(&source);
        auto_free char *base = reduce(&bench, REDUCE_FULL, NULL, first);
        auto_free char *base_a = reduce(&bench, REDUCE_FULL, base, a);
        auto_free char *one_by_one = reduce(&bench, REDUCE_FULL, base_a, b);
        auto_free char *ab = reduce(&bench, REDUCE_PARTIAL, a, b);
        auto_free char *together = reduce(&bench, REDUCE_FULL, base, ab);
        if (!same_json(one_by_one, together) || strstr(together, "\"gone\""))
            fail_msg("seed %llu\nbase %s\na %s\nb %s\none by one %s\ntogether %s", (unsigned long long)seed,
                     base, a, b, one_by_one, together);
    }
    bench_done(&bench);
}

/* --- any strategy on any values --------------------------------------------------------------------- */

static const char *const strategies[] = {
    "{\"strategy\":\"append\"}",
    "{\"strategy\":\"firstWriteWins\"}",
    "{\"strategy\":\"jsonSchemaMerge\"}",
    "{\"strategy\":\"lastWriteWins\",\"delete\":true}",
    "{\"strategy\":\"lastWriteWins\",\"associative\":false}",
    "{\"strategy\":\"maximize\",\"key\":[\"/a\",\"/0\"]}",
    "{\"strategy\":\"minimize\"}",
    "{\"strategy\":\"merge\"}",
    "{\"strategy\":\"merge\",\"key\":[\"/a\"],\"delete\":true}",
    "{\"strategy\":\"set\"}",
    "{\"strategy\":\"set\",\"key\":[\"/a/b\"]}",
    "{\"strategy\":\"sum\"}",
};
enum { STRATEGIES = sizeof strategies / sizeof *strategies };

static void put_wild(struct source *source, int depth)
{
    static const char *const scalars[] = {"null",
                                          "true",
                                          "0",
                                          "-1.5e3",
                                          "\"\"",
                                          "\"12.50\"",
                                          "\"\\u0000\"",
                                          "1e-99999",
                                          "-0",
                                          "18446744073709551615",
                                          "\"-1e999999999999\"",
                                          "1e1000"};
    static const char *const names[] = {"a",          "b",     "add",  "remove",  "intersect",
                                        "properties", "items", "type", "\\u0061c"};
    uint32_t kind = below(source, depth > 0 ? 4 : 2);
    if (kind < 2) {
        buffer_str(source->out, scalars[below(source, sizeof scalars / sizeof *scalars)]);
        return;
    }
    buffer_byte(source->out, kind == 2 ? '[' : '{');
    for (uint32_t i = 0, count = below(source, 5); i < count; i++) {
        if (i)
            buffer_byte(source->out, ',');
        if (kind == 3)
            buffer_printf(source->out, "\"%s\":", names[below(source, sizeof names / sizeof *names)]);
        put_wild(source, depth - 1);
    }
    buffer_byte(source->out, kind == 2 ? ']' : '}');
}

static char *wild_document(struct source *source)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    source->out = &text;
    put_wild(source, 4);
    source->out = NULL;
    return buffer_steal(&text);
}

/* The root has one strategy, its children another, their children a third. */
static char *wild_schema(struct source *source)
{
    const char *s[3];
    for (int i = 0; i < 3; i++)
        s[i] = strategies[below(source, STRATEGIES)];
    return mem_printf(
        "{\"reduce\":%s,\"additionalProperties\":{\"$ref\":\"#/$defs/x\"},\"items\":{\"$ref\":\"#/"
        "$defs/x\"},\"$defs\":{\"x\":{\"reduce\":%s,\"additionalProperties\":{\"reduce\":%s},\"items\":{"
        "\"$ref\":\"#\"}}}}",
        s[0], s[1], s[2]);
}

/* It ends in a document, or says why not; a document is valid JSON on one line, and has its members once. */
static void test_wild(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct source source = {.state = seed * 0x2545f4914f6cdd1dULL};
        auto_free char *text = wild_schema(&source);
        struct bench bench;
        bench_init(&bench, text);
        for (int i = 0; i < 40; i++) {
            auto_free char *left = wild_document(&source);
            auto_free char *right = wild_document(&source);
            enum reduce_mode mode = below(&source, 2) ? REDUCE_FULL : REDUCE_PARTIAL;
            struct error err = {0};
            struct json doc;
            int outcome = bench_reduce(&bench, mode, below(&source, 8) ? left : NULL, right, &err);
            bool done = outcome == REDUCE_DONE || outcome == REDUCE_DELETED;
            if (done && json_parse(bench.left, bench.out.data, bench.out.size, &doc, &err) < 0)
                fail_msg("%s\n%s\n+ %s\n%s: %s", text, left, right, buffer_cstr(&bench.out), err.message);
            if (done && (doc.duplicates || memchr(bench.out.data, '\n', bench.out.size)))
                fail_msg("%s\n%s\n+ %s\n%s", text, left, right, buffer_cstr(&bench.out));
            if (outcome < 0)
                assert_true(string_starts_with(err.message, "reduction failed at location '"));
            if (outcome == REDUCE_SEPARATE)
                assert_int_equal(mode, REDUCE_PARTIAL);
            assert_int_not_equal(outcome, REDUCE_INVALID);
        }
        bench_done(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wild),
        cmocka_unit_test(test_associative),
        cmocka_unit_test(test_onto_a_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
