/* The combiner: modes, order, spilling, failures. */
#include "combiner_test.h"

#include "base/file.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SUMS                                                                                                \
    "{\"type\":\"object\",\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"n\":{\"type\":\"integer\"," \
    "\"maximum\":1000,\"reduce\":{\"strategy\":\"sum\"}},\"list\":{\"reduce\":{\"strategy\":\"append\"}},"  \
    "\"v\":{\"reduce\":{\"strategy\":\"lastWriteWins\",\"associative\":false}},\"op\":{}},"                 \
    "\"if\":{\"properties\":{\"op\":{\"const\":\"d\"}},\"required\":[\"op\"]},"                             \
    "\"then\":{\"reduce\":{\"strategy\":\"merge\",\"delete\":true}}}"

static const char *const by_id[] = {"/id", NULL};

/* Two bindings of one schema: 0 partial, 1 full. */
struct fixture {
    char folder[32];
    struct arena arena;
    struct schema *schema;
    struct key key;
    struct combiner *combiner;
    struct json_parser *parser;
    struct buffer drained;
};

static void fixture_init(struct fixture *f, size_t memory)
{
    snprintf(f->folder, sizeof f->folder, "/tmp/firth-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    arena_init(&f->arena);
    f->schema = compile_for_combiner(SUMS);
    f->key = key_compile(by_id, &f->arena);
    const struct combiner_binding bindings[] = {{f->schema, &f->key, REDUCE_PARTIAL},
                                                {f->schema, &f->key, REDUCE_FULL}};
    f->combiner = make_combiner(bindings, 2, memory, f->folder);
    f->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    buffer_init(&f->drained, 256 << 20);
}

static void fixture_done(struct fixture *f)
{
    combiner_free(f->combiner);
    schema_free(f->schema);
    arena_done(&f->arena);
    json_parser_free(f->parser);
    buffer_done(&f->drained);
    assert_int_equal(rmdir(f->folder), 0); /* nothing was left in it */
}

static int try_add(struct fixture *f, uint32_t binding, bool is_left, const char *text, struct error *err)
{
    struct json doc;
    if (json_parse(f->parser, text, strlen(text), &doc, err) < 0)
        fail_msg("%s: %s", text, err->message);
    return is_left ? combiner_add_left(f->combiner, binding, &doc, err)
                   : combiner_add(f->combiner, binding, &doc, err);
}

static void add(struct fixture *f, uint32_t binding, bool is_left, const char *text)
{
    struct error err;
    int result = try_add(f, binding, is_left, text, &err);
    if (result != 0)
        fail_msg("%s: %d %s", text, result, result < 0 ? err.message : "not valid");
}

/* A line for each: "0 {…}", with " exists" and " deleted" behind it. */
static const char *drain(struct fixture *f)
{
    struct combined combined;
    struct error err;
    int got;
    buffer_clear(&f->drained);
    while ((got = combiner_next(f->combiner, &combined, &err)) > 0)
        buffer_printf(&f->drained, "%u %.*s%s%s\n", combined.binding, SLICE_ARGS(combined.document),
                      combined.exists ? " exists" : "", combined.is_deleted ? " deleted" : "");
    if (got < 0)
        fail_msg("%s", err.message);
    return buffer_cstr(&f->drained);
}

static void test_partial(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 0);
    add(&f, 0, false, "{\"id\":10,\"n\":1}");
    add(&f, 0, false, "{\"id\":\"x\",\"n\":1}");
    add(&f, 0, false, "{\"id\":9,\"n\":5}");
    add(&f, 0, false, "{\"id\":10.0,\"n\":2}");
    add(&f, 0, false, "{\"n\":7}"); /* no key: null */
    assert_string_equal(drain(&f), "0 {\"n\":7}\n0 {\"id\":9,\"n\":5}\n0 {\"id\":10.0,\"n\":3}\n"
                                   "0 {\"id\":\"x\",\"n\":1}\n");
    /* and again, for the next transaction */
    combiner_clear(f.combiner);
    assert_string_equal(drain(&f), "");
    combiner_clear(f.combiner);
    add(&f, 0, false, "{\"id\":1}");
    assert_string_equal(drain(&f), "0 {\"id\":1}\n");
    fixture_done(&f);
}

/* Documents that cannot be put together stay apart, in order, and so does what comes later. */
static void test_separate(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 0);
    add(&f, 0, false, "{\"id\":1,\"v\":1,\"n\":1}");
    add(&f, 0, false, "{\"id\":1,\"v\":2,\"n\":1}");
    add(&f, 0, false, "{\"id\":1,\"v\":2,\"n\":1}");
    add(&f, 0, false, "{\"id\":1,\"v\":1,\"n\":1}");
    add(&f, 1, false, "{\"id\":1,\"v\":1,\"n\":1}");
    add(&f, 1, false, "{\"id\":1,\"v\":2,\"n\":1}");
    assert_string_equal(drain(&f), "0 {\"id\":1,\"v\":1,\"n\":1}\n0 {\"id\":1,\"v\":2,\"n\":2}\n"
                                   "0 {\"id\":1,\"v\":1,\"n\":1}\n1 {\"id\":1,\"v\":2,\"n\":2}\n");
    fixture_done(&f);
}

static void test_full(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 0);
    add(&f, 1, false, "{\"id\":1,\"n\":1}");
    add(&f, 1, true, "{\"id\":2,\"n\":100}"); /* before what is reduced onto it */
    add(&f, 1, false, "{\"id\":2,\"n\":1}");
    add(&f, 1, true, "{\"id\":1,\"n\":10}"); /* and after */
    add(&f, 1, true, "{\"id\":3,\"n\":10}"); /* nothing is: left out */
    add(&f, 1, false, "{\"id\":4,\"op\":\"d\"}");
    add(&f, 1, true, "{\"id\":5,\"n\":1}");
    add(&f, 1, false, "{\"id\":5,\"op\":\"d\"}");
    assert_string_equal(drain(&f), "1 {\"id\":1,\"n\":11} exists\n1 {\"id\":2,\"n\":101} exists\n"
                                   "1 {\"id\":4,\"op\":\"d\"} deleted\n"
                                   "1 {\"id\":5,\"n\":1,\"op\":\"d\"} exists deleted\n");
    fixture_done(&f);
}

/* Deleted, and there again: what was before the deletion is gone. */
static void test_deleted_and_back(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 0);
    add(&f, 1, true, "{\"id\":1,\"old\":1}");
    add(&f, 1, false, "{\"id\":1,\"was\":1,\"op\":\"u\"}");
    add(&f, 1, false, "{\"id\":1,\"gone\":1,\"op\":\"d\"}");
    add(&f, 1, false, "{\"id\":1,\"n\":2,\"op\":\"c\"}");
    add(&f, 1, false, "{\"id\":1,\"n\":3,\"op\":\"u\"}");
    assert_string_equal(drain(&f), "1 {\"id\":1,\"n\":5,\"op\":\"u\"} exists\n");
    fixture_done(&f);
}

static void test_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    fixture_init(&f, 0);
    assert_int_equal(try_add(&f, 0, false, "{\"id\":1,\"n\":\"x\"}", &err), 1);
    assert_int_equal(try_add(&f, 0, false, "[1]", &err), 1);
    add(&f, 0, false, "{\"id\":1,\"list\":{}}");
    assert_int_equal(try_add(&f, 0, false, "{\"id\":1,\"list\":[1]}", &err), -1);
    assert_string_equal(err.message, "documents with key [1]: reduction failed at location '/list': append "
                                     "strategy expects arrays");
    add(&f, 1, true, "{\"id\":1}");
    assert_int_equal(try_add(&f, 1, true, "{\"id\":1.0}", &err), -1);
    assert_string_equal(err.message, "documents with key [1.0]: the endpoint's document came twice");
    assert_string_equal(drain(&f), "0 {\"id\":1,\"list\":{}}\n");
    fixture_done(&f);
}

/* Each was valid, together they are not. */
static void test_reduced_to_invalid(void **state)
{
    (void)state;
    for (uint32_t binding = 0; binding < 2; binding++) {
        struct fixture f;
        struct error err = {0};
        struct combined combined;
        fixture_init(&f, 0);
        add(&f, binding, false, "{\"id\":1,\"n\":600}");
        add(&f, binding, false, "{\"id\":1,\"n\":600}");
        assert_int_equal(combiner_next(f.combiner, &combined, &err), -1);
        assert_string_equal(err.message,
                            "documents with key [1]: reduced to a document that is not valid: /n: "
                            "expected a number of at most 1000, got integer 1200");
        fixture_done(&f);
    }
}

/* --- spilling ------------------------------------------------------------------------------------- */

static uint32_t below(uint64_t *state, uint32_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 33) % limit;
}

/* The same documents for the same seed: few keys and many, of several types, growing ones among them. */
static void add_random(struct fixture *f, uint64_t seed, int count, uint32_t keys)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15ULL;
    for (int i = 0; i < count; i++) {
        static const char *const forms[][2] = {{"", ""},   {"\"user/", "\""}, {"", ".25"},
                                               {"[", "]"}, {"1e", ""},        {"", ".0"}};
        char id[32];
        uint32_t form = below(&state, 6), number = below(&state, form == 4 ? 400 : keys);
        uint32_t v = below(&state, 40), binding = v < 2 ? 1 : below(&state, 2);
        snprintf(id, sizeof id, "%s%u%s", forms[form][0], number, forms[form][1]);
        auto_free char *text = v < 2 ? mem_printf("{\"id\":%s,\"n\":1,\"v\":%u}", id, v)
                                     : mem_printf("{\"id\":%s,\"n\":1,\"m%u\":\"%0*d\",\"list\":[%d]}", id,
                                                  below(&state, 4), (int)below(&state, 60), 0, i);
        add(f, binding, false, text);
    }
    for (uint32_t i = 0; i < keys; i += 2) {
        auto_free char *text = mem_printf("{\"id\":\"user/%u\",\"n\":1,\"base\":%u}", i, i);
        add(f, 1, true, text);
    }
}

static void test_spill(void **state)
{
    (void)state;
    static const size_t budgets[] = {COMBINER_MEMORY_MIN, 20000, 100000};
    static const uint32_t keys[] = {3, 50, 2000};
    for (int k = 0; k < 3; k++) {
        struct fixture unlimited;
        fixture_init(&unlimited, 0);
        add_random(&unlimited, (uint64_t)k + 1, 3000, keys[k]);
        const char *expected = drain(&unlimited);
        assert_int_equal(combiner_stats(unlimited.combiner).runs, 0);
        for (int b = 0; b < 3; b++) {
            struct fixture f;
            fixture_init(&f, budgets[b]);
            add_random(&f, (uint64_t)k + 1, 3000, keys[k]);
            struct combiner_stats stats = combiner_stats(f.combiner);
            assert_true(stats.runs > 0 && stats.spilled_bytes > 0);
            if (b == 0 && k == 2)
                assert_true(stats.runs > COMBINER_RUNS_MAX); /* runs were merged */
            const char *got = drain(&f);
            if (strcmp(got, expected) != 0)
                fail_msg("%u keys in %zu bytes: %.2000s\nexpected %.2000s", keys[k], budgets[b], got,
                         expected);
            fixture_done(&f);
        }
        fixture_done(&unlimited);
    }
}

/* The file has no name from the moment that it is there. */
static void test_unlinked(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, COMBINER_MEMORY_MIN);
    add_random(&f, 7, 500, 500);
    assert_true(combiner_stats(f.combiner).runs > 0);
    DIR *folder = opendir(f.folder);
    int names = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        names += entry->d_name[0] != '.';
    closedir(folder);
    assert_int_equal(names, 0);
    fixture_done(&f);
}

/* A document larger than the budget goes through, alone. */
static void test_large_document(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, COMBINER_MEMORY_MIN);
    auto_free char *large = mem_printf("{\"id\":1,\"s\":\"%0100000d\"}", 0);
    add(&f, 0, false, "{\"id\":2}");
    add(&f, 0, false, large);
    add(&f, 0, false, "{\"id\":1,\"n\":1}");
    const char *got = drain(&f);
    assert_int_equal(strlen(got),
                     strlen("0 \n") + strlen(large) + strlen(",\"n\":1") + strlen("0 {\"id\":2}\n"));
    fixture_done(&f);
}

/* One document that grows and grows is squeezed, not spilled. */
static void test_growing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 64 << 10);
    for (int i = 0; i < 3000; i++) {
        auto_free char *text = mem_printf("{\"id\":%d,\"list\":[%d]}", i % 3, i % 10);
        add(&f, 0, false, text);
    }
    assert_int_equal(combiner_stats(f.combiner).runs, 0);
    fixture_done(&f);
}

/* --- growing -------------------------------------------------------------------------------------- */

/* What documents reduced to `n` updates of one key cost, in bytes written. */
static uint64_t cost_of_growing(const char *schema, const char *before, const char *after, int n)
{
    struct fixture f;
    struct error err;
    struct combined combined;
    fixture_init(&f, 0);
    mem_auto(schema_free) struct schema *growing = compile_for_combiner(schema);
    const struct combiner_binding binding = {growing, &f.key, REDUCE_PARTIAL};
    struct combiner *good = f.combiner;
    f.combiner = make_combiner(&binding, 1, 0, f.folder);
    for (int i = 0; i < n; i++) {
        auto_free char *text = mem_printf("%s%d%s", before, i, after);
        add(&f, 0, false, text);
    }
    uint64_t cost = combiner_stats(f.combiner).reduced_bytes;
    assert_int_equal(combiner_next(f.combiner, &combined, &err), 1);
    struct json doc;
    assert_int_equal(json_parse(f.parser, combined.document.data, combined.document.size, &doc, &err), 0);
    uint32_t at = json_get(&doc, 0, "v");
    if (json_get(&doc, at, "add") != JSON_NONE)
        at = json_get(&doc, at, "add");
    assert_int_equal(json_count(&doc, at), n); /* nothing was lost */
    assert_int_equal(combiner_next(f.combiner, &combined, &err), 0);
    combiner_free(f.combiner);
    f.combiner = good;
    fixture_done(&f);
    return cost;
}

/* Twice as many updates cost about twice as much, whatever makes the document grow. */
static void test_growing_is_linear(void **state)
{
    (void)state;
#define GROWS(v) "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"v\":" v "}}"
#define CHANGES(v)                                                                                      \
    "{\"if\":{\"required\":[\"gone\"]},\"then\":{\"reduce\":{\"strategy\":\"merge\",\"delete\":true}}," \
    "\"else\":{\"reduce\":{\"strategy\":\"merge\"}},\"properties\":{\"v\":" v "}}"
    static const char *const cases[][3] = {
        {GROWS("{\"reduce\":{\"strategy\":\"append\"}}"), "{\"id\":1,\"v\":[", "]}"},
        {CHANGES("{\"reduce\":{\"strategy\":\"append\"}}"), "{\"id\":1,\"v\":[", "]}"},
        {GROWS("{\"reduce\":{\"strategy\":\"merge\"}}"), "{\"id\":1,\"v\":{\"m", "\":1}}"},
        {GROWS("{\"reduce\":{\"strategy\":\"merge\",\"key\":[\"/k\"]}}"), "{\"id\":1,\"v\":[{\"k\":", "}]}"},
        {GROWS("{\"reduce\":{\"strategy\":\"set\"}}"), "{\"id\":1,\"v\":{\"add\":{\"m", "\":1}}}"},
        {GROWS("{\"reduce\":{\"strategy\":\"set\",\"key\":[\"\"]}}"), "{\"id\":1,\"v\":{\"add\":[", "]}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t once = cost_of_growing(cases[i][0], cases[i][1], cases[i][2], 4000);
        uint64_t twice = cost_of_growing(cases[i][0], cases[i][1], cases[i][2], 8000);
        if (twice > once * 5 / 2)
            fail_msg("%s: %llu bytes, doubled %llu", cases[i][1], (unsigned long long)once,
                     (unsigned long long)twice);
    }
}

/* What the operation does depends on the document, and its outcome on the order. */
static const char in_order[] =
    "{\"reduce\":{\"strategy\":\"merge\"},\"properties\":{\"list\":{\"reduce\":{\"strategy\":\"append\"}},"
    "\"s\":{\"reduce\":{\"strategy\":\"sum\"}},"
    "\"w\":{\"reduce\":{\"strategy\":\"lastWriteWins\",\"associative\":false}}},"
    "\"oneOf\":["
    "{\"properties\":{\"op\":{\"const\":\"add\"},\"v\":{\"reduce\":{\"strategy\":\"sum\"}}}},"
    "{\"properties\":{\"op\":{\"const\":\"set\"},\"v\":{\"reduce\":{\"strategy\":\"lastWriteWins\"}}}},"
    "{\"properties\":{\"op\":{\"const\":\"del\"}},\"reduce\":{\"strategy\":\"merge\",\"delete\":true}}],"
    "\"required\":[\"op\"]}";

/* Reduced in full, one after the other. */
struct folded {
    struct reducer *reducer;
    struct json_parser *left, *right;
    struct buffer text, next;
    bool any;
};

static void fold(struct folded *folded, struct slice text)
{
    struct json left, right;
    struct error err;
    assert_int_equal(json_parse(folded->right, text.data, text.size, &right, &err), 0);
    if (folded->any)
        assert_int_equal(json_parse(folded->left, folded->text.data, folded->text.size, &left, &err), 0);
    buffer_clear(&folded->next);
    int outcome =
        reducer_reduce(folded->reducer, REDUCE_FULL, folded->any ? &left : NULL, &right, &folded->next, &err);
    if (outcome != REDUCE_DONE && outcome != REDUCE_DELETED)
        fail_msg("%.*s: %d", SLICE_ARGS(text), outcome);
    folded->any = outcome == REDUCE_DONE;
    struct buffer swap = folded->text;
    folded->text = folded->next;
    folded->next = swap;
}

static void folded_init(struct folded *folded, const struct schema *schema)
{
    struct error err;
    *folded = (struct folded){.reducer = reducer_new(schema, &err)};
    folded->left = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    folded->right = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    buffer_init(&folded->text, 64 << 20);
    buffer_init(&folded->next, 64 << 20);
}

static void folded_done(struct folded *folded)
{
    reducer_free(folded->reducer);
    json_parser_free(folded->left);
    json_parser_free(folded->right);
    buffer_done(&folded->text);
    buffer_done(&folded->next);
}

/* The operations come in runs: some updates can be put together, others must not. Or all could, but for those
 * that stay separate. */
static char *random_update(uint64_t *random, int i, bool stays_separate)
{
    static const char *const ops[] = {"add", "add", "add", "set", "set", "del"};
    uint32_t size = below(random, 20) ? below(random, 30) : below(random, 9000), run = below(random, 4);
    const char *op = run ? ops[(i / 7) % 5] : ops[below(random, below(random, 40) ? 5 : 6)];
    if (stays_separate)
        op = "add";
    return !stays_separate || below(random, 30)
               ? mem_printf("{\"id\":1,\"op\":\"%s\",\"v\":%d,\"s\":%d,\"list\":[%d,\"%0*d\"]}", op, i % 10,
                            (int)below(random, 9) - 4, i, (int)size, 0)
               : mem_printf("{\"id\":1,\"op\":\"%s\",\"w\":%d}", op, i % 2);
}

/* Reduced later is reduced in order: what is drained, reduced in full, is what all updates are. */
static void test_pending_keeps_order(void **state)
{
    (void)state;
    mem_auto(schema_free) struct schema *schema = compile_for_combiner(in_order);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct fixture f;
        struct folded expected, got;
        struct error err;
        struct combined combined;
        fixture_init(&f, 0);
        folded_init(&expected, schema);
        folded_init(&got, schema);
        const struct combiner_binding binding = {schema, &f.key, REDUCE_PARTIAL};
        size_t budget = seed % 8 ? 0 : 32 << 10; /* what is spilled is regrouped: then all must be alike */
        struct combiner *combiner = make_combiner(&binding, 1, budget, f.folder);
        uint64_t random = seed * 0x9e3779b97f4a7c15ULL;
        for (int i = 0; i < 300; i++) {
            struct json doc;
            auto_free char *text = random_update(&random, i, seed % 4 == 0);
            assert_int_equal(json_parse(f.parser, text, strlen(text), &doc, &err), 0);
            if (combiner_add(combiner, 0, &doc, &err) < 0)
                fail_msg("%s", err.message);
            fold(&expected, slice_of(text));
        }
        int result;
        while ((result = combiner_next(combiner, &combined, &err)) > 0)
            fold(&got, combined.document);
        assert_int_equal(result, 0);
        if (expected.any != got.any || strcmp(buffer_cstr(&expected.text), buffer_cstr(&got.text)) != 0)
            fail_msg("seed %d: %.3000s\nexpected %.3000s", (int)seed, buffer_cstr(&got.text),
                     buffer_cstr(&expected.text));
        combiner_free(combiner);
        folded_done(&expected);
        folded_done(&got);
        fixture_done(&f);
    }
}

/* A deletion that was spilled is one still. */
static void test_spilled_deletion(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, COMBINER_MEMORY_MIN);
    add(&f, 0, false, "{\"id\":1,\"op\":\"d\"}");
    for (int i = 2; combiner_stats(f.combiner).runs == 0; i++) {
        auto_free char *text = mem_printf("{\"id\":%d,\"s\":\"%0100d\"}", i, 0);
        add(&f, 0, false, text);
    }
    add(&f, 0, false, "{\"id\":1,\"op\":\"c\"}");
    assert_true(string_starts_with(drain(&f), "0 {\"id\":1,\"op\":\"d\"}\n0 {\"id\":1,\"op\":\"c\"}\n"));
    fixture_done(&f);
}

static void test_no_folder(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    int result = 0;
    fixture_init(&f, 0);
    const struct combiner_binding binding = {f.schema, &f.key, REDUCE_PARTIAL};
    struct combiner *good = f.combiner;
    f.combiner = make_combiner(&binding, 1, COMBINER_MEMORY_MIN, "/dev/null/firth");
    for (int i = 0; i < 100 && result == 0; i++) {
        auto_free char *text = mem_printf("{\"id\":%d,\"s\":\"%0100d\"}", i, 0);
        result = try_add(&f, 0, false, text, &err);
    }
    assert_int_equal(result, -1);
    assert_string_equal(err.message,
                        "documents do not fit into memory: cannot make folder /dev/null/firth: Not a "
                        "directory");
    combiner_free(f.combiner);
    f.combiner = good;
    fixture_done(&f);
}

/* As a full disk: writes past a limit fail. The combiner can be cleared and used again. */
static void test_disk_full(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    struct rlimit before, limit;
    int result = 0;
    fixture_init(&f, COMBINER_MEMORY_MIN);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 10000;
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 1000 && result == 0; i++) {
        auto_free char *text = mem_printf("{\"id\":%d,\"s\":\"%0100d\"}", i, 0);
        result = try_add(&f, 0, false, text, &err);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(result, -1);
    assert_int_equal(err.code, ERROR_IO);
    auto_free char *where =
        mem_printf(" of documents that do not fit into memory to %s: File too large", f.folder);
    assert_true(string_starts_with(err.message, "cannot write ") && strstr(err.message, where));
    combiner_clear(f.combiner);
    add(&f, 0, false, "{\"id\":1}");
    assert_string_equal(drain(&f), "0 {\"id\":1}\n");
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_separate),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_deleted_and_back),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_reduced_to_invalid),
        cmocka_unit_test(test_spill),
        cmocka_unit_test(test_unlinked),
        cmocka_unit_test(test_large_document),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_growing_is_linear),
        cmocka_unit_test(test_pending_keeps_order),
        cmocka_unit_test(test_spilled_deletion),
        cmocka_unit_test(test_no_folder),
        cmocka_unit_test(test_disk_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
