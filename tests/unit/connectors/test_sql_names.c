#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/sql/dialect.h"

static const char *const reserved[] = {"ctid", NULL};
static const struct sql_dialect exact = {.reserved = reserved, .name_max = 20},
                                folding = {
                                    .reserved = reserved, .folds_case = true, .reserved_prefix = "sqlite_"};

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE ((const char *const[]){NULL})

static struct arena arena;

static const char *choose(const struct sql_dialect *dialect, bool of_table, const char *wanted,
                          const char *const *existing, const char *const *taken)
{
    return sql_name_choose(dialect, of_table, wanted, wanted, existing, taken, &arena);
}

/* "<kept>_xxxxxxxx" */
static void assert_hashed(const char *name, const char *kept)
{
    size_t size = strlen(kept);
    if (strncmp(name, kept, size) != 0 || name[size] != '_' || strlen(name) != size + 9 ||
        strspn(name + size + 1, "0123456789abcdef") != 8)
        fail_msg("%s is not %s with a hash", name, kept);
}

static void test_as_it_is(void **state)
{
    static const char *const names[] = {"id", "with space", "qu\"ote", "naïve", "a.b", "SELECT", "'", "é😀"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_string_equal(choose(&exact, false, names[i], NONE, NAMES("ID", "other")), names[i]);
        assert_string_equal(choose(&folding, true, names[i], NAMES(names[i]), NONE), names[i]);
    }
    assert_string_equal(choose(&exact, false, "Id", NAMES("id"), NAMES("id")), "Id");
}

static void test_cannot_be(void **state)
{
    assert_hashed(choose(&exact, false, "", NONE, NONE), "");
    assert_hashed(choose(&exact, false, "ctid", NONE, NONE), "ctid");
    assert_string_equal(choose(&exact, true, "ctid", NONE, NONE), "ctid");
    assert_hashed(choose(&folding, false, "CTID", NONE, NONE), "CTID");
    assert_hashed(choose(&folding, true, "SQLite_x", NONE, NONE), "x");
    assert_string_equal(choose(&folding, false, "sqlite_x", NONE, NONE), "sqlite_x");
    assert_hashed(choose(&exact, false, "abcdefghijklmnopqrstu", NONE, NONE), "abcdefghijk");
    /* Never in the middle of a character. */
    assert_hashed(choose(&exact, false, "abcdefghij\xc3\xa9klmnopqrst", NONE, NONE), "abcdefghij");
    assert_string_not_equal(choose(&exact, false, "abcdefghijklmnopqrstu", NONE, NONE),
                            choose(&exact, false, "abcdefghijklmnopqrstv", NONE, NONE));
}

/* Names that fold to one: who has the plain name keeps it, in whatever order they come. */
static void test_case(void **state)
{
    const char *second = choose(&folding, false, "name", NONE, NAMES("Name"));
    assert_hashed(second, "name");
    const char *const there[] = {"Name", second, NULL};
    assert_string_equal(choose(&folding, false, "name", there, NONE), second);
    assert_string_equal(choose(&folding, false, "Name", there, NAMES(second)), "Name");
    assert_string_equal(choose(&folding, false, "name", there, NAMES("Name")), second);
    assert_hashed(choose(&folding, false, "NAME", there, NONE), "NAME");
    /* Gone from the schema, but its column is there: nobody else's values go into it. */
    assert_hashed(choose(&folding, false, "nAme", NAMES("Name"), NONE), "nAme");
}

static void test_hashes_that_are_taken(void **state)
{
    const char *first = choose(&exact, false, "ctid", NONE, NONE);
    const char *second = choose(&exact, false, "ctid", NONE, NAMES(first));
    assert_hashed(second, "ctid");
    assert_string_not_equal(first, second);
    assert_string_not_equal(choose(&exact, false, "ctid", NONE, NAMES(first, second)), second);
}

static void test_quotes(void **state)
{
    struct buffer out;
    buffer_init(&out, 1000);
    sql_put_name(&out, "a\"b");
    sql_put_text(&out, slice_of("it's \\ \""));
    assert_string_equal(buffer_cstr(&out), "\"a\"\"b\"'it''s \\ \"'");
    buffer_done(&out);
    const struct sql_dialect schemas = {.has_schemas = true};
    assert_string_equal(sql_quoted_table(&schemas, "s\"", "t.u", &arena), "\"s\"\"\".\"t.u\"");
    assert_string_equal(sql_quoted_table(&exact, "s", "t", &arena), "\"t\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_it_is), cmocka_unit_test(test_cannot_be),
        cmocka_unit_test(test_case),     cmocka_unit_test(test_hashes_that_are_taken),
        cmocka_unit_test(test_quotes),
    };
    arena_init(&arena);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return result;
}
