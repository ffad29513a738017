/* The instance itself: health, what it is, its OpenAPI documents. */
#include "server/handlers.h"
#include "server/internal.h"
#include "server/public_url.h"

#include "control/workspaces.h"

/* Healthy is what can read its control store. */
enum http_next instance_health(struct call *call)
{
    struct error err;
    bool by_default;
    if (auth_is_default(call->control, &by_default, &err) < 0)
        return call_fail(call, 503, "the control store cannot be read");
    json_member_bool(call_begin(call), "available", true);
    json_member_bool(&call->out, "db", true); /* older clients look for that */
    return call_end(call);
}

enum http_next instance_public_health(struct call *call)
{
    call->http->status = 200;
    call->http->content_type = "text/plain";
    buffer_str(&call->http->answer, "Successful operation");
    return HTTP_ANSWER;
}

enum http_next instance_configuration(struct call *call)
{
    struct json_writer *out = call_begin(call);
    json_member_string(out, "edition", "community");
    json_member_string(out, "version", FIRTH_VERSION);
    json_member_string(out, "airbyteUrl", public_url(call));
    json_member_bool(out, "initialSetupComplete", true);
    json_member_string(out, "defaultUserId", CONTROL_ORGANIZATION_DEFAULT);
    json_member_string(out, "defaultOrganizationId", CONTROL_ORGANIZATION_DEFAULT);
    json_member_string(out, "trackingStrategy", "logging");
    json_put_key(out, "auth");
    json_begin_object(out);
    json_member_string(out, "mode", "simple_auth");
    json_end_object(out);
    return call_end(call);
}

/* What is asked of somebody who opens Airbyte for the first time. */
enum http_next instance_setup(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    const char *id = call_uuid(call, "workspaceId");
    if (!id && control_workspace_home(call->control, call->arena, &id, &err) < 0)
        return call_error(call, &err);
    if (control_workspace_get(call->control, id, false, call->arena, &workspace, &err) < 0)
        return call_error_of(call, &err, "workspace", id);
    workspace.email = call_text(call, "email");
    workspace.setup_complete = call_bool(call, "initialSetupComplete", true);
    workspace.updated_ms = call->now_ms;
    return control_workspace_put(call->control, &workspace, &err) < 0 ? call_error(call, &err)
                                                                      : instance_configuration(call);
}

enum http_next instance_web_config(struct call *call)
{
    struct json_writer *out = call_begin(call);
    json_member_string(out, "version", FIRTH_VERSION);
    json_member_string(out, "edition", "community");
    return call_end(call);
}

enum http_next instance_openapi(struct call *call)
{
    const struct buffer *text = &call->server->openapi[call->route->family];
    call->http->status = 200;
    buffer_append(&call->http->answer, text->data, text->size);
    return HTTP_ANSWER;
}

/* Connectors are part of the program. */
enum http_next instance_check_updates(struct call *call)
{
    json_member_i64(call_begin(call), "sourceDefinitions", 0);
    json_member_i64(&call->out, "destinationDefinitions", 0);
    return call_end(call);
}

/* There are none: what a connection does after a sync is not Firth's. */
enum http_next instance_operations(struct call *call)
{
    json_put_key(call_begin(call), "operations");
    json_begin_array(&call->out);
    json_end_array(&call->out);
    return call_end(call);
}
