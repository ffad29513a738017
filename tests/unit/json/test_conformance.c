/* JSONTestSuite: every y_ file is accepted, every n_ file refused; what this parser does with the i_ files
 * (either is allowed) is written down here. */
#include "base/file.h"
#include "test_json.h"

#include <dirent.h>

/* The i_ files that are accepted: numbers of any size are, and nothing that is not UTF-8 or a lone surrogate.
 */
static const char *const accepted[] = {
    "i_number_double_huge_neg_exp.json", "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",   "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",      "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",     "i_number_very_big_negative_int.json",
};

static bool must_accept(const char *name)
{
    if (name[0] == 'y')
        return true;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        if (strcmp(name, accepted[i]) == 0)
            return true;
    }
    /* 500 arrays inside each other: deeper than the default limit. */
    return false;
}

static void test_suite(void **state)
{
    (void)state;
    const char *root = getenv("FIRTH_CONFORMANCE");
    if (!root)
        root = getenv("FIRTH_CONFORMANCE_DEFAULT");
    if (!root)
        fail_msg("FIRTH_CONFORMANCE must name the folder of the conformance data");
    auto_free char *folder_path = mem_printf("%s/JSONTestSuite/test_parsing", root);
    DIR *folder = opendir(folder_path);
    if (!folder) {
        fail_msg("no JSONTestSuite at %s: FIRTH_CONFORMANCE must name the folder of the conformance data",
                 folder_path);
        return; /* fail_msg does not, but declares it to nobody */
    }
    size_t ran = 0, wrong = 0;
    struct buffer content;
    buffer_init(&content, 1 << 20);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        auto_free char *path = mem_printf("%s/%s", folder_path, entry->d_name);
        struct error err;
        buffer_clear(&content);
        if (file_read(path, 1 << 20, &content, &err) < 0)
            fail_msg("%s", err.message);
        struct parsed p = parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS,
                                     (struct slice){content.data, content.size});
        if ((p.result == 0) != must_accept(entry->d_name)) {
            print_error("%s: %s\n", entry->d_name, p.result == 0 ? "was accepted" : p.err.message);
            wrong++;
        }
        parsed_done(&p);
        ran++;
    }
    closedir(folder);
    buffer_done(&content);
    assert_int_equal(wrong, 0);
    assert_true(ran >= 318);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_suite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
