#include "control/settings.h"

#include "control/sqlite/query.h"

#include <stdlib.h>

int control_setting_get(struct control *control, const char *name, struct arena *arena,
                        const char **ret_value, struct error *err)
{
    DATABASE_HOLD(control);
    mem_auto(sqlite3_finalize) sqlite3_stmt *row = query_prepare(
        control, "SELECT value, sealed FROM settings WHERE name = ?", QUERY_VALUES(query_text(name)), err);
    int step = row ? database_step(control, row, err) : -1;
    if (step < 0)
        return -1;
    const char *value = NULL;
    struct slice plain;
    if (step && sqlite3_column_type(row, 1) == SQLITE_NULL) {
        value = database_text(row, 0, arena);
    } else if (step) {
        if (query_unseal(control, row, 1, CONTROL_SETTING_MAX, arena, &plain, err) < 0)
            return error_wrap(err, "the setting %s", name);
        value = plain.data;
    }
    *ret_value = value;
    return 0;
}

int control_setting_set(struct control *control, const char *name, const char *value, bool sealed,
                        struct error *err)
{
    DATABASE_HOLD(control);
    if (!value)
        return QUERY_RUN(control, err, "DELETE FROM settings WHERE name = ?", query_text(name));
    if (query_check_size("a setting", slice_of(value), CONTROL_SETTING_MAX, err) < 0)
        return -1;
    if (sealed && query_check_keyed(control, err) < 0)
        return -1;
    struct buffer bytes;
    buffer_init(&bytes, CONTROL_SETTING_MAX + 1024);
    if (sealed)
        secret_seal(&control->key, slice_of(value), &bytes);
    int result =
        QUERY_RUN(control, err, "INSERT OR REPLACE INTO settings (name, value, sealed) VALUES (?, ?, ?)",
                  query_text(name), query_text(sealed ? NULL : value),
                  sealed ? query_blob((struct slice){bytes.data, bytes.size}) : query_text(NULL));
    buffer_done(&bytes);
    return result;
}

int control_settings(struct control *control, const char *prefix, struct arena *arena,
                     struct control_setting **ret_items, size_t *ret_count, struct error *err)
{
    DATABASE_HOLD(control);
    struct control_setting *items = NULL;
    size_t count = 0, capacity = 0;
    int step;
    mem_auto(sqlite3_finalize) sqlite3_stmt *row = query_prepare(
        control,
        "SELECT name, value FROM settings WHERE value IS NOT NULL AND substr(name, 1, length(?1)) = ?1 "
        "ORDER BY name",
        QUERY_VALUES(query_text(prefix)), err);
    if (!row)
        return -1;
    while ((step = database_step(control, row, err)) == 1) {
        items = mem_grow(items, &capacity, count + 1, sizeof *items);
        items[count++] = (struct control_setting){database_text(row, 0, arena), database_text(row, 1, arena)};
    }
    *ret_items = count ? arena_dup(arena, items, count * sizeof *items) : NULL;
    *ret_count = count;
    free(items);
    return step;
}
