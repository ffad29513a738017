/* `firth help`, `firth version`, and what `--help` prints: all from the tables. */
#include "cli/global.h"
#include "cli/images.h"
#include "cli/output.h"

#include <unistd.h>

static const char *const output_choices[] = {"text", "json", NULL};

const struct option_spec global_option_specs[] = {
    {"data-dir", 0, OPTION_STRING, offsetof(struct global_options, data_dir), "DIR",
     "where Firth keeps its state (FIRTH_DATA_DIR, else .firth)"},
    {"output", 'o', OPTION_CHOICE, offsetof(struct global_options, output), "text|json",
     "for people or for machines", output_choices},
    {"no-color", 0, OPTION_FLAG, offsetof(struct global_options, no_color), NULL,
     "plain text, no live progress (so does NO_COLOR)"},
    {"log-level", 0, OPTION_STRING, offsetof(struct global_options, log_level), "LEVEL",
     "trace, debug, info (the default), warn or error (FIRTH_LOG_LEVEL)"},
    {"help", 'h', OPTION_FLAG, offsetof(struct global_options, help), NULL, "this text"},
    {"version", 0, OPTION_FLAG, offsetof(struct global_options, version), NULL, "the program's version"},
    {NULL},
};

/* --- with -o json ---------------------------------------------------------------------------------- */

static void json_options(struct json_writer *writer, const struct option_spec *specs)
{
    static const char *const kinds[] = {[OPTION_FLAG] = "flag",
                                        [OPTION_STRING] = "text",
                                        [OPTION_NUMBER] = "number",
                                        [OPTION_CHOICE] = "choice",
                                        [OPTION_LIST] = "list"};
    for (; specs && specs->name; specs++) {
        json_begin_object(writer);
        json_member_string(writer, "name", specs->name);
        if (specs->letter)
            json_member_string(writer, "letter", (char[]){specs->letter, 0});
        json_member_string(writer, "kind", kinds[specs->kind]);
        if (specs->value)
            json_member_string(writer, "value", specs->value);
        json_member_bool(writer, "required", specs->required);
        json_member_string(writer, "help", specs->help);
        json_end_object(writer);
    }
}

static void json_command(struct json_writer *writer, const struct command *command)
{
    json_begin_object(writer);
    json_member_string(writer, "name", command->name);
    json_member_string(writer, "arguments", command->arguments ? command->arguments : "");
    json_member_string(writer, "summary", command->summary);
    json_put_key(writer, "options");
    json_begin_array(writer);
    json_options(writer, command->options);
    if (command->images)
        json_options(writer, image_option_specs);
    json_end_array(writer);
    if (command->help)
        json_member_string(writer, "help", command->help);
    json_end_object(writer);
}

/* One command, or all of them and the options that all have. */
static int print_json(const struct cli *cli, const struct command *command, int fd)
{
    struct output out;
    struct buffer text;
    struct json_writer writer;
    output_init(&out, fd);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    if (command) {
        json_command(&writer, command);
    } else {
        json_begin_object(&writer);
        json_put_key(&writer, "commands");
        json_begin_array(&writer);
        for (size_t i = 0; cli_commands[i]; i++) {
            if (!cli_commands[i]->hidden)
                json_command(&writer, cli_commands[i]);
        }
        json_end_array(&writer);
        json_put_key(&writer, "options");
        json_begin_array(&writer);
        json_options(&writer, global_option_specs);
        json_end_array(&writer);
        json_end_object(&writer);
    }
    buffer_byte(&text, '\n');
    output_write(&out, text.data, text.size);
    buffer_done(&text);
    return output_finish(&out, cli, CLI_OK);
}

/* --- for people ------------------------------------------------------------------------------------ */

int help_overview(const struct cli *cli, int fd)
{
    struct output out;
    struct buffer options;
    if (cli->json)
        return print_json(cli, NULL, fd);
    output_init(&out, fd);
    output_str(&out,
               "firth moves data: captures into collections, connections from source to destination.\n\n"
               "Usage: firth COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        if (!cli_commands[i]->hidden)
            output_printf(&out, "  %-12s  %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    }
    buffer_init(&options, 1 << 20);
    options_help(global_option_specs, &options);
    output_printf(&out,
                  "\nOptions of every command:\n%s\n'firth COMMAND --help' says more about one command.\n",
                  buffer_cstr(&options));
    buffer_done(&options);
    return output_finish(&out, cli, CLI_OK);
}

int help_command(const struct cli *cli, const struct command *command)
{
    struct output out;
    struct buffer text;
    if (cli->json)
        return print_json(cli, command, STDOUT_FILENO);
    output_init(&out, STDOUT_FILENO);
    buffer_init(&text, 1 << 20);
    buffer_printf(&text, "firth %s: %s\n\nUsage: firth %s%s%s", command->name, command->summary,
                  command->name, command->arguments ? " " : "", command->arguments ? command->arguments : "");
    options_usage(command->options, &text);
    buffer_str(&text, "\n");
    if (command->options) {
        buffer_str(&text, "\nOptions:\n");
        options_help(command->options, &text);
    }
    if (command->images) {
        buffer_str(&text, "\nOptions for connectors that are OCI images:\n");
        options_help(image_option_specs, &text);
    }
    buffer_str(&text, "\nOptions of every command:\n");
    options_help(global_option_specs, &text);
    if (command->help)
        buffer_printf(&text, "\n%s", command->help);
    output_write(&out, text.data, text.size);
    buffer_done(&text);
    return output_finish(&out, cli, CLI_OK);
}

int help_version(const struct cli *cli)
{
    struct output out;
    output_init(&out, STDOUT_FILENO);
    if (cli->json)
        output_str(&out, "{\"name\":\"firth\",\"version\":\"" FIRTH_VERSION "\"}\n");
    else
        output_str(&out, "firth " FIRTH_VERSION "\n");
    return output_finish(&out, cli, CLI_OK);
}

int help_unknown_command(const char *name, struct error *err)
{
    const char *candidates[64];
    size_t count = 0;
    char shown[OPTION_SHOWN_MAX];
    for (size_t i = 0; cli_commands[i] && count < 64; i++) {
        if (!cli_commands[i]->hidden)
            candidates[count++] = cli_commands[i]->name;
    }
    const char *nearest = strlen(name) < 256 ? string_nearest(name, candidates, count) : NULL;
    if (nearest)
        return error_set(err, ERROR_INVALID, "unknown command '%s'; did you mean %s?",
                         option_show(name, shown), nearest);
    return error_set(err, ERROR_INVALID, "unknown command '%s'", option_show(name, shown));
}

static int run_help(struct cli *cli, int argc, char **argv)
{
    struct error err;
    if (argc < 2)
        return help_overview(cli, STDOUT_FILENO);
    const struct command *command = cli_command_find(argv[1]);
    if (!command) {
        help_unknown_command(argv[1], &err);
        return cli_usage(cli, &err);
    }
    return help_command(cli, command);
}

static int run_version(struct cli *cli, int argc, char **argv)
{
    return help_version(cli);
}

const struct command cli_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "say what a command does",
    .operands_max = 1,
    .run = run_help,
};

const struct command cli_version = {
    .name = "version",
    .summary = "print the program's version",
    .run = run_version,
};
