/* The control store: deploys as one, facts, several processes, versions. */
#include "base/file.h"
#include "control/control.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    struct control *control;
    struct arena arena;
    struct control_task *tasks;
    size_t count;
};

static int setup(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof *fixture);
    struct error err;
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/firth-test-control-XXXXXX");
    arena_init(&fixture->arena);
    *state = fixture;
    if (!mkdtemp(fixture->folder))
        return -1;
    fixture->control = control_open(fixture->folder, CONTROL_CHANGE, &err);
    return fixture->control ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    control_close(fixture->control);
    arena_done(&fixture->arena);
    int result = file_remove_tree(fixture->folder, &err);
    free(fixture);
    return result;
}

static void sql(const struct fixture *fixture, const char *statement)
{
    auto_free char *path = mem_printf("%s/control.db", fixture->folder);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static uint64_t revision(struct fixture *fixture)
{
    uint64_t number = 0;
    struct error err;
    assert_int_equal(control_revision(fixture->control, &number, &err), 0);
    return number;
}

static int deploy(struct fixture *fixture, const char *name, const struct control_deploy_task *tasks,
                  size_t count, const char *const *removed, size_t removed_count, struct error *err)
{
    const struct control_deploy what = {.name = name,
                                        .file = "/flow.yaml",
                                        .by = "me@here",
                                        .now_ms = 1000,
                                        .revision = revision(fixture),
                                        .snapshot = SLICE_LITERAL("{\"password\":\"hush\"}"),
                                        .tasks = tasks,
                                        .task_count = count,
                                        .removed = removed,
                                        .removed_count = removed_count};
    return control_deploy(fixture->control, &what, err);
}

static const struct control_task *task(struct fixture *fixture, const char *name)
{
    struct error err;
    assert_int_equal(control_tasks(fixture->control, &fixture->arena, &fixture->tasks, &fixture->count, &err),
                     0);
    for (size_t i = 0; i < fixture->count; i++) {
        if (strcmp(fixture->tasks[i].name, name) == 0)
            return &fixture->tasks[i];
    }
    return NULL;
}

static const struct control_deploy_task two[] = {{"b", "capture", "every 5m", true, false, "[1]"},
                                                 {"a", "connection", "once", false, false}};

static void test_deploy(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct buffer text;
    assert_int_equal(deploy(fixture, "one", two, 2, NULL, 0, &err), 0);
    assert_int_equal(revision(fixture), 1);
    assert_int_equal(task(fixture, "b")->generation, 1);
    assert_false(task(fixture, "a")->enabled);
    assert_string_equal(task(fixture, "b")->bindings, "[1]");
    assert_null(task(fixture, "a")->bindings);
    assert_string_equal(fixture->tasks[0].name, "a"); /* by name */
    int64_t first = task(fixture, "a")->snapshot;
    buffer_init(&text, 1 << 20);
    assert_int_equal(control_snapshot(fixture->control, first, &text, &err), 0);
    assert_string_equal(buffer_cstr(&text), "{\"password\":\"hush\"}");
    buffer_done(&text);

    struct control_deploy_task changed = {"b", "capture", "every 1m", true, true};
    const char *removed[] = {"a"};
    assert_int_equal(deploy(fixture, "one", &changed, 1, removed, 1, &err), 0);
    assert_null(task(fixture, "a"));
    assert_int_equal(task(fixture, "b")->generation, 2);
    assert_string_equal(task(fixture, "b")->schedule, "every 1m");
    assert_null(task(fixture, "b")->bindings);
    assert_int_not_equal(task(fixture, "b")->snapshot, first);
    buffer_init(&text, 1 << 20);
    assert_int_equal(control_snapshot(fixture->control, first, &text, &err),
                     -1); /* nobody needs it any more */
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    buffer_done(&text);
}

/* What the file holds must not show what was deployed. */
static void test_sealed(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    static const char *const files[] = {"control.db", "control.db-wal"};
    assert_int_equal(deploy(fixture, "one", two, 2, NULL, 0, &err), 0);
    for (size_t i = 0; i < 2; i++) {
        auto_free char *path = mem_printf("%s/%s", fixture->folder, files[i]);
        struct buffer bytes;
        buffer_init(&bytes, 1 << 24);
        assert_int_equal(file_read(path, 1 << 24, &bytes, &err), 0);
        assert_null(memmem(bytes.data, bytes.size, "hush", 4));
        buffer_done(&bytes);
    }
}

static void test_all_or_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    assert_int_equal(deploy(fixture, "one", two, 2, NULL, 0, &err), 0);
    const struct control_deploy_task others[] = {{"c", "capture", "once", true, false},
                                                 {"a", "capture", "once", true, true}};
    const char *removed[] = {"b"};
    assert_int_equal(deploy(fixture, "two", others, 2, removed, 1, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_non_null(strstr(err.message, "'a' belongs to the deployment 'one'"));
    assert_null(task(fixture, "c"));
    assert_string_equal(task(fixture, "a")->kind, "connection");
    assert_int_equal(revision(fixture), 1);
    /* Nor does another's removal take what is not its own. */
    assert_int_equal(deploy(fixture, "two", others, 1, removed, 1, &err), 0);
    assert_non_null(task(fixture, "b"));
}

static void test_a_plan_for_what_was(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct control_deploy late = {.name = "one",
                                  .file = "",
                                  .by = "",
                                  .revision = revision(fixture),
                                  .snapshot = SLICE_LITERAL("{}"),
                                  .tasks = two,
                                  .task_count = 2};
    assert_int_equal(deploy(fixture, "two", two, 1, NULL, 0, &err), 0);
    assert_int_equal(control_deploy(fixture->control, &late, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_true(err.retriable);
    assert_null(task(fixture, "a"));
}

static void test_facts(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    assert_int_equal(deploy(fixture, "one", two, 2, NULL, 0, &err), 0);
    assert_int_equal(task(fixture, "a")->facts.session, CONTROL_SESSION_NONE);
    const struct control_facts facts = {.generation = 1,
                                        .session = CONTROL_SESSION_FAILED,
                                        .started_ms = 1,
                                        .ended_ms = 2,
                                        .due_ms = 3,
                                        .failures = 4,
                                        .retriable = true,
                                        .code = "io",
                                        .error = "it's \"broken\"",
                                        .error_ms = 5,
                                        .sessions = UINT32_MAX + 6ULL,
                                        .documents = 7,
                                        .bytes = 8};
    const struct control_task_facts items[] = {{"a", facts}, {"gone", facts}};
    assert_int_equal(control_put_facts(fixture->control, items, 2, &err), 0);
    const struct control_facts *got = &task(fixture, "a")->facts;
    assert_int_equal(got->session, CONTROL_SESSION_FAILED);
    assert_int_equal(got->due_ms, 3);
    assert_int_equal(got->failures, 4);
    assert_true(got->retriable);
    assert_string_equal(got->error, "it's \"broken\"");
    assert_int_equal(got->sessions, UINT32_MAX + 6ULL);
    assert_int_equal(fixture->count, 2);
    /* They go with their task, and come back empty. */
    const char *removed[] = {"a"};
    assert_int_equal(deploy(fixture, "one", two, 1, removed, 1, &err), 0);
    assert_int_equal(deploy(fixture, "one", two, 2, NULL, 0, &err), 0);
    assert_int_equal(task(fixture, "a")->facts.session, CONTROL_SESSION_NONE);
}

static void test_facts_do_not_wait_long(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    auto_free char *path = mem_printf("%s/control.db", fixture->folder);
    sqlite3 *other;
    assert_int_equal(deploy(fixture, "one", two, 2, NULL, 0, &err), 0);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    const struct control_task_facts item = {"a", {.session = CONTROL_SESSION_COMPLETED}};
    assert_int_equal(control_put_facts(fixture->control, &item, 1, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_true(err.retriable);
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    assert_int_equal(control_put_facts(fixture->control, &item, 1, &err), 0);
    assert_int_equal(task(fixture, "a")->facts.session, CONTROL_SESSION_COMPLETED);
}

static void test_another_process_sees_it(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    mem_auto(control_close) struct control *looking = control_open(fixture->folder, CONTROL_LOOK, &err);
    assert_non_null(looking);
    assert_int_equal(deploy(fixture, "one", two, 2, NULL, 0, &err), 0);
    struct control_task *tasks;
    size_t count = 0;
    assert_int_equal(control_tasks(looking, &fixture->arena, &tasks, &count, &err), 0);
    assert_int_equal(count, 2);
    struct buffer text;
    buffer_init(&text, 1 << 20);
    assert_int_equal(control_snapshot(looking, tasks[0].snapshot, &text, &err), -1); /* it has no key */
    buffer_done(&text);
}

static void test_versions(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    control_close(fixture->control);
    sql(fixture, "PRAGMA user_version = 999");
    fixture->control = control_open(fixture->folder, CONTROL_CHANGE, &err);
    assert_null(fixture->control);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "999"));
    assert_null(control_open(fixture->folder, CONTROL_LOOK, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    sql(fixture, "PRAGMA user_version = 0");
    assert_null(control_open(fixture->folder, CONTROL_CHANGE, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
}

static void test_nothing_there(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    auto_free char *empty = mem_printf("%s/empty", fixture->folder);
    assert_int_equal(file_make_folders(empty, 0700, &err), 0);
    assert_null(control_open(empty, CONTROL_LOOK, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_deploy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_or_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_plan_for_what_was, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facts_do_not_wait_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_process_sees_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
