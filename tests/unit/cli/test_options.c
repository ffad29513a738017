#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fields {
    bool follow, brief;
    const char *schema;
    struct option_number limit, port;
    int format;
    struct option_list tasks;
};

static const char *const formats[] = {"text", "json", "csv", NULL};
static const struct option_spec specs[] = {
    {"follow", 'f', OPTION_FLAG, offsetof(struct fields, follow), NULL, "go on"},
    {"brief", 'b', OPTION_FLAG, offsetof(struct fields, brief), NULL, "say less"},
    {"schema", 's', OPTION_STRING, offsetof(struct fields, schema), "FILE", "the schema"},
    {"limit", 0, OPTION_NUMBER, offsetof(struct fields, limit), "N", "how many"},
    {"port", 0, OPTION_NUMBER, offsetof(struct fields, port), "N", "where", .min = 1, .max = 65535},
    {"format", 'o', OPTION_CHOICE, offsetof(struct fields, format), "text|json|csv", "as what", formats},
    {"task", 't', OPTION_LIST, offsetof(struct fields, tasks), "NAME", "only this one"},
    {NULL},
};

enum { WORDS_MAX = 12 };

/* Parse words (NULL-terminated, without argv[0]); argv is left for a look at the operands. */
static int parse(const char *const *words, bool stop, struct fields *fields, char **argv, int *ret_argc,
                 struct error *err)
{
    static char program[] = "x";
    int argc = 1;
    argv[0] = program;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    argv[argc] = NULL;
    *fields = (struct fields){0};
    const struct option_group group = {specs, fields};
    return options_parse(argc, argv, &group, 1, stop, ret_argc, err);
}

static void test_all_kinds(void **state)
{
    static const char *const words[] = {"first", "-f",     "--schema", "a.json", "--limit=0", "--port",
                                        "65535", "-ojson", "-t",       "one",    "second",    NULL};
    struct fields fields;
    struct error err;
    char *argv[WORDS_MAX + 2];
    int argc;
    assert_int_equal(parse(words, false, &fields, argv, &argc, &err), 0);
    assert_true(fields.follow);
    assert_false(fields.brief);
    assert_string_equal(fields.schema, "a.json");
    assert_true(fields.limit.given);
    assert_int_equal(fields.limit.value, 0);
    assert_int_equal(fields.port.value, 65535);
    assert_int_equal(fields.format, 1);
    assert_int_equal(fields.tasks.count, 1);
    assert_string_equal(fields.tasks.items[0], "one");
    assert_int_equal(argc, 3);
    assert_string_equal(argv[1], "first");
    assert_string_equal(argv[2], "second");
    assert_null(argv[3]);
}

static void test_values_that_look_like_options(void **state)
{
    static const char *const words[] = {"--task", "--follow", "--task=", "-t", "-x",
                                        "--",     "--brief",  "-",       NULL};
    struct fields fields;
    struct error err;
    char *argv[WORDS_MAX + 2];
    int argc;
    assert_int_equal(parse(words, false, &fields, argv, &argc, &err), 0);
    assert_int_equal(fields.tasks.count, 3);
    assert_string_equal(fields.tasks.items[0], "--follow");
    assert_string_equal(fields.tasks.items[1], "");
    assert_string_equal(fields.tasks.items[2], "-x");
    assert_false(fields.follow || fields.brief);
    assert_int_equal(argc, 3);
    assert_string_equal(argv[1], "--brief");
    assert_string_equal(argv[2], "-");
}

static void test_stop_at_operand(void **state)
{
    static const char *const words[] = {"-f", "command", "--unknown", "-b", NULL};
    struct fields fields;
    struct error err;
    char *argv[WORDS_MAX + 2];
    int argc;
    assert_int_equal(parse(words, true, &fields, argv, &argc, &err), 0);
    assert_true(fields.follow);
    assert_false(fields.brief);
    assert_int_equal(argc, 4);
    assert_string_equal(argv[1], "command");
    assert_string_equal(argv[2], "--unknown");
}

static void test_errors(void **state)
{
    static const struct {
        const char *words[3], *message;
    } cases[] = {
        {{"--folow"}, "unknown option '--folow'; did you mean --follow?"},
        {{"--shcema=x"}, "unknown option '--shcema=x'; did you mean --schema?"},
        {{"--zzzzzz"}, "unknown option '--zzzzzz'"},
        {{"-z"}, "unknown option '-z'"},
        {{"--=x"}, "unknown option '--=x'"},
        {{"-fx"}, "--follow takes no value, but '-fx' gives it one"},
        {{"--follow=1"}, "--follow takes no value, but '--follow=1' gives it one"},
        {{"--schema"}, "--schema needs a value: --schema FILE"},
        {{"--limit", "ten"}, "--limit is 'ten', but it must be a whole number"},
        {{"--limit", "-1"}, "--limit is '-1', but it must be a whole number"},
        {{"--limit", "18446744073709551616"},
         "--limit is '18446744073709551616', but it must be a whole number"},
        {{"--port", "0"}, "--port is '0', but it must be a whole number from 1 to 65535"},
        {{"--port", "65536"}, "--port is '65536', but it must be a whole number from 1 to 65535"},
        {{"-o", "xml"}, "--format is 'xml', but it must be text, json or csv"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fields fields;
        struct error err;
        char *argv[WORDS_MAX + 2];
        int argc = -1;
        assert_int_equal(parse(cases[i].words, false, &fields, argv, &argc, &err), -1);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(argc, -1);
    }
}

static void test_list_is_bounded(void **state)
{
    enum { MORE = OPTION_LIST_MAX + 1 };
    static char program[] = "x", word[] = "--task=a";
    char *argv[MORE + 2];
    struct fields fields = {0};
    struct error err;
    int argc;
    argv[0] = program;
    for (int i = 1; i <= MORE; i++)
        argv[i] = word;
    argv[MORE + 1] = NULL;
    const struct option_group group = {specs, &fields};
    assert_int_equal(options_parse(MORE + 1, argv, &group, 1, false, &argc, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
}

static void test_help_names_every_option(void **state)
{
    struct buffer help, usage;
    buffer_init(&help, 1 << 16);
    buffer_init(&usage, 1 << 16);
    options_help(specs, &help);
    options_usage(specs, &usage);
    for (const struct option_spec *spec = specs; spec->name; spec++) {
        assert_non_null(strstr(buffer_cstr(&help), spec->name));
        assert_non_null(strstr(buffer_cstr(&help), spec->help));
        assert_non_null(strstr(buffer_cstr(&usage), spec->name));
    }
    assert_non_null(strstr(buffer_cstr(&help), "  -s, --schema FILE"));
    assert_non_null(strstr(buffer_cstr(&usage), " [--task NAME]…"));
    buffer_done(&help);
    buffer_done(&usage);
}

static void test_show(void **state)
{
    char shown[OPTION_SHOWN_MAX], large[1000];
    memset(large, 'y', sizeof large - 1);
    large[sizeof large - 1] = 0;
    assert_int_equal(strlen(option_show(large, shown)), OPTION_SHOWN_MAX - 4 + strlen("…"));
    assert_string_equal(option_show("a\nb\x7f", shown), "a?b?");
    assert_string_equal(option_show("é\xff", shown), "???");
    assert_string_equal(option_show("é", shown), "é");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),
        cmocka_unit_test(test_values_that_look_like_options),
        cmocka_unit_test(test_stop_at_operand),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_list_is_bounded),
        cmocka_unit_test(test_help_names_every_option),
        cmocka_unit_test(test_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
