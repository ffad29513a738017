#include "fixture.h"

#include "base/file.h"
#include "control/actors.h"
#include "control/definitions.h"
#include "control/workspaces.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_side(struct fixture *fixture, enum control_side side, const char *definition,
                     const char *actor)
{
    FINE(fixture, control_definition_put(fixture->control,
                                         &(struct control_definition){.id = definition,
                                                                      .side = side,
                                                                      .name = control_side_name(side),
                                                                      .origin = CONTROL_BUILT_IN,
                                                                      .built_in = "source-faker",
                                                                      .created_ms = 1,
                                                                      .updated_ms = 1},
                                         &fixture->err));
    FINE(fixture,
         control_actor_put(fixture->control,
                           &(struct control_actor){.id = actor,
                                                   .side = side,
                                                   .workspace = CONTROL_WORKSPACE_DEFAULT,
                                                   .definition = definition,
                                                   .name = "of the fixture",
                                                   .config = SLICE_LITERAL("{\"password\":\"hunter22\"}"),
                                                   .created_ms = 1,
                                                   .updated_ms = 1},
                           &fixture->err));
}

int fixture_setup(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/firth-test-control-XXXXXX");
    arena_init(&fixture->arena);
    *state = fixture;
    if (!mkdtemp(fixture->folder))
        return -1;
    fixture->control = control_open(fixture->folder, CONTROL_CHANGE, &fixture->err);
    if (!fixture->control)
        return -1;
    put_side(fixture, CONTROL_SOURCE, SOURCE_DEFINITION, SOURCE);
    put_side(fixture, CONTROL_DESTINATION, DESTINATION_DEFINITION, DESTINATION);
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    control_close(fixture->control);
    arena_done(&fixture->arena);
    int result = file_remove_tree(fixture->folder, &fixture->err);
    free(fixture);
    return result;
}

struct control_connection fixture_connection(const char *id, int64_t created_ms)
{
    return (struct control_connection){.id = id,
                                       .name = "faker to disk",
                                       .source = SOURCE,
                                       .destination = DESTINATION,
                                       .catalog = SLICE_LITERAL(CATALOG),
                                       .created_ms = created_ms,
                                       .updated_ms = created_ms};
}

void fixture_connect(struct fixture *fixture, const char *id, int64_t created_ms)
{
    struct control_connection connection = fixture_connection(id, created_ms);
    FINE(fixture, control_connection_put(fixture->control, &connection, &fixture->err));
}

const char *fixture_id(struct fixture *fixture, unsigned number)
{
    return arena_printf(&fixture->arena, "00000000-0000-4000-8000-%012u", number);
}

void fixture_sql(struct fixture *fixture, const char *statement)
{
    auto_free char *path = mem_printf("%s/control.db", fixture->folder);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, statement, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", statement, sqlite3_errmsg(db));
    sqlite3_close(db);
}
