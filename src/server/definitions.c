/* Definitions of sources and destinations, and their specifications. */
#include "protocol/airbyte_catalog.h"
#include "server/connectors.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/paging.h"
#include "server/views.h"

#include "supervisor/definitions.h"

/* --- reading ------------------------------------------------------------------------------------------ */

static const char *kind_of(const struct call *call)
{
    return call->route->side == CONTROL_SOURCE ? "source definition" : "destination definition";
}

static const char *id_member(const struct call *call)
{
    return call->route->side == CONTROL_SOURCE ? "sourceDefinitionId" : "destinationDefinitionId";
}

static const char *id_of(const struct call *call)
{
    const char *id = call_uuid(call, "actorDefinitionId"); /* of requests that are for a scope */
    return id ? id : call_uuid(call, id_member(call));
}

/* What a built-in is, in some words; NULL of others. */
static const char *summary_of(const struct call *call, const struct control_definition *definition)
{
    const struct connector_catalog *built_ins = call->server->options.built_ins;
    for (size_t i = 0; definition->built_in && i < built_ins->count; i++) {
        if (strcmp(built_ins->items[i].name, definition->built_in) == 0)
            return built_ins->items[i].summary;
    }
    return NULL;
}

void view_definition(struct call *call, const struct control_definition *definition)
{
    struct json_writer *out = &call->out;
    const char *summary = summary_of(call, definition);
    bool source = definition->side == CONTROL_SOURCE;
    json_member_string(out, source ? "sourceDefinitionId" : "destinationDefinitionId", definition->id);
    json_member_string(out, "name", definition->name);
    json_member_string(out, "dockerRepository",
                       definition->repository ? definition->repository : definition->name);
    json_member_string(out, "dockerImageTag", definition->tag ? definition->tag : "dev");
    if (definition->documentation_url)
        json_member_string(out, "documentationUrl", definition->documentation_url);
    if (definition->icon)
        json_member_string(out, "icon", definition->icon);
    if (summary)
        json_member_string(out, "summary", summary);
    json_member_string(out, "protocolVersion", "0.2.0");
    json_member_bool(out, "custom", definition->custom);
    json_member_bool(out, "enterprise", false);
    json_member_string(out, "supportLevel", definition->custom ? "none" : "community");
    json_member_string(out, "releaseStage", definition->custom ? "custom" : "generally_available");
    if (source && definition->custom)
        json_member_string(out, "sourceType", "custom");
}

static enum http_next answer(struct call *call, const struct control_definition *definition)
{
    call_begin(call);
    view_definition(call, definition);
    return call_end(call);
}

/* The definition that the body names, of this side. */
static int find(struct call *call, struct control_definition *ret_definition, struct error *err)
{
    const char *id = id_of(call);
    if (control_definition_get(call->control, id, false, call->arena, ret_definition, err) < 0)
        return -1;
    if ((int)ret_definition->side != call->route->side)
        return error_set(err, ERROR_NOT_FOUND, "there is no %s %s", kind_of(call), id);
    return 0;
}

enum http_next definition_get(struct call *call)
{
    struct control_definition definition;
    struct error err;
    return find(call, &definition, &err) < 0 ? call_error_of(call, &err, kind_of(call), id_of(call))
                                             : answer(call, &definition);
}

enum http_next definition_list(struct call *call)
{
    const struct control_definition_filter filter = {.side = (enum control_side)call->route->side,
                                                     .workspace = call_uuid(call, "workspaceId"),
                                                     .custom_only = call->route->what == DEFINITIONS_CUSTOM,
                                                     .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_definition *items;
    struct error err;
    size_t count;
    if (control_definitions(call->control, &filter, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    struct json_writer *out = call_begin(call);
    json_put_key(out, filter.side == CONTROL_SOURCE ? "sourceDefinitions" : "destinationDefinitions");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(out);
        view_definition(call, &items[i]);
        json_end_object(out);
    }
    json_end_array(out);
    return call_end(call);
}

/* Nothing is private, and nothing is to be bought. */
enum http_next definition_list_none(struct call *call)
{
    bool stubs = call->route->what == DEFINITIONS_STUBS;
    json_put_key(call_begin(call), stubs                                 ? "enterpriseConnectorStubs"
                                   : call->route->side == CONTROL_SOURCE ? "sourceDefinitions"
                                                                         : "destinationDefinitions");
    json_begin_array(&call->out);
    json_end_array(&call->out);
    return call_end(call);
}

/* --- changing ----------------------------------------------------------------------------------------- */

int definition_put(struct call *call, struct control_definition *definition, struct error *err)
{
    definition->updated_ms = call->now_ms;
    return control_definition_put(call->control, definition, err) < 0
               ? -1
               : control_definition_get(call->control, definition->id, false, call->arena, definition, err);
}

struct control_definition definition_new(struct call *call, const char *workspace, const char *name)
{
    char id[CONTROL_UUID_SIZE];
    control_uuid_new(id);
    return (struct control_definition){.id = arena_strdup(call->arena, id),
                                       .side = (enum control_side)call->route->side,
                                       .name = name,
                                       .workspace = workspace,
                                       .custom = true,
                                       .created_ms = call->now_ms};
}

bool definition_take_image(struct call *call, uint32_t given, const char *prefix,
                           struct control_definition *definition)
{
    definition->origin = CONTROL_IMAGE;
    definition->repository = call_text_of(call, given, "dockerRepository");
    definition->tag = call_text_of(call, given, "dockerImageTag");
    definition->documentation_url = call_text_of(call, given, "documentationUrl");
    definition->icon = call_text_of(call, given, "icon");
    const char *part;
    struct error err;
    if (!call_check_title(call, arena_printf(call->arena, "%sname", prefix), definition->name))
        return false;
    if (definitions_check_image(definition->repository, definition->tag, &part, &err) == 0)
        return true;
    call_invalid(call, arena_printf(call->arena, "%s%s", prefix, part), "%s", err.message);
    return false;
}

/* By image. A command comes from this machine ('firth connectors add'), never through the API: whoever may
 * ask would run any program. A manifest comes through the public API (public_definitions.c). */
enum http_next definition_create(struct call *call)
{
    const char *member = call->route->side == CONTROL_SOURCE ? "sourceDefinition" : "destinationDefinition";
    uint32_t given = call_member(call, member);
    struct control_definition definition =
        definition_new(call, call_uuid(call, "workspaceId"), call_text_of(call, given, "name"));
    struct error err;
    if (!definition_take_image(call, given, arena_printf(call->arena, "%s.", member), &definition))
        return HTTP_ANSWER;
    return definition_put(call, &definition, &err) < 0
               ? call_error_in(call, &err, arena_printf(call->arena, "%s.name", member))
               : answer(call, &definition);
}

bool definition_change(struct call *call, struct control_definition *definition)
{
    const char *tag = call_text(call, "dockerImageTag"), *name = call_text(call, "name"), *part;
    struct error err;
    if (tag && definition->origin != CONTROL_IMAGE &&
        strcmp(tag, definition->tag ? definition->tag : "") != 0) {
        call_invalid(call, "dockerImageTag", "%s is %s: it has no image whose tag could change",
                     definition->name,
                     definition->origin == CONTROL_BUILT_IN ? "built in" : "run without an image");
        return false;
    }
    if (tag && definition->origin == CONTROL_IMAGE &&
        definitions_check_image(definition->repository, tag, &part, &err) < 0 &&
        strcmp(part, "dockerImageTag") == 0) {
        call_invalid(call, part, "%s", err.message);
        return false;
    }
    if (tag)
        definition->tag = tag;
    if (definition->custom && name)
        definition->name = name;
    return !name || call_check_title(call, "name", name);
}

enum http_next definition_update(struct call *call)
{
    struct control_definition definition;
    struct error err;
    if (find(call, &definition, &err) < 0)
        return call_error_of(call, &err, kind_of(call), id_of(call));
    if (!definition_change(call, &definition))
        return HTTP_ANSWER;
    return definition_put(call, &definition, &err) < 0 ? call_error_in(call, &err, "name")
                                                       : answer(call, &definition);
}

enum http_next definition_delete(struct call *call)
{
    struct control_definition definition;
    struct error err;
    if (find(call, &definition, &err) < 0)
        return call_error_of(call, &err, kind_of(call), id_of(call));
    if (control_definition_delete(call->control, definition.id, call->now_ms, &err) < 0)
        return call_error_in(call, &err, id_member(call));
    return call_nothing(call);
}

/* --- OAuth -------------------------------------------------------------------------------------------- */

/* No flow is done here: whoever asks for one is told what to do instead. */
static enum http_next answer_no_oauth(struct call *call, const struct control_definition *definition)
{
    struct json spec;
    struct error err;
    bool offered =
        definition->spec.size &&
        json_parse_copy(call->arena, definition->spec.data, definition->spec.size, &spec, &err) == 0 &&
        json_is(&spec, json_get(&spec, 0, "advanced_auth"), JSON_OBJECT);
    return call_fail(
        call, 404, "%s has no OAuth here: %s", definition->name,
        offered
            ? "Firth does no OAuth flows; make the token with the service itself, and put it in the config"
            : "its spec names no such flow, and its credentials are in its config");
}

enum http_next definition_oauth(struct call *call)
{
    return connectors_with_spec(call, id_of(call), (enum control_side)call->route->side, answer_no_oauth);
}

/* --- specifications ----------------------------------------------------------------------------------- */

static void put_modes(struct json_writer *out, unsigned modes)
{
    json_put_key(out, "supportedDestinationSyncModes");
    json_begin_array(out);
    for (int i = 0; i <= AIRBYTE_OVERWRITE_DEDUP; i++) {
        if (modes & 1U << i)
            json_put_string(out, airbyte_destination_sync_mode_name((enum airbyte_destination_sync_mode)i));
    }
    json_end_array(out);
}

static void put_raw_if(struct json_writer *out, const char *name, const struct json *spec, uint32_t at)
{
    if (at != JSON_NONE)
        json_member_raw(out, name, json_raw(spec, at));
}

static enum http_next answer_spec(struct call *call, const struct control_definition *definition)
{
    bool source = definition->side == CONTROL_SOURCE;
    struct json spec;
    struct error err;
    if (json_parse_copy(call->arena, definition->spec.data, definition->spec.size, &spec, &err) < 0)
        return call_error(call, &err);
    struct json_writer *out = call_begin(call);
    json_member_string(out, source ? "sourceDefinitionId" : "destinationDefinitionId", definition->id);
    uint32_t url = json_get(&spec, 0, "documentationUrl");
    if (json_is(&spec, url, JSON_STRING))
        json_member_raw(out, "documentationUrl", json_raw(&spec, url));
    put_raw_if(out, "connectionSpecification", &spec, json_get(&spec, 0, "connectionSpecification"));
    uint32_t modes = json_get(&spec, 0, "supported_destination_sync_modes");
    if (!source && json_is(&spec, modes, JSON_ARRAY))
        put_modes(out, airbyte_destination_modes(&spec, call->arena));
    json_member_bool(out, "advancedAuthGlobalCredentialsAvailable", false);
    connectors_write_job(call, "get_spec", definition->id, NULL);
    return call_end(call);
}

enum http_next definition_spec(struct call *call)
{
    return connectors_with_spec(call, id_of(call), (enum control_side)call->route->side, answer_spec);
}

enum http_next definition_spec_of_actor(struct call *call)
{
    enum control_side side = (enum control_side)call->route->side;
    const char *id = call_uuid(call, side == CONTROL_SOURCE ? "sourceId" : "destinationId");
    struct control_actor actor;
    struct error err;
    if (control_actor_get(call->control, side, id, false, call->arena, &actor, &err) < 0)
        return call_error_of(call, &err, control_side_name(side), id);
    return connectors_with_spec(call, actor.definition, side, answer_spec);
}
