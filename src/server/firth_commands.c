/* Firth's own API: a custom connector that is a program of this machine, where `firth serve` was told to
 * allow it. Whoever may add one may run anything as the daemon's user: never by the well-known password, nor
 * by an application's token. */
#include "server/connectors.h"
#include "server/handlers.h"
#include "server/internal.h"

#include "control/workspaces.h"
#include "supervisor/definitions.h"

enum { COMMAND_WORDS_MAX = 256 };

/* False: answered. */
static bool is_allowed(struct call *call)
{
    bool by_default = true;
    struct error err;
    if (!call->server->options.allow_commands) {
        call_fail(
            call, 403,
            "commands are added on the machine itself (firth connectors add NAME --command COMMAND), or "
            "here if 'firth serve' has --allow-commands");
        return false;
    }
    if (call->application) {
        call_fail(call, 403, "commands are the user's to add, not an application's");
        return false;
    }
    if (auth_is_default(call->control, &by_default, &err) < 0) {
        call_error(call, &err);
        return false;
    }
    if (by_default)
        call_fail(call, 403, "with the password that everybody knows no command is added: set another first");
    return !by_default;
}

/* False: answered. */
static bool check_words(struct call *call)
{
    uint32_t list = call_member(call, "command");
    size_t count = json_count(&call->body, list);
    if (count == 0 || count > COMMAND_WORDS_MAX) {
        call_invalid(call, "command", "command: 1 to %d words are wanted, the program first",
                     COMMAND_WORDS_MAX);
        return false;
    }
    for (uint32_t at = json_first(&call->body, list); at != JSON_NONE;
         at = json_next(&call->body, list, at)) {
        struct slice word = json_string(&call->body, at, call->arena);
        if (memchr(word.data, '\0', word.size)) {
            call_invalid(call, "command", "command: a word holds no NUL");
            return false;
        }
    }
    struct slice program = json_string(&call->body, json_first(&call->body, list), call->arena);
    if (program.size && (*program.data == '/' || !memchr(program.data, '/', program.size)))
        return true;
    call_invalid(call, "command", "command: the program is a whole path, or a name that is found on PATH");
    return false;
}

static int read_definition(struct call *call, struct control_definition *ret_definition, struct error *err)
{
    const char *workspace;
    if (control_workspace_home(call->control, call->arena, &workspace, err) < 0)
        return -1;
    struct control_definition definition = definition_new(call, workspace, call_text(call, "name"));
    definition.side = json_string_is(&call->body, call_member(call, "kind"), "source") ? CONTROL_SOURCE
                                                                                       : CONTROL_DESTINATION;
    definition.command = call_raw(call, "command");
    definitions_set_program(&definition, NULL, call->arena);
    *ret_definition = definition;
    return 0;
}

static enum http_next take_spec(struct call *call, const struct json *payload, const struct error *error)
{
    struct control_definition definition;
    struct error err;
    if (error && error->code == ERROR_CANCELLED)
        return call_error(call, error);
    if (error)
        return call_invalid(call, "command", "command: %s", error->message);
    if (read_definition(call, &definition, &err) < 0)
        return call_error(call, &err);
    definition.spec = json_raw(payload, 0);
    definition.spec_of = definitions_label(&definition, call->arena);
    if (definition_put(call, &definition, &err) < 0)
        return call_error_in(call, &err, "name");
    json_member_string(call_begin(call),
                       definition.side == CONTROL_SOURCE ? "sourceDefinitionId" : "destinationDefinitionId",
                       definition.id);
    json_member_string(&call->out, "name", definition.name);
    return call_end(call);
}

/* Its spec is asked for first: what answers none is no connector. */
enum http_next firth_command_create(struct call *call)
{
    struct control_definition definition;
    struct error err;
    if (!is_allowed(call) || !call_check_title(call, "name", call_text(call, "name")) || !check_words(call))
        return HTTP_ANSWER;
    if (read_definition(call, &definition, &err) < 0)
        return call_error(call, &err);
    return connectors_ask(call, &definition, ASK_SPEC, (struct slice){0}, NULL, take_spec);
}
