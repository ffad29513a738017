/* Sessions of the web UI: a token of the user's, in a cookie that no script can read. It goes when the
 * password is changed, as all of the user's tokens do. */
#include "server/handlers.h"
#include "server/internal.h"

#include "control/applications.h"
#include "control/workspaces.h"

static void set_cookie(struct call *call, const char *token, int64_t seconds)
{
    http_answer_header(call->http, "Set-Cookie",
                       arena_printf(call->arena,
                                    SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
                                    token, (long long)seconds, http_is_tls(call->http) ? "; Secure" : ""));
}

/* What a page has to know before it asks for anything else. */
static enum http_next answer(struct call *call)
{
    const char *workspace;
    bool by_default = false;
    struct error err;
    if (auth_is_default(call->control, &by_default, &err) < 0 ||
        control_workspace_home(call->control, call->arena, &workspace, &err) < 0)
        return call_error(call, &err);
    struct json_writer *out = call_begin(call);
    json_member_bool(out, "loggedIn", true);
    json_member_string(out, "user", AUTH_USER);
    json_member_string(out, "version", FIRTH_VERSION);
    json_member_string(out, "workspaceId", workspace);
    json_member_bool(out, "defaultPassword", by_default);
    json_member_bool(out, "allowCommands", call->server->options.allow_commands);
    return call_end(call);
}

static enum http_next logged_in(struct call *call, const char *token)
{
    set_cookie(call, token, AUTH_SESSION_S);
    return answer(call);
}

enum http_next session_create(struct call *call)
{
    struct slice user = json_string(&call->body, call_member(call, "username"), call->arena),
                 password = json_string(&call->body, call_member(call, "password"), call->arena);
    const struct auth_client client = call_client(call);
    enum auth_verdict verdict;
    const char *token = NULL;
    struct error err;
    if (auth_session(call->server->auth, &client, user, password, call->arena, &verdict, &token, &err) < 0)
        return call_error(call, &err);
    if (verdict == AUTH_SLOWER)
        return call_slower(call);
    if (verdict == AUTH_NO)
        return call_fail(call, 401, "the user or the password is wrong");
    return logged_in(call, token);
}

/* Whoever has no session is told so, and nothing else: to ask is no error. */
enum http_next session_get(struct call *call)
{
    const char *token = http_cookie(call->http, SESSION_COOKIE);
    struct error err;
    if (token && control_token_find(call->control, slice_of(token), call->now_ms, call->arena,
                                    &call->application, &err) == 0)
        return answer(call);
    if (token && err.code != ERROR_NOT_FOUND)
        return call_error(call, &err);
    json_member_bool(call_begin(call), "loggedIn", false);
    return call_end(call);
}

enum http_next session_end(struct call *call)
{
    const char *token = http_cookie(call->http, SESSION_COOKIE);
    struct error err;
    if (token && control_token_revoke(call->control, slice_of(token), &err) < 0)
        return call_error(call, &err);
    events_look(call->server->events);
    set_cookie(call, "", 0);
    return call_nothing(call);
}

/* All sessions end with the old password; who changes it gets a new one. */
enum http_next password_change(struct call *call)
{
    struct slice current = json_string(&call->body, call_member(call, "currentPassword"), call->arena);
    const char *password = call_text(call, "newPassword");
    const struct auth_client client = call_client(call);
    enum auth_verdict verdict;
    const char *token = NULL;
    struct error err;
    if (call->application)
        return call_fail(call, 403, "the password is the user's to change, not an application's");
    if (!password)
        return call_invalid(call, "newPassword", "newPassword: a password holds no NUL");
    if (auth_change(call->server->auth, &client, current, password, call->arena, &verdict, &token, &err) < 0)
        return call_error_in(call, &err, "newPassword");
    if (verdict == AUTH_SLOWER)
        return call_slower(call);
    if (verdict == AUTH_NO)
        return call_invalid(call, "currentPassword", "the current password is wrong");
    events_look(call->server->events);
    return logged_in(call, token);
}
