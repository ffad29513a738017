/* errors.txt: catalogs that people may write, and every line that must come of each. */
#include "base/file.h"
#include "catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static const char *lookup(void *context, const char *name)
{
    static const char *const variables[][2] = {
        {"PREFIX", "acmeCo"}, {"SECRET", "hunter2"}, {"EMPTY", ""}, {"NUMBER", "5432"}, {"YES", "true"}};
    (void)context;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        if (strcmp(variables[i][0], name) == 0)
            return variables[i][1];
    }
    return NULL;
}

static struct slice behind(struct slice line, const char *prefix)
{
    size_t size = strlen(prefix);
    return (struct slice){line.data + size, line.size - size};
}

/* A case's file: \xff in it stands for that byte. */
static void write_file(const char *folder, struct slice name, struct slice content)
{
    auto_free char *path = mem_printf("%s/%.*s", folder, SLICE_ARGS(name));
    auto_free char *parent = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
    auto_free char *bytes = mem_alloc(content.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < content.size; i++) {
        bool byte = slice_starts_with((struct slice){content.data + i, content.size - i}, "\\xff");
        bytes[size++] = byte ? (char)0xff : content.data[i];
        i += byte ? 3 : 0;
    }
    struct error err;
    assert_int_equal(file_make_folders(parent, 0700, &err), 0);
    assert_int_equal(file_replace(path, bytes, size, 0600, &err), 0);
}

struct error_case {
    struct slice title, expected;
    bool json;
};

/* Parse one case behind its title; its files go to the folder. */
static struct error_case read_case(struct slice *text, struct slice title, const char *folder)
{
    struct error_case test = {.title = title};
    struct slice line, name = {NULL, 0}, content = {NULL, 0}, before;
    while (slice_next_line(text, &line)) {
        bool starts_file = slice_starts_with(line, "--- ") && line.size > 4;
        bool expectation = slice_is(line, "+++");
        if (name.data && (starts_file || expectation)) {
            content.size = (size_t)(line.data - content.data);
            write_file(folder, name, content);
        }
        if (expectation)
            break;
        if (starts_file) {
            name = behind(line, "--- ");
            test.json |= slice_is(name, "flow.json");
            content.data = text->data;
        }
    }
    test.expected.data = text->data;
    for (before = *text; slice_next_line(text, &line); before = *text) {
        if (slice_starts_with(line, "=== "))
            break;
    }
    test.expected.size = (size_t)(before.data - test.expected.data);
    *text = before;
    return test;
}

static void describe(const struct catalog_errors *errors, struct buffer *out)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct catalog_error *error = &errors->items[i];
        if (error->place.line)
            buffer_printf(out, "%s:%u:%u: %s\n", error->place.file, error->place.line, error->place.column,
                          error->message);
        else
            buffer_printf(out, "%s: %s\n", error->place.file, error->message);
    }
}

static bool run_case(const struct error_case *test)
{
    static const struct catalog_options options = {.lookup = lookup};
    struct catalog_errors errors;
    struct error err = {0};
    struct buffer got;
    catalog_errors_init(&errors);
    buffer_init(&got, 1 << 20);
    struct catalog *catalog = catalog_load(test->json ? "flow.json" : "flow.yaml", &options, &errors, &err);
    describe(&errors, &got);
    assert_int_equal(catalog == NULL, errors.count > 0);
    bool fine = slice_equal((struct slice){got.data, got.size}, test->expected);
    if (!fine)
        fprintf(stderr, "=== %.*s\n%s", SLICE_ARGS(test->title), buffer_cstr(&got)); /* print_error cuts */
    /* The first is the error as well, and nobody learns the secret. */
    if (errors.count)
        assert_true(string_starts_with(err.message, errors.items[0].place.file));
    assert_null(strstr(buffer_cstr(&got), "hunter2"));
    assert_null(strstr(err.message, "hunter2"));
    catalog_free(catalog);
    catalog_errors_done(&errors);
    buffer_done(&got);
    return fine;
}

static void test_errors(void **state)
{
    (void)state;
    const char *data = getenv("FIRTH_UNIT_TESTS");
    assert_non_null(data); /* set by tests/unit/meson.build */
    auto_free char *path = mem_printf("%s/catalog/errors.txt", data);
    struct buffer content;
    struct error err;
    buffer_init(&content, 1 << 20);
    assert_int_equal(file_read(path, 1 << 20, &content, &err), 0);
    auto_free char *home = getcwd(NULL, 0);
    struct slice text = {content.data, content.size}, line;
    size_t ran = 0, wrong = 0;
    while (slice_next_line(&text, &line)) {
        if (!slice_starts_with(line, "=== ") || slice_starts_with(line, "=== TITLE"))
            continue;
        char folder[] = "/tmp/firth-test-catalog-XXXXXX";
        assert_non_null(mkdtemp(folder));
        struct error_case test = read_case(&text, behind(line, "=== "), folder);
        assert_int_equal(chdir(folder), 0);
        wrong += !run_case(&test);
        ran++;
        assert_int_equal(chdir(home), 0);
        assert_int_equal(file_remove_tree(folder, &err), 0);
    }
    buffer_done(&content);
    print_message("# %zu catalogs\n", ran);
    assert_int_equal(wrong, 0);
    assert_true(ran > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
