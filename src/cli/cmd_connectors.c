/* firth connectors: what is built in. */
#include "cli/command.h"
#include "cli/output.h"
#include "connectors/registry.h"
#include "json/writer.h"

#include <unistd.h>

static const char *kind_of(const struct firth_connector_class *class_)
{
    return class_->source.read ? "source" : "destination";
}

static void print_table(const struct cli *cli, struct output *output)
{
    static const char *const headings[] = {"NAME", "KIND", "TITLE", "SUMMARY", NULL};
    struct table table;
    table_init(&table, headings);
    for (size_t i = 0; connectors_registry[i]; i++) {
        const struct firth_connector_class *class_ = connectors_registry[i];
        table_cell(&table, class_->name);
        table_cell(&table, kind_of(class_));
        table_cell(&table, class_->title);
        table_cell(&table, class_->summary);
    }
    table_finish(&table, cli->terminal, output);
}

static void print_json(struct output *output)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    for (size_t i = 0; connectors_registry[i]; i++) {
        const struct firth_connector_class *class_ = connectors_registry[i];
        json_begin_object(&writer);
        json_member_string(&writer, "name", class_->name);
        json_member_string(&writer, "kind", kind_of(class_));
        json_member_string(&writer, "title", class_->title);
        json_member_string(&writer, "summary", class_->summary);
        json_member_string(&writer, "version", class_->version);
        json_put_key(&writer, "images");
        json_begin_array(&writer);
        for (size_t k = 0; class_->image_names && class_->image_names[k]; k++)
            json_put_string(&writer, class_->image_names[k]);
        json_end_array(&writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    buffer_byte(&text, '\n');
    output_write(output, text.data, text.size);
    buffer_done(&text);
}

static int run_connectors(struct cli *cli, int argc, char **argv)
{
    struct output output;
    output_init(&output, STDOUT_FILENO);
    if (cli->json)
        print_json(&output);
    else
        print_table(cli, &output);
    return output_finish(&output, cli, CLI_OK);
}

const struct command cli_connectors = {
    .name = "connectors",
    .arguments = "",
    .summary = "list the built-in connectors",
    .help = "A catalog names one by its image (airbyte/source-faker:6.2.38 runs the built-in source-faker).\n"
            "`-o json` lists the images too.\n",
    .run = run_connectors,
};
