/* Definitions in the public API: of a workspace's sources and destinations by image, of its sources by
 * manifest; and what there is at all. */
#include "server/handlers.h"
#include "server/internal.h"
#include "server/paging.h"

#include "control/workspaces.h"
#include "supervisor/definitions.h"

/* Of the route: by image, or by manifest? */
static bool is_declarative(const struct call *call)
{
    return call->route->what == DEFINITIONS_DECLARATIVE;
}

/* --- showing ------------------------------------------------------------------------------------------ */

/* A manifest's version counts its changes: {"revision": N} in what else the definition has. */
static int64_t revision_of(struct call *call, const struct control_definition *definition)
{
    struct json extra;
    struct error err;
    int64_t revision;
    return definition->extra.size &&
                   json_parse_copy(call->arena, definition->extra.data, definition->extra.size, &extra,
                                   &err) == 0 &&
                   json_to_i64(&extra, json_get(&extra, 0, "revision"), &revision)
               ? revision
               : 1;
}

static void write_definition(struct call *call, const struct control_definition *definition)
{
    struct json_writer *out = &call->out;
    json_member_string(out, "id", definition->id);
    json_member_string(out, "name", definition->name);
    if (is_declarative(call)) {
        json_member_raw(out, "manifest", definition->manifest);
        json_member_i64(out, "version", revision_of(call, definition));
        return;
    }
    json_member_string(out, "dockerRepository",
                       definition->repository ? definition->repository : definition->name);
    json_member_string(out, "dockerImageTag", definition->tag ? definition->tag : "dev");
    if (definition->documentation_url)
        json_member_string(out, "documentationUrl", definition->documentation_url);
}

static enum http_next answer(struct call *call, const struct control_definition *definition)
{
    call_begin(call);
    write_definition(call, definition);
    return call_end(call);
}

/* The path's workspace, which is there. NULL: answered. */
static const char *workspace_of(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    const char *id = call_path_uuid(call, 0);
    if (!id)
        call_absent(call, "workspace", call->arguments[0]);
    else if (control_workspace_get(call->control, id, false, call->arena, &workspace, &err) < 0)
        call_error_of(call, &err, "workspace", id);
    else
        return id;
    return NULL;
}

/* The path's definition: of this workspace or of all, of this side and kind. False: answered. */
static bool find(struct call *call, struct control_definition *ret_definition)
{
    const char *workspace = workspace_of(call), *id = call_path_uuid(call, 1);
    struct error err;
    if (!workspace)
        return false;
    if (!id) {
        call_absent(call, "definition", call->arguments[1]);
        return false;
    }
    if (control_definition_get(call->control, id, false, call->arena, ret_definition, &err) < 0) {
        call_error_of(call, &err, "definition", id);
        return false;
    }
    if ((int)ret_definition->side == call->route->side &&
        (!ret_definition->workspace || strcmp(ret_definition->workspace, workspace) == 0) &&
        (!is_declarative(call) || ret_definition->origin == CONTROL_MANIFEST))
        return true;
    call_absent(call, "definition", id);
    return false;
}

enum http_next public_definition_get(struct call *call)
{
    struct control_definition definition;
    return find(call, &definition) ? answer(call, &definition) : HTTP_ANSWER;
}

enum http_next public_definition_list(struct call *call)
{
    struct control_definition_filter filter = {.side = (enum control_side)call->route->side,
                                               .workspace = workspace_of(call),
                                               .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_definition *items;
    struct error err;
    size_t count;
    if (!filter.workspace)
        return HTTP_ANSWER;
    if (control_definitions(call->control, &filter, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    call_begin(call);
    json_put_key(&call->out, "data");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++) {
        if (is_declarative(call) && items[i].origin != CONTROL_MANIFEST)
            continue;
        json_begin_object(&call->out);
        write_definition(call, &items[i]);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    json_member_string(&call->out, "previous", "");
    json_member_string(&call->out, "next", "");
    return call_end(call);
}

/* --- changing ----------------------------------------------------------------------------------------- */

/* False: answered. A manifest that nothing here could run is not taken. */
static bool take_manifest(struct call *call, struct control_definition *definition, int64_t revision)
{
    struct error err;
    const char *extra = arena_printf(call->arena, "{\"revision\":%lld}", (long long)revision);
    definition->extra = slice_of(extra);
    if (!call_check_title(call, "name", definition->name))
        return false;
    const struct definitions_manifest manifest = {.json = call_raw(call, "manifest")};
    if (definitions_set_manifest(call->control, call->server->options.built_ins, &manifest, call->arena,
                                 definition, &err) < 0)
        call_invalid(call, "manifest", "%s", err.message);
    else
        return true;
    return false;
}

static enum http_next keep(struct call *call, struct control_definition *definition)
{
    struct error err;
    return definition_put(call, definition, &err) < 0 ? call_error_in(call, &err, "name")
                                                      : answer(call, definition);
}

enum http_next public_definition_create(struct call *call)
{
    const char *workspace = workspace_of(call);
    if (!workspace)
        return HTTP_ANSWER;
    struct control_definition definition = definition_new(call, workspace, call_text(call, "name"));
    bool taken = is_declarative(call) ? take_manifest(call, &definition, 1)
                                      : definition_take_image(call, 0, "", &definition);
    return taken ? keep(call, &definition) : HTTP_ANSWER;
}

enum http_next public_definition_update(struct call *call)
{
    struct control_definition definition;
    if (!find(call, &definition))
        return HTTP_ANSWER;
    bool taken = is_declarative(call) ? take_manifest(call, &definition, revision_of(call, &definition) + 1)
                                      : definition_change(call, &definition);
    return taken ? keep(call, &definition) : HTTP_ANSWER;
}

/* It is shown this once more. */
enum http_next public_definition_delete(struct call *call)
{
    struct control_definition definition;
    struct error err;
    if (!find(call, &definition))
        return HTTP_ANSWER;
    return control_definition_delete(call->control, definition.id, call->now_ms, &err) < 0
               ? call_error_in(call, &err, "definitionId")
               : answer(call, &definition);
}

/* --- what there is at all ----------------------------------------------------------------------------- */

enum http_next public_definitions(struct call *call)
{
    const char *type = http_query(call->http, "type", 0);
    bool source = type && strcmp(type, "source") == 0;
    if (!source && (!type || strcmp(type, "destination") != 0))
        return call_invalid(call, "type", "type: source or destination is wanted");
    const struct control_definition_filter filter = {.side = source ? CONTROL_SOURCE : CONTROL_DESTINATION,
                                                     .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_definition *items;
    struct error err;
    size_t count;
    if (control_definitions(call->control, &filter, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    struct json_writer *out = call_begin(call);
    json_put_key(out, "data");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(out);
        json_member_string(out, "id", items[i].id);
        json_member_string(out, "connectorDefinitionType", type);
        json_member_string(out, "name", items[i].name);
        json_member_string(out, "version", items[i].tag ? items[i].tag : "dev");
        if (items[i].documentation_url)
            json_member_string(out, "documentationUrl", items[i].documentation_url);
        json_end_object(out);
    }
    json_end_array(out);
    return call_end(call);
}
