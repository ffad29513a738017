/* What of a task differs between two catalogs; and a snapshot, which must be the catalog again. */
#include "base/file.h"
#include "catalog/compare.h"
#include "catalog/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/firth-test-compare-XXXXXX");
    arena_init(&fixture->arena);
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    arena_done(&fixture->arena);
    int result = file_remove_tree(fixture->folder, &err);
    free(fixture);
    return result;
}

static void write_file(const struct fixture *fixture, const char *name, const char *content)
{
    struct error err;
    auto_free char *path = mem_printf("%s/%s", fixture->folder, name);
    auto_free char *parent = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
    assert_int_equal(file_make_folders(parent, 0700, &err), 0);
    assert_int_equal(file_replace(path, content, strlen(content), 0600, &err), 0);
}

static struct catalog *load(const struct fixture *fixture, const char *name,
                            const struct catalog_options *options)
{
    struct catalog_errors errors;
    struct error err;
    catalog_errors_init(&errors);
    auto_free char *path = mem_printf("%s/%s", fixture->folder, name);
    struct catalog *catalog = catalog_load(path, options, &errors, &err);
    if (!catalog)
        fail_msg("%s", err.message);
    catalog_errors_done(&errors);
    return catalog;
}

/* `text` with the one place of `from` replaced; in the arena. */
static const char *edited(struct fixture *fixture, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at || strstr(at + 1, from))
        fail_msg("'%s' is not in the catalog once", from);
    return arena_printf(&fixture->arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static const char base[] =
    "collections:\n"
    "  co/users: {key: [/id], schema: {type: object, required: [id], properties: {id: {type: "
    "integer}, name: {$ref: names.json}}}}\n"
    "  co/other: {key: [/id], schema: {type: object, required: [id], properties: {id: {type: "
    "string}}}}\n"
    "captures:\n"
    "  co/capture:\n"
    "    endpoint: {local: {command: [./run], env: {MODE: fast}, config: {a: 1, b: {c: x}}}}\n"
    "    interval: 7m\n"
    "    bindings: [{resource: {stream: users}, target: co/users}]\n"
    "connections:\n"
    "  co/sync:\n"
    "    source: {connector: {image: airbyte/source-faker, config: {count: 10}}}\n"
    "    destination: {connector: {image: airbyte/destination-local-json, config: "
    "{destination_path: /local}}}\n"
    "    streams: all\n"
    "    schedule: {every: 3h}\n"
    "materializations:\n"
    "  co/out:\n"
    "    endpoint: {connector: {image: ghcr.io/estuary/materialize-x, config: {host: h}}}\n"
    "    bindings: [{source: co/users, resource: {table: t}, fields: {recommended: 1}}]\n";

enum { CAPTURE, CONNECTION, MATERIALIZATION, TASKS };

static void test_differences(void **state)
{
    static const struct {
        const char *from, *to;
        unsigned expected[TASKS];
    } cases[] = {
        {"interval: 7m", "interval: 420s   # the same", {0}},
        {"{a: 1, b: {c: x}}", "{b: {c: \"x\"}, a: 1.0}", {0}},
        {"{type: string}", "{type: integer}", {0}}, /* another collection's */
        {"interval: 7m", "interval: 8m", {CATALOG_DIFFERS_SCHEDULE}},
        {"interval: 7m", "interval: 7m\n    shards: {disable: true}", {CATALOG_DIFFERS_ENABLED}},
        {"{c: x}", "{c: y}", {CATALOG_DIFFERS_CONFIG}},
        {"MODE: fast", "MODE: slow", {CATALOG_DIFFERS_CONFIG}},
        {"command: [./run]", "command: [./run, x]", {CATALOG_DIFFERS_CONNECTOR}},
        {"{stream: users}", "{stream: users, x: 1}", {CATALOG_DIFFERS_BINDINGS}},
        {"target: co/users}", "target: co/users, backfill: 1}", {CATALOG_DIFFERS_BINDINGS}},
        {"{id: {type: integer}",
         "{id: {type: integer, minimum: 0}",
         {CATALOG_DIFFERS_SCHEMA, 0, CATALOG_DIFFERS_SCHEMA}},
        {"key: [/id], schema: {type: object, required: [id], properties: {id: {type: integer}",
         "key: [/name], schema: {type: object, required: [id, name], properties: {id: {type: integer}",
         {CATALOG_DIFFERS_BINDINGS | CATALOG_DIFFERS_SCHEMA, 0,
          CATALOG_DIFFERS_BINDINGS | CATALOG_DIFFERS_SCHEMA}},
        {"{every: 3h}", "{cron: \"0 * * * *\"}", {0, CATALOG_DIFFERS_SCHEDULE}},
        {"{every: 3h}", "{every: 180m}", {0}},
        {"{count: 10}", "{count: 11}", {0, CATALOG_DIFFERS_CONFIG}},
        {"streams: all", "streams: [{name: users}]", {0, CATALOG_DIFFERS_BINDINGS}},
        {"streams: all", "streams: all\n    prefix: x_", {0, CATALOG_DIFFERS_SETTINGS}},
        {"recommended: 1", "recommended: 2", {0, 0, CATALOG_DIFFERS_BINDINGS}},
        {"source: co/users,",
         "source: {name: co/users, notBefore: 2026-01-01T00:00:00Z},",
         {0, 0, CATALOG_DIFFERS_BINDINGS}},
        {"{host: h}", "{host: i}", {0, 0, CATALOG_DIFFERS_CONFIG}},
    };
    struct fixture *fixture = *state;
    write_file(fixture, "names.json", "{\"type\":\"string\"}");
    write_file(fixture, "flow.yaml", base);
    mem_auto(catalog_free) struct catalog *before = load(fixture, "flow.yaml", NULL);
    size_t count;
    const struct catalog_task *olds = catalog_tasks(before, &fixture->arena, &count);
    assert_int_equal(count, TASKS);
    assert_string_equal(catalog_task_kind(&olds[MATERIALIZATION]), "materialization");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(fixture, "other.yaml", edited(fixture, base, cases[i].from, cases[i].to));
        mem_auto(catalog_free) struct catalog *after = load(fixture, "other.yaml", NULL);
        const struct catalog_task *news = catalog_tasks(after, &fixture->arena, &count);
        for (size_t task = 0; task < TASKS; task++) {
            unsigned found = catalog_task_differences(before, &olds[task], after, &news[task]);
            if (found != cases[i].expected[task])
                fail_msg("'%s' to '%s': %s differs by %x, it should be %x", cases[i].from, cases[i].to,
                         olds[task].name, found, cases[i].expected[task]);
        }
    }
}

static unsigned after_change(struct fixture *fixture, const struct catalog *before, const char *file)
{
    size_t count;
    mem_auto(catalog_free) struct catalog *after = load(fixture, file, NULL);
    const struct catalog_task *olds = catalog_tasks(before, &fixture->arena, &count);
    const struct catalog_task *news = catalog_tasks(after, &fixture->arena, &count);
    return catalog_task_differences(before, &olds[0], after, &news[0]);
}

/* What a reference leads to counts; where the catalog lies does not, unless a command's path depends on it.
 */
static void test_files_and_places(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "names.json", "{\"type\":\"string\"}");
    write_file(fixture, "flow.yaml", base);
    mem_auto(catalog_free) struct catalog *before = load(fixture, "flow.yaml", NULL);
    write_file(fixture, "names.json", "{ \"type\" : \"string\" }");
    assert_int_equal(after_change(fixture, before, "flow.yaml"), 0);
    write_file(fixture, "names.json", "{\"type\":\"string\",\"maxLength\":3}");
    assert_int_equal(after_change(fixture, before, "flow.yaml"), CATALOG_DIFFERS_SCHEMA);
    write_file(fixture, "elsewhere/names.json", "{\"type\":\"string\"}");
    write_file(fixture, "elsewhere/flow.yaml", base);
    assert_int_equal(after_change(fixture, before, "elsewhere/flow.yaml"), CATALOG_DIFFERS_CONNECTOR);
}

/* By value, wherever it is written; what it refers to is not looked at. */
static void test_same_write_schema(void **state)
{
    static const struct {
        const char *was, *is;
        bool same;
    } cases[] = {
        {"schema: {type: object, required: [id], properties: {id: {$ref: names.json}}}",
         "schema: {required: [id], properties: {id: {$ref: names.json}}, type: object}", true},
        {"schema: {type: object, required: [id]}", "schema: one.json", true},
        {"schema: one.json", "writeSchema: {type: object, required: [id]}\n    readSchema: {type: object}",
         true},
        {"schema: one.json", "schema: {type: object, required: [id, at]}", false},
        {"schema: one.json", "schema: 'one.json#/$defs/no'", false},
        {"schema: 'one.json#/$defs/no'", "schema: {type: object, required: [id, at]}", true},
    };
    struct fixture *fixture = *state;
    write_file(fixture, "names.json", "{\"type\":\"string\"}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct catalog *catalogs[2];
        for (size_t j = 0; j < 2; j++) {
            char text[512];
            bool part = strchr(j ? cases[i].is : cases[i].was, '#');
            write_file(fixture, "one.json",
                       part ? "{\"$defs\":{\"no\":{\"type\":\"object\",\"required\":[\"id\"]}}}"
                            : "{\"type\":\"object\",\"required\":[\"id\"]}");
            snprintf(text, sizeof text, "collections:\n  co/a:\n    key: [/id]\n    %s\n",
                     j ? cases[i].is : cases[i].was);
            write_file(fixture, "flow.yaml", text);
            catalogs[j] = load(fixture, "flow.yaml", NULL);
        }
        assert_int_equal(catalog_same_write_schema(catalogs[0], catalog_collection(catalogs[0], "co/a"),
                                                   catalogs[1], catalog_collection(catalogs[1], "co/a")),
                         cases[i].same);
        catalog_free(catalogs[0]);
        catalog_free(catalogs[1]);
    }
}

static void test_schemas_needed(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "names.json", "{\"type\":\"string\"}");
    write_file(fixture, "flow.yaml", base);
    mem_auto(catalog_free) struct catalog *catalog = load(fixture, "flow.yaml", NULL);
    const char *users = catalog_collection(catalog, "co/users")->write_schema_uri;
    const char *other = catalog_collection(catalog, "co/other")->write_schema_uri;
    size_t count;
    assert_true(catalog->schema_document_count >= 3);
    const struct catalog_schema_document *needed =
        catalog_schemas_needed(catalog, &users, 1, &fixture->arena, &count);
    assert_int_equal(count, 2); /* its own, and names.json */
    assert_non_null(strstr(needed[0].uri, needed[0].source.size < 30 ? "names.json" : "users"));
    needed = catalog_schemas_needed(catalog, &other, 1, &fixture->arena, &count);
    assert_int_equal(count, 1);
    assert_string_equal(needed[0].uri, other);

    /* A document that calls itself something else may be meant by any reference: then all are needed. */
    write_file(fixture, "names.json", "{\"$id\":\"https://acme.example/names\",\"type\":\"string\"}");
    mem_auto(catalog_free) struct catalog *renamed = load(fixture, "flow.yaml", NULL);
    users = catalog_collection(renamed, "co/users")->write_schema_uri;
    catalog_schemas_needed(renamed, &users, 1, &fixture->arena, &count);
    assert_int_equal(count, renamed->schema_document_count);
}

/* Loaded again from its text, with neither files nor variables there: the same, also through links. */
static void test_snapshot(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct buffer text;
    struct catalog_errors errors;
    write_file(fixture, "parts/names.json", "{\"type\":\"string\"}");
    write_file(fixture, "secret.yaml", "{token: \"${TEST_COMPARE_TOKEN}\"}");
    auto_free char *link = mem_printf("%s/names.json", fixture->folder);
    assert_int_equal(symlink("parts/names.json", link), 0);
    write_file(fixture, "base.yaml", base);
    write_file(fixture, "flow.yaml",
               "import: [base.yaml]\ncollections:\n  co/more: {key: [/id], schema: parts/names.json#/x}\n");
    write_file(fixture, "parts/names.json",
               "{\"type\":\"string\",\"x\":{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":"
               "{\"type\":"
               "\"integer\"}}}}");
    write_file(fixture, "base.yaml", edited(fixture, base, "{count: 10}", "secret.yaml"));
    setenv("TEST_COMPARE_TOKEN", "hush \"quoted\" \n\xc3\xa9", 1);
    mem_auto(catalog_snapshot_free) struct catalog_snapshot *snapshot = catalog_snapshot_new();
    mem_auto(catalog_free) struct catalog *first =
        load(fixture, "flow.yaml", catalog_snapshot_recording(snapshot));
    auto_free char *path = mem_printf("%s/flow.yaml", fixture->folder);
    buffer_init(&text, 1 << 20);
    assert_int_equal(catalog_snapshot_write(snapshot, path, &text, &err), 0);
    unsetenv("TEST_COMPARE_TOKEN");
    assert_int_equal(file_remove_tree(fixture->folder, &err), 0);

    catalog_errors_init(&errors);
    mem_auto(catalog_free) struct catalog *again =
        catalog_snapshot_load((struct slice){text.data, text.size}, &errors, &err);
    if (!again) {
        fail_msg("%s", err.message);
        return;
    }
    assert_true(slice_equal(again->connections[0].source.config, first->connections[0].source.config));
    assert_non_null(memmem(again->connections[0].source.config.data, again->connections[0].source.config.size,
                           "hush", 4));
    size_t count;
    const struct catalog_task *olds = catalog_tasks(first, &fixture->arena, &count);
    const struct catalog_task *news = catalog_tasks(again, &fixture->arena, &count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(catalog_task_differences(first, &olds[i], again, &news[i]), 0);
    assert_int_equal(again->file_count, first->file_count);

    static const char *const broken[] = {
        "",
        "{}",
        "[]",
        "{\"version\":1}",
        "{\"version\":2,\"catalog\":\"/x\",\"files\":{},\"names\":{},\"variables\":{}}",
        "{\"version\":1,\"catalog\":\"/x\",\"files\":{},\"names\":{},\"variables\":{}}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_null(catalog_snapshot_load(slice_of(broken[i]), &errors, &err));
    catalog_errors_done(&errors);
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_differences, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_and_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_write_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schemas_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshot, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
