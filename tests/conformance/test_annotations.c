/* JSON-Schema-Test-Suite's annotations, through the library; and annotating as a second way of validating.
 *
 * usage: test_annotations DRAFT
 * DRAFT is a folder of the suite's tests ("draft2020-12"). First the suite's assertions about annotations
 * that are compatible with the draft. Then every required test of the draft with annotations of keywords that
 * are in nearly every schema, so that nothing is left to the plain machine: the answers must be the suite's.
 * Fails on any difference, and if the suite is not there. */
#include "base/file.h"
#include "schema/annotate.h"
#include "schema/uri.h"
#include "json/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define REMOTE_BASE "http://localhost:1234/"

static const char *const said[] = {
    "title",    "description", "default",       "deprecated",      "readOnly",         "writeOnly",
    "examples", "format",      "contentSchema", "contentEncoding", "contentMediaType", "x-unknownKeyword",
    NULL};
static const char *const common[] = {"type",     "properties", "items", "$ref",     "const",
                                     "required", "allOf",      "anyOf", "minimum",  "maxLength",
                                     "$id",      "$anchor",    "if",    "contains", NULL};

struct suite {
    char *remotes; /* folder */
    unsigned draft;
    struct schema_validator *validator;
    size_t passed, failed;
};

static enum schema_draft draft_of(const struct suite *suite)
{
    switch (suite->draft) {
    case 2020:
        return SCHEMA_DRAFT_2020_12;
    case 2019:
        return SCHEMA_DRAFT_2019_09;
    default:
        return (enum schema_draft)suite->draft;
    }
}

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

static struct schema *compile(struct suite *suite, const struct json *json, uint32_t schema,
                              const char *const *annotations, struct error *err)
{
    mem_auto(schema_registry_free) struct schema_registry *registry = schema_registry_new(draft_of(suite));
    schema_registry_on_missing(registry, fetch_remote, suite);
    if (schema_registry_add(registry, "test:schema", json_raw(json, schema), err) < 0)
        return NULL;
    return schema_compile_with(registry, "test:schema", &(struct schema_options){.annotations = annotations},
                               err);
}

static void count(struct suite *suite, const char *where, const char *problem)
{
    if (problem)
        printf("%s: %s\n", where, problem);
    suite->passed += !problem;
    suite->failed += problem != NULL;
}

/* --- the suite's assertions ---------------------------------------------------------------------- */

/* "7", "<=2019", "=2020", several of them with commas. */
static bool is_compatible(const struct suite *suite, const char *conditions)
{
    for (const char *at = conditions; at && *at;) {
        bool most = string_starts_with(at, "<="), exactly = *at == '=';
        unsigned draft = (unsigned)strtoul(at + (most ? 2 : exactly), NULL, 10);
        if (most ? suite->draft > draft : exactly ? suite->draft != draft : suite->draft < draft)
            return false;
        at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
    }
    return true;
}

struct found {
    const struct schema *schema;
    const struct json *doc;
    const struct schema_annotation *annotations;
    size_t count;
};

/* Is the annotation's instance at that location? Locations are compared, as they are printed: a member's name
 * has its value's. */
static bool is_at(const struct found *found, size_t annotation, uint32_t instance)
{
    struct buffer said_of, asked;
    buffer_init(&said_of, 1 << 20);
    buffer_init(&asked, 1 << 20);
    json_pointer_of(found->doc, found->annotations[annotation].instance, &said_of);
    json_pointer_of(found->doc, instance, &asked);
    bool same =
        slice_equal((struct slice){said_of.data, said_of.size}, (struct slice){asked.data, asked.size});
    buffer_done(&said_of);
    buffer_done(&asked);
    return same;
}

/* Is there an annotation of the keyword by the schema at `pointer` of the test's schema, with this value? */
static bool is_said(const struct found *found, uint32_t instance, const char *keyword, struct slice pointer,
                    const struct json *json, uint32_t value)
{
    size_t notes;
    const struct schema_note *all = schema_notes(found->schema, &notes);
    for (size_t i = 0; i < found->count; i++) {
        const struct schema_note *note = &all[found->annotations[i].note];
        uint32_t at;
        const struct json *schema = schema_note_value(found->schema, note, &at);
        if (is_at(found, i, instance) && strcmp(said[note->keyword], keyword) == 0 &&
            json_get(schema, json_pointer(schema, 0, pointer), keyword) == at &&
            json_equal(schema, at, json, value))
            return true;
    }
    return false;
}

static size_t count_said(const struct found *found, uint32_t instance, const char *keyword)
{
    size_t notes, total = 0;
    const struct schema_note *all = schema_notes(found->schema, &notes);
    for (size_t i = 0; i < found->count; i++)
        total +=
            is_at(found, i, instance) && strcmp(said[all[found->annotations[i].note].keyword], keyword) == 0;
    return total;
}

static const char *check_assertion(const struct found *found, const struct json *json, uint32_t instance,
                                   uint32_t assertion, struct arena *arena)
{
    uint32_t expected = json_get(json, assertion, "expected");
    const char *keyword = json_cstring(json, json_get(json, assertion, "keyword"), arena);
    uint32_t at =
        json_pointer(json, instance, json_string(json, json_get(json, assertion, "location"), arena));
    if (at == JSON_NONE)
        return json_count(json, expected) ? "nothing is there" : NULL;
    if (count_said(found, at, keyword) != json_count(json, expected))
        return arena_printf(arena, "%s is said %zu times", keyword, count_said(found, at, keyword));
    for (uint32_t k = json_first_key(json, expected); k != JSON_NONE; k = json_next_key(json, expected, k)) {
        struct slice pointer = json_string(json, k, arena);
        pointer = uri_decode(arena, (struct slice){pointer.data + 1, pointer.size - 1}); /* without '#' */
        if (!is_said(found, at, keyword, pointer, json, json_value(k)))
            return arena_printf(arena, "%s is not said by %.*s", keyword, SLICE_ARGS(pointer));
    }
    return NULL;
}

static void annotate_test(struct suite *suite, const struct json *json, const struct schema *schema,
                          const char *name, uint32_t test)
{
    struct arena arena;
    struct error err;
    struct found found = {.schema = schema, .doc = json};
    uint32_t instance = json_get(json, test, "instance"), assertions = json_get(json, test, "assertions");
    arena_init(&arena);
    if (schema_annotate(schema, suite->validator, json, instance, &found.annotations, &found.count, &err) !=
        1)
        count(suite, name, "not valid");
    for (uint32_t a = json_first(json, assertions); a != JSON_NONE; a = json_next(json, assertions, a))
        count(suite, name, check_assertion(&found, json, instance, a, &arena));
    arena_done(&arena);
}

static void annotate_group(struct suite *suite, const struct json *json, uint32_t group)
{
    struct arena arena;
    struct error err;
    arena_init(&arena);
    const char *name = json_cstring(json, json_get(json, group, "description"), &arena);
    uint32_t tests = json_get(json, group, "tests"), schema_at = json_get(json, group, "schema");
    const char *compatibility = json_cstring(json, json_get(json, group, "compatibility"), &arena);
    if (is_compatible(suite, compatibility)) {
        mem_auto(schema_free) struct schema *schema = compile(suite, json, schema_at, said, &err);
        if (!schema)
            count(suite, name, err.message);
        for (uint32_t t = json_first(json, tests); schema && t != JSON_NONE; t = json_next(json, tests, t))
            annotate_test(suite, json, schema, name, t);
    }
    arena_done(&arena);
}

static void annotate_file(struct suite *suite, const struct json *json)
{
    uint32_t groups = json_get(json, 0, "suite");
    for (uint32_t g = json_first(json, groups); g != JSON_NONE; g = json_next(json, groups, g))
        annotate_group(suite, json, g);
}

/* --- the answers of the draft's tests ------------------------------------------------------------ */

static void validate_group(struct suite *suite, const struct json *json, uint32_t group)
{
    struct arena arena;
    struct error err;
    arena_init(&arena);
    const char *name = json_cstring(json, json_get(json, group, "description"), &arena);
    uint32_t tests = json_get(json, group, "tests");
    mem_auto(schema_free) struct schema *schema =
        compile(suite, json, json_get(json, group, "schema"), common, &err);
    if (!schema)
        count(suite, name, err.message);
    for (uint32_t t = json_first(json, tests); schema && t != JSON_NONE; t = json_next(json, tests, t)) {
        const struct schema_annotation *annotations;
        size_t total;
        int valid = schema_annotate(schema, suite->validator, json, json_get(json, t, "data"), &annotations,
                                    &total, &err);
        int expected = json_is(json, json_get(json, t, "valid"), JSON_TRUE);
        count(suite, name, valid == expected ? NULL : expected ? "refused" : "accepted");
    }
    arena_done(&arena);
}

static void validate_file(struct suite *suite, const struct json *json)
{
    for (uint32_t g = json_first(json, 0); g != JSON_NONE; g = json_next(json, 0, g))
        validate_group(suite, json, g);
}

static int run_file(struct suite *suite, const char *path,
                    void (*run)(struct suite *suite, const struct json *json))
{
    struct error err;
    struct buffer content;
    struct json json;
    buffer_init(&content, 16 << 20);
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    int result = 0;
    if (file_read(path, 16 << 20, &content, &err) < 0 ||
        json_parse(parser, content.data, content.size, &json, &err) < 0) {
        fprintf(stderr, "%s: %s\n", path, err.message);
        result = -1;
    } else {
        run(suite, &json);
    }
    buffer_done(&content);
    return result;
}

static int run_folder(struct suite *suite, const char *path,
                      void (*run)(struct suite *suite, const struct json *json))
{
    DIR *folder = opendir(path);
    int result = folder ? 0 : -1;
    if (!folder)
        fprintf(
            stderr,
            "JSON-Schema-Test-Suite is not at %s: set FIRTH_CONFORMANCE, or run scripts/get-conformance\n",
            path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        auto_free char *file = mem_printf("%s/%s", path, entry->d_name);
        if (string_ends_with(entry->d_name, ".json") && run_file(suite, file, run) < 0)
            result = -1;
    }
    if (folder)
        closedir(folder);
    return result;
}

int main(int argc, char **argv)
{
    const char *root = getenv("FIRTH_CONFORMANCE");
    if (!root)
        root = getenv("FIRTH_CONFORMANCE_DEFAULT");
    if (argc != 2 || !root || !string_starts_with(argv[1], "draft")) {
        fprintf(stderr, "usage: FIRTH_CONFORMANCE=FOLDER %s DRAFT\n", argv[0]);
        return 2;
    }
    auto_free char *annotations = mem_printf("%s/JSON-Schema-Test-Suite/annotations/tests", root);
    auto_free char *tests = mem_printf("%s/JSON-Schema-Test-Suite/tests/%s", root, argv[1]);
    struct suite suite = {.remotes = mem_printf("%s/JSON-Schema-Test-Suite/remotes", root),
                          .draft = (unsigned)strtoul(argv[1] + strlen("draft"), NULL, 10),
                          .validator = schema_validator_new()};
    bool broken = run_folder(&suite, annotations, annotate_file) < 0;
    size_t assertions = suite.passed;
    broken |= run_folder(&suite, tests, validate_file) < 0;
    printf("%s: %zu assertions and %zu answers passed, %zu failed\n", argv[1], assertions,
           suite.passed - assertions, suite.failed);
    schema_validator_free(suite.validator);
    free(suite.remotes);
    return broken || suite.failed > 0 || assertions == 0;
}
