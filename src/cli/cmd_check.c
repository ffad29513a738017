/* `firth check`: is a catalog right? All that is wrong with it at once, or a short list of what it defines.
 */
#include "cli/catalog_file.h"
#include "supervisor/plan.h"

#include <unistd.h>

/* --- what it defines ------------------------------------------------------------------------------- */

static void print_count(struct output *output, size_t count, const char *what, bool *first)
{
    if (count == 0)
        return;
    output_printf(output, "%s%zu %s%s", *first ? "" : ", ", count, what, count == 1 ? "" : "s");
    *first = false;
}

static const char *endpoint_text(const struct catalog_endpoint *endpoint)
{
    switch (endpoint->kind) {
    case CATALOG_ENDPOINT_CONNECTOR:
        return endpoint->image;
    case CATALOG_ENDPOINT_LOCAL:
        return endpoint->command[0];
    case CATALOG_ENDPOINT_INGEST:
        return "ingest";
    case CATALOG_ENDPOINT_DEKAF:
        return "dekaf";
    }
    return "";
}

static void list_collections(const struct catalog *catalog, struct table *table)
{
    for (size_t i = 0; i < catalog->collection_count; i++) {
        const struct catalog_collection *collection = &catalog->collections[i];
        struct buffer key;
        buffer_init(&key, BUFFER_UNLIMITED);
        for (size_t j = 0; j < collection->key_count; j++)
            buffer_printf(&key, "%s%s", j ? ", " : "key ", collection->key[j]);
        table_cell(table, "collection");
        table_cell(table, collection->name);
        table_cell(table, buffer_cstr(&key));
        buffer_done(&key);
    }
}

static void list_tasks(const struct catalog *catalog, struct table *table)
{
    for (size_t i = 0; i < catalog->capture_count; i++) {
        const struct catalog_capture *capture = &catalog->captures[i];
        table_cell(table, "capture");
        table_cell(table, capture->name);
        table_cellf(table, "%s, %zu binding%s%s", endpoint_text(&capture->endpoint), capture->binding_count,
                    capture->binding_count == 1 ? "" : "s", capture->disable ? ", disabled" : "");
    }
    for (size_t i = 0; i < catalog->connection_count; i++) {
        const struct catalog_connection *connection = &catalog->connections[i];
        table_cell(table, "connection");
        table_cell(table, connection->name);
        table_cellf(table, "%s to %s%s", endpoint_text(&connection->source),
                    endpoint_text(&connection->destination), connection->disable ? ", disabled" : "");
    }
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        const struct catalog_materialization *materialization = &catalog->materializations[i];
        table_cell(table, "materialization");
        table_cell(table, materialization->name);
        table_cellf(table, "to %s, %zu binding%s%s", endpoint_text(&materialization->endpoint),
                    materialization->binding_count, materialization->binding_count == 1 ? "" : "s",
                    materialization->disable ? ", disabled" : "");
    }
    for (size_t i = 0; i < catalog->test_count; i++) {
        table_cell(table, "test");
        table_cell(table, catalog->tests[i].name);
        table_cell(table, "'firth test' runs it");
    }
}

static void print_catalog(const struct catalog *catalog, const struct cli *cli, struct output *output)
{
    static const char *const headings[] = {"KIND", "NAME", "WHAT", NULL};
    bool first = true;
    output_str(output, "ok: ");
    print_count(output, catalog->collection_count, "collection", &first);
    print_count(output, catalog->capture_count, "capture", &first);
    print_count(output, catalog->connection_count, "connection", &first);
    print_count(output, catalog->materialization_count, "materialization", &first);
    print_count(output, catalog->test_count, "test", &first);
    output_str(output, "\n\n");
    struct table table;
    table_init(&table, headings);
    list_collections(catalog, &table);
    list_tasks(catalog, &table);
    table_finish(&table, cli->terminal, output);
}

/* --- what is right, and good to know before a run ---------------------------------------------------- */

/* Calls `tell` with each endpoint that cannot be run, and what it is. */
static void for_later(const struct catalog *catalog,
                      void (*tell)(void *, const struct catalog_place *, const char *), void *context)
{
    for (size_t i = 0; i < catalog->capture_count; i++) {
        const struct catalog_endpoint *endpoint = &catalog->captures[i].endpoint;
        if (plan_cannot_run(endpoint) && !catalog->captures[i].disable)
            tell(context, &endpoint->place, plan_cannot_run(endpoint));
    }
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        const struct catalog_endpoint *endpoint = &catalog->materializations[i].endpoint;
        if (plan_cannot_run(endpoint) && !catalog->materializations[i].disable)
            tell(context, &endpoint->place, plan_cannot_run(endpoint));
    }
}

static void warn(const struct cli *cli, const struct catalog_place *place, const char *message)
{
    log_warn(&cli->log, "%s:%u:%u: %s", place->file, place->line, place->column, message);
}

static void warn_later(void *context, const struct catalog_place *place, const char *what)
{
    auto_free char *message = mem_printf("%s cannot be run by this version", what);
    warn(context, place, message);
}

static void json_warning(struct json_writer *writer, const struct catalog_place *place, const char *message)
{
    json_begin_object(writer);
    json_member_string(writer, "file", place->file);
    json_member_u64(writer, "line", place->line);
    json_member_u64(writer, "column", place->column);
    json_member_string(writer, "message", message);
    json_end_object(writer);
}

static void json_later(void *context, const struct catalog_place *place, const char *what)
{
    auto_free char *message = mem_printf("%s cannot be run by this version", what);
    json_warning(context, place, message);
}

static void json_names(struct json_writer *writer, const char *member, size_t count, const void *items,
                       size_t size, size_t name_offset)
{
    json_put_key(writer, member);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        const char *name;
        memcpy(&name, (const char *)items + i * size + name_offset, sizeof name);
        json_put_string(writer, name);
    }
    json_end_array(writer);
}

static void json_catalog(const struct catalog *catalog, const struct catalog_errors *notes,
                         struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_bool(writer, "ok", true);
    json_names(writer, "collections", catalog->collection_count, catalog->collections,
               sizeof *catalog->collections, offsetof(struct catalog_collection, name));
    json_names(writer, "captures", catalog->capture_count, catalog->captures, sizeof *catalog->captures,
               offsetof(struct catalog_capture, name));
    json_names(writer, "connections", catalog->connection_count, catalog->connections,
               sizeof *catalog->connections, offsetof(struct catalog_connection, name));
    json_names(writer, "materializations", catalog->materialization_count, catalog->materializations,
               sizeof *catalog->materializations, offsetof(struct catalog_materialization, name));
    json_names(writer, "tests", catalog->test_count, catalog->tests, sizeof *catalog->tests,
               offsetof(struct catalog_test, name));
    json_put_key(writer, "warnings");
    json_begin_array(writer);
    for_later(catalog, json_later, writer);
    for (size_t i = 0; i < notes->count; i++)
        json_warning(writer, &notes->items[i].place, notes->items[i].message);
    json_end_array(writer);
    json_end_object(writer);
}

/* --- the command ----------------------------------------------------------------------------------- */

static void print_json(const struct catalog *catalog, const struct catalog_errors *notes,
                       struct output *output)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_catalog(catalog, notes, &writer);
    buffer_byte(&text, '\n');
    output_write(output, text.data, text.size);
    buffer_done(&text);
}

static int run_check(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    struct catalog_errors errors, notes;
    const struct catalog_file all = {.depth = ENDPOINT_CHECK_ALL, .notes = &notes};
    struct output output;
    int code;
    catalog_errors_init(&errors);
    catalog_errors_init(&notes);
    mem_auto(catalog_free) struct catalog *catalog = catalog_file_load(cli, argv[1], &all, &errors);
    if (catalog) {
        output_init(&output, STDOUT_FILENO);
        if (cli->json) {
            print_json(catalog, &notes, &output);
        } else {
            print_catalog(catalog, cli, &output);
            for_later(catalog, warn_later, cli);
            for (size_t i = 0; i < notes.count; i++)
                warn(cli, &notes.items[i].place, notes.items[i].message);
        }
        code = output_finish(&output, cli, CLI_OK);
    } else {
        code = catalog_file_tell(cli, &errors, cli->json ? STDOUT_FILENO : STDERR_FILENO);
    }
    catalog_errors_done(&notes);
    catalog_errors_done(&errors);
    return code;
}

const struct command cli_check = {
    .name = "check",
    .arguments = "CATALOG",
    .summary = "check a catalog: every error at once, with its place",
    .help =
        "Reads the catalog, what it imports, its config and schema files, and asks its connectors: built-in\n"
        "ones and local commands whether configs and streams are right, images that are on this machine\n"
        "whether their configs are, what speaks Flow's protocol whether it validates.\n"
        "Errors go to standard error as FILE:LINE:COLUMN: MESSAGE (with -o json to standard output); the\n"
        "exit code is then 3.\n"
        "\n"
        "  firth check flow.yaml\n",
    .images = true,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_check,
};
