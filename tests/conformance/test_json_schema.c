/* JSON-Schema-Test-Suite through the library: every required test of a draft.
 *
 * usage: test_json_schema DRAFT
 * DRAFT is a folder of the suite's tests ("draft2020-12"). FIRTH_CONFORMANCE names the folder that holds the
 * suite. Prints a line for each test that does not come out as the suite says, and the counts; fails on any,
 * and if the suite is not there. */
#include "base/file.h"
#include "schema/schema.h"
#include "json/json.h"

#include <dirent.h>
#include <stdio.h>

#define REMOTE_BASE "http://localhost:1234/"

struct suite {
    char *remotes; /* folder */
    enum schema_draft draft;
    struct schema_validator *validator;
    size_t passed, failed;
};

/* A remote document is the file of that name. */
static int fetch_remote(void *context, const char *uri, struct arena *arena, struct slice *ret_source,
                        struct error *err)
{
    const struct suite *suite = context;
    if (!string_starts_with(uri, REMOTE_BASE) || strstr(uri, ".."))
        return error_set(err, ERROR_NOT_FOUND, "there is no schema at %s", uri);
    const char *path = arena_printf(arena, "%s/%s", suite->remotes, uri + strlen(REMOTE_BASE));
    struct buffer content;
    buffer_init(&content, 1 << 20);
    int result = file_read(path, 1 << 20, &content, err);
    if (result == 0)
        *ret_source = (struct slice){arena_dup(arena, content.data, content.size), content.size};
    buffer_done(&content);
    return result;
}

struct group {
    const char *file, *name;
    const struct json *json;
};

static void run_test(struct suite *suite, const struct group *group, const struct schema *schema,
                     uint32_t test)
{
    struct arena arena;
    arena_init(&arena);
    struct error err;
    struct schema_violation violations[8];
    size_t count = 0;
    const char *name = json_cstring(group->json, json_get(group->json, test, "description"), &arena);
    uint32_t data = json_get(group->json, test, "data");
    bool expected = json_is(group->json, json_get(group->json, test, "valid"), JSON_TRUE);
    int valid = schema_validate(schema, suite->validator, group->json, data, &err);
    const char *what = NULL;
    if (valid < 0)
        what = err.message;
    else if (valid != expected)
        what = expected ? "refused" : "accepted";
    else if (schema_explain(schema, suite->validator, group->json, data, &arena, violations, 8, &count,
                            &err) < 0)
        what = err.message;
    else if ((count == 0) != expected)
        what = "explained otherwise";
    if (what)
        printf("%s: %s: %s: %s\n", group->file, group->name, name, what);
    suite->passed += !what;
    suite->failed += what != NULL;
    arena_done(&arena);
}

static void run_group(struct suite *suite, const char *file, const struct json *json, uint32_t node)
{
    struct arena arena;
    arena_init(&arena);
    struct error err;
    uint32_t tests = json_get(json, node, "tests");
    struct group group = {file, json_cstring(json, json_get(json, node, "description"), &arena), json};
    mem_auto(schema_registry_free) struct schema_registry *registry = schema_registry_new(suite->draft);
    schema_registry_on_missing(registry, fetch_remote, suite);
    mem_auto(schema_free) struct schema *schema = NULL;
    if (schema_registry_add(registry, "test:schema", json_raw(json, json_get(json, node, "schema")), &err) ==
        0)
        schema = schema_compile(registry, "test:schema", &err);
    if (!schema) {
        printf("%s: %s: %s\n", file, group.name, err.message);
        suite->failed += json_count(json, tests);
    }
    for (uint32_t t = json_first(json, tests); schema && t != JSON_NONE; t = json_next(json, tests, t))
        run_test(suite, &group, schema, t);
    arena_done(&arena);
}

static int run_file(struct suite *suite, const char *path, const char *name)
{
    struct error err;
    struct buffer content;
    struct json json;
    buffer_init(&content, 16 << 20);
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    int result = -1;
    if (file_read(path, 16 << 20, &content, &err) < 0 ||
        json_parse(parser, content.data, content.size, &json, &err) < 0) {
        fprintf(stderr, "%s: %s\n", path, err.message);
    } else {
        result = 0;
        for (uint32_t g = json_first(&json, 0); g != JSON_NONE; g = json_next(&json, 0, g))
            run_group(suite, name, &json, g);
    }
    buffer_done(&content);
    return result;
}

static enum schema_draft draft_of(const char *folder)
{
    static const struct {
        const char *folder;
        enum schema_draft draft;
    } drafts[] = {{"draft4", SCHEMA_DRAFT_4},
                  {"draft6", SCHEMA_DRAFT_6},
                  {"draft7", SCHEMA_DRAFT_7},
                  {"draft2019-09", SCHEMA_DRAFT_2019_09}};
    for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
        if (strcmp(drafts[i].folder, folder) == 0)
            return drafts[i].draft;
    }
    return SCHEMA_DRAFT_2020_12;
}

int main(int argc, char **argv)
{
    const char *root = getenv("FIRTH_CONFORMANCE");
    if (!root)
        root = getenv("FIRTH_CONFORMANCE_DEFAULT");
    if (argc != 2 || !root) {
        fprintf(stderr, "usage: FIRTH_CONFORMANCE=FOLDER %s DRAFT\n", argv[0]);
        return 2;
    }
    auto_free char *tests = mem_printf("%s/JSON-Schema-Test-Suite/tests/%s", root, argv[1]);
    struct suite suite = {.remotes = mem_printf("%s/JSON-Schema-Test-Suite/remotes", root),
                          .draft = draft_of(argv[1]),
                          .validator = schema_validator_new()};
    DIR *folder = opendir(tests);
    if (!folder)
        fprintf(
            stderr,
            "JSON-Schema-Test-Suite is not at %s: set FIRTH_CONFORMANCE, or run scripts/get-conformance\n",
            tests);
    bool broken = !folder;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        auto_free char *path = mem_printf("%s/%s", tests, entry->d_name);
        if (string_ends_with(entry->d_name, ".json"))
            broken |= run_file(&suite, path, entry->d_name) < 0;
    }
    if (folder)
        closedir(folder);
    printf("%s: %zu passed, %zu failed\n", argv[1], suite.passed, suite.failed);
    schema_validator_free(suite.validator);
    free(suite.remotes);
    return broken || suite.failed > 0 || suite.passed == 0;
}
