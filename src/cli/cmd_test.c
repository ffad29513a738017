/* `firth test`: run a catalog's tests, in memory, with a readable difference where one fails. */
#include "cli/catalog_file.h"
#include "task/trial.h"
#include "json/writer.h"

#include <unistd.h>

enum { SHOWN_MAX = 160 }; /* bytes of a value in a message */

struct test_options {
    struct option_list tests;
};

static const struct option_spec specs[] = {
    {"test", 't', OPTION_LIST, offsetof(struct test_options, tests), "NAME",
     "run this test only (may be given again)"},
    {NULL},
};

/* --- for people ------------------------------------------------------------------------------------ */

static void print_value(struct output *output, struct slice value)
{
    size_t cut = utf8_cut(value.data, value.size, SHOWN_MAX);
    if (value.size == 0)
        output_str(output, "nothing");
    else
        output_printf(output, "%.*s%s", (int)cut, value.data, cut < value.size ? "…" : "");
}

static void print_differences(struct output *output, const struct differences *differences)
{
    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *difference = &differences->items[i];
        output_printf(output, "      %s: expected ",
                      *difference->pointer ? difference->pointer : "the document");
        print_value(output, difference->expected);
        output_str(output, ", got ");
        print_value(output, difference->actual);
        output_str(output, "\n");
    }
    if (differences->omitted)
        output_printf(output, "      and %zu more\n", differences->omitted);
}

static void print_finding(struct output *output, const struct trial_finding *finding)
{
    static const char *const what[] = {
        [TRIAL_DIFFERENT] = "differs",
        [TRIAL_MISSING] = "is missing: expected ",
        [TRIAL_UNEXPECTED] = "was not expected: got ",
    };
    if (finding->fault == TRIAL_INVALID) {
        output_printf(output,
                      "    cannot be ingested: %s: ", finding->message ? finding->message : "invalid");
        print_value(output, finding->document);
        output_str(output, "\n");
        return;
    }
    output_printf(output, "    the document of the key %.*s %s", (int)finding->key.size, finding->key.data,
                  what[finding->fault]);
    if (finding->fault != TRIAL_DIFFERENT)
        print_value(output, finding->document);
    output_str(output, "\n");
    print_differences(output, &finding->differences);
}

static void print_result(struct output *output, const struct cli *cli, const struct catalog_test *test,
                         const struct trial_result *result)
{
    const char *color = !cli->terminal ? "" : result->failed ? "\033[31m" : "\033[32m";
    output_printf(output, "%s%s%s  %s\n", color, result->failed ? "FAILED" : "passed",
                  cli->terminal ? "\033[0m" : "", test->name);
    if (!result->failed)
        return;
    const struct catalog_test_step *step = &test->steps[result->step];
    output_str(output, "  ");
    output_printable(output, step->place.file);
    output_printf(output, ":%u:%u: step %zu of %zu: %s %s%s%s\n", step->place.line, step->place.column,
                  result->step + 1, test->step_count, step->verify ? "verify" : "ingest",
                  step->source.collection->name, *step->description ? ": " : "", step->description);
    for (size_t i = 0; i < result->finding_count; i++)
        print_finding(output, &result->findings[i]);
    if (result->omitted)
        output_printf(output, "    and %zu more document%s\n", result->omitted,
                      result->omitted == 1 ? "" : "s");
}

/* --- for machines ---------------------------------------------------------------------------------- */

static void member_raw(struct json_writer *writer, const char *name, struct slice value)
{
    if (value.size)
        json_member_raw(writer, name, value);
}

static void json_finding(struct json_writer *writer, const struct trial_finding *finding)
{
    static const char *const names[] = {"invalid", "different", "missing", "unexpected"};
    json_begin_object(writer);
    json_member_string(writer, "fault", names[finding->fault]);
    member_raw(writer, "key", finding->key);
    if (finding->message)
        json_member_string(writer, "message", finding->message);
    member_raw(writer, "document", finding->document);
    if (finding->fault == TRIAL_DIFFERENT) {
        json_put_key(writer, "differences");
        json_begin_array(writer);
        for (size_t i = 0; i < finding->differences.count; i++) {
            const struct difference *difference = &finding->differences.items[i];
            json_begin_object(writer);
            json_member_string(writer, "instance", difference->pointer);
            member_raw(writer, "expected", difference->expected);
            member_raw(writer, "actual", difference->actual);
            json_end_object(writer);
        }
        json_end_array(writer);
        json_member_u64(writer, "omitted", finding->differences.omitted);
    }
    json_end_object(writer);
}

static void json_result(struct output *output, const struct catalog_test *test,
                        const struct trial_result *result)
{
    struct buffer line;
    struct json_writer writer;
    buffer_init(&line, BUFFER_UNLIMITED);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_member_string(&writer, "test", test->name);
    json_member_bool(&writer, "ok", !result->failed);
    if (result->failed) {
        const struct catalog_test_step *step = &test->steps[result->step];
        json_member_u64(&writer, "step", result->step + 1);
        json_member_string(&writer, "collection", step->source.collection->name);
        json_member_string(&writer, "file", step->place.file);
        json_member_u64(&writer, "line", step->place.line);
        json_put_key(&writer, "findings");
        json_begin_array(&writer);
        for (size_t i = 0; i < result->finding_count; i++)
            json_finding(&writer, &result->findings[i]);
        json_end_array(&writer);
        json_member_u64(&writer, "omitted", result->omitted);
    }
    json_end_object(&writer);
    buffer_byte(&line, '\n');
    output_write(output, line.data, line.size);
    buffer_done(&line);
}

/* --- running --------------------------------------------------------------------------------------- */

static const struct catalog_test *find_test(const struct catalog *catalog, const char *name,
                                            struct error *err)
{
    const char **names = mem_alloc((catalog->test_count + 1) * sizeof *names);
    const struct catalog_test *found = NULL;
    for (size_t i = 0; i < catalog->test_count; i++) {
        names[i] = catalog->tests[i].name;
        if (strcmp(names[i], name) == 0)
            found = &catalog->tests[i];
    }
    const char *nearest = found ? NULL : string_nearest(name, names, catalog->test_count);
    if (!found)
        error_set(err, ERROR_NOT_FOUND, "the catalog has no test '%s'%s%s%s", name,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    free(names);
    return found;
}

/* 1: it passed, 0: it failed, -1. */
static int run_one(const struct cli *cli, const struct catalog *catalog, const struct catalog_test *test,
                   struct output *output, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    struct trial_result result;
    struct arena arena;
    arena_init(&arena);
    int done = trial_run(catalog, test, folder && *folder ? folder : "/tmp", &arena, &result, err);
    if (done == 0 && cli->json)
        json_result(output, test, &result);
    else if (done == 0)
        print_result(output, cli, test, &result);
    else
        error_wrap(err, "test %s", test->name);
    arena_done(&arena);
    return done < 0 ? -1 : !result.failed;
}

static int run_tests(const struct cli *cli, const struct catalog *catalog, const struct test_options *given,
                     struct output *output)
{
    size_t count = given->tests.count ? given->tests.count : catalog->test_count, passed = 0;
    struct error err;
    for (size_t i = 0; i < given->tests.count; i++) {
        if (!find_test(catalog, given->tests.items[i], &err))
            return cli_fail(cli, &err);
    }
    for (size_t i = 0; i < count; i++) {
        const struct catalog_test *test =
            given->tests.count ? find_test(catalog, given->tests.items[i], &err) : &catalog->tests[i];
        int result = run_one(cli, catalog, test, output, &err);
        output_flush(output);
        if (result < 0)
            return cli_fail(cli, &err);
        passed += (size_t)result;
    }
    if (!cli->json && count == 0)
        output_str(output, "the catalog has no tests\n");
    else if (!cli->json)
        output_printf(output, "%zu of %zu tests passed\n", passed, count);
    return passed == count ? CLI_OK : CLI_FAILED;
}

static int run_test(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    struct catalog *catalog;
    struct output output;
    int code = catalog_file_need(cli, argv[1], NULL, &catalog);
    if (code != CLI_OK)
        return code;
    output_init(&output, STDOUT_FILENO);
    code = output_finish(&output, cli, run_tests(cli, catalog, cli->options, &output));
    catalog_free(catalog);
    return code;
}

const struct command cli_test = {
    .name = "test",
    .arguments = "CATALOG",
    .summary = "run a catalog's tests",
    .help =
        "Each test begins with empty collections, in memory. An ingest step is one transaction: its "
        "documents "
        "are\n"
        "validated and those of one key combined. A verify step reduces what is there to one document a key "
        "and\n"
        "compares; documents may have more members than expected. The exit code is 1 if a test failed.\n"
        "\n"
        "  firth test flow.yaml\n"
        "  firth test flow.yaml --test acmeCo/tests/orders\n",
    .options = specs,
    .options_size = sizeof(struct test_options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run_test,
};
