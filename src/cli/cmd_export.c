/* `firth export`: all of the control store that a person has made, as a file that `firth apply` takes. */
#include "base/file.h"
#include "cli/apply.h"
#include "cli/command.h"
#include "cli/data_dir.h"
#include "cli/output.h"
#include "cli/references.h"
#include "control/actors.h"
#include "control/connections.h"
#include "control/definitions.h"
#include "control/settings.h"
#include "control/workspaces.h"
#include "supervisor/definitions.h"
#include "yaml/yaml.h"
#include "json/writer.h"

#include <stdlib.h>
#include <unistd.h>

struct export_options {
    bool with_secrets;
    const char *file;
};

struct export
{
    const struct cli *cli;
    struct control *control;
    struct references references;
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
    if (json.size == 0 || slice_is(json, "{}"))
        return;
    buffer_printf(&export->out, "    %s: ", name);
    references_put_plain(&export->references, json, &export->out);
    buffer_byte(&export->out, '\n');
}

static void put_true(struct export *export, const char *name, bool value)
{
    if (value)
        buffer_printf(&export->out, "    %s: true\n", name);
}

/* --- order: what a file says does not tell when things were made ------------------------------------- */

static int by_name(const char *a, const char *b, const char *a_id, const char *b_id)
{
    int order = strcmp(a, b);
    return order ? order : strcmp(a_id, b_id);
}

static int by_actor(const void *a, const void *b)
{
    const struct control_actor *x = a, *y = b;
    return by_name(x->name, y->name, x->id, y->id);
}

static int by_connection(const void *a, const void *b)
{
    const struct control_connection *x = a, *y = b;
    return by_name(x->name, y->name, x->id, y->id);
}

static int by_workspace(const void *a, const void *b)
{
    const struct control_workspace *x = a, *y = b;
    return by_name(x->name, y->name, x->id, y->id);
}

static int by_definition(const void *a, const void *b)
{
    const struct control_definition *x = a, *y = b;
    return by_name(x->name, y->name, x->id, y->id);
}

static const struct control_page all = {.limit = CONTROL_PAGE_MAX};

/* More than a page is more than one list takes: what a file of that size is for is not known. */
static int check_count(const char *what, size_t count, uint64_t total, struct error *err)
{
    return count == total ? 0
                          : error_set(err, ERROR_LIMIT, "there are %llu %s; a file has %d at most",
                                      (unsigned long long)total, what, CONTROL_PAGE_MAX);
}

/* --- the six kinds ------------------------------------------------------------------------------- */

static int export_settings(struct export *export, struct error *err)
{
    struct control_setting *items;
    size_t count = 0;
    if (control_settings(export->control, "", &export->arena, &items, &count, err) < 0)
        return -1;
    for (size_t i = 0, written = 0; i < count; i++) {
        if (!apply_takes_setting(items[i].name))
            continue;
        if (written++ == 0)
            buffer_str(&export->out, "settings:\n");
        buffer_printf(&export->out, "  %s: ", items[i].name);
        json_escape(&export->out, slice_of(items[i].value));
        buffer_byte(&export->out, '\n');
    }
    return 0;
}

static int export_workspaces(struct export *export, struct error *err)
{
    struct control_workspace *items;
    uint64_t total;
    size_t count = 0;
    if (control_workspaces(export->control, &all, &export->arena, &items, &count, &total, err) < 0 ||
        check_count("workspaces", count, total, err) < 0)
        return -1;
    buffer_str(&export->out, "workspaces:\n");
    qsort(items, count, sizeof *items, by_workspace);
    for (size_t i = 0; i < count; i++) {
        begin_item(export, items[i].id);
        put_text(export, "name", items[i].name);
        put_text(export, "slug", items[i].slug);
        put_text(export, "email", items[i].email);
        if (items[i].notifications.size) { /* a webhook's URL is a secret */
            buffer_str(&export->out, "    notifications: ");
            references_put_urls(&export->references,
                                arena_printf(&export->arena, "workspace %s", items[i].name),
                                items[i].notifications, &export->out);
            buffer_byte(&export->out, '\n');
        }
        put_json(export, "extra", items[i].extra);
    }
    return 0;
}

static int export_definitions(struct export *export, struct error *err)
{
    struct control_definition *items;
    uint64_t total;
    size_t count = 0;
    const struct control_definition_filter custom = {.any_side = true, .custom_only = true, .page = all};
    if (control_definitions(export->control, &custom, &export->arena, &items, &count, &total, err) < 0 ||
        check_count("definitions", count, total, err) < 0)
        return -1;
    if (count)
        buffer_str(&export->out, "definitions:\n");
    qsort(items, count, sizeof *items, by_definition);
    for (size_t i = 0; i < count; i++) {
        begin_item(export, items[i].id);
        put_text(export, "name", items[i].name);
        put_text(export, "kind", control_side_name(items[i].side));
        put_text(export, "workspace", items[i].workspace);
        put_text(export, "documentationUrl", items[i].documentation_url);
        put_text(export, "icon", items[i].icon);
        if (items[i].origin == CONTROL_IMAGE)
            put_text(export, "image",
                     arena_printf(&export->arena, "%s:%s", items[i].repository, items[i].tag));
        if (items[i].origin == CONTROL_COMMAND)
            put_json(export, "command", items[i].command);
        if (items[i].origin == CONTROL_MANIFEST)
            put_json(export, "manifest", items[i].manifest);
        else if (items[i].spec_of &&
                 strcmp(items[i].spec_of, definitions_label(&items[i], &export->arena)) == 0)
            put_json(export, "spec", items[i].spec);
        put_json(export, "extra", items[i].extra);
    }
    return 0;
}

/* The schema of the config that its connector takes, as it said it when it was last asked; a built-in that
 * never was is asked now. Size 0: not known. */
static struct slice schema_of(struct export *export, const char *id)
{
    struct control_definition definition;
    struct connector_program program;
    struct json spec;
    struct error unused;
    if (control_definition_get(export->control, id, true, &export->arena, &definition, &unused) < 0)
        return (struct slice){0};
    if (definition.spec.size) {
        if (json_parse_copy(&export->arena, definition.spec.data, definition.spec.size, &spec, &unused) < 0)
            return (struct slice){0};
    } else {
        const struct connector_spec wanted = {.built_in = definition.built_in, .protocol = CONNECTOR_AIRBYTE};
        if (definition.origin != CONTROL_BUILT_IN ||
            connector_resolve(export->cli->built_ins, &wanted, &export->arena, &program, &unused) < 0 ||
            connector_airbyte_spec(&program, &connector_limits_default, &export->arena, &spec, &unused) < 0)
            return (struct slice){0};
    }
    uint32_t schema = json_get(&spec, 0, "connectionSpecification");
    return json_is(&spec, schema, JSON_OBJECT) ? json_raw(&spec, schema) : (struct slice){0};
}

static int export_actors(struct export *export, enum control_side side, struct error *err)
{
    struct control_actor *items;
    uint64_t total;
    size_t count = 0;
    struct map schemas; /* by definition */
    const struct control_actor_filter filter = {.side = side, .configs = true, .page = all};
    if (control_actors(export->control, &filter, &export->arena, &items, &count, &total, err) < 0 ||
        check_count("sources or destinations", count, total, err) < 0)
        return -1;
    if (count)
        buffer_printf(&export->out, "%ss:\n", control_side_name(side));
    map_init(&schemas);
    qsort(items, count, sizeof *items, by_actor);
    for (size_t i = 0; i < count; i++) {
        struct slice *schema = map_get(&schemas, slice_of(items[i].definition));
        if (!schema && !export->references.open) {
            schema = arena_alloc(&export->arena, sizeof *schema);
            *schema = schema_of(export, items[i].definition);
            map_set(&schemas, slice_of(items[i].definition), schema);
        }
        begin_item(export, items[i].id);
        put_text(export, "name", items[i].name);
        put_text(export, "workspace", items[i].workspace);
        put_text(export, "definition", items[i].definition);
        buffer_str(&export->out, "    config: ");
        references_put_config(&export->references,
                              arena_printf(&export->arena, "%s %s", control_side_name(side), items[i].name),
                              schema ? *schema : (struct slice){0}, items[i].config, &export->out);
        buffer_byte(&export->out, '\n');
        put_json(export, "extra", items[i].extra);
    }
    map_done(&schemas);
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
    uint64_t total;
    size_t count = 0;
    const struct control_connection_filter filter = {.any_status = true, .catalogs = true, .page = all};
    if (control_connections(export->control, &filter, &export->arena, &items, &count, &total, err) < 0 ||
        check_count("connections", count, total, err) < 0)
        return -1;
    if (count)
        buffer_str(&export->out, "connections:\n");
    qsort(items, count, sizeof *items, by_connection);
    for (size_t i = 0; i < count; i++) {
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
        put_true(export, "notifySchemaChanges", connection->notify_changes);
        put_true(export, "backfill", connection->backfill);
        put_json(export, "catalog", connection->catalog);
        put_json(export, "extra", connection->extra);
    }
    return 0;
}

/* --- the whole ----------------------------------------------------------------------------------- */

static int export_all(struct export *export, struct error *err)
{
    return export_settings(export, err) < 0 || export_workspaces(export, err) < 0 ||
                   export_definitions(export, err) < 0 || export_actors(export, CONTROL_SOURCE, err) < 0 ||
                   export_actors(export, CONTROL_DESTINATION, err) < 0 || export_connections(export, err) < 0
               ? -1
               : 0;
}

/* The same as JSON, which `firth apply` takes too. */
static int turn_to_json(struct export *export, struct error *err)
{
    struct yaml_document doc;
    struct json_writer writer;
    struct buffer text;
    if (yaml_parse(&export->arena, "what is exported", YAML_SYNTAX_YAML,
                   (struct slice){export->out.data, export->out.size}, NULL, NULL, &doc, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_put_value(&writer, &doc.json, 0);
    buffer_byte(&text, '\n');
    explicit_bzero(export->out.data, export->out.capacity);
    buffer_done(&export->out);
    export->out = text;
    return 0;
}

static int write_out(struct export *export, const char *file)
{
    struct output output;
    struct error err;
    if (file && strcmp(file, "-") != 0)
        return file_replace(file, export->out.data, export->out.size, 0600, &err) < 0
                   ? cli_fail(export->cli, &err)
                   : CLI_OK;
    output_init(&output, STDOUT_FILENO);
    output_write(&output, export->out.data, export->out.size);
    return output_finish(&output, export->cli, CLI_OK);
}

/* What is not there is not made, and what is there is opened with its key: configs are sealed. */
static struct control *open_store(const struct cli *cli, struct error *err)
{
    if (data_dir_check(cli, err) < 0)
        return NULL;
    mem_auto(control_close) struct control *there = control_open(cli->data_dir, CONTROL_LOOK, err);
    return there ? control_open(cli->data_dir, CONTROL_CHANGE, err) : NULL;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct export_options *options = cli->options;
    struct export export = {.cli = cli};
    struct error err;
    (void)argc, (void)argv;
    if (options->with_secrets && !options->file) {
        error_set(&err, ERROR_INVALID,
                  "--with-secrets writes them in clear: say where, with --file FILE, which only you can read "
                  "then, or --file - for standard output");
        return cli_fail(cli, &err);
    }
    mem_auto(control_close) struct control *control = open_store(cli, &err);
    if (!control)
        return cli_fail(cli, &err);
    export.control = control;
    buffer_init(&export.out, BUFFER_UNLIMITED);
    arena_init(&export.arena);
    references_init(&export.references, options->with_secrets, &export.arena);
    bool failed = export_all(&export, &err) < 0 || (cli->json && turn_to_json(&export, &err) < 0);
    int code = failed ? cli_fail(cli, &err) : write_out(&export, options->file);
    if (export.references.count)
        log_info(&cli->log, "%zu secret%s left out: the file names environment variables in their places",
                 export.references.count, export.references.count == 1 ? " is" : "s are");
    if (export.out.data)
        explicit_bzero(export.out.data, export.out.capacity);
    references_done(&export.references);
    buffer_done(&export.out);
    arena_done(&export.arena);
    return code;
}

static const struct option_spec options[] = {
    {.name = "file",
     .kind = OPTION_STRING,
     .offset = offsetof(struct export_options, file),
     .value = "FILE",
     .help = "write it there, for you alone to read"},
    {.name = "with-secrets",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct export_options, with_secrets),
     .help = "with passwords, tokens and webhooks as they are"},
    {0},
};

const struct command cli_export = {
    .name = "export",
    .arguments = "",
    .summary = "print connections and what they are made of as YAML",
    .help =
        "What 'firth apply' takes: settings, workspaces, custom definitions, sources, destinations and\n"
        "connections, with their ids. In the place of a secret stands ${NAME}: applied where the secret is\n"
        "there already, it stays; elsewhere the environment has to have it.\n"
        "\n"
        "  firth export --file connections.yaml\n"
        "  firth export --with-secrets --file backup.yaml\n",
    .options = options,
    .options_size = sizeof(struct export_options),
    .run = run,
};
