/* `firth export`: workspaces, definitions, sources, destinations and connections as a file that `firth apply`
 * takes. */
#include "cli/command.h"
#include "cli/output.h"
#include "control/actors.h"
#include "control/connections.h"
#include "control/definitions.h"
#include "control/workspaces.h"
#include "json/writer.h"

#include <stdlib.h>
#include <unistd.h>

struct export_options {
    bool secrets;
};

struct export
{
    struct control *control;
    bool secrets;
    struct buffer out;
    struct arena arena;
};

/* --- YAML: lists of mappings, values in JSON --------------------------------------------------------- */

static void begin_item(struct export *export, const char *id)
{
    buffer_str(&export->out, "  - id: ");
    buffer_str(&export->out, id);
    buffer_byte(&export->out, '\n');
}

static void put_text(struct export *export, const char *name, const char *value)
{
    if (!value)
        return;
    buffer_printf(&export->out, "    %s: ", name);
    json_escape(&export->out, slice_of(value));
    buffer_byte(&export->out, '\n');
}

static void put_json(struct export *export, const char *name, struct slice json)
{
    if (json.size == 0)
        return;
    buffer_printf(&export->out, "    %s: ", name);
    buffer_append(&export->out, json.data, json.size);
    buffer_byte(&export->out, '\n');
}

/* --- the five kinds ------------------------------------------------------------------------------ */

static const struct control_page all = {.limit = CONTROL_PAGE_MAX};

static int export_workspaces(struct export *export, struct error *err)
{
    struct control_workspace *items;
    size_t count = 0;
    if (control_workspaces(export->control, &all, &export->arena, &items, &count, NULL, err) < 0)
        return -1;
    buffer_str(&export->out, "workspaces:\n");
    for (size_t i = 0; i < count; i++) {
        begin_item(export, items[i].id);
        put_text(export, "name", items[i].name);
        put_text(export, "slug", items[i].slug);
        put_text(export, "email", items[i].email);
        if (export->secrets) /* a webhook's URL is one */
            put_json(export, "notifications", items[i].notifications);
    }
    return 0;
}

static int export_definitions(struct export *export, struct error *err)
{
    struct control_definition *items;
    size_t count = 0;
    const struct control_definition_filter custom = {.any_side = true, .custom_only = true, .page = all};
    if (control_definitions(export->control, &custom, &export->arena, &items, &count, NULL, err) < 0)
        return -1;
    if (count)
        buffer_str(&export->out, "definitions:\n");
    for (size_t i = 0; i < count; i++) {
        begin_item(export, items[i].id);
        put_text(export, "name", items[i].name);
        put_text(export, "kind", control_side_name(items[i].side));
        put_text(export, "workspace", items[i].workspace);
        put_text(export, "documentationUrl", items[i].documentation_url);
        if (items[i].origin == CONTROL_IMAGE)
            put_text(export, "image",
                     arena_printf(&export->arena, "%s:%s", items[i].repository, items[i].tag));
        if (items[i].origin == CONTROL_COMMAND)
            put_json(export, "command", items[i].command);
        if (items[i].origin == CONTROL_MANIFEST)
            put_json(export, "manifest", items[i].manifest);
    }
    return 0;
}

static int export_actors(struct export *export, enum control_side side, struct error *err)
{
    struct control_actor *items;
    size_t count = 0;
    const struct control_actor_filter filter = {.side = side, .configs = export->secrets, .page = all};
    if (control_actors(export->control, &filter, &export->arena, &items, &count, NULL, err) < 0)
        return -1;
    if (count)
        buffer_printf(&export->out, "%ss:\n", control_side_name(side));
    for (size_t i = count; i-- > 0;) { /* the oldest first */
        begin_item(export, items[i].id);
        put_text(export, "name", items[i].name);
        put_text(export, "workspace", items[i].workspace);
        put_text(export, "definition", items[i].definition);
        put_json(export, "config", items[i].config);
    }
    return 0;
}

static void put_schedule(struct export *export, const struct control_connection *connection)
{
    struct buffer text;
    struct json_writer writer;
    if (connection->schedule == CONTROL_MANUAL)
        return;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    if (connection->schedule == CONTROL_CRON) {
        json_member_string(&writer, "cron", connection->cron);
        if (connection->time_zone)
            json_member_string(&writer, "timeZone", connection->time_zone);
    } else {
        json_member_u64(&writer, "every", connection->every);
        json_member_string(&writer, "unit", control_unit_name(connection->unit));
    }
    json_end_object(&writer);
    put_json(export, "schedule", (struct slice){text.data, text.size});
    buffer_done(&text);
}

static int export_connections(struct export *export, struct error *err)
{
    struct control_connection *items;
    size_t count = 0;
    const struct control_connection_filter filter = {.any_status = true, .catalogs = true, .page = all};
    if (control_connections(export->control, &filter, &export->arena, &items, &count, NULL, err) < 0)
        return -1;
    if (count)
        buffer_str(&export->out, "connections:\n");
    for (size_t i = count; i-- > 0;) {
        const struct control_connection *connection = &items[i];
        begin_item(export, connection->id);
        put_text(export, "name", connection->name);
        put_text(export, "workspace", connection->workspace);
        put_text(export, "source", connection->source);
        put_text(export, "destination", connection->destination);
        put_text(export, "status", control_connection_status_name(connection->status));
        put_schedule(export, connection);
        put_text(export, "prefix", connection->prefix);
        put_text(export, "namespace", control_namespace_name(connection->namespace_definition));
        put_text(export, "namespaceFormat", connection->namespace_format);
        put_text(export, "schemaChanges", control_changes_name(connection->changes));
        put_json(export, "catalog", connection->catalog);
    }
    return 0;
}

/* --- the whole ----------------------------------------------------------------------------------- */

static int export_all(struct export *export, struct error *err)
{
    return export_workspaces(export, err) < 0 || export_definitions(export, err) < 0 ||
                   export_actors(export, CONTROL_SOURCE, err) < 0 ||
                   export_actors(export, CONTROL_DESTINATION, err) < 0 || export_connections(export, err) < 0
               ? -1
               : 0;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct export_options *options = cli->options;
    struct export export = {.secrets = options->secrets};
    struct output output;
    struct error err;
    (void)argc, (void)argv;
    mem_auto(control_close) struct control *control =
        control_open(cli->data_dir, options->secrets ? CONTROL_CHANGE : CONTROL_LOOK, &err);
    if (!control)
        return cli_fail(cli, &err);
    export.control = control;
    buffer_init(&export.out, BUFFER_UNLIMITED);
    arena_init(&export.arena);
    int code = CLI_OK;
    if (export_all(&export, &err) < 0) {
        code = cli_fail(cli, &err);
    } else {
        output_init(&output, STDOUT_FILENO);
        output_write(&output, export.out.data, export.out.size);
        code = output_finish(&output, cli, CLI_OK);
    }
    if (export.out.data)
        explicit_bzero(export.out.data, export.out.capacity);
    buffer_done(&export.out);
    arena_done(&export.arena);
    return code;
}

static const struct option_spec options[] = {
    {"secrets", 0, OPTION_FLAG, offsetof(struct export_options, secrets), NULL,
     "with the configs of sources and destinations, and webhooks"},
    {NULL},
};

const struct command cli_export = {
    .name = "export",
    .arguments = "",
    .summary = "print connections and what they are made of as YAML",
    .help =
        "What 'firth apply' takes: workspaces, custom definitions, sources, destinations, connections, with\n"
        "their ids. Configs and webhooks, which hold secrets, are left out unless --secrets asks for them;\n"
        "applied where they are there already, such a file leaves them as they are.\n",
    .options = options,
    .options_size = sizeof(struct export_options),
    .run = run,
};
