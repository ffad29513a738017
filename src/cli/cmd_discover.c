/* `firth discover`: from a connector to a catalog that runs. */
#include "cli/cmd_discover.h"
#include "base/file.h"
#include "cli/catalog_file.h"
#include "cli/output.h"
#include "connector/image.h"
#include "json/writer.h"

#include <unistd.h>

static const char *const protocols[] = {"either", "airbyte", "flow", NULL};

static const struct option_spec specs[] = {
    {"image", 0, OPTION_STRING, offsetof(struct discover_options, image), "IMAGE",
     "the connector: an OCI image"},
    {"command", 0, OPTION_STRING, offsetof(struct discover_options, command), "COMMAND",
     "the connector: a local command, its words in one"},
    {"connector", 0, OPTION_STRING, offsetof(struct discover_options, connector), "NAME",
     "the connector: a built-in one, or one that was added"},
    {"protocol", 0, OPTION_CHOICE, offsetof(struct discover_options, protocol), "airbyte|flow",
     "what the command speaks; found out by asking it", protocols},
    {"name", 0, OPTION_STRING, offsetof(struct discover_options, name), "NAME",
     "the capture's name, as acmeCo/shop"},
    {"prefix", 0, OPTION_STRING, offsetof(struct discover_options, prefix), "PREFIX",
     "what the collections' names begin with; the capture's name without its last part"},
    {"all", 0, OPTION_FLAG, offsetof(struct discover_options, all), NULL,
     "also streams that were left out or taken out before, or that the connector suggests to leave out"},
    {"yes", 'y', OPTION_FLAG, offsetof(struct discover_options, yes), NULL, "ask nothing"},
    {NULL},
};

/* --- names ----------------------------------------------------------------------------------------- */

static bool same_endpoint(const struct discovery *discovery, const struct catalog_endpoint *endpoint)
{
    if (discovery->image)
        return endpoint->image && slice_equal(connector_image_repository(endpoint->image),
                                              connector_image_repository(discovery->image));
    size_t i = 0;
    if (!endpoint->command)
        return false;
    while (discovery->command[i] && endpoint->command[i] &&
           strcmp(discovery->command[i], endpoint->command[i]) == 0)
        i++;
    return !discovery->command[i] && !endpoint->command[i];
}

/* The capture to add to: the one of that name, or the only one of that connector. */
static int find_capture(struct discovery *discovery, struct error *err)
{
    const struct catalog *catalog = discovery->catalog;
    const char *name = discovery->options->name;
    size_t found = 0;
    if (!catalog)
        return 0;
    for (size_t i = 0; i < catalog->capture_count; i++) {
        const struct catalog_capture *capture = &catalog->captures[i];
        bool same = same_endpoint(discovery, &capture->endpoint);
        if (name && strcmp(capture->name, name) == 0 && !same)
            return error_set(err, ERROR_INVALID, "%s:%u: the capture %s is there, with another connector",
                             capture->place.file, capture->place.line, name);
        if (name ? strcmp(capture->name, name) == 0 : same) {
            discovery->capture = capture;
            found++;
        }
    }
    if (found > 1)
        return error_set(err, ERROR_INVALID, "%s has %zu captures of this connector: --name says which",
                         discovery->file, found);
    return 0;
}

/* acmeCo/x/y to acmeCo/x/ */
static const char *prefix_of(struct arena *arena, const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? arena_strndup(arena, name, (size_t)(slash - name) + 1) : "";
}

static int ask_name(struct discovery *discovery, const char *label, const char *otherwise,
                    const char **ret_name, struct error *err)
{
    struct buffer line;
    int result;
    buffer_init(&line, PROMPT_LINE_MAX);
    auto_free char *text = mem_printf("  %s [%s]:", label, otherwise);
    for (;;) {
        result = prompt_line(&discovery->prompt, text, &line, err);
        if (result < 0)
            break;
        while (line.size && line.data[line.size - 1] == '/')
            line.size--;
        *ret_name = line.size ? arena_strdup(&discovery->arena, buffer_cstr(&line)) : otherwise;
        if (catalog_name_valid(slice_of(*ret_name)) && strlen(*ret_name) <= CATALOG_NAME_MAX / 4)
            break;
        prompt_print(&discovery->prompt, "    ! letters, digits, - _ . in parts joined by single /\n");
    }
    buffer_done(&line);
    return result;
}

static int name_capture(struct discovery *discovery, struct error *err)
{
    const struct discover_options *options = discovery->options;
    struct arena *arena = &discovery->arena;
    char shown[OPTION_SHOWN_MAX];
    const char *given[] = {options->name, options->prefix};
    for (size_t i = 0; i < 2; i++) {
        if (given[i] && (!catalog_name_valid(slice_of(given[i])) || strlen(given[i]) > CATALOG_NAME_MAX / 4))
            return error_set(err, ERROR_INVALID,
                             "--%s is '%s', but a name is letters, digits, - _ . in parts joined by "
                             "single /",
                             i ? "prefix" : "name", option_show(given[i], shown));
    }
    if (discovery->capture)
        discovery->name = discovery->capture->name;
    else if (options->name)
        discovery->name = options->name;
    else
        discovery->name =
            arena_printf(arena, "%s/%s", options->prefix ? options->prefix : "acmeCo", discovery->short_name);
    if (!discovery->capture && !options->name && discovery->asks &&
        ask_name(discovery, "Name of the capture", discovery->name, &discovery->name, err) < 0)
        return -1;
    discovery->prefix =
        options->prefix ? arena_printf(arena, "%s/", options->prefix) : prefix_of(arena, discovery->name);
    return 0;
}

/* --- the configuration ----------------------------------------------------------------------------- */

static int write_stub(struct discovery *discovery, struct error *err)
{
    struct buffer text;
    struct output output;
    buffer_init(&text, BUFFER_UNLIMITED);
    discover_stub(discovery, &text);
    int result = file_replace(discovery->config_path, text.data, text.size, 0600, err);
    buffer_done(&text);
    if (result < 0)
        return -1;
    output_init(&output, STDOUT_FILENO);
    output_printf(&output, "wrote   %s\n\nNext: fill it in, then run the same command again.\n",
                  discovery->config_path);
    output_finish(&output, discovery->cli, CLI_OK);
    return 0;
}

/* 1: there is one; 0: there is none; -1. */
static int find_config(struct discovery *discovery, struct error *err)
{
    if (discovery->config_is_inline) {
        discovery->config_text = discovery->config = discovery->capture->endpoint.config;
        return 1;
    }
    if (!file_exists(discovery->config_path))
        return 0;
    return discover_read_config(discovery, err) < 0 ? -1 : 1;
}

static int validate_and_check(struct discovery *discovery, struct error *err)
{
    if (discover_validate_config(discovery, err) < 0)
        return -1;
    return discover_check(discovery, err);
}

/* What is wrong was told: 1, it is to be corrected; -1 with what was wrong. */
static int ask_to_correct(struct discovery *discovery, struct error *err)
{
    if (err->code == ERROR_CANCELLED)
        return -1;
    discovery->complaint = arena_strdup(&discovery->arena, err->message);
    prompt_paragraph(&discovery->prompt, err->message, 4);
    int again = prompt_yes(&discovery->prompt, "  Correct the configuration?", true, &(struct error){0});
    if (again < 0)
        return error_set(err, ERROR_CANCELLED, "the input ended; nothing was written");
    return again ? 1 : -1;
}

/* Ask until the connector is content. */
static int converse(struct discovery *discovery, bool there, struct error *err)
{
    bool fine = there && !discovery->complaint;
    if (fine) {
        const char *where = discovery->config_is_inline ? discovery->file : discovery->config_path;
        int keep =
            prompt_yes(&discovery->prompt,
                       arena_printf(&discovery->arena, "  Use the configuration in %s?", where), true, err);
        if (keep < 0)
            return -1;
        fine = keep;
    }
    for (;;) {
        if (!fine) {
            if (discovery->config_is_inline)
                return error_set(err, ERROR_INVALID,
                                 "the configuration is written in %s itself: change it there",
                                 discovery->file);
            if (discover_ask_config(discovery, err) < 0)
                return -1;
            discovery->config_is_new = true;
            prompt_print(&discovery->prompt, "\n");
        }
        if (validate_and_check(discovery, err) == 0)
            return 0;
        if (ask_to_correct(discovery, err) < 0)
            return -1;
        fine = false;
    }
}

/* 1: go on; 0: a stub was written, which is all; -1. */
static int configure(struct discovery *discovery, struct error *err)
{
    int there = discovery->complaint ? 1 : find_config(discovery, err); /* what was typed last counts */
    if (there < 0)
        return -1;
    if (discovery->asks)
        return converse(discovery, there, err) < 0 ? -1 : 1;
    if (!there && !discovery->cli->json)
        return write_stub(discovery, err) < 0 ? -1 : 0;
    if (!there)
        discovery->config_text = discovery->config = SLICE_LITERAL("{}");
    if (validate_and_check(discovery, err) == 0)
        return 1;
    if (!there)
        return error_wrap(err, "there is no %s (without -o json it is written, to be filled in)",
                          discovery->config_path);
    return error_wrap(err, "%s", discovery->config_is_inline ? discovery->file : discovery->config_path);
}

/* --- -o json --------------------------------------------------------------------------------------- */

static int print_streams(struct discovery *discovery)
{
    struct output output;
    output_init(&output, STDOUT_FILENO);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        const struct discover_stream *stream = &discovery->streams[i];
        struct json_writer writer;
        struct buffer line;
        struct json schema;
        struct error unused;
        buffer_init(&line, BUFFER_UNLIMITED);
        json_writer_init(&writer, &line);
        json_begin_object(&writer);
        json_member_string(&writer, "stream", stream->name);
        if (stream->namespace)
            json_member_string(&writer, "namespace", stream->namespace);
        json_member_string(&writer, "target",
                           arena_printf(&discovery->arena, "%s%s", discovery->prefix, stream->collection));
        json_put_key(&writer, "key");
        json_begin_array(&writer);
        for (size_t j = 0; j < stream->key_count; j++)
            json_put_string(&writer, stream->key[j]);
        json_end_array(&writer);
        json_member_bool(&writer, "guessedKey", stream->guessed_key);
        if (stream->resource.data) {
            json_member_raw(&writer, "resource", stream->resource);
        } else {
            json_put_key(&writer, "syncModes");
            json_begin_array(&writer);
            if (stream->full)
                json_put_string(&writer, "full_refresh");
            if (stream->incremental)
                json_put_string(&writer, "incremental");
            json_end_array(&writer);
        }
        if (stream->resource.data)
            json_member_bool(&writer, "advisedOff", stream->advised_off);
        json_member_bool(&writer, "bound", stream->bound);
        json_put_key(&writer, "schema");
        if (json_parse_copy(&discovery->arena, stream->schema.data, stream->schema.size, &schema, &unused) ==
            0)
            json_put_value(&writer, &schema, 0);
        else
            json_put_null(&writer);
        json_end_object(&writer);
        buffer_byte(&line, '\n');
        output_write(&output, line.data, line.size);
        buffer_done(&line);
    }
    return output_finish(&output, discovery->cli, CLI_OK);
}

/* --- the command ----------------------------------------------------------------------------------- */

/* The catalog that is there, if it is. CLI_OK, or its errors were printed. */
static int load_catalog(struct discovery *discovery)
{
    if (!file_exists(discovery->file))
        return CLI_OK;
    return catalog_file_need(discovery->cli, discovery->file, NULL, &discovery->catalog);
}

static int discover_and_write(struct discovery *discovery, struct error *err)
{
    int go_on = configure(discovery, err);
    if (go_on <= 0)
        return go_on;
    if (discover_streams(discovery, err) < 0 || discover_match(discovery, err) < 0)
        return -1;
    discover_prepare(discovery);
    if (discovery->cli->json)
        return print_streams(discovery) == CLI_OK ? 0 : -1;
    if (discovery->asks) {
        if (discover_choose(discovery, err) < 0)
            return -1;
        const char *prefix = arena_strndup(&discovery->arena, discovery->prefix,
                                           strlen(discovery->prefix) ? strlen(discovery->prefix) - 1 : 0);
        if (!discovery->options->prefix && !discovery->capture) {
            if (ask_name(discovery, "Collections' names begin with", *prefix ? prefix : "acmeCo", &prefix,
                         err) < 0)
                return -1;
            discovery->prefix = arena_printf(&discovery->arena, "%s/", prefix);
        }
        prompt_print(&discovery->prompt, "\n");
    }
    return discover_write(discovery, err);
}

static int discover(struct discovery *discovery, struct error *err)
{
    if (discover_which(discovery, err) < 0 || find_capture(discovery, err) < 0 ||
        discover_resolve(discovery, err) < 0 || discover_spec(discovery, err) < 0 ||
        name_capture(discovery, err) < 0)
        return -1;
    discover_place(discovery);
    for (;;) {
        int done = discover_and_write(discovery, err);
        if (done == 0 || !discovery->asks || !discovery->refused)
            return done;
        discovery->refused = false;
        if (ask_to_correct(discovery, err) < 0)
            return -1;
    }
}

static int run_discover(struct cli *cli, int argc, char **argv)
{
    const struct discover_options *options = cli->options;
    struct error err;
    if (!options->image + !options->command + !options->connector != 2) {
        error_set(&err, ERROR_INVALID, "which connector? One of --image, --command and --connector says it");
        return cli_usage(cli, &err);
    }
    struct discovery discovery = {
        .cli = cli,
        .options = options,
        .file = argc > 1 ? argv[1] : "flow.yaml",
        .asks = !options->yes && !cli->json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO),
        .color = cli->color_error,
    };
    arena_init(&discovery.arena);
    const char *slash = strrchr(discovery.file, '/');
    discovery.folder =
        slash ? arena_strndup(&discovery.arena, discovery.file, (size_t)(slash - discovery.file) + 1) : "";
    prompt_init(&discovery.prompt, discovery.color);
    int code = load_catalog(&discovery);
    if (code == CLI_OK && discover(&discovery, &err) < 0)
        code = cli_fail(cli, &err);
    catalog_free(discovery.catalog);
    prompt_done(&discovery.prompt);
    arena_done(&discovery.arena);
    return code;
}

const struct command cli_discover = {
    .name = "discover",
    .arguments = "[FILE]",
    .summary = "write a catalog for a connector, from what it finds",
    .help = "On a terminal it asks for the connector's configuration, checks it, shows the streams to choose "
            "from and\n"
            "writes FILE (flow.yaml), with schemas and the configuration in files beside it. Without one, or "
            "with\n"
            "--yes, the first call writes a configuration to fill in, the second the catalog. Run again, it "
            "adds what\n"
            "is new to the files that are there. With -o json it prints the streams and writes nothing.\n"
            "\n"
            "  firth discover --connector source-faker\n"
            "  firth discover --image airbyte/source-github:2.1.5 --name acmeCo/github flow.yaml\n"
            "  firth discover --command 'python source.py'\n",
    .options = specs,
    .options_size = sizeof(struct discover_options),
    .operands_max = 1,
    .images = true,
    .run = run_discover,
};
