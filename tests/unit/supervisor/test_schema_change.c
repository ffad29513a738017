/* What of a source's schema has changed, whether a connection still fits, and its catalog from then on. */
#include "supervisor/schema_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* One stream 'users' with these columns; config as given. */
#define SCHEMA(columns) "{\"type\":\"object\",\"properties\":{" columns "}}"
#define NOW(columns)                               \
    "{\"name\":\"users\",\"json_schema\":" SCHEMA( \
        columns) ",\"supported_sync_modes\":[\"full_refresh\",\"incremental\"]}"
#define OLD(columns, config)                                                                                \
    "{\"streams\":[{\"stream\":{\"name\":\"users\",\"jsonSchema\":" SCHEMA(columns) "},\"config\":{" config \
                                                                                    "}}]}"
#define ID "\"id\":{\"type\":\"integer\"}"
#define AT "\"at\":{\"type\":\"string\"}"

#define HASHING                                                                                              \
    "\"mappers\":[{\"type\":\"hashing\",\"mapperConfiguration\":{\"targetField\":\"at\",\"method\":\"MD5\"," \
    "\"fieldNameSuffix\":\"_h\"}}]"

static void test_changes(void **state)
{
    static const struct {
        const char *name, *catalog, *discovered;
        enum control_changes preference;
        bool any, breaking;
        const char *summary; /* a part of it */
        const char *wanted;  /* in the new catalog; NULL: it stays */
        const char *unwanted;
    } cases[] = {
        {"the same", OLD(ID, ""), "{\"streams\":[" NOW(ID) "]}", CONTROL_CHANGES_FULLY, false, false, NULL,
         NULL, NULL},
        {"a column more, ignored", OLD(ID, ""), "{\"streams\":[" NOW(ID "," AT) "]}", CONTROL_CHANGES_IGNORE,
         true, false, "has the new column 'at'", NULL, NULL},
        {"a column more", OLD(ID, "\"x\":1"), "{\"streams\":[" NOW(ID "," AT) "]}", CONTROL_CHANGES_COLUMNS,
         true, false, "'at'", AT, NULL},
        {"and what was configured stays", OLD(ID, "\"x\":1"), "{\"streams\":[" NOW(ID "," AT) "]}",
         CONTROL_CHANGES_COLUMNS, true, false, "'at'", "\"config\":{\"x\":1}", NULL},
        {"a column fewer", OLD(ID "," AT, ""), "{\"streams\":[" NOW(ID) "]}", CONTROL_CHANGES_COLUMNS, true,
         false, "has no longer the column 'at'", ID, AT},
        {"another type", OLD(ID, ""), "{\"streams\":[" NOW("\"id\":{\"type\":\"string\"}") "]}",
         CONTROL_CHANGES_COLUMNS, true, false, "other types", "\"string\"", NULL},
        {"the cursor is gone", OLD(ID "," AT, "\"syncMode\":\"incremental\",\"cursorField\":[\"at\"]"),
         "{\"streams\":[" NOW(ID) "]}", CONTROL_CHANGES_FULLY, true, true, "cursor", NULL, NULL},
        {"a cursor that is not used is gone",
         OLD(ID "," AT, "\"syncMode\":\"full_refresh\",\"cursorField\":[\"at\"]"),
         "{\"streams\":[" NOW(ID) "]}", CONTROL_CHANGES_IGNORE, true, false, "'at'", NULL, NULL},
        {"the key is gone", OLD(ID "," AT, "\"primaryKey\":[[\"at\"]]"), "{\"streams\":[" NOW(ID) "]}",
         CONTROL_CHANGES_IGNORE, true, true, "primary key", NULL, NULL},
        {"what is hashed is gone", OLD(ID "," AT, HASHING), "{\"streams\":[" NOW(ID) "]}",
         CONTROL_CHANGES_IGNORE, true, true, "the column 'at', which is not there", NULL, NULL},
        {"what is hashed stays", OLD(ID "," AT, HASHING), "{\"streams\":[" NOW(AT) "]}",
         CONTROL_CHANGES_COLUMNS, true, false, "'id'", AT, NULL},
        {"of a stream that is not selected", OLD(ID "," AT, "\"selected\":false,\"primaryKey\":[[\"at\"]]"),
         "{\"streams\":[" NOW(ID) "]}", CONTROL_CHANGES_FULLY, false, false, NULL, NULL, NULL},
        {"a stream is gone", OLD(ID, ""), "{\"streams\":[]}", CONTROL_CHANGES_COLUMNS, true, false,
         "'users' is gone", NULL, NULL},
        {"a stream goes", OLD(ID, ""), "{\"streams\":[]}", CONTROL_CHANGES_FULLY, true, false,
         "'users' is gone", "{\"streams\":[]}", "users"},
        {"a stream is new", OLD(ID, ""),
         "{\"streams\":[" NOW(ID) ",{\"name\":\"orders\",\"namespace\":\"shop\",\"json_schema\":{},"
                                  "\"supported_sync_modes\":[\"full_refresh\"]}]}",
         CONTROL_CHANGES_COLUMNS, true, false, "'orders' is new", NULL, NULL},
        {"a stream comes", OLD(ID, ""),
         "{\"streams\":[" NOW(ID) ",{\"name\":\"orders\",\"namespace\":\"shop\",\"json_schema\":{},"
                                  "\"supported_sync_modes\":[\"full_refresh\"]}]}",
         CONTROL_CHANGES_FULLY, true, false, "'orders' is new",
         "\"syncMode\":\"full_refresh\",\"destinationSyncMode\":\"overwrite\",\"selected\":true", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct schema_change change;
        struct arena arena;
        struct error err;
        arena_init(&arena);
        if (schema_change_find(slice_of(cases[i].catalog), slice_of(cases[i].discovered), cases[i].preference,
                               0, &arena, &change, &err) < 0)
            fail_msg("%s: %s", cases[i].name, err.message);
        const char *catalog =
            arena_strndup(&arena, change.catalog.size ? change.catalog.data : "", change.catalog.size);
        if (change.any != cases[i].any || change.breaking != cases[i].breaking ||
            (cases[i].summary && !strstr(change.summary, cases[i].summary)) ||
            (change.catalog.size > 0) != (cases[i].wanted != NULL) ||
            (cases[i].wanted && !strstr(catalog, cases[i].wanted)) ||
            (cases[i].unwanted && strstr(catalog, cases[i].unwanted)))
            fail_msg("%s: any %d, breaking %d, %s; %s", cases[i].name, change.any, change.breaking,
                     change.summary ? change.summary : "-", catalog);
        arena_done(&arena);
    }
}

static void test_hostile(void **state)
{
    static const char *const texts[] = {"[",
                                        "{\"streams\":7}",
                                        "{\"streams\":[1,null,{\"name\":7}]}",
                                        "{\"streams\":[{\"name\":\"a\",\"json_schema\":7}]}",
                                        "[]",
                                        "7"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct schema_change change;
        struct arena arena;
        struct error err;
        arena_init(&arena);
        assert_true(schema_change_find(SLICE_LITERAL(OLD(ID, "")), slice_of(texts[i]), CONTROL_CHANGES_FULLY,
                                       0, &arena, &change, &err) == (i == 0 ? -1 : 0));
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_changes), cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
