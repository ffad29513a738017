/* `firth check`: is a catalog right? All that is wrong with it at once, or a short list of what it defines.
 */
#include "cli/catalog_file.h"
#include "cli/flow_check.h"
#include "json/writer.h"

#include <unistd.h>

/* --- what is wrong --------------------------------------------------------------------------------- */

static void json_errors(const struct catalog_errors *errors, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_bool(writer, "ok", false);
    json_put_key(writer, "errors");
    json_begin_array(writer);
    for (size_t i = 0; i < errors->count; i++) {
        const struct catalog_error *error = &errors->items[i];
        json_begin_object(writer);
        json_member_string(writer, "file", error->place.file);
        if (error->place.line) {
            json_member_u64(writer, "line", error->place.line);
            json_member_u64(writer, "column", error->place.column);
        }
        json_member_string(writer, "message", error->message);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_u64(writer, "omitted", errors->omitted);
    json_end_object(writer);
}

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
        table_cell(table, "checked; this version does not run tests");
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

static void json_catalog(const struct catalog *catalog, struct json_writer *writer)
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
    json_end_object(writer);
}

/* --- the command ----------------------------------------------------------------------------------- */

static int print_json(const struct cli *cli, const struct catalog *catalog,
                      const struct catalog_errors *errors)
{
    struct buffer text;
    struct json_writer writer;
    struct output output;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    if (catalog)
        json_catalog(catalog, &writer);
    else
        json_errors(errors, &writer);
    buffer_byte(&text, '\n');
    output_init(&output, STDOUT_FILENO);
    output_write(&output, text.data, text.size);
    buffer_done(&text);
    return output_finish(&output, cli, catalog ? CLI_OK : CLI_INVALID);
}

static int run_check(struct cli *cli, int argc, char **argv)
{
    struct catalog_errors errors;
    struct error err;
    struct output output;
    int code;
    catalog_errors_init(&errors);
    mem_auto(catalog_free) struct catalog *catalog = catalog_file_load(cli, argv[1], &errors, &err);
    if (catalog)
        flow_check(cli->built_ins, catalog, &errors);
    bool right = catalog && errors.count == 0;
    if (cli->json) {
        code = print_json(cli, right ? catalog : NULL, &errors);
    } else if (right) {
        output_init(&output, STDOUT_FILENO);
        print_catalog(catalog, cli, &output);
        code = output_finish(&output, cli, CLI_OK);
    } else {
        output_init(&output, STDERR_FILENO);
        catalog_file_print_errors(&errors, cli->color_error, &output);
        code = output_finish(&output, cli, CLI_INVALID);
    }
    catalog_errors_done(&errors);
    return code;
}

const struct command cli_check = {
    .name = "check",
    .arguments = "CATALOG",
    .summary = "check a catalog: every error at once, with its place",
    .help =
        "Reads the catalog, what it imports, its config and schema files. Built-in connectors are asked "
        "whether\n"
        "their configs and streams are right; images that are on this machine, whether their configs are;\n"
        "local commands that speak Flow's protocol, where they can be started, whether they validate.\n"
        "Errors go to standard error as\n"
        "FILE:LINE:COLUMN: MESSAGE (with -o json to standard output); the exit code is then 3.\n"
        "\n"
        "  firth check flow.yaml\n",
    .images = true,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_check,
};
