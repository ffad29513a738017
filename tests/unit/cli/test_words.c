/* A command given as one text. */
#include "cli/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_words(void **state)
{
    static const struct {
        const char *text;
        const char *words[5]; /* none: it is refused */
        const char *said;
    } cases[] = {
        {"python3 source.py", {"python3", "source.py"}, NULL},
        {"  a\t b\n", {"a", "b"}, NULL},
        {"'/a b/c' \"d e\"", {"/a b/c", "d e"}, NULL},
        {"a\\ b \\\"c \\\\", {"a b", "\"c", "\\"}, NULL},
        {"'a\\b' \"c\\\"d\"", {"a\\b", "c\"d"}, NULL},
        {"--x='1 2'y", {"--x=1 2y"}, NULL},
        {"a '' b", {"a", "", "b"}, NULL},
        {"$HOME *", {"$HOME", "*"}, NULL},
        {"", {NULL}, "--it is empty"},
        {"  ", {NULL}, "--it is empty"},
        {"a 'b", {NULL}, "--it has a quote that is not closed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const *words;
        struct arena arena;
        struct error err;
        arena_init(&arena);
        int result = words_split("--it", cases[i].text, &arena, &words, &err);
        assert_int_equal(result, cases[i].said ? -1 : 0);
        if (cases[i].said)
            assert_string_equal(err.message, cases[i].said);
        for (size_t k = 0; !cases[i].said; k++) {
            if (!cases[i].words[k]) {
                assert_null(words[k]);
                break;
            }
            assert_non_null(words[k]);
            assert_string_equal(words[k], cases[i].words[k]);
        }
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
