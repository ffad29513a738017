/* Workspaces, definitions, actors, catalogs, settings, applications. */
#include "control/actors.h"
#include "control/applications.h"
#include "control/catalogs.h"
#include "control/definitions.h"
#include "control/settings.h"
#include "control/sqlite/database.h"
#include "control/workspaces.h"
#include "fixture.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_ids(void **state)
{
    char a[CONTROL_UUID_SIZE], b[CONTROL_UUID_SIZE];
    (void)state;
    control_uuid_of("source-faker", a);
    control_uuid_of("source-faker", b);
    assert_string_equal(a, b);
    assert_int_equal(a[14], '8');
    control_uuid_of("source-fakes", b);
    assert_string_not_equal(a, b);
    control_uuid_new(a);
    control_uuid_new(b);
    assert_string_not_equal(a, b);
    assert_true(control_uuid_parse(SLICE_LITERAL("5AE6B09B-fdec-41af-aaf7-7d94cfc33ef6"), a));
    assert_string_equal(a, CONTROL_WORKSPACE_DEFAULT);
    static const char *const wrong[] = {"",
                                        "5ae6b09b",
                                        "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef",
                                        "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef66",
                                        "5ae6b09bxfdec-41af-aaf7-7d94cfc33ef6",
                                        "../../../../etc/passwd/.............",
                                        "5ae6b09g-fdec-41af-aaf7-7d94cfc33ef6"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(control_uuid_parse(slice_of(wrong[i]), a));
}

static void test_workspaces(void **state)
{
    struct fixture *f = *state;
    struct control_workspace workspace = {
        .id = fixture_id(f, 1), .name = "My Workspace!", .created_ms = 5, .updated_ms = 5};
    struct control_workspace *items, found;
    size_t count;
    uint64_t total;
    const struct control_page page = {.limit = 1, .offset = 1};
    FINE(f, control_workspace_put(f->control, &workspace, &f->err));
    FINE(f, control_workspace_by_slug(f->control, "my-workspace", &f->arena, &found, &f->err));
    assert_string_equal(found.id, workspace.id);
    workspace.id = fixture_id(f, 2);
    FINE(f, control_workspace_put(f->control, &workspace, &f->err)); /* the same name: another slug */
    FINE(f, control_workspace_get(f->control, workspace.id, false, &f->arena, &found, &f->err));
    assert_string_not_equal(found.slug, "my-workspace");
    workspace.slug = "my-workspace";
    REFUSED(f, control_workspace_put(f->control, &workspace, &f->err), ERROR_INVALID, "has the slug");
    workspace.name = "";
    REFUSED(f, control_workspace_put(f->control, &workspace, &f->err), ERROR_INVALID, "is empty");
    FINE(f, control_workspaces(f->control, &page, &f->arena, &items, &count, &total, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(total, 3);
    FINE(f, control_workspace_delete(f->control, fixture_id(f, 1), 9, &f->err));
    REFUSED(f, control_workspace_get(f->control, fixture_id(f, 1), false, &f->arena, &found, &f->err),
            ERROR_NOT_FOUND, fixture_id(f, 1));
    FINE(f, control_workspace_get(f->control, fixture_id(f, 1), true, &f->arena, &found, &f->err));
    assert_true(found.deleted);
    REFUSED(f, control_workspace_delete(f->control, fixture_id(f, 1), 9, &f->err), ERROR_NOT_FOUND,
            "no workspace");
    const char *home;
    FINE(f, control_workspace_home(f->control, &f->arena, &home, &f->err));
    assert_string_equal(home, CONTROL_WORKSPACE_DEFAULT);
    FINE(f, control_workspace_delete(f->control, home, 9, &f->err));
    FINE(f, control_workspace_home(f->control, &f->arena, &home, &f->err));
    assert_string_equal(home, fixture_id(f, 2));
    REFUSED(f, control_workspace_delete(f->control, home, 9, &f->err), ERROR_BUSY, "the only one");
    FINE(f, control_workspace_get(f->control, home, false, &f->arena, &found, &f->err));
}

static void test_definitions(void **state)
{
    struct fixture *f = *state;
    struct control_definition custom = {.id = fixture_id(f, 1),
                                        .name = "Mine",
                                        .origin = CONTROL_COMMAND,
                                        .command = SLICE_LITERAL("[\"python\",\"-m\",\"x\"]"),
                                        .custom = true},
                              found, *items;
    size_t count;
    FINE(f, control_definition_put(f->control, &custom, &f->err));
    custom.id = fixture_id(f, 2);
    REFUSED(f, control_definition_put(f->control, &custom, &f->err), ERROR_INVALID, "another custom source");
    FINE(f, control_definition_set_spec(f->control, fixture_id(f, 1), "x:1", SLICE_LITERAL("{\"a\":1}"),
                                        &f->err));
    FINE(f, control_definition_get(f->control, fixture_id(f, 1), false, &f->arena, &found, &f->err));
    assert_true(slice_is(found.spec, "{\"a\":1}"));
    assert_true(slice_is(found.command, "[\"python\",\"-m\",\"x\"]"));
    const struct control_definition_filter by_name = {.side = CONTROL_SOURCE, .name = "mINE"};
    FINE(f, control_definitions(f->control, &by_name, &f->arena, &items, &count, NULL, &f->err));
    assert_int_equal(count, 1);
    const struct control_definition_filter destinations = {.side = CONTROL_DESTINATION};
    FINE(f, control_definitions(f->control, &destinations, &f->arena, &items, &count, NULL, &f->err));
    assert_int_equal(count, 1);
    REFUSED(f, control_definition_delete(f->control, SOURCE_DEFINITION, 3, &f->err), ERROR_INVALID,
            "built in");
    FINE(f, control_definition_delete(f->control, fixture_id(f, 1), 3, &f->err));
    REFUSED(f, control_definition_get(f->control, fixture_id(f, 1), false, &f->arena, &found, &f->err),
            ERROR_NOT_FOUND, "no connector definition");
}

#define MANIFEST "{\"type\":\"DeclarativeSource\",\"token\":\"in-the-manifest\"}"

static void nowhere_in_clear(struct fixture *f, const char *secret)
{
    static const char *const files[] = {"control.db", "control.db-wal"};
    for (size_t i = 0; i < 2; i++) {
        struct buffer bytes;
        auto_free char *path = mem_printf("%s/%s", f->folder, files[i]);
        if (i == 1 && !file_exists(path))
            continue; /* nothing was written since it was opened */
        buffer_init(&bytes, 1 << 28);
        FINE(f, file_read(path, 1 << 28, &bytes, &f->err));
        assert_true(i == 1 || bytes.size > 0);
        if (bytes.size && memmem(bytes.data, bytes.size, secret, strlen(secret)))
            fail_msg("'%s' is in %s", secret, path);
        buffer_done(&bytes);
    }
}

static const char *manifest_of(struct fixture *f, struct control *control)
{
    struct control_definition found;
    FINE(f, control_definition_get(control, fixture_id(f, 1), false, &f->arena, &found, &f->err));
    return arena_strndup(&f->arena, found.manifest.size ? found.manifest.data : "", found.manifest.size);
}

/* A manifest comes back byte for byte to who has the key; one of an older store too, and then it is in clear
 * nowhere. */
static void test_manifests_are_sealed(void **state)
{
    struct fixture *f = *state;
    const struct control_definition custom = {.id = fixture_id(f, 1),
                                              .name = "Mine",
                                              .origin = CONTROL_MANIFEST,
                                              .manifest = SLICE_LITERAL(MANIFEST),
                                              .custom = true};
    FINE(f, control_definition_put(f->control, &custom, &f->err));
    assert_string_equal(manifest_of(f, f->control), MANIFEST);
    nowhere_in_clear(f, "in-the-manifest");
    struct control *looking = control_open(f->folder, CONTROL_LOOK, &f->err);
    assert_non_null(looking);
    assert_string_equal(manifest_of(f, looking), "");
    control_close(looking);
    control_close(f->control);
    fixture_sql(f, "ALTER TABLE definitions DROP COLUMN sealed_manifest;"
                   "ALTER TABLE workspaces DROP COLUMN sealed_notifications;"
                   "ALTER TABLE tasks DROP COLUMN bindings;"
                   "UPDATE definitions SET manifest = '" MANIFEST "' WHERE custom = 1;"
                   "PRAGMA user_version = 3");
    f->control = control_open(f->folder, CONTROL_CHANGE, &f->err);
    if (!f->control)
        fail_msg("%s", f->err.message);
    assert_string_equal(manifest_of(f, f->control), MANIFEST);
    nowhere_in_clear(f, "in-the-manifest");
}

#define NOTIFICATIONS "{\"failure\":{\"webhook\":{\"url\":\"https://hooks.example.com/in-the-url\"}}}"

static const char *notifications_of(struct fixture *f, struct control *control)
{
    struct control_workspace workspace;
    FINE(f, control_workspace_get(control, CONTROL_WORKSPACE_DEFAULT, false, &f->arena, &workspace, &f->err));
    return arena_strndup(&f->arena, workspace.notifications.data ? workspace.notifications.data : "",
                         workspace.notifications.size);
}

/* A webhook's URL holds its token: sealed, also where it lay in clear before. */
static void test_notifications(void **state)
{
    struct fixture *f = *state;
    struct control_workspace workspace;
    FINE(f,
         control_workspace_get(f->control, CONTROL_WORKSPACE_DEFAULT, false, &f->arena, &workspace, &f->err));
    workspace.notifications = SLICE_LITERAL(NOTIFICATIONS);
    FINE(f, control_workspace_put(f->control, &workspace, &f->err));
    assert_string_equal(notifications_of(f, f->control), NOTIFICATIONS);
    nowhere_in_clear(f, "in-the-url");
    struct control *looking = control_open(f->folder, CONTROL_LOOK, &f->err);
    assert_non_null(looking);
    assert_string_equal(notifications_of(f, looking), "");
    control_close(looking);
    control_close(f->control);
    fixture_sql(f, "ALTER TABLE workspaces DROP COLUMN sealed_notifications;"
                   "ALTER TABLE tasks DROP COLUMN bindings;"
                   "UPDATE workspaces SET notifications = '" NOTIFICATIONS "';"
                   "PRAGMA user_version = 4");
    f->control = control_open(f->folder, CONTROL_CHANGE, &f->err);
    if (!f->control)
        fail_msg("%s", f->err.message);
    assert_string_equal(notifications_of(f, f->control), NOTIFICATIONS);
    nowhere_in_clear(f, "in-the-url");
}

/* With another key nothing is sealed that could not be read again. */
static void test_another_key_migrates_nothing(void **state)
{
    struct fixture *f = *state;
    control_close(f->control);
    fixture_sql(f, "ALTER TABLE definitions DROP COLUMN sealed_manifest;"
                   "ALTER TABLE workspaces DROP COLUMN sealed_notifications;"
                   "ALTER TABLE tasks DROP COLUMN bindings;"
                   "PRAGMA user_version = 3");
    setenv("FIRTH_SECRET_KEY", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", 1);
    f->control = control_open(f->folder, CONTROL_CHANGE, &f->err);
    unsetenv("FIRTH_SECRET_KEY");
    assert_null(f->control);
    assert_int_equal(f->err.code, ERROR_INVALID);
    assert_null(control_open(f->folder, CONTROL_LOOK, &f->err));
    assert_non_null(strstr(f->err.message, "of an older firth")); /* still version 3 */
}

/* What was configured comes back byte for byte, and is nowhere in the files in clear. */
static void test_configs_are_sealed(void **state)
{
    struct fixture *f = *state;
    struct control_actor found, *items;
    size_t count;
    FINE(f, control_actor_get(f->control, CONTROL_SOURCE, SOURCE, false, &f->arena, &found, &f->err));
    assert_true(slice_is(found.config, "{\"password\":\"hunter22\"}"));
    assert_string_equal(found.definition_name, "source");
    nowhere_in_clear(f, "hunter22");
    const struct control_actor_filter filter = {.side = CONTROL_SOURCE};
    FINE(f, control_actors(f->control, &filter, &f->arena, &items, &count, NULL, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(items[0].config.size, 0);
}

static void test_actors(void **state)
{
    struct fixture *f = *state;
    struct control_actor actor = {.id = SOURCE,
                                  .side = CONTROL_SOURCE,
                                  .workspace = CONTROL_WORKSPACE_DEFAULT,
                                  .definition = SOURCE_DEFINITION,
                                  .name = "renamed"},
                         found, *items;
    size_t count;
    FINE(f, control_actor_put(f->control, &actor, &f->err)); /* without a config: that stays */
    FINE(f, control_actor_get(f->control, CONTROL_SOURCE, SOURCE, false, &f->arena, &found, &f->err));
    assert_string_equal(found.name, "renamed");
    assert_true(slice_is(found.config, "{\"password\":\"hunter22\"}"));
    REFUSED(f, control_actor_get(f->control, CONTROL_DESTINATION, SOURCE, false, &f->arena, &found, &f->err),
            ERROR_NOT_FOUND, "no destination");
    actor.definition = DESTINATION_DEFINITION;
    REFUSED(f, control_actor_put(f->control, &actor, &f->err), ERROR_INVALID, "is a destination's");
    actor.definition = fixture_id(f, 77);
    REFUSED(f, control_actor_put(f->control, &actor, &f->err), ERROR_NOT_FOUND, "no connector definition");
    actor.workspace = fixture_id(f, 78);
    REFUSED(f, control_actor_put(f->control, &actor, &f->err), ERROR_NOT_FOUND, "no workspace");
    const struct control_actor_filter like = {.side = CONTROL_SOURCE, .name_like = "NAM", .configs = true};
    FINE(f, control_actors(f->control, &like, &f->arena, &items, &count, NULL, &f->err));
    assert_int_equal(count, 1);
    assert_true(items[0].config.size > 0);
    fixture_connect(f, fixture_id(f, 1), 4);
    FINE(f, control_actor_get(f->control, CONTROL_SOURCE, SOURCE, false, &f->arena, &found, &f->err));
    assert_int_equal(found.connections, 1);
    FINE(f, control_actor_delete(f->control, CONTROL_SOURCE, SOURCE, 6, &f->err)); /* and its connection */
    struct control_connection connection;
    REFUSED(f, control_connection_get(f->control, fixture_id(f, 1), false, &f->arena, &connection, &f->err),
            ERROR_NOT_FOUND, "no connection");
}

static void test_catalogs(void **state)
{
    struct fixture *f = *state;
    char first[CONTROL_UUID_SIZE], second[CONTROL_UUID_SIZE], other[CONTROL_UUID_SIZE];
    struct control_catalog found;
    REFUSED(f, control_catalog_newest(f->control, SOURCE, &f->arena, &found, &f->err), ERROR_NOT_FOUND,
            "no disc");
    FINE(f,
         control_catalog_put(f->control, SOURCE, 7, SLICE_LITERAL("{\"streams\":[]}"), 10, first, &f->err));
    FINE(f, control_catalog_put(f->control, SOURCE, UINT64_MAX, SLICE_LITERAL("{\"streams\":[]}"), 20, second,
                                &f->err));
    assert_string_equal(first, second);
    FINE(f, control_catalog_newest(f->control, SOURCE, &f->arena, &found, &f->err));
    assert_int_equal(found.created_ms, 10);
    assert_int_equal(found.confirmed_ms, 20);
    assert_true(found.of == UINT64_MAX);
    for (int i = 0; i < CONTROL_CATALOGS_KEPT + 3; i++) {
        const char *text = arena_printf(&f->arena, "{\"streams\":[],\"n\":%d}", i);
        FINE(f, control_catalog_put(f->control, SOURCE, 1, slice_of(text), 30 + i, other, &f->err));
    }
    FINE(f, control_catalog_newest(f->control, SOURCE, &f->arena, &found, &f->err));
    assert_string_equal(found.id, other);
    REFUSED(f, control_catalog_get(f->control, first, &f->arena, &found, &f->err), ERROR_NOT_FOUND, first);
    REFUSED(f, control_catalog_put(f->control, DESTINATION, 1, SLICE_LITERAL("{}"), 1, other, &f->err),
            ERROR_NOT_FOUND, "no source");
}

static void test_settings(void **state)
{
    struct fixture *f = *state;
    const char *value;
    FINE(f, control_setting_get(f->control, "jobs.attempts", &f->arena, &value, &f->err));
    assert_null(value);
    FINE(f, control_setting_set(f->control, "jobs.attempts", "3", false, &f->err));
    FINE(f, control_setting_set(f->control, "server.secret", "hidden", true, &f->err));
    FINE(f, control_setting_get(f->control, "jobs.attempts", &f->arena, &value, &f->err));
    assert_string_equal(value, "3");
    FINE(f, control_setting_get(f->control, "server.secret", &f->arena, &value, &f->err));
    assert_string_equal(value, "hidden");
    FINE(f, control_setting_set(f->control, "jobs.attempts", NULL, false, &f->err));
    FINE(f, control_setting_get(f->control, "jobs.attempts", &f->arena, &value, &f->err));
    assert_null(value);
}

static void test_applications(void **state)
{
    struct fixture *f = *state;
    struct control_application made, found;
    char secret[CONTROL_SECRET_SIZE], token[CONTROL_SECRET_SIZE];
    const char *owner;
    FINE(f, control_application_create(f->control, "airflow", 5, &f->arena, &made, secret, &f->err));
    FINE(f, control_application_find(f->control, slice_of(made.client_id), slice_of(secret), &f->arena,
                                     &found, &f->err));
    assert_string_equal(found.id, made.id);
    secret[0] = secret[0] == 'a' ? 'b' : 'a';
    REFUSED(f,
            control_application_find(f->control, slice_of(made.client_id), slice_of(secret), &f->arena,
                                     &found, &f->err),
            ERROR_NOT_FOUND, "no application");
    FINE(f, control_token_create(f->control, made.id, 100, 200, token, &f->err));
    FINE(f, control_token_find(f->control, slice_of(token), 199, &f->arena, &owner, &f->err));
    assert_string_equal(owner, made.id);
    REFUSED(f, control_token_find(f->control, slice_of(token), 200, &f->arena, &owner, &f->err),
            ERROR_NOT_FOUND, "expired");
    FINE(f, control_token_create(f->control, NULL, 100, 200, token, &f->err));
    FINE(f, control_token_find(f->control, slice_of(token), 150, &f->arena, &owner, &f->err));
    assert_null(owner);
    FINE(f, control_token_revoke(f->control, slice_of(token), &f->err));
    REFUSED(f, control_token_find(f->control, slice_of(token), 150, &f->arena, &owner, &f->err),
            ERROR_NOT_FOUND, "unknown");
    FINE(f, control_application_delete(f->control, made.id, &f->err));
    REFUSED(f, control_application_delete(f->control, made.id, &f->err), ERROR_NOT_FOUND, made.id);
}

/* Another handle has the key even if the environment has it no more, and sees what the first one did. */
static void test_share(void **state)
{
    struct fixture *f = *state;
    struct control_actor found;
    struct control *other = control_share(f->control, &f->err);
    assert_non_null(other);
    FINE(f, control_actor_get(other, CONTROL_SOURCE, SOURCE, false, &f->arena, &found, &f->err));
    assert_true(slice_is(found.config, "{\"password\":\"hunter22\"}"));
    control_close(other);
}

/* No page more than there are: as a disk without room. */
static void test_full(void **state)
{
    struct fixture *f = *state;
    int result = 0;
    FINE(f, database_exec(f->control, "PRAGMA max_page_count = 1", &f->err));
    for (unsigned i = 1; i < 10000 && result == 0; i++) {
        struct control_workspace workspace = {
            .id = fixture_id(f, i), .name = "W", .slug = fixture_id(f, i), .created_ms = 5, .updated_ms = 5};
        result = control_workspace_put(f->control, &workspace, &f->err);
    }
    REFUSED(f, result, ERROR_FULL, "its disk is full");
    assert_true(f->err.retriable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test_setup_teardown(test_workspaces, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_definitions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_manifests_are_sealed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_notifications, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_another_key_migrates_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_configs_are_sealed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_actors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_catalogs, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_settings, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_applications, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_share, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_full, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
