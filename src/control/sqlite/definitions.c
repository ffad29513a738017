#include "control/definitions.h"

#include "base/text.h"
#include "control/sqlite/query.h"

#include <ctype.h>

enum { SEALED_MANIFEST = 8 };

static int read_definition(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                           struct error *err)
{
    struct control_definition *definition = ret_item;
    *definition = (struct control_definition){.id = database_text(row, 0, arena),
                                              .side = (enum control_side)sqlite3_column_int(row, 1),
                                              .name = database_text(row, 2, arena),
                                              .origin = (enum control_origin)sqlite3_column_int(row, 3),
                                              .built_in = database_text(row, 4, arena),
                                              .repository = database_text(row, 5, arena),
                                              .tag = database_text(row, 6, arena),
                                              .command = query_slice(row, 7, arena),
                                              .documentation_url = database_text(row, 9, arena),
                                              .icon = database_text(row, 10, arena),
                                              .spec = query_slice(row, 11, arena),
                                              .spec_of = database_text(row, 12, arena),
                                              .workspace = database_text(row, 13, arena),
                                              .custom = sqlite3_column_int(row, 14),
                                              .extra = query_slice(row, 15, arena),
                                              .created_ms = sqlite3_column_int64(row, 16),
                                              .updated_ms = sqlite3_column_int64(row, 17),
                                              .deleted = sqlite3_column_int(row, 18)};
    if (!control->keyed)
        return 0; /* whoever only looks sees what may be seen */
    return query_unseal(control, row, SEALED_MANIFEST, CONTROL_CONFIG_MAX, arena, &definition->manifest, err);
}

static const struct query_table table = {
    .columns = "id, side, name, origin, built_in, repository, tag, command, sealed_manifest, "
               "documentation_url, icon, "
               "spec, spec_of, workspace, custom, extra, created_ms, updated_ms, deleted",
    .from = "definitions",
    .item_size = sizeof(struct control_definition),
    .read = read_definition,
    .what = "connector definition",
};

/* Letters and digits count, in either case: "Source Faker" is read as "source-faker". */
bool control_names_alike(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a && (unsigned char)*a < 0x80 && !isalnum((unsigned char)*a))
            a++;
        while (*b && (unsigned char)*b < 0x80 && !isalnum((unsigned char)*b))
            b++;
        if (!*a || !*b)
            return *a == *b;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
    }
}

static int find_alike(struct control *control, const struct control_definition *definition,
                      struct arena *arena, const char **ret_name, struct error *err)
{
    const struct control_definition_filter all = {.side = definition->side,
                                                  .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_definition *items;
    size_t count = 0;
    *ret_name = NULL;
    if (control_definitions(control, &all, arena, &items, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count && !*ret_name; i++) {
        if (items[i].origin == CONTROL_BUILT_IN && (control_names_alike(items[i].name, definition->name) ||
                                                    control_names_alike(items[i].built_in, definition->name)))
            *ret_name = items[i].built_in;
    }
    return 0;
}

/* A file names a definition by its id, its name, or a built-in's ("source-faker"): it would not say which. */
static int check_name(struct control *control, const struct control_definition *definition, struct error *err)
{
    const char *alike;
    char id[CONTROL_UUID_SIZE];
    struct arena arena;
    if (control_uuid_parse(slice_of(definition->name), id))
        return error_set(err, ERROR_INVALID,
                         "a definition cannot be named '%s': that would be taken for an id",
                         definition->name);
    if (*definition->name == ' ' || string_ends_with(definition->name, " "))
        return error_set(
            err, ERROR_INVALID,
            "a definition cannot be named '%s': a name begins and ends with something other than a "
            "blank",
            definition->name);
    arena_init(&arena);
    int result = find_alike(control, definition, &arena, &alike, err);
    if (result == 0 && alike)
        result = error_set(err, ERROR_INVALID,
                           "'%s' is built in%s%s%s: give a %s of your own another name, like '%s custom'",
                           definition->name, strcmp(alike, definition->name) == 0 ? "" : " ('",
                           strcmp(alike, definition->name) == 0 ? "" : alike,
                           strcmp(alike, definition->name) == 0 ? "" : "')",
                           control_side_name(definition->side), definition->name);
    arena_done(&arena);
    return result;
}

/* Of a custom one, what is there under its id: a built-in stays what it is, and a name that was given before
 * this was checked, or before there was such a built-in, may stay. */
static int check_there(struct control *control, const struct control_definition *definition,
                       struct error *err)
{
    int64_t built_in = 0, named = 0;
    if (QUERY_GET(control, err, 0, &built_in,
                  "SELECT count(*) FROM definitions WHERE id = ? AND origin = ? AND deleted = 0",
                  query_text(definition->id), query_number(CONTROL_BUILT_IN)) < 0 ||
        QUERY_GET(control, err, 0, &named,
                  "SELECT count(*) FROM definitions WHERE id = ? AND side = ? AND name = ? AND deleted = 0",
                  query_text(definition->id), query_number(definition->side),
                  query_text(definition->name)) < 0)
        return -1;
    if (built_in)
        return error_set(err, ERROR_INVALID,
                         "the id %s is a built-in connector's, which stays as it is: give one of your own "
                         "another id, or none",
                         definition->id);
    return named ? 0 : check_name(control, definition, err);
}

/* Its name is in lists and messages. */
static int check_shown(const char *name, struct error *err)
{
    size_t size = strlen(name), characters = 0;
    for (size_t at = 0, length; at < size; at += length, characters++) {
        uint32_t point = utf8_decode(name + at, size - at, &length);
        if (point < ' ' || (point >= 0x7f && point < 0xa0))
            return error_set(err, ERROR_INVALID,
                             "a definition's name has a control character, U+%04X, at byte %zu",
                             (unsigned)point, at);
    }
    return characters <= CONTROL_DEFINITION_NAME_MAX
               ? 0
               : error_set(err, ERROR_LIMIT, "a definition's name has %zu characters; the limit is %d",
                           characters, CONTROL_DEFINITION_NAME_MAX);
}

static int check(struct control *control, const struct control_definition *definition, struct error *err)
{
    int64_t taken = 0, there = 1;
    if (query_check_name("a definition's name", definition->name, err) < 0 ||
        check_shown(definition->name, err) < 0 ||
        query_check_size("a definition's command", definition->command, CONTROL_JSON_MAX, err) < 0 ||
        query_check_size("a manifest", definition->manifest, CONTROL_CONFIG_MAX, err) < 0 ||
        query_check_size("a connector's specification", definition->spec, CONTROL_CONFIG_MAX, err) < 0 ||
        query_check_size("what else a definition has", definition->extra, CONTROL_JSON_MAX, err) < 0)
        return -1;
    if (definition->workspace &&
        QUERY_GET(control, err, 0, &there, "SELECT count(*) FROM workspaces WHERE id = ? AND deleted = 0",
                  query_text(definition->workspace)) < 0)
        return -1;
    if (!there)
        return error_set(err, ERROR_NOT_FOUND, "there is no workspace '%.64s'", definition->workspace);
    if (!definition->custom)
        return 0;
    if (QUERY_GET(
            control, err, 0, &taken,
            "SELECT count(*) FROM definitions WHERE custom = 1 AND deleted = 0 AND side = ? AND name = ? "
            "AND workspace IS ? AND id <> ?",
            query_number(definition->side), query_text(definition->name), query_text(definition->workspace),
            query_text(definition->id)) < 0)
        return -1;
    return taken ? error_set(err, ERROR_INVALID, "another custom %s is named '%s'",
                             control_side_name(definition->side), definition->name)
                 : check_there(control, definition, err);
}

static int insert(struct control *control, const struct control_definition *definition, struct error *err)
{
    struct buffer sealed;
    buffer_init(&sealed, CONTROL_CONFIG_MAX + 1024);
    if (definition->manifest.size)
        secret_seal(&control->key, definition->manifest, &sealed);
    int result = QUERY_RUN(
        control, err,
        "INSERT INTO definitions (id, side, name, origin, built_in, repository, tag, command, "
        "sealed_manifest, documentation_url, icon, spec, spec_of, workspace, custom, extra, created_ms, "
        "updated_ms, deleted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
        "?16, ?17, ?18, 0) ON CONFLICT (id) DO UPDATE SET side = ?2, name = ?3, origin = ?4, built_in = ?5, "
        "repository = ?6, tag = ?7, command = ?8, sealed_manifest = ?9, documentation_url = ?10, icon = ?11, "
        "spec = ?12, spec_of = ?13, workspace = ?14, custom = ?15, extra = ?16, updated_ms = ?18, "
        "deleted = 0",
        query_text(definition->id), query_number(definition->side), query_text(definition->name),
        query_number(definition->origin), query_text(definition->built_in),
        query_text(definition->repository), query_text(definition->tag), query_json(definition->command),
        sealed.size ? query_blob((struct slice){sealed.data, sealed.size}) : query_text(NULL),
        query_text(definition->documentation_url), query_text(definition->icon), query_json(definition->spec),
        query_text(definition->spec_of), query_text(definition->workspace), query_number(definition->custom),
        query_json(definition->extra), query_number(definition->created_ms),
        query_number(definition->updated_ms));
    buffer_done(&sealed);
    return result;
}

int control_definition_put(struct control *control, const struct control_definition *definition,
                           struct error *err)
{
    DATABASE_HOLD(control);
    if ((definition->manifest.size && query_check_keyed(control, err) < 0) ||
        database_begin(control, err) < 0)
        return -1;
    if (check(control, definition, err) == 0 && insert(control, definition, err) == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}

int control_definition_get(struct control *control, const char *id, bool deleted, struct arena *arena,
                           struct control_definition *ret_definition, struct error *err)
{
    DATABASE_HOLD(control);
    return query_find(control, &table, deleted ? "id = ?" : "id = ? AND deleted = 0", query_text(id), id,
                      arena, ret_definition, err);
}

int control_definition_set_spec(struct control *control, const char *id, const char *spec_of,
                                struct slice spec, struct error *err)
{
    DATABASE_HOLD(control);
    if (query_check_size("a connector's specification", spec, CONTROL_CONFIG_MAX, err) < 0)
        return -1;
    return QUERY_RUN(control, err, "UPDATE definitions SET spec = ?, spec_of = ? WHERE id = ?",
                     query_json(spec), query_text(spec_of), query_text(id));
}

int control_definitions(struct control *control, const struct control_definition_filter *filter,
                        struct arena *arena, struct control_definition **ret_items, size_t *ret_count,
                        uint64_t *ret_total, struct error *err)
{
    DATABASE_HOLD(control);
    struct query_where where;
    query_where_init(&where);
    if (!filter->page.deleted)
        query_and_plain(&where, "deleted = 0");
    if (!filter->any_side)
        query_and(&where, "side = ?", query_number(filter->side));
    if (filter->workspace)
        query_and(&where, "workspace IS NULL OR workspace = ?", query_text(filter->workspace));
    if (filter->repository)
        query_and(&where, "repository = ?", query_text(filter->repository));
    if (filter->name)
        query_and(&where, "lower(name) = lower(?)", query_text(filter->name));
    if (filter->custom_only)
        query_and_plain(&where, "custom = 1");
    int result = query_list(control, &table, &where, "name, id", &filter->page, arena, ret_items, ret_count,
                            ret_total, err);
    query_where_done(&where);
    return result;
}

static int check_deletion(struct control *control, const char *id, struct error *err)
{
    struct control_definition definition;
    struct arena arena;
    int64_t used = 0;
    arena_init(&arena);
    int result =
        query_find(control, &table, "id = ? AND deleted = 0", query_text(id), id, &arena, &definition, err);
    if (result == 0 && definition.origin == CONTROL_BUILT_IN)
        result = error_set(err, ERROR_INVALID, "'%s' is built in and stays", definition.name);
    if (result == 0)
        result =
            QUERY_GET(control, err, 0, &used,
                      "SELECT count(*) FROM actors WHERE definition = ? AND deleted = 0", query_text(id));
    if (result == 0 && used)
        result = error_set(err, ERROR_INVALID, "%lld %s%s '%s': delete %s first", (long long)used,
                           control_side_name(definition.side), used == 1 ? " uses" : "s use", definition.name,
                           used == 1 ? "it" : "them");
    arena_done(&arena);
    return result;
}

int control_definition_delete(struct control *control, const char *id, int64_t now_ms, struct error *err)
{
    DATABASE_HOLD(control);
    if (database_begin(control, err) < 0)
        return -1;
    if (check_deletion(control, id, err) == 0 &&
        QUERY_RUN(control, err, "UPDATE definitions SET deleted = 1, updated_ms = ? WHERE id = ?",
                  query_number(now_ms), query_text(id)) == 0)
        return database_commit(control, err);
    database_rollback(control);
    return -1;
}
