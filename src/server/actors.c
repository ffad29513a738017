/* Sources and destinations in the config API. */
#include "server/connections.h"
#include "server/connectors.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/mask.h"
#include "server/paging.h"
#include "server/views.h"

#include <strings.h>

static enum control_side side_of(const struct call *call)
{
    return (enum control_side)call->route->side;
}

static const char *id_of(const struct call *call)
{
    return call_uuid(call, side_of(call) == CONTROL_SOURCE ? "sourceId" : "destinationId");
}

/* --- showing ------------------------------------------------------------------------------------------ */

void view_masked_config(struct call *call, const char *member, const struct control_actor *actor,
                        const struct control_definition *definition)
{
    struct error err;
    const struct connectors_known *known =
        definition ? NULL : connectors_known(call, actor->definition, &err);
    struct slice schema = known        ? known->schema
                          : definition ? connectors_schema(definition, call->arena)
                                       : (struct slice){0};
    json_put_key(&call->out, member);
    mask_config(&call->out, schema, actor->config);
}

void view_actor(struct call *call, const struct control_actor *actor,
                const struct control_definition *definition)
{
    struct json_writer *out = &call->out;
    bool source = actor->side == CONTROL_SOURCE;
    json_member_string(out, source ? "sourceDefinitionId" : "destinationDefinitionId", actor->definition);
    json_member_string(out, source ? "sourceId" : "destinationId", actor->id);
    json_member_string(out, "workspaceId", actor->workspace);
    view_masked_config(call, "connectionConfiguration", actor, definition);
    json_member_string(out, "name", actor->name);
    json_member_string(out, source ? "sourceName" : "destinationName",
                       actor->definition_name ? actor->definition_name
                       : definition           ? definition->name
                                              : "");
    json_member_bool(out, "isVersionOverrideApplied", false);
    json_member_bool(out, "isEntitled", true);
    json_member_string(out, "supportState", "supported");
    json_member_string(out, "status", actor->connections ? "active" : "inactive");
    json_member_i64(out, "createdAt", call_seconds(actor->created_ms));
    json_member_i64(out, "numConnections", actor->connections);
}

static enum http_next answer(struct call *call, const char *id)
{
    struct control_actor actor;
    struct error err;
    if (control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id);
    call_begin(call);
    view_actor(call, &actor, NULL);
    return call_end(call);
}

enum http_next actor_get(struct call *call)
{
    return answer(call, id_of(call));
}

/* At most `size` of those after the one whose id `cursor` is; NULL: from the first. */
static enum http_next answer_list_after(struct call *call, struct control_actor_filter *filter,
                                        const char *cursor, size_t size)
{
    struct control_actor *items;
    struct error err;
    size_t count, from = 0;
    filter->side = side_of(call);
    filter->configs = true;
    if (control_actors(call->control, filter, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    while (cursor && from < count && strcasecmp(items[from].id, cursor) != 0)
        from++;
    if (cursor && from++ == count)
        return call_invalid(call, "cursor", "cursor: the list has no %s of this id",
                            control_side_name(side_of(call)));
    call_begin(call);
    json_put_key(&call->out, side_of(call) == CONTROL_SOURCE ? "sources" : "destinations");
    json_begin_array(&call->out);
    for (size_t i = from; i < count && i - from < size; i++) {
        json_begin_object(&call->out);
        view_actor(call, &items[i], NULL);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    return call_end(call);
}

static enum http_next answer_list(struct call *call, struct control_actor_filter *filter)
{
    return answer_list_after(call, filter, NULL, SIZE_MAX);
}

enum http_next actor_list(struct call *call)
{
    const char *workspace = call_uuid(call, "workspaceId");
    struct control_actor_filter filter = {
        .workspaces = &workspace, .workspace_count = 1, .page = {.limit = CONTROL_PAGE_MAX}};
    const char *cursor;
    size_t size;
    if (!paging_by_cursor(call, &size, &cursor))
        return HTTP_ANSWER;
    return answer_list_after(call, &filter, cursor, size);
}

enum http_next actor_list_paginated(struct call *call)
{
    struct control_actor_filter filter = {.name_like = call_text(call, "nameContains")};
    if (!paging_of_body(call, CONTROL_PAGE_DEFAULT, &filter.page))
        return HTTP_ANSWER;
    filter.workspaces = call_uuids(call, "workspaceIds", &filter.workspace_count);
    filter.page.deleted = call_bool(call, "includeDeleted", false);
    return answer_list(call, &filter);
}

enum http_next actor_search(struct call *call)
{
    bool source = side_of(call) == CONTROL_SOURCE;
    const char *workspace = call_uuid(call, "workspaceId"), *id = id_of(call);
    if (id) {
        struct control_actor actor;
        struct error err;
        bool found =
            control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) == 0;
        if (!found && err.code != ERROR_NOT_FOUND)
            return call_error(call, &err);
        call_begin(call);
        json_put_key(&call->out, source ? "sources" : "destinations");
        json_begin_array(&call->out);
        if (found) {
            json_begin_object(&call->out);
            view_actor(call, &actor, NULL);
            json_end_object(&call->out);
        }
        json_end_array(&call->out);
        return call_end(call);
    }
    struct control_actor_filter filter = {
        .workspaces = &workspace,
        .workspace_count = workspace ? 1 : 0,
        .definition = call_uuid(call, source ? "sourceDefinitionId" : "destinationDefinitionId"),
        .name = call_text(call, "name"),
        .page = {.limit = CONTROL_PAGE_MAX}};
    return answer_list(call, &filter);
}

/* --- changing ----------------------------------------------------------------------------------------- */

static enum http_next put_new(struct call *call, const char *definition, const char *workspace,
                              const char *name, struct slice config)
{
    char id[CONTROL_UUID_SIZE];
    struct error err;
    control_uuid_new(id);
    const struct control_actor actor = {.id = id,
                                        .side = side_of(call),
                                        .workspace = workspace,
                                        .definition = definition,
                                        .name = name,
                                        .config = config,
                                        .created_ms = call->now_ms,
                                        .updated_ms = call->now_ms};
    if (!call_check_title(call, "name", name))
        return HTTP_ANSWER;
    return control_actor_put(call->control, &actor, &err) < 0
               ? call_error_in(call, &err, "connectionConfiguration")
               : answer(call, id);
}

static enum http_next create_with_spec(struct call *call, const struct control_definition *definition)
{
    struct slice config = call_raw(call, "connectionConfiguration");
    if (!connectors_config_valid(call, definition, config, "connectionConfiguration"))
        return HTTP_ANSWER;
    return put_new(call, definition->id, call_uuid(call, "workspaceId"), call_text(call, "name"), config);
}

enum http_next actor_create(struct call *call)
{
    bool source = side_of(call) == CONTROL_SOURCE;
    return connectors_with_spec(call,
                                call_uuid(call, source ? "sourceDefinitionId" : "destinationDefinitionId"),
                                side_of(call), create_with_spec);
}

static enum http_next clone_with_spec(struct call *call, const struct control_definition *definition)
{
    bool source = side_of(call) == CONTROL_SOURCE;
    const char *member = source ? "sourceConfiguration" : "destinationConfiguration";
    const char *id = call_uuid(call, source ? "sourceCloneId" : "destinationCloneId");
    uint32_t changes = call_member(call, member);
    const char *name = call_text_of(call, changes, "name");
    uint32_t given =
        changes == JSON_NONE ? JSON_NONE : json_get(&call->body, changes, "connectionConfiguration");
    const char *field = arena_printf(call->arena, "%s.connectionConfiguration", member);
    struct control_actor actor;
    struct error err;
    if (control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) < 0 ||
        (json_is(&call->body, given, JSON_OBJECT) &&
         mask_merge(json_raw(&call->body, given), actor.config, call->arena, &actor.config, &err) < 0))
        return call_error_of(call, &err, control_side_name(side_of(call)), id);
    if (json_is(&call->body, given, JSON_OBJECT) &&
        !connectors_config_valid(call, definition, actor.config, field))
        return HTTP_ANSWER;
    return put_new(call, actor.definition, actor.workspace,
                   name ? name : arena_printf(call->arena, "%s (copy)", actor.name), actor.config);
}

/* Another one with the same config, or the one that is given. */
enum http_next actor_clone(struct call *call)
{
    const char *id =
        call_uuid(call, side_of(call) == CONTROL_SOURCE ? "sourceCloneId" : "destinationCloneId");
    struct control_actor actor;
    struct error err;
    if (control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id);
    return connectors_with_spec(call, actor.definition, side_of(call), clone_with_spec);
}

/* What comes back masked stays as it was. A partial config changes the members that it names. */
static struct slice overlay(struct call *call, struct slice before, struct slice changes)
{
    struct json old, new;
    struct error err;
    struct buffer text;
    struct json_writer writer;
    if (json_parse_copy(call->arena, before.data, before.size, &old, &err) < 0 ||
        json_parse_copy(call->arena, changes.data, changes.size, &new, &err) < 0)
        return changes;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (uint32_t key = json_first_key(&old, 0); key != JSON_NONE; key = json_next_key(&old, 0, key)) {
        if (json_get_slice(&new, 0, json_string(&old, key, call->arena)) != JSON_NONE)
            continue;
        json_put_key_of(&writer, &old, key);
        json_put_value(&writer, &old, json_value(key));
    }
    for (uint32_t key = json_first_key(&new, 0); key != JSON_NONE; key = json_next_key(&new, 0, key)) {
        json_put_key_of(&writer, &new, key);
        json_put_value(&writer, &new, json_value(key));
    }
    json_end_object(&writer);
    struct slice config = {arena_dup(call->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return config;
}

int actor_changed_config(struct call *call, const struct control_actor *actor, const char *member,
                         bool partial, struct slice *ret_config, struct error *err)
{
    struct slice config = call_raw(call, member);
    *ret_config = actor->config;
    if (!config.size)
        return 0;
    if (partial)
        config = overlay(call, actor->config, config);
    return mask_merge(config, actor->config, call->arena, ret_config, err);
}

static enum http_next update_with_spec(struct call *call, const struct control_definition *definition)
{
    struct control_actor actor;
    struct error err;
    const char *name = call_text(call, "name");
    if (control_actor_get(call->control, side_of(call), id_of(call), false, call->arena, &actor, &err) < 0 ||
        actor_changed_config(call, &actor, "connectionConfiguration", call->route->what == ACTOR_PARTIAL,
                             &actor.config, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id_of(call));
    if (!connectors_config_valid(call, definition, actor.config, "connectionConfiguration"))
        return HTTP_ANSWER;
    if (name)
        actor.name = name;
    actor.updated_ms = call->now_ms;
    if (!call_check_title(call, "name", actor.name))
        return HTTP_ANSWER;
    return control_actor_put(call->control, &actor, &err) < 0
               ? call_error_in(call, &err, "connectionConfiguration")
               : answer(call, actor.id);
}

enum http_next actor_update(struct call *call)
{
    struct control_actor actor;
    struct error err;
    if (control_actor_get(call->control, side_of(call), id_of(call), false, call->arena, &actor, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id_of(call));
    return connectors_with_spec(call, actor.definition, side_of(call), update_with_spec);
}

enum http_next actor_delete_by_id(struct call *call, const char *id)
{
    struct error err;
    if (control_actor_delete(call->control, side_of(call), id, call->now_ms, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id);
    struct control_connection_filter filter = {.source = id};
    if (side_of(call) == CONTROL_DESTINATION)
        filter = (struct control_connection_filter){.destination = id};
    connections_deleted(call, &filter);
    return call_nothing(call);
}

/* Its version is its definition's: there is nothing to do but to see that it is there. */
enum http_next actor_upgrade(struct call *call)
{
    struct control_actor actor;
    struct error err;
    const char *id = id_of(call);
    return control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) < 0
               ? call_error_of(call, &err, control_side_name(side_of(call)), id)
               : call_nothing(call);
}

enum http_next actor_delete(struct call *call)
{
    return actor_delete_by_id(call, id_of(call));
}
