/* A custom connector by the text of its manifest, YAML or JSON, as people have it in a file. The public API
 * takes it as JSON alone (public_definitions.c). */
#include "control/workspaces.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "supervisor/definitions.h"
#include "yaml/yaml.h"

enum { MANIFEST_TEXT_MAX = 2 << 20 };

static bool to_json(struct call *call, const char *text, struct slice *ret_json)
{
    enum yaml_syntax syntax = text[strspn(text, " \t\r\n")] == '{' ? YAML_SYNTAX_JSON : YAML_SYNTAX_YAML_1_1;
    struct yaml_document document;
    struct json_writer writer;
    struct buffer json;
    struct error err;
    if (strlen(text) > MANIFEST_TEXT_MAX) {
        call_invalid(call, "manifest", "manifest: %zu bytes; the limit is %d", strlen(text),
                     MANIFEST_TEXT_MAX);
        return false;
    }
    if (yaml_parse(call->arena, "manifest", syntax, slice_of(text), NULL, NULL, &document, &err) < 0) {
        call_invalid(call, "manifest", "%s", err.message);
        return false;
    }
    buffer_init(&json, YAML_EXPANDED_MAX);
    json_writer_init(&writer, &json);
    json_put_value(&writer, &document.json, 0);
    *ret_json = (struct slice){arena_strndup(call->arena, buffer_cstr(&json), json.size), json.size};
    buffer_done(&json);
    return true;
}

enum http_next firth_manifest_create(struct call *call)
{
    const char *text = call_text(call, "manifest");
    struct definitions_manifest manifest = {0};
    struct error err;
    const char *workspace;
    if (control_workspace_home(call->control, call->arena, &workspace, &err) < 0)
        return call_error(call, &err);
    struct control_definition definition = definition_new(call, workspace, call_text(call, "name"));
    definition.side = CONTROL_SOURCE;
    definition.extra = SLICE_LITERAL("{\"revision\":1}");
    if (!call_check_title(call, "name", definition.name))
        return HTTP_ANSWER;
    if (!text)
        return call_invalid(call, "manifest", "manifest: a text without NUL is wanted");
    if (!to_json(call, text, &manifest.json))
        return HTTP_ANSWER;
    if (definitions_set_manifest(call->control, call->server->options.built_ins, &manifest, call->arena,
                                 &definition, &err) < 0)
        return call_invalid(call, "manifest", "%s", err.message);
    if (definition_put(call, &definition, &err) < 0)
        return call_error_in(call, &err, "name");
    json_member_string(call_begin(call), "sourceDefinitionId", definition.id);
    json_member_string(&call->out, "name", definition.name);
    return call_end(call);
}
