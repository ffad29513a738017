/* `firth apply --prune`: what the file does not have goes, connections first. */
#include "cli/apply.h"

#include "control/actors.h"
#include "control/connections.h"
#include "control/definitions.h"
#include "control/settings.h"
#include "control/workspaces.h"

static const struct control_page all = {.limit = CONTROL_PAGE_MAX};

static bool is_named(const struct apply *apply, const char *id)
{
    return map_get(&apply->named, slice_of(id)) != NULL;
}

static int prune_connections(struct apply *apply, struct error *err)
{
    const struct control_connection_filter filter = {.any_status = true, .page = all};
    struct control_connection *items;
    size_t count = 0;
    if (control_connections(apply->control, &filter, apply->arena, &items, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (is_named(apply, items[i].id))
            continue;
        if (control_connection_delete(apply->control, items[i].id, apply->now_ms, err) < 0)
            return error_wrap(err, "the connection '%.200s'", items[i].name);
        apply_note(apply, APPLY_GONE, "connection", items[i].name);
    }
    return 0;
}

static int prune_actors(struct apply *apply, enum control_side side, struct error *err)
{
    const struct control_actor_filter filter = {.side = side, .page = all};
    struct control_actor *items;
    size_t count = 0;
    if (control_actors(apply->control, &filter, apply->arena, &items, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (is_named(apply, items[i].id))
            continue;
        if (control_actor_delete(apply->control, side, items[i].id, apply->now_ms, err) < 0)
            return error_wrap(err, "the %s '%.200s'", control_side_name(side), items[i].name);
        apply_note(apply, APPLY_GONE, control_side_name(side), items[i].name);
    }
    return 0;
}

static int prune_definitions(struct apply *apply, struct error *err)
{
    const struct control_definition_filter custom = {.any_side = true, .custom_only = true, .page = all};
    struct control_definition *items;
    size_t count = 0;
    if (control_definitions(apply->control, &custom, apply->arena, &items, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (is_named(apply, items[i].id))
            continue;
        if (control_definition_delete(apply->control, items[i].id, apply->now_ms, err) < 0)
            return error_wrap(err, "the definition '%.200s'", items[i].name);
        apply_note(apply, APPLY_GONE, "definition", items[i].name);
    }
    return 0;
}

/* There is always one. */
static int prune_workspaces(struct apply *apply, struct error *err)
{
    struct control_workspace *items;
    size_t count = 0;
    if (control_workspaces(apply->control, &all, apply->arena, &items, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (is_named(apply, items[i].id) || strcmp(items[i].id, apply->home) == 0)
            continue;
        if (control_workspace_delete(apply->control, items[i].id, apply->now_ms, err) < 0)
            return error_wrap(err, "the workspace '%.200s'", items[i].name);
        apply_note(apply, APPLY_GONE, "workspace", items[i].name);
    }
    return 0;
}

static int prune_settings(struct apply *apply, struct error *err)
{
    struct control_setting *items;
    size_t count = 0;
    if (control_settings(apply->control, "", apply->arena, &items, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (is_named(apply, items[i].name) || !apply_takes_setting(items[i].name))
            continue;
        if (control_setting_set(apply->control, items[i].name, NULL, false, err) < 0)
            return -1;
        apply_note(apply, APPLY_GONE, "setting", items[i].name);
    }
    return 0;
}

int apply_prune(struct apply *apply, struct error *err)
{
    return prune_connections(apply, err) < 0 || prune_actors(apply, CONTROL_SOURCE, err) < 0 ||
                   prune_actors(apply, CONTROL_DESTINATION, err) < 0 || prune_definitions(apply, err) < 0 ||
                   prune_workspaces(apply, err) < 0 || prune_settings(apply, err) < 0
               ? -1
               : 0;
}
