#include "control/actors.h"

#include "control/sqlite/query.h"

enum { SEALED = 11 /* the last column, of those that ask for it */ };

static int read_actor(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                      struct error *err)
{
    (void)control, (void)err;
    *(struct control_actor *)ret_item =
        (struct control_actor){.id = database_text(row, 0, arena),
                               .side = (enum control_side)sqlite3_column_int(row, 1),
                               .workspace = database_text(row, 2, arena),
                               .definition = database_text(row, 3, arena),
                               .name = database_text(row, 4, arena),
                               .extra = query_slice(row, 5, arena),
                               .created_ms = sqlite3_column_int64(row, 6),
                               .updated_ms = sqlite3_column_int64(row, 7),
                               .deleted = sqlite3_column_int(row, 8),
                               .definition_name = database_text(row, 9, arena),
                               .connections = (uint32_t)sqlite3_column_int64(row, 10)};
    return 0;
}

static int read_whole(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                      struct error *err)
{
    struct control_actor *actor = ret_item;
    if (read_actor(control, row, arena, actor, err) < 0)
        return -1;
    return query_unseal(control, row, SEALED, CONTROL_CONFIG_MAX, arena, &actor->config, err);
}

static const char from[] = "actors a JOIN definitions d ON d.id = a.definition";

#define COLUMNS(side_column)                                                                            \
    "a.id, a.side, a.workspace, a.definition, a.name, a.extra, a.created_ms, a.updated_ms, a.deleted, " \
    "d.name, "                                                                                          \
    "(SELECT count(*) FROM connections c WHERE c." side_column " = a.id AND c.status <> 2)"
static const char *const columns[CONTROL_SIDE_COUNT][2] = {
    [CONTROL_SOURCE] = {COLUMNS("source"), COLUMNS("source") ", a.sealed"},
    [CONTROL_DESTINATION] = {COLUMNS("destination"), COLUMNS("destination") ", a.sealed"}};

static struct query_table table_of(enum control_side side, bool whole)
{
    return (struct query_table){.columns = columns[side][whole],
                                .from = from,
                                .item_size = sizeof(struct control_actor),
                                .read = whole ? read_whole : read_actor,
                                .what = control_side_name(side)};
}

/* --- putting ------------------------------------------------------------------------------------- */

static int check(struct control *control, const struct control_actor *actor, struct error *err)
{
    int64_t workspace = 0, side = 0;
    if (QUERY_GET(control, err, 0, &workspace, "SELECT count(*) FROM workspaces WHERE id = ? AND deleted = 0",
                  query_text(actor->workspace)) < 0 ||
        QUERY_GET(control, err, -1, &side, "SELECT side FROM definitions WHERE id = ? AND deleted = 0",
                  query_text(actor->definition)) < 0)
        return -1;
    if (!workspace)
        return error_set(err, ERROR_NOT_FOUND, "there is no workspace '%.64s'", actor->workspace);
    if (side < 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no connector definition '%.64s'", actor->definition);
    if (side != (int64_t)actor->side)
        return error_set(err, ERROR_INVALID, "the definition '%s' is a %s's, and this is a %s",
                         actor->definition, control_side_name((enum control_side)side),
                         control_side_name(actor->side));
    return 0;
}

static int insert(struct control *control, const struct control_actor *actor, struct error *err)
{
    struct buffer sealed;
    buffer_init(&sealed, CONTROL_CONFIG_MAX + 1024);
    secret_seal(&control->key, actor->config.size ? actor->config : SLICE_LITERAL("{}"), &sealed);
    int result = QUERY_RUN(control, err,
                           "INSERT INTO actors (id, side, workspace, definition, name, sealed, extra, "
                           "created_ms, updated_ms) VALUES "
                           "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET workspace = "
                           "?3, definition = ?4, "
                           "name = ?5, sealed = CASE ?10 WHEN 0 THEN sealed ELSE ?6 END, extra = ?7, "
                           "updated_ms = ?9, deleted = 0",
                           query_text(actor->id), query_number(actor->side), query_text(actor->workspace),
                           query_text(actor->definition), query_text(actor->name),
                           query_blob((struct slice){sealed.data, sealed.size}), query_json(actor->extra),
                           query_number(actor->created_ms), query_number(actor->updated_ms),
                           query_number(actor->config.size > 0));
    buffer_done(&sealed);
    return result;
}

int control_actor_put(struct control *control, const struct control_actor *actor, struct error *err)
{
    DATABASE_HOLD(control);
    if (query_check_keyed(control, err) < 0)
        return -1;
    if (query_check_name(actor->side == CONTROL_SOURCE ? "a source's name" : "a destination's name",
                         actor->name, err) < 0 ||
        query_check_size("a config", actor->config, CONTROL_CONFIG_MAX, err) < 0 ||
        query_check_size("what else it has", actor->extra, CONTROL_JSON_MAX, err) < 0 ||
        database_begin(control, err) < 0)
        return -1;
    if (check(control, actor, err) == 0 && insert(control, actor, err) == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}

/* --- reading ------------------------------------------------------------------------------------- */

static int find(struct control *control, enum control_side side, bool whole, const char *id, bool deleted,
                struct arena *arena, struct control_actor *ret_actor, struct error *err)
{
    struct query_table table = table_of(side, whole);
    auto_free char *condition =
        mem_printf("a.id = ? AND a.side = %d%s", (int)side, deleted ? "" : " AND a.deleted = 0");
    return query_find(control, &table, condition, query_text(id), id, arena, ret_actor, err);
}

int control_actor_get(struct control *control, enum control_side side, const char *id, bool deleted,
                      struct arena *arena, struct control_actor *ret_actor, struct error *err)
{
    DATABASE_HOLD(control);
    return find(control, side, true, id, deleted, arena, ret_actor, err);
}

int control_actors(struct control *control, const struct control_actor_filter *filter, struct arena *arena,
                   struct control_actor **ret_items, size_t *ret_count, uint64_t *ret_total,
                   struct error *err)
{
    DATABASE_HOLD(control);
    struct query_table table = table_of(filter->side, filter->configs);
    struct query_where where;
    query_where_init(&where);
    query_and(&where, "a.side = ?", query_number(filter->side));
    if (!filter->page.deleted)
        query_and_plain(&where, "a.deleted = 0");
    query_and_any(&where, "a.workspace", filter->workspaces, filter->workspace_count);
    if (filter->definition)
        query_and(&where, "a.definition = ?", query_text(filter->definition));
    if (filter->name)
        query_and(&where, "a.name = ?", query_text(filter->name));
    if (filter->name_like)
        query_and(&where, "instr(lower(a.name), lower(?)) > 0", query_text(filter->name_like));
    int result = query_list(control, &table, &where, "a.created_ms DESC, a.id DESC", &filter->page, arena,
                            ret_items, ret_count, ret_total, err);
    query_where_done(&where);
    return result;
}

/* --- deleting ------------------------------------------------------------------------------------ */

static int delete_all(struct control *control, enum control_side side, const char *id, int64_t now_ms,
                      struct error *err)
{
    struct control_actor actor;
    struct arena arena;
    int64_t busy = 0;
    arena_init(&arena);
    int result = find(control, side, false, id, false, &arena, &actor, err);
    arena_done(&arena);
    if (result < 0 || QUERY_GET(control, err, 0, &busy,
                                "SELECT count(*) FROM connections c JOIN jobs j ON j.connection = c.id WHERE "
                                "?1 IN (c.source, c.destination) AND j.status < 3",
                                query_text(id)) < 0)
        return -1;
    if (busy)
        return error_set(err, ERROR_BUSY, "%lld job%s of the %s's connections %s not over: cancel %s first",
                         (long long)busy, busy == 1 ? "" : "s", control_side_name(side),
                         busy == 1 ? "is" : "are", busy == 1 ? "it" : "them");
    return QUERY_RUN(
               control, err,
               "UPDATE connections SET status = 2, updated_ms = ?1, revision = revision + 1 WHERE ?2 IN "
               "(source, destination) AND status <> 2",
               query_number(now_ms), query_text(id)) < 0
               ? -1
               : QUERY_RUN(control, err, "UPDATE actors SET deleted = 1, updated_ms = ? WHERE id = ?",
                           query_number(now_ms), query_text(id));
}

int control_actor_delete(struct control *control, enum control_side side, const char *id, int64_t now_ms,
                         struct error *err)
{
    DATABASE_HOLD(control);
    if (database_begin(control, err) < 0)
        return -1;
    if (delete_all(control, side, id, now_ms, err) == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}
