/* Applications, and the bearer tokens that they get. */
#include "server/handlers.h"
#include "server/internal.h"

#include "control/applications.h"

static struct slice text_of(struct call *call, const char *name)
{
    uint32_t at = call_member(call, name);
    return json_string(&call->body, at, call->arena);
}

/* Clients compare "Bearer" byte for byte. */
enum http_next token_create(struct call *call)
{
    enum auth_verdict verdict;
    const char *token = NULL, *grant = call_text(call, "grant_type");
    struct error err;
    if (!grant)
        grant = call_text(call, "grant-type");
    if (grant && strcmp(grant, "client_credentials") != 0)
        return call_invalid(call, "grant_type", "grant_type: the only one is client_credentials");
    const struct auth_client client = call_client(call);
    if (auth_token(call->server->auth, &client, text_of(call, "client_id"), text_of(call, "client_secret"),
                   call->arena, &verdict, &token, &err) < 0)
        return call_error(call, &err);
    if (verdict == AUTH_SLOWER)
        return call_slower(call);
    if (verdict == AUTH_NO)
        return call_fail(call, 401, "the client id or the client secret is wrong");
    struct json_writer *out = call_begin(call);
    json_member_string(out, "access_token", token);
    json_member_string(out, "token_type", "Bearer");
    json_member_i64(out, "expires_in", AUTH_TOKEN_S);
    return call_end(call);
}

/* The secret is shown when the application is made, and never again. */
static void write_application(struct json_writer *out, const struct control_application *application,
                              const char *secret)
{
    json_member_string(out, "id", application->id);
    json_member_string(out, "name", application->name);
    json_member_string(out, "clientId", application->client_id);
    json_member_string(out, "clientSecret", secret ? secret : "**********");
    json_member_i64(out, "createdAt", call_seconds(application->created_ms));
}

enum http_next application_create(struct call *call)
{
    struct control_application application;
    char secret[CONTROL_SECRET_SIZE];
    struct error err;
    const char *name = call_text(call, "name");
    if (!call_check_title(call, "name", name))
        return HTTP_ANSWER;
    if (control_application_create(call->control, name, call->now_ms, call->arena, &application, secret,
                                   &err) < 0)
        return call_error_in(call, &err, "name");
    write_application(call_begin(call), &application, secret);
    return call_end(call);
}

enum http_next application_list(struct call *call)
{
    const struct control_page page = {.limit = CONTROL_APPLICATIONS_MAX};
    struct control_application *items;
    struct error err;
    size_t count;
    if (control_applications(call->control, &page, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    struct json_writer *out = call_begin(call);
    json_put_key(out, "applications");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(out);
        write_application(out, &items[i], NULL);
        json_end_object(out);
    }
    json_end_array(out);
    return call_end(call);
}

enum http_next application_get(struct call *call)
{
    struct control_application application;
    struct error err;
    const char *id = call_path_uuid(call, 0);
    if (!id)
        return call_absent(call, "application", call->arguments[0]);
    if (control_application_get(call->control, id, call->arena, &application, &err) < 0)
        return call_error_of(call, &err, "application", id);
    write_application(call_begin(call), &application, NULL);
    return call_end(call);
}

enum http_next application_delete(struct call *call)
{
    struct control_application application;
    struct error err;
    const char *id = call_path_uuid(call, 0);
    if (!id)
        return call_absent(call, "application", call->arguments[0]);
    if (control_application_get(call->control, id, call->arena, &application, &err) < 0 ||
        control_application_delete(call->control, id, &err) < 0)
        return call_error_of(call, &err, "application", id);
    write_application(call_begin(call), &application, NULL);
    return call_end(call);
}
