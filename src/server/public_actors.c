/* Sources and destinations in the public API. */
#include "server/connectors.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/mask.h"
#include "server/paging.h"
#include "server/views.h"

static enum control_side side_of(const struct call *call)
{
    return (enum control_side)call->route->side;
}

/* --- showing ------------------------------------------------------------------------------------------ */

/* "airbyte/source-faker" is "faker": what clients tell kinds of sources by. */
static const char *type_of(const struct control_definition *definition, struct arena *arena)
{
    const char *text = definition->origin == CONTROL_BUILT_IN && definition->built_in ? definition->built_in
                       : definition->repository                                       ? definition->repository
                                                                                      : definition->name;
    const char *slash = strrchr(text, '/');
    text = slash ? slash + 1 : text;
    const char *prefix = definition->side == CONTROL_SOURCE ? "source-" : "destination-";
    return arena_strdup(arena, string_starts_with(text, prefix) ? text + strlen(prefix) : text);
}

/* Clients refuse a configuration without sourceType or destinationType. */
static void write_configuration(struct call *call, const struct control_actor *actor, const char *type_name,
                                const char *type, struct slice schema)
{
    struct json_writer masked;
    struct buffer text;
    struct json config;
    struct error err;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&masked, &text);
    mask_config(&masked, schema, actor->config);
    json_put_key(&call->out, "configuration");
    json_begin_object(&call->out);
    json_member_string(&call->out, type_name, type);
    if (json_parse_copy(call->arena, text.data, text.size, &config, &err) == 0) {
        for (uint32_t key = json_first_key(&config, 0); key != JSON_NONE;
             key = json_next_key(&config, 0, key)) {
            if (json_string_is(&config, key, type_name))
                continue;
            json_put_key_of(&call->out, &config, key);
            json_put_value(&call->out, &config, json_value(key));
        }
    }
    json_end_object(&call->out);
    buffer_done(&text);
}

static int write_actor(struct call *call, const struct control_actor *actor, struct error *err)
{
    struct json_writer *out = &call->out;
    bool source = actor->side == CONTROL_SOURCE;
    const struct connectors_known *known = connectors_known(call, actor->definition, err);
    if (!known)
        return -1;
    const char *type = type_of(&known->definition, call->arena),
               *type_name = source ? "sourceType" : "destinationType";
    json_member_string(out, source ? "sourceId" : "destinationId", actor->id);
    json_member_string(out, "name", actor->name);
    json_member_string(out, type_name, type);
    json_member_string(out, "definitionId", actor->definition);
    json_member_string(out, "workspaceId", actor->workspace);
    write_configuration(call, actor, type_name, type, known->schema);
    json_member_i64(out, "createdAt", call_seconds(actor->created_ms));
    return 0;
}

static enum http_next answer(struct call *call, const char *id)
{
    struct control_actor actor;
    struct error err;
    if (!id)
        return call_absent(call, control_side_name(side_of(call)), call->arguments[0]);
    if (control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id);
    call_begin(call);
    return write_actor(call, &actor, &err) < 0 ? call_error(call, &err) : call_end(call);
}

enum http_next public_actor_get(struct call *call)
{
    return answer(call, call_path_uuid(call, 0));
}

enum http_next public_actor_list(struct call *call)
{
    struct control_actor_filter filter = {.side = side_of(call), .configs = true};
    struct control_actor *items;
    struct error err;
    size_t count;
    uint64_t total = 0;
    if (!paging_read(call, &filter.page) ||
        !paging_ids(call, "workspaceIds", &filter.workspaces, &filter.workspace_count))
        return HTTP_ANSWER;
    if (control_actors(call->control, &filter, call->arena, &items, &count, &total, &err) < 0)
        return call_error(call, &err);
    call_begin(call);
    json_put_key(&call->out, "data");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&call->out);
        if (write_actor(call, &items[i], &err) < 0)
            return call_error(call, &err);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    paging_write(call, &filter.page, total);
    return call_end(call);
}

/* --- changing ----------------------------------------------------------------------------------------- */

static const char *type_name_of(const struct call *call)
{
    return side_of(call) == CONTROL_SOURCE ? "sourceType" : "destinationType";
}

/* Which of the two says what there is not. */
static const char *wrong_member(struct call *call)
{
    bool type = call_text_of(call, call_member(call, "configuration"), type_name_of(call)) != NULL;
    return type ? arena_printf(call->arena, "configuration.%s", type_name_of(call)) : "definitionId";
}

/* The definition that a configuration is for: by its id, else by sourceType, the repository's last part. */
static int find_definition(struct call *call, const char **ret_id, struct error *err)
{
    const char *type = call_text_of(call, call_member(call, "configuration"), type_name_of(call));
    const struct control_definition_filter filter = {.side = side_of(call),
                                                     .workspace = call_uuid(call, "workspaceId"),
                                                     .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_definition *items;
    size_t count;
    *ret_id = call_uuid(call, "definitionId");
    if (*ret_id)
        return 0;
    if (!type)
        return error_set(err, ERROR_INVALID,
                         "definitionId or configuration.%s has to say which connector it is",
                         type_name_of(call));
    if (control_definitions(call->control, &filter, call->arena, &items, &count, NULL, err) < 0)
        return -1;
    const char **names = arena_alloc(call->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = type_of(&items[i], call->arena);
        if (strcmp(names[i], type) == 0) {
            *ret_id = items[i].id;
            return 0;
        }
    }
    const char *near = string_nearest(type, names, count);
    return error_set(err, ERROR_INVALID, "there is no %s of the type '%.100s'%s%s%s",
                     control_side_name(side_of(call)), type, near ? "; did you mean " : "", near ? near : "",
                     near ? "?" : "");
}

/* sourceType is the API's, unless the connector's own spec has such a member. */
static struct slice without_type(struct call *call, struct slice config, struct slice schema)
{
    struct json doc, spec;
    struct error err;
    struct buffer text;
    struct json_writer writer;
    const char *type_name = type_name_of(call);
    if (json_parse_copy(call->arena, config.data, config.size, &doc, &err) < 0)
        return config;
    bool own = schema.size && json_parse_copy(call->arena, schema.data, schema.size, &spec, &err) == 0 &&
               json_get(&spec, json_get(&spec, 0, "properties"), type_name) != JSON_NONE;
    if (own)
        return config;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
        if (json_string_is(&doc, key, type_name))
            continue;
        json_put_key_of(&writer, &doc, key);
        json_put_value(&writer, &doc, json_value(key));
    }
    json_end_object(&writer);
    struct slice bare = {arena_dup(call->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return bare;
}

static enum http_next create_with_spec(struct call *call, const struct control_definition *definition)
{
    char id[CONTROL_UUID_SIZE];
    struct error err;
    struct slice config =
        without_type(call, call_raw(call, "configuration"), connectors_schema(definition, call->arena));
    control_uuid_new(id);
    const struct control_actor actor = {.id = id,
                                        .side = side_of(call),
                                        .workspace = call_uuid(call, "workspaceId"),
                                        .definition = definition->id,
                                        .name = call_text(call, "name"),
                                        .config = config,
                                        .created_ms = call->now_ms,
                                        .updated_ms = call->now_ms};
    if (!call_check_title(call, "name", actor.name))
        return HTTP_ANSWER;
    if (!connectors_config_valid(call, definition, config, "configuration"))
        return HTTP_ANSWER;
    return control_actor_put(call->control, &actor, &err) < 0 ? call_error_in(call, &err, "configuration")
                                                              : answer(call, id);
}

enum http_next public_actor_create(struct call *call)
{
    const char *id = NULL;
    struct error err;
    if (find_definition(call, &id, &err) < 0)
        return err.code == ERROR_INVALID ? call_invalid(call, wrong_member(call), "%s", err.message)
                                         : call_error(call, &err);
    return connectors_with_spec(call, id, side_of(call), create_with_spec);
}

/* PATCH changes the members of the configuration that it names, PUT all of it. */
static enum http_next update_with_spec(struct call *call, const struct control_definition *definition)
{
    const char *id = call_path_uuid(call, 0), *name = call_text(call, "name");
    struct control_actor actor;
    struct error err;
    if (control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) < 0 ||
        actor_changed_config(call, &actor, "configuration", call->http->method == HTTP_PATCH, &actor.config,
                             &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id);
    actor.config = without_type(call, actor.config, connectors_schema(definition, call->arena));
    if (name)
        actor.name = name;
    actor.updated_ms = call->now_ms;
    if (!call_check_title(call, "name", actor.name))
        return HTTP_ANSWER;
    if (!connectors_config_valid(call, definition, actor.config, "configuration"))
        return HTTP_ANSWER;
    return control_actor_put(call->control, &actor, &err) < 0 ? call_error_in(call, &err, "configuration")
                                                              : answer(call, id);
}

enum http_next public_actor_update(struct call *call)
{
    struct control_actor actor;
    struct error err;
    const char *id = call_path_uuid(call, 0);
    if (!id)
        return call_absent(call, control_side_name(side_of(call)), call->arguments[0]);
    if (control_actor_get(call->control, side_of(call), id, false, call->arena, &actor, &err) < 0)
        return call_error_of(call, &err, control_side_name(side_of(call)), id);
    return connectors_with_spec(call, actor.definition, side_of(call), update_with_spec);
}

/* As definition_oauth (definitions.c): it says what to do instead. */
enum http_next public_oauth(struct call *call)
{
    return call_fail(
        call, 404,
        "there is no OAuth here: make the token with %.100s itself, and put it in the configuration",
        call_text(call, "sourceType"));
}

enum http_next public_actor_delete(struct call *call)
{
    const char *id = call_path_uuid(call, 0);
    return id ? actor_delete_by_id(call, id)
              : call_absent(call, control_side_name(side_of(call)), call->arguments[0]);
}
