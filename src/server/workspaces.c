/* Workspaces, of both APIs. */
#include "server/connections.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/mask.h"
#include "server/paging.h"

#include "control/workspaces.h"
#include "supervisor/webhook.h"

/* --- config API --------------------------------------------------------------------------------------- */

static void write_notifications(struct json_writer *out, const char *name, struct slice notifications)
{
    json_put_key(out, name);
    mask_notifications(out, notifications);
}

static void write_workspace(struct json_writer *out, const struct control_workspace *workspace)
{
    json_member_string(out, "workspaceId", workspace->id);
    json_member_string(out, "customerId", workspace->id);
    json_member_string(out, "name", workspace->name);
    json_member_string(out, "slug", workspace->slug);
    if (workspace->email)
        json_member_string(out, "email", workspace->email);
    json_member_bool(out, "initialSetupComplete", workspace->setup_complete);
    json_member_bool(out, "displaySetupWizard", false);
    json_member_bool(out, "anonymousDataCollection", false);
    json_member_bool(out, "news", false);
    json_member_bool(out, "securityUpdates", false);
    /* What was set in one spelling (supervisor/webhook.h) is shown in that one. */
    bool list = workspace->notifications.size && *workspace->notifications.data == '[';
    write_notifications(out, "notifications", list ? workspace->notifications : SLICE_LITERAL("[]"));
    if (workspace->notifications.size && !list)
        write_notifications(out, "notificationSettings", workspace->notifications);
    json_member_string(out, "organizationId", CONTROL_ORGANIZATION_DEFAULT);
    json_member_bool(out, "tombstone", workspace->deleted);
}

static enum http_next answer_workspace(struct call *call, const struct control_workspace *workspace)
{
    write_workspace(call_begin(call), workspace);
    return call_end(call);
}

static enum http_next answer_by_id(struct call *call, const char *id, bool deleted)
{
    struct control_workspace workspace;
    struct error err;
    if (control_workspace_get(call->control, id, deleted, call->arena, &workspace, &err) < 0)
        return call_error_of(call, &err, "workspace", id);
    return answer_workspace(call, &workspace);
}

enum http_next workspace_get(struct call *call)
{
    return answer_by_id(call, call_uuid(call, "workspaceId"), call_bool(call, "includeTombstone", false));
}

enum http_next workspace_get_by_slug(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    const char *slug = call_text(call, "slug");
    if (control_workspace_by_slug(call->control, slug, call->arena, &workspace, &err) < 0)
        return call_error_of(call, &err, "workspace", slug);
    return answer_workspace(call, &workspace);
}

enum http_next workspace_get_by_connection(struct call *call)
{
    struct control_connection connection;
    struct error err;
    const char *id = call_uuid(call, "connectionId");
    if (control_connection_get(call->control, id, true, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    return answer_by_id(call, connection.workspace, true);
}

enum http_next workspace_list(struct call *call)
{
    struct control_page page = {0};
    struct control_workspace *items;
    struct error err;
    size_t count;
    if (!paging_of_body(call, CONTROL_PAGE_MAX, &page))
        return HTTP_ANSWER;
    page.deleted = call_bool(call, "includeDeleted", false);
    if (control_workspaces(call->control, &page, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    struct json_writer *out = call_begin(call);
    json_put_key(out, "workspaces");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(out);
        write_workspace(out, &items[i]);
        json_end_object(out);
    }
    json_end_array(out);
    return call_end(call);
}

/* Of either spelling; the newer one counts. The public API has a third. A URL that comes back as it was shown
 * is what is there. False: the answer is there. */
static bool take_notifications(struct call *call, struct control_workspace *workspace)
{
    struct slice list = call_raw(call, "notifications"), settings = call_raw(call, "notificationSettings");
    const char *name = settings.size ? "notificationSettings" : "notifications";
    struct slice wanted = settings.size ? settings : list;
    const char *part;
    struct error err;
    if (wanted.size == 0 || slice_is(wanted, "[]"))
        return true;
    if (mask_merge(wanted, workspace->notifications, call->arena, &wanted, &err) < 0) {
        call_error(call, &err);
        return false;
    }
    if (webhook_urls_check(wanted, call->arena, &part, &err) < 0) {
        const char *field =
            arena_printf(call->arena, "%s%s%s", name, *part == '[' || !*part ? "" : ".", part);
        call_invalid(call, field, "%s: %s", field, err.message);
        return false;
    }
    if (mask_is_in(wanted)) {
        call_invalid(call, name, "%s: " CONFIG_SHOWN_GIVEN, name);
        return false;
    }
    workspace->notifications = wanted;
    return true;
}

/* Put it, and answer what it is then. */
static int put(struct call *call, struct control_workspace *workspace, struct error *err)
{
    workspace->updated_ms = call->now_ms;
    return control_workspace_put(call->control, workspace, err) < 0
               ? -1
               : control_workspace_get(call->control, workspace->id, false, call->arena, workspace, err);
}

static const char *new_id(struct call *call)
{
    char id[CONTROL_UUID_SIZE];
    control_uuid_new(id);
    return arena_strdup(call->arena, id);
}

/* False: the answer is there. */
static bool create(struct call *call, struct control_workspace *ret_workspace)
{
    struct error err;
    const char *id = call_uuid(call, "id");
    *ret_workspace = (struct control_workspace){.id = id ? id : new_id(call),
                                                .name = call_text(call, "name"),
                                                .email = call_text(call, "email"),
                                                .setup_complete = true,
                                                .created_ms = call->now_ms};
    if (!call_check_title(call, "name", ret_workspace->name) || !take_notifications(call, ret_workspace))
        return false;
    if (put(call, ret_workspace, &err) == 0)
        return true;
    call_error_in(call, &err, "notifications");
    return false;
}

enum http_next workspace_create(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    const char *id = call_uuid(call, "id");
    if (id && control_workspace_get(call->control, id, true, call->arena, &workspace, &err) == 0)
        return call_invalid(call, "id", "id: there is a workspace %s already", id);
    return create(call, &workspace) ? answer_workspace(call, &workspace) : HTTP_ANSWER;
}

/* The one of this id, or a new one with it. */
enum http_next workspace_create_if_absent(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    if (control_workspace_get(call->control, call_uuid(call, "id"), true, call->arena, &workspace, &err) == 0)
        return answer_workspace(call, &workspace);
    return err.code == ERROR_NOT_FOUND ? workspace_create(call) : call_error(call, &err);
}

/* There is one organization, and it has a name for whoever asks. */
enum http_next workspace_organization(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    const char *id = call_uuid(call, "workspaceId");
    if (control_workspace_get(call->control, id, false, call->arena, &workspace, &err) < 0)
        return call_error_of(call, &err, "workspace", id);
    json_member_string(call_begin(call), "organizationId", CONTROL_ORGANIZATION_DEFAULT);
    json_member_string(&call->out, "organizationName", "Default Organization");
    json_member_bool(&call->out, "sso", false);
    return call_end(call);
}

enum http_next workspace_update(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    const char *id = call_uuid(call, "workspaceId");
    if (control_workspace_get(call->control, id, false, call->arena, &workspace, &err) < 0)
        return call_error_of(call, &err, "workspace", id);
    if (call_text(call, "name"))
        workspace.name = call_text(call, "name");
    if (call_text(call, "email"))
        workspace.email = call_text(call, "email");
    if (!take_notifications(call, &workspace))
        return HTTP_ANSWER;
    workspace.setup_complete = call_bool(call, "initialSetupComplete", workspace.setup_complete);
    if (!call_check_title(call, "name", workspace.name))
        return HTTP_ANSWER;
    return put(call, &workspace, &err) < 0 ? call_error_in(call, &err, "notifications")
                                           : answer_workspace(call, &workspace);
}

static enum http_next delete_by_id(struct call *call, const char *id)
{
    struct error err;
    if (control_workspace_delete(call->control, id, call->now_ms, &err) < 0)
        return call_error_of(call, &err, "workspace", id);
    connections_deleted(call, &(struct control_connection_filter){.workspaces = &id, .workspace_count = 1});
    return call_nothing(call);
}

enum http_next workspace_delete(struct call *call)
{
    return delete_by_id(call, call_uuid(call, "workspaceId"));
}

/* --- public API --------------------------------------------------------------------------------------- */

static void write_public(struct json_writer *out, const struct control_workspace *workspace)
{
    json_member_string(out, "workspaceId", workspace->id);
    json_member_string(out, "name", workspace->name);
    json_member_string(out, "dataResidency", "auto");
    bool here = workspace->notifications.size && *workspace->notifications.data == '{';
    write_notifications(out, "notifications", here ? workspace->notifications : SLICE_LITERAL("{}"));
}

static enum http_next answer_public(struct call *call, const struct control_workspace *workspace)
{
    write_public(call_begin(call), workspace);
    return call_end(call);
}

static bool is_wanted(const char *id, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ids[i], id) == 0)
            return true;
    }
    return count == 0;
}

enum http_next public_workspace_list(struct call *call)
{
    struct control_page page, all = {.limit = CONTROL_PAGE_MAX};
    struct control_workspace *items;
    const char *const *ids;
    struct error err;
    size_t count, id_count, wanted = 0;
    if (!paging_read(call, &page) || !paging_ids(call, "workspaceIds", &ids, &id_count))
        return HTTP_ANSWER;
    all.deleted = page.deleted;
    if (control_workspaces(call->control, &all, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    struct json_writer *out = call_begin(call);
    json_put_key(out, "data");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(items[i].id, ids, id_count))
            continue;
        if (wanted >= page.offset && wanted - page.offset < page.limit) {
            json_begin_object(out);
            write_public(out, &items[i]);
            json_end_object(out);
        }
        wanted++;
    }
    json_end_array(out);
    paging_write(call, &page, wanted);
    return call_end(call);
}

enum http_next public_workspace_get(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    const char *id = call_path_uuid(call, 0);
    if (!id)
        return call_absent(call, "workspace", call->arguments[0]);
    if (control_workspace_get(call->control, id, false, call->arena, &workspace, &err) < 0)
        return call_error_of(call, &err, "workspace", id);
    return answer_public(call, &workspace);
}

enum http_next public_workspace_create(struct call *call)
{
    struct control_workspace workspace;
    return create(call, &workspace) ? answer_public(call, &workspace) : HTTP_ANSWER;
}

enum http_next public_workspace_update(struct call *call)
{
    struct control_workspace workspace;
    struct error err;
    const char *id = call_path_uuid(call, 0);
    if (!id)
        return call_absent(call, "workspace", call->arguments[0]);
    if (control_workspace_get(call->control, id, false, call->arena, &workspace, &err) < 0)
        return call_error_of(call, &err, "workspace", id);
    if (call_text(call, "name"))
        workspace.name = call_text(call, "name");
    if (!take_notifications(call, &workspace) || !call_check_title(call, "name", workspace.name))
        return HTTP_ANSWER;
    return put(call, &workspace, &err) < 0 ? call_error_in(call, &err, "notifications")
                                           : answer_public(call, &workspace);
}

enum http_next public_workspace_delete(struct call *call)
{
    const char *id = call_path_uuid(call, 0);
    return id ? delete_by_id(call, id) : call_absent(call, "workspace", call->arguments[0]);
}
