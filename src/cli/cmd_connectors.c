/* firth connectors: what is built in, and what was added. */
#include "cli/cmd_connectors.h"
#include "cli/output.h"
#include "connectors/registry.h"
#include "supervisor/definitions.h"
#include "json/writer.h"

#include <unistd.h>

static const char *kind_of(const struct firth_connector_class *class_)
{
    return class_->source.read ? "source" : "destination";
}

/* --- the list ----------------------------------------------------------------------------------------- */

struct custom {
    struct control_definition *items;
    size_t count;
    struct arena arena;
};

/* Of a data directory without a control store there are none. */
static int read_custom(const struct cli *cli, struct custom *custom, struct error *err)
{
    const struct control_definition_filter filter = {
        .any_side = true, .custom_only = true, .page = {.limit = CONTROL_PAGE_MAX}};
    mem_auto(control_close) struct control *control = control_open(cli->data_dir, CONTROL_LOOK, err);
    if (!control)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    return control_definitions(control, &filter, &custom->arena, &custom->items, &custom->count, NULL, err);
}

static const char *what_runs(const struct control_definition *definition, struct arena *arena)
{
    if (definition->origin == CONTROL_COMMAND)
        return arena_strndup(arena, definition->command.data, definition->command.size);
    const char *label = arena_printf(arena, "%s:%s", definition->repository, definition->tag);
    return definition->origin == CONTROL_IMAGE ? label : arena_printf(arena, "manifest %s", definition->tag);
}

static void print_table(const struct cli *cli, struct custom *custom, struct output *output)
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
    for (size_t i = 0; i < custom->count; i++) {
        table_cell(&table, custom->items[i].name);
        table_cell(&table, control_side_name(custom->items[i].side));
        table_cell(&table, "custom");
        table_cell(&table, what_runs(&custom->items[i], &custom->arena));
    }
    table_finish(&table, cli->terminal, output);
}

static void write_built_in(struct json_writer *writer, const struct firth_connector_class *class_)
{
    json_begin_object(writer);
    json_member_string(writer, "name", class_->name);
    json_member_string(writer, "kind", kind_of(class_));
    json_member_string(writer, "title", class_->title);
    json_member_string(writer, "summary", class_->summary);
    json_member_string(writer, "version", class_->version);
    json_put_key(writer, "images");
    json_begin_array(writer);
    for (size_t k = 0; class_->image_names && class_->image_names[k]; k++)
        json_put_string(writer, class_->image_names[k]);
    json_end_array(writer);
    json_end_object(writer);
}

void connectors_write_custom(struct json_writer *writer, const struct control_definition *definition)
{
    struct arena arena;
    arena_init(&arena);
    json_member_string(writer, "name", definition->name);
    json_member_string(writer, "kind", control_side_name(definition->side));
    json_member_bool(writer, "custom", true);
    json_member_string(writer, "id", definition->id);
    if (definition->origin == CONTROL_COMMAND)
        json_member_raw(writer, "command", definition->command);
    else if (definition->origin == CONTROL_IMAGE)
        json_member_string(writer, "image", definitions_label(definition, &arena));
    else
        json_member_string(writer, "manifestVersion", definition->tag);
    arena_done(&arena);
}

static void print_json(struct custom *custom, struct output *output)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    for (size_t i = 0; connectors_registry[i]; i++)
        write_built_in(&writer, connectors_registry[i]);
    for (size_t i = 0; i < custom->count; i++) {
        json_begin_object(&writer);
        connectors_write_custom(&writer, &custom->items[i]);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    buffer_byte(&text, '\n');
    output_write(output, text.data, text.size);
    buffer_done(&text);
}

static int list(struct cli *cli)
{
    struct custom custom = {0};
    struct output output;
    struct error err;
    arena_init(&custom.arena);
    int code = read_custom(cli, &custom, &err) < 0 ? cli_fail(cli, &err) : CLI_OK;
    if (code == CLI_OK) {
        output_init(&output, STDOUT_FILENO);
        if (cli->json)
            print_json(&custom, &output);
        else
            print_table(cli, &custom, &output);
        code = output_finish(&output, cli, CLI_OK);
    }
    arena_done(&custom.arena);
    return code;
}

/* --- the command -------------------------------------------------------------------------------------- */

static int run(struct cli *cli, int argc, char **argv)
{
    static const char *const words[] = {"add", "remove", "list"};
    const char *word = argc > 1 ? argv[1] : "list", *name = argc > 2 ? argv[2] : NULL;
    char shown[OPTION_SHOWN_MAX];
    struct error err;
    if (strcmp(word, "list") == 0 && !name)
        return list(cli);
    if (strcmp(word, "add") == 0 && name)
        return connectors_add(cli, name);
    if (strcmp(word, "remove") == 0 && name)
        return connectors_remove(cli, name);
    const char *nearest = string_nearest(word, words, sizeof words / sizeof *words);
    error_set(&err, ERROR_INVALID, "'firth connectors %s%s': it is list, add NAME or remove NAME%s%s%s",
              option_show(word, shown), name ? " …" : "", nearest && !name ? "; did you mean " : "",
              nearest && !name ? nearest : "", nearest && !name ? "?" : "");
    return cli_usage(cli, &err);
}

static const char *const kinds[] = {"auto", "source", "destination", NULL};

static const struct option_spec options[] = {
    {.name = "image",
     .kind = OPTION_STRING,
     .offset = offsetof(struct connectors_options, image),
     .value = "IMAGE",
     .help = "add: an image, REPOSITORY:TAG"},
    {.name = "command",
     .kind = OPTION_STRING,
     .offset = offsetof(struct connectors_options, command),
     .value = "COMMAND",
     .help = "add: a local command, its words in one"},
    {.name = "manifest-path",
     .kind = OPTION_STRING,
     .offset = offsetof(struct connectors_options, manifest),
     .value = "FILE",
     .help = "add: a manifest of Airbyte's low-code CDK, YAML or JSON"},
    {.name = "kind",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct connectors_options, kind),
     .value = "auto|source|destination",
     .help = "add, remove: which it is, where NAME does not begin with that",
     .choices = kinds},
    {0},
};

const struct command cli_connectors = {
    .name = "connectors",
    .arguments = "[list|add NAME|add MANIFEST|remove NAME]",
    .summary = "list the connectors, add and remove custom ones",
    .help =
        "A catalog names a built-in connector by its image (airbyte/source-faker:6.2.38 runs the built-in\n"
        "source-faker), and one that was added by its name (image: source-shop). `-o json` lists the images "
        "too.\n"
        "\n"
        "'add' makes a connector of yours one that the API and 'firth apply' have: an image, a command of\n"
        "this machine, or a manifest. It is asked for its spec, which is kept. The same NAME again changes\n"
        "it. Catalogs name images and commands themselves, without adding them.\n"
        "\n"
        "  firth connectors add source-shop --image ghcr.io/me/source-shop:1.4\n"
        "  firth connectors add source-shop --command 'python3 shop.py'\n"
        "  firth connectors add source-shop --manifest-path shop.yaml\n"
        "  firth connectors add shop.yaml\n",
    .options = options,
    .options_size = sizeof(struct connectors_options),
    .operands_max = 2,
    .images = true,
    .run = run,
};
