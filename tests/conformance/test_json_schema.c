/* JSON-Schema-Test-Suite through the library: every test of a draft, required, optional and of formats.
 *
 * usage: test_json_schema DRAFT LIST
 * DRAFT is a folder of the suite's tests ("draft2020-12"). FIRTH_CONFORMANCE names the folder that holds the
 * suite. LIST is the page that names the optional tests that are known not to pass, one row of a table for
 * each:
 *
 *     | `draft7/optional/content.json` | group | test | why |
 *
 * Prints a line for each test that does not come out as the suite and the list say, and the counts; fails on
 * any, on a row that names no test that fails, and if the suite is not there. */
#include "base/file.h"
#include "schema/schema.h"
#include "json/json.h"

#include <dirent.h>
#include <stdio.h>

#define REMOTE_BASE "http://localhost:1234/"

/* A row of the list. */
struct excuse {
    struct slice file, group, test;
    bool used;
};

struct suite {
    char *remotes; /* folder */
    enum schema_draft draft;
    struct schema_validator *validator;
    struct buffer list;
    struct excuse *excuses;
    size_t excuse_count, excuse_capacity;
    bool is_format; /* the folder at hand */
    size_t passed, failed, excused;
};

static struct slice trim(struct slice text)
{
    while (text.size && (*text.data == ' ' || *text.data == '`')) {
        text.data++;
        text.size--;
    }
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '`'))
        text.size--;
    return text;
}

/* The rows of the list that are about this draft. */
static int read_list(struct suite *suite, const char *path, const char *draft, struct error *err)
{
    auto_free char *start = mem_printf("| `%s/", draft);
    if (file_read(path, 1 << 20, &suite->list, err) < 0)
        return -1;
    const char *end = suite->list.data + suite->list.size;
    for (const char *line = suite->list.data, *next; line < end; line = next + 1) {
        next = memchr(line, '\n', (size_t)(end - line));
        next = next ? next : end;
        if (!slice_starts_with((struct slice){line, (size_t)(next - line)}, start))
            continue;
        struct slice cells[4] = {0};
        const char *cell = line + 1;
        for (int i = 0; i < 4; i++) {
            const char *bar = memchr(cell, '|', (size_t)(next - cell));
            if (!bar)
                return error_set(err, ERROR_INVALID, "%s: a row has fewer than four cells: %.*s", path,
                                 (int)(next - line), line);
            cells[i] = trim((struct slice){cell, (size_t)(bar - cell)});
            cell = bar + 1;
        }
        suite->excuses = mem_grow(suite->excuses, &suite->excuse_capacity, suite->excuse_count + 1,
                                  sizeof *suite->excuses);
        suite->excuses[suite->excuse_count++] = (struct excuse){cells[0], cells[1], cells[2], false};
    }
    return 0;
}

static bool excuse(struct suite *suite, const char *file, const char *group, const char *test)
{
    for (size_t i = 0; i < suite->excuse_count; i++) {
        struct excuse *e = &suite->excuses[i];
        if (slice_is(e->file, file) && slice_is(e->group, group) && slice_is(e->test, test)) {
            e->used = true;
            return true;
        }
    }
    return false;
}

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

/* `refused`: why there is no schema. */
/* What is wrong with how the test comes out, or NULL. */
static const char *judge(struct suite *suite, const struct group *group, const struct schema *schema,
                         uint32_t test, struct arena *arena)
{
    struct error err;
    struct schema_violation violations[8];
    size_t count = 0;
    uint32_t data = json_get(group->json, test, "data");
    bool expected = json_is(group->json, json_get(group->json, test, "valid"), JSON_TRUE);
    int valid = schema_validate(schema, suite->validator, group->json, data, &err);
    if (valid >= 0 && valid != expected)
        return expected ? "refused" : "accepted";
    if (valid < 0 ||
        schema_explain(schema, suite->validator, group->json, data, arena, violations, 8, &count, &err) < 0)
        return arena_strdup(arena, err.message);
    return (count == 0) != expected ? "explained otherwise" : NULL;
}

/* `refused`: why there is no schema. */
static void run_test(struct suite *suite, const struct group *group, const struct schema *schema,
                     const char *refused, uint32_t test)
{
    struct arena arena;
    arena_init(&arena);
    const char *name = json_cstring(group->json, json_get(group->json, test, "description"), &arena);
    const char *what = schema ? judge(suite, group, schema, test, &arena) : refused;
    if (!what) {
        suite->passed++;
    } else if (excuse(suite, group->file, group->name, name)) {
        suite->excused++;
    } else {
        printf("%s: %s: %s: %s\n", group->file, group->name, name, what);
        suite->failed++;
    }
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
        schema = schema_compile_with(registry, "test:schema",
                                     &(struct schema_options){.assert_formats = suite->is_format}, &err);
    for (uint32_t t = json_first(json, tests); t != JSON_NONE; t = json_next(json, tests, t))
        run_test(suite, &group, schema, schema ? NULL : err.message, t);
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

/* Every file of a folder: the draft's own, or one below it. */
static bool run_folder(struct suite *suite, const char *root, const char *folder)
{
    auto_free char *tests = mem_printf("%s/JSON-Schema-Test-Suite/tests/%s", root, folder);
    DIR *directory = opendir(tests);
    if (!directory) {
        fprintf(
            stderr,
            "JSON-Schema-Test-Suite is not at %s: set FIRTH_CONFORMANCE, or run scripts/get-conformance\n",
            tests);
        return false;
    }
    bool whole = true;
    suite->is_format = string_ends_with(folder, "/format");
    for (struct dirent *entry; (entry = readdir(directory));) {
        auto_free char *path = mem_printf("%s/%s", tests, entry->d_name);
        auto_free char *name = mem_printf("%s/%s", folder, entry->d_name);
        if (string_ends_with(entry->d_name, ".json"))
            whole &= run_file(suite, path, name) == 0;
    }
    closedir(directory);
    return whole;
}

int main(int argc, char **argv)
{
    const char *root = getenv("FIRTH_CONFORMANCE");
    if (!root)
        root = getenv("FIRTH_CONFORMANCE_DEFAULT");
    if (argc != 3 || !root) {
        fprintf(stderr, "usage: FIRTH_CONFORMANCE=FOLDER %s DRAFT LIST\n", argv[0]);
        return 2;
    }
    struct suite suite = {.remotes = mem_printf("%s/JSON-Schema-Test-Suite/remotes", root),
                          .draft = draft_of(argv[1]),
                          .validator = schema_validator_new()};
    struct error err;
    buffer_init(&suite.list, 1 << 20);
    bool whole = read_list(&suite, argv[2], argv[1], &err) == 0;
    if (!whole)
        fprintf(stderr, "%s\n", err.message);
    static const char *const folders[] = {"", "/optional", "/optional/format"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        auto_free char *folder = mem_printf("%s%s", argv[1], folders[i]);
        whole &= run_folder(&suite, root, folder);
    }
    for (size_t i = 0; i < suite.excuse_count; i++) {
        if (suite.excuses[i].used)
            continue;
        printf("%s: \"%.*s: %.*s\" of %.*s does not fail\n", argv[2], SLICE_ARGS(suite.excuses[i].group),
               SLICE_ARGS(suite.excuses[i].test), SLICE_ARGS(suite.excuses[i].file));
        whole = false;
    }
    printf("%s: %zu passed, %zu failed, %zu known not to pass\n", argv[1], suite.passed, suite.failed,
           suite.excused);
    schema_validator_free(suite.validator);
    buffer_done(&suite.list);
    free(suite.excuses);
    free(suite.remotes);
    return !whole || suite.failed > 0 || suite.passed == 0;
}
