#include "control/workspaces.h"

#include "control/sqlite/query.h"

#include <ctype.h>

enum { SEALED_NOTIFICATIONS = 5 };

static int read_workspace(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                          struct error *err)
{
    struct control_workspace *workspace = ret_item;
    *workspace = (struct control_workspace){.id = database_text(row, 0, arena),
                                            .name = database_text(row, 1, arena),
                                            .slug = database_text(row, 2, arena),
                                            .email = database_text(row, 3, arena),
                                            .setup_complete = sqlite3_column_int(row, 4),
                                            .extra = query_slice(row, 6, arena),
                                            .created_ms = sqlite3_column_int64(row, 7),
                                            .updated_ms = sqlite3_column_int64(row, 8),
                                            .deleted = sqlite3_column_int(row, 9)};
    if (!control->keyed)
        return 0; /* whoever only looks sees what may be seen */
    return query_unseal(control, row, SEALED_NOTIFICATIONS, CONTROL_JSON_MAX, arena,
                        &workspace->notifications, err);
}

static const struct query_table table = {
    .columns = "id, name, slug, email, setup_complete, sealed_notifications, extra, created_ms, updated_ms, "
               "deleted",
    .from = "workspaces",
    .item_size = sizeof(struct control_workspace),
    .read = read_workspace,
    .what = "workspace",
};

/* "My Workspace!" is my-workspace; one that is taken has a part of the id behind it. */
static int make_slug(struct control *control, const struct control_workspace *workspace, struct arena *arena,
                     const char **ret_slug, struct error *err)
{
    char *slug = arena_strdup(arena, workspace->name);
    size_t size = 0;
    int64_t taken = 0;
    for (const char *at = workspace->name; *at; at++) {
        if (isalnum((unsigned char)*at))
            slug[size++] = (char)tolower((unsigned char)*at);
        else if (size && slug[size - 1] != '-')
            slug[size++] = '-';
    }
    while (size && slug[size - 1] == '-')
        size--;
    slug[size] = 0;
    if (QUERY_GET(control, err, 0, &taken,
                  "SELECT count(*) FROM workspaces WHERE slug = ? AND deleted = 0 AND id <> ?",
                  query_text(slug), query_text(workspace->id)) < 0)
        return -1;
    *ret_slug = taken || size == 0
                    ? arena_printf(arena, "%s%s%.8s", slug, size ? "-" : "workspace-", workspace->id)
                    : slug;
    return 0;
}

static int check_slug(struct control *control, const struct control_workspace *workspace, struct error *err)
{
    int64_t taken = 0;
    if (query_check_name("a workspace's slug", workspace->slug, err) < 0 ||
        QUERY_GET(control, err, 0, &taken,
                  "SELECT count(*) FROM workspaces WHERE slug = ? AND deleted = 0 AND id <> ?",
                  query_text(workspace->slug), query_text(workspace->id)) < 0)
        return -1;
    return taken ? error_set(err, ERROR_INVALID, "another workspace has the slug '%s'", workspace->slug) : 0;
}

static int insert(struct control *control, const struct control_workspace *workspace, const char *slug,
                  struct error *err)
{
    struct buffer sealed;
    buffer_init(&sealed, CONTROL_JSON_MAX + 1024);
    if (workspace->notifications.size)
        secret_seal(&control->key, workspace->notifications, &sealed);
    int result = QUERY_RUN(
        control, err,
        "INSERT INTO workspaces (id, name, slug, email, setup_complete, sealed_notifications, extra, "
        "created_ms, updated_ms, deleted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0) "
        "ON CONFLICT (id) DO UPDATE SET name = ?2, slug = ?3, email = ?4, setup_complete = ?5, "
        "sealed_notifications = ?6, extra = ?7, updated_ms = ?9, deleted = 0",
        query_text(workspace->id), query_text(workspace->name), query_text(slug),
        query_text(workspace->email), query_number(workspace->setup_complete),
        sealed.size ? query_blob((struct slice){sealed.data, sealed.size}) : query_text(NULL),
        query_json(workspace->extra), query_number(workspace->created_ms),
        query_number(workspace->updated_ms));
    buffer_done(&sealed);
    return result;
}

static int put(struct control *control, const struct control_workspace *workspace, struct arena *arena,
               struct error *err)
{
    const char *slug = workspace->slug;
    if ((slug ? check_slug(control, workspace, err) : make_slug(control, workspace, arena, &slug, err)) < 0)
        return -1;
    return insert(control, workspace, slug, err);
}

int control_workspace_put(struct control *control, const struct control_workspace *workspace,
                          struct error *err)
{
    DATABASE_HOLD(control);
    if (query_check_keyed(control, err) < 0 ||
        query_check_name("a workspace's name", workspace->name, err) < 0 ||
        query_check_size("a workspace's notifications", workspace->notifications, CONTROL_JSON_MAX, err) <
            0 ||
        query_check_size("what else a workspace has", workspace->extra, CONTROL_JSON_MAX, err) < 0 ||
        database_begin(control, err) < 0)
        return -1;
    struct arena arena;
    arena_init(&arena);
    int result = put(control, workspace, &arena, err);
    arena_done(&arena);
    if (result == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}

int control_workspace_get(struct control *control, const char *id, bool deleted, struct arena *arena,
                          struct control_workspace *ret_workspace, struct error *err)
{
    DATABASE_HOLD(control);
    return query_find(control, &table, deleted ? "id = ?" : "id = ? AND deleted = 0", query_text(id), id,
                      arena, ret_workspace, err);
}

int control_workspace_by_slug(struct control *control, const char *slug, struct arena *arena,
                              struct control_workspace *ret_workspace, struct error *err)
{
    DATABASE_HOLD(control);
    return query_find(control, &table, "slug = ? AND deleted = 0", query_text(slug), slug, arena,
                      ret_workspace, err);
}

int control_workspaces(struct control *control, const struct control_page *page, struct arena *arena,
                       struct control_workspace **ret_items, size_t *ret_count, uint64_t *ret_total,
                       struct error *err)
{
    DATABASE_HOLD(control);
    struct query_where where;
    query_where_init(&where);
    if (!page->deleted)
        query_and_plain(&where, "deleted = 0");
    int result = query_list(control, &table, &where, "created_ms, id", page, arena, ret_items, ret_count,
                            ret_total, err);
    query_where_done(&where);
    return result;
}

int control_workspace_home(struct control *control, struct arena *arena, const char **ret_id,
                           struct error *err)
{
    DATABASE_HOLD(control);
    struct control_workspace workspace;
    if (query_find(control, &table, "deleted = 0 ORDER BY id = ? DESC, created_ms, id",
                   query_text(CONTROL_WORKSPACE_DEFAULT), "at all", arena, &workspace, err) < 0)
        return -1;
    *ret_id = workspace.id;
    return 0;
}

static int check_deletable(struct control *control, const char *id, struct error *err)
{
    int64_t there = 0, others = 0, busy = 0;
    if (QUERY_GET(control, err, 0, &there, "SELECT count(*) FROM workspaces WHERE id = ? AND deleted = 0",
                  query_text(id)) < 0)
        return -1;
    if (!there)
        return error_set(err, ERROR_NOT_FOUND, "there is no workspace '%.64s'", id);
    if (QUERY_GET(control, err, 0, &others, "SELECT count(*) FROM workspaces WHERE id <> ? AND deleted = 0",
                  query_text(id)) < 0 ||
        QUERY_GET(control, err, 0, &busy, "SELECT count(*) FROM jobs WHERE workspace = ? AND status < 3",
                  query_text(id)) < 0)
        return -1;
    if (!others)
        return error_set(
            err, ERROR_BUSY,
            "the workspace is the only one: what names no workspace needs one; make another first");
    return busy ? error_set(err, ERROR_BUSY, "%lld job%s of the workspace %s not over: cancel %s first",
                            (long long)busy, busy == 1 ? "" : "s", busy == 1 ? "is" : "are",
                            busy == 1 ? "it" : "them")
                : 0;
}

int control_workspace_delete(struct control *control, const char *id, int64_t now_ms, struct error *err)
{
    DATABASE_HOLD(control);
    if (database_begin(control, err) < 0)
        return -1;
    int result = check_deletable(control, id, err);
    struct query_value now = query_number(now_ms), which = query_text(id);
    if (result == 0 &&
        (QUERY_RUN(
             control, err,
             "UPDATE connections SET status = 2, updated_ms = ?, revision = revision + 1 WHERE workspace = ? "
             "AND status <> 2",
             now, which) < 0 ||
         QUERY_RUN(control, err, "UPDATE actors SET deleted = 1, updated_ms = ? WHERE workspace = ?", now,
                   which) < 0 ||
         QUERY_RUN(control, err, "UPDATE definitions SET deleted = 1, updated_ms = ? WHERE workspace = ?",
                   now, which) < 0 ||
         QUERY_RUN(control, err, "UPDATE workspaces SET deleted = 1, updated_ms = ? WHERE id = ?", now,
                   which) < 0))
        result = -1;
    if (result == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}
