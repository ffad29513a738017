/* What the daemon's autoDiscover found. */
#include "control/sqlite/database.h"

int control_put_discovery(struct control *control, const struct control_discovery *discovery,
                          struct error *err)
{
    DATABASE_HOLD(control);
    mem_auto(sqlite3_finalize) sqlite3_stmt *put =
        database_prepare(control,
                         "INSERT OR REPLACE INTO discoveries (task, ran_ms, error, changed_ms, changes) "
                         "SELECT ?1, ?2, ?3, ?4, ?5 "
                         "WHERE EXISTS (SELECT 1 FROM tasks WHERE name = ?1)",
                         err);
    if (!put)
        return -1;
    database_bind_text(put, 1, discovery->task);
    sqlite3_bind_int64(put, 2, discovery->ran_ms);
    database_bind_text(put, 3, discovery->error);
    sqlite3_bind_int64(put, 4, discovery->changed_ms);
    database_bind_text(put, 5, discovery->changes);
    return database_step(control, put, err) < 0 ? -1 : 0;
}

int control_discoveries(struct control *control, struct arena *arena, struct control_discovery **ret_items,
                        size_t *ret_count, struct error *err)
{
    DATABASE_HOLD(control);
    int64_t count = 0;
    size_t read = 0;
    int step;
    if (database_number(control, "SELECT count(*) FROM discoveries", 0, &count, err) < 0)
        return -1;
    mem_auto(sqlite3_finalize) sqlite3_stmt *get = database_prepare(
        control, "SELECT task, ran_ms, error, changed_ms, changes FROM discoveries ORDER BY task", err);
    if (!get)
        return -1;
    struct control_discovery *items = arena_zalloc(arena, ((size_t)count + 1) * sizeof *items);
    while ((step = database_step(control, get, err)) > 0 && read < (size_t)count)
        items[read++] = (struct control_discovery){.task = database_text(get, 0, arena),
                                                   .ran_ms = sqlite3_column_int64(get, 1),
                                                   .error = database_text(get, 2, arena),
                                                   .changed_ms = sqlite3_column_int64(get, 3),
                                                   .changes = database_text(get, 4, arena)};
    if (step < 0)
        return -1;
    *ret_items = items;
    *ret_count = read;
    return 0;
}
